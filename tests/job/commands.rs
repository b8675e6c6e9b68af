//! The commands around a plan: selection, plan files, forms of output, several integrations, runs.

use serde_json::{Value, json};

use super::*;

/// 6 leads, of which all but the last would change.
fn six() -> Scene {
    let scene = Scene::seeded(&leads(6, |n| n));
    integration(&scene, "Lead", BY_EMAIL, LEADS, "");
    on_leads(&scene, 6, |n| if n == 5 { n } else { n + 100 });
    scene
}

fn ids(scene: &Scene) -> Vec<String> {
    scene.org().records("Lead").iter().map(|r| r["Id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_plan_only_reads() {
    let scene = six();
    scene.run(&["plan", "people", "--out", "people.plan"]).exits(0);
    scene.run(&["plan"]).exits(0);
    scene.run(&["validate", "--online"]).exits(0);
    for call in scene.org().calls() {
        assert!(call.method == "GET" || call.path.starts_with("/services/oauth2/"), "{} {}", call.method, call.path);
    }
    assert!(logs(&scene).is_empty(), "a plan is no run");
}

#[test]
#[cfg(target_os = "linux")]
fn words_that_a_full_disk_swallows_are_no_success() {
    let scene = six();
    let commands: [&[&str]; 5] = [
        &["plan", "people"],
        &["plan", "people", "--json"],
        &["plan", "people", "--format", "markdown"],
        &["apply", "people", "--yes"],
        &["runs", "--json"],
    ];
    for arguments in commands {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let ended = scene.command(arguments).stdout(full).output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains("FB0906") && said.contains("not whole"), "{arguments:?}: {said}");
    }
    // What the apply did is done and logged all the same.
    scene.run(&["plan", "people"]).exits(0).says("No changes");
    assert_eq!(logs(&scene).len(), 1);
}

#[test]
fn limit_stops_after_so_many_and_says_so() {
    let scene = six();
    let ids = ids(&scene);
    scene
        .run(&["apply", "people", "--yes", "--limit", "2"])
        .exits(6)
        .says("2 of 5 records updated")
        .says("3 not attempted");
    assert_eq!(sent(&scene).keys().collect::<Vec<_>>(), [&ids[0], &ids[1]]);
    let log = log(&scene, "limited");
    assert_eq!((&log["status"], &log["stops_after"]["limit"]), (&json!("Failed"), &json!(2)));
    assert_eq!((&log["records"]["updated"], &log["records"]["not_attempted"]), (&json!(2), &json!(3)));
    scene.run(&["runs", "show", log["id"].as_str().unwrap()]).exits(0).says("--limit 2").says("not attempted");
    // The rest is left for the next.
    scene.run(&["apply", "people", "--yes", "--limit", "3"]).exits(0).says("Completed: 3 of 3 records updated");
    scene.run(&["plan", "people", "--detailed-exitcode"]).exits(0);
}

#[test]
fn records_takes_those_alone_and_says_which_have_no_change() {
    let scene = six();
    let ids = ids(&scene);
    scene.write("chosen.txt", &format!("# chosen by hand\n{}\n\n  {}  \n{}\n", &ids[1][..15], ids[3], ids[5]));
    let ran =
        scene.run(&["apply", "people", "--yes", "--records", "chosen.txt"]).exits(6).says("2 of 5 records updated");
    assert!(ran.err.contains(&ids[5]) && ran.err.contains("no change"), "{}", ran.err);
    assert_eq!(sent(&scene).keys().collect::<Vec<_>>(), [&ids[1], &ids[3]]);
    let log = log(&scene, "limited");
    assert_eq!(log["stops_after"]["records"], json!(3));
    scene.run(&["runs", "show", log["id"].as_str().unwrap()]).exits(0).says("--records");
    // Both together.
    scene.write("chosen.txt", &format!("{}\n{}\n", ids[0], ids[2]));
    scene.run(&["apply", "people", "--yes", "--records", "chosen.txt", "--limit", "1"]).exits(6);
    assert_eq!(sent(&scene).len(), 3);
    for (file, says) in [("nothing.txt", "nothing.txt"), ("bad.txt", "line 2")] {
        scene.write("bad.txt", "# ids\nnonsense\n");
        scene.run(&["apply", "people", "--yes", "--records", file]).exits(3).says(says);
    }
}

#[test]
fn show_is_what_plan_showed_in_every_form() {
    let scene = six();
    for more in [&[][..], &["--full"], &["--format", "json"], &["--format", "markdown"], &["--json"]] {
        let plan = scene.run(&[&["plan", "people", "--out", "people.plan"], more].concat()).exits(0);
        let show = scene.run(&[&["show", "people.plan"], more].concat()).exits(0);
        assert_eq!(plan.out, show.out, "{more:?}");
        assert!(!plan.out.is_empty());
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(scene.path("people.plan")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "for its owner alone");
    }
    let view: Value = serde_json::from_str(&scene.run(&["show", "people.plan", "--json"]).out).unwrap();
    assert_eq!(view["verdict"]["records"], 5);
    assert_eq!(view["verdict"]["overwrites"], 5);
}

#[test]
fn the_exit_code_tells_changes_when_asked() {
    let scene = six();
    scene.run(&["plan", "people"]).exits(0);
    scene.run(&["plan", "people", "--detailed-exitcode"]).exits(2);
    scene.run(&["plan", "--detailed-exitcode"]).exits(2);
    scene.run(&["apply", "people", "--yes"]).exits(0);
    scene.run(&["plan", "people", "--detailed-exitcode"]).exits(0).says("No changes");
}

#[test]
fn bad_usage_is_3_and_reaches_no_org() {
    let scene = six();
    for arguments in [
        &["apply"][..],
        &["apply", "--yes"],
        &["apply", "--all", "people"],
        &["apply", "nobody", "--yes"],
        &["apply", "people", "nobody", "--yes"],
        &["apply", "people", "--env", "staging"],
        &["apply", "people", "--env", "production", "--yes"],
        &["apply", "people", "--waive", "everything"],
        &["apply", "people", "--limit", "some"],
        &["apply", "people"],
        &["plan", "nobody"],
        &["plan", "people", "--format", "pdf"],
        &["show", "nothing.plan"],
        &["runs", "show", "nothing"],
        &["frobnicate"],
    ] {
        scene.run(arguments).exits(3);
        assert_eq!(scene.write_calls(), 0, "{arguments:?}");
    }
    scene.run(&["plan", "peopl"]).exits(3).says("did you mean `people`?");
    scene.run(&["apply", "people"]).exits(3).says("--yes");
}

#[test]
fn keys_and_values_stay_hidden_outside_a_terminal() {
    let seed = "objects: { Lead: { fields: [{ name: Open__c, type: text, length: 80 }, { name: Closed__c, type: text, length: 80 }, { name: Number__c, type: number }], records: [{ LastName: A, Company: C, Email: secret-key@example.org, Open__c: open-before, Closed__c: closed-before }, { LastName: B, Company: C, Email: other-key@example.org }] } }";
    let scene = Scene::seeded(seed);
    report(
        &scene,
        &["Key", "Open", "Closed", "Number"],
        &[
            vec!["secret-key@example.org", "open-after", "closed-after", "closed-bad"],
            vec!["unknown-key@example.org", "open-x", "closed-x", "1"],
            vec!["other-key@example.org", "open-y", "closed-y", "1"],
            vec!["Other-Key@example.org", "open-z", "closed-z", "1"],
        ],
    );
    integration(
        &scene,
        "Lead",
        BY_EMAIL,
        "  Open__c: { column: Open, show_values: true }\n  Closed__c: Closed\n  Number__c: Number",
        &guards("min_match: 0%, max_refused: 100%"),
    );
    let id = record(&scene, "Lead", "LastName", "A")["Id"].as_str().unwrap().to_owned();
    let mut said = Vec::new();
    for form in ["text", "json", "markdown"] {
        let plan = scene.run(&["plan", "people", "--full", "--format", form, "--out", "people.plan"]).exits(0);
        for shown in [&id, "Open__c", "Closed__c", "open-before", "open-after", "not_a_number"] {
            // Markdown escapes what it would read as emphasis.
            assert!(plan.out.replace("&#95;", "_").contains(shown), "{form}: {shown} in {}", plan.out);
        }
        said.extend([plan.out, plan.err]);
    }
    let apply = scene.run(&["apply", "people.plan", "--yes", "--full"]).exits(0);
    said.extend([apply.out, apply.err]);
    let run = log(&scene, "done")["id"].as_str().unwrap().to_owned();
    for arguments in [&["runs"][..], &["runs", "--json"], &["runs", "show", &run], &["runs", "show", &run, "--json"]] {
        let ran = scene.run(arguments).exits(0);
        said.extend([ran.out, ran.err]);
    }
    let mut files = Vec::new();
    super::walk(&scene.path("runs"), &mut files);
    said.extend(files.iter().map(|f| std::fs::read_to_string(f).unwrap()));
    for text in said {
        let text = text.to_lowercase();
        for hidden in ["-key@example.org", "closed-before", "closed-after", "closed-bad", "closed-y"] {
            assert!(!text.contains(hidden), "{hidden} in {text}");
        }
    }
    // The plan file holds everything.
    assert!(scene.read("people.plan").contains("closed-after"));
}

/// `other`, beside `people`: another field of the same leads, from a report of its own.
fn other(scene: &Scene, source: &str) {
    scene.write(
        "integrations/other.yaml",
        &format!("footbridge: 1\nkind: integration\nname: other\norg: acme\nreport: {{ name: Other, source: {source} }}\nobject: Lead\nmatch: {{ column: Key, field: Email }}\nfields: {{ Title: Title }}\nlints_off: [walkme_prefix]\nenvironments: {{ sandbox: {{}} }}\n"),
    );
    scene.write("exports/other.csv", "Key,Title\nlead00000@example.org,CEO\n");
}

#[test]
fn of_two_integrations_one_failing_the_other_is_applied_all_the_same() {
    for order in [
        &["apply", "people", "other", "--yes"][..],
        &["apply", "other", "people", "--yes"],
        &["apply", "--all", "--yes"],
    ] {
        let scene = six();
        other(&scene, "exports/missing.csv");
        scene.run(order).exits(1).says("FB0401").says("5 of 5 records updated");
        assert_eq!(sent(&scene).len(), 5, "{order:?}");
        let error = log(&scene, "error");
        assert_eq!((&error["integration"], &error["status"]), (&json!("other"), &json!("Failed")));
        assert_eq!(log(&scene, "done")["integration"], "people");
    }
    // A guard holds the one; the other runs. The gravest exit code is told.
    let scene = six();
    other(&scene, "exports/other.csv");
    integration(&scene, "Lead", BY_EMAIL, LEADS, &guards("max_overwrites: 0"));
    scene.run(&["plan"]).exits(0).says("people").says("other");
    let plans: Value = serde_json::from_str(&scene.run(&["plan", "--format", "json"]).exits(0).out).unwrap();
    assert_eq!(plans.as_array().unwrap().len(), 2);
    scene.run(&["apply", "--all", "--yes"]).exits(4);
    assert_eq!(record(&scene, "Lead", "Email", "lead00000@example.org")["Title"], "CEO");
    assert_eq!(sent(&scene).len(), 1);
}

#[test]
fn runs_lists_every_run_with_what_it_did() {
    let scene = six();
    scene.run(&["runs"]).exits(0).says("No runs yet");
    scene.run(&["apply", "people", "--yes", "--limit", "1"]).exits(6);
    scene.run(&["apply", "people", "--yes"]).exits(0);
    scene.run(&["apply", "people", "--yes"]).exits(0);
    let listed: Value = serde_json::from_str(&scene.run(&["runs", "--json"]).exits(0).out).unwrap();
    let runs = listed["runs"].as_array().unwrap();
    let told: Vec<(&str, &str, u64, u64)> = runs
        .iter()
        .map(|r| {
            let count = |name: &str| r["records"][name].as_u64().unwrap();
            (r["status"].as_str().unwrap(), r["exit"].as_str().unwrap(), count("records"), count("updated"))
        })
        .collect();
    // Newest first.
    assert_eq!(told, [("Completed", "nothing_to_do", 0, 0), ("Completed", "done", 4, 4), ("Failed", "limited", 5, 1)]);
    for run in runs {
        assert_eq!(
            (&run["integration"], &run["report"], &run["object"]),
            (&json!("people"), &json!("People"), &json!("Lead"))
        );
        let id = run["id"].as_str().unwrap();
        scene.run(&["runs", "show", id]).exits(0).says("people").says("Lead").says("Report rows");
        scene.run(&["runs", "show", run["path"].as_str().unwrap()]).exits(0).says(run["status"].as_str().unwrap());
    }
    scene.run(&["runs", "people"]).exits(0).says("Completed").says("sandbox");
    scene.run(&["runs", "nobody"]).exits(0).never_says("Completed");
    // What each record came to stands beside the log.
    let view: Value =
        serde_json::from_str(&scene.run(&["runs", "show", runs[2]["id"].as_str().unwrap(), "--json"]).out).unwrap();
    let records = view["records"].as_array().unwrap();
    let count = |outcome: &str| records.iter().filter(|r| r["outcome"] == outcome).count();
    assert_eq!((records.len(), count("updated"), count("not_attempted")), (5, 1, 4), "{view}");
}

#[test]
fn quiet_says_nothing_but_the_result_and_data_goes_to_standard_output() {
    let scene = six();
    let plan = scene.run(&["plan", "people", "--quiet", "--format", "json"]).exits(0);
    assert!(plan.err.is_empty(), "{}", plan.err);
    serde_json::from_str::<Value>(&plan.out).unwrap();
    let apply = scene.run(&["apply", "people", "--yes", "--json"]).exits(0);
    let view: Value = serde_json::from_str(&apply.out).unwrap_or_else(|e| panic!("{e}: {}", apply.out));
    assert_eq!(view["run"]["status"], "Completed", "{view}");
}
