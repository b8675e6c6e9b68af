//! `footbridge orgs disconnect`: revokes a log-in at Salesforce, then forgets it.

use super::arguments::DisconnectArguments;
use super::chosen::chosen;
use super::reach::endpoint;
use crate::cli::connect::{Door, budget};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::repository::{Repository, state_folder};
use crate::cli::tokens::{Unusable, sf, stored};
use crate::cli::world::World;
use crate::config::valid::{Auth, LogIn};
use crate::diag::{Code, Diagnostic};
use crate::model::Secret;
use crate::render::escape::{Terminal, json_text};
use crate::render::orgs::{DisconnectionView, Revoked};
use crate::salesforce::{SalesforceError, TokenErrorCode};
use crate::vault::Turn;

/// Where an admin ends every log-in of an app.
const ADMIN: &str = "an admin can end it in Salesforce: Setup > Connected Apps OAuth Usage, or on the user's own page";

enum Ended {
    /// Now.
    Now,
    /// Salesforce did not know it any more.
    Before,
}

/// Runs the command.
pub async fn run(world: &World, arguments: &DisconnectArguments) -> Result<Exit, Failure> {
    let repository = Repository::load_orgs(world)?;
    let door = chosen(&repository.place(world), &arguments.name, arguments.env, arguments.plans)?;
    let label = door.label();
    // Not in the middle of another command's renewal: its new token would live on.
    let _turn = Turn::take(&state_folder(door.root), &door.place(), &|| {
        world.say(&format!("waiting for another command that renews the log-in of {label}"));
    })
    .map_err(Unusable::from)?;
    let kept = stored(world, door.root, &door.place())?;
    let (token, instance) = match &kept {
        Some((_, kept)) => (kept.refresh_token.clone().or(kept.access_token.clone()), kept.instance.clone()),
        None => (given(&door), door.settings.login_domain.base_url()),
    };
    let ended = match token {
        Some(token) => Some(revoke(&door, &instance, &token).await),
        None => None,
    };
    let revoked = match &ended {
        None => Revoked::Nothing,
        Some(Ok(Ended::Now)) => Revoked::Now,
        Some(Ok(Ended::Before)) => Revoked::Before,
        Some(Err(_)) => Revoked::No,
    };
    let unrevoked = match ended {
        None if kept.is_none() => {
            nothing(&door);
            return Ok(ended_as(&door, Revoked::Nothing, false));
        }
        None | Some(Ok(Ended::Now)) => {
            world.tell(&format!("{label}: revoked at Salesforce."));
            None
        }
        Some(Ok(Ended::Before)) => {
            world.tell(&format!("{label}: Salesforce did not know the log-in any more; it had ended already."));
            None
        }
        Some(Err(error)) => Some(error),
    };
    if let Some(error) = unrevoked {
        let message = format!("{label}: not revoked: {}", Terminal(&error.to_string()));
        let diagnostic = Diagnostic::error(Code::NotRevoked, message).help(ADMIN);
        if kept.is_none() || !arguments.force {
            let diagnostic = match &kept {
                Some(_) => {
                    diagnostic.note("it is still kept here").help("try again, or say `--force` to forget it here")
                }
                None => diagnostic.help("try again"),
            };
            return Err(Failure::new(Exit::Failed, diagnostic));
        }
        crate::cli::tell(world, &Failure::new(Exit::Failed, diagnostic.note("forgotten here, as --force asks")));
    }
    if let Some((vault, _)) = &kept {
        vault.remove(&door.place()).map_err(Unusable::from)?;
        world.tell(&format!("{label}: forgotten on this machine."));
    } else {
        world.tell(&format!("{label}: take the token out of the environment, too: it opens nothing any more."));
    }
    Ok(ended_as(&door, revoked, kept.is_some()))
}

/// Says it as data.
fn ended_as(door: &Door<'_>, revoked: Revoked, forgotten: bool) -> Exit {
    if door.world.json {
        door.world.data(&json_text(&DisconnectionView {
            format: "footbridge disconnection-view/1",
            org: door.org,
            environment: door.environment.as_str(),
            plans: door.plans,
            revoked,
            forgotten,
        }));
    }
    Exit::Done
}

async fn revoke(door: &Door<'_>, instance: &str, token: &Secret) -> Result<Ended, SalesforceError> {
    let refused = |_| SalesforceError::InstanceRefused { host: instance.to_owned() };
    let endpoint = endpoint(door, instance, budget(door.world)).map_err(refused)?;
    match endpoint.revoke(token).await {
        Ok(()) => Ok(Ended::Now),
        Err(SalesforceError::Token(error))
            if matches!(error.code, TokenErrorCode::UnsupportedTokenType | TokenErrorCode::InvalidGrant) =>
        {
            Ok(Ended::Before)
        }
        Err(error) => Err(error),
    }
}

/// A token that the environment gives.
fn given(door: &Door<'_>) -> Option<Secret> {
    match &door.log_in.value {
        LogIn::Ready(Auth::RefreshToken { refresh_token, .. }) => Some(refresh_token.value.clone()),
        LogIn::Ready(Auth::AccessToken { token }) => Some(token.value.clone()),
        LogIn::Ready(Auth::SfAuthUrl { auth_url }) => sf::auth_url(&auth_url.value).map(|parts| parts.refresh_token),
        _ => None,
    }
}

/// Nothing is kept here, and nothing can be revoked from here.
fn nothing(door: &Door<'_>) {
    let label = door.label();
    let flow = match &door.log_in.value {
        LogIn::Ready(auth) => auth.flow(),
        LogIn::Unset(_) => "",
    };
    let how = match flow {
        "jwt" => "it logs in by a private key: take the key away from this machine, or the certificate out of the app",
        "client_credentials" => "it logs in by the app's secret: take the secret away, or have it renewed in the app",
        "sf_cli" => "it is `sf` that is logged in: `sf org logout` ends that",
        _ => "nobody has logged in",
    };
    door.world.tell(&format!(
        "{label}: nothing is kept on this machine; {how}. {}{}.",
        &ADMIN[..1].to_uppercase(),
        &ADMIN[1..]
    ));
}
