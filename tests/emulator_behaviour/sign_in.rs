//! People in a browser: login page, consent, the code that comes of it, and what is refused on the way. No browser here: raw HTTP.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use footbridge::emulator::{Clock, Options, PASSWORD, Settings};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Org;
use super::logins::{alive, post, refresh_as};

const CALLBACK: &str = "http://localhost:1717/OauthRedirect";
const VERIFIER: &str = "a-verifier-of-more-than-forty-three-characters-1234567890";
const USER: &str = "ada@acme.example";
const SEED: &str = "
clients:
  - { client_id: app, client_secret: s, name: 'Foot & Bridge', callbacks: ['http://localhost:1717/OauthRedirect', 'myapp:/cb?x=1'] }
  - { client_id: public, secret_optional: true, secret_for_refresh: false, rotation: true }
  - { client_id: old, client_secret: s, pkce_required: false, scopes: [api, openid] }
  - { client_id: strange, client_secret: s, installed: false }
  - { client_id: chosen, client_secret: s, admin_approved: [ada@acme.example] }
users:
  - { username: ada@acme.example, name: Ada }
  - { username: bob@acme.example, password: 'p&ss wörd', active: true, approve_uninstalled_apps: true }
  - { username: gone@acme.example, active: false }
";

async fn org() -> Org {
    let clock = Clock::Fixed("2026-11-21T09:00:00Z".parse().unwrap());
    Org::with(Options { clock, seed_texts: vec![SEED.to_owned()], ..Options::default() }).await
}

/// A page as a browser has it.
pub struct Page {
    pub status: u16,
    pub location: Option<String>,
    pub text: String,
    pub headers: reqwest::header::HeaderMap,
}

/// A browser with one cookie and no taste for redirects.
pub struct Browser {
    client: reqwest::Client,
    base: String,
    pub cookie: Option<String>,
}

impl Browser {
    pub fn of(org: &Org) -> Self {
        let client = crate::http::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { client, base: org.emulator.url(), cookie: None }
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Page {
        let request = match &self.cookie {
            Some(cookie) => request.header("cookie", format!("other=1; {cookie}")),
            None => request,
        };
        let reply = request.send().await.unwrap();
        let headers = reply.headers().clone();
        if let Some(cookie) = headers.get("set-cookie").and_then(|c| c.to_str().ok()) {
            assert!(cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Lax"), "{cookie}");
            self.cookie = cookie.split(';').next().map(str::to_owned);
        }
        let location = headers.get("location").map(|l| l.to_str().unwrap().to_owned());
        Page { status: reply.status().as_u16(), location, headers, text: reply.text().await.unwrap() }
    }

    pub async fn open(&mut self, path: &str, query: &[(&str, &str)]) -> Page {
        let request = self.client.get(format!("{}{path}", self.base)).query(query);
        self.send(request).await
    }

    /// Sends the form of a page.
    pub async fn submit(&mut self, page: &Page, fields: &[(&str, &str)]) -> Page {
        let cut = |from: &str| page.text.split(from).nth(1).unwrap_or_default().split('"').next().unwrap().to_owned();
        let (action, visit) = (cut("action=\""), cut("name=\"visit\" value=\""));
        let mut all = vec![("visit", visit.as_str())];
        all.extend_from_slice(fields);
        let request = self.client.post(format!("{}{action}", self.base)).form(&all);
        self.send(request).await
    }

    pub async fn log_in(&mut self, page: &Page, username: &str, password: &str) -> Page {
        self.submit(page, &[("username", username), ("password", password)]).await
    }
}

fn challenge() -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER))
}

/// What an app asks for, with some of it otherwise; an empty value leaves a parameter out.
async fn ask(browser: &mut Browser, other: &[(&str, &str)]) -> Page {
    let challenge = challenge();
    let mut query = vec![
        ("response_type", "code"),
        ("client_id", "app"),
        ("redirect_uri", CALLBACK),
        ("state", "st ate&1"),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in other {
        query.retain(|(known, _)| known != name);
        query.push((name, value));
    }
    query.retain(|(_, value)| !value.is_empty());
    browser.open("/services/oauth2/authorize", &query).await
}

/// The parameters that a browser brings to the callback.
fn brought(page: &Page) -> Vec<(String, String)> {
    let location = page.location.as_ref().unwrap_or_else(|| panic!("no redirect but {}: {}", page.status, page.text));
    let url = url::Url::parse(location).unwrap();
    url.query_pairs().into_owned().collect()
}

fn parameter(page: &Page, name: &str) -> String {
    brought(page).into_iter().find(|(key, _)| key == name).map(|(_, value)| value).unwrap_or_default()
}

/// Through all pages, to a code.
async fn code(org: &Org, other: &[(&str, &str)]) -> String {
    let mut browser = Browser::of(org);
    let login = ask(&mut browser, other).await;
    let mut page = browser.log_in(&login, USER, PASSWORD).await;
    if page.location.is_none() {
        page = browser.submit(&page, &[("decision", "allow")]).await;
    }
    parameter(&page, "code")
}

async fn exchange(org: &Org, code: &str, other: &[(&str, &str)]) -> (u16, Value) {
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("client_id", "app"),
        ("client_secret", "s"),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    for (name, value) in other {
        form.retain(|(known, _)| known != name);
        form.push((name, value));
    }
    form.retain(|(_, value)| !value.is_empty());
    post(org, "token", &form).await
}

fn refused(error: &str, description: &str) -> (u16, Value) {
    (400, json!({"error": error, "error_description": description}))
}

#[tokio::test]
async fn a_person_logs_in_allows_and_the_app_gets_tokens() {
    let org = org().await;
    let mut browser = Browser::of(&org);
    let login = ask(&mut browser, &[("scope", "api refresh_token"), ("login_hint", "a\"<b>@x.example")]).await;
    assert_eq!(login.status, 200);
    assert!(login.text.contains("value=\"a&quot;&lt;b&gt;@x.example\""), "{}", login.text);
    for page in ["<html lang=\"en\">", "<label for=\"username\">", "<label for=\"password\">", "type=\"password\""] {
        assert!(login.text.contains(page), "{page}");
    }
    assert!(!login.text.contains("<script") && !login.text.contains("src="));
    let policy = login.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(policy.contains("form-action 'self' http://localhost:1717;"), "{policy}");
    assert_eq!(login.headers["referrer-policy"], "no-referrer");
    let before = browser.cookie.clone();
    let consent = browser.log_in(&login, " ADA@acme.example", PASSWORD).await;
    assert!(consent.text.contains("Foot &amp; Bridge") && consent.text.contains("(refresh_token)"), "{}", consent.text);
    assert_ne!(browser.cookie, before, "signing in changes the cookie");
    let back = browser.submit(&consent, &[("decision", "allow")]).await;
    assert_eq!(back.status, 302);
    let location = back.location.clone().unwrap();
    assert!(location.starts_with(&format!("{CALLBACK}?code=aPrx")) && location.contains("%3D%3D&state="), "{location}");
    assert_eq!(parameter(&back, "state"), "st ate&1");
    let (status, reply) = exchange(&org, &parameter(&back, "code"), &[]).await;
    assert_eq!(status, 200, "{reply}");
    let keys: Vec<&str> = reply.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        ["access_token", "id", "instance_url", "issued_at", "refresh_token", "scope", "signature", "token_type"]
    );
    assert_eq!(reply["scope"], "refresh_token api");
    assert!(alive(&org, reply["access_token"].as_str().unwrap()).await);
    let token = reply["refresh_token"].as_str().unwrap();
    assert_eq!(refresh_as(&org, "app", Some("s"), token).await.0, 200);
    let secrets = format!("{:?}", org.emulator.calls());
    for secret in [PASSWORD, VERIFIER, token] {
        assert!(!secrets.contains(&format!("={secret}")) && !secrets.contains(&format!("\"{secret}\"")), "{secrets}");
    }
}

#[tokio::test]
async fn deny_brings_the_documented_words() {
    let org = org().await;
    let mut browser = Browser::of(&org);
    let login = ask(&mut browser, &[]).await;
    let consent = browser.log_in(&login, USER, PASSWORD).await;
    let back = browser.submit(&consent, &[("decision", "deny")]).await;
    let expected = "?error=access_denied&error_description=end-user+denied+authorization&state=st+ate%261";
    assert_eq!(back.location.unwrap(), format!("{CALLBACK}{expected}"));
    let again = browser.submit(&consent, &[("decision", "allow")]).await;
    assert_eq!(again.status, 403, "a visit has one answer");
}

#[tokio::test]
async fn the_login_page_says_what_is_wrong() {
    let org = org().await;
    let mut browser = Browser::of(&org);
    let mut page = ask(&mut browser, &[]).await;
    for (name, password, told) in [
        (USER, "wrong", "check your username and password"),
        ("nobody@acme.example", PASSWORD, "check your username and password"),
        ("gone@acme.example", "wrong", "check your username and password"),
        ("gone@acme.example", PASSWORD, "Your access is disabled"),
    ] {
        page = browser.log_in(&page, name, password).await;
        assert!(
            page.status == 200 && page.text.contains(told) && page.text.contains("role=\"alert\""),
            "{}",
            page.text
        );
    }
    let page = browser.log_in(&page, "bob@acme.example", "p&ss wörd").await;
    assert!(page.text.contains("bob@acme.example"));
    let other = browser.submit(&page, &[("decision", "switch")]).await;
    assert!(other.text.contains("id=\"password\""));
    let page = browser.submit(&page, &[("decision", "allow")]).await;
    assert!(page.text.contains("id=\"password\""), "who has logged out allows nothing");
}

#[tokio::test]
async fn what_is_wrong_with_app_or_callback_never_reaches_the_callback() {
    let org = org().await;
    for (other, told) in [
        (("client_id", "nobody"), "invalid_client_id"),
        (("client_id", ""), "invalid_client_id"),
        (("redirect_uri", ""), "redirect_uri_missing"),
        (("redirect_uri", "http://localhost:1717/OauthRedirect/"), "redirect_uri_mismatch"),
        (("redirect_uri", "http://localhost:1718/OauthRedirect"), "redirect_uri_mismatch"),
        (("redirect_uri", "http://127.0.0.1:1717/OauthRedirect"), "redirect_uri_mismatch"),
        (("redirect_uri", "HTTP://localhost:1717/OauthRedirect"), "redirect_uri_mismatch"),
        (("redirect_uri", "http://localhost:1717/OauthRedirect?x=1"), "redirect_uri_mismatch"),
    ] {
        let page = ask(&mut Browser::of(&org), &[other]).await;
        assert!(page.location.is_none() && page.status == 400 && page.text.contains(told), "{other:?}: {}", page.text);
    }
}

#[tokio::test]
async fn what_is_wrong_with_the_request_is_told_to_the_app() {
    let org = org().await;
    for (other, error) in [
        (("response_type", "token"), "unsupported_response_type"),
        (("response_type", ""), "unsupported_response_type"),
        (("code_challenge", ""), "invalid_request"),
        (("code_challenge", "short"), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("code_challenge_method", ""), "invalid_request"),
        (("scope", "api full"), "invalid_scope"),
        (("prompt", "sometimes"), "invalid_request"),
        (("prompt", "none"), "login_required"),
    ] {
        let page = ask(&mut Browser::of(&org), &[other]).await;
        assert_eq!(parameter(&page, "error"), error, "{other:?}");
        assert_eq!(parameter(&page, "state"), "st ate&1");
    }
    // A callback with a query of its own, and one that is no web address.
    let page =
        ask(&mut Browser::of(&org), &[("redirect_uri", "myapp:/cb?x=1"), ("prompt", "none"), ("state", "")]).await;
    assert_eq!(page.location.unwrap(), "myapp:/cb?x=1&error=login_required&error_description=login+required");
}

#[tokio::test]
async fn who_is_signed_in_and_has_allowed_sees_no_page() {
    let org = org().await;
    let mut browser = Browser::of(&org);
    let login = ask(&mut browser, &[("scope", "api")]).await;
    let consent = browser.log_in(&login, USER, PASSWORD).await;
    assert!(ask(&mut browser, &[("prompt", "none")]).await.location.unwrap().contains("error=consent_required"));
    browser.submit(&consent, &[("decision", "allow")]).await;
    assert!(ask(&mut browser, &[("scope", "api"), ("prompt", "none")]).await.location.unwrap().contains("code=aPrx"));
    assert!(ask(&mut browser, &[("scope", "api")]).await.location.unwrap().contains("code=aPrx"));
    assert!(ask(&mut browser, &[("scope", "api"), ("prompt", "consent")]).await.text.contains("oaapprove"));
    assert!(ask(&mut browser, &[("scope", "api"), ("prompt", "login")]).await.text.contains("id=\"password\""));
    assert!(ask(&mut browser, &[]).await.text.contains("oaapprove"), "more scopes need another yes");
    let stranger = &mut Browser::of(&org);
    assert!(ask(stranger, &[("scope", "api")]).await.text.contains("id=\"password\""));
}

#[tokio::test]
async fn a_form_is_good_in_one_browser_only() {
    let org = org().await;
    let (mut mine, mut other) = (Browser::of(&org), Browser::of(&org));
    let login = ask(&mut mine, &[]).await;
    assert_eq!(other.log_in(&login, USER, PASSWORD).await.status, 403, "no cookie");
    ask(&mut other, &[]).await;
    assert_eq!(other.log_in(&login, USER, PASSWORD).await.status, 403, "another's cookie");
    let consent = mine.log_in(&login, USER, PASSWORD).await;
    assert_eq!(other.submit(&consent, &[("decision", "allow")]).await.status, 403);
    assert_eq!(mine.submit(&consent, &[("decision", "allow")]).await.status, 302);
}

#[tokio::test]
async fn a_code_is_good_once_and_its_replay_ends_what_came_of_it() {
    let org = org().await;
    let code = code(&org, &[]).await;
    let (_, reply) = exchange(&org, &code, &[]).await;
    let (session, token) = (reply["access_token"].as_str().unwrap(), reply["refresh_token"].as_str().unwrap());
    assert!(alive(&org, session).await);
    assert_eq!(exchange(&org, &code, &[]).await, refused("invalid_grant", "expired authorization code"));
    assert!(!alive(&org, session).await);
    assert_eq!(refresh_as(&org, "app", Some("s"), token).await.0, 400);
}

#[tokio::test]
async fn a_code_is_bound_to_app_callback_verifier_and_time() {
    let org = org().await;
    for (other, expected) in [
        (("client_secret", "wrong"), refused("invalid_client", "invalid client credentials")),
        (("client_secret", ""), refused("invalid_client", "invalid client credentials")),
        (("client_id", "old"), refused("invalid_grant", "invalid authorization code")),
        (("client_id", "nobody"), refused("invalid_client_id", "client identifier invalid")),
        (("code", "aPrxnone=="), refused("invalid_grant", "invalid authorization code")),
        (("code", ""), refused("invalid_request", "missing required parameter: code")),
        (("redirect_uri", "myapp:/cb?x=1"), refused("redirect_uri_mismatch", "redirect_uri must match configuration")),
        (
            ("code_verifier", "another-verifier-of-more-than-forty-three-chars"),
            refused("invalid_grant", "invalid code verifier"),
        ),
        (("code_verifier", ""), refused("invalid_grant", "invalid code verifier")),
    ] {
        let code = code(&org, &[]).await;
        assert_eq!(exchange(&org, &code, &[other]).await, expected, "{other:?}");
    }
    let late = code(&org, &[]).await;
    org.emulator.set_clock(Clock::Fixed("2026-11-21T09:15:01Z".parse().unwrap()));
    assert_eq!(exchange(&org, &late, &[]).await, refused("invalid_grant", "expired authorization code"));
    let code = code(&org, &[]).await;
    org.emulator.change_user(USER, |user| user.active = false).unwrap();
    assert_eq!(exchange(&org, &code, &[]).await, refused("inactive_user", "user is inactive"));
}

#[tokio::test]
async fn a_public_app_needs_no_secret_but_a_wrong_one_is_refused() {
    let org = org().await;
    let public = [("client_id", "public"), ("client_secret", "")];
    let (status, reply) = exchange(&org, &code(&org, &[public[0]]).await, &public).await;
    assert_eq!(status, 200, "{reply}");
    let (status, reply) = refresh_as(&org, "public", None, reply["refresh_token"].as_str().unwrap()).await;
    assert!(status == 200 && reply["refresh_token"].is_string(), "{reply}");
    let sent = [("client_id", "public"), ("client_secret", "x")];
    let (status, _) = exchange(&org, &code(&org, &[public[0]]).await, &sent).await;
    assert_eq!(status, 400);
    // The app with a secret needs it for refreshing as well.
    let (_, reply) = exchange(&org, &code(&org, &[]).await, &[]).await;
    assert_eq!(
        refresh_as(&org, "app", None, reply["refresh_token"].as_str().unwrap()).await.1["error"],
        "invalid_client"
    );
}

#[tokio::test]
async fn scopes_decide_what_a_session_is_good_for() {
    let org = org().await;
    let old = ("client_id", "old");
    let plain = [old, ("code_challenge", ""), ("code_challenge_method", "")];
    let mine = [old, ("code_verifier", "")];
    let (status, reply) = exchange(&org, &code(&org, &plain).await, &mine).await;
    assert_eq!((status, &reply["scope"], reply.get("refresh_token")), (200, &json!("api openid"), None));
    let code = code(&org, &[&plain[..], &[("scope", "openid")]].concat()).await;
    let (_, reply) = exchange(&org, &code, &mine).await;
    let session = reply["access_token"].as_str().unwrap();
    let url = format!("{}/services/data/v66.0/limits", org.emulator.url());
    let refused = org.client.get(&url).bearer_auth(session).send().await.unwrap();
    assert_eq!(refused.status(), 401);
    assert!(refused.text().await.unwrap().contains("This session is not valid for use with the REST API"));
    let info = format!("{}/services/oauth2/userinfo", org.emulator.url());
    assert_eq!(org.client.get(info).bearer_auth(session).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn apps_that_are_not_installed_and_users_who_are_not_chosen_are_turned_away() {
    let org = org().await;
    let mut browser = Browser::of(&org);
    let login = ask(&mut browser, &[("client_id", "strange")]).await;
    let page = browser.log_in(&login, USER, PASSWORD).await;
    assert!(page.location.is_none() && page.text.contains("OAUTH_APPROVAL_ERROR_GENERIC"), "{}", page.text);
    let mut bob = Browser::of(&org);
    let login = ask(&mut bob, &[("client_id", "strange")]).await;
    let page = bob.log_in(&login, "bob@acme.example", "p&ss wörd").await;
    assert!(page.text.contains("oaapprove"), "may approve uninstalled apps");
    let page = ask(&mut bob, &[("client_id", "chosen")]).await;
    assert_eq!(parameter(&page, "error"), "OAUTH_APP_ACCESS_DENIED");
    let page = ask(&mut browser, &[("client_id", "chosen"), ("prompt", "login")]).await;
    let page = browser.log_in(&page, USER, PASSWORD).await;
    assert!(parameter(&page, "code").starts_with("aPrx"), "an admin's approval is consent enough");
}

#[tokio::test]
async fn a_user_keeps_five_grants_and_logs_in_so_often_an_hour() {
    let org = org().await;
    let mut tokens = Vec::new();
    for _ in 0..6 {
        let (_, reply) = exchange(&org, &code(&org, &[]).await, &[]).await;
        tokens.push(reply["refresh_token"].as_str().unwrap().to_owned());
    }
    assert_eq!(refresh_as(&org, "app", Some("s"), &tokens[0]).await.0, 400);
    assert_eq!(refresh_as(&org, "app", Some("s"), &tokens[1]).await.0, 200);

    let settings = Settings { logins_per_hour: 2, ..Settings::default() };
    let clock = Clock::Fixed("2026-11-21T09:00:00Z".parse().unwrap());
    let org = Org::with(Options { settings, clock, ..Options::default() }).await;
    let login = org.emulator.credentials();
    let again = async || refresh_as(&org, &login.client_id, Some(&login.client_secret), &login.refresh_token).await;
    assert_eq!((again().await.0, again().await.0), (200, 200));
    assert_eq!(again().await, refused("rate_limit_exceeded", "Login Rate Exceeded"));
    org.emulator.set_clock(Clock::Fixed("2026-11-21T10:00:00Z".parse().unwrap()));
    assert_eq!(again().await.0, 200);
}

#[tokio::test]
async fn tests_can_act_for_a_person_without_a_browser() {
    let org = org().await;
    let url = format!(
        "{}/services/oauth2/authorize?response_type=code&client_id=app&redirect_uri={CALLBACK}&state=x&code_challenge={}&code_challenge_method=S256",
        org.emulator.url(),
        challenge()
    );
    let location = org.emulator.authorize(&url, USER, true).unwrap();
    let code = url::Url::parse(&location).unwrap().query_pairs().find(|(k, _)| k == "code").unwrap().1.into_owned();
    assert_eq!(exchange(&org, &code, &[]).await.0, 200);
    assert!(org.emulator.authorize(&url, USER, false).unwrap().contains("error=access_denied"));
    let wrong = url.replace("1717", "1718");
    assert!(org.emulator.authorize(&wrong, USER, true).unwrap_err().to_string().contains("redirect_uri_mismatch"));
    let body = json!({"authorize": url, "username": USER, "deny": true});
    let reply = org.request(reqwest::Method::POST, "/__emulator/oauth").json(&body).send().await.unwrap();
    let reply: Value = reply.json().await.unwrap();
    assert!(reply["location"].as_str().unwrap().starts_with(CALLBACK));
}
