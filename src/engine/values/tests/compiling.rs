//! Which fields can be written, and with which options.

use super::*;

fn code(field: &Field, options: &Options) -> &'static str {
    match Rule::compile(field, options) {
        Ok(_) => "ok",
        Err(problem) => {
            assert!(!problem.to_string().is_empty() && !problem.hint().is_empty());
            problem.code()
        }
    }
}

#[test]
fn fields_that_cannot_be_written_say_why() {
    type Change = fn(&mut Field);
    let cases: [(FieldType, Change, &str); 17] = [
        (FieldType::String, |_| {}, "ok"),
        (FieldType::String, |f| f.updateable = false, "read_only"),
        (FieldType::String, |f| (f.updateable, f.calculated) = (false, true), "calculated"),
        (FieldType::String, |f| (f.updateable, f.auto_number) = (false, true), "auto_number"),
        (FieldType::Textarea, |f| f.html_formatted = true, "rich_text"),
        (FieldType::String, |f| f.encrypted = true, "encrypted"),
        (FieldType::EncryptedString, |_| {}, "encrypted"),
        (FieldType::Id, |f| f.updateable = false, "record_id"),
        (FieldType::Address, |f| f.updateable = false, "compound"),
        (FieldType::Location, |_| {}, "compound"),
        (FieldType::String, |f| (f.name, f.updateable) = (FieldName::new("Name"), false), "compound"),
        (FieldType::String, |f| f.name = FieldName::new("Name"), "ok"),
        // LastName is a part, and is written.
        (FieldType::String, |f| f.compound = Some(FieldName::new("Name")), "ok"),
        (FieldType::Base64, |_| {}, "unsupported_type"),
        (FieldType::AnyType, |_| {}, "unsupported_type"),
        (FieldType::Complexvalue, |_| {}, "unsupported_type"),
        (FieldType::Other("quantum".into()), |_| {}, "unsupported_type"),
    ];
    for (at, (t, change, expected)) in cases.into_iter().enumerate() {
        let mut field = field(t);
        change(&mut field);
        assert_eq!(code(&field, &Options::default()), expected, "case {at}");
    }
}

#[test]
fn every_writable_type_compiles_without_options() {
    for t in writable() {
        assert_eq!(code(&field(t.clone()), &Options::default()), "ok", "{t:?}");
    }
}

#[test]
fn options_fit_their_types_only() {
    use FieldType::*;
    let numbers = [Int, Double, Currency, Percent];
    let all: [(&str, Options, &[FieldType]); 12] = [
        (
            "format",
            Options {
                format: Some("%H:%M %d %m %Y %z".into()),
                time_zone: Some(jiff::tz::TimeZone::UTC),
                ..Options::default()
            },
            &[Date, Datetime, Time],
        ),
        ("decimal", Options { decimal: Some(','), ..Options::default() }, &numbers),
        ("percent", Options { percent: Some(PercentForm::Sign), ..Options::default() }, &numbers),
        ("prefix", Options { prefix: Some("$".into()), ..Options::default() }, &numbers),
        ("suffix", Options { suffix: Some("h".into()), ..Options::default() }, &numbers),
        ("currency", Options { currency: Some("EUR".into()), ..Options::default() }, &[Currency]),
        ("true_values", Options { true_values: vec!["ja".into()], ..Options::default() }, &[Boolean]),
        ("false_values", Options { false_values: vec!["nein".into()], ..Options::default() }, &[Boolean]),
        ("separator", Options { separator: Some('|'), ..Options::default() }, &[Multipicklist]),
        ("new_values", Options { new_values: true, ..Options::default() }, &[Picklist, Multipicklist]),
        ("truncate", Options { truncate: true, ..Options::default() }, &[String, Textarea, Combobox]),
        ("id_prefixes", Options { id_prefixes: vec!["001".into()], ..Options::default() }, &[Reference]),
    ];
    for (name, options, fitting) in all {
        for t in writable() {
            let got = Rule::compile(&field(t.clone()), &options).map(|_| ());
            let expected = if fitting.contains(&t) {
                Ok(())
            } else {
                Err(RuleProblem::OptionDoesNotFit { option: name, field_type: t.as_str().to_owned() })
            };
            assert_eq!(got, expected, "{name} on {t:?}");
        }
    }
    let zone = Options { time_zone: Some(jiff::tz::TimeZone::UTC), ..Options::default() };
    assert!(writable().into_iter().all(|t| code(&field(t), &zone) == "ok"));
}

#[test]
fn policies_fit_their_types_only() {
    use FieldType::*;
    let ordered = [Int, Double, Currency, Percent, Date, Datetime, Time];
    for write in [WritePolicy::IfGreater, WritePolicy::IfLess] {
        for t in writable() {
            let expected = if ordered.contains(&t) { "ok" } else { "policy_needs_order" };
            assert_eq!(code(&field(t.clone()), &Options { write, ..Options::default() }), expected, "{t:?}");
        }
    }
    assert_eq!(code(&field(Boolean), &Options { write: WritePolicy::IfEmpty, ..Options::default() }), "never_empty");
    assert_eq!(code(&field(String), &Options { write: WritePolicy::IfEmpty, ..Options::default() }), "ok");
}

#[test]
fn option_values_that_make_no_sense() {
    use FieldType::*;
    let base = Options::default;
    for (t, options, expected) in [
        (Double, Options { decimal: Some(';'), ..base() }, "bad_decimal_sign"),
        (Double, Options { prefix: Some("1".into()), ..base() }, "bad_affix"),
        (Double, Options { prefix: Some("".into()), ..base() }, "bad_affix"),
        (Double, Options { prefix: Some("-".into()), ..base() }, "bad_affix"),
        (Double, Options { suffix: Some("m2".into()), ..base() }, "bad_affix"),
        (Double, Options { suffix: Some("m²".into()), ..base() }, "ok"),
        (Double, Options { prefix: Some("Rs.".into()), ..base() }, "ok"),
        (Currency, Options { currency: Some("Euro".into()), ..base() }, "bad_currency"),
        (Currency, Options { currency: Some("eur".into()), ..base() }, "bad_currency"),
        (Multipicklist, Options { separator: Some('a'), ..base() }, "bad_separator"),
        (Multipicklist, Options { separator: Some(' '), ..base() }, "bad_separator"),
        (Multipicklist, Options { separator: Some('\n'), ..base() }, "ok"),
        (
            Boolean,
            Options { true_values: vec!["x".into()], false_values: vec![" X".into()], ..base() },
            "word_for_both",
        ),
        (Boolean, Options { true_values: vec!["No".into()], ..base() }, "word_for_both"),
        (Boolean, Options { false_values: vec!["1".into()], ..base() }, "word_for_both"),
        (Boolean, Options { true_values: vec!["yes".into()], ..base() }, "ok"),
    ] {
        assert_eq!(code(&field(t.clone()), &options), expected, "{t:?} {options:?}");
    }
    let mut restricted = field(Picklist);
    restricted.restricted_picklist = true;
    assert_eq!(code(&restricted, &Options { new_values: true, ..base() }), "new_values_restricted");
}
