//! After scheduled runs: who is to hear of them. Notices go out when an integration's condition (status, error codes, guards) is another than that of the run
//! before, as the run logs say: there is no other state. Nothing here fails a run, and nothing that is sent holds a value of a record.

mod condition;
mod issue;
mod sending;
mod webhook;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use self::condition::Condition;
use super::ground::Place;
use super::standing::Logged;
use crate::config::valid::OnHeld;
use crate::diag::{Code, Diagnostic};
use crate::model::{EnvironmentName, OrgId};
use crate::runlog::{ExitReason, RunLog, RunProblem, Status, Store};

/// An integration that may have run, and what was known of it before.
pub struct Watched<'a> {
    /// The integration's name.
    pub name: &'a str,
    /// Where it runs.
    pub environment: EnvironmentName,
    /// Its org's id.
    pub org_id: OrgId,
    /// What it hands over that a guard held back.
    pub on_held: OnHeld,
    /// Its newest log before.
    pub newest: Option<PathBuf>,
    /// The newest log before that told how it is.
    pub before: Option<Logged>,
}

/// An integration whose condition is another than before.
pub struct Change {
    path: PathBuf,
    log: RunLog,
    now: Condition,
    before: Condition,
}

/// Tells of everything that the runs changed. Gives back the logs to which it had to add that somebody was not told.
pub async fn tell(place: &Place<'_>, store: &Store, watched: &[Watched<'_>]) -> Vec<PathBuf> {
    let (mut changes, mut added) = (Vec::new(), Vec::new());
    for one in watched {
        let (mut newest, mut missed) = (None, None);
        let read = store.each_newest(one.name, one.environment, one.org_id, |path, log| {
            if Some(&path) == one.newest.as_ref() {
                return ControlFlow::Break(());
            }
            if newest.is_none() {
                newest = Some((path, log));
                return ControlFlow::Continue(());
            }
            // A run that was not made, told of just before this one.
            let earlier = log.tick.is_some() && newest.as_ref().is_some_and(|(_, new)| log.tick < new.tick);
            missed = Some((path, log)).filter(|(_, log)| earlier && log.exit == ExitReason::Guard);
            ControlFlow::Break(())
        });
        let Some((path, log)) = newest.filter(|_| read.is_ok()) else { continue };
        if one.on_held == OnHeld::Issue {
            added.extend(hand_over(place, store, &path, &log).await);
        }
        let now = Condition::of(store, &path, &log);
        let known = one.before.as_ref();
        let mut before = known.map_or_else(Condition::default, |(path, log)| Condition::of(store, path, log));
        if let Some((path, log)) = missed {
            let then = Condition::of(store, &path, &log);
            if then != before {
                changes.push(Change { path, log, now: then.clone(), before });
                before = then;
            }
        }
        if now != before || one.before.as_ref().is_some_and(|(_, log)| untold(log)) {
            changes.push(Change { path, log, now, before });
        }
    }
    let Some(notices) = place.repository.project.notices.as_ref().filter(|_| !changes.is_empty()) else { return added };
    if let Err(why) = webhook::send(place, notices, &changes).await {
        let message = format!("the notice of {} was not delivered: {why}", changes_in_words(&changes));
        let diagnostic = Diagnostic::warning(Code::NoticeNotSent, message)
            .at(notices.span.clone(), "this webhook")
            .note("the runs themselves are not affected")
            .help("the next scheduled run tells it again; `footbridge status` shows it at any time");
        super::tell_all(place.world, &[diagnostic].into_iter().collect());
        for change in &changes {
            added.extend(note(place, store, &change.path, Code::NoticeNotSent));
        }
    }
    added
}

fn changes_in_words(changes: &[Change]) -> String {
    changes.iter().map(|change| format!("`{}`", change.log.integration)).collect::<Vec<_>>().join(", ")
}

/// A run that a guard held becomes an issue; one that is Completed ends it.
async fn hand_over(place: &Place<'_>, store: &Store, path: &Path, log: &RunLog) -> Option<PathBuf> {
    let handed = match (&log.exit, log.status) {
        (ExitReason::Guard, _) => issue::open(place, log).await,
        (_, Status::Completed) => issue::close(place, log).await,
        _ => return None,
    };
    match handed {
        Ok(Some(said)) => {
            place.world.say(&said);
            None
        }
        Ok(None) => None,
        Err(why) => {
            let name = &log.integration;
            let message = format!("the issue of `{name}` could not be brought up to date: {why}");
            let diagnostic = Diagnostic::warning(Code::IssueNotOpened, message)
                .note("the run itself is not affected")
                .help(format!("`footbridge runs show {}` tells what the issue would", log.id));
            super::tell_all(place.world, &[diagnostic].into_iter().collect());
            note(place, store, path, Code::IssueNotOpened)
        }
    }
}

/// Nobody heard of it: the next run has to tell.
fn untold(log: &RunLog) -> bool {
    log.problems.iter().any(|problem| problem.code == Code::NoticeNotSent.as_str())
}

/// Adds to a run log that somebody was not told; its file, where that could be done.
fn note(place: &Place<'_>, store: &Store, path: &Path, code: Code) -> Option<PathBuf> {
    let problem =
        RunProblem { code: code.as_str().to_owned(), message: code.title().to_owned(), not_done: None, next: None };
    match store.add_problem(path, problem) {
        Ok(()) => Some(path.to_owned()),
        Err(error) => {
            place.world.say(&format!("the run log could not be added to: {error}"));
            None
        }
    }
}
