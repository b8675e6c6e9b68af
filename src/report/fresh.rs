//! Guards on a report's age and size. Numbers in, a finding out: no clock, no files.

use rust_decimal::Decimal;

/// Percentages count from this base up, so that three rows of five are no alarm.
pub const PERCENT_FROM: u64 = 10;
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
    /// There is nothing to compare with: no run before, or one that had no rows.
    NoBase,
    /// The base is below [`PERCENT_FROM`]: a percentage would say nothing.
    SmallBase,
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

/// `min_rows`: rows of the report, at least `limit`.
pub fn min_rows(rows: u64, limit: u64) -> Check {
    let verdict = if rows < limit { Verdict::Trips } else { Verdict::Holds };
    Check { value: rows.into(), limit: limit.into(), base: None, verdict }
}

/// `max_shrink`: by how many percent the report is shorter than in the last run (`before`), at most `limit` percent.
///
/// The value is rounded to two digits for showing; the verdict is exact. A report that grew has shrunk by 0.
pub fn max_shrink(rows: u64, before: Option<u64>, limit: Decimal) -> Check {
    let limit = limit.clamp(Decimal::ZERO, Decimal::ONE_HUNDRED);
    let Some(base) = before.filter(|&before| before > 0) else {
        return Check { value: Decimal::ZERO, limit, base: before, verdict: Verdict::NoBase };
    };
    let percent = Decimal::from(base.saturating_sub(rows)) * Decimal::ONE_HUNDRED / Decimal::from(base);
    // Compared without division, so that a third is a third. A limit has few digits; if it has not, rounding decides.
    let exact = limit.checked_mul(Decimal::from(base));
    let over = match exact {
        Some(allowed) => Decimal::from(base.saturating_sub(rows)) * Decimal::ONE_HUNDRED > allowed,
        None => percent > limit,
    };
    let verdict = match (base < PERCENT_FROM, over) {
        (true, _) => Verdict::SmallBase,
        (false, true) => Verdict::Trips,
        (false, false) => Verdict::Holds,
    };
    Check { value: percent.round_dp(2).normalize(), limit, base: Some(base), verdict }
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
        assert!(Verdict::FromTheFuture.stops() && Verdict::Trips.stops() && !Verdict::NoBase.stops());
    }

    #[test]
    fn rows_are_counted_against_the_least() {
        for (rows, limit, verdict) in
            [(0, 1, Verdict::Trips), (1, 1, Verdict::Holds), (0, 0, Verdict::Holds), (99, 100, Verdict::Trips)]
        {
            assert_eq!(min_rows(rows, limit).verdict, verdict);
        }
    }

    #[test]
    fn shrinking_is_exact_and_needs_a_base() {
        let percent = |text: &str| text.parse::<Decimal>().unwrap();
        for (rows, before, limit, value, verdict) in [
            (70, Some(100), "30", "30", Verdict::Holds),
            (69, Some(100), "30", "31", Verdict::Trips),
            (200, Some(100), "0", "0", Verdict::Holds),
            (0, Some(100), "100", "100", Verdict::Holds),
            (0, Some(100), "99.9", "100", Verdict::Trips),
            (20, Some(30), "33.33", "33.33", Verdict::Trips),
            (20, Some(30), "33.34", "33.33", Verdict::Holds),
            (99, Some(100), "-5", "1", Verdict::Trips),
            (0, Some(100), "500", "100", Verdict::Holds),
            (0, Some(9), "30", "100", Verdict::SmallBase),
            (6, Some(10), "30", "40", Verdict::Trips),
            (5, Some(0), "30", "0", Verdict::NoBase),
            (5, None, "30", "0", Verdict::NoBase),
            (0, Some(u64::MAX), "30", "100", Verdict::Trips),
        ] {
            let check = max_shrink(rows, before, percent(limit));
            assert_eq!((check.value, check.verdict), (percent(value), verdict), "{rows} of {before:?}, {limit}");
        }
    }
}
