//! The client against a scripted server: log-ins, renewal, paging, look-ups, reads, updates, and faults.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;
use serde_json::json;

use super::super::{
    CallFailure, ErrorCode, Lookup, RecordOutcome, RecordUpdate, SalesforceError, TokenErrorCode, Treatment, is_read,
};
use super::*;
use crate::model::{RecordId, Secret};
use crate::net::scripted::{Reply, Seen, Server};
use crate::net::{BackoffSettings, Sent};
use crate::table::Block;

const ORG: &str = "00D3h000007R1LuEAK";
const TOKEN: &str = "00Dtok!MARKED-ACCESS";
const REFRESH: &str = "5Aep-MARKED-REFRESH";
const CLIENT_SECRET: &str = "MARKED-CLIENT-SECRET";

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

fn token_reply(server_base: Option<&Url>, token: &str) -> String {
    let mut reply = json!({
        "access_token": token, "token_type": "Bearer", "scope": "api",
        "id": format!("https://login.salesforce.com/id/{ORG}/0053h000002xQ5sAAE"),
    });
    if let Some(base) = server_base {
        reply["instance_url"] = json!(base.as_str().trim_end_matches('/'));
    }
    reply.to_string()
}

fn by_token(server: &Server) -> Login {
    Login::AccessToken { token: secret(TOKEN), instance_url: server.base() }
}

fn by_refresh() -> Login {
    Login::RefreshToken {
        client_id: "3MVG".into(),
        client_secret: Some(secret(CLIENT_SECRET)),
        refresh_token: secret(REFRESH),
    }
}

fn connect_to(server: &Server, login: Login) -> Connect {
    let clock = || Timestamp::from_second(1_790_000_000).unwrap();
    Connect::new(server.http(), server.base(), login, Budget::new(BackoffSettings::immediate()), clock)
}

async fn client(server: &Server) -> Client {
    Client::connect(connect_to(server, by_token(server))).await.unwrap()
}

fn expired() -> Reply {
    Reply::fault(401, "INVALID_SESSION_ID", "Session expired or invalid")
}

fn is_token(seen: &Seen) -> bool {
    seen.target == "/services/oauth2/token"
}

fn form(seen: &Seen) -> HashMap<String, String> {
    url::form_urlencoded::parse(seen.body.as_bytes()).into_owned().collect()
}

fn ids(blocks: &[Block]) -> Vec<String> {
    blocks
        .iter()
        .flat_map(|b| (0..b.rows()).map(|r| String::from_utf8(b.cell(r, 0).to_vec()).unwrap()).collect::<Vec<_>>())
        .collect()
}

async fn collect(client: &Client, soql: &str) -> (Result<super::super::QueryTotals, SalesforceError>, Vec<Block>) {
    let mut blocks = Vec::new();
    let mut on_block = |block: Block| -> Result<(), SalesforceError> {
        blocks.push(block);
        Ok(())
    };
    let outcome = client.query(soql, &["Id".to_owned()], &mut on_block).await;
    (outcome, blocks)
}

fn page(total: usize, ids: std::ops::Range<usize>, next: Option<&str>) -> Reply {
    let records: Vec<_> = ids.map(|n| json!({"attributes": {"type": "Lead"}, "Id": format!("id{n}")})).collect();
    let mut page = json!({"totalSize": total, "done": next.is_none(), "records": records});
    if let Some(next) = next {
        page["nextRecordsUrl"] = json!(next);
    }
    Reply::json(page.to_string())
}

// Log-ins

#[tokio::test]
async fn each_flow_sends_what_its_grant_asks_for() {
    let server = Server::start(vec![Reply::json(token_reply(None, TOKEN))]).await;
    let key = super::super::auth::test_key();
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

// Renewal

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

#[tokio::test]
async fn a_new_refresh_token_is_kept_before_the_session_is_used() {
    let server = with_expired_first(true).await;
    let kept = Arc::new(Mutex::new(Vec::new()));
    let mut connect = connect_to(&server, by_refresh());
    let log = kept.clone();
    connect.on_new_refresh_token = Some(Arc::new(move |token: &Secret| {
        log.lock().unwrap().push(token.expose().to_owned());
        Ok(())
    }));
    let client = Client::connect(connect).await.unwrap();
    assert_eq!(*kept.lock().unwrap(), ["rotated1"]);
    collect(&client, "SELECT Id FROM Lead").await.0.unwrap();
    assert_eq!(*kept.lock().unwrap(), ["rotated1", "rotated2"]);

    let mut connect = connect_to(&server, by_refresh());
    connect.on_new_refresh_token = Some(Arc::new(|_: &Secret| Err("disk full".to_owned())));
    let error = Client::connect(connect).await.unwrap_err();
    assert!(matches!(&error, SalesforceError::RefreshTokenNotKept { cause } if cause == "disk full"), "{error:?}");
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

// Who and where

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

// Calls

#[tokio::test]
async fn every_call_carries_token_and_client_name_and_keeps_the_usage() {
    let script = vec![
        page(0, 0..0, None).header("Sforce-Limit-Info", "api-usage=18/5000"),
        Reply::fault(400, "MALFORMED_QUERY", "x").header("Sforce-Limit-Info", "api-usage=19/5000"),
    ];
    let server = Server::start(script).await;
    let client = client(&server).await;
    assert_eq!(client.usage(), None);
    collect(&client, "SELECT Id FROM Lead").await.0.unwrap();
    assert_eq!(client.usage().unwrap().used, 18);
    collect(&client, "SELECT").await.0.unwrap_err();
    assert_eq!(client.usage().unwrap().left(), 4981, "errors count, too");
    let seen = &server.seen()[0];
    assert_eq!(seen.header("authorization"), format!("Bearer {TOKEN}"));
    assert_eq!(seen.header("sforce-call-options"), "client=footbridge");
    assert_eq!(seen.target, "/services/data/v66.0/query?q=SELECT+Id+FROM+Lead");
}

#[test]
fn only_known_posts_are_reads() {
    let table = [
        ("/services/oauth2/token", true),
        ("/services/data/v66.0/composite/sobjects/Lead", true),
        ("/services/data/v66.0/composite/sobjects", false),
        ("/services/data/v66.0/composite/sobjects/", false),
        ("/services/data/v66.0/composite/sobjects/Lead/Ext__c", false),
        ("/services/data/v66.0/composite", false),
        ("/services/data/v66.0/sobjects/Lead", false),
        ("/services/data/../composite/sobjects/Lead", false),
        ("/services/data/v66.0/jobs/ingest", false),
    ];
    for (path, reads) in table {
        assert_eq!(is_read(path), reads, "{path}");
    }
}

#[tokio::test]
async fn a_read_only_client_reads_and_does_not_write() {
    let server = Server::start(vec![Reply::json("[null]")]).await;
    let mut settings = server.settings();
    settings.read_only = Some(is_read);
    let mut connect = connect_to(&server, by_token(&server));
    connect.http = Http::new(settings);
    let client = Client::connect(connect).await.unwrap();
    let id = RecordId::parse("00Q000000000001").unwrap();
    client.read(&"Lead".into(), &[id], &["Id".to_owned()]).await.unwrap();
    let failure = client.update(&"Lead".into(), &[RecordUpdate { id, body: b"\"A\":1".to_vec() }]).await.unwrap_err();
    assert!(matches!(failure, CallFailure::NotSent(_)), "{failure:?}");
    assert_eq!(server.seen().len(), 1);
}

// Queries

#[tokio::test]
async fn uneven_pages_come_in_order_and_add_up() {
    let server = Server::answering(|seen, _| match seen.target.as_str() {
        "/services/data/v66.0/query/01g-3" => page(6, 3..3, Some("/services/data/v66.0/query/01g-x")),
        "/services/data/v66.0/query/01g-x" => page(6, 3..6, None),
        _ => page(6, 0..3, Some("/services/data/v66.0/query/01g-3")),
    })
    .await;
    let client = client(&server).await;
    let (totals, blocks) = collect(&client, "SELECT Id FROM Lead").await;
    let totals = totals.unwrap();
    assert_eq!((totals.rows, totals.calls), (6, 3));
    assert_eq!(ids(&blocks), ["id0", "id1", "id2", "id3", "id4", "id5"]);
    assert_eq!(blocks[1].row_number(0), 3);
}

#[tokio::test]
async fn a_read_is_never_silently_short() {
    let next = "/services/data/v66.0/query/01g-2";
    let table: Vec<(Vec<Reply>, fn(&SalesforceError) -> bool)> = vec![
        (vec![page(5, 0..3, None)], |e| matches!(e, SalesforceError::RowsMissing { announced: 5, received: 3 })),
        (vec![page(2, 0..3, None)], |e| matches!(e, SalesforceError::RowsMissing { .. })),
        (vec![page(5, 0..2, Some(next)), page(5, 2..4, None)], |e| matches!(e, SalesforceError::RowsMissing { .. })),
        (vec![Reply::json(r#"{"totalSize":2,"done":false,"records":[{"Id":"1"}]}"#)], |e| {
            matches!(e, SalesforceError::Malformed { .. })
        }),
        (vec![page(2, 0..1, Some("https://evil.example/services/data/v66.0/query/1"))], |e| {
            matches!(e, SalesforceError::Request { .. })
        }),
        (vec![page(2, 0..1, Some("//evil.example/services/data/x"))], |e| matches!(e, SalesforceError::Request { .. })),
        (vec![page(2, 0..1, Some("/services/../apexrest/x"))], |e| matches!(e, SalesforceError::Request { .. })),
        (vec![Reply::cut_in_body()], |e| matches!(e, SalesforceError::Net(n) if n.sent() == Sent::Maybe)),
        (vec![Reply::html(200, "<html>maintenance</html>")], |e| {
            matches!(e, SalesforceError::Foreign { status: 200, .. })
        }),
        (
            vec![Reply::html(503, "<html>Sorry!</html>")],
            |e| matches!(e, SalesforceError::Foreign { status: 503, excerpt, .. } if excerpt == "Sorry!"),
        ),
        (vec![page(5, 0..2, Some(next)), Reply::fault(400, "INVALID_QUERY_LOCATOR", "invalid query locator")], |e| {
            e.api().is_some_and(|api| *api.code() == ErrorCode::InvalidQueryLocator)
        }),
    ];
    for (script, expected) in table {
        let server = Server::start(script.clone()).await;
        let client = client(&server).await;
        let error = collect(&client, "SELECT Id FROM Lead").await.0.unwrap_err();
        assert!(expected(&error), "{error:?}");
    }
}

#[tokio::test]
async fn a_lost_locator_starts_the_query_anew_when_nothing_was_handed_over() {
    let script = vec![
        page(1, 0..0, Some("/services/data/v66.0/query/01g-0")),
        Reply::fault(400, "INVALID_QUERY_LOCATOR", "invalid query locator"),
        page(1, 0..1, None),
    ];
    let server = Server::start(script).await;
    let client = client(&server).await;
    let (totals, blocks) = collect(&client, "SELECT Id FROM Lead").await;
    assert_eq!((totals.unwrap().rows, ids(&blocks)), (1, vec!["id0".to_owned()]));
}

#[tokio::test]
async fn a_faulty_stretch_is_got_over() {
    let script = vec![
        Reply::html(503, "<html>"),
        Reply::cut_in_body(),
        Reply::fault(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded."),
        page(3, 0..2, Some("/services/data/v66.0/query/01g-2")),
        Reply::cut_before_head(),
        page(3, 2..3, None),
    ];
    let server = Server::start(script).await;
    let client = client(&server).await;
    let (totals, blocks) = collect(&client, "SELECT Id FROM Lead").await;
    assert_eq!((totals.unwrap().rows, ids(&blocks).len()), (3, 3));
    assert_eq!(client.budget().counters().repeats, 4);
}

#[tokio::test]
async fn the_daily_limit_stops_the_run_at_once() {
    let server =
        Server::start(vec![Reply::fault(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")]).await;
    let error = collect(&client(&server).await, "SELECT Id FROM Lead").await.0.unwrap_err();
    assert!(error.stops_the_run());
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_huge_page_is_an_error() {
    let server = Server::start(vec![page(500, 0..500, None)]).await;
    let mut settings = server.settings();
    settings.page_limit = 2_000;
    let mut connect = connect_to(&server, by_token(&server));
    connect.http = Http::new(settings);
    let client = Client::connect(connect).await.unwrap();
    let error = collect(&client, "SELECT Id FROM Lead").await.0.unwrap_err();
    assert!(matches!(error, SalesforceError::Net(crate::net::NetError::TooLarge { .. })), "{error:?}");
}

#[tokio::test]
async fn the_consumers_error_ends_the_query() {
    let server = Server::start(vec![page(2, 0..1, Some("/services/data/v66.0/query/1")), page(2, 1..2, None)]).await;
    let client = client(&server).await;
    let mut refuse =
        |_: Block| -> Result<(), SalesforceError> { Err(SalesforceError::Request { detail: "stop".into() }) };
    let error = client.query("SELECT Id FROM Lead", &["Id".to_owned()], &mut refuse).await.unwrap_err();
    assert!(matches!(error, SalesforceError::Request { detail } if detail == "stop"));
}

#[tokio::test]
async fn counting_asks_for_no_records() {
    let server = Server::start(vec![Reply::json(r#"{"totalSize":17,"done":true,"records":[]}"#)]).await;
    let client = client(&server).await;
    assert_eq!(client.count(&"Lead".into(), Some("IsConverted = false")).await.unwrap(), 17);
    assert!(server.seen()[0].target.ends_with("q=SELECT+COUNT()+FROM+Lead+WHERE+IsConverted+=+false"));
}

// Look-ups

fn keys_of(seen: &Seen) -> Vec<String> {
    let url = Url::parse("http://x").unwrap().join(&seen.target).unwrap();
    let soql = url.query_pairs().find(|(k, _)| k == "q").unwrap().1.into_owned();
    let list = soql.split(" IN (").nth(1).unwrap().split(')').next().unwrap();
    list.split(',').map(|k| k.trim_matches('\'').to_owned()).collect()
}

fn found(keys: &[String]) -> Reply {
    let records: Vec<_> = keys.iter().map(|k| json!({"attributes": {}, "Id": k})).collect();
    Reply::json(json!({"totalSize": keys.len(), "done": true, "records": records}).to_string())
}

fn leads() -> Lookup {
    Lookup { object: "Lead".into(), columns: vec!["Id".into()], key_field: "Email".into(), condition: None }
}

async fn look_up(
    client: &Client,
    keys: &[String],
) -> (Result<super::super::QueryTotals, SalesforceError>, Vec<String>) {
    let literals: Vec<String> = keys.iter().map(|k| format!("'{k}'")).collect();
    let mut blocks = Vec::new();
    let mut on_block = |block: Block| -> Result<(), SalesforceError> {
        blocks.push(block);
        Ok(())
    };
    let outcome = client.look_up(&leads(), &literals, &mut on_block).await.map(|(totals, _)| totals);
    (outcome, ids(&blocks))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn look_ups_run_together_and_come_back_in_order() {
    let server = Server::answering(|seen, _| found(&keys_of(seen))).await;
    let client = client(&server).await;
    let keys: Vec<String> = (0..3_000).map(|n| format!("person{n:05}@example.com")).collect();
    let (totals, rows) = look_up(&client, &keys).await;
    assert_eq!(totals.unwrap().rows, 3_000);
    assert_eq!(rows, keys);
    let longest = server.seen().iter().map(|s| s.target.len()).max().unwrap();
    assert!((14_000..16_384).contains(&longest), "{longest}");
}

#[tokio::test]
async fn a_look_up_that_is_too_much_is_asked_in_halves() {
    let server = Server::answering(|seen, _| {
        let keys = keys_of(seen);
        match keys.len() {
            0..=3 => found(&keys),
            4..=6 => Reply::status(414),
            _ => Reply::fault(400, "QUERY_TOO_COMPLICATED", "too complicated"),
        }
    })
    .await;
    let client = client(&server).await;
    let keys: Vec<String> = (0..10).map(|n| format!("k{n}")).collect();
    let (totals, rows) = look_up(&client, &keys).await;
    assert_eq!((totals.unwrap().rows, rows), (10, keys));
}

#[tokio::test]
async fn one_failing_look_up_fails_the_read() {
    let server = Server::answering(
        |seen, n| if n < 3 { found(&keys_of(seen)) } else { Reply::fault(400, "INVALID_FIELD", "x") },
    )
    .await;
    let keys: Vec<String> = (0..5_000).map(|n| format!("person{n:05}@example.com")).collect();
    let (outcome, _) = look_up(&client(&server).await, &keys).await;
    assert_eq!(*outcome.unwrap_err().api().unwrap().code(), ErrorCode::InvalidField);
}

// By id

#[tokio::test]
async fn records_by_id_go_in_parts_and_are_checked() {
    let server = Server::answering(|seen, _| {
        let body: serde_json::Value = serde_json::from_str(&seen.body).unwrap();
        let records: Vec<_> =
            body["ids"].as_array().unwrap().iter().map(|id| json!({"attributes": {}, "Id": id, "N": 1})).collect();
        Reply::json(serde_json::to_string(&records).unwrap())
    })
    .await;
    let client = client(&server).await;
    let ids: Vec<_> = (0..2_500).map(|n| RecordId::parse(&format!("00Q{n:012}")).unwrap()).collect();
    let columns = ["Id".to_owned(), "N".to_owned()];
    let blocks = client.read(&"Lead".into(), &ids, &columns).await.unwrap();
    assert_eq!(blocks.iter().map(Block::rows).collect::<Vec<_>>(), [2_000, 500]);
    assert_eq!(server.seen()[0].target, "/services/data/v66.0/composite/sobjects/Lead");

    let short = Server::start(vec![Reply::json("[null]")]).await;
    let error = super::tests::client(&short).await.read(&"Lead".into(), &ids[..2], &columns).await.unwrap_err();
    assert!(matches!(error, SalesforceError::RowsMissing { .. }), "{error:?}");
    let other = Server::start(vec![Reply::json(r#"[{"Id":"00Q000000000009","N":1}]"#)]).await;
    let error = super::tests::client(&other).await.read(&"Lead".into(), &ids[..1], &columns).await.unwrap_err();
    assert!(matches!(error, SalesforceError::Malformed { .. }), "{error:?}");
}

// Updates

fn updates(n: usize) -> Vec<RecordUpdate> {
    (0..n)
        .map(|n| RecordUpdate {
            id: RecordId::parse(&format!("00Q{n:012}")).unwrap(),
            body: format!("\"N__c\":{n}").into_bytes(),
        })
        .collect()
}

fn all_updated(seen: &Seen) -> Reply {
    let body: serde_json::Value = serde_json::from_str(&seen.body).unwrap();
    let results: Vec<_> = body["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| json!({"id": r["id"], "success": true, "errors": []}))
        .collect();
    Reply::json(serde_json::to_string(&results).unwrap())
}

#[tokio::test]
async fn an_update_is_one_call_without_side_effects() {
    let server = Server::answering(|seen, _| all_updated(seen)).await;
    let outcomes = client(&server).await.update(&"Lead".into(), &updates(200)).await.unwrap();
    assert!(outcomes.len() == 200 && outcomes.iter().all(|o| *o == RecordOutcome::Updated));
    let seen = server.seen();
    assert_eq!((seen.len(), seen[0].method.as_str()), (1, "PATCH"));
    assert_eq!(seen[0].target, "/services/data/v66.0/composite/sobjects");
    assert_eq!(seen[0].header("sforce-auto-assign"), "FALSE");
    assert_eq!(seen[0].header("sforce-mru"), "updateMru=false");
    assert!(seen[0].body.starts_with(r#"{"allOrNone":false,"#));
}

#[tokio::test]
async fn an_update_may_go_compressed() {
    let server = Server::answering(|seen, _| {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&seen.bytes[..]), &mut text).unwrap();
        all_updated(&Seen { body: text, ..seen.clone() })
    })
    .await;
    let mut connect = connect_to(&server, by_token(&server));
    connect.gzip_requests = true;
    let client = Client::connect(connect).await.unwrap();
    assert_eq!(client.update(&"Lead".into(), &updates(3)).await.unwrap().len(), 3);
    assert_eq!(server.seen()[0].header("content-encoding"), "gzip");
}

#[derive(Debug, PartialEq)]
enum Certain {
    NotSent,
    Refused,
    Unknown,
}

#[tokio::test]
async fn a_failed_update_says_how_sure_it_is_and_is_never_sent_twice_blindly() {
    let table = [
        (Reply::cut_before_head(), Certain::Unknown, 1),
        (Reply::cut_in_body(), Certain::Unknown, 1),
        (Reply::status(500), Certain::Unknown, 1),
        (Reply::html(502, "<html>"), Certain::Unknown, 1),
        (Reply::html(503, "<html>Sorry</html>"), Certain::Unknown, 1),
        (Reply::html(200, "<html>Log in</html>"), Certain::Unknown, 1),
        (Reply::fault(500, "UNKNOWN_EXCEPTION", "ErrorId 1"), Certain::Unknown, 1),
        (Reply::fault(500, "NEVER_HEARD_OF", "x"), Certain::Unknown, 1),
        (Reply::json("[]"), Certain::Unknown, 1),
        (Reply::fault(400, "JSON_PARSER_ERROR", "x"), Certain::Refused, 1),
        (Reply::fault(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), Certain::Refused, 1),
        (Reply::fault(400, "UNABLE_TO_LOCK_ROW", "x"), Certain::Refused, 6),
        (Reply::fault(503, "SERVER_UNAVAILABLE", "busy"), Certain::Refused, 6),
        (Reply::status(503).header("Retry-After", "1"), Certain::Refused, 6),
        (Reply::status(429), Certain::Refused, 6),
        (Reply::status(302).header("Location", "/x"), Certain::Refused, 1),
        (Reply::status(410), Certain::Refused, 1),
        (expired(), Certain::Refused, 1),
    ];
    for (reply, expected, sent) in table {
        let server = Server::start(vec![reply.clone()]).await;
        let failure = client(&server).await.update(&"Lead".into(), &updates(2)).await.unwrap_err();
        let certain = match &failure {
            CallFailure::NotSent(_) => Certain::NotSent,
            CallFailure::Refused(_) => Certain::Refused,
            CallFailure::Unknown(_) => Certain::Unknown,
        };
        assert_eq!((certain, server.seen().len()), (expected, sent), "{reply:?}: {failure:?}");
    }
}

#[tokio::test]
async fn an_update_to_nowhere_was_not_sent() {
    let server = Server::start(vec![Reply::json("[]")]).await;
    let client = client(&server).await;
    drop(server);
    let failure = client.update(&"Lead".into(), &updates(1)).await.unwrap_err();
    assert!(matches!(failure, CallFailure::NotSent(_)), "{failure:?}");
}

#[tokio::test]
async fn an_update_after_the_session_ended_is_sent_again_with_the_new_one() {
    let logins = AtomicUsize::new(0);
    let server = Server::answering(move |seen, _| {
        if is_token(seen) {
            return Reply::json(token_reply(None, &format!("tok{}", logins.fetch_add(1, Ordering::SeqCst) + 1)));
        }
        if seen.header("authorization") == "Bearer tok1" { expired() } else { all_updated(seen) }
    })
    .await;
    let client = Client::connect(connect_to(&server, by_refresh())).await.unwrap();
    assert_eq!(client.update(&"Lead".into(), &updates(2)).await.unwrap().len(), 2);
    assert_eq!(server.seen().iter().filter(|s| s.method == "PATCH").count(), 2);
}

#[tokio::test]
async fn an_update_whose_renewal_fails_was_refused() {
    let logins = AtomicUsize::new(0);
    let server = Server::answering(move |seen, _| match is_token(seen) {
        true if logins.fetch_add(1, Ordering::SeqCst) == 0 => Reply::json(token_reply(None, "tok1")),
        true => Reply::cut_in_body(),
        false => expired(),
    })
    .await;
    let client = Client::connect(connect_to(&server, by_refresh())).await.unwrap();
    let failure = client.update(&"Lead".into(), &updates(1)).await.unwrap_err();
    assert!(matches!(&failure, CallFailure::Refused(SalesforceError::NotRenewed(_))), "{failure:?}");
}

#[tokio::test]
async fn locks_on_single_records_are_told_as_worth_another_try() {
    let body = r#"[{"success":false,"errors":[{"statusCode":"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY","message":"T: execution of BeforeUpdate\n\ncaused by: UNABLE_TO_LOCK_ROW","fields":[]}]},
        {"success":false,"errors":[{"statusCode":"FIELD_CUSTOM_VALIDATION_EXCEPTION","message":"no","fields":["N__c"]}]}]"#;
    let server = Server::start(vec![Reply::json(body)]).await;
    let outcomes = client(&server).await.update(&"Lead".into(), &updates(2)).await.unwrap();
    let errors: Vec<_> = outcomes
        .iter()
        .map(|o| match o {
            RecordOutcome::Failed(error) => (error.retry, error.treatment),
            RecordOutcome::Updated => panic!("{o:?}"),
        })
        .collect();
    assert_eq!(errors, [(true, Treatment::Lock), (false, Treatment::Fatal)]);
}

#[tokio::test]
async fn no_error_or_debug_text_holds_a_secret() {
    let echo = format!("{TOKEN} {REFRESH} {CLIENT_SECRET}");
    let replies = [
        Reply::fault(400, "INVALID_FIELD", TOKEN),
        Reply::fault(401, "INVALID_SESSION_ID", TOKEN),
        Reply::html(502, &format!("<p>Authorization: Bearer {TOKEN}</p>")),
        Reply::html(200, TOKEN),
        Reply::cut_in_body(),
    ];
    for reply in replies {
        let server = Server::answering(move |seen, _| match is_token(seen) {
            true => Reply::json(token_reply(None, TOKEN)),
            false => reply.clone(),
        })
        .await;
        let connect = connect_to(&server, by_refresh());
        let mut texts = vec![format!("{:?}", connect.login)];
        let client = Client::connect(connect).await.unwrap();
        texts.push(format!("{client:?} {:?} {:?}", client.session(), client.access()));
        let error = collect(&client, "SELECT Id FROM Lead").await.0.unwrap_err();
        texts.push(format!("{error} {error:?}"));
        let failure = client.update(&"Lead".into(), &updates(1)).await.unwrap_err();
        texts.push(format!("{failure} {failure:?}"));
        for text in texts {
            assert!(!text.contains("MARKED"), "{text}\n{echo}");
        }
    }
}
