//! The plan's view as JSON.

use super::view::PlanView;
use crate::render::Options;
use crate::render::escape::json_visible;

/// One document, indented, with a line break at its end.
pub(super) fn render(view: &PlanView, _options: &Options) -> String {
    let mut text = json_visible(&serde_json::to_string_pretty(view).unwrap_or_default());
    text.push('\n');
    text
}
