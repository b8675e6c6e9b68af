//! The reader of reports, and the index below it.

#[path = "../../../src/engine/table/index.rs"]
mod index;
#[path = "../../../src/engine/table/simd.rs"]
mod simd;

use self::index::{Index, Words};
use crate::table::{Block, CsvReader, Dialect, Limits};

/// Vectors and words find the same stops. And what the reader accepts, the `csv` crate reads with the same cells.
pub fn check(bytes: &[u8]) {
    for (delimiter, quote) in [(b',', Some(b'"')), (b';', Some(b'\'')), (b'\t', None)] {
        let (mut fast, mut plain) = (Index::default(), Index::default());
        plain.take_by(bytes, &Words { delimiter, quote });
        if simd::take(&mut fast, bytes, delimiter, quote) {
            assert_eq!(fast.starts[..=fast.stops], plain.starts[..=plain.stops]);
            assert_eq!((fast.plain, fast.feeds, fast.quotes), (plain.plain, plain.feeds, plain.quotes));
            assert_eq!((fast.returns, fast.intricate), (plain.returns, plain.intricate));
        }
    }
    let dialect = Dialect { header: false, ..Dialect::default() };
    let whole = rows(bytes, dialect, Limits::default());
    let pieces = rows(bytes, dialect, Limits { block: 7, ..Limits::default() });
    assert_eq!(whole, pieces, "the size of a block is not seen");
    assert_eq!(whole, drained(bytes, dialect), "nor is it that pieces are read side by side");
    let Some(mut rows) = whole else { return };
    let mut reference = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes);
    let records = reference.byte_records().map(|record| record.expect("what the reader accepts is sound"));
    let mut expected: Vec<Vec<Vec<u8>>> = records.map(|record| record.iter().map(<[u8]>::to_vec).collect()).collect();
    if rows.first().is_some_and(|row| row.len() == 1) {
        // The reference has no blank rows; quoted empty cells it has.
        rows.retain(|row| !row[0].is_empty());
        expected.retain(|row| !row[0].is_empty());
    }
    assert_eq!(rows, expected);
}

fn rows(bytes: &[u8], dialect: Dialect, limits: Limits) -> Option<Vec<Vec<Vec<u8>>>> {
    let (_, mut reader) = CsvReader::open(bytes, dialect, limits).ok()?;
    let mut rows = Vec::new();
    while let Some(block) = reader.next_block().ok()? {
        rows.extend(block.iter().map(|row| row.cells().map(<[u8]>::to_vec).collect::<Vec<_>>()));
    }
    Some(rows)
}

fn drained(bytes: &[u8], dialect: Dialect) -> Option<Vec<Vec<Vec<u8>>>> {
    let (_, reader) = CsvReader::open(bytes, dialect, Limits { block: 7, ..Limits::default() }).ok()?;
    let mut rows = Vec::new();
    let cells = |block: &Block| {
        Ok::<_, ()>(block.iter().map(|row| row.cells().map(<[u8]>::to_vec).collect::<Vec<_>>()).collect::<Vec<_>>())
    };
    let taken = reader.drain(2, cells, |more| {
        rows.extend(more);
        Ok(())
    });
    taken.is_ok().then_some(rows)
}
