//! `--commit` and `--push`: the run logs of an apply on the branch, and the lock on the remote that keeps other machines out meanwhile.
//!
//! A run that writes has two commits: its intent before, its log after. What wrote nothing goes along in one commit at the end; but of a scheduled run before its
//! lock is given back: whoever has it next looks there whether the tick was run.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use super::died;
use super::remote_lock::{note, take};
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
use crate::runlog::git::{Branch, Change, Content, GitProblem, Pushed, RemoteLock, Rival};
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
struct Done {
    changes: Vec<Change>,
    /// Its line in the commit's message.
    line: String,
    /// Others look for it to know whether a tick was run.
    scheduled: bool,
}

/// One integration's turn: the lock, where there is one, and what there is to bring to the branch.
pub struct Turn<'p> {
    publisher: &'p Publisher,
    lock: Mutex<Option<RemoteLock>>,
    /// The file of the intent that is on the remote.
    intent: Mutex<Option<String>>,
    logs: Mutex<Vec<Done>>,
    /// The log of a dead run was written.
    buried: AtomicBool,
    store: OnceLock<Store>,
    place: Place<'p>,
}

/// Locks a mutex that no panic can have left half-changed.
fn of<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
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

    /// Does it push?
    pub fn pushes(&self) -> bool {
        self.pushing().is_some()
    }

    fn pushing(&self) -> Option<&Branch> {
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
        let turn = self.turn(place);
        let Some(branch) = self.pushing() else { return Ok(turn) };
        let note = note(&place, target, start);
        let taken = blocking(|| take(&place, branch, &note, None))?;
        *of(&turn.lock) = Some(taken);
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
        let turn = self.turn(place);
        let Some(branch) = self.pushing() else { return Ok(turn) };
        let note = note(&place, target, start);
        let taken = blocking(|| take(&place, branch, &note, Some(&note)))?;
        blocking(|| branch.fetch()).map_err(|problem| failure(&problem, Code::GitFailed, NOTHING))?;
        let intents = turn.store().intents().map_err(|problem| died::unreadable(&problem))?;
        // Until it is known whether the run had begun to write, its lock is not given back.
        *of(&turn.lock) = Some(taken);
        let ours = intents.into_iter().find(|(_, intent)| {
            (&intent.log.integration, intent.log.org_id, intent.log.start)
                == (&target.integration.name.value, target.org_id, start)
        });
        *of(&turn.intent) = ours.map(|(path, _)| turn.below(&path));
        Ok(turn)
    }

    fn turn<'p>(&'p self, place: Place<'p>) -> Turn<'p> {
        Turn {
            publisher: self,
            lock: Mutex::default(),
            intent: Mutex::default(),
            logs: Mutex::default(),
            buried: AtomicBool::new(false),
            store: OnceLock::new(),
            place,
        }
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

    fn publish(&self, place: &Place<'_>, done: &[Done]) -> Result<(), Failure> {
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
fn done(place: &Place<'_>, log: &RunLog, written: &Written) -> Done {
    let values = written.log.with_file_name(format!("{}.values.age", log.values_id()));
    let files = [Some(written.log.clone()), Some(written.outcomes.clone()), Some(values).filter(|file| file.is_file())];
    let changes = files.into_iter().flatten().map(|path| file(place.root, path));
    Done { changes: changes.collect(), line: line(log), scheduled: log.tick.is_some() }
}

/// A file that is on disk.
fn file(root: &Path, path: PathBuf) -> Change {
    Change { path: below(root, &path), content: Content::File(path) }
}

/// A path as the branch has it.
fn below(root: &Path, path: &Path) -> String {
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

impl<'p> Turn<'p> {
    /// Where the work is done.
    pub fn place(&self) -> &Place<'p> {
        &self.place
    }

    /// The run logs, as they were when they were first asked for in this turn: nobody else adds to the integration's while its lock is held.
    pub fn store(&self) -> &Store {
        self.store.get_or_init(|| self.place.store())
    }

    /// The branch, where it is pushed to.
    pub fn pushing(&self) -> Option<&Branch> {
        self.publisher.pushing()
    }

    /// A path of the folder of run logs as the branch has it: below the root, with `/`.
    pub fn below(&self, path: &Path) -> String {
        below(self.place.root, path)
    }

    /// A file of the folder of run logs, as a change of the branch.
    pub fn file(&self, path: PathBuf) -> Change {
        file(self.place.root, path)
    }

    /// A run log has been written.
    pub fn wrote(&self, log: &RunLog, written: &Written) {
        if self.publisher.on.is_none() {
            return;
        }
        of(&self.logs).push(done(&self.place, log, written));
    }

    /// The run's intent is on the remote under this path: from now on it may write.
    pub fn intended(&self, path: String) {
        *of(&self.intent) = Some(path);
    }

    /// How long the run may go on before others could take it for dead; `None` where it has no lock on the remote.
    pub fn left(&self) -> Option<Duration> {
        let lock = of(&self.lock);
        let age = lock.as_ref()?.age(self.place.world.now());
        Some(left_of(self.place.repository.project.git.stale_after, Duration::from_secs(age)))
    }

    /// Brings files to the branch at once.
    ///
    /// # Errors
    /// They could not be pushed.
    pub fn push(&self, changes: &[Change], message: &str) -> Result<(), GitProblem> {
        let Some(branch) = self.pushing() else { return Ok(()) };
        let pushed = blocking(|| branch.push(changes, message, self.place.world.now()))?;
        told_rivals(self.place.world, &pushed);
        Ok(())
    }

    /// Brings the log of a dead run to the branch and takes its intent away.
    ///
    /// # Errors
    /// It could not be pushed; it is committed here, and goes with the next push. Nothing was sent.
    pub fn buried(&self, log: &RunLog, written: &Written, intent: String) -> Result<(), Failure> {
        self.buried.store(true, Ordering::Relaxed);
        let mut done = done(&self.place, log, written);
        done.changes.push(Change { path: intent, content: Content::Gone });
        let published = self.publisher.publish(&self.place, &[done]);
        published.map_err(|failure| failure.help("then apply again: nothing was sent"))
    }

    /// Has the log of a dead run been written in this turn?
    pub fn has_buried(&self) -> bool {
        self.buried.load(Ordering::Relaxed)
    }

    /// Ends the turn: what a run wrote is pushed at once, the lock is given back. A run that ended without a log keeps its lock and its intent, so that others
    /// find out what became of it.
    pub fn ended(self, ended: Result<Exit, Failure>) -> Result<Exit, Failure> {
        let mut logs = std::mem::take(&mut *of(&self.logs));
        let intent = of(&self.intent).take();
        let published = match intent {
            Some(_) if logs.is_empty() => {
                if let Some(lock) = of(&self.lock).take() {
                    drop(lock);
                    self.place.world.say("the run has no log yet, so its lock on the remote stays");
                }
                Ok(())
            }
            Some(path) => {
                if let Some(last) = logs.last_mut() {
                    last.changes.push(Change { path, content: Content::Gone });
                }
                self.publisher.publish(&self.place, &logs)
            }
            None => {
                let pushes = self.pushing().is_some();
                let (now, later): (Vec<_>, Vec<_>) = logs.into_iter().partition(|done| pushes && done.scheduled);
                of(&self.publisher.waiting).extend(later);
                self.publisher.publish(&self.place, &now)
            }
        };
        drop(self);
        match (ended, published) {
            (ended, Ok(())) => ended,
            (Ok(exit), Err(unpublished)) => Err(Failure { exit: exit.and(unpublished.exit), ..unpublished }),
            (Err(failure), Err(unpublished)) => Err(failure.and(unpublished)),
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // Something went very wrong on the way: others must find out what was written before they write.
        if of(&self.intent).is_some() {
            return;
        }
        let (Some(lock), Some(branch)) = (of(&self.lock).take(), self.publisher.pushing()) else { return };
        if let Err(problem) = blocking(|| lock.release(branch)) {
            let words = problem.to_string();
            self.place.world.say(&format!(
                "the lock on the remote could not be given back ({}); `footbridge unlock` lists it, and takes it away",
                Terminal(&words)
            ));
        }
    }
}

/// Of a lock of this limit and age: how long its run goes on. Then come the end of the call under way, the log and its push, and clocks differ.
fn left_of(limit: Duration, age: Duration) -> Duration {
    let margin = (limit / 10).min(Duration::from_secs(60));
    limit.saturating_sub(margin).saturating_sub(age)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_has_ended_some_time_before_its_lock_is_taken_for_dead() {
        let seconds = Duration::from_secs;
        for (limit, age, left) in
            [(21_600, 0, 21_540), (21_600, 21_000, 540), (100, 0, 90), (100, 89, 1), (100, 95, 0), (100, 200, 0)]
        {
            assert_eq!(left_of(seconds(limit), seconds(age)), seconds(left), "{limit} {age}");
        }
        assert_eq!(left_of(seconds(5), seconds(0)), Duration::from_millis(4_500));
    }
}
