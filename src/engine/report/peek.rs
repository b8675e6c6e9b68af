//! A reader whose first bytes can be looked at before they are read.

use std::io::{self, Read};

/// Hands out the bytes it has looked at, then the rest.
pub(super) struct Peeked<R> {
    head: Vec<u8>,
    at: usize,
    whole: bool,
    input: R,
}

impl<R: Read> Peeked<R> {
    /// Looks at the first `length` bytes, or at all if there are fewer.
    pub(super) fn new(mut input: R, length: usize) -> io::Result<Self> {
        let mut head = Vec::with_capacity(length);
        let read = input.by_ref().take(length as u64).read_to_end(&mut head)?;
        Ok(Self { head, at: 0, whole: read < length, input })
    }

    /// The bytes looked at.
    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    /// Is that all there is?
    pub(super) fn whole(&self) -> bool {
        self.whole
    }

    /// Leaves out the first `length` bytes of the head when reading.
    pub(super) fn skip(&mut self, length: usize) {
        self.at = length.min(self.head.len());
    }

    pub(super) fn into_inner(self) -> R {
        self.input
    }
}

impl<R: Read> Read for Peeked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = &self.head[self.at..];
        if rest.is_empty() {
            return self.input.read(buffer);
        }
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.at += length;
        Ok(length)
    }
}
