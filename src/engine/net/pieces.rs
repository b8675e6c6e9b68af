//! A good answer's body handed on piece by piece, under a limit of bytes and of silence. One that breaks off is an error, never an end.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use super::error::{causes, silent, trouble_of};
use super::unzip::{Unpackable, Unzip};
use super::{Budget, Feed, NetError, Request, Trouble};

/// How a request's body goes out and the answer's comes in.
#[derive(Debug, Clone)]
pub enum Manner {
    /// The request's own body, the answer read to its end.
    Whole,
    /// A good answer's body is left to come.
    Pieces {
        /// Bytes (after decompression) that may come; the settings' limit where it is not given.
        limit: Option<u64>,
    },
    /// The request's body comes in pieces, the answer is read to its end.
    Fed(Feed),
}

impl Manner {
    /// Can the request be sent once more, with the same body?
    pub(crate) fn can_repeat(&self) -> bool {
        match self {
            Manner::Whole | Manner::Pieces { .. } => true,
            Manner::Fed(feed) => feed.can_repeat(),
        }
    }
}

/// The body of an answer that is still coming.
pub struct Pieces {
    reply: reqwest::Response,
    /// It comes as gzip.
    unzip: Option<Unzip>,
    method: String,
    url: String,
    silence: Duration,
    limit: u64,
    came: u64,
    /// The piece that went over the limit, as far as it lies below.
    last: Bytes,
    budget: Option<Budget>,
}

impl fmt::Debug for Pieces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes so far", self.came)
    }
}

impl Pieces {
    pub(super) fn new(
        reply: reqwest::Response,
        unzip: Option<Unzip>,
        request: &Request,
        limit: u64,
        silence: Duration,
        budget: Option<Budget>,
    ) -> Self {
        let (method, url) = (request.method.to_string(), request.shown());
        Self { reply, unzip, method, url, silence, limit, came: 0, last: Bytes::new(), budget }
    }

    /// The next piece, decompressed; `None` at the true end.
    ///
    /// # Errors
    /// Broken off, silent for too long, or longer than allowed.
    pub async fn next(&mut self) -> Result<Option<Bytes>, NetError> {
        let Some(mut piece) = self.unpacked().await? else { return Ok(None) };
        let length = piece.len() as u64;
        if let Some(budget) = &self.budget {
            budget.received(length);
        }
        if self.came + length > self.limit {
            let room = self.limit - self.came;
            self.came = self.limit;
            self.last = piece.split_to(usize::try_from(room).unwrap_or(0));
            return Err(self.too_large());
        }
        self.came += length;
        Ok(Some(piece))
    }

    async fn unpacked(&mut self) -> Result<Option<Bytes>, NetError> {
        loop {
            let unpackable = |problem: Unpackable| problem.to_string();
            if let Some(unzip) = &mut self.unzip
                && let Some(piece) =
                    unzip.piece().map_err(unpackable).map_err(|cause| self.failed(Trouble::Cut, cause))?
            {
                return Ok(Some(piece));
            }
            let came = match tokio::time::timeout(self.silence, self.reply.chunk()).await {
                Ok(Ok(came)) => came,
                Ok(Err(error)) => return Err(self.failed(trouble_of(&error, true), causes(&error))),
                Err(_) => return Err(self.failed(Trouble::Cut, silent(self.silence))),
            };
            match (&mut self.unzip, came) {
                (None, came) => return Ok(came),
                (Some(unzip), Some(packed)) => unzip.feed(packed),
                (Some(unzip), None) => {
                    return unzip.rest().map_err(unpackable).map_err(|cause| self.failed(Trouble::Cut, cause));
                }
            }
        }
    }

    /// Bytes that came so far.
    pub fn came(&self) -> u64 {
        self.came
    }

    /// What of the piece that went over the limit still had room.
    pub(crate) fn last_room(&self) -> &[u8] {
        &self.last
    }

    pub(crate) fn too_large(&self) -> NetError {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        NetError::TooLarge { method: self.method.clone(), url: self.url.clone(), limit }
    }

    fn failed(&self, trouble: Trouble, cause: String) -> NetError {
        NetError::Failed { trouble, method: self.method.clone(), url: self.url.clone(), cause, tries: 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::super::scripted::{Reply, Server};
    use super::super::{BackoffSettings, Body, Called, Http, Verdict};
    use super::*;

    async fn open(server: &Server, limit: Option<u64>) -> Result<Called, NetError> {
        let budget = Budget::new(BackoffSettings::immediate());
        let classify = |response: &super::super::Response| match response.status.as_u16() {
            200 => Verdict::Done,
            503 => Verdict::Retry { after: None },
            _ => Verdict::Fatal,
        };
        let mut settings = server.settings();
        settings.read_timeout = Duration::from_millis(100);
        let request = Request::get(server.url("/x"));
        Http::new(settings).call_by(&request, &Manner::Pieces { limit }, &budget, classify).await
    }

    async fn read(called: Called) -> Result<Vec<u8>, NetError> {
        let mut pieces = called.pieces.unwrap();
        let mut body = Vec::new();
        while let Some(piece) = pieces.next().await? {
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    #[tokio::test]
    async fn pieces_make_the_body_zipped_or_not() {
        let long = "0123456789".repeat(50_000);
        let zipped = Body::json(long.clone().into_bytes()).gzipped();
        let script = vec![
            Reply::status(503),
            Reply::status(200).body(long.clone()),
            Reply::status(200).body(long.clone()).chunked(),
            Reply::status(200).header("Content-Encoding", "gzip").body(zipped.bytes.to_vec()),
        ];
        let server = Server::start(script).await;
        for tries in [2, 1, 1] {
            let called = open(&server, None).await.unwrap();
            assert_eq!((called.tries, called.response.body.len()), (tries, 0));
            assert_eq!(read(called).await.unwrap(), long.as_bytes());
        }
    }

    #[tokio::test]
    async fn an_error_is_read_to_its_end_and_has_no_pieces() {
        let server = Server::start(vec![Reply::fault(400, "X", "no")]).await;
        let called = open(&server, None).await.unwrap();
        assert!(called.pieces.is_none() && called.response.body.starts_with(b"["));
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_or_falls_silent_is_an_error() {
        for reply in [Reply::cut_in_body(), Reply::silent_in_body("Id\n")] {
            let server = Server::start(vec![reply]).await;
            let outcome = read(open(&server, None).await.unwrap()).await;
            assert!(matches!(outcome, Err(NetError::Failed { trouble: Trouble::Cut, .. })), "{outcome:?}");
        }
    }

    #[tokio::test]
    async fn the_limit_counts_decompressed_bytes() {
        let zipped = Body::json(vec![b' '; 100_000]).gzipped();
        let script = vec![
            Reply::status(200).header("Content-Encoding", "gzip").body(zipped.bytes.to_vec()),
            Reply::status(200).body(vec![b' '; 60_000]),
        ];
        let server = Server::start(script).await;
        let outcome = read(open(&server, Some(50_000)).await.unwrap()).await;
        assert!(matches!(outcome, Err(NetError::TooLarge { limit: 50_000, .. })), "{outcome:?}");
        let outcome = open(&server, Some(50_000)).await;
        assert!(matches!(outcome, Err(NetError::TooLarge { .. })), "an announced length is heeded at once");
    }
}
