//! A plan as text, Markdown and JSON: verdict first, then ledgers, fields, notable rows, records.

mod build;
mod difference;
mod frequent;
mod json;
mod markdown;
mod notable;
mod outline;
#[cfg(test)]
pub(super) mod tests;
mod text;
mod view;

/// Words of a plan in Markdown, for pages that hold more than a plan.
pub(in crate::render) mod words {
    pub(in crate::render) use super::markdown::{code, notable_row, record_row, value, words};
}

pub use markdown::MARKDOWN_LIMIT;
pub use outline::{Form, Outline};
pub use view::{
    CallsView, CellView, CommonChange, FieldView, FormatName, GuardView, NotableGroup, NotableRow, PlanView,
    RecordView, Subject, Values, Verdict,
};
