//! Every field type: fill, overwrite, clear, same in other letters, and bad.

use serde_json::{Value, json};

use super::*;

const FIELDS: &str = r#"
      - { name: Text__c, type: text, length: 30 }
      - { name: Area__c, type: textarea }
      - { name: Long__c, type: longtextarea, length: 32000 }
      - { name: Mail__c, type: email }
      - { name: Call__c, type: phone }
      - { name: Url__c, type: url }
      - { name: Pick__c, type: picklist, restricted: true, values: [gold, silver, { value: lead_1, label: Lead One }, { value: old, label: Old one, active: false }] }
      - { name: Open__c, type: picklist, values: [red, green, { value: grey, active: false }] }
      - { name: Multi__c, type: multipicklist, restricted: true, values: [Zeta, Alpha, { value: m1, label: Mu One }] }
      - { name: Flag__c, type: checkbox }
      - { name: Int__c, type: int }
      - { name: Num__c, type: number, precision: 10, scale: 2 }
      - { name: Money__c, type: currency, precision: 12, scale: 2 }
      - { name: Share__c, type: percent, precision: 5, scale: 1 }
      - { name: Day__c, type: date }
      - { name: Moment__c, type: datetime }
      - { name: Hour__c, type: time }
      - { name: Ref__c, type: lookup, reference_to: [Account] }
      - { name: Combo__c, type: combobox, values: [Call, Mail] }
"#;

/// One type's cells. `A1`, `A2` stand for ids of accounts (18 characters), `a1`, `a2` for the same with 15, `U1` for a user's.
struct Case {
    field: &'static str,
    /// What the record has.
    before: Value,
    /// The same in the report, written otherwise.
    same: &'static str,
    /// Over it, and what the record then has.
    over: (&'static str, Value),
    /// Into a blank field, and what the record then has.
    fill: (&'static str, Value),
    /// What cannot be written, and the reason's code.
    bad: (&'static str, &'static str),
}

fn cases() -> Vec<Case> {
    let case = |field, before, same, over, fill, bad| Case { field, before, same, over, fill, bad };
    vec![
        case(
            "Text__c",
            json!("Old text"),
            "  Old text ",
            ("new; text", json!("new; text")),
            ("f\u{fc}ll 'q\" \\ x \u{1f600}", json!("f\u{fc}ll 'q\" \\ x \u{1f600}")),
            ("N/A", "placeholder_word"),
        ),
        case(
            "Area__c",
            json!("a\r\nb"),
            "a\nb\n",
            ("a\nc, \"d\"", json!("a\r\nc, \"d\"")),
            ("x\r\ny", json!("x\r\ny")),
            ("#N/A", "placeholder_word"),
        ),
        case(
            "Long__c",
            json!("one\r\n\r\ntwo"),
            "one\r\n\r\ntwo",
            ("one\n\nthree", json!("one\r\n\r\nthree")),
            ("l\n1", json!("l\r\n1")),
            ("null", "placeholder_word"),
        ),
        case(
            "Mail__c",
            json!("old@example.org"),
            " old@example.org ",
            ("new@example.org", json!("new@example.org")),
            ("o'neil+x@example.org", json!("o'neil+x@example.org")),
            ("not an address", "not_an_email"),
        ),
        case(
            "Call__c",
            json!("+49 30 1"),
            "+49 30 1 ",
            ("+49 30 2", json!("+49 30 2")),
            ("0043/1", json!("0043/1")),
            ("12345678901234567890123456789012345678901", "too_long"),
        ),
        case(
            "Url__c",
            json!("https://example.org/a"),
            " https://example.org/a",
            ("https://example.org/b?x=1&y=%20", json!("https://example.org/b?x=1&y=%20")),
            ("example.org", json!("example.org")),
            ("-", "placeholder_word"),
        ),
        case(
            "Pick__c",
            json!("lead_1"),
            "Lead One",
            ("SILVER", json!("silver")),
            ("lead one", json!("lead_1")),
            ("old", "inactive_picklist_value"),
        ),
        case(
            "Open__c",
            json!("red"),
            "RED",
            ("green", json!("green")),
            ("red", json!("red")),
            ("grene", "not_in_picklist"),
        ),
        case(
            "Multi__c",
            json!("Zeta;Alpha"),
            "alpha; zeta ;Alpha",
            ("Mu One;Alpha", json!("Alpha;m1")),
            ("Zeta;", json!("Zeta")),
            ("Zeta;Nope", "not_in_picklist"),
        ),
        case("Flag__c", json!(true), "YES", ("0", json!(false)), ("true", json!(true)), ("maybe", "not_a_boolean")),
        case("Int__c", json!(5), "5.0", ("7.5", json!(8)), ("0", json!(0)), ("1.234,5", "needs_decimal")),
        case(
            "Num__c",
            json!(3.5),
            "3.50",
            ("2.345", json!(2.35)),
            ("-0.5", json!(-0.5)),
            ("123456789.5", "out_of_range"),
        ),
        case(
            "Money__c",
            json!(1000.0),
            "1000.00",
            ("12.345", json!(12.35)),
            ("10", json!(10.0)),
            ("$10", "needs_prefix_or_suffix"),
        ),
        case("Share__c", json!(25.0), "25.0", ("12.34", json!(12.3)), ("0", json!(0.0)), ("25%", "needs_percent")),
        case(
            "Day__c",
            json!("2026-01-02"),
            " 2026-01-02 ",
            ("2028-02-29", json!("2028-02-29")),
            ("1999-12-31", json!("1999-12-31")),
            ("03/04/2026", "ambiguous_date"),
        ),
        case(
            "Moment__c",
            json!("2026-01-02T03:04:05.000+0000"),
            "2026-01-02T04:04:05.000+01:00",
            ("2026-02-03 04:05:06Z", json!("2026-02-03T04:05:06.000+0000")),
            ("2026-05-06T07:08:09.999Z", json!("2026-05-06T07:08:09.000+0000")),
            ("2026-01-02", "needs_time_zone"),
        ),
        case(
            "Hour__c",
            json!("09:30:00.000Z"),
            "09:30",
            ("10:15:30", json!("10:15:30.000Z")),
            ("23:59:59.123Z", json!("23:59:59.123Z")),
            ("24:00", "no_such_time"),
        ),
        case("Ref__c", json!("A1"), "a1", ("A2", json!("A2")), ("a2", json!("A2")), ("U1", "wrong_object")),
        case(
            "Combo__c",
            json!("Call"),
            "Call ",
            ("Anything else", json!("Anything else")),
            ("Mail", json!("Mail")),
            ("none", "placeholder_word"),
        ),
    ]
}

struct Ids {
    a1: String,
    a2: String,
    user: String,
}

impl Ids {
    fn text(&self, text: &str) -> String {
        match text {
            "A1" => self.a1.clone(),
            "A2" => self.a2.clone(),
            "a1" => self.a1[..15].to_owned(),
            "a2" => self.a2[..15].to_owned(),
            "U1" => self.user.clone(),
            other => other.to_owned(),
        }
    }

    fn value(&self, value: &Value) -> Value {
        value.as_str().map_or_else(|| value.clone(), |t| Value::String(self.text(t)))
    }
}

/// Numbers by value (a currency of 10 may print as 10 or 10.0), all else exactly.
fn alike(found: &Value, expected: &Value) -> bool {
    match (found.as_f64(), expected.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ => found == expected,
    }
}

const PEOPLE: [&str; 6] = ["fill", "over", "clear", "same", "bad", "mixed"];

/// What went by a bulk job: the cells that are not empty, by record and field.
fn uploaded(scene: &Scene) -> std::collections::BTreeMap<String, Record> {
    let jobs = scene.org().jobs();
    let [job] = jobs.as_slice() else { panic!("one job, not {}", jobs.len()) };
    let csv = job.upload.clone().unwrap();
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let header = reader.headers().unwrap().clone();
    let mut found = std::collections::BTreeMap::new();
    for line in reader.records().map(|line| line.unwrap()) {
        let cells = header.iter().zip(&line).skip(1).filter(|(_, cell)| !cell.is_empty());
        found.insert(line[0].to_owned(), cells.map(|(name, cell)| (name.to_owned(), json!(cell))).collect());
    }
    found
}

fn every_type(object: &str, matching: &str, key: &str, seed: &str, required: &[(&str, &str)], write: &str) {
    let scene = Scene::seeded(seed);
    let accounts: Vec<String> = scene
        .org()
        .insert("Account", &["One", "Two"].map(|n| json!({"Name": n}).as_object().unwrap().clone()))
        .unwrap();
    let user = scene.org().records("User")[0]["Id"].as_str().unwrap().to_owned();
    let ids = Ids { a1: accounts[0].clone(), a2: accounts[1].clone(), user };
    let cases = cases();
    let key_of = |who: &str| if key == "Email" { format!("{who}@example.org") } else { format!("Key-{who}") };
    let seeded: Vec<Record> = PEOPLE
        .iter()
        .map(|who| {
            let mut record = Record::new();
            record.insert(key.to_owned(), json!(key_of(who)));
            required.iter().for_each(|(field, value)| drop(record.insert((*field).to_owned(), json!(value))));
            if *who != "fill" {
                cases.iter().for_each(|c| drop(record.insert(c.field.to_owned(), ids.value(&c.before))));
            }
            record
        })
        .collect();
    let people = scene.org().insert(object, &seeded).unwrap();
    let id = |who: &str| people[PEOPLE.iter().position(|p| *p == who).unwrap()].clone();

    let header: Vec<&str> = std::iter::once("Key").chain(cases.iter().map(|c| c.field)).collect();
    let rows: Vec<Vec<String>> = PEOPLE
        .iter()
        .map(|who| {
            let of = |c: &Case| match *who {
                "fill" => c.fill.0,
                "over" => c.over.0,
                "clear" => " ",
                "same" => c.same,
                "bad" => c.bad.0,
                // One change among cells that are the same.
                _ if c.field == "Num__c" => "9.99",
                _ => c.same,
            };
            std::iter::once(key_of(who).to_uppercase()).chain(cases.iter().map(|c| ids.text(of(c)))).collect()
        })
        .collect();
    let rows: Vec<Vec<&str>> = rows.iter().map(|r| r.iter().map(String::as_str).collect()).collect();
    report(&scene, &header, &rows);
    let fields: Vec<String> =
        cases.iter().map(|c| format!("  {}: {{ column: {}, when_blank: clear }}", c.field, c.field)).collect();
    let ways = |way: &str| {
        let more = format!("read: {way}\nwrite: {write}\n{}", guards("max_clears: 100, max_refused: 100%"));
        integration(&scene, object, matching, &fields.join("\n"), &more);
        let out = format!("{way}.plan");
        scene.run(&["plan", "people", "--out", &out]).exits(0);
        (body(&scene, &out), summary(&scene, &out)["changes"].clone())
    };
    let (lookup, query, bulk) = (ways("lookup"), ways("query"), ways("bulk"));
    assert_eq!(lookup, query, "the same bytes, whatever the way of reading");
    assert_eq!(lookup, bulk, "the same bytes, whatever the way of reading");
    nothing_sent(&scene);

    // Each bad value is listed with its code; the row is refused as a whole.
    let all = entries(&scene, "lookup.plan");
    let bad = all.iter().find(|e| e["record"] == json!(id("bad"))).unwrap();
    assert_eq!(bad["outcome"], "refused");
    let mut told = refused(bad);
    let mut wanted: Vec<(&str, &str)> = cases.iter().map(|c| (c.field, c.bad.1)).collect();
    told.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(told, wanted);

    scene.run(&["apply", "lookup.plan", "--yes"]).exits(0).says("Completed");

    // Only changed cells were sent.
    let sent = if write == "bulk" { uploaded(&scene) } else { sent(&scene) };
    let fields_of = |who: &str| -> Vec<&str> {
        let mut names: Vec<&str> =
            sent.get(&id(who)).map(|r| r.keys().map(String::as_str).collect()).unwrap_or_default();
        names.sort_unstable();
        names
    };
    let mut every: Vec<&str> = cases.iter().map(|c| c.field).collect();
    every.sort_unstable();
    for (who, fields) in [("fill", every.clone()), ("over", every.clone()), ("clear", every), ("mixed", vec!["Num__c"])]
    {
        assert_eq!(fields_of(who), fields, "{who}");
    }
    assert_eq!(sent.len(), 4, "same and bad are not touched");

    // The org holds exactly what is expected.
    for case in &cases {
        let blank = if case.field == "Flag__c" { json!(false) } else { Value::Null };
        for (who, expected) in [
            ("fill", ids.value(&case.fill.1)),
            ("over", ids.value(&case.over.1)),
            ("clear", blank),
            ("same", ids.value(&case.before)),
            ("bad", ids.value(&case.before)),
            ("mixed", if case.field == "Num__c" { json!(9.99) } else { ids.value(&case.before) }),
        ] {
            let found = &scene.org().record(object, &id(who)).unwrap()[case.field];
            assert!(alike(found, &expected), "{who}: {} is {found}, not {expected}", case.field);
        }
    }

    // Nothing is left to do, whichever way it is read.
    for way in ["lookup", "query", "bulk"] {
        let (left, _) = ways(way);
        assert_eq!(left.len(), 1, "{way}: only the refused row is listed: {left:#?}");
        scene.run(&["plan", "people", "--detailed-exitcode"]).exits(0).says("No changes");
    }
    let before = scene.write_calls();
    scene.run(&["apply", "people", "--yes"]).exits(0);
    assert_eq!(scene.write_calls(), before);
}

#[test]
fn every_type_of_a_custom_object_is_planned_applied_and_then_agrees() {
    let seed = format!(
        "objects:\n  Member__c:\n    label: Member\n    fields:\n      - {{ name: Key__c, type: text, length: 40, unique: true, external_id: true }}{FIELDS}"
    );
    for write in ["collections", "bulk"] {
        every_type("Member__c", "{ column: Key, field: Key__c }", "Key__c", &seed, &[("Name", "M")], write);
    }
}

#[test]
fn every_type_of_a_lead_is_planned_applied_and_then_agrees() {
    let seed = format!("objects:\n  Lead:\n    fields:{FIELDS}");
    for write in ["collections", "bulk"] {
        every_type("Lead", BY_EMAIL, "Email", &seed, &[("LastName", "L"), ("Company", "C")], write);
    }
}

/// (field, before, report, after, kind)
const STANDARD: [(&str, &str, &str, &str, &str); 10] = [
    ("Title", "CEO", "CTO", "\"CTO\"", "overwrite"),
    ("Phone", "", "+1 555 0100", "\"+1 555 0100\"", "fill"),
    ("Website", "", "https://example.org", "\"https://example.org\"", "fill"),
    ("Description", "", "two\nlines", "\"two\\r\\nlines\"", "fill"),
    ("Street", "", "1 High St\nFlat 2", "\"1 High St\\r\\nFlat 2\"", "fill"),
    ("Industry", "", "banking", "\"Banking\"", "fill"),
    ("NumberOfEmployees", "12", "1200", "1200", "overwrite"),
    ("AnnualRevenue", "", "2500000.4", "2500000", "fill"),
    ("IsUnreadByOwner", "true", "no", "false", "overwrite"),
    ("MobilePhone", "1", "2", "\"2\"", "overwrite"),
];

#[test]
fn standard_fields_of_a_lead_are_written_as_custom_ones_are() {
    let scene = Scene::seeded("{}");
    let mut record = json!({"LastName": "L", "Company": "C", "Email": "a@example.org"}).as_object().unwrap().clone();
    for (field, before, ..) in STANDARD.iter().filter(|f| !f.1.is_empty()) {
        let value = match *field {
            "NumberOfEmployees" => json!(12),
            "IsUnreadByOwner" => json!(true),
            _ => json!(before),
        };
        record.insert((*field).to_owned(), value);
    }
    let id = scene.org().insert("Lead", &[record]).unwrap().remove(0);
    let header: Vec<&str> = std::iter::once("Key").chain(STANDARD.iter().map(|f| f.0)).collect();
    report(&scene, &header, &[std::iter::once("a@example.org").chain(STANDARD.iter().map(|f| f.2)).collect()]);
    let fields: Vec<String> = STANDARD.iter().map(|f| format!("  {0}: {0}", f.0)).collect();
    integration(&scene, "Lead", BY_EMAIL, &fields.join("\n"), "");
    let all = planned(&scene);
    for (field, _, _, _, kind) in STANDARD {
        let cell = all[0]["cells"].as_array().unwrap().iter().find(|c| c["field"] == field).unwrap();
        assert_eq!(cell["kind"], kind, "{field}");
    }
    scene.run(&["apply", "people.plan", "--yes"]).exits(0);
    let stored = scene.org().record("Lead", &id).unwrap();
    for (field, _, _, after, _) in STANDARD {
        let expected: Value = serde_json::from_str(after).unwrap();
        assert!(alike(&stored[field], &expected), "{field}: {}", stored[field]);
    }
    assert!(planned(&scene).is_empty());
}

#[test]
fn targets_that_cannot_be_written_are_refused_with_the_reason() {
    let seed = "objects: { Lead: { fields: [{ name: Page__c, type: html }, { name: Sum__c, type: number, formula: true }, { name: No__c, type: text, auto_number: true }], records: [{ LastName: L, Company: C, Email: a@example.org }] } }";
    let scene = Scene::seeded(seed);
    report(&scene, &["Key", "V"], &[vec!["a@example.org", "x"]]);
    for (field, code) in [
        ("Page__c", "FB0605"),
        ("Sum__c", "FB0606"),
        ("No__c", "FB0607"),
        ("Name", "FB0608"),
        ("Address", "FB0608"),
        ("Nope__c", "FB0602"),
        ("ConvertedDate", "FB0604"),
    ] {
        integration(&scene, "Lead", BY_EMAIL, &format!("  {field}: V"), "");
        scene.run(&["plan", "people"]).exits(3).says(code).says("people.yaml");
    }
    nothing_sent(&scene);
}
