//! A plan in its three forms, each from a view that lists no more than the form shows.

use super::build::Limits;
use super::view::PlanView;
use crate::plan::Plan;
use crate::render::Options;

/// For a terminal.
pub fn text(plan: &Plan, options: &Options) -> String {
    let limits = match options.full {
        true => Limits { records: usize::MAX, rows: usize::MAX },
        // One row more than is shown: whether that one is the only one left decides how the remainder is told.
        false => Limits {
            records: options.records_limit.unwrap_or(super::text::RECORDS),
            rows: options.rows_limit.unwrap_or(super::text::ROWS) + 1,
        },
    };
    super::text::render(&PlanView::limited(plan, options, limits), options)
}

/// For a pull request; always below [`super::MARKDOWN_LIMIT`] bytes.
pub fn markdown(plan: &Plan, options: &Options) -> String {
    let limits = Limits { records: super::markdown::RECORDS, rows: super::markdown::ROWS };
    super::markdown::render(&PlanView::limited(plan, options, limits), options)
}

/// For programs: `footbridge plan-view/1`, one document.
pub fn json(plan: &Plan, options: &Options) -> String {
    super::json::render(&PlanView::new(plan, options), options)
}
