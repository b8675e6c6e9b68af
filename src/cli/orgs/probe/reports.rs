//! Where reports of probes lie, and whether one of this version has passed.

use std::path::{Path, PathBuf};

use crate::cli::failure::Failure;
use crate::cli::ground::Place;
use crate::cli::repository::state_folder;
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::model::{EnvironmentName, OrgId};
use crate::probe::{Outcome, Report};

/// This version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Where reports are committed, so that CI finds them.
pub const COMMITTED: &str = "probes";

fn local(root: &Path) -> PathBuf {
    state_folder(root).join(COMMITTED)
}

/// Keeps a report below `.footbridge/`, and says whether it was: one that passed is not replaced by one that only read, or did not come to its end.
pub fn keep(root: &Path, org_id: OrgId, report: &Report) -> Result<(PathBuf, bool), Failure> {
    let folder = local(root);
    let path = folder.join(format!("{}-{VERSION}.yaml", org_id.as_str()));
    let known = std::fs::read_to_string(&path).ok().and_then(|text| Report::parse(&text));
    let lesser = matches!(report.outcome, Outcome::ReadOnly | Outcome::Incomplete);
    if lesser && known.is_some_and(|known| known.passes(VERSION)) {
        return Ok((path, false));
    }
    std::fs::create_dir_all(&folder).map_err(|e| Failure::io("make the folder", &folder, &e))?;
    std::fs::write(&path, report.to_yaml()).map_err(|e| Failure::io("write", &path, &e))?;
    Ok((path, true))
}

/// Writes a report where `--out` says.
pub fn copy(out: &Path, report: &Report) -> Result<(), Failure> {
    if let Some(folder) = out.parent() {
        std::fs::create_dir_all(folder).map_err(|e| Failure::io("make the folder", folder, &e))?;
    }
    std::fs::write(out, report.to_yaml()).map_err(|e| Failure::io("write", out, &e))
}

/// Has a probe of this version passed, in any org of this repository?
fn passed(root: &Path) -> bool {
    let files = [local(root), root.join(COMMITTED)].into_iter().filter_map(|folder| std::fs::read_dir(folder).ok());
    let yaml = |path: &PathBuf| path.extension().is_some_and(|e| e == "yaml" || e == "yml");
    files
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(yaml)
        .filter_map(|path| Report::parse(&std::fs::read_to_string(path).ok()?))
        .any(|report| report.passes(VERSION))
}

/// Warns before the first apply of this version to production, as long as no probe of this version has passed.
pub fn warn_unless_passed(
    place: &Place<'_>,
    org: &str,
    integration: &str,
    environment: EnvironmentName,
    org_id: OrgId,
) {
    if environment != EnvironmentName::Production || passed(place.root) {
        return;
    }
    let store = place.store();
    let last = store.last_carried_out(integration, environment, org_id).ok().flatten();
    let by = last.and_then(|run| store.read(run.path.to_str()?).ok()).map(|(_, log)| log.versions.footbridge);
    if by.as_deref() == Some(VERSION) {
        return;
    }
    let message = format!("no probe of version {VERSION} has passed in an org of this repository");
    let diagnostic = Diagnostic::warning(Code::ProbeMissing, message)
        .note("what is taken for granted of Salesforce was checked against an emulated org, not against one of yours")
        .help(format!("footbridge orgs probe {org} --env sandbox --record ID --out {COMMITTED}/{org}.yaml"))
        .help(format!("commit the report in `{COMMITTED}/`, so that CI finds it"));
    crate::cli::tell_all(place.world, &Diagnostics::from_iter([diagnostic]));
}
