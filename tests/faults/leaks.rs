//! No secret that went in comes out: every command with marked secrets, at `-vv`, with errors of all kinds, servers that send secrets back, and bugs.
//! Keys and values of the report stay out of whatever is not a person's terminal.

mod places;
mod refused;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use super::{Job, Running, until};
use crate::scene::Ran;

/// Marks that stand in secrets, one each.
const MARKS: [&str; 10] = [
    "MARKED-TOKEN",
    "MARKED-CLIENT",
    "MARKED-REFRESH",
    "TUFSS0VEIEtFWSBNQVJLRUQ",
    "MARKED-PASSWORD",
    "MARKED-PASSPHRASE",
    "MARKED-REPORT",
    "MARKED-HOOK",
    "MARKED-GITHUB",
    "MARKED-REMOTE",
];

const TOKEN: &str = "{ flow: access_token, token: \"${ORG_TOKEN}\" }";
const CLIENT: &str = "{ flow: client_credentials, client_id: app, client_secret: \"${CLIENT_SECRET}\" }";
const REFRESH: &str =
    "{ flow: refresh_token, client_id: app, client_secret: \"${CLIENT_SECRET}\", refresh_token: \"${REFRESH_TOKEN}\" }";
const BROWSER: &str = "{ flow: browser, client_id: app, client_secret: \"${CLIENT_SECRET}\", callback: 'http://localhost:PORT/OauthRedirect' }";
const SF: &str = "{ flow: sf_cli, auth_url: \"${SFDX_AUTH_URL}\" }";
const KEY: &str = "{ flow: jwt, client_id: app, username: admin@emulator.example, private_key: \"${KEY}\" }";

/// What git and `sf` were called with, each time that the program called them.
const CALLED: &str = "called.log";

/// Commands that serve an org of their own, and end when they are told to or after a while: run by
/// [`no_secret_comes_out_of_an_org_of_its_own`].
const APART: [&str; 2] = ["demo", "emulator"];

/// Every other command, as far as it can be run without a person.
fn commands(record: &str) -> Vec<Vec<&str>> {
    [
        &["validate", "-vv"] as &[&str],
        &["validate", "--online", "-vv"],
        &["validate", "--online", "--json"],
        &["plan", "notes", "-vv"],
        &["plan", "notes", "--json", "-vv"],
        &["plan", "notes", "--format", "markdown", "--full"],
        &["plan", "notes", "--format", "html", "-vv"],
        &["plan", "notes", "--out", "p.plan", "-vv"],
        &["show", "p.plan", "-vv"],
        &["apply", "notes", "--yes", "-vv"],
        &["apply", "p.plan", "--yes", "-vv"],
        &["apply", "--resume", "-vv"],
        &["apply", "notes", "--yes", "--json"],
        &["due", "-vv"],
        &["status", "--json", "-vv"],
        &["apply", "--due", "--yes", "-vv"],
        &["apply", "--all", "--yes", "-vv"],
        &["runs", "-vv"],
        &["runs", "show", "notes", "-vv"],
        &["runs", "show", "notes", "--json"],
        &["runs", "show", "notes", "--rows"],
        &["runs", "diff", "notes", "notes", "--json"],
        &["runs", "prune", "--keep", "1d", "--dry-run", "-vv"],
        &["blame", "00Q000000000001", "-vv"],
        &["drift", "notes", "-vv"],
        &["drift", "--json"],
        &["undo", "notes", "--out", "u.plan", "-vv"],
        &["undo", "notes", "--yes", "-vv"],
        &["report", "--out", "public", "-vv"],
        &["request", "notes", "-vv"],
        &["unlock", "-vv"],
        &["unlock", "notes", "--force", "-vv"],
        &["ci", "comment", "review.md", "-vv"],
        &["ci", "init", "github", "-vv"],
        &["schema", "--write", "-vv"],
        &["schema", "--check", "-vv"],
        &["explain", "FB0501", "-vv"],
        &["init", "fresh", "-vv"],
        &["orgs", "connect", "acme", "--no-browser", "--wait", "1", "-vv"],
        &["orgs", "connect", "acme", "--no-browser", "--wait", "1", "--json", "-vv"],
        &["orgs", "pin", "acme", "--env", "sandbox", "--no-browser", "--wait", "1", "-vv"],
        &["orgs", "list", "-vv"],
        &["orgs", "list", "--json"],
        &["orgs", "probe", "acme", "-vv"],
        &["orgs", "probe", "acme", "--json", "-vv"],
        &["orgs", "probe", "acme", "--record", record, "--yes", "--out", "probes/p.yaml", "-vv"],
        &["orgs", "probe", "acme", "--restore", "-vv"],
        &["orgs", "check", "acme", "-vv"],
        &["orgs", "check", "acme", "--json", "-vv"],
        &["orgs", "check", "acme", "--write", "metadata", "-vv"],
        &["orgs", "app", "acme", "-vv"],
        &["orgs", "app", "acme", "--json", "-vv"],
        &["orgs", "app", "acme", "--contact", "admin@acme.example", "--write", "metadata", "-vv"],
        &["orgs", "disconnect", "acme", "-vv"],
        &["runs", "prune", "--keep-last", "1", "--yes", "-vv"],
    ]
    .map(<[&str]>::to_vec)
    .to_vec()
}

/// Every command that the program's help names, with its subcommands.
fn named_by_help(path: &[String], found: &mut Vec<Vec<String>>) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_footbridge"));
    let said = command.args(path).arg("--help").env_clear().output().unwrap();
    assert!(said.status.success(), "{path:?}");
    let help = String::from_utf8(said.stdout).unwrap();
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let listed = listed.filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
    for name in listed.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help") {
        let inner = [path, &[name.to_owned()]].concat();
        found.push(inner.clone());
        named_by_help(&inner, found);
    }
}

#[test]
fn every_command_of_the_program_is_run_here() {
    let mut found = Vec::new();
    named_by_help(&[], &mut found);
    assert!(found.len() > 25, "help is read wrongly: {found:?}");
    let listed = commands("");
    for path in &found {
        let run = listed.iter().any(|arguments| path.iter().eq(arguments.iter().take(path.len())));
        assert!(run || APART.contains(&path.join(" ").as_str()), "no secret was looked for in `{}`", path.join(" "));
    }
    for apart in APART {
        assert!(found.iter().any(|path| path.join(" ") == apart), "{apart}");
    }
}

struct Marked {
    job: Job,
    /// Secrets of the emulator that are not marked, as they are made by it.
    issued: Vec<String>,
    /// Ahead of everything else on the path: what calls git and `sf`, and notes it.
    called: tempfile::TempDir,
    /// A person's log-in, which `orgs disconnect` would end.
    person: bool,
    /// What was searched already, and for how many secrets.
    searched: std::cell::RefCell<Searched>,
}

/// Files as they were, and how many calls.
#[derive(Default)]
struct Searched {
    secrets: usize,
    files: BTreeMap<std::path::PathBuf, (std::time::SystemTime, u64, u64)>,
    calls: usize,
}

impl Marked {
    fn new(auth: &str) -> Self {
        Self::with(auth, "")
    }

    /// `app` is added to the seed of the app (YAML).
    fn with(auth: &str, app: &str) -> Self {
        let more = format!(
            "clients:\n  - {{ client_id: app, client_secret: 'MARKED-CLIENT!%+/=', run_as: admin@emulator.example{app} }}\n\
             users:\n  - {{ username: admin@emulator.example, refresh_token: '5Aep!MARKED-REFRESH%+/=' }}\n"
        );
        let mut job = Job::with(6, "lookup", &more);
        let token = job.org().access_token();
        job.scene.set("ORG_TOKEN", &token);
        job.scene.set("CLIENT_SECRET", "MARKED-CLIENT!%+/=");
        job.scene.set("REFRESH_TOKEN", "5Aep!MARKED-REFRESH%+/=");
        job.scene.set("KEY", "-----BEGIN PRIVATE KEY-----\nTUFSS0VEIEtFWSBNQVJLRUQ=\n-----END PRIVATE KEY-----\n");
        job.scene.set("DB_PASSWORD", "MARKED-PASSWORD");
        job.scene.set("SFDX_AUTH_URL", "force://app:MARKED-CLIENT!%+/=:5Aep!MARKED-REFRESH%+/=@acme.my.salesforce.com");
        // Places that nothing reads unless it has to.
        for name in ["GITHUB_TOKEN", "GITLAB_TOKEN", "CI_JOB_TOKEN", "AWS_SECRET_ACCESS_KEY", "PLAN_TOKEN", "HOOK"] {
            job.scene.set(name, &format!("MARKED-PASSWORD-{name}"));
        }
        job.scene.write("review.md", "<!-- footbridge review sandbox -->\nfirst\n");
        job.scene.reach("sandbox", auth);
        let called = tempfile::tempdir().unwrap();
        let path = std::env::var("PATH").unwrap();
        job.scene.set("PATH", &format!("{}:{path}", called.path().display()));
        let marked =
            Self { job, issued: vec![token], called, person: auth.contains("browser"), searched: Default::default() };
        marked.stands_for("git", &format!("PATH='{path}'; export PATH; exec git \"$@\""));
        marked.stands_for("sf", "exit 1");
        marked
    }

    /// What a program does that the command calls (a shell script); its arguments are noted where [`Marked::clean`] looks.
    fn stands_for(&self, program: &str, script: &str) {
        let (file, log) = (self.called.path().join(program), self.job.scene.path(CALLED));
        let text = format!("#!/bin/sh\necho {program} \"$@\" >> '{}'\n{script}\n", log.display());
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Whether that program was called.
    fn called(&self, program: &str) -> bool {
        let log = std::fs::read_to_string(self.job.scene.path(CALLED)).unwrap_or_default();
        log.lines().any(|line| line.split(' ').next() == Some(program))
    }

    /// Faults whose texts may name `TOKEN`, `CLIENT` and `REFRESH`.
    fn faults(&self, script: &str) {
        let text = script
            .replace("TOKEN", &self.issued[0])
            .replace("CLIENT", "MARKED-CLIENT!%+/=")
            .replace("REFRESH", "5Aep!MARKED-REFRESH%+/=")
            .replace("ENCODED", "MARKED-CLIENT%21%25%2B%2F%3D");
        self.job.org().clear_faults();
        self.job.faults(&text);
    }

    fn secrets(&self) -> Vec<&str> {
        let parts = self.issued.iter().flat_map(|t| [t.as_str(), &t[t.find('!').unwrap_or(0)..], &t[t.len() - 20..]]);
        MARKS.into_iter().chain(parts).collect()
    }

    /// Nothing printed, written, shown in the process list or sent in an address holds a secret.
    #[track_caller]
    fn clean(&self, what: &str, ran: &Ran) {
        let secrets = self.secrets();
        for secret in &secrets {
            assert!(!ran.out.contains(secret), "{what}: stdout holds {secret}: {}", ran.out);
            assert!(!ran.err.contains(secret), "{what}: stderr holds {secret}: {}", ran.err);
        }
        let mut searched = self.searched.borrow_mut();
        let calls = self.job.org().calls();
        if searched.secrets != secrets.len() {
            *searched = Searched { secrets: secrets.len(), ..Default::default() };
        }
        super::walk(self.job.scene.root(), &mut |path| {
            use std::os::unix::fs::MetadataExt as _;
            // Where whoever cloned wrote a token.
            if path.ends_with(".git/config") {
                return;
            }
            let about = path.metadata().unwrap();
            let state = (about.modified().unwrap(), about.len(), about.ino());
            if searched.files.insert(path.clone(), state) == Some(state) {
                return;
            }
            let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            for secret in &secrets {
                assert!(!text.contains(secret), "{what}: {} holds {secret}", path.display());
            }
        });
        if calls.len() < searched.calls {
            searched.calls = 0;
        }
        for call in &calls[searched.calls..] {
            let address = format!("{} {:?} {:?}", call.path, call.query, call.headers);
            for secret in &secrets {
                assert!(!address.contains(secret), "{what}: {address}");
                let rest = call.path.starts_with("/services/data/");
                assert!(!rest || !call.request_body.contains(secret), "{what}: {}", call.request_body);
            }
        }
        searched.calls = calls.len();
    }

    #[track_caller]
    fn run(&self, what: &str, arguments: &[&str]) -> Ran {
        let ran = self.job.run(arguments);
        self.clean(&format!("{what}: {arguments:?}"), &ran);
        ran
    }

    /// Every command that reads the repository.
    #[track_caller]
    fn every_command(&self, what: &str) {
        let record = self.job.ids()[0].clone();
        for arguments in commands(&record) {
            if self.person && arguments.starts_with(&["orgs", "disconnect"]) {
                continue;
            }
            self.run(what, &arguments);
        }
        for folder in ["fresh", "metadata", "public", ".github"] {
            let _ = std::fs::remove_dir_all(self.job.scene.path(folder));
        }
    }
}

/// A log-in that waits for a person.
struct Waiting {
    child: std::process::Child,
    err: std::io::BufReader<std::process::ChildStderr>,
    said: String,
    /// What the person opens.
    address: String,
}

impl Waiting {
    #[track_caller]
    fn start(marked: &Marked, arguments: &[&str]) -> Self {
        let mut command = marked.job.scene.command(arguments);
        let mut child =
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
        let err = std::io::BufReader::new(child.stderr.take().unwrap());
        let mut log_in = Self { child, err, said: String::new(), address: String::new() };
        while !log_in.address.starts_with("http") {
            log_in.address = log_in.line();
        }
        log_in
    }

    /// The next line of its messages.
    #[track_caller]
    fn line(&mut self) -> String {
        use std::io::BufRead as _;
        let from = self.said.len();
        assert!(self.err.read_line(&mut self.said).unwrap() > 0, "it has ended: {}", self.said);
        self.said[from..].trim().to_owned()
    }

    /// Its end; `page` is what the browser was shown, which counts as printed.
    fn ends(mut self, page: &str) -> Ran {
        use std::io::Read as _;
        self.err.read_to_string(&mut self.said).unwrap();
        let mut out = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        Ran { code, out: format!("{out}{page}"), err: self.said }
    }
}

#[test]
fn no_secret_comes_out_when_all_goes_well() {
    for auth in [TOKEN, CLIENT, REFRESH, SF] {
        let marked = Marked::new(auth);
        marked.every_command(auth);
        assert!(marked.called("git"), "no command line of a program that was called");
        let updates = marked.job.org().calls().into_iter().filter(|c| c.method == "PATCH" && c.status == 200).count();
        // The log-in of `sf` is one to another place.
        assert!(updates > 0 || auth == SF, "{auth} does not log in");
    }
}

/// A person's log-in: its code, its tokens and the key of the store are secrets that only the emulator and the encrypted file know.
#[test]
fn no_secret_of_a_persons_log_in_comes_out() {
    let port = crate::orgs::free_port();
    let browser = BROWSER.replace("PORT", &port.to_string());
    let mut marked =
        Marked::with(&browser, &format!(", rotation: true, callbacks: ['http://localhost:{port}/OauthRedirect']"));
    // Not a passphrase, which takes a while each time; one comes at the end.
    let identity = footbridge::vault::Key::generate().1.expose().to_owned();
    marked.job.scene.set("FOOTBRIDGE_KEY", &identity);
    marked.issued.push(identity.clone());
    let user = "admin@emulator.example";
    for arguments in [
        &["orgs", "connect", "acme", "--no-browser", "-vv"] as &[&str],
        &["orgs", "pin", "acme", "--env", "sandbox", "--no-browser", "-vv", "--json"],
    ] {
        let log_in = Waiting::start(&marked, arguments);
        let location = marked.job.org().authorize(&log_in.address, user, true).unwrap();
        marked.issued.push(crate::orgs::parameter(&location, "code"));
        let page = crate::orgs::get(port, &location).unwrap();
        let ran = log_in.ends(&page).exits(0);
        let tokens = marked.job.org().tokens();
        marked.issued.extend(tokens);
        marked.clean("connected", &ran);
    }
    marked.every_command("connected");
    marked.job.org().revoke_sessions();
    marked.every_command("renewed");
    let tokens = marked.job.org().tokens();
    marked.issued.extend(tokens);
    for script in [
        "- on: { path: oauth2/token, times: 0 }\n  action: { html: { code: 500, text: 'CLIENT ENCODED' } }\n",
        "- on: { path: oauth2/revoke, times: 0 }\n  action: { html: { code: 500, text: 'CLIENT TOKEN' } }\n",
    ] {
        marked.faults(script);
        marked.job.org().revoke_sessions();
        marked.run(script, &["plan", "notes", "-vv"]);
        marked.run(script, &["orgs", "disconnect", "acme", "-vv"]);
    }
    marked.job.org().clear_faults();
    for key in ["AGE-SECRET-KEY-1MARKED-PASSPHRASE", "MARKED-PASSPHRASE of others"] {
        marked.job.scene.set("FOOTBRIDGE_KEY", key);
        for arguments in
            [&["plan", "notes", "-vv"] as &[&str], &["orgs", "list", "-vv"], &["orgs", "connect", "acme", "-vv"]]
        {
            assert_eq!(marked.run("another key", arguments).code, 7);
        }
    }
    marked.job.scene.set("FOOTBRIDGE_KEY", &identity);
    marked.run("forgotten", &["orgs", "disconnect", "acme", "--force", "-vv"]);
}

#[test]
fn no_secret_comes_out_of_servers_that_send_it_back() {
    let late = format!("{}TOKEN", "x".repeat(1_950));
    let echoes = [
        // The log-in.
        (
            CLIENT,
            "- on: { path: oauth2/token, times: 0 }\n  action: { status: { code: 400, body: '{\"error\":\"CLIENT\",\"error_description\":\"CLIENT ENCODED\"}' } }\n",
        ),
        (
            CLIENT,
            "- on: { path: oauth2/token, times: 0 }\n  action: { html: { code: 500, text: 'grant_type=x&client_secret=ENCODED CLIENT' } }\n",
        ),
        (
            CLIENT,
            "- on: { path: oauth2/token, times: 0 }\n  action: { status: { code: 200, body: '{\"access\":\"CLIENT\"}' } }\n",
        ),
        (
            CLIENT,
            "- on: { path: oauth2/token, times: 0 }\n  action: { status: { code: 200, body: '{\"access_token\":[\"TOKEN\"]}' } }\n",
        ),
        (
            CLIENT,
            "- on: { path: oauth2/token, times: 0 }\n  action: { status: { code: 302, headers: { Location: 'https://x.example/?s=ENCODED' } } }\n",
        ),
        (
            REFRESH,
            "- on: { path: oauth2/token, times: 0 }\n  action: { status: { code: 400, body: '{\"error\":\"invalid_grant\",\"error_description\":\"REFRESH CLIENT\"}' } }\n",
        ),
        (
            REFRESH,
            "- on: { path: oauth2/token, times: 0 }\n  action: { html: { code: 200, text: 'REFRESH CLIENT' } }\n",
        ),
        // The calls: as code, message and field name, in a page, on the edge of what is kept.
        (
            TOKEN,
            "- on: { path: describe, times: 0 }\n  action: { error: { status: 400, code: TOKEN, message: 'sent TOKEN' } }\n",
        ),
        (
            TOKEN,
            "- on: { path: describe, times: 0 }\n  action: { status: { code: 400, body: '[{\"message\":\"m\",\"errorCode\":\"INVALID_FIELD\",\"fields\":[\"TOKEN\"]}]' } }\n",
        ),
        (
            TOKEN,
            "- on: { path: 'query?q=', times: 0 }\n  action: { html: { code: 503, text: 'Authorization Bearer TOKEN' } }\n",
        ),
        (
            TOKEN,
            "- on: { path: 'query?q=', times: 0 }\n  action: { status: { code: 401, body: '[{\"message\":\"LATE\",\"errorCode\":\"INVALID_SESSION_ID\"}]' } }\n",
        ),
        (TOKEN, "- on: { path: userinfo, times: 0 }\n  action: { html: { code: 403, text: TOKEN } }\n"),
        (
            TOKEN,
            "- on: { path: composite/sobjects/Lead, times: 0 }\n  action: { error: { status: 400, code: MALFORMED_QUERY, message: 'LATE' } }\n",
        ),
        (
            TOKEN,
            "- on: { method: PATCH, times: 0 }\n  action: { error: { status: 400, code: JSON_PARSER_ERROR, message: 'sent TOKEN' } }\n",
        ),
        (TOKEN, "- on: { method: PATCH, times: 0 }\n  action: { html: { code: 500, text: 'TOKEN' } }\n"),
        (
            TOKEN,
            "- on: { method: PATCH, times: 0 }\n  action: { record_error: { code: FIELD_CUSTOM_VALIDATION_EXCEPTION, message: 'sent TOKEN', fields: [TOKEN] } }\n",
        ),
        (TOKEN, "- on: { method: PATCH, times: 0 }\n  action: { record_error: { code: TOKEN, message: LATE } }\n"),
    ];
    for (auth, script) in echoes {
        let marked = Marked::new(auth);
        marked.faults(&script.replace("LATE", &late));
        let record = marked.job.ids()[0].clone();
        for arguments in [
            &["validate", "--online", "-vv"] as &[&str],
            &["plan", "notes", "-vv"],
            &["apply", "notes", "--yes", "-vv"],
            &["apply", "notes", "--yes", "--json"],
            &["runs", "show", "notes"],
            &["orgs", "probe", "acme", "--record", &record, "--yes", "--out", "probes/p.yaml", "-vv"],
            &["orgs", "probe", "acme", "--restore", "-vv"],
            &["orgs", "check", "acme", "-vv"],
        ] {
            marked.run(script, arguments);
        }
    }
}

#[test]
fn no_secret_comes_out_of_failures() {
    let expired = Marked::new(TOKEN);
    expired.job.org().revoke_sessions();
    expired.every_command("expired");
    // A key that is none.
    Marked::new(KEY).every_command("bad key");
    for script in [
        "- on: { times: 0 }\n  action: cut_before\n",
        "- on: { times: 0, path: /services/data }\n  action: limit_exceeded\n",
        "- on: { times: 0, path: /services/data }\n  action: { truncate: 30 }\n",
    ] {
        let marked = Marked::new(CLIENT);
        marked.faults(script);
        marked.every_command(script);
    }
}

#[test]
fn no_secret_comes_out_of_bugs() {
    for stage in ["start", "planned", "sending"] {
        for auth in [TOKEN, REFRESH] {
            let mut marked = Marked::new(auth);
            marked.job.scene.set("FOOTBRIDGE_PANIC", stage);
            marked.job.scene.set("RUST_BACKTRACE", "full");
            marked.run(stage, &["apply", "notes", "--yes", "-vv"]).exits(70);
            marked.every_command(stage);
        }
    }
}

#[test]
fn a_secret_that_is_written_out_is_refused_and_not_repeated() {
    let marked = Marked::new(TOKEN);
    let orgs = marked.job.scene.read("integrations/orgs.yaml");
    let secret = "00D000000000001!AQ.WRITTEN.OUT.SECRET.TOKEN.abcdefghijklmnop";
    marked.job.scene.write("integrations/orgs.yaml", &orgs.replace("${ORG_TOKEN}", secret));
    for arguments in [&["validate", "-vv"] as &[&str], &["plan", "notes", "--json"]] {
        marked.job.run(arguments).exits(3).never_says("WRITTEN.OUT.SECRET");
    }
}

#[test]
fn no_secret_is_in_the_process_list_or_left_by_a_kill() {
    let marked = Marked::new(REFRESH);
    marked.job.faults("- on: { method: PATCH }\n  action: { delay: 100000 }\n");
    let running: Running = marked.job.start(&["apply", "notes", "--yes", "-vv"]);
    until("the call", || marked.job.org().held() == 1);
    let line =
        String::from_utf8_lossy(&std::fs::read(format!("/proc/{}/cmdline", running.pid())).unwrap()).into_owned();
    for secret in marked.secrets() {
        assert!(!line.contains(secret), "{line}");
    }
    running.kill();
    let nothing = Ran { code: 0, out: String::new(), err: String::new() };
    marked.clean("killed", &nothing);
    marked.job.org().clear_faults();
    marked.run("resumed", &["apply", "--resume", "-vv"]).exits(0);
}

/// Report keys and values, and the org's: in the plan file, and (with the plan's copy) below `.footbridge/`; nowhere else.
#[test]
fn keys_and_values_stay_out_of_everything_that_is_not_a_terminal() {
    let job = Job::new(6, "lookup");
    let before = job.org().records("Lead")[0].clone();
    assert_eq!(before["WalkMe_Note__c"], json!("old 0"));
    let report: String = (0..6)
        .map(|n| format!("{},VALUEMARK {n},{}\n", super::address(n), 770_001 + n))
        .chain(["stranger@keymark.example,VALUEMARK,1\n".to_owned(), format!("{},x,VALUEMARK\n", super::address(0))])
        .collect();
    job.scene.write("exports/notes.csv", &format!("User ID,Note,Count\n{report}"));
    let hidden = ["VALUEMARK", "keymark", "leads.example", "77000", "old 0", "old 3"];
    let mut printed: BTreeMap<String, String> = BTreeMap::new();
    let mut look = |job: &Job, arguments: &[&str]| {
        let ran = job.run(arguments);
        printed.insert(arguments.join(" "), format!("{}\n{}", ran.out, ran.err));
    };
    look(&job, &["plan", "notes", "-vv", "--full"]);
    look(&job, &["plan", "notes", "--json", "-vv"]);
    look(&job, &["plan", "notes", "--format", "markdown", "--full"]);
    look(&job, &["plan", "notes", "--out", "p.plan"]);
    look(&job, &["orgs", "check", "acme", "-vv"]);
    look(&job, &["orgs", "check", "acme", "--json", "-vv"]);
    look(&job, &["show", "p.plan", "--full"]);
    look(&job, &["show", "p.plan", "--json"]);
    // Salesforce's words repeat what they were sent.
    let first = job.ids()[1].clone();
    job.faults(&format!(
        "- on: {{ method: PATCH }}\n  action: {{ record_error: {{ id: {first}, code: STRING_TOO_LONG, message: 'Note: data value too large: VALUEMARK 1 (max length=3)', fields: [WalkMe_Note__c] }} }}\n\
         - on: {{ method: PATCH }}\n  action: {{ record_error: {{ nth: 2, code: CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY, message: 'trigger: l002@leads.example has VALUEMARK 2' }} }}\n"
    ));
    look(&job, &["apply", "notes", "--yes", "-vv", "--full"]);
    job.org().clear_faults();
    // Whole calls that are refused in such words.
    for on in ["path: describe", "path: 'query?q='", "path: composite/sobjects/Lead"] {
        job.org().clear_faults();
        job.faults(&format!(
            "- on: {{ {on} }}\n  action: {{ error: {{ status: 400, code: INVALID_FIELD, message: 'nothing like that' }} }}\n"
        ));
        look(&job, &["apply", "notes", "--yes", "-vv"]);
        look(&job, &["orgs", "check", "acme", "-vv"]);
    }
    job.org().clear_faults();
    look(&job, &["apply", "notes", "--yes", "--json", "-vv"]);
    look(&job, &["runs", "--json"]);
    look(&job, &["runs", "show", "notes"]);
    look(&job, &["runs", "show", "notes", "--json"]);
    look(&job, &["orgs", "probe", "acme", "--record", &first, "--yes", "--out", "runs/probe.yaml", "-vv"]);
    for (what, text) in &printed {
        for value in hidden {
            assert!(!text.contains(value), "{what} prints {value}:\n{text}");
        }
    }
    super::walk(&job.scene.path("runs"), &mut |path| {
        let text = std::fs::read_to_string(&path).unwrap();
        for value in hidden {
            assert!(!text.contains(value), "{} holds {value}:\n{text}", path.display());
        }
    });
    assert!(job.scene.read("p.plan").contains("VALUEMARK"), "the plan file has to hold them");
    assert_eq!(job.scene.path("p.plan").metadata().unwrap().permissions().mode() & 0o777, 0o600);
}
