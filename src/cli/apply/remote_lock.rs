//! The lock on the remote: taken for a run, taken over from one that has ended or is taken for dead, told where another has it.

use super::publish::NOTHING;
use crate::cli::branch::{ago, ci_page, failure, host};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::ground::{Place, Target};
use crate::diag::{Code, Diagnostic};
use crate::model::OrgId;
use crate::render::escape::Terminal;
use crate::runlog::git::{Branch, GitProblem, Held, LockNote, RemoteLock, Taken};
use crate::runlog::{Filter, Listed, RunSummary, stamp};

/// What the lock of a run says that takes it now. `start`: when the run began, which may be long before it is resumed.
pub fn note(place: &Place<'_>, target: Target<'_>, start: jiff::Timestamp) -> LockNote {
    LockNote {
        footbridge: 1,
        kind: "lock".to_owned(),
        run: stamp(start),
        integration: target.integration.name.value.clone(),
        environment: target.environment,
        org_id: target.org_id,
        host: host(place.world),
        pid: std::process::id(),
        started: start,
        taken: Some(place.world.now()),
        ci: ci_page(place.world),
        nonce: fastrand::u64(..),
    }
}

/// Takes the lock. `resumed`: this run's own lock of before, which its process left behind, may be taken over.
///
/// # Errors
/// Another run has it; the remote cannot be reached. Nothing was sent.
pub fn take(
    place: &Place<'_>,
    branch: &Branch,
    note: &LockNote,
    resumed: Option<&LockNote>,
) -> Result<RemoteLock, Failure> {
    let wrong = |problem| failure(&problem, Code::GitFailed, NOTHING);
    let now = place.world.now();
    let held = match RemoteLock::take(branch, note, now).map_err(wrong)? {
        Taken::Ours(lock) => return Ok(lock),
        Taken::Theirs(held) => held,
    };
    let limit = place.repository.project.git.stale_after.as_secs();
    if held.is_left() {
        return over(place, branch, &held, note, limit);
    }
    let Some(theirs) = &held.note else { return Err(locked(&held, note.org_id, &note.integration, now, limit)) };
    let own = resumed.is_some_and(|own| (&own.run, &own.host) == (&theirs.run, &theirs.host));
    let ended = own || has_ended(place, branch, theirs).map_err(wrong)?;
    if !ended && theirs.age(now) <= limit {
        return Err(locked(&held, note.org_id, &note.integration, now, limit));
    }
    if !ended {
        place.world.say(&format!(
            "the lock of run {} on {} is {} old, over the limit of {}: taken for dead, and taken over",
            Terminal(&theirs.run),
            Terminal(&theirs.host),
            ago(theirs.age(now)),
            ago(limit)
        ));
    }
    over(place, branch, &held, note, limit)
}

fn over(place: &Place<'_>, branch: &Branch, held: &Held, note: &LockNote, limit: u64) -> Result<RemoteLock, Failure> {
    let now = place.world.now();
    let taken = RemoteLock::take_over(branch, held, note, now);
    match taken.map_err(|problem| failure(&problem, Code::GitFailed, NOTHING))? {
        Taken::Ours(lock) => Ok(lock),
        Taken::Theirs(held) => Err(locked(&held, note.org_id, &note.integration, now, limit)),
    }
}

/// The lock was taken away before the run's first write: it has none to write with.
pub fn lost(other: Option<&Held>, now: jiff::Timestamp) -> Failure {
    let whose = match other.and_then(|held| held.note.as_ref()) {
        Some(note) => {
            let age = ago(note.age(now));
            format!("run {} on {} has it, for {age}", Terminal(&note.run), Terminal(&note.host))
        }
        None => "nobody has it".to_owned(),
    };
    let what = format!("the lock of this run was taken away before its first write: {whose}");
    let diagnostic = Diagnostic::error(Code::IntentNotPushed, what)
        .note(NOTHING)
        .help("somebody ran `footbridge unlock`, or its clock is ahead by more than `stale_after`; then apply again");
    Failure::new(Exit::Failed, diagnostic)
}

/// Has the run that holds a lock ended? Its log says so: only the lock could not be given back.
fn has_ended(place: &Place<'_>, branch: &Branch, theirs: &LockNote) -> Result<bool, GitProblem> {
    branch.fetch()?;
    let filter = Filter {
        integration: Some(theirs.integration.clone()),
        org_id: Some(theirs.org_id),
        since: Some(theirs.started),
        ..Filter::default()
    };
    let listed = place.store().list(&filter).unwrap_or_default();
    // A run that left a bulk job has a log, and is at work again when it is resumed.
    let since = theirs.since().as_second();
    let ended = |run: &RunSummary| run.start == theirs.started && run.end.as_second() >= since;
    Ok(listed.iter().filter_map(Listed::run).any(ended))
}

/// Somebody else has the lock.
fn locked(held: &Held, org_id: OrgId, integration: &str, now: jiff::Timestamp, limit: u64) -> Failure {
    let what = format!("`{integration}` is being applied to org {org_id} by another machine");
    let diagnostic = match &held.note {
        None => Diagnostic::error(Code::RemoteLocked, format!("{what}; its lock cannot be read")).note(NOTHING).help(
            format!(
                "whose it is, `git log {}` tells after `git fetch`; `footbridge unlock` takes it away",
                held.branch
            ),
        ),
        Some(note) => {
            let page = note.ci.as_ref().map(|page| format!(", {page}")).unwrap_or_default();
            let who = format!("run {} on {}{page}, for {}", note.run, note.host, ago(note.age(now)));
            Diagnostic::error(Code::RemoteLocked, format!("{what}: {}", Terminal(&who)))
                .note(NOTHING)
                .help("wait until that run has ended, then try again")
                .help(format!(
                    "if its machine is gone: `footbridge unlock {} --force`, then apply again, which first finds out what that run wrote; after {} this happens by itself",
                    Terminal(&note.run),
                    ago(limit)
                ))
        }
    };
    Failure::new(Exit::Failed, diagnostic)
}
