//! `footbridge report`: the run logs as pages for a browser.

mod arguments;
mod folder;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use jiff::Timestamp;

pub use self::arguments::ReportArguments;
use self::folder::Folder;
use super::exit::Exit;
use super::failure::Failure;
use super::ground::Place;
use super::runs::is_gone;
use super::standing::Stand;
use super::world::World;
use crate::config::{self, valid};
use crate::diag::{Code, Diagnostic};
use crate::model::{EnvironmentName, OrgId};
use crate::render::commands::{FileOutcome, FilesView, json};
use crate::render::html::{Line, Site, Standing, grid, history, run_file};
use crate::runlog::{Filter, Listed, Outcome, OutcomesLine, RecordLine, RunLog, RunSummary, Store, StoreProblem};

/// Runs of one integration that its page lists.
const LISTED: usize = 1_000;
/// Records that were not updated, on the page of a run.
const RECORDS: usize = 500;

/// An integration in an environment of an org: its name, the environment, the org's id where it is known.
type Key = (String, EnvironmentName, Option<OrgId>);

/// Runs the command.
pub fn run(world: &World, arguments: &ReportArguments) -> Result<Exit, Failure> {
    let root = world.root();
    let loaded = config::load_for(&root, &|_| None, &[]);
    let store = super::branch::store(world, &root, &loaded.repository.project);
    let mut folder = Folder::open(&world.here.join(&arguments.out))?;
    let site = Site { made: world.now(), version: env!("CARGO_PKG_VERSION").to_owned() };

    let (lines, unreadable) = lines(world, arguments, &loaded.repository, &store)?;
    folder.write("index.html", &grid(&site, &lines))?;
    for line in &lines {
        let Some(file) = line.file() else { continue };
        folder.write(&file, &history(&site, line, arguments.pages))?;
        for run in line.runs.iter().take(arguments.pages) {
            let (log, records) = one(&store, run)?;
            let file = run_file(&run.integration, run.org_id, &run.id);
            folder.write(&file, &crate::render::html::run(&site, &log, records.as_deref()))?;
        }
    }
    let written = folder.close()?;
    for (path, reason) in &unreadable {
        world.warn(&format!("left out: the run log {path} cannot be read: {reason}"));
    }
    if world.json {
        let mut files = FilesView::new(arguments.out.display().to_string());
        written.iter().for_each(|page| files.file(page, FileOutcome::Written));
        world.data(&json(&files));
    }
    world.say(&format!("wrote {} pages to {}: open index.html", written.len(), arguments.out.display()));
    Ok(if unreadable.is_empty() { Exit::Done } else { Exit::Failed })
}

/// Every integration with its runs, those that are configured and those that only have run logs, in the order of their names.
#[allow(clippy::type_complexity)]
fn lines(
    world: &World,
    arguments: &ReportArguments,
    repository: &valid::Repository,
    store: &Store,
) -> Result<(Vec<Line>, Vec<(String, String)>), Failure> {
    let wanted = |environment| arguments.env.is_none_or(|e| e == environment);
    let mut lines: BTreeMap<Key, Line> = BTreeMap::new();
    for integration in repository.integrations.values() {
        for environment in integration.environments.keys().copied().filter(|e| wanted(*e)) {
            let org = repository.org_environment(integration, environment);
            let org_id = org.and_then(|org| org.org_id.as_ref()).map(|id| id.value);
            let line = Line {
                integration: integration.name.value.clone(),
                goal: integration.goal.clone(),
                report: integration.report.name.value.clone(),
                object: integration.object.value.as_str().to_owned(),
                org: integration.org.value.clone(),
                environment,
                org_id,
                standing: Standing::default(),
                configured: true,
                runs: Vec::new(),
                total: 0,
            };
            lines.insert((line.integration.clone(), environment, org_id), line);
        }
    }
    let mut unreadable = Vec::new();
    let since = arguments.since.map(|when| when.begins(world.now()));
    let filter = Filter { environment: arguments.env, since, ..Filter::default() };
    store
        .each(&filter, |listed| {
            match listed {
                Listed::Run(run) => take(&mut lines, *run),
                Listed::Unreadable { path, reason } => unreadable.push((path.display().to_string(), reason)),
            }
            ControlFlow::Continue(())
        })
        .map_err(wrong)?;
    let (root, now) = (world.root(), world.now());
    let place = Place { world, root: &root, repository, trust: None };
    for line in lines.values_mut() {
        line.standing = standing(&place, store, line, now)?;
    }
    Ok((lines.into_values().collect(), unreadable))
}

/// A run goes to its integration's line, newest first.
fn take(lines: &mut BTreeMap<Key, Line>, run: RunSummary) {
    let key = (run.integration.clone(), run.environment, Some(run.org_id));
    let line = lines.entry(key).or_insert_with(|| Line {
        integration: run.integration.clone(),
        goal: None,
        report: run.report.clone(),
        object: run.object.as_str().to_owned(),
        org: run.org.clone(),
        environment: run.environment,
        org_id: Some(run.org_id),
        standing: Standing::default(),
        configured: false,
        runs: Vec::new(),
        total: 0,
    });
    line.total += 1;
    if line.runs.len() < LISTED {
        line.runs.push(run);
    }
}

/// How an integration stands with its schedule.
///
/// # Errors
/// The run logs cannot be read.
fn standing(place: &Place<'_>, store: &Store, line: &Line, now: Timestamp) -> Result<Standing, Failure> {
    let integration = place.repository.integrations.get(&line.integration).filter(|_| line.configured);
    let Some(integration) = integration else { return Ok(Standing::default()) };
    let stand = Stand::look(place, store, integration, line.environment, now)?;
    let environment = integration.environments.get(&line.environment);
    Ok(Standing {
        schedule: environment.and_then(|e| e.schedule.as_ref()).map(|s| s.value.cron().to_owned()),
        next: stand.judgement.as_ref().and_then(|judgement| judgement.next),
        overdue: stand.is_overdue(now),
        ran: stand.ran(),
    })
}

/// A run's log, with the first of its records that were not updated; `None` where its outcomes are not kept any more.
fn one(store: &Store, run: &RunSummary) -> Result<(RunLog, Option<Vec<RecordLine>>), Failure> {
    let log = store.log(&run.path).map_err(wrong)?;
    let mut records = Vec::new();
    if log.records.updated == log.records.records {
        return Ok((log, Some(records)));
    }
    let outcomes = match store.outcomes(&run.path, &log) {
        Ok((_, outcomes)) => outcomes,
        Err(problem) if is_gone(&problem) => return Ok((log, None)),
        Err(problem) => return Err(wrong(problem)),
    };
    for line in outcomes {
        let line = line.map_err(|e| Failure::usage(Code::UnknownRun, format!("{}: {e}", run.path.display())))?;
        match line {
            OutcomesLine::Record(record) if record.outcome != Outcome::Updated => records.push(record),
            _ => continue,
        }
        // How many there are stands in the log.
        if records.len() == RECORDS {
            break;
        }
    }
    Ok((log, Some(records)))
}

fn wrong(problem: StoreProblem) -> Failure {
    let diagnostic = Diagnostic::error(Code::UnknownRun, problem.to_string())
        .note("the pages were not finished; those that lie there already are of an earlier time or are incomplete")
        .help("`footbridge runs` lists the run logs and names those that cannot be read");
    Failure::new(Exit::Failed, diagnostic)
}
