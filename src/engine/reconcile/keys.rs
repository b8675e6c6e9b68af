//! The report's keys: where a row of a key is, found by the hash of its canonical form. Eight bytes a slot, no key in it.

use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

use foldhash::fast::FixedState;

use super::near::{self, Atomics};
use crate::values::Key;

/// The hash of a canonical key. The low bits choose a partition, the middle ones tell keys of one slot apart, the high ones choose the slot.
#[inline(always)]
pub(super) fn hash(key: &Key) -> u64 {
    match key.line() {
        Some((line, length)) => hash_chunks(line.as_chunks().0.iter().copied(), length),
        None => hash_bytes(key.bytes()),
    }
}

/// The same of a key's bytes.
pub(super) fn hash_bytes(key: &[u8]) -> u64 {
    let (chunks, rest) = key.as_chunks();
    let mut last = [0; CHUNK];
    last[..rest.len()].copy_from_slice(rest);
    hash_chunks(chunks.iter().copied().chain([last, [0; CHUNK]]), key.len())
}

const CHUNK: usize = 16;

/// By the chunks of a key, with zeros behind it. The first two always: most keys have no more, and whether the second has any of it no processor foresees.
#[inline(always)]
fn hash_chunks(mut chunks: impl Iterator<Item = [u8; CHUNK]>, length: usize) -> u64 {
    // The seed is fixed: the order of this table is never seen, and two plans of one report take the same time.
    const STATE: FixedState = FixedState::with_seed(0x666f_6f74_6272_6964);
    let mut hasher = STATE.build_hasher();
    for _ in 0..2 {
        hasher.write_u128(u128::from_le_bytes(chunks.next().unwrap_or_default()));
    }
    if length > 2 * CHUNK {
        chunks
            .take((length - 2 * CHUNK).div_ceil(CHUNK))
            .for_each(|chunk| hasher.write_u128(u128::from_le_bytes(chunk)));
    }
    hasher.finish()
}

/// 31 bits.
fn tag(hash: u64) -> u64 {
    (hash >> 9) & (u32::MAX >> 1) as u64
}

/// A slot is a tag, whether several rows have the key, and one of them + 1; or 0.
const SEVERAL: u64 = 1 << 32;
const TAG_SHIFT: u32 = 33;

/// Open addressing. Threads fill it side by side, and look keys up when it is filled.
pub(super) struct Table(Atomics<AtomicU64>);

/// A table as it is looked at.
#[derive(Clone, Copy)]
pub(super) struct Slots<'t>(&'t [AtomicU64]);

impl Table {
    /// For at most so many keys.
    pub(super) fn new(keys: usize) -> Self {
        Self(Atomics::new((keys + 8) * 8 / 5))
    }

    /// To put keys in, and look them up.
    #[inline(always)]
    pub(super) fn slots(&self) -> Slots<'_> {
        Slots(&self.0)
    }
}

impl Slots<'_> {
    /// Brings near what will be looked at first.
    #[inline(always)]
    pub(super) fn bring(self, hash: u64) {
        near::bring(&self.0[home(hash, self.0.len())]);
    }

    /// The row that most likely has the key, to be looked at, and whether it is one of several; if it is not that one, [`Self::find`] decides. For many
    /// keys at a time, so that waiting for memory overlaps.
    #[inline(always)]
    pub(super) fn likely(self, hash: u64) -> Option<(u32, bool)> {
        self.find(hash, |_| true)
    }

    /// The row with this hash for which `is` says yes, and whether it is one of several.
    #[inline(always)]
    pub(super) fn find(self, hash: u64, is: impl FnMut(u32) -> bool) -> Option<(u32, bool)> {
        let (_, slot) = self.probe(hash, is).ok()?;
        Some((slot as u32 - 1, slot & SEVERAL != 0))
    }

    /// Puts a row where its hash belongs, unless there is one already for which `is` says yes: that one comes back. Which of several that is, chance decides
    /// where threads do it.
    #[inline]
    pub(super) fn insert(self, hash: u64, row: u32, mut is: impl FnMut(u32) -> bool) -> Option<u32> {
        let slot = tag(hash) << TAG_SHIFT | u64::from(row + 1);
        loop {
            match self.probe(hash, &mut is) {
                Ok((found, slot)) => {
                    self.0[found].fetch_or(SEVERAL, Ordering::Relaxed);
                    return Some(slot as u32 - 1);
                }
                // What a row says was there before any thread came here, so nothing else has to be in order.
                Err(free) => {
                    if self.0[free].compare_exchange(0, slot, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                        return None;
                    }
                }
            }
        }
    }

    /// The slot of the row that is meant, and what it holds; or the free one where it would be. A table is never full.
    #[inline(always)]
    fn probe(self, hash: u64, mut is: impl FnMut(u32) -> bool) -> Result<(usize, u64), usize> {
        let mut at = home(hash, self.0.len());
        loop {
            let slot = self.0[at].load(Ordering::Relaxed);
            if slot == 0 {
                return Err(at);
            }
            if slot >> TAG_SHIFT == tag(hash) && is(slot as u32 - 1) {
                return Ok((at, slot));
            }
            at += 1;
            if at == self.0.len() {
                at = 0;
            }
        }
    }
}

#[inline(always)]
fn home(hash: u64, slots: usize) -> usize {
    ((u128::from(hash) * slots as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_and_its_bytes_have_one_hash() {
        let mut all = Vec::new();
        for length in 0..200 {
            let bytes: Vec<u8> = (0..length).map(|at| b'a' + at % 26).collect();
            let mut key = Key::default();
            key.set(&bytes);
            assert_eq!(hash(&key), hash_bytes(&bytes), "{length}");
            all.push(hash(&key));
        }
        all.sort_unstable();
        assert!(all.windows(2).all(|two| two[0] != two[1]), "a key has another hash than its beginning");
    }
}
