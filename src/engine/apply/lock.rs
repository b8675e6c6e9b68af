//! One apply of one integration to one org at a time. The operating system holds the lock, so a dead holder's is free.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::journal::{private_file, private_folder, stem};
use crate::model::OrgId;

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Process id.
    pub pid: u32,
    /// The run.
    pub run: String,
    /// Since when (UTC).
    pub started: Timestamp,
}

/// Why there is no lock.
#[derive(Debug, thiserror::Error)]
pub enum LockProblem {
    /// Another apply of this integration to this org is at work.
    #[error("{} of `{integration}` to org {org_id} is at work; two at once would overwrite each other", holder.as_ref()
        .map_or_else(|| "another apply".to_owned(), |h| format!("run {} (process {}, since {})", h.run, h.pid, h.started)))]
    Held {
        /// The integration.
        integration: String,
        /// The org.
        org_id: OrgId,
        /// Who, where the lock file tells.
        holder: Option<Holder>,
    },
    /// The lock file cannot be made.
    #[error("the lock {} cannot be taken: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// A lock on one integration and org. Free again when dropped.
#[derive(Debug)]
pub struct Lock {
    // Closing the file frees it. The file itself stays: removing it would let two processes lock two files of one name.
    _file: File,
}

impl Lock {
    /// Takes the lock or says who has it. Does not wait.
    pub fn take(folder: &Path, integration: &str, org_id: OrgId, holder: &Holder) -> Result<Self, LockProblem> {
        let path = folder.join(format!("{}.lock", stem(integration, org_id)));
        let io = |source| LockProblem::Io { path: path.clone(), source };
        private_folder(folder).map_err(io)?;
        let mut file = private_file(OpenOptions::new().read(true).write(true).create(true).truncate(false))
            .open(&path)
            .map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let holder = file.read_to_string(&mut text).ok().and_then(|_| serde_json::from_str(&text).ok());
                return Err(LockProblem::Held { integration: integration.to_owned(), org_id, holder });
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        let facts = serde_json::to_vec(holder).map_err(|e| io(e.into()))?;
        file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(&facts)).map_err(io)?;
        Ok(Self { _file: file })
    }
}
