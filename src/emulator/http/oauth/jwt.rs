//! JWT bearer: a session for whoever can sign as the app, for a user who has approved it.
//!
//! The reply has five fields only (recorded: `oauth_jwt_bearer_success_200.json`).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::{Value, json};
use spki::SubjectPublicKeyInfoOwned;
use spki::der::DecodePem as _;

use super::super::super::org::Org;
use super::super::super::people::{Grant, TokenKind};
use super::super::super::state::State;
use super::super::reply::Reply;
use super::token::log_in;
use super::{Form, Refusal, refuse};

/// A JWT may not be valid for longer than this.
const MOST_AHEAD: f64 = 180.0;

/// `POST /services/oauth2/token` with `grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer`.
pub fn jwt(state: &State, form: &Form<'_>) -> Result<Reply, Refusal> {
    let invalid = || refuse("invalid_grant", "invalid assertion");
    let assertion = form.get("assertion").unwrap_or_default();
    let Some(claims) = payload(assertion) else { return invalid() };
    let claim = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut org = state.org();
    let Some(client) = org.people.client(&claim("iss")).cloned() else {
        return refuse("invalid_client_id", "client identifier invalid");
    };
    if !signed(assertion, client.public_key.as_deref().unwrap_or_default()) {
        return invalid();
    }
    if !audience_fits(&claims["aud"], &org, &state.base) {
        return refuse("invalid_grant", "audience is invalid");
    }
    let now = state.now().as_millisecond() as f64 / 1000.0;
    match claims.get("exp").and_then(Value::as_f64) {
        Some(exp) if exp <= now => return refuse("invalid_grant", "expired authorization code"),
        Some(exp) if exp <= now + MOST_AHEAD => {}
        _ => return invalid(),
    }
    let name = if claim("sub").is_empty() { claim("prn") } else { claim("sub") };
    let Some(user) = org.people.by_username(&name).cloned() else {
        return refuse("invalid_grant", "user hasn't approved this consumer");
    };
    if !user.seed.active {
        return refuse("inactive_user", "user is inactive");
    }
    if !client.installed {
        return refuse("invalid_client", "app must be installed into org");
    }
    match &client.admin_approved {
        Some(all) if !all.iter().any(|u| u.eq_ignore_ascii_case(&name)) => {
            return refuse("invalid_app_access", "user is not admin approved to access this app");
        }
        Some(_) => {}
        None => {
            let before = client.approved.as_ref().is_none_or(|all| all.iter().any(|u| u.eq_ignore_ascii_case(&name)));
            if !before && !org.people.approved_refreshing(&user.id, &client.client_id) {
                return refuse("invalid_grant", "user hasn't approved this consumer");
            }
        }
    }
    log_in(state, &user)?;
    org.people.families += 1;
    let family = org.people.families;
    // A session for machines: `api`, and whatever else the app has but new sessions.
    let scopes: Vec<String> = client.scopes.iter().filter(|s| *s != "refresh_token").cloned().collect();
    let scope = scopes.join(" ");
    let grant = Grant { user: &user.id, client: &client.client_id, scopes: &scopes, family, standing: false };
    let access = state.issue(&mut org, TokenKind::Access, grant)?;
    Ok(Reply::json(
        200,
        &json!({
            "access_token": access,
            "scope": scope,
            "instance_url": state.base,
            "id": format!("{}/id/{}/{}", state.base, org.profile.id, user.id),
            "token_type": "Bearer",
        }),
    ))
}

/// The claims, before anything is trusted.
fn payload(assertion: &str) -> Option<Value> {
    let mut parts = assertion.split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

/// Signed with RS256 by the key that the app trusts? Times are checked against the org's clock, the audience against the org.
fn signed(assertion: &str, public_key: &str) -> bool {
    let Some((message, signature)) = assertion.rsplit_once('.') else { return false };
    let header = message.split('.').next().and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let header = header.and_then(|json| serde_json::from_slice::<Value>(&json).ok()).unwrap_or_default();
    let (Ok(key), Ok(signature)) = (SubjectPublicKeyInfoOwned::from_pem(public_key), URL_SAFE_NO_PAD.decode(signature))
    else {
        return false;
    };
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.subject_public_key.raw_bytes());
    header["alg"] == "RS256" && key.verify(message.as_bytes(), &signature).is_ok()
}

fn audience_fits(aud: &Value, org: &Org, base: &str) -> bool {
    let login = if org.profile.sandbox { "https://test.salesforce.com" } else { "https://login.salesforce.com" };
    let domain = org.profile.my_domain.as_ref().map(|host| format!("https://{host}"));
    let fits = |text: &str| {
        let text = text.trim_end_matches('/');
        text == login || text == base || domain.as_deref() == Some(text)
    };
    match aud {
        Value::String(text) => fits(text),
        Value::Array(all) => all.iter().filter_map(Value::as_str).any(fits),
        _ => false,
    }
}
