//! Cells as a run wrote them, held against the records of now.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::model::{FieldName, FieldType, Object, RecordId};
use crate::render::runs::DriftCell;
use crate::runlog::values::{Head, RecordValues};
use crate::salesforce::{Client, SalesforceError};
use crate::undo::{canonical, holds};

/// Records read at once.
pub const AT_ONCE: usize = 2_000;
/// Cells kept to be shown to a person.
const SHOWN: usize = 20;

/// What a run wrote, by record.
pub type Written = HashMap<RecordId, Wrote>;

/// What a run wrote into a record.
pub struct Wrote {
    /// The fields.
    pub fields: Vec<FieldName>,
    /// Is it known that it was written? Otherwise the answer was lost: what holds something else may never have been.
    pub certain: bool,
}

/// What differs.
#[derive(Default)]
pub struct Cells {
    /// Records with a field that differs.
    pub records: BTreeSet<RecordId>,
    /// Records by field.
    pub fields: BTreeMap<FieldName, Vec<RecordId>>,
    /// Records that are not there, or cannot be seen.
    pub gone: u64,
    /// Cells of which it is not known what was written, or whether it was.
    pub unknown: u64,
    /// The first cells, with their values.
    pub shown: Vec<DriftCell>,
}

impl Cells {
    /// A cell that differs.
    pub fn differs(&mut self, record: RecordId, field: FieldName, wrote: Option<Option<String>>, now: Option<String>) {
        self.records.insert(record);
        if self.shown.len() < SHOWN {
            let (record, field) = (record.as_str().to_owned(), field.as_str().to_owned());
            self.shown.push(DriftCell { record, field, wrote, now });
        }
        self.fields.entry(field).or_default().push(record);
    }

    /// Reads these records and holds each against what was written; with whether it is known that it was. The fields are those of the kept values: a run's
    /// outcomes may name fewer where another machine had to write them.
    ///
    /// # Errors
    /// Whatever Salesforce or the network says.
    pub async fn compare(
        &mut self,
        client: &Client,
        object: &Object,
        head: &Head,
        written: &[(RecordValues, bool)],
    ) -> Result<(), SalesforceError> {
        // A field that was deleted or hidden since cannot be read.
        let known: Vec<(&FieldName, &FieldType)> =
            head.fields.iter().filter(|(field, _)| object.field(field).is_some()).collect();
        let mut columns = vec!["Id".to_owned()];
        columns.extend(known.iter().map(|(field, _)| field.as_str().to_owned()));
        let ids: Vec<RecordId> = written.iter().map(|(record, _)| record.id).collect();
        let mut rows: HashMap<RecordId, Vec<Vec<u8>>> = HashMap::new();
        for block in client.read(&object.name, &ids, &columns).await? {
            for row in 0..block.rows() {
                let id = std::str::from_utf8(block.cell(row, 0)).ok().and_then(|id| RecordId::parse(id).ok());
                if let Some(id) = id {
                    rows.insert(id, (1..columns.len()).map(|column| block.cell(row, column).to_vec()).collect());
                }
            }
        }
        for (record, certain) in written {
            let Some(cells) = rows.get(&record.id) else {
                self.gone += 1;
                continue;
            };
            for field in record.before.keys() {
                let Some(place) = known.iter().position(|(known, _)| *known == field) else {
                    self.unknown += 1;
                    continue;
                };
                let now = canonical(known[place].1, &cells[place]);
                match holds(record, &head.salt, field, known[place].1, now.as_deref()) {
                    Some(true) => {}
                    Some(false) if *certain => {
                        let wrote = record.after.as_ref().and_then(|after| after.get(field).cloned());
                        self.differs(record.id, field.clone(), wrote, now);
                    }
                    _ => self.unknown += 1,
                }
            }
        }
        Ok(())
    }
}
