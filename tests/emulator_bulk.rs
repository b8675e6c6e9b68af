//! The emulated org's Bulk API 2.0 over its socket, and held against what was recorded of real jobs (`bulk2_*`).

mod faults;
mod ingest;
mod query;
mod recorded;

use std::collections::BTreeMap;

use footbridge::emulator::{BulkSettings, Emulator, Options, Settings, WALKME_FIELDS, serve};
use reqwest::{Method, Response};
use serde_json::{Map, Value, json};

/// An org with one client.
struct Org {
    emulator: Emulator,
    client: reqwest::Client,
    version: &'static str,
}

/// A reply, read whole.
struct Told {
    status: u16,
    headers: BTreeMap<String, String>,
    text: String,
}

impl Told {
    async fn of(reply: Response) -> Self {
        let headers = reply.headers().iter().map(|(n, v)| (n.to_string(), v.to_str().unwrap().to_owned())).collect();
        Self { status: reply.status().as_u16(), headers, text: reply.text().await.unwrap() }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    /// Status and `errorCode`.
    fn code(&self) -> (u16, String) {
        (self.status, self.json()[0]["errorCode"].as_str().unwrap_or_default().to_owned())
    }

    fn message(&self) -> String {
        self.json()[0]["message"].as_str().unwrap_or_default().to_owned()
    }

    /// The rows of a CSV body, sorted; the header first.
    fn rows(&self) -> Vec<String> {
        let mut rows: Vec<String> = self.text.lines().map(str::to_owned).collect();
        rows[1..].sort();
        rows
    }
}

impl Org {
    async fn with(options: Options) -> Self {
        let client = crate::http::builder().no_gzip().build().unwrap();
        Self { emulator: serve(options).await.unwrap(), client, version: "68.0" }
    }

    async fn new() -> Self {
        Self::with(Options { seed_texts: vec![WALKME_FIELDS.to_owned()], ..Options::default() }).await
    }

    /// An org whose result pages and lists are small.
    async fn small(page_rows: usize, list_page: usize) -> Self {
        let bulk = BulkSettings { page_rows, list_page, ..BulkSettings::default() };
        let settings = Settings { bulk, ..Settings::default() };
        Self::with(Options { seed_texts: vec![WALKME_FIELDS.to_owned()], settings, ..Options::default() }).await
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let path = match path.strip_prefix('/') {
            Some(path) if path.starts_with("services") || path.starts_with("__") => format!("/{path}"),
            _ => format!("/services/data/v{}/{}", self.version, path.trim_start_matches('/')),
        };
        self.client.request(method, format!("{}{path}", self.emulator.url())).bearer_auth(self.emulator.access_token())
    }

    async fn get(&self, path: &str) -> Told {
        Told::of(self.request(Method::GET, path).send().await.unwrap()).await
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> Told {
        Told::of(self.request(method, path).json(body).send().await.unwrap()).await
    }

    fn leads(&self, count: usize) -> Vec<String> {
        let lead =
            |n: usize| map(&json!({"LastName": format!("L{n}"), "Company": "C", "Email": format!("l{n}@x.example")}));
        self.emulator.insert("Lead", &(0..count).map(lead).collect::<Vec<_>>()).unwrap()
    }

    fn lead(&self, id: &str) -> Map<String, Value> {
        self.emulator.record("Lead", id).unwrap()
    }

    /// Makes an ingest job.
    async fn job(&self, more: Value) -> String {
        let mut body = map(&json!({"object": "Lead", "operation": "update", "contentType": "CSV", "lineEnding": "LF"}));
        body.extend(map(&more));
        let made = self.send(Method::POST, "jobs/ingest", &Value::Object(body)).await;
        assert_eq!(made.status, 200, "{}", made.text);
        made.json()["id"].as_str().unwrap().to_owned()
    }

    async fn put(&self, id: &str, csv: impl Into<reqwest::Body>) -> Told {
        let request = self.request(Method::PUT, &format!("jobs/ingest/{id}/batches"));
        Told::of(request.header("content-type", "text/csv").body(csv).send().await.unwrap()).await
    }

    async fn state(&self, family: &str, id: &str, state: &str) -> Told {
        self.send(Method::PATCH, &format!("jobs/{family}/{id}"), &json!({"state": state})).await
    }

    async fn info(&self, family: &str, id: &str) -> Value {
        self.get(&format!("jobs/{family}/{id}")).await.json()
    }

    async fn delete(&self, path: &str) -> Told {
        Told::of(self.request(Method::DELETE, path).send().await.unwrap()).await
    }

    /// Make, upload, close, poll until it is over.
    async fn ingest(&self, csv: &str) -> (String, Value) {
        let id = self.job(json!({})).await;
        assert_eq!(self.put(&id, csv.to_owned()).await.status, 201);
        assert_eq!(self.state("ingest", &id, "UploadComplete").await.status, 200);
        let info = self.over("ingest", &id).await;
        (id, info)
    }

    /// Polls until the job is over.
    async fn over(&self, family: &str, id: &str) -> Value {
        for _ in 0..10_000 {
            let info = self.info(family, id).await;
            if !["UploadComplete", "InProgress"].contains(&info["state"].as_str().unwrap()) {
                return info;
            }
        }
        panic!("the job does not end");
    }

    async fn results(&self, id: &str, which: &str) -> Told {
        self.get(&format!("jobs/ingest/{id}/{which}/")).await
    }

    /// Makes a query job and polls until it is over.
    async fn query(&self, soql: &str) -> (String, Value) {
        let body = json!({"operation": "query", "query": soql, "contentType": "CSV", "columnDelimiter": "COMMA", "lineEnding": "LF"});
        let made = self.send(Method::POST, "jobs/query", &body).await;
        assert_eq!((made.status, &made.json()["state"]), (200, &json!("UploadComplete")), "{}", made.text);
        let id = made.json()["id"].as_str().unwrap().to_owned();
        let info = self.over("query", &id).await;
        (id, info)
    }
}

fn map(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}
