use super::*;
use crate::plan::RecordLedger;
use crate::runlog::sample;
use crate::runlog::{ExitReason, Listed, RecordLine, RowLine, RunProblem};

fn lines(records: &[RecordLine]) -> Vec<OutcomesLine> {
    let rows = sample::plan().all().unwrap().iter().filter_map(RowLine::new).map(OutcomesLine::Row).collect::<Vec<_>>();
    records.iter().cloned().map(OutcomesLine::Record).chain(rows).collect()
}

/// All outcomes of a run: its records, and the rows that could not be used. `path` is the file of the run log.
fn read_outcomes(
    store: &Store,
    path: &Path,
    log: &RunLog,
) -> Result<(Vec<RecordLine>, Vec<RowLine>), Box<dyn std::error::Error>> {
    let (mut records, mut rows) = (Vec::new(), Vec::new());
    for line in store.outcomes(path, log)?.1 {
        match line? {
            OutcomesLine::Record(record) => records.push(record),
            OutcomesLine::Row(row) => rows.push(row),
            OutcomesLine::Head(_) => {}
        }
    }
    Ok((records, rows))
}

/// A log that starts `day` of November 2026, in an empty-plan run or one that a guard stopped.
fn log(day: u8, exit: ExitReason) -> RunLog {
    let plan = crate::runlog::sample::plan_of(sample::header(), Vec::new(), u64::from(day) * 100);
    let mut facts = sample::facts(exit, RecordLedger::default(), Vec::new());
    facts.start = format!("2026-11-{day:02}T09:00:00Z").parse().unwrap();
    facts.end = format!("2026-11-{day:02}T09:00:01Z").parse().unwrap();
    RunLog::new(&plan, facts)
}

#[test]
fn what_was_written_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("runs"));
    let (mut log, records) = sample::run();
    let written = store.write(&mut log, lines(&records).into_iter().map(Ok)).unwrap();
    let relative = written.log.strip_prefix(folder.path()).unwrap();
    assert_eq!(relative, Path::new("runs/logins-to-leads/00D000000000001EAA/2026/2026-11-21T090003Z.yaml"));
    for wanted in [
        written.log.to_str().unwrap(),
        "2026-11-21T090003Z",
        "2026-11-21T090003Z.yaml",
        "00D000000000001EAA/2026/2026-11-21T090003Z",
        "logins-to-leads",
    ] {
        let (path, read) = store.read(wanted).unwrap();
        assert_eq!((path, read), (written.log.clone(), log.clone()), "{wanted}");
    }
    let (head, reader) = store.outcomes(&written.log, &log).unwrap();
    assert_eq!(head.run, log.id);
    // Salesforce's own words are for the terminal; the file has them without what they echo.
    let mut expected = records.clone();
    expected.iter_mut().flat_map(|r| &mut r.problems).for_each(|p| p.words = None);
    assert_eq!(reader.collect::<Result<Vec<_>, _>>().unwrap(), lines(&expected));
    assert_eq!(read_outcomes(&store, &written.log, &log).unwrap().0, expected);
    let names: Vec<_> = fs::read_dir(written.log.parent().unwrap()).unwrap().collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn no_key_and_no_value_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path());
    let (mut log, records) = sample::run();
    let written = store.write(&mut log, lines(&records).into_iter().map(Ok)).unwrap();
    let text = fs::read_to_string(written.log).unwrap() + &fs::read_to_string(written.outcomes).unwrap();
    for entry in sample::plan().all().unwrap() {
        let mut hidden = vec![entry.key];
        hidden.extend(entry.refused.into_iter().map(|r| r.value));
        hidden.extend(entry.cells.into_iter().flat_map(|c| [c.before, c.after]).flatten());
        for value in hidden.iter().filter(|v| !v.is_empty()) {
            assert!(!text.contains(value.as_str()), "{value}");
        }
    }
}

#[test]
fn two_runs_of_one_second_get_two_names() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path());
    let ids: Vec<String> =
        (0..11).map(|_| store.write(&mut log(21, ExitReason::Done), Vec::new()).unwrap().id).collect();
    assert_eq!(ids[..3], ["2026-11-21T090000Z", "2026-11-21T090000Z-2", "2026-11-21T090000Z-3"]);
    let listed = store.list(&Filter::default()).unwrap();
    let shown: Vec<&str> = listed.iter().filter_map(|l| Some(l.run()?.id.as_str())).collect();
    assert_eq!(shown, ids.iter().rev().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn an_id_is_free_where_no_file_of_a_run_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path());
    let (log, _) = sample::run();
    let stamp = crate::runlog::stamp(log.start);
    let free = |elsewhere: &str| store.free_id(&log.integration, log.org_id, log.start, |id| id == elsewhere);
    assert_eq!((free(""), free(&stamp)), (stamp.clone(), format!("{stamp}-2")));
    std::fs::create_dir_all(store.folder(&log)).unwrap();
    for (number, end) in ["yaml", "records.jsonl", "values.age", "intent.yaml"].iter().enumerate() {
        let taken = free("");
        std::fs::write(store.folder(&log).join(format!("{taken}.{end}")), "").unwrap();
        assert_eq!(free(""), format!("{stamp}-{}", number + 2), "{end}");
    }
    // A log whose id is free takes it, beside its own values and intent; another takes none of theirs.
    let mut own = RunLog { id: format!("{stamp}-4"), ..log.clone() };
    store.name(&mut own);
    assert_eq!(own.id, format!("{stamp}-4"));
    let mut other = RunLog { id: String::new(), ..log.clone() };
    store.name(&mut other);
    assert_eq!(other.id, format!("{stamp}-5"));
}

#[test]
fn lists_are_newest_first_and_broken_logs_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path());
    assert_eq!(store.list(&Filter::default()).unwrap(), []);
    let written: Vec<Written> =
        [3, 1, 2].map(|day| store.write(&mut log(day, ExitReason::Done), Vec::new()).unwrap()).into();
    let text = fs::read_to_string(&written[2].log).unwrap();
    let cases = [
        ("a: [b", "begin as one"),
        (&text.replace("footbridge: 1", "footbridge: 2"), "version 2"),
        (&text.replace("kind: run", "kind: integration"), "kind `integration`"),
        (&text.replace("status: Completed", "status: Perhaps"), "Perhaps"),
        (&text[..text.find("rows:").unwrap()], "missing field"),
    ];
    for (broken, reason_part) in cases {
        fs::write(&written[2].log, broken).unwrap();
        let listed = store.list(&Filter::default()).unwrap();
        assert_eq!(listed.len(), 3);
        assert_eq!(listed[0].run().unwrap().start.to_string(), "2026-11-03T09:00:00Z");
        assert_eq!(listed[2].run().unwrap().start.to_string(), "2026-11-01T09:00:00Z");
        let Listed::Unreadable { path, reason } = &listed[1] else { panic!("{:?}", listed[1]) };
        assert_eq!(*path, written[2].log);
        assert!(reason.contains(reason_part), "{reason}");
    }
    let mut taken = 0;
    let one = |_| {
        taken += 1;
        std::ops::ControlFlow::Break(())
    };
    store.each(&Filter::default(), one).unwrap();
    assert_eq!(taken, 1, "no more is read than is taken");
    let none = store.list(&Filter { status: Some(Status::Failed), ..Filter::default() }).unwrap();
    assert!(none.iter().all(|l| l.run().is_none()));
}

#[test]
fn a_run_that_a_guard_stopped_is_no_base_for_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path());
    store.write(&mut log(1, ExitReason::Done), Vec::new()).unwrap();
    store.write(&mut log(2, ExitReason::Guard), Vec::new()).unwrap();
    let header = sample::header();
    let newest = |name: &str, environment| store.newest(name, environment, header.org_id, |_| true).unwrap();
    let last = newest("logins-to-leads", header.environment).unwrap();
    assert_eq!((last.rows, last.exit), (200, ExitReason::Guard));
    let base = store.last_carried_out("logins-to-leads", header.environment, header.org_id).unwrap().unwrap();
    assert_eq!((base.rows, base.exit), (100, ExitReason::NothingToDo));
    assert_eq!(newest("another", header.environment), None);
    assert_eq!(newest("logins-to-leads", crate::model::EnvironmentName::Production), None);
}

#[test]
fn names_that_fit_none_or_several_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path());
    assert!(matches!(store.read("2026-11-01T090000Z"), Err(StoreProblem::NotFound { .. })));
    let mut other = log(1, ExitReason::Done);
    other.integration = "a/../b".into();
    let written = store.write(&mut other, Vec::new()).unwrap();
    let inside = written.log.strip_prefix(folder.path()).unwrap();
    assert!(
        inside.components().count() == 4 && inside.components().all(|c| matches!(c, std::path::Component::Normal(_)))
    );
    store.write(&mut log(1, ExitReason::Done), Vec::new()).unwrap();
    assert!(matches!(store.read("2026-11-01T090000Z"), Err(StoreProblem::Ambiguous { paths, .. }) if paths.len() == 2));
    for name in ["logins-to-leads", "a/../b"] {
        let read = store.read(&format!("{name}/2026-11-01T090000Z"));
        assert!(read.as_ref().is_ok_and(|(_, log)| log.integration == name), "{read:?}");
    }
    assert!(matches!(store.read("logins-to-leads/2026-11-02T090000Z"), Err(StoreProblem::NotFound { .. })));
}

#[test]
fn a_log_that_does_not_add_up_is_written_and_reported() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path());
    let mut log = log(1, ExitReason::Done);
    log.records.records = 1;
    assert!(matches!(store.write(&mut log, Vec::new()), Err(StoreProblem::Unbalanced { .. })));
    assert_eq!(store.list(&Filter::default()).unwrap().len(), 1);
}

#[test]
fn status_is_completed_only_if_nothing_was_left() {
    use crate::runlog::status_of;
    let ledger = |updated, failed, drifted, not_attempted, unknown| RecordLedger {
        records: updated + failed + drifted + not_attempted + unknown,
        updated,
        failed,
        drifted,
        not_attempted,
        unknown,
    };
    let problem = RunProblem { code: "X".into(), message: "x".into(), not_done: None, next: None };
    for (exit, records, problems, status) in [
        (ExitReason::Done, ledger(3, 0, 0, 0, 0), vec![], Status::Completed),
        (ExitReason::NothingToDo, ledger(0, 0, 0, 0, 0), vec![], Status::Completed),
        (ExitReason::InPart, ledger(3, 1, 0, 0, 0), vec![], Status::Failed),
        (ExitReason::InPart, ledger(3, 0, 1, 0, 0), vec![], Status::Failed),
        (ExitReason::Limited, ledger(3, 0, 0, 1, 0), vec![], Status::Failed),
        (ExitReason::Limited, ledger(3, 0, 0, 0, 0), vec![], Status::Completed),
        (ExitReason::InPart, ledger(3, 0, 0, 0, 1), vec![], Status::Failed),
        (ExitReason::Guard, ledger(0, 0, 0, 0, 0), vec![], Status::Failed),
        (ExitReason::Error, ledger(3, 0, 0, 0, 0), vec![problem], Status::Failed),
    ] {
        assert_eq!(status_of(&exit, &records, &problems), status, "{exit:?} {records:?}");
    }
}

#[test]
fn the_written_files_fit_their_schemas() {
    let (log, records) = sample::run();
    let schemas = crate::runlog::schemas();
    let check = |name: &str, value: serde_json::Value| {
        let (_, text) = schemas.iter().find(|(n, _)| *n == name).unwrap();
        let validator = jsonschema::validator_for(&serde_json::from_str(text).unwrap()).unwrap();
        let problems: Vec<String> =
            validator.iter_errors(&value).map(|e| format!("{e} at {}", e.instance_path())).collect();
        assert!(problems.is_empty(), "{name}: {problems:?}");
    };
    let yaml = serde_yaml::to_string(&log).unwrap();
    check("run.schema.json", serde_yaml::from_str(&yaml).unwrap());
    for line in lines(&records) {
        check("run-records.schema.json", serde_json::to_value(line).unwrap());
    }
}

#[test]
fn a_run_without_a_plan_leaves_a_log_too() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path());
    let header = sample::header();
    let subject = crate::runlog::RunSubject {
        integration: header.integration,
        report: header.report,
        source: "https://reports.example.com/logins.csv?sig=abc".into(),
        object: header.object,
        org: header.org,
        environment: header.environment,
        org_id: header.org_id,
    };
    let problem =
        RunProblem { code: "FB0301".into(), message: "the report is missing".into(), not_done: None, next: None };
    let mut log = RunLog::unplanned(subject, sample::facts(ExitReason::Error, RecordLedger::default(), vec![problem]));
    let written = store.write(&mut log, Vec::new()).unwrap();
    let (_, read) = store.read(&written.id).unwrap();
    assert_eq!((read.status, read.report.source.as_str()), (Status::Failed, "https://reports.example.com/logins.csv"));
    assert_eq!(read, log);
    assert_eq!(store.last_carried_out("logins-to-leads", header.environment, header.org_id).unwrap(), None);
}

#[test]
fn a_log_with_more_in_it_than_we_know_still_reads() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path());
    let written = store.write(&mut log(1, ExitReason::Done), Vec::new()).unwrap();
    let text = fs::read_to_string(&written.log).unwrap();
    let later =
        text.replace("exit: nothing_to_do", "exit: postponed\nmood: fine").replace("trigger: apply", "trigger: bell");
    fs::write(&written.log, later).unwrap();
    let (_, read) = store.read(&written.id).unwrap();
    assert_eq!((read.exit.as_str(), read.trigger.as_str()), ("postponed", "bell"));
    assert!(!read.exit.carried_out());
}

#[test]
fn outcomes_that_are_cut_off_are_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path());
    let (mut log, records) = sample::run();
    let written = store.write(&mut log, lines(&records).into_iter().map(Ok)).unwrap();
    let text = fs::read(&written.outcomes).unwrap();
    fs::write(&written.outcomes, &text[..text.len() - 9]).unwrap();
    let problem = read_outcomes(&store, &written.log, &log).unwrap_err();
    assert!(problem.to_string().contains("line 17 of the outcomes file"), "{problem}");
    fs::write(&written.outcomes, "{}\n").unwrap();
    assert!(matches!(store.outcomes(&written.log, &log), Err(StoreProblem::Unreadable { .. })));
    log.outcomes = "../../../elsewhere.jsonl".into();
    assert!(
        matches!(store.outcomes(&written.log, &log), Err(StoreProblem::Io { path, .. }) if path.parent() == written.log.parent())
    );
}
