//! Every exit code once, and which of two that hold is told.

use super::Job;
use crate::scene::Scene;

#[test]
fn exit_0_is_done_or_nothing_to_do() {
    let job = Job::new(3, "lookup");
    job.run(&["plan", "notes"]).exits(0);
    job.apply().exits(0);
    job.apply().exits(0).says("No changes");
}

#[test]
fn exit_1_is_a_run_that_failed() {
    let job = Job::new(3, "lookup");
    job.faults("- on: { times: 0, path: describe }\n  action: cut_before\n");
    job.run(&["plan", "notes"]).exits(1);
    job.apply().exits(1);
}

#[test]
fn exit_2_is_a_plan_with_changes_where_asked_for() {
    let job = Job::new(3, "lookup");
    job.run(&["plan", "notes", "--detailed-exitcode"]).exits(2);
    job.apply().exits(0);
    job.run(&["plan", "notes", "--detailed-exitcode"]).exits(0);
}

#[test]
fn exit_3_is_bad_configuration_or_usage() {
    let job = Job::new(3, "lookup");
    for arguments in [&["apply"] as &[&str], &["plan", "nobody"], &["frobnicate"], &["apply", "notes", "--env", "x"]] {
        job.run(arguments).exits(3);
    }
    // Nobody there to be asked.
    job.run(&["apply", "notes"]).exits(3).says("--yes");
    job.scene.write("integrations/broken.yaml", "footbridge: 1\nkind: integration\n");
    job.run(&["validate"]).exits(3);
    job.apply().exits(3);
    assert_eq!(job.scene.write_calls(), 0);
}

#[test]
fn exit_4_is_a_guard_that_refused() {
    let job = Job::new(3, "lookup");
    let text = job.scene.read("integrations/notes.yaml");
    job.scene
        .write("integrations/notes.yaml", &text.replace("sandbox: {}", "sandbox: { guards: { max_overwrites: 1 } }"));
    job.apply().exits(4).says("max_overwrites");
    let log = job.log();
    assert_eq!((log.exit(), log.ends()), ("guard", [0, 0, 0, 3, 0]));
    assert_eq!(job.scene.write_calls(), 0);
    job.run(&["apply", "notes", "--yes", "--waive", "max_overwrites"]).exits(0);
}

#[test]
fn exit_5_is_a_plan_that_is_stale() {
    let job = Job::new(3, "lookup");
    job.run(&["plan", "notes", "--out", "p.plan"]).exits(0);
    job.scene.write("exports/notes.csv", "User ID,Note,Count\nl001@leads.example,other,7\n");
    job.run(&["apply", "p.plan", "--yes"]).exits(5).says("the report has changed");
    let log = job.log();
    assert_eq!((log.exit(), log.ends()), ("stale", [0, 0, 0, 3, 0]));
    assert_eq!(job.scene.write_calls(), 0);
}

#[test]
fn exit_6_is_applied_in_part() {
    let job = Job::new(3, "lookup");
    job.faults(
        "- on: { method: PATCH }\n  action: { record_error: { nth: 1, code: ENTITY_IS_LOCKED, message: locked } }\n",
    );
    job.apply().exits(6);
}

#[test]
fn exit_7_is_not_authorised_or_another_org() {
    let job = Job::new(3, "lookup");
    job.faults("- on: { path: oauth2/token }\n  action: { wrong_org: { id: 00D8d000008GjOIEA0 } }\n");
    job.apply().exits(7).says("00D8d000008GjOIEA0");
    assert_eq!(job.log().exit(), "not_authorised");
}

#[test]
fn exit_70_is_a_bug_and_a_panic_says_where_and_nothing_else() {
    let mut job = Job::new(3, "lookup");
    job.scene.set("FOOTBRIDGE_PANIC", "planned");
    let ran = job.apply().exits(70).says("a bug at src/cli/world.rs").says("report it");
    ran.never_says("asked for by").never_says("new 1").never_says("l001@leads.example").never_says("panicked at");
    assert_eq!(job.scene.write_calls(), 0);
    job.scene.set("FOOTBRIDGE_PANIC", "start");
    for arguments in [&["validate"] as &[&str], &["runs"], &["explain", "FB0101"], &["schema"]] {
        job.run(arguments).exits(70);
    }
}

#[test]
fn a_bug_in_the_middle_of_a_run_is_finished_by_resume() {
    let mut job = Job::new(410, "lookup");
    job.scene.set("FOOTBRIDGE_PANIC", "sending");
    job.apply().exits(70);
    job.no_log();
    assert_eq!(job.journals().len(), 1);
    job.scene.set("FOOTBRIDGE_PANIC", "");
    job.apply().exits(1).says("apply notes --resume");
    job.resume().exits(0);
    assert_eq!(job.log().ends(), [410, 0, 0, 0, 0]);
    assert_eq!(job.state(), job.wanted());
    assert!(job.sent().values().all(|n| *n == 1), "every record once");
}

/// Two integrations in one apply: each ends in its own way, and the graver is told. 6 before 1, 4 before 6, 7 before 4.
#[test]
fn of_several_exit_codes_the_gravest_is_told() {
    let job = Job::new(3, "lookup");
    let text = job.scene.read("integrations/notes.yaml");
    let other = |field: &str| {
        let kept = text
            .replace("name: notes", "name: titles")
            .replace("  WalkMe_Note__c: Note\n  WalkMe_Count__c: Count\n", field);
        job.scene.write("integrations/titles.yaml", &kept);
    };
    other("  Title: Note\n");
    let both = || job.run(&["apply", "--all", "--yes", "--env", "sandbox"]);
    // 6 (a record refused) and 1 (all refused)
    job.faults(
        "- on: { method: PATCH, body: WalkMe_Note__c }\n  action: { record_error: { code: ENTITY_IS_LOCKED, message: locked } }\n\
         - on: { method: PATCH, body: Title }\n  action: { record_error: { nth: 0, code: ENTITY_IS_LOCKED, message: locked } }\n",
    );
    both().exits(6);
    // 4 (a guard) and 1
    job.org().clear_faults();
    job.scene
        .write("integrations/notes.yaml", &text.replace("sandbox: {}", "sandbox: { guards: { max_overwrites: 0 } }"));
    job.faults("- on: { method: PATCH, body: Title }\n  action: { record_error: { code: ENTITY_IS_LOCKED, message: locked } }\n");
    both().exits(4);
    // 7 and 4: the second of the two meets an org that no longer knows it
    job.org().clear_faults();
    job.faults("- on: { path: oauth2/token, after: 1 }\n  action: { status: { code: 400, body: '{\"error\":\"inactive_user\",\"error_description\":\"user is inactive\"}' } }\n");
    both().exits(7);
    // 3 before 4 and before all that would be sent: nothing is begun.
    let before = job.org().calls().len();
    other("  Nowhere__c Note\n");
    both().exits(3);
    assert_eq!(job.org().calls().len(), before);
}

#[test]
fn the_gravest_of_a_single_run_is_told_though_its_log_cannot_be_written() {
    let job = Job::new(3, "lookup");
    job.scene.write("runs", "in the way\n");
    job.faults("- on: { path: oauth2/token }\n  action: { wrong_org: { id: 00D8d000008GjOIEA0 } }\n");
    job.apply().exits(7).says("pins").says("run log");
}

#[test]
fn a_command_without_a_repository_is_usage() {
    let scene = Scene::seeded("org: { sandbox: true }");
    scene.run(&["plan", "x"]).exits(3);
}
