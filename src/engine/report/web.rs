//! A report at an https address. Headers of the configuration go to that address's host and to no other, whatever a server says.

use std::fs::File;

use futures_util::StreamExt as _;
use futures_util::stream;
use jiff::Timestamp;
use url::Url;

use super::fetch::{Answer, FetchError, Fetched, Origin, Resume, fill};
use crate::model::Secret;
use crate::net::{
    Budget, Http, Manner, NetError, Pieces, Request, Response, Verdict, is_loopback, place_of, retry_after,
};

/// Redirects that are followed.
const REDIRECTS: usize = 5;

/// A report at an address.
pub struct WebReport {
    /// What speaks HTTP.
    pub http: Http,
    /// The address: https, or http on loopback.
    pub url: Url,
    /// Headers, for this address's host alone.
    pub headers: Vec<(String, Secret)>,
    /// Those of their values that are secret: no redirect that repeats one is followed or shown.
    pub secrets: Vec<Secret>,
    /// The most that is fetched, in bytes.
    pub limit: u64,
    /// Repeats and waits.
    pub budget: Budget,
}

impl WebReport {
    /// Fetches it into `file`, which is empty.
    ///
    /// # Errors
    /// [`FetchError`]
    pub async fn fetch(&self, file: File) -> Result<Fetched, FetchError> {
        fill(self, file, self.limit, &self.budget).await
    }

    /// Where a redirect leads, if it may be followed.
    fn onward(&self, from: &Url, response: &Response) -> Result<Url, FetchError> {
        let host = place_of(from);
        let refused = |to: String, why| FetchError::Redirect { host: host.clone(), to, why };
        let Some(to) = response.header("location").and_then(|to| from.join(to).ok()) else {
            return Err(refused("nowhere".to_owned(), "the address is missing or not understood"));
        };
        // A server that sends a secret on as part of an address would have it shown in messages, and looked up by name.
        if self.repeats_a_secret(&to) {
            return Err(refused("another address".to_owned(), "the address repeats what was sent in a header"));
        }
        let shown = format!("{}://{}", to.scheme(), place_of(&to));
        if is_loopback(&to) && !is_loopback(&self.url) {
            return Err(refused(shown, "this machine is not asked for the sake of another"));
        }
        if to.scheme() != "https" && !(to.scheme() == "http" && is_loopback(&to)) {
            return Err(refused(shown, "only https is read"));
        }
        if !to.username().is_empty() || to.password().is_some() {
            return Err(refused(shown, "the address has a user or a password in it"));
        }
        Ok(to)
    }

    /// Does an address hold a part of a header's value?
    fn repeats_a_secret(&self, url: &Url) -> bool {
        let decoded = url::form_urlencoded::parse(url.as_str().replace('+', "%2B").as_bytes())
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join("&");
        let texts = [url.as_str().to_ascii_lowercase(), decoded.to_ascii_lowercase()];
        let words = |value: &Secret| {
            let value = value.expose().to_ascii_lowercase();
            value.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect::<Vec<_>>()
        };
        let mut words = self.secrets.iter().flat_map(words);
        words.any(|word| word.len() >= 6 && word != "bearer" && texts.iter().any(|text| text.contains(&word)))
    }
}

impl Origin for WebReport {
    async fn begin(&self, mut resume: Resume<'_>) -> Result<Answer, FetchError> {
        let mut url = self.url.clone();
        let mut own = true;
        let mut hops = 0;
        loop {
            let mut request = Request::get(url.clone())
                .header("accept-encoding", "identity")?
                .header("accept", "text/csv, */*;q=0.5")?;
            if let Some((from, tag)) = resume {
                request = request.header("range", &format!("bytes={from}-"))?.header("if-range", tag)?;
            }
            // Once another host was asked, none gets them any more.
            own = own && url.origin() == self.url.origin();
            for (name, value) in self.headers.iter().filter(|_| own) {
                request = request.secret_header(name, value)?;
            }
            let manner = Manner::Pieces { limit: Some(self.limit) };
            let called = self.http.call_by(&request, &manner, &self.budget, classify).await;
            let called = called.map_err(|error| self.told(error))?;
            let status = called.response.status.as_u16();
            let at = match (status, resume) {
                (200, _) => 0,
                (206, Some((from, tag))) if goes_on(&called.response, from, tag) => from,
                // Not what was asked for: all of it, then.
                (206 | 416, Some(_)) => {
                    resume = None;
                    continue;
                }
                (301 | 302 | 303 | 307 | 308, _) if hops < REDIRECTS => {
                    hops += 1;
                    url = self.onward(&url, &called.response)?;
                    continue;
                }
                (301 | 302 | 303 | 307 | 308, _) => {
                    let (host, to) = (place_of(&self.url), place_of(&url));
                    return Err(FetchError::Redirect { host, to, why: "there is no end to it" });
                }
                _ => return Err(FetchError::Answer { host: place_of(&url), status }),
            };
            let Some(pieces) = called.pieces else {
                return Err(FetchError::Answer { host: place_of(&url), status });
            };
            let response = &called.response;
            let sent_on_to = (url.host_str() != self.url.host_str()).then(|| place_of(&url));
            let limit = self.limit;
            let pieces = stream::unfold(Some(pieces), move |pieces: Option<Pieces>| async move {
                let mut pieces = pieces?;
                match pieces.next().await {
                    Ok(Some(piece)) => Some((Ok(piece), Some(pieces))),
                    Ok(None) => None,
                    Err(NetError::TooLarge { .. }) => Some((Err(FetchError::TooLarge { limit }), None)),
                    Err(error) => Some((Err(error.into()), None)),
                }
            });
            return Ok(Answer {
                at,
                modified: modified(response),
                tag: tag(response),
                sent_on_to,
                pieces: pieces.boxed(),
            });
        }
    }
}

impl WebReport {
    fn told(&self, error: NetError) -> FetchError {
        match error {
            NetError::TooLarge { .. } => FetchError::TooLarge { limit: self.limit },
            error => error.into(),
        }
    }
}

/// What an answer to a read means: "not now" is asked again, everything else is final.
pub(super) fn classify(response: &Response) -> Verdict {
    match response.status.as_u16() {
        408 | 425 | 429 | 500 | 502 | 503 | 504 => Verdict::Retry { after: retry_after(response) },
        200..=399 => Verdict::Done,
        _ => Verdict::Fatal,
    }
}

fn modified(response: &Response) -> Option<Timestamp> {
    let text = response.header("last-modified")?.trim();
    jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp())
}

/// A strong name of the content, where parts of it can be had.
fn tag(response: &Response) -> Option<String> {
    let parts = response.header("accept-ranges").is_none_or(|ranges| !ranges.trim().eq_ignore_ascii_case("none"));
    let tag = response.header("etag").map(str::trim).filter(|tag| tag.starts_with('"') && tag.len() > 2)?;
    (parts && response.header("content-length").is_some()).then(|| tag.to_owned())
}

/// Is it the rest of the same content?
fn goes_on(response: &Response, from: u64, tag: &str) -> bool {
    let begins = response.header("content-range").and_then(|range| range.trim().strip_prefix("bytes "));
    let begins = begins.and_then(|range| range.split('-').next()).and_then(|start| start.parse().ok());
    begins == Some(from) && response.header("etag").is_some_and(|found| found.trim() == tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::scripted::{Reply, Server};
    use crate::net::{BackoffSettings, HostRule, Settings};
    use crate::report::Options;

    const TOKEN: &str = "Bearer MARKED";

    fn report(url: Url, limit: u64) -> WebReport {
        WebReport {
            http: Http::new(Settings { raw: true, ..Settings::new(HostRule::new(|_| true)) }),
            url,
            headers: vec![("authorization".to_owned(), Secret::new(TOKEN.to_owned()))],
            secrets: vec![Secret::new(TOKEN.to_owned())],
            limit,
            budget: Budget::new(BackoffSettings::immediate()),
        }
    }

    async fn fetched(report: &WebReport) -> Result<(Vec<u8>, Fetched), FetchError> {
        let fetched = report.fetch(tempfile::tempfile().unwrap()).await?;
        let mut bytes = Vec::new();
        Again::of(&fetched).read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes.len() as u64, fetched.bytes);
        Ok((bytes, fetched))
    }

    use super::super::fetch::Again;
    use std::io::Read as _;

    fn csv(rows: usize) -> Vec<u8> {
        [b"a,b\n".to_vec(), b"1,2\n".repeat(rows)].concat()
    }

    #[tokio::test]
    async fn a_report_comes_with_its_time_and_is_read_twice_alike() {
        let when = "Sat, 21 Nov 2026 06:00:00 GMT";
        let server = Server::start(vec![
            Reply::status(503).header("Retry-After", "0"),
            Reply::status(200).header("Last-Modified", when).body(csv(3)),
        ])
        .await;
        let report = report(server.url("/r.csv"), 1000);
        let (bytes, fetched) = fetched(&report).await.unwrap();
        assert_eq!(bytes, csv(3));
        assert_eq!(fetched.modified.unwrap().to_string(), "2026-11-21T06:00:00Z");
        for _ in 0..2 {
            assert_eq!(fetched.open("r", &Options::default()).unwrap().finish().unwrap().rows, 3);
        }
        let seen = server.seen();
        assert_eq!(seen.len(), 2);
        assert!(seen.iter().all(|s| s.header("authorization") == TOKEN && s.header("accept-encoding") == "identity"));
    }

    #[tokio::test]
    async fn what_breaks_off_goes_on_where_it_stopped_if_the_content_has_a_name() {
        for (tag, moved, asked) in [
            ("\"one\"", false, "bytes=2000-"),
            // The content is another one meanwhile: the server sends all of it.
            ("\"one\"", true, "bytes=2000-"),
            ("W/\"one\"", false, ""),
            ("", false, ""),
        ] {
            let all = csv(1000);
            let (body, tag) = (all.clone(), tag.to_owned());
            let server = Server::answering(move |seen, n| {
                let reply =
                    Reply::status(200).header("ETag", &tag).header("Last-Modified", "Sat, 21 Nov 2026 06:00:00 GMT");
                if n == 0 {
                    return reply.body(&body[..2000]).cut();
                }
                let Some(from) =
                    seen.header("range").strip_prefix("bytes=").map(|r| r.trim_end_matches('-').parse().unwrap())
                else {
                    return reply.body(body.clone());
                };
                let from: usize = from;
                assert_eq!(seen.header("if-range"), tag);
                match moved {
                    true => Reply::status(200).header("ETag", "\"two\"").body(body.clone()),
                    false => reply
                        .with_status(206)
                        .header("Content-Range", &format!("bytes {from}-{}/{}", body.len() - 1, body.len()))
                        .body(&body[from..]),
                }
            })
            .await;
            let (bytes, _) = fetched(&report(server.url("/r.csv"), 1 << 20)).await.unwrap();
            assert!(bytes == all, "{asked}");
            assert_eq!(server.seen()[1].header("range"), asked);
        }
    }

    #[tokio::test]
    async fn a_rest_that_is_not_the_rest_is_fetched_whole() {
        let all = csv(1000);
        let body = all.clone();
        let server = Server::answering(move |seen, n| {
            let reply = Reply::status(200).header("ETag", "\"one\"");
            match (n, seen.header("range")) {
                (0, _) => reply.body(&body[..2000]).cut(),
                (_, "") => reply.body(body.clone()),
                // Another place than was asked for.
                _ => reply.with_status(206).header("Content-Range", "bytes 1999-4003/4004").body(&body[1999..]),
            }
        })
        .await;
        let (bytes, _) = fetched(&report(server.url("/r.csv"), 1 << 20)).await.unwrap();
        assert!(bytes == all);
        assert_eq!(server.seen().len(), 3);
    }

    #[tokio::test]
    async fn downloads_end_when_they_get_nowhere_or_too_far() {
        let server = Server::start(vec![Reply::status(200).body(csv(10)).cut()]).await;
        let error = fetched(&report(server.url("/r.csv"), 1 << 20)).await.unwrap_err();
        assert!(matches!(error, FetchError::Broken { tries: 6, .. }), "{error:?}");
        for reply in [Reply::status(200).body(csv(1000)), Reply::status(200).body(csv(1000)).chunked()] {
            let server = Server::start(vec![reply]).await;
            let error = fetched(&report(server.url("/r.csv"), 3999)).await.unwrap_err();
            assert!(matches!(error, FetchError::TooLarge { limit: 3999 }), "{error:?}");
        }
        for (status, calls) in [(401, 1), (403, 1), (404, 1), (204, 1), (500, 6), (429, 6)] {
            let server = Server::start(vec![Reply::status(status).body("secret body")]).await;
            let error = fetched(&report(server.url("/r.csv?q=1"), 1000)).await.unwrap_err();
            assert!(matches!(&error, FetchError::Answer { status: s, .. } if *s == status), "{error:?}");
            assert!(!error.to_string().contains("secret") && !error.to_string().contains("q=1"), "{error}");
            assert_eq!(server.seen().len(), calls, "{status}");
        }
    }

    #[tokio::test]
    async fn headers_never_leave_the_host_and_redirects_never_lead_down() {
        // Another port is another place.
        let other = Server::start(vec![Reply::status(200).body(csv(2))]).await;
        let away = other.url("/signed.csv?sig=1");
        let server = Server::answering(move |seen, _| match seen.target.as_str() {
            "/r.csv" => Reply::status(302).header("Location", "/moved.csv"),
            _ => Reply::status(307).header("Location", away.as_str()),
        })
        .await;
        let (bytes, _) = fetched(&report(server.url("/r.csv"), 1000)).await.unwrap();
        assert_eq!(bytes, csv(2));
        assert!(server.seen().iter().all(|s| s.header("authorization") == TOKEN));
        assert_eq!(server.seen().len(), 2);
        assert_eq!(other.seen()[0].header("authorization"), "");

        // Away and back: the one who sent us back chose the address, so the secret is not for it.
        let between: std::sync::Arc<std::sync::OnceLock<Url>> = std::sync::Arc::default();
        let to = between.clone();
        let home = Server::answering(move |seen, _| match seen.target.as_str() {
            "/r.csv" => Reply::status(302).header("Location", to.get().unwrap().as_str()),
            _ => Reply::status(200).body(csv(1)),
        })
        .await;
        let back = Server::start(vec![Reply::status(302).header("Location", home.url("/back").as_str())]).await;
        between.set(back.url("/away")).unwrap();
        fetched(&report(home.url("/r.csv"), 1000)).await.unwrap();
        assert_eq!(home.seen()[1].header("authorization"), "");
        assert_eq!(back.seen()[0].header("authorization"), "");

        for to in [
            "http://evil.example/r.csv",
            "ftp://evil.example/r",
            "https://user:pw@evil.example/r",
            "file:///etc/passwd",
            "",
        ] {
            let server = Server::start(vec![Reply::status(302).header("Location", to)]).await;
            let error = fetched(&report(server.url("/r.csv"), 1000)).await.unwrap_err();
            assert!(matches!(error, FetchError::Redirect { .. }), "{to}: {error:?}");
        }
        let round = Server::start(vec![Reply::status(302).header("Location", "/r.csv")]).await;
        let error = fetched(&report(round.url("/r.csv"), 1000)).await.unwrap_err();
        assert!(matches!(error, FetchError::Redirect { .. }), "{error:?}");
        assert_eq!(round.seen().len(), 6);
        // From outside to this machine: the first address need not even be reached to know.
        let outside = report(Url::parse("https://reports.example/r.csv").unwrap(), 1000);
        let response = Response {
            status: http::StatusCode::FOUND,
            headers: [(http::header::LOCATION, http::HeaderValue::from_static("http://127.0.0.1:9/x"))]
                .into_iter()
                .collect(),
            body: Vec::new(),
            cut: false,
            request_id: String::new(),
        };
        assert!(outside.onward(&outside.url, &response).is_err());
    }
}
