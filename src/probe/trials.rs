//! What is written into a field to see how it comes back.

use std::collections::BTreeSet;

use super::record::{Writable, text};
use super::subject::Kind;
use crate::model::FieldType;
use crate::values::canon_org;

/// What a field must hold afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expect {
    /// This text to the letter; empty is null.
    Text(String),
    /// This value, in whichever form.
    Value(String),
    /// These words, each once, in any order.
    Set(Vec<String>),
    /// It is refused with this code.
    Refused(&'static str),
}

/// A look-up of the record by what the field holds now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LookUp {
    pub(super) id: &'static str,
    pub(super) literal: &'static str,
    pub(super) found: bool,
    pub(super) otherwise: &'static str,
}

/// One value, and what is expected of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trial {
    pub(super) id: &'static str,
    /// As text; empty is null.
    pub(super) sent: String,
    pub(super) expect: Expect,
    /// What it means when it comes back otherwise, neither as sent nor as null.
    pub(super) otherwise: &'static str,
    pub(super) then: Vec<LookUp>,
}

impl Trial {
    fn new(id: &'static str, sent: &str, expect: Expect, otherwise: &'static str) -> Self {
        Self { id, sent: sent.into(), expect, otherwise, then: Vec::new() }
    }

    /// The value as JSON.
    pub(super) fn json(&self, kind: Kind) -> String {
        match kind {
            _ if self.sent.is_empty() => "null".to_owned(),
            Kind::Number | Kind::Checkbox => self.sent.clone(),
            _ => serde_json::Value::from(self.sent.as_str()).to_string(),
        }
    }

    /// Is it as expected? Else in what it differs. `held` is the text of what came back.
    pub(super) fn judge(&self, field_type: &FieldType, held: &str) -> Result<(), &'static str> {
        let fine = match &self.expect {
            Expect::Text(wanted) => held == wanted,
            Expect::Value(wanted) => same(field_type, held, wanted),
            Expect::Set(wanted) => {
                let words: Vec<&str> = held.split(';').collect();
                words.len() == wanted.len()
                    && words.iter().copied().collect::<BTreeSet<_>>() == wanted.iter().map(String::as_str).collect()
            }
            Expect::Refused(_) => return Err("it is taken"),
        };
        match fine {
            true => Ok(()),
            false if held == self.sent => Err("it comes back as it was sent"),
            false if held.is_empty() => Err("it comes back as null"),
            false => Err(self.otherwise),
        }
    }
}

/// The same value, in whichever form.
pub(super) fn same(field_type: &FieldType, one: &str, other: &str) -> bool {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    let read = canon_org(field_type, one.as_bytes(), &mut a).and(canon_org(field_type, other.as_bytes(), &mut b));
    read.is_ok() && a == b
}

/// A number with as many decimals as the field has, and one more digit.
fn numbers(w: &Writable) -> (String, Option<String>) {
    let whole = if w.field.precision > w.field.scale { "7" } else { "0" };
    let scale = w.field.scale.min(12) as usize;
    let digits = &"123412341234"[..scale];
    let point = if scale > 0 { "." } else { "" };
    let finer = (w.field.scale <= 12).then(|| format!("{whole}.{digits}6"));
    (format!("{whole}{point}{digits}"), finer)
}

/// The first two words of a picklist in its own order.
fn two(w: &Writable) -> [String; 2] {
    let mut active = w.field.picklist.iter().filter(|v| v.active).map(|v| v.value.clone());
    [active.next().unwrap_or_default(), active.next().unwrap_or_default()]
}

/// The other value of a checkbox.
pub(super) fn other(held: &str) -> &'static str {
    if held == "true" { "false" } else { "true" }
}

/// What is tried on a field by collections, one after another.
pub(super) fn trials(w: &Writable) -> Vec<Trial> {
    use Expect::{Refused, Set, Text, Value};
    let new = Trial::new;
    match w.kind {
        Kind::Text => {
            let look = |id, literal, found, otherwise| LookUp { id, literal, found, otherwise };
            let trim = Trial {
                then: vec![look(
                    "in_case",
                    "FOOTBRIDGE Probe",
                    true,
                    "the record is not found by its text in other letters",
                )],
                ..new(
                    "text_trim",
                    " \tfootbridge probe  ",
                    Text("footbridge probe".into()),
                    "it comes back in another form",
                )
            };
            let wide = "\u{a0}footbridge probe\u{a0}";
            let nbsp = Trial {
                then: vec![look(
                    "in_nbsp",
                    "footbridge probe",
                    false,
                    "the record is found without the no-break space",
                )],
                ..new("text_nbsp", wide, Text(wide.into()), "the no-break spaces are gone")
            };
            let sharp = Trial {
                then: vec![look("in_sharp_s", "footbridge strasse", true, "ss does not find ß")],
                ..new(
                    "text_trim",
                    "footbridge straße",
                    Text("footbridge straße".into()),
                    "it comes back in another form",
                )
            };
            let long = "x".repeat(w.field.length as usize + 1);
            vec![
                trim,
                nbsp,
                sharp,
                new("text_blank", "   ", Text(String::new()), "it comes back in another form"),
                new("text_too_long", &long, Refused("STRING_TOO_LONG"), ""),
                // As many characters as fit, one unit too many.
                new("text_units", &format!("{}\u{1F600}", &long[2..]), Refused("STRING_TOO_LONG"), ""),
            ]
        }
        Kind::Area => {
            let wanted = "footbridge\r\nprobe\r\nlines";
            let long = format!("x\n{}", "x".repeat((w.field.length as usize).saturating_sub(2)));
            vec![
                new("area_lines", "footbridge\nprobe\r\nlines", Text(wanted.into()), "line ends come back otherwise"),
                new("area_length", &long, Refused("STRING_TOO_LONG"), ""),
            ]
        }
        Kind::Number => {
            let (exact, finer) = numbers(w);
            let left = w.field.precision.saturating_sub(w.field.scale).max(1) as usize;
            let mut all = vec![new("number_exact", &exact, Value(exact.clone()), "it comes back as another number")];
            all.extend(
                finer.map(|f| new("number_scale", &f, Value(f.clone()), "it is rounded or cut to the field's scale")),
            );
            all.push(new("number_range", &format!("1{}", "0".repeat(left)), Refused("NUMBER_OUTSIDE_VALID_RANGE"), ""));
            all
        }
        Kind::Picklist => {
            let held = text(&w.before);
            let value = w.field.picklist.iter().find(|v| v.active && v.value != held).or(w.field.picklist.first());
            let value = value.map(|v| v.value.clone()).unwrap_or_default();
            vec![new("picklist_value", &value, Text(value.clone()), "it comes back as another word")]
        }
        Kind::Multi => {
            let [a, b] = two(w);
            let back = format!("{b};{a}");
            vec![
                new("multi_order", &back, Text(format!("{a};{b}")), "it comes back in another order"),
                new("multi_set", &format!("{back};{b}"), Set(vec![a, b]), "it comes back with other values"),
            ]
        }
        Kind::Date => {
            vec![new("date_exact", "2024-02-29", Value("2024-02-29".into()), "it comes back as another date")]
        }
        Kind::Datetime => {
            let wanted = || Value("2026-01-02T03:04:05.000Z".into());
            vec![
                new("datetime_zone", "2026-01-02T04:04:05+01:00", wanted(), "it comes back as another moment"),
                new("datetime_fraction", "2026-01-02T03:04:05.999Z", wanted(), "the fraction is kept, or rounded up"),
            ]
        }
        Kind::Checkbox => {
            let value = other(&w.before);
            vec![new("checkbox_exact", value, Value(value.into()), "it comes back as the other value")]
        }
    }
}

/// What a field is given by a bulk job; `held` is the text of what it holds then. As the cell's text, not yet quoted.
pub(super) fn bulk(w: &Writable, held: &str) -> Option<Trial> {
    use Expect::{Set, Text, Value};
    let new = Trial::new;
    Some(match w.kind {
        Kind::Text => {
            new("bulk_text", "  footbridge bulk ", Text("footbridge bulk".into()), "it comes back in another form")
        }
        Kind::Area => {
            new("bulk_lines", "footbridge\nbulk", Text("footbridge\r\nbulk".into()), "line ends come back otherwise")
        }
        Kind::Number => {
            let (exact, _) = numbers(w);
            new("bulk_number", &exact, Value(exact.clone()), "it comes back as another number")
        }
        Kind::Multi => {
            let [a, b] = two(w);
            new("bulk_multi", &format!("{b};{a}"), Set(vec![a, b]), "it comes back with other values")
        }
        Kind::Date => new("bulk_moments", "2024-02-29", Value("2024-02-29".into()), "it comes back as another date"),
        Kind::Datetime => {
            let moment = "2026-01-02T03:04:05.000Z";
            new("bulk_moments", moment, Value(moment.into()), "it comes back as another moment")
        }
        Kind::Checkbox => {
            new("bulk_checkbox", other(held), Value(other(held).into()), "it comes back as the other value")
        }
        Kind::Picklist => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Field;

    #[test]
    fn numbers_have_the_fields_own_decimals_and_one_more() {
        let of = |precision, scale| {
            let field = Field { precision, scale, ..Field::plain("N__c", FieldType::Double) };
            numbers(&Writable { kind: Kind::Number, field, before: "null".into() })
        };
        assert_eq!(of(18, 0), ("7".into(), Some("7.6".into())));
        assert_eq!(of(5, 2), ("7.12".into(), Some("7.126".into())));
        assert_eq!(of(2, 2), ("0.12".into(), Some("0.126".into())));
        assert_eq!(of(18, 15).1, None, "a double has no room for it");
    }

    #[test]
    fn what_differs_is_said_in_words() {
        let trim = Trial::new("text_trim", " a ", Expect::Text("a".into()), "in another form");
        let judge = |held| trim.judge(&FieldType::String, held);
        assert_eq!(judge("a"), Ok(()));
        assert_eq!(judge(" a "), Err("it comes back as it was sent"));
        assert_eq!(judge(""), Err("it comes back as null"));
        assert_eq!(judge("b"), Err("in another form"));
        let set = Trial::new("multi_set", "b;a;b", Expect::Set(vec!["a".into(), "b".into()]), "others");
        assert_eq!(set.judge(&FieldType::Multipicklist, "b;a"), Ok(()));
        assert_eq!(set.judge(&FieldType::Multipicklist, "a;b;b"), Err("others"));
        let number = Trial::new("number_exact", "7.10", Expect::Value("7.10".into()), "another");
        assert_eq!(number.judge(&FieldType::Double, "7.1"), Ok(()));
    }
}
