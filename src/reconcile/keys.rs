//! The report's keys: where the first row of a key is, found by the hash of its canonical form. Eight bytes a slot, no key in it.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;

/// The hash of a canonical key. The low bits choose a partition, the middle ones tell keys of one slot apart, the high ones choose the slot.
#[inline]
pub(super) fn hash(key: &[u8]) -> u64 {
    // A fixed seed would let a hostile report choose its collisions; the order of this table is never seen.
    const STATE: FixedState = FixedState::with_seed(0x666f_6f74_6272_6964);
    let mut hasher = STATE.build_hasher();
    hasher.write(key);
    hasher.finish()
}

fn tag(hash: u64) -> u32 {
    (hash >> 8) as u32
}

/// Open addressing, in as many regions as threads fill it; a slot is tag and row, or 0.
#[derive(Debug)]
pub(super) struct Table {
    slots: Vec<u64>,
    /// Slots of a region; regions are a power of two in number.
    region: usize,
    /// Chooses the region by low bits of the hash.
    mask: u64,
}

/// One region while it is filled.
pub(super) struct Region<'t> {
    slots: &'t mut [u64],
}

impl Table {
    /// For at most so many keys.
    pub(super) fn new(keys: usize, regions: usize) -> Self {
        let regions = regions.next_power_of_two();
        // Hashes spread a little unevenly over the regions.
        let region = (keys / regions + keys / regions / 16 + 8) * 8 / 5;
        Self { slots: vec![0; region * regions], region, mask: regions as u64 - 1 }
    }

    /// The regions, to be filled by one thread each.
    pub(super) fn regions(&mut self) -> impl Iterator<Item = Region<'_>> {
        self.slots.chunks_mut(self.region).map(|slots| Region { slots })
    }

    /// The bits of a hash that number its region.
    pub(super) fn mask(&self) -> u64 {
        self.mask
    }

    #[inline]
    fn region(&self, hash: u64) -> &[u64] {
        &self.slots[(hash & self.mask) as usize * self.region..][..self.region]
    }

    /// The row that most likely has the key: none, or one that has to be looked at with [`Self::find`]. For many keys at a time, so that waiting for
    /// memory overlaps.
    #[inline]
    pub(super) fn likely(&self, hash: u64) -> Option<u32> {
        let slot = self.region(hash)[home(hash, self.region)];
        (slot != 0 && (slot >> 32) as u32 == tag(hash)).then(|| slot as u32 - 1)
    }

    /// The row with this hash for which `is` says yes.
    #[inline]
    pub(super) fn find(&self, hash: u64, is: impl FnMut(u32) -> bool) -> Option<u32> {
        probe(self.region(hash), hash, is).ok()
    }
}

impl Region<'_> {
    /// Puts a row where its hash belongs, unless there is one already for which `is` says yes: that one comes back.
    #[inline]
    pub(super) fn insert(&mut self, hash: u64, row: u32, is: impl FnMut(u32) -> bool) -> Option<u32> {
        match probe(self.slots, hash, is) {
            Ok(found) => Some(found),
            Err(free) => {
                self.slots[free] = u64::from(tag(hash)) << 32 | u64::from(row + 1);
                None
            }
        }
    }
}

#[inline]
fn home(hash: u64, slots: usize) -> usize {
    ((u128::from(hash) * slots as u128) >> 64) as usize
}

/// The row that is meant, or the free slot where it would be. A table is never full.
#[inline]
fn probe(slots: &[u64], hash: u64, mut is: impl FnMut(u32) -> bool) -> Result<u32, usize> {
    let mut at = home(hash, slots.len());
    loop {
        let slot = slots[at];
        if slot == 0 {
            return Err(at);
        }
        if (slot >> 32) as u32 == tag(hash) {
            let row = slot as u32 - 1;
            if is(row) {
                return Ok(row);
            }
        }
        at += 1;
        if at == slots.len() {
            at = 0;
        }
    }
}
