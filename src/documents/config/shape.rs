//! The shape of a document: what the JSON Schema says against it, in words for people, with places and nearest names. Where a value may have two
//! shapes, the kind of node decides which one was meant.

use jsonschema::error::{TypeKind, ValidationErrorKind as Problem};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value;

use crate::diag::{Code, Diagnostic, Span};

use super::document::{Document, Kind};
use super::nearest::{nearest, quoted, suggestion};
use super::schema::{self, Compiled};
use super::written::form;

/// Problems told of one document.
pub(super) const MAX_TOLD: usize = 200;

/// Checks a document. What is wrong is taken out of `data`, so that the rest can be looked at; `true` when what is left has the right shape.
pub(super) fn check(document: &Document, kind: Kind, data: &mut Value, found: &mut Vec<Diagnostic>) -> bool {
    let compiled = schema::of(kind);
    let Some(validator) = &compiled.validator else { return false };
    if validator.is_valid(data) {
        return true;
    }
    let mut shape = Shape {
        document,
        kind,
        compiled,
        found: Vec::new(),
        wrong: Vec::new(),
        missing: Vec::new(),
        meant: Vec::new(),
    };
    for error in validator.iter_errors(data) {
        if shape.found.len() >= MAX_TOLD {
            break;
        }
        shape.explain(&error);
    }
    let Shape { found: told, wrong, missing, meant, .. } = shape;
    // A key that is missing because it is misspelled is told once.
    for (index, diagnostic) in told.into_iter().enumerate() {
        let misspelled = missing.iter().any(|(at, key)| *at == index && meant.contains(key));
        if !misspelled {
            found.push(diagnostic);
        }
    }
    for path in &wrong {
        take_out(data, path);
    }
    validator.is_valid(data)
}

fn take_out(data: &mut Value, path: &[String]) {
    let Some((last, before)) = path.split_last() else { return };
    let parent = before.iter().try_fold(data, |at, step| match at {
        Value::Object(object) => object.get_mut(step),
        Value::Array(items) => step.parse::<usize>().ok().and_then(|i| items.get_mut(i)),
        _ => None,
    });
    if let Some(Value::Object(object)) = parent {
        object.remove(last);
    }
}

struct Shape<'a> {
    document: &'a Document,
    kind: Kind,
    compiled: &'a Compiled,
    found: Vec<Diagnostic>,
    /// What is to be taken out.
    wrong: Vec<Vec<String>>,
    /// Which diagnostics say that a key is missing, and which key.
    missing: Vec<(usize, Vec<String>)>,
    /// Keys that unknown keys were probably meant to be.
    meant: Vec<Vec<String>>,
}

fn steps(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(|s| s.replace("~1", "/").replace("~0", "~")).collect()
}

fn path_of(error: &ValidationError<'_>) -> Vec<String> {
    steps(error.instance_path().as_str())
}

/// The kinds of node that would have been right at this very place, if the kind is what is wrong.
fn expected_here(error: &ValidationError<'_>, path: &[String]) -> Vec<JsonType> {
    if path_of(error) != path {
        return Vec::new();
    }
    match error.kind() {
        Problem::Type { kind: TypeKind::Single(one) } => vec![*one],
        Problem::Type { kind: TypeKind::Multiple(many) } => many.iter().collect(),
        Problem::AnyOf { context } | Problem::OneOfNotValid { context } => {
            let branches: Vec<Vec<JsonType>> =
                context.iter().map(|b| b.iter().flat_map(|e| expected_here(e, path)).collect()).collect();
            if branches.iter().all(|b| !b.is_empty()) { branches.concat() } else { Vec::new() }
        }
        _ => Vec::new(),
    }
}

fn constant(error: &ValidationError<'_>) -> Option<String> {
    match error.kind() {
        Problem::Constant { expected_value } => expected_value.as_str().map(str::to_owned),
        _ => None,
    }
}

/// Every word that would have been right at this place, if a wrong word is all that is wrong.
fn words_here(error: &ValidationError<'_>, path: &[String]) -> Option<Vec<String>> {
    if path_of(error) != path {
        return None;
    }
    match error.kind() {
        Problem::Constant { .. } => constant(error).map(|word| vec![word]),
        Problem::Enum { options } => {
            Some(options.as_array()?.iter().filter_map(|o| o.as_str().map(str::to_owned)).collect())
        }
        Problem::AnyOf { context } | Problem::OneOfNotValid { context } => {
            let mut words = Vec::new();
            for error in context.iter().flatten() {
                words.extend(words_here(error, path)?);
            }
            Some(words)
        }
        _ => None,
    }
}

fn kind_name(kind: JsonType) -> &'static str {
    match kind {
        JsonType::Array => "a list",
        JsonType::Boolean => "true or false",
        JsonType::Integer => "a whole number",
        JsonType::Null => "nothing",
        JsonType::Number => "a number",
        JsonType::Object => "a mapping",
        JsonType::String => "text",
    }
}

fn node_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

impl Shape<'_> {
    fn value(&self, path: &[String]) -> Span {
        self.document.value(&path.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn key(&self, path: &[String]) -> Span {
        self.document.key(&path.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn report(&mut self, wrong: Vec<String>, diagnostic: Diagnostic) {
        self.wrong.push(wrong);
        self.found.push(diagnostic);
    }

    /// `fields.WalkMe_NPS__c.write`, or the document itself.
    fn name(&self, path: &[String]) -> String {
        if path.is_empty() {
            format!("a document of kind {}", self.kind.as_str())
        } else {
            format!("`{}`", path.join("."))
        }
    }

    fn explain(&mut self, error: &ValidationError<'_>) {
        let path = path_of(error);
        let value = error.instance();
        match error.kind() {
            Problem::AdditionalProperties { unexpected } => {
                for name in unexpected.iter().take(MAX_TOLD) {
                    self.unknown_key(error, &path, name);
                }
            }
            Problem::Required { property } => self.missing_key(&path, property.as_str().unwrap_or_default()),
            Problem::Type { .. } => {
                let parent = error.schema_path().as_str().rsplit_once('/').map_or("", |(parent, _)| parent);
                let pattern = self.compiled.value.pointer(parent).and_then(|schema| schema.get("pattern"));
                let wanted = pattern.and_then(Value::as_str).and_then(form);
                self.wrong_kind(&path, value, &expected_here(error, &path), wanted);
            }
            Problem::AnyOf { context } | Problem::OneOfNotValid { context } => self.union(&path, value, context),
            Problem::Constant { .. } | Problem::Enum { .. } => {
                let words = words_here(error, &path).unwrap_or_default();
                self.unknown_word(&path, value, &words);
            }
            Problem::PropertyNames { error } => {
                let mut path = path;
                path.push(error.instance().as_str().unwrap_or_default().to_owned());
                let wanted = if let Problem::Pattern { pattern } = error.kind() { form(pattern) } else { None };
                let diagnostic = Diagnostic::error(Code::WrongForm, format!("{} has the wrong form", self.name(&path)))
                    .at(self.key(&path), "this name")
                    .maybe_help(wanted.map(|w| format!("write {w}")));
                self.report(path, diagnostic);
            }
            other => {
                let (label, help) = measure(other);
                let diagnostic = Diagnostic::error(Code::WrongForm, format!("{} has the wrong form", self.name(&path)))
                    .at(self.value(&path), label)
                    .maybe_help(help);
                self.report(path, diagnostic);
            }
        }
    }

    fn unknown_key(&mut self, error: &ValidationError<'_>, path: &[String], name: &str) {
        let parent = error.schema_path().as_str().rsplit_once('/').map_or("", |(parent, _)| parent);
        let known: Vec<&str> = self
            .compiled
            .value
            .pointer(parent)
            .and_then(|schema| schema.get("properties"))
            .and_then(Value::as_object)
            .map(|properties| properties.keys().map(String::as_str).collect())
            .unwrap_or_default();
        let mut full = path.to_vec();
        full.push(name.to_owned());
        let place = if path.is_empty() { self.name(path) } else { format!("`{}`", path.join(".")) };
        let mut diagnostic = Diagnostic::error(Code::UnknownKey, format!("unknown key `{name}` in {place}"))
            .at(self.key(&full), "not known here");
        if let Some(near) = nearest(name, known.iter().copied()) {
            self.meant.push(path.iter().cloned().chain([near.to_owned()]).collect());
            diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
        } else if let Some(where_it_is) = belongs_to(self.kind, name) {
            diagnostic = diagnostic.help(where_it_is);
        } else {
            diagnostic = diagnostic.help(format!("known here: {}", quoted(&known)));
        }
        self.report(full, diagnostic);
    }

    fn missing_key(&mut self, path: &[String], name: &str) {
        let diagnostic = Diagnostic::error(Code::MissingKey, format!("{} has no `{name}`", self.name(path)))
            .at(self.key(path), format!("`{name}:` is missing here"))
            .maybe_help(example(name).map(|line| format!("add the line: {line}")));
        self.missing.push((self.found.len(), path.iter().cloned().chain([name.to_owned()]).collect()));
        // An optional part without its required key is taken out, so that the rest can be looked at.
        self.report(path.to_vec(), diagnostic);
    }

    fn wrong_kind(&mut self, path: &[String], value: &Value, expected: &[JsonType], form: Option<&str>) {
        let mut names: Vec<&str> = Vec::new();
        for kind in expected {
            let name = kind_name(*kind);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let wanted = names.join(" or ");
        let message = match value {
            Value::Null => format!("nothing is written after {}", self.name(path)),
            _ => format!("{} must be {wanted}", self.name(path)),
        };
        let text = self.value(path).text().trim().to_owned();
        let is = |kind: JsonType| expected.contains(&kind);
        let remark = self.remark(path).filter(|_| value.is_null() && is(JsonType::String));
        let help = match value {
            Value::Null if remark.is_some() => remark.map(|remark| {
                format!("what begins with # is a remark and counts for nothing; a name goes in quotes: {remark:?}")
            }),
            Value::String(word) if is(JsonType::Boolean) => match word.to_ascii_lowercase().as_str() {
                "yes" | "on" | "y" | "true" => Some("write `true`, without quotes".to_owned()),
                "no" | "off" | "n" | "false" => Some("write `false`, without quotes".to_owned()),
                _ => Some("write `true` or `false`".to_owned()),
            },
            Value::String(word) if word.parse::<f64>().is_ok() => Some(format!("write {word} without quotes")),
            Value::Number(_) | Value::Bool(_) if form.is_some() => form.map(|form| format!("write {form}")),
            Value::Number(_) | Value::Bool(_) if is(JsonType::String) => Some(format!("quote it: \"{text}\"")),
            Value::String(_) | Value::Number(_) | Value::Bool(_) if is(JsonType::Array) && text.len() < 80 => {
                Some(format!("write it as a list: [{text}]"))
            }
            Value::Null if is(JsonType::Object) => Some("write `{}` after it, or delete the key".to_owned()),
            Value::Null => Some(format!("write {wanted} after it, or delete the key")),
            _ => path.last().and_then(|key| example(key)).map(|line| format!("write it like this: {line}")),
        };
        let help = help.or_else(|| Some(format!("write {wanted}")));
        let label =
            if value.is_null() { "nothing after it".to_owned() } else { format!("this is {}", node_name(value)) };
        let diagnostic = Diagnostic::error(Code::WrongType, message).at(self.value(path), label).maybe_help(help);
        self.report(path.to_vec(), diagnostic);
    }

    /// What stands as a remark behind a key without a value: `column: # Logins`.
    fn remark(&self, path: &[String]) -> Option<String> {
        let key = self.key(path);
        let behind = key.file().text().get(key.range().end..)?.lines().next()?;
        let behind = behind.split_once(':')?.1.trim();
        behind.starts_with('#').then(|| behind.to_owned())
    }

    fn unknown_word(&mut self, path: &[String], value: &Value, words: &[String]) {
        let written = value.as_str().unwrap_or_default();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut diagnostic = Diagnostic::error(Code::UnknownWord, format!("{} cannot be `{written}`", self.name(path)))
            .at(self.value(path), format!("must be one of {}", quoted(&words)));
        diagnostic = diagnostic.help(match nearest(written, words.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write {}", if words.len() == 1 { words.concat() } else { "one of them".to_owned() }),
        });
        self.report(path.to_vec(), diagnostic);
    }

    fn union(&mut self, path: &[String], value: &Value, context: &[Vec<ValidationError<'static>>]) {
        let of_kind: Vec<&Vec<ValidationError<'static>>> =
            context.iter().filter(|branch| branch.iter().all(|e| expected_here(e, path).is_empty())).collect();
        match of_kind.as_slice() {
            [] => {
                let expected: Vec<JsonType> = context.iter().flatten().flat_map(|e| expected_here(e, path)).collect();
                self.wrong_kind(path, value, &expected, None);
            }
            [one] => one.iter().for_each(|error| self.explain(error)),
            many => {
                let words: Option<Vec<String>> = many
                    .iter()
                    .flat_map(|branch| branch.iter())
                    .map(|error| words_here(error, path))
                    .collect::<Option<Vec<_>>>()
                    .map(|lists| lists.concat());
                match words {
                    Some(words) => self.unknown_word(path, value, &words),
                    None => self.by_discriminator(path, value, many),
                }
            }
        }
    }

    /// Mappings that a word in one of their keys tells apart, such as `flow`.
    fn by_discriminator(&mut self, path: &[String], value: &Value, branches: &[&Vec<ValidationError<'static>>]) {
        let child = |error: &ValidationError<'_>| {
            let at = path_of(error);
            (at.len() == path.len() + 1 && constant(error).is_some()).then_some(at)
        };
        let fitting: Vec<_> = branches.iter().filter(|b| !b.iter().any(|e| child(e).is_some())).collect();
        if let [one] = fitting.as_slice() {
            return one.iter().for_each(|error| self.explain(error));
        }
        if fitting.is_empty() {
            let tag = branches.iter().flat_map(|b| b.iter()).find_map(child);
            let words: Vec<String> = branches.iter().flat_map(|b| b.iter()).filter_map(constant).collect();
            if let Some(tag) = tag {
                let written = tag.last().and_then(|key| value.get(key)).cloned().unwrap_or_default();
                if written.is_string() {
                    return self.unknown_word(&tag, &written, &words);
                }
                return self.wrong_kind(&tag, &written, &[JsonType::String], None);
            }
        }
        // Without the tell-tale key every branch misses it.
        let missing = branches.first().and_then(|branch| {
            branch.iter().find_map(|e| match e.kind() {
                Problem::Required { property } if path_of(e) == path => property.as_str().map(str::to_owned),
                _ => None,
            })
        });
        let tag = missing.unwrap_or_else(|| "flow".to_owned());
        let tag = if value.get("flow").is_none() { "flow".to_owned() } else { tag };
        self.missing_key(path, &tag);
    }
}

fn measure(problem: &Problem) -> (String, Option<String>) {
    match problem {
        Problem::Pattern { pattern } => ("not of that form".into(), form(pattern).map(|f| format!("write {f}"))),
        Problem::MinLength { .. } => ("empty".into(), Some("write something here, or delete the key".into())),
        Problem::MaxLength { limit } => ("too long".into(), Some(format!("at most {limit} characters fit here"))),
        Problem::Minimum { limit } => ("too small".into(), Some(format!("the least is {limit}"))),
        Problem::Maximum { limit } => ("too large".into(), Some(format!("the most is {limit}"))),
        Problem::MaxItems { limit } => ("too many".into(), Some(format!("at most {limit} entries fit here"))),
        Problem::MaxProperties { limit } => ("too many".into(), Some(format!("at most {limit} entries fit here"))),
        Problem::MinProperties { .. } => ("nothing in it".into(), Some("write at least one entry".into())),
        other => (format!("against `{}`", other.keyword()), None),
    }
}

/// Keys that people look for in the wrong place.
fn belongs_to(kind: Kind, name: &str) -> Option<String> {
    let place = match (kind, name) {
        (Kind::Integration, "schedule") => "`schedule:` belongs under `environments: { production: { … } }`",
        (Kind::Integration, "source" | "columns" | "tags" | "key") => "it belongs under `report:`",
        (Kind::Integration, "column" | "field") => "it belongs under `match:`",
        (Kind::Integration, "domain" | "auth" | "org_id") => "it belongs into orgs.yaml",
        (
            Kind::Integration,
            "max_age" | "max_calls" | "column_vanished" | "blanks_rose" | "match_fell" | "min_rows" | "max_shrink"
            | "max_overwrites" | "max_fills" | "max_clears" | "max_refused" | "min_match",
        ) => "it belongs under `guards:`",
        (_, "sandbox" | "production") => {
            "environments belong under `environments:` (an integration) or under an org's name (orgs.yaml)"
        }
        _ => return None,
    };
    Some(place.to_owned())
}

/// A line that shows how a required key is written.
fn example(name: &str) -> Option<&'static str> {
    Some(match name {
        "name" => "name: logins-to-leads",
        "org" => "org: acme",
        "report" => "report: Logins Review",
        "object" => "object: Lead",
        "match" => "match: { column: User ID, field: Email }",
        "field" => "field: Email",
        "column" => "column: First Login",
        "fields" => "fields: { WalkMe_First_Login__c: First Login }",
        "environments" => "environments: { sandbox: {} }",
        "source" => "source: exports/logins-review.csv",
        "domain" => "domain: acme.my.salesforce.com",
        "org_id" => "org_id: 00D… (Setup > Company Information)",
        "auth" => "auth: { flow: access_token, token: \"${ACME_TOKEN}\" }",
        "flow" => "flow: jwt (or access_token, client_credentials, refresh_token)",
        "token" => "token: \"${ACME_TOKEN}\"",
        "client_id" => "client_id: \"${ACME_CLIENT_ID}\"",
        "client_secret" => "client_secret: \"${ACME_CLIENT_SECRET}\"",
        "refresh_token" => "refresh_token: \"${ACME_REFRESH_TOKEN}\"",
        "username" => "username: ci@acme.example",
        "policy" => "policy: newest",
        _ => return None,
    })
}

/// For the loader: an unknown word with its nearest ones.
pub(super) fn near_words(written: &str, words: &[&'static str]) -> Option<String> {
    suggestion(written, words.iter().copied())
}
