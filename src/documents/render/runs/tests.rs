use super::*;
use crate::plan::RowOutcome;
use crate::render::plan::tests::golden;
use crate::render::{Ends, Options, apply};
use crate::runlog::sample;
use crate::runlog::{Listed, OutcomesLine, Problem, RecordLine, RowLine, RunLog, RunSummary};

fn rows() -> Vec<RowLine> {
    sample::plan().all().unwrap().iter().filter_map(RowLine::new).collect()
}

fn lines(records: &[RecordLine], rows: &[RowLine]) -> Vec<OutcomesLine> {
    records.iter().cloned().map(OutcomesLine::Record).chain(rows.iter().cloned().map(OutcomesLine::Row)).collect()
}

fn ends(records: &[RecordLine], rows: &[RowLine], options: &Options) -> Ends {
    let mut ends = Ends::new(options);
    lines(records, rows).iter().for_each(|line| ends.line(line));
    ends
}

fn show(log: &RunLog, records: &[RecordLine], rows: &[RowLine], options: &Options) -> String {
    super::show(log, &ends(records, rows, options), options)
}

fn told(log: &RunLog, records: &[RecordLine], options: &Options) -> String {
    apply::text(log, &ends(records, &[], options), options)
}

fn show_json(log: &RunLog, records: &[RecordLine], rows: &[RowLine]) -> String {
    let mut out = Vec::new();
    super::show_json(log, || Ok(lines(records, rows).into_iter().map(Ok)), &mut out).unwrap();
    let view = RunView {
        format: "footbridge run-view/1".to_owned(),
        run: log.clone(),
        records: records.to_vec(),
        rows: rows.to_vec(),
    };
    let whole = crate::render::escape::json_visible(&serde_json::to_string_pretty(&view).unwrap()) + "\n";
    assert_eq!(String::from_utf8(out).unwrap(), whole, "streamed as if made whole");
    whole
}

#[test]
fn a_run_in_full() {
    let (log, records) = sample::run();
    golden("run-show", &show(&log, &records, &rows(), &Options::person(100, false)));
}

#[test]
fn the_summary_after_an_apply() {
    let (log, records) = sample::run();
    golden("apply-person", &told(&log, &records, &Options::person(100, false)));
    golden("apply-public", &told(&log, &records, &Options { width: Some(100), ..Options::public() }));
}

#[test]
fn a_list_of_runs() {
    let (log, _) = sample::run();
    let run = RunSummary::new("runs/logins-to-leads/2026-11-21T090003Z.yaml".into(), &log);
    let broken = Listed::Unreadable { path: "runs/x/y.yaml".into(), reason: "it is no run log".into() };
    let runs = [Listed::Run(Box::new(run)), broken];
    golden("runs-table", &table(&runs, &Options::person(160, false)));
    golden("runs-table-100", &table(&runs, &Options::person(100, false)));
    golden("runs-table-80", &table(&runs, &Options::person(80, false)));
    golden("runs-table-60", &table(&runs, &Options::person(60, false)));
    golden("runs-json", &table_json(&runs));
    assert_eq!(table(&[], &Options::public()), "No runs yet.\n");
}

#[test]
fn a_list_of_runs_breaks_no_word_and_fits_from_80_columns_on() {
    let (log, _) = sample::run();
    let mut long = RunSummary::new("b.yaml".into(), &log);
    long.integration = "activity-of-all-users-to-contacts".into();
    long.report = "Activity of all users in the last 30 days".into();
    long.object = crate::model::ObjectName::new("WalkMe_Engagement__c");
    long.records.records = 1_234_567;
    let runs = [Listed::Run(Box::new(RunSummary::new("a.yaml".into(), &log))), Listed::Run(Box::new(long))];
    let wanted: Vec<String> = table(&runs, &Options::public()).split_whitespace().map(str::to_owned).collect();
    for width in 60..=200 {
        for colour in [false, true] {
            let shown = table(&runs, &Options::person(width, colour));
            let plain = anstream::adapter::strip_str(&shown).to_string();
            assert!(width < 80 || crate::render::table::fits(&shown, Some(width)), "{width}:\n{plain}");
            let words: Vec<&str> = plain.split(|c: char| c.is_whitespace() || c == ':').collect();
            for word in
                ["2026-11-21T090003Z", "activity-of-all-users-to-contacts", "WalkMe_Engagement__c", "acme/sandbox"]
            {
                assert!(words.contains(&word), "{width}: {word}\n{plain}");
            }
            let told = ["2 of 1,234,567", "12.3 s", "Failed"].iter().all(|t| plain.contains(t));
            assert!(width < 80 || told, "{plain}");
        }
    }
    assert!(wanted.contains(&"09:00:03".to_owned()), "without a terminal every column is there");
}

#[test]
fn neighbouring_rows_are_drawn_together() {
    let log = sample::run().0;
    let rows: Vec<RowLine> = [3, 4, 5, 9, 1_200, 1_201]
        .into_iter()
        .filter_map(|n| RowLine::new(&crate::plan::Entry::new(n, n + 1, String::new(), RowOutcome::NoRecord)))
        .collect();
    let shown = show(&log, &[], &rows, &Options::person(100, false));
    assert!(shown.contains("  no record: rows 3–5; 9; 1,200–1,201\n"), "{shown}");
}

#[test]
fn a_run_without_a_failure_is_told_in_one_line() {
    let (mut log, _) = sample::run();
    log.status = crate::runlog::Status::Completed;
    log.exit = crate::runlog::ExitReason::Done;
    log.records.updated = log.records.records;
    (log.records.failed, log.records.drifted, log.records.not_attempted, log.records.unknown) = (0, 0, 0, 0);
    (log.guards, log.problems, log.window_seconds) = (Vec::new(), Vec::new(), None);
    let shown = told(&log, &[], &Options::person(100, false));
    assert_eq!(shown, "Completed: 6 of 6 records updated in 12.3 s, with 15 API calls.\n");
}

#[test]
fn json_fits_its_schema_and_reads_back() {
    let (log, records) = sample::run();
    let runs = [Listed::Run(Box::new(RunSummary::new("a.yaml".into(), &log)))];
    for (schema, json) in
        [("run-view.schema.json", show_json(&log, &records, &rows())), ("runs-view.schema.json", table_json(&runs))]
    {
        let (_, text) = crate::render::schemas().into_iter().find(|(n, _)| *n == schema).unwrap();
        let validator = jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap();
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        let problems: Vec<String> =
            validator.iter_errors(&value).map(|e| format!("{e} at {}", e.instance_path())).collect();
        assert!(problems.is_empty(), "{schema}: {problems:?}");
    }
    let view: RunView = serde_json::from_str(&show_json(&log, &records, &rows())).unwrap();
    assert_eq!(view.run, log);
}

#[test]
fn the_message_in_full_is_for_a_person_only() {
    let (log, records) = sample::run();
    let person = told(&log, &records, &Options::person(100, false));
    assert!(person.contains("cannot be cleared for bob@example.com"));
    let public = told(&log, &records, &Options::public());
    assert!(!public.contains("bob@") && public.contains("Level […] cannot be cleared for […]"), "{public}");
}

#[test]
fn hostile_answers_stay_text() {
    let (mut log, mut records) = sample::run();
    let hostile = "\u{1b}[2Jgone\u{202e}\n<script>@team|";
    log.problems[0].message = hostile.into();
    log.problems[0].code = hostile.into();
    log.user = Some(hostile.into());
    log.integration = hostile.into();
    let entry = crate::plan::Entry::new(1, 2, "k".into(), RowOutcome::Planned);
    records[1].problems = vec![Problem::new(hostile, hostile, vec![hostile.into()], &entry)];
    let listed = [
        Listed::Run(Box::new(RunSummary::new(hostile.into(), &log))),
        Listed::Unreadable { path: hostile.into(), reason: hostile.into() },
    ];
    let person = Options::person(100, false);
    for text in [
        show(&log, &records, &rows(), &person),
        told(&log, &records, &person),
        table(&listed, &person),
        show_json(&log, &records, &rows()),
        table_json(&listed),
    ] {
        assert!(!text.chars().any(|c| c != '\n' && crate::render::escape::is_invisible(c)), "{text:?}");
    }
}

#[test]
fn many_failures_are_grouped_and_counted() {
    let (log, records) = sample::run();
    let failed: Vec<_> = (1..=5_000)
        .map(|n| {
            let mut line = records[1].clone();
            line.record = sample::record(n);
            line.problems[0].words = Some(format!("message {}", n % 30));
            line
        })
        .collect();
    let person = told(&log, &failed, &Options::person(100, false));
    assert!(person.contains("FIELD_CUSTOM_VALIDATION_EXCEPTION on 167 records"), "{person}");
    assert!(person.contains("… and 10 more messages (--full shows all)"));
    let public = told(&log, &failed, &Options::public());
    assert!(
        public.contains("on 5,000 records (field WalkMe_Level__c)") && public.contains("… and 4,995 more"),
        "{public}"
    );
    let full = told(&log, &failed, &Options { full: true, ..Options::public() });
    assert_eq!(full.matches("00Q").count(), 5_000);
}
