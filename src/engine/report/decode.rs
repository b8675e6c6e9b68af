//! Bytes in some encoding → UTF-8, as a stream. Nothing is replaced: what is not valid is an error with its place.

use std::io::{self, Read};

use encoding_rs::{Decoder as Converter, DecoderResult, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::Charset;
use crate::table::LineCounter;

/// Bytes taken from the input at a time.
const CHUNK: usize = 64 << 10;
/// Bytes that an error shows at most.
const RECENT: usize = 4;
/// A buffer that is worth being read into directly.
const LARGE: usize = 4 << 10;
/// Bytes of a character that may come with what is read next.
const START: usize = 3;

/// Bytes that are not valid in the encoding a file is read as.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("byte {offset} (line {line}): {bytes:02X?} is not {charset}")]
pub struct EncodingFault {
    /// What the file is read as.
    pub charset: Charset,
    /// Was the encoding set by the user? Else it was found out.
    pub set: bool,
    /// Where the bytes are: offset from 0 in the file, unpacked if it was gzip.
    pub offset: u64,
    /// Physical line, from 1.
    pub line: u64,
    /// The bytes at fault, four at most.
    pub bytes: Vec<u8>,
    /// The file ends in the middle of what would be a character: it may be cut off.
    pub cut: bool,
    /// In a file read as UTF-8: the character that the first byte would be in Windows-1252, if any.
    pub in_windows_1252: Option<char>,
}

/// Reads UTF-8 out of bytes of a known encoding. A byte order mark must be gone already.
pub(super) struct Decoder<R> {
    input: R,
    charset: Charset,
    set: bool,
    converter: Option<Converter>,
    raw: Vec<u8>,
    /// In UTF-8, the start of a character that is not all there yet, and its length.
    start: [u8; START],
    held: usize,
    /// Offset in the file of what is read next, such a start included.
    offset: u64,
    /// The last bytes before those in `raw`, for an error to show.
    recent: Vec<u8>,
    text: Vec<u8>,
    text_at: usize,
    lines: LineCounter,
    fault: Option<EncodingFault>,
    over: bool,
}

impl<R: Read> Decoder<R> {
    /// `offset`: bytes of the file that came before, such as its mark. `set`: see [`EncodingFault::set`].
    pub(super) fn new(input: R, charset: Charset, set: bool, offset: u64) -> Self {
        let converter = match charset {
            Charset::Utf8 => None,
            Charset::Utf16Le => Some(UTF_16LE.new_decoder_without_bom_handling()),
            Charset::Utf16Be => Some(UTF_16BE.new_decoder_without_bom_handling()),
            Charset::Windows1252 => Some(WINDOWS_1252.new_decoder_without_bom_handling()),
        };
        Self {
            input,
            charset,
            set,
            converter,
            raw: vec![0; CHUNK],
            start: [0; START],
            held: 0,
            offset,
            recent: Vec::new(),
            text: Vec::new(),
            text_at: 0,
            lines: LineCounter::default(),
            fault: None,
            over: false,
        }
    }

    pub(super) fn into_inner(self) -> R {
        self.input
    }

    fn fill(&mut self) -> io::Result<()> {
        self.text.clear();
        self.text_at = 0;
        if self.converter.is_none() {
            let mut raw = std::mem::take(&mut self.raw);
            let read = self.read_utf8(&mut raw);
            self.raw = raw;
            self.text.extend_from_slice(&self.raw[..read?]);
            return Ok(());
        }
        let length = read(&mut self.input, &mut self.raw)?;
        self.over = length == 0;
        self.convert(length);
        self.lines.feed(&self.text);
        self.place_fault();
        Ok(())
    }

    /// Reads UTF-8 to where it is wanted, room for more than a character, and looks at it there. So many bytes are valid; the start of a character is kept.
    fn read_utf8(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        buffer[..self.held].copy_from_slice(&self.start[..self.held]);
        let read = read(&mut self.input, &mut buffer[self.held..])?;
        self.over = read == 0;
        let raw = &buffer[..self.held + read];
        let (valid, bad) = match std::str::from_utf8(raw) {
            Ok(_) => (raw.len(), None),
            Err(error) => (error.valid_up_to(), Some(error.error_len())),
        };
        let rest = &raw[valid..];
        self.lines.feed(&raw[..valid]);
        match bad {
            Some(bad) if bad.is_some() || self.over => {
                self.fail(valid as u64, rest[..bad.unwrap_or(rest.len())].to_vec(), bad.is_none());
                self.place_fault();
            }
            _ => {
                self.start[..rest.len()].copy_from_slice(rest);
                self.held = rest.len();
                self.offset += valid as u64;
            }
        }
        Ok(valid)
    }

    fn place_fault(&mut self) {
        if let Some(fault) = &mut self.fault {
            fault.line = self.lines.line();
        }
    }

    fn convert(&mut self, length: usize) {
        let Some(converter) = &mut self.converter else { return };
        // Unlike the web's reading of Windows-1252, five bytes mean nothing; they hint at another encoding.
        let undefined = match self.charset {
            Charset::Windows1252 => {
                self.raw[..length].iter().position(|byte| matches!(byte, 0x81 | 0x8D | 0x8F | 0x90 | 0x9D))
            }
            _ => None,
        };
        let usable = undefined.unwrap_or(length);
        let last = self.over && undefined.is_none();
        let room = converter.max_utf8_buffer_length_without_replacement(usable).unwrap_or(usable.saturating_mul(4));
        self.text.resize(room, 0);
        let (result, read, written) =
            converter.decode_to_utf8_without_replacement(&self.raw[..usable], &mut self.text, last);
        self.text.truncate(written);
        if let DecoderResult::Malformed(bad, behind) = result {
            // Relative to this chunk; the character may have begun in the one before.
            let start = read as i64 - i64::from(behind) - i64::from(bad);
            let known = [&self.recent[..], &self.raw[..length]].concat();
            let from = usize::try_from(start + self.recent.len() as i64).unwrap_or(0).min(known.len());
            let bytes = known[from..].iter().copied().take(usize::from(bad)).collect();
            let cut = self.over;
            self.offset = self.offset.saturating_add_signed(start);
            self.fail(0, bytes, cut);
        } else if let Some(at) = undefined {
            let bytes = vec![self.raw[at]];
            self.fail(at as u64, bytes, false);
        }
        self.offset += read as u64;
        self.recent.extend_from_slice(&self.raw[length.saturating_sub(RECENT)..length]);
        self.recent.drain(..self.recent.len().saturating_sub(RECENT));
    }

    fn fail(&mut self, at: u64, mut bytes: Vec<u8>, cut: bool) {
        bytes.truncate(RECENT);
        let in_windows_1252 = match (self.charset, bytes.first()) {
            (Charset::Utf8, Some(&byte)) => {
                WINDOWS_1252.decode_without_bom_handling(&[byte]).0.chars().next().filter(|found| !found.is_control())
            }
            _ => None,
        };
        let offset = self.offset + at;
        let (charset, set) = (self.charset, self.set);
        self.fault = Some(EncodingFault { charset, set, offset, line: 0, bytes, cut, in_windows_1252 });
    }
}

impl<R: Read> Read for Decoder<R> {
    /// Valid text first; then, at an invalid byte, an error that holds an [`EncodingFault`], again and again.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let rest = &self.text[self.text_at..];
            if !rest.is_empty() {
                let length = rest.len().min(buffer.len());
                buffer[..length].copy_from_slice(&rest[..length]);
                self.text_at += length;
                return Ok(length);
            }
            if let Some(fault) = &self.fault {
                return Err(io::Error::new(io::ErrorKind::InvalidData, fault.clone()));
            }
            if self.over {
                return Ok(0);
            }
            if self.converter.is_some() || buffer.len() < LARGE {
                self.fill()?;
                continue;
            }
            // No more than is still in the processor's cache when it is looked at.
            let room = buffer.len().min(CHUNK);
            match self.read_utf8(&mut buffer[..room])? {
                0 => {}
                length => return Ok(length),
            }
        }
    }
}

fn read(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match input.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}
