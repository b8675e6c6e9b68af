//! The schedule with run logs in git: what is told after a run was pushed, ticks that went by, machines that come to the same tick.

use serde_json::{Value, json};

use super::{Team, ends};
use crate::schedule::hooks::Hook;

const DUE: [&str; 4] = ["apply", "--due", "--yes", "--push"];

/// One record of the next call is refused.
const REFUSED: &str = "- on: { method: PATCH }\n  action: { record_error: { nth: 0, code: FIELD_CUSTOM_VALIDATION_EXCEPTION, message: no } }\n";

/// A team whose notes are scheduled, at nine on a Monday.
fn scheduled(project: &str, settings: &str) -> Team {
    let mut team = Team::with(6, project);
    team.environment(settings);
    team.at("2026-11-23T09:00:00Z");
    team
}

fn problems(log: &Value) -> Vec<&str> {
    let all = log["problems"].as_array();
    all.into_iter().flatten().map(|problem| problem["code"].as_str().unwrap()).collect()
}

#[test]
fn a_log_that_is_added_to_after_it_was_pushed_goes_along_once_more() {
    let hook = Hook::answering(|_| Some((404, "", json!(""))));
    let mut team = scheduled("git: {}\nnotices: { url: \"${HOOK}\" }\n", "schedule: hourly, retries: 0");
    team.job.scene.set("HOOK", &hook.url());
    team.split();
    let path = team.clone_of("a").join("integrations/counts.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("retries: 0", "retries: 0, guards: { max_fills: 0 }")).unwrap();
    // Both logs are pushed before anybody is told: of the one that wrote, and of the one that was held.
    team.job.faults(REFUSED);
    team.run("a", &DUE).exits(4).says("FB0870").never_says("FB0842");
    assert_eq!(hook.came().len(), 1);
    let logs = team.logs();
    assert_eq!(logs.iter().map(|log| ends(log)[0]).collect::<Vec<_>>(), [0, 5]);
    for log in &logs {
        assert_eq!(problems(log), ["FB0870"], "{log}");
    }
    assert!(!team.clone_of("a").join("runs").exists(), "all of it is on the branch");
    // One each as it ended, and one with what was added.
    assert_eq!(team.subjects().len(), 3, "{:?}", team.subjects());
    team.run("b", &["runs", "show", "notes"]).exits(0).says("a notice was not delivered");
}

#[test]
fn what_was_added_and_could_not_be_pushed_is_known_here_and_goes_with_the_next() {
    let mut team = scheduled("notices: { url: \"${HOOK}\" }\n", "schedule: hourly, retries: 0");
    let update = team.remote().join("hooks/update");
    let script = format!("#!/bin/sh\n[ \"$1\" = refs/heads/{} ] && exit 1\nexit 0\n", super::RUNS);
    let mut first = true;
    // Between the run and the end of the command the remote stops taking anything.
    let hook = Hook::answering(move |_| {
        if !std::mem::take(&mut first) {
            return Some((200, "", json!("ok")));
        }
        std::fs::write(&update, &script).unwrap();
        super::executable(&update);
        Some((404, "", json!("")))
    });
    team.job.scene.set("HOOK", &hook.url());
    team.job.faults(REFUSED);
    team.run("a", &DUE).exits(6).says("FB0870").says("committed here");
    assert_eq!(hook.came().len(), 1);
    assert!(problems(&team.logs()[0]).is_empty());
    team.run("a", &["runs", "show", "notes"]).exits(0).says("a notice was not delivered");
    std::fs::remove_file(team.remote().join("hooks/update")).unwrap();
    // The same failure again is told only because nobody heard of it the first time.
    team.at("2026-11-23T10:00:00Z");
    team.job.faults(REFUSED);
    team.run("a", &DUE).exits(1).never_says("FB0842");
    assert_eq!(hook.came().len(), 1);
    let logs = team.logs();
    assert_eq!(logs.iter().map(problems).collect::<Vec<_>>(), [vec!["FB0870"], vec![]]);
    // Nor is it lost when another machine pushes after that.
    team.at("2026-11-23T11:00:00Z");
    team.run("b", &DUE).exits(0);
    team.run("a", &["apply", "notes", "--yes", "--push"]).exits(0);
    assert_eq!((team.logs().len(), problems(&team.logs()[0])), (4, vec!["FB0870"]));
}

/// The report of a clone as of this moment.
fn report_of(team: &Team, clone: &str, moment: &str) {
    let moment: jiff::Timestamp = moment.parse().unwrap();
    let file = team.clone_of(clone).join("exports/notes.csv");
    let file = std::fs::File::options().append(true).open(file).unwrap();
    file.set_modified(std::time::SystemTime::from(moment)).unwrap();
}

#[test]
fn a_tick_whose_report_never_came_is_on_the_branch_once() {
    let mut team = scheduled("", "schedule: daily, guards: { max_age: 26h }");
    let old = "2026-11-23T07:00:00Z";
    report_of(&team, "a", old);
    team.run("a", &DUE).exits(0).says("Completed");
    team.at("2026-11-24T09:30:00Z");
    team.run("a", &DUE).exits(0).says("waits for a newer report");
    assert_eq!(team.logs().len(), 1);
    // The tick after is looked at by a machine that knows nothing but the branch.
    team.at("2026-11-25T09:01:00Z");
    team.another("c");
    report_of(&team, "c", old);
    team.run("c", &DUE).exits(4).says("FB0708").says("pushed to");
    assert!(!team.clone_of("c").join("runs").exists());
    let logs = team.logs();
    assert_eq!((logs.len(), &logs[1]["tick"], &logs[1]["exit"]), (2, &"2026-11-24T09:00:00Z".into(), &"guard".into()));
    assert_eq!(logs[1]["commit"], super::git(&team.clone_of("c"), &["rev-parse", "HEAD"]));
    for clone in ["c", "b"] {
        report_of(&team, clone, old);
        team.run(clone, &DUE).exits(0).says("waits for a newer report").never_says("FB0708");
    }
    assert_eq!(team.logs().len(), 2);
    // With nowhere to push to nothing is logged either.
    super::git(&team.clone_of("c"), &["remote", "rename", "origin", "elsewhere"]);
    team.at("2026-11-26T09:01:00Z");
    team.run("c", &DUE).exits(3).says("has no remote `origin`");
    assert!(!team.clone_of("c").join("runs").exists());
}

#[test]
fn of_two_machines_that_come_to_one_tick_one_runs() {
    let team = scheduled("", "schedule: daily");
    let (waits, go) = (team.clone_of("waits"), team.clone_of("go"));
    // The second one has seen that the tick is due, and comes to its lock when the first one is done.
    team.remote_does(&format!(
        "if [ -n \"$LATE\" ]; then touch '{}'; while [ ! -e '{}' ]; do sleep 0.02; done; fi\n",
        waits.display(),
        go.display()
    ));
    let mut command = team.command("b", &DUE);
    command.env("LATE", "1");
    let late = team.job.start_command(command);
    crate::faults::until("the lock", || waits.exists());
    team.run("a", &DUE).exits(0).says("Completed");
    std::fs::write(go, "").unwrap();
    late.ends().exits(0).says("`notes` has been run meanwhile");
    assert_eq!((team.logs().len(), team.locks().len()), (1, 0));
    team.run("b", &DUE).exits(0).says("nothing is to be run");
}

#[test]
fn a_tick_that_had_nothing_to_write_is_on_the_remote_before_its_lock_is_given_back() {
    let mut team = scheduled("", "schedule: hourly, retries: 0");
    team.split();
    team.run("a", &["apply", "counts", "--yes", "--push"]).exits(0);
    team.at("2026-11-23T10:00:00Z");
    // The counts have had their turn, and the notes are being written.
    let running = team.held("method: PATCH", "delay", &DUE);
    let ticks = || {
        let logs = team.logs().into_iter();
        let counts = logs.filter(|log| log["integration"] == "counts" && log["tick"] == "2026-11-23T10:00:00Z");
        counts.map(|log| log["exit"].clone()).collect::<Vec<_>>()
    };
    assert_eq!((ticks(), team.locks().len()), (vec!["nothing_to_do".into()], 1));
    team.run("b", &DUE).exits(1).says("machine-a").never_says("No changes");
    team.job.org().clear_faults();
    team.job.org().let_go();
    running.ends().exits(0);
    team.run("b", &DUE).exits(0).says("nothing is to be run");
    assert_eq!((ticks().len(), team.locks().len()), (1, 0));
    assert_eq!(team.job.state(), team.job.wanted());
}

/// The scheduled run of `a` is killed while it writes.
fn died(team: &Team) {
    team.held("method: PATCH", "delay", &DUE).kill();
    crate::faults::until("the connection's end", || team.job.org().held() == 0);
    team.job.org().clear_faults();
}

#[test]
fn a_scheduled_run_that_is_resumed_is_still_for_its_tick() {
    let mut team = scheduled("", "schedule: hourly");
    died(&team);
    team.at("2026-11-23T10:05:00Z");
    team.run("a", &["apply", "--resume"]).exits(0).says("pushed to");
    let log = team.logs().pop().unwrap();
    assert_eq!((&log["trigger"], &log["tick"]), (&"resume".into(), &"2026-11-23T09:00:00Z".into()));
    team.run("a", &DUE).exits(0).says("No changes");
    assert_eq!(team.logs()[1]["tick"], "2026-11-23T10:00:00Z");
}

#[test]
fn a_scheduled_run_that_died_is_planned_afresh_by_whoever_clears_up() {
    let mut team = scheduled("", "schedule: daily, retries: 0");
    died(&team);
    team.at("2026-11-23T16:00:00Z");
    team.run("b", &DUE).exits(0).says("died on machine-a").says("Completed");
    assert_eq!(
        team.logs().iter().map(|log| log["tick"].as_str().unwrap()).collect::<Vec<_>>(),
        ["2026-11-23T09:00:00Z"; 2]
    );
    assert_eq!(team.job.state(), team.job.wanted());
}
