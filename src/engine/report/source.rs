//! Opening a report and reading it to its end: the layers from stored bytes to blocks, and their errors made one.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use memchr::memmem;

use super::charset::{HEAD, Unsettled, settle};
use super::decode::Decoder;
use super::delimiter::{SAMPLE, find, sep_line};
use super::header::{Unusable, names};
use super::peek::Peeked;
use super::raw::{Tap, TooLarge, Unpacked};
use super::{Encoding, EncodingFault, Facts, Found, Packed, PathProblem, ReportError, Stamp, Warning, inside};
use crate::table::{Block, CsvError, CsvReader, Dialect, DrainError, Drained, Limits};

/// Files shown beside a missing one.
const SIBLINGS: usize = 20;
/// How alike two names must be (Jaro-Winkler) for one to be meant by the other.
const NEAR: f64 = 0.8;

/// How a report is to be read. The default finds out all that can be found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Its encoding.
    pub encoding: Encoding,
    /// Its delimiter; `None`: found out among comma, semicolon, tab and `|`.
    pub delimiter: Option<u8>,
    /// Its quote; `None`: quotes are plain characters.
    pub quote: Option<u8>,
    /// Has it a header? Without one, columns are called `1`, `2`, and so on.
    pub header: bool,
    /// Lines before the header that are not part of the table. When set, a `sep=` line is not looked for.
    pub skip_lines: u64,
    /// What may be one cell, one row, one block.
    pub limits: Limits,
    /// A packed file may unpack to this many times its size (and always to 64 MiB).
    pub max_expansion: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            encoding: Encoding::Auto,
            delimiter: None,
            quote: Some(b'"'),
            header: true,
            skip_lines: 0,
            limits: Limits::default(),
            max_expansion: 200,
        }
    }
}

/// A report in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The path as the configuration writes it: what messages say.
    pub name: String,
    /// Where the file is.
    pub path: PathBuf,
    /// How to read it.
    pub options: Options,
}

impl Source {
    /// The file that a configuration in the repository `root` calls `relative`; it need not exist.
    ///
    /// # Errors
    /// [`ReportError::Path`], see [`inside`].
    pub fn inside(root: &Path, relative: &str, options: Options) -> Result<Self, ReportError> {
        match inside(root, relative) {
            Ok(path) => Ok(Self { name: relative.to_owned(), path, options }),
            Err(problem) => Err(ReportError::Path { name: relative.to_owned(), problem }),
        }
    }
}

type Text = Peeked<Decoder<Peeked<Unpacked>>>;

/// A report whose header has been read. Not `Debug`: it holds cells.
pub struct Opened {
    /// Names of the columns, trimmed; blank where the header is blank.
    pub columns: Vec<String>,
    /// How it is written.
    pub found: Found,
    /// What to say about it already.
    pub warnings: Vec<Warning>,
    reader: CsvReader<Text>,
    context: Context,
    modified: Option<Timestamp>,
    rows: u64,
    lost: Option<Lost>,
}

/// What an error needs to know.
struct Context {
    name: String,
    packed: Option<Packed>,
    watch: Option<Watch>,
}

/// An open file, and what it was like when it was opened.
struct Watch {
    file: Arc<File>,
    before: Stamp,
}

/// Opens a report, as far as its header.
///
/// # Errors
/// [`ReportError`]
pub fn open(source: &Source) -> Result<Opened, ReportError> {
    let name = || source.name.clone();
    let unreadable = |source| ReportError::Unreadable { name: name(), source };
    // Looked at before it is opened: opening a pipe would wait for its other end.
    let found = source.path.metadata().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => missing(source),
        io::ErrorKind::NotADirectory => ReportError::Path {
            name: name(),
            problem: PathProblem::NotAFolder {
                file: Path::new(&source.name).parent().unwrap_or(Path::new("")).display().to_string(),
            },
        },
        _ => unreadable(error),
    })?;
    if !found.is_file() {
        return Err(ReportError::NotAFile { name: name(), folder: found.is_dir() });
    }
    let file = Arc::new(File::open(&source.path).map_err(unreadable)?);
    if let Some(problem) = elsewhere(&file, &source.path) {
        return Err(ReportError::Path { name: name(), problem });
    }
    let before = stamp(&file).map_err(unreadable)?;
    let watch = Watch { file: Arc::clone(&file), before };
    start(Context { name: name(), packed: None, watch: Some(watch) }, Box::new(file), before.modified, &source.options)
}

/// Reads a report from any stream of bytes. `modified` is what the stream's origin says of its age.
///
/// # Errors
/// [`ReportError`]
pub fn open_stream(
    name: &str,
    input: Box<dyn Read + Send>,
    modified: Option<Timestamp>,
    options: &Options,
) -> Result<Opened, ReportError> {
    start(Context { name: name.to_owned(), packed: None, watch: None }, input, modified, options)
}

fn start(
    mut context: Context,
    input: Box<dyn Read + Send>,
    modified: Option<Timestamp>,
    options: &Options,
) -> Result<Opened, ReportError> {
    let unpacked = Unpacked::new(Tap::new(input), options.max_expansion).map_err(|error| context.read(error))?;
    context.packed = unpacked.packed();
    let mut bytes = Peeked::new(unpacked, HEAD).map_err(|error| context.read(error))?;
    let (charset, mark) = settle(options.encoding, bytes.head()).map_err(|unsettled| context.unsettled(unsettled))?;
    bytes.skip(mark);
    let decoder = Decoder::new(bytes, charset, options.encoding != Encoding::Auto, mark as u64);
    let text = Peeked::new(decoder, SAMPLE).map_err(|error| context.read(error))?;

    let sep = if options.skip_lines == 0 { sep_line(text.head()) } else { None };
    let mut warnings = Vec::new();
    if let (Some(set), Some(written)) = (options.delimiter, sep)
        && set != written
    {
        warnings.push(Warning::SepLine { set, written });
    }
    let mut dialect = Dialect {
        delimiter: b',',
        quote: options.quote,
        header: options.header,
        skip_lines: options.skip_lines.saturating_add(u64::from(sep.is_some())),
    };
    dialect.delimiter = match options.delimiter.or(sep) {
        Some(delimiter) => delimiter,
        None => find(text.head(), text.whole(), dialect, options.limits)
            .map_err(|candidates| ReportError::DelimiterUnclear { name: context.name.clone(), candidates })?,
    };
    let line_end = sampled_line_end(text.head(), dialect, options.limits);

    let (header, reader) =
        CsvReader::open(text, dialect, options.limits).map_err(|problem| context.csv(problem, &[]))?;
    let columns = if options.header {
        let (columns, more) = names(&header.names).map_err(|unusable| context.header(unusable, header.line))?;
        warnings.extend(more);
        columns
    } else {
        (1..=header.columns).map(|column| column.to_string()).collect()
    };
    let found = Found {
        charset,
        bom: mark > 0,
        delimiter: dialect.delimiter,
        sep_line: sep.is_some(),
        line_end,
        columns: header.columns,
        first_line: header.line,
        packed: context.packed,
    };
    Ok(Opened { columns, found, warnings, reader, context, modified, rows: 0, lost: None })
}

impl Opened {
    /// The next block of rows, never an empty one; `None` at the end. After an error only errors.
    ///
    /// # Errors
    /// [`ReportError`]
    pub fn next_block(&mut self) -> Result<Option<Block>, ReportError> {
        let block = match self.reader.next_block() {
            Ok(Some(block)) => block,
            Ok(None) => return Ok(None),
            Err(problem) => return Err(self.context.csv(problem, &self.columns)),
        };
        self.rows += block.rows() as u64;
        self.lost = Lost::and(self.lost, Lost::of(&block));
        Ok(Some(block))
    }

    /// Reads what is left, and tells what was read in all.
    ///
    /// # Errors
    /// [`ReportError`], above all [`ReportError::Changed`].
    pub fn finish(mut self) -> Result<Facts, ReportError> {
        while self.next_block()?.is_some() {}
        let last_line_ended = self.reader.last_line_ended();
        let Self { reader, context, modified, rows, lost, .. } = self;
        context.facts(reader.into_inner(), Facts { rows, last_line_ended, modified, ..Facts::default() }, lost)
    }

    /// Reads what is left on several threads: each block goes to `map` on any of them, and what that gives to `take`, in the report's order.
    ///
    /// # Errors
    /// The first error of the report, as one thread would meet it, or the first of `map` and `take`.
    pub fn drain<T: Send, E: Send>(
        self,
        threads: usize,
        map: impl Fn(&Block) -> Result<T, E> + Sync,
        mut take: impl FnMut(T) -> Result<(), E> + Send,
    ) -> Result<Facts, Stopped<E>> {
        let Self { reader, context, columns, modified, rows, mut lost, .. } = self;
        let drained = reader.drain(
            threads,
            |block| Ok((map(block)?, Lost::of(block))),
            |(mapped, found)| {
                lost = Lost::and(lost, found);
                take(mapped)
            },
        );
        let Drained { input, rows: more, last_line_ended } = drained.map_err(|error| match error {
            DrainError::Csv(problem) => Stopped::Report(context.csv(problem, &columns)),
            DrainError::Taken(error) => Stopped::Taken(error),
        })?;
        let facts = Facts { rows: rows + more, last_line_ended, modified, ..Facts::default() };
        context.facts(input, facts, lost).map_err(Stopped::Report)
    }
}

/// Why a report was not read to its end.
#[derive(Debug)]
pub enum Stopped<E> {
    /// The report itself.
    Report(ReportError),
    /// What was done with its rows.
    Taken(E),
}

/// Rows that hold characters which were lost before the report was written.
#[derive(Clone, Copy)]
struct Lost {
    rows: u64,
    first_row: u64,
    first_line: u64,
}

impl Lost {
    fn of(block: &Block) -> Option<Self> {
        let lost = "\u{FFFD}".as_bytes();
        memmem::find(block.bytes(), lost)?;
        let mut rows = block.iter().filter(|row| row.cells().any(|cell| memmem::find(cell, lost).is_some()));
        let first = rows.next()?;
        Some(Self { rows: 1 + rows.count() as u64, first_row: first.number(), first_line: first.line() })
    }

    /// With those of later blocks.
    fn and(before: Option<Self>, later: Option<Self>) -> Option<Self> {
        match (before, later) {
            (Some(before), Some(later)) => Some(Self { rows: before.rows + later.rows, ..before }),
            (before, later) => before.or(later),
        }
    }
}

impl Context {
    /// What was read in all, once the stream has been read to its end.
    fn facts(&self, text: Text, facts: Facts, lost: Option<Lost>) -> Result<Facts, ReportError> {
        let mut warnings = Vec::new();
        if facts.rows == 0 {
            warnings.push(Warning::HeaderOnly);
        }
        if let Some(Lost { rows, first_row, first_line }) = lost {
            warnings.push(Warning::LostCharacters { rows, first_row, first_line });
        }
        let mut tap = text.into_inner().into_inner().into_inner().into_tap();
        tap.drain().map_err(|error| self.read(error))?;
        let (bytes, sha256) = tap.finish();
        match self.changed(Some(bytes)) {
            Some(changed) => Err(changed),
            None => Ok(Facts { bytes, sha256, warnings, ..facts }),
        }
    }

    /// The error of a layer below, known by its type.
    fn read(&self, error: io::Error) -> ReportError {
        if let Some(changed) = self.changed(None) {
            return changed;
        }
        let name = self.name.clone();
        if let Some(fault) = error.get_ref().and_then(|inner| inner.downcast_ref::<EncodingFault>()) {
            return ReportError::Encoding { name, fault: fault.clone() };
        }
        if let Some(found) = error.get_ref().and_then(|inner| inner.downcast_ref::<TooLarge>()) {
            return ReportError::TooLarge { name, limit: found.limit };
        }
        match (error.kind(), self.packed) {
            (io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof, Some(how)) => {
                ReportError::Packed { name, how, source: error }
            }
            _ => ReportError::Unreadable { name, source: error },
        }
    }

    fn csv(&self, problem: CsvError, columns: &[String]) -> ReportError {
        if let CsvError::Read(error) = problem {
            return self.read(error);
        }
        // What is wrong in a file that is being written is no mistake of its author.
        if let Some(changed) = self.changed(None) {
            return changed;
        }
        let name = self.name.clone();
        match problem {
            CsvError::Empty => {
                let bytes = self.watch.as_ref().map(|watch| watch.before.bytes);
                ReportError::Empty { name, bytes }
            }
            problem => {
                let column = problem.cell().and_then(|cell| columns.get(cell - 1)).filter(|name| !name.is_empty());
                ReportError::Content { name, column: column.cloned(), problem }
            }
        }
    }

    fn unsettled(&self, unsettled: Unsettled) -> ReportError {
        let name = self.name.clone();
        match unsettled {
            Unsettled::Contradiction { mark } => ReportError::Contradiction { name, mark },
            Unsettled::ByteOrder => ReportError::ByteOrder { name },
            Unsettled::NotText(kind) => ReportError::NotText { name, kind },
        }
    }

    fn header(&self, unusable: Unusable, line: u64) -> ReportError {
        let name = self.name.clone();
        match unusable {
            Unusable::Duplicates(duplicates) => ReportError::DuplicateColumns { name, line, duplicates },
            Unusable::Blank => ReportError::BlankHeader { name, line },
        }
    }

    /// Has the file changed since it was opened? `read`: bytes that all of it turned out to be.
    fn changed(&self, read: Option<u64>) -> Option<ReportError> {
        let watch = self.watch.as_ref()?;
        let mut after = stamp(&watch.file).ok()?;
        if after == watch.before {
            after.bytes = read.unwrap_or(after.bytes);
        }
        (after != watch.before).then(|| ReportError::Changed { name: self.name.clone(), before: watch.before, after })
    }
}

/// Is the open file another than the one at this place (whose links were resolved)? A link that was put there in between would lead out of the
/// repository unseen.
fn elsewhere(file: &File, place: &Path) -> Option<PathProblem> {
    let moved = || Some(PathProblem::Moved { path: place.file_name().unwrap_or_default().display().to_string() });
    #[cfg(target_os = "linux")]
    {
        use std::os::fd::AsRawFd as _;
        // The system's own word on which file it is; a file that was replaced by another since is still the right one.
        if let Ok(found) = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())) {
            let plain = found.to_str().and_then(|text| text.strip_suffix(" (deleted)")).map(Path::new);
            return if found == place || plain == Some(place) { None } else { moved() };
        }
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let same =
            |one: &std::fs::Metadata, other: &std::fs::Metadata| (one.dev(), one.ino()) == (other.dev(), other.ino());
        match (file.metadata(), place.symlink_metadata()) {
            (Ok(opened), Ok(there)) if same(&opened, &there) => None,
            _ => moved(),
        }
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        if place.symlink_metadata().is_ok_and(|there| there.is_symlink()) { moved() } else { None }
    }
}

fn stamp(file: &File) -> io::Result<Stamp> {
    let found = file.metadata()?;
    let modified = found.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
    Ok(Stamp { bytes: found.len(), modified })
}

/// The reader knows a `\r\n` only when it has read on; the sample has it whole.
fn sampled_line_end(sample: &[u8], dialect: Dialect, limits: Limits) -> Option<crate::table::LineEnd> {
    let (_, mut reader) = CsvReader::open(sample, dialect, Limits { block: 1, ..limits }).ok()?;
    // Whatever is wrong here is told by the real reading.
    let _ = reader.next_block();
    reader.line_end()
}

fn missing(source: &Source) -> ReportError {
    let listed = source.path.parent().map(std::fs::read_dir);
    let folder_exists = matches!(listed, Some(Ok(_)));
    let mut siblings: Vec<String> = listed
        .and_then(Result::ok)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter(|entry| entry.path().is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    siblings.sort();
    let wanted = source.path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let mut near: Vec<(f64, &String)> = siblings
        .iter()
        .map(|name| (strsim::jaro_winkler(&wanted, &name.to_lowercase()), name))
        .filter(|&(likeness, _)| likeness >= NEAR)
        .collect();
    near.sort_by(|one, other| other.0.total_cmp(&one.0));
    let near = near.into_iter().take(3).map(|(_, name)| name.clone()).collect();
    let more = siblings.len().saturating_sub(SIBLINGS);
    siblings.truncate(SIBLINGS);
    ReportError::Missing { name: source.name.clone(), folder_exists, near, siblings, more }
}
