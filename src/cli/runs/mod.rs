//! `footbridge runs`: what happened.

mod arguments;
mod diff;
mod prune;
mod show;

pub(super) use arguments::when;
pub use arguments::{BlameArguments, DriftArguments, RunsArguments, When};

use std::ops::ControlFlow;

use self::arguments::RunsCommand;
use super::apply::carry::say_unsettled;
use super::exit::Exit;
use super::failure::Failure;
use super::show::options;
use super::world::World;
use crate::diag::Code;
use crate::render::runs;
use crate::runlog::{Store, StoreProblem};

/// Runs that a list shows to a person who does not say how many.
const SHOWN: usize = 50;

/// Is the outcomes file gone? Pruned, or never fetched.
pub(super) fn is_gone(problem: &StoreProblem) -> bool {
    matches!(problem, StoreProblem::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound)
}

/// Why the history cannot be read, for people.
pub(super) fn wrong(problem: StoreProblem) -> Failure {
    let code = match problem {
        StoreProblem::NotFound { .. } | StoreProblem::Ambiguous { .. } => Code::UnknownRun,
        _ => Code::RunLogUnwritable,
    };
    let mut failure = Failure::usage(code, problem.to_string());
    if let StoreProblem::Ambiguous { paths, .. } = &problem {
        for path in paths.iter().take(5) {
            failure = failure.help(format!("it may be {}", path.display()));
        }
    }
    let several = matches!(problem, StoreProblem::Ambiguous { .. });
    failure.help(if several { "name the integration, too: NAME/ID" } else { "`footbridge runs` lists the runs" })
}

/// Where the run logs are read from.
pub(super) fn store(world: &World) -> Store {
    super::branch::of_here(world)
}

/// Runs the command.
pub fn run(world: &World, arguments: &RunsArguments) -> Result<Exit, Failure> {
    match &arguments.command {
        None => list(world, &store(world), arguments),
        Some(RunsCommand::Show(which)) => show::run(world, &store(world), which),
        Some(RunsCommand::Diff(which)) => diff::run(world, &store(world), which),
        Some(RunsCommand::Prune(how)) => prune::run(world, how),
    }
}

fn list(world: &World, store: &Store, arguments: &RunsArguments) -> Result<Exit, Failure> {
    let most = match arguments.limit {
        Some(0) => usize::MAX,
        Some(most) => most,
        None if world.json => usize::MAX,
        None => SHOWN,
    };
    let filter = arguments.which.filter(world.now());
    let (mut listed, mut more) = (Vec::new(), false);
    store
        .each(&filter, |found| {
            more = listed.len() == most;
            if more {
                return ControlFlow::Break(());
            }
            listed.push(found);
            ControlFlow::Continue(())
        })
        .map_err(wrong)?;
    match world.json {
        true => world.data(&runs::table_json(&listed)),
        false => world.print(&runs::table(&listed, &options(world, false))),
    }
    say_unsettled(world, &world.root());
    if more && !world.json {
        world.say("There are older runs: `--limit N` shows more, `--limit 0` all, `--since 7d` those of a week.");
    }
    Ok(Exit::Done)
}
