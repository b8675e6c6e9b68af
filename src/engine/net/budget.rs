//! How often and how long a run may wait: one budget for all its calls, and the counters that it keeps.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

/// How waits grow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackoffSettings {
    /// The first wait is drawn from zero to this, each next from zero to twice the one before (full jitter).
    pub base: Duration,
    /// No drawn wait is longer.
    pub cap: Duration,
    /// A server's `Retry-After` is honoured up to this.
    pub retry_after_cap: Duration,
    /// Repeats of one call.
    pub repeats_per_call: u32,
    /// Repeats of all calls of the run.
    pub repeats: u64,
    /// Waiting of all calls of the run.
    pub total_wait: Duration,
    /// The wait before a job is asked for its state the first time; each next is one and a half times as long.
    pub first_poll: Duration,
    /// No wait between two polls is longer.
    pub longest_poll: Duration,
    /// Makes the drawn waits the same in each run.
    pub seed: Option<u64>,
}

impl Default for BackoffSettings {
    fn default() -> Self {
        Self {
            base: Duration::from_secs(1),
            cap: Duration::from_secs(60),
            retry_after_cap: Duration::from_secs(120),
            repeats_per_call: 5,
            repeats: 200,
            total_wait: Duration::from_secs(20 * 60),
            first_poll: Duration::from_millis(10),
            longest_poll: Duration::from_secs(5),
            seed: None,
        }
    }
}

impl BackoffSettings {
    /// The same counts without any waiting, for tests.
    pub fn immediate() -> Self {
        Self {
            base: Duration::ZERO,
            cap: Duration::ZERO,
            retry_after_cap: Duration::ZERO,
            first_poll: Duration::from_millis(1),
            longest_poll: Duration::from_millis(5),
            seed: Some(1),
            ..Self::default()
        }
    }
}

/// What the calls of a run came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Requests sent, repeats included.
    pub calls: u64,
    /// Repeats among them.
    pub repeats: u64,
    /// Time spent waiting before repeats.
    pub waited: Duration,
    /// Calls among them that only asked how far a job is.
    pub polls: u64,
    /// Jobs made.
    pub jobs: u64,
    /// Bytes of answers, decompressed.
    pub received: u64,
    /// Bytes of bodies that were fed.
    pub fed: u64,
}

#[derive(Debug)]
struct Spent {
    repeats: u64,
    waited: Duration,
    random: fastrand::Rng,
}

/// Who is told of a wait before a call is repeated: why, and how long.
type Tell = Box<dyn Fn(&str, Duration) + Send + Sync>;

struct Listener(Option<Tell>);

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Listener" } else { "nobody" })
    }
}

#[derive(Debug)]
struct Shared {
    settings: BackoffSettings,
    listener: Listener,
    calls: AtomicU64,
    polls: AtomicU64,
    jobs: AtomicU64,
    received: AtomicU64,
    fed: AtomicU64,
    repeats: AtomicU64,
    waited: AtomicU64,
    /// Calls that the run has said it still needs.
    to_come: AtomicU64,
    pool: Arc<Pool>,
}

/// What runs side by side have in common.
#[derive(Debug)]
struct Pool {
    spent: Mutex<Spent>,
    promised: Mutex<Vec<Weak<Shared>>>,
}

/// The budget of a run. Clones share it, counters included; runs side by side share what may be repeated and waited ([`beside`](Self::beside)).
#[derive(Debug, Clone)]
pub struct Budget(Arc<Shared>);

impl Budget {
    /// A full budget.
    pub fn new(settings: BackoffSettings) -> Self {
        Self::made(settings, Listener(None), None)
    }

    /// A full budget that tells of its waits, so that a command that waits does not seem to hang.
    pub fn telling(settings: BackoffSettings, tell: impl Fn(&str, Duration) + Send + Sync + 'static) -> Self {
        Self::made(settings, Listener(Some(Box::new(tell))), None)
    }

    /// Of a run beside this one: it spends of the same repeats and waits, and counts its own calls.
    pub fn beside(&self, tell: impl Fn(&str, Duration) + Send + Sync + 'static) -> Self {
        let pool = Some(Arc::clone(&self.0.pool));
        Self::made(self.0.settings.clone(), Listener(Some(Box::new(tell))), pool)
    }

    /// Says how many calls the run still needs, and hears how many the runs beside it need besides. They are taken off as they are sent; a run that has
    /// ended needs none.
    pub fn promise(&self, calls: u64) -> u64 {
        let mut promised = self.0.pool.promised.lock().unwrap_or_else(PoisonError::into_inner);
        promised.retain(|other| other.strong_count() > 0);
        let all: Vec<Arc<Shared>> = promised.iter().filter_map(Weak::upgrade).collect();
        if !all.iter().any(|one| Arc::ptr_eq(one, &self.0)) {
            promised.push(Arc::downgrade(&self.0));
        }
        self.0.to_come.store(calls, Ordering::Relaxed);
        let others = all.iter().filter(|one| !Arc::ptr_eq(one, &self.0));
        others.map(|one| one.to_come.load(Ordering::Relaxed)).sum()
    }

    fn made(settings: BackoffSettings, listener: Listener, pool: Option<Arc<Pool>>) -> Self {
        let random = settings.seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed);
        let fresh = Spent { repeats: 0, waited: Duration::ZERO, random };
        let pool = pool.unwrap_or_else(|| Arc::new(Pool { spent: Mutex::new(fresh), promised: Mutex::default() }));
        let zero = || AtomicU64::new(0);
        let (calls, polls, jobs, received, fed) = (zero(), zero(), zero(), zero(), zero());
        let (repeats, waited, to_come) = (zero(), zero(), zero());
        let shared = Shared { settings, listener, calls, polls, jobs, received, fed, repeats, waited, to_come, pool };
        Self(Arc::new(shared))
    }

    /// Takes one repeat: how long to wait before it, or `None` when the call's or the run's budget is spent.
    ///
    /// `repeated` is how often this call (or record) was repeated already; `after` is the server's wish.
    pub fn take(&self, repeated: u32, after: Option<Duration>) -> Option<Duration> {
        let settings = &self.0.settings;
        let mut spent = self.0.pool.spent.lock().unwrap_or_else(PoisonError::into_inner);
        if repeated >= settings.repeats_per_call || spent.repeats >= settings.repeats {
            return None;
        }
        let wait = match after {
            Some(after) => after.min(settings.retry_after_cap),
            None => {
                let ceiling = settings.base.saturating_mul(1 << repeated.min(20)).min(settings.cap);
                let micros = u64::try_from(ceiling.as_micros()).unwrap_or(u64::MAX);
                Duration::from_micros(if micros == 0 { 0 } else { spent.random.u64(0..=micros) })
            }
        };
        if spent.waited.saturating_add(wait) > settings.total_wait {
            return None;
        }
        spent.repeats += 1;
        spent.waited += wait;
        self.0.repeats.fetch_add(1, Ordering::Relaxed);
        self.0.waited.fetch_add(u64::try_from(wait.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
        Some(wait)
    }

    /// Takes one repeat and waits; `false` when the budget is spent.
    pub async fn pause(&self, repeated: u32, after: Option<Duration>, why: &str) -> bool {
        let Some(wait) = self.take(repeated, after) else { return false };
        if !wait.is_zero() {
            if let Some(tell) = &self.0.listener.0 {
                tell(why, wait);
            }
            tokio::time::sleep(wait).await;
        }
        true
    }

    /// Counts a request that is being sent.
    pub(crate) fn sent(&self) {
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        let less = |calls: u64| Some(calls.saturating_sub(1));
        let _ = self.0.to_come.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    /// Counts a call that only asks how far a job is; it is counted as a call besides.
    pub fn polled(&self) {
        self.0.polls.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a job that was made.
    pub fn job_made(&self) {
        self.0.jobs.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts bytes of an answer.
    pub(crate) fn received(&self, bytes: u64) {
        self.0.received.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts bytes of a body that was fed.
    pub(crate) fn fed(&self, bytes: u64) {
        self.0.fed.fetch_add(bytes, Ordering::Relaxed);
    }

    /// How long to wait before the poll after `polls` others: short at first, for most jobs are over soon, then longer and longer, by up to a fifth more
    /// or less than the rule says.
    pub fn poll_wait(&self, polls: u32) -> Duration {
        let settings = &self.0.settings;
        let grown = settings.first_poll.as_secs_f64() * 1.5_f64.powi(i32::try_from(polls.min(100)).unwrap_or(100));
        let wait = grown.min(settings.longest_poll.as_secs_f64());
        let mut spent = self.0.pool.spent.lock().unwrap_or_else(PoisonError::into_inner);
        Duration::from_secs_f64(wait * (0.8 + 0.4 * spent.random.f64()))
    }

    /// What the run came to so far.
    pub fn counters(&self) -> Counters {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counters {
            calls: count(&self.0.calls),
            repeats: count(&self.0.repeats),
            waited: Duration::from_micros(count(&self.0.waited)),
            polls: count(&self.0.polls),
            jobs: count(&self.0.jobs),
            received: count(&self.0.received),
            fed: count(&self.0.fed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> BackoffSettings {
        BackoffSettings { seed: Some(7), ..BackoffSettings::default() }
    }

    #[test]
    fn waits_are_jittered_grow_and_stay_under_the_cap() {
        let mut most = [Duration::ZERO; 5];
        for seed in 0..200 {
            let budget = Budget::new(BackoffSettings { seed: Some(seed), ..settings() });
            for repeated in 0..5 {
                let wait = budget.take(repeated, None).unwrap();
                assert!(
                    wait <= Duration::from_secs(1 << repeated).min(Duration::from_secs(60)),
                    "{repeated}: {wait:?}"
                );
                most[repeated as usize] = most[repeated as usize].max(wait);
            }
        }
        assert!(most.windows(2).all(|pair| pair[0] < pair[1]), "{most:?}");
    }

    #[test]
    fn one_seed_draws_the_same_waits() {
        let draw = || (0..5).map(|n| Budget::new(settings()).take(n, None)).collect::<Vec<_>>();
        assert_eq!(draw(), draw());
    }

    #[test]
    fn the_servers_wish_comes_first_up_to_its_cap() {
        let budget = Budget::new(settings());
        assert_eq!(budget.take(0, Some(Duration::from_secs(90))), Some(Duration::from_secs(90)));
        assert_eq!(budget.take(0, Some(Duration::from_secs(9000))), Some(Duration::from_secs(120)));
    }

    #[test]
    fn a_call_has_its_own_limit() {
        let budget = Budget::new(settings());
        assert!(budget.take(4, None).is_some());
        assert_eq!(budget.take(5, None), None);
    }

    #[test]
    fn polls_begin_after_milliseconds_and_grow_to_a_few_seconds() {
        let budget = Budget::new(settings());
        let waits: Vec<Duration> = (0..60).map(|polls| budget.poll_wait(polls)).collect();
        assert!(waits[0] <= Duration::from_millis(12), "{waits:?}");
        assert!(waits[10] > waits[0] * 20, "{waits:?}");
        assert!(waits.iter().all(|wait| *wait <= Duration::from_secs(6)), "{waits:?}");
        assert!(waits[59] >= Duration::from_secs(4), "{waits:?}");
    }

    #[test]
    fn clones_spend_one_budget() {
        let budget = Budget::new(BackoffSettings { repeats: 2, ..BackoffSettings::immediate() });
        let other = budget.clone();
        assert!(budget.take(0, None).is_some());
        assert!(other.take(0, None).is_some());
        assert_eq!(budget.take(0, None), None);
        assert_eq!(other.counters().repeats, 2);
    }

    #[test]
    fn runs_side_by_side_spend_one_budget_and_count_their_own() {
        let one = Budget::new(BackoffSettings { repeats: 3, ..BackoffSettings::immediate() });
        let other = one.beside(|_, _| {});
        other.sent();
        assert!(one.take(0, None).is_some() && other.take(0, None).is_some() && other.take(0, None).is_some());
        assert_eq!((one.take(0, None), other.take(0, None)), (None, None));
        let (a, b) = (one.counters(), other.counters());
        assert_eq!((a.calls, a.repeats, b.calls, b.repeats), (0, 1, 1, 2));
    }

    #[test]
    fn what_others_have_promised_is_told_until_it_is_sent_or_they_end() {
        let one = Budget::new(BackoffSettings::immediate());
        let other = one.beside(|_, _| {});
        assert_eq!(one.promise(10), 0);
        assert_eq!(other.promise(5), 10);
        one.sent();
        assert_eq!(other.promise(5), 9);
        assert_eq!(one.promise(20), 5);
        drop(other);
        assert_eq!(one.promise(20), 0);
    }

    #[test]
    fn waiting_in_all_is_limited() {
        let budget = Budget::new(BackoffSettings { total_wait: Duration::from_secs(100), ..settings() });
        assert!(budget.take(0, Some(Duration::from_secs(60))).is_some());
        assert_eq!(budget.take(0, Some(Duration::from_secs(60))), None);
        assert_eq!(budget.counters().waited, Duration::from_secs(60));
    }
}
