//! Reading records again: before they are sent, and after an answer was lost.

use std::time::Duration;

use super::executor::{Executor, Item};
use super::observe::Event;
use super::org::{Class, Fault, Org, Rows, StopKind};
use super::outcome::{End, StopReason, Unknown};
use super::settings::Settings;
use super::standing::Standing;
use crate::model::RecordId;

impl<O: Org> Executor<'_, '_, O> {
    /// Reads the next records again; those that are still as planned from become ready, the others end.
    pub(super) async fn refill(&mut self) {
        let Some(lot) = self.waiting.lot() else { return };
        let indexes = self.waiting.first(self.read_ahead(lot.size));
        // Until they are read they stay where they are, so that a failed read loses none.
        let Some((rows, read)) = self.read(&self.targets.ids(indexes.iter().copied())).await else { return };
        let Some(standings) = self.standings(&indexes, &rows) else { return };
        let items = self.waiting.take(indexes.len());
        let mut ends = Vec::new();
        for (mut item, standing) in items.into_iter().zip(standings) {
            item.read = Some(read);
            match judged(standing, item.doubt) {
                None => self.ready.push_back(item),
                Some(end) => ends.push((item.index, end)),
            }
        }
        self.end_all(ends);
        self.tell();
    }

    /// Sends nothing more. Jobs of earlier processes come to their end, and records that were perhaps written are looked at.
    pub(super) async fn only_look(&mut self) {
        self.no_first();
        self.take_up().await;
        let aside = std::mem::take(&mut self.jobs.aside);
        self.waiting.extend(aside);
        let mut doubtful = self.waiting.doubtful();
        while !doubtful.is_empty() && self.goes_on() {
            let some = doubtful.split_off(doubtful.len().saturating_sub(Settings::MAX_READ));
            let indexes: Vec<usize> = some.iter().map(|item| item.index).collect();
            let read = self.read(&self.targets.ids(indexes.iter().copied())).await;
            let Some(standings) = read.and_then(|(rows, _)| self.standings(&indexes, &rows)) else {
                doubtful.extend(some);
                break;
            };
            let ends = indexes.into_iter().zip(standings);
            self.end_all(ends.map(|(index, s)| (index, judged(s, true).unwrap_or_else(End::still_before))).collect());
            self.tell();
        }
        self.waiting.extend(doubtful);
    }

    /// How these records stand to their plan. `None` when the plan could not be read, and the run was stopped.
    pub(super) fn standings(&mut self, indexes: &[usize], rows: &Rows) -> Option<Vec<Standing>> {
        let standings = indexes.iter().map(|index| self.targets.standing(*index, rows)).collect();
        self.loaded(standings)
    }

    /// How many records to read in one call: whole batches, as many as can be sent before they are too old, by the pace so far.
    fn read_ahead(&self, size: usize) -> usize {
        let most = self.apply.settings.read.clamp(1, Settings::MAX_READ);
        let in_time = match self.pace.as_millis() {
            0 => usize::MAX,
            // One batch of slack: the pace may get worse.
            pace => {
                usize::try_from(self.apply.settings.max_age.as_millis() / pace).unwrap_or(usize::MAX).saturating_sub(1)
            }
        };
        let batches = if self.old_reads > 0 { 1 } else { in_time.clamp(1, (most / size).max(1)) };
        // Room for what is ready already, so that groups end on the boundary of a batch.
        (batches * size).min(most).saturating_sub(self.ready.len()).max(1)
    }

    /// Reads with retries. `None` when the run was stopped instead.
    pub(super) async fn read(&mut self, ids: &[RecordId]) -> Option<(Rows, Duration)> {
        let mut repeated = 0;
        loop {
            self.apply.observer.event(&Event::Reading { records: ids.len() });
            let read = self.apply.clock.now();
            self.rereads += 1;
            let org = self.apply.org;
            let answer = tokio::select! {
                biased;
                // Reading has no effect: it is dropped at once.
                () = self.apply.cancel.cancelled() => None,
                answer = org.read(&self.object, ids, &self.targets.fields) => Some(answer),
            };
            match answer {
                None => {
                    self.interrupt();
                    return None;
                }
                Some(Ok(rows)) => return Some((rows, read)),
                Some(Err(fault)) if matches!(fault.class, Class::Body | Class::Call) => {
                    self.stop(StopReason::of(StopKind::Unreadable, &fault));
                    return None;
                }
                Some(Err(fault)) => {
                    if !self.back_off(&fault, repeated).await {
                        return None;
                    }
                    repeated += 1;
                }
            }
        }
    }

    /// An answer was lost: what do the records say? After the word to stop there is time for one try only.
    pub(super) async fn look_up(&mut self, group: &[Item], fault: &Fault) -> Option<(Rows, Duration)> {
        self.apply.observer.event(&Event::LookingUp { records: group.len(), fault: fault.clone() });
        let ids = self.targets.ids(group.iter().map(|item| item.index));
        if !self.apply.cancel.is_cancelled()
            && let Some(found) = self.read(&ids).await
        {
            return Some(found);
        }
        if !self.apply.cancel.is_cancelled() {
            return None;
        }
        self.interrupt();
        let read = self.apply.clock.now();
        self.rereads += 1;
        let call = self.apply.org.read(&self.object, &ids, &self.targets.fields);
        match tokio::time::timeout(self.apply.settings.look_up, call).await {
            Ok(Ok(rows)) => Some((rows, read)),
            _ => None,
        }
    }
}

/// The end of a record that is not as planned from any more; `None` where it may be sent. `doubt`: a lost update may have written it.
pub(super) fn judged(standing: Standing, doubt: bool) -> Option<End> {
    Some(match standing {
        Standing::Before => return None,
        Standing::After(_) if doubt => End::Updated,
        Standing::After(fields) => End::Drifted { fields, already_there: true },
        Standing::Other(fields) if doubt => End::Unknown { reason: Unknown::Neither, fields },
        Standing::Other(fields) => End::Drifted { fields, already_there: false },
        Standing::Gone if doubt => End::Unknown { reason: Unknown::Gone, fields: Vec::new() },
        Standing::Gone => End::gone(),
    })
}
