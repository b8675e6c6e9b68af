//! What a command says while it works beside others: kept, and shown whole when its turn comes, so that nothing stands between the lines of another. Progress
//! is shown at once, each line with the name in front.

use std::io::{self, Seek, SeekFrom, Write};
use std::sync::{Mutex, PoisonError};

use tempfile::SpooledTempFile;

/// So many bytes are kept in memory; what is beyond goes to a temporary file.
const IN_MEMORY: usize = 1 << 20;

/// One of several that work side by side.
#[derive(Debug)]
pub struct Lane {
    name: String,
    out: Mutex<SpooledTempFile>,
    messages: Mutex<SpooledTempFile>,
}

impl Lane {
    /// With this name in front of its progress.
    pub fn new(name: &str) -> Self {
        let kept = || Mutex::new(SpooledTempFile::new(IN_MEMORY));
        Self { name: name.to_owned(), out: kept(), messages: kept() }
    }

    /// Text with the name in front of each line.
    pub fn named(&self, text: &str) -> String {
        text.lines().map(|line| format!("{}: {line}", self.name)).collect::<Vec<_>>().join("\n")
    }

    /// Keeps what is for standard output.
    pub fn print(&self, bytes: &[u8]) -> io::Result<()> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner).write_all(bytes)
    }

    /// Keeps what is for standard error.
    pub fn warn(&self, bytes: &[u8]) -> io::Result<()> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner).write_all(bytes)
    }

    /// Was nothing kept for standard output?
    pub fn is_silent(&self) -> bool {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        out.stream_position().is_ok_and(|at| at == 0)
    }

    /// Shows what was kept: the data first, then the messages.
    pub fn show<'w>(&self, out: &'w mut dyn Write, messages: &'w mut dyn Write) -> io::Result<()> {
        for (kept, to) in [(&self.out, out), (&self.messages, messages)] {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.seek(SeekFrom::Start(0))?;
            io::copy(&mut *kept, to)?;
            to.flush()?;
        }
        Ok(())
    }
}

/// Writes into a lane's standard output.
pub struct Kept<'a>(pub &'a Lane);

impl Write for Kept<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.print(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_comes_whole_and_progress_has_the_name() {
        let lane = Lane::new("people");
        for _ in 0..3 {
            lane.print(b"plan\n").unwrap();
            lane.warn(b"error\n").unwrap();
        }
        let (mut out, mut messages) = (Vec::new(), Vec::new());
        lane.show(&mut out, &mut messages).unwrap();
        assert_eq!((out.as_slice(), messages.as_slice()), (&b"plan\n".repeat(3)[..], &b"error\n".repeat(3)[..]));
        assert_eq!(lane.named("a\nb"), "people: a\npeople: b");
    }
}
