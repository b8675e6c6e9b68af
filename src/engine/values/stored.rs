//! What Salesforce stores, from a field's type alone: the org's side of every comparison.

use std::cmp::Ordering;

use super::refusal::{Reason, Refusal};
use super::{choice, flag, identifier, moment, number, text};
use crate::model::FieldType;

/// The canonical form of an org's cell, in place of what `out` held. Empty is null, except that a checkbox is then `false`.
///
/// Forms read: JSON's and bulk CSV's of each type (`100.0`, `1.0E8`, `…05.000+0000`, `…05.000Z`). Values are taken exactly, never rounded. Types that
/// Footbridge does not write are taken as text.
///
/// # Errors
/// `OrgUnreadable` where the cell is not of the type, `NotUtf8`.
pub fn canon_org(field_type: &FieldType, cell: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
    out.clear();
    let result = std::str::from_utf8(cell).map_err(|_| Reason::NotUtf8).and_then(|cell| read(field_type, cell, out));
    result.map_err(|reason| {
        out.clear();
        reason.into()
    })
}

/// Orders two canonical forms of one type that are not null: numbers, dates, datetimes and times of day by value; `None` for types without an order.
pub fn order(field_type: &FieldType, a: &[u8], b: &[u8]) -> Option<Ordering> {
    match field_type {
        FieldType::Int | FieldType::Double | FieldType::Currency | FieldType::Percent => Some(number::compare(a, b)),
        FieldType::Date | FieldType::Datetime | FieldType::Time => Some(moment::compare(a, b)),
        _ => None,
    }
}

fn read(field_type: &FieldType, cell: &str, out: &mut Vec<u8>) -> Result<(), Reason> {
    if *field_type == FieldType::Boolean {
        return flag::canon_org(cell, out);
    }
    if text::trim(cell).is_empty() {
        return Ok(());
    }
    match field_type {
        FieldType::Int | FieldType::Double | FieldType::Currency | FieldType::Percent => number::canon_org(cell, out),
        FieldType::Date => moment::canon_org_date(cell, out),
        FieldType::Datetime => moment::canon_org_datetime(cell, out),
        FieldType::Time => moment::canon_org_time(cell, out),
        FieldType::Id | FieldType::Reference => identifier::canon_org(cell, out),
        FieldType::Multipicklist => {
            choice::canon_org_set(cell, out);
            Ok(())
        }
        _ => {
            text::canon_org(cell, *field_type == FieldType::Textarea, out);
            Ok(())
        }
    }
}
