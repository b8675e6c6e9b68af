//! A call to make, and its answer.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use url::Url;

use super::{Class, NetError};
use crate::model::Secret;

/// What a request carries.
#[derive(Clone, Default)]
pub struct Body {
    /// The bytes. Cheap to clone, for repeats.
    pub(crate) bytes: std::sync::Arc<[u8]>,
    pub(crate) content_type: Option<&'static str>,
    pub(crate) gzip: bool,
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.bytes.len())
    }
}

impl Body {
    /// JSON text.
    pub fn json(bytes: Vec<u8>) -> Self {
        Self { bytes: bytes.into(), content_type: Some("application/json; charset=UTF-8"), gzip: false }
    }

    /// `application/x-www-form-urlencoded` text.
    pub fn form(text: String) -> Self {
        Self { bytes: text.into_bytes().into(), content_type: Some("application/x-www-form-urlencoded"), gzip: false }
    }

    /// Sends it compressed (`Content-Encoding: gzip`).
    pub fn gzipped(self) -> Self {
        use std::io::Write as _;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        match encoder.write_all(&self.bytes).and_then(|()| encoder.finish()) {
            Ok(bytes) => Self { bytes: bytes.into(), content_type: self.content_type, gzip: true },
            // Writing to memory does not fail; if it ever did, plain is as good.
            Err(_) => self,
        }
    }
}

/// A call to make. Its `Debug` shows method and URL without query only.
#[derive(Clone)]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) class: Class,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    /// Its path is a secret, too.
    pub(crate) hidden: bool,
}

impl Request {
    /// A call of this class.
    pub fn new(method: Method, url: Url, class: Class) -> Self {
        Self { method, url, class, headers: HeaderMap::new(), body: Body::default(), hidden: false }
    }

    /// A read by GET.
    pub fn get(url: Url) -> Self {
        Self::new(Method::GET, url, Class::Read)
    }

    /// With this header; errors when the value cannot be one.
    pub fn header(mut self, name: &'static str, value: &str) -> Result<Self, NetError> {
        let value = HeaderValue::from_str(value).map_err(|_| NetError::Build {
            cause: format!("the value of the header {name} has characters that a header cannot have"),
        })?;
        self.headers.insert(HeaderName::from_static(name), value);
        Ok(self)
    }

    /// With `Authorization: Bearer`; the value is marked as sensitive.
    pub fn bearer(mut self, token: &str) -> Result<Self, NetError> {
        let mut value = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| NetError::Build {
            cause: "the access token has characters that a header cannot have".to_owned(),
        })?;
        value.set_sensitive(true);
        self.headers.insert(http::header::AUTHORIZATION, value);
        Ok(self)
    }

    /// With a header that may hold a secret; the value is marked as sensitive and no error quotes it.
    pub fn secret_header(mut self, name: &str, value: &Secret) -> Result<Self, NetError> {
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| NetError::Build { cause: format!("{name:?} is no name of a header") })?;
        let mut value = HeaderValue::from_str(value.expose()).map_err(|_| NetError::Build {
            cause: format!("the value of the header {name} has characters that a header cannot have"),
        })?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Ok(self)
    }

    /// To an address that is a secret as a whole, as a webhook's is: no log and no error tells more of it than its host.
    pub fn secret_address(self) -> Self {
        Self { hidden: true, ..self }
    }

    /// The address as it may be shown.
    pub(crate) fn shown(&self) -> String {
        match (self.hidden, self.url.host_str()) {
            (true, host) => format!("{}://{}/…", self.url.scheme(), host.unwrap_or_default()),
            (false, _) => super::error::shown(&self.url),
        }
    }

    /// With this body.
    pub fn body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.shown())
    }
}

/// An answer, read to its end. Its `Debug` shows no body.
#[derive(Clone)]
pub struct Response {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body, decompressed.
    pub body: Vec<u8>,
    /// An error's body was longer than the limit and is cut off.
    pub cut: bool,
    /// The id that this client gave the request, as in the log.
    pub request_id: String,
}

impl Response {
    /// A header's value, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bytes, {})", self.status, self.body.len(), self.request_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_shows_neither_query_nor_headers_nor_body() {
        let url = Url::parse("https://acme.my.salesforce.com/query?q=MARKED").unwrap();
        let request = Request::new(Method::POST, url, Class::Read)
            .bearer("MARKED")
            .and_then(|r| r.secret_header("X-Api-Key", &Secret::new("MARKED".into())))
            .unwrap()
            .body(Body::form("secret=MARKED".into()));
        assert_eq!(format!("{request:?}"), "POST https://acme.my.salesforce.com/query");
        assert!(!format!("{:?} {:?}", request.headers, request.body).contains("MARKED"));
        let hook = Url::parse("https://hooks.example/services/MARKED").unwrap();
        let hook = Request::new(Method::POST, hook, Class::Read).secret_address();
        assert_eq!(format!("{hook:?}"), "POST https://hooks.example/…");
        for bad in ["MARKED\n", "MARKED\0"] {
            let error = Request::get(request.url.clone()).bearer(bad).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("MARKED"));
            let error = Request::get(request.url.clone()).secret_header("x", &Secret::new(bad.into())).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("MARKED"));
        }
    }
}
