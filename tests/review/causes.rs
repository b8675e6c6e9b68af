//! What would happen anyway, by what is behind it: a new report, an org that moved, or nothing that is known.

use serde_json::Value;

use super::*;
use crate::scene::Ran;

const REVIEW: [&str; 5] = ["plan", "--base", "origin/main", "--format", "markdown"];
const TABLE: &str = "| Anyway | new report data | the org moved | not known |";

fn keys() -> (String, String) {
    use age::secrecy::ExposeSecret as _;
    let identity = age::x25519::Identity::generate();
    (identity.to_string().expose_secret().to_owned(), identity.to_public().to_string())
}

fn keeping(scene: &Scene, values: &str) {
    scene.write("integrations/project.yaml", &format!("footbridge: 1\nkind: project\nvalues: {values}\n"));
}

fn report(scene: &Scene, cells: [&str; 3]) {
    let rows = [1, 2, 3].map(|n| format!("p{n}@example.org,{},b{n}\n", cells[n - 1]));
    scene.write("exports/people.csv", &format!("Key,A,B\n{}", rows.concat()));
}

fn edit(scene: &Scene, lead: usize, value: &str) {
    let id = crate::job::record(scene, "Lead", "Email", &format!("p{lead}@example.org"))["Id"].clone();
    let fields = json!({ "WalkMe_A__c": value });
    scene.org().edit("Lead", id.as_str().unwrap(), fields.as_object().unwrap()).unwrap();
}

#[track_caller]
fn apply(scene: &mut Scene, day: usize, more: &[&str]) -> Ran {
    scene.set("FOOTBRIDGE_NOW", &format!("2026-11-{day:02}T09:00:00Z"));
    scene.run(&[&["apply", "people", "--yes"], more].concat()).exits(0)
}

/// On `main`: values are kept like this. Leads 1 and 3 are written; of lead 2 nothing is, it agrees already.
fn applied(values: &str, more: &[&str]) -> Scene {
    let mut scene = scene();
    keeping(&scene, values);
    git(&scene, &["init", "-q", "-b", "main"]);
    git(&scene, &["config", "user.name", "Someone"]);
    git(&scene, &["config", "user.email", "someone@example.org"]);
    commit(&scene, "Begin");
    git(&scene, &["update-ref", "refs/remotes/origin/main", "HEAD"]);
    apply(&mut scene, 1, more).says("2 of 2 records updated");
    git(&scene, &["checkout", "-q", "-b", "branch"]);
    people(&scene, "  WalkMe_A__c: A\n  WalkMe_B__c: B\n");
    scene
}

/// The report is new for leads 1 and 2, and somebody edited lead 3.
fn moved(scene: &Scene) {
    report(scene, ["a1-new", "a2-new", "a3"]);
    edit(scene, 3, "by-hand");
}

/// The review, in which no value stands.
#[track_caller]
fn review(scene: &Scene) -> String {
    let page = scene.run(&REVIEW).exits(0).out;
    for value in ["-second", "-third", "-new", "by-hand", "`a1`", "`a2`", "`a3`", "`old`"] {
        assert!(!page.contains(value), "{value} in\n{page}");
    }
    // What the base does is told as ever.
    assert!(page.contains("| `WalkMe_A__c` | · | · | · | · | 3 | · | · |"), "{page}");
    page
}

#[track_caller]
fn told(page: &str, row: &str, why: &str) {
    assert!(page.contains(TABLE) && page.contains(&format!("| `WalkMe_A__c` | {row} |\n")), "no `{row}` in\n{page}");
    assert!(page.contains(&format!("Not known whether the report is new or the org moved: {why}.")), "{page}");
}

#[track_caller]
fn untold(page: &str, why: &str) {
    assert!(!page.contains(TABLE), "{page}");
    assert!(page.contains(&format!("Not known whether the report is new or the org moved: {why}")), "{page}");
}

const NO_RUN: &str = "1 cell, not written by a run that is known here";

#[test]
fn kept_values_and_their_digests_tell_a_new_report_from_an_org_that_moved() {
    for after in [true, false] {
        let scene = applied(&format!("{{ keep: local, after: {after} }}"), &[]);
        moved(&scene);
        told(&review(&scene), "1 | 1 | 1", NO_RUN);
        let text = scene.run(&["plan", "--base", "origin/main"]).exits(0);
        text.says("cells that change anyway: 1 new report data, 1 the org moved, 1 not known").says(NO_RUN);
        let json = scene.run(&["plan", "--base", "origin/main", "--format", "json"]).exits(0).out;
        let json: Value = serde_json::from_str(&json).unwrap();
        let planned = &json["items"][0]["effect"]["planned"];
        let split = json!({ "new_report": 1, "org_moved": 1, "not_known": 1 });
        assert_eq!(planned["causes"]["cells"], json!({ "branch": 3, "anyway": 3 }));
        assert_eq!(planned["causes"]["anyway"], split);
        assert_eq!(planned["causes"]["anyway_fields"], json!({ "WalkMe_A__c": split }));
        assert_eq!(planned["not_known"], json!([{ "cells": 1, "why": "not written by a run that is known here" }]));
    }
}

#[test]
fn where_the_values_are_gone_or_were_not_kept_it_says_so() {
    let scene = applied("{ keep: local }", &[]);
    moved(&scene);
    std::fs::remove_dir_all(scene.path(".footbridge/values")).unwrap();
    let elsewhere = "2 cells, written by a run whose values are kept on another machine, or were removed";
    untold(&review(&scene), &format!("{NO_RUN}; {elsewhere}."));
    // The outcomes are gone as well: the run may have written any of them.
    let of_org = std::fs::read_dir(scene.path("runs/people")).unwrap().next().unwrap().unwrap().path();
    std::fs::remove_file(of_org.join("2026/2026-11-01T090000Z.records.jsonl")).unwrap();
    untold(&review(&scene), "3 cells, perhaps written by a run whose log or outcomes cannot be read.");

    let scene = applied("{ keep: none }", &[]);
    moved(&scene);
    untold(&review(&scene), &format!("{NO_RUN}; 2 cells, written by a run that kept no values."));
}

#[test]
fn committed_values_take_the_key() {
    let (secret, public) = keys();
    let (other, _) = keys();
    // In the folder of run logs, and on the branch alone.
    for more in [&[][..], &["--commit"][..]] {
        let mut scene = applied(&format!("{{ keep: committed, recipients: [{public}] }}"), more);
        moved(&scene);
        assert_eq!(scene.path("runs").exists(), more.is_empty());
        let locked = "2 cells, written by a run whose values are encrypted, and the key is not here (`FOOTBRIDGE_KEY`)";
        untold(&review(&scene), &format!("{NO_RUN}; {locked}."));
        scene.set("FOOTBRIDGE_KEY", &other);
        untold(&review(&scene), &format!("{NO_RUN}; {locked}."));
        scene.set("FOOTBRIDGE_KEY", &secret);
        told(&review(&scene), "1 | 1 | 1", NO_RUN);
    }
}

#[test]
fn each_cell_is_held_against_the_last_run_that_wrote_it() {
    let mut scene = applied("{ keep: local }", &[]);
    // The second run writes lead 2 alone, the third lead 1, and keeps nothing of it.
    report(&scene, ["a1", "a2-second", "a3"]);
    people(&scene, "  WalkMe_A__c: A\n");
    apply(&mut scene, 2, &[]).says("1 of 1 record updated");
    report(&scene, ["a1-third", "a2-second", "a3"]);
    apply(&mut scene, 3, &["--no-undo"]).says("1 of 1 record updated");
    people(&scene, "  WalkMe_A__c: A\n  WalkMe_B__c: B\n");
    report(&scene, ["a1-new", "a2-new", "a3-new"]);
    let why = "1 cell, written by a run that kept no values";
    // Leads 2 and 3 hold what the second and the first run wrote; the first does not speak for lead 1.
    told(&review(&scene), "2 | · | 1", why);
    edit(&scene, 2, "a2");
    told(&review(&scene), "1 | 1 | 1", why);
}

#[test]
fn what_an_undo_put_back_is_an_org_that_moved() {
    let mut scene = applied("{ keep: local }", &[]);
    people(&scene, "  WalkMe_A__c: A\n");
    scene.set("FOOTBRIDGE_NOW", "2026-11-02T09:00:00Z");
    scene.run(&["undo", "people", "--yes"]).exits(0).says("2 of 2 records updated");
    people(&scene, "  WalkMe_A__c: A\n  WalkMe_B__c: B\n");
    report(&scene, ["a1", "a2-new", "a3"]);
    told(&review(&scene), "· | 2 | 1", NO_RUN);
}
