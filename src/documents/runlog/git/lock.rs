//! The lock of an integration and org that all machines see: a branch on the remote, made only where there is none, so that of two who try one gets it.
//!
//! Its commit holds the note of who has it and, from before the run's first write on, the run's intent with the values of before, under the paths that they would
//! have on the branch of run logs. So an intent gets through only while the lock is its run's own. It goes when the log of its run is on the branch of run logs;
//! until then whoever takes the lock over carries it along, and a lock that is given back or taken away loses its note alone: nobody has it, and what it knows stays.
//!
//! Every commit follows upon the one before: no push of a lock needs more than a fast-forward, but the one that takes it away.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::branch::{Branch, Change};
use super::command::HERE;
use super::names::{LOCKS, lock_branch};
use super::problem::GitProblem;
use super::remote::{Answer, Expected};
use super::rival::log_of;
use crate::model::{EnvironmentName, OrgId};
use crate::runlog::INTENT_END;

/// The note, in a lock's commit.
const FILE: &str = "lock.yaml";
/// The longest note that is read, in bytes.
const LONGEST: u64 = 64 << 10;
/// Another's lock that is gone when it is looked at: tried again so often.
const TRIES: u32 = 10;
/// Where a clone keeps the locks that runs of its own have put their intents into.
const KEPT: &str = "refs/footbridge/locks/";

/// Blobs by path, from the top of the branch.
type Files = BTreeMap<String, String>;

/// Who holds a lock, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LockNote {
    /// The format's version.
    pub footbridge: u32,
    /// Always `lock`.
    pub kind: String,
    /// The run, by its stamp.
    pub run: String,
    /// The integration.
    pub integration: String,
    /// The environment.
    #[schemars(with = "String", extend("enum" = ["sandbox", "production"]))]
    pub environment: EnvironmentName,
    /// The org.
    #[schemars(with = "String")]
    pub org_id: OrgId,
    /// The machine, as it calls itself.
    pub host: String,
    /// The process there.
    pub pid: u32,
    /// When the run began, by that machine's clock.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub started: Timestamp,
    /// When the lock was taken, by that clock: of a run that was resumed, long after it began. Older notes do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub taken: Option<Timestamp>,
    /// The page of CI's job, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ci: Option<String>,
    /// So that no two locks are the same commit.
    pub nonce: u64,
}

impl LockNote {
    /// Since when it is held.
    pub fn since(&self) -> Timestamp {
        self.taken.unwrap_or(self.started)
    }

    /// Whole seconds since it was taken; 0 where the clocks differ by more.
    pub fn age(&self, now: Timestamp) -> u64 {
        u64::try_from(now.as_second() - self.since().as_second()).unwrap_or(0)
    }
}

/// A lock, as it was when it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The branch.
    pub branch: String,
    /// Its commit.
    pub commit: String,
    /// Who holds it; `None` where the note cannot be read, or is not there.
    pub note: Option<LockNote>,
    noted: bool,
    files: Files,
}

/// A lock of ours.
#[derive(Debug, Clone)]
pub struct RemoteLock {
    held: Held,
}

/// What came of the wish to have the lock.
#[derive(Debug)]
pub enum Taken {
    /// It is ours.
    Ours(RemoteLock),
    /// It is another's.
    Theirs(Held),
}

/// What came of the wish to write.
#[derive(Debug)]
pub enum Intended {
    /// The intent is in the lock, which is ours.
    Ours,
    /// The lock was not ours any more. Whose it is, where it is there.
    Lost(Option<Box<Held>>),
}

/// What became of a lock that was given back or taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Released {
    /// It is gone.
    Gone,
    /// Nobody has it; intents of runs without a log stay in it.
    Left,
    /// It was gone, or another's, already.
    Lost,
}

impl RemoteLock {
    /// Takes the lock. Where another has it, that one is told: nothing was changed.
    pub fn take(branch: &Branch, note: &LockNote, now: Timestamp) -> Result<Taken, GitProblem> {
        let name = lock_branch(&note.integration, note.org_id);
        branch.git().has_remote(branch.remote())?;
        let commit = commit(branch, Some(note), &Files::new(), None, &taking(note), now)?;
        for number in 1..=TRIES {
            let pushed = branch.git().push(branch.remote(), &name, Some(&commit), Expected::Absent);
            if ours(branch, &name, &commit, pushed)? {
                return Ok(Taken::Ours(Self::of(&name, commit, note, Files::new())));
            }
            if let Some(held) = held(branch, &name)? {
                return Ok(Taken::Theirs(held));
            }
            branch.git().pauses().before(number);
        }
        Err(GitProblem::Moved { branch: name, tries: TRIES })
    }

    /// Takes the lock out of another's hands: of a run that is known to be dead, or of nobody's. What it knows of runs comes along. Fails where it has changed
    /// hands since.
    pub fn take_over(branch: &Branch, dead: &Held, note: &LockNote, now: Timestamp) -> Result<Taken, GitProblem> {
        let commit = commit(branch, Some(note), &dead.files, Some(&dead.commit), &taking(note), now)?;
        let pushed = branch.git().push(branch.remote(), &dead.branch, Some(&commit), Expected::At(&dead.commit));
        if ours(branch, &dead.branch, &commit, pushed)? {
            return Ok(Taken::Ours(Self::of(&dead.branch, commit, note, dead.files.clone())));
        }
        match held(branch, &dead.branch)? {
            Some(held) => Ok(Taken::Theirs(held)),
            None => Self::take(branch, note, now),
        }
    }

    fn of(name: &str, commit: String, note: &LockNote, files: Files) -> Self {
        Self { held: Held { branch: name.to_owned(), commit, note: Some(note.clone()), noted: true, files } }
    }

    /// Puts a run's intent into the lock, and only into one that is still ours.
    pub fn intend(
        &mut self,
        branch: &Branch,
        changes: &[Change],
        message: &str,
        now: Timestamp,
    ) -> Result<Intended, GitProblem> {
        let held = &self.held;
        let mut files = held.open(branch)?;
        let new = branch.blobs(changes)?;
        files.extend(new.iter().filter_map(|(path, blob)| Some((path.clone(), blob.oid()?.to_owned()))));
        let commit = commit(branch, held.note.as_ref(), &files, Some(&held.commit), message, now)?;
        let pushed = branch.git().push(branch.remote(), &held.branch, Some(&commit), Expected::At(&held.commit));
        if !ours(branch, &held.branch, &commit, pushed)? {
            return Ok(Intended::Lost(self::held(branch, &held.branch)?.map(Box::new)));
        }
        // The run's own machine knows without the remote that there is something to resume, and where.
        branch.git().point(&kept(&held.branch), &commit);
        self.held = Held { commit, files, ..self.held.clone() };
        Ok(Intended::Ours)
    }

    /// The locks that runs of this clone have put their intents into and not given back: their commits.
    pub fn kept(branch: &Branch) -> Result<Vec<String>, GitProblem> {
        let said = branch.git().done("list the refs", &["for-each-ref", "--format=%(objectname)", KEPT])?;
        Ok(said.text().lines().map(str::to_owned).collect())
    }

    /// Its commit.
    pub fn commit(&self) -> &str {
        &self.held.commit
    }

    /// Does it know of runs that had no log on the branch when that was last looked at?
    pub fn is_open(&self, branch: &Branch) -> Result<bool, GitProblem> {
        Ok(!self.held.open(branch)?.is_empty())
    }

    /// The other files of the run that this intent is of: path and blob. Paths are those of [`Change`].
    pub fn beside<'a>(&'a self, branch: &'a Branch, intent: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let all = self.held.files.iter().map(|(path, oid)| (path.strip_prefix(branch.git().prefix()), oid.as_str()));
        let all = all.filter_map(|(path, oid)| Some((path?, oid)));
        all.filter(move |(path, _)| *path != intent && log_of(path) == log_of(intent))
    }

    /// The log of the run that this intent is of is on the branch: nothing of it is open any more.
    pub fn settled(&mut self, branch: &Branch, intent: &str) {
        let log = log_of(&format!("{}{intent}", branch.git().prefix()));
        self.held.files.retain(|path, _| log_of(path) != log);
    }

    /// Whole seconds since it was taken.
    pub fn age(&self, now: Timestamp) -> u64 {
        self.held.note.as_ref().map_or(0, |note| note.age(now))
    }

    /// Gives the lock back. One that is not ours any more is left alone.
    pub fn release(self, branch: &Branch, now: Timestamp) -> Result<Released, GitProblem> {
        let released = self.held.release(branch, now)?;
        let _ = branch.git().run(&["update-ref", "-d", &kept(&self.held.branch)])?;
        Ok(released)
    }
}

impl Held {
    /// All locks on the remote.
    pub fn all(branch: &Branch) -> Result<Vec<Self>, GitProblem> {
        branch.git().has_remote(branch.remote())?;
        let heads = branch.git().heads(branch.remote(), &format!("refs/heads/{LOCKS}/*"))?;
        let mut all = Vec::new();
        for (_, name) in heads {
            let Some(name) = name.strip_prefix("refs/heads/") else { continue };
            all.extend(held(branch, name)?);
        }
        Ok(all)
    }

    /// Does nobody have it? Then it is there for what it knows of runs that have no log yet.
    pub fn is_left(&self) -> bool {
        !self.noted && self.files.keys().any(|path| path.ends_with(INTENT_END))
    }

    /// Takes the lock away; its note alone, where it knows of runs whose logs are not on the branch of run logs, as that was last fetched.
    pub fn release(&self, branch: &Branch, now: Timestamp) -> Result<Released, GitProblem> {
        let open = self.open(branch)?;
        let left = match open.is_empty() {
            true => None,
            false => {
                let run = self.note.as_ref().map(|note| format!(" of run {}", note.run)).unwrap_or_default();
                let message = format!("The lock{run} is nobody's now: a run log is still to come\n");
                Some(commit(branch, None, &open, Some(&self.commit), &message, now)?)
            }
        };
        let released = if left.is_some() { Released::Left } else { Released::Gone };
        let pushed = branch.git().push(branch.remote(), &self.branch, left.as_deref(), Expected::At(&self.commit));
        if let Ok(Answer::Done) = pushed {
            return Ok(released);
        }
        // The answer may be lost when the deed is done.
        match (branch.git().look(branch.remote(), &self.branch), pushed) {
            (Ok(there), Err(_)) if there == left => Ok(released),
            (Ok(there), _) if there.as_ref() != Some(&self.commit) => Ok(Released::Lost),
            (_, Err(problem)) | (Err(problem), _) => Err(problem),
            (Ok(_), Ok(_)) => Err(GitProblem::Moved { branch: self.branch.clone(), tries: 1 }),
        }
    }

    /// What it knows of runs whose logs were not on the branch of run logs when that was last fetched.
    fn open(&self, branch: &Branch) -> Result<Files, GitProblem> {
        if self.files.is_empty() {
            return Ok(Files::new());
        }
        let logged = branch.files(branch.git().resolve(&branch.tracking())?.as_deref())?;
        let intent = |log: &str| format!("{}{INTENT_END}", log.strip_suffix(".yaml").unwrap_or(log));
        let open = self.files.iter().filter(|(path, _)| {
            let log = log_of(path);
            self.files.contains_key(&intent(&log)) && !logged.contains_key(&log)
        });
        Ok(open.map(|(path, oid)| (path.clone(), oid.clone())).collect())
    }
}

/// The ref of this clone for a lock.
fn kept(lock: &str) -> String {
    format!("{KEPT}{}", lock.rsplit('/').next().unwrap_or(lock))
}

/// Did the push make it ours? A lost answer is looked up.
fn ours(branch: &Branch, name: &str, commit: &str, pushed: Result<Answer, GitProblem>) -> Result<bool, GitProblem> {
    match pushed {
        Ok(Answer::Done) => Ok(true),
        Ok(Answer::Moved) => Ok(branch.git().look(branch.remote(), name)?.as_deref() == Some(commit)),
        Err(problem) => match branch.git().look(branch.remote(), name) {
            Ok(Some(there)) if there == commit => Ok(true),
            _ => Err(problem),
        },
    }
}

fn held(branch: &Branch, name: &str) -> Result<Option<Held>, GitProblem> {
    let git = branch.git();
    let Some(commit) = git.fetch(branch.remote(), name)? else { return Ok(None) };
    let mut files = branch.files(Some(&commit))?;
    let oid = files.remove(FILE);
    let mut note = None;
    if let Some(oid) = &oid {
        let size = git.run(&["cat-file", "-s", oid])?;
        if size.good && size.text().parse::<u64>().is_ok_and(|size| size <= LONGEST) {
            note = serde_yaml::from_slice(&git.run(&["cat-file", "blob", oid])?.out).ok();
        }
    }
    Ok(Some(Held { branch: name.to_owned(), commit, note, noted: oid.is_some(), files }))
}

fn taking(note: &LockNote) -> String {
    format!("Lock of {} in {}: run {}\n", note.integration, note.environment, note.run)
}

/// A lock's commit; without a note, of a lock that nobody has.
fn commit(
    branch: &Branch,
    note: Option<&LockNote>,
    files: &Files,
    parent: Option<&str>,
    message: &str,
    now: Timestamp,
) -> Result<String, GitProblem> {
    let mut files = files.clone();
    if let Some(note) = note {
        let text = serde_yaml::to_string(note).map_err(|_| GitProblem::Answer { what: "lock" })?;
        let run = branch.git().command(&["hash-object", "-w", "--no-filters", "--stdin"]);
        files.insert(FILE.to_owned(), run.input(text).done("keep a file", HERE)?.text());
    }
    let lines: String = files.iter().map(|(path, oid)| format!("100644 {oid}\t{path}\0")).collect();
    let tree = branch.tree(None, lines.into_bytes())?;
    branch.commit_tree(&tree, parent, message, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locks_age_counts_from_when_it_was_taken_and_of_older_notes_from_the_runs_start() {
        let note = "footbridge: 1\nkind: lock\nrun: 2026-11-22T080003Z\nintegration: notes\nenvironment: sandbox\n\
                    org_id: 00D000000000001EAA\nhost: runner-1\npid: 7\nstarted: 2026-11-22T08:00:03Z\nnonce: 1\n";
        let older: LockNote = serde_yaml::from_str(note).unwrap();
        let resumed: LockNote = serde_yaml::from_str(&format!("{note}taken: 2026-11-22T15:00:00Z\n")).unwrap();
        let now = "2026-11-22T15:00:10Z".parse().unwrap();
        assert_eq!((older.age(now), resumed.age(now), resumed.age(resumed.started)), (25_207, 10, 0));
    }
}
