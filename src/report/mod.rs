//! Report sources made into blocks of rows: paths, encodings, dialects, headers, and the facts of one reading.
//!
//! Must not know the org, nor what a cell means. What a file is, is found out from its first bytes or set; what cannot
//! be told apart is an error that says what to set, never a guess.

mod charset;
mod decode;
mod delimiter;
mod error;
mod facts;
pub mod fresh;
mod header;
mod path;
mod peek;
mod raw;
mod source;
#[cfg(test)]
mod tests;

pub use charset::{Charset, Encoding, NotText};
pub use decode::EncodingFault;
pub use delimiter::Candidate;
pub use error::{ReportError, Stamp};
pub use facts::{Facts, Found, Warning};
pub use header::Duplicate;
pub use path::{PathProblem, inside};
pub use source::{Opened, Options, Source, Stopped, open, open_stream};
