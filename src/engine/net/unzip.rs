//! Bodies that come as gzip, unpacked into pieces large enough to be worth handing on, however small the network's own are.

use bytes::{Buf as _, Bytes};
use flate2::{Decompress, DecompressError, FlushDecompress, Status};

/// Bytes of a piece. However well a body is packed, no more than that is made of it at a time.
const PIECE: usize = 64 << 10;
/// Small answers are many, and need no large piece.
const LEAST: usize = 4 << 10;
/// What data is hardly ever packed better than.
const RATIO: usize = 8;

/// Unpacks a body of one gzip member or several.
pub(super) struct Unzip {
    member: Decompress,
    /// Something of the present member has come.
    within: bool,
    packed: Bytes,
    piece: Vec<u8>,
}

/// Why a body cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unpackable {
    #[error("the answer is no sound gzip: {0}")]
    Unsound(#[from] DecompressError),
    #[error("the answer's gzip ends too early")]
    Short,
}

impl Unzip {
    pub(super) fn new() -> Self {
        Self { member: member(), within: false, packed: Bytes::new(), piece: Vec::new() }
    }

    /// Takes what came, once [`Self::piece`] has nothing more to give.
    pub(super) fn feed(&mut self, packed: Bytes) {
        debug_assert!(self.packed.is_empty());
        self.packed = packed;
    }

    /// A full piece; `None` when more has to come.
    pub(super) fn piece(&mut self) -> Result<Option<Bytes>, Unpackable> {
        loop {
            let room = self.piece.capacity() - self.piece.len();
            if room == 0 {
                if self.piece.len() >= PIECE {
                    return Ok(Some(std::mem::take(&mut self.piece).into()));
                }
                let wanted = self.packed.len().saturating_mul(RATIO).clamp(LEAST, PIECE);
                self.piece.reserve_exact(wanted.max(self.piece.len() * 2).min(PIECE) - self.piece.len());
                continue;
            }
            if self.packed.is_empty() && !self.within {
                return Ok(None);
            }
            let before = self.member.total_in();
            let status = self.member.decompress_vec(&self.packed, &mut self.piece, FlushDecompress::None)?;
            let taken = usize::try_from(self.member.total_in() - before).unwrap_or(usize::MAX);
            self.packed.advance(taken.min(self.packed.len()));
            self.within = status != Status::StreamEnd;
            if !self.within {
                self.member = member();
            } else if self.piece.len() < self.piece.capacity() {
                // It stopped short of a full piece: all that came is used up.
                return Ok(None);
            }
        }
    }

    /// What is left when nothing more comes.
    pub(super) fn rest(&mut self) -> Result<Option<Bytes>, Unpackable> {
        if self.within {
            return Err(Unpackable::Short);
        }
        Ok(Some(Bytes::from(std::mem::take(&mut self.piece))).filter(|rest| !rest.is_empty()))
    }
}

fn member() -> Decompress {
    const WINDOW: u8 = 15;
    Decompress::new_gzip(WINDOW)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn zipped(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    /// The pieces that a body gives which comes so many bytes at a time.
    fn pieces(packed: &[u8], at_a_time: usize) -> Result<Vec<Bytes>, Unpackable> {
        let mut unzip = Unzip::new();
        let mut pieces = Vec::new();
        for part in packed.chunks(at_a_time) {
            unzip.feed(Bytes::copy_from_slice(part));
            while let Some(piece) = unzip.piece()? {
                pieces.push(piece);
            }
        }
        pieces.extend(unzip.rest()?);
        Ok(pieces)
    }

    #[test]
    fn however_it_comes_the_body_is_the_same_in_full_pieces() {
        let text: Vec<u8> = (0..40_000).flat_map(|n| format!("{n},some text\n").into_bytes()).collect();
        let bodies = [Vec::new(), b"a".to_vec(), vec![b' '; PIECE], vec![b' '; 50 * PIECE + 1], text];
        for text in &bodies {
            let packed = zipped(text);
            for at_a_time in [1, 7, 4_096, packed.len()] {
                let pieces = pieces(&packed, at_a_time).unwrap();
                assert!(pieces.concat() == *text, "{} bytes, {at_a_time} at a time", text.len());
                assert_eq!(pieces.len(), text.len().div_ceil(PIECE));
            }
        }
    }

    #[test]
    fn members_follow_each_other_and_nothing_at_all_is_empty() {
        let packed = [zipped(b"one "), zipped(b""), zipped(b"two")].concat();
        for at_a_time in [1, 5, packed.len()] {
            assert_eq!(pieces(&packed, at_a_time).unwrap().concat(), b"one two");
        }
        assert!(pieces(&[], 1).unwrap().is_empty());
    }

    #[test]
    fn what_is_cut_or_unsound_is_an_error() {
        let packed = zipped(&b"0123456789".repeat(1_000));
        for end in 1..packed.len() {
            assert!(matches!(pieces(&packed[..end], 10), Err(Unpackable::Short)), "{end}");
        }
        let mut wrong_sum = packed.clone();
        wrong_sum[packed.len() - 6] ^= 1;
        let behind = [&packed[..], b"more"].concat();
        for unsound in [&wrong_sum[..], &behind, b"no gzip at all"] {
            assert!(matches!(pieces(unsound, 10), Err(Unpackable::Unsound(_))));
        }
    }
}
