use std::process::Command;

use super::*;

fn ids(ran: &Ran) -> Vec<String> {
    let view = json(ran);
    fits("runs-view.schema.json", &view);
    view["runs"].as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn runs_are_chosen_by_integration_environment_org_status_trigger_and_time() {
    let mut scene = scene("");
    days(&mut scene, 1..=3);
    on_leads(&scene, 12, |n| n + 4);
    apply(&mut scene, "2026-11-04T09:00:00Z", &["--limit", "2"]).exits(6);
    scene.set("FOOTBRIDGE_NOW", "2026-11-05T09:00:00Z");
    let chosen = |more: &[&str]| ids(&scene.run(&[&["runs", "--json"], more].concat()).exits(0)).len();
    for (more, count) in [
        (&[][..], 4),
        (&["people"], 4),
        (&["nobody"], 0),
        (&["--env", "sandbox"], 4),
        (&["--env", "production"], 0),
        (&["--org", "acme"], 4),
        (&["--org", &scene.org().org_id().to_string()], 4),
        (&["--org", "other"], 0),
        (&["--status", "failed"], 1),
        (&["--status", "Completed"], 3),
        (&["--trigger", "apply"], 4),
        (&["--trigger", "schedule"], 0),
        (&["--since", "2d"], 2),
        (&["--since", "2026-11-03T09:00:01Z"], 1),
        (&["--since", "2026-11-02", "--until", "2026-11-03"], 2),
        (&["--until", "2026-11-01"], 1),
        (&["--limit", "3"], 3),
    ] {
        assert_eq!(chosen(more), count, "{more:?}");
    }
    let newest = ids(&scene.run(&["runs", "--json", "--limit", "1"]).exits(0));
    assert_eq!(newest, ["2026-11-04T090000Z"]);
    scene.run(&["runs", "--limit", "1"]).exits(0).says("There are older runs").never_says("2026-11-03");
    scene.run(&["runs", "--since", "yesterday"]).exits(3).says("36h");
    golden(&scene, "runs", &scene.run(&["runs"]).exits(0).out);

    let ran = scene.run(&["runs", "show", "people", "--failed"]).exits(0);
    golden(&scene, "show-failed", &ran.out);
    assert_eq!(ran.out.matches("not attempted").count(), 10);
    let view = json(&scene.run(&["runs", "show", "people", "--failed", "--json"]).exits(0));
    assert_eq!((view["records"].as_array().unwrap().len(), view["rows"].as_array().unwrap().len()), (10, 0));
}

#[test]
fn rows_that_could_not_be_used_are_listed_one_by_one() {
    let mut scene = scene("");
    let mut text = String::from(
        "Key,Logins,Note\nlead00000@example.org,5,same\nnobody@example.org,1,x\nlead00001@example.org,many,same\n,1,x\n",
    );
    (2..12).for_each(|n| text.push_str(&format!("lead{n:05}@example.org,9,same\n")));
    scene.write("exports/people.csv", &text);
    apply(&mut scene, "2026-11-01T09:00:00Z", &["--waive", "max_refused"]).exits(0);
    let ran = scene.run(&["runs", "show", "people", "--rows"]).exits(0).never_says("nobody@").never_says("many");
    golden(&scene, "show-rows", &ran.out);
}

#[test]
fn two_runs_are_compared_by_what_they_mean() {
    let mut scene = scene("");
    days(&mut scene, 1..=1);
    // Another report, another mapping, a limit.
    let mut text = String::from("Key,Logins,Note,Team\n");
    (0..11).for_each(|n| text.push_str(&format!("lead{n:05}@example.org,{},other,t\n", n + 50)));
    text.push_str("nobody@example.org,1,x,t\n");
    scene.write("exports/people.csv", &text);
    let fields = "  Logins__c: Logins\n  Title: Note";
    integration(&scene, "Lead", BY_EMAIL, fields, "guards: { max_fills: 100 }");
    apply(&mut scene, "2026-11-02T09:00:00Z", &["--limit", "4"]).exits(6);
    let ran = scene.run(&["runs", "diff", "2026-11-01T090000Z", "2026-11-02T090000Z"]).exits(0);
    // The files' own times are of now.
    let shown: String =
        ran.out.lines().filter(|l| !l.starts_with("  report time:")).map(|l| format!("{l}\n")).collect();
    golden(&scene, "diff", &shown);
    // The one before is found by itself.
    assert_eq!(scene.run(&["runs", "diff", "people"]).exits(0).out, ran.out);
    let view = json(&scene.run(&["runs", "diff", "people", "--json"]).exits(0));
    fits("runs-diff.schema.json", &view);
    assert_eq!(view["records"]["broken"], 7);
    assert_eq!(view["columns_new"], serde_json::json!(["Team"]));
    assert_eq!(view["rows"]["by"], "record");
    assert!(!view.to_string().contains("@example.org"));
    let same = scene.run(&["runs", "diff", "people", "people"]).exits(0).says("Nothing differs but the time");
    same.never_says("Counts");
    scene.run(&["runs", "diff", "2026-11-01T090000Z"]).exits(3).says("there is no run before");
    scene.run(&["runs", "diff", "nothing"]).exits(3).says("FB0903");

    // The same report again: rows are compared by their number.
    apply(&mut scene, "2026-11-03T09:00:00Z", &[]).exits(0);
    let view = json(&scene.run(&["runs", "diff", "people", "--json"]).exits(0));
    assert_eq!(view["rows"]["by"], "row");
    assert_eq!(view["rows"]["moved"], serde_json::json!([{ "a": "planned", "b": "unchanged", "count": 4 }]));
    assert_eq!((&view["records"]["mended"], &view["records"]["broken"]), (&7.into(), &0.into()));
}

fn git(scene: &Scene, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=Team", "-c", "user.email=team@example.com", "-c", "commit.gpgsign=false"])
        .args(arguments)
        .current_dir(scene.root())
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn blame_names_run_row_and_commits_and_what_failed_in_between() {
    let mut scene = scene("");
    git(&scene, &["init", "-q"]);
    git(&scene, &["add", "integrations"]);
    git(&scene, &["commit", "-q", "-m", "The mapping"]);
    let mapping = git(&scene, &["rev-parse", "HEAD"]);
    days(&mut scene, 1..=2);
    git(&scene, &["add", "runs"]);
    git(&scene, &["commit", "-q", "-m", "Runs"]);
    let logs = git(&scene, &["rev-parse", "HEAD"]);
    // A value that cannot be written, then a run that stops before this lead.
    let mut text = String::from("Key,Logins,Note\n");
    (0..12)
        .for_each(|n| text.push_str(&format!("lead{n:05}@example.org,{},same\n", if n == 5 { "many" } else { "70" })));
    scene.write("exports/people.csv", &text);
    apply(&mut scene, "2026-11-03T09:00:00Z", &["--waive", "max_refused"]).exits(0);
    on_leads(&scene, 12, |n| n + 90);
    scene.write("integrations/note.yaml.txt", "not committed");
    apply(&mut scene, "2026-11-04T09:00:00Z", &["--limit", "2"]).exits(6);

    let id = lead(&scene, 5);
    let before = std::fs::read(scene.path(".git/index")).unwrap();
    let ran = scene.run(&["blame", &id, "logins__C"]).exits(0);
    assert_eq!(std::fs::read(scene.path(".git/index")).unwrap(), before, "the index is as it was");
    let shown = ran.out.replace(&mapping[..12], "MAPPING").replace(&logs[..12], "LOGS");
    let digest = regex_free_digests(&shown);
    golden(&scene, "blame", &digest);
    let view = json(&scene.run(&["blame", &id, "Logins__c", "--json"]).exits(0));
    fits("blame-view.schema.json", &view);
    assert_eq!(view["set_by"], "2026-11-02T090000Z");
    let runs: Vec<(&str, &Value)> =
        view["runs"].as_array().unwrap().iter().map(|r| (r["run"].as_str().unwrap(), &r["outcome"])).collect();
    assert_eq!(runs.len(), 4);
    assert_eq!(runs[0], ("2026-11-04T090000Z", &"not_attempted".into()));
    assert_eq!(runs[1], ("2026-11-03T090000Z", &Value::Null));
    assert_eq!(view["runs"][1]["refused"][0]["code"], "not_a_number");
    assert_eq!(view["runs"][2]["commit"], mapping.as_str());
    assert_eq!(view["runs"][2]["log_commit"], logs.as_str());
    assert_eq!((&view["runs"][0]["commit"], &view["runs"][0]["uncommitted"]), (&logs.as_str().into(), &true.into()));
    assert_eq!(view["runs"][2]["row"], 6);

    // By the short id, one run of it; another field; a record that nobody knows.
    let one = json(&scene.run(&["blame", &id[..15], "--limit", "1", "--json"]).exits(0));
    assert_eq!((one["runs"].as_array().unwrap().len(), &one["more"]), (1, &true.into()));
    scene.run(&["blame", &id, "Note__c"]).exits(0).says("No run that is known touched Note__c");
    scene.run(&["blame", "00Q000000000999"]).exits(0).says("No run that is known touched");
    scene.run(&["blame", "nonsense"]).exits(3);
    scene.run(&["blame", &id, "a b"]).exits(3);
    for name in ["lead00005@example.org", "many"] {
        scene.run(&["blame", &id]).exits(0).never_says(name);
    }
}

/// `report 0123456789ab` as `report DIGEST`.
fn regex_free_digests(text: &str) -> String {
    text.split("report ")
        .map(|part| match part.get(..12) {
            Some(digits) if digits.bytes().all(|b| b.is_ascii_hexdigit()) => format!("DIGEST{}", &part[12..]),
            _ => part.to_owned(),
        })
        .collect::<Vec<_>>()
        .join("report ")
}
