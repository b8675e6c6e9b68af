//! Updates: one call, certain about what it did.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::*;
use crate::model::RecordId;
use crate::salesforce::{CallFailure, RecordOutcome, RecordUpdate, Treatment};

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
        (Reply::json("[{\"id\":"), Certain::Unknown, 1),
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
