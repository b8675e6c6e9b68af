//! Keys: folding, trimming, literals.

use proptest::prelude::*;

use super::*;

fn key(rule: &KeyRule, side: Side, cell: &str) -> String {
    let mut out = b"left over".to_vec();
    let kind = rule.canon(side, cell.as_bytes(), &mut out);
    // The quick way says the same, whatever follows the cell and whatever the key was before.
    let mut key = Key::default();
    key.set(&[b'x'; 70]);
    for behind in ["", "É,\"next cell of a row that goes on beyond the end of a line of memory\""] {
        let ahead = [cell, behind].concat();
        let read = rule.read(side, Ahead::new(ahead.as_bytes(), cell.len()), &mut key);
        assert_eq!(read.as_ref().map(|(kind, _)| *kind), kind.as_ref().copied(), "{cell:?}");
        if let Ok((KeyKind::Key, as_it_stands)) = read {
            assert_eq!((key.bytes(), as_it_stands), (&out[..], cell.as_bytes() == out), "{cell:?}");
        }
    }
    match kind {
        Ok(KeyKind::Key) => String::from_utf8(out).unwrap(),
        Ok(KeyKind::Blank) => "blank".into(),
        Err(refusal) => format!("refused {}", refusal.code()),
    }
}

fn keys(t: FieldType) -> KeyRule {
    KeyRule::compile(&field(t)).unwrap()
}

fn same(rule: &KeyRule, report: &str, org: &str) -> bool {
    key(rule, Side::Report, report) == key(rule, Side::Org, org)
}

#[test]
fn text_keys_fold_case_and_white_space() {
    let rule = keys(FieldType::Email);
    for (a, b) in [
        ("Mia@Acme.example.com", "mia@acme.example.com"),
        (" mia@acme.example.com\t", "MIA@acme.example.com"),
        ("Straße", "STRASSE"),
        ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
        ("οδυσσευσ", "οδυσσευς"),
        ("ÉTÉ", "été"),
        ("ſ", "S"),
        ("\u{212a}elvin", "kelvin"),
        ("ﬁ", "FI"),
        ("Ǆ", "ǆ"),
    ] {
        assert!(same(&rule, a, b), "{a} {b}");
        assert!(same(&rule, b, a), "{b} {a}");
    }
    // What Salesforce keeps of a record's key it compares with, so that no look-up could find it.
    assert!(same(&rule, "\u{a0}mia@x.example.com\u{3000}", " mia@x.example.com\n"));
    assert!(!same(&rule, "mia@x.example.com", "mia@x.example.com\u{a0}"));
    for (a, b) in [("ı", "i"), ("ı", "I"), ("İ", "i"), ("é", "e\u{301}"), ("e", "é"), ("a b", "ab"), ("a  b", "a b")]
    {
        assert!(!same(&rule, a, b), "{a} {b}");
    }
}

#[test]
fn keys_that_cannot_be() {
    let text = keys(FieldType::Email);
    for (cell, expected) in [
        ("", "blank"),
        (" \u{a0}\n", "blank"),
        ("#N/A", "refused placeholder_word"),
        ("null", "refused placeholder_word"),
        ("-", "refused placeholder_word"),
        ("not-an-email", "not-an-email"),
    ] {
        assert_eq!(key(&text, Side::Report, cell), expected, "{cell:?}");
    }
    assert_eq!(key(&text, Side::Report, &"x".repeat(81)), "refused too_long");
    assert_eq!(key(&text, Side::Org, "null"), "null");
    let number = keys(FieldType::Double);
    for (cell, expected) in [
        ("007.50", "7.5"),
        ("x", "refused not_a_number"),
        ("1,5", "refused not_a_number"),
        ("1234567890123456789", "refused out_of_range"),
        ("-0", "0"),
    ] {
        assert_eq!(key(&number, Side::Report, cell), expected, "{cell:?}");
    }
    assert_eq!(key(&number, Side::Org, "1.0E3"), "1000");
    let int = keys(FieldType::Int);
    for (cell, expected) in [("7.0", "7"), ("7.5", "refused not_whole"), ("9999999999", "refused out_of_range")] {
        assert_eq!(key(&int, Side::Report, cell), expected, "{cell:?}");
    }
    let id = keys(FieldType::Id);
    for (cell, expected) in [
        ("001D000000IqhSL", "001D000000IqhSLIAZ"),
        ("001D000000IqhSLiaz", "001D000000IqhSLIAZ"),
        ("001D000000Iqhsl", "001D000000IqhslIAJ"),
        ("acme", "refused bad_id"),
    ] {
        let got = key(&id, Side::Report, cell);
        if cell == "001D000000Iqhsl" {
            assert_ne!(got, "001D000000IqhSLIAZ", "ids heed case");
        } else {
            assert_eq!(got, expected, "{cell:?}");
        }
    }
    let at = keys(FieldType::Datetime);
    for (cell, expected) in [
        ("2026-01-02T04:04:05+01:00", "2026-01-02T03:04:05Z"),
        ("2026-01-02", "refused needs_time_zone"),
        ("2026-01-02T03:04:05.5Z", "2026-01-02T03:04:05.500Z"),
    ] {
        assert_eq!(key(&at, Side::Report, cell), expected, "{cell:?}");
    }
    assert_eq!(key(&at, Side::Org, "2026-01-02T03:04:05.000+0000"), "2026-01-02T03:04:05Z");
    assert_eq!(key(&keys(FieldType::Date), Side::Report, "2026-01-02"), "2026-01-02");
    assert_eq!(key(&keys(FieldType::Picklist), Side::Report, "NONE"), "none");
}

#[test]
fn case_sensitive_fields_heed_case() {
    let mut field = field(FieldType::String);
    field.case_sensitive = true;
    let rule = KeyRule::compile(&field).unwrap();
    assert!(rule.heeds_case());
    assert!(!same(&rule, "A1", "a1"));
    assert!(same(&rule, " A1 ", "A1"));
    assert!(!keys(FieldType::String).heeds_case());
    assert!(keys(FieldType::Id).heeds_case());
    assert!(!keys(FieldType::Int).heeds_case());
}

#[test]
fn literals_nominate_candidates() {
    let literal = |t, cell: &str| {
        let rule = keys(t);
        let (mut out, mut soql) = (Vec::new(), String::from("IN ("));
        rule.canon(Side::Report, cell.as_bytes(), &mut out).unwrap();
        rule.write_soql(&out, cell.as_bytes(), &mut soql);
        soql["IN (".len()..].to_owned()
    };
    for (t, cell, expected) in [
        (FieldType::Email, " Mia@acme.example.com ", "'Mia@acme.example.com'"),
        (FieldType::String, "O'Neil\\", r"'O\'Neil\\'"),
        (FieldType::String, "É", "'É'"),
        (FieldType::String, "Straße", "'Straße','strasse'"),
        (FieldType::Double, "3.50", "3.5"),
        (FieldType::Id, "001D000000IqhSL", "'001D000000IqhSLIAZ'"),
        (FieldType::Date, "2026-01-02", "2026-01-02"),
        (FieldType::Datetime, "2026-01-02T04:04:05+01:00", "2026-01-02T03:04:05Z"),
    ] {
        assert_eq!(literal(t.clone(), cell), expected, "{t:?} {cell}");
    }
}

#[test]
fn fields_that_cannot_be_matched() {
    type Change = fn(&mut Field);
    let cases: [(FieldType, Change, Option<&str>); 11] = [
        (FieldType::String, |_| {}, None),
        (FieldType::Id, |_| {}, None),
        (FieldType::String, |f| f.calculated = true, None),
        (FieldType::Textarea, |f| f.filterable = false, Some("key_not_filterable")),
        (FieldType::Textarea, |f| f.html_formatted = true, Some("key_rich_text")),
        (FieldType::String, |f| f.encrypted = true, Some("key_encrypted")),
        (FieldType::EncryptedString, |_| {}, Some("key_encrypted")),
        (FieldType::Boolean, |_| {}, Some("key_unsupported_type")),
        (FieldType::Multipicklist, |_| {}, Some("key_unsupported_type")),
        (FieldType::Address, |_| {}, Some("key_unsupported_type")),
        (FieldType::Other("x".into()), |_| {}, Some("key_unsupported_type")),
    ];
    for (t, change, expected) in cases {
        let mut field = field(t.clone());
        change(&mut field);
        assert_eq!(KeyRule::compile(&field).err().map(|p| p.code()), expected, "{t:?}");
    }
}

proptest! {
    #[test]
    fn the_quick_way_to_a_key_says_what_the_long_way_says(
        cell in prop_oneof!["[ -~]{0,30}", "[ A-Za-zÉß@.\\t]{0,12}", "[a-zA-Z]{60,68}", any::<String>()],
        side in proptest::sample::select(vec![Side::Report, Side::Org]),
    ) {
        let mut heeding = field(FieldType::String);
        heeding.case_sensitive = true;
        for rule in [keys(FieldType::Email), keys(FieldType::Picklist), KeyRule::compile(&heeding).unwrap()] {
            key(&rule, side, &cell);
        }
    }
}
