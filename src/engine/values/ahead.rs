//! A cell with what follows it in memory, so that it can be loaded in words: a processor guesses lengths badly, and each wrong guess costs as much as all
//! the rest of a comparison.

/// A cell, and whatever bytes lie behind it.
#[derive(Clone, Copy)]
pub struct Ahead<'a> {
    bytes: &'a [u8],
    length: usize,
}

impl<'a> Ahead<'a> {
    /// The first `length` of these bytes are the cell.
    ///
    /// # Panics
    /// When there are fewer.
    #[inline(always)]
    pub fn new(bytes: &'a [u8], length: usize) -> Self {
        assert!(length <= bytes.len(), "a cell of {length} in {} bytes", bytes.len());
        Self { bytes, length }
    }

    /// The cell alone.
    #[inline(always)]
    pub fn cell(self) -> &'a [u8] {
        &self.bytes[..self.length]
    }

    /// Bytes of the cell.
    #[inline(always)]
    pub(super) fn length(self) -> usize {
        self.length
    }

    /// A cell of one to eight bytes as a number, zero where there are none.
    #[inline(always)]
    pub(super) fn word(self) -> Option<u64> {
        if !(1..=8).contains(&self.length) {
            return None;
        }
        let cell = u64::MAX >> ((8 - self.length) * 8);
        match self.bytes.first_chunk() {
            Some(eight) => Some(u64::from_le_bytes(*eight) & cell),
            None => {
                let mut eight = [0; 8];
                eight[..self.length].copy_from_slice(self.cell());
                Some(u64::from_le_bytes(eight))
            }
        }
    }

    /// The first 64 bytes, of the cell or from behind it, where the cell has no more and there are so many.
    #[inline(always)]
    pub(super) fn line(self) -> Option<&'a [u8; 64]> {
        self.bytes.first_chunk().filter(|_| self.length <= 64)
    }
}

impl<'a> From<&'a [u8]> for Ahead<'a> {
    fn from(cell: &'a [u8]) -> Self {
        Self { bytes: cell, length: cell.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_a_cell_does_not_show() {
        let bytes = b"0123456789abcdef";
        for length in 0..=bytes.len() {
            for end in length..=bytes.len() {
                let ahead = Ahead::new(&bytes[..end], length);
                assert_eq!(ahead.cell(), &bytes[..length]);
                let word = (1..=8)
                    .contains(&length)
                    .then(|| bytes[..length].iter().rev().fold(0, |word, b| word << 8 | u64::from(*b)));
                assert_eq!(ahead.word(), word, "{length} of {end}");
            }
        }
    }
}
