//! A job is made, filled and closed. Until it is closed nothing is written: whatever goes wrong, the job is stopped and its records go with another.

use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc::{Sender, channel};

use super::part::Part;
use super::state::Under;
use super::watching::Told;
use crate::apply::executor::Executor;
use crate::apply::executor::Item;
use crate::apply::observe::Event;
use crate::apply::org::{CallFailure, Class, Fault, Org, StopKind};
use crate::apply::outcome::StopReason;
use crate::apply::standing::Targets;
use crate::salesforce::{JobId, JobState};

/// Bytes of one piece of an upload; four of them wait for the network at the most.
const PIECE: usize = 64 << 10;

/// Clocks of Salesforce's own servers may differ by this much.
const SKEW: SignedDuration = SignedDuration::from_secs(5);

/// What became of closing a job.
enum Closed {
    /// Salesforce works on it, or is done.
    Yes,
    /// It never was: nothing will be written.
    No,
    /// It was open when it was last asked about; a call that closes it may still arrive.
    Perhaps,
    /// Not known, and nobody answers any more.
    Unclear,
}

impl<O: Org> Executor<'_, '_, O> {
    /// Carries one part out, from the intent to the ends of its records.
    pub(super) async fn carry(&mut self, part: Part) {
        let batch = self.next_batch;
        self.next_batch += 1;
        let records = self.targets.ids(part.items.iter().map(|item| item.index));
        let written = self.journal.job_intent(batch, records, part.digest.clone());
        if !self.journalled(written) {
            return self.waiting.put_back(part.items);
        }
        let began = self.apply.clock.now();
        let Some(id) = self.create().await else {
            return self.undone(batch, part.items);
        };
        let written = self.journal.job(batch, id);
        if !self.journalled(written) {
            // Empty, it does nothing even where it cannot be put away.
            self.put_away(&id).await;
            return self.waiting.put_back(part.items);
        }
        self.apply.observer.event(&Event::Job { id, records: part.items.len(), taken_up: false });
        if !self.fill(&id, &part).await {
            self.put_away(&id).await;
            return self.undone(batch, part.items);
        }
        let closed = self.close(&id, part.read, part.items.len()).await;
        let mut under = Under::new(batch, id, part.items, began);
        match closed {
            Closed::Yes => {
                self.jobs.in_a_row = 0;
                self.follow(under).await;
            }
            Closed::No => {
                self.put_away(&id).await;
                self.undone(batch, under.items);
            }
            Closed::Perhaps => {
                under.may_close = true;
                self.leave(under).await;
            }
            Closed::Unclear => self.leave(under).await,
        }
    }

    /// Nothing was written: the records are read again and go with another job.
    pub(super) fn undone(&mut self, batch: u64, items: Vec<Item>) {
        self.record(batch, false, Vec::new(), &items);
        self.waiting.put_back(items);
    }

    /// Makes a job. `None` when the run was stopped, or when Salesforce makes no job of this object.
    async fn create(&mut self) -> Option<JobId> {
        let (org, object) = (self.apply.org, self.object.clone());
        let mut repeated = 0;
        while self.goes_on() {
            let sent = self.apply.clock.now();
            let Some(answer) = self.heeded(org.create_job(&object)).await else {
                self.interrupt();
                return None;
            };
            let fault = match answer {
                Ok(info) => {
                    if let Some(lost) = self.jobs.lost.take() {
                        let ago = SignedDuration::try_from(self.apply.clock.now().saturating_sub(lost));
                        let since =
                            info.created.zip(ago.ok()).and_then(|(made, ago)| made.checked_sub(ago + SKEW).ok());
                        self.sweep(since, Some(info.id)).await;
                    }
                    return Some(info.id);
                }
                Err(CallFailure::Refused(fault)) if matches!(fault.class, Class::Body | Class::Call) => {
                    self.jobs.on = false;
                    if self.apply.settings.jobs.only {
                        self.stop(StopReason::of(StopKind::JobFailed, &fault));
                    } else {
                        self.apply.observer.event(&Event::NoJobs(fault));
                    }
                    return None;
                }
                Err(CallFailure::Unknown(fault)) => {
                    self.jobs.lost.get_or_insert(sent);
                    fault
                }
                Err(CallFailure::NotSent(fault) | CallFailure::Refused(fault)) => fault,
            };
            if !self.back_off(&fault, repeated).await {
                return None;
            }
            repeated += 1;
        }
        None
    }

    /// Puts away the job that a lost answer left behind: this user's, of this object, made since, and empty. Where several could be meant, none is
    /// touched: an open job does nothing, and Salesforce drops it after a day.
    pub(super) async fn sweep(&mut self, since: Option<Timestamp>, but: Option<JobId>) {
        let (org, object) = (self.apply.org, self.object.clone());
        let Some(Ok(jobs)) = self.heeded(org.unfinished_jobs(&object)).await else { return };
        let ours = |job: &&crate::salesforce::JobInfo| {
            job.state == JobState::Open
                // One that has data says 0; one that has none says nothing.
                && job.processed.is_none()
                && Some(job.id) != but
                && since.zip(job.created).is_some_and(|(since, made)| made >= since)
        };
        let mut found = jobs.iter().filter(ours);
        if let (Some(job), None) = (found.next(), found.next()) {
            let id = job.id;
            self.put_away(&id).await;
        }
    }

    /// Stops a job that was never closed, and puts it away: does Salesforce say that it is stopped? One try: an open job does nothing.
    pub(super) async fn put_away(&mut self, id: &JobId) -> bool {
        let org = self.apply.org;
        let stopped = matches!(self.heeded(org.abort_job(id)).await, Some(Ok(())));
        if stopped && !self.apply.cancel.is_cancelled() {
            self.heeded(org.delete_job(id)).await;
        }
        stopped
    }

    /// Sends a job its data. `false` when it is not all there; the job is good for nothing then.
    async fn fill(&mut self, id: &JobId, part: &Part) -> bool {
        let now = self.apply.clock.now();
        if now.saturating_sub(part.read) > self.apply.settings.max_age {
            self.part_too_old(part.items.len());
            return false;
        }
        let (sender, receiver) = channel(4);
        self.jobs.calls += 1;
        let (targets, org) = (&self.targets, self.apply.org);
        let upload = async {
            let upload = org.upload(id, receiver);
            tokio::pin!(upload);
            tokio::select! {
                biased;
                answer = &mut upload => return answer,
                () = feed(targets, &part.items, sender) => {}
            }
            upload.await
        };
        let answer = tokio::select! {
            biased;
            // What has arrived by now has no effect.
            () = self.apply.cancel.cancelled() => None,
            answer = upload => Some(answer),
        };
        self.tell();
        let fault = match answer {
            Some(Ok(())) => return true,
            None => {
                self.interrupt();
                return false;
            }
            Some(Err(CallFailure::Refused(fault))) if matches!(fault.class, Class::Body | Class::Call) => {
                self.stop(StopReason::of(StopKind::JobFailed, &fault));
                return false;
            }
            Some(Err(CallFailure::NotSent(fault) | CallFailure::Refused(fault) | CallFailure::Unknown(fault))) => fault,
        };
        self.jobs.in_a_row += 1;
        self.back_off(&fault, self.jobs.in_a_row - 1).await;
        false
    }

    /// Says that the data is complete, while it is young enough.
    async fn close(&mut self, id: &JobId, read: Duration, records: usize) -> Closed {
        let org = self.apply.org;
        let mut repeated = 0;
        // Once a call may be under way, that the job is open proves nothing any more.
        let mut no = Closed::No;
        while self.goes_on() {
            let sent = self.apply.clock.now();
            let age = sent.saturating_sub(read);
            if age > self.apply.settings.max_age {
                self.part_too_old(records);
                return no;
            }
            let answer = self.heeded(org.close_job(id)).await;
            if matches!(answer, None | Some(Err(CallFailure::Unknown(_)))) {
                no = Closed::Perhaps;
            }
            self.window = self.window.max(age);
            let (fault, clear) = match answer {
                Some(Ok(_)) => {
                    self.old_reads = 0;
                    return Closed::Yes;
                }
                Some(Err(CallFailure::NotSent(fault))) => (Some(fault), true),
                Some(Err(CallFailure::Refused(fault))) => {
                    let clear = !matches!(fault.class, Class::Body | Class::Call);
                    (Some(fault), clear)
                }
                Some(Err(CallFailure::Unknown(fault))) => (Some(fault), false),
                None => (None, false),
            };
            if !clear {
                match self.ask(id).await {
                    Told::Info(info) if info.state == JobState::Open => {}
                    Told::Info(_) | Told::Gone => return Closed::Yes,
                    Told::Nothing => return Closed::Unclear,
                }
            }
            let fault = fault.unwrap_or_else(interrupted);
            if !self.back_off(&fault, repeated).await {
                return no;
            }
            repeated += 1;
        }
        no
    }

    /// A job was not closed before its records were too old: the next has fewer.
    fn part_too_old(&mut self, records: usize) {
        self.jobs.most = (records / 2).max(1);
        self.too_old();
    }
}

fn interrupted() -> Fault {
    let message = "the call was given up when the run was told to stop".into();
    Fault { class: Class::Stop(StopKind::Interrupted), code: "INTERRUPTED".into(), message }
}

/// A job's CSV, piece by piece: header and one line a record.
async fn feed(targets: &Targets<'_>, items: &[Item], sender: Sender<Bytes>) {
    let mut piece = targets.csv_header();
    for item in items {
        // A line that cannot be made any more is left out: the job then has no result for its record, which is looked at.
        let made = targets.load(item.index).is_ok_and(|target| targets.csv(&target, &mut piece).is_ok());
        if made && piece.len() >= PIECE {
            let full = std::mem::replace(&mut piece, Vec::with_capacity(PIECE + PIECE / 8));
            if sender.send(Bytes::from(full)).await.is_err() {
                return;
            }
        }
    }
    if !piece.is_empty() {
        _ = sender.send(Bytes::from(piece)).await;
    }
}
