//! Why a command could not do its work: diagnostics and the exit code that they call for.

use std::path::Path;

use super::exit::Exit;
use crate::diag::{Code, Diagnostic, Diagnostics};

/// A command that failed.
#[derive(Debug)]
pub struct Failure {
    /// The exit code it calls for.
    pub exit: Exit,
    /// What is wrong, where, and what to do next.
    pub diagnostics: Diagnostics,
}

impl Failure {
    /// One problem.
    pub fn new(exit: Exit, diagnostic: Diagnostic) -> Self {
        Self { exit, diagnostics: Diagnostics::from_iter([diagnostic]) }
    }

    /// Several problems of bad configuration.
    pub fn configuration(diagnostics: Diagnostics) -> Self {
        Self { exit: Exit::Usage, diagnostics }
    }

    /// Bad usage.
    pub fn usage(code: Code, message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, Diagnostic::error(code, message))
    }

    /// A bug in Footbridge.
    pub fn bug(message: impl Into<String>) -> Self {
        let diagnostic = Diagnostic::error(Code::Bug, message)
            .help("please report it with what `--verbose` prints; it holds no values and no secrets");
        Self::new(Exit::Bug, diagnostic)
    }

    /// The file system would not.
    pub fn io(what: &str, path: &Path, error: &std::io::Error) -> Self {
        Self::new(
            Exit::Failed,
            Diagnostic::error(Code::FileUnwritable, format!("cannot {what} {}: {error}", path.display())),
        )
    }

    /// This and another: all problems, and the graver exit code.
    #[must_use]
    pub fn and(self, other: Failure) -> Self {
        Self {
            exit: self.exit.and(other.exit),
            diagnostics: self.diagnostics.into_iter().chain(other.diagnostics).collect(),
        }
    }

    /// Adds what to do next to the last problem.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        let text = text.into();
        let mut all: Vec<Diagnostic> = self.diagnostics.into_iter().collect();
        if let Some(last) = all.pop() {
            all.push(last.help(text));
        }
        self.diagnostics = all.into_iter().collect();
        self
    }
}
