//! A loopback server for tests that answers by a script, byte for byte, faults included.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use super::{HostRule, Http, Settings};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    Whole,
    Chunked,
    CutBeforeHead,
    CutInBody,
    SilentInBody,
    Silence,
}

/// One answer of the script.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    manner: Manner,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), manner: Manner::Whole }
    }

    pub(crate) fn json(body: impl Into<String>) -> Self {
        Self::status(200).header("Content-Type", "application/json;charset=UTF-8").body(body.into())
    }

    pub(crate) fn fault(status: u16, code: &str, message: &str) -> Self {
        let body = serde_json::json!([{ "message": message, "errorCode": code }]).to_string();
        Self::json(body).with_status(status)
    }

    pub(crate) fn html(status: u16, body: &str) -> Self {
        Self::status(status).header("Content-Type", "text/html; charset=UTF-8").body(body)
    }

    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn chunked(mut self) -> Self {
        self.manner = Manner::Chunked;
        self
    }

    pub(crate) fn cut_before_head() -> Self {
        Self { manner: Manner::CutBeforeHead, ..Self::status(200) }
    }

    pub(crate) fn cut_in_body() -> Self {
        Self { manner: Manner::CutInBody, ..Self::json("[{\"half\": ") }
    }

    pub(crate) fn cut(mut self) -> Self {
        self.manner = Manner::CutInBody;
        self
    }

    pub(crate) fn silent_in_body(body: &str) -> Self {
        Self { manner: Manner::SilentInBody, ..Self::status(200).body(body) }
    }

    pub(crate) fn silence() -> Self {
        Self { manner: Manner::Silence, ..Self::status(200) }
    }
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) head: String,
    pub(crate) body: String,
    pub(crate) bytes: Vec<u8>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        });
        found.unwrap_or_default()
    }
}

type Script = dyn Fn(&Seen, usize) -> Reply + Send + Sync;

/// The server; stops when dropped.
pub(crate) struct Server {
    base: Url,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Answers in order, the last answer for ever.
    pub(crate) async fn start(script: Vec<Reply>) -> Self {
        Self::answering(move |_, n| script[n.min(script.len() - 1)].clone()).await
    }

    /// Answers by a function of the request and of its number.
    pub(crate) async fn answering(script: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (script, log): (Arc<Script>, _) = (Arc::new(script), seen.clone());
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, script.clone(), log.clone()));
            }
        });
        Self { base, seen, task }
    }

    pub(crate) fn base(&self) -> Url {
        self.base.clone()
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        self.base.join(path).unwrap()
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings::new(HostRule::suffixes(&[".salesforce.com"]))
    }

    pub(crate) fn http(&self) -> Http {
        Http::new(self.settings())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, script: Arc<Script>, log: Arc<Mutex<Vec<Seen>>>) {
    let mut buffer = Vec::new();
    loop {
        let Some(request) = read_request(&mut stream, &mut buffer).await else { return };
        let number = {
            let mut log = log.lock().unwrap();
            log.push(request.clone());
            log.len() - 1
        };
        let reply = script(&request, number);
        match reply.manner {
            Manner::CutBeforeHead => return,
            Manner::Silence => {
                std::future::pending::<()>().await;
            }
            Manner::Whole | Manner::CutInBody | Manner::SilentInBody | Manner::Chunked => {}
        }
        let mut out = format!("HTTP/1.1 {} X\r\n", reply.status).into_bytes();
        for (name, value) in &reply.headers {
            out.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        let bodiless = reply.status == 204 || request.method == "HEAD";
        match reply.manner {
            Manner::Chunked => {
                out.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
                for piece in reply.body.chunks(700) {
                    out.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
                    out.extend_from_slice(piece);
                    out.extend_from_slice(b"\r\n");
                }
                out.extend_from_slice(b"0\r\n\r\n");
            }
            Manner::CutInBody | Manner::SilentInBody => {
                out.extend_from_slice(format!("Content-Length: {}\r\n\r\n", reply.body.len() + 100).as_bytes());
                out.extend_from_slice(&reply.body);
            }
            _ if bodiless => out.extend_from_slice(b"\r\n"),
            _ => {
                out.extend_from_slice(format!("Content-Length: {}\r\n\r\n", reply.body.len()).as_bytes());
                out.extend_from_slice(&reply.body);
            }
        }
        if stream.write_all(&out).await.is_err() || reply.manner == Manner::CutInBody {
            let _ = stream.shutdown().await;
            return;
        }
        if reply.manner == Manner::SilentInBody {
            std::future::pending::<()>().await;
        }
    }
}

async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Seen> {
    let mut piece = [0; 16 * 1024];
    loop {
        if let Some(end) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
            let lower = head.to_ascii_lowercase();
            let length = lower
                .lines()
                .find_map(|l| l.strip_prefix("content-length:").map(|v| v.trim().parse().unwrap()))
                .unwrap_or(0usize);
            let whole = if lower.contains("transfer-encoding: chunked") {
                unchunked(&buffer[end + 4..])
            } else {
                (buffer.len() >= end + 4 + length).then(|| (buffer[end + 4..end + 4 + length].to_vec(), length))
            };
            if let Some((bytes, length)) = whole {
                buffer.drain(..end + 4 + length);
                let mut words = head.split(' ');
                let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
                return Some(Seen { method, target, body: String::from_utf8_lossy(&bytes).into_owned(), head, bytes });
            }
        }
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return None,
            Ok(n) => buffer.extend_from_slice(&piece[..n]),
        }
    }
}

/// A chunked body and its length as sent; `None` as long as it is not whole.
fn unchunked(sent: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let line = sent[at..].windows(2).position(|w| w == b"\r\n")?;
        let length = usize::from_str_radix(std::str::from_utf8(&sent[at..at + line]).unwrap(), 16).unwrap();
        at += line + 2;
        body.extend_from_slice(sent.get(at..at + length)?);
        at += length + 2;
        if sent.len() < at {
            return None;
        }
        if length == 0 {
            return Some((body, at));
        }
    }
}
