//! Why a change is planned: because of this branch, or it would happen anyway. The plan that the base's mapping makes is the measure: what both plan
//! alike would happen anyway.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Serialize;

use super::{ChangeKind, Entry, Header, RowOutcome, Watch};
use crate::model::{Digest, FieldName};

/// What the base's mapping would do: eight bytes a cell and a row.
#[derive(Debug, Default)]
pub struct Baseline {
    report: Option<Digest>,
    cells: HashSet<u64>,
    rows: HashSet<u64>,
    planned: BTreeMap<FieldName, u64>,
}

fn key(what: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

/// The cells that an entry changes, each by its key.
fn cells(entry: &Entry) -> impl Iterator<Item = (u64, &super::CellChange)> {
    let record = entry.record;
    entry.cells.iter().map(move |cell| (key((record, cell.field.as_str(), &cell.after)), cell))
}

impl Watch for Baseline {
    fn header(&mut self, header: &Header) {
        self.report = Some(header.digests.report.clone());
    }

    fn entry(&mut self, entry: &Entry) {
        self.rows.insert(key((entry.row, entry.outcome)));
        for (key, cell) in cells(entry) {
            if self.cells.insert(key) {
                *self.planned.entry(cell.field.clone()).or_default() += 1;
            }
        }
    }
}

/// Counted by cause.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Share {
    /// Because of this branch.
    pub branch: u64,
    /// The base would do it, too.
    pub anyway: u64,
}

impl Share {
    fn add(&mut self, anyway: bool) {
        if anyway {
            self.anyway += 1;
        } else {
            self.branch += 1;
        }
    }
}

/// A plan's changes by cause.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Causes {
    /// Cells by field and kind of change.
    pub fields: BTreeMap<FieldName, BTreeMap<ChangeKind, Share>>,
    /// Records: with a change of this branch, and without one.
    pub records: Share,
    /// All cells.
    pub cells: Share,
    /// Rows that cannot be used, by outcome.
    pub rows: BTreeMap<RowOutcome, Share>,
    /// Cells that the base would change, and this branch does not, or to another value; by field.
    pub gone: BTreeMap<FieldName, u64>,
}

/// Watches a plan, counts its changes by cause, and hands on those of this branch.
pub struct Split<'w> {
    baseline: Option<&'w Baseline>,
    same_report: bool,
    next: &'w mut dyn Watch,
    causes: Causes,
    kept: BTreeMap<FieldName, u64>,
}

impl<'w> Split<'w> {
    /// Against a baseline; without one, everything is this branch's.
    pub fn new(baseline: Option<&'w Baseline>, next: &'w mut dyn Watch) -> Self {
        Self { baseline, same_report: false, next, causes: Causes::default(), kept: BTreeMap::new() }
    }

    /// The counts, once the plan has gone by.
    pub fn finish(mut self) -> Causes {
        for (field, planned) in self.baseline.iter().flat_map(|baseline| &baseline.planned) {
            let gone = planned - self.kept.get(field).copied().unwrap_or(0).min(*planned);
            if gone > 0 {
                self.causes.gone.insert(field.clone(), gone);
            }
        }
        self.causes
    }
}

impl Watch for Split<'_> {
    fn header(&mut self, header: &Header) {
        // Rows are told apart by their numbers, which mean something within one report only.
        self.same_report = self.baseline.is_some_and(|b| b.report.as_ref() == Some(&header.digests.report));
        self.next.header(header);
    }

    fn entry(&mut self, entry: &Entry) {
        let Self { baseline, same_report, causes, kept, .. } = self;
        if entry.outcome != RowOutcome::Planned {
            let anyway = *same_report && baseline.is_some_and(|b| b.rows.contains(&key((entry.row, entry.outcome))));
            causes.rows.entry(entry.outcome).or_default().add(anyway);
            return self.next.entry(entry);
        }
        let mut own = Vec::new();
        for (key, cell) in cells(entry) {
            let anyway = baseline.is_some_and(|b| b.cells.contains(&key));
            causes.fields.entry(cell.field.clone()).or_default().entry(cell.kind).or_default().add(anyway);
            causes.cells.add(anyway);
            if anyway {
                *kept.entry(cell.field.clone()).or_default() += 1;
            } else {
                own.push(cell.clone());
            }
        }
        causes.records.add(own.is_empty());
        if own.len() == entry.cells.len() {
            self.next.entry(entry);
        } else if !own.is_empty() || !entry.refused.is_empty() {
            self.next.entry(&Entry { cells: own, ..entry.clone() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RecordId;
    use crate::plan::CellChange;

    #[derive(Default)]
    struct Seen(Vec<Entry>);
    impl Watch for Seen {
        fn header(&mut self, _: &Header) {}
        fn entry(&mut self, entry: &Entry) {
            self.0.push(entry.clone());
        }
    }

    fn field(name: &str) -> FieldName {
        FieldName::new(name)
    }

    fn planned(row: u64, cells: &[(&str, &str)]) -> Entry {
        let cell = |(name, after): &(&str, &str)| CellChange {
            field: field(name),
            kind: ChangeKind::Fill,
            before: None,
            after: Some((*after).to_owned()),
            note: None,
        };
        Entry {
            record: Some(RecordId::parse(&format!("00Q{row:012}")).unwrap()),
            cells: cells.iter().map(cell).collect(),
            ..Entry::new(row, row + 1, format!("k{row}"), RowOutcome::Planned)
        }
    }

    #[test]
    fn what_both_plan_alike_would_happen_anyway() {
        let mut base = Baseline::default();
        [planned(1, &[("A__c", "x"), ("B__c", "1")]), planned(2, &[("A__c", "y")]), planned(3, &[("A__c", "z")])]
            .iter()
            .for_each(|e| base.entry(e));
        let mut seen = Seen::default();
        let mut split = Split::new(Some(&base), &mut seen);
        // Another value for B of 1; 2 as it was; 3 not any more; 4 is new.
        [planned(1, &[("A__c", "x"), ("B__c", "2")]), planned(2, &[("A__c", "y")]), planned(4, &[("A__c", "w")])]
            .iter()
            .for_each(|e| split.entry(e));
        let causes = split.finish();
        assert_eq!(causes.cells, Share { branch: 2, anyway: 2 });
        assert_eq!(causes.records, Share { branch: 2, anyway: 1 });
        assert_eq!(causes.fields[&field("A__c")][&ChangeKind::Fill], Share { branch: 1, anyway: 2 });
        assert_eq!(causes.gone, BTreeMap::from([(field("A__c"), 1), (field("B__c"), 1)]));
        let shown: Vec<(u64, usize)> = seen.0.iter().map(|e| (e.row, e.cells.len())).collect();
        assert_eq!(shown, [(1, 1), (4, 1)], "only this branch's cells are handed on");
    }

    #[test]
    fn without_a_base_everything_is_this_branchs() {
        let mut seen = Seen::default();
        let mut split = Split::new(None, &mut seen);
        split.entry(&planned(1, &[("A__c", "x")]));
        split.entry(&Entry::new(2, 3, "k".into(), RowOutcome::NoRecord));
        let causes = split.finish();
        assert_eq!((causes.cells.branch, causes.cells.anyway), (1, 0));
        assert_eq!(causes.rows[&RowOutcome::NoRecord], Share { branch: 1, anyway: 0 });
        assert_eq!(seen.0.len(), 2);
    }
}
