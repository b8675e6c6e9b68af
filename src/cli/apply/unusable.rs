//! A scheduled run of an integration that the configuration keeps from running: it is Failed, with a log that goes the way of every other.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::log;
use super::publish::Publisher;
use crate::cli::due::mistakes;
use crate::cli::failure::Failure;
use crate::cli::ground::Place;
use crate::cli::notices;
use crate::cli::standing::Stand;
use crate::config::Unusable;
use crate::config::valid::OnHeld;
use crate::model::{EnvironmentName, ObjectName};
use crate::runlog::{ExitReason, RunFacts, RunLog, RunProblem, RunSubject, Store, Trigger};

/// What a log says where neither the configuration nor an earlier log tells it.
const NOT_KNOWN: &str = "not known";

/// Writes the log of a run that cannot be made, where it is due. `None`: it is not, or nobody knows which org it would have been. The mistake itself is told by
/// the caller.
///
/// # Errors
/// The run logs cannot be read or written.
pub fn fail<'a>(
    place: &Place<'a>,
    store: &Store,
    (unusable, environment): (&'a Unusable, EnvironmentName),
    now: Timestamp,
    publisher: &Publisher,
) -> Result<Option<notices::Watched<'a>>, Failure> {
    let stand = Stand::broken(place, store, unusable, environment, now)?;
    let Some(tick) = stand.judgement.and_then(|judgement| judgement.tick).filter(|_| stand.is_due()) else {
        return Ok(None);
    };
    let (name, codes) = (&unusable.name, mistakes(unusable));
    let Some(org_id) = stand.org_id else {
        place.world.warn(&format!("`{name}` was not run ({codes}), and leaves no run log: its org's id is not known"));
        return Ok(None);
    };
    // The last one knows what its document does not tell any more.
    let last = stand.newest.as_ref().and_then(|path| store.log(path).ok());
    let last = last.as_ref();
    let known = |own: &Option<String>, last: Option<&str>| own.as_deref().or(last).unwrap_or(NOT_KNOWN).to_owned();
    let org = known(&unusable.org, last.map(|log| log.org.as_str()));
    let settings = place.repository.orgs.get(&org).and_then(|org| org.environments.get(&environment));
    let api = settings.map_or(&place.repository.project.api_version, |settings| &settings.api_version);
    let subject = RunSubject {
        integration: name.clone(),
        report: known(&unusable.report, last.map(|log| log.report.name.as_str())),
        source: last.map_or(NOT_KNOWN, |log| log.report.source.as_str()).to_owned(),
        object: ObjectName::new(known(&unusable.object, last.map(|log| log.object.as_str()))),
        org,
        environment,
        org_id,
    };
    let problems: BTreeSet<(&str, &str)> =
        unusable.errors.iter().map(|error| (error.code.as_str(), error.code.title())).collect();
    let problems = problems.into_iter().map(|(code, title)| RunProblem {
        code: code.to_owned(),
        message: title.to_owned(),
        not_done: Some("nothing was sent".to_owned()),
        next: None,
    });
    let facts = RunFacts {
        tick: Some(tick),
        problems: problems.collect(),
        ..log::nothing_sent(api, Trigger::Schedule, now, ExitReason::Error)
    };
    let mut log = RunLog::unplanned(subject, facts);
    log::committed(place, &mut log);
    let written = store.write(&mut log, []).map_err(log::unwritable)?;
    publisher.wrote(place, &log, &written);
    let path = written.log.strip_prefix(place.root).unwrap_or(&written.log).display();
    place.world.warn(&format!("`{name}` was not run: the configuration is not right ({codes}); run log: {path}"));
    let (newest, before) = (stand.newest, stand.telling);
    Ok(Some(notices::Watched { name, environment, org_id, on_held: OnHeld::Log, newest, before }))
}
