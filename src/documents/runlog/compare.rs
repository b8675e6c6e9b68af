//! Two runs held against one another: what was decided otherwise, counted otherwise, ended otherwise. Names, ids and counts only.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CellCounts, FieldTally, GuardLine, Outcome, OutcomesLine, RecordCounts, RowCounts, RunLog, Status};
use crate::model::{FieldName, RecordId};
use crate::plan::RowOutcome;

/// Records and rows that are listed; all are counted.
const LISTED: usize = 1_000;

/// What differs between two runs, the first and the second.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "Two Footbridge runs compared")]
pub struct RunsDiff {
    /// Always `footbridge runs-diff/1`.
    #[schemars(extend("const" = "footbridge runs-diff/1"))]
    pub format: String,
    /// The first run.
    pub a: Side,
    /// The second run.
    pub b: Side,
    /// Facts that differ: report, object, org, user, versions, how it ended.
    pub facts: Vec<FactChange>,
    /// What went into the plan and came out of it: is it the same?
    pub digests: Vec<DigestChange>,
    /// Counts of the ledgers that differ.
    pub counts: Vec<CountChange>,
    /// Mapped fields that differ.
    pub fields: Vec<FieldChange>,
    /// Columns of the report that only the first run's has.
    pub columns_gone: Vec<String>,
    /// Columns of the report that only the second run's has.
    pub columns_new: Vec<String>,
    /// Guards that said something else.
    pub guards: Vec<GuardChange>,
    /// Records that ended otherwise, where one of the runs did not update them.
    pub records: RecordsChange,
    /// Rows that ended otherwise.
    pub rows: RowsChange,
}

/// One of the two runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Side {
    /// The run's id.
    pub id: String,
    /// The integration.
    pub integration: String,
    /// `sandbox` or `production`.
    pub environment: String,
    /// The org's id.
    pub org_id: String,
    /// Start (UTC).
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub start: Timestamp,
    /// `Completed` or `Failed`.
    pub status: Status,
    /// The outcomes file is not there any more (`runs prune`): what needs it is left out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pruned: bool,
}

/// A fact that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FactChange {
    /// Which.
    pub what: String,
    /// In the first run.
    pub a: Option<String>,
    /// In the second.
    pub b: Option<String>,
}

/// A digest of both runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DigestChange {
    /// `configuration`, `report`, `definitions`, `inputs` or `changes`.
    pub what: String,
    /// Is it the same? Absent where a run has none.
    pub same: Option<bool>,
}

/// A count that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CountChange {
    /// `rows`, `cells`, `records` or `calls`; in a field, the field's own.
    pub ledger: String,
    /// Which.
    pub what: String,
    /// In the first run.
    pub a: u64,
    /// In the second.
    pub b: u64,
}

/// A mapped field that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldChange {
    /// API name.
    pub field: String,
    /// `added`, `removed` or `changed`.
    pub change: String,
    /// The column in the first run, where it is mapped there.
    pub column_a: Option<String>,
    /// The column in the second run, where it is mapped there.
    pub column_b: Option<String>,
    /// Counts that differ.
    pub counts: Vec<CountChange>,
}

/// A guard that said something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GuardChange {
    /// The guard.
    pub name: String,
    /// In the first run.
    pub a: Option<GuardLine>,
    /// In the second.
    pub b: Option<GuardLine>,
}

/// Records of which one run at least did not write what it planned.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecordsChange {
    /// Not updated in the first run; updated, or not planned any more, in the second.
    pub mended: u64,
    /// Updated or not planned in the first run, and not updated in the second.
    pub broken: u64,
    /// Not updated in both, for another reason.
    pub otherwise: u64,
    /// Not updated in both, for the same reason.
    pub still: u64,
    /// The first of them that changed, in the second run's order, then the first's.
    pub listed: Vec<RecordChange>,
}

/// One such record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecordChange {
    /// The record.
    #[schemars(with = "String")]
    pub record: RecordId,
    /// Its end in the first run (`failed: UNABLE_TO_LOCK_ROW`); absent where it was not planned.
    pub a: Option<String>,
    /// Its end in the second.
    pub b: Option<String>,
}

/// Rows that ended otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RowsChange {
    /// `row`: both runs read the same report, so rows are compared by their number. `record`: the reports differ, so only rows with a record can be
    /// compared, by that record.
    pub by: String,
    /// How many went from which end to which.
    pub moved: Vec<RowsMoved>,
    /// The first of them.
    pub listed: Vec<RowChange>,
}

/// Rows that went from one end to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RowsMoved {
    /// In the first run.
    pub a: String,
    /// In the second.
    pub b: String,
    /// How many.
    pub count: u64,
}

/// A row that ended otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RowChange {
    /// The row's number, where rows are compared by it.
    pub row: Option<u64>,
    /// The record, where rows are compared by it.
    #[schemars(with = "Option<String>")]
    pub record: Option<RecordId>,
    /// In the first run.
    pub a: String,
    /// In the second.
    pub b: String,
}

/// What a run's outcome lines say, as far as two runs are compared: an end a record and a row.
#[derive(Debug, Default)]
pub struct RunEnds {
    records: HashMap<RecordId, u32>,
    rows: HashMap<u64, (RowOutcome, Option<RecordId>)>,
    /// Ends in words, each once.
    words: Vec<String>,
    numbers: HashMap<String, u32>,
}

const UPDATED: u32 = 0;

impl RunEnds {
    /// Nothing yet.
    pub fn new() -> Self {
        let mut ends = Self::default();
        ends.number("updated".to_owned());
        ends
    }

    fn number(&mut self, words: String) -> u32 {
        if let Some(number) = self.numbers.get(&words) {
            return *number;
        }
        let number = u32::try_from(self.words.len()).unwrap_or(u32::MAX);
        self.words.push(words.clone());
        self.numbers.insert(words, number);
        number
    }

    /// Takes a line.
    pub fn line(&mut self, line: &OutcomesLine) {
        match line {
            OutcomesLine::Head(_) => {}
            OutcomesLine::Record(line) => {
                let end = match line.outcome {
                    Outcome::Updated => UPDATED,
                    outcome => {
                        let why = match outcome {
                            Outcome::Failed => line.problems.first().map(|p| p.code.clone()),
                            Outcome::Drifted if line.already_there => Some("already there".to_owned()),
                            Outcome::NotAttempted => line.reason.as_ref().map(|r| r.sentence().to_owned()),
                            _ => None,
                        };
                        let why = why.map(|why| format!(": {why}")).unwrap_or_default();
                        self.number(format!("{}{why}", outcome.as_str().replace('_', " ")))
                    }
                };
                self.records.insert(line.record, end);
                self.rows.insert(line.row, (RowOutcome::Planned, Some(line.record)));
            }
            OutcomesLine::Row(line) => {
                let record = match line.records.as_slice() {
                    [one] => Some(*one),
                    _ => None,
                };
                if line.outcome != RowOutcome::Planned {
                    self.rows.insert(line.row, (line.outcome, record));
                }
            }
        }
    }

    fn end(&self, record: &RecordId) -> Option<(u32, &str)> {
        let end = *self.records.get(record)?;
        Some((end, self.words[end as usize].as_str()))
    }
}

fn side(log: &RunLog, ends: Option<&RunEnds>) -> Side {
    Side {
        id: log.id.clone(),
        integration: log.integration.clone(),
        environment: log.environment.as_str().to_owned(),
        org_id: log.org_id.as_str().to_owned(),
        start: log.start,
        status: log.status,
        pruned: ends.is_none(),
    }
}

fn facts(a: &RunLog, b: &RunLog) -> Vec<FactChange> {
    let of = |log: &RunLog| {
        let stops = |limit: Option<u64>| limit.map(|n| n.to_string());
        let commit = |log: &RunLog| {
            let more = if log.uncommitted { " and changes" } else { "" };
            log.commit.as_ref().map(|commit| format!("{commit}{more}"))
        };
        [
            ("integration", Some(log.integration.clone())),
            ("report", Some(log.report.name.clone())),
            ("source", Some(log.report.source.clone())),
            ("report size", log.report.bytes.map(|b| b.to_string())),
            ("report time", log.report.modified.map(|m| m.to_string())),
            ("object", Some(log.object.as_str().to_owned())),
            ("org", Some(log.org.clone())),
            ("org id", Some(log.org_id.as_str().to_owned())),
            ("environment", Some(log.environment.as_str().to_owned())),
            ("user", log.user.clone()),
            ("started by", Some(log.trigger.as_str().to_owned())),
            ("status", Some(log.status.as_str().to_owned())),
            ("ended because", Some(log.exit.sentence().to_owned())),
            ("--limit", stops(log.stops_after.limit)),
            ("--records", stops(log.stops_after.records)),
            ("commit", commit(log)),
            ("Footbridge", Some(log.versions.footbridge.clone())),
            ("API version", Some(log.versions.api.clone())),
        ]
    };
    let both = of(a).into_iter().zip(of(b));
    both.filter(|((_, a), (_, b))| a != b)
        .map(|((what, a), (_, b))| FactChange { what: what.to_owned(), a, b })
        .collect()
}

fn digests(a: &RunLog, b: &RunLog) -> Vec<DigestChange> {
    let of =
        |log: &RunLog| log.digests.clone().map(|d| [d.configuration, d.report, d.definitions, d.inputs, d.changes]);
    let (a, b) = (of(a), of(b));
    ["configuration", "report", "definitions", "inputs", "changes"]
        .into_iter()
        .enumerate()
        .map(|(at, what)| {
            let same = a.as_ref().zip(b.as_ref()).map(|(a, b)| a[at] == b[at]);
            DigestChange { what: what.to_owned(), same }
        })
        .collect()
}

type Counted = Vec<(&'static str, u64)>;

fn row_counts(c: &RowCounts) -> Counted {
    let mut all = vec![("rows", c.rows)];
    all.extend(RowOutcome::ALL.into_iter().map(|o| (o.as_str(), c.of(o))));
    all
}

fn cell_counts(c: &CellCounts) -> Counted {
    vec![
        ("cells", c.cells),
        ("change", c.change),
        ("same", c.same),
        ("kept_blank", c.kept_blank),
        ("kept_policy", c.kept_policy),
        ("refused", c.refused),
    ]
}

fn record_counts(c: &RecordCounts) -> Counted {
    vec![
        ("records", c.records),
        ("updated", c.updated),
        ("failed", c.failed),
        ("drifted", c.drifted),
        ("not_attempted", c.not_attempted),
        ("unknown", c.unknown),
    ]
}

fn field_counts(f: &FieldTally) -> Counted {
    let mut all = vec![
        ("fill", f.fill),
        ("overwrite", f.overwrite),
        ("clear", f.clear),
        ("same", f.same),
        ("kept", f.kept),
        ("refused", f.refused.values().sum()),
    ];
    all.extend(f.blank.map(|blank| ("blank in the report", blank)));
    all
}

fn changed(ledger: &str, a: Counted, b: Counted) -> Vec<CountChange> {
    let a: BTreeMap<&str, u64> = a.into_iter().collect();
    b.into_iter()
        .filter_map(|(what, b)| {
            let a = *a.get(what)?;
            (a != b).then(|| CountChange { ledger: ledger.to_owned(), what: what.to_owned(), a, b })
        })
        .collect()
}

fn fields(a: &RunLog, b: &RunLog) -> Vec<FieldChange> {
    fn find<'l>(log: &'l RunLog, field: &FieldName) -> Option<&'l FieldTally> {
        log.fields.iter().find(|f| f.field == *field)
    }
    let mut names: Vec<&FieldName> = a.fields.iter().map(|f| &f.field).collect();
    names.extend(b.fields.iter().map(|f| &f.field).filter(|field| find(a, field).is_none()));
    names
        .into_iter()
        .filter_map(|field| {
            let (was, is) = (find(a, field), find(b, field));
            let counts = match (was, is) {
                (Some(was), Some(is)) => changed(field.as_str(), field_counts(was), field_counts(is)),
                _ => Vec::new(),
            };
            let column = |tally: Option<&FieldTally>| tally.map(|t| t.column.clone());
            let change = match (was, is) {
                (Some(_), None) => "removed",
                (None, _) => "added",
                (Some(was), Some(is)) if was.column == is.column && counts.is_empty() => return None,
                _ => "changed",
            };
            Some(FieldChange {
                field: field.as_str().to_owned(),
                change: change.to_owned(),
                column_a: column(was),
                column_b: column(is),
                counts,
            })
        })
        .collect()
}

fn guards(a: &RunLog, b: &RunLog) -> Vec<GuardChange> {
    let find = |log: &RunLog, name: &str| log.guards.iter().find(|g| g.name == name).cloned();
    let mut names: Vec<&str> = a.guards.iter().chain(&b.guards).map(|g| g.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let changes =
        names.into_iter().map(|name| GuardChange { name: name.to_owned(), a: find(a, name), b: find(b, name) });
    changes.filter(|change| change.a != change.b).collect()
}

/// How a record ended in a run: the outcome's number, and its code.
type Ended<'a> = Option<(u32, &'a str)>;

fn records(a: &RunEnds, b: &RunEnds) -> RecordsChange {
    let mut found = RecordsChange::default();
    let mut all: Vec<(RecordId, Ended<'_>, Ended<'_>)> =
        b.records.keys().map(|record| (*record, a.end(record), b.end(record))).collect();
    all.extend(a.records.keys().filter(|r| !b.records.contains_key(r)).map(|r| (*r, a.end(r), None)));
    all.sort_unstable_by_key(|(record, ..)| *record);
    for (record, was, is) in all {
        let failed = |end: Ended<'_>| end.is_some_and(|(number, _)| number != UPDATED);
        let count = match (failed(was), failed(is)) {
            (false, false) => continue,
            (true, false) => &mut found.mended,
            (false, true) => &mut found.broken,
            (true, true) if was.map(|w| w.1) == is.map(|i| i.1) => {
                found.still += 1;
                continue;
            }
            (true, true) => &mut found.otherwise,
        };
        *count += 1;
        if found.listed.len() < LISTED {
            let words = |end: Option<(u32, &str)>| end.map(|(_, words)| words.to_owned());
            found.listed.push(RecordChange { record, a: words(was), b: words(is) });
        }
    }
    found
}

fn rows(a: &RunEnds, b: &RunEnds, same_report: bool) -> RowsChange {
    let mut moved: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    let mut listed = Vec::new();
    let mut take = |row: Option<u64>, record: Option<RecordId>, was: &'static str, is: &'static str| {
        if was != is {
            *moved.entry((was, is)).or_insert(0) += 1;
            if listed.len() < LISTED {
                listed.push(RowChange { row, record, a: was.to_owned(), b: is.to_owned() });
            }
        }
    };
    if same_report {
        // A row without a line is one that agreed.
        let end =
            |ends: &RunEnds, row: &u64| ends.rows.get(row).map_or(RowOutcome::Unchanged, |(end, _)| *end).as_str();
        let mut all: Vec<u64> = a.rows.keys().chain(b.rows.keys()).copied().collect();
        all.sort_unstable();
        all.dedup();
        all.iter().for_each(|row| take(Some(*row), None, end(a, row), end(b, row)));
    } else {
        let by_record = |ends: &RunEnds| -> HashMap<RecordId, &'static str> {
            ends.rows.values().filter_map(|(end, record)| Some(((*record)?, end.as_str()))).collect()
        };
        let (was, is) = (by_record(a), by_record(b));
        let mut all: Vec<RecordId> = was.keys().chain(is.keys()).copied().collect();
        all.sort_unstable();
        all.dedup();
        const NONE: &str = "unchanged, or not in the report";
        all.iter().for_each(|r| {
            take(None, Some(*r), was.get(r).copied().unwrap_or(NONE), is.get(r).copied().unwrap_or(NONE))
        });
    }
    RowsChange {
        by: if same_report { "row" } else { "record" }.to_owned(),
        moved: moved.into_iter().map(|((a, b), count)| RowsMoved { a: a.to_owned(), b: b.to_owned(), count }).collect(),
        listed,
    }
}

impl RunsDiff {
    /// Of two runs, with their ends where they are kept.
    pub fn of(a: (&RunLog, Option<&RunEnds>), b: (&RunLog, Option<&RunEnds>)) -> Self {
        let ((log_a, ends_a), (log_b, ends_b)) = (a, b);
        let digests = digests(log_a, log_b);
        let same_report = digests.iter().any(|d| d.what == "report" && d.same == Some(true));
        let mut counts = changed("rows", row_counts(&log_a.rows), row_counts(&log_b.rows));
        counts.extend(changed("cells", cell_counts(&log_a.cells), cell_counts(&log_b.cells)));
        counts.extend(changed("records", record_counts(&log_a.records), record_counts(&log_b.records)));
        counts.extend(changed("calls", vec![("total", log_a.calls.total)], vec![("total", log_b.calls.total)]));
        let (had, has) = (&log_a.report.columns, &log_b.report.columns);
        // Older logs do not say their columns.
        let known = !had.is_empty() && !has.is_empty();
        let only = |here: &[String], there: &[String]| -> Vec<String> {
            here.iter().filter(|c| known && !there.contains(c)).cloned().collect()
        };
        let ends = ends_a.zip(ends_b);
        Self {
            format: "footbridge runs-diff/1".to_owned(),
            a: side(log_a, ends_a),
            b: side(log_b, ends_b),
            facts: facts(log_a, log_b),
            digests,
            counts,
            fields: fields(log_a, log_b),
            columns_gone: only(had, has),
            columns_new: only(has, had),
            guards: guards(log_a, log_b),
            records: ends.map(|(a, b)| records(a, b)).unwrap_or_default(),
            rows: ends.map(|(a, b)| rows(a, b, same_report)).unwrap_or_default(),
        }
    }

    /// Nothing differs but the time.
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
            && self.counts.is_empty()
            && self.fields.is_empty()
            && self.guards.is_empty()
            && self.columns_gone.is_empty()
            && self.columns_new.is_empty()
            && self.records.listed.is_empty()
            && self.rows.moved.is_empty()
            && self.digests.iter().all(|d| d.same == Some(true))
    }
}
