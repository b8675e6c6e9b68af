//! Reading records again: before they are sent, and after an answer was lost.

use std::time::Duration;

use super::executor::Executor;
use super::observe::Event;
use super::org::{Class, Fault, Org, Rows, StopKind};
use super::outcome::{End, StopReason, Unknown};
use super::queue::Item;
use super::settings::Settings;
use super::standing::Standing;
use crate::model::RecordId;

impl<O: Org> Executor<'_, '_, O> {
    /// Reads the next records again; those that are still as planned from become ready, the others end.
    pub(super) async fn refill(&mut self) {
        let Some(lot) = self.waiting.next_lot() else { return };
        let most = self.read_ahead(lot.size);
        let items = self.waiting.take(most, lot);
        let ids: Vec<RecordId> = items.iter().map(|i| self.targets.list[i.index].record).collect();
        let Some((rows, read)) = self.read(&ids).await else {
            // A failed read loses none.
            return self.waiting.put_back(items);
        };
        let mut ends = Vec::new();
        for mut item in items {
            item.read = Some(read);
            match self.judge(&item, &rows) {
                None => self.ready.push_back(item),
                Some(end) => ends.push((item.index, end)),
            }
        }
        self.end_all(ends);
        self.tell();
    }

    /// The end of a record that is not as planned from any more; `None` where it may be sent.
    pub(super) fn judge(&self, item: &Item, rows: &Rows) -> Option<End> {
        Some(match self.targets.standing(item.index, rows) {
            Standing::Before => return None,
            Standing::After if item.doubt => End::Updated,
            Standing::After => End::Drifted {
                fields: self.targets.list[item.index].entry.cells.iter().map(|c| c.field.clone()).collect(),
                already_there: true,
            },
            Standing::Other(fields) if item.doubt => End::Unknown { reason: Unknown::Neither, fields },
            Standing::Other(fields) => End::Drifted { fields, already_there: false },
            Standing::Gone if item.doubt => End::Unknown { reason: Unknown::Gone, fields: Vec::new() },
            Standing::Gone => End::gone(),
        })
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
        let ids: Vec<RecordId> = group.iter().map(|i| self.targets.list[i.index].record).collect();
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
