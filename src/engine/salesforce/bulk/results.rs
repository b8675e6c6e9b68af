//! The results of an ingest job: files in any order, joined back by record id. `sf__Error` reads `CODE:message:fields --`.

use std::collections::HashSet;

use super::JobId;
use super::csv::Coming;
use super::pages::locator;
use crate::model::RecordId;
use crate::salesforce::answer::malformed;
use crate::salesforce::client::Call;
use crate::salesforce::error::{MESSAGE_LIMIT, clip};
use crate::salesforce::{Client, ErrorCode, Fault, RecordError, SalesforceError, encode_query};
use crate::table::Row;

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
        let path = self.path(&format!("jobs/ingest/{job}{}", which.resource()));
        let (mut target, mut known) = (path.clone(), HashSet::new());
        let mut rows = 0;
        loop {
            let mut call = Call::get(target);
            call.headers.push(("accept", "text/csv"));
            let (head, pieces) = self.open(&call).await?;
            let (header, mut coming) = Coming::open(pieces, WHAT).await?;
            let Some(header) = header else { return Err(malformed(WHAT, "it has no header")) };
            let columns = Columns::of(&header, which)?;
            while let Some(block) = coming.next().await? {
                for row in block.iter() {
                    on_row(columns.read(row));
                }
                rows += block.rows() as u64;
            }
            // Nowhere said of ingest jobs, and heeded all the same: a file that goes on elsewhere is not over.
            match locator(&head) {
                None => return Ok(rows),
                Some(locator) if !known.insert(locator.clone()) => {
                    return Err(malformed(WHAT, "a page names one that was read already"));
                }
                Some(locator) => target = format!("{path}?locator={}", encode_query(&locator)),
            }
        }
    }
}

const WHAT: &str = "the results of a bulk job";

/// Where the cells stand that matter, found by name in any case.
struct Columns {
    /// `sf__Id`, and the `Id` that was sent.
    ids: [Option<usize>; 2],
    error: Option<usize>,
}

impl Columns {
    fn of(header: &[String], which: Results) -> Result<Self, SalesforceError> {
        let find = |name: &str| header.iter().position(|h| h.trim_start_matches('\u{feff}').eq_ignore_ascii_case(name));
        let columns = Self { ids: [find("sf__Id"), find("Id")], error: find("sf__Error") };
        let error = columns.error.is_some() == (which == Results::Failed);
        match columns.ids {
            [None, None] => Err(malformed(WHAT, "it has no column of ids")),
            _ if !error => Err(malformed(WHAT, "it is another of the job's files than was asked for")),
            _ => Ok(columns),
        }
    }

    fn read(&self, row: Row<'_>) -> IngestResult {
        let text = |column: usize| String::from_utf8_lossy(row.cell(column));
        let told: Vec<_> = self.ids.iter().flatten().map(|&column| text(column)).filter(|id| !id.is_empty()).collect();
        // On failures `sf__Id` may be empty; where both are there, they are one and the same.
        let id = match told.as_slice() {
            [one] => RecordId::parse(one).ok(),
            [one, other] => RecordId::parse(one).ok().filter(|id| RecordId::parse(other) == Ok(*id)),
            _ => None,
        };
        let id = id.map_or_else(|| RowId::Unreadable(clip(&told.join(" / "), 80)), RowId::Record);
        IngestResult { id, error: self.error.map(|column| parse_error(&text(column))) }
    }
}

/// Reads `CODE:message:fields --`. The message may hold colons; the last part names fields only where it looks like names.
pub(crate) fn parse_error(text: &str) -> RecordError {
    let (code, rest) = text.split_once(':').unwrap_or(("", text));
    let is_code = !code.is_empty() && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    let (code, rest) = if is_code { (code, rest) } else { ("(no code)", text) };
    // Only what ends with the mark names its fields.
    let (rest, marked) = match rest.trim_end().strip_suffix("--") {
        Some(rest) => (rest.trim_end(), true),
        None => (rest, false),
    };
    let is_name = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.".contains(&b));
    let (message, fields) = match rest.rsplit_once(':') {
        Some((message, names)) if marked && names.split(',').all(|name| is_name(name.trim())) => (message, names),
        _ => (rest, ""),
    };
    let fields = fields.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    RecordError::of(vec![Fault { code: ErrorCode::parse(code), message: clip(message.trim(), MESSAGE_LIMIT), fields }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_read_as_code_message_and_fields() {
        let table: &[(&str, &str, &str, &[&str])] = &[
            (
                "INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--",
                "INVALID_CROSS_REFERENCE_KEY",
                "invalid cross reference id",
                &[],
            ),
            (
                "REQUIRED_FIELD_MISSING:Required fields are missing: [Industry]:Industry --",
                "REQUIRED_FIELD_MISSING",
                "Required fields are missing: [Industry]",
                &["Industry"],
            ),
            (
                "FIELD_CUSTOM_VALIDATION_EXCEPTION:Say: why, when:A__c,B__c --",
                "FIELD_CUSTOM_VALIDATION_EXCEPTION",
                "Say: why, when",
                &["A__c", "B__c"],
            ),
            (
                "STRING_TOO_LONG:Topic: too large: a:b (max length=25):--",
                "STRING_TOO_LONG",
                "Topic: too large: a:b (max length=25)",
                &[],
            ),
            (
                "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access: 00Q000000000001:--",
                "UNABLE_TO_LOCK_ROW",
                "unable to obtain exclusive access: 00Q000000000001",
                &[],
            ),
            ("something else: altogether", "(no code)", "something else: altogether", &[]),
            ("", "(no code)", "", &[]),
        ];
        for (text, code, message, fields) in table {
            let error = parse_error(text);
            assert_eq!((error.code.as_str(), error.message.as_str()), (*code, *message), "{text}");
            assert_eq!(error.fields, *fields, "{text}");
        }
        assert!(parse_error("UNABLE_TO_LOCK_ROW:x:--").retry);
        assert!(!parse_error("STRING_TOO_LONG:x:--").retry);
    }
}
