//! Jobs that an earlier process began are taken up before anything else is done.

use jiff::SignedDuration;

use super::state::Under;
use super::watching::Told;
use crate::apply::executor::Executor;
use crate::apply::observe::Event;
use crate::apply::org::{CallFailure, Class, Org, StopKind};
use crate::apply::outcome::StopReason;
use crate::salesforce::{JobId, JobInfo, JobState};

impl<O: Org> Executor<'_, '_, O> {
    /// Each open job of the journal: one that was never closed is undone, any other comes to its end.
    pub(in crate::apply) async fn take_up(&mut self) {
        for (job, items) in std::mem::take(&mut self.jobs.open) {
            let Some(id) = job.id else {
                // Killed between making the job and noting its id: nothing was put into it.
                let records = self.targets.ids(job.records.iter().map(|place| *place as usize));
                let written = self.journal.result(job.batch, false, Vec::new(), records);
                if self.journalled(written) && self.goes_on() {
                    // Salesforce tells times to the second.
                    let since = self.journal.head().started.checked_sub(SignedDuration::from_secs(1)).ok();
                    self.sweep(since, None).await;
                }
                continue;
            };
            let mut under = Under { taken_up: true, ..Under::new(job.batch, id, items, self.apply.clock.now()) };
            if !self.goes_on() {
                // Not asked about: it may be at work.
                under.state = Some(JobState::InProgress);
                self.leave(under).await;
                continue;
            }
            self.apply.observer.event(&Event::Job { id, records: under.items.len(), taken_up: true });
            match self.ask(&id).await {
                Told::Info(info) if info.state == JobState::Open => {
                    // The process before may have closed it with its last call, which is still under way: it counts when the job is stopped.
                    if self.put_away(&id).await {
                        self.undone(under.batch, under.items);
                    } else {
                        under.told(&info);
                        self.leave(under).await;
                    }
                }
                Told::Info(info) if info.state.is_over() => {
                    under.told(&info);
                    self.take_results(under, Some(&info)).await;
                }
                Told::Info(info) => {
                    under.told(&info);
                    if self.apply.settings.jobs.abort {
                        self.abort(&id, &info).await;
                    }
                    self.follow(under).await;
                }
                Told::Gone => self.take_results(under, None).await,
                Told::Nothing => {
                    under.state = Some(JobState::InProgress);
                    self.leave(under).await;
                }
            }
        }
    }

    /// Stops a job that is at work. One that cannot be stopped, and does not end by itself either, ends the run.
    async fn abort(&mut self, id: &JobId, info: &JobInfo) {
        let org = self.apply.org;
        let mut repeated = 0;
        while self.goes_on() {
            let fault = match self.heeded(org.abort_job(id)).await {
                Some(Ok(())) => {
                    let (state, processed) = (info.state, info.processed.unwrap_or(0));
                    return self.apply.observer.event(&Event::JobAborted { id: *id, state, processed });
                }
                Some(Err(CallFailure::Refused(fault))) if matches!(fault.class, Class::Body | Class::Call) => {
                    match self.ask(id).await {
                        // It came to its end in the meantime, or another stopped it.
                        Told::Info(info) if info.state.is_over() => {}
                        Told::Info(_) => self.stop(StopReason::of(StopKind::JobFailed, &fault)),
                        Told::Gone | Told::Nothing => {}
                    }
                    return;
                }
                Some(Err(CallFailure::NotSent(fault) | CallFailure::Refused(fault) | CallFailure::Unknown(fault))) => {
                    fault
                }
                None => return self.interrupt(),
            };
            if !self.back_off(&fault, repeated).await {
                return;
            }
            repeated += 1;
        }
    }
}
