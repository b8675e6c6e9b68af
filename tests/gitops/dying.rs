//! Machines that die in the middle of a run: what the next one finds, and does.

use super::{LEADS, Team, ends};
use crate::faults::until;

/// Later than any lock lives.
fn later(team: &Team, arguments: &[&str]) -> crate::scene::Ran {
    start_later(team, "b", arguments).ends()
}

/// The same from a clone, under way.
fn start_later(team: &Team, clone: &str, arguments: &[&str]) -> crate::faults::Running {
    start_in(7, team, clone, arguments)
}

/// So many hours from now, by that machine's clock.
pub(super) fn start_in(hours: u32, team: &Team, clone: &str, arguments: &[&str]) -> crate::faults::Running {
    let mut command = team.command(clone, arguments);
    let ahead = format!("+{hours} hours");
    let soon = std::process::Command::new("date").args(["-u", "-d", &ahead, "+%Y-%m-%dT%H:%M:%SZ"]).output().unwrap();
    command.env("FOOTBRIDGE_NOW", String::from_utf8(soon.stdout).unwrap().trim());
    team.job.start_command(command)
}

const APPLY: [&str; 4] = ["apply", "notes", "--yes", "--push"];

#[test]
fn a_machine_that_dies_before_it_writes_leaves_a_lock_that_is_taken_over_in_time() {
    let team = Team::new(6);
    team.killed("path: 'query?q='", "delay");
    assert_eq!((team.locks().len(), team.intents()), (1, 0));
    team.apply("b").exits(1).says("machine-a").says("nothing was sent");
    assert_eq!(team.job.scene.write_calls(), 0);
    later(&team, &APPLY).exits(0).says("taken over");
    assert_eq!((team.locks().len(), team.logs().len()), (0, 1));
    assert_eq!(team.job.state(), team.job.wanted());
}

#[test]
fn without_its_values_a_dead_runs_records_are_told_as_unknown_and_planned_afresh() {
    let team = Team::new(LEADS);
    team.killed("method: PATCH, after: 1", "delay");
    assert_eq!((team.locks().len(), team.intents(), team.logs().len()), (1, 1, 0));
    // Young: it may be alive, and somebody has to know better.
    team.apply("b").exits(1).says("footbridge unlock");
    team.run("b", &["apply", "--resume", "--push"]).exits(1).says("machine-a");
    let run = team.run("b", &["unlock"]).exits(0).out.split_whitespace().nth(1).unwrap().to_owned();
    team.run("b", &["unlock", &run]).exits(1).says("--force");
    team.run("b", &["unlock", &run, "--force"]).exits(0).says("Its run log is missing").says("--push");
    // Nobody has the lock, and what the run was about to do is still there.
    assert_eq!((team.locks().len(), team.intents()), (0, 1));
    team.run("b", &["unlock"])
        .exits(0)
        .says("No lock is held")
        .says("machine-a")
        .says("410 records")
        .says("nobody holds");
    team.run("b", &["unlock", &run, "--force"]).exits(3).says("no lock on the remote");
    assert_eq!((team.locks().len(), team.intents()), (0, 1));
    team.apply("b").exits(0).says("died on machine-a").says("is not known");
    let logs = team.logs();
    assert_eq!(logs.len(), 2);
    assert_eq!((&logs[0]["status"], &logs[0]["exit"]), (&"Failed".into(), &"interrupted".into()));
    assert_eq!(ends(&logs[0]), [0, 0, 0, 0, LEADS as u64]);
    assert_eq!(logs[0]["problems"][0]["code"], "FB0844");
    // What the dead run had written is not written again.
    assert_eq!(ends(&logs[1]), [LEADS as u64 - 200, 0, 0, 0, 0]);
    assert_eq!((team.intents(), team.locks().len()), (0, 0));
    assert_eq!(team.job.state(), team.job.wanted());
    team.apply("b").exits(0).says("No changes");
}

#[test]
fn on_its_own_machine_a_killed_run_is_resumed_and_its_log_pushed() {
    let team = Team::new(LEADS);
    team.killed("method: PATCH, after: 1", "delay_answer");
    team.run("a", &APPLY).exits(1).says("apply notes --resume");
    // Without saying so: its intent is in the lock.
    team.run("a", &["apply", "--resume"]).exits(0).says("pushed to");
    let logs = team.logs();
    assert_eq!((logs.len(), ends(&logs[0])), (1, [LEADS as u64, 0, 0, 0, 0]));
    assert_eq!((team.intents(), team.locks().len(), team.journals("a")), (0, 0, 0));
    team.apply("b").exits(0).says("No changes");
}

#[test]
fn a_run_that_is_resumed_long_after_holds_its_lock_as_a_young_one() {
    let team = Team::new(LEADS);
    team.killed("method: PATCH, after: 1", "delay_answer");
    team.job.faults("- on: { method: PATCH }\n  action: { delay_answer: 100000 }\n");
    let resumed = start_later(&team, "a", &["apply", "--resume"]);
    until("the write", || team.job.org().held() == 1);
    // Begun seven hours ago, and at work since just now.
    later(&team, &APPLY).exits(1).says("machine-a").says("nothing was sent").never_says("taken for dead");
    team.job.org().clear_faults();
    resumed.signal("TERM");
    resumed.ends().says("pushed to");
    assert_eq!((team.logs().len(), team.intents(), team.locks().len()), (1, 0, 0));
    assert_eq!(team.job.state(), team.job.wanted());
}

#[test]
fn a_resume_elsewhere_clears_up_and_plans_nothing() {
    let team = Team::new(LEADS);
    team.killed("method: PATCH, after: 1", "delay");
    let before = team.job.scene.write_calls();
    later(&team, &["apply", "--resume", "--env", "sandbox", "--push"]).exits(0).says("died on machine-a");
    assert_eq!(team.job.scene.write_calls(), before, "nothing is written");
    assert_eq!((team.logs().len(), team.intents(), team.locks().len()), (1, 0, 0));
    team.run("b", &["apply", "--resume", "--push"]).exits(3).says("left unfinished");
}

/// A team whose runs keep their values beside their logs, and the key that opens them.
pub(super) fn with_values(leads: usize, after: bool) -> Team {
    use age::secrecy::ExposeSecret as _;
    let key = age::x25519::Identity::generate();
    let values = format!("values: {{ keep: committed, recipients: [{}], after: {after} }}\n", key.to_public());
    let mut team = Team::with(leads, &values);
    team.job.scene.set("FOOTBRIDGE_KEY", key.to_string().expose_secret());
    team
}

#[test]
fn killed_between_batches_each_records_end_is_found_by_the_other_machine() {
    for (after, on, action, updated) in [
        (true, "method: PATCH, after: 1", "delay", 200),
        (true, "method: PATCH, after: 1", "delay_answer", 400),
        (false, "method: PATCH, after: 2", "delay", 400),
        (true, "method: PATCH", "delay", 0),
    ] {
        let team = with_values(LEADS, after);
        team.killed(on, action);
        assert_eq!((team.intents(), team.in_locks(".values.age"), team.files().len()), (1, 1, 0));
        // Somebody edits a record of the last batch in the meantime, and one is deleted.
        let ids = team.job.ids();
        let edit = serde_json::json!({"WalkMe_Note__c": "by another"});
        team.job.org().edit("Lead", &ids[LEADS - 1], edit.as_object().unwrap()).unwrap();
        later(&team, &APPLY).exits(0).says("died on machine-a").says("taken over");
        let logs = team.logs();
        let left = LEADS as u64 - updated - 1;
        assert_eq!(ends(&logs[0]), [updated, 0, 0, left, 1], "{action} on {on}");
        assert_eq!((&logs[0]["status"], &logs[0]["trigger"]), (&"Failed".into(), &"apply".into()));
        assert_eq!(ends(&logs[1])[0], LEADS as u64 - updated);
        let outcomes = team.files().into_iter().find(|f| f.ends_with(".records.jsonl")).unwrap();
        let lines = team.file(&outcomes);
        assert_eq!(lines.matches("\"outcome\":\"updated\"").count() as u64, updated);
        assert_eq!(lines.matches("\"outcome\":\"unknown\"").count(), 1);
        assert_eq!(team.job.state(), team.job.wanted());
        assert_eq!((team.intents(), team.locks().len(), team.count(".values.age")), (0, 0, 2));
        // Not a value in the clear anywhere in git.
        let all = super::git(&team.remote(), &["log", "-p", "--all", "--text"]);
        assert!(!all.contains("old 1") && !all.contains("new 1") && !all.contains("@leads.example"));
    }
}

#[test]
fn a_dead_runs_log_that_cannot_be_pushed_goes_with_the_next() {
    let team = Team::new(6);
    team.killed("method: PATCH", "delay");
    let hook = team.refusing();
    later(&team, &APPLY).exits(1).says("FB0842").says("committed here").says("nothing was sent");
    assert_eq!((team.logs().len(), team.intents(), team.locks().len()), (0, 1, 0));
    assert_eq!(team.job.scene.write_calls(), 0);
    std::fs::remove_file(hook).unwrap();
    later(&team, &APPLY).exits(0).never_says("died on");
    let logs = team.logs();
    assert_eq!(logs.len(), 2);
    assert_eq!((&logs[0]["exit"], &logs[0]["problems"][0]["code"]), (&"interrupted".into(), &"FB0844".into()));
    assert_eq!((team.intents(), team.locks().len()), (0, 0));
    assert_eq!(team.job.state(), team.job.wanted());
}

/// The files of the branch in a clone are those of the remote.
#[track_caller]
fn has_all(team: &Team, clone: &str) {
    let tip = |folder: &std::path::Path| super::git(folder, &["rev-parse", super::RUNS]);
    assert_eq!(tip(&team.clone_of(clone)), tip(&team.remote()));
}

#[test]
fn the_own_log_of_a_run_that_was_taken_for_dead_takes_the_place_of_the_other_machines() {
    let team = Team::new(6);
    let hook = team.remote().join("hooks/update");
    team.during("method: PATCH", || drop(team.refusing())).exits(1).says("FB0842").says("committed here");
    std::fs::remove_file(hook).unwrap();
    assert_eq!((team.logs().len(), team.intents(), team.locks().len()), (0, 1, 0));
    team.apply("b").exits(0).says("died on machine-a").says("No changes");
    assert_eq!((team.logs().len(), ends(&team.logs()[0])), (2, [0, 0, 0, 0, 6]));
    let run = team.logs()[0]["id"].as_str().unwrap().to_owned();
    // What a knows of its own run is truer than what b found out.
    team.run("a", &["runs", "show", &run]).exits(0).says("Completed");
    team.apply("a").exits(0).says(&run).says("its own log is on the branch now");
    let logs = team.logs();
    assert_eq!((logs.len(), ends(&logs[0]), &logs[0]["status"]), (3, [6, 0, 0, 0, 0], &"Completed".into()));
    let outcomes = team.files().into_iter().find(|f| f.ends_with(&format!("{run}.records.jsonl"))).unwrap();
    assert_eq!(team.file(&outcomes).matches("\"outcome\":\"updated\"").count(), 6);
    has_all(&team, "a");
    // Once and for all, for either of them.
    team.apply("a").exits(0).never_says("its own log");
    team.apply("b").exits(0).never_says("its own log");
    assert_eq!((team.logs().len(), ends(&team.logs()[0])), (5, [6, 0, 0, 0, 0]));
    assert_eq!((team.intents(), team.locks().len()), (0, 0));
}

#[test]
fn of_two_machines_that_clear_up_after_one_run_the_log_on_the_remote_counts() {
    let team = Team::new(6);
    team.killed("method: PATCH", "delay");
    let hook = team.refusing();
    later(&team, &APPLY).exits(1).says("FB0842").says("committed here");
    std::fs::remove_file(hook).unwrap();
    team.another("c");
    start_in(8, &team, "c", &APPLY).ends().exits(0).says("died on machine-a");
    let log = team.files().into_iter().find(|f| f.ends_with("Z.yaml")).unwrap();
    let before = team.file(&log);
    let said = start_in(9, &team, "b", &APPLY).ends().exits(0).says("that one counts");
    assert_eq!((team.file(&log), team.logs().len()), (before.clone(), 3));
    // The other one is not lost.
    let shown = said.err.split("git show ").nth(1).unwrap().split('`').next().unwrap();
    let kept = super::git(&team.clone_of("b"), &["show", shown]);
    assert!(kept.contains("FB0844") && kept != before, "{kept}");
    has_all(&team, "b");
    start_in(10, &team, "b", &APPLY).ends().exits(0).never_says("that one counts");
}

#[test]
fn a_run_that_another_machine_has_cleared_up_is_not_carried_on_by_its_own() {
    for push in [false, true] {
        let team = Team::new(LEADS);
        team.killed("method: PATCH, after: 1", "delay_answer");
        later(&team, &["apply", "--resume", "--env", "sandbox", "--push"]).exits(0).says("died on machine-a");
        let (calls, log) = (team.job.scene.write_calls(), team.logs());
        let resume = ["apply", "--resume", "--push"];
        team.run("a", &resume[..2 + usize::from(push)]).exits(0).says("was cleared up by another machine");
        assert_eq!((team.job.scene.write_calls(), team.logs()), (calls, log));
        assert_eq!((team.journals("a"), team.locks().len()), (0, 0));
        team.apply("a").exits(0);
        assert_eq!((team.logs().len(), team.job.state()), (2, team.job.wanted()));
    }
}

#[test]
fn a_resume_that_fails_keeps_the_lock_of_a_run_that_had_begun_to_write() {
    let team = Team::new(LEADS);
    team.killed("method: PATCH, after: 1", "delay_answer");
    // The remote is gone as soon as the lock has been taken over.
    let (taken, slow) = (team.clone_of("taken"), team.clone_of("upload.sh"));
    team.remote_does(&format!("case \"$1\" in refs/heads/footbridge-lock/*) touch '{}';; esac\n", taken.display()));
    std::fs::write(&slow, format!("#!/bin/sh\n[ -e '{}' ] && exit 1\nexec git-upload-pack \"$@\"\n", taken.display()))
        .unwrap();
    super::executable(&slow);
    super::git(&team.clone_of("a"), &["config", "remote.origin.uploadpack", slow.to_str().unwrap()]);
    team.run("a", &["apply", "--resume"]).exits(1).says("fetch the branch").says("nothing was sent");
    assert!(taken.exists());
    assert_eq!((team.locks().len(), team.intents(), team.journals("a")), (1, 1, 1));
    team.apply("b").exits(1).says("machine-a");
    std::fs::remove_file(team.remote().join("hooks/update")).unwrap();
    std::fs::remove_file(taken).unwrap();
    team.run("a", &["apply", "--resume"]).exits(0).says("pushed to");
    assert_eq!((team.logs().len(), team.intents(), team.locks().len()), (1, 0, 0));
    assert_eq!(team.job.state(), team.job.wanted());
}

#[test]
fn with_another_key_the_ends_are_unknown_and_the_log_says_why() {
    let mut team = with_values(6, true);
    team.killed("method: PATCH", "delay_answer");
    use age::secrecy::ExposeSecret as _;
    let other = age::x25519::Identity::generate();
    team.job.scene.set("FOOTBRIDGE_KEY", other.to_string().expose_secret());
    later(&team, &APPLY).exits(0).says("encrypted to other keys").says("FOOTBRIDGE_KEY");
    assert_eq!(ends(&team.logs()[0]), [0, 0, 0, 0, 6]);
    assert_eq!(team.job.state(), team.job.wanted());
}

#[test]
fn killed_in_the_middle_of_a_bulk_job_the_next_machine_waits_for_it() {
    let team = with_values(60, true);
    for clone in ["a", "b"] {
        let path = team.clone_of(clone).join("integrations/notes.yaml");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("read: lookup\n", "read: lookup\nwrite: bulk\n")).unwrap();
    }
    // Closed and at work when the machine dies.
    team.killed("method: GET, path: jobs/ingest/750", "delay");
    assert_eq!((team.intents(), team.job.org().jobs().len()), (1, 1));
    later(&team, &APPLY).exits(0).says("died on machine-a").says("No changes");
    let logs = team.logs();
    assert_eq!(ends(&logs[0]), [60, 0, 0, 0, 0], "{}", logs[0]);
    assert_eq!(team.job.org().jobs().len(), 1, "no second job");
    assert_eq!(team.job.state(), team.job.wanted());
}
