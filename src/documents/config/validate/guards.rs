//! Guards and lengths of time: the defaults, then the project's, the integration's and the environment's over them.

use std::time::Duration;

use rust_decimal::Decimal;

use crate::diag::Code;

use super::super::valid::{Guards, Limit};
use super::super::written;
use super::{Check, join};

impl Check<'_> {
    /// What is written over what holds so far.
    pub(super) fn guards(&mut self, path: &[&str], written: Option<&written::Guards>, under: &Guards) -> Guards {
        let mut guards = under.clone();
        let Some(written) = written else { return guards };
        let written::Guards {
            max_overwrites,
            max_fills,
            max_clears,
            max_refused,
            min_match,
            min_rows,
            max_shrink,
            column_vanished,
            blanks_rose,
            match_fell,
            max_calls,
            max_age,
        } = written;
        let mut limit = |name: &str, limit: &Option<written::Limit>| {
            limit.as_ref().and_then(|limit| self.limit(&join(path, &[name]), limit))
        };
        guards.max_overwrites = limit("max_overwrites", max_overwrites).or(guards.max_overwrites);
        guards.max_fills = limit("max_fills", max_fills).or(guards.max_fills);
        guards.max_clears = limit("max_clears", max_clears).unwrap_or(guards.max_clears);
        guards.max_refused = limit("max_refused", max_refused).unwrap_or(guards.max_refused);
        guards.min_match = limit("min_match", min_match).unwrap_or(guards.min_match);
        guards.max_shrink = limit("max_shrink", max_shrink).or(guards.max_shrink);
        guards.max_calls = limit("max_calls", max_calls).unwrap_or(guards.max_calls);
        guards.column_vanished = column_vanished.or(guards.column_vanished);
        guards.blanks_rose = self.points(path, "blanks_rose", blanks_rose).or(guards.blanks_rose);
        guards.match_fell = self.points(path, "match_fell", match_fell).or(guards.match_fell);
        guards.min_rows = min_rows.unwrap_or(guards.min_rows);
        guards.max_age = max_age.as_deref().and_then(duration).or(guards.max_age);
        guards
    }

    /// Percentage points: a bare number would say nothing.
    fn points(&mut self, path: &[&str], name: &str, limit: &Option<written::Limit>) -> Option<Limit> {
        let path = join(path, &[name]);
        match self.limit(&path, limit.as_ref()?)? {
            Limit::Count(count) => {
                let message = format!("`{name}` is a number of percentage points");
                let help = format!("write `{count}%`");
                self.wrong(Code::LimitOutOfRange, &path, message, "without a per cent sign", &help);
                None
            }
            limit => Some(limit),
        }
    }

    fn limit(&mut self, path: &[&str], limit: &written::Limit) -> Option<Limit> {
        match limit {
            written::Limit::Count(count) => Some(Limit::Count(*count)),
            written::Limit::Percent(text) => {
                let percent: Decimal = text.trim_end_matches('%').parse().ok()?;
                if percent > Decimal::ONE_HUNDRED {
                    let message = format!("`{text}` is more than all of them");
                    self.wrong(
                        Code::LimitOutOfRange,
                        path,
                        message,
                        "above 100%",
                        "write a share from 0% to 100%, or a number",
                    );
                    return None;
                }
                Some(Limit::Percent(percent.normalize()))
            }
        }
    }
}

/// `26h`; the schema has seen to its form.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    Some(Duration::from_secs(number * seconds))
}
