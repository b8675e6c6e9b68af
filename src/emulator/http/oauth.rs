//! `/services/oauth2/…`: tokens for machines. Errors are objects with status 400, not the array of REST.
//!
//! Replies have the shapes of the recordings: `issued_at` is a text of milliseconds, there is no `expires_in`, and a JWT's reply has
//! five fields only.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::super::options::EmulatorError;
use super::super::org::Org;
use super::super::people::{TokenKind, User};
use super::super::seed::form::ClientSeed;
use super::super::state::State;
use super::identity;
use super::reply::Reply;
use super::request::Incoming;

const JWT_GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// A JWT may not be valid for longer than this.
const MOST_AHEAD: f64 = 180.0;

/// An OAuth error: code and description.
struct Refusal(&'static str, String);

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
    if path == "userinfo" {
        return identity::info(state, request);
    }
    if request.method != "POST" && !(path == "revoke" && request.method == "GET") {
        return failed(&Refusal("invalid_request", "must be POST".to_owned()));
    }
    let form = Form { fields: request.form(), request };
    let result = match path {
        "token" => token(state, &form),
        "revoke" => revoke(state, &form),
        "introspect" => introspect(state, &form),
        _ => return Reply::html(404, "URL No Longer Exists"),
    };
    let reply = result.unwrap_or_else(|refusal| failed(&refusal));
    reply.with("Cache-Control", "no-cache,must-revalidate,max-age=0,no-store,private")
}

fn failed(refusal: &Refusal) -> Reply {
    Reply::json(400, &json!({"error": refusal.0, "error_description": refusal.1}))
}

struct Form<'r> {
    fields: Vec<(String, String)>,
    request: &'r Incoming,
}

impl Form<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
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

/// The app of a request. A secret that is sent is always checked; one that is needed must be sent.
fn client(org: &Org, form: &Form<'_>, needs_secret: bool) -> Result<ClientSeed, Refusal> {
    let (id, secret) = form.client();
    let Some(client) = id.as_deref().and_then(|id| org.people.client(id)) else {
        return refuse("invalid_client_id", "client identifier invalid");
    };
    match secret {
        Some(secret) if secret != client.client_secret => refuse("invalid_client", "invalid client credentials"),
        None if needs_secret && !client.secret_optional => refuse("invalid_client", "invalid client credentials"),
        _ => Ok(client.clone()),
    }
}

fn token(state: &State, form: &Form<'_>) -> Result<Reply, Refusal> {
    match form.get("grant_type") {
        Some("refresh_token") => refresh(state, form),
        Some("client_credentials") => client_credentials(state, form),
        Some(JWT_GRANT) => jwt(state, form),
        Some(_) => refuse("unsupported_grant_type", "grant type not supported"),
        None => refuse("invalid_request", "missing required parameter: grant_type"),
    }
}

fn refresh(state: &State, form: &Form<'_>) -> Result<Reply, Refusal> {
    let expired = || refuse("invalid_grant", "expired access/refresh token");
    let mut org = state.org();
    let client = client(&org, form, true)?;
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
    let renewed = if client.rotation {
        if let Some(old) = org.people.tokens.get_mut(sent) {
            old.spent = true;
        }
        Some(state.issue(&mut org, TokenKind::Refresh, &user.id, &client.client_id, known.family, false)?)
    } else {
        None
    };
    granted(state, &mut org, &user, &client, known.family, renewed)
}

fn client_credentials(state: &State, form: &Form<'_>) -> Result<Reply, Refusal> {
    let mut org = state.org();
    let client = client(&org, form, true)?;
    let user = client.run_as.as_deref().and_then(|name| org.people.by_username(name)).cloned();
    let Some(user) = user.filter(|u| u.seed.active) else {
        return refuse("invalid_grant", "no client credentials user enabled");
    };
    org.people.families += 1;
    let family = org.people.families;
    granted(state, &mut org, &user, &client, family, None)
}

/// The reply of all grants but JWT.
fn granted(
    state: &State,
    org: &mut Org,
    user: &User,
    client: &ClientSeed,
    family: u64,
    refresh: Option<String>,
) -> Result<Reply, Refusal> {
    let access = state.issue(org, TokenKind::Access, &user.id, &client.client_id, family, false)?;
    let id = format!("{}/id/{}/{}", state.base, org.profile.id, user.id);
    let issued = state.now().as_millisecond().to_string();
    let signature = STANDARD.encode(hmac(client.client_secret.as_bytes(), format!("{id}{issued}").as_bytes()));
    let mut body = json!({
        "access_token": access,
        "signature": signature,
        "scope": "refresh_token api",
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

fn jwt(state: &State, form: &Form<'_>) -> Result<Reply, Refusal> {
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
    if client.approved.as_ref().is_some_and(|all| !all.iter().any(|u| u.eq_ignore_ascii_case(&name))) {
        return refuse("invalid_grant", "user hasn't approved this consumer");
    }
    org.people.families += 1;
    let family = org.people.families;
    let access = state.issue(&mut org, TokenKind::Access, &user.id, &client.client_id, family, false)?;
    Ok(Reply::json(
        200,
        &json!({
            "access_token": access,
            "scope": "api",
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

fn signed(assertion: &str, public_key: &str) -> bool {
    let Ok(key) = DecodingKey::from_rsa_pem(public_key.as_bytes()) else { return false };
    // Times are checked against the org's clock, the audience against the org.
    let mut rules = Validation::new(Algorithm::RS256);
    rules.validate_exp = false;
    rules.validate_aud = false;
    rules.required_spec_claims.clear();
    jsonwebtoken::decode::<Value>(assertion, &key, &rules).is_ok()
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

fn revoke(state: &State, form: &Form<'_>) -> Result<Reply, Refusal> {
    let mut org = state.org();
    if !org.people.revoke(form.get("token").unwrap_or_default()) {
        return refuse("unsupported_token_type", "this token type is not supported");
    }
    org.save()?;
    Ok(Reply::empty(200))
}

fn introspect(state: &State, form: &Form<'_>) -> Result<Reply, Refusal> {
    let mut org = state.org();
    let client = client(&org, form, true)?;
    let sent = form.get("token").unwrap_or_default();
    let now = state.now();
    let known = org.people.tokens.get(sent).filter(|t| t.client == client.client_id && !t.spent).cloned();
    let Some(known) = known else { return Ok(Reply::json(200, &json!({"active": false}))) };
    let idle = state.settings.session_seconds;
    // Asking does not count as use, so the token goes back as it was.
    let alive = known.kind == TokenKind::Refresh || org.people.session(sent, now, idle).is_some();
    if !alive {
        return Ok(Reply::json(200, &json!({"active": false})));
    }
    org.people.issue(known.clone());
    let username = org.people.user(&known.user).map(|u| u.seed.username.clone()).unwrap_or_default();
    let mut body = json!({
        "active": true,
        "scope": "api refresh_token",
        "client_id": client.client_id,
        "username": username,
        "sub": format!("{}/id/{}/{}", state.base, org.profile.id, known.user),
        "token_type": if known.kind == TokenKind::Access { "access_token" } else { "refresh_token" },
        "iat": known.issued.as_second(),
        "nbf": known.issued.as_second(),
    });
    if let (TokenKind::Access, Some(map)) = (known.kind, body.as_object_mut()) {
        map.insert("exp".to_owned(), (known.used.as_second() + idle).into());
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
