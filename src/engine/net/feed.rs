//! A request's body that is made while it is sent: pieces from a bounded channel, so that whoever makes them waits for the network.
//!
//! What went out first is held up to a limit. As long as that is all, the request can be sent again (a refused connection, an ended session, "not now");
//! afterwards it cannot, and its failure goes back to the caller.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use tokio::sync::mpsc::Receiver;
use tokio::time::Instant;

/// Bytes that are held for sending again.
const HELD: usize = 4 << 20;

struct Inner {
    pieces: Receiver<Bytes>,
    held: Vec<Bytes>,
    held_bytes: usize,
    /// More went out than is held.
    gone: bool,
    /// All pieces went out.
    ended: bool,
    /// When the last piece was asked for.
    moved: Instant,
    /// The network waits for the maker, not the other way round.
    waiting: bool,
    /// Which sending is the present one; an earlier one gets no further pieces.
    sending: u64,
    sent: u64,
}

/// The pieces of a request's body. Clones share them.
#[derive(Clone)]
pub struct Feed(Arc<Mutex<Inner>>);

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes so far", self.sent())
    }
}

impl Feed {
    /// The body is what comes from this channel until it is closed.
    pub fn new(pieces: Receiver<Bytes>) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            pieces,
            held: Vec::new(),
            held_bytes: 0,
            gone: false,
            ended: false,
            moved: Instant::now(),
            waiting: false,
            sending: 0,
            sent: 0,
        })))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes taken from the channel so far.
    pub fn sent(&self) -> u64 {
        self.inner().sent
    }

    /// Takes nothing more; whoever makes the pieces is told by the closed channel.
    pub fn close(&self) {
        let mut inner = self.inner();
        inner.sending += 1;
        inner.pieces.close();
    }

    /// Is all that went out still held?
    pub(crate) fn can_repeat(&self) -> bool {
        !self.inner().gone
    }

    /// The body, from its beginning.
    pub(crate) fn body(&self) -> reqwest::Body {
        let mut inner = self.inner();
        inner.sending += 1;
        (inner.moved, inner.waiting, inner.ended) = (Instant::now(), false, false);
        let sending = inner.sending;
        drop(inner);
        reqwest::Body::wrap_stream(Sending { feed: self.clone(), sending, next: 0 })
    }

    /// Waits for the answer. The error is the silence that was too long: `moving` while the body is on its way, `answering` once it has ended. While the
    /// maker of the pieces is waited for, no time counts.
    pub(crate) async fn while_moving<T>(
        &self,
        sending: impl Future<Output = T>,
        moving: Duration,
        answering: Duration,
    ) -> Result<T, Duration> {
        tokio::pin!(sending);
        loop {
            let (since, silence) = {
                let inner = self.inner();
                let since = if inner.waiting { Instant::now() } else { inner.moved };
                (since, if inner.ended { answering } else { moving })
            };
            match tokio::time::timeout_at(since + silence, &mut sending).await {
                Ok(answer) => return Ok(answer),
                Err(_) => {
                    let inner = self.inner();
                    let silence = if inner.ended { answering } else { moving };
                    if !inner.waiting && inner.moved.elapsed() >= silence {
                        return Err(silence);
                    }
                }
            }
        }
    }
}

/// One sending of the body.
struct Sending {
    feed: Feed,
    sending: u64,
    next: usize,
}

impl Stream for Sending {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let mut inner = this.feed.inner();
        if inner.sending != this.sending {
            // Given up: an error ends this connection; an end would look like a whole body.
            return Poll::Ready(Some(Err(io::Error::other("this sending was given up"))));
        }
        inner.moved = Instant::now();
        if let Some(piece) = inner.held.get(this.next) {
            this.next += 1;
            return Poll::Ready(Some(Ok(piece.clone())));
        }
        match inner.pieces.poll_recv(context) {
            Poll::Pending => {
                inner.waiting = true;
                Poll::Pending
            }
            Poll::Ready(None) => {
                (inner.waiting, inner.ended) = (false, true);
                Poll::Ready(None)
            }
            Poll::Ready(Some(piece)) => {
                inner.waiting = false;
                inner.sent += piece.len() as u64;
                if !inner.gone && inner.held_bytes + piece.len() <= HELD {
                    inner.held_bytes += piece.len();
                    inner.held.push(piece.clone());
                    this.next += 1;
                } else {
                    inner.gone = true;
                    inner.held = Vec::new();
                }
                Poll::Ready(Some(Ok(piece)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;
    use http::Method;

    use super::super::scripted::{Reply, Server};
    use super::super::{BackoffSettings, Budget, Called, Class, Http, Manner, NetError, Request, Trouble, Verdict};
    use super::*;

    async fn put(server: &Server, feed: &Feed, moving: Duration) -> Result<Called, NetError> {
        let mut settings = server.settings();
        settings.read_timeout = moving;
        let request = Request::new(Method::PUT, server.url("/x"), Class::IdempotentWrite);
        let budget = Budget::new(BackoffSettings::immediate());
        let classify = |response: &super::super::Response| match response.status.as_u16() {
            503 => Verdict::Retry { after: None },
            _ => Verdict::Done,
        };
        Http::new(settings).call_by(&request, &Manner::Fed(feed.clone()), &budget, classify).await
    }

    /// A feed of so many pieces of so many bytes.
    fn maker(pieces: usize, bytes: usize) -> Feed {
        let (sender, receiver) = tokio::sync::mpsc::channel(2);
        tokio::spawn(async move {
            for n in 0..pieces {
                let piece = Bytes::from(vec![b'a' + (n % 26) as u8; bytes]);
                if sender.send(piece).await.is_err() {
                    return;
                }
            }
        });
        Feed::new(receiver)
    }

    #[tokio::test]
    async fn the_pieces_arrive_as_one_body_in_chunks() {
        let server = Server::start(vec![Reply::status(201)]).await;
        put(&server, &maker(3, 2), Duration::from_secs(9)).await.unwrap();
        let seen = &server.seen()[0];
        assert_eq!((seen.body.as_str(), seen.header("transfer-encoding")), ("aabbcc", "chunked"));
    }

    #[tokio::test]
    async fn a_body_that_is_still_held_is_sent_again_and_one_that_is_not_goes_back() {
        let server = Server::start(vec![Reply::status(503), Reply::status(201)]).await;
        let called = put(&server, &maker(3, 100_000), Duration::from_secs(9)).await.unwrap();
        assert_eq!(called.tries, 2);
        let seen = server.seen();
        assert_eq!((seen[0].bytes.len(), &seen[0].bytes), (300_000, &seen[1].bytes));

        let server = Server::start(vec![Reply::status(503), Reply::status(201)]).await;
        let called = put(&server, &maker(60, 100_000), Duration::from_secs(9)).await.unwrap();
        assert_eq!((called.response.status.as_u16(), called.tries), (503, 1), "6 MB are not held");
    }

    #[tokio::test]
    async fn time_counts_against_the_server_and_not_against_the_maker() {
        let (sender, receiver) = tokio::sync::mpsc::channel(1);
        let feed = Feed::new(receiver);
        drop(feed.body());
        let mut sending = Sending { feed: feed.clone(), sending: 1, next: 0 };
        let asked = tokio::time::timeout(Duration::ZERO, sending.next()).await;
        assert!(asked.is_err(), "no piece is there yet");
        let (short, longer) = (Duration::from_millis(20), Duration::from_millis(30));
        let waiting = feed.while_moving(std::future::pending::<()>(), short, longer);
        let waiting = tokio::time::timeout(Duration::from_millis(200), waiting).await;
        assert!(waiting.is_err(), "as long as no piece is there, the network does not stand still");
        drop(sender);
        assert!(sending.next().await.is_none());
        let answer = feed.while_moving(std::future::pending::<()>(), short, longer).await;
        assert_eq!(answer, Err(longer), "the answer has its own time");

        let silent = Server::start(vec![Reply::silence()]).await;
        let stuck = maker(4_000, 100_000);
        // The server takes nothing, so the connection fills up.
        let deaf = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = url::Url::parse(&format!("http://{}/x", deaf.local_addr().unwrap())).unwrap();
        let mut settings = silent.settings();
        settings.read_timeout = Duration::from_millis(100);
        let request = Request::new(Method::PUT, url, Class::IdempotentWrite);
        let outcome = Http::new(settings).send_by(&request, &Manner::Fed(stuck), None).await;
        assert!(matches!(outcome, Err(NetError::Failed { trouble: Trouble::Timeout, .. })), "{outcome:?}");
    }
}
