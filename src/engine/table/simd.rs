//! The index by vector instructions, where the processor has them: chosen at run time, tested against its safe reference beside it. And a way to have any code
//! compiled a second time, for such processors.
//!
//! Beside `reconcile/near.rs` the one place of the program with `unsafe`, for calling functions that are compiled for more than every processor has, and for
//! looking at a vector as numbers.

#![allow(unsafe_code)]

use super::index::Index;

/// Takes `text` into the index. False, with nothing done, where the processor has no such instructions.
#[inline]
pub(super) fn take(index: &mut Index, text: &[u8], delimiter: u8, quote: Option<u8>) -> bool {
    #[cfg(target_arch = "x86_64")]
    if x86::has_512() {
        // SAFETY: the processor has every feature that the function is compiled for, as was just asked.
        unsafe { x86::take_512(index, text, delimiter, quote) };
        return true;
    } else if x86::has_256() {
        // SAFETY: as above.
        unsafe { x86::take_256(index, text, delimiter, quote) };
        return true;
    }
    let _ = (index, text, delimiter, quote);
    false
}

/// Does the work, by code that is made for processors with wide vectors where this is one. Only what is inlined into `work` gains by it.
#[inline(always)]
pub(crate) fn wide<R>(work: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    if x86::has_256() {
        // SAFETY: the processor has every feature that the function is compiled for, as was just asked.
        return unsafe { x86::wide_256(work) };
    }
    work()
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::is_x86_feature_detected as has;
    use std::arch::x86_64::*;

    use super::super::index::{GROUP, Index, Masks, Ways, places_one_by_one};

    pub(super) fn has_256() -> bool {
        has!("avx2") && has!("bmi1") && has!("bmi2") && has!("popcnt") && has!("pclmulqdq")
    }

    pub(super) fn has_512() -> bool {
        has_256() && has!("avx512f") && has!("avx512bw") && has!("avx512vl") && has!("avx512vbmi2")
    }

    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt,pclmulqdq")]
    pub(super) fn wide_256<R>(work: impl FnOnce() -> R) -> R {
        work()
    }

    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt,pclmulqdq")]
    pub(super) fn take_256(index: &mut Index, text: &[u8], delimiter: u8, quote: Option<u8>) {
        let wanted = |byte: u8| _mm256_set1_epi8(byte as i8);
        let (delimiters, feeds, backs, nul) = (wanted(delimiter), wanted(b'\n'), wanted(b'\r'), wanted(0));
        // Without a quote, a second look for line feeds costs nothing that can be seen.
        let quotes = wanted(quote.unwrap_or(b'\n'));
        let quoting = if quote.is_some() { u64::MAX } else { 0 };
        let masks = |group: &[u8; GROUP]| {
            let (words, _) = group.as_chunks::<8>();
            let word = |at: usize| i64::from_le_bytes(words[at]);
            let low = _mm256_set_epi64x(word(3), word(2), word(1), word(0));
            let high = _mm256_set_epi64x(word(7), word(6), word(5), word(4));
            let equal = |wanted: __m256i| {
                let low = _mm256_movemask_epi8(_mm256_cmpeq_epi8(low, wanted)) as u32;
                let high = _mm256_movemask_epi8(_mm256_cmpeq_epi8(high, wanted)) as u32;
                u64::from(low) | u64::from(high) << 32
            };
            let high_bits =
                u64::from(_mm256_movemask_epi8(low) as u32) | u64::from(_mm256_movemask_epi8(high) as u32) << 32;
            Masks {
                delimiter: equal(delimiters),
                feed: equal(feeds),
                back: equal(backs),
                quote: equal(quotes) & quoting,
                strange: equal(nul) | high_bits,
            }
        };
        index.take_by(text, &By { masks, odd: |bits| odd(bits), places: places_one_by_one });
    }

    #[target_feature(enable = "avx2,bmi1,bmi2,popcnt,pclmulqdq,avx512f,avx512bw,avx512vl,avx512vbmi2")]
    pub(super) fn take_512(index: &mut Index, text: &[u8], delimiter: u8, quote: Option<u8>) {
        let wanted = |byte: u8| _mm512_set1_epi8(byte as i8);
        let (delimiters, feeds, backs, nul) = (wanted(delimiter), wanted(b'\n'), wanted(b'\r'), wanted(0));
        let quotes = wanted(quote.unwrap_or(b'\n'));
        let quoting = if quote.is_some() { u64::MAX } else { 0 };
        let numbers: [i64; 8] =
            std::array::from_fn(|at| i64::from_le_bytes(std::array::from_fn(|byte| (at * 8 + byte) as u8)));
        let vector = |words: [i64; 8]| {
            _mm512_set_epi64(words[7], words[6], words[5], words[4], words[3], words[2], words[1], words[0])
        };
        let numbers = vector(numbers);
        let masks = |group: &[u8; GROUP]| {
            let (words, _) = group.as_chunks::<8>();
            let group = vector(std::array::from_fn(|at| i64::from_le_bytes(words[at])));
            let equal = |wanted: __m512i| _mm512_cmpeq_epi8_mask(group, wanted);
            Masks {
                delimiter: equal(delimiters),
                feed: equal(feeds),
                back: equal(backs),
                quote: equal(quotes) & quoting,
                strange: equal(nul) | _mm512_movepi8_mask(group),
            }
        };
        let places = |bits: u64, base: u32, to: &mut [u32; GROUP]| {
            let found = _mm512_maskz_compress_epi8(bits, numbers);
            let (to, _) = to.as_chunks_mut::<16>();
            let widened = |sixteen: __m128i| {
                let places = _mm512_add_epi32(_mm512_cvtepu8_epi32(sixteen), _mm512_set1_epi32(base as i32));
                // SAFETY: both are 64 bytes, of which each may be any.
                unsafe { std::mem::transmute::<__m512i, [u32; 16]>(places) }
            };
            to[0] = widened(_mm512_castsi512_si128(found));
            if bits.count_ones() > 16 {
                to[1] = widened(_mm512_extracti32x4_epi32::<1>(found));
                to[2] = widened(_mm512_extracti32x4_epi32::<2>(found));
                to[3] = widened(_mm512_extracti32x4_epi32::<3>(found));
            }
        };
        index.take_by(text, &By { masks, odd: |bits| odd(bits), places });
    }

    /// By multiplying with ones without carrying.
    #[target_feature(enable = "pclmulqdq")]
    #[inline]
    fn odd(bits: u64) -> u64 {
        let product = _mm_clmulepi64_si128::<0>(_mm_set_epi64x(0, bits as i64), _mm_set1_epi8(-1));
        _mm_cvtsi128_si64(product) as u64
    }

    struct By<M, O, P> {
        masks: M,
        odd: O,
        places: P,
    }

    impl<M, O, P> Ways for By<M, O, P>
    where
        M: Fn(&[u8; GROUP]) -> Masks,
        O: Fn(u64) -> u64,
        P: Fn(u64, u32, &mut [u32; GROUP]),
    {
        #[inline(always)]
        fn masks(&self, group: &[u8; GROUP]) -> Masks {
            (self.masks)(group)
        }

        #[inline(always)]
        fn odd(&self, bits: u64) -> u64 {
            (self.odd)(bits)
        }

        #[inline(always)]
        fn places(&self, bits: u64, base: u32, to: &mut [u32; GROUP]) {
            (self.places)(bits, base, to);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::index::Words;
    use super::*;

    #[cfg(target_arch = "x86_64")]
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
            let mut expected = Index::default();
            expected.take_by(&text, &Words { delimiter, quote });
            let all = |index: &Index| {
                let starts = index.starts[..=index.stops].to_vec();
                (starts, index.feeds, index.plain, index.quotes, index.returns, index.intricate, index.strange)
            };
            let expected = all(&expected);
            if x86::has_256() {
                let mut found = Index::default();
                // SAFETY: just asked.
                unsafe { x86::take_256(&mut found, &text, delimiter, quote) };
                prop_assert_eq!(&all(&found), &expected);
            } else {
                eprintln!("left out: this processor has no AVX2");
            }
            if x86::has_512() {
                let mut found = Index::default();
                // SAFETY: just asked.
                unsafe { x86::take_512(&mut found, &text, delimiter, quote) };
                prop_assert_eq!(&all(&found), &expected);
            } else {
                eprintln!("left out: this processor has no AVX-512");
            }
        }
    }
}
