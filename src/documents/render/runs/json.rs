//! Runs as JSON: `footbridge runs-view/1` and `footbridge run-view/1`.

use std::io::{self, Write};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::render::escape::json_text;
use crate::render::stream::{Seq, write_json};
use crate::runlog::{
    ExitReason, Listed, OutcomesLine, RecordCounts, RecordLine, RowLine, RunLog, Seconds, Status, Trigger,
};

/// A list of runs, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "Footbridge runs")]
pub struct RunsView {
    /// Always `footbridge runs-view/1`.
    #[schemars(extend("const" = "footbridge runs-view/1"))]
    pub format: String,
    /// The runs.
    pub runs: Vec<RunRow>,
    /// Run logs that cannot be read.
    pub unreadable: Vec<UnreadableRow>,
}

/// One run of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunRow {
    /// The run's id.
    pub id: String,
    /// The run log's file.
    pub path: String,
    /// The integration.
    pub integration: String,
    /// The report's name.
    pub report: String,
    /// The object's API name.
    pub object: String,
    /// The org's name.
    pub org: String,
    /// `sandbox` or `production`.
    pub environment: String,
    /// The org's id.
    pub org_id: String,
    /// What started it.
    pub trigger: Trigger,
    /// Start (UTC).
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub start: Timestamp,
    /// End minus start.
    pub run_time_seconds: Seconds,
    /// `Completed` or `Failed`.
    pub status: Status,
    /// Why it ended.
    pub exit: ExitReason,
    /// Report rows.
    pub rows: u64,
    /// Records that matched a row and could be judged.
    pub matched: u64,
    /// The record ledger.
    pub records: RecordCounts,
    /// API calls, planning included.
    pub calls: u64,
    /// Guards that held it back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<String>,
    /// Codes of what went wrong for the run as a whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<String>,
}

/// A run log that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnreadableRow {
    /// The file.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// Everything about one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "Footbridge run")]
pub struct RunView {
    /// Always `footbridge run-view/1`.
    #[schemars(extend("const" = "footbridge run-view/1"))]
    pub format: String,
    /// The run log, as in its file.
    pub run: RunLog,
    /// How every planned record ended.
    pub records: Vec<RecordLine>,
    /// Rows that could not be used, or not wholly.
    pub rows: Vec<RowLine>,
}

/// A list of runs.
pub fn table_json(runs: &[Listed]) -> String {
    let mut view = RunsView { format: "footbridge runs-view/1".to_owned(), runs: Vec::new(), unreadable: Vec::new() };
    for listed in runs {
        match listed {
            Listed::Run(run) => view.runs.push(RunRow {
                id: run.id.clone(),
                path: run.path.display().to_string(),
                integration: run.integration.clone(),
                report: run.report.clone(),
                object: run.object.as_str().to_owned(),
                org: run.org.clone(),
                environment: run.environment.as_str().to_owned(),
                org_id: run.org_id.as_str().to_owned(),
                trigger: run.trigger.clone(),
                start: run.start,
                run_time_seconds: run.run_time,
                status: run.status,
                exit: run.exit.clone(),
                rows: run.rows,
                matched: run.matched,
                records: run.records.clone(),
                calls: run.calls,
                held: run.held.clone(),
                codes: run.codes.clone(),
            }),
            Listed::Unreadable { path, reason } => {
                view.unreadable.push(UnreadableRow { path: path.display().to_string(), reason: reason.clone() });
            }
        }
    }
    json_text(&view)
}

/// [`RunView`] with lists that are made while they are written.
#[derive(Serialize)]
struct Streamed<'a, R, S> {
    format: &'a str,
    run: &'a RunLog,
    records: R,
    rows: S,
}

/// Everything about one run, its outcome lines read twice by `lines`: for the records, and for the rows.
///
/// # Errors
/// Writing, or reading the lines.
pub fn show_json<L: Iterator<Item = io::Result<OutcomesLine>>>(
    log: &RunLog,
    lines: impl Fn() -> io::Result<L>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let records = lines()?.filter_map(|line| match line {
        Ok(OutcomesLine::Record(record)) => Some(Ok(record)),
        Ok(_) => None,
        Err(problem) => Some(Err(problem)),
    });
    let rows = lines()?.filter_map(|line| match line {
        Ok(OutcomesLine::Row(row)) => Some(Ok(row)),
        Ok(_) => None,
        Err(problem) => Some(Err(problem)),
    });
    let view = Streamed { format: "footbridge run-view/1", run: log, records: Seq::new(records), rows: Seq::new(rows) };
    write_json(&view, out)
}
