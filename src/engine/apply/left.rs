//! What is left of a plan after so much of a journal: a pure function, fed line by line.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::ends::Ends;
use super::journal::{Line, RecordLine};
use super::outcome::End;
use crate::model::RecordId;
use crate::plan::{FileProblem, Plan};
use crate::salesforce::JobId;

/// What is known of an earlier process's work, and so what is left to do. Records go by their place among the planned ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remaining {
    /// Records that have ended for good.
    pub ended: Ends,
    /// Records that were perhaps written: sent without an answer on disk. They are read before anything is sent for them.
    pub in_doubt: HashSet<u32>,
    /// Records that were sent again while they were in doubt.
    pub resent: BTreeSet<u32>,
    /// What Salesforce last said of records that it did not write and that were to be sent again.
    pub refused: HashMap<u32, End>,
    /// Somebody gave the run up: nothing more is sent.
    pub given_up: bool,
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
    pub records: Vec<u32>,
}

impl Remaining {
    /// How many planned records have no end.
    pub fn count(&self, plan: &Plan) -> u64 {
        plan.summary.records.saturating_sub(self.ended.len() as u64)
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

/// The planned records' places, found by id: 20 bytes each.
struct Places(Vec<([u8; 15], u32)>);

impl Places {
    fn of(plan: &Plan) -> Result<Self, FileProblem> {
        let mut places = Vec::with_capacity(usize::try_from(plan.summary.records).unwrap_or(0).min(plan.len()));
        for entry in plan.planned() {
            if let Some(id) = entry?.record {
                places.push((id.fifteen(), places.len() as u32));
            }
        }
        places.sort_unstable();
        Ok(Self(places))
    }

    fn find(&self, id: RecordId) -> Result<u32, Foreign> {
        let found = self.0.binary_search_by_key(&id.fifteen(), |(id, _)| *id);
        found.map(|at| self.0[at].1).map_err(|_| Foreign::Record(id))
    }
}

/// Reads a journal's lines, one after the other, for what is left of its plan.
pub struct Left {
    places: Places,
    remaining: Remaining,
    /// Batches without a result.
    open: HashMap<u64, Vec<RecordId>>,
    /// Of these, the ones that went by a job.
    jobs: BTreeMap<u64, Option<JobId>>,
}

impl Left {
    /// Of a sound plan of which nothing has been done yet.
    ///
    /// # Errors
    /// The plan's entries cannot be read.
    pub fn of(plan: &Plan) -> Result<Self, FileProblem> {
        Ok(Self {
            places: Places::of(plan)?,
            remaining: Remaining::default(),
            open: HashMap::new(),
            jobs: BTreeMap::new(),
        })
    }

    /// Takes the journal's next line.
    ///
    /// # Errors
    /// The journal is of another plan.
    pub fn line(&mut self, line: &Line) -> Result<(), Foreign> {
        match line {
            Line::Header(_) | Line::Finished { .. } => {}
            Line::GivenUp {} => self.remaining.given_up = true,
            Line::Intent { batch, records, job, .. } => {
                self.unanswered(records)?;
                self.open.insert(*batch, records.clone());
                if *job {
                    self.jobs.insert(*batch, None);
                }
                self.remaining.next_batch = self.remaining.next_batch.max(batch + 1);
            }
            Line::Job { batch, id } => {
                *self.jobs.get_mut(batch).ok_or(Foreign::Batch(*batch))? = Some(*id);
            }
            Line::Refused { ends } => {
                for line in ends {
                    self.remaining.refused.insert(self.places.find(line.record)?, line.end.clone());
                }
            }
            Line::Result { batch, lost, ends, again } => {
                self.jobs.remove(batch);
                self.open.remove(batch).ok_or(Foreign::Batch(*batch))?;
                for line in ends {
                    self.sent_again(line.record)?;
                    self.end(line)?;
                }
                for id in again {
                    let place = self.places.find(*id)?;
                    if *lost {
                        self.sent_again(*id)?;
                        self.remaining.in_doubt.insert(place);
                    }
                }
            }
            Line::Ends { ends } => ends.iter().try_for_each(|line| self.end(line))?,
        }
        Ok(())
    }

    /// Of the records that are about to be sent, those that an earlier process sent without an answer on disk are in doubt from here on.
    fn unanswered(&mut self, sent: &[RecordId]) -> Result<(), Foreign> {
        if self.open.is_empty() {
            return Ok(());
        }
        let sent: HashSet<&RecordId> = sent.iter().collect();
        let earlier = self.open.iter_mut().filter(|(batch, _)| !self.jobs.contains_key(batch));
        for records in earlier.map(|(_, records)| records) {
            for record in records.extract_if(.., |record| sent.contains(record)) {
                self.remaining.in_doubt.insert(self.places.find(record)?);
            }
        }
        Ok(())
    }

    /// A record was sent. Was it in doubt?
    fn sent_again(&mut self, record: RecordId) -> Result<(), Foreign> {
        let place = self.places.find(record)?;
        if self.remaining.in_doubt.contains(&place) {
            self.remaining.resent.insert(place);
        }
        Ok(())
    }

    /// An end that is not known is no end: its record is looked up again.
    fn end(&mut self, line: &RecordLine) -> Result<(), Foreign> {
        let place = self.places.find(line.record)?;
        if let End::Unknown { .. } = line.end {
            // Looked for in vain: the sending that it is about is the same one.
            let sent = self.open.iter_mut().filter(|(batch, _)| !self.jobs.contains_key(batch));
            sent.for_each(|(_, records)| records.retain(|record| *record != line.record));
            self.remaining.in_doubt.insert(place);
        } else {
            self.remaining.in_doubt.remove(&place);
            self.remaining.refused.remove(&place);
            self.remaining.ended.set(place as usize, line.end.clone());
        }
        Ok(())
    }

    /// What is left after the lines so far.
    ///
    /// # Errors
    /// The journal is of another plan.
    pub fn remaining(mut self) -> Result<Remaining, Foreign> {
        for (batch, id) in self.jobs {
            let mut records = Vec::new();
            for record in self.open.remove(&batch).into_iter().flatten() {
                let place = self.places.find(record)?;
                if self.remaining.ended.get(place as usize).is_none() {
                    records.push(place);
                }
            }
            self.remaining.jobs.push(OpenJob { batch, id, records });
        }
        for id in self.open.into_values().flatten() {
            let place = self.places.find(id)?;
            if self.remaining.ended.get(place as usize).is_none() && !self.remaining.in_doubt.insert(place) {
                self.remaining.resent.insert(place);
            }
        }
        Ok(self.remaining)
    }
}

/// What is left of a plan after these lines of its journal.
#[cfg(test)]
pub(super) fn left(lines: &[Line], plan: &Plan) -> Result<Remaining, Foreign> {
    let mut left = Left::of(plan).unwrap();
    lines.iter().try_for_each(|line| left.line(line))?;
    left.remaining()
}
