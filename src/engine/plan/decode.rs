//! Entries read back from lines as [`encode`](super::encode) writes them, without looking for names. What is written in any other way is left to serde,
//! which gives the same: a plan file may be anybody's.

use serde::Deserialize;

use super::{CellChange, ChangeKind, Entry, Note, RowOutcome};
use crate::model::{FieldName, RecordId};

/// Decodes one line of [`Lines`](super::Lines).
///
/// # Errors
/// It is no entry.
pub fn decode(line: &[u8]) -> Result<Entry, serde_json::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Read {
        Entry(Entry),
    }
    match usual(line) {
        Some(entry) => Ok(entry),
        None => serde_json::from_slice(line).map(|Read::Entry(entry)| entry),
    }
}

/// Of such a line the cells alone.
///
/// # Errors
/// It is no entry.
pub(super) fn decode_cells(line: &[u8]) -> Result<Vec<CellChange>, serde_json::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Read {
        Entry(Cells),
    }
    #[derive(Deserialize)]
    struct Cells {
        #[serde(default)]
        cells: Vec<CellChange>,
    }
    match usual_cells(line) {
        Some(cells) => Ok(cells),
        None => serde_json::from_slice(line).map(|Read::Entry(entry)| entry.cells),
    }
}

fn usual(line: &[u8]) -> Option<Entry> {
    let mut text = Text::of(line)?;
    let Start { row, line, key, outcome, record } = text.start()?;
    let record = record.map(RecordId::parse).transpose().ok()?;
    let cells = text.cells()?;
    text.end()?;
    Some(Entry { record, cells, ..Entry::new(row, line, key.to_owned(), outcome) })
}

fn usual_cells(line: &[u8]) -> Option<Vec<CellChange>> {
    let mut text = Text::of(line)?;
    text.start()?;
    let cells = text.cells()?;
    text.end()?;
    Some(cells)
}

/// What comes before the cells.
struct Start<'l> {
    row: u64,
    line: u64,
    key: &'l str,
    outcome: RowOutcome,
    record: Option<&'l str>,
}

/// What is left of a line. Every step is `None` where the line goes on in another way.
struct Text<'l>(&'l str);

impl<'l> Text<'l> {
    /// Looked at as text once, rather than each of its strings.
    fn of(line: &'l [u8]) -> Option<Self> {
        std::str::from_utf8(line).ok().map(Self)
    }

    fn start(&mut self) -> Option<Start<'l>> {
        self.word("{\"entry\":{\"row\":")?;
        let row = self.number()?;
        self.word(",\"line\":")?;
        let line = self.number()?;
        self.word(",\"key\":")?;
        let key = self.string()?;
        self.word(",\"outcome\":")?;
        let outcome = self.string()?;
        let outcome = RowOutcome::ALL.into_iter().find(|one| one.as_str() == outcome)?;
        let record = match self.word(",\"record\":") {
            Some(()) => Some(self.string()?),
            None => None,
        };
        Some(Start { row, line, key, outcome, record })
    }

    fn cells(&mut self) -> Option<Vec<CellChange>> {
        let mut cells = Vec::new();
        if self.word(",\"cells\":[").is_none() {
            return Some(cells);
        }
        loop {
            cells.push(self.cell()?);
            if self.word(",").is_none() {
                return self.word("]").map(|()| cells);
            }
        }
    }

    fn cell(&mut self) -> Option<CellChange> {
        self.word("{\"field\":")?;
        let field = FieldName::new(self.string()?);
        self.word(",\"kind\":")?;
        let kind = self.string()?;
        let kind = ChangeKind::ALL.into_iter().find(|one| one.as_str() == kind)?;
        self.word(",\"before\":")?;
        let before = self.value()?;
        self.word(",\"after\":")?;
        let after = self.value()?;
        let note = match self.word(",\"note\":") {
            Some(()) => Some(self.note()?),
            None => None,
        };
        self.word("}")?;
        Some(CellChange { field, kind, before, after, note })
    }

    fn note(&mut self) -> Option<Note> {
        self.word("{\"code\":")?;
        let code = self.string()?.to_owned();
        self.word(",\"text\":")?;
        let text = self.string()?.to_owned();
        let from = match self.word(",\"from\":") {
            Some(()) => Some(self.string()?.to_owned()),
            None => None,
        };
        self.word("}")?;
        Some(Note { code, text, from })
    }

    /// The end of an entry that has nothing but cells.
    fn end(&mut self) -> Option<()> {
        self.word("}}")?;
        matches!(self.0, "" | "\n").then_some(())
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(word)?;
        Some(())
    }

    fn number(&mut self) -> Option<u64> {
        let length = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.0.split_at(length);
        if length > 1 && digits.starts_with('0') {
            return None;
        }
        self.0 = rest;
        digits.parse().ok()
    }

    fn value(&mut self) -> Option<Option<String>> {
        match self.word("null") {
            Some(()) => Some(None),
            None => self.string().map(|text| Some(text.to_owned())),
        }
    }

    /// A string in which nothing is escaped.
    fn string(&mut self) -> Option<&'l str> {
        let rest = self.0.strip_prefix('"')?;
        let end = plain(rest.as_bytes());
        let (string, rest) = rest.split_at_checked(end)?;
        self.0 = rest.strip_prefix('"')?;
        Some(string)
    }
}

/// How many bytes come before a quote, a backslash or a control character: eight at a time.
fn plain(bytes: &[u8]) -> usize {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let (words, rest) = bytes.as_chunks::<8>();
    for (place, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // The highest bit of a byte that is less than `least`, and perhaps of later ones.
        let less = |word: u64, least: u64| word.wrapping_sub(least * EACH) & !word;
        let is = |byte: u8| less(word ^ (u64::from(byte) * EACH), 1);
        let found = (less(word, u64::from(b' ')) | is(b'"') | is(b'\\')) & (0x80 * EACH);
        if found != 0 {
            return place * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    let special = |byte: &u8| *byte < b' ' || matches!(byte, b'"' | b'\\');
    words.len() * 8 + rest.iter().position(special).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Lines, RefusedCell};
    use super::*;

    fn text() -> impl Strategy<Value = String> {
        prop_oneof!["[ -~]{0,20}", "[a-z\"\\\\/<>&'{}\n]{0,20}", "[\\x00-\\x21\\x7f-\\xa0\u{2028}é😀]{0,12}"]
    }

    fn record() -> impl Strategy<Value = Option<RecordId>> {
        proptest::option::of("[0-9A-Za-z]{15}".prop_map(|id| RecordId::parse(&id).unwrap()))
    }

    fn note() -> impl Strategy<Value = Note> {
        (text(), text(), proptest::option::of(text())).prop_map(|(code, text, from)| Note { code, text, from })
    }

    fn cell() -> impl Strategy<Value = CellChange> {
        let kind = proptest::sample::select(ChangeKind::ALL.to_vec());
        let values = (proptest::option::of(text()), proptest::option::of(text()));
        (text(), kind, values, proptest::option::of(note())).prop_map(|(field, kind, (before, after), note)| {
            CellChange { field: FieldName::new(field), kind, before, after, note }
        })
    }

    fn entry() -> impl Strategy<Value = Entry> {
        let outcome = proptest::sample::select(RowOutcome::ALL.to_vec());
        let cells = proptest::collection::vec(cell(), 0..4);
        (any::<u64>(), any::<u64>(), text(), outcome, record(), cells, 0..20_u32).prop_map(
            |(row, line, key, outcome, record, cells, more)| {
                let mut entry = Entry { record, cells, ..Entry::new(row, line, key, outcome) };
                let refused = RefusedCell {
                    field: "A".into(),
                    column: "a".into(),
                    value: "v".into(),
                    code: "c".into(),
                    message: "m".into(),
                    hint: None,
                };
                match more {
                    0 => entry.refused = vec![refused],
                    1 => entry.candidates = record.into_iter().collect(),
                    2 => entry.rows = vec![1, 2],
                    3 => entry.reason = Some("why".into()),
                    _ => {}
                }
                entry
            },
        )
    }

    fn by_serde(line: &[u8]) -> Option<serde_json::Value> {
        serde_json::from_slice::<serde_json::Value>(line).ok()
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(entry in entry()) {
            let mut lines = Lines::default();
            lines.push(&entry).unwrap();
            prop_assert_eq!(&decode(&lines.bytes).unwrap(), &entry);
            prop_assert_eq!(&decode_cells(&lines.bytes).unwrap(), &entry.cells);
            let escaped = lines.bytes.contains(&b'\\');
            let more = !(entry.refused.is_empty() && entry.candidates.is_empty() && entry.rows.is_empty() && entry.reason.is_none());
            prop_assert_eq!(usual(&lines.bytes).is_some(), !escaped && !more);
        }

        #[test]
        fn a_changed_line_is_never_taken_for_what_it_is_not(entry in entry(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
            let mut lines = Lines::default();
            lines.push(&entry).unwrap();
            let mut line = lines.bytes;
            let at = at.index(line.len());
            if cut { line.truncate(at); } else { line[at] = byte; }
            if let Some(found) = usual(&line) {
                let mut again = Lines::default();
                again.push(&found).unwrap();
                let read = by_serde(&line);
                prop_assert!(read.is_some(), "no JSON: {}", String::from_utf8_lossy(&line));
                prop_assert_eq!(by_serde(&again.bytes), read);
            }
        }

        #[test]
        fn plain_bytes_are_counted_as_one_by_one(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let special = |byte: &u8| *byte < b' ' || matches!(byte, b'"' | b'\\');
            prop_assert_eq!(plain(&bytes), bytes.iter().position(special).unwrap_or(bytes.len()));
        }
    }
}
