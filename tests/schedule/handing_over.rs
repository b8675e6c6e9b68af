//! `on_held: issue`: a guard that holds a scheduled run back is handed over to people.

use serde_json::json;

use super::hooks::{Hook, Issues};
use super::*;

/// An integration that overwrites more than its guard allows.
fn held(scene: &Scene) {
    integration(scene, "people", "Lead", "Logins__c", "schedule: hourly\nretries: 9\nguards: { max_overwrites: 1 }");
    scene.write("integrations/project.yaml", "footbridge: 1\nkind: project\non_held: issue\n");
}

fn on_github(scene: &mut Scene, url: &str) {
    for (name, value) in [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_API_URL", url),
        ("GITHUB_REPOSITORY", "acme/crm"),
        ("GITHUB_TOKEN", "MARKED-TOKEN"),
        ("GITHUB_SERVER_URL", "https://github.com"),
        ("GITHUB_RUN_ID", "42"),
    ] {
        scene.set(name, value);
    }
}

fn on_gitlab(scene: &mut Scene, url: &str) {
    for (name, value) in [
        ("GITLAB_CI", "true"),
        ("CI_API_V4_URL", url),
        ("CI_PROJECT_ID", "7"),
        ("GITLAB_TOKEN", "MARKED-TOKEN"),
        ("CI_JOB_TOKEN", "x"),
        ("CI_JOB_URL", "https://user:MARKED@gitlab.example/acme/crm/-/jobs/9?token=MARKED"),
    ] {
        scene.set(name, value);
    }
}

#[test]
fn one_issue_is_opened_brought_up_to_date_and_closed() {
    let mut scene = scene();
    held(&scene);
    // Ours stands on the second page.
    let issues = Issues::github(130);
    on_github(&mut scene, &issues.hook.url());
    apply(&scene).exits(4).says("FB0701").says("opened an issue: https://host.example/issue").never_says("MARKED");
    assert_eq!(scene.write_calls(), 0);
    let log = logs_of(&scene, "people").remove(0);
    let [issue] = &issues.open()[..] else { panic!("one issue: {:?}", issues.open()) };
    assert_eq!(issue["title"], "Footbridge: people (sandbox) is held back by a guard");
    assert_eq!(issue["labels"], json!(["footbridge"]));
    let text = issue["body"].as_str().unwrap();
    let digest = log["digests"]["changes"].as_str().unwrap();
    for part in [
        "max_overwrites",
        "3 overwritten",
        digest,
        &format!("footbridge apply people --env sandbox --expect {digest} --waive max_overwrites"),
        "https://github.com/acme/crm/actions/runs/42",
        "Nothing was written",
    ] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    assert!(!text.contains("example.org"), "no value and no key: {text}");
    for came in issues.hook.came() {
        assert_eq!(came.headers["authorization"], "Bearer MARKED-TOKEN");
    }

    // Tried again with other changes: the same issue says so.
    report(&scene, "people", 70);
    at(&mut scene, "2026-11-23T09:20:00Z");
    apply(&scene).exits(4).says("brought the issue up to date");
    let [issue] = &issues.open()[..] else { panic!("one issue: {:?}", issues.open()) };
    let newer = logs_of(&scene, "people").pop().unwrap()["digests"]["changes"].as_str().unwrap().to_owned();
    assert!(issue["body"].as_str().unwrap().contains(&newer) && newer != digest);

    // A run that is Completed ends it.
    integration(&scene, "people", "Lead", "Logins__c", "schedule: hourly");
    at(&mut scene, "2026-11-23T10:00:00Z");
    apply(&scene).exits(0).says("closed the issue");
    assert!(issues.open().is_empty());
    issues.hook.came();
    at(&mut scene, "2026-11-23T11:00:00Z");
    apply(&scene).exits(0).never_says("issue");
    assert!(issues.hook.came().iter().all(|came| came.method == "GET"));
}

#[test]
fn gitlab_too() {
    let mut scene = scene();
    held(&scene);
    let issues = Issues::gitlab();
    on_gitlab(&mut scene, &issues.hook.url());
    apply(&scene).exits(4).says("opened an issue").never_says("MARKED");
    assert_eq!(issues.open()[0]["labels"], "footbridge");
    let text = issues.open()[0]["description"].as_str().unwrap().to_owned();
    assert!(text.contains("| Job | <https://gitlab.example/acme/crm/-/jobs/9> |"), "{text}");
    assert!(issues.hook.came().iter().all(|came| came.headers["private-token"] == "MARKED-TOKEN"));
    integration(&scene, "people", "Lead", "Logins__c", "schedule: hourly");
    at(&mut scene, "2026-11-23T10:00:00Z");
    apply(&scene).exits(0).says("closed the issue");
    assert!(issues.open().is_empty());
}

#[test]
fn somebody_elses_issue_is_never_touched() {
    for system in ["github", "gitlab"] {
        let mut scene = scene();
        held(&scene);
        let mark = format!("<!-- footbridge held: people sandbox {} -->", scene.org().org_id());
        let issues = if system == "github" { Issues::github(0) } else { Issues::gitlab() };
        issues.has("stranger", &format!("{mark}\nlook at this"));
        issues.has("github-actions[bot]", &format!("An answer to\n\n> {mark}\n"));
        issues.has("project_7_bot", &format!("An answer to\n\n{mark}\n"));
        let before = issues.all();
        match system {
            "github" => on_github(&mut scene, &issues.hook.url()),
            _ => on_gitlab(&mut scene, &issues.hook.url()),
        }
        // What would end a cell or a link is no job's page.
        let page = if system == "github" { "GITHUB_REPOSITORY" } else { "CI_JOB_URL" };
        scene.set(page, if system == "github" { "acme/crm" } else { "https://gitlab.example/a|b>c" });
        apply(&scene).exits(4).says("opened an issue");
        let [ours] = &issues.open()[..] else { panic!("one issue: {:?}", issues.open()) };
        assert!(ours["title"].is_string() && !ours.to_string().contains("a|b"), "{ours}");
        integration(&scene, "people", "Lead", "Logins__c", "schedule: hourly");
        at(&mut scene, "2026-11-23T10:00:00Z");
        apply(&scene).exits(0).says("closed the issue");
        assert_eq!(issues.all()[..3], before[..]);
        assert!(issues.open().is_empty());
    }
}

#[test]
fn a_token_of_the_job_alone_opens_no_issue() {
    let mut scene = scene();
    held(&scene);
    let issues = Issues::gitlab();
    on_gitlab(&mut scene, &issues.hook.url());
    scene.set("GITLAB_TOKEN", "");
    apply(&scene).exits(4).says("FB0871").says("the job's own token may not open issues");
    assert!(issues.hook.came().is_empty());
}

#[test]
fn by_hand_nothing_is_handed_over_and_by_default_nothing_at_all() {
    let mut scene = scene();
    held(&scene);
    let issues = Issues::github(0);
    on_github(&mut scene, &issues.hook.url());
    scene.run(&["apply", "people", "--yes"]).exits(4);
    scene.write("integrations/project.yaml", "footbridge: 1\nkind: project\n");
    apply(&scene).exits(4);
    assert!(issues.hook.came().is_empty());
}

#[test]
fn an_issue_that_cannot_be_opened_is_a_warning_and_stands_in_the_log() {
    for (answer, said) in [
        (Some((403, "", json!({}))), "it answered 403: the token may not write issues"),
        (Some((429, "retry-after: 1\r\n", json!({}))), "it answered 429"),
        (Some((500, "", json!({}))), "it answered 500"),
        (Some((200, "", json!({ "no": "list" }))), "no list of issues"),
        (None, "the connection broke"),
    ] {
        let mut scene = scene();
        held(&scene);
        let hook = Hook::answering(move |_| answer.clone());
        on_github(&mut scene, &hook.url());
        apply(&scene).exits(4).says("FB0871").says(said).never_says("MARKED");
        let log = logs_of(&scene, "people").remove(0);
        assert_eq!((&log["exit"], &log["problems"][0]["code"]), (&"guard".into(), &"FB0871".into()), "{said}");
        assert!(hook.came().len() <= 5, "{said}");
    }
    // Not in CI, or without a token.
    let mut scene = scene();
    held(&scene);
    apply(&scene).exits(4).says("FB0871").says("issues are opened from CI only");
    on_github(&mut scene, "http://127.0.0.1:1");
    scene.set("GITHUB_TOKEN", "");
    apply(&scene).exits(4).says("GITHUB_TOKEN is not set");
    // A token goes to no other machine without TLS, and to no path that the variable smuggles in.
    on_github(&mut scene, "http://api.github.example");
    apply(&scene).exits(4).says("its address is not https").never_says("MARKED");
    scene.set("GITHUB_REPOSITORY", "acme/../../user");
    apply(&scene).exits(4).says("GITHUB_REPOSITORY is not OWNER/NAME");
}

#[test]
fn a_lost_answer_to_opening_does_not_open_a_second_one_by_itself() {
    let mut scene = scene();
    held(&scene);
    let hook = Hook::answering(move |came| if came.method == "GET" { Some((200, "", json!([]))) } else { None });
    on_github(&mut scene, &hook.url());
    apply(&scene).exits(4).says("FB0871");
    assert_eq!(hook.came().iter().filter(|came| came.method == "POST").count(), 1);
}

#[test]
fn the_very_same_changes_are_applied_by_the_command_that_the_issue_shows() {
    let mut scene = scene();
    held(&scene);
    let issues = Issues::github(0);
    on_github(&mut scene, &issues.hook.url());
    apply(&scene).exits(4).says("FB0701");
    let text = issues.open()[0]["body"].as_str().unwrap().to_owned();
    let from = text.find("footbridge apply people ").expect("the command");
    let command = text[from..].split(['`', '\n']).next().unwrap();
    let words: Vec<&str> = command.split_whitespace().skip(1).chain(["--yes"]).collect();
    assert!(words.ends_with(&["--waive", "max_overwrites", "--yes"]), "{words:?}");

    // Approved, but the guard is not waived; or another guard is.
    let approved = &words[..words.len() - 3];
    scene.run(&[approved, &["--yes"]].concat()).exits(4).says("FB0701");
    scene.run(&[approved, &["--waive", "max_clears", "--yes"]].concat()).exits(4).says("FB0701");
    // Other changes than those that were held: waived for them is not waived for these.
    report(&scene, "people", 70);
    scene.run(&words).exits(5);
    assert_eq!(scene.write_calls(), 0);

    report(&scene, "people", 10);
    scene.run(&words).exits(0).says("3 of 3 records updated");
    let (leads, log) = (scene.org().records("Lead"), logs_of(&scene, "people").pop().unwrap());
    let logins: Vec<f64> = leads.iter().map(|lead| lead["Logins__c"].as_f64().unwrap()).collect();
    assert_eq!(logins, [10.0, 11.0, 12.0]);
    let guards = log["guards"].as_array().unwrap();
    let waived: Vec<&Value> =
        guards.iter().filter(|guard| guard["waived"] == true).map(|guard| &guard["name"]).collect();
    assert_eq!((&log["status"], waived), (&json!("Completed"), vec![&json!("max_overwrites")]));
    // The tick has its run.
    assert_eq!(state(&scene, "people"), "done");
}
