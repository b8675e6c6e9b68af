//! Files that earlier versions wrote go on reading. A specimen is never changed; a new version of a format adds one.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use footbridge::plan::{Plan, RowOutcome};
use footbridge::runlog::{ExitReason, Outcome, OutcomesLine, Status, Store};

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
