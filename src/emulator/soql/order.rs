//! ORDER BY → SQL: nulls first, text by its folded form, picklists in their own order.

use rusqlite::types::Value;

use super::ast::Order;
use super::failure::{Failure, MALFORMED};
use super::operand::Family;
use super::scope::Scope;
use crate::schema::Kind;

/// The terms behind ORDER BY, or nothing. Parameters follow those of the filter.
pub(super) fn order(scope: &mut Scope<'_, '_>, orders: &[Order], values: &mut Vec<Value>) -> Result<String, Failure> {
    let mut terms = Vec::new();
    for order in orders {
        let column = scope.resolve(&order.path)?;
        let field = column.field;
        if !field.sortable || matches!(field.kind, Kind::Address | Kind::Multipicklist) {
            let message = format!("field '{}' can not be sorted in a query call", field.name);
            return Err(Failure::at(scope.text, order.path.at.0, MALFORMED, message));
        }
        let direction = if order.descending { "DESC" } else { "ASC" };
        // Documented: NULLS LAST does nothing for fields of a related record.
        let nulls = if order.nulls_last && column.steps.is_empty() { "LAST" } else { "FIRST" };
        let collation = Family::of(field).collation();
        if field.kind == Kind::Picklist && !field.picklist.is_empty() {
            let mut rank = format!("CASE {}{collation}", column.sql);
            for (index, entry) in field.picklist.iter().enumerate() {
                rank += &format!(" WHEN ? THEN {index}");
                values.push(Value::Text(entry.value.clone()));
            }
            // Values that are no entry come after the entries, by text.
            rank += &format!(" ELSE CASE WHEN {} IS NOT NULL THEN {} END END", column.sql, field.picklist.len());
            terms.push(format!("{rank} {direction} NULLS {nulls}"));
        }
        terms.push(format!("{}{collation} {direction} NULLS {nulls}", column.sql));
    }
    Ok(if terms.is_empty() { String::new() } else { format!(" ORDER BY {}", terms.join(", ")) })
}
