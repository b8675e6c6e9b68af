//! Counting physical lines of text that arrives in pieces.

use memchr::{memchr_iter, memmem};

/// Counts line ends (`\n`, `\r\n`, `\r`) over pieces cut anywhere.
#[derive(Debug, Clone, Default)]
pub struct LineCounter {
    ends: u64,
    after_cr: bool,
}

impl LineCounter {
    /// Takes the next piece.
    pub fn feed(&mut self, piece: &[u8]) {
        let Some(&last) = piece.last() else { return };
        let feeds = memchr_iter(b'\n', piece).count();
        let returns = memchr_iter(b'\r', piece).count();
        let mut pairs = if returns == 0 { 0 } else { memmem::find_iter(piece, b"\r\n").count() };
        if self.after_cr && piece[0] == b'\n' {
            pairs += 1;
        }
        // `\r` at the end of the last piece was counted there, so a pair over the cut takes one away here.
        self.ends = self.ends + (feeds + returns) as u64 - pairs as u64;
        self.after_cr = last == b'\r';
    }

    /// The line, from 1, in which the next byte lies.
    pub fn line(&self) -> u64 {
        self.ends + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_count_once_wherever_the_cut_is() {
        for (text, line) in [("", 1), ("a", 1), ("a\n", 2), ("a\r\nb", 2), ("\r\r\n\n", 4), ("\n\r", 3), ("a\rb\r", 3)]
        {
            for cut in 0..=text.len() {
                let mut counter = LineCounter::default();
                counter.feed(&text.as_bytes()[..cut]);
                counter.feed(&text.as_bytes()[cut..]);
                assert_eq!(counter.line(), line, "{text:?} cut at {cut}");
            }
        }
    }
}
