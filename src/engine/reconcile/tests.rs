mod order;

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::model::{Digest, EnvironmentName, Field, FieldName, FieldType, ObjectName, OrgId, RecordId};
use crate::plan::{Digests, Entry, FORMAT, FieldHead, Header, Limit, Plan, RowOutcome, Summary};
use crate::table::{Block, BlockBuilder};
use crate::values::{Forms, KeyRule, Options, Rule, Side, Verdict, WhenBlank, WritePolicy};

fn field(name: &str, field_type: FieldType) -> Field {
    Field { length: 20, precision: 6, scale: 1, id_lookup: true, ..Field::plain(name, field_type) }
}

/// What varies between cases.
#[derive(Debug, Clone)]
struct Case {
    report: Vec<[String; 4]>,
    org: Vec<(u8, [String; 3], bool, u8)>,
    duplicates: u8,
    several: SeveralRecords,
    on_bad_value: OnBadValue,
    blank: WhenBlank,
    write: WritePolicy,
}

fn fields(case: &Case) -> Vec<(Field, Options)> {
    let options = |write| Options { when_blank: case.blank, write, ..Options::default() };
    let seen = field("Seen__c", FieldType::Datetime);
    vec![
        (field("Text__c", FieldType::String), options(WritePolicy::Always)),
        (field("Count__c", FieldType::Double), options(case.write)),
        (seen, options(WritePolicy::Always)),
    ]
}

fn inputs(case: &Case) -> Inputs {
    let moment = || Rule::compile(&field("m", FieldType::Datetime), &Options::default()).unwrap();
    let mapped = fields(case);
    Inputs {
        known: Default::default(),
        key: KeyInput { column: 0, rule: KeyRule::compile(&field("Email", FieldType::Email)).unwrap() },
        fields: mapped
            .iter()
            .enumerate()
            .map(|(i, (f, o))| FieldInput {
                name: f.name.clone(),
                column_name: format!("column {i}"),
                column: i + 1,
                rule: Rule::compile(f, o).unwrap(),
                on_bad_value: case.on_bad_value,
                currency: None,
            })
            .collect(),
        duplicate_rows: match case.duplicates {
            0 => DuplicateRows::Skip,
            1 => DuplicateRows::Fail,
            2 => DuplicateRows::First,
            3 => DuplicateRows::Last,
            _ => DuplicateRows::Newest { column: 3, rule: Box::new(moment()) },
        },
        several_records: case.several,
        layout: Layout::new(
            &FieldName::new("Email"),
            mapped.into_iter().map(|(f, _)| f.name),
            true,
            Some(&FieldName::new("CreatedDate")),
        ),
        beyond: None,
        guards: Guards { min_match: Some(Limit::Count(0)), ..Guards::default() },
    }
}

fn header(case: &Case) -> Header {
    let nothing = Digest::of(b"");
    Header {
        format: FORMAT.to_owned(),
        integration: "test".to_owned(),
        report: "Test".to_owned(),
        source: "exports/test.csv".to_owned(),
        object: ObjectName::new("Lead"),
        object_label: "Lead".to_owned(),
        org: "acme".to_owned(),
        environment: EnvironmentName::Sandbox,
        org_id: OrgId::parse("00D000000000001").unwrap(),
        match_column: "User ID".to_owned(),
        match_field: FieldName::new("Email"),
        scope: None,
        undo_of: None,
        fields: fields(case)
            .iter()
            .map(|(f, _)| FieldHead {
                field: f.name.clone(),
                label: f.label.clone(),
                field_type: f.field_type.clone(),
                column: "c".to_owned(),
                show_values: false,
            })
            .collect(),
        digests: Digests { configuration: nothing.clone(), report: nothing.clone(), definitions: nothing },
    }
}

fn id(n: u8) -> String {
    RecordId::parse(&format!("00Q0000000000{:02}", n)).unwrap().to_string()
}

fn blocks(rows: Vec<Vec<String>>, first_row: u64, size: usize) -> Vec<Block> {
    let mut all = Vec::new();
    let mut number = first_row;
    for (sequence, chunk) in rows.chunks(size).enumerate() {
        let mut builder = BlockBuilder::new(chunk[0].len(), number, sequence as u64);
        for row in chunk {
            builder.push_row(row.iter().map(|c| c.as_bytes()), number + 1).unwrap();
            number += 1;
        }
        all.push(builder.finish());
    }
    all
}

/// Columns: Id, Email, the three fields, IsConverted, CreatedDate.
fn org_rows(case: &Case) -> Vec<Vec<String>> {
    let row = |(n, (key, [text, count, seen], converted, created)): (usize, &(u8, [String; 3], bool, u8))| {
        vec![
            id(n as u8),
            format!("p{key}@example.com"),
            text.clone(),
            count.clone(),
            seen.clone(),
            converted.to_string(),
            format!("2026-01-{:02}T00:00:00.000+0000", created + 1),
        ]
    };
    case.org.iter().enumerate().map(row).collect()
}

/// How a plan is made: none of it may change a byte.
#[derive(Debug, Clone, Copy)]
struct Way {
    threads: usize,
    /// Bytes of memory; 0 spills from the first row on.
    memory: u64,
    /// Rows a block.
    block: usize,
}

const PLAIN: Way = Way { threads: 1, memory: 512 << 20, block: 3 };

fn ways() -> impl Strategy<Value = Way> {
    let of = proptest::sample::select::<usize>;
    (of(vec![1, 2, 4]), proptest::sample::select(vec![0, 300, 512 << 20]), 1usize..6)
        .prop_map(|(threads, memory, block)| Way { threads, memory, block })
}

fn run(case: &Case, org: Vec<Vec<String>>, way: Way) -> (Vec<Entry>, Summary) {
    let (entries, summary, _) = run_beyond(case, org, None, way);
    (entries, summary)
}

/// With a second reading, where there is one; the literals of its keys come back, too.
fn run_beyond(
    case: &Case,
    org: Vec<Vec<String>>,
    beyond: Option<Vec<Vec<String>>>,
    way: Way,
) -> (Vec<Entry>, Summary, Vec<String>) {
    let budget = Budget { bytes: way.memory, threads: way.threads, ..Budget::default() };
    let mut inputs = inputs(case);
    inputs.beyond = beyond.is_some().then(|| Layout::beyond(&FieldName::new("Email"), true));
    let mut reading = start(inputs, budget);
    for block in blocks(case.report.iter().map(|r| r.to_vec()).collect(), 1, way.block) {
        reading.report(block).unwrap();
    }
    assert_eq!(reading.rows(), case.report.len() as u64);
    let matching = reading.close().unwrap();
    let feed = |blocks: &[Block], take: &(dyn Fn(&Block) -> Result<(), ReconcileError> + Sync)| {
        std::thread::scope(|scope| {
            for first in 0..way.threads {
                scope.spawn(move || blocks.iter().skip(first).step_by(way.threads).for_each(|b| take(b).unwrap()));
            }
        });
    };
    feed(&blocks(org, 1, way.block), &|block| matching.org(block));
    let mut literals = Vec::new();
    if let Some(beyond) = beyond {
        matching.literals(Pass::Beyond, |literal| literals.push(literal.to_owned())).unwrap();
        feed(&blocks(beyond, 1, way.block), &|block| matching.beyond(block));
    }
    literals.sort();
    let mut entries = Vec::new();
    let summary = matching.finish(&header(case), &mut entries).unwrap();
    (entries, summary, literals)
}

type Outcomes = BTreeMap<u64, RowOutcome>;
type Planned = BTreeMap<(u64, String), Vec<String>>;

/// The oracle: every row against every record, by the definition of meaning alone.
fn oracle(case: &Case) -> (Outcomes, Planned) {
    let inputs = inputs(case);
    let canon_key = |cell: &str| {
        let mut out = Vec::new();
        inputs.key.rule.canon(Side::Report, cell.as_bytes(), &mut out).map(|_| out)
    };
    let org = org_rows(case);
    let mut outcomes = BTreeMap::new();
    let mut planned = BTreeMap::new();
    for (n, row) in case.report.iter().enumerate() {
        let number = n as u64 + 1;
        let mut set = |outcome| outcomes.insert(number, outcome);
        let Ok(key) = canon_key(&row[0]) else {
            set(RowOutcome::BadKey);
            continue;
        };
        if key.is_empty() {
            set(RowOutcome::BlankKey);
            continue;
        }
        let same: Vec<usize> =
            (0..case.report.len()).filter(|&m| canon_key(&case.report[m][0]).is_ok_and(|k| k == key)).collect();
        let moment = |m: &usize| {
            let mut out = Vec::new();
            let DuplicateRows::Newest { rule, .. } = &inputs.duplicate_rows else { return out };
            if rule.canon(Side::Report, case.report[*m][3].as_bytes(), &mut out).is_err() {
                out.clear();
            }
            out
        };
        let chosen = match (&inputs.duplicate_rows, same.len()) {
            (_, 1) | (DuplicateRows::First, _) => Some(same[0]),
            (DuplicateRows::Last, _) => same.last().copied(),
            (DuplicateRows::Newest { .. }, _) => {
                let best = same.iter().map(moment).max().unwrap();
                let at: Vec<&usize> = same.iter().filter(|m| moment(m) == best).collect();
                (at.len() == 1 && !best.is_empty()).then(|| *at[0])
            }
            _ => None,
        };
        if chosen != Some(n) {
            set(RowOutcome::DuplicateKey);
            continue;
        }
        let mut records: Vec<&Vec<String>> = org.iter().filter(|r| canon_key(&r[1]).is_ok_and(|k| k == key)).collect();
        if records.is_empty() {
            set(RowOutcome::NoRecord);
            continue;
        }
        records.retain(|r| r[5] == "false");
        if records.is_empty() {
            set(RowOutcome::Converted);
            continue;
        }
        if records.len() > 1 {
            let best = records.iter().map(|r| r[6].clone()).max().unwrap();
            let newest: Vec<&Vec<String>> = records.iter().filter(|r| r[6] == best).copied().collect();
            match case.several {
                SeveralRecords::All => {}
                SeveralRecords::Newest if newest.len() == 1 => records = newest,
                _ => {
                    set(RowOutcome::SeveralRecords);
                    continue;
                }
            }
        }
        let mut ends = Vec::new();
        for record in records {
            let (mut changes, mut refused, mut skip) = (Vec::new(), false, false);
            for (i, input) in inputs.fields.iter().enumerate() {
                match input.rule.judge(row[i + 1].as_bytes(), record[i + 2].as_bytes(), &mut Forms::default()) {
                    Verdict::Change(change) => {
                        changes.push(format!("{}={}", input.name, String::from_utf8_lossy(change.after)))
                    }
                    Verdict::Refused(_) => {
                        refused = true;
                        skip |= input.on_bad_value == OnBadValue::SkipRow;
                    }
                    _ => {}
                }
            }
            if skip {
                changes.clear();
            }
            ends.push((!changes.is_empty(), refused));
            if !changes.is_empty() {
                planned.insert((number, record[0].clone()), changes);
            }
        }
        set(match (ends.iter().any(|e| e.0), ends.iter().any(|e| e.1)) {
            (true, _) => RowOutcome::Planned,
            (false, true) => RowOutcome::Refused,
            (false, false) => RowOutcome::Unchanged,
        });
    }
    (outcomes, planned)
}

fn cell(kind: usize) -> BoxedStrategy<String> {
    let words: &[&str] = match kind {
        0 => &[
            "p1@example.com",
            "P1@EXAMPLE.com ",
            "p2@example.com",
            " p3@example.com",
            "p4@example.com",
            "",
            "  ",
            "nobody@example.com",
        ],
        1 => &["a", "A", " a ", "", "N/A", "bb", "a text that is far too long to fit"],
        2 => &["1", "1.0", "2", "", "1.05", "x", "1,5", "-0", "99999999"],
        _ => &["2026-01-02T03:04:05Z", "2026-01-02T04:04:05+01:00", "", "2026-01-03T00:00:00Z", "03/04/2026"],
    };
    proptest::sample::select(words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>()).boxed()
}

fn stored(kind: usize) -> BoxedStrategy<String> {
    let words: &[&str] = match kind {
        0 => &["a", "A", "", "bb"],
        1 => &["1.0", "2.0", "", "1.05"],
        _ => &["2026-01-02T03:04:05.000+0000", "2026-01-02T03:04:05.000Z", "", "2026-01-03T00:00:00.000+0000"],
    };
    proptest::sample::select(words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>()).boxed()
}

fn cases() -> impl Strategy<Value = Case> {
    let row = (cell(0), cell(1), cell(2), cell(3)).prop_map(|(a, b, c, d)| [a, b, c, d]);
    let record = (
        1u8..5,
        (stored(0), stored(1), stored(2)).prop_map(|(a, b, c)| [a, b, c]),
        proptest::bool::weighted(0.2),
        0u8..3,
    );
    (
        proptest::collection::vec(row, 0..12),
        proptest::collection::vec(record, 0..10),
        0u8..5,
        proptest::sample::select(vec![
            SeveralRecords::Skip,
            SeveralRecords::Fail,
            SeveralRecords::All,
            SeveralRecords::Newest,
        ]),
        proptest::sample::select(vec![OnBadValue::SkipCell, OnBadValue::SkipRow, OnBadValue::Fail]),
        proptest::sample::select(vec![WhenBlank::Keep, WhenBlank::Clear, WhenBlank::Fail]),
        proptest::sample::select(vec![
            WritePolicy::Always,
            WritePolicy::IfEmpty,
            WritePolicy::IfGreater,
            WritePolicy::IfLess,
        ]),
    )
        .prop_map(|(report, org, duplicates, several, on_bad_value, blank, write)| Case {
            report,
            org,
            duplicates,
            several,
            on_bad_value,
            blank,
            write,
        })
}

proptest! {
    #[test]
    fn the_plan_is_what_a_nested_loop_says(case in cases(), way in ways()) {
        let (entries, summary) = run(&case, org_rows(&case), way);
        let (outcomes, planned) = oracle(&case);
        let mut counts = BTreeMap::new();
        for outcome in outcomes.values() {
            *counts.entry(*outcome).or_insert(0u64) += 1;
        }
        for outcome in RowOutcome::ALL {
            prop_assert_eq!(summary.rows.of(outcome), counts.get(&outcome).copied().unwrap_or(0), "{:?}", outcome);
        }
        let found: BTreeMap<(u64, String), Vec<String>> = entries
            .iter()
            .filter(|e| e.outcome == RowOutcome::Planned)
            .map(|e| {
                let cells = e.cells.iter().map(|c| format!("{}={}", c.field, c.after.as_deref().unwrap_or_default())).collect();
                ((e.row, e.record.unwrap().to_string()), cells)
            })
            .collect();
        prop_assert_eq!(found, planned);
    }

    #[test]
    fn nothing_of_how_it_is_made_changes_a_byte(case in cases(), way in ways(), turn in 0usize..10, late in 0u8..2) {
        let (entries, summary) = run(&case, org_rows(&case), PLAIN);
        let mut turned = org_rows(&case);
        if !turned.is_empty() {
            let by = turn % turned.len();
            turned.rotate_left(by);
            // A page that came twice changes nothing either.
            turned.push(turned[0].clone());
        }
        let (again, same) = run(&case, turned.clone(), way);
        prop_assert_eq!(&entries, &again);
        prop_assert_eq!(&summary, &same);
        // A record that changed between two pages is one record: the same one, whichever came first.
        if !turned.is_empty() {
            let mut newer = turned[0].clone();
            newer[2] = "changed".to_owned();
            newer[5] = (late == 1).to_string();
            turned.push(newer);
            let one = run(&case, turned.clone(), PLAIN);
            turned.reverse();
            prop_assert_eq!(one, run(&case, turned, way));
        }
    }

    #[test]
    fn the_second_reading_says_the_same_however_it_is_made(
        case in cases(),
        beyond in proptest::collection::vec((0u8..9, 0u8..5, any::<bool>()), 0..6),
        way in ways(),
    ) {
        let row = |(n, key, converted): &(u8, u8, bool)| vec![id(40 + n), format!("p{key}@example.com"), converted.to_string()];
        let rows: Vec<Vec<String>> = beyond.iter().map(row).collect();
        let plain = run_beyond(&case, org_rows(&case), Some(rows.clone()), PLAIN);
        let again = run_beyond(&case, org_rows(&case), Some(rows.into_iter().rev().collect()), way);
        prop_assert_eq!(plain, again);
    }

    #[test]
    fn a_plan_keeps_its_promises_and_reads_back(case in cases()) {
        let (entries, summary) = run(&case, org_rows(&case), PLAIN);
        let context = crate::plan::Context {
            version: "0".to_owned(),
            planned_at: jiff::Timestamp::UNIX_EPOCH,
            report_modified: None,
            columns: Vec::new(),
            blanks: Default::default(),
            read_by: crate::plan::Way::Lookup,
            calls_made: 0,
            calls_to_come: 0,
            reading: None,
            writing: None,
            calls_guard: None,
            usage: None,
            org_rows: 0,
            record_links: None,
            not_checked: Vec::new(),
            warnings: Vec::new(),
        };
        let plan = Plan::of(header(&case), &entries, summary.clone(), context).unwrap();
        prop_assert_eq!(&plan.summary, &summary);
        prop_assert_eq!(plan.broken(), vec![]);
        let bytes = plan.write(Vec::new()).unwrap();
        let read = |bytes: &[u8]| Plan::read(bytes, tempfile::tempfile().unwrap(), &mut ());
        let back = read(&bytes).unwrap();
        prop_assert_eq!((&back.header, &back.summary, &back.context), (&plan.header, &plan.summary, &plan.context));
        prop_assert_eq!(back.all().unwrap(), entries);
        // Any single changed or missing byte is found out.
        let at = bytes.len() / 2;
        let mut torn = bytes.clone();
        torn[at] ^= 1;
        let torn = read(&torn);
        let body = bytes.windows(11).position(|w| w == b"{\"summary\":").unwrap();
        prop_assert!(at >= body || torn.is_err());
        prop_assert!(read(&bytes[..bytes.len() - 1]).is_err());
    }
}

#[test]
fn a_policy_that_says_fail_is_a_guard_that_can_be_waived() {
    let row = |key: &str| [key, "a", "1", ""].map(str::to_owned);
    let case = Case {
        report: vec![row("p1@example.com"), row("P1@example.com"), row("p2@example.com")],
        org: vec![],
        duplicates: 1,
        several: SeveralRecords::Fail,
        on_bad_value: OnBadValue::Fail,
        blank: WhenBlank::Keep,
        write: WritePolicy::Always,
    };
    let (_, summary) = run(&case, Vec::new(), PLAIN);
    let held: Vec<(&str, u64)> = summary.guards.iter().filter(|g| g.held).map(|g| (g.name.as_str(), g.value)).collect();
    assert_eq!(held, [("duplicate_rows", 2)]);
    assert_eq!(summary.rows.of(RowOutcome::NoRecord), 1);
}

/// Enough rows for threads to put keys into the table side by side; each key has three of them.
#[test]
fn rows_that_share_keys_are_the_same_on_any_number_of_threads() {
    let rows = 21_000;
    // They stand in blocks that follow each other, which different threads take.
    let key = |n: usize| format!("P{}@example.com", n / 300 * 100 + n % 100);
    let org = large_org(rows / 3 + 50);
    for duplicates in 0..=4 {
        let mut case = Case { duplicates, ..large(rows) };
        for (n, row) in case.report.iter_mut().enumerate() {
            row[0] = key(n);
            // The cell that decides which row is newest, and one that tells the rows apart.
            row[3] = format!("2026-01-{:02}T03:04:05Z", 1 + n % 28);
            row[1] = format!("text {n}");
        }
        let plain = run(&case, org.clone(), Way { block: 1_000, ..PLAIN });
        let used = plain.1.rows.of(RowOutcome::Planned);
        assert!(if duplicates < 2 { used == 0 } else { used > rows as u64 / 4 }, "{duplicates}: {:?}", plain.1);
        for threads in [2, 4] {
            let again = run(&case, org.clone(), Way { threads, block: 100, ..PLAIN });
            assert!(plain == again, "{duplicates} on {threads} threads");
        }
    }
}

/// Large enough for several blocks, chunks of records, parts a thread and partitions; wide and long cells among them.
fn large(rows: usize) -> Case {
    let report = |n: usize| {
        [
            format!("P{}@example.com", n * 7 % rows),
            if n.is_multiple_of(500) { "x".repeat(5_000) } else { format!("text {}", n % 3) },
            format!("{}.0", n % 100),
            "2026-01-02T03:04:05Z".to_owned(),
        ]
    };
    Case {
        report: (0..rows).map(report).collect(),
        org: Vec::new(),
        duplicates: 2,
        several: SeveralRecords::Skip,
        on_bad_value: OnBadValue::SkipCell,
        blank: WhenBlank::Keep,
        write: WritePolicy::Always,
    }
}

fn large_org(rows: usize) -> Vec<Vec<String>> {
    let row = |n: usize| {
        vec![
            RecordId::parse(&format!("00Q{n:012}")).unwrap().to_string(),
            format!("p{n}@EXAMPLE.com"),
            format!("text {}", n % 4),
            format!("{}", n % 90),
            "2026-01-02T03:04:05.000+0000".to_owned(),
            n.is_multiple_of(50).to_string(),
            "2026-01-01T00:00:00.000+0000".to_owned(),
        ]
    };
    (0..rows).map(row).collect()
}

#[test]
fn a_large_plan_is_the_same_in_memory_and_on_disk_on_any_number_of_threads() {
    let case = large(30_001);
    let mut org = large_org(30_100);
    let plain = run(&case, org.clone(), Way { block: 1_000, ..PLAIN });
    assert!(plain.1.records > 10_000 && plain.1.rows.of(RowOutcome::Converted) > 500, "{:?}", plain.1);
    org.reverse();
    for (threads, memory) in [(2, 512 << 20), (4, 512 << 20), (1, 1 << 20), (2, 1 << 20), (4, 4 << 20), (2, 0)] {
        let again = run(&case, org.clone(), Way { threads, memory, block: 777 });
        assert!(plain == again, "{threads} threads, {memory} bytes");
    }
}

#[test]
fn of_two_versions_of_a_record_the_same_one_counts_whichever_cell_each_lacks() {
    let case = large(2);
    let full = large_org(2).swap_remove(1);
    let lacking = |column: usize| {
        let mut version = full.clone();
        version[column] = String::new();
        version
    };
    let one = run(&case, vec![lacking(2), lacking(3)], PLAIN);
    assert_eq!(one.1.records, 1);
    for way in [PLAIN, Way { block: 1, ..PLAIN }, Way { memory: 0, ..PLAIN }] {
        assert_eq!(one, run(&case, vec![lacking(3), lacking(2)], way));
    }
}

#[test]
fn a_disk_that_is_full_stops_the_plan_and_says_so() {
    let case = large(2_000);
    let full = || std::fs::File::options().read(true).write(true).open("/dev/full");
    let budget = Budget { bytes: 1 << 16, scratch: std::sync::Arc::new(full), ..Budget::default() };
    let mut reading = start(inputs(&case), budget);
    let blocks = blocks(case.report.iter().map(|r| r.to_vec()).collect(), 1, 500);
    let taken: Result<(), _> = blocks.into_iter().try_for_each(|block| reading.report(block));
    let ended = taken.and_then(|()| reading.close().map(drop));
    if cfg!(target_os = "linux") {
        assert!(matches!(ended, Err(ReconcileError::Scratch { full: true, .. })), "{ended:?}");
    }
}
