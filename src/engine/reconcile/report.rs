//! The report's side when it has ended: rows, the table of their keys, and which row of those that share a key is used.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::arena::Arena;
use super::keys::{Slots, Table, hash_bytes};
use super::packed::{BEFORE_FIELDS, Cells, KeyForm, LONG, unpack};
use super::places::Places;
use super::reading::{Held, Shared};
use super::scratch::{Extent, Scratch, records};
use super::{DuplicateRows, ReconcileError};
use crate::values::{Ahead, Key, Side};

/// Below so many rows, threads cost more than they bring.
const WORTH_THREADS: usize = 20_000;

/// Rows put into the table together, so that waiting for memory overlaps.
const BATCH: usize = 32;

/// What a row's key is, among the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowState {
    /// No other row has it.
    Only,
    /// Several rows have it.
    Member,
    Blank,
    Bad,
}

impl RowState {
    /// Before it is known which keys are shared.
    #[inline]
    pub(super) fn of(form: KeyForm) -> Self {
        match form {
            KeyForm::Plain | KeyForm::Folded => Self::Only,
            KeyForm::Blank => Self::Blank,
            KeyForm::Bad => Self::Bad,
        }
    }
}

/// Rows that share a key.
struct Group {
    /// Where its rows begin among the members.
    start: usize,
    end: usize,
    chosen: Option<u32>,
}

/// Rows, or one partition of them.
pub(super) struct Report {
    pub(super) shared: Arc<Shared>,
    arena: Arena,
    /// Where the rows lie, and the heads of their records.
    pub(super) places: Arc<Places>,
    states: Vec<RowState>,
    table: Table,
    groups: Vec<Group>,
    /// Rows of the groups, in the report's order within each.
    members: Vec<u32>,
    /// Each member and its group, by row.
    group_of: Vec<(u32, u32)>,
}

/// The canonical key of a packed row, where it has one.
#[inline(always)]
fn canonical(row: &[u8]) -> Option<Ahead<'_>> {
    // Nearly all rows: both lengths take one byte.
    if let [form, size, length, ..] = *row
        && form == KeyForm::Plain as u8
        && size < LONG
        && length < 0x80
    {
        let cell = row.get(2 + usize::from(size)..)?;
        return (usize::from(length) <= cell.len()).then(|| Ahead::new(cell, length.into()));
    }
    let (form, mut cells) = unpack(row);
    let cell = match form {
        KeyForm::Plain => cells.next(),
        KeyForm::Folded => cells.nth(1),
        KeyForm::Blank | KeyForm::Bad => None,
    };
    cell.map(Ahead::from)
}

impl Report {
    /// Reads a partition back.
    pub(super) fn load(shared: Arc<Shared>, scratch: &Scratch, extents: &[Extent]) -> Result<Self, ReconcileError> {
        let mut held = Held::expecting(extents.iter().map(|extent| extent.length).sum());
        let mut piece = Vec::new();
        let (mut rows, mut ends, mut hashes, mut states) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for &extent in extents {
            scratch.read(extent, &mut piece)?;
            rows.clear();
            ends.clear();
            hashes.clear();
            states.clear();
            for row in records(&piece) {
                hashes.push(canonical(row).map_or(0, |key| hash_bytes(key.cell())));
                states.push(RowState::of(unpack(row).0));
                rows.extend_from_slice(row);
                ends.push(rows.len() as u32);
            }
            // One partition of what has fewer rows than there are addresses.
            held.push(&rows, &ends, &hashes, &states);
        }
        Ok(Self::build(shared, held, 1))
    }

    /// Puts the keys into the table.
    pub(super) fn build(shared: Arc<Shared>, held: Held, threads: usize) -> Self {
        let threads = if held.rows() < WORTH_THREADS { 1 } else { threads.clamp(1, 16) };
        let table = Table::new(held.rows());
        let (slots, places) = (table.slots(), Places::new(held.rows()));
        // Each with the number of its first row.
        let (mut lists, mut first) = (Vec::new(), 0);
        for list in held.lists() {
            let rows = list.len();
            lists.push((first, list));
            first += rows;
        }
        let side_by_side = |work: &(dyn Fn() -> Vec<(u32, u32)> + Sync)| {
            std::thread::scope(|scope| {
                let working: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
                let mut all = work();
                working.into_iter().for_each(|thread| all.extend(joined(thread)));
                all
            })
        };
        let claimed = |next: &AtomicUsize| lists.get(next.fetch_add(1, Ordering::Relaxed)).cloned();
        // All know where all rows lie before the first is looked at.
        let next = AtomicUsize::new(0);
        side_by_side(&|| {
            while let Some((first, list)) = claimed(&next) {
                places.set(first, list.map(|(_, address)| address));
            }
            Vec::new()
        });
        let next = AtomicUsize::new(0);
        let mut same = side_by_side(&|| {
            let mut same = Vec::new();
            let mut insert = |batch: &[(u64, u32)]| {
                for &(hash, row) in batch {
                    let key = |row: u32| canonical(held.arena.row(places.address(row))).map(Ahead::cell);
                    if let Some(other) = slots.insert(hash, row, |other| key(other) == key(row)) {
                        same.push((other, row));
                    }
                }
            };
            // The slots of one batch are asked for while those of the last one are filled.
            let (mut batch, mut last, mut count, mut waiting) = ([(0, 0); BATCH], [(0, 0); BATCH], 0, 0);
            while let Some((first, list)) = claimed(&next) {
                for (row, ((hash, _), &state)) in (first..).zip(list.zip(&held.states[first..])) {
                    slots.bring(hash);
                    batch[count] = (hash, row as u32);
                    count += usize::from(state == RowState::Only);
                    if count == BATCH {
                        insert(&last[..waiting]);
                        std::mem::swap(&mut batch, &mut last);
                        (count, waiting) = (0, BATCH);
                    }
                }
            }
            insert(&last[..waiting]);
            insert(&batch[..count]);
            same
        });
        drop(lists);
        same.sort_unstable();
        let mut report = Self {
            shared,
            arena: held.arena,
            places: Arc::new(places),
            states: held.states,
            table,
            groups: Vec::new(),
            members: Vec::new(),
            group_of: Vec::new(),
        };
        report.group(&same);
        report
    }

    /// `same`: one row of a key, for each of its rows the same, and another; sorted.
    fn group(&mut self, same: &[(u32, u32)]) {
        for others in same.chunk_by(|a, b| a.0 == b.0) {
            let start = self.members.len();
            self.members.push(others[0].0);
            self.members.extend(others.iter().map(|o| o.1));
            self.members[start..].sort_unstable();
            let rows = &self.members[start..];
            for &row in rows {
                self.states[row as usize] = RowState::Member;
                self.group_of.push((row, self.groups.len() as u32));
            }
            let chosen = match &self.shared.inputs.duplicate_rows {
                DuplicateRows::Skip | DuplicateRows::Fail => None,
                DuplicateRows::First => rows.first().copied(),
                DuplicateRows::Last => rows.last().copied(),
                DuplicateRows::Newest { rule, .. } => {
                    let column = self.shared.width() - 1;
                    newest(rows.iter().map(|&row| {
                        let cell = self.cells(row).nth(column).unwrap_or_default();
                        let mut moment = Vec::new();
                        let read = rule.canon(Side::Report, cell, &mut moment);
                        (row, if read.is_ok() { moment } else { Vec::new() })
                    }))
                }
            };
            self.groups.push(Group { start, end: self.members.len(), chosen });
        }
        self.group_of.sort_unstable();
    }

    pub(super) fn rows(&self) -> usize {
        self.places.rows()
    }

    pub(super) fn state(&self, row: u32) -> RowState {
        self.states[row as usize]
    }

    pub(super) fn states(&self, rows: Range<u32>) -> &[RowState] {
        &self.states[rows.start as usize..rows.end as usize]
    }

    /// From the start of a packed row; what follows it, too.
    #[inline(always)]
    pub(super) fn row(&self, row: u32) -> &[u8] {
        self.arena.row(self.places.address(row))
    }

    /// All cells: the key as the report has it, its canonical form or reason, the fields.
    #[inline]
    pub(super) fn cells(&self, row: u32) -> Cells<'_> {
        unpack(self.row(row)).1
    }

    /// The fields' cells.
    #[inline]
    pub(super) fn fields(&self, row: u32) -> Cells<'_> {
        let mut cells = self.cells(row);
        let _ = cells.nth(BEFORE_FIELDS - 1);
        cells
    }

    /// Of a row with a key.
    pub(super) fn canonical(&self, row: u32) -> &[u8] {
        canonical(self.row(row)).map_or(&[], Ahead::cell)
    }

    /// To look keys up.
    #[inline(always)]
    pub(super) fn slots(&self) -> Slots<'_> {
        self.table.slots()
    }

    /// From the start of a packed row that lies here; what follows it, too.
    #[inline(always)]
    pub(super) fn row_at(&self, address: u32) -> &[u8] {
        self.arena.row(address)
    }

    /// The row that records with this key are judged against (`likely` with its bytes, where there is one): none where no row has it, or none of several is used.
    #[inline(always)]
    pub(super) fn target(&self, hash: u64, key: &Key, likely: Option<(u32, bool, &[u8])>) -> Option<u32> {
        if let Some((row, false, packed)) = likely
            && canonical(packed).is_some_and(|other| key.is(other))
        {
            return Some(row);
        }
        let (one, several) =
            self.table.slots().find(hash, |row| canonical(self.row(row)).is_some_and(|other| key.is(other)))?;
        if several { self.chosen(one) } else { Some(one) }
    }

    fn group_at(&self, row: u32) -> Option<&Group> {
        let at = self.group_of.binary_search_by_key(&row, |g| g.0).ok()?;
        self.groups.get(self.group_of[at].1 as usize)
    }

    /// The row that is used of those that share the key of a member.
    pub(super) fn chosen(&self, member: u32) -> Option<u32> {
        self.group_at(member)?.chosen
    }

    /// The rows that share the key of a member, itself too.
    pub(super) fn sharing(&self, member: u32) -> &[u32] {
        self.group_at(member).map_or(&[], |g| &self.members[g.start..g.end])
    }

    /// Is this the row that records with its key are judged against?
    pub(super) fn is_target(&self, row: u32) -> bool {
        match self.states[row as usize] {
            RowState::Only => true,
            RowState::Member => self.chosen(row) == Some(row),
            RowState::Blank | RowState::Bad => false,
        }
    }
}

/// What a thread came to; its panic goes on in this one.
pub(super) fn joined<T>(thread: std::thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// The one with the greatest moment; none where the greatest is shared or nothing can be read.
pub(super) fn newest(all: impl Iterator<Item = (u32, Vec<u8>)>) -> Option<u32> {
    let mut best: Option<(u32, Vec<u8>)> = None;
    let mut shared = false;
    for (item, moment) in all {
        match &best {
            Some((_, best)) if moment < *best => {}
            Some((_, top)) if moment == *top => shared = true,
            _ => {
                best = Some((item, moment));
                shared = false;
            }
        }
    }
    best.filter(|(_, moment)| !shared && !moment.is_empty()).map(|(item, _)| item)
}
