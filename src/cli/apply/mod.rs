//! `footbridge apply`: makes the changes of a plan, and leaves a run log.

mod ask;
mod carry;
mod died;
mod intent;
mod jobs;
pub(super) mod keeping;
mod log;
mod progress;
mod publish;
mod resume;
mod signals;
mod verify;

use std::collections::BTreeSet;
use std::path::Path;

use self::carry::From;
use self::publish::Publisher;
use super::arguments::ApplyArguments;
use super::exit::Exit;
use super::failure::Failure;
use super::ground::{Place, Target};
use super::repository::Repository;
use super::show;
use super::undo;
use super::world::World;
use crate::apply::Cancel;
use crate::diag::{Code, Diagnostic};
use crate::model::{EnvironmentName, RecordId};

/// Runs the command.
pub async fn run(world: &World, arguments: &ApplyArguments) -> Result<Exit, Failure> {
    let cancel = signals::hear();
    if arguments.resume {
        let environment = arguments.env.unwrap_or(EnvironmentName::Sandbox);
        let repository = Repository::load(world, environment)?;
        return resume::run(&repository.place(world), arguments, environment, &cancel).await;
    }
    if arguments.targets.is_empty() && !arguments.all {
        return Err(Failure::usage(Code::NothingNamed, "say what to apply: nothing was planned and nothing was written")
            .help("`footbridge apply NAME` for one integration, `footbridge apply --all` for all of them, `footbridge apply FILE` for a plan file")
            .help("`footbridge plan` shows what would change"));
    }
    if let [one] = arguments.targets.as_slice() {
        let path = world.here.join(one);
        if path.is_file() {
            return from_file(world, arguments, &path, &cancel).await;
        }
    }
    let environment = arguments.env.unwrap_or(EnvironmentName::Sandbox);
    let repository = Repository::load(world, environment)?;
    let place = repository.place(world);
    let names: Vec<String> = if arguments.all {
        let all = place.repository.integrations.values();
        let wanted = all.filter(|i| i.environments.contains_key(&environment) && i.has_label(&arguments.label));
        wanted.map(|i| i.name.value.clone()).collect()
    } else {
        arguments.targets.clone()
    };
    if names.is_empty() {
        return Err(crate::cli::nothing_chosen(environment, &arguments.label)
            .help(format!("add `{environment}: {{}}` under `environments:` of an integration")));
    }
    let selection = selection(world, arguments)?;
    // Every name is looked up before the first is applied.
    let mut targets = Vec::new();
    for name in &names {
        targets.push(place.target(place.integration(name)?, environment)?);
    }
    let publisher = Publisher::of(&place, arguments)?;
    let mut exit = Exit::Done;
    for target in targets {
        if cancel.is_cancelled() {
            let name = &target.integration.name.value;
            let diagnostic =
                Diagnostic::error(Code::Interrupted, format!("`{name}` was not begun: the apply was interrupted"));
            super::tell(world, &Failure::new(Exit::Failed, diagnostic));
            exit = exit.and(Exit::Failed);
            continue;
        }
        let given = From::Report;
        let ended = carry::integration(&place, target, arguments, selection.clone(), given, &publisher, &cancel).await;
        exit = exit.and(told(world, ended));
    }
    Ok(exit.and(told(world, publisher.finish(&place))))
}

async fn from_file(world: &World, arguments: &ApplyArguments, path: &Path, cancel: &Cancel) -> Result<Exit, Failure> {
    let mut outline = carry::outline(world, arguments);
    let plan = show::read(world, path, true, &mut outline)?;
    let environment = plan.header.environment;
    if environment == EnvironmentName::Production && arguments.env != Some(EnvironmentName::Production) {
        return Err(Failure::usage(Code::NotConfirmed, "this plan is for production").help("add `--env production`"));
    }
    if arguments.env.is_some_and(|e| e != environment) {
        return Err(Failure::usage(Code::NotConfirmed, format!("this plan is for {environment}"))
            .help("leave `--env` out, or plan anew"));
    }
    let repository = Repository::load(world, environment)?;
    let place = repository.place(world);
    let target = place.target(place.integration(&plan.header.integration)?, environment)?;
    let selection = selection(world, arguments)?;
    let publisher = Publisher::of(&place, arguments)?;
    let given = From::File(Box::new((plan, outline)));
    let ended = carry::integration(&place, target, arguments, selection, given, &publisher, cancel).await;
    Ok(told(world, ended).and(told(world, publisher.finish(&place))))
}

/// Takes a run back: the plan is made from its values, and carried out as every other.
pub async fn back(
    place: &Place<'_>,
    target: Target<'_>,
    arguments: &ApplyArguments,
    run: &undo::Run,
) -> Result<Exit, Failure> {
    let cancel = signals::hear();
    let selection = selection(place.world, arguments)?;
    let publisher = Publisher::of(place, arguments)?;
    let ended = carry::integration(place, target, arguments, selection, From::Run(run), &publisher, &cancel).await;
    Ok(told(place.world, ended).and(told(place.world, publisher.finish(place))))
}

/// One failure never stops another integration: it is told, and counts for the exit code.
fn told(world: &World, ended: Result<Exit, Failure>) -> Exit {
    ended.unwrap_or_else(|failure| {
        super::tell(world, &failure);
        failure.exit
    })
}

/// `--limit` and `--records`.
fn selection(world: &World, arguments: &ApplyArguments) -> Result<crate::apply::Selection, Failure> {
    let only = arguments.records.as_ref().map(|file| records(&world.here.join(file))).transpose()?;
    Ok(crate::apply::Selection { limit: arguments.limit, only })
}

fn records(path: &Path) -> Result<BTreeSet<RecordId>, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| Failure::usage(Code::FileUnreadable, format!("{}: {e}", path.display())))?;
    let mut ids = BTreeSet::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let id = RecordId::parse(line).map_err(|problem| {
            Failure::usage(Code::WrongForm, format!("{}, line {}: {problem}", path.display(), number + 1))
        })?;
        ids.insert(id);
    }
    Ok(ids)
}
