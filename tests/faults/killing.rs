//! Processes that are killed, stopped and started twice; disks that will not take the journal or the run log.

use std::process::Command;
use std::time::{Duration, Instant};

use super::{Job, until};
use crate::scene::Ran;

const RE_READ: &str = "method: POST, path: /composite/sobjects/Lead";

/// Three batches: 200, 200, 10.
const LEADS: usize = 410;

/// Kills an apply in the middle of the call that this fault holds up.
fn killed(on: &str, action: &str) -> Job {
    let job = Job::new(LEADS, "lookup");
    job.faults(&format!("- on: {{ {on} }}\n  action: {{ {action}: 100000 }}\n"));
    let running = job.start(&["apply", "notes", "--yes"]);
    until("the call", || job.org().held() == 1);
    running.kill();
    until("the connection's end", || job.org().held() == 0);
    job.org().clear_faults();
    job.no_log();
    job
}

#[test]
fn killed_before_there_is_a_journal_there_is_nothing_to_resume() {
    for on in ["path: oauth2/token", "path: describe", "path: 'query?q='"] {
        let job = killed(on, "delay");
        assert!(job.journals().is_empty());
        job.resume().exits(3).says("no run in sandbox was left unfinished");
        job.apply().exits(0);
        assert_eq!(job.state(), job.wanted());
    }
}

#[test]
fn a_killed_run_is_refused_then_resumed_and_ends_as_if_it_had_never_been_killed() {
    // Where it is killed; records whose update had reached the org by then, and may be read back only; those whose update may yet reach it.
    for (on, action, reached, twice) in [
        (RE_READ, "delay", 0, 0),
        ("method: PATCH", "delay", 0, 200),
        ("method: PATCH", "delay_answer", 200, 0),
        ("method: PATCH, after: 1", "delay", 200, 200),
        ("method: PATCH, after: 1", "delay_answer", 400, 0),
        ("method: PATCH, after: 2", "delay", 400, 10),
        ("method: PATCH, after: 2", "delay_answer", 410, 0),
    ] {
        let what = format!("{action} on {on}");
        let job = killed(on, action);
        let wanted = job.wanted();
        assert_eq!(job.state().iter().filter(|(id, is)| wanted[*id] == **is).count(), reached, "{what}");

        // Not once more from the start: what the first run did is not known to a new one.
        let before = job.org().calls().len();
        job.apply().exits(1).says("was killed before it ended").says("footbridge apply notes --resume --env sandbox");
        for command in ["runs", "status"] {
            job.run(&[command]).says("has not come to its end").says("footbridge apply notes --resume --env sandbox");
        }
        job.run(&["drift", "notes"]).says("was not finished, and what it wrote may stand among the differences");
        assert_eq!(job.org().calls().len(), before, "{what}: nothing is asked of the org");
        job.no_log();

        job.org().clear_calls();
        let resumed = job.resume().exits(0);
        let log = job.log();
        assert_eq!(log.ends(), [LEADS as u64, 0, 0, 0, 0], "{what}");
        assert_eq!(log.run["trigger"], "resume");
        assert_eq!(log.run["resent"].as_u64().unwrap_or(0), twice, "{what}");
        let marked = log.records.iter().filter(|line| line["resent"] == true).count();
        assert_eq!((marked as u64, resumed.out.contains("Sent again")), (twice, twice > 0), "{what}");
        assert_eq!(job.state(), wanted, "{what}");
        let sent = job.sent();
        assert_eq!(sent.len(), LEADS - reached, "{what}: what was written is not written again");
        assert!(sent.values().all(|n| *n == 1), "{what}");
        assert!(job.journals().is_empty(), "{what}");
        job.apply().exits(0).says("No changes");
    }
}

#[test]
fn a_killed_run_that_is_given_up_sends_nothing_more_and_says_what_was_written() {
    for (on, action, exit, ends) in [
        ("method: PATCH", "delay", 1, [0, 0, 0, 210, 200]),
        ("method: PATCH, after: 1", "delay_answer", 6, [400, 0, 0, 10, 0]),
    ] {
        let job = killed(on, action);
        job.apply().exits(1).says("footbridge apply notes --resume --env sandbox --give-up");
        job.org().clear_calls();
        let before = job.state();
        let ran = job.run(&["apply", "--resume", "--give-up"]);
        ran.exits(exit).says("nothing more is sent").says("the run was given up");
        assert_eq!((job.log().ends(), job.sent().len()), (ends, 0));
        assert_eq!(job.state(), before);
        assert!(job.journals().is_empty());
        job.apply().exits(0);
        assert_eq!(job.state(), job.wanted());
    }
    let job = Job::new(1, "lookup");
    job.run(&["apply", "notes", "--give-up"]).exits(3).says("--resume");
}

#[test]
fn a_run_that_was_given_up_stays_so_until_all_of_it_is_known() {
    // The log cannot be written.
    let job = killed("method: PATCH, after: 1", "delay_answer");
    job.scene.write("runs", "in the way\n");
    job.run(&["apply", "--resume", "--give-up"]).exits(6).says("run log").says("apply --resume");
    std::fs::remove_file(job.scene.path("runs")).unwrap();
    job.apply().exits(1).says("it was given up: nothing more is sent for it").never_says("--give-up");
    job.org().clear_calls();
    job.resume().exits(6).says("nothing more is sent");
    assert_eq!((job.log().ends(), job.sent().len()), ([400, 0, 0, 10, 0], 0));
    assert!(job.journals().is_empty());

    // The log-in fails at first.
    let job = killed("method: PATCH, after: 1", "delay_answer");
    job.faults("- on: { path: oauth2/token, times: 0 }\n  action: { status: { code: 400, body: '{\"error\":\"invalid_grant\"}' } }\n");
    job.run(&["apply", "--resume", "--give-up"]);
    job.org().clear_faults();
    job.org().clear_calls();
    job.resume().exits(6);
    assert_eq!((job.log().ends(), job.sent().len()), ([400, 0, 0, 10, 0], 0));

    // The records cannot be read.
    let job = killed("method: PATCH", "delay_answer");
    job.faults(&format!("- on: {{ {RE_READ}, times: 0 }}\n  action: {{ status: {{ code: 500 }} }}\n"));
    let ran = job.run(&["apply", "--resume", "--give-up"]);
    ran.exits(1)
        .says("whether 200 records were written could not be found out")
        .says("apply notes --resume --env sandbox");
    assert_eq!((job.log().ends(), job.journals().len()), ([0, 0, 0, 210, 200], 1));
    job.org().clear_faults();
    job.org().clear_calls();
    job.resume().exits(6);
    assert_eq!((job.log().ends(), job.sent().len()), ([200, 0, 0, 210, 0], 0));
    assert!(job.journals().is_empty());
}

#[test]
fn a_resume_that_is_killed_is_resumed() {
    let job = killed("method: PATCH, after: 1", "delay_answer");
    job.faults("- on: { method: PATCH }\n  action: { delay_answer: 100000 }\n");
    let running = job.start(&["apply", "--resume"]);
    until("the call", || job.org().held() == 1);
    running.kill();
    job.org().clear_faults();
    job.resume().exits(0);
    assert_eq!(job.log().ends(), [LEADS as u64, 0, 0, 0, 0]);
    assert_eq!(job.state(), job.wanted());
}

#[test]
fn resume_leaves_alone_what_somebody_edited_in_the_meantime() {
    let job = killed("method: PATCH, after: 1", "delay");
    let last = job.ids()[LEADS - 1].clone();
    let edit = serde_json::json!({"WalkMe_Note__c": "by another"});
    job.org().edit("Lead", &last, edit.as_object().unwrap()).unwrap();
    job.resume().exits(6);
    let log = job.log();
    assert_eq!(log.ends(), [LEADS as u64 - 1, 0, 1, 0, 0]);
    assert_eq!(job.state()[&last].0, "by another");
}

#[test]
fn a_torn_journal_line_is_cut_off_and_the_run_resumed() {
    let job = killed("method: PATCH, after: 1", "delay");
    let journal = job.journals().remove(0);
    let mut bytes = std::fs::read(&journal).unwrap();
    bytes.extend_from_slice(b"{\"result\":{\"batch\":1,\"en");
    std::fs::write(&journal, bytes).unwrap();
    job.resume().exits(0);
    assert_eq!(job.state(), job.wanted());
}

/// Stopped in the middle of a call: within five seconds, with a run log.
#[track_caller]
fn stopped(signal: &str, on: &str, action: &str) -> (Job, Ran) {
    let job = Job::new(LEADS, "lookup");
    job.faults(&format!("- on: {{ {on} }}\n  action: {{ {action} }}\n"));
    let running = job.start(&["apply", "notes", "--yes"]);
    until("the call", || job.org().held() == 1);
    let told = Instant::now();
    running.signal(signal);
    let ran = running.ends();
    assert!(told.elapsed() < Duration::from_secs(5), "{:?}", told.elapsed());
    job.org().clear_faults();
    assert!(job.journals().is_empty());
    (job, ran)
}

#[test]
fn a_signal_ends_an_apply_within_five_seconds_with_everything_told() {
    let never = "delay: 100000";
    for (signal, on, action, exit, ends) in [
        ("TERM", RE_READ, never, 1, [0, 0, 0, 410, 0]),
        ("INT", RE_READ, never, 1, [0, 0, 0, 410, 0]),
        // The call under way has a moment to end.
        ("TERM", "method: PATCH", "delay_answer: 300", 6, [200, 0, 0, 210, 0]),
        ("INT", "method: PATCH, after: 1", "delay: 300", 6, [400, 0, 0, 10, 0]),
        // It did not: the records are looked up.
        ("TERM", "method: PATCH", "delay_answer: 100000", 6, [200, 0, 0, 210, 0]),
        ("INT", "method: PATCH, after: 1", "delay_answer: 100000", 6, [400, 0, 0, 10, 0]),
        ("TERM", "method: PATCH", never, 1, [0, 0, 0, 210, 200]),
        ("TERM", "method: PATCH, after: 2", never, 6, [400, 0, 0, 0, 10]),
    ] {
        let what = format!("{signal} at {action} on {on}");
        let (job, ran) = stopped(signal, on, action);
        assert_eq!(ran.code, exit, "{what}\n{}{}", ran.out, ran.err);
        let log = job.log();
        assert_eq!((log.exit(), log.ends()), ("interrupted", ends), "{what}");
        job.apply().exits(0);
        assert_eq!(job.state(), job.wanted(), "{what}");
    }
}

#[test]
fn a_signal_while_planning_leaves_a_run_log_too() {
    for on in ["path: oauth2/token", "path: describe", "path: 'query?q='"] {
        let (job, ran) = stopped("TERM", on, "delay: 100000");
        ran.exits(1).says("interrupted");
        let log = job.log();
        assert_eq!((log.ends(), &log.run["problems"][0]["code"]), ([0; 5], &"FB0814".into()));
        assert_eq!(job.scene.write_calls(), 0);
    }
}

#[test]
fn a_second_signal_ends_the_process_at_once_and_the_run_is_resumed() {
    let job = Job::new(6, "lookup");
    job.faults("- on: { method: PATCH }\n  action: { delay_answer: 100000 }\n");
    let running = job.start(&["apply", "notes", "--yes"]);
    until("the call", || job.org().held() == 1);
    let told = Instant::now();
    running.signal("INT");
    // Signals of one kind that arrive together are one.
    running.signal("TERM");
    running.ends().exits(1);
    assert!(told.elapsed() < Duration::from_secs(2), "{:?}", told.elapsed());
    job.no_log();
    job.org().clear_faults();
    job.resume().exits(0);
    assert_eq!(job.log().ends(), [6, 0, 0, 0, 0]);
    assert!(job.sent().is_empty(), "it was written the first time");
}

/// Answers a question on a terminal, which `script` makes.
fn answered(job: &Job, options: &str, answer: &[u8]) -> Option<Ran> {
    use std::io::Write as _;
    if Command::new("script").arg("--version").output().is_err() {
        crate::scene::left_out("there is no `script` here to make a terminal with");
        return None;
    }
    let inner = job.scene.command(&[]);
    let mut command = Command::new("script");
    let (line, shown) =
        (format!("exec {} apply notes {options}", inner.get_program().display()), job.scene.path("terminal"));
    command.args(["-q", "-e", "-f", "-c", &line]).arg(&shown).current_dir(job.scene.root()).env_clear();
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::null());
    let mut child = command.spawn().unwrap();
    until("the question", || {
        std::fs::read(&shown).is_ok_and(|text| String::from_utf8_lossy(&text).contains("Type yes"))
    });
    child.stdin.as_mut().unwrap().write_all(answer).unwrap();
    let end = Instant::now() + super::DEADLINE;
    while child.try_wait().unwrap().is_none() && Instant::now() < end {
        std::thread::park_timeout(Duration::from_millis(5));
    }
    let _ = child.kill();
    let code = child.wait().unwrap().code();
    let out = String::from_utf8_lossy(&std::fs::read(shown).unwrap()).into_owned();
    Some(Ran { code: code.unwrap_or(-1), out, err: String::new() })
}

#[test]
fn ctrl_c_at_the_question_ends_the_apply_with_nothing_sent() {
    let job = Job::new(6, "lookup");
    if let Some(ran) = answered(&job, "", b"\x03") {
        ran.exits(1).says("nothing was sent");
        assert_eq!((job.scene.write_calls(), job.journals().len()), (0, 0));
        answered(&job, "--limit 2", b"no\n").unwrap().exits(1).says("Write at most 2 of 6 records of");
        assert_eq!(job.scene.write_calls(), 0);
        answered(&job, "", b"yes\n").unwrap().exits(0).says("Write 6 records of");
        assert_eq!(job.state(), job.wanted());
    }
}

#[test]
fn an_interrupted_apply_begins_no_further_integration() {
    let job = Job::new(LEADS, "lookup");
    let text = job.scene.read("integrations/notes.yaml");
    let other = text
        .replace("name: notes", "name: titles")
        .replace("  WalkMe_Note__c: Note\n  WalkMe_Count__c: Count\n", "  Title: Note\n");
    job.scene.write("integrations/titles.yaml", &other);
    job.faults("- on: { method: PATCH }\n  action: { delay: 200 }\n");
    let running = job.start(&["apply", "--all", "--yes", "--env", "sandbox"]);
    until("the call", || job.org().held() == 1);
    running.signal("INT");
    running.ends().exits(6).says("`titles` was not begun");
    assert_eq!(job.log().exit(), "interrupted");
    assert!(job.org().calls().iter().all(|c| !c.request_body.contains("Title")));
}

#[test]
fn of_two_applies_at_once_the_second_is_refused() {
    let job = Job::new(6, "lookup");
    job.faults("- on: { method: PATCH }\n  action: { delay: 100000 }\n");
    let mut first = job.start(&["apply", "notes", "--yes"]);
    until("the call", || job.org().held() == 1);
    let before = job.org().calls().len();
    let holder = format!("process {}", first.pid());
    job.apply().exits(1).says(&holder).says("at work");
    // The first is not a killed run.
    job.resume().exits(1).says(&holder);
    assert_eq!(job.org().calls().len(), before);
    assert!(first.running());
    job.no_log();
    first.signal("TERM");
    first.ends();
    job.log();
    job.org().clear_faults();
    job.apply().exits(0);
}

#[test]
fn nothing_is_sent_where_the_journal_or_the_lock_cannot_be_made() {
    for file in [".footbridge", ".footbridge/lock", ".footbridge/journal"] {
        let job = Job::new(6, "lookup");
        job.scene.write(file, "in the way\n");
        let before = job.state();
        job.apply().exits(1).says("error").says("nothing was");
        assert_eq!((job.scene.write_calls(), job.state()), (0, before), "{file}");
        std::fs::remove_file(job.scene.path(file)).unwrap();
        job.apply().exits(0);
    }
}

/// A process that can write files of so many bytes, and gets an error for more: what a full disk says.
fn on_a_full_disk(job: &Job, bytes: u64) -> Command {
    let inner = job.scene.command(&["apply", "notes", "--yes"]);
    let mut command = Command::new("sh");
    command.arg("-c").arg(r#"trap '' XFSZ; exec prlimit --fsize="$0" "$@""#).arg(bytes.to_string());
    command.arg(inner.get_program()).args(inner.get_args()).current_dir(job.scene.root()).env_clear();
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command
}

#[test]
fn on_a_full_disk_nothing_is_sent_and_nothing_is_left_behind() {
    let job = Job::new(6, "lookup");
    let before = job.state();
    // Enough for the lock's few bytes, and what is printed; not for the plan's copy.
    let ran = job.start_command(on_a_full_disk(&job, 2_500)).ends();
    ran.exits(1).says("cannot be made").says("nothing was sent");
    assert_eq!((job.scene.write_calls(), job.state()), (0, before));
    assert!(job.journals().is_empty());
    job.apply().exits(0);
}

#[test]
fn a_disk_that_is_full_in_the_middle_stops_the_run_and_resume_writes_the_log() {
    let job = Job::new(LEADS, "lookup");
    job.faults("- on: { method: PATCH, after: 1 }\n  action: { delay_answer: 100000 }\n");
    let running = job.start_command(on_a_full_disk(&job, 10_000_000));
    until("the call", || job.org().held() == 1);
    // From here on no file grows beyond the journal's present size.
    let size = std::fs::metadata(&job.journals()[0]).unwrap().len();
    let limited =
        Command::new("prlimit").arg(format!("--fsize={size}")).arg(format!("--pid={}", running.pid())).status();
    assert!(limited.unwrap().success());
    running.signal("TERM");
    // Applied in part, and the log cannot be written: the graver of the two is told.
    let ran = running.ends().exits(6);
    ran.says("run log");
    job.no_log();
    assert_eq!(job.journals().len(), 1, "the journal is all that is known of the run");
    job.org().clear_faults();
    job.apply().exits(1).says("--resume");
    job.resume().exits(0);
    assert_eq!(job.log().ends(), [LEADS as u64, 0, 0, 0, 0]);
    assert_eq!(job.state(), job.wanted());
    assert!(job.sent().values().all(|n| *n == 1));
}

#[test]
fn where_the_run_log_cannot_be_written_the_journal_stays_and_resume_writes_the_log() {
    let job = Job::new(6, "lookup");
    job.scene.write("runs", "in the way\n");
    job.apply().exits(1).says("run log").says("apply --resume");
    assert_eq!(job.state(), job.wanted());
    assert_eq!(job.journals().len(), 1);
    job.apply().exits(1).says("its log may not have been written");
    std::fs::remove_file(job.scene.path("runs")).unwrap();
    job.org().clear_calls();
    job.resume().exits(0).says("Completed");
    assert_eq!(job.log().ends(), [6, 0, 0, 0, 0]);
    assert_eq!(job.scene.write_calls(), 0, "all was written already");
    assert!(job.journals().is_empty());
}

#[test]
fn journal_lock_and_plan_copy_are_this_users_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let job = killed("method: PATCH", "delay");
    let mut seen = 0;
    super::walk(&job.scene.path(".footbridge"), &mut |path| {
        seen += 1;
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o077, 0, "{}", path.display());
        assert_eq!(path.parent().unwrap().metadata().unwrap().permissions().mode() & 0o077, 0);
    });
    // And what the run was to overwrite.
    assert_eq!(seen, 4);
}
