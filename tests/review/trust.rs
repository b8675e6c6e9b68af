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
    scene.set("CI_MERGE_REQUEST_IID", "");
    scene.run(&["plan", "people"]).never_says("FB0320");
}
