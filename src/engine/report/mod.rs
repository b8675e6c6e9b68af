//! Report sources made into blocks of rows: paths, encodings, dialects, headers, and the facts of one reading.
//!
//! Must not know the org, nor what a cell means. What a file is, is found out from its first bytes or set; what cannot
//! be told apart is an error that says what to set, never a guess.

mod charset;
mod decode;
mod delimiter;
mod error;
mod facts;
mod fetch;
pub mod fresh;
mod header;
mod path;
mod peek;
mod raw;
mod source;
mod store;
#[cfg(test)]
mod tests;
#[cfg(feature = "object-stores")]
mod through;
mod web;
mod zstd;

pub use charset::{Charset, Encoding, NotText};
pub use decode::EncodingFault;
pub use delimiter::Candidate;
pub use error::{ReportError, Stamp};
pub use facts::{Facts, Found, Packed, Warning};
pub use fetch::{FetchError, Fetched};
pub use header::Duplicate;
pub use path::{PathProblem, inside};
pub use source::{Opened, Options, Source, Stopped, open, open_stream};
pub use store::{ObjectReport, StoreError, StoreKind};
pub use web::WebReport;
