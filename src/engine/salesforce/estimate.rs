//! What a way of reading or writing would cost, and how the cheapest is found.
//!
//! Costs are compared in seconds, and a call that counts towards the day's quota is worth a second: that is about what it takes, and what makes a plan that
//! spares the quota win where times are alike. The dearer calls become, the fewer are left; a way that takes more than are left comes last. Polls are
//! counted like other calls, since Salesforce counts them.
//!
//! The speeds are assumptions until they are measured at an org: a call answers in 150 ms, a page of 2,000 records in half a second, a job starts within
//! ten seconds and reads 10,000 records a second. Only their order of magnitude matters to the choice.

use std::time::Duration;

/// What a way would cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Estimate {
    /// API calls, polls included.
    pub calls: u64,
    /// Bulk jobs.
    pub jobs: u64,
    /// Bytes that travel, about.
    pub bytes: u64,
    /// Seconds, about.
    pub seconds: u64,
}

/// The way that is taken, with the others beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen<W> {
    /// The way.
    pub way: W,
    /// What it would cost.
    pub estimate: Estimate,
    /// The others that would do, in the order of what they cost.
    pub alternatives: Vec<(W, Estimate)>,
}

/// A way with its costs in fractions of a second.
pub(super) struct Priced<W> {
    pub(super) way: W,
    pub(super) calls: u64,
    pub(super) jobs: u64,
    pub(super) bytes: u64,
    pub(super) seconds: f64,
}

impl<W: Copy> Priced<W> {
    fn estimate(&self) -> Estimate {
        Estimate { calls: self.calls, jobs: self.jobs, bytes: self.bytes, seconds: self.seconds.ceil() as u64 }
    }

    /// Costs in seconds; those of a way that is not affordable are beyond all that are.
    fn cost(&self, left: Option<u64>) -> (bool, f64) {
        let calls = self.calls as f64;
        match left {
            None => (false, self.seconds + calls),
            Some(left) => (self.calls > left, self.seconds + calls * (1.0 + 20.0 * calls / left.max(1) as f64)),
        }
    }
}

/// Takes the cheapest; at the same cost the one that stands first.
pub(super) fn cheapest<W: Copy>(mut ways: Vec<Priced<W>>, left: Option<u64>) -> Option<Chosen<W>> {
    ways.sort_by(|a, b| {
        let (a, b) = (a.cost(left), b.cost(left));
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
    });
    let mut ways = ways.into_iter().map(|priced| (priced.way, priced.estimate()));
    let (way, estimate) = ways.next()?;
    Some(Chosen { way, estimate, alternatives: ways.collect() })
}

impl<W: Copy + PartialEq> Chosen<W> {
    /// The same with another of the ways taken, as the configuration may ask; unchanged when it is not among them.
    pub fn with(mut self, way: W) -> Self {
        if let Some(at) = self.alternatives.iter().position(|(other, _)| *other == way) {
            let (way, estimate) = self.alternatives.remove(at);
            self.alternatives.insert(0, (self.way, self.estimate));
            (self.way, self.estimate) = (way, estimate);
        }
        self
    }
}

/// Until a job of this much work is over, and how often it is asked meanwhile: the waits are those of [`crate::net::Budget::poll_wait`].
pub(super) fn waiting(work: f64) -> (u64, f64) {
    let (mut polls, mut waited, mut wait) = (0_u64, 0.0, 0.01);
    while waited < work && polls < 10_000 {
        polls += 1;
        waited += wait;
        wait = (wait * 1.5_f64).min(5.0);
    }
    (polls, waited)
}

/// How fast an org is taken to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Speeds {
    /// Until a small call is answered.
    pub latency: Duration,
    /// Look-ups under way at once.
    pub at_once: u32,
}

impl Default for Speeds {
    fn default() -> Self {
        Self { latency: Duration::from_millis(150), at_once: 4 }
    }
}

/// Bytes that the way there takes in a second.
pub(super) const BYTES_PER_SECOND: f64 = 4e6;
/// Seconds until a job is begun.
pub(super) const JOB_START: f64 = 10.0;
