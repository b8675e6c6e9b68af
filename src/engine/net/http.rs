//! The client: one request out, one answer in, read to its end and no further than its limit.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderMap, HeaderValue, Method};
use url::Url;

use super::error::{causes, silent, trouble_of};
use super::pieces::Manner;
use super::unzip::Unzip;
use super::{Budget, NetError, Pieces, Request, Response, Settings, Trouble, is_loopback};

#[derive(Debug)]
struct Shared {
    settings: Settings,
    /// Built when first used: it loads the system's certificates.
    outside: OnceLock<reqwest::Client>,
    /// For this machine itself: never through a proxy.
    loopback: OnceLock<reqwest::Client>,
    next: AtomicU64,
}

/// The HTTP client. Clones share connections.
#[derive(Debug, Clone)]
pub struct Http(Arc<Shared>);

impl Http {
    /// A client with these settings. Nothing is opened yet.
    pub fn new(settings: Settings) -> Self {
        Self(Arc::new(Shared {
            settings,
            outside: OnceLock::new(),
            loopback: OnceLock::new(),
            next: AtomicU64::new(1),
        }))
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// May this URL be spoken to? Checked again by [`send`](Self::send).
    pub fn check(&self, url: &Url) -> Result<(), NetError> {
        let host = url.host_str().unwrap_or_default().to_owned();
        if !self.0.settings.hosts.allows(url) {
            return Err(NetError::HostRefused { host });
        }
        let loopback = is_loopback(url);
        let secure = url.scheme() == "https" || (url.scheme() == "http" && loopback);
        if !secure || !url.username().is_empty() || url.password().is_some() {
            return Err(NetError::Insecure { host });
        }
        Ok(())
    }

    fn check_reads(&self, request: &Request) -> Result<(), NetError> {
        let Some(rule) = self.0.settings.read_only else { return Ok(()) };
        let overridden = request.url.query().is_some_and(|q| q.to_ascii_lowercase().contains("_httpmethod"));
        let reads = request.method == Method::GET
            || request.method == Method::HEAD
            || rule(&request.method, request.url.path());
        if reads && !overridden {
            return Ok(());
        }
        Err(NetError::ReadOnly { method: request.method.to_string(), path: request.url.path().to_owned() })
    }

    fn client(&self, url: &Url) -> Result<&reqwest::Client, NetError> {
        let loopback = is_loopback(url);
        let slot = if loopback { &self.0.loopback } else { &self.0.outside };
        if let Some(client) = slot.get() {
            return Ok(client);
        }
        // Whoever came first has installed the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let s = &self.0.settings;
        let mut builder = reqwest::Client::builder()
            .user_agent(s.user_agent.as_str())
            .connect_timeout(s.connect_timeout)
            .timeout(s.total_timeout)
            .pool_idle_timeout(Duration::from_secs(50))
            .tcp_keepalive(Duration::from_secs(30))
            .redirect(reqwest::redirect::Policy::none())
            // Unpacked here, in pieces that are larger.
            .no_gzip()
            .referer(false);
        if loopback {
            builder = builder.no_proxy();
        } else {
            builder = builder.https_only(true);
        }
        let client = builder.build().map_err(|error| NetError::Build { cause: causes(&error) })?;
        Ok(slot.get_or_init(|| client))
    }

    /// Sends once. Any answer is `Ok`, whatever its status.
    pub async fn send(&self, request: &Request) -> Result<Response, NetError> {
        self.send_by(request, &Manner::Whole, None).await.map(|(response, _)| response)
    }

    /// Sends once, in this manner. Only a good answer that was asked for in pieces comes with them, and then without a body.
    pub(crate) async fn send_by(
        &self,
        request: &Request,
        manner: &Manner,
        budget: Option<&Budget>,
    ) -> Result<(Response, Option<Pieces>), NetError> {
        self.check(&request.url)?;
        self.check_reads(request)?;
        let client = self.client(&request.url)?;
        let request_id = format!("{}-{}", self.0.settings.run, self.0.next.fetch_add(1, Ordering::Relaxed));
        let mut headers = request.headers.clone();
        let id = HeaderValue::from_str(&request_id).map_err(|_| NetError::Build {
            cause: "the run's name has characters that a header cannot have".to_owned(),
        })?;
        headers.insert("x-request-id", id);
        if let Some(kind) = request.body.content_type {
            headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        if request.body.gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if !self.0.settings.raw {
            headers.entry(ACCEPT_ENCODING).or_insert(HeaderValue::from_static("gzip"));
        }
        let mut builder = client.request(request.method.clone(), request.url.clone()).headers(headers);
        match manner {
            Manner::Fed(feed) => builder = builder.body(feed.body()).timeout(UNLIMITED),
            _ if request.body.content_type.is_some() => builder = builder.body(request.body.bytes.to_vec()),
            _ => {}
        }
        if matches!(manner, Manner::Pieces { .. }) {
            builder = builder.timeout(UNLIMITED);
        }
        let started = Instant::now();
        let outcome = self.exchange(builder, request, manner, budget, request_id.clone()).await;
        let ms = started.elapsed().as_millis() as u64;
        let (method, path) = (request.method.as_str(), if request.hidden { "/…" } else { request.url.path() });
        match &outcome {
            Ok((response, _)) => {
                let (status, bytes) = (response.status.as_u16(), response.body.len());
                tracing::debug!(target: "footbridge::net", id = request_id, method, path, status, ms, bytes, "answered");
            }
            Err(error) => {
                tracing::debug!(target: "footbridge::net", id = request_id, method, path, ms, %error, "no answer");
            }
        }
        outcome
    }

    async fn exchange(
        &self,
        builder: reqwest::RequestBuilder,
        request: &Request,
        manner: &Manner,
        budget: Option<&Budget>,
        request_id: String,
    ) -> Result<(Response, Option<Pieces>), NetError> {
        let failed = |trouble: Trouble, cause: String| NetError::Failed {
            trouble,
            method: request.method.to_string(),
            url: request.shown(),
            cause,
            tries: 1,
        };
        let silence = self.0.settings.silence(request.class);
        let sent = match manner {
            // While its body is on its way, a call that stands still is given up as early as a read: nobody acts on half a body.
            Manner::Fed(feed) => feed.while_moving(builder.send(), self.0.settings.read_timeout, silence).await,
            Manner::Whole | Manner::Pieces { .. } => {
                tokio::time::timeout(silence, builder.send()).await.map_err(|_| silence)
            }
        };
        let mut reply = match sent {
            Ok(Ok(reply)) => reply,
            Ok(Err(error)) if error.is_builder() => return Err(NetError::Build { cause: causes(&error) }),
            Ok(Err(error)) => return Err(failed(trouble_of(&error, false), causes(&error))),
            Err(silence) => return Err(failed(Trouble::Timeout, silent(silence))),
        };
        let status = reply.status();
        let mut headers = std::mem::take(reply.headers_mut());
        let mut expected = reply.content_length();
        let unzip = (!self.0.settings.raw && is_gzip(&headers)).then(Unzip::new);
        if unzip.is_some() {
            // They are true of what is on its way only.
            expected = None;
            headers.remove(CONTENT_ENCODING);
            headers.remove(CONTENT_LENGTH);
        }
        let whole = !(status.is_success() && matches!(manner, Manner::Pieces { .. }));
        let limit = match manner {
            _ if !status.is_success() => self.0.settings.error_limit as u64,
            Manner::Pieces { limit } => limit.unwrap_or(self.0.settings.stream_limit),
            _ => self.0.settings.page_limit as u64,
        };
        let mut pieces = Pieces::new(reply, unzip, request, limit, silence, budget.cloned());
        if status.is_success() && expected.is_some_and(|expected| expected > limit) {
            return Err(pieces.too_large());
        }
        if !whole {
            let response = Response { status, headers, body: Vec::new(), cut: false, request_id };
            return Ok((response, Some(pieces)));
        }
        let room = expected.unwrap_or(0).min(limit).min(4 << 20);
        let mut body = Vec::with_capacity(usize::try_from(room).unwrap_or(0));
        let mut cut = false;
        loop {
            match pieces.next().await {
                Ok(None) => break,
                Ok(Some(piece)) => body.extend_from_slice(&piece),
                Err(NetError::TooLarge { .. }) if !status.is_success() => {
                    body.extend_from_slice(pieces.last_room());
                    cut = true;
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok((Response { status, headers, body, cut, request_id }, None))
    }
}

fn is_gzip(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_ENCODING).is_some_and(|how| how.as_bytes().eq_ignore_ascii_case(b"gzip"))
}

/// A body in pieces may take as long as its pieces keep coming; each has a time-out of its own.
const UNLIMITED: Duration = Duration::from_secs(7 * 24 * 3600);

#[cfg(test)]
mod tests {
    use super::super::scripted::{Reply, Server};
    use super::super::{Body, Class, HostRule};
    use super::*;

    fn only_reads(method: &Method, path: &str) -> bool {
        *method == Method::POST && path == "/token"
    }

    #[tokio::test]
    async fn the_read_only_switch_lets_reads_through_only() {
        let server = Server::start(vec![Reply::json("{}")]).await;
        let mut settings = server.settings();
        settings.read_only = Some(only_reads);
        let http = Http::new(settings);
        let table = [
            (Method::GET, "/query?q=1", true),
            (Method::HEAD, "/query", true),
            (Method::POST, "/token", true),
            (Method::POST, "/composite", false),
            (Method::POST, "/token?_HttpMethod=PATCH", false),
            (Method::GET, "/x?_httpmethod=DELETE", false),
            (Method::PATCH, "/token", false),
            (Method::PUT, "/x", false),
            (Method::DELETE, "/x", false),
        ];
        for (method, path, allowed) in table {
            let outcome = http.send(&Request::new(method.clone(), server.url(path), Class::Read)).await;
            assert_eq!(outcome.is_ok(), allowed, "{method} {path}: {outcome:?}");
        }
        assert_eq!(server.seen().len(), 3, "a refused call is not sent");
    }

    #[tokio::test]
    async fn other_hosts_plain_http_and_passwords_are_refused_before_anything_is_sent() {
        let http = Http::new(Settings::new(HostRule::suffixes(&[".salesforce.com"])));
        for url in [
            "https://evil.example/x",
            "http://acme.my.salesforce.com/x",
            "https://me:pw@acme.my.salesforce.com/",
            "ftp://acme.my.salesforce.com/",
        ] {
            let error = http.send(&Request::get(Url::parse(url).unwrap())).await.unwrap_err();
            assert!(matches!(error, NetError::HostRefused { .. } | NetError::Insecure { .. }), "{url}: {error}");
            assert!(!error.to_string().contains("pw"));
        }
    }

    #[tokio::test]
    async fn redirects_are_not_followed() {
        let server = Server::start(vec![Reply::status(302).header("Location", "http://127.0.0.1:1/elsewhere")]).await;
        let response = server.http().send(&Request::get(server.url("/x"))).await.unwrap();
        assert_eq!(response.status.as_u16(), 302);
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_an_error_and_an_error_body_is_cut() {
        let long = "x".repeat(5000);
        let script = vec![
            Reply::status(200).body(long.clone()),
            Reply::status(200).body(long.clone()).chunked(),
            Reply::status(500).body(long),
        ];
        let server = Server::start(script).await;
        let mut settings = server.settings();
        (settings.page_limit, settings.error_limit) = (4000, 100);
        let http = Http::new(settings);
        for _ in 0..2 {
            let outcome = http.send(&Request::get(server.url("/x"))).await;
            assert!(matches!(outcome, Err(NetError::TooLarge { limit: 4000, .. })), "{outcome:?}");
        }
        let response = http.send(&Request::get(server.url("/x"))).await.unwrap();
        assert_eq!((response.body.len(), response.cut), (100, true));
    }

    #[tokio::test]
    async fn the_limit_counts_decompressed_bytes() {
        let zipped = Body::json(vec![b' '; 100_000]).gzipped();
        let reply = Reply::status(200).header("Content-Encoding", "gzip").body(zipped.bytes.to_vec());
        let server = Server::start(vec![reply]).await;
        let mut settings = server.settings();
        settings.page_limit = 50_000;
        let outcome = Http::new(settings).send(&Request::get(server.url("/x"))).await;
        assert!(matches!(outcome, Err(NetError::TooLarge { .. })), "{outcome:?}");
        let response = server.http().send(&Request::get(server.url("/x"))).await.unwrap();
        assert_eq!(response.body.len(), 100_000);
    }

    #[tokio::test]
    async fn every_call_has_its_own_id_and_says_who_calls() {
        let server = Server::start(vec![Reply::json("{}")]).await;
        let http = server.http();
        for _ in 0..2 {
            http.send(&Request::get(server.url("/x"))).await.unwrap();
        }
        let seen = server.seen();
        assert_ne!(seen[0].header("x-request-id"), seen[1].header("x-request-id"));
        assert!(seen[0].header("user-agent").starts_with("footbridge/"));
        assert!(seen[0].header("accept-encoding").contains("gzip"));
    }

    #[tokio::test]
    async fn a_server_that_speaks_no_tls_is_given_up_at_once() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("https://{}/x", listener.local_addr().unwrap())).unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            }
        });
        let http = Http::new(Settings::new(HostRule::suffixes(&[])));
        let outcome = http.send(&Request::get(url)).await;
        assert!(matches!(outcome, Err(NetError::Failed { trouble: Trouble::Tls, .. })), "{outcome:?}");
    }

    #[tokio::test]
    async fn silence_and_cuts_are_told_apart() {
        let server = Server::start(vec![Reply::silence(), Reply::cut_before_head(), Reply::cut_in_body()]).await;
        let mut settings = server.settings();
        settings.read_timeout = Duration::from_millis(100);
        let http = Http::new(settings);
        for expected in [Trouble::Timeout, Trouble::Reset, Trouble::Cut] {
            let outcome = http.send(&Request::get(server.url("/x"))).await;
            assert!(
                matches!(outcome, Err(NetError::Failed { trouble, .. }) if trouble == expected),
                "{expected:?}: {outcome:?}"
            );
        }
    }
}
