//! `POST /services/oauth2/token`: codes, refresh tokens and client credentials become sessions.
//!
//! Replies have the shapes of the recordings: `issued_at` is a text of milliseconds, and there is no `expires_in`.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::super::super::clock::seconds_between;
use super::super::super::org::Org;
use super::super::super::people::{Grant, TokenKind, User};
use super::super::super::seed::form::ClientSeed;
use super::super::super::state::State;
use super::super::reply::Reply;
use super::{Form, Refusal, Secret, client, device, jwt, refuse};

const JWT_GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Answers by `grant_type`, or by `response_type=device_code`, which starts a device's log-in at this address, too.
pub fn token(state: &State, form: &Form<'_>) -> Result<Reply, Refusal> {
    if form.get("response_type") == Some("device_code") {
        return device::start(state, form);
    }
    match form.get("grant_type") {
        Some("authorization_code") => code(state, form),
        Some("refresh_token") => refresh(state, form),
        Some("client_credentials") => client_credentials(state, form),
        Some("device") => device::poll(state, form),
        Some(JWT_GRANT) => jwt::jwt(state, form),
        Some(_) => refuse("unsupported_grant_type", "grant type not supported"),
        None => refuse("invalid_request", "missing required parameter: grant_type"),
    }
}

/// Counts a log-in of a user.
///
/// # Errors
/// Too many within the hour.
pub fn log_in(state: &State, user: &User) -> Result<(), Refusal> {
    let now = state.now();
    if state.grants().may_log_in(&user.id, now, state.settings.logins_per_hour) {
        return Ok(());
    }
    refuse("rate_limit_exceeded", "Login Rate Exceeded")
}

/// The `localhost` name of the emulator stands for login.salesforce.com, its address for My Domain.
fn on_my_domain(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    !["localhost", "login.salesforce.com", "test.salesforce.com"].iter().any(|other| name.eq_ignore_ascii_case(other))
}

fn code(state: &State, form: &Form<'_>) -> Result<Reply, Refusal> {
    let mut org = state.org();
    let client = client(&org, form, Secret::ForCode)?;
    let sent = form.required("code")?;
    let now = state.now();
    let code = {
        let mut grants = state.grants();
        let mine = grants.codes.iter_mut().find(|c| c.value == sent && c.asked.client == client.client_id);
        let Some(code) = mine else { return refuse("invalid_grant", "invalid authorization code") };
        let before = code.clone();
        // Whatever comes of it, a code is tried once.
        code.spent = true;
        before
    };
    if code.spent {
        // Somebody else has it as well: what came of it ends.
        if let Some(family) = code.family {
            org.people.end_family(family);
            org.save()?;
        }
        return refuse("invalid_grant", "expired authorization code");
    }
    if seconds_between(code.issued, now) > state.settings.code_seconds {
        return refuse("invalid_grant", "expired authorization code");
    }
    if form.required("redirect_uri")? != code.asked.redirect_uri {
        return refuse("redirect_uri_mismatch", "redirect_uri must match configuration");
    }
    let verified = match (&code.asked.challenge, form.get("code_verifier")) {
        (None, None) => true,
        (Some(challenge), Some(verifier)) => *challenge == URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)),
        _ => false,
    };
    if !verified {
        return refuse("invalid_grant", "invalid code verifier");
    }
    let Some(user) = org.people.user(&code.user).cloned().filter(|u| u.seed.active) else {
        return refuse("inactive_user", "user is inactive");
    };
    log_in(state, &user)?;
    let family = begin(state, &mut org, &user, &client, &code.asked.scopes)?;
    if let Some(kept) = state.grants().codes.iter_mut().find(|c| c.value == sent) {
        kept.family = Some(family.0);
    }
    granted(state, &mut org, &user, &client, &code.asked.scopes, family.0, family.1)
}

/// A new family of tokens, with a refresh token if the scopes have one.
pub fn begin(
    state: &State,
    org: &mut Org,
    user: &User,
    client: &ClientSeed,
    scopes: &[String],
) -> Result<(u64, Option<String>), Refusal> {
    org.people.families += 1;
    let family = org.people.families;
    if !scopes.iter().any(|s| s == "refresh_token" || s == "offline_access") {
        return Ok((family, None));
    }
    let grant = Grant { user: &user.id, client: &client.client_id, scopes, family, standing: false };
    let refresh = state.issue(org, TokenKind::Refresh, grant)?;
    org.people.drop_oldest(&user.id, &client.client_id);
    org.save()?;
    Ok((family, Some(refresh)))
}

fn refresh(state: &State, form: &Form<'_>) -> Result<Reply, Refusal> {
    let expired = || refuse("invalid_grant", "expired access/refresh token");
    let mut org = state.org();
    let client = client(&org, form, Secret::ForRefresh)?;
    let sent = form.get("refresh_token").unwrap_or_default();
    let Some(known) = org.people.tokens.get(sent).filter(|t| t.kind == TokenKind::Refresh).cloned() else {
        return expired();
    };
    if known.client != client.client_id {
        return expired();
    }
    if known.spent {
        // Somebody else has it: all that came of it ends (refresh token rotation).
        org.people.end_family(known.family);
        org.save()?;
        return expired();
    }
    let Some(user) = org.people.user(&known.user).cloned() else { return expired() };
    if !user.seed.active {
        return refuse("inactive_user", "user is inactive");
    }
    log_in(state, &user)?;
    let renewed = if client.rotation {
        if let Some(old) = org.people.tokens.get_mut(sent) {
            old.spent = true;
        }
        let (family, scopes) = (known.family, &known.scopes[..]);
        let grant = Grant { user: &user.id, client: &client.client_id, scopes, family, standing: false };
        Some(state.issue(&mut org, TokenKind::Refresh, grant)?)
    } else {
        None
    };
    granted(state, &mut org, &user, &client, &known.scopes, known.family, renewed)
}

fn client_credentials(state: &State, form: &Form<'_>) -> Result<Reply, Refusal> {
    let mut org = state.org();
    let client = client(&org, form, Secret::Always)?;
    if !on_my_domain(form.request.header("host").unwrap_or_default()) {
        return refuse("invalid_grant", "request not supported on this domain");
    }
    let user = client.run_as.as_deref().and_then(|name| org.people.by_username(name)).cloned();
    let Some(user) = user.filter(|u| u.seed.active && client.client_credentials) else {
        return refuse("invalid_grant", "no client credentials user enabled");
    };
    log_in(state, &user)?;
    org.people.families += 1;
    let family = org.people.families;
    let scopes: Vec<String> = client.scopes.iter().filter(|s| *s != "refresh_token").cloned().collect();
    granted(state, &mut org, &user, &client, &scopes, family, None)
}

/// The reply of all grants but JWT; `scopes` are those of the grant.
pub fn granted(
    state: &State,
    org: &mut Org,
    user: &User,
    client: &ClientSeed,
    scopes: &[String],
    family: u64,
    refresh: Option<String>,
) -> Result<Reply, Refusal> {
    let grant = Grant { user: &user.id, client: &client.client_id, scopes, family, standing: false };
    let access = state.issue(org, TokenKind::Access, grant)?;
    let id = format!("{}/id/{}/{}", state.base, org.profile.id, user.id);
    let issued = state.now().as_millisecond().to_string();
    let signature = STANDARD.encode(hmac(client.client_secret.as_bytes(), format!("{id}{issued}").as_bytes()));
    let mut body = json!({
        "access_token": access,
        "signature": signature,
        "scope": scopes.join(" "),
        "instance_url": state.base,
        "id": id,
        "token_type": "Bearer",
        "issued_at": issued,
    });
    if let (Some(refresh), Some(map)) = (refresh, body.as_object_mut()) {
        map.insert("refresh_token".to_owned(), refresh.into());
    }
    Ok(Reply::json(200, &body))
}

/// HMAC-SHA256 (RFC 2104).
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    if key.len() > 64 {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner = Sha256::new().chain_update(block.map(|b| b ^ 0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(block.map(|b| b ^ 0x5c)).chain_update(inner).finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use super::hmac;

    #[test]
    fn the_signature_is_an_hmac() {
        // RFC 4231, test case 2.
        let hex: String = hmac(b"Jefe", b"what do ya want for nothing?").iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }
}
