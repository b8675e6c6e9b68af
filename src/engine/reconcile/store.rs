//! What is kept until the end: bytes in pieces that never move, the larger ones in huge pages, since fresh memory costs more than what is written to it.

use super::room::Room;

/// Bytes of the first pieces: most plans, and most parts of large ones, need no more.
const FIRST: [usize; 2] = [64 << 10, 512 << 10];
/// Bytes of a further one; what is longer has one of its own.
pub(super) const PIECE: usize = 4 << 20;

/// Grows at its end.
#[derive(Default)]
pub(super) struct Store {
    pieces: Vec<Room>,
    /// Bytes of the last piece that are taken.
    used: usize,
}

/// Where something lies in a [`Store`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Stored {
    piece: u32,
    at: u32,
    length: u32,
}

impl Stored {
    /// Its piece, and where it starts in there.
    pub(super) fn place(self) -> (u32, usize) {
        (self.piece, self.at as usize)
    }
}

impl Store {
    /// For so many bytes, as far as anybody knows: memory that is touched for nothing costs as much as any.
    pub(super) fn expecting(bytes: usize) -> Self {
        Self { pieces: vec![Room::new(bytes.min(PIECE))], used: 0 }
    }

    /// So many bytes can be kept before another piece begins.
    pub(super) fn left(&self) -> usize {
        self.pieces.last().map_or(0, |piece| piece.len() - self.used)
    }

    /// Room for so many bytes (below 4 GiB), all zero.
    pub(super) fn reserve(&mut self, length: usize) -> Stored {
        if self.pieces.is_empty() || self.left() < length {
            let least = FIRST.get(self.pieces.len()).copied().unwrap_or(PIECE);
            self.pieces.push(Room::new(least.max(length)));
            self.used = 0;
        }
        let at = self.used;
        self.used += length.next_multiple_of(8).min(self.left());
        Stored { piece: self.pieces.len() as u32 - 1, at: at as u32, length: length as u32 }
    }

    /// Keeps these bytes.
    pub(super) fn keep(&mut self, bytes: &[u8]) -> Stored {
        let stored = self.reserve(bytes.len());
        self.get_mut(stored).copy_from_slice(bytes);
        stored
    }

    /// From a place to the end of its piece.
    #[inline]
    pub(super) fn from(&self, piece: u32, at: usize) -> &[u8] {
        &self.pieces[piece as usize][at..]
    }

    #[inline]
    pub(super) fn get(&self, stored: Stored) -> &[u8] {
        &self.from(stored.piece, stored.at as usize)[..stored.length as usize]
    }

    #[inline]
    pub(super) fn get_mut(&mut self, stored: Stored) -> &mut [u8] {
        &mut self.pieces[stored.piece as usize][stored.at as usize..][..stored.length as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_stays_as_it_was() {
        for expected in [0, 1, 1 << 20, 9 << 20] {
            stays(Store::expecting(expected));
        }
    }

    fn stays(mut store: Store) {
        let lengths = [0, 1, 8, 300 << 10, 300 << 10, 5 << 20, 7, 4 << 20, 1, 0];
        let kept: Vec<Stored> = lengths.iter().enumerate().map(|(n, &l)| store.keep(&vec![n as u8 + 1; l])).collect();
        let room = store.reserve(9);
        assert_eq!(store.get(room), [0; 9]);
        store.get_mut(room)[8] = 77;
        for (n, (stored, length)) in kept.iter().zip(lengths).enumerate() {
            assert_eq!(store.get(*stored), vec![n as u8 + 1; length], "{n}");
        }
        assert_eq!(store.get(room)[8], 77);
    }
}
