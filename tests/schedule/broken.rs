//! A mistake in the configuration stops what it concerns, and nothing else: logged and told where that can be done, tried as often as every other failure.

use serde_json::json;

use super::hooks::Hook;
use super::*;

const PROJECT: &str = "footbridge: 1\nkind: project\nretries: 1\nnotices: { url: \"${HOOK}\" }\n";

/// Two that the schedule runs, and who hears of them.
fn two() -> (Scene, Hook) {
    let (mut scene, hook) = (scene(), Hook::taking());
    scene.write("integrations/project.yaml", PROJECT);
    scene.set("HOOK", &format!("{}/hook", hook.url()));
    integration(&scene, "guests", "Contact", "Logins__c", "schedule: hourly");
    integration(&scene, "people", "Lead", "Logins__c", "schedule: hourly");
    (scene, hook)
}

fn change(scene: &Scene, file: &str, from: &str, to: &str) {
    let text = scene.read(file);
    assert!(text.contains(from), "{text}");
    scene.write(file, &text.replace(from, to));
}

/// The texts of the notices that came.
fn told(hook: &Hook) -> Vec<String> {
    hook.came().into_iter().map(|came| came.body["text"].as_str().unwrap().to_owned()).collect()
}

fn statuses(scene: &Scene, name: &str) -> Vec<Value> {
    logs_of(scene, name).into_iter().map(|log| log["status"].clone()).collect()
}

#[track_caller]
fn states(scene: &Scene, command: &str, code: i32) -> Vec<(String, String)> {
    let ran = scene.run(&[command, "--json"]).exits(code);
    let view: Value = serde_json::from_str(&ran.out).unwrap();
    let word = |line: &Value, key: &str| line[key].as_str().unwrap().to_owned();
    view["integrations"].as_array().unwrap().iter().map(|l| (word(l, "integration"), word(l, "state"))).collect()
}

fn pair(one: (&str, &str), other: (&str, &str)) -> Vec<(String, String)> {
    [one, other].map(|(name, state)| (name.to_owned(), state.to_owned())).to_vec()
}

#[test]
fn a_file_that_is_no_yaml_fails_its_own_run_and_no_other() {
    let (mut scene, hook) = two();
    apply(&scene).exits(0);
    let good = scene.read("integrations/guests.yaml");
    change(&scene, "integrations/guests.yaml", "fields: {", "fields: {{");

    at(&mut scene, "2026-11-23T10:00:00Z");
    assert_eq!(states(&scene, "due", 3), pair(("guests", "broken"), ("people", "due")));
    let ran = apply(&scene).exits(3).says("FB0101").says("guests.yaml").says("`guests` was not run").says("Completed");
    ran.says("run log: runs/guests/");
    assert_eq!(statuses(&scene, "people"), ["Completed", "Completed"]);
    let log = logs_of(&scene, "guests").pop().unwrap();
    assert_eq!(
        (&log["status"], &log["exit"], &log["trigger"]),
        (&json!("Failed"), &json!("error"), &json!("schedule"))
    );
    assert_eq!((&log["tick"], &log["org_id"]), (&json!("2026-11-23T10:00:00Z"), &json!(scene.org().org_id())));
    assert_eq!((&log["object"], &log["report"]["name"]), (&json!("Contact"), &json!("guests")));
    assert_eq!(
        (&log["problems"][0]["code"], &log["problems"][0]["not_done"]),
        (&json!("FB0101"), &json!("nothing was sent"))
    );
    assert_eq!(told(&hook), ["guests (sandbox): Failed (FB0101)"]);
    assert_eq!(states(&scene, "status", 3), pair(("guests", "broken"), ("people", "ok")));
    let run = format!("guests/{}", log["id"].as_str().unwrap());
    scene.run(&["runs", "show", &run]).exits(0).says("the file is not YAML");

    // As often as it is tried again, and no oftener; the exit code says it as long as it is so.
    for minute in [15, 30, 45] {
        at(&mut scene, &format!("2026-11-23T10:{minute}:00Z"));
        apply(&scene).exits(3).says("FB0101");
    }
    assert_eq!((logs_of(&scene, "guests").len(), told(&hook).len()), (3, 0));
    assert_eq!(statuses(&scene, "people").len(), 2);

    scene.write("integrations/guests.yaml", &good);
    at(&mut scene, "2026-11-23T11:00:00Z");
    apply(&scene).exits(0);
    assert_eq!(told(&hook), ["guests (sandbox) works again"]);
}

#[test]
fn every_mistake_in_an_integrations_own_document_is_its_own() {
    for (from, to, code) in [
        ("object: Contact", "object: Contact\nobjekt: Lead", "FB0103"),
        ("object: Contact", "", "FB01"),
        ("schedule: hourly", "schedule: hourly\n    retires: 1", "FB0103"),
        ("fields: {", "fields: {\t", "FB01"),
        ("kind: integration", "kind: integratoin", "FB01"),
        ("org: acme", "org: acmee", "FB02"),
        ("name: guests, source: exports/guests.csv", "name: guests, source: ../guests.csv", "FB0"),
    ] {
        let (scene, hook) = two();
        change(&scene, "integrations/guests.yaml", from, to);
        // A run by name, and what is there for people, wants the whole right.
        for strict in [&["apply", "people", "--yes"][..], &["plan", "people"], &["validate"]] {
            scene.run(strict).exits(3).says(code);
        }
        assert_eq!(scene.write_calls(), 0, "{to}");
        apply(&scene).exits(3).says(code);
        assert_eq!(statuses(&scene, "people"), ["Completed"], "{to}");
        // Of a run that never was, and an org that is not there, nobody knows whose log it would be.
        let known = usize::from(to != "org: acmee");
        assert_eq!((logs_of(&scene, "guests").len(), told(&hook).len()), (known, known), "{to}");
    }
}

#[test]
fn a_conflict_fails_both_and_a_third_is_run() {
    for (name, object, field) in [("people", "Lead", "Visits__c"), ("others", "Lead", "Logins__c")] {
        let (scene, _hook) = two();
        integration(&scene, "z", object, field, "schedule: hourly");
        change(&scene, "integrations/z.yaml", "name: z\n", &format!("name: {name}\n"));
        apply(&scene).exits(3);
        assert_eq!(statuses(&scene, "guests"), ["Completed"]);
        for name in ["people", name] {
            assert_eq!(statuses(&scene, name), ["Failed"]);
        }
        let leads = scene.org().records("Lead");
        assert!(leads.iter().all(|lead| lead["Logins__c"].as_f64() < Some(3.0)), "{leads:?}");
    }
}

#[test]
fn orgs_that_cannot_be_read_fail_what_runs_there() {
    let (mut scene, hook) = two();
    let own = scene.read("integrations/orgs.yaml").replace("acme:", "other:");
    scene.write("integrations/other.yaml", &own);
    change(&scene, "integrations/guests.yaml", "org: acme", "org: other");
    apply(&scene).exits(0);
    scene.write("integrations/other.yaml", "footbridge: 1\nkind: orgs\nother: {\n");
    at(&mut scene, "2026-11-23T10:00:00Z");
    apply(&scene).exits(3).says("other.yaml").says("`guests` was not run");
    // The org is that of the run before.
    assert_eq!(logs_of(&scene, "guests").pop().unwrap()["org_id"], json!(scene.org().org_id()));
    assert_eq!((statuses(&scene, "people").len(), told(&hook).len()), (2, 1));
}

#[test]
fn a_project_that_is_wrong_fails_all_and_what_it_says_right_is_used() {
    let (mut scene, hook) = two();
    apply(&scene).exits(0);
    scene.write("integrations/project.yaml", &format!("{PROJECT}guards: {{ max_fills: many }}\n"));
    at(&mut scene, "2026-11-23T10:00:00Z");
    let calls = scene.write_calls();
    apply(&scene).exits(3).says("`guests` was not run").says("`people` was not run");
    assert_eq!((scene.write_calls(), statuses(&scene, "people")), (calls, vec![json!("Completed"), json!("Failed")]));
    let said = told(&hook);
    assert!(said.len() == 1 && said[0].contains("guests (sandbox): Failed") && said[0].contains("people"), "{said:?}");

    // Where run logs go, and who is to be told, stands in that file: without it nothing can be left behind.
    at(&mut scene, "2026-11-23T11:00:00Z");
    for text in ["footbridge: 1\nkind: project\nretries: {\n", &format!("{PROJECT}git: {{ branch: 5 }}\n")] {
        scene.write("integrations/project.yaml", text);
        apply(&scene).exits(3).says("no run log is written and no notice sent");
        assert_eq!(states(&scene, "status", 3), pair(("guests", "broken"), ("people", "broken")));
    }
    assert_eq!((scene.write_calls(), statuses(&scene, "people").len(), told(&hook).len()), (calls, 2, 0));
}

#[test]
fn where_the_schedule_cannot_be_read_it_is_taken_for_a_daily_one_of_what_ran_by_it() {
    let (mut scene, _hook) = two();
    change(&scene, "integrations/people.yaml", "schedule: hourly", "guards: {}");
    scene.run(&["apply", "people", "--yes"]).exits(0);
    apply(&scene).exits(0);
    for name in ["guests", "people"] {
        change(&scene, &format!("integrations/{name}.yaml"), "environments:\n", "environments:\n  sandbox: {\n");
    }
    at(&mut scene, "2026-11-24T09:30:00Z");
    for _ in 0..3 {
        apply(&scene).exits(3).says("people.yaml");
    }
    assert_eq!(statuses(&scene, "guests"), ["Completed", "Failed", "Failed"]);
    assert_eq!(logs_of(&scene, "guests")[1]["tick"], "2026-11-24T09:00:00Z");
    assert_eq!(statuses(&scene, "people"), ["Completed"], "nobody ever scheduled it, as far as is known");
}
