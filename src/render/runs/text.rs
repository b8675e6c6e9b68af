//! Runs for a terminal.

use std::collections::BTreeMap;

use crate::plan::RowOutcome;
use crate::render::escape::Terminal;
use crate::render::paint::Paint;
use crate::render::table::text_table;
use crate::render::wording::{counted, grouped, guard_sentence, moment, outcome_words, run_time, share};
use crate::render::{Options, apply};
use crate::runlog::{Listed, RecordLine, RowLine, RunLog, Status};

/// Rows listed of one kind.
const ROWS: usize = 10;

/// A table of runs, newest first; logs that cannot be read stand below it.
pub fn table(runs: &[Listed], options: &Options) -> String {
    if runs.is_empty() {
        return "No runs yet.\n".to_owned();
    }
    let mut out = String::new();
    let header = [
        "Run",
        "Integration",
        "Report",
        "Object",
        "Environment",
        "Start (UTC)",
        "Run time",
        "Status",
        "Updated",
        "Not updated",
    ];
    let rows: Vec<Vec<String>> = runs
        .iter()
        .filter_map(Listed::run)
        .map(|run| {
            vec![
                Terminal(&run.id).to_string(),
                Terminal(&run.integration).to_string(),
                Terminal(&run.report).to_string(),
                Terminal(run.object.as_str()).to_string(),
                format!("{} {}", Terminal(&run.org), run.environment),
                run.start.strftime("%Y-%m-%d %H:%M:%S").to_string(),
                run_time(run.run_time),
                run.status.as_str().to_owned(),
                format!("{} of {}", grouped(run.records.updated), grouped(run.records.records)),
                grouped(run.records.records.saturating_sub(run.records.updated)),
            ]
        })
        .collect();
    if !rows.is_empty() {
        out.push_str(&text_table(&header, rows, &[6, 8, 9], options.width, 0));
    }
    let paint = Paint(options.colour);
    for listed in runs {
        if let Listed::Unreadable { path, reason } = listed {
            out.push_str(&format!(
                "{} {}: {}\n",
                paint.odd("unreadable:"),
                Terminal(&path.display().to_string()),
                Terminal(reason)
            ));
        }
    }
    out
}

/// Everything about one run.
pub fn show(log: &RunLog, records: &[RecordLine], rows: &[RowLine], options: &Options) -> String {
    let paint = Paint(options.colour);
    let mut out = String::new();
    let verdict = apply::verdict(log);
    out.push_str(&match log.status {
        Status::Completed => paint.good(verdict),
        Status::Failed => paint.bad(verdict),
    });
    out.push_str("\n\n");
    out.push_str(&facts(log));
    out.push_str(&apply::ledger(log, paint));
    let ledger = |title: &str, lines: &[(&str, u64)], total: (&str, u64)| {
        let mut rows: Vec<Vec<String>> =
            lines.iter().filter(|(_, n)| *n > 0).map(|(what, n)| vec![(*what).to_owned(), grouped(*n)]).collect();
        rows.push(vec![total.0.to_owned(), grouped(total.1)]);
        format!("\n{}\n{}", paint.strong(title), text_table(&[], rows, &[1], None, 2))
    };
    let outcomes: Vec<(&str, u64)> = RowOutcome::ALL.into_iter().map(|o| (outcome_words(o), log.rows.of(o))).collect();
    out.push_str(&ledger("Report rows", &outcomes, ("rows in all", log.rows.rows)));
    let c = &log.cells;
    let cells = [
        ("were to change", c.change),
        ("same", c.same),
        ("kept, blank in the report", c.kept_blank),
        ("kept by policy", c.kept_policy),
        ("refused", c.refused),
    ];
    out.push_str(&ledger(
        &format!("Cells of {}", counted(log.matched, "matched record")),
        &cells,
        ("cells in all", c.cells),
    ));
    out.push_str(&fields(log, options, paint));
    out.push_str(&format!("\n{}\n", paint.strong("Guards")));
    for guard in &log.guards {
        let word = match (guard.held, guard.waived) {
            (true, false) => paint.bad("held  "),
            (true, true) => paint.odd("waived"),
            (false, _) => paint.good("ok    "),
        };
        let sentence = guard_sentence(&guard.name, guard.value, guard.base, &guard.limit);
        out.push_str(&format!("  {word}  {}: {}\n", Terminal(&guard.name), Terminal(&sentence)));
    }
    if !log.problems.is_empty() {
        out.push_str(&format!("\n{}\n", paint.bad("Problems")));
        for problem in &log.problems {
            out.push_str(&format!("  {}: {}\n", Terminal(&problem.code), Terminal(&problem.message)));
            if let Some(not_done) = &problem.not_done {
                out.push_str(&format!("    not done: {}\n", Terminal(not_done)));
            }
        }
    }
    out.push_str(&apply::details(records, options, paint));
    out.push_str(&unusable(rows, options, paint));
    out
}

fn facts(log: &RunLog) -> String {
    let or_unknown = |text: Option<String>| text.unwrap_or_else(|| "unknown".to_owned());
    let kinds: Vec<String> = log.calls.by_kind.iter().map(|(kind, n)| format!("{kind} {}", grouped(*n))).collect();
    let kinds = if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
    let retries = if log.calls.retries == 0 {
        String::new()
    } else {
        format!(", {} of them retries", grouped(log.calls.retries))
    };
    let mut stops = Vec::new();
    stops.extend(log.stops_after.limit.map(|n| format!("--limit {}", grouped(n))));
    stops.extend(log.stops_after.records.map(|n| format!("--records with {}", counted(n, "record"))));
    let mut facts = vec![
        ("Run", log.id.clone()),
        ("Integration", log.integration.clone()),
        ("Report", format!("{} ({})", log.report.name, log.report.source)),
        ("Report size", or_unknown(log.report.bytes.map(|b| counted(b, "byte")))),
        ("Report time", or_unknown(log.report.modified.map(moment))),
        ("Object", log.object.as_str().to_owned()),
        ("Org", format!("{} {}, {}", log.org, log.environment, log.org_id)),
        ("User", or_unknown(log.user.clone())),
        ("Started by", log.trigger.as_str().to_owned()),
        ("Start", moment(log.start)),
        ("End", moment(log.end)),
        ("Run time", run_time(log.run_time_seconds)),
        ("Status", log.status.as_str().to_owned()),
        ("Ended because", log.exit.sentence().to_owned()),
    ];
    if !stops.is_empty() {
        facts.push(("Told to stop", stops.join(", ")));
    }
    facts.push(("API calls", format!("{}{retries}{kinds}", grouped(log.calls.total))));
    facts.extend(log.window_seconds.map(|w| ("Window", apply::window_sentence(w))));
    facts.push((
        "Quota",
        or_unknown(
            log.quota
                .map(|q| format!("{} of {} used ({})", grouped(q.used), grouped(q.allowed), share(q.used, q.allowed))),
        ),
    ));
    match &log.digests {
        Some(d) => {
            facts.push(("Configuration", d.configuration.as_str().to_owned()));
            facts.push(("Report digest", d.report.as_str().to_owned()));
            facts.push(("Definitions", d.definitions.as_str().to_owned()));
            facts.push(("Plan", format!("inputs {}, changes {}", d.inputs.short(), d.changes.short())));
        }
        None => facts.push(("Plan", "none: the run ended before".to_owned())),
    }
    facts.push(("Versions", format!("Footbridge {}, API {}", log.versions.footbridge, log.versions.api)));
    facts.into_iter().map(|(what, text)| format!("{what:<15}{}\n", Terminal(&text))).collect()
}

fn fields(log: &RunLog, options: &Options, paint: Paint) -> String {
    let zero = |n: u64| if n == 0 { "·".to_owned() } else { grouped(n) };
    let header = ["Field", "Report column", "+ fill", "~ overwrite", "- clear", "same", "kept", "refused"];
    let rows = log
        .fields
        .iter()
        .map(|f| {
            let mut row = vec![Terminal(f.field.as_str()).to_string(), Terminal(&f.column).to_string()];
            row.extend([f.fill, f.overwrite, f.clear, f.same, f.kept, f.refused.values().sum()].map(zero));
            row
        })
        .collect();
    let table = text_table(&header, rows, &[2, 3, 4, 5, 6, 7], options.width, 2);
    format!("\n{}\n{table}", paint.strong("Fields, as planned"))
}

/// Rows that could not be used, by outcome; refused cells by field and reason.
fn unusable(rows: &[RowLine], options: &Options, paint: Paint) -> String {
    let most = if options.full { usize::MAX } else { ROWS };
    let mut groups: BTreeMap<(RowOutcome, String), Vec<u64>> = BTreeMap::new();
    for line in rows {
        if !matches!(line.outcome, RowOutcome::Planned | RowOutcome::Unchanged | RowOutcome::Refused) {
            groups.entry((line.outcome, outcome_words(line.outcome).to_owned())).or_default().push(line.row);
        }
        for refused in &line.refused {
            let what = format!("refused: {} ({})", Terminal(refused.field.as_str()), Terminal(&refused.code));
            groups.entry((RowOutcome::Refused, what)).or_default().push(line.row);
        }
    }
    if groups.is_empty() {
        return String::new();
    }
    let mut out = format!("\n{}\n", paint.strong("Rows that could not be used, and cells that could not be written"));
    for ((_, what), rows) in groups {
        let shown: Vec<String> = rows.iter().take(most).map(|r| grouped(*r)).collect();
        let left = rows.len() - shown.len();
        let more = if left == 0 { String::new() } else { format!(" … and {} more", grouped(left as u64)) };
        out.push_str(&format!("  {what}: row {}{more}\n", shown.join("; ")));
    }
    out
}
