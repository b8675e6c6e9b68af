//! The bytes of a source as they are stored: digested while they are read, and unpacked if they are gzip or zstd.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

use super::facts::Packed;
use super::peek::Peeked;
use super::zstd::{Frames, MAGIC};

/// Unpacked bytes that are always allowed, however small the packed file is.
const ALWAYS: u64 = 64 << 20;

/// Counts and digests what passes.
pub(super) struct Tap {
    input: Box<dyn Read + Send>,
    bytes: u64,
    digest: Sha256,
}

impl Tap {
    pub(super) fn new(input: Box<dyn Read + Send>) -> Self {
        Self { input, bytes: 0, digest: Sha256::new() }
    }

    /// Reads what nobody has read, so that the digest is of everything.
    pub(super) fn drain(&mut self) -> io::Result<()> {
        let mut buffer = vec![0; 64 << 10];
        loop {
            match self.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Bytes that passed, and their SHA-256 in lower-case hex.
    pub(super) fn finish(self) -> (u64, String) {
        (self.bytes, format!("{:x}", self.digest.finalize()))
    }
}

impl Read for Tap {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.bytes += read as u64;
        self.digest.update(&buffer[..read]);
        Ok(read)
    }
}

/// A packed stream unpacks to more than its share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unpacks to more than {limit} bytes")]
pub(super) struct TooLarge {
    pub(super) limit: u64,
}

/// The stored bytes, unpacked.
pub(super) enum Unpacked {
    Plain(Peeked<Tap>),
    Gzip { packed: Box<MultiGzDecoder<Counted>>, share: Share },
    Zstd { packed: Box<Frames<Counted>>, share: Share },
}

/// What a packed stream may still give.
pub(super) struct Share {
    unpacked: u64,
    expansion: u32,
}

impl Share {
    /// After `read` more bytes, of `taken` packed ones.
    fn take(&mut self, read: usize, taken: u64) -> io::Result<usize> {
        self.unpacked += read as u64;
        let limit = taken.saturating_mul(u64::from(self.expansion)).max(ALWAYS);
        if self.unpacked > limit {
            return Err(io::Error::new(io::ErrorKind::QuotaExceeded, TooLarge { limit }));
        }
        Ok(read)
    }
}

/// Counts what a decoder has taken; what it took bounds what it may give.
pub(super) struct Counted {
    tap: Peeked<Tap>,
    bytes: u64,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.tap.read(buffer)?;
        self.bytes += read as u64;
        Ok(read)
    }
}

impl Unpacked {
    /// How it is packed is known by its first bytes, whatever the file is called.
    pub(super) fn new(tap: Tap, expansion: u32) -> io::Result<Self> {
        let stored = Peeked::new(tap, 4)?;
        let share = Share { unpacked: 0, expansion };
        Ok(match stored.head() {
            [0x1F, 0x8B, ..] => {
                Self::Gzip { packed: Box::new(MultiGzDecoder::new(Counted { tap: stored, bytes: 0 })), share }
            }
            head if head == MAGIC => {
                Self::Zstd { packed: Box::new(Frames::new(Counted { tap: stored, bytes: 0 })), share }
            }
            _ => Self::Plain(stored),
        })
    }

    pub(super) fn packed(&self) -> Option<Packed> {
        match self {
            Self::Plain(_) => None,
            Self::Gzip { .. } => Some(Packed::Gzip),
            Self::Zstd { .. } => Some(Packed::Zstd),
        }
    }

    pub(super) fn into_tap(self) -> Tap {
        match self {
            Self::Plain(stored) => stored.into_inner(),
            Self::Gzip { packed, .. } => packed.into_inner().tap.into_inner(),
            Self::Zstd { packed, .. } => packed.into_inner().tap.into_inner(),
        }
    }
}

impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stored) => stored.read(buffer),
            Self::Gzip { packed, share } => {
                let read = packed.read(buffer)?;
                share.take(read, packed.get_ref().bytes)
            }
            Self::Zstd { packed, share } => {
                let read = packed.read(buffer)?;
                share.take(read, packed.get_ref().bytes)
            }
        }
    }
}
