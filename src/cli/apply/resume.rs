//! `footbridge apply --resume`: finishes runs that were killed. Needs nothing but their journals.

use std::collections::BTreeSet;

use super::carry::{carry_out, heard, journal_failure, journals, lock};
use super::died;
use super::jobs;
use super::keeping;
use super::log::About;
use super::publish::{NOTHING, Publisher};
use super::signals;
use super::told;
use super::turn::Turn;
use crate::apply::{Cancel, Journal, Remaining, Resumed, Unfinished, unfinished};
use crate::cli::arguments::{ApplyArguments, OtherJobs};
use crate::cli::connect::{Purpose, budget, connect};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::ground::{Place, Target};
use crate::diag::{Code, Diagnostic};
use crate::model::EnvironmentName;
use crate::plan::Plan;
use crate::render::grouped;
use crate::runlog::{Careful, Filter, Listed, Quota, RunLog, Trigger};

/// Finishes every unfinished run of the environment.
pub async fn run(
    place: &Place<'_>,
    arguments: &ApplyArguments,
    environment: EnvironmentName,
    cancel: &Cancel,
) -> Result<Exit, Failure> {
    let named = |u: &Unfinished| arguments.targets.is_empty() || arguments.targets.contains(&u.head.integration);
    let all: Vec<Unfinished> = unfinished(&journals(place))
        .map_err(|p| journal_failure(&p))?
        .into_iter()
        .filter(|u| u.head.environment == environment && named(u))
        .collect();
    let (publisher, intents) = publisher(place, arguments, environment, !all.is_empty())?;
    let mut exit = Exit::Done;
    let dead = dead(&intents, &publisher, arguments, environment, &all);
    if all.is_empty() && dead.is_empty() {
        let diagnostic =
            Diagnostic::error(Code::NothingToResume, format!("no run in {environment} was left unfinished"));
        return Err(Failure::new(Exit::Usage, diagnostic));
    }
    place.world.several();
    for name in dead {
        // Taking the turn is all that it needs: what died runs left is cleared up first of all.
        let cleared = async {
            let target = place.target(place.integration(&name)?, environment)?;
            let start = place.world.now();
            let _lock = lock(place, &name, target.org_id, start)?;
            publisher.begin(*place, target, arguments, start, cancel).await?.ended(Ok(Exit::Done))
        };
        exit = exit.and(told(place.world, cleared.await));
        place.world.end_document();
    }
    for one in all {
        if cancel.is_cancelled() {
            exit = exit.and(told(place.world, Err(signals::interrupted())));
            break;
        }
        exit = exit.and(told(place.world, finish(place, &one, arguments, &publisher, cancel).await));
        place.world.end_document();
    }
    Ok(exit.and(told(place.world, publisher.finish(place))))
}

/// Brings logs to the branch where that was said; or where a run that is to be finished, or one that died elsewhere, has its intent on the remote. With what was
/// about to be written by runs that have no log.
fn publisher(
    place: &Place<'_>,
    arguments: &ApplyArguments,
    environment: EnvironmentName,
    here: bool,
) -> Result<(Publisher, Vec<RunLog>), Failure> {
    // Pushing fetches the branch: what is on it is looked at after that.
    let pushes = arguments.push.then(|| Publisher::on(place, true)).transpose()?;
    let intents = intents(place, arguments.push)?;
    let of_here = intents.iter().any(|log| log.environment == environment);
    let publisher = match pushes {
        Some(publisher) => publisher,
        None if of_here && (here || !arguments.commit) => {
            let publisher = Publisher::on(place, true)?;
            // What this clone knew may long be cleared up.
            return Ok((publisher, self::intents(place, true)?));
        }
        None => Publisher::of(place, arguments)?,
    };
    Ok((publisher, intents))
}

/// What was about to be written by runs that have no log.
fn intents(place: &Place<'_>, asked: bool) -> Result<Vec<RunLog>, Failure> {
    let intents = place.store_and_locks(asked)?.intents().map_err(|problem| died::unreadable(&problem))?;
    Ok(intents.into_iter().map(|(_, intent)| intent.log).collect())
}

/// Integrations with runs that died on other machines: their intents are on the remote, their journals are not here.
fn dead(
    intents: &[RunLog],
    publisher: &Publisher,
    arguments: &ApplyArguments,
    environment: EnvironmentName,
    here: &[Unfinished],
) -> BTreeSet<String> {
    if !publisher.pushes() {
        return BTreeSet::new();
    }
    let named = |name: &String| arguments.targets.is_empty() || arguments.targets.contains(name);
    let elsewhere = intents.iter().filter(|log| {
        let same = |u: &Unfinished| u.head.integration == log.integration && u.head.org_id == log.org_id;
        log.environment == environment && !here.iter().any(same)
    });
    elsewhere.map(|log| log.integration.clone()).filter(named).collect()
}

async fn finish(
    place: &Place<'_>,
    one: &Unfinished,
    arguments: &ApplyArguments,
    publisher: &Publisher,
    cancel: &Cancel,
) -> Result<Exit, Failure> {
    let start = one.head.started;
    let _lock = lock(place, &one.head.integration, one.head.org_id, start)?;
    let mut resumed = Resumed::open(&one.path).map_err(|p| journal_failure(&p))?;
    if arguments.give_up && !resumed.remaining.given_up {
        resumed.give_up().map_err(|p| journal_failure(&p))?;
    }
    let Resumed { journal, plan, remaining } = resumed;
    let target = place.target(place.integration(&one.head.integration)?, one.head.environment)?;
    let turn = publisher.resume(*place, target, start)?;
    if is_buried(&turn, one)? {
        journal.close().map_err(|p| journal_failure(&p))?;
        place.world.say(&format!(
            "run {} of {} was cleared up by another machine, whose log of it is on the branch: plan afresh",
            one.head.run, one.head.integration
        ));
        return turn.ended(Ok(Exit::Done));
    }
    let ended = in_turn(&turn, one, target, (journal, plan, remaining), arguments, cancel).await;
    turn.ended(ended)
}

/// Has another machine taken the run for dead, found out what became of its records, and written its log? Its plan is of the time before that.
fn is_buried(turn: &Turn<'_>, one: &Unfinished) -> Result<bool, Failure> {
    let filter = Filter {
        integration: Some(one.head.integration.clone()),
        org_id: Some(one.head.org_id),
        since: Some(one.head.started),
        ..Filter::default()
    };
    let listed = turn.store().list(&filter).map_err(|problem| {
        let diagnostic =
            Diagnostic::error(Code::RunDied, format!("whether the run was cleared up is not known: {problem}"));
        Failure::new(Exit::Failed, diagnostic.note(NOTHING).help("mend what the message says, then try again"))
    })?;
    Ok(listed.iter().filter_map(Listed::run).any(|run| run.id == one.head.run && run.is_of_the_dead()))
}

async fn in_turn(
    turn: &Turn<'_>,
    one: &Unfinished,
    target: Target<'_>,
    left: (Journal, Plan, Remaining),
    arguments: &ApplyArguments,
    cancel: &Cancel,
) -> Result<Exit, Failure> {
    let (place, (journal, plan, remaining)) = (turn.place(), left);
    let start = one.head.started;
    let budget = budget(place.world);
    let org = (target.integration.org.value.as_str(), target.environment, target.org);
    let log_in = connect(place.world, place.root, &place.repository.project, org, Purpose::Apply, budget.clone());
    let connected = tokio::select! {
        biased;
        () = heard(cancel) => return Err(signals::interrupted()),
        connected = log_in => connected?,
    };
    if connected.org_id != plan.header.org_id {
        return Err(Failure::new(
            Exit::Unauthorised,
            Diagnostic::error(Code::StaleOrg, "the run was begun in another org"),
        ));
    }
    let left = remaining.count(&plan);
    let rest = if remaining.given_up { "; nothing more is sent" } else { "" };
    place.world.say(&format!(
        "run {} of {}: {} of {} records have no end yet{rest}",
        one.head.run,
        one.head.integration,
        grouped(left),
        grouped(plan.summary.records)
    ));
    let mut settings = jobs::settings(place, target.integration.write);
    settings.jobs.abort = arguments.jobs == Some(OtherJobs::Abort);
    let carried = carry_out(turn, &plan, &connected, journal, remaining, &settings, cancel).await;
    let values = keeping::kept_before(turn, &one.head.integration, one.head.org_id, &one.head.run);
    let about = About {
        trigger: Trigger::Resume,
        run: one.head.run.clone(),
        tick: one.head.tick,
        start,
        user: connected.username.clone(),
        waived: &[],
        selection: &one.head.selection,
        counters: budget.counters(),
        quota: connected.client.usage().map(|u| Quota { used: u.used, allowed: u.allowed }),
        report_bytes: None,
        api: connected.client.api_version().to_owned(),
        turn,
        careful: Careful { undo_of: plan.header.undo_of.clone(), values: Some(values), ..Careful::default() },
    };
    carried.ended(place, &plan, about)
}
