//! JSON Schemas (draft-07, which editors read most surely), generated from the types that decode the files.

use std::sync::LazyLock;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::document::Kind;
use super::written;

/// The schemas as files of `schemas/`: name and text.
pub fn all() -> Vec<(&'static str, String)> {
    Kind::ALL
        .iter()
        .map(|kind| {
            let name = match kind {
                Kind::Integration => "integration.schema.json",
                Kind::Orgs => "orgs.schema.json",
                Kind::Report => "report.schema.json",
                Kind::Project => "project.schema.json",
                Kind::KnownFailures => "known_failures.schema.json",
            };
            (name, format!("{:#}\n", of(*kind).value))
        })
        .collect()
}

/// A schema with its validator, built once.
pub(super) struct Compiled {
    pub(super) value: Value,
    pub(super) validator: Option<jsonschema::Validator>,
}

/// The schema of a kind of document.
pub(super) fn of(kind: Kind) -> &'static Compiled {
    static INTEGRATION: LazyLock<Compiled> = LazyLock::new(compiled::<written::Integration>);
    static ORGS: LazyLock<Compiled> = LazyLock::new(compiled::<written::Orgs>);
    static REPORT: LazyLock<Compiled> = LazyLock::new(compiled::<written::ReportDocument>);
    static PROJECT: LazyLock<Compiled> = LazyLock::new(compiled::<written::Project>);
    static KNOWN_FAILURES: LazyLock<Compiled> = LazyLock::new(compiled::<written::KnownFailures>);
    match kind {
        Kind::Integration => &INTEGRATION,
        Kind::Orgs => &ORGS,
        Kind::Report => &REPORT,
        Kind::Project => &PROJECT,
        Kind::KnownFailures => &KNOWN_FAILURES,
    }
}

fn compiled<T: JsonSchema>() -> Compiled {
    let schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<T>();
    let mut value = schema.to_value();
    without_nulls(&mut value);
    let validator = jsonschema::draft7::new(&value).ok();
    Compiled { value, validator }
}

/// An option that is not written is left out; it is not `null`.
fn without_nulls(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        Value::Object(object) => {
            object.values_mut().for_each(without_nulls);
            tidy(object);
        }
        _ => {}
    }
}

fn tidy(object: &mut Map<String, Value>) {
    if object.get("default") == Some(&Value::Null) {
        object.remove("default");
    }
    // Widths of Rust's integers say nothing to an editor.
    object
        .remove("format")
        .filter(|f| !matches!(f.as_str(), Some("uint64" | "uint32")))
        .map(|f| object.insert("format".into(), f));
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|t| t != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".into(), only);
        }
    }
    let Some(Value::Array(branches)) = object.get_mut("anyOf") else { return };
    branches.retain(|b| b.get("type") != Some(&Value::from("null")));
    if branches.len() != 1 {
        return;
    }
    let Some(only) = branches.pop() else { return };
    object.remove("anyOf");
    match only {
        Value::Object(inner) if !inner.contains_key("$ref") => {
            for (key, value) in inner {
                object.entry(key).or_insert(value);
            }
        }
        other if object.is_empty() => {
            if let Value::Object(inner) = other {
                *object = inner;
            }
        }
        other => {
            object.insert("allOf".into(), Value::Array(vec![other]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_schema_compiles_refuses_nulls_and_unknown_keys() {
        for kind in Kind::ALL {
            let schema = of(kind);
            assert!(schema.validator.is_some(), "{}", kind.as_str());
            assert!(!schema.value.to_string().contains("\"null\""), "{:#}", schema.value);
        }
    }

    #[test]
    fn every_property_is_described() {
        fn walk(value: &Value, path: &str, missing: &mut Vec<String>) {
            let Value::Object(object) = value else {
                if let Value::Array(items) = value {
                    items.iter().for_each(|item| walk(item, path, missing));
                }
                return;
            };
            if let Some(Value::Object(properties)) = object.get("properties") {
                for (name, property) in properties {
                    let flow = name == "flow" && property.get("const").is_some();
                    if !flow && property.get("description").and_then(Value::as_str).is_none_or(str::is_empty) {
                        missing.push(format!("{path}/{name}"));
                    }
                }
            }
            for (key, inner) in object {
                walk(inner, &format!("{path}/{key}"), missing);
            }
        }
        let mut missing = Vec::new();
        for kind in Kind::ALL {
            walk(&of(kind).value, kind.as_str(), &mut missing);
        }
        assert_eq!(missing, Vec::<String>::new());
    }
}
