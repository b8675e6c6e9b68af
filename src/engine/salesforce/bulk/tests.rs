//! Jobs against a scripted server.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;

use super::*;
use crate::net::scripted::{Reply, Seen, Server};
use crate::salesforce::tests::{ORG, by_token, client, connect_to, expired};
use crate::salesforce::{CallFailure, Client, QueryTotals, SalesforceError, Treatment, bulk_unavailable};
use crate::table::Block;

const JOB: &str = "7503h00000CV7KdAAL";
const USER: &str = "0053h000002xQ5sAAE";
const INGEST: &str = "/services/data/v66.0/jobs/ingest";
const QUERY: &str = "/services/data/v66.0/jobs/query";

fn id() -> JobId {
    JobId::parse(JOB).unwrap()
}

fn info(state: &str) -> serde_json::Value {
    json!({
        "id": JOB, "operation": "update", "object": "Lead", "createdById": USER,
        "createdDate": "2026-11-22T01:31:13.000+0000", "state": state, "apiVersion": 66.0,
    })
}

fn job(state: &str) -> Reply {
    Reply::json(info(state).to_string())
}

fn done(rows: u64) -> Reply {
    let mut info = info("JobComplete");
    info["numberRecordsProcessed"] = json!(rows);
    Reply::json(info.to_string())
}

fn csv(text: &str) -> Reply {
    Reply::status(200).header("Content-Type", "text/csv").body(text)
}

fn page(text: &str, rows: usize, locator: &str) -> Reply {
    csv(text).header("Sforce-NumberOfRecords", &rows.to_string()).header("Sforce-Locator", locator)
}

fn calls(server: &Server) -> Vec<String> {
    server
        .seen()
        .iter()
        .map(|seen| format!("{} {}", seen.method, seen.target.trim_start_matches("/services/data/v66.0/")))
        .collect()
}

fn body(pieces: &'static [&'static str]) -> tokio::sync::mpsc::Receiver<Bytes> {
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    tokio::spawn(async move {
        for piece in pieces {
            if sender.send(Bytes::from_static(piece.as_bytes())).await.is_err() {
                return;
            }
        }
    });
    receiver
}

async fn results(client: &Client, which: Results) -> (Result<u64, SalesforceError>, Vec<IngestResult>) {
    let mut rows = Vec::new();
    let outcome = client.ingest_results(&id(), which, &mut |row| rows.push(row)).await;
    (outcome, rows)
}

#[tokio::test]
async fn an_ingest_job_goes_through_its_calls() {
    let server = Server::answering(|seen, _| match (seen.method.as_str(), seen.target.as_str()) {
        ("POST", INGEST) => job("Open"),
        ("PUT", _) => Reply::status(201),
        ("PATCH", _) if seen.body.contains("Aborted") => job("Aborted"),
        ("PATCH", _) => job("UploadComplete"),
        ("DELETE", _) => Reply::status(204),
        _ => done(2),
    })
    .await;
    let client = client(&server).await;
    let made = client.create_ingest(&"Lead".into()).await.unwrap();
    assert_eq!((made.id, made.state), (id(), JobState::Open));
    client.upload(&made.id, body(&["Id,A__c\n", "00Q000000000001,1\n"])).await.unwrap();
    assert_eq!(client.close_ingest(&made.id).await.unwrap().state, JobState::UploadComplete);
    assert_eq!(client.ingest_job(&made.id).await.unwrap().processed, Some(2));
    assert_eq!(client.abort_ingest(&made.id).await.unwrap().state, JobState::Aborted);
    client.delete_ingest(&made.id).await.unwrap();
    let path = format!("jobs/ingest/{JOB}");
    assert_eq!(
        calls(&server),
        [
            "POST jobs/ingest".to_owned(),
            format!("PUT {path}/batches"),
            format!("PATCH {path}"),
            format!("GET {path}"),
            format!("PATCH {path}"),
            format!("DELETE {path}"),
        ]
    );
    let seen = server.seen();
    let made: serde_json::Value = serde_json::from_str(&seen[0].body).unwrap();
    let asked = json!({"object": "Lead", "operation": "update", "contentType": "CSV", "lineEnding": "LF", "columnDelimiter": "COMMA"});
    assert_eq!(made, asked);
    assert_eq!(seen[1].body, "Id,A__c\n00Q000000000001,1\n");
    assert_eq!(seen[1].header("content-type"), "text/csv; charset=UTF-8");
    let counted = client.budget().counters();
    assert_eq!((counted.jobs, counted.polls, counted.fed, counted.calls), (1, 1, 26, 6));
}

#[tokio::test]
async fn a_job_is_never_made_twice_blindly() {
    let table = [
        (Reply::status(500), "Unknown", 1),
        (Reply::cut_before_head(), "Unknown", 1),
        (Reply::cut_in_body(), "Unknown", 1),
        (Reply::json(r#"{"id":"nonsense"}"#), "Unknown", 1),
        (Reply::fault(400, "EXCEEDEDQUOTA", "x"), "Refused", 1),
        (Reply::fault(400, "INVALIDENTITY", "x"), "Refused", 1),
        (Reply::fault(503, "SERVER_UNAVAILABLE", "x"), "Refused", 6),
    ];
    for (reply, expected, tries) in table {
        let told = format!("{reply:?}");
        let server = Server::start(vec![reply]).await;
        let failure = client(&server).await.create_ingest(&"Lead".into()).await.unwrap_err();
        let class = match failure {
            CallFailure::NotSent(_) => "NotSent",
            CallFailure::Refused(_) => "Refused",
            CallFailure::Unknown(_) => "Unknown",
        };
        assert_eq!((class, server.seen().len()), (expected, tries), "{told}");
    }
}

#[tokio::test]
async fn an_answer_about_another_job_is_not_taken() {
    let server = Server::start(vec![Reply::json(info("JobComplete").to_string())]).await;
    let client = client(&server).await;
    let other = JobId::parse("7503h00000CV7Gp").unwrap();
    assert!(matches!(client.ingest_job(&other).await, Err(SalesforceError::Malformed { .. })));
    assert!(matches!(client.close_ingest(&other).await, Err(CallFailure::Unknown(_))));
}

#[tokio::test]
async fn an_upload_is_sent_again_after_a_new_log_in_as_long_as_it_is_held() {
    use crate::salesforce::tests::{by_refresh, is_token, token_reply};
    let refused = std::sync::Arc::new(AtomicUsize::new(0));
    let (count, base) = (refused.clone(), std::sync::Arc::new(std::sync::OnceLock::new()));
    let told = base.clone();
    let server = Server::answering(move |seen: &Seen, _| {
        if is_token(seen) {
            return Reply::json(token_reply(told.get(), &format!("tok{}", count.load(Ordering::Relaxed))));
        }
        if count.fetch_add(1, Ordering::Relaxed) == 0 { expired() } else { Reply::status(201) }
    })
    .await;
    base.set(server.base()).unwrap();
    let client = Client::connect(connect_to(&server, by_refresh())).await.unwrap();
    client.upload(&id(), body(&["Id\n", "1\n"])).await.unwrap();
    let puts: Vec<String> = server.seen().into_iter().filter(|s| s.method == "PUT").map(|s| s.body).collect();
    assert_eq!(puts, ["Id\n1\n", "Id\n1\n"]);

    refused.store(0, Ordering::Relaxed);
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    tokio::spawn(async move {
        while sender.send(Bytes::from(vec![b'x'; 1 << 20])).await.is_ok()
            && sender.capacity() < 9
            && !sender.is_closed()
        {
            static SENT: AtomicUsize = AtomicUsize::new(0);
            if SENT.fetch_add(1, Ordering::Relaxed) == 6 {
                return;
            }
        }
    });
    let failure = client.upload(&id(), receiver).await.unwrap_err();
    assert!(matches!(failure, CallFailure::Refused(SalesforceError::Status { status: 401, .. })), "{failure:?}");
}

#[tokio::test]
async fn the_open_jobs_of_this_user_are_found_on_every_page() {
    let server = Server::answering(|seen, _| {
        if seen.target.ends_with("/userinfo") {
            return Reply::json(json!({"organization_id": ORG, "user_id": USER}).to_string());
        }
        let mut jobs = Vec::new();
        let mut add = |id: &str, change: &dyn Fn(&mut serde_json::Value)| {
            let mut job = info("Open");
            job["id"] = json!(id);
            change(&mut job);
            jobs.push(job);
        };
        if seen.target.contains("queryLocator=2") {
            add("7503h00000CV7Gu", &|job| job["state"] = json!("InProgress"));
            return Reply::json(json!({"done": true, "records": jobs, "nextRecordsUrl": null}).to_string());
        }
        add("7503h00000CV7Gp", &|_| {});
        add("7503h00000CV7Gq", &|job| job["state"] = json!("JobComplete"));
        add("7503h00000CV7Gr", &|job| job["object"] = json!("Contact"));
        add("7503h00000CV7Gs", &|job| job["createdById"] = json!("0053h000002xQ5t"));
        add("7503h00000CV7Gt", &|job| job["operation"] = json!("insert"));
        let next = format!("{INGEST}?jobType=V2Ingest&queryLocator=2");
        Reply::json(json!({"done": false, "records": jobs, "nextRecordsUrl": next}).to_string())
    })
    .await;
    let open = client(&server).await.open_ingest_jobs(&"lead".into()).await.unwrap();
    let ids: Vec<&str> = open.iter().map(|job| &job.id.as_str()[..15]).collect();
    assert_eq!(ids, ["7503h00000CV7Gp", "7503h00000CV7Gu"]);
}

#[tokio::test]
async fn results_are_joined_by_the_names_of_their_columns() {
    let server = Server::answering(|seen, _| match seen.target.as_str() {
        target if target.ends_with("/successfulResults/") => {
            csv("\"sf__Id\",\"sf__Created\",Id,A__c\n\"00Q000000000002EAA\",\"false\",00Q000000000002,\"x\ny\"\n")
        }
        target if target.ends_with("/failedResults/") => csv(
            "A__c,SF__ERROR,ID,sf__Id\n1,\"UNABLE_TO_LOCK_ROW:busy:--\",00Q000000000001,\"\"\n2,\"X:y:A__c --\",nonsense,\"\"\n3,X:y:--,00Q000000000001,00Q000000000002\n",
        ),
        target if target.ends_with("/unprocessedrecords/") => csv("Id,A__c\n00Q000000000003,1\n").header("Sforce-Locator", "MQ"),
        _ => csv("Id,A__c\n00Q000000000004,1\n").header("Sforce-Locator", "null"),
    })
    .await;
    let client = client(&server).await;
    let record = |n: u8| RowId::Record(crate::model::RecordId::parse(&format!("00Q00000000000{n}")).unwrap());
    let (rows, told) = results(&client, Results::Successful).await;
    assert_eq!((rows.unwrap(), told), (1, vec![IngestResult { id: record(2), error: None }]));
    let (rows, told) = results(&client, Results::Failed).await;
    assert_eq!(rows.unwrap(), 3);
    let ids: Vec<RowId> = told.iter().map(|row| row.id.clone()).collect();
    let unreadable = |text: &str| RowId::Unreadable(text.to_owned());
    assert_eq!(ids[..2], [record(1), unreadable("nonsense")]);
    assert!(matches!(&ids[2], RowId::Unreadable(_)), "two ids that contradict each other are none");
    assert!(told[0].error.as_ref().unwrap().retry);
    assert_eq!(told[1].error.as_ref().unwrap().fields, ["A__c"]);
    let (rows, told) = results(&client, Results::Unprocessed).await;
    assert_eq!((rows.unwrap(), told.len()), (2, 2), "a file that goes on elsewhere is read on");
}

#[tokio::test]
async fn a_result_file_that_is_cut_off_or_another_file_is_an_error() {
    let table = [
        csv("\"sf__Id\",\"sf__Error\",Id\n\"\",\"X:y:--\",00Q000000000001\n\"\",\"X").cut(),
        csv("\"sf__Id\",\"sf__Error\",Id\n\"\",\"X:y:--\",00Q000000000001\n\"\",\"X"),
        csv("\"sf__Id\",\"sf__Error\",Id\n\"\",\"X:y:--\"\n"),
        csv("\"sf__Id\",\"sf__Created\",Id\n"),
        csv("\"sf__Error\",A__c\n"),
        csv(""),
        Reply::html(200, "<html>Log in</html>"),
    ];
    for reply in table {
        let told = format!("{reply:?}");
        let server = Server::start(vec![reply]).await;
        let (outcome, _) = results(&client(&server).await, Results::Failed).await;
        assert!(outcome.is_err(), "{told}");
    }
}

/// What a query came to: ids in order of arrival, and what was told on the way.
async fn query(client: &Client, columns: &[&str]) -> (Result<QueryTotals, SalesforceError>, Vec<String>, Vec<String>) {
    let columns: Vec<String> = columns.iter().map(|c| (*c).to_owned()).collect();
    let (mut rows, mut events) = (Vec::new(), Vec::new());
    let mut on_event = |event: &BulkEvent| {
        events.push(match event {
            BulkEvent::Made(_) => "made".to_owned(),
            BulkEvent::Polled { job, polls, .. } => format!("{polls} {}", job.state),
            BulkEvent::Restarted => "restarted".to_owned(),
        });
    };
    let mut on_block = |block: Block| -> Result<(), SalesforceError> {
        for row in block.iter() {
            let cells: Vec<_> = row.cells().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect();
            rows.push(cells.join("|"));
        }
        Ok(())
    };
    let outcome = client.bulk_query("SELECT Id,A__c FROM Lead", &columns, &mut on_event, &mut on_block).await;
    (outcome, rows, events)
}

async fn querying(settings: impl Fn(&mut BulkSettings), server: &Server) -> Client {
    let mut connect = connect_to(server, by_token(server));
    settings(&mut connect.bulk);
    Client::connect(connect).await.unwrap()
}

/// A server with one job of so many rows, whose results are answered by `results`.
async fn with_results(rows: u64, results: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Server {
    let asked = AtomicUsize::new(0);
    Server::answering(move |seen, _| match (seen.method.as_str(), seen.target.as_str()) {
        ("POST", QUERY) => job("UploadComplete"),
        ("DELETE", _) => Reply::status(204),
        ("PATCH", _) => job("Aborted"),
        (_, target) if target.contains("/result") => results(seen, asked.fetch_add(1, Ordering::Relaxed)),
        _ => done(rows),
    })
    .await
}

#[tokio::test]
async fn a_query_job_is_made_polled_read_and_put_away() {
    let polls = AtomicUsize::new(0);
    let server = Server::answering(move |seen, _| match (seen.method.as_str(), seen.target.as_str()) {
        ("POST", QUERY) => job("UploadComplete"),
        ("DELETE", _) => Reply::status(204),
        (_, target) if target.contains("/results") => {
            page("\"Id\",\"A__c\"\n\"1\",\"a\r\nb\"\"c\"\n\"2\",\"\"\n", 2, "null")
        }
        _ if polls.fetch_add(1, Ordering::Relaxed) < 2 => job("InProgress"),
        _ => done(2),
    })
    .await;
    let client = client(&server).await;
    let (outcome, rows, events) = query(&client, &["Id", "A__c"]).await;
    assert_eq!(outcome.unwrap(), QueryTotals { rows: 2, calls: 1 });
    assert_eq!(rows, ["1|a\r\nb\"c", "2|"]);
    assert_eq!(events, ["made", "1 InProgress", "2 InProgress", "3 JobComplete"]);
    assert_eq!(calls(&server).last().unwrap(), &format!("DELETE jobs/query/{JOB}"));
    let seen = server.seen();
    let asked: serde_json::Value = serde_json::from_str(&seen[0].body).unwrap();
    assert_eq!(asked["operation"], "query");
    assert_eq!(seen[4].header("accept"), "text/csv");
    let counted = client.budget().counters();
    assert_eq!((counted.jobs, counted.polls, counted.calls), (1, 3, 6));
}

#[tokio::test]
async fn pages_follow_each_other_by_locator_whatever_their_columns_order() {
    let server = with_results(3, |seen, _| match seen.target.split("locator=").nth(1) {
        None => page("\"Id\",\"A__c\"\n\"1\",\"a\"\n", 1, "MQ=="),
        Some("MQ==&maxRecords=1") => page("\"a__C\",\"ID\"\n\"b\",\"2\"\n", 1, "Mg"),
        _ => page("\"Id\",\"Other\",\"A__c\"\n\"3\",\"x\",\"c\"\n", 1, "null"),
    })
    .await;
    let client = querying(|bulk| bulk.page_rows = Some(1), &server).await;
    let (outcome, mut rows, _) = query(&client, &["Id", "A__c"]).await;
    assert_eq!(outcome.unwrap(), QueryTotals { rows: 3, calls: 3 });
    rows.sort();
    assert_eq!(rows, ["1|a", "2|b", "3|c"]);
}

#[tokio::test]
async fn many_rows_are_read_from_the_list_of_pages() {
    let server = with_results(4, |seen, _| {
        let listed = |n: u8| json!({"resultUrl": format!("{QUERY}/{JOB}/results?locator=L{n}")});
        match seen.target.split_once("/result").unwrap().1 {
            "Pages" => Reply::json(
                json!({"resultPages": [listed(1), listed(2), listed(3)], "done": false,
                    "nextRecordsUrl": format!("{QUERY}/{JOB}/resultPages?locator=N")})
                .to_string(),
            ),
            "Pages?locator=N" => {
                Reply::json(json!({"resultPages": [listed(4)], "nextRecordsUrl": null, "done": true}).to_string())
            }
            rest => {
                let n = rest.strip_prefix("s?locator=L").unwrap();
                page(&format!("\"Id\",\"A__c\"\n\"{n}\",\"\"\n"), 1, "whatever")
            }
        }
    })
    .await;
    let client = querying(|bulk| bulk.list_from = 4, &server).await;
    let (outcome, mut rows, _) = query(&client, &["Id", "A__c"]).await;
    assert_eq!(outcome.unwrap(), QueryTotals { rows: 4, calls: 4 });
    rows.sort();
    assert_eq!(rows, ["1|", "2|", "3|", "4|"]);
}

#[tokio::test]
async fn an_org_that_lists_no_pages_is_read_by_locator() {
    let server = with_results(4, |seen, _| {
        if seen.target.contains("resultPages") {
            return Reply::fault(404, "NOT_FOUND", "The requested resource does not exist");
        }
        page("\"Id\"\n\"1\"\n\"2\"\n\"3\"\n\"4\"\n", 4, "null")
    })
    .await;
    let client = querying(|bulk| bulk.list_from = 1, &server).await;
    assert_eq!(query(&client, &["Id"]).await.0.unwrap().rows, 4);
}

#[tokio::test]
async fn a_page_that_breaks_off_is_fetched_again_and_counted_once() {
    let whole = || page("\"Id\"\n\"1\"\n\"2\"\n", 2, "null");
    let broken = [
        page("\"Id\"\n\"1\"\n", 2, "null").cut(),
        page("\"Id\"\n\"1\"\n", 2, "null"),
        page("\"Id\"\n\"1\"\n\"2", 2, "null"),
        Reply::html(503, "<html>Sorry</html>"),
    ];
    for reply in broken {
        let told = format!("{reply:?}");
        let server = with_results(2, move |_, n| if n < 2 { reply.clone() } else { whole() }).await;
        let (outcome, rows, _) = query(&client(&server).await, &["Id"]).await;
        assert_eq!(outcome.unwrap().rows, 2, "{told}");
        assert!(rows.ends_with(&["1".to_owned(), "2".to_owned()]), "{told} {rows:?}");
    }
}

#[tokio::test]
async fn a_lost_place_starts_the_results_anew_once() {
    let lost = || Reply::fault(400, "INVALIDJOB", "The locator is invalid");
    for (times, passes) in [(1, true), (2, false)] {
        let failed = AtomicUsize::new(0);
        let server = with_results(2, move |seen, _| {
            if !seen.target.contains("locator=") {
                return page("\"Id\"\n\"1\"\n", 1, "MQ");
            }
            if failed.fetch_add(1, Ordering::Relaxed) < times { lost() } else { page("\"Id\"\n\"2\"\n", 1, "null") }
        })
        .await;
        let (outcome, rows, events) = query(&client(&server).await, &["Id"]).await;
        assert!(events.contains(&"restarted".to_owned()));
        assert_eq!(outcome.is_ok(), passes, "{outcome:?}");
        if passes {
            // Pages are fetched beside each other, so that only the set of rows is sure.
            let rows: std::collections::BTreeSet<&str> = rows.iter().map(String::as_str).collect();
            assert_eq!((outcome.unwrap().rows, rows), (2, ["1", "2"].into()));
        }
    }
}

#[tokio::test]
async fn what_is_wrong_with_the_results_is_told_and_the_job_put_away() {
    type Fits = fn(&SalesforceError) -> bool;
    let table: Vec<(Reply, Fits)> = vec![
        (page("\"Id\"\n\"1\"\n", 1, "null"), |e| {
            matches!(e, SalesforceError::RowsMissing { announced: 2, received: 1 })
        }),
        (page("\"Name\"\n\"1\"\n", 1, "null"), |e| e.to_string().contains("the column Id is missing")),
        (page("\"Id\"\n", 0, "MQ"), |e| e.to_string().contains("read already")),
        (Reply::fault(409, "INVALIDJOB", "version"), |e| {
            matches!(e, SalesforceError::JobVersion { .. }) && e.to_string().contains(JOB)
        }),
        (
            Reply::html(200, "<html>Log in</html>"),
            |e| matches!(e, SalesforceError::Foreign { excerpt, .. } if excerpt == "Log in"),
        ),
        (Reply::fault(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), |e| {
            e.treatment() == Treatment::StopRun
        }),
    ];
    for (reply, fits) in table {
        let server = with_results(2, move |_, _| reply.clone()).await;
        let error = query(&client(&server).await, &["Id"]).await.0.unwrap_err();
        assert!(fits(&error), "{error:?}");
        assert_eq!(calls(&server).last().unwrap(), &format!("DELETE jobs/query/{JOB}"));
    }
}

#[tokio::test]
async fn a_job_that_fails_or_is_stopped_says_so_in_salesforces_words() {
    for state in ["Failed", "Aborted"] {
        let server = Server::answering(move |seen, _| match seen.method.as_str() {
            "POST" => job("UploadComplete"),
            "GET" => {
                let mut info = info(state);
                info["errorMessage"] = json!("InvalidBatch : Failed to process query: no such column");
                Reply::json(info.to_string())
            }
            _ => Reply::fault(400, "INVALIDJOBSTATE", "Aborting already Completed Job not allowed"),
        })
        .await;
        let error = query(&client(&server).await, &["Id"]).await.0.unwrap_err();
        let told = error.to_string();
        assert!(told.contains(JOB) && told.contains(state) && told.contains("no such column"), "{told}");
    }
}

#[tokio::test]
async fn a_job_that_never_ends_is_stopped_and_named() {
    let server = Server::answering(|seen, _| match seen.method.as_str() {
        "POST" => job("UploadComplete"),
        "PATCH" => job("Aborted"),
        _ => job("InProgress"),
    })
    .await;
    let client = querying(|bulk| bulk.job_limit = Duration::from_millis(30), &server).await;
    let error = query(&client, &["Id"]).await.0.unwrap_err();
    assert!(matches!(error, SalesforceError::JobTooLong { state: JobState::InProgress, .. }), "{error:?}");
    assert!(error.to_string().contains(JOB), "{error}");
    let last = server.seen().pop().unwrap();
    assert_eq!((last.method.as_str(), last.body.as_str()), ("PATCH", r#"{"state":"Aborted"}"#));
}

#[tokio::test]
async fn a_query_job_whose_making_was_lost_is_made_once_more_and_no_more() {
    for (times, passes) in [(1, true), (2, false)] {
        let lost = AtomicUsize::new(0);
        let server = Server::answering(move |seen, _| match (seen.method.as_str(), seen.target.as_str()) {
            ("POST", _) if lost.fetch_add(1, Ordering::Relaxed) < times => Reply::cut_before_head(),
            ("POST", _) => job("UploadComplete"),
            ("DELETE", _) => Reply::status(204),
            (_, target) if target.contains("/results") => page("\"Id\"\n", 0, "null"),
            _ => done(0),
        })
        .await;
        assert_eq!(query(&client(&server).await, &["Id"]).await.0.is_ok(), passes);
    }
}

#[tokio::test]
async fn an_object_or_a_user_without_the_bulk_api_is_told_apart() {
    let table = [
        (400, "INVALIDENTITY", true),
        (403, "FUNCTIONALITY_NOT_ENABLED", true),
        (400, "EXCEEDEDQUOTA", true),
        (400, "MALFORMED_QUERY", false),
        (403, "REQUEST_LIMIT_EXCEEDED", false),
    ];
    for (status, code, unavailable) in table {
        let server = Server::start(vec![Reply::fault(status, code, "TotalRequests Limit exceeded.")]).await;
        let error = query(&client(&server).await, &["Id"]).await.0.unwrap_err();
        assert_eq!(bulk_unavailable(&error).is_some(), unavailable, "{code}");
    }
}

#[tokio::test]
async fn the_takers_error_ends_the_query_and_puts_the_job_away() {
    let server = with_results(1, |_, _| page("\"Id\"\n\"1\"\n", 1, "null")).await;
    let client = client(&server).await;
    let mut refuse = |_: Block| Err(SalesforceError::Request { detail: "enough".to_owned() });
    let outcome = client.bulk_query("SELECT Id FROM Lead", &["Id".to_owned()], &mut |_| {}, &mut refuse).await;
    assert!(matches!(outcome, Err(SalesforceError::Request { .. })), "{outcome:?}");
    assert_eq!(calls(&server).last().unwrap(), &format!("DELETE jobs/query/{JOB}"));
}

#[tokio::test]
async fn a_reader_that_is_dropped_has_its_job_stopped() {
    let server = Server::answering(|seen, _| match seen.method.as_str() {
        "POST" => job("UploadComplete"),
        "PATCH" => job("Aborted"),
        _ => job("InProgress"),
    })
    .await;
    let client = client(&server).await;
    let (polled, mut waits) = tokio::sync::mpsc::unbounded_channel();
    let task = tokio::spawn(async move {
        let mut on_event = |_: &BulkEvent| polled.send(()).unwrap_or_default();
        let mut on_block = |_: Block| Ok::<(), SalesforceError>(());
        client.bulk_query("SELECT Id FROM Lead", &["Id".to_owned()], &mut on_event, &mut on_block).await
    });
    for _ in 0..2 {
        waits.recv().await.unwrap();
    }
    task.abort();
    let stopped = async {
        while !server.seen().iter().any(|seen| seen.method == "PATCH") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), stopped).await.unwrap();
}

#[tokio::test]
async fn every_call_can_be_spawned() {
    fn check(_: &(impl Send + 'static)) {}
    let server = Server::start(vec![Reply::json("{}")]).await;
    let client = client(&server).await;
    let of = client.clone();
    check(&async move {
        let mut on_block = |_: Block| Ok::<(), SalesforceError>(());
        let query = of.bulk_query("x", &[], &mut |_| {}, &mut on_block).await.is_ok();
        let upload = of.upload(&id(), body(&[])).await.is_ok();
        let results = of.ingest_results(&id(), Results::Failed, &mut |_| {}).await.is_ok();
        query && upload && results && of.open_ingest_jobs(&"Lead".into()).await.is_ok()
    });
}
