//! Small plans that keep all their promises.

use std::collections::BTreeMap;

use crate::model::{Digest, EnvironmentName, FieldType, OrgId, RecordId};
use crate::plan::{
    CellChange, CellLedger, ChangeKind, Context, Digests, Entry, FORMAT, FieldHead, Header, Plan, RowLedger,
    RowOutcome, Summary, Way,
};

pub const FIELDS: [(&str, FieldType); 3] =
    [("Text__c", FieldType::Textarea), ("Number__c", FieldType::Double), ("Flag__c", FieldType::Boolean)];

pub fn id(number: usize) -> RecordId {
    RecordId::parse(&format!("00Q5e{number:010}")).unwrap()
}

/// What a record holds before and after, by field.
pub fn value(field: usize, record: usize, after: bool) -> Option<String> {
    match (field, after) {
        (0, false) => (!record.is_multiple_of(3)).then(|| format!("old \"{record}\"")),
        (0, true) => Some(format!("new\n{record}")),
        (1, false) => Some(record.to_string()),
        (1, true) => (!record.is_multiple_of(5)).then(|| (record + 1000).to_string()),
        (_, false) => Some("false".into()),
        (_, true) => Some("true".into()),
    }
}

/// A plan over `masks.len()` records; bit f of a mask says that field f is written (0 counts as 1).
pub fn plan(masks: &[u8]) -> Plan {
    plan_with(masks, |_| ())
}

/// The same with its planned entries changed.
pub fn plan_with(masks: &[u8], change: impl Fn(&mut Entry)) -> Plan {
    let header = Header {
        format: FORMAT.into(),
        integration: "logins-to-leads".into(),
        report: "Logins Review".into(),
        source: "exports/logins.csv".into(),
        object: "Lead".into(),
        object_label: "Lead".into(),
        org: "acme".into(),
        environment: EnvironmentName::Sandbox,
        org_id: OrgId::parse("00D5e000000TEST").unwrap(),
        match_column: "User ID".into(),
        match_field: "Email".into(),
        scope: None,
        undo_of: None,
        fields: FIELDS
            .iter()
            .map(|(name, field_type)| FieldHead {
                field: (*name).into(),
                label: (*name).into(),
                field_type: field_type.clone(),
                column: (*name).into(),
                show_values: false,
            })
            .collect(),
        digests: Digests {
            configuration: Digest::of(b"configuration"),
            report: Digest::of(b"report"),
            definitions: Digest::of(b"definitions"),
        },
    };
    let mut rows = RowLedger::default();
    let mut cells = CellLedger::default();
    let mut entries = Vec::new();
    for (number, mask) in masks.iter().enumerate() {
        let row = 2 * number as u64 + 1;
        let mut entry = Entry::new(row, row + 1, format!("u{number}@example.com"), RowOutcome::Planned);
        entry.record = Some(id(number));
        for (field, (name, _)) in FIELDS.iter().enumerate() {
            let mask = if mask & 7 == 0 { 1 } else { *mask };
            if mask & (1 << field) != 0 {
                let (before, after) = (value(field, number, false), value(field, number, true));
                let kind = match (&before, &after) {
                    (None, _) => ChangeKind::Fill,
                    (_, None) => ChangeKind::Clear,
                    _ => ChangeKind::Overwrite,
                };
                entry.cells.push(CellChange { field: (*name).into(), kind, before, after, note: None });
                cells.cells += 1;
                cells.change += 1;
            }
        }
        change(&mut entry);
        entries.push(entry);
        entries.push(Entry::new(row + 1, row + 2, format!("x{number}@example.com"), RowOutcome::NoRecord));
        rows.add(RowOutcome::Planned);
        rows.add(RowOutcome::NoRecord);
        rows.rows += 2;
    }
    let records = masks.len() as u64;
    let summary = Summary {
        rows,
        cells,
        matched: records,
        records,
        records_refused: 0,
        records_by_kind: BTreeMap::new(),
        fields: BTreeMap::new(),
        guards: Vec::new(),
        inputs: Digest::of(b""),
        changes: Digest::of(b""),
    };
    let context = Context {
        version: "0.1.0".into(),
        planned_at: "2026-11-21T09:00:00Z".parse().unwrap(),
        report_modified: None,
        columns: Vec::new(),
        blanks: Default::default(),
        read_by: Way::Lookup,
        calls_made: 1,
        calls_to_come: 1,
        reading: None,
        writing: None,
        calls_guard: None,
        usage: None,
        org_rows: records,
        record_links: None,
        not_checked: Vec::new(),
        warnings: Vec::new(),
    };
    let plan = Plan::of(header, &entries, summary, context).unwrap();
    assert_eq!(plan.broken(), []);
    plan
}
