//! What planning may take of the machine.

use std::fmt;
use std::fs::File;
use std::io;
use std::sync::Arc;

/// Opens an empty file for what does not fit into memory; best one without a name, gone with the process.
pub type OpenScratch = Arc<dyn Fn() -> io::Result<File> + Send + Sync>;

/// What planning may take of the machine. None of it changes a byte of the plan.
#[derive(Clone)]
pub struct Budget {
    /// Bytes of rows that are held in memory; beyond them, both sides go to a temporary file and come back in parts.
    pub bytes: u64,
    /// Threads that match and judge.
    pub threads: usize,
    /// Makes the temporary file, when there is need of one.
    pub scratch: OpenScratch,
}

impl Default for Budget {
    fn default() -> Self {
        Self { bytes: 512 << 20, threads: 1, scratch: Arc::new(tempfile::tempfile) }
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budget").field("bytes", &self.bytes).field("threads", &self.threads).finish_non_exhaustive()
    }
}

impl Budget {
    /// May so many bytes and rows of a report stay in memory? The rest of the budget is for the records.
    pub(super) fn holds(&self, bytes: usize, rows: usize) -> bool {
        (bytes + rows * PER_ROW) as u64 <= self.bytes / 8 * 5
    }
}

/// Bytes that a row costs beside its own: address, hash, slot, state, head, and the record that is found for it.
const PER_ROW: usize = 56;
