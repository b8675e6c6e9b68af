//! The index by vector instructions, where the processor has them: chosen at run time, tested against its safe reference beside it.
//!
//! Beside `reconcile/near.rs` the one place of the program with `unsafe`, and it has one reason: calling a function that is compiled for more than every processor has.

#![allow(unsafe_code)]

use super::index::Index;

/// Takes `text` into the index. False, with nothing done, where the processor has no such instructions.
#[inline]
pub(super) fn take(index: &mut Index, text: &[u8], delimiter: u8, quote: Option<u8>) -> bool {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2")
        && std::arch::is_x86_feature_detected!("bmi1")
        && std::arch::is_x86_feature_detected!("bmi2")
        && std::arch::is_x86_feature_detected!("popcnt")
    {
        // SAFETY: the processor has every feature that the function is compiled for, as was just asked.
        unsafe { x86::take(index, text, delimiter, quote) };
        return true;
    }
    let _ = (index, text, delimiter, quote);
    false
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{__m256i, _mm256_cmpeq_epi8, _mm256_movemask_epi8, _mm256_set_epi64x, _mm256_set1_epi8};

    use super::super::index::{GROUP, Index, Masks};

    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
    pub(super) fn take(index: &mut Index, text: &[u8], delimiter: u8, quote: Option<u8>) {
        let wanted = |byte: u8| _mm256_set1_epi8(byte as i8);
        let (delimiters, feeds, backs) = (wanted(delimiter), wanted(b'\n'), wanted(b'\r'));
        // Without a quote, a second look for line feeds costs nothing that can be seen.
        let quotes = wanted(quote.unwrap_or(b'\n'));
        let quoting = if quote.is_some() { u64::MAX } else { 0 };
        index.take_by(text, |group: &[u8; GROUP]| {
            let (halves, _) = group.as_chunks::<32>();
            let (low, high) = (load(&halves[0]), load(&halves[1]));
            let equal = |wanted: __m256i| {
                let low = _mm256_movemask_epi8(_mm256_cmpeq_epi8(low, wanted)) as u32;
                let high = _mm256_movemask_epi8(_mm256_cmpeq_epi8(high, wanted)) as u32;
                u64::from(low) | u64::from(high) << 32
            };
            Masks {
                delimiter: equal(delimiters),
                feed: equal(feeds),
                back: equal(backs),
                quote: equal(quotes) & quoting,
            }
        });
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn load(half: &[u8; 32]) -> __m256i {
        let (words, _) = half.as_chunks::<8>();
        let word = |at: usize| i64::from_le_bytes(words[at]);
        _mm256_set_epi64x(word(3), word(2), word(1), word(0))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::index::masks_by_word;
    use super::*;

    proptest! {
        #[test]
        fn vectors_say_what_words_say(
            text in proptest::collection::vec(
                prop_oneof![3 => proptest::sample::select(b",;\n\r\"'\"".to_vec()), 2 => any::<u8>()],
                0..400,
            ),
            quote in proptest::sample::select(vec![None, Some(b'"'), Some(b'\'')]),
            delimiter in proptest::sample::select(b",;\t".to_vec()),
        ) {
            let (mut one, mut other) = (Index::default(), Index::default());
            if !take(&mut one, &text, delimiter, quote) {
                eprintln!("left out: this processor has no such instructions");
                return Ok(());
            }
            other.take_by(&text, |group| masks_by_word(group, delimiter, quote));
            prop_assert_eq!((one.stops, one.plain), (other.stops, other.plain));
            prop_assert_eq!((one.quoted, one.intricate), (other.quoted, other.intricate));
        }
    }
}
