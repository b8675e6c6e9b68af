//! `plan --base`: which integrations differ, and what comes of it by cause.

use std::process::Command;

use super::*;

const REVIEW: [&str; 5] = ["plan", "--base", "origin/main", "--format", "markdown"];

#[test]
fn a_changed_mapping_is_told_with_its_effect_by_cause() {
    let scene = branched();
    people(&scene, "  WalkMe_A__c: A\n  WalkMe_B__c: { column: B, show_values: true }\n");
    let ran = scene.run(&REVIEW).exits(0);
    let page = &ran.out;
    assert!(page.starts_with("<!-- footbridge review sandbox -->\n"), "{page}");
    for said in [
        "1 integration changed.",
        "`people`: 3 records would change.",
        "field `WalkMe_B__c` added, from column `B`",
        // Field A: two would be overwritten anyway. Field B: three are filled by this branch.
        "| `WalkMe_A__c` | · | · | · | · | 2 | · | · |",
        "| `WalkMe_B__c` | 3 | · | · | · | · | · | · |",
        "+  WalkMe_B__c:",
        "--expect",
        "Records that this branch changes",
        "`b1`",
    ] {
        assert!(page.contains(said), "no `{said}` in\n{page}");
    }
    assert!(!page.contains("p1@example.org") && !page.contains("`a1`"), "{page}");
    assert_eq!(scene.write_calls(), 0);
    // For a person: the same in words, with what a plan shows.
    scene
        .run(&["plan", "--base", "origin/main"])
        .exits(0)
        .says("because of this branch: 3 records, 3 cells; anyway: 0 records, 2 cells");
    let json = scene.run(&["plan", "--base", "origin/main", "--format", "json"]).exits(0).out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["items"][0]["effect"]["planned"]["causes"]["cells"], json!({"branch": 3, "anyway": 2}));
    scene.run(&["plan", "--base", "origin/main", "--detailed-exitcode"]).exits(2);
}

#[test]
fn what_means_the_same_is_no_change() {
    let scene = branched();
    std::fs::remove_file(scene.path("integrations/people.yaml")).unwrap();
    let text = people_text("  # the same\n  WalkMe_A__c: { column: 'A', when_blank: keep }\n");
    scene.write("integrations/deep/renamed.yml", &format!("# moved\n{text}read: auto\n"));
    let before = calls(&scene);
    let page = scene.run(&REVIEW).exits(0).says("No integration means anything else than before").out;
    assert!(page.contains("<!-- footbridge nothing changes -->") && page.contains("1 unchanged."), "{page}");
    assert_eq!(calls(&scene), before, "nothing is planned");
}

#[test]
fn a_column_exchanged_takes_the_bases_changes_away() {
    let scene = branched();
    people(&scene, "  WalkMe_A__c: B\n");
    let page = scene.run(&REVIEW).exits(0).out;
    assert!(page.contains("is filled from `B` instead of `A`"), "{page}");
    // The base would overwrite two; this branch overwrites three, with other values.
    assert!(page.contains("| `WalkMe_A__c` | · | 3 | · | · | · | · | 2 |"), "{page}");
}

#[test]
fn new_and_removed_integrations_and_one_that_cannot_be_planned() {
    let scene = branched();
    std::fs::remove_file(scene.path("integrations/people.yaml")).unwrap();
    scene.write("integrations/new.yaml", &people_text("  WalkMe_C__c: B\n").replace("name: people", "name: new-one"));
    scene.write(
        "integrations/wrong.yaml",
        &people_text("  WalkMe_Absent__c: A\n").replace("name: people", "name: wrong-one"),
    );
    let page = scene.run(&REVIEW).exits(3).out;
    for said in [
        "`new-one` (new): 3 records would change",
        "`people`: removed",
        "`wrong-one` (new): could not be planned",
        "FB0602",
        "⛔ 1 could not be planned",
    ] {
        assert!(page.contains(said), "no `{said}` in\n{page}");
    }
}

#[test]
fn errors_of_the_configuration_are_in_the_comment_and_on_their_lines() {
    let mut scene = branched();
    people(&scene, "  WalkMe_A__c: A\n  WalkMe_A__c: B\n");
    scene.set("GITHUB_ACTIONS", "true");
    let ran = scene.run(&REVIEW).exits(3);
    assert!(
        ran.out.contains("The configuration has errors") && ran.out.contains("integrations/people.yaml:10"),
        "{}",
        ran.out
    );
    assert!(ran.err.lines().any(|l| l.starts_with("::error file=integrations/people.yaml,line=10,")), "{}", ran.err);
    // The same by validate, and elsewhere where it is asked for.
    let ran = scene.run(&["validate"]).exits(3);
    assert!(ran.err.lines().any(|l| l.starts_with("::error file=integrations/people.yaml,line=10,")), "{}", ran.err);
    scene.set("GITHUB_ACTIONS", "");
    let ran = scene.run(&["validate"]).exits(3).never_says("::error");
    drop(ran);
    scene.run(&["validate", "--format", "github"]).exits(3).says("::error file=integrations/people.yaml,line=10,");
}

#[test]
fn a_history_that_is_too_short_says_what_to_fetch() {
    let scene = branched();
    scene
        .run(&["plan", "--base", "origin/nowhere"])
        .exits(3)
        .says("FB0940")
        .says("git fetch --no-tags origin +refs/heads/nowhere:refs/remotes/origin/nowhere");
    scene.run(&["plan", "--base=--upload-pack=evil"]).exits(3).says("FB0940");
    commit(&scene, "On the branch");
    // A clone of the last commit alone, with another tip of main that has nothing in common.
    let url = format!("file://{}", scene.root().display());
    let shallow = scene.path("home/shallow");
    let cloned = Command::new("git")
        .args(["clone", "-q", "--depth", "1", "--no-single-branch", "-b", "branch", &url])
        .arg(&shallow)
        .output()
        .unwrap();
    assert!(cloned.status.success());
    let root = shallow.display().to_string();
    people(&scene, "  WalkMe_A__c: B\n");
    commit(&scene, "Go on");
    scene
        .run(&["plan", "--base", "origin/main", "--root", &root])
        .exits(3)
        .says("shallow clone")
        .says("git fetch --unshallow origin")
        .says("fetch-depth: 0");
}

#[test]
fn names_and_labels_leave_the_rest_counted_as_what_it_is() {
    let scene = branched();
    let another = |name: &str, label: &str, field: &str| {
        let text = people_text(&format!("  {field}: A\n")).replace("name: people", &format!("name: {name}"));
        scene.write(&format!("integrations/{name}.yaml"), &format!("{text}labels: [{label}]\n"));
    };
    another("gone", "mine", "WalkMe_B__c");
    another("stays", "mine", "WalkMe_C__c");
    commit(&scene, "Two more");
    git(&scene, &["update-ref", "refs/remotes/origin/main", "HEAD"]);
    std::fs::remove_file(scene.path("integrations/gone.yaml")).unwrap();
    people(&scene, "  WalkMe_A__c: B\n");
    let review = |more: &[&str]| {
        let page = scene.run(&[&REVIEW, more].concat()).exits(0).out;
        assert!(page.contains("1 unchanged."), "{more:?}: {page}");
        page
    };
    let all = review(&[]);
    assert!(all.contains("2 integrations changed.") && !all.contains("Changed as well"), "{all}");
    // What is gone had the label; what was not asked for is named, and counts for nothing else.
    let mine = review(&["--label", "mine"]);
    assert!(mine.contains("`gone`: removed") && mine.contains("Changed as well, and not asked for: people."), "{mine}");
    let none = review(&["stays"]);
    assert!(none.contains("not asked for: gone, people."), "{none}");
}

#[test]
fn a_known_failure_that_is_added_is_a_change() {
    let scene = branched();
    let id = crate::job::record(&scene, "Lead", "Email", "p1@example.org")["Id"].as_str().unwrap().to_owned();
    let text = format!(
        "footbridge: 1\nkind: known_failures\nfailures:\n  {id}:\n    WalkMe_A__c: {{ error: DUPLICATE_VALUE, until: \"2999-12-31\", reason: Two of them }}\n"
    );
    scene.write("integrations/known.yaml", &text);
    let page = scene.run(&REVIEW).exits(0).out;
    assert!(page.contains("1 integration changed.") && page.contains(&id) && page.contains("Two of them"), "{page}");
    // What the base would do to that record, this branch does not.
    assert!(page.contains("| `WalkMe_A__c` |"), "{page}");
}

#[test]
fn plan_files_go_into_a_folder() {
    let scene = branched();
    people(&scene, "  WalkMe_A__c: A\n  WalkMe_B__c: B\n");
    scene.run(&["plan", "--base", "origin/main", "--out", "plans"]).exits(0);
    scene.run(&["show", "plans/people.jsonl"]).exits(0).says("3 records would change");
}

#[test]
fn very_many_integrations_and_changes_stay_below_the_limit() {
    let scene = branched();
    let fields: String = (0..30).map(|n| format!("  WalkMe_New{n:02}__c: A\n")).collect();
    for n in 0..150 {
        let text = people_text(&fields)
            .replace("name: people", &format!("name: many-{n:03}"))
            .replace("sandbox: {}", "production: {}");
        scene.write(
            &format!("integrations/many-{n:03}.yaml"),
            &text.replace("sandbox_first", "sandbox_first, walkme_prefix"),
        );
    }
    let orgs = scene.read("integrations/orgs.yaml");
    let production = "  production:\n    domain: acme.my.salesforce.com\n    org_id: 00D000000000002EAA\n    auth: { flow: access_token, token: \"${OTHER}\" }\n";
    scene.write("integrations/orgs.yaml", &format!("{orgs}{production}"));
    // The same fields of the same object, over and over: an error each, and many.
    let page = scene.run(&REVIEW).out;
    assert!(page.len() < 60_000, "{}", page.len());
    assert!(page.contains("not shown"), "{page}");
    let shared: String = fields.replace("WalkMe_New", "WalkMe_N");
    for n in 0..150 {
        let name = format!("many-{n:03}");
        let text = people_text(&shared)
            .replace("name: people", &format!("name: {name}"))
            .replace("sandbox: {}", "production: {}");
        scene.write(&format!("integrations/{name}.yaml"), &format!("{text}where: Company = '{n}'\nshared: true\n"));
    }
    let page = scene.run(&REVIEW).exits(0).out;
    assert!(page.len() < 60_000, "{}", page.len());
    assert!(page.contains("150 integrations changed.") && page.contains("not shown"), "{page}");
}
