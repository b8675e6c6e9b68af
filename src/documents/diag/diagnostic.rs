//! A problem, and many.

use super::{Code, Span};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing is done until it is mended.
    Error,
    /// Probably a mistake; work goes on.
    Warning,
    /// A habit worth having; can be switched off.
    Lint,
}

impl Severity {
    /// The word that stands before the code.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Lint => "lint",
        }
    }
}

/// A place and what is said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What; may be empty.
    pub text: String,
    /// The place at fault, rather than one that explains it.
    pub primary: bool,
}

/// One problem: what is wrong, where, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its stable code.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// Places, the primary one first.
    pub labels: Vec<Label>,
    /// What to do next: the exact command or YAML.
    pub help: Vec<String>,
    /// What else is worth knowing.
    pub notes: Vec<String>,
}

impl Diagnostic {
    fn new(severity: Severity, code: Code, message: impl Into<String>) -> Self {
        Self { code, severity, message: message.into(), labels: Vec::new(), help: Vec::new(), notes: Vec::new() }
    }

    /// An error.
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message)
    }

    /// A warning.
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, message)
    }

    /// A lint.
    pub fn lint(code: Code, message: impl Into<String>) -> Self {
        Self::new(Severity::Lint, code, message)
    }

    /// The place at fault.
    #[must_use]
    pub fn at(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.insert(0, Label { span, text: text.into(), primary: true });
        self
    }

    /// A place that explains it.
    #[must_use]
    pub fn and(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into(), primary: false });
        self
    }

    /// What to do next.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(text.into());
        self
    }

    /// What to do next, where there is something.
    #[must_use]
    pub fn maybe_help(self, text: Option<String>) -> Self {
        match text {
            Some(text) => self.help(text),
            None => self,
        }
    }

    /// What else is worth knowing.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// The place at fault, where there is one.
    pub fn span(&self) -> Option<&Span> {
        self.labels.iter().find(|l| l.primary).or(self.labels.first()).map(|l| &l.span)
    }

    fn place(&self) -> (&str, usize, usize) {
        self.span().map_or(("", 0, 0), |s| (s.file().path(), s.range().start, s.range().end))
    }
}

/// Problems, collected rather than stopped at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.list.push(diagnostic);
    }

    /// Adds many.
    pub fn extend(&mut self, others: impl IntoIterator<Item = Diagnostic>) {
        self.list.extend(others);
    }

    /// By file, place and code; the same problem once. Stable: the order of finding decides nothing but ties.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.list.sort_by(|a, b| {
            (a.place(), a.severity, a.code, &a.message).cmp(&(b.place(), b.severity, b.code, &b.message))
        });
        self.list.dedup_by(|a, b| a.code == b.code && a.message == b.message && a.place() == b.place());
        self
    }

    /// Must nothing be done until something is mended?
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|d| d.severity == Severity::Error)
    }

    /// How many of this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.list.iter().filter(|d| d.severity == severity).count()
    }

    /// Nothing at all.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many in all.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// One after the other.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.list.iter()
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<T: IntoIterator<Item = Diagnostic>>(iter: T) -> Self {
        Self { list: iter.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::SourceFile;

    #[test]
    fn sorted_by_file_and_place_and_each_once() {
        let a = SourceFile::new("a.yaml", "one\ntwo\n");
        let b = SourceFile::new("b.yaml", "one\n");
        let later = Diagnostic::error(Code::UnknownKey, "x").at(Span::new(&a, 4..5), "");
        let first = Diagnostic::warning(Code::UnknownKey, "y").at(Span::new(&a, 0..1), "");
        let other = Diagnostic::error(Code::WrongType, "z").at(Span::new(&b, 0..1), "");
        let all = Diagnostics::from_iter([other.clone(), later.clone(), first.clone(), later.clone()]).sorted();
        assert_eq!(all.into_iter().collect::<Vec<_>>(), [first, later, other]);
    }

    #[test]
    fn warnings_and_lints_are_no_errors() {
        let mut all = Diagnostics::new();
        all.push(Diagnostic::warning(Code::UnknownKey, "x"));
        all.push(Diagnostic::lint(Code::PrefixMissing, "x"));
        assert!(!all.has_errors());
        all.push(Diagnostic::error(Code::UnknownKey, "x"));
        assert!(all.has_errors());
        assert_eq!((all.count(Severity::Lint), all.len()), (1, 3));
    }
}
