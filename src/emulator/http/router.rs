//! Which resource a path means, and the checks that all of them share: version, session, API access, daily limit.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::problem::Problem;
use super::super::state::State;
use super::reply::Reply;
use super::request::{Call, Incoming, expired};
use super::{collections, describe, identity, jobs, limits, oauth, query, records};

/// A reply, and whether the call counted.
pub struct Routed {
    /// The reply.
    pub reply: Reply,
    /// Counted against the daily limit.
    pub counted: bool,
    /// A REST reply, which tells the usage.
    pub rest: bool,
}

impl Routed {
    fn free(reply: Reply) -> Self {
        Self { reply, counted: false, rest: false }
    }
}

/// What faults do to records of this request.
pub type RecordFaults = [super::super::faults::Action];

/// Answers a request.
pub fn route(state: &Arc<State>, request: &Incoming, faults: &RecordFaults) -> Routed {
    let path = request.path.trim_end_matches('/');
    if path.starts_with("/services/oauth2/") {
        return Routed::free(oauth::answer(state, request));
    }
    if path == "/setup/connect" {
        return Routed::free(oauth::connect(state, request));
    }
    if path.starts_with("/id/") {
        return Routed::free(identity::answer(state, request));
    }
    let Some(rest) = path.strip_prefix("/services/data") else {
        return Routed::free(Reply::html(404, "URL No Longer Exists"));
    };
    if rest.is_empty() {
        return Routed::free(versions(state, request));
    }
    let mut parts = rest.trim_start_matches('/').split('/');
    let version = parts.next().unwrap_or_default();
    let parts: Vec<&str> = parts.collect();
    match authorised(state, request, version) {
        Ok(call) => {
            let counted = state.count();
            let reply = if counted {
                resource(state, &call, &parts, faults).unwrap_or_else(Reply::from)
            } else {
                Reply::from(Problem::new(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."))
            };
            Routed { reply, counted, rest: true }
        }
        Err(problem) => Routed { reply: problem.into(), counted: false, rest: true },
    }
}

fn authorised<'r>(state: &State, request: &'r Incoming, version: &'r str) -> Result<Call<'r>, Problem> {
    let number = version
        .strip_prefix('v')
        .and_then(|v| v.strip_suffix(".0"))
        .filter(|v| v.bytes().all(|b| b.is_ascii_digit()))
        .and_then(|v| v.parse::<u32>().ok())
        .ok_or_else(Problem::not_found)?;
    if number > state.settings.newest_version || number < 20 {
        return Err(Problem::not_found());
    }
    if number < state.settings.oldest_version {
        let message = format!("API version {number}.0 is retired and is no longer supported");
        return Err(Problem::new(410, "UNSUPPORTED_API_VERSION", message));
    }
    let token = request.token()?;
    let now = state.now();
    let (user, opens) = {
        let people = &mut state.org().people;
        (people.session(token, now, state.settings.session_seconds).ok_or_else(expired)?, people.opens_api(token))
    };
    if !opens {
        let message = "This session is not valid for use with the REST API";
        return Err(Problem::new(401, "INVALID_SESSION_ID", message));
    }
    if !user.seed.api_enabled {
        let message = "API is not enabled for this Organization or Partner";
        return Err(Problem::new(403, "API_DISABLED_FOR_ORG", message));
    }
    Ok(Call { request, user, version: &version[1..] })
}

fn resource(state: &Arc<State>, call: &Call<'_>, parts: &[&str], faults: &RecordFaults) -> Result<Reply, Vec<Problem>> {
    let method = call.request.method.as_str();
    let allowed = |methods: &[&str]| -> Result<(), Vec<Problem>> {
        if methods.contains(&method) {
            return Ok(());
        }
        let message = format!("HTTP Method '{method}' not allowed. Allowed are {}", methods.join(","));
        Err(vec![Problem::new(405, "METHOD_NOT_ALLOWED", message)])
    };
    let one = |problem: Problem| vec![problem];
    match parts {
        [] => {
            allowed(&["GET"])?;
            Ok(root(state, call))
        }
        ["limits"] => {
            allowed(&["GET"])?;
            limits::limits(state, call).map_err(one)
        }
        ["limits", "recordCount"] => {
            allowed(&["GET"])?;
            limits::record_count(state, call).map_err(one)
        }
        ["sobjects"] => {
            allowed(&["GET"])?;
            Ok(describe::global(state, call))
        }
        ["sobjects", object] => {
            allowed(&["GET"])?;
            describe::basic(state, call, object).map_err(one)
        }
        ["sobjects", object, "describe"] => {
            allowed(&["GET"])?;
            describe::full(state, call, object).map_err(one)
        }
        ["sobjects", object, id] => {
            allowed(&["GET", "PATCH"])?;
            if method == "GET" {
                records::read(state, call, object, id).map_err(one)
            } else {
                records::update(state, call, object, id, faults)
            }
        }
        ["query"] => {
            allowed(&["GET"])?;
            query::first(state, call).map_err(one)
        }
        ["query", locator] => {
            allowed(&["GET"])?;
            query::next(state, call, locator).map_err(one)
        }
        ["composite", "sobjects"] => {
            allowed(&["PATCH"])?;
            collections::update(state, call, faults).map_err(one)
        }
        ["composite", "sobjects", object] => {
            allowed(&["GET", "POST"])?;
            collections::read(state, call, object).map_err(one)
        }
        ["jobs", rest @ ..] => {
            jobs::answer(state, call, rest, faults).unwrap_or_else(|| Err(Problem::not_found())).map_err(one)
        }
        _ => Err(one(Problem::not_found())),
    }
}

/// `GET /services/data`: open to all, oldest first.
fn versions(state: &State, request: &Incoming) -> Reply {
    if request.method != "GET" {
        return Problem::new(405, "METHOD_NOT_ALLOWED", "HTTP Method not allowed. Allowed are GET").into();
    }
    let all: Vec<Value> = (state.settings.oldest_version..=state.settings.newest_version)
        .map(|n| json!({"label": label(n), "url": format!("/services/data/v{n}.0"), "version": format!("{n}.0")}))
        .collect();
    Reply::json(200, &Value::Array(all))
}

/// Three releases a year; v68.0 is Winter '27.
fn label(version: u32) -> String {
    let (season, year) = match version % 3 {
        2 => ("Winter", (version + 13) / 3),
        0 => ("Spring", (version + 12) / 3),
        _ => ("Summer", (version + 11) / 3),
    };
    format!("{season} '{year:02}")
}

fn root(state: &State, call: &Call<'_>) -> Reply {
    let version = call.version;
    let mut all = serde_json::Map::new();
    for name in ["composite", "jobs", "limits", "query", "sobjects"] {
        all.insert(name.to_owned(), format!("/services/data/v{version}/{name}").into());
    }
    let org = state.org().profile.id.clone();
    all.insert("identity".to_owned(), format!("{}/id/{org}/{}", call.request.base, call.user.id).into());
    Reply::json(200, &Value::Object(all))
}

#[cfg(test)]
mod tests {
    use super::label;

    #[test]
    fn labels_follow_the_release_calendar() {
        for (version, said) in
            [(68, "Winter '27"), (67, "Summer '26"), (66, "Spring '26"), (65, "Winter '26"), (31, "Summer '14")]
        {
            assert_eq!(label(version), said);
        }
    }
}
