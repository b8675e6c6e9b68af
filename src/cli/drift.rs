//! `footbridge drift`: what differs in the org from what the last run wrote, and which fields somebody else keeps changing. Reads only.

mod cells;

use std::collections::{BTreeMap, HashMap};

use self::cells::{Cells, Written, Wrote};
use super::apply::carry::{resume, unsettled};
use super::blame::values;
use super::connect::{Connected, Purpose, budget};
use super::exit::Exit;
use super::failure::Failure;
use super::ground::{Place, Target};
use super::problem;
use super::repository::Repository;
use super::runs::{DriftArguments, wrong};
use super::show::options;
use super::world::World;
use crate::diag::{Code, Diagnostic};
use crate::model::{FieldName, RecordId};
use crate::render::counted;
use crate::render::plan::{Form, Outline};
use crate::render::runs::{self, ChangedBy, DriftField, DriftOf, Drifted, Fight};
use crate::runlog::values::{Reader, ValuesProblem};
use crate::runlog::{After, Outcome, OutcomesLine, RunLog, RunSummary, Store};

/// Records named of one field.
const NAMED: usize = 5;
/// Records that somebody else's hand is looked for in.
const ASKED: usize = 2_000;

/// Runs the command.
pub async fn run(world: &World, arguments: &DriftArguments) -> Result<Exit, Failure> {
    let repository = Repository::load(world, arguments.env)?;
    let place = repository.place(world);
    let names: Vec<String> = match &arguments.integration {
        Some(name) => vec![name.clone()],
        None => {
            let all = place.repository.integrations.values();
            all.filter(|i| i.environments.contains_key(&arguments.env)).map(|i| i.name.value.clone()).collect()
        }
    };
    if names.is_empty() {
        return Err(super::nothing_chosen(arguments.env, &[])
            .help(format!("add `{}: {{}}` under `environments:` of an integration", arguments.env)));
    }
    let store = place.store();
    let (mut found, mut exit) = (Vec::new(), Exit::Done);
    for name in &names {
        let target = place.target(place.integration(name)?, arguments.env)?;
        match one(&place, &store, target, arguments).await {
            Ok(one) => found.push(one),
            Err(failure) if names.len() > 1 => {
                exit = exit.and(failure.exit);
                super::tell(world, &failure);
            }
            Err(failure) => return Err(failure),
        }
    }
    let differs = |one: &Drifted| one.view.differ > 0 || one.view.gone > 0;
    if arguments.detailed_exitcode && found.iter().any(differs) {
        exit = exit.and(Exit::Changes);
    }
    if !found.is_empty() || exit == Exit::Done {
        match world.json {
            true => world.data(&runs::drift_json(&found)),
            false => world.print(&runs::drift(&found, &options(world, false))),
        }
    }
    Ok(exit)
}

/// Which fields of which records a run updated, or may have; and is that all of them? Not of a run that died and whose values could not be read then.
fn written(store: &Store, run: &RunSummary, log: &RunLog) -> Result<(Written, bool), Failure> {
    let (_, lines) = store.outcomes(&run.path, log).map_err(|problem| {
        wrong(problem).help(format!("without the outcomes of run {} it is not known which records it wrote", run.id))
    })?;
    let (mut written, mut listed) = (Written::new(), 0);
    for line in lines {
        let line = line.map_err(|e| Failure::usage(Code::UnknownRun, format!("run {}: {e}", run.id)))?;
        if let OutcomesLine::Record(line) = line
            && matches!(line.outcome, Outcome::Updated | Outcome::Unknown)
        {
            let fields = line.changes.into_iter().map(|change| change.field).collect();
            written.insert(line.record, Wrote { fields, certain: line.outcome == Outcome::Updated });
            listed += 1;
        }
    }
    Ok((written, listed >= log.may_have_written()))
}

/// The same of a run that died: any record whose values are kept may have been written. Without them it is not known which were.
fn may_be_written(
    store: &Store,
    log: &RunLog,
    kept: Result<Option<Reader>, ValuesProblem>,
    written: &mut Written,
) -> Result<(), Failure> {
    let unknown = |why: Option<String>| {
        let message = format!(
            "which records run {} wrote is not known ({} planned): it died, and its values could not be read then",
            log.id,
            counted(log.may_have_written(), "record")
        );
        let diagnostic = Diagnostic::error(Code::DriftUnknown, message)
            .note(why.unwrap_or_else(|| "no values of the run are kept here".to_owned()))
            .help(
                "`footbridge plan` tells what the report of now would change; the next run that writes is told again",
            );
        let diagnostic = match store.wrote_before(log) {
            Some(run) => diagnostic.help(format!(
                "the last run before it that is known to have written is {0}: `footbridge runs show {0}`",
                run.id
            )),
            None => diagnostic,
        };
        Failure::new(Exit::Failed, diagnostic)
    };
    for record in kept.map_err(|problem| unknown(Some(problem.to_string())))?.ok_or_else(|| unknown(None))? {
        let record = record.map_err(|problem| unknown(Some(problem.to_string())))?;
        let fields = record.before.into_keys().collect();
        written.entry(record.id).or_insert(Wrote { fields, certain: false });
    }
    Ok(())
}

async fn one(
    place: &Place<'_>,
    store: &Store,
    target: Target<'_>,
    arguments: &DriftArguments,
) -> Result<Drifted, Failure> {
    let integration = target.integration;
    let name = integration.name.value.as_str();
    let mut view = DriftOf {
        integration: name.to_owned(),
        org: integration.org.value.clone(),
        environment: target.environment.as_str().to_owned(),
        org_id: target.org_id.as_str().to_owned(),
        object: integration.object.as_str().to_owned(),
        run: None,
        start: None,
        known_by: None,
        written: 0,
        gone: 0,
        differ: 0,
        fields: Vec::new(),
        unknown: 0,
        changed_by: Vec::new(),
        fights: Vec::new(),
    };
    if let Ok(Some(run)) = unsettled(place, name, target.org_id) {
        place.world.say(&format!(
            "run {} of `{name}` was not finished, and what it wrote may stand among the differences: `{}` finishes it",
            run.head.run,
            resume(name, run.head.environment, false)
        ));
    }
    let Some(last) = store.newest(name, target.environment, target.org_id, RunSummary::wrote).map_err(wrong)? else {
        return Ok(Drifted { view, cells: Vec::new(), users: Vec::new() });
    };
    let log = store.log(&last.path).map_err(wrong)?;
    let kept = || values(place.world, store, &last.path, (name, last.org_id, &last.id));
    let (mut written, all) = written(store, &last, &log)?;
    if !all {
        may_be_written(store, &log, kept(), &mut written)?;
    }
    view.run = Some(last.id.clone());
    view.start = Some(last.start);
    view.written = written.len() as u64;

    let (connected, found) = match kept() {
        Ok(Some(reader)) => by_values(place, target, reader, &mut written, &mut view).await?,
        Ok(None) => by_report(place, target, &log, &written, None, &mut view).await?,
        Err(problem) => by_report(place, target, &log, &written, Some(&problem), &mut view).await?,
    };
    (view.gone, view.unknown) = (found.gone, found.unknown);
    view.differ = found.records.len() as u64;
    let mut totals: BTreeMap<&FieldName, u64> = BTreeMap::new();
    written.values().flat_map(|wrote| &wrote.fields).for_each(|field| *totals.entry(field).or_insert(0) += 1);
    for (field, records) in &found.fields {
        view.fields.push(DriftField {
            field: field.as_str().to_owned(),
            written: totals.get(field).copied().unwrap_or(0),
            differ: records.len() as u64,
            records: records.iter().take(NAMED).map(|r| r.as_str().to_owned()).collect(),
            also_written_by: others(place, target, field),
        });
    }
    view.fields.sort_by(|a, b| b.differ.cmp(&a.differ).then_with(|| a.field.cmp(&b.field)));
    let users = changed_by(place.world, &connected, &log, &found, &mut view).await;
    fights(place, store, target, &last, arguments.look_back, &mut view)?;
    let cells = if place.world.terminal { found.shown } else { Vec::new() };
    Ok(Drifted { view, cells, users })
}

/// Against what was kept of the run's values.
async fn by_values(
    place: &Place<'_>,
    target: Target<'_>,
    reader: Reader,
    written: &mut Written,
    view: &mut DriftOf,
) -> Result<(Connected, Cells), Failure> {
    let (connected, object) = place.describe(target, Purpose::Plan, budget(place.world)).await?;
    let mut found = Cells::default();
    let mut digests = false;
    let head = reader.head().clone();
    let mut waiting = Vec::new();
    let mut reader = reader.peekable();
    while let Some(record) = reader.next() {
        let record = record.map_err(|problem| {
            let diagnostic = Diagnostic::error(Code::DriftUnknown, problem.to_string())
                .help("restore the file, or plan: `footbridge plan` tells what the report of now would change");
            Failure::new(Exit::Failed, diagnostic)
        })?;
        if let Some(wrote) = written.get_mut(&record.id) {
            digests |= record.after.is_none();
            wrote.fields = record.before.keys().cloned().collect();
            waiting.push((record, wrote.certain));
        }
        if waiting.len() == cells::AT_ONCE || (reader.peek().is_none() && !waiting.is_empty()) {
            let read = found.compare(&connected.client, &object, &head, &waiting).await;
            read.map_err(|error| failed(&connected, &error))?;
            waiting.clear();
        }
    }
    view.known_by = Some(if digests { "digests" } else { "values" }.to_owned());
    Ok((connected, found))
}

fn failed(connected: &Connected, error: &crate::salesforce::SalesforceError) -> Failure {
    let context =
        problem::salesforce::Context { org: &connected.place, at: None, not_done: "what differs is not known" };
    problem::salesforce::failure(error, &context)
}

/// Without values: the same report under the same configuration says what was written, too.
async fn by_report(
    place: &Place<'_>,
    target: Target<'_>,
    log: &RunLog,
    written: &Written,
    why: Option<&ValuesProblem>,
    view: &mut DriftOf,
) -> Result<(Connected, Cells), Failure> {
    let unknown = |detail: &str| {
        let message = format!("what run {} wrote is not known any more: {detail}", log.id);
        let diagnostic = Diagnostic::error(Code::DriftUnknown, message)
            .note(why.map_or_else(|| "no values of the run are kept here".to_owned(), ToString::to_string))
            .help("`footbridge plan` tells what the report of now would change")
            .help("keep values from the next run on: `values: { keep: local }` (or `committed`, with `recipients`) in the project's file");
        Failure::new(Exit::Failed, diagnostic)
    };
    let Some(digests) = &log.digests else { return Err(unknown("it has no plan")) };
    if digests.configuration != target.integration.digest(target.environment) {
        return Err(unknown("the configuration has changed since"));
    }
    let report = place.open(target).await.ok().and_then(|report| report.finish().ok());
    let now = report.map(|facts| crate::model::Digest::from_sha256_hex(&facts.sha256));
    if now.as_ref() != Some(&digests.report) {
        return Err(unknown("the report has changed since"));
    }
    let mut outline = Outline::new(Form::Text, options(place.world, false));
    let planned = place.plan(target, Purpose::Plan, budget(place.world), &mut outline).await?;
    let mut found = Cells::default();
    for entry in planned.plan.planned() {
        let entry = entry.map_err(|e| Failure::bug(e.to_string()))?;
        let Some((record, wrote)) = entry.record.and_then(|r| Some((r, written.get(&r)?))) else { continue };
        for cell in entry.cells.into_iter().filter(|cell| wrote.fields.contains(&cell.field)) {
            if wrote.certain {
                found.differs(record, cell.field, Some(cell.after), cell.before);
            } else {
                found.unknown += 1;
            }
        }
    }
    view.known_by = Some("report".to_owned());
    Ok((planned.connected, found))
}

/// Other integrations of this repository that write the field.
fn others(place: &Place<'_>, target: Target<'_>, field: &FieldName) -> Vec<String> {
    let own = target.integration;
    let all = place.repository.integrations.values();
    all.filter(|other| {
        other.name.value != own.name.value
            && other.org.value == own.org.value
            && other.object.value == own.object.value
            && other.environments.contains_key(&target.environment)
            && other.fields.iter().any(|mapping| mapping.field.value == *field)
    })
    .map(|other| other.name.value.clone())
    .collect()
}

/// Who changed the records last, as far as that can be read; names for a person. Nothing of it may fail the command.
async fn changed_by(
    world: &World,
    connected: &Connected,
    log: &RunLog,
    found: &Cells,
    view: &mut DriftOf,
) -> Vec<(String, String)> {
    let ids: Vec<RecordId> = found.records.iter().take(ASKED).copied().collect();
    if ids.is_empty() {
        return Vec::new();
    }
    let columns = ["Id".to_owned(), "LastModifiedById".to_owned()];
    let Ok(blocks) = connected.client.read(&log.object, &ids, &columns).await else { return Vec::new() };
    let mut counts: HashMap<RecordId, u64> = HashMap::new();
    for block in &blocks {
        for row in 0..block.rows() {
            let user = std::str::from_utf8(block.cell(row, 1)).ok().and_then(|id| RecordId::parse(id).ok());
            user.into_iter().for_each(|user| *counts.entry(user).or_insert(0) += 1);
        }
    }
    let ours = connected.client.identity().await.ok().and_then(|identity| identity.user_id);
    let mut all: Vec<(RecordId, u64)> = counts.into_iter().collect();
    all.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut names = Vec::new();
    for (user, _) in all.iter().take(3).filter(|_| world.terminal && !world.json) {
        if let Ok(Some(name)) = connected.client.username_of(*user).await {
            names.push((user.as_str().to_owned(), name));
        }
    }
    view.changed_by = all
        .into_iter()
        .map(|(user, records)| ChangedBy { user: user.as_str().to_owned(), ours: ours == Some(user), records })
        .collect();
    names
}

/// Fields that run after run wrote back.
fn fights(
    place: &Place<'_>,
    store: &Store,
    target: Target<'_>,
    last: &RunSummary,
    look_back: usize,
    view: &mut DriftOf,
) -> Result<(), Failure> {
    let after = |run: &RunSummary| -> Option<After> {
        let reader = values(place.world, store, &run.path, (&run.integration, run.org_id, &run.id)).ok()??;
        let mut all = After::new();
        for record in reader {
            let record = record.ok()?;
            let cells = record.after.into_iter().flatten();
            all.extend(cells.map(|(field, value)| ((record.id, field), value)));
        }
        Some(all)
    };
    let found = store.written_back(last, look_back, after).map_err(wrong)?;
    let mut fields: BTreeMap<FieldName, (Fight, Vec<RecordId>)> = BTreeMap::new();
    // Once may be chance.
    for ((record, field), back) in found.into_iter().filter(|(_, back)| back.runs > 2) {
        let (fight, records) = fields.entry(field.clone()).or_insert_with(|| {
            let also_written_by = others(place, target, &field);
            let field = field.as_str().to_owned();
            (Fight { field, records: 0, runs: 0, certain: 0, listed: Vec::new(), also_written_by }, Vec::new())
        });
        fight.records += 1;
        fight.runs = fight.runs.max(back.runs);
        fight.certain += u64::from(back.certain + 1 == back.runs);
        records.push(record);
    }
    for (_, (mut fight, mut records)) in fields {
        records.sort_unstable();
        fight.listed = records.iter().take(NAMED).map(|r| r.as_str().to_owned()).collect();
        view.fights.push(fight);
    }
    view.fights.sort_by(|a, b| b.records.cmp(&a.records).then_with(|| a.field.cmp(&b.field)));
    Ok(())
}
