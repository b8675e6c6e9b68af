//! Where the values of a run are: by names alone, of which none comes out of a file as it stands there.

use std::io::BufReader;
use std::path::{Path, PathBuf};

use super::Store;
use crate::model::OrgId;
use crate::runlog::values::{Reader, ValuesProblem, committed, local};

impl Store {
    /// The file with the values of a run (integration, org, the log's id), where there is one: the plain one of this machine, below `own`; else the one
    /// beside its log; else the one that the folder or the branch has under the run's name. Nothing is opened.
    pub fn values(&self, own: &Path, log: &Path, of: (&str, OrgId, &str)) -> Option<PathBuf> {
        let (integration, org_id, run) = of;
        let own = local(own, integration, org_id, run);
        if own.is_file() {
            return Some(own);
        }
        let named = committed(&self.root, integration, org_id, run);
        [log.with_extension("values.age"), named].into_iter().find(|path| self.has(path))
    }

    /// Opens the file that [`values`](Self::values) named. `key`: the identity to open it with, where there is one.
    ///
    /// # Errors
    /// It cannot be read, there is no key for it, or it is no file of ours.
    pub fn open_values(&self, path: &Path, key: Option<&age::x25519::Identity>) -> Result<Reader, ValuesProblem> {
        let file = self.open_at(path).map_err(|source| ValuesProblem::Io { path: path.to_owned(), source })?;
        Reader::start(BufReader::with_capacity(1 << 17, file), path, key)
    }
}
