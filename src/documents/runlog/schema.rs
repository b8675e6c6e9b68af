//! The JSON Schemas of the run log, of a line of its outcomes file, and of a run's intent.

use schemars::generate::SchemaSettings;

use super::{Intent, OutcomesLine, RunLog};

/// (file name, text) of every schema of this module.
pub fn schemas() -> Vec<(&'static str, String)> {
    let text = |schema: schemars::Schema| {
        let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
        text.push('\n');
        text
    };
    let generator = || SchemaSettings::draft07().into_generator();
    vec![
        ("run.schema.json", text(generator().into_root_schema_for::<RunLog>())),
        ("run-intent.schema.json", text(generator().into_root_schema_for::<Intent>())),
        ("run-records.schema.json", text(generator().into_root_schema_for::<OutcomesLine>())),
    ]
}
