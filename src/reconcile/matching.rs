//! The org's side, and the plan: records join the group of their key; when all are in, rows resolve in order.

use std::sync::{Mutex, PoisonError};

use super::guards::Forbidden;
use super::judge::{Pair, Tally, judge};
use super::keys::NONE;
use super::reading::RowKey;
use super::rows::Rows;
use super::{DuplicateRows, Inputs, Layout, Reading, ReconcileError, SeveralRecords};
use crate::model::{Digest, RecordId};
use crate::plan::{Entry, FieldCounts, Header, Lines, PlanDigester, RowOutcome, Sink, Summary};
use crate::table::Block;
use crate::values::{KeyKind, Side};

/// Which reading of the org.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// The records that may be touched.
    Scope,
    /// Only with `where:`: do the records exist that the first reading did not find?
    Beyond,
}

/// Records found so far.
struct Found {
    /// Id, then the layout's columns after it.
    rows: Rows,
    ids: Vec<RecordId>,
    /// Per group: the last record that joined.
    head: Vec<u32>,
    /// Per record: the one that joined its group before it.
    before: Vec<u32>,
    /// Per group: seen beyond the scope, and whether converted.
    beyond: Vec<Beyond>,
    /// Records looked at.
    looked_at: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Beyond {
    No,
    Converted,
    OutOfScope,
}

/// Takes the org's side.
pub struct Matching {
    reading: Reading,
    found: Mutex<Found>,
}

/// What became of a group of rows.
enum Choice {
    Row(u32),
    None,
}

impl Matching {
    pub(super) fn new(reading: Reading) -> Self {
        let groups = reading.keys.groups.len();
        let found = Found {
            rows: Rows::new(reading.inputs.layout.columns.len()),
            ids: Vec::new(),
            head: vec![NONE; groups],
            before: Vec::new(),
            beyond: vec![Beyond::No; groups],
            looked_at: 0,
        };
        Self { reading, found: Mutex::new(found) }
    }

    fn inputs(&self) -> &Inputs {
        &self.reading.inputs
    }

    /// Is a group of rows looked up at all? Where the policy uses none of several rows, no record can be touched.
    fn wanted(&self, group: u32) -> bool {
        let several = self.reading.keys.groups[group as usize].rows > 1;
        !(several && matches!(self.inputs().duplicate_rows, DuplicateRows::Skip | DuplicateRows::Fail))
    }

    /// Hands the SOQL literal of each key that must be read to `each`, in the order of the report.
    pub fn literals(&self, pass: Pass, mut each: impl FnMut(&str)) {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let mut literal = String::new();
        for group in 0..self.reading.keys.groups.len() as u32 {
            if !self.wanted(group) || (pass == Pass::Beyond && found.head[group as usize] != NONE) {
                continue;
            }
            let first = self.reading.keys.groups[group as usize].first;
            literal.clear();
            self.inputs().key.rule.write_soql(
                self.reading.keys.canonical(group),
                self.reading.rows.cell(first as usize, 0),
                &mut literal,
            );
            each(&literal);
        }
    }

    /// Takes a block of records, in the columns of the layout. Any order; several threads may call it.
    pub fn org(&self, block: &Block) -> Result<(), ReconcileError> {
        let layout = &self.inputs().layout;
        self.join(block, layout, |found, group, id, row| {
            let index = found.ids.len() as u32;
            found.ids.push(id);
            found.rows.push((0..layout.columns.len()).map(|c| block.cell(row, c)));
            found.before.push(found.head[group as usize]);
            found.head[group as usize] = index;
        })
    }

    /// Takes a block of the second reading, in the columns of [`Inputs::beyond`].
    pub fn beyond(&self, block: &Block) -> Result<(), ReconcileError> {
        let Some(layout) = &self.inputs().beyond else { return Ok(()) };
        self.join(block, layout, |found, group, _, row| {
            let converted = layout.converted.is_some_and(|c| block.cell(row, c) == b"true");
            let seen = &mut found.beyond[group as usize];
            // An unconverted record beyond the scope says more than a converted one, whatever came first.
            if !converted {
                *seen = Beyond::OutOfScope;
            } else if *seen == Beyond::No {
                *seen = Beyond::Converted;
            }
        })
    }

    fn join(
        &self,
        block: &Block,
        layout: &Layout,
        mut each: impl FnMut(&mut Found, u32, RecordId, usize),
    ) -> Result<(), ReconcileError> {
        if block.rows() > 0 && block.columns() != layout.columns.len() {
            return Err(ReconcileError::Columns { asked: layout.columns.len(), found: block.columns() });
        }
        let mut matches = Vec::new();
        let mut key = Vec::new();
        for row in 0..block.rows() {
            key.clear();
            let kind = self.inputs().key.rule.canon(Side::Org, block.cell(row, layout.key), &mut key);
            if kind == Ok(KeyKind::Key)
                && let Some(group) = self.reading.keys.find(&key).filter(|&g| self.wanted(g))
            {
                let text = String::from_utf8_lossy(block.cell(row, 0));
                let id = RecordId::parse(&text)
                    .map_err(|_| ReconcileError::NoId { found: text.chars().take(40).collect() })?;
                matches.push((group, id, row));
            }
        }
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.looked_at += block.rows() as u64;
        for (group, id, row) in matches {
            each(&mut found, group, id, row);
        }
        Ok(())
    }

    /// Records looked at so far.
    pub fn looked_at(&self) -> u64 {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).looked_at
    }

    /// Resolves every row in order, hands the entries to `sink`, and adds up.
    pub fn finish<S: Sink>(self, header: &Header, sink: &mut S) -> Result<Summary, FinishError<S::Error>> {
        let Self { reading, found } = self;
        let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        let digester = PlanDigester::new(&header.line().map_err(FinishError::Encode)?);
        let mut finishing = Finishing {
            reading: &reading,
            found: &found,
            summary: empty(&reading, header),
            by_field: vec![FieldCounts::default(); reading.inputs.fields.len()],
            digester,
            lines: Lines::default(),
            sink,
            forbidden: Forbidden::default(),
        };
        finishing.run()?;
        finishing.close()
    }
}

/// Bytes of lines that are handed on together.
const HANDED_ON: usize = 64 << 10;

/// Why a plan could not be finished.
#[derive(Debug, thiserror::Error)]
pub enum FinishError<E> {
    /// The plan itself.
    #[error(transparent)]
    Reconcile(#[from] ReconcileError),
    /// The sink did not take an entry.
    #[error("the plan could not be kept")]
    Sink(E),
    /// An entry could not be written down.
    #[error("the plan could not be encoded: {0}")]
    Encode(std::io::Error),
}

fn empty(reading: &Reading, header: &Header) -> Summary {
    let mut rows = crate::plan::RowLedger { rows: reading.rows.len() as u64, ..Default::default() };
    for outcome in RowOutcome::ALL {
        rows.outcomes.insert(outcome, 0);
    }
    Summary {
        rows,
        cells: Default::default(),
        matched: 0,
        records: 0,
        records_refused: 0,
        records_by_kind: Default::default(),
        fields: header.fields.iter().map(|f| (f.field.clone(), Default::default())).collect(),
        guards: Vec::new(),
        inputs: Digest::of(b""),
        changes: Digest::of(b""),
    }
}

struct Finishing<'a, S: Sink> {
    reading: &'a Reading,
    found: &'a Found,
    summary: Summary,
    /// By the index of the field; they join the summary at the end.
    by_field: Vec<FieldCounts>,
    digester: PlanDigester,
    /// Entries that were told and not handed on yet.
    lines: Lines,
    sink: &'a mut S,
    forbidden: Forbidden,
}

impl<S: Sink> Finishing<'_, S> {
    fn run(&mut self) -> Result<(), FinishError<S::Error>> {
        let inputs = &self.reading.inputs;
        if matches!(inputs.duplicate_rows, DuplicateRows::Fail) {
            self.forbidden.duplicate_rows = Some(0);
        }
        if inputs.several_records == SeveralRecords::Fail {
            self.forbidden.several_records = Some(0);
        }
        if inputs.fields.iter().any(|f| f.on_bad_value == super::OnBadValue::Fail) {
            self.forbidden.bad_values = Some(0);
        }
        for row in 0..self.reading.rows.len() as u32 {
            let outcome = match self.reading.row_keys[row as usize] {
                RowKey::Blank => self.tell(self.entry(row, RowOutcome::BlankKey))?,
                RowKey::Bad(reason) => {
                    let mut entry = self.entry(row, RowOutcome::BadKey);
                    entry.reason = self.reading.reasons.get(reason as usize).cloned();
                    self.tell(entry)?
                }
                RowKey::Group(group) => self.resolve(row, group)?,
            };
            self.summary.rows.add(outcome);
        }
        Ok(())
    }

    fn entry(&self, row: u32, outcome: RowOutcome) -> Entry {
        let at = row as usize;
        let key = String::from_utf8_lossy(self.reading.rows.cell(at, 0)).into_owned();
        Entry::new(self.reading.numbers[at], self.reading.lines[at], key, outcome)
    }

    fn tell(&mut self, entry: Entry) -> Result<RowOutcome, FinishError<S::Error>> {
        let outcome = entry.outcome;
        self.lines.push(&entry).map_err(FinishError::Encode)?;
        if self.lines.bytes.len() >= HANDED_ON {
            self.hand_on()?;
        }
        Ok(outcome)
    }

    fn hand_on(&mut self) -> Result<(), FinishError<S::Error>> {
        self.digester.update(&self.lines.bytes);
        self.sink.lines(&self.lines).map_err(FinishError::Sink)?;
        self.lines.clear();
        Ok(())
    }

    /// Which of the rows of a group is used.
    fn choose(&self, group: u32) -> Choice {
        let keys = &self.reading.keys;
        let rows = keys.groups[group as usize];
        if rows.rows == 1 {
            return Choice::Row(rows.first);
        }
        match &self.reading.inputs.duplicate_rows {
            DuplicateRows::Skip | DuplicateRows::Fail => Choice::None,
            DuplicateRows::First => Choice::Row(rows.first),
            DuplicateRows::Last => Choice::Row(rows.last),
            DuplicateRows::Newest { rule, .. } => {
                let column = self.reading.inputs.fields.len() + 1;
                newest(keys.rows(group).map(|row| {
                    let mut moment = Vec::new();
                    let read = rule.canon(Side::Report, self.reading.rows.cell(row as usize, column), &mut moment);
                    (row, if read.is_ok() { moment } else { Vec::new() })
                }))
                .map_or(Choice::None, Choice::Row)
            }
        }
    }

    fn resolve(&mut self, row: u32, group: u32) -> Result<RowOutcome, FinishError<S::Error>> {
        let chosen = self.choose(group);
        if !matches!(chosen, Choice::Row(r) if r == row) {
            if let Some(count) = &mut self.forbidden.duplicate_rows {
                *count += 1;
            }
            let mut entry = self.entry(row, RowOutcome::DuplicateKey);
            let others = self.reading.keys.rows(group).filter(|&r| r != row);
            entry.rows = others.take(10).map(|r| self.reading.numbers[r as usize]).collect();
            return self.tell(entry);
        }
        let mut records = self.records(group);
        if records.is_empty() {
            let outcome = match self.found.beyond[group as usize] {
                Beyond::No => RowOutcome::NoRecord,
                Beyond::Converted => RowOutcome::Converted,
                Beyond::OutOfScope => RowOutcome::OutOfScope,
            };
            return self.tell(self.entry(row, outcome));
        }
        let layout = &self.reading.inputs.layout;
        if let Some(column) = layout.converted {
            let first = records[0];
            records.retain(|&r| self.found.rows.cell(r as usize, column) != b"true");
            if records.is_empty() {
                let mut entry = self.entry(row, RowOutcome::Converted);
                entry.record = Some(self.found.ids[first as usize]);
                return self.tell(entry);
            }
        }
        if records.len() > 1 {
            let several = self.reading.inputs.several_records;
            let one = match (several, layout.newest) {
                (SeveralRecords::Newest, Some(column)) => {
                    newest(records.iter().map(|&r| (r, self.found.rows.cell(r as usize, column).to_vec())))
                }
                _ => None,
            };
            if let Some(one) = one {
                records = vec![one];
            } else if several != SeveralRecords::All {
                if let Some(count) = &mut self.forbidden.several_records {
                    *count += 1;
                }
                let mut entry = self.entry(row, RowOutcome::SeveralRecords);
                entry.candidates = records.iter().map(|&r| self.found.ids[r as usize]).collect();
                return self.tell(entry);
            }
        }
        self.judge_all(row, &records)
    }

    /// The records of a group, once each, by id.
    fn records(&self, group: u32) -> Vec<u32> {
        let some = |record: u32| Some(record).filter(|&r| r != NONE);
        let head = some(self.found.head[group as usize]);
        let mut records: Vec<u32> = std::iter::successors(head, |&r| some(self.found.before[r as usize])).collect();
        if records.len() > 1 {
            let cells = |r: u32| {
                (0..self.reading.inputs.layout.columns.len()).map(move |c| self.found.rows.cell(r as usize, c))
            };
            records.sort_by(|&a, &b| cells(a).cmp(cells(b)));
            records.dedup_by_key(|r| self.found.ids[*r as usize]);
        }
        records
    }

    fn judge_all(&mut self, row: u32, records: &[u32]) -> Result<RowOutcome, FinishError<S::Error>> {
        let mut end = RowOutcome::Unchanged;
        for &record in records {
            let mut entry = self.entry(row, RowOutcome::Unchanged);
            entry.record = Some(self.found.ids[record as usize]);
            let inputs = &self.reading.inputs;
            judge(
                &inputs.fields,
                Pair {
                    report: |i| self.reading.rows.cell(row as usize, i + 1),
                    org: |i| self.found.rows.cell(record as usize, inputs.layout.fields[i]),
                    currency: inputs.layout.currency.map(|c| self.found.rows.cell(record as usize, c)),
                },
                &mut entry,
                &mut Tally { summary: &mut self.summary, fields: &mut self.by_field, forbidden: &mut self.forbidden },
            );
            // Several records of one row: planned if any is; refused if any is and none is planned.
            end = match (end, entry.outcome) {
                (RowOutcome::Planned, _) | (_, RowOutcome::Planned) => RowOutcome::Planned,
                (RowOutcome::Refused, _) | (_, RowOutcome::Refused) => RowOutcome::Refused,
                _ => RowOutcome::Unchanged,
            };
            if entry.outcome != RowOutcome::Unchanged {
                self.tell(entry)?;
            }
        }
        Ok(end)
    }

    fn close(mut self) -> Result<Summary, FinishError<S::Error>> {
        self.hand_on()?;
        let Self { reading, mut summary, by_field, digester, forbidden, .. } = self;
        for (field, counts) in reading.inputs.fields.iter().zip(by_field) {
            summary.fields.insert(field.name.clone(), counts);
        }
        summary.guards = reading.inputs.guards.judge(&summary, forbidden);
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

/// The one with the greatest moment; none where the greatest is shared or nothing can be read.
fn newest(all: impl Iterator<Item = (u32, Vec<u8>)>) -> Option<u32> {
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
