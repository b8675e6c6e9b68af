//! One job: what it was made with, where it stands, and how its info bodies look (recorded: `bulk2_ingest_update_and_query_lifecycle.json`).

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::super::clock::stored;
use super::super::faults::Action;
use super::super::people::User;
use super::super::store::moments::printed;
use super::delimited::{DELIMITERS, LineEnd};
use super::ingest::Work;
use super::prepared::Prepared;
use super::script::JobScript;

/// Ingest or query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// `jobs/ingest`.
    Ingest,
    /// `jobs/query`.
    Query,
}

impl Family {
    /// As in paths.
    pub fn path(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Query => "query",
        }
    }

    /// `jobType`.
    pub fn job_type(self) -> &'static str {
        match self {
            Self::Ingest => "V2Ingest",
            Self::Query => "V2Query",
        }
    }
}

/// `state`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Phase {
    /// Takes data.
    Open,
    /// Closed, not begun.
    UploadComplete,
    /// Under way.
    InProgress,
    /// Done, with or without failed rows.
    JobComplete,
    /// Ended by Salesforce.
    Failed,
    /// Ended by somebody.
    Aborted,
}

impl Phase {
    /// As bodies spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::UploadComplete => "UploadComplete",
            Self::InProgress => "InProgress",
            Self::JobComplete => "JobComplete",
            Self::Failed => "Failed",
            Self::Aborted => "Aborted",
        }
    }

    /// Nothing changes any more.
    pub fn is_over(self) -> bool {
        matches!(self, Self::JobComplete | Self::Failed | Self::Aborted)
    }
}

/// How the job's files are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// Between cells.
    pub delimiter: char,
    /// Between rows.
    pub line_end: LineEnd,
}

impl Dialect {
    /// From a job's spelling; comma and LF when nothing is said.
    pub fn of(delimiter: Option<&str>, line_end: Option<&str>) -> Option<Self> {
        let named = |name: &str| DELIMITERS.iter().find(|(known, _)| *known == name).map(|(_, c)| *c);
        Some(Self {
            delimiter: delimiter.map_or(Some(','), named)?,
            line_end: line_end.map_or(Some(LineEnd::Lf), LineEnd::of)?,
        })
    }

    fn delimiter_name(self) -> &'static str {
        DELIMITERS.iter().find(|(_, c)| *c == self.delimiter).map_or("COMMA", |(name, _)| name)
    }
}

/// The files of a job that is over.
#[derive(Clone)]
pub struct Files {
    /// First line of the user's own columns; a query's header.
    pub header: String,
    /// successfulResults, or a query's result.
    pub done: Arc<Prepared>,
    /// failedResults.
    pub failed: Arc<Prepared>,
    /// unprocessedrecords.
    pub left: Arc<Prepared>,
}

impl Files {
    /// No rows at all.
    pub fn none(header: String) -> Self {
        let empty = || Arc::new(Prepared::empty());
        Self { header, done: empty(), failed: empty(), left: empty() }
    }
}

/// A job.
pub struct Job {
    /// 18 characters.
    pub id: String,
    /// Ingest or query.
    pub family: Family,
    /// Canonical name of the object.
    pub object: String,
    /// Who made it.
    pub user: User,
    /// API version that it was made with.
    pub version: String,
    /// When.
    pub created: Timestamp,
    /// When something last happened to it.
    pub modified: Timestamp,
    /// Where it stands, as far as clients have been told.
    pub phase: Phase,
    /// How it will end: set when its work is done, told when nothing holds it any more.
    pub end: Option<Phase>,
    /// `errorMessage`.
    pub error: Option<String>,
    /// How its files are written.
    pub dialect: Dialect,
    /// A query's text.
    pub query: String,
    /// What was uploaded.
    pub upload: Option<Arc<Vec<u8>>>,
    /// When it was closed.
    pub closed: Option<Instant>,
    /// Rows processed, failed ones included.
    pub processed: usize,
    /// Rows failed.
    pub failed: usize,
    /// Polls so far.
    pub polls: u32,
    /// A thread works on it.
    pub working: bool,
    /// What is left of an ingest job's work while no thread has it.
    pub work: Option<Work>,
    /// Its files.
    pub files: Option<Files>,
    /// What fault scripts do to it.
    pub script: JobScript,
    /// What fault scripts do to its rows.
    pub row_faults: Vec<Action>,
}

/// A job as tests and the admin page see it.
#[derive(Debug, Clone, Serialize)]
pub struct JobSeen {
    /// 18 characters.
    pub id: String,
    /// Ingest or query.
    pub family: Family,
    /// The object.
    pub object: String,
    /// Id of the user who made it.
    pub created_by: String,
    /// `state`, as clients have been told.
    pub state: &'static str,
    /// Rows processed.
    pub processed: usize,
    /// Rows failed.
    pub failed: usize,
    /// `errorMessage`.
    pub error: Option<String>,
    /// How often it was polled.
    pub polls: u32,
    /// A query's text.
    pub query: String,
    /// What was uploaded, as text (not of large ones that are over).
    pub upload: Option<String>,
}

impl Job {
    /// Is it under way: closed, and not over?
    pub fn is_under_way(&self) -> bool {
        matches!(self.phase, Phase::UploadComplete | Phase::InProgress)
    }

    /// What tests see.
    pub fn seen(&self) -> JobSeen {
        JobSeen {
            id: self.id.clone(),
            family: self.family,
            object: self.object.clone(),
            created_by: self.user.id.clone(),
            state: self.phase.name(),
            processed: self.processed,
            failed: self.failed,
            error: self.error.clone(),
            polls: self.polls,
            query: self.query.clone(),
            upload: self.upload.as_ref().map(|u| String::from_utf8_lossy(u).into_owned()),
        }
    }

    /// What every body says.
    pub fn short(&self) -> Map<String, Value> {
        let at = |moment: Timestamp| printed(&stored(moment));
        let version: f64 = self.version.parse().unwrap_or_default();
        let operation = if self.family == Family::Query { "query" } else { "update" };
        let body = json!({
            "id": self.id,
            "operation": operation,
            "object": self.object,
            "createdById": self.user.id,
            "createdDate": at(self.created),
            "systemModstamp": at(self.modified),
            "state": self.phase.name(),
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": version,
        });
        body.as_object().cloned().unwrap_or_default()
    }

    fn with_dialect(&self, mut body: Map<String, Value>) -> Map<String, Value> {
        body.insert("lineEnding".to_owned(), self.dialect.line_end.name().into());
        body.insert("columnDelimiter".to_owned(), self.dialect.delimiter_name().into());
        if self.family == Family::Ingest && self.phase == Phase::Open {
            // Without the leading slash that other URLs have (recorded).
            let url = format!("services/data/v{}/jobs/ingest/{}/batches", self.version, self.id);
            body.insert("contentUrl".to_owned(), url.into());
        }
        body
    }

    /// The reply of its creation.
    pub fn made(&self) -> Map<String, Value> {
        self.with_dialect(self.short())
    }

    /// As lists show it.
    pub fn listed(&self) -> Map<String, Value> {
        let mut body = self.made();
        body.insert("jobType".to_owned(), self.family.job_type().into());
        body
    }

    /// The whole info.
    pub fn full(&self) -> Map<String, Value> {
        let mut body = self.listed();
        let mut put = |key: &str, value: Value| {
            body.insert(key.to_owned(), value);
        };
        let spent = (self.processed / 20).max(usize::from(self.processed > 0));
        put("retries", json!(0));
        put("totalProcessingTime", json!(spent * 2));
        if self.family == Family::Query {
            put("numberRecordsProcessed", json!(self.processed));
            if self.version.parse::<f64>().is_ok_and(|v| v >= 58.0) {
                put("isPkChunkingSupported", json!(true));
            }
        } else {
            put("apiActiveProcessingTime", json!(spent));
            put("apexProcessingTime", json!(0));
            // Both are absent until data is put (recorded).
            if self.upload.is_some() || self.phase != Phase::Open {
                put("numberRecordsProcessed", json!(self.processed));
                put("numberRecordsFailed", json!(self.failed));
            }
        }
        if let Some(error) = self.error.as_ref().filter(|_| self.phase == Phase::Failed) {
            put("errorMessage", json!(error));
        }
        body
    }
}
