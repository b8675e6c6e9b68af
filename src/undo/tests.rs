use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::model::{Field, FieldName, FieldType, RecordId};
use crate::plan::{Entry, Lines, RowOutcome, decode};
use crate::runlog::values::RecordValues;

fn id() -> RecordId {
    RecordId::parse("00Q000000000001EAA").unwrap()
}

/// A field, its value before, and what was written.
type Cell<'c> = (&'c str, Option<&'c str>, Option<&'c str>);

fn values(pairs: &[Cell<'_>]) -> RecordValues {
    let map = |which: fn(&Cell<'_>) -> Option<String>| -> BTreeMap<FieldName, Option<String>> {
        pairs.iter().map(|p| (FieldName::new(p.0), which(p))).collect()
    };
    let (before, after) = (map(|p| p.1.map(str::to_owned)), map(|p| p.2.map(str::to_owned)));
    RecordValues { row: 3, id: id(), before, after: Some(after), written: None }
}

fn text(name: &str) -> Target {
    Target::new(name.into(), &FieldType::String, Some(&Field::plain(name, FieldType::String)), false)
}

fn undone(targets: Vec<Target>, values: &RecordValues, now: Option<&[&[u8]]>) -> (Option<Entry>, crate::plan::Summary) {
    let mut undoing = Undoing::new(targets, "salt", "before");
    let mut lines = Lines::default();
    let now = now.map(|cells| Now { cells, modified: "2026-11-22", by: "005" });
    undoing.record(values, now, &mut lines).unwrap();
    let summary = undoing.finish();
    assert!(summary.rows.balances() && summary.cells.balances());
    (lines.iter().next().map(|(_, line)| decode(line).unwrap()), summary)
}

#[test]
fn a_field_goes_back_where_it_holds_what_the_run_wrote_and_stays_where_it_does_not() {
    let values = values(&[
        ("A__c", Some("old"), Some("new")),
        ("B__c", None, Some("new")),
        ("C__c", Some("old"), Some("new")),
        ("D__c", Some("old"), None),
    ]);
    let targets = ["A__c", "B__c", "C__c", "D__c"].map(text).to_vec();
    let (entry, summary) = undone(targets, &values, Some(&[b"new", b"new", b"mine", b""]));
    let entry = entry.unwrap();
    let cells: Vec<_> = entry.cells.iter().map(|c| (c.field.as_str(), c.kind.as_str(), c.after.as_deref())).collect();
    assert_eq!(cells, [("A__c", "overwrite", Some("old")), ("B__c", "clear", None), ("D__c", "fill", Some("old"))]);
    assert_eq!((entry.refused[0].field.as_str(), entry.refused[0].code.as_str()), ("C__c", CHANGED_SINCE));
    assert!(entry.refused[0].message.contains("2026-11-22 by 005"), "{}", entry.refused[0].message);
    assert_eq!((summary.records, summary.records_refused, summary.cells.refused), (1, 0, 1));
}

#[test]
fn what_is_back_already_is_the_same_and_a_record_that_is_gone_is_told() {
    let values = values(&[("A__c", Some("old"), Some("new"))]);
    let (entry, summary) = undone(vec![text("A__c")], &values, Some(&[b"old"]));
    assert_eq!((entry, summary.rows.of(RowOutcome::Unchanged)), (None, 1));
    let (entry, _) = undone(vec![text("A__c")], &values, None);
    assert_eq!(entry.unwrap().outcome, RowOutcome::NoRecord);
}

#[test]
fn fields_that_cannot_take_the_old_value_are_refused_by_name() {
    let field = |change: fn(&mut Field)| {
        let mut field = Field::plain("A__c", FieldType::Picklist);
        change(&mut field);
        field
    };
    let values = values(&[("A__c", Some("old"), Some("new"))]);
    let cases: [(Option<Field>, &str); 5] = [
        (None, "field_gone"),
        (Some(field(|f| f.updateable = false)), "field_not_updateable"),
        (Some(field(|f| f.calculated = true)), "field_not_updateable"),
        (Some(field(|f| f.field_type = FieldType::String)), "field_type_changed"),
        (Some(field(|f| f.restricted_picklist = true)), "not_in_picklist"),
    ];
    for (field, code) in cases {
        let target = Target::new("A__c".into(), &FieldType::Picklist, field.as_ref(), false);
        let (entry, summary) = undone(vec![target], &values, Some(&[b"new"]));
        let entry = entry.unwrap();
        assert_eq!((entry.outcome, entry.refused[0].code.as_str()), (RowOutcome::Refused, code));
        assert_eq!(summary.records_refused, 1);
    }
}

#[test]
fn a_checkbox_has_no_blank() {
    let values = values(&[("A__c", Some("true"), None)]);
    let flag = Target::new("A__c".into(), &FieldType::Boolean, Some(&Field::plain("A__c", FieldType::Boolean)), false);
    let (entry, _) = undone(vec![flag], &values, Some(&[b"false"]));
    assert_eq!(entry.unwrap().cells[0].after.as_deref(), Some("true"));
}

proptest! {
    /// Whatever a run found and wrote, and whatever was changed since: every cell is planned back, is back, or is left alone; and undoing the undo brings back what
    /// the run wrote.
    #[test]
    fn every_cell_ends_and_undo_of_undo_is_the_run(
        cells in proptest::collection::vec(("[a-c]{0,2}", "[a-c]{0,2}", proptest::option::of("[a-c]{0,2}")), 1..5)
    ) {
        let some = |t: &str| (!t.is_empty()).then(|| t.to_owned());
        let names: Vec<String> = (0..cells.len()).map(|n| format!("F{n}__c")).collect();
        let map = |which: &dyn Fn(usize) -> Option<String>| (0..cells.len()).map(|n| (FieldName::new(&*names[n]), which(n))).collect();
        let (before, after): (BTreeMap<_, _>, BTreeMap<_, _>) = (map(&|n| some(&cells[n].0)), map(&|n| some(&cells[n].1)));
        let first = RecordValues { row: 1, id: id(), before, after: Some(after), written: None };
        let now: Vec<Vec<u8>> = cells.iter().map(|(_, wrote, since)| since.as_ref().unwrap_or(wrote).clone().into_bytes()).collect();
        let targets = || names.iter().map(|n| text(n)).collect::<Vec<_>>();
        let slices: Vec<&[u8]> = now.iter().map(Vec::as_slice).collect();
        let (entry, _) = undone(targets(), &first, Some(&slices));
        let entry = entry.unwrap_or_else(|| Entry::new(1, 0, String::new(), RowOutcome::Unchanged));
        for (n, (was, wrote, _)) in cells.iter().enumerate() {
            let is = String::from_utf8_lossy(&now[n]).into_owned();
            let field = FieldName::new(&*names[n]);
            let back = entry.cells.iter().find(|c| c.field == field);
            let left = entry.refused.iter().any(|c| c.field == field);
            prop_assert_eq!(back.is_some(), is == *wrote && is != *was);
            prop_assert_eq!(left, is != *wrote && is != *was);
            if let Some(back) = back {
                prop_assert_eq!(&back.after, &some(was));
            }
        }
        if !entry.cells.is_empty() {
            // The undo's own values, and the records as it leaves them.
            let second = RecordValues::of(&entry, false, "salt").unwrap();
            let mut then = now.clone();
            for cell in &entry.cells {
                let n = names.iter().position(|n| *n == cell.field.as_str()).unwrap();
                then[n] = cell.after.clone().unwrap_or_default().into_bytes();
            }
            let slices: Vec<&[u8]> = then.iter().map(Vec::as_slice).collect();
            let (again, _) = undone(targets(), &second, Some(&slices));
            let again = again.unwrap();
            prop_assert_eq!(again.cells.len(), entry.cells.len());
            for (a, b) in again.cells.iter().zip(&entry.cells) {
                prop_assert_eq!((&a.before, &a.after), (&b.after, &b.before));
            }
        }
    }
}
