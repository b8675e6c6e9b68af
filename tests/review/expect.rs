//! `apply --expect`: approved means applied.

use super::*;

fn digests(scene: &Scene, file: &str) -> (String, String) {
    let summary = crate::job::summary(scene, file);
    (summary["inputs"].as_str().unwrap().to_owned(), summary["changes"].as_str().unwrap().to_owned())
}

#[test]
fn without_the_file_it_is_all_or_nothing() {
    let scene = scene();
    scene.run(&["plan", "people", "--out", "people.jsonl"]).exits(0);
    let (inputs, changes) = digests(&scene, "people.jsonl");
    let pair = format!("{inputs}/{changes}");
    // The org moves.
    let id = crate::job::record(&scene, "Lead", "Email", "p1@example.org")["Id"].as_str().unwrap().to_owned();
    scene.org().edit("Lead", &id, json!({"WalkMe_A__c": "somebody else's"}).as_object().unwrap()).unwrap();
    let ran = scene.run(&["apply", "people", "--yes", "--expect", &pair]).exits(5);
    ran.says("FB0860").says("the org has moved").says("nothing was sent");
    scene.run(&["apply", "people", "--yes", "--expect", &changes]).exits(5).says("or the org's records have moved");
    // And back; then the report moves.
    scene.org().edit("Lead", &id, json!({"WalkMe_A__c": "old"}).as_object().unwrap()).unwrap();
    let report = scene.read("exports/people.csv");
    scene.write("exports/people.csv", &report.replace("a3", "a4"));
    scene.run(&["apply", "people", "--yes", "--expect", &pair]).exits(5).says("the inputs have moved");
    assert_eq!(scene.write_calls(), 0);
    scene.write("exports/people.csv", &report);
    let short = changes.strip_prefix("sha256:").unwrap()[..12].to_owned();
    scene.run(&["apply", "people", "--yes", "--expect", &short]).exits(0);
    assert_eq!(scene.write_calls(), 1);
}

#[test]
fn with_the_file_records_that_moved_are_left_alone() {
    let scene = scene();
    scene.run(&["plan", "people", "--out", "people.jsonl"]).exits(0);
    let (_, changes) = digests(&scene, "people.jsonl");
    scene
        .run(&["apply", "people.jsonl", "--yes", "--expect", &"0".repeat(64)])
        .exits(5)
        .says("FB0860")
        .says("this file holds other changes");
    let id = crate::job::record(&scene, "Lead", "Email", "p1@example.org")["Id"].as_str().unwrap().to_owned();
    scene.org().edit("Lead", &id, json!({"WalkMe_A__c": "somebody else's"}).as_object().unwrap()).unwrap();
    scene.run(&["apply", "people.jsonl", "--yes", "--expect", &changes]).exits(6).says(&id);
    let now = |email: &str| crate::job::record(&scene, "Lead", "Email", email)["WalkMe_A__c"].clone();
    assert_eq!((now("p1@example.org"), now("p3@example.org")), (json!("somebody else's"), json!("a3")));
}

#[test]
fn it_is_for_one_integration_and_a_real_digest() {
    let scene = scene();
    scene.run(&["apply", "--all", "--yes", "--expect", "0123456789ab"]).exits(3).says("one integration");
    scene.run(&["apply", "people", "--yes", "--expect", "short"]).exits(3).says("hexadecimal digits");
    assert_eq!(scene.write_calls(), 0);
}
