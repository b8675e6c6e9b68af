//! The results of an ingest job: files in any order, joined back by record id. `sf__Error` reads `CODE:message:fields --`.

use super::JobId;
use crate::model::RecordId;
use crate::salesforce::client::Call;
use crate::salesforce::{Client, ErrorCode, Fault, RecordError, SalesforceError};

/// Which results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Results {
    /// Records that were written.
    Successful,
    /// Records that were not written, with the reason.
    Failed,
    /// Records of a job that ended before it came to them: not written.
    Unprocessed,
}

impl Results {
    fn resource(self) -> &'static str {
        match self {
            Results::Successful => "/successfulResults/",
            Results::Failed => "/failedResults/",
            Results::Unprocessed => "/unprocessedrecords/",
        }
    }
}

/// Whose result it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowId {
    /// A record.
    Record(RecordId),
    /// Text that is no id of a record, of limited length.
    Unreadable(String),
}

/// One row of a result file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IngestResult {
    /// The record.
    pub id: RowId,
    /// Why it was not written; only among the failed.
    pub error: Option<RecordError>,
}

impl Client {
    /// Reads one of a job's three result files, row by row as it comes; returns the number of rows. Rows come in any order.
    ///
    /// # Errors
    /// Whatever breaks the file off, or makes it something other than such a file: rows that were handed over before count for nothing then, and the file
    /// is to be read again from its start. Whether the file is complete the caller checks against the job's counters.
    pub async fn ingest_results(
        &self,
        job: &JobId,
        which: Results,
        on_row: &mut (dyn FnMut(IngestResult) + Send),
    ) -> Result<u64, SalesforceError> {
        let _ = (job, which, on_row, Call::get(self.path(which.resource())));
        Err(SalesforceError::Request { detail: "reading results is being built".to_owned() })
    }
}

/// Reads `CODE:message:fields --`. The message may hold colons; the last part names fields only where it looks like names.
pub(crate) fn parse_error(text: &str) -> RecordError {
    let (code, rest) = text.split_once(':').unwrap_or(("", text));
    let is_code = !code.is_empty() && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    let (code, rest) = if is_code { (code, rest) } else { ("(no code)", text) };
    let rest = rest.trim_end();
    let rest = rest.strip_suffix("--").map_or(rest, str::trim_end);
    let is_name = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.".contains(&b));
    let (message, fields) = match rest.rsplit_once(':') {
        Some((message, names)) if names.split(',').all(|name| is_name(name.trim())) => (message, names),
        _ => (rest, ""),
    };
    let fields = fields.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    RecordError::of(vec![Fault { code: ErrorCode::parse(code), message: message.trim().to_owned(), fields }])
}
