//! A second look after writing: `--canary` by reading the first records back, `--verify` by planning again.

use std::collections::BTreeMap;

use crate::apply::{CanaryLook, Contrast, End, Outcomes, Selection};
use crate::cli::connect::Purpose;
use crate::cli::failure::Failure;
use crate::cli::ground::{Place, Target};
use crate::cli::show;
use crate::cli::world::World;
use crate::model::{FieldName, RecordId};
use crate::net::Budget;
use crate::plan::{FileProblem, Plan};
use crate::render::counted;
use crate::render::escape::Terminal;
use crate::runlog::{Difference, FieldDifference, SecondLook};

/// Plans again and says which records would change: those that were updated, and those of which nothing was planned. Records that the run left (by its own
/// options, or since they failed or drifted, which fails it anyway) are to be changed still. What cannot be planned, or not be read, is told, and counts as
/// every record differing.
pub async fn again(
    place: &Place<'_>,
    target: Target<'_>,
    plan: &Plan,
    outcomes: &Outcomes,
    selection: &Selection,
    budget: Budget,
) -> SecondLook {
    let world = place.world;
    let records = outcomes.ledger.updated;
    let looked = async {
        let done = done(plan, outcomes).map_err(unreadable)?;
        world.say("planning again, to verify");
        let second = place.plan(target, Purpose::Apply, budget, &mut ()).await?.plan;
        compare(&second, records, &done, selection).map_err(unreadable)
    };
    looked.await.unwrap_or_else(|failure| {
        crate::cli::tell(world, &failure);
        SecondLook { records, differ: records, meanwhile: 0, fields: Vec::new() }
    })
}

fn unreadable(problem: FileProblem) -> Failure {
    show::unreadable(&std::io::Error::other(problem))
}

/// The planned records in order of their ids, and whether each was updated.
fn done(plan: &Plan, outcomes: &Outcomes) -> Result<Vec<(RecordId, bool)>, FileProblem> {
    let mut done = Vec::new();
    for (at, entry) in plan.planned().enumerate() {
        let updated = outcomes.ends.get(at) == Some(&End::Updated);
        done.extend(entry?.record.map(|id| (id, updated)));
    }
    done.sort_unstable();
    Ok(done)
}

/// What the second plan would change, by what the first run did.
fn compare(
    second: &Plan,
    records: u64,
    done: &[(RecordId, bool)],
    selection: &Selection,
) -> Result<SecondLook, FileProblem> {
    let mut fields: BTreeMap<(FieldName, Difference), u64> = BTreeMap::new();
    let (mut differ, mut meanwhile) = (0, 0);
    for entry in second.planned() {
        let entry = entry?;
        let Some(id) = entry.record else { continue };
        let difference = match done.binary_search_by_key(&id, |(id, _)| *id).map(|at| done[at].1) {
            Ok(true) => {
                differ += 1;
                Difference::WouldChange
            }
            Ok(false) => continue,
            Err(_) if selection.only.as_ref().is_some_and(|only| !only.contains(&id)) => continue,
            Err(_) => {
                meanwhile += 1;
                Difference::ChangedMeanwhile
            }
        };
        entry.cells.iter().for_each(|cell| *fields.entry((cell.field.clone(), difference)).or_insert(0) += 1);
    }
    Ok(SecondLook { records, differ, meanwhile, fields: by_field(fields) })
}

fn by_field(fields: BTreeMap<(FieldName, Difference), u64>) -> Vec<FieldDifference> {
    let field = |((field, difference), records)| FieldDifference { field, difference, records };
    fields.into_iter().map(field).collect()
}

/// What a second plan that is not empty says of the run.
pub fn words(look: &SecondLook) -> String {
    let updated = counted(look.records, "record");
    let mut said = Vec::new();
    if look.differ > 0 {
        said.push(format!("{} of {updated} that were updated would change again", look.differ));
    }
    if look.meanwhile > 0 {
        let more = counted(look.meanwhile, "record");
        said.push(format!("{more} of which nothing was planned would change now (changed meanwhile)"));
    }
    format!("{}: {}", said.join("; "), look.words())
}

/// On a person's terminal: what should stand in the canary's records, and what does.
pub fn tell(world: &World, outcomes: &Outcomes) {
    let Some(look) = outcomes.canary.as_ref().filter(|_| world.terminal) else { return };
    let text = |value: &Option<String>| {
        value.as_ref().map_or_else(|| "nothing".to_owned(), |value| format!("`{}`", Terminal(value)))
    };
    for found in look.contrasts.iter().take(20) {
        let (planned, stands) = (text(&found.planned), text(&found.found));
        world.say(&format!("{} {}: {stands} stands there, {planned} should", found.record, found.field));
    }
    if look.contrasts.len() > 20 {
        world.say(&format!("… and {} more", look.contrasts.len() - 20));
    }
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
    let differ = differing.len() as u64;
    SecondLook { records: canary.records, differ, meanwhile: 0, fields: by_field(fields) }
}
