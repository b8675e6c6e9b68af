//! Runs that died, or ended before their job did: the values of what they wrote are found all the same, and the run before them is not hidden.

use super::*;
use crate::faults::{Job, Running, until};
use crate::gitops::{Team, ends};

/// Another report: every note is to change again.
fn newer(team: &Team) {
    let report = team.job.scene.read("exports/notes.csv").replace(",new ", ",newer ");
    team.job.scene.write("exports/notes.csv", &report);
    for clone in ["a", "b"] {
        team.report(clone);
    }
}

fn ids(team: &Team) -> Vec<String> {
    team.logs().iter().map(|log| log["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_dead_run_of_which_nothing_is_known_is_told_and_does_not_hide_the_one_before_it() {
    let mut team = Team::with(6, "values: { keep: local }\n");
    team.at("2026-11-01T09:00:00Z");
    team.apply("b").exits(0);
    newer(&team);
    // Everything of it reaches the org; its values are on the machine that dies.
    team.at("2026-11-02T09:00:00Z");
    team.killed("method: PATCH", "delay_answer");
    team.at("2026-11-03T09:00:00Z");
    team.apply("b").exits(0).says("died on machine-a").says("No changes");
    let (logs, ids) = (team.logs(), ids(&team));
    assert_eq!((logs.len(), ends(&logs[1]), ends(&logs[2])), (3, [0, 0, 0, 0, 6], [0; 5]));

    let drift = team.run("b", &["drift", "notes", "--detailed-exitcode"]).exits(1).says("FB0931");
    drift.says(&format!("which records run {} wrote is not known (6 records planned)", ids[1])).says(&ids[0]);
    let calls = team.job.scene.write_calls();
    let undo = team.run("b", &["undo", "notes", "--yes"]).exits(1).says("FB0832").says("of 6 records it is not known");
    undo.says(&format!("footbridge undo {}", ids[0]));
    assert_eq!(team.job.scene.write_calls(), calls);

    // What the last run that is known to have written needs stays.
    team.run("b", &["runs", "prune", "--keep-last", "0", "--logs", "--push", "--yes"]).exits(0);
    assert_eq!(team.logs().len(), 3);
    let left = team.run("b", &["undo", &ids[0], "--out", "undo.jsonl"]).exits(0);
    left.says("6 fields left alone: changed since the run").says("6 records");
}

/// All in one job.
const LEADS_OF_A_JOB: usize = 30;

/// Lets the integration in this file write by bulk jobs.
fn by_jobs(path: &std::path::Path) {
    let text = std::fs::read_to_string(path).unwrap();
    std::fs::write(path, text.replace("read: lookup\n", "read: lookup\nwrite: bulk\n")).unwrap();
}

/// Ends an apply while its job is at work; the job ends after that.
#[track_caller]
fn left(job: &Job, start: impl FnOnce() -> Running) {
    job.faults("- on: { method: POST, path: jobs/ingest }\n  action: { job: { never: true, pause_after: 7 } }\n");
    let running = start();
    until("the job", || job.org().jobs().iter().any(|j| j.polls > 1));
    running.signal("TERM");
    running.ends().exits(1).says("apply notes --resume");
    job.org().clear_faults();
    job.org().release_jobs();
}

#[test]
fn a_run_that_left_its_job_and_was_resumed_is_pruned_around_compared_and_taken_back() {
    let job = Job::new(LEADS_OF_A_JOB, "lookup");
    by_jobs(&job.scene.path("integrations/notes.yaml"));
    let before = job.state();
    left(&job, || job.start(&["apply", "notes", "--yes"]));
    job.resume().exits(0);
    assert_eq!(job.state(), job.wanted());
    let all = logs(&job.scene);
    let [first, second] = all.as_slice() else { panic!("{all:?}") };
    let id = first["id"].as_str().unwrap();
    assert_eq!(second["id"], json!(format!("{id}-2")));
    assert_eq!(second["values"]["file"], json!(format!("{id}.jsonl")));
    job.run(&["runs", "prune", "--keep-last", "0", "--logs", "--yes"]).exits(0).says("Nothing to remove");
    let drift: Value = serde_json::from_str(&job.run(&["drift", "notes", "--json"]).exits(0).out).unwrap();
    let one = &drift["integrations"][0];
    assert_eq!((&one["run"], &one["known_by"]), (&second["id"], &json!("values")));
    assert_eq!((&one["written"], &one["differ"], &one["unknown"]), (&json!(LEADS_OF_A_JOB), &json!(0), &json!(0)));
    job.run(&["undo", "notes", "--yes", "--waive", "max_clears"]).exits(0).says("30 of 30 records updated");
    assert_eq!(job.state(), before);
}

#[test]
fn on_the_branch_as_well_a_resumed_run_finds_the_values_of_its_first_log() {
    use age::secrecy::ExposeSecret as _;
    let key = age::x25519::Identity::generate();
    let values = format!("values: {{ keep: committed, recipients: [{}] }}\n", key.to_public());
    let mut team = Team::with(LEADS_OF_A_JOB, &values);
    team.job.scene.set("FOOTBRIDGE_KEY", key.to_string().expose_secret());
    for clone in ["a", "b"] {
        by_jobs(&team.clone_of(clone).join("integrations/notes.yaml"));
    }
    let before = team.job.state();
    left(&team.job, || team.start("a", &["apply", "notes", "--yes", "--push"]));
    team.run("a", &["apply", "--resume", "--push"]).exits(0);
    let (logs, ids) = (team.logs(), ids(&team));
    assert_eq!(ids, [ids[0].clone(), format!("{}-2", ids[0])]);
    let note = &logs[1]["values"];
    assert_eq!((&note["keep"], &note["file"]), (&json!("committed"), &json!(format!("{}.values.age", ids[0]))));
    // From another clone, which knows the branch alone.
    let b = team.clone_of("b");
    crate::gitops::git(&b, &["fetch", "--quiet", "origin", &format!("{0}:{0}", crate::gitops::RUNS)]);
    team.run("b", &["runs", "prune", "--keep-last", "0", "--logs", "--push", "--yes"])
        .exits(0)
        .says("Nothing to remove");
    let drift: Value = serde_json::from_str(&team.run("b", &["drift", "notes", "--json"]).exits(0).out).unwrap();
    let one = &drift["integrations"][0];
    assert_eq!((&one["run"], &one["known_by"]), (&logs[1]["id"], &json!("values")));
    team.run("b", &["undo", "notes", "--yes", "--waive", "max_clears"]).exits(0).says("30 of 30 records updated");
    assert_eq!(team.job.state(), before);
}
