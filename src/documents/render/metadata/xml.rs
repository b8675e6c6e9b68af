//! XML, as far as metadata needs it.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter, Write as _};

/// Stands in every file, so that nothing of anybody else's is ever written over.
pub const MARK: &str = "<!-- Written by footbridge, and written anew each time: a change made here is lost. -->";

const SPACE: &str = "http://soap.sforce.com/2006/04/metadata";

/// Text between tags.
pub(super) struct Text<'a>(pub(super) &'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&apos;")?,
                // XML 1.0 has no way to write them.
                c if c.is_control() && c != '\n' && c != '\t' => {}
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// An element with others in it, or with text.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Leaf(&'static str, String),
    Group(&'static str, Vec<Node>),
}

impl Node {
    pub(super) fn text(name: &'static str, text: impl Into<String>) -> Self {
        Node::Leaf(name, text.into())
    }

    pub(super) fn flag(name: &'static str, value: bool) -> Self {
        Node::Leaf(name, value.to_string())
    }

    /// On one line, for a person to read and to paste.
    pub(super) fn line(&self) -> String {
        match self {
            Node::Leaf(name, text) => format!("<{name}>{}</{name}>", Text(text)),
            Node::Group(name, nodes) => {
                let inner: String = nodes.iter().map(Node::line).collect();
                format!("<{name}>{inner}</{name}>")
            }
        }
    }

    fn write(&self, indent: usize, out: &mut String) {
        match self {
            Node::Leaf(..) => {
                let _ = writeln!(out, "{:indent$}{}", "", self.line());
            }
            Node::Group(name, nodes) => {
                let _ = writeln!(out, "{:indent$}<{name}>", "");
                nodes.iter().for_each(|node| node.write(indent + 4, out));
                let _ = writeln!(out, "{:indent$}</{name}>", "");
            }
        }
    }
}

/// A whole document.
pub(super) fn document(root: &str, nodes: &[Node]) -> String {
    let mut out = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{MARK}\n<{root} xmlns=\"{SPACE}\">\n");
    nodes.iter().for_each(|node| node.write(4, &mut out));
    let _ = writeln!(out, "</{root}>");
    out
}

/// `package.xml`: what is to be deployed, by type and name.
pub fn manifest(members: &BTreeMap<&str, Vec<String>>, api_version: &str) -> String {
    let mut nodes = Vec::new();
    for (kind, names) in members {
        let mut names: Vec<&String> = names.iter().collect();
        names.sort();
        let mut inner: Vec<Node> = names.into_iter().map(|name| Node::text("members", name.as_str())).collect();
        inner.push(Node::text("name", *kind));
        nodes.push(Node::Group("types", inner));
    }
    nodes.push(Node::text("version", api_version));
    document("Package", &nodes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_text_and_never_markup() {
        let node = Node::Group("a", vec![Node::text("b", "<x> & \"y\" 'z'\u{1b}"), Node::flag("c", true)]);
        assert_eq!(node.line(), "<a><b>&lt;x&gt; &amp; &quot;y&quot; &apos;z&apos;</b><c>true</c></a>");
    }

    #[test]
    fn a_manifest_lists_types_and_names_in_order() {
        let members = BTreeMap::from([("PermissionSet", vec!["B".to_owned(), "A".to_owned()])]);
        let text = manifest(&members, "66.0");
        let inner = "    <types>\n        <members>A</members>\n        <members>B</members>\n        <name>PermissionSet</name>\n    </types>\n    <version>66.0</version>\n";
        assert!(text.contains(inner), "{text}");
    }
}
