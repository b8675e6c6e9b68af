//! Runs for a terminal.

use crate::model::Digest;
use crate::plan::RowOutcome;
use crate::render::escape::Terminal;
use crate::render::fields::{FieldCounts, fields_table};
use crate::render::fold::{fold, fold_line};
use crate::render::paint::Paint;
use crate::render::table::{beside, fits, text_table};
use crate::render::wording::{counted, grouped, guard_sentence, moment, outcome_words, run_time, share};
use crate::render::{Ends, Options, apply};
use crate::runlog::values::Keep;
use crate::runlog::{Listed, RunLog, RunSummary, SecondLook, Status, stamp};

/// A table of runs, newest first; logs that cannot be read stand below it.
pub fn table(runs: &[Listed], options: &Options) -> String {
    if runs.is_empty() {
        return "No runs yet.\n".to_owned();
    }
    let paint = Paint(options.colour);
    let readable: Vec<&RunSummary> = runs.iter().filter_map(Listed::run).collect();
    let mut out = if readable.is_empty() { String::new() } else { list(&readable, options.width, paint) };
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
    fold(&out, options.width)
}

/// The widest of these forms that the terminal has room for. A run's id holds its start, so the start of its own is the first to go; nothing is ever
/// cut off.
fn list(runs: &[&RunSummary], width: Option<u16>, paint: Paint) -> String {
    let named = runs.iter().all(|run| run.id.starts_with(&stamp(run.start)));
    let id = |run: &RunSummary| Terminal(&run.id).to_string();
    let start = |run: &RunSummary| run.start.strftime("%Y-%m-%d %H:%M:%S").to_string();
    let report = |run: &RunSummary| Terminal(&run.report).to_string();
    let object = |run: &RunSummary| Terminal(run.object.as_str()).to_string();
    let place = |run: &RunSummary| format!("{}/{}", Terminal(&run.org), run.environment);
    let name = |run: &RunSummary| Terminal(&run.integration).to_string();
    let time = |run: &RunSummary| run_time(run.run_time);
    let updated = |run: &RunSummary| format!("{} of {}", grouped(run.records.updated), grouped(run.records.records));
    let status = |run: &RunSummary| run.status.as_str().to_owned();
    let first = if named { "Run (start, UTC)" } else { "Run" };

    let heads =
        ["Run", "Integration", "Report", "Object", "Environment", "Start (UTC)", "Run time", "Updated", "Status"];
    let cells = |r: &&RunSummary| {
        vec![id(r), name(r), report(r), object(r), place(r), start(r), time(r), updated(r), status(r)]
    };
    let full = text_table(&heads, runs.iter().map(cells).collect(), &[6, 7], 0);
    if fits(&full, width) {
        return coloured(&full, runs, 1, paint);
    }
    if named {
        let heads = [first, "Integration", "Report", "Object", "Environment", "Run time", "Updated", "Status"];
        let cells =
            |r: &&RunSummary| vec![id(r), name(r), report(r), object(r), place(r), time(r), updated(r), status(r)];
        let table = text_table(&heads, runs.iter().map(cells).collect(), &[5, 6], 0);
        if fits(&table, width) {
            return coloured(&table, runs, 1, paint);
        }
        let heads = [first, "Integration, report → object", "Environment", "Run time", "Updated", "Status"];
        let cells = |r: &&RunSummary| {
            let what = format!("{}\n{} → {}", name(r), report(r), object(r));
            vec![id(r), what, place(r), time(r), updated(r), status(r)]
        };
        let table = text_table(&heads, runs.iter().map(cells).collect(), &[3, 4], 0);
        if fits(&table, width) {
            return coloured(&table, runs, 2, paint);
        }
    }
    let cells = |r: &&RunSummary| vec![id(r), start(r), time(r), updated(r), status(r)];
    let table = text_table(
        &["Run", "Start (UTC)", "Run time", "Updated", "Status"],
        runs.iter().map(cells).collect(),
        &[2, 3],
        0,
    );
    let table = coloured(&table, runs, 1, paint);
    let mut lines = table.lines();
    let mut out = lines.next().map(|head| format!("{head}\n")).unwrap_or_default();
    for (line, run) in lines.zip(runs) {
        let what = format!("  {}: {} → {} in {}\n", name(run), report(run), object(run), place(run));
        out.push_str(&format!("{line}\n{what}"));
    }
    out
}

/// Headings strong, and the status, which ends the first of each run's `lines`, green or red.
fn coloured(table: &str, runs: &[&RunSummary], lines: usize, paint: Paint) -> String {
    let mut out = String::new();
    for (i, line) in table.lines().enumerate() {
        let run = (i > 0 && (i - 1).is_multiple_of(lines)).then(|| runs.get((i - 1) / lines)).flatten();
        match run.and_then(|run| Some((run.status, line.strip_suffix(run.status.as_str())?))) {
            Some((Status::Completed, rest)) => out.push_str(&format!("{rest}{}", paint.good("Completed"))),
            Some((Status::Failed, rest)) => out.push_str(&format!("{rest}{}", paint.bad("Failed"))),
            None if i == 0 => out.push_str(&paint.strong(line)),
            None => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

/// Everything about one run.
pub fn show(log: &RunLog, ends: &Ends, options: &Options) -> String {
    let paint = Paint(options.colour);
    let mut out = String::new();
    let verdict = apply::verdict(log);
    out.push_str(&match log.status {
        Status::Completed => paint.good(verdict),
        Status::Failed => paint.bad(verdict),
    });
    out.push_str("\n\n");
    out.push_str(&facts(log, options.width));
    out.push_str(&apply::ledger(log, paint));
    let ledger = |title: &str, lines: &[(&str, u64)], total: (&str, u64)| {
        let mut rows: Vec<Vec<String>> =
            lines.iter().filter(|(_, n)| *n > 0).map(|(what, n)| vec![(*what).to_owned(), grouped(*n)]).collect();
        rows.push(vec![total.0.to_owned(), grouped(total.1)]);
        format!("{}\n{}", paint.strong(title), text_table(&[], rows, &[1], 2))
    };
    let outcomes: Vec<(&str, u64)> = RowOutcome::ALL.into_iter().map(|o| (outcome_words(o), log.rows.of(o))).collect();
    let rows_ledger = ledger("Report rows", &outcomes, ("rows in all", log.rows.rows));
    let c = &log.cells;
    let cells = [
        ("were to change", c.change),
        ("same", c.same),
        ("kept, blank in the report", c.kept_blank),
        ("kept by policy", c.kept_policy),
        ("refused", c.refused),
    ];
    let cells_ledger =
        ledger(&format!("Cells of {}", counted(log.matched, "matched record")), &cells, ("cells in all", c.cells));
    out.push('\n');
    out.push_str(&beside(&rows_ledger, &cells_ledger, options.width));
    out.push_str(&fields(log, options, paint));
    out.push_str(&format!("\n{}\n", paint.strong("Guards")));
    let widest = log.guards.iter().map(|g| g.name.len()).max().unwrap_or(0);
    for guard in &log.guards {
        let word = match (guard.held, guard.waived) {
            (true, false) => format!("{}  ", paint.bad("held")),
            (true, true) => paint.odd("waived"),
            (false, _) => format!("{}    ", paint.good("ok")),
        };
        let sentence = guard_sentence(&guard.name, guard.value, guard.base, &guard.limit);
        out.push_str(&format!("  {word}  {:widest$}  {}\n", Terminal(&guard.name), Terminal(&sentence)));
    }
    if !log.problems.is_empty() {
        out.push_str(&format!("\n{}\n", paint.bad("Problems")));
        for problem in &log.problems {
            out.push_str(&format!("  {}: {}\n", Terminal(&problem.code), Terminal(&problem.message)));
            if let Some(not_done) = &problem.not_done {
                out.push_str(&format!("    not done: {}\n", Terminal(not_done)));
            }
            if let Some(next) = &problem.next {
                out.push_str(&format!("    next: {}\n", Terminal(next)));
            }
        }
    }
    out.push_str(&apply::details(ends, options, paint));
    out.push_str(&unusable(ends, paint));
    fold(&out, options.width)
}

fn facts(log: &RunLog, width: Option<u16>) -> String {
    let or_unknown = |text: Option<String>| text.unwrap_or_else(|| "unknown".to_owned());
    let kinds: Vec<String> =
        log.calls.by_kind.iter().map(|(kind, n)| format!("{} {}", grouped(*n), call_words(kind))).collect();
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
    facts.extend(log.undo_of.clone().map(|run| ("Undo of", run)));
    if !stops.is_empty() {
        facts.push(("Told to stop", stops.join(", ")));
    }
    facts.push(("API calls", format!("{}{retries}{kinds}", grouped(log.calls.total))));
    for job in &log.jobs {
        let state =
            job.state.as_deref().filter(|state| *state != "JobComplete").map_or_else(String::new, |s| format!(", {s}"));
        let left = if job.left { ", its results were not fetched" } else { "" };
        facts.push((
            "Bulk job",
            format!(
                "{}: {}, {} failed, {} s{state}{left}",
                job.id,
                counted(job.records, "record"),
                grouped(job.failed),
                job.seconds.millis.div_ceil(1000)
            ),
        ));
    }
    facts.extend(careful(log));
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
            // In full they are 86 columns wide, and in the run log, too.
            let digest = |d: &Digest| match width {
                Some(0..86) => d.short().to_owned(),
                _ => d.as_str().to_owned(),
            };
            facts.push(("Configuration", digest(&d.configuration)));
            facts.push(("Report digest", digest(&d.report)));
            facts.push(("Definitions", digest(&d.definitions)));
            facts.push(("Plan", format!("inputs {}, changes {}", d.inputs.short(), d.changes.short())));
        }
        None => facts.push(("Plan", "none: the run ended before".to_owned())),
    }
    facts.push(("Versions", format!("Footbridge {}, API {}", log.versions.footbridge, log.versions.api)));
    let mut out = String::new();
    for (what, text) in facts {
        let line = format!("{what:<15}{}", Terminal(&text));
        fold_line(&line, width.map_or(usize::MAX, usize::from), 15, &mut out);
        out.push('\n');
    }
    out
}

/// Where the run's values are, and what it saw when it looked again.
fn careful(log: &RunLog) -> Vec<(&'static str, String)> {
    let look = |look: &SecondLook| {
        let records = counted(look.records, "record");
        let own = match look.differ {
            0 => format!("{records} as planned"),
            differ => format!("{} of {records} differ", grouped(differ)),
        };
        let others = match look.meanwhile {
            0 => String::new(),
            more => format!(", {} more changed meanwhile", grouped(more)),
        };
        let fields = if look.is_calm() { String::new() } else { format!(": {}", look.words()) };
        format!("{own}{others}{fields}")
    };
    let values = log.values.as_ref().map(|values| match (values.keep, &values.file) {
        (Keep::Local, Some(file)) => format!("on the machine that applied, {file}"),
        (Keep::Committed, Some(file)) => {
            format!("beside the log, {file}, encrypted to {}", values.recipients.join(", "))
        }
        _ => "not kept: this run cannot be undone".to_owned(),
    });
    let values = values.map(|text| ("Values", text));
    let looks = [("Canary", log.canary.as_ref().map(look)), ("Verified", log.verify.as_ref().map(look))];
    let resent =
        (log.resent > 0).then(|| ("Sent again", format!("{}: {}", counted(log.resent, "record"), apply::RESENT)));
    values.into_iter().chain(resent).chain(looks.into_iter().filter_map(|(what, text)| Some((what, text?)))).collect()
}

fn fields(log: &RunLog, options: &Options, paint: Paint) -> String {
    let fields: Vec<FieldCounts<'_>> = log
        .fields
        .iter()
        .map(|f| FieldCounts {
            field: f.field.as_str(),
            column: &f.column,
            counts: [f.fill, f.overwrite, f.clear, f.same, f.kept, f.refused.values().sum()],
        })
        .collect();
    fields_table("Fields, as planned", &fields, options.width, paint)
}

/// A kind of call, for people.
fn call_words(kind: &str) -> &str {
    match kind {
        "update" => "to update",
        "read_again" => "to read again before",
        "job" => "for bulk jobs",
        "other" => "to log in, read and look up",
        kind => kind,
    }
}

/// Rows that could not be used, by outcome; refused cells by field and reason.
fn unusable(ends: &Ends, paint: Paint) -> String {
    if ends.rows.is_empty() {
        return String::new();
    }
    let mut out = format!("\n{}\n", paint.strong("Rows that could not be used, and cells that could not be written"));
    for ((_, what), rows) in &ends.rows {
        let (shown, left) = rows.text();
        let more = if left == 0 { String::new() } else { format!(" … and {} more", grouped(left)) };
        let word = if rows.count == 1 { "row" } else { "rows" };
        out.push_str(&format!("  {what}: {word} {shown}{more}\n"));
    }
    out
}
