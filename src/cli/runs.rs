//! `footbridge runs`: what happened.

use super::arguments::{RunsArguments, RunsCommand};
use super::exit::Exit;
use super::failure::Failure;
use super::repository::runs_folder;
use super::show::options;
use super::world::World;
use crate::diag::Code;
use crate::render::runs;
use crate::runlog::{Filter, OutcomesLine, Store, StoreProblem};

fn wrong(problem: StoreProblem) -> Failure {
    let code = match problem {
        StoreProblem::NotFound { .. } | StoreProblem::Ambiguous { .. } => Code::UnknownRun,
        _ => Code::RunLogUnwritable,
    };
    Failure::usage(code, problem.to_string()).help("`footbridge runs` lists the runs")
}

/// Runs the command.
pub fn run(world: &World, arguments: &RunsArguments) -> Result<Exit, Failure> {
    let store = Store::open(runs_folder(world));
    let how = options(world, false);
    match &arguments.command {
        None => {
            let filter = Filter { integration: arguments.integration.clone(), ..Filter::default() };
            let listed = store.list(&filter).map_err(wrong)?;
            world.print(&if world.json { runs::table_json(&listed) } else { runs::table(&listed, &how) });
        }
        Some(RunsCommand::Show { run }) => {
            let (path, log) = store.read(run).map_err(wrong)?;
            let (mut records, mut rows) = (Vec::new(), Vec::new());
            let (_, lines) = store.outcomes(&path, &log).map_err(wrong)?;
            for line in lines {
                match line.map_err(|e| Failure::usage(Code::UnknownRun, e.to_string()))? {
                    OutcomesLine::Record(record) => records.push(record),
                    OutcomesLine::Row(row) => rows.push(row),
                    OutcomesLine::Head(_) => {}
                }
            }
            world.print(&if world.json {
                runs::show_json(&log, &records, &rows)
            } else {
                runs::show(&log, &records, &rows, &how)
            });
        }
    }
    Ok(Exit::Done)
}
