//! Machines that die in the middle of a run: what the next one finds, and does.

use super::{LEADS, Team, ends};
use crate::faults::until;

/// Later than any lock lives.
fn later(team: &Team, arguments: &[&str]) -> crate::scene::Ran {
    let mut command = team.command("b", arguments);
    // Seven hours from now, by this machine's clock.
    let soon = std::process::Command::new("date").args(["-u", "-d", "+7 hours", "+%Y-%m-%dT%H:%M:%SZ"]).output().unwrap();
    command.env("FOOTBRIDGE_NOW", String::from_utf8(soon.stdout).unwrap().trim());
    team.job.start_command(command).ends()
}

const APPLY: [&str; 4] = ["apply", "notes", "--yes", "--push"];

#[test]
fn a_machine_that_dies_before_it_writes_leaves_a_lock_that_is_taken_over_in_time() {
    let team = Team::new(6);
    team.killed("path: 'query?q='", "delay");
    assert_eq!((team.locks().len(), team.count(".intent.yaml")), (1, 0));
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
    assert_eq!((team.locks().len(), team.count(".intent.yaml"), team.count("Z.yaml")), (1, 1, 0));
    // Young: it may be alive, and somebody has to know better.
    team.apply("b").exits(1).says("footbridge unlock");
    team.run("b", &["apply", "--resume", "--push"]).exits(1).says("machine-a");
    let run = team.run("b", &["unlock"]).exits(0).out.split_whitespace().nth(1).unwrap().to_owned();
    team.run("b", &["unlock", &run]).exits(1).says("--force");
    team.run("b", &["unlock", &run, "--force"]).exits(0).says("Its run log is missing").says("--push");
    assert!(team.locks().is_empty());
    team.apply("b").exits(0).says("died on machine-a").says("is not known");
    let logs = team.logs();
    assert_eq!(logs.len(), 2);
    assert_eq!((&logs[0]["status"], &logs[0]["exit"]), (&"Failed".into(), &"interrupted".into()));
    assert_eq!(ends(&logs[0]), [0, 0, 0, 0, LEADS as u64]);
    assert_eq!(logs[0]["problems"][0]["code"], "FB0834");
    // What the dead run had written is not written again.
    assert_eq!(ends(&logs[1]), [LEADS as u64 - 200, 0, 0, 0, 0]);
    assert_eq!((team.count(".intent.yaml"), team.locks().len()), (0, 0));
    assert_eq!(team.job.state(), team.job.wanted());
    team.apply("b").exits(0).says("No changes");
}

#[test]
fn on_its_own_machine_a_killed_run_is_resumed_and_its_log_pushed() {
    let team = Team::new(LEADS);
    team.killed("method: PATCH, after: 1", "delay_answer");
    team.run("a", &APPLY).exits(1).says("apply --resume");
    // Without saying so: its intent is on the branch.
    team.run("a", &["apply", "--resume"]).exits(0).says("pushed to");
    let logs = team.logs();
    assert_eq!((logs.len(), ends(&logs[0])), (1, [LEADS as u64, 0, 0, 0, 0]));
    assert_eq!((team.count(".intent.yaml"), team.locks().len(), team.journals("a")), (0, 0, 0));
    team.apply("b").exits(0).says("No changes");
}

#[test]
fn a_resume_elsewhere_clears_up_and_plans_nothing() {
    let team = Team::new(LEADS);
    team.killed("method: PATCH, after: 1", "delay");
    let before = team.job.scene.write_calls();
    later(&team, &["apply", "--resume", "--env", "sandbox"]).exits(0).says("died on machine-a");
    assert_eq!(team.job.scene.write_calls(), before, "nothing is written");
    assert_eq!((team.logs().len(), team.count(".intent.yaml"), team.locks().len()), (1, 0, 0));
    team.run("b", &["apply", "--resume", "--push"]).exits(3).says("left unfinished");
    until("nothing", || true);
}
