//! `footbridge unlock`: the locks on the remote, and taking one away whose run is gone. What a lock knows of its run stays until that has a log.

use std::path::PathBuf;
use std::sync::PoisonError;

use clap::Args;
use jiff::Timestamp;

use super::branch::{ago, failure};
use super::exit::Exit;
use super::failure::Failure;
use super::repository::Repository;
use super::world::World;
use crate::diag::{Code, Diagnostic};
use crate::render::commands::{BegunView, LockView, LocksView, json};
use crate::render::counted;
use crate::render::escape::Terminal;
use crate::runlog::git::{Held, LockNote, Released, lock_branch};
use crate::runlog::{Intent, Store, safe_segment};

/// The format of what `--json` prints.
const FORMAT: &str = "footbridge locks-view/1";
/// What was not done when anything goes wrong.
const NOTHING: &str = "no lock was taken away";

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  footbridge unlock                               the locks that are held, by whom and for how long
  footbridge unlock 2026-11-21T090003Z            take a lock away that is past its time
  footbridge unlock 2026-11-21T090003Z --force    take a younger one away: you know that its machine is gone")]
#[allow(missing_docs)]
pub struct UnlockArguments {
    /// The run whose lock it is, as the message named it; or the lock's branch [default: lists the locks]
    pub run: Option<String>,
    /// Take away a lock whose run may still be at work
    #[arg(long, requires = "run")]
    pub force: bool,
}

/// Runs the command.
pub fn run(world: &World, arguments: &UnlockArguments) -> Result<Exit, Failure> {
    if arguments.run.is_some() {
        super::ci::not_a_pull_request(world)?;
    }
    let repository = Repository::load_offline(world)?;
    let place = repository.place(world);
    let branch = place.branch()?;
    let wrong = |problem| failure(&problem, Code::GitFailed, NOTHING);
    let all = Held::all(&branch).map_err(wrong)?;
    // After the locks: a run that ended meanwhile has its log then.
    branch.fetch().map_err(wrong)?;
    world.fetched.lock().unwrap_or_else(PoisonError::into_inner).insert(place.root.to_owned());
    let locks: Vec<String> = all.iter().map(|held| held.commit.clone()).collect();
    let store = place.store_and(&locks);
    let intents: Vec<Intent> = store.intents().unwrap_or_default().into_iter().map(|(_, intent)| intent).collect();
    let limit = place.repository.project.git.stale_after.as_secs();
    let Some(wanted) = &arguments.run else {
        list(world, &all, &intents, limit);
        return Ok(Exit::Done);
    };
    let fits = |held: &&Held| {
        !held.is_left() && held.branch == *wanted
            || held.note.as_ref().is_some_and(|n| n.run == *wanted || n.integration == *wanted)
    };
    let found: Vec<&Held> = all.iter().filter(fits).collect();
    let held = match found.as_slice() {
        [one] => *one,
        [] => {
            let wanted = Terminal(wanted).to_string();
            return Err(Failure::usage(Code::UnknownRun, format!("no lock on the remote is of run `{wanted}`"))
                .help("`footbridge unlock` lists the locks that are held, and what runs have left there"));
        }
        several => {
            let names: Vec<&str> = several.iter().map(|h| h.branch.as_str()).collect();
            return Err(Failure::usage(Code::UnknownRun, "several locks are of this run")
                .help(format!("name one by its branch: {}", names.join(", "))));
        }
    };
    let age = held.note.as_ref().map(|note| note.age(world.now()));
    if age.is_none_or(|age| age <= limit) && !arguments.force {
        let what = match (&held.note, age) {
            (Some(note), Some(age)) => {
                format!("the lock of {} is {} old: the run may still be at work", who(note), ago(age))
            }
            _ => format!("the lock {} cannot be read: whose it is, and how old, is not known", held.branch),
        };
        let diagnostic = Diagnostic::error(Code::RemoteLocked, what)
            .note(NOTHING)
            .help(format!("locks older than {} are taken over without being asked", ago(limit)))
            .help(format!("if you know that its machine is gone: `footbridge unlock {} --force`", Terminal(wanted)));
        return Err(Failure::new(Exit::Failed, diagnostic));
    }
    if held.release(&branch, world.now()).map_err(wrong)? == Released::Lost {
        let diagnostic = Diagnostic::error(Code::RemoteLocked, "the lock has changed hands in the meantime")
            .note(NOTHING)
            .help("`footbridge unlock` lists who has it now");
        return Err(Failure::new(Exit::Failed, diagnostic));
    }
    let left = held.note.as_ref().map(|note| left(&store, &intents, note));
    if world.json {
        let locks = vec![view(held, &intents, world.now(), limit)];
        world.data(&json(&LocksView { format: FORMAT, locks, taken_away: true, left }));
        return Ok(Exit::Done);
    }
    world.print(&format!("taken away: {}", held.branch));
    if let Some(left) = left {
        world.tell(&left);
    }
    Ok(Exit::Done)
}

fn who(note: &LockNote) -> String {
    let page = note.ci.as_ref().map(|page| format!(", {page}")).unwrap_or_default();
    let text = format!("run {} of `{}` in {} on {}{page}", note.run, note.integration, note.environment, note.host);
    Terminal(&text).to_string()
}

fn view<'v>(held: &'v Held, intents: &'v [Intent], now: Timestamp, limit: u64) -> LockView<'v> {
    let age = held.note.as_ref().map(|note| note.age(now));
    let begun = of(held, intents).map(|intent| BegunView { run: &intent.log.id, records: intent.log.records.records });
    LockView {
        branch: &held.branch,
        held: !held.is_left(),
        lock: held.note.as_ref(),
        age_seconds: age,
        stale: age.map(|age| age > limit),
        begun: begun.collect(),
    }
}

/// What runs have left in a lock.
fn of<'i>(held: &Held, intents: &'i [Intent]) -> impl Iterator<Item = &'i Intent> {
    let branch = held.branch.clone();
    intents.iter().filter(move |intent| lock_branch(&intent.log.integration, intent.log.org_id) == branch)
}

fn list(world: &World, all: &[Held], intents: &[Intent], limit: u64) {
    let now = world.now();
    if world.json {
        let locks = all.iter().map(|held| view(held, intents, now, limit)).collect();
        world.data(&json(&LocksView { format: FORMAT, locks, taken_away: false, left: None }));
        return;
    }
    if all.iter().all(Held::is_left) {
        world.print("No lock is held on the remote.");
    }
    for held in all.iter().filter(|held| !held.is_left()) {
        world.print(&match &held.note {
            Some(note) => {
                let age = note.age(now);
                let stale = if age > limit { "; past its time" } else { "" };
                let begun = of(held, intents).find(|intent| is_of(intent, note));
                let begun = begun.map(|i| format!("; has begun to write {}", counted(i.log.records.records, "record")));
                format!("{}: {}{stale}{}", who(note), ago(age), begun.unwrap_or_default())
            }
            None => format!("{}: cannot be read", held.branch),
        });
    }
    for intent in all.iter().filter(|held| held.is_left()).flat_map(|held| of(held, intents)) {
        let log = &intent.log;
        let what = format!("run {} of `{}` in {} on {}", log.id, log.integration, log.environment, intent.host);
        world.print(&format!(
            "{}: began to write {} and has no log; nobody holds its lock, and the next `footbridge apply --push` finds out what it wrote",
            Terminal(&what),
            counted(log.records.records, "record")
        ));
    }
}

fn is_of(intent: &Intent, note: &LockNote) -> bool {
    intent.log.start == note.started && intent.log.integration == note.integration
}

/// What the run has left, and so what is not known of it.
fn left(store: &Store, intents: &[Intent], note: &LockNote) -> String {
    let year = note.run.get(..4).unwrap_or("0000");
    let path: PathBuf = [&safe_segment(&note.integration), note.org_id.as_str(), year, &note.run].iter().collect();
    if store.read(&path.to_string_lossy()).is_ok() {
        return "Its run log is there: nothing is open.".to_owned();
    }
    let env = note.environment;
    match intents.iter().find(|intent| is_of(intent, note)) {
        Some(intent) => format!(
            "Its run log is missing: what it wrote of its {} records is not known. Its intent stays on the remote: `footbridge apply {} --env {env} --push` reads the records again first, and writes its log.",
            intent.log.records.records,
            Terminal(&note.integration)
        ),
        None => "Its run log is missing. It left no intent either, so it had not begun to write.".to_owned(),
    }
}
