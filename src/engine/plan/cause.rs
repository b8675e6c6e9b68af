//! Why a change is planned: because of this branch, or it would happen anyway. The plan that the base's mapping makes is the measure: what both plan
//! alike would happen anyway; by what is known of the cell from runs before, because the report is new or because the org moved.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use schemars::JsonSchema;
use serde::Serialize;

use super::{CellChange, ChangeKind, Entry, Header, RowOutcome, Watch};
use crate::model::{Digest, FieldName, FieldType, RecordId};

/// What the base's mapping would do: sixteen bytes a cell, eight a row.
#[derive(Debug, Default)]
pub struct Baseline {
    report: Option<Digest>,
    types: BTreeMap<FieldName, FieldType>,
    /// By the cell's place, what it would hold.
    cells: HashMap<u64, u64>,
    rows: HashSet<u64>,
    planned: BTreeMap<FieldName, u64>,
}

fn key(what: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

impl Baseline {
    /// A number for a record's field, if the base would change it.
    pub fn place(&self, record: RecordId, field: &FieldName) -> Option<u64> {
        let place = key((Some(record), field));
        self.cells.contains_key(&place).then_some(place)
    }

    /// How many cells the base would change.
    pub fn cells(&self) -> usize {
        self.cells.len()
    }

    /// The type of a field that the base writes.
    pub fn field_type(&self, field: &FieldName) -> Option<&FieldType> {
        self.types.get(field)
    }

    fn would(&self, entry: &Entry, cell: &CellChange) -> bool {
        self.cells.get(&key((entry.record, &cell.field))) == Some(&key(&cell.after))
    }
}

impl Watch for Baseline {
    fn header(&mut self, header: &Header) {
        self.report = Some(header.digests.report.clone());
        self.types = header.fields.iter().map(|head| (head.field.clone(), head.field_type.clone())).collect();
    }

    fn entry(&mut self, entry: &Entry) {
        self.rows.insert(key((entry.row, entry.outcome)));
        for cell in &entry.cells {
            if self.cells.insert(key((entry.record, &cell.field)), key(&cell.after)).is_none() {
                *self.planned.entry(cell.field.clone()).or_default() += 1;
            }
        }
    }
}

/// Why a cell would change anyway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Past {
    /// It holds what the last run wrote: the report says something else now.
    NewReport,
    /// It holds something else than the last run wrote.
    OrgMoved,
    /// What a run wrote there is not known.
    NotKnown,
}

/// Knows what runs before wrote.
pub trait History {
    /// Of a cell that would change anyway. Asked once a cell.
    fn past(&mut self, record: RecordId, cell: &CellChange) -> Past;
}

/// Counted by cause.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
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

/// Cells that would change anyway, by what is behind it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Anyway {
    /// They hold what the last run wrote: the report is new.
    pub new_report: u64,
    /// They hold something else: the org moved.
    pub org_moved: u64,
    /// What a run wrote there is not known.
    pub not_known: u64,
}

impl Anyway {
    fn add(&mut self, past: Past) {
        match past {
            Past::NewReport => self.new_report += 1,
            Past::OrgMoved => self.org_moved += 1,
            Past::NotKnown => self.not_known += 1,
        }
    }

    /// Those of which it is known.
    pub fn known(self) -> u64 {
        self.new_report + self.org_moved
    }
}

/// A plan's changes by cause.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Causes {
    /// Cells by field and kind of change.
    pub fields: BTreeMap<FieldName, BTreeMap<ChangeKind, Share>>,
    /// Records: with a change of this branch, and without one.
    pub records: Share,
    /// All cells.
    pub cells: Share,
    /// The cells that would change anyway, by what is behind it.
    pub anyway: Anyway,
    /// The same by field.
    pub anyway_fields: BTreeMap<FieldName, Anyway>,
    /// Rows that cannot be used, by outcome.
    pub rows: BTreeMap<RowOutcome, Share>,
    /// Cells that the base would change, and this branch does not, or to another value; by field.
    pub gone: BTreeMap<FieldName, u64>,
}

/// Watches a plan, counts its changes by cause, and hands on those of this branch.
pub struct Split<'w> {
    baseline: Option<&'w Baseline>,
    history: Option<&'w mut dyn History>,
    same_report: bool,
    next: &'w mut dyn Watch,
    causes: Causes,
    kept: BTreeMap<FieldName, u64>,
}

impl<'w> Split<'w> {
    /// Against a baseline; without one, everything is this branch's.
    pub fn new(baseline: Option<&'w Baseline>, next: &'w mut dyn Watch) -> Self {
        let (causes, kept) = (Causes::default(), BTreeMap::new());
        Self { baseline, history: None, same_report: false, next, causes, kept }
    }

    /// Asks this of the cells that would change anyway; of whom nobody is asked, nothing is known.
    #[must_use]
    pub fn with_history(self, history: Option<&'w mut dyn History>) -> Self {
        Self { history, ..self }
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
        let Self { baseline, history, same_report, causes, kept, .. } = self;
        if entry.outcome != RowOutcome::Planned {
            let anyway = *same_report && baseline.is_some_and(|b| b.rows.contains(&key((entry.row, entry.outcome))));
            causes.rows.entry(entry.outcome).or_default().add(anyway);
            return self.next.entry(entry);
        }
        let mut own = Vec::new();
        for cell in &entry.cells {
            let anyway = baseline.is_some_and(|b| b.would(entry, cell));
            causes.fields.entry(cell.field.clone()).or_default().entry(cell.kind).or_default().add(anyway);
            causes.cells.add(anyway);
            if anyway {
                *kept.entry(cell.field.clone()).or_default() += 1;
                let past = match (history.as_mut(), entry.record) {
                    (Some(history), Some(record)) => history.past(record, cell),
                    _ => Past::NotKnown,
                };
                causes.anyway.add(past);
                causes.anyway_fields.entry(cell.field.clone()).or_default().add(past);
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

    #[test]
    fn what_would_happen_anyway_is_asked_of_the_history_and_nothing_else_is() {
        struct Asked(Vec<String>);
        impl History for Asked {
            fn past(&mut self, _: RecordId, cell: &CellChange) -> Past {
                self.0.push(cell.after.clone().unwrap());
                [Past::NewReport, Past::OrgMoved, Past::NotKnown][(self.0.len() - 1) % 3]
            }
        }
        let mut base = Baseline::default();
        let entries = [1, 2, 3].map(|n| planned(n, &[("A__c", "x"), ("B__c", "1")]));
        entries.iter().for_each(|e| base.entry(e));
        assert_eq!(base.cells(), 6);
        let record = entries[0].record.unwrap();
        assert!(base.place(record, &field("a__C")).is_some() && base.place(record, &field("C__c")).is_none());
        let mut asked = Asked(Vec::new());
        let mut seen = Seen::default();
        let mut split = Split::new(Some(&base), &mut seen).with_history(Some(&mut asked));
        [1, 2, 3].map(|n| planned(n, &[("A__c", "x"), ("B__c", "2")])).iter().for_each(|e| split.entry(e));
        let causes = split.finish();
        let each = Anyway { new_report: 1, org_moved: 1, not_known: 1 };
        assert_eq!((causes.anyway, causes.cells), (each, Share { branch: 3, anyway: 3 }));
        assert_eq!(causes.anyway_fields, BTreeMap::from([(field("A__c"), each)]));
        assert_eq!(asked.0, ["x", "x", "x"], "what is this branch's has no past");
        // Nobody to ask: nothing is known.
        let mut split = Split::new(Some(&base), &mut seen);
        split.entry(&entries[0]);
        assert_eq!(split.finish().anyway, Anyway { not_known: 2, ..Anyway::default() });
    }
}
