//! `footbridge runs`: what happened.

use std::io;

use super::arguments::{RunsArguments, RunsCommand};
use super::branch;
use super::exit::Exit;
use super::failure::Failure;
use super::show::options;
use super::world::World;
use crate::diag::Code;
use crate::render::{Ends, runs};
use crate::runlog::{Filter, StoreProblem};

fn wrong(problem: StoreProblem) -> Failure {
    let code = match problem {
        StoreProblem::NotFound { .. } | StoreProblem::Ambiguous { .. } => Code::UnknownRun,
        _ => Code::RunLogUnwritable,
    };
    Failure::usage(code, problem.to_string()).help("`footbridge runs` lists the runs")
}

/// Runs the command.
pub fn run(world: &World, arguments: &RunsArguments) -> Result<Exit, Failure> {
    let store = branch::of_here(world);
    let how = options(world, false);
    match &arguments.command {
        None => {
            let filter = Filter { integration: arguments.integration.clone(), ..Filter::default() };
            let listed = store.list(&filter).map_err(wrong)?;
            world.print(&if world.json { runs::table_json(&listed) } else { runs::table(&listed, &how) });
        }
        Some(RunsCommand::Show { run }) => {
            let (path, log) = store.read(run).map_err(wrong)?;
            let lines = || store.outcomes(&path, &log).map(|(_, lines)| lines.map(|l| l.map_err(io::Error::other)));
            let damaged = |e: &io::Error| Failure::usage(Code::UnknownRun, e.to_string());
            if world.json {
                // Whether all of it can be read is known before anything is printed.
                lines().map_err(wrong)?.try_for_each(|line| line.map(drop)).map_err(|e| damaged(&e))?;
                let reread = || lines().map_err(io::Error::other);
                world.stream(|out| runs::show_json(&log, reread, out)).map_err(|e| damaged(&e))?;
            } else {
                let mut ends = Ends::new(&how);
                for line in lines().map_err(wrong)? {
                    ends.line(&line.map_err(|e| damaged(&e))?);
                }
                world.print(&runs::show(&log, &ends, &how));
            }
        }
    }
    Ok(Exit::Done)
}
