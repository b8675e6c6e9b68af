//! From JSON to typed changes. What does not fit its type refuses the whole call, in collections, too (`JSON_PARSER_ERROR`), as does
//! a field that is not there or hidden (`INVALID_FIELD`).

use serde_json::{Map, Value};

use super::super::people::User;
use super::super::problem::Problem;
use super::super::schema::{FieldDef, Kind, ObjectDef};
use super::super::seed::form::Access;
use super::super::standard::kind_name;
use super::super::store::moments::{self, Unfit};

/// A value of the right JSON type.
#[derive(Debug, Clone, PartialEq)]
pub enum Typed {
    /// Clears the field.
    Null,
    /// Any text, not yet checked.
    Text(String),
    /// A checkbox.
    Flag(bool),
    /// A number of any kind.
    Number(f64),
    /// A date, datetime or time in its stored form.
    Moment(String),
    /// A date or datetime of a year that Salesforce does not keep, as sent.
    Beyond(String),
}

/// The changes that a client asks for, in the order of the object's fields.
#[derive(Debug)]
pub struct Draft<'m> {
    /// The object.
    pub object: &'m ObjectDef,
    /// Field and value.
    pub changes: Vec<(&'m FieldDef, Typed)>,
}

/// Reads the fields of one record; `attributes` and `id` are left to the caller. `raw` is the body, for positions in messages.
///
/// # Errors
/// The refusal of the whole call.
pub fn read<'m>(
    object: &'m ObjectDef,
    user: &User,
    record: &Map<String, Value>,
    raw: &str,
) -> Result<Draft<'m>, Problem> {
    let mut changes = Vec::with_capacity(record.len());
    for (name, value) in record {
        if name == "attributes" || name.eq_ignore_ascii_case("id") {
            continue;
        }
        let visible = |f: &&FieldDef| user.field(&object.name, &f.name) != Access::None;
        let field = object.field(name).filter(visible).ok_or_else(|| {
            Problem::new(400, "INVALID_FIELD", format!("No such column '{name}' on sobject of type {}", object.name))
        })?;
        changes.push((field, typed(field, name, value, raw)?));
    }
    let order = |field: &FieldDef| object.fields.iter().position(|f| std::ptr::eq(f, field));
    changes.sort_by_key(|(field, _)| order(field));
    changes.dedup_by(|later, earlier| std::ptr::eq(later.0, earlier.0));
    Ok(Draft { object, changes })
}

fn typed(field: &FieldDef, name: &str, value: &Value, raw: &str) -> Result<Typed, Problem> {
    let refuse = || Err(deserialize(field, name, value, raw));
    let moment = |read: Result<String, Unfit>, text: &str| match read {
        Ok(stored) => Ok(Typed::Moment(stored)),
        Err(Unfit::Range) => Ok(Typed::Beyond(text.to_owned())),
        Err(Unfit::Syntax) => refuse(),
    };
    match (field.kind, value) {
        (_, Value::Null) => Ok(Typed::Null),
        (Kind::Boolean, Value::Bool(flag)) => Ok(Typed::Flag(*flag)),
        (Kind::Int, Value::Number(number)) if number.is_f64() => refuse(),
        (Kind::Int | Kind::Double | Kind::Currency | Kind::Percent, Value::Number(number)) => {
            number.as_f64().map_or_else(refuse, |n| Ok(Typed::Number(n)))
        }
        (Kind::Int | Kind::Double | Kind::Currency | Kind::Percent, Value::String(text)) if text.is_empty() => {
            Ok(Typed::Null)
        }
        (Kind::Int, Value::String(text)) => {
            text.parse::<i64>().map_or_else(|_| refuse(), |n| Ok(Typed::Number(n as f64)))
        }
        (Kind::Double | Kind::Currency | Kind::Percent, Value::String(text)) => match decimal(text) {
            Some(number) => Ok(Typed::Number(number)),
            None => refuse(),
        },
        (Kind::Date | Kind::Datetime | Kind::Time, Value::String(text)) if text.is_empty() => Ok(Typed::Null),
        (Kind::Date, Value::String(text)) => moment(moments::date(text), text),
        (Kind::Datetime, Value::String(text)) => moment(moments::datetime(text), text),
        (Kind::Time, Value::String(text)) => moment(moments::time(text), text),
        (Kind::Boolean | Kind::Int | Kind::Double | Kind::Currency | Kind::Percent, _) => refuse(),
        (Kind::Date | Kind::Datetime | Kind::Time, _) => refuse(),
        (_, Value::String(text)) => Ok(Typed::Text(text.clone())),
        // Compound fields arrive as objects; they are refused as read-only later.
        (Kind::Address, Value::Object(_)) => Ok(Typed::Text(String::new())),
        _ => refuse(),
    }
}

/// A number in a string: what Java's parser takes and JSON would.
pub fn decimal(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    text.parse::<f64>().ok().filter(|n| plain && n.is_finite())
}

/// `Cannot deserialize instance of date from VALUE_STRING value X or request may be missing a required field at [line:1, column:55]`
fn deserialize(field: &FieldDef, name: &str, value: &Value, raw: &str) -> Problem {
    let (token, shown) = match value {
        Value::Null => ("VALUE_NULL", "null".to_owned()),
        Value::Bool(true) => ("VALUE_TRUE", "true".to_owned()),
        Value::Bool(false) => ("VALUE_FALSE", "false".to_owned()),
        Value::Number(n) if n.is_f64() => ("VALUE_NUMBER_FLOAT", n.to_string()),
        Value::Number(n) => ("VALUE_NUMBER_INT", n.to_string()),
        Value::String(text) => ("VALUE_STRING", text.clone()),
        Value::Array(_) => ("START_ARRAY", "[".to_owned()),
        Value::Object(_) => ("START_OBJECT", "{".to_owned()),
    };
    let wanted = match field.kind {
        Kind::Boolean | Kind::Int | Kind::Double | Kind::Currency | Kind::Percent => kind_name(field.kind),
        Kind::Date | Kind::Datetime | Kind::Time | Kind::Address => kind_name(field.kind),
        _ => "string",
    };
    let (line, column) = position(raw, name, value);
    let message = format!(
        "Cannot deserialize instance of {wanted} from {token} value {shown} or request may be missing a required field at [line:{line}, column:{column}]"
    );
    Problem::new(400, "JSON_PARSER_ERROR", message)
}

/// Line and column (both from 1) of a field's value in the body.
fn position(raw: &str, name: &str, value: &Value) -> (usize, usize) {
    let key = Value::from(name).to_string();
    let printed = value.to_string();
    let at = raw.match_indices(&key).find_map(|(start, _)| {
        let after = start + key.len();
        let rest = raw[after..].trim_start().strip_prefix(':')?.trim_start();
        let begins = raw.len() - rest.len();
        rest.starts_with(printed.get(..1)?)
            .then_some(begins)
            .filter(|_| rest.starts_with(&printed) || value.is_number())
    });
    let before = &raw[..at.unwrap_or(0)];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::super::people::User;
    use super::super::super::schema::{Kind, ObjectDef};
    use super::super::super::seed::form::{Access, UserSeed};
    use super::super::super::standard::usual;
    use super::{Typed, read};

    fn object() -> ObjectDef {
        let kinds = [Kind::String, Kind::Boolean, Kind::Int, Kind::Double, Kind::Date, Kind::Datetime, Kind::Picklist];
        let fields = kinds.iter().map(|kind| {
            let mut field = usual(*kind, 80).0;
            field.name = format!("{kind:?}");
            field
        });
        ObjectDef {
            name: "Lead".into(),
            label: "Lead".into(),
            label_plural: "Leads".into(),
            key_prefix: "00Q".into(),
            custom: false,
            updateable: true,
            fields: fields.collect(),
        }
    }

    fn user() -> User {
        User { id: String::new(), seed: UserSeed::default() }
    }

    fn drafted(name: &str, value: Value) -> Result<Typed, String> {
        let object = object();
        let body = json!({ name: value });
        let draft = read(&object, &user(), body.as_object().unwrap(), &body.to_string()).map_err(|p| p.message)?;
        Ok(draft.changes[0].1.clone())
    }

    #[test]
    fn json_types_that_fit() {
        for (name, value, typed) in [
            ("String", json!("x"), Typed::Text("x".into())),
            ("string", json!("x"), Typed::Text("x".into())),
            ("Boolean", json!(true), Typed::Flag(true)),
            ("Int", json!("10000"), Typed::Number(10000.0)),
            ("Int", json!(7), Typed::Number(7.0)),
            ("Double", json!("1.5"), Typed::Number(1.5)),
            ("Double", json!(9_999_999_999_999_999_u64), Typed::Number(1e16)),
            ("Double", json!(""), Typed::Null),
            ("Date", json!("2026-01-02"), Typed::Moment("2026-01-02".into())),
            ("Date", json!("1600-01-02"), Typed::Beyond("1600-01-02".into())),
            ("Datetime", json!("2026-01-02T03:04:05.678+01:00"), Typed::Moment("2026-01-02T02:04:05.000Z".into())),
            ("Picklist", json!(null), Typed::Null),
        ] {
            assert_eq!(drafted(name, value.clone()), Ok(typed), "{name} {value}");
        }
    }

    #[test]
    fn json_types_that_do_not_fit_refuse_the_call() {
        for (name, value, begins) in [
            ("Boolean", json!("FALSE"), "Cannot deserialize instance of boolean from VALUE_STRING value FALSE or"),
            ("Boolean", json!("true"), "Cannot deserialize instance of boolean from VALUE_STRING value true"),
            ("Boolean", json!(1), "Cannot deserialize instance of boolean from VALUE_NUMBER_INT value 1"),
            ("Int", json!(1.5), "Cannot deserialize instance of int from VALUE_NUMBER_FLOAT value 1.5"),
            ("Int", json!("1.5"), "Cannot deserialize instance of int from VALUE_STRING value 1.5"),
            ("Double", json!("1,5"), "Cannot deserialize instance of double from VALUE_STRING value 1,5"),
            ("Double", json!("NaN"), "Cannot deserialize instance of double from VALUE_STRING value NaN"),
            (
                "Date",
                json!("2026-01-02T00:00:00Z"),
                "Cannot deserialize instance of date from VALUE_STRING value 2026-01-02T",
            ),
            ("Datetime", json!("2026-01-02 03:04:05"), "Cannot deserialize instance of datetime from VALUE_STRING"),
            ("String", json!(5), "Cannot deserialize instance of string from VALUE_NUMBER_INT value 5"),
            ("Nope", json!("x"), "No such column 'Nope' on sobject of type Lead"),
        ] {
            let message = drafted(name, value).unwrap_err();
            assert!(message.starts_with(begins), "{message}");
        }
    }

    #[test]
    fn the_message_says_where_the_value_stands() {
        let message = drafted("Date", json!("x")).unwrap_err();
        assert!(message.ends_with("at [line:1, column:9]"), "{message}");
    }

    #[test]
    fn a_hidden_field_is_not_there() {
        let mut user = user();
        user.seed.fields.insert("Lead.String".into(), Access::None);
        let body = json!({"String": "x"});
        let problem = read(&object(), &user, body.as_object().unwrap(), "").unwrap_err();
        assert_eq!(problem.code, "INVALID_FIELD");
    }
}
