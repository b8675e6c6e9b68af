//! Why a report cannot be read.

use std::io;

use jiff::Timestamp;

use super::{Candidate, Charset, Duplicate, EncodingFault, NotText, Packed, PathProblem};
use crate::table::CsvError;

/// Size and time of a file at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Bytes.
    pub bytes: u64,
    /// Time of the last change, where the system tells it.
    pub modified: Option<Timestamp>,
}

/// Why a report cannot be read. `name` is the source as the configuration writes it; lines and columns count from 1.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The path is not one that a configuration may read.
    #[error("{name}: {problem}")]
    Path {
        /// The source.
        name: String,
        /// What is wrong with it.
        #[source]
        problem: PathProblem,
    },
    /// There is no such file.
    #[error("{name}: there is no such file")]
    Missing {
        /// The source.
        name: String,
        /// Is there at least the folder?
        folder_exists: bool,
        /// Files of the folder with nearly this name, best first.
        near: Vec<String>,
        /// Files of the folder, by name, 20 at most.
        siblings: Vec<String>,
        /// Files of the folder that `siblings` leaves out.
        more: usize,
    },
    /// A folder, or something else that is no file.
    #[error("{name}: not a file")]
    NotAFile {
        /// The source.
        name: String,
        /// Is it a folder?
        folder: bool,
    },
    /// The system will not let it be read.
    #[error("{name}: cannot be read: {source}")]
    Unreadable {
        /// The source.
        name: String,
        /// What the system says.
        source: io::Error,
    },
    /// Nothing in it, or nothing but blank lines.
    #[error("{name}: there is nothing in it")]
    Empty {
        /// The source.
        name: String,
        /// Its size as stored; `None` when the source is no file.
        bytes: Option<u64>,
    },
    /// Not CSV and not text.
    #[error("{name}: not a CSV file but {kind}")]
    NotText {
        /// The source.
        name: String,
        /// What it is.
        kind: NotText,
    },
    /// The byte order mark tells of another encoding than was set.
    #[error("{name}: begins with the byte order mark of {mark}, another encoding was set")]
    Contradiction {
        /// The source.
        name: String,
        /// Encoding that the mark tells of.
        mark: Charset,
    },
    /// Set to UTF-16, and neither mark nor content tell the byte order.
    #[error("{name}: UTF-16 without a byte order mark: set utf-16le or utf-16be")]
    ByteOrder {
        /// The source.
        name: String,
    },
    /// Bytes that are not valid in the encoding.
    #[error("{name}: {fault}")]
    Encoding {
        /// The source.
        name: String,
        /// Where and what.
        #[source]
        fault: EncodingFault,
    },
    /// Packed, and damaged or cut off.
    #[error("{name}: the {how} file is damaged or cut off: {source}")]
    Packed {
        /// The source.
        name: String,
        /// How it is packed.
        how: Packed,
        /// What the unpacker says.
        source: io::Error,
    },
    /// Packed, and unpacks to more than is allowed for its size.
    #[error("{name}: unpacks to more than {limit} bytes")]
    TooLarge {
        /// The source.
        name: String,
        /// Bytes allowed for what was read of it.
        limit: u64,
    },
    /// Several delimiters fit the header and the first rows.
    #[error("{name}: the delimiter is not clear")]
    DelimiterUnclear {
        /// The source.
        name: String,
        /// Those that fit.
        candidates: Vec<Candidate>,
    },
    /// Columns share a name.
    #[error("{name}: line {line}: columns share a name")]
    DuplicateColumns {
        /// The source.
        name: String,
        /// Line of the header.
        line: u64,
        /// Every such name.
        duplicates: Vec<Duplicate>,
    },
    /// No column has a name.
    #[error("{name}: line {line}: no column has a name")]
    BlankHeader {
        /// The source.
        name: String,
        /// Line of the header.
        line: u64,
    },
    /// What is wrong in the rows: ragged, an open quote, too long, a NUL byte.
    #[error("{name}: {problem}")]
    Content {
        /// The source.
        name: String,
        /// What and where.
        #[source]
        problem: CsvError,
        /// Name of the column at fault, if one cell is.
        column: Option<String>,
    },
    /// The file was written to while it was read: what was read is neither the old nor the new.
    #[error("{name}: changed while it was read")]
    Changed {
        /// The source.
        name: String,
        /// When reading began.
        before: Stamp,
        /// When the change was noticed.
        after: Stamp,
    },
}

impl ReportError {
    /// The source at fault, as the configuration writes it.
    pub fn name(&self) -> &str {
        match self {
            Self::Path { name, .. }
            | Self::Missing { name, .. }
            | Self::NotAFile { name, .. }
            | Self::Unreadable { name, .. }
            | Self::Empty { name, .. }
            | Self::NotText { name, .. }
            | Self::Contradiction { name, .. }
            | Self::ByteOrder { name }
            | Self::Encoding { name, .. }
            | Self::Packed { name, .. }
            | Self::TooLarge { name, .. }
            | Self::DelimiterUnclear { name, .. }
            | Self::DuplicateColumns { name, .. }
            | Self::BlankHeader { name, .. }
            | Self::Content { name, .. }
            | Self::Changed { name, .. } => name,
        }
    }

    /// The physical line at fault, from 1, where there is one.
    pub fn line(&self) -> Option<u64> {
        match self {
            Self::Encoding { fault, .. } => Some(fault.line),
            Self::DuplicateColumns { line, .. } | Self::BlankHeader { line, .. } => Some(*line),
            Self::Content { problem, .. } => problem.line(),
            _ => None,
        }
    }
}
