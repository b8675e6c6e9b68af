//! `--commit` and `--push`: the run logs of an apply on the branch, and the lock on the remote that keeps other machines out meanwhile.
//!
//! An invocation makes one commit. Of several integrations what wrote nothing shares it, at the end; the log of one that wrote, or that the schedule began, is pushed before
//! its lock is given back: whoever has the lock next looks there what was written, and whether the tick was run.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::died;
use super::remote_lock::{note, take};
use super::turn::Turn;
use crate::apply::Cancel;
use crate::cli::arguments::ApplyArguments;
use crate::cli::branch::failure;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::ground::{Place, Target};
use crate::cli::world::World;
use crate::diag::Code;
use crate::render::counted;
use crate::render::escape::Terminal;
use crate::runlog::git::{Branch, Change, Content, GitProblem, Pushed, Rival};
use crate::runlog::{RunLog, Store, Written};

/// What was not done when anything goes wrong before the first write.
pub(super) const NOTHING: &str = "nothing was sent";

/// Brings run logs to the branch, for one invocation; or does nothing, where neither `--commit` nor `--push` was said.
pub struct Publisher {
    on: Option<On>,
    /// What waits for the commit at the end.
    waiting: Mutex<Vec<Done>>,
}

struct On {
    branch: Branch,
    push: bool,
}

/// A run that has ended, as the branch is to have it.
#[derive(Debug, Clone)]
pub(super) struct Done {
    pub changes: Vec<Change>,
    /// Its line in the commit's message.
    line: String,
    /// Others look for it to know whether a tick was run.
    pub scheduled: bool,
}

/// Locks a mutex that no panic can have left half-changed.
pub(super) fn of<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Git blocks; other tasks of the runtime go on meanwhile.
pub(super) fn blocking<T>(work: impl FnOnce() -> T) -> T {
    // Several applies side by side share one clone: git's own locks would make one of them fail.
    static ONE: Mutex<()> = Mutex::new(());
    tokio::task::block_in_place(|| {
        let _one = of(&ONE);
        work()
    })
}

impl Publisher {
    /// As the arguments say. The repository and the remote are looked at before anything else is done.
    ///
    /// # Errors
    /// No repository, no such remote: exit 3.
    pub fn of(place: &Place<'_>, arguments: &ApplyArguments) -> Result<Self, Failure> {
        let push = arguments.push;
        if !push && !arguments.commit {
            return Ok(Self { on: None, waiting: Mutex::default() });
        }
        Self::on(place, push)
    }

    /// One that commits, and pushes.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub fn on(place: &Place<'_>, push: bool) -> Result<Self, Failure> {
        let branch = place.branch()?;
        if push {
            let there = branch.git().has_remote(branch.remote());
            there.map_err(|problem| failure(&problem, Code::GitUnavailable, NOTHING))?;
            blocking(|| branch.fetch()).map_err(|problem| failure(&problem, Code::GitFailed, NOTHING))?;
            place.world.fetched.lock().unwrap_or_else(PoisonError::into_inner).insert(place.root.to_owned());
        }
        Ok(Self { on: Some(On { branch, push }), waiting: Mutex::default() })
    }

    /// Does it commit?
    pub(super) fn commits(&self) -> bool {
        self.on.is_some()
    }

    /// Does it push?
    pub fn pushes(&self) -> bool {
        self.pushing().is_some()
    }

    /// The branch, where it is pushed to.
    pub(super) fn pushing(&self) -> Option<&Branch> {
        self.on.as_ref().filter(|on| on.push).map(|on| &on.branch)
    }

    /// Begins an integration's turn: takes the lock on the remote, and first of all clears up after runs that died. `at`: when the run began.
    ///
    /// # Errors
    /// Another machine has the lock; the remote cannot be reached; a dead run could not be cleared up after. Nothing was sent.
    pub async fn begin<'p>(
        &'p self,
        place: Place<'p>,
        target: Target<'p>,
        arguments: &ApplyArguments,
        start: jiff::Timestamp,
        cancel: &Cancel,
    ) -> Result<Turn<'p>, Failure> {
        let turn = Turn::new(self, place);
        let Some(branch) = self.pushing() else { return Ok(turn) };
        let note = note(&place, target, start);
        turn.holds(blocking(|| take(&place, branch, &note, None))?);
        blocking(|| branch.fetch()).map_err(|problem| failure(&problem, Code::GitFailed, NOTHING))?;
        died::clear_up(&turn, target, arguments, cancel).await?;
        Ok(turn)
    }

    /// The turn of a run that was killed on this machine and goes on: its lock is still there, and its intent.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub fn resume<'p>(
        &'p self,
        place: Place<'p>,
        target: Target<'p>,
        start: jiff::Timestamp,
    ) -> Result<Turn<'p>, Failure> {
        let turn = Turn::new(self, place);
        let Some(branch) = self.pushing() else { return Ok(turn) };
        let note = note(&place, target, start);
        let taken = blocking(|| take(&place, branch, &note, Some(&note)))?;
        blocking(|| branch.fetch()).map_err(|problem| failure(&problem, Code::GitFailed, NOTHING))?;
        let intents = place.store_and(&[taken.commit().to_owned()]).intents();
        let intents = intents.map_err(|problem| died::unreadable(&problem))?;
        // Until it is known whether the run had begun to write, its lock is not given back.
        turn.holds(taken);
        let ours = intents.into_iter().find(|(_, intent)| {
            (&intent.log.integration, intent.log.org_id, intent.log.start)
                == (&target.integration.name.value, target.org_id, start)
        });
        if let Some((path, _)) = ours {
            turn.has_begun(turn.below(&path));
        }
        Ok(turn)
    }

    /// These go along in the commit at the end.
    pub(super) fn later(&self, done: Vec<Done>) {
        of(&self.waiting).extend(done);
    }

    /// A log that was added to after its run has ended goes along once more: the branch may have it as it was.
    pub fn again(&self, store: &Store, place: &Place<'_>, path: &Path) {
        let Some(log) = self.on.as_ref().and_then(|_| store.log(path).ok()) else { return };
        let change = Change { path: below(place.root, path), content: Content::Amended(path.to_owned()) };
        let mut waiting = of(&self.waiting);
        if !waiting.iter().any(|done| done.changes.iter().any(|there| there.path == change.path)) {
            waiting.push(Done { changes: vec![change], line: line(&log), scheduled: false });
        }
    }

    /// A run log has been written: it waits for the commit at the end.
    pub fn wrote(&self, place: &Place<'_>, log: &RunLog, written: &Written) {
        if self.on.is_some() {
            of(&self.waiting).push(done(place, log, written));
        }
    }

    /// Brings what is still waiting to the branch, in one commit.
    ///
    /// # Errors
    /// It could not be committed or pushed: exit 1. The logs are in the folder.
    pub fn finish(&self, place: &Place<'_>) -> Result<Exit, Failure> {
        let waiting = std::mem::take(&mut *of(&self.waiting));
        self.publish(place, &waiting).map(|()| Exit::Done)
    }

    pub(super) fn publish(&self, place: &Place<'_>, done: &[Done]) -> Result<(), Failure> {
        let Some(On { branch, push }) = self.on.as_ref().filter(|_| !done.is_empty()) else { return Ok(()) };
        let changes: Vec<Change> = done.iter().flat_map(|d| d.changes.iter().cloned()).collect();
        let message = message(done);
        let now = place.world.now();
        if !push {
            let commit = blocking(|| branch.commit(&changes, &message, now));
            let commit = commit.map_err(|p| {
                failure(&p, Code::GitFailed, "the run log is in the folder of run logs, and in no commit")
            })?;
            place.world.say(&format!("committed on `{}` ({})", branch.name(), &commit[..10.min(commit.len())]));
            taken_along(place, &changes);
            return Ok(());
        }
        let mut all = changes.clone();
        for path in place.store().settled() {
            let path = below(place.root, &path);
            if !all.iter().any(|change| change.path == path) {
                all.push(Change { path, content: Content::Gone });
            }
        }
        match blocking(|| branch.push(&all, &message, now)) {
            Ok(pushed) => {
                told_rivals(place.world, &pushed);
                let tries = if pushed.tries > 1 { format!(", at try {}", pushed.tries) } else { String::new() };
                place.world.say(&format!("pushed to `{}` of {}{tries}", branch.name(), branch.remote()));
                taken_along(place, &changes);
                Ok(())
            }
            Err(problem) => Err(kept_here(place, branch, &changes, &message, &problem)),
        }
    }
}

/// A run's files as the branch is to have them.
pub(super) fn done(place: &Place<'_>, log: &RunLog, written: &Written) -> Done {
    let values = written.log.with_file_name(format!("{}.values.age", log.values_id()));
    let files = [Some(written.log.clone()), Some(written.outcomes.clone()), Some(values).filter(|file| file.is_file())];
    let changes = files.into_iter().flatten().map(|path| file(place.root, path));
    Done { changes: changes.collect(), line: line(log), scheduled: log.tick.is_some() }
}

/// A file that is on disk.
pub(super) fn file(root: &Path, path: PathBuf) -> Change {
    Change { path: below(root, &path), content: Content::File(path) }
}

/// A path as the branch has it.
pub(super) fn below(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    below.components().map(|c| c.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// Says which log counts where two machines have written one of the same run.
fn told_rivals(world: &World, pushed: &Pushed) {
    let run = |path: &str| path.rsplit('/').next().unwrap_or(path).trim_end_matches(".yaml").to_owned();
    for rival in &pushed.rivals {
        match rival {
            Rival::Replaced(path) => world.say(&format!(
                "run {}: its own log is on the branch now, in the place of the one that another machine wrote when it took the run for dead",
                Terminal(&run(path))
            )),
            Rival::Stays { path, aside } => {
                let words = format!("run {}: the branch has another machine's log of it, and that one counts", run(path));
                let aside = aside.as_ref().map(|commit| format!("; the one of here stays in `git show {commit}:{path}`"));
                world.say(&Terminal(&(words + &aside.unwrap_or_default())).to_string());
            }
        }
    }
}

/// What cannot be pushed is committed here, so that the next push takes it along.
fn kept_here(place: &Place<'_>, branch: &Branch, changes: &[Change], message: &str, problem: &GitProblem) -> Failure {
    let kept = blocking(|| branch.commit(changes, message, place.world.now())).is_ok();
    let not_done = if kept {
        taken_along(place, changes);
        format!(
            "the run log was not pushed; it is committed here, on `{}`: the next `apply --push` takes it along",
            branch.name()
        )
    } else {
        "the run log was neither pushed nor committed: it is in the folder of run logs on this machine".to_owned()
    };
    failure(problem, Code::RunLogNotPushed, &not_done)
}

/// What is on the branch is read from there: its files go from the worktree, which is left as it was, and so do the folders that they leave empty.
fn taken_along(place: &Place<'_>, changes: &[Change]) {
    let runs = place.root.join(&place.repository.project.runs);
    for change in changes {
        let (Content::File(file) | Content::Amended(file)) = &change.content else { continue };
        if !file.starts_with(&runs) || std::fs::remove_file(file).is_err() {
            continue;
        }
        let folders = file.ancestors().skip(1).take_while(|folder| folder.starts_with(&runs));
        // The first that is not empty ends it.
        let _ = folders.map(std::fs::remove_dir).find(Result::is_err);
    }
}

/// A run's line in a commit's message: counts and names, no values.
fn line(log: &RunLog) -> String {
    let r = &log.records;
    let mut counts = vec![format!("{} of {} updated", r.updated, counted(r.records, "record"))];
    for (number, what) in
        [(r.failed, "failed"), (r.drifted, "drifted"), (r.not_attempted, "not attempted"), (r.unknown, "unknown")]
    {
        if number > 0 {
            counts.push(format!("{number} {what}"));
        }
    }
    let exit = log.exit.as_str();
    let text = format!(
        "{} in {} ({}): {}, {exit}, {}",
        log.integration,
        log.environment,
        log.id,
        log.status.as_str(),
        counts.join(", ")
    );
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn message(done: &[Done]) -> String {
    match done {
        [one] => format!("{}\n", one.line),
        all => {
            let lines: Vec<String> = all.iter().map(|d| format!("- {}\n", d.line)).collect();
            format!("{} runs\n\n{}", all.len(), lines.concat())
        }
    }
}
