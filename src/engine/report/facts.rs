//! What is known of a report: at its start how it is written, at its end what was read.

use jiff::Timestamp;

use super::Charset;
use crate::table::LineEnd;

/// How a report is written, set or found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Encoding it is read as.
    pub charset: Charset,
    /// Does it begin with a byte order mark?
    pub bom: bool,
    /// Between cells.
    pub delimiter: u8,
    /// Does it begin with Excel's `sep=` line?
    pub sep_line: bool,
    /// End of its first line; `None` when there is no line end at all (or none in the first 64 KiB).
    pub line_end: Option<LineEnd>,
    /// Number of columns.
    pub columns: usize,
    /// Line of the header, from 1; without a header, of the first row.
    pub first_line: u64,
    /// How it is packed, if it is.
    pub packed: Option<Packed>,
}

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packed {
    /// gzip, of one member or several.
    Gzip,
    /// zstd, of one frame or several.
    Zstd,
}

impl std::fmt::Display for Packed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        })
    }
}

/// What was read, known when all of it was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Rows, header not counted.
    pub rows: u64,
    /// Bytes as stored, so packed if the file is.
    pub bytes: u64,
    /// SHA-256 of those bytes, lower-case hex, taken in the same pass as the rows.
    pub sha256: String,
    /// When the file was last modified; `None` if the source does not know.
    pub modified: Option<Timestamp>,
    /// Did a line end close the last row? If not, the file may be cut off.
    pub last_line_ended: bool,
    /// What only the whole report shows.
    pub warnings: Vec<Warning>,
}

/// What does not keep a report from being read and should be said. Positions are columns from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// A column without a name: nothing can be mapped from it.
    BlankColumn {
        /// Where it stands.
        position: usize,
    },
    /// Names that differ in case or inner spaces alone. A mapping means exactly the one that it names.
    NearDuplicates {
        /// The names, in order of columns.
        names: Vec<String>,
        /// Where they stand.
        positions: Vec<usize>,
    },
    /// The file's own `sep=` line names another delimiter than was set; the one that was set is used.
    SepLine {
        /// Delimiter that was set.
        set: u8,
        /// Delimiter that the file names.
        written: u8,
    },
    /// There is a header and no row.
    HeaderOnly,
    /// Rows hold U+FFFD, the mark of a character that was lost before the report was written.
    LostCharacters {
        /// How many rows.
        rows: u64,
        /// Number of the first of them.
        first_row: u64,
        /// Line of the first of them.
        first_line: u64,
    },
}
