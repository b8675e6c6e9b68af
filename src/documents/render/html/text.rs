//! Words in a page.

use maud::{Escaper, Render};
use std::fmt::Write as _;

use crate::render::escape::{Terminal, clipped};

/// Characters of a name or a sentence.
const LONGEST: usize = 400;

/// Text from a file, a report or an org: no markup comes of it, and what cannot be seen or turns the direction of writing is shown as an escape.
pub(super) struct Text<'a>(pub &'a str);

impl Render for Text<'_> {
    fn render_to(&self, buffer: &mut String) {
        let mut out = Escaper::new(buffer);
        let _ = write!(out, "{}", Terminal(&clipped(self.0, LONGEST)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_hostile_comes_through() {
        let text = Text("<script>alert(1)</script> \u{202e}gpj\u{1b}[31m \"x\" & 'y'").render().into_string();
        assert!(!text.contains(['<', '>', '"', '\u{202e}', '\u{1b}']), "{text}");
        assert!(text.contains("&lt;script&gt;") && text.contains("&amp;"), "{text}");
    }

    proptest! {
        #[test]
        fn no_text_makes_markup_or_hides(text in ".{0,200}") {
            let shown = Text(&text).render().into_string();
            prop_assert!(!shown.contains(['<', '>', '"']));
            prop_assert!(!shown.chars().any(crate::render::escape::is_invisible));
        }
    }
}
