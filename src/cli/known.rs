//! Known failures of one integration: which hold today, which are over, and which were not met.

use std::collections::{BTreeSet, HashMap};

use jiff::tz::TimeZone;

use super::ground::{Place, Target};
use crate::model::{FieldName, RecordId};
use crate::plan::Plan;
use crate::reconcile::{Inputs, KNOWN_FAILURE};

/// Those that hold.
pub struct Known {
    /// By record, the index of the field and what to say of it.
    pub cells: HashMap<RecordId, Vec<(usize, String)>>,
    names: BTreeSet<(RecordId, FieldName)>,
}

/// The known failures of the fields that an integration writes. Those that are over are told, and their cells are sent again.
pub fn of(place: &Place<'_>, _target: Target<'_>, inputs: &Inputs, warnings: &mut Vec<String>) -> Known {
    let today = place.world.now().to_zoned(TimeZone::UTC).date();
    let mut known = Known { cells: HashMap::new(), names: BTreeSet::new() };
    for failure in &place.repository.known_failures {
        let Some(at) = inputs.fields.iter().position(|f| f.name == failure.field) else { continue };
        if failure.until < today {
            warnings.push(format!(
                "the known failure of {} of {} is over since {}: it is sent again; delete the entry, or give it a new date",
                failure.field, failure.record, failure.until
            ));
            continue;
        }
        let words = format!("known to fail until {} ({}): {}", failure.until, failure.error, failure.reason);
        known.cells.entry(failure.record).or_default().push((at, words));
        known.names.insert((failure.record, failure.field.clone()));
    }
    known
}

impl Known {
    /// What to say of those that the plan did not meet.
    pub fn unmet(&self, plan: &Plan) -> Vec<String> {
        if self.names.is_empty() {
            return Vec::new();
        }
        let mut left = self.names.clone();
        for entry in plan.refused().map_while(Result::ok) {
            let Some(record) = entry.record else { continue };
            for cell in entry.refused.iter().filter(|cell| cell.code == KNOWN_FAILURE) {
                left.remove(&(record, cell.field.clone()));
            }
        }
        let words = |(record, field): (RecordId, FieldName)| {
            format!(
                "the known failure of {field} of {record} was not met: the record agrees with the report, or is not in it; delete the entry if it is mended"
            )
        };
        left.into_iter().map(words).collect()
    }
}
