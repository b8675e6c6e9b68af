//! Which row belongs to which record, and what becomes of those that belong to none or to several.

use serde_json::{Value, json};

use super::*;

fn outcomes(all: &[Value]) -> Vec<(u64, &str)> {
    all.iter().map(|e| (e["row"].as_u64().unwrap(), e["outcome"].as_str().unwrap())).collect()
}

/// Plans both ways, holds the bodies against each other, gives the entries.
#[track_caller]
fn both_ways(scene: &Scene, object: &str, matching: &str, fields: &str, more: &str) -> Vec<Value> {
    let mut bodies = Vec::new();
    for way in ["query", "lookup"] {
        integration(scene, object, matching, fields, &format!("read: {way}\n{more}"));
        planned(scene);
        bodies.push(body(scene, "people.plan"));
    }
    assert_eq!(bodies[0], bodies[1], "the same bytes, whatever the way of reading");
    entries(scene, "people.plan")
}

#[test]
fn by_email_without_regard_to_case_and_space() {
    let scene = Scene::seeded(
        "objects: { Lead: { records: [{ LastName: A, Company: C, Email: Ann.O'Neil@Example.org }, { LastName: B, Company: C, Email: b@example.org }, { LastName: N, Company: C }] } }",
    );
    let rows = vec![
        vec!["  ann.o'neil@EXAMPLE.ORG ", "x"],
        vec!["nobody@example.org", "x"],
        vec!["", "x"],
        vec![" ", "x"],
        vec!["N/A", "x"],
        vec!["b@example.org", ""],
    ];
    report(&scene, &["Key", "V"], &rows);
    let all = both_ways(&scene, "Lead", BY_EMAIL, "  Title: V", &guards("min_match: 0%"));
    assert_eq!(outcomes(&all), [(1, "planned"), (2, "no_record"), (3, "blank_key"), (4, "blank_key"), (5, "bad_key")]);
    assert_eq!(outcome(&scene, "unchanged"), 1);
    scene.run(&["apply", "people.plan", "--yes"]).exits(0);
    assert_eq!(record(&scene, "Lead", "LastName", "A")["Title"], "x");
    assert_eq!(record(&scene, "Lead", "LastName", "N")["Title"], Value::Null, "a blank key finds no blank field");
}

#[test]
fn by_external_ids_of_text_with_and_without_case_and_of_numbers() {
    let seed = "objects:\n  Member__c:\n    fields:\n      - { name: Code__c, type: text, length: 20, unique: true, external_id: true }\n      - { name: Exact__c, type: text, length: 20, unique: true, external_id: true, case_sensitive: true }\n      - { name: No__c, type: number, precision: 18, scale: 0, external_id: true }\n      - { name: V__c, type: text, length: 20 }\n    records:\n      - { Name: One, Code__c: Straße, Exact__c: abC, No__c: 42 }\n      - { Name: Two, Code__c: two, Exact__c: abc, No__c: 100000000 }\n      - { Name: Three, Code__c: \"three\\u00a0\" }\n";
    let scene = Scene::seeded(seed);
    let plan = |field: &str, keys: &[&str]| {
        let rows: Vec<Vec<&str>> = keys.iter().map(|k| vec![*k, "x"]).collect();
        report(&scene, &["Key", "V"], &rows);
        let matching = format!("{{ column: Key, field: {field} }}");
        let all = both_ways(&scene, "Member__c", &matching, "  V__c: V", "");
        let name = |id: &str| scene.org().record("Member__c", id).unwrap()["Name"].as_str().unwrap().to_owned();
        all.iter()
            .map(|e| e["record"].as_str().map_or_else(|| e["outcome"].as_str().unwrap().to_owned(), name))
            .collect::<Vec<_>>()
    };
    assert_eq!(plan("Code__c", &["STRASSE", "TWO\u{a0}"]), ["One", "Two"]);
    assert_eq!(plan("Code__c", &["three"]), ["no_record"], "its key ends in a no-break space");
    assert_eq!(plan("Exact__c", &["abc", "abC", "ABC"]), ["Two", "One", "no_record"]);
    assert_eq!(
        plan("No__c", &["42.0", "100000000", "43", "4x", "1.234,5"]),
        ["One", "Two", "no_record", "bad_key", "bad_key"]
    );
}

#[test]
fn by_id_of_15_and_of_18_characters() {
    let scene = Scene::seeded(
        "objects: { Lead: { records: [{ LastName: A, Company: C }, { LastName: B, Company: C }, { LastName: D, Company: C }] } }",
    );
    let ids: Vec<String> = scene.org().records("Lead").iter().map(|r| r["Id"].as_str().unwrap().to_owned()).collect();
    let short = &ids[0][..15];
    let broken = format!("{}AAA", &ids[2][..15]);
    let other = "001000000000001AAA";
    let rows = vec![vec![short, "x"], vec![&ids[1], "x"], vec![&broken, "x"], vec!["nonsense", "x"], vec![other, "x"]];
    report(&scene, &["Key", "V"], &rows);
    let all = both_ways(&scene, "Lead", "{ column: Key, field: Id }", "  Title: V", &guards("min_match: 0%"));
    let found: Vec<(u64, &str)> = outcomes(&all).into_iter().filter(|o| o.0 <= 2).collect();
    assert_eq!(found, [(1, "planned"), (2, "planned")]);
    let of = |row: u64| all.iter().find(|e| e["row"] == row).unwrap()["outcome"].as_str().unwrap().to_owned();
    let third = if ids[2] == broken { "planned" } else { "bad_key" };
    assert_eq!((of(3).as_str(), of(4).as_str(), of(5).as_str()), (third, "bad_key", "no_record"));
    scene.run(&["apply", "people.plan", "--yes"]).exits(0);
    assert_eq!(sent(&scene).len(), all.iter().filter(|e| e["outcome"] == "planned").count());
}

#[test]
fn a_key_in_two_rows_follows_the_policy() {
    let scene = Scene::seeded(
        "objects: { Lead: { records: [{ LastName: A, Company: C, Email: a@example.org }, { LastName: B, Company: C, Email: b@example.org }] } }",
    );
    let rows = vec![
        vec!["a@example.org", "one", "2026-03-01"],
        vec!["A@example.org ", "two", "2026-03-03"],
        vec!["b@example.org", "three", "2026-03-02"],
        vec!["a@EXAMPLE.org", "four", "2026-03-02"],
    ];
    report(&scene, &["Key", "V", "When"], &rows);
    let plan = |policy: &str| {
        let matching = format!("{{ column: Key, field: Email, on_duplicate_rows: {policy} }}");
        let all = both_ways(&scene, "Lead", &matching, "  Title: V", &guards("min_match: 0%"));
        assert_eq!(outcome(&scene, "duplicate_key") + outcome(&scene, "planned"), 4);
        all
    };
    let used = |all: &[Value]| -> Vec<u64> {
        all.iter().filter(|e| e["outcome"] == "planned").map(|e| e["row"].as_u64().unwrap()).collect()
    };
    let all = plan("skip");
    assert_eq!(used(&all), [3]);
    assert_eq!(all[0]["rows"], json!([2, 4]), "each says which others");
    assert_eq!(used(&plan("first")), [1, 3]);
    assert_eq!(used(&plan("last")), [3, 4]);
    assert_eq!(used(&plan("{ policy: newest, by: When }")), [2, 3]);
    assert_eq!(used(&plan("fail")), [3]);
    scene.run(&["apply", "people.plan", "--yes"]).exits(4).says("duplicate_rows").says("FB0710");
    nothing_sent(&scene);
    scene.run(&["apply", "people.plan", "--yes", "--waive", "duplicate_rows"]).exits(0);
    assert_eq!(sent(&scene).len(), 1);
}

#[test]
fn several_records_of_one_key_follow_the_policy() {
    let scene = Scene::seeded(
        "objects: { Lead: { records: [{ LastName: A1, Company: C, Email: a@example.org }, { LastName: A2, Company: C, Email: A@example.org }, { LastName: B, Company: C, Email: b@example.org }] } }",
    );
    let ids: Vec<String> = scene.org().records("Lead").iter().map(|r| r["Id"].as_str().unwrap().to_owned()).collect();
    let touch = |id: &str, at: &str| {
        let fields =
            json!({"Description": "touched", "LastModifiedDate": at, "CreatedDate": format!("2025{}", &at[4..])});
        scene.org().edit("Lead", id, fields.as_object().unwrap()).unwrap();
    };
    touch(&ids[0], "2026-06-02T00:00:00.000+0000");
    touch(&ids[1], "2026-06-01T00:00:00.000+0000");
    report(&scene, &["Key", "V"], &[vec!["a@example.org", "x"], vec!["b@example.org", "x"]]);
    let plan = |policy: &str| {
        let matching = format!("{{ column: Key, field: Email, on_several_records: {policy} }}");
        both_ways(&scene, "Lead", &matching, "  Title: V", "")
    };
    let used = |all: &[Value]| -> Vec<String> {
        let planned = all.iter().filter(|e| e["outcome"] == "planned");
        planned.map(|e| e["record"].as_str().unwrap().to_owned()).collect()
    };
    let all = plan("skip");
    assert_eq!(used(&all), [ids[2].clone()]);
    assert_eq!(all[0]["candidates"], json!([ids[0], ids[1]]));
    assert_eq!(used(&plan("all")), ids);
    assert_eq!(outcome(&scene, "planned"), 2, "rows are counted, not records");
    assert_eq!(used(&plan("{ policy: newest, by: LastModifiedDate }")), [ids[0].clone(), ids[2].clone()]);
    assert_eq!(used(&plan("{ policy: newest, by: CreatedDate }")), [ids[0].clone(), ids[2].clone()]);
    // Of two that are equally new, none is the newest.
    touch(&ids[1], "2026-06-02T00:00:00.000+0000");
    assert_eq!(used(&plan("{ policy: newest, by: LastModifiedDate }")), [ids[2].clone()]);
    plan("fail");
    scene.run(&["apply", "people", "--yes"]).exits(4).says("several_records").says("FB0711");
    nothing_sent(&scene);
    plan("all");
    scene.run(&["apply", "people.plan", "--yes"]).exits(0);
    assert_eq!(sent(&scene).len(), 3);
    assert!(planned(&scene).is_empty());
}

const CONVERTED: &str = "objects: { Lead: { records: [{ LastName: Converted, Company: C, Email: gone@example.org, IsConverted: true }, { LastName: Both1, Company: C, Email: both@example.org, IsConverted: true }, { LastName: Both2, Company: C, Email: both@example.org }, { LastName: Other, Company: Elsewhere, Email: other@example.org }, { LastName: In, Company: C, Email: in@example.org }] } }";

#[test]
fn converted_leads_are_recognised_and_never_sent() {
    let scene = Scene::seeded(CONVERTED);
    report(&scene, &["Key", "V"], &[vec!["gone@example.org", "x"], vec!["both@example.org", "x"]]);
    let all = both_ways(&scene, "Lead", BY_EMAIL, "  Title: V", "");
    assert_eq!(outcomes(&all), [(1, "converted"), (2, "planned")]);
    scene.run(&["apply", "people.plan", "--yes"]).exits(0).says("Completed");
    assert_eq!(sent(&scene).keys().collect::<Vec<_>>(), [all[1]["record"].as_str().unwrap()]);
    assert_eq!(record(&scene, "Lead", "LastName", "Both2")["Title"], "x");
}

#[test]
fn where_tells_out_of_scope_and_converted_from_no_record() {
    let scene = Scene::seeded(CONVERTED);
    let rows = ["gone", "both", "other", "in", "nobody"].map(|k| format!("{k}@example.org"));
    report(&scene, &["Key", "V"], &rows.iter().map(|k| vec![k.as_str(), "x"]).collect::<Vec<_>>());
    let all = both_ways(&scene, "Lead", BY_EMAIL, "  Title: V", "where: IsConverted = false AND Company = 'C'");
    assert_eq!(
        outcomes(&all),
        [(1, "converted"), (2, "planned"), (3, "out_of_scope"), (4, "planned"), (5, "no_record")]
    );
    scene.run(&["plan", "people"]).says("IsConverted = false AND Company = 'C'");
    scene.run(&["apply", "people.plan", "--yes"]).exits(0);
    assert_eq!(record(&scene, "Lead", "LastName", "Other")["Title"], Value::Null);
    // A condition that the org does not understand is told as such.
    integration(&scene, "Lead", BY_EMAIL, "  Title: V", "where: Nope__c = 1");
    scene.run(&["plan", "people"]).exits(3).says("Nope__c");
}

#[test]
fn the_key_column_may_fill_another_field_and_the_match_field_is_never_written() {
    let scene = Scene::seeded(
        "objects: { Lead: { fields: [{ name: User_Id__c, type: text, length: 80 }], records: [{ LastName: A, Company: C, Email: a@example.org }] } }",
    );
    report(&scene, &["Key", "V"], &[vec!["A@example.org", "x"]]);
    let all = both_ways(&scene, "Lead", BY_EMAIL, "  User_Id__c: Key", "");
    assert_eq!(all[0]["cells"][0]["after"], "A@example.org");
    scene.run(&["apply", "people.plan", "--yes"]).exits(0);
    let stored = record(&scene, "Lead", "LastName", "A");
    assert_eq!((&stored["User_Id__c"], &stored["Email"]), (&json!("A@example.org"), &json!("a@example.org")));
    for field in ["Email", "email"] {
        integration(&scene, "Lead", BY_EMAIL, &format!("  {field}: Key"), "");
        scene.run(&["plan", "people"]).exits(3).says("FB0209");
    }
}

#[test]
fn instead_of_a_hidden_field_none_is_proposed_that_is_mapped_already() {
    use footbridge::emulator::Access;
    let scene = Scene::seeded(
        "objects: { Lead: { fields: [{ name: WalkMe_First_Login__c, type: text, length: 80 }, { name: WalkMe_Last_Login__c, type: text, length: 80 }], records: [{ LastName: A, Company: C, Email: a@example.org }] } }",
    );
    report(&scene, &["Key", "V", "W"], &[vec!["a@example.org", "x", "y"]]);
    scene.org().set_access(None, "Lead", "WalkMe_Last_Login__c", Access::None).unwrap();
    integration(&scene, "Lead", BY_EMAIL, "  WalkMe_Last_Login__c: V", "");
    scene.run(&["plan", "people"]).exits(3).says("FB0602").says("did you mean `WalkMe_First_Login__c`?");
    integration(&scene, "Lead", BY_EMAIL, "  WalkMe_Last_Login__c: V\n  WalkMe_First_Login__c: W", "");
    let ran = scene.run(&["plan", "people"]).exits(3).says("FB0602");
    assert!(!ran.err.contains("did you mean `WalkMe_First_Login__c`"), "{}", ran.err);
}

#[test]
fn fields_hidden_or_read_only_by_field_level_security_are_told_by_name() {
    use footbridge::emulator::Access;
    let scene = Scene::seeded("objects: { Lead: { records: [{ LastName: A, Company: C, Email: a@example.org }] } }");
    report(&scene, &["Key", "V"], &[vec!["a@example.org", "x"]]);
    integration(&scene, "Lead", BY_EMAIL, "  Title: V", "");
    scene.org().set_access(None, "Lead", "Title", Access::None).unwrap();
    scene.run(&["plan", "people"]).exits(3).says("FB0602").says("Title").says("permission set");
    scene.org().set_access(None, "Lead", "Title", Access::Read).unwrap();
    scene.run(&["plan", "people"]).exits(3).says("FB0604").says("Title");
    scene.org().set_access(None, "Lead", "Title", Access::Edit).unwrap();
    scene.org().set_access(None, "Lead", "Email", Access::None).unwrap();
    scene.run(&["plan", "people"]).exits(3).says("FB0602").says("Email");
    scene.org().set_access(None, "Lead", "Email", Access::Read).unwrap();
    scene.run(&["plan", "people"]).exits(0);
    nothing_sent(&scene);
    let log = scene.run(&["apply", "people", "--yes"]).exits(0);
    log.says("Completed");
}
