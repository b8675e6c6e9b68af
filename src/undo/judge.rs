//! One record: what the run found and wrote, against what stands there now. Every cell ends somewhere.

use std::collections::BTreeMap;

use super::fields::Target;
use super::held::{canonical, holds, settled};
use crate::model::{Digest, FieldName};
use crate::plan::{
    CellChange, CellLedger, ChangeKind, Entry, FieldCounts, Lines, RefusedCell, RowLedger, RowOutcome, Summary,
};
use crate::runlog::values::RecordValues;

/// The code of a cell that is left alone since somebody changed it after the run.
pub const CHANGED_SINCE: &str = "changed_since";

/// A record as it is now.
#[derive(Debug, Clone, Copy)]
pub struct Now<'a> {
    /// Its cells, in the order of the readable targets.
    pub cells: &'a [&'a [u8]],
    /// When it was last changed, and by whom; empty where that is not known.
    pub modified: &'a str,
    /// The id of the user.
    pub by: &'a str,
}

/// Takes the records of a run, in the order of its values.
pub struct Undoing {
    targets: Vec<Target>,
    salt: String,
    column: String,
    rows: RowLedger,
    cells: CellLedger,
    matched: u64,
    records: u64,
    records_refused: u64,
    by_kind: BTreeMap<ChangeKind, u64>,
    fields: BTreeMap<FieldName, FieldCounts>,
    changed_since: u64,
}

impl Undoing {
    /// For a run whose values have this salt. `column` is what stands where a report's column would.
    pub fn new(targets: Vec<Target>, salt: &str, column: &str) -> Self {
        let mut rows = RowLedger::default();
        RowOutcome::ALL.iter().for_each(|o| _ = rows.outcomes.insert(*o, 0));
        Self {
            fields: targets.iter().map(|t| (t.name.clone(), FieldCounts::default())).collect(),
            targets,
            salt: salt.to_owned(),
            column: column.to_owned(),
            rows,
            cells: CellLedger::default(),
            matched: 0,
            records: 0,
            records_refused: 0,
            by_kind: BTreeMap::new(),
            changed_since: 0,
        }
    }

    /// The next record that the run updated; `None` for one that is gone. What is to be said of it goes to `lines`.
    ///
    /// # Errors
    /// The encoder's, which a sound entry never meets.
    pub fn record(&mut self, values: &RecordValues, now: Option<Now<'_>>, lines: &mut Lines) -> std::io::Result<()> {
        self.rows.rows += 1;
        let mut entry = Entry::new(values.row, 0, values.id.as_str().to_owned(), RowOutcome::Unchanged);
        entry.record = Some(values.id);
        match now {
            None => entry.outcome = RowOutcome::NoRecord,
            Some(now) => self.cells(values, now, &mut entry),
        }
        self.rows.add(entry.outcome);
        if entry.outcome == RowOutcome::Unchanged { Ok(()) } else { lines.push(&entry) }
    }

    fn cells(&mut self, values: &RecordValues, now: Now<'_>, entry: &mut Entry) {
        self.matched += 1;
        let mut barred = false;
        let readable: Vec<usize> = (0..self.targets.len()).filter(|at| self.targets[*at].readable()).collect();
        for (field, before) in &values.before {
            let Some(at) = self.targets.iter().position(|t| t.name == *field) else { continue };
            let target = &self.targets[at];
            let counts = self.fields.entry(target.name.clone()).or_default();
            self.cells.cells += 1;
            let slot = readable.iter().position(|r| *r == at);
            let raw = slot.and_then(|slot| now.cells.get(slot).copied()).unwrap_or_default();
            let found = canonical(&target.field_type, raw);
            let found = found.as_deref();
            let refuse = |code: &str, message: String, hint: Option<String>| RefusedCell {
                field: target.name.clone(),
                column: self.column.clone(),
                value: before.clone().unwrap_or_default(),
                code: code.to_owned(),
                message,
                hint,
            };
            let blank = |value: &Option<String>| settled(&target.field_type, value.as_deref()).map(str::to_owned);
            if target.readable() && found == blank(before).as_deref() {
                self.cells.same += 1;
                counts.same += 1;
                continue;
            }
            let refused = if let Some(bar) = target.bar(before.as_deref()) {
                barred = true;
                refuse(bar.code, bar.message, Some(bar.hint))
            } else if holds(values, &self.salt, field, &target.field_type, found) == Some(true) {
                let kind = match (found, before.as_deref()) {
                    (_, None) => ChangeKind::Clear,
                    (None, _) => ChangeKind::Fill,
                    _ => ChangeKind::Overwrite,
                };
                self.cells.change += 1;
                *counts.changes.entry(kind).or_insert(0) += 1;
                let (before, after) = (found.map(str::to_owned), blank(before));
                entry.cells.push(CellChange { field: target.name.clone(), kind, before, after, note: None });
                continue;
            } else {
                self.changed_since += 1;
                refuse(
                    CHANGED_SINCE,
                    since(now),
                    Some("Look at the record, and set the field by hand if it is to go back.".to_owned()),
                )
            };
            self.cells.refused += 1;
            *counts.refused.entry(refused.code.clone()).or_insert(0) += 1;
            entry.refused.push(refused);
        }
        // What somebody changed since is no fault of the plan's: the guard on refusals counts the others.
        self.records_refused += u64::from(barred);
        if !entry.cells.is_empty() {
            entry.outcome = RowOutcome::Planned;
            self.records += 1;
            for kind in ChangeKind::ALL {
                *self.by_kind.entry(kind).or_insert(0) += u64::from(entry.cells.iter().any(|c| c.kind == kind));
            }
        } else if !entry.refused.is_empty() {
            entry.outcome = RowOutcome::Refused;
        }
    }

    /// Cells that somebody changed since the run.
    pub fn changed_since(&self) -> u64 {
        self.changed_since
    }

    /// The counts, without guards and digests.
    pub fn finish(mut self) -> Summary {
        self.by_kind.retain(|_, count| *count > 0);
        let nothing = || Digest::of(b"");
        Summary {
            rows: self.rows,
            cells: self.cells,
            matched: self.matched,
            records: self.records,
            records_refused: self.records_refused,
            records_by_kind: self.by_kind,
            fields: self.fields,
            guards: Vec::new(),
            inputs: nothing(),
            changes: nothing(),
        }
    }
}

fn since(now: Now<'_>) -> String {
    let by = if now.by.is_empty() { String::new() } else { format!(" by {}", now.by) };
    let at = if now.modified.is_empty() {
        String::new()
    } else {
        format!(" (the record was last changed {}{by})", now.modified)
    };
    format!("left alone: it no longer holds what the run wrote, so somebody changed it since{at}")
}
