//! Run logs in the folder of a team, made from the example of the format.

use crate::scene::Scene;

/// The sandbox of the example.
pub const ORG: &str = "00D000000000001EAA";
/// Another org.
pub const PRODUCTION: &str = "00D000000000002EAA";

const YAML: &str = include_str!("../formats/run-1/2026-11-21T090003Z.yaml");
const LINES: &str = include_str!("../formats/run-1/2026-11-21T090003Z.records.jsonl");

/// A run on a day of October, as the example but for this.
pub struct Log {
    pub integration: &'static str,
    pub org_id: &'static str,
    pub day: u32,
    /// Stands where a name or a sentence stands.
    pub hostile: Option<&'static str>,
}

impl Default for Log {
    fn default() -> Self {
        Self { integration: "logins-to-leads", org_id: ORG, day: 1, hostile: None }
    }
}

impl Log {
    /// Writes it. Every seventh run failed, the others completed.
    pub fn write(&self, scene: &Scene) {
        let Self { integration, org_id, day, hostile } = self;
        let id = format!("2026-10-{day:02}T090000Z");
        let mut log: serde_yaml::Value = serde_yaml::from_str(YAML).unwrap();
        let mut set = |path: &[&str], value: serde_yaml::Value| {
            let mut at = &mut log;
            for key in path {
                at = match key.parse::<usize>() {
                    Ok(place) => &mut at[place],
                    Err(_) => &mut at[*key],
                };
            }
            *at = value;
        };
        set(&["id"], id.clone().into());
        set(&["integration"], (*integration).into());
        set(&["org_id"], (*org_id).into());
        set(&["environment"], if *org_id == PRODUCTION { "production" } else { "sandbox" }.into());
        set(&["start"], format!("2026-10-{day:02}T09:00:00Z").into());
        set(&["end"], format!("2026-10-{day:02}T09:00:{:02}Z", 8 + day % 20).into());
        set(&["run_time_seconds"], (8 + day % 20).into());
        set(&["outcomes"], format!("{id}.records.jsonl").into());
        set(&["calls", "total"], (12 + day % 5).into());
        if day % 7 != 0 {
            set(&["status"], "Completed".into());
            set(&["exit"], "done".into());
        }
        if let Some(text) = hostile {
            for path in [
                &["integration"][..],
                &["report", "name"],
                &["report", "source"],
                &["org"],
                &["user"],
                &["trigger"],
                &["exit"],
                &["fields", "0", "column"],
                &["guards", "0", "name"],
                &["guards", "0", "limit"],
                &["problems", "0", "message"],
                &["problems", "0", "not_done"],
                &["versions", "footbridge"],
            ] {
                set(path, (*text).into());
            }
        }
        let name = if hostile.is_some() { "hostile" } else { integration };
        let place = format!("runs/{name}/{org_id}/2026/{id}");
        scene.write(&format!("{place}.yaml"), &serde_yaml::to_string(&log).unwrap());
        let mut lines = LINES.replace("2026-11-21T090003Z", &id).replace(ORG, org_id);
        if let Some(text) = hostile {
            let text = serde_json::to_string(text).unwrap();
            lines = lines.replace("\"Level […] cannot be cleared for […]\"", &text);
        }
        scene.write(&format!("{place}.records.jsonl"), &lines);
    }
}
