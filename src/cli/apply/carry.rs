//! One integration carried out: lock → plan → guards → question → journal → run → run log.

use std::path::{Path, PathBuf};
use std::time::Instant;

use jiff::Timestamp;

use super::ask::confirm;
use super::errand::Errand;
use super::expect;
use super::intent;
use super::jobs;
use super::keeping;
use super::log::{self, About, Ended};
use super::progress::Shown;
use super::publish::Publisher;
use super::refused;
use super::signals;
use super::turn::Turn;
use super::verify;
use crate::apply::{
    Apply, Cancel, Facts, Head, Holder, Journal, JournalProblem, Lock, LockProblem, Remaining, Selection, Settings,
    Stale, Start, Unfinished, canary, precheck, unfinished,
};
use crate::cli::arguments::ApplyArguments;
use crate::cli::connect::{Connected, Purpose};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::ground::{Place, Target};
use crate::cli::orgs::warn_unless_passed;
use crate::cli::repository::state_folder;
use crate::cli::show;
use crate::cli::undo;
use crate::cli::world::World;
use crate::diag::{Code, Diagnostic};
use crate::model::{EnvironmentName, FieldName, ObjectName, OrgId, RecordId};
use crate::net::Budget;
use crate::plan::{GuardName, GuardVerdict, Limit, Plan};
use crate::render::plan::{Form, Outline};
use crate::render::{Options, counted};
use crate::runlog::{Careful, ExitReason, NotAttempted, Quota, SecondLook, Trigger, stamp};

/// Where journals and locks lie.
pub fn journals(place: &Place<'_>) -> PathBuf {
    journals_of(place.root)
}

fn journals_of(root: &Path) -> PathBuf {
    state_folder(root).join("journal")
}

/// Takes the lock of an integration and org.
pub fn lock(place: &Place<'_>, integration: &str, org_id: OrgId, start: Timestamp) -> Result<Lock, Failure> {
    let holder = Holder { pid: std::process::id(), run: stamp(start), started: start };
    Lock::take(&state_folder(place.root).join("lock"), integration, org_id, &holder).map_err(|problem| match problem {
        LockProblem::Held { .. } => {
            let diagnostic = Diagnostic::error(Code::Locked, problem.to_string())
                .note("nothing was sent")
                .help("wait until it has ended, then try again");
            Failure::new(Exit::Failed, diagnostic)
        }
        LockProblem::Io { .. } => Failure::new(
            Exit::Failed,
            Diagnostic::error(Code::JournalUnwritable, problem.to_string()).note("nothing was sent"),
        ),
    })
}

/// A journal that cannot be made or read.
pub fn journal_failure(problem: &JournalProblem) -> Failure {
    let diagnostic = Diagnostic::error(Code::JournalUnwritable, problem.to_string());
    // A journal that cannot be removed any more belongs to a run that has ended.
    let diagnostic = match problem {
        JournalProblem::Write { .. } => diagnostic,
        _ => diagnostic.note("nothing was sent"),
    };
    let diagnostic = diagnostic.help("free or mend the disk below `.footbridge/`, then try again");
    Failure::new(Exit::Failed, diagnostic)
}

/// What is kept of a plan to show it before it is carried out.
pub fn outline(world: &World, arguments: &ApplyArguments) -> Outline {
    let options = Options { waived: arguments.waive.clone(), ..show::options(world, arguments.full) };
    Outline::new(Form::Text, options)
}

/// What a plan is made from.
pub enum From<'a> {
    /// The integration's report.
    Report,
    /// A plan file, read.
    File(Box<(Plan, Outline)>),
    /// The values of a run that is to be taken back.
    Run(&'a undo::Run),
}

/// What an apply is told: how to go about it, and what it is part of.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The command's arguments.
    pub arguments: &'a ApplyArguments,
    /// The part of the plan that is carried out.
    pub selection: &'a Selection,
    /// What it is part of.
    pub errand: &'a Errand,
    /// What brings its log to the branch.
    pub publisher: &'a Publisher,
    /// The word to stop.
    pub cancel: &'a Cancel,
}

/// Applies one integration, from a plan file or after planning.
pub async fn integration(
    place: &Place<'_>,
    target: Target<'_>,
    given: From<'_>,
    asked: Asked<'_>,
) -> Result<Exit, Failure> {
    let start = place.world.now();
    let name = &target.integration.name.value;
    let _lock = lock(place, name, target.org_id, start)?;
    refuse_unfinished(place, name, target.org_id, asked.publisher.pushes())?;
    let turn = asked.publisher.begin(*place, target, asked.arguments, start, asked.cancel).await?;
    // The locks are ours, and with them all that others have done since the schedule was looked at.
    if asked.errand.tick.is_some() && super::scheduled::is_over(&turn, target)? {
        return turn.ended(Ok(Exit::Done));
    }
    let late = match asked.errand.tick {
        Some(_) => super::told(place.world, super::scheduled::late(&turn, target, start, asked.cancel).await),
        None => Exit::Done,
    };
    let ended = in_turn(&turn, target, given, asked, start).await.map(|exit| exit.and(late));
    turn.ended(ended.map_err(|failure| Failure { exit: failure.exit.and(late), ..failure }))
}

/// What is done while the locks are held.
async fn in_turn(
    turn: &Turn<'_>,
    target: Target<'_>,
    given: From<'_>,
    asked: Asked<'_>,
    start: Timestamp,
) -> Result<Exit, Failure> {
    let Asked { arguments, selection, errand, cancel, .. } = asked;
    let place = turn.place();
    let world = place.world;
    let name = &target.integration.name.value;
    let org_id = target.org_id;

    let budget = errand.budget.clone();
    if let Some(how) = arguments.jobs {
        jobs::clear(place, target, how, &budget, cancel).await?;
    }
    let from_file = matches!(given, From::File(_));
    let planning = async {
        match given {
            From::Report => {
                let mut outline = outline(world, arguments);
                let planned = place.plan(target, Purpose::Apply, budget.clone(), &mut outline).await?;
                let report = Some((planned.report.bytes, planned.report.rows));
                let checked = (planned.plan, planned.connected, planned.parent, planned.locked, report, Vec::new());
                Ok((checked, outline))
            }
            From::File(given) => {
                let (plan, outline) = *given;
                Ok((checked(place, target, plan, budget.clone()).await?, outline))
            }
            From::Run(run) => {
                let mut outline = outline(world, arguments);
                let undone = undo::plan(place, target, run, Purpose::Apply, budget.clone(), &mut outline).await?;
                Ok(((undone.plan, undone.connected, undone.parent, undone.locked, None, Vec::new()), outline))
            }
        }
    };
    let planned = tokio::select! {
        biased;
        () = heard(cancel) => Err(signals::interrupted()),
        planned = planning => planned,
    };
    let ((mut plan, connected, parent, locked, report, stale), outline) =
        planned.map_err(|failure| match log::unplanned(turn, target, start, &failure, errand) {
            Ok(()) => failure,
            Err(unwritten) => failure.and(unwritten),
        })?;
    world.bug_on_demand("planned", &(&plan, &outline));
    first_run(turn, target, arguments, &mut plan)?;
    warn_unless_passed(place, &target.integration.org.value, name, target.environment, org_id);
    if world.json && !arguments.yes {
        // Who is asked has to see what about; standard output is for data.
        let mut text = Vec::new();
        outline.write(&plan, &mut text).map_err(|e| show::unreadable(&e))?;
        world.warn(&String::from_utf8_lossy(&text));
    } else if !world.json && (!world.quiet || !arguments.yes) {
        show::print(world, &outline, &plan)?;
        world.print("");
    }
    let quota = |connected: &Connected| connected.client.usage().map(|u| Quota { used: u.used, allowed: u.allowed });
    let run = keeping::run_id(turn, name, org_id, start);
    let undo_of = plan.header.undo_of.clone();
    let about = |connected: &Connected| About {
        trigger: if undo_of.is_some() { Trigger::Undo } else { errand.trigger() },
        tick: errand.tick,
        run: run.clone(),
        start,
        user: connected.username.clone(),
        waived: &arguments.waive,
        selection,
        counters: budget.counters(),
        quota: quota(connected),
        report_bytes: report.map(|(bytes, _)| bytes),
        api: connected.client.api_version().to_owned(),
        turn,
        careful: Careful { undo_of: undo_of.clone(), ..Careful::default() },
    };
    let nothing = |reason, why| log::write(place, &plan, &Ended::Nothing(reason, why), about(&connected));
    let failed = |code| log::write(place, &plan, &Ended::Failed(code), about(&connected));
    if !stale.is_empty() {
        let failure = Failure { exit: Exit::Stale, diagnostics: refused::stale(&stale) };
        return Err(logged(nothing(ExitReason::Stale, NotAttempted::Stale), failure));
    }
    if let Some(failure) = expect::differs(&plan, arguments.expect.as_ref(), from_file) {
        return Err(logged(nothing(ExitReason::Stale, NotAttempted::Stale), failure));
    }
    let held: Vec<&GuardVerdict> = plan.held_by(&arguments.waive).collect();
    if errand.waits(&held) {
        return super::scheduled::waits(turn, target, errand.passed, &held);
    }
    if !held.is_empty() {
        let failure = Failure { exit: Exit::Held, diagnostics: refused::guards(&held, name) };
        return Err(logged(nothing(ExitReason::Guard, NotAttempted::Guard), failure));
    }
    if plan.is_empty() {
        return nothing(ExitReason::NothingToDo, NotAttempted::Guard);
    }
    not_planned(world, &plan, selection)?;
    let _turn = errand.turns.take(plan.header.org_id, &locked, cancel).await?;
    let write = target.integration.write;
    let bulk = jobs::bulk(write, &plan, selection);
    if bulk || jobs::may_have_been(write, report.map_or(0, |(_, rows)| rows)) {
        jobs::none_at_work(world, &connected, &plan).await?;
    }
    let keep = match keeping::decide(place, target.environment, name, arguments.no_undo) {
        Ok(keep) => keep,
        Err(failure) => return Err(logged(failed(Code::NoPlaceForValues), failure)),
    };
    confirm(world, &plan, selection, arguments.yes, cancel).await?;
    // Before the first change is sent, what it overwrites is on disk.
    let values = match keeping::keep(place, &plan, &run, keep.as_ref()) {
        Ok(values) => values,
        Err(failure) => return Err(logged(failed(Code::ValuesUnwritable), failure)),
    };

    let canary = match arguments.canary {
        Some(count) => canary(&plan, selection, count).map_err(|e| show::unreadable(&std::io::Error::other(e)))?,
        None => Vec::new(),
    };
    let begun = Start {
        run: run.clone(),
        started: start,
        tick: errand.tick,
        selection: selection.clone(),
        bulk,
        parent,
        canary,
    };
    let journal = match Journal::start(&journals(place), &plan, begun) {
        Ok(journal) => journal,
        Err(problem) => {
            let reason = NotAttempted::Other("no journal could be made".to_owned());
            return Err(logged(nothing(ExitReason::Error, reason), journal_failure(&problem)));
        }
    };
    if let Err(failure) = intent::push(turn, &plan, &about(&connected), bulk, &values) {
        // Nothing was sent: no record is in doubt, and there is nothing to resume.
        let closed = journal.close().map_err(|p| journal_failure(&p));
        let failure = closed.err().into_iter().fold(failure, Failure::and);
        return Err(logged(failed(Code::IntentNotPushed), failure));
    }
    let settings = jobs::settings(place, write);
    let carried = carry_out(turn, &plan, &connected, journal, Remaining::default(), &settings, cancel).await;
    let mut about = about(&connected);
    about.careful.values = Some(values);
    if arguments.verify && undo_of.is_none() {
        about.careful.verify = carried.verified(place, target, &plan, selection, &budget, cancel).await;
        about.counters = budget.counters();
    }
    if undo_of.is_some() {
        world.say(&format!("what `{name}` maps is written again by its next apply, unless its report, its mapping or its schedule is changed first"));
    }
    carried.ended(place, &plan, about)
}

/// Ends when the word to stop is given.
pub async fn heard(cancel: &Cancel) {
    cancel.clone().cancelled().await;
}

/// A failure whose run log was to be written: where that failed, too, both are told.
fn logged(written: Result<Exit, Failure>, failure: Failure) -> Failure {
    match written {
        Ok(_) => failure,
        Err(unwritten) => failure.and(unwritten),
    }
}

/// A run that has come to its end, with the journal that still holds it.
pub struct Carried {
    journal: Journal,
    outcomes: Result<crate::apply::Outcomes, crate::apply::RunError>,
}

impl Carried {
    /// Writes the run log; only then the journal goes.
    pub fn ended(self, place: &Place<'_>, plan: &Plan, about: About<'_>) -> Result<Exit, Failure> {
        let outcomes = self.outcomes.map_err(|error| {
            Failure::new(
                Exit::Bug,
                Diagnostic::error(Code::LedgerUnbalanced, error.to_string())
                    .help("the journal in .footbridge/journal is kept; please report it"),
            )
        })?;
        verify::tell(place.world, &outcomes);
        let resume = resume(&plan.header.integration, plan.header.environment, about.turn.pushing().is_some());
        let exit = log::write(place, plan, &Ended::Carried(&outcomes), about)?;
        if outcomes.jobs_left().next().is_some() {
            // The journal stays: with it the job's results are still to be had.
            jobs::say_left(place.world, &outcomes, &resume);
            return Ok(exit);
        }
        let unread = outcomes.unread();
        if unread > 0 {
            place.world.say(&format!(
                "whether {} were written could not be found out; `{resume}` looks again, and sends nothing",
                counted(unread, "record")
            ));
            return Ok(exit);
        }
        self.journal.close().map_err(|p| journal_failure(&p))?;
        Ok(exit)
    }

    /// Plans again, and holds what would change against what the run did.
    async fn verified(
        &self,
        place: &Place<'_>,
        target: Target<'_>,
        plan: &Plan,
        selection: &Selection,
        budget: &Budget,
        cancel: &Cancel,
    ) -> Option<SecondLook> {
        let outcomes = self.outcomes.as_ref().ok()?;
        if outcomes.ledger.updated == 0 || cancel.is_cancelled() {
            return None;
        }
        let second = verify::again(place, target, plan, outcomes, selection, budget.clone());
        tokio::select! {
            biased;
            () = heard(cancel) => None,
            second = second => Some(second),
        }
    }
}

/// Carries out what is left of a plan, until it is done or the word to stop is given.
pub async fn carry_out(
    turn: &Turn<'_>,
    plan: &Plan,
    connected: &Connected,
    mut journal: Journal,
    from: Remaining,
    settings: &Settings,
    cancel: &Cancel,
) -> Carried {
    // `time_outs: { run: … }` ends a run as a signal does: everything on disk, the rest not attempted. So does its lock's end: whoever finds it too old takes
    // the run for dead, and writes.
    let place = turn.place();
    let (canceller, stop) = Cancel::new();
    let longest = [place.repository.project.run_time_out, turn.left()].into_iter().flatten().min();
    let outer = cancel.clone();
    let watch = tokio::spawn(async move {
        let over = match longest {
            None => {
                heard(&outer).await;
                false
            }
            Some(longest) => tokio::select! {
                () = heard(&outer) => false,
                () = tokio::time::sleep(longest) => true,
            },
        };
        canceller.cancel();
        over
    });
    let began = Instant::now();
    let clock = move || began.elapsed();
    let budget = connected.client.budget();
    let mut retries = |repeated, after| budget.take(repeated, after);
    let mut shown = Shown::new(place.world, plan.summary.records);
    let work = Apply {
        org: &connected.client,
        settings,
        retries: &mut retries,
        clock: &clock,
        cancel: stop,
        observer: &mut shown,
    };
    let outcomes = work.run(plan, &mut journal, from).await;
    shown.end();
    if !watch.is_finished() {
        watch.abort();
    } else if watch.await.unwrap_or(false) {
        place.world.say("stopped: its time is over (`time_outs: run`, or `git: stale_after` of its lock)");
    }
    Carried { journal, outcomes }
}

/// A run of the integration and org that was killed, or left a job, and is not settled.
pub fn unsettled(place: &Place<'_>, integration: &str, org_id: OrgId) -> Result<Option<Unfinished>, JournalProblem> {
    let all = unfinished(&journals(place))?;
    Ok(all.into_iter().find(|u| u.head.integration == integration && u.head.org_id == org_id))
}

/// Says which runs of this machine are not settled: no log tells of them yet, or not of all that they did. One at work is among them.
pub fn say_unsettled(world: &World, root: &Path) {
    // What cannot be read here is told by whoever needs it.
    for run in unfinished(&journals_of(root)).unwrap_or_default() {
        let Head { run, integration, environment, records, .. } = &run.head;
        world.say(&format!(
            "run {run} of {integration} in {environment} ({}) has not come to its end: unless it is at work, `{}` settles it",
            counted(*records, "record"),
            resume(integration, *environment, false)
        ));
    }
}

/// The command that settles a run of this integration, and of no other.
pub fn resume(integration: &str, environment: EnvironmentName, pushes: bool) -> String {
    let push = if pushes { " --push" } else { "" };
    format!("footbridge apply {integration} --resume --env {environment}{push}")
}

fn refuse_unfinished(place: &Place<'_>, integration: &str, org_id: OrgId, pushes: bool) -> Result<(), Failure> {
    let Some(found) = unsettled(place, integration, org_id).map_err(|p| journal_failure(&p))? else { return Ok(()) };
    let what = if !found.jobs.is_empty() {
        let ids = found.jobs.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(", ");
        format!("ended before the results of its bulk job were fetched ({ids})")
    } else if found.finished {
        "ended, and its log may not have been written, or some of its records not read".to_owned()
    } else {
        "was killed before it ended".to_owned()
    };
    let message =
        format!("run {} of `{integration}` {what} ({} planned)", found.head.run, counted(found.head.records, "record"));
    let resume = resume(integration, found.head.environment, pushes);
    let mut diagnostic = Diagnostic::error(Code::Interrupted, message)
        .note("nothing was sent")
        .help(format!("finish it first: `{resume}`"));
    if !found.jobs.is_empty() {
        diagnostic = diagnostic.help(format!("to stop its bulk job before that: `{resume} --jobs abort`"));
    }
    if found.given_up {
        diagnostic = diagnostic.note("it was given up: nothing more is sent for it");
    } else {
        diagnostic =
            diagnostic.help(format!("to send nothing more, and only find out what was written: `{resume} --give-up`"));
    }
    Err(Failure::new(Exit::Failed, diagnostic))
}

/// The plan, the org, the object's parent, the objects that are locked with it, the report's bytes and rows, and what makes the plan stale.
type Checked = (Plan, Connected, Option<FieldName>, Vec<ObjectName>, Option<(u64, u64)>, Vec<Stale>);

/// A plan file against what is there now.
async fn checked(place: &Place<'_>, target: Target<'_>, plan: Plan, budget: Budget) -> Result<Checked, Failure> {
    if plan.header.undo_of.is_some() {
        // It has no report; what its records hold now is looked at before each of them is written.
        let (connected, object) = place.describe(target, Purpose::Apply, budget).await?;
        let facts = Facts {
            digests: crate::plan::Digests {
                configuration: target.integration.digest(target.environment),
                report: plan.header.digests.report.clone(),
                definitions: undo::definitions(&object, &plan.header),
            },
            org_id: connected.org_id,
        };
        let stale = precheck(&plan, &facts).err().unwrap_or_default();
        return Ok((plan, connected, object.parent, object.locked, None, stale));
    }
    let ground = place.ground(target, Purpose::Apply, budget).await?;
    let span = &target.integration.source(target.environment).location.span;
    let definitions = ground.stands.compiled.definitions.clone();
    let report = ground.report.finish().map_err(|e| crate::cli::problem::report::failure(e, Some(span)))?;
    let facts = Facts {
        digests: crate::plan::Digests {
            configuration: target.integration.digest(target.environment),
            report: crate::model::Digest::from_sha256_hex(&report.sha256),
            definitions,
        },
        org_id: ground.stands.connected.org_id,
    };
    let stale = precheck(&plan, &facts).err().unwrap_or_default();
    let parent = ground.stands.object.parent.clone();
    let locked = ground.stands.object.locked.clone();
    Ok((plan, ground.stands.connected, parent, locked, Some((report.bytes, report.rows)), stale))
}

/// An integration's first apply to production needs a person.
fn first_run(turn: &Turn<'_>, target: Target<'_>, arguments: &ApplyArguments, plan: &mut Plan) -> Result<(), Failure> {
    // What is taken back was a run already.
    if target.environment != EnvironmentName::Production || plan.header.undo_of.is_some() {
        return Ok(());
    }
    let before = turn
        .store()
        .last_carried_out(&target.integration.name.value, target.environment, plan.header.org_id)
        .map_err(|e| Failure::usage(Code::UnknownRun, e.to_string()))?;
    let value = u64::from(before.is_none());
    let held = before.is_none() && !arguments.first_run;
    plan.summary.guards.retain(|g| g.name != GuardName::FirstRun);
    plan.summary.guards.push(GuardVerdict { name: GuardName::FirstRun, value, base: 0, limit: Limit::Count(0), held });
    Ok(())
}

/// Says which of the chosen records have nothing to be changed: a slip in the file must not pass for work done.
fn not_planned(world: &World, plan: &Plan, selection: &Selection) -> Result<(), Failure> {
    let Some(only) = &selection.only else { return Ok(()) };
    let mut without = only.clone();
    for entry in plan.planned() {
        let entry = entry.map_err(|e| show::unreadable(&std::io::Error::other(e)))?;
        entry.record.iter().for_each(|record| _ = without.remove(record));
    }
    if without.is_empty() {
        return Ok(());
    }
    let listed = without.iter().take(10).map(RecordId::as_str).collect::<Vec<_>>().join(" ");
    let more = without.len().saturating_sub(10);
    let more = if more > 0 { format!(" … and {more} more") } else { String::new() };
    let count = counted(without.len() as u64, "record");
    world.say(&format!("no change is planned for {count} of `--records`: {listed}{more}"));
    Ok(())
}
