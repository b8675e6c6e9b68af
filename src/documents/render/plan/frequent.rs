//! The changes of one value to one other that occur most, counted while the entries go by.

use hashbrown::{Equivalent, HashMap};

use super::build::Sight;
use super::view::CommonChange;
use crate::plan::{ChangeKind, Entry, RowOutcome};

/// Changes that are told.
const MOST: usize = 10;
/// A field with so many different changes has no common one.
const DISTINCT: usize = 2000;
/// Longer values are not counted, in bytes.
const LONGEST: usize = 60;

/// Before and after.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Pair(Option<String>, Option<String>);

/// The same, borrowed.
#[derive(Hash)]
struct Seen<'a>(&'a Option<String>, &'a Option<String>);

impl Equivalent<Pair> for Seen<'_> {
    fn equivalent(&self, pair: &Pair) -> bool {
        (self.0, self.1) == (&pair.0, &pair.1)
    }
}

/// Counts of one field; `None` once it has too many different ones.
type Counts = Option<HashMap<Pair, (ChangeKind, u64)>>;

/// Counts by field and change.
#[derive(Debug, Default)]
pub(super) struct Frequent(HashMap<String, Counts>);

impl Frequent {
    /// Counts the changes of a planned entry whose values may be seen.
    pub(super) fn entry(&mut self, entry: &Entry, sight: &Sight) {
        if entry.outcome != RowOutcome::Planned {
            return;
        }
        for cell in &entry.cells {
            let field = cell.field.as_str();
            let long = |v: &Option<String>| v.as_ref().is_some_and(|v| v.len() > LONGEST);
            if long(&cell.before) || long(&cell.after) || matches!(self.0.get(field), Some(None)) {
                continue;
            }
            if !sight.change(cell, entry) {
                continue;
            }
            let counts = self.0.entry_ref(field).or_insert_with(|| Some(HashMap::new()));
            let Some(known) = counts else { continue };
            if let Some((_, count)) = known.get_mut(&Seen(&cell.before, &cell.after)) {
                *count += 1;
            } else if known.len() + 1 >= DISTINCT {
                *counts = None;
            } else {
                known.insert(Pair(cell.before.clone(), cell.after.clone()), (cell.kind, 1));
            }
        }
    }

    /// The ten that occur most, of a plan of so many records.
    pub(super) fn most(&self, records: u64) -> Vec<CommonChange> {
        let least = (records / 20).max(3);
        let mut common: Vec<CommonChange> = Vec::new();
        for (field, counts) in &self.0 {
            let often = counts.iter().flatten().filter(|(_, (_, count))| *count >= least);
            common.extend(often.map(|(Pair(before, after), (kind, count))| CommonChange {
                field: field.clone(),
                kind: *kind,
                before: before.clone(),
                after: after.clone(),
                count: *count,
            }));
        }
        common.sort_by(|a, b| (b.count, &a.field, &a.before, &a.after).cmp(&(a.count, &b.field, &b.before, &b.after)));
        common.truncate(MOST);
        common
    }
}
