//! `footbridge undo`: a plan from the values that a run found, shown, guarded, carried out and logged as every other.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::Args;

use super::apply::back;
use super::arguments::ApplyArguments;
use super::branch;
use super::connect::{Connected, Purpose, budget};
use super::costs;
use super::exit::Exit;
use super::failure::Failure;
use super::ground::{Place, Target};
use super::problem;
use super::repository::{Repository, scratch, values_folder};
use super::show;
use super::tokens;
use super::world::World;
use crate::diag::{Code, Diagnostic};
use crate::model::{Digest, EnvironmentName, Field, FieldName, Object, ObjectName, RecordId};
use crate::net::Budget;
use crate::plan::{
    Context, Digests, FORMAT, FieldHead, FileProblem, GuardName, Header, Lines, Plan, Sink as _, Spool, Usage, Watch,
    Way,
};
use crate::render::counted;
use crate::runlog::values::{Keep, Reader, RecordValues, ValuesProblem, is_sealed, local};
use crate::runlog::{Filter, Listed, Outcome, OutcomesLine, RunLog, Store, StoreProblem};
use crate::undo::{CHANGED_SINCE, Now, Undoing};

/// Records that are read in one call.
const PART: usize = 2_000;
/// What stands where a report's column would.
const COLUMN: &str = "value before the run";

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  footbridge undo 2026-11-22T080003Z                      plan, show, ask, write, in the run's org
  footbridge undo NAME --env production                   the last run of an integration
  footbridge undo RUN --out undo.jsonl                    keep the plan, then: footbridge apply undo.jsonl
A field goes back where it still holds what the run wrote. What somebody changed since is left alone, and listed.")]
#[allow(missing_docs)]
pub struct UndoArguments {
    /// A run's id, as `footbridge runs` shows it; `NAME/ID` where runs of several integrations have it; or its file; or an integration, for its last run
    pub run: String,
    /// The run's environment [default: the named run's; of an integration, sandbox]; production always has to be said
    #[arg(long, value_name = "ENVIRONMENT", value_parser = super::arguments::environment)]
    pub env: Option<EnvironmentName>,
    /// Write the plan to a file for `apply`, and change nothing. Holds personal data: never commit it
    #[arg(long, value_name = "FILE", conflicts_with = "yes")]
    pub out: Option<PathBuf>,
    /// Write without asking (for machines)
    #[arg(long, short)]
    pub yes: bool,
    /// Stop after this many records
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Only these records: a file with one record id a line
    #[arg(long, value_name = "FILE")]
    pub records: Option<PathBuf>,
    /// Write this many records first, read them back, and go on only if they are as planned
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=2000))]
    pub canary: Option<u64>,
    /// Let this guard pass, for this undo (max_clears, …); can be repeated
    #[arg(long, value_name = "GUARD", value_parser = super::arguments::guard)]
    pub waive: Vec<GuardName>,
    /// Do not keep the values that the undo overwrites: the undo cannot be undone
    #[arg(long)]
    pub no_undo: bool,
    /// Show every record before asking
    #[arg(long)]
    pub full: bool,
    /// Commit the run log onto the branch of run logs
    #[arg(long)]
    pub commit: bool,
    /// Commit and push it, as `apply --push` does
    #[arg(long)]
    pub push: bool,
}

/// A run that is to be taken back.
pub struct Run {
    log: RunLog,
    path: PathBuf,
    values: PathBuf,
    key: Option<age::x25519::Identity>,
    store: Store,
}

/// The plan of an undo, with what it was made from.
pub struct Undone {
    /// The plan.
    pub plan: Plan,
    /// The org.
    pub connected: Connected,
    /// The reference whose record Salesforce locks with each record.
    pub parent: Option<FieldName>,
    /// Objects of which records are locked with each record.
    pub locked: Vec<ObjectName>,
}

/// The run that is meant. By an integration's name: its newest in the environment (sandbox, unless another is said) that wrote something, so that an undo that a guard held back is not itself undone.
fn chosen(store: &Store, arguments: &UndoArguments) -> Result<(PathBuf, RunLog), Failure> {
    let (path, log) = store.read(&arguments.run).map_err(no_run)?;
    if log.integration != arguments.run {
        return Ok((path, log));
    }
    let environment = Some(arguments.env.unwrap_or(EnvironmentName::Sandbox));
    let filter = Filter { integration: Some(log.integration.clone()), environment, ..Filter::default() };
    let mut newest = None;
    let listed = store.each(&filter, |listed| match listed {
        Listed::Run(run) if run.wrote() => {
            newest = Some(run.path.clone());
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    });
    listed.map_err(no_run)?;
    match newest {
        Some(path) => store.log(&path).map(|log| (path, log)).map_err(no_run),
        None => Ok((path, log)),
    }
}

/// Runs the command.
pub async fn run(world: &World, arguments: &UndoArguments) -> Result<Exit, Failure> {
    super::ci::not_a_pull_request(world)?;
    let store = branch::of_here(world);
    let (path, log) = chosen(&store, arguments)?;
    let environment = log.environment;
    let said = match arguments.env {
        Some(env) => env,
        None if environment == EnvironmentName::Production => {
            return Err(Failure::usage(Code::NotConfirmed, format!("run {} was in production", log.id))
                .help("add `--env production`"));
        }
        None => environment,
    };
    if said != environment {
        return Err(Failure::usage(Code::NotConfirmed, format!("run {} was in {environment}", log.id))
            .help(format!("write `--env {environment}`, or name a run of {said}")));
    }
    if log.may_have_written() == 0 {
        world.tell(&format!("Run {} updated no record: there is nothing to undo.", log.id));
        return Ok(Exit::Done);
    }
    let repository = Repository::load(world, environment)?;
    let place = repository.place(world);
    let target = place.target(place.integration(&log.integration)?, environment)?;
    if target.org_id != log.org_id {
        let message =
            format!("run {} wrote to org {}, and {environment} is org {} now", log.id, log.org_id, target.org_id);
        let diagnostic = Diagnostic::error(Code::StaleOrg, message).note("nothing was read or written");
        return Err(Failure::new(Exit::Unauthorised, diagnostic.help("records of another org are not taken back")));
    }
    if target.integration.object.value != log.object {
        let message = format!(
            "run {} wrote {} records, and `{}` is about {} now",
            log.id, log.object, log.integration, target.integration.object.value
        );
        return Err(Failure::usage(Code::StaleConfiguration, message)
            .help("go back to the commit of that run, and undo it there"));
    }
    let values = store.values(&values_folder(place.root), &path, (&log.integration, log.org_id, &log.id));
    let values = values.ok_or_else(|| missing(&store, &log))?;
    let key = if is_sealed(&values) { tokens::identity(world)? } else { None };
    let run = Run { log, path, values, key, store };
    // Whether it opens is known before anybody logs in.
    run.open()?;
    if let Some(out) = &arguments.out {
        let options =
            crate::render::Options { waived: arguments.waive.clone(), ..show::options(world, arguments.full) };
        let mut outline = show::outline(world, super::arguments::Format::Text, options);
        let undone = plan(&place, target, &run, Purpose::Plan, budget(world), &mut outline).await?;
        let path = world.here.join(out);
        super::plan::write(&path, &undone.plan).map_err(|e| Failure::io("write the plan file", &path, &e))?;
        show::print(world, &outline, &undone.plan)?;
        world.say(&format!("wrote {} (holds personal data: do not commit it)", out.display()));
        return Ok(Exit::Done);
    }
    let apply = ApplyArguments {
        env: arguments.env,
        yes: arguments.yes,
        limit: arguments.limit,
        records: arguments.records.clone(),
        canary: arguments.canary,
        waive: arguments.waive.clone(),
        no_undo: arguments.no_undo,
        full: arguments.full,
        commit: arguments.commit,
        push: arguments.push,
        ..ApplyArguments::default()
    };
    back(&place, target, &apply, &run).await
}

fn no_run(problem: StoreProblem) -> Failure {
    Failure::usage(Code::UnknownRun, problem.to_string()).help("`footbridge runs` lists the runs")
}

/// A run without values: why, and what can be done all the same.
fn missing(store: &Store, log: &RunLog) -> Failure {
    let name = &log.integration;
    let local = local(&values_folder(Path::new("")), name, log.org_id, log.values_id()).display().to_string();
    let (why, what) = match log.values.as_ref().map(|v| v.keep) {
        Some(Keep::Local) => (
            "they were kept on the machine that applied, and this is another one, or they were removed".to_owned(),
            format!("undo it there, or copy `{local}` from there"),
        ),
        Some(Keep::Committed) => (
            "its file is not beside the run log".to_owned(),
            "fetch it: it was committed with the run log (`*.values.age`)".to_owned(),
        ),
        Some(Keep::None) => (
            "the run kept none (`--no-undo`, or `values: { keep: none }`)".to_owned(),
            "for later runs: `values: { keep: committed, recipients: [age1…] }` in the project file".to_owned(),
        ),
        None => {
            ("the run was made before values were kept, or sent nothing".to_owned(), "later runs keep them".to_owned())
        }
    };
    let diagnostic =
        Diagnostic::error(Code::ValuesMissing, format!("run {} has no values to go back to: {why}", log.id))
            .note("nothing was read from Salesforce and nothing was written")
            .help(what);
    let diagnostic = if log.records.updated == 0 {
        // It died, and what it wrote was not found out. Another run than the last is taken back only where somebody names it.
        let diagnostic =
            diagnostic.note(format!("of {} it is not known which it wrote", counted(log.records.unknown, "record")));
        match store.wrote_before(log) {
            Some(run) => diagnostic.help(format!(
                "the last run before it that is known to have written is {0}: `footbridge undo {0}` takes it back where its values still stand",
                run.id
            )),
            None => diagnostic,
        }
    } else {
        diagnostic.help(format!(
            "which records and fields it changed: `footbridge runs show {}`; a report with the old values, applied with `{name}`, sets them anew",
            log.id
        ))
    };
    Failure::new(Exit::Failed, diagnostic)
}

impl Run {
    fn open(&self) -> Result<Reader, Failure> {
        let reader = self.store.open_values(&self.values, self.key.as_ref()).map_err(|p| self.unreadable(&p))?;
        let head = reader.head();
        let log = &self.log;
        let its_own = head.run == log.id || head.run == log.values_id();
        if !its_own || (&head.integration, head.org_id) != (&log.integration, log.org_id) {
            let detail = "it holds the values of another run".to_owned();
            return Err(self.unreadable(&ValuesProblem::Damaged { path: self.values.clone(), detail }));
        }
        Ok(reader)
    }

    fn unreadable(&self, problem: &ValuesProblem) -> Failure {
        let recipients = self.log.values.as_ref().map(|v| v.recipients.join(", ")).unwrap_or_default();
        let whose = if recipients.is_empty() { "one of its recipients".to_owned() } else { recipients };
        let code = match problem {
            ValuesProblem::NoKey { .. } | ValuesProblem::WrongKey { .. } => Code::ValuesLocked,
            ValuesProblem::Io { .. } => Code::FileUnreadable,
            _ => Code::ValuesDamaged,
        };
        let help = match code {
            Code::ValuesLocked => {
                format!("set FOOTBRIDGE_KEY to the secret key (AGE-SECRET-KEY-1…) that belongs to {whose}")
            }
            Code::FileUnreadable => "check the file's permissions".to_owned(),
            _ => "restore the file from git, or from the machine that applied".to_owned(),
        };
        let diagnostic = Diagnostic::error(code, problem.to_string())
            .note("nothing was read from Salesforce and nothing was written")
            .help(help);
        Failure::new(if code == Code::ValuesLocked { Exit::Unauthorised } else { Exit::Failed }, diagnostic)
    }

    /// The records that the run wrote, or may have written; `None`: any whose values are kept, since it died and which they were was not found out then.
    fn updated(&self) -> Result<Option<HashSet<RecordId>>, Failure> {
        let (mut updated, mut listed) = (HashSet::new(), 0);
        for line in self.store.outcomes(&self.path, &self.log).map_err(no_run)?.1 {
            let line = line
                .map_err(|e| Failure::usage(Code::UnknownRun, format!("the outcomes of run {}: {e}", self.log.id)))?;
            if let OutcomesLine::Record(line) = line
                && matches!(line.outcome, Outcome::Updated | Outcome::Unknown)
            {
                updated.insert(line.record);
                listed += 1;
            }
        }
        Ok((listed >= self.log.may_have_written()).then_some(updated))
    }
}

/// The digest of the definitions of the fields that a plan writes.
pub fn definitions(object: &Object, header: &Header) -> Digest {
    let mut fields: Vec<Option<Field>> = header.fields.iter().map(|f| object.field(&f.field).cloned()).collect();
    // Who may edit is no part of a definition.
    fields.iter_mut().flatten().for_each(|field| field.updateable = true);
    Digest::of(&serde_json::to_vec(&fields).unwrap_or_default())
}

/// Plans the way back.
///
/// # Errors
/// The values cannot be read, or the org cannot.
pub async fn plan(
    place: &Place<'_>,
    target: Target<'_>,
    run: &Run,
    purpose: Purpose,
    budget: Budget,
    watch: &mut dyn Watch,
) -> Result<Undone, Failure> {
    let (world, log) = (place.world, &run.log);
    let updated = run.updated()?;
    let reader = run.open()?;
    let calls_before = budget.counters().calls;
    let (connected, object) = place.describe(target, purpose, budget.clone()).await?;
    let wrong = |error| {
        let context = problem::salesforce::Context { org: &connected.place, at: None, not_done: "nothing was written" };
        problem::salesforce::failure(&error, &context)
    };
    let head = reader.head().clone();
    let targets: Vec<crate::undo::Target> = head
        .fields
        .iter()
        .map(|(name, then)| crate::undo::Target::new(name.clone(), then, object.field(name), connected.reader))
        .collect();
    let mut columns = vec!["Id".to_owned()];
    columns.extend(targets.iter().filter(|t| t.readable()).map(|t| t.name().as_str().to_owned()));
    let cells = columns.len();
    let known = ["LastModifiedDate", "LastModifiedById"].map(|name| object.field(&name.into()).is_some());
    if known == [true, true] {
        columns.extend(["LastModifiedDate".to_owned(), "LastModifiedById".to_owned()]);
    }
    let mut header = header(target, log, &object, &head.fields.keys().cloned().collect::<Vec<_>>(), run);
    for field in &mut header.fields {
        field.field_type = head.fields.get(&field.field).cloned().unwrap_or(field.field_type.clone());
    }
    header.digests.definitions = definitions(&object, &header);
    header.digests.report = head.changes.clone();
    let unkept = |problem: FileProblem| match problem {
        FileProblem::Keep(e) => Failure::io("keep the plan in a temporary file below", place.root, &e),
        other => Failure::bug(other.to_string()),
    };
    let file = scratch(place.root).map_err(|e| unkept(FileProblem::Keep(e)))?;
    let mut spool = Spool::start(file, &header, watch).map_err(unkept)?;
    let mut undoing = Undoing::new(targets, &head.salt, COLUMN);
    let (mut left_out, mut part) = (0u64, Vec::new());
    let mut digester = crate::plan::PlanDigester::new(&header.line().map_err(|e| Failure::bug(e.to_string()))?);
    let mut org_rows = 0;
    let mut reader = reader.fuse();
    loop {
        let next = reader.next().transpose().map_err(|p| run.unreadable(&p))?;
        let last = next.is_none();
        match next {
            Some(values) if updated.as_ref().is_none_or(|updated| updated.contains(&values.id)) => part.push(values),
            Some(_) => left_out += 1,
            None => {}
        }
        if part.is_empty() || (part.len() < PART && !last) {
            if last {
                break;
            }
            continue;
        }
        let ids: Vec<RecordId> = part.iter().map(|values: &RecordValues| values.id).collect();
        let blocks = connected.client.read(&object.name, &ids, &columns).await.map_err(wrong)?;
        let mut places = std::collections::HashMap::new();
        for (at, block) in blocks.iter().enumerate() {
            for row in 0..block.rows() {
                let id = std::str::from_utf8(block.cell(row, 0)).ok().and_then(|id| RecordId::parse(id).ok());
                places.extend(id.map(|id| (id, (at, row))));
                org_rows += 1;
            }
        }
        let mut lines = Lines::default();
        for values in part.drain(..) {
            let found: Option<Vec<&[u8]>> = places
                .get(&values.id)
                .map(|&(at, row)| (1..columns.len()).map(|column| blocks[at].cell(row, column)).collect());
            let text = |column: usize| {
                let cell = found.as_ref().and_then(|cells| cells.get(column - 1));
                cell.and_then(|cell| std::str::from_utf8(cell).ok()).unwrap_or_default()
            };
            let now =
                found.as_ref().map(|all| Now { cells: &all[..cells - 1], modified: text(cells), by: text(cells + 1) });
            undoing.record(&values, now, &mut lines).map_err(|e| Failure::bug(e.to_string()))?;
        }
        digester.update(&lines.bytes);
        spool.lines(&lines).map_err(unkept)?;
    }
    let changed_since = undoing.changed_since();
    let mut summary = undoing.finish();
    (summary.inputs, summary.changes) = digester.finish();
    let written = target.integration.environments.get(&target.environment).map(|e| &e.guards);
    if let Some(written) = written {
        // A run has no rows that might be too few.
        let guards = crate::reconcile::Guards { min_rows: None, ..super::compile::guards(written) };
        summary.guards = guards.verdicts(&summary);
    }
    let usage = connected.client.usage();
    let writing = costs::writing(summary.records, &object, &header.fields, target.integration.write, usage);
    let usage = usage.map(|u| Usage { used: u.used, allowed: u.allowed });
    let (calls_made, calls_to_come) = (budget.counters().calls, writing.estimate.calls);
    let calls_guard = written.and_then(|guards| {
        let limit = super::compile::limit(guards.max_calls);
        costs::calls_guard(limit, calls_made - calls_before, calls_to_come, usage)
    });
    let mut warnings = Vec::new();
    if left_out > 0 {
        warnings.push(format!("{} of the run were not updated by it, and are left out", counted(left_out, "record")));
    }
    if changed_since > 0 {
        let fields = counted(changed_since, "field");
        warnings.push(format!("{fields} left alone: changed since the run (`{CHANGED_SINCE}`, listed below)"));
    }
    let context = Context {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        planned_at: world.now(),
        report_modified: None,
        columns: Vec::new(),
        blanks: std::collections::BTreeMap::new(),
        read_by: Way::Lookup,
        calls_made,
        calls_to_come,
        reading: None,
        writing: Some(writing),
        calls_guard,
        usage,
        org_rows,
        record_links: Some(connected.record_links.clone()),
        not_checked: Vec::new(),
        warnings,
    };
    let plan = spool.finish(summary, context).map_err(unkept)?;
    if let Some(broken) = plan.broken().into_iter().next() {
        return Err(Failure::bug(format!("the plan contradicts itself: {broken}")));
    }
    Ok(Undone { plan, connected, parent: object.parent, locked: object.locked })
}

fn header(target: Target<'_>, log: &RunLog, object: &Object, fields: &[FieldName], run: &Run) -> Header {
    let integration = target.integration;
    let field = |name: &FieldName| {
        let described = object.field(name);
        FieldHead {
            field: name.clone(),
            label: described.map_or_else(|| name.as_str().to_owned(), |f| f.label.clone()),
            field_type: described.map_or(crate::model::FieldType::String, |f| f.field_type.clone()),
            column: COLUMN.to_owned(),
            show_values: integration.fields.iter().any(|m| m.field.value == *name && m.show_values),
        }
    };
    Header {
        format: FORMAT.to_owned(),
        integration: log.integration.clone(),
        report: format!("values before run {}", log.id),
        source: run.values.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default(),
        object: object.name.clone(),
        object_label: object.label.clone(),
        org: integration.org.value.clone(),
        environment: target.environment,
        org_id: log.org_id,
        match_column: "Record".to_owned(),
        match_field: FieldName::new("Id"),
        scope: None,
        undo_of: Some(log.id.clone()),
        fields: fields.iter().map(field).collect(),
        digests: Digests {
            configuration: integration.digest(target.environment),
            report: Digest::of(b""),
            definitions: Digest::of(b""),
        },
    }
}
