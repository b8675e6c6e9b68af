//! `footbridge apply --resume`: finishes runs that were killed. Needs nothing but their journals.

use super::carry::{carry_out, heard, journal_failure, journals, lock};
use super::keeping;
use super::log::About;
use super::signals;
use super::told;
use crate::apply::{Cancel, Resumed, Unfinished, unfinished};
use crate::cli::arguments::ApplyArguments;
use crate::cli::connect::{Purpose, budget, connect};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::ground::Place;
use crate::diag::{Code, Diagnostic};
use crate::model::EnvironmentName;
use crate::runlog::{Careful, Quota, Trigger};

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
    if all.is_empty() {
        let diagnostic =
            Diagnostic::error(Code::NothingToResume, format!("no run in {environment} was left unfinished"));
        return Err(Failure::new(Exit::Usage, diagnostic));
    }
    let mut exit = Exit::Done;
    for one in all {
        if cancel.is_cancelled() {
            exit = exit.and(told(place.world, Err(signals::interrupted())));
            break;
        }
        exit = exit.and(told(place.world, finish(place, &one, cancel).await));
    }
    Ok(exit)
}

async fn finish(place: &Place<'_>, one: &Unfinished, cancel: &Cancel) -> Result<Exit, Failure> {
    let start = one.head.started;
    let _lock = lock(place, &one.head.integration, one.head.org_id, start)?;
    let Resumed { journal, plan, remaining } = Resumed::open(&one.path).map_err(|p| journal_failure(&p))?;
    let target = place.target(place.integration(&one.head.integration)?, one.head.environment)?;
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
    place.world.say(&format!(
        "run {} of {}: {left} of {} records are left",
        one.head.run, one.head.integration, plan.summary.records
    ));
    let carried = carry_out(place, &plan, &connected, journal, remaining, target.integration.write, cancel).await;
    let values = keeping::kept_before(place, &one.head.integration, one.head.org_id, &one.head.run);
    let about = About {
        trigger: Trigger::Resume,
        run: one.head.run.clone(),
        tick: None,
        start,
        user: connected.username.clone(),
        waived: &[],
        selection: &one.head.selection,
        counters: budget.counters(),
        quota: connected.client.usage().map(|u| Quota { used: u.used, allowed: u.allowed }),
        report_bytes: None,
        api: connected.client.api_version().to_owned(),
        careful: Careful { undo_of: plan.header.undo_of.clone(), values: Some(values), ..Careful::default() },
    };
    carried.ended(place, &plan, about)
}
