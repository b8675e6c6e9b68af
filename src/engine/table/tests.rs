//! Tables of small inputs, the `csv` crate as reference, and inputs too large to hold.

use std::io::{self, Read};

use proptest::prelude::*;

use super::*;

/// A reader that hands out at most `step` bytes at a time, and counts them.
struct Steps<R> {
    input: R,
    step: usize,
    read: u64,
}

impl<R: Read> Read for Steps<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = buffer.len().min(self.step);
        let read = self.input.read(&mut buffer[..room])?;
        self.read += read as u64;
        Ok(read)
    }
}

/// Line of each row, and its cells.
type Lines = Vec<(u64, Vec<String>)>;

#[derive(Debug, PartialEq, Eq, Clone)]
struct Table {
    header: Vec<String>,
    rows: Lines,
    line_end: Option<LineEnd>,
    ended: bool,
}

fn read_from(input: impl Read, dialect: Dialect, limits: Limits) -> Result<(Table, Vec<Block>), CsvError> {
    let (header, mut reader) = CsvReader::open(input, dialect, limits)?;
    assert!(header.names.is_empty() || header.names.len() == header.columns);
    let mut blocks = Vec::new();
    while let Some(block) = reader.next_block()? {
        assert!(block.rows() > 0);
        blocks.push(block);
    }
    assert!(reader.next_block()?.is_none(), "the end stays the end");
    let mut rows = Lines::new();
    for (sequence, block) in blocks.iter().enumerate() {
        assert_eq!((block.sequence(), block.columns()), (sequence as u64, header.columns));
        for row in block.iter() {
            assert_eq!(row.number(), rows.len() as u64 + 1);
            rows.push((row.line(), row.cells().map(|cell| String::from_utf8(cell.to_vec()).unwrap()).collect()));
        }
    }
    let table = Table { header: header.names, rows, line_end: reader.line_end(), ended: reader.last_line_ended() };
    Ok((table, blocks))
}

/// Reads whole and byte by byte, with large blocks and with one row a block: all must agree.
fn read(text: &str, dialect: Dialect) -> Result<Table, String> {
    let mut results = Vec::new();
    for step in [usize::MAX, 1, 2, 3, 7] {
        for block in [Limits::default().block, 1] {
            let input = Steps { input: text.as_bytes(), step, read: 0 };
            let limits = Limits { block, ..Limits::default() };
            results.push(read_from(input, dialect, limits).map(|found| found.0).map_err(|error| error.to_string()));
        }
    }
    let first = results[0].clone();
    for other in &results {
        assert_eq!(*other, first, "for {text:?}");
    }
    first
}

/// `line:cell|cell` for each row, header first without its line.
fn shown(text: &str, dialect: Dialect) -> String {
    match read(text, dialect) {
        Err(error) => format!("error: {error}"),
        Ok(table) => {
            let mut out = table.header.join("|");
            for (line, cells) in table.rows {
                out.push_str(&format!(" {line}:{}", cells.join("|")));
            }
            out.escape_debug().to_string()
        }
    }
}

#[test]
fn small_files_read_as_they_should() {
    let cases: &[(&str, &str)] = &[
        ("a,b\n1,2\n", "a|b 2:1|2"),
        ("a,b\r\n1,2\r\n", "a|b 2:1|2"),
        ("a,b\r1,2\r3,4", "a|b 2:1|2 3:3|4"),
        ("a,b\n1,2", "a|b 2:1|2"),
        ("a,b\n1,\n,2\n,\n", "a|b 2:1| 3:|2 4:|"),
        ("a,b\n1,", "a|b 2:1|"),
        ("a,b\n\"1\",\"2\"\n", "a|b 2:1|2"),
        ("a,b\n\"1\",\"2\"", "a|b 2:1|2"),
        ("a,b\n\"\",\"\"\n", "a|b 2:|"),
        ("a,b\n\"x\"\"y\",\"\"\"\"\n", "a|b 2:x\\\"y|\\\""),
        ("a,b\n\"x,y\",\"p\nq\"\n3,4\n", "a|b 2:x,y|p\\nq 4:3|4"),
        ("a,b\r\n\"p\r\nq\rr\ns\",2\r\n3,4\r\n", "a|b 2:p\\r\\nq\\rr\\ns|2 6:3|4"),
        ("a,b\n5\" pipe,x\"\"y\n", "a|b 2:5\\\" pipe|x\\\"\\\"y"),
        ("a,b\n \"x\", y \n", "a|b 2: \\\"x\\\"| y "),
        ("\n\r\na,b\n\n1,2\n\n\n3,4\n\n\n", "a|b 5:1|2 8:3|4"),
        ("a,b\n", "a|b"),
        ("a,b", "a|b"),
        ("\"a\nb\",c\n1,2\n", "a\\nb|c 3:1|2"),
        // One column: a blank line between rows is a row, at the end it is none.
        ("a\n1\n\n2\n\n\n", "a 2:1 3: 4:2"),
        ("a\r\n\r\n1\r\n\r\n", "a 2: 3:1"),
        ("a\n\n\n\"\"\n\n", "a 2: 3: 4:"),
        ("", "error: no row"),
        ("\n\r\n\r", "error: no row"),
        ("a,b\n1\n", "error: line 2: 1 cells, expected 2"),
        ("a,b\n1,2\n\"x\ny\",2,3\n", "error: line 3: 3 cells, expected 2"),
        ("a,b\n1,2\n3", "error: line 3: 1 cells, expected 2"),
        ("a,b\n\"1\"x,2\n", "error: line 2, position 4: text after the closing quote of cell 1"),
        ("a,b\n1,\"2\" \n", "error: line 2, position 6: text after the closing quote of cell 2"),
        ("a,b\n1,\"p\nq\"x\n", "error: line 3, position 3: text after the closing quote of cell 2"),
        ("a,b\n1,2\n3,\"4\n5,6\n", "error: the quote opened in line 3, position 3 (cell 2) is never closed"),
        ("\"a,b\n", "error: the quote opened in line 1, position 1 (cell 1) is never closed"),
        ("a,b\n1,\"", "error: the quote opened in line 2, position 3 (cell 2) is never closed"),
        ("a,b\n1,x\0y\n", "error: line 2, position 4: a NUL byte"),
        ("\0", "error: line 1, position 1: a NUL byte"),
        ("a,b\n\"p\nq\0\",2\n", "error: line 3, position 2: a NUL byte"),
    ];
    for (text, expected) in cases {
        assert_eq!(shown(text, Dialect::default()), *expected, "for {text:?}");
    }
}

#[test]
fn other_dialects_read_as_they_are_declared() {
    let plain = Dialect::default();
    let cases: &[(Dialect, &str, &str)] = &[
        (Dialect { delimiter: b';', ..plain }, "a;b\n1,5;\"2;3\"\n", "a|b 2:1,5|2;3"),
        (Dialect { delimiter: b'\t', quote: None, ..plain }, "a\tb\n\"x\t\"y\"\n", "a|b 2:\\\"x|\\\"y\\\""),
        (Dialect { quote: Some(b'\''), ..plain }, "a,b\n'it''s',\"x\n", "a|b 2:it\\'s|\\\"x"),
        (Dialect { header: false, ..plain }, "1,2\n3,4\n", " 1:1|2 2:3|4"),
        (Dialect { header: false, ..plain }, "\n1,2", " 2:1|2"),
        (Dialect { header: false, ..plain }, "1\n\n2\n\n", " 1:1 2: 3:2"),
        (Dialect { header: false, ..plain }, "1,2\n3\n", "error: line 2: 1 cells, expected 2"),
        (Dialect { skip_lines: 1, ..plain }, "sep=,\r\na,b\r\n1,2\r\n", "a|b 3:1|2"),
        (Dialect { skip_lines: 2, ..plain }, "\"x\n\na\n1\n", "a 4:1"),
        (Dialect { skip_lines: 9, ..plain }, "a\n1\n", "error: no row"),
    ];
    for (dialect, text, expected) in cases {
        assert_eq!(shown(text, *dialect), *expected, "for {text:?}");
    }
    for (delimiter, quote) in [(b'"', Some(b'"')), (b'\n', None), (0xE9, None), (b',', Some(b'\r')), (0, None)] {
        let dialect = Dialect { delimiter, quote, ..plain };
        assert!(matches!(CsvReader::open(&b"a"[..], dialect, Limits::default()), Err(CsvError::Dialect { .. })));
    }
}

#[test]
fn line_ends_and_a_missing_last_one_are_told() {
    for (text, line_end, ended) in [
        ("a,b\n1,2\r\n", Some(LineEnd::Lf), true),
        ("\"a\r\n\",b\r\n1,2", Some(LineEnd::CrLf), false),
        ("a,b\r1,2\r", Some(LineEnd::Cr), true),
        ("a,b\r\r\n1,2\r\n", Some(LineEnd::Cr), true),
        ("a,b", None, false),
        ("a,b\n", Some(LineEnd::Lf), true),
    ] {
        let table = read(text, Dialect::default()).unwrap();
        assert_eq!((table.line_end, table.ended), (line_end, ended), "for {text:?}");
    }
}

#[test]
fn a_ragged_row_says_whether_the_file_ends_in_it() {
    for (text, cut) in [("a,b\n1", true), ("a,b\n1\n", false), ("a,b\n1\n2,3", false)] {
        match read_from(text.as_bytes(), Dialect::default(), Limits::default()) {
            Err(CsvError::Ragged { line: 2, row: 1, expected: 2, found: 1, last }) => assert_eq!(last, cut),
            other => panic!("{:?}", other.map(|found| found.0)),
        }
    }
}

#[test]
fn after_an_error_there_is_no_end_of_table() {
    let limits = Limits { block: 1, ..Limits::default() };
    let (_, mut reader) = CsvReader::open(&b"a,b\n1,2\n3\n"[..], Dialect::default(), limits).unwrap();
    assert_eq!(reader.next_block().unwrap().unwrap().rows(), 1);
    assert!(matches!(reader.next_block(), Err(CsvError::Ragged { .. })));
    assert!(matches!(reader.next_block(), Err(CsvError::FailedBefore)));
    assert!(matches!(reader.next_block(), Err(CsvError::FailedBefore)));
}

#[test]
fn cells_that_are_not_utf8_are_named() {
    let result = read_from(&b"a,b\n1,2\n3,\xE9\n"[..], Dialect::default(), Limits::default());
    assert!(matches!(result, Err(CsvError::NotUtf8 { line: 3, cell: 2 })));
    // Halves of a character on both sides of a delimiter are not one character.
    let result = read_from(&b"a,b\n\xC3,\xA9\n"[..], Dialect::default(), Limits::default());
    assert!(matches!(result, Err(CsvError::NotUtf8 { line: 2, cell: 1 })));
    assert!(CsvReader::open(&b"\xFF,b\n"[..], Dialect::default(), Limits::default()).is_err());
}

#[test]
fn a_failing_reader_is_an_error_and_an_interrupted_one_is_not() {
    struct Fails(u8);
    impl Read for Fails {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0 += 1;
            match self.0 {
                1 => Err(io::Error::from(io::ErrorKind::Interrupted)),
                2 => {
                    buffer[..6].copy_from_slice(b"a,b\n1,");
                    Ok(6)
                }
                _ => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
            }
        }
    }
    let (_, mut reader) = CsvReader::open(Fails(0), Dialect::default(), Limits::default()).unwrap();
    assert!(matches!(reader.next_block(), Err(CsvError::Read(_))));
}

#[test]
fn limits_hold_at_the_byte() {
    let limits = Limits { max_cell: 4, max_row: 9, max_columns: 3, block: 1 << 10 };
    let cases: &[(&str, Option<&str>)] = &[
        ("a,b\n1234,5678\n", None),
        ("a,b\n12345,1\n", Some("line 2: cell 1 is longer than 4 bytes")),
        ("a,b\n1,\"23\n45\"\n", Some("line 2: cell 2 is longer than 4 bytes")),
        ("a,b\n\"12\"\"4\",1\n", None),
        ("a,b,c\n1234,123,\n", None),
        ("a,b,c\n1234,1234,\n", Some("line 2: the row is longer than 9 bytes")),
        ("a,b,c\n1234,1234,", Some("line 2: the row is longer than 9 bytes")),
        ("a,b,c,d\n", Some("line 1: more than 3 columns")),
        ("a,b\n1,2,3,4,5\n", Some("line 2: 4 cells, expected 2")),
    ];
    for (text, expected) in cases {
        for step in [usize::MAX, 1, 2, 5] {
            let input = Steps { input: text.as_bytes(), step, read: 0 };
            let error = read_from(input, Dialect::default(), limits).err().map(|error| error.to_string());
            assert_eq!(error.as_deref(), *expected, "for {text:?} by {step}");
        }
    }
}

#[test]
fn a_line_of_2_gb_fails_early_whatever_is_in_it() {
    const LENGTH: u64 = 2 << 30;
    let starts: [&[u8]; 3] = [b"", b"a,b\n", b"a,b\n1,"];
    for start in starts {
        for (first, filler) in [("", b'x'), ("\"", b'x'), ("\"", b'\n'), ("", b','), ("\"", b'"'), ("", b'"')] {
            let input = start.chain(first.as_bytes()).chain(io::repeat(filler).take(LENGTH));
            let mut input = Steps { input, step: 64 << 10, read: 0 };
            let result = read_from(&mut input, Dialect::default(), Limits::default());
            assert!(result.is_err(), "{first:?} then {filler:?}");
            // What was read bounds what was held.
            assert!(input.read < 20 << 20, "{first:?} then {filler:?}: read {} bytes", input.read);
        }
    }
}

#[test]
fn long_tables_come_in_blocks_of_the_size_asked_for() {
    let mut text = String::from("key,value\n");
    for row in 0..50_000 {
        text.push_str(&format!("person{row}@example.com,{row}\n"));
    }
    let (table, blocks) = read_from(text.as_bytes(), Dialect::default(), Limits::default()).unwrap();
    assert_eq!(table.rows.len(), 50_000);
    assert_eq!(table.rows[49_999], (50_001, vec!["person49999@example.com".to_owned(), "49999".to_owned()]));
    assert!(blocks.len() > 5);
    let target = Limits::default().block;
    for block in &blocks[..blocks.len() - 1] {
        let text: usize = block.iter().flat_map(Row::cells).map(<[u8]>::len).sum();
        let weight = text + block.rows() * (block.columns() * size_of::<u32>() + size_of::<u64>());
        assert!((target..target + 100).contains(&weight), "{block:?}");
    }
    let again = read_from(Steps { input: text.as_bytes(), step: 1000, read: 0 }, Dialect::default(), Limits::default());
    assert!(again.unwrap().1 == blocks, "chunks do not show in blocks");
}

/// The rules once more, letter by letter over the whole text: rows with their lines, or what fails and where.
fn naive(text: &str) -> Result<Lines, (&'static str, u64)> {
    let letters: Vec<char> = text.chars().collect();
    let at = |place: usize| letters.get(place).copied();
    let ends_cell = |letter: Option<char>| matches!(letter, None | Some(',' | '\n' | '\r'));
    let after_end =
        |place: usize| if (at(place), at(place + 1)) == (Some('\r'), Some('\n')) { place + 2 } else { place + 1 };
    let (mut place, mut line) = (0, 1);
    let mut rows = Lines::new();
    let mut blank = Vec::new();
    while let Some(letter) = at(place) {
        if letter == '\n' || letter == '\r' {
            blank.push((line, vec![String::new()]));
            place = after_end(place);
            line += 1;
            continue;
        }
        let (start, mut cells) = (line, Vec::new());
        loop {
            let mut cell = String::new();
            if at(place) == Some('"') {
                let opened = line;
                place += 1;
                loop {
                    match (at(place), at(place + 1)) {
                        (None, _) => return Err(("unclosed", opened)),
                        (Some('"'), Some('"')) => {
                            cell.push('"');
                            place += 2;
                        }
                        (Some('"'), _) => break,
                        (Some(letter @ ('\n' | '\r')), next) => {
                            line += u64::from((letter, next) != ('\r', Some('\n')));
                            cell.push(letter);
                            place += 1;
                        }
                        (Some(letter), _) => {
                            cell.push(letter);
                            place += 1;
                        }
                    }
                }
                place += 1;
                if !ends_cell(at(place)) {
                    return Err(("text", line));
                }
            }
            while !ends_cell(at(place)) {
                cell.extend(at(place));
                place += 1;
            }
            cells.push(cell);
            if at(place) != Some(',') {
                break;
            }
            place += 1;
        }
        match rows.first() {
            Some(first) if first.1.len() != cells.len() => return Err(("ragged", start)),
            Some(first) if first.1.len() == 1 => rows.append(&mut blank),
            _ => {}
        }
        blank.clear();
        rows.push((start, cells));
        if at(place).is_some() {
            place = after_end(place);
            line += 1;
        }
    }
    if rows.is_empty() { Err(("empty", 0)) } else { Ok(rows) }
}

fn cell_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-z0-9@. é😀]{0,4}",
        1 => Just("\"".to_owned()),
        1 => Just(",".to_owned()),
        1 => Just("\n".to_owned()),
        1 => Just("\r\n".to_owned()),
        1 => Just("\r".to_owned()),
        1 => Just(";\t|'".to_owned()),
    ];
    proptest::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

fn table_text() -> impl Strategy<Value = Vec<Vec<String>>> {
    (1usize..5).prop_flat_map(|columns| {
        proptest::collection::vec(proptest::collection::vec(cell_text(), columns..=columns), 1..12)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn what_the_csv_crate_writes_reads_back(
        rows in table_text(),
        delimiter in proptest::sample::select(b",;\t|".to_vec()),
        crlf in any::<bool>(),
        always in any::<bool>(),
        step in 1usize..40,
        block in 1usize..200,
    ) {
        let mut writer = csv::WriterBuilder::new()
            .delimiter(delimiter)
            .terminator(if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') })
            .quote_style(if always { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary })
            .from_writer(Vec::new());
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let bytes = writer.into_inner().unwrap();
        let dialect = Dialect { delimiter, header: false, ..Dialect::default() };
        let limits = Limits { block, ..Limits::default() };
        let (table, _) = read_from(Steps { input: &bytes[..], step, read: 0 }, dialect, limits).unwrap();
        let found: Vec<_> = table.rows.into_iter().map(|row| row.1).collect();
        prop_assert_eq!(found, rows);
        prop_assert_eq!(table.ended, true);
    }

    #[test]
    fn any_text_reads_by_the_rules(
        text in prop_oneof!["[ab,\"\r\n]{0,14}", "[a\"\r\n]{0,12}", "([ab]?,(\"(a|\"\"|\r|\n)*\")?(\r|\n|\r\n)){0,6}[ab,\"]{0,3}"],
        header in any::<bool>(),
        step in 1usize..8,
        block in 1usize..100,
    ) {
        let dialect = Dialect { header, ..Dialect::default() };
        let limits = Limits { block, ..Limits::default() };
        let found = read_from(Steps { input: text.as_bytes(), step, read: 0 }, dialect, limits);
        let found = match found {
            Ok((table, _)) => Ok(if header {
                [vec![table.header], table.rows.into_iter().map(|row| row.1).collect()].concat()
            } else {
                table.rows.into_iter().map(|row| row.1).collect()
            }),
            Err(error) => Err(match error {
                CsvError::Empty => ("empty", 0),
                CsvError::Ragged { line, .. } => ("ragged", line),
                CsvError::UnclosedQuote { line, .. } => ("unclosed", line),
                CsvError::TextAfterQuote { line, .. } => ("text", line),
                other => panic!("{other}"),
            }),
        };
        let expected = naive(&text);
        if let (Ok(expected), false) = (&expected, header) {
            let lines: Vec<u64> = expected.iter().map(|row| row.0).collect();
            let (table, _) = read_from(text.as_bytes(), dialect, limits).unwrap();
            prop_assert_eq!(table.rows.iter().map(|row| row.0).collect::<Vec<_>>(), lines);
        }
        let expected = expected.map(|rows| rows.into_iter().map(|row| row.1).collect::<Vec<_>>());
        prop_assert_eq!(found, expected);
    }

    /// On any text, sound or not: what we accept the reference accepts with the same rows, blank lines apart.
    #[test]
    fn any_text_reads_as_the_csv_crate_reads_it_or_is_an_error(
        text in "[ab,\"\r\n]{0,14}",
        header in any::<bool>(),
        step in 1usize..8,
    ) {
        let dialect = Dialect { header, ..Dialect::default() };
        let whole = read_from(text.as_bytes(), dialect, Limits::default()).map(|found| found.0);
        let stepped = read_from(Steps { input: text.as_bytes(), step, read: 0 }, dialect, Limits::default());
        let Ok(table) = whole else {
            prop_assert_eq!(whole.unwrap_err().to_string(), stepped.map(|found| found.0).unwrap_err().to_string());
            return Ok(());
        };
        prop_assert_eq!(&table, &stepped.unwrap().0);
        let mut reference = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        let mut expected = Vec::new();
        for record in reference.records() {
            let record = record.unwrap();
            let line = record.position().unwrap().line();
            expected.push((line, record.iter().map(str::to_owned).collect::<Vec<_>>()));
        }
        let mut found: Vec<Vec<String>> = table.rows.iter().map(|row| row.1.clone()).collect();
        if header {
            found.insert(0, table.header.clone());
        }
        if found[0].len() == 1 {
            // The reference has no blank rows; quoted empty cells it has.
            found.retain(|row| !row[0].is_empty());
            expected.retain(|row| !row.1[0].is_empty());
        }
        prop_assert_eq!(found, expected.into_iter().map(|row| row.1).collect::<Vec<_>>());
    }
}
