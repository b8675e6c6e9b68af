//! Why values cannot be written or read.

use std::io;
use std::path::PathBuf;

/// Why values cannot be written or read. Never says a value.
#[derive(Debug, thiserror::Error)]
pub enum ValuesProblem {
    /// A file or folder could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A recipient that is none.
    #[error("`{text}` is no age recipient (age1…, 62 small letters and digits)")]
    BadRecipient {
        /// As written.
        text: String,
    },
    /// The file is encrypted, and there is no key.
    #[error("{} is encrypted, and there is no age identity to open it with", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// The file is encrypted to other keys.
    #[error("{} is encrypted to other keys than {key}", path.display())]
    WrongKey {
        /// The file.
        path: PathBuf,
        /// The public half of the key that was tried.
        key: String,
    },
    /// The file is not whole, or not the one that was written.
    #[error("{}: {detail}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// A later version wrote it.
    #[error("{} says `{found}`, expected `{}`", path.display(), super::FORMAT)]
    Version {
        /// The file.
        path: PathBuf,
        /// What it says.
        found: String,
    },
}
