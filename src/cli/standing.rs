//! How an integration stands in an environment, by its schedule and its run logs: shared by `due`, `status` and `apply --due`. Reaches no org.

use std::ops::ControlFlow;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};

use super::failure::Failure;
use super::ground::Place;
use crate::config::Unusable;
use crate::config::valid::{Environment, Integration, Location, Schedule, Source, Windows};
use crate::diag::Code;
use crate::model::{EnvironmentName, OrgId};
use crate::report::fresh;
use crate::runlog::due::{Calendar, Judgement, Past, Standing, came_late, judge, overdue, passed_by, telling};
use crate::runlog::{Filter, Listed, RunLog, Status, Store, StoreProblem, Trigger};

/// So many logs are looked at, at most: of an integration that is run by hand over and over.
const MOST_LOGS: usize = 200;
/// Of those before the latest tick, so many, to find one that tells something.
const MOST_BEFORE: usize = 10;

/// How long a run may be due before it is overdue: CI's own schedules are late by an hour now and then.
const GRACE: SignedDuration = SignedDuration::from_hours(3);

/// Ticks and windows of an integration.
#[derive(Clone, Copy)]
pub struct Ticks<'a> {
    schedule: &'a Schedule,
    windows: &'a Windows,
}

impl Calendar for Ticks<'_> {
    fn latest(&self, at: Timestamp) -> Option<Timestamp> {
        self.schedule.latest(at)
    }

    fn next(&self, after: Timestamp) -> Option<Timestamp> {
        self.schedule.next(after)
    }

    fn closed_until(&self, at: Timestamp) -> Option<Timestamp> {
        self.windows.closed_until(at)
    }
}

/// A run log with its file.
pub type Logged = (PathBuf, RunLog);

/// How an integration stands.
pub struct Stand<'a> {
    /// The integration's name.
    pub name: &'a str,
    /// Its org's name, where it can be read.
    pub org: Option<&'a str>,
    /// What keeps it from running, where the configuration is not right.
    pub fault: Option<&'a Unusable>,
    /// Its org's id, where one is pinned.
    pub org_id: Option<OrgId>,
    /// Its ticks, where it has a schedule.
    pub ticks: Option<Ticks<'a>>,
    /// Runs since the latest tick but one, and some before.
    pub past: Vec<Past>,
    /// By the schedule.
    pub judgement: Option<Judgement>,
    /// The newest log.
    pub newest: Option<PathBuf>,
    /// The newest log that says how the integration is.
    pub telling: Option<Logged>,
    /// The start of the newest run that was completed.
    pub completed: Option<Timestamp>,
    /// The report is too old for `max_age`: so many seconds.
    pub stale: Option<u64>,
    /// When the newest report was made that a run is known to have read.
    read: Option<Timestamp>,
    /// The longest that `max_age` allows.
    limit: Option<SignedDuration>,
}

impl<'a> Stand<'a> {
    /// Looks at the schedule, the run logs, and the report's age where it is a file.
    ///
    /// # Errors
    /// The folder of run logs cannot be read.
    pub fn look(
        place: &Place<'a>,
        store: &Store,
        integration: &'a Integration,
        environment: EnvironmentName,
        now: Timestamp,
    ) -> Result<Self, Failure> {
        let settings = integration.environments.get(&environment);
        let ticks = settings.and_then(|settings| {
            let schedule = &settings.schedule.as_ref()?.value;
            Some(Ticks { schedule, windows: &settings.not_during })
        });
        let org_id = place.repository.org_environment(integration, environment).and_then(|org| org.org_id.as_ref());
        let org_id = org_id.map(|id| id.value);
        let name = &integration.name.value;
        let retries = settings.map_or(0, |settings| settings.retries);
        Ok(Self {
            org: Some(&integration.org.value),
            stale: settings.and_then(|settings| stale(place, integration, settings, environment, now)),
            limit: settings.and_then(|settings| settings.guards.max_age).map(age_limit),
            ..Self::by_logs(store, (name, environment, org_id), ticks, retries, now)?
        })
    }

    /// The same of one that the configuration keeps from running, as far as can be told. Where no org id can be read, it is that of its newest run; where no
    /// schedule can, it is taken for a daily one if the schedule ran it before.
    ///
    /// # Errors
    /// As [`look`](Self::look).
    pub fn broken(
        place: &Place<'a>,
        store: &Store,
        unusable: &'a Unusable,
        environment: EnvironmentName,
        now: Timestamp,
    ) -> Result<Self, Failure> {
        let beat = unusable.environments.get(&environment).and_then(Option::as_ref);
        let ticks = beat.map(|beat| Ticks { schedule: &beat.schedule, windows: &beat.windows });
        let org = unusable.org.as_deref();
        let settings = org.and_then(|org| place.repository.orgs.get(org)?.environments.get(&environment));
        let org_id = match settings.and_then(|settings| settings.org_id.as_ref()) {
            Some(id) => Some(id.value),
            None => last_org(store, &unusable.name, environment)?,
        };
        let retries = beat.map_or(0, |beat| beat.retries);
        let mut stand = Self::by_logs(store, (&unusable.name, environment, org_id), ticks, retries, now)?;
        let scheduled = stand.past.iter().any(|run| run.tick.is_some());
        if beat.is_some_and(|beat| !beat.read && !scheduled) {
            (stand.ticks, stand.judgement) = (None, None);
        }
        Ok(Self { org, fault: Some(unusable), ..stand })
    }

    /// By its run logs.
    fn by_logs(
        store: &Store,
        (name, environment, org_id): (&'a str, EnvironmentName, Option<OrgId>),
        ticks: Option<Ticks<'a>>,
        retries: u32,
        now: Timestamp,
    ) -> Result<Self, Failure> {
        let before = ticks.and_then(|ticks| {
            let latest = ticks.latest(now)?;
            ticks.latest(latest.checked_sub(SignedDuration::from_secs(1)).ok()?)
        });
        let mut logs: Vec<Logged> = Vec::new();
        if let Some(org_id) = org_id {
            let (mut older, mut told, mut completed, mut scheduled) = (0, false, false, ticks.is_none());
            let read = store.each_newest(name, environment, org_id, |path, log| {
                older += usize::from(before.is_none_or(|before| log.start < before));
                told |= telling([&log]).is_some();
                completed |= is_completed(&log);
                scheduled |= log.tick.is_some();
                logs.push((path, log));
                let all = older > 0 && told && completed && scheduled;
                let enough = older >= MOST_BEFORE || all || logs.len() >= MOST_LOGS;
                if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            read.map_err(|problem| unreadable(&problem))?;
        }
        let past: Vec<Past> = logs.iter().filter_map(|(_, log)| Past::of(log)).collect();
        let newest = logs.first().map(|(path, _)| path.clone());
        let completed = logs.iter().map(|(_, log)| log).filter(|log| is_completed(log)).map(|log| log.start).max();
        let read = logs.iter().find_map(|(_, log)| log.report.modified);
        let tells = telling(logs.iter().map(|(_, log)| log)).map(|log| log.id.clone());
        let telling = logs.into_iter().find(|(_, log)| Some(&log.id) == tells.as_ref());
        Ok(Self {
            name,
            org: None,
            fault: None,
            org_id,
            judgement: ticks.map(|ticks| judge(&ticks, &past, now, retries)),
            ticks,
            past,
            newest,
            telling,
            completed,
            stale: None,
            read,
            limit: None,
        })
    }

    /// Is it to run now, if its report is young enough?
    pub fn is_due(&self) -> bool {
        self.judgement.is_some_and(|judgement| matches!(judgement.standing, Standing::Due { .. }))
    }

    /// Has a tick gone by without the run that it was for?
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.ticks.is_some_and(|ticks| overdue(&ticks, &self.past, now, GRACE))
    }

    /// Did it ever run?
    pub fn ran(&self) -> bool {
        !self.past.is_empty()
    }

    /// The tick before the latest one, where it went by without a run.
    pub fn passed_by(&self, now: Timestamp) -> Option<Timestamp> {
        passed_by(&self.ticks?, &self.past, now)
    }

    /// The tick before the latest one, where it went by since the report was too old, though the one of this moment is young enough; with the seconds that
    /// the report before was old when the next tick came. An integration that was never run by its schedule may not have had one then.
    pub fn came_late(&self, report: Timestamp, now: Timestamp) -> Option<(Timestamp, u64)> {
        let (passed, limit) = (self.may_be_late(now)?, self.limit?);
        let young = !fresh::max_age(now.as_second(), report.as_second(), limit.as_secs()).verdict.stops();
        let next = self.ticks?.latest(now).filter(|_| young)?;
        came_late(passed, next, report, self.read?, limit).map(|age| (passed, age))
    }

    /// The tick before the latest one, where its report's age may be why it went by.
    pub fn may_be_late(&self, now: Timestamp) -> Option<Timestamp> {
        let known = self.limit.is_some() && self.read.is_some() && self.past.iter().any(|run| run.tick.is_some());
        self.passed_by(now).filter(|_| known)
    }
}

/// The org of its newest run in an environment.
fn last_org(store: &Store, name: &str, environment: EnvironmentName) -> Result<Option<OrgId>, Failure> {
    let filter = Filter { integration: Some(name.to_owned()), environment: Some(environment), ..Filter::default() };
    let mut org_id = None;
    let read = store.each(&filter, |listed| match listed {
        Listed::Run(run) => {
            org_id = Some(run.org_id);
            ControlFlow::Break(())
        }
        Listed::Unreadable { .. } => ControlFlow::Continue(()),
    });
    read.map_err(|problem| unreadable(&problem))?;
    Ok(org_id)
}

fn unreadable(problem: &StoreProblem) -> Failure {
    Failure::usage(Code::UnknownRun, format!("the run logs cannot be read: {problem}"))
}

/// Did it bring the report's values? What an undo brought are those of before.
fn is_completed(log: &RunLog) -> bool {
    log.status == Status::Completed && log.trigger != Trigger::Undo
}

fn age_limit(limit: std::time::Duration) -> SignedDuration {
    SignedDuration::try_from(limit).unwrap_or(SignedDuration::MAX)
}

/// When a report was made that is a file of the repository; `None` where it is not there, or no such file.
pub fn modified(place: &Place<'_>, source: &Source) -> Option<Timestamp> {
    let Location::Path(file) = &source.location.value else { return None };
    let modified = std::fs::metadata(place.root.join(file)).and_then(|found| found.modified()).ok()?;
    Timestamp::try_from(modified).ok()
}

/// The age in seconds of a report that is too old, where it is a file that is there. Others are looked at when they are read.
fn stale(
    place: &Place<'_>,
    integration: &Integration,
    settings: &Environment,
    environment: EnvironmentName,
    now: Timestamp,
) -> Option<u64> {
    let limit = i64::try_from(settings.guards.max_age?.as_secs()).unwrap_or(i64::MAX);
    let modified = modified(place, integration.source(environment))?;
    let age = u64::try_from(now.as_second() - modified.as_second()).unwrap_or(0);
    fresh::max_age(now.as_second(), modified.as_second(), limit).verdict.stops().then_some(age)
}
