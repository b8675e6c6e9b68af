//! Guards on a report's age and size. Numbers in, a finding out: no clock, no files.

use rust_decimal::Decimal;

/// A file may be this many seconds ahead of our clock before its time counts as wrong: clocks differ a little.
pub const AHEAD_ALLOWED: i64 = 300;

/// What a guard has found. `value` held against `limit`, in the unit that the guard's own page names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Check {
    /// What it is.
    pub value: Decimal,
    /// What it may be.
    pub limit: Decimal,
    /// What a percentage is of.
    pub base: Option<u64>,
    /// What follows.
    pub verdict: Verdict,
}

/// What follows from a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Within the limit.
    Holds,
    /// Past the limit: the guard stops the plan.
    Trips,
    /// The file's time is more than [`AHEAD_ALLOWED`] ahead of now: its age is unknown. Stops the plan, too.
    FromTheFuture,
}

impl Verdict {
    /// Does the guard stop the plan?
    pub fn stops(self) -> bool {
        matches!(self, Self::Trips | Self::FromTheFuture)
    }
}

/// `max_age`: seconds since the report was modified, at most `limit`. Times are Unix seconds.
pub fn max_age(now: i64, modified: i64, limit: i64) -> Check {
    let age = now.saturating_sub(modified);
    let verdict = if age < -AHEAD_ALLOWED {
        Verdict::FromTheFuture
    } else if age > limit.max(0) {
        Verdict::Trips
    } else {
        Verdict::Holds
    };
    Check { value: age.into(), limit: limit.max(0).into(), base: None, verdict }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_counts_to_the_second_and_a_future_file_is_not_fresh() {
        const NOW: i64 = 1_800_000_000;
        for (modified, limit, age, verdict) in [
            (NOW - 3600, 3600, 3600, Verdict::Holds),
            (NOW - 3601, 3600, 3601, Verdict::Trips),
            (NOW, 0, 0, Verdict::Holds),
            (NOW - 1, 0, 1, Verdict::Trips),
            (NOW - 1, -5, 1, Verdict::Trips),
            (NOW + 300, 60, -300, Verdict::Holds),
            (NOW + 301, 60, -301, Verdict::FromTheFuture),
            (0, 3600, NOW, Verdict::Trips),
            (i64::MIN, 3600, i64::MAX, Verdict::Trips),
        ] {
            let check = max_age(NOW, modified, limit);
            assert_eq!((check.value, check.verdict), (age.into(), verdict), "{modified} {limit}");
        }
        assert!(Verdict::FromTheFuture.stops() && Verdict::Trips.stops());
    }
}
