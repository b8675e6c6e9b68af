//! What an apply is part of: what began it, the budget that it shares with those beside it, and whose turn it is to write.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio::sync::OwnedMutexGuard;

use super::carry::heard;
use super::signals;
use crate::apply::Cancel;
use crate::cli::connect::budget;
use crate::cli::failure::Failure;
use crate::cli::world::World;
use crate::model::{ObjectName, OrgId};
use crate::net::Budget;
use crate::plan::{GuardName, GuardVerdict};
use crate::runlog::Trigger;

/// What an apply is part of.
#[derive(Debug, Clone)]
pub struct Errand {
    /// The tick of the schedule that it is for; `None` where a person or a job began it.
    pub tick: Option<Timestamp>,
    /// The tick before that one, where it went by without a run.
    pub passed: Option<Timestamp>,
    /// The run's budget.
    pub budget: Budget,
    /// Whose turn it is to write.
    pub turns: Turns,
}

impl Errand {
    /// Of an apply by itself.
    pub fn alone(world: &World) -> Self {
        Self { tick: None, passed: None, budget: budget(world), turns: Turns::default() }
    }

    /// What began it.
    pub fn trigger(&self) -> Trigger {
        if self.tick.is_some() { Trigger::Schedule } else { Trigger::Apply }
    }

    /// Does it wait for a newer report, rather than end as held? Only a scheduled run does: it comes again by itself.
    pub fn waits(&self, held: &[&GuardVerdict]) -> bool {
        self.tick.is_some() && held.iter().any(|guard| guard.name == GuardName::MaxAge)
    }
}

type Key = (OrgId, String);

/// Who may write. Two applies that would lock the same records (of one object, or of one parent) write one after the other, whatever they do else side by side.
#[derive(Debug, Clone, Default)]
pub struct Turns(Arc<Mutex<BTreeMap<Key, Arc<tokio::sync::Mutex<()>>>>>);

/// A turn. It ends when this is dropped.
#[derive(Debug)]
pub struct Turn {
    #[allow(dead_code, reason = "held for what its end does")]
    held: Vec<OwnedMutexGuard<()>>,
}

impl Turns {
    /// Waits for the turn to write records that lock records of these objects.
    ///
    /// # Errors
    /// The word to stop was given first.
    pub async fn take(&self, org: OrgId, objects: &[ObjectName], cancel: &Cancel) -> Result<Turn, Failure> {
        // Always in one order, so that no two wait for each other.
        let keys: BTreeSet<Key> = objects.iter().map(|object| (org, object.as_str().to_ascii_lowercase())).collect();
        let mut held = Vec::new();
        for key in keys {
            let lock = Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default());
            tokio::select! {
                biased;
                () = heard(cancel) => return Err(signals::interrupted()),
                guard = lock.lock_owned() => held.push(guard),
            }
        }
        Ok(Turn { held })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn objects(names: &[&str]) -> Vec<ObjectName> {
        names.iter().map(|name| ObjectName::new(*name)).collect()
    }

    #[tokio::test]
    async fn turns_of_one_object_or_parent_exclude_each_other_and_others_do_not() {
        let org = OrgId::parse("00D000000000001EAA").unwrap();
        let (turns, never) = (Turns::default(), Cancel::never());
        let contact = turns.take(org, &objects(&["Contact", "Account"]), &never).await.unwrap();
        turns.take(org, &objects(&["Lead"]), &never).await.unwrap();
        for waits in [&["contact"][..], &["Opportunity", "ACCOUNT"], &["Account"]] {
            let wanted = objects(waits);
            let turn = turns.take(org, &wanted, &never);
            assert!(tokio::time::timeout(Duration::from_millis(5), turn).await.is_err(), "{waits:?}");
        }
        drop(contact);
        turns.take(org, &objects(&["Opportunity", "Account"]), &never).await.unwrap();
    }

    #[tokio::test]
    async fn the_word_to_stop_ends_the_waiting() {
        let org = OrgId::parse("00D000000000001EAA").unwrap();
        let (turns, (canceller, cancel)) = (Turns::default(), Cancel::new());
        let _first = turns.take(org, &objects(&["Lead"]), &cancel).await.unwrap();
        canceller.cancel();
        assert!(turns.take(org, &objects(&["Lead"]), &cancel).await.is_err());
    }
}
