//! Plans carried out by bulk jobs: every record's end is told and true, whatever fails and wherever it is killed.

use std::time::{Duration, Instant};

use footbridge::emulator::PageSize;

use crate::faults::{Job, Log, until};
use crate::scene::Ran;

/// Three jobs of 20.
const LEADS: usize = 60;

/// An integration whose plan goes by jobs of 20 records.
fn job() -> Job {
    of(LEADS, "write: bulk\n", "20")
}

fn of(leads: usize, write: &str, records: &str) -> Job {
    let mut job = Job::paged(leads, "query", "", PageSize::Fixed(2_000));
    let path = "integrations/notes.yaml";
    job.scene.write(path, &job.scene.read(path).replace("read: query\n", &format!("read: query\n{write}")));
    job.scene.set("FOOTBRIDGE_JOB_RECORDS", records);
    job
}

/// Rows that jobs processed, and records that went by collections: how often anything was written or refused.
fn processed(job: &Job) -> usize {
    let by_jobs: usize = job.org().jobs().iter().map(|j| j.processed).sum();
    by_jobs + by_collections(job)
}

fn by_collections(job: &Job) -> usize {
    let calls = job.org().calls();
    let patches = calls.iter().filter(|c| c.method == "PATCH" && c.path.contains("/composite/sobjects"));
    patches
        .map(|c| {
            serde_json::from_str::<serde_json::Value>(&c.request_body).unwrap()["records"].as_array().unwrap().len()
        })
        .sum()
}

#[track_caller]
fn all_done(job: &Job, log: &Log) {
    assert_eq!(log.ends(), [job.ids().len() as u64, 0, 0, 0, 0], "{}", log.run);
    assert_eq!(job.state(), job.wanted());
    assert!(job.journals().is_empty());
}

#[test]
fn five_thousand_records_go_by_one_job_and_a_second_plan_is_empty() {
    let job = of(5_200, "", "");
    job.org().clear_calls();
    job.apply().exits(0).says("5,200");
    let log = job.log();
    all_done(&job, &log);
    let [made] = log.run["jobs"].as_array().unwrap().as_slice() else { panic!("{}", log.run["jobs"]) };
    assert_eq!((made["records"].as_u64(), made["failed"].as_u64()), (Some(5_200), Some(0)));
    assert_eq!(made["state"], "JobComplete");
    assert_eq!(by_collections(&job), 0);
    // Created, filled, closed, asked about, results; and before it the list of what else is at work.
    let calls = job.org().calls();
    let words: Vec<String> = calls
        .iter()
        .filter(|c| c.path.contains("/jobs/"))
        .map(|c| format!("{} {}", c.method, c.path.rsplit('/').find(|p| !p.is_empty()).unwrap()))
        .collect();
    let polls = words.iter().filter(|w| w.starts_with("GET 750")).count();
    assert_eq!(words.len() - polls, 5, "{words:?}");
    assert!(log.run["calls"]["by_kind"]["job"].as_u64().unwrap() >= 5);
    job.run(&["runs", "show", "notes"]).exits(0).says("Bulk job").says("5,200 records, 0 failed");
    job.org().clear_calls();
    job.apply().exits(0).says("No changes");
    assert!(!job.org().calls().iter().any(|c| c.path.contains("/jobs/")), "no change, no job");
}

#[test]
fn two_thousand_records_go_by_collections_unless_bulk_is_said() {
    let job = of(LEADS, "write: auto\n", "20");
    job.apply().exits(0);
    assert!(job.org().jobs().is_empty());
    all_done(&job, &job.log());
    let job = self::job();
    job.apply().exits(0);
    assert_eq!((job.org().jobs().len(), by_collections(&job)), (3, 0));
    all_done(&job, &job.log());
}

/// A fault that passes: the apply gets over it, and nothing is written twice.
#[test]
fn every_call_of_a_job_may_fail_and_every_record_is_written_once() {
    for on in [
        "method: POST, path: jobs/ingest",
        "method: PUT, path: jobs/ingest",
        "method: PATCH, path: jobs/ingest",
        "method: GET, path: jobs/ingest/750",
        "method: GET, path: successfulResults",
    ] {
        for action in [
            "cut_before",
            "cut_after",
            "cut_mid_body",
            "{ status: { code: 500 } }",
            "{ status: { code: 503 } }",
            "{ html: { code: 503, text: We are down for maintenance } }",
            "expire_session",
        ] {
            let what = format!("{action} on {on}");
            let job = of(LEADS, "write: bulk\n", "");
            job.faults(&format!("- on: {{ {on} }}\n  action: {action}\n"));
            let ran = job.apply();
            assert_eq!(ran.code, 0, "{what}\n{}{}", ran.out, ran.err);
            all_done(&job, &job.log());
            assert_eq!(processed(&job), LEADS, "{what}");
            let open = job.org().jobs().iter().filter(|j| j.state == "Open").count();
            assert_eq!(open, 0, "{what}: nothing is left behind");
        }
    }
}

#[test]
fn rows_that_fail_are_told_and_locked_ones_go_again_by_collections() {
    let job = of(LEADS, "write: bulk\n", "");
    let before = job.state();
    job.faults(
        "- on: { method: PATCH, path: jobs/ingest }\n  action: { record_error: { every: 10, code: FIELD_CUSTOM_VALIDATION_EXCEPTION, message: 'not on a: Friday', fields: [WalkMe_Note__c] } }\n\
         - on: { method: PATCH, path: jobs/ingest }\n  action: { lock_rows: { count: 7 } }\n",
    );
    job.apply().exits(6);
    let log = job.log();
    let [updated, failed, ..] = log.ends();
    assert_eq!((updated + failed, failed), (LEADS as u64, 6), "{}", log.run);
    job.agrees(&log, &before);
    assert!(by_collections(&job) >= 6, "locked rows");
    let problem = log.records.iter().find(|r| r["outcome"] == "failed").unwrap().to_string();
    assert!(problem.contains("FIELD_CUSTOM_VALIDATION_EXCEPTION"), "{problem}");
    let made = &log.run["jobs"][0];
    assert_eq!((made["records"].as_u64(), made["processed"].as_u64()), (Some(60), Some(60)));
}

#[test]
fn results_that_are_wrong_are_held_against_the_records() {
    for script in [
        "{ twice: 5 }",
        "{ drop: 5 }",
        "{ add: ['\"00Q000000000001AAA\",\"false\",00Q000000000001AAA,x,1', '\"nonsense\",\"false\",nonsense,x,1'] }",
        "{ twice: 3, drop: 7 }",
    ] {
        let job = of(LEADS, "write: bulk\n", "");
        job.faults(&format!("- on: {{ method: POST, path: jobs/ingest }}\n  action: {{ job: {script} }}\n"));
        job.apply().exits(0);
        all_done(&job, &job.log());
        assert_eq!(processed(&job), LEADS, "{script}");
    }
}

#[test]
fn a_job_that_fails_halfway_is_followed_by_another_and_what_is_refused_as_a_whole_is_not() {
    let fail = |job: &Job, after: usize, message: &str, times: u32| {
        job.faults(&format!(
            "- on: {{ method: POST, path: jobs/ingest, times: {times} }}\n  action: {{ job: {{ fail: {{ after: {after}, message: '{message}' }} }} }}\n"
        ));
    };
    let job = of(LEADS, "write: bulk\n", "");
    fail(&job, 25, "InternalServerError : Retried more than 20 times", 1);
    job.apply().exits(0);
    let log = job.log();
    all_done(&job, &log);
    assert_eq!((log.run["jobs"].as_array().unwrap().len(), processed(&job)), (2, LEADS));

    let job = of(LEADS, "write: bulk\n", "");
    let before = job.state();
    fail(&job, 25, "InternalServerError : Retried more than 20 times", 0);
    job.apply().exits(6).says("Retried more than 20 times");
    let log = job.log();
    assert_eq!(log.ends(), [50, 0, 0, 10, 0]);
    job.agrees(&log, &before);

    let job = of(LEADS, "write: bulk\n", "");
    let before = job.state();
    fail(&job, 0, "InvalidBatch : Field name not found : WalkMe_Note__c", 0);
    job.apply().exits(1).says("Field name not found : WalkMe_Note__c");
    let log = job.log();
    assert_eq!((log.ends(), job.state()), ([0, 0, 0, 60, 0], before));
    assert_eq!(job.org().jobs().len(), 1);
}

#[test]
fn a_job_that_somebody_aborts_ends_the_run() {
    let job = self::job();
    let before = job.state();
    job.faults("- on: { method: POST, path: jobs/ingest, after: 1 }\n  action: { job: { abort: { after: 5 } } }\n");
    job.apply().exits(6).says("somebody stopped bulk job 750");
    let log = job.log();
    assert_eq!(log.ends(), [25, 0, 0, 35, 0]);
    job.agrees(&log, &before);
    job.apply().exits(0);
    all_done_again(&job, 35);
}

/// A further apply brought the rest.
#[track_caller]
fn all_done_again(job: &Job, rest: u64) {
    assert_eq!(job.log().ends(), [rest, 0, 0, 0, 0]);
    assert_eq!((job.state(), processed(job)), (job.wanted(), job.ids().len()));
}

#[test]
fn an_org_without_bulk_jobs_is_written_by_collections_unless_jobs_were_asked_for() {
    let refusal = "- on: { method: POST, path: jobs/ingest, times: 0 }\n  action: { error: { status: 400, code: INVALIDENTITY, message: Entity Lead is not supported by the Bulk API. } }\n";
    let job = of(2_100, "", "");
    job.faults(refusal);
    job.apply().exits(0).says("makes no bulk job");
    all_done(&job, &job.log());
    let job = self::job();
    job.faults(refusal);
    job.apply().exits(1).says("not supported by the Bulk API");
    assert_eq!(job.log().ends(), [0, 0, 0, 60, 0]);
}

#[test]
fn a_quota_that_is_gone_between_plan_and_apply_writes_nothing() {
    for (on, times) in [("path: jobs/ingest", 0), ("method: PUT, path: jobs/ingest", 0)] {
        let job = of(LEADS, "write: bulk\n", "");
        job.run(&["plan", "notes", "--out", "notes.plan"]).exits(0);
        let before = job.state();
        job.faults(&format!("- on: {{ {on}, times: {times} }}\n  action: limit_exceeded\n"));
        let ran = job.run(&["apply", "notes.plan", "--yes"]).exits(1);
        ran.says("calls of the last 24 hours are used up")
            .says("next: wait until calls are allowed again")
            .says("then `footbridge apply notes --env sandbox`");
        assert_eq!((job.log().ends(), job.state()), ([0, 0, 0, 60, 0], before), "{on}");
    }
}

/// Kills an apply while this call is held up, or while its job does not end.
fn killed(on: &str, action: &str) -> Job {
    let job = self::job();
    job.faults(&format!("- on: {{ {on} }}\n  action: {action}\n"));
    let running = job.start(&["apply", "notes", "--yes"]);
    if action.contains("never") {
        until("the job", || job.org().jobs().iter().any(|j| j.polls > 2));
    } else {
        until("the call", || job.org().held() == 1);
    }
    running.kill();
    until("the connection's end", || job.org().held() == 0);
    job.org().clear_faults();
    job.no_log();
    job
}

#[test]
fn killed_at_any_stage_and_resumed_it_ends_as_if_it_had_not_been() {
    for on in [
        "method: POST, path: jobs/ingest",
        "method: PUT, path: jobs/ingest",
        "method: PATCH, path: jobs/ingest",
        "method: GET, path: jobs/ingest/750",
        "method: GET, path: successfulResults",
        "method: POST, path: jobs/ingest, after: 1",
        "method: PATCH, path: jobs/ingest, after: 1",
        "method: GET, path: successfulResults, after: 2",
    ] {
        for action in ["{ delay: 100000 }", "{ delay_answer: 100000 }"] {
            let what = format!("{action} on {on}");
            let job = killed(on, action);
            job.apply().exits(1).says("footbridge apply notes --resume --env sandbox");
            job.resume().exits(0);
            let log = job.log();
            assert_eq!(log.run["trigger"], "resume", "{what}");
            all_done(&job, &log);
            assert_eq!(processed(&job), LEADS, "{what}: nothing is written twice");
            job.apply().exits(0).says("No changes");
        }
    }
    let job = killed("method: POST, path: jobs/ingest", "{ job: { never: true, pause_after: 7 } }");
    job.apply().exits(1).says("750").says("footbridge apply notes --resume --env sandbox");
    job.org().release_jobs();
    job.resume().exits(0).says("taking up bulk job 750");
    all_done(&job, &job.log());
    assert_eq!(processed(&job), LEADS);
}

#[test]
fn the_job_of_a_killed_run_that_never_ends_can_be_stopped_and_the_run_finished_or_given_up() {
    let never = || killed("method: POST, path: jobs/ingest", "{ job: { never: true, pause_after: 7 } }");
    let job = never();
    job.apply().exits(1).says("footbridge apply notes --resume --env sandbox --jobs abort").says("--give-up");
    job.run(&["apply", "--resume", "--jobs", "abort"]).exits(0).says("was aborted (InProgress, 7 records so far)");
    all_done(&job, &job.log());
    assert_eq!(processed(&job), LEADS, "nothing is written twice");

    // Salesforce knows it no more, and says so in Bulk API's own word.
    let job = never();
    job.faults("- on: { method: GET, path: jobs/ingest/750, times: 0 }\n  action: { error: { status: 400, code: INVALIDJOB, message: Unable to find job } }\n");
    job.run(&["apply", "--resume", "--jobs", "abort"]).exits(0);
    assert_eq!(job.state(), job.wanted());

    let job = never();
    let ran = job.run(&["apply", "--resume", "--jobs", "abort", "--give-up"]);
    ran.exits(6).says("was aborted").says("the run was given up");
    assert_eq!(job.log().ends(), [7, 0, 0, 53, 0]);
    assert_eq!((job.org().jobs().len(), by_collections(&job)), (1, 0));
    job.apply().exits(0);
    assert_eq!(job.state(), job.wanted());
}

#[test]
fn a_job_that_takes_too_long_is_named_with_both_ways_on() {
    let job = job();
    job.scene.write("integrations/project.yaml", "footbridge: 1\nkind: project\ntime_outs: { job: 1s }\n");
    job.faults("- on: { method: POST, path: jobs/ingest }\n  action: { job: { never: true, pause_after: 7 } }\n");
    let ran = job.apply().exits(1);
    let id = job.org().jobs()[0].id.clone();
    let ran = ran.says(&format!("bulk job {id} has been at work for more than")).says("goes on in Salesforce");
    ran.says("footbridge apply notes --resume --env sandbox").says("with `--jobs abort` the job is stopped first");
    let log = job.log();
    assert_eq!((log.ends(), log.exit()), ([0, 0, 0, 40, 20], "error"));
    let next: Vec<_> = log.run["problems"].as_array().unwrap().iter().filter_map(|p| p["next"].as_str()).collect();
    assert!(next.len() == 1 && next[0].contains("apply notes --resume --env sandbox"), "{next:?}");
    job.run(&["apply", "notes", "--resume", "--jobs", "abort"]).exits(0).says("was aborted");
    all_done(&job, &job.log());
}

#[test]
fn with_the_journal_lost_an_apply_first_looks_for_the_job_that_is_still_at_work() {
    for how in ["wait", "abort"] {
        let job = killed("method: POST, path: jobs/ingest", "{ job: { never: true, pause_after: 7 } }");
        std::fs::remove_dir_all(job.scene.path(".footbridge")).unwrap();
        let id = job.org().jobs()[0].id.clone();
        let held = job.apply().exits(1).says(&id).says("still at work on Lead").says("nothing was sent");
        held.says("footbridge apply notes --env sandbox --jobs wait").says("--jobs abort");
        job.no_log();
        if how == "wait" {
            job.org().release_jobs();
        }
        job.run(&["apply", "notes", "--yes", "--jobs", how]).exits(0).says(&id);
        let rest = if how == "wait" { 40 } else { 53 };
        all_done_again(&job, rest);
    }
}

/// Stopped while a job does not end: within five seconds, with a run log.
#[track_caller]
fn stopped(signal: &str, script: &str) -> (Job, Ran) {
    let job = self::job();
    job.faults(&format!("- on: {{ method: POST, path: jobs/ingest }}\n  action: {{ job: {script} }}\n"));
    let running = job.start(&["apply", "notes", "--yes"]);
    until("the job", || job.org().jobs().iter().any(|j| j.polls > 1));
    let told = Instant::now();
    running.signal(signal);
    let ran = running.ends();
    assert!(told.elapsed() < Duration::from_secs(5), "{:?}", told.elapsed());
    job.org().clear_faults();
    (job, ran)
}

#[test]
fn the_word_to_stop_aborts_a_job_that_waits_and_leaves_one_that_works() {
    for signal in ["INT", "TERM"] {
        let (job, ran) = stopped(signal, "{ queued: 100000, pause_after: 0 }");
        ran.exits(1);
        assert_eq!(job.org().jobs()[0].state, "Aborted");
        let log = job.log();
        assert_eq!((log.ends(), log.exit()), ([0, 0, 0, 60, 0], "interrupted"));
        assert!(job.journals().is_empty());
        job.apply().exits(0);
        all_done(&job, &job.log());

        let (job, ran) = stopped(signal, "{ never: true, pause_after: 7 }");
        let id = job.org().jobs()[0].id.clone();
        ran.exits(1).says(&id).says("footbridge apply notes --resume --env sandbox");
        let log = job.log();
        assert_eq!((log.ends(), log.exit()), ([0, 0, 0, 40, 20], "interrupted"));
        assert_eq!((log.run["jobs"][0]["left"].as_bool(), log.run["jobs"][0]["id"].as_str()), (Some(true), Some(&*id)));
        assert!(log.run["problems"].to_string().contains(&id), "{}", log.run["problems"]);
        job.apply().exits(1).says(&id);
        job.org().release_jobs();
        job.resume().exits(0);
        all_done(&job, &job.log());
        assert_eq!(processed(&job), LEADS);
    }
}

#[test]
fn the_objects_records_go_by_parent() {
    let mut seed =
        String::from("objects:\n  Contact:\n    fields:\n      - { name: Note__c, type: text, length: 80 }\n");
    seed.push_str("org: { sandbox: true }\n");
    let scene = crate::scene::Scene::seeded(&seed);
    let map = |value: serde_json::Value| value.as_object().unwrap().clone();
    let accounts = ["A", "B", "C"].map(|name| map(serde_json::json!({"Name": name})));
    let accounts = scene.org().insert("Account", &accounts).unwrap();
    let contacts: Vec<_> = (0..30)
        .map(|n| {
            let parent = &accounts[n % 3];
            map(serde_json::json!({"LastName": format!("L{n}"), "Email": format!("c{n}@x.example"), "AccountId": parent}))
        })
        .collect();
    scene.org().insert("Contact", &contacts).unwrap();
    scene.write(
        "integrations/notes.yaml",
        "footbridge: 1\nkind: integration\nname: notes\norg: acme\nreport: { name: Notes, source: exports/notes.csv }\nobject: Contact\n\
         match: { column: User ID, field: Email }\nfields:\n  Note__c: Note\nwrite: bulk\nenvironments:\n  sandbox: {}\n",
    );
    let mut report = String::from("User ID,Note\n");
    (0..30).for_each(|n| report.push_str(&format!("c{n}@x.example,new {n}\n")));
    scene.write("exports/notes.csv", &report);
    // Ten rows of one parent fit one transaction; mixed, every transaction would meet every parent.
    scene
        .org()
        .faults("- on: { method: PATCH, path: jobs/ingest, times: 0 }\n  action: { lock_parents: { field: AccountId, chunk: 10, at_once: 3 } }\n")
        .unwrap();
    scene.run(&["apply", "notes", "--yes"]).exits(0);
    let job = &scene.org().jobs()[0];
    assert_eq!((job.processed, job.failed), (30, 0));
}
