//! Diagnostics as terminal text, one-line text, JSON and GitHub annotations. What a file holds cannot steer a terminal or an annotation: control
//! and direction characters are shown by their numbers.

use std::fmt::Write as _;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use schemars::JsonSchema;
use serde::Serialize;

use super::escape::json_text;
use super::fold::fold_line;
use crate::diag::{Code, Diagnostic, Diagnostics, Label, Severity, SourceFile, Span};

/// How terminal text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextStyle {
    /// With colours (ANSI sequences of our own; never from a file).
    pub color: bool,
    /// Line-drawing characters beyond ASCII.
    pub unicode: bool,
    /// Columns of the terminal.
    pub width: usize,
}

impl Default for TextStyle {
    fn default() -> Self {
        Self { color: false, unicode: false, width: 120 }
    }
}

/// Every diagnostic with its lines of the file, then a summary.
pub fn text(diagnostics: &Diagnostics, style: TextStyle) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        out.push_str(&one(diagnostic, style));
        out.push_str("\n\n");
    }
    if !diagnostics.is_empty() {
        out.push_str(&summary(diagnostics));
        out.push('\n');
    }
    out
}

/// The same with sentences broken between words at the terminal's width; the lines of files stay as they are.
pub fn terminal(diagnostics: &Diagnostics, style: TextStyle, width: Option<u16>) -> String {
    let Some(width) = width.map(usize::from) else { return text(diagnostics, style) };
    let mut out = String::new();
    for line in text(diagnostics, style).lines() {
        let plain = anstream::adapter::strip_str(line).to_string();
        let start = plain.trim_start();
        if plain.starts_with(|c: char| c.is_ascii_alphabetic()) {
            fold_line(line, width, 2, &mut out);
        } else if let Some(note) = start.strip_prefix("= ") {
            let head = plain.len() - start.len() + 2 + note.find(": ").map_or(0, |at| at + 2);
            fold_line(line, width, head, &mut out);
        } else {
            out.push_str(line);
        }
        out.push('\n');
    }
    out
}

/// `2 errors, 1 warning. footbridge explain FB0103 tells more`
pub fn summary(diagnostics: &Diagnostics) -> String {
    let counts = [Severity::Error, Severity::Warning, Severity::Lint].map(|s| (s, diagnostics.count(s)));
    let mut parts = Vec::new();
    for (severity, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
        parts.push(format!("{count} {}{}", severity.as_str(), if count == 1 { "" } else { "s" }));
    }
    let first = diagnostics.iter().map(|d| (d.severity, d.code)).min_by_key(|(severity, _)| *severity);
    match first {
        Some((_, code)) => format!("{}. `footbridge explain {code}` tells more.", parts.join(", ")),
        None => "No problems.".to_owned(),
    }
}

/// One diagnostic with its lines of the file, without a line end after it.
pub fn one(diagnostic: &Diagnostic, style: TextStyle) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Lint => Level::WARNING.with_name(Some("lint")),
    };
    let mut group =
        level.primary_title(visible(&diagnostic.message)).id(diagnostic.code.as_str()).elements(excerpts(diagnostic));
    for note in &diagnostic.notes {
        group = group.element(Level::NOTE.message(visible(note)));
    }
    for help in &diagnostic.help {
        group = group.element(Level::HELP.message(visible_lines(help)));
    }
    let renderer = if style.color { Renderer::styled() } else { Renderer::plain() };
    let decor = if style.unicode { DecorStyle::Unicode } else { DecorStyle::Ascii };
    let report: &[Group<'_>] = &[group];
    let rendered = renderer.term_width(style.width).decor_style(decor).render(report);
    rendered.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// A snippet for each file that a label points into, in the labels' order.
fn excerpts(diagnostic: &Diagnostic) -> Vec<Snippet<'static, annotate_snippets::Annotation<'static>>> {
    let mut files: Vec<&SourceFile> = Vec::new();
    for label in &diagnostic.labels {
        if !files.iter().any(|f| f.path() == label.span.file().path()) {
            files.push(label.span.file());
        }
    }
    files.into_iter().map(|file| excerpt(diagnostic, file)).collect()
}

fn excerpt(diagnostic: &Diagnostic, file: &SourceFile) -> Snippet<'static, annotate_snippets::Annotation<'static>> {
    let labels: Vec<_> = diagnostic.labels.iter().filter(|l| l.span.file().path() == file.path()).collect();
    let mut lines: Vec<usize> = labels.iter().map(|l| l.span.line()).collect();
    lines.sort_unstable();
    let (first, last) = (lines.first().copied().unwrap_or(1), lines.last().copied().unwrap_or(1));
    let mut shown = String::new();
    let mut annotations = Vec::new();
    for line in first..=last {
        let range = file.line_range(line);
        let base = shown.len();
        let text = &file.text()[range.clone()];
        shown.push_str(&visible(text));
        for label in labels.iter().filter(|l| l.span.line() == line) {
            let offset = |byte: usize| {
                let byte = byte.clamp(range.start, range.end) - range.start;
                base + visible(&text[..byte]).len()
            };
            let span = label.span.range();
            let (start, end) = (offset(span.start), offset(span.end));
            let kind = if label.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
            let annotation = kind.span(start..end.max(start));
            let annotation = if label.text.is_empty() { annotation } else { annotation.label(visible(&label.text)) };
            annotations.push(annotation);
        }
        shown.push('\n');
    }
    Snippet::source(shown).line_start(first).path(visible(file.path())).annotations(annotations)
}

/// `integrations/a.yaml:3:1: error[FB0103]: unknown key …`, without a line end.
pub fn line(diagnostic: &Diagnostic) -> String {
    let place = diagnostic.span().map(|s| format!("{}: ", place(s))).unwrap_or_default();
    format!("{place}{}[{}]: {}", diagnostic.severity.as_str(), diagnostic.code, visible(&diagnostic.message))
}

fn place(span: &Span) -> String {
    format!("{}:{}:{}", visible(span.file().path()), span.line(), span.column())
}

/// The page of a code, for `footbridge explain`.
pub fn explain(code: Code) -> String {
    format!("{code}: {}\n\n{}\n", code.title(), code.page())
}

/// What went wrong, as data: all that a command without a document of its own prints. Keys are only ever added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "Footbridge diagnostics")]
pub struct DiagnosticsView {
    /// Always `footbridge diagnostics/1`.
    #[schemars(extend("const" = "footbridge diagnostics/1"))]
    pub format: &'static str,
    /// How many are errors.
    pub errors: usize,
    /// How many are warnings.
    pub warnings: usize,
    /// How many are lints.
    pub lints: usize,
    /// All of them.
    pub diagnostics: Vec<DiagnosticView>,
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Diagnostic")]
pub struct DiagnosticView {
    /// `FB0103`; `footbridge explain` tells more.
    pub code: &'static str,
    /// What the code is about, in a few words.
    pub title: &'static str,
    /// How grave it is.
    #[schemars(extend("enum" = ["error", "warning", "lint"]))]
    pub severity: &'static str,
    /// What is wrong.
    pub message: String,
    /// Where.
    pub labels: Vec<LabelView>,
    /// What to do next.
    pub help: Vec<String>,
    /// What else to know, such as what was not done.
    pub notes: Vec<String>,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Label")]
pub struct LabelView {
    /// The file, below the repository's root.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
    /// Its column, from 1, in characters.
    pub column: usize,
    /// The first byte.
    pub start_byte: usize,
    /// The byte after the last.
    pub end_byte: usize,
    /// The line.
    pub line_text: String,
    /// What is wrong there; may be empty.
    pub text: String,
    /// The place itself, or one that explains it.
    pub primary: bool,
}

/// All of them as data.
pub fn view(diagnostics: &Diagnostics) -> DiagnosticsView {
    DiagnosticsView {
        format: "footbridge diagnostics/1",
        errors: diagnostics.count(Severity::Error),
        warnings: diagnostics.count(Severity::Warning),
        lints: diagnostics.count(Severity::Lint),
        diagnostics: diagnostics.iter().map(one_view).collect(),
    }
}

fn one_view(diagnostic: &Diagnostic) -> DiagnosticView {
    let label = |label: &Label| LabelView {
        file: label.span.file().path().to_owned(),
        line: label.span.line(),
        column: label.span.column(),
        start_byte: label.span.range().start,
        end_byte: label.span.range().end,
        line_text: label.span.line_text().to_owned(),
        text: label.text.clone(),
        primary: label.primary,
    };
    DiagnosticView {
        code: diagnostic.code.as_str(),
        title: diagnostic.code.title(),
        severity: diagnostic.severity.as_str(),
        message: diagnostic.message.clone(),
        labels: diagnostic.labels.iter().map(label).collect(),
        help: diagnostic.help.clone(),
        notes: diagnostic.notes.clone(),
    }
}

/// A JSON document of nothing but these.
pub fn document(diagnostics: &Diagnostics) -> String {
    json_text(&view(diagnostics))
}

/// These as the last key of another document: from the comma before it to the list's end.
pub fn beside(diagnostics: &Diagnostics) -> String {
    let list = view(diagnostics).diagnostics;
    format!(",\n\"diagnostics\": {}", json_text(&list).trim_end())
}

/// A GitHub workflow command that puts the diagnostic on its line of the pull request, without a line end.
/// `below` is put before paths: the folder of the configuration's repository in the one that was checked out.
/// Escaping as in `actions/toolkit` (`command.ts`): `%`, CR and LF in the message; `:` and `,` too in properties.
pub fn github(diagnostic: &Diagnostic, below: &str) -> String {
    let command = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Lint => "notice",
    };
    let mut out = format!("::{command} ");
    if let Some(span) = diagnostic.span() {
        let _ = write!(out, "file={}{},", github_property(below), github_property(span.file().path()));
        let _ = write!(out, "line={},col={},", span.line(), span.column());
    }
    let title = format!("{}: {}", diagnostic.code, diagnostic.code.title());
    let _ = write!(out, "title={}::", github_property(&title));
    out.push_str(&github_data(&visible(&diagnostic.message)));
    for help in &diagnostic.help {
        out.push_str("%0A");
        out.push_str(&github_data(&visible_lines(help)));
    }
    out
}

fn github_data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn github_property(text: &str) -> String {
    github_data(&visible(text)).replace(':', "%3A").replace(',', "%2C")
}

/// The text with every character that could steer a terminal written as its number.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if steers(c) {
            let _ = write!(out, "<U+{:04X}>", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// Like [`visible`], with line ends kept.
fn visible_lines(text: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join("\n")
}

/// Control characters; characters that turn the direction of text; line and paragraph separators; invisible ones.
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Diagnostics {
        let file = SourceFile::new("integrations/a,b.yaml", "name: x\nfeilds: {é: \u{1b}[31m}\n");
        let at = Span::new(&file, 8..14);
        Diagnostics::from_iter([Diagnostic::error(Code::UnknownKey, "unknown key `feilds`")
            .at(at, "not a key of an integration")
            .and(Span::new(&file, 0..4), "beside this")
            .help("did you mean `fields`?")
            .note("100% sure")])
    }

    #[test]
    fn text_shows_place_line_and_help_and_no_control_character() {
        let shown = text(&sample(), TextStyle::default());
        assert!(!shown.contains('\u{1b}'), "{shown}");
        for part in
            ["error[FB0103]", "integrations/a,b.yaml:2:1", "feilds: {é: <U+001B>[31m}", "help: did you mean", "1 error"]
        {
            assert!(shown.contains(part), "{part} is not in\n{shown}");
        }
    }

    #[test]
    fn colour_is_a_choice() {
        let shown = text(&sample(), TextStyle { color: true, ..TextStyle::default() });
        assert!(shown.contains("\u{1b}["));
        assert!(shown.contains("<U+001B>"));
    }

    #[test]
    fn one_line_and_github_forms_are_escaped() {
        let all = sample();
        let diagnostic = all.iter().next().unwrap();
        assert_eq!(line(diagnostic), "integrations/a,b.yaml:2:1: error[FB0103]: unknown key `feilds`");
        assert_eq!(
            github(diagnostic, ""),
            "::error file=integrations/a%2Cb.yaml,line=2,col=1,title=FB0103%3A unknown key::unknown key `feilds`%0Adid you mean `fields`?"
        );
        let hostile = Diagnostic::warning(Code::UnknownKey, "a\n::error::100%");
        assert_eq!(github(&hostile, ""), "::warning title=FB0103%3A unknown key::a<U+000A>::error::100%25");
    }

    #[test]
    fn json_names_its_format() {
        let value: serde_json::Value = serde_json::from_str(&document(&sample())).unwrap();
        assert_eq!(value["format"], "footbridge diagnostics/1");
        assert_eq!(value["diagnostics"][0]["labels"][0]["line"], 2);
        assert_eq!(value["diagnostics"][0]["code"], "FB0103");
    }
}
