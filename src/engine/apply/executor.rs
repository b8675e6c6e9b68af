//! The run: which records are read, sent, sent again and given up, in which order, until every planned record has an end.
//!
//! A record is, one after the other, waiting (to be read), ready (read, still as planned from) and under way; from there it ends, or is ready or
//! waiting again. `later` holds records that could not be locked, until everything else has been sent.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::time::Duration;

use super::budget::Retries;
use super::canary::{CanaryLook, First};
use super::cancel::Cancel;
use super::ends::Ends;
use super::jobs::Jobs;
use super::journal::{Head, Journal, RecordLine};
use super::left::Remaining;
use super::observe::{Event, Observer, Progress};
use super::org::{Class, Fault, Org, RecordError, StopKind};
use super::outcome::{End, NotAttempted, Outcomes, StopReason, Unknown};
use super::settings::{Clock, Settings};
use super::standing::Targets;
use super::waiting::Waiting;
use crate::model::RecordId;
use crate::plan::{Broken, FileProblem, Plan, RecordLedger};

/// Calls for one more try of what could not be locked, where groups of the largest size do not need more.
const ROUND: usize = 100;

/// Why a run has no outcomes. Each is a bug in Footbridge, or files that were mixed up.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The plan contradicts itself; nothing was sent.
    #[error("the plan contradicts itself; nothing was sent")]
    Broken(Vec<Broken>),
    /// The journal was begun for another plan; nothing was sent.
    #[error("the journal was begun for another plan; nothing was sent")]
    OtherJournal,
    /// The plan's entries cannot be read; nothing was sent.
    #[error("the plan's entries cannot be read; nothing was sent: {0}")]
    Plan(#[from] FileProblem),
    /// The record ledger does not add up.
    #[error("the records do not add up: {ledger:?}")]
    Unbalanced {
        /// As counted.
        ledger: RecordLedger,
    },
    /// A record came to two ends.
    #[error("record {record} came to two ends")]
    TwoEnds {
        /// Which.
        record: RecordId,
    },
}

/// Everything that a run needs beside its plan and journal.
pub struct Apply<'a, O: Org> {
    /// The org.
    pub org: &'a O,
    /// Sizes and ages.
    pub settings: &'a Settings,
    /// The budget of further tries.
    pub retries: &'a mut dyn Retries,
    /// The clock that ages are measured by.
    pub clock: &'a dyn Clock,
    /// The word to stop.
    pub cancel: Cancel,
    /// Is told what happens.
    pub observer: &'a mut dyn Observer,
}

impl<'a, O: Org> Apply<'a, O> {
    /// Carries out what is left of a plan: `Remaining::default()` for a new run, [`Resumed::remaining`](super::Resumed) for a killed one.
    ///
    /// Whatever goes wrong on the way is in the outcomes; an error is a bug. The caller holds the lock and has prechecked the plan.
    pub async fn run(self, plan: &Plan, journal: &'a mut Journal, from: Remaining) -> Result<Outcomes, RunError> {
        let broken = plan.broken();
        if !broken.is_empty() {
            return Err(RunError::Broken(broken));
        }
        let Head { inputs, changes, .. } = journal.head();
        if (inputs, changes) != (&plan.summary.inputs, &plan.summary.changes) {
            return Err(RunError::OtherJournal);
        }
        let mut executor = Executor::new(self, plan, journal, from)?;
        executor.work().await;
        executor.finish(plan)
    }
}

/// Groups of one lot are sent together; records of several lots never are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lot {
    /// Records a call.
    pub(super) size: usize,
    /// 0 in the ordinary case; halves of a refused batch each have their own.
    pub(super) part: u32,
}

/// One record without an end.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// Its place among the targets.
    pub(super) index: usize,
    pub(super) lot: Lot,
    /// When it was last read: before the call, so that its age is never told too small.
    pub(super) read: Option<Duration>,
    /// An update whose answer was lost may have written it.
    pub(super) doubt: bool,
    /// How often it was sent and could not be locked.
    pub(super) tries: u32,
    /// What Salesforce said then.
    pub(super) last: Option<Box<RecordError>>,
}

impl Item {
    /// One that nothing was done for yet.
    pub(super) fn new(index: usize, lot: Lot) -> Self {
        Self { index, lot, read: None, doubt: false, tries: 0, last: None }
    }

    /// How old its read is; what was never read is of any age.
    pub(super) fn age(&self, now: Duration) -> Duration {
        self.read.map_or(Duration::MAX, |read| now.saturating_sub(read))
    }
}

pub(super) struct Executor<'a, 'p, O: Org> {
    pub(super) apply: Apply<'a, O>,
    pub(super) journal: &'a mut Journal,
    pub(super) targets: Targets<'p>,
    pub(super) object: crate::model::ObjectName,
    pub(super) ends: Ends,
    /// The records that go first, until they have.
    pub(super) first: Option<First>,
    pub(super) canary: Option<CanaryLook>,
    two_ends: Option<RecordId>,
    pub(super) waiting: Waiting,
    pub(super) ready: VecDeque<Item>,
    pub(super) later: Vec<Item>,
    pub(super) jobs: Jobs,
    pub(super) stopped: Option<StopReason>,
    pub(super) next_batch: u64,
    pub(super) parts: u32,
    pub(super) halvings: u32,
    /// Updates in a row without an answer of their own.
    pub(super) in_a_row: u32,
    /// Rounds of sending again what could not be locked.
    rounds: u32,
    /// Reads in a row that were too old before anything could be sent.
    pub(super) old_reads: u32,
    /// How long the slowest of the latest updates took.
    pub(super) pace: Duration,
    pub(super) progress: Progress,
    pub(super) writes: u64,
    pub(super) rereads: u64,
    pub(super) retries: u64,
    pub(super) window: Duration,
    /// See [`Outcomes::resent`].
    pub(super) resent: BTreeSet<u32>,
    /// Nothing is sent any more.
    pub(super) given_up: bool,
}

impl<'a, 'p, O: Org> Executor<'a, 'p, O> {
    fn new(apply: Apply<'a, O>, plan: &'p Plan, journal: &'a mut Journal, from: Remaining) -> Result<Self, RunError> {
        let targets = Targets::of(plan)?;
        let lot = Lot { size: apply.settings.batch.clamp(1, Settings::MAX_BATCH), part: 0 };
        let selection = &journal.head().selection;
        let (mut taken, mut from) = (0, from);
        // Something of the others has begun: the first were looked at by an earlier process.
        let mut passed = !from.jobs.is_empty();
        let mut jobs = Jobs::new(journal.head(), from.jobs, apply.settings);
        let mut ends = Ends::default();
        let mut fresh = Vec::with_capacity(targets.len().saturating_sub(from.ended.len()));
        let (mut doubt, mut refused) = (HashSet::new(), HashMap::new());
        let head = journal.head();
        let chosen: HashSet<RecordId> = head.canary.iter().copied().collect();
        let mut places = Vec::new();
        for index in 0..targets.len() {
            let skip = if selection.only.as_ref().is_some_and(|only| !only.contains(&targets.record(index))) {
                Some(NotAttempted::NotSelected)
            } else if selection.limit.is_some_and(|limit| taken >= limit) {
                Some(NotAttempted::Limit)
            } else {
                taken += 1;
                None
            };
            let one_of_them = chosen.contains(&targets.record(index));
            if one_of_them {
                places.push(index);
            } else {
                passed |= from.ended.get(index).is_some() || from.in_doubt.contains(&(index as u32));
            }
            match from.ended.get(index).cloned().or(skip.map(|reason| End::NotAttempted { reason })) {
                Some(end) => _ = ends.set(index, end),
                // What a job has is asked of the job.
                None if jobs.takes(Item::new(index, lot)) => {}
                None => {
                    if let Some(End::Failed { code, message, fields }) = from.refused.remove(&(index as u32)) {
                        let error = RecordError { code, message, fields, retry: true, stop: None };
                        refused.insert(index as u32, Box::new(error));
                    }
                    fresh.push(index as u32);
                    doubt.extend(from.in_doubt.get(&(index as u32)).copied());
                }
            }
        }
        let total = (fresh.len() + jobs.taken()) as u64;
        let first = (!places.is_empty() && !passed).then(|| {
            let among = |place: &u32| places.binary_search(&(*place as usize)).is_ok();
            let (now, rest): (Vec<u32>, Vec<u32>) = std::mem::take(&mut fresh).into_iter().partition(among);
            let (first, later) = std::mem::take(&mut doubt).into_iter().partition(among);
            (fresh, doubt) = (now, first);
            First { rest, doubt: later, places: places.clone() }
        });
        Ok(Self {
            object: plan.header.object.clone(),
            targets,
            ends,
            first,
            canary: None,
            two_ends: None,
            waiting: Waiting::new(fresh, doubt, refused, lot),
            ready: VecDeque::new(),
            later: Vec::new(),
            jobs,
            stopped: None,
            next_batch: from.next_batch,
            parts: 0,
            halvings: apply.settings.halvings,
            in_a_row: 0,
            rounds: 0,
            old_reads: 0,
            pace: Duration::ZERO,
            progress: Progress { total, ..Progress::default() },
            writes: 0,
            rereads: 0,
            retries: 0,
            window: Duration::ZERO,
            resent: from.resent,
            given_up: from.given_up,
            apply,
            journal,
        })
    }

    async fn work(&mut self) {
        self.tell();
        if self.given_up {
            return self.only_look().await;
        }
        self.first().await;
        self.by_jobs().await;
        self.collections().await;
    }

    /// Everything that waits goes by collections.
    pub(super) async fn collections(&mut self) {
        while self.goes_on() {
            if self.wants_more() {
                self.refill().await;
            } else if let Some(group) = self.next_group() {
                self.send(group).await;
            } else if !self.later.is_empty() {
                self.next_round().await;
            } else if self.waiting.is_empty() {
                return;
            }
        }
    }

    /// Is there no reason to stop?
    pub(super) fn goes_on(&mut self) -> bool {
        if self.apply.cancel.is_cancelled() {
            self.interrupt();
        }
        self.stopped.is_none()
    }

    /// Should records be read before more are sent? Groups are filled up, so that N records take ⌈N/200⌉ calls even where some have drifted.
    fn wants_more(&self) -> bool {
        let Some(next) = self.waiting.lot() else { return false };
        match self.ready.front() {
            None => true,
            Some(first) => self.ready.len() < first.lot.size && self.ready.iter().all(|item| item.lot == next),
        }
    }

    /// The next records to send. Those that were read too long ago wait to be read again.
    fn next_group(&mut self) -> Option<Vec<Item>> {
        let now = self.apply.clock.now();
        let max_age = self.apply.settings.max_age;
        let old = self.ready.iter().take_while(|item| item.age(now) > max_age).count();
        if old > 0 {
            self.reread(old);
            return None;
        }
        let lot = self.ready.front()?.lot;
        let count = self.ready.iter().take(lot.size).take_while(|item| item.lot == lot).count();
        Some(self.ready.drain(..count).collect())
    }

    /// Sends the first of what is ready back to be read again.
    fn reread(&mut self, count: usize) {
        let items = self.ready.drain(..count).collect();
        self.put_back(items);
        self.too_old();
    }

    /// First in the queue of what is read.
    pub(super) fn put_back(&mut self, items: Vec<Item>) {
        self.waiting.put_back(items);
    }

    /// A read was too old before its records could be sent. Once or twice that happens; always, and the run would never end.
    pub(super) fn too_old(&mut self) {
        self.old_reads += 1;
        if self.old_reads > 3 {
            let age = self.apply.settings.max_age.as_secs();
            self.stop(StopReason::new(
                StopKind::TooSlow,
                format!("reading records takes longer than the {age} seconds that a read may be old"),
            ));
        }
    }

    /// Puts records that could not be locked up for another try, after a pause. A round is one of the run's further tries, however many calls it takes:
    /// where there are very many such records, the groups stay larger.
    async fn next_round(&mut self) {
        let mut items = std::mem::take(&mut self.later);
        let least = items.len().div_ceil(ROUND).min(self.apply.settings.batch.clamp(1, Settings::MAX_BATCH));
        for item in &mut items {
            item.lot.size = item.lot.size.max(least);
        }
        items.sort_by_key(|item| Reverse(item.lot.size));
        match self.apply.retries.take(self.rounds.min(4), None) {
            None => {
                self.apply.observer.event(&Event::GivenUp { records: items.len() });
                self.give_up(items);
            }
            Some(pause) => {
                self.rounds += 1;
                self.apply.observer.event(&Event::Again { records: items.len(), pause });
                self.waiting.extend(items);
                self.sleep(pause).await;
            }
        }
    }

    /// Ends records that could not be locked with what Salesforce last said of them.
    fn give_up(&mut self, items: Vec<Item>) {
        let ends = items.iter().map(|item| (item.index, self.unsent(item, NotAttempted::Stopped))).collect();
        self.end_all(ends);
    }

    /// The end of a record for which nothing more is done.
    fn unsent(&self, item: &Item, reason: NotAttempted) -> End {
        match &item.last {
            _ if item.doubt && item.read.is_none() => End::Unknown { reason: Unknown::NotReadBack, fields: Vec::new() },
            _ if item.doubt => End::still_before(),
            Some(error) => End::refused(error),
            None => End::NotAttempted { reason },
        }
    }

    /// Waits; the word to stop ends it.
    pub(super) async fn sleep(&mut self, pause: Duration) {
        if pause.is_zero() {
            return;
        }
        tokio::select! {
            biased;
            () = self.apply.cancel.cancelled() => self.interrupt(),
            () = tokio::time::sleep(pause) => {}
        }
    }

    /// After a failed call: waits, if there is a further try to be had. Otherwise the run stops.
    pub(super) async fn back_off(&mut self, fault: &Fault, repeated: u32) -> bool {
        match fault.class {
            Class::Stop(kind) => self.stop(StopReason::of(kind, fault)),
            Class::Later(_) | Class::Body | Class::Call => {
                let after = if let Class::Later(after) = fault.class { after } else { None };
                match self.apply.retries.take(repeated, after) {
                    None => self.stop(StopReason::of(StopKind::Unreachable, fault)),
                    Some(pause) => {
                        self.retries += 1;
                        self.apply.observer.event(&Event::Waiting { fault: fault.clone(), pause });
                        self.sleep(pause).await;
                    }
                }
            }
        }
        self.stopped.is_none()
    }

    pub(super) fn interrupt(&mut self) {
        self.stop(StopReason::new(StopKind::Interrupted, "the run was told to stop"));
    }

    /// The first reason stays.
    pub(super) fn stop(&mut self, reason: StopReason) {
        if self.stopped.is_none() {
            self.apply.observer.event(&Event::Stopped(reason.clone()));
            self.stopped = Some(reason);
        }
    }

    /// Stops the run when the journal could not be written.
    pub(super) fn journalled(&mut self, written: Result<(), super::JournalProblem>) -> bool {
        if let Err(problem) = &written {
            self.stop(StopReason::new(StopKind::Journal, problem.to_string()));
        }
        written.is_ok()
    }

    /// Stops the run when the plan's entries could not be read.
    pub(super) fn loaded<T>(&mut self, loaded: Result<T, FileProblem>) -> Option<T> {
        loaded.map_err(|problem| self.stop(StopReason::new(StopKind::Plan, problem.to_string()))).ok()
    }

    /// Records that ended outside a batch's result.
    pub(super) fn end_all(&mut self, ends: Vec<(usize, End)>) {
        let lines = self.lines(&ends);
        let written = self.journal.ends(lines);
        self.journalled(written);
        self.set(ends);
    }

    pub(super) fn lines(&self, ends: &[(usize, End)]) -> Vec<RecordLine> {
        ends.iter()
            .filter(|(_, end)| !matches!(end, End::NotAttempted { .. }))
            .map(|(index, end)| RecordLine { record: self.targets.record(*index), end: end.clone() })
            .collect()
    }

    pub(super) fn set(&mut self, ends: Vec<(usize, End)>) {
        for (index, end) in ends {
            self.progress.done += 1;
            match end {
                End::Updated => self.progress.updated += 1,
                End::Failed { .. } | End::Unknown { .. } => self.progress.failed += 1,
                End::Drifted { .. } => self.progress.drifted += 1,
                End::NotAttempted { .. } => self.progress.done -= 1,
            }
            if self.ends.set(index, end) {
                self.two_ends = Some(self.targets.record(index));
            }
        }
    }

    pub(super) fn tell(&mut self) {
        self.progress.calls = self.writes + self.rereads + self.jobs.calls;
        self.apply.observer.progress(&self.progress);
    }

    /// Gives every record without an end one, closes the journal's account and adds up.
    fn finish(mut self, plan: &Plan) -> Result<Outcomes, RunError> {
        let reason = match &self.stopped {
            _ if self.given_up => NotAttempted::GivenUp,
            Some(StopReason { kind: StopKind::Interrupted, .. }) => NotAttempted::Interrupted,
            _ => NotAttempted::Stopped,
        };
        let mut items: Vec<Item> = std::mem::take(&mut self.later);
        items.extend(self.ready.drain(..));
        while !items.is_empty() || !self.waiting.is_empty() {
            // A few at a time: there may be millions that nothing has happened to.
            items.extend(self.waiting.take(Settings::MAX_READ));
            let ends = items.drain(..).map(|item| (item.index, self.unsent(&item, reason))).collect();
            self.end_all(ends);
        }
        let written = self.journal.finish(self.stopped.clone());
        self.journalled(written);
        self.tell();
        if let Some(record) = self.two_ends {
            return Err(RunError::TwoEnds { record });
        }
        let mut ledger = RecordLedger { records: plan.summary.records, ..RecordLedger::default() };
        // A record without an end shows as a ledger that does not add up.
        self.ends.iter().flatten().for_each(|end| end.count(&mut ledger));
        if !ledger.balances() {
            return Err(RunError::Unbalanced { ledger });
        }
        Ok(Outcomes {
            ends: self.ends,
            ledger,
            stopped: self.stopped,
            writes: self.writes,
            rereads: self.rereads,
            retries: self.retries,
            window: self.window,
            jobs: self.jobs.done,
            job_calls: self.jobs.calls,
            canary: self.canary,
            resent: self.resent,
            given_up: self.given_up,
        })
    }
}
