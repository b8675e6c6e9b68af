//! What a job's result files say of its records, joined by id: rows come in any order, and need not be what they should be.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::apply::org::{JobRow, RecordError};
use crate::model::RecordId;
use crate::salesforce::Results;

/// What was said of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    Nothing,
    Updated,
    Failed(Box<RecordError>),
    Unprocessed,
    /// One file says this, another that.
    Contradiction,
}

/// The places of a job's records in their list.
pub(super) type Places = HashMap<RecordId, u32, RandomState>;

/// What was said of a job's records.
pub(super) struct Account {
    places: Places,
    pub(super) said: Vec<Said>,
    /// Rows of other records, or without a readable id.
    pub(super) foreign: u64,
}

/// The rows of one file, which count only once it is read to its end.
#[derive(Default)]
pub(super) struct File {
    rows: Vec<(u32, Option<Box<RecordError>>)>,
    foreign: u64,
}

impl Account {
    pub(super) fn new(places: Places) -> Self {
        let said = vec![Said::Nothing; places.len()];
        Self { places, said, foreign: 0 }
    }

    pub(super) fn row(&self, file: &mut File, row: JobRow) {
        match row.id.and_then(|id| self.places.get(&id)) {
            Some(place) => file.rows.push((*place, row.error.map(Box::new))),
            None => file.foreign += 1,
        }
    }

    /// Takes a file that was read to its end.
    pub(super) fn take(&mut self, which: Results, file: File) {
        self.foreign += file.foreign;
        for (place, error) in file.rows {
            let new = match which {
                Results::Successful => Said::Updated,
                Results::Failed => Said::Failed(Box::new(error.map_or_else(unnamed, |e| *e))),
                Results::Unprocessed => Said::Unprocessed,
            };
            let said = &mut self.said[place as usize];
            *said = match (std::mem::replace(said, Said::Nothing), new) {
                (Said::Nothing, new) => new,
                // The same said twice is the same.
                (Said::Updated, Said::Updated) => Said::Updated,
                (Said::Failed(error), Said::Failed(_)) => Said::Failed(error),
                (Said::Unprocessed, Said::Unprocessed) => Said::Unprocessed,
                _ => Said::Contradiction,
            };
        }
    }
}

fn unnamed() -> RecordError {
    RecordError {
        code: "UNKNOWN".to_owned(),
        message: "Salesforce gave no reason".to_owned(),
        fields: Vec::new(),
        retry: false,
        stop: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::tests::fake::lock_error;
    use crate::apply::tests::plans::id;

    #[test]
    fn what_two_files_say_differently_is_a_contradiction_and_strangers_are_counted() {
        let mut account = Account::new((0..4u32).map(|n| (id(n as usize), n)).collect());
        let read = |account: &mut Account, which, rows: &[Option<usize>]| {
            let mut file = File::default();
            for row in rows {
                let error = (which == Results::Failed).then(lock_error);
                account.row(&mut file, JobRow { id: row.map(id), error });
            }
            account.take(which, file);
        };
        read(&mut account, Results::Successful, &[Some(2), Some(0), Some(2), Some(99)]);
        read(&mut account, Results::Failed, &[Some(1), Some(1), Some(0), None]);
        assert_eq!(
            account.said,
            [Said::Contradiction, Said::Failed(Box::new(lock_error())), Said::Updated, Said::Nothing]
        );
        assert_eq!(account.foreign, 2);
    }
}
