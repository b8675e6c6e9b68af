//! The run's budget of further tries, and the length of the pauses.

use std::time::Duration;

use super::settings::Backoff;

/// The one budget of a run. The client's calls may spend the same one.
pub trait Retries {
    /// Takes one further try: how long to wait before it, or `None` when there is none left.
    ///
    /// `repeated` is how often in a row it has failed already, from 0; `after` is what Salesforce asks for, zero for a try that waits for nothing.
    fn take(&mut self, repeated: u32, after: Option<Duration>) -> Option<Duration>;
}

impl<F: FnMut(u32, Option<Duration>) -> Option<Duration>> Retries for F {
    fn take(&mut self, repeated: u32, after: Option<Duration>) -> Option<Duration> {
        self(repeated, after)
    }
}

/// A budget of its own.
#[derive(Debug)]
pub struct Budget {
    left: u32,
    backoff: Backoff,
    random: fastrand::Rng,
}

impl Budget {
    /// A full one.
    pub fn new(backoff: &Backoff) -> Self {
        Self { left: backoff.calls, backoff: backoff.clone(), random: fastrand::Rng::with_seed(backoff.seed) }
    }

    /// Tries that are left.
    pub fn left(&self) -> u32 {
        self.left
    }
}

impl Retries for Budget {
    fn take(&mut self, repeated: u32, after: Option<Duration>) -> Option<Duration> {
        if repeated >= self.backoff.in_a_row {
            return None;
        }
        self.left = self.left.checked_sub(1)?;
        if let Some(after) = after {
            return Some(after.min(self.backoff.max));
        }
        let doubled = self.backoff.base.saturating_mul(1u32.checked_shl(repeated).unwrap_or(u32::MAX));
        let pause = doubled.min(self.backoff.max);
        if !self.backoff.jitter {
            return Some(pause);
        }
        let half = u64::try_from(pause.as_millis() / 2).unwrap_or(u64::MAX - 1);
        Some(pause - Duration::from_millis(self.random.u64(0..=half)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let backoff = Backoff { calls: 5, in_a_row: 4, base: MS(100), max: MS(350), jitter: false, seed: 0 };
        let mut budget = Budget::new(&backoff);
        let pauses: Vec<_> = (0..5).map(|n| budget.take(n, None)).collect();
        assert_eq!(pauses, [Some(MS(100)), Some(MS(200)), Some(MS(350)), Some(MS(350)), None]);
        assert_eq!(budget.left(), 1);
        assert_eq!(budget.take(0, Some(MS(9_999))), Some(MS(350)));
        assert_eq!(budget.take(0, None), None);
    }

    #[test]
    fn jitter_cuts_at_most_a_half() {
        let backoff = Backoff { jitter: true, ..Backoff::default() };
        let mut budget = Budget::new(&backoff);
        for _ in 0..200 {
            let pause = budget.take(0, None).unwrap();
            assert!(pause <= backoff.base && pause >= backoff.base / 2, "{pause:?}");
        }
    }
}
