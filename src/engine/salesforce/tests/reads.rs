//! Queries, look-ups and records by id, with faults on the way.

use serde_json::json;

use super::*;
use crate::model::RecordId;
use crate::net::{Http, Sent};
use crate::salesforce::{ErrorCode, Lookup, Treatment};

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
    assert_eq!(blocks[1].row_number(0), 4);
}

#[tokio::test]
async fn a_read_is_never_silently_short() {
    let next = "/services/data/v66.0/query/01g-2";
    type Line = (Vec<Reply>, fn(&SalesforceError) -> bool);
    let table: Vec<Line> = vec![
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
        (vec![page(5, 0..2, Some(next)), page(5, 2..2, Some(next))], |e| {
            matches!(e, SalesforceError::Malformed { .. })
        }),
        (vec![page(5, 0..3, Some(next))], |e| matches!(e, SalesforceError::RowsMissing { announced: 5, received: 6 })),
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
    assert_eq!(error.treatment(), Treatment::StopRun);
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

async fn look_up(client: &Client, keys: &[String]) -> (Result<QueryTotals, SalesforceError>, Vec<String>) {
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

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_late_first_answer_still_comes_first() {
    let answered = std::sync::atomic::AtomicUsize::new(0);
    let server = Server::answering(move |seen, _| {
        let keys = keys_of(seen);
        while keys[0].starts_with("person00000") && answered.load(std::sync::atomic::Ordering::SeqCst) < 2 {
            std::thread::yield_now();
        }
        answered.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        found(&keys)
    })
    .await;
    let keys: Vec<String> = (0..2_000).map(|n| format!("person{n:05}@example.com")).collect();
    let (totals, rows) = look_up(&client(&server).await, &keys).await;
    assert!(totals.unwrap().calls >= 3);
    assert_eq!(rows, keys);
}

#[tokio::test]
async fn a_query_that_no_get_can_hold_is_refused_before_sending() {
    let server = Server::start(vec![page(0, 0..0, None)]).await;
    let error = collect(&client(&server).await, &"ü".repeat(6_000)).await.0.unwrap_err();
    assert!(matches!(&error, SalesforceError::Request { detail } if detail.contains("36000 bytes")), "{error}");
    assert!(server.seen().is_empty());
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
    let error = super::client(&short).await.read(&"Lead".into(), &ids[..2], &columns).await.unwrap_err();
    assert!(matches!(error, SalesforceError::RowsMissing { .. }), "{error:?}");
    let other = Server::start(vec![Reply::json(r#"[{"Id":"00Q000000000009","N":1}]"#)]).await;
    let error = super::client(&other).await.read(&"Lead".into(), &ids[..1], &columns).await.unwrap_err();
    assert!(matches!(error, SalesforceError::Malformed { .. }), "{error:?}");
}
