//! A value's two forms: as SQLite stores it, and as JSON replies print it.

use rusqlite::types::{Value as Sql, ValueRef};
use serde_json::Value;

use super::super::ids;
use super::super::schema::{FieldDef, Kind};
use super::moments;

/// Does this type keep a number?
pub fn is_double(kind: Kind) -> bool {
    matches!(kind, Kind::Double | Kind::Currency | Kind::Percent)
}

/// The stored form of a value that a seed or a test gives: lenient, since no rule applies there.
///
/// # Errors
/// What is wrong with it.
pub fn lenient(field: &FieldDef, value: &Value) -> Result<Sql, String> {
    let text = match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(_) | Value::Object(_) => return Err(format!("{}: a list or a map is no value", field.name)),
    };
    lenient_text(field, text.as_deref().unwrap_or_default())
}

/// The same of a text; a blank one is null.
///
/// # Errors
/// What is wrong with it.
pub fn lenient_text(field: &FieldDef, text: &str) -> Result<Sql, String> {
    let unfit =
        |text: &str| format!("{}: `{text}` is no {}", field.name, super::super::standard::kind_name(field.kind));
    if text.trim().is_empty() {
        return Ok(if field.kind == Kind::Boolean { Sql::Integer(0) } else { Sql::Null });
    }
    Ok(match field.kind {
        Kind::Boolean => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => Sql::Integer(1),
            "false" | "0" | "no" => Sql::Integer(0),
            _ => return Err(unfit(text)),
        },
        Kind::Int => Sql::Integer(text.trim().parse::<f64>().map_err(|_| unfit(text))? as i64),
        Kind::Double | Kind::Currency | Kind::Percent => {
            let number: f64 = text.trim().parse().map_err(|_| unfit(text))?;
            if !number.is_finite() {
                return Err(unfit(text));
            }
            Sql::Real(number)
        }
        Kind::Date => Sql::Text(moments::date(text.trim()).map_err(|_| unfit(text))?),
        Kind::Datetime => Sql::Text(moments::datetime(text.trim()).map_err(|_| unfit(text))?),
        Kind::Time => Sql::Text(moments::time(text.trim()).map_err(|_| unfit(text))?),
        Kind::Id | Kind::Reference => Sql::Text(ids::eighteen(text.trim()).ok_or_else(|| unfit(text))?),
        _ => Sql::Text(text.to_owned()),
    })
}

/// Appends a stored value as JSON replies print it.
pub fn print(field: &FieldDef, value: ValueRef<'_>, out: &mut String) {
    match value {
        ValueRef::Null => out.push_str(if field.kind == Kind::Boolean { "false" } else { "null" }),
        ValueRef::Integer(number) if field.kind == Kind::Boolean => {
            out.push_str(if number == 0 { "false" } else { "true" });
        }
        ValueRef::Integer(number) if is_double(field.kind) => out.push_str(&double(number as f64)),
        ValueRef::Integer(number) => out.push_str(&number.to_string()),
        ValueRef::Real(number) => out.push_str(&double(number)),
        ValueRef::Text(bytes) if field.kind == Kind::Address => out.push_str(&String::from_utf8_lossy(bytes)),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            let text = String::from_utf8_lossy(bytes);
            let printed = if field.kind == Kind::Datetime { moments::printed(&text) } else { text.into_owned() };
            out.push_str(&Value::String(printed).to_string());
        }
    }
}

/// A whole double keeps its `.0` (recorded: `300.0`).
pub fn double(number: f64) -> String {
    format!("{number:?}")
}

#[cfg(test)]
mod tests {
    use rusqlite::types::{Value as Sql, ValueRef};
    use serde_json::json;

    use super::super::super::schema::Kind;
    use super::super::super::standard::usual;
    use super::{lenient, print};

    #[test]
    fn seeds_give_values_in_any_plain_form() {
        let stored = |kind, value| lenient(&usual(kind, 80).0, &value);
        assert_eq!(stored(Kind::Boolean, json!("False")), Ok(Sql::Integer(0)));
        assert_eq!(stored(Kind::Boolean, json!(null)), Ok(Sql::Integer(0)));
        assert_eq!(stored(Kind::Double, json!("0.0")), Ok(Sql::Real(0.0)));
        assert_eq!(stored(Kind::Double, json!(7)), Ok(Sql::Real(7.0)));
        assert_eq!(stored(Kind::String, json!(" ")), Ok(Sql::Null));
        assert_eq!(
            stored(Kind::Datetime, json!("2026-01-02T04:04:05+01:00")),
            Ok(Sql::Text("2026-01-02T03:04:05.000Z".into()))
        );
        assert!(stored(Kind::Date, json!("tomorrow")).is_err());
        assert!(stored(Kind::Double, json!("NaN")).is_err());
    }

    #[test]
    fn replies_print_each_type_in_its_own_way() {
        let printed = |kind, value: ValueRef<'_>| {
            let mut out = String::new();
            print(&usual(kind, 80).0, value, &mut out);
            out
        };
        assert_eq!(printed(Kind::Boolean, ValueRef::Integer(1)), "true");
        assert_eq!(printed(Kind::Double, ValueRef::Real(100.0)), "100.0");
        assert_eq!(printed(Kind::Int, ValueRef::Integer(100)), "100");
        assert_eq!(
            printed(Kind::Datetime, ValueRef::Text(b"2026-01-02T03:04:05.000Z")),
            "\"2026-01-02T03:04:05.000+0000\""
        );
        assert_eq!(printed(Kind::String, ValueRef::Text(b"a\"b\r\n")), "\"a\\\"b\\r\\n\"");
        assert_eq!(printed(Kind::String, ValueRef::Null), "null");
    }
}
