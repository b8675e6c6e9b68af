//! Planning when the report does not fit: both sides lie on disk by partition, each partition is planned as a report of its own, and the lines are
//! merged back into the report's order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::found::{Found, Lane, ahead, check_columns};
use super::keys::hash;
use super::packed::{pack_record, span};
use super::reading::Shared;
use super::report::{Report, joined};
use super::resolve::Resolver;
use super::scratch::{self, Extent, PARTITIONS, Piles, Scratch, records};
use super::tally::{Tally, place};
use super::{Layout, Pass, ReconcileError};
use crate::plan::{Lines, RowOutcome};
use crate::table::{Block, wide};
use crate::values::{Key, KeyKind, Side};

/// Records that are sorted together, so that waiting for memory overlaps.
const BATCH: usize = 16;
/// Rows that resolve before their lines go to disk.
const AT_ONCE: u32 = 2_048;
/// Bytes of lines that are written, and read back, together.
const WRITTEN: usize = 32 << 10;
/// Bytes of lines that are handed on together.
const HANDED_ON: usize = 256 << 10;

/// Both sides on disk.
pub(super) struct Spilled {
    shared: Arc<Shared>,
    pub(super) scratch: Arc<Scratch>,
    report: Piles,
    scope: Mutex<Vec<Piles>>,
    beyond: Mutex<Vec<Piles>>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A partition, planned as far as its records.
struct Part {
    report: Report,
    found: Found,
    lane: Lane,
}

impl Spilled {
    pub(super) fn new(shared: Arc<Shared>, scratch: Scratch, report: Piles) -> Self {
        let scratch = Arc::new(scratch);
        Self { shared, scratch, report, scope: Mutex::new(Vec::new()), beyond: Mutex::new(Vec::new()) }
    }

    fn layout(&self, pass: Pass) -> Option<&Layout> {
        match pass {
            Pass::Scope => Some(&self.shared.inputs.layout),
            Pass::Beyond => self.shared.inputs.beyond.as_ref(),
        }
    }

    fn side(&self, pass: Pass) -> &Mutex<Vec<Piles>> {
        match pass {
            Pass::Scope => &self.scope,
            Pass::Beyond => &self.beyond,
        }
    }

    /// Takes a block of records: they go to the partitions of their keys.
    pub(super) fn org(&self, pass: Pass, block: &Block) -> Result<(), ReconcileError> {
        let Some(layout) = self.layout(pass) else { return Ok(()) };
        check_columns(layout, block)?;
        let mut piles = lock(self.side(pass)).pop().unwrap_or_else(Piles::new);
        wide(
            #[inline(always)]
            || self.sort(layout, block, &mut piles),
        )?;
        lock(self.side(pass)).push(piles);
        Ok(())
    }

    #[inline(always)]
    fn sort(&self, layout: &Layout, block: &Block, piles: &mut Piles) -> Result<(), ReconcileError> {
        let rule = &self.shared.inputs.key.rule;
        let mut key = Key::default();
        for first in (0..block.rows()).step_by(BATCH) {
            let mut batch = [None; BATCH];
            for (row, partition) in (first..block.rows()).zip(&mut batch) {
                let cell = ahead(block.row(row), layout.key);
                if matches!(rule.read(Side::Org, cell, &mut key), Ok((KeyKind::Key, _))) {
                    let number = scratch::partition(hash(&key));
                    piles.bring(number);
                    *partition = Some(number);
                }
            }
            for (row, partition) in (first..).zip(batch) {
                let Some(partition) = partition else { continue };
                piles.put(
                    &self.scratch,
                    partition,
                    #[inline(always)]
                    |out| pack_record(out, block.row(row), 0, |_| true),
                )?;
            }
        }
        Ok(())
    }

    /// All of one pass is in.
    fn flush(&self) -> Result<(), ReconcileError> {
        for pass in [Pass::Scope, Pass::Beyond] {
            lock(self.side(pass)).iter_mut().try_for_each(|piles| piles.flush(&self.scratch))?;
        }
        Ok(())
    }

    /// Reads a partition and lets its records join.
    fn part(&self, number: usize, room: u64) -> Result<Part, ReconcileError> {
        let report = Report::load(Arc::clone(&self.shared), &self.scratch, self.report.extents(number))?;
        let found = Found::new(&report, room);
        let mut lane = Lane::default();
        let scratch = || Ok(Arc::clone(&self.scratch));
        for pass in [Pass::Scope, Pass::Beyond] {
            let Some(layout) = self.layout(pass) else { continue };
            let extents: Vec<Extent> =
                lock(self.side(pass)).iter().flat_map(|piles| piles.extents(number)).copied().collect();
            let (mut piece, mut spans) = (Vec::new(), Vec::new());
            for extent in extents {
                self.scratch.read(extent, &mut piece)?;
                spans.clear();
                let (mut rows, mut at) = (0, 0);
                for record in records(&piece) {
                    (rows, at) = (rows + 1, at + 4);
                    span(record, at, &mut spans);
                    at += record.len();
                }
                // As many cells as were packed.
                let block = Block::spanned(layout.columns.len(), rows, piece, spans);
                match pass {
                    Pass::Scope => found.join(&report, &block, &mut lane, &scratch)?,
                    Pass::Beyond => found.join_beyond(&report, &block, &mut lane)?,
                }
                (piece, spans) = block.into_parts();
            }
        }
        Ok(Part { report, found, lane })
    }

    /// See [`super::Matching::literals`]; by partition.
    pub(super) fn literals(&self, pass: Pass, each: &mut dyn FnMut(&Report, u32)) -> Result<(), ReconcileError> {
        self.flush()?;
        for number in 0..PARTITIONS {
            let part = match pass {
                Pass::Scope => {
                    let report = Report::load(Arc::clone(&self.shared), &self.scratch, self.report.extents(number))?;
                    Part { found: Found::new(&report, 0), report, lane: Lane::default() }
                }
                Pass::Beyond => self.part(number, self.shared.budget.bytes / 2)?,
            };
            for row in (0..part.report.rows() as u32).filter(|&row| part.report.is_target(row)) {
                if pass == Pass::Scope || !part.found.has(row) {
                    each(&part.report, row);
                }
            }
        }
        Ok(())
    }

    /// How many partitions may be in memory at once.
    fn side_by_side(&self) -> usize {
        let largest = (0..PARTITIONS).map(|p| self.report.bytes(p)).max().unwrap_or(0);
        let fit = self.shared.budget.bytes / (largest * 3).max(1);
        (fit as usize).clamp(1, self.shared.budget.threads.max(1))
    }

    /// Plans every partition and hands the lines on in the report's order.
    pub(super) fn finish<E: From<ReconcileError>>(
        self,
        mut hand_on: impl FnMut(&Lines) -> Result<(), E>,
    ) -> Result<Tally, E> {
        self.flush()?;
        let threads = self.side_by_side();
        let room = self.shared.budget.bytes / threads as u64 / 4;
        let next = AtomicUsize::new(0);
        let failed = AtomicBool::new(false);
        let runs = Mutex::new(vec![Vec::new(); PARTITIONS]);
        let work = || {
            let mut tally = Tally::new(&self.shared.inputs);
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= PARTITIONS || failed.load(Ordering::Relaxed) {
                    return Ok(tally);
                }
                match self.plan(number, room) {
                    Ok((run, counts)) => {
                        tally.merge(&counts);
                        lock(&runs)[number] = run;
                    }
                    Err(error) => {
                        failed.store(true, Ordering::Relaxed);
                        return Err(error);
                    }
                }
            }
        };
        let tallies: Vec<Result<Tally, ReconcileError>> = if threads == 1 {
            vec![work()]
        } else {
            std::thread::scope(|scope| {
                let working: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
                working.into_iter().map(joined).collect()
            })
        };
        let mut tally = Tally::new(&self.shared.inputs);
        for part in tallies {
            tally.merge(&part?);
        }
        merge(&self.scratch, runs.into_inner().unwrap_or_else(PoisonError::into_inner), &mut hand_on)?;
        Ok(tally)
    }

    /// Plans one partition; its lines go to disk.
    fn plan(&self, number: usize, room: u64) -> Result<(Vec<Extent>, Tally), ReconcileError> {
        let Part { report, found, lane } = self.part(number, room)?;
        let found = found.seal([lane]);
        let mut resolver = Resolver::new(&report, &found, Some(&self.scratch));
        let (mut run, mut gathered) = (Vec::new(), Vec::new());
        let rows = report.rows() as u32;
        for start in (0..rows).step_by(AT_ONCE as usize) {
            resolver.rows(start..rows.min(start + AT_ONCE))?;
            for ((outcome, line), number) in resolver.lines.iter().zip(&resolver.numbers) {
                if gathered.len() + line.len() > WRITTEN && !gathered.is_empty() {
                    run.push(self.scratch.write(&gathered)?);
                    gathered.clear();
                }
                gathered.extend_from_slice(&(line.len() as u32 + 9).to_le_bytes());
                gathered.extend_from_slice(&number.to_le_bytes());
                gathered.push(place(outcome) as u8);
                gathered.extend_from_slice(line);
            }
            resolver.lines.clear();
            resolver.numbers.clear();
        }
        if !gathered.is_empty() {
            run.push(self.scratch.write(&gathered)?);
        }
        Ok((run, resolver.tally))
    }
}

/// One partition's lines, read back a piece at a time.
struct Run {
    extents: std::vec::IntoIter<Extent>,
    piece: Vec<u8>,
    at: usize,
}

impl Run {
    /// The number of the next line; reads on where the piece is over.
    fn number(&mut self, scratch: &Scratch) -> Result<Option<u64>, ReconcileError> {
        if self.at >= self.piece.len() {
            let Some(extent) = self.extents.next() else {
                self.piece = Vec::new();
                return Ok(None);
            };
            scratch.read(extent, &mut self.piece)?;
            self.at = 0;
        }
        let number = self.piece[self.at + 4..].first_chunk::<8>();
        Ok(number.map(|n| u64::from_le_bytes(*n)))
    }

    /// The next line, which is there.
    fn line(&mut self) -> (RowOutcome, &[u8]) {
        let record = records(&self.piece[self.at..]).next().unwrap_or_default();
        self.at += 4 + record.len();
        let outcome = RowOutcome::ALL[usize::from(record[8]).min(RowOutcome::ALL.len() - 1)];
        (outcome, &record[9..])
    }
}

/// Lines of all partitions by the number of their row. A row's lines lie in one partition, in their order.
fn merge<E: From<ReconcileError>>(
    scratch: &Scratch,
    runs: Vec<Vec<Extent>>,
    hand_on: &mut impl FnMut(&Lines) -> Result<(), E>,
) -> Result<(), E> {
    let mut runs: Vec<Run> =
        runs.into_iter().map(|run| Run { extents: run.into_iter(), piece: Vec::new(), at: 0 }).collect();
    let mut heads = BinaryHeap::new();
    for (at, run) in runs.iter_mut().enumerate() {
        if let Some(number) = run.number(scratch)? {
            heads.push(Reverse((number, at)));
        }
    }
    let mut lines = Lines::default();
    while let Some(mut head) = heads.peek_mut() {
        let Reverse((_, at)) = *head;
        let (outcome, line) = runs[at].line();
        lines.bytes.extend_from_slice(line);
        lines.ends.push((outcome, lines.bytes.len()));
        match runs[at].number(scratch)? {
            Some(number) => *head = Reverse((number, at)),
            None => {
                std::collections::binary_heap::PeekMut::pop(head);
            }
        }
        if lines.bytes.len() >= HANDED_ON {
            hand_on(&lines)?;
            lines.clear();
        }
    }
    if !lines.is_empty() {
        hand_on(&lines)?;
    }
    Ok(())
}
