//! A small GitHub and GitLab: comments of one pull request, by pages, with faults.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// One answer that is not the usual one: for calls of this method, before or after they are carried out.
#[derive(Clone)]
pub struct Fault {
    pub method: &'static str,
    pub status: u16,
    pub header: Option<(&'static str, &'static str)>,
    pub carried_out: bool,
}

#[derive(Default)]
struct Held {
    comments: Vec<Value>,
    faults: VecDeque<Fault>,
    calls: Vec<String>,
    tokens: Vec<String>,
    user: Option<String>,
}

pub struct Fake {
    held: Arc<Mutex<Held>>,
    pub url: String,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Fake {
    pub fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let held: Arc<Mutex<Held>> = Arc::default();
        let router = axum::Router::new().fallback(answer).with_state(Arc::clone(&held));
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { held, url, runtime: Some(runtime) }
    }

    /// A comment of somebody.
    pub fn has(&self, author: &str, body: &str) {
        let mut held = self.held.lock().unwrap();
        let id = held.comments.len() as u64 + 100;
        held.comments.push(
            json!({"id": id, "body": body, "user": {"login": author}, "author": {"username": author}, "system": false}),
        );
    }

    /// The token's user, where it is a person's.
    pub fn user(&self, name: &str) {
        self.held.lock().unwrap().user = Some(name.to_owned());
    }

    pub fn fault(&self, fault: Fault) {
        self.held.lock().unwrap().faults.push_back(fault);
    }

    /// Author and text of each comment.
    pub fn comments(&self) -> Vec<(String, String)> {
        let held = self.held.lock().unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        held.comments.iter().map(|c| (text(&c["user"]["login"]), text(&c["body"]))).collect()
    }

    /// The calls since the last time.
    pub fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.held.lock().unwrap().calls)
    }

    /// Every token that was sent, by its header.
    pub fn tokens(&self) -> Vec<String> {
        self.held.lock().unwrap().tokens.clone()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn answer(
    State(held): State<Arc<Mutex<Held>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut held = held.lock().unwrap();
    held.calls.push(format!("{method} {uri}"));
    for name in ["authorization", "private-token", "job-token"] {
        if let Some(value) = headers.get(name) {
            held.tokens.push(format!("{name}: {}", value.to_str().unwrap()));
        }
    }
    let at = held.faults.iter().position(|f| f.method == method.as_str());
    let fault = at.and_then(|at| held.faults.remove(at));
    if let Some(fault) = fault.as_ref().filter(|f| !f.carried_out) {
        return failed(fault);
    }
    let usual = carried_out(&mut held, &method, &uri, &body);
    match fault {
        Some(fault) => failed(&fault),
        None => usual,
    }
}

fn failed(fault: &Fault) -> Response {
    let status = StatusCode::from_u16(fault.status).unwrap();
    let mut response =
        (status, axum::body::Body::from(json!({"message": "No. ::set-output name=x::y"}).to_string())).into_response();
    if let Some((name, value)) = fault.header {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

fn carried_out(held: &mut Held, method: &Method, uri: &Uri, body: &[u8]) -> Response {
    let path = uri.path();
    let text = || serde_json::from_slice::<Value>(body).unwrap()["body"].as_str().unwrap().to_owned();
    let author = held.user.clone().unwrap_or_else(|| "github-actions[bot]".to_owned());
    let reply = |status: u16, value: Value| {
        (StatusCode::from_u16(status).unwrap(), axum::body::Body::from(value.to_string())).into_response()
    };
    let list = path == "/api/repos/team/repo/issues/7/comments" || path == "/api/v4/projects/42/merge_requests/3/notes";
    match (method.as_str(), path) {
        ("GET", "/api/user" | "/api/v4/user") => match &held.user {
            Some(name) => reply(200, json!({"login": name, "username": name})),
            None => reply(403, json!({"message": "Resource not accessible by integration"})),
        },
        ("GET", _) if list => {
            let query = uri.query().unwrap();
            assert!(query.contains("per_page=100"), "{query}");
            let page: usize = query.split("&page=").nth(1).unwrap().split('&').next().unwrap().parse().unwrap();
            let all: Vec<Value> = held.comments.iter().skip((page - 1) * 100).take(100).cloned().collect();
            reply(200, Value::Array(all))
        }
        ("POST", _) if list => {
            let id = held.comments.len() as u64 + 100;
            let made = json!({"id": id, "body": text(), "user": {"login": author}, "author": {"username": author}});
            held.comments.push(made.clone());
            reply(201, made)
        }
        ("PATCH" | "PUT", path) => {
            let id: u64 = path.rsplit('/').next().unwrap().parse().unwrap();
            let right = path.starts_with("/api/repos/team/repo/issues/comments/")
                || path.starts_with("/api/v4/projects/42/merge_requests/3/notes/");
            assert!(right, "{path}");
            let new = text();
            let found = held.comments.iter_mut().find(|c| c["id"] == id).unwrap();
            found["body"] = Value::from(new);
            reply(200, found.clone())
        }
        _ => reply(404, json!({"message": "Not Found"})),
    }
}
