//! Careful apply: the canary, the second look, and failures that are known.

use super::*;
use serde_json::json;

/// Leads, and a flow of the org: where `on` is written, it sets what it likes.
fn with_flow(count: usize, flow: &str) -> Scene {
    let seed = leads(count, |n| n + 1).replace("    records:\n", &format!("    flows: [{flow}]\n    records:\n"));
    let scene = Scene::seeded(&seed);
    integration(&scene, "Lead", BY_EMAIL, LEADS, "");
    let mut text = String::from("Key,Logins,Note\n");
    for n in 0..count {
        let note = if n % 3 == 0 { "same" } else { "other" };
        text.push_str(&format!("lead{n:05}@example.org,{},{note}\n", n + 100));
    }
    scene.write("exports/people.csv", &text);
    scene
}

#[test]
fn a_canary_goes_first_and_the_rest_follows_where_it_came_back_as_planned() {
    let scene = Scene::seeded(&leads(30, |n| n));
    integration(&scene, "Lead", BY_EMAIL, LEADS, "");
    on_leads(&scene, 30, |n| n + 100);
    scene.run(&["apply", "people", "--yes", "--canary", "3"]).exits(0).says("30 of 30 records updated");
    let sizes: Vec<usize> = scene
        .org()
        .calls()
        .iter()
        .filter(|c| c.method == "PATCH")
        .map(|c| serde_json::from_str::<Value>(&c.request_body).unwrap()["records"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes, [3, 27]);
    let log = log(&scene, "done");
    assert_eq!((&log["canary"]["records"], &log["canary"]["differ"]), (&json!(3), &json!(0)));
    scene.run(&["plan", "people", "--detailed-exitcode"]).exits(0);
}

#[test]
fn a_flow_that_fights_back_stops_the_run_after_the_canary_and_is_named_by_field() {
    for (flow, words, difference) in [
        ("{ on: Logins__c, set: { Note__c: from-the-flow } }", "Note__c", "changed"),
        ("{ on: Logins__c, set: { Logins__c: null } }", "Logins__c is empty", "emptied"),
        ("{ set: { Logins__c: 424242 } }", "Logins__c holds another value", "changed"),
    ] {
        let scene = with_flow(20, flow);
        let ran =
            scene.run(&["apply", "people", "--yes", "--canary", "4"]).exits(6).says(words).says("16 not attempted");
        ran.never_says("424242").never_says("from-the-flow");
        assert_eq!(sent(&scene).len(), 4, "{flow}");
        let log = log(&scene, "error");
        assert_eq!((&log["records"]["updated"], &log["records"]["not_attempted"]), (&json!(4), &json!(16)));
        let found: Vec<&str> =
            log["canary"]["fields"].as_array().unwrap().iter().map(|f| f["difference"].as_str().unwrap()).collect();
        assert!(found.contains(&difference), "{found:?}");
        let show = log["id"].as_str().unwrap().to_owned();
        scene.run(&["runs", "show", &show]).exits(0).says("anary").never_says("424242");
    }
}

#[test]
fn a_field_that_was_not_written_and_changed_all_the_same_is_seen() {
    // Note__c agrees in every third record, so nothing is written there; the flow changes it.
    let scene = with_flow(20, "{ on: Logins__c, set: { Note__c: other } }");
    scene
        .run(&["apply", "people", "--yes", "--canary", "6"])
        .exits(6)
        .says("Note__c was not to be written and has changed");
}

#[test]
fn a_canary_that_cannot_be_written_stops_the_run() {
    let seed = leads(12, |n| n + 1).replace(
        "    records:\n",
        "    rules: [{ field: Logins__c, must: { at_most: 50 }, message: too many }]\n    records:\n",
    );
    let scene = Scene::seeded(&seed);
    integration(&scene, "Lead", BY_EMAIL, LEADS, "");
    on_leads(&scene, 12, |n| n + 100);
    scene
        .run(&["apply", "people", "--yes", "--canary", "2"])
        .exits(1)
        .says("10 not attempted")
        .says("could not be written");
}

#[test]
fn verify_plans_again_and_fails_where_a_record_would_change_again() {
    let scene = with_flow(12, "{ on: Logins__c, set: { Note__c: from-the-flow } }");
    scene
        .run(&["apply", "people", "--yes", "--verify"])
        .exits(1)
        .says("FB0836")
        .says("Note__c")
        .never_says("from-the-flow");
    let log = logs(&scene).pop().unwrap();
    assert_eq!(
        (&log["status"], &log["verify"]["records"], &log["verify"]["differ"]),
        (&json!("Failed"), &json!(12), &json!(12))
    );
    let calm = Scene::seeded(&leads(5, |n| n));
    integration(&calm, "Lead", BY_EMAIL, LEADS, "");
    on_leads(&calm, 5, |n| n + 100);
    calm.run(&["apply", "people", "--yes", "--verify"]).exits(0).says("5 of 5 records updated");
    assert_eq!(logs(&calm).pop().unwrap()["verify"]["differ"], json!(0));
}

#[test]
fn a_known_failure_is_listed_and_not_sent_until_its_day_is_over() {
    let mut scene = Scene::seeded(&leads(6, |n| n));
    integration(&scene, "Lead", BY_EMAIL, LEADS, "");
    on_leads(&scene, 6, |n| n + 100);
    let ids: Vec<String> = scene.org().records("Lead").iter().map(|r| r["Id"].as_str().unwrap().to_owned()).collect();
    let known = |until: &str, record: &str| {
        format!(
            "footbridge: 1\nkind: known_failures\nfailures:\n  {record}:\n    Logins__c: {{ error: FIELD_CUSTOM_VALIDATION_EXCEPTION, until: \"{until}\", reason: closed account }}\n"
        )
    };
    scene.set("FOOTBRIDGE_NOW", "2026-11-22T09:00:00Z");
    scene.write("integrations/known_failures.yaml", &known("2026-11-22", &ids[2][..15]));
    scene.run(&["apply", "people", "--yes"]).exits(0).says("known_failure").says("5 of 5 records updated");
    assert!(!sent(&scene).contains_key(&ids[2]));
    let log = log(&scene, "done");
    assert_eq!(
        (&log["status"], &log["cells"]["refused"], &log["rows"]["refused"]),
        (&json!("Completed"), &json!(1), &json!(1))
    );
    // The day after, it is sent again, and that is said.
    scene.set("FOOTBRIDGE_NOW", "2026-11-23T09:00:00Z");
    scene.run(&["apply", "people", "--yes"]).exits(0).says("is over since 2026-11-22").says("1 of 1 record updated");
    // One that is mended does nothing any more.
    scene.write("integrations/known_failures.yaml", &known("2027-01-01", &ids[2]));
    scene.run(&["plan", "people"]).exits(0).says("was not met");
    // Twice is once too often; a field that nobody writes is never met.
    scene.write("integrations/more.yaml", &known("2027-01-01", &ids[2]));
    scene.run(&["validate"]).exits(3).says("FB0242");
    scene.write("integrations/more.yaml", &known("2027-01-01", &ids[3]).replace("Logins__c", "Other__c"));
    scene.run(&["validate"]).exits(0).says("FB0243");
}

#[test]
fn verify_fails_for_a_record_that_somebody_changed_meanwhile_and_not_for_those_that_were_left() {
    // Five are planned; the sixth agrees with the report until somebody changes it, after the plan was made.
    let run = |edited: usize, more: &[&str]| {
        let scene = Scene::seeded(&leads(6, |n| if n == 5 { 105 } else { n }));
        integration(&scene, "Lead", BY_EMAIL, LEADS, "");
        on_leads(&scene, 6, |n| n + 100);
        scene.run(&["plan", "people", "--out", "people.plan"]).exits(0);
        let id = |n: usize| {
            let lead = record(&scene, "Lead", "Email", &format!("lead{n:05}@example.org"));
            lead["Id"].as_str().unwrap().to_owned()
        };
        let change: Record = [("Logins__c".to_owned(), json!(4242))].into_iter().collect();
        scene.org().edit("Lead", &id(edited), &change).unwrap();
        scene.write("some.ids", &format!("{}\n{}\n", id(1), id(2)));
        let ran = scene.run(&[&["apply", "people.plan", "--yes", "--verify"], more].concat());
        (ran.never_says("4242"), logs(&scene).pop().unwrap(), scene)
    };
    let looked = |log: &Value| {
        let look = &log["verify"];
        (look["records"].as_u64().unwrap(), look["differ"].as_u64().unwrap(), look["meanwhile"].as_u64().unwrap_or(0))
    };

    let (ran, log, scene) = run(5, &[]);
    ran.exits(1).says("FB0836").says("1 record of which nothing was planned would change now (changed meanwhile)");
    assert_eq!((&log["status"], &log["records"]["updated"], looked(&log)), (&json!("Failed"), &json!(5), (5, 0, 1)));
    let field = json!([{ "field": "Logins__c", "difference": "changed_meanwhile", "records": 1 }]);
    assert_eq!(log["verify"]["fields"], field);
    let shown = scene.run(&["runs", "show", log["id"].as_str().unwrap()]).exits(0);
    shown.says("5 records as planned, 1 more changed meanwhile: Logins__c was changed meanwhile (1)");

    // Beyond the limit nothing is missed; what nobody planned still is.
    let (ran, log, _) = run(5, &["--limit", "2"]);
    ran.exits(6).says("FB0836");
    assert_eq!(looked(&log), (2, 0, 1));
    // Only these were to be looked after.
    let (ran, log, _) = run(5, &["--records", "some.ids"]);
    ran.exits(6).never_says("FB0836");
    assert_eq!(looked(&log), (2, 0, 0));
    // A record that drifted is left, and fails the run in its own right.
    let (ran, log, _) = run(0, &[]);
    ran.exits(6).never_says("FB0836");
    assert_eq!((&log["records"]["drifted"], looked(&log)), (&json!(1), (4, 0, 0)));
}
