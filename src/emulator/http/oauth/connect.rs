//! `GET|POST /setup/connect`: a person lets a device in by its code. A code that stands in the address is shown and must be confirmed.

use super::super::super::grants::{Purpose, Verdict, Visit};
use super::super::super::people::User;
use super::super::super::state::State;
use super::super::reply::Reply;
use super::super::request::Incoming;
use super::{pages, value, visit};

/// A browser opens the page, or sends a form of it.
pub fn answer(state: &State, request: &Incoming) -> Reply {
    match request.method.as_str() {
        "POST" => {
            let fields = request.form();
            if value(&fields, "visit").is_none() {
                return pages::error(400, "invalid_request", "This form did not come from this page.");
            }
            visit::go_on(state, request, &fields)
        }
        "GET" => {
            let code = request.parameter("user_code").map(str::to_owned);
            let (visit, cookie) = visit::open(state, request, Purpose::Device(code), true);
            let reply = match visit::user(state, &visit) {
                Some(_) => ask(state, &visit, None),
                None => visit::login_page(state, &visit, None),
            };
            visit::with_cookie(reply, state, cookie)
        }
        _ => pages::error(405, "invalid_request", "only GET and POST are answered here"),
    }
}

/// Asks for the code.
pub fn ask(state: &State, visit: &Visit, wrong: Option<&str>) -> Reply {
    let code = match &visit.purpose {
        Purpose::Device(Some(code)) => code.as_str(),
        _ => "",
    };
    pages::device(&state.org().profile.name, visit, code, wrong)
}

/// A code was typed: shows which app it lets in.
pub fn typed(state: &State, mut visit: Visit, code: &str, user: &User) -> Reply {
    let (now, lifetime) = (state.now(), state.settings.device_seconds);
    visit.purpose = Purpose::Device(Some(code.trim().to_owned()));
    let device = state.grants().waiting(code, now, lifetime).cloned();
    let Some(device) = device else {
        return ask(state, &visit, Some("The code that you entered is wrong, or has expired. Check it and try again."));
    };
    let org = state.org();
    let Some(client) = org.people.client(&device.client).filter(|c| c.device_flow && c.installed) else {
        return pages::not_installed();
    };
    state.grants().keep_visit(visit.clone());
    pages::consent(&org.profile.name, &visit, client, &device.scopes, user, "")
}

/// The answer to Allow or Deny.
pub fn decide(state: &State, visit: &Visit, code: &str, user: &User, allowed: bool) -> Reply {
    let now = state.now();
    let mut grants = state.grants();
    let Some(device) = grants.waiting(code, now, state.settings.device_seconds) else {
        drop(grants);
        return ask(state, visit, Some("The code has expired. Begin again on your device."));
    };
    device.verdict = if allowed { Verdict::Allowed(user.id.clone()) } else { Verdict::Denied };
    grants.end_visit(&visit.id);
    if allowed {
        pages::done("You are connected", "You can close this window and go back to your device.")
    } else {
        pages::done("Access denied", "The device was not connected. You can close this window.")
    }
}
