//! `footbridge apply`: makes the changes of a plan, and leaves a run log.

mod ask;
pub(in crate::cli) mod carry;
mod died;
mod errand;
mod expect;
mod intent;
mod jobs;
pub(super) mod keeping;
mod log;
mod progress;
mod publish;
mod refused;
mod remote_lock;
mod resume;
mod scheduled;
mod side;
pub(in crate::cli) mod signals;
mod turn;
mod unusable;
mod verify;

pub use expect::{Expected, parse as expected};

use std::collections::BTreeSet;
use std::path::Path;

use self::carry::{Asked, From};
use self::errand::Errand;
use self::publish::Publisher;
use self::side::Work;
use super::arguments::ApplyArguments;
use super::exit::Exit;
use super::failure::Failure;
use super::ground::{Place, Target};
use super::repository::Repository;
use super::show;
use super::undo;
use super::world::World;
use crate::apply::Cancel;
use crate::diag::Code;
use crate::model::{EnvironmentName, RecordId};

/// Runs the command.
pub async fn run(world: &World, arguments: &ApplyArguments) -> Result<Exit, Failure> {
    super::ci::not_a_pull_request(world)?;
    let cancel = signals::hear();
    if arguments.resume {
        let environment = arguments.env.unwrap_or(EnvironmentName::Sandbox);
        let repository = Repository::load(world, environment)?;
        return resume::run(&repository.place(world), arguments, environment, &cancel).await;
    }
    if arguments.due {
        return scheduled::run(world, arguments, &cancel).await;
    }
    if arguments.targets.is_empty() && !arguments.all {
        return Err(Failure::usage(Code::NothingNamed, "say what to apply: nothing was planned and nothing was written")
            .help("`footbridge apply NAME` for one integration, `footbridge apply --all` for all of them, `footbridge apply --due` for those whose schedule says so, `footbridge apply FILE` for a plan file")
            .help("`footbridge plan` shows what would change"));
    }
    if arguments.expect.is_some() && (arguments.all || arguments.targets.len() != 1) {
        return Err(Failure::usage(
            Code::NothingNamed,
            "`--expect` is the digest of one integration's plan: nothing was planned and nothing was written",
        )
        .help("name that integration: `footbridge apply NAME --expect DIGEST`"));
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
    if arguments.all || arguments.targets.len() > 1 {
        world.several();
    }
    let selection = selection(world, arguments)?;
    // Every name is looked up before the first is applied.
    let mut works = Vec::new();
    for name in &names {
        works.push(Work { target: place.target(place.integration(name)?, environment)?, tick: None, passed: None });
    }
    let publisher = Publisher::of(&place, arguments)?;
    let exit = side::apply(place, &works, arguments, &selection, &publisher, &cancel).await;
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
    let errand = Errand::alone(world);
    let asked = Asked { arguments, selection: &selection, errand: &errand, publisher: &publisher, cancel };
    let ended = carry::integration(&place, target, given, asked).await;
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
    let errand = Errand::alone(place.world);
    let publisher = Publisher::of(place, arguments)?;
    let asked = Asked { arguments, selection: &selection, errand: &errand, publisher: &publisher, cancel: &cancel };
    let ended = carry::integration(place, target, From::Run(run), asked).await;
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
