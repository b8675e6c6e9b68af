//! What a run knows of its bulk jobs.

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use crate::apply::cancel::Cancel;
use crate::apply::executor::Executor;
use crate::apply::executor::Item;
use crate::apply::journal::Head;
use crate::apply::left::OpenJob;
use crate::apply::org::Org;
use crate::apply::outcome::JobDone;
use crate::apply::settings::{Clock, Settings};
use crate::model::FieldName;
use crate::salesforce::{JobId, JobInfo, JobState};

/// The longest header of a job's CSV, in characters.
const LONGEST_HEADER: usize = 32_000;

/// A job with its records.
pub(super) struct Under {
    pub(super) batch: u64,
    pub(super) id: JobId,
    /// Those without an end.
    pub(super) items: Vec<Item>,
    pub(super) began: Duration,
    /// An earlier process made it.
    pub(super) taken_up: bool,
    /// It was open when it was last asked about, and a call that closes it may be under way.
    pub(super) may_close: bool,
    /// As last told.
    pub(super) state: Option<JobState>,
    pub(super) processed: u64,
    pub(super) failed: u64,
}

impl Under {
    pub(super) fn new(batch: u64, id: JobId, items: Vec<Item>, began: Duration) -> Self {
        Self { batch, id, items, began, taken_up: false, may_close: false, state: None, processed: 0, failed: 0 }
    }

    pub(super) fn told(&mut self, info: &JobInfo) {
        self.state = Some(info.state);
        self.processed = info.processed.unwrap_or(self.processed);
        self.failed = info.failed.unwrap_or(self.failed);
    }

    pub(super) fn done(&self, records: usize, now: Duration, left: bool) -> JobDone {
        JobDone {
            id: self.id,
            records: records as u64,
            processed: self.processed,
            failed: self.failed,
            took: now.saturating_sub(self.began),
            state: self.state,
            left,
        }
    }
}

/// Jobs of one run.
pub(in crate::apply) struct Jobs {
    /// New jobs are made.
    pub(super) on: bool,
    /// The field whose record Salesforce locks with each record.
    pub(super) parent: Option<FieldName>,
    /// Jobs of earlier processes, with the records that they have.
    pub(super) open: Vec<(OpenJob, Vec<Item>)>,
    places: HashMap<u32, usize>,
    /// Records that go by collections when the jobs are done.
    pub(in crate::apply) aside: Vec<Item>,
    pub(in crate::apply) done: Vec<JobDone>,
    pub(in crate::apply) calls: u64,
    /// Records a job, at the most; fewer after some were too old before the job could be closed.
    pub(super) most: usize,
    /// A job has failed half-way.
    pub(super) halfway: bool,
    /// When the first of the calls for a new job was sent whose answers were lost.
    pub(super) lost: Option<Duration>,
    /// Jobs in a row that could not be filled.
    pub(super) in_a_row: u32,
    /// After the word to stop: when the last call has to end.
    pub(super) until: Option<Duration>,
}

impl Jobs {
    pub(in crate::apply) fn new(head: &Head, open: Vec<OpenJob>, settings: &Settings) -> Self {
        let mut places = HashMap::new();
        for (place, job) in open.iter().enumerate().filter(|(_, job)| job.id.is_some()) {
            places.extend(job.records.iter().map(|record| (*record, place)));
        }
        Self {
            on: head.bulk,
            parent: head.parent.clone(),
            open: open.into_iter().map(|job| (job, Vec::new())).collect(),
            places,
            aside: Vec::new(),
            done: Vec::new(),
            calls: 0,
            most: settings.jobs.records.max(1),
            halfway: false,
            lost: None,
            in_a_row: 0,
            until: None,
        }
    }

    /// Does a job of an earlier process have this record?
    pub(in crate::apply) fn takes(&mut self, item: Item) -> bool {
        let Some(place) = self.places.remove(&(item.index as u32)) else { return false };
        self.open[place].1.push(item);
        true
    }

    /// Records that jobs of earlier processes have.
    pub(in crate::apply) fn taken(&self) -> usize {
        self.open.iter().map(|(_, items)| items.len()).sum()
    }
}

/// Waits for a call that has an effect. After the word to stop it has a moment to end; `None` when it did not.
pub(super) async fn heed<T>(
    cancel: &mut Cancel,
    clock: &dyn Clock,
    settings: &Settings,
    until: &mut Option<Duration>,
    call: impl Future<Output = T>,
) -> Option<T> {
    tokio::pin!(call);
    tokio::select! {
        biased;
        answer = &mut call => return Some(answer),
        () = cancel.cancelled() => {}
    }
    let now = clock.now();
    let until = *until.get_or_insert(now + settings.finish + settings.look_up);
    tokio::time::timeout(until.saturating_sub(now).min(settings.finish), call).await.ok()
}

impl<O: Org> Executor<'_, '_, O> {
    /// Everything that goes by jobs, the jobs of earlier processes first. What is left in the queue goes by collections.
    pub(in crate::apply) async fn by_jobs(&mut self) {
        self.take_up().await;
        if self.targets.fields.iter().map(|f| f.as_str().len() + 1).sum::<usize>() > LONGEST_HEADER {
            self.jobs.on = false;
        }
        while self.jobs.on && !self.waiting.is_empty() && self.goes_on() {
            if let Some(part) = self.gather().await {
                self.carry(part).await;
            }
        }
        let aside = std::mem::take(&mut self.jobs.aside);
        self.waiting.extend(aside);
    }

    /// A call for a job, counted.
    pub(super) async fn heeded<T>(&mut self, call: impl Future<Output = T>) -> Option<T> {
        self.jobs.calls += 1;
        let apply = &mut self.apply;
        let answer = heed(&mut apply.cancel, apply.clock, apply.settings, &mut self.jobs.until, call).await;
        self.tell();
        answer
    }
}
