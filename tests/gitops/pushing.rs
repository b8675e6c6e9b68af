//! Run logs committed and pushed: by one, by several at once, in every kind of clone, past every kind of refusal.

use std::path::Path;

use footbridge::runlog::git::{Author, Branch, Change, Content, Git, Pauses};

use super::{RUNS, Team, ends, executable, git};
use crate::faults::until;

/// Everything that a person could see changed in a clone.
fn seen(folder: &Path) -> (String, Vec<u8>, String, String, String) {
    let status = git(folder, &["status", "--porcelain=v2", "--branch", "--untracked-files=all", "--show-stash"]);
    let index = std::fs::read(git_folder(folder).join("index")).unwrap();
    let head = std::fs::read_to_string(git_folder(folder).join("HEAD")).unwrap();
    let fetched = std::fs::read_to_string(git_folder(folder).join("FETCH_HEAD")).unwrap_or_default();
    (status, index, head, git(folder, &["stash", "list"]), fetched)
}

fn git_folder(folder: &Path) -> std::path::PathBuf {
    folder.join(git(folder, &["rev-parse", "--git-dir"]))
}

/// A worktree in the middle of somebody's work.
fn dirty(folder: &Path) {
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    write("stashed.txt", "x");
    git(folder, &["add", "stashed.txt"]);
    git(folder, &["stash", "--quiet"]);
    write("staged.txt", "x");
    git(folder, &["add", "staged.txt"]);
    write("staged.txt", "changed after that");
    write(".gitignore", "exports/\n.footbridge/\nmore\n");
    write("untracked.txt", "x");
    git(folder, &["rm", "--quiet", "--cached", "integrations/notes.yaml"]);
    git(folder, &["status"]);
}

#[test]
fn a_commit_and_a_push_leave_worktree_index_and_stash_as_they_were() {
    let team = Team::with(6, "git: {}\n");
    let a = team.clone_of("a");
    dirty(&a);
    let before = seen(&a);
    team.run("a", &["apply", "notes", "--yes", "--commit"]).exits(0).says("committed on `footbridge-runs`");
    assert_eq!(seen(&a), before);
    assert!(team.files().is_empty(), "nothing is pushed without --push");
    assert_eq!(git(&a, &["ls-tree", "-r", "--name-only", RUNS]).lines().count(), 2);
    assert_eq!(git(&a, &["rev-list", "--count", RUNS]), "1", "a branch of its own");
    // It is read from there.
    team.run("a", &["runs"]).exits(0).says("notes").says("Completed");
    team.run("a", &["runs", "show", "notes"]).exits(0).says("6");
    // The next one is pushed, and takes it along.
    team.apply("a").exits(0).says("pushed to `footbridge-runs` of origin");
    assert_eq!(seen(&a), before);
    assert_eq!((team.logs().len(), team.count(".records.jsonl")), (2, 2));
    assert_eq!(git(&a, &["rev-parse", RUNS]), git(&team.remote(), &["rev-parse", RUNS]));
    assert!(team.locks().is_empty());
    // The other clone sees both.
    team.run("b", &["runs", "--json"]).exits(0);
    let listed = team.run("b", &["runs"]).exits(0).out;
    assert_eq!(listed.matches("Completed").count(), 2, "{listed}");
    team.run("b", &["runs", "show", "notes"]).exits(0).says("notes");
}

#[test]
fn a_run_is_one_commit_whether_it_writes_or_not() {
    let team = Team::new(6);
    team.apply("a").exits(0);
    assert_eq!((team.logs().len(), team.count(".records.jsonl"), team.intents()), (1, 1, 0));
    let subjects = team.subjects();
    assert_eq!(subjects.len(), 1, "{subjects:?}");
    assert!(subjects[0].contains("Completed, done, 6 of 6 records updated"), "{subjects:?}");
    team.apply("a").exits(0).says("No changes");
    assert_eq!((team.subjects().len(), team.lock_branches().len()), (2, 0));
    assert!(team.subjects()[0].contains("nothing_to_do"));
    // No value of a record stands in git.
    let all = git(&team.remote(), &["log", "-p", "--all"]);
    assert!(!all.contains("new 1") && !all.contains("old 1") && !all.contains("@leads.example"));
    // Nobody was configured as the author.
    assert_eq!(git(&team.remote(), &["log", "-1", "--format=%an <%ae>", RUNS]), "Footbridge <footbridge@localhost>");
}

#[test]
fn the_configured_branch_remote_and_author_are_taken() {
    let team = Team::with(6, "git: { branch: logs/acme, remote: elsewhere, author: Acme Bot <bot@acme.example> }\n");
    let a = team.clone_of("a");
    team.run("a", &["apply", "notes", "--yes", "--push"]).exits(3).says("has no remote `elsewhere`; it has origin");
    assert_eq!(team.job.scene.write_calls(), 0);
    git(&a, &["remote", "add", "elsewhere", "../remote.git"]);
    team.apply("a").exits(0);
    assert_eq!(git(&team.remote(), &["log", "-1", "--format=%an <%ae>", "logs/acme"]), "Acme Bot <bot@acme.example>");
    // A person's own configuration, where the project names nobody.
    let team = Team::new(6);
    git(&team.clone_of("a"), &["config", "user.name", "Ann"]);
    git(&team.clone_of("a"), &["config", "user.email", "ann@acme.example"]);
    team.apply("a").exits(0);
    assert_eq!(git(&team.remote(), &["log", "-1", "--format=%an <%ae>", RUNS]), "Ann <ann@acme.example>");
}

#[test]
fn every_kind_of_clone_will_do() {
    let team = Team::new(6);
    let root = team.job.scene.root().to_owned();
    git(&team.clone_of("a"), &["commit", "--quiet", "--allow-empty", "-m", "More"]);
    git(&team.clone_of("a"), &["push", "--quiet", "origin", "main"]);
    let url = format!("file://{}", team.remote().display());
    // As CI has it: one commit of one branch, and a HEAD that is on no branch.
    git(&root, &["clone", "--quiet", "--depth=1", "--single-branch", &url, "shallow"]);
    git(&team.clone_of("shallow"), &["checkout", "--quiet", "--detach"]);
    git(&team.clone_of("a"), &["worktree", "add", "--quiet", "-b", "side", "../linked"]);
    for (number, clone) in ["shallow", "linked", "shallow", "b"].iter().enumerate() {
        team.report(clone);
        let before = seen(&team.clone_of(clone));
        team.apply(clone).exits(0);
        assert_eq!(seen(&team.clone_of(clone)), before, "{clone}");
        assert_eq!(team.logs().len(), number + 1, "{clone}");
    }
    assert_eq!(git(&team.clone_of("shallow"), &["rev-parse", "--is-shallow-repository"]), "true");
    // The repository's folder may lie below the top of git's.
    let below = team.clone_of("b").join("teams/crm");
    std::fs::create_dir_all(&below).unwrap();
    git(&team.clone_of("b"), &["mv", "integrations", "teams/crm/"]);
    std::fs::rename(team.clone_of("b").join("exports"), below.join("exports")).unwrap();
    let mut command = team.command("b", &["apply", "notes", "--yes", "--push"]);
    command.current_dir(&below);
    team.job.start_command(command).ends().exits(0);
    assert_eq!(team.files().iter().filter(|f| f.starts_with("teams/crm/runs/notes/")).count(), 2, "{:?}", team.files());
}

#[test]
fn eight_clones_push_at_once_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "--quiet", "--bare", "-b", "main", "remote.git"]);
    let clones: Vec<_> = (0..8).map(|n| format!("clone-{n}")).collect();
    for clone in &clones {
        git(folder.path(), &["clone", "--quiet", "remote.git", clone]);
    }
    let now = "2026-11-22T08:00:00Z".parse().unwrap();
    let tries: u32 = std::thread::scope(|scope| {
        let pushers: Vec<_> = clones
            .iter()
            .map(|clone| {
                let here = folder.path().join(clone);
                scope.spawn(move || {
                    let repository = Git::open(&here, Pauses { tries: 40, ..Pauses::none() }).unwrap();
                    let branch = Branch::new(repository, RUNS, "origin", Some(Author::nobody()));
                    let change = Change {
                        path: format!("runs/{clone}.yaml"),
                        content: Content::Bytes(clone.clone().into_bytes()),
                    };
                    branch.push(&[change], clone, now).unwrap().tries
                })
            })
            .collect();
        pushers.into_iter().map(|p| p.join().unwrap()).sum()
    });
    assert!(tries >= 8);
    let remote = folder.path().join("remote.git");
    assert_eq!(git(&remote, &["ls-tree", "-r", "--name-only", RUNS]).lines().count(), 8);
    assert_eq!(git(&remote, &["rev-list", "--count", RUNS]), "8");
    assert!(git(&remote, &["rev-list", "--merges", RUNS]).is_empty());
}

#[test]
fn two_machines_that_apply_two_integrations_at_once_both_have_their_log_on_the_remote() {
    let team = Team::new(6);
    team.split();
    // Both have planned before either writes.
    team.job.faults("- on: { method: PATCH, times: 2 }\n  action: { delay: 1500 }\n");
    let one = team.start("a", &["apply", "notes", "--yes", "--push"]);
    let other = team.start("b", &["apply", "counts", "--yes", "--push"]);
    one.ends().exits(0);
    other.ends().exits(0);
    assert_eq!(team.logs().iter().map(|log| ends(log)[0]).collect::<Vec<_>>(), [6, 6]);
    assert_eq!((team.intents(), team.locks().len()), (0, 0));
    assert_eq!(team.job.state(), team.job.wanted());
}

#[test]
fn the_lock_keeps_the_other_machine_out() {
    let team = Team::new(6);
    let running = team.held("method: PATCH", "delay_answer", &["apply", "notes", "--yes", "--push"]);
    assert_eq!(team.locks().len(), 1);
    let calls = team.job.org().calls().len();
    team.apply("b")
        .exits(1)
        .says("is being applied to org")
        .says("machine-a")
        .says("nothing was sent")
        .says("footbridge unlock ");
    assert_eq!(team.job.org().calls().len(), calls, "nothing is asked of the org");
    let listed = team.run("b", &["unlock"]).exits(0).says("machine-a").says("`notes`").out;
    let run = listed.split_whitespace().nth(1).unwrap().to_owned();
    team.run("b", &["unlock", &run]).exits(1).says("may still be at work").says("no lock was taken away");
    team.run("b", &["unlock", "2001-01-01T000000Z"]).exits(3).says("no lock on the remote");
    assert_eq!(team.locks().len(), 1);
    team.job.org().clear_faults();
    running.signal("TERM");
    // The record was written; the log says so, and the lock is given back.
    running.ends();
    assert_eq!((team.locks().len(), team.logs().len(), team.intents()), (0, 1, 0));
    team.apply("b").exits(0).says("No changes");
}

#[test]
fn with_the_remote_gone_before_the_first_write_nothing_is_sent() {
    let team = Team::new(6);
    let gone = || std::fs::rename(team.remote(), team.clone_of("gone.git")).unwrap();
    team.during("path: 'query?q='", gone).exits(1).says("FB0843").says("nothing was sent");
    assert_eq!(team.job.scene.write_calls(), 0);
    assert_eq!(team.journals("a"), 0);
    std::fs::rename(team.clone_of("gone.git"), team.remote()).unwrap();
    // Its log says that the run has ended, so its lock keeps nobody out who knows it; the other machine has to wait or to be told.
    team.apply("b").exits(1).says("footbridge unlock");
    team.apply("a").exits(0);
    assert_eq!(team.logs().len(), 2);
    assert_eq!(team.logs()[0]["problems"][0]["code"], "FB0843");
    assert_eq!(team.job.state(), team.job.wanted());
}

#[test]
fn a_log_that_cannot_be_pushed_is_kept_and_goes_with_the_next() {
    let team = Team::new(6);
    let gone = || std::fs::rename(team.remote(), team.clone_of("gone.git")).unwrap();
    team.during("method: PATCH", gone).exits(1).says("FB0842").says("committed here").says("could not be given back");
    assert_eq!(team.job.state(), team.job.wanted());
    std::fs::rename(team.clone_of("gone.git"), team.remote()).unwrap();
    assert_eq!((team.logs().len(), team.intents()), (0, 1));
    team.apply("a").exits(0).says("No changes");
    assert_eq!((team.logs().len(), team.intents(), team.locks().len()), (2, 0, 0));
}

#[test]
fn a_protected_branch_is_told_with_what_to_do_before_anything_is_sent() {
    let team = Team::new(6);
    let hook = team.refusing();
    team.apply("a")
        .exits(1)
        .says("FB0843")
        .says("the remote refuses the branch")
        .says("contents: write")
        .says("nothing was sent");
    assert_eq!(team.job.scene.write_calls(), 0);
    assert!(team.locks().is_empty());
    // The user's own hooks are no part of it.
    std::fs::remove_file(&hook).unwrap();
    for name in ["pre-push", "pre-commit", "commit-msg", "reference-transaction", "post-commit"] {
        let hook = team.clone_of("b").join(".git/hooks").join(name);
        std::fs::write(&hook, "#!/bin/sh\necho ran >> \"$HOME/hooks-ran\"\nexit 1\n").unwrap();
        executable(&hook);
    }
    team.apply("b").exits(0);
    assert!(!team.job.scene.path("home/hooks-ran").exists());
}

#[test]
fn credentials_in_the_remotes_address_are_never_printed() {
    let team = Team::new(6);
    let a = team.clone_of("a");
    for url in [
        "http://x-access-token:ghs_MARKED1@127.0.0.1:1/acme/repo.git",
        "http://ghp_MARKED2@127.0.0.1:1/repo.git?token=MARKED3",
        "ssh://MARKED4:MARKED5@127.0.0.1:1/repo.git",
    ] {
        git(&a, &["remote", "set-url", "origin", url]);
        for arguments in
            [&["apply", "notes", "--yes", "--push"][..], &["unlock"], &["-vv", "apply", "notes", "--yes", "--push"]]
        {
            let mut command = team.command("a", arguments);
            command.envs(["GIT_TRACE", "GIT_TRACE_CURL", "GIT_CURL_VERBOSE", "GIT_TRACE2"].map(|name| (name, "1")));
            team.job.start_command(command).ends().exits(1).never_says("MARKED").says("git could not");
        }
    }
    assert_eq!(team.job.org().calls().len(), 0);
}

#[test]
fn a_configuration_cannot_name_a_branch_or_remote_that_is_none() {
    for git in [
        "{ branch: --upload-pack=x }",
        "{ branch: a..b }",
        "{ branch: refs/heads/main }",
        "{ branch: a.lock }",
        "{ branch: 'a b' }",
        "{ branch: \"a\\nb\" }",
        "{ remote: https://elsewhere.example/x.git }",
        "{ remote: ../elsewhere }",
        "{ remote: -x }",
        "{ author: nobody }",
        "{ author: \"A\\nB <a@b>\" }",
        "{ stale_after: soon }",
        "{ token: x }",
    ] {
        let team = Team::with(1, &format!("git: {git}\n"));
        team.run("a", &["validate"]).exits(3);
        team.apply("a").exits(3);
        assert!(team.locks().is_empty() && team.files().is_empty());
    }
}

#[test]
fn the_branch_may_not_be_checked_out_where_it_is_committed_to() {
    let team = Team::new(2);
    team.apply("a").exits(0);
    git(&team.clone_of("b"), &["fetch", "--quiet"]);
    git(&team.clone_of("b"), &["worktree", "add", "--quiet", "../elsewhere", RUNS]);
    team.run("b", &["apply", "notes", "--yes", "--commit"]).exits(1).says("is checked out in").says("elsewhere");
    let before = seen(&team.clone_of("elsewhere"));
    // Pushing does not need it.
    team.apply("b").exits(0);
    assert_eq!(seen(&team.clone_of("elsewhere")).1, before.1);
    assert!(git(&team.clone_of("elsewhere"), &["status", "--porcelain"]).is_empty());
}

#[test]
fn guards_against_the_last_run_hold_on_a_fresh_clone() {
    let team = Team::with(40, "guards: { max_shrink: 10% }\n");
    team.apply("a").exits(0);
    let report = team.clone_of("b").join("exports/notes.csv");
    let text = std::fs::read_to_string(&report).unwrap();
    let short: Vec<&str> = text.lines().take(20).collect();
    std::fs::write(&report, format!("{}\n", short.join("\n"))).unwrap();
    team.apply("b").exits(4).says("max_shrink");
    // The held run has its log there as well, and none of it counts as the last run.
    assert_eq!(team.logs().len(), 2);
    team.apply("b").exits(4).says("max_shrink");
    // What reads without pushing sees the branch, too.
    team.run("b", &["plan", "notes"]).says("max_shrink");
}

#[test]
fn of_several_side_by_side_none_looks_at_a_history_that_is_still_being_fetched() {
    let team = Team::with(40, "git: {}\nguards: { max_shrink: 10% }\n");
    team.split();
    // Of two objects, so that neither waits for the other.
    let counts = |clone: &str| {
        let path = team.clone_of(clone).join("integrations/counts.yaml");
        let text = std::fs::read_to_string(&path).unwrap().replace("object: Lead", "object: Contact");
        std::fs::write(&path, text.replace("WalkMe_Count__c: Count", "FirstName: Note")).unwrap();
    };
    counts("a");
    counts("b");
    let path = team.clone_of("a").join("exports/notes.csv");
    let text = std::fs::read_to_string(&path).unwrap();
    let guards = "--waive=min_match";
    team.run("a", &["apply", "--all", "--yes", "--push", guards]).exits(0);
    assert_eq!(team.logs().len(), 2);
    let short: Vec<&str> = text.lines().take(20).collect();
    let b = team.clone_of("b");
    std::fs::write(b.join("exports/notes.csv"), format!("{}\n", short.join("\n"))).unwrap();
    // A remote that takes its time.
    let slow = team.clone_of("slow.sh");
    std::fs::write(&slow, "#!/bin/sh\nsleep 1\nexec git-upload-pack \"$@\"\n").unwrap();
    executable(&slow);
    git(&b, &["config", "remote.origin.uploadpack", slow.to_str().unwrap()]);
    let ran = team.run("b", &["apply", "--all", "--yes", guards]).exits(4);
    assert_eq!(ran.err.matches("guard `max_shrink` holds").count(), 2, "{ran:?}");
}

#[test]
fn a_run_ends_before_others_take_it_for_dead() {
    let mut team = Team::with(super::LEADS, "git: { stale_after: 6s }\n");
    // By the machines' clock no time passes. The first batch has 5.4 s; the second is never answered.
    team.at("2026-11-23T09:00:00Z");
    team.job.faults("- on: { method: PATCH, after: 1 }\n  action: { delay: 100000 }\n");
    team.apply("a").exits(6).says("stale_after");
    let log = &team.logs()[0];
    let [updated, failed, drifted, not_attempted, unknown] = ends(log);
    assert_eq!((&log["exit"], updated, failed + drifted), (&"interrupted".into(), 200, 0));
    assert_eq!(not_attempted + unknown, 210);
    assert_eq!((team.intents(), team.locks().len()), (0, 0));
    until("the connection's end", || team.job.org().held() == 0);
    // With all the time that it needs.
    team.job.org().clear_faults();
    let project = team.clone_of("a").join("integrations/project.yaml");
    std::fs::write(project, "footbridge: 1\nkind: project\ngit: {}\n").unwrap();
    team.apply("a").exits(0);
    assert_eq!(team.job.state(), team.job.wanted());
}

#[test]
fn what_another_process_commits_during_a_push_goes_with_the_next() {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "--quiet", "--bare", "-b", "main", "remote.git"]);
    git(folder.path(), &["clone", "--quiet", "remote.git", "here"]);
    let (here, remote) = (folder.path().join("here"), folder.path().join("remote.git"));
    let repository = Git::open(&here, Pauses::none()).unwrap();
    let branch = Branch::new(repository, RUNS, "origin", Some(Author::nobody()));
    let now = "2026-11-22T08:00:00Z".parse().unwrap();
    let file = |name: &str| [Change { path: format!("runs/{name}.yaml"), content: Content::Bytes(name.into()) }];
    let first = branch.commit(&file("first"), "first", now).unwrap();
    let second = branch.commit(&file("second"), "second", now).unwrap();
    let local = format!("refs/heads/{RUNS}");
    git(&here, &["update-ref", &local, &first]);
    // The second commit is made while the remote takes the push.
    let hook = remote.join("hooks/update");
    let moves = format!("git -C '{}' update-ref {local} {second}", here.display());
    std::fs::write(&hook, format!("#!/bin/sh\nunset $(git rev-parse --local-env-vars)\n{moves}\n")).unwrap();
    executable(&hook);
    branch.push(&file("third"), "third", now).unwrap();
    assert_eq!(git(&here, &["rev-parse", &local]), second);
    std::fs::remove_file(hook).unwrap();
    let files = || git(&remote, &["ls-tree", "-r", "--name-only", RUNS]);
    assert_eq!(files(), "runs/first.yaml\nruns/third.yaml");
    let pushed = branch.push(&[], "the rest", now).unwrap();
    assert_eq!(files(), "runs/first.yaml\nruns/second.yaml\nruns/third.yaml");
    assert_eq!((git(&here, &["rev-parse", &local]), pushed.rivals), (pushed.commit, Vec::new()));
}

#[test]
fn without_a_repository_the_flags_are_bad_usage() {
    let job = crate::faults::Job::new(2, "lookup");
    job.run(&["apply", "notes", "--yes", "--push"]).exits(3).says("git repository").says("nothing was sent");
    job.run(&["apply", "notes", "--yes", "--commit"]).exits(3);
    assert_eq!(job.org().calls().len(), 0);
}
