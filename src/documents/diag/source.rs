//! Files as people wrote them, and places in them.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A file that a problem can point into.
pub struct SourceFile {
    path: String,
    text: Arc<str>,
    line_starts: Vec<usize>,
}

impl SourceFile {
    /// `path` is shown to people: relative to the repository's root, with `/`.
    pub fn new(path: impl Into<String>, text: impl Into<Arc<str>>) -> Arc<Self> {
        let text: Arc<str> = text.into();
        let mut line_starts = vec![0];
        line_starts.extend(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i + 1));
        Arc::new(Self { path: path.into(), text, line_starts })
    }

    /// The path as shown.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The line (1-based) that holds this byte.
    pub fn line_of(&self, byte: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= byte).max(1)
    }

    /// The bytes of a line (1-based), without its line end; empty past the last line.
    pub fn line_range(&self, line: usize) -> Range<usize> {
        let Some(&start) = line.checked_sub(1).and_then(|i| self.line_starts.get(i)) else {
            return self.text.len()..self.text.len();
        };
        let end = self.line_starts.get(line).map_or(self.text.len(), |next| next - 1);
        let end = if end > start && self.text.as_bytes().get(end - 1) == Some(&b'\r') { end - 1 } else { end };
        start..end.max(start)
    }
}

impl fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceFile({})", self.path)
    }
}

/// A place in a file.
#[derive(Clone)]
pub struct Span {
    file: Arc<SourceFile>,
    range: Range<usize>,
}

impl Span {
    /// `range` is in bytes; it is clipped to the text and to whole characters.
    pub fn new(file: &Arc<SourceFile>, range: Range<usize>) -> Self {
        let text = file.text();
        let start = text.floor_char_boundary(range.start.min(text.len()));
        let end = text.ceil_char_boundary(range.end.clamp(start, text.len()));
        Self { file: Arc::clone(file), range: start..end }
    }

    /// The file.
    pub fn file(&self) -> &Arc<SourceFile> {
        &self.file
    }

    /// Bytes of the file's text.
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// Line of the first character, 1-based.
    pub fn line(&self) -> usize {
        self.file.line_of(self.range.start)
    }

    /// Column of the first character, 1-based, in characters.
    pub fn column(&self) -> usize {
        let start = self.file.line_range(self.line()).start;
        self.file.text().get(start..self.range.start).map_or(1, |before| before.chars().count() + 1)
    }

    /// The text it covers.
    pub fn text(&self) -> &str {
        self.file.text().get(self.range.clone()).unwrap_or_default()
    }

    /// The whole of its first line, without the line end.
    pub fn line_text(&self) -> &str {
        self.file.text().get(self.file.line_range(self.line())).unwrap_or_default()
    }
}

impl PartialEq for Span {
    fn eq(&self, other: &Self) -> bool {
        self.range == other.range && self.file.path == other.file.path
    }
}
impl Eq for Span {}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// `path:line:column`
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file.path, self.line(), self.column())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_count_from_one() {
        let file = SourceFile::new("a.yaml", "é: 1\r\nnäme: ö\n");
        let at = file.text().find('ö').unwrap();
        let span = Span::new(&file, at..at + 2);
        assert_eq!((span.line(), span.column()), (2, 7));
        assert_eq!(span.line_text(), "näme: ö");
        assert_eq!(&file.text()[file.line_range(1)], "é: 1");
        assert_eq!(span.to_string(), "a.yaml:2:7");
    }

    #[test]
    fn a_span_is_clipped_to_the_text_and_to_characters() {
        let file = SourceFile::new("a.yaml", "aé");
        assert_eq!(Span::new(&file, 2..99).range(), 1..3);
        assert_eq!(Span::new(&file, 50..99).range(), 3..3);
        assert_eq!(file.line_range(7), 3..3);
        let nothing = SourceFile::new("b.yaml", "");
        let span = Span::new(&nothing, 0..0);
        assert_eq!((span.line(), span.column(), span.line_text()), (1, 1, ""));
    }
}
