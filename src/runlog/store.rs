//! The folder of run logs: `<root>/<integration>/<org id>/<yyyy>/<stamp>.yaml`, each with its outcomes beside it.
//!
//! Both files are written under another name, flushed to disk and renamed, the log last: a log that is there is whole, and so are its outcomes.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::outcomes::{OUTCOMES_KIND, OutcomesHead, OutcomesLine, OutcomesProblem, OutcomesReader};
use super::place::safe_segment;
use super::scan;
use super::shelf::{Folder, Order, Shelf, is_log};
use super::{KIND, Listed, RecordLine, RowLine, RunLog, RunSummary, Status, Trigger, VERSION};
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
    /// At most so many, of the newest.
    pub most: Option<usize>,
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
}

/// A run log's file: on which shelf, and its name there.
struct Kept {
    shelf: usize,
    name: String,
}

impl Store {
    /// The store in this folder (a repository's `runs`), which need not exist yet.
    pub fn open(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        Self { shelves: vec![Arc::new(Folder::new(root.clone()))], root }
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
        let mut number = 0;
        let (id, path, outcomes) = loop {
            // The run's own id first: its values and its journal go by it.
            let id = match number {
                0 if log.id.starts_with(&stamp) => log.id.clone(),
                0 | 1 => stamp.clone(),
                _ => format!("{stamp}-{number}"),
            };
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
    ///
    /// # Errors
    /// A place cannot be listed.
    pub fn list(&self, filter: &Filter) -> Result<Vec<Listed>, StoreProblem> {
        let mut listed = Vec::new();
        self.each(filter, |found| {
            listed.push(found);
            ControlFlow::Continue(())
        })?;
        Ok(listed)
    }

    /// The same one by one, until `take` has enough: only what is taken is read, and nothing is held but the files' names.
    ///
    /// # Errors
    /// As [`Self::list`].
    pub fn each(&self, filter: &Filter, mut take: impl FnMut(Listed) -> ControlFlow<()>) -> Result<(), StoreProblem> {
        let mut left = filter.most.unwrap_or(usize::MAX);
        if left == 0 {
            return Ok(());
        }
        let mut files = self.files(filter.integration.as_deref(), filter.org_id)?;
        files.retain(|file| filter.may_take(&file.name));
        self.read_each(&files, |path, read| {
            let listed = match read.map_err(|e| e.to_string()).and_then(|bytes| summary(&path, bytes)) {
                Ok(run) if filter.takes(&run) => Listed::Run(Box::new(run)),
                Ok(_) => return ControlFlow::Continue(()),
                Err(reason) => Listed::Unreadable { path, reason },
            };
            left -= 1;
            take(listed)?;
            if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
    }

    /// The newest run of an integration in an org and environment, carried out or not. Logs that cannot be read are passed over.
    ///
    /// # Errors
    /// As [`Self::list`].
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
    ///
    /// # Errors
    /// As [`Self::list`].
    pub fn last_carried_out(
        &self,
        integration: &str,
        environment: EnvironmentName,
        org_id: OrgId,
    ) -> Result<Option<RunSummary>, StoreProblem> {
        self.newest(integration, environment, org_id, |run| run.exit.carried_out() && run.trigger != Trigger::Undo)
    }

    /// The newest run of those that are wanted.
    ///
    /// # Errors
    /// As [`Self::list`].
    pub fn newest(
        &self,
        integration: &str,
        environment: EnvironmentName,
        org_id: OrgId,
        wanted: impl Fn(&RunSummary) -> bool,
    ) -> Result<Option<RunSummary>, StoreProblem> {
        let mut newest = None;
        self.each(&Filter::of(integration, environment, org_id), |listed| match listed {
            Listed::Run(run) if wanted(&run) => {
                newest = Some(*run);
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        })?;
        Ok(newest)
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
    ///
    /// # Errors
    /// None or several have the name, or the file cannot be read.
    pub fn read(&self, wanted: &str) -> Result<(PathBuf, RunLog), StoreProblem> {
        let given = Path::new(wanted);
        let path = if given.is_file() { given.to_owned() } else { self.find(wanted)? };
        let log = self.log(&path)?;
        Ok((path, log))
    }

    /// The log in a file that a summary or [`Self::read`] named.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn log(&self, path: &Path) -> Result<RunLog, StoreProblem> {
        let mut bytes = Vec::new();
        let read = self.open_at(path).and_then(|input| input.take(LONGEST_LOG + 1).read_to_end(&mut bytes));
        let read = read.map_err(|e| e.to_string()).and_then(|_| {
            let longest = usize::try_from(LONGEST_LOG).unwrap_or(usize::MAX);
            if bytes.len() > longest {
                Err(format!("it has more than {LONGEST_LOG} bytes, too many for a run log"))
            } else {
                parse(&bytes)
            }
        });
        read.map_err(|reason| StoreProblem::Unreadable { path: path.to_owned(), reason })
    }

    fn find(&self, wanted: &str) -> Result<PathBuf, StoreProblem> {
        let stem = wanted.trim_end_matches(".yaml").trim_end_matches(".records.jsonl").trim_end_matches(".values.age");
        let ends = Path::new(stem);
        let files = self.files(None, None)?;
        let path = |kept: &Kept| self.shelves[kept.shelf].root().join(&kept.name);
        // By a path's whole parts; names end alike far more often than they are meant.
        let mut fits: Vec<PathBuf> = files.iter().map(path).filter(|f| f.with_extension("").ends_with(ends)).collect();
        if fits.is_empty() {
            let folder = format!("{}/", safe_segment(wanted));
            fits.extend(files.iter().find(|f| f.name.starts_with(&folder)).map(path));
        }
        match fits.len() {
            0 => Err(StoreProblem::NotFound { wanted: wanted.to_owned() }),
            1 => Ok(fits.swap_remove(0)),
            _ => Err(StoreProblem::Ambiguous { wanted: wanted.to_owned(), paths: fits }),
        }
    }

    /// The outcomes of a run, as a stream. `log` is the file of the run log.
    ///
    /// # Errors
    /// There are none, or they cannot be read.
    pub fn outcomes(&self, path: &Path, log: &RunLog) -> Result<(OutcomesHead, OutcomesOf), StoreProblem> {
        // Only the name counts: a log must not make us read a file elsewhere.
        let name = Path::new(&log.outcomes).file_name().unwrap_or_default();
        let path = path.with_file_name(name);
        let file = self.open_at(&path).map_err(at(&path))?;
        OutcomesReader::start(BufReader::new(file)).map_err(|problem| match problem {
            OutcomesProblem::Io(source) => StoreProblem::Io { path, source },
            other => StoreProblem::Unreadable { path, reason: other.to_string() },
        })
    }

    /// All outcomes of a run: its records, and the rows that could not be used. `path` is the file of the run log.
    ///
    /// # Errors
    /// As [`Self::outcomes`].
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

    /// The outcomes files beside these logs, whole and as they are, one after another until `take` has enough: for who looks for one record in
    /// thousands of runs. A file that is longer than `longest` is an error of that file.
    ///
    /// # Errors
    /// A place cannot be read at all.
    pub fn outcomes_of(
        &self,
        logs: &[PathBuf],
        longest: u64,
        mut take: impl FnMut(usize, io::Result<&[u8]>) -> ControlFlow<()>,
    ) -> Result<(), StoreProblem> {
        let kept: Vec<Kept> = logs.iter().filter_map(|log| self.kept(&log.with_extension("records.jsonl"))).collect();
        if kept.len() != logs.len() {
            let stray = logs.iter().find(|log| self.kept(log).is_none()).cloned().unwrap_or_default();
            return Err(StoreProblem::NotFound { wanted: stray.display().to_string() });
        }
        self.in_turn(&kept, longest, |place, read| take(place, read))
    }

    /// A file beside a run log, opened to be read: `records.jsonl`, `values.age`.
    ///
    /// # Errors
    /// It is not there, or cannot be opened.
    pub fn beside(&self, log: &Path, extension: &str) -> io::Result<Box<dyn Read + Send>> {
        self.open_at(&log.with_extension(extension))
    }

    /// A shelf's file by its path: the first that holds it, of those that the path may lie on.
    fn kept(&self, path: &Path) -> Option<Kept> {
        let on = |(shelf, place): (usize, &Arc<dyn Shelf>)| {
            let below = path.strip_prefix(place.root()).ok()?;
            let parts: Option<Vec<&str>> = below.components().map(|c| c.as_os_str().to_str()).collect();
            Some(Kept { shelf, name: parts?.join("/") })
        };
        let mut may = self.shelves.iter().enumerate().filter_map(on);
        let first = may.next()?;
        if self.shelves[first.shelf].has(&first.name) {
            return Some(first);
        }
        Some(may.find(|kept| self.shelves[kept.shelf].has(&kept.name)).unwrap_or(first))
    }

    fn open_at(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
        match self.kept(path) {
            Some(Kept { shelf, name }) => self.shelves[shelf].open(&name),
            None => Ok(Box::new(File::open(path)?)),
        }
    }

    /// Reads logs in this order, with the path of each.
    fn read_each(
        &self,
        files: &[Kept],
        mut take: impl FnMut(PathBuf, io::Result<&[u8]>) -> ControlFlow<()>,
    ) -> Result<(), StoreProblem> {
        self.in_turn(files, LONGEST_LOG, |place, read| {
            let Kept { shelf, name } = &files[place];
            take(self.shelves[*shelf].root().join(name), read)
        })
    }

    /// Reads files in this order, those of one place that follow one another in one go.
    fn in_turn(
        &self,
        files: &[Kept],
        longest: u64,
        mut take: impl FnMut(usize, io::Result<&[u8]>) -> ControlFlow<()>,
    ) -> Result<(), StoreProblem> {
        let (mut before, mut ended) = (0, false);
        for group in files.chunk_by(|a, b| a.shelf == b.shelf) {
            let names: Vec<&str> = group.iter().map(|file| file.name.as_str()).collect();
            let shelf = &self.shelves[group[0].shelf];
            let mut on = |place: usize, read: io::Result<&[u8]>| {
                let flow = take(before + place, read);
                ended |= flow.is_break();
                flow
            };
            shelf.read(&names, longest, &mut on).map_err(at(shelf.root()))?;
            if ended {
                break;
            }
            before += group.len();
        }
        Ok(())
    }

    /// Every run log's file, newest first. An integration's folder and an org's bound the search.
    fn files(&self, integration: Option<&str>, org_id: Option<OrgId>) -> Result<Vec<Kept>, StoreProblem> {
        let under = match (integration, org_id) {
            (None, _) => String::new(),
            (Some(integration), None) => safe_segment(integration),
            (Some(integration), Some(org)) => format!("{}/{}", safe_segment(integration), org.as_str()),
        };
        let mut files = Vec::new();
        for (shelf, place) in self.shelves.iter().enumerate() {
            let names = place.names(&under).map_err(at(&place.root().join(&under)))?;
            let of_org = |name: &str| org_id.is_none_or(|org| name.split('/').nth(1) == Some(org.as_str()));
            files
                .extend(names.into_iter().filter(|name| is_log(name) && of_org(name)).map(|name| Kept { shelf, name }));
        }
        files.sort_by(|a, b| Order::of(&b.name).cmp(&Order::of(&a.name)).then(a.shelf.cmp(&b.shelf)));
        files.dedup_by(|later, first| later.name == first.name);
        Ok(files)
    }
}

fn summary(path: &Path, bytes: &[u8]) -> Result<RunSummary, String> {
    let short = std::str::from_utf8(bytes).ok().and_then(|text| scan::summary(path.to_owned(), text));
    match short {
        Some(run) => Ok(run),
        None => parse(bytes).map(|log| RunSummary::new(path.to_owned(), &log)),
    }
}

fn parse(bytes: &[u8]) -> Result<RunLog, String> {
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
