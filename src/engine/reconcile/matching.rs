//! The org's side, and the plan: records join the rows of their keys; when all are in, rows resolve in order.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};

use super::found::{Found, Lane};
use super::reading::Shared;
use super::report::{Report, joined};
use super::resolve::Resolver;
use super::scratch::Scratch;
use super::spilled::Spilled;
use super::tally::Tally;
use super::{FinishError, ReconcileError};
use crate::plan::{GuardVerdict, Header, Lines, PlanDigester, Sink, Summary};
use crate::table::Block;

/// Rows that a thread resolves at a time.
const AT_ONCE: u32 = 8_192;
/// So many parts may wait for their turn, of each thread.
const AHEAD: usize = 2;

/// Which reading of the org.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// The records that may be touched.
    Scope,
    /// Only with `where:`: do the records exist that the first reading did not find?
    Beyond,
}

/// Takes the org's side.
pub struct Matching {
    shared: Arc<Shared>,
    rows: u64,
    given: Option<Vec<GuardVerdict>>,
    looked_at: AtomicU64,
    held: Held,
}

enum Held {
    Memory(Box<InMemory>),
    Disk(Box<Spilled>),
}

struct InMemory {
    report: Report,
    found: Found,
    lanes: Mutex<Vec<Lane>>,
    /// For cells of records beyond the budget.
    scratch: Mutex<Option<Arc<Scratch>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Matching {
    pub(super) fn in_memory(shared: Arc<Shared>, report: Report, rows: u64, given: Option<Vec<GuardVerdict>>) -> Self {
        let found = Found::new(&report, shared.budget.bytes / 4);
        let held = InMemory { report, found, lanes: Mutex::default(), scratch: Mutex::default() };
        Self { shared, rows, given, looked_at: AtomicU64::new(0), held: Held::Memory(Box::new(held)) }
    }

    pub(super) fn on_disk(shared: Arc<Shared>, spilled: Spilled, rows: u64, given: Option<Vec<GuardVerdict>>) -> Self {
        Self { shared, rows, given, looked_at: AtomicU64::new(0), held: Held::Disk(Box::new(spilled)) }
    }

    /// Hands the SOQL literal of each key that must be read to `each`: in the order of the report, or by partition where the report is on disk.
    ///
    /// # Errors
    /// The temporary file cannot be read.
    pub fn literals(&self, pass: Pass, mut each: impl FnMut(&str)) -> Result<(), ReconcileError> {
        let mut literal = String::new();
        let mut tell = |report: &Report, row: u32| {
            literal.clear();
            let original = report.cells(row).next().unwrap_or_default();
            self.shared.inputs.key.rule.write_soql(report.canonical(row), original, &mut literal);
            each(&literal);
        };
        match &self.held {
            Held::Memory(held) => {
                for row in (0..held.report.rows() as u32).filter(|&row| held.report.is_target(row)) {
                    if pass == Pass::Scope || !held.found.has(row) {
                        tell(&held.report, row);
                    }
                }
                Ok(())
            }
            Held::Disk(spilled) => spilled.literals(pass, &mut tell),
        }
    }

    /// Takes a block of records, in the columns of the layout. Any order; several threads may call it.
    ///
    /// # Errors
    /// A record without an id, other columns, or a temporary file that fails.
    pub fn org(&self, block: &Block) -> Result<(), ReconcileError> {
        self.take(Pass::Scope, block)
    }

    /// Takes a block of the second reading, in the columns of [`super::Inputs::beyond`].
    ///
    /// # Errors
    /// As [`Self::org`].
    pub fn beyond(&self, block: &Block) -> Result<(), ReconcileError> {
        self.take(Pass::Beyond, block)
    }

    fn take(&self, pass: Pass, block: &Block) -> Result<(), ReconcileError> {
        match &self.held {
            Held::Memory(held) => {
                let mut lane = lock(&held.lanes).pop().unwrap_or_default();
                let taken = match pass {
                    Pass::Scope => held.found.join(&held.report, block, &mut lane, &|| self.scratch(held)),
                    Pass::Beyond => held.found.join_beyond(&held.report, block, &mut lane),
                };
                lock(&held.lanes).push(lane);
                taken?;
            }
            Held::Disk(spilled) => spilled.org(pass, block)?,
        }
        self.looked_at.fetch_add(block.rows() as u64, Ordering::Relaxed);
        Ok(())
    }

    fn scratch(&self, held: &InMemory) -> Result<Arc<Scratch>, ReconcileError> {
        let mut scratch = lock(&held.scratch);
        if let Some(scratch) = &*scratch {
            return Ok(Arc::clone(scratch));
        }
        let new = Arc::new(Scratch::new(&self.shared.budget)?);
        *scratch = Some(Arc::clone(&new));
        Ok(new)
    }

    /// Records looked at so far.
    pub fn looked_at(&self) -> u64 {
        self.looked_at.load(Ordering::Relaxed)
    }

    /// Resolves every row in order, hands the lines to `sink`, and adds up.
    ///
    /// # Errors
    /// The sink's, a temporary file that fails, or a ledger that does not add up.
    pub fn finish<S: Sink>(self, header: &Header, sink: &mut S) -> Result<Summary, FinishError<S::Error>> {
        let mut digester = PlanDigester::new(&header.line().map_err(FinishError::Encode)?);
        let Self { shared, rows, given, held, .. } = self;
        let hand_on = |lines: &Lines| {
            digester.update(&lines.bytes);
            sink.lines(lines).map_err(FinishError::Sink)
        };
        let tally = match held {
            Held::Memory(held) => held.finish(shared.budget.threads, hand_on)?,
            Held::Disk(spilled) => spilled.finish(hand_on)?,
        };
        let inputs = &shared.inputs;
        let (mut summary, forbidden) = tally.summary(inputs, header, rows);
        let given = given.as_ref().unwrap_or(&inputs.guards.given);
        summary.guards = inputs.guards.judge(&summary, forbidden, given);
        (summary.inputs, summary.changes) = digester.finish();
        if !summary.rows.balances() {
            return Err(ReconcileError::Unbalanced("row").into());
        }
        if !summary.cells.balances() {
            return Err(ReconcileError::Unbalanced("cell").into());
        }
        Ok(summary)
    }
}

impl InMemory {
    /// Resolves all rows, on as many threads as there are, and hands the lines on in the report's order.
    fn finish<E: From<ReconcileError>>(
        self,
        threads: usize,
        mut hand_on: impl FnMut(&Lines) -> Result<(), E>,
    ) -> Result<Tally, E> {
        let Self { report, found, lanes, scratch } = self;
        let found = found.seal(lanes.into_inner().unwrap_or_else(PoisonError::into_inner));
        let scratch = scratch.into_inner().unwrap_or_else(PoisonError::into_inner);
        let rows = report.rows() as u32;
        let parts = rows.div_ceil(AT_ONCE);
        let part = |number: u32| number * AT_ONCE..rows.min((number + 1) * AT_ONCE);
        let threads = (threads.max(1) as u32).min(parts.max(1));
        let (report, found, scratch) = (&report, &found, scratch.as_deref());
        let resolver = || Resolver::new(report, found, scratch);
        let next = AtomicU32::new(0);
        let claim = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|&number| number < parts);
        let emptied = Mutex::new(Vec::<Lines>::new());
        let resolve = |resolver: &mut Resolver<'_>, number: u32| {
            resolver.lines = lock(&emptied).pop().unwrap_or_default();
            let told = resolver.rows(part(number)).map(|()| std::mem::take(&mut resolver.lines));
            resolver.numbers.clear();
            told
        };
        std::thread::scope(|scope| {
            let (end, taken) = sync_channel::<(u32, Result<Lines, ReconcileError>)>(AHEAD * threads as usize);
            let working: Vec<_> = (1..threads)
                .map(|_| {
                    let (end, claim, resolve) = (end.clone(), &claim, &resolve);
                    scope.spawn(move || {
                        let mut resolver = resolver();
                        while let Some(number) = claim() {
                            // Nobody takes any more: there was an error elsewhere.
                            if end.send((number, resolve(&mut resolver, number))).is_err() {
                                break;
                            }
                        }
                        resolver.tally
                    })
                })
                .collect();
            drop(end);
            // This thread hands on what is next, and resolves while that is not there.
            let mut resolver = resolver();
            let mut early = BTreeMap::new();
            let mut number = 0;
            while number < parts {
                let Some(lines) = early.remove(&number) else {
                    let (number, lines) = match taken.try_recv() {
                        Ok(some) => some,
                        Err(_)
                            if early.len() < AHEAD * threads as usize
                                && let Some(number) = claim() =>
                        {
                            (number, resolve(&mut resolver, number))
                        }
                        Err(_) => match taken.recv() {
                            Ok(some) => some,
                            // A thread has panicked, which joining it tells.
                            Err(_) => break,
                        },
                    };
                    early.insert(number, lines);
                    continue;
                };
                let mut lines = lines?;
                if !lines.is_empty() {
                    hand_on(&lines)?;
                }
                lines.clear();
                lock(&emptied).push(lines);
                number += 1;
            }
            drop(taken);
            let mut tally = resolver.tally;
            working.into_iter().map(joined).for_each(|part| tally.merge(&part));
            Ok(tally)
        })
    }
}
