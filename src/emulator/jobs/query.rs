//! What a query job finds, as a file of rows: every value quoted, in an order of its own unless the query says one.

use std::io;
use std::sync::Arc;

use super::super::soql::Table;
use super::delimited::Rows;
use super::job::{Dialect, Files};
use super::prepared::Writer;
use super::script::{Columns, JobScript};

/// Rows that change places among each other.
const BLOCK: usize = 4_096;

/// Takes a query's rows and writes the file.
pub struct Export<'s> {
    script: &'s JobScript,
    dialect: Dialect,
    header: String,
    ordered: bool,
    writer: Writer,
    block: Vec<u8>,
    ends: Vec<usize>,
    first: Vec<Vec<u8>>,
    failed: Option<io::Error>,
}

impl<'s> Export<'s> {
    /// An empty file.
    pub fn new(script: &'s JobScript, dialect: Dialect) -> Self {
        Self {
            script,
            dialect,
            header: String::new(),
            ordered: false,
            writer: Writer::new(),
            block: Vec::new(),
            ends: Vec::with_capacity(BLOCK),
            first: Vec::new(),
            failed: None,
        }
    }

    /// Columns as the script wants them.
    fn arranged(&self, line: &str) -> Option<String> {
        let columns = self.script.columns.filter(|c| matches!(c, Columns::Reversed | Columns::Short))?;
        let mut rows = Rows::new(line, 0, self.dialect.delimiter, self.dialect.line_end);
        let mut cells = Vec::new();
        rows.next(&mut cells).ok()?;
        if columns == Columns::Reversed {
            cells.reverse();
        } else {
            cells.pop();
        }
        let quoted: Vec<String> = cells.iter().map(|c| format!("\"{}\"", c.replace('"', "\"\""))).collect();
        Some(quoted.join(&self.dialect.delimiter.to_string()) + self.dialect.line_end.text())
    }

    fn put(&mut self, line: &[u8]) {
        if self.first.len() < self.script.twice {
            self.first.push(line.to_vec());
        }
        if let Err(error) = self.writer.row(line) {
            self.failed = Some(error);
        }
    }

    fn flush(&mut self) {
        let count = self.ends.len();
        // Coprime to the number of rows, so that each comes once.
        let step = if self.ordered || count < 2 {
            1
        } else if count.is_multiple_of(1_237) {
            1_231
        } else {
            1_237
        };
        let block = std::mem::take(&mut self.block);
        for n in 0..count {
            let row = if step == 1 { n } else { (n * step + count / 2) % count };
            let start = if row == 0 { 0 } else { self.ends[row - 1] };
            self.put(&block[start..self.ends[row]]);
        }
        self.ends.clear();
        self.block = block;
        self.block.clear();
    }

    /// The file, and how many rows the query found.
    pub fn close(mut self) -> io::Result<(Files, usize)> {
        self.flush();
        let found = self.writer.rows();
        for line in std::mem::take(&mut self.first) {
            self.put(&line);
        }
        for line in &self.script.add {
            self.writer.row(format!("{line}{}", self.dialect.line_end.text()).as_bytes())?;
        }
        if let Some(error) = self.failed {
            return Err(error);
        }
        let mut files = Files::none(self.header);
        files.done = Arc::new(self.writer.close(self.script.drop)?);
        Ok((files, found))
    }
}

impl Table for Export<'_> {
    fn start(&mut self, header: &str, ordered: bool) {
        self.ordered = ordered;
        self.header = match self.script.columns {
            Some(Columns::Lower) => header.to_lowercase(),
            Some(Columns::Upper) => header.to_uppercase(),
            _ => self.arranged(header).unwrap_or_else(|| header.to_owned()),
        };
    }

    fn row(&mut self, line: &str) {
        match self.arranged(line) {
            Some(line) => self.block.extend_from_slice(line.as_bytes()),
            None => self.block.extend_from_slice(line.as_bytes()),
        }
        self.ends.push(self.block.len());
        if self.ends.len() == BLOCK {
            self.flush();
        }
    }
}
