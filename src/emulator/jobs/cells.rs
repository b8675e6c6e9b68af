//! A cell of an upload to a typed change: empty leaves the field alone, `#N/A` clears it, what is none of its type fails the row.

use super::super::options::Habits;
use super::super::problem::Problem;
use super::super::schema::{FieldDef, Kind};
use super::super::store::moments::{self, Unfit};
use super::super::write::draft::{Typed, decimal};

/// The change that a cell asks for; `None` for an empty one. `column` counts from 0.
///
/// # Errors
/// The row's: `INVALID_FIELD:Failed to deserialize field at col 3. Due to, 'x' is not a valid value for the type xsd:date`, as
/// developers report it.
pub fn typed(field: &FieldDef, text: &str, column: usize, habits: Habits) -> Result<Option<Typed>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    if text == "#N/A" && !habits.plain_null_word {
        return Ok(Some(Typed::Null));
    }
    let wrong = |wanted: &str| {
        let message = format!(
            "Failed to deserialize field at col {column}. Due to, '{text}' is not a valid value for the type xsd:{wanted}"
        );
        Problem::of_record("INVALID_FIELD", message, &[&field.name])
    };
    let moment = |read: Result<String, Unfit>, wanted: &str| match read {
        Ok(stored) => Ok(Typed::Moment(stored)),
        Err(Unfit::Range) => Ok(Typed::Beyond(text.to_owned())),
        Err(Unfit::Syntax) => Err(wrong(wanted)),
    };
    let typed = match field.kind {
        Kind::Boolean => match text {
            "1" => Typed::Flag(true),
            "0" => Typed::Flag(false),
            _ if text.eq_ignore_ascii_case("true") => Typed::Flag(true),
            _ if text.eq_ignore_ascii_case("false") => Typed::Flag(false),
            _ => return Err(wrong("boolean")),
        },
        Kind::Int => Typed::Number(text.parse::<i64>().map_err(|_| wrong("int"))? as f64),
        Kind::Double | Kind::Currency | Kind::Percent => Typed::Number(decimal(text).ok_or_else(|| wrong("double"))?),
        // A date with a trailing Z is in the documentation's own samples.
        Kind::Date => moment(moments::date(text.strip_suffix('Z').unwrap_or(text)), "date")?,
        Kind::Datetime => moment(moments::datetime(text), "dateTime")?,
        Kind::Time => moment(moments::time(text), "time")?,
        _ => Typed::Text(text.to_owned()),
    };
    Ok(Some(typed))
}

#[cfg(test)]
mod tests {
    use super::super::super::options::Habits;
    use super::super::super::schema::Kind;
    use super::super::super::standard::usual;
    use super::super::super::write::draft::Typed;
    use super::typed;

    #[test]
    fn cells_by_type() {
        let read = |kind, text: &str| typed(&usual(kind, 80).0, text, 2, Habits::default()).map_err(|p| p.message);
        for (kind, text, found) in [
            (Kind::String, "", None),
            (Kind::String, "#N/A", Some(Typed::Null)),
            (Kind::String, " x ", Some(Typed::Text(" x ".into()))),
            (Kind::Boolean, "TRUE", Some(Typed::Flag(true))),
            (Kind::Boolean, "0", Some(Typed::Flag(false))),
            (Kind::Int, "7", Some(Typed::Number(7.0))),
            (Kind::Double, "1.5E3", Some(Typed::Number(1500.0))),
            (Kind::Date, "1940-06-07Z", Some(Typed::Moment("1940-06-07".into()))),
            (Kind::Date, "1600-01-01", Some(Typed::Beyond("1600-01-01".into()))),
            (Kind::Datetime, "2026-01-02T03:04:05.000Z", Some(Typed::Moment("2026-01-02T03:04:05.000Z".into()))),
        ] {
            assert_eq!(read(kind, text), Ok(found), "{text}");
        }
        for (kind, text, wanted) in [
            (Kind::Boolean, "yes", "boolean"),
            (Kind::Int, "1.5", "int"),
            (Kind::Double, "1,5", "double"),
            (Kind::Date, "13/01/2026", "date"),
            (Kind::Datetime, "2026-01-02", "dateTime"),
        ] {
            let told = format!(
                "Failed to deserialize field at col 2. Due to, '{text}' is not a valid value for the type xsd:{wanted}"
            );
            assert_eq!(read(kind, text), Err(told));
        }
    }
}
