//! How one mapped field is to be read and written: fully resolved, nothing left open where a default exists.

use jiff::tz::TimeZone;

/// What a blank report cell does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenBlank {
    /// Leaves the record's value alone.
    #[default]
    Keep,
    /// Empties the field; a checkbox becomes false.
    Clear,
    /// Is a bad value.
    Fail,
}

/// When a differing value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WritePolicy {
    /// Whenever it differs.
    #[default]
    Always,
    /// Only into an empty field.
    IfEmpty,
    /// Only when the field is empty or holds less. Ordered types only: numbers, date, datetime, time.
    IfGreater,
    /// Only when the field is empty or holds more. Ordered types only.
    IfLess,
}

/// How the report writes percentages. Salesforce's own form is 25 for 25 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PercentForm {
    /// `25%` means 25; the sign may be missing.
    Sign,
    /// `0.25` means 25.
    Fraction,
}

/// Options of one mapped field. An option that does not fit the field's type is refused by `Rule::compile`; `time_zone` alone is ignored
/// where it has no use, since it is often declared for a whole report.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options {
    /// Whole cells that count as blank, beside the empty one; neither case nor surrounding space is heeded.
    pub blank_values: Vec<String>,
    /// What a blank cell does.
    pub when_blank: WhenBlank,
    /// When a differing value is written.
    pub write: WritePolicy,
    /// Picklists: take values that the picklist does not list (or lists as inactive).
    pub new_values: bool,
    /// Date, datetime and time: a strptime pattern such as `%d/%m/%Y`, in place of ISO 8601.
    pub format: Option<String>,
    /// Numbers: the decimal sign, `.` or `,`. With it, grouping in threes by the other sign, a space or an apostrophe is read too.
    pub decimal: Option<char>,
    /// Numbers: how percentages are written.
    pub percent: Option<PercentForm>,
    /// Numbers: text before the number that is no part of it, such as `$`. May be missing from a cell.
    pub prefix: Option<String>,
    /// Numbers: text after the number that is no part of it, such as `EUR` or `h`. May be missing from a cell.
    pub suffix: Option<String>,
    /// Dates and times: where the report's clock stands, for cells without an offset and for date ↔ datetime.
    pub time_zone: Option<TimeZone>,
    /// Checkbox: further words for true.
    pub true_values: Vec<String>,
    /// Checkbox: further words for false.
    pub false_values: Vec<String>,
    /// Multi-select: what stands between values in the report. `;` when absent.
    pub separator: Option<char>,
    /// Text: cut what is too long instead of refusing it; the change then says so.
    pub truncate: bool,
    /// Currency: ISO code of the amounts, for orgs with several currencies. Records are compared with it elsewhere; here it is only checked.
    pub currency: Option<String>,
    /// References: key prefixes (`003`) of the objects that may be pointed to, where known. Empty: not checked.
    pub id_prefixes: Vec<String>,
}
