//! Whole readings: bytes or files in, blocks, facts and errors out.

use std::convert::Infallible;
use std::fs::{self, File};
use std::io::{self, Cursor, Read, Write};
use std::path::Path;
use std::time::{Duration, SystemTime};

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::*;
use crate::table::{Block, CsvError, Limits, LineEnd};

/// Hands out at most `step` bytes at a time.
struct Steps<R>(R, usize);

impl<R: Read> Read for Steps<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = buffer.len().min(self.1);
        self.0.read(&mut buffer[..room])
    }
}

type Rows = Vec<Vec<String>>;

fn rows(opened: &mut Opened) -> Result<Rows, ReportError> {
    let mut rows = Vec::new();
    while let Some(block) = opened.next_block()? {
        rows.extend(texts(&block));
    }
    Ok(rows)
}

fn texts(block: &Block) -> Rows {
    let text = |cell: &[u8]| String::from_utf8(cell.to_vec()).unwrap();
    block.iter().map(|row| row.cells().map(text).collect()).collect()
}

fn stream(bytes: &[u8], step: usize, options: &Options) -> Result<Opened, ReportError> {
    open_stream("r.csv", Box::new(Steps(Cursor::new(bytes.to_vec()), step)), None, options)
}

fn read(bytes: &[u8], options: &Options) -> Result<(Opened, Rows), ReportError> {
    let mut opened = stream(bytes, usize::MAX, options)?;
    let rows = rows(&mut opened)?;
    Ok((opened, rows))
}

fn error(bytes: &[u8], options: &Options) -> ReportError {
    match read(bytes, options) {
        Err(error) => error,
        Ok((_, rows)) => panic!("read {} rows of {bytes:?}", rows.len()),
    }
}

fn with(encoding: Encoding) -> Options {
    Options { encoding, ..Options::default() }
}

fn encoded(text: &str, charset: Charset, bom: bool) -> Vec<u8> {
    let marked = if bom { format!("\u{FEFF}{text}") } else { text.to_owned() };
    match charset {
        Charset::Utf8 => marked.into_bytes(),
        Charset::Utf16Le => marked.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        Charset::Utf16Be => marked.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        Charset::Windows1252 => encoding_rs::WINDOWS_1252.encode(text).0.into_owned(),
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

#[test]
fn how_a_report_is_written_is_found_out() {
    let utf8 = Found {
        charset: Charset::Utf8,
        bom: false,
        delimiter: b',',
        sep_line: false,
        line_end: Some(LineEnd::Lf),
        columns: 2,
        first_line: 1,
        packed: None,
    };
    let cases: Vec<(Vec<u8>, Found)> = vec![
        (b"a,b\n1,2\n".to_vec(), utf8.clone()),
        (b"\xEF\xBB\xBFa,b\r\n1,2\r\n".to_vec(), Found { bom: true, line_end: Some(LineEnd::CrLf), ..utf8.clone() }),
        (b"\n\na;b\n1,5;2\n".to_vec(), Found { delimiter: b';', first_line: 3, ..utf8.clone() }),
        (
            b"sep=|\ra|b\r1|2\r".to_vec(),
            Found { delimiter: b'|', sep_line: true, first_line: 2, line_end: Some(LineEnd::Cr), ..utf8.clone() },
        ),
        (
            encoded("sep=;\r\na;b\r\n1;2", Charset::Utf16Le, true),
            Found {
                charset: Charset::Utf16Le,
                bom: true,
                delimiter: b';',
                sep_line: true,
                first_line: 2,
                line_end: Some(LineEnd::CrLf),
                ..utf8.clone()
            },
        ),
        (
            encoded("a\tb\n1\t2", Charset::Utf16Be, false),
            Found { charset: Charset::Utf16Be, delimiter: b'\t', ..utf8.clone() },
        ),
        (gzip(b"a,b\n1,2\n"), Found { packed: Some(Packed::Gzip), ..utf8.clone() }),
        (b"email".to_vec(), Found { columns: 1, line_end: None, ..utf8.clone() }),
    ];
    for (bytes, expected) in cases {
        for step in [usize::MAX, 1] {
            let opened = stream(&bytes, step, &Options::default()).unwrap();
            assert_eq!(opened.found, expected, "for {bytes:?}");
        }
    }
}

#[test]
fn what_is_set_is_not_found_out() {
    let semicolon = Options { delimiter: Some(b';'), ..Options::default() };
    let (opened, rows) = read(b"a,b\n1,2\n", &semicolon).unwrap();
    assert_eq!((opened.columns, rows), (vec!["a,b".to_owned()], vec![vec!["1,2".to_owned()]]));
    let (opened, _) = read(b"sep=,\na;b\n1;2\n", &semicolon).unwrap();
    assert_eq!(opened.columns, ["a", "b"]);
    assert_eq!(opened.warnings, [Warning::SepLine { set: b';', written: b',' }]);
    let bare = Options { header: false, ..Options::default() };
    let (opened, rows) = read(b"x@example.com,7\ny@example.com,8\n", &bare).unwrap();
    assert_eq!(opened.columns, ["1", "2"]);
    assert_eq!(rows.len(), 2);
    let plain = Options { quote: None, ..Options::default() };
    assert_eq!(read(b"a,b\n\"1,2\n", &plain).unwrap().1, [["\"1", "2"]]);
    let titled = Options { skip_lines: 2, ..Options::default() };
    let (opened, _) = read(b"Logins, all; of them\n\na,b\n1,2\n", &titled).unwrap();
    assert_eq!((opened.columns.len(), opened.found.first_line), (2, 3));
}

#[test]
fn facts_are_those_of_the_bytes_that_were_read() {
    let text = b"a,b\n1,2\n3,4\n".to_vec();
    let digest = format!("{:x}", Sha256::digest(&text));
    for taken in 0..2 {
        let options = Options { limits: Limits { block: 1, ..Limits::default() }, ..Options::default() };
        let mut opened = stream(&text, 3, &options).unwrap();
        for _ in 0..taken {
            opened.next_block().unwrap().unwrap();
        }
        let facts = opened.finish().unwrap();
        assert_eq!((facts.rows, facts.bytes, facts.sha256.as_str()), (2, 12, digest.as_str()));
        assert!(facts.last_line_ended && facts.warnings.is_empty() && facts.modified.is_none());
    }
    let packed = gzip(&text);
    let facts = stream(&packed, 5, &Options::default()).unwrap().finish().unwrap();
    assert_eq!((facts.rows, facts.bytes), (2, packed.len() as u64));
    assert_eq!(facts.sha256, format!("{:x}", Sha256::digest(&packed)));

    let facts = stream(b"a,b", 9, &Options::default()).unwrap().finish().unwrap();
    assert_eq!((facts.rows, facts.warnings, facts.last_line_ended), (0, vec![Warning::HeaderOnly], false));
    let lost = "a,b\n1,2\n\u{FFFD},\u{FFFD}\nx\u{FFFD},4\n".as_bytes();
    let facts = stream(lost, 9, &Options::default()).unwrap().finish().unwrap();
    assert_eq!(facts.warnings, [Warning::LostCharacters { rows: 2, first_row: 2, first_line: 3 }]);
    let nothing = |(): ()| Ok::<(), Infallible>(());
    let drained = stream(lost, 9, &Options::default()).unwrap().drain(2, |_| nothing(()), nothing).unwrap();
    assert_eq!(drained, facts);
}

#[test]
fn invalid_bytes_are_told_with_their_place() {
    let mut late = b"a,b\r\n".to_vec();
    late.extend(b"1,2\r\n".repeat(40_000));
    late.extend(b"1,caf\xE9\r\n");
    let lone =
        [&encoded("a,b\n1,", Charset::Utf16Le, true)[..], &[0x3D, 0xD8], &encoded("x\n", Charset::Utf16Le, false)]
            .concat();
    let odd = [&encoded("a,b\n1,2", Charset::Utf16Be, true)[..], &[0]].concat();
    // (bytes, encoding, read as, offset, line, bytes at fault, cut, in Windows-1252)
    type Case = (Vec<u8>, Encoding, Charset, u64, u64, Vec<u8>, bool, Option<char>);
    let cases: Vec<Case> = vec![
        (b"a,b\n1,\xE9\n".to_vec(), Encoding::Auto, Charset::Utf8, 6, 2, vec![0xE9], false, Some('é')),
        (b"a,b\n1,\xE9".to_vec(), Encoding::Utf8, Charset::Utf8, 6, 2, vec![0xE9], true, Some('é')),
        (b"\xEF\xBB\xBFa\n\n\xC0\x80".to_vec(), Encoding::Auto, Charset::Utf8, 6, 3, vec![0xC0], false, Some('À')),
        (b"a\n\xE2\x82".to_vec(), Encoding::Auto, Charset::Utf8, 2, 2, vec![0xE2, 0x82], true, Some('â')),
        (b"a\n\x81".to_vec(), Encoding::Auto, Charset::Utf8, 2, 2, vec![0x81], false, None),
        (late, Encoding::Auto, Charset::Utf8, 200_010, 40_002, vec![0xE9], false, Some('é')),
        (lone, Encoding::Auto, Charset::Utf16Le, 14, 2, vec![0x3D, 0xD8], false, None),
        (odd, Encoding::Auto, Charset::Utf16Be, 16, 2, vec![0], true, None),
        (b"a,b\n1,\x81\n".to_vec(), Encoding::Windows1252, Charset::Windows1252, 6, 2, vec![0x81], false, None),
    ];
    for (bytes, encoding, charset, offset, line, bad, cut, in_windows_1252) in cases {
        for step in [usize::MAX, 1, 3] {
            let result = stream(&bytes, step, &with(encoding)).and_then(|mut opened| rows(&mut opened));
            let Err(ReportError::Encoding { fault, .. }) = result else { panic!("{:?}", result.map(|_| ())) };
            let set = encoding != Encoding::Auto;
            let expected = EncodingFault { charset, set, offset, line, bytes: bad.clone(), cut, in_windows_1252 };
            assert_eq!(fault, expected, "by {step}");
        }
    }
}

#[test]
fn rows_before_an_invalid_byte_are_read_first() {
    let mut bytes = b"a,b\n".to_vec();
    bytes.extend(b"1,2\n".repeat(200_000));
    bytes.push(0xFF);
    let mut opened = stream(&bytes, usize::MAX, &Options::default()).unwrap();
    assert!(opened.next_block().unwrap().unwrap().rows() > 1000);
    let failed = loop {
        match opened.next_block() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("ended"),
            Err(error) => break error,
        }
    };
    assert!(matches!(failed, ReportError::Encoding { .. }));
    assert!(opened.next_block().is_err());
    assert!(opened.finish().is_err(), "there are no facts of a report that cannot be read");
}

#[test]
fn what_is_wrong_has_its_own_error() {
    let auto = Options::default();
    type Check = fn(&ReportError) -> bool;
    let cases: Vec<(Vec<u8>, Options, Check)> = vec![
        (b"".to_vec(), auto.clone(), |e| matches!(e, ReportError::Empty { .. })),
        (b"\xEF\xBB\xBF".to_vec(), auto.clone(), |e| matches!(e, ReportError::Empty { .. })),
        (b"\n\r\n\n".to_vec(), auto.clone(), |e| matches!(e, ReportError::Empty { .. })),
        (b"sep=;\n".to_vec(), auto.clone(), |e| matches!(e, ReportError::Empty { .. })),
        (gzip(b""), auto.clone(), |e| matches!(e, ReportError::Empty { .. })),
        (b"PK\x03\x04\x14\0".to_vec(), auto.clone(), |e| {
            matches!(e, ReportError::NotText { kind: NotText::Workbook, .. })
        }),
        (b"<!doctype html><html>".to_vec(), auto.clone(), |e| {
            matches!(e, ReportError::NotText { kind: NotText::Markup, .. })
        }),
        (b"\xFF\xFEa\0".to_vec(), with(Encoding::Utf8), |e| {
            matches!(e, ReportError::Contradiction { mark: Charset::Utf16Le, .. })
        }),
        (b"a,b\n".to_vec(), with(Encoding::Utf16), |e| matches!(e, ReportError::ByteOrder { .. })),
        (
            b"a;b,c\n".to_vec(),
            auto.clone(),
            |e| matches!(e, ReportError::DelimiterUnclear { candidates, .. } if candidates.len() == 2),
        ),
        (
            b"\na,b,a \n".to_vec(),
            auto.clone(),
            |e| matches!(e, ReportError::DuplicateColumns { line: 2, duplicates, .. } if duplicates[0].positions == [1, 3]),
        ),
        (b",,\n1,2,3\n".to_vec(), auto.clone(), |e| matches!(e, ReportError::BlankHeader { line: 1, .. })),
        (b"a,b\n1,2\n1\n".to_vec(), auto.clone(), |e| {
            matches!(e, ReportError::Content { problem: CsvError::Ragged { line: 3, row: 2, .. }, column: None, .. })
        }),
        (b"a,Last Login\n1,\"2\n3,4\n".to_vec(), auto.clone(), |e| {
            matches!(e, ReportError::Content { problem: CsvError::UnclosedQuote { line: 2, .. }, column: Some(name), .. }
                if name == "Last Login")
        }),
        (b"a,b\n1,\0\n".to_vec(), auto.clone(), |e| {
            matches!(e, ReportError::Content { problem: CsvError::Nul { line: 2, at: 3 }, .. })
        }),
        (gzip(b"a,b\n1,2\n")[..20].to_vec(), auto.clone(), |e| {
            matches!(e, ReportError::Packed { how: Packed::Gzip, .. })
        }),
        ([&gzip(b"a,b\n1,2\n")[..], b"rubbish"].concat(), auto.clone(), |e| {
            matches!(e, ReportError::Packed { how: Packed::Gzip, .. })
        }),
    ];
    for (bytes, options, check) in cases {
        let error = error(&bytes, &options);
        assert!(check(&error), "{error:?} for {bytes:?}");
        assert!(error.to_string().starts_with("r.csv: "), "{error}");
        assert_eq!(error.name(), "r.csv");
        assert_eq!(error.line().is_some(), error.to_string().contains("line "), "{error}");
    }
}

#[test]
fn a_line_of_2_gb_fails_early() {
    for start in ["", "a,b\n1,2\n", "a,b\n1,\""] {
        let input = Cursor::new(start.as_bytes().to_vec()).chain(io::repeat(b'x').take(2 << 30));
        let result = open_stream("r.csv", Box::new(input), None, &Options::default())
            .and_then(|mut opened| rows(&mut opened).map(|_| ()));
        let Err(ReportError::Content { problem: CsvError::CellTooLong { .. }, .. }) = result else {
            panic!("{result:?}");
        };
    }
}

#[test]
fn gzip_is_unpacked_member_by_member_and_not_without_end() {
    let two = [gzip(b"a,b\n1,2\n"), gzip(b"3,4\n")].concat();
    assert_eq!(read(&two, &Options::default()).unwrap().1, [["1", "2"], ["3", "4"]]);

    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(b"a\n").unwrap();
    let zeros = [&[b'0'; (1 << 20) - 1][..], b"\n"].concat();
    for _ in 0..80 {
        packer.write_all(&zeros).unwrap();
    }
    let bomb = packer.finish().unwrap();
    let strict = Options { max_expansion: 1, ..Options::default() };
    let mut opened = stream(&bomb, usize::MAX, &strict).unwrap();
    let failed = loop {
        match opened.next_block() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("unpacked all of it"),
            Err(error) => break error,
        }
    };
    assert!(matches!(failed, ReportError::TooLarge { limit, .. } if limit == 64 << 20), "{failed:?}");
}

fn source(folder: &Path, name: &str) -> Source {
    Source::inside(folder, name, Options::default()).unwrap()
}

#[test]
fn files_are_read_with_their_time() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.csv"), "a,b\n1,2\n").unwrap();
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    File::options().write(true).open(folder.path().join("a.csv")).unwrap().set_modified(time).unwrap();
    let mut opened = open(&source(folder.path(), "a.csv")).unwrap();
    assert_eq!(rows(&mut opened).unwrap(), [["1", "2"]]);
    let facts = opened.finish().unwrap();
    assert_eq!(facts.modified.unwrap().as_second(), 1_800_000_000);
    assert_eq!((facts.rows, facts.bytes), (1, 8));
}

#[test]
fn files_that_cannot_be_opened_say_why() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("exports")).unwrap();
    for name in ["logins-review.csv", "nps.csv", "Logins.csv"] {
        fs::write(folder.path().join("exports").join(name), "a\n").unwrap();
    }
    match open(&source(folder.path(), "exports/login-review.csv")).err() {
        Some(ReportError::Missing { name, folder_exists: true, near, siblings, more: 0 }) => {
            assert_eq!(name, "exports/login-review.csv");
            assert_eq!(near[0], "logins-review.csv");
            assert_eq!(siblings, ["Logins.csv", "logins-review.csv", "nps.csv"]);
        }
        other => panic!("{other:?}"),
    }
    for number in 0..30 {
        fs::write(folder.path().join("exports").join(format!("day-{number}.csv")), "a\n").unwrap();
    }
    let Some(ReportError::Missing { siblings, more, .. }) = open(&source(folder.path(), "exports/x")).err() else {
        panic!("found");
    };
    assert_eq!((siblings.len(), more), (20, 13));
    let gone = open(&source(folder.path(), "none/at/all.csv")).err();
    assert!(matches!(gone, Some(ReportError::Missing { folder_exists: false, .. })), "{gone:?}");
    let inside_a_folder = open(&source(folder.path(), "exports")).err();
    assert!(matches!(inside_a_folder, Some(ReportError::NotAFile { folder: true, .. })), "{inside_a_folder:?}");
    let outside = Source::inside(folder.path(), "../a.csv", Options::default());
    assert!(matches!(outside, Err(ReportError::Path { problem: PathProblem::Parent, .. })));
}

#[cfg(unix)]
#[test]
fn what_is_replaced_between_the_look_and_the_opening_is_not_read() {
    use std::os::unix::fs::symlink;
    let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(outside.path().join("a.csv"), "secret\n").unwrap();
    let prepare = |name: &str| {
        let exports = folder.path().join(name);
        fs::create_dir(&exports).unwrap();
        fs::write(exports.join("a.csv"), "a,b\n1,2\n").unwrap();
        (source(folder.path(), &format!("{name}/a.csv")), exports)
    };
    let (unchanged, _) = prepare("one");
    assert!(open(&unchanged).is_ok());
    // The folder becomes a link once its path has been looked at; or the file does.
    let (raced, exports) = prepare("two");
    fs::remove_dir_all(&exports).unwrap();
    symlink(outside.path(), &exports).unwrap();
    let read = open(&raced).err();
    assert!(matches!(read, Some(ReportError::Path { problem: PathProblem::Moved { .. }, .. })), "{read:?}");
    let (raced, exports) = prepare("three");
    fs::remove_file(exports.join("a.csv")).unwrap();
    symlink(outside.path().join("a.csv"), exports.join("a.csv")).unwrap();
    assert!(matches!(open(&raced).err(), Some(ReportError::Path { problem: PathProblem::Moved { .. }, .. })));
    // Another file in its place is another file of the repository.
    let (replaced, exports) = prepare("four");
    fs::rename(exports.join("a.csv"), exports.join("b.csv")).unwrap();
    fs::write(exports.join("a.csv"), "a,b\n3,4\n5,6\n").unwrap();
    assert_eq!(open(&replaced).unwrap().finish().unwrap().rows, 2);
}

#[test]
fn an_empty_file_is_told_with_its_size() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.csv"), "\n\n").unwrap();
    let empty = open(&source(folder.path(), "a.csv")).err();
    assert!(matches!(empty, Some(ReportError::Empty { bytes: Some(2), .. })), "{empty:?}");
}

#[test]
fn a_file_that_changes_while_it_is_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    let write = || {
        fs::write(&path, "a,b\n1,2\n").unwrap();
        open(&source(folder.path(), "a.csv")).unwrap()
    };
    let appended = write();
    File::options().append(true).open(&path).unwrap().write_all(b"3,4\n").unwrap();
    assert!(matches!(appended.finish(), Err(ReportError::Changed { before, after, .. })
        if before.bytes == 8 && after.bytes == 12));

    let touched = write();
    let later = SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000);
    File::options().write(true).open(&path).unwrap().set_modified(later).unwrap();
    assert!(matches!(touched.finish(), Err(ReportError::Changed { .. })));

    // A new file in its place is another file: what was opened is read to its end.
    let replaced = write();
    fs::write(folder.path().join("new"), "a,b\n5,6\n7,8\n").unwrap();
    fs::rename(folder.path().join("new"), &path).unwrap();
    assert_eq!(replaced.finish().unwrap().rows, 1);

    // Half a row at the moment of reading is not called ragged, but what it is.
    let mut long = b"a,b\n".to_vec();
    long.extend(b"1,2\n".repeat(200_000));
    long.extend(b"3");
    fs::write(&path, &long).unwrap();
    let mut opened = open(&source(folder.path(), "a.csv")).unwrap();
    File::options().append(true).open(&path).unwrap().write_all(b"\n").unwrap();
    assert!(matches!(rows(&mut opened), Err(ReportError::Changed { .. })));
}

#[test]
fn a_report_can_be_read_on_another_thread() {
    fn sent<T: Send>() {}
    sent::<Opened>();
    sent::<ReportError>();
}

#[test]
fn real_reports_read_as_the_csv_crate_reads_them() {
    let Some(data) = std::env::var_os("FOOTBRIDGE_DATA") else {
        // Past the capture of what tests print.
        writeln!(std::io::stderr().lock(), "LEFT OUT: FOOTBRIDGE_DATA is not set, so no real report was read").unwrap();
        return;
    };
    let folder = Path::new(&data).join("activity");
    let mut files = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !name.ends_with(".csv") {
            continue;
        }
        files += 1;
        let mut opened = open(&source(&folder, &name)).unwrap();
        let mut reference = csv::Reader::from_path(folder.join(&name)).unwrap();
        assert_eq!(opened.columns, reference.headers().unwrap().iter().collect::<Vec<_>>());
        let expected: Rows =
            reference.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect();
        assert!(rows(&mut opened).unwrap() == expected, "{name}");
        assert_eq!(opened.finish().unwrap().rows, expected.len() as u64);
    }
    assert!(files >= 6);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_encoding_gives_the_same_rows(
        cells in proptest::collection::vec(("[ -~é€ß\n]{0,12}", "[a-zÀ-ÿ\"]{0,8}"), 0..20),
        wide in "[中😀я]{0,3}",
        charset in proptest::sample::select(
            vec![Charset::Utf8, Charset::Utf16Le, Charset::Utf16Be, Charset::Windows1252]),
        bom in any::<bool>(),
        packed in any::<bool>(),
        step in 1usize..50,
    ) {
        let one_byte = charset == Charset::Windows1252;
        let mut written: Rows = cells.into_iter().map(|(one, two)| vec![one, two]).collect();
        if !one_byte {
            written.push(vec![wide, "x".to_owned()]);
        }
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["Schlüssel", "Zweite Spalte"]).unwrap();
        for row in &written {
            writer.write_record(row).unwrap();
        }
        let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        let bom = bom && !one_byte;
        let mut bytes = encoded(&text, charset, bom);
        if packed {
            bytes = gzip(&bytes);
        }
        let encoding = match charset {
            _ if bom => Encoding::Auto,
            Charset::Utf8 => Encoding::Auto,
            Charset::Utf16Le => Encoding::Utf16Le,
            Charset::Utf16Be => Encoding::Utf16Be,
            Charset::Windows1252 => Encoding::Windows1252,
        };
        let options = Options { delimiter: Some(b','), ..with(encoding) };
        let mut opened = stream(&bytes, step, &options).unwrap();
        prop_assert_eq!(&opened.columns, &["Schlüssel", "Zweite Spalte"]);
        prop_assert_eq!(opened.found.charset, charset);
        prop_assert_eq!(rows(&mut opened).unwrap(), written);
        let facts = opened.finish().unwrap();
        prop_assert_eq!(facts.sha256, format!("{:x}", Sha256::digest(&bytes)));
    }

    #[test]
    fn no_bytes_at_all_make_it_panic_or_differ_by_chunks(
        bytes in proptest::collection::vec(prop_oneof![
            6 => proptest::sample::select(b"ab,;\"\r\n\t ".to_vec()),
            1 => any::<u8>(),
        ], 0..60),
        step in 1usize..9,
        encoding in proptest::sample::select(vec![
            Encoding::Auto, Encoding::Utf8, Encoding::Utf16, Encoding::Utf16Le, Encoding::Windows1252]),
    ) {
        let all = |step| {
            stream(&bytes, step, &with(encoding)).and_then(|mut opened| {
                let rows = rows(&mut opened)?;
                Ok((opened.columns.clone(), rows, opened.finish()?))
            })
        };
        // Several threads read what one reads, and meet what it meets.
        let side_by_side = stream(&bytes, step, &with(encoding)).and_then(|opened| {
            let (columns, mut rows) = (opened.columns.clone(), Rows::new());
            let read = opened.drain(2, |block| Ok(texts(block)), |more| {
                rows.extend(more);
                Ok::<(), Infallible>(())
            });
            match read {
                Ok(facts) => Ok((columns, rows, facts)),
                Err(Stopped::Report(error)) => Err(error),
                Err(Stopped::Taken(never)) => match never {},
            }
        });
        match (all(step), side_by_side) {
            (Ok(one), Ok(several)) => prop_assert!(one == several),
            (Err(one), Err(several)) => prop_assert_eq!(one.to_string(), several.to_string()),
            _ => prop_assert!(false, "threads decide"),
        }
        match (all(usize::MAX), all(step)) {
            (Ok(whole), Ok(stepped)) => prop_assert!(whole == stepped),
            (Err(whole), Err(stepped)) => prop_assert_eq!(
                std::mem::discriminant(&whole), std::mem::discriminant(&stepped), "{} / {}", whole, stepped),
            _ => prop_assert!(false, "chunks decide"),
        }
    }
}
