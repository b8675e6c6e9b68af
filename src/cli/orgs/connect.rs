//! `footbridge orgs connect`: logs in, shows who and which org that is, keeps the log-in, and writes the org's id.

use super::arguments::ConnectArguments;
use super::ask::fits;
use super::chosen::chosen;
use super::reach::{Reached, reach};
use super::write::{Written, write};
use crate::cli::connect::Door;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::repository::Repository;
use crate::cli::tokens::{KeyPlace, Unusable, vault_or_new};
use crate::cli::world::World;
use crate::render::escape::json_text;
use crate::render::orgs::{ConnectionView, Reach, WrittenView, reached};
use crate::salesforce::SalesforceError;
use crate::vault::Turn;

/// Runs the command.
pub async fn run(world: &World, arguments: &ConnectArguments) -> Result<Exit, Failure> {
    let repository = Repository::load_orgs(world)?;
    let door = chosen(&repository.place(world), &arguments.name, arguments.env, arguments.plans)?;
    let found = reach(&door, &arguments.how).await?;
    let fit = fits(&door, &found.answer, arguments.how.not_a_sandbox).and_then(|word| {
        let actual = found.answer.organization.id;
        match &door.settings.org_id {
            Some(pinned) if pinned.value != actual => {
                let error = SalesforceError::WrongOrg { pinned: pinned.value, actual };
                Err(door.failure(&error, &pinned.span))
            }
            _ => Ok(word),
        }
    });
    let word = found.kept_only_if(&door, fit).await?;
    let key = keep(&door, &found)?;
    let written = write(&door, found.answer.organization.id)?;
    tell(&door, &found, word, key, written);
    Ok(Exit::Done)
}

/// Keeps a person's log-in, in place of the one that is there.
pub fn keep(door: &Door<'_>, found: &Reached) -> Result<Option<KeyPlace>, Failure> {
    let Some(connection) = found.connection(door) else { return Ok(None) };
    let (vault, _) = vault_or_new(door.world, door.root)?;
    // Not in the middle of another command's renewal, which would write its own tokens over these.
    let folder = crate::cli::repository::state_folder(door.root);
    let _turn = Turn::take(&folder, &door.place(), &|| {}).map_err(Unusable::from)?;
    vault.put(connection).map_err(Unusable::from)?;
    Ok(found.grant.as_ref().map(|grant| grant.key.clone()))
}

/// Says who and which org it is, and what was kept and written.
pub fn tell(door: &Door<'_>, found: &Reached, word: Option<String>, key: Option<KeyPlace>, written: Option<Written>) {
    let world = door.world;
    let organization = &found.answer.organization;
    if world.json {
        world.data(&json_text(&ConnectionView {
            format: "footbridge connection-view/1",
            org: door.org,
            environment: door.environment.as_str(),
            org_id: organization.id.as_str(),
            name: &organization.name,
            is_sandbox: organization.is_sandbox,
            edition: &organization.organization_type,
            instance: &organization.instance,
            instance_url: found.instance.trim_end_matches('/'),
            user: found.answer.username.as_deref(),
            flow: found.flow,
            api_version: &door.settings.api_version,
            kept: key.is_some(),
            written: written.map(|written| WrittenView { file: written.file, line: written.line }),
        }));
    } else {
        let kept = match &key {
            Some(key) => format!("kept in .footbridge/tokens.age, encrypted; the key is {key}"),
            None => "nothing is kept on this machine".to_owned(),
        };
        world.tell(&reached(&Reach {
            label: &door.label(),
            user: found.answer.username.as_deref(),
            name: &organization.name,
            org_id: organization.id.as_str(),
            kind: found.answer.kind(),
            instance: &organization.instance,
            address: found.instance.trim_end_matches('/'),
            api_version: &door.settings.api_version,
            flow: found.flow,
            kept: &kept,
        }));
        if let Some(written) = &written {
            world.tell(&format!("\nWrote org_id: {} to {}, line {}.", organization.id, written.file, written.line));
        }
    }
    if let Some(word) = word {
        world.say(&format!("\n{word}"));
    }
}
