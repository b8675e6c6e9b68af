//! Checks that every plan must pass, in tests and before every apply. One that fails is a bug in Footbridge.

use super::{Entry, Header, RowOutcome, Summary};
use crate::model::RecordId;

/// A promise of the plan that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The row ledger does not add up.
    #[error("the report rows do not add up: {counted} of {rows} are accounted for")]
    Rows {
        /// Rows that came in.
        rows: u64,
        /// Rows that ended somewhere.
        counted: u64,
    },
    /// The cell ledger does not add up.
    #[error("the cells do not add up")]
    Cells,
    /// A record occurs twice.
    #[error("record {0} occurs twice")]
    Twice(RecordId),
    /// The counted records are not the listed ones.
    #[error("{listed} records are listed, {counted} counted")]
    Records {
        /// Planned entries.
        listed: u64,
        /// The summary's figure.
        counted: u64,
    },
    /// A planned entry without a change, or a change that changes nothing.
    #[error("row {0} is planned but changes nothing")]
    Idle(u64),
    /// Entries are not by row, then record.
    #[error("row {0} is out of order")]
    Order(u64),
    /// A cell is of a field that is not mapped.
    #[error("row {0} writes a field that is not mapped")]
    Unmapped(u64),
}

impl Broken {
    /// What does not hold of the counts, given how many planned entries there are.
    pub(super) fn ledgers(summary: &Summary, listed: u64) -> Vec<Self> {
        let mut found = Vec::new();
        let rows = &summary.rows;
        if !rows.balances() {
            found.push(Broken::Rows { rows: rows.rows, counted: rows.outcomes.values().sum() });
        }
        if !summary.cells.balances() {
            found.push(Broken::Cells);
        }
        if listed != summary.records {
            found.push(Broken::Records { listed, counted: summary.records });
        }
        found
    }
}

/// Entries are checked one by one as they go by. What has to be remembered is 15 bytes a planned record.
#[derive(Default)]
pub(super) struct Checks {
    last: Option<(u64, Option<RecordId>)>,
    ids: Vec<[u8; 15]>,
    found: Vec<Broken>,
}

impl Checks {
    /// A forged file can break as many promises as it has lines.
    const MOST: usize = 100;

    pub(super) fn entry(&mut self, header: &Header, entry: &Entry) {
        let place = (entry.row, entry.record);
        if self.last.is_some_and(|last| last >= place) {
            self.tell(Broken::Order(entry.row));
        }
        self.last = Some(place);
        if entry.outcome != RowOutcome::Planned {
            return;
        }
        match entry.record {
            Some(id) => self.ids.push(id.fifteen()),
            None => self.tell(Broken::Idle(entry.row)),
        }
        if entry.cells.is_empty() || entry.cells.iter().any(|c| c.before == c.after) {
            self.tell(Broken::Idle(entry.row));
        }
        if entry.cells.iter().any(|c| header.field(&c.field).is_none()) {
            self.tell(Broken::Unmapped(entry.row));
        }
    }

    fn tell(&mut self, broken: Broken) {
        if self.found.len() < Self::MOST {
            self.found.push(broken);
        }
    }

    pub(super) fn finish(mut self) -> Vec<Broken> {
        let mut ids = std::mem::take(&mut self.ids);
        ids.sort_unstable();
        for pair in ids.windows(2).filter(|pair| pair[0] == pair[1]) {
            if let Ok(id) = RecordId::parse(&String::from_utf8_lossy(&pair[0])) {
                self.tell(Broken::Twice(id));
            }
        }
        self.found
    }
}
