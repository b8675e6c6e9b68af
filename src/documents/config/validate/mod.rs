//! Written → valid. The only way from one to the other: every default is filled in here, every reference resolved, and everything that can be said
//! against a configuration without asking an org is said here.

mod across;
mod condition;
mod domain;
mod failures;
mod fields;
mod guards;
mod integration;
mod names;
mod orgs;
mod project;
mod report;
mod schedule;
mod source;
mod variables;

use crate::diag::{Code, Diagnostic, Diagnostics, Span};
use crate::model::EnvironmentName;

use super::document::Document;

pub(super) use across::{contested_fields, unused};
pub(super) use failures::{Known, known_failures, unmet};
pub(super) use integration::{Neighbours, integration};
pub(super) use orgs::orgs;
pub(super) use project::{ProjectDefaults, project};
pub(super) use report::catalogue_report;
pub(super) use variables::misplaced;

/// Which variables must be set.
pub(super) type Needed<'a> = dyn Fn(&str, EnvironmentName) -> bool + 'a;

/// What reads a variable of the environment.
pub(super) type Environment<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// A document being checked.
pub(super) struct Check<'a> {
    pub(super) document: &'a Document,
    pub(super) found: &'a mut Diagnostics,
    pub(super) environment: &'a Environment<'a>,
    /// Is a variable of a header that is not set an error?
    pub(super) headers_needed: bool,
}

impl Check<'_> {
    fn value(&self, path: &[&str]) -> Span {
        self.document.value(path)
    }

    fn key(&self, path: &[&str]) -> Span {
        self.document.key(path)
    }

    fn push(&mut self, diagnostic: Diagnostic) {
        self.found.push(diagnostic);
    }

    /// An error at a value.
    fn wrong(&mut self, code: Code, path: &[&str], message: impl Into<String>, label: &str, help: impl Into<String>) {
        let span = self.value(path);
        self.push(Diagnostic::error(code, message).at(span, label).help(help));
    }
}

/// Two paths, one after the other.
fn join<'a>(path: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    path.iter().chain(more).copied().collect()
}
