//! A plan whose entries lie in a file: header, summary and context in memory, entries read as they are wanted.

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use super::decode::{decode, decode_cells};
use super::invariants::{Broken, Checks};
use super::{
    CellChange, Context, Entry, FileProblem, GuardName, GuardVerdict, Header, Lines, RowOutcome, Sink, Summary,
};

/// A plan. Its entries (every planned record and every row that could not be used, by report row, then record id) lie in a file that nobody else writes
/// to, so that a plan of a million records takes a byte a record in memory.
#[derive(Clone)]
pub struct Plan {
    /// What it was computed from.
    pub header: Header,
    /// Counts, guards and digests.
    pub summary: Summary,
    /// What is not part of the plan itself.
    pub context: Context,
    body: Body,
}

#[derive(Clone)]
struct Body {
    file: Arc<File>,
    /// Where the entries begin; before them stands the header's line.
    start: u64,
    /// Where they end.
    end: u64,
    /// What was read last by place.
    window: Arc<Mutex<Window>>,
    kinds: Arc<[Kind]>,
    broken: Arc<[Broken]>,
}

/// What is remembered of every entry: its outcome, and whether cells were refused. Passing over the entries of one kind decodes no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kind(u8);

impl Kind {
    const REFUSED: u8 = 1 << 7;

    fn of(entry: &Entry) -> Self {
        Kind(entry.outcome as u8 | if entry.refused.is_empty() { 0 } else { Self::REFUSED })
    }

    fn is(self, outcome: RowOutcome) -> bool {
        self.0 & !Self::REFUSED == outcome as u8
    }
}

/// Sees a plan go by, line for line, while it is made or read.
pub trait Watch {
    /// The header, before any entry.
    fn header(&mut self, header: &Header);
    /// The next entry.
    fn entry(&mut self, entry: &Entry);
}

/// Nobody watches.
impl Watch for () {
    fn header(&mut self, _: &Header) {}
    fn entry(&mut self, _: &Entry) {}
}

/// What is taken down of a plan while its lines go by.
pub(super) struct Gathering<'w> {
    header: Header,
    start: u64,
    end: u64,
    kinds: Vec<Kind>,
    checks: Checks,
    watch: &'w mut dyn Watch,
}

impl<'w> Gathering<'w> {
    /// `start` is the length of the header's line.
    pub(super) fn new(header: Header, start: u64, watch: &'w mut dyn Watch) -> Self {
        watch.header(&header);
        Self { header, start, end: start, kinds: Vec::new(), checks: Checks::default(), watch }
    }

    /// The next entry, whose line has so many bytes.
    pub(super) fn entry(&mut self, entry: &Entry, length: usize) {
        self.end += length as u64;
        self.kinds.push(Kind::of(entry));
        self.checks.entry(&self.header, entry);
        self.watch.entry(entry);
    }

    pub(super) fn plan(self, file: File, summary: Summary, context: Context) -> Plan {
        let Self { header, start, end, kinds, checks, watch: _ } = self;
        let body = Body {
            file: Arc::new(file),
            start,
            end,
            window: Arc::default(),
            kinds: kinds.into(),
            broken: checks.finish().into(),
        };
        Plan { header, summary, context, body }
    }
}

/// Keeps the lines of a plan in a file as they come from who makes it.
pub struct Spool<'w> {
    out: BufWriter<File>,
    gathering: Gathering<'w>,
}

impl<'w> Spool<'w> {
    /// Begins a plan in an empty file of our own.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn start(file: File, header: &Header, watch: &'w mut dyn Watch) -> Result<Self, FileProblem> {
        let mut out = BufWriter::with_capacity(1 << 16, file);
        let line = header.line().map_err(FileProblem::Keep)?;
        out.write_all(&line).map_err(FileProblem::Keep)?;
        Ok(Self { out, gathering: Gathering::new(header.clone(), line.len() as u64, watch) })
    }

    /// The plan, once all lines are in.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish(self, summary: Summary, context: Context) -> Result<Plan, FileProblem> {
        let file = self.out.into_inner().map_err(|e| FileProblem::Keep(e.into_error()))?;
        Ok(self.gathering.plan(file, summary, context))
    }
}

impl Sink for Spool<'_> {
    type Error = FileProblem;

    fn lines(&mut self, lines: &Lines) -> Result<(), FileProblem> {
        self.out.write_all(&lines.bytes).map_err(FileProblem::Keep)?;
        for (_, line) in lines.iter() {
            let number = self.gathering.kinds.len() as u64 + 2;
            let entry = decode(line).map_err(|source| FileProblem::Line { line: number, source })?;
            self.gathering.entry(&entry, line.len());
        }
        Ok(())
    }
}

impl Plan {
    /// Every entry, in order, from the file.
    pub fn entries(&self) -> impl Iterator<Item = Result<Entry, FileProblem>> {
        self.scan(|_| true).map(|found| Ok(found?.1))
    }

    /// The entries of one outcome.
    pub fn entries_of(&self, outcome: RowOutcome) -> impl Iterator<Item = Result<Entry, FileProblem>> {
        self.scan(move |kind| kind.is(outcome)).map(|found| Ok(found?.1))
    }

    /// The entries that write something.
    pub fn planned(&self) -> impl Iterator<Item = Result<Entry, FileProblem>> {
        self.entries_of(RowOutcome::Planned)
    }

    /// The same, each with its place for [`Self::entry_at`].
    pub fn planned_places(&self) -> impl Iterator<Item = Result<(u64, Entry), FileProblem>> {
        self.scan(|kind| kind.is(RowOutcome::Planned))
    }

    /// The entries that are not planned, or have cells that cannot be written.
    pub fn unusable(&self) -> impl Iterator<Item = Result<Entry, FileProblem>> {
        self.scan(|kind| kind.0 != RowOutcome::Planned as u8).map(|found| Ok(found?.1))
    }

    /// The entries with cells that cannot be written.
    pub fn refused(&self) -> impl Iterator<Item = Result<Entry, FileProblem>> {
        self.scan(|kind| kind.0 & Kind::REFUSED != 0).map(|found| Ok(found?.1))
    }

    fn scan<F: Fn(Kind) -> bool>(&self, wanted: F) -> Scan<'_, F> {
        let Body { file, start, end, kinds, .. } = &self.body;
        // Behind the last one that is wanted nothing is read.
        let last = kinds.iter().rposition(|kind| wanted(*kind)).map_or(0, |last| last + 1);
        let input = BufReader::with_capacity(1 << 16, Part { file, at: *start, end: *end });
        Scan { kinds: kinds[..last].iter(), wanted, input, at: *start, line: Vec::new(), number: 1 }
    }

    /// The cells of the entry whose line begins at this place.
    ///
    /// # Errors
    /// Reading failed, or no entry begins there.
    pub fn cells_at(&self, place: u64) -> Result<Vec<CellChange>, FileProblem> {
        let mut window = self.body.window.lock().unwrap_or_else(PoisonError::into_inner);
        let line = window.line(&self.body.file, place, self.body.end)?;
        decode_cells(line).map_err(|source| FileProblem::Line { line: 0, source })
    }

    /// Header and entries as they lie there.
    pub(super) fn body(&self) -> impl Read {
        Part { file: &self.body.file, at: 0, end: self.body.end }
    }

    /// How many entries there are of one outcome.
    pub fn count_of(&self, outcome: RowOutcome) -> u64 {
        self.body.kinds.iter().filter(|kind| kind.is(outcome)).count() as u64
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.body.kinds.len()
    }

    /// Nothing to write.
    pub fn is_empty(&self) -> bool {
        self.summary.records == 0
    }

    /// What every guard said of the plan; of its calls only what holds it back, since these differ from day to day.
    pub fn guards(&self) -> impl Iterator<Item = &GuardVerdict> {
        self.summary.guards.iter().chain(self.context.calls_guard.iter().filter(|guard| guard.held))
    }

    /// The guards that hold this plan back and are not among `waived`.
    pub fn held_by<'a>(&'a self, waived: &'a [GuardName]) -> impl Iterator<Item = &'a GuardVerdict> {
        self.guards().filter(|g| g.held && !waived.contains(&g.name))
    }

    /// Every broken promise, none if the plan is sound. Entries were looked at when they went by; of very many that break one, the first are told.
    pub fn broken(&self) -> Vec<Broken> {
        let mut found = Broken::ledgers(&self.summary, self.count_of(RowOutcome::Planned));
        found.extend(self.body.broken.iter().cloned());
        found
    }
}

/// Its entries are in the file, and are not shown.
impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { header, summary, context, body } = self;
        let mut shown = f.debug_struct("Plan");
        shown.field("header", header).field("entries", &body.kinds.len());
        shown.field("summary", summary).field("context", context).finish()
    }
}

/// A part of a file, read by place: several readers do not disturb each other.
struct Part<'f> {
    file: &'f File,
    at: u64,
    end: u64,
}

impl Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let most = usize::try_from(self.end - self.at).unwrap_or(usize::MAX).min(buffer.len());
        #[cfg(unix)]
        let length = std::os::unix::fs::FileExt::read_at(self.file, &mut buffer[..most], self.at)?;
        #[cfg(windows)]
        let length = std::os::windows::fs::FileExt::seek_read(self.file, &mut buffer[..most], self.at)?;
        self.at += length as u64;
        if length == 0 && most > 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        Ok(length)
    }
}

/// A stretch of the file in memory. Entries are mostly asked for in their order: one reading serves many.
#[derive(Default)]
struct Window {
    start: u64,
    /// So much of `bytes` is of the file.
    length: usize,
    bytes: Vec<u8>,
}

impl Window {
    /// Read where the last one ended, and elsewhere.
    const NEXT: usize = 64 << 10;
    const APART: usize = 4 << 10;

    /// The line that begins at a place; entries end at `end`.
    fn line(&mut self, file: &File, place: u64, end: u64) -> std::io::Result<&[u8]> {
        let within =
            place.checked_sub(self.start).and_then(|at| usize::try_from(at).ok()).filter(|at| *at <= self.length);
        let mut size = if within.is_some() { Self::NEXT } else { Self::APART };
        let mut at = within.unwrap_or(self.length);
        loop {
            if let Some(length) = memchr::memchr(b'\n', &self.bytes[at..self.length]) {
                return Ok(&self.bytes[at..=at + length]);
            }
            (self.start, self.length, at) = (place, 0, 0);
            if self.bytes.len() < size {
                self.bytes.resize(size, 0);
            }
            let mut part = Part { file, at: place, end };
            while self.length < size && part.at < end {
                self.length += part.read(&mut self.bytes[self.length..size])?;
            }
            if self.length < size && memchr::memchr(b'\n', &self.bytes[..self.length]).is_none() {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            // A line longer than that.
            size *= 4;
        }
    }
}

/// One pass over the entries.
struct Scan<'p, F> {
    kinds: std::slice::Iter<'p, Kind>,
    wanted: F,
    input: BufReader<Part<'p>>,
    at: u64,
    line: Vec<u8>,
    number: u64,
}

impl<F: Fn(Kind) -> bool> Iterator for Scan<'_, F> {
    type Item = Result<(u64, Entry), FileProblem>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let kind = *self.kinds.next()?;
            self.line.clear();
            let place = self.at;
            match self.input.read_until(b'\n', &mut self.line) {
                Err(problem) => {
                    self.kinds = [].iter();
                    return Some(Err(problem.into()));
                }
                Ok(length) => self.at += length as u64,
            }
            self.number += 1;
            if (self.wanted)(kind) {
                let found = decode(&self.line).map_err(|source| FileProblem::Line { line: self.number, source });
                if found.is_err() {
                    self.kinds = [].iter();
                }
                return Some(found.map(|entry| (place, entry)));
            }
        }
    }
}

impl Plan {
    /// A plan of these entries, in memory until now: kept in a file without a name, with digests that fit.
    ///
    /// # Errors
    /// The file cannot be made or written.
    pub fn of(header: Header, entries: &[Entry], mut summary: Summary, context: Context) -> Result<Self, FileProblem> {
        let mut nobody = ();
        let mut spool = Spool::start(tempfile::tempfile().map_err(FileProblem::Keep)?, &header, &mut nobody)?;
        let mut digester = super::PlanDigester::new(&header.line().map_err(FileProblem::Keep)?);
        let mut lines = Lines::default();
        entries.iter().try_for_each(|entry| lines.push(entry)).map_err(FileProblem::Keep)?;
        digester.update(&lines.bytes);
        spool.lines(&lines)?;
        (summary.inputs, summary.changes) = digester.finish();
        spool.finish(summary, context)
    }

    /// All entries in memory: for small plans.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn all(&self) -> Result<Vec<Entry>, FileProblem> {
        self.entries().collect()
    }
}
