//! The key of a match: one rule decides equality, and queries only nominate candidates.
//!
//! Keys compare as the field compares in Salesforce: text without regard to case (SOQL reference, comparison operators) unless the field is case
//! sensitive, by Unicode's default case folding; ids as 18 characters; numbers by value. A report's key is without surrounding white space of any kind, a
//! record's without what Salesforce does not keep.

use std::borrow::Cow;

use unicase::UniCase;

use super::refusal::{Noted, Reason, Refusal};
use super::zoned::{MomentRule, Wanted};
use super::{Ahead, Key, Side, identifier, moment, number, soql, text};
use crate::model::{Field, FieldType};

/// Why a field cannot be the match field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyProblem {
    /// Salesforce does not filter on it: long or rich text, encrypted text and others.
    #[error("Salesforce cannot filter on this field")]
    NotFilterable,
    /// Rich text.
    #[error("rich text cannot be matched")]
    RichText,
    /// Masked, encrypted text.
    #[error("encrypted text cannot be matched")]
    Encrypted,
    /// A type whose values do not tell records apart.
    #[error("a field of type {field_type} cannot be the match field")]
    UnsupportedType {
        /// The type's name on the wire.
        field_type: String,
    },
}

impl KeyProblem {
    /// A short stable word.
    pub fn code(&self) -> &'static str {
        match self {
            KeyProblem::NotFilterable => "key_not_filterable",
            KeyProblem::RichText => "key_rich_text",
            KeyProblem::Encrypted => "key_encrypted",
            KeyProblem::UnsupportedType { .. } => "key_unsupported_type",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> &'static str {
        "Match on the Id, an e-mail address, or a text or number field, best one marked as External ID in Setup."
    }
}

/// Is there a key at all?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// `out` holds the key; equal bytes are equal keys.
    Key,
    /// The cell is blank; `out` is empty.
    Blank,
}

/// Characters of a picklist's value, at the most (Salesforce Help, "Custom Field Types").
const PICKLIST: usize = 255;

#[derive(Debug, Clone)]
enum Kind {
    Text { max: usize, heeds_case: bool, picklist: bool },
    Number { int: bool },
    Id,
    Moment { rule: MomentRule, datetime: bool },
}

/// How a match field's values compare.
#[derive(Debug, Clone)]
pub struct KeyRule {
    kind: Kind,
}

impl KeyRule {
    /// For this match field.
    ///
    /// # Errors
    /// [`KeyProblem`] where it cannot be matched on.
    pub fn compile(field: &Field) -> Result<Self, KeyProblem> {
        if field.html_formatted {
            return Err(KeyProblem::RichText);
        }
        if field.encrypted || field.field_type == FieldType::EncryptedString {
            return Err(KeyProblem::Encrypted);
        }
        let moment = |wanted| MomentRule::compile(wanted, None, None);
        let unsupported = KeyProblem::UnsupportedType { field_type: field.field_type.as_str().to_owned() };
        let kind = match &field.field_type {
            FieldType::Id | FieldType::Reference => Kind::Id,
            FieldType::Int => Kind::Number { int: true },
            FieldType::Double | FieldType::Currency | FieldType::Percent => Kind::Number { int: false },
            FieldType::Date => Kind::Moment { rule: moment(Wanted::Date).map_err(|_| unsupported)?, datetime: false },
            FieldType::Datetime => {
                Kind::Moment { rule: moment(Wanted::Datetime).map_err(|_| unsupported)?, datetime: true }
            }
            FieldType::Picklist => Kind::Text { max: PICKLIST, heeds_case: field.case_sensitive, picklist: true },
            t if t.is_text() => {
                Kind::Text { max: field.length as usize, heeds_case: field.case_sensitive, picklist: false }
            }
            _ => return Err(unsupported),
        };
        if !field.filterable {
            return Err(KeyProblem::NotFilterable);
        }
        Ok(Self { kind })
    }

    /// The key of a cell, in place of what `out` held.
    ///
    /// # Errors
    /// Report: a cell that no record's value can equal (no id, no number, longer than the field, a placeholder word). Org: `OrgUnreadable`.
    pub fn canon(&self, side: Side, cell: &[u8], out: &mut Vec<u8>) -> Result<KeyKind, Refusal> {
        out.clear();
        let result = std::str::from_utf8(cell).map_err(|_| Reason::NotUtf8).and_then(|cell| {
            let cell = match side {
                Side::Report => cell.trim(),
                // Salesforce compares with all that it keeps, a no-break space at the end included: a look-up without it finds nothing, nor must a page.
                Side::Org => text::trim(cell),
            };
            if cell.is_empty() {
                return Ok(KeyKind::Blank);
            }
            match side {
                Side::Report => self.report(cell, out),
                Side::Org => self.org(cell, out),
            }
            .map(|()| KeyKind::Key)
        });
        result.map_err(|reason| {
            out.clear();
            reason.into()
        })
    }

    /// As [`Self::canon`], for a cell with what follows it; and is the key what stands in the cell?
    ///
    /// # Errors
    /// As [`Self::canon`].
    #[inline(always)]
    pub fn read(&self, side: Side, cell: Ahead<'_>, out: &mut Key) -> Result<(KeyKind, bool), Refusal> {
        match self.plainly(side, cell, out) {
            Some(as_it_stands) => Ok((KeyKind::Key, as_it_stands)),
            None => self.read_any(side, cell.cell(), out),
        }
    }

    #[inline(never)]
    fn read_any(&self, side: Side, cell: &[u8], out: &mut Key) -> Result<(KeyKind, bool), Refusal> {
        let mut own = Vec::new();
        let kind = self.canon(side, cell, &mut own)?;
        out.set(&own);
        Ok((kind, own == cell))
    }

    /// Short cut: plain ASCII text without space around it, which is its own key but for its case, and is it that, too? Too short or too long for doubt.
    #[inline(always)]
    fn plainly(&self, side: Side, ahead: Ahead<'_>, out: &mut Key) -> Option<bool> {
        let cell = ahead.cell();
        let Kind::Text { max, heeds_case, .. } = self.kind else { return None };
        let (first, last) = (cell.first()?, cell.last()?);
        let sound = side == Side::Org || (cell.len() > super::placeholder::LONGEST && (max == 0 || cell.len() <= max));
        if !sound || !first.is_ascii_graphic() || !last.is_ascii_graphic() {
            None
        } else if heeds_case {
            out.set(cell);
            cell.is_ascii().then_some(true)
        } else {
            out.set_lower(ahead)
        }
    }

    fn report(&self, cell: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
        match &self.kind {
            Kind::Text { max, heeds_case, picklist } => {
                if !picklist && super::is_placeholder(cell) {
                    return Err(Reason::PlaceholderWord);
                }
                let length = text::units(cell);
                if *max > 0 && length > *max {
                    return Err(Reason::TooLong { length, max: *max });
                }
                fold(cell, *heeds_case, out);
                Ok(())
            }
            Kind::Number { int } => number::canon_key(cell, *int, out),
            Kind::Id => {
                out.extend_from_slice(identifier::parse(cell)?.as_str().as_bytes());
                Ok(())
            }
            Kind::Moment { rule, datetime } => {
                if rule.canon(cell, out)? == Noted::FractionDropped && *datetime {
                    out.clear();
                    moment::canon_org_datetime(cell, out).map_err(|_| Reason::NotADatetime)?;
                }
                Ok(())
            }
        }
    }

    fn org(&self, cell: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
        match &self.kind {
            Kind::Text { heeds_case, .. } => {
                fold(cell, *heeds_case, out);
                Ok(())
            }
            Kind::Number { .. } => number::canon_org(cell, out),
            Kind::Id => identifier::canon_org(cell, out),
            Kind::Moment { datetime: true, .. } => moment::canon_org_datetime(cell, out),
            Kind::Moment { .. } => moment::canon_org_date(cell, out),
        }
    }

    /// Appends the SOQL literals that nominate candidates for a key, for use inside `IN (…)`: one, or two joined by a comma where folding goes beyond
    /// lower case (`Straße` is also asked for as `strasse`). `original` is the report's cell, which is written with its own letters.
    pub fn write_soql(&self, key: &[u8], original: &[u8], out: &mut String) {
        let key_text = || String::from_utf8_lossy(key);
        match &self.kind {
            Kind::Number { .. } | Kind::Moment { .. } => out.push_str(&key_text()),
            Kind::Id => soql::quote(&key_text(), out),
            Kind::Text { heeds_case, .. } => {
                let original = std::str::from_utf8(original).map_or_else(|_| key_text(), Cow::Borrowed);
                let original = original.trim();
                soql::quote(original, out);
                if !heeds_case && !original.is_ascii() && original.to_lowercase() != key_text() {
                    out.push(',');
                    soql::quote(&key_text(), out);
                }
            }
        }
    }

    /// Does a change of case make another key?
    pub fn heeds_case(&self) -> bool {
        match self.kind {
            Kind::Text { heeds_case, .. } => heeds_case,
            Kind::Id => true,
            Kind::Number { .. } | Kind::Moment { .. } => false,
        }
    }
}

fn fold(cell: &str, heeds_case: bool, out: &mut Vec<u8>) {
    if heeds_case {
        out.extend_from_slice(cell.as_bytes());
    } else if cell.is_ascii() {
        out.extend(cell.bytes().map(|b| b.to_ascii_lowercase()));
    } else {
        out.extend_from_slice(UniCase::unicode(cell).to_folded_case().as_bytes());
    }
}
