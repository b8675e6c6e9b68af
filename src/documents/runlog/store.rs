//! The folder of run logs: `<root>/<integration>/<org id>/<yyyy>/<stamp>.yaml`, each with its outcomes beside it.
//!
//! Both files are written under another name, flushed to disk and renamed, the log last: a log that is there is whole, and so are its outcomes.

mod branch;
mod reading;
mod values;

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use self::reading::LONGEST_LOG;
use super::git::Archive;
use super::outcomes::{OUTCOMES_KIND, OutcomesHead, OutcomesLine, OutcomesReader};
use super::place::safe_segment;
use super::shelf::{Folder, Order, Shelf};
use super::{RunLog, RunSummary, Status, VERSION};
use crate::model::{EnvironmentName, OrgId};
use crate::plan::JsonLine;

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreProblem {
    /// A file or folder could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No run has this name.
    #[error("no run log is called `{wanted}`")]
    NotFound {
        /// What was asked for.
        wanted: String,
    },
    /// Several runs have this name.
    #[error("`{wanted}` fits {} run logs", paths.len())]
    Ambiguous {
        /// What was asked for.
        wanted: String,
        /// The files that it fits.
        paths: Vec<PathBuf>,
    },
    /// The file is no run log that this version reads.
    #[error("{}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The log's ledgers do not add up: a bug in Footbridge.
    #[error("the ledgers of run {id} do not add up")]
    Unbalanced {
        /// The run.
        id: String,
    },
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> StoreProblem + '_ {
    |source| StoreProblem::Io { path: path.to_owned(), source }
}

/// Which runs a list shows. An empty filter shows all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this integration.
    pub integration: Option<String>,
    /// Of this environment.
    pub environment: Option<EnvironmentName>,
    /// Of the org with this id.
    pub org_id: Option<OrgId>,
    /// Of the org of this name.
    pub org: Option<String>,
    /// With this status.
    pub status: Option<Status>,
    /// Started by this.
    pub trigger: Option<String>,
    /// Started at this time or later.
    pub since: Option<Timestamp>,
    /// Started before this time.
    pub until: Option<Timestamp>,
}

impl Filter {
    /// The runs of one integration in one environment of one org: what schedules, guards and first runs ask for.
    pub fn of(integration: &str, environment: EnvironmentName, org_id: OrgId) -> Self {
        Self {
            integration: Some(integration.to_owned()),
            environment: Some(environment),
            org_id: Some(org_id),
            ..Self::default()
        }
    }

    fn takes(&self, run: &RunSummary) -> bool {
        self.integration.as_ref().is_none_or(|i| *i == run.integration)
            && self.environment.is_none_or(|e| e == run.environment)
            && self.org_id.is_none_or(|o| o == run.org_id)
            && self.org.as_ref().is_none_or(|o| *o == run.org)
            && self.status.is_none_or(|s| s == run.status)
            && self.trigger.as_ref().is_none_or(|t| t == run.trigger.as_str())
            && self.since.is_none_or(|s| run.start >= s)
            && self.until.is_none_or(|u| run.start < u)
    }

    /// Can a log of this name be meant? Names hold their run's start to the second, so that most of what is too old or too new is never opened.
    fn may_take(&self, name: &str) -> bool {
        let stamp = Order::of(name).stamp();
        let dated = stamp.len() == 17 && stamp.starts_with(|c: char| c.is_ascii_digit());
        let plain = |at: Timestamp| at.strftime("%Y-%m-%dT%H%M%S").to_string();
        !dated
            || (self.since.is_none_or(|since| stamp >= plain(since).as_str())
                && self.until.is_none_or(|until| stamp <= plain(until).as_str()))
    }
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The run's id: the stamp of its start, with a number where that was taken.
    pub id: String,
    /// The run log.
    pub log: PathBuf,
    /// The outcomes.
    pub outcomes: PathBuf,
}

/// A stream of outcomes, wherever they lie.
pub type OutcomesOf = OutcomesReader<BufReader<Box<dyn Read + Send>>>;

/// The run logs of a repository: the folder that they are written to, and further places that they are read from.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
    shelves: Vec<Arc<dyn Shelf>>,
    /// What the branch of run logs holds, which is one of the shelves.
    archive: Option<Arc<Archive>>,
}

impl Store {
    /// The store in this folder (a repository's `runs`), which need not exist yet.
    pub fn open(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        Self { shelves: vec![Arc::new(Folder::new(root.clone()))], root, archive: None }
    }

    /// The same, reading from a further place as well. Of a file that lies in several places, the folder's counts, then the one that was added first.
    #[must_use]
    pub fn and(mut self, shelf: Arc<dyn Shelf>) -> Self {
        self.shelves.push(shelf);
        self
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of a run's files.
    pub fn folder(&self, log: &RunLog) -> PathBuf {
        let year = log.start.strftime("%Y").to_string();
        self.root.join(safe_segment(&log.integration)).join(log.org_id.as_str()).join(year)
    }

    /// Names the log: its own id first, since its values and its journal go by it; else its start's stamp, with a number where that name is taken, in the
    /// folder or elsewhere.
    pub fn name(&self, log: &mut RunLog) {
        let folder = self.folder(log);
        let stamp = super::stamp(log.start);
        let taken =
            |id: &str| ["yaml", "records.jsonl"].iter().any(|end| self.has(&folder.join(format!("{id}.{end}"))));
        let own = Some(log.id.clone()).filter(|id| id.starts_with(&stamp) && !taken(id));
        let id = own.unwrap_or_else(|| self.free_id(&log.integration, log.org_id, log.start, |_| false));
        log.outcomes = format!("{id}.records.jsonl");
        log.id = id;
    }

    /// Adds to the log in this file something that went wrong after it was written, and that its status does not depend on.
    ///
    /// # Errors
    /// The log cannot be read, or not be written.
    pub fn add_problem(&self, path: &Path, problem: super::RunProblem) -> Result<(), StoreProblem> {
        let mut log = self.log(path)?;
        log.problems.push(problem);
        let text = serde_yaml::to_string(&log).map_err(io::Error::other).map_err(at(path))?;
        // It may be known from the branch alone.
        let folder = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder).map_err(at(folder))?;
        let beside = path.with_extension("yaml.tmp");
        let written = File::create(&beside).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&beside, path)
        });
        written.map_err(at(path))
    }

    /// Writes a log and its outcomes; `id` and `outcomes` of the log are set to the name that was free. A log whose ledgers do not add up is
    /// written all the same, and then reported as [`StoreProblem::Unbalanced`].
    pub fn write(
        &self,
        log: &mut RunLog,
        lines: impl IntoIterator<Item = io::Result<OutcomesLine>>,
    ) -> Result<Written, StoreProblem> {
        let folder = self.folder(log);
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        self.name(log);
        let id = log.id.clone();
        let (path, outcomes) = (folder.join(format!("{id}.yaml")), folder.join(&log.outcomes));
        let head = OutcomesLine::Head(OutcomesHead {
            footbridge: VERSION,
            kind: OUTCOMES_KIND.to_owned(),
            run: id.clone(),
            integration: log.integration.clone(),
            object: log.object.clone(),
            org_id: log.org_id,
        });
        write_whole(&outcomes, |out| {
            let mut bytes = JsonLine::default();
            for line in std::iter::once(Ok(head)).chain(lines) {
                bytes.clear();
                line?.put(&mut bytes)?;
                out.write_all(bytes.raw("\n").bytes())?;
            }
            Ok(())
        })?;
        write_whole(&path, |out| serde_yaml::to_writer(out, log).map_err(io::Error::other))?;
        sync_folder(&folder)?;
        if !log.balances() {
            return Err(StoreProblem::Unbalanced { id });
        }
        Ok(Written { id, log: path, outcomes })
    }
}

/// Writes beside, flushes to disk, and gives the file its name; never over a file that is there.
fn write_whole(path: &Path, write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>) -> Result<(), StoreProblem> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".run-").suffix(".tmp");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    let temporary = builder.tempfile_in(folder).map_err(at(folder))?;
    let mut out = BufWriter::with_capacity(1 << 16, temporary.as_file());
    write(&mut out).and_then(|()| out.flush()).map_err(at(path))?;
    drop(out);
    temporary.as_file().sync_all().map_err(at(path))?;
    temporary.persist_noclobber(path).map_err(|problem| at(path)(problem.error))?;
    Ok(())
}

/// A new name is on disk once its folder is. Folders cannot be opened everywhere; there it must do without.
fn sync_folder(folder: &Path) -> Result<(), StoreProblem> {
    #[cfg(unix)]
    File::open(folder).and_then(|f| f.sync_all()).map_err(at(folder))?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

#[cfg(test)]
mod tests;
