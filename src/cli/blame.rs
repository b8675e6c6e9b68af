//! `footbridge blame`: which run set a record's field, from which report row and commit.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::exit::Exit;
use super::failure::Failure;
use super::git;
use super::repository::values_folder;
use super::runs::{BlameArguments, store, wrong};
use super::show::options;
use super::tokens::identity;
use super::world::World;
use crate::model::{FieldName, OrgId, RecordId};
use crate::render::runs::{self, Blamed, Values};
use crate::runlog::values::{Reader, ValuesProblem, is_sealed};
use crate::runlog::{Filter, Store};

/// The values of a run, where they are kept here and open with the key of this machine.
///
/// # Errors
/// They are kept, and cannot be read.
pub(super) fn values(
    world: &World,
    store: &Store,
    log: &Path,
    of: (&str, OrgId, &str),
) -> Result<Option<Reader>, ValuesProblem> {
    let Some(path) = store.values(&values_folder(&world.root()), log, of) else { return Ok(None) };
    // Without a key that can be used it is the file that says what is missing.
    store.open_values(&path, identity(world).ok().flatten().as_ref()).map(Some)
}

/// One record's values in a run.
fn of_record(reader: Reader, record: RecordId) -> Option<Values> {
    let mut found = None;
    // To the end: only there it is known that the file is whole.
    for line in reader {
        let line = line.ok()?;
        if line.id == record {
            let after = line.after;
            let pair = |(field, before): (FieldName, Option<String>)| {
                let written = after.as_ref().and_then(|after| after.get(&field).cloned());
                (field, (Some(before), written))
            };
            found = Some(line.before.into_iter().map(pair).collect());
        }
    }
    found
}

/// Runs the command.
pub fn run(world: &World, arguments: &BlameArguments) -> Result<Exit, Failure> {
    let store = store(world);
    let filter = Filter {
        integration: arguments.integration.clone(),
        environment: arguments.env,
        since: arguments.since.map(|when| when.begins(world.now())),
        ..Filter::default()
    };
    let most = if arguments.limit == 0 { usize::MAX } else { arguments.limit };
    let (record, field) = (arguments.record, arguments.field.as_ref());
    let (mut found, mut more) = (Vec::new(), false);
    let searched = store
        .mentions(record, &filter, |mention| {
            // The field decides before the log is read.
            let Some(blamed) = Blamed::of(&mention, None, field) else { return ControlFlow::Continue(()) };
            if found.len() == most {
                more = true;
                return ControlFlow::Break(());
            }
            let log = store.log(&mention.run.path).ok();
            let blamed = log.and_then(|log| Blamed::of(&mention, Some(&log), field)).unwrap_or(blamed);
            found.push((blamed, mention.run.org_id));
            ControlFlow::Continue(())
        })
        .map_err(wrong)?;
    let root = world.root();
    let below = |path: &str| Path::new(path).strip_prefix(&root).ok().map(PathBuf::from);
    let paths: Vec<PathBuf> = found.iter().filter_map(|(b, _)| below(&b.run.path)).collect();
    let commits = git::brought(&root, &paths);
    let (own, has_key) = (values_folder(&root), matches!(identity(world), Ok(Some(_))));
    for (blamed, org_id) in &mut found {
        if let Some(path) = below(&blamed.run.path) {
            blamed.run.log_commit = commits.get(&path).map(|(hash, _)| hash.clone());
            blamed.run.path = path.display().to_string();
        }
        let full = root.join(&blamed.run.path);
        let of = (blamed.run.integration.as_str(), *org_id, blamed.run.run.as_str());
        if world.terminal && !world.json {
            let reader = values(world, &store, &full, of).ok().flatten();
            blamed.run.values_kept = reader.is_some();
            blamed.values = reader.and_then(|reader| of_record(reader, record));
        } else {
            // Whom no value is shown need not wait for them to be opened.
            let path = store.values(&own, &full, of);
            blamed.run.values_kept = path.is_some_and(|path| has_key || !is_sealed(&path));
        }
    }
    let all: Vec<Blamed> = found.into_iter().map(|(blamed, _)| blamed).collect();
    let view = runs::blame_view(record.as_str(), field, &all, more, searched);
    match world.json {
        true => world.data(&runs::blame_json(&view)),
        false => world.print(&runs::blame(&view, &all, field, &options(world, false))),
    }
    Ok(Exit::Done)
}
