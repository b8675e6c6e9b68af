//! What `--json` prints: one document, whatever happens. A command's own, or the list of those of several integrations; and what went wrong beside it or
//! instead of it, as `diagnostics`.

use std::io::{self, Write};
use std::mem::take;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::diag::Diagnostics;
use crate::render::diagnostics::{beside, document};

/// The documents of one command, or of one lane.
#[derive(Debug, Default)]
pub struct Documents(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// A list of documents.
    list: bool,
    /// How many were begun.
    begun: usize,
    /// The end of the one that is not over yet: what is told meanwhile still goes into it.
    open: Option<Vec<u8>>,
    /// One could not be made to its end, so nothing can follow it.
    broken: bool,
    told: Diagnostics,
}

impl Documents {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on the documents are those of several integrations.
    pub fn list(&self) {
        self.state().list = true;
    }

    /// Keeps problems for the document that is open, or comes next.
    pub fn told(&self, found: &Diagnostics) {
        self.state().told.extend(found.iter().cloned());
    }

    /// A document that is made while it is written. It stays open until [`Documents::end`].
    ///
    /// # Errors
    /// Making or writing it.
    pub fn write(&self, out: &mut dyn Write, make: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        let mut state = self.state();
        if state.open.is_some() {
            state.end(out)?;
        }
        state.begin(out)?;
        let mut held = Held { out, tail: Vec::new() };
        let made = make(&mut held);
        let tail = held.tail;
        match made {
            Ok(()) => state.open = Some(tail),
            Err(_) => {
                state.broken = true;
                out.write_all(&tail)?;
            }
        }
        made
    }

    /// One that is whole: of a lane.
    ///
    /// # Errors
    /// Writing.
    pub fn next(&self, out: &mut dyn Write) -> io::Result<()> {
        self.state().begin(out)
    }

    /// What is said of one integration is said.
    ///
    /// # Errors
    /// Writing.
    pub fn end(&self, out: &mut dyn Write) -> io::Result<()> {
        self.state().end(out)
    }

    /// The command, or the lane, is over. `whole`: a command that had nothing to print says that nothing went wrong.
    ///
    /// # Errors
    /// Writing.
    pub fn close(&self, out: &mut dyn Write, whole: bool) -> io::Result<()> {
        let mut state = self.state();
        state.end(out)?;
        match (state.broken, state.list, state.begun) {
            (true, ..) => Ok(()),
            (false, true, 0) => out.write_all(b"[]\n"),
            (false, true, _) => out.write_all(b"]\n"),
            (false, false, 0) if whole => out.write_all(document(&Diagnostics::new()).as_bytes()),
            (false, false, _) => Ok(()),
        }
    }
}

impl State {
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let before = match (self.list, self.begun) {
            (false, _) => "",
            (true, 0) => "[\n",
            (true, _) => ",\n",
        };
        self.begun += 1;
        out.write_all(before.as_bytes())
    }

    fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let told = take(&mut self.told);
        match self.open.take() {
            _ if self.broken => Ok(()),
            None if told.is_empty() => Ok(()),
            None => {
                self.begin(out)?;
                out.write_all(document(&told).as_bytes())
            }
            Some(tail) if told.is_empty() => out.write_all(&tail),
            Some(tail) => {
                let rest = tail.trim_ascii_end().strip_suffix(b"}").unwrap_or(&tail).trim_ascii_end();
                out.write_all(rest)?;
                out.write_all(beside(&told).as_bytes())?;
                out.write_all(b"\n}\n")
            }
        }
    }
}

/// Passes everything on but the last few bytes, where a document's last brace is.
struct Held<'w> {
    out: &'w mut dyn Write,
    tail: Vec<u8>,
}

impl Write for Held<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        const KEPT: usize = 8;
        self.tail.extend_from_slice(bytes);
        let past = self.tail.len().saturating_sub(KEPT);
        self.out.write_all(&self.tail[..past])?;
        self.tail.drain(..past);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::diag::{Code, Diagnostic};

    fn problem() -> Diagnostics {
        Diagnostics::from_iter([Diagnostic::error(Code::UnknownRun, "there is no run")])
    }

    fn printed(work: impl FnOnce(&Documents, &mut Vec<u8>)) -> Value {
        let (documents, mut out) = (Documents::default(), Vec::new());
        work(&documents, &mut out);
        documents.close(&mut out, true).unwrap();
        serde_json::from_slice(&out).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&out)))
    }

    fn write(documents: &Documents, out: &mut Vec<u8>, text: &str) {
        documents.write(out, |out| text.bytes().try_for_each(|byte| out.write_all(&[byte]))).unwrap();
    }

    #[test]
    fn there_is_always_one_document() {
        let none = printed(|_, _| ());
        assert_eq!((none["format"].as_str(), &none["diagnostics"]), (Some("footbridge diagnostics/1"), &json!([])));
        assert_eq!(printed(|documents, _| documents.told(&problem()))["errors"], 1);
        for text in ["{\"a\": 1}", "{\n  \"a\": 1\n}\n", "{\"a\":1}\n\n"] {
            assert_eq!(printed(|documents, out| write(documents, out, text)), json!({"a": 1}));
        }
    }

    #[test]
    fn what_is_told_before_or_after_a_document_is_in_it() {
        for before in [true, false] {
            let one = printed(|documents, out| {
                if before {
                    documents.told(&problem());
                }
                write(documents, out, "{\n  \"a\": 1\n}\n");
                if !before {
                    documents.told(&problem());
                }
            });
            assert_eq!((&one["a"], one["diagnostics"][0]["message"].as_str()), (&json!(1), Some("there is no run")));
        }
    }

    #[test]
    fn several_are_a_list_and_each_has_its_own_problems() {
        assert_eq!(printed(|documents, _| documents.list()), json!([]));
        let list = printed(|documents, out| {
            documents.list();
            write(documents, out, "{\"a\": 1}");
            documents.end(out).unwrap();
            documents.told(&problem());
            documents.end(out).unwrap();
            write(documents, out, "{\"b\": 1}");
            documents.told(&problem());
        });
        let keys = |at: usize| list[at].as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
        assert_eq!([keys(0), keys(1), keys(2)], ["a", "diagnostics errors format lints warnings", "b diagnostics"]);
    }

    #[test]
    fn nothing_follows_a_document_that_could_not_be_made() {
        let (documents, mut out) = (Documents::default(), Vec::new());
        let made = documents.write(&mut out, |out| {
            out.write_all(b"{\"a\": ")?;
            Err(io::Error::other("no more"))
        });
        assert!(made.is_err());
        documents.told(&problem());
        documents.close(&mut out, true).unwrap();
        assert_eq!(out, b"{\"a\": ");
    }
}
