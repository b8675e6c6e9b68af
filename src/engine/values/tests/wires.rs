//! Forms on the wire.

use super::*;

fn json(t: FieldType, canonical: &str) -> String {
    let mut out = Vec::new();
    write_json(&t, canonical.as_bytes(), &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn json_values() {
    for (t, canonical, expected) in [
        (FieldType::String, "", "null"),
        (FieldType::Boolean, "", "false"),
        (FieldType::Boolean, "true", "true"),
        (FieldType::Double, "-3.25", "-3.25"),
        (FieldType::Int, "12", "12"),
        (FieldType::Percent, "", "null"),
        (FieldType::Date, "2026-01-02", "\"2026-01-02\""),
        (FieldType::Phone, "12", "\"12\""),
        (FieldType::Textarea, "a\n\"b\"\\\t\u{1}é😀\u{7f}", "\"a\\n\\\"b\\\"\\\\\\t\\u0001é😀\u{7f}\""),
    ] {
        assert_eq!(json(t.clone(), canonical), expected, "{t:?}");
    }
}

#[test]
fn bulk_cells() {
    let long = "x".repeat(32_001);
    for (t, canonical, expected) in [
        (FieldType::String, "", Ok("#N/A")),
        (FieldType::Boolean, "", Ok("false")),
        (FieldType::Double, "3.5", Ok("3.5")),
        (FieldType::String, "a,b", Ok("\"a,b\"")),
        (FieldType::String, "a\"b", Ok("\"a\"\"b\"")),
        (FieldType::String, "a;b c", Ok("a;b c")),
        (FieldType::String, "#N/A", Err(NotForBulk::NullWord)),
        (FieldType::Multipicklist, "#n/a", Err(NotForBulk::NullWord)),
        (FieldType::Textarea, "a\nb", Ok("\"a\nb\"")),
        (FieldType::Textarea, "a\r\nb", Err(NotForBulk::LineBreak)),
        (FieldType::Textarea, &long, Err(NotForBulk::TooLong)),
    ] {
        let mut out = b"before,".to_vec();
        let result = write_bulk_csv(&t, canonical.as_bytes(), &mut out);
        let written = std::str::from_utf8(&out[7..]).unwrap();
        assert_eq!(result.map(|()| written), expected, "{t:?} {canonical:.20}");
        if result.is_err() {
            assert_eq!(written, "");
        }
    }
}

#[test]
fn the_orgs_cells_by_type_alone() {
    for (t, cell, expected) in [
        (FieldType::Boolean, "", "false"),
        (FieldType::Boolean, "true", "true"),
        (FieldType::Double, "100.0", "100"),
        (FieldType::Double, "", ""),
        (FieldType::Datetime, "2026-01-02T03:04:05.000+0000", "2026-01-02T03:04:05Z"),
        (FieldType::Multipicklist, "b;a;b", "a;b"),
        (FieldType::Textarea, "a\r\nb ", "a\nb"),
        (FieldType::Reference, "001D000000IqhSL", "001D000000IqhSLIAZ"),
        (FieldType::Id, "001D000000IqhSLIAZ", "001D000000IqhSLIAZ"),
        (FieldType::Other("new".into()), " x ", "x"),
        (FieldType::String, "#N/A", "#N/A"),
    ] {
        let mut out = b"left over".to_vec();
        canon_org(&t, cell.as_bytes(), &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected, "{t:?} {cell}");
    }
    let mut out = b"left over".to_vec();
    assert_eq!(canon_org(&FieldType::Double, b"x", &mut out).unwrap_err().code(), "org_unreadable");
    assert!(out.is_empty());
}

#[test]
fn canonical_forms_have_an_order_where_the_type_has_one() {
    use std::cmp::Ordering::{Greater, Less};
    for (t, a, b, expected) in [
        (FieldType::Int, "9", "10", Some(Less)),
        (FieldType::Percent, "-1.5", "-1.25", Some(Less)),
        (FieldType::Datetime, "2026-01-02T03:04:05.500Z", "2026-01-02T03:04:05Z", Some(Greater)),
        (FieldType::Date, "2026-01-02", "2025-12-31", Some(Greater)),
        (FieldType::String, "a", "b", None),
    ] {
        assert_eq!(order(&t, a.as_bytes(), b.as_bytes()), expected, "{t:?}");
    }
}
