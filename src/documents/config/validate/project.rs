//! The project file.

use std::collections::BTreeSet;

use super::super::valid::{Git, Guards, Keep, Lint, Project, Values};
use super::super::written;
use super::Check;
use super::guards::duration;
use super::schedule::on_held;
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
    if let Some(written) = &written.values {
        project.values = values(check, written);
    }
    project.retries = written.retries.unwrap_or(project.retries);
    project.not_during = check.windows(&["not_during"], written.not_during.as_ref());
    project.on_held = written.on_held.map_or(project.on_held, on_held);
    project.notices = written.notices.as_ref().and_then(|notices| check.notices(notices));
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

fn values(check: &mut Check<'_>, written: &written::Values) -> Values {
    let keep = match written.keep {
        None | Some(written::KeepWord::Local) => Keep::Local,
        Some(written::KeepWord::Committed) => Keep::Committed,
        Some(written::KeepWord::None) => Keep::None,
    };
    let mut recipients = Vec::new();
    for text in written.recipients.iter().flatten() {
        let path = &["values", "recipients"];
        if text.to_ascii_uppercase().starts_with("AGE-SECRET-KEY") {
            check.wrong(
                Code::SecretWrittenOut,
                path,
                "a secret key stands among the recipients",
                "this opens the values",
                "write its public half, which `age-keygen -y` prints (age1…), and make a new key: this one has been written down",
            );
        } else if text.parse::<age::x25519::Recipient>().is_err() {
            check.wrong(
                Code::BadRecipient,
                path,
                format!("`{}` is no age recipient", text.chars().take(80).collect::<String>()),
                "not a public key of age's",
                "write the public key that `age-keygen -y KEYFILE` prints: `age1` and 58 small letters and digits",
            );
        } else {
            recipients.push(text.clone());
        }
    }
    if keep == Keep::Committed && written.recipients.is_none() {
        check.wrong(
            Code::RecipientsMissing,
            &["values", "keep"],
            "values that are committed have to be encrypted to somebody",
            "to whom?",
            "add `recipients: [age1…]`: the public half of the key that undoes runs (`age-keygen` makes one)",
        );
    }
    Values { keep, recipients, after: written.after.unwrap_or(true) }
}

pub(super) fn lints(written: Option<&[written::LintName]>) -> BTreeSet<Lint> {
    let one = |name: &written::LintName| match name {
        written::LintName::WalkmePrefix => Lint::WalkmePrefix,
        written::LintName::SandboxFirst => Lint::SandboxFirst,
        written::LintName::Unused => Lint::Unused,
    };
    written.unwrap_or_default().iter().map(one).collect()
}
