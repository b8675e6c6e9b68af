//! Memory for what is looked up at random: in huge pages where the system has them, since a miss of the page table costs as much as one of the cache.

use std::ops::{Deref, DerefMut};

use memmap2::MmapMut;

/// Bytes of a huge page on most machines; below that, huge pages bring nothing.
pub(super) const HUGE: usize = 2 << 20;

/// Zeroed bytes, of a fixed number.
pub(super) enum Room {
    Heap(Vec<u8>),
    Mapped(MmapMut),
}

impl Room {
    /// So many bytes. None of them costs memory before it is touched.
    pub(super) fn new(bytes: usize) -> Self {
        huge(bytes).map_or_else(|| Self::Heap(vec![0; bytes]), Self::Mapped)
    }
}

/// So many zeroed bytes in huge pages; none where that brings nothing, or is not to be had. Of anything but whole [`HUGE`] ones, Linux makes the ends of
/// small pages, and newer ones put the start anywhere.
pub(super) fn huge(bytes: usize) -> Option<MmapMut> {
    let map = (bytes >= HUGE).then(|| MmapMut::map_anon(bytes).ok()).flatten()?;
    // Only advice: without it, the pages are small ones.
    #[cfg(target_os = "linux")]
    let _ = map.advise(memmap2::Advice::HugePage);
    Some(map)
}

impl Deref for Room {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            Self::Heap(bytes) => bytes,
            Self::Mapped(map) => map,
        }
    }
}

impl DerefMut for Room {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Heap(bytes) => bytes,
            Self::Mapped(map) => map,
        }
    }
}
