//! Answers as they came, with status and headers: for the probe, which looks at what the other calls take for granted.

use http::Method;

use super::client::Call;
use super::{Client, SalesforceError};
use crate::net::{Body, Class};

/// A good answer as it came.
#[derive(Debug)]
pub struct RawAnswer {
    /// HTTP status.
    pub status: u16,
    /// Body, decompressed.
    pub body: Vec<u8>,
    headers: http::HeaderMap,
}

impl RawAnswer {
    /// A header's value, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl Client {
    /// GET of a resource of this API version (`limits`), or of a path that an answer named (`/services/data/…`). `headers` are added.
    ///
    /// # Errors
    /// Typed, as those of every other call.
    pub async fn raw_get(
        &self,
        resource: &str,
        headers: &[(&'static str, &'static str)],
    ) -> Result<RawAnswer, SalesforceError> {
        let target = if resource.starts_with('/') { resource.to_owned() } else { self.path(resource) };
        self.raw(Call { headers: headers.to_vec(), ..Call::get(target) }).await
    }

    /// POST of JSON that changes no record: records by id, a query job.
    ///
    /// # Errors
    /// Typed, as those of every other call.
    pub async fn raw_post(&self, resource: &str, body: &serde_json::Value) -> Result<RawAnswer, SalesforceError> {
        self.raw(Call {
            method: Method::POST,
            target: self.path(resource),
            class: if resource.starts_with("jobs/") { Class::Job } else { Class::Read },
            headers: Vec::new(),
            body: Some(Body::json(body.to_string().into_bytes())),
        })
        .await
    }

    /// Puts a query job away.
    ///
    /// # Errors
    /// Typed, as those of every other call.
    pub async fn raw_delete(&self, resource: &str) -> Result<RawAnswer, SalesforceError> {
        let mut call = Call::get(self.path(resource));
        (call.method, call.class) = (Method::DELETE, Class::IdempotentWrite);
        self.raw(call).await
    }

    async fn raw(&self, call: Call) -> Result<RawAnswer, SalesforceError> {
        let response = self.call(&call).await?;
        let (status, headers) = (response.status.as_u16(), response.headers);
        Ok(RawAnswer { status, body: response.body, headers })
    }
}
