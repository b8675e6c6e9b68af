//! Entries written straight into lines, from borrowed parts: byte for byte what serde makes of an [`Entry`](super::Entry).

use super::{ChangeKind, Lines, Note, RefusedCell, RowOutcome};
use crate::model::{FieldName, RecordId};

/// How changed cells of one field and kind begin in a line: written once for all of them.
#[derive(Debug, Clone)]
pub struct Opening(Vec<u8>);

impl Opening {
    /// Of a change of this field that does this.
    pub fn new(field: &FieldName, kind: ChangeKind) -> Self {
        let mut out = b"{\"field\":".to_vec();
        put_text(&mut out, field.as_str());
        out.extend_from_slice(b",\"kind\":\"");
        out.extend_from_slice(kind.as_str().as_bytes());
        out.extend_from_slice(b"\",\"before\":");
        Self(out)
    }
}

/// One changed cell, borrowed; what [`CellChange`](super::CellChange) owns.
#[derive(Debug, Clone, Copy)]
pub struct Changed<'a> {
    /// Its field, and what the change does.
    pub opening: &'a Opening,
    /// The record's value, UTF-8; `None` is blank.
    pub before: Option<&'a [u8]>,
    /// The value to write, UTF-8; `None` is blank.
    pub after: Option<&'a [u8]>,
    /// What was done to the report's value.
    pub note: Option<&'a Note>,
}

/// A line being written. The parts come in the order of the methods; each may be left out, and empty lists leave themselves out.
#[must_use = "a line that is not ended stays unfinished"]
pub struct LineBuilder<'l> {
    lines: &'l mut Lines,
    outcome: RowOutcome,
}

impl Lines {
    /// Begins an entry's line. What is not UTF-8 in the key is replaced.
    pub fn begin(&mut self, row: u64, line: u64, key: &[u8], outcome: RowOutcome) -> LineBuilder<'_> {
        let out = &mut self.bytes;
        out.extend_from_slice(b"{\"entry\":{\"row\":");
        put_number(out, row);
        out.extend_from_slice(b",\"line\":");
        put_number(out, line);
        out.extend_from_slice(b",\"key\":");
        put_bytes(out, key);
        out.extend_from_slice(b",\"outcome\":\"");
        out.extend_from_slice(outcome.as_str().as_bytes());
        out.push(b'"');
        LineBuilder { lines: self, outcome }
    }
}

impl LineBuilder<'_> {
    /// The record.
    pub fn record(self, id: &RecordId) -> Self {
        // Letters and digits need no escape.
        let out = &mut self.lines.bytes;
        out.extend_from_slice(b",\"record\":\"");
        out.extend_from_slice(id.as_bytes());
        out.push(b'"');
        self
    }

    /// The cells that would change.
    pub fn cells<'a>(self, cells: impl Iterator<Item = Changed<'a>>) -> Self {
        self.list("cells", cells, |out, cell| {
            out.extend_from_slice(&cell.opening.0);
            put_option(out, cell.before);
            out.extend_from_slice(b",\"after\":");
            put_option(out, cell.after);
            if let Some(note) = cell.note {
                out.extend_from_slice(b",\"note\":{\"code\":");
                put_text(out, &note.code);
                out.extend_from_slice(b",\"text\":");
                put_text(out, &note.text);
                if let Some(from) = &note.from {
                    out.extend_from_slice(b",\"from\":");
                    put_text(out, from);
                }
                out.push(b'}');
            }
            out.push(b'}');
        })
    }

    /// The cells that cannot be written.
    pub fn refused(self, cells: &[RefusedCell]) -> Self {
        self.list("refused", cells.iter(), |out, cell| {
            out.extend_from_slice(b"{\"field\":");
            put_text(out, cell.field.as_str());
            for (name, text) in [
                (&b",\"column\":"[..], &cell.column),
                (b",\"value\":", &cell.value),
                (b",\"code\":", &cell.code),
                (b",\"message\":", &cell.message),
            ] {
                out.extend_from_slice(name);
                put_text(out, text);
            }
            if let Some(hint) = &cell.hint {
                out.extend_from_slice(b",\"hint\":");
                put_text(out, hint);
            }
            out.push(b'}');
        })
    }

    /// The records that share the key.
    pub fn candidates(self, ids: &[RecordId]) -> Self {
        self.list("candidates", ids.iter(), |out, id| put_text(out, id.as_str()))
    }

    /// The other rows that share the key.
    pub fn rows(self, rows: &[u64]) -> Self {
        self.list("rows", rows.iter(), |out, row| put_number(out, *row))
    }

    /// Why the key cannot be used.
    pub fn reason(self, reason: &str) -> Self {
        self.lines.bytes.extend_from_slice(b",\"reason\":");
        put_text(&mut self.lines.bytes, reason);
        self
    }

    /// Ends the line.
    pub fn end(self) {
        self.lines.bytes.extend_from_slice(b"}}\n");
        self.lines.ends.push((self.outcome, self.lines.bytes.len()));
    }

    fn list<T>(self, name: &str, items: impl Iterator<Item = T>, mut put: impl FnMut(&mut Vec<u8>, T)) -> Self {
        let out = &mut self.lines.bytes;
        let mut any = false;
        for item in items {
            if any {
                out.push(b',');
            } else {
                out.extend_from_slice(b",\"");
                out.extend_from_slice(name.as_bytes());
                out.extend_from_slice(b"\":[");
            }
            any = true;
            put(out, item);
        }
        if any {
            out.push(b']');
        }
        self
    }
}

fn put_option(out: &mut Vec<u8>, text: Option<&[u8]>) {
    match text {
        Some(text) => put_bytes(out, text),
        None => out.extend_from_slice(b"null"),
    }
}

pub(super) fn put_number(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// ASCII, and nothing that a JSON string escapes: looked at eight bytes at a time, without an early end.
fn plain(text: &[u8]) -> bool {
    const EACH: u64 = 0x0101_0101_0101_0101;
    // The highest bit of a byte that is less than `least`, which is at most 128; behind one that is, perhaps of others.
    let less = |word: u64, least: u8| word.wrapping_sub(u64::from(least) * EACH) & !word;
    let strange = |word: [u8; 8]| {
        let word = u64::from_le_bytes(word);
        let is = |byte: u8| less(word ^ (u64::from(byte) * EACH), 1);
        less(word, b' ') | is(b'"') | is(b'\\') | word
    };
    let (words, rest) = text.as_chunks();
    // The last eight once more, or what there is of eight.
    let last = text.last_chunk().copied().unwrap_or_else(|| {
        let mut last = [b' '; 8];
        last[..rest.len()].copy_from_slice(rest);
        last
    });
    words.iter().fold(strange(last), |bits, word| bits | strange(*word)) & (0x80 * EACH) == 0
}

/// A JSON string: quotes, backslashes and control characters are escaped, nothing else.
pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_bytes(out, text.as_bytes());
}

/// The same of bytes that are UTF-8; what is not is replaced.
fn put_bytes(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    if plain(text) {
        out.extend_from_slice(text);
    } else {
        put_escaped(out, &String::from_utf8_lossy(text));
    }
    out.push(b'"');
}

fn put_escaped(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|&b| b < b' ' || b == b'"' || b == b'\\') {
        out.extend_from_slice(&rest[..at]);
        let byte = rest[at];
        let short = match byte {
            b'"' | b'\\' => Some(byte),
            0x08 => Some(b'b'),
            0x0c => Some(b'f'),
            b'\n' => Some(b'n'),
            b'\r' => Some(b'r'),
            b'\t' => Some(b't'),
            _ => None,
        };
        match short {
            Some(letter) => out.extend_from_slice(&[b'\\', letter]),
            None => {
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
            }
        }
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{CellChange, Entry};
    use super::*;

    fn text() -> impl Strategy<Value = String> {
        prop_oneof!["[a-z\"\\\\/<>&'{}]{0,6}", "[\\x00-\\x21\\x7f-\\xa0\u{2028}é😀]{0,6}", any::<String>()]
    }

    fn id() -> impl Strategy<Value = RecordId> {
        "[0-9A-Za-z]{15}".prop_map(|id| RecordId::parse(&id).unwrap())
    }

    fn note() -> impl Strategy<Value = Note> {
        (text(), text(), proptest::option::of(text())).prop_map(|(code, text, from)| Note { code, text, from })
    }

    fn cell() -> impl Strategy<Value = CellChange> {
        let kind = proptest::sample::select(ChangeKind::ALL.to_vec());
        (text(), kind, proptest::option::of(text()), proptest::option::of(text()), proptest::option::of(note()))
            .prop_map(|(field, kind, before, after, note)| CellChange {
                field: FieldName::new(field),
                kind,
                before,
                after,
                note,
            })
    }

    fn refused() -> impl Strategy<Value = RefusedCell> {
        (text(), text(), text(), text(), text(), proptest::option::of(text())).prop_map(
            |(field, column, value, code, message, hint)| RefusedCell {
                field: FieldName::new(field),
                column,
                value,
                code,
                message,
                hint,
            },
        )
    }

    fn entry() -> impl Strategy<Value = Entry> {
        let lists = (
            proptest::collection::vec(cell(), 0..3),
            proptest::collection::vec(refused(), 0..3),
            proptest::collection::vec(id(), 0..3),
            proptest::collection::vec(any::<u64>(), 0..3),
        );
        let outcome = proptest::sample::select(RowOutcome::ALL.to_vec());
        (any::<u64>(), 0u64..11, text(), outcome, proptest::option::of(id()), lists, proptest::option::of(text()))
            .prop_map(|(row, line, key, outcome, record, (cells, refused, candidates, rows), reason)| Entry {
                record,
                cells,
                refused,
                candidates,
                rows,
                reason,
                ..Entry::new(row, line, key, outcome)
            })
    }

    proptest! {
        #[test]
        fn lines_are_what_serde_writes(entries in proptest::collection::vec(entry(), 1..4)) {
            let (mut direct, mut by_serde) = (Lines::default(), Lines::default());
            for entry in &entries {
                let mut line = direct.begin(entry.row, entry.line, entry.key.as_bytes(), entry.outcome);
                if let Some(record) = &entry.record {
                    line = line.record(record);
                }
                let openings: Vec<_> = entry.cells.iter().map(|c| Opening::new(&c.field, c.kind)).collect();
                line = line.cells(entry.cells.iter().zip(&openings).map(|(c, opening)| Changed {
                    opening,
                    before: c.before.as_ref().map(String::as_bytes),
                    after: c.after.as_ref().map(String::as_bytes),
                    note: c.note.as_ref(),
                }));
                line = line.refused(&entry.refused).candidates(&entry.candidates).rows(&entry.rows);
                if let Some(reason) = &entry.reason {
                    line = line.reason(reason);
                }
                line.end();
                by_serde.push(entry).unwrap();
            }
            prop_assert_eq!(String::from_utf8_lossy(&direct.bytes), String::from_utf8_lossy(&by_serde.bytes));
            prop_assert_eq!(direct.ends, by_serde.ends);
        }
    }
}
