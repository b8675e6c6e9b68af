//! Where the values of a run are: by names alone, of which none comes out of a file as it stands there.

use std::io::BufReader;
use std::path::{Path, PathBuf};

use super::Store;
use crate::model::OrgId;
use crate::runlog::values::{Reader, ValuesProblem, committed, local};
use crate::runlog::{RunLog, stamp};

impl RunLog {
    /// The id under which the run's values lie: its own; or that of the log before it, where a run had its log already, left a job at work and was resumed. Such
    /// a name is taken from the log for runs of the same start only.
    pub fn values_id(&self) -> &str {
        let file = self.values.as_ref().and_then(|note| note.file.as_deref());
        let run = file.and_then(|file| file.strip_suffix(".values.age").or_else(|| file.strip_suffix(".jsonl")));
        let start = stamp(self.start);
        let numbered = |rest: &str| rest.strip_prefix('-').is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
        let own = |run: &&str| run.strip_prefix(&start).is_some_and(|rest| rest.is_empty() || numbered(rest));
        run.filter(own).unwrap_or(&self.id)
    }
}

impl Store {
    /// The file with the values of a run (integration, org, the log's id), where there is one: the plain one of this machine, below `own`; else the one
    /// beside its log; else the one that the folder or the branch has under the run's name; else that of the run whose end the log tells
    /// ([`RunLog::values_id`]). Of the files, the log alone is opened, and only for the last of these.
    pub fn values(&self, own: &Path, log: &Path, of: (&str, OrgId, &str)) -> Option<PathBuf> {
        let (integration, org_id, run) = of;
        let here = local(own, integration, org_id, run);
        if here.is_file() {
            return Some(here);
        }
        let named = committed(&self.root, integration, org_id, run);
        let found = [log.with_extension("values.age"), named].into_iter().find(|path| self.has(path));
        found.or_else(|| {
            // Only the log of a second run of the same start has a number.
            let numbered = log.file_stem()?.to_str()?.contains("Z-");
            let log = numbered.then(|| self.log(log).ok()).flatten()?;
            let before = Some(log.values_id()).filter(|id| *id != run)?;
            let here = Some(local(own, integration, org_id, before)).filter(|path| path.is_file());
            here.or_else(|| Some(committed(&self.root, integration, org_id, before)).filter(|path| self.has(path)))
        })
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
