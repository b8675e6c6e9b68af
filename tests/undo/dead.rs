//! A machine dies in the middle of a run whose values are committed, and another one writes its log: what that run wrote is told and taken back like that of
//! any other, by a machine that knows the branch alone.

use super::*;
use crate::gitops::{LEADS as ALL, Team, ends};

/// What it wrote before it died.
const WRITTEN: usize = 200;

#[test]
fn the_committed_values_of_a_dead_run_serve_drift_and_undo() {
    use age::secrecy::ExposeSecret as _;
    for (after, known_by) in [(true, "values"), (false, "digests")] {
        let key = age::x25519::Identity::generate();
        let values = format!("values: {{ keep: committed, recipients: [{}], after: {after} }}\n", key.to_public());
        let mut team = Team::with(ALL, &values);
        team.job.scene.set("FOOTBRIDGE_KEY", key.to_string().expose_secret());
        let before = team.job.state();
        team.at("2026-11-02T09:00:00Z");
        team.killed("method: PATCH, after: 1", "delay");
        let written: Vec<String> =
            team.job.state().into_iter().filter(|(id, now)| before[id] != *now).map(|(id, _)| id).collect();
        assert_eq!((written.len(), team.logs().len()), (WRITTEN, 0));

        // Its log is another machine's work, which plans nothing afresh: the dead run stays the last one.
        team.at("2026-11-03T09:00:00Z");
        team.run("b", &["apply", "--resume", "--push"]).exits(0).says("died on machine-a");
        let logs = team.logs();
        let [log] = logs.as_slice() else { panic!("{logs:?}") };
        assert_eq!(ends(log), [WRITTEN as u64, 0, 0, (ALL - WRITTEN) as u64, 0]);
        assert_eq!((&log["values"]["keep"], &log["values"]["after"]), (&json!("committed"), &json!(after)));

        // A third machine, where nothing lies but the branch.
        team.another("c");
        let drift = |team: &Team| -> Value {
            let view: Value = serde_json::from_str(&team.run("c", &["drift", "notes", "--json"]).exits(0).out).unwrap();
            view["integrations"][0].clone()
        };
        let one = drift(&team);
        assert_eq!((&one["run"], &one["known_by"]), (&log["id"], &json!(known_by)));
        assert_eq!(
            (&one["written"], &one["differ"], &one["unknown"]),
            (&json!(WRITTEN), &json!(0), &json!(0)),
            "{one:#}"
        );
        let mine = json!({ "WalkMe_Note__c": "by another" });
        team.job.org().edit("Lead", &written[7], mine.as_object().unwrap()).unwrap();
        let one = drift(&team);
        assert_eq!((&one["differ"], &one["fields"][0]["records"]), (&json!(1), &json!([written[7]])), "{one:#}");

        // Every field of the plan is named, whatever of the values is kept.
        let id = log["id"].as_str().unwrap();
        let shown: Value = serde_json::from_str(&team.run("c", &["runs", "show", id, "--json"]).exits(0).out).unwrap();
        let records = shown["records"].as_array().unwrap();
        let named = |record: &Value| record["changes"].as_array().is_some_and(|changes| changes.len() == 2);
        assert!(records.len() == ALL && records.iter().all(named), "{}", shown["records"][0]);

        // What somebody changed since stays; every other cell goes back.
        let undo = ["undo", id, "--yes", "--push", "--waive", "max_clears"];
        team.run("c", &undo).exits(0).says("1 field left alone").says("200 of 200 records updated");
        let now = team.job.state();
        assert_eq!(now[&written[7]], (json!("by another"), before[&written[7]].1.clone()));
        assert!(before.iter().all(|(id, then)| *id == written[7] || now[id] == *then));
        // With another key nothing of it can be read, and that is said.
        team.job.scene.set("FOOTBRIDGE_KEY", age::x25519::Identity::generate().to_string().expose_secret());
        team.run("c", &["undo", id, "--yes"]).exits(7).says("FB0834");
    }
}
