//! A record as it is, held against what was planned for it: still as planned from, already as planned, or something else.

use super::org::{RecordUpdate, Rows};
use crate::model::{FieldName, FieldType, RecordId};
use crate::plan::{CellChange, FileProblem, Plan};
use crate::values::{self, NotForBulk};

/// How a record stands to its plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// Every planned field holds what was planned from.
    Before,
    /// Every planned field holds the planned value: these.
    After(Vec<FieldName>),
    /// These fields no longer hold what was planned from.
    Other(Vec<FieldName>),
    /// The record was not found.
    Gone,
}

/// A planned record in memory, for as long as it is read or written.
pub(super) struct Target {
    record: RecordId,
    cells: Vec<CellChange>,
    /// The places of its cells among the fields that are read.
    slots: Vec<usize>,
}

/// What is planned, made ready for reading and writing: an id and a place a record. What a record's cells are is read from the plan when it is wanted.
pub(super) struct Targets<'p> {
    plan: &'p Plan,
    /// The fields that some record writes, in the order of the mapping.
    pub(super) fields: Vec<FieldName>,
    types: Vec<&'p FieldType>,
    records: Vec<RecordId>,
    places: Vec<u64>,
}

impl<'p> Targets<'p> {
    /// Of a sound plan ([`Plan::broken`]): entries without a record or of unmapped fields are left out, which the ledger then tells.
    pub(super) fn of(plan: &'p Plan) -> Result<Self, FileProblem> {
        let heads = &plan.header.fields;
        let mut used = vec![false; heads.len()];
        let most = usize::try_from(plan.summary.records).unwrap_or(0).min(plan.len());
        let (mut records, mut places) = (Vec::with_capacity(most), Vec::with_capacity(most));
        for found in plan.planned_places() {
            let (place, entry) = found?;
            let Some(record) = entry.record else { continue };
            let of = |c: &CellChange| heads.iter().position(|h| h.field == c.field);
            let Some(slots) = entry.cells.iter().map(of).collect::<Option<Vec<_>>>() else { continue };
            slots.into_iter().for_each(|slot| used[slot] = true);
            records.push(record);
            places.push(place);
        }
        let used: Vec<_> = heads.iter().zip(used).filter_map(|(head, used)| used.then_some(head)).collect();
        Ok(Self {
            plan,
            fields: used.iter().map(|h| h.field.clone()).collect(),
            types: used.iter().map(|h| &h.field_type).collect(),
            records,
            places,
        })
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// The record of a target.
    pub(super) fn record(&self, index: usize) -> RecordId {
        self.records[index]
    }

    /// The records of these targets.
    pub(super) fn ids(&self, indexes: impl IntoIterator<Item = usize>) -> Vec<RecordId> {
        indexes.into_iter().map(|index| self.records[index]).collect()
    }

    /// The planned cells of a target.
    pub(super) fn cells(&self, index: usize) -> Result<Vec<CellChange>, FileProblem> {
        self.load(index).map(|target| target.cells)
    }

    /// A stored value of a field in its canonical form; one that its own type does not allow stays as it is.
    pub(super) fn canonical(&self, slot: usize, raw: &[u8]) -> Vec<u8> {
        canonical(self.types[slot], raw, &mut Vec::new()).to_vec()
    }

    /// A planned value of a field in the same form.
    pub(super) fn meant(&self, slot: usize, planned: Option<&str>) -> Vec<u8> {
        settled(self.types[slot], planned.map(str::as_bytes)).to_vec()
    }

    /// Reads a target from the plan.
    pub(super) fn load(&self, index: usize) -> Result<Target, FileProblem> {
        let cells = self.plan.cells_at(self.places[index])?;
        // Every one of them was found when the targets were made.
        let slots = cells.iter().filter_map(|c| self.fields.iter().position(|f| *f == c.field)).collect();
        Ok(Target { record: self.records[index], cells, slots })
    }

    /// Holds one record against its plan, by the canonical form of each field's type.
    pub(super) fn standing(&self, index: usize, rows: &Rows) -> Result<Standing, FileProblem> {
        self.load(index).map(|target| self.stands(&target, rows))
    }

    /// The same of one that was loaded.
    pub(super) fn stands(&self, target: &Target, rows: &Rows) -> Standing {
        let Some(row) = rows.get(&target.record) else { return Standing::Gone };
        let (mut other, mut after) = (Vec::new(), true);
        let mut buffer = Vec::new();
        for (cell, &slot) in target.cells.iter().zip(&target.slots) {
            let field_type = self.types[slot];
            let raw = row.get(slot).unwrap_or_default();
            let found = canonical(field_type, raw, &mut buffer);
            let is = |planned: &Option<String>| settled(field_type, planned.as_deref().map(str::as_bytes)) == found;
            if !is(&cell.before) {
                other.push(cell.field.clone());
            }
            after &= is(&cell.after);
        }
        match (other.is_empty(), after) {
            (true, _) => Standing::Before,
            (_, true) => Standing::After(target.cells.iter().map(|c| c.field.clone()).collect()),
            _ => Standing::Other(other),
        }
    }

    /// What is sent for one record: the cells that change and no others.
    pub(super) fn update(&self, index: usize) -> Result<RecordUpdate, FileProblem> {
        let target = self.load(index)?;
        let mut members = Vec::new();
        for (cell, &slot) in target.cells.iter().zip(&target.slots) {
            if !members.is_empty() {
                members.push(b',');
            }
            members.push(b'"');
            // API names are letters, digits and underscores; anything else must not break out of the string.
            members.extend(cell.field.as_str().bytes().filter(|b| b.is_ascii_alphanumeric() || *b == b'_'));
            members.extend_from_slice(b"\":");
            match settled(self.types[slot], cell.after.as_deref().map(str::as_bytes)) {
                [] => members.extend_from_slice(b"null"),
                value => values::write_json(self.types[slot], value, &mut members),
            }
        }
        Ok(RecordUpdate { id: target.record, members })
    }
}

/// The longest line of a job's CSV, in characters (Bulk API 2.0 limits).
const LONGEST_LINE: usize = 400_000;

impl Targets<'_> {
    /// The header of a job's CSV: `Id`, then every field that some record writes.
    pub(super) fn csv_header(&self) -> Vec<u8> {
        let mut header = b"Id".to_vec();
        for field in &self.fields {
            header.push(b',');
            header.extend(field.as_str().bytes().filter(|b| b.is_ascii_alphanumeric() || *b == b'_'));
        }
        header.push(b'\n');
        header
    }

    /// One record's line of it. A cell that does not change is empty, which Salesforce passes over; one that is cleared is `#N/A`.
    ///
    /// # Errors
    /// Bulk CSV cannot carry a value, or so many of them: nothing was appended.
    pub(super) fn csv(&self, target: &Target, out: &mut Vec<u8>) -> Result<(), NotForBulk> {
        let start = out.len();
        out.extend_from_slice(target.record.as_str().as_bytes());
        for (slot, field_type) in self.types.iter().enumerate() {
            out.push(b',');
            let Some(place) = target.slots.iter().position(|s| *s == slot) else { continue };
            let after = target.cells[place].after.as_deref().map(str::as_bytes);
            if let Err(problem) = values::write_bulk_csv(field_type, settled(field_type, after), out) {
                out.truncate(start);
                return Err(problem);
            }
        }
        if out.len() - start > LONGEST_LINE {
            out.truncate(start);
            return Err(NotForBulk::TooLong);
        }
        out.push(b'\n');
        Ok(())
    }
}

/// A stored value in the canonical form of its field's type; one that its own type does not allow stays as it is.
pub(super) fn canonical<'b>(field_type: &FieldType, raw: &[u8], buffer: &'b mut Vec<u8>) -> &'b [u8] {
    buffer.clear();
    if !raw.is_empty() && values::canon_org(field_type, raw, buffer).is_err() {
        buffer.clear();
        buffer.extend_from_slice(raw);
    }
    settled(field_type, Some(buffer))
}

/// Blank as an empty value; a checkbox has no blank, so that its blank is false.
pub(super) fn settled<'v>(field_type: &FieldType, value: Option<&'v [u8]>) -> &'v [u8] {
    match value {
        None | Some([]) if *field_type == FieldType::Boolean => b"false",
        None => b"",
        Some(value) => value,
    }
}
