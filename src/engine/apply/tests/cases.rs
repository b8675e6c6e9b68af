//! One situation each.

use std::collections::BTreeSet;
use std::time::Duration;

use super::fake::{FakeOrg, Trouble, later};
use super::plans::{id, plan, value};
use super::{Memory, Rig, journal};
use crate::apply::journal::Selection;
use crate::apply::org::{Class, Fault, StopKind};
use crate::apply::{Cancel, End, Event, Facts, NotAttempted, Remaining, RunError, Stale, Unknown, precheck};
use crate::model::Digest;
use crate::plan::Plan;

fn ends(outcomes: &crate::apply::Outcomes) -> Vec<&'static str> {
    outcomes.ends.iter().flatten().map(End::as_str).collect()
}

fn all() -> Selection {
    Selection::default()
}

fn failed(code: &str) -> impl Fn(&End) -> bool {
    move |end| matches!(end, End::Failed { code: found, .. } if found == code)
}

#[test]
fn n_records_take_one_write_call_for_each_two_hundred() {
    for (records, calls) in [(1, 1), (199, 1), (200, 1), (201, 2), (1000, 5), (2001, 11)] {
        let plan = plan(&vec![7; records]);
        let org = FakeOrg::new(records);
        let outcomes = Rig::new(&plan, &org).fresh(all());
        assert!(outcomes.completed() && outcomes.stopped.is_none());
        assert_eq!(outcomes.writes, calls, "{records}");
        assert_eq!(outcomes.rereads, records.div_ceil(2000) as u64, "{records}");
        assert_eq!(org.sizes.borrow().iter().sum::<usize>(), records);
    }
}

#[test]
fn drifted_records_leave_no_holes_in_the_batches() {
    let plan = plan(&vec![1; 450]);
    let org = FakeOrg::new(450);
    (0..450).step_by(9).for_each(|n| org.change(n, "Text__c", "theirs"));
    let outcomes = Rig::new(&plan, &org).fresh(all());
    assert_eq!((outcomes.ledger.updated, outcomes.ledger.drifted), (400, 50));
    assert_eq!(*org.sizes.borrow(), [200, 200]);
}

#[test]
fn drift_names_the_fields_and_tells_what_is_there_already() {
    let plan = plan(&[7, 7, 1]);
    let org = FakeOrg::new(3);
    org.change(0, "Number__c", "77");
    for (field, name) in [(0, "Text__c"), (1, "Number__c"), (2, "Flag__c")] {
        org.change(1, name, &value(field, 1, true).unwrap());
    }
    org.change(2, "Number__c", "somebody else's field");
    let outcomes = Rig::new(&plan, &org).fresh(all());
    assert_eq!(outcomes.ends[0], End::Drifted { fields: vec!["Number__c".into()], already_there: false });
    assert!(matches!(&outcomes.ends[1], End::Drifted { already_there: true, fields } if fields.len() == 3));
    assert_eq!(outcomes.ends[2], End::Updated);
    assert_eq!(org.cell(0, "Text__c"), value(0, 0, false));
}

#[test]
fn a_blank_checkbox_is_false() {
    let plan = plan(&[4]);
    let mut entries = plan.all().unwrap();
    entries[0].cells[0].before = Some("true".into());
    entries[0].cells[0].after = None;
    let plan = Plan::of(plan.header, &entries, plan.summary, plan.context).unwrap();
    let org = FakeOrg::new(1);
    org.change(0, "Flag__c", "true");
    assert!(Rig::new(&plan, &org).fresh(all()).completed());
    assert_eq!(org.cell(0, "Flag__c").as_deref(), Some("false"));
}

#[test]
fn a_record_that_is_gone_fails_and_is_not_sent() {
    let plan = plan(&[1, 1]);
    let org = FakeOrg::new(2);
    org.state.borrow_mut().records.remove(&id(0));
    let outcomes = Rig::new(&plan, &org).fresh(all());
    assert!(failed(End::GONE)(&outcomes.ends[0]));
    assert_eq!(*org.sizes.borrow(), [1]);
}

#[test]
fn locked_records_go_again_in_groups_of_twenty_five_and_then_alone() {
    let plan = plan(&vec![1; 300]);
    let org = FakeOrg::new(300);
    (0..60).for_each(|n| _ = org.state.borrow_mut().locks.insert(id(n), if n == 7 { 3 } else { 1 }));
    let outcomes = Rig::new(&plan, &org).fresh(all());
    assert!(outcomes.completed(), "{:?}", outcomes.ledger);
    assert_eq!(*org.sizes.borrow(), [200, 100, 25, 25, 10, 1, 1]);
    assert_eq!(*org.read_sizes.borrow(), [300, 60, 1, 1], "each is read again before it is sent again");
    assert_eq!(outcomes.retries, 5);
}

#[test]
fn a_record_that_stays_locked_fails_with_salesforces_words() {
    let plan = plan(&[1, 1]);
    let org = FakeOrg::new(2);
    org.state.borrow_mut().locks.insert(id(0), 1_000);
    let outcomes = Rig::new(&plan, &org).fresh(all());
    assert!(failed("UNABLE_TO_LOCK_ROW")(&outcomes.ends[0]));
    assert_eq!(outcomes.ends[1], End::Updated);
    assert_eq!(org.sizes.borrow().len(), 6, "tries are limited");
}

#[test]
fn trying_again_ends_when_the_budget_is_spent() {
    let plan = plan(&[1; 200]);
    let org = FakeOrg::new(200);
    (0..200).for_each(|n| _ = org.state.borrow_mut().locks.insert(id(n), 1_000));
    let mut rig = Rig::new(&plan, &org);
    rig.tries = 2;
    let outcomes = rig.fresh(all());
    assert_eq!(outcomes.ledger.failed, 200);
    // Once all together, once in groups of 25, and once in as many groups as one try may have.
    assert_eq!(org.sizes.borrow().len(), 1 + 8 + 100);
}

#[test]
fn the_record_at_fault_is_found_by_halves() {
    let plan = plan(&[1; 200]);
    let mut org = FakeOrg::new(200);
    org.poison = [id(41), id(150)].into();
    let outcomes = Rig::new(&plan, &org).fresh(all());
    assert_eq!((outcomes.ledger.updated, outcomes.ledger.failed), (198, 2));
    assert!(failed("JSON_PARSER_ERROR")(&outcomes.ends[41]) && failed("JSON_PARSER_ERROR")(&outcomes.ends[150]));
    assert!(org.sizes.borrow().len() <= 1 + 2 * 2 * 8, "{:?}", org.sizes.borrow());
}

#[test]
fn a_call_that_cannot_work_is_not_halved() {
    let plan = plan(&[1; 6]);
    let org = FakeOrg::new(6);
    org.updates.borrow_mut().push_back(Trouble::Wrong);
    let mut rig = Rig::new(&plan, &org);
    rig.settings.batch = 4;
    let outcomes = rig.fresh(all());
    assert_eq!(ends(&outcomes), ["failed", "failed", "failed", "failed", "updated", "updated"]);
    assert!(failed("INVALID_TYPE")(&outcomes.ends[3]));
    assert_eq!(org.sizes.borrow().len(), 2);
}

#[test]
fn halving_is_bounded() {
    let plan = plan(&vec![1; 400]);
    let mut org = FakeOrg::new(400);
    org.poison = (0..400).map(id).collect();
    let mut rig = Rig::new(&plan, &org);
    rig.settings.halvings = 20;
    let outcomes = rig.fresh(all());
    assert_eq!(outcomes.ledger.failed, 400);
    assert!(org.sizes.borrow().len() <= 2 + 20);
}

#[test]
fn very_many_locked_records_are_all_sent_again_within_a_few_further_tries() {
    let records = 12_000;
    let plan = plan(&vec![1; records]);
    let org = FakeOrg::new(records);
    // All of them once, some of them longer.
    for n in 0..records {
        org.state.borrow_mut().locks.insert(id(n), if n % 6 == 0 { 3 } else { 1 });
    }
    let mut rig = Rig::new(&plan, &org);
    rig.tries = 5;
    let outcomes = rig.fresh(all());
    assert!(outcomes.completed(), "{:?}", outcomes.ledger);
    // 60 calls, then rounds of 100 at the most: of 120 records, of 25, of 20 where one each would be 2,000 calls.
    let sizes = org.sizes.borrow();
    assert_eq!((sizes.len(), sizes[60], sizes[160], sizes[240]), (60 + 100 + 80 + 100, 120, 25, 20));
}

#[test]
fn locked_records_that_no_try_is_left_for_are_told() {
    let plan = plan(&[1; 3]);
    let org = FakeOrg::new(3);
    org.state.borrow_mut().locks.insert(id(1), 100);
    let mut rig = Rig::new(&plan, &org);
    rig.tries = 2;
    let outcomes = rig.fresh(all());
    assert_eq!(ends(&outcomes), ["updated", "failed", "updated"]);
    assert!(rig.kept.events.contains(&Event::GivenUp { records: 1 }));
    assert_eq!(org.sizes.borrow().len(), 3);
}

#[test]
fn an_answer_lost_after_the_write_is_found_to_be_written() {
    let plan = plan(&[7; 5]);
    let org = FakeOrg::new(5);
    org.updates.borrow_mut().push_back(Trouble::LostAfter);
    let outcomes = Rig::new(&plan, &org).fresh(all());
    assert!(outcomes.completed());
    assert_eq!(outcomes.writes, 1);
}

#[test]
fn an_answer_lost_before_the_write_is_sent_again() {
    let plan = plan(&[7; 5]);
    let org = FakeOrg::new(5);
    org.updates.borrow_mut().extend([Trouble::LostBefore, Trouble::LostHalf, Trouble::Short]);
    let outcomes = Rig::new(&plan, &org).fresh(all());
    assert!(outcomes.completed(), "{outcomes:?}");
    assert!(org.state.borrow().writes.values().all(|n| *n == 1), "each was written once");
}

#[test]
fn what_arrives_after_it_was_looked_for_is_told_to_be_perhaps_written_twice() {
    let plan = plan(&[7; 5]);
    let org = FakeOrg::new(5);
    org.updates.borrow_mut().extend([Trouble::None, Trouble::LostLate]);
    let mut rig = Rig::new(&plan, &org);
    rig.settings.batch = 3;
    let outcomes = rig.fresh(all());
    assert!(outcomes.completed());
    assert_eq!(outcomes.resent, [3, 4].into());
    assert_eq!(org.state.borrow().writes[&id(4)], 2);
}

#[test]
fn what_a_lost_update_may_yet_write_is_never_called_untouched() {
    for trouble in [Trouble::Wrong, Trouble::None] {
        let plan = plan(&[7; 2]);
        let org = FakeOrg::new(2);
        org.updates.borrow_mut().extend([Trouble::LostLate, trouble]);
        if trouble == Trouble::None {
            // The first sending holds them locked.
            (0..2).for_each(|n| _ = org.state.borrow_mut().locks.insert(id(n), 100));
        }
        let outcomes = Rig::new(&plan, &org).fresh(all());
        assert_eq!(ends(&outcomes), ["unknown", "unknown"], "{trouble:?}");
        assert!(matches!(outcomes.ends[0], End::Unknown { reason: Unknown::StillBefore, .. }));
    }
}

#[test]
fn an_answer_that_stays_lost_leaves_unknown_records_and_stops() {
    let plan = plan(&[1; 5]);
    let org = FakeOrg::new(5);
    org.updates.borrow_mut().extend([Trouble::LostBefore; 50]);
    let mut rig = Rig::new(&plan, &org);
    rig.settings.batch = 2;
    let outcomes = rig.fresh(all());
    assert_eq!(ends(&outcomes), ["unknown", "unknown", "not_attempted", "not_attempted", "not_attempted"]);
    assert!(matches!(outcomes.ends[0], End::Unknown { reason: Unknown::StillBefore, .. }));
    assert_eq!(outcomes.stopped.unwrap().kind, StopKind::Unreachable);
}

#[test]
fn a_lost_answer_that_cannot_be_looked_up_is_unknown() {
    let plan = plan(&[1; 2]);
    let org = FakeOrg::new(2);
    org.updates.borrow_mut().push_back(Trouble::LostAfter);
    org.reads.borrow_mut().push_back(None);
    org.reads.borrow_mut().extend(vec![Some(later("CONNECTION")); 50]);
    let outcomes = Rig::new(&plan, &org).fresh(all());
    assert_eq!(ends(&outcomes), ["unknown", "unknown"]);
    assert!(matches!(outcomes.ends[0], End::Unknown { reason: Unknown::NotReadBack, .. }));
}

#[test]
fn errors_that_no_call_survives_stop_the_run() {
    for kind in [StopKind::DailyLimit, StopKind::NotAuthorised, StopKind::WrongOrg, StopKind::Storage] {
        let plan = plan(&[1; 5]);
        let org = FakeOrg::new(5);
        org.updates.borrow_mut().extend([Trouble::None, Trouble::Stop(kind)]);
        let mut rig = Rig::new(&plan, &org);
        rig.settings.batch = 2;
        let outcomes = rig.fresh(all());
        assert_eq!(ends(&outcomes), ["updated", "updated", "not_attempted", "not_attempted", "not_attempted"]);
        assert_eq!(outcomes.ends[4], End::NotAttempted { reason: NotAttempted::Stopped });
        assert_eq!(outcomes.stopped.unwrap().kind, kind);
        assert_eq!(org.sizes.borrow().len(), 2);
    }
}

#[test]
fn what_cannot_be_read_is_not_written() {
    let plan = plan(&[1; 5]);
    let org = FakeOrg::new(5);
    let fault = Fault { class: Class::Call, code: "INVALID_FIELD".into(), message: "No such column".into() };
    org.reads.borrow_mut().push_back(Some(fault));
    let outcomes = Rig::new(&plan, &org).fresh(all());
    assert_eq!(outcomes.ledger.not_attempted, 5);
    assert_eq!(outcomes.stopped.unwrap().kind, StopKind::Unreadable);
}

#[test]
fn passing_troubles_pass() {
    let plan = plan(&[1; 5]);
    let org = FakeOrg::new(5);
    org.reads.borrow_mut().extend([Some(later("CONNECTION")), None]);
    org.updates.borrow_mut().extend([Trouble::NotSent, Trouble::Busy]);
    let outcomes = Rig::new(&plan, &org).fresh(all());
    assert!(outcomes.completed());
    assert_eq!((outcomes.writes, outcomes.rereads, outcomes.retries), (2, 2, 3), "what was not sent is no call");
}

#[test]
fn each_batch_is_sent_within_the_age_of_its_read() {
    let seconds = Duration::from_secs;
    for (read, update) in [(1, 1), (5, 20), (1, 59), (30, 29), (0, 61), (59, 61)] {
        let plan = plan(&vec![1; 2_000]);
        let org = FakeOrg::new(2_000);
        org.read_takes.set(seconds(read));
        org.update_takes.set(seconds(update));
        let outcomes = Rig::new(&plan, &org).fresh(all());
        assert!(outcomes.completed(), "{read} {update}: {:?}", outcomes.stopped);
        assert_eq!(outcomes.writes, 10);
        assert!(outcomes.window <= seconds(60) && outcomes.window >= seconds(read), "{:?}", outcomes.window);
        assert!(outcomes.rereads <= 11, "{read} {update}: {} reads", outcomes.rereads);
    }
}

#[test]
fn reads_that_are_always_too_old_stop_the_run() {
    let plan = plan(&[1; 5]);
    let org = FakeOrg::new(5);
    org.read_takes.set(Duration::from_secs(61));
    let outcomes = Rig::new(&plan, &org).fresh(all());
    assert_eq!(outcomes.ledger.not_attempted, 5);
    assert_eq!(outcomes.stopped.unwrap().kind, StopKind::TooSlow);
}

#[test]
fn limit_and_records_leave_the_rest_alone_and_say_why() {
    let plan = plan(&[1; 6]);
    let org = FakeOrg::new(6);
    let only: BTreeSet<_> = [id(1), id(3), id(4), id(5)].into();
    let outcomes = Rig::new(&plan, &org).fresh(Selection { limit: Some(2), only: Some(only) });
    assert_eq!(
        ends(&outcomes),
        ["not_attempted", "updated", "not_attempted", "updated", "not_attempted", "not_attempted"]
    );
    assert_eq!(outcomes.ends[0], End::NotAttempted { reason: NotAttempted::NotSelected });
    assert_eq!(outcomes.ends[4], End::NotAttempted { reason: NotAttempted::Limit });
    assert_eq!(org.state.borrow().writes.len(), 2);
}

#[test]
fn the_word_to_stop_lets_the_call_end_or_gives_it_up() {
    let cases = [
        (Trouble::None, "updated", "updated"),
        (Trouble::HangAfter, "updated", "updated"),
        (Trouble::HangBefore, "unknown", "unknown"),
        (Trouble::LostAfter, "updated", "updated"),
        (Trouble::LostHalf, "updated", "unknown"),
        (Trouble::NotSent, "not_attempted", "not_attempted"),
    ];
    for (trouble, first, second) in cases {
        let plan = plan(&[1; 4]);
        let org = FakeOrg::new(4);
        org.updates.borrow_mut().push_back(trouble);
        let (canceller, cancel) = Cancel::new();
        *org.cancel.borrow_mut() = Some((1, canceller));
        let mut rig = Rig::new(&plan, &org);
        rig.settings.batch = 2;
        rig.cancel = cancel;
        let outcomes = rig.fresh(all());
        assert_eq!(ends(&outcomes), [first, second, "not_attempted", "not_attempted"], "{trouble:?}");
        assert_eq!(outcomes.ends[3], End::NotAttempted { reason: NotAttempted::Interrupted });
        assert_eq!(outcomes.stopped.unwrap().kind, StopKind::Interrupted);
        assert_eq!(org.sizes.borrow().len(), 1, "{trouble:?}");
    }
}

#[test]
fn five_seconds_are_enough_to_stop() {
    let settings = crate::apply::Settings::default();
    assert!(settings.finish + settings.look_up <= Duration::from_millis(4_500));
}

#[test]
fn the_word_to_stop_ends_a_pause() {
    let plan = plan(&[1]);
    let org = FakeOrg::new(1);
    org.updates.borrow_mut().push_back(Trouble::Busy);
    let (canceller, cancel) = Cancel::new();
    *org.cancel.borrow_mut() = Some((1, canceller));
    let mut rig = Rig::new(&plan, &org);
    rig.pause = Duration::from_secs(3_600);
    rig.cancel = cancel;
    assert_eq!(ends(&rig.fresh(all())), ["not_attempted"]);
}

#[test]
fn a_log_that_breaks_stops_the_run_before_anything_more_is_sent() {
    for (works, recovers) in (0..8).flat_map(|works| [(works, false), (works, true)]) {
        let plan = plan(&[1; 6]);
        let org = FakeOrg::new(6);
        let memory = Memory::default();
        let mut journal = journal(&plan, all(), &memory);
        memory.left.set(Some(works));
        memory.recovers.set(recovers);
        *org.journal.borrow_mut() = Some(memory.clone());
        let mut rig = Rig::new(&plan, &org);
        rig.settings.batch = 2;
        let outcomes = rig.run(&mut journal, Remaining::default()).unwrap();
        assert_eq!(outcomes.stopped.is_some(), works < 7, "{works}");
        assert_eq!(org.sizes.borrow().len(), works.div_ceil(2).min(3), "{works}");
        assert_eq!(outcomes.ledger.updated, org.state.borrow().writes.len() as u64, "{works}");
        // Half a line at the end, and nothing after it.
        memory.lines();
    }
}

#[test]
fn a_journal_of_another_plan_is_refused() {
    let (plan, other) = (plan(&[1]), plan(&[7]));
    let org = FakeOrg::new(1);
    let mut journal = journal(&other, all(), &Memory::default());
    let problem = Rig::new(&plan, &org).run(&mut journal, Remaining::default());
    assert!(matches!(problem, Err(RunError::OtherJournal)));
    assert_eq!(org.calls.get(), 0);
}

#[test]
fn a_plan_that_contradicts_itself_is_refused() {
    let mut plan = plan(&[1, 1]);
    plan.summary.records = 3;
    let org = FakeOrg::new(2);
    let mut journal = journal(&plan, all(), &Memory::default());
    let problem = Rig::new(&plan, &org).run(&mut journal, Remaining::default());
    assert!(matches!(problem, Err(RunError::Broken(_))));
    assert_eq!(org.calls.get(), 0);
}

#[test]
fn every_difference_from_the_plan_is_told() {
    let mut plan = plan(&[1]);
    let facts = |plan: &Plan| Facts { digests: plan.header.digests.clone(), org_id: plan.header.org_id };
    assert_eq!(precheck(&plan, &facts(&plan)), Ok(()));
    let mut changed = facts(&plan);
    changed.digests.configuration = Digest::of(b"other");
    changed.digests.report = Digest::of(b"other");
    changed.digests.definitions = Digest::of(b"other");
    changed.org_id = crate::model::OrgId::parse("00D5e000000ELSE").unwrap();
    plan.summary.records = 9;
    let stale = precheck(&plan, &changed).unwrap_err();
    assert_eq!(stale.len(), 5, "{stale:?}");
    assert!(matches!(stale[0], Stale::Org { .. }) && matches!(stale[4], Stale::Broken(_)));
}

#[test]
fn observers_hear_of_calls_and_ends() {
    let plan = plan(&[1; 3]);
    let org = FakeOrg::new(3);
    org.updates.borrow_mut().push_back(Trouble::LostBefore);
    let mut rig = Rig::new(&plan, &org);
    rig.fresh(all());
    assert_eq!((rig.kept.last.done, rig.kept.last.total, rig.kept.last.updated, rig.kept.last.calls), (3, 3, 3, 4));
    let kinds: Vec<_> =
        rig.kept.events.iter().map(|e| format!("{e:?}").split([' ', '(']).next().unwrap().to_owned()).collect();
    assert_eq!(kinds, ["Reading", "Sending", "LookingUp", "Reading", "Waiting", "Sending"]);
    assert!(matches!(rig.kept.events[1], Event::Sending { batch: 0, records: 3 }));
}

#[test]
fn long_messages_are_cut_between_characters() {
    let end = End::failed("STRING_TOO_LONG", &"ä".repeat(3_000), &[]);
    let End::Failed { message, .. } = end else { panic!() };
    assert_eq!(message.len(), End::MESSAGE_LIMIT);
    let end = End::failed("X", &format!("x{}", "ä".repeat(3_000)), &[]);
    let End::Failed { message, .. } = end else { panic!() };
    assert_eq!(message.len(), End::MESSAGE_LIMIT - 1);
}
