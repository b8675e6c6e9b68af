use super::*;

fn files(scene: &Scene) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![scene.path("runs"), scene.path(".footbridge/values")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path)
            } else {
                found.push(path.file_name().unwrap().to_string_lossy().into_owned())
            }
        }
    }
    found.sort();
    found
}

#[test]
fn old_outcomes_go_logs_stay_and_the_last_run_is_never_touched() {
    let mut scene = scene("");
    days(&mut scene, 1..=4);
    // The newest was held back: the one before is what guards compare with.
    integration(&scene, "Lead", BY_EMAIL, LEADS, "guards: { max_overwrites: 0 }");
    on_leads(&scene, 12, |n| n + 50);
    apply(&mut scene, "2026-11-05T09:00:00Z", &[]).exits(4);
    let org = scene.org().org_id().to_string();
    let folder = format!("runs/people/{org}/2026");
    scene.write(&format!("{folder}/2026-11-01T090000Z.values.age"), "x");
    scene.write(&format!(".footbridge/values/people/{org}/2026-11-01T090000Z.jsonl"), "x");
    scene.write(&format!("{folder}/2026-11-02T090000Z.intent.yaml"), "x");
    scene.write(&format!("{folder}/2026-10-01T090000Z.yaml"), "no run log");
    scene.set("FOOTBRIDGE_NOW", "2026-12-31T09:00:00Z");
    let before = files(&scene);

    scene.run(&["runs", "prune"]).exits(3).says("FB0933").says("--keep 90d");
    let ran = scene.run(&["runs", "prune", "--keep", "7d", "--dry-run"]).exits(0).says("would go");
    golden(&scene, "prune", &ran.out);
    scene.run(&["runs", "prune", "--keep", "7d"]).exits(3).says("nothing was removed").says("--yes");
    scene.run(&["runs", "prune", "--keep", "90d", "--yes"]).exits(0).says("Nothing to remove");
    assert_eq!(files(&scene), before);

    let ran = scene.run(&["runs", "prune", "--keep", "7d", "--yes", "--json"]).exits(0);
    let view = json(&ran);
    fits("runs-prune.schema.json", &view);
    assert_eq!((&view["removed"], &view["runs"], &view["staying"]), (&true.into(), &2.into(), &3.into()));
    let left = files(&scene);
    for gone in [
        "2026-11-01T090000Z.records.jsonl",
        "2026-11-01T090000Z.values.age",
        "2026-11-01T090000Z.jsonl",
        "2026-11-03T090000Z.records.jsonl",
    ] {
        assert!(!left.iter().any(|f| f == gone), "{gone} is still there");
    }
    for kept in [
        "2026-10-01T090000Z.yaml",
        "2026-11-01T090000Z.yaml",
        "2026-11-02T090000Z.records.jsonl",
        "2026-11-03T090000Z.yaml",
        "2026-11-04T090000Z.records.jsonl",
        "2026-11-05T090000Z.records.jsonl",
    ] {
        assert!(left.iter().any(|f| f == kept), "{kept} is gone: {left:?}");
    }
    // What is left still reads: the log by itself, and blame says what it cannot look into.
    scene
        .run(&["runs", "show", "2026-11-01T090000Z"])
        .exits(0)
        .says("are not there any more")
        .says("12 of 12 records updated");
    scene.run(&["runs", "show", "2026-11-01T090000Z", "--failed"]).exits(3).says("are not there any more");
    scene.run(&["blame", &lead(&scene, 1)]).exits(0).says("3 runs cannot be looked into");
    scene
        .run(&["runs", "diff", "2026-11-01T090000Z", "2026-11-04T090000Z"])
        .exits(0)
        .says("records and rows are not compared");

    // Whole logs: all but the last that was carried out, the newest, the one with an intent, and the one that cannot be read.
    scene.run(&["runs", "prune", "--keep-last", "0", "--logs", "--yes"]).exits(0);
    let left: Vec<String> = files(&scene).into_iter().filter(|f| f.ends_with(".yaml")).collect();
    assert_eq!(
        left,
        [
            "2026-10-01T090000Z.yaml",
            "2026-11-02T090000Z.intent.yaml",
            "2026-11-02T090000Z.yaml",
            "2026-11-04T090000Z.yaml",
            "2026-11-05T090000Z.yaml"
        ]
    );
}

#[test]
fn so_many_of_each_stay() {
    let mut scene = scene("");
    days(&mut scene, 1..=5);
    let view = json(&scene.run(&["runs", "prune", "--keep-last", "3", "--logs", "--dry-run", "--json"]).exits(0));
    assert_eq!((&view["removed"], &view["runs"], &view["staying"]), (&false.into(), &2.into(), &3.into()));
    assert_eq!(view["files"].as_array().unwrap().len(), 4);
}

#[test]
fn the_last_run_that_wrote_stays_for_drift_and_undo() {
    let mut scene = scene("");
    keeping(&scene, "{ keep: local }");
    days(&mut scene, 1..=2);
    // From then on there was nothing to do, so the last that was carried out is another.
    for day in 3..=4 {
        apply(&mut scene, &format!("2026-11-{day:02}T09:00:00Z"), &[]).exits(0).says("No changes");
    }
    scene.run(&["runs", "prune", "--keep-last", "0", "--logs", "--yes"]).exits(0).says("the last that wrote");
    let left = files(&scene);
    assert!(!left.iter().any(|f| f.contains("2026-11-01") || f.contains("2026-11-03")), "{left:?}");
    for kept in ["2026-11-02T090000Z.records.jsonl", "2026-11-02T090000Z.jsonl", "2026-11-04T090000Z.yaml"] {
        assert!(left.iter().any(|f| f == kept), "{kept} is gone: {left:?}");
    }
    let ran = scene.run(&["drift", "people"]).exits(0).says("12 records that run 2026-11-02T090000Z wrote");
    ran.says("every field holds what was written");
    scene.run(&["undo", "people", "--yes"]).exits(0).says("12 of 12 records updated");
}
