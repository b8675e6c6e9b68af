//! Logging in as a machine: refresh tokens, client credentials, JWT; and losing the session again.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use footbridge::emulator::{Clock, Options};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::{Value, json};

use super::Org;

const NOW: &str = "2026-11-21T09:00:00Z";
const JWT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

async fn org(seed: &str) -> Org {
    let clock = Clock::Fixed(NOW.parse().unwrap());
    Org::with(Options { clock, seed_texts: vec![seed.to_owned()], ..Options::default() }).await
}

pub async fn post(org: &Org, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
    let url = format!("{}/services/oauth2/{path}", org.emulator.url());
    let reply = org.client.post(url).form(form).send().await.unwrap();
    (reply.status().as_u16(), reply.json().await.unwrap_or(Value::Null))
}

pub async fn alive(org: &Org, token: &str) -> bool {
    let url = format!("{}/services/data/v66.0/", org.emulator.url());
    org.client.get(url).bearer_auth(token).send().await.unwrap().status() == 200
}

pub async fn refresh_as(org: &Org, client: &str, secret: Option<&str>, token: &str) -> (u16, Value) {
    let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", client)];
    form.extend(secret.map(|secret| ("client_secret", secret)));
    post(org, "token", &form).await
}

async fn refresh(org: &Org, token: &str) -> (u16, Value) {
    let login = org.emulator.credentials();
    refresh_as(org, &login.client_id, Some(&login.client_secret), token).await
}

fn assertion(org: &Org, change: impl FnOnce(&mut Value)) -> String {
    let login = org.emulator.credentials();
    sign(org, &login.private_key, change)
}

fn sign(org: &Org, key: &str, change: impl FnOnce(&mut Value)) -> String {
    let login = org.emulator.credentials();
    let exp = NOW.parse::<jiff::Timestamp>().unwrap().as_second() + 180;
    let mut claims =
        json!({"iss": login.client_id, "sub": login.username, "aud": "https://login.salesforce.com", "exp": exp});
    change(&mut claims);
    let part = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let message = format!("{}.{}", part(br#"{"typ":"JWT","alg":"RS256"}"#), part(claims.to_string().as_bytes()));
    let der = PrivatePkcs8KeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let key = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap();
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
    format!("{message}.{}", part(&signature))
}

async fn jwt(org: &Org, assertion: &str) -> (u16, Value) {
    post(org, "token", &[("grant_type", JWT), ("assertion", assertion)]).await
}

#[tokio::test]
async fn a_jwt_gets_a_session_with_five_fields() {
    let org = org("").await;
    let (status, reply) = jwt(&org, &assertion(&org, |_| {})).await;
    assert_eq!(status, 200, "{reply}");
    let keys: Vec<&str> = reply.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["access_token", "id", "instance_url", "scope", "token_type"]);
    assert!(alive(&org, reply["access_token"].as_str().unwrap()).await);
    let own = org.emulator.url();
    assert_eq!(jwt(&org, &assertion(&org, |c| c["aud"] = json!([own]))).await.0, 200);
}

#[tokio::test]
async fn a_jwt_that_does_not_fit_is_refused_in_salesforces_words() {
    let org = org("users: [{ username: gone@x.example, active: false }]").await;
    let exp = |seconds: i64| json!(NOW.parse::<jiff::Timestamp>().unwrap().as_second() + seconds);
    type Change = Box<dyn FnOnce(&mut Value)>;
    let cases: Vec<(Change, &str, &str)> = vec![
        (Box::new(|c| c["aud"] = json!("https://test.salesforce.com")), "invalid_grant", "audience is invalid"),
        (Box::new(|c| c["iss"] = json!("nobody")), "invalid_client_id", "client identifier invalid"),
        (Box::new(move |c| c["exp"] = exp(0)), "invalid_grant", "expired authorization code"),
        (Box::new(move |c| c["exp"] = exp(181)), "invalid_grant", "invalid assertion"),
        (Box::new(|c| c["sub"] = json!("x@y.z")), "invalid_grant", "user hasn't approved this consumer"),
        (Box::new(|c| c["sub"] = json!("gone@x.example")), "inactive_user", "user is inactive"),
    ];
    for (change, error, description) in cases {
        let (status, reply) = jwt(&org, &assertion(&org, change)).await;
        assert_eq!((status, reply), (400, json!({"error": error, "error_description": description})));
    }
    let (status, reply) = jwt(&org, "not.a.jwt").await;
    assert_eq!((status, &reply["error_description"]), (400, &json!("invalid assertion")));
    let (_, reply) = post(&org, "token", &[("grant_type", "magic")]).await;
    assert_eq!(reply["error"], "unsupported_grant_type");
}

#[tokio::test]
async fn a_jwt_needs_the_key_that_the_app_trusts() {
    let mine = include_str!("../keys/tests-only-private.pem");
    let public = include_str!("../keys/tests-only-public.pem").replace('\n', "\n      ");
    let seed = format!(
        "org: {{ sandbox: true, my_domain: acme--uat.sandbox.my.salesforce.com }}\nclients:\n  - client_id: app\n    public_key: |\n      {public}\n    approved: [ci@acme.example]\nusers:\n  - username: ci@acme.example\n  - username: other@acme.example\n"
    );
    let org = org(&seed).await;
    assert_eq!(org.emulator.credentials().client_id, "app");
    let aud = |c: &mut Value| c["aud"] = json!("https://acme--uat.sandbox.my.salesforce.com");
    let (status, reply) = jwt(&org, &sign(&org, mine, aud)).await;
    assert_eq!(status, 200, "{reply}");
    let (status, reply) = jwt(&org, &assertion(&org, aud)).await;
    assert_eq!((status, &reply["error_description"]), (400, &json!("invalid assertion")));
    let other = |c: &mut Value| {
        aud(c);
        c["sub"] = json!("other@acme.example");
    };
    let (_, reply) = jwt(&org, &sign(&org, mine, other)).await;
    assert_eq!(reply["error_description"], "user hasn't approved this consumer");
}

#[tokio::test]
async fn a_jwt_needs_an_approval_or_an_admin_who_gave_one() {
    let seed = "
clients: [{ client_id: app, client_secret: s, approved: [] }]
users: [{ username: ada@x.example }, { username: bob@x.example }]";
    let org = org(seed).await;
    let ada = |c: &mut Value| {
        c.as_object_mut().unwrap().remove("sub");
        c["prn"] = json!("ADA@x.example");
    };
    let refused = async |change: fn(&mut Value)| jwt(&org, &assertion(&org, change)).await.1;
    assert_eq!(refused(ada).await["error_description"], "user hasn't approved this consumer");
    // Who has let the app in for good, in a browser, has approved it.
    let url = format!(
        "{}/services/oauth2/authorize?response_type=code&client_id=app&redirect_uri=http://localhost:1717/OauthRedirect&code_challenge={}&code_challenge_method=S256",
        org.emulator.url(),
        "x".repeat(43)
    );
    org.emulator.authorize(&url, "ada@x.example", true).unwrap();
    assert_eq!(jwt(&org, &assertion(&org, ada)).await.0, 200);
    org.emulator.change_client("app", |c| c.admin_approved = Some(vec!["bob@x.example".into()])).unwrap();
    let told = refused(ada).await;
    assert_eq!(told["error"], "invalid_app_access");
    assert_eq!(told["error_description"], "user is not admin approved to access this app");
    assert_eq!(jwt(&org, &assertion(&org, |c| c["sub"] = json!("bob@x.example"))).await.0, 200);
    org.emulator.change_client("app", |c| c.installed = false).unwrap();
    assert_eq!(refused(|_| {}).await["error_description"], "app must be installed into org");
}

#[tokio::test]
async fn a_session_idles_away_and_a_refresh_brings_another() {
    let org = org("").await;
    let token = org.emulator.credentials().refresh_token;
    let (status, reply) = refresh(&org, &token).await;
    assert_eq!(status, 200);
    assert_eq!(reply["issued_at"], "1795251600000");
    let session = reply["access_token"].as_str().unwrap();
    assert!(session.starts_with(&org.emulator.org_id()[..15]));
    org.emulator.set_clock(Clock::Fixed("2026-11-21T10:59:59Z".parse().unwrap()));
    assert!(alive(&org, session).await);
    org.emulator.set_clock(Clock::Fixed("2026-11-21T13:00:00Z".parse().unwrap()));
    assert!(!alive(&org, session).await);
    let (_, reply) = refresh(&org, &token).await;
    assert!(alive(&org, reply["access_token"].as_str().unwrap()).await);
    org.emulator.revoke_sessions();
    assert!(!alive(&org, reply["access_token"].as_str().unwrap()).await);
    assert_eq!(refresh(&org, &token).await.0, 200);
}

#[tokio::test]
async fn a_token_request_may_be_multipart_and_its_secrets_are_not_kept() {
    let org = org("").await;
    let login = org.emulator.credentials();
    let mut body = String::new();
    for (name, value) in [
        ("grant_type", "refresh_token"),
        ("refresh_token", &*login.refresh_token),
        ("client_id", &*login.client_id),
        ("client_secret", &*login.client_secret),
    ] {
        body += &format!("--fence\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    }
    let url = format!("{}/services/oauth2/token", org.emulator.url());
    let request = org.client.post(url).header("content-type", "multipart/form-data; boundary=fence");
    let reply = request.body(body + "--fence--\r\n").send().await.unwrap();
    assert_eq!(reply.status(), 200);
    assert_eq!(org.emulator.calls()[0].request_body, "***");
}

#[tokio::test]
async fn with_rotation_a_spent_refresh_token_kills_its_family() {
    let org = org("clients: [{ client_id: app, client_secret: s, rotation: true }]").await;
    let first = org.emulator.credentials().refresh_token;
    let (_, reply) = refresh(&org, &first).await;
    let second = reply["refresh_token"].as_str().unwrap().to_owned();
    let (_, reply) = refresh(&org, &second).await;
    let (third, session) = (reply["refresh_token"].as_str().unwrap(), reply["access_token"].as_str().unwrap());
    assert!(alive(&org, session).await);
    let (status, refused) = refresh(&org, &first).await;
    assert_eq!((status, &refused["error_description"]), (400, &json!("expired access/refresh token")));
    assert!(!alive(&org, session).await);
    assert_eq!(refresh(&org, third).await.0, 400);
}

#[tokio::test]
async fn client_credentials_act_as_their_user() {
    let org = org("").await;
    let login = org.emulator.credentials();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &*login.client_id),
        ("client_secret", &*login.client_secret),
    ];
    let (status, reply) = post(&org, "token", &form).await;
    assert_eq!(status, 200);
    assert!(reply.get("refresh_token").is_none());
    let (status, reply) = post(&org, "token", &[form[0], form[1], ("client_secret", "wrong")]).await;
    assert_eq!((status, &reply["error"]), (400, &json!("invalid_client")));
    // `localhost` stands for login.salesforce.com, which does not do this.
    let url = format!("{}/services/oauth2/token", org.emulator.url());
    let request = org.client.post(&url).header("host", "localhost:1").form(&form).send().await.unwrap();
    assert_eq!(request.json::<Value>().await.unwrap()["error_description"], "request not supported on this domain");
    org.emulator.change_client(&login.client_id, |client| client.client_credentials = false).unwrap();
    assert_eq!(post(&org, "token", &form).await.1["error_description"], "no client credentials user enabled");
    org.emulator.change_client(&login.client_id, |client| client.client_credentials = true).unwrap();
    // The secret may come in the header as well.
    let url = format!("{}/services/oauth2/token", org.emulator.url());
    let request = org.client.post(url).basic_auth(&login.client_id, Some(&login.client_secret)).form(&form[..1]);
    assert_eq!(request.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn revoking_and_introspecting() {
    let org = org("").await;
    let login = org.emulator.credentials();
    let (_, reply) = refresh(&org, &login.refresh_token).await;
    let session = reply["access_token"].as_str().unwrap();
    let ask = [("token", session), ("client_id", &login.client_id), ("client_secret", &login.client_secret)];
    let (_, found) = post(&org, "introspect", &ask).await;
    assert_eq!((&found["active"], &found["username"]), (&json!(true), &json!(login.username)));
    let url = format!("{}/services/oauth2/userinfo", org.emulator.url());
    let info: Value = org.client.get(url).bearer_auth(session).send().await.unwrap().json().await.unwrap();
    assert_eq!(info["organization_id"], org.emulator.org_id());
    assert_eq!(post(&org, "revoke", &[("token", &login.refresh_token)]).await, (200, Value::Null));
    assert!(!alive(&org, session).await);
    assert_eq!(post(&org, "introspect", &ask).await.1, json!({"active": false}));
    assert_eq!(post(&org, "revoke", &[("token", "x")]).await.1["error"], "unsupported_token_type");
    assert_eq!(refresh(&org, &login.refresh_token).await.0, 400);
}

#[tokio::test]
async fn headers_that_are_no_session_are_told_apart() {
    let org = org("").await;
    let url = format!("{}/services/data/v66.0/limits", org.emulator.url());
    let code = async |header: Option<&str>| {
        let mut request = org.client.get(&url);
        if let Some(header) = header {
            request = request.header("authorization", header);
        }
        let reply = request.send().await.unwrap();
        assert_eq!(reply.status(), 401);
        reply.json::<Value>().await.unwrap()[0]["errorCode"].as_str().unwrap().to_owned()
    };
    assert_eq!(code(None).await, "INVALID_SESSION_ID");
    assert_eq!(code(Some("Bearer nonsense")).await, "INVALID_SESSION_ID");
    assert_eq!(code(Some("Basic eDp5")).await, "INVALID_AUTH_HEADER");
}
