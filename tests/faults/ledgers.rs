//! Every fault on every kind of call: the process ends, the ledgers add up, what the log tells of each record is true, and once the fault has passed
//! the same command brings the org to the wanted state.

use super::{Job, client_credentials};

/// A fault, for how many of the calls that match (0: all), and what must come of it: exit code, and records updated, failed, drifted, not attempted,
/// unknown.
type Row = (&'static str, u32, i32, [u64; 5]);

/// Six leads, six planned records.
const ALL: [u64; 5] = [6, 0, 0, 0, 0];
/// There is no plan.
const NONE: [u64; 5] = [0; 5];
const LEFT: [u64; 5] = [0, 0, 0, 6, 0];
const LOST: [u64; 5] = [0, 0, 0, 0, 6];

const S500: &str = "{ status: { code: 500 } }";
const E500: &str = "{ error: { status: 500, code: UNKNOWN_EXCEPTION, message: An unexpected error occurred. } }";
const S502: &str = "{ status: { code: 502 } }";
const S503: &str = "{ status: { code: 503 } }";
const S503_LATER: &str = "{ status: { code: 503, headers: { Retry-After: '1' } } }";
const HTML_503: &str = "{ html: { code: 503, text: We are down for maintenance } }";
const HTML_200: &str = "{ html: { code: 200, text: Please log in } }";
const CUT_BEFORE: &str = "cut_before";
const CUT_AFTER: &str = "cut_after";
const CUT_MID_BODY: &str = "cut_mid_body";
const DELAY: &str = "{ delay: 2500 }";
const EXPIRE: &str = "expire_session";
const LIMIT: &str = "limit_exceeded";
const HUGE: &str = "{ huge_body: 300000000 }";
const ODD: &str = "{ huge_body: 1000 }";
const TRUNCATE: &str = "{ truncate: 25 }";
const WRONG_ORG: &str = "{ wrong_org: { id: 00D8d000008GjOIEA0 } }";
const EDIT: &str = "{ edit: { object: Lead, id: FIRST, fields: { WalkMe_Note__c: by another } } }";
const EDIT_AFTER: &str = "{ edit_after: { object: Lead, id: FIRST, fields: { WalkMe_Note__c: by another } } }";
const LOCK_TWO: &str = "{ lock_rows: { count: 2 } }";
const LOCK_FIRST: &str = "{ lock_rows: { ids: [FIRST] } }";
const LOCK_ALL: &str = "{ lock_rows: {} }";
const RECORD: &str = "{ record_error: { id: FIRST, code: FIELD_CUSTOM_VALIDATION_EXCEPTION, message: No. } }";
const RECORDS: &str = "{ record_error: { code: CANNOT_EXECUTE_FLOW_TRIGGER, message: Flow failed. } }";
const STORAGE: &str = "{ record_error: { code: STORAGE_LIMIT_EXCEEDED, message: storage limit exceeded } }";
const FORBIDDEN: &str = "{ error: { status: 403, code: API_DISABLED_FOR_ORG, message: The REST API is not enabled. } }";

#[track_caller]
fn table(on: &str, read: &str, rows: &[Row]) {
    for row in rows {
        one(on, read, row);
    }
}

#[track_caller]
fn one(on: &str, read: &str, &(action, times, exit, ends): &Row) {
    let what = format!("{action} × {times} on {on}");
    let job = Job::new(6, read);
    if action == DELAY {
        job.scene.write("integrations/project.yaml", "footbridge: 1\nkind: project\ntime_outs: { answer: 1s }\n");
    }
    let before = job.state();
    let action = action.replace("FIRST", &job.ids()[0]);
    job.faults(&format!("- on: {{ {on}, times: {times} }}\n  action: {action}\n"));
    let ran = job.apply();
    assert_eq!(ran.code, exit, "{what}\n{}{}", ran.out, ran.err);
    let log = job.log();
    assert_eq!(log.ends(), ends, "{what}");
    assert_eq!(log.run["status"], if exit == 0 { "Completed" } else { "Failed" }, "{what}");
    // Success is what all of it is, and a failed read is never nothing to do.
    assert_eq!(exit == 0, ends == ALL, "{what}");
    assert_ne!(log.exit(), "nothing_to_do", "{what}");
    if action.starts_with("{ edit") {
        // The other's edit is there, or was overwritten in the window that nobody guards.
        job.agrees(&log, &job.state());
    } else {
        job.agrees(&log, &before);
    }
    if ends == NONE {
        assert_eq!((job.scene.write_calls(), job.state()), (0, before), "{what}");
        ran.never_says("No changes").says("error");
    }
    assert!(job.journals().is_empty(), "{what}: the run has ended");

    job.org().clear_faults();
    job.apply().exits(0);
    assert_eq!(job.state(), job.wanted(), "{what}, afterwards");
    job.log();
}

#[test]
fn faults_on_the_log_in() {
    table(
        "path: /services/oauth2/token",
        "lookup",
        &[
            (S500, 1, 0, ALL),
            (S500, 0, 1, NONE),
            (S502, 1, 0, ALL),
            (S503, 1, 0, ALL),
            (S503_LATER, 1, 0, ALL),
            (S503_LATER, 0, 1, NONE),
            (HTML_503, 1, 0, ALL),
            (HTML_503, 0, 1, NONE),
            (HTML_200, 1, 1, NONE),
            (CUT_BEFORE, 1, 0, ALL),
            (CUT_BEFORE, 0, 1, NONE),
            (CUT_AFTER, 1, 0, ALL),
            (CUT_AFTER, 0, 1, NONE),
            (CUT_MID_BODY, 1, 0, ALL),
            (DELAY, 1, 0, ALL),
            (EXPIRE, 1, 0, ALL),
            (LIMIT, 1, 1, NONE),
            (HUGE, 1, 1, NONE),
            (ODD, 1, 1, NONE),
            (TRUNCATE, 1, 1, NONE),
            (WRONG_ORG, 1, 7, NONE),
        ],
    );
}

/// Reads before there is a plan.
const READS: &[Row] = &[
    (S500, 1, 0, ALL),
    (S500, 0, 1, NONE),
    (E500, 1, 0, ALL),
    (E500, 0, 1, NONE),
    (S502, 1, 0, ALL),
    (S503, 1, 0, ALL),
    (S503_LATER, 1, 0, ALL),
    (S503_LATER, 0, 1, NONE),
    (HTML_503, 1, 0, ALL),
    (HTML_503, 0, 1, NONE),
    (HTML_200, 1, 1, NONE),
    (CUT_BEFORE, 1, 0, ALL),
    (CUT_BEFORE, 0, 1, NONE),
    (CUT_AFTER, 1, 0, ALL),
    (CUT_MID_BODY, 1, 0, ALL),
    (CUT_MID_BODY, 0, 1, NONE),
    (DELAY, 1, 0, ALL),
    (EXPIRE, 1, 0, ALL),
    (EXPIRE, 0, 7, NONE),
    (LIMIT, 1, 1, NONE),
    (ODD, 1, 1, NONE),
    (TRUNCATE, 1, 0, ALL),
    (TRUNCATE, 0, 1, NONE),
    (WRONG_ORG, 1, 0, ALL),
    (FORBIDDEN, 1, 7, NONE),
    (EDIT, 1, 0, ALL),
];

#[test]
fn faults_on_describe() {
    table("path: /sobjects/Lead/describe", "lookup", READS);
    table("path: /sobjects/Lead/describe", "lookup", &[(HUGE, 1, 1, NONE), (EDIT_AFTER, 1, 0, ALL)]);
}

#[test]
fn faults_on_a_look_up() {
    table("path: 'query?q='", "lookup", READS);
    // Edited once it was read: drift.
    table("path: 'query?q='", "lookup", &[(EDIT_AFTER, 1, 6, [5, 0, 1, 0, 0])]);
}

#[test]
fn faults_on_the_first_page_of_a_query() {
    table("path: 'query?q='", "query", READS);
    table("path: 'query?q='", "query", &[(HUGE, 1, 1, NONE), (EDIT_AFTER, 1, 6, [5, 0, 1, 0, 0])]);
}

#[test]
fn faults_on_the_second_page_of_a_query() {
    let (edits, others): (Vec<Row>, Vec<Row>) = READS.iter().partition(|row| row.0 == EDIT);
    table("path: /query/", "query", &others);
    // The first page has been read by then: drift.
    assert_eq!(edits.len(), 1);
    table("path: /query/", "query", &[(EDIT, 1, 6, [5, 0, 1, 0, 0]), (EDIT_AFTER, 1, 6, [5, 0, 1, 0, 0])]);
}

#[test]
fn faults_on_reading_again() {
    table(
        "method: POST, path: /composite/sobjects/Lead",
        "lookup",
        &[
            (S500, 1, 0, ALL),
            (S500, 0, 1, LEFT),
            (E500, 0, 1, LEFT),
            (S502, 1, 0, ALL),
            (S503, 1, 0, ALL),
            (S503_LATER, 1, 0, ALL),
            (S503_LATER, 0, 1, LEFT),
            (HTML_503, 0, 1, LEFT),
            (HTML_200, 1, 0, ALL),
            (HTML_200, 0, 1, LEFT),
            (CUT_BEFORE, 1, 0, ALL),
            (CUT_BEFORE, 0, 1, LEFT),
            (CUT_AFTER, 1, 0, ALL),
            (CUT_MID_BODY, 1, 0, ALL),
            (CUT_MID_BODY, 0, 1, LEFT),
            (DELAY, 1, 0, ALL),
            (EXPIRE, 1, 0, ALL),
            (EXPIRE, 0, 7, LEFT),
            (LIMIT, 1, 1, LEFT),
            (HUGE, 1, 1, LEFT),
            (ODD, 1, 0, ALL),
            (ODD, 0, 1, LEFT),
            (TRUNCATE, 1, 0, ALL),
            (TRUNCATE, 0, 1, LEFT),
            (WRONG_ORG, 1, 0, ALL),
            (FORBIDDEN, 1, 7, LEFT),
            (EDIT, 1, 6, [5, 0, 1, 0, 0]),
            // In the window between reading and writing: overwritten, as the summary says that it may be.
            (EDIT_AFTER, 1, 0, ALL),
        ],
    );
}

#[test]
fn faults_on_the_update() {
    table(
        "method: PATCH",
        "lookup",
        &[
            (S500, 1, 0, ALL),
            (S500, 0, 1, LOST),
            (E500, 1, 0, ALL),
            (E500, 0, 1, LOST),
            (S502, 1, 0, ALL),
            (S503, 1, 0, ALL),
            (S503, 0, 1, LOST),
            (S503_LATER, 1, 0, ALL),
            (S503_LATER, 0, 1, LEFT),
            (HTML_503, 1, 0, ALL),
            (HTML_503, 0, 1, LOST),
            (HTML_200, 1, 0, ALL),
            (HTML_200, 0, 1, LOST),
            (CUT_BEFORE, 1, 0, ALL),
            (CUT_BEFORE, 0, 1, LOST),
            (CUT_AFTER, 1, 0, ALL),
            (CUT_AFTER, 0, 0, ALL),
            (CUT_MID_BODY, 0, 0, ALL),
            (DELAY, 1, 0, ALL),
            (EXPIRE, 1, 0, ALL),
            (EXPIRE, 0, 7, LEFT),
            (LIMIT, 1, 1, LEFT),
            (HUGE, 1, 0, ALL),
            (ODD, 1, 0, ALL),
            (ODD, 0, 1, LOST),
            (TRUNCATE, 0, 0, ALL),
            (WRONG_ORG, 1, 0, ALL),
            (FORBIDDEN, 1, 7, LEFT),
            (EDIT, 1, 0, ALL),
            (LOCK_TWO, 1, 0, ALL),
            (LOCK_FIRST, 0, 6, [5, 1, 0, 0, 0]),
            (LOCK_ALL, 0, 1, [0, 6, 0, 0, 0]),
            (RECORD, 1, 6, [5, 1, 0, 0, 0]),
            (RECORDS, 1, 1, [0, 6, 0, 0, 0]),
            (STORAGE, 1, 1, [0, 6, 0, 0, 0]),
        ],
    );
}

#[test]
fn an_answer_that_is_lost_and_cannot_be_looked_up_is_unknown_and_not_sent_again() {
    let job = Job::new(6, "lookup");
    let before = job.state();
    job.faults(
        "- on: { method: PATCH }\n  action: cut_after\n\
         - on: { method: POST, path: /composite/sobjects/Lead, after: 1, times: 0 }\n  action: { status: { code: 500 } }\n",
    );
    job.apply().exits(1).says("unknown");
    let log = job.log();
    assert_eq!(log.ends(), LOST);
    assert!(log.records.iter().all(|r| r["doubt"] == "not_read_back"), "{:?}", log.records);
    job.agrees(&log, &before);
    assert!(job.sent().values().all(|n| *n == 1));
    job.org().clear_faults();
    // They were written, and that is what the next plan finds.
    assert_eq!(job.state(), job.wanted());
    job.apply().exits(0).says("No changes");
    assert_eq!(job.log().exit(), "nothing_to_do");
}

#[test]
fn a_record_that_somebody_edits_while_the_answer_is_lost_is_unknown_alone() {
    let job = Job::new(6, "lookup");
    let first = job.ids()[0].clone();
    job.faults(&format!(
        "- on: {{ method: PATCH }}\n  action: cut_after\n\
         - on: {{ method: POST, path: /composite/sobjects/Lead, after: 1 }}\n  \
         action: {{ edit: {{ object: Lead, id: {first}, fields: {{ WalkMe_Note__c: by another }} }} }}\n"
    ));
    job.apply().exits(6);
    let log = job.log();
    assert_eq!(log.ends(), [5, 0, 0, 0, 1]);
    let line = log.records.iter().find(|r| r["outcome"] == "unknown").unwrap();
    assert_eq!((line["record"].as_str(), line["doubt"].as_str()), (Some(first.as_str()), Some("neither")), "{line}");
    assert_eq!(job.state()[&first].0, "by another");
}

#[test]
fn a_record_that_was_deleted_fails_and_the_others_are_written() {
    let job = Job::new(6, "lookup");
    job.faults("- on: { method: POST, path: /composite/sobjects/Lead }\n  action: { delay: 60000 }\n");
    let running = job.start(&["apply", "notes", "--yes"]);
    super::until("reading again", || job.org().held() == 1);
    let first = job.ids()[0].clone();
    job.org().delete("Lead", &first).unwrap();
    job.org().clear_faults();
    running.signal("TERM");
    // Reading has no effect and is dropped at once.
    running.ends().exits(1);
    assert_eq!(job.log().ends(), LEFT);

    let job = Job::new(6, "lookup");
    let first = job.ids()[0].clone();
    job.run(&["plan", "notes", "--out", "p.plan"]).exits(0);
    job.org().delete("Lead", &first).unwrap();
    job.run(&["apply", "p.plan", "--yes"]).exits(6).says("NOT_FOUND");
    let log = job.log();
    assert_eq!(log.ends(), [5, 1, 0, 0, 0]);
}

#[test]
fn when_the_second_of_three_batches_fails_the_first_is_told_as_written() {
    for (action, times, exit, ends) in [
        (LIMIT, 0, 6, [200, 0, 0, 210, 0]),
        (EXPIRE, 0, 7, [200, 0, 0, 210, 0]),
        (S500, 0, 6, [200, 0, 0, 10, 200]),
        (S503_LATER, 0, 6, [200, 0, 0, 210, 0]),
        (FORBIDDEN, 0, 7, [200, 0, 0, 210, 0]),
        (CUT_AFTER, 1, 0, [410, 0, 0, 0, 0]),
        (LOCK_TWO, 1, 0, [410, 0, 0, 0, 0]),
        (RECORD, 1, 6, [409, 1, 0, 0, 0]),
    ] {
        let job = Job::new(410, "lookup");
        let before = job.state();
        let action = action.replace("FIRST", &job.ids()[300]);
        job.faults(&format!("- on: {{ method: PATCH, after: 1, times: {times} }}\n  action: {action}\n"));
        let ran = job.apply();
        assert_eq!(ran.code, exit, "{action}\n{}{}", ran.out, ran.err);
        let log = job.log();
        assert_eq!(log.ends(), ends, "{action}");
        job.agrees(&log, &before);
        job.org().clear_faults();
        job.apply().exits(0);
        assert_eq!(job.state(), job.wanted(), "{action}");
    }
}

#[test]
fn a_session_that_ends_is_renewed_once_for_many_calls() {
    let job = Job::new(60, "query");
    job.scene.reach("sandbox", &client_credentials(&job.org().credentials().client_id));
    job.faults("- on: { path: /query/, after: 3 }\n  action: expire_session\n- on: { method: PATCH }\n  action: expire_session\n");
    job.apply().exits(0);
    let calls = job.org().calls();
    let log_ins = calls.iter().filter(|c| c.path == "/services/oauth2/token").count();
    let refused = calls.iter().filter(|c| c.status == 401).count();
    assert_eq!((log_ins, refused), (3, 2), "the log-in, and one for each time that the session ended");
    assert_eq!(job.state(), job.wanted());
}
