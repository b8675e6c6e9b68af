//! Logs in by whatever flow is written, and asks the org what it is.

use super::arguments::{Flow, How};
use super::ask::{Answer, ask};
use super::{browser, device};
use crate::cli::connect::{Door, budget, http, url};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::tokens::{KeyPlace, Unusable, vault_or_new};
use crate::config::valid::Auth;
use crate::diag::{Code, Diagnostic};
use crate::model::Secret;
use crate::net::Budget;
use crate::salesforce::{self, Grant, Login};
use crate::vault::Connection;

/// An org that was reached.
pub struct Reached {
    /// What it says of itself.
    pub answer: Answer,
    /// The flow's word.
    pub flow: &'static str,
    /// Where calls go.
    pub instance: String,
    /// A person's log-in that is to be kept.
    pub grant: Option<NewGrant>,
}

/// A person's log-in that is new.
pub struct NewGrant {
    /// Where the key lies that it is kept under.
    pub key: KeyPlace,
    /// The app.
    pub client_id: String,
    /// The tokens.
    pub grant: Grant,
}

/// The token endpoint, for what a person's log-in needs. It can change things: revoke.
///
/// # Errors
/// The host rule refuses the domain.
pub fn endpoint(door: &Door<'_>, at: &str, budget: Budget) -> Result<salesforce::Door, Failure> {
    salesforce::Door::new(http(door.project, false), budget, url(at)?)
        .map_err(|error| door.failure(&error, &door.log_in.span))
}

/// Logs in and asks.
///
/// # Errors
/// Log-in refused, no answer.
pub async fn reach(door: &Door<'_>, how: &How) -> Result<Reached, Failure> {
    let budget = budget(door.world);
    let auth = door.auth()?;
    let (client_id, client_secret, callback) = match auth {
        Auth::Browser { client_id, client_secret, callback } => (client_id, client_secret, Some(callback)),
        Auth::Device { client_id, client_secret } => (client_id, client_secret, None),
        _ => {
            if how.flow.is_some() {
                let message = format!("{} logs in by `flow: {}`, without a person", door.label(), auth.flow());
                let help =
                    "`--flow` chooses between `browser` and `device`: write one of them in orgs.yaml, or leave it out";
                return Err(Failure::usage(Code::OptionsContradict, message).help(help));
            }
            let client = door.open(true, budget).await?.client;
            let answer = ask(door, &client).await?;
            let instance = client.instance_url().to_string();
            return Ok(Reached { answer, flow: auth.flow(), instance, grant: None });
        }
    };
    if door.world.is_ci() {
        let diagnostic = Diagnostic::error(Code::NotConnected, format!("{}: in CI nobody can log in", door.label()))
            .at(door.log_in.span.clone(), "a person's log-in")
            .help("use `flow: jwt` or `flow: client_credentials` there");
        return Err(Failure::new(Exit::Unauthorised, diagnostic));
    }
    // Before anybody logs in for nothing: is there a place for what comes of it?
    let (vault, key) = vault_or_new(door.world, door.root)?;
    vault.all().map_err(Unusable::from)?;
    let secret: Option<Secret> = client_secret.as_ref().map(|c| c.value.clone());
    let client_id = client_id.value.expose().to_owned();
    let salesforce = endpoint(door, &door.settings.login_domain.base_url(), budget.clone())?;
    let flow = match (how.flow, callback) {
        (Some(Flow::Browser) | None, Some(callback)) => {
            let grant = browser::log_in(door, &salesforce, &client_id, secret.as_ref(), callback, how).await?;
            (grant, "browser")
        }
        (Some(Flow::Browser), None) => {
            let message = format!("{} has no callback URL for a log-in in the browser", door.label());
            let help = "write `flow: browser` in orgs.yaml, with the app's callback URL as `callback:`";
            return Err(Failure::usage(Code::OptionsContradict, message).help(help));
        }
        (Some(Flow::Device) | None, _) => {
            (device::log_in(door, &salesforce, &client_id, secret.as_ref(), how).await?, "device")
        }
    };
    let (grant, flow) = flow;
    let login = Login::AccessToken { token: grant.access_token.clone(), instance_url: grant.instance_url.clone() };
    let asked = async {
        let client = door.client(login, None, true, budget.clone()).await?;
        ask(door, &client).await
    };
    match asked.await {
        Ok(answer) => {
            let instance = grant.instance_url.to_string();
            Ok(Reached { answer, flow, instance, grant: Some(NewGrant { key, client_id, grant }) })
        }
        Err(failure) => {
            end(door, &grant).await;
            Err(failure)
        }
    }
}

/// Ends a log-in that is not kept. Where that fails the tokens are gone with this process, and live on at Salesforce until they expire.
async fn end(door: &Door<'_>, grant: &Grant) {
    let token = grant.refresh_token.as_ref().unwrap_or(&grant.access_token);
    let ended = match endpoint(door, grant.instance_url.as_str(), budget(door.world)) {
        Ok(endpoint) => endpoint.revoke(token).await.is_ok(),
        Err(_) => false,
    };
    if !ended {
        door.world.say(&format!(
            "{}: the log-in was not kept, and Salesforce did not confirm that it is revoked; an admin can end it: Setup > Connected Apps OAuth Usage",
            door.label()
        ));
    }
}

impl Reached {
    /// A verdict on what was reached. Where it is bad, a log-in that was just made is ended: nobody is to find it open.
    pub async fn kept_only_if<T>(&self, door: &Door<'_>, verdict: Result<T, Failure>) -> Result<T, Failure> {
        if let (Err(_), Some(new)) = (&verdict, &self.grant) {
            end(door, &new.grant).await;
        }
        verdict
    }

    /// As it is kept; `None` for a log-in that is not.
    pub fn connection(&self, door: &Door<'_>) -> Option<Connection> {
        let NewGrant { client_id, grant, .. } = self.grant.as_ref()?;
        let now = door.world.now();
        Some(Connection {
            org: door.org.to_owned(),
            environment: door.environment,
            plans: door.plans,
            flow: self.flow.to_owned(),
            org_id: self.answer.organization.id,
            instance: self.instance.clone(),
            user_id: self.answer.user_id.or(grant.user),
            username: self.answer.username.clone(),
            client_id: client_id.clone(),
            access_token: Some(grant.access_token.clone()),
            refresh_token: grant.refresh_token.clone(),
            rotates: None,
            successor_of: None,
            created: now,
            used: now,
            sent: None,
            ended: None,
        })
    }
}
