//! Runs by bulk jobs, case by case.

use std::time::Duration;

use super::fake::{FakeOrg, Trouble, later};
use super::fake_jobs::{Fate, no_more};
use super::plans::{id, plan, plan_with};
use super::properties::check;
use super::{Memory, Rig, journal_of};
use crate::apply::journal::{Line, Selection};
use crate::apply::org::{Class, Fault, StopKind};
use crate::apply::{Cancel, End, Event, NotAttempted, Outcomes, Remaining, Unknown, left};
use crate::plan::Plan;
use crate::salesforce::JobState;

/// A run by jobs, checked.
fn run(plan: &Plan, org: &FakeOrg, change: impl FnOnce(&mut Rig<'_>)) -> (Outcomes, Vec<Event>) {
    let before = org.state.borrow().clone();
    let mut rig = Rig::new(plan, org);
    rig.bulk = Some("");
    change(&mut rig);
    let outcomes = rig.fresh(Selection::default());
    check(plan, org, &before, &outcomes);
    (outcomes, rig.kept.events)
}

fn words(org: &FakeOrg) -> String {
    org.job_log.borrow().join(" ")
}

#[test]
fn a_plan_goes_by_one_job_and_few_calls() {
    let plan = plan(&[7, 3, 1, 5, 2, 7, 6]);
    let org = FakeOrg::new(7);
    let (outcomes, events) = run(&plan, &org, |_| ());
    assert!(outcomes.completed());
    assert_eq!(words(&org), "create upload close ask successful");
    assert_eq!((outcomes.writes, outcomes.rereads, outcomes.job_calls), (0, 1, 5));
    let [job] = &outcomes.jobs[..] else { panic!() };
    assert_eq!((job.records, job.processed, job.failed, job.left), (7, 7, 0, false));
    assert_eq!(job.state, Some(JobState::JobComplete));
    assert!(matches!(events[1], Event::Job { records: 7, taken_up: false, .. }), "{events:?}");
    let uploads = org.uploads.borrow();
    let line = |n: usize| uploads[0][n].join("|");
    assert_eq!(line(0), "Id|Text__c|Number__c|Flag__c");
    assert_eq!(line(1), format!("{}|new\n0|#N/A|true", id(0)));
    assert_eq!(line(2), format!("{}|new\n1|1001|", id(1)));
    assert_eq!(line(3), format!("{}|new\n2||", id(2)), "what does not change is empty");
}

#[test]
fn parts_are_of_one_size_and_go_one_after_another() {
    let plan = plan(&[1; 25]);
    let org = FakeOrg::new(25);
    let (outcomes, _) = run(&plan, &org, |rig| rig.settings.jobs.records = 10);
    assert!(outcomes.completed());
    let records: Vec<_> = outcomes.jobs.iter().map(|job| job.records).collect();
    assert_eq!(records, [9, 8, 8]);
    assert_eq!(words(&org), ["create upload close ask successful"; 3].join(" "));
}

#[test]
fn bytes_bound_a_job() {
    let plan = plan(&[1; 25]);
    let org = FakeOrg::new(25);
    let (outcomes, _) = run(&plan, &org, |rig| rig.settings.jobs.bytes = 150);
    assert!(outcomes.completed());
    assert!(outcomes.jobs.len() > 3 && org.uploads.borrow().iter().all(|lines| lines.len() < 8));
}

#[test]
fn several_reads_go_at_once_and_what_drifted_is_left_alone() {
    let plan = plan(&[1; 30]);
    let org = FakeOrg::new(30);
    org.change(4, "Text__c", "theirs");
    org.change(20, "Text__c", "new\n20");
    org.state.borrow_mut().records.remove(&id(7));
    let (outcomes, _) = run(&plan, &org, |rig| rig.settings.read = 4);
    assert_eq!((outcomes.ledger.updated, outcomes.ledger.drifted, outcomes.ledger.failed), (27, 2, 1));
    assert_eq!((outcomes.jobs.len(), outcomes.jobs[0].records, outcomes.rereads), (1, 27, 8));
}

#[test]
fn records_of_one_parent_stand_beside_each_other() {
    let plan = plan(&[1; 9]);
    let org = FakeOrg::new(9);
    for n in 0..9 {
        org.change(n, "Other__c", ["b", "a", "c"][n % 3]);
    }
    let (outcomes, _) = run(&plan, &org, |rig| rig.bulk = Some("Other__c"));
    assert!(outcomes.completed());
    let uploads = org.uploads.borrow();
    let sent: Vec<_> = uploads[0][1..].iter().map(|line| line[0].clone()).collect();
    let expected: Vec<_> = [1, 4, 7, 0, 3, 6, 2, 5, 8].map(|n| id(n).as_str().to_owned()).into();
    assert_eq!(sent, expected);
    assert_eq!(uploads[0][0], ["Id", "Text__c"], "the parent is read, and not written");
}

#[test]
fn what_bulk_csv_cannot_carry_goes_by_collections_in_the_same_run() {
    let plan = plan_with(&[1; 5], |entry| match entry.row {
        1 => entry.cells[0].after = Some("#N/A".into()),
        5 => entry.cells[0].after = Some("x".repeat(40_000)),
        _ => {}
    });
    let org = FakeOrg::new(5);
    let mut rig = Rig::new(&plan, &org);
    rig.bulk = Some("");
    let outcomes = rig.fresh(Selection::default());
    assert!(outcomes.completed());
    assert_eq!((outcomes.writes, outcomes.jobs[0].records), (1, 3));
    assert!(rig.kept.events.contains(&Event::NotForBulk { records: 2 }));
    assert_eq!(org.cell(0, "Text__c").as_deref(), Some("#N/A"));
    assert_eq!(*org.sizes.borrow(), [2]);
}

#[test]
fn locked_rows_go_again_by_collections_in_smaller_groups() {
    let plan = plan(&[1; 60]);
    let mut org = FakeOrg::new(60);
    org.refused = [id(50)].into();
    for n in 0..40 {
        org.state.borrow_mut().locks.insert(id(n), if n < 30 { 1 } else { 3 });
    }
    let (outcomes, _) = run(&plan, &org, |_| ());
    assert_eq!((outcomes.ledger.updated, outcomes.ledger.failed), (59, 1));
    assert_eq!((outcomes.jobs[0].processed, outcomes.jobs[0].failed), (60, 41));
    let sizes = org.sizes.borrow();
    assert!(sizes.iter().all(|size| *size <= 25) && sizes.ends_with(&[1, 1, 1]), "{sizes:?}");
    assert_eq!(words(&org), "create upload close ask successful failed");
}

#[test]
fn the_word_of_a_job_is_held_against_its_records() {
    for fate in [Fate::Untold, Fate::Twice, Fate::Strangers, Fate::Gone, Fate::Slow(5)] {
        let plan = plan(&[7; 20]);
        let mut org = FakeOrg::new(20);
        org.refused = [id(4), id(6)].into();
        org.fates.borrow_mut().push_back(fate);
        let (outcomes, events) = run(&plan, &org, |_| ());
        assert_eq!((outcomes.ledger.updated, outcomes.ledger.failed), (18, 2), "{fate:?}");
        let doubted = events.iter().any(|event| matches!(event, Event::JobResults { .. }));
        assert_eq!(doubted, fate != Fate::Slow(5), "{fate:?}: {events:?}");
    }
}

/// An answer that was cut off.
fn cut_off() -> Option<Fault> {
    Some(Fault { class: Class::Later(None), code: Fault::MALFORMED.into(), message: "it ends in a line".into() })
}

#[test]
fn results_that_are_cut_off_are_fetched_again() {
    let plan = plan(&[1; 20]);
    let mut org = FakeOrg::new(20);
    org.refused = [id(4), id(6)].into();
    org.job_asks.borrow_mut().extend([cut_off(), None, cut_off(), None, cut_off(), cut_off()]);
    let (outcomes, events) = run(&plan, &org, |_| ());
    assert_eq!((outcomes.ledger.updated, outcomes.ledger.failed, outcomes.writes), (18, 2, 0));
    assert_eq!(words(&org), "create upload close ask ask successful successful failed failed failed");
    assert!(!events.iter().any(|event| matches!(event, Event::JobResults { .. })));
}

#[test]
fn other_faults_do_not_count_as_results_that_are_cut_off() {
    let plan = plan(&[1; 20]);
    let mut org = FakeOrg::new(20);
    org.refused = [id(4)].into();
    let lost = || Some(later("CONNECTION"));
    org.job_asks.borrow_mut().extend([None, None, cut_off(), lost(), lost(), lost(), cut_off(), cut_off()]);
    let (outcomes, events) = run(&plan, &org, |_| ());
    assert_eq!((outcomes.ledger.updated, outcomes.ledger.failed, outcomes.writes), (19, 1, 0));
    assert!(!events.iter().any(|event| matches!(event, Event::JobResults { .. })));
}

#[test]
fn where_the_results_stay_cut_off_their_records_are_sent_once_more_or_called_failed() {
    for no_more_calls in [false, true] {
        let plan = plan(&[1; 20]);
        let mut org = FakeOrg::new(20);
        org.refused = [id(4), id(6)].into();
        org.job_asks.borrow_mut().extend([None, None]);
        org.job_asks.borrow_mut().extend([const { None }; 9].map(|_: Option<Fault>| cut_off()));
        if no_more_calls {
            org.updates.borrow_mut().push_back(Trouble::Stop(StopKind::DailyLimit));
        }
        let (outcomes, _) = run(&plan, &org, |_| ());
        // Never "not attempted": they were, and Salesforce refused them.
        assert_eq!((outcomes.ledger.updated, outcomes.ledger.failed), (18, 2));
        let code = if no_more_calls { "NO_RESULT" } else { "FIELD_CUSTOM_VALIDATION_EXCEPTION" };
        let of = |n: usize| outcomes.ends.get(n).unwrap().clone();
        assert!([4, 6].map(of).iter().all(|end| matches!(end, End::Failed { code: c, .. } if c == code)), "{code}");
        assert_eq!(outcomes.writes, 1);
    }
}

#[test]
fn a_job_that_salesforce_does_not_know_any_more_is_gone_in_either_word() {
    for code in ["NOT_FOUND", "INVALIDJOB"] {
        let plan = plan(&[1; 20]);
        let org = FakeOrg::new(20);
        let gone = Fault { class: Class::Body, code: code.into(), message: "Unable to find job".into() };
        org.job_asks.borrow_mut().push_back(Some(gone));
        let (outcomes, events) = run(&plan, &org, |_| ());
        assert!(outcomes.completed(), "{code}");
        assert!(events.iter().any(|event| matches!(event, Event::JobResults { untold: 20, .. })), "{code}: {events:?}");
    }
}

#[test]
fn a_job_that_fails_halfway_is_followed_by_one_more() {
    let plan = plan(&[1; 20]);
    let mut org = FakeOrg::new(20);
    org.refused = [id(3)].into();
    org.fates.borrow_mut().push_back(Fate::Halfway(12));
    let (outcomes, _) = run(&plan, &org, |_| ());
    assert_eq!((outcomes.ledger.updated, outcomes.ledger.failed), (19, 1));
    let states: Vec<_> = outcomes.jobs.iter().map(|j| (j.records, j.processed, j.state.unwrap())).collect();
    assert_eq!(states, [(20, 12, JobState::Failed), (8, 8, JobState::JobComplete)]);
    // A second time it is told.
    let org = FakeOrg::new(20);
    org.fates.borrow_mut().extend([Fate::Halfway(12), Fate::Halfway(3)]);
    let (outcomes, _) = run(&plan, &org, |_| ());
    assert_eq!((outcomes.ledger.updated, outcomes.ledger.not_attempted), (15, 5));
    assert_eq!(outcomes.stopped.unwrap().kind, StopKind::JobFailed);
}

#[test]
fn a_job_that_is_refused_as_a_whole_or_stopped_by_somebody_ends_the_run() {
    let plan = plan(&[1; 20]);
    for (fate, kind, updated, text) in [
        (Fate::Refused, StopKind::JobFailed, 0, "Field name not found : Text__c"),
        (Fate::Stopped(7), StopKind::JobAborted, 7, "somebody stopped bulk job 7505e"),
    ] {
        let org = FakeOrg::new(20);
        org.fates.borrow_mut().push_back(fate);
        let (outcomes, _) = run(&plan, &org, |_| ());
        let stopped = outcomes.stopped.unwrap();
        assert_eq!((stopped.kind, outcomes.ledger.updated), (kind, updated));
        assert_eq!(outcomes.ledger.not_attempted, 20 - updated);
        assert!(stopped.message.contains(text), "{}", stopped.message);
        assert_eq!(org.state.borrow().jobs.len(), 1, "no second job");
    }
}

#[test]
fn every_lost_answer_has_its_way_out() {
    use Trouble::{Busy, LostAfter, LostBefore, None as Fine, NotSent};
    let cases: [(&[Trouble], &str); 12] = [
        (&[NotSent], "create create upload close ask successful"),
        (&[Busy], "create create upload close ask successful"),
        (&[LostBefore], "create create list upload close ask successful"),
        // The job that nobody was told of is found and put away.
        (&[LostAfter], "create create list abort delete upload close ask successful"),
        (&[Fine, NotSent], "create upload abort delete create upload close ask successful"),
        (&[Fine, Busy], "create upload abort delete create upload close ask successful"),
        (&[Fine, LostBefore], "create upload abort delete create upload close ask successful"),
        (&[Fine, LostAfter], "create upload abort delete create upload close ask successful"),
        (&[Fine, Fine, Busy], "create upload close close ask successful"),
        (&[Fine, Fine, LostBefore], "create upload close ask close ask successful"),
        (&[Fine, Fine, LostAfter], "create upload close ask ask successful"),
        (&[Fine, LostAfter, LostAfter], "create upload abort create upload close ask successful"),
    ];
    for (troubles, expected) in cases {
        let plan = plan(&[3; 9]);
        let org = FakeOrg::new(9);
        org.job_calls.borrow_mut().extend(troubles);
        let (outcomes, _) = run(&plan, &org, |_| ());
        assert!(outcomes.completed(), "{troubles:?}");
        assert_eq!(words(&org), expected, "{troubles:?}");
    }
}

#[test]
fn a_job_of_somebody_else_is_never_touched() {
    let plan = plan(&[1; 3]);
    let org = FakeOrg::new(3);
    let long_ago = org.strange_job(JobState::Open, "2026-11-21T08:00:00Z");
    let busy = org.strange_job(JobState::InProgress, "2026-11-21T09:01:03Z");
    org.job_calls.borrow_mut().extend([Trouble::LostAfter]);
    let (outcomes, _) = run(&plan, &org, |_| ());
    assert!(outcomes.completed());
    let state = |job| org.state.borrow().jobs[&job].state;
    assert_eq!((state(long_ago), state(busy)), (JobState::Open, JobState::InProgress));
    assert_eq!(org.state.borrow().jobs.values().filter(|job| job.state == JobState::Aborted).count(), 1);
    // Two could be meant: neither is.
    let org = FakeOrg::new(3);
    let other = org.strange_job(JobState::Open, "2026-11-21T09:01:04Z");
    org.job_calls.borrow_mut().extend([Trouble::LostAfter]);
    assert!(run(&plan, &org, |_| ()).0.completed());
    assert_eq!(org.state.borrow().jobs[&other].state, JobState::Open);
    assert!(!words(&org).contains("abort"));
}

#[test]
fn a_job_with_data_is_not_the_one_that_a_lost_answer_left_behind() {
    let plan = plan(&[1; 3]);
    let org = FakeOrg::new(3);
    let filled = org.strange_job(JobState::Open, "2026-11-21T09:01:04Z");
    org.state.borrow_mut().jobs.get_mut(&filled).unwrap().rows = Some(Vec::new());
    org.job_calls.borrow_mut().extend([Trouble::LostAfter]);
    assert!(run(&plan, &org, |_| ()).0.completed());
    assert_eq!(org.state.borrow().jobs[&filled].state, JobState::Open);
    // That one was put away.
    assert_eq!(org.state.borrow().jobs.values().filter(|job| job.state == JobState::Aborted).count(), 1);
}

#[test]
fn a_closing_without_an_answer_is_under_way_until_the_job_is_known_to_be_stopped() {
    use Trouble::{LostBefore, None as Fine, NotSent};
    // Open at the next question, and then the day's calls are used up: the abort is not answered, or it is.
    for (abort, not_attempted, unknown) in [(NotSent, 0, 8), (Fine, 8, 0)] {
        let plan = plan(&[1; 8]);
        let org = FakeOrg::new(8);
        org.job_calls.borrow_mut().extend([Fine, Fine, LostBefore, no_more(), abort]);
        let (outcomes, events) = run(&plan, &org, |_| ());
        assert_eq!(outcomes.stopped.unwrap().kind, StopKind::DailyLimit);
        assert_eq!((outcomes.ledger.not_attempted, outcomes.ledger.unknown), (not_attempted, unknown), "{abort:?}");
        let left = events.iter().filter(|e| matches!(e, Event::JobLeft { records: 8, .. })).count();
        assert_eq!((left, outcomes.jobs.len()), (usize::from(unknown > 0), 1));
    }
}

#[test]
fn an_object_without_jobs_goes_by_collections_unless_jobs_were_asked_for() {
    let plan = plan(&[1; 8]);
    let org = FakeOrg::new(8);
    org.job_calls.borrow_mut().push_back(Trouble::Wrong);
    let (outcomes, events) = run(&plan, &org, |_| ());
    assert!(outcomes.completed() && outcomes.jobs.is_empty());
    assert_eq!(outcomes.writes, 1);
    assert!(events.iter().any(|e| matches!(e, Event::NoJobs(fault) if fault.code == "INVALIDENTITY")));
    let org = FakeOrg::new(8);
    org.job_calls.borrow_mut().push_back(Trouble::Wrong);
    let (outcomes, _) = run(&plan, &org, |rig| rig.settings.jobs.only = true);
    assert_eq!(outcomes.stopped.unwrap().kind, StopKind::JobFailed);
    assert_eq!((outcomes.ledger.not_attempted, outcomes.writes), (8, 0));
}

#[test]
fn a_quota_that_is_gone_stops_the_run_with_nothing_written() {
    for calls in 0..3 {
        let plan = plan(&[1; 8]);
        let org = FakeOrg::new(8);
        org.job_calls.borrow_mut().extend(std::iter::repeat_n(Trouble::None, calls).chain([no_more(), no_more()]));
        let (outcomes, _) = run(&plan, &org, |_| ());
        assert_eq!(outcomes.stopped.unwrap().kind, StopKind::DailyLimit);
        assert_eq!((outcomes.ledger.not_attempted, outcomes.ledger.unknown), (8, 0), "{calls}");
    }
}

#[test]
fn results_that_are_cut_off_are_read_again_from_the_start() {
    let plan = plan(&[1; 12]);
    let mut org = FakeOrg::new(12);
    org.refused = [id(3)].into();
    let cut = || Some(later("CONNECTION"));
    org.job_asks.borrow_mut().extend([cut(), None, cut(), cut(), None, cut()]);
    let (outcomes, events) = run(&plan, &org, |_| ());
    assert_eq!((outcomes.ledger.updated, outcomes.ledger.failed), (11, 1));
    assert_eq!(words(&org), "create upload close ask ask successful successful successful failed failed");
    assert!(!events.iter().any(|e| matches!(e, Event::JobResults { .. })));
    // Results that cannot be read at all: the records tell.
    let org = FakeOrg::new(12);
    let fault = Fault { class: Class::Call, code: "API_ERROR".into(), message: "no".into() };
    org.job_asks.borrow_mut().extend([None, Some(fault)]);
    let (outcomes, _) = run(&plan, &org, |_| ());
    assert!(outcomes.completed());
    assert_eq!(outcomes.rereads, 2);
}

#[test]
fn a_read_that_is_too_old_is_not_closed_and_the_next_job_is_smaller() {
    let plan = plan(&[1; 16]);
    let org = FakeOrg::new(16);
    // Making takes so long, and so does filling.
    org.update_takes.set(Duration::from_secs(31));
    let (outcomes, _) = run(&plan, &org, |_| ());
    assert!(outcomes.ledger.updated == 0 && outcomes.ledger.not_attempted == 16);
    assert_eq!(outcomes.stopped.unwrap().kind, StopKind::TooSlow);
    assert!(!words(&org).contains("close"));
    let sizes: Vec<_> = org.uploads.borrow().iter().map(|lines| lines.len() - 1).collect();
    assert_eq!(sizes, [16, 8, 4, 2]);
    let org = FakeOrg::new(16);
    org.update_takes.set(Duration::from_secs(20));
    let (outcomes, _) = run(&plan, &org, |_| ());
    assert!(outcomes.completed());
    assert_eq!(outcomes.window, Duration::from_secs(40), "from the reading to the closing");
}

#[test]
fn a_job_without_end_is_left_with_its_id_and_taken_up_by_a_resume() {
    let plan = plan(&[1; 6]);
    let org = FakeOrg::new(6);
    org.fates.borrow_mut().push_back(Fate::Slow(20));
    org.update_takes.set(Duration::from_secs(1));
    let memory = Memory::default();
    let mut rig = Rig::new(&plan, &org);
    rig.bulk = Some("");
    rig.settings.jobs.longest = Duration::ZERO;
    let mut journal = journal_of(&plan, rig.start(Selection::default()), &memory);
    let outcomes = rig.run(&mut journal, Remaining::default()).unwrap();
    let stopped = outcomes.stopped.as_ref().unwrap();
    assert_eq!(stopped.kind, StopKind::JobSlow);
    assert!(
        stopped.message.contains("7505e") && stopped.message.contains("goes on in Salesforce"),
        "{}",
        stopped.message
    );
    assert_eq!((outcomes.ledger.unknown, outcomes.jobs_left().count()), (6, 1));
    assert!(matches!(outcomes.ends[0], End::Unknown { reason: Unknown::JobLeft, .. }));

    let remaining = left(&memory.lines(), &plan).unwrap();
    assert_eq!((remaining.jobs.len(), remaining.ended.len(), remaining.in_doubt.len()), (1, 0, 0));
    let mut rig = Rig::new(&plan, &org);
    let outcomes = rig.run(&mut journal, remaining).unwrap();
    assert!(outcomes.completed());
    assert_eq!((outcomes.jobs.len(), outcomes.rereads, org.state.borrow().jobs.len()), (1, 0, 1));
    assert!(left(&memory.lines(), &plan).unwrap().jobs.is_empty());
}

#[test]
fn a_job_without_end_is_stopped_on_resuming_where_that_is_asked_for() {
    // Stopped; stopped at the second try; not to be stopped.
    for (calls, words_then) in [
        (vec![Trouble::None], "ask abort ask unprocessed create upload close ask successful"),
        (vec![Trouble::Busy], "ask abort abort ask unprocessed create upload close ask successful"),
        (vec![Trouble::Wrong], "ask abort ask"),
    ] {
        let plan = plan(&[1; 6]);
        let org = FakeOrg::new(6);
        org.fates.borrow_mut().push_back(Fate::Slow(20));
        org.update_takes.set(Duration::from_secs(1));
        let memory = Memory::default();
        let mut rig = Rig::new(&plan, &org);
        rig.bulk = Some("");
        rig.settings.jobs.longest = Duration::ZERO;
        let mut journal = journal_of(&plan, rig.start(Selection::default()), &memory);
        rig.run(&mut journal, Remaining::default()).unwrap();

        org.job_log.borrow_mut().clear();
        org.job_calls.borrow_mut().extend(&calls);
        let mut rig = Rig::new(&plan, &org);
        rig.settings.jobs.abort = true;
        let outcomes = rig.run(&mut journal, left(&memory.lines(), &plan).unwrap()).unwrap();
        assert_eq!(words(&org), words_then, "{calls:?}");
        let told = rig.kept.events.iter().any(|event| matches!(event, Event::JobAborted { .. }));
        let stopped = calls != [Trouble::Wrong];
        assert_eq!(
            (told, outcomes.completed(), outcomes.jobs_left().count()),
            (stopped, stopped, usize::from(!stopped))
        );
        assert_eq!(outcomes.stopped.map(|stop| stop.kind), (!stopped).then_some(StopKind::JobFailed));
    }
}

#[test]
fn the_word_to_stop_leaves_no_record_without_a_true_end() {
    // Each call in turn, with a job that is done at once or waits its turn, and calls that answer or hang.
    for fate in [Fate::Done, Fate::Slow(3), Fate::Slow(30)] {
        for trouble in [Trouble::None, Trouble::HangBefore, Trouble::HangAfter] {
            for call in 0..8 {
                let plan = plan(&[1; 6]);
                let org = FakeOrg::new(6);
                org.fates.borrow_mut().push_back(fate);
                if (1..4).contains(&call) {
                    let calls = std::iter::repeat_n(Trouble::None, call - 1).chain([trouble]);
                    org.job_calls.borrow_mut().extend(calls);
                } else if trouble != Trouble::None {
                    continue;
                }
                let (canceller, cancel) = Cancel::new();
                *org.cancel.borrow_mut() = Some((call, canceller));
                let before = org.state.borrow().clone();
                let memory = Memory::default();
                let mut rig = Rig::new(&plan, &org);
                rig.bulk = Some("");
                rig.cancel = cancel;
                let mut journal = journal_of(&plan, rig.start(Selection::default()), &memory);
                let outcomes = rig.run(&mut journal, Remaining::default()).unwrap();
                let what = format!("{fate:?} {trouble:?} call {call}: {}", words(&org));
                check(&plan, &org, &before, &outcomes);
                let left_behind = outcomes.jobs_left().count();
                if outcomes.stopped.is_none() {
                    assert!(outcomes.completed(), "{what}");
                    continue;
                }
                assert_eq!(outcomes.stopped.as_ref().unwrap().kind, StopKind::Interrupted, "{what}");
                for end in outcomes.ends.iter().flatten() {
                    let fits = match end {
                        End::NotAttempted { reason: NotAttempted::Interrupted } => left_behind == 0,
                        End::Unknown { reason: Unknown::JobLeft, .. } => left_behind == 1,
                        // It came when all was done.
                        End::Updated => outcomes.completed(),
                        _ => false,
                    };
                    assert!(fits, "{what}: {end:?}");
                }
                // Whatever it left, a resume finishes; nothing is written twice.
                org.job_calls.borrow_mut().clear();
                *org.cancel.borrow_mut() = None;
                let remaining = left(&memory.lines(), &plan).unwrap();
                assert_eq!(remaining.jobs.len(), left_behind, "{what}");
                let outcomes = Rig::new(&plan, &org).run(&mut journal, remaining).unwrap();
                check(&plan, &org, &before, &outcomes);
                assert!(outcomes.completed(), "{what}");
            }
        }
    }
}

#[test]
fn journals_of_jobs_say_intent_and_job_before_their_calls() {
    let plan = plan(&[1; 3]);
    let org = FakeOrg::new(3);
    let memory = Memory::default();
    let mut rig = Rig::new(&plan, &org);
    rig.bulk = Some("Other__c");
    let mut journal = journal_of(&plan, rig.start(Selection::default()), &memory);
    rig.run(&mut journal, Remaining::default()).unwrap();
    let text = String::from_utf8(memory.bytes.borrow().clone()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].contains(r#""format":"footbridge journal/1""#), "{}", lines[0]);
    assert!(lines[0].contains(r#""bulk":true,"parent":"Other__c""#), "{}", lines[0]);
    assert!(lines[1].starts_with(r#"{"intent":{"batch":0,"records":["#) && lines[1].ends_with(r#","job":true}}"#));
    assert_eq!(lines[2], r#"{"job":{"batch":0,"id":"7505e0000000000AAA"}}"#);
    assert!(lines[3].starts_with(r#"{"ends":{"ends":["#), "{}", lines[3]);
    assert_eq!(lines[4..], [r#"{"result":{"batch":0}}"#, r#"{"finished":{}}"#]);
    assert!(matches!(memory.lines()[1], Line::Job { batch: 0, .. }));
}
