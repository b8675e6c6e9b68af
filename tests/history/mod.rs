//! The history through the binary: filters, differences, blame, drift, pruning, guards against the last run, and ten thousand logs.

mod asking;
mod drift;
mod guards;
mod prune;
mod speed;

use serde_json::Value;

use crate::job::{BY_EMAIL, LEADS, integration, leads, on_leads};
use crate::scene::{Ran, Scene};

/// Twelve leads, and an integration `people` that writes their `Logins__c`. Runs keep no values.
fn scene(more: &str) -> Scene {
    let scene = Scene::seeded(&leads(12, |n| n));
    integration(&scene, "Lead", BY_EMAIL, LEADS, more);
    keeping(&scene, "{ keep: none }");
    scene
}

/// How runs keep their values.
fn keeping(scene: &Scene, values: &str) {
    scene.write("integrations/project.yaml", &format!("footbridge: 1\nkind: project\nvalues: {values}\n"));
}

/// Applies at this moment.
fn apply(scene: &mut Scene, now: &str, more: &[&str]) -> Ran {
    scene.set("FOOTBRIDGE_NOW", now);
    scene.run(&[&["apply", "people", "--yes"], more].concat())
}

/// Days in a row, at nine, with this many logins more for each lead.
fn days(scene: &mut Scene, days: std::ops::RangeInclusive<usize>) {
    for day in days {
        on_leads(scene, 12, |n| n + day);
        apply(scene, &format!("2026-11-{day:02}T09:00:00Z"), &[]).exits(0);
    }
}

/// The id of the lead with this number.
fn lead(scene: &Scene, number: usize) -> String {
    let record = crate::job::record(scene, "Lead", "Email", &format!("lead{number:05}@example.org"));
    record["Id"].as_str().unwrap().to_owned()
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {}", ran.out))
}

/// Does the output fit its schema in `schemas/`?
#[track_caller]
fn fits(schema: &str, value: &Value) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(schema);
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let problems: Vec<String> = validator.iter_errors(value).map(|e| format!("{e} at {}", e.instance_path())).collect();
    assert!(problems.is_empty(), "{problems:?}");
}

/// Compares with `tests/history/golden/<name>.txt`, ids of the org and the repository taken out; `FOOTBRIDGE_BLESS=1` writes it.
#[track_caller]
fn golden(scene: &Scene, name: &str, text: &str) {
    let mut text =
        text.replace(&scene.root().display().to_string(), "ROOT").replace(&scene.org().org_id().to_string(), "ORG");
    for (n, record) in scene.org().records("Lead").iter().enumerate() {
        text = text.replace(record["Id"].as_str().unwrap(), &format!("LEAD{n}"));
    }
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/history/golden").join(format!("{name}.txt"));
    if std::env::var_os("FOOTBRIDGE_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    if expected != text {
        let difference = footbridge::difference::unified(&expected, &text, 3);
        panic!("{name}.txt differs (FOOTBRIDGE_BLESS=1 accepts it):\n{difference}");
    }
}
