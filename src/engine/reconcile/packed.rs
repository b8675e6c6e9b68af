//! Rows as bytes, the same in memory and on disk: a kind, the length of each cell, the cells, and for report rows the number and the line.

use crate::table::Row;
use crate::values::Ahead;

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

/// A row that is packed into room that is there already: few cells, each of a length that takes one byte, as nearly all rows are.
pub(super) struct Packing<'r> {
    room: &'r mut [u8],
    /// Where the next length belongs, and the next cell.
    length_at: usize,
    at: usize,
    /// So far it is such a row, and has room.
    fits: bool,
}

impl<'r> Packing<'r> {
    /// Begins a row of `width` cells.
    #[inline(always)]
    pub(super) fn begin(room: &'r mut [u8], form: KeyForm, width: usize) -> Self {
        let fits = room.len() >= 2 + width && width < 0x80;
        if fits {
            (room[0], room[1]) = (form as u8, width as u8);
        }
        Self { room, length_at: 2, at: 2 + width, fits }
    }

    /// Adds a cell: the first so many of these bytes. `QUICK`: so long most are at most.
    #[inline(always)]
    pub(super) fn cell<const QUICK: usize>(&mut self, (bytes, length): (&[u8], usize)) {
        let rest = self.room.get_mut(self.at..).unwrap_or_default();
        let room = rest.len();
        // So many whatever the length, where there are so many: what is too much is written over.
        match (rest.first_chunk_mut::<QUICK>(), bytes.first_chunk::<QUICK>()) {
            (Some(to), Some(from)) if length <= QUICK => *to = *from,
            _ if length < 0x80 && length <= room => rest[..length].copy_from_slice(&bytes[..length]),
            _ => {
                self.fits = false;
                return;
            }
        }
        if let Some(slot) = self.room.get_mut(self.length_at) {
            *slot = length as u8;
        }
        (self.length_at, self.at) = (self.length_at + 1, self.at + length);
    }

    /// The length of it all; none where the row takes [`pack`], or more room.
    #[inline(always)]
    pub(super) fn end(self) -> Option<usize> {
        self.fits.then_some(self.at)
    }

    /// Adds where the row stands in the report, and fills up to eight bytes: the length of it all, or none as [`Self::end`].
    #[inline(always)]
    pub(super) fn place(self, number: u64, line: u64) -> Option<usize> {
        // Two numbers of ten bytes at most, and the filling.
        let rest = self.room.get_mut(self.at..)?.first_chunk_mut::<28>()?;
        let mut at = 0;
        for mut number in [number, line] {
            while number >= 0x80 {
                rest[at] = number as u8 | 0x80;
                (number, at) = (number >> 7, at + 1);
            }
            rest[at] = number as u8;
            at += 1;
        }
        rest[at..][..8].copy_from_slice(&[0; 8]);
        self.fits.then_some((self.at + at).next_multiple_of(8))
    }
}

/// Appends a record, from one of its columns on. A column that nobody `wants` is packed as an empty cell.
#[inline(always)]
pub(super) fn pack_record(out: &mut Vec<u8>, record: Row<'_>, first: usize, wants: impl Fn(usize) -> bool) {
    let columns = first..record.width();
    let mut room = [0; 512];
    let mut packing = Packing::begin(&mut room, KeyForm::Plain, columns.len());
    for column in columns.clone() {
        packing.cell::<32>(if wants(column) { record.ahead(column) } else { (&[], 0) });
    }
    match packing.end() {
        Some(length) => out.extend_from_slice(&room[..length]),
        None => {
            pack(out, KeyForm::Plain, columns.len(), |at| if wants(first + at) { record.cell(first + at) } else { &[] })
        }
    }
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

    #[inline]
    fn nth(&mut self, count: usize) -> Option<&'r [u8]> {
        // Over short cells all at once.
        match self.lengths.split_at_checked(count) {
            Some((over, rest)) if over.iter().fold(0, |bits, length| bits | length) < 0x80 => {
                let bytes = over.iter().map(|&length| usize::from(length)).sum();
                (self.lengths, self.data) = (rest, self.data.get(bytes..)?);
            }
            _ => (0..count).try_for_each(|_| self.next().map(drop))?,
        }
        self.next()
    }
}

impl<'r> Cells<'r> {
    /// The next cell, and whatever lies behind it.
    #[inline]
    pub(super) fn ahead(&mut self) -> Option<Ahead<'r>> {
        let bytes = self.data;
        let length = self.next()?.len();
        Some(Ahead::new(bytes, length))
    }

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

/// Appends where the cells of a packed record lie that begins at `at`.
pub(super) fn span(record: &[u8], at: usize, out: &mut Vec<(u32, u32)>) {
    let cells = unpack(record).1;
    let mut from = at + record.len() - cells.data.len();
    out.extend(cells.map(|cell| {
        let start = from;
        from += cell.len();
        (start as u32, from as u32)
    }));
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
            prop_assert_eq!(found.map(<[u8]>::to_vec).collect::<Vec<_>>(), &cells[..]);
            for at in 0..=cells.len() {
                prop_assert_eq!({ found }.nth(at), cells.get(at).map(Vec::as_slice));
            }
            // Into room of any size: the same bytes, or nothing.
            for room in [out.len() + 40, out.len(), out.len() / 2, 1] {
                let mut room = vec![0xff; room];
                let mut packing = Packing::begin(&mut room, KeyForm::Folded, cells.len());
                cells.iter().for_each(|cell| packing.cell::<32>((cell, cell.len())));
                if let Some(length) = packing.place(number, line) {
                    prop_assert_eq!(&room[..length], &out[..]);
                }
            }
            let mut room = vec![0xff; out.len() + 40];
            let short = cells.len() < 0x80 && cells.iter().all(|cell| cell.len() < 0x80);
            let mut packing = Packing::begin(&mut room, KeyForm::Folded, cells.len());
            cells.iter().for_each(|cell| packing.cell::<32>((cell, cell.len())));
            prop_assert_eq!(packing.place(number, line).is_some(), short);
        }
    }
}
