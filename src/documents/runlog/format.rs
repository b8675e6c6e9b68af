//! The run log's format, version 1: what one YAML file under `runs/` says.
//!
//! Its types are its own, apart from the plan's: the plan may change its shape, files in git may not. Fields that a later version adds are passed
//! over when read.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::careful::{SecondLook, ValuesNote};
use super::counts::{CellCounts, RecordCounts, RowCounts};
use crate::model::{Digest, EnvironmentName, FieldName, ObjectName, OrgId};
use crate::plan::{ChangeKind, GuardName};

/// The format's version: `footbridge: 1`.
pub const VERSION: u32 = 1;
/// The format's kind: `kind: run`.
pub const KIND: &str = "run";

/// One run: an apply, or a scheduled apply that a guard stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "Footbridge run log")]
pub struct RunLog {
    /// The format's version.
    #[schemars(range(min = 1, max = 1))]
    pub footbridge: u32,
    /// Always `run`.
    #[schemars(extend("const" = "run"))]
    pub kind: String,
    /// The run's name: its start as `yyyy-mm-ddThhmmssZ`, with `-2` and so on where two runs started in one second. Also the file's name.
    pub id: String,
    /// `Completed` when nothing failed, is unknown or was left; `Failed` otherwise.
    pub status: Status,
    /// Why the run ended.
    pub exit: ExitReason,
    /// The integration's name.
    pub integration: String,
    /// The report.
    pub report: ReportFacts,
    /// The Salesforce object's API name.
    #[schemars(with = "String")]
    pub object: ObjectName,
    /// The org's name in `orgs.yaml`.
    pub org: String,
    /// The environment.
    #[schemars(with = "String", extend("enum" = ["sandbox", "production"]))]
    pub environment: EnvironmentName,
    /// The org's id, 18 characters.
    #[schemars(with = "String", regex(pattern = "^00D[0-9A-Za-z]{15}$"))]
    pub org_id: OrgId,
    /// The Salesforce user who ran it, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// What started the run.
    pub trigger: Trigger,
    /// The tick of the schedule (UTC) that a scheduled run is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub tick: Option<Timestamp>,
    /// Start, in UTC.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub start: Timestamp,
    /// End, in UTC.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub end: Timestamp,
    /// Run time in seconds: end minus start, to the millisecond.
    pub run_time_seconds: Seconds,
    /// Where every report row ended.
    pub rows: RowCounts,
    /// Where every cell of the matched records ended.
    pub cells: CellCounts,
    /// Where every planned record ended.
    pub records: RecordCounts,
    /// Records that matched a row and could be judged: the base of the guards on changes.
    pub matched: u64,
    /// Every mapped field, in the order of the mapping.
    pub fields: Vec<FieldTally>,
    /// Every guard with what it said.
    pub guards: Vec<GuardLine>,
    /// What the run was told to stop after, where it was.
    #[serde(default, skip_serializing_if = "StopsAfter::is_empty")]
    pub stops_after: StopsAfter,
    /// The longest time in seconds between reading a record again and sending its update, where one was sent: what nobody guards, since Salesforce
    /// has no lock for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_seconds: Option<Seconds>,
    /// API calls made, planning included. Of a run that was killed and finished by `apply --resume`: those since then.
    pub calls: CallCounts,
    /// Bulk jobs that the run made or took up, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jobs: Vec<JobLine>,
    /// API calls of the org's day, as Salesforce last said, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<Quota>,
    /// Digests of what went into the plan and what came out of it; absent where the run ended before there was a plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digests: Option<PlanDigests>,
    /// The commit that the configuration was read from, where the repository is one of git's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Configuration files differed from that commit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub uncommitted: bool,
    /// Versions.
    pub versions: Versions,
    /// The run that this one takes back (`footbridge undo`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo_of: Option<String>,
    /// Where the values are that the run found and wrote. Absent where nothing was to be sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<ValuesNote>,
    /// What the first records showed when they were read again (`--canary`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<SecondLook>,
    /// What planning again after the run showed (`--verify`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<SecondLook>,
    /// Records that were sent again after an answer was lost: they held their old values when they were read in between, so that Salesforce may have written
    /// them twice. The outcomes file marks each.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub resent: u64,
    /// What went wrong for the run as a whole; what went wrong for single records stands in the outcomes file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<RunProblem>,
    /// The outcomes file beside this one, by its name.
    pub outcomes: String,
}

/// How a run ended, in two words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Status {
    /// Nothing failed, is unknown or was left.
    Completed,
    /// Everything else.
    Failed,
}

impl Status {
    /// The word in files and on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Completed => "Completed",
            Status::Failed => "Failed",
        }
    }
}

/// Why a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExitReason {
    /// Every planned record was updated.
    Done,
    /// The plan was empty.
    NothingToDo,
    /// Some records failed, drifted, were left or are unknown.
    InPart,
    /// It stopped where it was told to (`--limit`, `--records`).
    Limited,
    /// A guard refused: nothing was sent.
    Guard,
    /// The plan no longer fitted the configuration, the report, the org or its fields: nothing was sent.
    Stale,
    /// Not authorised, or not the pinned org: nothing was sent.
    NotAuthorised,
    /// A person or the system stopped it.
    Interrupted,
    /// An error ended the run; see `problems`.
    Error,
    /// A reason that this version does not know.
    #[serde(untagged)]
    Other(String),
}

impl ExitReason {
    /// By the word in files.
    pub fn of(word: &str) -> Self {
        by_word(word).unwrap_or_else(|| ExitReason::Other(word.to_owned()))
    }

    /// The word in files.
    pub fn as_str(&self) -> &str {
        match self {
            ExitReason::Done => "done",
            ExitReason::NothingToDo => "nothing_to_do",
            ExitReason::InPart => "in_part",
            ExitReason::Limited => "limited",
            ExitReason::Guard => "guard",
            ExitReason::Stale => "stale",
            ExitReason::NotAuthorised => "not_authorised",
            ExitReason::Interrupted => "interrupted",
            ExitReason::Error => "error",
            ExitReason::Other(word) => word,
        }
    }

    /// For people.
    pub fn sentence(&self) -> &str {
        match self {
            ExitReason::Done => "every planned record was updated",
            ExitReason::NothingToDo => "there was nothing to change",
            ExitReason::InPart => "not every planned record was updated",
            ExitReason::Limited => "it stopped where it was told to",
            ExitReason::Guard => "a guard refused, and nothing was sent",
            ExitReason::Stale => "the plan was out of date, and nothing was sent",
            ExitReason::NotAuthorised => "not authorised, or not the pinned org, and nothing was sent",
            ExitReason::Interrupted => "it was interrupted",
            ExitReason::Error => "an error ended it",
            ExitReason::Other(word) => word,
        }
    }

    /// Did the run get as far as the org's records? Only such a run may serve as the base of `max_shrink`, or as an integration's first.
    pub fn carried_out(&self) -> bool {
        matches!(
            self,
            ExitReason::Done
                | ExitReason::NothingToDo
                | ExitReason::InPart
                | ExitReason::Limited
                | ExitReason::Interrupted
        )
    }
}

/// What started a run.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// `footbridge apply`, by a person or a job.
    Apply,
    /// `footbridge apply --resume`.
    Resume,
    /// The schedule.
    Schedule,
    /// `footbridge undo`.
    Undo,
    /// A trigger that this version does not know.
    #[serde(untagged)]
    Other(String),
}

impl Trigger {
    /// By the word in files.
    pub fn of(word: &str) -> Self {
        by_word(word).unwrap_or_else(|| Trigger::Other(word.to_owned()))
    }

    /// The word in files.
    pub fn as_str(&self) -> &str {
        match self {
            Trigger::Apply => "apply",
            Trigger::Resume => "resume",
            Trigger::Schedule => "schedule",
            Trigger::Undo => "undo",
            Trigger::Other(word) => word,
        }
    }
}

fn by_word<'w, T: Deserialize<'w>>(word: &'w str) -> Option<T> {
    let word: serde::de::value::BorrowedStrDeserializer<'w, serde::de::value::Error> =
        serde::de::value::BorrowedStrDeserializer::new(word);
    T::deserialize(word).ok()
}

/// A length of time, kept in milliseconds and written in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
#[schemars(with = "f64", extend("minimum" = 0))]
pub struct Seconds {
    /// Milliseconds.
    pub millis: u64,
}

impl Seconds {
    /// Of seconds; `None` for what is no length of time.
    pub fn of(seconds: f64) -> Option<Self> {
        (0.0..1e12).contains(&seconds).then(|| Self { millis: (seconds * 1000.0).round() as u64 })
    }

    /// From start to end; 0 if the clock went back.
    pub fn between(start: Timestamp, end: Timestamp) -> Self {
        Self { millis: u64::try_from(end.as_millisecond() - start.as_millisecond()).unwrap_or(0) }
    }
}

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.millis.is_multiple_of(1000) {
            serializer.serialize_u64(self.millis / 1000)
        } else {
            serializer.serialize_f64(self.millis as f64 / 1000.0)
        }
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        Self::of(seconds).ok_or_else(|| serde::de::Error::custom("a run time is a number of seconds, 0 or more"))
    }
}

/// The report, without anything from its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportFacts {
    /// The report's name.
    pub name: String,
    /// Where it came from; of a web address, what stands before the query.
    pub source: String,
    /// Its size in bytes, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Its own time (UTC), where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub modified: Option<Timestamp>,
    /// The names of its columns, in their order (the first 500): what the guard `column_vanished` compares with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
}

/// What was planned for one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldTally {
    /// API name.
    #[schemars(with = "String")]
    pub field: FieldName,
    /// The report column.
    pub column: String,
    /// Blank to a value.
    #[serde(default)]
    pub fill: u64,
    /// One value to another.
    #[serde(default)]
    pub overwrite: u64,
    /// A value to blank.
    #[serde(default)]
    pub clear: u64,
    /// Agreed already.
    #[serde(default)]
    pub same: u64,
    /// Kept, blank or by policy.
    #[serde(default)]
    pub kept: u64,
    /// Refused, by short word.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refused: BTreeMap<String, u64>,
    /// Report rows whose cell of the column is blank, where they were counted: what the guard `blanks_rose` compares with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blank: Option<u64>,
}

impl FieldTally {
    /// Changes of one kind.
    pub fn of(&self, kind: ChangeKind) -> u64 {
        match kind {
            ChangeKind::Fill => self.fill,
            ChangeKind::Overwrite => self.overwrite,
            ChangeKind::Clear => self.clear,
        }
    }
}

/// What a guard said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GuardLine {
    /// The guard's name, as in the configuration.
    pub name: String,
    /// What was counted.
    pub value: u64,
    /// Out of how many.
    pub base: u64,
    /// The limit as written: `5%` or `100`.
    pub limit: String,
    /// It was against the run.
    pub held: bool,
    /// A person waived it by name for this run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waived: bool,
}

impl GuardLine {
    /// The guard, unless this version does not know it.
    pub fn guard(&self) -> Option<GuardName> {
        GuardName::parse(&self.name)
    }
}

/// What the run was told to stop after.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StopsAfter {
    /// `--limit`: so many records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// `--records`: only those of a file, so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<u64>,
}

impl StopsAfter {
    /// Nothing was said.
    pub fn is_empty(&self) -> bool {
        self.limit.is_none() && self.records.is_none()
    }
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// API calls.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CallCounts {
    /// All, retries included.
    pub total: u64,
    /// Of these, retries.
    #[serde(default)]
    pub retries: u64,
    /// Of these, questions how far a bulk job is.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub polls: u64,
    /// Bulk jobs made, to read and to write.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub jobs: u64,
    /// Bytes of all answers, decompressed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub bytes_received: u64,
    /// By kind of call (`describe`, `query`, `update` …).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub by_kind: BTreeMap<String, u64>,
}

/// What became of a bulk job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JobLine {
    /// The job's id (`750…`), as Setup → Bulk Data Load Jobs shows it.
    pub id: String,
    /// Records that it was given.
    pub records: u64,
    /// Records that Salesforce dealt with, failed ones included, when it was last asked.
    pub processed: u64,
    /// Of these, failed.
    pub failed: u64,
    /// Seconds from its making, or its being taken up, to its end.
    pub seconds: Seconds,
    /// Where it stood when it was last asked for (`JobComplete`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Its results were not fetched: `apply --resume` does that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left: bool,
}

/// The org's API calls of the last 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Quota {
    /// Used, by everyone in the org.
    pub used: u64,
    /// Allowed.
    pub allowed: u64,
}

/// Digests (`sha256:` and 64 digits).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanDigests {
    /// Of the integration in its valid form.
    #[schemars(with = "String")]
    pub configuration: Digest,
    /// Of the report's bytes.
    #[schemars(with = "String")]
    pub report: Digest,
    /// Of the mapped fields' definitions in the org.
    #[schemars(with = "String")]
    pub definitions: Digest,
    /// Of everything that went into the plan.
    #[schemars(with = "String")]
    pub inputs: Digest,
    /// Of the plan's entries.
    #[schemars(with = "String")]
    pub changes: Digest,
}

/// Versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Versions {
    /// Footbridge.
    pub footbridge: String,
    /// Salesforce's API (`66.0`).
    pub api: String,
}

/// Something that went wrong for the run as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunProblem {
    /// Footbridge's code, or Salesforce's.
    pub code: String,
    /// What happened, without values of records.
    pub message: String,
    /// What was not done because of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_done: Option<String>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
