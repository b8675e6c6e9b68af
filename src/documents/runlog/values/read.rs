//! Reading: a stream of records, which ends well only where the trailer fits what came before it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::format::Line;
use super::{FORMAT, Head, RecordValues, ValuesProblem};
use crate::model::Digester;

/// The longest line that is read, in bytes.
const LONGEST: u64 = 64 << 20;

/// Reads the values of a run. Whoever acts on them waits for the end: only there is it known that the file is whole.
pub struct Reader {
    head: Head,
    lines: Lines,
    records: u64,
    done: bool,
}

struct Lines {
    path: PathBuf,
    input: Box<dyn BufRead + Send>,
    digester: Digester,
    line: Vec<u8>,
    number: u64,
}

impl Lines {
    fn damaged(&self, detail: impl Into<String>) -> ValuesProblem {
        ValuesProblem::Damaged { path: self.path.clone(), detail: detail.into() }
    }

    fn read(&mut self) -> Result<(), ValuesProblem> {
        self.line.clear();
        // What was encrypted and then cut or changed is an error of reading.
        let read = (&mut self.input).take(LONGEST).read_until(b'\n', &mut self.line);
        if read.is_err() || self.line.last() != Some(&b'\n') {
            return Err(self.damaged(format!("it is cut off or changed after line {}", self.number)));
        }
        self.number += 1;
        Ok(())
    }
}

impl Reader {
    /// Opens a file, encrypted or not, which its first bytes tell. `key`: the identity to open it with, where there is one.
    ///
    /// # Errors
    /// There is no key for it, or it is no file of ours.
    pub fn open(path: &Path, key: Option<&age::x25519::Identity>) -> Result<Self, ValuesProblem> {
        let file = File::open(path).map_err(|source| ValuesProblem::Io { path: path.to_owned(), source })?;
        Self::start(BufReader::with_capacity(1 << 17, file), path, key)
    }

    /// The same from bytes that lie elsewhere (in git); `path` is for messages.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn start(
        mut input: impl BufRead + Send + 'static,
        path: &Path,
        key: Option<&age::x25519::Identity>,
    ) -> Result<Self, ValuesProblem> {
        let path = path.to_owned();
        let io = |source| ValuesProblem::Io { path: path.clone(), source };
        let damaged = |detail: &str| ValuesProblem::Damaged { path: path.clone(), detail: detail.to_owned() };
        let sealed = input.fill_buf().map_err(io)?.starts_with(b"age-encryption.org");
        let input: Box<dyn BufRead + Send> = if sealed {
            let key = key.ok_or_else(|| ValuesProblem::NoKey { path: path.clone() })?;
            let opened = age::Decryptor::new_buffered(input)
                .and_then(|d| d.decrypt(std::iter::once(key as &dyn age::Identity)))
                .map_err(|error| match error {
                    age::DecryptError::NoMatchingKeys
                    | age::DecryptError::DecryptionFailed
                    | age::DecryptError::KeyDecryptionFailed => {
                        ValuesProblem::WrongKey { path: path.clone(), key: key.to_public().to_string() }
                    }
                    age::DecryptError::InvalidMac => damaged("its head was changed"),
                    _ => damaged("it is no whole file of age's"),
                })?;
            Box::new(BufReader::with_capacity(1 << 17, opened))
        } else {
            Box::new(input)
        };
        let mut lines = Lines { path: path.clone(), input, digester: Digester::new(), line: Vec::new(), number: 0 };
        lines.read()?;
        #[derive(serde::Deserialize)]
        struct Format {
            format: String,
        }
        let format: Format =
            serde_json::from_slice(&lines.line).map_err(|_| damaged("it does not begin as a file of values"))?;
        if format.format != FORMAT {
            let found = format.format.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(60).collect();
            return Err(ValuesProblem::Version { path, found });
        }
        let head = serde_json::from_slice(&lines.line).map_err(|_| damaged("its first line cannot be read"))?;
        lines.digester.update(&lines.line);
        Ok(Self { head, lines, records: 0, done: false })
    }

    /// Which run the values are of.
    pub fn head(&self) -> &Head {
        &self.head
    }

    fn step(&mut self) -> Result<Option<RecordValues>, ValuesProblem> {
        self.lines.read()?;
        // Where a line is wrong, and never what stands in it.
        let line: Line = serde_json::from_slice(&self.lines.line)
            .map_err(|_| self.lines.damaged(format!("line {} cannot be read", self.lines.number)))?;
        match line {
            Line::Record(record) => {
                self.lines.digester.update(&self.lines.line);
                self.records += 1;
                Ok(Some(record))
            }
            Line::Trailer(trailer) => {
                let digest = std::mem::take(&mut self.lines.digester).finish();
                if trailer.records != self.records || trailer.digest != digest {
                    return Err(self
                        .lines
                        .damaged("it was changed after it was written: its lines do not fit their digest"));
                }
                if !matches!(self.lines.input.fill_buf(), Ok([])) {
                    return Err(self.lines.damaged("something stands behind its last line"));
                }
                Ok(None)
            }
        }
    }
}

impl Iterator for Reader {
    type Item = Result<RecordValues, ValuesProblem>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let found = self.step().transpose();
        self.done = !matches!(found, Some(Ok(_)));
        found
    }
}
