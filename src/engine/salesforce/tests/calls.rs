//! What every call carries, and what a read-only client sends.

use http::Method;

use super::*;
use crate::model::RecordId;
use crate::net::Http;
use crate::salesforce::{CallFailure, Lookup, RecordUpdate, is_read};

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

/// Takes what is logged.
#[derive(Clone, Default)]
struct Log(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_has_every_call_but_no_query_and_no_secret() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let server = Server::answering(|seen, n| match (is_token(seen), n) {
        (true, _) => Reply::json(token_reply(None, TOKEN)),
        (_, 1) => Reply::cut_in_body(),
        _ => page(0, 0..0, None),
    })
    .await;
    let client = Client::connect(connect_to(&server, by_refresh())).await.unwrap();
    collect(&client, "SELECT Id FROM Lead WHERE Email = 'jo@private.example'").await.0.unwrap();
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for expected in
        ["/services/oauth2/token", "/services/data/v66.0/query", "status=200", "id=\"fb-3\"", "ms=", "bytes="]
    {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    for secret in ["MARKED", "private.example", "SELECT"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}

#[tokio::test]
async fn every_call_can_be_spawned() {
    async fn run<T: Send + 'static>(call: impl Future<Output = T> + Send + 'static) -> T {
        tokio::spawn(call).await.unwrap()
    }
    let server = Server::start(vec![Reply::status(404)]).await;
    let client = client(&server).await;
    let id = RecordId::parse("00Q000000000001").unwrap();
    macro_rules! fails {
        ($($call:ident($($argument:expr),*)),+ $(,)?) => {$(
            let spawned = client.clone();
            assert!(run(async move { spawned.$call($($argument),*).await.map(|_| ()) }).await.is_err());
        )+};
    }
    let lookup =
        Lookup { object: "Lead".into(), columns: vec!["Id".into()], key_field: "Email".into(), condition: None };
    let columns = vec!["Id".to_owned()];
    fails!(
        organization(),
        check_org(None),
        describe(&"Lead".into()),
        describe_global(),
        versions(),
        limits(),
        record_count(&"Lead".into()),
        count(&"Lead".into(), None),
        update(&"Lead".into(), &[RecordUpdate { id, body: b"\"A\":1".to_vec() }]),
    );
    let (spawned, named) = (client.clone(), columns.clone());
    assert!(run(async move { spawned.read(&"Lead".into(), &[id], &named).await.map(|_| ()) }).await.is_err());
    let spawned = client.clone();
    let looked_up = run(async move {
        let mut ignore = |_: Block| -> Result<(), SalesforceError> { Ok(()) };
        spawned.look_up(&lookup, &["'a'".to_owned()], &mut ignore).await.map(|_| ())
    });
    assert!(looked_up.await.is_err());
}

#[tokio::test]
async fn versions_objects_and_describe_are_read() {
    let server = Server::answering(|seen, _| match seen.target.as_str() {
        "/services/data" => Reply::json(
            r#"[{"label":"Spring ’18","url":"/services/data/v42.0","version":"42.0"},{"label":"x","url":"y","version":"66.0"}]"#,
        ),
        "/services/data/v66.0/sobjects" => Reply::json(
            r#"{"encoding":"UTF-8","maxBatchSize":200,"sobjects":[{"name":"Lead","label":"Lead","queryable":true,"updateable":true,"urls":{}}]}"#,
        ),
        _ => Reply::json(r#"{"name":"Lead","fields":[{"name":"Id","type":"id"}]}"#),
    })
    .await;
    let client = client(&server).await;
    assert_eq!(client.versions().await.unwrap(), ["42.0", "66.0"]);
    assert_eq!(client.describe_global().await.unwrap()[0].name, "lead".into());
    assert_eq!(client.describe(&"Lead".into()).await.unwrap().fields.len(), 1);
    assert!(matches!(client.describe(&"Lead/../x".into()).await, Err(SalesforceError::Request { .. })));
    assert_eq!(server.seen().len(), 3);
}

#[test]
fn only_calls_that_change_no_record_are_reads() {
    let (post, patch, put, delete) = (Method::POST, Method::PATCH, Method::PUT, Method::DELETE);
    let job = "/services/data/v66.0/jobs/query/7503h00000CV7KdAAL";
    let table = [
        (&post, "/services/oauth2/token", true),
        (&patch, "/services/oauth2/token", false),
        (&post, "/services/data/v66.0/composite/sobjects/Lead", true),
        (&patch, "/services/data/v66.0/composite/sobjects/Lead", false),
        (&delete, "/services/data/v66.0/composite/sobjects/Lead", false),
        (&post, "/services/data/v66.0/composite/sobjects", false),
        (&post, "/services/data/v66.0/composite/sobjects/", false),
        (&post, "/services/data/v66.0/composite/sobjects/Lead/Ext__c", false),
        (&post, "/services/data/v66.0/composite", false),
        (&post, "/services/data/v66.0/sobjects/Lead", false),
        (&post, "/services/data/../composite/sobjects/Lead", false),
        (&post, "/services/data/v66.0/jobs/query", true),
        (&patch, "/services/data/v66.0/jobs/query", false),
        (&patch, job, true),
        (&delete, job, true),
        (&post, job, false),
        (&put, job, false),
        (&patch, "/services/data/v66.0/jobs/query/../ingest", false),
        (&delete, "/services/data/v66.0/jobs/query/7503h00000CV7KdAAL/results", false),
        (&post, "/services/data/v66.0/jobs/ingest", false),
        (&patch, "/services/data/v66.0/jobs/ingest/7503h00000CV7KdAAL", false),
        (&put, "/services/data/v66.0/jobs/ingest/7503h00000CV7KdAAL/batches", false),
        (&delete, "/services/data/v66.0/jobs/ingest/7503h00000CV7KdAAL", false),
    ];
    for (method, path, reads) in table {
        assert_eq!(is_read(method, path), reads, "{method} {path}");
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
