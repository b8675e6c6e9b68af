//! The CSV that a client uploads, as Salesforce reads it: one delimiter, one kind of line end, quotes only around whole cells.

use std::borrow::Cow;

/// Line ends that a job declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEnd {
    /// `\n`.
    Lf,
    /// `\r\n`.
    CrLf,
}

impl LineEnd {
    /// As jobs spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lf => "LF",
            Self::CrLf => "CRLF",
        }
    }

    /// The bytes.
    pub fn text(self) -> &'static str {
        match self {
            Self::Lf => "\n",
            Self::CrLf => "\r\n",
        }
    }

    /// From a job's spelling.
    pub fn of(name: &str) -> Option<Self> {
        [Self::Lf, Self::CrLf].into_iter().find(|e| e.name() == name)
    }

    /// Does every newline of the text agree, those within cells included?
    pub fn agrees(self, text: &str) -> bool {
        let bytes = text.as_bytes();
        let after_return = |at: usize| at > 0 && bytes[at - 1] == b'\r';
        memchr::memchr_iter(b'\n', bytes).all(|at| after_return(at) == (self == Self::CrLf))
    }
}

/// Delimiters by name.
pub const DELIMITERS: [(&str, char); 6] =
    [("BACKQUOTE", '`'), ("CARET", '^'), ("COMMA", ','), ("PIPE", '|'), ("SEMICOLON", ';'), ("TAB", '\t')];

/// Why a row cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// A cell that is opened and never closed.
    #[error("EOF reached before closing an opened quote")]
    OpenQuote,
    /// A quote within a plain cell, or text behind a closing one.
    #[error("Found unescaped quote. A value with quote should be within a quote")]
    LooseQuote,
}

/// Reads rows one by one.
pub struct Rows<'a> {
    text: &'a str,
    at: usize,
    delimiter: u8,
    line_end: LineEnd,
}

impl<'a> Rows<'a> {
    /// From byte `at` of the text on.
    pub fn new(text: &'a str, at: usize, delimiter: char, line_end: LineEnd) -> Self {
        Self { text, at, delimiter: delimiter as u8, line_end }
    }

    /// Where the next row begins.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The next row: its cells into `cells`, and its text without the line end. Blank lines are passed over.
    pub fn next(&mut self, cells: &mut Vec<Cow<'a, str>>) -> Result<Option<&'a str>, Unreadable> {
        let bytes = self.text.as_bytes();
        let end = self.line_end.text();
        while self.text[self.at..].starts_with(end) {
            self.at += end.len();
        }
        cells.clear();
        if self.at >= bytes.len() {
            return Ok(None);
        }
        let start = self.at;
        loop {
            let (cell, after) =
                if bytes.get(self.at) == Some(&b'"') { self.quoted(self.at + 1)? } else { self.plain(self.at)? };
            cells.push(cell);
            if bytes.get(after) == Some(&self.delimiter) {
                self.at = after + 1;
                continue;
            }
            self.at = (after + end.len()).min(bytes.len());
            return Ok(Some(&self.text[start..after]));
        }
    }

    /// Is this place the end of a cell?
    fn ends(&self, at: usize) -> bool {
        let rest = &self.text.as_bytes()[at..];
        rest.is_empty() || rest[0] == self.delimiter || rest.starts_with(self.line_end.text().as_bytes())
    }

    fn plain(&self, from: usize) -> Result<(Cow<'a, str>, usize), Unreadable> {
        let bytes = self.text.as_bytes();
        let mut at = from;
        while !self.ends(at) {
            if bytes[at] == b'"' {
                return Err(Unreadable::LooseQuote);
            }
            at += 1;
        }
        Ok((Cow::Borrowed(&self.text[from..at]), at))
    }

    fn quoted(&self, from: usize) -> Result<(Cow<'a, str>, usize), Unreadable> {
        let bytes = self.text.as_bytes();
        let mut cell = Cow::Borrowed("");
        let mut piece = from;
        loop {
            let quote = memchr::memchr(b'"', &bytes[piece..]).ok_or(Unreadable::OpenQuote)? + piece;
            let doubled = bytes.get(quote + 1) == Some(&b'"');
            let text = &self.text[piece..quote + usize::from(doubled)];
            if cell.is_empty() {
                cell = Cow::Borrowed(text);
            } else {
                cell.to_mut().push_str(text);
            }
            if !doubled {
                let after = quote + 1;
                return if self.ends(after) { Ok((cell, after)) } else { Err(Unreadable::LooseQuote) };
            }
            piece = quote + 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{LineEnd, Rows, Unreadable};

    fn read(text: &str, line_end: LineEnd) -> Result<Vec<(String, Vec<String>)>, Unreadable> {
        let mut rows = Rows::new(text, 0, ',', line_end);
        let (mut cells, mut all) = (Vec::new(), Vec::new());
        while let Some(raw) = rows.next(&mut cells)? {
            all.push((raw.to_owned(), cells.iter().map(|c| c.clone().into_owned()).collect()));
        }
        Ok(all)
    }

    #[test]
    fn cells_quotes_and_line_ends() {
        let row = |raw: &str, cells: &[&str]| (raw.to_owned(), cells.iter().map(|c| (*c).to_owned()).collect());
        assert_eq!(
            read("Id,A\n1,\n\n2,\"x \"\"y\"\"\n,z\"\n3, q", LineEnd::Lf).unwrap(),
            [
                row("Id,A", &["Id", "A"]),
                row("1,", &["1", ""]),
                row("2,\"x \"\"y\"\"\n,z\"", &["2", "x \"y\"\n,z"]),
                row("3, q", &["3", " q"]),
            ]
        );
        assert_eq!(read("a\r\nb\r\n", LineEnd::CrLf).unwrap().len(), 2);
        assert_eq!(read("a,\"b", LineEnd::Lf), Err(Unreadable::OpenQuote));
        assert_eq!(read("a,b\"c\"", LineEnd::Lf), Err(Unreadable::LooseQuote));
        assert_eq!(read("a,\"b\"c", LineEnd::Lf), Err(Unreadable::LooseQuote));
        assert_eq!(read("\"\"\"\"\n", LineEnd::Lf).unwrap()[0].1, ["\""]);
    }

    #[test]
    fn every_newline_must_be_of_the_jobs_kind() {
        for (text, lf, crlf) in
            [("a\nb", true, false), ("a\r\nb", false, true), ("a\rb", true, true), ("\"x\r\ny\"\n", false, false)]
        {
            assert_eq!((LineEnd::Lf.agrees(text), LineEnd::CrLf.agrees(text)), (lf, crlf), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_quoted_reads_back(cells in proptest::collection::vec("[a\",\né ]{0,6}", 1..4)) {
            let line: Vec<String> = cells.iter().map(|c| format!("\"{}\"", c.replace('"', "\"\""))).collect();
            let all = read(&line.join(","), LineEnd::Lf).unwrap();
            prop_assert_eq!(&all[0].1, &cells);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[a\",\r\né]{0,20}") {
            let _ = (read(&text, LineEnd::Lf), read(&text, LineEnd::CrLf));
        }
    }
}
