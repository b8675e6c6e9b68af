//! Log-ins, renewal of the session, and who is logged in.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::json;

use super::*;
use crate::model::OrgId;
use crate::salesforce::{Handed, Kept, Outside, Renewed, TokenErrorCode, TokenKeeper, Turn, auth};

#[tokio::test]
async fn each_flow_sends_what_its_grant_asks_for() {
    let server = Server::start(vec![Reply::json(token_reply(None, TOKEN))]).await;
    let key = auth::test_key();
    let logins = [
        Login::Jwt {
            audience: "https://login.salesforce.com".into(),
            client_id: "3MVG".into(),
            username: "ci@acme.example".into(),
            private_key_pem: key,
        },
        Login::ClientCredentials { client_id: "3MVG".into(), client_secret: secret(CLIENT_SECRET) },
        by_refresh(),
    ];
    for login in logins {
        let client = Client::connect(connect_to(&server, login)).await.unwrap();
        assert_eq!(client.check_org(None).await.unwrap().as_str(), ORG);
    }
    let seen = server.seen();
    assert_eq!(seen.len(), 3, "the org's id comes with the log-in");
    assert!(seen.iter().all(|s| s.method == "POST" && is_token(s)));
    assert!(seen.iter().all(|s| s.header("content-type") == "application/x-www-form-urlencoded"));
    let forms: Vec<_> = seen.iter().map(form).collect();
    assert_eq!(forms[0]["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
    assert_eq!(forms[0]["assertion"].split('.').count(), 3);
    assert_eq!(
        (forms[1]["grant_type"].as_str(), forms[1]["client_secret"].as_str()),
        ("client_credentials", CLIENT_SECRET)
    );
    assert_eq!((forms[2]["grant_type"].as_str(), forms[2]["refresh_token"].as_str()), ("refresh_token", REFRESH));
    assert_eq!(forms[2]["client_id"], "3MVG");
}

#[tokio::test]
async fn an_instance_outside_the_host_rule_gets_no_token() {
    let elsewhere = Url::parse("https://evil.example").unwrap();
    let server = Server::start(vec![Reply::json(token_reply(Some(&elsewhere), TOKEN))]).await;
    let error = Client::connect(connect_to(&server, by_refresh())).await.unwrap_err();
    assert!(matches!(&error, SalesforceError::InstanceRefused { host } if host == "evil.example"), "{error:?}");
    assert!(error.is_not_authorised());
}

#[tokio::test]
async fn refused_log_ins_are_typed_and_say_what_to_do() {
    let table = [
        (400, "invalid_grant", "expired access/refresh token", TokenErrorCode::InvalidGrant, "log in again"),
        (400, "invalid_client_id", "client identifier invalid", TokenErrorCode::InvalidClientId, "ten minutes"),
        (401, "invalid_client", "invalid client credentials", TokenErrorCode::InvalidClient, "client_secret"),
        (400, "inactive_user", "user is inactive", TokenErrorCode::InactiveUser, "inactive"),
    ];
    for (status, code, description, expected, word) in table {
        let body = json!({"error": code, "error_description": format!("{description} {REFRESH} {CLIENT_SECRET}")});
        let server = Server::start(vec![Reply::json(body.to_string()).with_status(status)]).await;
        let error = Client::connect(connect_to(&server, by_refresh())).await.unwrap_err();
        let SalesforceError::Token(token) = &error else { panic!("{error:?}") };
        assert_eq!(token.code, expected);
        let text = format!("{error} {error:?}");
        assert!(text.contains(word) && !text.contains("MARKED"), "{text}");
        assert!(error.is_not_authorised());
        assert_eq!(server.seen().len(), 1, "a refusal is not repeated");
    }
}

#[tokio::test]
async fn a_log_in_answered_with_something_else_is_typed_without_secrets() {
    let replies = [
        Reply::html(200, &format!("<html>Log in {REFRESH}</html>")),
        Reply::json(format!("{{\"access_tokenX\":\"{TOKEN}\"}}")),
        Reply::json(format!("{{\"access_token\":\"{TOKEN}\",\"instance_url\":5}}")),
        Reply::html(403, &format!("<p>Forbidden {CLIENT_SECRET}</p>")),
        Reply::status(302).header("Location", "https://elsewhere.example/x"),
        Reply::cut_in_body(),
        Reply::status(500),
    ];
    for reply in replies {
        let server = Server::start(vec![reply.clone()]).await;
        let error = Client::connect(connect_to(&server, by_refresh())).await.unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(!text.contains("MARKED"), "{text}");
        assert_eq!(server.seen().len(), 1, "a refresh with an unknown outcome is never sent again: {reply:?}");
    }
}

#[tokio::test]
async fn client_credentials_are_sent_again_after_a_fault() {
    let script = vec![Reply::status(502), Reply::cut_in_body(), Reply::json(token_reply(None, TOKEN))];
    let server = Server::start(script).await;
    let login = Login::ClientCredentials { client_id: "3MVG".into(), client_secret: secret(CLIENT_SECRET) };
    Client::connect(connect_to(&server, login)).await.unwrap();
    assert_eq!(server.seen().len(), 3);
}

/// A server whose first token is expired for the API, and whose further tokens are good.
async fn with_expired_first(rotating: bool) -> Server {
    let logins = AtomicUsize::new(0);
    Server::answering(move |seen, _| {
        if is_token(seen) {
            let n = logins.fetch_add(1, Ordering::SeqCst) + 1;
            let mut reply: serde_json::Value = serde_json::from_str(&token_reply(None, &format!("tok{n}"))).unwrap();
            if rotating {
                reply["refresh_token"] = json!(format!("rotated{n}"));
            }
            return Reply::json(reply.to_string());
        }
        if seen.header("authorization") == "Bearer tok1" { expired() } else { page(1, 0..1, None) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_calls_share_one_renewal() {
    let server = with_expired_first(true).await;
    let client = Client::connect(connect_to(&server, by_refresh())).await.unwrap();
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { collect(&client, "SELECT Id FROM Lead").await.0 })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().rows, 1);
    }
    let tokens: Vec<_> = server.seen().into_iter().filter(is_token).collect();
    assert_eq!(tokens.len(), 2, "the first log-in and one renewal");
    assert_eq!(form(&tokens[1])["refresh_token"], "rotated1", "the rotated token is used");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_renewal_is_not_tried_by_everyone() {
    let logins = AtomicUsize::new(0);
    let server = Server::answering(move |seen, _| match is_token(seen) {
        true if logins.fetch_add(1, Ordering::SeqCst) == 0 => Reply::json(token_reply(None, "tok1")),
        true => Reply::json(r#"{"error":"invalid_grant","error_description":"expired access/refresh token"}"#)
            .with_status(400),
        false => expired(),
    })
    .await;
    let client = Client::connect(connect_to(&server, by_refresh())).await.unwrap();
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { collect(&client, "SELECT Id FROM Lead").await.0 })
        })
        .collect();
    for call in calls {
        assert!(matches!(call.await.unwrap(), Err(SalesforceError::Token(_))));
    }
    assert_eq!(server.seen().iter().filter(|s| is_token(s)).count(), 2);
}

/// A keeper in memory, and what was asked of it in order. Clones are the same keeper.
#[derive(Clone, Default)]
struct Memory {
    kept: Arc<Mutex<Kept>>,
    log: Arc<Mutex<Vec<String>>>,
    broken: bool,
}

impl Memory {
    fn with(kept: Kept) -> Self {
        Self { kept: Arc::new(Mutex::new(Kept { spends: true, ..kept })), ..Self::default() }
    }

    fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    fn note(&self, what: impl Into<String>) {
        self.log.lock().unwrap().push(what.into());
    }
}

struct MemoryTurn(Memory, Kept);

impl TokenKeeper for Memory {
    fn look(&self) -> Result<Kept, String> {
        Ok(self.kept.lock().unwrap().clone())
    }
    fn turn(&self) -> Result<Box<dyn Turn>, String> {
        Ok(Box::new(MemoryTurn(self.clone(), self.look()?)))
    }
}

impl Turn for MemoryTurn {
    fn kept(&self) -> &Kept {
        &self.1
    }
    fn sending(&mut self) -> Result<(), String> {
        self.0.note("sending");
        self.0.kept.lock().unwrap().uncertain = true;
        Ok(())
    }
    fn renewed(&mut self, renewed: Renewed) -> Result<(), String> {
        if self.0.broken {
            return Err("disk full".to_owned());
        }
        let mut kept = self.0.kept.lock().unwrap();
        kept.uncertain = false;
        kept.access_token = renewed.access_token;
        kept.instance_url = renewed.instance_url;
        if let Some(new) = renewed.refresh_token {
            self.0.note(new.expose());
            kept.refresh_token = Some(new);
        }
        Ok(())
    }
    fn refused(&mut self, ended: Option<&str>) -> Result<(), String> {
        self.0.note(format!("refused {ended:?}"));
        self.0.kept.lock().unwrap().uncertain = false;
        Ok(())
    }
}

fn with_keeper(server: &Server, login: Login, keeper: &Memory) -> Connect {
    let mut connect = connect_to(server, login);
    connect.keeper = Some(Arc::new(keeper.clone()));
    connect
}

#[tokio::test]
async fn a_new_refresh_token_is_kept_before_the_session_is_used() {
    let server = with_expired_first(true).await;
    let keeper = Memory::default();
    let client = Client::connect(with_keeper(&server, by_refresh(), &keeper)).await.unwrap();
    assert_eq!(keeper.log(), ["sending", "rotated1"]);
    collect(&client, "SELECT Id FROM Lead").await.0.unwrap();
    assert_eq!(keeper.log(), ["sending", "rotated1", "sending", "rotated2"]);

    let broken = Memory { broken: true, ..Memory::default() };
    let error = Client::connect(with_keeper(&server, by_refresh(), &broken)).await.unwrap_err();
    assert!(matches!(&error, SalesforceError::RefreshTokenNotKept { cause } if cause == "disk full"), "{error:?}");
}

fn by_keeper() -> Login {
    Login::Kept { client_id: "3MVG".into(), client_secret: None }
}

#[tokio::test]
async fn a_session_that_is_kept_is_used_without_a_log_in_and_the_newest_wins() {
    let server = Server::answering(|seen, _| match is_token(seen) {
        true => Reply::json(token_reply(None, "renewed")),
        false if seen.header("authorization").ends_with("newer") => page(0, 0..0, None),
        false => expired(),
    })
    .await;
    let session = |token: &str| Kept {
        access_token: Some(secret(token)),
        refresh_token: Some(secret(REFRESH)),
        instance_url: Some(server.base()),
        org: OrgId::parse(ORG),
        username: Some("ann@acme.example".into()),
        ..Kept::default()
    };
    let keeper = Memory::with(session("older"));
    let client = Client::connect(with_keeper(&server, by_keeper(), &keeper)).await.unwrap();
    assert_eq!(client.check_org(None).await.unwrap().as_str(), ORG);
    assert_eq!(server.seen().len(), 0, "nothing is asked");
    // Another process has renewed it meanwhile.
    keeper.kept.lock().unwrap().access_token = Some(secret("newer"));
    collect(&client, "SELECT Id FROM Lead").await.0.unwrap();
    assert!(!server.seen().iter().any(is_token) && keeper.log().is_empty());
}

#[tokio::test]
async fn a_kept_refresh_token_is_sent_once_and_never_again_when_its_fate_is_unknown() {
    let server = Server::start(vec![Reply::cut_in_body(), Reply::json(token_reply(None, TOKEN))]).await;
    let keeper = Memory::with(Kept { refresh_token: Some(secret(REFRESH)), ..Kept::default() });
    let error = Client::connect(with_keeper(&server, by_keeper(), &keeper)).await.unwrap_err();
    assert!(matches!(error, SalesforceError::RefreshLost(_)) && error.is_not_authorised(), "{error:?}");
    let error = Client::connect(with_keeper(&server, by_keeper(), &keeper)).await.unwrap_err();
    assert!(matches!(error, SalesforceError::RefreshUncertain) && error.is_not_authorised(), "{error:?}");
    assert_eq!(server.seen().len(), 1);
    // Where the org is known not to rotate, nothing is lost.
    keeper.kept.lock().unwrap().spends = false;
    keeper.kept.lock().unwrap().uncertain = false;
    Client::connect(with_keeper(&server, by_keeper(), &keeper)).await.unwrap();
}

#[tokio::test]
async fn a_refused_renewal_is_noted_and_one_that_was_never_sent_loses_nothing() {
    let body = json!({"error": "invalid_grant", "error_description": "expired access/refresh token"});
    let server = Server::start(vec![Reply::json(body.to_string()).with_status(400)]).await;
    let keeper = Memory::with(Kept { refresh_token: Some(secret(REFRESH)), ..Kept::default() });
    let error = Client::connect(with_keeper(&server, by_keeper(), &keeper)).await.unwrap_err();
    assert!(matches!(error, SalesforceError::Token(_)), "{error:?}");
    assert_eq!(keeper.log(), ["sending", "refused Some(\"expired access/refresh token\")"]);

    let connect = with_keeper(&server, by_keeper(), &keeper);
    drop(server);
    keeper.log.lock().unwrap().clear();
    let error = Client::connect(connect).await.unwrap_err();
    assert!(matches!(error, SalesforceError::Net(_)), "{error:?}");
    assert_eq!(keeper.log(), ["sending", "refused None"]);
    assert!(!keeper.kept.lock().unwrap().uncertain);
}

#[tokio::test]
async fn a_session_from_outside_is_asked_for_again_and_one_that_does_not_change_ends_it() {
    let server = Server::answering(|seen, _| match seen.header("authorization").ends_with("2") {
        true => page(0, 0..0, None),
        false => expired(),
    })
    .await;
    for (tokens, good) in [(["t1", "t2"], true), (["t1", "t1"], false)] {
        let asked = AtomicUsize::new(0);
        let base = server.base();
        let outside = Outside(Arc::new(move || {
            let token = secret(tokens[asked.fetch_add(1, Ordering::SeqCst).min(1)]);
            Ok(Handed { token, instance_url: base.clone(), username: None })
        }));
        let client = Client::connect(connect_to(&server, Login::Outside(outside))).await.unwrap();
        let outcome = collect(&client, "SELECT Id FROM Lead").await.0;
        match outcome {
            Ok(_) => assert!(good),
            Err(error) => assert!(!good && error.is_not_authorised(), "{error:?}"),
        }
    }
    let none = Outside(Arc::new(|| Err("`sf` is not there".to_owned())));
    let error = Client::connect(connect_to(&server, Login::Outside(none))).await.unwrap_err();
    assert!(error.to_string().contains("`sf` is not there"));
    let evil = Url::parse("https://evil.example").unwrap();
    let evil = Outside(Arc::new(move || Ok(Handed { token: secret("t"), instance_url: evil.clone(), username: None })));
    let error = Client::connect(connect_to(&server, Login::Outside(evil))).await.unwrap_err();
    assert!(matches!(error, SalesforceError::InstanceRefused { .. }), "{error:?}");
}

#[tokio::test]
async fn a_refresh_of_unknown_outcome_is_never_repeated_but_other_log_ins_are() {
    for (login, expected) in [
        (by_refresh(), 2),
        (Login::ClientCredentials { client_id: "3MVG".into(), client_secret: secret(CLIENT_SECRET) }, 1 + 2 * 6),
    ] {
        let logins = AtomicUsize::new(0);
        let server = Server::answering(move |seen, _| match is_token(seen) {
            true if logins.fetch_add(1, Ordering::SeqCst) == 0 => Reply::json(token_reply(None, "tok1")),
            true => Reply::cut_in_body(),
            false => expired(),
        })
        .await;
        let client = Client::connect(connect_to(&server, login)).await.unwrap();
        for _ in 0..2 {
            let error = collect(&client, "SELECT Id FROM Lead").await.0.unwrap_err();
            assert!(matches!(error, SalesforceError::NotRenewed(_)), "{error:?}");
        }
        assert_eq!(server.seen().iter().filter(|s| is_token(s)).count(), expected);
    }
}

#[tokio::test]
async fn an_access_token_cannot_be_renewed() {
    let server = Server::start(vec![expired()]).await;
    let error = collect(&client(&server).await, "SELECT Id FROM Lead").await.0.unwrap_err();
    let SalesforceError::NotAuthorised { reason, advice } = &error else { panic!("{error:?}") };
    assert!(reason.contains("INVALID_SESSION_ID") && advice.contains("access token"));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_session_is_renewed_once_a_call_and_some_texts_never_renew_it() {
    let fresh = |reply: Reply| {
        Server::answering(
            move |seen, _| if is_token(seen) { Reply::json(token_reply(None, "tok")) } else { reply.clone() },
        )
    };
    let server = fresh(expired()).await;
    let client = Client::connect(connect_to(&server, by_refresh())).await.unwrap();
    let error = collect(&client, "SELECT Id FROM Lead").await.0.unwrap_err();
    assert!(matches!(error, SalesforceError::NotAuthorised { .. }), "{error:?}");
    assert_eq!(server.seen().len(), 4, "log-in, call, renewal, call");

    let server =
        fresh(Reply::fault(401, "INVALID_SESSION_ID", "This session is not valid for use with the REST API")).await;
    let client = Client::connect(connect_to(&server, by_refresh())).await.unwrap();
    let error = collect(&client, "SELECT Id FROM Lead").await.0.unwrap_err();
    assert!(error.is_not_authorised(), "{error:?}");
    assert_eq!(server.seen().len(), 2, "log-in and call");
}

#[tokio::test]
async fn a_renewal_that_leads_to_another_org_ends_the_session() {
    let logins = AtomicUsize::new(0);
    let server = Server::answering(move |seen, _| match is_token(seen) {
        true if logins.fetch_add(1, Ordering::SeqCst) == 0 => Reply::json(token_reply(None, "tok1")),
        true => Reply::json(token_reply(None, "tok2").replace(ORG, "00D000000000001")),
        false => expired(),
    })
    .await;
    let client = Client::connect(connect_to(&server, by_refresh())).await.unwrap();
    client.check_org(OrgId::parse(ORG)).await.unwrap();
    let error = collect(&client, "SELECT Id FROM Lead").await.0.unwrap_err();
    assert!(matches!(error, SalesforceError::WrongOrg { .. }), "{error:?}");
}

#[tokio::test]
async fn another_org_than_the_pinned_one_is_refused() {
    let server = Server::start(vec![Reply::json(token_reply(None, TOKEN))]).await;
    let client = Client::connect(connect_to(&server, by_refresh())).await.unwrap();
    let error = client.check_org(OrgId::parse("00D000000000001")).await.unwrap_err();
    assert!(matches!(error, SalesforceError::WrongOrg { .. }) && error.is_not_authorised());
    assert_eq!(client.check_org(OrgId::parse(ORG)).await.unwrap().as_str(), ORG);
}

#[tokio::test]
async fn an_access_token_is_identified_by_userinfo_or_by_the_orgs_record() {
    let server = Server::start(vec![Reply::json(
        json!({"organization_id": ORG, "user_id": "0053h000002xQ5sAAE", "preferred_username": "ci@acme.example"})
            .to_string(),
    )])
    .await;
    let identity = client(&server).await.identity().await.unwrap();
    assert_eq!((identity.org_id.as_str(), identity.username.as_deref()), (ORG, Some("ci@acme.example")));
    assert_eq!(identity.user_id.unwrap().as_str(), "0053h000002xQ5sAAE");

    let organization = json!({"totalSize": 1, "done": true, "records": [{
        "attributes": {}, "Id": ORG, "Name": "Acme", "IsSandbox": true, "InstanceName": "CS420", "OrganizationType": "Developer Edition"}]});
    let script = vec![Reply::status(403).body("Bad_OAuth_Token"), Reply::json(organization.to_string())];
    let server = Server::start(script).await;
    let client = client(&server).await;
    assert_eq!(client.check_org(None).await.unwrap().as_str(), ORG);
    assert!(client.organization().await.unwrap().is_sandbox);
}
