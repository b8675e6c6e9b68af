//! `runs prune` where run logs lie on the branch: plain values go from this machine, and with `--push` old files from the branch's tip.

use footbridge::runlog::git::{Author, Branch, Change, Content, Git, Pauses};
use serde_json::Value;

use super::{RUNS, Team, git};

/// An identity's public half, made for these tests alone.
const RECIPIENT: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

/// A day at nine in December: a report with other notes, brought to the clone and applied there.
#[track_caller]
fn day(team: &mut Team, at: &str, day: u32, how: &str) {
    team.job.scene.set("FOOTBRIDGE_NOW", &format!("2026-12-{day:02}T09:00:00Z"));
    let report: String = team.job.scene.read("exports/notes.csv");
    let lines = report.lines().map(|l| if l.contains(",new ") { format!("{l}{day}\n") } else { format!("{l}\n") });
    team.job.scene.write("exports/notes.csv", &lines.collect::<String>());
    team.report(at);
    team.run(at, &["apply", "notes", "--yes", how]).exits(0).says("6 of 6 records updated");
}

fn later(team: &mut Team) {
    team.job.scene.set("FOOTBRIDGE_NOW", "2027-03-01T09:00:00Z");
}

/// Files of this machine's values.
fn values(team: &Team, at: &str) -> usize {
    let mut found = 0;
    crate::faults::walk(&team.clone_of(at).join(".footbridge/values"), &mut |_| found += 1);
    found
}

fn json(out: &str) -> Value {
    serde_json::from_str(out).unwrap_or_else(|e| panic!("{e}: {out}"))
}

#[test]
fn old_outcomes_and_committed_values_go_from_the_branch_in_one_commit_and_stay_gone() {
    let mut team = Team::with(6, &format!("values: {{ keep: committed, recipients: [{RECIPIENT}] }}\n"));
    // Clone a has a branch of its own, which falls behind.
    day(&mut team, "a", 1, "--commit");
    day(&mut team, "a", 2, "--push");
    day(&mut team, "b", 3, "--push");
    day(&mut team, "b", 4, "--push");
    later(&mut team);
    assert_eq!((team.count(".records.jsonl"), team.count(".values.age")), (4, 4));
    let before = team.subjects().len();
    team.run("b", &["runs", "prune", "--keep", "7d", "--yes"])
        .exits(0)
        .says("Nothing to remove")
        .says("3 runs have older files on the branch")
        .says("--push");
    let view = json(&team.run("b", &["runs", "prune", "--keep", "7d", "--push", "--dry-run", "--json"]).exits(0).out);
    assert_eq!((view["branch"].as_array().unwrap().len(), &view["removed"]), (6, &false.into()), "{view}");
    assert_eq!((&view["runs"], &view["staying"], &view["elsewhere"]), (&3.into(), &1.into(), &0.into()));
    team.run("b", &["runs", "prune", "--keep", "7d", "--push"]).exits(3).says("nothing was removed").says("--yes");
    assert_eq!(team.subjects().len(), before, "nothing is pushed before it is confirmed");

    team.run("b", &["runs", "prune", "--keep", "7d", "--push", "--yes"])
        .exits(0)
        .says("6 files removed from the branch")
        .says("Git's history of the branch still holds")
        .says("pushed to `footbridge-runs` of origin");
    assert_eq!((team.subjects().len(), team.subjects()[0].as_str()), (before + 1, "Pruned: 6 files of older runs"));
    assert_eq!((team.logs().len(), team.count(".records.jsonl"), team.count(".values.age")), (4, 1, 1));
    assert!(team.files().iter().any(|f| f.ends_with("2026-12-04T090000Z.values.age")), "{:?}", team.files());
    // What is left reads, and what is gone is told.
    team.run("b", &["runs", "show", "2026-12-01T090000Z"]).exits(0).says("are not there any more");
    team.run("b", &["runs", "prune", "--keep", "7d", "--push", "--yes"]).exits(0).says("Nothing to remove");

    // A clone whose own branch has the files from before brings its new ones alone.
    let a = team.clone_of("a");
    assert_eq!(git(&a, &["ls-tree", "-r", "--name-only", RUNS]).matches(".values.age").count(), 2);
    team.run("a", &["apply", "notes", "--yes", "--push"]).exits(0);
    assert_eq!((team.logs().len(), team.count(".values.age")), (5, 2), "{:?}", team.files());
    assert_eq!(git(&a, &["rev-parse", RUNS]), git(&team.remote(), &["rev-parse", RUNS]));
}

#[test]
fn plain_values_of_runs_whose_logs_are_on_the_branch_alone_go_with_age() {
    let mut team = Team::with(6, "git: {}\n");
    for number in 1..=3 {
        day(&mut team, "a", number, "--push");
    }
    later(&mut team);
    assert!(!team.clone_of("a").join("runs").exists(), "the logs are on the branch");
    assert_eq!(values(&team, "a"), 3);
    let ran = team.run("a", &["runs", "prune", "--keep", "7d", "--yes", "--json"]).exits(0);
    let view = json(&ran.out);
    assert_eq!((view["files"].as_array().unwrap().len(), &view["removed"]), (2, &true.into()), "{view}");
    assert_eq!((&view["runs"], &view["staying"], &view["elsewhere"]), (&2.into(), &1.into(), &2.into()));
    assert_eq!((values(&team, "a"), team.count(".records.jsonl")), (1, 3));
    // The machine that has none of them has nothing to remove.
    team.run("b", &["runs", "prune", "--keep", "7d", "--yes"]).exits(0).says("Nothing to remove").says("1 run stays");
}

#[test]
fn a_run_whose_intent_is_on_the_branch_keeps_everything() {
    let mut team = Team::new(6);
    for number in 1..=3 {
        day(&mut team, "a", number, "--push");
    }
    later(&mut team);
    let first = team.files().into_iter().find(|f| f.ends_with("2026-12-01T090000Z.yaml")).unwrap();
    let change = Change { path: first.replace(".yaml", ".intent.yaml"), content: Content::Bytes(b"x".to_vec()) };
    let repository = Git::open(&team.clone_of("b"), Pauses::none()).unwrap();
    let branch = Branch::new(repository, RUNS, "origin", Some(Author::nobody()));
    branch.push(&[change], "a run under way", "2027-03-01T08:00:00Z".parse().unwrap()).unwrap();
    team.run("a", &["runs", "prune", "--keep-last", "0", "--push", "--yes"]).exits(0);
    let kept = |day: u32| team.files().iter().any(|f| f.ends_with(&format!("2026-12-{day:02}T090000Z.records.jsonl")));
    assert_eq!([kept(1), kept(2), kept(3)], [true, false, true], "{:?}", team.files());
    assert_eq!(values(&team, "a"), 2);
}

#[test]
fn with_the_remote_gone_nothing_is_removed() {
    let mut team = Team::new(6);
    day(&mut team, "a", 1, "--push");
    day(&mut team, "a", 2, "--push");
    later(&mut team);
    std::fs::rename(team.remote(), team.clone_of("gone.git")).unwrap();
    let prune = ["runs", "prune", "--keep", "7d", "--push", "--yes"];
    team.run("a", &prune).exits(1).says("nothing was removed");
    assert_eq!(values(&team, "a"), 2);
    // A remote that refuses the push comes to the same: the branch goes first.
    std::fs::rename(team.clone_of("gone.git"), team.remote()).unwrap();
    let hook = team.remote().join("hooks/update");
    std::fs::write(&hook, "#!/bin/sh\necho 'protected by rule' >&2\nexit 1\n").unwrap();
    super::executable(&hook);
    team.run("a", &prune).exits(1).says("nothing was removed");
    assert_eq!((values(&team, "a"), team.count(".records.jsonl")), (2, 2));
}
