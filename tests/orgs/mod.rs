//! `footbridge orgs …` through the real binary, against the emulator: log-ins of people and machines, what is kept of them, and which org it is.

mod app;
mod browser;
mod check;
mod flows;
#[cfg(target_os = "linux")]
mod keyring;
mod pins;
mod probe;
mod rotation;
mod store;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::Duration;

use footbridge::emulator::{Options, Settings};

use crate::scene::{Ran, Scene};

pub const USER: &str = "ada@acme.example";

/// A port of this machine that nobody has.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// An org with an app for people, and an integration over it.
pub struct Place {
    pub scene: Scene,
    pub port: u16,
}

impl Place {
    /// `app` and `org` are added to the seeds of the app and of the org (YAML).
    pub fn with(app: &str, org: &str) -> Self {
        let port = free_port();
        let seed = format!(
            "org: {{ name: Acme GmbH, sandbox: true{org} }}\n\
             clients:\n  - {{ client_id: people, client_secret: app-secret, name: Footbridge, secret_optional: true, secret_for_refresh: false, device_flow: true, run_as: {USER}, callbacks: ['http://localhost:{port}/OauthRedirect']{app} }}\n\
             users:\n  - {{ username: {USER}, name: Ada, refresh_token: 5Aep-ADA }}\n\
             objects:\n  Lead:\n    fields:\n      - {{ name: WalkMe_Count__c, type: number, precision: 18, scale: 0 }}\n    records:\n      - {{ LastName: A, Company: C, Email: a@leads.example }}\n"
        );
        let settings = Settings { device_interval: 0, ..Settings::default() };
        let scene = Scene::with(Options { seed_texts: vec![seed], settings, ..Options::default() });
        scene.write("exports/counts.csv", "User ID,Count\na@leads.example,7\n");
        let place = Self { scene, port };
        place.orgs("sandbox", "", &place.browser());
        place
    }

    pub fn new() -> Self {
        Self::with("", "")
    }

    pub fn browser(&self) -> String {
        format!("{{ flow: browser, client_id: people, callback: 'http://localhost:{}/OauthRedirect' }}", self.port)
    }

    /// Writes `orgs.yaml` with one environment; `more` are further lines of it.
    pub fn orgs(&self, environment: &str, more: &str, auth: &str) {
        let url = self.scene.org().url();
        let more: String = more.lines().map(|line| format!("    {line}\n")).collect();
        let text = format!(
            "# the orgs of acme\nfootbridge: 1\nkind: orgs\nacme:\n  {environment}: # ours\n    domain: {url}   # Setup\n{more}    auth: {auth}\n"
        );
        self.scene.write("integrations/orgs.yaml", &text);
        let text = format!(
            "footbridge: 1\nkind: integration\nname: counts\norg: acme\nreport: {{ name: Counts, source: exports/counts.csv }}\nobject: Lead\nmatch: {{ column: User ID, field: Email }}\nfields: {{ WalkMe_Count__c: Count }}\nenvironments: {{ {environment}: {{}} }}\n"
        );
        self.scene.write("integrations/counts.yaml", &text);
    }

    pub fn pin(&self) -> String {
        format!("org_id: {}", self.scene.org().org_id())
    }

    /// Connects in the browser, to the end.
    #[track_caller]
    pub fn connect(&self) -> Ran {
        let log_in = self.start(&["orgs", "connect", "acme"]);
        let location = self.scene.org().authorize(&log_in.address, USER, true).unwrap();
        let page = log_in.visit(&location);
        assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
        log_in.ends().exits(0)
    }

    /// Begins a log-in, as far as the address.
    #[track_caller]
    pub fn start(&self, arguments: &[&str]) -> LogIn {
        LogIn::start(self, &[arguments, &["--no-browser"]].concat())
    }

    /// Token calls so far, by their status.
    pub fn renewals(&self) -> Vec<u16> {
        self.scene.org().calls().iter().filter(|c| c.path == "/services/oauth2/token").map(|c| c.status).collect()
    }
}

/// A log-in that waits for a person.
pub struct LogIn {
    child: Child,
    err: BufReader<std::process::ChildStderr>,
    seen: String,
    /// What the person opens.
    pub address: String,
    port: u16,
}

impl LogIn {
    #[track_caller]
    fn start(place: &Place, arguments: &[&str]) -> Self {
        let mut command = place.scene.command(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let err = BufReader::new(child.stderr.take().unwrap());
        let mut log_in = Self { child, err, seen: String::new(), address: String::new(), port: place.port };
        while log_in.address.is_empty() {
            let line = log_in.line();
            if line.trim().starts_with("http") {
                log_in.address = line.trim().to_owned();
            }
        }
        log_in
    }

    /// The next line of its messages.
    #[track_caller]
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        let read = self.err.read_line(&mut line).unwrap();
        self.seen.push_str(&line);
        assert!(read > 0, "it has ended: {}", self.seen);
        line
    }

    /// A browser's visit to an address of this machine: the whole answer.
    pub fn visit(&self, location: &str) -> String {
        get(self.port, location).unwrap()
    }

    /// Ends it as SIGKILL does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    #[track_caller]
    pub fn ends(mut self) -> Ran {
        self.err.read_to_string(&mut self.seen).unwrap();
        let mut out = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        Ran { code, out, err: self.seen }
    }
}

/// GET of an address at `http://localhost:PORT`, as a browser asks.
pub fn get(port: u16, location: &str) -> std::io::Result<String> {
    let path = location.split_once(&format!("localhost:{port}")).map_or(location, |(_, path)| path);
    ask(port, "GET", path, &format!("localhost:{port}"))
}

pub fn ask(port: u16, method: &str, path: &str, host: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// Compares what was said with `golden/NAME.txt`, word by word; `FOOTBRIDGE_BLESS=1` writes it anew.
#[track_caller]
pub fn golden(name: &str, scene: &Scene, ran: &Ran) {
    let said = format!("exit code {}\n\n{}{}", ran.code, ran.out, ran.err);
    golden_text(&format!("{name}.txt"), &said.replace(&scene.org().url(), "http://127.0.0.1:PORT"));
}

/// The same with a file's text.
#[track_caller]
pub fn golden_text(name: &str, text: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/orgs/golden").join(name);
    if std::env::var_os("FOOTBRIDGE_BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    if expected != text {
        let difference = footbridge::difference::unified(&expected, text, 3);
        panic!("{name} differs (FOOTBRIDGE_BLESS=1 accepts it):\n{difference}");
    }
}

/// An address with one of its parameters changed.
pub fn with_parameter(location: &str, name: &str, value: &str) -> String {
    let mut url = url::Url::parse(location).unwrap();
    let mut pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    pairs.iter_mut().filter(|(key, _)| key == name).for_each(|(_, v)| *v = value.to_owned());
    url.query_pairs_mut().clear().extend_pairs(pairs);
    url.into()
}

pub fn parameter(location: &str, name: &str) -> String {
    let url = url::Url::parse(location).unwrap();
    url.query_pairs().find(|(key, _)| key == name).unwrap_or_else(|| panic!("no {name} in {location}")).1.into_owned()
}
