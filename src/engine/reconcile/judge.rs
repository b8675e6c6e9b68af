//! One row against one record: every mapped cell ends somewhere.

use super::found::Differing;
use super::packed::Cells;
use super::tally::Tally;
use super::{FieldInput, KNOWN_FAILURE, Layout, OnBadValue};
use crate::plan::{ChangeKind, Changed, Note, Opening, RefusedCell, RowOutcome};
use crate::values::{self, Forms, Reason, Verdict};

/// How the changed cells of a field begin, by the index of their kind among all.
pub(super) type Openings = [Opening; ChangeKind::ALL.len()];

/// A cell that would change.
struct ChangedCell {
    /// The index of its field.
    field: usize,
    kind: ChangeKind,
    /// Where its values end among all: the one before, and the one behind that.
    before: usize,
    after: usize,
    note: Option<Note>,
}

/// What a record came to. Used for one record after the other.
#[derive(Default)]
pub(super) struct Judged {
    changed: Vec<ChangedCell>,
    /// Values of the cells that would change.
    values: Vec<u8>,
    pub(super) refused: Vec<RefusedCell>,
    refused_at: Vec<usize>,
    forms: Forms,
}

impl Judged {
    pub(super) fn outcome(&self) -> RowOutcome {
        match (self.changed.is_empty(), self.refused.is_empty()) {
            (false, _) => RowOutcome::Planned,
            (true, false) => RowOutcome::Refused,
            (true, true) => RowOutcome::Unchanged,
        }
    }

    /// The cells that would change. `openings`: by the index of the field, and of the kind among all.
    pub(super) fn changed<'a>(&'a self, openings: &'a [Openings]) -> impl Iterator<Item = Changed<'a>> {
        // An empty canonical form is blank.
        let value = |from: usize, to: usize| Some(&self.values[from..to]).filter(|value| !value.is_empty());
        let mut start = 0;
        self.changed.iter().map(move |cell| {
            let before = value(std::mem::replace(&mut start, cell.after), cell.before);
            let after = value(cell.before, cell.after);
            Changed { opening: &openings[cell.field][cell.kind as usize], before, after, note: cell.note.as_ref() }
        })
    }
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

fn lossy(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}

fn refused(
    field: &FieldInput,
    value: &[u8],
    code: &str,
    message: impl Into<String>,
    hint: Option<&str>,
) -> RefusedCell {
    RefusedCell {
        field: field.name.clone(),
        column: field.column_name.clone(),
        value: lossy(value),
        code: code.to_owned(),
        message: message.into(),
        hint: hint.map(str::to_owned),
    }
}

/// A row and a record that do not agree.
pub(super) struct Pair<'a> {
    /// The row's cells, by the index of the field.
    pub(super) report: Cells<'a>,
    /// The record's cells but for its id, in the layout's order.
    pub(super) stored: Cells<'a>,
    pub(super) layout: &'a Layout,
    /// Cells that are not in here agree.
    pub(super) differing: Differing,
    /// Changes that are known to fail: field and words.
    pub(super) known: &'a [(usize, String)],
}

impl<'a> Pair<'a> {
    /// The record's cell of a column of the layout.
    fn stored(&self, column: usize) -> &'a [u8] {
        // Without the id, which is column 0.
        column.checked_sub(1).and_then(|column| { self.stored }.nth(column)).unwrap_or_default()
    }
}

/// Judges every cell and counts. What `judged` held is forgotten.
pub(super) fn judge(fields: &[FieldInput], pair: &Pair<'_>, tally: &mut Tally, judged: &mut Judged) {
    let Pair { report, layout, differing, known, .. } = *pair;
    let currency = layout.currency.map(|column| pair.stored(column));
    let Judged { changed, values, refused: cells_refused, refused_at, forms } = &mut *judged;
    changed.clear();
    values.clear();
    cells_refused.clear();
    refused_at.clear();
    let mut refuse = |index: usize, cell: RefusedCell| {
        refused_at.push(index);
        cells_refused.push(cell);
    };
    for (index, same) in tally.same.iter_mut().enumerate() {
        *same += u64::from(!differing.has(index));
    }
    let mut skip_row = false;
    let forbid = |tally: &mut Tally| *tally.forbidden.bad_values.get_or_insert(0) += 1;
    for (index, field) in fields.iter().enumerate() {
        if !differing.has(index) {
            continue;
        }
        let value = { report }.nth(index).unwrap_or_default();
        let stored = pair.stored(layout.fields[index]);
        let verdict = field.rule.judge(value, stored, forms);
        // 10 in one currency is not 10 in another; two blanks are the same in all.
        let amounts = matches!(verdict, Verdict::Change(_)) || (verdict == Verdict::Same && !stored.is_empty());
        let failing = known.iter().find(|(at, _)| *at == index);
        match verdict {
            _ if amounts && field.other_currency(currency) => {
                skip_row |= field.on_bad_value == OnBadValue::SkipRow;
                if field.on_bad_value == OnBadValue::Fail {
                    forbid(tally);
                }
                let message = "the record is in another currency than the report";
                let hint = "Change the record's currency in Salesforce, or leave it out by `where:`.";
                refuse(index, refused(field, value, "other_currency", message, Some(hint)));
            }
            Verdict::Same => tally.same[index] += 1,
            Verdict::KeptBlank => {
                tally.kept_blank += 1;
                tally.fields[index].kept += 1;
            }
            Verdict::KeptByPolicy => {
                tally.kept_policy += 1;
                tally.fields[index].kept += 1;
            }
            Verdict::Change(change) => match failing {
                Some((_, words)) => {
                    let hint = "Mend the cause, and delete the entry in the file of known failures.";
                    refuse(index, refused(field, value, KNOWN_FAILURE, words.clone(), Some(hint)));
                }
                None => {
                    values.extend_from_slice(change.before);
                    let before = values.len();
                    values.extend_from_slice(change.after);
                    changed.push(ChangedCell {
                        field: index,
                        kind: kind(change.kind),
                        before,
                        after: values.len(),
                        note: change.note.as_ref().map(note),
                    });
                }
            },
            Verdict::Refused(why) => {
                skip_row |= field.on_bad_value == OnBadValue::SkipRow;
                // `when_blank: fail` forbids the whole plan, whatever bad values do otherwise.
                if field.on_bad_value == OnBadValue::Fail || why.reason == Reason::BlankNotAllowed {
                    forbid(tally);
                }
                refuse(index, refused(field, value, why.code(), why.message(), Some(&why.hint())));
            }
        }
    }
    if skip_row {
        // The whole row is left out: the cells that would have changed are refused with it.
        for cell in changed.drain(..) {
            let value = { report }.nth(cell.field).unwrap_or_default();
            let message = "left out because another cell of the row cannot be written (`on_bad_value: skip_row`)";
            refuse(cell.field, refused(&fields[cell.field], value, "row_skipped", message, None));
        }
    }
    count(judged, tally);
}

fn count(judged: &Judged, tally: &mut Tally) {
    tally.matched += 1;
    for (refusal, &at) in judged.refused.iter().zip(&judged.refused_at) {
        *tally.fields[at].refused.entry(refusal.code.clone()).or_insert(0) += 1;
    }
    tally.records_refused += u64::from(judged.refused.iter().any(|refusal| refusal.code != KNOWN_FAILURE));
    tally.records += u64::from(!judged.changed.is_empty());
    let mut kinds = 0;
    for cell in &judged.changed {
        kinds |= 1 << cell.kind as u32;
        tally.changes[cell.field][cell.kind as usize] += 1;
    }
    for (kind, count) in tally.by_kind.iter_mut().enumerate() {
        *count += kinds >> kind & 1;
    }
}
