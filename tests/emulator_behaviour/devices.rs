//! Device flow, in Salesforce's own dialect: pending, slow down, allowed, denied, expired, used, blocked.

use footbridge::emulator::{Clock, Options, PASSWORD};
use serde_json::{Value, json};

use super::Org;
use super::logins::{alive, post, refresh_as};
use super::sign_in::Browser;

const USER: &str = "ada@acme.example";
const SEED: &str = "
clients:
  - { client_id: tool, client_secret: s, name: Tool, device_flow: true, secret_optional: true, secret_for_refresh: false }
  - { client_id: closed, client_secret: s }
  - { client_id: strange, device_flow: true, secret_optional: true, installed: false }
users: [{ username: ada@acme.example }]
";

async fn org() -> Org {
    let org = Org::with(Options { seed_texts: vec![SEED.to_owned()], ..Options::default() }).await;
    at(&org, "09:00:00");
    org
}

fn at(org: &Org, time: &str) {
    org.emulator.set_clock(Clock::Fixed(format!("2026-11-21T{time}Z").parse().unwrap()));
}

async fn start(org: &Org) -> (String, String) {
    let form = [("response_type", "device_code"), ("client_id", "tool"), ("scope", "refresh_token api")];
    let (status, reply) = post(org, "token", &form).await;
    assert_eq!(status, 200, "{reply}");
    let keys: Vec<&str> = reply.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["device_code", "interval", "user_code", "verification_uri"]);
    assert_eq!(
        (&reply["interval"], &reply["verification_uri"]),
        (&json!(5), &json!(org.emulator.url() + "/setup/connect"))
    );
    let text = |key: &str| reply[key].as_str().unwrap().to_owned();
    assert_eq!(text("user_code").len(), 8);
    assert!(text("device_code").ends_with("=="));
    (text("device_code"), text("user_code"))
}

async fn poll(org: &Org, code: &str) -> (u16, Value) {
    post(org, "token", &[("grant_type", "device"), ("client_id", "tool"), ("code", code)]).await
}

async fn error(org: &Org, code: &str) -> String {
    let (status, reply) = poll(org, code).await;
    assert_eq!(status, 400, "{reply}");
    reply["error"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_person_lets_a_device_in() {
    let org = org().await;
    let (code, user_code) = start(&org).await;
    assert_eq!(error(&org, &code).await, "authorization_pending");
    let mut browser = Browser::of(&org);
    let login = browser.open("/setup/connect", &[("user_code", &user_code)]).await;
    let page = browser.log_in(&login, USER, PASSWORD).await;
    assert!(page.text.contains(&format!("value=\"{user_code}\"")), "{}", page.text);
    let wrong = browser.submit(&page, &[("user_code", "NOPE1234")]).await;
    assert!(wrong.text.contains("wrong, or has expired"));
    let typed = format!("{}-{}", &user_code[..4].to_lowercase(), &user_code[4..]);
    let consent = browser.submit(&page, &[("user_code", &typed)]).await;
    assert!(consent.text.contains("<strong>Tool</strong>") && consent.text.contains("(api)"), "{}", consent.text);
    let done = browser.submit(&consent, &[("decision", "allow")]).await;
    assert!(done.text.contains("You are connected"));
    at(&org, "09:00:05");
    let (status, reply) = poll(&org, &code).await;
    assert_eq!(status, 200, "{reply}");
    assert!(alive(&org, reply["access_token"].as_str().unwrap()).await);
    assert_eq!(refresh_as(&org, "tool", None, reply["refresh_token"].as_str().unwrap()).await.0, 200);
    at(&org, "09:00:10");
    let (status, again) = poll(&org, &code).await;
    let expected = json!({"error": "invalid_grant", "error_description": "token exchange failed"});
    assert_eq!((status, again), (400, expected), "a code is good once");
}

#[tokio::test]
async fn who_polls_too_quickly_must_slow_down_for_good() {
    let org = org().await;
    let (code, _) = start(&org).await;
    for (time, expected) in [
        ("09:00:01", "authorization_pending"),
        ("09:00:04", "slow_down"),
        ("09:00:10", "slow_down"),
        ("09:00:25", "authorization_pending"),
    ] {
        at(&org, time);
        assert_eq!(error(&org, &code).await, expected, "{time}");
    }
}

#[tokio::test]
async fn denied_expired_foreign_and_unknown_codes_end_the_flow() {
    let org = org().await;
    let (code, user_code) = start(&org).await;
    org.emulator.judge_device(&user_code, USER, false).unwrap();
    assert_eq!(poll(&org, &code).await.1["error_description"], "end-user denied authorization");
    assert_eq!(error(&org, &code).await, "access_denied");
    assert!(org.emulator.judge_device(&user_code, USER, true).is_err());
    assert_eq!(error(&org, "nonsense==").await, "invalid_grant");
    let (code, _) = start(&org).await;
    let form = [("grant_type", "device"), ("client_id", "strange"), ("code", code.as_str())];
    assert_eq!(post(&org, "token", &form).await.1["error"], "invalid_grant");
    at(&org, "09:10:01");
    assert_eq!(error(&org, &code).await, "invalid_grant");
    let (code, user_code) = start(&org).await;
    let body = json!({"user_code": user_code, "username": USER});
    let reply = org.request(reqwest::Method::POST, "/__emulator/oauth").json(&body).send().await.unwrap();
    assert_eq!(reply.status(), 204);
    assert_eq!(poll(&org, &code).await.0, 200);
}

#[tokio::test]
async fn the_flow_is_blocked_where_the_app_or_the_org_does_not_want_it() {
    let org = org().await;
    for client in ["closed", "strange"] {
        let (status, reply) = post(&org, "token", &[("response_type", "device_code"), ("client_id", client)]).await;
        let text = "device flow is not enabled for the app";
        assert_eq!((status, reply), (400, json!({"error": "invalid_grant", "error_description": text})), "{client}");
    }
    let (code, user_code) = start(&org).await;
    org.emulator.change_client("tool", |client| client.device_flow = false).unwrap();
    assert_eq!(error(&org, &code).await, "invalid_grant");
    let mut browser = Browser::of(&org);
    let login = browser.open("/setup/connect", &[]).await;
    let page = browser.log_in(&login, USER, PASSWORD).await;
    let page = browser.submit(&page, &[("user_code", &user_code)]).await;
    assert!(page.text.contains("OAUTH_APPROVAL_ERROR_GENERIC"));
    let form = [("response_type", "device_code"), ("client_id", "tool"), ("scope", "web")];
    org.emulator.change_client("tool", |client| client.device_flow = true).unwrap();
    assert_eq!(post(&org, "token", &form).await.1["error"], "invalid_scope");
}
