//! What every request shares: the org, its clock, usage, faults, cursors and the transcript, each behind its own lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::clock::Running;
use super::faults::Script;
use super::grants::Grants;
use super::http::Cursors;
use super::jobs::Jobs;
use super::options::{EmulatorError, Settings};
use super::org::Org;
use super::people::{Grant, Token, TokenKind};
use super::transcript::Transcript;

/// The shared state.
pub struct State {
    org: Mutex<Org>,
    clock: Mutex<Running>,
    used: AtomicU64,
    script: Mutex<Script>,
    cursors: Mutex<Cursors>,
    jobs: Mutex<Jobs>,
    changed: Condvar,
    transcript: Mutex<Transcript>,
    grants: Mutex<Grants>,
    random: Mutex<fastrand::Rng>,
    held: Arc<()>,
    /// Ends the delays of this moment.
    pub go: tokio::sync::Notify,
    /// Limits and habits.
    pub settings: Settings,
    /// Where it answers: `http://127.0.0.1:PORT`.
    pub base: String,
}

/// A thread that panicked while it held a lock says nothing against the data here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    /// Puts the parts together.
    pub fn new(org: Org, clock: Running, settings: Settings, base: String) -> Self {
        Self {
            org: Mutex::new(org),
            clock: Mutex::new(clock),
            used: AtomicU64::new(settings.used),
            script: Mutex::default(),
            cursors: Mutex::default(),
            jobs: Mutex::default(),
            changed: Condvar::new(),
            transcript: Mutex::default(),
            grants: Mutex::default(),
            random: Mutex::new(fastrand::Rng::with_seed(settings.random_seed)),
            held: Arc::default(),
            go: tokio::sync::Notify::new(),
            settings,
            base,
        }
    }

    /// A request that a fault delays, for as long as this lives; one whose client goes away is dropped with it.
    pub fn hold(&self) -> Arc<()> {
        Arc::clone(&self.held)
    }

    /// Requests that a fault delays at this moment.
    pub fn held(&self) -> usize {
        Arc::strong_count(&self.held) - 1
    }

    /// The org, locked.
    pub fn org(&self) -> MutexGuard<'_, Org> {
        lock(&self.org)
    }

    /// Faults in force, locked.
    pub fn script(&self) -> MutexGuard<'_, Script> {
        lock(&self.script)
    }

    /// Open cursors, locked.
    pub fn cursors(&self) -> MutexGuard<'_, Cursors> {
        lock(&self.cursors)
    }

    /// Bulk jobs, locked. Whoever needs the org as well locks the org first.
    pub fn jobs(&self) -> MutexGuard<'_, Jobs> {
        lock(&self.jobs)
    }

    /// A job's work has come to an end or a pause.
    pub fn jobs_changed(&self) {
        self.changed.notify_all();
    }

    /// Waits while this holds, but not longer than that.
    pub fn wait_for_jobs(&self, most: Duration, busy: impl FnMut(&mut Jobs) -> bool + Copy) {
        let mut busy = busy;
        let waited = self.changed.wait_timeout_while(self.jobs(), most, |jobs| busy(jobs));
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Calls so far, locked.
    pub fn transcript(&self) -> MutexGuard<'_, Transcript> {
        lock(&self.transcript)
    }

    /// Log-ins under way, locked. Whoever needs the org as well locks that first.
    pub fn grants(&self) -> MutexGuard<'_, Grants> {
        lock(&self.grants)
    }

    /// The org's time.
    pub fn now(&self) -> Timestamp {
        lock(&self.clock).now()
    }

    /// Sets the clock.
    pub fn set_clock(&self, clock: Running) {
        *lock(&self.clock) = clock;
    }

    /// Counts a call; false when the limit is reached already.
    pub fn count(&self) -> bool {
        let limit = self.settings.daily_limit;
        let more = |used: u64| (used < limit).then_some(used + 1);
        self.used.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).is_ok()
    }

    /// Calls that counted.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::SeqCst)
    }

    /// `Sforce-Limit-Info`.
    pub fn usage(&self) -> String {
        format!("api-usage={}/{}", self.used(), self.settings.daily_limit)
    }

    /// Random characters of `[A-Za-z0-9._]`, as tokens are made of.
    pub fn characters(&self, count: usize) -> String {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._";
        let mut random = lock(&self.random);
        (0..count).map(|_| char::from(ALPHABET[random.usize(..64)])).collect()
    }

    /// A session or refresh token for a user.
    ///
    /// # Errors
    /// The database's.
    pub fn issue(&self, org: &mut Org, kind: TokenKind, grant: Grant<'_>) -> Result<String, EmulatorError> {
        let value = match kind {
            TokenKind::Access => format!("{}!AQ{}", super::ids::fifteen(&org.profile.id), self.characters(94)),
            TokenKind::Refresh => format!("5Aep{}", self.characters(82)),
        };
        let now = self.now();
        org.people.issue(Token {
            value: value.clone(),
            kind,
            user: grant.user.to_owned(),
            client: grant.client.to_owned(),
            family: grant.family,
            issued: now,
            used: now,
            spent: false,
            standing: grant.standing,
            scopes: grant.scopes.to_vec(),
        });
        org.save()?;
        Ok(value)
    }
}
