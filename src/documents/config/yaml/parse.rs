//! Text → tree, by saphyr for the places and by serde_yaml for the data; what one of them takes for something else than the other is refused.
//!
//! saphyr's places: `Marker::index()` counts characters, not bytes; an alias carries the place of the alias, its content those of the anchor; the first
//! doubled key ends the parse. So keys are made unique one by one, in a copy, until all doubled ones are known.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use saphyr::{LoadableYamlNode, MarkedYaml, Marker, Scalar as Seen, YamlData};
use serde_json::Value;

use crate::diag::{Code, Diagnostic, Diagnostics, SourceFile, Span};

use super::gaps::{Oddity, oddities};
use super::scalar::{Reading, read};
use super::{Key, Node, Plain, Scalar, Text, Tree};

/// Levels that a document may have.
const MAX_DEPTH: usize = 16;
/// Doubled keys told of one file.
const MAX_DOUBLED: usize = 20;
/// Bytes read once more in search of further doubled keys.
const MAX_REREAD: usize = 256 << 10;
/// With more brackets than this in all, saphyr (which recurses) is only asked when serde_yaml (which limits itself) found the text shallow.
const MANY_BRACKETS: usize = 400;
/// A character for private use marks a doubled key in the copy.
const MARK: u32 = 0xE000;

/// The document of a file as a tree and as data. `None`: nothing more can be said of it than what was found.
pub(crate) fn parse(source: &Text, found: &mut Diagnostics) -> Option<(Tree, Value)> {
    let (text, file) = (source.text.as_str(), &source.file);
    let data = serde_yaml::from_str::<serde_yaml::Value>(text);
    if let Err(error) = &data {
        let brackets = text.bytes().filter(|b| matches!(b, b'[' | b'{')).count();
        if brackets > MANY_BRACKETS {
            let at = error.location().map_or(0, |l| l.index().min(text.len()));
            found.push(syntax_error(file, at, &error.to_string()));
            return None;
        }
    }
    let chars = Chars::of(text);
    let mut copy: Vec<char> = Vec::new();
    let mut doubled = 0;
    let loaded = loop {
        let current: String = copy.iter().collect();
        let attempt = if copy.is_empty() { text } else { &current };
        match MarkedYaml::load_from_str(attempt) {
            Ok(documents) => break Built::from(source, &chars, &documents, found),
            Err(error) if error.info().contains("duplicated key") => {
                let index = error.marker().index();
                if copy.is_empty() {
                    copy = text.chars().collect();
                }
                let quoted = matches!(copy.get(index), Some('"' | '\''));
                let slot = copy.get_mut(index + usize::from(quoted));
                let enough = doubled >= MAX_DOUBLED || doubled * text.len() > MAX_REREAD;
                match slot.filter(|slot| !enough && (quoted || slot.is_alphanumeric() || **slot == '_')) {
                    Some(slot) => *slot = char::from_u32(MARK + doubled as u32).unwrap_or('\u{E000}'),
                    None => {
                        let at = chars.byte(index);
                        let name = text[at..].split([':', '\n']).next().unwrap_or_default();
                        found.push(doubled_key(file, at..at + name.len(), name.trim_matches(['"', '\'']), None));
                        return None;
                    }
                }
                doubled += 1;
            }
            Err(error) => {
                found.push(syntax_error(file, chars.byte(error.marker().index()), error.info()));
                return None;
            }
        }
    };
    let tree = loaded?;
    if tree.depth() > MAX_DEPTH {
        let span = Span::new(file, tree.heading(0..0));
        found.push(
            Diagnostic::error(Code::TooDeep, format!("nested {} levels deep", tree.depth()))
                .at(span, "in this document")
                .help("no document of Footbridge's nests more than a few levels: check the indentation"),
        );
        return None;
    }
    if doubled > 0 {
        // serde_yaml refuses the whole file; the rest of it is still worth checking.
        let data = tree.to_json();
        return Some((tree, data));
    }
    match data.map_err(|error| error.to_string()).and_then(|data| serde_json::to_value(data).map_err(|e| e.to_string()))
    {
        Ok(data) if data == tree.to_json() => Some((tree, data)),
        // Something was refused already, such as an alias: then no wonder.
        _ if found.has_errors() => {
            let data = tree.to_json();
            Some((tree, data))
        }
        other => {
            let said = other.err().unwrap_or_else(|| "their trees differ".to_owned());
            let at = first_difference(&tree, text).unwrap_or(0..0);
            found.push(
                Diagnostic::error(Code::ReadingsDisagree, "two YAML readings disagree about this file")
                    .at(Span::new(file, at), "")
                    .note(said)
                    .help("quote the values that hold special characters, and write block text on one quoted line"),
            );
            None
        }
    }
}

/// Where to point: the first block text or quoted text, which is where readings differ.
fn first_difference(tree: &Tree, text: &str) -> Option<Range<usize>> {
    let odd = |range: &Range<usize>| {
        text.get(range.clone()).is_some_and(|t| t.contains('\n') || t.starts_with(['|', '>', '"', '\'']))
    };
    match &tree.node {
        Node::Scalar(_) => odd(&tree.range).then(|| tree.range.clone()),
        Node::List(items) => items.iter().find_map(|item| first_difference(item, text)),
        Node::Map(entries) => entries.iter().find_map(|(_, value)| first_difference(value, text)),
    }
}

fn syntax_error(file: &Arc<SourceFile>, at: usize, said: &str) -> Diagnostic {
    // The end of the text is best shown at the last line that says something.
    let at = if at >= file.text().len() { file.text().trim_end().len().saturating_sub(1) } else { at };
    let span = Span::new(file, at..at + 1);
    let line = span.line_text();
    let diagnostic = Diagnostic::error(Code::Syntax, "this is not YAML").at(span.clone(), said.to_owned());
    let trimmed = line.trim_start();
    if line.matches('"').count() % 2 == 1 {
        diagnostic.help("a double quote is missing on this line")
    } else if trimmed.contains(": @") || trimmed.contains(": `") || trimmed.contains(": %") {
        diagnostic.help("put the value into double quotes: it starts with a character that YAML keeps for itself")
    } else if trimmed.matches(": ").count() > 1 && !trimmed.contains(['{', '"', '\'']) {
        diagnostic.help("a value with `: ` in it needs double quotes")
    } else {
        diagnostic.help("check the indentation (two spaces a level), the `: ` after each key, and the quotes on this line and the one before")
    }
}

fn doubled_key(file: &Arc<SourceFile>, range: Range<usize>, name: &str, first: Option<Range<usize>>) -> Diagnostic {
    let diagnostic = Diagnostic::error(Code::DuplicateKey, format!("`{name}` is written twice"))
        .at(Span::new(file, range), "a second time")
        .help("keep one of the two: only one could count, and which one is not for Footbridge to guess");
    match first {
        Some(first) => diagnostic.and(Span::new(file, first), "the first time"),
        None => diagnostic,
    }
}

/// Characters to bytes.
struct Chars(Option<Vec<usize>>, usize);

impl Chars {
    fn of(text: &str) -> Self {
        let starts = (!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| at).collect());
        Self(starts, text.len())
    }

    fn byte(&self, index: usize) -> usize {
        match &self.0 {
            Some(starts) => starts.get(index).copied().unwrap_or(self.1),
            None => index.min(self.1),
        }
    }
}

/// Walks saphyr's tree.
struct Built<'a, 'f> {
    text: &'a str,
    file: &'a Arc<SourceFile>,
    chars: &'a Chars,
    scalars: Vec<Range<usize>>,
    found: &'f mut Diagnostics,
}

impl<'a, 'f> Built<'a, 'f> {
    fn from(
        source: &'a Text,
        chars: &'a Chars,
        documents: &[MarkedYaml<'_>],
        found: &'f mut Diagnostics,
    ) -> Option<Tree> {
        let (text, file) = (source.text.as_str(), &source.file);
        if let Some(second) = documents.get(1) {
            let at = chars.byte(second.span.start.index());
            found.push(
                Diagnostic::error(Code::SeveralDocuments, "several documents in one file")
                    .at(Span::new(file, at..at + 1), "the second document")
                    .help("put it into a file of its own, and delete the line `---` before it"),
            );
        }
        let mut built = Built { text, file, chars, scalars: Vec::new(), found };
        let first = documents.first().filter(|d| !matches!(d.data, YamlData::BadValue));
        let tree = first.map(|document| built.tree(document));
        built.refuse_oddities(documents.get(1).map(|d| chars.byte(d.span.start.index())));
        match tree {
            Some(Tree { node: Node::Scalar(Scalar::Other(Plain::Null)), .. }) | None => {
                built.found.push(
                    Diagnostic::error(Code::EmptyDocument, "this file holds no document")
                        .at(Span::new(file, 0..0), "")
                        .help("write `footbridge: 1` and `kind: integration`, or delete the file"),
                );
                None
            }
            // Which of several documents a key belongs to is not clear enough to go on.
            tree => tree.filter(|_| documents.len() < 2),
        }
    }

    fn range(&self, start: Marker, end: Marker) -> Range<usize> {
        let start = self.chars.byte(start.index());
        start..self.chars.byte(end.index()).max(start)
    }

    fn raw(&self, range: &Range<usize>) -> &'a str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    fn span(&self, range: &Range<usize>) -> Span {
        Span::new(self.file, range.clone())
    }

    fn tree(&mut self, node: &MarkedYaml<'_>) -> Tree {
        let range = self.without_properties(self.range(node.span.start, node.span.end));
        if self.raw(&range).starts_with('*') {
            // An alias: told by its sign, its content is elsewhere.
            return Tree { range, node: Node::Scalar(Scalar::Other(Plain::Null)) };
        }
        let inner = match &node.data {
            YamlData::Tagged(_, inner) => return self.tree(inner),
            YamlData::Sequence(items) => Node::List(items.iter().map(|item| self.tree(item)).collect()),
            YamlData::Mapping(entries) => {
                return Tree { range, node: Node::Map(self.entries(entries.iter())) };
            }
            YamlData::Value(value) => Node::Scalar(self.scalar(value, &range)),
            YamlData::Representation(..) | YamlData::BadValue | YamlData::Alias(_) => {
                Node::Scalar(Scalar::Other(Plain::Null))
            }
        };
        Tree { range: self.trimmed(range), node: inner }
    }

    /// A scalar's range without the white space that follows it.
    fn trimmed(&self, range: Range<usize>) -> Range<usize> {
        let raw = self.raw(&range);
        range.start..range.start + raw.trim_end().len()
    }

    /// A node's range without the anchor and tag that may stand before it.
    fn without_properties(&self, range: Range<usize>) -> Range<usize> {
        let mut start = range.start;
        while self.raw(&(start..range.end)).starts_with(['&', '!']) {
            let rest = self.raw(&(start..range.end));
            let word = rest.find(char::is_whitespace).unwrap_or(rest.len());
            start += rest.len() - rest[word..].trim_start().len();
        }
        start..range.end
    }

    /// Does a block's sign stand between the last scalar and this one? A block's own range begins with its text.
    fn is_block(&self, start: usize) -> bool {
        let gap = self.raw(&(self.scalars.last().map_or(0, |r| r.end).min(start)..start));
        gap.lines().map(|line| line.split(" #").next().unwrap_or_default()).any(|line| line.contains(['|', '>']))
    }

    fn scalar(&mut self, value: &Seen<'_>, range: &Range<usize>) -> Scalar {
        let raw = self.raw(range);
        let block = self.is_block(range.start);
        self.scalars.push(range.clone());
        if block || raw.starts_with(['"', '\'']) {
            return Scalar::Text(value.as_str().unwrap_or_default().to_owned());
        }
        // A plain scalar over several lines is folded: that is text, whatever it looks like.
        let trimmed = raw.trim();
        if trimmed.contains('\n') {
            return Scalar::Text(value.as_str().unwrap_or_default().to_owned());
        }
        match read(trimmed) {
            Reading::Text => Scalar::Text(value.as_str().map_or_else(|| trimmed.to_owned(), str::to_owned)),
            Reading::Other(plain) => Scalar::Other(plain),
            Reading::Ambiguous { taken_for, plainly } => {
                let range = self.trimmed(range.clone());
                let mut diagnostic =
                    Diagnostic::error(Code::AmbiguousScalar, format!("YAML versions read `{trimmed}` differently"))
                        .at(self.span(&range), format!("text to some readers, {taken_for} to others"));
                if plainly.as_deref() == Some("null") {
                    diagnostic = diagnostic.help("if nothing is meant, delete the key");
                } else if let Some(plainly) = plainly {
                    diagnostic = diagnostic.help(format!("if the value is meant, write `{plainly}`"));
                }
                self.found.push(diagnostic.help(format!("if the text is meant, quote it: \"{trimmed}\"")));
                Scalar::Text(trimmed.to_owned())
            }
        }
    }

    fn entries<'n, 'i: 'n>(
        &mut self,
        pairs: impl Iterator<Item = (&'n MarkedYaml<'i>, &'n MarkedYaml<'i>)>,
    ) -> Vec<(Key, Tree)> {
        let mut entries: Vec<(Key, Tree)> = Vec::new();
        let mut doubles: Vec<Key> = Vec::new();
        for (key, value) in pairs {
            let range = self.without_properties(self.range(key.span.start, key.span.end));
            let key_tree = self.tree(key);
            let value = self.tree(value);
            let raw = self.raw(&range).to_owned();
            if raw.starts_with('*') {
                continue;
            }
            let text = match &key_tree.node {
                Node::Scalar(Scalar::Text(text)) => text.clone(),
                _ => {
                    self.found.push(
                        Diagnostic::error(Code::KeyNotText, "this key is not text")
                            .at(self.span(&key_tree.range), "a key")
                            .help(format!("quote it: \"{}\"", raw.trim().trim_matches(['"', '\'']))),
                    );
                    continue;
                }
            };
            let key = Key { text, range: key_tree.range };
            if key.text == "<<" && !raw.starts_with(['"', '\'']) {
                self.found.push(
                    Diagnostic::error(Code::MergeKey, "merge keys are not used")
                        .at(self.span(&key.range), "`<<` copies keys from elsewhere")
                        .help("write the keys out here; shared report settings belong in a `kind: report` document"),
                );
                continue;
            }
            if key.text.contains(|c: char| (MARK..MARK + MAX_DOUBLED as u32).contains(&u32::from(c))) {
                let written = raw.trim().trim_matches(['"', '\'']).to_owned();
                doubles.push(Key { text: written, range: key.range });
            } else {
                entries.push((key, value));
            }
        }
        if !doubles.is_empty() {
            let firsts: HashMap<&str, &Range<usize>> =
                entries.iter().map(|(k, _)| (k.text.as_str(), &k.range)).collect();
            let all: Vec<_> = doubles.iter().map(|d| (d, firsts.get(d.text.as_str()).map(|r| (*r).clone()))).collect();
            for (double, first) in all {
                self.found.push(doubled_key(self.file, double.range.clone(), &double.text, first));
            }
        }
        entries
    }

    fn refuse_oddities(&mut self, end: Option<usize>) {
        self.scalars.sort_by_key(|r| (r.start, r.end));
        let mut told = HashSet::new();
        for (oddity, range) in oddities(self.text, &self.scalars) {
            if end.is_some_and(|end| range.start >= end) || !told.insert(range.start) {
                continue;
            }
            let span = self.span(&range);
            self.found.push(match oddity {
                Oddity::Anchor => Diagnostic::error(Code::Anchor, "anchors are not used")
                    .at(span, "an anchor")
                    .help("delete it, and write the value out where it is needed"),
                Oddity::Alias => Diagnostic::error(Code::Anchor, "aliases are not used")
                    .at(span, "an alias")
                    .help("write the value out here; if it is text that starts with `*`, quote it"),
                Oddity::Tag => Diagnostic::error(Code::Tag, "tags are not used")
                    .at(span, "a tag")
                    .help("delete it; a variable of the environment is written \"${NAME}\"; text that starts with `!` is quoted"),
                Oddity::Directive => Diagnostic::error(Code::Directive, "directives are not used")
                    .at(span, "a directive")
                    .help("delete this line"),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &str) -> (Option<Tree>, Vec<(Code, String)>) {
        let source = Text { text: text.to_owned(), file: SourceFile::new("x.yaml", text) };
        let mut found = Diagnostics::new();
        let tree = parse(&source, &mut found).map(|(tree, _)| tree);
        let list =
            found.sorted().iter().map(|d| (d.code, d.span().map_or(String::new(), |s| s.text().to_owned()))).collect();
        (tree, list)
    }

    #[test]
    fn ranges_are_bytes_whatever_the_characters() {
        let text = "é: ö\nlist: [ä, \"ß x\", 'q']\nblock: |\n  one\n  two\nnext: x # said\nempty:\nmap: {a: {}}\nshort: >- # why\n  010\n";
        let (tree, found) = seen(text);
        assert_eq!(found, []);
        let tree = tree.unwrap();
        let at = |path: &[&str]| {
            let mut t = &tree;
            for p in path {
                t = t.child(p).unwrap().1;
            }
            &text[t.range.clone()]
        };
        assert_eq!(at(&["é"]), "ö");
        assert_eq!(at(&["list", "1"]), "\"ß x\"");
        assert_eq!(at(&["list", "2"]), "'q'");
        assert_eq!(at(&["next"]), "x");
        assert!(at(&["block"]).contains("one\n  two"), "{:?}", at(&["block"]));
        assert_eq!(tree.child("block").unwrap().1.as_text(), Some("one\ntwo\n"));
        assert_eq!(tree.to_json()["empty"], Value::Null);
        assert_eq!(tree.to_json()["short"], "010");
    }

    #[test]
    fn every_doubled_key_is_told() {
        let (tree, found) = seen("a: 1\nb: 2\na: 3\n\"b\": 4\nc: {d: 1, d: 2}\n");
        let doubled: Vec<_> = found.iter().map(|(code, text)| (*code, text.as_str())).collect();
        assert_eq!(doubled, [(Code::DuplicateKey, "a"), (Code::DuplicateKey, "\"b\""), (Code::DuplicateKey, "d")]);
        assert_eq!(tree.unwrap().to_json(), serde_json::json!({"a": 1, "b": 2, "c": {"d": 1}}));
    }

    #[test]
    fn oddities_are_refused_with_their_place() {
        for (text, code, place) in [
            ("a: &x 1\nb: *x\n", Code::Anchor, "&x"),
            ("a: !env FOO\n", Code::Tag, "!env"),
            ("a: !!str 1\n", Code::Tag, "!!str"),
            ("a: {<<: {b: 1}}\n", Code::MergeKey, "<<"),
            ("a: 1\n---\nb: 2\n", Code::SeveralDocuments, "b"),
            ("a: 010\n", Code::AmbiguousScalar, "010"),
            ("1: a\n", Code::KeyNotText, "1"),
            ("%YAML 1.2\n---\na: 1\n", Code::Directive, "%YAML 1.2"),
            ("a: {b: c\n", Code::Syntax, "c"),
            ("# nothing\n", Code::EmptyDocument, ""),
            ("", Code::EmptyDocument, ""),
        ] {
            let (_, found) = seen(text);
            assert!(found.iter().any(|(c, p)| *c == code && p == place), "{text:?}: {found:?}");
        }
    }

    mod same_tree {
        use super::*;
        use proptest::prelude::*;

        use crate::config::yaml::text_of;

        fn values() -> impl Strategy<Value = Value> {
            let text = prop_oneof![
                "[a-z é#:'\"\\\\,{}\\[\\]|>&*!%@-]{0,8}",
                "[0-9._:x-]{1,6}",
                Just("a\nb\n".to_owned()),
                "(no|on|yes|~|true|null)"
            ];
            let leaf = prop_oneof![
                text.prop_map(Value::String),
                any::<bool>().prop_map(Value::Bool),
                (-999_999i64..999_999).prop_map(Value::from),
                Just(Value::Null),
            ];
            leaf.prop_recursive(4, 24, 4, |inner| {
                prop_oneof![
                    proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                    proptest::collection::btree_map("[a-zé]{1,5}", inner, 0..4)
                        .prop_map(|map| Value::Object(map.into_iter().collect())),
                ]
            })
        }

        proptest! {
            #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

            /// The fuzz target's property.
            #[test]
            fn any_text_is_refused_with_its_place_or_read_as_serde_yaml_reads_it(
                text in prop_oneof!["[a-c:#\"'\\[\\]{},|>&*!? \n-]{0,40}", "((- |  |a: |'|\"|[a-z0-9.~é]{1,4}|: |\n|# ){0,16}\n){0,4}"],
            ) {
                let mut found = Diagnostics::new();
                let Some(text) = text_of("a.yaml", text.as_bytes(), &mut found) else {
                    prop_assert!(found.has_errors());
                    return Ok(());
                };
                let read = parse(&text, &mut found);
                for label in found.iter().flat_map(|diagnostic| &diagnostic.labels) {
                    prop_assert!(label.span.range().end <= text.text.len() && text.text.get(label.span.range()).is_some());
                }
                match read {
                    Some((tree, _)) if !found.has_errors() => {
                        let other: serde_yaml::Value = serde_yaml::from_str(&text.text).unwrap();
                        prop_assert_eq!(tree.to_json(), serde_json::to_value(other).unwrap());
                    }
                    _ => prop_assert!(found.has_errors()),
                }
            }

            #[test]
            fn accepted_text_is_one_tree_to_both_readers(value in proptest::collection::btree_map("[a-z]{1,4}", values(), 1..4)) {
                let value = serde_json::to_value(value).unwrap();
                for text in [serde_yaml::to_string(&value).unwrap(), value.to_string()] {
                    let (tree, found) = seen(&text);
                    if found.is_empty() {
                        prop_assert_eq!(tree.unwrap().to_json(), value.clone());
                    } else {
                        prop_assert!(found.iter().all(|(code, _)| *code == Code::AmbiguousScalar), "{:?} in {}", found, text);
                    }
                }
            }
        }
    }

    #[test]
    fn yaml_as_people_write_it_is_read_alike() {
        for text in [
            "a: one\n  two\n\n  three\nb: 1\n",
            "a: \"one\n  two \\u00e9 \\\"x\\\"\"\nb: 'it''s\n  so'\n",
            "a: |\n  one\n   two\n\n\nb: >\n  x\n  y\n\n  z\nc: |-\n  q\nd: >+\n  r\n\ne: |2\n   s\n",
            "a:\n- 1\n- b: 2\n  c: [x, 'y', \"z\",]\n-\n  - q\n",
            "---\na: 1\n...\n",
            "# c\n\na: x#y # z\nb: http://x/y?z=1&w#f\nc: a - b\n\"d e\": {f: g, \"h\":i}\n",
            "? a\n: b\n? \"c\"\n: - d\n",
            "a: - b\n",
            "\u{1F600}: \u{1F600} x\ny: z\n",
            "a: {}\nb: []\nc: ''\nd: \"\"\ne:\n  # only a comment\nf: 1.50\n",
            "a: >-\n  where x = 'y'\n  and z\n# end\n",
        ] {
            for text in [text.to_owned(), text.replace('\n', "\r\n")] {
                let (tree, found) = seen(&text);
                let syntax = found.iter().all(|(code, _)| *code == Code::Syntax);
                assert!(found.is_empty() && tree.is_some() || text.contains("a: - b") && syntax, "{text:?}: {found:?}");
            }
        }
    }

    #[test]
    fn deep_and_hostile_nesting_ends_in_an_error() {
        for text in ["[\"]\",".repeat(50_000), "- ".repeat(40), "{a: ".repeat(30) + &"}".repeat(30)] {
            let (tree, found) = seen(&text);
            assert!(tree.is_none() && !found.is_empty());
        }
    }
}
