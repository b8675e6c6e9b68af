//! One row against one record: every mapped cell ends somewhere.

use super::found::Differing;
use super::packed::Cells;
use super::tally::Tally;
use super::{FieldInput, KNOWN_FAILURE, Layout, OnBadValue};
use crate::plan::{ChangeKind, Changed, Note, RefusedCell, RowOutcome};
use crate::values::{self, Forms, Reason, Refusal, Verdict};

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

    /// The cells that would change.
    pub(super) fn changed<'a>(&'a self, fields: &'a [FieldInput]) -> impl Iterator<Item = Changed<'a>> {
        // An empty canonical form is blank.
        let value = |from: usize, to: usize| Some(&self.values[from..to]).filter(|value| !value.is_empty());
        let mut start = 0;
        self.changed.iter().map(move |cell| {
            let before = value(std::mem::replace(&mut start, cell.after), cell.before);
            let after = value(cell.before, cell.after);
            Changed { field: &fields[cell.field].name, kind: cell.kind, before, after, note: cell.note.as_ref() }
        })
    }

    fn refuse(&mut self, field: usize, cell: RefusedCell) {
        self.refused_at.push(field);
        self.refused.push(cell);
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

fn refused(field: &FieldInput, value: &[u8], refusal: &Refusal) -> RefusedCell {
    RefusedCell {
        field: field.name.clone(),
        column: field.column_name.clone(),
        value: lossy(value),
        code: refusal.code().to_owned(),
        message: refusal.message(),
        hint: Some(refusal.hint()),
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
    let mut cells = report;
    judged.changed.clear();
    judged.values.clear();
    judged.refused.clear();
    judged.refused_at.clear();
    // Lent to the verdicts, which the rest of it learns from.
    let mut forms = std::mem::take(&mut judged.forms);
    let mut skip_row = false;
    let forbid = |tally: &mut Tally| *tally.forbidden.bad_values.get_or_insert(0) += 1;
    for (index, field) in fields.iter().enumerate() {
        let value = cells.next().unwrap_or_default();
        if !differing.has(index) {
            tally.fields[index].same += 1;
            continue;
        }
        let stored = pair.stored(layout.fields[index]);
        let verdict = field.rule.judge_by_value(value, stored, &mut forms);
        // 10 in one currency is not 10 in another; two blanks are the same in all.
        let amounts = matches!(verdict, Verdict::Change(_)) || (verdict == Verdict::Same && !stored.is_empty());
        match verdict {
            _ if amounts && field.other_currency(currency) => {
                skip_row |= field.on_bad_value == OnBadValue::SkipRow;
                if field.on_bad_value == OnBadValue::Fail {
                    forbid(tally);
                }
                judged.refuse(
                    index,
                    RefusedCell {
                        field: field.name.clone(),
                        column: field.column_name.clone(),
                        value: lossy(value),
                        code: "other_currency".to_owned(),
                        message: "the record is in another currency than the report".to_owned(),
                        hint: Some(
                            "Change the record's currency in Salesforce, or leave it out by `where:`.".to_owned(),
                        ),
                    },
                );
            }
            Verdict::Same => tally.fields[index].same += 1,
            Verdict::KeptBlank => {
                tally.kept_blank += 1;
                tally.fields[index].kept += 1;
            }
            Verdict::KeptByPolicy => {
                tally.kept_policy += 1;
                tally.fields[index].kept += 1;
            }
            Verdict::Change(_) if known.iter().any(|(at, _)| *at == index) => {
                let message = known.iter().find(|(at, _)| *at == index).map(|(_, words)| words.clone());
                judged.refuse(
                    index,
                    RefusedCell {
                        field: field.name.clone(),
                        column: field.column_name.clone(),
                        value: lossy(value),
                        code: KNOWN_FAILURE.to_owned(),
                        message: message.unwrap_or_default(),
                        hint: Some("Mend the cause, and delete the entry in the file of known failures.".to_owned()),
                    },
                );
            }
            Verdict::Change(change) => {
                judged.values.extend_from_slice(change.before);
                let before = judged.values.len();
                judged.values.extend_from_slice(change.after);
                judged.changed.push(ChangedCell {
                    field: index,
                    kind: kind(change.kind),
                    before,
                    after: judged.values.len(),
                    note: change.note.as_ref().map(note),
                });
            }
            Verdict::Refused(refusal) => {
                skip_row |= field.on_bad_value == OnBadValue::SkipRow;
                // `when_blank: fail` forbids the whole plan, whatever bad values do otherwise.
                if field.on_bad_value == OnBadValue::Fail || refusal.reason == Reason::BlankNotAllowed {
                    forbid(tally);
                }
                judged.refuse(index, refused(field, value, &refusal));
            }
        }
    }
    judged.forms = forms;
    if skip_row {
        // The whole row is left out: the cells that would have changed are refused with it.
        let Judged { changed, refused, refused_at, .. } = judged;
        for cell in changed.drain(..) {
            let field = &fields[cell.field];
            refused_at.push(cell.field);
            refused.push(RefusedCell {
                field: field.name.clone(),
                column: field.column_name.clone(),
                value: lossy({ report }.nth(cell.field).unwrap_or_default()),
                code: "row_skipped".to_owned(),
                message: "left out because another cell of the row cannot be written (`on_bad_value: skip_row`)"
                    .to_owned(),
                hint: None,
            });
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
