//! Ten thousand run logs. The times are printed, and only what is out of all proportion fails: the machine may be busy, and the build is not optimised.
//! `docs/PERFORMANCE.md` has figures.

use std::time::{Duration, Instant};

use super::*;

/// Ten integrations, a thousand days each, from the specimen of a run log.
fn ten_thousand(scene: &Scene) {
    let specimen = |name: &str| {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats/run-1").join(name);
        std::fs::read_to_string(path).unwrap()
    };
    let (log, records) = (specimen("2026-11-21T090003Z.yaml"), specimen("2026-11-21T090003Z.records.jsonl"));
    for integration in 0..10 {
        for day in 0..1_000 {
            let (year, month, date) = (2024 + day / 336, day % 336 / 28 + 1, day % 28 + 1);
            let id = format!("{year}-{month:02}-{date:02}T0900{integration:02}Z");
            let start = format!("{year}-{month:02}-{date:02}T09:00:{integration:02}Z");
            let name = format!("integration-{integration}");
            let text = |text: &str| {
                text.replace("2026-11-21T090003Z", &id)
                    .replace("start: 2026-11-21T09:00:03Z", &format!("start: {start}"))
                    .replace("logins-to-leads", &name)
            };
            let folder = format!("runs/{name}/00D000000000001EAA/{year}");
            scene.write(&format!("{folder}/{id}.yaml"), &text(&log));
            // One record in a hundred runs, as a record that seldom changes.
            let records = if day % 100 == 0 {
                records.replace("00Q000000000001EAA", "00Q000000004242EAA")
            } else {
                records.clone()
            };
            scene.write(&format!("{folder}/{id}.records.jsonl"), &text(&records));
        }
    }
}

#[test]
fn ten_thousand_logs_are_listed_and_searched_at_once() {
    let scene = Scene::seeded("{}");
    ten_thousand(&scene);
    let timed = |what: &str, arguments: &[&str]| {
        let before = Instant::now();
        let ran = scene.run(arguments).exits(0);
        let took = before.elapsed();
        eprintln!("ten thousand logs: {what}: {took:.2?}");
        assert!(took < Duration::from_secs(300), "{what} took {took:?}");
        ran
    };
    let ran = timed("runs", &["runs"]);
    assert_eq!(ran.out.lines().count(), 51);
    let all = timed("runs --limit 0 --json", &["runs", "--limit", "0", "--json"]);
    assert_eq!(json(&all)["runs"].as_array().unwrap().len(), 10_000);
    timed("runs --limit 0", &["runs", "--limit", "0"]);
    let one = timed("runs NAME --status completed", &["runs", "integration-3", "--status", "completed"]);
    assert!(one.out.contains("No runs yet"));
    let ran = timed("blame", &["blame", "00Q000000004242", "--json", "--limit", "0"]);
    let view = json(&ran);
    assert_eq!(view["runs"].as_array().unwrap().len(), 100);
    assert_eq!(view["searched"], 10_000);
    timed("runs prune --dry-run", &["runs", "prune", "--keep", "30d", "--dry-run"]);
}
