//! Is an integration due? Judged from its run logs alone: there is no other state, so any machine with the logs says the same.
//!
//! - A **tick** is a moment of the schedule. Only the latest one counts: ticks that were missed are one.
//! - A run **counts for a tick** when it was made for it, or (begun by hand) was begun at it or later.
//! - The tick is **finished** when a run that counts for it is `Completed`, or when scheduled ones failed or were held more often than it is to be tried
//!   again. A run by hand that failed uses up no try. An undo is none of these.
//! - A run from the future is one of a clock that is wrong, and counts for nothing: to run once too often does no harm.

use std::cmp::Reverse;

use jiff::{SignedDuration, Timestamp};

use super::{ExitReason, RunLog, Status, Trigger};

/// How far another machine's clock may be ahead.
const SKEW: SignedDuration = SignedDuration::from_mins(10);

/// A schedule with its windows.
pub trait Calendar {
    /// The latest tick at this moment or before.
    fn latest(&self, at: Timestamp) -> Option<Timestamp>;
    /// The first tick after this moment.
    fn next(&self, after: Timestamp) -> Option<Timestamp>;
    /// When the schedule may run again, where it may not at this moment.
    fn closed_until(&self, at: Timestamp) -> Option<Timestamp>;
}

/// What of a run matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Past {
    /// Its start.
    pub start: Timestamp,
    /// The tick that it was made for.
    pub tick: Option<Timestamp>,
    /// It was not begun by hand.
    pub scheduled: bool,
    /// `Completed`.
    pub completed: bool,
}

impl Past {
    /// Of a run; `None` of an undo, which is no run of the integration's report.
    pub fn of(log: &RunLog) -> Option<Self> {
        (log.trigger != Trigger::Undo).then(|| Self {
            start: log.start,
            tick: log.tick,
            scheduled: log.trigger != Trigger::Apply,
            completed: log.status == Status::Completed,
        })
    }

    fn counts_for(&self, tick: Timestamp, now: Timestamp) -> bool {
        let from_the_future = self.start > now.saturating_add(SKEW).unwrap_or(Timestamp::MAX);
        self.tick.map_or(self.start >= tick, |own| own >= tick) && !from_the_future
    }
}

/// Where an integration stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The latest tick has a completed run.
    Finished,
    /// The latest tick was tried so often, in vain.
    GivenUp {
        /// Scheduled runs that failed or were held.
        tries: u32,
    },
    /// It is to run.
    Due {
        /// Scheduled runs that failed or were held already.
        tries: u32,
    },
    /// It is to run, but not before this moment.
    Closed {
        /// The windows' end.
        until: Timestamp,
    },
    /// No tick has come yet.
    Waiting,
}

/// The judgement with the ticks around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judgement {
    /// The latest tick.
    pub tick: Option<Timestamp>,
    /// The next one.
    pub next: Option<Timestamp>,
    /// Where it stands.
    pub standing: Standing,
}

/// Judges. `past` are the runs of one integration, environment and org id, in any order; those since the latest tick are enough.
pub fn judge(calendar: &impl Calendar, past: &[Past], now: Timestamp, retries: u32) -> Judgement {
    let (tick, next) = (calendar.latest(now), calendar.next(now));
    let standing = tick.map_or(Standing::Waiting, |tick| {
        let counting = || past.iter().filter(|run| run.counts_for(tick, now));
        let tries = counting().filter(|run| run.scheduled && !run.completed).count();
        let tries = u32::try_from(tries).unwrap_or(u32::MAX);
        if counting().any(|run| run.completed) {
            Standing::Finished
        } else if tries > retries {
            Standing::GivenUp { tries }
        } else if let Some(until) = calendar.closed_until(now) {
            Standing::Closed { until }
        } else {
            Standing::Due { tries }
        }
    });
    Judgement { tick, next, standing }
}

/// The tick before the latest one, where it went by without any run although there were runs before, and a window did not hold it off all that time: what a
/// report that stayed too old leaves behind.
pub fn passed_by(calendar: &impl Calendar, past: &[Past], now: Timestamp) -> Option<Timestamp> {
    let latest = calendar.latest(now)?;
    let before = calendar.latest(latest.checked_sub(SignedDuration::from_secs(1)).ok()?)?;
    let mut open = before;
    while let Some(until) = calendar.closed_until(open) {
        if until >= latest {
            return None;
        }
        open = until;
    }
    (!past.is_empty() && !past.iter().any(|run| run.counts_for(before, now))).then_some(before)
}

/// Was it its report that let a tick pass by (`passed_by`), though the one that is there now is young enough? Nothing is noted while a run waits, so it is
/// judged by when reports were made: the one there now after that tick, and the newest that a run is known to have read (`last`) so long ago that it was too
/// old when the next tick came. Gives the seconds that it was old then.
pub fn came_late(
    passed: Timestamp,
    next: Timestamp,
    report: Timestamp,
    last: Timestamp,
    limit: SignedDuration,
) -> Option<u64> {
    let age = next.duration_since(last);
    (report > passed && age > limit).then(|| u64::try_from(age.as_secs()).unwrap_or(0))
}

/// Has it been due for longer than `grace`? Not while a window is open, nor for that long after one.
pub fn overdue(calendar: &impl Calendar, past: &[Past], now: Timestamp, grace: SignedDuration) -> bool {
    let Ok(then) = now.checked_sub(grace) else { return false };
    // A window's end is the moment at which it became due.
    let mut at = then;
    while let Some(until) = calendar.closed_until(at) {
        if until > then {
            return false;
        }
        at = until;
    }
    if calendar.closed_until(now).is_some() {
        return false;
    }
    calendar.latest(then).is_some_and(|tick| !past.iter().any(|run| run.counts_for(tick, now)))
}

/// The newest run that says how an integration is: not one that a person began and that a guard, an old plan or its own limit ended; nor an undo.
pub fn telling<'l>(logs: impl IntoIterator<Item = &'l RunLog>) -> Option<&'l RunLog> {
    let tells = |log: &&RunLog| {
        let stopped = matches!(log.exit, ExitReason::Guard | ExitReason::Stale | ExitReason::Limited);
        log.trigger != Trigger::Undo && (log.status == Status::Completed || log.trigger != Trigger::Apply || !stopped)
    };
    logs.into_iter().filter(tells).min_by_key(|log| Reverse(log.start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runlog::sample;
    use proptest::prelude::*;

    /// Ticks every so many seconds, windows as they come.
    struct Every {
        seconds: i64,
        closed: Vec<(i64, i64)>,
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    impl Calendar for Every {
        fn latest(&self, now: Timestamp) -> Option<Timestamp> {
            Some(at(now.as_second().div_euclid(self.seconds) * self.seconds))
        }
        fn next(&self, after: Timestamp) -> Option<Timestamp> {
            Some(at((after.as_second().div_euclid(self.seconds) + 1) * self.seconds))
        }
        fn closed_until(&self, now: Timestamp) -> Option<Timestamp> {
            let now = now.as_second();
            self.closed.iter().filter(|(from, until)| *from <= now && now < *until).map(|(_, until)| at(*until)).max()
        }
    }

    const HOUR: i64 = 3_600;
    fn hourly() -> Every {
        Every { seconds: HOUR, closed: Vec::new() }
    }
    fn by_hand(start: i64, completed: bool) -> Past {
        Past { start: at(start), tick: None, scheduled: false, completed }
    }
    fn scheduled(start: i64, tick: i64, completed: bool) -> Past {
        Past { start: at(start), tick: Some(at(tick)), scheduled: true, completed }
    }
    fn standing(past: &[Past], now: i64) -> Standing {
        judge(&hourly(), past, at(now), 2).standing
    }

    #[test]
    fn a_tick_is_finished_by_a_completed_run_since() {
        let tick = 10 * HOUR;
        assert_eq!(standing(&[], tick), Standing::Due { tries: 0 });
        assert_eq!(standing(&[by_hand(tick - 1, true)], tick), Standing::Due { tries: 0 });
        assert_eq!(standing(&[by_hand(tick, true)], tick), Standing::Finished);
        assert_eq!(standing(&[scheduled(tick + 9, tick, true)], tick + 10), Standing::Finished);
        assert_eq!(standing(&[scheduled(tick + 9, tick, true)], tick + HOUR), Standing::Due { tries: 0 });
        // Made for the tick before, begun after this one.
        assert_eq!(standing(&[scheduled(tick + 9, tick - HOUR, true)], tick + 10), Standing::Due { tries: 0 });
    }

    #[test]
    fn tries_are_counted_up_to_the_limit_and_those_by_hand_are_not() {
        let tick = 10 * HOUR;
        let failed = |n| scheduled(tick + n, tick, false);
        assert_eq!(standing(&[failed(1), failed(2)], tick + 9), Standing::Due { tries: 2 });
        assert_eq!(standing(&[failed(1), failed(2), failed(3)], tick + 9), Standing::GivenUp { tries: 3 });
        assert_eq!(standing(&[failed(1), by_hand(tick + 2, false), failed(3)], tick + 9), Standing::Due { tries: 2 });
        let mended = [failed(1), failed(2), failed(3), by_hand(tick + 5, true)];
        assert_eq!(standing(&mended, tick + 9), Standing::Finished);
    }

    #[test]
    fn a_run_from_the_future_counts_for_nothing() {
        let tick = 10 * HOUR;
        assert_eq!(standing(&[by_hand(tick + 30 * HOUR, true)], tick + 60), Standing::Due { tries: 0 });
        assert_eq!(standing(&[by_hand(tick + 300, true)], tick + 60), Standing::Finished, "a clock a little ahead");
    }

    #[test]
    fn a_window_holds_back_and_what_became_due_runs_after_it() {
        let closed = Every { seconds: HOUR, closed: vec![(10 * HOUR - 60, 12 * HOUR + 60)] };
        let judged = |now| judge(&closed, &[by_hand(9 * HOUR, true)], at(now), 2).standing;
        assert_eq!(judged(10 * HOUR + 5), Standing::Closed { until: at(12 * HOUR + 60) });
        assert_eq!(judged(12 * HOUR + 60), Standing::Due { tries: 0 });
        let done = judge(&closed, &[by_hand(10 * HOUR + 1, true)], at(10 * HOUR + 5), 2).standing;
        assert_eq!(done, Standing::Finished, "what is finished is not told as closed");
    }

    #[test]
    fn a_tick_that_passed_by_is_told_once() {
        let tick = 10 * HOUR;
        let before = by_hand(tick - 5 * HOUR, true);
        assert_eq!(passed_by(&hourly(), &[], at(tick)), None, "it never ran: it may be new");
        assert_eq!(passed_by(&hourly(), &[before], at(tick + 5)), Some(at(tick - HOUR)));
        let told = scheduled(tick + 5, tick - HOUR, false);
        assert_eq!(passed_by(&hourly(), &[before, told], at(tick + 9)), None);
        assert_eq!(standing(&[before, told], tick + 9), Standing::Due { tries: 0 }, "it is no try of this tick");
    }

    #[test]
    fn a_tick_that_was_held_off_until_the_next_did_not_pass_by() {
        let tick = 10 * HOUR;
        let before = by_hand(tick - 5 * HOUR, true);
        let passed = |closed| passed_by(&Every { seconds: HOUR, closed }, &[before], at(tick + 5));
        assert_eq!(passed(vec![(tick - HOUR, tick)]), None);
        assert_eq!(
            passed(vec![(tick - HOUR, tick - 600), (tick - 900, tick + 60)]),
            None,
            "two that follow each other"
        );
        assert_eq!(passed(vec![(tick - HOUR, tick - 60)]), Some(at(tick - HOUR)), "there was a minute");
    }

    #[test]
    fn a_report_came_late_when_it_is_of_after_the_tick_and_the_one_before_was_too_old() {
        let (passed, next, limit) = (at(14 * HOUR), at(15 * HOUR), SignedDuration::from_hours(2));
        let late = |report, last| came_late(passed, next, at(report), at(last), limit);
        assert_eq!(late(15 * HOUR, 12 * HOUR), Some(3 * 3_600));
        assert_eq!(late(14 * HOUR + 1, 13 * HOUR - 1), Some(2 * 3_600 + 1));
        assert_eq!(late(14 * HOUR, 12 * HOUR), None, "it was there when the tick came: nobody called");
        assert_eq!(late(15 * HOUR, 13 * HOUR), None, "the one before was young enough all the time: nobody called");
    }

    #[test]
    fn an_undo_is_no_run_of_a_tick_and_tells_nothing() {
        let (run, _) = sample::run();
        let undo = RunLog { trigger: Trigger::Undo, start: run.start + SignedDuration::from_hours(1), ..run.clone() };
        let resumed = RunLog { trigger: Trigger::Resume, ..undo.clone() };
        assert_eq!((Past::of(&undo), Past::of(&resumed).map(|past| past.start)), (None, Some(undo.start)));
        assert_eq!(telling([&undo, &run]).map(|log| log.start), Some(run.start));
        assert_eq!(telling([&resumed, &run]).map(|log| log.start), Some(resumed.start));
        assert_eq!(telling([&undo]), None);
    }

    #[test]
    fn overdue_is_due_for_longer_than_the_grace() {
        let (tick, grace) = (10 * HOUR, SignedDuration::from_mins(30));
        let late = |past: &[Past], now| overdue(&hourly(), past, at(now), grace);
        assert!(!late(&[by_hand(tick - HOUR, true)], tick + 1_799));
        assert!(late(&[by_hand(tick - HOUR, true)], tick + 1_800));
        assert!(!late(&[scheduled(tick + 9, tick, false)], tick + 1_800), "failed is another thing than overdue");
        let closed = Every { seconds: HOUR, closed: vec![(tick - 60, tick + 1_200)] };
        assert!(!overdue(&closed, &[], at(tick + 2_999), grace), "it could begin at 1,200 only");
        assert!(overdue(&closed, &[], at(tick + 3_000), grace));
    }

    fn pasts() -> impl Strategy<Value = Vec<Past>> {
        let one = (0_i64..200 * HOUR, prop::option::of(0_i64..200), any::<bool>(), any::<bool>());
        let past = one.prop_map(|(start, tick, scheduled, completed)| Past {
            start: at(start),
            tick: tick.filter(|_| scheduled).map(|n| at(n * HOUR)),
            scheduled,
            completed,
        });
        prop::collection::vec(past, 0..12)
    }

    proptest! {
        #[test]
        fn order_and_old_runs_do_not_matter(mut past in pasts(), now in 0_i64..200 * HOUR, retries in 0_u32..4) {
            let judged = judge(&hourly(), &past, at(now), retries);
            past.reverse();
            prop_assert_eq!(judge(&hourly(), &past, at(now), retries), judged);
            let tick = judged.tick.unwrap();
            past.retain(|run| run.counts_for(tick, at(now)));
            prop_assert_eq!(judge(&hourly(), &past, at(now), retries), judged);
        }

        #[test]
        fn running_what_is_due_ends_and_never_more_often_than_allowed(
            mut past in pasts(), now in 0_i64..200 * HOUR, retries in 0_u32..4, completes_at in prop::option::of(0_u32..6),
        ) {
            let mut runs = 0;
            while let Standing::Due { tries } = judge(&hourly(), &past, at(now), retries).standing {
                prop_assert!(tries <= retries && runs <= retries, "{tries} tries, {runs} runs");
                let tick = hourly().latest(at(now)).unwrap().as_second();
                past.push(scheduled(now, tick, completes_at == Some(runs)));
                runs += 1;
            }
            let end = judge(&hourly(), &past, at(now), retries).standing;
            let ended = matches!(end, Standing::Finished | Standing::GivenUp { .. });
            prop_assert!(ended, "{end:?}");
            // The next tick is due again, whatever was.
            let later = at((now.div_euclid(HOUR) + 1) * HOUR);
            let future = past.iter().any(|run| run.counts_for(later, later));
            let again = judge(&hourly(), &past, later, retries).standing == Standing::Due { tries: 0 };
            prop_assert!(future || again);
        }

        #[test]
        fn a_completed_run_is_never_followed_by_another_of_its_tick(past in pasts(), now in 0_i64..200 * HOUR) {
            let tick = hourly().latest(at(now)).unwrap();
            let mut more = past.clone();
            more.push(scheduled(now, tick.as_second(), true));
            prop_assert_eq!(judge(&hourly(), &more, at(now), 0).standing, Standing::Finished);
            prop_assert!(!overdue(&hourly(), &more, at(now), SignedDuration::ZERO));
        }
    }
}
