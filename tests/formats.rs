//! Files that earlier versions wrote go on reading. A specimen is never changed; a new version of a format adds one.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use footbridge::plan::{Plan, RowOutcome};
use footbridge::runlog::{ExitReason, Outcome, OutcomesLine, Status, Store};
use serde_json::Value;

use crate::scene::Scene;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats")
}

#[test]
fn the_plan_file_of_version_1_reads() {
    let plan = Plan::open(File::open(folder().join("plan-1.jsonl")).unwrap(), &mut ()).unwrap();
    assert_eq!(plan.broken(), []);
    assert_eq!((plan.summary.records, plan.summary.rows.of(RowOutcome::Unchanged)), (6, 1_200));
    assert_eq!(plan.header.integration, "logins-to-leads");
}

/// Holds every line of a plan file against the schema; says how many entries there are.
#[track_caller]
fn lines_fit(text: &str) -> usize {
    let schema: Value = serde_json::from_str(&fs::read_to_string(schemas().join("plan.schema.json")).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in &lines {
        let problems: Vec<String> = validator.iter_errors(line).map(|e| e.to_string()).collect();
        assert!(problems.is_empty(), "{problems:?} in {line:#}");
        // It is a schema of lines, and not of anything.
        let mut strange = line.clone();
        strange.as_object_mut().unwrap().values_mut().next().unwrap()["strange"] = true.into();
        assert!(!validator.is_valid(&strange));
    }
    lines.iter().filter(|line| line.get("entry").is_some()).count()
}

fn schemas() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas")
}

#[test]
fn every_line_of_a_plan_file_fits_its_schema() {
    assert_eq!(lines_fit(&fs::read_to_string(folder().join("plan-1.jsonl")).unwrap()), 15);
    let seed = "objects: { Lead: { fields: [{ name: Logins__c, type: number, precision: 9, scale: 1 }], records: [{ LastName: A, Company: C, Email: a@example.org }, { LastName: B, Company: C, Email: b@example.org, Logins__c: 9 }, { LastName: C, Company: C, Email: b@example.org }] } }";
    let scene = Scene::seeded(seed);
    scene.write(
        "integrations/people.yaml",
        "footbridge: 1\nkind: integration\nname: people\norg: acme\nreport: { name: People, source: exports/people.csv }\nobject: Lead\nmatch: { column: Key, field: Email }\nfields: { Logins__c: Logins }\nlints_off: [walkme_prefix, sandbox_first, unused]\nenvironments: { sandbox: { guards: { max_refused: 100%, min_match: 0% } } }\n",
    );
    let report =
        "Key,Logins\na@example.org,1.25\nb@example.org,2\nnobody@example.org,3\n,4\nc@example.org,5\nC@example.org,6\n";
    scene.write("exports/people.csv", report);
    scene.run(&["plan", "people", "--out", "people.jsonl"]).exits(0);
    assert_eq!(lines_fit(&scene.read("people.jsonl")), 6);
    scene.run(&["plan", "people", "--out", "people.jsonl.zst"]).exits(0);
    let mut unpacked = String::new();
    let packed = File::open(scene.path("people.jsonl.zst")).unwrap();
    ruzstd::decoding::StreamingDecoder::new(packed).unwrap().read_to_string(&mut unpacked).unwrap();
    assert_eq!(lines_fit(&unpacked), 6);
    scene.run(&["apply", "people", "--yes"]).exits(0);
    scene.run(&["undo", "people", "--out", "undo.jsonl"]).exits(0);
    assert_eq!(lines_fit(&scene.read("undo.jsonl")), 1);
}

#[test]
fn the_run_log_of_version_1_reads_with_its_outcomes() {
    let store = Store::open(folder());
    let path = folder().join("run-1/2026-11-21T090003Z.yaml");
    let (path, log) = store.read(path.to_str().unwrap()).unwrap();
    assert_eq!((log.status, &log.exit, log.run_time_seconds.millis), (Status::Failed, &ExitReason::Error, 12_345));
    assert!(log.balances());
    assert_eq!(log.fields.len(), 3);
    assert_eq!(log.guards.iter().filter(|g| g.waived).count(), 1);
    let (head, lines) = store.outcomes(&path, &log).unwrap();
    assert_eq!(head.run, log.id);
    let lines: Vec<OutcomesLine> = lines.collect::<Result<_, _>>().unwrap();
    let ends: Vec<Outcome> =
        lines.iter().filter_map(|l| if let OutcomesLine::Record(r) = l { Some(r.outcome) } else { None }).collect();
    assert_eq!(ends.len() as u64, log.records.records);
    assert_eq!(ends.iter().filter(|o| **o == Outcome::Updated).count() as u64, log.records.updated);
    assert_eq!(lines.iter().filter(|l| matches!(l, OutcomesLine::Row(_))).count(), 10);
}

#[test]
fn the_report_of_a_probe_of_version_1_reads() {
    let text = fs::read_to_string(folder().join("probe-1.yaml")).unwrap();
    let report = footbridge::probe::Report::parse(&text).unwrap();
    assert_eq!(report.outcome, footbridge::probe::Outcome::Differs);
    assert_eq!((report.count(footbridge::probe::Verdict::Untold), report.findings.len()), (1, 4));
    assert_eq!(report.to_yaml(), text);
}

#[test]
fn every_specimen_is_read_by_a_test() {
    let found: BTreeSet<String> =
        fs::read_dir(folder()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(found, ["plan-1.jsonl", "probe-1.yaml", "run-1"].map(String::from).into());
}
