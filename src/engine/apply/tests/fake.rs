//! An org in memory, with faults.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::Duration;

use serde_json::Value;

use bytes::Bytes;
use tokio::sync::mpsc::Receiver;

use super::Memory;
use super::fake_jobs::{FakeJob, Fate};
use super::plans::{FIELDS, id, value};
use crate::apply::Canceller;
use crate::apply::journal::Line;
use crate::apply::org::{
    CallFailure, Class, Fault, JobRow, Org, RecordError, RecordOutcome, RecordUpdate, Rows, StopKind,
};
use crate::model::{FieldName, ObjectName, RecordId};
use crate::salesforce::{JobId, JobInfo, JobState, Results};

/// What happens to one update call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    None,
    NotSent,
    Busy,
    LostBefore,
    LostAfter,
    /// It arrives only with the next update, when its records have been looked at and hold their old values.
    LostLate,
    /// Written in part only, as when Salesforce itself falls over.
    LostHalf,
    HangBefore,
    HangAfter,
    Short,
    Stop(StopKind),
    /// This call cannot work, whatever is in it.
    Wrong,
}

pub type Cells = BTreeMap<String, Option<String>>;

/// What is in the org.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    pub records: BTreeMap<RecordId, Cells>,
    /// How often each record was written.
    pub writes: BTreeMap<RecordId, u32>,
    /// How often each cannot be locked yet.
    pub locks: BTreeMap<RecordId, u32>,
    /// Its jobs, by their ids.
    pub jobs: BTreeMap<JobId, FakeJob>,
}

#[derive(Default)]
pub struct FakeOrg {
    pub state: RefCell<State>,
    /// A rule of the org refuses these.
    pub refused: HashSet<RecordId>,
    /// Salesforce cannot read a call with one of these in it.
    pub poison: HashSet<RecordId>,
    /// By update call.
    pub updates: RefCell<VecDeque<Trouble>>,
    /// Sent, and not yet arrived.
    pub late: RefCell<Vec<RecordUpdate>>,
    /// What has arrived late.
    pub came_late: RefCell<HashSet<RecordId>>,
    /// By read call.
    pub reads: RefCell<VecDeque<Option<Fault>>>,
    /// Somebody changes a record's first field just before this read call, unless it was written.
    pub drift: RefCell<HashMap<usize, Vec<RecordId>>>,
    pub drifted: RefCell<HashSet<RecordId>>,
    /// Drifted records that were read since, before they were written, and so were known to have drifted.
    pub seen: RefCell<HashSet<RecordId>>,
    /// The word to stop comes during this call (reads and updates counted together).
    pub cancel: RefCell<Option<(usize, Canceller)>>,
    pub calls: Cell<usize>,
    pub read_calls: Cell<usize>,
    /// Records of each update call.
    pub sizes: RefCell<Vec<usize>>,
    /// Records of each read call.
    pub read_sizes: RefCell<Vec<usize>>,
    pub clock: Cell<Duration>,
    pub read_takes: Cell<Duration>,
    pub update_takes: Cell<Duration>,
    /// When each update was sent.
    pub sent_at: RefCell<Vec<Duration>>,
    /// Checked before every update; its length then, and the org before and after.
    pub journal: RefCell<Option<Memory>>,
    pub keeps_snapshots: Cell<bool>,
    pub snapshots: RefCell<Vec<(usize, State, State)>>,
    /// What becomes of each new job.
    pub fates: RefCell<VecDeque<Fate>>,
    /// By call that makes, fills, closes or stops a job.
    pub job_calls: RefCell<VecDeque<Trouble>>,
    /// By call that asks for a job or its results.
    pub job_asks: RefCell<VecDeque<Option<Fault>>>,
    /// Every call for a job, by a short word.
    pub job_log: RefCell<Vec<&'static str>>,
    /// The lines of each upload, the header first.
    pub uploads: RefCell<Vec<Vec<Vec<String>>>>,
}

pub fn later(code: &str) -> Fault {
    Fault { class: Class::Later(None), code: code.into(), message: "later, perhaps".into() }
}

pub fn lock_error() -> RecordError {
    RecordError {
        code: "UNABLE_TO_LOCK_ROW".into(),
        message: "unable to obtain exclusive access to this record".into(),
        fields: Vec::new(),
        retry: true,
        stop: None,
    }
}

fn refusal(code: &str, message: &str) -> RecordError {
    RecordError { code: code.into(), message: message.into(), fields: vec!["Text__c".into()], retry: false, stop: None }
}

impl FakeOrg {
    /// With the records of [`super::plans::plan`], and two that are in no plan.
    pub fn new(records: usize) -> Self {
        let org = Self::default();
        for number in 0..records + 2 {
            let mut cells: Cells = FIELDS
                .iter()
                .enumerate()
                .map(|(field, (name, _))| ((*name).to_owned(), value(field, number, false)))
                .collect();
            cells.insert("Other__c".into(), Some("untouched".into()));
            org.state.borrow_mut().records.insert(id(number), cells);
        }
        org
    }

    pub fn cell(&self, number: usize, field: &str) -> Option<String> {
        self.state.borrow().records[&id(number)][field].clone()
    }

    pub fn change(&self, number: usize, field: &str, value: &str) {
        self.state.borrow_mut().records.get_mut(&id(number)).unwrap().insert(field.into(), Some(value.into()));
    }

    pub fn count(&self) {
        let call = self.calls.get();
        self.calls.set(call + 1);
        if let Some((at, canceller)) = &*self.cancel.borrow()
            && *at == call
        {
            canceller.cancel();
        }
    }

    /// Writes one record by collections.
    fn write(&self, record: &RecordUpdate) -> RecordOutcome {
        let body = [b"{", &record.members[..], b"}"].concat();
        let Ok(Value::Object(members)) = serde_json::from_slice(&body) else { panic!("no JSON: {body:?}") };
        let cells = members.into_iter().map(|(name, value)| {
            let value = match value {
                Value::Null => None,
                Value::String(text) => Some(text),
                other => Some(other.to_string()),
            };
            (name, value)
        });
        self.save(record.id, cells.collect())
    }

    /// Writes one record, by whatever way.
    pub fn save(&self, record: RecordId, changes: Vec<(String, Option<String>)>) -> RecordOutcome {
        let mut state = self.state.borrow_mut();
        if let Some(locks) = state.locks.get_mut(&record).filter(|n| **n > 0) {
            *locks -= 1;
            return RecordOutcome::Failed(lock_error());
        }
        if self.refused.contains(&record) {
            return RecordOutcome::Failed(refusal("FIELD_CUSTOM_VALIDATION_EXCEPTION", "not on a Friday"));
        }
        let Some(cells) = state.records.get_mut(&record) else {
            return RecordOutcome::Failed(refusal("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"));
        };
        for (name, value) in changes {
            assert!(cells.insert(name, value).is_some(), "a field that the object does not have");
        }
        *state.writes.entry(record).or_default() += 1;
        RecordOutcome::Updated
    }

    /// Nothing is sent before its intent is on disk.
    fn check_journal(&self, records: &[RecordUpdate]) -> usize {
        let journal = self.journal.borrow();
        let Some(journal) = &*journal else { return 0 };
        let length = journal.bytes.borrow().len();
        assert_eq!(journal.synced.get(), length, "the intent is not on disk");
        let bytes = journal.bytes.borrow();
        let last = bytes.split_inclusive(|b| *b == b'\n').next_back().unwrap_or_default();
        let Ok(Line::Intent { records: ids, .. }) = serde_json::from_slice(last) else {
            panic!("no intent before a call")
        };
        assert!(ids.iter().eq(records.iter().map(|r| &r.id)));
        length
    }
}

impl Org for FakeOrg {
    async fn read(&self, object: &ObjectName, ids: &[RecordId], fields: &[FieldName]) -> Result<Rows, Fault> {
        assert_eq!(object.as_str(), "Lead");
        assert!(!ids.is_empty() && ids.len() <= 2_000);
        self.count();
        let call = self.read_calls.get();
        self.read_calls.set(call + 1);
        self.read_sizes.borrow_mut().push(ids.len());
        for record in self.drift.borrow().get(&call).into_iter().flatten() {
            let mut state = self.state.borrow_mut();
            if !state.writes.contains_key(record)
                && let Some(cells) = state.records.get_mut(record)
            {
                for (field, (name, _)) in FIELDS.iter().enumerate() {
                    cells.insert((*name).into(), Some(["theirs", "-7", "false"][field].into()));
                }
                self.drifted.borrow_mut().insert(*record);
            }
        }
        self.clock.set(self.clock.get() + self.read_takes.get());
        if let Some(Some(fault)) = self.reads.borrow_mut().pop_front() {
            return Err(fault);
        }
        let mut rows = Rows::new();
        let state = self.state.borrow();
        for id in ids {
            if let Some(cells) = state.records.get(id) {
                if self.drifted.borrow().contains(id) && !state.writes.contains_key(id) {
                    self.seen.borrow_mut().insert(*id);
                }
                rows.push(*id, fields.iter().map(|f| cells[f.as_str()].as_deref().unwrap_or_default().as_bytes()));
            }
        }
        Ok(rows)
    }

    async fn update(&self, object: &ObjectName, records: &[RecordUpdate]) -> Result<Vec<RecordOutcome>, CallFailure> {
        assert_eq!(object.as_str(), "Lead");
        assert!(!records.is_empty() && records.len() <= 200);
        let length = self.check_journal(records);
        let before = self.keeps_snapshots.get().then(|| self.state.borrow().clone());
        self.count();
        self.sent_at.borrow_mut().push(self.clock.get());
        self.sizes.borrow_mut().push(records.len());
        self.clock.set(self.clock.get() + self.update_takes.get());
        let trouble = self.updates.borrow_mut().pop_front().unwrap_or(Trouble::None);
        let late = std::mem::take(&mut *self.late.borrow_mut());
        if !late.iter().any(|r| self.poison.contains(&r.id)) {
            late.iter().for_each(|record| _ = self.write(record));
            self.came_late.borrow_mut().extend(late.iter().map(|record| record.id));
        }
        let poisoned = records.iter().any(|r| self.poison.contains(&r.id));
        let lost = || CallFailure::Unknown(later("CONNECTION"));
        let write = |some: &[RecordUpdate]| some.iter().map(|r| self.write(r)).collect::<Vec<_>>();
        let bad = Fault { class: Class::Body, code: "JSON_PARSER_ERROR".into(), message: "at [line:1]".into() };
        let answer = match trouble {
            Trouble::NotSent => Err(CallFailure::NotSent(later("CONNECTION"))),
            Trouble::Busy => Err(CallFailure::Refused(later("SERVER_UNAVAILABLE"))),
            Trouble::Stop(kind) => {
                let fault = Fault { class: Class::Stop(kind), code: "STOP".into(), message: "no more today".into() };
                Err(CallFailure::Refused(fault))
            }
            Trouble::Wrong => {
                let message = "sObject type 'Lead' is not supported".into();
                Err(CallFailure::Refused(Fault { class: Class::Call, code: "INVALID_TYPE".into(), message }))
            }
            Trouble::LostBefore => Err(lost()),
            Trouble::LostLate => {
                *self.late.borrow_mut() = records.to_vec();
                Err(lost())
            }
            Trouble::HangBefore => Ok(None),
            _ if poisoned => Err(CallFailure::Refused(bad)),
            Trouble::LostAfter => {
                write(records);
                Err(lost())
            }
            Trouble::LostHalf => {
                write(&records[..records.len() / 2]);
                Err(lost())
            }
            Trouble::HangAfter => {
                write(records);
                Ok(None)
            }
            Trouble::Short => Ok(Some(write(&records[..records.len() / 2]))),
            Trouble::None => Ok(Some(write(records))),
        };
        if let Some(before) = before {
            self.snapshots.borrow_mut().push((length, before, self.state.borrow().clone()));
        }
        match answer {
            Ok(None) => std::future::pending().await,
            Ok(Some(outcomes)) => Ok(outcomes),
            Err(failure) => Err(failure),
        }
    }

    async fn create_job(&self, object: &ObjectName) -> Result<JobInfo, CallFailure> {
        assert_eq!(object.as_str(), "Lead");
        self.job_effect("create", None, || self.make_job()).await
    }

    async fn upload(&self, job: &JobId, body: Receiver<Bytes>) -> Result<(), CallFailure> {
        let csv = Self::whole(body).await;
        self.job_effect("upload", Some(*job), || self.fill_job(job, &csv)).await
    }

    async fn close_job(&self, job: &JobId) -> Result<JobInfo, CallFailure> {
        self.job_effect("close", Some(*job), || self.set_job(job, JobState::UploadComplete)).await
    }

    async fn job(&self, job: &JobId) -> Result<JobInfo, Fault> {
        self.ask_job("ask", job, |org| org.poll_job(job))
    }

    async fn job_results(
        &self,
        job: &JobId,
        which: Results,
        row: &mut (dyn FnMut(JobRow) + Send),
    ) -> Result<u64, Fault> {
        let word = match which {
            Results::Successful => "successful",
            Results::Failed => "failed",
            Results::Unprocessed => "unprocessed",
        };
        self.ask_job(word, job, |org| org.results_of(job, which, row))
    }

    async fn abort_job(&self, job: &JobId) -> Result<(), CallFailure> {
        self.job_effect("abort", Some(*job), || self.set_job(job, JobState::Aborted)).await.map(drop)
    }

    async fn delete_job(&self, job: &JobId) -> Result<(), CallFailure> {
        self.job_effect("delete", Some(*job), || self.delete(job)).await
    }

    async fn unfinished_jobs(&self, _: &ObjectName) -> Result<Vec<JobInfo>, Fault> {
        self.count();
        self.job_log.borrow_mut().push("list");
        Ok(self.list_jobs())
    }
}
