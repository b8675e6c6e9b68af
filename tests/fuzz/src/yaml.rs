//! Configuration files.

#[path = "../../../src/documents/config/yaml/mod.rs"]
mod yaml;

use std::ops::Range;

use self::yaml::{Node, Tree, parse, text_of};
use crate::diag::{Diagnostics, Severity};

/// Every place lies in the text, and what is accepted serde_yaml reads as the same data.
pub fn check(bytes: &[u8]) {
    let mut found = Diagnostics::new();
    let Some(text) = text_of("a.yaml", bytes, &mut found) else {
        assert!(found.count(Severity::Error) > 0, "what is not read is told");
        return inside(&found);
    };
    let read = parse(&text, &mut found);
    inside(&found);
    let Some((tree, _)) = read else {
        return assert!(found.count(Severity::Error) > 0, "what is not read is told");
    };
    places(&tree, &(0..text.text.len()));
    if found.count(Severity::Error) == 0 {
        let other: serde_yaml::Value = serde_yaml::from_str(&text.text).expect("what is accepted is YAML");
        let other = serde_json::to_value(other).expect("what is accepted is data");
        assert_eq!(tree.to_json(), other);
    }
}

fn inside(found: &Diagnostics) {
    for label in found.iter().flat_map(|diagnostic| &diagnostic.labels) {
        let _ = (label.span.line(), label.span.column(), label.span.line_text(), label.span.text());
    }
}

fn places(tree: &Tree, within: &Range<usize>) {
    assert!(within.start <= tree.range.start && tree.range.end <= within.end, "{:?} in {within:?}", tree.range);
    match &tree.node {
        Node::Scalar(_) => {}
        Node::List(items) => items.iter().for_each(|item| places(item, within)),
        Node::Map(entries) => entries.iter().for_each(|(_, value)| places(value, within)),
    }
}
