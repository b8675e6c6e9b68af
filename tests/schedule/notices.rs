//! `notices:`: told when the set of integration, status, error code and guard changes, and only then.

use serde_json::json;

use super::hooks::{Came, Hook};
use super::*;

fn notify(scene: &mut Scene, url: &str) {
    scene.write(
        "integrations/project.yaml",
        "footbridge: 1\nkind: project\nnotices:\n  url: \"${HOOK}\"\n  headers: { X-Team: crm, X-Key: \"${HOOK_KEY}\" }\n",
    );
    scene.set("HOOK", &format!("{url}/services/MARKED-PATH"));
    scene.set("HOOK_KEY", "MARKED-KEY");
}

#[track_caller]
fn one(came: Vec<Came>) -> Value {
    assert_eq!(came.len(), 1, "{came:?}");
    came.into_iter().next().unwrap().body
}

#[test]
fn a_change_is_told_once_and_a_recovery_too() {
    let (mut scene, hook) = (scene(), Hook::taking());
    notify(&mut scene, &hook.url());
    integration(&scene, "people", "Lead", "Logins__c", "schedule: hourly\nretries: 0");
    integration(&scene, "guests", "Contact", "Logins__c", "schedule: hourly\nretries: 0");
    apply(&scene).exits(0);
    assert!(hook.came().is_empty(), "all is well, and nobody feared otherwise");

    // One fails, the other does not.
    let breaks = "- on: { path: sobjects/Lead/describe, times: 0 }\n  action: { status: { code: 500 } }\n";
    scene.org().faults(breaks).unwrap();
    at(&mut scene, "2026-11-23T10:00:00Z");
    apply(&scene).exits(1);
    let came = hook.came();
    assert_eq!((came[0].headers["x-team"].as_str(), came[0].headers["x-key"].as_str()), ("crm", "MARKED-KEY"));
    assert_eq!((came[0].method.as_str(), came[0].path.as_str()), ("POST", "/services/MARKED-PATH"));
    let told = one(came);
    let text = told["text"].as_str().unwrap();
    assert!(text.starts_with("people (sandbox): Failed (FB05") && !text.contains("guests"), "{text}");
    let titles: Vec<&str> =
        told["attachments"][0]["fields"].as_array().unwrap().iter().map(|f| f["title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["Integration", "Org", "Now", "Before", "Run", "Updated"]);
    let change = &told["metadata"]["event_payload"]["changes"][0];
    assert_eq!((&change["integration"], &change["now"]["status"]), (&json!("people"), &json!("Failed")));
    assert_eq!(change["before"]["status"], "Completed");

    // The same again is no news.
    at(&mut scene, "2026-11-23T11:00:00Z");
    apply(&scene).exits(1);
    assert!(hook.came().is_empty());

    // Another error is; so is a guard; so is the recovery.
    scene.org().clear_faults();
    scene.write("exports/people.csv", "Key,Logins\np0@example.org,bad\n");
    at(&mut scene, "2026-11-23T12:00:00Z");
    apply(&scene).exits(4);
    let told = one(hook.came());
    assert_eq!(told["text"], "people (sandbox): held back by max_refused");
    report(&scene, "people", 30);
    at(&mut scene, "2026-11-23T13:00:00Z");
    apply(&scene).exits(0);
    let told = one(hook.came());
    assert_eq!(told["text"], "people (sandbox) works again");
    assert_eq!(told["attachments"][0]["color"], "good");
    assert!(!told.to_string().contains("example.org"), "{told}");
    at(&mut scene, "2026-11-23T14:00:00Z");
    apply(&scene).exits(0);
    assert!(hook.came().is_empty());
}

#[test]
fn codes_of_records_that_failed_count() {
    let (mut scene, hook) = (scene(), Hook::taking());
    notify(&mut scene, &hook.url());
    integration(&scene, "people", "Lead", "Logins__c", "schedule: hourly\nretries: 0");
    let mut told = Vec::new();
    for (hour, code) in
        [(9, "FIELD_CUSTOM_VALIDATION_EXCEPTION"), (10, "FIELD_CUSTOM_VALIDATION_EXCEPTION"), (11, "DUPLICATE_VALUE")]
    {
        report(&scene, "people", 100 + hour);
        at(&mut scene, &format!("2026-11-23T{hour:02}:00:00Z"));
        let fault = format!(
            "- on: {{ method: PATCH }}\n  action: {{ record_error: {{ nth: 0, code: {code}, message: MARKED p0@example.org }} }}\n"
        );
        scene.org().faults(&fault).unwrap();
        apply(&scene).exits(6);
        told.push(hook.came());
    }
    assert_eq!(told.iter().map(Vec::len).collect::<Vec<_>>(), [1, 0, 1]);
    let last = one(told.pop().unwrap());
    assert_eq!(last["text"], "people (sandbox): Failed (DUPLICATE_VALUE)");
    assert!(!last.to_string().contains("MARKED"));
}

#[test]
fn a_notice_that_is_not_taken_fails_no_run_and_is_told_by_the_next() {
    let mut fails = vec![Some((500, "", json!(""))); 5];
    fails.extend([None, None, None, None, None, Some((404, "", json!("")))]);
    let hook = Hook::answering(move |_| if fails.is_empty() { Some((200, "", json!("ok"))) } else { fails.remove(0) });
    let mut scene = scene();
    notify(&mut scene, &hook.url());
    integration(&scene, "people", "Lead", "Logins__c", "schedule: hourly\nretries: 0\nguards: { max_overwrites: 0 }");
    for (hour, said, calls) in [(9, "it answered 500", 5), (10, "the connection broke", 5), (11, "it answered 404", 1)]
    {
        at(&mut scene, &format!("2026-11-23T{hour:02}:00:00Z"));
        let ran = scene.run(&["apply", "--due", "--yes", "-vv"]).exits(4).says("FB0870").says(said).says("${HOOK}");
        ran.never_says("MARKED");
        assert_eq!(hook.came().len(), calls, "{said}");
        let log = logs_of(&scene, "people").pop().unwrap();
        assert_eq!((&log["exit"], &log["problems"][0]["code"]), (&"guard".into(), &"FB0870".into()));
    }
    // The same as before, but nobody heard of it.
    at(&mut scene, "2026-11-23T12:00:00Z");
    apply(&scene).exits(4);
    assert_eq!(one(hook.came())["text"], "people (sandbox) is still held back by max_overwrites");
    at(&mut scene, "2026-11-23T13:00:00Z");
    apply(&scene).exits(4);
    assert!(hook.came().is_empty());
}

#[test]
fn a_notice_that_fails_leaves_a_good_run_good() {
    let mut scene = scene();
    notify(&mut scene, "http://127.0.0.1:1");
    integration(&scene, "people", "Lead", "Logins__c", "schedule: hourly\nretries: 0\nguards: { max_overwrites: 0 }");
    apply(&scene).exits(4).says("FB0870");
    integration(&scene, "people", "Lead", "Logins__c", "schedule: hourly");
    at(&mut scene, "2026-11-23T10:00:00Z");
    apply(&scene).exits(0).says("FB0870");
    let log = logs_of(&scene, "people").pop().unwrap();
    assert_eq!((&log["status"], &log["problems"][0]["code"]), (&"Completed".into(), &"FB0870".into()));
    scene.run(&["runs", "show", log["id"].as_str().unwrap()]).exits(0).says("a notice was not delivered");
    assert_eq!(line(&scene, "status", "people")["state"], "ok");
}

#[test]
fn addresses_that_are_none_are_told_without_their_text() {
    for (value, said) in [
        ("MARKED no address", "HOOK holds no address"),
        ("http://hooks.example/MARKED", "its address is not https"),
        ("ftp://hooks.example/MARKED", "its address is not https"),
        ("https://u:MARKED@hooks.example/", "its address is not https, or has a password in it"),
    ] {
        let mut scene = scene();
        notify(&mut scene, "http://127.0.0.1:1");
        scene.set("HOOK", value);
        integration(&scene, "people", "Lead", "Logins__c", "schedule: hourly\nguards: { max_overwrites: 0 }");
        apply(&scene).exits(4).says("FB0870").says(said).never_says("MARKED");
    }
    let mut scene = scene();
    notify(&mut scene, "http://127.0.0.1:1");
    scene.set("HOOK", "");
    integration(&scene, "people", "Lead", "Logins__c", "schedule: hourly\nguards: { max_overwrites: 0 }");
    apply(&scene).exits(4).says("FB0870").says("not set: HOOK");
}

#[test]
fn a_tick_that_went_by_and_the_run_after_it_are_told_in_one() {
    let (mut scene, hook) = (scene(), Hook::taking());
    notify(&mut scene, &hook.url());
    integration(&scene, "people", "Lead", "Logins__c", "schedule: hourly\nguards: { max_age: 2h }");
    report_of(&scene, "people", "2026-11-23T07:30:00Z");
    apply(&scene).exits(0);
    at(&mut scene, "2026-11-23T10:10:00Z");
    apply(&scene).exits(0).says("waits for a newer report");
    assert!(hook.came().is_empty());
    at(&mut scene, "2026-11-23T11:05:00Z");
    report_of(&scene, "people", "2026-11-23T11:00:00Z");
    apply(&scene).exits(4);
    let told = one(hook.came());
    assert_eq!(told["text"], "people (sandbox): held back by max_age\npeople (sandbox) works again");
    let runs: Vec<Value> = logs_of(&scene, "people")[1..].iter().map(|log| log["id"].clone()).collect();
    let changes = told["metadata"]["event_payload"]["changes"].as_array().unwrap();
    assert_eq!(changes.iter().map(|change| change["run"].clone()).collect::<Vec<_>>(), runs);
    at(&mut scene, "2026-11-23T12:05:00Z");
    apply(&scene).exits(0);
    assert!(hook.came().is_empty());
}

/// Two orgs: the second one's secret is `${OTHER_TOKEN}`, and its id is pinned where `pin` is.
fn two_orgs(scene: &Scene, pin: bool) {
    let (url, id) = (scene.org().url(), scene.org().org_id());
    let org = |name: &str, token: &str, pinned: bool| {
        let pin = if pinned { format!("    org_id: {id}\n") } else { String::new() };
        format!(
            "{name}:\n  sandbox:\n    domain: {url}\n{pin}    auth: {{ flow: access_token, token: \"${{{token}}}\" }}\n"
        )
    };
    let text =
        format!("footbridge: 1\nkind: orgs\n{}{}", org("acme", "ORG_TOKEN", true), org("other", "OTHER_TOKEN", pin));
    scene.write("integrations/orgs.yaml", &text);
    integration(scene, "guests", "Contact", "Logins__c", "schedule: hourly\nretries: 1");
    let text = scene.read("integrations/guests.yaml").replace("org: acme", "org: other");
    scene.write("integrations/guests.yaml", &text);
}

#[test]
fn a_secret_that_is_not_set_is_a_failed_run_of_those_that_need_it() {
    let (mut scene, hook) = (scene(), Hook::taking());
    notify(&mut scene, &hook.url());
    two_orgs(&scene, true);
    integration(&scene, "people", "Lead", "Logins__c", "schedule: hourly");
    apply(&scene).exits(7).says("FB0302").says("OTHER_TOKEN");
    assert_eq!(logs_of(&scene, "people").pop().unwrap()["status"], "Completed");
    let log = logs_of(&scene, "guests").pop().unwrap();
    assert_eq!((&log["status"], &log["exit"]), (&json!("Failed"), &json!("not_authorised")));
    assert_eq!((&log["trigger"], &log["tick"]), (&json!("schedule"), &json!("2026-11-23T09:00:00Z")));
    assert_eq!((&log["org_id"], &log["problems"][0]["code"]), (&json!(scene.org().org_id()), &json!("FB0302")));
    assert_eq!(one(hook.came())["text"], "guests (sandbox): Failed (FB0302)");
    assert_eq!([state(&scene, "people"), state(&scene, "guests")], ["done", "due"]);

    // It is tried again as often as it is to be, and no oftener.
    at(&mut scene, "2026-11-23T09:15:00Z");
    apply(&scene).exits(7);
    assert_eq!(state(&scene, "guests"), "given up");
    at(&mut scene, "2026-11-23T09:30:00Z");
    apply(&scene).exits(0).says("nothing is to be run");
    assert_eq!(logs_of(&scene, "guests").len(), 2);
    assert!(hook.came().is_empty());

    let token = scene.org().access_token();
    scene.set("OTHER_TOKEN", &token);
    at(&mut scene, "2026-11-23T10:00:00Z");
    apply(&scene).exits(0);
    assert_eq!(one(hook.came())["text"], "guests (sandbox) works again");
}

#[test]
fn an_org_that_is_not_pinned_leaves_no_log_says_so_and_stops_no_other() {
    let (mut scene, hook) = (scene(), Hook::taking());
    notify(&mut scene, &hook.url());
    two_orgs(&scene, false);
    integration(&scene, "people", "Lead", "Logins__c", "schedule: hourly");
    apply(&scene).exits(7).says("`org_id:`").says("its runs leave no log and no notice goes out");
    assert_eq!(logs_of(&scene, "people").pop().unwrap()["status"], "Completed");
    assert!(logs_of(&scene, "guests").is_empty() && hook.came().is_empty());
    let status = scene.run(&["status"]).exits(1);
    status.says("no org id is pinned");
}
