//! The org's side as it comes in: each record joins the row of its key and is judged at once. One that agrees leaves its id; one that differs, its cells.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

use super::keys::hash;
use super::near;
use super::packed::{BEFORE_FIELDS, pack_record, unpack};
use super::places::Places;
use super::report::Report;
use super::scratch::{Extent, Scratch};
use super::store::{Store, Stored};
use super::{FieldInput, Layout, ReconcileError, SeveralRecords};
use crate::model::ShortId;
use crate::table::{Block, Row, wide};
use crate::values::{Ahead, Forms, Key, KeyKind, Side};

/// Records of a chunk, and the bits of an index that say which.
const CHUNK: usize = 1 << CHUNK_BITS;
const CHUNK_BITS: u32 = 12;
/// In a head: the row's only record so far, and it agrees.
const AGREES: u32 = 1 << 31;
/// Records at one station of a look-up; see [`probe`].
const STEP: usize = 8;
/// Records at all of them; a power of two.
const UNDER_WAY: usize = 4 * STEP;
/// Records that hang on their heads together.
const LOOSE: usize = 64;
const NOTHING: u32 = u32::MAX;
/// Bytes of a record.
const RECORD: usize = 24;
/// A column that is looked at whatever differs.
const ALWAYS: u64 = 1 << u32::BITS;
/// Before the cells of a record that are kept: their length, and which differ.
const KEPT_HEAD: usize = 8;

/// What a record came to. In the order in which one of two versions of a record counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    Converted = 0,
    Differs = 1,
    Agrees = 2,
}

/// A record that has a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record {
    /// The record of the same row that came before it: index + 1, or 0.
    before: u32,
    /// Where its cells are among the chunk's bytes; [`NOTHING`]: they were not needed.
    at: u32,
    /// The numbers of its id, and above the second one what it came to.
    id: (u64, u64),
}

impl Record {
    #[inline(always)]
    fn new(id: ShortId, what: What, at: u32) -> Self {
        let (first, rest) = id.numbers();
        Self { before: 0, at, id: (first, rest | (what as u64) << 56) }
    }

    /// As it is kept.
    #[inline(always)]
    fn to_bytes(self) -> [u8; RECORD] {
        let words = [u64::from(self.before) << 32 | u64::from(self.at), self.id.0, self.id.1].map(u64::to_le_bytes);
        std::array::from_fn(|at| words[at / 8][at % 8])
    }

    #[inline(always)]
    fn of_bytes(bytes: &[u8; RECORD]) -> Self {
        let [places, first, second] = [0, 8, 16].map(|from| {
            let mut word = [0; 8];
            word.copy_from_slice(&bytes[from..from + 8]);
            u64::from_le_bytes(word)
        });
        Self { before: (places >> 32) as u32, at: places as u32, id: (first, second) }
    }

    pub(super) fn id(&self) -> ShortId {
        ShortId::of_numbers(self.id.0, self.id.1)
    }

    pub(super) fn what(&self) -> What {
        match self.id.1 >> 56 {
            0 => What::Converted,
            1 => What::Differs,
            _ => What::Agrees,
        }
    }
}

#[derive(Clone, Copy)]
enum Cells {
    Memory(Stored),
    Disk(Extent),
}

/// Records that one thread found one after the other, with the cells that are kept of them.
struct Chunk {
    number: u32,
    /// The thread's, when all are in.
    store: usize,
    records: Stored,
    cells: Cells,
}

/// What was seen of a row's key outside the scope. In the order of what says more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Beyond {
    No,
    Converted,
    OutOfScope,
}

/// Records found so far. Threads add to it side by side, each with a [`Lane`] of its own.
pub(super) struct Found {
    /// The head of a row: its last record, index + 1, and [`AGREES`]; 0 is none. A report takes the records of one [`Found`] alone.
    places: Arc<Places>,
    /// By row; empty where nobody asks.
    beyond: Vec<AtomicU8>,
    chunks: AtomicU32,
    /// Of each column of a record: for which differing fields its cell is kept, and [`ALWAYS`].
    wanted: Vec<u64>,
    /// Bytes of cells in full chunks, and how many may stay in memory.
    cells: AtomicU64,
    room: u64,
}

/// One thread's own part.
#[derive(Default)]
pub(super) struct Lane {
    /// Full ones lie in the store.
    chunks: Vec<Chunk>,
    store: Store,
    open: Option<Open>,
    /// Cells of the open chunk's records.
    cells: Vec<u8>,
    /// Of the records under way.
    keys: Vec<Key>,
    forms: Forms,
    /// The next records of the open chunk, which do not hang on the heads of their rows yet, and these rows.
    loose: Vec<(Record, u32)>,
}

/// A chunk that takes records.
#[derive(Clone, Copy)]
struct Open {
    number: u32,
    /// How many it has, and where they lie.
    count: usize,
    records: Stored,
}

/// A key that is looked for.
#[derive(Clone, Copy, Default)]
struct Sought<'r> {
    hash: u64,
    /// The row that most likely has it, whether that is one of several, and from the row's start on what lies in the arena.
    likely: Option<(u32, bool, &'r [u8])>,
    /// The record has a key.
    any: bool,
}

/// Looks for the rows of a block's records and hands each record that has one to `each`: row of the report, id, row of the block.
///
/// A record passes four stations: its key's slot is asked for; the slot tells where the row is noted, which is asked for; that tells where the row lies, which
/// is asked for; the row is at hand. [`STEP`] others are at each station meanwhile, so that nobody waits for memory.
#[inline(always)]
fn probe(
    report: &Report,
    layout: &Layout,
    block: &Block,
    lane: &mut Lane,
    mut each: impl FnMut(u32, ShortId, &[u8], usize, &mut Lane) -> Result<(), ReconcileError>,
) -> Result<(), ReconcileError> {
    check_columns(layout, block)?;
    let rule = &report.shared.inputs.key.rule;
    let (slots, places) = (report.slots(), report.places.all());
    let mut keys = std::mem::take(&mut lane.keys);
    keys.resize_with(UNDER_WAY, Key::default);
    let mut sought = [Sought::default(); UNDER_WAY];
    let rows = block.rows();
    for at in 0..rows + 3 * STEP {
        if at < rows {
            let (key, sought) = (&mut keys[at % UNDER_WAY], &mut sought[at % UNDER_WAY]);
            let cell = ahead(block.row(at), layout.key);
            sought.any = matches!(rule.read(Side::Org, cell, key), Ok((KeyKind::Key, _)));
            if sought.any {
                sought.hash = hash(key);
                slots.bring(sought.hash);
            }
        }
        if let Some(at) = station(at, 1, rows) {
            let sought = &mut sought[at % UNDER_WAY];
            sought.likely = None;
            if sought.any
                && let Some((row, several)) = slots.likely(sought.hash)
            {
                near::bring(&places[row as usize]);
                sought.likely = Some((row, several, &[]));
            }
        }
        if let Some(at) = station(at, 2, rows)
            && let Some((row, _, packed)) = &mut sought[at % UNDER_WAY].likely
        {
            *packed = report.row_at(places[*row as usize][0].load(Ordering::Relaxed));
            near::bring_row(packed);
        }
        if let Some(at) = station(at, 3, rows) {
            let (key, Sought { hash, likely, any }) = (&keys[at % UNDER_WAY], sought[at % UNDER_WAY]);
            let Some(row) = any.then(|| report.target(hash, key, likely)).flatten() else { continue };
            let cell = block.cell(at, 0);
            let id = ShortId::read(cell).ok_or_else(|| ReconcileError::NoId {
                found: String::from_utf8_lossy(cell).chars().take(40).collect(),
            })?;
            // The row lies where it was just looked at, unless the table knew better.
            let packed = likely.filter(|likely| likely.0 == row).map_or_else(|| report.row(row), |likely| likely.2);
            each(row, id, packed, at, lane)?;
        }
    }
    lane.keys = keys;
    Ok(())
}

/// The record that reaches a station while another one sets out.
#[inline(always)]
fn station(sets_out: usize, number: usize, rows: usize) -> Option<usize> {
    // One that is not there yet is a very large number.
    let at = sets_out.wrapping_sub(number * STEP);
    (at < rows).then_some(at)
}

/// A block of no rows may have any columns.
pub(super) fn check_columns(layout: &Layout, block: &Block) -> Result<(), ReconcileError> {
    if block.rows() > 0 && block.columns() != layout.columns.len() {
        return Err(ReconcileError::Columns { asked: layout.columns.len(), found: block.columns() });
    }
    Ok(())
}

impl Found {
    pub(super) fn new(report: &Report, room: u64) -> Self {
        let layout = &report.shared.inputs.layout;
        let mut wanted = vec![0; layout.columns.len()];
        for (field, &column) in layout.fields.iter().enumerate() {
            wanted[column] |= u64::from(Differing::bit(field));
        }
        for column in [layout.newest, layout.currency].into_iter().flatten() {
            wanted[column] |= ALWAYS;
        }
        let beyond = if report.shared.inputs.beyond.is_some() { report.rows() } else { 0 };
        Self {
            places: Arc::clone(&report.places),
            beyond: (0..beyond).map(|_| AtomicU8::new(Beyond::No as u8)).collect(),
            chunks: AtomicU32::new(0),
            wanted,
            cells: AtomicU64::new(0),
            room,
        }
    }

    /// Takes a block of records.
    pub(super) fn join(
        &self,
        report: &Report,
        block: &Block,
        lane: &mut Lane,
        scratch: &dyn Fn() -> Result<Arc<Scratch>, ReconcileError>,
    ) -> Result<(), ReconcileError> {
        let inputs = &report.shared.inputs;
        let layout = &inputs.layout;
        // What may be asked of a record later, when it is one of several, or of its currency.
        let needed = inputs.several_records == SeveralRecords::Newest && layout.newest.is_some();
        wide(
            #[inline(always)]
            || {
                probe(
                    report,
                    layout,
                    block,
                    lane,
                    #[inline(always)]
                    |row, id, packed, at, lane| {
                        let (what, differing) = judge(&inputs.fields, layout, packed, block.row(at), &mut lane.forms);
                        let keep = what == What::Differs || (needed && what == What::Agrees);
                        self.add(row, id, what, lane, keep.then_some((block, at, differing)), scratch)
                    },
                )
            },
        )?;
        self.link(lane);
        Ok(())
    }

    /// Takes a block of the second reading.
    pub(super) fn join_beyond(&self, report: &Report, block: &Block, lane: &mut Lane) -> Result<(), ReconcileError> {
        let Some(layout) = &report.shared.inputs.beyond else { return Ok(()) };
        probe(report, layout, block, lane, |row, _, _, at, _| {
            let converted = layout.converted.is_some_and(|c| block.cell(at, c) == b"true");
            let seen = if converted { Beyond::Converted } else { Beyond::OutOfScope };
            self.beyond[row as usize].fetch_max(seen as u8, Ordering::Relaxed);
            Ok(())
        })
    }

    #[inline(always)]
    fn add(
        &self,
        row: u32,
        id: ShortId,
        what: What,
        lane: &mut Lane,
        keep: Option<(&Block, usize, Differing)>,
        scratch: &dyn Fn() -> Result<Arc<Scratch>, ReconcileError>,
    ) -> Result<(), ReconcileError> {
        // Nearly all of them.
        if let (Some(open), None) = (lane.open, &keep)
            && lane.loose.len() + 1 < LOOSE.min(CHUNK - open.count)
        {
            lane.loose.push((Record::new(id, what, NOTHING), row));
            return Ok(());
        }
        self.add_any(row, id, what, lane, keep, scratch)
    }

    fn add_any(
        &self,
        row: u32,
        id: ShortId,
        what: What,
        lane: &mut Lane,
        keep: Option<(&Block, usize, Differing)>,
        scratch: &dyn Fn() -> Result<Arc<Scratch>, ReconcileError>,
    ) -> Result<(), ReconcileError> {
        let open = match lane.open {
            Some(open) => open,
            None => {
                let number = self.chunks.fetch_add(1, Ordering::Relaxed);
                if number >= AGREES >> CHUNK_BITS {
                    return Err(ReconcileError::TooManyRows { most: u64::from(AGREES) });
                }
                let open = Open { number, count: 0, records: lane.store.reserve(CHUNK * RECORD) };
                lane.open = Some(open);
                open
            }
        };
        let mut at = NOTHING;
        let cells = &mut lane.cells;
        if let Some((block, row, differing)) = keep {
            // Far from 4 GiB: a chunk that holds this much is closed at once.
            at = cells.len() as u32;
            cells.extend_from_slice(&[0; KEPT_HEAD]);
            let asked = u64::from(differing.0) | ALWAYS;
            pack_record(cells, block.row(row), 1, |column| {
                self.wanted.get(column).is_some_and(|for_| for_ & asked != 0)
            });
            let length = (cells.len() - at as usize - KEPT_HEAD) as u32;
            cells[at as usize..][..4].copy_from_slice(&length.to_le_bytes());
            cells[at as usize + 4..][..4].copy_from_slice(&differing.0.to_le_bytes());
        }
        lane.loose.push((Record::new(id, what, at), row));
        let full = open.count + lane.loose.len() == CHUNK || cells.len() > 64 << 20;
        if full || lane.loose.len() == LOOSE {
            self.link(lane);
        }
        if full { self.close(lane, scratch) } else { Ok(()) }
    }

    /// Hangs the loose records on the heads of their rows: many at a time, since an exchange waits for all that was written before it.
    fn link(&self, lane: &mut Lane) {
        let Lane { store, loose, open: Some(open), .. } = lane else { return };
        let records = store.get_mut(open.records).as_chunks_mut().0;
        // They were near when their rows were looked up.
        loose.iter().for_each(|&(_, row)| near::bring(self.places.head(row)));
        for (index, (record, row)) in (open.number << CHUNK_BITS | open.count as u32..).zip(&mut *loose) {
            let agrees = if record.what() == What::Agrees { AGREES } else { 0 };
            let head = self.places.head(*row);
            let before = head.swap((index + 1) | agrees, Ordering::AcqRel) & !AGREES;
            if before != 0 {
                head.fetch_and(!AGREES, Ordering::AcqRel);
                record.before = before;
            }
        }
        // Only now, into memory that is far: the next exchange would wait for that, too.
        for (kept, (record, _)) in records[open.count..].iter_mut().zip(&*loose) {
            *kept = record.to_bytes();
        }
        open.count += loose.len();
        loose.clear();
    }

    /// Puts the open chunk to the full ones. Its cells are copied, so that the room they grew in is used again.
    fn close(
        &self,
        lane: &mut Lane,
        scratch: &dyn Fn() -> Result<Arc<Scratch>, ReconcileError>,
    ) -> Result<(), ReconcileError> {
        let Some(Open { number, records, .. }) = lane.open.take() else { return Ok(()) };
        let length = lane.cells.len() as u64;
        let held = self.cells.fetch_add(length, Ordering::Relaxed) + length;
        let cells = if held > self.room && length > 0 {
            self.cells.fetch_sub(length, Ordering::Relaxed);
            Cells::Disk(scratch()?.write(&lane.cells)?)
        } else {
            Cells::Memory(lane.store.keep(&lane.cells))
        };
        lane.cells.clear();
        lane.chunks.push(Chunk { number, store: 0, records, cells });
        Ok(())
    }

    /// Has the row a record?
    pub(super) fn has(&self, row: u32) -> bool {
        self.places.head(row).load(Ordering::Acquire) != 0
    }

    /// No more records come.
    pub(super) fn seal(self, lanes: impl IntoIterator<Item = Lane>) -> Sealed {
        let (mut chunks, mut stores) = (Vec::new(), Vec::new());
        for lane in lanes {
            let Lane { chunks: full, mut store, open, cells, .. } = lane;
            let open = open.map(|Open { number, records, .. }| {
                let cells = Cells::Memory(store.keep(&cells));
                Chunk { number, store: 0, records, cells }
            });
            chunks.extend(full.into_iter().chain(open).map(|chunk| Chunk { store: stores.len(), ..chunk }));
            stores.push(store);
        }
        chunks.sort_unstable_by_key(|chunk| chunk.number);
        Sealed { places: self.places, beyond: self.beyond, chunks, stores }
    }
}

/// A cell of a record, and whatever lies behind it.
#[inline(always)]
pub(super) fn ahead(record: Row<'_>, column: usize) -> Ahead<'_> {
    let (bytes, length) = record.ahead(column);
    Ahead::new(bytes, length)
}

/// Which mapped cells do not agree: a bit each, by the index of the field; all from the last bit on share it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Differing(u32);

impl Differing {
    #[inline(always)]
    fn bit(field: usize) -> u32 {
        1 << field.min(u32::BITS as usize - 1)
    }

    /// May the cell of this field differ? If not, the two agree.
    #[inline]
    pub(super) fn has(self, field: usize) -> bool {
        self.0 & Self::bit(field) != 0
    }
}

/// Do all mapped cells agree, and which do not? Counted is nothing here: that is done when it is known which of several records are used.
#[inline(always)]
fn judge(
    fields: &[FieldInput],
    layout: &Layout,
    packed: &[u8],
    record: Row<'_>,
    forms: &mut Forms,
) -> (What, Differing) {
    let mut differing = Differing::default();
    if layout.converted.is_some_and(|c| record.cell(c) == b"true") {
        return (What::Converted, differing);
    }
    let currency = layout.currency.map(|c| record.cell(c));
    let mut cells = unpack(packed).1;
    let _ = cells.nth(BEFORE_FIELDS - 1);
    for (at, (field, &column)) in fields.iter().zip(&layout.fields).enumerate() {
        let Some(cell) = cells.ahead() else { break };
        let stored = ahead(record, column);
        // 10 in one currency is not 10 in another; two blanks are the same in all.
        if !field.rule.agrees(cell, stored, forms) || (field.other_currency(currency) && !stored.cell().is_empty()) {
            differing.0 |= Differing::bit(at);
        }
    }
    (if differing.0 == 0 { What::Agrees } else { What::Differs }, differing)
}

/// All records that have a row.
pub(super) struct Sealed {
    places: Arc<Places>,
    beyond: Vec<AtomicU8>,
    /// By their numbers.
    chunks: Vec<Chunk>,
    stores: Vec<Store>,
}

/// A row's records.
pub(super) enum Head {
    None(Beyond),
    /// One, and it agrees.
    Agrees,
    /// The last of them.
    Some(u32),
}

impl Sealed {
    /// Of each of these rows: has it one record alone, which agrees?
    pub(super) fn agreeing(&self, rows: Range<u32>) -> impl Iterator<Item = bool> + '_ {
        let places = &self.places.all()[rows.start as usize..rows.end as usize];
        places.iter().map(|[_, head]| head.load(Ordering::Relaxed) & AGREES != 0)
    }

    /// Where a record lies, and its chunk.
    #[inline]
    fn place(&self, index: u32) -> (&[u8; RECORD], &Chunk) {
        let chunk = &self.chunks[(index >> CHUNK_BITS) as usize];
        let records = self.stores[chunk.store].get(chunk.records).as_chunks().0;
        (&records[index as usize & (CHUNK - 1)], chunk)
    }

    /// The last record of a row.
    #[inline]
    fn last(&self, row: u32) -> Option<(&[u8; RECORD], &Chunk)> {
        let index = (self.places.head(row).load(Ordering::Relaxed) & !AGREES).checked_sub(1)?;
        Some(self.place(index))
    }

    /// Brings near a row's last record.
    #[inline]
    pub(super) fn bring(&self, row: u32) {
        if let Some((record, _)) = self.last(row) {
            near::bring(record);
        }
    }

    /// Brings near the cells of a row's last record.
    #[inline]
    pub(super) fn bring_cells(&self, row: u32) {
        if let Some((record, chunk)) = self.last(row)
            && let Cells::Memory(cells) = chunk.cells
            && let Some(cells) = self.stores[chunk.store].get(cells).get(Record::of_bytes(record).at as usize..)
        {
            near::bring_row(cells);
        }
    }

    #[inline]
    pub(super) fn head(&self, row: u32) -> Head {
        match self.places.head(row).load(Ordering::Relaxed) {
            0 => Head::None(match self.beyond.get(row as usize).map(|b| b.load(Ordering::Relaxed)) {
                Some(seen) if seen == Beyond::OutOfScope as u8 => Beyond::OutOfScope,
                Some(seen) if seen == Beyond::Converted as u8 => Beyond::Converted,
                _ => Beyond::No,
            }),
            head if head & AGREES != 0 => Head::Agrees,
            head => Head::Some(head),
        }
    }

    /// The record of a head, with its index, where it is the only one.
    pub(super) fn only(&self, head: u32) -> Option<(u32, Record)> {
        let index = head.checked_sub(1)?;
        Some((index, self.record(index))).filter(|(_, record)| record.before == 0)
    }

    /// The records from a head on, each with its index.
    pub(super) fn records(&self, head: u32) -> impl Iterator<Item = (u32, Record)> + '_ {
        let get = |head: u32| (head != 0).then(|| (head - 1, self.record(head - 1)));
        std::iter::successors(get(head), move |(_, record)| get(record.before))
    }

    fn record(&self, index: u32) -> Record {
        Record::of_bytes(self.place(index).0)
    }

    /// The packed cells of a record, from the one after its id on, and which fields differ: other cells than theirs are empty, but for currency and moment.
    /// Nothing where they were not kept.
    pub(super) fn cells<'s>(
        &'s self,
        (index, record): (u32, Record),
        scratch: Option<&Scratch>,
        read: &'s mut Vec<u8>,
    ) -> Result<(&'s [u8], Differing), ReconcileError> {
        if record.at == NOTHING {
            return Ok((&[], Differing::default()));
        }
        let at = record.at as usize;
        let chunk = &self.chunks[(index >> CHUNK_BITS) as usize];
        let kept = match (chunk.cells, scratch) {
            (Cells::Memory(cells), _) => &self.stores[chunk.store].get(cells)[at..],
            (Cells::Disk(extent), Some(scratch)) => {
                scratch.read_part(extent, at, 1 << 10, read)?;
                let length = read.first_chunk::<4>().map_or(0, |l| u32::from_le_bytes(*l) as usize) + KEPT_HEAD;
                if length > read.len() {
                    scratch.read_part(extent, at, length, read)?;
                }
                read
            }
            (Cells::Disk(_), None) => &[],
        };
        let (head, cells) = kept.split_first_chunk::<KEPT_HEAD>().unwrap_or((&[0; KEPT_HEAD], &[]));
        let [_, _, _, _, a, b, c, d] = *head;
        Ok((cells, Differing(u32::from_le_bytes([a, b, c, d]))))
    }
}
