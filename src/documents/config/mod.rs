//! YAML documents as written (with spans) made into valid documents (no options left); JSON Schema. Knows neither Salesforce nor HTTP, and reads
//! nothing but the files that it is given and the variables that it is handed.
//!
//! ```text
//! bytes ─ yaml ─► tree with spans ─ shape (JSON Schema) ─ decode ─► written ─ validate ─► valid
//! ```

pub mod change;
pub mod schema;
pub mod valid;

mod decode;
mod digest;
mod document;
mod files;
mod load;
mod nearest;
mod pin;
mod shape;
mod unusable;
mod validate;
mod written;
mod yaml;

pub use files::{FileProblem, Files, Folder};
pub use load::{Loaded, Variables, load, load_files, load_for};
pub use pin::{PinProblem, Pinned, pin};
pub use unusable::{Beat, Unusable};
pub use valid::{Integration, Repository, Spanned};
