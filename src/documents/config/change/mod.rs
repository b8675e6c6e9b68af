//! Two configurations compared by what they mean: the order of keys, comments, file names and defaults that are written out are no change; a catalogue
//! report, the project's guards and the org that an integration depends on are.

mod normal;
mod reach;
mod said;

use std::collections::BTreeSet;

use serde_json::Value;

use super::files::Files;
use super::load::{Loaded, Variables, load_files};
use super::valid::Repository;

pub use reach::{Source as ReachedSource, sources as reached_sources, untrusted, variables, written as written_source};

/// How an integration differs from what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The integration.
    pub name: String,
    /// What happened to it.
    pub kind: ChangeOf,
    /// What differs, a sentence each.
    pub lines: Vec<String>,
    /// The same as a unified difference of the normalised YAML.
    pub yaml: String,
}

/// What happened to an integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeOf {
    /// It is new.
    Added,
    /// It means something else.
    Changed,
    /// It is gone.
    Removed,
}

/// Reads a configuration without its variables: each stands for itself, `${NAME}`. Two of them can be compared, and no secret is in either.
pub fn load_plain(files: &dyn Files) -> Loaded {
    load_files(files, &|name| Some(format!("${{{name}}}")), Variables::All)
}

/// The integrations that differ, by name. Both must come from [`load_plain`].
pub fn changes(before: &Repository, after: &Repository) -> Vec<Change> {
    let names: BTreeSet<&String> = before.integrations.keys().chain(after.integrations.keys()).collect();
    let form = |repository: &Repository, name: &String| {
        repository.integrations.get(name).map(|integration| normal::integration(integration, repository))
    };
    let one = |name: &String| {
        let (old, new) = (form(before, name), form(after, name));
        if old == new {
            return None;
        }
        let kind = match (&old, &new) {
            (None, _) => ChangeOf::Added,
            (_, None) => ChangeOf::Removed,
            _ => ChangeOf::Changed,
        };
        let empty = Value::Null;
        let (from, to) = (old.as_ref().unwrap_or(&empty), new.as_ref().unwrap_or(&empty));
        let lines = if kind == ChangeOf::Changed { said::lines(from, to) } else { Vec::new() };
        Some(Change { name: name.clone(), kind, lines, yaml: said::unified(from, to) })
    };
    names.into_iter().filter_map(one).collect()
}

#[cfg(test)]
mod tests;
