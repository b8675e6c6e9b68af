//! A key's canonical form while it is looked for. Nearly all keys are short: such a one lies in one line of memory, with nothing behind it, so that
//! it is folded, hashed and compared without asking how long it is.

use super::Ahead;

/// Bytes of the line.
const LINE: usize = 64;
/// From `LINE - n` on: n ones, and zeros for the rest of a line.
const ONES: [u8; 2 * LINE] = {
    let mut ones = [0; 2 * LINE];
    let mut at = 0;
    while at < LINE {
        ones[at] = u8::MAX;
        at += 1;
    }
    ones
};

/// The canonical form of a key: equal bytes are equal keys.
pub struct Key {
    /// The key, and zeros behind it; of a longer one nothing.
    line: [u8; LINE],
    length: usize,
    /// One that is longer than a line.
    long: Vec<u8>,
}

impl Default for Key {
    fn default() -> Self {
        Self { line: [0; LINE], length: 0, long: Vec::new() }
    }
}

/// The first `length` bytes of a line, and zeros behind them.
#[inline(always)]
fn alone(line: &[u8; LINE], length: usize) -> [u8; LINE] {
    let mut alone = *line;
    if let Some(ones) = ONES.get(LINE - length..).and_then(|ones| ones.first_chunk::<LINE>()) {
        for (byte, one) in alone.iter_mut().zip(ones) {
            *byte &= one;
        }
    }
    alone
}

/// Word by word, in registers: a call to compare them would wait until both are written down.
#[inline(always)]
fn same(a: &[u8; LINE], b: &[u8; LINE]) -> bool {
    let words = a.as_chunks().0.iter().zip(b.as_chunks().0);
    words.fold(0, |bits, (a, b)| bits | (u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b))) == 0
}

impl Key {
    /// The bytes.
    #[inline(always)]
    pub fn bytes(&self) -> &[u8] {
        self.line.get(..self.length).unwrap_or(&self.long)
    }

    /// The line, and how many bytes of it are the key; none where it is longer.
    #[inline(always)]
    pub fn line(&self) -> Option<(&[u8; LINE], usize)> {
        (self.length <= LINE).then_some((&self.line, self.length))
    }

    /// Is this the same key?
    #[inline(always)]
    pub fn is(&self, other: Ahead<'_>) -> bool {
        if other.length() != self.length {
            return false;
        }
        match other.line() {
            Some(line) => same(&alone(line, self.length), &self.line),
            None => other.cell() == self.bytes(),
        }
    }

    /// These bytes.
    pub fn set(&mut self, bytes: &[u8]) {
        self.length = bytes.len();
        self.line = [0; LINE];
        self.long.clear();
        match self.line.get_mut(..bytes.len()) {
            Some(line) => line.copy_from_slice(bytes),
            None => self.long.extend_from_slice(bytes),
        }
    }

    /// The ASCII text of a cell in lower case, and whether that is what stands there. None, with nothing of use in the key, where the cell is not ASCII, or
    /// longer than a line.
    #[inline(always)]
    pub(super) fn set_lower(&mut self, cell: Ahead<'_>) -> Option<bool> {
        let length = cell.length();
        let mut copy = [0; LINE];
        let line = match cell.line() {
            Some(line) => alone(line, length),
            None => {
                copy.get_mut(..length)?.copy_from_slice(cell.cell());
                copy
            }
        };
        let mut bits = 0;
        for (to, from) in self.line.as_chunks_mut().0.iter_mut().zip(line.as_chunks().0) {
            let word = u64::from_le_bytes(*from);
            bits |= word;
            *to = lower(word).to_le_bytes();
        }
        self.length = length;
        (bits & 0x8080_8080_8080_8080 == 0).then_some(same(&self.line, &line))
    }
}

/// Eight ASCII characters in lower case.
#[inline(always)]
fn lower(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let word = word & (0x7f * EACH);
    let from_a = word + (0x80 - u64::from(b'A')) * EACH;
    let behind_z = word + (0x7f - u64::from(b'Z')) * EACH;
    word | ((from_a & !behind_z & (0x80 * EACH)) >> 2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_line_says_what_its_bytes_say(
            cell in proptest::collection::vec(prop_oneof![8 => 0x20u8..0x7f, 1 => any::<u8>()], 0..80),
            other in proptest::collection::vec(0x20u8..0x7f, 0..80),
            behind in proptest::collection::vec(any::<u8>(), 0..80),
        ) {
            let mut key = Key::default();
            let seen = |cell: &[u8]| [cell, &behind].concat();
            for cell in [&cell, &other, &cell.to_ascii_lowercase()] {
                key.set(cell);
                prop_assert_eq!(key.bytes(), &cell[..]);
                prop_assert!(key.is(Ahead::new(&seen(cell), cell.len())));
                prop_assert!(key.is(cell.as_slice().into()));
                prop_assert_eq!(key.is(Ahead::new(&seen(&other), other.len())), *cell == other);
                let lower = cell.to_ascii_lowercase();
                let told = key.set_lower(Ahead::new(&seen(cell), cell.len()));
                prop_assert_eq!(told, (cell.is_ascii() && cell.len() <= LINE).then_some(lower == *cell));
                if told.is_some() {
                    prop_assert_eq!(key.bytes(), &lower[..]);
                    let (line, length) = key.line().unwrap();
                    prop_assert!(line[length..].iter().all(|byte| *byte == 0));
                }
            }
        }
    }
}
