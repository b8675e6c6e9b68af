//! `footbridge validate`: the configuration alone, or against the org.

use super::arguments::{ProblemFormat, ValidateArguments};
use super::connect::{Purpose, budget};
use super::exit::Exit;
use super::failure::Failure;
use super::repository::Repository;
use super::world::World;
use crate::diag::Code;
use crate::render::counted;

/// Runs the command.
pub async fn run(world: &World, arguments: &ValidateArguments) -> Result<Exit, Failure> {
    if arguments.format == ProblemFormat::Github {
        world.annotate();
    }
    if !arguments.online {
        let repository = Repository::load_offline(world)?;
        let all = &repository.place(world).repository.integrations;
        let files = repository.files();
        for (org, variables) in repository.unset() {
            world.say(&format!("{org} needs variables that are not set here: {}", variables.join(", ")));
        }
        world.say(&format!(
            "valid: {} in {}; --online checks them against the org",
            counted(all.len() as u64, "integration"),
            counted(files as u64, "file")
        ));
        return Ok(Exit::Done);
    }
    let repository = Repository::load(world, arguments.env)?;
    let place = repository.place(world);
    let mut exit = Exit::Done;
    if !place.repository.integrations.values().any(|i| i.environments.contains_key(&arguments.env)) {
        return Err(Failure::usage(Code::NothingNamed, format!("no integration runs in {}", arguments.env))
            .help(format!("add `{}: {{}}` under `environments:` of an integration", arguments.env)));
    }
    for integration in place.repository.integrations.values().filter(|i| i.environments.contains_key(&arguments.env)) {
        let checked = async {
            let target = place.target(integration, arguments.env)?;
            place.ground(target, Purpose::Plan, budget(world)).await
        };
        match checked.await {
            Ok(ground) => {
                super::tell_all(world, &ground.stands.compiled.warnings);
                let unchecked = match ground.stands.compiled.not_checked.is_empty() {
                    true => String::new(),
                    false => format!(" (not checked: {})", ground.stands.compiled.not_checked.join(", ")),
                };
                world.say(&format!("{}: fits {}{unchecked}", integration.name.value, ground.stands.connected.place));
            }
            Err(failure) => {
                exit = exit.and(failure.exit);
                super::tell(world, &failure);
            }
        }
    }
    Ok(exit)
}
