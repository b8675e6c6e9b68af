//! A run taken back, through the real binary: its values are kept before anything is sent, and go back where they still may.

mod dead;
mod died;
mod keeping;

use serde_json::{Map, Value, json};

use crate::job::{self, BY_EMAIL, LEADS, logs, report};
use crate::scene::Scene;

/// A seed with fields of many types, and three leads of which the first two have values.
const TYPES: &str = "objects:\n  Lead:\n    fields:
      - { name: Number__c, type: number, precision: 18, scale: 2 }
      - { name: Text__c, type: text, length: 80 }
      - { name: Day__c, type: date }
      - { name: Moment__c, type: datetime }
      - { name: Flag__c, type: checkbox }
      - { name: Choice__c, type: picklist, values: [A, B] }
      - { name: Choices__c, type: multipicklist, values: [A, B, C] }
      - { name: Story__c, type: longtextarea, length: 3000 }
    records:
      - { LastName: One, Company: X, Email: one@example.org, Number__c: 1.5, Text__c: 'N/A', Day__c: '2026-01-02', Moment__c: '2026-01-02T03:04:05Z', Flag__c: true, Choice__c: A, Choices__c: 'A;C', Story__c: \"two\\r\\nlines\" }
      - { LastName: Two, Company: X, Email: two@example.org, Number__c: 7, Text__c: '=1+1 \"quoted\", and more', Flag__c: false, Choice__c: B }
      - { LastName: Three, Company: X, Email: three@example.org }
";

const MAPPING: &str = "  Number__c: { column: Number, when_blank: clear }
  Text__c: { column: Text, when_blank: clear }
  Day__c: { column: Day, when_blank: clear }
  Moment__c: { column: Moment, when_blank: clear }
  Flag__c: { column: Flag, when_blank: clear }
  Choice__c: { column: Choice, when_blank: clear }
  Choices__c: { column: Choices, when_blank: clear }
  Story__c: { column: Story, when_blank: clear }";

const FIELDS: [&str; 8] =
    ["Number__c", "Text__c", "Day__c", "Moment__c", "Flag__c", "Choice__c", "Choices__c", "Story__c"];

fn typed(more: &str) -> Scene {
    let scene = Scene::seeded(TYPES);
    job::integration(&scene, "Lead", BY_EMAIL, MAPPING, &format!("guards: {{ max_clears: 100 }}\n{more}"));
    report(
        &scene,
        &["Key", "Number", "Text", "Day", "Moment", "Flag", "Choice", "Choices", "Story"],
        &[
            vec!["one@example.org", "2.25", "new", "2026-02-03", "2026-02-03T04:05:06Z", "", "B", "B", "another story"],
            vec!["two@example.org", "", "", "2026-02-03", "", "true", "", "A;B", ""],
            vec!["three@example.org", "3", "third", "", "2026-02-03T04:05:06Z", "true", "A", "C", "s"],
        ],
    );
    scene
}

/// What the mapped fields hold, record by record.
fn held(scene: &Scene) -> Vec<Map<String, Value>> {
    let fields = |r: Map<String, Value>| r.into_iter().filter(|(name, _)| FIELDS.contains(&name.as_str())).collect();
    scene.org().records("Lead").into_iter().map(fields).collect()
}

/// Some leads, all but the last with another number in the report.
fn six() -> Scene {
    let scene = Scene::seeded(&job::leads(6, |n| n + 1));
    job::integration(&scene, "Lead", BY_EMAIL, LEADS, "");
    job::on_leads(&scene, 6, |n| if n == 5 { n + 1 } else { n + 100 });
    scene
}

fn last(scene: &Scene) -> String {
    logs(scene).last().unwrap()["id"].as_str().unwrap().to_owned()
}

#[test]
fn undo_restores_every_cell_of_every_type_and_can_itself_be_undone() {
    let scene = typed("");
    let before = held(&scene);
    scene.run(&["apply", "people", "--yes"]).exits(0);
    let after = held(&scene);
    assert_ne!(before, after);
    let first = last(&scene);
    let ran = scene.run(&["undo", &first, "--yes"]).exits(0).says("values before run");
    assert_eq!(held(&scene), before, "{}", ran.out);
    let undone = logs(&scene).pop().unwrap();
    assert_eq!(
        (&undone["trigger"], &undone["undo_of"], &undone["exit"]),
        (&json!("undo"), &json!(first), &json!("done"))
    );
    // The undo of the undo, and its undo.
    scene.run(&["undo", undone["id"].as_str().unwrap(), "--yes"]).exits(0);
    assert_eq!(held(&scene), after);
    scene.run(&["undo", &last(&scene), "--yes"]).exits(0);
    assert_eq!(held(&scene), before);
    // A run that was taken back has nothing left to take back.
    scene.run(&["undo", &first, "--yes"]).exits(0).says("nothing to change");
    assert!(logs(&scene).iter().all(|l| l["status"] == "Completed"));
}

#[test]
fn undo_works_without_after_values_as_well() {
    let scene = typed("");
    scene.write("integrations/project.yaml", "footbridge: 1\nkind: project\nvalues: { after: false }\n");
    let before = held(&scene);
    scene.run(&["apply", "people", "--yes"]).exits(0);
    scene.run(&["undo", &last(&scene), "--yes"]).exits(0);
    assert_eq!(held(&scene), before);
}

#[test]
fn what_somebody_changed_since_is_left_alone_and_listed_with_when_and_by_whom() {
    let scene = six();
    scene.run(&["apply", "people", "--yes"]).exits(0);
    let run = last(&scene);
    let ids: Vec<String> = scene.org().records("Lead").iter().map(|r| r["Id"].as_str().unwrap().to_owned()).collect();
    let edit = |value: Value| Map::from_iter([("Logins__c".to_owned(), value)]);
    scene.org().edit("Lead", &ids[1], &edit(json!(4711))).unwrap();
    scene.org().edit("Lead", &ids[2], &edit(json!(3))).unwrap();
    let ran = scene.run(&["undo", &run, "--out", "undo.jsonl"]).exits(0).says("changed_since");
    assert!(!ran.out.contains("4711"), "values stay on a terminal");
    assert_eq!(scene.write_calls(), 1, "a plan writes nothing");
    let entries = job::entries(&scene, "undo.jsonl");
    let left: Vec<&Value> = entries.iter().filter(|e| e["outcome"] == "refused").collect();
    assert_eq!(left.len(), 1, "{entries:?}");
    assert_eq!(left[0]["record"], json!(ids[1]));
    assert!(left[0]["refused"][0]["message"].as_str().unwrap().contains("last changed 20"), "{left:?}");
    let header = &job::lines(&scene, "undo.jsonl")[0]["header"];
    assert_eq!(header["undo_of"], json!(run));
    // The file is applied as every plan file.
    scene.run(&["apply", "undo.jsonl", "--yes"]).exits(0).says("3 of 3 records updated");
    let numbers: Vec<Value> = scene.org().records("Lead").iter().map(|r| r["Logins__c"].clone()).collect();
    assert_eq!(numbers.iter().map(|n| n.as_f64().unwrap()).collect::<Vec<_>>(), [1., 4711., 3., 4., 5., 6.]);
    assert_eq!(logs(&scene).pop().unwrap()["undo_of"], json!(run));
}

#[test]
fn only_what_the_run_updated_goes_back_and_guards_count_in_the_undos_direction() {
    let scene = Scene::seeded(&job::leads(4, |n| n + 1).replace("Logins__c: 2,", ""));
    job::integration(&scene, "Lead", BY_EMAIL, LEADS, "");
    job::on_leads(&scene, 4, |n| n + 100);
    scene.run(&["apply", "people", "--yes", "--limit", "2"]).exits(6);
    let run = last(&scene);
    // The second was empty before: to undo it is to clear it, which a guard holds back.
    let calls = scene.write_calls();
    scene.run(&["undo", &run, "--yes"]).exits(4).says("max_clears");
    assert_eq!(scene.write_calls(), calls);
    // By its name the integration's last run that wrote is meant, not the undo that was held.
    scene.run(&["undo", "people", "--yes", "--waive", "max_clears"]).exits(0).says("2 of 2 records updated");
    let numbers: Vec<Value> = scene.org().records("Lead").iter().map(|r| r["Logins__c"].clone()).collect();
    assert_eq!(numbers.iter().map(Value::as_f64).collect::<Vec<_>>(), [Some(1.), None, Some(3.), Some(4.)]);
}

#[test]
fn production_has_to_be_said_and_a_run_that_changed_nothing_has_nothing_to_undo() {
    let scene = six();
    scene.run(&["apply", "people", "--yes"]).exits(0);
    let run = last(&scene);
    scene.run(&["undo", &run, "--env", "production", "--yes"]).exits(3).says("was in sandbox");
    scene.run(&["undo", "2020-01-01T000000Z", "--yes"]).exits(3).says("footbridge runs");
    scene.run(&["apply", "people", "--yes"]).exits(0);
    let idle = last(&scene);
    let calls = scene.write_calls();
    scene.run(&["undo", &idle, "--yes"]).exits(0).says("nothing to undo");
    assert_eq!(scene.write_calls(), calls);
}
