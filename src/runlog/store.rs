//! The folder of run logs: `<root>/<integration>/<org id>/<yyyy>/<stamp>.yaml`, each with its outcomes beside it.
//!
//! Both files are written under another name, flushed to disk and renamed, the log last: a log that is there is whole, and so are its outcomes.

use std::cmp::Reverse;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::outcomes::{OUTCOMES_KIND, OutcomesHead, OutcomesLine, OutcomesProblem, OutcomesReader};
use super::place::safe_segment;
use super::{KIND, Listed, RecordLine, RowLine, RunLog, RunSummary, Status, VERSION};
use crate::model::{EnvironmentName, OrgId};

/// The longest run log that is read, in bytes.
const LONGEST_LOG: u64 = 8 << 20;

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
    /// Of this org.
    pub org_id: Option<OrgId>,
    /// With this status.
    pub status: Option<Status>,
    /// Started at this time or later.
    pub since: Option<Timestamp>,
    /// At most so many.
    pub most: Option<usize>,
}

impl Filter {
    fn takes(&self, run: &RunSummary) -> bool {
        self.integration.as_ref().is_none_or(|i| *i == run.integration)
            && self.environment.is_none_or(|e| e == run.environment)
            && self.org_id.is_none_or(|o| o == run.org_id)
            && self.status.is_none_or(|s| s == run.status)
            && self.since.is_none_or(|s| run.start >= s)
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

/// The folder of run logs.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
}

impl Store {
    /// The store in this folder (a repository's `runs`), which need not exist yet.
    pub fn open(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Writes a log and its outcomes; `id` and `outcomes` of the log are set to the name that was free. A log whose ledgers do not add up is
    /// written all the same, and then reported as [`StoreProblem::Unbalanced`].
    pub fn write(
        &self,
        log: &mut RunLog,
        lines: impl IntoIterator<Item = io::Result<OutcomesLine>>,
    ) -> Result<Written, StoreProblem> {
        let year = log.start.strftime("%Y").to_string();
        let folder = self.root.join(safe_segment(&log.integration)).join(log.org_id.as_str()).join(year);
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        let stamp = super::stamp(log.start);
        let mut number = 1;
        let (id, path, outcomes) = loop {
            let id = if number == 1 { stamp.clone() } else { format!("{stamp}-{number}") };
            let (path, outcomes) = (folder.join(format!("{id}.yaml")), folder.join(format!("{id}.records.jsonl")));
            if !path.exists() && !outcomes.exists() {
                break (id, path, outcomes);
            }
            number += 1;
        };
        log.id.clone_from(&id);
        log.outcomes = format!("{id}.records.jsonl");
        let head = OutcomesLine::Head(OutcomesHead {
            footbridge: VERSION,
            kind: OUTCOMES_KIND.to_owned(),
            run: id.clone(),
            integration: log.integration.clone(),
            object: log.object.clone(),
            org_id: log.org_id,
        });
        write_whole(&outcomes, |out| {
            for line in std::iter::once(Ok(head)).chain(lines) {
                serde_json::to_writer(&mut *out, &line?)?;
                out.write_all(b"\n")?;
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

    /// The runs that the filter takes, newest first. A log that cannot be read is in the list, whatever the filter says of its content.
    pub fn list(&self, filter: &Filter) -> Result<Vec<Listed>, StoreProblem> {
        let mut files = self.files(filter.integration.as_deref(), filter.org_id)?;
        files.sort_by_cached_key(|path| Reverse(order(path)));
        let mut listed = Vec::new();
        for path in files {
            if filter.most.is_some_and(|most| listed.len() >= most) {
                break;
            }
            match read_log(&path) {
                Ok(log) => {
                    let run = RunSummary::new(path, &log);
                    if filter.takes(&run) {
                        listed.push(Listed::Run(Box::new(run)));
                    }
                }
                Err(reason) => listed.push(Listed::Unreadable { path, reason }),
            }
        }
        Ok(listed)
    }

    /// The newest run of an integration in an org and environment, carried out or not. Logs that cannot be read are passed over.
    pub fn last(
        &self,
        integration: &str,
        environment: EnvironmentName,
        org_id: OrgId,
    ) -> Result<Option<RunSummary>, StoreProblem> {
        self.newest(integration, environment, org_id, |_| true)
    }

    /// The newest run that was carried out ([`super::ExitReason::carried_out`]): the base of `max_shrink`, and what makes a run the first. A run
    /// that a guard stopped must not count: the next day it would let the same short report through.
    pub fn last_carried_out(
        &self,
        integration: &str,
        environment: EnvironmentName,
        org_id: OrgId,
    ) -> Result<Option<RunSummary>, StoreProblem> {
        self.newest(integration, environment, org_id, |run| run.exit.carried_out())
    }

    fn newest(
        &self,
        integration: &str,
        environment: EnvironmentName,
        org_id: OrgId,
        wanted: impl Fn(&RunSummary) -> bool,
    ) -> Result<Option<RunSummary>, StoreProblem> {
        let mut files = self.files(Some(integration), Some(org_id))?;
        files.sort_by_cached_key(|path| Reverse(order(path)));
        Ok(files.into_iter().find_map(|path| {
            let run = RunSummary::new(path.clone(), &read_log(&path).ok()?);
            (run.integration == integration && run.environment == environment && wanted(&run)).then_some(run)
        }))
    }

    /// Hands over the whole logs of an integration in an org and environment, newest first, until `take` has enough: only what is taken is read. Logs that
    /// cannot be read are passed over.
    pub fn each_newest(
        &self,
        integration: &str,
        environment: EnvironmentName,
        org_id: OrgId,
        mut take: impl FnMut(PathBuf, RunLog) -> ControlFlow<()>,
    ) -> Result<(), StoreProblem> {
        let mut files = self.files(Some(integration), Some(org_id))?;
        files.sort_by_cached_key(|path| Reverse(order(path)));
        for path in files {
            let Ok(log) = read_log(&path) else { continue };
            let wanted = log.integration == integration && log.environment == environment;
            if wanted && take(path, log).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Adds to the log in this file something that went wrong after it was written, and that its status does not depend on.
    pub fn add_problem(&self, path: &Path, problem: super::RunProblem) -> Result<(), StoreProblem> {
        let mut log = read_log(path).map_err(|reason| StoreProblem::Unreadable { path: path.to_owned(), reason })?;
        log.problems.push(problem);
        let text = serde_yaml::to_string(&log).map_err(io::Error::other).map_err(at(path))?;
        let beside = path.with_extension("yaml.tmp");
        let written = File::create(&beside).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&beside, path)
        });
        written.map_err(at(path))
    }

    /// Reads a run by its file's path, by its id, by the end of its path (`logins-to-leads/00D…/2026/…`), or the newest of an integration by the
    /// integration's name.
    pub fn read(&self, wanted: &str) -> Result<(PathBuf, RunLog), StoreProblem> {
        let given = Path::new(wanted);
        let path = if given.is_file() { given.to_owned() } else { self.find(wanted)? };
        match read_log(&path) {
            Ok(log) => Ok((path, log)),
            Err(reason) => Err(StoreProblem::Unreadable { path, reason }),
        }
    }

    fn find(&self, wanted: &str) -> Result<PathBuf, StoreProblem> {
        let stem = wanted.trim_end_matches(".yaml").trim_end_matches(".records.jsonl");
        let mut files = self.files(None, None)?;
        files.sort_by_cached_key(|path| Reverse(order(path)));
        let ends = Path::new(stem);
        let mut fits: Vec<PathBuf> = files.iter().filter(|f| f.with_extension("").ends_with(ends)).cloned().collect();
        if fits.is_empty() {
            let folder = self.root.join(safe_segment(wanted));
            fits.extend(files.into_iter().find(|f| f.starts_with(&folder)));
        }
        match fits.len() {
            0 => Err(StoreProblem::NotFound { wanted: wanted.to_owned() }),
            1 => Ok(fits.swap_remove(0)),
            _ => Err(StoreProblem::Ambiguous { wanted: wanted.to_owned(), paths: fits }),
        }
    }

    /// The outcomes of a run, as a stream. `log` is the file of the run log.
    pub fn outcomes(
        &self,
        path: &Path,
        log: &RunLog,
    ) -> Result<(OutcomesHead, OutcomesReader<BufReader<File>>), StoreProblem> {
        // Only the name counts: a log must not make us read a file elsewhere.
        let name = Path::new(&log.outcomes).file_name().unwrap_or_default();
        let path = path.with_file_name(name);
        let file = File::open(&path).map_err(at(&path))?;
        OutcomesReader::start(BufReader::new(file)).map_err(|problem| match problem {
            OutcomesProblem::Io(source) => StoreProblem::Io { path, source },
            other => StoreProblem::Unreadable { path, reason: other.to_string() },
        })
    }

    /// All outcomes of a run: its records, and the rows that could not be used. `path` is the file of the run log.
    pub fn read_outcomes(&self, path: &Path, log: &RunLog) -> Result<(Vec<RecordLine>, Vec<RowLine>), StoreProblem> {
        let (mut records, mut rows) = (Vec::new(), Vec::new());
        for line in self.outcomes(path, log)?.1 {
            match line {
                Ok(OutcomesLine::Record(record)) => records.push(record),
                Ok(OutcomesLine::Row(row)) => rows.push(row),
                Ok(OutcomesLine::Head(_)) => {}
                Err(problem) => {
                    let path = path.with_file_name(&log.outcomes);
                    return Err(StoreProblem::Unreadable { path, reason: problem.to_string() });
                }
            }
        }
        Ok((records, rows))
    }

    /// Every run log's file. An integration's folder and an org's bound the search.
    fn files(&self, integration: Option<&str>, org_id: Option<OrgId>) -> Result<Vec<PathBuf>, StoreProblem> {
        let integrations = match integration {
            Some(name) => vec![self.root.join(safe_segment(name))],
            None => entries(&self.root)?,
        };
        let mut files = Vec::new();
        for integration in integrations {
            let orgs = match org_id {
                Some(org) => vec![integration.join(org.as_str())],
                None => entries(&integration)?,
            };
            for org in orgs {
                for year in entries(&org)? {
                    files.extend(entries(&year)?.into_iter().filter(|p| p.extension().is_some_and(|e| e == "yaml")));
                }
            }
        }
        Ok(files)
    }
}

/// What stands in a folder; nothing where it is absent, or is no folder.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, StoreProblem> {
    match fs::read_dir(folder) {
        Ok(found) => found.map(|entry| Ok(entry.map_err(at(folder))?.path())).collect(),
        Err(problem) if matches!(problem.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(Vec::new())
        }
        Err(problem) => Err(at(folder)(problem)),
    }
}

/// Stamp, then the number behind it, then the path: newest last.
fn order(path: &Path) -> (String, u64, PathBuf) {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let (stamp, number) = match stem.split_once("Z-") {
        Some((stamp, number)) => (format!("{stamp}Z"), number.parse().unwrap_or(1)),
        None => (stem.into_owned(), 1),
    };
    (stamp, number, path.to_owned())
}

fn read_log(path: &Path) -> Result<RunLog, String> {
    let size = fs::metadata(path).map_err(|e| e.to_string())?.len();
    if size > LONGEST_LOG {
        return Err(format!("it has {size} bytes, too many for a run log"));
    }
    let text = fs::read_to_string(path).map_err(|e| e.to_string())?;
    #[derive(serde::Deserialize)]
    struct Head {
        footbridge: u32,
        kind: String,
    }
    let head: Head =
        serde_yaml::from_str(&text).map_err(|_| "it is no run log: it does not begin as one".to_owned())?;
    if head.kind != KIND {
        return Err(format!("it is of kind `{}`, not `{KIND}`", head.kind));
    }
    if head.footbridge != VERSION {
        return Err(format!(
            "it is written in version {} of the format, this Footbridge reads version {VERSION}",
            head.footbridge
        ));
    }
    serde_yaml::from_str(&text).map_err(|e| format!("it cannot be read: {e}"))
}

/// Writes beside, flushes to disk, and gives the file its name; never over a file that is there.
fn write_whole(path: &Path, write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>) -> Result<(), StoreProblem> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".run-").suffix(".tmp");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    let temporary = builder.tempfile_in(folder).map_err(at(folder))?;
    let mut out = BufWriter::new(temporary.as_file());
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
