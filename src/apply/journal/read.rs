//! Reading journals of processes that were killed.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::line::{FORMAT, Head, JournalProblem, Line};
use super::write::Journal;
use crate::apply::left::{Remaining, left};
use crate::plan::Plan;
use crate::salesforce::JobId;

/// A journal that was never closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// Where it lies.
    pub path: PathBuf,
    /// Which run it is.
    pub head: Head,
    /// A newer Footbridge wrote it: it cannot be resumed with this one.
    pub newer: bool,
    /// The run came to its end, and its run log may not have been written.
    pub finished: bool,
    /// Updates that were begun.
    pub batches: u64,
    /// Bulk jobs whose results were not fetched: they may still be at work.
    pub jobs: Vec<JobId>,
}

/// The journals in this folder that were never closed, by path. A folder that is not there has none.
///
/// A journal without a first line is left out: nothing was sent.
pub fn unfinished(folder: &Path) -> Result<Vec<Unfinished>, JournalProblem> {
    let problem = |source| JournalProblem::Read { path: folder.to_owned(), source };
    let items = match std::fs::read_dir(folder) {
        Ok(items) => items,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(problem(e)),
    };
    let mut found = Vec::new();
    for item in items {
        let path = item.map_err(problem)?.path();
        if path.extension().is_none_or(|e| e != "journal") {
            continue;
        }
        let bytes = std::fs::read(&path).map_err(|source| JournalProblem::Read { path: path.clone(), source })?;
        let Some(parsed) = parse(&path, &bytes)? else { continue };
        let finished = matches!(parsed.lines.last(), Some(Line::Finished { .. }));
        let batches = parsed.lines.iter().filter(|l| matches!(l, Line::Intent { .. })).count() as u64;
        let mut jobs = BTreeMap::new();
        for line in &parsed.lines {
            match line {
                Line::Job { batch, id } => _ = jobs.insert(*batch, *id),
                Line::Result { batch, .. } => _ = jobs.remove(batch),
                _ => {}
            }
        }
        let jobs = jobs.into_values().collect();
        found.push(Unfinished { path, head: parsed.head, newer: parsed.newer, finished, batches, jobs });
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// A journal's lines.
pub(in crate::apply) struct Parsed {
    pub(in crate::apply) head: Head,
    pub(in crate::apply) lines: Vec<Line>,
    newer: bool,
    /// Bytes of whole lines; what follows was torn off by the kill.
    pub(in crate::apply) sound: u64,
}

/// `None` when not even the first line is whole. Lines of a newer format that this version does not know are passed over.
pub(in crate::apply) fn parse(path: &Path, bytes: &[u8]) -> Result<Option<Parsed>, JournalProblem> {
    let corrupt = |line| JournalProblem::Corrupt { path: path.to_owned(), line };
    let sound = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    let mut texts = bytes[..sound].split_inclusive(|b| *b == b'\n');
    let Some(first) = texts.next() else { return Ok(None) };
    let header: Value = serde_json::from_slice(first).map_err(|_| corrupt(1))?;
    let format = header["header"]["format"].as_str().unwrap_or_default().to_owned();
    let newer = format != FORMAT;
    if newer && !format.starts_with("footbridge journal/") {
        return Err(corrupt(1));
    }
    let head = match serde_json::from_value(header) {
        Ok(Line::Header(head)) => *head,
        _ if newer => return Err(JournalProblem::Newer { path: path.to_owned(), found: format }),
        _ => return Err(corrupt(1)),
    };
    let mut lines = Vec::new();
    for (index, text) in texts.enumerate() {
        match serde_json::from_slice(text) {
            Ok(line) => lines.push(line),
            Err(_) if newer => {}
            Err(_) => return Err(corrupt(index + 2)),
        }
    }
    Ok(Some(Parsed { head, lines, newer, sound: sound as u64 }))
}

/// A killed run, ready to be carried on.
pub struct Resumed {
    /// Its journal, to be written further.
    pub journal: Journal,
    /// Its plan.
    pub plan: Plan,
    /// What is left to do.
    pub remaining: Remaining,
}

impl Resumed {
    /// Opens a journal that [`unfinished`] found. Needs nothing but the journal's folder; a torn last line is cut off. The caller holds the lock.
    pub fn open(path: &Path) -> Result<Self, JournalProblem> {
        let read = |source| JournalProblem::Read { path: path.to_owned(), source };
        let bytes = std::fs::read(path).map_err(read)?;
        let parsed = parse(path, &bytes)?.ok_or_else(|| JournalProblem::Empty { path: path.to_owned() })?;
        if parsed.newer {
            return Err(JournalProblem::Newer { path: path.to_owned(), found: parsed.head.format });
        }
        // A name, not a path: the journal must not lead anywhere else.
        let name = Path::new(&parsed.head.plan).file_name().unwrap_or_default();
        let plan_path = path.with_file_name(name);
        let plan = std::fs::File::open(&plan_path)
            .map_err(Into::into)
            .and_then(|file| Plan::read(BufReader::new(file)))
            .map_err(|source| JournalProblem::Plan { path: plan_path.clone(), source })?;
        let broken = plan.broken();
        if (&plan.summary.inputs, &plan.summary.changes) != (&parsed.head.inputs, &parsed.head.changes)
            || plan.header.org_id != parsed.head.org_id
            || !broken.is_empty()
        {
            return Err(JournalProblem::OtherPlan { path: plan_path, broken });
        }
        let remaining =
            left(&parsed.lines, &plan).map_err(|source| JournalProblem::Foreign { path: path.to_owned(), source })?;
        let write = |source| JournalProblem::Write { path: path.to_owned(), source };
        let mut log = OpenOptions::new().write(true).open(path).map_err(write)?;
        log.set_len(parsed.sound).and_then(|()| log.seek(SeekFrom::End(0))).map_err(write)?;
        let journal = Journal::over(Box::new(log), parsed.head, path.to_owned(), plan_path);
        Ok(Self { journal, plan, remaining })
    }
}
