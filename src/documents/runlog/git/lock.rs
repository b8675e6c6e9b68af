//! The lock of an integration and org that all machines see: a branch on the remote, made only where there is none, so that of two who try one gets it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::branch::Branch;
use super::command::HERE;
use super::names::{LOCKS, lock_branch};
use super::problem::GitProblem;
use super::remote::{Answer, Expected};
use crate::model::{EnvironmentName, OrgId};

/// The one file of a lock's commit.
const FILE: &str = "lock.yaml";
/// The longest note that is read, in bytes.
const LONGEST: u64 = 64 << 10;
/// Another's lock that is gone when it is looked at: tried again so often.
const TRIES: u32 = 10;

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

/// A lock that somebody holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The branch.
    pub branch: String,
    /// Its commit.
    pub commit: String,
    /// Who holds it; `None` where the note cannot be read.
    pub note: Option<LockNote>,
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

impl RemoteLock {
    /// Takes the lock. Where another has it, that one is told: nothing was changed.
    pub fn take(branch: &Branch, note: &LockNote, now: Timestamp) -> Result<Taken, GitProblem> {
        let name = lock_branch(&note.integration, note.org_id);
        branch.git().has_remote(branch.remote())?;
        let commit = commit(branch, note, now)?;
        for number in 1..=TRIES {
            let pushed = branch.git().push(branch.remote(), &name, Some(&commit), Expected::Absent);
            if ours(branch, &name, &commit, pushed)? {
                return Ok(Taken::Ours(Self::of(&name, commit, note)));
            }
            if let Some(held) = held(branch, &name)? {
                return Ok(Taken::Theirs(held));
            }
            branch.git().pauses().before(number);
        }
        Err(GitProblem::Moved { branch: name, tries: TRIES })
    }

    /// Takes the lock out of another's hands: of a run that is known to be dead. Fails where it has changed hands since.
    pub fn take_over(branch: &Branch, dead: &Held, note: &LockNote, now: Timestamp) -> Result<Taken, GitProblem> {
        let commit = commit(branch, note, now)?;
        let pushed = branch.git().push(branch.remote(), &dead.branch, Some(&commit), Expected::At(&dead.commit));
        if ours(branch, &dead.branch, &commit, pushed)? {
            return Ok(Taken::Ours(Self::of(&dead.branch, commit, note)));
        }
        match held(branch, &dead.branch)? {
            Some(held) => Ok(Taken::Theirs(held)),
            None => Self::take(branch, note, now),
        }
    }

    fn of(name: &str, commit: String, note: &LockNote) -> Self {
        Self { held: Held { branch: name.to_owned(), commit, note: Some(note.clone()) } }
    }

    /// Whole seconds since it was taken.
    pub fn age(&self, now: Timestamp) -> u64 {
        self.held.note.as_ref().map_or(0, |note| note.age(now))
    }

    /// Gives the lock back. One that is not ours any more is left alone.
    pub fn release(self, branch: &Branch) -> Result<(), GitProblem> {
        self.held.release(branch).map(drop)
    }
}

impl Held {
    /// The lock of an integration and org, where somebody holds it.
    pub fn look(branch: &Branch, integration: &str, org_id: OrgId) -> Result<Option<Self>, GitProblem> {
        branch.git().has_remote(branch.remote())?;
        held(branch, &lock_branch(integration, org_id))
    }

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

    /// Takes the lock away; `false` where it is gone or has changed hands since.
    pub fn release(&self, branch: &Branch) -> Result<bool, GitProblem> {
        match branch.git().push(branch.remote(), &self.branch, None, Expected::At(&self.commit)) {
            Ok(Answer::Done) => Ok(true),
            Ok(Answer::Moved) => Ok(false),
            Err(problem) => match branch.git().look(branch.remote(), &self.branch) {
                Ok(there) if there.as_ref() != Some(&self.commit) => Ok(there.is_none()),
                _ => Err(problem),
            },
        }
    }
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
    let Some(commit) = branch.git().fetch(branch.remote(), name)? else { return Ok(None) };
    let file = format!("{commit}:{FILE}");
    let size = branch.git().run(&["cat-file", "-s", &file])?;
    let fits = size.good && size.text().parse::<u64>().is_ok_and(|size| size <= LONGEST);
    let note = match fits {
        true => serde_yaml::from_slice(&branch.git().run(&["cat-file", "blob", &file])?.out).ok(),
        false => None,
    };
    Ok(Some(Held { branch: name.to_owned(), commit, note }))
}

fn commit(branch: &Branch, note: &LockNote, now: Timestamp) -> Result<String, GitProblem> {
    let text = serde_yaml::to_string(note).map_err(|_| GitProblem::Answer { what: "lock" })?;
    let git = branch.git();
    let blob = git.command(&["hash-object", "-w", "--no-filters", "--stdin"]).input(text).done("keep a file", HERE)?;
    let tree = format!("100644 blob {}\t{FILE}\n", blob.text());
    let tree = git.command(&["mktree"]).input(tree).done("write a tree", HERE)?;
    let message = format!("Lock of {} in {}: run {}\n", note.integration, note.environment, note.run);
    branch.commit_tree(&tree.text(), None, &message, now)
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
