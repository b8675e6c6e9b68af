//! What of the history may go: chosen here, shown to somebody, then removed.
//!
//! Never what a later run needs: the last run that was carried out of each integration, environment and org (guards and drift compare with it), the
//! newest one of any kind, runs that have not ended, and logs that cannot be read.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{Filter, Listed, Store, StoreProblem, Trigger};
use crate::model::{EnvironmentName, OrgId};

/// How much stays.
#[derive(Debug, Clone, Copy, Default)]
pub struct Keep {
    /// Runs that started at this time or later.
    pub since: Option<Timestamp>,
    /// The newest so many of each integration, environment and org.
    pub last: Option<usize>,
    /// The logs themselves may go, too; otherwise only what lies beside them.
    pub whole: bool,
}

/// A file that goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Going {
    /// The file.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
}

/// What goes and what stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pruning {
    /// Files to remove, those beside a log before the log.
    pub going: Vec<Going>,
    /// Runs that lose files.
    pub runs: u64,
    /// Runs that stay whole.
    pub staying: u64,
    /// Runs that lie elsewhere than in the folder (a branch): nothing of them is removed here.
    pub elsewhere: u64,
    /// Logs that cannot be read: left alone.
    pub unreadable: Vec<PathBuf>,
}

impl Pruning {
    /// Bytes that are freed.
    pub fn bytes(&self) -> u64 {
        self.going.iter().map(|file| file.bytes).sum()
    }

    /// The names of the files below `root`, with `/`: what a branch would have to lose.
    pub fn names(&self, root: &Path) -> Vec<String> {
        let below = self.going.iter().filter_map(|file| file.path.strip_prefix(root).ok());
        below.map(|path| path.to_string_lossy().replace('\\', "/")).collect()
    }

    /// Removes them; says how many were. A file that is gone already is no error. Empty folders go, too.
    ///
    /// # Errors
    /// A file cannot be removed: those before it are.
    pub fn remove(&self) -> Result<u64, StoreProblem> {
        let mut removed = 0;
        for Going { path, .. } in &self.going {
            match fs::remove_file(path) {
                Ok(()) => removed += 1,
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(StoreProblem::Io { path: path.clone(), source }),
            }
            // The year's folder, the org's, the integration's: only where nothing is left in them.
            let mut folder = path.parent();
            for _ in 0..3 {
                match folder {
                    Some(empty) if fs::remove_dir(empty).is_ok() => folder = empty.parent(),
                    _ => break,
                }
            }
        }
        Ok(removed)
    }
}

/// Integration, environment, org: what "the last run" is said of.
type Line = (String, EnvironmentName, OrgId);

impl Store {
    /// Chooses what may go. `values`: the folder with this machine's values, whose files go with their run's.
    ///
    /// # Errors
    /// A place cannot be listed.
    pub fn prunable(&self, keep: Keep, filter: &Filter, values: &Path) -> Result<Pruning, StoreProblem> {
        let mut found = Pruning::default();
        let mut seen: HashMap<Line, usize> = HashMap::new();
        let mut finished: HashSet<Line> = HashSet::new();
        self.each(filter, |listed| {
            let run = match listed {
                Listed::Run(run) => run,
                Listed::Unreadable { path, .. } => {
                    found.unreadable.push(path);
                    return ControlFlow::Continue(());
                }
            };
            if !run.path.is_file() {
                found.elsewhere += 1;
                return ControlFlow::Continue(());
            }
            let line = (run.integration.clone(), run.environment, run.org_id);
            // Runs come newest first.
            let before = seen.entry(line.clone()).or_insert(0);
            let newest = *before == 0;
            let among_last = keep.last.is_some_and(|last| *before < last);
            *before += 1;
            // As guards see it: an undo is no measure.
            let last_finished = run.exit.carried_out() && run.trigger != Trigger::Undo && finished.insert(line);
            let young = keep.since.is_some_and(|since| run.start >= since);
            let open = run.path.with_extension("intent.yaml").exists();
            let files = if newest || among_last || last_finished || young || open {
                Vec::new()
            } else {
                files(&run.path, values, &run.integration, run.org_id, keep.whole)
            };
            if files.is_empty() {
                found.staying += 1;
            } else {
                found.runs += 1;
                found.going.extend(files);
            }
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }
}

/// The files of a run that are there.
fn files(log: &Path, values: &Path, integration: &str, org_id: OrgId, whole: bool) -> Vec<Going> {
    let run = log.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let local = values.join(super::safe_segment(integration)).join(org_id.as_str()).join(format!("{run}.jsonl"));
    let mut all = vec![log.with_extension("records.jsonl"), log.with_extension("values.age"), local];
    if whole {
        all.push(log.to_owned());
    }
    let size = |path: &Path| fs::symlink_metadata(path).ok().filter(|m| m.is_file()).map(|m| m.len());
    all.into_iter().filter_map(|path| size(&path).map(|bytes| Going { path, bytes })).collect()
}
