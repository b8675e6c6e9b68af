//! A job is asked about until it is over; or left, when the run ends before it does.

use super::state::Under;
use crate::apply::executor::Executor;
use crate::apply::observe::Event;
use crate::apply::org::{Class, Fault, Org, StopKind};
use crate::apply::outcome::{End, StopReason, Unknown};
use crate::salesforce::{JobId, JobInfo, JobState, Results};

/// What Salesforce says of a job.
pub(super) enum Told {
    /// How far it is.
    Info(Box<JobInfo>),
    /// There is no such job any more.
    Gone,
    /// Nothing; the run was stopped.
    Nothing,
}

impl<O: Org> Executor<'_, '_, O> {
    /// How far is a job? After the word to stop there is time for one try.
    pub(super) async fn ask(&mut self, id: &JobId) -> Told {
        let org = self.apply.org;
        let mut repeated = 0;
        loop {
            let answer = self.heeded(org.job(id)).await;
            let fault = match answer {
                Some(Ok(info)) => return Told::Info(Box::new(info)),
                Some(Err(fault)) if is_gone(&fault) => return Told::Gone,
                Some(Err(fault)) => fault,
                None => {
                    self.interrupt();
                    return Told::Nothing;
                }
            };
            if !self.goes_on() {
                return Told::Nothing;
            }
            if matches!(fault.class, Class::Body | Class::Call) {
                self.stop(StopReason::of(StopKind::JobFailed, &fault));
                return Told::Nothing;
            }
            if !self.back_off(&fault, repeated).await {
                return Told::Nothing;
            }
            repeated += 1;
        }
    }

    /// Asks until a job is over, then takes its results.
    pub(super) async fn follow(&mut self, mut under: Under) {
        let settings = self.apply.settings;
        let mut pause = settings.jobs.first_poll;
        let mut polls = 0;
        while self.goes_on() {
            self.sleep(pause).await;
            if !self.goes_on() {
                break;
            }
            pause = (pause * 3 / 2).min(settings.jobs.longest_poll);
            polls += 1;
            match self.ask(&under.id).await {
                Told::Info(info) => {
                    under.told(&info);
                    self.apply.observer.event(&Event::JobState {
                        id: under.id,
                        state: info.state,
                        processed: under.processed,
                        failed: under.failed,
                        records: under.items.len(),
                        polls,
                    });
                    if info.state.is_over() {
                        return self.take_results(under, Some(&info)).await;
                    }
                }
                Told::Gone => return self.take_results(under, None).await,
                Told::Nothing => break,
            }
            if self.apply.clock.now().saturating_sub(under.began) > settings.jobs.longest {
                self.stop(StopReason::new(
                    StopKind::JobSlow,
                    format!(
                        "bulk job {} has been at work for more than {} minutes, and goes on in Salesforce",
                        under.id,
                        settings.jobs.longest.as_secs() / 60
                    ),
                ));
            }
        }
        self.leave(under).await;
    }

    /// The run ends before the job does. One that Salesforce has not begun with is stopped; any other goes on, and a resume takes its results.
    pub(super) async fn leave(&mut self, mut under: Under) {
        let interrupted = self.stopped.as_ref().is_some_and(|s| s.kind == StopKind::Interrupted);
        let waits = matches!(under.state, None | Some(JobState::Open | JobState::UploadComplete));
        if (interrupted || under.may_close) && waits && self.stops(&mut under).await {
            let done = under.done(under.items.len(), self.apply.clock.now(), false);
            self.jobs.done.push(done);
            return self.undone(under.batch, under.items);
        }
        let records = under.items.len();
        self.apply.observer.event(&Event::JobLeft { id: under.id, records });
        let left = End::Unknown { reason: Unknown::JobLeft, fields: Vec::new() };
        let done = under.done(records, self.apply.clock.now(), true);
        self.jobs.done.push(done);
        // Not to the journal: there the job stands without a result, for a resume to take up.
        self.set(under.items.iter().map(|item| (item.index, left.clone())).collect());
    }

    /// Stops a job. True only when Salesforce itself accounts for all of its records as not processed.
    async fn stops(&mut self, under: &mut Under) -> bool {
        let org = self.apply.org;
        if !matches!(self.heeded(org.abort_job(&under.id)).await, Some(Ok(()))) {
            return false;
        }
        under.state = Some(JobState::Aborted);
        let places = self.places(&under.items);
        let mut untouched = vec![false; under.items.len()];
        let mut mark = |row: crate::apply::org::JobRow| {
            if let Some(place) = row.id.and_then(|id| places.get(&id)) {
                untouched[*place as usize] = true;
            }
        };
        let read = self.heeded(org.job_results(&under.id, Results::Unprocessed, &mut mark)).await;
        matches!(read, Some(Ok(_))) && untouched.iter().all(|u| *u)
    }
}

/// Salesforce knows no such job: `NOT_FOUND`, or in Bulk API's own words `INVALIDJOB` (FACTS: Bulk codes have no underscores).
fn is_gone(fault: &Fault) -> bool {
    matches!(fault.class, Class::Body | Class::Call) && [End::GONE, "INVALIDJOB"].contains(&fault.code.as_str())
}
