//! A reply before it goes out.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use super::super::jobs::Slice;
use super::super::problem::Problem;

/// A reply.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Status.
    pub status: u16,
    /// Headers beside the usual ones.
    pub headers: Vec<(String, String)>,
    /// `Content-Type`; none for an empty body.
    pub content_type: Option<&'static str>,
    /// Body.
    pub body: Vec<u8>,
    /// A body that is read from a file while it is sent, instead.
    pub slice: Option<Slice>,
}

/// What real replies say (recorded).
pub const JSON: &str = "application/json;charset=UTF-8";

/// Bodies up to this size are read at once.
const SMALL: usize = 262_144;

impl Reply {
    /// JSON text.
    pub fn text(status: u16, body: String) -> Self {
        Self { status, headers: Vec::new(), content_type: Some(JSON), body: body.into_bytes(), slice: None }
    }

    /// A JSON value.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::text(status, body.to_string())
    }

    /// A part of a file of rows.
    pub fn csv(slice: Slice) -> Self {
        let mut reply = Self::empty(200);
        reply.content_type = Some("text/csv");
        reply.slice = Some(slice);
        if reply.len() <= SMALL {
            reply.read_whole();
        }
        reply
    }

    /// Bytes of the body.
    pub fn len(&self) -> usize {
        self.slice.as_ref().map_or(self.body.len(), Slice::len)
    }

    /// Reads a body from its file, for those who want to look at it.
    pub fn read_whole(&mut self) {
        if let Some(slice) = self.slice.take() {
            self.body = slice.whole().unwrap_or_default();
        }
    }

    /// Leaves so many bytes of the body.
    pub fn truncate(&mut self, bytes: usize) {
        self.body.truncate(bytes);
        if let Some(slice) = &mut self.slice {
            slice.truncate(bytes);
        }
    }

    /// No body.
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), content_type: None, body: Vec::new(), slice: None }
    }

    /// A page for people.
    pub fn html(status: u16, text: &str) -> Self {
        let body =
            format!("<!DOCTYPE html>\n<html><head><title>{text}</title></head><body><h1>{text}</h1></body></html>\n");
        Self { content_type: Some("text/html;charset=UTF-8"), body: body.into_bytes(), ..Self::empty(status) }
    }

    /// With a header more.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

impl From<Problem> for Reply {
    fn from(problem: Problem) -> Self {
        Self::from(vec![problem])
    }
}

impl From<Vec<Problem>> for Reply {
    fn from(problems: Vec<Problem>) -> Self {
        let status = problems.first().map_or(500, |p| p.status);
        Self::json(status, &Value::Array(problems.iter().map(Problem::rest).collect()))
    }
}

/// Compresses a body; `None` when that fails or is not worth it.
pub fn gzip(body: &[u8]) -> Option<Vec<u8>> {
    if body.len() < 512 {
        return None;
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok()
}
