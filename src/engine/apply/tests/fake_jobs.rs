//! The bulk jobs of the org in memory.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc::Receiver;

use super::fake::{FakeOrg, Trouble, later};
use super::plans::id;
use crate::apply::journal::Line;
use crate::apply::org::{CallFailure, Class, Fault, JobRow, RecordError, RecordOutcome, StopKind};
use crate::model::RecordId;
use crate::salesforce::{JobId, JobInfo, JobState, Results};

/// What becomes of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fate {
    /// Done at the first question after it was closed.
    #[default]
    Done,
    /// Done after so many questions.
    Slow(u32),
    /// Fails after so many records.
    Halfway(usize),
    /// Refused as a whole.
    Refused,
    /// Stopped by somebody after so many records.
    Stopped(usize),
    /// Done, and put away by somebody before its results are fetched.
    Gone,
    /// Done; the results leave out every third record.
    Untold,
    /// Done; every record is in a file twice, and every fourth in both.
    Twice,
    /// Done; the results tell of strangers, too.
    Strangers,
}

/// A line of an upload: the record and the cells that change.
type Row = (RecordId, Vec<(String, Option<String>)>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FakeJob {
    pub state: JobState,
    pub fate: Fate,
    pub rows: Option<Vec<Row>>,
    pub polls: u32,
    pub outcomes: BTreeMap<RecordId, Option<RecordError>>,
    pub message: Option<String>,
    pub created: Timestamp,
}

fn refused(code: &str, message: &str) -> Fault {
    Fault { class: Class::Call, code: code.into(), message: message.into() }
}

impl FakeOrg {
    /// Another job of this user, which this run knows nothing of.
    pub fn strange_job(&self, state: JobState, created: &str) -> JobId {
        let info = self.make_job().unwrap();
        let mut all = self.state.borrow_mut();
        let job = all.jobs.get_mut(&info.id).unwrap();
        (job.state, job.created) = (state, created.parse().unwrap());
        info.id
    }

    pub(super) fn make_job(&self) -> Result<JobInfo, Fault> {
        let mut state = self.state.borrow_mut();
        let number = state.jobs.len();
        let job = JobId::parse(&format!("7505e{number:010}")).unwrap();
        let started: Timestamp = "2026-11-21T09:00:03Z".parse().unwrap();
        let made = FakeJob {
            state: JobState::Open,
            fate: self.fates.borrow_mut().pop_front().unwrap_or_default(),
            rows: None,
            polls: 0,
            outcomes: BTreeMap::new(),
            message: None,
            created: started + SignedDuration::from_secs(60 + number as i64),
        };
        state.jobs.insert(job, made);
        drop(state);
        self.info(&job)
    }

    fn info(&self, id: &JobId) -> Result<JobInfo, Fault> {
        let state = self.state.borrow();
        let job = state.jobs.get(id).ok_or_else(|| refused("NOT_FOUND", "The requested resource does not exist"))?;
        let failed = job.outcomes.values().filter(|o| o.is_some()).count() as u64;
        Ok(JobInfo {
            id: *id,
            object: "Lead".into(),
            operation: "update".into(),
            state: job.state,
            processed: job.rows.as_ref().map(|_| job.outcomes.len() as u64),
            failed: job.rows.as_ref().map(|_| failed),
            error_message: job.message.clone(),
            created: Some(job.created),
            created_by: None,
            line_ending: None,
            retries: None,
            processing_ms: None,
        })
    }

    pub(super) async fn whole(mut body: Receiver<Bytes>) -> Vec<u8> {
        let mut csv = Vec::new();
        while let Some(piece) = body.recv().await {
            csv.extend_from_slice(&piece);
        }
        csv
    }

    pub(super) fn fill_job(&self, id: &JobId, csv: &[u8]) -> Result<(), Fault> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(csv);
        let lines: Vec<Vec<String>> =
            reader.records().map(|line| line.unwrap().iter().map(str::to_owned).collect()).collect();
        self.uploads.borrow_mut().push(lines.clone());
        let (header, lines) = lines.split_first().unwrap();
        assert_eq!(header[0], "Id");
        let cells = |line: &Vec<String>| {
            let pairs = header.iter().zip(line).skip(1).filter(|(_, cell)| !cell.is_empty());
            pairs.map(|(name, cell)| (name.clone(), (cell != "#N/A").then(|| cell.clone()))).collect()
        };
        let rows = lines.iter().map(|line| (RecordId::parse(&line[0]).unwrap(), cells(line))).collect();
        let mut state = self.state.borrow_mut();
        let job = state.jobs.get_mut(id).unwrap();
        if job.state != JobState::Open || job.rows.is_some() {
            return Err(refused("INVALIDJOBSTATE", "a job takes one upload"));
        }
        job.rows = Some(rows);
        Ok(())
    }

    pub(super) fn set_job(&self, id: &JobId, to: JobState) -> Result<JobInfo, Fault> {
        {
            let mut state = self.state.borrow_mut();
            let job = state.jobs.get_mut(id).ok_or_else(|| refused("NOT_FOUND", "no such job"))?;
            match (job.state, to) {
                (JobState::Open, JobState::UploadComplete) => {
                    assert!(job.rows.is_some(), "closed without data");
                    job.state = to;
                }
                (JobState::Open | JobState::UploadComplete | JobState::InProgress, JobState::Aborted) => job.state = to,
                _ => return Err(refused("INVALIDJOBSTATE", "not in this state")),
            }
        }
        self.info(id)
    }

    pub(super) fn delete(&self, id: &JobId) -> Result<(), Fault> {
        // Its id stays taken.
        self.state.borrow_mut().jobs.get_mut(id).unwrap().rows = None;
        Ok(())
    }

    pub(super) fn list_jobs(&self) -> Vec<JobInfo> {
        let ids: Vec<JobId> = self.state.borrow().jobs.keys().copied().collect();
        ids.iter().map(|id| self.info(id).unwrap()).filter(|info| !info.state.is_over()).collect()
    }

    pub(super) fn poll_job(&self, id: &JobId) -> Result<JobInfo, Fault> {
        let work = {
            let mut state = self.state.borrow_mut();
            let job = state.jobs.get_mut(id).ok_or_else(|| refused("NOT_FOUND", "no such job"))?;
            job.polls += 1;
            match (job.state, job.fate) {
                (JobState::UploadComplete | JobState::InProgress, Fate::Slow(polls)) if job.polls < polls => {
                    job.state = if job.polls == 1 { JobState::UploadComplete } else { JobState::InProgress };
                    None
                }
                (JobState::UploadComplete | JobState::InProgress, fate) => {
                    let rows = job.rows.clone().unwrap();
                    let most = match fate {
                        Fate::Halfway(most) | Fate::Stopped(most) => most,
                        Fate::Refused => 0,
                        _ => rows.len(),
                    };
                    job.state = match fate {
                        Fate::Halfway(_) | Fate::Refused => JobState::Failed,
                        Fate::Stopped(_) => JobState::Aborted,
                        _ => JobState::JobComplete,
                    };
                    job.message = match fate {
                        Fate::Halfway(_) => Some("InternalServerError : try again".into()),
                        Fate::Refused => Some("InvalidBatch : Field name not found : Text__c".into()),
                        _ => None,
                    };
                    Some((rows, most))
                }
                _ => None,
            }
        };
        if let Some((rows, most)) = work {
            for (record, cells) in rows.into_iter().take(most) {
                let outcome = match self.save(record, cells) {
                    RecordOutcome::Updated => None,
                    RecordOutcome::Failed(error) => Some(error),
                };
                self.state.borrow_mut().jobs.get_mut(id).unwrap().outcomes.insert(record, outcome);
            }
        }
        let gone = {
            let state = self.state.borrow();
            let job = &state.jobs[id];
            job.fate == Fate::Gone && job.state.is_over() && job.polls > 1
        };
        if gone { Err(refused("NOT_FOUND", "no such job")) } else { self.info(id) }
    }

    /// In the order of ids turned round: not the order in which they were sent.
    pub(super) fn results_of(
        &self,
        id: &JobId,
        which: Results,
        row: &mut (dyn FnMut(JobRow) + Send),
    ) -> Result<u64, Fault> {
        let state = self.state.borrow();
        let job = &state.jobs[id];
        if job.fate == Fate::Gone {
            return Err(refused("NOT_FOUND", "no such job"));
        }
        let told = |record: &RecordId| match which {
            Results::Successful => job.outcomes.get(record).filter(|o| o.is_none()).map(|_| None),
            Results::Failed => job.outcomes.get(record).filter(|o| o.is_some()).cloned(),
            Results::Unprocessed => (!job.outcomes.contains_key(record)).then_some(None),
        };
        let mut count = 0;
        let mut tell = |id: Option<RecordId>, error: Option<RecordError>| {
            row(JobRow { id, error });
            count += 1;
        };
        for (number, (record, _)) in job.rows.as_deref().unwrap_or_default().iter().enumerate().rev() {
            let Some(error) = told(record) else { continue };
            if job.fate == Fate::Untold && number % 3 == 0 {
                continue;
            }
            tell(Some(*record), error.clone());
            if job.fate == Fate::Twice {
                tell(Some(*record), error);
                if number % 4 == 0 && which == Results::Failed {
                    tell(job.outcomes.iter().find(|(_, o)| o.is_none()).map(|(id, _)| *id), None);
                }
            }
        }
        if job.fate == Fate::Strangers {
            tell(Some(id_of_a_stranger()), None);
            tell(None, None);
        }
        Ok(count)
    }

    /// A call that has an effect, with its trouble. Before it the journal has to be on disk.
    pub(super) async fn job_effect<T>(
        &self,
        word: &'static str,
        job: Option<JobId>,
        effect: impl FnOnce() -> Result<T, Fault>,
    ) -> Result<T, CallFailure> {
        let length = self.check_job_line(word, job);
        let before = self.keeps_snapshots.get().then(|| self.state.borrow().clone());
        self.count();
        self.job_log.borrow_mut().push(word);
        self.clock.set(self.clock.get() + self.update_takes.get());
        let trouble = self.job_calls.borrow_mut().pop_front().unwrap_or(Trouble::None);
        let lost = || CallFailure::Unknown(later("CONNECTION"));
        let answer = match trouble {
            Trouble::NotSent => Err(CallFailure::NotSent(later("CONNECTION"))),
            Trouble::Busy => Err(CallFailure::Refused(later("SERVER_UNAVAILABLE"))),
            Trouble::Stop(kind) => {
                let fault = Fault { class: Class::Stop(kind), code: "STOP".into(), message: "no more today".into() };
                Err(CallFailure::Refused(fault))
            }
            Trouble::Wrong => Err(CallFailure::Refused(refused("INVALIDENTITY", "not supported by the Bulk API"))),
            Trouble::LostBefore | Trouble::LostLate => Err(lost()),
            Trouble::LostAfter | Trouble::LostHalf | Trouble::Short => {
                _ = effect();
                Err(lost())
            }
            Trouble::HangBefore => Ok(None),
            Trouble::HangAfter => {
                _ = effect();
                Ok(None)
            }
            Trouble::None => effect().map(Some).map_err(CallFailure::Refused),
        };
        self.snapshot(length, before);
        match answer {
            Ok(None) => std::future::pending().await,
            Ok(Some(value)) => Ok(value),
            Err(failure) => Err(failure),
        }
    }

    pub(super) fn ask_job<T>(
        &self,
        word: &'static str,
        job: &JobId,
        ask: impl FnOnce(&Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let length = self.journal.borrow().as_ref().map_or(0, |journal| journal.bytes.borrow().len());
        let before = self.keeps_snapshots.get().then(|| self.state.borrow().clone());
        self.count();
        self.job_log.borrow_mut().push(word);
        assert!(self.state.borrow().jobs.contains_key(job));
        let fault = self.job_asks.borrow_mut().pop_front().flatten();
        let answer = match fault {
            // Cut off: rows were handed over, and count for nothing.
            Some(fault) => ask(self).and(Err(fault)),
            None => ask(self),
        };
        self.snapshot(length, before);
        answer
    }

    fn snapshot(&self, length: usize, before: Option<super::fake::State>) {
        if let Some(before) = before {
            self.snapshots.borrow_mut().push((length, before, self.state.borrow().clone()));
        }
    }

    /// A job is made only once its intent is on disk, and filled only once its id is.
    fn check_job_line(&self, word: &str, job: Option<JobId>) -> usize {
        let journal = self.journal.borrow();
        let Some(journal) = &*journal else { return 0 };
        let bytes = journal.bytes.borrow();
        let last = bytes.split_inclusive(|b| *b == b'\n').next_back().unwrap_or_default();
        match word {
            "create" => {
                assert_eq!(journal.synced.get(), bytes.len(), "the intent is not on disk");
                let line = serde_json::from_slice(last).unwrap();
                assert!(matches!(line, Line::Intent { job: true, .. }), "{line:?}");
            }
            "upload" => {
                assert_eq!(journal.synced.get(), bytes.len(), "the job is not on disk");
                let line = serde_json::from_slice(last).unwrap();
                assert!(matches!(line, Line::Job { id, .. } if Some(id) == job), "{line:?}");
            }
            _ => {}
        }
        bytes.len()
    }
}

fn id_of_a_stranger() -> RecordId {
    id(4_000_000)
}

/// The day's calls are used up.
pub fn no_more() -> Trouble {
    Trouble::Stop(StopKind::DailyLimit)
}
