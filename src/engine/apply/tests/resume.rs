//! A run that is killed at any byte of its journal and resumed ends where an uninterrupted run ends.

use proptest::prelude::*;

use super::fake::{FakeOrg, State, Trouble};
use super::plans::{id, plan};
use super::properties::{Scenario, check, passing};
use super::{Memory, Rig, journal};
use crate::apply::journal::{Journal, Line, Selection, parse};
use crate::apply::org::{Class, Fault, RecordUpdate, StopKind};
use crate::apply::standing::Targets;
use crate::apply::{End, Foreign, Remaining, Resumed, left};
use crate::model::{Digest, RecordId};
use crate::plan::Plan;

/// Carries on after so many bytes of a journal, in an org of this state, to which something is still under way.
fn carry_on(
    scenario: &Scenario,
    plan: &Plan,
    state: &State,
    journal: &[u8],
    late: Vec<RecordUpdate>,
) -> Option<(FakeOrg, crate::apply::Outcomes)> {
    carried_on(scenario, plan, state, journal, late, false)
}

/// The same, or nothing more is sent.
fn carried_on(
    scenario: &Scenario,
    plan: &Plan,
    state: &State,
    journal: &[u8],
    late: Vec<RecordUpdate>,
    given_up: bool,
) -> Option<(FakeOrg, crate::apply::Outcomes)> {
    let mut calm = scenario.clone();
    calm.updates.clear();
    calm.drift.clear();
    let org = calm.org();
    *org.state.borrow_mut() = state.clone();
    *org.late.borrow_mut() = late;
    let parsed = parse("memory".as_ref(), journal).unwrap()?;
    let remaining = left(&parsed.lines, plan).unwrap();
    let memory = Memory::default();
    memory.bytes.borrow_mut().extend_from_slice(&journal[..usize::try_from(parsed.sound).unwrap()]);
    let journal = Journal::over(Box::new(memory.clone()), parsed.head, "x.journal".into(), "x.plan".into());
    *org.journal.borrow_mut() = Some(memory);
    let mut resumed = Resumed { journal, plan: plan.clone(), remaining };
    if given_up {
        resumed.give_up().unwrap();
    }
    let outcomes = calm.rig(plan, &org).run(&mut resumed.journal, resumed.remaining).unwrap();
    Some((org, outcomes))
}

/// What a process that was killed with this much of its journal written may have left in the org.
fn left_behind<'s>(first: &'s State, snapshots: &'s [(usize, State, State)], cut: usize) -> Vec<&'s State> {
    match snapshots.iter().rev().find(|(length, ..)| *length <= cut) {
        None => vec![first],
        // Sent or not, written or not: the answer never came.
        Some((length, before, after)) if *length == cut => vec![before, after],
        Some((_, _, after)) => vec![after],
    }
}

/// What the process had just begun to send when it was killed.
fn under_way(plan: &Plan, journal: &[u8]) -> Option<Vec<RecordUpdate>> {
    let last = journal.strip_suffix(b"\n")?.rsplit(|b| *b == b'\n').next()?;
    let Ok(Line::Intent { records, .. }) = serde_json::from_slice(last) else { return None };
    let targets = Targets::of(plan).unwrap();
    let place = |id: &RecordId| (0..targets.len()).find(|place| targets.record(*place) == *id).unwrap();
    Some(records.iter().map(|id| targets.update(place(id)).unwrap()).collect())
}

/// Had nothing of the call at this cut arrived yet?
fn is_before(snapshots: &[(usize, State, State)], cut: usize, state: &State) -> bool {
    snapshots.iter().any(|(length, before, _)| *length == cut && before == state)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_run_killed_anywhere_and_resumed_ends_like_one_that_was_not(
        scenario in passing(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 30),
    ) {
        let mut scenario = Scenario { update_takes: 0, ..scenario.promptly() };
        // Drift before the run, so that every process sees the same; troubles that an uninterrupted run gets over.
        scenario.drift.clear();
        for at in (0..scenario.updates.len()).step_by(2) {
            scenario.updates[at] = Trouble::None;
        }
        let plan = plan(&scenario.masks);
        let org = scenario.org();
        org.keeps_snapshots.set(true);
        let first = org.state.borrow().clone();
        let memory = Memory::default();
        let mut whole = journal(&plan, Selection::default(), &memory);
        *org.journal.borrow_mut() = Some(memory.clone());
        let outcomes = scenario.rig(&plan, &org).run(&mut whole, Remaining::default()).unwrap();
        prop_assert_eq!(&outcomes.stopped, &None);
        check(&plan, &org, &first, &outcomes);
        let (end, bytes, snapshots) = (org.state.borrow().clone(), memory.bytes.borrow().clone(), org.snapshots.borrow());

        let lines = bytes.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(at, _)| at + 1);
        for cut in lines.chain(cuts.iter().map(|index| index.index(bytes.len()))) {
            for state in left_behind(&first, &snapshots, cut) {
                let Some((org, resumed)) = carry_on(&scenario, &plan, state, &bytes[..cut], Vec::new()) else {
                    prop_assert_eq!(state, &first, "nothing is sent before the first line is there");
                    continue;
                };
                // `check` also holds that no record was written twice, over both processes.
                check(&plan, &org, &first, &resumed);
                prop_assert_eq!(&org.state.borrow().records, &end.records, "cut at {}", cut);
                prop_assert_eq!(&org.state.borrow().writes, &end.writes);
                prop_assert_eq!(&resumed.ledger, &outcomes.ledger, "cut at {}", cut);

                // What was under way arrives when it is sent again: written twice, and told.
                if let Some(sent) = under_way(&plan, &bytes[..cut]).filter(|_| is_before(&snapshots, cut, state)) {
                    let (org, resumed) = carry_on(&scenario, &plan, state, &bytes[..cut], sent).unwrap();
                    check(&plan, &org, &first, &resumed);
                }

                // Given up instead: nothing is sent, and what is told is true.
                let (org, given_up) = carried_on(&scenario, &plan, state, &bytes[..cut], Vec::new(), true).unwrap();
                check(&plan, &org, &first, &given_up);
                prop_assert!(org.sizes.borrow().is_empty());
                prop_assert_eq!(&org.state.borrow().writes, &state.writes, "cut at {}", cut);
                let told = given_up.ledger.updated as usize;
                prop_assert_eq!(told, state.writes.len(), "what was written is found");
            }
        }
    }
}

/// The journal and the org of a process that was killed when it had just begun this call, of which nothing had arrived yet.
fn killed_at(scenario: &Scenario, plan: &Plan, call: usize) -> (Vec<u8>, State) {
    let org = scenario.org();
    org.keeps_snapshots.set(true);
    scenario.rig(plan, &org).fresh(Selection::default());
    let snapshots = org.snapshots.borrow();
    let (cut, before, _) = &snapshots[call];
    (org.journal.borrow().as_ref().unwrap().bytes.borrow()[..*cut].to_vec(), before.clone())
}

#[test]
fn what_a_killed_process_sent_and_arrives_late_is_told_to_be_perhaps_written_twice() {
    let masks = [1; 5];
    let scenario = Scenario { batch: 3, ..Scenario::calm(&masks) };
    let plan = plan(&masks);
    // Killed with the second batch under way, which arrives when the next process sends it again.
    let (bytes, before) = killed_at(&scenario, &plan, 1);
    let targets = Targets::of(&plan).unwrap();
    let late = [3, 4].map(|place| targets.update(place).unwrap()).to_vec();
    let (org, resumed) = carry_on(&scenario, &plan, &before, &bytes, late).unwrap();
    assert_eq!(resumed.ledger.updated, 5);
    assert_eq!(resumed.resent, [3, 4].into());
    assert_eq!([1, 3, 4].map(|n| org.state.borrow().writes[&id(n)]), [1, 2, 2]);
    let lines = org.journal.borrow().as_ref().unwrap().lines();
    assert_eq!(left(&lines, &plan).unwrap().resent, [3, 4].into(), "and whoever carries on from there knows it");

    // Killed once more, before the answer to the second sending was on disk.
    let sent = lines.iter().rposition(|line| matches!(line, Line::Intent { .. })).unwrap();
    let remaining = left(&lines[..=sent], &plan).unwrap();
    assert_eq!((remaining.in_doubt.len(), remaining.resent), (2, [3, 4].into()));
}

#[test]
fn what_salesforce_refused_before_the_kill_is_not_called_untouched_when_the_run_is_given_up() {
    let masks = [1; 3];
    let mut scenario = Scenario { locks: vec![(1, 1_000)], ..Scenario::calm(&masks) };
    let plan = plan(&masks);
    let org = scenario.org();
    scenario.budget = 0;
    scenario.rig(&plan, &org).fresh(Selection::default());
    let lines = org.journal.borrow().as_ref().unwrap().lines();
    // Killed before the locked record was sent again.
    let result = lines.iter().position(|line| matches!(line, Line::Result { .. })).unwrap();
    let bytes = org.journal.borrow().as_ref().unwrap().bytes.borrow().clone();
    let cut: usize = bytes.split_inclusive(|b| *b == b'\n').take(result + 2).map(<[u8]>::len).sum();
    let state = org.state.borrow().clone();
    let (org, given_up) = carried_on(&scenario, &plan, &state, &bytes[..cut], Vec::new(), true).unwrap();
    assert!(matches!(given_up.ends.get(1), Some(End::Failed { code, .. }) if code == "UNABLE_TO_LOCK_ROW"));
    assert_eq!((given_up.ledger.updated, given_up.ledger.failed), (2, 1));

    // Whoever resumes it once more, without a word of giving up, sends nothing either.
    let journal = org.journal.borrow().as_ref().unwrap().bytes.borrow().clone();
    let mut given = journal.split_inclusive(|b| *b == b'\n').scan(0, |at, line| {
        *at += line.len();
        Some((*at, line.starts_with(b"{\"given_up\"")))
    });
    let (noted, _) = given.find(|(_, given_up)| *given_up).unwrap();
    let (org, resumed) = carried_on(&scenario, &plan, &state, &journal[..noted], Vec::new(), false).unwrap();
    assert!(resumed.given_up && org.sizes.borrow().is_empty());
    assert_eq!(resumed.ledger, given_up.ledger);
}

#[test]
fn what_was_looked_for_in_vain_was_sent_once() {
    let masks = [1; 3];
    let scenario = Scenario::calm(&masks);
    let plan = plan(&masks);
    let (bytes, before) = killed_at(&scenario, &plan, 0);
    let mut blind = scenario.clone();
    (blind.reads, blind.budget) = (vec![true; 9], 2);
    let (org, given_up) = carried_on(&blind, &plan, &before, &bytes, Vec::new(), true).unwrap();
    assert_eq!((given_up.ledger.unknown, given_up.unread(), given_up.resent.len()), (3, 3, 0));
    let lines = org.journal.borrow().as_ref().unwrap().lines();
    let remaining = left(&lines, &plan).unwrap();
    assert_eq!((remaining.in_doubt.len(), remaining.resent.len(), remaining.given_up), (3, 0, true));
    // Where they cannot be read at all, nobody needs to look again.
    let nobody = Fault { class: Class::Call, code: "INVALID_FIELD".into(), message: "no such field".into() };
    let org = scenario.org();
    org.reads.borrow_mut().push_back(Some(nobody));
    let given_up =
        scenario.rig(&plan, &org).run(&mut journal(&plan, Selection::default(), &Memory::default()), remaining);
    assert_eq!(given_up.map(|outcomes| (outcomes.ledger.unknown, outcomes.unread())).unwrap(), (3, 0));
}

#[test]
fn a_finished_journal_leaves_nothing_to_send() {
    let plan = plan(&[1; 5]);
    let org = FakeOrg::new(5);
    let memory = Memory::default();
    let mut journal = journal(&plan, Selection::default(), &memory);
    Rig::new(&plan, &org).run(&mut journal, Remaining::default()).unwrap();
    let remaining = left(&memory.lines(), &plan).unwrap();
    assert_eq!((remaining.count(&plan), remaining.in_doubt.len(), remaining.next_batch), (0, 0, 1));
    let calls = org.calls.get();
    let again = Rig::new(&plan, &org).run(&mut journal, remaining).unwrap();
    assert!(again.completed());
    assert_eq!(org.calls.get(), calls, "no call at all");
}

#[test]
fn a_limit_counts_over_both_processes() {
    let plan = plan(&[1; 6]);
    let org = FakeOrg::new(6);
    org.updates.borrow_mut().extend([Trouble::None, Trouble::Stop(StopKind::DailyLimit)]);
    let memory = Memory::default();
    let mut journal = journal(&plan, Selection { limit: Some(4), only: None }, &memory);
    let mut rig = Rig::new(&plan, &org);
    rig.settings.batch = 3;
    assert_eq!(rig.run(&mut journal, Remaining::default()).unwrap().ledger.updated, 3);
    let remaining = left(&memory.lines(), &plan).unwrap();
    let outcomes = Rig::new(&plan, &org).run(&mut journal, remaining).unwrap();
    assert_eq!((outcomes.ledger.updated, outcomes.ledger.not_attempted), (4, 2));
}

#[test]
fn what_was_unknown_is_looked_up_again() {
    let plan = plan(&[1; 2]);
    let unknown = End::Unknown { reason: crate::apply::Unknown::NotReadBack, fields: Vec::new() };
    let line = |n: usize, end: End| super::super::RecordLine { record: id(n), end };
    let intent = |batch, records: Vec<RecordId>| Line::Intent { batch, records, digest: Digest::of(b""), job: false };
    let result = |batch, lost, ends, again| Line::Result { batch, lost, ends, again };
    let cases = [
        (vec![], vec![], vec![]),
        (vec![intent(0, vec![id(0), id(1)])], vec![], vec![id(0), id(1)]),
        (
            vec![intent(0, vec![id(0), id(1)]), result(0, true, vec![line(0, End::Updated)], vec![id(1)])],
            vec![id(0)],
            vec![id(1)],
        ),
        (
            vec![intent(0, vec![id(0), id(1)]), result(0, false, vec![line(0, End::Updated)], vec![id(1)])],
            vec![id(0)],
            vec![],
        ),
        (
            vec![
                intent(0, vec![id(0), id(1)]),
                result(0, true, vec![line(0, unknown)], vec![id(1)]),
                intent(1, vec![id(1)]),
                result(1, false, vec![line(1, End::Updated)], vec![]),
            ],
            vec![id(1)],
            vec![id(0)],
        ),
    ];
    for (lines, ended, doubt) in cases {
        let remaining = left(&lines, &plan).unwrap();
        let found = remaining.ended.iter().enumerate().filter_map(|(place, end)| end.map(|_| id(place)));
        assert_eq!(found.collect::<Vec<_>>(), ended, "{lines:?}");
        let mut found: Vec<_> = remaining.in_doubt.into_iter().map(|place| id(place as usize)).collect();
        found.sort();
        assert_eq!(found, doubt, "{lines:?}");
    }
    assert_eq!(left(&[intent(0, vec![id(9)])], &plan), Err(Foreign::Record(id(9))));
    assert_eq!(left(&[result(4, false, vec![], vec![])], &plan), Err(Foreign::Batch(4)));
}
