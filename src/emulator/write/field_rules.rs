//! A typed value to what is stored: lengths, ranges, picklists, syntax, ids.

use rusqlite::Connection;
use rusqlite::types::Value as Sql;

use super::super::ids;
use super::super::options::Habits;
use super::super::problem::Problem;
use super::super::schema::{Catalog, FieldDef, Kind};
use super::super::store::rows::{self, Presence};
use super::draft::Typed;
use super::email::is_address;

/// The most values of a multi-select picklist.
const MOST_VALUES: usize = 100;

/// What is stored for a value.
///
/// # Errors
/// The record's error.
pub fn store(
    field: &FieldDef,
    value: &Typed,
    db: &Connection,
    catalog: &Catalog,
    habits: Habits,
) -> Result<Sql, Problem> {
    match value {
        Typed::Null if field.kind == Kind::Boolean => {
            Err(problem(field, "INVALID_TYPE_ON_FIELD_IN_RECORD", "value not of required type: null"))
        }
        Typed::Null => Ok(Sql::Null),
        Typed::Flag(flag) => Ok(Sql::Integer(i64::from(*flag))),
        Typed::Moment(stored) => Ok(Sql::Text(stored.clone())),
        Typed::Beyond(sent) => Err(problem(field, "FIELD_INTEGRITY_EXCEPTION", &format!("invalid date: {sent}"))),
        Typed::Number(number) => self::number(field, *number, habits),
        Typed::Text(text) => self::text(field, text, db, catalog, habits),
    }
}

fn problem(field: &FieldDef, code: &str, what: &str) -> Problem {
    Problem::of_record(code, format!("{}: {what}", field.label), &[&field.name])
}

fn number(field: &FieldDef, number: f64, habits: Habits) -> Result<Sql, Problem> {
    let int = field.kind == Kind::Int;
    let left = if int { field.digits } else { field.precision.saturating_sub(field.scale) };
    // Digits left of the point only: the scale is not enforced through the API (help 000387302).
    if number.abs().trunc() >= 10_f64.powi(left as i32) {
        let shown =
            if number.fract() == 0.0 && number.abs() < 1e15 { format!("{number:.0}") } else { number.to_string() };
        let what = format!("value outside of valid range on numeric field: {shown}");
        return Err(problem(field, "NUMBER_OUTSIDE_VALID_RANGE", &what));
    }
    let unit = 10_f64.powi(field.scale as i32);
    Ok(match int {
        true => Sql::Integer(number as i64),
        false if habits.rounds => Sql::Real((number * unit).round() / unit),
        false => Sql::Real(number),
    })
}

/// Java's `trim`: everything up to U+0020 goes, a no-break space stays.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c <= ' ')
}

fn text(field: &FieldDef, text: &str, db: &Connection, catalog: &Catalog, habits: Habits) -> Result<Sql, Problem> {
    if trimmed(text).is_empty() {
        return Ok(Sql::Null);
    }
    let text = if habits.keeps_spaces { text } else { trimmed(text) };
    let stored = match field.kind {
        Kind::Textarea if habits.keeps_line_ends => text.to_owned(),
        Kind::Textarea => text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n"),
        Kind::Picklist => picklist(field, text)?,
        Kind::Multipicklist => multipicklist(field, text, habits)?,
        Kind::Id | Kind::Reference => return reference(field, text, db, catalog).map(Sql::Text),
        _ => text.replace("\r\n", " ").replace(['\r', '\n'], " "),
    };
    if stored.is_empty() {
        return Ok(Sql::Null);
    }
    if stored.encode_utf16().count() > field.length as usize {
        let what = format!("data value too large: {stored} (max length={})", field.length);
        return Err(problem(field, "STRING_TOO_LONG", &what));
    }
    if field.kind == Kind::Email && !is_address(&stored) {
        return Err(problem(field, "INVALID_EMAIL_ADDRESS", &format!("invalid email address: {stored}")));
    }
    Ok(Sql::Text(stored))
}

/// The entry's own spelling when there is one; another text only where the picklist is not restricted.
fn picklist(field: &FieldDef, text: &str) -> Result<String, Problem> {
    let folded = text.to_lowercase();
    let entry = field.picklist.iter().find(|e| e.value.to_lowercase() == folded);
    match entry {
        Some(entry) if entry.active || !field.restricted => Ok(entry.value.clone()),
        None if !field.restricted => Ok(text.to_owned()),
        _ => {
            let what = format!("bad value for restricted picklist field: {text}");
            Err(problem(field, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", &what))
        }
    }
}

/// Each value once, in the picklist's own order; unknown ones behind, as sent.
fn multipicklist(field: &FieldDef, text: &str, habits: Habits) -> Result<String, Problem> {
    let mut chosen: Vec<String> = Vec::new();
    for part in text.split(';').map(trimmed).filter(|p| !p.is_empty()) {
        let value = picklist(field, part)?;
        if !chosen.contains(&value) {
            chosen.push(value);
        }
    }
    if chosen.len() > MOST_VALUES {
        let what = format!("too many values selected: at most {MOST_VALUES}");
        return Err(problem(field, "TOO_MANY_ENUM_VALUE", &what));
    }
    let place = |value: &String| field.picklist.iter().position(|e| e.value == *value).unwrap_or(usize::MAX);
    if !habits.keeps_order {
        chosen.sort_by_key(place);
    }
    Ok(chosen.join(";"))
}

fn reference(field: &FieldDef, text: &str, db: &Connection, catalog: &Catalog) -> Result<String, Problem> {
    let wrong = || problem(field, "MALFORMED_ID", &format!("id value of incorrect type: {text}"));
    let id = ids::eighteen(text).ok_or_else(wrong)?;
    let known: Vec<_> = field.reference_to.iter().filter_map(|name| catalog.object(name)).collect();
    let target = known.iter().find(|object| id.starts_with(&object.key_prefix));
    let Some(target) = target else {
        // Of an object that is not emulated (Group, Profile …) nothing can be said; one that is has ids of its own.
        let others = catalog.objects.iter().any(|object| id.starts_with(&object.key_prefix));
        return if known.len() < field.reference_to.len() && !others { Ok(id) } else { Err(wrong()) };
    };
    match rows::presence(db, &target.name, &id)? {
        Presence::There => Ok(id),
        Presence::Absent | Presence::Deleted => {
            Err(Problem::of_record("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", &[&field.name]))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rusqlite::Connection;
    use rusqlite::types::Value as Sql;

    use super::super::super::options::Habits;
    use super::super::super::schema::{Catalog, FieldDef, Kind, PicklistEntry};
    use super::super::super::standard::usual;
    use super::super::draft::Typed;
    use super::store;

    fn field(kind: Kind, length: u32) -> FieldDef {
        let mut field = usual(kind, length).0;
        (field.name, field.label) = ("F__c".into(), "Topic Name".into());
        field.picklist = [("b", true), ("a", true), ("Old", false)]
            .map(|(value, active)| PicklistEntry { value: value.into(), label: value.into(), active, default: false })
            .to_vec();
        field
    }

    fn stored(field: &FieldDef, value: Typed) -> Result<Sql, (String, String)> {
        let db = Connection::open_in_memory().unwrap();
        store(field, &value, &db, &Catalog::default(), Habits::default()).map_err(|p| (p.code, p.message))
    }

    fn text(field: &FieldDef, value: &str) -> Result<Sql, (String, String)> {
        stored(field, Typed::Text(value.into()))
    }

    fn is(value: &str) -> Result<Sql, (String, String)> {
        Ok(Sql::Text(value.into()))
    }

    fn refused(code: &str, message: &str) -> Result<Sql, (String, String)> {
        Err((code.into(), message.into()))
    }

    #[test]
    fn text_is_trimmed_and_blank_is_null() {
        let f = field(Kind::String, 25);
        assert_eq!(text(&f, "  a b\t"), is("a b"));
        assert_eq!(text(&f, " \r\n "), Ok(Sql::Null));
        assert_eq!(text(&f, "\u{a0}a"), is("\u{a0}a"));
        assert_eq!(text(&f, "a\r\nb\nc"), is("a b c"));
        assert_eq!(text(&field(Kind::Textarea, 255), "a\nb\r\nc\rd\n"), is("a\r\nb\r\nc\r\nd"));
    }

    #[test]
    fn too_long_names_label_and_whole_value() {
        let f = field(Kind::String, 5);
        assert_eq!(text(&f, "12345"), is("12345"));
        assert_eq!(
            text(&f, "123456"),
            refused("STRING_TOO_LONG", "Topic Name: data value too large: 123456 (max length=5)")
        );
        // Two UTF-16 units each.
        assert!(text(&f, "😀😀").is_ok());
        assert!(text(&f, "😀😀😀").is_err());
    }

    #[test]
    fn picklists_restricted_and_not() {
        let mut f = field(Kind::Picklist, 255);
        assert_eq!(text(&f, "A"), is("a"));
        assert_eq!(text(&f, "new"), is("new"));
        assert_eq!(text(&f, "old"), is("Old"));
        f.restricted = true;
        for value in ["new", "Old"] {
            let message = format!("Topic Name: bad value for restricted picklist field: {value}");
            assert_eq!(text(&f, value), refused("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", &message));
        }
        let mut multi = field(Kind::Multipicklist, 4099);
        assert_eq!(text(&multi, "x;a; b;a;"), is("b;a;x"));
        multi.restricted = true;
        assert!(text(&multi, "a;x").is_err());
        let many = (0..101).map(|n| format!("v{n}")).collect::<Vec<_>>().join(";");
        assert_eq!(text(&field(Kind::Multipicklist, 4099), &many).unwrap_err().0, "TOO_MANY_ENUM_VALUE");
    }

    #[test]
    fn numbers_heed_digits_left_of_the_point_only() {
        let mut f = field(Kind::Double, 0);
        (f.precision, f.scale) = (3, 1);
        assert_eq!(stored(&f, Typed::Number(37.631)), Ok(Sql::Real(37.631)));
        assert_eq!(stored(&f, Typed::Number(-99.99)), Ok(Sql::Real(-99.99)));
        let message = "Topic Name: value outside of valid range on numeric field: 100";
        assert_eq!(stored(&f, Typed::Number(100.0)), refused("NUMBER_OUTSIDE_VALID_RANGE", message));
        let mut int = field(Kind::Int, 0);
        int.digits = 8;
        assert_eq!(stored(&int, Typed::Number(99_999_999.0)), Ok(Sql::Integer(99_999_999)));
        let message = "Topic Name: value outside of valid range on numeric field: 1431655766";
        assert_eq!(stored(&int, Typed::Number(1_431_655_766.0)), refused("NUMBER_OUTSIDE_VALID_RANGE", message));
    }

    #[test]
    fn addresses_and_ids_are_checked() {
        let message = "Topic Name: invalid email address: Not a real email address";
        assert_eq!(
            text(&field(Kind::Email, 80), "Not a real email address"),
            refused("INVALID_EMAIL_ADDRESS", message)
        );
        let mut f = field(Kind::Reference, 18);
        f.reference_to = vec!["Group".into()];
        assert_eq!(text(&f, "0012300000bVTq1"), is("0012300000bVTq1AAG"));
        assert_eq!(text(&f, "0012300000bVTq1AAX").unwrap_err().0, "MALFORMED_ID");
        assert_eq!(stored(&field(Kind::Boolean, 0), Typed::Null).unwrap_err().0, "INVALID_TYPE_ON_FIELD_IN_RECORD");
    }

    proptest! {
        #[test]
        fn what_is_stored_is_stored_alike_again(sent in "[ -~\u{a0}é\r\n]{0,40}") {
            for f in [field(Kind::String, 80), field(Kind::Textarea, 255), field(Kind::Picklist, 80), field(Kind::Multipicklist, 99)] {
                if let Ok(Sql::Text(first)) = text(&f, &sent) {
                    prop_assert_eq!(text(&f, &first), is(&first));
                }
            }
        }
    }
}
