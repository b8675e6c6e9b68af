//! `footbridge runs prune`: says what goes, asks, removes it, here and with `--push` from the branch of run logs.

use super::arguments::PruneArguments;
use super::wrong;
use crate::cli::branch::{failure, open, with_locks};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::repository::values_folder;
use crate::cli::show::options;
use crate::cli::world::World;
use crate::config;
use crate::diag::{Code, Diagnostic};
use crate::render::{counted, runs};
use crate::runlog::git::{Branch, Change, Content, GitProblem};
use crate::runlog::{Filter, Keep, Pruning};

/// What was not done when the branch cannot be had.
const NOTHING: &str = "nothing was removed";

/// Runs the command.
pub fn run(world: &World, arguments: &PruneArguments) -> Result<Exit, Failure> {
    if arguments.keep.is_none() && arguments.keep_last.is_none() {
        return Err(Failure::usage(Code::PruneKeep, "say how much of the history stays: nothing was removed")
            .help("`footbridge runs prune --keep 90d --dry-run` shows what would go"));
    }
    if arguments.push {
        crate::cli::ci::not_a_pull_request(world)?;
    }
    let root = world.root();
    let project = config::load_for(&root, &|_| None, &[]).repository.project;
    let fetched = || -> Result<Branch, GitProblem> {
        let branch = open(world, &root, &project)?;
        branch.fetch()?;
        Ok(branch)
    };
    let branch = arguments.push.then(fetched).transpose();
    let branch = branch.map_err(|problem| failure(&problem, Code::GitFailed, NOTHING))?;
    let now = world.now();
    let since = arguments.keep.map(|long| now.checked_sub(long).unwrap_or(jiff::Timestamp::MIN));
    let keep = Keep { since, last: arguments.keep_last, whole: arguments.logs, branch: branch.is_some() };
    let filter = Filter { integration: arguments.integration.clone(), ..Filter::default() };
    let store = with_locks(world, &root, &project, branch.is_some());
    let store = store.map_err(|problem| failure(&problem, Code::GitFailed, NOTHING))?;
    let pruning = store.prunable(keep, &filter, &values_folder(&root)).map_err(wrong)?;
    let text = |removed| runs::prune(&pruning, &root, &project.runs, removed, &options(world, false));
    let show = |removed| match world.json {
        true => world.data(&runs::prune_json(&pruning, &root, &project.runs, removed)),
        false => world.print(&text(removed)),
    };
    if arguments.dry_run || pruning.is_empty() {
        show(false);
        return Ok(Exit::Done);
    }
    if !arguments.yes {
        // Who is asked has to see what about, wherever data goes.
        match world.json {
            true => world.warn(&text(false)),
            false => show(false),
        }
        let question = format!("Remove {} for good? Type yes to go on:", counted(pruning.files(), "file"));
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
    // The branch first: where it cannot be pushed, nothing is gone.
    if let Some(branch) = branch.filter(|_| !pruning.branch.is_empty()) {
        push(world, &branch, &project.runs, &pruning)?;
    }
    let removed = pruning.remove().map_err(|problem| {
        let diagnostic = Diagnostic::error(Code::FileUnwritable, format!("a file cannot be removed: {problem}"))
            .note("the files before it are removed, and so are those of the branch")
            .help("mend the folder's permissions, then prune again");
        Failure::new(Exit::Failed, diagnostic)
    })?;
    if world.json || arguments.yes {
        show(true);
    } else if !pruning.going.is_empty() {
        world.say(&format!("{} removed here; commit the change", counted(removed, "file")));
    }
    Ok(Exit::Done)
}

/// Takes the files from the branch of the remote, in one commit.
fn push(world: &World, branch: &Branch, folder: &str, pruning: &Pruning) -> Result<(), Failure> {
    let gone = |name: &String| Change { path: format!("{folder}/{name}"), content: Content::Gone };
    let changes: Vec<Change> = pruning.branch.iter().map(gone).collect();
    let message = format!("Pruned: {} of older runs\n", counted(changes.len() as u64, "file"));
    let pushed = branch.push(&changes, &message, world.now());
    let pushed = pushed.map_err(|problem| failure(&problem, Code::GitFailed, NOTHING))?;
    let commit = &pushed.commit[..10.min(pushed.commit.len())];
    world.say(&format!("pushed to `{}` of {} ({commit})", branch.name(), branch.remote()));
    Ok(())
}
