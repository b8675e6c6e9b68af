//! What is left of a plan after so much of a journal: a pure function.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::journal::{Line, RecordLine};
use super::outcome::End;
use crate::model::RecordId;
use crate::plan::{Entry, Plan};
use crate::salesforce::JobId;

/// What is known of an earlier process's work, and so what is left to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remaining {
    /// Records that have ended for good.
    pub ended: HashMap<RecordId, End>,
    /// Records that were perhaps written: sent without an answer on disk. They are read before anything is sent for them.
    pub in_doubt: HashSet<RecordId>,
    /// Bulk jobs without a result, in the order in which they were begun.
    pub jobs: Vec<OpenJob>,
    /// The number of the next batch.
    pub next_batch: u64,
}

/// A bulk job that an earlier process began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenJob {
    /// The number of its batch.
    pub batch: u64,
    /// The job; `None` where its id never came to disk: then nothing was ever put into it.
    pub id: Option<JobId>,
    /// Its records that have no end yet.
    pub records: Vec<RecordId>,
}

impl Remaining {
    /// The planned records without an end, in the order of the plan.
    pub fn entries<'a>(&'a self, plan: &'a Plan) -> impl Iterator<Item = &'a Entry> {
        plan.planned().filter(|e| e.record.is_none_or(|id| !self.ended.contains_key(&id)))
    }
}

/// A journal that does not belong to its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Foreign {
    /// A record that is not planned.
    #[error("record {0} is not in the plan")]
    Record(RecordId),
    /// A result without an intent.
    #[error("batch {0} has a result and was never begun")]
    Batch(u64),
}

/// What is left of a plan after these lines of its journal.
///
/// An end that is not known is no end: its record is looked up again.
pub fn left(lines: &[Line], plan: &Plan) -> Result<Remaining, Foreign> {
    let planned: HashSet<RecordId> = plan.planned().filter_map(|e| e.record).collect();
    let check = |id: RecordId| if planned.contains(&id) { Ok(id) } else { Err(Foreign::Record(id)) };
    let mut remaining = Remaining::default();
    let mut open: HashMap<u64, &[RecordId]> = HashMap::new();
    let mut jobs: BTreeMap<u64, Option<JobId>> = BTreeMap::new();
    let end = |remaining: &mut Remaining, line: &RecordLine| {
        let id = check(line.record)?;
        if let End::Unknown { .. } = line.end {
            remaining.in_doubt.insert(id);
        } else {
            remaining.in_doubt.remove(&id);
            remaining.ended.insert(id, line.end.clone());
        }
        Ok(())
    };
    for line in lines {
        match line {
            Line::Header(_) | Line::Finished { .. } => {}
            Line::Intent { batch, records, job, .. } => {
                open.insert(*batch, records);
                if *job {
                    jobs.insert(*batch, None);
                }
                remaining.next_batch = remaining.next_batch.max(batch + 1);
            }
            Line::Job { batch, id } => {
                *jobs.get_mut(batch).ok_or(Foreign::Batch(*batch))? = Some(*id);
            }
            Line::Result { batch, lost, ends, again } => {
                jobs.remove(batch);
                open.remove(batch).ok_or(Foreign::Batch(*batch))?;
                ends.iter().try_for_each(|line| end(&mut remaining, line))?;
                for id in again {
                    let id = check(*id)?;
                    if *lost {
                        remaining.in_doubt.insert(id);
                    }
                }
            }
            Line::Ends { ends } => ends.iter().try_for_each(|line| end(&mut remaining, line))?,
        }
    }
    for (batch, id) in jobs {
        let mut records = Vec::new();
        for record in open.remove(&batch).into_iter().flatten() {
            if !remaining.ended.contains_key(&check(*record)?) {
                records.push(*record);
            }
        }
        remaining.jobs.push(OpenJob { batch, id, records });
    }
    for id in open.into_values().flatten() {
        if !remaining.ended.contains_key(&check(*id)?) {
            remaining.in_doubt.insert(*id);
        }
    }
    Ok(remaining)
}
