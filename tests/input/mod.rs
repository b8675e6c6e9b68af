//! Bad input through the real binary: what an admin reads, word by word, how the command ends, and that nothing was sent.
//!
//! Each case compares with `golden/<name>.txt` (paths and ports normalised); `FOOTBRIDGE_BLESS=1` writes it anew.

mod documents;
mod org;
mod report;
mod usage;

use std::path::Path;

use crate::scene::{Ran, Scene};

/// An org with a field of every kind that cannot be written, and one lead.
pub const SEED: &str = r##"
users:
  - username: ci@acme.example
    objects: { Case: { read: false, edit: false }, Contact: { read: true, edit: false } }
    fields: { Lead.WalkMe_Hidden__c: none, Lead.WalkMe_Locked__c: read }
objects:
  Lead:
    fields:
      - { name: WalkMe_First_Login__c, label: First login, type: datetime }
      - { name: WalkMe_Last_Login__c, label: Last login, type: datetime }
      - { name: WalkMe_Logins_last_30_days__c, label: '# logins last 30 days', type: number, precision: 18, scale: 0 }
      - { name: WalkMe_City__c, label: City, type: text, length: 40 }
      - { name: WalkMe_Hidden__c, type: text, length: 40 }
      - { name: WalkMe_Locked__c, type: text, length: 40 }
      - { name: WalkMe_Score__c, type: number, formula: true }
      - { name: WalkMe_Number__c, type: text, length: 30, auto_number: true }
      - { name: WalkMe_Notes__c, type: html }
      - { name: WalkMe_Masked__c, type: encryptedstring, length: 50 }
      - { name: WalkMe_Story__c, type: longtextarea, length: 32000 }
    records:
      - { LastName: Example, Company: Example Ltd, Email: ada@example.org }
"##;

pub const INTEGRATION: &str = r##"footbridge: 1
kind: integration
name: logins-to-leads
org: acme
report:
  name: Logins Review
  source: exports/logins-review.csv
object: Lead
match: { column: User ID, field: Email }
fields:
  WalkMe_First_Login__c: First Login
  WalkMe_City__c: City
environments:
  sandbox: {}
"##;

pub const REPORT: &str = "User ID,First Login,City\nada@example.org,2026-08-01T09:00:00Z,Graz\n";

/// The org, the integration and a good report: each case spoils one thing.
pub fn good() -> Scene {
    let mut scene = Scene::seeded(SEED);
    scene.set("FOOTBRIDGE_NOW", "2026-11-21T09:00:00Z");
    scene.write("integrations/logins-to-leads.yaml", INTEGRATION);
    scene.write("exports/logins-review.csv", REPORT);
    scene
}

/// The same with one piece of the integration replaced; the piece must be there.
#[track_caller]
pub fn with(from: &str, to: &str) -> Scene {
    let scene = good();
    change(&scene, from, to);
    scene
}

#[track_caller]
pub fn change(scene: &Scene, from: &str, to: &str) {
    let text = scene.read("integrations/logins-to-leads.yaml");
    assert!(text.contains(from), "no `{from}` in the integration");
    scene.write("integrations/logins-to-leads.yaml", &text.replacen(from, to, 1));
}

/// The same with another report.
pub fn reporting(bytes: &[u8]) -> Scene {
    let scene = good();
    scene.write_bytes("exports/logins-review.csv", bytes);
    scene
}

/// How far a command may get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// Not one call reaches the org.
    Nothing,
    /// Reads, and no write.
    Reads,
}

/// Runs the command and compares what it says with the golden file.
#[track_caller]
pub fn tells(name: &str, scene: &Scene, arguments: &[&str], exit: i32, asks: Asks) -> Ran {
    scene.org().clear_calls();
    let ran = scene.run(arguments);
    let calls = scene.org().calls();
    let writes: Vec<_> = calls.iter().filter(|c| c.method != "GET" && !c.path.contains("/oauth2/")).collect();
    assert!(writes.is_empty(), "{name} wrote: {writes:?}");
    assert!(asks != Asks::Nothing || calls.is_empty(), "{name} asked the org: {calls:?}\n{}", ran.err);
    golden(name, scene, arguments, ran.exits(exit))
}

#[track_caller]
pub fn golden(name: &str, scene: &Scene, arguments: &[&str], ran: Ran) -> Ran {
    let root = scene.root().to_string_lossy().into_owned();
    let real = scene.root().canonicalize().unwrap().to_string_lossy().into_owned();
    let plain = |text: &str| {
        let text = text
            .replace(&real, "<repository>")
            .replace(&root, "<repository>")
            .replace(&scene.org().url(), "http://127.0.0.1:PORT");
        // The file's own time is that of the test.
        match text.split_once("; report of ") {
            Some((before, after)) => {
                format!("{before}; report of TIME UTC{}", after.split_once(" UTC").map_or("", |(_, rest)| rest))
            }
            None => text,
        }
    };
    let mut text = format!("$ footbridge {}\nexit code {}\n", arguments.join(" "), ran.code);
    for (stream, written) in [("standard error", &ran.err), ("standard output", &ran.out)] {
        if !written.is_empty() {
            text.push_str(&format!("\n--- {stream}\n{}\n", plain(written).trim_end()));
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/input/golden").join(format!("{name}.txt"));
    if std::env::var_os("FOOTBRIDGE_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
        return ran;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    if expected != text {
        let difference = footbridge::difference::unified(&expected, &text, 3);
        panic!("{name}.txt differs (FOOTBRIDGE_BLESS=1 accepts it):\n{difference}");
    }
    ran
}

pub const PLAN: [&str; 2] = ["plan", "logins-to-leads"];
pub const APPLY: [&str; 5] = ["apply", "logins-to-leads", "--env", "sandbox", "--yes"];

/// Every golden belongs to a case, and none is left behind by a case that was renamed.
#[test]
fn every_golden_file_belongs_to_a_case() {
    let sources: String = ["report.rs", "org.rs", "usage.rs", "documents.rs"]
        .iter()
        .map(|f| std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/input").join(f)).unwrap())
        .collect();
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/input/golden")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let stem = name.strip_suffix(".txt").unwrap_or_else(|| panic!("{name} is no golden"));
        assert!(sources.contains(&format!("\"{stem}\"")), "no case is called {stem}");
    }
}
