//! The plan file: JSON Lines. Header, one line an entry, summary with digests, context. Written and read as a stream.
//!
//! The counts stand at the end, not in the header: they are known only when the last entry is.

use std::io::{BufRead, Write};

use serde::{Deserialize, Serialize};

use super::{Context, Entry, FORMAT, Header, Plan, Summary};
use crate::model::{Digest, Digester};

/// Why a plan file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FileProblem {
    /// Reading or writing failed.
    #[error("the plan file cannot be read: {0}")]
    Io(#[from] std::io::Error),
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
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Header(Header),
    Entry(Entry),
    Summary(Box<Summary>),
    Context(Context),
}

/// A line as it is written: nothing is copied for it.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Written<'p> {
    Header(&'p Header),
    Entry(&'p Entry),
    Summary(&'p Summary),
    Context(&'p Context),
}

impl Written<'_> {
    /// The line, in place of what `out` held.
    fn put(&self, out: &mut Vec<u8>) -> std::io::Result<()> {
        out.clear();
        serde_json::to_writer(&mut *out, self)?;
        out.push(b'\n');
        Ok(())
    }
}

/// Writes a plan as it comes and takes its digests.
pub struct PlanWriter<W: Write> {
    out: W,
    line: Vec<u8>,
    inputs: Digest,
    changes: Digester,
}

impl<W: Write> PlanWriter<W> {
    /// Writes the header.
    pub fn start(mut out: W, header: &Header) -> std::io::Result<Self> {
        let mut line = Vec::new();
        Written::Header(header).put(&mut line)?;
        out.write_all(&line)?;
        let inputs = Digest::of(&line);
        Ok(Self { out, line, inputs, changes: Digester::new() })
    }

    /// Writes one entry.
    pub fn entry(&mut self, entry: &Entry) -> std::io::Result<()> {
        Written::Entry(entry).put(&mut self.line)?;
        self.changes.update(&self.line);
        self.out.write_all(&self.line)
    }

    /// The two digests of what was written so far: inputs and changes.
    pub fn digests(&self) -> (Digest, Digest) {
        (self.inputs.clone(), self.changes.clone().finish())
    }

    /// Writes summary and context, and hands the writer back.
    pub fn finish(mut self, summary: &Summary, context: &Context) -> std::io::Result<W> {
        for line in [Written::Summary(summary), Written::Context(context)] {
            line.put(&mut self.line)?;
            self.out.write_all(&self.line)?;
        }
        self.out.flush()?;
        Ok(self.out)
    }
}

/// Reads a plan file as a stream.
pub struct PlanReader<R: BufRead> {
    input: R,
    line: u64,
    buffer: Vec<u8>,
    inputs: Digest,
    changes: Digester,
    end: Option<(Summary, Context)>,
}

impl<R: BufRead> PlanReader<R> {
    /// Reads the header.
    pub fn start(mut input: R) -> Result<(Header, Self), FileProblem> {
        let mut buffer = Vec::new();
        input.read_until(b'\n', &mut buffer)?;
        let header = match serde_json::from_slice(&buffer) {
            Ok(Line::Header(header)) if header.format == FORMAT => header,
            Ok(Line::Header(header)) => return Err(FileProblem::Format { found: header.format }),
            // Whatever it is, it may be a report: none of it is shown.
            _ => return Err(FileProblem::Format { found: "something else".to_owned() }),
        };
        let inputs = Digest::of(&buffer);
        Ok((header, Self { input, line: 1, buffer, inputs, changes: Digester::new(), end: None }))
    }

    fn line(&mut self) -> Result<Line, FileProblem> {
        self.buffer.clear();
        self.input.read_until(b'\n', &mut self.buffer)?;
        if self.buffer.last() != Some(&b'\n') {
            return Err(FileProblem::CutOff { line: self.line });
        }
        self.line += 1;
        serde_json::from_slice(&self.buffer).map_err(|source| FileProblem::Line { line: self.line, source })
    }

    /// The next entry; `None` once all have been read and the digests were found right.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, FileProblem> {
        if self.end.is_some() {
            return Ok(None);
        }
        match self.line()? {
            Line::Entry(entry) => {
                self.changes.update(&self.buffer);
                Ok(Some(entry))
            }
            Line::Summary(summary) => {
                if summary.inputs != self.inputs {
                    return Err(FileProblem::Changed { part: "inputs" });
                }
                if summary.changes != self.changes.clone().finish() {
                    return Err(FileProblem::Changed { part: "changes" });
                }
                match self.line()? {
                    Line::Context(context) => self.end = Some((*summary, context)),
                    _ => return Err(FileProblem::CutOff { line: self.line }),
                }
                Ok(None)
            }
            _ => Err(FileProblem::Changed { part: "changes" }),
        }
    }

    /// Summary and context, once [`Self::next_entry`] said `None`.
    pub fn finish(self) -> Option<(Summary, Context)> {
        self.end
    }
}

impl Plan {
    /// Reads a whole plan file.
    pub fn read(input: impl BufRead) -> Result<Self, FileProblem> {
        let (header, mut reader) = PlanReader::start(input)?;
        let mut entries = Vec::new();
        while let Some(entry) = reader.next_entry()? {
            entries.push(entry);
        }
        let line = reader.line;
        let (summary, context) = reader.finish().ok_or(FileProblem::CutOff { line })?;
        Ok(Self { header, entries, summary, context })
    }

    /// Writes the plan file.
    pub fn write<W: Write>(&self, out: W) -> std::io::Result<W> {
        let mut writer = PlanWriter::start(out, &self.header)?;
        for entry in &self.entries {
            writer.entry(entry)?;
        }
        writer.finish(&self.summary, &self.context)
    }
}
