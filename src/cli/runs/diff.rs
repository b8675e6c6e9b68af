//! `footbridge runs diff`: what one run did otherwise than another.

use std::path::Path;

use super::arguments::DiffArguments;
use super::{is_gone, wrong};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::show::options;
use crate::cli::world::World;
use crate::diag::Code;
use crate::render::runs;
use crate::runlog::{RunEnds, RunLog, RunsDiff, Store, StoreProblem};

/// Runs the command.
pub fn run(world: &World, store: &Store, arguments: &DiffArguments) -> Result<Exit, Failure> {
    let (first, second) = (store.read(&arguments.a).map_err(wrong)?, &arguments.b);
    let ((path_a, a), (path_b, b)) = match second {
        Some(second) => (first, store.read(second).map_err(wrong)?),
        None => (before(store, &first.1)?, first),
    };
    let (ends_a, ends_b) = (ends(store, &path_a, &a)?, ends(store, &path_b, &b)?);
    let found = RunsDiff::of((&a, ends_a.as_ref()), (&b, ends_b.as_ref()));
    match world.json {
        true => world.data(&runs::diff_json(&found)),
        false => world.print(&runs::diff(&found, &options(world, false))),
    }
    Ok(Exit::Done)
}

/// The run before this one, of the same integration, environment and org.
fn before(store: &Store, log: &RunLog) -> Result<(std::path::PathBuf, RunLog), Failure> {
    let older = store.newest(&log.integration, log.environment, log.org_id, |run| run.start < log.start);
    let Some(older) = older.map_err(wrong)? else {
        return Err(Failure::usage(Code::UnknownRun, format!("there is no run before {} to compare it with", log.id))
            .help("name two runs: `footbridge runs diff RUN RUN`"));
    };
    let found = store.log(&older.path).map_err(wrong)?;
    Ok((older.path, found))
}

/// How a run's records and rows ended, unless that is not kept any more.
fn ends(store: &Store, path: &Path, log: &RunLog) -> Result<Option<RunEnds>, Failure> {
    let (_, lines) = match store.outcomes(path, log) {
        Ok(found) => found,
        Err(problem) if is_gone(&problem) => return Ok(None),
        Err(problem) => return Err(wrong(problem)),
    };
    let mut ends = RunEnds::new();
    for line in lines {
        let line =
            line.map_err(|e| wrong(StoreProblem::Unreadable { path: path.to_owned(), reason: e.to_string() }))?;
        ends.line(&line);
    }
    Ok(Some(ends))
}
