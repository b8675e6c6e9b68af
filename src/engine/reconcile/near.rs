//! Memory that will be read soon, asked for ahead of time: the waits of many look-ups then overlap. Without it everything is the same, and slower.
//!
//! Beside `table/simd.rs` the one place with `unsafe`, for one instruction.

#![allow(unsafe_code)]

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

#[cfg(test)]
mod tests {
    use super::*;

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
