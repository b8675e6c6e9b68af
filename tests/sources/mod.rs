//! Reports from elsewhere, through the real binary: https addresses, object stores, packed files; and what a configuration can not have carried away.

pub mod fake;
mod packed;
mod reach;
mod stores;
mod web;

use crate::scene::Scene;

pub const SEED: &str = r#"
objects:
  Lead:
    fields:
      - { name: Count__c, type: number, precision: 12, scale: 0 }
      - { name: Note__c, type: text, length: 80 }
    records:
      - { LastName: A, Company: C, Email: a@example.org }
      - { LastName: B, Company: C, Email: b@example.org }
"#;

/// A report whose counts are all new to the org.
pub fn csv(first: u32) -> String {
    format!("Key,Count\na@example.org,{first}\nb@example.org,{}\n", first + 1)
}

/// Writes the integration `people` with this source (YAML); `more` are further top-level lines.
pub fn people(scene: &Scene, source: &str, more: &str) {
    scene.write(
        "integrations/people.yaml",
        &format!(
            "footbridge: 1\nkind: integration\nname: people\norg: acme\nreport:\n  name: People\n  source: {source}\nobject: Lead\n\
             match: {{ column: Key, field: Email }}\nfields: {{ Count__c: Count }}\nlints_off: [walkme_prefix, sandbox_first, unused]\n\
             environments: {{ sandbox: {{}} }}\n{more}"
        ),
    );
}

/// What of the local state is a temporary file.
pub fn left_over(scene: &Scene) -> Vec<String> {
    let Ok(listed) = std::fs::read_dir(scene.path(".footbridge/tmp")) else { return Vec::new() };
    listed.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}
