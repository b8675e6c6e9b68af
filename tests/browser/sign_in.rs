//! A person at a real browser lets an app, and a device, into the emulated org.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use footbridge::emulator::{Emulator, Options, PASSWORD, serve};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Browser, Listener};

const VERIFIER: &str = "a-verifier-of-more-than-forty-three-characters-1234567890";
const USER: &str = "ada@acme.example";

async fn org(callback: &str) -> Emulator {
    let seed = format!(
        "org: {{ name: Acme (UAT), sandbox: true }}\n\
         clients: [{{ client_id: app, name: Footbridge <b>, callbacks: ['{callback}'], secret_optional: true, device_flow: true }}]\n\
         users: [{{ username: {USER}, name: Ada }}, {{ username: gone@acme.example, active: false }}]\n"
    );
    serve(Options { seed_texts: vec![seed], ..Options::default() }).await.unwrap()
}

fn authorize(org: &Emulator, callback: &str, more: &[(&str, &str)]) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let mut url = url::Url::parse(&format!("{}/services/oauth2/authorize", org.url())).unwrap();
    url.query_pairs_mut().extend_pairs([
        ("response_type", "code"),
        ("client_id", "app"),
        ("redirect_uri", callback),
        ("state", "st ate&1"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ]);
    url.query_pairs_mut().extend_pairs(more);
    url.into()
}

fn parameters(target: &str) -> Vec<(String, String)> {
    url::Url::parse(&format!("http://x{target}")).unwrap().query_pairs().into_owned().collect()
}

async fn token(org: &Emulator, form: &[(&str, &str)]) -> (u16, Value) {
    let url = format!("{}/services/oauth2/token", org.url());
    let reply = crate::http::client().post(url).form(form).send().await.unwrap();
    (reply.status().as_u16(), reply.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_logs_in_and_allows_an_app() {
    let Some(browser) = Browser::start().await else { return };
    let mut listener = Listener::new().await;
    let callback = listener.callback.clone();
    let org = org(&callback).await;
    browser.open(&authorize(&org, &callback, &[("login_hint", USER)])).await;
    browser.assert_accessible().await;
    browser.picture("login").await;
    browser.log_in("gone@acme.example", PASSWORD).await;
    assert!(browser.element("error").await.contains("Your access is disabled"));
    browser.log_in(USER, "wrong").await;
    browser.says("check your username and password").await;
    browser.assert_accessible().await;
    browser.picture("login-refused").await;
    browser.log_in(USER, PASSWORD).await;
    browser.element("oaapprove").await;
    let said = browser.text().await;
    assert!(said.contains("Footbridge <b>") && said.contains(USER) && said.contains("Acme (UAT)"), "{said}");
    browser.assert_accessible().await;
    browser.picture("consent").await;
    assert!(listener.untouched());
    let (caught, ()) = tokio::join!(listener.next(), browser.click("oaapprove"));
    let (target, head) = caught;
    assert!(!head.to_ascii_lowercase().contains("\r\nreferer:"), "{head}");
    browser.element("caught").await;
    let given = parameters(&target);
    assert_eq!((given[0].0.as_str(), given[1].1.as_str()), ("code", "st ate&1"));
    assert!(given[0].1.ends_with("==") && target.contains("%3D%3D"), "{target}");
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "app"),
        ("code", &given[0].1),
        ("redirect_uri", &callback),
        ("code_verifier", VERIFIER),
    ];
    let (status, reply) = token(&org, &form).await;
    assert_eq!((status, &reply["scope"]), (200, &"refresh_token api".into()), "{reply}");
    // The second time no page is shown: signed in, and allowed before.
    let url = authorize(&org, &callback, &[]);
    let (caught, ()) = tokio::join!(listener.next(), browser.open(&url));
    assert!(caught.0.starts_with("/OauthRedirect?code="), "{}", caught.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_denies_and_a_wrong_callback_is_told_in_the_browser_only() {
    let Some(browser) = Browser::start().await else { return };
    let mut listener = Listener::new().await;
    let callback = listener.callback.clone();
    let org = org(&callback).await;
    browser.open(&authorize(&org, &format!("{callback}/"), &[])).await;
    assert!(browser.text().await.contains("redirect_uri_mismatch"));
    browser.picture("error").await;
    assert!(listener.untouched());
    browser.open(&authorize(&org, &callback, &[])).await;
    browser.log_in(USER, PASSWORD).await;
    let (caught, ()) = tokio::join!(listener.next(), browser.click("oadeny"));
    let expected =
        "/OauthRedirect?error=access_denied&error_description=end-user+denied+authorization&state=st+ate%261";
    assert_eq!(caught.0, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_lets_a_device_in() {
    let Some(browser) = Browser::start().await else { return };
    let org = org("http://localhost:1717/OauthRedirect").await;
    let (_, started) = token(&org, &[("response_type", "device_code"), ("client_id", "app")]).await;
    let text = |key: &str| started[key].as_str().unwrap().to_owned();
    browser.open(&text("verification_uri")).await;
    browser.log_in(USER, PASSWORD).await;
    browser.fill("user_code", &text("user_code")).await;
    browser.assert_accessible().await;
    browser.picture("device").await;
    browser.click("connect").await;
    browser.element("oaapprove").await;
    browser.picture("device-consent").await;
    browser.click("oaapprove").await;
    browser.element("done").await;
    browser.picture("device-done").await;
    let form = [("grant_type", "device"), ("client_id", "app"), ("code", &*text("device_code"))];
    assert_eq!(token(&org, &form).await.0, 200);
}
