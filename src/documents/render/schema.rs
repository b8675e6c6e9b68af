//! The JSON Schemas of what is rendered as JSON.

use schemars::{JsonSchema, generate::SchemaSettings};

/// (file name, text) of every schema of this module.
pub fn schemas() -> Vec<(&'static str, String)> {
    vec![
        ("plan-view.schema.json", text::<super::plan::PlanView>()),
        ("runs-view.schema.json", text::<super::runs::RunsView>()),
        ("run-view.schema.json", text::<super::runs::RunView>()),
        ("runs-diff.schema.json", text::<crate::runlog::RunsDiff>()),
        ("runs-prune.schema.json", text::<super::runs::PruneView>()),
        ("blame-view.schema.json", text::<super::runs::BlameView>()),
        ("drift-view.schema.json", text::<super::runs::DriftView>()),
        ("schedule-view.schema.json", text::<super::schedule::ScheduleView>()),
    ]
}

fn text<T: JsonSchema>() -> String {
    let schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<T>();
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
