//! Ticks, tries, missed ticks, stale reports, and the first run.

use super::*;

#[test]
fn a_tick_is_due_until_it_was_run_and_the_next_day_again() {
    let mut scene = scene();
    integration(&scene, "people", "Lead", "Logins__c", "schedule: daily");
    integration(&scene, "by-hand", "Contact", "Logins__c", "guards: {}");
    assert_eq!(state(&scene, "people"), "due");
    assert_eq!(state(&scene, "by-hand"), "not scheduled");
    scene.run(&["due"]).exits(0).says("people").says("it never ran").says("2026-11-24 09:00");

    apply(&scene).exits(0).says("Completed");
    let logs = logs_of(&scene, "people");
    assert_eq!(logs.len(), 1);
    assert_eq!((&logs[0]["trigger"], &logs[0]["tick"]), (&"schedule".into(), &"2026-11-23T09:00:00Z".into()));
    assert!(logs_of(&scene, "by-hand").is_empty());
    assert_eq!(state(&scene, "people"), "done");
    apply(&scene).exits(0).says("nothing is to be run");
    at(&mut scene, "2026-11-24T08:59:59Z");
    apply(&scene).exits(0).says("nothing is to be run");

    // Four days later: what was missed is one.
    at(&mut scene, "2026-11-27T10:00:00Z");
    assert_eq!(state(&scene, "people"), "due");
    apply(&scene).exits(0);
    apply(&scene).exits(0).says("nothing is to be run");
    assert_eq!(logs_of(&scene, "people").len(), 2);
}

#[test]
fn a_run_by_hand_since_the_tick_is_as_good_and_one_before_is_not() {
    let mut scene = scene();
    integration(&scene, "people", "Lead", "Logins__c", "schedule: daily");
    at(&mut scene, "2026-11-23T08:59:00Z");
    scene.run(&["apply", "people", "--yes"]).exits(0);
    at(&mut scene, "2026-11-23T09:05:00Z");
    assert_eq!(state(&scene, "people"), "due");
    scene.run(&["apply", "people", "--yes"]).exits(0);
    assert_eq!(state(&scene, "people"), "done");
}

#[test]
fn an_undo_is_no_run_of_a_tick() {
    let mut scene = scene();
    integration(&scene, "people", "Lead", "Logins__c", "schedule: daily");
    apply(&scene).exits(0);
    at(&mut scene, "2026-11-24T09:05:00Z");
    assert_eq!(state(&scene, "people"), "due");
    let run = logs_of(&scene, "people").pop().unwrap()["id"].as_str().unwrap().to_owned();
    scene.run(&["undo", &run, "--yes"]).exits(0);
    assert_eq!(logs_of(&scene, "people").pop().unwrap()["trigger"], "undo");
    assert_eq!(state(&scene, "people"), "due", "the day's report has not been brought");
    assert_eq!(line(&scene, "status", "people")["last"]["run"], run.as_str());
    apply(&scene).exits(0).says("Completed");
    assert_eq!(state(&scene, "people"), "done");
}

#[test]
fn what_fails_is_tried_again_so_often_and_then_given_up_until_the_next_tick() {
    let mut scene = scene();
    integration(&scene, "people", "Lead", "Logins__c", "schedule: daily\nretries: 1");
    scene.org().faults("- on: { path: describe, times: 0 }\n  action: { status: { code: 500 } }\n").unwrap();
    for (minute, before) in [(1, "due"), (16, "due")] {
        at(&mut scene, &format!("2026-11-23T09:{minute:02}:00Z"));
        assert_eq!(state(&scene, "people"), before);
        apply(&scene).exits(1);
    }
    assert_eq!(state(&scene, "people"), "given up");
    assert_eq!(line(&scene, "status", "people")["state"], "failed");
    apply(&scene).exits(0).says("nothing is to be run");
    assert_eq!(logs_of(&scene, "people").len(), 2);

    scene.org().clear_faults();
    at(&mut scene, "2026-11-24T09:00:00Z");
    apply(&scene).exits(0).says("Completed");
    assert_eq!(line(&scene, "status", "people")["state"], "ok");
}

#[test]
fn a_stale_report_is_waited_for_until_the_next_tick_and_then_the_run_is_failed() {
    let mut scene = scene();
    integration(&scene, "people", "Lead", "Logins__c", "schedule: daily\nguards: { max_age: 26h }");
    report_of(&scene, "people", "2026-11-23T07:00:00Z");
    apply(&scene).exits(0).says("Completed");

    // The next day's report does not come: nothing is asked of the org, nothing is logged, and no try is used up.
    scene.org().clear_calls();
    for hour in [9, 12, 18, 23] {
        at(&mut scene, &format!("2026-11-24T{hour:02}:30:00Z"));
        assert_eq!(state(&scene, "people"), "waiting");
        apply(&scene).exits(0).says("FB0872").says("waits for a newer report");
    }
    assert!(scene.org().calls().is_empty());
    assert_eq!(logs_of(&scene, "people").len(), 1);

    // The tick after: that run is Failed, once, and the next one waits in turn.
    at(&mut scene, "2026-11-25T09:01:00Z");
    apply(&scene).exits(4).says("FB0708").says("`people` was not run");
    let failed = logs_of(&scene, "people").pop().unwrap();
    assert_eq!((&failed["status"], &failed["exit"]), (&"Failed".into(), &"guard".into()));
    assert_eq!(failed["tick"], "2026-11-24T09:00:00Z");
    assert_eq!(failed["guards"][0]["name"], "max_age");
    apply(&scene).exits(0).says("waits for a newer report");
    assert_eq!(logs_of(&scene, "people").len(), 2);
    assert_eq!(line(&scene, "status", "people")["state"], "failed");

    report(&scene, "people", 50);
    report_of(&scene, "people", "2026-11-25T09:30:00Z");
    at(&mut scene, "2026-11-25T09:31:00Z");
    apply(&scene).exits(0).says("Completed");
    assert_eq!(logs_of(&scene, "people").pop().unwrap()["tick"], "2026-11-25T09:00:00Z");
    assert_eq!(line(&scene, "status", "people")["state"], "ok");
}

#[test]
fn a_first_run_in_production_needs_a_person_and_is_told_as_such() {
    let mut scene = scene();
    scene.reach("production", "{ flow: access_token, token: \"${ORG_TOKEN}\" }");
    in_environment(&scene, "people", "Lead", "Logins__c", "production", "schedule: daily");
    let production = ["--env", "production"];
    scene.run(&[&["due"][..], &production].concat()).exits(0).says("--first-run");
    let due = [&["apply", "--due", "--yes"][..], &production].concat();
    scene.run(&due).exits(4).says("FB0709").says("nothing was sent");
    assert_eq!(scene.write_calls(), 0);
    let held = logs_of(&scene, "people").pop().unwrap();
    assert_eq!((&held["exit"], &held["trigger"]), (&"guard".into(), &"schedule".into()));
    at(&mut scene, "2026-11-23T09:20:00Z");
    scene.run(&[&["apply", "people", "--yes", "--first-run"][..], &production].concat()).exits(0);
    at(&mut scene, "2026-11-24T09:00:00Z");
    scene.run(&due).exits(0).says("Completed");
}

#[test]
fn the_schedule_waives_nothing_and_names_nothing() {
    let scene = scene();
    integration(&scene, "people", "Lead", "Logins__c", "guards: {}");
    for wrong in
        [&["people"][..], &["--all"], &["--waive", "max_age"], &["--first-run"], &["--limit", "1"], &["--resume"]]
    {
        scene.run(&[&["apply", "--due"][..], wrong].concat()).exits(3).says("--due");
    }
    apply(&scene).exits(3).says("no integration has a schedule in sandbox");
}

#[test]
fn one_that_cannot_run_does_not_stop_another() {
    let mut scene = scene();
    integration(&scene, "a-cases", "Case", "Logins__c", "schedule: hourly");
    integration(&scene, "b-people", "Lead", "Logins__c", "schedule: hourly");
    integration(&scene, "c-guests", "Contact", "Logins__c", "schedule: hourly");
    std::fs::remove_file(scene.path("exports/a-cases.csv")).unwrap();
    scene.write("exports/b-people.csv", "Key,Logins\np0@example.org,bad\n");
    let ran = apply(&scene).exits(4).says("FB0401");
    assert!(ran.err.contains("max_refused") || ran.err.contains("FB0704"), "{ran:?}");
    assert_eq!(logs_of(&scene, "c-guests")[0]["status"], "Completed");
    for name in ["a-cases", "b-people"] {
        assert_eq!(logs_of(&scene, name)[0]["status"], "Failed", "{name}");
    }
    at(&mut scene, "2026-11-23T09:30:00Z");
    assert_eq!([state(&scene, "a-cases"), state(&scene, "c-guests")], ["due", "done"]);
}

#[test]
fn a_tick_that_went_by_for_a_stale_report_is_failed_before_the_next_one_is_run() {
    let mut scene = scene();
    integration(&scene, "people", "Lead", "Logins__c", "schedule: hourly\nguards: { max_age: 2h }");
    at(&mut scene, "2026-11-23T13:05:00Z");
    report_of(&scene, "people", "2026-11-23T12:00:00Z");
    apply(&scene).exits(0).says("Completed");
    for minute in [10, 40] {
        at(&mut scene, &format!("2026-11-23T14:{minute}:00Z"));
        apply(&scene).exits(0).says("waits for a newer report");
    }
    assert_eq!(logs_of(&scene, "people").len(), 1);

    at(&mut scene, "2026-11-23T15:05:00Z");
    report(&scene, "people", 50);
    report_of(&scene, "people", "2026-11-23T15:00:00Z");
    apply(&scene)
        .exits(4)
        .says("FB0708")
        .says("`people` was not run for 2026-11-23 14:00")
        .says("3 of 3 records updated");
    let logs = logs_of(&scene, "people");
    let told: Vec<_> = logs.iter().map(|log| [&log["status"], &log["exit"], &log["tick"]]).collect();
    assert_eq!(told[1..], [["Failed", "guard", "2026-11-23T14:00:00Z"], ["Completed", "done", "2026-11-23T15:00:00Z"]]);
    let guard = &logs[1]["guards"][0];
    assert_eq!((&guard["name"], &guard["value"], &guard["held"]), (&"max_age".into(), &10_800.into(), &true.into()));
    assert_eq!(line(&scene, "status", "people")["state"], "ok");
    assert_eq!(state(&scene, "people"), "done");
    apply(&scene).exits(0).says("nothing is to be run");

    // Nobody called at five: the report that was there then was young enough.
    at(&mut scene, "2026-11-23T18:05:00Z");
    report_of(&scene, "people", "2026-11-23T16:30:00Z");
    apply(&scene).exits(0).never_says("FB0708");
    assert_eq!(logs_of(&scene, "people").len(), 4);
}

#[test]
fn a_schedule_that_is_new_has_no_tick_that_went_by() {
    let mut scene = scene();
    integration(&scene, "people", "Lead", "Logins__c", "guards: { max_age: 2h }");
    report_of(&scene, "people", "2026-11-23T08:30:00Z");
    scene.run(&["apply", "people", "--yes"]).exits(0);
    integration(&scene, "people", "Lead", "Logins__c", "schedule: hourly\nguards: { max_age: 2h }");
    report_of(&scene, "people", "2026-11-23T15:00:00Z");
    at(&mut scene, "2026-11-23T15:05:00Z");
    apply(&scene).exits(0).never_says("FB0708").says("Completed");
    assert_eq!(logs_of(&scene, "people").len(), 2);
}
