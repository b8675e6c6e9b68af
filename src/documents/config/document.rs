//! A document on its way from text to meaning: its file, its tree, and the way from a path to a place.

use std::sync::Arc;

use crate::diag::{SourceFile, Span};

use super::yaml::{Node, Tree};

/// The kinds of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Integration,
    Orgs,
    Report,
    Project,
    KnownFailures,
}

impl Kind {
    pub(super) const ALL: [Kind; 5] = [Kind::Integration, Kind::Orgs, Kind::Report, Kind::Project, Kind::KnownFailures];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Kind::Integration => "integration",
            Kind::Orgs => "orgs",
            Kind::Report => "report",
            Kind::Project => "project",
            Kind::KnownFailures => "known_failures",
        }
    }
}

/// One document: the file and its tree.
pub(super) struct Document {
    pub(super) file: Arc<SourceFile>,
    pub(super) tree: Tree,
}

impl Document {
    pub(super) fn span(&self, range: &std::ops::Range<usize>) -> Span {
        Span::new(&self.file, range.clone())
    }

    /// The value at a path of keys; where the path breaks off, the last value that is there.
    pub(super) fn value(&self, path: &[&str]) -> Span {
        let mut tree = &self.tree;
        let mut range = tree.heading(0..0);
        for step in path {
            match tree.child(step) {
                Some((key, child)) => {
                    range = child.heading(key.cloned().unwrap_or(range));
                    tree = child;
                }
                None => break,
            }
        }
        self.span(&range)
    }

    /// The key at the end of a path; where the path breaks off, the last key that is there.
    pub(super) fn key(&self, path: &[&str]) -> Span {
        let mut tree = &self.tree;
        let mut range = tree.heading(0..0);
        for step in path {
            match tree.child(step) {
                Some((key, child)) => {
                    range = key.cloned().unwrap_or_else(|| child.heading(range));
                    tree = child;
                }
                None => break,
            }
        }
        self.span(&range)
    }

    /// Does this place of the file lie under a key of the document?
    pub(super) fn holds(&self, key: &str, at: usize) -> bool {
        let child = self.tree.child(key);
        child.is_some_and(|(key, value)| key.map_or(value.range.start, |key| key.start) <= at && at < value.range.end)
    }

    /// The keys of the mapping at a path, as written and in their order.
    pub(super) fn keys(&self, path: &[&str]) -> Vec<&str> {
        let mut tree = &self.tree;
        for step in path {
            match tree.child(step) {
                Some((_, child)) => tree = child,
                None => return Vec::new(),
            }
        }
        match &tree.node {
            Node::Map(entries) => entries.iter().map(|(key, _)| key.text.as_str()).collect(),
            _ => Vec::new(),
        }
    }
}
