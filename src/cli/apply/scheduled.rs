//! `footbridge apply --due`: runs what the schedule wants run now, and tells those who are to hear of it.

use jiff::Timestamp;

use super::carry::heard;
use super::log;
use super::publish::Publisher;
use super::side::{self, Work};
use super::turn::Turn;
use super::unusable;
use crate::apply::{Cancel, Selection};
use crate::cli::arguments::ApplyArguments;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::ground::{Place, Target};
use crate::cli::notices;
use crate::cli::repository::Repository;
use crate::cli::standing::{Stand, modified};
use crate::cli::world::World;
use crate::config::valid::Location;
use crate::diag::{Code, Diagnostic};
use crate::model::EnvironmentName;
use crate::plan::{GuardName, GuardVerdict};
use crate::render::{counted, moment};
use crate::runlog::due::Standing;
use crate::runlog::{ExitReason, GuardLine, RunFacts, RunLog, RunProblem, Trigger, Written};

/// Runs the command.
pub async fn run(world: &World, arguments: &ApplyArguments, cancel: &Cancel) -> Result<Exit, Failure> {
    let environment = arguments.env.unwrap_or(EnvironmentName::Sandbox);
    let repository = Repository::load_each(world, true)?;
    let place = repository.place(world);
    let all = place.repository.integrations.values();
    let wanted = all.filter(|i| i.environments.get(&environment).is_some_and(|e| e.schedule.is_some()));
    let wanted: Vec<_> = wanted.filter(|i| i.has_label(&arguments.label)).collect();
    let mut exit = Exit::Done;
    if let Some(faults) = repository.faults() {
        // All are broken where it is not known: the files that say it are everybody's.
        if !repository.logs_known() {
            let without = "no run log is written and no notice sent, as it is not known where they go";
            return Err(faults.help(format!("nothing was run; {without}; `footbridge status` exits with 3")));
        }
        exit = super::told(world, Err(faults));
    } else if wanted.is_empty() {
        return Err(Failure::usage(Code::NothingNamed, format!("no integration has a schedule in {environment}"))
            .help("add `schedule: daily` to an integration's environment, or name what to apply"));
    }
    world.several();
    // Whatever is logged below is to come to the branch.
    let publisher = Publisher::of(&place, arguments)?;
    let (now, store) = (world.now(), place.store());
    let (mut works, mut watched) = (Vec::new(), Vec::new());
    for unusable in repository.unusable().iter().filter(|unusable| unusable.has_label(&arguments.label)) {
        match unusable::fail(&place, &store, (unusable, environment), now, &publisher) {
            Ok(failed) => watched.extend(failed),
            Err(failure) => exit = exit.and(super::told(world, Err(failure))),
        }
    }
    for integration in wanted {
        let target = place.target(integration, environment).map_err(|failure| not_pinned(failure, environment));
        let ready = target.and_then(|target| {
            let stand = Stand::look(&place, &store, integration, environment, now)?;
            Ok((target, stand))
        });
        let (target, stand) = match ready {
            Ok(ready) => ready,
            Err(failure) => {
                exit = exit.and(super::told(world, Err(failure)));
                continue;
            }
        };
        let Some(tick) = stand.judgement.and_then(|judgement| judgement.tick).filter(|_| stand.is_due()) else {
            continue;
        };
        if let Some(age) = stand.stale {
            exit = exit.and(super::told(
                world,
                wait(&place, target, stand.passed_by(now), age, &|log, written| publisher.wrote(&place, log, written)),
            ));
        } else {
            works.push(Work { target, tick: Some(tick), passed: stand.passed_by(now) });
        }
        watched.push(notices::Watched {
            name: &integration.name.value,
            environment,
            org_id: target.org_id,
            on_held: integration.on_held,
            newest: stand.newest,
            before: stand.telling,
        });
    }
    if works.is_empty() {
        world.say(&format!("nothing is to be run in {environment} now; `footbridge due --env {environment}` says why"));
    }
    exit = exit.and(side::apply(place, &works, arguments, &Selection::default(), &publisher, cancel).await);
    // What has been pushed meanwhile lies on the branch only.
    let store = place.store();
    for path in notices::tell(&place, &store, &watched).await {
        publisher.again(&store, &place, &path);
    }
    Ok(exit.and(super::told(world, publisher.finish(&place))))
}

/// An integration whose org nobody has named cannot be judged: run logs lie under the org's id, and notices go by them.
fn not_pinned(failure: Failure, environment: EnvironmentName) -> Failure {
    let without = "until then its runs leave no log and no notice goes out, as both go by that id";
    failure.help(format!("{without}; `footbridge status --env {environment}` exits with 1"))
}

/// Is a tick that was due not due any more? Says so.
///
/// # Errors
/// The run logs cannot be read.
pub fn is_over(turn: &Turn<'_>, target: Target<'_>) -> Result<bool, Failure> {
    let place = turn.place();
    let now = place.world.now();
    let stand = Stand::look(place, turn.store(), target.integration, target.environment, now)?;
    let name = &target.integration.name.value;
    match stand.judgement.map(|judgement| judgement.standing) {
        // A run that died is no reason: its work is planned afresh.
        Some(Standing::GivenUp { .. }) if turn.has_buried() => Ok(false),
        Some(Standing::Finished | Standing::GivenUp { .. }) => {
            place.world.say(&format!("`{name}` has been run meanwhile"));
            Ok(true)
        }
        Some(Standing::Closed { until }) => {
            place.world.say(&format!("`{name}` may not run before {} (`not_during:`)", moment(until)));
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// A scheduled run whose plan `max_age` holds back waits for a newer report.
///
/// # Errors
/// The tick before went by in the same way: that run is Failed.
pub fn waits(
    turn: &Turn<'_>,
    target: Target<'_>,
    passed: Option<Timestamp>,
    held: &[&GuardVerdict],
) -> Result<Exit, Failure> {
    let age = held.iter().find(|guard| guard.name == GuardName::MaxAge).map_or(0, |guard| guard.value);
    wait(turn.place(), target, passed, age, &|log, written| turn.wrote(log, written))
}

fn wait(
    place: &Place<'_>,
    target: Target<'_>,
    passed: Option<Timestamp>,
    age: u64,
    wrote: &Wrote<'_>,
) -> Result<Exit, Failure> {
    say_waits(place.world, &target.integration.name.value);
    let passed = passed.map(|tick| Passed { tick, age, start: place.world.now(), late: false });
    passed.map_or(Ok(Exit::Done), |passed| never_came(place, target, passed, wrote))
}

/// Before a run begins: the tick before went by since its report was too old, and a younger one has come since. That run is Failed, and its log is older than
/// that of the run that begins at `start`.
///
/// # Errors
/// There was such a tick (exit 4); or its log cannot be written.
pub async fn late(turn: &Turn<'_>, target: Target<'_>, start: Timestamp, cancel: &Cancel) -> Result<Exit, Failure> {
    let place = turn.place();
    let stand = Stand::look(place, turn.store(), target.integration, target.environment, start)?;
    if stand.may_be_late(start).is_none() {
        return Ok(Exit::Done);
    }
    let source = target.integration.source(target.environment);
    let report = match &source.location.value {
        Location::Path(_) => modified(place, source),
        // It is fetched once a command; what is wrong with it is told by the run.
        Location::Url(_) | Location::Object(_) => tokio::select! {
            biased;
            () = heard(cancel) => None,
            fetched = place.fetched(source) => fetched.ok().and_then(|fetched| fetched.modified),
        },
    };
    match report.and_then(|report| stand.came_late(report, start)) {
        Some((tick, age)) => {
            never_came(place, target, Passed { tick, age, start, late: true }, &|log, written| turn.wrote(log, written))
        }
        None => Ok(Exit::Done),
    }
}

/// A tick that went by since its report was too old.
struct Passed {
    tick: Timestamp,
    /// The report's age in seconds.
    age: u64,
    /// When it was found out.
    start: Timestamp,
    /// A younger report has come since.
    late: bool,
}

/// Hears of a log that was written, to bring it to the branch.
type Wrote<'a> = dyn Fn(&RunLog, &Written) + 'a;

fn say_waits(world: &World, integration: &str) {
    let diagnostic = Diagnostic::warning(
        Code::ReportAwaited,
        format!("`{integration}` waits for a newer report: this one is older than `max_age` allows"),
    )
    .note("nothing was sent, and the next `footbridge apply --due` looks again")
    .help(format!("to apply this report all the same: `footbridge apply {integration} --waive max_age`"));
    crate::cli::tell_all(world, &[diagnostic].into_iter().collect());
}

/// The log of a tick that went by while the report was too old.
fn never_came(
    place: &Place<'_>,
    target: Target<'_>,
    Passed { tick, age, start, late }: Passed,
    wrote: &Wrote<'_>,
) -> Result<Exit, Failure> {
    let integration = target.integration;
    let message = match late {
        false => "no report young enough for max_age came before the next tick",
        true => {
            "no run was made before the next tick came, and by then the report of the run before was too old for max_age"
        }
    };
    let problem = RunProblem {
        code: Code::GuardAge.as_str().to_owned(),
        message: format!("{message} (this run's: {})", moment(tick)),
        not_done: Some("nothing was sent".to_owned()),
        next: None,
    };
    let facts = RunFacts {
        tick: Some(tick),
        problems: vec![problem],
        ..log::nothing_sent(&target.org.api_version, Trigger::Schedule, start, ExitReason::Guard)
    };
    let mut log = RunLog::unplanned(log::subject(target), facts);
    let guards = integration.environments.get(&target.environment).map(|e| &e.guards);
    let limit = guards.and_then(|guards| guards.max_age).map_or(0, |limit| limit.as_secs());
    let name = GuardName::MaxAge.as_str().to_owned();
    log.guards.push(GuardLine { name, value: age, base: 0, limit: limit.to_string(), held: true, waived: false });
    log::committed(place, &mut log);
    let written = place.store().write(&mut log, []).map_err(log::unwritable)?;
    wrote(&log, &written);
    let path = written.log.strip_prefix(place.root).unwrap_or(&written.log).display().to_string();
    let name = &integration.name.value;
    let (old, tick) = (counted(age / 3_600, "hour"), moment(tick));
    let (message, note) = match late {
        false => (
            format!(
                "`{name}` was not run: its report stayed older than `max_age` allows ({old} old) until the next tick"
            ),
            format!("nothing was sent; run log: {path}"),
        ),
        true => (
            format!(
                "`{name}` was not run for {tick}: the report was older than `max_age` allows ({old} old) when the next tick came"
            ),
            format!(
                "a younger report is there now, and the next run goes on with it; run log of the one that was not made: {path}"
            ),
        ),
    };
    let diagnostic = Diagnostic::error(Code::GuardAge, message).note(note).help("look at what delivers the report");
    Err(Failure::new(Exit::Held, diagnostic))
}
