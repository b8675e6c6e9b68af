//! The branch of run logs behind the folder: one store of two places. A file that is in both is one.

use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::{LONGEST_LOG, Store, StoreProblem, at};
use crate::model::OrgId;
use crate::runlog::git::Archive;
use crate::runlog::place::{safe_segment, stamp};
use crate::runlog::{INTENT_END, Intent, RunLog};

/// A file, wherever it lies.
pub type Anywhere = BufReader<Box<dyn Read + Send>>;

impl Store {
    /// The same with what the branch, and the locks that were asked for, hold below such a folder. Its files have the paths that they would have in the folder.
    #[must_use]
    pub fn with_archive(self, archive: Option<Archive>) -> Self {
        let Some(archive) = archive else { return self };
        let archive = Arc::new(archive.at(&self.root));
        Self { archive: Some(Arc::clone(&archive)), ..self.and(archive) }
    }

    /// A file as a stream, from the folder or else from the branch; `None` where neither has it.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn file(&self, path: &Path) -> io::Result<Option<Anywhere>> {
        match self.open_at(path) {
            Ok(file) => Ok(Some(BufReader::new(file))),
            Err(problem) if problem.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(problem) => Err(problem),
        }
    }

    /// The intents, of the locks and the branch, whose runs have no log: they are under way, or have died. Each with the path that it would have in the folder.
    ///
    /// # Errors
    /// One cannot be read.
    pub fn intents(&self) -> Result<Vec<(PathBuf, Intent)>, StoreProblem> {
        let Some(archive) = self.archive.as_deref() else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for below in archive.below(Path::new("")) {
            let Some(stem) = below.to_str().and_then(|p| p.strip_suffix(INTENT_END)) else { continue };
            let path = self.root.join(below);
            if self.has(&self.root.join(format!("{stem}.yaml"))) {
                continue;
            }
            let read = self.bytes(&path, LONGEST_LOG).map_err(at(&path))?;
            let intent = Intent::read(&read.unwrap_or_default());
            found.push((path.clone(), intent.map_err(|reason| StoreProblem::Unreadable { path, reason })?));
        }
        Ok(found)
    }

    /// The intents of the branch whose runs have a log all the same: one that could not be pushed at once. They can go.
    pub fn settled(&self) -> Vec<PathBuf> {
        let Some(archive) = self.archive.as_deref() else { return Vec::new() };
        let stem = |below: &Path| below.to_str().and_then(|p| p.strip_suffix(INTENT_END)).map(str::to_owned);
        let logged = |stem: &String| archive.has(Path::new(&format!("{stem}.yaml")));
        let stems = archive.below(Path::new("")).filter_map(stem).filter(logged);
        stems.map(|stem| self.root.join(format!("{stem}{INTENT_END}"))).collect()
    }

    /// Is any file of a run of this id there, here or on the branch?
    pub fn has_run(&self, integration: &str, org_id: OrgId, id: &str) -> bool {
        let year = id.get(..4).unwrap_or("0000");
        let folder = self.root.join(safe_segment(integration)).join(org_id.as_str()).join(year);
        let ends = [".yaml", ".records.jsonl", ".values.age", INTENT_END];
        ends.iter().any(|end| self.has(&folder.join(format!("{id}{end}"))))
    }

    /// The id of a run that starts now: its stamp, with a number behind it where files of that name are there already, here, on the branch or `elsewhere`.
    pub fn free_id(
        &self,
        integration: &str,
        org_id: OrgId,
        start: Timestamp,
        elsewhere: impl Fn(&str) -> bool,
    ) -> String {
        let stamp = stamp(start);
        let numbered = |number: u64| if number == 1 { stamp.clone() } else { format!("{stamp}-{number}") };
        let free = |id: &String| !self.has_run(integration, org_id, id) && !elsewhere(id);
        (1..).map(numbered).find(free).unwrap_or_else(|| stamp.clone())
    }

    /// The name below the folder under which the branch has this file; `None` where it has not.
    pub(in crate::runlog) fn on_branch(&self, path: &Path) -> Option<String> {
        let archive = self.archive.as_deref()?;
        let below = path.strip_prefix(&self.root).ok().filter(|below| archive.has(below))?;
        let parts: Option<Vec<&str>> = below.components().map(|part| part.as_os_str().to_str()).collect();
        Some(parts?.join("/"))
    }

    /// Where the file of a run's intent lies.
    pub fn intent_path(&self, log: &RunLog) -> PathBuf {
        self.folder(log).join(format!("{}{INTENT_END}", log.id))
    }
}
