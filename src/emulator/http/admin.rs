//! The emulator's own side, below `/__emulator/`: for whoever scripts an org from another process. No real org has it.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::super::clock::{Clock, Running};
use super::super::faults::Fault;
use super::super::options::EmulatorError;
use super::super::org::find;
use super::super::running;
use super::super::seed::form::{Access, from_yaml};
use super::super::state::State;
use super::super::store::rows;
use super::oauth;
use super::reply::Reply;
use super::request::Incoming;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    object: String,
    id: String,
    #[serde(default)]
    fields: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Insert {
    object: String,
    records: Vec<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Security {
    username: Option<String>,
    object: String,
    field: String,
    access: Access,
}

/// What a person would do in a browser: with the address that an app opens, or with a device's code.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Consent {
    authorize: Option<String>,
    user_code: Option<String>,
    username: String,
    #[serde(default)]
    deny: bool,
}

fn read<T: DeserializeOwned>(request: &Incoming) -> Result<T, EmulatorError> {
    from_yaml(&request.text()).map_err(EmulatorError::Unknown)
}

/// Answers a path below `/__emulator/`; bodies are JSON or YAML.
pub fn answer(state: &State, request: &Incoming) -> Reply {
    let path = request.path.trim_end_matches('/').trim_start_matches("/__emulator").trim_start_matches('/');
    if request.header("origin").is_some() {
        // A page in a browser; whoever scripts an org is none.
        return Reply::json(403, &json!({"error": "not for browsers"}));
    }
    let done = act(state, request, path);
    done.unwrap_or_else(|error| Reply::json(400, &json!({"error": error.to_string()})))
}

fn act(state: &State, request: &Incoming, path: &str) -> Result<Reply, EmulatorError> {
    let fine = || Ok(Reply::empty(204));
    match (request.method.as_str(), path) {
        ("GET", "") => Ok(about(state)),
        ("GET", "calls") => Ok(Reply::json(200, &json!(state.transcript().all()))),
        ("DELETE", "calls") => {
            state.transcript().clear();
            fine()
        }
        ("POST", "faults") => {
            let faults = match read::<Value>(request)? {
                Value::Array(all) => all,
                one => vec![one],
            };
            let faults: Result<Vec<Fault>, _> = faults.into_iter().map(serde_json::from_value).collect();
            let mut script = state.script();
            for fault in faults.map_err(|e| EmulatorError::Unknown(e.to_string()))? {
                script.add(fault);
            }
            fine()
        }
        ("DELETE", "faults") => {
            state.script().clear();
            fine()
        }
        ("GET", "jobs") => {
            let seen: Vec<Value> = state.jobs().all().map(|job| json!(job.seen())).collect();
            Ok(Reply::json(200, &Value::Array(seen)))
        }
        ("POST", "jobs/release") => {
            running::release_jobs(state);
            fine()
        }
        ("GET", "records") => {
            let org = state.org();
            let object = find(&org.model.catalog, request.parameter("object").unwrap_or_default())?;
            let found = rows::maps(&org.db, object, request.parameter("id"))?;
            Ok(Reply::json(200, &json!(found)))
        }
        ("POST", "records") => {
            let insert: Insert = read(request)?;
            let now = state.now();
            let ids = state.org().insert(&insert.object, &insert.records, now)?;
            Ok(Reply::json(200, &json!(ids)))
        }
        ("POST", "edit") => {
            let edit: Edit = read(request)?;
            state.org().edit(&edit.object, &edit.id, &edit.fields, state.now())?;
            fine()
        }
        ("POST", "delete") => {
            let edit: Edit = read(request)?;
            running::delete(state, &edit.object, &edit.id)?;
            fine()
        }
        ("POST", "access") => {
            let security: Security = read(request)?;
            let username = security.username.as_deref();
            running::set_access(state, username, &security.object, &security.field, security.access)?;
            fine()
        }
        ("POST", "oauth") => {
            let consent: Consent = read(request)?;
            let (username, allow) = (consent.username.as_str(), !consent.deny);
            if let Some(code) = consent.user_code {
                oauth::judge_device(state, &code, username, allow)?;
                return fine();
            }
            let url = consent.authorize.unwrap_or_default();
            let location = oauth::authorize_on_behalf(state, &url, username, allow)?;
            Ok(Reply::json(200, &json!({"location": location})))
        }
        ("POST", "expire-sessions") => {
            state.org().people.end_sessions();
            fine()
        }
        ("POST", "clock") => {
            let at: jiff::Timestamp = request
                .text()
                .trim()
                .trim_matches('"')
                .parse()
                .map_err(|e: jiff::Error| EmulatorError::Unknown(e.to_string()))?;
            state.set_clock(Running::new(Clock::Fixed(at)));
            fine()
        }
        _ => Ok(Reply::json(404, &json!({"error": "no such page; see docs/EMULATOR.md"}))),
    }
}

fn about(state: &State) -> Reply {
    let org = state.org();
    let app = org.people.clients.first();
    Reply::json(
        200,
        &json!({
            "url": state.base,
            "org_id": org.profile.id,
            "client_id": app.map(|c| c.client_id.clone()),
            "username": org.people.users.first().map(|u| u.seed.username.clone()),
            "used": state.used(),
            "now": state.now().to_string(),
            "objects": org.model.catalog.objects.iter().map(|o| o.name.clone()).collect::<Vec<_>>(),
        }),
    )
}
