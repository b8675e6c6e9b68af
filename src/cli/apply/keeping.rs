//! Where a run keeps the values that it finds, and that they are on disk before anything is sent.

use std::path::PathBuf;

use super::turn::Turn;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::ground::Place;
use crate::cli::repository::values_folder;
use crate::config::valid;
use crate::diag::{Code, Diagnostic};
use crate::model::{EnvironmentName, OrgId};
use crate::plan::Plan;
use crate::runlog::ValuesNote;
use crate::runlog::values::{self, FORMAT, Head, Keep, Recipient, ValuesProblem, Writer, committed, is_sealed};

/// The folder for values that stay on this machine.
pub fn local(place: &Place<'_>) -> PathBuf {
    values_folder(place.root)
}

/// The folder of run logs.
pub fn runs(place: &Place<'_>) -> PathBuf {
    place.root.join(&place.repository.project.runs)
}

/// The id of a run that starts now.
pub fn run_id(turn: &Turn<'_>, integration: &str, org_id: OrgId, start: jiff::Timestamp) -> String {
    let values = values::Place::Local(local(turn.place()));
    turn.store().free_id(integration, org_id, start, |run| values.path(integration, org_id, run).exists())
}

/// Where the values of a run go; `None`: nowhere, which somebody has said or which is nothing but a sandbox.
///
/// # Errors
/// Production, and no place that lasts.
pub fn decide(
    place: &Place<'_>,
    environment: EnvironmentName,
    integration: &str,
    no_undo: bool,
) -> Result<Option<values::Place>, Failure> {
    if no_undo {
        return Ok(None);
    }
    let settings = &place.repository.project.values;
    let production = environment == EnvironmentName::Production;
    match settings.keep {
        valid::Keep::None if !production => Ok(None),
        valid::Keep::None => Err(nowhere("the project says `values: { keep: none }`", integration)),
        valid::Keep::Local if production && place.world.is_ci() => Err(nowhere(
            "they would stay on this machine of CI, which is gone after the job (`keep: local`)",
            integration,
        )),
        valid::Keep::Local => Ok(Some(values::Place::Local(local(place)))),
        valid::Keep::Committed => {
            let all = settings.recipients.iter().map(|text| Recipient::parse(text));
            let recipients = all.collect::<Result<Vec<_>, _>>().map_err(|p| Failure::bug(p.to_string()))?;
            if recipients.is_empty() {
                return Err(nowhere("the project names nobody to encrypt them to (`recipients:`)", integration));
            }
            Ok(Some(values::Place::Committed { runs: runs(place), recipients }))
        }
    }
}

fn nowhere(why: &str, integration: &str) -> Failure {
    let diagnostic = Diagnostic::error(
        Code::NoPlaceForValues,
        format!("there is no place for the values that this run would overwrite, so it could not be undone: {why}"),
    )
    .note("nothing was sent")
    .help("in the project file: `values: { keep: committed, recipients: [age1…] }` keeps them beside the run log, encrypted; `age-keygen` makes a key")
    .help("or apply from a machine that stays, with `values: { keep: local }`")
    .help(format!("or give up the way back, for this once: `footbridge apply {integration} --env production --no-undo`"));
    Failure::new(Exit::Failed, diagnostic)
}

/// Writes the values of every planned record, whole and to disk.
///
/// # Errors
/// They cannot be written: nothing may be sent.
pub fn keep(place: &Place<'_>, plan: &Plan, run: &str, to: Option<&values::Place>) -> Result<ValuesNote, Failure> {
    let Some(to) = to else { return Ok(ValuesNote::none()) };
    let after = place.repository.project.values.after;
    let header = &plan.header;
    let head = Head {
        format: FORMAT.to_owned(),
        run: run.to_owned(),
        integration: header.integration.clone(),
        object: header.object.clone(),
        org: header.org.clone(),
        environment: header.environment,
        org_id: header.org_id,
        commit: None,
        fields: header.fields.iter().map(|f| (f.field.clone(), f.field_type.clone())).collect(),
        changes: plan.summary.changes.clone(),
        salt: format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..)),
    };
    let mut writer = Writer::start(to, &head, after).map_err(|p| unkept(&p))?;
    for entry in plan.planned() {
        let entry = entry.map_err(|e| Failure::bug(format!("the plan cannot be read: {e}")))?;
        writer.entry(&entry).map_err(|p| unkept(&p))?;
    }
    let kept = writer.finish().map_err(|p| unkept(&p))?;
    let recipients = match to {
        values::Place::Local(_) => Vec::new(),
        values::Place::Committed { recipients, .. } => recipients.iter().map(ToString::to_string).collect(),
    };
    Ok(ValuesNote {
        keep: to.keep(),
        file: kept.path.file_name().map(|n| n.to_string_lossy().into_owned()),
        recipients,
        after,
    })
}

/// What a run that was killed, or left a job at work, has kept: here or, once it was pushed, on the branch of run logs.
pub fn kept_before(turn: &Turn<'_>, integration: &str, org_id: OrgId, run: &str) -> ValuesNote {
    let place = turn.place();
    let beside = committed(&runs(place), integration, org_id, run);
    let found = turn.store().values(&local(place), &beside, (integration, org_id, run));
    let Some(path) = found else { return ValuesNote::none() };
    let settings = &place.repository.project.values;
    let committed = is_sealed(&path);
    ValuesNote {
        keep: if committed { Keep::Committed } else { Keep::Local },
        file: path.file_name().map(|n| n.to_string_lossy().into_owned()),
        recipients: if committed { settings.recipients.clone() } else { Vec::new() },
        after: settings.after,
    }
}

fn unkept(problem: &ValuesProblem) -> Failure {
    let diagnostic = Diagnostic::error(
        Code::ValuesUnwritable,
        format!("the values that this run would overwrite cannot be kept: {problem}"),
    )
    .note("nothing was sent")
    .help("mend the disk or the folder's permissions, then apply again")
    .help("to apply without a way back: `--no-undo`");
    Failure::new(Exit::Failed, diagnostic)
}
