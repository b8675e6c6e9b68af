//! Waits on this machine for the one answer that a browser brings back from Salesforce's log-in. Loopback only; another path is no answer; after the
//! first answer nothing more is heard.

use std::future::IntoFuture as _;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};

use crate::config::valid::Callback;
use crate::model::Secret;

/// What the browser brought.
pub enum Came {
    /// A code, and the state beside it.
    Code {
        /// To be exchanged.
        code: Secret,
        /// Whose answer it is.
        state: String,
    },
    /// Salesforce's refusal, and the state beside it.
    Refused {
        /// `access_denied`.
        error: String,
        /// Salesforce's words.
        description: String,
        /// Whose answer it is.
        state: String,
    },
    /// Neither.
    Nothing,
}

/// The answer, and the browser that waits for a page.
pub struct Arrival {
    /// What came.
    pub came: Came,
    page: oneshot::Sender<Page>,
}

/// What the browser is shown: no secret, nothing from elsewhere.
struct Page {
    status: StatusCode,
    title: &'static str,
    text: &'static str,
}

impl Arrival {
    /// Shows that it went well.
    pub fn well(self) {
        let text = "Footbridge is logged in. Close this page and go back to the terminal: it says which org this is.";
        let _ = self.page.send(Page { status: StatusCode::OK, title: "Logged in", text });
    }

    /// Shows that it did not.
    pub fn badly(self) {
        let text =
            "Footbridge is not logged in. Close this page and go back to the terminal: it says why, and what to do.";
        let _ = self.page.send(Page { status: StatusCode::BAD_REQUEST, title: "Not logged in", text });
    }
}

/// A listener that is ready before the browser is opened.
pub struct Listener {
    arrivals: mpsc::Receiver<Arrival>,
    stop: watch::Sender<bool>,
    serving: Vec<tokio::task::JoinHandle<()>>,
}

struct Shared {
    callback: Callback,
    /// Taken by the first answer.
    arrival: Mutex<Option<mpsc::Sender<Arrival>>>,
}

impl Listener {
    /// Listens at the callback's port. `localhost` may mean either address, so both are listened at.
    ///
    /// # Errors
    /// The port is taken, or cannot be listened at.
    pub async fn open(callback: &Callback) -> std::io::Result<Self> {
        let v4 = SocketAddr::from((Ipv4Addr::LOCALHOST, callback.port));
        let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, callback.port));
        let mut sockets = Vec::new();
        if callback.host != "[::1]" {
            sockets.push(TcpListener::bind(v4).await?);
        }
        if callback.host != "127.0.0.1" {
            match TcpListener::bind(v6).await {
                Ok(socket) => sockets.push(socket),
                // A machine without IPv6.
                Err(error) if error.kind() != ErrorKind::AddrInUse && !sockets.is_empty() => {}
                Err(error) => return Err(error),
            }
        }
        let (arrival, arrivals) = mpsc::channel(1);
        let (stop, stopped) = watch::channel(false);
        let shared = Arc::new(Shared { callback: callback.clone(), arrival: Mutex::new(Some(arrival)) });
        let router = Router::new().fallback(answer).with_state(shared);
        let serve = |socket: TcpListener| {
            let mut stopped = stopped.clone();
            let stopped = async move {
                let _ = stopped.wait_for(|stop| *stop).await;
            };
            let serving = axum::serve(socket, router.clone()).with_graceful_shutdown(stopped).into_future();
            tokio::spawn(async move {
                let _ = serving.await;
            })
        };
        Ok(Self { arrivals, stop, serving: sockets.into_iter().map(serve).collect() })
    }

    /// The answer; `None` when none came in time.
    pub async fn arrival(&mut self, wait: Duration) -> Option<Arrival> {
        tokio::time::timeout(wait, self.arrivals.recv()).await.ok().flatten()
    }

    /// Stops listening, once the browser has its page.
    pub async fn close(self) {
        let _ = self.stop.send(true);
        for mut serving in self.serving {
            if tokio::time::timeout(Duration::from_secs(1), &mut serving).await.is_err() {
                // A browser that keeps its connection open.
                serving.abort();
            }
        }
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let callback = &shared.callback;
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    // A page elsewhere whose name was made to point here brings its own name.
    let ours = host.eq_ignore_ascii_case(&format!("{}:{}", callback.host, callback.port));
    if !ours || request.uri().path() != callback.path {
        return page(&Page {
            status: StatusCode::NOT_FOUND,
            title: "Nothing here",
            text: "This is not where Salesforce's log-in comes back to.",
        });
    }
    if request.method() != Method::GET {
        return page(&Page {
            status: StatusCode::METHOD_NOT_ALLOWED,
            title: "Nothing here",
            text: "Salesforce's log-in comes back in another way.",
        });
    }
    let taken = shared.arrival.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(arrival) = taken else {
        return page(&Page {
            status: StatusCode::GONE,
            title: "Too late",
            text: "An answer came already. Begin again from the terminal.",
        });
    };
    let came = read(request.uri().query().unwrap_or_default());
    let (sender, receiver) = oneshot::channel();
    let _ = arrival.send(Arrival { came, page: sender }).await;
    match receiver.await {
        Ok(shown) => page(&shown),
        Err(_) => page(&Page {
            status: StatusCode::BAD_REQUEST,
            title: "Not logged in",
            text: "Footbridge has ended. Begin again from the terminal.",
        }),
    }
}

fn read(query: &str) -> Came {
    let mut fields = [const { None }; 4];
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let names = ["code", "state", "error", "error_description"];
        let Some(place) = names.iter().position(|known| *known == name) else { continue };
        // Said twice is said by somebody else.
        if fields[place].replace(value.into_owned()).is_some() {
            return Came::Nothing;
        }
    }
    match fields {
        [Some(code), Some(state), None, _] => Came::Code { code: Secret::new(code), state },
        [None, Some(state), Some(error), description] => {
            let short = |text: String| text.chars().take(300).collect();
            Came::Refused { error: short(error), description: short(description.unwrap_or_default()), state }
        }
        _ => Came::Nothing,
    }
}

fn page(page: &Page) -> Response {
    let Page { title, text, .. } = page;
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<title>{title} · Footbridge</title>\n\
         <style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1.5rem;color:#222;background:#fff}}h1{{font-size:1.6rem}}\
         @media(prefers-color-scheme:dark){{body{{color:#ddd;background:#1b1b1b}}}}</style>\n<main>\n<h1>{title}</h1>\n<p>{text}</p>\n</main>\n</html>\n"
    );
    let mut response = (page.status, Html(html)).into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONNECTION, "close"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
        // The address holds the code.
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_code_or_a_refusal_each_said_once() {
        let words = |query: &str| match read(query) {
            Came::Code { code, state } => format!("code {} {state}", code.expose()),
            Came::Refused { error, description, state } => format!("refused {error} {description} {state}"),
            Came::Nothing => "nothing".to_owned(),
        };
        let table = [
            ("code=aPrx%3D%3D&state=s", "code aPrx== s"),
            ("state=s&code=a+b&sfdc_community=x", "code a b s"),
            (
                "error=access_denied&error_description=end-user+denied+authorization&state=s",
                "refused access_denied end-user denied authorization s",
            ),
            ("error=access_denied&state=s", "refused access_denied  s"),
            ("code=a", "nothing"),
            ("code=a&code=b&state=s", "nothing"),
            ("code=a&state=s&state=t", "nothing"),
            ("code=a&error=b&state=s", "nothing"),
            ("", "nothing"),
        ];
        for (query, came) in table {
            assert_eq!(words(query), came, "{query}");
        }
    }
}
