//! For whom something is rendered, and how much of it.

use crate::plan::GuardName;

/// Who will see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// A person at a terminal: keys and values are shown.
    Person,
    /// Everyone else (CI output, pull-request comments, files): record ids, field names and counts; values only of fields with `show_values`, keys
    /// never.
    Public,
}

/// How to render.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// For whom.
    pub audience: Audience,
    /// Columns of the terminal; `None` where lines may have any length.
    pub width: Option<u16>,
    /// Colours. What is shown means the same without.
    pub colour: bool,
    /// Everything, without limits (Markdown keeps to its own).
    pub full: bool,
    /// Records shown; `None` for each form's own default: 20 in text, as many as fit in Markdown, all in JSON.
    pub records_limit: Option<usize>,
    /// In text, rows shown of a group that cannot be used; `None` for five.
    pub rows_limit: Option<usize>,
    /// Guards that are waived for this run.
    pub waived: Vec<GuardName>,
}

impl Options {
    /// For a person at a terminal of this width.
    pub fn person(width: u16, colour: bool) -> Self {
        Self {
            audience: Audience::Person,
            width: Some(width),
            colour,
            full: false,
            records_limit: None,
            rows_limit: None,
            waived: Vec::new(),
        }
    }

    /// For everyone else.
    pub fn public() -> Self {
        Self {
            audience: Audience::Public,
            width: None,
            colour: false,
            full: false,
            records_limit: None,
            rows_limit: None,
            waived: Vec::new(),
        }
    }
}
