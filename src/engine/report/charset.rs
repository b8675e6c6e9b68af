//! Which character encoding a file is in, told from its first bytes; and which files are no text at all.

use std::fmt;

/// The encoding asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// A byte order mark, else the NUL bytes that UTF-16 puts into plain text, else UTF-8.
    #[default]
    Auto,
    /// UTF-8, with or without a mark.
    Utf8,
    /// UTF-16; the byte order from the mark or the NUL bytes.
    Utf16,
    /// UTF-16, little-endian.
    Utf16Le,
    /// UTF-16, big-endian.
    Utf16Be,
    /// Windows-1252 (Western European). Never found out: nearly every file could be it.
    Windows1252,
}

/// The encoding a file is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// UTF-8.
    Utf8,
    /// UTF-16, little-endian.
    Utf16Le,
    /// UTF-16, big-endian.
    Utf16Be,
    /// Windows-1252.
    Windows1252,
}

impl fmt::Display for Charset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le => "UTF-16 (little-endian)",
            Self::Utf16Be => "UTF-16 (big-endian)",
            Self::Windows1252 => "Windows-1252",
        })
    }
}

/// What a file is that is no CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotText {
    /// A ZIP archive, as Excel's `.xlsx` is.
    Workbook,
    /// An OLE document, as Excel's old `.xls` is.
    OldWorkbook,
    /// PDF.
    Pdf,
    /// Parquet.
    Parquet,
    /// Compressed by something other than gzip and zstd, or twice.
    Compressed,
    /// HTML or XML: often a log-in page saved in place of the report.
    Markup,
    /// JSON.
    Json,
    /// UTF-32.
    Utf32,
}

impl fmt::Display for NotText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Workbook => "an Excel workbook or another ZIP archive",
            Self::OldWorkbook => "an Excel workbook of the old format (.xls)",
            Self::Pdf => "a PDF document",
            Self::Parquet => "a Parquet file",
            Self::Compressed => "compressed (only gzip and zstd can be read)",
            Self::Markup => "a web page or an XML document",
            Self::Json => "JSON",
            Self::Utf32 => "text in UTF-32",
        })
    }
}

/// Why the encoding could not be settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unsettled {
    /// The byte order mark is of another encoding than was set.
    Contradiction { mark: Charset },
    /// UTF-16 was set, and nothing says in which byte order.
    ByteOrder,
    /// No text.
    NotText(NotText),
}

/// Bytes at a file's start that [`settle`] wants to see.
pub(super) const HEAD: usize = 4096;

/// The encoding of a file that begins with `head`, and the length of its byte order mark (0: none).
pub(super) fn settle(asked: Encoding, head: &[u8]) -> Result<(Charset, usize), Unsettled> {
    if let Some(kind) = binary(head) {
        return Err(Unsettled::NotText(kind));
    }
    let (charset, mark) = match (asked, mark(head)) {
        (Encoding::Auto, Some(found)) => found,
        (Encoding::Auto, None) => (by_nuls(head).unwrap_or(Charset::Utf8), 0),
        (Encoding::Utf16, Some((Charset::Utf8, _))) => return Err(Unsettled::Contradiction { mark: Charset::Utf8 }),
        (Encoding::Utf16, Some(found)) => found,
        (Encoding::Utf16, None) => (by_nuls(head).ok_or(Unsettled::ByteOrder)?, 0),
        (Encoding::Utf8, found) => agree(Charset::Utf8, found)?,
        (Encoding::Utf16Le, found) => agree(Charset::Utf16Le, found)?,
        (Encoding::Utf16Be, found) => agree(Charset::Utf16Be, found)?,
        (Encoding::Windows1252, found) => agree(Charset::Windows1252, found)?,
    };
    match (charset, document(&head[mark..])) {
        (Charset::Utf8 | Charset::Windows1252, Some(kind)) => Err(Unsettled::NotText(kind)),
        _ => Ok((charset, mark)),
    }
}

fn agree(asked: Charset, found: Option<(Charset, usize)>) -> Result<(Charset, usize), Unsettled> {
    match found {
        None => Ok((asked, 0)),
        Some((mark, length)) if mark == asked => Ok((asked, length)),
        Some((mark, _)) => Err(Unsettled::Contradiction { mark }),
    }
}

fn mark(head: &[u8]) -> Option<(Charset, usize)> {
    match head {
        [0xEF, 0xBB, 0xBF, ..] => Some((Charset::Utf8, 3)),
        [0xFF, 0xFE, ..] => Some((Charset::Utf16Le, 2)),
        [0xFE, 0xFF, ..] => Some((Charset::Utf16Be, 2)),
        _ => None,
    }
}

/// UTF-16 without a mark: plain ASCII has a NUL in every other byte, and a table's delimiters and line ends are ASCII.
/// Asked for: NULs on one side only, in a third of the characters at least.
fn by_nuls(head: &[u8]) -> Option<Charset> {
    let pairs = head.len() / 2;
    let nuls = |side: usize| head.iter().skip(side).step_by(2).filter(|&&byte| byte == 0).count();
    let (first, second) = (nuls(0), nuls(1));
    match (first, second) {
        (0, second) if pairs > 1 && second * 3 >= pairs => Some(Charset::Utf16Le),
        (first, 0) if pairs > 1 && first * 3 >= pairs => Some(Charset::Utf16Be),
        _ => None,
    }
}

fn binary(head: &[u8]) -> Option<NotText> {
    let table: &[(&[u8], NotText)] = &[
        (b"PK\x03\x04", NotText::Workbook),
        (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", NotText::OldWorkbook),
        (b"%PDF-", NotText::Pdf),
        (b"PAR1", NotText::Parquet),
        (b"\x28\xB5\x2F\xFD", NotText::Compressed),
        (b"BZh", NotText::Compressed),
        (b"\xFD7zXZ\0", NotText::Compressed),
        (b"\xFF\xFE\0\0", NotText::Utf32),
        (b"\0\0\xFE\xFF", NotText::Utf32),
    ];
    let (start, kind) = table.iter().find(|(start, _)| head.starts_with(start))?;
    // Letters alone could begin a header; the rest of these files is not text.
    if start.is_ascii() && !start.contains(&3) && std::str::from_utf8(head).is_ok() && !head.contains(&0) {
        return (*kind == NotText::Pdf).then_some(*kind);
    }
    Some(*kind)
}

fn document(head: &[u8]) -> Option<NotText> {
    let text = head.trim_ascii_start();
    let begins =
        |start: &str| text.get(..start.len()).is_some_and(|found| found.eq_ignore_ascii_case(start.as_bytes()));
    if ["<!doctype", "<html", "<?xml"].into_iter().any(begins) {
        Some(NotText::Markup)
    } else if begins("{\"") || begins("[{") || begins("{\n") {
        Some(NotText::Json)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, big: bool) -> Vec<u8> {
        text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    }

    #[test]
    fn the_first_bytes_settle_the_encoding() {
        use Charset as C;
        use Encoding as E;
        use Unsettled as U;
        let le = utf16("Name,E-Mail\n", false);
        let be = utf16("Name,E-Mail\n", true);
        type Case<'a> = (Encoding, &'a [u8], Result<(Charset, usize), Unsettled>);
        let cases: Vec<Case> = vec![
            (E::Auto, b"", Ok((C::Utf8, 0))),
            (E::Auto, b"a,b", Ok((C::Utf8, 0))),
            (E::Auto, b"\xEF\xBB\xBFa", Ok((C::Utf8, 3))),
            (E::Auto, b"\xFF\xFEa\0", Ok((C::Utf16Le, 2))),
            (E::Auto, b"\xFE\xFF\0a", Ok((C::Utf16Be, 2))),
            (E::Auto, &le, Ok((C::Utf16Le, 0))),
            (E::Auto, &be, Ok((C::Utf16Be, 0))),
            (E::Auto, b"caf\xE9", Ok((C::Utf8, 0))),
            (E::Auto, b"a,b\n1,\0\n", Ok((C::Utf8, 0))),
            (E::Utf16, &le, Ok((C::Utf16Le, 0))),
            (E::Utf16, b"\xFE\xFF\0a", Ok((C::Utf16Be, 2))),
            (E::Utf16, b"a,b\n", Err(U::ByteOrder)),
            (E::Utf16, b"\xEF\xBB\xBFa", Err(U::Contradiction { mark: C::Utf8 })),
            (E::Utf16Le, &le, Ok((C::Utf16Le, 0))),
            (E::Utf16Be, b"\xFF\xFEa\0", Err(U::Contradiction { mark: C::Utf16Le })),
            (E::Utf8, b"\xFF\xFEa\0", Err(U::Contradiction { mark: C::Utf16Le })),
            (E::Windows1252, b"caf\xE9", Ok((C::Windows1252, 0))),
            (E::Windows1252, b"\xEF\xBB\xBFa", Err(U::Contradiction { mark: C::Utf8 })),
            (E::Auto, b"PK\x03\x04..", Err(U::NotText(NotText::Workbook))),
            (E::Auto, b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", Err(U::NotText(NotText::OldWorkbook))),
            (E::Auto, b"%PDF-1.7", Err(U::NotText(NotText::Pdf))),
            (E::Auto, b"PAR1\x15\0", Err(U::NotText(NotText::Parquet))),
            (E::Auto, b"PAR1,b\n", Ok((C::Utf8, 0))),
            (E::Auto, b"\xFF\xFE\0\0a\0\0\0", Err(U::NotText(NotText::Utf32))),
            (E::Auto, b"\n <!DOCTYPE html>", Err(U::NotText(NotText::Markup))),
            (E::Utf8, b"\xEF\xBB\xBF<?xml", Err(U::NotText(NotText::Markup))),
            (E::Auto, b"[{\"a\":1}]", Err(U::NotText(NotText::Json))),
        ];
        for (asked, head, expected) in cases {
            assert_eq!(settle(asked, head), expected, "{asked:?} {head:?}");
        }
    }
}
