//! `footbridge orgs probe`: an org that does what is taken for granted, orgs that do not, and a record that is as it was whatever happens.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use footbridge::emulator::{Habits, Options, PageSize, Settings};
use serde_json::{Map, Value, json};

use crate::faults::until;
use crate::scene::{Ran, Scene};

const FIELDS: [(&str, &str, &str); 8] = [
    ("WalkMe_Note__c", "type: text, length: 80", "'before: \"a\" ü'"),
    ("WalkMe_Story__c", "type: longtextarea, length: 32000", "\"one\\r\\ntwo\""),
    ("WalkMe_Score__c", "type: number, precision: 12, scale: 2", "3.25"),
    ("WalkMe_Segment__c", "type: picklist, restricted: true, values: [A, B, C]", "B"),
    ("WalkMe_Interests__c", "type: multipicklist, values: [Reports, Dashboards, Flows]", "Reports;Flows"),
    ("WalkMe_Day__c", "type: date", "'2025-12-24'"),
    ("WalkMe_Seen__c", "type: datetime", "'2025-12-24T18:00:00Z'"),
    ("WalkMe_Active__c", "type: checkbox", "true"),
];

struct Probed {
    scene: Scene,
    record: String,
}

impl Probed {
    fn new() -> Self {
        Self::with(Habits::default(), "", &FIELDS.map(|(name, ..)| name))
    }

    fn habits(habits: Habits) -> Self {
        Self::with(habits, "", &FIELDS.map(|(name, ..)| name))
    }

    /// An org with a record that the probe may write, and more records than a page holds. The integration writes these of its fields.
    fn with(habits: Habits, seed: &str, mapped: &[&str]) -> Self {
        Self::paged(habits, seed, mapped, PageSize::default(), 230)
    }

    fn paged(habits: Habits, seed: &str, mapped: &[&str], page_size: PageSize, records: usize) -> Self {
        let fields: String =
            FIELDS.iter().map(|(name, form, _)| format!("      - {{ name: {name}, {form} }}\n")).collect();
        let values: String = FIELDS.iter().map(|(name, _, value)| format!(", {name}: {value}")).collect();
        let mut text = format!(
            "org: {{ name: Acme GmbH, sandbox: true }}\n{seed}objects:\n  Lead:\n    fields:\n{fields}    records:\n      - {{ LastName: Probe, Company: Secret-Company, Email: probe@leads.example{values} }}\n"
        );
        for n in 0..records {
            text.push_str(&format!("      - {{ LastName: L{n}, Company: C, Email: l{n}@leads.example }}\n"));
        }
        let settings = Settings { habits, page_size, ..Settings::default() };
        let scene = Scene::with(Options { seed_texts: vec![text], settings, ..Options::default() });
        let fields: String = mapped.iter().map(|name| format!("  {name}: {name}\n")).collect();
        scene.write(
            "integrations/logins.yaml",
            &format!(
                "footbridge: 1\nkind: integration\nname: logins\norg: acme\nreport: {{ name: Logins, source: exports/logins.csv }}\nobject: Lead\nmatch: {{ column: User ID, field: Email }}\nfields:\n{fields}environments: {{ sandbox: {{}} }}\n"
            ),
        );
        let found = scene.org().records("Lead").into_iter().find(|r| r["LastName"] == "Probe").unwrap();
        let record = found["Id"].as_str().unwrap().to_owned();
        Self { scene, record }
    }

    fn probe(&self, more: &[&str]) -> Ran {
        self.scene.run(&[&["orgs", "probe", "acme"], more].concat())
    }

    fn write(&self) -> Ran {
        self.probe(&["--record", &self.record, "--yes"])
    }

    /// What the record holds, but for who changed it when.
    fn held(&self) -> Map<String, Value> {
        let record = self.scene.org().record("Lead", &self.record).unwrap();
        record.into_iter().filter(|(name, _)| !name.contains("Modif") && name != "SystemModstamp").collect()
    }

    fn report(&self) -> Value {
        let mut found = Vec::new();
        crate::faults::walk(&self.scene.path(".footbridge/probes"), &mut |path| found.push(path));
        assert_eq!(found.len(), 1, "{found:?}");
        serde_yaml::from_str(&std::fs::read_to_string(&found[0]).unwrap()).unwrap()
    }

    fn finding(&self, id: &str) -> (String, String) {
        let report = self.report();
        let found = report["findings"].as_array().unwrap().iter().find(|f| f["id"] == id).unwrap().clone();
        let text = |key: &str| found.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        (text("verdict"), text("found"))
    }

    /// Files that hold values of the record.
    fn kept(&self) -> usize {
        let mut count = 0;
        crate::faults::walk(&self.scene.path(".footbridge/probe"), &mut |_| count += 1);
        count
    }

    fn start(&self, more: &[&str]) -> Child {
        let arguments = [&["orgs", "probe", "acme", "--record", &self.record, "--yes"], more].concat();
        self.scene.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    #[track_caller]
    fn hold(&self, fault: &str) {
        self.scene.org().faults(fault).unwrap();
    }
}

fn ended(child: Child) -> Ran {
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

#[test]
fn an_org_that_does_all_that_is_assumed_passes_and_its_record_is_as_it_was() {
    let probed = Probed::new();
    let before = probed.held();
    let out = ["--out", "probes/acme.yaml"];
    let ran = probed.probe(&[&["--record", &probed.record, "--yes", "-v"], &out[..]].concat()).exits(0);
    assert_eq!(probed.held(), before);
    assert_eq!(probed.kept(), 0);
    let report = probed.report();
    let (told, rest): (Vec<&Value>, Vec<&Value>) =
        report["findings"].as_array().unwrap().iter().partition(|f| f["verdict"] == "as assumed");
    for finding in rest {
        assert_eq!(finding["verdict"], "not tried", "{finding}\n{}", ran.out);
        let id = finding["id"].as_str().unwrap();
        assert!(
            matches!(footbridge::probe::assumption(id).unwrap().way, footbridge::probe::Way::Never(_)),
            "{finding}"
        );
    }
    assert!(told.len() >= 50, "{}", told.len());
    assert_eq!((&report["outcome"], &report["version"]), (&json!("passed"), &json!(env!("CARGO_PKG_VERSION"))));
    let ran = ran.says("is as it was: read back and compared").says("Passed: a text field").says("in_sharp_s");
    // How it was checked, and how what this command leaves alone would be.
    ran.says("    checked by: the headers of the answers of this probe").says("    would be checked by: ");
    // What is committed is the same, and holds nothing of the org.
    let committed = probed.scene.read("probes/acme.yaml");
    assert_eq!(serde_yaml::from_str::<Value>(&committed).unwrap(), report);
    for hidden in [
        &probed.record[..15],
        "Secret-Company",
        "probe@",
        "WalkMe_",
        "Acme GmbH",
        &probed.scene.org().org_id()[..15],
        "127.0.0.1",
        "before:",
    ] {
        assert!(!committed.contains(hidden), "{hidden} in {committed}");
    }
    let schema: Value = serde_json::from_str(&footbridge::probe::schemas()[0].1).unwrap();
    let validator = jsonschema::draft7::new(&schema).unwrap();
    assert!(
        validator.is_valid(&report),
        "{:?}",
        validator.iter_errors(&report).map(|e| e.to_string()).collect::<Vec<_>>()
    );
}

#[test]
fn without_a_record_it_reads_and_changes_nothing() {
    let probed = Probed::new();
    probed.scene.org().clear_calls();
    probed.probe(&[]).exits(0).says("Nothing was written").says("no record was named");
    assert_eq!(probed.scene.write_calls(), 0);
    assert_eq!(probed.report()["outcome"], "read_only");
    assert_eq!(probed.finding("page_size").0, "as assumed");
    assert_eq!(probed.finding("in_case").0, "as assumed");
    let data: Value = serde_json::from_str(&probed.probe(&["--json"]).exits(0).out).unwrap();
    assert_eq!(data["report"]["counts"]["as assumed"], probed.report()["counts"]["as assumed"]);
    // It does not replace one that passed.
    probed.write().exits(0);
    probed.probe(&[]).exits(0).says("The report of an earlier probe, which passed, stays");
    assert_eq!(probed.report()["outcome"], "passed");
}

#[test]
fn an_org_with_habits_of_its_own_differs_in_words_that_say_how() {
    let plain = Habits::default();
    let as_sent = "it comes back as it was sent";
    let table = [
        (Habits { keeps_spaces: true, ..plain }, &["text_trim", "bulk_text"] as &[&str], as_sent),
        (Habits { keeps_line_ends: true, ..plain }, &["area_lines", "bulk_lines"], as_sent),
        (Habits { rounds: true, ..plain }, &["number_scale"], "it is rounded or cut to the field's scale"),
        (Habits { keeps_order: true, ..plain }, &["multi_order"], as_sent),
        (Habits { heeds_case: true, ..plain }, &["in_case"], "a record is not found by its key in other letters"),
        (Habits { heeds_case: true, ..plain }, &["in_sharp_s"], "ss does not find ß"),
        (
            Habits { plain_null_word: true, ..plain },
            &["bulk_null_word"],
            "Salesforce refused the row with INVALID_FIELD",
        ),
    ];
    for (habits, ids, words) in table {
        let probed = Probed::habits(habits);
        let before = probed.held();
        let ran = probed.write().exits(1).says("FB0561").says("send the report").says("rests on it:").says(words);
        for id in ids {
            assert_eq!(probed.finding(id), ("differs".into(), words.into()), "{habits:?} {}", ran.out);
        }
        assert_eq!((probed.held(), probed.kept()), (before, 0), "{habits:?}");
        assert_eq!(probed.report()["outcome"], "differs");
    }
}

#[test]
fn answers_of_another_form_differ_too() {
    let table = [
        (
            "- on: { path: /limits }\n  action: { status: { code: 200, body: '{\"DailyApiRequests\":{\"Max\":1,\"Remaining\":1}}' } }\n",
            "limits_keys",
            "missing: DailyBulkApiBatches, DailyBulkV2QueryJobs",
        ),
        (
            "- on: { path: 'FRM Lead' }\n  action: { error: { status: 400, code: UNEXPECTED_TOKEN, message: x } }\n",
            "query_error_syntax",
            "it is refused with 400 UNEXPECTED_TOKEN",
        ),
        (
            "- on: { path: FootbridgeProbeNope__c/describe }\n  action: { error: { status: 400, code: NOT_FOUND, message: x } }\n",
            "query_error_object",
            "it is refused with 400 NOT_FOUND",
        ),
        (
            "- on: { method: POST, path: jobs/query }\n  action: { job: { columns: short } }\n",
            "bulk_header",
            "the header has other columns than the SELECT",
        ),
        (
            "- on: { method: POST, path: jobs/query }\n  action: { job: { fail: { after: 0, message: 'InternalServerError : x' } } }\n",
            "bulk_query",
            "it fails",
        ),
        (
            "- on: { path: 'zzzzzzzz0001' }\n  action: { html: { code: 414, text: URI Too Long } }\n",
            "long_query",
            "Salesforce answered 414 no code",
        ),
    ];
    for (fault, id, words) in table {
        let probed = Probed::new();
        probed.hold(fault);
        probed.probe(&[]).exits(1).says(words);
        assert_eq!(probed.finding(id), ("differs".into(), words.into()));
    }
    let probed = Probed::paged(Habits::default(), "", &["WalkMe_Note__c"], PageSize::Fixed(220), 230);
    probed.probe(&[]).exits(1).says("a page of 220 records came");
}

#[test]
fn what_no_integration_writes_is_not_written_and_said_to_be_lacking() {
    let probed = Probed::with(Habits::default(), "", &["WalkMe_Note__c", "WalkMe_Active__c", "Title"]);
    probed.scene.org().clear_calls();
    probed.write().exits(0).says("Not tried, since no integration writes such a field there: text area, number field");
    let why = "no integration writes a custom text area there that can be put back";
    assert_eq!(probed.finding("area_lines"), ("not tried".into(), why.into()));
    for call in probed.scene.org().calls().iter().filter(|c| c.method == "PATCH" || c.method == "PUT") {
        for name in ["WalkMe_Story__c", "WalkMe_Score__c", "Title"] {
            assert!(!call.request_body.contains(name), "{}", call.request_body);
        }
    }
    assert_eq!(probed.report()["outcome"], "passed");
}

#[test]
fn a_value_that_could_not_be_put_back_is_left_alone() {
    let probed = Probed::new();
    let old = json!({"WalkMe_Interests__c": "Reports;Gone"});
    probed.scene.org().edit("Lead", &probed.record, old.as_object().unwrap()).unwrap();
    probed.write().exits(0);
    assert_eq!(probed.finding("multi_order").1, "what the record holds there now could not be put back");
    assert_eq!(probed.held()["WalkMe_Interests__c"], "Reports;Gone");
}

/// Killed in the middle, at every kind of call: what the record held is on disk, and is put back.
#[test]
fn a_probe_that_is_killed_is_put_back_by_the_next_command() {
    use std::os::unix::fs::PermissionsExt as _;
    for fault in [
        "- on: { method: PATCH, path: composite, after: 4 }\n  action: { delay_answer: 100000 }\n",
        "- on: { method: PATCH, path: composite, after: 9 }\n  action: { delay: 100000 }\n",
        "- on: { method: GET, path: successfulResults }\n  action: { delay: 100000 }\n",
    ] {
        let probed = Probed::new();
        let before = probed.held();
        probed.hold(fault);
        let mut child = probed.start(&[]);
        until("the call", || probed.scene.org().held() == 1);
        child.kill().unwrap();
        child.wait().unwrap();
        until("the connection's end", || probed.scene.org().held() == 0);
        probed.scene.org().clear_faults();
        assert_ne!(probed.held(), before, "{fault}");
        assert_eq!(probed.kept(), 1);
        crate::faults::walk(&probed.scene.path(".footbridge/probe"), &mut |path| {
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o077, 0);
        });
        probed.scene.org().clear_calls();
        probed.write().exits(1).says("FB0562").says("footbridge orgs probe acme --env sandbox --restore");
        assert_eq!(probed.scene.write_calls(), 0);
        probed.probe(&["--restore"]).exits(0).says("is as it was");
        assert_eq!((probed.held(), probed.kept()), (before, 0), "{fault}");
        probed.probe(&["--restore"]).exits(3).says("left a record to put back");
        probed.write().exits(0);
    }
}

#[test]
fn a_signal_ends_a_probe_within_five_seconds_with_the_record_as_it_was() {
    for (signal, fault) in [
        ("INT", "- on: { method: PATCH, path: composite, after: 4 }\n  action: { delay_answer: 100000 }\n"),
        ("TERM", "- on: { method: PATCH, path: composite, after: 6 }\n  action: { delay: 100000 }\n"),
        (
            "INT",
            "- on: { method: POST, path: jobs/ingest }\n  action: { job: { never: true } }\n- on: { method: GET, path: jobs/ingest, after: 3 }\n  action: { delay: 100000 }\n",
        ),
    ] {
        let probed = Probed::new();
        let before = probed.held();
        probed.hold(fault);
        let child = probed.start(&[]);
        until("the call", || probed.scene.org().held() == 1);
        let told = Instant::now();
        self::signal(&child, signal);
        let ran = ended(child).exits(1).says("FB0814").says("is as it was");
        assert!(told.elapsed() < Duration::from_secs(5), "{:?} {}", told.elapsed(), ran.err);
        assert_eq!((probed.held(), probed.kept()), (before, 0), "{fault}");
        assert_eq!(probed.report()["outcome"], "incomplete");
        probed.scene.org().clear_faults();
        probed.write().exits(0);
    }
}

#[test]
fn where_putting_back_fails_it_is_said_and_done_later() {
    let probed = Probed::new();
    let before = probed.held();
    // Everything that sends the old text fails; then it does not.
    probed.hold(
        "- on: { method: PATCH, body: 'before:', times: 0 }\n  action: { record_error: { code: FIELD_CUSTOM_VALIDATION_EXCEPTION, message: 'not today: before: a' } }\n",
    );
    let ran = probed
        .write()
        .exits(1)
        .says("FB0562")
        .says("is not as it was (Salesforce: FIELD_CUSTOM_VALIDATION_EXCEPTION): WalkMe_Note__c");
    ran.says("--restore").never_says("before:").never_says("not today");
    let now = probed.held();
    assert_ne!(now["WalkMe_Note__c"], before["WalkMe_Note__c"]);
    assert_eq!(now["WalkMe_Story__c"], before["WalkMe_Story__c"], "one field does not keep the others");
    assert_eq!(probed.report()["outcome"], "incomplete");
    probed.scene.org().clear_faults();
    probed.probe(&["--restore"]).exits(0);
    assert_eq!((probed.held(), probed.kept()), (before, 0));
}

/// A report that cannot be written does not keep back what is graver.
#[test]
fn a_record_that_is_not_as_it_was_is_told_whatever_becomes_of_the_report() {
    let probed = Probed::new();
    probed.scene.write(".footbridge/probes", "a file where the folder should be");
    probed.hold(
        "- on: { method: PATCH, body: 'before:', times: 0 }\n  action: { record_error: { code: FIELD_CUSTOM_VALIDATION_EXCEPTION, message: not today } }\n",
    );
    let ran = probed.probe(&["--record", &probed.record, "--yes", "--out", "probes/acme.yaml"]).exits(1);
    ran.says("FB0562").says("is not as it was").says("cannot make the folder").says("The report could not be written");
    assert!(probed.scene.read("probes/acme.yaml").contains("outcome: incomplete"));
    assert_eq!(probed.kept(), 1);
}

const HELD_WRITE: &str = "- on: { method: PATCH, path: composite, after: 2 }\n  action: { delay: 100000 }\n";

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").arg(format!("-{name}")).arg(child.id().to_string()).status();
    assert!(sent.unwrap().success());
}

/// A look shows a record as it was though a write may land after it; a write waits for the record.
#[test]
fn after_an_unanswered_write_the_record_is_written_before_it_is_believed() {
    let wrote_back = |probed: &Probed| {
        probed.scene.org().calls().iter().any(|c| c.method == "PATCH" && c.request_body.contains("before:"))
    };
    for killed in [false, true] {
        let probed = Probed::new();
        let before = probed.held();
        probed.hold(HELD_WRITE);
        let mut child = probed.start(&[]);
        until("the call", || probed.scene.org().held() == 1);
        assert_eq!(probed.held(), before);
        match killed {
            false => {
                signal(&child, "INT");
                ended(child).exits(1).says("is as it was: read back and compared");
            }
            true => {
                child.kill().unwrap();
                child.wait().unwrap();
                until("the connection's end", || probed.scene.org().held() == 0);
                probed.probe(&["--restore"]).exits(0).says("is as it was: read back and compared");
            }
        }
        assert!(wrote_back(&probed), "killed: {killed}");
        assert_eq!((probed.held(), probed.kept()), (before, 0));
    }
}

#[test]
fn a_record_that_stays_locked_is_not_called_as_it_was() {
    let locked = |times: u32| {
        format!("- on: {{ method: PATCH, body: 'before:', times: {times} }}\n  action: {{ lock_rows: {{}} }}\n")
    };
    // For a while.
    let probed = Probed::new();
    let before = probed.held();
    probed.hold(&locked(3));
    probed.write().exits(0).says("is as it was");
    assert_eq!((probed.held(), probed.kept()), (before.clone(), 0));
    // For as long as it is tried: what is read may change yet.
    probed.hold(&format!("{HELD_WRITE}{}", locked(0)));
    let child = probed.start(&[]);
    until("the call", || probed.scene.org().held() == 1);
    signal(&child, "INT");
    let ran = ended(child).exits(1).says("FB0562").says("a call whose answer was lost may write to it yet");
    ran.says("UNABLE_TO_LOCK_ROW").says("--restore").never_says("is as it was:");
    assert_eq!((probed.held(), probed.kept()), (before.clone(), 1));
    probed.probe(&["--restore"]).exits(1).says("may write to it yet");
    assert_eq!(probed.kept(), 1);
    probed.scene.org().clear_faults();
    probed.probe(&["--restore"]).exits(0).says("is as it was");
    assert_eq!((probed.held(), probed.kept()), (before, 0));
}

#[test]
fn while_its_bulk_job_may_write_the_record_is_not_put_back() {
    let probed = Probed::new();
    let before = probed.held();
    probed.hold("- on: { method: POST, path: jobs/ingest }\n  action: { job: { never: true } }\n");
    let refused = "- on: { method: PATCH, path: jobs/ingest, body: Aborted, times: 0 }\n  action: { error: { status: 400, code: INVALIDJOBSTATE, message: x } }\n";
    probed.hold(refused);
    let ran = probed.write().exits(1).says("FB0562").says("the probe's bulk job is not over");
    ran.says("Bulk Data Load Jobs").says("--restore").never_says("is as it was:");
    assert_eq!(probed.kept(), 1);
    assert_ne!(probed.held(), before);
    assert_eq!(probed.report()["outcome"], "incomplete");
    assert_eq!(probed.finding("bulk_job").0, "could not be told");
    probed.probe(&["--restore"]).exits(1).says("FB0562").says("the probe's bulk job is not over");
    assert_eq!(probed.kept(), 1);
    // One that is put away writes no more.
    probed.hold(
        "- on: { method: GET, path: jobs/ingest, times: 0 }\n  action: { error: { status: 404, code: NOT_FOUND, message: x } }\n",
    );
    probed.probe(&["--restore"]).exits(0).says("is as it was");
    assert_eq!((probed.held(), probed.kept()), (before, 0));
}

#[test]
fn the_values_of_a_record_that_is_not_seen_are_kept() {
    let probed = Probed::new();
    probed.hold("- on: { method: PATCH, path: composite, after: 4 }\n  action: { delay_answer: 100000 }\n");
    let child = probed.start(&[]);
    until("the call", || probed.scene.org().held() == 1);
    probed.scene.org().delete("Lead", &probed.record).unwrap();
    signal(&child, "INT");
    let file = format!("delete .footbridge/probe/{}", &probed.scene.org().org_id()[..15]);
    let ran = ended(child).exits(1).says("FB0562").says("was deleted, or is hidden from this user by now");
    ran.says(&file).says("recycle bin").says("--restore");
    assert_eq!(probed.kept(), 1);
    probed.scene.org().clear_faults();
    probed.probe(&["--restore"]).exits(1).says("FB0562").says("was deleted, or is hidden");
    assert_eq!(probed.kept(), 1);
}

/// Only a row that was refused for the word itself tells that the word is none.
#[test]
fn what_a_job_did_not_come_to_tells_nothing_about_the_null_word() {
    let rule = "- on: { method: PATCH, body: '\"WalkMe_Day__c\":null', times: 0 }\n  action: { record_error: { code: REQUIRED_FIELD_MISSING, message: x } }\n";
    let plain = Habits::default();
    for (habits, fault) in [
        (
            plain,
            "- on: { method: POST, path: jobs/ingest, after: 1, times: 0 }\n  action: { error: { status: 400, code: EXCEEDED_QUOTA, message: x } }\n",
        ),
        (plain, "- on: { method: POST, path: jobs/ingest, after: 1 }\n  action: { job: { never: true } }\n"),
        (plain, "- on: { method: POST, path: jobs/ingest, after: 1 }\n  action: { job: { fail: { message: x } } }\n"),
        (Habits { plain_null_word: true, ..plain }, rule),
    ] {
        let probed = Probed::habits(habits);
        let before = probed.held();
        probed.hold(fault);
        let ran = probed.write();
        assert_eq!(probed.finding("bulk_null_word").0, "could not be told", "{fault} {}", ran.out);
        assert_eq!((probed.held(), probed.kept()), (before, 0), "{fault}");
    }
}

#[test]
fn what_was_found_before_an_error_is_kept() {
    for more in [&[] as &[&str], &["--record", "RECORD", "--yes"]] {
        let probed = Probed::new();
        let more: Vec<&str> = more.iter().map(|m| if *m == "RECORD" { probed.record.as_str() } else { m }).collect();
        probed.hold("- on: { path: 'FRM Lead', times: 0 }\n  action: cut_before\n");
        let ran =
            probed.probe(&more).exits(1).says("The probe did not do all that it was to do").says("nothing was written");
        ran.says("Report: .footbridge/probes/");
        assert_eq!(probed.report()["outcome"], "incomplete");
        assert_eq!(probed.finding("describe_object").0, "as assumed");
        assert_eq!(probed.finding("query_error_syntax"), ("not tried".into(), "the probe ended before".into()));
        assert_eq!((probed.scene.write_calls(), probed.kept()), (0, 0));
    }
}

/// An apply would take what is tried for the record's own, or overwrite it; the probe would put back what an apply has changed.
#[test]
fn a_probe_and_an_apply_of_the_same_object_do_not_run_at_once() {
    let probed = Probed::new();
    let scene = &probed.scene;
    scene.write("exports/logins.csv", "User ID,WalkMe_Note__c\nl1@leads.example,new\n");
    let text = scene.read("integrations/logins.yaml");
    let note = text.lines().filter(|line| !line.starts_with("  WalkMe_") || line.contains("WalkMe_Note__c"));
    let note: String = note.map(|line| format!("{line}\n")).collect();
    let apply = ["apply", "logins", "--env", "sandbox", "--yes", "--first-run"];

    probed.hold(HELD_WRITE);
    let child = probed.start(&[]);
    until("the probe's call", || scene.org().held() == 1);
    scene.write("integrations/logins.yaml", &note);
    scene.run(&apply).exits(1).says("FB0807").says("nothing was sent");
    signal(&child, "INT");
    ended(child).exits(1).says("is as it was");

    scene.org().clear_faults();
    probed.hold("- on: { method: PATCH, path: composite }\n  action: { delay: 100000 }\n");
    let mut child = scene.command(&apply).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until("the apply's call", || scene.org().held() == 1);
    scene.org().clear_calls();
    probed.write().exits(1).says("FB0807").says("nothing was sent");
    assert_eq!((scene.write_calls(), probed.kept()), (0, 0));
    // Reading alone harms nobody.
    probed.probe(&[]).exits(0);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn errors_on_the_way_leave_the_record_as_it_was() {
    for fault in [
        "- on: { method: PATCH, path: composite, after: 3, times: 3 }\n  action: cut_before\n",
        "- on: { method: PATCH, path: composite, after: 3, times: 1 }\n  action: cut_after\n",
        "- on: { method: PUT, path: batches }\n  action: cut_before\n",
        "- on: { method: POST, path: composite/sobjects/Lead, after: 5, times: 1 }\n  action: { truncate: 10 }\n",
    ] {
        let probed = Probed::new();
        let before = probed.held();
        probed.hold(fault);
        let ran = probed.write();
        assert!(ran.code == 0 || ran.code == 1, "{fault}: {} {}", ran.code, ran.err);
        assert_eq!((probed.held(), probed.kept()), (before, 0), "{fault}");
    }
}

#[test]
fn production_other_objects_and_records_that_are_gone_are_refused() {
    let probed = Probed::new();
    let record = probed.record.clone();
    let strange = probed.probe(&["--record", "003000000000001AAA", "--yes"]).exits(3);
    strange.says("FB0563").says("of no object that integrations write").says("(Lead)");
    probed.probe(&["--record", "x", "--yes"]).exits(3);
    probed.probe(&["--record", &record]).exits(3).says("nobody to ask: nothing was written");
    probed.scene.org().delete("Lead", &record).unwrap();
    probed.write().exits(3).says("FB0563").says("is not there, or this user does not see it");
    assert_eq!((probed.scene.write_calls(), probed.kept()), (0, 0));

    let text = probed.scene.read("integrations/logins.yaml").replace("sandbox: {}", "production: {}");
    probed.scene.write("integrations/logins.yaml", &text);
    probed.scene.reach("production", "{ flow: access_token, token: \"${ORG_TOKEN}\" }");
    probed.probe(&["--env", "production", "--record", &record, "--yes"]).exits(3).says("writes to no production org");
    probed.probe(&["--env", "production"]).exits(0).says("Nothing was written");
    assert_eq!(probed.scene.write_calls(), 0);
}

#[test]
fn an_org_that_is_no_sandbox_is_not_written_whatever_it_is_called() {
    let probed = Probed::with(Habits::default(), "", &["WalkMe_Note__c"]);
    let seed = "org: { sandbox: false, edition: Enterprise Edition }\nobjects: { Lead: { fields: [ { name: WalkMe_Note__c, type: text, length: 80 } ], records: [ { LastName: A, Company: C, Email: a@leads.example } ] } }\n";
    let scene = Scene::seeded(seed);
    scene.write("integrations/logins.yaml", &probed.scene.read("integrations/logins.yaml"));
    let record = scene.org().records("Lead")[0]["Id"].as_str().unwrap().to_owned();
    let ran = scene.run(&["orgs", "probe", "acme", "--record", &record, "--yes"]).exits(3);
    ran.says("FB0563").says("says that it is no sandbox");
    assert_eq!(scene.write_calls(), 0);
}

#[test]
fn without_rights_nothing_is_claimed() {
    let probed = Probed::new();
    for (name, ..) in FIELDS {
        probed.scene.org().set_access(None, "Lead", name, footbridge::emulator::Access::Read).unwrap();
    }
    probed.write().exits(3).says("FB0563").says("may write no custom field").says("permission set");
    assert_eq!(probed.scene.write_calls(), 0);
    // Sharing tells only when it is tried.
    let seed = "users:\n  - { username: admin@emulator.example, read_only_records: [RECORD] }\n";
    let id = Probed::new().record;
    let shared = Probed::with(Habits::default(), &seed.replace("RECORD", &id), &FIELDS.map(|(name, ..)| name));
    assert_eq!(shared.record, id, "the emulator numbers records alike");
    let before = shared.held();
    shared.write().exits(1).says("FB0563").says("nothing could be written to Lead");
    assert_eq!(shared.finding("area_lines").0, "could not be told");
    assert!(
        shared.finding("area_lines").1.contains("INSUFFICIENT_ACCESS_OR_READONLY"),
        "{:?}",
        shared.finding("area_lines")
    );
    assert_eq!((shared.held(), shared.kept()), (before, 0));
    assert_eq!(shared.report()["outcome"], "incomplete");
    // Nothing about a length or a range is learnt from a lack of rights either.
    assert_eq!(shared.finding("text_too_long").0, "could not be told");
}

/// What holds by a refusal alone says nothing of what is kept.
#[test]
fn a_probe_that_saved_nothing_has_not_passed() {
    let probed = Probed::with(Habits::default(), "", &["WalkMe_Score__c"]);
    let rule = |value: &str| {
        format!(
            "- on: {{ method: PATCH, body: '\"WalkMe_Score__c\":{value}', times: 0 }}\n  action: {{ record_error: {{ id: {}, code: FIELD_CUSTOM_VALIDATION_EXCEPTION, message: not today }} }}\n",
            probed.record
        )
    };
    let quota = "- on: { method: POST, path: jobs/ingest, times: 0 }\n  action: { error: { status: 400, code: EXCEEDED_QUOTA, message: x } }\n";
    probed.hold(&format!("{}{}{quota}", rule("7."), rule("null")));
    let before = probed.held();
    let ran =
        probed.write().exits(1).says("FB0563").says("Salesforce refused every value").says("FIELD_CUSTOM_VALIDATION");
    assert_eq!(probed.finding("number_range").0, "as assumed", "{}", ran.out);
    assert_eq!(probed.report()["outcome"], "incomplete");
    assert_eq!(probed.report()["written"], json!([]));
    assert_eq!((probed.held(), probed.kept()), (before, 0));
    // One kind that was saved is written, whatever became of the other.
    let two = Probed::with(Habits::default(), "", &["WalkMe_Score__c", "WalkMe_Active__c"]);
    assert_eq!(two.record, probed.record, "the emulator numbers records alike");
    two.hold(&format!("{}{}{quota}", rule("7."), rule("null")));
    two.write().exits(0);
    assert_eq!(two.report()["written"], json!(["checkbox"]));
}

#[test]
fn another_org_is_not_probed() {
    let probed = Probed::new();
    let orgs = probed.scene.read("integrations/orgs.yaml");
    probed.scene.write("integrations/orgs.yaml", &orgs.replace(&probed.scene.org().org_id(), "00D8d000008GjOIEA0"));
    probed.scene.org().clear_calls();
    probed.write().exits(7).says("FB0503");
    assert_eq!(probed.scene.write_calls(), 0);
}

#[test]
fn the_first_apply_of_a_version_to_production_warns_until_a_probe_has_passed() {
    let probed = Probed::with(Habits::default(), "", &["WalkMe_Note__c"]);
    let scene = &probed.scene;
    let text = scene.read("integrations/logins.yaml");
    // One org plays both in turn; the configuration would not have it be both at once.
    let to = |environment: &str| {
        scene.write("integrations/logins.yaml", &text.replace("sandbox: {}", &format!("{environment}: {{}}")));
        scene.reach(environment, "{ flow: access_token, token: \"${ORG_TOKEN}\" }");
    };
    let apply = |environment: &str, note: &str| {
        to(environment);
        scene.write("exports/logins.csv", &format!("User ID,WalkMe_Note__c\nl1@leads.example,{note}\n"));
        scene.run(&["apply", "logins", "--env", environment, "--yes", "--first-run"])
    };
    let forget = |folder: &str| std::fs::remove_dir_all(scene.path(folder)).unwrap();
    apply("sandbox", "one").exits(0).never_says("FB0564");
    apply("production", "two").exits(0).says("FB0564").says("orgs probe acme --env sandbox").says("probes/");
    // This version has been at work there: no more of it.
    apply("production", "three").exits(0).never_says("FB0564");
    forget("runs");
    to("sandbox");
    probed.probe(&[]).exits(0);
    apply("production", "four").exits(0).says("FB0564");
    forget("runs");
    // A report that is committed counts as well as one of this machine.
    to("sandbox");
    probed.probe(&["--record", &probed.record, "--yes", "--out", "probes/acme.yaml"]).exits(0);
    forget(".footbridge/probes");
    apply("production", "five").exits(0).never_says("FB0564");
    let of_another = scene.read("probes/acme.yaml").replace(env!("CARGO_PKG_VERSION"), "0.0.9");
    scene.write("probes/acme.yaml", &of_another);
    forget("runs");
    apply("production", "six").exits(0).says("FB0564");
    // One of another org of the repository counts, as documented.
    let elsewhere = format!(".footbridge/probes/00D8d000008GjOIEA0-{}.yaml", env!("CARGO_PKG_VERSION"));
    scene.write(&elsewhere, &of_another.replace("0.0.9", env!("CARGO_PKG_VERSION")));
    forget("runs");
    apply("production", "seven").exits(0).never_says("FB0564");
}

/// A person on a terminal, which `script` makes.
fn answered(probed: &Probed, answer: &str) -> Option<Ran> {
    use std::io::Write as _;
    if Command::new("script").arg("--version").output().is_err() {
        crate::scene::left_out("there is no `script` here to make a terminal with");
        return None;
    }
    let inner = probed.scene.command(&[]);
    let line = format!("exec {} orgs probe acme --record {}", inner.get_program().display(), probed.record);
    let shown = probed.scene.path("terminal");
    let _ = std::fs::remove_file(&shown);
    let mut command = Command::new("script");
    command.args(["-q", "-e", "-f", "-c", &line]).arg(&shown).current_dir(probed.scene.root()).env_clear();
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let said = || std::fs::read(&shown).map(|text| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default();
    until("the question", || said().contains("to go on:"));
    child.stdin.as_mut().unwrap().write_all(answer.as_bytes()).unwrap();
    let code = child.wait().unwrap().code().unwrap_or(-1);
    Some(Ran { code, out: said(), err: String::new() })
}

#[test]
fn on_a_terminal_the_records_id_is_typed() {
    let probed = Probed::new();
    let Some(ran) = answered(&probed, "yes\n") else { return };
    ran.exits(1).says("not confirmed").says("WalkMe_Note__c (text field)").never_says("before:");
    answered(&probed, "\u{3}").unwrap().exits(1).says("the probe was interrupted").says("nothing was written");
    assert_eq!(probed.scene.write_calls(), 0);
    let id = format!("{}\n", probed.record);
    answered(&probed, &id).unwrap().exits(0).says("Passed");
}
