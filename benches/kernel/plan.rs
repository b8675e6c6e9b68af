//! Table → reconcile → lines, as a plan does it, without the network between.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use footbridge_engine::model::{Digest, EnvironmentName, Field, FieldName, FieldType, ObjectName, OrgId};
use footbridge_engine::plan::{Digests, FORMAT, FieldHead, Header, Lines, RowOutcome, Sink, decode};
use footbridge_engine::reconcile::{
    Budget, DuplicateRows, FieldInput, Guards, Inputs, KeyInput, Layout, OnBadValue, SeveralRecords, start,
};
use footbridge_engine::table::{CsvReader, Dialect, Limits};
use footbridge_engine::values::{KeyRule, Options, Rule, WhenBlank};

use super::generate;

/// The file of the plan's lines.
pub const LINES: &str = "plan-lines.jsonl";

fn field(name: &str, field_type: FieldType) -> Field {
    Field { length: 80, precision: 18, scale: 2, digits: 8, id_lookup: true, ..Field::plain(name, field_type) }
}

fn mapped() -> [(Field, &'static str); 5] {
    [
        (field("First_Login__c", FieldType::Datetime), "first_login"),
        (field("Last_Login__c", FieldType::Datetime), "last_login"),
        (field("Logins__c", FieldType::Double), "logins"),
        (field("NPS__c", FieldType::Double), "nps"),
        (field("Completed__c", FieldType::Double), "completed"),
    ]
}

fn inputs() -> Inputs {
    let options = Options { when_blank: WhenBlank::Clear, ..Options::default() };
    let fields = mapped();
    Inputs {
        known: Default::default(),
        layout: Layout::new(&FieldName::new("Email"), fields.iter().map(|(f, _)| f.name.clone()), false, None),
        key: KeyInput { column: 0, rule: KeyRule::compile(&field("Email", FieldType::Email)).unwrap() },
        fields: fields
            .iter()
            .enumerate()
            .map(|(at, (field, column))| FieldInput {
                name: field.name.clone(),
                column_name: (*column).to_owned(),
                column: at + 1,
                rule: Rule::compile(field, &options).unwrap(),
                on_bad_value: OnBadValue::SkipCell,
                currency: None,
            })
            .collect(),
        duplicate_rows: DuplicateRows::Skip,
        several_records: SeveralRecords::Skip,
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
        source: "exports/report.csv".to_owned(),
        object: ObjectName::new("Lead"),
        object_label: "Lead".to_owned(),
        org: "acme".to_owned(),
        environment: EnvironmentName::Sandbox,
        org_id: OrgId::parse("00D000000000001").unwrap(),
        match_column: "email".to_owned(),
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

/// The plan's lines go to a file, as a plan's do; for comparison the changed cells as well.
struct Kept {
    out: BufWriter<File>,
    update: Option<BufWriter<File>>,
}

impl Sink for Kept {
    type Error = std::io::Error;

    fn lines(&mut self, lines: &Lines) -> std::io::Result<()> {
        if let Some(update) = &mut self.update {
            for (outcome, line) in lines.iter().filter(|(outcome, _)| *outcome == RowOutcome::Planned) {
                let entry = decode(line)?;
                assert_eq!(entry.outcome, outcome);
                write!(update, "{}", entry.record.unwrap())?;
                for (field, _) in mapped() {
                    let cell = entry.cells.iter().find(|c| c.field == field.name);
                    write!(update, ",{}", cell.map_or("", |c| c.after.as_deref().unwrap_or("#N/A")))?;
                }
                writeln!(update)?;
            }
        }
        self.out.write_all(&lines.bytes)
    }
}

pub fn files(folder: &Path, threads: usize, memory: u64, update: Option<&Path>) -> String {
    let open = |name: &str| {
        CsvReader::open(File::open(folder.join(name)).unwrap(), Dialect::default(), Limits::default()).unwrap().1
    };
    let mark = std::time::Instant::now();
    let mut marks = Vec::new();
    let scratch = folder.to_owned();
    let scratch = std::sync::Arc::new(move || tempfile::tempfile_in(&scratch));
    let mut reading = start(inputs(), Budget { bytes: memory, threads, scratch });
    let preparer = reading.preparer();
    open("report.csv").drain(threads, |block| Ok(preparer.prepare(block)), |prepared| reading.take(prepared)).unwrap();
    marks.push(("report", mark.elapsed()));
    let rows = reading.rows() as usize;
    let matching = reading.close().unwrap();
    marks.push(("table", mark.elapsed()));
    open("org.csv").drain(threads, |block| matching.org(block), Ok).unwrap();
    marks.push(("org", mark.elapsed()));
    let create = |path: &Path| BufWriter::with_capacity(1 << 16, File::create(path).unwrap());
    let mut kept = Kept { out: create(&folder.join(LINES)), update: update.map(create) };
    let summary = matching.finish(&header(), &mut kept).unwrap();
    marks.push(("finish", mark.elapsed()));
    kept.out.flush().unwrap();
    let (planned, cells, alone) = generate::expected(rows);
    assert_eq!((summary.records, summary.cells.change), (planned, cells));
    assert_eq!(summary.rows.of(RowOutcome::NoRecord), alone);
    assert_eq!(summary.rows.of(RowOutcome::Unchanged), rows as u64 - planned - alone);
    let marks: Vec<String> = marks.iter().map(|(what, at)| format!("{what} {:.3}", at.as_secs_f64())).collect();
    format!("{rows} rows, {planned} planned, {cells} cells, changes {}; {}", summary.changes.short(), marks.join(", "))
}
