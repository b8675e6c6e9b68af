//! `footbridge status`: is every integration well? For a monitor outside: reads configuration and run logs, and nothing else.

use std::collections::BTreeSet;

use clap::Args;
use jiff::{SignedDuration, Timestamp};

use super::apply::carry::say_unsettled;
use super::arguments::environment;
use super::due::{broken, last, stands};
use super::exit::Exit;
use super::failure::Failure;
use super::repository::Repository;
use super::show::options;
use super::standing::Stand;
use super::world::World;
use crate::model::EnvironmentName;
use crate::render::moment;
use crate::render::schedule::{StandLine, json, table};
use crate::runlog::due::Calendar;
use crate::runlog::{ExitReason, Status};

/// `footbridge status`
#[derive(Debug, Args)]
#[command(after_help = "\
Exits with 1 when any integration has failed or is overdue, with 3 when the configuration is not right, else with 0. Needs no log-in and no network.")]
pub struct StatusArguments {
    /// Integrations, by name [default: all that run in the environment]
    #[arg(value_name = "INTEGRATION")]
    pub names: Vec<String>,
    /// sandbox or production
    #[arg(long, value_name = "ENVIRONMENT", value_parser = environment, default_value = "sandbox")]
    pub env: EnvironmentName,
    /// Overdue is what is scheduled and was not Completed for so long, such as 26h [default: 3h after it was due]
    #[arg(long, value_name = "AGE", value_parser = age)]
    pub max_age: Option<SignedDuration>,
}

fn age(text: &str) -> Result<SignedDuration, String> {
    let wrong = || "a number and s, m, h or d, such as 26h".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let number: i64 =
        text.strip_suffix(unit).and_then(|n| n.parse().ok()).filter(|n| (1..100_000).contains(n)).ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    Ok(SignedDuration::from_secs(number * seconds))
}

/// Runs the command.
pub fn run(world: &World, arguments: &StatusArguments) -> Result<Exit, Failure> {
    let repository = Repository::load_each(world, false)?;
    let place = repository.place(world);
    let now = world.now();
    let stands = stands(&repository, &place, &place.store(), (&arguments.names, arguments.env), now)?;
    let lines: Vec<StandLine> = stands.iter().map(|stand| line(stand, arguments, now)).collect();
    let bad = lines.iter().any(|line| line.good == Some(false));
    match world.json {
        true => world.data(&json(arguments.env, now, lines)),
        false => world.print(&table(&lines, &options(world, false))),
    }
    say_unsettled(world, place.root);
    let faults = super::faults_told(world, &repository);
    Ok(faults.and(if bad { Exit::Failed } else { Exit::Done }))
}

fn line(stand: &Stand<'_>, arguments: &StatusArguments, now: Timestamp) -> StandLine {
    let log = stand.telling.as_ref().map(|(_, log)| log);
    let failed = log.filter(|log| log.status == Status::Failed);
    let completed =
        || stand.completed.map_or_else(|| "never Completed".to_owned(), |at| format!("last Completed {}", moment(at)));
    let (state, good, why) = broken(stand).unwrap_or_else(|| match (failed, late(stand, arguments, now)) {
        (Some(log), _) => {
            let guards: Vec<&str> = log.held_by().map(|guard| guard.name.as_str()).collect();
            let codes: BTreeSet<&str> = log.problems.iter().map(|problem| problem.code.as_str()).collect();
            let codes: Vec<&str> = codes.into_iter().collect();
            let what = match &log.exit {
                ExitReason::Guard => format!("guard {}", guards.join(", ")),
                exit if codes.is_empty() => exit.sentence().to_owned(),
                exit => format!("{} ({})", exit.sentence(), codes.join(", ")),
            };
            ("failed", Some(false), format!("{what}; `footbridge runs show {}`", log.id))
        }
        (None, Some(why)) => ("overdue", Some(false), format!("{why}; {}", completed())),
        (None, None) if stand.ticks.is_none() => ("not scheduled", None, completed()),
        (None, None) => ("ok", Some(true), completed()),
    });
    let judgement = stand.judgement.as_ref();
    StandLine {
        integration: stand.name.to_owned(),
        state,
        good,
        why,
        last: last(stand),
        completed: stand.completed,
        tick: judgement.and_then(|judgement| judgement.tick),
        next: judgement.and_then(|judgement| judgement.next),
    }
}

/// Why it is overdue, where it is.
fn late(stand: &Stand<'_>, arguments: &StatusArguments, now: Timestamp) -> Option<String> {
    let ticks = stand.ticks?;
    if stand.org_id.is_none() {
        return Some("no org id is pinned, so it cannot run".to_owned());
    }
    if let Some(most) = arguments.max_age {
        let since = now.checked_sub(most).ok()?;
        let young = stand.completed.is_some_and(|at| at >= since);
        return (!young).then(|| format!("not Completed for {} h", most.as_hours().max(1)));
    }
    let tick = ticks.latest(now)?;
    if !stand.ran() && ticks.closed_until(now).is_none() {
        return Some("it never ran".to_owned());
    }
    stand.is_overdue(now).then(|| format!("due, and not run (latest tick {})", moment(tick)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages() {
        assert_eq!(age("26h"), Ok(SignedDuration::from_hours(26)));
        assert_eq!(age("90m"), Ok(SignedDuration::from_mins(90)));
        for wrong in ["", "h", "26", "0h", "-1h", "1w", "1.5h", "é"] {
            assert!(age(wrong).is_err(), "{wrong}");
        }
    }
}
