//! What a run is about to do: in its lock on the remote from before its first write until its log is on the branch, whoever has the lock meanwhile.

use footbridge::runlog::git::{Author, Branch, Change, Content, Git, LockNote, Pauses, RemoteLock, Taken};

use super::dying::{start_in, with_values};
use super::{LEADS, RUNS, Team, ends, git};
use crate::faults::until;

const APPLY: [&str; 4] = ["apply", "notes", "--yes", "--push"];

/// The one lock's files, and its note.
fn lock(team: &Team) -> (Vec<String>, String) {
    let [(name, files)] = team.lock_branches().try_into().unwrap();
    let note = match files.iter().any(|f| f == "lock.yaml") {
        true => git(&team.remote(), &["show", &format!("{name}:lock.yaml")]),
        false => String::new(),
    };
    (files, note)
}

fn branch_of(team: &Team, clone: &str) -> Branch {
    let git = Git::open(&team.clone_of(clone), Pauses::none()).unwrap();
    Branch::new(git, RUNS, "origin", Some(Author::nobody()))
}

#[test]
fn the_intent_of_a_killed_run_is_in_its_lock_and_goes_through_every_hand_that_takes_it() {
    let team = with_values(LEADS, true);
    // Whatever is pushed follows upon what was there.
    git(&team.remote(), &["config", "receive.denyNonFastForwards", "true"]);
    team.killed("method: PATCH, after: 1", "delay");
    let (files, note) = lock(&team);
    assert!(note.contains("machine-a"), "{note}");
    let [intent, values] = [".intent.yaml", ".values.age"].map(|end| files.iter().find(|f| f.ends_with(end)).unwrap());
    assert!(intent.starts_with("runs/notes/") && values.starts_with("runs/notes/"), "{files:?}");
    assert!(team.files().is_empty(), "nothing is on the branch of run logs");
    // The next machine takes the lock over, and dies while it reads the records again.
    team.job.faults("- on: { path: composite/sobjects/Lead }\n  action: { delay: 100000 }\n");
    let running = start_in(7, &team, "b", &APPLY);
    until("the records", || team.job.org().held() == 1);
    running.kill();
    until("the connection's end", || team.job.org().held() == 0);
    team.job.org().clear_faults();
    let (after, note) = lock(&team);
    assert!(note.contains("machine-b") && after == files, "{note}{after:?}");
    // Somebody gives up on that one, too.
    let run = team.run("a", &["unlock"]).exits(0).says("machine-b").out.split_whitespace().nth(1).unwrap().to_owned();
    team.run("a", &["unlock", &run, "--force"]).exits(0);
    assert_eq!(lock(&team).0, [intent.clone(), values.clone()]);
    // A clone that has nothing of all that.
    let url = format!("file://{}", team.remote().display());
    git(team.job.scene.root(), &["clone", "--quiet", "--depth=1", "--single-branch", &url, "shallow"]);
    team.report("shallow");
    team.apply("shallow").exits(0).says("died on machine-a");
    let logs = team.logs();
    assert_eq!((ends(&logs[0]), ends(&logs[1])), ([200, 0, 0, 210, 0], [210, 0, 0, 0, 0]));
    assert_eq!((team.lock_branches().len(), team.count(".values.age"), team.subjects().len()), (0, 2, 2));
    assert_eq!(team.job.state(), team.job.wanted());
    // What was overwritten by the dead run can be had from its log.
    team.another("d");
    team.run("d", &["undo", logs[0]["id"].as_str().unwrap(), "--yes", "--push", "--waive", "max_clears"]).exits(0);
    assert_eq!(ends(&team.logs()[2])[0], 200);
}

#[test]
fn a_run_whose_lock_was_taken_away_before_its_first_write_sends_nothing() {
    for another in [false, true] {
        let team = Team::new(6);
        let taken = || {
            let (_, note) = lock(&team);
            let note: LockNote = serde_yaml::from_str(&note).unwrap();
            team.run("b", &["unlock", &note.run, "--force"]).exits(0).says("had not begun to write");
            assert!(team.lock_branches().is_empty());
            if another {
                let note = LockNote { host: "machine-c".to_owned(), nonce: 1, ..note };
                let taken = RemoteLock::take(&branch_of(&team, "b"), &note, note.started).unwrap();
                assert!(matches!(taken, Taken::Ours(_)));
            }
        };
        let whose = if another { "machine-c has it" } else { "nobody has it" };
        team.during("path: 'query?q='", taken).exits(1).says("FB0843").says(whose).says("nothing was sent");
        assert_eq!((team.job.scene.write_calls(), team.journals("a"), team.intents()), (0, 0, 0));
        // The other's lock is left alone, and the run has its log.
        assert_eq!((team.locks().len(), team.logs().len()), (usize::from(another), 1));
        assert_eq!(team.logs()[0]["problems"][0]["code"], "FB0843");
    }
}

/// Brings the killed run's intent and values to the branch of run logs, where they once lay, and takes the lock away.
fn as_it_was(team: &Team) {
    let [(name, files)] = team.lock_branches().try_into().unwrap();
    git(&team.clone_of("b"), &["fetch", "--quiet", "origin", &name]);
    let blob = |path: &String| git(&team.clone_of("b"), &["rev-parse", &format!("FETCH_HEAD:{path}")]);
    let change = |path: &String| Change { path: path.clone(), content: Content::Kept(blob(path)) };
    let changes: Vec<Change> = files.iter().filter(|f| *f != "lock.yaml").map(change).collect();
    assert_eq!(changes.len(), 2);
    branch_of(team, "b").push(&changes, "begins to write\n", "2026-11-22T08:00:00Z".parse().unwrap()).unwrap();
    git(&team.remote(), &["update-ref", "-d", &format!("refs/heads/{name}")]);
    let kept = git(&team.clone_of("a"), &["for-each-ref", "--format=%(refname)", "refs/footbridge/locks/"]);
    git(&team.clone_of("a"), &["update-ref", "-d", &kept]);
    assert_eq!((team.count(".intent.yaml"), team.lock_branches().len()), (1, 0));
}

#[test]
fn an_intent_on_the_branch_of_run_logs_is_still_cleared_up() {
    let team = with_values(LEADS, true);
    team.killed("method: PATCH, after: 1", "delay");
    as_it_was(&team);
    team.apply("b").exits(0).says("died on machine-a");
    let logs = team.logs();
    assert_eq!((ends(&logs[0]), ends(&logs[1])), ([200, 0, 0, 210, 0], [210, 0, 0, 0, 0]));
    assert_eq!((team.intents(), team.lock_branches().len(), team.count(".values.age")), (0, 0, 2));
    assert_eq!(team.job.state(), team.job.wanted());
}

#[test]
fn a_killed_run_whose_intent_is_on_the_branch_of_run_logs_is_still_resumed() {
    let team = with_values(LEADS, true);
    team.killed("method: PATCH, after: 1", "delay_answer");
    as_it_was(&team);
    git(&team.clone_of("a"), &["fetch", "--quiet", "origin"]);
    team.run("a", &["apply", "--resume"]).exits(0).says("pushed to");
    assert_eq!((team.logs().len(), ends(&team.logs()[0])), (1, [LEADS as u64, 0, 0, 0, 0]));
    assert_eq!((team.intents(), team.lock_branches().len(), team.count(".values.age")), (0, 0, 1));
}

#[test]
fn what_a_lock_that_nobody_holds_knows_is_cleared_up_by_a_resume_elsewhere() {
    let team = Team::new(LEADS);
    team.killed("method: PATCH, after: 1", "delay");
    let run = team.run("b", &["unlock"]).exits(0).says("has begun to write 410 records").out;
    team.run("b", &["unlock", run.split_whitespace().nth(1).unwrap(), "--force"]).exits(0).says("stays on the remote");
    let listed = team.run("b", &["unlock", "--json"]).exits(0).out;
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let [lock] = listed["locks"].as_array().unwrap().as_slice() else { panic!("{listed}") };
    assert_eq!((&lock["held"], &lock["lock"], &lock["begun"][0]["records"]), (&false.into(), &().into(), &410.into()));
    team.run("b", &["apply", "--resume", "--push"]).exits(0).says("died on machine-a");
    assert_eq!((team.logs().len(), team.lock_branches().len(), team.subjects().len()), (1, 0, 1));
    // Its own machine does not carry it on.
    team.run("a", &["apply", "--resume"]).exits(0).says("was cleared up by another machine");
}

#[test]
fn side_by_side_each_that_writes_is_a_commit_and_the_others_share_one() {
    let team = Team::new(6);
    team.split();
    let all = ["apply", "--all", "--yes", "--push"];
    team.run("a", &all).exits(0);
    assert_eq!((team.logs().len(), team.subjects().len()), (2, 2), "{:?}", team.subjects());
    team.run("b", &all).exits(0);
    assert_eq!((team.logs().len(), team.subjects().len(), team.lock_branches().len()), (4, 3, 0));
    assert_eq!(team.subjects()[0], "2 runs");
}
