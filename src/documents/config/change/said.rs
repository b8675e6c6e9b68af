//! A difference of two normal forms in sentences, and as YAML.

use serde_json::{Map, Value};

use crate::difference;

/// Lines around a change in the unified difference.
const AROUND: usize = 3;

/// What differs, a sentence each.
pub(super) fn lines(before: &Value, after: &Value) -> Vec<String> {
    let none = Map::new();
    let (old, new) = (before.as_object().unwrap_or(&none), after.as_object().unwrap_or(&none));
    let mut said = Vec::new();
    fields(part(old, "fields"), part(new, "fields"), &mut said);
    for key in keys(old, new).filter(|key| *key != "fields") {
        walk(key, old.get(key), new.get(key), &mut said);
    }
    said
}

fn part<'v>(map: &'v Map<String, Value>, key: &str) -> &'v Map<String, Value> {
    static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    map.get(key).and_then(Value::as_object).unwrap_or(&NONE)
}

fn keys<'v>(old: &'v Map<String, Value>, new: &'v Map<String, Value>) -> impl Iterator<Item = &'v str> {
    let all: std::collections::BTreeSet<&str> = old.keys().chain(new.keys()).map(String::as_str).collect();
    all.into_iter()
}

/// The mapping: what is written now, what is not any more, what is written otherwise.
fn fields(old: &Map<String, Value>, new: &Map<String, Value>, said: &mut Vec<String>) {
    let mut gone: Vec<&str> = old.keys().map(String::as_str).filter(|f| !new.contains_key(*f)).collect();
    for (field, mapping) in new {
        let Some(was) = old.get(field) else {
            // The same mapping under another name: the field was exchanged.
            let exchanged = gone.iter().position(|g| old.get(*g) == Some(mapping));
            said.push(match exchanged {
                Some(at) => format!("{} is written to `{field}` instead of `{}`", column(mapping), gone.remove(at)),
                None => format!("field `{field}` added, from {}{}", column(mapping), options(mapping)),
            });
            continue;
        };
        if was == mapping {
            continue;
        }
        let none = Map::new();
        let (was, now) = (was.as_object().unwrap_or(&none), mapping.as_object().unwrap_or(&none));
        for key in keys(was, now) {
            let (a, b) = (was.get(key), now.get(key));
            if a == b {
                continue;
            }
            said.push(match key {
                "column" => format!("field `{field}` is filled from {} instead of {}", quoted(b), quoted(a)),
                key => format!("field `{field}`: {}", turned(key, a, b)),
            });
        }
    }
    said.extend(gone.into_iter().map(|field| format!("field `{field}` is not written any more")));
}

fn column(mapping: &Value) -> String {
    format!("column {}", quoted(mapping.get("column")))
}

fn options(mapping: &Value) -> String {
    let map = mapping.as_object();
    let own = map.into_iter().flatten().filter(|(key, _)| key.as_str() != "column");
    let all: Vec<String> = own.map(|(key, value)| format!("{key}: {}", short(value))).collect();
    if all.is_empty() { String::new() } else { format!(" ({})", all.join(", ")) }
}

fn walk(path: &str, before: Option<&Value>, after: Option<&Value>, said: &mut Vec<String>) {
    if before == after {
        return;
    }
    match (before, after) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            keys(old, new).for_each(|key| walk(&format!("{path}.{key}"), old.get(key), new.get(key), said));
        }
        (None, Some(Value::Object(new))) => {
            if let Some(environment) = environment(path) {
                said.push(format!("runs in {environment} now"));
            }
            new.keys().for_each(|key| walk(&format!("{path}.{key}"), None, new.get(key), said));
        }
        (Some(Value::Object(old)), None) => match environment(path) {
            Some(environment) => said.push(format!("does not run in {environment} any more")),
            None => old.keys().for_each(|key| walk(&format!("{path}.{key}"), old.get(key), None, said)),
        },
        (a, b) => said.push(turned(path, a, b)),
    }
}

/// The environment that a path is the whole of.
fn environment(path: &str) -> Option<&str> {
    path.strip_prefix("environments.").filter(|name| !name.contains('.'))
}

fn turned(what: &str, before: Option<&Value>, after: Option<&Value>) -> String {
    match (before, after) {
        (None, Some(now)) => format!("{what} set to {}", short(now)),
        (Some(was), None) => format!("{what} is the default again (it was {})", short(was)),
        (a, b) => format!("{what} changed from {} to {}", quoted(a), quoted(b)),
    }
}

fn quoted(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), short)
}

fn short(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`{text}`"),
        Value::Array(list) => format!("[{}]", list.iter().map(short).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let all: Vec<String> = map.iter().map(|(key, value)| format!("{key}: {}", short(value))).collect();
            format!("{{ {} }}", all.join(", "))
        }
        other => other.to_string(),
    }
}

/// The unified difference of both as YAML.
pub(super) fn unified(before: &Value, after: &Value) -> String {
    let text =
        |value: &Value| if value.is_null() { String::new() } else { serde_yaml::to_string(value).unwrap_or_default() };
    difference::unified(&text(before), &text(after), AROUND)
}
