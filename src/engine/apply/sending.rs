//! Sending one group of records, and what each answer means for them.

use super::executor::{Executor, Item, Lot};
use super::journal::RecordLine;
use super::observe::Event;
use super::org::{CallFailure, Class, Fault, Org, RecordOutcome, RecordUpdate, StopKind};
use super::outcome::{End, StopReason, Unknown};
use super::standing::Standing;

/// Records in one line of the journal, where they may be many.
pub(super) const LINE: usize = 2_000;

/// A record that could not be locked goes with fewer others the next time.
pub(super) fn smaller(size: usize) -> usize {
    if size > 25 { 25 } else { 1 }
}

impl<O: Org> Executor<'_, '_, O> {
    /// Intent to disk, send, result to disk.
    pub(super) async fn send(&mut self, group: Vec<Item>) {
        if group.iter().any(|item| item.tries > 0) {
            self.retries += 1;
        }
        let updates = group.iter().map(|item| self.targets.update(item.index)).collect();
        let Some(updates): Option<Vec<RecordUpdate>> = self.loaded(updates) else {
            return self.put_back(group);
        };
        let batch = self.next_batch;
        self.next_batch += 1;
        let written = self.journal.intent(batch, &updates);
        if !self.journalled(written) {
            return self.put_back(group);
        }
        let sent = self.apply.clock.now();
        let age = group.iter().map(|item| item.age(sent)).max().unwrap_or_default();
        if age > self.apply.settings.max_age {
            // The disk took its time. They are too old by now, and will be read again.
            self.record(batch, false, Vec::new(), &group);
            self.put_back(group);
            return self.too_old();
        }
        self.window = self.window.max(age);
        self.old_reads = 0;
        self.apply.observer.event(&Event::Sending { batch, records: group.len() });
        let answer = self.call(&updates).await;
        let took = self.apply.clock.now().saturating_sub(sent);
        self.pace = took.max(self.pace / 2);
        if !matches!(answer, Some(Err(CallFailure::NotSent(_)))) {
            self.writes += 1;
        }
        match answer {
            Some(Ok(outcomes)) if outcomes.len() == group.len() => self.settle(batch, group, outcomes),
            Some(Ok(outcomes)) => {
                let message = format!("Salesforce answered for {} of {} records", outcomes.len(), group.len());
                let fault = Fault { class: Class::Later(None), code: "ANSWER_INCOMPLETE".into(), message };
                self.lost(batch, group, fault).await;
            }
            Some(Err(CallFailure::NotSent(fault) | CallFailure::Refused(fault))) => match fault.class {
                Class::Later(_) | Class::Stop(_) => self.unwritten(batch, group, fault).await,
                Class::Body | Class::Call => self.refused(batch, group, fault),
            },
            Some(Err(CallFailure::Unknown(fault))) => self.lost(batch, group, fault).await,
            None => {
                let message = "the call was given up when the run was told to stop".into();
                let fault = Fault { class: Class::Stop(StopKind::Interrupted), code: "INTERRUPTED".into(), message };
                self.lost(batch, group, fault).await;
            }
        }
        self.tell();
    }

    /// The call itself. After the word to stop it has a moment to end; `None` when it did not.
    async fn call(&mut self, updates: &[RecordUpdate]) -> Option<Result<Vec<RecordOutcome>, CallFailure>> {
        let org = self.apply.org;
        let answer = {
            let call = org.update(&self.object, updates);
            tokio::pin!(call);
            tokio::select! {
                biased;
                answer = &mut call => return Some(answer),
                () = self.apply.cancel.cancelled() => {}
            }
            tokio::time::timeout(self.apply.settings.finish, call).await.ok()
        };
        self.interrupt();
        answer
    }

    /// Every record has its own answer.
    fn settle(&mut self, batch: u64, group: Vec<Item>, outcomes: Vec<RecordOutcome>) {
        self.in_a_row = 0;
        let (mut ends, mut again) = (Vec::new(), Vec::new());
        for (mut item, outcome) in group.into_iter().zip(outcomes) {
            let end = match outcome {
                RecordOutcome::Updated => End::Updated,
                RecordOutcome::Failed(error) if error.retry && item.tries + 1 < self.apply.settings.tries => {
                    item.tries += 1;
                    item.last = Some(Box::new(error));
                    item.lot = Lot { size: smaller(item.lot.size), part: 0 };
                    again.push(item);
                    continue;
                }
                // What locks it may be the sending whose answer was lost.
                RecordOutcome::Failed(error) if error.retry && item.doubt => End::still_before(),
                RecordOutcome::Failed(error) => {
                    if let Some(kind) = error.stop {
                        self.stop(StopReason { kind, code: error.code.clone(), message: error.message.clone() });
                    }
                    End::refused(&error)
                }
            };
            self.sent_again(&item);
            ends.push((item.index, end));
        }
        self.record(batch, false, ends, &again);
        self.later.extend(again);
    }

    /// Nothing was written, and it is nobody's fault among the records: try again later, or stop.
    async fn unwritten(&mut self, batch: u64, group: Vec<Item>, fault: Fault) {
        self.record(batch, false, Vec::new(), &group);
        self.put_ready(group);
        self.in_a_row += 1;
        self.back_off(&fault, self.in_a_row - 1).await;
    }

    /// Salesforce refused the whole call. Where it does so because it cannot read one value of it, the record at fault is found by halves.
    fn refused(&mut self, batch: u64, group: Vec<Item>, fault: Fault) {
        self.in_a_row = 0;
        if group.len() == 1 || fault.class == Class::Call || self.halvings < 2 {
            let end = |item: &Item| match fault.class {
                // This call wrote nothing. The one before it, whose answer was lost, may have.
                Class::Call if item.doubt => End::still_before(),
                _ => End::failed(&fault.code, &fault.message, &[]),
            };
            group.iter().for_each(|item| self.sent_again(item));
            let ends = group.iter().map(|item| (item.index, end(item))).collect();
            return self.record(batch, false, ends, &[]);
        }
        self.halvings -= 2;
        self.retries += 2;
        self.apply.observer.event(&Event::Halving { records: group.len(), fault });
        self.record(batch, false, Vec::new(), &group);
        let middle = group.len().div_ceil(2);
        let mut halves = group;
        for (place, item) in halves.iter_mut().enumerate() {
            let part = self.parts + if place < middle { 1 } else { 2 };
            item.lot = Lot { size: middle, part };
        }
        self.parts += 2;
        self.put_ready(halves);
    }

    /// The answer was lost: the records tell. New values: written. Old values: sent again, which is safe. Anything else is not known.
    async fn lost(&mut self, batch: u64, mut group: Vec<Item>, fault: Fault) {
        group.iter().for_each(|item| self.sent_again(item));
        let indexes: Vec<usize> = group.iter().map(|item| item.index).collect();
        let found = self.look_up(&group, &fault).await;
        let found = found.and_then(|(rows, read)| Some((self.standings(&indexes, &rows)?, read)));
        let Some((standings, read)) = found else {
            let end = End::Unknown { reason: Unknown::NotReadBack, fields: Vec::new() };
            let ends = group.iter().map(|item| (item.index, end.clone())).collect();
            self.record(batch, true, ends, &[]);
            return self.stop_for(&fault);
        };
        let mut ends = Vec::new();
        let mut standings = standings.into_iter();
        group.retain_mut(|item| {
            (item.doubt, item.read) = (true, Some(read));
            if self.in_a_row > 0 {
                // Perhaps the org needs longer for so many than anyone waits for an answer.
                item.lot = Lot { size: smaller(item.lot.size), part: 0 };
            }
            let end = match standings.next() {
                None | Some(Standing::Before) => return true,
                Some(Standing::After(_)) => End::Updated,
                Some(Standing::Other(fields)) => End::Unknown { reason: Unknown::Neither, fields },
                Some(Standing::Gone) => End::Unknown { reason: Unknown::Gone, fields: Vec::new() },
            };
            ends.push((item.index, end));
            false
        });
        self.record(batch, true, ends, &group);
        let again = !group.is_empty();
        self.put_ready(group);
        if again {
            self.in_a_row += 1;
            self.back_off(&fault, self.in_a_row - 1).await;
        } else {
            self.in_a_row = 0;
            self.stop_for(&fault);
        }
    }

    /// A record was sent. Where an earlier sending was never answered, the log says so: both may have been carried out.
    fn sent_again(&mut self, item: &Item) {
        if item.doubt {
            self.resent.insert(item.index as u32);
        }
    }

    fn stop_for(&mut self, fault: &Fault) {
        if let Class::Stop(kind) = fault.class {
            self.stop(StopReason::of(kind, fault));
        }
    }

    /// The result of a batch, to disk and to the account.
    pub(super) fn record(&mut self, batch: u64, lost: bool, ends: Vec<(usize, End)>, again: &[Item]) {
        let refused = again.iter().filter_map(|item| {
            let error = item.last.as_ref()?;
            Some(RecordLine { record: self.targets.record(item.index), end: End::refused(error) })
        });
        let refused: Vec<RecordLine> = refused.collect();
        for some in refused.chunks(LINE) {
            let written = self.journal.refused(some.to_vec());
            self.journalled(written);
        }
        let again = self.targets.ids(again.iter().map(|item| item.index));
        let lines = self.lines(&ends);
        let written = self.journal.result(batch, lost, lines, again);
        self.journalled(written);
        self.set(ends);
    }

    /// First in the queue of what is sent, as they were read a moment ago.
    fn put_ready(&mut self, group: Vec<Item>) {
        for item in group.into_iter().rev() {
            self.ready.push_front(item);
        }
    }
}
