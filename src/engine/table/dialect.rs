//! How a CSV file is written, and how much of it may be one cell or one row.

/// How a CSV file is written.
///
/// Rules, beyond RFC 4180: line ends are `\n`, `\r\n` and `\r`, mixed as they come. A quote opens a quoted cell only
/// as the first byte of a cell; anywhere else in an unquoted cell it is a plain character (`5" pipe`). After a closing
/// quote only a delimiter, a line end or the end may follow. Spaces belong to their cell. Lines without any character
/// are left out, unless the table has one column, where those between rows are rows with an empty cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// Between cells: one ASCII character other than the quote and line ends.
    pub delimiter: u8,
    /// Around cells that hold delimiters, line ends or quotes (doubled); `None`: quotes are plain characters.
    pub quote: Option<u8>,
    /// Is the first row a header?
    pub header: bool,
    /// Physical lines before the first row that are not part of the table, such as Excel's `sep=;`.
    pub skip_lines: u64,
}

impl Default for Dialect {
    fn default() -> Self {
        Self { delimiter: b',', quote: Some(b'"'), header: true, skip_lines: 0 }
    }
}

impl Dialect {
    /// Can this dialect be read at all?
    pub(crate) fn is_sound(&self) -> bool {
        let plain = |byte: u8| byte.is_ascii() && !matches!(byte, 0 | b'\n' | b'\r');
        plain(self.delimiter) && self.quote.is_none_or(|quote| plain(quote) && quote != self.delimiter)
    }
}

/// What one file may ask of memory. Reading holds about one block, one row and one chunk (256 KiB) of input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one cell, unescaped.
    pub max_cell: usize,
    /// Bytes of one row as written, line end not counted. At most 1 GiB is used.
    pub max_row: usize,
    /// Columns of the header.
    pub max_columns: usize,
    /// A block is closed by the row that brings its weight to this many bytes.
    pub block: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_cell: 1 << 20, max_row: 16 << 20, max_columns: 16_384, block: 256 << 10 }
    }
}

/// What ends a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEnd {
    /// `\n`
    Lf,
    /// `\r\n`
    CrLf,
    /// `\r`
    Cr,
}
