//! Tokens that are known already: `/services/oauth2/revoke` and `/introspect`.

use serde_json::json;

use super::super::super::people::TokenKind;
use super::super::super::state::State;
use super::super::reply::Reply;
use super::{Form, Refusal, Secret, client, refuse};

/// `POST` (or `GET`) `/services/oauth2/revoke`: 200 and nothing else.
pub fn revoke(state: &State, form: &Form<'_>) -> Result<Reply, Refusal> {
    let mut org = state.org();
    if !org.people.revoke(form.get("token").unwrap_or_default()) {
        return refuse("unsupported_token_type", "this token type is not supported");
    }
    org.save()?;
    Ok(Reply::empty(200))
}

/// `POST /services/oauth2/introspect`: an app sees its own tokens.
pub fn introspect(state: &State, form: &Form<'_>) -> Result<Reply, Refusal> {
    let mut org = state.org();
    let client = client(&org, form, Secret::ForCode)?;
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
        "scope": known.scopes.join(" "),
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
