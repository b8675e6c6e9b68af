//! A zstd file unpacked as a stream: frame after frame, until the bytes end (RFC 8878, 3.1).

use std::io::{self, Read};

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// The first bytes of a frame.
pub(super) const MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];
/// The first bytes of a frame to be passed over: the lowest half-byte is free.
const SKIPPED: [u8; 3] = [0x2A, 0x4D, 0x18];

/// Unpacks what `input` holds.
pub(super) struct Frames<R> {
    input: R,
    decoder: FrameDecoder,
    /// In the middle of a frame.
    inside: bool,
    over: bool,
}

impl<R: Read> Frames<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, decoder: FrameDecoder::new(), inside: false, over: false }
    }

    pub(super) fn get_ref(&self) -> &R {
        &self.input
    }

    pub(super) fn into_inner(self) -> R {
        self.input
    }

    /// Begins the next frame, if there is one.
    fn begin(&mut self) -> io::Result<()> {
        let mut magic = Vec::with_capacity(4);
        self.input.by_ref().take(4).read_to_end(&mut magic)?;
        match magic.as_slice() {
            [] => self.over = true,
            found if found == MAGIC => {
                self.decoder.init(io::Cursor::new(magic).chain(&mut self.input)).map_err(damaged)?;
                self.inside = true;
            }
            [first, rest @ ..] if *first & 0xF0 == 0x50 && rest == SKIPPED => {
                let mut length = [0; 4];
                self.input.read_exact(&mut length)?;
                let length = u64::from(u32::from_le_bytes(length));
                if io::copy(&mut self.input.by_ref().take(length), &mut io::sink())? < length {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            _ => return Err(io::Error::new(io::ErrorKind::InvalidData, "something else follows the packed data")),
        }
        Ok(())
    }
}

impl<R: Read> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.decoder.can_collect() > 0 {
                return self.decoder.read(buffer);
            }
            if self.over || buffer.is_empty() {
                return Ok(0);
            }
            if self.inside && !self.decoder.is_finished() {
                let more = BlockDecodingStrategy::UptoBlocks(1);
                self.decoder.decode_blocks(&mut self.input, more).map_err(damaged)?;
            } else {
                self.inside = false;
                self.begin()?;
            }
        }
    }
}

/// The decoder says much; what it comes to is one thing.
fn damaged(error: impl std::fmt::Display) -> io::Error {
    let text: String = error.to_string().chars().take(200).collect();
    io::Error::new(io::ErrorKind::InvalidData, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    fn unpacked(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        Frames::new(bytes).read_to_end(&mut out)?;
        Ok(out)
    }

    fn packed(text: &[u8]) -> Vec<u8> {
        compress_to_vec(text, CompressionLevel::Fastest)
    }

    #[test]
    fn frames_follow_one_another_and_some_are_passed_over() {
        let long = b"a,b\n1,2\n".repeat(100_000);
        let skipped = [&[0x5A][..], &SKIPPED, &3u32.to_le_bytes(), b"xyz"].concat();
        for (bytes, expected) in [
            (packed(&long), long.clone()),
            ([packed(b"one"), packed(b"two")].concat(), b"onetwo".to_vec()),
            ([skipped.clone(), packed(b"one"), skipped.clone()].concat(), b"one".to_vec()),
            ([packed(b""), packed(b"x")].concat(), b"x".to_vec()),
        ] {
            assert!(unpacked(&bytes).unwrap() == expected);
        }
        let cut = packed(&long);
        for end in [5, 20, cut.len() / 2, cut.len() - 1] {
            assert!(unpacked(&cut[..end]).is_err(), "{end}");
        }
        assert!(unpacked(&[packed(b"one"), b"more".to_vec()].concat()).is_err());
        assert!(unpacked(&skipped[..10]).is_err());
    }
}
