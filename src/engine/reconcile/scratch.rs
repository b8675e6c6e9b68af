//! What does not fit into memory: one anonymous temporary file, and piles of rows in it, one a partition.

use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Budget, ReconcileError, near};

/// A piece of the file: whole records.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    at: u64,
    pub(super) length: usize,
}

/// The file. Any number of threads may use it.
#[derive(Debug)]
pub(super) struct Scratch {
    file: File,
    end: AtomicU64,
}

impl Scratch {
    /// A new file.
    pub(super) fn new(budget: &Budget) -> Result<Self, ReconcileError> {
        let file = (budget.scratch)().map_err(|error| problem(&error))?;
        Ok(Self { file, end: AtomicU64::new(0) })
    }

    /// Appends.
    pub(super) fn write(&self, bytes: &[u8]) -> Result<Extent, ReconcileError> {
        let at = self.end.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        write_at(&self.file, bytes, at).map_err(|error| problem(&error))?;
        Ok(Extent { at, length: bytes.len() })
    }

    /// Reads a piece, in place of what `out` held.
    pub(super) fn read(&self, extent: Extent, out: &mut Vec<u8>) -> Result<(), ReconcileError> {
        out.resize(extent.length, 0);
        read_at(&self.file, out, extent.at).map_err(|error| problem(&error))
    }

    /// Reads a part of a piece, as far as it goes.
    pub(super) fn read_part(
        &self,
        extent: Extent,
        from: usize,
        most: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), ReconcileError> {
        let length = extent.length.saturating_sub(from).min(most);
        self.read(Extent { at: extent.at + from as u64, length }, out)
    }
}

fn problem(error: &io::Error) -> ReconcileError {
    let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    ReconcileError::Scratch { full, detail: error.to_string() }
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, at)
}

#[cfg(windows)]
fn write_at(file: &File, mut bytes: &[u8], mut at: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = std::os::windows::fs::FileExt::seek_write(file, bytes, at)?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        (bytes, at) = (&bytes[written..], at + written as u64);
    }
    Ok(())
}

#[cfg(windows)]
fn read_at(file: &File, mut bytes: &mut [u8], mut at: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let read = std::os::windows::fs::FileExt::seek_read(file, bytes, at)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes = &mut bytes[read..];
        at += read as u64;
    }
    Ok(())
}

/// Partitions of what is spilled. By low bits of the hash, so that slots and tags go on spreading inside one.
pub(super) const PARTITIONS: usize = 128;
/// Bytes that a partition gathers before they are written.
const GATHERED: usize = 32 << 10;
/// Bytes for the record with which that is too much.
const ROOM: usize = 1 << 10;

/// The partition of a hash.
pub(super) fn partition(hash: u64) -> usize {
    (hash % PARTITIONS as u64) as usize
}

/// Records by partition, in the order in which they came. One thread fills it.
#[derive(Debug)]
pub(super) struct Piles {
    extents: Vec<Vec<Extent>>,
    gathered: Vec<Vec<u8>>,
}

impl Piles {
    pub(super) fn new() -> Self {
        Self { extents: vec![Vec::new(); PARTITIONS], gathered: vec![Vec::new(); PARTITIONS] }
    }

    /// Adds one record, which `fill` appends.
    #[inline]
    pub(super) fn put(
        &mut self,
        scratch: &Scratch,
        partition: usize,
        fill: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), ReconcileError> {
        let gathered = &mut self.gathered[partition];
        if gathered.capacity() == 0 {
            gathered.reserve_exact(GATHERED + ROOM);
        }
        let start = gathered.len();
        gathered.extend_from_slice(&[0; 4]);
        fill(gathered);
        let length = (gathered.len() - start - 4) as u32;
        gathered[start..][..4].copy_from_slice(&length.to_le_bytes());
        if gathered.len() > GATHERED && start > 0 {
            self.extents[partition].push(scratch.write(&gathered[..start])?);
            gathered.drain(..start);
            gathered.shrink_to(GATHERED + ROOM);
        }
        Ok(())
    }

    /// Brings near where the next record of a partition will be written.
    #[inline(always)]
    pub(super) fn bring(&mut self, partition: usize) {
        let rest = self.gathered[partition].spare_capacity_mut();
        for line in [0, 64, 128] {
            if let Some(byte) = rest.get(line) {
                near::bring(byte);
            }
        }
    }

    /// Writes what is gathered, and gives the buffers back.
    pub(super) fn flush(&mut self, scratch: &Scratch) -> Result<(), ReconcileError> {
        for (gathered, extents) in self.gathered.iter_mut().zip(&mut self.extents) {
            if !gathered.is_empty() {
                extents.push(scratch.write(gathered)?);
            }
            *gathered = Vec::new();
        }
        Ok(())
    }

    /// Bytes of a partition. All is flushed.
    pub(super) fn bytes(&self, partition: usize) -> u64 {
        self.extents[partition].iter().map(|e| e.length as u64).sum()
    }

    /// The pieces of a partition. All is flushed.
    pub(super) fn extents(&self, partition: usize) -> &[Extent] {
        &self.extents[partition]
    }
}

/// The records of a piece.
pub(super) fn records(mut piece: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = piece.split_first_chunk::<4>()?;
        let (record, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        piece = rest;
        Some(record)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn piles_give_back_what_was_put_in_order() {
        let scratch = Scratch::new(&Budget::default()).unwrap();
        let mut piles = Piles::new();
        let record = |n: usize| vec![n as u8; n * 7 % 900 + if n == 40 { 100_000 } else { 0 }];
        for n in 0..2_000 {
            piles.put(&scratch, n % 3, |out| out.extend_from_slice(&record(n))).unwrap();
        }
        piles.flush(&scratch).unwrap();
        let mut piece = Vec::new();
        for p in 0..3 {
            let mut found = Vec::new();
            for &extent in piles.extents(p) {
                scratch.read(extent, &mut piece).unwrap();
                found.extend(records(&piece).map(<[u8]>::to_vec));
            }
            let expected: Vec<_> = (0..2_000).filter(|n| n % 3 == p).map(record).collect();
            assert!(found == expected, "{p}");
            assert!(piles.bytes(p) > 0);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_says_so() {
        let full = || File::options().write(true).open("/dev/full");
        let budget = Budget { scratch: std::sync::Arc::new(full), ..Budget::default() };
        let error = Scratch::new(&budget).unwrap().write(b"x").unwrap_err();
        assert!(matches!(&error, ReconcileError::Scratch { full: true, .. }), "{error:?}");
        assert!(error.to_string().contains("the disk is full"), "{error}");
    }
}
