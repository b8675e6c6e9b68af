//! What goes wrong between here and Salesforce, through the real binary: every record's end is told and true, whatever fails.

mod exit_codes;
mod hostile;
mod killing;
mod leaks;
mod ledgers;
mod log_ins;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use footbridge::emulator::{self, PageSize};
use serde_json::{Map, Value, json};

use crate::scene::{Ran, Scene};

/// Longer than anything here may take, however busy the machine is.
const DEADLINE: Duration = Duration::from_secs(120);

/// Polls until it holds.
#[track_caller]
pub fn until(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !holds() {
        assert!(Instant::now() < end, "never: {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// A process under way, with its output in files, so that no pipe can hold it up.
pub struct Running {
    child: Child,
    out: PathBuf,
    err: PathBuf,
    began: Instant,
}

impl Running {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn signal(&self, name: &str) {
        let sent = std::process::Command::new("kill").arg(format!("-{name}")).arg(self.pid().to_string()).status();
        assert!(sent.unwrap().success());
    }

    pub fn running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Its end, by itself and in time.
    #[track_caller]
    pub fn ends(mut self) -> Ran {
        let code = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status.code().unwrap_or(-1);
            }
            if self.began.elapsed() > DEADLINE {
                self.child.kill().unwrap();
                panic!("it does not end by itself");
            }
            std::thread::park_timeout(Duration::from_millis(5));
        };
        let read = |path| String::from_utf8(std::fs::read(path).unwrap()).unwrap();
        Ran { code, out: read(self.out), err: read(self.err) }
    }
}

/// Records by id, each with the fields that are mapped.
pub type State = BTreeMap<String, (Value, Value)>;

/// An integration over some leads, whose notes and counts are all to change.
pub struct Job {
    pub scene: Scene,
    pub name: &'static str,
    outputs: std::cell::Cell<u32>,
    seen: std::cell::RefCell<BTreeSet<PathBuf>>,
}

/// A run log with its outcomes.
pub struct Log {
    pub run: Value,
    pub records: Vec<Value>,
}

impl Log {
    /// `updated, failed, drifted, not_attempted, unknown`.
    pub fn ends(&self) -> [u64; 5] {
        ["updated", "failed", "drifted", "not_attempted", "unknown"].map(|name| count(&self.run["records"], name))
    }

    pub fn exit(&self) -> &str {
        self.run["exit"].as_str().unwrap()
    }
}

fn count(ledger: &Value, name: &str) -> u64 {
    ledger[name].as_u64().unwrap_or_else(|| panic!("no {name} in {ledger}"))
}

pub fn address(n: usize) -> String {
    format!("l{n:03}@leads.example")
}

fn lead(n: usize) -> String {
    format!(
        "      - {{ FirstName: F{n}, LastName: L{n}, Company: C, Email: {}, WalkMe_Note__c: old {n} }}\n",
        address(n)
    )
}

impl Job {
    /// So many leads; read by `lookup` or `query`; logged in by client credentials.
    pub fn new(leads: usize, read: &str) -> Self {
        Self::with(leads, read, "")
    }

    /// The same with more in the seed.
    pub fn with(leads: usize, read: &str, more: &str) -> Self {
        Self::paged(leads, read, more, PageSize::Fixed(4))
    }

    /// The same, read in pages of this size.
    pub fn paged(leads: usize, read: &str, more: &str, page_size: PageSize) -> Self {
        let mut seed = format!(
            "org: {{ sandbox: true }}\n{more}objects:\n  Lead:\n    fields:\n      - {{ name: WalkMe_Note__c, type: text, length: 80 }}\n      \
             - {{ name: WalkMe_Count__c, type: number, precision: 18, scale: 0 }}\n    records:\n"
        );
        (0..leads).for_each(|n| seed.push_str(&lead(n)));
        let settings = emulator::Settings { page_size, ..Default::default() };
        let mut scene = Scene::with(emulator::Options { seed_texts: vec![seed], settings, ..Default::default() });
        let credentials = scene.org().credentials();
        scene.set("CLIENT_SECRET", &credentials.client_secret);
        scene.reach("sandbox", &client_credentials(&credentials.client_id));
        scene.write(
            "integrations/notes.yaml",
            &format!(
                "footbridge: 1\nkind: integration\nname: notes\norg: acme\nreport: {{ name: Notes, source: exports/notes.csv }}\nobject: Lead\n\
                 match: {{ column: User ID, field: Email }}\nfields:\n  WalkMe_Note__c: Note\n  WalkMe_Count__c: Count\nread: {read}\n\
                 environments:\n  sandbox: {{}}\n"
            ),
        );
        let mut report = String::from("User ID,Note,Count\n");
        (0..leads).for_each(|n| report.push_str(&format!("{},new {n},{n}\n", address(n))));
        report.push_str("nobody@leads.example,x,1\n,x,1\n");
        scene.write("exports/notes.csv", &report);
        Self { scene, name: "notes", outputs: 0.into(), seen: Default::default() }
    }

    pub fn org(&self) -> &emulator::Emulator {
        self.scene.org()
    }

    #[track_caller]
    pub fn faults(&self, script: &str) {
        self.org().faults(script).unwrap();
    }

    pub fn start(&self, arguments: &[&str]) -> Running {
        self.start_command(self.scene.command(arguments))
    }

    pub fn start_command(&self, mut command: std::process::Command) -> Running {
        self.outputs.set(self.outputs.get() + 1);
        let file = |kind: &str| self.scene.path(&format!("printed-{}.{kind}", self.outputs.get()));
        let (out, err) = (file("out"), file("err"));
        command.stdout(std::fs::File::create(&out).unwrap()).stderr(std::fs::File::create(&err).unwrap());
        let child = command.stdin(Stdio::null()).spawn().unwrap();
        Running { child, out, err, began: Instant::now() }
    }

    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.start(arguments).ends()
    }

    #[track_caller]
    pub fn apply(&self) -> Ran {
        self.run(&["apply", self.name, "--yes"])
    }

    #[track_caller]
    pub fn resume(&self) -> Ran {
        self.run(&["apply", "--resume"])
    }

    /// What the org's records hold.
    pub fn state(&self) -> State {
        let records = self.org().records("Lead");
        records.iter().map(|r| (id(r), (r["WalkMe_Note__c"].clone(), r["WalkMe_Count__c"].clone()))).collect()
    }

    /// What they are to hold.
    pub fn wanted(&self) -> State {
        let records = self.org().records("Lead");
        let digits = |email: &str| email[1..].split('@').next().unwrap().parse::<u64>().unwrap();
        let number = |r: &Map<String, Value>| digits(r["Email"].as_str().unwrap());
        records.iter().map(|r| (id(r), (json!(format!("new {}", number(r))), json!(number(r) as f64)))).collect()
    }

    pub fn ids(&self) -> Vec<String> {
        self.org().records("Lead").iter().map(id).collect()
    }

    fn logs(&self) -> BTreeSet<PathBuf> {
        let mut found = BTreeSet::new();
        walk(&self.scene.path("runs"), &mut |path| {
            if path.extension().is_some_and(|e| e == "yaml") {
                found.insert(path);
            }
        });
        found
    }

    /// The run log that was written since the last look. Its ledgers add up.
    #[track_caller]
    pub fn log(&self) -> Log {
        let all = self.logs();
        let fresh: Vec<PathBuf> = all.difference(&self.seen.borrow()).cloned().collect();
        let [path] = fresh.as_slice() else { panic!("one new run log, not {fresh:?}") };
        *self.seen.borrow_mut() = all;
        let run: Value = serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let lines = std::fs::read_to_string(path.with_extension("records.jsonl")).unwrap();
        let lines = lines.lines().map(|l| serde_json::from_str::<Value>(l).unwrap());
        let records: Vec<Value> = lines.filter_map(|l| l.get("record").cloned()).collect();
        for (ledger, whole) in [("rows", "rows"), ("cells", "cells"), ("records", "records")] {
            let counts = run[ledger].as_object().unwrap();
            let parts: u64 = counts.iter().filter(|(name, _)| *name != whole).map(|(_, n)| n.as_u64().unwrap()).sum();
            assert_eq!(parts, count(&run[ledger], whole), "{ledger} of {run}");
        }
        assert_eq!(records.len() as u64, count(&run["records"], "records"), "a line for every planned record");
        let log = Log { run, records };
        for (name, told) in ["updated", "failed", "drifted", "not_attempted", "unknown"].iter().zip(log.ends()) {
            assert_eq!(log.records.iter().filter(|r| r["outcome"] == *name).count() as u64, told, "{name}");
        }
        log
    }

    /// No run log was written since the last look.
    #[track_caller]
    pub fn no_log(&self) {
        assert_eq!(self.logs(), *self.seen.borrow());
    }

    /// The ends that the log tells, held against the org.
    #[track_caller]
    pub fn agrees(&self, log: &Log, before: &State) {
        let (now, wanted) = (self.state(), self.wanted());
        for line in &log.records {
            let id = line["record"].as_str().unwrap();
            let (was, is, goal) = (&before[id], &now[id], &wanted[id]);
            match line["outcome"].as_str().unwrap() {
                "updated" => assert_eq!(is, goal, "updated {id}"),
                "failed" | "not_attempted" => assert_eq!(is, was, "{line}"),
                "drifted" => assert_ne!(is, goal, "drifted {id}"),
                _ => {}
            }
        }
    }

    /// How often each record's update reached the org, answered or not.
    pub fn sent(&self) -> BTreeMap<String, usize> {
        let mut sent = BTreeMap::new();
        for call in self.org().calls().iter().filter(|c| c.method == "PATCH" && (c.status == 200 || c.status == 0)) {
            let body: Value = serde_json::from_str(&call.request_body).unwrap();
            for record in body["records"].as_array().unwrap() {
                *sent.entry(record["id"].as_str().unwrap().to_owned()).or_insert(0) += 1;
            }
        }
        sent
    }

    pub fn journals(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        walk(&self.scene.path(".footbridge"), &mut |path| {
            if path.extension().is_some_and(|e| e == "journal") {
                found.push(path);
            }
        });
        found
    }
}

pub fn client_credentials(client_id: &str) -> String {
    format!("{{ flow: client_credentials, client_id: {client_id}, client_secret: \"${{CLIENT_SECRET}}\" }}")
}

fn id(record: &Map<String, Value>) -> String {
    record["Id"].as_str().unwrap().to_owned()
}

/// Every file below a folder.
pub fn walk(folder: &std::path::Path, found: &mut dyn FnMut(PathBuf)) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() { walk(&path, found) } else { found(path) }
    }
}
