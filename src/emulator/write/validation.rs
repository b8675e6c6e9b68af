//! The admin's validation rules, as a seed gives them.

use rusqlite::types::Value as Sql;

use super::super::problem::Problem;
use super::super::seed::form::RuleSeed;

/// Does the record, as it would be, keep the rule? `value` gives a field's value after the change.
///
/// # Errors
/// SQLite's, from `value`.
pub fn broken(rule: &RuleSeed, value: &dyn Fn(&str) -> rusqlite::Result<Sql>) -> rusqlite::Result<Option<Problem>> {
    let found = value(&rule.field)?;
    let must = &rule.must;
    let text = match &found {
        Sql::Text(text) => Some(text.clone()),
        Sql::Integer(number) => Some(number.to_string()),
        Sql::Real(number) => Some(number.to_string()),
        Sql::Null | Sql::Blob(_) => None,
    };
    let Some(text) = text else {
        return Ok(must.be_given.then(|| told(rule)));
    };
    let number = match found {
        Sql::Integer(number) => Some(number as f64),
        Sql::Real(number) => Some(number),
        _ => None,
    };
    let earlier = match &must.not_before {
        // Stored dates and datetimes compare as texts; a date counts as its first second.
        Some(other) => matches!(value(other)?, Sql::Text(other) if text < other),
        None => false,
    };
    let bad = earlier
        || must.max_length.is_some_and(|most| text.chars().count() > most)
        || must.not_be.contains(&text)
        || must.be.as_ref().is_some_and(|v| *v != text)
        || number
            .is_some_and(|n| must.at_least.is_some_and(|least| n < least) || must.at_most.is_some_and(|most| n > most));
    Ok(bad.then(|| told(rule)))
}

fn told(rule: &RuleSeed) -> Problem {
    let fields: &[&str] = if rule.on_page { &[] } else { &[&rule.field] };
    Problem::of_record("FIELD_CUSTOM_VALIDATION_EXCEPTION", rule.message.clone(), fields)
}

#[cfg(test)]
mod tests {
    use rusqlite::types::Value as Sql;

    use super::super::super::seed::form::{RuleSeed, from_yaml};
    use super::broken;

    #[test]
    fn each_condition_is_heeded() {
        for (must, value, fine) in [
            ("be_given: true", Sql::Null, false),
            ("max_length: 3", Sql::Text("abcd".into()), false),
            ("max_length: 3", Sql::Text("abc".into()), true),
            ("max_length: 3", Sql::Null, true),
            ("not_before: Other", Sql::Text("2026-01-01".into()), false),
            ("not_before: Other", Sql::Text("2026-01-02".into()), true),
            ("not_be: [x]", Sql::Text("x".into()), false),
            ("be: x", Sql::Text("y".into()), false),
            ("at_least: 0", Sql::Real(-1.0), false),
            ("at_most: 10", Sql::Integer(10), true),
        ] {
            let rule: RuleSeed = from_yaml(&format!("{{ field: F, message: no, must: {{ {must} }} }}")).unwrap();
            let read = |name: &str| Ok(if name == "F" { value.clone() } else { Sql::Text("2026-01-02".into()) });
            assert_eq!(broken(&rule, &read).unwrap().is_none(), fine, "{must}");
        }
    }
}
