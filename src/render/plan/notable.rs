//! Rows that cannot be used and cells that cannot be written, grouped by kind.

use super::build::Sight;
use super::view::{NotableGroup, NotableRow};
use crate::plan::{Entry, Plan, RowOutcome};
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

/// All groups that are not empty, each with at most so many rows; cells that cannot be written come last, one group for each field and reason.
pub(super) fn groups(plan: &Plan, sight: &Sight, most: usize) -> Vec<NotableGroup> {
    let object = plan.header.object.as_str();
    let mut groups: Vec<NotableGroup> = LISTED
        .into_iter()
        .map(|outcome| NotableGroup {
            kind: outcome.as_str().to_owned(),
            title: title(outcome, object),
            hint: None,
            count: plan.summary.rows.of(outcome),
            rows: Vec::new(),
            left_out: 0,
        })
        .collect();
    let mut refused: Vec<((&str, &str), NotableGroup)> = Vec::new();
    for entry in &plan.entries {
        let listed = LISTED.iter().position(|o| *o == entry.outcome).and_then(|at| groups.get_mut(at));
        if let Some(group) = listed.filter(|group| group.rows.len() < most) {
            group.rows.push(row(entry, sight));
        }
        for cell in &entry.refused {
            let place = (cell.field.as_str(), cell.code.as_str());
            let at = refused.iter().position(|(p, _)| *p == place).unwrap_or_else(|| {
                let group = NotableGroup {
                    kind: "refused_cells".to_owned(),
                    title: format!("Values that cannot be written to {} ({})", cell.field, cell.code),
                    hint: cell.hint.as_ref().and_then(|hint| sight.sentence(hint, entry)),
                    count: 0,
                    rows: Vec::new(),
                    left_out: 0,
                };
                refused.push((place, group));
                refused.len() - 1
            });
            let group = &mut refused[at].1;
            group.count += 1;
            if group.rows.len() >= most {
                continue;
            }
            let seen = sight.value(&cell.field, &cell.value, entry);
            let hint = cell.hint.as_ref().and_then(|hint| sight.sentence(hint, entry));
            group.rows.push(NotableRow {
                field: Some(cell.field.as_str().to_owned()),
                column: Some(cell.column.clone()),
                value: seen.then(|| cell.value.clone()),
                code: Some(cell.code.clone()),
                reason: sight.sentence(&cell.message, entry),
                hint: hint.filter(|hint| group.hint.as_ref() != Some(hint)),
                ..row(entry, sight)
            });
        }
    }
    // The mapping's order, then the reason: the report's order would make the groups jump from day to day.
    let order = |field: &str| plan.header.fields.iter().position(|f| f.field.as_str() == field);
    refused.sort_by(|a, b| (order(a.0.0), a.0).cmp(&(order(b.0.0), b.0)));
    groups.extend(refused.into_iter().map(|(_, group)| group));
    for group in &mut groups {
        group.left_out = group.count.saturating_sub(group.rows.len() as u64);
    }
    groups.retain(|group| group.count > 0);
    groups
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

/// `row 12, line 13`, or `row 12` where line and row differ by the header alone.
pub(super) fn place(row: u64, line: u64) -> String {
    format!("row {}, line {}", grouped(row), grouped(line))
}
