//! Rows as bytes, the same in memory and on disk: a kind, the length of each cell, the cells, and for report rows the number and the line.

/// What a report row's key turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum KeyForm {
    /// The key cell is canonical as it stands.
    Plain,
    /// The canonical form is cell 1.
    Folded,
    Blank,
    /// Cannot be a value of the match field; the reason is cell 1.
    Bad,
}

impl KeyForm {
    fn of(byte: u8) -> Self {
        match byte {
            0 => Self::Plain,
            1 => Self::Folded,
            2 => Self::Blank,
            _ => Self::Bad,
        }
    }
}

/// Cells before the mapped ones: the key, and its canonical form or why it has none.
pub(super) const BEFORE_FIELDS: usize = 2;
/// The length of the lengths does not fit one byte.
pub(super) const LONG: u8 = u8::MAX;

fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn get(bytes: &mut &[u8]) -> u64 {
    let (mut number, mut shift) = (0, 0);
    while let Some((&byte, rest)) = bytes.split_first() {
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte < 0x80 || shift > 63 {
            break;
        }
    }
    number
}

/// Appends a row of `width` cells.
#[inline]
pub(super) fn pack<'c>(out: &mut Vec<u8>, form: KeyForm, width: usize, cell: impl Fn(usize) -> &'c [u8]) {
    // Nearly all rows: few cells, each of a length that takes one byte.
    let mut lengths = [0; 32];
    if let Some(lengths) = lengths.get_mut(..width) {
        let (mut text, mut bits) = (0, 0);
        for (index, slot) in lengths.iter_mut().enumerate() {
            let length = cell(index).len();
            (text, bits) = (text + length, bits | length);
            *slot = length as u8;
        }
        if bits < 0x80 {
            let at = out.len();
            out.resize(at + 2 + width + text, 0);
            let (before, mut rest) = out[at..].split_at_mut(2 + width);
            (before[0], before[1]) = (form as u8, width as u8);
            before[2..].copy_from_slice(lengths);
            for index in 0..width {
                rest = copy(rest, cell(index));
            }
            return;
        }
    }
    out.push(form as u8);
    let at = out.len();
    out.push(0);
    for index in 0..width {
        put(out, cell(index).len() as u64);
    }
    let size = out.len() - at - 1;
    if size < usize::from(LONG) {
        out[at] = size as u8;
    } else {
        out[at] = LONG;
        out.splice(at + 1..at + 1, (size as u32).to_le_bytes());
    }
    for index in 0..width {
        out.extend_from_slice(cell(index));
    }
}

/// Copies a short cell to the start of `to`, whose rest comes back: by two moves of fixed length that may overlap.
#[inline]
fn copy<'t>(to: &'t mut [u8], cell: &[u8]) -> &'t mut [u8] {
    fn twice<const N: usize>(to: &mut [u8], cell: &[u8]) -> bool {
        let (Some(first), Some(last)) = (cell.first_chunk::<N>(), cell.last_chunk::<N>()) else { return false };
        if let Some(to) = to.first_chunk_mut::<N>() {
            *to = *first;
        }
        if let Some(to) = to.last_chunk_mut::<N>() {
            *to = *last;
        }
        true
    }
    let (here, rest) = to.split_at_mut(cell.len());
    match cell.len() {
        17..=32 => twice::<16>(here, cell),
        8..=16 => twice::<8>(here, cell),
        4..=7 => twice::<4>(here, cell),
        2..=3 => twice::<2>(here, cell),
        1 => twice::<1>(here, cell),
        _ => {
            here.copy_from_slice(cell);
            true
        }
    };
    rest
}

/// Appends where a packed row stands in the report.
pub(super) fn pack_place(out: &mut Vec<u8>, number: u64, line: u64) {
    put(out, number);
    put(out, line);
}

/// Fills up to eight bytes.
pub(super) fn pad(out: &mut Vec<u8>) {
    let length = out.len().next_multiple_of(8);
    out.extend_from_slice(&[0; 8]);
    out.truncate(length);
}

/// The cells of a packed row, in order.
#[derive(Clone, Copy)]
pub(super) struct Cells<'r> {
    lengths: &'r [u8],
    data: &'r [u8],
}

impl<'r> Iterator for Cells<'r> {
    type Item = &'r [u8];

    #[inline]
    fn next(&mut self) -> Option<&'r [u8]> {
        let (&first, rest) = self.lengths.split_first()?;
        let length = if first < 0x80 {
            self.lengths = rest;
            usize::from(first)
        } else {
            get(&mut self.lengths) as usize
        };
        let (cell, data) = self.data.split_at_checked(length)?;
        self.data = data;
        Some(cell)
    }
}

impl<'r> Cells<'r> {
    /// Goes over what is left of the cells: number and line.
    pub(super) fn place(mut self) -> (u64, u64) {
        self.by_ref().for_each(drop);
        let mut rest = self.data;
        (get(&mut rest), get(&mut rest))
    }

    /// Goes over what is left of a report row: what follows it, padding first.
    pub(super) fn behind(mut self) -> &'r [u8] {
        self.by_ref().for_each(drop);
        let mut rest = self.data;
        get(&mut rest);
        get(&mut rest);
        rest
    }
}

/// A packed row's form and cells. What follows the row does no harm.
#[inline]
pub(super) fn unpack(row: &[u8]) -> (KeyForm, Cells<'_>) {
    let (form, size, rest) = match row {
        [form, LONG, a, b, c, d, rest @ ..] => (*form, u32::from_le_bytes([*a, *b, *c, *d]) as usize, rest),
        [form, size, rest @ ..] => (*form, usize::from(*size), rest),
        _ => (KeyForm::Blank as u8, 0, row),
    };
    let (lengths, data) = rest.split_at_checked(size).unwrap_or_default();
    (KeyForm::of(form), Cells { lengths, data })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rows_come_back_as_they_went_in(
            cells in prop_oneof![
                proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..12),
                proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..3), 200..400),
            ],
            number in any::<u64>(),
            line in any::<u64>(),
        ) {
            let mut out = Vec::new();
            pack(&mut out, KeyForm::Folded, cells.len(), |at| &cells[at]);
            pack_place(&mut out, number, line);
            pad(&mut out);
            prop_assert_eq!(out.len() % 8, 0);
            let (form, found) = unpack(&out);
            prop_assert_eq!(form, KeyForm::Folded);
            prop_assert_eq!(found.place(), (number, line));
            prop_assert_eq!(found.map(<[u8]>::to_vec).collect::<Vec<_>>(), cells);
        }
    }
}
