//! The report's keys: rows that share one form a group, found by the hash of the canonical key.

use hashbrown::HashTable;

use super::rows::Rows;

pub(super) const NONE: u32 = u32::MAX;

/// Rows that share a key, and the records that have it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    /// First row, by index.
    pub(super) first: u32,
    /// Last row, by index.
    pub(super) last: u32,
    /// How many rows.
    pub(super) rows: u32,
}

/// Canonical keys to groups.
#[derive(Debug)]
pub(super) struct Keys {
    table: HashTable<u32>,
    canonical: Rows,
    pub(super) groups: Vec<Group>,
    /// Per row: the next row of its group.
    pub(super) next: Vec<u32>,
}

impl Keys {
    pub(super) fn new() -> Self {
        Self { table: HashTable::new(), canonical: Rows::new(1), groups: Vec::new(), next: Vec::new() }
    }

    fn hash(key: &[u8]) -> u64 {
        use std::hash::{BuildHasher, Hasher};
        // A fixed seed would let a hostile report choose its collisions; the order of this table is never seen.
        let mut hasher = foldhash::fast::FixedState::with_seed(0x666f_6f74_6272_6964).build_hasher();
        hasher.write(key);
        hasher.finish()
    }

    /// The group of a canonical key.
    pub(super) fn find(&self, key: &[u8]) -> Option<u32> {
        self.table.find(Self::hash(key), |&g| self.canonical.cell(g as usize, 0) == key).copied()
    }

    /// Puts a row into the group of its key. Rows come in order.
    pub(super) fn insert(&mut self, key: &[u8], row: u32) -> u32 {
        if let Some(found) = self.find(key) {
            let group = &mut self.groups[found as usize];
            self.next[group.last as usize] = row;
            group.last = row;
            group.rows += 1;
            return found;
        }
        let index = u32::try_from(self.groups.len()).unwrap_or(NONE);
        self.groups.push(Group { first: row, last: row, rows: 1 });
        self.canonical.push([key]);
        let canonical = &self.canonical;
        self.table.insert_unique(Self::hash(key), index, |&g| Self::hash(canonical.cell(g as usize, 0)));
        index
    }

    /// Makes room for the next row's link.
    pub(super) fn grow(&mut self) {
        self.next.push(NONE);
    }

    pub(super) fn canonical(&self, group: u32) -> &[u8] {
        self.canonical.cell(group as usize, 0)
    }

    /// The rows of a group, in order.
    pub(super) fn rows(&self, group: u32) -> impl Iterator<Item = u32> + '_ {
        let first = self.groups[group as usize].first;
        std::iter::successors(Some(first), |&r| Some(self.next[r as usize]).filter(|&n| n != NONE))
    }
}
