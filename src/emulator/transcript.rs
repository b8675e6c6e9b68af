//! What was asked and answered, for tests and for whoever wants to see the calls of a run.

use std::collections::BTreeMap;

use serde::Serialize;

/// One call.
#[derive(Debug, Clone, Serialize)]
pub struct Call {
    /// From 1, in the order of arrival.
    pub sequence: u64,
    /// HTTP method.
    pub method: String,
    /// Path.
    pub path: String,
    /// Query, decoded.
    pub query: Vec<(String, String)>,
    /// HTTP status; 0 when the connection was cut.
    pub status: u16,
    /// Request body as text; secrets of token requests are masked.
    pub request_body: String,
    /// Bytes of the request's body, unpacked; beyond 4 MiB `request_body` has only the beginning.
    pub request_bytes: usize,
    /// Bytes of the reply's body before compression.
    pub response_bytes: usize,
    /// Request headers that change what happens, in lower case. `authorization` says the scheme only.
    pub headers: BTreeMap<String, String>,
    /// Counted against the daily limit.
    pub counted: bool,
}

/// Request headers that are kept.
const KEPT: [&str; 14] = [
    "accept",
    "accept-encoding",
    "content-encoding",
    "content-type",
    "if-modified-since",
    "if-unmodified-since",
    "sforce-auto-assign",
    "sforce-call-options",
    "sforce-duplicate-rule-header",
    "sforce-mru",
    "sforce-query-options",
    "user-agent",
    "x-request-id",
    "x-sfdc-request-id",
];

/// A body as a transcript keeps it.
pub fn body(bytes: &[u8]) -> String {
    const MOST: usize = 4_194_304;
    String::from_utf8_lossy(&bytes[..bytes.len().min(MOST)]).into_owned()
}

/// Headers as a transcript keeps them.
pub fn headers(all: &http::HeaderMap) -> BTreeMap<String, String> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let mut kept: BTreeMap<String, String> =
        KEPT.iter().filter_map(|name| Some(((*name).to_owned(), text(all.get(*name)?)))).collect();
    if let Some(scheme) = all.get("authorization").map(text).and_then(|v| v.split(' ').next().map(str::to_owned)) {
        kept.insert("authorization".to_owned(), scheme);
    }
    kept
}

/// A form body with its secrets masked.
pub fn masked(body: &str) -> String {
    const SECRET: [&str; 8] =
        ["client_secret", "refresh_token", "assertion", "token", "code", "code_verifier", "password", "visit"];
    let pairs = url::form_urlencoded::parse(body.as_bytes());
    let mut out = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        let value = if SECRET.contains(&&*name) { "***".into() } else { value };
        out.append_pair(&name, &value);
    }
    out.finish()
}

/// The calls so far.
#[derive(Default)]
pub struct Transcript {
    calls: Vec<Call>,
    last: u64,
}

impl Transcript {
    /// The number of the next call.
    pub fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Keeps a call that has ended.
    pub fn keep(&mut self, call: Call) {
        self.calls.push(call);
    }

    /// All calls in the order of arrival.
    pub fn all(&self) -> Vec<Call> {
        let mut calls = self.calls.clone();
        calls.sort_by_key(|c| c.sequence);
        calls
    }

    /// Forgets the calls so far.
    pub fn clear(&mut self) {
        self.calls.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn secrets_of_token_requests_are_masked() {
        let kept = masked("grant_type=refresh_token&refresh_token=5Aep&client_id=a%20b&client_secret=x");
        assert_eq!(kept, "grant_type=refresh_token&refresh_token=***&client_id=a+b&client_secret=***");
    }
}
