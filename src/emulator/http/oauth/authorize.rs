//! `GET|POST /services/oauth2/authorize`: an app sends a browser here, and gets it back with a code, or with an error.
//!
//! What is wrong with the app or its callback is told on a page of the org: then nothing ever reaches the callback.

use url::form_urlencoded;

use super::super::super::grants::{Asked, Code, Purpose, Visit};
use super::super::super::options::EmulatorError;
use super::super::super::people::{Approval, User};
use super::super::super::seed::form::ClientSeed;
use super::super::super::state::State;
use super::super::reply::Reply;
use super::super::request::Incoming;
use super::{Refusal, pages, refuse, scopes, value, visit};

const PROMPTS: [&str; 4] = ["login", "consent", "select_account", "none"];
/// Base64url of 32 bytes, without padding.
const CHALLENGE: usize = 43;

/// A browser with an app's request, or with a form of a visit that goes on.
pub fn answer(state: &State, request: &Incoming) -> Reply {
    let fields = match request.method.as_str() {
        "GET" => request.query.clone(),
        "POST" => request.form(),
        _ => return pages::error(405, "invalid_request", "only GET and POST are answered here"),
    };
    if request.method == "POST" && value(&fields, "visit").is_some() {
        return visit::go_on(state, request, &fields);
    }
    let (asked, client) = match asked(state, &fields) {
        Ok(asked) => asked,
        Err(reply) => return *reply,
    };
    let silent = asked.prompt.iter().any(|p| p == "none");
    let again = asked.prompt.iter().any(|p| p == "login" || p == "select_account");
    let (visit, cookie) = visit::open(state, request, Purpose::App(asked.clone()), !again);
    let user = visit::user(state, &visit);
    let reply = match user {
        Some(user) => admit(state, &visit, &asked, &client, &user),
        None if silent => to_callback(&asked, &[("error", "login_required"), ("error_description", "login required")]),
        None => visit::login_page(state, &visit, None),
    };
    visit::with_cookie(reply, state, cookie)
}

/// What the app asks for, or the answer to one that asks for what it may not.
fn asked(state: &State, fields: &[(String, String)]) -> Result<(Asked, ClientSeed), Box<Reply>> {
    let page = |error: &str, description: &str| Box::new(pages::error(400, error, description));
    let text = |name: &str| value(fields, name).filter(|text| !text.is_empty());
    let client = text("client_id").and_then(|id| state.org().people.client(id).cloned());
    let client = client.ok_or_else(|| page("invalid_client_id", "client identifier invalid"))?;
    let callback = text("redirect_uri").ok_or_else(|| page("redirect_uri_missing", "redirect_uri not provided"))?;
    if !client.callbacks.iter().any(|own| own == callback) {
        return Err(page("redirect_uri_mismatch", "redirect_uri must match configuration"));
    }
    let mut asked = Asked {
        client: client.client_id.clone(),
        redirect_uri: callback.to_owned(),
        scopes: Vec::new(),
        state: value(fields, "state").map(str::to_owned),
        challenge: text("code_challenge").map(str::to_owned),
        prompt: text("prompt").unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
        hint: text("login_hint").map(str::to_owned),
    };
    match check(&client, fields, &asked) {
        Ok(scopes) => asked.scopes = scopes,
        Err(Refusal(error, description)) => {
            let parameters = [("error", error), ("error_description", description.as_str())];
            return Err(Box::new(to_callback(&asked, &parameters)));
        }
    }
    Ok((asked, client))
}

/// What is told to the app itself.
fn check(client: &ClientSeed, fields: &[(String, String)], asked: &Asked) -> Result<Vec<String>, Refusal> {
    if value(fields, "response_type") != Some("code") {
        return refuse("unsupported_response_type", "response type is not supported");
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    match &asked.challenge {
        None if client.pkce_required => return refuse("invalid_request", "missing required code challenge"),
        Some(_) if value(fields, "code_challenge_method") != Some("S256") => {
            return refuse("invalid_request", "code challenge method must be S256");
        }
        Some(challenge) if challenge.len() != CHALLENGE || !challenge.chars().all(plain) => {
            return refuse("invalid_request", "invalid code challenge");
        }
        _ => {}
    }
    if !asked.prompt.iter().all(|p| PROMPTS.contains(&p.as_str())) {
        return refuse("invalid_request", "invalid prompt");
    }
    scopes(client, value(fields, "scope").unwrap_or_default())
}

/// Sends the browser back to the app.
fn to_callback(asked: &Asked, parameters: &[(&str, &str)]) -> Reply {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters);
    if let Some(state) = &asked.state {
        query.append_pair("state", state);
    }
    let join = if asked.redirect_uri.contains('?') { '&' } else { '?' };
    let target = format!("{}{join}{}", asked.redirect_uri, query.finish());
    pages::guarded(Reply::empty(302), &asked.redirect_uri).with("Location", target)
}

/// A user is signed in: what stands between app and code now.
pub fn admit(state: &State, visit: &Visit, asked: &Asked, client: &ClientSeed, user: &User) -> Reply {
    if let Some(reply) = barred(asked, client, user) {
        return reply;
    }
    let asks = asked.prompt.iter().any(|p| p == "consent");
    let known =
        client.admin_approved.is_some() || state.org().people.approved(&user.id, &client.client_id, &asked.scopes);
    if known && !asks {
        return allow(state, Some(visit), asked, user);
    }
    if asked.prompt.iter().any(|p| p == "none") {
        return to_callback(asked, &[("error", "consent_required"), ("error_description", "consent required")]);
    }
    let name = state.org().profile.name.clone();
    pages::consent(&name, visit, client, &asked.scopes, user, &asked.redirect_uri)
}

/// An app that this user may not let in.
fn barred(asked: &Asked, client: &ClientSeed, user: &User) -> Option<Reply> {
    if !client.installed && !user.seed.approve_uninstalled_apps {
        return Some(pages::not_installed());
    }
    let username = &user.seed.username;
    let admins = client.admin_approved.as_ref();
    if admins.is_some_and(|all| !all.iter().any(|name| name.eq_ignore_ascii_case(username))) {
        let description = "user is not admin approved to access this app";
        let parameters = [("error", "OAUTH_APP_ACCESS_DENIED"), ("error_description", description)];
        return Some(to_callback(asked, &parameters));
    }
    None
}

/// The answer to Allow or Deny.
pub fn decide(state: &State, visit: &Visit, asked: &Asked, user: &User, allowed: bool) -> Reply {
    if !allowed {
        state.grants().end_visit(&visit.id);
        return denied(asked);
    }
    let client = state.org().people.client(&asked.client).cloned();
    match client.and_then(|client| barred(asked, &client, user)) {
        Some(reply) => reply,
        None => allow(state, Some(visit), asked, user),
    }
}

fn denied(asked: &Asked) -> Reply {
    to_callback(asked, &[("error", "access_denied"), ("error_description", "end-user denied authorization")])
}

/// Hands a code out. It ends in `==`, as real ones do, so that whoever decodes it twice or not at all is found out.
fn allow(state: &State, visit: Option<&Visit>, asked: &Asked, user: &User) -> Reply {
    {
        let mut org = state.org();
        let approval = Approval { user: user.id.clone(), client: asked.client.clone(), scopes: asked.scopes.clone() };
        org.people.approve(approval);
        if let Err(error) = org.save() {
            return pages::error(500, "server_error", &error.to_string());
        }
    }
    let value = format!("aPrx{}==", state.characters(80));
    let code = Code {
        value: value.clone(),
        asked: asked.clone(),
        user: user.id.clone(),
        issued: state.now(),
        spent: false,
        family: None,
    };
    let mut grants = state.grants();
    if let Some(visit) = visit {
        grants.end_visit(&visit.id);
    }
    grants.keep_code(code);
    to_callback(asked, &[("code", &value)])
}

/// Signs in, and allows or denies, for a person without a browser: `url` is what the app would have opened. The address that the
/// browser would have been sent to.
///
/// # Errors
/// No such user, or the org shows an error page: its text.
pub fn on_behalf(state: &State, url: &str, username: &str, allowed: bool) -> Result<String, EmulatorError> {
    let url = url::Url::parse(url).map_err(|e| EmulatorError::Unknown(format!("{url}: {e}")))?;
    let fields: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let user = state.org().people.by_username(username).cloned().filter(|u| u.seed.active);
    let user = user.ok_or_else(|| EmulatorError::Unknown(format!("no active user `{username}`")))?;
    let reply = match asked(state, &fields) {
        Err(reply) => *reply,
        Ok((asked, client)) => match barred(&asked, &client, &user) {
            Some(reply) => reply,
            None if allowed => allow(state, None, &asked, &user),
            None => denied(&asked),
        },
    };
    let location = reply.headers.iter().find(|(name, _)| name == "Location").map(|(_, target)| target.clone());
    location.ok_or_else(|| EmulatorError::Unknown(String::from_utf8_lossy(&reply.body).into_owned()))
}
