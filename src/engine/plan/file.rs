//! The plan file: JSON Lines. Header, one line an entry, summary with digests, context. Read as a stream, checked before anything is made of it.
//!
//! The counts stand at the end, not in the header: they are known only when the last entry is.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::{Deserialize, Serialize};

use super::compressed::{pack, unpacked};
use super::lines::PlanDigester;
use super::stored::{Gathering, Watch};
use super::{Context, Entry, FORMAT, Header, Plan, Summary};

/// The longest line that is read, in bytes: records of Salesforce stay far below, and a file that is no plan must not fill the memory.
const LONGEST: u64 = 64 << 20;

/// Why a plan file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FileProblem {
    /// Reading or writing failed.
    #[error("the plan file cannot be read: {0}")]
    Io(#[from] io::Error),
    /// Not a plan file at all, or of another version.
    #[error("this is no plan file of this version: it says `{found}`, expected `{FORMAT}`")]
    Format {
        /// What the first line said.
        found: String,
    },
    /// A line that cannot be decoded.
    #[error("line {line} of the plan file cannot be read: {source}")]
    Line {
        /// From 1.
        line: u64,
        /// What serde said.
        source: serde_json::Error,
    },
    /// The file ends before its summary.
    #[error("the plan file is cut off after line {line}")]
    CutOff {
        /// The last line that was there.
        line: u64,
    },
    /// The lines are not those that were written.
    #[error("the plan file was changed after it was written: its {part} do not fit their digest")]
    Changed {
        /// `inputs` or `changes`.
        part: &'static str,
    },
    /// The copy of a plan could not be kept.
    #[error("the plan cannot be kept on disk: {0}")]
    Keep(io::Error),
}

/// One line of a plan file: the header, then an entry for each row or record that is worth a line, then the summary, then the context.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(title = "Footbridge plan file, one line")]
enum Line {
    Header(Header),
    Entry(Entry),
    Summary(Box<Summary>),
    Context(Context),
}

/// The two last lines as they are written.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Written<'p> {
    Summary(&'p Summary),
    Context(&'p Context),
}

/// Reads lines, each whole.
struct Lines<R> {
    input: R,
    line: u64,
    buffer: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    fn read(&mut self) -> Result<(), FileProblem> {
        self.buffer.clear();
        (&mut self.input).take(LONGEST).read_until(b'\n', &mut self.buffer)?;
        Ok(())
    }

    fn next(&mut self) -> Result<Line, FileProblem> {
        self.read()?;
        if self.buffer.last() != Some(&b'\n') {
            return Err(FileProblem::CutOff { line: self.line });
        }
        self.line += 1;
        serde_json::from_slice(&self.buffer).map_err(|source| FileProblem::Line { line: self.line, source })
    }
}

/// (file name, text) of the schema of a plan file's lines.
pub fn schema() -> (&'static str, String) {
    let schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<Line>();
    let text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    ("plan.schema.json", text + "\n")
}

/// Where the checked lines stay.
enum Keep<'k> {
    /// In the file that they are read from.
    There,
    /// In a copy.
    Copy(&'k mut BufWriter<File>),
}

impl Plan {
    /// Reads a plan file that is not compressed and leaves its entries in it. For files that nobody else writes to.
    ///
    /// # Errors
    /// It is no whole plan file, or not the one that was written.
    pub fn open(mut file: File, watch: &mut dyn Watch) -> Result<Self, FileProblem> {
        file.seek(SeekFrom::Start(0))?;
        let read = take(BufReader::with_capacity(1 << 18, &file), Keep::There, watch)?;
        Ok(read.plan(file))
    }

    /// Reads a plan file, compressed or not, and keeps a copy of its entries in `keep`, an empty file of our own: whatever happens to the plan file from
    /// then on, the entries are those that were checked.
    ///
    /// # Errors
    /// It is no whole plan file, or not the one that was written; or the copy cannot be written.
    pub fn read(input: impl Read, keep: File, watch: &mut dyn Watch) -> Result<Self, FileProblem> {
        let mut keep = BufWriter::with_capacity(1 << 18, keep);
        let input = BufReader::with_capacity(1 << 18, unpacked(input)?);
        let read = take(input, Keep::Copy(&mut keep), watch)?;
        let keep = keep.into_inner().map_err(|e| FileProblem::Keep(e.into_error()))?;
        Ok(read.plan(keep))
    }

    /// The whole plan file: header and entries as they are, then summary and context.
    ///
    /// # Errors
    /// The encoder's, which no plan meets.
    fn file(&self) -> io::Result<impl Read> {
        let mut end = Vec::new();
        for line in [Written::Summary(&self.summary), Written::Context(&self.context)] {
            serde_json::to_writer(&mut end, &line)?;
            end.push(b'\n');
        }
        Ok(self.body().chain(io::Cursor::new(end)))
    }

    /// Writes the plan file.
    ///
    /// # Errors
    /// Reading the entries or writing them.
    pub fn write<W: Write>(&self, mut out: W) -> io::Result<W> {
        io::copy(&mut BufReader::with_capacity(1 << 18, self.file()?), &mut out)?;
        out.flush()?;
        Ok(out)
    }

    /// Writes the plan file, compressed by zstd.
    ///
    /// # Errors
    /// Reading the entries or writing them.
    pub fn write_compressed<W: Write>(&self, mut out: W) -> io::Result<W> {
        pack(BufReader::with_capacity(1 << 18, self.file()?), &mut out)?;
        out.flush()?;
        Ok(out)
    }
}

/// All that is known when the last line has been read.
struct Taken<'w> {
    gathering: Gathering<'w>,
    summary: Summary,
    context: Context,
}

impl Taken<'_> {
    fn plan(self, file: File) -> Plan {
        self.gathering.plan(file, self.summary, self.context)
    }
}

fn take<'w>(input: impl BufRead, mut keep: Keep<'_>, watch: &'w mut dyn Watch) -> Result<Taken<'w>, FileProblem> {
    let mut lines = Lines { input, line: 1, buffer: Vec::new() };
    let mut kept = |line: &[u8]| match &mut keep {
        Keep::There => Ok(()),
        Keep::Copy(out) => out.write_all(line).map_err(FileProblem::Keep),
    };
    lines.read()?;
    let header = match serde_json::from_slice(&lines.buffer) {
        Ok(Line::Header(header)) if header.format == FORMAT => header,
        Ok(Line::Header(header)) => return Err(FileProblem::Format { found: header.format }),
        // Whatever it is, it may be a report: none of it is shown.
        _ => return Err(FileProblem::Format { found: "something else".to_owned() }),
    };
    let mut digester = PlanDigester::new(&lines.buffer);
    kept(&lines.buffer)?;
    let mut gathering = Gathering::new(header, lines.buffer.len() as u64, watch);
    let summary = loop {
        match lines.next()? {
            Line::Entry(entry) => {
                digester.update(&lines.buffer);
                kept(&lines.buffer)?;
                gathering.entry(&entry, lines.buffer.len());
            }
            Line::Summary(summary) => break *summary,
            _ => return Err(FileProblem::Changed { part: "changes" }),
        }
    };
    let (inputs, changes) = digester.finish();
    if summary.inputs != inputs {
        return Err(FileProblem::Changed { part: "inputs" });
    }
    if summary.changes != changes {
        return Err(FileProblem::Changed { part: "changes" });
    }
    match lines.next()? {
        Line::Context(context) => Ok(Taken { gathering, summary, context }),
        _ => Err(FileProblem::CutOff { line: lines.line }),
    }
}
