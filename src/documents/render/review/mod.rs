//! What a branch changes: the mapping, and its effect on the records by cause. One comment on a pull request, however many integrations.

mod markdown;
mod part;
#[cfg(test)]
mod tests;
mod text;

use schemars::JsonSchema;
use serde::Serialize;

pub use markdown::{NOTHING, is_marker, render as markdown};
pub use text::render as text;

use super::plan::PlanView;
use super::wording::counted;
use crate::plan::Causes;

/// A branch against its base.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(title = "Footbridge review")]
pub struct Review {
    /// Always `footbridge review/1`.
    #[schemars(extend("const" = "footbridge review/1"))]
    pub format: &'static str,
    /// `sandbox` or `production`.
    pub environment: String,
    /// The commit at which the branch left its base.
    pub base: String,
    /// The commit that was looked at.
    pub head: String,
    /// The integrations that differ.
    pub items: Vec<Item>,
    /// How many do not.
    pub unchanged: u64,
    /// Errors of the configuration: nothing was planned.
    pub problems: Vec<Problem>,
    /// What else is worth knowing.
    pub notes: Vec<String>,
}

/// An error, for those who read the comment.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Problem {
    /// `FB0103`
    pub code: String,
    /// File and line.
    pub place: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Vec<String>,
}

impl From<&crate::diag::Diagnostic> for Problem {
    fn from(diagnostic: &crate::diag::Diagnostic) -> Self {
        Self {
            code: diagnostic.code.as_str().to_owned(),
            place: diagnostic.span().map(|span| format!("{}:{}", span.file().path(), span.line())),
            message: diagnostic.message.clone(),
            help: diagnostic.help.clone(),
        }
    }
}

/// An integration that differs.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Item {
    /// Its name.
    pub name: String,
    /// What happened to it.
    pub change: Kind,
    /// What differs, a sentence each.
    pub said: Vec<String>,
    /// The unified difference of the normalised YAML.
    pub yaml: String,
    /// What comes of it.
    pub effect: Effect,
}

/// What happened to an integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Kind {
    Added,
    Changed,
    Removed,
}

/// What comes of a change.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It was planned.
    Planned(Box<Planned>),
    /// It needs a trusted run.
    Untrusted(String),
    /// It could not be planned.
    Failed(Vec<Problem>),
    /// It does not run in this environment.
    Elsewhere,
    /// It is gone: nothing is written any more.
    Removed,
}

/// A plan by cause.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Planned {
    /// The plan; its records and frequent changes are those of this branch.
    pub view: PlanView,
    /// Its changes by cause.
    pub causes: Causes,
    /// Why it is not known of some cells whether the report is new or the org moved.
    pub not_known: Vec<NotKnown>,
    /// Why everything counts as this branch's, where there was nothing to compare with.
    pub no_baseline: Option<String>,
    /// Fields whose values are hidden until the base shows them.
    pub hidden: Vec<String>,
    /// The plan as text, for a terminal.
    #[serde(skip)]
    pub text: String,
}

/// Cells that would change anyway, and of which it is not known what a run wrote there.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct NotKnown {
    /// How many.
    pub cells: u64,
    /// What is said of them, behind their number.
    pub why: String,
}

impl Planned {
    /// That in one sentence.
    fn not_known(&self) -> Option<String> {
        let each = self.not_known.iter().map(|of| format!("{}, {}", counted(of.cells, "cell"), of.why));
        let each: Vec<String> = each.collect();
        let what = "Not known whether the report is new or the org moved";
        (!each.is_empty()).then(|| format!("{what}: {}.", each.join("; ")))
    }
}
