//! An integration in its normal form: the keys of the YAML, in one order, everything that it depends on in place, nothing that is a default.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::reach;
use crate::config::valid::{
    BadValue, Column, Environment, Guards, Integration, KnownFailure, Limit, Mapping, Match, NewValues, OnHeld, Preset,
    Project, Quote, ReadWay, Reading, RecordPolicy, Report, Repository, RowPolicy, Source, WhenBlank, WritePolicy,
    WriteWay,
};

/// Keys and values, without those that say nothing.
struct Form(Map<String, Value>);

impl Form {
    fn new() -> Self {
        Self(Map::new())
    }

    fn put(&mut self, key: &str, value: impl Serialize) -> &mut Self {
        let value = serde_json::to_value(value).unwrap_or_default();
        let nothing = match &value {
            Value::Null => true,
            Value::Array(list) => list.is_empty(),
            Value::Object(map) => map.is_empty(),
            _ => false,
        };
        if !nothing {
            self.0.insert(key.to_owned(), value);
        }
        self
    }

    /// Puts it unless it is the default.
    fn other<T: Serialize + PartialEq>(&mut self, key: &str, value: &T, default: T) -> &mut Self {
        if *value == default { self } else { self.put(key, value) }
    }

    fn done(self) -> Value {
        Value::Object(self.0)
    }
}

/// The normal form of an integration and of all that it depends on.
pub(super) fn integration(integration: &Integration, repository: &Repository) -> Value {
    // Every field is named, so that a new one cannot be forgotten.
    let Integration {
        name,
        preset,
        goal,
        org,
        report,
        object,
        condition,
        matching,
        fields,
        shared,
        read,
        write,
        environments,
        on_held,
        labels,
        lints_off,
        span: _,
    } = integration;
    let mut form = Form::new();
    form.put("name", name).other("preset", preset, Preset::Salesforce).put("goal", goal).put("object", object.as_str());
    form.put("where", condition).put("match", match_form(matching)).put("report", report_form(report));
    let mapped: BTreeMap<&str, Value> = fields.iter().map(|m| (m.field.as_str(), mapping(m))).collect();
    form.put("fields", mapped).other("shared", shared, false);
    form.other("read", read, ReadWay::Auto).other("write", write, WriteWay::Auto);
    form.put("labels", labels).put("lints_off", lints_off);
    if *on_held == OnHeld::Issue {
        form.put("on_held", "issue");
    }
    let runs: BTreeMap<&str, Value> = environments.iter().map(|(e, own)| (e.as_str(), environment(own))).collect();
    form.put("environments", runs);
    let mut connected = Form::new();
    connected.put("name", org);
    for (environment, settings) in repository.orgs.get(org.as_str()).iter().flat_map(|org| &org.environments) {
        if environments.contains_key(environment) {
            let mut own = reach::org(settings);
            if let Value::Object(own) = &mut own {
                own.insert("api_version".to_owned(), Value::from(settings.api_version.clone()));
            }
            connected.put(environment.as_str(), own);
        }
    }
    form.put("org", connected.done());
    let mut known: BTreeMap<String, BTreeMap<&str, Value>> = BTreeMap::new();
    for failure in
        repository.known_failures.iter().filter(|failure| fields.iter().any(|m| m.field.value == failure.field))
    {
        let KnownFailure { record, field, error, until, reason, span: _ } = failure;
        let said = Value::from(format!("{error} until {until}: {reason}"));
        known.entry(record.to_string()).or_default().insert(field.as_str(), said);
    }
    form.put("known_failures", known);
    form.done()
}

fn match_form(matching: &Match) -> Value {
    let Match { column, field, on_duplicate_rows, on_several_records } = matching;
    let mut form = Form::new();
    form.put("column", column).put("field", field.as_str());
    match on_duplicate_rows {
        RowPolicy::Skip => {}
        RowPolicy::Newest { by } => _ = form.put("on_duplicate_rows", json!({ "policy": "newest", "by": by })),
        other => _ = form.put("on_duplicate_rows", other),
    }
    match on_several_records {
        RecordPolicy::Skip => {}
        RecordPolicy::Newest { by } => {
            form.put("on_several_records", json!({ "policy": "newest", "by": by.as_str() }));
        }
        other => _ = form.put("on_several_records", other),
    }
    form.done()
}

fn mapping(mapping: &Mapping) -> Value {
    let Mapping {
        field: _,
        column,
        column_type,
        reading,
        when_blank,
        write,
        show_values,
        on_bad_value,
        new_values,
        truncate,
        currency,
        option_spans: _,
    } = mapping;
    let mut form = Form::new();
    form.put("column", column).put("type", column_type).other("when_blank", when_blank, WhenBlank::Keep);
    form.other("write", write, WritePolicy::Always).other("show_values", show_values, false);
    form.other("on_bad_value", on_bad_value, BadValue::SkipCell).other("new_values", new_values, NewValues::Refuse);
    form.other("truncate", truncate, false).put("currency", currency);
    read(&mut form, reading);
    form.done()
}

fn read(form: &mut Form, reading: &Reading) {
    let Reading {
        format,
        decimal,
        percent,
        time_zone,
        blank_values,
        true_values,
        false_values,
        separator,
        prefix,
        suffix,
    } = reading;
    form.put("format", format).put("decimal", decimal).put("percent", percent).put("time_zone", time_zone);
    form.put("blank_values", blank_values).put("true_values", true_values).put("false_values", false_values);
    form.put("separator", separator).put("prefix", prefix).put("suffix", suffix);
}

fn report_form(report: &Report) -> Value {
    let Report { name, tags, key, source, columns } = report;
    let mut form = Form::new();
    form.put("name", name).put("tags", tags).other("key", key, "User ID".to_owned());
    form.put("source", source_form(source));
    let column = |column: &Column| {
        let Column { kind, reading, span: _ } = column;
        let mut form = Form::new();
        form.put("type", kind);
        read(&mut form, reading);
        form.done()
    };
    let columns: BTreeMap<&str, Value> = columns.iter().map(|(name, c)| (name.as_str(), column(c))).collect();
    form.put("columns", columns);
    form.done()
}

/// A source as it is written, its headers by their names and variables.
fn source_form(source: &Source) -> Value {
    // What a source serialises as is all of it but its headers; what is null there was not said.
    let whole = serde_json::to_value(source).unwrap_or_default();
    let mut form = Form::new();
    let defaults = json!({ "quote": { "char": "\"" }, "header": true, "skip_lines": 0, "allow_tracked": false });
    for (key, value) in whole.as_object().into_iter().flatten() {
        if defaults.get(key) == Some(value) {
            continue;
        }
        match (key.as_str(), value) {
            ("location", Value::Object(location)) => location.iter().for_each(|(k, v)| _ = form.put(k, v)),
            ("quote", _) if source.quote == Quote::None => _ = form.put("quote", "none"),
            _ => _ = form.put(key, value),
        }
    }
    form.put("headers", reach::headers(source));
    form.done()
}

fn environment(environment: &Environment) -> Value {
    let Environment { schedule, not_during, retries, source, guards, span: _ } = environment;
    let mut form = Form::new();
    form.put("schedule", schedule).put("source", source.as_ref().map(source_form)).put("guards", limits(guards));
    let windows = not_during.said();
    form.put("not_during", (!windows.is_empty()).then_some(windows)).other(
        "retries",
        retries,
        Project::default().retries,
    );
    // An environment with nothing of its own is an environment all the same.
    form.done()
}

fn limits(guards: &Guards) -> Value {
    let Guards {
        max_overwrites,
        max_fills,
        max_clears,
        max_refused,
        min_match,
        min_rows,
        max_shrink,
        column_vanished,
        blanks_rose,
        match_fell,
        max_calls,
        max_age,
    } = guards;
    let usual = Guards::default();
    let mut form = Form::new();
    form.put("max_overwrites", max_overwrites.map(limit)).put("max_fills", max_fills.map(limit));
    form.other("max_clears", &limit(*max_clears), limit(usual.max_clears));
    form.other("max_refused", &limit(*max_refused), limit(usual.max_refused));
    form.other("min_match", &limit(*min_match), limit(usual.min_match));
    form.other("min_rows", min_rows, usual.min_rows).put("max_shrink", max_shrink.map(limit));
    form.put("column_vanished", column_vanished).put("blanks_rose", blanks_rose.map(limit));
    form.put("match_fell", match_fell.map(limit));
    form.other("max_calls", &limit(*max_calls), limit(usual.max_calls)).put("max_age", max_age.map(age));
    form.done()
}

fn limit(limit: Limit) -> Value {
    match limit {
        Limit::Count(count) => Value::from(count),
        Limit::Percent(share) => Value::from(format!("{}%", share.normalize())),
    }
}

fn age(age: Duration) -> String {
    let seconds = age.as_secs();
    match seconds {
        s if s % 86_400 == 0 => format!("{}d", s / 86_400),
        s if s % 3_600 == 0 => format!("{}h", s / 3_600),
        s if s % 60 == 0 => format!("{}m", s / 60),
        s => format!("{s}s"),
    }
}
