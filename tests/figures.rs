//! The call counts that the documentation promises, through the binary: what a run costs of an org's daily quota.

use std::fmt::Write as _;

use footbridge::emulator::{self, Call, PageSize};
use serde_json::Value;

use crate::scene::Scene;

const INTEGRATION: &str = r##"footbridge: 1
kind: integration
name: activity
org: acme
report: Activity
object: Lead
match: { column: User ID, field: Email }
fields:
  Last_Login__c: Last Login
  Logins__c: "# Logins"
  Title: Job
environments:
  sandbox: {}
"##;

/// An org of so many leads.
fn scene(leads: usize) -> Scene {
    let mut seed = "objects:\n  Lead:\n    fields:\n      - { name: Last_Login__c, type: datetime }\n      - { name: Logins__c, type: number, precision: 18, scale: 0 }\n    records:\n".to_owned();
    for n in 0..leads {
        writeln!(
            seed,
            "      - {{ LastName: Person {n}, Company: Acme, Email: 'person.{n}+crm@team{}.example.com', Title: Engineer, Last_Login__c: '2026-01-02T03:04:05Z', Logins__c: 7 }}",
            n % 97
        )
        .unwrap();
    }
    let settings = emulator::Settings { page_size: PageSize::Full, ..Default::default() };
    let scene = Scene::with(emulator::Options { seed_texts: vec![seed], settings, ..Default::default() });
    scene.write(
        "integrations/reports/activity.yaml",
        "footbridge: 1\nkind: report\nname: Activity\nkey: User ID\nsource: exports/activity.csv\n",
    );
    scene.write("integrations/activity.yaml", INTEGRATION);
    scene
}

/// A report of so many people; the first `changed` have logged in once more. Same values are written otherwise than the org has them.
fn report(scene: &Scene, people: usize, changed: usize) {
    let mut text = "User ID,Job,Last Login,# Logins\n".to_owned();
    for n in 0..people {
        let logins = if n < changed { 8 } else { 7 };
        writeln!(text, "Person.{n}+CRM@Team{}.example.com,Engineer,2026-01-02T04:04:05+01:00,{logins}", n % 97)
            .unwrap();
    }
    scene.write("exports/activity.csv", &text);
}

fn soql(call: &Call) -> Option<&str> {
    call.query.iter().find(|(name, _)| name == "q").map(|(_, value)| value.as_str())
}

/// Bytes of a query's target when nothing is escaped that may stand in it: RFC 3986, the form rules for space and plus, and the apostrophe, which the
/// URL standard escapes. Counted here by other code than the client's.
fn target_bytes(call: &Call) -> usize {
    let bare = |c: char| c.is_ascii_alphanumeric() || " -._~!$()*,=:@/?".contains(c);
    let statement: usize = soql(call).unwrap().chars().map(|c| if bare(c) { 1 } else { 3 * c.len_utf8() }).sum();
    call.path.len() + "?q=".len() + statement
}

#[test]
fn an_apply_takes_one_write_call_for_each_200_changed_records_and_sends_changed_cells_alone() {
    let scene = scene(700);
    report(&scene, 700, 450);
    let before = scene.org().calls().len();
    scene.run(&["apply", "activity", "--env", "sandbox", "--yes"]).exits(0).says("Completed");

    let calls = scene.org().calls().split_off(before);
    let writes: Vec<&Call> = calls.iter().filter(|c| c.method == "PATCH").collect();
    let mut sizes = Vec::new();
    for write in &writes {
        let body: Value = serde_json::from_str(&write.request_body).unwrap();
        let records = body["records"].as_array().unwrap();
        sizes.push(records.len());
        for record in records {
            let mut keys: Vec<&str> = record.as_object().unwrap().keys().map(String::as_str).collect();
            keys.sort_unstable();
            assert_eq!(keys, ["Logins__c", "attributes", "id"], "the two cells that agree are not sent");
        }
    }
    assert_eq!(sizes, [200, 200, 50], "full but for the last");
    let rereads = calls.iter().filter(|c| c.method == "POST" && c.path.contains("/composite/sobjects/")).count();
    assert_eq!(rereads, 1, "up to 2,000 records are read again in one call");

    // Nothing is left to do: neither a write nor a reading of records that are not written.
    let before = scene.org().calls().len();
    scene.run(&["apply", "activity", "--env", "sandbox", "--yes"]).exits(0);
    let calls = scene.org().calls().split_off(before);
    assert!(calls.iter().all(|c| c.method == "GET"), "{:?}", calls.iter().map(|c| &c.method).collect::<Vec<_>>());
}

#[test]
fn look_ups_are_as_full_as_a_get_may_be() {
    let scene = scene(1_000);
    let forced = INTEGRATION.replace("environments:", "read: lookup\nenvironments:");
    scene.write("integrations/activity.yaml", &forced);
    report(&scene, 1_000, 0);
    scene.run(&["plan", "activity"]).exits(0).says("No changes");

    let calls = scene.org().calls();
    let lookups: Vec<&Call> = calls.iter().filter(|c| soql(c).is_some_and(|q| q.contains(" IN ("))).collect();
    assert!(lookups.len() > 1, "{}", lookups.len());
    let keys = |call: &Call| soql(call).unwrap().matches('@').count();
    assert_eq!(lookups.iter().map(|c| keys(c)).sum::<usize>(), 1_000, "each key is asked for once");
    // URI and headers together may have 16,384 bytes. Headers (token, agent, id, what HTTP and a proxy add) are given a kilobyte; one key is 43 bytes.
    // Several are under way at once, so the rest, which is shorter, may come in any place.
    let mut short = 0;
    for lookup in &lookups {
        assert_eq!(lookup.status, 200);
        let bytes = target_bytes(lookup);
        assert!(bytes < 16_384, "{bytes}");
        short += usize::from(bytes <= 16_384 - 1_100 - 43);
    }
    assert!(short <= 1, "{short} of {} look-ups are not full", lookups.len());
}

#[test]
fn the_way_of_reading_is_the_one_with_fewer_calls() {
    let scene = scene(2_500);
    // Few keys in a larger org: one look-up. All of them: two pages, where look-ups would take seven.
    for (people, way, most) in [(100, " IN (", 1), (2_500, "FROM Lead", 2)] {
        report(&scene, people, 0);
        let before = scene.org().calls().len();
        scene.run(&["plan", "activity"]).exits(0).says("No changes");
        let calls = scene.org().calls().split_off(before);
        let reads: Vec<&Call> = calls.iter().filter(|c| c.path.contains("/query")).collect();
        assert!(reads.iter().any(|c| soql(c).is_some_and(|q| q.contains(way))), "{people} people: no `{way}`");
        assert_eq!(reads.len(), most, "{people} people: {:?}", reads.iter().map(|c| soql(c)).collect::<Vec<_>>());
    }
}
