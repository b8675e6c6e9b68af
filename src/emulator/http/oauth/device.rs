//! Device flow in Salesforce's own dialect: `response_type=device_code` at the token endpoint starts it, `grant_type=device` with
//! the code in `code` polls. No `expires_in`, no `verification_uri_complete` (DOC; forcedotcom/sfdx-core).

use serde_json::json;

use super::super::super::clock::seconds_between;
use super::super::super::grants::{Device, Verdict};
use super::super::super::options::EmulatorError;
use super::super::super::seed::form::ClientSeed;
use super::super::super::state::State;
use super::super::reply::Reply;
use super::token::{begin, granted, log_in};
use super::{Form, Refusal, Secret, client, refuse, scopes};

/// Since September 2025 the flow works for apps only that are installed in, or owned by, the org, and say so.
fn open_to(client: &ClientSeed) -> Result<(), Refusal> {
    if client.device_flow && client.installed {
        return Ok(());
    }
    refuse("invalid_grant", "device flow is not enabled for the app")
}

/// A device asks for a code.
pub fn start(state: &State, form: &Form<'_>) -> Result<Reply, Refusal> {
    let client = client(&state.org(), form, Secret::Never)?;
    open_to(&client)?;
    let scopes = scopes(&client, form.get("scope").unwrap_or_default())?;
    let code = format!("{}==", state.characters(126).replace(['.', '_'], "+"));
    let mut user_code = state.characters(40);
    user_code.retain(|c| c.is_ascii_alphanumeric());
    user_code.make_ascii_uppercase();
    user_code.truncate(8);
    let interval = state.settings.device_interval;
    let device = Device {
        code: code.clone(),
        user_code: user_code.clone(),
        client: client.client_id,
        scopes,
        issued: state.now(),
        polled: None,
        interval,
        verdict: Verdict::Pending,
    };
    state.grants().keep_device(device);
    Ok(Reply::json(
        200,
        &json!({
            "device_code": code,
            "user_code": user_code,
            "verification_uri": format!("{}/setup/connect", state.base),
            "interval": interval,
        }),
    ))
}

/// A device asks whether it has been let in.
pub fn poll(state: &State, form: &Form<'_>) -> Result<Reply, Refusal> {
    let mut org = state.org();
    let client = client(&org, form, Secret::ForCode)?;
    open_to(&client)?;
    let sent = form.required("code")?;
    let now = state.now();
    let (user, scopes) = {
        let mut grants = state.grants();
        let lifetime = state.settings.device_seconds;
        let mine = grants
            .devices
            .iter_mut()
            .find(|d| d.code == sent && d.client == client.client_id && seconds_between(d.issued, now) <= lifetime);
        let Some(device) = mine else { return refuse("invalid_grant", "token exchange failed") };
        let early = device.polled.is_some_and(|last| seconds_between(last, now) < device.interval);
        device.polled = Some(now);
        match device.verdict.clone() {
            Verdict::Spent => return refuse("invalid_grant", "token exchange failed"),
            Verdict::Denied => return refuse("access_denied", "end-user denied authorization"),
            _ if early => {
                device.interval += 5;
                return refuse("slow_down", "polling too quickly for the token endpoint");
            }
            Verdict::Pending => return refuse("authorization_pending", "the user has not approved this device yet"),
            Verdict::Allowed(user) => {
                device.verdict = Verdict::Spent;
                (user, device.scopes.clone())
            }
        }
    };
    let Some(user) = org.people.user(&user).cloned().filter(|u| u.seed.active) else {
        return refuse("inactive_user", "user is inactive");
    };
    log_in(state, &user)?;
    let (family, refresh) = begin(state, &mut org, &user, &client, &scopes)?;
    granted(state, &mut org, &user, &client, &scopes, family, refresh)
}

/// Says for a person, without a browser, whether a device may come in.
///
/// # Errors
/// No such user, or no such code that waits.
pub fn judge(state: &State, user_code: &str, username: &str, allow: bool) -> Result<(), EmulatorError> {
    let user = state.org().people.by_username(username).map(|u| u.id.clone());
    let user = user.ok_or_else(|| EmulatorError::Unknown(format!("there is no user `{username}`")))?;
    let now = state.now();
    let mut grants = state.grants();
    let device = grants.waiting(user_code, now, state.settings.device_seconds);
    let device =
        device.ok_or_else(|| EmulatorError::Unknown(format!("no device waits with the code `{user_code}`")))?;
    device.verdict = if allow { Verdict::Allowed(user) } else { Verdict::Denied };
    Ok(())
}
