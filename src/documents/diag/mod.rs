//! Problems as data: one closed table of codes (title, page), severities, spans, hints. Does not know where problems are printed, nor what a
//! configuration, a report or an org is.

mod code;
mod diagnostic;
mod source;

pub use code::{Code, Family};
pub use diagnostic::{Diagnostic, Diagnostics, Label, Severity};
pub use source::{SourceFile, Span};
