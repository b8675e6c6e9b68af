//! What holds whatever goes wrong.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use super::fake::{Cells, FakeOrg, Trouble, later};
use super::plans::{FIELDS, id, plan};
use super::{Rig, fake};
use crate::apply::journal::Selection;
use crate::apply::org::StopKind;
use crate::apply::{Cancel, End, Outcomes, left};
use crate::plan::Plan;

/// One run and everything that goes wrong in it.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub masks: Vec<u8>,
    pub batch: usize,
    pub read: usize,
    pub locks: Vec<(usize, u32)>,
    pub refused: Vec<usize>,
    pub poison: Vec<usize>,
    pub gone: Vec<usize>,
    /// Read call, record.
    pub drift: Vec<(usize, usize)>,
    pub updates: Vec<Trouble>,
    pub reads: Vec<bool>,
    pub cancel: Option<usize>,
    pub limit: Option<u64>,
    pub only: Option<Vec<usize>>,
    pub budget: u32,
    pub halvings: u32,
    pub update_takes: u64,
}

impl Scenario {
    pub fn org(&self) -> FakeOrg {
        let mut org = FakeOrg::new(self.masks.len());
        let at = |n: &usize| id(n % self.masks.len());
        org.refused = self.refused.iter().map(at).collect();
        org.poison = self.poison.iter().map(at).collect();
        let mut state = org.state.borrow_mut();
        self.locks.iter().for_each(|(n, times)| _ = state.locks.insert(at(n), *times));
        self.gone.iter().for_each(|n| _ = state.records.remove(&at(n)));
        drop(state);
        for (call, n) in &self.drift {
            org.drift.borrow_mut().entry(*call).or_default().push(at(n));
        }
        org.updates.borrow_mut().extend(&self.updates);
        org.reads.borrow_mut().extend(self.reads.iter().map(|bad| bad.then(|| later("CONNECTION"))));
        org.update_takes.set(Duration::from_secs(self.update_takes));
        org
    }

    /// In which nothing goes wrong.
    pub fn calm(masks: &[u8]) -> Self {
        Scenario {
            masks: masks.to_vec(),
            batch: 200,
            read: 2_000,
            locks: Vec::new(),
            refused: Vec::new(),
            poison: Vec::new(),
            gone: Vec::new(),
            drift: Vec::new(),
            updates: Vec::new(),
            reads: Vec::new(),
            cancel: None,
            limit: None,
            only: None,
            budget: 10_000,
            halvings: 10_000,
            update_takes: 0,
        }
    }

    /// What a lost call wrote is there when its records are looked at.
    pub fn promptly(mut self) -> Self {
        for trouble in self.updates.iter_mut().filter(|trouble| **trouble == Trouble::LostLate) {
            *trouble = Trouble::LostAfter;
        }
        self
    }

    pub fn selection(&self) -> Selection {
        let only = |list: &Vec<usize>| list.iter().map(|n| id(n % self.masks.len())).collect::<BTreeSet<_>>();
        Selection { limit: self.limit, only: self.only.as_ref().map(only) }
    }

    pub fn rig<'a>(&self, plan: &'a Plan, org: &'a FakeOrg) -> Rig<'a> {
        let mut rig = Rig::new(plan, org);
        rig.settings.batch = self.batch;
        rig.settings.read = self.read;
        rig.settings.halvings = self.halvings;
        rig.tries = self.budget;
        if let Some(call) = self.cancel {
            let (canceller, cancel) = Cancel::new();
            *org.cancel.borrow_mut() = Some((call, canceller));
            rig.cancel = cancel;
        }
        rig
    }
}

fn trouble() -> impl Strategy<Value = Trouble> {
    prop_oneof![
        8 => Just(Trouble::None),
        1 => Just(Trouble::NotSent),
        1 => Just(Trouble::Busy),
        1 => Just(Trouble::LostBefore),
        1 => Just(Trouble::LostAfter),
        1 => Just(Trouble::LostLate),
        1 => Just(Trouble::LostHalf),
        1 => Just(Trouble::Short),
    ]
}

prop_compose! {
    /// Faults that pass, or that are some records' own.
    pub fn passing()(
        masks in prop::collection::vec(1..8u8, 1..40),
        batch in 1..15usize,
        read in 1..60usize,
        locks in prop::collection::vec((0..40usize, 1..4u32), 0..5),
        refused in prop::collection::vec(0..40usize, 0..4),
        poison in prop::collection::vec(0..40usize, 0..3),
        gone in prop::collection::vec(0..40usize, 0..3),
        drift in prop::collection::vec((Just(0), 0..40usize), 0..4),
        updates in prop::collection::vec(trouble(), 0..12),
        update_takes in 0..70u64,
    ) -> Scenario {
        Scenario {
            batch, read, locks, refused, poison, gone, drift, updates, update_takes, ..Scenario::calm(&masks)
        }
    }
}

prop_compose! {
    /// Anything.
    fn anything()(
        scenario in passing(),
        drift in prop::collection::vec((0..12usize, 0..40usize), 0..6),
        stop in prop::option::weighted(0.2, (0..12usize, prop_oneof![
            Just(Trouble::Stop(StopKind::DailyLimit)), Just(Trouble::Wrong), Just(Trouble::HangBefore), Just(Trouble::HangAfter),
        ])),
        reads in prop::collection::vec(prop::bool::weighted(0.2), 0..20),
        cancel in prop::option::of(0..25usize),
        limit in prop::option::weighted(0.3, 0..40u64),
        only in prop::option::weighted(0.3, prop::collection::vec(0..40usize, 0..30)),
        budget in prop_oneof![0..6u32, Just(10_000)],
        halvings in prop_oneof![0..10u32, Just(10_000)],
    ) -> Scenario {
        let mut scenario = Scenario { drift, reads, cancel, limit, only, budget, halvings, ..scenario };
        if let Some((at, trouble)) = stop {
            let hangs = matches!(trouble, Trouble::HangBefore | Trouble::HangAfter);
            // A call that never ends is the client's time-out, unless the word to stop comes during it.
            if !hangs {
                scenario.updates.resize(scenario.updates.len().max(at + 1), Trouble::None);
                scenario.updates[at] = trouble;
            } else if scenario.read >= 40 && scenario.masks.len() <= 40 {
                scenario.updates = vec![trouble];
                scenario.reads.clear();
                scenario.cancel = Some(1);
            }
        }
        scenario
    }
}

/// Holds the org against the plan and the outcomes.
pub fn check(plan: &Plan, org: &FakeOrg, before: &fake::State, outcomes: &Outcomes) {
    let ledger = &outcomes.ledger;
    assert!(ledger.balances() && ledger.records == plan.summary.records, "{ledger:?}");
    let planned = plan.planned().collect::<Result<Vec<_>, _>>().unwrap();
    assert_eq!(outcomes.ends.len(), planned.len());
    let state = org.state.borrow();
    let drifted = org.drifted.borrow();
    for (place, (entry, found)) in planned.iter().zip(outcomes.ends.iter().flatten()).enumerate() {
        let record = entry.record.unwrap();
        let writes = state.writes.get(&record).copied().unwrap_or(0);
        let told = outcomes.resent.contains(&(place as u32));
        assert!(writes <= 1 || told, "{record} was written {writes} times, and nobody is told");
        // A checkbox alone drifts to what it was.
        let sent_before = org.came_late.borrow().contains(&record);
        if !sent_before
            && org.seen.borrow().contains(&record)
            && entry.cells.iter().any(|c| c.field.as_str() != "Flag__c")
        {
            assert_eq!(writes, 0, "{record} was written although it was seen to have drifted");
        }
        match found {
            End::Updated => assert!(writes >= 1, "{record}"),
            End::Unknown { .. } => {}
            other => assert_eq!(writes, 0, "{record}: {other:?}"),
        }
        let (Some(was), Some(is)) = (before.records.get(&record), state.records.get(&record)) else {
            assert!(!matches!(found, End::Updated | End::Drifted { .. }), "{record} is gone");
            continue;
        };
        let mut expected: Cells = was.clone();
        if writes > 0 {
            for cell in &entry.cells {
                expected.insert(cell.field.as_str().to_owned(), cell.after.clone());
            }
        }
        for (field, value) in is {
            let mapped = FIELDS.iter().any(|(name, _)| name == field);
            if !(mapped && drifted.contains(&record))
                || (writes > 0 && entry.cells.iter().any(|c| c.field.as_str() == field))
            {
                assert_eq!(value, &expected[field], "{record}.{field}: {found:?}");
            }
        }
    }
    let in_plan: BTreeSet<_> = planned.iter().filter_map(|e| e.record).collect();
    for (record, was) in &before.records {
        if !in_plan.contains(record) {
            assert_eq!(Some(was), state.records.get(record), "a record outside the plan was touched");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_every_record_ends_and_the_org_is_as_told(scenario in anything()) {
        let plan = plan(&scenario.masks);
        let org = scenario.org();
        let before = org.state.borrow().clone();
        let mut rig = scenario.rig(&plan, &org);
        let outcomes = rig.fresh(scenario.selection());
        check(&plan, &org, &before, &outcomes);
        prop_assert!(outcomes.window <= rig.settings.max_age);
        let lines = org.journal.borrow().as_ref().unwrap().lines();
        prop_assert_eq!(&left(&lines, &plan).unwrap().resent, &outcomes.resent, "the journal tells the same");
        let selection = scenario.selection();
        let may = |n: usize| selection.only.as_ref().is_none_or(|only| only.contains(&id(n)));
        let attempts = selection.limit.unwrap_or(u64::MAX);
        let chosen: BTreeSet<_> = (0..scenario.masks.len()).filter(|n| may(*n)).take(attempts as usize).map(id).collect();
        prop_assert!(org.state.borrow().writes.keys().all(|record| chosen.contains(record)));
        prop_assert_eq!(rig.kept.last.total as usize, chosen.len());
        if outcomes.stopped.is_none() {
            prop_assert_eq!(rig.kept.last.done as usize, chosen.len());
        }
    }

    #[test]
    fn what_passes_leaves_nothing_unknown_or_left(scenario in passing()) {
        let plan = plan(&scenario.masks);
        let org = scenario.org();
        let before = org.state.borrow().clone();
        let outcomes = scenario.rig(&plan, &org).fresh(Selection::default());
        check(&plan, &org, &before, &outcomes);
        // Six troubles in a row are more than any call is tried.
        let mut troubles = scenario.updates.split(|t| *t == Trouble::None).map(<[_]>::len);
        if troubles.all(|row| row < 4) {
            prop_assert_eq!(&outcomes.stopped, &None);
            prop_assert_eq!(outcomes.ledger.not_attempted, 0);
        }
    }
}
