//! One integration's turn: its lock on the remote, the intent in it, and what there is to bring to the branch when it ends.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use super::publish::{Done, NOTHING, Publisher, below, blocking, done, file, of};
use super::remote_lock::lost;
use crate::cli::branch::failure;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::ground::Place;
use crate::diag::Code;
use crate::render::escape::Terminal;
use crate::runlog::git::{Branch, Change, Content, Intended, RemoteLock};
use crate::runlog::{RunLog, Store, Written};

/// One integration's turn: the lock, where there is one, and what there is to bring to the branch.
pub struct Turn<'p> {
    publisher: &'p Publisher,
    lock: Mutex<Option<RemoteLock>>,
    /// The file of the run's own intent: the run has begun to write.
    intent: Mutex<Option<String>>,
    logs: Mutex<Vec<Done>>,
    /// The log of a dead run was written.
    buried: AtomicBool,
    store: OnceLock<Store>,
    place: Place<'p>,
}

impl<'p> Turn<'p> {
    /// One without a lock.
    pub(super) fn new(publisher: &'p Publisher, place: Place<'p>) -> Self {
        Turn {
            publisher,
            lock: Mutex::default(),
            intent: Mutex::default(),
            logs: Mutex::default(),
            buried: AtomicBool::new(false),
            store: OnceLock::new(),
            place,
        }
    }

    /// The lock is ours.
    pub(super) fn holds(&self, lock: RemoteLock) {
        *of(&self.lock) = Some(lock);
    }

    /// The run's intent, which would have this path on the branch, is on the remote: the run may have written.
    pub(super) fn has_begun(&self, intent: String) {
        *of(&self.intent) = Some(intent);
    }

    /// Where the work is done.
    pub fn place(&self) -> &Place<'p> {
        &self.place
    }

    /// The run logs, as they were when they were first asked for in this turn: nobody else adds to the integration's while its lock is held.
    pub fn store(&self) -> &Store {
        self.store.get_or_init(|| self.store_now())
    }

    /// The run logs as they are now, and what the lock knows of runs.
    pub fn store_now(&self) -> Store {
        let lock = of(&self.lock).as_ref().map(|lock| lock.commit().to_owned());
        self.place.store_and(lock.as_slice())
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
        if !self.publisher.commits() {
            return;
        }
        of(&self.logs).push(done(&self.place, log, written));
    }

    /// Of a run that had this intent: what of its files lies in the lock alone goes to the branch, and the intent from there, where it once was put.
    fn with_intent(&self, done: &mut Done, intent: &str) {
        if let (Some(lock), Some(branch)) = (&*of(&self.lock), self.pushing()) {
            for (path, oid) in lock.beside(branch, intent) {
                if !done.changes.iter().any(|change| change.path == path) {
                    done.changes.push(Change { path: path.to_owned(), content: Content::Kept(oid.to_owned()) });
                }
            }
        }
        done.changes.push(Change { path: intent.to_owned(), content: Content::Gone });
    }

    /// The run's log is on the branch on the remote.
    fn settled(&self, intent: &str) {
        if let (Some(lock), Some(branch)) = (of(&self.lock).as_mut(), self.pushing()) {
            lock.settled(branch, intent);
        }
    }

    /// Puts the run's intent, which would have this path on the branch, with the files beside it into the lock on the remote: from now on the run may write.
    ///
    /// # Errors
    /// It is not there: nothing may be sent.
    pub fn intend(&self, path: String, changes: &[Change], message: &str) -> Result<(), Failure> {
        let mut held = of(&self.lock);
        let (Some(branch), Some(lock)) = (self.pushing(), held.as_mut()) else { return Ok(()) };
        let now = self.place.world.now();
        let intended = blocking(|| {
            // What the run will have to say must have a place, too.
            branch.may_begin(now)?;
            lock.intend(branch, changes, message, now)
        });
        match intended.map_err(|problem| failure(&problem, Code::IntentNotPushed, NOTHING))? {
            Intended::Ours => self.has_begun(path),
            Intended::Lost(other) => return Err(lost(other.as_deref(), now)),
        }
        Ok(())
    }

    /// How long the run may go on before others could take it for dead; `None` where it has no lock on the remote.
    pub fn left(&self) -> Option<Duration> {
        let lock = of(&self.lock);
        let age = lock.as_ref()?.age(self.place.world.now());
        Some(left_of(self.place.repository.project.git.stale_after, Duration::from_secs(age)))
    }

    /// Brings the log of a dead run to the branch and takes its intent away.
    ///
    /// # Errors
    /// It could not be pushed; it is committed here, and goes with the next push. Nothing was sent.
    pub fn buried(&self, log: &RunLog, written: &Written, intent: &str) -> Result<(), Failure> {
        self.buried.store(true, Ordering::Relaxed);
        let mut done = done(&self.place, log, written);
        self.with_intent(&mut done, intent);
        let published = self.publisher.publish(&self.place, &[done]);
        published.map_err(|failure| failure.help("then apply again: nothing was sent"))?;
        self.settled(intent);
        Ok(())
    }

    /// Has the log of a dead run been written in this turn?
    pub fn has_buried(&self) -> bool {
        self.buried.load(Ordering::Relaxed)
    }

    /// Ends the turn: what a run wrote is pushed at once, and the lock, with all that it knows, given back. A run that ended without a log keeps its lock, so that
    /// others find out what became of it.
    pub fn ended(self, ended: Result<Exit, Failure>) -> Result<Exit, Failure> {
        let mut logs = std::mem::take(&mut *of(&self.logs));
        let intent = of(&self.intent).take();
        let published = if intent.is_some() && logs.is_empty() {
            if of(&self.lock).take().is_some() {
                self.place.world.say("the run has no log yet, so its lock on the remote stays");
            }
            Ok(())
        } else {
            // What the lock knows of runs stays in it until their logs are on the remote.
            let open = intent.is_some() || self.knows_of_runs();
            let pushes = self.pushing().is_some();
            if let (Some(path), Some(last)) = (&intent, logs.last_mut()) {
                self.with_intent(last, path);
            }
            let at_once = |done: &Done| pushes && (done.scheduled || open);
            let (now, later): (Vec<_>, Vec<_>) = logs.into_iter().partition(at_once);
            self.publisher.later(later);
            let published = self.publisher.publish(&self.place, &now);
            if let (Some(path), Ok(())) = (&intent, &published) {
                self.settled(path);
            }
            published
        };
        drop(self);
        match (ended, published) {
            (ended, Ok(())) => ended,
            (Ok(exit), Err(unpublished)) => Err(Failure { exit: exit.and(unpublished.exit), ..unpublished }),
            (Err(failure), Err(unpublished)) => Err(failure.and(unpublished)),
        }
    }

    fn knows_of_runs(&self) -> bool {
        // What cannot be told now is told when the lock is given back.
        let open = |(lock, branch): (&RemoteLock, &Branch)| lock.is_open(branch).unwrap_or(true);
        of(&self.lock).as_ref().zip(self.pushing()).is_some_and(open)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // Something went very wrong on the way: others must find out what was written before they write.
        if of(&self.intent).is_some() {
            return;
        }
        let (Some(lock), Some(branch)) = (of(&self.lock).take(), self.publisher.pushing()) else { return };
        if let Err(problem) = blocking(|| lock.release(branch, self.place.world.now())) {
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
