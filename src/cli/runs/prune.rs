//! `footbridge runs prune`: says what goes, asks, removes it.

use super::arguments::PruneArguments;
use super::wrong;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::repository::state_folder;
use crate::cli::show::options;
use crate::cli::world::World;
use crate::diag::{Code, Diagnostic};
use crate::render::{counted, runs};
use crate::runlog::{Filter, Keep, Store};

/// Runs the command.
pub fn run(world: &World, store: &Store, arguments: &PruneArguments) -> Result<Exit, Failure> {
    if arguments.keep.is_none() && arguments.keep_last.is_none() {
        return Err(Failure::usage(Code::PruneKeep, "say how much of the history stays: nothing was removed")
            .help("`footbridge runs prune --keep 90d --dry-run` shows what would go"));
    }
    let now = world.now();
    let since = arguments.keep.map(|long| now.checked_sub(long).unwrap_or(jiff::Timestamp::MIN));
    let keep = Keep { since, last: arguments.keep_last, whole: arguments.logs };
    let filter = Filter { integration: arguments.integration.clone(), ..Filter::default() };
    let values = state_folder(&world.root()).join("values");
    let pruning = store.prunable(keep, &filter, &values).map_err(wrong)?;
    let root = world.root();
    let shown = |removed: bool| {
        if world.json {
            runs::prune_json(&pruning, &root, removed)
        } else {
            runs::prune(&pruning, &root, removed, &options(world, false))
        }
    };
    if arguments.dry_run || pruning.going.is_empty() {
        world.print(&shown(false));
        return Ok(Exit::Done);
    }
    if !arguments.yes {
        if world.json {
            world.warn(&runs::prune(&pruning, &root, false, &options(world, false)));
        } else {
            world.print(&shown(false));
        }
        let question = format!("Remove {} for good? Type yes to go on:", counted(pruning.going.len() as u64, "file"));
        match world.ask(&question) {
            Some(answer) if answer == "yes" => {}
            answer => {
                let diagnostic = Diagnostic::error(Code::NotConfirmed, "not confirmed: nothing was removed");
                let diagnostic = match answer {
                    Some(_) => diagnostic.help("to remove the files, type `yes`"),
                    None => diagnostic.help("on a machine without a person, say `--yes`"),
                };
                return Err(Failure::new(Exit::Usage, diagnostic));
            }
        }
    }
    let removed = pruning.remove().map_err(|problem| {
        let diagnostic = Diagnostic::error(Code::FileUnwritable, format!("a file cannot be removed: {problem}"))
            .note("the files before it are removed")
            .help("mend the folder's permissions, then prune again");
        Failure::new(Exit::Failed, diagnostic)
    })?;
    if world.json || arguments.yes {
        world.print(&shown(true));
    } else {
        world.say(&format!("{} removed; commit the change", counted(removed, "file")));
    }
    Ok(Exit::Done)
}
