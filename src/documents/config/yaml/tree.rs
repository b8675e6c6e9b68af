//! The spanned tree.

use std::ops::Range;

use serde_json::{Map, Number, Value};

use super::Plain;

/// A node and the bytes it covers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tree {
    pub(crate) range: Range<usize>,
    pub(crate) node: Node,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    Scalar(Scalar),
    List(Vec<Tree>),
    Map(Vec<(Key, Tree)>),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar {
    /// Quoted, a block, or plain and nothing else.
    Text(String),
    Other(Plain),
}

/// A key of a mapping: always text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Key {
    pub(crate) text: String,
    pub(crate) range: Range<usize>,
}

impl Tree {
    /// What to point at: the node itself; for a mapping or list rather the key before it.
    pub(crate) fn heading(&self, key: Range<usize>) -> Range<usize> {
        match &self.node {
            Node::Scalar(_) if !self.range.is_empty() => self.range.clone(),
            Node::Scalar(_) => key,
            Node::List(_) | Node::Map(_) if key.is_empty() => match self.first_inside() {
                Some(range) => range,
                None => self.range.clone(),
            },
            _ => key,
        }
    }

    fn first_inside(&self) -> Option<Range<usize>> {
        match &self.node {
            Node::Map(entries) => entries.first().map(|(key, _)| key.range.clone()),
            Node::List(items) => items.first().map(|item| item.range.clone()),
            Node::Scalar(_) => None,
        }
    }

    /// A step down, by key or by index, with the key's place.
    pub(crate) fn child(&self, step: &str) -> Option<(Option<&Range<usize>>, &Tree)> {
        match &self.node {
            Node::Map(entries) => {
                entries.iter().find(|(key, _)| key.text == step).map(|(key, value)| (Some(&key.range), value))
            }
            Node::List(items) => step.parse::<usize>().ok().and_then(|i| items.get(i)).map(|item| (None, item)),
            Node::Scalar(_) => None,
        }
    }

    /// The text of a scalar.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.node {
            Node::Scalar(Scalar::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// How many levels.
    pub(crate) fn depth(&self) -> usize {
        match &self.node {
            Node::Scalar(_) => 1,
            Node::List(items) => 1 + items.iter().map(Tree::depth).max().unwrap_or(0),
            Node::Map(entries) => 1 + entries.iter().map(|(_, value)| value.depth()).max().unwrap_or(0),
        }
    }

    /// The same as data, without the places.
    pub(crate) fn to_json(&self) -> Value {
        match &self.node {
            Node::Scalar(Scalar::Text(text)) => Value::String(text.clone()),
            Node::Scalar(Scalar::Other(Plain::Null)) => Value::Null,
            Node::Scalar(Scalar::Other(Plain::Bool(b))) => Value::Bool(*b),
            Node::Scalar(Scalar::Other(Plain::Integer(i))) => Value::Number((*i).into()),
            Node::Scalar(Scalar::Other(Plain::Decimal(text))) => {
                text.parse().ok().and_then(Number::from_f64).map_or(Value::Null, Value::Number)
            }
            Node::List(items) => Value::Array(items.iter().map(Tree::to_json).collect()),
            Node::Map(entries) => {
                Value::Object(entries.iter().map(|(k, v)| (k.text.clone(), v.to_json())).collect::<Map<_, _>>())
            }
        }
    }
}
