//! The loop as a team lives it: a mapping is changed on a branch, planned on the pull request and told in its one comment, merged, applied when it is due by a
//! machine that dies in the middle, carried on by another, seen on a page, found wrong, and taken back.

use super::dying::with_values;
use super::{LEADS, Team, ends, git};
use crate::faults::until;
use crate::review::forge::Fake;
use crate::review::variables;
use crate::scene::Ran;

const DUE: [&str; 4] = ["apply", "--due", "--yes", "--push"];

/// Runs as CI does on the pull request of clone `a`.
#[track_caller]
fn on_the_pull_request(team: &Team, forge: &Fake, arguments: &[&str]) -> Ran {
    let mut command = team.command("a", arguments);
    command.envs(variables(&team.job.scene, false)).env("GITHUB_TOKEN", "ghs_secret");
    command.env("GITHUB_API_URL", format!("{}/api", forge.url));
    team.job.start_command(command).ends()
}

/// Plans the branch and puts the plan into the comment; the comment's text.
#[track_caller]
fn reviewed(team: &Team, forge: &Fake, said: &str) -> String {
    git(&team.clone_of("a"), &["fetch", "--quiet", "origin"]);
    let plan = on_the_pull_request(team, forge, &["plan", "--base", "origin/main", "--format", "markdown"]).exits(0);
    std::fs::write(team.clone_of("a").join("exports/review.md"), &plan.out).unwrap();
    on_the_pull_request(team, forge, &["ci", "comment", "exports/review.md"]).exits(0).says(said);
    let comments = forge.comments();
    assert_eq!(comments.len(), 1, "one comment");
    comments[0].1.clone()
}

/// The pages of run logs that a clone makes: the text of all of them.
#[track_caller]
fn pages(team: &Team, at: &str) -> String {
    team.run(at, &["report", "--out", "exports/pages"]).exits(0);
    let mut all = String::new();
    let mut folders = vec![team.clone_of(at).join("exports/pages")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                all.push_str(&std::fs::read_to_string(path).unwrap_or_default());
            }
        }
    }
    all
}

#[test]
fn the_whole_loop() {
    let mut team = with_values(LEADS, true);
    let before = team.job.state();
    let forge = Fake::start();
    let (a, b) = (team.clone_of("a"), team.clone_of("b"));

    // A branch gives the counts an integration of their own, and has the notes applied every day.
    team.at("2026-11-23T08:00:00Z");
    git(&a, &["checkout", "--quiet", "-b", "change"]);
    let path = a.join("integrations/notes.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("  WalkMe_Count__c: Count\n", "")).unwrap();
    let counts = text.replace("name: notes", "name: counts").replace("  WalkMe_Note__c: Note\n", "");
    std::fs::write(a.join("integrations/counts.yaml"), counts).unwrap();
    git(&a, &["add", "integrations"]);
    git(&a, &["commit", "--quiet", "-m", "The counts by themselves"]);
    let comment = reviewed(&team, &forge, "comment posted");
    assert!(comment.contains("WalkMe_Note__c") && comment.contains("WalkMe_Count__c"), "{comment}");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("sandbox: {}", "sandbox: { schedule: daily }")).unwrap();
    git(&a, &["commit", "--quiet", "-am", "Every day"]);
    git(&a, &["push", "--quiet", "origin", "change"]);
    let comment = reviewed(&team, &forge, "comment updated");
    assert!(comment.contains("sandbox.schedule") && comment.contains("410") && comment.len() < 60_000, "{comment}");
    assert!(!comment.contains("new 1") && !comment.contains("old 1") && !comment.contains("@leads.example"));
    assert_eq!(team.job.scene.write_calls(), 0);

    // Merged. At nine it is due, and the machine dies between two batches.
    git(&b, &["pull", "--quiet", "--ff-only", "origin", "change"]);
    git(&b, &["push", "--quiet", "origin", "HEAD:main"]);
    team.at("2026-11-23T09:05:00Z");
    team.run("b", &["due"]).exits(0).says("it never ran");
    team.job.faults("- on: { method: PATCH, after: 1 }\n  action: { delay: 100000 }\n");
    let running = team.start("b", &DUE);
    until("the second batch", || team.job.org().held() == 1);
    // Meanwhile nobody else may.
    team.run("a", &DUE).exits(1).says("machine-b");
    running.kill();
    until("the connection's end", || team.job.org().held() == 0);
    team.job.org().clear_faults();

    // Hours later another machine tells what the dead one did, and does the rest, while a third applies the counts and pushes their log.
    team.at("2026-11-23T16:30:00Z");
    team.another("c");
    team.job.faults("- on: { method: PATCH, times: 2 }\n  action: { delay: 1500 }\n");
    let running = team.start("c", &DUE);
    until("the write of the notes", || team.job.org().held() == 1);
    team.run("a", &["apply", "counts", "--yes", "--push"]).exits(0);
    running.ends().exits(0).says("died on machine-b");
    let logs = team.logs();
    let of = |name: &str| logs.iter().filter(|log| log["integration"] == name).collect::<Vec<_>>();
    let (notes, counts) = (of("notes"), of("counts"));
    assert_eq!((notes.len(), ends(notes[0]), ends(notes[1])), (2, [200, 0, 0, 210, 0], [210, 0, 0, 0, 0]));
    assert_eq!((counts.len(), ends(counts[0])), (1, [LEADS as u64, 0, 0, 0, 0]));
    assert_eq!((&notes[0]["status"], &notes[1]["status"]), (&"Failed".into(), &"Completed".into()));
    assert_eq!(team.job.state(), team.job.wanted());
    team.run("c", &DUE).exits(0).says("nothing is to be run");
    let seen = pages(&team, "c");
    for told in ["counts", "notes", "2026-11-23T090500Z", "2026-11-23T163000Z"] {
        assert!(seen.contains(told), "{told} is on no page");
    }

    // It was wrong: a machine that has nothing but the branch and the key takes back all of it, the newest first.
    team.at("2026-11-23T17:00:00Z");
    team.another("d");
    for log in [counts[0], notes[1], notes[0]] {
        let run = format!("{}/{}", log["integration"].as_str().unwrap(), log["id"].as_str().unwrap());
        // The counts were blank before: taking them back clears, which is to be said.
        team.run("d", &["undo", &run, "--yes", "--push", "--waive", "max_clears"]).exits(0);
    }
    assert_eq!(team.job.state(), before);
    let mut undone: Vec<u64> =
        team.logs().iter().filter(|log| log["trigger"] == "undo").map(|log| ends(log)[0]).collect();
    undone.sort_unstable();
    assert_eq!((undone, team.logs().len()), (vec![200, 210, LEADS as u64], 6));
    assert!(pages(&team, "d").contains("2026-11-23T170000Z-2"));
    assert_eq!((team.intents(), team.locks().len(), team.count(".values.age")), (0, 0, 6));
}
