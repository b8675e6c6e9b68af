//! A plan file is carried out only where everything still is as it was planned on.

use super::*;

fn scene(length: u32, org: &str) -> Scene {
    Scene::seeded(&format!(
        "org: {{ id: {org} }}\nobjects: {{ Lead: {{ fields: [{{ name: Note__c, type: text, length: {length} }}], records: [{{ LastName: A, Company: C, Email: a@example.org }}] }} }}"
    ))
}

const ORG: &str = "00DEm0000000042";

/// A scene with `people.plan`, which would fill one field.
fn planned_scene() -> Scene {
    let scene = scene(40, ORG);
    report(&scene, &["Key", "V"], &[vec!["a@example.org", "x"]]);
    integration(&scene, "Lead", BY_EMAIL, "  Note__c: V", "");
    assert_eq!(planned(&scene).len(), 1);
    scene
}

#[track_caller]
fn stale(scene: &Scene, code: &str) {
    scene.run(&["apply", "people.plan", "--yes"]).exits(5).says(code).says("nothing was sent").says("plan anew");
    nothing_sent(scene);
    let log = log(scene, "stale");
    assert_eq!((&log["status"], &log["records"]["not_attempted"]), (&"Failed".into(), &1.into()));
}

#[test]
fn a_changed_configuration_makes_a_plan_stale() {
    let scene = planned_scene();
    integration(&scene, "Lead", BY_EMAIL, "  Note__c: { column: V, write: if_empty }", "");
    stale(&scene, "the integration has changed");
    integration(&scene, "Lead", BY_EMAIL, "  Note__c: V", &guards("max_fills: 0"));
    stale(&scene, "the integration has changed");
    // What means the same is the same: comments, quotes, spelled-out defaults.
    integration(&scene, "Lead", BY_EMAIL, "  # a note\n  Note__c: { column: \"V\", write: always }", "read: query");
    scene.run(&["apply", "people.plan", "--yes"]).exits(0);
}

#[test]
fn a_changed_report_makes_a_plan_stale() {
    let scene = planned_scene();
    report(&scene, &["Key", "V"], &[vec!["a@example.org", "y"]]);
    stale(&scene, "the report has changed");
}

#[test]
fn a_changed_field_definition_makes_a_plan_stale() {
    let mut one = planned_scene();
    let other = scene(20, ORG);
    one.set("ORG_TOKEN", &other.org().access_token());
    one.write("integrations/orgs.yaml", &other.read("integrations/orgs.yaml"));
    stale(&one, "definition of a mapped field");
    nothing_sent(&other);
}

#[test]
fn another_org_makes_a_plan_stale_and_an_org_other_than_the_pinned_one_is_never_used() {
    let mut one = planned_scene();
    let other = scene(40, "00DEm0000000043");
    let pinned = one.read("integrations/orgs.yaml").replace(&one.org().url(), &other.org().url());
    one.set("ORG_TOKEN", &other.org().access_token());
    one.write("integrations/orgs.yaml", &pinned);
    one.run(&["apply", "people.plan", "--yes"]).exits(7).says("FB0503");
    one.run(&["plan", "people"]).exits(7).says("FB0503");
    one.write("integrations/orgs.yaml", &other.read("integrations/orgs.yaml"));
    stale(&one, "was made for org");
    nothing_sent(&other);
}

#[test]
fn a_damaged_plan_file_is_not_used() {
    let scene = planned_scene();
    let plan = scene.read("people.plan");
    for damaged in [
        plan.replace("\"after\":\"x\"", "\"after\":\"z\""),
        plan.lines().take(2).map(|l| format!("{l}\n")).collect(),
        plan.replace("footbridge plan/1", "footbridge plan/2"),
        "nonsense\n".to_owned(),
    ] {
        scene.write("people.plan", &damaged);
        scene.run(&["apply", "people.plan", "--yes"]).exits(5);
        scene.run(&["show", "people.plan"]).exits(5);
    }
    nothing_sent(&scene);
}

#[test]
fn a_plan_made_by_a_read_only_user_is_carried_out_by_the_one_that_may_write() {
    let mut scene = Scene::seeded(
        "users: [{ username: admin@emulator.example }, { username: reader@acme.example, objects: { Lead: { read: true, edit: false } }, fields: { Lead.Title: read } }]\nobjects: { Lead: { records: [{ LastName: A, Company: C, Email: a@example.org }] } }",
    );
    let reader = scene.org().session_of("reader@acme.example").unwrap();
    scene.set("READER_TOKEN", &reader);
    scene.reach("sandbox", "{ flow: access_token, token: \"${ORG_TOKEN}\" }\n    plan_auth: { flow: access_token, token: \"${READER_TOKEN}\" }");
    report(&scene, &["Key", "V"], &[vec!["a@example.org", "x"]]);
    integration(&scene, "Lead", BY_EMAIL, "  Title: V", "");
    scene
        .run(&["plan", "people", "--out", "people.plan"])
        .exits(0)
        .says("not checked: Edit on Lead")
        .says("not checked: Edit on Lead.Title");
    nothing_sent(&scene);
    scene.run(&["apply", "people.plan", "--yes"]).exits(0).says("Completed");
    assert_eq!(record(&scene, "Lead", "LastName", "A")["Title"], "x");
    // The same user for both may not.
    scene.set("ORG_TOKEN", &reader);
    scene.run(&["apply", "people", "--yes"]).exits(3).says("FB0611").says("FB0604");
}
