//! Why the store cannot be used. Nothing here holds a secret.

use std::path::PathBuf;

/// Why the store cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum VaultProblem {
    /// The file system would not.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another key than the one it was written with, or the file was changed.
    #[error("{} does not open with this key", path.display())]
    WrongKey {
        /// The file.
        path: PathBuf,
    },
    /// Cut off or changed.
    #[error("{} is damaged: it was cut off or changed ({detail})", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// Written by a later version.
    #[error("{} was written by another version of Footbridge ({format})", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// The format that it names.
        format: String,
    },
    /// A text that can be no key.
    #[error("{why}")]
    BadKey {
        /// Why not.
        why: &'static str,
    },
}
