//! `footbridge due`: what the schedule wants run now, and why. Reads the run logs; reaches no org.

use std::collections::BTreeSet;

use clap::Args;
use jiff::Timestamp;

use super::arguments::environment;
use super::exit::Exit;
use super::failure::Failure;
use super::ground::Place;
use super::repository::Repository;
use super::show::options;
use super::standing::Stand;
use super::world::World;
use crate::config::Unusable;
use crate::model::EnvironmentName;
use crate::render::schedule::{LastRun, StandLine, json, table};
use crate::render::{counted, moment};
use crate::runlog::Store;
use crate::runlog::due::Standing;

/// `footbridge due`
#[derive(Debug, Args)]
#[command(after_help = "\
A schedule's latest tick is due until a run since then is Completed, or `retries` more were made in vain.
`footbridge apply --due` runs what is due.")]
pub struct DueArguments {
    /// Integrations, by name [default: all that run in the environment]
    #[arg(value_name = "INTEGRATION")]
    pub names: Vec<String>,
    /// sandbox or production
    #[arg(long, value_name = "ENVIRONMENT", value_parser = environment, default_value = "sandbox")]
    pub env: EnvironmentName,
}

/// Runs the command.
pub fn run(world: &World, arguments: &DueArguments) -> Result<Exit, Failure> {
    let repository = Repository::load_each(world, false)?;
    let place = repository.place(world);
    let (now, store) = (world.now(), place.store());
    let mut lines = Vec::new();
    for stand in stands(&repository, &place, &store, (&arguments.names, arguments.env), now)? {
        lines.push(line(&stand, arguments.env));
    }
    match world.json {
        true => world.data(&json(arguments.env, now, lines)),
        false => world.print(&table(&lines, &options(world, false))),
    }
    Ok(super::faults_told(world, &repository))
}

/// How these integrations stand, or all that run in the environment.
///
/// # Errors
/// None runs there; one that was named does not exist or does not run there.
pub fn stands<'a>(
    repository: &'a Repository,
    place: &Place<'a>,
    store: &Store,
    (names, environment): (&[String], EnvironmentName),
    now: Timestamp,
) -> Result<Vec<Stand<'a>>, Failure> {
    let (mut wanted, mut broken) = (Vec::new(), Vec::new());
    for name in names {
        if let Some(unusable) = repository.unusable().iter().find(|unusable| unusable.name == *name) {
            broken.push(unusable);
            continue;
        }
        let integration = place.integration(name)?;
        // Whether it runs there; that it has no org id yet is told of it later.
        if !integration.environments.contains_key(&environment) {
            place.target(integration, environment)?;
        }
        wanted.push(integration);
    }
    if names.is_empty() {
        wanted = place.repository.integrations.values().collect();
        wanted.retain(|integration| integration.environments.contains_key(&environment));
        broken.extend(repository.unusable().iter().filter(|one| one.environments.contains_key(&environment)));
    }
    if wanted.is_empty() && broken.is_empty() {
        return Err(repository.faults().unwrap_or_else(|| super::nothing_chosen(environment, &[])));
    }
    let wanted = wanted.into_iter().map(|integration| Stand::look(place, store, integration, environment, now));
    let broken = broken.into_iter().map(|unusable| Stand::broken(place, store, unusable, environment, now));
    let mut stands: Vec<Stand<'a>> = wanted.chain(broken).collect::<Result<_, _>>()?;
    if names.is_empty() {
        stands.sort_by_key(|stand| stand.name);
    }
    Ok(stands)
}

/// The newest run that tells something, in a few words.
pub fn last(stand: &Stand<'_>) -> Option<LastRun> {
    let (_, log) = stand.telling.as_ref()?;
    let exit = log.exit.as_str().to_owned();
    Some(LastRun { run: log.id.clone(), start: log.start, status: log.status, exit })
}

/// The errors that keep it from running.
pub fn mistakes(unusable: &Unusable) -> String {
    let codes: BTreeSet<&str> = unusable.errors.iter().map(|error| error.code.as_str()).collect();
    codes.into_iter().collect::<Vec<_>>().join(", ")
}

/// One that the configuration keeps from running.
pub fn broken(stand: &Stand<'_>) -> Option<(&'static str, Option<bool>, String)> {
    let codes = mistakes(stand.fault?);
    Some(("broken", Some(false), format!("the configuration is not right ({codes}); `footbridge validate` says where")))
}

fn line(stand: &Stand<'_>, environment: EnvironmentName) -> StandLine {
    let name = stand.name;
    let judgement = stand.judgement.as_ref();
    let tick = judgement.and_then(|judgement| judgement.tick);
    let since = tick.map_or_else(String::new, |tick| format!(" since {}", moment(tick)));
    let standing = judgement.map(|judgement| judgement.standing);
    let (state, good, why) = broken(stand).unwrap_or_else(|| match standing {
        None => ("not scheduled", None, "no `schedule:` in this environment".to_owned()),
        Some(_) if stand.org_id.is_none() => {
            let org = stand.org.unwrap_or_default();
            let why = format!("no org id is pinned: `footbridge orgs connect {org} --env {environment}`");
            ("not connected", Some(false), why)
        }
        Some(Standing::Waiting) => ("not due", None, "no tick has come yet".to_owned()),
        Some(Standing::Finished) => ("done", Some(true), format!("a run{since} is Completed")),
        Some(Standing::GivenUp { tries }) => {
            let runs = counted(u64::from(tries), "scheduled run");
            ("given up", Some(false), format!("{runs}{since} failed or were held; not tried again before the next"))
        }
        Some(Standing::Closed { until }) => ("held off", None, format!("`not_during:` until {}", moment(until))),
        Some(Standing::Due { .. }) if stand.stale.is_some() => {
            let hours = stand.stale.unwrap_or_default() / 3_600;
            ("waiting", None, format!("the report is {hours} h old; `max_age` wants a newer one"))
        }
        Some(Standing::Due { tries }) => {
            let mut why = match (tries, stand.ran()) {
                (0, true) => format!("no run{since}"),
                (0, false) => "it never ran".to_owned(),
                (tries, _) => format!("tried {} in vain{since}", counted(u64::from(tries), "time")),
            };
            if !stand.ran() && environment == EnvironmentName::Production {
                why = format!(
                    "it never ran; the first run needs a person: `footbridge apply {name} --env production --first-run`"
                );
            }
            ("due", None, why)
        }
    });
    StandLine {
        integration: name.to_owned(),
        state,
        good,
        why,
        last: last(stand),
        completed: stand.completed,
        tick,
        next: judgement.and_then(|judgement| judgement.next),
    }
}
