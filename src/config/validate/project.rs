//! The project file.

use std::collections::BTreeSet;

use super::super::valid::{Git, Guards, Lint, Project};
use super::super::written;
use super::Check;
use super::guards::duration;
use crate::diag::Code;

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
    if let Some(written) = &written.git {
        project.git = git(check, written);
    }
    let guards = check.guards(&["guards"], written.guards.as_ref(), &Guards::default());
    ProjectDefaults { project, guards, lints_off: lints(written.lints_off.as_deref()) }
}

/// The branch of run logs. What the schema's pattern leaves open of git's rules for names is held here.
fn git(check: &mut Check<'_>, written: &written::Git) -> Git {
    let git = Git { written: true, ..Git::default() };
    let mut named = |key: &str, name: &Option<String>, default: String| {
        let Some(name) = name else { return default };
        let wrong = |part: &str| part.contains("..") || part.ends_with('.') || part.ends_with(".lock");
        if name.split('/').any(wrong) || name == "HEAD" || name.starts_with("refs/") {
            let message = format!("`{name}` is no name that git takes");
            let help = "leave out `..`, a dot at the end, `.lock` at the end, `HEAD` and `refs/`";
            check.wrong(Code::WrongForm, &["git", key], message, "not a name", help);
            return default;
        }
        name.clone()
    };
    Git {
        branch: named("branch", &written.branch, git.branch.clone()),
        remote: named("remote", &written.remote, git.remote.clone()),
        author: written.author.clone(),
        stale_after: written.stale_after.as_deref().and_then(duration).unwrap_or(git.stale_after),
        written: git.written,
    }
}

pub(super) fn lints(written: Option<&[written::LintName]>) -> BTreeSet<Lint> {
    let one = |name: &written::LintName| match name {
        written::LintName::WalkmePrefix => Lint::WalkmePrefix,
        written::LintName::SandboxFirst => Lint::SandboxFirst,
        written::LintName::Unused => Lint::Unused,
    };
    written.unwrap_or_default().iter().map(one).collect()
}
