//! Invented plans and runs for the tests of this module and of `render`. People, orgs and addresses are made up (example.com).

use std::collections::{BTreeMap, BTreeSet};

use super::{
    CallCounts, Doubt, ExitReason, NotAttempted, Problem, RecordLine, RunFacts, RunLog, RunProblem, Seconds,
    StopsAfter, Trigger,
};
use crate::model::{Digest, EnvironmentName, FieldName, FieldType, ObjectName, OrgId, RecordId};
use crate::plan::*;

pub(crate) fn record(number: u64) -> RecordId {
    RecordId::parse(&format!("00Q{number:012}")).unwrap()
}

pub(crate) fn field(name: &str, label: &str, field_type: FieldType, column: &str, show_values: bool) -> FieldHead {
    FieldHead { field: FieldName::new(name), label: label.into(), field_type, column: column.into(), show_values }
}

pub(crate) fn header() -> Header {
    Header {
        format: FORMAT.into(),
        integration: "logins-to-leads".into(),
        report: "Logins Review".into(),
        source: "exports/logins-review.csv".into(),
        object: ObjectName::new("Lead"),
        object_label: "Lead".into(),
        org: "acme".into(),
        environment: EnvironmentName::Sandbox,
        org_id: OrgId::parse("00D000000000001").unwrap(),
        match_column: "User ID".into(),
        match_field: FieldName::new("Email"),
        scope: Some("IsConverted = false".into()),
        undo_of: None,
        fields: vec![
            field("WalkMe_First_Login__c", "First login", FieldType::Date, "First Login", false),
            field("WalkMe_Level__c", "Level", FieldType::Picklist, "Level", true),
            field("WalkMe_Notes__c", "Notes", FieldType::Textarea, "Notes", false),
        ],
        digests: Digests {
            configuration: Digest::of(b"configuration"),
            report: Digest::of(b"report"),
            definitions: Digest::of(b"definitions"),
        },
    }
}

pub(crate) fn change(field: &str, before: Option<&str>, after: Option<&str>) -> CellChange {
    let kind = match (before, after) {
        (None, _) => ChangeKind::Fill,
        (_, None) => ChangeKind::Clear,
        _ => ChangeKind::Overwrite,
    };
    CellChange {
        field: FieldName::new(field),
        kind,
        before: before.map(Into::into),
        after: after.map(Into::into),
        note: None,
    }
}

pub(crate) fn planned(row: u64, key: &str, cells: Vec<CellChange>) -> Entry {
    let mut entry = Entry::new(row, row + 1, key.into(), RowOutcome::Planned);
    entry.record = Some(record(row));
    entry.cells = cells;
    entry
}

pub(crate) fn refused(field: &str, column: &str, value: &str) -> RefusedCell {
    RefusedCell {
        field: FieldName::new(field),
        column: column.into(),
        value: value.into(),
        code: "not_a_date".into(),
        message: "this is no ISO date".into(),
        hint: Some("say how dates are written: `format:` in the mapping".into()),
    }
}

/// A plan of these entries and so many unchanged rows, with ledgers that add up.
pub(crate) fn plan_of(header: Header, entries: Vec<Entry>, unchanged: u64) -> Plan {
    let mut rows = RowLedger::default();
    let mut seen = BTreeSet::new();
    for entry in entries.iter().filter(|e| seen.insert(e.row)) {
        rows.add(entry.outcome);
    }
    *rows.outcomes.entry(RowOutcome::Unchanged).or_insert(0) += unchanged;
    rows.rows = rows.outcomes.values().sum();
    let mut fields: BTreeMap<FieldName, FieldCounts> =
        header.fields.iter().map(|f| (f.field.clone(), FieldCounts::default())).collect();
    let matched_entries = entries.iter().filter(|e| matches!(e.outcome, RowOutcome::Planned | RowOutcome::Refused));
    let matched = matched_entries.clone().count() as u64 + unchanged;
    let mut cells = CellLedger { cells: matched * header.fields.len() as u64, ..CellLedger::default() };
    let mut by_kind: BTreeMap<ChangeKind, u64> = BTreeMap::new();
    for entry in matched_entries {
        for cell in &entry.cells {
            cells.change += 1;
            *fields.entry(cell.field.clone()).or_default().changes.entry(cell.kind).or_insert(0) += 1;
        }
        for kind in entry.cells.iter().map(|c| c.kind).collect::<BTreeSet<_>>() {
            *by_kind.entry(kind).or_insert(0) += 1;
        }
        for cell in &entry.refused {
            cells.refused += 1;
            *fields.entry(cell.field.clone()).or_default().refused.entry(cell.code.clone()).or_insert(0) += 1;
        }
    }
    cells.same = cells.cells - cells.change - cells.refused;
    for counts in fields.values_mut() {
        counts.same = matched - counts.changes.values().sum::<u64>() - counts.refused.values().sum::<u64>();
    }
    let guard = |name, value, limit: Limit| GuardVerdict {
        name,
        value,
        base: matched,
        limit,
        held: limit.exceeded_by(value, matched),
    };
    let of = |kind| by_kind.get(&kind).copied().unwrap_or(0);
    let records_refused = entries.iter().filter(|e| !e.refused.is_empty()).count() as u64;
    let guards = vec![
        guard(GuardName::MaxOverwrites, of(ChangeKind::Overwrite), Limit::Percent(3000)),
        guard(GuardName::MaxClears, of(ChangeKind::Clear), Limit::Count(0)),
        guard(GuardName::MaxRefused, records_refused, Limit::Percent(500)),
        GuardVerdict {
            name: GuardName::MinMatch,
            value: matched,
            base: rows.rows,
            limit: Limit::Percent(5000),
            held: Limit::Percent(5000).missed_by(matched, rows.rows),
        },
    ];
    let records = entries.iter().filter(|e| e.outcome == RowOutcome::Planned).count() as u64;
    let summary = Summary {
        rows,
        cells,
        matched,
        records,
        records_refused,
        records_by_kind: by_kind,
        fields,
        guards,
        inputs: Digest::of(b""),
        changes: Digest::of(b""),
    };
    let context = Context {
        version: "0.1.0".into(),
        planned_at: "2026-11-21T09:00:03Z".parse().unwrap(),
        report_modified: Some("2026-11-21T06:00:00Z".parse().unwrap()),
        columns: Vec::new(),
        blanks: Default::default(),
        read_by: Way::Lookup,
        calls_made: 12,
        calls_to_come: records.div_ceil(200) * 2,
        reading: None,
        writing: None,
        calls_guard: None,
        usage: Some(Usage { used: 1_234, allowed: 100_000 }),
        org_rows: matched,
        record_links: Some("https://acme--uat.sandbox.lightning.force.com".into()),
        not_checked: Vec::new(),
        warnings: Vec::new(),
    };
    Plan::of(header, &entries, summary, context).unwrap()
}

/// Every kind of row and change once or more.
pub(crate) fn plan() -> Plan {
    let long_before = "Ann asked for a call about the advanced reports. She prefers mornings, and has the budget for ten seats this year.";
    let long_after = "Ann asked for a demo about the advanced reports. She prefers mornings, and has the budget for twelve seats this year.";
    let mut rounded = change("WalkMe_Level__c", Some("Silver"), Some("Gold"));
    rounded.note =
        Some(Note { code: "label".into(), text: "the label of this entry".into(), from: Some("Gold plan".into()) });
    let mut partly = planned(5, "dora@example.com", vec![change("WalkMe_Level__c", None, Some("Gold"))]);
    partly.refused = vec![refused("WalkMe_First_Login__c", "First Login", "03/04/2026")];
    let mut several = Entry::new(7, 8, "fay@example.com".into(), RowOutcome::SeveralRecords);
    several.candidates = vec![record(701), record(702)];
    let mut double = Entry::new(8, 9, "gil@example.com".into(), RowOutcome::DuplicateKey);
    double.rows = vec![9];
    let mut double_too = Entry::new(9, 10, "GIL@example.com".into(), RowOutcome::DuplicateKey);
    double_too.rows = vec![8];
    let mut bad = Entry::new(11, 12, "not an address".into(), RowOutcome::BadKey);
    bad.reason = Some("it has no @".into());
    let mut converted = Entry::new(13, 14, "kim@example.com".into(), RowOutcome::Converted);
    converted.record = Some(record(13));
    let mut outside = Entry::new(14, 15, "lou@example.com".into(), RowOutcome::OutOfScope);
    outside.record = Some(record(14));
    let mut useless = Entry::new(15, 16, "max@example.com".into(), RowOutcome::Refused);
    useless.record = Some(record(15));
    useless.refused = vec![refused("WalkMe_First_Login__c", "First Login", "yesterday")];
    let entries = vec![
        planned(1, "ann@example.com", vec![change("WalkMe_First_Login__c", None, Some("2026-01-02")), rounded]),
        planned(2, "bob@example.com", vec![change("WalkMe_Level__c", Some("Gold"), None)]),
        planned(3, "cy@example.com", vec![change("WalkMe_Notes__c", Some(long_before), Some(long_after))]),
        planned(4, "di@example.com", vec![change("WalkMe_Level__c", None, Some("Gold"))]),
        partly,
        planned(6, "ed@example.com", vec![change("WalkMe_Level__c", None, Some("Gold"))]),
        several,
        double,
        double_too,
        Entry::new(10, 11, String::new(), RowOutcome::BlankKey),
        bad,
        Entry::new(12, 13, "ivy@example.com".into(), RowOutcome::NoRecord),
        converted,
        outside,
        useless,
    ];
    plan_of(header(), entries, 1_200)
}

/// A run of [`plan`] in which every kind of end occurs, with its record lines.
pub(crate) fn run() -> (RunLog, Vec<RecordLine>) {
    let plan = plan();
    let entries = plan.planned().collect::<Result<Vec<_>, _>>().unwrap();
    let problem = Problem::new(
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "Level Gold cannot be cleared for bob@example.com",
        vec![FieldName::new("WalkMe_Level__c")],
        &entries[1],
    );
    let lines = [
        RecordLine::updated(&entries[0]),
        RecordLine::failed(&entries[1], vec![problem]),
        RecordLine::drifted(&entries[2], vec![FieldName::new("WalkMe_Notes__c")], false),
        RecordLine::unknown(&entries[3], Doubt::Neither, vec![FieldName::new("WalkMe_Level__c")]),
        RecordLine::not_attempted(&entries[4], NotAttempted::Stopped),
        RecordLine::updated(&entries[5]),
    ];
    let lines: Vec<RecordLine> = lines.into_iter().flatten().collect();
    let records = RecordLedger { records: 6, updated: 2, failed: 1, drifted: 1, not_attempted: 1, unknown: 1 };
    let problem = RunProblem {
        code: "FB0701".into(),
        message: "the connection was lost while a batch was on its way".into(),
        not_done: Some("1 record was not attempted".into()),
        next: Some("apply again later: the rest is planned anew".into()),
    };
    let log = RunLog::new(&plan, facts(ExitReason::Error, records, vec![problem]));
    (log, lines)
}

pub(crate) fn facts(exit: ExitReason, records: RecordLedger, problems: Vec<RunProblem>) -> RunFacts {
    RunFacts {
        trigger: Trigger::Apply,
        tick: None,
        start: "2026-11-21T09:00:03Z".parse().unwrap(),
        end: "2026-11-21T09:00:15.345Z".parse().unwrap(),
        user: Some("ci@acme.example.uat".into()),
        exit,
        records,
        waived: vec![GuardName::MaxClears],
        stops_after: StopsAfter::default(),
        window: Some(Seconds { millis: 850 }),
        calls: CallCounts {
            total: 15,
            retries: 1,
            by_kind: [("describe", 1), ("query", 12), ("update", 2)].map(|(k, n)| (k.to_owned(), n)).into(),
            ..CallCounts::default()
        },
        jobs: Vec::new(),
        quota: None,
        report_bytes: Some(65_432),
        api: "66.0".into(),
        footbridge: "0.1.0".into(),
        problems,
        careful: Default::default(),
    }
}
