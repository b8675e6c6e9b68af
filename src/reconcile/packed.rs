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
const LONG: u8 = u8::MAX;

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

/// Appends where a packed row stands in the report.
pub(super) fn pack_place(out: &mut Vec<u8>, number: u64, line: u64) {
    put(out, number);
    put(out, line);
}

/// Fills up to eight bytes.
pub(super) fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(8), 0);
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
