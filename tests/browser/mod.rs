//! A real browser: headless Chromium, driven by WebDriver through `chromedriver` (Debian: `chromium-driver`).
//!
//! Where there is no `chromedriver`, a test says so aloud and is left out; with `CI` set it fails. Pages are kept as pictures in the
//! target folder, below `tmp/pages/`.

mod connect;
mod sign_in;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// The key of an element's reference (W3C WebDriver).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with a profile of its own. Ends with this.
pub struct Browser {
    http: reqwest::Client,
    port: u16,
    session: String,
    process: Child,
    _profile: tempfile::TempDir,
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ends the browser; ending its driver alone would leave it behind.
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
            let request =
                format!("DELETE /session/{} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n", self.session);
            let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
            let _ = stream.write_all(request.as_bytes()).and_then(|()| stream.read(&mut [0; 512]));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// `chromedriver` on a free port; `None` where it is not installed.
fn chromedriver() -> Option<(Child, u16)> {
    let started = Command::new("chromedriver").arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut process = match started {
        Ok(process) => process,
        Err(error) => {
            assert!(std::env::var("CI").is_err(), "CI needs chromedriver (Debian: chromium chromium-driver): {error}");
            crate::scene::left_out(&format!(
                "no chromedriver on PATH (Debian: apt-get install chromium chromium-driver): {error}"
            ));
            return None;
        }
    };
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
    let port = lines.find_map(|line| line.split("successfully on port ").nth(1)?.trim_end_matches('.').parse().ok());
    // What it says later must not fill the pipe.
    std::thread::spawn(move || lines.for_each(drop));
    Some((process, port.expect("chromedriver says its port")))
}

impl Browser {
    /// A browser, or `None` where there is none.
    pub async fn start() -> Option<Self> {
        let (process, port) = chromedriver()?;
        let profile = tempfile::tempdir().unwrap();
        let arguments = [
            "--headless=new",
            // Containers and CI run as root.
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--no-first-run",
            "--window-size=900,760",
            // Nothing but this machine.
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
            &format!("--user-data-dir={}", profile.path().display()),
        ];
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": {"args": arguments}, "timeouts": {"implicit": 20_000},
        }}});
        let http = crate::http::client();
        let mut browser = Self { http, port, session: String::new(), process, _profile: profile };
        let started = browser.send("", Some(wanted)).await.unwrap_or_else(|error| panic!("no browser: {error}"));
        started["sessionId"].as_str().expect("a session").clone_into(&mut browser.session);
        Some(browser)
    }

    /// One command: POST with a body, else GET. What it answers, or what is wrong.
    async fn send(&self, path: &str, body: Option<Value>) -> Result<Value, Value> {
        let slash = if self.session.is_empty() { "" } else { "/" };
        let url = format!("http://127.0.0.1:{}/session{slash}{}{path}", self.port, self.session);
        let request = match body {
            Some(body) => self.http.post(url).json(&body),
            None => self.http.get(url),
        };
        let reply = request.send().await.unwrap();
        let fine = reply.status().is_success();
        let value = reply.json::<Value>().await.unwrap()["value"].take();
        if fine { Ok(value) } else { Err(value) }
    }

    /// Opens an address. One that nobody answers is no error here.
    pub async fn open(&self, url: &str) {
        let _ = self.send("/url", Some(json!({"url": url}))).await;
    }

    /// The path of the element with this id, once it is there.
    async fn find(&self, id: &str) -> String {
        let wanted = json!({"using": "css selector", "value": format!("#{id}")});
        match self.send("/element", Some(wanted)).await {
            Ok(found) => format!("/element/{}", found[ELEMENT].as_str().unwrap()),
            Err(error) => {
                panic!("no element `{id}` on {}: {}\n{}", self.url().await, error["message"], self.text().await)
            }
        }
    }

    /// What the element with this id says, once it is there.
    pub async fn element(&self, id: &str) -> String {
        let path = self.find(id).await;
        let text = self.send(&format!("{path}/text"), None).await.unwrap();
        text.as_str().unwrap().to_owned()
    }

    /// Waits until the page says this: a click returns before the next page is there.
    pub async fn says(&self, text: &str) {
        let wanted = json!({"using": "xpath", "value": format!("//body[contains(., \"{text}\")]")});
        if let Err(error) = self.send("/element", Some(wanted)).await {
            panic!("no `{text}` on {}: {}\n{}", self.url().await, error["message"], self.text().await);
        }
    }

    /// Types into a field, and nothing else is in it.
    pub async fn fill(&self, id: &str, text: &str) {
        let path = self.find(id).await;
        self.send(&format!("{path}/clear"), Some(json!({}))).await.unwrap();
        self.send(&format!("{path}/value"), Some(json!({"text": text}))).await.unwrap();
    }

    /// Clicks.
    pub async fn click(&self, id: &str) {
        let path = self.find(id).await;
        self.send(&format!("{path}/click"), Some(json!({}))).await.unwrap();
    }

    /// Fills the org's login page in and sends it.
    pub async fn log_in(&self, username: &str, password: &str) {
        self.fill("username", username).await;
        self.fill("password", password).await;
        self.click("Login").await;
    }

    /// Runs a script in the page.
    pub async fn script(&self, script: &str) -> Value {
        self.send("/execute/sync", Some(json!({"script": script, "args": []}))).await.unwrap()
    }

    /// One command of Chromium's own (DevTools).
    async fn devtools(&self, command: &str, parameters: Value) {
        self.send("/goog/cdp/execute", Some(json!({"cmd": command, "params": parameters}))).await.unwrap();
    }

    /// Shows pages as on a screen of this width, in the dark or in the light, or as they are printed.
    pub async fn looks(&self, width: u32, scheme: &str, medium: &str) {
        let size = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600});
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
        let media = json!({"media": medium, "features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.devtools("Emulation.setEmulatedMedia", media).await;
    }

    /// What the page says.
    pub async fn text(&self) -> String {
        self.script("return document.body.innerText").await.as_str().unwrap_or_default().to_owned()
    }

    /// Waits for a page with this heading.
    pub async fn waits_for(&self, heading: &str) {
        let wanted = json!({"using": "xpath", "value": format!("//h1[normalize-space()='{heading}']")});
        if let Err(error) = self.send("/element", Some(wanted)).await {
            panic!("no page `{heading}` at {}: {}\n{}", self.url().await, error["message"], self.text().await);
        }
    }

    /// Where the browser is.
    pub async fn url(&self) -> String {
        self.send("/url", None).await.unwrap().as_str().unwrap_or_default().to_owned()
    }

    /// Keeps the page as a picture: `tmp/pages/NAME.png` in the target folder.
    pub async fn picture(&self, name: &str) -> PathBuf {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pages");
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join(format!("{name}.png"));
        let picture = self.send("/screenshot", None).await.unwrap();
        std::fs::write(&file, STANDARD.decode(picture.as_str().unwrap()).unwrap()).unwrap();
        file
    }

    /// The same of the whole page, however long.
    pub async fn whole_picture(&self, name: &str, width: u32, scheme: &str) -> PathBuf {
        let height = self.script("return document.documentElement.scrollHeight").await;
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
        let file = self.picture(name).await;
        self.looks(width, scheme, "").await;
        file
    }

    /// Every field has a label, the page has a language, a title, one heading and no script, and loads nothing.
    pub async fn assert_accessible(&self) {
        let script = "
            const bare = [...document.querySelectorAll('input:not([type=hidden])')].filter(i => !i.labels.length);
            return [document.documentElement.lang, document.title !== '', document.querySelectorAll('h1').length, bare.length,
                document.querySelectorAll('main').length, document.scripts.length, performance.getEntriesByType('resource').length,
                document.documentElement.scrollWidth <= window.innerWidth];";
        let told = self.script(script).await;
        assert_eq!(told, json!(["en", true, 1, 0, 1, 0, 0, true]), "{}", self.url().await);
    }
}

/// What an app's callback is: a listener on this machine. Ends with the test's runtime.
pub struct Listener {
    requests: mpsc::UnboundedReceiver<(String, String)>,
    /// The callback to register.
    pub callback: String,
}

impl Listener {
    /// Listens on a free port.
    pub async fn new() -> Self {
        let socket = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let callback = format!("http://localhost:{}/OauthRedirect", socket.local_addr().unwrap().port());
        let (told, requests) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            // Browsers open connections that they never use, so each is served by itself.
            while let Ok((stream, _)) = socket.accept().await {
                tokio::spawn(answer(stream, told.clone()));
            }
        });
        Self { requests, callback }
    }

    /// The next request that comes: its target, such as `/OauthRedirect?code=…`, and its head.
    pub async fn next(&mut self) -> (String, String) {
        tokio::time::timeout(Duration::from_secs(30), self.requests.recv()).await.expect("nobody came").unwrap()
    }

    /// Has nobody come?
    pub fn untouched(&self) -> bool {
        self.requests.is_empty()
    }
}

/// Reads one request, and answers it with a page.
async fn answer(mut stream: tokio::net::TcpStream, told: mpsc::UnboundedSender<(String, String)>) {
    let (mut head, mut buffer) = (Vec::new(), [0; 4096]);
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(read) if read > 0 => head.extend_from_slice(&buffer[..read]),
            _ => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let target = head.split(' ').nth(1).unwrap().to_owned();
    let page = "<p id=\"caught\">fine</p>";
    let length = page.len();
    let reply = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{page}"
    );
    // Pictures for tabs are nobody's business.
    if target != "/favicon.ico" {
        told.send((target, head)).unwrap_or_default();
    }
    let _ = stream.write_all(reply.as_bytes()).await;
}
