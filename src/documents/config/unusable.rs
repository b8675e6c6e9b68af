//! What a mistake keeps from running: which integrations it concerns, and what of them can be told all the same, so that whoever runs several by themselves can
//! go on with the others.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::diag::{Code, Diagnostic, Diagnostics, Severity};
use crate::model::EnvironmentName;

use super::document::Kind;
use super::valid::{Integration, Project, Repository, Schedule, Windows};

/// An integration that cannot be run as the repository stands: for a mistake in its own document, in one that it depends on, or between it and another.
#[derive(Debug, Clone)]
pub struct Unusable {
    /// Its name.
    pub name: String,
    /// Its org's name, as far as it can be read.
    pub org: Option<String>,
    /// Its report's name, likewise.
    pub report: Option<String>,
    /// Its object, likewise.
    pub object: Option<String>,
    /// Its labels, likewise.
    pub labels: Vec<String>,
    /// Where it runs, and there its schedule, where it has one.
    pub environments: BTreeMap<EnvironmentName, Option<Beat>>,
    /// The errors that keep it from running.
    pub errors: Diagnostics,
}

impl Unusable {
    /// Has it one of these labels? With none wanted, always.
    pub fn has_label(&self, wanted: &[String]) -> bool {
        wanted.is_empty() || wanted.iter().any(|label| self.labels.contains(label))
    }
}

/// When the schedule would run it.
#[derive(Debug, Clone)]
pub struct Beat {
    /// The schedule.
    pub schedule: Schedule,
    /// When it may not run.
    pub windows: Windows,
    /// How often it is tried again before the next tick.
    pub retries: u32,
    /// It stands there so. Else it cannot be read, and `daily` stands in its place.
    pub read: bool,
}

/// A file, as far as it can be read.
pub(super) struct Part {
    pub(super) path: String,
    /// `None`: it could be anything.
    pub(super) kind: Option<Kind>,
    /// Its keys with what is under them; of one that is no YAML, those that are by themselves.
    pub(super) data: Value,
}

impl Part {
    /// A file that came to no document.
    pub(super) fn lost(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), kind: seeming(text), data: Value::Object(sections(text)) }
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.data[key].as_str()
    }

    fn names_orgs(&self) -> impl Iterator<Item = &str> {
        let keys = self.data.as_object().into_iter().flat_map(Map::keys).map(String::as_str);
        keys.filter(|key| !matches!(*key, "footbridge" | "kind"))
    }
}

/// Every key in the first column with what follows it, where that is YAML by itself: one mistake spoils one of them.
fn sections(text: &str) -> Map<String, Value> {
    let mut starts: Vec<usize> = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with(|c: char| c.is_ascii_alphabetic()) {
            starts.push(at);
        }
        at += line.len();
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let mut all = Map::new();
    for (start, end) in starts.iter().zip(ends) {
        if let Ok(Value::Object(section)) = serde_yaml::from_str::<Value>(&text[*start..end]) {
            section.into_iter().for_each(|(key, value)| _ = all.entry(key).or_insert(value));
        }
    }
    all
}

/// The kind that a file says, or that its keys are those of.
fn seeming(text: &str) -> Option<Kind> {
    let key = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    let said = key("kind").map(|said| said.split('#').next().unwrap_or_default().trim().trim_matches(['"', '\'']));
    let named = Kind::ALL.into_iter().find(|kind| Some(kind.as_str()) == said);
    let own = ["object", "match", "fields"].into_iter().filter(|own| key(own).is_some()).count();
    named.or((own >= 2).then_some(Kind::Integration))
}

/// The files that an error is about; of a conflict all that take part in it.
fn files(error: &Diagnostic) -> BTreeSet<&str> {
    let conflict = matches!(
        error.code,
        Code::ContestedField
            | Code::DuplicateIntegration
            | Code::DuplicateOrg
            | Code::DuplicateReport
            | Code::DuplicateProject
    );
    match conflict {
        true => error.labels.iter().map(|label| label.span.file().path()).collect(),
        false => error.span().map(|span| span.file().path()).into_iter().collect(),
    }
}

/// Which integrations the errors keep from running. `repository` holds what is valid in itself, whatever else is wrong in its file.
pub(super) fn unusable(parts: &[Part], found: &Diagnostics, repository: &Repository) -> Vec<Unusable> {
    let errors: Vec<&Diagnostic> = found.iter().filter(|d| d.severity == Severity::Error).collect();
    if errors.is_empty() {
        return Vec::new();
    }
    let faulty: BTreeSet<&str> = errors.iter().flat_map(|error| files(error)).collect();
    let of = |kind: Kind| parts.iter().filter(move |part| part.kind == Some(kind));
    let at_fault = |kind: Kind| of(kind).map(|part| part.path.as_str()).filter(|path| faulty.contains(path));
    let sound = |kind: Kind| of(kind).filter(|part| !faulty.contains(part.path.as_str()));
    let orgs: BTreeSet<&str> = sound(Kind::Orgs).flat_map(Part::names_orgs).collect();
    let reports: BTreeSet<&str> = sound(Kind::Report).filter_map(|part| part.text("name")).collect();
    let of_some = |path: &str| {
        let kind = parts.iter().find(|part| part.path == path).and_then(|part| part.kind);
        matches!(kind, Some(Kind::Integration | Kind::Orgs | Kind::Report))
    };
    let of_all: BTreeSet<&str> = faulty.iter().copied().filter(|path| !of_some(path)).collect();

    let mut by_name: BTreeMap<&str, Vec<&Part>> = BTreeMap::new();
    for part in of(Kind::Integration) {
        if let Some(name) = part.text("name") {
            by_name.entry(name).or_default().push(part);
        }
    }
    let mut all = Vec::new();
    for (name, own) in by_name {
        let mut blamed = of_all.clone();
        for part in &own {
            blamed.extend(faulty.get(part.path.as_str()));
            if !part.text("org").is_some_and(|org| orgs.contains(org)) {
                blamed.extend(at_fault(Kind::Orgs));
            }
            if part.text("report").is_some_and(|report| !reports.contains(report)) {
                blamed.extend(at_fault(Kind::Report));
            }
        }
        let valid = repository.integrations.get(name);
        if let ([_], true, Some(_)) = (own.as_slice(), blamed.is_empty(), valid) {
            continue;
        }
        let concerns = |error: &&&Diagnostic| {
            let files = files(error);
            blamed.is_empty() || files.is_empty() || files.iter().any(|path| blamed.contains(path))
        };
        let errors: Diagnostics = errors.iter().filter(concerns).map(|error| (*error).clone()).collect();
        // What is wrong elsewhere leaves its own document as it is.
        let own_is_sound = own.len() == 1 && own.iter().all(|part| !faulty.contains(part.path.as_str()));
        let first = own[0];
        let environments = match valid.filter(|_| own_is_sound) {
            Some(valid) => beats(valid),
            None => beats_of(&first.data, &repository.project),
        };
        let word = |value: &Value| value.as_str().map(str::to_owned);
        let report = match &first.data["report"] {
            Value::Object(report) => report.get("name").and_then(word),
            name => word(name),
        };
        all.push(Unusable {
            name: name.to_owned(),
            org: word(&first.data["org"]),
            report,
            object: word(&first.data["object"]),
            labels: first.data["labels"].as_array().into_iter().flatten().filter_map(word).collect(),
            environments,
            errors,
        });
    }
    all
}

fn beats(integration: &Integration) -> BTreeMap<EnvironmentName, Option<Beat>> {
    let beat = |environment: &super::valid::Environment| {
        Some(Beat {
            schedule: environment.schedule.as_ref()?.value.clone(),
            windows: environment.not_during.clone(),
            retries: environment.retries,
            read: true,
        })
    };
    integration.environments.iter().map(|(name, environment)| (*name, beat(environment))).collect()
}

/// From a document with mistakes. Its own windows are left out: what can be read of them may not be what is meant.
fn beats_of(data: &Value, project: &Project) -> BTreeMap<EnvironmentName, Option<Beat>> {
    let hour = if data["preset"] == "gainsight" { 8 } else { 9 };
    let windows = Windows::new(project.not_during.clone());
    let both = [EnvironmentName::Sandbox, EnvironmentName::Production].into_iter();
    let there = both.filter(|name| data["environments"].as_object().is_none_or(|all| all.contains_key(name.as_str())));
    there
        .map(|name| {
            let settings = &data["environments"][name.as_str()];
            let read = settings["schedule"].as_str().and_then(|text| Schedule::parse(text, hour).ok());
            let retries = settings["retries"].as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or(project.retries);
            let known = read.is_some();
            let schedule = read.or_else(|| Schedule::parse("daily", hour).ok());
            let beat = |schedule| Beat { schedule, windows: windows.clone(), retries, read: known };
            (name, schedule.map(beat))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mistake_spoils_one_section() {
        let text = "footbridge: 1\nkind: integration\nname: people # the leads\nfields:\n  A__c: \"B\n  C__c: D\nenvironments:\n  sandbox: { schedule: daily }\n";
        let sections = sections(text);
        assert_eq!(sections.keys().collect::<Vec<_>>(), ["environments", "footbridge", "kind", "name"]);
        assert_eq!(sections["environments"]["sandbox"]["schedule"], "daily");
    }

    #[test]
    fn a_kind_is_told_by_the_word_or_by_the_keys() {
        for (text, kind) in [
            ("kind: orgs\n\tx", Some(Kind::Orgs)),
            ("kind: \"report\" # so\n", Some(Kind::Report)),
            ("kind: integratoin\nobject: Lead\nfields: {}\n", Some(Kind::Integration)),
            ("fields: {}\n", None),
            ("# kind: orgs\n", None),
            ("", None),
        ] {
            assert_eq!(seeming(text), kind, "{text}");
        }
    }
}
