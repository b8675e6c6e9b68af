//! `footbridge runs show`: everything about one run, or every record or row of it that went otherwise.

use std::io;

use super::arguments::ShowRunArguments;
use super::{is_gone, wrong};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::show::options;
use crate::cli::world::World;
use crate::diag::Code;
use crate::render::{Ends, runs};
use crate::runlog::{Outcome, OutcomesLine, Store, StoreProblem};

/// Runs the command.
pub fn run(world: &World, store: &Store, arguments: &ShowRunArguments) -> Result<Exit, Failure> {
    let how = options(world, false);
    let (path, log) = store.read(&arguments.run).map_err(wrong)?;
    let wanted = |line: &OutcomesLine| match line {
        OutcomesLine::Head(_) => true,
        OutcomesLine::Record(record) if arguments.failed => record.outcome != Outcome::Updated,
        OutcomesLine::Record(_) => !arguments.rows,
        OutcomesLine::Row(_) => !arguments.failed,
    };
    let gone = matches!(store.outcomes(&path, &log), Err(problem) if is_gone(&problem));
    if gone {
        let what = "its outcomes, record by record, are not there any more (`footbridge runs prune` removes them)";
        if arguments.failed || arguments.rows {
            return Err(Failure::usage(Code::UnknownRun, format!("run {}: {what}", log.id))
                .help(format!("`footbridge runs show {}` shows its log", log.id)));
        }
        world.say(&format!("run {}: {what}", log.id));
    }
    let lines = || -> Result<Box<dyn Iterator<Item = io::Result<OutcomesLine>>>, StoreProblem> {
        if gone {
            return Ok(Box::new(std::iter::empty()));
        }
        let (_, lines) = store.outcomes(&path, &log)?;
        Ok(Box::new(lines.map(|line| line.map_err(io::Error::other))))
    };
    let chosen = || -> Result<_, StoreProblem> { Ok(lines()?.filter(|line| line.as_ref().map_or(true, wanted))) };
    let damaged = |e: &io::Error| Failure::usage(Code::UnknownRun, e.to_string());
    if world.json {
        // Whether all of it can be read is known before anything is printed.
        lines().map_err(wrong)?.try_for_each(|line| line.map(drop)).map_err(|e| damaged(&e))?;
        let reread = || chosen().map_err(io::Error::other);
        world.document(|out| runs::show_json(&log, reread, out)).map_err(|e| damaged(&e))?;
    } else if arguments.failed || arguments.rows {
        let chosen = chosen().map_err(wrong)?;
        world.stream(|out| runs::outcomes(chosen, &how, out)).map_err(|e| damaged(&e))?;
    } else {
        let mut ends = Ends::new(&how);
        for line in lines().map_err(wrong)? {
            ends.line(&line.map_err(|e| damaged(&e))?);
        }
        world.print(&runs::show(&log, &ends, &how));
    }
    Ok(Exit::Done)
}
