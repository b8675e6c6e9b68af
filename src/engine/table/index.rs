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
    /// NUL, and whatever is not ASCII.
    pub(super) strange: u64,
}

/// Where the cells of a piece of text begin, which begins at the start of a row.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Where cells begin, in order, as far as the text is plain: the first at 0, each other behind a stop, which is a delimiter or a line feed outside quotes.
    /// What stands behind those that were found is of no meaning.
    pub(super) starts: Vec<u32>,
    /// So many stops.
    pub(super) stops: usize,
    /// So many of them are line feeds.
    pub(super) feeds: usize,
    /// So many bytes are plain.
    pub(super) plain: usize,
    /// Quotes.
    pub(super) quotes: usize,
    /// There is a carriage return outside quotes.
    pub(super) returns: bool,
    /// There is a NUL or something that is not ASCII.
    pub(super) strange: bool,
    /// A quoted cell holds a doubled quote or a line end: the cells have to be looked at one by one.
    pub(super) intricate: bool,
}

/// Ways of doing three things with words of 64 bits, for one kind of processor.
pub(super) trait Ways {
    /// What a group holds.
    fn masks(&self, group: &[u8; GROUP]) -> Masks;
    /// Each bit: are the ones up to and including it odd in number?
    fn odd(&self, bits: u64) -> u64;
    /// Writes where the ones stand, from `base` on. What is written behind them is of no meaning.
    fn places(&self, bits: u64, base: u32, to: &mut [u32; GROUP]);
}

impl Index {
    /// Looks at `text`, in place of what was known.
    pub(super) fn take(&mut self, text: &[u8], delimiter: u8, quote: Option<u8>) {
        if !simd::take(self, text, delimiter, quote) {
            self.take_by(text, &Words { delimiter, quote });
        }
    }

    /// The first stops from a number on, each as the place behind it; none where there are not so many.
    pub(super) fn behind(&self, from: usize, count: usize) -> Option<&[u32]> {
        self.starts.get(1..=self.stops)?.get(from..from + count)
    }

    /// The same, by any ways.
    #[inline(always)]
    pub(super) fn take_by(&mut self, text: &[u8], ways: &impl Ways) {
        let Self { starts, .. } = self;
        // A row cannot be empty here, so a stop takes two bytes as a rule; at worst the list grows.
        if starts.len() < text.len() / 8 + GROUP * 2 {
            starts.resize(text.len() / 8 + GROUP * 2, 0);
        }
        starts[0] = 0;
        let (mut found_feeds, mut quotes, mut any_back, mut intricate, mut strange) = (0, 0, 0, 0, 0);
        let mut count = 1;
        let mut plain = text.len();
        // What the byte before the group was: a stop (or the start of a row), a closing quote, a carriage return; and whether it was inside quotes.
        let (mut after_stop, mut after_close, mut after_back, mut inside) = (1, 0, 0, 0);
        let (groups, rest) = text.as_chunks::<GROUP>();
        let mut last = [0; GROUP];
        last[..rest.len()].copy_from_slice(rest);
        // Nothing of the filling is a stop: it is NUL. Only strange it would be.
        let ends = groups.iter().chain((!rest.is_empty()).then_some(&last));
        for (at, group) in ends.enumerate() {
            let found = ways.masks(group);
            strange |= if at < groups.len() { found.strange } else { found.strange & !(u64::MAX << rest.len()) };
            let (mut stops, mut wrong, mut close) = (found.delimiter | found.feed, 0, 0);
            // A report without quotes has none of what they bring.
            if found.quote | found.back | inside | after_close | after_back != 0 {
                let within = ways.odd(found.quote) ^ inside;
                stops &= !within;
                let back = found.back & !within;
                let open = found.quote & within;
                close = found.quote & !within;
                let behind_close = close << 1 | after_close;
                let doubled = open & behind_close;
                wrong = (open & !(stops << 1 | after_stop | behind_close))
                    | (behind_close & !(stops | found.quote | back))
                    | ((back << 1 | after_back) & !(found.feed & !within));
                quotes += found.quote.count_ones() as usize;
                any_back |= back;
                intricate |= doubled | ((found.feed | found.back) & within);
                inside = ((within as i64) >> 63) as u64;
                after_back = back >> 63;
            }
            let base = at * GROUP;
            if wrong != 0 {
                let sound = wrong.trailing_zeros();
                plain = base + sound as usize;
                stops &= !(u64::MAX << sound);
            }
            let room = match starts.get_mut(count..count + GROUP) {
                Some(room) => room,
                None => {
                    let length = starts.len() * 2;
                    starts.resize(length, 0);
                    &mut starts[count..count + GROUP]
                }
            };
            if let Some(room) = room.first_chunk_mut() {
                ways.places(stops, base as u32 + 1, room);
            }
            count += stops.count_ones() as usize;
            found_feeds += (stops & found.feed).count_ones() as usize;
            if wrong != 0 {
                break;
            }
            (after_stop, after_close) = (stops >> 63, close >> 63);
        }
        (self.stops, self.feeds, self.plain) = (count - 1, found_feeds, plain);
        (self.quotes, self.returns, self.intricate) = (quotes, any_back != 0, intricate != 0);
        self.strange = strange != 0;
    }
}

/// For every processor: the definition.
pub(super) struct Words {
    pub(super) delimiter: u8,
    pub(super) quote: Option<u8>,
}

impl Ways for Words {
    fn masks(&self, group: &[u8; GROUP]) -> Masks {
        masks_by_word(group, self.delimiter, self.quote)
    }

    fn odd(&self, mut bits: u64) -> u64 {
        for shift in [1, 2, 4, 8, 16, 32] {
            bits ^= bits << shift;
        }
        bits
    }

    fn places(&self, bits: u64, base: u32, to: &mut [u32; GROUP]) {
        places_one_by_one(bits, base, to);
    }
}

/// As [`Ways::places`] says.
#[inline(always)]
pub(super) fn places_one_by_one(mut bits: u64, base: u32, to: &mut [u32; GROUP]) {
    // Eight at a time without asking: the branch is foreseen, the count is not.
    for eight in to.as_chunks_mut::<8>().0 {
        if bits == 0 {
            break;
        }
        for place in eight {
            *place = base.wrapping_add(bits.trailing_zeros());
            bits &= bits.wrapping_sub(1);
        }
    }
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
    let mut masks = Masks { delimiter: 0, feed: 0, back: 0, quote: 0, strange: 0 };
    let (words, _) = group.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        masks.delimiter |= equal_in_word(word, delimiter) << (at * 8);
        masks.feed |= equal_in_word(word, b'\n') << (at * 8);
        masks.back |= equal_in_word(word, b'\r') << (at * 8);
        masks.quote |= quote.map_or(0, |quote| equal_in_word(word, quote)) << (at * 8);
        let high = ((word >> 7) & 0x0101_0101_0101_0101).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        masks.strange |= (equal_in_word(word, 0) | high) << (at * 8);
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
        let strange = (0..GROUP).fold(0, |bits, at| bits | u64::from(!(1..128).contains(&group[at])) << at);
        Masks {
            delimiter: bits(delimiter),
            feed: bits(b'\n'),
            back: bits(b'\r'),
            quote: quote.map_or(0, bits),
            strange,
        }
    }

    fn index(text: &str) -> Index {
        let mut index = Index::default();
        index.take(text.as_bytes(), b',', Some(b'"'));
        index
    }

    fn stops_of(index: &Index) -> Vec<u32> {
        assert_eq!(index.starts[0], 0);
        index.behind(0, index.stops).unwrap().iter().map(|behind| behind - 1).collect()
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
            assert_eq!((stops_of(&found), found.plain), (stops, plain), "{text:?}");
        }
        assert!(index("\"a\"\"b\",c\n").intricate && index("\"a\nb\",c\n").intricate);
        let quoted = index("\"a\",\"b\"\n");
        assert!(!quoted.intricate && quoted.quotes == 4 && index("a,b\n").quotes == 0);
    }

    #[test]
    fn a_group_does_not_show() {
        for length in 0..200 {
            let text = format!("{},\"{}\"\n", "x".repeat(length), "y".repeat(70));
            assert_eq!(stops_of(&index(&text)), [length as u32, length as u32 + 73], "{length}");
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
