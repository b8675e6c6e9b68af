//! Runs read: lists, the newest, one by its name, outcomes; from the folder and from every further place.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Filter, OutcomesOf, Store, StoreProblem, at};
use crate::model::{EnvironmentName, OrgId};
use crate::runlog::outcomes::{OutcomesHead, OutcomesProblem, OutcomesReader};
use crate::runlog::place::safe_segment;
use crate::runlog::shelf::{Order, Shelf, is_log};
use crate::runlog::{KIND, Listed, RunLog, RunSummary, Trigger, VERSION, scan};

/// The longest run log that is read, in bytes.
pub(super) const LONGEST_LOG: u64 = 8 << 20;

/// A run log's file: on which shelf, and its name there.
pub(super) struct Kept {
    pub(super) shelf: usize,
    pub(super) name: String,
}

impl Store {
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
        let mut files = self.files(filter.integration.as_deref(), filter.org_id)?;
        files.retain(|file| filter.may_take(&file.name));
        self.read_each(&files, |path, read| {
            let listed = match read.map_err(|e| e.to_string()).and_then(|bytes| summary(&path, bytes)) {
                Ok(run) if filter.takes(&run) => Listed::Run(Box::new(run)),
                Ok(_) => return ControlFlow::Continue(()),
                Err(reason) => Listed::Unreadable { path, reason },
            };
            take(listed)
        })
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

    /// The last run before this one of which it is known that it wrote: for who cannot go by this one. `None` also where that cannot be read.
    pub fn wrote_before(&self, log: &RunLog) -> Option<RunSummary> {
        let before = |run: &RunSummary| run.records.updated > 0 && run.start < log.start;
        self.newest(&log.integration, log.environment, log.org_id, before).ok().flatten()
    }

    /// Hands over the whole logs of an integration in an org and environment, newest first, until `take` has enough: only what is taken is read. Logs that
    /// cannot be read are passed over.
    ///
    /// # Errors
    /// As [`Self::list`].
    pub fn each_newest(
        &self,
        integration: &str,
        environment: EnvironmentName,
        org_id: OrgId,
        mut take: impl FnMut(PathBuf, RunLog) -> ControlFlow<()>,
    ) -> Result<(), StoreProblem> {
        let files = self.files(Some(integration), Some(org_id))?;
        self.read_each(&files, |path, read| {
            let Some(log) = read.ok().and_then(|bytes| parse(bytes).ok()) else { return ControlFlow::Continue(()) };
            let wanted = log.integration == integration && log.environment == environment;
            if wanted { take(path, log) } else { ControlFlow::Continue(()) }
        })
    }

    /// Reads a run by its file's path, by its id, by the end of its path (`logins-to-leads/00D…/2026/…`), by integration and id (`logins-to-leads/2026-…`), or the newest of an integration by the
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
        let read = match self.bytes(path, LONGEST_LOG) {
            Ok(Some(bytes)) => parse(&bytes),
            Ok(None) => Err("it is not there".to_owned()),
            Err(problem) => Err(problem.to_string()),
        };
        read.map_err(|reason| StoreProblem::Unreadable { path: path.to_owned(), reason })
    }

    fn find(&self, wanted: &str) -> Result<PathBuf, StoreProblem> {
        let stem = wanted.trim_end_matches(".yaml").trim_end_matches(".records.jsonl").trim_end_matches(".values.age");
        let ends = Path::new(stem);
        let files = self.files(None, None)?;
        let path = |kept: &Kept| self.shelves[kept.shelf].root().join(&kept.name);
        // By a path's whole parts; names end alike far more often than they are meant.
        let mut fits: Vec<PathBuf> = files.iter().map(path).filter(|f| f.with_extension("").ends_with(ends)).collect();
        if let (true, Some((integration, id))) = (fits.is_empty(), stem.rsplit_once('/')) {
            let folder = format!("{}/", safe_segment(integration));
            fits.extend(files.iter().filter(|f| f.name.starts_with(&folder)).map(path));
            fits.retain(|f| f.file_stem().is_some_and(|stem| stem == id));
        }
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

    /// The outcomes files beside these logs, whole and as they are, one after another until `take` has enough: for who looks for one record in
    /// thousands of runs. A file that is longer than `longest` is an error of that file.
    ///
    /// # Errors
    /// A place cannot be read at all.
    pub fn outcomes_of(
        &self,
        logs: &[PathBuf],
        longest: u64,
        take: impl FnMut(usize, io::Result<&[u8]>) -> ControlFlow<()>,
    ) -> Result<(), StoreProblem> {
        let kept: Vec<Kept> = logs.iter().filter_map(|log| self.kept(&log.with_extension("records.jsonl"))).collect();
        if kept.len() != logs.len() {
            let stray = logs.iter().find(|log| self.kept(log).is_none()).cloned().unwrap_or_default();
            return Err(StoreProblem::NotFound { wanted: stray.display().to_string() });
        }
        self.in_turn(&kept, longest, take)
    }

    /// A file beside a run log, opened to be read: `records.jsonl`, `values.age`.
    ///
    /// # Errors
    /// It is not there, or cannot be opened.
    pub fn beside(&self, log: &Path, extension: &str) -> io::Result<Box<dyn Read + Send>> {
        self.open_at(&log.with_extension(extension))
    }

    /// A shelf's file by its path: the first that holds it, of those that the path may lie on.
    pub(super) fn kept(&self, path: &Path) -> Option<Kept> {
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

    /// Is there a file, in the folder or elsewhere?
    pub(in crate::runlog) fn has(&self, path: &Path) -> bool {
        path.exists() || self.kept(path).is_some_and(|kept| self.shelves[kept.shelf].has(&kept.name))
    }

    /// A file's bytes, from wherever it lies; `None` where nobody has it.
    ///
    /// # Errors
    /// It cannot be read, or is longer than `most` bytes.
    pub fn bytes(&self, path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        match self.open_at(path) {
            Ok(file) => file.take(most + 1).read_to_end(&mut bytes)?,
            Err(problem) if problem.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(problem) => return Err(problem),
        };
        if bytes.len() as u64 > most {
            return Err(io::Error::other(format!("it has more than {most} bytes, too many for a run log")));
        }
        Ok(Some(bytes))
    }

    pub(super) fn open_at(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
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
