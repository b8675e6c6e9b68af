//! The report's keys: where the first row of a key is, found by the hash of its canonical form. Eight bytes a slot, no key in it.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;

use super::near;
use super::room::Room;
use crate::values::Key;

/// Bytes of a slot.
const SLOT: usize = 8;

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

/// A slot is a tag, whether several rows have the key, and the first row + 1; or 0.
const SEVERAL: u64 = 1 << 32;
const TAG_SHIFT: u32 = 33;

/// Open addressing, in as many regions as threads fill it.
pub(super) struct Table {
    slots: Room,
    /// Slots of a region; regions are a power of two in number.
    region: usize,
    /// Chooses the region by low bits of the hash.
    mask: u64,
}

/// A table as it is looked at.
#[derive(Clone, Copy)]
pub(super) struct Slots<'t> {
    all: &'t [[u8; SLOT]],
    region: usize,
    mask: u64,
}

/// One region while it is filled.
pub(super) struct Region<'t> {
    slots: &'t mut [[u8; SLOT]],
}

impl Table {
    /// For at most so many keys.
    pub(super) fn new(keys: usize, regions: usize) -> Self {
        let regions = regions.next_power_of_two();
        // Hashes spread a little unevenly over the regions.
        let region = (keys / regions + keys / regions / 16 + 8) * 8 / 5;
        Self { slots: Room::new(region * regions * SLOT), region, mask: regions as u64 - 1 }
    }

    /// The regions, to be filled by one thread each.
    pub(super) fn regions(&mut self) -> impl Iterator<Item = Region<'_>> {
        self.slots.as_chunks_mut::<SLOT>().0.chunks_mut(self.region).map(|slots| Region { slots })
    }

    /// The bits of a hash that number its region.
    pub(super) fn mask(&self) -> u64 {
        self.mask
    }

    /// To look keys up.
    #[inline(always)]
    pub(super) fn slots(&self) -> Slots<'_> {
        Slots { all: self.slots.as_chunks().0, region: self.region, mask: self.mask }
    }
}

impl Slots<'_> {
    #[inline(always)]
    fn region(&self, hash: u64) -> &[[u8; SLOT]] {
        &self.all[(hash & self.mask) as usize * self.region..][..self.region]
    }

    /// The row that most likely has the key, to be looked at, and whether it is one of several; if it is not that one, [`Self::find`] decides. For many
    /// keys at a time, so that waiting for memory overlaps.
    #[inline(always)]
    pub(super) fn likely(self, hash: u64) -> Option<(u32, bool)> {
        let slots = self.region(hash);
        let slot = u64::from_le_bytes(slots[probe(slots, hash, |_| true).ok()?]);
        Some((slot as u32 - 1, slot & SEVERAL != 0))
    }

    /// Brings near what [`Self::likely`] will look at first.
    #[inline(always)]
    pub(super) fn bring(self, hash: u64) {
        near::bring(&self.region(hash)[home(hash, self.region)]);
    }

    /// The row with this hash for which `is` says yes, and whether it is one of several.
    #[inline]
    pub(super) fn find(self, hash: u64, is: impl FnMut(u32) -> bool) -> Option<(u32, bool)> {
        let slots = self.region(hash);
        let slot = u64::from_le_bytes(slots[probe(slots, hash, is).ok()?]);
        Some((slot as u32 - 1, slot & SEVERAL != 0))
    }
}

impl Region<'_> {
    /// Brings near what [`Self::insert`] will look at first.
    #[inline(always)]
    pub(super) fn bring(&self, hash: u64) {
        near::bring(&self.slots[home(hash, self.slots.len())]);
    }

    /// Puts a row where its hash belongs, unless there is one already for which `is` says yes: that one comes back.
    #[inline]
    pub(super) fn insert(&mut self, hash: u64, row: u32, is: impl FnMut(u32) -> bool) -> Option<u32> {
        match probe(self.slots, hash, is) {
            Ok(found) => {
                let slot = u64::from_le_bytes(self.slots[found]) | SEVERAL;
                self.slots[found] = slot.to_le_bytes();
                Some(slot as u32 - 1)
            }
            Err(free) => {
                self.slots[free] = (tag(hash) << TAG_SHIFT | u64::from(row + 1)).to_le_bytes();
                None
            }
        }
    }
}

#[inline(always)]
fn home(hash: u64, slots: usize) -> usize {
    ((u128::from(hash) * slots as u128) >> 64) as usize
}

/// The slot of the row that is meant, or the free one where it would be. A table is never full.
#[inline(always)]
fn probe(slots: &[[u8; SLOT]], hash: u64, mut is: impl FnMut(u32) -> bool) -> Result<usize, usize> {
    let mut at = home(hash, slots.len());
    loop {
        let slot = u64::from_le_bytes(slots[at]);
        if slot == 0 {
            return Err(at);
        }
        if slot >> TAG_SHIFT == tag(hash) && is(slot as u32 - 1) {
            return Ok(at);
        }
        at += 1;
        if at == slots.len() {
            at = 0;
        }
    }
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
