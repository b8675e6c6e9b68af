//! `status` for a monitor.

use super::*;

fn exits(scene: &Scene, more: &[&str], code: i32) -> Ran {
    scene.run(&[&["status"][..], more].concat()).exits(code)
}

#[test]
fn it_needs_no_log_in_no_variables_and_no_network() {
    let mut scene = scene();
    integration(&scene, "people", "Lead", "Logins__c", "schedule: daily");
    apply(&scene).exits(0);
    let dead = "footbridge: 1\nkind: orgs\nacme:\n  sandbox:\n    domain: http://127.0.0.1:1\n    org_id: ORG\n    auth: { flow: access_token, token: \"${NOT_SET}\" }\n";
    scene.write("integrations/orgs.yaml", &dead.replace("ORG", &scene.org().org_id()));
    scene.org().clear_calls();
    exits(&scene, &[], 0).says("ok").says("last Completed 2026-11-23 09:00:00 UTC");
    scene.run(&["due"]).exits(0).says("done");
    assert!(scene.org().calls().is_empty());
    at(&mut scene, "2026-11-24T11:59:00Z");
    exits(&scene, &[], 0);
    at(&mut scene, "2026-11-24T12:00:00Z");
    exits(&scene, &[], 1).says("overdue").says("due, and not run");
}

#[test]
fn overdue_and_failed_exit_with_1_and_others_do_not() {
    let mut scene = scene();
    integration(&scene, "people", "Lead", "Logins__c", "schedule: daily");
    integration(&scene, "by-hand", "Contact", "Logins__c", "guards: {}");
    exits(&scene, &[], 1).says("it never ran");
    exits(&scene, &["by-hand"], 0).says("not scheduled");
    apply(&scene).exits(0);
    exits(&scene, &[], 0);
    exits(&scene, &["--max-age", "26h"], 0);
    at(&mut scene, "2026-11-24T11:30:00Z");
    exits(&scene, &["--max-age", "26h"], 1).says("not Completed for 26 h");
    exits(&scene, &["--max-age", "27h"], 0);
    exits(&scene, &["--max-age", "1w"], 3).says("26h");

    // By hand: what a guard held says nothing of the integration, what broke does.
    report(&scene, "people", 90);
    scene.write("exports/people.csv", "Key,Logins\np0@example.org,bad\n");
    scene.run(&["apply", "people", "--yes"]).exits(4);
    exits(&scene, &[], 0).says("ok");
    std::fs::remove_file(scene.path("exports/people.csv")).unwrap();
    scene.run(&["apply", "people", "--yes"]).exits(1);
    exits(&scene, &[], 1).says("failed").says("FB0401").says("runs show");
    exits(&scene, &["by-hand"], 0);
    exits(&scene, &["nobody"], 3);
}

#[test]
fn ten_thousand_run_logs_are_no_hindrance() {
    let mut scene = scene();
    integration(&scene, "people", "Lead", "Logins__c", "schedule: daily");
    apply(&scene).exits(0);
    let log = logs_of(&scene, "people").remove(0);
    let folder = format!("runs/people/{}/2026", scene.org().org_id());
    let text = scene.read(&format!("{folder}/{}.yaml", log["id"].as_str().unwrap()));
    for n in 0..10_000 {
        let (day, rest) = (n / 1_440, n % 1_440);
        let id = format!("2026-11-{:02}T{:02}{:02}00Z", 1 + day, rest / 60, rest % 60);
        let start = format!("2026-11-{:02}T{:02}:{:02}:00Z", 1 + day, rest / 60, rest % 60);
        let own = text.replace("2026-11-23T090000Z", &id).replace("2026-11-23T09:00:00Z", &start);
        std::fs::write(scene.path(&format!("{folder}/{id}.yaml")), own).unwrap();
    }
    at(&mut scene, "2026-11-24T09:30:00Z");
    for command in ["due", "status"] {
        let begun = Instant::now();
        scene.run(&[command]).exits(0).says("people");
        let took = begun.elapsed();
        // Unoptimised, and beside other tests: far above what it takes, far below what reading all of them would.
        assert!(took < Duration::from_secs(5), "{command} took {took:?}");
        eprintln!("{command} over 10,001 run logs: {took:?}");
    }
}
