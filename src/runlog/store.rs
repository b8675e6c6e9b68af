//! The folder of run logs: `<root>/<integration>/<org id>/<yyyy>/<stamp>.yaml`, each with its outcomes beside it.
//!
//! Both files are written under another name, flushed to disk and renamed, the log last: a log that is there is whole, and so are its outcomes.

use std::cmp::Reverse;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::git::Archive;
use super::outcomes::{OUTCOMES_KIND, OutcomesHead, OutcomesLine, OutcomesProblem, OutcomesReader};
use super::place::safe_segment;
use super::{Intent, KIND, Listed, RecordLine, RowLine, RunLog, RunSummary, Status, Trigger, VERSION};
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

/// How the file of an intent ends.
const INTENT: &str = ".intent.yaml";

/// The folder of run logs, and behind it what the branch of run logs holds: a file that is in both is one run.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
    archive: Option<Arc<Archive>>,
}

impl Store {
    /// The store in this folder (a repository's `runs`), which need not exist yet.
    pub fn open(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), archive: None }
    }

    /// The same with what the branch holds below such a folder. Its files have the paths that they would have in the folder.
    #[must_use]
    pub fn with_archive(self, archive: Option<Archive>) -> Self {
        Self { archive: archive.map(Arc::new), ..self }
    }

    /// Is there a file, here or on the branch?
    fn has(&self, path: &Path) -> bool {
        path.exists() || self.archived(path).is_some_and(|(archive, below)| archive.has(below))
    }

    fn archived<'s>(&'s self, path: &'s Path) -> Option<(&'s Archive, &'s Path)> {
        Some((self.archive.as_deref()?, path.strip_prefix(&self.root).ok()?))
    }

    /// A file's bytes, from the folder or else from the branch; `None` where neither has it.
    ///
    /// # Errors
    /// It cannot be read, or is longer than `most` bytes.
    pub fn bytes(&self, path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
        let long = |size| io::Error::other(format!("it has {size} bytes, too many"));
        match fs::metadata(path) {
            Ok(found) if found.len() > most => return Err(long(found.len())),
            Ok(_) => return fs::read(path).map(Some),
            Err(problem) if problem.kind() == io::ErrorKind::NotFound => {}
            Err(problem) => return Err(problem),
        }
        let Some((archive, below)) = self.archived(path) else { return Ok(None) };
        if !archive.has(below) {
            return Ok(None);
        }
        archive.read(below, most)?.map(Some).ok_or_else(|| long(most))
    }

    /// A file as a stream, from the folder or else from the branch; `None` where neither has it.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn file(&self, path: &Path) -> io::Result<Option<BufReader<File>>> {
        match File::open(path) {
            Ok(file) => return Ok(Some(BufReader::new(file))),
            Err(problem) if problem.kind() == io::ErrorKind::NotFound => {}
            Err(problem) => return Err(problem),
        }
        let Some((archive, below)) = self.archived(path) else { return Ok(None) };
        Ok(archive.stream(below)?.map(BufReader::new))
    }

    /// The intents of the branch whose runs have no log: they are under way, or have died. Each with the path that it would have in the folder.
    pub fn intents(&self) -> Result<Vec<(PathBuf, Intent)>, StoreProblem> {
        let Some(archive) = self.archive.as_deref() else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for below in archive.below(Path::new("")) {
            let Some(stem) = below.to_str().and_then(|p| p.strip_suffix(INTENT)) else { continue };
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
        let stem = |below: &Path| below.to_str().and_then(|p| p.strip_suffix(INTENT)).map(str::to_owned);
        let logged = |stem: &String| archive.has(Path::new(&format!("{stem}.yaml")));
        let stems = archive.below(Path::new("")).filter_map(stem).filter(logged);
        stems.map(|stem| self.root.join(format!("{stem}{INTENT}"))).collect()
    }

    /// Is any file of a run of this id there, here or on the branch?
    pub fn has_run(&self, integration: &str, org_id: OrgId, id: &str) -> bool {
        let year = id.get(..4).unwrap_or("0000");
        let folder = self.root.join(safe_segment(integration)).join(org_id.as_str()).join(year);
        let ends = [".yaml", ".records.jsonl", ".values.age", INTENT];
        ends.iter().any(|end| self.has(&folder.join(format!("{id}{end}"))))
    }

    /// Where the file of a run's intent lies.
    pub fn intent_path(&self, log: &RunLog) -> PathBuf {
        self.folder(log).join(format!("{}{INTENT}", log.id))
    }

    /// The folder of a run's files.
    pub fn folder(&self, log: &RunLog) -> PathBuf {
        let year = log.start.strftime("%Y").to_string();
        self.root.join(safe_segment(&log.integration)).join(log.org_id.as_str()).join(year)
    }

    /// Names the log after its start, with a number where that name is taken here or on the branch.
    pub fn name(&self, log: &mut RunLog) {
        let folder = self.folder(log);
        let stamp = super::stamp(log.start);
        let taken =
            |id: &str| [".yaml", ".records.jsonl"].iter().any(|end| self.has(&folder.join(format!("{id}{end}"))));
        // The run's own id first: its values and its journal go by it.
        let own = log.id.starts_with(&stamp).then(|| log.id.clone());
        let others = (1_u64..).map(|n| if n == 1 { stamp.clone() } else { format!("{stamp}-{n}") });
        let id = own.into_iter().chain(others).find(|id| !taken(id)).unwrap_or(stamp.clone());
        log.outcomes = format!("{id}.records.jsonl");
        log.id = id;
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
            match self.read_log(&path) {
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
    /// that a guard stopped must not count: the next day it would let the same short report through. Nor does an undo: it has no report.
    pub fn last_carried_out(
        &self,
        integration: &str,
        environment: EnvironmentName,
        org_id: OrgId,
    ) -> Result<Option<RunSummary>, StoreProblem> {
        self.newest(integration, environment, org_id, |run| run.exit.carried_out() && run.trigger != Trigger::Undo)
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
            let run = RunSummary::new(path.clone(), &self.read_log(&path).ok()?);
            (run.integration == integration && run.environment == environment && wanted(&run)).then_some(run)
        }))
    }

    /// Reads a run by its file's path, by its id, by the end of its path (`logins-to-leads/00D…/2026/…`), or the newest of an integration by the
    /// integration's name.
    pub fn read(&self, wanted: &str) -> Result<(PathBuf, RunLog), StoreProblem> {
        let given = Path::new(wanted);
        let path = if given.is_file() { given.to_owned() } else { self.find(wanted)? };
        match self.read_log(&path) {
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
        let input = self.file(&path).map_err(at(&path))?;
        let input = input.ok_or_else(|| at(&path)(io::ErrorKind::NotFound.into()))?;
        OutcomesReader::start(input).map_err(|problem| match problem {
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
                    files.extend(entries(&year)?.into_iter().filter(|p| is_log(p)));
                }
            }
        }
        if let Some(archive) = self.archive.as_deref() {
            let folder = match (integration, org_id) {
                (Some(name), Some(org)) => Path::new(&safe_segment(name)).join(org.as_str()),
                (Some(name), None) => PathBuf::from(safe_segment(name)),
                (None, _) => PathBuf::new(),
            };
            let org = |p: &&Path| {
                org_id.is_none_or(|org| p.components().nth(1).is_some_and(|c| c.as_os_str() == org.as_str()))
            };
            let logs = archive.below(&folder).filter(|p| is_log(p) && p.components().count() == 4).filter(org);
            files.extend(logs.map(|below| self.root.join(below)));
            files.sort_unstable();
            files.dedup();
        }
        Ok(files)
    }

    fn read_log(&self, path: &Path) -> Result<RunLog, String> {
        match self.bytes(path, LONGEST_LOG) {
            Ok(Some(bytes)) => decode(&bytes),
            Ok(None) => Err("it is not there".to_owned()),
            Err(problem) => Err(problem.to_string()),
        }
    }
}

fn is_log(path: &Path) -> bool {
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    name.ends_with(".yaml") && !name.ends_with(INTENT)
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

fn decode(bytes: &[u8]) -> Result<RunLog, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    #[derive(serde::Deserialize)]
    struct Head {
        footbridge: u32,
        kind: String,
    }
    let head: Head = serde_yaml::from_str(text).map_err(|_| "it is no run log: it does not begin as one".to_owned())?;
    if head.kind != KIND {
        return Err(format!("it is of kind `{}`, not `{KIND}`", head.kind));
    }
    if head.footbridge != VERSION {
        return Err(format!(
            "it is written in version {} of the format, this Footbridge reads version {VERSION}",
            head.footbridge
        ));
    }
    serde_yaml::from_str(text).map_err(|e| format!("it cannot be read: {e}"))
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
