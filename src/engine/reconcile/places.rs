//! Of each row two numbers that are looked for together: where it lies in the arena, and the head of its records. Side by side, one wait for memory brings both.

use std::sync::atomic::{AtomicU32, Ordering};

use super::near::Atomics;

/// By row.
pub(super) struct Places(Atomics<AtomicU32>);

impl Places {
    /// So many rows, which lie nowhere yet, without records.
    pub(super) fn new(rows: usize) -> Self {
        Self(Atomics::new(rows * 2))
    }

    /// Rows from this one on lie here. Threads may set those of different rows side by side.
    pub(super) fn set(&self, first: usize, addresses: impl Iterator<Item = u32>) {
        for (place, address) in self.all()[first..].iter().zip(addresses) {
            place[0].store(address, Ordering::Relaxed);
        }
    }

    /// Address and head of each.
    #[inline(always)]
    pub(super) fn all(&self) -> &[[AtomicU32; 2]] {
        self.0.as_chunks().0
    }

    /// How many.
    pub(super) fn rows(&self) -> usize {
        self.all().len()
    }

    /// Where a row lies. Set once.
    #[inline]
    pub(super) fn address(&self, row: u32) -> u32 {
        self.all()[row as usize][0].load(Ordering::Relaxed)
    }

    /// The head of a row's records, 0 at first.
    #[inline]
    pub(super) fn head(&self, row: u32) -> &AtomicU32 {
        &self.all()[row as usize][1]
    }
}
