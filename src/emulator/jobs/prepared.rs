//! Result files: written once, in memory while they are small and in a temporary file when not, read in pieces by any number of requests.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tempfile::SpooledTempFile;

/// Up to this size a file stays in memory.
const IN_MEMORY: usize = 4_194_304;
/// Bytes written or read at once.
const PIECE: usize = 262_144;

/// A file that is being written, row by row.
pub struct Writer {
    file: SpooledTempFile,
    buffer: Vec<u8>,
    length: u64,
    /// Where each row ends.
    ends: Vec<u64>,
}

/// A file that is whole.
pub struct Prepared {
    file: Mutex<SpooledTempFile>,
    ends: Vec<u64>,
}

impl Writer {
    /// An empty file.
    pub fn new() -> Self {
        Self { file: SpooledTempFile::new(IN_MEMORY), buffer: Vec::with_capacity(PIECE), length: 0, ends: Vec::new() }
    }

    /// Adds a row, line end included.
    pub fn row(&mut self, line: &[u8]) -> io::Result<()> {
        self.buffer.extend_from_slice(line);
        self.length += line.len() as u64;
        self.ends.push(self.length);
        if self.buffer.len() >= PIECE { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    /// Rows so far.
    pub fn rows(&self) -> usize {
        self.ends.len()
    }

    /// The file as it is now, without its last `drop` rows.
    pub fn close(mut self, drop: usize) -> io::Result<Prepared> {
        self.flush()?;
        self.ends.truncate(self.ends.len().saturating_sub(drop));
        Ok(Prepared { file: Mutex::new(self.file), ends: self.ends })
    }
}

impl Prepared {
    /// A file without rows.
    pub fn empty() -> Self {
        Self { file: Mutex::new(SpooledTempFile::new(IN_MEMORY)), ends: Vec::new() }
    }

    /// How many rows it has.
    pub fn rows(&self) -> usize {
        self.ends.len()
    }

    fn offset(&self, row: usize) -> u64 {
        if row == 0 { 0 } else { self.ends.get(row - 1).or(self.ends.last()).copied().unwrap_or(0) }
    }

    /// Bytes of all rows.
    pub fn bytes(&self) -> u64 {
        self.offset(self.rows())
    }

    /// Rows `from` to `to`, behind a header.
    pub fn slice(self: &Arc<Self>, header: Vec<u8>, from: usize, to: usize) -> Slice {
        Slice { prepared: Arc::clone(self), header, at: self.offset(from), end: self.offset(to) }
    }

    fn read(&self, at: u64, piece: &mut [u8]) -> io::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(piece)
    }
}

/// A part of a file, to be sent.
#[derive(Clone)]
pub struct Slice {
    prepared: Arc<Prepared>,
    header: Vec<u8>,
    at: u64,
    end: u64,
}

impl std::fmt::Debug for Slice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slice").field("bytes", &self.len()).finish_non_exhaustive()
    }
}

impl Slice {
    /// Bytes that are left.
    pub fn len(&self) -> usize {
        self.header.len() + (self.end - self.at) as usize
    }

    /// No more than so many bytes.
    pub fn truncate(&mut self, bytes: usize) {
        self.header.truncate(bytes);
        self.end = self.end.min(self.at + bytes.saturating_sub(self.header.len()) as u64);
    }

    /// The next piece; `None` at the end.
    pub fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut piece = std::mem::take(&mut self.header);
        let more = (self.end - self.at).min((PIECE - piece.len().min(PIECE)) as u64) as usize;
        if more > 0 {
            let from = piece.len();
            piece.resize(from + more, 0);
            self.prepared.read(self.at, &mut piece[from..])?;
            self.at += more as u64;
        }
        Ok((!piece.is_empty()).then_some(piece))
    }

    /// All of it.
    pub fn whole(mut self) -> io::Result<Vec<u8>> {
        let mut all = Vec::with_capacity(self.len());
        while let Some(piece) = self.next()? {
            all.extend_from_slice(&piece);
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{IN_MEMORY, Writer};

    #[test]
    fn slices_are_rows_behind_a_header_however_large_the_file_is() {
        let mut writer = Writer::new();
        let line = |n: usize| format!("{n:0>99}\n").into_bytes();
        let rows = IN_MEMORY / 100 + 5_000;
        (0..rows).for_each(|n| writer.row(&line(n)).unwrap());
        let prepared = Arc::new(writer.close(1).unwrap());
        assert_eq!((prepared.rows(), prepared.bytes()), (rows - 1, (rows as u64 - 1) * 100));
        for (from, to) in [(0, 0), (0, 1), (7, 9), (5_000, 9_000), (rows - 3, rows + 10)] {
            let whole = prepared.slice(b"h\n".to_vec(), from, to).whole().unwrap();
            let expected: Vec<u8> = (from..to.min(rows - 1)).flat_map(line).collect();
            assert_eq!(&whole[2..], expected, "{from}..{to}");
        }
        let mut cut = prepared.slice(b"h\n".to_vec(), 0, 10);
        cut.truncate(150);
        assert_eq!((cut.len(), cut.whole().unwrap().len()), (150, 150));
    }
}
