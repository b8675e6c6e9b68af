//! Rows that cannot be used and cells that cannot be written, grouped by kind.

use super::build::Sight;
use super::view::{NotableGroup, NotableRow};
use crate::plan::{Entry, FileProblem, Plan, RefusedCell, RowOutcome};
use crate::render::wording::grouped;

/// The kinds that are listed row by row, in this order.
const LISTED: [RowOutcome; 7] = [
    RowOutcome::DuplicateKey,
    RowOutcome::SeveralRecords,
    RowOutcome::BlankKey,
    RowOutcome::BadKey,
    RowOutcome::NoRecord,
    RowOutcome::Converted,
    RowOutcome::OutOfScope,
];

fn title(outcome: RowOutcome, object: &str) -> String {
    match outcome {
        RowOutcome::DuplicateKey => "Duplicate keys: another row of the report has the same key".to_owned(),
        RowOutcome::SeveralRecords => format!("Several {object} records have the key, so none was chosen"),
        RowOutcome::BlankKey => "Blank keys".to_owned(),
        RowOutcome::BadKey => "Keys that cannot be a value of the match field".to_owned(),
        RowOutcome::NoRecord => format!("No {object} record has the key; Footbridge creates none"),
        RowOutcome::Converted => "Converted leads: Salesforce does not allow changes to them".to_owned(),
        RowOutcome::OutOfScope => "Records that `where:` leaves out".to_owned(),
        RowOutcome::Planned | RowOutcome::Unchanged | RowOutcome::Refused => String::new(),
    }
}

/// What belongs to a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    /// Rows that ended so.
    Outcome(RowOutcome),
    /// Cells of a field that cannot be written for one reason.
    Refused { field: String, code: String },
}

impl Key {
    /// The group's rows, from the plan. `hint` is the group's own: rows do not repeat it.
    pub(super) fn rows<'a>(
        &'a self,
        plan: &'a Plan,
        sight: &'a Sight,
        hint: Option<&'a str>,
    ) -> Box<dyn Iterator<Item = Result<NotableRow, FileProblem>> + 'a> {
        match self {
            Key::Outcome(outcome) => Box::new(plan.entries_of(*outcome).map(|entry| Ok(row(&entry?, sight)))),
            Key::Refused { field, code } => Box::new(plan.refused().flat_map(move |entry| match entry {
                Err(problem) => vec![Err(problem)],
                Ok(entry) => {
                    let ours = entry.refused.iter().filter(|c| c.field.as_str() == field && c.code == *code);
                    ours.map(|cell| Ok(refused(cell, &entry, sight, hint))).collect()
                }
            })),
        }
    }
}

/// Groups that grow while the entries go by, each with at most so many rows.
#[derive(Debug)]
pub(super) struct Groups {
    most: usize,
    listed: [Vec<NotableRow>; LISTED.len()],
    refused: Vec<(Key, NotableGroup)>,
}

impl Groups {
    pub(super) fn new(most: usize) -> Self {
        Self { most, listed: Default::default(), refused: Vec::new() }
    }

    pub(super) fn entry(&mut self, entry: &Entry, sight: &Sight) {
        let listed = LISTED.iter().position(|o| *o == entry.outcome).and_then(|at| self.listed.get_mut(at));
        if let Some(rows) = listed.filter(|rows| rows.len() < self.most) {
            rows.push(row(entry, sight));
        }
        for cell in &entry.refused {
            let ours = |key: &Key| matches!(key, Key::Refused { field, code } if field == cell.field.as_str() && *code == cell.code);
            let at = self.refused.iter().position(|(key, _)| ours(key)).unwrap_or_else(|| {
                let group = NotableGroup {
                    kind: "refused_cells".to_owned(),
                    title: format!("Values that cannot be written to {} ({})", cell.field, cell.code),
                    hint: cell.hint.as_ref().and_then(|hint| sight.sentence(hint, entry)),
                    count: 0,
                    rows: Vec::new(),
                    left_out: 0,
                };
                let key = Key::Refused { field: cell.field.as_str().to_owned(), code: cell.code.clone() };
                self.refused.push((key, group));
                self.refused.len() - 1
            });
            let group = &mut self.refused[at].1;
            group.count += 1;
            if group.rows.len() < self.most {
                group.rows.push(refused(cell, entry, sight, group.hint.as_deref()));
            }
        }
    }

    /// All groups that are not empty; cells that cannot be written come last, one group for each field and reason.
    pub(super) fn all(&self, plan: &Plan) -> Vec<(Key, NotableGroup)> {
        let object = plan.header.object.as_str();
        let mut groups: Vec<(Key, NotableGroup)> = Vec::new();
        for (outcome, rows) in LISTED.into_iter().zip(&self.listed) {
            let group = NotableGroup {
                kind: outcome.as_str().to_owned(),
                title: title(outcome, object),
                hint: None,
                count: plan.summary.rows.of(outcome),
                rows: rows.clone(),
                left_out: 0,
            };
            groups.push((Key::Outcome(outcome), group));
        }
        // The mapping's order, then the reason: the report's order would make the groups jump from day to day.
        let order = |key: &Key| match key {
            Key::Outcome(_) => None,
            Key::Refused { field, code } => {
                let place = plan.header.fields.iter().position(|f| f.field.as_str() == field);
                Some((place, field.clone(), code.clone()))
            }
        };
        let mut refused = self.refused.clone();
        refused.sort_by_cached_key(|(key, _)| order(key));
        groups.extend(refused);
        for (_, group) in &mut groups {
            group.left_out = group.count.saturating_sub(group.rows.len() as u64);
        }
        groups.retain(|(_, group)| group.count > 0);
        groups
    }
}

fn refused(cell: &RefusedCell, entry: &Entry, sight: &Sight, group_hint: Option<&str>) -> NotableRow {
    let seen = sight.value(&cell.field, &cell.value, entry);
    let hint = cell.hint.as_ref().and_then(|hint| sight.sentence(hint, entry));
    NotableRow {
        field: Some(cell.field.as_str().to_owned()),
        column: Some(cell.column.clone()),
        value: seen.then(|| cell.value.clone()),
        code: Some(cell.code.clone()),
        reason: sight.sentence(&cell.message, entry),
        hint: hint.filter(|hint| group_hint != Some(hint.as_str())),
        ..row(entry, sight)
    }
}

fn row(entry: &Entry, sight: &Sight) -> NotableRow {
    let mut records = entry.candidates.clone();
    if records.is_empty() {
        records.extend(entry.record);
    }
    NotableRow {
        row: entry.row,
        line: entry.line,
        key: sight.key(entry),
        records,
        rows: entry.rows.clone(),
        reason: entry.reason.as_ref().and_then(|reason| sight.sentence(reason, entry)),
        ..NotableRow::default()
    }
}

/// `row 12, line 13`; `row 12` where there is no file that has lines (an undo).
pub(super) fn place(row: u64, line: u64) -> String {
    if line == 0 {
        return format!("row {}", grouped(row));
    }
    format!("row {}, line {}", grouped(row), grouped(line))
}
