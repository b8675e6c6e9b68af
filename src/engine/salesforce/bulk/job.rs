//! A job as Salesforce tells of it. Bodies are of several lengths: the answer to `UploadComplete` ends after `apiVersion`, counters are missing until data
//! was put, and the version is a number (recording `bulk2_ingest_update_and_query_lifecycle.json`).

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{ObjectName, RecordId};
use crate::salesforce::SalesforceError;
use crate::salesforce::answer::malformed;
use crate::salesforce::error::{MESSAGE_LIMIT, clip};

/// A job's id (prefix `750`), which may stand in a URL.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct JobId(RecordId);

impl JobId {
    /// Reads a job's id, of 15 or 18 characters; anything else is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        RecordId::parse(text).ok().filter(|id| id.prefix() == "750").map(Self)
    }

    /// The 18 characters.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for JobId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        JobId::parse(&text).ok_or_else(|| serde::de::Error::custom("not the id of a job (750…)"))
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum JobState {
    /// Waits for its data (ingest only).
    Open,
    /// Has its data, or its query, and waits for its turn.
    UploadComplete,
    /// At work.
    InProgress,
    /// Over. Records may have failed all the same.
    JobComplete,
    /// Over: the job itself failed. Records may have been written before.
    Failed,
    /// Over: somebody stopped it. Records may have been written before.
    Aborted,
}

impl JobState {
    /// As Salesforce writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            JobState::Open => "Open",
            JobState::UploadComplete => "UploadComplete",
            JobState::InProgress => "InProgress",
            JobState::JobComplete => "JobComplete",
            JobState::Failed => "Failed",
            JobState::Aborted => "Aborted",
        }
    }

    /// Will nothing more happen?
    pub fn is_over(self) -> bool {
        matches!(self, JobState::JobComplete | JobState::Failed | JobState::Aborted)
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What Salesforce tells of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobInfo {
    /// The job.
    pub id: JobId,
    /// Its object.
    pub object: ObjectName,
    /// `update`, `query`, …
    pub operation: String,
    /// Where it stands.
    pub state: JobState,
    /// Records dealt with, failed ones included; not told before data was put.
    pub processed: Option<u64>,
    /// Records that failed (ingest only); not told before data was put.
    pub failed: Option<u64>,
    /// Why the job itself failed, in Salesforce's words.
    pub error_message: Option<String>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// Who made it.
    pub created_by: Option<RecordId>,
    /// `LF` or `CRLF`, where told.
    pub line_ending: Option<String>,
    /// How often Salesforce tried again.
    pub retries: Option<u64>,
    /// Milliseconds of work, as Salesforce counts them.
    pub processing_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    id: JobId,
    object: String,
    operation: String,
    state: JobState,
    number_records_processed: Option<u64>,
    number_records_failed: Option<u64>,
    error_message: Option<String>,
    created_date: Option<String>,
    created_by_id: Option<String>,
    line_ending: Option<String>,
    retries: Option<u64>,
    total_processing_time: Option<u64>,
}

impl Wire {
    fn read(self) -> JobInfo {
        JobInfo {
            id: self.id,
            object: ObjectName::from(self.object.as_str()),
            operation: self.operation,
            state: self.state,
            processed: self.number_records_processed,
            failed: self.number_records_failed,
            error_message: self.error_message.filter(|text| !text.is_empty()).map(|text| clip(&text, MESSAGE_LIMIT)),
            created: self.created_date.as_deref().and_then(moment),
            created_by: self.created_by_id.and_then(|id| RecordId::parse(&id).ok()),
            line_ending: self.line_ending,
            retries: self.retries,
            processing_ms: self.total_processing_time,
        }
    }
}

/// `2021-08-31T01:31:13.000+0000`.
fn moment(text: &str) -> Option<Timestamp> {
    Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text).ok().or_else(|| text.parse().ok())
}

/// Reads what Salesforce tells of one job.
pub(crate) fn decode_job(body: &[u8]) -> Result<JobInfo, SalesforceError> {
    let wire: Wire = serde_json::from_slice(body).map_err(|error| malformed("a bulk job", error))?;
    Ok(wire.read())
}

/// One page of a list of jobs.
#[derive(Debug)]
pub(crate) struct JobPage {
    pub(crate) jobs: Vec<JobInfo>,
    pub(crate) next: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageWire<'a> {
    done: bool,
    #[serde(borrow)]
    records: Vec<&'a serde_json::value::RawValue>,
    next_records_url: Option<String>,
}

/// Reads a page of the list of jobs. Jobs of kinds that this version does not know (of Bulk API 1.0, with states of its own) are passed over.
pub(crate) fn decode_jobs(body: &[u8]) -> Result<JobPage, SalesforceError> {
    let page: PageWire<'_> = serde_json::from_slice(body).map_err(|error| malformed("the list of bulk jobs", error))?;
    let read = |raw: &&serde_json::value::RawValue| serde_json::from_str::<Wire>(raw.get()).ok().map(Wire::read);
    let jobs = page.records.iter().filter_map(read).collect();
    let next = page.next_records_url.filter(|next| !page.done && !next.is_empty());
    if !page.done && next.is_none() {
        return Err(malformed("the list of bulk jobs", "it is not done, and no next page is named"));
    }
    Ok(JobPage { jobs, next })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_a_job_begins_with_750() {
        assert_eq!(JobId::parse("7503h00000CV7Gp").unwrap().as_str(), "7503h00000CV7GpAAL");
        for bad in ["7503h00000CV7GpAAM", "00Q3h00000CV7Gp", "", "750/../../x", "7503h00000CV7G"] {
            assert_eq!(JobId::parse(bad), None, "{bad}");
        }
    }

    #[test]
    #[allow(clippy::disallowed_methods)] // Only tests look for the recordings this way.
    fn every_recorded_form_is_read() {
        let Ok(folder) = std::env::var("FOOTBRIDGE_RECORDINGS") else {
            eprintln!("FOOTBRIDGE_RECORDINGS is not set: the recorded jobs were left out");
            return;
        };
        let read = |name: &str| std::fs::read(std::path::Path::new(&folder).join(name)).unwrap();
        let steps: Vec<serde_json::Value> =
            serde_json::from_slice(&read("bulk2_ingest_update_and_query_lifecycle.json")).unwrap();
        let jobs: Vec<JobInfo> =
            steps.iter().map(|step| decode_job(step["body"].to_string().as_bytes()).unwrap()).collect();
        let told: Vec<_> = jobs.iter().map(|j| (j.state.as_str(), j.processed, j.failed)).collect();
        assert_eq!(
            told,
            [
                ("Open", None, None),
                ("Open", None, None),
                ("Open", Some(0), Some(0)),
                ("UploadComplete", None, None),
                ("InProgress", Some(4), Some(0)),
                ("JobComplete", Some(4), Some(0)),
                ("UploadComplete", None, None),
                ("InProgress", Some(0), None),
                ("JobComplete", Some(5), None),
            ]
        );
        assert_eq!(jobs[0].created.unwrap().to_string(), "2021-08-31T01:31:13Z");
        assert_eq!(jobs[0].created_by, RecordId::parse("0053h000002xQ5sAAE").ok());
        assert_eq!((jobs[5].processing_ms, jobs[5].line_ending.as_deref()), (Some(170), Some("LF")));
        for name in ["bulk2_list_ingest_jobs.json", "bulk2_list_query_jobs.json"] {
            let page = decode_jobs(&read(name)).unwrap();
            assert!(!page.jobs.is_empty() && page.next.is_none(), "{name}");
        }
    }

    #[test]
    fn a_list_goes_on_as_long_as_it_is_not_done() {
        let page = |done: bool, next: &str| {
            let job = r#"{"id":"7503h00000CV7GpAAL","operation":"update","object":"Lead","state":"Open"}"#;
            let old = r#"{"id":"7503h00000CV7GpAAL","operation":"update","object":"Lead","state":"Closed"}"#;
            decode_jobs(format!(r#"{{"done":{done},"records":[{job},{old}],"nextRecordsUrl":{next}}}"#).as_bytes())
        };
        assert_eq!(page(true, "null").unwrap().jobs.len(), 1, "a job of another API is passed over");
        assert_eq!(page(false, "\"/services/x\"").unwrap().next.as_deref(), Some("/services/x"));
        assert_eq!(page(true, "\"/services/x\"").unwrap().next, None);
        assert!(page(false, "null").is_err());
    }

    #[test]
    fn what_is_no_job_is_an_error() {
        for body in ["{}", "[]", r#"{"id":"750","operation":"update","object":"Lead","state":"Open"}"#, ""] {
            assert!(decode_job(body.as_bytes()).is_err(), "{body}");
        }
    }
}
