//! The project file.

use std::collections::BTreeSet;

use super::super::valid::{Guards, Lint, Project};
use super::super::written;
use super::Check;
use super::guards::duration;
use super::schedule::on_held;

/// What a project file gives to all documents.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProjectDefaults {
    pub(crate) project: Project,
    pub(crate) guards: Guards,
    pub(crate) lints_off: BTreeSet<Lint>,
}

/// Reads the project file.
pub(crate) fn project(check: &mut Check<'_>, written: &written::Project) -> ProjectDefaults {
    let mut project = Project::default();
    if let Some(version) = &written.api_version {
        project.api_version.clone_from(version);
    }
    if let Some(runs) = written.runs.as_deref().and_then(|runs| check.inside(&["runs"], runs)) {
        project.runs = runs;
    }
    let default = written::TimeOuts::default();
    let time_outs = written.time_outs.as_ref().unwrap_or(&default);
    let read = |text: &Option<String>| text.as_deref().and_then(duration);
    project.connect_time_out = read(&time_outs.connect).unwrap_or(project.connect_time_out);
    project.answer_time_out = read(&time_outs.answer).unwrap_or(project.answer_time_out);
    project.job_time_out = read(&time_outs.job).unwrap_or(project.job_time_out);
    project.run_time_out = read(&time_outs.run);
    project.retries = written.retries.unwrap_or(project.retries);
    project.not_during = check.windows(&["not_during"], written.not_during.as_ref());
    project.on_held = written.on_held.map_or(project.on_held, on_held);
    project.notices = written.notices.as_ref().and_then(|notices| check.notices(notices));
    let guards = check.guards(&["guards"], written.guards.as_ref(), &Guards::default());
    ProjectDefaults { project, guards, lints_off: lints(written.lints_off.as_deref()) }
}

pub(super) fn lints(written: Option<&[written::LintName]>) -> BTreeSet<Lint> {
    let one = |name: &written::LintName| match name {
        written::LintName::WalkmePrefix => Lint::WalkmePrefix,
        written::LintName::SandboxFirst => Lint::SandboxFirst,
        written::LintName::Unused => Lint::Unused,
    };
    written.unwrap_or_default().iter().map(one).collect()
}
