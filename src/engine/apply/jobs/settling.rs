//! A job that is over: its results become ends, record by record.

use super::account::{Account, File, Places, Said};
use super::state::Under;
use crate::apply::executor::Executor;
use crate::apply::executor::{Item, Lot};
use crate::apply::observe::Event;
use crate::apply::org::{Class, JobRow, Org, RecordError, StopKind};
use crate::apply::outcome::{End, StopReason};
use crate::apply::reading::judged;
use crate::apply::sending::{LINE, smaller};
use crate::apply::settings::Settings;
use crate::salesforce::{JobId, JobInfo, JobState, Results};

/// How often a file of results that is not whole is fetched again.
const GARBLED: u32 = 3;

impl<O: Org> Executor<'_, '_, O> {
    /// The places of these records in their list.
    pub(super) fn places(&self, items: &[Item]) -> Places {
        items.iter().enumerate().map(|(place, item)| (self.targets.record(item.index), place as u32)).collect()
    }

    /// Ends the records of a job that is over; of one that is gone (`None`) only the records themselves can tell.
    pub(super) async fn take_results(&mut self, mut under: Under, info: Option<&JobInfo>) {
        let records = under.items.len();
        let mut account = Account::new(self.places(&under.items));
        if let Some(info) = info {
            for which in files(info) {
                if !self.fetch(&under.id, which, &mut account).await {
                    return self.leave(under).await;
                }
            }
        }
        let complete = info.is_some_and(|info| info.state == JobState::JobComplete);
        let (mut ends, mut locked, mut unsent, mut untold) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (mut item, said) in std::mem::take(&mut under.items).into_iter().zip(account.said) {
            item.read = None;
            match said {
                Said::Updated => ends.push((item.index, End::Updated)),
                Said::Failed(error) if error.retry && item.tries + 1 < self.apply.settings.tries => {
                    item.tries += 1;
                    item.last = Some(error);
                    item.lot = Lot { size: smaller(item.lot.size), part: 0 };
                    locked.push(item);
                }
                Said::Failed(error) => {
                    if let Some(kind) = error.stop {
                        self.stop(StopReason { kind, code: error.code.clone(), message: error.message.clone() });
                    }
                    ends.push((item.index, End::refused(&error)));
                }
                Said::Unprocessed => unsent.push(item),
                Said::Nothing | Said::Contradiction => untold.push(item),
            }
            if ends.len() == LINE {
                self.end_all(std::mem::take(&mut ends));
            }
        }
        self.end_all(ends);
        if account.foreign > 0 || !untold.is_empty() {
            let (untold, foreign) = (untold.len(), account.foreign);
            self.apply.observer.event(&Event::JobResults { id: under.id, untold, foreign });
        }
        let looked = self.look_at(untold).await;
        let mut aside = Vec::new();
        match looked {
            Ok(before) if complete => aside = before,
            Ok(before) => unsent.extend(before),
            Err(untold) => {
                // The job stays without a result in the journal. What was told of the others is told again after a resume.
                under.items = untold;
                self.later.extend(locked);
                self.waiting.put_back(unsent);
                return self.leave(under).await;
            }
        }
        let again: Vec<Item> = [&locked, &unsent, &aside].into_iter().flatten().cloned().collect();
        self.record(under.batch, false, Vec::new(), &again);
        self.jobs.done.push(under.done(records, self.apply.clock.now(), false));
        self.later.extend(locked);
        self.jobs.aside.extend(aside);
        if !unsent.is_empty() {
            self.unfinished(&under, info, records, unsent);
        }
        self.tell();
    }

    /// Reads one file of results to its end. `false` when the run was stopped; a file that cannot be read at all is left out.
    async fn fetch(&mut self, id: &JobId, which: Results, account: &mut Account) -> bool {
        let org = self.apply.org;
        let (mut repeated, mut garbled) = (0, 0);
        loop {
            let mut file = File::default();
            let mut on_row = |row: JobRow| account.row(&mut file, row);
            let answer = self.heeded(org.job_results(id, which, &mut on_row)).await;
            match answer {
                Some(Ok(_)) => {
                    account.take(which, file);
                    return true;
                }
                Some(Err(fault)) if matches!(fault.class, Class::Body | Class::Call) => return true,
                // It may have been cut off on its way, or be so at Salesforce.
                Some(Err(fault)) if fault.is_garbled() => {
                    if garbled == GARBLED {
                        return true;
                    }
                    if !self.back_off(&fault, garbled).await {
                        return false;
                    }
                    garbled += 1;
                }
                Some(Err(fault)) => {
                    if !self.back_off(&fault, repeated).await {
                        return false;
                    }
                    repeated += 1;
                }
                None => {
                    self.interrupt();
                    return false;
                }
            }
        }
    }

    /// Looks at records that the results do not tell of. The job is over, so that what holds its old values was not written, and will not be. `Err`
    /// with those that could not be read.
    async fn look_at(&mut self, mut untold: Vec<Item>) -> Result<Vec<Item>, Vec<Item>> {
        let mut before = Vec::new();
        while !untold.is_empty() {
            let most = self.apply.settings.read.clamp(1, Settings::MAX_READ);
            let rest = untold.split_off(untold.len().min(most));
            let ids = self.targets.ids(untold.iter().map(|item| item.index));
            let read = if self.goes_on() { self.read(&ids).await } else { None };
            let indexes: Vec<usize> = untold.iter().map(|item| item.index).collect();
            let standings = read.and_then(|(rows, _)| self.standings(&indexes, &rows));
            let Some(standings) = standings else {
                untold.extend(rest);
                untold.extend(before);
                return Err(untold);
            };
            let mut ends = Vec::new();
            for (item, standing) in std::mem::replace(&mut untold, rest).into_iter().zip(standings) {
                match judged(standing, true) {
                    // Where it is not sent again, that is all that there is to say of it: it may have been refused.
                    None => before.push(Item { last: Some(Box::new(no_result())), ..item }),
                    Some(end) => ends.push((item.index, end)),
                }
            }
            self.end_all(ends);
        }
        Ok(before)
    }

    /// A job ended before it came to all of its records. Once they go with another; not where the job was refused as a whole or stopped by somebody.
    fn unfinished(&mut self, under: &Under, info: Option<&JobInfo>, records: usize, unsent: Vec<Item>) {
        if self.given_up {
            return self.waiting.put_back(unsent);
        }
        let id = under.id;
        let message = info.and_then(|info| info.error_message.clone());
        let message = message.unwrap_or_else(|| "Salesforce gave no reason".to_owned());
        let reason = match info {
            // After a resume it may have been the run before that stopped it; and a resume is the word to go on.
            Some(info) if info.state == JobState::Aborted && under.taken_up => None,
            Some(info) if info.state == JobState::Aborted => {
                Some((StopKind::JobAborted, format!("somebody stopped bulk job {id}")))
            }
            Some(_) if self.jobs.halfway || (unsent.len() == records && of_the_whole(&message)) => {
                Some((StopKind::JobFailed, format!("bulk job {id} failed: {message}")))
            }
            None if self.jobs.halfway => Some((StopKind::JobFailed, format!("bulk job {id} is gone"))),
            _ => None,
        };
        match reason {
            Some((kind, message)) => self.stop(StopReason::new(kind, message)),
            None => {
                self.jobs.halfway = true;
                self.apply.observer.event(&Event::JobHalfway { id, message, records: unsent.len() });
            }
        }
        self.waiting.put_back(unsent);
    }
}

/// The files that have something to say, by the job's own counters.
fn files(info: &JobInfo) -> Vec<Results> {
    let written = info.processed.is_none_or(|processed| info.failed.is_none_or(|failed| processed > failed));
    let failed = info.failed.is_none_or(|failed| failed > 0);
    let mut files = Vec::new();
    if written {
        files.push(Results::Successful);
    }
    if failed {
        files.push(Results::Failed);
    }
    if info.state != JobState::JobComplete {
        files.push(Results::Unprocessed);
    }
    files
}

/// Of a record that a job was given, and that its results do not tell of.
fn no_result() -> RecordError {
    RecordError {
        code: "NO_RESULT".to_owned(),
        message: "its bulk job is over, and the results do not tell of it; it holds its old values".to_owned(),
        fields: Vec::new(),
        retry: true,
        stop: None,
    }
}

/// Is it the data as a whole that Salesforce refused, so that it would refuse it again? (`InvalidBatch : Field name not found : X`)
fn of_the_whole(message: &str) -> bool {
    let word: String = message.chars().take_while(char::is_ascii_alphanumeric).collect();
    word.eq_ignore_ascii_case("InvalidBatch") || word.eq_ignore_ascii_case("ClientInputError")
}
