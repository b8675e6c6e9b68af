//! A plan in a file is the plan in memory, and what breaks a promise is seen while the lines go by.

use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;

use super::*;
use crate::model::{Digest, EnvironmentName, FieldType, OrgId, RecordId};

fn header() -> Header {
    let field = |name: &str| FieldHead {
        field: name.into(),
        label: name.into(),
        field_type: FieldType::String,
        column: name.into(),
        show_values: false,
    };
    Header {
        format: FORMAT.into(),
        integration: "people".into(),
        report: "People".into(),
        source: "people.csv".into(),
        object: "Lead".into(),
        object_label: "Lead".into(),
        org: "acme".into(),
        environment: EnvironmentName::Sandbox,
        org_id: OrgId::parse("00D5e000000TEST").unwrap(),
        match_column: "Key".into(),
        match_field: "Email".into(),
        scope: None,
        undo_of: None,
        fields: vec![field("A__c"), field("B__c")],
        digests: Digests { configuration: Digest::of(b"c"), report: Digest::of(b"r"), definitions: Digest::of(b"d") },
    }
}

fn summary(records: u64) -> Summary {
    Summary {
        rows: RowLedger::default(),
        cells: CellLedger::default(),
        matched: 0,
        records,
        records_refused: 0,
        records_by_kind: BTreeMap::new(),
        fields: BTreeMap::new(),
        guards: Vec::new(),
        inputs: Digest::of(b""),
        changes: Digest::of(b""),
    }
}

fn context() -> Context {
    Context {
        version: "0".into(),
        planned_at: jiff::Timestamp::UNIX_EPOCH,
        report_modified: None,
        columns: Vec::new(),
        blanks: Default::default(),
        read_by: Way::Lookup,
        reading: None,
        writing: None,
        calls_guard: None,
        calls_made: 0,
        calls_to_come: 0,
        usage: None,
        org_rows: 0,
        record_links: None,
        not_checked: Vec::new(),
        warnings: Vec::new(),
    }
}

prop_compose! {
    /// Sound or not.
    fn entry()(
        row in 0..30u64,
        outcome in prop::sample::select(RowOutcome::ALL.to_vec()),
        record in prop::option::weighted(0.9, 0..40u32),
        key in "[a-z\"\\\\\n{}é]{0,12}",
        cells in prop::collection::vec((prop::sample::select(vec!["A__c", "B__c", "B__c", "C__c"]), 0..3u8, 0..3u8), 0..3),
        refused in prop::bool::weighted(0.2),
    ) -> Entry {
        let mut entry = Entry::new(row, row + 1, key, outcome);
        entry.record = record.map(|n| RecordId::parse(&format!("00Q5e{n:010}")).unwrap());
        let value = |n: u8| (n > 0).then(|| "outcome\":\"planned".repeat(n.into()));
        entry.cells = cells.into_iter().map(|(field, before, after)| CellChange {
            field: field.into(), kind: ChangeKind::Overwrite, before: value(before), after: value(after), note: None,
        }).collect();
        if refused {
            entry.refused.push(RefusedCell {
                field: "A__c".into(), column: "A".into(), value: "\n".into(), code: "x".into(), message: "m".into(), hint: None,
            });
        }
        entry
    }
}

/// What does not hold of the entries, found with all of them at hand.
fn naive(entries: &[Entry], header: &Header, counted: u64) -> Vec<String> {
    let mut found = Vec::new();
    let (mut seen, mut listed, mut last) = (HashSet::new(), 0, None);
    for entry in entries {
        let place = (entry.row, entry.record);
        if last.is_some_and(|l| l >= place) {
            found.push(Broken::Order(entry.row));
        }
        last = Some(place);
        if entry.outcome != RowOutcome::Planned {
            continue;
        }
        listed += 1;
        match entry.record {
            Some(id) if !seen.insert(id) => found.push(Broken::Twice(id)),
            Some(_) => {}
            None => found.push(Broken::Idle(entry.row)),
        }
        if entry.cells.is_empty() || entry.cells.iter().any(|c| c.before == c.after) {
            found.push(Broken::Idle(entry.row));
        }
        if entry.cells.iter().any(|c| header.field(&c.field).is_none()) {
            found.push(Broken::Unmapped(entry.row));
        }
    }
    if listed != counted {
        found.push(Broken::Records { listed, counted });
    }
    let mut found: Vec<String> = found.iter().map(|b| format!("{b:?}")).collect();
    found.sort();
    found
}

fn all(entries: impl Iterator<Item = Result<Entry, FileProblem>>) -> Vec<Entry> {
    entries.collect::<Result<_, _>>().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// The fuzz target's property, on files that were sound before: what is accepted is written as it was read.
    #[test]
    fn a_damaged_file_is_refused_or_reads_back(
        entries in prop::collection::vec(entry(), 0..4),
        damage in prop::collection::vec((any::<prop::sample::Index>(), 0..3usize, "[{}\":,0a\n]{0,2}"), 1..4),
    ) {
        let keep = || tempfile::tempfile().unwrap();
        let mut bytes = Plan::of(header(), &entries, summary(0), context()).unwrap().write(Vec::new()).unwrap();
        for (at, cut, put) in damage {
            let at = at.index(bytes.len());
            let end = (at + cut).min(bytes.len());
            bytes.splice(at..end, put.into_bytes());
        }
        if let Ok(plan) = Plan::read(bytes.as_slice(), keep(), &mut ()) {
            let written = plan.write(Vec::new()).unwrap();
            let again = Plan::read(written.as_slice(), keep(), &mut ()).unwrap();
            prop_assert_eq!((&again.header, &again.summary, &again.context), (&plan.header, &plan.summary, &plan.context));
            prop_assert_eq!(again.all().unwrap(), plan.all().unwrap());
        }
    }

    #[test]
    fn a_streamed_plan_is_the_one_in_memory(mut entries in prop::collection::vec(entry(), 0..40), sorted in any::<bool>(), counted in 0..9u64) {
        if sorted {
            entries.sort_by_key(|e| (e.row, e.record));
        }
        let made = Plan::of(header(), &entries, summary(counted), context()).unwrap();
        let (mut plain, mut packed) = (Vec::new(), Vec::new());
        made.write(&mut plain).unwrap();
        made.write_compressed(&mut packed).unwrap();
        let keep = || tempfile::tempfile().unwrap();
        let mut file = keep();
        std::io::Write::write_all(&mut file, &plain).unwrap();
        let plans = [
            Plan::read(plain.as_slice(), keep(), &mut ()).unwrap(),
            Plan::read(packed.as_slice(), keep(), &mut ()).unwrap(),
            Plan::open(file, &mut ()).unwrap(),
            made,
        ];
        for plan in &plans {
            let of = |wanted: &dyn Fn(&Entry) -> bool| entries.iter().filter(|e| wanted(e)).cloned().collect::<Vec<_>>();
            prop_assert_eq!(&all(plan.entries()), &entries);
            for outcome in RowOutcome::ALL {
                let wanted = of(&|e| e.outcome == outcome);
                prop_assert_eq!(plan.count_of(outcome), wanted.len() as u64);
                prop_assert_eq!(all(plan.entries_of(outcome)), wanted);
            }
            prop_assert_eq!(all(plan.refused()), of(&|e| !e.refused.is_empty()));
            prop_assert_eq!(all(plan.unusable()), of(&|e| e.outcome != RowOutcome::Planned || !e.refused.is_empty()));
            for found in plan.planned_places() {
                let (place, entry) = found.unwrap();
                prop_assert_eq!(plan.cells_at(place).unwrap(), entry.cells);
            }
            let mut again = Vec::new();
            plan.write(&mut again).unwrap();
            prop_assert_eq!(&again, &plain);
            let mut broken: Vec<String> = plan.broken().iter().map(|b| format!("{b:?}")).collect();
            broken.sort();
            prop_assert_eq!(broken, naive(&entries, &plan.header, counted));
        }
    }
}

#[test]
fn a_file_that_is_cut_under_a_plan_is_an_error_and_no_shorter_plan() {
    let entries: Vec<Entry> =
        (1..9).map(|row| Entry::new(row, row, "k".repeat(50_000), RowOutcome::NoRecord)).collect();
    let plan = Plan::of(header(), &entries, summary(0), context()).unwrap();
    let mut file = tempfile::tempfile().unwrap();
    plan.write(&mut file).unwrap();
    let plan = Plan::open(file.try_clone().unwrap(), &mut ()).unwrap();
    file.set_len(150_000).unwrap();
    let found: Vec<_> = plan.entries().collect();
    assert!(found.len() < 8 && found.last().is_some_and(Result::is_err));
    assert!(plan.write(Vec::new()).is_err() && plan.write_compressed(Vec::new()).is_err());
}
