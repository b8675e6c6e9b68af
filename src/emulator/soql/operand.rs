//! A literal against a field: how fields of a kind compare, and what Salesforce says of a value that does not fit.

use jiff::civil::Date;
use rusqlite::types::Value;

use super::ast::Literal;
use super::failure::{Failure, INVALID_FIELD, INVALID_OPERATOR, MALFORMED};
use super::scope::Column;
use super::{answer::View, ids, values};
use crate::schema::{FieldDef, Kind};

/// How the values of a field compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Text {
        heed_case: bool,
    },
    Id,
    Boolean,
    /// With the type's name in messages.
    Number(&'static str),
    Date,
    Datetime,
    Time,
    /// A multi-select picklist.
    Set,
}

impl Family {
    pub(super) fn of(field: &FieldDef) -> Family {
        match field.kind {
            Kind::Id | Kind::Reference => Family::Id,
            Kind::Boolean => Family::Boolean,
            Kind::Int => Family::Number("int"),
            Kind::Double | Kind::Currency | Kind::Percent => Family::Number("double"),
            Kind::Date => Family::Date,
            Kind::Datetime => Family::Datetime,
            Kind::Time => Family::Time,
            Kind::Multipicklist => Family::Set,
            _ => Family::Text { heed_case: field.case_sensitive },
        }
    }

    /// Behind a column in a comparison, so that it compares so and finds an index declared so.
    pub(super) fn collation(self) -> &'static str {
        match self {
            Family::Text { heed_case: false } | Family::Set => " COLLATE SF",
            Family::Text { heed_case: true } => " COLLATE BINARY",
            _ => "",
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Family::Text { .. } => "string",
            Family::Id => "id",
            Family::Boolean => "boolean",
            Family::Number(name) => name,
            Family::Date => "date",
            Family::Datetime => "dateTime",
            Family::Time => "time",
            Family::Set => "multipicklist",
        }
    }
}

/// A literal as the tables store it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operand {
    Null,
    One(Value),
    /// From the first up to, without, the second.
    Range(String, String),
}

/// Where a complaint points, and the field that it is about.
pub(super) struct Against<'q, 'a> {
    pub text: &'q str,
    pub at: usize,
    pub column: &'q Column<'a>,
}

impl Against<'_, '_> {
    pub(super) fn refuse(&self, code: &'static str, message: impl AsRef<str>) -> Failure {
        Failure::at(self.text, self.at, code, message)
    }

    /// "invalid operator on id field" is Salesforce's; the same words for other types are unconfirmed.
    pub(super) fn bad_operator(&self, family: Family) -> Failure {
        self.refuse(INVALID_OPERATOR, format!("invalid operator on {} field", family.name()))
    }

    fn mismatch(&self, family: Family) -> Failure {
        let quotes = match family {
            Family::Text { .. } | Family::Id | Family::Set => "should be enclosed in quotes",
            _ => "should not be enclosed in quotes",
        };
        let (field, kind) = (&self.column.field.name, family.name());
        self.refuse(
            INVALID_FIELD,
            format!("value of filter criterion for field '{field}' must be of type {kind} and {quotes}"),
        )
    }

    /// The literal in the field's own terms.
    pub(super) fn operand(&self, literal: &Literal, view: &View<'_>) -> Result<Operand, Failure> {
        let family = Family::of(self.column.field);
        let text = |text: String| Ok(Operand::One(Value::Text(text)));
        match (family, literal) {
            // A checkbox is never null.
            (Family::Boolean, Literal::Null) => Ok(Operand::One(Value::Integer(0))),
            (_, Literal::Null) => Ok(Operand::Null),
            (Family::Text { .. } | Family::Id | Family::Set, Literal::Text(value)) if value.is_empty() => {
                Ok(Operand::Null)
            }
            (Family::Text { .. } | Family::Set, Literal::Text(value)) => text(value.clone()),
            (Family::Id, Literal::Text(value)) => match ids::long(value) {
                Some(id) => text(id),
                None => Err(self.refuse(INVALID_OPERATOR, format!("invalid ID field: {value}"))),
            },
            (Family::Boolean, Literal::Boolean(value)) => Ok(Operand::One(Value::Integer(i64::from(*value)))),
            (Family::Number(_), Literal::Number(digits)) => Ok(Operand::One(number(digits))),
            (Family::Date, Literal::Date(date)) => text(date.to_string()),
            (Family::Datetime, Literal::Datetime(instant)) => text(values::datetime(*instant)),
            (Family::Time, Literal::Time(time)) => text(values::time(*time)),
            (Family::Date | Family::Datetime, Literal::Relative(relative)) => {
                let today = view.now.to_zoned(view.time_zone.clone()).date();
                let begin = |day: Date| match family {
                    Family::Date => Some(day.to_string()),
                    _ => day.to_zoned(view.time_zone.clone()).ok().map(|start| values::datetime(start.timestamp())),
                };
                let days = relative.days(today).filter(|(first, after)| first.year() >= 1 && after.year() <= 9_998);
                let range = days.and_then(|(first, after)| Some(Operand::Range(begin(first)?, begin(after)?)));
                range.ok_or_else(|| self.refuse(MALFORMED, format!("Invalid date: {relative}")))
            }
            _ => Err(self.mismatch(family)),
        }
    }
}

/// A number as SQLite compares it; Salesforce, too, compares doubles.
fn number(digits: &str) -> Value {
    match digits.parse::<i64>() {
        Ok(whole) => Value::Integer(whole),
        Err(_) => Value::Real(digits.parse::<f64>().unwrap_or_default().clamp(f64::MIN, f64::MAX)),
    }
}
