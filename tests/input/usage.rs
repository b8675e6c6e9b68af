//! Commands used wrongly, and repositories that are not there.

use super::{Asks, INTEGRATION, golden, good, tells};

#[test]
fn an_unknown_integration_is_told_with_the_nearest_name() {
    let scene = good();
    tells("usage-integration-near", &scene, &["plan", "login-to-leads"], 3, Asks::Nothing);
    tells("usage-integration-far", &scene, &["plan", "nps"], 3, Asks::Nothing);
    // Every name is looked up before the first is applied.
    tells("usage-integration-second", &scene, &["apply", "logins-to-leads", "nps", "--yes"], 3, Asks::Nothing);
}

#[test]
fn an_unknown_environment_is_told() {
    let scene = good();
    tells("usage-environment-unknown", &scene, &["plan", "logins-to-leads", "--env", "prod"], 3, Asks::Nothing);
    tells(
        "usage-environment-not-there",
        &scene,
        &["apply", "logins-to-leads", "--env", "production"],
        3,
        Asks::Nothing,
    );
    scene.write(
        "integrations/second.yaml",
        &INTEGRATION
            .replace("logins-to-leads", "cities")
            .replace("WalkMe_", "WalkMe_2_")
            .replace("  sandbox: {}", "  sandbox: {}\n  production: {}"),
    );
    tells("usage-environment-not-connected", &scene, &["plan"], 3, Asks::Nothing);
}

#[test]
fn a_bare_apply_is_a_usage_error() {
    tells("usage-bare-apply", &good(), &["apply"], 3, Asks::Nothing);
}

#[test]
fn an_apply_that_nobody_confirms_writes_nothing() {
    let scene = good();
    scene.run(&["apply", "logins-to-leads"]).exits(3).says("nobody to ask").says("--yes");
    assert_eq!(scene.write_calls(), 0);
}

#[test]
fn an_unknown_guard_is_told_with_the_guards() {
    tells("usage-guard-unknown", &good(), &["apply", "logins-to-leads", "--waive", "max_clear"], 3, Asks::Nothing);
}

#[test]
fn an_unknown_command_is_told() {
    tells("usage-command-unknown", &good(), &["aply", "logins-to-leads"], 3, Asks::Nothing);
}

#[test]
fn a_folder_without_a_repository_is_told() {
    let scene = good();
    std::fs::create_dir(scene.path("elsewhere")).unwrap();
    for (name, arguments) in [
        ("usage-no-repository", ["plan", "--root", "elsewhere"]),
        ("usage-no-repository-apply", ["apply", "--all", "--root=elsewhere"]),
        ("usage-no-repository-validate", ["validate", "--root", "elsewhere"]),
    ] {
        let arguments: Vec<&str> = arguments.to_vec();
        tells(name, &scene, &arguments, 3, Asks::Nothing);
    }
    std::fs::create_dir_all(scene.path("empty/integrations")).unwrap();
    tells("usage-empty-repository", &scene, &["plan", "--root", "empty"], 3, Asks::Nothing);
}

#[test]
fn explain_knows_every_code_and_tells_the_nearest() {
    let scene = good();
    tells("usage-explain", &scene, &["explain", "FB0103"], 0, Asks::Nothing);
    tells("usage-explain-unknown", &scene, &["explain", "FB0199"], 3, Asks::Nothing);
    tells("usage-explain-nonsense", &scene, &["explain", "match"], 3, Asks::Nothing);
    let list = scene.run(&["explain"]).exits(0);
    let codes: Vec<&str> = list.out.lines().filter_map(|l| l.split_whitespace().next()).collect();
    assert!(codes.len() > 100, "{}", codes.len());
    for code in codes {
        scene.run(&["explain", code]).exits(0).says(code);
    }
}

#[test]
fn stale_schemas_are_told_by_name_and_fresh_ones_pass() {
    let scene = good();
    tells("usage-schemas-absent", &scene, &["schema", "--check"], 3, Asks::Nothing);
    scene.run(&["schema", "--write"]).exits(0);
    scene.run(&["schema", "--check"]).exits(0);
    let text = scene.read("schemas/integration.schema.json");
    scene.write("schemas/integration.schema.json", &text.replacen("Footbridge", "Bridge", 1));
    tells("usage-schemas-stale", &scene, &["schema", "--check"], 3, Asks::Nothing);
}

#[test]
fn a_new_repository_validates_and_init_never_overwrites() {
    let scene = good();
    let arguments = ["init", "acme-footbridge"];
    golden("usage-init", &scene, &arguments, scene.run(&arguments).exits(0));
    let inside = ["validate", "--root", "acme-footbridge"];
    golden("usage-init-validate", &scene, &inside, scene.run(&inside).exits(0));
    let planned = ["plan", "logins-to-leads", "--root", "acme-footbridge"];
    golden("usage-init-plan", &scene, &planned, scene.run(&planned).exits(7));
    scene.run(&["schema", "--check", "--root", "acme-footbridge"]).exits(0);
    for name in [
        "integrations/orgs.yaml",
        "integrations/logins-to-leads.yaml",
        "integrations/project.yaml",
        ".gitignore",
        ".vscode/settings.json",
    ] {
        scene.write(&format!("acme-footbridge/{name}"), "# mine\n");
    }
    golden("usage-init-again", &scene, &arguments, scene.run(&arguments).exits(0));
    for name in [
        "integrations/orgs.yaml",
        "integrations/logins-to-leads.yaml",
        "integrations/project.yaml",
        ".gitignore",
        ".vscode/settings.json",
    ] {
        assert_eq!(scene.read(&format!("acme-footbridge/{name}")), "# mine\n", "{name}");
    }
}

#[test]
fn unset_variables_are_told_by_name() {
    let mut scene = good();
    scene.reach("sandbox", "{ flow: access_token, token: \"${ACME_TOKEN_OF_CI}\" }");
    scene.set("ORG_TOKEN", "");
    tells("usage-variable-unset", &scene, &["plan", "logins-to-leads"], 3, Asks::Nothing);
    tells("usage-variable-unset-validate", &scene, &["validate"], 0, Asks::Nothing);
}

#[test]
fn a_plan_file_that_is_none_is_told() {
    let scene = good();
    tells("usage-show-missing", &scene, &["show", "day.plan"], 3, Asks::Nothing);
    scene.write("day.plan", "User ID,City\n");
    tells("usage-show-not-a-plan", &scene, &["show", "day.plan"], 5, Asks::Nothing);
    tells("usage-apply-not-a-plan", &scene, &["apply", "day.plan", "--yes"], 5, Asks::Nothing);
}

#[test]
fn labels_choose_integrations() {
    let scene = good();
    let second =
        INTEGRATION.replace("logins-to-leads", "cities").replace("WalkMe_First_Login__c", "WalkMe_Last_Login__c");
    scene.write(
        "integrations/second.yaml",
        &format!("{}labels: [weekly]\n", second.replace("  WalkMe_City__c: City\n", "")),
    );
    scene.run(&["plan", "--label", "weekly"]).exits(0).says("cities:").never_says("logins-to-leads:");
    scene.run(&["apply", "--all", "--label", "weekly", "--env", "sandbox", "--yes"]).exits(0);
    assert!(scene.org().records("Lead")[0]["WalkMe_City__c"].is_null());
    assert!(!scene.org().records("Lead")[0]["WalkMe_Last_Login__c"].is_null());
    tells("usage-label-unknown", &scene, &["plan", "--label", "daily"], 3, Asks::Nothing);
}

#[test]
fn a_run_ends_after_the_time_that_the_project_gives_it() {
    let scene = good();
    scene.write("integrations/project.yaml", "footbridge: 1\nkind: project\ntime_outs: { run: 1s }\n");
    scene.org().faults("- on: { method: PATCH }\n  action: { delay: 30000 }\n").unwrap();
    let ran = scene.run(&super::APPLY);
    assert_ne!(ran.code, 0, "{}", ran.err);
    scene.run(&["runs", "show", "2026-11-21T090000Z"]).exits(0).says("Failed");
}

#[test]
fn the_request_to_the_admin_states_goal_fields_and_rights() {
    let scene = good();
    let arguments = ["request", "logins-to-leads"];
    tells("request-plain", &scene, &arguments, 0, Asks::Nothing);
    super::change(&scene, "org: acme", "goal: Find the leads that are likely to convert\norg: acme");
    super::change(
        &scene,
        "  source: exports/logins-review.csv",
        "  source: exports/logins-review.csv\n  columns:\n    First Login: { type: datetime }\n    City: { type: text }",
    );
    super::change(&scene, "  WalkMe_City__c: City", "  WalkMe_City__c: City\n  Title: Role");
    tells("request-declared", &scene, &arguments, 0, Asks::Nothing).never_says("ada@example.org");
    scene.run(&["request", "nps"]).exits(3);
    let json: serde_json::Value =
        serde_json::from_str(&scene.run(&["request", "logins-to-leads", "--json"]).exits(0).out).unwrap();
    assert!(json["body"].as_str().unwrap().contains("WalkMe_First_Login__c"));
}

#[test]
fn an_unknown_run_is_told() {
    tells("usage-run-unknown", &good(), &["runs", "show", "2026-01-01T000000Z"], 3, Asks::Nothing);
}

#[test]
fn bad_configuration_stops_every_command_that_needs_it() {
    let scene = good();
    scene.write("integrations/logins-to-leads.yaml", &INTEGRATION.replace("object: Lead", "objcet: Lead"));
    for (name, arguments) in [
        ("usage-bad-configuration-plan", ["plan", "logins-to-leads"]),
        ("usage-bad-configuration-apply", ["apply", "--all"]),
    ] {
        tells(name, &scene, &arguments, 3, Asks::Nothing);
    }
}
