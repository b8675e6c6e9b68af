//! The row type of the whole program: a block of unescaped cells in one arena, and the builder that fills it.

use std::fmt;

/// Some rows of one table, as bytes: cells in header or SELECT order, without quotes or escapes.
///
/// A block from [`crate::table::CsvReader`] holds valid UTF-8. On the org's side an empty cell is null.
/// Blocks aim at 256 KiB; all cells of a block together stay below 4 GiB.
#[derive(Clone)]
pub struct Block {
    sequence: u64,
    first_row: u64,
    columns: usize,
    rows: usize,
    /// Every cell lies in here; a block of the CSV reader may have the file's delimiters and quotes between them.
    bytes: Vec<u8>,
    /// Where each cell starts and ends; what stands behind those of the last row is of no meaning.
    spans: Vec<(u32, u32)>,
    lines: Lines,
}

/// The line of each row.
#[derive(Clone)]
enum Lines {
    /// Each, as far as they are known.
    Each(Vec<u64>),
    /// One after the other, from this one on.
    From(u64),
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
        let (start, end) = self.spans[row * self.columns + column];
        &self.bytes[start as usize..end as usize]
    }

    /// The number of a row (from 0 in this block) in the whole table: 1 is the first row of data, a header not counted.
    pub fn row_number(&self, row: usize) -> u64 {
        self.first_row + row as u64
    }

    /// The physical line, from 1, in which a row starts; 0 where there are no lines, as on the org's side.
    #[inline]
    pub fn line(&self, row: usize) -> u64 {
        match &self.lines {
            Lines::Each(lines) => lines.get(row).copied().unwrap_or(0),
            Lines::From(first) => first + row as u64,
        }
    }

    /// All bytes of the block; every cell lies in them, row by row, perhaps with the file's delimiters and quotes between.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// One row; counts from 0.
    ///
    /// # Panics
    /// When the row is not in the block.
    #[inline]
    pub fn row(&self, row: usize) -> Row<'_> {
        assert!(row < self.rows, "row {row} of {}", self.rows);
        Row { block: self, row, spans: &self.spans[row * self.columns..][..self.columns] }
    }

    /// The rows in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Row<'_>> + DoubleEndedIterator {
        (0..self.rows).map(move |row| self.row(row))
    }

    /// The same rows at another place: for a table that comes in parts, each of them counted from its own start.
    pub fn placed(self, sequence: u64, first_row: u64) -> Self {
        Self { sequence, first_row, ..self }
    }

    /// The same rows so many physical lines further down.
    pub(super) fn further(mut self, more: u64) -> Self {
        match &mut self.lines {
            Lines::Each(lines) => lines.iter_mut().for_each(|line| *line += more),
            Lines::From(first) => *first += more,
        }
        self
    }

    /// Rows whose cells lie anywhere in `bytes`, one a line, numbered from 1. `spans` has, at least, those of all cells.
    pub(crate) fn spanned(columns: usize, rows: usize, bytes: Vec<u8>, spans: Vec<(u32, u32)>) -> Self {
        debug_assert!(spans.len() >= columns * rows);
        Self { sequence: 0, first_row: 1, columns, rows, bytes, spans, lines: Lines::From(1) }
    }

    /// Bytes and spans.
    pub(crate) fn into_parts(self) -> (Vec<u8>, Vec<(u32, u32)>) {
        (self.bytes, self.spans)
    }

    /// The first cell that is not UTF-8, as (row, column) from 0.
    pub(crate) fn first_not_utf8(&self) -> Option<(usize, usize)> {
        if self.bytes.is_ascii() {
            return None;
        }
        let continues = |at: u32| self.bytes.get(at as usize).is_some_and(|byte| byte & 0xC0 == 0x80);
        let spans = &self.spans[..self.rows * self.columns];
        // Text that is sound as a whole is sound in each cell unless a character runs over the end of one.
        if std::str::from_utf8(&self.bytes).is_ok() && !spans.iter().any(|&(_, end)| continues(end)) {
            return None;
        }
        (0..self.rows)
            .flat_map(|row| (0..self.columns).map(move |column| (row, column)))
            .find(|&(row, column)| std::str::from_utf8(self.cell(row, column)).is_err())
    }
}

/// By what the cells say and where they stand, not by how they are held.
impl PartialEq for Block {
    fn eq(&self, other: &Self) -> bool {
        let place = |block: &Self| (block.sequence, block.first_row, block.columns, block.rows);
        let lines = |block: &Self, row: usize| block.line(row);
        place(self) == place(other)
            && (0..self.rows).all(|row| lines(self, row) == lines(other, row))
            && self.iter().zip(other.iter()).all(|(row, other)| row.cells().eq(other.cells()))
    }
}

impl Eq for Block {}

/// Shape only: cells hold personal data.
impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Block")
            .field("sequence", &self.sequence)
            .field("first_row", &self.first_row)
            .field("rows", &self.rows)
            .field("columns", &self.columns)
            .finish()
    }
}

/// One row of a block.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    block: &'a Block,
    row: usize,
    spans: &'a [(u32, u32)],
}

impl<'a> Row<'a> {
    /// The text of a cell; counts from 0. Panics as [`Block::cell`] does.
    #[inline]
    pub fn cell(self, column: usize) -> &'a [u8] {
        let (start, end) = self.spans[column];
        &self.block.bytes[start as usize..end as usize]
    }

    /// The bytes from the start of a cell to the end of the block, and how many of them are the cell. Panics as [`Block::cell`] does.
    #[inline]
    pub fn ahead(self, column: usize) -> (&'a [u8], usize) {
        let (start, end) = self.spans[column];
        (&self.block.bytes[start as usize..], (end - start) as usize)
    }

    /// All cells in order.
    pub fn cells(self) -> impl ExactSizeIterator<Item = &'a [u8]> + DoubleEndedIterator {
        (0..self.spans.len()).map(move |column| self.cell(column))
    }

    /// Number of cells.
    pub fn width(self) -> usize {
        self.spans.len()
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
    sequence: u64,
    first_row: u64,
    columns: usize,
    fixed: bool,
    rows: usize,
    bytes: Vec<u8>,
    spans: Vec<(u32, u32)>,
    lines: Vec<u64>,
    /// Bytes of all cells together.
    text: usize,
    /// Where the bytes of the row, and of the cell, that are being filled begin.
    row_at: usize,
    cell_at: usize,
}

impl BlockBuilder {
    /// A builder for rows of `columns` cells, the first of which is row number `first_row` (from 1) of the table.
    pub fn new(columns: usize, first_row: u64, sequence: u64) -> Self {
        Self {
            sequence,
            first_row,
            columns,
            fixed: true,
            rows: 0,
            bytes: Vec::new(),
            spans: Vec::new(),
            lines: Vec::new(),
            text: 0,
            row_at: 0,
            cell_at: 0,
        }
    }

    /// A builder that takes the number of columns from its first row.
    pub fn unfixed(first_row: u64, sequence: u64) -> Self {
        Self { fixed: false, ..Self::new(0, first_row, sequence) }
    }

    /// Makes room at once, for a caller that knows how much is coming.
    pub fn reserve(&mut self, bytes: usize, rows: usize) {
        self.bytes.reserve(bytes);
        self.spans.reserve(rows.saturating_mul(self.columns));
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
        self.bytes.extend_from_slice(piece);
    }

    /// Closes a cell: what came since the last one; nothing is an empty cell.
    #[inline]
    pub fn end_cell(&mut self) {
        // Past 4 GiB the end is wrong, and `end_row` refuses the row for that.
        let end = self.bytes.len();
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        self.spans.push((place(self.cell_at), place(end)));
        self.text += end - self.cell_at;
        self.cell_at = end;
    }

    /// Adds rows as they stand in the file, between two rows. `spans` gives the start and end of each
    /// cell in `raw`, `lines` the line of each row; all rows are whole.
    pub(super) fn raw(
        &mut self,
        raw: &[u8],
        spans: &[(u32, u32)],
        lines: impl ExactSizeIterator<Item = u64>,
        text: usize,
    ) {
        debug_assert_eq!(spans.len(), lines.len() * self.columns);
        let base = self.bytes.len() as u32;
        self.bytes.extend_from_slice(raw);
        self.spans.extend(spans.iter().map(|span| (base + span.0, base + span.1)));
        self.text += text;
        if self.lines.len() < self.rows {
            self.lines.resize(self.rows, 0);
        }
        self.rows += lines.len();
        self.lines.extend(lines);
        self.row_at = self.bytes.len();
        self.cell_at = self.row_at;
    }

    /// Closes a row that starts in physical line `line` (0: no lines). Text after the last closed cell counts as a cell.
    ///
    /// # Errors
    /// [`RowShape`]; the row is dropped then, the rows before it stay.
    pub fn end_row(&mut self, line: u64) -> Result<(), RowShape> {
        let first_cell = self.rows * self.columns;
        if self.bytes.len() > self.cell_at {
            self.end_cell();
        }
        let found = self.spans.len() - first_cell;
        if !self.fixed {
            self.columns = found;
            self.fixed = true;
        }
        let problem = if self.bytes.len() > u32::MAX as usize {
            Some(RowShape::Full)
        } else if found != self.columns {
            Some(RowShape::Cells { expected: self.columns, found })
        } else {
            None
        };
        if let Some(problem) = problem {
            self.drop_row();
            return Err(problem);
        }
        if line != 0 || !self.lines.is_empty() {
            // Rows without a line so far: the first line known makes room for them.
            self.lines.resize(self.rows, 0);
            self.lines.push(line);
        }
        self.rows += 1;
        self.row_at = self.cell_at;
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
        self.rows
    }

    /// Where the block will stand among the blocks of its table.
    pub(super) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The number that the next row gets.
    pub fn next_row(&self) -> u64 {
        self.first_row + self.rows as u64
    }

    /// Columns, once known.
    pub fn columns(&self) -> Option<usize> {
        self.fixed.then_some(self.columns)
    }

    /// What the block's size counts as so far: the cells' text, four bytes a cell, eight a line. The same however the text comes in.
    pub fn weight(&self) -> usize {
        self.text + self.spans.len() * size_of::<u32>() + self.lines.len() * size_of::<u64>()
    }

    /// The block. A row that was not closed is left out.
    pub fn finish(mut self) -> Block {
        self.drop_row();
        Block {
            sequence: self.sequence,
            first_row: self.first_row,
            columns: self.columns,
            rows: self.rows,
            bytes: self.bytes,
            spans: self.spans,
            lines: Lines::Each(self.lines),
        }
    }

    /// Forgets the row that was not closed.
    fn drop_row(&mut self) {
        let cells = self.rows * self.columns;
        let dropped = &self.spans[cells.min(self.spans.len())..];
        self.text -= dropped.iter().map(|&(start, end)| (end - start) as usize).sum::<usize>();
        self.spans.truncate(cells);
        self.bytes.truncate(self.row_at);
        self.cell_at = self.row_at;
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
        assert_eq!(builder.weight(), 5 + 4 * 4 + 2 * 8);
        let block = builder.finish();
        assert_eq!((block.rows(), block.columns(), block.sequence()), (2, 2, 3));
        assert_eq!(
            [block.cell(0, 0), block.cell(0, 1), block.cell(1, 0), block.cell(1, 1)],
            [b"a".as_slice(), b"bc", b"", "é".as_bytes()]
        );
        assert_eq!((block.row_number(0), block.row_number(1)), (11, 12));
        assert_eq!((block.line(0), block.line(1)), (7, 9));
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
