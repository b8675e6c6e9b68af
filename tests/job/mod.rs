//! The job itself, end to end through the binary: plan, guards, apply, run log, and the second plan that is empty.

mod careful;
mod commands;
mod guards;
mod matching;
mod numbers;
mod options;
mod stale;
mod types;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::scene::Scene;

/// A record's fields.
pub type Record = Map<String, Value>;

/// Writes `integrations/people.yaml`: an integration `people` of `exports/people.csv`, key column `Key`. `more` are further top-level lines.
pub fn integration(scene: &Scene, object: &str, matching: &str, fields: &str, more: &str) {
    let environments = if more.contains("environments:") { "" } else { "environments: { sandbox: {} }\n" };
    let text = format!(
        "footbridge: 1\nkind: integration\nname: people\norg: acme\nreport: {{ name: People, source: exports/people.csv }}\nobject: {object}\n\
         match: {matching}\nfields:\n{fields}\nlints_off: [walkme_prefix, sandbox_first, unused]\n{more}\n{environments}"
    );
    scene.write("integrations/people.yaml", &text);
}

/// One CSV cell, quoted where needed.
pub fn cell(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r', ';']) || text != text.trim() {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// Writes `exports/people.csv`.
pub fn report(scene: &Scene, header: &[&str], rows: &[Vec<&str>]) {
    let line = |cells: &[&str]| cells.iter().map(|c| cell(c)).collect::<Vec<_>>().join(",");
    let mut text = line(header);
    for row in rows {
        text.push('\n');
        text.push_str(&line(row));
    }
    text.push('\n');
    scene.write("exports/people.csv", &text);
}

/// The lines of a plan file, decoded.
pub fn lines(scene: &Scene, plan: &str) -> Vec<Value> {
    scene.read(plan).lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

/// The entries of a plan file.
pub fn entries(scene: &Scene, plan: &str) -> Vec<Value> {
    lines(scene, plan).into_iter().filter_map(|mut l| l.get_mut("entry").map(Value::take)).collect()
}

/// The entries of a plan file as they stand in it.
pub fn body(scene: &Scene, plan: &str) -> Vec<String> {
    scene.read(plan).lines().filter(|l| l.starts_with("{\"entry\"")).map(str::to_owned).collect()
}

/// The summary of a plan file.
pub fn summary(scene: &Scene, plan: &str) -> Value {
    lines(scene, plan).into_iter().find_map(|mut l| l.get_mut("summary").map(Value::take)).unwrap()
}

/// Plans `people` into `people.plan` and gives its entries.
#[track_caller]
pub fn planned(scene: &Scene) -> Vec<Value> {
    scene.run(&["plan", "people", "--out", "people.plan"]).exits(0);
    entries(scene, "people.plan")
}

/// How many rows of `people.plan` ended so.
pub fn outcome(scene: &Scene, name: &str) -> u64 {
    summary(scene, "people.plan")["rows"]["outcomes"][name].as_u64().unwrap()
}

/// Refused cells of an entry: field and code.
pub fn refused(entry: &Value) -> Vec<(&str, &str)> {
    let cells = entry["refused"].as_array().map(Vec::as_slice).unwrap_or_default();
    cells.iter().map(|c| (c["field"].as_str().unwrap(), c["code"].as_str().unwrap())).collect()
}

/// What was sent: the members of each record in the bodies of all PATCH calls, by id.
pub fn sent(scene: &Scene) -> BTreeMap<String, Record> {
    let mut all = BTreeMap::new();
    for call in scene.org().calls().iter().filter(|c| c.method == "PATCH") {
        let body: Value = serde_json::from_str(&call.request_body).unwrap();
        assert_eq!(body["allOrNone"], false);
        for record in body["records"].as_array().unwrap() {
            let mut record = record.as_object().unwrap().clone();
            record.remove("attributes");
            let id = record.remove("id").or_else(|| record.remove("Id")).unwrap();
            assert!(all.insert(id.as_str().unwrap().to_owned(), record).is_none(), "{id} was sent twice");
        }
    }
    all
}

/// Sets an environment's guards and nothing else: for `more` of [`integration`].
pub fn guards(text: &str) -> String {
    format!("guards: {{ {text} }}")
}

/// The one record whose field has this value.
#[track_caller]
pub fn record(scene: &Scene, object: &str, field: &str, value: &str) -> Record {
    let mut found: Vec<Record> = scene.org().records(object).into_iter().filter(|r| r[field] == value).collect();
    assert_eq!(found.len(), 1, "{object} with {field} = {value}");
    found.remove(0)
}

fn walk(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// All run logs, oldest first.
pub fn logs(scene: &Scene) -> Vec<Value> {
    let mut files = Vec::new();
    walk(&scene.path("runs"), &mut files);
    files.retain(|f| f.extension().is_some_and(|e| e == "yaml"));
    let mut logs: Vec<Value> =
        files.iter().map(|f| serde_yaml::from_str(&std::fs::read_to_string(f).unwrap()).unwrap()).collect();
    logs.sort_by_key(turn);
    logs
}

/// By which run logs stand in order: the second in which the run started, and which of that second's it was (`…Z`, `…Z-2`; by bytes alone the second would come before the first).
pub fn turn(log: &Value) -> (String, u64) {
    let id = log["id"].as_str().unwrap();
    let (second, number) = id.split_once("Z-").unwrap_or((id.trim_end_matches('Z'), "1"));
    (second.to_owned(), number.parse().unwrap())
}

/// The newest run log of which this is true.
#[track_caller]
pub fn log(scene: &Scene, exit: &str) -> Value {
    let all = logs(scene);
    all.iter().rev().find(|l| l["exit"] == exit).cloned().unwrap_or_else(|| panic!("no run ended as {exit}: {all:?}"))
}

/// Nothing reached the org's records by a write.
#[track_caller]
pub fn nothing_sent(scene: &Scene) {
    assert_eq!(scene.write_calls(), 0, "nothing may be sent");
}

/// Leads that a seed has: `lead0001@example.org` and so on, with a number each.
pub fn leads(count: usize, number: impl Fn(usize) -> usize) -> String {
    let mut seed = String::from(
        "objects:\n  Lead:\n    fields:\n      - { name: Logins__c, label: Logins, type: number, precision: 18, scale: 0 }\n      - { name: Note__c, label: Note, type: text, length: 80 }\n    records:\n",
    );
    for n in 0..count {
        seed.push_str(&format!(
            "      - {{ LastName: Person {n}, Company: Example, Email: lead{n:05}@example.org, Logins__c: {}, Note__c: same }}\n",
            number(n)
        ));
    }
    seed
}

/// A report on those leads.
pub fn on_leads(scene: &Scene, count: usize, number: impl Fn(usize) -> usize) {
    let mut text = String::from("Key,Logins,Note\n");
    for n in 0..count {
        text.push_str(&format!("lead{n:05}@example.org,{},same\n", number(n)));
    }
    scene.write("exports/people.csv", &text);
}

/// The mapping that goes with those leads.
pub const LEADS: &str = "  Logins__c: Logins\n  Note__c: Note";

/// Match by e-mail address.
pub const BY_EMAIL: &str = "{ column: Key, field: Email }";
