//! On a pull request a branch reaches only what its base names.

use footbridge::emulator;

use super::*;

const REVIEW: [&str; 5] = ["plan", "--base", "origin/main", "--format", "markdown"];

#[test]
fn a_branch_that_changes_where_calls_go_is_not_planned() {
    let mut scene = branched();
    let other = Scene::with(emulator::Options::default());
    pull_request(&mut scene, false);
    let orgs = scene.read("integrations/orgs.yaml");
    let (own, evil) = (scene.org().url(), other.org().url());
    for changed in [
        orgs.replace(&own, &evil),
        orgs.replace("${ORG_TOKEN}", "${OTHER_TOKEN}"),
        orgs.replace("auth:", "login_url: http://127.0.0.1:9\n    auth:"),
    ] {
        assert_ne!(changed, orgs);
        scene.write("integrations/orgs.yaml", &changed);
        let before = calls(&scene);
        let page = scene.run(&REVIEW).exits(0).out;
        assert!(page.contains("`people`: not planned: needs a trusted run"), "{page}");
        assert!(page.contains("the branch changes `acme` (sandbox)"), "{page}");
        scene.run(&["plan", "people"]).exits(7).says("FB0320").says("nothing was read from Salesforce");
        scene.run(&["validate", "--online"]).exits(7).says("FB0320");
        scene.run(&["apply", "people", "--yes"]).exits(7).says("FB0320");
        assert_eq!((calls(&scene), other.org().calls().len()), (before, 0));
        // At home, where nobody said whom to trust, the worktree counts; with the flag it is as on a pull request.
        scene.set("GITHUB_EVENT_NAME", "push");
        scene.run(&["plan", "people", "--trusted-from", "origin/main"]).exits(7).says("FB0320");
        scene.set("GITHUB_EVENT_NAME", "pull_request");
    }
    assert_eq!(other.org().calls().len(), 0);
    // What does not reach further is planned, with the base's orgs.
    scene.write("integrations/orgs.yaml", &orgs);
    people(&scene, "  WalkMe_A__c: A\n  WalkMe_B__c: B\n");
    let page = scene.run(&REVIEW).exits(0).out;
    assert!(page.contains("`people`: 3 records would change."), "{page}");
}

#[test]
fn a_branch_that_is_behind_uses_the_orgs_of_its_base() {
    let mut scene = branched();
    people(&scene, "  WalkMe_A__c: A\n  WalkMe_B__c: B\n");
    commit(&scene, "Map another field");
    // Main renames the variable in the meantime; the branch knows nothing of it.
    git(&scene, &["checkout", "-q", "main"]);
    let orgs = scene.read("integrations/orgs.yaml");
    scene.write("integrations/orgs.yaml", &orgs.replace("ORG_TOKEN", "RENAMED_TOKEN"));
    commit(&scene, "Rename the variable");
    git(&scene, &["update-ref", "refs/remotes/origin/main", "HEAD"]);
    git(&scene, &["checkout", "-q", "branch"]);
    pull_request(&mut scene, false);
    let token = scene.org().access_token();
    scene.set("ORG_TOKEN", "stale");
    scene.set("RENAMED_TOKEN", &token);
    let page = scene.run(&REVIEW).exits(0).out;
    assert!(page.contains("`people`: 3 records would change."), "{page}");
}

#[test]
fn a_fork_without_secrets_is_told_and_is_no_failure() {
    let mut scene = branched();
    people(&scene, "  WalkMe_A__c: A\n  WalkMe_B__c: B\n");
    pull_request(&mut scene, true);
    scene.set("ORG_TOKEN", "");
    let before = calls(&scene);
    let page = scene.run(&REVIEW).exits(0).out;
    assert!(page.contains("needs a trusted run") && page.contains("ORG&#95;TOKEN is not set here"), "{page}");
    assert_eq!(calls(&scene), before);
}

#[test]
fn a_source_or_header_that_the_base_does_not_name_is_not_read() {
    let mut scene = branched();
    pull_request(&mut scene, false);
    let url = "{ url: \"https://reports.example.com/people.csv\", headers: { Authorization: \"${ORG_TOKEN}\" } }";
    scene.write("integrations/people.yaml", &people_text("  WalkMe_A__c: A\n").replace("exports/people.csv", url));
    let before = calls(&scene);
    let page = scene.run(&REVIEW).exits(0).out;
    assert!(page.contains("from an address, or with headers, that the base does not name"), "{page}");
    assert_eq!(calls(&scene), before);
}

#[test]
fn a_branch_cannot_make_values_visible() {
    let mut scene = branched();
    people(&scene, "  WalkMe_A__c: { column: A, show_values: true }\n");
    let seen = scene.run(&REVIEW).exits(0).out;
    assert!(seen.contains("show&#95;values set to true"), "{seen}");
    pull_request(&mut scene, false);
    people(&scene, "  WalkMe_A__c: { column: B, show_values: true }\n");
    let page = scene.run(&REVIEW).exits(0).out;
    assert!(!page.contains("`b1`") && !page.contains("`old`"), "{page}");
    assert!(page.contains("Values of `WalkMe_A__c` are shown once the base says"), "{page}");
}

/// The state that is checked out becomes the base.
fn merged(scene: &Scene) {
    commit(scene, "Merge");
    git(scene, &["update-ref", "refs/remotes/origin/main", "HEAD"]);
}

#[test]
fn a_tag_does_not_take_the_place_of_the_base() {
    let mut scene = branched();
    let orgs = scene.read("integrations/orgs.yaml");
    scene.write("integrations/orgs.yaml", &orgs.replace("${ORG_TOKEN}", "${OTHER_TOKEN}"));
    commit(&scene, "Log in with another secret");
    git(&scene, &["tag", "origin/main"]);
    pull_request(&mut scene, false);
    let before = calls(&scene);
    scene.run(&["plan", "people"]).exits(7).says("FB0320").says("the branch changes `acme` (sandbox): auth");
    // By the short name, too, and by the whole one, as the workflow has it.
    for base in ["origin/main", "refs/remotes/origin/main"] {
        let review = ["plan", "--base", base, "--format", "markdown"];
        scene.run(&review).exits(0).says("`people`: not planned: needs a trusted run");
    }
    scene.set("GITHUB_EVENT_NAME", "push");
    scene.run(&["plan", "people", "--trusted-from", "origin/main"]).exits(7).says("FB0320");
    assert_eq!(calls(&scene), before);
    // Without the branch of the remote the tag is no base either, and what is missing has the name that people know.
    scene.set("GITHUB_EVENT_NAME", "pull_request");
    git(&scene, &["update-ref", "-d", "refs/remotes/origin/main"]);
    let ran = scene.run(&["plan", "people"]).exits(3).says("git knows no commit `origin/main` here");
    ran.says("git fetch --no-tags origin +refs/heads/main:refs/remotes/origin/main");
}

#[test]
fn values_are_shown_only_as_the_base_shows_them() {
    let mut scene = branched();
    let shown = "  WalkMe_A__c: { column: A, show_values: true }\n";
    // Only this branch writes over values, so each is in the sample.
    people(&scene, &shown.replace("column: A,", "column: A, write: if_empty,"));
    scene.write("exports/other.csv", "Key,A,B\np1@example.org,secret1,secret1\n");
    merged(&scene);
    pull_request(&mut scene, false);
    people(&scene, shown);
    let page = scene.run(&REVIEW).exits(0).out;
    assert!(page.contains("`a1`") && page.contains("`old`"), "{page}");

    let text = people_text(shown);
    let lead = text.replace("object: Lead", "object: Contact");
    let source = text.replace("exports/people.csv", "exports/other.csv");
    let own = text.replace("sandbox: {}", "sandbox: { source: exports/other.csv }");
    let lines = text
        .replace("source: exports/people.csv", "source: { path: exports/people.csv, header: true, encoding: utf-8 }");
    let column = people_text(&shown.replace("column: A", "column: B"));
    let field = people_text(&shown.replace("WalkMe_A__c", "WalkMe_C__c"));
    for other in [lead, source, own, lines, column, field] {
        assert_ne!(other, text);
        scene.write("integrations/people.yaml", &other);
        let ran = scene.run(&REVIEW);
        for value in ["`a1`", "`b1`", "`old`", "secret1"] {
            assert!(!ran.out.contains(value), "{value} of\n{other}\n{}", ran.out);
        }
        if ran.code == 0 {
            assert!(ran.out.contains("are shown once the base says"), "{}", ran.out);
        }
    }
}

#[test]
fn the_folder_that_is_used_is_looked_at_and_not_the_one_that_the_branch_names() {
    let mut scene = branched();
    scene.write("integrations/project.yaml", "footbridge: 1\nkind: project\nruns: elsewhere\n");
    let outside = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(outside.path(), scene.path("runs")).unwrap();
    scene.run(&["plan", "people"]).exits(0);
    pull_request(&mut scene, false);
    let before = calls(&scene);
    scene.run(&["plan", "people"]).exits(3).says("FB0921").says("`runs`");
    assert_eq!(calls(&scene), before);
}

#[test]
fn a_pull_request_is_planned_and_never_applied() {
    let mut scene = branched();
    scene.run(&["plan", "people", "--out", "people.jsonl"]).exits(0);
    pull_request(&mut scene, false);
    scene.run(&["plan", "people"]).exits(0);
    let before = calls(&scene);
    let commands: [&[&str]; 10] = [
        &["apply", "people", "--yes"],
        &["apply", "--all", "--yes"],
        &["apply", "--due", "--yes"],
        &["apply", "--resume"],
        &["apply", "people.jsonl", "--yes"],
        &["undo", "people", "--yes"],
        &["unlock", "2026-11-21T090003Z", "--force"],
        &["orgs", "probe", "acme", "--record", "00Q000000000001"],
        &["orgs", "probe", "acme", "--restore"],
        &["runs", "prune", "--keep", "1d", "--push"],
    ];
    for command in commands {
        scene.run(command).exits(7).says("FB0320").says("a pull request is planned, not applied");
    }
    assert_eq!(calls(&scene), before);
    scene.set("GITHUB_EVENT_NAME", "push");
    scene.run(&["apply", "people", "--yes"]).exits(0);
    // A repository of its own is none: whatever CI tries the demo out.
    pull_request(&mut scene, false);
    scene.run(&["demo", "home/demo", "--port", "0"]).exits(0);
}

#[test]
fn commands_that_reach_no_org_read_no_variable_for_a_branch() {
    let mut scene = branched();
    let orgs = scene.read("integrations/orgs.yaml");
    scene.write("integrations/orgs.yaml", &orgs.replace("${ORG_TOKEN}", "${OTHER_TOKEN}"));
    let offline: [&[&str]; 4] = [&["validate"], &["due"], &["status"], &["request", "people"]];
    scene.run(&["validate"]).exits(0).says("not set here: OTHER_TOKEN");
    pull_request(&mut scene, false);
    for command in offline {
        scene.run(command).exits(0).never_says("OTHER_TOKEN");
    }
}

#[test]
fn gitlabs_variables_say_the_same() {
    let mut scene = branched();
    for (name, value) in [
        ("CI", "true"),
        ("GITLAB_CI", "true"),
        ("CI_MERGE_REQUEST_IID", "3"),
        ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
    ] {
        scene.set(name, value);
    }
    let orgs = scene.read("integrations/orgs.yaml");
    scene.write("integrations/orgs.yaml", &orgs.replace("ORG_TOKEN", "HOME"));
    scene.run(&["plan", "people"]).exits(7).says("FB0320");
    commit(&scene, "Another secret");
    git(&scene, &["tag", "origin/main"]);
    scene.run(&["plan", "people"]).exits(7).says("FB0320");
    scene.run(&["apply", "people", "--yes"]).exits(7).says("a pull request is planned, not applied");
    scene.set("CI_MERGE_REQUEST_IID", "");
    scene.run(&["plan", "people"]).never_says("FB0320");
}
