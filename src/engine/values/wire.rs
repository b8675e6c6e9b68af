//! Canonical values on their way to Salesforce: JSON for single records and collections, cells of bulk CSV.

use super::placeholder::is_bulk_null;
use crate::model::FieldType;

/// Characters of a bulk cell; newer documents say 131,072, older ones 32,000.
const MOST_BULK_CHARACTERS: usize = 32_000;

/// Appends the JSON value of a canonical form: `null` for empty (`false` for a checkbox), booleans and numbers bare, all else as a string.
pub fn write_json(field_type: &FieldType, canonical: &[u8], out: &mut Vec<u8>) {
    if canonical.is_empty() {
        out.extend_from_slice(if *field_type == FieldType::Boolean { b"false" } else { b"null" });
    } else if *field_type == FieldType::Boolean || field_type.is_number() {
        out.extend_from_slice(canonical);
    } else {
        write_string(&String::from_utf8_lossy(canonical), out);
    }
}

fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..0x20 => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                out.extend_from_slice(b"\\u00");
                out.extend([HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
            }
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

/// A value that bulk CSV cannot carry; it goes by collections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotForBulk {
    /// The text is `#N/A`, which bulk CSV reads as "set to null".
    #[error("the text #N/A means null in bulk CSV")]
    NullWord,
    /// A carriage return: every line break of a job has to be the job's own, and ours end in `LF`.
    #[error("bulk CSV cannot carry the carriage return in the text")]
    LineBreak,
    /// More characters than a bulk cell holds.
    #[error("the text is longer than a bulk CSV cell")]
    TooLong,
}

/// Appends the CSV cell of a canonical form, quoted where needed: `#N/A` for empty (`false` for a checkbox). Delimiter comma, line ends `LF`.
///
/// A line feed inside a quoted cell is what a job with `lineEnding` `LF` takes, and Salesforce stores it as `\r\n` like any other; canonical text areas
/// hold no carriage return, which such a job refuses as a whole ("LineEnding is invalid on user data").
///
/// # Errors
/// [`NotForBulk`]; then nothing was appended.
pub fn write_bulk_csv(field_type: &FieldType, canonical: &[u8], out: &mut Vec<u8>) -> Result<(), NotForBulk> {
    if canonical.is_empty() {
        out.extend_from_slice(if *field_type == FieldType::Boolean { b"false" } else { b"#N/A" });
        return Ok(());
    }
    if std::str::from_utf8(canonical).is_ok_and(is_bulk_null) {
        return Err(NotForBulk::NullWord);
    }
    if memchr::memchr(b'\r', canonical).is_some() {
        return Err(NotForBulk::LineBreak);
    }
    if canonical.len() > MOST_BULK_CHARACTERS {
        return Err(NotForBulk::TooLong);
    }
    if memchr::memchr3(b'"', b',', b'\n', canonical).is_none() {
        out.extend_from_slice(canonical);
        return Ok(());
    }
    out.push(b'"');
    for &byte in canonical {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
    Ok(())
}
