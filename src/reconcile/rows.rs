//! Rows kept as bytes: one arena, no allocation a row.

/// Rows of a fixed number of cells.
#[derive(Debug, Default)]
pub(super) struct Rows {
    width: usize,
    bytes: Vec<u8>,
    /// Where each row's bytes start.
    starts: Vec<u64>,
    /// End of each cell, counted from its row's start.
    ends: Vec<u32>,
}

impl Rows {
    pub(super) fn new(width: usize) -> Self {
        Self { width, ..Self::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    /// Adds a row; exactly `width` cells. A row of 4 GiB or more cannot occur: readers cap rows far below.
    pub(super) fn push<'a>(&mut self, cells: impl IntoIterator<Item = &'a [u8]>) {
        let start = self.bytes.len();
        self.starts.push(start as u64);
        let mut count = 0;
        for cell in cells {
            self.bytes.extend_from_slice(cell);
            self.ends.push(u32::try_from(self.bytes.len() - start).unwrap_or(u32::MAX));
            count += 1;
        }
        debug_assert_eq!(count, self.width);
    }

    pub(super) fn cell(&self, row: usize, cell: usize) -> &[u8] {
        let start = self.starts[row] as usize;
        let index = row * self.width + cell;
        let from = if cell == 0 { 0 } else { self.ends[index - 1] as usize };
        &self.bytes[start + from..start + self.ends[index] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_come_back_as_they_went_in() {
        let mut rows = Rows::new(3);
        rows.push([b"a".as_slice(), b"", b"ccc"]);
        rows.push([b"".as_slice(), b"bb", b""]);
        assert_eq!(rows.len(), 2);
        let all: Vec<Vec<&[u8]>> = (0..2).map(|r| (0..3).map(|c| rows.cell(r, c)).collect()).collect();
        assert_eq!(all, [[b"a".as_slice(), b"", b"ccc"], [b"".as_slice(), b"bb", b""]]);
    }
}
