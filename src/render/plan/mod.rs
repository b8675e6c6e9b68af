//! A plan as text, Markdown and JSON: verdict first, then ledgers, fields, notable rows, records.

mod build;
mod difference;
mod forms;
mod json;
mod markdown;
mod notable;
#[cfg(test)]
pub(super) mod tests;
mod text;
mod view;

pub use forms::{json, markdown, text};
pub use markdown::MARKDOWN_LIMIT;
pub use view::{
    CallsView, CellView, CommonChange, FieldView, FormatName, GuardView, NotableGroup, NotableRow, PlanView,
    RecordView, Subject, Values, Verdict,
};
