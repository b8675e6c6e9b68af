//! The digest of an integration: what it means, however it is written. Two files that differ in comments, quotes, order or spelled-out defaults have one
//! digest; two that could make different plans do not.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use crate::model::{Digest, EnvironmentName};

use super::valid::{Environment, Integration};

impl Integration {
    /// Of all that decides what a plan for this environment holds. `sha256:` and 64 digits.
    pub fn digest(&self, environment: EnvironmentName) -> Digest {
        // Every field is named, so that a new one cannot be forgotten.
        let Integration {
            name,
            preset,
            goal: _,
            org,
            report,
            object,
            condition,
            matching,
            fields,
            shared: _,
            read: _,
            write: _,
            environments,
            on_held: _,
            labels: _,
            lints_off: _,
            span: _,
        } = self;
        let sorted: BTreeMap<String, Value> =
            fields.iter().map(|m| (m.field.as_str().to_ascii_lowercase(), plain(m))).collect();
        let own = environments.get(&environment).map(|environment| {
            let Environment { schedule: _, not_during: _, retries: _, source, guards, span: _ } = environment;
            json!({ "source": source, "guards": guards })
        });
        let meaning = json!({
            "format": "footbridge configuration/1",
            "name": name,
            "preset": preset,
            "org": org,
            "report": report,
            "object": object.as_str().to_ascii_lowercase(),
            "where": condition,
            "match": plain(matching),
            "fields": sorted,
            "environment": environment,
            "own": own,
        });
        Digest::of(meaning.to_string().as_bytes())
    }
}

fn plain(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}
