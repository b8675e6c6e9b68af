//! Who is asking: the identity URL and `/services/oauth2/userinfo` (recorded: `oauth_identity_url_reply.json`).

use serde_json::{Value, json};

use super::super::ids::fifteen;
use super::super::people::User;
use super::super::state::State;
use super::reply::Reply;
use super::request::Incoming;

fn refused(text: &str) -> Reply {
    Reply { content_type: Some("text/html;charset=UTF-8"), body: text.as_bytes().to_vec(), ..Reply::empty(403) }
}

/// The user of the request's session.
fn user(state: &State, request: &Incoming) -> Result<User, Reply> {
    if request.header("authorization").is_none() {
        return Err(refused("Missing_OAuth_Token"));
    }
    let token = request.token().map_err(|_| refused("Bad_OAuth_Token"))?;
    let now = state.now();
    let found = state.org().people.session(token, now, state.settings.session_seconds);
    found.ok_or_else(|| refused("Bad_OAuth_Token"))
}

/// `GET /id/{org}/{user}`.
pub fn answer(state: &State, request: &Incoming) -> Reply {
    let asked = match user(state, request) {
        Ok(user) => user,
        Err(reply) => return reply,
    };
    let mut parts = request.path.trim_start_matches("/id/").split('/');
    let (org_id, user_id) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let org = state.org();
    if fifteen(org_id) != fifteen(&org.profile.id) {
        return refused("Wrong_Org");
    }
    if fifteen(user_id) != fifteen(&asked.id) {
        return Reply::json(404, &json!("Bad_Id"));
    }
    let base = &request.base;
    let email = asked.seed.email.as_ref().unwrap_or(&asked.seed.username);
    Reply::json(
        200,
        &json!({
            "id": format!("{base}/id/{}/{}", org.profile.id, asked.id),
            "asserted_user": true,
            "user_id": asked.id,
            "organization_id": org.profile.id,
            "username": asked.seed.username,
            "nick_name": asked.seed.name,
            "display_name": asked.seed.name,
            "email": email,
            "email_verified": true,
            "first_name": null,
            "last_name": asked.seed.name,
            "timezone": org.profile.time_zone,
            "photos": {"picture": format!("{base}/profilephoto/005/F"), "thumbnail": format!("{base}/profilephoto/005/T")},
            "addr_street": null, "addr_city": null, "addr_state": null, "addr_country": null, "addr_zip": null,
            "mobile_phone": null,
            "mobile_phone_verified": false,
            "is_lightning_login_user": false,
            "status": {"created_date": null, "body": null},
            "urls": urls(base, &asked.id, &org.profile.id),
            "active": asked.seed.active,
            "user_type": "STANDARD",
            "language": "en_US",
            "locale": "en_US",
            "utcOffset": offset(&org.profile.time_zone),
            "last_modified_date": org.changed.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "is_app_installed": true,
        }),
    )
}

/// Milliseconds east of Greenwich, without summer time.
fn offset(zone: &str) -> i64 {
    let Ok(zone) = jiff::tz::TimeZone::get(zone) else { return 0 };
    let at = |month| jiff::civil::date(2026, month, 1).to_zoned(zone.clone()).map_or(0, |z| z.offset().seconds());
    i64::from(at(1).min(at(7))) * 1_000
}

/// URLs with the literal `{version}`.
fn urls(base: &str, user: &str, org: &str) -> Value {
    let data = |name: &str| format!("{base}/services/data/v{{version}}/{name}");
    let soap = |kind: &str| format!("{base}/services/Soap/{kind}/{{version}}/{}", fifteen(org));
    json!({
        "enterprise": soap("c"),
        "metadata": soap("m"),
        "partner": soap("u"),
        "rest": data(""),
        "sobjects": data("sobjects/"),
        "search": data("search/"),
        "query": data("query/"),
        "recent": data("recent/"),
        "tooling_soap": soap("T"),
        "tooling_rest": data("tooling/"),
        "profile": format!("{base}/{user}"),
        "feeds": data("chatter/feeds"),
        "groups": data("chatter/groups"),
        "users": data("chatter/users"),
        "feed_items": data("chatter/feed-items"),
        "feed_elements": data("chatter/feed-elements"),
        "custom_domain": base,
    })
}

/// `GET|POST /services/oauth2/userinfo`.
pub fn info(state: &State, request: &Incoming) -> Reply {
    let asked = match user(state, request) {
        Ok(user) => user,
        Err(reply) => return reply,
    };
    let org = state.org();
    let base = &request.base;
    let email = asked.seed.email.as_ref().unwrap_or(&asked.seed.username);
    Reply::json(
        200,
        &json!({
            "sub": format!("{base}/id/{}/{}", org.profile.id, asked.id),
            "user_id": asked.id,
            "organization_id": org.profile.id,
            "preferred_username": asked.seed.username,
            "nickname": asked.seed.name,
            "name": asked.seed.name,
            "email": email,
            "email_verified": true,
            "family_name": asked.seed.name,
            "zoneinfo": org.profile.time_zone,
            "photos": {"picture": format!("{base}/profilephoto/005/F"), "thumbnail": format!("{base}/profilephoto/005/T")},
            "urls": urls(base, &asked.id, &org.profile.id),
            "active": asked.seed.active,
            "user_type": "STANDARD",
            "language": "en_US",
            "locale": "en_US",
            "utcOffset": offset(&org.profile.time_zone),
            "updated_at": org.changed.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        }),
    )
}
