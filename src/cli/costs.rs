//! What a plan takes of the org: the ways to read and to write with their estimates, and the guard on the day's calls.

use crate::config::valid;
use crate::model::Object;
use crate::plan::{Alternative, Choice, Estimate, GuardName, GuardVerdict, Limit, Way, WriteWay};
use crate::salesforce::{self, Chosen, Speeds, Usage, WriteFacts, choose_write, estimated_row_bytes};

/// A chosen way in the words of the plan.
pub fn choice<C, W>(chosen: Chosen<C>, asked_for: bool, word: impl Fn(C) -> W) -> Choice<W> {
    let alternative =
        |(way, estimate): (C, salesforce::Estimate)| Alternative { way: word(way), estimate: told(estimate) };
    Choice {
        way: word(chosen.way),
        estimate: told(chosen.estimate),
        alternatives: chosen.alternatives.into_iter().map(alternative).collect(),
        asked_for,
        instead: None,
    }
}

/// Takes the way that the configuration asks for. One that is not among the ways has no estimate.
pub fn force<W: Copy + PartialEq>(choice: &mut Choice<W>, way: W) {
    if choice.way == way {
        return;
    }
    let found = choice.alternatives.iter().position(|other| other.way == way);
    let estimate = found.map_or_else(Estimate::default, |at| choice.alternatives.remove(at).estimate);
    choice.alternatives.insert(0, Alternative { way: choice.way, estimate: choice.estimate });
    (choice.way, choice.estimate) = (way, estimate);
}

fn told(estimate: salesforce::Estimate) -> Estimate {
    let salesforce::Estimate { calls, jobs, bytes, seconds } = estimate;
    Estimate { calls, jobs, bytes, seconds }
}

/// How so many records are to be written.
pub fn writing(
    records: u64,
    object: &Object,
    fields: &[crate::plan::FieldHead],
    wish: valid::WriteWay,
    usage: Option<Usage>,
) -> Choice<WriteWay> {
    let mut columns = vec!["Id".to_owned()];
    columns.extend(fields.iter().map(|head| head.field.as_str().to_owned()));
    let facts = WriteFacts {
        records,
        row_bytes: estimated_row_bytes(object, &columns),
        calls_left: usage.map(|usage| usage.left()),
        speeds: Speeds::default(),
        bulk: true,
    };
    let wished = match wish {
        valid::WriteWay::Auto => None,
        valid::WriteWay::Collections => Some(WriteWay::Collections),
        valid::WriteWay::Bulk => Some(WriteWay::Bulk),
    };
    let mut choice = choice(choose_write(&facts), wished.is_some(), |way| match way {
        salesforce::WriteWay::Collections => WriteWay::Collections,
        salesforce::WriteWay::Bulk => WriteWay::Bulk,
    });
    if let Some(wished) = wished.filter(|_| records > 0) {
        force(&mut choice, wished);
    }
    choice
}

/// `max_calls`: the calls of a plan, of those that were left before it was made. Without a word from Salesforce on the day's calls there is no verdict.
pub fn calls_guard(limit: Limit, made: u64, to_come: u64, usage: Option<crate::plan::Usage>) -> Option<GuardVerdict> {
    let usage = usage?;
    let base = usage.allowed.saturating_sub(usage.used) + made;
    let value = made + to_come;
    // A plan that changes nothing takes nothing more. Of a day that is nearly used up a share says as much as of any: there is no floor.
    let held = to_come > 0 && limit.exceeded_from_one(value, base);
    Some(GuardVerdict { name: GuardName::MaxCalls, value, base, limit, held })
}

/// The two choices in one line, for `--verbose`.
pub fn line(reading: Option<&Choice<Way>>, writing: &Choice<WriteWay>) -> String {
    let read = reading.map_or_else(|| "nothing to read".to_owned(), |choice| one("read", choice, way));
    let way = |way| match way {
        WriteWay::Collections => "collections",
        WriteWay::Bulk => "ingest jobs",
    };
    format!("{read}; {}", one("write", writing, way))
}

/// A way to read, as people are told of it.
pub fn way(way: Way) -> &'static str {
    match way {
        Way::Lookup => "look-ups",
        Way::Query => "paging",
        Way::Bulk => "bulk query",
        Way::None => "nothing",
    }
}

fn one<W: Copy>(what: &str, choice: &Choice<W>, word: impl Fn(W) -> &'static str) -> String {
    let mut text = format!("{what} by {}", word(choice.way));
    // Nothing was asked of the org for the sake of an estimate alone.
    if choice.estimate != Estimate::default() {
        text.push_str(&format!(" ({})", costs(&choice.estimate)));
    }
    if choice.asked_for {
        text.push_str(", as asked for");
    }
    if let Some(instead) = &choice.instead {
        text.push_str(&format!(", {instead}"));
    }
    let others: Vec<String> =
        choice.alternatives.iter().map(|other| format!("{} {}", word(other.way), costs(&other.estimate))).collect();
    if !others.is_empty() {
        text.push_str(&format!(" instead of {}", others.join(" or ")));
    }
    text
}

/// What a way takes, as people are told of it.
pub fn costs(estimate: &Estimate) -> String {
    let Estimate { calls, jobs, bytes, seconds } = estimate;
    let jobs = match jobs {
        0 => String::new(),
        1 => ", 1 job".to_owned(),
        jobs => format!(", {jobs} jobs"),
    };
    let size = match bytes {
        0..=999_999 => format!("{} kB", bytes.div_ceil(1_000)),
        _ => format!("{} MB", bytes.div_ceil(1_000_000)),
    };
    let time = match seconds {
        0..=119 => format!("{seconds} s"),
        _ => format!("{} min", seconds.div_ceil(60)),
    };
    format!("about {calls} calls{jobs}, {size}, {time}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(calls: u64) -> Estimate {
        Estimate { calls, jobs: 0, bytes: 2_500_000, seconds: 150 }
    }

    #[test]
    fn the_line_names_the_way_its_costs_and_the_others() {
        let reading = Choice {
            way: Way::Bulk,
            estimate: Estimate { jobs: 1, ..estimate(20) },
            alternatives: vec![Alternative { way: Way::Query, estimate: estimate(50) }],
            asked_for: false,
            instead: None,
        };
        let writing = Choice {
            way: WriteWay::Collections,
            estimate: Estimate { calls: 2, jobs: 0, bytes: 100, seconds: 1 },
            alternatives: Vec::new(),
            asked_for: true,
            instead: None,
        };
        assert_eq!(
            line(Some(&reading), &writing),
            "read by bulk query (about 20 calls, 1 job, 3 MB, 3 min) instead of paging about 50 calls, 3 MB, 3 min; \
             write by collections (about 2 calls, 1 kB, 1 s), as asked for"
        );
    }

    #[test]
    fn a_way_that_is_asked_for_is_taken_and_the_other_stands_beside_it() {
        let mut choice = Choice {
            way: Way::Bulk,
            estimate: estimate(20),
            alternatives: vec![Alternative { way: Way::Query, estimate: estimate(50) }],
            asked_for: true,
            instead: None,
        };
        force(&mut choice, Way::Query);
        assert_eq!((choice.way, choice.estimate.calls, choice.alternatives[0].way), (Way::Query, 50, Way::Bulk));
        force(&mut choice, Way::Lookup);
        assert_eq!((choice.way, choice.estimate, choice.alternatives.len()), (Way::Lookup, Estimate::default(), 2));
    }

    #[test]
    fn the_guard_counts_calls_of_those_that_were_left_before() {
        let usage = |used, allowed| Some(crate::plan::Usage { used, allowed });
        let half = Limit::Percent(5_000);
        let table = [
            (half, 10, 40, usage(910, 1_000), Some((50, 100, false))),
            (half, 10, 41, usage(910, 1_000), Some((51, 100, true))),
            (half, 90, 0, usage(990, 1_000), Some((90, 100, false))),
            (Limit::Count(20), 10, 11, usage(0, 1_000), Some((21, 1_010, true))),
            // However few were left.
            (half, 0, 1, usage(1_000, 1_000), Some((1, 0, true))),
            (half, 5, 11, usage(1_897, 1_900), Some((16, 8, true))),
            (half, 3, 1, usage(995, 1_000), Some((4, 8, false))),
            (half, 10, 500, None, None),
        ];
        for (limit, made, to_come, usage, expected) in table {
            let verdict = calls_guard(limit, made, to_come, usage);
            assert_eq!(verdict.map(|v| (v.value, v.base, v.held)), expected, "{made} {to_come} {usage:?}");
        }
    }
}
