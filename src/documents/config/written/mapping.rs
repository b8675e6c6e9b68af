//! A field of the mapping, as written.

use schemars::JsonSchema;
use serde::Deserialize;

/// What a blank cell of the report does to the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum WhenBlank {
    /// The field keeps its value.
    Keep,
    /// The field is emptied (a checkbox becomes false).
    Clear,
    /// The plan may not be applied.
    Fail,
}

/// When a value is written over the one that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum WritePolicy {
    /// Whenever the two differ.
    Always,
    /// Only where the field is empty.
    IfEmpty,
    /// Only where the report's value is greater (later), or the field is empty.
    IfGreater,
    /// Only where the report's value is less (earlier), or the field is empty.
    IfLess,
}

/// What happens to a value that cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum BadValue {
    /// This cell is left alone; the row's other cells are written.
    SkipCell,
    /// The whole row is left alone.
    SkipRow,
    /// The plan may not be applied.
    Fail,
}

/// What happens to a picklist value that the org does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum NewValues {
    /// It is refused and listed.
    Refuse,
    /// It is written, where the picklist is not restricted.
    Allow,
}

/// The character before the fraction of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub(in crate::config) enum Decimal {
    /// A point, as in `1234.5`.
    #[serde(rename = ".")]
    Point,
    /// A comma, as in `1234,5`.
    #[serde(rename = ",")]
    Comma,
}

/// How percentages are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum Percent {
    /// `25%` means 25; the sign may be missing.
    Sign,
    /// `0.25` means 25.
    Fraction,
}

/// A Salesforce field and the report column that fills it, with options.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Field")]
pub(in crate::config) struct Field {
    /// The report column that the values come from.
    #[schemars(length(min = 1))]
    pub(in crate::config) column: String,
    /// What a blank cell does: `keep` (default), `clear` or `fail`.
    pub(in crate::config) when_blank: Option<WhenBlank>,
    /// When a value is written: `always` (default), `if_empty`, `if_greater` or `if_less`.
    pub(in crate::config) write: Option<WritePolicy>,
    /// May this field's values appear outside a terminal (CI output, comments, run logs)? Default false.
    pub(in crate::config) show_values: Option<bool>,
    /// What happens to a value that cannot be written; by default what the integration says.
    pub(in crate::config) on_bad_value: Option<BadValue>,
    /// Picklists: `allow` writes values that the org does not have. Default `refuse`.
    pub(in crate::config) new_values: Option<NewValues>,
    /// Text: cut to the field's length instead of refused. Default false.
    pub(in crate::config) truncate: Option<bool>,
    /// Currency fields in an org with several currencies: the ISO code that the report's amounts are in.
    #[schemars(regex(pattern = r"^[A-Z]{3}$"))]
    pub(in crate::config) currency: Option<String>,
    /// How dates or times are written in the report, such as `%d/%m/%Y` or `%m/%d/%Y %I:%M %p`. ISO 8601 needs no format.
    #[schemars(length(min = 1, max = 60))]
    pub(in crate::config) format: Option<String>,
    /// The character before a number's fraction: `.` or `,`. With it, groups of three digits by the other sign, a space or an apostrophe are read, too.
    pub(in crate::config) decimal: Option<Decimal>,
    /// How percentages are written: `sign` (`25%` means 25) or `fraction` (`0.25` means 25).
    pub(in crate::config) percent: Option<Percent>,
    /// The time zone (IANA name) for dates that become times, and times that become dates.
    #[schemars(length(min = 1, max = 60))]
    pub(in crate::config) time_zone: Option<String>,
    /// Words that mean "no value", such as `N/A` or `-`.
    #[schemars(length(max = 100), inner(length(min = 1)))]
    pub(in crate::config) blank_values: Option<Vec<String>>,
    /// Words that mean true, besides `true`, `yes` and `1`.
    #[schemars(length(max = 100), inner(length(min = 1)))]
    pub(in crate::config) true_values: Option<Vec<String>>,
    /// Words that mean false, besides `false`, `no` and `0`.
    #[schemars(length(max = 100), inner(length(min = 1)))]
    pub(in crate::config) false_values: Option<Vec<String>>,
    /// The character between the values of a list. Default `;`
    #[schemars(length(min = 1, max = 1))]
    pub(in crate::config) separator: Option<String>,
    /// Numbers: text before the number that is no part of it, such as `$`.
    #[schemars(length(min = 1, max = 40))]
    pub(in crate::config) prefix: Option<String>,
    /// Numbers: text after the number that is no part of it, such as `EUR`.
    #[schemars(length(min = 1, max = 40))]
    pub(in crate::config) suffix: Option<String>,
}
