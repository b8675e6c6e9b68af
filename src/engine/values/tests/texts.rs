//! Text of every kind, picklists, checkboxes, references, blanks.

use super::*;

#[test]
fn single_line_text() {
    let rule = rule(FieldType::String, &Options::default());
    check(
        &rule,
        &[
            ("Acme", "Acme", "same"),
            (" Acme\t", "Acme", "same"),
            ("Acme", "acme", "overwrite acme > Acme"),
            ("Acme", "", "fill Acme"),
            ("Acme", "   ", "fill Acme"),
            ("Acme\n", "Acme", "same"),
            ("a\tb", "a\tb", "same"),
            ("a  b", "a b", "overwrite a b > a  b"),
            ("a\nb", "a b", "refused line_break"),
            ("a\r\nb", "", "refused line_break"),
            ("a\u{0}b", "", "refused control_character"),
            ("a\u{7f}", "", "refused control_character"),
            ("a\u{85}b", "", "refused control_character"),
            ("a\u{ffff}b", "", "refused control_character"),
            ("\u{a0}Acme", "Acme", "overwrite Acme > \u{a0}Acme"),
            ("\u{a0}Acme", "\u{a0}Acme", "same"),
            ("", "Acme", "kept blank"),
            ("  ", "Acme", "kept blank"),
            ("\u{a0}", "Acme", "kept blank"),
            ("", "", "same"),
            ("  ", "", "same"),
            ("é", "e\u{301}", "overwrite e\u{301} > é"),
            ("#N/A", "#N/A", "refused placeholder_word"),
            ("n/a", "", "refused placeholder_word"),
            ("N/A", "N/A", "refused placeholder_word"),
            (" N/A", " N/A", "refused placeholder_word"),
            ("N/A ", "N/A ", "refused placeholder_word"),
            ("null", "", "refused placeholder_word"),
            ("NONE", "", "refused placeholder_word"),
            ("-", "", "refused placeholder_word"),
            ("#REF!", "", "refused placeholder_word"),
            ("undefined", "", "refused placeholder_word"),
            ("none of these", "", "fill none of these"),
            ("-1", "", "fill -1"),
            ("'; DROP", "", "fill '; DROP"),
            ("😀", "😀", "same"),
        ],
    );
    assert_eq!(told(&verdict(&rule, b"\xff", b"", &mut Forms::default())), "refused not_utf8");
    assert_eq!(told(&verdict(&rule, b"a", b"\xff", &mut Forms::default())), "refused not_utf8");
    assert_eq!(told(&verdict(&rule, b"\xff", b"\xff", &mut Forms::default())), "refused not_utf8");
}

#[test]
fn length_counts_utf16_units() {
    let mut field = field(FieldType::String);
    field.length = 4;
    let plain = Rule::compile(&field, &Options::default()).unwrap();
    check_written(
        &plain,
        &[
            ("abcd", "abcd"),
            ("éàüö", "éàüö"),
            ("😀😀", "😀😀"),
            ("abcde", "refused too_long"),
            ("😀😀a", "refused too_long"),
            (" abcd ", "abcd"),
        ],
    );
    check(&plain, &[("abcde", "abcde", "refused too_long")]);
    let cut = Rule::compile(&field, &Options { truncate: true, ..Options::default() }).unwrap();
    check_written(
        &cut,
        &[
            ("abcde", "abcd (truncated)"),
            ("abc de", "abc (truncated)"),
            ("abc😀", "abc (truncated)"),
            ("abcd", "abcd"),
            ("a\nbcde", "refused line_break"),
        ],
    );
    check(&cut, &[("abcde", "abcd", "same"), ("abcdefgh", "abcde", "overwrite abcde > abcd (truncated)")]);
    match verdict(&cut, b"abcdefgh", b"", &mut Forms::default()) {
        Verdict::Change(change) => assert_eq!(change.note, Some(Note::Truncated { from_characters: 8 })),
        other => panic!("{other:?}"),
    }
    match verdict(&plain, b"abcdefgh", b"", &mut Forms::default()) {
        Verdict::Refused(refusal) => assert_eq!(refusal.reason, Reason::TooLong { length: 8, max: 4 }),
        other => panic!("{other:?}"),
    }
    field.length = 1;
    let one = Rule::compile(&field, &Options { truncate: true, ..Options::default() }).unwrap();
    check_written(&one, &[("😀", "refused too_long"), ("ab", "a (truncated)")]);
}

#[test]
fn text_areas_unify_line_ends() {
    let mut field = field(FieldType::Textarea);
    field.length = 6;
    let rule = Rule::compile(&field, &Options::default()).unwrap();
    check(
        &rule,
        &[
            ("a\nb", "a\r\nb", "same"),
            ("a\rb", "a\r\nb", "same"),
            ("a\r\nb\r\n", "a\r\nb", "same"),
            ("a\n\nb", "a\r\nb", "overwrite a\nb > a\n\nb"),
            ("a b", "a\r\nb", "overwrite a\nb > a b"),
            ("\n \n", "a", "kept blank"),
            ("abcdef", "", "fill abcdef"),
            ("abcd\n", "", "fill abcd"),
            ("ab\ncd", "", "fill ab\ncd"),
            // A line break is stored as two characters.
            ("ab\ncde", "", "refused too_long"),
            ("a\u{1b}[0m", "", "refused control_character"),
        ],
    );
}

#[test]
fn email_phone_url_combobox() {
    check(
        &rule(FieldType::Email, &Options::default()),
        &[
            ("mia@acme.example.com", "mia@acme.example.com", "same"),
            (" mia@acme.example.com\u{a0}", "mia@acme.example.com", "same"),
            ("Mia@acme.example.com", "mia@acme.example.com", "overwrite mia@acme.example.com > Mia@acme.example.com"),
            ("mia", "mia", "refused not_an_email"),
            ("mia@acme", "", "refused not_an_email"),
            ("n/a", "", "refused placeholder_word"),
            ("mia@acme.example.com, bo@acme.example.com", "", "refused not_an_email"),
        ],
    );
    let long = format!("{}@{}.example.com", "a".repeat(40), "b".repeat(40));
    check(&rule(FieldType::Email, &Options::default()), &[(&long, "", "refused too_long")]);
    check(
        &rule(FieldType::Phone, &Options::default()),
        &[
            ("+49 (0)30 1234", "+49 (0)30 1234", "same"),
            ("+49301234", "+49 30 1234", "overwrite +49 30 1234 > +49301234"),
        ],
    );
    check_written(&rule(FieldType::Phone, &Options::default()), &[(&"1".repeat(41), "refused too_long")]);
    check_written(
        &rule(FieldType::Url, &Options::default()),
        &[("acme.example.com", "acme.example.com"), (&"u".repeat(256), "refused too_long")],
    );
    check_written(
        &rule(FieldType::Combobox, &Options::default()),
        &[("Anything", "Anything"), ("none", "refused placeholder_word")],
    );
}

#[test]
fn blanks_by_declaration() {
    let words = vec!["N/A".to_owned(), " unknown ".to_owned()];
    let keep = rule(FieldType::String, &Options { blank_values: words.clone(), ..Options::default() });
    check(
        &keep,
        &[
            ("n/a", "x", "kept blank"),
            ("Unknown", "x", "kept blank"),
            (" N/A ", "", "same"),
            ("null", "x", "refused placeholder_word"),
        ],
    );
    let clear = rule(FieldType::String, &Options { blank_values: words.clone(), ..clear() });
    check(
        &clear,
        &[
            ("n/a", "x", "clear x > "),
            ("", "x", "clear x > "),
            ("", "", "same"),
            ("", " ", "same"),
            ("unknown", "unknown", "clear unknown > "),
        ],
    );
    let fail =
        rule(FieldType::String, &Options { when_blank: WhenBlank::Fail, blank_values: words, ..Options::default() });
    check(
        &fail,
        &[("", "x", "refused blank_not_allowed"), ("N/A", "", "refused blank_not_allowed"), ("x", "x", "same")],
    );
    let zero = rule(FieldType::Double, &Options { blank_values: vec!["0".into()], ..super::clear() });
    check(
        &zero,
        &[
            ("0", "0.0", "clear 0 > "),
            ("0", "5.0", "clear 5 > "),
            ("0.0", "5.0", "overwrite 5 > 0"),
            ("5", "5.0", "same"),
        ],
    );
    let mut required = field(FieldType::String);
    required.nillable = false;
    let rule = Rule::compile(&required, &super::clear()).unwrap();
    check(&rule, &[("", "x", "refused not_nillable"), ("y", "x", "overwrite x > y")]);
}

#[test]
fn checkboxes() {
    let rule = rule(FieldType::Boolean, &Options::default());
    check(
        &rule,
        &[
            ("true", "true", "same"),
            ("TRUE", "true", "same"),
            ("Yes", "true", "same"),
            ("1", "true", "same"),
            ("no", "false", "same"),
            ("0", "", "same"),
            ("false", "true", "overwrite true > false"),
            ("yes", "", "overwrite false > true"),
            ("", "true", "kept blank"),
            ("", "false", "kept blank"),
            ("x", "true", "refused not_a_boolean"),
            ("2", "true", "refused not_a_boolean"),
            ("t", "true", "refused not_a_boolean"),
            ("n/a", "true", "refused placeholder_word"),
            ("true", "maybe", "refused org_unreadable"),
        ],
    );
    check(
        &super::rule(FieldType::Boolean, &clear()),
        &[("", "true", "clear true > false"), ("", "false", "same"), ("", "", "same")],
    );
    let words = Options {
        true_values: vec!["Ja".into(), "Ü".into()],
        false_values: vec!["-".into(), "Nein".into()],
        ..Options::default()
    };
    check(
        &super::rule(FieldType::Boolean, &words),
        &[
            ("JA", "true", "same"),
            ("ü", "true", "same"),
            ("nein", "false", "same"),
            ("-", "false", "same"),
            ("true", "true", "same"),
        ],
    );
}

#[test]
fn picklists() {
    let rule = rule(FieldType::Picklist, &Options::default());
    check(
        &rule,
        &[
            ("Hot", "Hot", "same"),
            ("hot", "Hot", "same"),
            ("HOT", "", "fill Hot (case_taken)"),
            ("Hot", "hot", "overwrite hot > Hot"),
            ("Cold", "", "fill cold_lead (label_taken)"),
            ("cold", "", "fill cold_lead (label_taken)"),
            ("Cold", "cold_lead", "same"),
            ("cold_lead", "Cold", "overwrite Cold > cold_lead"),
            ("None", "", "fill None"),
            ("none", "", "fill None (case_taken)"),
            ("Old", "Old", "refused inactive_picklist_value"),
            ("old", "", "refused inactive_picklist_value"),
            ("Hott", "", "refused not_in_picklist"),
            ("n/a", "", "refused placeholder_word"),
            ("#N/A", "", "refused placeholder_word"),
            ("", "Hot", "kept blank"),
            ("Hot;Cold", "", "refused not_in_picklist"),
        ],
    );
    for (cell, nearest) in [("Hott", Some("Hot")), ("Colt", Some("cold_lead")), ("Banana", None)] {
        match verdict(&rule, cell.as_bytes(), b"", &mut Forms::default()) {
            Verdict::Refused(refusal) => {
                assert_eq!(refusal.reason, Reason::NotInPicklist { nearest: nearest.map(str::to_owned) });
                assert!(!refusal.message().contains(cell));
            }
            other => panic!("{other:?}"),
        }
    }
    let none = super::rule(FieldType::Picklist, &Options { blank_values: vec!["none".into()], ..Options::default() });
    check(&none, &[("None", "Hot", "kept blank")]);
}

#[test]
fn new_picklist_values_when_allowed() {
    let rule = rule(FieldType::Picklist, &Options { new_values: true, ..Options::default() });
    let long = "x".repeat(256);
    check_written(
        &rule,
        &[
            ("Warm", "Warm"),
            ("hot", "Hot (case_taken)"),
            ("Cold", "cold_lead (label_taken)"),
            ("old", "Old (case_taken)"),
            ("Old", "Old"),
            ("n/a", "refused placeholder_word"),
            ("none", "None (case_taken)"),
            (&long, "refused too_long"),
            ("a\nb", "refused line_break"),
            ("a\u{1}", "refused control_character"),
        ],
    );
}

#[test]
fn labels_that_several_entries_share() {
    let mut field = field(FieldType::Picklist);
    let entry = |value: &str, label: &str, active| PicklistValue { value: value.into(), label: label.into(), active };
    field.picklist = vec![
        entry("a1", "Same", true),
        entry("a2", "Same", true),
        entry("b1", "case", true),
        entry("b2", "Case", true),
        entry("Other", "a1", true),
        entry("Another", "A1", true),
        entry("gone", "Gone label", false),
        entry("#N/A", "Not applicable", true),
    ];
    let rule = Rule::compile(&field, &Options::default()).unwrap();
    check_written(
        &rule,
        &[
            ("Same", "refused ambiguous_label"),
            ("same", "refused ambiguous_label"),
            ("Case", "b2 (label_taken)"),
            ("case", "b1 (label_taken)"),
            ("CASE", "refused ambiguous_label"),
            ("a1", "a1"),
            ("A1", "a1 (case_taken)"),
            ("Other", "Other"),
            ("Gone label", "refused inactive_picklist_value"),
            ("GONE", "refused inactive_picklist_value"),
            ("#N/A", "refused placeholder_word"),
            ("Not applicable", "refused not_in_picklist"),
        ],
    );

    field.picklist = vec![entry(" padded ", "\u{a0}Label", true)];
    let rule = Rule::compile(&field, &Options::default()).unwrap();
    check(
        &rule,
        &[
            (" padded ", " padded ", "same"),
            ("padded", "padded", "same"),
            ("\u{a0}label", "", "fill padded (label_taken)"),
            ("Padded", "", "fill padded (case_taken)"),
        ],
    );
    // Of two inactive entries the one of that name counts before the one of that label.
    field.picklist = vec![entry("x", "gone", false), entry("gone", "y", false), entry("z", "Gone", false)];
    let rule = Rule::compile(&field, &Options { new_values: true, ..Options::default() }).unwrap();
    check_written(&rule, &[("gone", "gone"), ("Y", "gone (label_taken)")]);
}

#[test]
fn multi_select_values_are_sets() {
    let rule = rule(FieldType::Multipicklist, &Options::default());
    check(
        &rule,
        &[
            ("Hot;cold_lead", "cold_lead;Hot", "same"),
            (" Hot ; cold_lead ;", "cold_lead;Hot", "same"),
            ("Hot;Hot", "Hot", "same"),
            ("hot;Cold", "Hot;cold_lead", "same"),
            ("Hot", "Hot;cold_lead", "overwrite Hot;cold_lead > Hot"),
            ("Hot;None", "", "fill Hot;None"),
            ("None", "", "fill None"),
            ("Hot;Banana", "", "refused not_in_picklist"),
            ("Hot;Old", "Old;Hot", "refused inactive_picklist_value"),
            ("Hot;n/a", "", "refused placeholder_word"),
            (" ; ;", "Hot", "kept blank"),
            (";", "", "same"),
            ("Hot,cold_lead", "", "refused not_in_picklist"),
            ("Cold;Hot", "", "fill Hot;cold_lead (label_taken)"),
        ],
    );
    let comma = super::rule(FieldType::Multipicklist, &Options { separator: Some(','), new_values: true, ..clear() });
    check(
        &comma,
        &[
            ("cold_lead, Hot", "Hot;cold_lead", "same"),
            (",,", "Hot;cold_lead", "clear Hot;cold_lead > "),
            ("a;b,Hot", "", "refused separator_in_value"),
            ("Zed,Alpha", "", "fill Alpha;Zed"),
        ],
    );
    // The very same bytes: what may not be written is refused though the record has it.
    let mut narrow = field(FieldType::Multipicklist);
    narrow.length = 9;
    let narrow = Rule::compile(&narrow, &Options::default()).unwrap();
    check(
        &narrow,
        &[
            ("Hot", "Hot", "same"),
            ("Hot;None", "Hot;None", "same"),
            ("Hot;cold_lead", "Hot;cold_lead", "refused too_long"),
            ("Hot;;Hot", "Hot;;Hot", "same"),
            ("Hot;Cold", "Hot;Cold", "refused too_long"),
            ("Hot;Old", "Hot;Old", "refused inactive_picklist_value"),
        ],
    );
    let mut broad = field(FieldType::Multipicklist);
    let entry = |value: String| PicklistValue { label: value.clone(), value, active: true };
    broad.picklist = (0..101).map(|n| entry(format!("v{n:03}"))).collect();
    let broad = Rule::compile(&broad, &Options::default()).unwrap();
    let first = |count: usize| (0..count).map(|n| format!("v{n:03}")).collect::<Vec<_>>().join(";");
    check(&broad, &[(&first(100), &first(100), "same"), (&first(101), &first(101), "refused too_many_values")]);
    let many = |count: usize| (0..count).map(|n| format!("v{n:03}")).collect::<Vec<_>>().join(",");
    check_written(&comma, &[(&many(101), "refused too_many_values"), (&many(100), &many(100).replace(',', ";"))]);
    let repeated = vec!["Hot"; 150].join(",");
    check_written(&comma, &[(&repeated, "Hot")]);
    let wide = (0..20).map(|n| format!("{n:0>250}")).collect::<Vec<_>>().join(",");
    check_written(&comma, &[(&wide, "refused too_long")]);
    // More than a field takes cannot be written, and is compared all the same.
    check(
        &comma,
        &[("v001", &many(130).replace(',', ";"), &format!("overwrite {} > v001", many(130).replace(',', ";")))],
    );
}

#[test]
fn references_by_id() {
    let rule = rule(FieldType::Reference, &Options { id_prefixes: vec!["001".into()], ..Options::default() });
    check(
        &rule,
        &[
            ("001D000000IqhSL", "001D000000IqhSLIAZ", "same"),
            ("001D000000IqhSLIAZ", "001D000000IqhSLIAZ", "same"),
            ("001D000000IqhSLiaz", "001D000000IqhSLIAZ", "same"),
            (" 001D000000IqhSL ", "", "fill 001D000000IqhSLIAZ"),
            ("001d000000IqhSLIAZ", "", "refused bad_id"),
            ("001D000000IqhS", "", "refused bad_id"),
            ("001D000000Iqh-L", "", "refused bad_id"),
            ("003D000000QV9n2", "", "refused wrong_object"),
            ("null", "", "refused placeholder_word"),
            ("001D000000IqhSL", "x", "refused org_unreadable"),
            ("000000000000000AAA", "", "refused wrong_object"),
            // What may not be written is refused though the record has it.
            ("003D000000QV9n2IAD", "003D000000QV9n2IAD", "refused wrong_object"),
            ("000000000000000AAA", "000000000000000AAA", "refused wrong_object"),
        ],
    );
}
