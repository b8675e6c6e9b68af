//! Where cells and rows end, found in whole words instead of byte by byte: the fast half of the reader.
//!
//! It knows only what is plain: rows whose quotes stand where they should. At the first byte that breaks a rule, or bends one, it stops, and the
//! reader's own states say what that byte means.

use super::simd;

/// Bytes looked at together: one bit each in a word.
pub(super) const GROUP: usize = 64;

/// What one group holds, a bit a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Masks {
    pub(super) delimiter: u64,
    pub(super) feed: u64,
    pub(super) back: u64,
    pub(super) quote: u64,
}

/// The stops of a piece of text that begins at the start of a row.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Delimiters and line feeds outside quotes, in order, as far as the text is plain.
    pub(super) stops: Vec<u32>,
    /// So many of them are line feeds.
    pub(super) feeds: usize,
    /// So many bytes are plain.
    pub(super) plain: usize,
    /// There is a quote.
    pub(super) quoted: bool,
    /// A quoted cell holds a doubled quote or a line end: the cells have to be looked at one by one.
    pub(super) intricate: bool,
}

impl Index {
    /// Looks at `text`, in place of what was known.
    pub(super) fn take(&mut self, text: &[u8], delimiter: u8, quote: Option<u8>) {
        if !simd::take(self, text, delimiter, quote) {
            self.take_by(text, |group| masks_by_word(group, delimiter, quote));
        }
    }

    /// The same, by any way of looking at a group.
    #[inline(always)]
    pub(super) fn take_by(&mut self, text: &[u8], masks: impl Fn(&[u8; GROUP]) -> Masks) {
        self.stops.clear();
        // A row cannot be empty here, so a stop takes two bytes as a rule; at worst the list grows once more.
        self.stops.reserve(text.len() / 8);
        (self.plain, self.feeds, self.quoted, self.intricate) = (text.len(), 0, false, false);
        // What the byte before the group was: a stop (or the start of a row), a closing quote, a carriage return; and whether it was inside quotes.
        let (mut after_stop, mut after_close, mut after_back, mut inside) = (1, 0, 0, 0);
        let (groups, rest) = text.as_chunks::<GROUP>();
        let mut last = [0; GROUP];
        last[..rest.len()].copy_from_slice(rest);
        let ends = groups.iter().chain((!rest.is_empty()).then_some(&last));
        for (at, group) in ends.enumerate() {
            let found = masks(group);
            let within = prefix_xor(found.quote) ^ inside;
            let stops = (found.delimiter | found.feed) & !within;
            let back = found.back & !within;
            let (open, close) = (found.quote & within, found.quote & !within);
            let behind_close = close << 1 | after_close;
            let doubled = open & behind_close;
            let wrong = (open & !(stops << 1 | after_stop | behind_close))
                | (behind_close & !(stops | found.quote | back))
                | ((back << 1 | after_back) & !(found.feed & !within));
            self.quoted |= found.quote != 0;
            self.intricate |= doubled | ((found.feed | found.back) & within) != 0;
            let base = at * GROUP;
            if wrong != 0 {
                let sound = wrong.trailing_zeros();
                self.plain = base + sound as usize;
                let stops = stops & !(u64::MAX << sound);
                push(&mut self.stops, base as u32, stops);
                self.feeds += (stops & found.feed).count_ones() as usize;
                return;
            }
            push(&mut self.stops, base as u32, stops);
            self.feeds += (stops & found.feed).count_ones() as usize;
            inside = ((within as i64) >> 63) as u64;
            (after_stop, after_close, after_back) = (stops >> 63, close >> 63, back >> 63);
        }
        // Nothing of the filling is a stop: it is NUL.
    }
}

#[inline(always)]
fn push(stops: &mut Vec<u32>, base: u32, mut bits: u64) {
    let count = bits.count_ones() as usize;
    // Eight at a time without asking, then what is too much goes: the branch is foreseen, the count is not.
    let length = stops.len();
    while bits != 0 {
        let mut eight = [0; 8];
        for slot in &mut eight {
            *slot = base.wrapping_add(bits.trailing_zeros());
            bits &= bits.wrapping_sub(1);
        }
        stops.extend_from_slice(&eight);
    }
    stops.truncate(length + count);
}

/// Each bit: are the ones up to and including it odd in number?
#[inline(always)]
fn prefix_xor(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

/// A word of eight bytes to eight bits: which of them are `byte`?
#[inline]
fn equal_in_word(word: u64, byte: u8) -> u64 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let differs = word ^ (u64::from(byte) * 0x0101_0101_0101_0101);
    let zero = !(((differs & LOW) + LOW) | differs | LOW);
    (zero >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

/// The definition, for every processor.
#[inline]
pub(super) fn masks_by_word(group: &[u8; GROUP], delimiter: u8, quote: Option<u8>) -> Masks {
    let mut masks = Masks { delimiter: 0, feed: 0, back: 0, quote: 0 };
    let (words, _) = group.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        masks.delimiter |= equal_in_word(word, delimiter) << (at * 8);
        masks.feed |= equal_in_word(word, b'\n') << (at * 8);
        masks.back |= equal_in_word(word, b'\r') << (at * 8);
        masks.quote |= quote.map_or(0, |quote| equal_in_word(word, quote)) << (at * 8);
    }
    masks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Byte by byte.
    fn naive(group: &[u8; GROUP], delimiter: u8, quote: Option<u8>) -> Masks {
        let bits = |wanted: u8| (0..GROUP).fold(0, |bits, at| bits | u64::from(group[at] == wanted) << at);
        Masks { delimiter: bits(delimiter), feed: bits(b'\n'), back: bits(b'\r'), quote: quote.map_or(0, bits) }
    }

    fn index(text: &str) -> Index {
        let mut index = Index::default();
        index.take(text.as_bytes(), b',', Some(b'"'));
        index
    }

    #[test]
    fn stops_end_where_the_rules_bend() {
        for (text, stops, plain) in [
            ("a,b\nc,d\n", vec![1, 3, 5, 7], 8),
            ("\"a,\n\",b\r\n", vec![5, 8], 9),
            ("\"a\"\"b\",\"\"\n", vec![6, 9], 10),
            ("a\"b,c\n", vec![], 1),
            ("a,\"b\"c,d\n", vec![1], 5),
            ("a\rb,c\n", vec![], 2),
            ("a,b\r\nc", vec![1, 4], 6),
        ] {
            let found = index(text);
            assert_eq!((found.stops, found.plain), (stops, plain), "{text:?}");
        }
        assert!(index("\"a\"\"b\",c\n").intricate && index("\"a\nb\",c\n").intricate);
        assert!(!index("\"a\",\"b\"\n").intricate && index("\"a\",\"b\"\n").quoted && !index("a,b\n").quoted);
    }

    #[test]
    fn a_group_does_not_show() {
        for length in 0..200 {
            let text = format!("{},\"{}\"\n", "x".repeat(length), "y".repeat(70));
            assert_eq!(index(&text).stops, [length as u32, length as u32 + 73], "{length}");
        }
    }

    proptest! {
        #[test]
        fn words_and_vectors_say_what_bytes_say(
            text in proptest::collection::vec(proptest::sample::select(b"a,;\n\r\"'\x00\xff\x80\x0b".to_vec()), GROUP),
            quote in proptest::sample::select(vec![None, Some(b'"'), Some(b'\'')]),
            delimiter in proptest::sample::select(b",;\t".to_vec()),
        ) {
            let group: [u8; GROUP] = text.try_into().unwrap();
            let expected = naive(&group, delimiter, quote);
            prop_assert_eq!(masks_by_word(&group, delimiter, quote), expected);
        }
    }
}
