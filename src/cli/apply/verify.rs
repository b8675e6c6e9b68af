//! A second look after writing: `--canary` by reading the first records back, `--verify` by planning again.

use std::collections::BTreeMap;

use crate::apply::{CanaryLook, Contrast, End, Outcomes};
use crate::cli::connect::Purpose;
use crate::cli::ground::{Place, Target};
use crate::model::{FieldName, RecordId};
use crate::net::Budget;
use crate::plan::Plan;
use crate::runlog::{Difference, FieldDifference, SecondLook};

/// Plans again and says which of the updated records would change again. What cannot be planned is told, and counts as every record differing.
pub async fn again(
    place: &Place<'_>,
    target: Target<'_>,
    plan: &Plan,
    outcomes: &Outcomes,
    budget: Budget,
) -> SecondLook {
    let world = place.world;
    let mut updated: Vec<RecordId> = Vec::new();
    for (at, entry) in plan.planned().enumerate() {
        let Ok(entry) = entry else { break };
        if outcomes.ends.get(at) == Some(&End::Updated) {
            updated.extend(entry.record);
        }
    }
    updated.sort_unstable();
    let records = updated.len() as u64;
    world.say("planning again, to verify");
    let planned = match place.plan(target, Purpose::Apply, budget, &mut ()).await {
        Ok(planned) => planned.plan,
        Err(failure) => {
            crate::cli::tell(world, &failure);
            return SecondLook { records, differ: records, fields: Vec::new() };
        }
    };
    let mut fields: BTreeMap<FieldName, u64> = BTreeMap::new();
    let mut differ = 0;
    for entry in planned.planned().map_while(Result::ok) {
        if entry.record.is_some_and(|id| updated.binary_search(&id).is_ok()) {
            differ += 1;
            entry.cells.iter().for_each(|cell| *fields.entry(cell.field.clone()).or_insert(0) += 1);
        }
    }
    let fields = fields
        .into_iter()
        .map(|(field, records)| FieldDifference { field, difference: Difference::WouldChange, records })
        .collect();
    SecondLook { records, differ, fields }
}

/// What a canary showed, as the run log says it.
pub fn look(canary: &CanaryLook) -> SecondLook {
    let mut fields: BTreeMap<(FieldName, Difference), u64> = BTreeMap::new();
    for found in &canary.contrasts {
        let difference = match found.contrast {
            Contrast::PutBack => Difference::PutBack,
            Contrast::Emptied => Difference::Emptied,
            Contrast::Changed => Difference::Changed,
            Contrast::AlsoChanged => Difference::AlsoChanged,
        };
        *fields.entry((found.field.clone(), difference)).or_insert(0) += 1;
    }
    let mut differing: Vec<RecordId> = canary.contrasts.iter().map(|found| found.record).collect();
    differing.sort_unstable();
    differing.dedup();
    let fields = fields
        .into_iter()
        .map(|((field, difference), records)| FieldDifference { field, difference, records })
        .collect();
    SecondLook { records: canary.records, differ: differing.len() as u64, fields }
}
