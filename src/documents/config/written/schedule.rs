//! Around the schedule, as written: when it may not run, what a held run hands over, and who hears of changes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::report::HEADER_NAME;

/// When the schedule may not run: the moments that fit all that is said. One key at least, besides `time_zone`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Window")]
pub(in crate::config) struct Window {
    /// Weekdays: `mon to fri`, `sat, sun`. By default every day.
    #[schemars(regex(pattern = DAYS))]
    pub(in crate::config) days: Option<String>,
    /// Hours of the day: `08:00 to 18:00`. Until an earlier hour means until the next day. By default the whole day.
    #[schemars(regex(pattern = HOURS))]
    pub(in crate::config) hours: Option<String>,
    /// Days of the calendar, the last one included, in quotes: `"2026-12-20 to 2027-01-03"`. By default always.
    #[schemars(regex(pattern = DATES))]
    pub(in crate::config) dates: Option<String>,
    /// Whose clock: an IANA name such as `Europe/Berlin`. Default UTC.
    pub(in crate::config) time_zone: Option<String>,
}

/// The form of weekdays.
pub(in crate::config) const DAYS: &str = r"^(mon|tue|wed|thu|fri|sat|sun)( to (mon|tue|wed|thu|fri|sat|sun))?(, ?(mon|tue|wed|thu|fri|sat|sun)( to (mon|tue|wed|thu|fri|sat|sun))?){0,6}$";
/// The form of hours of a day.
pub(in crate::config) const HOURS: &str = r"^([01][0-9]|2[0-3]):[0-5][0-9] to (([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$";
/// The form of days of the calendar.
pub(in crate::config) const DATES: &str = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}( to [0-9]{4}-[0-9]{2}-[0-9]{2})?$";

/// What a scheduled run that a guard held back hands over to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum OnHeld {
    /// The run log only.
    Log,
    /// An issue of the repository, on GitHub or GitLab, by CI's own token.
    Issue,
}

/// Who hears when an integration fails, fails otherwise, or works again. Never with values.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Notices")]
pub(in crate::config) struct Notices {
    /// The address of a webhook (Slack's, or one that takes JSON), from the environment: `"${NAME}"`.
    pub(in crate::config) url: String,
    /// Headers of the request. `${NAME}` reads a variable of the environment.
    #[schemars(extend("maxProperties" = 100, "propertyNames" = {"pattern": HEADER_NAME}))]
    pub(in crate::config) headers: Option<BTreeMap<String, String>>,
}
