//! A small HTTP server for webhooks and issues: keeps what came, answers as it is told.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// A request that came.
#[derive(Debug, Clone)]
pub struct Came {
    pub method: String,
    /// With the query.
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: Value,
}

/// An answer: status, further headers, body. `None`: the connection is closed without one.
pub type Answer = Option<(u16, &'static str, Value)>;
type Says = Box<dyn FnMut(&Came) -> Answer + Send>;

/// The server. It ends with the value.
pub struct Hook {
    address: SocketAddr,
    came: Arc<Mutex<Vec<Came>>>,
    over: Arc<AtomicBool>,
}

impl Hook {
    pub fn answering(says: impl FnMut(&Came) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (came, over) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (kept, ends) = (came.clone(), over.clone());
        let mut says: Says = Box::new(says);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if ends.load(Ordering::SeqCst) {
                    break;
                }
                let _ = one(stream, &kept, &mut says);
            }
        });
        Self { address, came, over }
    }

    /// Takes everything.
    pub fn taking() -> Self {
        Self::answering(|_| Some((200, "", json!("ok"))))
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What came since it was asked last.
    pub fn came(&self) -> Vec<Came> {
        std::mem::take(&mut self.came.lock().unwrap())
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

fn one(stream: TcpStream, kept: &Mutex<Vec<Came>>, says: &mut Says) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|n| n.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let came = Came { method, path, headers, body };
    kept.lock().unwrap().push(came.clone());
    let Some((status, more, body)) = says(&came) else { return Ok(()) };
    let body = body.to_string();
    let mut stream = reader.into_inner();
    let head = format!(
        "HTTP/1.1 {status} Said\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{more}\r\n{body}").as_bytes())
}

/// GitHub's or GitLab's issues, as far as they are needed here.
pub struct Issues {
    pub hook: Hook,
    all: Arc<Mutex<Vec<Value>>>,
    /// The names of an issue's number and text.
    names: (&'static str, &'static str),
}

impl Issues {
    /// `number` is the name of an issue's number, `body` of its text.
    fn new(number: &'static str, body: &'static str, first: &'static str, others: usize) -> Self {
        let other = |n: usize| json!({ number: n + 1, "state": "open", body: "somebody else's" });
        let all: Arc<Mutex<Vec<Value>>> = Arc::new(Mutex::new((0..others).map(other).collect()));
        let kept = all.clone();
        let hook = Hook::answering(move |came| {
            let mut all = kept.lock().unwrap();
            if came.path == "/user" {
                // The token of a GitHub run is no user's.
                let status = if number == "number" { 403 } else { 200 };
                return Some((status, "", json!({ "username": "project_7_bot" })));
            }
            assert!(came.path.starts_with(first), "{}", came.path);
            let page = came.path.split("&page=").nth(1).and_then(|n| n.parse::<usize>().ok());
            match (came.method.as_str(), page) {
                ("GET", Some(page)) => {
                    let open: Vec<Value> = all.iter().filter(|issue| issue["state"] == "open").cloned().collect();
                    let found: Vec<Value> = open.into_iter().skip((page - 1) * 100).take(100).collect();
                    Some((200, "", Value::Array(found)))
                }
                ("POST", _) => {
                    let mut issue = came.body.clone();
                    issue[number] = json!(all.len() + 1);
                    issue["state"] = json!("open");
                    issue["user"] = json!({ "login": "github-actions[bot]" });
                    issue["author"] = json!({ "username": "project_7_bot" });
                    issue["html_url"] = json!("https://host.example/issue");
                    issue["web_url"] = json!("https://host.example/issue");
                    all.push(issue.clone());
                    Some((201, "", issue))
                }
                ("PATCH" | "PUT", _) => {
                    let place: usize = came.path.rsplit('/').next().unwrap().parse().unwrap();
                    let issue = &mut all[place - 1];
                    for (key, value) in came.body.as_object().unwrap() {
                        issue[key] = value.clone();
                    }
                    if came.body["state_event"] == "close" {
                        issue["state"] = json!("closed");
                    }
                    Some((200, "", issue.clone()))
                }
                _ => Some((404, "", Value::Null)),
            }
        });
        Self { hook, all, names: (number, body) }
    }

    /// An issue without a title, by somebody.
    pub fn has(&self, author: &str, text: &str) {
        let mut all = self.all.lock().unwrap();
        let (number, body) = self.names;
        let by = json!({ "login": author, "username": author });
        let issue = json!({ number: all.len() + 1, "state": "open", body: text, "user": by, "author": by });
        all.push(issue);
    }

    /// Everything, of everybody.
    pub fn all(&self) -> Vec<Value> {
        self.all.lock().unwrap().clone()
    }

    /// With so many issues of others before.
    pub fn github(others: usize) -> Self {
        Self::new("number", "body", "/repos/acme/crm/issues", others)
    }

    pub fn gitlab() -> Self {
        Self::new("iid", "description", "/projects/7/issues", 0)
    }

    /// Those that are open and ours.
    pub fn open(&self) -> Vec<Value> {
        let all = self.all.lock().unwrap();
        all.iter().filter(|issue| issue["state"] == "open" && issue.get("title").is_some()).cloned().collect()
    }
}
