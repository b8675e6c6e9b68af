//! Colours, when asked for. A colour only repeats what a mark or word says already.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};

use crate::plan::ChangeKind;

/// A heading for a person.
pub fn heading(text: &str, colour: bool) -> String {
    Paint(colour).strong(text)
}

/// Paints, or does not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint(pub bool);

impl Paint {
    fn with(self, style: Style, text: impl Display) -> String {
        if self.0 { format!("{style}{text}{style:#}") } else { text.to_string() }
    }

    /// Headings.
    pub fn strong(self, text: impl Display) -> String {
        self.with(Style::new().bold(), text)
    }

    /// What matters less.
    pub fn faint(self, text: impl Display) -> String {
        self.with(Style::new().dimmed(), text)
    }

    /// Good, or added.
    pub fn good(self, text: impl Display) -> String {
        self.with(AnsiColor::Green.on_default(), text)
    }

    /// Bad, or taken away.
    pub fn bad(self, text: impl Display) -> String {
        self.with(AnsiColor::Red.on_default(), text)
    }

    /// In between.
    pub fn odd(self, text: impl Display) -> String {
        self.with(AnsiColor::Yellow.on_default(), text)
    }

    /// In the colour of a kind of change.
    pub fn kind(self, kind: ChangeKind, text: impl Display) -> String {
        match kind {
            ChangeKind::Fill => self.good(text),
            ChangeKind::Overwrite => self.odd(text),
            ChangeKind::Clear => self.bad(text),
        }
    }
}

/// The mark of a kind of change: `+` fill, `~` overwrite, `-` clear.
pub(crate) fn mark(kind: ChangeKind) -> char {
    match kind {
        ChangeKind::Fill => '+',
        ChangeKind::Overwrite => '~',
        ChangeKind::Clear => '-',
    }
}
