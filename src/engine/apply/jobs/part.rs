//! The part of one job: records read again a moment ago, in the order that avoids locks.

use std::time::Duration;

use futures_util::future::join_all;

use crate::apply::executor::Executor;
use crate::apply::executor::Item;
use crate::apply::observe::Event;
use crate::apply::org::{Class, Fault, Org, Rows, StopKind};
use crate::apply::outcome::StopReason;
use crate::apply::reading::judged;
use crate::apply::settings::Settings;
use crate::apply::standing::Target;
use crate::model::{Digest, Digester, FieldName, RecordId};

/// Records for one job.
pub(super) struct Part {
    /// In the order in which they are sent: those of one parent beside each other.
    pub(super) items: Vec<Item>,
    /// Of the lines, in the order in which they were read.
    pub(super) digest: Digest,
    /// When the first of them was read.
    pub(super) read: Duration,
}

/// A part that grows.
struct Growing {
    items: Vec<(Vec<u8>, Item)>,
    bytes: u64,
    digest: Digester,
    read: Option<Duration>,
    line: Vec<u8>,
}

impl<O: Org> Executor<'_, '_, O> {
    /// Reads records again until a job is full, or the first of them are half as old as they may be. `None` when there is nothing for a job.
    pub(super) async fn gather(&mut self) -> Option<Part> {
        let waiting = self.waiting.len();
        // Parts of one size, rather than full ones and a small rest.
        let want = waiting.div_ceil(waiting.div_ceil(self.jobs.most).max(1));
        let (fields, parent) = self.fields_of_a_job();
        let mut part = Growing { items: Vec::new(), bytes: 0, digest: Digester::new(), read: None, line: Vec::new() };
        let aside = self.jobs.aside.len();
        let mut repeated = 0;
        while part.items.len() < want && !self.waiting.is_empty() && self.goes_on() {
            let now = self.apply.clock.now();
            if part.read.is_some_and(|read| now.saturating_sub(read) > self.apply.settings.max_age / 2) {
                break;
            }
            let slices = self.slices(want - part.items.len());
            let Some(answers) = self.read_slices(&slices, &fields).await else {
                self.waiting.put_back(slices.into_iter().flatten().collect());
                break;
            };
            let (mut back, mut fault, mut full) = (Vec::new(), None, false);
            let mut ends = Vec::new();
            for (slice, answer) in slices.into_iter().zip(answers) {
                let rows = match answer {
                    Ok(rows) => rows,
                    Err(error) => {
                        fault = Some(error);
                        back.extend(slice);
                        continue;
                    }
                };
                for mut item in slice {
                    item.read = Some(now);
                    if full || self.stopped.is_some() {
                        back.push(item);
                        continue;
                    }
                    let target = self.targets.load(item.index);
                    let Some(target) = self.loaded(target) else {
                        back.push(item);
                        continue;
                    };
                    if let Some(end) = judged(self.targets.stands(&target, &rows), false) {
                        ends.push((item.index, end));
                    } else if let Some(item) = self.admit(&mut part, item, &target, &rows, parent) {
                        full = true;
                        back.push(item);
                    }
                }
            }
            self.end_all(ends);
            self.waiting.put_back(back);
            self.tell();
            match fault {
                None => repeated = 0,
                Some(fault) if matches!(fault.class, Class::Body | Class::Call) => {
                    self.stop(StopReason::of(StopKind::Unreadable, &fault));
                }
                Some(fault) => {
                    self.back_off(&fault, repeated).await;
                    repeated += 1;
                }
            }
            if full {
                break;
            }
        }
        let unfit = self.jobs.aside.len() - aside;
        if unfit > 0 {
            self.apply.observer.event(&Event::NotForBulk { records: unfit });
        }
        let read = part.read?;
        // Stable: within one parent the order of the plan.
        part.items.sort_by(|(one, _), (other, _)| one.cmp(other));
        let items = part.items.into_iter().map(|(_, item)| item).collect();
        let part = Part { items, digest: part.digest.finish(), read };
        if self.stopped.is_some() {
            self.waiting.put_back(part.items);
            return None;
        }
        Some(part)
    }

    /// The fields to read, and the place of the parent's id among them.
    fn fields_of_a_job(&self) -> (Vec<FieldName>, Option<usize>) {
        let mut fields = self.targets.fields.clone();
        let parent = self.jobs.parent.as_ref().map(|parent| {
            fields.iter().position(|f| f == parent).unwrap_or_else(|| {
                fields.push(parent.clone());
                fields.len() - 1
            })
        });
        (fields, parent)
    }

    /// The next records, in as many reads as may be under way at once. Those in doubt go by collections, which answer record by record.
    fn slices(&mut self, most: usize) -> Vec<Vec<Item>> {
        let read = self.apply.settings.read.clamp(1, Settings::MAX_READ);
        let mut left = most;
        let mut slices = Vec::new();
        while slices.len() < self.apply.settings.jobs.readers.max(1) && left > 0 && !self.waiting.is_empty() {
            let (doubtful, slice): (Vec<_>, Vec<_>) =
                self.waiting.take(read.min(left)).into_iter().partition(|item| item.doubt);
            self.jobs.aside.extend(doubtful);
            left -= slice.len().min(left);
            if !slice.is_empty() {
                slices.push(slice);
            }
        }
        slices
    }

    /// Several reads at once. `None` when the word to stop came: reading has no effect, and is dropped.
    async fn read_slices(&mut self, slices: &[Vec<Item>], fields: &[FieldName]) -> Option<Vec<Result<Rows, Fault>>> {
        let ids: Vec<Vec<RecordId>> =
            slices.iter().map(|slice| self.targets.ids(slice.iter().map(|item| item.index))).collect();
        for ids in &ids {
            self.rereads += 1;
            self.apply.observer.event(&Event::Reading { records: ids.len() });
        }
        let org = self.apply.org;
        let reads = join_all(ids.iter().map(|ids| org.read(&self.object, ids, fields)));
        let answers = tokio::select! {
            biased;
            () = self.apply.cancel.cancelled() => None,
            answers = reads => Some(answers),
        };
        if answers.is_none() {
            self.interrupt();
        }
        answers
    }

    /// Takes a record into the part, or sets it aside for collections. It comes back when the part has no room for it.
    fn admit(
        &mut self,
        part: &mut Growing,
        item: Item,
        target: &Target,
        rows: &Rows,
        parent: Option<usize>,
    ) -> Option<Item> {
        part.line.clear();
        if self.targets.csv(target, &mut part.line).is_err() {
            self.jobs.aside.push(Item { read: None, ..item });
            return None;
        }
        let bytes = part.bytes + part.line.len() as u64;
        if bytes > self.apply.settings.jobs.bytes && !part.items.is_empty() {
            return Some(item);
        }
        part.bytes = bytes;
        part.digest.update(&part.line);
        part.read = part.read.or(item.read);
        let row = rows.get(&self.targets.record(item.index));
        let key = parent.and_then(|parent| Some(row?.get(parent)?.to_vec())).unwrap_or_default();
        part.items.push((key, item));
        None
    }
}
