//! Plan files that are compressed by zstd: known by their first bytes, not by their name.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use ruzstd::decoding::StreamingDecoder;
use ruzstd::encoding::{CompressionLevel, compress};

/// The first bytes of a zstd frame (RFC 8878, 3.1.1).
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Is this file compressed? It is read from its beginning, and stands there again afterwards.
///
/// # Errors
/// Reading.
pub fn is_compressed(file: &mut File) -> io::Result<bool> {
    let mut first = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    (&mut *file).take(MAGIC.len() as u64).read_to_end(&mut first)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(first == MAGIC)
}

/// What is in `input`, unpacked if it is compressed.
pub(super) fn unpacked<'i>(mut input: impl Read + 'i) -> io::Result<Box<dyn Read + 'i>> {
    let mut first = Vec::new();
    (&mut input).take(MAGIC.len() as u64).read_to_end(&mut first)?;
    let packed = first == MAGIC;
    let input = io::Cursor::new(first).chain(input);
    if !packed {
        return Ok(Box::new(input));
    }
    let decoder = StreamingDecoder::new(input).map_err(|_| damaged())?;
    Ok(Box::new(Unpacking(decoder)))
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "its compressed data are cut off or damaged")
}

/// Says in one sentence what the decoder says in many.
struct Unpacking<R>(R);

impl<R: Read> Read for Unpacking<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|_| damaged())
    }
}

/// Compresses everything that `input` holds.
///
/// # Errors
/// Reading or writing.
pub(super) fn pack(input: impl Read, out: impl Write) -> io::Result<()> {
    // The encoder knows no errors: the first is kept here, and the rest is of no use.
    let failed = RefCell::new(None);
    compress(Noted { inner: input, failed: &failed }, Noted { inner: out, failed: &failed }, CompressionLevel::Fastest);
    failed.into_inner().map_or(Ok(()), Err)
}

struct Noted<'f, T> {
    inner: T,
    failed: &'f RefCell<Option<io::Error>>,
}

impl<T> Noted<'_, T> {
    fn note<O>(&self, result: io::Result<O>, instead: O) -> io::Result<O> {
        Ok(result.unwrap_or_else(|problem| {
            self.failed.borrow_mut().get_or_insert(problem);
            instead
        }))
    }
}

impl<T: Read> Read for Noted<'_, T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.failed.borrow().is_some() {
            return Ok(0);
        }
        let read = loop {
            match self.inner.read(buffer) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.note(read, 0)
    }
}

impl<T: Write> Write for Noted<'_, T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.failed.borrow().is_some() {
            return Ok(bytes.len());
        }
        let written = self.inner.write_all(bytes).map(|()| bytes.len());
        self.note(written, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.inner.flush();
        self.note(flushed, ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(packed: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        unpacked(packed)?.read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn what_is_packed_is_unpacked_and_what_is_not_is_left() {
        for plain in [Vec::new(), b"{}\n".to_vec(), b"{\"entry\":1}\n".repeat(40_000)] {
            let mut packed = Vec::new();
            pack(plain.as_slice(), &mut packed).unwrap();
            assert!(plain.len() < 1000 || packed.len() < plain.len() / 20, "{} bytes", packed.len());
            assert_eq!(read(&packed).unwrap(), plain);
            assert_eq!(read(&plain).unwrap(), plain);
        }
    }

    #[test]
    fn a_cut_or_a_wrong_byte_is_an_error_and_no_panic() {
        let plain: Vec<u8> =
            (0..60_000u32).flat_map(|n| format!("{{\"entry\":{}}}\n", n * 7919 % 10_007).into_bytes()).collect();
        let mut packed = Vec::new();
        pack(plain.as_slice(), &mut packed).unwrap();
        for cut in [4, 5, 9, packed.len() / 3, packed.len() / 2, packed.len() - 20] {
            assert!(read(&packed[..cut]).is_err(), "cut at {cut}");
        }
        for at in (4..packed.len()).step_by(997) {
            let mut wrong = packed.clone();
            wrong[at] ^= 0x55;
            // Some other bytes or an error; which of them is not zstd's to say.
            let _ = read(&wrong);
        }
    }

    #[test]
    fn errors_of_both_sides_come_out() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        struct Gone;
        impl Read for Gone {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::UnexpectedEof.into())
            }
        }
        assert_eq!(pack(&b"abc"[..], Full).unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(pack(Gone, Vec::new()).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
