//! How many calls a job takes, and plans that stay readable whatever their size.

use footbridge::salesforce::encoded_len;
use serde_json::{Value, json};

use super::*;

/// Leads put in without YAML, which is slow in such numbers.
fn many(count: usize) -> Scene {
    let scene = Scene::seeded(&leads(0, |n| n).replace("    records:\n", ""));
    let records: Vec<Record> = (0..count)
        .map(|n| {
            json!({"LastName": format!("Person {n}"), "Company": "Example", "Email": format!("lead{n:05}@example.org"), "Logins__c": n, "Note__c": "same"})
                .as_object()
                .unwrap()
                .clone()
        })
        .collect();
    scene.org().insert("Lead", &records).unwrap();
    scene
}

fn look_ups(scene: &Scene) -> Vec<String> {
    let calls = scene.org().calls();
    let statements = calls.iter().filter_map(|c| c.query.iter().find(|(name, _)| name == "q"));
    statements.map(|(_, soql)| soql.clone()).filter(|s| s.contains(" IN (")).collect()
}

#[test]
fn writes_come_in_calls_of_200_and_a_second_run_writes_nothing() {
    let scene = many(700);
    integration(&scene, "Lead", BY_EMAIL, LEADS, "");
    for (changed, calls) in [(450, 3), (400, 2), (1, 1), (0, 0), (200, 1), (201, 2)] {
        // Every lead agrees, then so many rows say otherwise.
        let leads = scene.org().records("Lead");
        let number = |n: usize| leads[n]["Logins__c"].as_f64().unwrap() as usize + usize::from(n % 700 < changed);
        on_leads(&scene, 700, number);
        let (before, sent_before) = (scene.write_calls(), scene.org().calls().len());
        scene.run(&["apply", "people", "--yes"]).exits(0).says("Completed");
        assert_eq!(scene.write_calls() - before, calls, "{changed} changed records");
        // Read again before it is sent: one call for up to 2,000.
        let again = scene
            .org()
            .calls()
            .iter()
            .skip(sent_before)
            .filter(|c| c.path.contains("/composite/sobjects/Lead"))
            .count();
        assert_eq!(again, calls.min(1), "{changed}");
        scene.run(&["apply", "people", "--yes"]).exits(0);
        assert_eq!(scene.write_calls() - before, calls, "a second run makes no write call");
    }
}

#[test]
fn only_the_changed_cells_of_each_record_are_sent() {
    let scene = many(300);
    integration(&scene, "Lead", BY_EMAIL, LEADS, "");
    on_leads(&scene, 300, |n| if n % 3 == 0 { n + 1 } else { n });
    scene.run(&["apply", "people", "--yes"]).exits(0);
    let sent = sent(&scene);
    assert_eq!(sent.len(), 100);
    assert!(sent.values().all(|r| r.keys().eq(["Logins__c"])), "Note__c was the same");
    for call in scene.org().calls().iter().filter(|c| c.method == "PATCH") {
        assert_eq!(call.headers.get("sforce-auto-assign").map(String::as_str), Some("FALSE"));
    }
}

#[test]
fn look_ups_fill_each_request_near_the_limit() {
    let scene = many(2_000);
    integration(&scene, "Lead", BY_EMAIL, LEADS, "read: lookup");
    on_leads(&scene, 2_000, |n| n);
    scene.run(&["plan", "people"]).exits(0).says("No changes");
    let all = look_ups(&scene);
    // Several are under way at once, so that they arrive in any order; the one that is not full is the shortest.
    let mut sizes: Vec<usize> = all.iter().map(|s| encoded_len(s)).collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    let (last, full) = sizes.split_last().unwrap();
    assert!(full.iter().all(|size| (14_000..16_384).contains(size)), "{sizes:?}");
    assert!(*last < 16_384);
    let keys: usize = all.iter().map(|s| s.matches("@example.org").count()).sum();
    assert_eq!(keys, 2_000, "each key is asked for once");
    let one = encoded_len("'lead00000@example.org',");
    assert_eq!(all.len(), (2_000 * one).div_ceil(full[0]), "no more calls than needed");
}

#[test]
fn the_cheaper_way_of_reading_is_chosen() {
    // 30 keys of 2,000 leads: one look-up. All of them: one page.
    let scene = many(1_500);
    integration(&scene, "Lead", BY_EMAIL, LEADS, "");
    on_leads(&scene, 30, |n| n);
    scene.run(&["plan", "people"]).exits(0);
    assert_eq!(look_ups(&scene).len(), 1);
    scene.org().clear_calls();
    on_leads(&scene, 1_500, |n| n);
    scene.run(&["plan", "people"]).exits(0);
    let queries = scene.org().calls().iter().filter(|c| c.path.contains("/query")).count();
    let look_ups = look_ups(&scene).len();
    assert!(queries <= 4, "{queries} queries, {look_ups} of them look-ups");
}

#[test]
fn five_thousand_changed_records_stay_readable() {
    let scene = many(5_000);
    let fields = "  Logins__c: { column: Logins, show_values: true }\n  Note__c: { column: Note, show_values: true }";
    // So many go by a job by themselves.
    integration(&scene, "Lead", BY_EMAIL, fields, "write: collections\n");
    on_leads(&scene, 5_000, |n| n + 1);
    scene.run(&["plan", "people", "--out", "people.plan", "--quiet"]).exits(0);
    for full in [&[][..], &["--full"]] {
        let page = scene.run(&[&["show", "people.plan", "--format", "markdown"], full].concat()).exits(0).out;
        assert!(page.chars().count() < 60_000, "{} characters", page.chars().count());
        assert!(page.contains("5,000") && page.contains("not shown"), "the remainder is stated");
    }
    let text = scene.run(&["show", "people.plan"]).exits(0).out;
    assert!(text.lines().count() < 120, "{} lines", text.lines().count());
    assert!(text.contains("4,980") && text.contains("--full"), "the remainder is stated: {text}");
    let full = scene.run(&["show", "people.plan", "--full"]).exits(0).out;
    assert!(full.lines().count() > 5_000);
    let view: Value = serde_json::from_str(&scene.run(&["show", "people.plan", "--format", "json"]).out).unwrap();
    let left = view["records_left_out"].as_u64().unwrap();
    assert_eq!(view["records"].as_array().unwrap().len() as u64 + left, 5_000);
    scene.run(&["apply", "people.plan", "--yes", "--quiet"]).exits(0);
    assert_eq!(scene.write_calls(), 25);
}
