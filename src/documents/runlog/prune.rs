//! What of the history may go: chosen here, shown to somebody, then removed.
//!
//! Never what a later run needs: the last run that was carried out of each integration, environment and org (guards compare with it), the last that
//! wrote or may have, and the last that is known to have (drift and undo go by them), the newest one of any kind, runs that have not ended, and logs that
//! cannot be read. A run that was resumed after it had its log stays with the log of its end: they share the values.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{Filter, Listed, RunSummary, Store, StoreProblem, Trigger, stamp, values};
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
    /// Files of the branch of run logs may go, too; otherwise only what lies here.
    pub branch: bool,
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
    /// Files to remove here, those beside a log before the log.
    pub going: Vec<Going>,
    /// Files to remove from the branch: their names below the folder of run logs, with `/`.
    pub branch: Vec<String>,
    /// Runs that lose files.
    pub runs: u64,
    /// Runs of which nothing goes, since they are young or needed, or have nothing left to lose.
    pub staying: u64,
    /// Runs that would lose files of the branch, were those to go.
    pub elsewhere: u64,
    /// Logs that cannot be read: left alone.
    pub unreadable: Vec<PathBuf>,
}

impl Pruning {
    /// Is there nothing to remove?
    pub fn is_empty(&self) -> bool {
        self.going.is_empty() && self.branch.is_empty()
    }

    /// How many files go, here and from the branch.
    pub fn files(&self) -> u64 {
        (self.going.len() + self.branch.len()) as u64
    }

    /// Bytes that are freed here.
    pub fn bytes(&self) -> u64 {
        self.going.iter().map(|file| file.bytes).sum()
    }

    /// Removes those that lie here; says how many were. A file that is gone already is no error. Empty folders go, too.
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
    /// Chooses what may go. `local`: the folder with this machine's values, whose files go with their run's.
    ///
    /// # Errors
    /// A place cannot be listed.
    pub fn prunable(&self, keep: Keep, filter: &Filter, local: &Path) -> Result<Pruning, StoreProblem> {
        let mut found = Pruning::default();
        let mut seen: HashMap<Line, usize> = HashMap::new();
        let [mut finished, mut wrote, mut updated]: [HashSet<Line>; 3] = Default::default();
        let mut begun: HashSet<(Line, String)> = HashSet::new();
        self.each(filter, |listed| {
            let run = match listed {
                Listed::Run(run) => run,
                Listed::Unreadable { path, .. } => {
                    found.unreadable.push(path);
                    return ControlFlow::Continue(());
                }
            };
            let line = (run.integration.clone(), run.environment, run.org_id);
            // Runs come newest first.
            let before = seen.entry(line.clone()).or_insert(0);
            let newest = *before == 0;
            let among_last = keep.last.is_some_and(|last| *before < last);
            *before += 1;
            // As guards see it: an undo is no measure.
            let last_finished = run.exit.carried_out() && run.trigger != Trigger::Undo && finished.insert(line.clone());
            let last_wrote = run.wrote() && wrote.insert(line.clone());
            // A run that died may have written nothing that is known: it does not stand for the one before it.
            let last_updated = run.records.updated > 0 && updated.insert(line.clone());
            let start = (line, stamp(run.start));
            let young = keep.since.is_some_and(|since| run.start >= since);
            // Intents lie on the branch alone.
            let open = self.has(&run.path.with_extension("intent.yaml"));
            let needed = newest || among_last || last_finished || last_wrote || last_updated;
            if needed || young || open || begun.contains(&start) {
                begun.insert(start);
                found.staying += 1;
                return ControlFlow::Continue(());
            }
            let files = files(&run, local, keep.whole);
            let mut there: Vec<String> = files.iter().filter_map(|path| self.on_branch(path)).collect();
            let here: Vec<Going> = files.into_iter().filter_map(Going::of).collect();
            if !keep.branch && !there.is_empty() {
                found.elsewhere += 1;
                there.clear();
            } else if here.is_empty() && there.is_empty() {
                found.staying += 1;
            }
            found.runs += u64::from(!here.is_empty() || !there.is_empty());
            found.going.extend(here);
            found.branch.extend(there);
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }
}

impl Going {
    /// A file that is there.
    fn of(path: PathBuf) -> Option<Self> {
        let bytes = fs::symlink_metadata(&path).ok().filter(|found| found.is_file())?.len();
        Some(Self { path, bytes })
    }
}

/// The files of a run, wherever they lie: its log last.
fn files(run: &RunSummary, local: &Path, whole: bool) -> Vec<PathBuf> {
    // By the log's name, not by what stands in it.
    let id = run.path.file_stem().unwrap_or_default().to_string_lossy();
    let own = values::local(local, &run.integration, run.org_id, &id);
    let mut all = vec![run.path.with_extension("records.jsonl"), run.path.with_extension("values.age"), own];
    if whole {
        all.push(run.path.clone());
    }
    all
}
