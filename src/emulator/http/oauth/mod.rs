//! Logging in: `/services/oauth2/…` for apps and machines, and the pages that people meet on the way.
//!
//! `authorize` and `connect` are what a browser opens (`visit` signs it in, `pages` has the HTML); `token`, `jwt`, `device` and
//! `known` answer apps. Errors to apps are objects with status 400, not the array of REST.

mod authorize;
mod connect;
mod device;
mod jwt;
mod known;
mod pages;
mod token;
mod visit;

pub use authorize::on_behalf as authorize_on_behalf;
pub use connect::answer as connect;
pub use device::judge as judge_device;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::super::options::EmulatorError;
use super::super::org::Org;
use super::super::seed::form::ClientSeed;
use super::super::state::State;
use super::identity;
use super::reply::Reply;
use super::request::Incoming;

/// An OAuth error: code and description.
#[derive(Debug)]
pub struct Refusal(&'static str, String);

impl From<EmulatorError> for Refusal {
    fn from(error: EmulatorError) -> Self {
        Self("server_error", error.to_string())
    }
}

fn refuse<T>(code: &'static str, description: &str) -> Result<T, Refusal> {
    Err(Refusal(code, description.to_owned()))
}

/// Answers whatever lies below `/services/oauth2/`.
pub fn answer(state: &State, request: &Incoming) -> Reply {
    let path = request.path.trim_end_matches('/').trim_start_matches("/services/oauth2/");
    match path {
        "userinfo" => return identity::info(state, request),
        "authorize" => return authorize::answer(state, request),
        _ => {}
    }
    if request.method != "POST" && !(path == "revoke" && request.method == "GET") {
        return failed(&Refusal("invalid_request", "must be POST".to_owned()));
    }
    let form = Form { fields: request.form(), request };
    let result = match path {
        "token" => token::token(state, &form),
        "revoke" => known::revoke(state, &form),
        "introspect" => known::introspect(state, &form),
        _ => return Reply::html(404, "URL No Longer Exists"),
    };
    result.unwrap_or_else(|refusal| failed(&refusal))
}

fn failed(refusal: &Refusal) -> Reply {
    Reply::json(400, &json!({"error": refusal.0, "error_description": refusal.1}))
}

/// The fields of a request to an endpoint for apps.
pub struct Form<'r> {
    fields: Vec<(String, String)>,
    request: &'r Incoming,
}

impl Form<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        value(&self.fields, name)
    }

    fn required(&self, name: &str) -> Result<&str, Refusal> {
        let found = self.get(name).filter(|text| !text.is_empty());
        found.ok_or_else(|| Refusal("invalid_request", format!("missing required parameter: {name}")))
    }

    /// Key and secret, from the form or from `Authorization: Basic`.
    fn client(&self) -> (Option<String>, Option<String>) {
        let basic = self.request.header("authorization").and_then(|h| h.strip_prefix("Basic ")).and_then(|coded| {
            let text = String::from_utf8(STANDARD.decode(coded).ok()?).ok()?;
            text.split_once(':').map(|(id, secret)| (id.to_owned(), secret.to_owned()))
        });
        match basic {
            Some((id, secret)) => (Some(id), Some(secret)),
            None => (self.get("client_id").map(str::to_owned), self.get("client_secret").map(str::to_owned)),
        }
    }
}

fn value<'f>(fields: &'f [(String, String)], name: &str) -> Option<&'f str> {
    fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// When the app's secret must be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Secret {
    /// Always.
    Always,
    /// Unless `isConsumerSecretOptional`.
    ForCode,
    /// If `isSecretRequiredForRefreshToken`.
    ForRefresh,
    /// Never.
    Never,
}

/// The app of a request. A secret that is sent is always checked; one that is needed must be sent.
fn client(org: &Org, form: &Form<'_>, secret: Secret) -> Result<ClientSeed, Refusal> {
    let (id, sent) = form.client();
    let Some(client) = id.as_deref().and_then(|id| org.people.client(id)) else {
        return refuse("invalid_client_id", "client identifier invalid");
    };
    let needed = match secret {
        Secret::Always => true,
        Secret::ForCode => !client.secret_optional,
        Secret::ForRefresh => client.secret_for_refresh,
        Secret::Never => false,
    };
    match sent {
        Some(sent) if sent != client.client_secret => refuse("invalid_client", "invalid client credentials"),
        None if needed => refuse("invalid_client", "invalid client credentials"),
        _ => Ok(client.clone()),
    }
}

/// The scopes of a grant: those asked for, in the app's own order; all of the app's when none is asked for.
fn scopes(client: &ClientSeed, asked: &str) -> Result<Vec<String>, Refusal> {
    let asked: Vec<&str> = asked.split_whitespace().collect();
    if asked.is_empty() {
        return Ok(client.scopes.clone());
    }
    if !asked.iter().all(|scope| client.scopes.iter().any(|own| own == scope)) {
        return refuse("invalid_scope", "the requested scope is not allowed");
    }
    Ok(client.scopes.iter().filter(|own| asked.contains(&own.as_str())).cloned().collect())
}
