//! Packed rows in memory, addressed by four bytes a row.

use std::iter::once;

use super::store::{PIECE, Store};

/// Rows start at multiples of so many bytes.
const UNIT: usize = 8;
/// Bits of an address that say where in its piece a row starts.
const OFFSET_BITS: u32 = 19;
const _: () =
    assert!(PIECE == UNIT << OFFSET_BITS, "an address reaches every row of a piece; a longer row has one of its own");

/// Rows, each padded to [`UNIT`].
#[derive(Default)]
pub(super) struct Arena {
    store: Store,
    bytes: usize,
}

impl Arena {
    /// As [`Store::expecting`].
    pub(super) fn expecting(bytes: usize) -> Self {
        Self { store: Store::expecting(bytes), bytes: 0 }
    }

    /// Adds rows that lie one behind the other, and appends their addresses. `ends` are relative to `rows`.
    /// False when there are no addresses left (after 32 GiB).
    pub(super) fn push(&mut self, rows: &[u8], mut ends: &[u32], addresses: &mut Vec<u32>) -> bool {
        let mut from = 0;
        while !ends.is_empty() {
            // As many as there is room for, and where there is room for none, one.
            let left = self.store.left();
            let (some, later) = ends.split_at(ends.partition_point(|&end| end as usize - from <= left).max(1));
            let to = some[some.len() - 1] as usize;
            let (piece, start) = self.store.keep(&rows[from..to]).place();
            if piece >> (u32::BITS - OFFSET_BITS) != 0 {
                return false;
            }
            let starts = once(from).chain(some[..some.len() - 1].iter().map(|&end| end as usize));
            addresses.extend(starts.map(|at| piece << OFFSET_BITS | ((start + at - from) / UNIT) as u32));
            (from, ends) = (to, later);
        }
        self.bytes += rows.len();
        true
    }

    /// From the start of a row to the end of its piece.
    #[inline]
    pub(super) fn row(&self, address: u32) -> &[u8] {
        self.store.from(address >> OFFSET_BITS, (address as usize & ((1 << OFFSET_BITS) - 1)) * UNIT)
    }

    /// Bytes of all rows.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_where_their_addresses_say() {
        let mut arena = Arena::default();
        let mut addresses = Vec::new();
        let lengths = [8usize, 16, 300 << 10, 8, 9 << 20, 24, 4 << 20, 5 << 20, 8];
        for chunk in lengths.chunks(3) {
            let (mut rows, mut ends) = (Vec::new(), Vec::new());
            for &length in chunk {
                rows.resize(rows.len() + length, (length / 8) as u8);
                ends.push(rows.len() as u32);
            }
            assert!(arena.push(&rows, &ends, &mut addresses));
        }
        for (address, length) in addresses.iter().zip(lengths) {
            assert!(arena.row(*address)[..length].iter().all(|&b| b == (length / 8) as u8), "{length}");
        }
        assert_eq!(arena.bytes(), lengths.iter().sum::<usize>());
    }
}
