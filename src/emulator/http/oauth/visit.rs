//! A browser on the org's pages: its cookie, signing in, and the forms that it sends back.
//!
//! A form is good only with the cookie of the browser that it was made for, and its hidden field cannot be guessed, so no other
//! site can send one (CSRF). Signing in changes the cookie, so that one planted before is worth nothing (session fixation).

use super::super::super::grants::{Purpose, Visit};
use super::super::super::people::User;
use super::super::super::state::State;
use super::super::reply::Reply;
use super::super::request::Incoming;
use super::{authorize, connect, pages, value};

/// Cookies heed no port, so the name does.
fn cookie_name(state: &State) -> String {
    format!("sid_{}", state.base.rsplit(':').next().unwrap_or_default())
}

fn cookie(state: &State, request: &Incoming) -> Option<String> {
    let name = cookie_name(state);
    let all = request.headers.get_all("cookie").iter().filter_map(|h| h.to_str().ok());
    let mut pairs = all.flat_map(|h| h.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

/// A reply that gives the browser a cookie.
pub fn with_cookie(reply: Reply, state: &State, cookie: Option<String>) -> Reply {
    match cookie {
        Some(cookie) => {
            reply.with("Set-Cookie", format!("{}={cookie}; Path=/; HttpOnly; SameSite=Lax", cookie_name(state)))
        }
        None => reply,
    }
}

/// Begins a visit; with a new cookie for a browser that has none. `trusting`: one that is signed in need not sign in again.
pub fn open(state: &State, request: &Incoming, purpose: Purpose, trusting: bool) -> (Visit, Option<String>) {
    let sent = cookie(state, request);
    let (id, fresh) = (state.characters(40), state.characters(40));
    let opened = state.now();
    let mut grants = state.grants();
    let (browser, new) = match sent.filter(|cookie| grants.knows(cookie)) {
        Some(cookie) => (cookie, None),
        None => {
            grants.new_browser(fresh.clone(), None);
            (fresh.clone(), Some(fresh))
        }
    };
    let signed_in = trusting && grants.user_of(&browser).is_some();
    let visit = Visit { id, browser, purpose, signed_in, opened };
    grants.keep_visit(visit.clone());
    (visit, new)
}

/// The user of a visit, once signed in.
pub fn user(state: &State, visit: &Visit) -> Option<User> {
    let id = visit.signed_in.then(|| state.grants().user_of(&visit.browser)).flatten()?;
    state.org().people.user(&id).filter(|u| u.seed.active).cloned()
}

/// The login page, with what was wrong with the last try.
pub fn login_page(state: &State, visit: &Visit, wrong: Option<&str>) -> Reply {
    let org = state.org();
    let hint = match &visit.purpose {
        Purpose::App(asked) => asked.hint.clone(),
        Purpose::Device(_) => None,
    };
    pages::login(&org.profile, visit, hint.as_deref().unwrap_or_default(), wrong)
}

/// A form of a visit: name and password, a decision, or a device's code.
pub fn go_on(state: &State, request: &Incoming, fields: &[(String, String)]) -> Reply {
    let (sent, now) = (cookie(state, request).unwrap_or_default(), state.now());
    let found = state.grants().visit(value(fields, "visit").unwrap_or_default(), &sent, now);
    let Some(visit) = found else {
        return pages::error(
            403,
            "invalid_request",
            "This page is no longer valid. Go back to the app and begin again.",
        );
    };
    if value(fields, "decision") == Some("switch") {
        state.grants().sign_out(&visit.browser);
        return login_page(state, &visit, None);
    }
    if let Some(username) = value(fields, "username") {
        return sign_in(state, visit, username, value(fields, "password").unwrap_or_default());
    }
    let Some(user) = user(state, &visit) else { return login_page(state, &visit, None) };
    let decision = match value(fields, "decision") {
        Some("allow") => Some(true),
        Some("deny") => Some(false),
        _ => None,
    };
    match (visit.purpose.clone(), decision) {
        (Purpose::App(asked), Some(allowed)) => authorize::decide(state, &visit, &asked, &user, allowed),
        (Purpose::Device(Some(code)), Some(allowed)) => connect::decide(state, &visit, &code, &user, allowed),
        (Purpose::Device(_), None) => {
            connect::typed(state, visit, value(fields, "user_code").unwrap_or_default(), &user)
        }
        _ => next(state, &visit, &user),
    }
}

/// Checks name and password. A wrong name and a wrong password are told alike.
fn sign_in(state: &State, mut visit: Visit, username: &str, password: &str) -> Reply {
    let user = state.org().people.by_username(username.trim()).cloned();
    let Some(user) = user.filter(|u| u.seed.password == password) else {
        let wrong = "Please check your username and password. If you still can't log in, contact your Salesforce administrator.";
        return login_page(state, &visit, Some(wrong));
    };
    if !user.seed.active {
        let wrong = "Your access is disabled. Contact your site administrator.";
        return login_page(state, &visit, Some(wrong));
    }
    let cookie = state.characters(40);
    state.grants().sign_in(&visit.id, cookie.clone(), user.id.clone());
    (visit.browser, visit.signed_in) = (cookie.clone(), true);
    with_cookie(next(state, &visit, &user), state, Some(cookie))
}

/// What a user who is signed in sees first.
fn next(state: &State, visit: &Visit, user: &User) -> Reply {
    match &visit.purpose {
        Purpose::App(asked) => {
            let client = state.org().people.client(&asked.client).cloned();
            match client {
                Some(client) => authorize::admit(state, visit, asked, &client, user),
                None => pages::error(400, "invalid_client_id", "client identifier invalid"),
            }
        }
        Purpose::Device(_) => connect::ask(state, visit, None),
    }
}
