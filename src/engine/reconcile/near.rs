//! Memory that will be read soon, asked for ahead of time: the waits of many look-ups then overlap. And numbers in huge pages that threads change side by side.
//! Without either everything is the same, and slower.
//!
//! Beside `table/simd.rs` the one place with `unsafe`: for an instruction, and for looking at a map's bytes as atomic numbers.

#![allow(unsafe_code)]

use std::ops::Deref;
use std::sync::atomic::{AtomicU32, AtomicU64};

use memmap2::MmapRaw;

use super::room::{HUGE, huge};

/// Asks the processor to bring what lies here near. Only a hint: nothing is read, and other processors than x86-64 do nothing.
#[inline(always)]
pub(super) fn bring<T>(what: &T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint, which reads nothing and faults at no address; every x86-64 processor has SSE.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(what).cast());
    }
    let _ = what;
}

/// The same for the first lines of a packed row: most rows have no more.
#[inline(always)]
pub(super) fn bring_row(row: &[u8]) {
    for line in [0, 64, 104] {
        if let Some(byte) = row.get(line) {
            bring(byte);
        }
    }
}

/// An atomic number.
///
/// # Safety
/// Any bytes are one, zeros are 0, and a page begins where one may.
pub(super) unsafe trait Number {
    const ZERO: Self;
}

// SAFETY: an integer of four bytes.
unsafe impl Number for AtomicU32 {
    const ZERO: Self = AtomicU32::new(0);
}

// SAFETY: an integer of eight bytes.
unsafe impl Number for AtomicU64 {
    const ZERO: Self = AtomicU64::new(0);
}

/// Numbers, 0 at first.
pub(super) struct Atomics<N>(Held<N>);

enum Held<N> {
    Heap(Vec<N>),
    /// A map of so many, which nothing else is made of.
    Mapped {
        map: MmapRaw,
        count: usize,
    },
}

impl<N: Number> Atomics<N> {
    /// So many.
    pub(super) fn new(count: usize) -> Self {
        let bytes = count * size_of::<N>();
        let map = (bytes >= HUGE).then(|| huge(bytes.next_multiple_of(HUGE))).flatten();
        Self(match map {
            Some(map) => Held::Mapped { map: map.into(), count },
            None => Held::Heap((0..count).map(|_| N::ZERO).collect()),
        })
    }
}

impl<N: Number> Deref for Atomics<N> {
    type Target = [N];

    #[inline]
    fn deref(&self) -> &[N] {
        match &self.0 {
            Held::Heap(numbers) => numbers,
            // SAFETY: the map begins at a page, has at least as many bytes as the numbers take, all zero at first, and lives as long as what is given out
            // here; nobody else has it, so all its bytes are only ever looked at as these atomics.
            Held::Mapped { map, count } => unsafe {
                std::slice::from_raw_parts(map.as_mut_ptr().cast_const().cast(), *count)
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;

    /// Two threads add to each; then it is three times its place.
    fn added<N: Number + Sync>(add: impl Fn(&N, usize) + Sync, is: impl Fn(&N, usize) -> bool) {
        for count in [0, 1, 1_000, 3 << 20] {
            let numbers = Atomics::<N>::new(count);
            assert_eq!(numbers.len(), count);
            assert!(numbers.iter().all(|number| is(number, 0)));
            std::thread::scope(|scope| {
                for more in [1, 2] {
                    let (numbers, add) = (&numbers, &add);
                    scope.spawn(move || numbers.iter().enumerate().for_each(|(at, number)| add(number, at * more)));
                }
            });
            assert!(numbers.iter().enumerate().all(|(at, number)| is(number, at * 3)));
        }
    }

    #[test]
    fn numbers_in_maps_are_numbers() {
        added(
            |number: &AtomicU32, more| _ = number.fetch_add(more as u32, Ordering::AcqRel),
            |number, sum| number.load(Ordering::Acquire) == sum as u32,
        );
        added(
            |number: &AtomicU64, more| _ = number.fetch_add((more as u64) << 20, Ordering::AcqRel),
            |number, sum| number.load(Ordering::Acquire) == (sum as u64) << 20,
        );
    }

    #[test]
    fn a_hint_changes_nothing() {
        for length in [0, 1, 64, 65, 104, 105, 4_096] {
            let row: Vec<u8> = (0..length).map(|at| at as u8).collect();
            let before = row.clone();
            bring_row(&row);
            bring(&row);
            assert_eq!(row, before);
        }
    }
}
