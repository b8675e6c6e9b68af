//! A request, read whole.

use std::io::Read;

use http::HeaderMap;

use super::super::people::User;
use super::super::problem::Problem;

/// The most bytes of a body, compressed or not.
const LARGEST_BODY: usize = 52_428_800;

/// The most bytes of an upload of Bulk API 2.0.
const LARGEST_UPLOAD: usize = 157_286_400;

/// The most bytes that a request to this path may bring.
pub fn largest(path: &str) -> usize {
    let upload = path.contains("/jobs/ingest/") && path.trim_end_matches('/').ends_with("/batches");
    if upload { LARGEST_UPLOAD } else { LARGEST_BODY }
}

/// A request with its body.
pub struct Incoming {
    /// Method, after `_HttpMethod`.
    pub method: String,
    /// Path.
    pub path: String,
    /// Query, decoded.
    pub query: Vec<(String, String)>,
    /// Headers.
    pub headers: HeaderMap,
    /// Body, unpacked.
    pub body: Vec<u8>,
    /// Where this org answers, for URLs in replies.
    pub base: String,
}

impl Incoming {
    /// A parameter of the query.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as text, for messages and transcripts.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The fields of a form body, or of the query when there is no body.
    pub fn form(&self) -> Vec<(String, String)> {
        if self.body.is_empty() {
            return self.query.clone();
        }
        match self.boundary() {
            Some(boundary) => parts(&self.text(), boundary),
            None => url::form_urlencoded::parse(&self.body).into_owned().collect(),
        }
    }

    /// What separates the parts of a `multipart/form-data` body, which token requests may be as well (forcedotcom/sfdx-core).
    pub fn boundary(&self) -> Option<&str> {
        let typed =
            self.header("content-type").filter(|t| t.to_ascii_lowercase().starts_with("multipart/form-data"))?;
        typed.split_once("boundary=").map(|(_, boundary)| boundary.trim_matches('"'))
    }

    /// The token of `Authorization: Bearer …` or `OAuth …`.
    ///
    /// # Errors
    /// 401, as a real org words it.
    pub fn token(&self) -> Result<&str, Problem> {
        let Some(header) = self.header("authorization") else {
            return Err(expired());
        };
        let (scheme, token) = header.split_once(' ').unwrap_or((header, ""));
        if !(scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("oauth")) || token.trim().is_empty() {
            return Err(Problem::new(401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE"));
        }
        Ok(token.trim())
    }

    /// The body must say that it is JSON.
    ///
    /// # Errors
    /// 415.
    pub fn must_be_json(&self) -> Result<(), Problem> {
        let typed = self.header("content-type").unwrap_or_default().to_ascii_lowercase();
        if typed.starts_with("application/json") {
            return Ok(());
        }
        let message = format!("Unsupported content type: {}", if typed.is_empty() { "none" } else { &typed });
        Err(Problem::new(415, "UNSUPPORTED_MEDIA_TYPE", message))
    }
}

/// The fields of a multipart form; files are none.
fn parts(body: &str, boundary: &str) -> Vec<(String, String)> {
    let field = |part: &str| {
        let (head, value) = part.strip_prefix("\r\n")?.split_once("\r\n\r\n")?;
        let name = head.split_once("name=\"")?.1.split_once('"')?.0;
        Some((name.to_owned(), value.strip_suffix("\r\n").unwrap_or(value).to_owned()))
    };
    body.split(&format!("--{boundary}")).filter_map(field).collect()
}

/// "Session expired or invalid" (recorded).
pub fn expired() -> Problem {
    Problem::new(401, "INVALID_SESSION_ID", "Session expired or invalid")
}

/// Unpacks a body that came compressed.
///
/// # Errors
/// 400 for what cannot be unpacked or is too large, 415 for another encoding.
pub fn unpack(headers: &HeaderMap, body: Vec<u8>, most: usize) -> Result<Vec<u8>, Problem> {
    let encoding = headers.get("content-encoding").and_then(|v| v.to_str().ok()).unwrap_or("identity");
    let mut out = Vec::new();
    let limit = most as u64 + 1;
    let read = match encoding.to_ascii_lowercase().as_str() {
        "identity" => return Ok(body),
        "gzip" => flate2::read::MultiGzDecoder::new(&body[..]).take(limit).read_to_end(&mut out),
        "deflate" => flate2::read::ZlibDecoder::new(&body[..]).take(limit).read_to_end(&mut out),
        other => {
            return Err(Problem::new(415, "UNSUPPORTED_MEDIA_TYPE", format!("Unsupported content encoding: {other}")));
        }
    };
    read.map_err(|e| Problem::new(400, "JSON_PARSER_ERROR", format!("The body is not {encoding}: {e}")))?;
    if out.len() > most {
        return Err(Problem::new(400, "EXCEEDED_MAX_SIZE_REQUEST", "request exceeds maximum size"));
    }
    Ok(out)
}

/// A request whose user is known.
pub struct Call<'r> {
    /// The request.
    pub request: &'r Incoming,
    /// Who asks.
    pub user: User,
    /// API version, such as `66.0`.
    pub version: &'r str,
}
