//! Stand-in for the row type, with the agreed signatures only.

/// A row that has another number of cells than its block has columns.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a row has {found} cells, {expected} were expected")]
pub struct RowShape {
    /// Columns of the block.
    pub expected: usize,
    /// Cells of the row.
    pub found: usize,
}

/// Rows as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    columns: usize,
    first_row: u64,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Block {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.ends.len() / self.columns.max(1)
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// One cell.
    pub fn cell(&self, row: usize, column: usize) -> &[u8] {
        let at = row * self.columns + column;
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.bytes[start..self.ends[at]]
    }

    /// The same rows at another place.
    pub fn placed(self, _sequence: u64, first_row: u64) -> Self {
        Self { first_row, ..self }
    }

    /// The row's number in its source.
    pub fn row_number(&self, row: usize) -> u64 {
        self.first_row + row as u64
    }
}

/// Fills a block.
#[derive(Debug)]
pub struct BlockBuilder {
    block: Block,
}

impl BlockBuilder {
    /// An empty block.
    pub fn new(columns: usize, first_row: u64, _sequence: u64) -> Self {
        Self { block: Block { columns, first_row, bytes: Vec::new(), ends: Vec::new() } }
    }

    /// Adds a cell.
    pub fn push(&mut self, cell: &[u8]) {
        self.block.bytes.extend_from_slice(cell);
        self.block.ends.push(self.block.bytes.len());
    }

    /// Ends a row.
    pub fn end_row(&mut self, _line: u64) -> Result<(), RowShape> {
        let found = self.block.ends.len() % self.block.columns.max(1);
        if found == 0 { Ok(()) } else { Err(RowShape { expected: self.block.columns, found }) }
    }

    /// Bytes held.
    pub fn weight(&self) -> usize {
        self.block.bytes.len() + self.block.ends.len() * 8
    }

    /// Rows so far.
    pub fn rows(&self) -> usize {
        self.block.rows()
    }

    /// The block.
    pub fn finish(self) -> Block {
        self.block
    }
}
