//! Writing: under another name, a line a record, to disk, and then the name. Nothing of it is held in memory.

use std::fs::{DirBuilder, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::format::{Trailer, Written};
use super::{Head, Place, ValuesProblem};
use crate::model::{Digest, Digester};
use crate::plan::{Entry, JsonLine};

/// How a file that is still being written is called.
const UNFINISHED: &str = ".values-";

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The file.
    pub path: PathBuf,
    /// Records in it.
    pub records: u64,
    /// Of the lines, before they were encrypted.
    pub digest: Digest,
}

/// Takes the values of a run, record by record. Dropped before [`finish`](Self::finish) it leaves nothing.
pub struct Writer {
    out: Out,
    temporary: tempfile::NamedTempFile,
    path: PathBuf,
    after: bool,
    salt: String,
    records: u64,
    digester: Digester,
    line: JsonLine,
}

enum Out {
    Plain(BufWriter<File>),
    Sealed(Box<age::stream::StreamWriter<BufWriter<File>>>),
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Out::Plain(out) => out.write(bytes),
            Out::Sealed(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Out::Plain(out) => out.flush(),
            Out::Sealed(out) => out.flush(),
        }
    }
}

impl Writer {
    /// Begins the file of a run. `after`: are the values to be written kept, too? Otherwise digests of them are.
    ///
    /// # Errors
    /// The folder or file cannot be made.
    pub fn start(place: &Place, head: &Head, after: bool) -> Result<Self, ValuesProblem> {
        let path = place.path(&head.integration, head.org_id, &head.run);
        let folder = path.parent().unwrap_or(Path::new(".")).to_owned();
        let io = |source| ValuesProblem::Io { path: folder.clone(), source };
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        if matches!(place, Place::Local(_)) {
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        }
        builder.create(&folder).map_err(io)?;
        // Made with mode 0600.
        let temporary = tempfile::Builder::new().prefix(UNFINISHED).suffix(".tmp").tempfile_in(&folder).map_err(io)?;
        let file = BufWriter::with_capacity(1 << 17, temporary.reopen().map_err(io)?);
        let out = match place {
            Place::Local(_) => Out::Plain(file),
            Place::Committed { recipients, .. } => {
                let all = recipients.iter().map(|r| &r.0 as &dyn age::Recipient);
                let encryptor =
                    age::Encryptor::with_recipients(all).map_err(|e| io(io::Error::other(e.to_string())))?;
                Out::Sealed(Box::new(encryptor.wrap_output(file).map_err(io)?))
            }
        };
        let digester = Digester::new();
        let mut writer = Self {
            out,
            temporary,
            path,
            after,
            salt: head.salt.clone(),
            records: 0,
            digester,
            line: JsonLine::default(),
        };
        writer.put(head)?;
        Ok(writer)
    }

    /// The next planned entry. One without a record is passed over.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn entry(&mut self, entry: &Entry) -> Result<(), ValuesProblem> {
        let Some(id) = entry.record else { return Ok(()) };
        self.records += 1;
        self.line.clear();
        Written { id, entry, after: self.after, salt: &self.salt }.put(&mut self.line);
        self.end_line()
    }

    /// Puts the whole file in its place, on disk.
    ///
    /// # Errors
    /// The file cannot be written, or there is one of this name.
    pub fn finish(mut self) -> Result<Kept, ValuesProblem> {
        let digest = std::mem::take(&mut self.digester).finish();
        let trailer = Trailer { records: self.records, digest: digest.clone() };
        self.put(&trailer)?;
        let Self { out, temporary, path, records, .. } = self;
        let io = |source| ValuesProblem::Io { path: path.clone(), source };
        let file = match out {
            Out::Plain(out) => out,
            Out::Sealed(out) => out.finish().map_err(io)?,
        };
        let file = file.into_inner().map_err(|e| io(e.into_error()))?;
        file.sync_all().map_err(io)?;
        drop(file);
        temporary.persist_noclobber(&path).map_err(|e| io(e.error))?;
        #[cfg(unix)]
        if let Some(folder) = path.parent() {
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)?;
        }
        Ok(Kept { path, records, digest })
    }

    fn put(&mut self, line: &impl Serialize) -> Result<(), ValuesProblem> {
        self.line.clear();
        let encoded = serde_json::to_writer(self.line.out(), line);
        encoded.map_err(|e| ValuesProblem::Io { path: self.path.clone(), source: e.into() })?;
        self.end_line()
    }

    fn end_line(&mut self) -> Result<(), ValuesProblem> {
        let line = self.line.raw("\n").bytes();
        self.digester.update(line);
        self.out.write_all(line).map_err(|source| ValuesProblem::Io { path: self.path.clone(), source })
    }
}
