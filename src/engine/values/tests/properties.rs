//! What must hold for every value: judging agrees with the canonical forms, nothing panics, and a plan after an apply is empty.

use proptest::prelude::*;

use super::*;

/// Options that change how cells of a type are read.
fn options_of(t: &FieldType) -> Vec<Options> {
    use FieldType::*;
    let base = Options::default;
    let zone = || jiff::tz::TimeZone::get("Europe/Berlin").ok();
    let mut all = vec![
        base(),
        clear(),
        Options { when_blank: WhenBlank::Fail, ..base() },
        Options { blank_values: vec!["0".into(), "N/A".into(), "hot".into()], ..clear() },
    ];
    match t {
        Int | Double | Currency | Percent => all.extend([
            Options { decimal: Some(','), ..base() },
            Options { decimal: Some('.'), prefix: Some("$".into()), ..base() },
            Options { percent: Some(PercentForm::Sign), suffix: Some("h".into()), ..base() },
            Options { percent: Some(PercentForm::Fraction), ..base() },
            Options { write: WritePolicy::IfGreater, ..clear() },
        ]),
        Date | Datetime => all.extend([
            Options { time_zone: zone(), ..clear() },
            Options { time_zone: zone(), format: Some("%d/%m/%Y".into()), ..base() },
            Options { time_zone: zone(), format: Some("%Y-%m-%dT%H:%M:%S%.fZ".into()), ..base() },
            Options { write: WritePolicy::IfLess, ..base() },
        ]),
        Time => all.push(Options { format: Some("%I:%M %p".into()), ..base() }),
        Boolean => all.push(Options { true_values: vec!["-".into()], ..clear() }),
        Picklist => all.push(Options { new_values: true, write: WritePolicy::IfEmpty, ..base() }),
        Multipicklist => all.extend([
            Options { new_values: true, ..base() },
            Options { separator: Some(','), new_values: true, ..clear() },
        ]),
        String | Textarea | Combobox => all.push(Options { truncate: true, ..base() }),
        _ => {}
    }
    all
}

/// A field of the type; text is short and numbers narrow now and then.
fn some_field() -> impl Strategy<Value = Field> {
    (proptest::sample::select(writable()), 1u32..=18, 0u32..=15, any::<bool>()).prop_map(
        |(t, precision, scale, narrow)| {
            let mut field = field(t);
            if narrow {
                if field.precision > 0 {
                    (field.precision, field.scale) = (precision.max(scale), scale);
                }
                if field.field_type.is_text() && field.field_type != FieldType::Email {
                    field.length = precision;
                }
            }
            field
        },
    )
}

/// Cells that are often, and often nearly, values of some type.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "-?[0-9]{1,17}(\\.[0-9]{1,17})?",
        3 => "-?[0-9]{1,3}(\\.[0-9]{1,3}0{0,3})?",
        1 => "[$-]{0,2}[0-9]{1,3}([,. '][0-9]{3}){0,2}([.,][0-9]{1,3})?( ?[%h])?",
        1 => "-?[0-9](\\.[0-9]{1,8})?E-?[0-9]{1,2}",
        3 => "(1[789]|20|39|40)[0-9]{2}-(0[1-9]|1[0-2])-([0-2][0-9])([T ][0-2][0-9]:[0-5][0-9](:[0-5][0-9](\\.[0-9]{1,6})?)?(Z|\\+0000|[+-][01][0-9]:?[0-5][0-9])?)?",
        2 => "2026-0[1-3]-2[0-9]T0[0-3]:(00|30):0[01](Z|\\.000Z|\\.000\\+0000|\\+00:00|\\.5Z)",
        1 => "[0-2][0-9]:[0-6][0-9](:[0-6][0-9](\\.[0-9]{1,5})?)?Z?",
        1 => "[0-3]?[0-9]/[01]?[0-9]/20[0-9]{2}|[01][0-9]:[0-5][0-9] [AP]M",
        2 => "(Hot|hot|cold_lead|Cold|None|Old|new|Zed)([;,] ?(Hot|hot|cold_lead|Cold|None|Old|new|Zed|;)){0,4}",
        1 => "[A-Za-z.+]{1,8}@[a-z]{1,5}(\\.[a-z]{1,3}){0,2}",
        1 => "[ \t\u{a0}]{0,2}[a-cA-C😀é\r\n\t ,\"']{0,12}[ \r\n\u{a0}]{0,2}",
        1 => proptest::sample::select(vec!["", " ", "true", "false", "TRUE", "1", "0", "yes", "n/a", "#N/A", "-", "null", "001D000000IqhSL", "001D000000IqhSLIAZ", "001D000000IqhSLiaz", "-0", "0.0", "\u{a0}"]).prop_map(str::to_owned),
        1 => "(?s).{0,20}",
    ]
}

fn canon(rule: &Rule, side: Side, cell: &[u8]) -> Result<Vec<u8>, Refusal> {
    let mut out = b"left over".to_vec();
    let result = rule.canon(side, cell, &mut out);
    if result.is_err() {
        assert!(out.is_empty());
    }
    result.map(|_| out)
}

/// What Salesforce makes of a JSON value, and how it gives it back: in JSON and in bulk CSV.
fn stored(t: &FieldType, json: &[u8]) -> [String; 2] {
    let twice = |text: String| [text.clone(), text];
    let value: serde_json::Value = serde_json::from_slice(json).unwrap();
    match value {
        serde_json::Value::Null => twice(String::new()),
        serde_json::Value::Bool(flag) => twice(flag.to_string()),
        serde_json::Value::Number(number) => {
            let number = number.as_f64().unwrap();
            let whole = if *t == FieldType::Int { format!("{number}") } else { format!("{number:?}") };
            let scientific = format!("{number:E}");
            [whole, if *t == FieldType::Int || number == 0.0 { format!("{number}") } else { scientific }]
        }
        serde_json::Value::String(text) => match t {
            FieldType::Datetime => [text.replace('Z', ".000+0000"), text.replace('Z', ".000Z")],
            FieldType::Multipicklist => twice(text.split(';').rev().collect::<Vec<_>>().join(";")),
            FieldType::Textarea => {
                twice(text.trim_matches(|c: char| c <= ' ').replace("\r\n", "\n").replace('\n', "\r\n"))
            }
            FieldType::Date | FieldType::Time | FieldType::Reference => twice(text),
            _ => twice(text.trim_matches(|c: char| c <= ' ').to_owned()),
        },
        other => panic!("{other:?}"),
    }
}

fn config() -> ProptestConfig {
    let base = ProptestConfig::default();
    ProptestConfig { cases: base.cases.max(4000), failure_persistence: None, ..base }
}

proptest! {
    #![proptest_config(config())]

    /// The definition is `canon`; the short cuts of `judge` may not differ from it.
    #[test]
    fn judging_agrees_with_the_canonical_forms(field in some_field(), report in cell(), org in cell(), alike in any::<bool>(), pick in any::<prop::sample::Index>()) {
        let all = options_of(&field.field_type);
        let options = pick.get(&all);
        let Ok(rule) = Rule::compile(&field, options) else { return Ok(()) };
        let org = if alike { report.clone() } else { org };
        let mut forms = Forms::default();
        let verdict = verdict(&rule, report.as_bytes(), org.as_bytes(), &mut forms);
        prop_assert_eq!(rule.agrees(report.as_bytes().into(), org.as_bytes().into(), &mut Forms::default()), verdict == Verdict::Same);
        match (canon(&rule, Side::Report, report.as_bytes()), canon(&rule, Side::Org, org.as_bytes())) {
            (Err(refusal), _) | (_, Err(refusal)) => prop_assert_eq!(verdict, Verdict::Refused(refusal)),
            (Ok(after), Ok(before)) if after == before => prop_assert_eq!(verdict, Verdict::Same),
            (Ok(after), Ok(before)) => match verdict {
                Verdict::Change(change) => {
                    prop_assert_eq!(&change.after, &after);
                    prop_assert_eq!(&change.before, &before);
                    match change.kind {
                        ChangeKind::Fill => prop_assert!(before.is_empty() && !after.is_empty()),
                        ChangeKind::Overwrite => prop_assert!(!before.is_empty() && !after.is_empty()),
                        ChangeKind::Clear => prop_assert!(after.is_empty() || after == b"false"),
                    }
                }
                Verdict::KeptBlank => prop_assert!(after.is_empty() && options.when_blank == WhenBlank::Keep),
                Verdict::KeptByPolicy => prop_assert!(options.write != WritePolicy::Always && !before.is_empty()),
                other => prop_assert!(false, "{:?}", other),
            },
        }
    }

    /// One moment is one moment whatever the offset, and the next second is another.
    #[test]
    fn datetimes_compare_by_moment(seconds in -8_520_336_000i64..=64_092_211_199, quarter in -72i32..=72, apart in -1i64..=1) {
        let rule = rule(FieldType::Datetime, &Options::default());
        let at = |seconds| jiff::Timestamp::from_second(seconds).unwrap();
        let offset = jiff::tz::Offset::from_seconds(quarter * 900).unwrap();
        let sign = if quarter < 0 { '-' } else { '+' };
        let minutes = quarter.abs() * 15;
        let report = format!("{}{sign}{:02}:{:02}", offset.to_datetime(at(seconds)), minutes / 60, minutes % 60);
        let there = seconds + apart;
        for suffix in [".000Z", ".000+0000", "Z"] {
            let org = format!("{}{suffix}", jiff::tz::Offset::UTC.to_datetime(at(there)));
            let same = verdict(&rule, report.as_bytes(), org.as_bytes(), &mut Forms::default()) == Verdict::Same;
            prop_assert_eq!(same, apart == 0, "{} {}", report, org);
        }
    }

    /// A number is one number however it is written.
    #[test]
    fn numbers_compare_by_value(mantissa in -999_999_999_999i64..=999_999_999_999, scale in 0u32..=2, zeros in 0usize..4, apart in -1i64..=1) {
        let rule = rule(FieldType::Currency, &Options::default());
        let plain = |n: i64| rust_decimal::Decimal::new(n, scale).to_string();
        let (report, org) = (plain(mantissa), plain(mantissa + apart));
        let power = mantissa.unsigned_abs().checked_ilog10().unwrap_or(0);
        let padded = if scale > 0 { format!("{report}{}", "0".repeat(zeros)) } else { format!("{report}.{}", "0".repeat(zeros + 1)) };
        let scientific = format!("{}E{}", rust_decimal::Decimal::new(mantissa + apart, power), i64::from(power) - i64::from(scale));
        for (report, org) in [(&report, &org), (&padded, &org), (&report, &scientific), (&padded, &scientific)] {
            let same = verdict(&rule, report.as_bytes(), org.as_bytes(), &mut Forms::default()) == Verdict::Same;
            prop_assert_eq!(same, apart == 0, "{} {}", report, org);
        }
    }

    /// A canonical form is its own canonical form, on either side.
    #[test]
    fn canonical_forms_are_fixed_points(field in some_field(), cell in cell()) {
        let rule = Rule::compile(&field, &Options::default()).unwrap();
        if let Ok(once) = canon(&rule, Side::Org, cell.as_bytes()) {
            prop_assert_eq!(canon(&rule, Side::Org, &once), Ok(once));
        }
        if let Ok(once) = canon(&rule, Side::Report, cell.as_bytes()) {
            prop_assert_eq!(canon(&rule, Side::Report, &once), Ok(once.clone()));
            // And what the report comes to is, once stored, what the org has. A blank checkbox is no value of the report.
            if !(once.is_empty() && field.field_type == FieldType::Boolean) {
                prop_assert_eq!(canon(&rule, Side::Org, &once), Ok(once));
            }
        }
    }

    /// Planning after an apply finds nothing, by JSON and by bulk CSV, whichever way the org is read.
    #[test]
    fn a_second_plan_is_empty(field in some_field(), report in cell(), org in cell(), pick in any::<prop::sample::Index>()) {
        let all = options_of(&field.field_type);
        let Ok(rule) = Rule::compile(&field, pick.get(&all)) else { return Ok(()) };
        let mut forms = Forms::default();
        let Verdict::Change(change) = verdict(&rule, report.as_bytes(), org.as_bytes(), &mut forms) else { return Ok(()) };
        let t = &field.field_type;
        let mut json = Vec::new();
        write_json(t, change.after, &mut json);
        let mut cell = Vec::new();
        let mut forms = stored(t, &json).to_vec();
        if write_bulk_csv(t, change.after, &mut cell).is_ok() {
            // By bulk CSV: unquoted, `#N/A` is null, and the rest is as in JSON.
            let text = String::from_utf8(cell).unwrap();
            let text = if let Some(inner) = text.strip_prefix('"') { inner.strip_suffix('"').unwrap().replace("\"\"", "\"") } else { text };
            let mut json = Vec::new();
            write_json(t, if text == "#N/A" { b"" } else { text.as_bytes() }, &mut json);
            forms.extend(stored(t, &json));
        }
        for form in forms {
            let mut forms = Forms::default();
            let again = verdict(&rule, report.as_bytes(), form.as_bytes(), &mut forms);
            prop_assert_eq!(again, Verdict::Same, "{:?} after {:?}: stored as {:?}", t, change, form);
        }
    }

    /// Sending a canonical value and reading it back loses nothing.
    #[test]
    fn json_reads_back_as_what_was_written(field in some_field(), cell in cell()) {
        let t = &field.field_type;
        let mut canonical = Vec::new();
        if canon_org(t, cell.as_bytes(), &mut canonical).is_err() {
            return Ok(());
        }
        let mut json = Vec::new();
        write_json(t, &canonical, &mut json);
        let lexeme = match serde_json::from_slice::<&serde_json::value::RawValue>(&json).unwrap().get() {
            "null" => String::new(),
            quoted if quoted.starts_with('"') => serde_json::from_str::<String>(quoted).unwrap(),
            bare => bare.to_owned(),
        };
        let mut again = Vec::new();
        canon_org(t, lexeme.as_bytes(), &mut again).unwrap();
        prop_assert_eq!(again, canonical);
    }

    /// The order of a multi-select's values, on either side, means nothing.
    #[test]
    fn multi_select_values_are_a_set(values in proptest::sample::subsequence(vec!["Hot", "cold_lead", "None", "Cold", "hot", "HOT"], 1..6).prop_shuffle(), org in proptest::sample::subsequence(vec!["Hot", "cold_lead", "None"], 1..=3).prop_shuffle()) {
        let rule = rule(FieldType::Multipicklist, &Options::default());
        let mut sorted = values.clone();
        sorted.sort_unstable();
        let (mut forms, mut turned_forms) = (Forms::default(), Forms::default());
        fn judged<'f>(rule: &Rule, report: &[&str], org: &[&str], forms: &'f mut Forms) -> Verdict<'f> {
            match verdict(rule, report.join(";").as_bytes(), org.join(";").as_bytes(), forms) {
                // The note names the report's own text.
                Verdict::Change(change) => Verdict::Change(Change { note: None, ..change }),
                other => other,
            }
        }
        let mut turned = org.clone();
        turned.reverse();
        prop_assert_eq!(judged(&rule, &values, &org, &mut forms), judged(&rule, &sorted, &turned, &mut turned_forms));
    }

    /// Any bytes at all: an answer, never a panic, and no value in the words.
    #[test]
    fn nothing_panics(field in some_field(), report in proptest::collection::vec(any::<u8>(), 0..60), org in proptest::collection::vec(any::<u8>(), 0..60), text in "\\PC{0,40}") {
        for options in options_of(&field.field_type) {
            let Ok(rule) = Rule::compile(&field, &options) else { continue };
            for report in [report.as_slice(), text.as_bytes()] {
                if let Verdict::Refused(refusal) = verdict(&rule, report, &org, &mut Forms::default()) {
                    let _ = (refusal.message(), refusal.hint(), refusal.code());
                }
                let _ = verdict(&rule, report, report, &mut Forms::default());
            }
        }
        let mut out = Vec::new();
        let _ = canon_org(&field.field_type, &org, &mut out);
        write_json(&field.field_type, &org, &mut out);
        let _ = write_bulk_csv(&field.field_type, &org, &mut out);
        if let Ok(rule) = KeyRule::compile(&field) {
            let mut soql = String::new();
            for side in [Side::Report, Side::Org] {
                let _ = rule.canon(side, &report, &mut out);
                let _ = rule.canon(side, text.as_bytes(), &mut out);
            }
            rule.write_soql(&out, &report, &mut soql);
        }
    }

    /// Space around a cell keeps the short cut away, and nothing else.
    #[test]
    fn keys_have_no_other_form_by_the_short_cut(cell in "[ -~é]{0,90}", t in proptest::sample::select(vec![FieldType::String, FieldType::Email])) {
        let rule = KeyRule::compile(&field(t)).unwrap();
        for side in [Side::Report, Side::Org] {
            let (mut short, mut long) = (Vec::new(), Vec::new());
            let kinds = (rule.canon(side, cell.as_bytes(), &mut short), rule.canon(side, format!("\t{cell} ").as_bytes(), &mut long));
            prop_assert_eq!(kinds.0, kinds.1);
            prop_assert_eq!(short, long);
        }
    }

    /// A key's canonical form does not depend on case or surrounding space, and is the same from either side.
    #[test]
    fn keys_fold(text in "[a-zA-Z0-9@.ßÄöéΣσςſ]{1,20}") {
        prop_assume!(!is_placeholder(&text));
        let rule = KeyRule::compile(&field(FieldType::String)).unwrap();
        let key = |side, cell: &str| {
            let mut out = Vec::new();
            rule.canon(side, cell.as_bytes(), &mut out).map(|_| out).unwrap()
        };
        let plain = key(Side::Report, &text);
        prop_assert_eq!(&plain, &key(Side::Org, &text));
        prop_assert_eq!(&plain, &key(Side::Org, &text.to_uppercase()));
        prop_assert_eq!(&plain, &key(Side::Org, &text.to_lowercase()));
        prop_assert_eq!(&plain, &key(Side::Report, &format!("\u{a0} {text}\r\n")));
        prop_assert_eq!(&plain, &key(Side::Report, std::str::from_utf8(&plain).unwrap()));
    }
}
