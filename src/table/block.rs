//! The row type of the whole program: a block of unescaped cells in one arena, and the builder that fills it.

use std::fmt;

/// Some rows of one table, as bytes: cells in header or SELECT order, without quotes or escapes.
///
/// A block from [`crate::table::CsvReader`] holds valid UTF-8. On the org's side an empty cell is null.
/// Blocks aim at 256 KiB; all cells of a block together stay below 4 GiB.
#[derive(Clone, PartialEq, Eq)]
pub struct Block {
    sequence: u64,
    first_row: u64,
    columns: usize,
    rows: usize,
    bytes: Vec<u8>,
    ends: Vec<u32>,
    lines: Vec<u64>,
}

impl Block {
    /// Where this block stands among the blocks of its table, from 0.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of cells in each row.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The text of one cell; both counts from 0.
    ///
    /// # Panics
    /// When the row or the column is not in the block.
    #[inline]
    pub fn cell(&self, row: usize, column: usize) -> &[u8] {
        assert!(column < self.columns, "column {column} of {}", self.columns);
        let index = row * self.columns + column;
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        &self.bytes[start..self.ends[index] as usize]
    }

    /// The number of a row (from 0 in this block) in the whole table: 1 is the first row of data, a header not counted.
    pub fn row_number(&self, row: usize) -> u64 {
        self.first_row + row as u64
    }

    /// The physical line, from 1, in which a row starts; 0 where there are no lines, as on the org's side.
    pub fn line(&self, row: usize) -> u64 {
        self.lines.get(row).copied().unwrap_or(0)
    }

    /// Bytes held: cells, their ends and the lines. What a memory budget counts.
    pub fn weight(&self) -> usize {
        self.bytes.len() + self.ends.len() * size_of::<u32>() + self.lines.len() * size_of::<u64>()
    }

    /// All cells in one piece, row by row, without anything between them.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// One row; counts from 0.
    ///
    /// # Panics
    /// When the row is not in the block.
    pub fn row(&self, row: usize) -> Row<'_> {
        assert!(row < self.rows, "row {row} of {}", self.rows);
        Row { block: self, row }
    }

    /// The rows in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Row<'_>> + DoubleEndedIterator {
        (0..self.rows).map(move |row| Row { block: self, row })
    }

    /// The same rows at another place: for a table that comes in parts, each of them counted from its own start.
    pub fn placed(self, sequence: u64, first_row: u64) -> Self {
        Self { sequence, first_row, ..self }
    }

    /// The first cell that is not UTF-8, as (row, column) from 0.
    pub(crate) fn first_not_utf8(&self) -> Option<(usize, usize)> {
        let continues = |at: u32| self.bytes.get(at as usize).is_some_and(|byte| byte & 0xC0 == 0x80);
        // Text that is sound as a whole is sound in each cell unless a character runs over the end of one.
        if std::str::from_utf8(&self.bytes).is_ok() && !self.ends.iter().any(|&end| continues(end)) {
            return None;
        }
        (0..self.rows)
            .flat_map(|row| (0..self.columns).map(move |column| (row, column)))
            .find(|&(row, column)| std::str::from_utf8(self.cell(row, column)).is_err())
    }
}

/// Shape only: cells hold personal data.
impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Block")
            .field("sequence", &self.sequence)
            .field("first_row", &self.first_row)
            .field("rows", &self.rows)
            .field("columns", &self.columns)
            .field("weight", &self.weight())
            .finish()
    }
}

/// One row of a block.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    block: &'a Block,
    row: usize,
}

impl<'a> Row<'a> {
    /// The text of a cell; counts from 0. Panics as [`Block::cell`] does.
    #[inline]
    pub fn cell(self, column: usize) -> &'a [u8] {
        self.block.cell(self.row, column)
    }

    /// All cells in order.
    pub fn cells(self) -> impl ExactSizeIterator<Item = &'a [u8]> + DoubleEndedIterator {
        (0..self.block.columns).map(move |column| self.block.cell(self.row, column))
    }

    /// Where the row stands in its block, from 0.
    pub fn index(self) -> usize {
        self.row
    }

    /// See [`Block::row_number`].
    pub fn number(self) -> u64 {
        self.block.row_number(self.row)
    }

    /// See [`Block::line`].
    pub fn line(self) -> u64 {
        self.block.line(self.row)
    }
}

/// Why a row was not taken into a block. The builder drops that row and stays usable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RowShape {
    /// The row has another number of cells than the table has columns.
    #[error("a row of {found} cells in a table of {expected} columns")]
    Cells {
        /// Columns of the table.
        expected: usize,
        /// Cells of the row.
        found: usize,
    },
    /// The block would pass 4 GiB: it should have been finished long ago.
    #[error("a block cannot hold more than 4 GiB")]
    Full,
}

/// Fills a [`Block`], cell by cell or a cell in pieces.
#[derive(Clone)]
pub struct BlockBuilder {
    block: Block,
    fixed: bool,
}

impl BlockBuilder {
    /// A builder for rows of `columns` cells, the first of which is row number `first_row` (from 1) of the table.
    pub fn new(columns: usize, first_row: u64, sequence: u64) -> Self {
        let block =
            Block { sequence, first_row, columns, rows: 0, bytes: Vec::new(), ends: Vec::new(), lines: Vec::new() };
        Self { block, fixed: true }
    }

    /// A builder that takes the number of columns from its first row.
    pub fn unfixed(first_row: u64, sequence: u64) -> Self {
        Self { fixed: false, ..Self::new(0, first_row, sequence) }
    }

    /// Makes room at once, for a caller that knows how much is coming.
    pub fn reserve(&mut self, bytes: usize, rows: usize) {
        self.block.bytes.reserve(bytes);
        self.block.ends.reserve(rows.saturating_mul(self.block.columns));
    }

    /// Adds a whole cell.
    #[inline]
    pub fn push(&mut self, cell: &[u8]) {
        self.extend(cell);
        self.end_cell();
    }

    /// Adds a piece of the cell that [`Self::end_cell`] will close.
    #[inline]
    pub fn extend(&mut self, piece: &[u8]) {
        self.block.bytes.extend_from_slice(piece);
    }

    /// Closes a cell: what came since the last one; nothing is an empty cell.
    #[inline]
    pub fn end_cell(&mut self) {
        // Past 4 GiB the end is wrong, and `end_row` refuses the row for that.
        self.block.ends.push(u32::try_from(self.block.bytes.len()).unwrap_or(u32::MAX));
    }

    /// Closes a row that starts in physical line `line` (0: no lines). Text after the last closed cell counts as a cell.
    ///
    /// # Errors
    /// [`RowShape`]; the row is dropped then, the rows before it stay.
    pub fn end_row(&mut self, line: u64) -> Result<(), RowShape> {
        let first_cell = self.block.rows * self.block.columns;
        if self.block.bytes.len() > self.last_end() {
            self.end_cell();
        }
        let found = self.block.ends.len() - first_cell;
        if !self.fixed {
            self.block.columns = found;
            self.fixed = true;
        }
        let problem = if self.block.bytes.len() > u32::MAX as usize {
            Some(RowShape::Full)
        } else if found != self.block.columns {
            Some(RowShape::Cells { expected: self.block.columns, found })
        } else {
            None
        };
        if let Some(problem) = problem {
            self.block.ends.truncate(first_cell);
            self.block.bytes.truncate(self.last_end());
            return Err(problem);
        }
        if line != 0 || !self.block.lines.is_empty() {
            // Rows without a line so far: the first line known makes room for them.
            self.block.lines.resize(self.block.rows, 0);
            self.block.lines.push(line);
        }
        self.block.rows += 1;
        Ok(())
    }

    /// Adds a whole row.
    ///
    /// # Errors
    /// As [`Self::end_row`].
    pub fn push_row<I>(&mut self, cells: I, line: u64) -> Result<(), RowShape>
    where
        I: IntoIterator,
        I::Item: AsRef<[u8]>,
    {
        for cell in cells {
            self.push(cell.as_ref());
        }
        self.end_row(line)
    }

    /// Whole rows so far.
    pub fn rows(&self) -> usize {
        self.block.rows
    }

    /// The number that the next row gets.
    pub fn next_row(&self) -> u64 {
        self.block.first_row + self.block.rows as u64
    }

    /// Columns, once known.
    pub fn columns(&self) -> Option<usize> {
        self.fixed.then_some(self.block.columns)
    }

    /// Bytes held so far, as [`Block::weight`].
    pub fn weight(&self) -> usize {
        self.block.weight()
    }

    /// The block. A row that was not closed is left out.
    pub fn finish(mut self) -> Block {
        self.block.ends.truncate(self.block.rows * self.block.columns);
        self.block.bytes.truncate(self.last_end());
        self.block
    }

    fn last_end(&self) -> usize {
        self.block.ends.last().map_or(0, |&end| end as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_come_back_with_numbers_and_lines() {
        let mut builder = BlockBuilder::new(2, 11, 3);
        builder.push(b"a");
        builder.extend(b"b");
        builder.extend(b"c");
        builder.end_cell();
        builder.end_row(7).unwrap();
        builder.push_row(["", "é"], 9).unwrap();
        let block = builder.finish();
        assert_eq!((block.rows(), block.columns(), block.sequence()), (2, 2, 3));
        assert_eq!(
            [block.cell(0, 0), block.cell(0, 1), block.cell(1, 0), block.cell(1, 1)],
            [b"a".as_slice(), b"bc", b"", "é".as_bytes()]
        );
        assert_eq!((block.row_number(0), block.row_number(1)), (11, 12));
        assert_eq!((block.line(0), block.line(1)), (7, 9));
        assert_eq!(block.weight(), 5 + 4 * 4 + 2 * 8);
        let cells: Vec<Vec<&[u8]>> = block.iter().map(|row| row.cells().collect()).collect();
        assert_eq!(cells, [vec![b"a".as_slice(), b"bc"], vec![b"".as_slice(), "é".as_bytes()]]);
        assert_eq!(block.row(1).number(), 12);
        let moved = block.clone().placed(5, 101);
        assert_eq!((moved.sequence(), moved.row_number(1), moved.line(1), moved.cell(0, 1)), (5, 102, 9, &b"bc"[..]));
        assert!(!format!("{block:?}").contains("bc"), "cells stay out of Debug");
    }

    #[test]
    fn rows_without_lines_cost_nothing_and_read_as_0() {
        let mut builder = BlockBuilder::new(1, 1, 0);
        builder.push_row(["x"], 0).unwrap();
        assert_eq!(builder.weight(), 1 + 4);
        builder.push_row(["y"], 5).unwrap();
        let block = builder.finish();
        assert_eq!((block.line(0), block.line(1)), (0, 5));
    }

    #[test]
    fn a_row_of_another_shape_is_dropped_whole() {
        let mut builder = BlockBuilder::new(2, 1, 0);
        builder.push_row(["a", "b"], 1).unwrap();
        assert_eq!(builder.push_row(["c"], 2), Err(RowShape::Cells { expected: 2, found: 1 }));
        assert_eq!(builder.push_row(["c", "d", "e"], 3), Err(RowShape::Cells { expected: 2, found: 3 }));
        builder.push_row(["f", "g"], 4).unwrap();
        builder.push(b"left");
        builder.extend(b"over");
        let block = builder.finish();
        assert_eq!(block.bytes(), b"abfg");
        assert_eq!((block.rows(), block.line(1), block.row_number(1)), (2, 4, 2));
    }

    #[test]
    fn text_that_was_not_closed_is_still_a_cell() {
        let mut builder = BlockBuilder::new(2, 1, 0);
        builder.push(b"a");
        builder.extend(b"b");
        builder.end_row(0).unwrap();
        assert_eq!(builder.finish().cell(0, 1), b"b");
    }

    #[test]
    fn the_first_row_fixes_the_columns_of_an_unfixed_builder() {
        let mut builder = BlockBuilder::unfixed(1, 0);
        assert_eq!(builder.columns(), None);
        builder.push_row(["a", "b", "c"], 1).unwrap();
        assert_eq!(builder.columns(), Some(3));
        assert_eq!(builder.push_row(["a"], 2), Err(RowShape::Cells { expected: 3, found: 1 }));
    }

    #[test]
    fn a_table_without_columns_counts_its_rows() {
        let mut builder = BlockBuilder::new(0, 1, 0);
        builder.end_row(0).unwrap();
        builder.end_row(0).unwrap();
        assert_eq!(builder.finish().rows(), 2);
    }

    #[test]
    fn a_character_cut_by_a_cell_end_is_not_utf8() {
        let mut builder = BlockBuilder::new(2, 1, 0);
        builder.push_row(["ok", "é"], 1).unwrap();
        let e = "é".as_bytes();
        builder.push_row([&e[..1], &e[1..]], 2).unwrap();
        assert_eq!(builder.clone().finish().first_not_utf8(), Some((1, 0)));
        let mut builder = BlockBuilder::new(1, 1, 0);
        builder.push_row(["é"], 1).unwrap();
        assert_eq!(builder.finish().first_not_utf8(), None);
    }
}
