//! From the ends of a plan's records to the lines of an outcomes file and to the record ledger, so that the two never disagree.

use std::io;

use super::{OutcomesLine, RecordLine, RowLine};
use crate::plan::{Entry, Plan};

/// The lines of the outcomes file, as the plan is read: of each planned record what `end` makes of its place and entry, then the rows of the plan that
/// could not be used, or not wholly.
pub fn outcome_lines<'a>(
    plan: &'a Plan,
    mut end: impl FnMut(usize, &Entry) -> Option<RecordLine> + 'a,
) -> impl Iterator<Item = io::Result<OutcomesLine>> + 'a {
    let records = plan.planned().enumerate().filter_map(move |(place, entry)| match entry {
        Ok(entry) => end(place, &entry).map(|line| Ok(OutcomesLine::Record(line))),
        Err(problem) => Some(Err(io::Error::other(problem))),
    });
    let rows = plan.unusable().filter_map(|entry| match entry {
        Ok(entry) => RowLine::new(&entry).map(|line| Ok(OutcomesLine::Row(line))),
        Err(problem) => Some(Err(io::Error::other(problem))),
    });
    records.chain(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::RecordLedger;
    use crate::runlog::{NotAttempted, Outcome, RecordCounts, sample};

    /// The record ledger of these lines.
    fn tally<'l>(records: impl Iterator<Item = &'l RecordLine>) -> RecordLedger {
        let mut ledger = RecordLedger::default();
        for line in records {
            ledger.records += 1;
            let count = match line.outcome {
                Outcome::Updated => &mut ledger.updated,
                Outcome::Failed => &mut ledger.failed,
                Outcome::Drifted => &mut ledger.drifted,
                Outcome::NotAttempted => &mut ledger.not_attempted,
                Outcome::Unknown => &mut ledger.unknown,
            };
            *count += 1;
        }
        ledger
    }

    #[test]
    fn lines_and_ledger_agree() {
        let (log, records) = sample::run();
        let ledger = tally(records.iter());
        assert!(ledger.balances());
        assert_eq!(RecordCounts::from(&ledger), log.records);
        let plan = sample::plan();
        let lines = |end: &dyn Fn(usize, &Entry) -> Option<RecordLine>| {
            outcome_lines(&plan, end).collect::<io::Result<Vec<_>>>().unwrap()
        };
        let found = lines(&|place, _| records.get(place).cloned());
        let (ends, rows): (Vec<_>, Vec<_>) = found.into_iter().partition(|l| matches!(l, OutcomesLine::Record(_)));
        assert_eq!(ends, records.into_iter().map(OutcomesLine::Record).collect::<Vec<_>>());
        assert_eq!(rows.len(), 10);
        let none = lines(&|_, entry| RecordLine::not_attempted(entry, NotAttempted::Guard));
        let none = none.iter().filter_map(|l| if let OutcomesLine::Record(r) = l { Some(r) } else { None });
        let none = tally(none);
        assert_eq!((none.not_attempted, none.records), (6, 6));
    }
}
