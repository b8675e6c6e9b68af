//! What an apply did, in words: verdict, record ledger, failures by code, drifted, unknown and left records.

use super::Options;
use super::ends::{Ends, Gathered};
use super::escape::{Terminal, clipped};
use super::fold::fold;
use super::paint::Paint;
use super::table::text_table;
use super::wording::{counted, grouped, listed, run_time, share};
use crate::runlog::{ExitReason, RunLog, Seconds, Status};

/// The summary after an apply. `ends` has seen the outcomes as they came, or as read from the outcomes file; Salesforce's own words are shown to a
/// person where the process still has them, and without what they echo to everyone else.
pub fn text(log: &RunLog, ends: &Ends, options: &Options) -> String {
    let mut out = String::new();
    let paint = Paint(options.colour);
    let verdict = verdict(log);
    out.push_str(&match log.status {
        Status::Completed => paint.good(verdict),
        Status::Failed => paint.bad(verdict),
    });
    out.push('\n');
    // Where every record was updated, the verdict is the ledger.
    if log.records.updated != log.records.records {
        out.push_str(&ledger(log, paint));
    }
    if log.guards.iter().any(|g| g.held) || !log.problems.is_empty() {
        out.push('\n');
    }
    for guard in log.guards.iter().filter(|g| g.held) {
        let word = if guard.waived { paint.odd("waived") } else { paint.bad("held") };
        let sentence = super::wording::guard_sentence(&guard.name, guard.value, guard.base, &guard.limit);
        out.push_str(&format!("{word}  {}: {}\n", Terminal(&guard.name), Terminal(&sentence)));
    }
    for problem in &log.problems {
        out.push_str(&format!("{} {}: {}\n", paint.bad("error"), Terminal(&problem.code), Terminal(&problem.message)));
        if let Some(not_done) = &problem.not_done {
            out.push_str(&format!("  not done: {}\n", Terminal(not_done)));
        }
        if let Some(next) = &problem.next {
            out.push_str(&format!("  next: {}\n", Terminal(next)));
        }
    }
    out.push_str(&details(ends, options, paint));
    if let Some(window) = log.window_seconds {
        out.push_str(&format!("\n{}\n", paint.faint(window_sentence(window))));
    }
    fold(&out, options.width)
}

/// What is not guarded, said plainly.
pub(super) fn window_sentence(window: Seconds) -> String {
    // "At most" must not be rounded down.
    let window = Seconds { millis: window.millis.next_multiple_of(100) };
    format!(
        "At most {} passed between reading a record again and sending its update. Salesforce has no lock for that time: a change that somebody made \
         in it to the same fields would have been overwritten.",
        run_time(window)
    )
}

/// One or two sentences, beginning with the status.
pub(super) fn verdict(log: &RunLog) -> String {
    let r = &log.records;
    let mut parts = vec![format!("{} of {} updated", grouped(r.updated), counted(r.records, "record"))];
    for (count, what) in [
        (r.failed, "failed"),
        (r.drifted, "drifted (changed by somebody since the plan, left alone)"),
        (r.not_attempted, "not attempted"),
        (r.unknown, "unknown (the answer was lost)"),
    ] {
        if count > 0 {
            parts.push(format!("{} {what}", grouped(count)));
        }
    }
    let reason = Terminal(log.exit.sentence()).to_string();
    let (status, time, calls) =
        (log.status.as_str(), run_time(log.run_time_seconds), counted(log.calls.total, "API call"));
    match log.exit {
        ExitReason::Done => return format!("{status}: {} in {time}, with {calls}.", parts.join(", ")),
        ExitReason::NothingToDo => return format!("{status}: {reason} ({time}, {calls})."),
        _ => {}
    }
    format!(
        "{}: {}. {}{} ({}, {}).",
        status,
        parts.join(", "),
        reason.chars().next().map(|c| c.to_uppercase().to_string()).unwrap_or_default(),
        reason.chars().skip(1).collect::<String>(),
        time,
        calls,
    )
}

/// The record ledger, zero lines left out.
pub(super) fn ledger(log: &RunLog, paint: Paint) -> String {
    let r = &log.records;
    let mut rows: Vec<Vec<String>> = [
        ("updated", r.updated),
        ("failed", r.failed),
        ("drifted", r.drifted),
        ("not attempted", r.not_attempted),
        ("unknown", r.unknown),
    ]
    .into_iter()
    .filter(|(_, n)| *n > 0)
    .map(|(what, n)| vec![what.to_owned(), grouped(n), share(n, r.records)])
    .collect();
    rows.push(vec!["planned records in all".to_owned(), grouped(r.records), String::new()]);
    format!("\n{}\n{}", paint.strong("Records"), text_table(&[], rows, &[1, 2], 2))
}

/// What may have become of a record that was sent again.
pub(super) const RESENT: &str = "an answer was lost, and they held their old values; Salesforce may have carried out that sending, too: then they were written twice, or written though they are listed as failed";

/// Failures by code and message, then drifted, unknown and left records by reason.
pub(super) fn details(ends: &Ends, options: &Options, paint: Paint) -> String {
    let Ends { failures, drifted, unknown, left, resent, .. } = ends;
    let mut out = String::new();
    let fields = |group: &Gathered| {
        if group.fields.is_empty() { String::new() } else { format!(" (field {})", Terminal(&listed(&group.fields))) }
    };
    if !failures.is_empty() {
        out.push_str(&format!("\n{}\n", paint.bad("Failed: not written")));
        let mut failures: Vec<_> = failures.iter().collect();
        failures.sort_by_key(|(key, group)| (std::cmp::Reverse(group.count), *key));
        let most = if options.full { usize::MAX } else { 20 };
        for ((code, message), group) in failures.iter().take(most) {
            let count = counted(group.count, "record");
            out.push_str(&format!("  {} on {count}{}\n", Terminal(code), fields(group)));
            match message {
                Some(message) => out.push_str(&format!("    {}\n", Terminal(&clipped(message, 500)))),
                None => {
                    out.push_str("    (the message may hold values and is shown at a terminal during the run only)\n")
                }
            }
            out.push_str(&format!("    {}\n", group.ids()));
        }
        if failures.len() > most {
            out.push_str(&format!(
                "  … and {} (--full shows all)\n",
                counted((failures.len() - most) as u64, "more message")
            ));
        }
    }
    let mut section = |title: &str, reasons: Vec<(&str, &Gathered)>| {
        if reasons.is_empty() {
            return;
        }
        out.push_str(&format!("\n{}\n", paint.odd(title)));
        for (reason, group) in reasons {
            let count = counted(group.count, "record");
            out.push_str(&format!("  {count}: {}{}\n    {}\n", Terminal(reason), fields(group), group.ids()));
        }
    };
    let drift =
        |there: &bool| if *there { "holds the planned values already" } else { "somebody changed a planned field" };
    section(
        "Drifted: changed by somebody since the plan, left alone",
        drifted.iter().map(|(there, group)| (drift(there), group)).collect(),
    );
    section(
        "Unknown: look at these records before the next run",
        unknown.iter().map(|(reason, group)| (reason.as_str(), group)).collect(),
    );
    section("Sent again", (resent.count > 0).then_some((RESENT, resent)).into_iter().collect());
    section("Not attempted", left.iter().map(|(reason, group)| (reason.as_str(), group)).collect());
    out
}
