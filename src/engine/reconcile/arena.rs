//! Packed rows in memory: in pieces that never move, addressed by four bytes a row.

use super::room::Room;

/// Rows start at multiples of so many bytes.
const UNIT: usize = 8;
/// Bits of an address that say where in its piece a row starts.
const OFFSET_BITS: u32 = 20;
/// Bytes of a piece; a longer row has one of its own.
const PIECE: usize = UNIT << OFFSET_BITS;
/// Bytes of the first piece: most reports are small.
const FIRST: usize = 256 << 10;

/// Rows, each padded to [`UNIT`].
#[derive(Default)]
pub(super) struct Arena {
    pieces: Vec<Room>,
    /// Bytes of the last piece that are taken.
    used: usize,
    bytes: usize,
}

impl Arena {
    /// Adds rows that lie one behind the other, and appends their addresses. `ends` are relative to `rows`.
    /// False when there are no addresses left (after 32 GiB); nothing is added then.
    pub(super) fn push(&mut self, rows: &[u8], ends: &[u32], addresses: &mut Vec<u32>) -> bool {
        let mut from = 0;
        let mut next = 0;
        while next < ends.len() {
            let used = self.used;
            let room = self.pieces.last().map_or(0, |piece| piece.len() - used);
            let mut to = from;
            let first = next;
            while next < ends.len() && ends[next] as usize - from <= room {
                let offset = used + to - from;
                if offset >= PIECE {
                    break;
                }
                addresses.push((((self.pieces.len() - 1) << OFFSET_BITS) | (offset / UNIT)) as u32);
                to = ends[next] as usize;
                next += 1;
            }
            if next == first {
                if self.pieces.len() >= 1 << (u32::BITS - OFFSET_BITS) {
                    return false;
                }
                let least = if self.pieces.is_empty() { FIRST } else { PIECE };
                self.pieces.push(Room::new(least.max(ends[next] as usize - from)));
                self.used = 0;
            } else if let Some(piece) = self.pieces.last_mut() {
                piece[used..used + to - from].copy_from_slice(&rows[from..to]);
                self.used += to - from;
                from = to;
            }
        }
        self.bytes += rows.len();
        true
    }

    /// From the start of a row to the end of its piece.
    #[inline]
    pub(super) fn row(&self, address: u32) -> &[u8] {
        let offset = (address as usize & ((1 << OFFSET_BITS) - 1)) * UNIT;
        &self.pieces[address as usize >> OFFSET_BITS][offset..]
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
