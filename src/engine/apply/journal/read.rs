//! Reading journals of processes that were killed.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::line::{FORMAT, Head, JournalProblem, Line};
use super::write::Journal;
use crate::apply::left::{Left, Remaining};
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
    /// Somebody gave it up: nothing more is sent for it.
    pub given_up: bool,
    /// The run came to its end, and its run log may not have been written.
    pub finished: bool,
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
        let Some((head, mut lines)) = JournalReader::open(&path)? else { continue };
        let (mut finished, mut given_up, mut jobs) = (false, false, BTreeMap::new());
        while let Some(line) = lines.next()? {
            finished = matches!(line, Line::Finished { .. });
            match line {
                Line::GivenUp {} => given_up = true,
                Line::Job { batch, id } => _ = jobs.insert(batch, id),
                Line::Result { batch, .. } => _ = jobs.remove(&batch),
                _ => {}
            }
        }
        let jobs = jobs.into_values().collect();
        found.push(Unfinished { path, head, newer: lines.newer, finished, given_up, jobs });
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// A journal's lines, one after the other.
struct JournalReader<R> {
    input: R,
    path: PathBuf,
    buffer: Vec<u8>,
    line: usize,
    newer: bool,
    /// Bytes of whole lines so far; what follows the last was torn off by the kill.
    sound: u64,
}

impl JournalReader<BufReader<File>> {
    fn open(path: &Path) -> Result<Option<(Head, Self)>, JournalProblem> {
        let file = File::open(path).map_err(|source| JournalProblem::Read { path: path.to_owned(), source })?;
        Self::start(path, BufReader::with_capacity(1 << 16, file))
    }
}

impl<R: BufRead> JournalReader<R> {
    /// `None` when not even the first line is whole.
    fn start(path: &Path, input: R) -> Result<Option<(Head, Self)>, JournalProblem> {
        let mut reader = Self { input, path: path.to_owned(), buffer: Vec::new(), line: 0, newer: false, sound: 0 };
        if !reader.read()? {
            return Ok(None);
        }
        let header: Value = serde_json::from_slice(&reader.buffer).map_err(|_| reader.corrupt())?;
        let format = header["header"]["format"].as_str().unwrap_or_default().to_owned();
        reader.newer = format != FORMAT;
        if reader.newer && !format.starts_with("footbridge journal/") {
            return Err(reader.corrupt());
        }
        match serde_json::from_value(header) {
            Ok(Line::Header(head)) => Ok(Some((*head, reader))),
            _ if reader.newer => Err(JournalProblem::Newer { path: reader.path, found: format }),
            _ => Err(reader.corrupt()),
        }
    }

    fn corrupt(&self) -> JournalProblem {
        JournalProblem::Corrupt { path: self.path.clone(), line: self.line }
    }

    /// The next line, if it is whole.
    fn read(&mut self) -> Result<bool, JournalProblem> {
        self.buffer.clear();
        let read = self.input.read_until(b'\n', &mut self.buffer);
        let length = read.map_err(|source| JournalProblem::Read { path: self.path.clone(), source })?;
        if self.buffer.last() != Some(&b'\n') {
            return Ok(false);
        }
        self.line += 1;
        self.sound += length as u64;
        Ok(true)
    }

    /// The next line. Lines of a newer format that this version does not know are passed over.
    fn next(&mut self) -> Result<Option<Line>, JournalProblem> {
        while self.read()? {
            match serde_json::from_slice(&self.buffer) {
                Ok(line) => return Ok(Some(line)),
                Err(_) if self.newer => {}
                Err(_) => return Err(self.corrupt()),
            }
        }
        Ok(None)
    }
}

/// A journal's lines in memory.
#[cfg(test)]
pub(in crate::apply) struct Parsed {
    pub(in crate::apply) head: Head,
    pub(in crate::apply) lines: Vec<Line>,
    pub(in crate::apply) sound: u64,
}

#[cfg(test)]
pub(in crate::apply) fn parse(path: &Path, bytes: &[u8]) -> Result<Option<Parsed>, JournalProblem> {
    let Some((head, mut reader)) = JournalReader::start(path, bytes)? else { return Ok(None) };
    let mut lines = Vec::new();
    while let Some(line) = reader.next()? {
        lines.push(line);
    }
    Ok(Some(Parsed { head, lines, sound: reader.sound }))
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
    /// Nothing more is sent for this run, by whomever it is carried on: on disk when this returns.
    pub fn give_up(&mut self) -> Result<(), JournalProblem> {
        self.remaining.given_up = true;
        self.journal.given_up()
    }

    /// Opens a journal that [`unfinished`] found. Needs nothing but the journal's folder; a torn last line is cut off. The caller holds the lock.
    pub fn open(path: &Path) -> Result<Self, JournalProblem> {
        let empty = || JournalProblem::Empty { path: path.to_owned() };
        let (head, mut lines) = JournalReader::open(path)?.ok_or_else(empty)?;
        if lines.newer {
            return Err(JournalProblem::Newer { path: path.to_owned(), found: head.format });
        }
        // A name, not a path: the journal must not lead anywhere else.
        let name = Path::new(&head.plan).file_name().unwrap_or_default();
        let plan_path = path.with_file_name(name);
        let unread = |source| JournalProblem::Plan { path: plan_path.clone(), source };
        let file = File::open(&plan_path).map_err(|e| unread(e.into()))?;
        let plan = Plan::open(file, &mut ()).map_err(unread)?;
        let broken = plan.broken();
        if (&plan.summary.inputs, &plan.summary.changes) != (&head.inputs, &head.changes)
            || plan.header.org_id != head.org_id
            || !broken.is_empty()
        {
            return Err(JournalProblem::OtherPlan { path: plan_path, broken });
        }
        let foreign = |source| JournalProblem::Foreign { path: path.to_owned(), source };
        let mut left = Left::of(&plan).map_err(unread)?;
        while let Some(line) = lines.next()? {
            left.line(&line).map_err(foreign)?;
        }
        let remaining = left.remaining().map_err(foreign)?;
        let write = |source| JournalProblem::Write { path: path.to_owned(), source };
        let mut log = OpenOptions::new().write(true).open(path).map_err(write)?;
        log.set_len(lines.sound).and_then(|()| log.seek(SeekFrom::End(0))).map_err(write)?;
        let journal = Journal::over(Box::new(log), head, path.to_owned(), plan_path);
        Ok(Self { journal, plan, remaining })
    }
}
