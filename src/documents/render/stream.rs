//! JSON that is written while it is made: lists of any length, and no character that cannot be seen.

use std::cell::RefCell;
use std::fmt::Display;
use std::io::{self, Write};

use serde::ser::{Error, SerializeSeq};
use serde::{Serialize, Serializer};

use super::escape::json_visible;

/// A list whose items are made one by one. It can be written once.
pub(super) struct Seq<I>(RefCell<Option<I>>);

impl<I> Seq<I> {
    pub(super) fn new(items: I) -> Self {
        Self(RefCell::new(Some(items)))
    }
}

impl<I: Iterator<Item = Result<T, E>>, T: Serialize, E: Display> Serialize for Seq<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for item in self.0.take().into_iter().flatten() {
            list.serialize_element(&item.map_err(S::Error::custom)?)?;
        }
        list.end()
    }
}

/// Passes JSON on with every invisible character as `\u…`.
struct Visible<'w> {
    out: &'w mut dyn Write,
    held: Vec<u8>,
}

impl Visible<'_> {
    const ENOUGH: usize = 1 << 16;

    /// Passes on what is whole: a character may be cut at the end.
    fn pass(&mut self) -> io::Result<()> {
        let whole = match std::str::from_utf8(&self.held) {
            Ok(text) => text.len(),
            Err(cut) => cut.valid_up_to(),
        };
        let text = String::from_utf8_lossy(&self.held[..whole]);
        self.out.write_all(json_visible(&text).as_bytes())?;
        self.held.drain(..whole);
        Ok(())
    }
}

impl Write for Visible<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(bytes);
        if self.held.len() >= Self::ENOUGH {
            self.pass()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pass()
    }
}

/// One document, indented, with a line break at its end.
///
/// # Errors
/// Writing, or making one of its lists.
pub(super) fn write_json(view: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let mut visible = Visible { out, held: Vec::new() };
    serde_json::to_writer_pretty(&mut visible, view)?;
    visible.write_all(b"\n")?;
    visible.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_streamed_document_is_the_one_that_is_made_whole() {
        for count in [0, 1, 3, 40_000] {
            let items: Vec<String> = (0..count).map(|n| format!("{n} é日\u{202e}\u{1f600}\n")).collect();
            let whole = json_visible(&serde_json::to_string_pretty(&items).unwrap()) + "\n";
            let mut streamed = Vec::new();
            write_json(&Seq::new(items.iter().map(Ok::<_, io::Error>)), &mut streamed).unwrap();
            assert_eq!(String::from_utf8(streamed).unwrap(), whole);
        }
    }

    #[test]
    fn what_fails_while_it_is_made_fails_the_document() {
        let items = [Ok(1), Err(io::Error::other("no more"))].into_iter();
        let problem = write_json(&Seq::new(items), &mut Vec::new()).unwrap_err();
        assert!(problem.to_string().contains("no more"), "{problem}");
    }
}
