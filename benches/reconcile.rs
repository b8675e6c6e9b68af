//! Benches of what a plan's time goes into: indexing the report, judging cells, match and judge as a whole, and checking configuration.
//!
//! All input is generated, the same each time. Report cells differ from the org's in writing (offsets, trailing zeros, case of keys), as real exports
//! do, so that no short cut by equal bytes flatters the figures.

#![allow(clippy::unwrap_used, reason = "a bench that cannot be set up has nothing to measure")]

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use footbridge::config;
use footbridge::model::{
    Digest, EnvironmentName, Field, FieldName, FieldType, ObjectName, OrgId, PicklistValue, RecordId,
};
use footbridge::plan::{Digests, Entry, FORMAT, FieldHead, Header};
use footbridge::reconcile::{
    Budget, DuplicateRows, FieldInput, Guards, Inputs, KeyInput, Layout, OnBadValue, SeveralRecords, start,
};
use footbridge::table::{Block, BlockBuilder, CsvReader, Dialect, Limits};
use footbridge::values::{Forms, KeyRule, Options, Rule, Verdict};

const ROWS: usize = 100_000;
/// One row in so many has a changed cell.
const CHANGED: usize = 10;
const BLOCK: usize = 2_000;

fn field(name: &str, field_type: FieldType) -> Field {
    Field {
        length: 80,
        precision: 18,
        scale: 2,
        digits: 8,
        id_lookup: true,
        picklist: ["Trial", "Active", "Lapsed"]
            .map(|v| PicklistValue { value: v.to_owned(), label: v.to_owned(), active: true })
            .into(),
        reference_to: vec![ObjectName::new("Contact")],
        ..Field::plain(name, field_type)
    }
}

fn mapped() -> [(Field, &'static str); 5] {
    [
        (field("Title", FieldType::String), "Job"),
        (field("First_Login__c", FieldType::Datetime), "First Login"),
        (field("Last_Login__c", FieldType::Datetime), "Last Login"),
        (field("Logins__c", FieldType::Double), "# Logins"),
        (field("Renewal__c", FieldType::Date), "Renewal"),
    ]
}

fn inputs() -> Inputs {
    let fields = mapped();
    let layout = Layout::new(&FieldName::new("Email"), fields.iter().map(|(f, _)| f.name.clone()), true, None);
    Inputs {
        known: Default::default(),
        key: KeyInput { column: 0, rule: KeyRule::compile(&field("Email", FieldType::Email)).unwrap() },
        fields: fields
            .iter()
            .enumerate()
            .map(|(at, (field, column))| FieldInput {
                name: field.name.clone(),
                column_name: (*column).to_owned(),
                column: at + 1,
                rule: Rule::compile(field, &Options::default()).unwrap(),
                on_bad_value: OnBadValue::SkipCell,
                currency: None,
            })
            .collect(),
        duplicate_rows: DuplicateRows::Skip,
        several_records: SeveralRecords::Skip,
        layout,
        beyond: None,
        guards: Guards::default(),
    }
}

fn header() -> Header {
    let nothing = Digest::of(b"");
    Header {
        format: FORMAT.to_owned(),
        integration: "activity".to_owned(),
        report: "Activity".to_owned(),
        source: "exports/activity.csv".to_owned(),
        object: ObjectName::new("Lead"),
        object_label: "Lead".to_owned(),
        org: "acme".to_owned(),
        environment: EnvironmentName::Sandbox,
        org_id: OrgId::parse("00D000000000001").unwrap(),
        match_column: "User ID".to_owned(),
        match_field: FieldName::new("Email"),
        scope: None,
        undo_of: None,
        fields: mapped()
            .into_iter()
            .map(|(field, column)| FieldHead {
                field: field.name,
                label: field.label,
                field_type: field.field_type,
                column: column.to_owned(),
                show_values: false,
            })
            .collect(),
        digests: Digests { configuration: nothing.clone(), report: nothing.clone(), definitions: nothing },
    }
}

fn day(n: usize) -> String {
    format!("{:02}-{:02}", 1 + n % 12, 1 + n % 28)
}

/// A person's row as an export writes it.
fn report_row(n: usize) -> [String; 6] {
    let moved = usize::from(n.is_multiple_of(CHANGED));
    [
        format!("Person.{n}@Team{}.example.com", n % 977),
        format!("Engineer {}", n % 50),
        format!("2025-{}T{:02}:{:02}:{:02}+02:00", day(n), 3 + n % 20, n % 60, n * 7 % 60),
        format!("2026-{}T{:02}:{:02}:{:02}-01:00", day(n), n % 19, n % 60, n * 7 % 60),
        format!("{}", n % 300 + moved),
        format!("2027-{}", day(n)),
    ]
}

/// The same person as the org has it: Id, Email, the five fields, IsConverted.
fn org_row(n: usize) -> [String; 8] {
    let id = RecordId::parse(&format!("00Q{n:012}")).unwrap();
    [
        id.as_str().to_owned(),
        format!("person.{n}@team{}.example.com", n % 977),
        format!("Engineer {}", n % 50),
        format!("2025-{}T{:02}:{:02}:{:02}.000+0000", day(n), 1 + n % 20, n % 60, n * 7 % 60),
        format!("2026-{}T{:02}:{:02}:{:02}.000+0000", day(n), 1 + n % 19, n % 60, n * 7 % 60),
        format!("{}.0", n % 300),
        format!("2027-{}", day(n)),
        "false".to_owned(),
    ]
}

fn blocks<const N: usize>(row: impl Fn(usize) -> [String; N]) -> Vec<Block> {
    let numbers: Vec<usize> = (0..ROWS).collect();
    let mut blocks = Vec::new();
    for (sequence, chunk) in numbers.chunks(BLOCK).enumerate() {
        let mut builder = BlockBuilder::new(N, chunk[0] as u64 + 1, sequence as u64);
        for &n in chunk {
            builder.push_row(row(n), n as u64 + 2).unwrap();
        }
        blocks.push(builder.finish());
    }
    blocks
}

/// Match and judge, everything between blocks in and entries out: 100,000 rows in another order than the 100,000 records.
fn kernel(c: &mut Criterion) {
    let report = blocks(|n| report_row(n * 7_919 % ROWS));
    let org = blocks(org_row);
    let head = header();
    let mut group = c.benchmark_group("reconcile");
    group.throughput(Throughput::Elements(ROWS as u64)).sample_size(10).measurement_time(Duration::from_secs(5));
    group.bench_function("100,000 rows against 100,000 records, 5 fields, 10 % changed", |b| {
        b.iter_batched(
            || (inputs(), report.clone()),
            |(inputs, report)| {
                let mut reading = start(inputs, Budget::default());
                for block in report {
                    reading.report(block).unwrap();
                }
                let matching = reading.close().unwrap();
                for block in &org {
                    matching.org(block).unwrap();
                }
                let mut entries: Vec<Entry> = Vec::new();
                let summary = matching.finish(&head, &mut entries).unwrap();
                assert_eq!(summary.records as usize, ROWS / CHANGED);
                entries
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn csv(c: &mut Criterion) {
    let plain: String = (0..ROWS).map(|n| report_row(n).join(",") + "\n").collect();
    let quoted: String =
        (0..ROWS).map(|n| report_row(n).map(|cell| format!("\"{cell} \"\"x\"\"\"")).join(",") + "\r\n").collect();
    let mut group = c.benchmark_group("csv");
    group.sample_size(10).measurement_time(Duration::from_secs(3));
    for (name, text) in [("plain", &plain), ("every cell quoted, with doubled quotes", &quoted)] {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(name, |b| {
            b.iter(|| {
                let dialect = Dialect { header: false, ..Dialect::default() };
                let (_, mut reader) = CsvReader::open(text.as_bytes(), dialect, Limits::default()).unwrap();
                let mut rows = 0;
                while let Some(block) = reader.next_block().unwrap() {
                    rows += black_box(block).rows();
                }
                assert_eq!(rows, ROWS);
            });
        });
    }
    group.finish();
}

/// One cell a type: the very same bytes, the same value in other writing, and another value.
fn cells(c: &mut Criterion) {
    use FieldType::{
        Boolean, Combobox, Currency, Date, Datetime, Double, Email, Int, Multipicklist, Percent, Phone, Picklist,
        Reference, String, Textarea, Time, Url,
    };
    let all: [(FieldType, &str, &str, &str); 17] = [
        (String, " Head of Sales", "Head of Sales", "Head of Support"),
        (Textarea, "one\ntwo", "one\r\ntwo", "one\r\nthree"),
        (Email, "ada@example.org ", "ada@example.org", "eve@example.org"),
        (Phone, "+44 20 7946 0018 ", "+44 20 7946 0018", "+44 20 7946 0019"),
        (Url, "https://example.org/a ", "https://example.org/a", "https://example.org/b"),
        (Combobox, "Partner ", "Partner", "Customer"),
        (Picklist, "active", "Active", "Lapsed"),
        (Multipicklist, "lapsed;trial", "Trial;Lapsed", "Trial;Active"),
        (Boolean, "TRUE", "true", "false"),
        (Int, "070", "70", "71"),
        (Double, "70.50", "70.5", "71.5"),
        (Currency, "1200", "1200.0", "1300.0"),
        (Percent, "25", "25.0", "26.0"),
        (Date, "2026-08-17T00:00:00", "2026-08-17", "2026-08-18"),
        (Datetime, "2026-08-17T10:12:44+02:00", "2026-08-17T08:12:44.000+0000", "2026-08-17T08:12:45.000+0000"),
        (Time, "09:30", "09:30:00.000Z", "09:31:00.000Z"),
        (Reference, "003000000000001", "003000000000001AAA", "003000000000002AAA"),
    ];
    let mut group = c.benchmark_group("cell");
    group.sample_size(20).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_millis(700));
    for (field_type, report, same, other) in all {
        let name = field_type.as_str().to_owned();
        let options = Options { time_zone: Some(jiff::tz::TimeZone::UTC), ..Options::default() };
        let rule = Rule::compile(&field("F__c", field_type), &options).unwrap();
        let mut forms = Forms::default();
        // What is asked of nearly all cells.
        assert!(rule.agrees(same.as_bytes().into(), same.as_bytes().into(), &mut forms), "{name}");
        group.bench_function(format!("{name}, as it stands"), |b| {
            b.iter(|| rule.agrees(black_box(same.as_bytes()).into(), black_box(same.as_bytes()).into(), &mut forms));
        });
        assert!(rule.agrees(report.as_bytes().into(), same.as_bytes().into(), &mut forms), "{name}");
        group.bench_function(format!("{name}, same"), |b| {
            b.iter(|| rule.agrees(black_box(report.as_bytes()).into(), black_box(same.as_bytes()).into(), &mut forms));
        });
        // Of those that do not agree.
        let verdict = rule.judge(report.as_bytes(), other.as_bytes(), &mut forms);
        assert!(matches!(verdict, Verdict::Change(_)), "{name}: {verdict:?}");
        group.bench_function(format!("{name}, changed"), |b| {
            b.iter(|| {
                let verdict = rule.judge(black_box(report.as_bytes()), black_box(other.as_bytes()), &mut forms);
                matches!(verdict, Verdict::Change(_))
            });
        });
    }
    group.finish();
}

fn repository(root: &Path, integrations: usize) {
    let folder = root.join("integrations");
    std::fs::create_dir_all(&folder).unwrap();
    let orgs = "footbridge: 1\nkind: orgs\nacme:\n  sandbox:\n    domain: acme--uat.sandbox.my.salesforce.com\n    org_id: 00DEm0000000042\n    auth: { flow: access_token, token: \"${ACME_TOKEN}\" }\n";
    std::fs::write(folder.join("orgs.yaml"), orgs).unwrap();
    let report = "footbridge: 1\nkind: report\nname: Activity\nkey: User ID\nsource: exports/activity.csv\n";
    std::fs::write(folder.join("activity.yaml"), report).unwrap();
    for n in 1..=integrations {
        let text = format!(
            "# Activity of team {n}, for its own fields.\nfootbridge: 1\nkind: integration\nname: activity-{n}\ngoal: Show team {n} who uses the product\norg: acme\nreport: Activity\nobject: Lead\nmatch:\n  column: User ID\n  field: Email\nfields:\n  First_Login_{n}__c: First Login\n  Last_Login_{n}__c:\n    column: Last Login\n    write: if_greater\n  Logins_{n}__c: \"# Logins\"\nguards:\n  max_overwrites: 30%\nenvironments:\n  sandbox: {{}}\n"
        );
        std::fs::write(folder.join(format!("activity-{n}.yaml")), text).unwrap();
    }
}

fn configuration(c: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    repository(folder.path(), 200);
    let mut group = c.benchmark_group("configuration");
    group.sample_size(10).measurement_time(Duration::from_secs(5));
    group.bench_function("200 integrations", |b| {
        b.iter(|| {
            let loaded = config::load_for(folder.path(), &|_| None, &[]);
            assert!(!loaded.diagnostics.has_errors(), "{:?}", loaded.diagnostics);
            assert_eq!(loaded.repository.integrations.len(), 200);
            loaded
        });
    });
    group.finish();
}

criterion_group!(benches, kernel, csv, cells, configuration);
criterion_main!(benches);
