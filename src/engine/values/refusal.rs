//! Why a value is not written, and what was done to one that is. Texts never hold the value itself: they go to logs and pages.

use crate::model::IdProblem;

/// A cell that cannot be used, with the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.message())]
pub struct Refusal {
    /// The reason, with its facts.
    pub reason: Reason,
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self { reason }
    }
}

impl Refusal {
    /// A short stable word for files and tables, such as `too_long`.
    pub fn code(&self) -> &'static str {
        self.reason.code()
    }

    /// One plain sentence, without the value.
    pub fn message(&self) -> String {
        self.reason.message()
    }

    /// What to write in YAML or to do.
    pub fn hint(&self) -> String {
        self.reason.hint()
    }
}

/// Reasons, by what is wrong with the cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// More characters (UTF-16 units; a line break in a text area counts two) than the field takes.
    TooLong {
        /// Of the value.
        length: usize,
        /// Of the field.
        max: usize,
    },
    /// Not a plain number.
    NotANumber,
    /// A number with a comma, a space or an apostrophe in it, and no `decimal:`.
    NeedsDecimal,
    /// A number with a percent sign, and no `percent: sign`.
    NeedsPercent,
    /// A number with other text around it, and no `prefix:` or `suffix:` that is this text.
    NeedsAffix,
    /// More digits left of the point than the field takes.
    OutOfRange {
        /// Digits left of the point that fit.
        max_digits: u32,
    },
    /// A whole number beyond the digits that Salesforce keeps exactly.
    TooPrecise {
        /// Digits of the value.
        digits: usize,
        /// Digits kept exactly.
        max: usize,
    },
    /// A fraction where the key field holds whole numbers.
    NotWhole,
    /// Not a date.
    NotADate,
    /// Not a date with a time.
    NotADatetime,
    /// Not a time of day.
    NotATime,
    /// Looks like a date whose parts could stand in several orders.
    AmbiguousDate,
    /// Does not follow the declared `format:`.
    FormatMismatch,
    /// A leap second or 24:00, which Salesforce does not store.
    NoSuchTime,
    /// Before 1700-01-01 or after 4000-12-31.
    DateOutOfRange,
    /// A date where a datetime is wanted or the other way round, or a time without an offset, and no `time_zone:`.
    NeedsTimeZone,
    /// A local time that occurs twice, since the clocks go back.
    LocalTimeTwice,
    /// A local time that does not occur, since the clocks go forward.
    LocalTimeSkipped,
    /// Not an entry of the picklist.
    NotInPicklist {
        /// The API name that resembles it most.
        nearest: Option<String>,
    },
    /// An entry that can no longer be chosen.
    InactivePicklistValue,
    /// A label that several entries share.
    AmbiguousLabel,
    /// More values than a multi-select field takes.
    TooManyValues {
        /// Of the cell.
        count: usize,
        /// Of the field.
        max: usize,
    },
    /// A new multi-select value that holds a semicolon, which Salesforce reads as two values.
    SeparatorInValue,
    /// Not an e-mail address in Salesforce's eyes.
    NotAnEmail,
    /// Not a Salesforce id.
    BadId {
        /// What is wrong with it.
        problem: IdProblem,
    },
    /// An id of an object that the field does not point to.
    WrongObject {
        /// The id's first three characters.
        prefix: String,
    },
    /// Neither a word for true nor one for false.
    NotABoolean,
    /// `#N/A`, `null`, `-` and the like.
    PlaceholderWord,
    /// A blank cell under `when_blank: fail`.
    BlankNotAllowed,
    /// A blank cell would clear a field that must have a value.
    NotNillable,
    /// A control character.
    ControlCharacter,
    /// A line break in a field of one line.
    LineBreak,
    /// Bytes that are not UTF-8.
    NotUtf8,
    /// The record's own value is not of the field's type, so nothing can be compared.
    OrgUnreadable,
}

impl Reason {
    /// A short stable word for files and tables.
    pub fn code(&self) -> &'static str {
        match self {
            Reason::TooLong { .. } => "too_long",
            Reason::NotANumber => "not_a_number",
            Reason::NeedsDecimal => "needs_decimal",
            Reason::NeedsPercent => "needs_percent",
            Reason::NeedsAffix => "needs_prefix_or_suffix",
            Reason::OutOfRange { .. } => "out_of_range",
            Reason::TooPrecise { .. } => "too_precise",
            Reason::NotWhole => "not_whole",
            Reason::NotADate => "not_a_date",
            Reason::NotADatetime => "not_a_datetime",
            Reason::NotATime => "not_a_time",
            Reason::AmbiguousDate => "ambiguous_date",
            Reason::FormatMismatch => "format_mismatch",
            Reason::NoSuchTime => "no_such_time",
            Reason::DateOutOfRange => "date_out_of_range",
            Reason::NeedsTimeZone => "needs_time_zone",
            Reason::LocalTimeTwice => "local_time_twice",
            Reason::LocalTimeSkipped => "local_time_skipped",
            Reason::NotInPicklist { .. } => "not_in_picklist",
            Reason::InactivePicklistValue => "inactive_picklist_value",
            Reason::AmbiguousLabel => "ambiguous_label",
            Reason::TooManyValues { .. } => "too_many_values",
            Reason::SeparatorInValue => "separator_in_value",
            Reason::NotAnEmail => "not_an_email",
            Reason::BadId { .. } => "bad_id",
            Reason::WrongObject { .. } => "wrong_object",
            Reason::NotABoolean => "not_a_boolean",
            Reason::PlaceholderWord => "placeholder_word",
            Reason::BlankNotAllowed => "blank_not_allowed",
            Reason::NotNillable => "not_nillable",
            Reason::ControlCharacter => "control_character",
            Reason::LineBreak => "line_break",
            Reason::NotUtf8 => "not_utf8",
            Reason::OrgUnreadable => "org_unreadable",
        }
    }

    /// One plain sentence, without the value.
    pub fn message(&self) -> String {
        let fixed = match self {
            Reason::TooLong { length, max } => {
                return format!("The text has {length} characters; the field takes {max}.");
            }
            Reason::OutOfRange { max_digits } => {
                return format!("The number has more than {max_digits} digits before the decimal point.");
            }
            Reason::TooPrecise { digits, max } => {
                return format!("The number has {digits} significant digits; Salesforce keeps {max} exactly.");
            }
            Reason::TooManyValues { count, max } => {
                return format!("The cell holds {count} values; the field takes {max}.");
            }
            Reason::BadId { problem } => return format!("Not a Salesforce id: {problem}."),
            Reason::WrongObject { prefix } => {
                return format!("The id begins with {prefix}: it is of an object that this field does not point to.");
            }
            Reason::NotANumber => "Not a number.",
            Reason::NeedsDecimal => "The number has a comma, space or apostrophe in it, which could mean two things.",
            Reason::NeedsPercent => "The number has a percent sign.",
            Reason::NeedsAffix => "The number has a currency sign, a unit or other text beside it.",
            Reason::NotWhole => "The key field holds whole numbers; this has a fraction.",
            Reason::NotADate => "Not a date of the form YYYY-MM-DD.",
            Reason::NotADatetime => "Not a date and time of the form YYYY-MM-DDTHH:MM:SSZ.",
            Reason::NotATime => "Not a time of the form HH:MM or HH:MM:SS.",
            Reason::AmbiguousDate => "The date's day, month and year could stand in several orders.",
            Reason::FormatMismatch => "The cell does not follow the declared format.",
            Reason::NoSuchTime => "24:00 and leap seconds cannot be stored in Salesforce.",
            Reason::DateOutOfRange => "Salesforce takes dates from 1700-01-01 to 4000-12-31 only.",
            Reason::NeedsTimeZone => "Without a time zone it is unknown which moment or day this is.",
            Reason::LocalTimeTwice => "This local time occurs twice, since the clocks go back that day.",
            Reason::LocalTimeSkipped => "This local time does not occur, since the clocks go forward that day.",
            Reason::NotInPicklist { .. } => "Not an entry of the picklist.",
            Reason::InactivePicklistValue => "This entry of the picklist is inactive.",
            Reason::AmbiguousLabel => "Several entries of the picklist have this label.",
            Reason::SeparatorInValue => "A new value of a multi-select picklist cannot hold a semicolon.",
            Reason::NotAnEmail => "Not an e-mail address that Salesforce takes.",
            Reason::NotABoolean => "Neither true nor false.",
            Reason::PlaceholderWord => "The cell holds a word that stands for no value; such words are never written.",
            Reason::BlankNotAllowed => "The cell is blank, and the mapping says when_blank: fail.",
            Reason::NotNillable => "The cell is blank, and the field must have a value.",
            Reason::ControlCharacter => "The cell holds a control character.",
            Reason::LineBreak => "The cell holds a line break, and the field has one line.",
            Reason::NotUtf8 => "The cell is not valid UTF-8 text.",
            Reason::OrgUnreadable => "The record's own value is not of the field's type, so it cannot be compared.",
        };
        fixed.to_owned()
    }

    /// What to write in YAML or to do.
    pub fn hint(&self) -> String {
        let fixed = match self {
            Reason::NotInPicklist { nearest: Some(nearest) } => {
                return format!(
                    "Did you mean {nearest}? Otherwise add the entry in Setup, or write `new_values: allow`."
                );
            }
            Reason::NotInPicklist { nearest: None } => "Add the entry in Setup, or write `new_values: allow`.",
            Reason::TooLong { .. } => "Shorten it in the report, lengthen the field, or write `truncate: true`.",
            Reason::NotANumber => {
                "Export plain digits, such as 1234.5; other forms need `decimal:`, `percent:`, `prefix:` or `suffix:`."
            }
            Reason::NeedsDecimal => "Write `decimal: \",\"` or `decimal: \".\"` on this field.",
            Reason::NeedsPercent => "Write `percent: sign` on this field.",
            Reason::NeedsAffix => "Write `prefix:` or `suffix:` on this field, with the text beside the number.",
            Reason::OutOfRange { .. } => "Correct the number, or give the field more digits in Setup.",
            Reason::TooPrecise { .. } => "Long numbers that are names of things belong in a text field.",
            Reason::NotWhole => "Correct the key in the report.",
            Reason::NotADate | Reason::NotADatetime | Reason::NotATime => {
                "Export ISO dates, or write the report's own pattern as `format:`."
            }
            Reason::AmbiguousDate => {
                "Write `format: \"%d/%m/%Y\"` or `format: \"%m/%d/%Y\"`, whichever the report uses."
            }
            Reason::FormatMismatch => "Correct the cell, or the pattern under `format:`.",
            Reason::NoSuchTime => "Write 00:00 of the next day, or second 59.",
            Reason::DateOutOfRange => "Correct the date in the report.",
            Reason::NeedsTimeZone => {
                "Write `time_zone:` with the zone that the report's clock shows, such as `time_zone: UTC`."
            }
            Reason::LocalTimeTwice | Reason::LocalTimeSkipped => "Have the report write an offset or UTC.",
            Reason::InactivePicklistValue => {
                "Activate the entry in Setup, or write `new_values: allow` if the picklist is not restricted."
            }
            Reason::AmbiguousLabel => "Use the entry's API name in the report.",
            Reason::TooManyValues { .. } => "Correct the cell, or the `separator:`.",
            Reason::SeparatorInValue => "Correct the cell, or the `separator:`.",
            Reason::NotAnEmail => "Correct the address in the report.",
            Reason::BadId { .. } => "Use the record's 15- or 18-character id, in its exact case.",
            Reason::WrongObject { .. } => "Use ids of an object that the field points to.",
            Reason::NotABoolean => {
                "Use true or false, or list the report's words under `true_values:` and `false_values:`."
            }
            Reason::PlaceholderWord => "If the word means \"no value\", list it under `blank_values:`.",
            Reason::BlankNotAllowed => "Fill the cell, or write `when_blank: keep`.",
            Reason::NotNillable => "Fill the cell, or write `when_blank: keep`.",
            Reason::ControlCharacter => "Remove it from the report; it often shows a wrong `encoding:`.",
            Reason::LineBreak => "Remove it from the report, or map a text area.",
            Reason::NotUtf8 => "Set the source's `encoding:`.",
            Reason::OrgUnreadable => "Look at the record in Salesforce and report this to the authors of Footbridge.",
        };
        fixed.to_owned()
    }
}

/// What was done to the report's value, without the value: cheap enough to be made for every cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Noted {
    /// Nothing that anyone need know.
    #[default]
    Nothing,
    /// A number lost digits.
    Rounded,
    /// A picklist's label was taken for its API name.
    LabelTaken,
    /// A picklist's entry was written in another case.
    CaseTaken,
    /// Text was cut.
    Truncated {
        /// Characters (UTF-16 units) before.
        from_characters: usize,
    },
    /// A fraction of a second (datetime) or of a millisecond (time) was dropped.
    FractionDropped,
    /// A datetime's day was taken.
    TimeDropped,
    /// A date became the moment at which that day begins.
    StartOfDay,
}

impl Noted {
    /// The note for this report cell.
    pub(super) fn note(self, cell: &[u8]) -> Option<Note> {
        let text = || super::text::trim(&String::from_utf8_lossy(cell)).to_owned();
        Some(match self {
            Noted::Nothing => return None,
            Noted::Rounded => Note::Rounded { from: text() },
            Noted::LabelTaken => Note::LabelTaken { label: text() },
            Noted::CaseTaken => Note::CaseTaken { from: text() },
            Noted::Truncated { from_characters } => Note::Truncated { from_characters },
            Noted::FractionDropped => Note::FractionDropped { from: text() },
            Noted::TimeDropped => Note::TimeDropped { from: text() },
            Noted::StartOfDay => Note::StartOfDay { from: text() },
        })
    }
}

/// What was done to the report's value before it could be written. `from` and `label` are the report's cell: values, to be hidden where values are.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Note {
    /// Rounded half-up to the field's scale, or to the 15 digits that Salesforce keeps.
    Rounded { from: String },
    /// The cell holds a label; its entry's API name is written.
    LabelTaken { label: String },
    /// The entry is written in the picklist's own case.
    CaseTaken { from: String },
    /// Cut to the field's length; UTF-16 units before.
    Truncated { from_characters: usize },
    /// Cut to whole seconds (datetime) or milliseconds (time).
    FractionDropped { from: String },
    /// The day of a datetime, in the declared time zone.
    TimeDropped { from: String },
    /// The first moment of a date, in the declared time zone.
    StartOfDay { from: String },
}

impl Note {
    /// A short stable word for files and tables.
    pub fn code(&self) -> &'static str {
        match self {
            Note::Rounded { .. } => "rounded",
            Note::LabelTaken { .. } => "label_taken",
            Note::CaseTaken { .. } => "case_taken",
            Note::Truncated { .. } => "truncated",
            Note::FractionDropped { .. } => "fraction_dropped",
            Note::TimeDropped { .. } => "time_dropped",
            Note::StartOfDay { .. } => "start_of_day",
        }
    }

    /// A few plain words, without the value.
    pub fn message(&self) -> String {
        match self {
            Note::Rounded { .. } => "rounded".to_owned(),
            Note::LabelTaken { .. } => "label taken for its API name".to_owned(),
            Note::CaseTaken { .. } => "written in the picklist's own case".to_owned(),
            Note::Truncated { from_characters } => format!("cut from {from_characters} characters"),
            Note::FractionDropped { .. } => "fraction of a second dropped".to_owned(),
            Note::TimeDropped { .. } => "time of day dropped".to_owned(),
            Note::StartOfDay { .. } => "taken as the start of that day".to_owned(),
        }
    }
}
