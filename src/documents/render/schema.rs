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
        ("app-view.schema.json", text::<super::orgs::AppView>()),
        ("codes-view.schema.json", text::<super::commands::CodesView>()),
        ("connection-view.schema.json", text::<super::orgs::ConnectionView>()),
        ("diagnostics.schema.json", text::<super::diagnostics::DiagnosticsView>()),
        ("disconnection-view.schema.json", text::<super::orgs::DisconnectionView>()),
        ("emulator-view.schema.json", text::<super::commands::EmulatorView>()),
        ("files-view.schema.json", text::<super::commands::FilesView>()),
        ("locks-view.schema.json", text::<super::commands::LocksView>()),
        ("orgs-view.schema.json", text::<super::orgs::OrgsView>()),
        ("request-view.schema.json", text::<super::commands::RequestView>()),
        ("review.schema.json", text::<super::review::Review>()),
        ("rights-view.schema.json", text::<super::rights::RightsView>()),
    ]
}

/// The schema of a document that `--json` prints: beside its own keys, any may hold `diagnostics`.
pub fn text<T: JsonSchema>() -> String {
    let mut generator = SchemaSettings::draft07().into_generator();
    let mut told = generator.subschema_for::<Vec<super::diagnostics::DiagnosticView>>();
    let about = "What went wrong, or is worth a warning; where nothing did, the key is not there.";
    told.insert("description".to_owned(), about.into());
    let mut schema = generator.into_root_schema_for::<T>();
    if let Some(keys) = schema.get_mut("properties").and_then(|keys| keys.as_object_mut()) {
        keys.entry("diagnostics").or_insert(told.into());
    }
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
