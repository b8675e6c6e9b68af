//! A plan as text, Markdown and JSON: verdict first, then ledgers, fields, notable rows, records.

mod build;
mod difference;
mod json;
mod markdown;
mod notable;
#[cfg(test)]
pub(super) mod tests;
mod text;
mod view;

pub use markdown::MARKDOWN_LIMIT;
pub use view::{
    CallsView, CellView, CommonChange, FieldView, FormatName, GuardView, NotableGroup, NotableRow, PlanView,
    RecordView, Subject, Values, Verdict,
};

use self::build::Limits;
use super::Options;
use crate::plan::Plan;

/// For a terminal.
pub fn text(plan: &Plan, options: &Options) -> String {
    let limits = match options.full {
        true => Limits { records: usize::MAX, rows: usize::MAX },
        false => Limits { records: options.records_limit.unwrap_or(text::RECORDS), rows: text::ROWS },
    };
    text::render(&PlanView::limited(plan, options, limits), options)
}

/// For a pull request; always below [`MARKDOWN_LIMIT`] bytes.
pub fn markdown(plan: &Plan, options: &Options) -> String {
    let limits = Limits { records: markdown::RECORDS, rows: markdown::ROWS };
    markdown::render(&PlanView::limited(plan, options, limits), options)
}

/// For programs: `footbridge plan-view/1`, one document.
pub fn json(plan: &Plan, options: &Options) -> String {
    json::render(&PlanView::new(plan, options), options)
}
