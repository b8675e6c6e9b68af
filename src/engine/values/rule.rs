//! One mapped field's rule: what a report cell comes to, whether that differs from the record's value, and whether it is to be written.

use std::cmp::Ordering;

use super::Ahead;
use super::choice::ChoiceRule;
use super::flag::{self, FlagRule};
use super::identifier::IdentifierRule;
use super::number::{self, NumberRule};
use super::options::{WhenBlank, WritePolicy};
use super::refusal::{Note, Noted, Reason, Refusal};
use super::stored;
use super::text::TextRule;
use super::zoned::{self, MomentRule};
use crate::model::FieldType;

/// Where a cell comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The report: read strictly, by the declared options.
    Report,
    /// Salesforce: taken as it is stored.
    Org,
}

/// Room for the canonical forms of two cells in hand, used again and again.
#[derive(Debug, Default)]
pub struct Forms {
    report: Vec<u8>,
    org: Vec<u8>,
}

/// What is to become of one cell of a matched row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict<'f> {
    /// Report and record agree.
    Same,
    /// The record's value is to be written.
    Change(Change<'f>),
    /// The report's cell is blank and `when_blank: keep` leaves the record's value alone.
    KeptBlank,
    /// They differ and the write policy leaves the record's value alone.
    KeptByPolicy,
    /// The report's cell cannot be used.
    Refused(Refusal),
}

/// A change of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<'f> {
    /// What kind, for the guards.
    pub kind: ChangeKind,
    /// The org's value in canonical form; empty is null.
    pub before: &'f [u8],
    /// The value to write in canonical form; empty is null.
    pub after: &'f [u8],
    /// What was done to the report's value.
    pub note: Option<Note>,
}

/// Kinds of change, counted apart by the guards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ChangeKind {
    /// Blank → value.
    Fill,
    /// Value → another value.
    Overwrite,
    /// Value → blank; of a checkbox true → false by a blank cell.
    Clear,
}

impl ChangeKind {
    /// The word for files and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            ChangeKind::Fill => "fill",
            ChangeKind::Overwrite => "overwrite",
            ChangeKind::Clear => "clear",
        }
    }
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Text(TextRule),
    Number(NumberRule),
    Moment(MomentRule),
    Choice(ChoiceRule),
    Choices { rule: ChoiceRule, separator: char, max: usize },
    Flag(FlagRule),
    Identifier(IdentifierRule),
}

/// Compiled from a field's describe and its options by [`Rule::compile`]; may be shared between threads.
#[derive(Debug, Clone)]
pub struct Rule {
    pub(super) field_type: FieldType,
    pub(super) kind: Kind,
    pub(super) blank_values: Vec<String>,
    pub(super) when_blank: WhenBlank,
    pub(super) write: WritePolicy,
    pub(super) nillable: bool,
    /// No option changes how plain forms are read: short cuts are allowed.
    pub(super) plain: bool,
    pub(super) quick: Quick,
}

/// What is asked of nearly all cells of a bulk export, side by side.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quick {
    form: QuickForm,
    /// Two blanks are the same.
    blanks_agree: bool,
    /// Of a number: digits that fit before the point, and behind it.
    whole_digits: u8,
    scale: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum QuickForm {
    None,
    Number,
    /// A datetime of which no pattern is declared.
    Second,
}

impl Quick {
    pub(super) fn of(kind: &Kind, plain: bool, when_blank: WhenBlank, nillable: bool) -> Self {
        let few = |digits: u32| digits.min(u8::MAX.into()) as u8;
        let (form, whole_digits, scale) = match kind {
            Kind::Number(rule) if plain => (QuickForm::Number, few(rule.whole_digits), few(rule.scale)),
            Kind::Moment(rule) if plain && rule.takes_seconds() => (QuickForm::Second, 0, 0),
            _ => (QuickForm::None, 0, 0),
        };
        let blanks_agree = match when_blank {
            _ if matches!(kind, Kind::Flag(_)) => false,
            WhenBlank::Keep => true,
            WhenBlank::Clear => nillable,
            WhenBlank::Fail => false,
        };
        Self { form, blanks_agree, whole_digits, scale }
    }

    /// What nearly all equal cells of a bulk export look like. Says yes only where the verdict is `Same`.
    #[inline(always)]
    fn same(self, report: Ahead<'_>, org: Ahead<'_>) -> bool {
        match self.form {
            QuickForm::None => false,
            QuickForm::Number => number::same_at_once(report, org, self.whole_digits.into(), self.scale.into()),
            QuickForm::Second => zoned::same_at_once(report.cell(), org.cell()),
        }
    }
}

impl Rule {
    /// The field's type.
    pub fn field_type(&self) -> &FieldType {
        &self.field_type
    }

    /// The canonical form of a cell, in place of what `out` held; empty is null. This is what a value means: two cells are the same when their
    /// canonical forms are the same bytes.
    ///
    /// A blank report cell gives an empty form (`false` for a checkbox that is to be cleared).
    ///
    /// # Errors
    /// Report: every value that may not be written. Org: `OrgUnreadable` and `NotUtf8`.
    pub fn canon(&self, side: Side, cell: &[u8], out: &mut Vec<u8>) -> Result<Noted, Refusal> {
        match side {
            Side::Org => stored::canon_org(&self.field_type, cell, out).map(|()| Noted::Nothing),
            Side::Report => self.canon_report(cell, out).map(|(noted, _)| noted),
        }
    }

    /// Of a report's cell; and is it blank?
    fn canon_report(&self, cell: &[u8], out: &mut Vec<u8>) -> Result<(Noted, bool), Refusal> {
        out.clear();
        let result = std::str::from_utf8(cell).map_err(|_| Reason::NotUtf8).and_then(|cell| {
            if self.is_blank(cell) {
                return self.blank(out).map(|()| (Noted::Nothing, true));
            }
            let noted = match &self.kind {
                Kind::Text(rule) => rule.canon(cell, out)?,
                Kind::Number(rule) => rule.canon(cell, out)?,
                Kind::Moment(rule) => rule.canon(cell, out)?,
                Kind::Choice(rule) => rule.canon(cell, out)?,
                Kind::Choices { rule, separator, max } => rule.canon_set(cell, *separator, *max, out)?,
                Kind::Flag(rule) => rule.canon(cell, out).map(|()| Noted::Nothing)?,
                Kind::Identifier(rule) => rule.canon(cell, out).map(|()| Noted::Nothing)?,
            };
            Ok((noted, false))
        });
        result.map_err(|reason| {
            out.clear();
            reason.into()
        })
    }

    /// Is this cell of the report blank? Without a look at what a blank is to do.
    pub fn blank_cell(&self, cell: &[u8]) -> bool {
        cell.is_empty() || std::str::from_utf8(cell).is_ok_and(|cell| self.is_blank(cell))
    }

    /// Is a cell that begins with something visible never blank?
    pub fn takes_the_visible(&self) -> bool {
        self.blank_values.is_empty() && !matches!(self.kind, Kind::Choices { .. })
    }

    /// Blank: nothing but white space (NBSP too), a declared blank value, or a multi-select cell of separators alone.
    fn is_blank(&self, cell: &str) -> bool {
        if cell.as_bytes().first().is_some_and(u8::is_ascii_graphic) && self.takes_the_visible() {
            return false;
        }
        let cell = cell.trim();
        if cell.is_empty() || self.blank_values.iter().any(|blank| unicase::eq(blank.as_str(), cell)) {
            return true;
        }
        match &self.kind {
            Kind::Choices { separator, .. } => cell.split(*separator).all(|part| part.trim().is_empty()),
            _ => false,
        }
    }

    fn blank(&self, out: &mut Vec<u8>) -> Result<(), Reason> {
        match self.when_blank {
            WhenBlank::Keep => Ok(()),
            WhenBlank::Fail => Err(Reason::BlankNotAllowed),
            WhenBlank::Clear => match self.kind {
                Kind::Flag(_) => {
                    flag::write(false, out);
                    Ok(())
                }
                _ if self.nillable => Ok(()),
                _ => Err(Reason::NotNillable),
            },
        }
    }

    /// Judges one cell, by what both sides mean. A blank cell that is to be kept is `Same` where the record's value is null as well. Allocates only for a
    /// note or a refusal.
    pub fn judge<'f>(&self, report: &[u8], org: &[u8], forms: &'f mut Forms) -> Verdict<'f> {
        let Forms { report: after, org: before } = forms;
        let (noted, blank) = match self.canon_report(report, after) {
            Ok(told) => told,
            Err(refusal) => return Verdict::Refused(refusal),
        };
        if let Err(refusal) = self.canon(Side::Org, org, before) {
            return Verdict::Refused(refusal);
        }
        if after == before {
            return Verdict::Same;
        }
        if blank && self.when_blank == WhenBlank::Keep {
            return Verdict::KeptBlank;
        }
        if !self.policy_allows(blank, after, before) {
            return Verdict::KeptByPolicy;
        }
        let kind = match (blank, before.is_empty()) {
            (true, _) => ChangeKind::Clear,
            (_, true) => ChangeKind::Fill,
            _ => ChangeKind::Overwrite,
        };
        Verdict::Change(Change { kind, before, after, note: noted.note(report) })
    }

    /// Is the verdict `Same`? By short cuts, where it can. Does not allocate, whatever it is.
    #[inline(always)]
    pub fn agrees(&self, report: Ahead<'_>, org: Ahead<'_>, forms: &mut Forms) -> bool {
        self.quick.same(report, org) || self.agrees_by_value(report.cell(), org.cell(), forms)
    }

    fn agrees_by_value(&self, report: &[u8], org: &[u8], forms: &mut Forms) -> bool {
        if report.is_empty() && org.is_empty() && self.quick.blanks_agree {
            return true;
        }
        if self.plain
            && let Some(same) = self.plainly(report, org)
        {
            return same;
        }
        self.canon(Side::Report, report, &mut forms.report).is_ok()
            && self.canon(Side::Org, org, &mut forms.org).is_ok()
            && forms.report == forms.org
    }

    /// Short cut: says "same" only where the canonical forms are the same, and "not the same" only where they are not.
    #[inline]
    fn plainly(&self, report: &[u8], org: &[u8]) -> Option<bool> {
        let same = |same: bool| same.then_some(true);
        match &self.kind {
            Kind::Text(rule) => same(rule.plainly_same(report, org)),
            Kind::Number(rule) => rule.plainly(report, org),
            Kind::Moment(rule) => rule.plainly(report, org),
            Kind::Choice(rule) => same(rule.plainly_same(report, org)),
            Kind::Flag(rule) => same(rule.plainly_same(report, org)),
            Kind::Choices { rule, separator, max } => same(rule.plainly_same_set(report, org, *separator, *max)),
            Kind::Identifier(rule) => same(rule.plainly_same(report, org)),
        }
    }

    /// A blank is neither greater nor less than anything, so under those policies it clears nothing.
    fn policy_allows(&self, blank: bool, after: &[u8], before: &[u8]) -> bool {
        let wanted = match self.write {
            WritePolicy::Always => return true,
            _ if before.is_empty() => return true,
            WritePolicy::IfEmpty => return false,
            WritePolicy::IfGreater => Ordering::Greater,
            WritePolicy::IfLess => Ordering::Less,
        };
        !blank && stored::order(&self.field_type, after, before) == Some(wanted)
    }
}
