//! `not_during:` through the binary.

use super::*;

#[test]
fn the_schedule_keeps_out_of_the_windows_and_runs_afterwards_once() {
    let mut scene = scene();
    scene.write(
        "integrations/project.yaml",
        "footbridge: 1\nkind: project\nnot_during:\n  - { dates: \"2026-12-24 to 2026-12-26\" }\n",
    );
    let window =
        "schedule: hourly\nnot_during:\n  - { days: mon to fri, hours: 08:00 to 18:00, time_zone: Europe/Berlin }";
    integration(&scene, "people", "Lead", "Logins__c", window);
    // 10:00 in Berlin.
    assert_eq!(state(&scene, "people"), "held off");
    scene.run(&["due"]).exits(0).says("`not_during:` until 2026-11-23 17:00:00 UTC");
    apply(&scene).exits(0).says("nothing is to be run");
    assert_eq!(line(&scene, "status", "people")["state"], "ok", "never late while it may not run");
    at(&mut scene, "2026-11-23T17:00:00Z");
    apply(&scene).exits(0).says("Completed");
    assert_eq!(logs_of(&scene, "people").len(), 1);
    // A person may.
    at(&mut scene, "2026-12-25T12:00:00Z");
    assert_eq!(state(&scene, "people"), "held off");
    scene.run(&["apply", "people", "--yes"]).exits(0);
}
