//! What becomes of each report row when all records are in: its outcome, its line, its counts. Rows resolve one by one, in any parts, on any thread.

use std::ops::Range;

use super::found::{Beyond, Head, Record, Sealed, What};
use super::judge::{Judged, Openings, Pair, judge};
use super::near;
use super::packed::unpack;
use super::report::{Report, RowState, newest};
use super::scratch::Scratch;
use super::tally::Tally;
use super::{Inputs, ReconcileError, SeveralRecords};
use crate::model::RecordId;
use crate::plan::{ChangeKind, LineBuilder, Lines, Opening, RowOutcome};

/// Rows that are looked up together.
const BATCH: usize = 16;

/// Resolves rows of one report, or of one partition.
pub(super) struct Resolver<'a> {
    report: &'a Report,
    found: &'a Sealed,
    scratch: Option<&'a Scratch>,
    pub(super) tally: Tally,
    pub(super) lines: Lines,
    /// Of each line: the number of its row.
    pub(super) numbers: Vec<u64>,
    /// Cells of a record that lie on disk.
    read: Vec<u8>,
    /// Rows in hand that do not simply agree.
    others: Vec<u32>,
    /// Of the record in hand.
    judged: Judged,
    /// By the index of the field.
    openings: Vec<Openings>,
}

/// A record that may be used, by its index.
type Candidate = (u32, Record);

impl<'a> Resolver<'a> {
    pub(super) fn new(report: &'a Report, found: &'a Sealed, scratch: Option<&'a Scratch>) -> Self {
        let fields = report.shared.inputs.fields.iter();
        Self {
            report,
            found,
            scratch,
            tally: Tally::new(&report.shared.inputs),
            lines: Lines::default(),
            numbers: Vec::new(),
            read: Vec::new(),
            others: Vec::new(),
            judged: Judged::default(),
            openings: fields.map(|field| ChangeKind::ALL.map(|kind| Opening::new(&field.name, kind))).collect(),
        }
    }

    fn inputs(&self) -> &'a Inputs {
        &self.report.shared.inputs
    }

    /// Resolves these rows, in order.
    pub(super) fn rows(&mut self, rows: Range<u32>) -> Result<(), ReconcileError> {
        // Most rows agree, and leave no line. The others wait for memory: together.
        let mut others = std::mem::take(&mut self.others);
        others.clear();
        others.resize(rows.len(), 0);
        let each = self.report.states(rows.clone()).iter().zip(self.found.agreeing(rows.clone()));
        let mut count = 0;
        // Every row is written down, and the next one in its place where it agrees.
        for (row, (state, agrees)) in rows.clone().zip(each) {
            others[count] = row;
            count += usize::from(!(agrees & (*state == RowState::Only)));
        }
        others.truncate(count);
        let agreeing = (rows.len() - others.len()) as u64;
        self.tally.agreeing += agreeing;
        self.tally.row(RowOutcome::Unchanged, agreeing);
        // While some resolve, the cells of the next ones are asked for, and rows and records of those behind them.
        let (mut first, mut second) = (&[][..], &[][..]);
        for third in others.chunks(BATCH).chain([&[][..]; 2]) {
            for &row in third {
                near::bring_row(self.report.row(row));
                self.found.bring(row);
            }
            second.iter().for_each(|&row| self.found.bring_cells(row));
            self.some(first)?;
            (first, second) = (second, third);
        }
        self.others = others;
        Ok(())
    }

    fn some(&mut self, rows: &[u32]) -> Result<(), ReconcileError> {
        for &row in rows {
            let outcome = match self.report.state(row) {
                RowState::Blank => self.tell(row, RowOutcome::BlankKey, |line| line),
                RowState::Bad => {
                    let reason = self.report.cells(row).nth(1).unwrap_or_default();
                    self.tell(row, RowOutcome::BadKey, |line| line.reason(&String::from_utf8_lossy(reason)))
                }
                RowState::Member if self.report.chosen(row) != Some(row) => self.duplicate(row),
                RowState::Only | RowState::Member => match self.found.head(row) {
                    Head::Agrees => {
                        self.tally.agreeing += 1;
                        RowOutcome::Unchanged
                    }
                    Head::None(Beyond::No) => self.tell(row, RowOutcome::NoRecord, |line| line),
                    Head::None(Beyond::Converted) => self.tell(row, RowOutcome::Converted, |line| line),
                    Head::None(Beyond::OutOfScope) => self.tell(row, RowOutcome::OutOfScope, |line| line),
                    Head::Some(head) => self.matched(row, head)?,
                },
            };
            self.tally.row(outcome, 1);
        }
        Ok(())
    }

    fn tell(
        &mut self,
        row: u32,
        outcome: RowOutcome,
        parts: impl for<'l> FnOnce(LineBuilder<'l>) -> LineBuilder<'l>,
    ) -> RowOutcome {
        let mut cells = self.report.cells(row);
        let key = cells.next().unwrap_or_default();
        let (number, line) = cells.place();
        parts(self.lines.begin(number, line, key, outcome)).end();
        self.numbers.push(number);
        outcome
    }

    fn duplicate(&mut self, row: u32) -> RowOutcome {
        if let Some(count) = &mut self.tally.forbidden.duplicate_rows {
            *count += 1;
        }
        let others = self.report.sharing(row).iter().filter(|&&r| r != row).take(10);
        let rows: Vec<u64> = others.map(|&r| self.report.cells(r).place().0).collect();
        self.tell(row, RowOutcome::DuplicateKey, |line| line.rows(&rows))
    }

    /// A row that has records, but for one that agrees alone.
    fn matched(&mut self, row: u32, head: u32) -> Result<RowOutcome, ReconcileError> {
        // Nearly all of them.
        if let Some(only) = self.found.only(head).filter(|(_, record)| record.what() != What::Converted) {
            return self.judge(row, &only);
        }
        let mut records = self.records(head)?;
        let first = records.first().and_then(|(_, record)| record.id().full());
        records.retain(|(_, record)| record.what() != What::Converted);
        if records.is_empty() {
            return Ok(self.tell(row, RowOutcome::Converted, |line| match &first {
                Some(id) => line.record(id),
                None => line,
            }));
        }
        if records.len() > 1 {
            let several = self.inputs().several_records;
            if let Some(one) = self.newest(&records)? {
                records = vec![one];
            } else if several != SeveralRecords::All {
                if let Some(count) = &mut self.tally.forbidden.several_records {
                    *count += 1;
                }
                let ids: Vec<RecordId> = records.iter().filter_map(|(_, record)| record.id().full()).collect();
                return Ok(self.tell(row, RowOutcome::SeveralRecords, |line| line.candidates(&ids)));
            }
        }
        let mut end = RowOutcome::Unchanged;
        for record in &records {
            // Several records of one row: planned if any is; refused if any is and none is planned.
            end = match (end, self.judge(row, record)?) {
                (RowOutcome::Planned, _) | (_, RowOutcome::Planned) => RowOutcome::Planned,
                (RowOutcome::Refused, _) | (_, RowOutcome::Refused) => RowOutcome::Refused,
                _ => RowOutcome::Unchanged,
            };
        }
        Ok(end)
    }

    /// The records from a head on, once each, by id. Of two versions of one record the same one counts, whatever came first: converted before
    /// differing before agreeing, then by which cells differ, and by these.
    fn records(&mut self, head: u32) -> Result<Vec<Candidate>, ReconcileError> {
        let mut records: Vec<Candidate> = self.found.records(head).collect();
        if records.len() == 1 {
            return Ok(records);
        }
        records.sort_by_key(|(_, record)| (record.id(), record.what()));
        let versions = |a: &Candidate, b: &Candidate| (a.1.id(), a.1.what()) == (b.1.id(), b.1.what());
        if records.windows(2).any(|pair| versions(&pair[0], &pair[1])) {
            let mut with_cells = Vec::new();
            for record in records {
                let (cells, differing) = self.found.cells(record, self.scratch, &mut self.read)?;
                let columns: Vec<_> = unpack(cells).1.map(<[u8]>::to_vec).collect();
                with_cells.push((record.1.id(), record.1.what(), differing, columns, record));
            }
            with_cells.sort_by(|a, b| (a.0, a.1, a.2, &a.3).cmp(&(b.0, b.1, b.2, &b.3)));
            records = with_cells.into_iter().map(|(.., record)| record).collect();
        }
        records.dedup_by_key(|(_, record)| record.id());
        Ok(records)
    }

    fn newest(&mut self, records: &[Candidate]) -> Result<Option<Candidate>, ReconcileError> {
        let Some(column) = self.inputs().layout.newest else { return Ok(None) };
        if self.inputs().several_records != SeveralRecords::Newest {
            return Ok(None);
        }
        let mut moments = Vec::new();
        for (at, record) in records.iter().enumerate() {
            let (cells, _) = self.found.cells(*record, self.scratch, &mut self.read)?;
            let moment = column.checked_sub(1).and_then(|column| unpack(cells).1.nth(column));
            moments.push((at as u32, moment.unwrap_or_default().to_vec()));
        }
        Ok(newest(moments.into_iter()).and_then(|at| records.get(at as usize).copied()))
    }

    fn judge(&mut self, row: u32, &(index, record): &Candidate) -> Result<RowOutcome, ReconcileError> {
        if record.what() == What::Agrees {
            self.tally.agreeing += 1;
            return Ok(RowOutcome::Unchanged);
        }
        let inputs = self.inputs();
        let (stored, differing) = self.found.cells((index, record), self.scratch, &mut self.read)?;
        let id = record.id().full();
        let known = match id {
            Some(id) if !inputs.known.is_empty() => inputs.known.get(&id).map_or(&[][..], Vec::as_slice),
            _ => &[],
        };
        let (report, stored) = (self.report.fields(row), unpack(stored).1);
        let pair = Pair { report, stored, layout: &inputs.layout, differing, known };
        judge(&inputs.fields, &pair, &mut self.tally, &mut self.judged);
        let outcome = self.judged.outcome();
        if outcome != RowOutcome::Unchanged {
            let (judged, openings) = (std::mem::take(&mut self.judged), std::mem::take(&mut self.openings));
            self.tell(row, outcome, |mut line| {
                if let Some(id) = &id {
                    line = line.record(id);
                }
                line.cells(judged.changed(&openings)).refused(&judged.refused)
            });
            (self.judged, self.openings) = (judged, openings);
        }
        Ok(outcome)
    }
}
