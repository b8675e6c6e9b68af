//! From a socket to a reply and back: reads the request, fires faults, routes, compresses, keeps the transcript.

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use futures_util::stream;

use super::super::faults::{Action, Other, Seen};
use super::super::problem::Problem;
use super::super::state::State;
use super::super::transcript::{self, Call};
use super::admin;
use super::reply::{Reply, gzip};
use super::request::{Incoming, largest, unpack};
use super::router::{Routed, route};
use super::sending;
use super::wire::Knife;

/// Bytes of a URI, and of URI and headers together (DOC/rest-api: 414 and 431).
const LARGEST_HEAD: usize = 16_384;

/// Answers one request.
pub async fn handle(state: Arc<State>, ConnectInfo(knife): ConnectInfo<Knife>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let uri = parts.uri.path_and_query().map_or("/", |p| p.as_str()).to_owned();
    // The Salesforce CLI keeps the slash of its instance URL, and a real org does not mind.
    let path = format!("/{}", percent_decoded(parts.uri.path()).trim_start_matches('/'));
    let query: Vec<(String, String)> =
        url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let most = largest(&path);
    let body = match to_bytes(body, most).await {
        Ok(body) => body.to_vec(),
        Err(_) => {
            let problem = Problem::new(400, "EXCEEDED_MAX_SIZE_REQUEST", "request exceeds maximum size");
            return respond(problem.into(), false, None);
        }
    };
    let head = uri.len() + parts.headers.iter().map(|(n, v)| n.as_str().len() + v.len() + 4).sum::<usize>();
    let accepts_gzip = parts
        .headers
        .get("accept-encoding")
        .and_then(|v| v.to_str().ok())
        .is_some_and(|v| v.split(',').any(|e| e.trim().starts_with("gzip")));
    let method = query
        .iter()
        .find(|(key, _)| key == "_HttpMethod" && parts.method == "POST")
        .map_or_else(|| parts.method.to_string(), |(_, method)| method.to_ascii_uppercase());
    let unpacked = unpack(&parts.headers, body, most);
    let (body, unreadable) = match unpacked {
        Ok(body) => (body, None),
        Err(problem) => (Vec::new(), Some(problem)),
    };
    let incoming = Incoming { method, path, query, headers: parts.headers, body, base: state.base.clone() };
    if incoming.path.starts_with("/__emulator") {
        let reply = blocking(&state, incoming, |state, incoming| (admin::answer(state, &incoming), incoming)).await;
        return match reply {
            Ok((reply, _)) => respond(reply, false, None),
            Err(reply) => respond(reply, false, None),
        };
    }
    let early = match (uri.len() > LARGEST_HEAD, head > LARGEST_HEAD, unreadable) {
        (true, ..) => Some(Reply::html(414, "URI Too Long")),
        (_, true, _) => Some(Reply::html(431, "Request Header Fields Too Large")),
        (.., Some(problem)) => Some(Reply::from(problem)),
        _ => None,
    };
    exchange(state, knife, incoming, early, accepts_gzip).await
}

/// Runs what takes the org's lock away from the threads that wait on sockets.
async fn blocking<T: Send + 'static>(
    state: &Arc<State>,
    incoming: Incoming,
    work: impl FnOnce(&Arc<State>, Incoming) -> (T, Incoming) + Send + 'static,
) -> Result<(T, Incoming), Reply> {
    let state = Arc::clone(state);
    let done = tokio::task::spawn_blocking(move || work(&state, incoming)).await;
    done.map_err(|error| Problem::internal(&error).into())
}

async fn exchange(
    state: Arc<State>,
    knife: Knife,
    incoming: Incoming,
    early: Option<Reply>,
    accepts_gzip: bool,
) -> Response {
    let sequence = state.transcript().next();
    let actions = fire(&state, &incoming);
    let mut scripted = early;
    for action in &actions {
        match action {
            Action::Edit(other) => scripted = scripted.or(edited(&state, other)),
            Action::Delay(millis) => delay(&state, *millis).await,
            Action::ExpireSession => state.org().people.end_sessions(),
            _ => {}
        }
    }
    let mut call = Call {
        sequence,
        method: incoming.method.clone(),
        path: incoming.path.clone(),
        query: incoming.query.clone(),
        status: 0,
        request_body: match (of_log_in(&incoming.path), incoming.boundary()) {
            (true, None) => transcript::masked(&incoming.text()),
            (true, Some(_)) => "***".to_owned(),
            (false, _) => transcript::body(&incoming.body),
        },
        request_bytes: incoming.body.len(),
        response_bytes: 0,
        headers: transcript::headers(&incoming.headers),
        counted: false,
    };
    let scripted = scripted.or_else(|| actions.iter().find_map(instead));
    let routed = match scripted {
        Some(reply) => Routed { reply, counted: false, rest: incoming.path.starts_with("/services/data/") },
        None if actions.contains(&Action::CutBefore) => {
            knife.cut();
            Routed { reply: Reply::empty(200), counted: false, rest: false }
        }
        None => {
            let faults = actions.clone();
            let work = move |state: &Arc<State>, incoming: Incoming| (route(state, &incoming, &faults), incoming);
            match blocking(&state, incoming, work).await {
                Ok((routed, _)) => routed,
                Err(reply) => Routed { reply, counted: false, rest: true },
            }
        }
    };
    let Routed { mut reply, counted, rest } = routed;
    let cut = actions.iter().any(|a| matches!(a, Action::CutBefore | Action::CutAfter));
    for action in &actions {
        match action {
            Action::DelayAnswer(millis) => delay(&state, *millis).await,
            Action::CutAfter => knife.cut(),
            Action::EditAfter(other) => reply = edited(&state, other).unwrap_or(reply),
            Action::WrongOrg { id } => {
                reply.read_whole();
                wrong_org(&mut reply, &state.org().profile.id, id);
            }
            Action::Truncate(bytes) => reply.truncate(*bytes),
            _ => {}
        }
    }
    call.status = if cut { 0 } else { reply.status };
    call.response_bytes = reply.len();
    call.counted = counted;
    state.transcript().keep(call);
    if rest {
        reply.headers.push(("Sforce-Limit-Info".to_owned(), state.usage()));
    }
    if actions.contains(&Action::CutMidBody) {
        reply.read_whole();
        return half(reply);
    }
    let huge = actions.iter().find_map(|a| if let Action::HugeBody(bytes) = a { Some(*bytes) } else { None });
    if let Some(bytes) = huge {
        return endless(bytes);
    }
    respond(reply, accepts_gzip && state.settings.gzip, Some(sequence))
}

/// A path whose bodies hold secrets.
fn of_log_in(path: &str) -> bool {
    path.starts_with("/services/oauth2/") || path.starts_with("/setup/")
}

async fn delay(state: &State, millis: u64) {
    let go = state.go.notified();
    let _held = state.hold();
    tokio::select! {
        () = go => {}
        () = tokio::time::sleep(Duration::from_millis(millis)) => {}
    }
}

fn fire(state: &State, incoming: &Incoming) -> Vec<Action> {
    let query: Vec<String> = incoming.query.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let path = if query.is_empty() { incoming.path.clone() } else { format!("{}?{}", incoming.path, query.join("&")) };
    let body = String::from_utf8_lossy(&incoming.body);
    state.script().fire(&Seen { method: &incoming.method, path: &path, body: &body })
}

/// Somebody else's edit; a reply only when the script names a record or field that is not there.
fn edited(state: &State, other: &Other) -> Option<Reply> {
    let done = state.org().edit(&other.object, &other.id, &other.fields, state.now());
    done.err().map(|error| Problem::internal(&error).into())
}

/// What an action answers without anything being done.
fn instead(action: &Action) -> Option<Reply> {
    match action {
        Action::Status { code, body, headers } => {
            let mut reply = Reply::text(*code, body.clone());
            for (name, value) in headers {
                if name.eq_ignore_ascii_case("content-type") {
                    reply.content_type = None;
                }
                reply.headers.push((name.clone(), value.clone()));
            }
            Some(reply)
        }
        Action::Error { status, code, message } => Some(Problem::new(*status, code, message.clone()).into()),
        Action::LimitExceeded => {
            Some(Problem::new(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.").into())
        }
        Action::Html { code, text } => Some(Reply::html(*code, text)),
        Action::HugeBody(_) => Some(Reply::empty(200)),
        _ => None,
    }
}

/// Puts another org's id wherever this one's stood, in both forms.
fn wrong_org(reply: &mut Reply, mine: &str, other: &str) {
    let text = String::from_utf8_lossy(&reply.body).replace(mine, other);
    let short = |id: &str| super::super::ids::fifteen(id).to_owned();
    // Access tokens begin with the org's id as well, and must stay what they are.
    let token = format!("\"{}!", short(mine));
    let kept = text.replace(&token, "\u{1}");
    reply.body = kept.replace(&short(mine), &short(other)).replace('\u{1}', &token).into_bytes();
}

fn respond(reply: Reply, may_compress: bool, sequence: Option<u64>) -> Response {
    let mut builder = Response::builder()
        .status(reply.status)
        .header("cache-control", "no-cache,must-revalidate,max-age=0,no-store,private")
        .header("vary", "Accept-Encoding");
    if let Some(sequence) = sequence {
        let id = format!("{sequence:032x}");
        builder = builder.header("x-sfdc-request-id", id.as_str()).header("x-request-id", id.as_str());
    }
    if let Some(content_type) = reply.content_type {
        builder = builder.header("content-type", content_type);
    }
    for (name, value) in reply.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("cache-control")) {
        builder = builder.header(name, value);
    }
    if let Some(slice) = reply.slice {
        if may_compress {
            builder = builder.header("content-encoding", "gzip");
        }
        let body = sending::body(slice, may_compress);
        return builder.body(body).unwrap_or_else(|_| Response::new(Body::empty()));
    }
    let packed = may_compress.then(|| gzip(&reply.body)).flatten();
    let body = match packed {
        Some(packed) => {
            builder = builder.header("content-encoding", "gzip");
            packed
        }
        None => reply.body,
    };
    // Only a fault script with an impossible header can fail here.
    builder.body(Body::from(body)).unwrap_or_else(|_| Response::new(Body::empty()))
}

/// Half of the body, then the end of the connection.
fn half(reply: Reply) -> Response {
    let whole = reply.body.len();
    let first = Bytes::from(reply.body[..whole / 2].to_vec());
    let mut step = 0;
    let pieces = stream::poll_fn(move |context| {
        step += 1;
        match step {
            1 => Poll::Ready(Some(Ok(first.clone()))),
            // A pause, so that the first half is flushed before the end.
            2..=4 => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            _ => Poll::Ready(Some(Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)))),
        }
    });
    let mut builder = Response::builder()
        .status(reply.status)
        .header("content-type", reply.content_type.unwrap_or("text/plain"))
        .header("content-length", whole.max(2));
    for (name, value) in &reply.headers {
        builder = builder.header(name, value);
    }
    builder.body(Body::from_stream(pieces)).unwrap_or_else(|_| Response::new(Body::empty()))
}

/// A JSON text of so many bytes, made while it is sent.
fn endless(bytes: u64) -> Response {
    const PIECE: usize = 65_536;
    let begin = "[{\"x\":\"";
    let end = "\"}]";
    let mut left = bytes.saturating_sub((begin.len() + end.len()) as u64);
    let mut state = 0;
    let pieces = stream::poll_fn(move |_| {
        let piece = match state {
            0 => Bytes::from_static(begin.as_bytes()),
            1 if left > 0 => {
                let size = left.min(PIECE as u64);
                left -= size;
                return Poll::Ready(Some(Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; size as usize]))));
            }
            1 => Bytes::from_static(end.as_bytes()),
            _ => return Poll::Ready(None),
        };
        state += 1;
        Poll::Ready(Some(Ok(piece)))
    });
    let builder = Response::builder().status(200).header("content-type", super::reply::JSON);
    builder.body(Body::from_stream(pieces)).unwrap_or_else(|_| Response::new(Body::empty()))
}

/// A path with its `%XX` undone.
fn percent_decoded(path: &str) -> String {
    if !path.contains('%') {
        return path.to_owned();
    }
    let mut out = Vec::with_capacity(path.len());
    let bytes = path.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let hex = path.get(at + 1..at + 3).filter(|_| bytes[at] == b'%').and_then(|h| u8::from_str_radix(h, 16).ok());
        match hex {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
