//! The schedule through the real binary, with a clock that the test sets: what is due, several at once, what is handed over and told.

mod broken;
mod due;
mod handing_over;
pub mod hooks;
mod notices;
mod side;
mod status;
mod windows;

use std::process::{Child, Stdio};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use crate::job::logs;
use crate::scene::{Ran, Scene};

/// The objects of [`seed`], each with three records, and the field that finds them.
pub const OBJECTS: [(&str, &str); 3] = [("Lead", "Email"), ("Contact", "Email"), ("Case", "Subject")];

/// Leads, contacts and cases with a number and a note each.
pub fn seed() -> String {
    let mut seed = String::from("objects:\n");
    for (object, key) in OBJECTS {
        seed.push_str(&format!(
            "  {object}:\n    fields:\n      - {{ name: Logins__c, label: Logins, type: number, precision: 18, scale: 0 }}\n      - {{ name: Visits__c, label: Visits, type: number, precision: 18, scale: 0 }}\n    records:\n"
        ));
        for n in 0..3 {
            let names = match object {
                "Lead" => format!("LastName: L{n}, Company: C, "),
                "Contact" => format!("LastName: L{n}, "),
                _ => String::new(),
            };
            seed.push_str(&format!("      - {{ {names}{key}: p{n}@example.org, Logins__c: {n} }}\n"));
        }
    }
    seed
}

/// A repository over that org, with its clock at nine in the morning of a Monday.
pub fn scene() -> Scene {
    let mut scene = Scene::seeded(&seed());
    at(&mut scene, "2026-11-23T09:00:00Z");
    scene
}

/// Sets the clock.
pub fn at(scene: &mut Scene, now: &str) {
    scene.set("FOOTBRIDGE_NOW", now);
}

/// Writes an integration with its report: `field` of the object's records becomes the number that `report` says. `more` are lines of the environment.
pub fn integration(scene: &Scene, name: &str, object: &str, field: &str, more: &str) {
    in_environment(scene, name, object, field, "sandbox", more);
}

pub fn in_environment(scene: &Scene, name: &str, object: &str, field: &str, environment: &str, more: &str) {
    let key = OBJECTS.iter().find(|(o, _)| *o == object).unwrap().1;
    let more: String = more.lines().map(|line| format!("    {line}\n")).collect();
    let text = format!(
        "footbridge: 1\nkind: integration\nname: {name}\norg: acme\nreport: {{ name: {name}, source: exports/{name}.csv }}\nobject: {object}\n\
         match: {{ column: Key, field: {key} }}\nfields: {{ {field}: Logins }}\nlints_off: [walkme_prefix, sandbox_first, unused]\nguards: {{ max_refused: 0 }}\n\
         environments:\n  {environment}:\n{more}"
    );
    scene.write(&format!("integrations/{name}.yaml"), &text);
    report(scene, name, 10);
}

/// The report of an integration: each of the three gets this number and its own.
pub fn report(scene: &Scene, name: &str, number: usize) {
    let rows: String = (0..3).map(|n| format!("p{n}@example.org,{}\n", number + n)).collect();
    scene.write(&format!("exports/{name}.csv"), &format!("Key,Logins\n{rows}"));
}

/// The report as of this moment.
pub fn report_of(scene: &Scene, name: &str, moment: &str) {
    let moment: jiff::Timestamp = moment.parse().unwrap();
    let file = std::fs::File::options().append(true).open(scene.path(&format!("exports/{name}.csv"))).unwrap();
    file.set_modified(SystemTime::from(moment)).unwrap();
}

/// What `due` or `status` says of an integration.
pub fn line(scene: &Scene, command: &str, name: &str) -> Value {
    let ran = scene.run(&[command, "--json"]);
    assert!(ran.code < 2, "{ran:?}");
    let view: Value = serde_json::from_str(&ran.out).unwrap();
    let lines = view["integrations"].as_array().unwrap();
    lines.iter().find(|line| line["integration"] == name).cloned().unwrap_or_else(|| panic!("no {name}: {view}"))
}

pub fn state(scene: &Scene, name: &str) -> String {
    line(scene, "due", name)["state"].as_str().unwrap().to_owned()
}

/// `apply --due --yes`.
pub fn apply(scene: &Scene) -> Ran {
    scene.run(&["apply", "--due", "--yes"])
}

/// The logs of an integration, oldest first.
pub fn logs_of(scene: &Scene, name: &str) -> Vec<Value> {
    let mut all = logs(scene);
    all.retain(|log| log["integration"] == name);
    all
}

/// Polls until it holds.
#[track_caller]
pub fn until(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(120);
    while !holds() {
        assert!(Instant::now() < end, "never: {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// A process under way, with its output in files.
pub struct Running {
    child: Child,
    folder: tempfile::TempDir,
}

pub fn start(scene: &Scene, arguments: &[&str]) -> Running {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| Stdio::from(std::fs::File::create(folder.path().join(name)).unwrap());
    let child = scene.command(arguments).stdout(file("out")).stderr(file("err")).spawn().unwrap();
    Running { child, folder }
}

impl Running {
    pub fn stop(&self) {
        let sent = std::process::Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status();
        assert!(sent.unwrap().success());
    }

    pub fn ends(mut self) -> Ran {
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        let read = |name: &str| std::fs::read_to_string(self.folder.path().join(name)).unwrap();
        Ran { code, out: read("out"), err: read("err") }
    }
}
