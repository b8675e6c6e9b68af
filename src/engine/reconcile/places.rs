//! Of each row two numbers that are looked for together: where it lies in the arena, and the head of its records. Side by side, one wait for memory brings both.

use std::sync::atomic::{AtomicU32, Ordering};

use super::near::{self, Atomics};

/// By row.
pub(super) struct Places(Atomics);

impl Places {
    /// Rows that lie here, without records.
    pub(super) fn new(addresses: &[u32]) -> Self {
        let places = Self(Atomics::new(addresses.len() * 2));
        for (place, &address) in places.all().iter().zip(addresses) {
            place[0].store(address, Ordering::Relaxed);
        }
        places
    }

    #[inline(always)]
    fn all(&self) -> &[[AtomicU32; 2]] {
        self.0.as_chunks().0
    }

    /// How many.
    pub(super) fn rows(&self) -> usize {
        self.all().len()
    }

    /// Where a row lies. Never changes.
    #[inline]
    pub(super) fn address(&self, row: u32) -> u32 {
        self.all()[row as usize][0].load(Ordering::Relaxed)
    }

    /// The head of a row's records, 0 at first.
    #[inline]
    pub(super) fn head(&self, row: u32) -> &AtomicU32 {
        &self.all()[row as usize][1]
    }

    /// Brings both near.
    #[inline]
    pub(super) fn bring(&self, row: u32) {
        near::bring(&self.all()[row as usize]);
    }
}
