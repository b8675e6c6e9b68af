//! Locks on parents: two jobs, or two transactions of one job, that save children of one parent at the same time.
//!
//! A real org waits some seconds for such a lock and sometimes gets it; here, where a script says so, it never does.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

/// What a script says: which parents, and how many transactions run side by side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParentLock {
    /// The reference field, such as `AccountId`.
    pub field: String,
    /// Rows of one transaction.
    #[serde(default = "transaction")]
    pub chunk: usize,
    /// Transactions of one job that run side by side; 1 = one after another.
    #[serde(default = "two")]
    pub at_once: usize,
}

fn transaction() -> usize {
    200
}

fn two() -> usize {
    2
}

/// Parents that jobs under way hold, by job.
#[derive(Default)]
pub struct Held(HashMap<String, HashSet<String>>);

impl Held {
    /// Does another job hold this parent? If not, this one does from now on.
    pub fn take(&mut self, job: &str, parent: &str) -> bool {
        if self.0.iter().any(|(other, parents)| other != job && parents.contains(parent)) {
            return false;
        }
        self.0.entry(job.to_owned()).or_default().insert(parent.to_owned());
        true
    }

    /// The job is over.
    pub fn release(&mut self, job: &str) {
        self.0.remove(job);
    }
}

/// Parents that the transactions running side by side hold: each with the transaction that has it.
#[derive(Default)]
pub struct Lanes {
    group: usize,
    parents: HashMap<String, usize>,
}

impl Lanes {
    /// May the row at this place have its parent? Transactions side by side: the first one that comes has it.
    pub fn take(&mut self, lock: &ParentLock, row: usize, parent: &str) -> bool {
        let chunk = row / lock.chunk.max(1);
        let group = chunk / lock.at_once.max(1);
        if group != self.group {
            (self.group, self.parents) = (group, HashMap::new());
        }
        *self.parents.entry(parent.to_owned()).or_insert(chunk) == chunk
    }
}

#[cfg(test)]
mod tests {
    use super::{Held, Lanes, ParentLock};

    #[test]
    fn one_parent_is_not_for_two_at_once() {
        let lock = ParentLock { field: "AccountId".into(), chunk: 2, at_once: 2 };
        let mut lanes = Lanes::default();
        let free: Vec<bool> = ["a", "b", "a", "c", "a", "a", "b", "a"]
            .iter()
            .enumerate()
            .map(|(row, parent)| lanes.take(&lock, row, parent))
            .collect();
        assert_eq!(free, [true, true, false, true, true, true, true, false]);
        let mut held = Held::default();
        assert!(held.take("1", "a") && held.take("1", "a") && !held.take("2", "a") && held.take("2", "b"));
        held.release("1");
        assert!(held.take("2", "a"));
    }
}
