//! Options of columns and fields: how values are read, when they are written, what blanks and bad values do.

use serde_json::{Value, json};

use super::*;

const SEED: &str = r#"
objects:
  Lead:
    fields:
      - { name: Day__c, type: date }
      - { name: Moment__c, type: datetime }
      - { name: Num__c, type: number, precision: 12, scale: 2 }
      - { name: Share__c, type: percent, precision: 5, scale: 2 }
      - { name: Money__c, type: currency, precision: 12, scale: 2 }
      - { name: Flag__c, type: checkbox }
      - { name: Short__c, type: text, length: 8 }
      - { name: Area__c, type: textarea, length: 10 }
      - { name: Multi__c, type: multipicklist, values: [a, b, c] }
      - { name: Open__c, type: picklist, values: [red, { value: grey, active: false }] }
      - { name: Shut__c, type: picklist, restricted: true, values: [red] }
    records:
      - { LastName: L, Company: C, Email: a@example.org }
"#;

/// Plans one cell into one field of one lead.
fn one(scene: &Scene, field: &str, options: &str, value: &str) -> Value {
    report(scene, &["Key", "V"], &[vec!["a@example.org", value]]);
    let comma = if options.is_empty() { "" } else { ", " };
    integration(
        scene,
        "Lead",
        BY_EMAIL,
        &format!("  {field}: {{ column: V{comma}{options} }}"),
        &guards("max_refused: 100%"),
    );
    let all = planned(scene);
    all.into_iter().next().unwrap_or(Value::Null)
}

#[test]
fn options_say_how_a_value_is_read() {
    let scene = Scene::seeded(SEED);
    for (field, options, value, after) in [
        ("Day__c", "format: '%d/%m/%Y'", "03/04/2026", "2026-04-03"),
        ("Day__c", "format: '%m/%d/%Y'", "03/04/2026", "2026-03-04"),
        ("Day__c", "time_zone: America/New_York", "2026-01-02T03:00:00Z", "2026-01-01"),
        ("Moment__c", "time_zone: Europe/Berlin", "2026-07-02 10:00:00", "2026-07-02T08:00:00Z"),
        ("Moment__c", "time_zone: Europe/Berlin", "2026-07-02", "2026-07-01T22:00:00Z"),
        ("Moment__c", "format: '%m/%d/%Y %I:%M %p', time_zone: UTC", "03/04/2026 01:05 PM", "2026-03-04T13:05:00Z"),
        ("Num__c", "decimal: ','", "1.234,5", "1234.5"),
        ("Num__c", "decimal: ','", "1234,567", "1234.57"),
        ("Num__c", "decimal: '.'", "1,234.5", "1234.5"),
        ("Num__c", "decimal: ','", "-1 234 567,25", "-1234567.25"),
        ("Share__c", "percent: sign", "25%", "25"),
        ("Share__c", "percent: sign", "25.5 %", "25.5"),
        ("Share__c", "percent: sign", "25", "25"),
        ("Share__c", "percent: fraction", "0.256", "25.6"),
        ("Share__c", "percent: sign, decimal: ','", "12,5%", "12.5"),
        ("Money__c", "prefix: '$'", "$10.50", "10.5"),
        ("Money__c", "prefix: '$', decimal: '.'", "-$1,000", "-1000"),
        ("Money__c", "suffix: EUR, decimal: ','", "1.000,00 EUR", "1000"),
        ("Flag__c", "true_values: [ja, X], false_values: [nein]", "JA", "true"),
        ("Flag__c", "true_values: [ja, X]", "x", "true"),
        ("Multi__c", "separator: ','", "c, a", "a;c"),
        ("Multi__c", "separator: '|'", "b|b|a", "a;b"),
        ("Multi__c", "new_values: allow", "a;new one", "a;new one"),
        ("Short__c", "truncate: true", "much too long", "much too"),
        ("Short__c", "truncate: true", "1234567 9", "1234567"),
        ("Area__c", "truncate: true", "12345678\n9", "12345678"),
        ("Open__c", "new_values: allow", "violet", "violet"),
        ("Open__c", "new_values: allow", "grey", "grey"),
        ("Short__c", "blank_values: ['-', none]", "some", "some"),
    ] {
        let entry = one(&scene, field, options, value);
        assert_eq!(entry["cells"][0]["after"], after, "{field} {options} {value}: {entry}");
        // What is planned is what the org then holds: nothing is left to do.
        scene.run(&["apply", "people.plan", "--yes"]).exits(0);
        assert!(planned(&scene).is_empty(), "{field} {options} {value}");
        let id = entry["record"].as_str().unwrap();
        let blank = if field == "Flag__c" { json!(false) } else { Value::Null };
        scene.org().edit("Lead", id, json!({ field: blank }).as_object().unwrap()).unwrap();
    }
}

#[test]
fn what_is_not_declared_is_not_guessed() {
    let scene = Scene::seeded(SEED);
    for (field, options, value, code) in [
        ("Day__c", "", "03/04/2026", "ambiguous_date"),
        ("Day__c", "format: '%d/%m/%Y'", "2026-04-03", "format_mismatch"),
        ("Day__c", "", "2026-02-30", "not_a_date"),
        ("Day__c", "", "2026-01-02T03:04:05Z", "needs_time_zone"),
        ("Moment__c", "", "2026-01-02 10:00:00", "needs_time_zone"),
        ("Moment__c", "time_zone: Europe/Berlin", "2026-10-25 02:30:00", "local_time_twice"),
        ("Moment__c", "time_zone: Europe/Berlin", "2026-03-29 02:30:00", "local_time_skipped"),
        ("Num__c", "", "1.234,5", "needs_decimal"),
        ("Num__c", "", "1e5", "not_a_number"),
        ("Num__c", "", "N/A", "placeholder_word"),
        ("Share__c", "", "25%", "needs_percent"),
        ("Share__c", "percent: fraction", "25%", "needs_percent"),
        ("Money__c", "", "10 EUR", "needs_prefix_or_suffix"),
        ("Flag__c", "", "ja", "not_a_boolean"),
        ("Short__c", "", "much too long", "too_long"),
        ("Short__c", "", "a\nb", "line_break"),
        ("Open__c", "", "violet", "not_in_picklist"),
        ("Open__c", "", "grey", "inactive_picklist_value"),
        ("Multi__c", "", "a,b", "not_in_picklist"),
    ] {
        let entry = one(&scene, field, options, value);
        assert_eq!(entry["outcome"], "refused", "{field} {options} {value}: {entry}");
        assert_eq!(refused(&entry), [(field, code)], "{field} {options} {value}");
    }
    // Listed on the screen with row, line, column and what to write; the value only for a person.
    let shown = scene.run(&["plan", "people", "--full"]).exits(0).says("row 1").says("line 2").says("not_in_picklist");
    shown.never_says("a,b");
}

#[test]
fn options_that_do_not_fit_the_field_are_refused_before_anything_is_read() {
    let scene = Scene::seeded(SEED);
    report(&scene, &["Key", "V"], &[vec!["a@example.org", "x"]]);
    for (field, options) in [
        ("Num__c", "truncate: true"),
        ("Short__c", "decimal: ','"),
        ("Day__c", "percent: sign"),
        ("Shut__c", "new_values: allow"),
        ("Short__c", "write: if_greater"),
        ("Flag__c", "write: if_empty"),
        ("Short__c", "separator: ','"),
    ] {
        integration(&scene, "Lead", BY_EMAIL, &format!("  {field}: {{ column: V, {options} }}"), "");
        scene.run(&["plan", "people"]).exits(3).says("FB0615");
    }
}

#[test]
fn a_column_of_the_report_says_it_once_for_every_field() {
    let scene = Scene::seeded(SEED);
    report(&scene, &["Key", "V", "W"], &[vec!["a@example.org", "31.12.2026", "1.000,5"]]);
    scene.write(
        "integrations/people.yaml",
        "footbridge: 1\nkind: integration\nname: people\norg: acme\nreport:\n  name: People\n  source: exports/people.csv\n  columns:\n    V: { type: date, format: '%d.%m.%Y', time_zone: UTC }\n    W: { type: number, decimal: ',' }\nobject: Lead\nmatch: { column: Key, field: Email }\nfields: { Day__c: V, Moment__c: V, Num__c: W, Money__c: W }\nlints_off: [walkme_prefix]\nenvironments: { sandbox: {} }\n",
    );
    let all = planned(&scene);
    let after: Vec<&Value> = all[0]["cells"].as_array().unwrap().iter().map(|c| &c["after"]).collect();
    assert_eq!(after, ["2026-12-31", "2026-12-31T00:00:00Z", "1000.5", "1000.5"]);
}

#[test]
fn write_policies_say_when_a_value_goes_over_another() {
    // (policy, before, report, is written)
    let numbers = [
        ("always", json!(5), "3", true),
        ("if_empty", json!(5), "3", false),
        ("if_empty", Value::Null, "3", true),
        ("if_greater", json!(5), "5.01", true),
        ("if_greater", json!(5), "4", false),
        ("if_greater", json!(9), "10", true),
        ("if_greater", Value::Null, "-1", true),
        ("if_less", json!(5), "4.99", true),
        ("if_less", json!(5), "50", false),
    ];
    let days = [
        ("if_greater", json!("2026-01-31"), "2026-02-01", true),
        ("if_greater", json!("2026-02-01"), "2026-01-31", false),
        ("if_less", json!("2026-02-01"), "2026-01-31", true),
    ];
    let scene = Scene::seeded(SEED);
    let id = record(&scene, "Lead", "Email", "a@example.org")["Id"].as_str().unwrap().to_owned();
    let all = numbers.map(|n| ("Num__c", n)).into_iter().chain(days.map(|d| ("Day__c", d)));
    for (field, (policy, before, value, written)) in all {
        scene.org().edit("Lead", &id, json!({ field: before }).as_object().unwrap()).unwrap();
        let entry = one(&scene, field, &format!("write: {policy}"), value);
        assert_eq!(!entry.is_null(), written, "{policy} {before} {value}: {entry}");
        let cells = &summary(&scene, "people.plan")["cells"];
        assert_eq!(cells["kept_policy"], u64::from(!written), "{policy} {before} {value}");
    }
}

#[test]
fn blanks_keep_clear_or_fail() {
    let scene = Scene::seeded(SEED);
    let id = record(&scene, "Lead", "Email", "a@example.org")["Id"].as_str().unwrap().to_owned();
    let now = json!({"Num__c": 5, "Flag__c": true, "Short__c": "text"});
    scene.org().edit("Lead", &id, now.as_object().unwrap()).unwrap();
    for blank in ["", "  ", "\u{a0}"] {
        assert!(one(&scene, "Num__c", "", blank).is_null(), "keep is the default");
        assert_eq!(summary(&scene, "people.plan")["cells"]["kept_blank"], 1);
        assert_eq!(one(&scene, "Num__c", "when_blank: clear", blank)["cells"][0]["kind"], "clear");
    }
    let flag = one(&scene, "Flag__c", "when_blank: clear", "");
    assert_eq!((&flag["cells"][0]["kind"], &flag["cells"][0]["after"]), (&json!("clear"), &json!("false")));
    // A declared word is blank, too; undeclared ones are refused.
    assert_eq!(one(&scene, "Short__c", "when_blank: clear, blank_values: ['N/A']", "n/a")["cells"][0]["kind"], "clear");
    assert_eq!(refused(&one(&scene, "Short__c", "when_blank: clear", "n/a")), [("Short__c", "placeholder_word")]);
    // By default no clear is applied.
    let held = one(&scene, "Num__c", "when_blank: clear", "");
    assert_eq!(held["cells"][0]["after"], Value::Null);
    scene.run(&["apply", "people.plan", "--yes"]).exits(4).says("max_clears");
    // `fail` holds the whole plan.
    let failed = one(&scene, "Num__c", "when_blank: fail", "");
    assert_eq!(refused(&failed), [("Num__c", "blank_not_allowed")]);
    scene.run(&["apply", "people.plan", "--yes"]).exits(4).says("bad_values").says("FB0712");
    nothing_sent(&scene);
    scene.run(&["apply", "people", "--yes", "--waive", "bad_values"]).exits(0);
}

#[test]
fn a_bad_value_costs_its_cell_its_row_or_the_plan() {
    let scene = Scene::seeded(SEED);
    report(&scene, &["Key", "V", "W"], &[vec!["a@example.org", "nonsense", "good"]]);
    let fields = "  Num__c: V\n  Short__c: W";
    let plan = |policy: &str| {
        integration(&scene, "Lead", BY_EMAIL, fields, &format!("on_bad_value: {policy}"));
        planned(&scene).remove(0)
    };
    let entry = plan("skip_cell");
    assert_eq!((&entry["outcome"], entry["cells"].as_array().unwrap().len()), (&json!("planned"), 1));
    let entry = plan("skip_row");
    assert_eq!(entry["outcome"], "refused");
    assert_eq!(refused(&entry), [("Num__c", "not_a_number"), ("Short__c", "row_skipped")]);
    plan("fail");
    scene.run(&["apply", "people.plan", "--yes"]).exits(4).says("bad_values");
    nothing_sent(&scene);
    // A field's own word counts before the integration's.
    integration(
        &scene,
        "Lead",
        BY_EMAIL,
        "  Num__c: { column: V, on_bad_value: skip_cell }\n  Short__c: W",
        "on_bad_value: fail",
    );
    planned(&scene);
    scene.run(&["apply", "people.plan", "--yes"]).exits(0).says("Completed");
    assert_eq!(record(&scene, "Lead", "Email", "a@example.org")["Short__c"], "good");
}

#[test]
fn in_an_org_with_several_currencies_a_currency_is_named_and_heeded() {
    let scene = Scene::seeded(
        "objects:\n  Lead:\n    fields:\n      - { name: CurrencyIsoCode, label: Currency ISO Code, type: picklist, length: 3, restricted: true, values: [{ value: EUR, default: true }, USD] }\n      - { name: Money__c, type: currency, precision: 12, scale: 2 }\n    records:\n      - { LastName: A, Company: C, Email: a@example.org, CurrencyIsoCode: EUR, Money__c: 5 }\n      - { LastName: B, Company: C, Email: b@example.org, CurrencyIsoCode: USD, Money__c: 5 }\n      - { LastName: D, Company: C, Email: d@example.org, CurrencyIsoCode: USD, Money__c: 10 }\n      - { LastName: E, Company: C, Email: e@example.org, CurrencyIsoCode: USD }\n",
    );
    let rows: Vec<Vec<&str>> = vec![
        vec!["a@example.org", "10"],
        vec!["b@example.org", "10"],
        vec!["d@example.org", "10"],
        vec!["e@example.org", ""],
    ];
    report(&scene, &["Key", "V"], &rows);
    integration(&scene, "Lead", BY_EMAIL, "  Money__c: V", "");
    scene.run(&["plan", "people"]).exits(3).says("FB0617").says("currency:");
    let mut bodies = Vec::new();
    for way in ["lookup", "query"] {
        let more = format!("read: {way}\n{}", guards("max_refused: 100%"));
        integration(&scene, "Lead", BY_EMAIL, "  Money__c: { column: V, currency: EUR }", &more);
        let all = planned(&scene);
        assert_eq!(all.len(), 3, "{all:?}");
        assert_eq!(all[0]["cells"][0]["after"], "10");
        assert_eq!(refused(&all[1]), [("Money__c", "other_currency")]);
        assert_eq!(refused(&all[2]), [("Money__c", "other_currency")], "10 dollars are not 10 euros");
        bodies.push(body(&scene, "people.plan"));
    }
    assert_eq!(bodies[0], bodies[1]);
    scene.run(&["apply", "people.plan", "--yes"]).exits(0);
    assert_eq!(sent(&scene).len(), 1);
    assert_eq!(record(&scene, "Lead", "Email", "b@example.org")["Money__c"].as_f64(), Some(5.0));
    // Another currency is a bad value like any other.
    let more = format!("on_bad_value: fail\n{}", guards("max_refused: 100%"));
    integration(&scene, "Lead", BY_EMAIL, "  Money__c: { column: V, currency: EUR }", &more);
    scene.run(&["apply", "people", "--yes"]).exits(4).says("bad_values").says("2 cells");
}
