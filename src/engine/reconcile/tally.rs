//! What is counted while rows resolve: by each thread for itself, added up at the end.

use super::guards::Forbidden;
use super::{DuplicateRows, Inputs, OnBadValue, SeveralRecords};
use crate::model::Digest;
use crate::plan::{ChangeKind, FieldCounts, Header, RowLedger, RowOutcome, Summary};

/// Counts of some rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    rows: [u64; RowOutcome::ALL.len()],
    pub(super) matched: u64,
    pub(super) records: u64,
    pub(super) records_refused: u64,
    pub(super) by_kind: [u64; ChangeKind::ALL.len()],
    pub(super) kept_blank: u64,
    pub(super) kept_policy: u64,
    /// Records of which every cell agrees; in no other count.
    pub(super) agreeing: u64,
    /// By the index of the field; without the changes, and cells that are the same.
    pub(super) fields: Vec<FieldCounts>,
    /// Cells that are the same, of records that do not wholly agree: by the index of the field.
    pub(super) same: Vec<u64>,
    /// By the index of the field, and of the kind among all.
    pub(super) changes: Vec<[u64; ChangeKind::ALL.len()]>,
    pub(super) forbidden: Forbidden,
}

/// Where an outcome stands among all.
pub(super) fn place(outcome: RowOutcome) -> usize {
    RowOutcome::ALL.iter().position(|o| *o == outcome).unwrap_or_default()
}

fn add(sum: &mut Option<u64>, more: Option<u64>) {
    *sum = match (*sum, more) {
        (None, None) => None,
        (a, b) => Some(a.unwrap_or(0) + b.unwrap_or(0)),
    };
}

impl Tally {
    /// Nothing yet. What a policy forbids is counted from 0.
    pub(super) fn new(inputs: &Inputs) -> Self {
        let from_0 = |forbids: bool| forbids.then_some(0);
        Self {
            fields: vec![FieldCounts::default(); inputs.fields.len()],
            same: vec![0; inputs.fields.len()],
            changes: vec![Default::default(); inputs.fields.len()],
            forbidden: Forbidden {
                duplicate_rows: from_0(matches!(inputs.duplicate_rows, DuplicateRows::Fail)),
                several_records: from_0(inputs.several_records == SeveralRecords::Fail),
                bad_values: from_0(inputs.fields.iter().any(|f| f.on_bad_value == OnBadValue::Fail)),
            },
            ..Self::default()
        }
    }

    /// So many rows ended so.
    pub(super) fn row(&mut self, outcome: RowOutcome, count: u64) {
        self.rows[place(outcome)] += count;
    }

    /// Adds another's counts.
    pub(super) fn merge(&mut self, other: &Self) {
        self.rows.iter_mut().zip(other.rows).for_each(|(a, b)| *a += b);
        self.by_kind.iter_mut().zip(other.by_kind).for_each(|(a, b)| *a += b);
        self.matched += other.matched;
        self.records += other.records;
        self.records_refused += other.records_refused;
        self.kept_blank += other.kept_blank;
        self.kept_policy += other.kept_policy;
        self.agreeing += other.agreeing;
        for (a, b) in self.fields.iter_mut().zip(&other.fields) {
            a.kept += b.kept;
            b.refused.iter().for_each(|(code, count)| *a.refused.entry(code.clone()).or_insert(0) += count);
        }
        self.same.iter_mut().zip(&other.same).for_each(|(a, b)| *a += b);
        for (a, b) in self.changes.iter_mut().flatten().zip(other.changes.iter().flatten()) {
            *a += b;
        }
        add(&mut self.forbidden.duplicate_rows, other.forbidden.duplicate_rows);
        add(&mut self.forbidden.several_records, other.forbidden.several_records);
        add(&mut self.forbidden.bad_values, other.forbidden.bad_values);
    }

    /// The plan's summary, without guards and digests.
    pub(super) fn summary(mut self, inputs: &Inputs, header: &Header, rows: u64) -> (Summary, Forbidden) {
        let nothing = || Digest::of(b"");
        let mut summary = Summary {
            rows: RowLedger { rows, ..RowLedger::default() },
            cells: Default::default(),
            matched: self.matched + self.agreeing,
            records: self.records,
            records_refused: self.records_refused,
            records_by_kind: Default::default(),
            fields: header.fields.iter().map(|f| (f.field.clone(), FieldCounts::default())).collect(),
            guards: Vec::new(),
            inputs: nothing(),
            changes: nothing(),
        };
        for (outcome, count) in RowOutcome::ALL.into_iter().zip(self.rows) {
            summary.rows.outcomes.insert(outcome, count);
        }
        for (kind, count) in ChangeKind::ALL.into_iter().zip(self.by_kind).filter(|(_, count)| *count > 0) {
            summary.records_by_kind.insert(kind, count);
        }
        summary.cells.cells = summary.matched * inputs.fields.len() as u64;
        summary.cells.kept_blank = self.kept_blank;
        summary.cells.kept_policy = self.kept_policy;
        let counts = self.fields.drain(..).zip(self.same.iter().zip(&self.changes));
        for (field, (mut counts, (same, changes))) in inputs.fields.iter().zip(counts) {
            counts.same = same + self.agreeing;
            let changes = ChangeKind::ALL.into_iter().zip(changes.iter().copied());
            counts.changes = changes.filter(|(_, count)| *count > 0).collect();
            summary.cells.same += counts.same;
            summary.cells.change += counts.changes.values().sum::<u64>();
            summary.cells.refused += counts.refused.values().sum::<u64>();
            summary.fields.insert(field.name.clone(), counts);
        }
        (summary, self.forbidden)
    }
}
