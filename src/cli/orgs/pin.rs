//! `footbridge orgs pin`: a sandbox was refreshed, and has another id now.

use super::arguments::PinArguments;
use super::ask::fits;
use super::chosen::chosen;
use super::connect::{keep, tell};
use super::reach::{Reached, reach};
use super::write::write;
use crate::cli::connect::Door;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::repository::Repository;
use crate::cli::world::World;
use crate::diag::{Code, Diagnostic};
use crate::model::EnvironmentName;
use crate::render::escape::Terminal;

/// Runs the command.
pub async fn run(world: &World, arguments: &PinArguments) -> Result<Exit, Failure> {
    let repository = Repository::load_orgs(world)?;
    let door = chosen(&repository.place(world), &arguments.name, arguments.env, false)?;
    let found = reach(&door, &arguments.how).await?;
    let agreed = agreed(&door, &found, arguments).await;
    let word = found.kept_only_if(&door, agreed).await?;
    let key = keep(&door, &found)?;
    let written = write(&door, found.answer.organization.id)?;
    if written.is_none() {
        world.say(&format!("{} is pinned to {} already", door.label(), found.answer.organization.id));
    }
    tell(&door, &found, word, key, written);
    Ok(Exit::Done)
}

/// Is it what the environment's name says, and does a person agree where it is production?
async fn agreed(door: &Door<'_>, found: &Reached, arguments: &PinArguments) -> Result<Option<String>, Failure> {
    // A pin that is to be changed says nothing of the new org.
    let word = fits(door, &found.answer, arguments.how.not_a_sandbox)?;
    let organization = &found.answer.organization;
    let old = door.settings.org_id.as_ref().map(|id| id.value);
    if old == Some(organization.id) {
        return Ok(word);
    }
    let before = old.map_or_else(|| "nothing".to_owned(), |id| id.to_string());
    door.world.say(&format!(
        "{}: pinned to {before}; this is {}, {} ({})",
        door.label(),
        organization.id,
        Terminal(&organization.name),
        found.answer.kind()
    ));
    if door.environment == EnvironmentName::Sandbox {
        return Ok(word);
    }
    let question = format!("Pin production to {}? Type the org's name ({}) to go on:", organization.id, door.org);
    let asked = door.world.clone();
    let answer = tokio::task::spawn_blocking(move || asked.ask(&question)).await.unwrap_or(None);
    match answer {
        Some(answer) if answer == door.org => Ok(word),
        Some(_) => {
            let diagnostic = Diagnostic::error(Code::NotConfirmed, "not confirmed: the pin is as it was")
                .help(format!("to change it, run it again and type `{}`", door.org));
            Err(Failure::new(Exit::Failed, diagnostic))
        }
        None => Err(Failure::usage(Code::NotConfirmed, "nobody to ask: the pin is as it was")
            .help("production is pinned by a person on a terminal, or by editing `org_id:`")),
    }
}
