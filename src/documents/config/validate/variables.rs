//! Variables of the environment: `${NAME}`, in `auth`, in a source's headers and in the project's notices only.

use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::model::Secret;

use super::super::document::{Document, Kind};
use super::super::valid::Credential;
use super::super::yaml::{Node, Scalar, Tree, is_sensitive};
use super::Check;

enum Part {
    Text(String),
    Variable(String),
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Splits at `${NAME}`. The error is the part that is not understood.
fn parts(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if !before.is_empty() {
            parts.push(Part::Text(before.to_owned()));
        }
        let (name, after) = after.split_once('}').ok_or("the closing brace is missing")?;
        if !is_name(name) {
            return Err("a variable's name has letters, digits and `_` only".to_owned());
        }
        parts.push(Part::Variable(name.to_owned()));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    Ok(parts)
}

/// What a text with variables comes to.
pub(super) enum Expanded {
    Ready(Credential),
    Unset(Vec<String>),
    /// Told already.
    Wrong,
}

impl Check<'_> {
    /// Fills variables in. `told`: is a variable that is not set an error here?
    pub(super) fn expand(&mut self, path: &[&str], text: &str, told: bool) -> Expanded {
        let parts = match parts(text) {
            Ok(parts) => parts,
            Err(why) => {
                self.wrong(Code::BadVariable, path, "this variable is not understood", &why, "write \"${NAME}\"");
                return Expanded::Wrong;
            }
        };
        let (mut value, mut variables, mut unset) = (String::new(), Vec::new(), Vec::new());
        for part in parts {
            match part {
                Part::Text(text) => value.push_str(&text),
                Part::Variable(name) => {
                    match (self.environment)(&name) {
                        Some(text) if !text.is_empty() => value.push_str(&text),
                        _ => unset.push(name.clone()),
                    }
                    variables.push(name);
                }
            }
        }
        if unset.is_empty() {
            return Expanded::Ready(Credential { value: Secret::new(value), variables });
        }
        for name in unset.iter().filter(|_| told) {
            let span = self.value(path);
            self.push(
                Diagnostic::error(Code::VariableNotSet, format!("the variable {name} is not set"))
                    .at(span, "read from the environment")
                    .help(format!(
                        "set it in the shell that runs Footbridge (export {name}=…), or as a secret of the CI job"
                    )),
            );
        }
        Expanded::Unset(unset)
    }

    /// A secret: wholly a variable.
    pub(super) fn secret(&mut self, path: &[&str], text: &str, told: bool) -> Expanded {
        let wholly = matches!(parts(text).as_deref(), Ok([Part::Variable(_)]));
        if wholly || (parts(text).is_err() && text.contains("${")) {
            return self.expand(path, text, told);
        }
        let key = path.last().copied().unwrap_or_default();
        self.written_out(path, key);
        Expanded::Wrong
    }

    /// Says how a secret is moved out of the file. The value itself is shown nowhere.
    pub(super) fn written_out(&mut self, path: &[&str], key: &str) {
        let help = match path {
            [org, environment, _, _] => {
                let name = variable_name(&format!("{org}_{environment}_{key}"));
                format!("write {key}: \"${{{name}}}\", and set the variable {name} in your shell and in CI")
            }
            ["notices", .., name] => {
                format!("write {name}: \"${{NOTICES_URL}}\", and set the variable NOTICES_URL as a secret of the CI job")
            }
            [.., "headers", name] => {
                format!("write {name}: \"${{REPORT_TOKEN}}\", and set the variable REPORT_TOKEN in your shell and in CI")
            }
            _ => "take it out of the URL, and write `headers: { Authorization: \"${REPORT_TOKEN}\" }`, if the server takes that".to_owned(),
        };
        let span = self.value(path);
        self.push(
            Diagnostic::error(Code::SecretWrittenOut, format!("a secret is written out in `{key}`"))
                .at(span, "whoever reads the repository can read this")
                .help(help)
                .help("if this file was ever committed, revoke the secret and make a new one: git keeps the old text"),
        );
    }
}

fn variable_name(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

fn allowed(kind: Kind, path: &[&str]) -> bool {
    match kind {
        Kind::Orgs => matches!(path, [_, _, "auth" | "plan_auth" | "ci_auth", ..]),
        Kind::Integration => {
            matches!(path, ["report", "source", "headers", ..] | ["environments", _, "source", "headers", ..])
        }
        Kind::Report => matches!(path, ["source", "headers", ..]),
        Kind::Project => matches!(path, ["notices", "url"] | ["notices", "headers", ..]),
        Kind::KnownFailures => false,
    }
}

/// Variables where none are read.
pub(crate) fn misplaced(document: &Document, kind: Kind, found: &mut Diagnostics) {
    let mut path = Vec::new();
    walk(document, kind, &document.tree, &mut path, found);
}

fn walk<'t>(document: &Document, kind: Kind, tree: &'t Tree, path: &mut Vec<&'t str>, found: &mut Diagnostics) {
    match &tree.node {
        Node::Map(entries) => {
            for (key, value) in entries {
                if key.text.contains("${") {
                    found.push(not_here(document.span(&key.range), kind));
                }
                path.push(&key.text);
                walk(document, kind, value, path, found);
                path.pop();
            }
        }
        Node::List(items) => {
            for item in items {
                path.push("");
                walk(document, kind, item, path, found);
                path.pop();
            }
        }
        Node::Scalar(Scalar::Text(text)) if text.contains("${") && !allowed(kind, path) => {
            found.push(not_here(document.span(&tree.range), kind));
        }
        Node::Scalar(_) => {}
    }
}

fn not_here(span: crate::diag::Span, kind: Kind) -> Diagnostic {
    let help = match kind {
        Kind::Orgs => {
            "write the value itself; only what stands under `auth:`, `plan_auth:` or `ci_auth:` may come from the environment"
        }
        Kind::Project => {
            "write the value itself; in this file only `notices:` reads variables, in `url:` and `headers:`"
        }
        _ => "write the value itself; variables are read in an org's `auth:` and in a source's `headers:` only",
    };
    Diagnostic::error(Code::VariableNotAllowed, "no variable is read here")
        .at(span, "only auth and headers read the environment")
        .help(help)
        .note("otherwise a pull request could carry a credential away")
}

/// Is a header's value to be kept secret?
pub(super) fn secret_header(name: &str) -> bool {
    is_sensitive(name) || name.to_ascii_lowercase().contains("key")
}
