//! What can be wrong with a CSV file.

use std::io;

/// Why reading a CSV file stopped. Lines, rows, cells and positions count from 1; positions are bytes of UTF-8.
#[derive(Debug, thiserror::Error)]
pub enum CsvError {
    /// The reader below failed; a decoder's own error is inside.
    #[error("could not read: {0}")]
    Read(#[source] io::Error),
    /// The dialect contradicts itself: delimiter and quote are two different ASCII characters, no line ends.
    #[error("cannot read with delimiter {delimiter:#04x} and quote {quote:#04x?}")]
    Dialect {
        /// Delimiter asked for.
        delimiter: u8,
        /// Quote asked for.
        quote: Option<u8>,
    },
    /// There is no row at all, not even a header.
    #[error("no row")]
    Empty,
    /// A row has more or fewer cells than the header (or than the first row, without a header).
    #[error("line {line}: {found} cells, expected {expected}")]
    Ragged {
        /// Line in which the row starts.
        line: u64,
        /// Number of the row, header not counted.
        row: u64,
        /// Cells of the header.
        expected: usize,
        /// Cells of this row; at least so many when above [`crate::table::Limits::max_columns`].
        found: usize,
        /// The input ends in this row, without a line end: it may be cut off.
        last: bool,
    },
    /// Something other than a delimiter or a line end follows a closing quote.
    #[error("line {line}, position {at}: text after the closing quote of cell {cell}")]
    TextAfterQuote {
        /// Line of the text.
        line: u64,
        /// Position of the text in its line.
        at: u64,
        /// Cell of the row.
        cell: usize,
        /// Line in which the quote was opened.
        opened_line: u64,
    },
    /// The input ends inside a quoted cell: cut off, or a quote too many.
    #[error("the quote opened in line {line}, position {at} (cell {cell}) is never closed")]
    UnclosedQuote {
        /// Line in which the quote was opened.
        line: u64,
        /// Position of the quote in that line.
        at: u64,
        /// Cell of the row.
        cell: usize,
    },
    /// A cell is longer than allowed. In a quoted cell, most often a closing quote is missing.
    #[error("line {line}: cell {cell} is longer than {limit} bytes")]
    CellTooLong {
        /// Line in which the cell starts.
        line: u64,
        /// Cell of the row.
        cell: usize,
        /// Bytes allowed.
        limit: usize,
        /// Was it opened by a quote?
        quoted: bool,
    },
    /// A row is longer than allowed.
    #[error("line {line}: the row is longer than {limit} bytes")]
    RowTooLong {
        /// Line in which the row starts.
        line: u64,
        /// Bytes allowed.
        limit: usize,
    },
    /// The header has more columns than allowed.
    #[error("line {line}: more than {limit} columns")]
    TooManyColumns {
        /// Line of the header.
        line: u64,
        /// Columns allowed.
        limit: usize,
    },
    /// A NUL byte: not a text file, or one in another encoding.
    #[error("line {line}, position {at}: a NUL byte")]
    Nul {
        /// Line of the byte.
        line: u64,
        /// Position in the line.
        at: u64,
    },
    /// A cell is not UTF-8. A decoder below would have said so earlier.
    #[error("line {line}: cell {cell} is not UTF-8")]
    NotUtf8 {
        /// Line in which the row starts.
        line: u64,
        /// Cell of the row.
        cell: usize,
    },
    /// Asked for more after an error: there is no next block, and this is not the end of the table either.
    #[error("reading has failed before")]
    FailedBefore,
}

impl CsvError {
    /// The line at fault, where there is one.
    pub fn line(&self) -> Option<u64> {
        match *self {
            Self::Ragged { line, .. }
            | Self::TextAfterQuote { line, .. }
            | Self::UnclosedQuote { line, .. }
            | Self::CellTooLong { line, .. }
            | Self::RowTooLong { line, .. }
            | Self::TooManyColumns { line, .. }
            | Self::Nul { line, .. }
            | Self::NotUtf8 { line, .. } => Some(line),
            Self::Read(_) | Self::Dialect { .. } | Self::Empty | Self::FailedBefore => None,
        }
    }

    /// The cell at fault, from 1, where there is one.
    pub fn cell(&self) -> Option<usize> {
        match *self {
            Self::TextAfterQuote { cell, .. }
            | Self::UnclosedQuote { cell, .. }
            | Self::CellTooLong { cell, .. }
            | Self::NotUtf8 { cell, .. } => Some(cell),
            _ => None,
        }
    }
}
