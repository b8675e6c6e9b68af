//! Encoded entries on their way from who makes a plan to who keeps it: encoded once, digested, written as they are.

use serde::Serialize;

use super::{Entry, Header, RowOutcome, decode};
use crate::model::{Digest, Digester};

/// Whole lines of a plan file, `{"entry":…}` and a line feed each, in the order of the plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines {
    /// The lines, one behind the other.
    pub bytes: Vec<u8>,
    /// Each line's outcome, and where the line ends in `bytes`.
    pub ends: Vec<(RowOutcome, usize)>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Written<'e> {
    Entry(&'e Entry),
}

impl Lines {
    /// Encodes an entry. What cannot be encoded leaves nothing behind.
    ///
    /// # Errors
    /// The encoder's, which a sound entry never meets.
    pub fn push(&mut self, entry: &Entry) -> std::io::Result<()> {
        let start = self.bytes.len();
        if let Err(problem) = serde_json::to_writer(&mut self.bytes, &Written::Entry(entry)) {
            self.bytes.truncate(start);
            return Err(problem.into());
        }
        self.bytes.push(b'\n');
        self.ends.push((entry.outcome, self.bytes.len()));
        Ok(())
    }

    /// The lines with their outcomes.
    pub fn iter(&self) -> impl Iterator<Item = (RowOutcome, &[u8])> {
        let mut start = 0;
        self.ends.iter().map(move |&(outcome, end)| (outcome, &self.bytes[std::mem::replace(&mut start, end)..end]))
    }

    /// No line.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Forgets the lines and keeps the room.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }
}

/// Takes the entries of a plan in their order.
pub trait Sink {
    /// Why lines could not be taken.
    type Error;
    /// Takes the next lines.
    ///
    /// # Errors
    /// They could not be kept: the plan cannot be had.
    fn lines(&mut self, lines: &Lines) -> Result<(), Self::Error>;
}

/// Decoded, for tests.
impl Sink for Vec<Entry> {
    type Error = serde_json::Error;

    fn lines(&mut self, lines: &Lines) -> Result<(), Self::Error> {
        lines.iter().try_for_each(|(_, line)| {
            self.push(decode(line)?);
            Ok(())
        })
    }
}

/// The two digests of a plan, taken while its lines pass.
#[derive(Clone)]
pub struct PlanDigester {
    inputs: Digest,
    changes: Digester,
}

impl PlanDigester {
    /// Of the plan that begins with this header's line, line feed and all.
    pub fn new(header_line: &[u8]) -> Self {
        Self { inputs: Digest::of(header_line), changes: Digester::new() }
    }

    /// Takes the next entries' lines, whole or in any pieces.
    pub fn update(&mut self, lines: &[u8]) {
        self.changes.update(lines);
    }

    /// Of inputs and of changes.
    pub fn finish(self) -> (Digest, Digest) {
        (self.inputs, self.changes.finish())
    }
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum WrittenHeader<'h> {
    Header(&'h Header),
}

impl Header {
    /// The first line of a plan file, line feed and all.
    ///
    /// # Errors
    /// The encoder's, which no header meets.
    pub fn line(&self) -> std::io::Result<Vec<u8>> {
        let mut line = serde_json::to_vec(&WrittenHeader::Header(self))?;
        line.push(b'\n');
        Ok(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_apart_as_they_went_in() {
        let entries = [
            Entry::new(1, 2, "a\n\"é".into(), RowOutcome::BlankKey),
            Entry::new(2, 4, String::new(), RowOutcome::NoRecord),
        ];
        let mut lines = Lines::default();
        entries.iter().for_each(|e| lines.push(e).unwrap());
        let outcomes: Vec<RowOutcome> = lines.iter().map(|(o, _)| o).collect();
        assert_eq!(outcomes, [RowOutcome::BlankKey, RowOutcome::NoRecord]);
        assert!(lines.iter().all(|(_, l)| l.starts_with(b"{\"entry\":{") && l.ends_with(b"}\n")));
        let mut back: Vec<Entry> = Vec::new();
        back.lines(&lines).unwrap();
        assert_eq!(back, entries);
        lines.clear();
        assert!(lines.is_empty());
    }
}
