//! Runs by bulk jobs under whatever troubles, killed anywhere and resumed.

use proptest::prelude::*;

use super::fake::{FakeOrg, State, Trouble, later};
use super::fake_jobs::Fate;
use super::plans::plan;
use super::properties::{Scenario, check, passing};
use super::{Memory, Rig, journal_of};
use crate::apply::journal::{Journal, Selection, parse};
use crate::apply::{Cancel, Remaining, left};
use crate::plan::Plan;

/// What goes wrong with jobs beside everything else.
#[derive(Debug, Clone)]
struct Troubles {
    scenario: Scenario,
    fates: Vec<Fate>,
    calls: Vec<Trouble>,
    asks: Vec<bool>,
    records: usize,
}

impl Troubles {
    fn org(&self) -> FakeOrg {
        let org = self.scenario.org();
        org.fates.borrow_mut().extend(&self.fates);
        org.job_calls.borrow_mut().extend(&self.calls);
        org.job_asks.borrow_mut().extend(self.asks.iter().map(|bad| bad.then(|| later("CONNECTION"))));
        org
    }

    fn rig<'a>(&self, plan: &'a Plan, org: &'a FakeOrg) -> Rig<'a> {
        let mut rig = self.scenario.rig(plan, org);
        rig.settings.jobs.records = self.records;
        rig.settings.jobs.readers = 2;
        rig.bulk = Some("Other__c");
        rig
    }
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        3 => Just(Fate::Done),
        2 => (1..6u32).prop_map(Fate::Slow),
        1 => Just(Fate::Gone),
        1 => Just(Fate::Untold),
        1 => Just(Fate::Twice),
        1 => Just(Fate::Strangers),
    ]
}

fn call() -> impl Strategy<Value = Trouble> {
    prop_oneof![
        6 => Just(Trouble::None),
        1 => Just(Trouble::NotSent),
        1 => Just(Trouble::Busy),
        1 => Just(Trouble::LostBefore),
        1 => Just(Trouble::LostAfter),
    ]
}

prop_compose! {
    /// What passes, or is some records' own.
    fn troubles()(
        scenario in passing(),
        fates in prop::collection::vec(fate(), 0..8),
        halfway in prop::option::weighted(0.3, (0..8usize, 1..9usize)),
        calls in prop::collection::vec(call(), 0..12),
        asks in prop::collection::vec(prop::bool::weighted(0.2), 0..12),
        records in 1..50usize,
    ) -> Troubles {
        let mut scenario = Scenario { update_takes: 0, poison: Vec::new(), ..scenario.promptly() };
        // No more in a row than any call is tried.
        for at in (0..scenario.updates.len()).step_by(2) {
            scenario.updates[at] = Trouble::None;
        }
        let (mut fates, mut calls, mut asks) = (fates, calls, asks);
        calls.iter_mut().step_by(3).for_each(|trouble| *trouble = Trouble::None);
        asks.iter_mut().step_by(2).for_each(|bad| *bad = false);
        // One job alone may vanish or fail half-way: a second one ends the run.
        let mut gone = fates.iter_mut().filter(|fate| **fate == Fate::Gone);
        gone.next();
        gone.for_each(|fate| *fate = Fate::Done);
        if let Some((at, records)) = halfway
            && at < fates.len()
            && !fates.contains(&Fate::Gone)
        {
            fates[at] = Fate::Halfway(records);
        }
        Troubles { scenario, fates, calls, asks, records }
    }
}

fn carry_on(
    troubles: &Troubles,
    plan: &Plan,
    state: &State,
    journal: &[u8],
    given_up: bool,
) -> Option<(FakeOrg, crate::apply::Outcomes)> {
    let mut calm = troubles.clone();
    (calm.fates, calm.calls, calm.asks) = (Vec::new(), Vec::new(), Vec::new());
    calm.scenario.updates.clear();
    let org = calm.org();
    *org.state.borrow_mut() = state.clone();
    let parsed = parse("memory".as_ref(), journal).unwrap()?;
    let remaining = left(&parsed.lines, plan).unwrap();
    let memory = Memory::default();
    memory.bytes.borrow_mut().extend_from_slice(&journal[..usize::try_from(parsed.sound).unwrap()]);
    let mut journal = Journal::over(Box::new(memory.clone()), parsed.head, "x.journal".into(), "x.plan".into());
    *org.journal.borrow_mut() = Some(memory);
    let remaining = Remaining { given_up, ..remaining };
    let outcomes = calm.rig(plan, &org).run(&mut journal, remaining).unwrap();
    Some((org, outcomes))
}

/// What a process that was killed with this much of its journal written may have left in the org.
fn left_behind<'s>(first: &'s State, snapshots: &'s [(usize, State, State)], cut: usize) -> Vec<&'s State> {
    let mut states: Vec<&State> = Vec::new();
    for (_, before, after) in snapshots.iter().filter(|(length, ..)| *length == cut) {
        for state in [before, after] {
            if states.last() != Some(&state) {
                states.push(state);
            }
        }
    }
    if states.is_empty() {
        states.push(snapshots.iter().rev().find(|(length, ..)| *length < cut).map_or(first, |(.., after)| after));
    }
    states
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_run_by_jobs_killed_anywhere_and_resumed_ends_like_one_that_was_not(
        troubles in troubles(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 10),
    ) {
        let mut troubles = troubles;
        troubles.scenario.drift.clear();
        let plan = plan(&troubles.scenario.masks);
        let org = troubles.org();
        org.keeps_snapshots.set(true);
        let first = org.state.borrow().clone();
        let memory = Memory::default();
        let mut rig = troubles.rig(&plan, &org);
        let mut whole = journal_of(&plan, rig.start(Selection::default()), &memory);
        *org.journal.borrow_mut() = Some(memory.clone());
        let outcomes = rig.run(&mut whole, Remaining::default()).unwrap();
        prop_assert_eq!(&outcomes.stopped, &None);
        check(&plan, &org, &first, &outcomes);
        let (end, bytes, snapshots) = (org.state.borrow().clone(), memory.bytes.borrow().clone(), org.snapshots.borrow());

        let lines = bytes.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(at, _)| at + 1);
        for cut in lines.chain(cuts.iter().map(|index| index.index(bytes.len()))) {
            for state in left_behind(&first, &snapshots, cut) {
                let Some((org, resumed)) = carry_on(&troubles, &plan, state, &bytes[..cut], false) else {
                    prop_assert_eq!(state, &first, "nothing is sent before the first line is there");
                    continue;
                };
                check(&plan, &org, &first, &resumed);
                prop_assert_eq!(&org.state.borrow().records, &end.records, "cut at {}", cut);
                prop_assert_eq!(&org.state.borrow().writes, &end.writes);
                prop_assert_eq!(&resumed.ledger, &outcomes.ledger, "cut at {}", cut);
                prop_assert_eq!(resumed.jobs_left().count(), 0);

                // Given up instead: a job at work comes to its end, nothing else is sent, and what is told is true.
                let (org, given_up) = carry_on(&troubles, &plan, state, &bytes[..cut], true).unwrap();
                check(&plan, &org, &first, &given_up);
                prop_assert!(org.sizes.borrow().is_empty());
                prop_assert!(!org.job_log.borrow().iter().any(|word| ["create", "upload", "close"].contains(word)));
                prop_assert_eq!(given_up.ledger.updated as usize, org.state.borrow().writes.len(), "cut at {}", cut);
            }
        }
    }

    #[test]
    fn whatever_happens_to_jobs_every_record_ends_and_the_org_is_as_told(
        troubles in troubles(),
        drift in prop::collection::vec((0..12usize, 0..40usize), 0..6),
        stops in prop::collection::vec(prop_oneof![Just(Fate::Refused), (0..9usize).prop_map(Fate::Stopped), (0..9usize).prop_map(Fate::Halfway)], 0..3),
        cancel in prop::option::of(0..25usize),
        budget in prop_oneof![0..6u32, Just(10_000)],
        limit in prop::option::weighted(0.3, 0..40u64),
    ) {
        let mut troubles = troubles;
        troubles.scenario = Scenario { drift, cancel, budget, limit, ..troubles.scenario };
        troubles.fates.extend(stops);
        let plan = plan(&troubles.scenario.masks);
        let org = troubles.org();
        let before = org.state.borrow().clone();
        let mut rig = troubles.rig(&plan, &org);
        let memory = Memory::default();
        let mut journal = journal_of(&plan, rig.start(troubles.scenario.selection()), &memory);
        let outcomes = rig.run(&mut journal, Remaining::default()).unwrap();
        check(&plan, &org, &before, &outcomes);
        prop_assert!(outcomes.window <= rig.settings.max_age);
        if outcomes.stopped.is_none() {
            prop_assert_eq!(rig.kept.last.done, rig.kept.last.total);
        }
        // Whatever was left, a calm resume brings it to its end, and writes nothing twice.
        let remaining = left(&memory.lines(), &plan).unwrap();
        prop_assert_eq!(remaining.jobs.len(), outcomes.jobs_left().count());
        org.job_calls.borrow_mut().clear();
        org.job_asks.borrow_mut().clear();
        org.fates.borrow_mut().clear();
        org.updates.borrow_mut().clear();
        org.drift.borrow_mut().clear();
        *org.cancel.borrow_mut() = None;
        let mut calm = troubles.rig(&plan, &org);
        (calm.cancel, calm.tries) = (Cancel::never(), 10_000);
        let again = calm.run(&mut journal, remaining).unwrap();
        check(&plan, &org, &before, &again);
        prop_assert_eq!(again.jobs_left().count(), 0);
    }
}
