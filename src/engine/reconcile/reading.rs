//! The report's side as it comes in: each row packed with its key's canonical form, kept in memory or, beyond the budget, on disk by partition.

use std::sync::{Arc, Mutex, PoisonError};

use super::arena::Arena;
use super::keys::hash;
use super::packed::{BEFORE_FIELDS, KeyForm, Packing, pack, pack_place, pad, unpack};
use super::report::{Report, RowState};
use super::scratch::{Piles, Scratch, partition};
use super::spilled::Spilled;
use super::store::{Store, Stored};
use super::{Budget, DuplicateRows, Inputs, Matching, ReconcileError};
use crate::plan::GuardVerdict;
use crate::table::{Block, wide};
use crate::values::{Ahead, Key, KeyKind, Side};

/// What every part of planning looks at.
pub(super) struct Shared {
    pub(super) inputs: Inputs,
    pub(super) budget: Budget,
    /// The report's columns that are kept behind the key: mapped fields, then the moment for `newest`. And is a cell that begins with something visible
    /// surely not blank?
    columns: Vec<(usize, bool)>,
    /// Emptied, for the next blocks.
    spare: Mutex<Vec<Prepared>>,
}

impl Shared {
    /// Cells of a packed row.
    pub(super) fn width(&self) -> usize {
        BEFORE_FIELDS + self.columns.len()
    }
}

/// Emptied blocks that are kept, for each thread: about as many as wait for their turn. Fresh memory costs more than what is done in it.
const SPARE: usize = 5;
/// A larger one had rows as few have, and its room is given back.
const LARGEST_SPARE: usize = 2 << 20;

/// Rows of one block, ready to be taken: what can be done to them in any order, and by any thread, is done.
#[derive(Default)]
pub struct Prepared {
    /// Packed rows, and behind the last end room for more.
    rows: Vec<u8>,
    ends: Vec<u32>,
    hashes: Vec<u64>,
    states: Vec<RowState>,
    /// Blank cells, by field.
    blanks: Vec<u64>,
}

/// Prepares blocks for a [`Reading`], on any thread.
#[derive(Clone)]
pub struct Preparer(Arc<Shared>);

impl Preparer {
    /// Packs the rows of a block and finds their keys.
    pub fn prepare(&self, block: &Block) -> Prepared {
        wide(
            #[inline(always)]
            || self.prepare_any(block),
        )
    }

    #[inline(always)]
    fn prepare_any(&self, block: &Block) -> Prepared {
        let shared = &*self.0;
        let key = &shared.inputs.key;
        let mut prepared = shared.spare.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        let Prepared { rows, ends, hashes, states, blanks } = &mut prepared;
        blanks.clear();
        blanks.resize(shared.inputs.fields.len(), 0);
        let room = block.bytes().len() + block.rows() * 24;
        if rows.len() < room {
            rows.resize(room, 0);
        }
        let mut used = 0;
        ends.reserve(block.rows());
        hashes.reserve(block.rows());
        states.reserve(block.rows());
        let mut canonical = Key::default();
        let width = shared.width();
        for row in block.iter() {
            let number = row.number();
            let (bytes, length) = row.ahead(key.column);
            let cell = &bytes[..length];
            let reason;
            let (form, second, hash) = match key.rule.read(Side::Report, Ahead::new(bytes, length), &mut canonical) {
                Ok((KeyKind::Key, true)) => (KeyForm::Plain, &b""[..], hash(&canonical)),
                Ok((KeyKind::Key, false)) => (KeyForm::Folded, canonical.bytes(), hash(&canonical)),
                Ok((KeyKind::Blank, _)) => (KeyForm::Blank, &b""[..], number),
                Err(refusal) => {
                    reason = refusal.message();
                    (KeyForm::Bad, reason.as_bytes(), number)
                }
            };
            let mut packing = Packing::begin(&mut rows[used..], form, width);
            packing.cell::<64>((bytes, length));
            packing.cell::<0>((second, second.len()));
            for (at, &(column, visible)) in shared.columns.iter().enumerate() {
                let (bytes, length) = row.ahead(column);
                packing.cell::<32>((bytes, length));
                // Asked all at once: what an empty cell begins with does not count.
                let first = bytes.first().map_or(0, |first| first.wrapping_sub(b'!'));
                let surely = visible & (length > 0) & (first <= b'~' - b'!');
                if !surely && let Some(field) = shared.inputs.fields.get(at) {
                    blanks[at] += u64::from(field.rule.blank_cell(&bytes[..length]));
                }
            }
            used += packing.place(number, row.line()).unwrap_or_else(|| {
                let mut packed = Vec::new();
                pack(&mut packed, form, width, |at| match at {
                    0 => cell,
                    1 => second,
                    at => row.cell(shared.columns[at - BEFORE_FIELDS].0),
                });
                pack_place(&mut packed, number, row.line());
                pad(&mut packed);
                let end = used + packed.len();
                if rows.len() < end {
                    rows.resize(end * 2, 0);
                }
                rows[used..end].copy_from_slice(&packed);
                packed.len()
            });
            ends.push(used as u32);
            hashes.push(hash);
            states.push(RowState::of(form));
        }
        prepared
    }
}

/// Rows that are kept in memory.
#[derive(Default)]
pub(super) struct Held {
    pub(super) arena: Arena,
    /// Of each row: the hash of its key; and its address.
    store: Store,
    listed: Vec<(Stored, Stored)>,
    pub(super) states: Vec<RowState>,
    /// Of the rows that were last added.
    addresses: Vec<u32>,
}

impl Held {
    /// For so many bytes of rows, as far as anybody knows.
    pub(super) fn expecting(bytes: usize) -> Self {
        Self { arena: Arena::expecting(bytes), ..Self::default() }
    }

    /// Adds rows that lie one behind the other, by [`Arena::push`]. False when there is no room for addresses.
    pub(super) fn push(&mut self, rows: &[u8], ends: &[u32], hashes: &[u64], states: &[RowState]) -> bool {
        self.addresses.clear();
        if !self.arena.push(rows, ends, &mut self.addresses) {
            return false;
        }
        let listed = [size_of::<u64>(), size_of::<u32>()].map(|size| self.store.reserve(hashes.len() * size));
        for (to, hash) in self.store.get_mut(listed[0]).as_chunks_mut().0.iter_mut().zip(hashes) {
            *to = hash.to_le_bytes();
        }
        for (to, address) in self.store.get_mut(listed[1]).as_chunks_mut().0.iter_mut().zip(&self.addresses) {
            *to = address.to_le_bytes();
        }
        self.listed.push((listed[0], listed[1]));
        self.states.extend_from_slice(states);
        true
    }

    /// How many rows.
    pub(super) fn rows(&self) -> usize {
        self.states.len()
    }

    /// Of each row, in lists: the hash of its key, and its address.
    pub(super) fn lists(&self) -> impl Iterator<Item = impl ExactSizeIterator<Item = (u64, u32)> + Clone> {
        self.listed.iter().map(|&(hashes, addresses)| {
            let hashes = self.store.get(hashes).as_chunks().0.iter().map(|hash| u64::from_le_bytes(*hash));
            hashes.zip(self.store.get(addresses).as_chunks().0.iter().map(|address| u32::from_le_bytes(*address)))
        })
    }
}

enum Kept {
    Memory(Held),
    Disk(Scratch, Piles),
}

/// Takes the report.
pub struct Reading {
    shared: Arc<Shared>,
    kept: Kept,
    rows: u64,
    blanks: Vec<u64>,
    given: Option<Vec<GuardVerdict>>,
}

/// Begins a plan.
pub fn start(inputs: Inputs, budget: Budget) -> Reading {
    let mut columns: Vec<_> = inputs.fields.iter().map(|f| (f.column, f.rule.takes_the_visible())).collect();
    if let DuplicateRows::Newest { column, .. } = &inputs.duplicate_rows {
        columns.push((*column, true));
    }
    let blanks = vec![0; inputs.fields.len()];
    Reading {
        shared: Arc::new(Shared { inputs, budget, columns, spare: Mutex::default() }),
        kept: Kept::Memory(Held::default()),
        rows: 0,
        blanks,
        given: None,
    }
}

impl Reading {
    /// What prepares blocks for [`Self::take`].
    pub fn preparer(&self) -> Preparer {
        Preparer(Arc::clone(&self.shared))
    }

    /// Takes the report's next block. Blocks come in the report's order.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub fn report(&mut self, block: Block) -> Result<(), ReconcileError> {
        let prepared = self.preparer().prepare(&block);
        self.take(prepared)
    }

    /// Takes what became of the report's next block.
    ///
    /// # Errors
    /// Too many rows, or the temporary file cannot be written.
    pub fn take(&mut self, mut block: Prepared) -> Result<(), ReconcileError> {
        const MOST: u64 = u32::MAX as u64 - 1;
        self.rows += block.ends.len() as u64;
        self.blanks.iter_mut().zip(&block.blanks).for_each(|(all, more)| *all += more);
        if self.rows > MOST {
            return Err(ReconcileError::TooManyRows { most: MOST });
        }
        match &mut self.kept {
            Kept::Memory(held) => {
                let used = block.ends.last().map_or(0, |&end| end as usize);
                if !held.push(&block.rows[..used], &block.ends, &block.hashes, &block.states) {
                    return Err(ReconcileError::TooManyRows { most: held.rows() as u64 });
                }
                if !self.shared.budget.holds(held.arena.bytes(), held.rows()) {
                    let held = std::mem::take(held);
                    self.spill(&held)?;
                }
            }
            Kept::Disk(scratch, piles) => {
                let mut start = 0;
                for (&end, &hash) in block.ends.iter().zip(&block.hashes) {
                    let row = &block.rows[start..end as usize];
                    piles.put(scratch, partition(hash), |out| out.extend_from_slice(row))?;
                    start = end as usize;
                }
            }
        }
        let mut spare = self.shared.spare.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < self.shared.budget.threads.max(1) * SPARE && block.rows.len() <= LARGEST_SPARE {
            block.ends.clear();
            block.hashes.clear();
            block.states.clear();
            spare.push(block);
        }
        Ok(())
    }

    fn spill(&mut self, held: &Held) -> Result<(), ReconcileError> {
        let scratch = Scratch::new(&self.shared.budget)?;
        let mut piles = Piles::new();
        for (hash, address) in held.lists().flatten() {
            let row = held.arena.row(address);
            let length = row.len() - unpack(row).1.behind().len();
            let row = &row[..length.next_multiple_of(8)];
            piles.put(&scratch, partition(hash), |out| out.extend_from_slice(row))?;
        }
        self.kept = Kept::Disk(scratch, piles);
        Ok(())
    }

    /// Verdicts on what is not in the plan's counts and is known only when the report has been read: its age, its shrinking.
    pub fn given(&mut self, verdicts: Vec<GuardVerdict>) {
        self.given = Some(verdicts);
    }

    /// Blank cells so far, in the order of [`Inputs::fields`]: over all rows, whatever becomes of them.
    pub fn blanks(&self) -> &[u64] {
        &self.blanks
    }

    /// Rows so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The report has ended.
    ///
    /// # Errors
    /// The temporary file cannot be written.
    pub fn close(self) -> Result<Matching, ReconcileError> {
        let Self { shared, kept, rows, blanks: _, given } = self;
        shared.spare.lock().unwrap_or_else(PoisonError::into_inner).clear();
        match kept {
            Kept::Memory(held) => {
                let threads = shared.budget.threads;
                let report = Report::build(Arc::clone(&shared), held, threads);
                Ok(Matching::in_memory(shared, report, rows, given))
            }
            Kept::Disk(scratch, mut piles) => {
                piles.flush(&scratch)?;
                let spilled = Spilled::new(Arc::clone(&shared), scratch, piles);
                Ok(Matching::on_disk(shared, spilled, rows, given))
            }
        }
    }
}
