//! One row against one record: every mapped cell ends somewhere.

use super::guards::Forbidden;
use super::{FieldInput, OnBadValue};
use crate::model::FieldName;
use crate::plan::{CellChange, ChangeKind, Entry, FieldCounts, Note, RefusedCell, RowOutcome, Summary};
use crate::values::{self, Reason, Refusal, Verdict};

/// Where the two sides' cells stand, by the index of the field.
pub(super) struct Pair<'a, R, O> {
    pub(super) report: R,
    pub(super) org: O,
    /// The record's currency, in orgs with several.
    pub(super) currency: Option<&'a [u8]>,
}

fn text(bytes: &[u8]) -> Option<String> {
    (!bytes.is_empty()).then(|| String::from_utf8_lossy(bytes).into_owned())
}

fn kind(kind: values::ChangeKind) -> ChangeKind {
    match kind {
        values::ChangeKind::Fill => ChangeKind::Fill,
        values::ChangeKind::Overwrite => ChangeKind::Overwrite,
        values::ChangeKind::Clear => ChangeKind::Clear,
    }
}

fn note(note: &values::Note) -> Note {
    use values::Note as From;
    let from = match note {
        From::Rounded { from }
        | From::CaseTaken { from }
        | From::FractionDropped { from }
        | From::TimeDropped { from }
        | From::StartOfDay { from } => Some(from.clone()),
        From::LabelTaken { label } => Some(label.clone()),
        From::Truncated { .. } => None,
    };
    Note { code: note.code().to_owned(), text: note.message(), from }
}

fn other_currency(field: &FieldInput, record: Option<&[u8]>) -> bool {
    matches!((&field.currency, record), (Some(report), Some(record)) if report.as_bytes() != record)
}

fn refused(field: &FieldInput, value: &[u8], refusal: &Refusal) -> RefusedCell {
    RefusedCell {
        field: field.name.clone(),
        column: field.column_name.clone(),
        value: String::from_utf8_lossy(value).into_owned(),
        code: refusal.code().to_owned(),
        message: refusal.message(),
        hint: Some(refusal.hint()),
    }
}

/// What is counted while judging.
pub(super) struct Tally<'t> {
    pub(super) summary: &'t mut Summary,
    /// By the index of the field: finding it by name for every cell would cost more than judging the cell.
    pub(super) fields: &'t mut [FieldCounts],
    pub(super) forbidden: &'t mut Forbidden,
}

/// Judges every cell, fills the entry and counts.
pub(super) fn judge<'a, R, O>(fields: &[FieldInput], pair: Pair<'a, R, O>, entry: &mut Entry, tally: &mut Tally<'_>)
where
    R: Fn(usize) -> &'a [u8],
    O: Fn(usize) -> &'a [u8],
{
    let Tally { summary, fields: by_field, forbidden } = tally;
    let place = |name: &FieldName| fields.iter().position(|f| f.name == *name);
    let mut skip_row = false;
    for (index, (field, counts)) in fields.iter().zip(by_field.iter_mut()).enumerate() {
        let value = (pair.report)(index);
        summary.cells.cells += 1;
        let stored = (pair.org)(index);
        let verdict = field.rule.judge(value, stored);
        // 10 in one currency is not 10 in another; two blanks are the same in all.
        let amounts = matches!(verdict, Verdict::Change(_)) || (verdict == Verdict::Same && !stored.is_empty());
        match verdict {
            _ if amounts && other_currency(field, pair.currency) => {
                skip_row |= field.on_bad_value == OnBadValue::SkipRow;
                if field.on_bad_value == OnBadValue::Fail {
                    *forbidden.bad_values.get_or_insert(0) += 1;
                }
                entry.refused.push(RefusedCell {
                    field: field.name.clone(),
                    column: field.column_name.clone(),
                    value: String::from_utf8_lossy(value).into_owned(),
                    code: "other_currency".to_owned(),
                    message: "the record is in another currency than the report".to_owned(),
                    hint: Some("Change the record's currency in Salesforce, or leave it out by `where:`.".to_owned()),
                });
            }
            Verdict::Same => {
                summary.cells.same += 1;
                counts.same += 1;
            }
            Verdict::KeptBlank => {
                summary.cells.kept_blank += 1;
                counts.kept += 1;
            }
            Verdict::KeptByPolicy => {
                summary.cells.kept_policy += 1;
                counts.kept += 1;
            }
            Verdict::Change(change) => entry.cells.push(CellChange {
                field: field.name.clone(),
                kind: kind(change.kind),
                before: text(&change.before),
                after: text(&change.after),
                note: change.note.as_ref().map(note),
            }),
            Verdict::Refused(refusal) => {
                skip_row |= field.on_bad_value == OnBadValue::SkipRow;
                // `when_blank: fail` forbids the whole plan, whatever bad values do otherwise.
                if field.on_bad_value == OnBadValue::Fail || refusal.reason == Reason::BlankNotAllowed {
                    *forbidden.bad_values.get_or_insert(0) += 1;
                }
                entry.refused.push(refused(field, value, &refusal));
            }
        }
    }
    if skip_row {
        // The whole row is left out: the cells that would have changed are refused with it.
        for cell in entry.cells.drain(..) {
            let Some((index, field)) = place(&cell.field).map(|at| (at, &fields[at])) else { continue };
            entry.refused.push(RefusedCell {
                field: cell.field,
                column: field.column_name.clone(),
                value: String::from_utf8_lossy((pair.report)(index)).into_owned(),
                code: "row_skipped".to_owned(),
                message: "left out because another cell of the row cannot be written (`on_bad_value: skip_row`)"
                    .to_owned(),
                hint: None,
            });
        }
    }
    summary.matched += 1;
    summary.cells.change += entry.cells.len() as u64;
    summary.cells.refused += entry.refused.len() as u64;
    for refusal in &entry.refused {
        let Some(at) = place(&refusal.field) else { continue };
        *by_field[at].refused.entry(refusal.code.clone()).or_insert(0) += 1;
    }
    if !entry.refused.is_empty() {
        summary.records_refused += 1;
    }
    if !entry.cells.is_empty() {
        summary.records += 1;
        for kind in ChangeKind::ALL {
            if entry.cells.iter().any(|c| c.kind == kind) {
                *summary.records_by_kind.entry(kind).or_insert(0) += 1;
            }
        }
        for cell in &entry.cells {
            let Some(at) = place(&cell.field) else { continue };
            *by_field[at].changes.entry(cell.kind).or_insert(0) += 1;
        }
    }
    entry.outcome = match (entry.cells.is_empty(), entry.refused.is_empty()) {
        (false, _) => RowOutcome::Planned,
        (true, false) => RowOutcome::Refused,
        (true, true) => RowOutcome::Unchanged,
    };
}
