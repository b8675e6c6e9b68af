//! Bytes → text that is safe to hand to a YAML parser: UTF-8, no tabs, no control characters, no nesting that could exhaust a stack.

use std::sync::Arc;

use crate::diag::{Code, Diagnostic, Diagnostics, SourceFile, Span};

use super::masked::masked;

/// A line's text starts within this many columns.
const MAX_INDENT: usize = 120;
/// Brackets and braces open at one time.
const MAX_OPEN: usize = 48;

/// A file's text, and the file as it may be shown: of the same length, without secrets.
pub(crate) struct Text {
    pub(crate) text: String,
    pub(crate) file: Arc<SourceFile>,
}

/// The file as text. `None`: nothing more can be said of it than what was found.
pub(crate) fn text_of(path: &str, bytes: &[u8], found: &mut Diagnostics) -> Option<Text> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let valid = error.valid_up_to();
            let wide = bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]);
            let shown = if wide { String::new() } else { String::from_utf8_lossy(bytes).into_owned() };
            let file = SourceFile::new(path, masked(&shown));
            let message = if wide { "this file is UTF-16, not UTF-8" } else { "this file is not UTF-8" };
            found.push(
                Diagnostic::error(Code::NotUtf8, message)
                    .at(Span::new(&file, valid..valid + 3), if wide { "" } else { "the first byte that is not UTF-8" })
                    .help(
                        "save the file as UTF-8 (in VS Code: the encoding at the bottom right, `Save with Encoding`)",
                    ),
            );
            return None;
        }
    };
    let file = SourceFile::new(path, masked(text));
    let before = found.len();
    forbidden_characters(&file, found);
    if let Some(problem) = too_deep(&file) {
        found.push(problem);
    }
    if found.len() == before { Some(Text { text: text.to_owned(), file }) } else { None }
}

fn forbidden_characters(file: &Arc<SourceFile>, found: &mut Diagnostics) {
    // The first of each line is enough: the others are mended with it.
    let mut last_line = 0;
    let mut told = 0;
    for (at, c) in file.text().char_indices() {
        let control = (c.is_control() && !matches!(c, '\n' | '\r'))
            || matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}');
        let lone_return = c == '\r' && file.text().as_bytes().get(at + 1) != Some(&b'\n');
        if !control && !lone_return {
            continue;
        }
        let span = Span::new(file, at..at + c.len_utf8());
        if span.line() == last_line {
            continue;
        }
        last_line = span.line();
        told += 1;
        if told > 20 {
            break;
        }
        found.push(if c == '\t' {
            Diagnostic::error(Code::Tab, "a tab character")
                .at(span, "a tab")
                .help("write spaces instead (two for each level); inside a value write \"\\t\" in double quotes")
        } else {
            Diagnostic::error(Code::ControlCharacter, format!("the control character U+{:04X}", u32::from(c)))
                .at(span, "here")
                .help("delete it; it does not show in an editor, so retype the line if need be")
        });
    }
}

fn too_deep(file: &Arc<SourceFile>) -> Option<Diagnostic> {
    let mut open = 0usize;
    let mut line_start = 0;
    for line in file.text().split_inclusive('\n') {
        let indent = line.len() - line.trim_start_matches([' ', '-', '?', ':']).len();
        for (at, c) in line.char_indices() {
            match c {
                '[' | '{' => open += 1,
                ']' | '}' => open = open.saturating_sub(1),
                _ => {}
            }
            if open > MAX_OPEN || indent > MAX_INDENT {
                let at = line_start + at;
                return Some(
                    Diagnostic::error(Code::TooDeep, "nested too deeply")
                        .at(Span::new(file, at..at + 1), "")
                        .note(format!("a line may be indented by {MAX_INDENT} characters, and {MAX_OPEN} brackets may be open at a time"))
                        .help("no document of Footbridge's nests more than a few levels: check the indentation and the brackets above this line"),
                );
            }
        }
        line_start += line.len();
    }
    None
}
