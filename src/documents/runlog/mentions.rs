//! Where one record occurs in the history: thousands of outcomes files looked through as bytes, and only the lines that name it read.

use std::io;
use std::ops::ControlFlow;

use memchr::memmem::Finder;

use super::{Filter, Listed, OutcomesLine, RecordLine, RowLine, RunSummary, Store, StoreProblem};
use crate::model::RecordId;

/// The longest outcomes file that is looked at whole; a longer one is read line by line.
const WHOLE: u64 = 8 << 20;

/// What a run says of a record.
#[derive(Debug, Clone)]
pub struct Mention {
    /// The run.
    pub run: RunSummary,
    /// How the record ended; `None` where no change was planned for it.
    pub record: Option<RecordLine>,
    /// Its row, where something of it could not be used.
    pub row: Option<RowLine>,
}

impl Mention {
    fn line(&mut self, line: &[u8], wanted: RecordId) {
        match serde_json::from_slice(line) {
            Ok(OutcomesLine::Record(record)) if record.record == wanted => self.record = Some(record),
            Ok(OutcomesLine::Row(row)) if row.records.contains(&wanted) => self.row = Some(row),
            _ => {}
        }
    }

    fn is_empty(&self) -> bool {
        self.record.is_none() && self.row.is_none()
    }
}

/// Runs that were looked through, and those that could not be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Searched {
    /// Runs whose outcomes were looked at, or that had none to look at.
    pub runs: u64,
    /// Runs whose outcomes are not there any more, or cannot be read: what they did is not told.
    pub unread: u64,
}

impl Store {
    /// Every run that says something of a record, newest first, until `take` has enough.
    ///
    /// # Errors
    /// A place cannot be listed.
    pub fn mentions(
        &self,
        record: RecordId,
        filter: &Filter,
        mut take: impl FnMut(Mention) -> ControlFlow<()>,
    ) -> Result<Searched, StoreProblem> {
        let mut searched = Searched::default();
        let mut runs: Vec<RunSummary> = Vec::new();
        self.each(filter, |listed| {
            match listed {
                // A run that neither planned a record nor left a row aside has no line about any.
                Listed::Run(run) if run.records.records == 0 && run.rows == run.row_ends.unchanged => {
                    searched.runs += 1
                }
                Listed::Run(run) => runs.push(*run),
                Listed::Unreadable { .. } => searched.unread += 1,
            }
            ControlFlow::Continue(())
        })?;
        let quoted = format!("\"{record}\"");
        let finder = Finder::new(quoted.as_bytes());
        let paths: Vec<_> = runs.iter().map(|run| run.path.clone()).collect();
        self.outcomes_of(&paths, WHOLE, |place, read| {
            let mut mention = Mention { run: runs[place].clone(), record: None, row: None };
            let looked = match read {
                Ok(bytes) => {
                    for at in finder.find_iter(bytes) {
                        let start = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |n| n + 1);
                        let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |n| at + n);
                        mention.line(&bytes[start..end], record);
                    }
                    Ok(())
                }
                Err(problem) if problem.kind() == io::ErrorKind::NotFound => Err(()),
                Err(_) => self.by_line(&mut mention, record, &finder),
            };
            match looked {
                Ok(()) => searched.runs += 1,
                Err(()) => searched.unread += 1,
            }
            if mention.is_empty() { ControlFlow::Continue(()) } else { take(mention) }
        })?;
        Ok(searched)
    }

    /// A file that is too long to be held.
    fn by_line(&self, mention: &mut Mention, record: RecordId, finder: &Finder<'_>) -> Result<(), ()> {
        use std::io::BufRead as _;
        let file = self.beside(&mention.run.path, "records.jsonl").map_err(drop)?;
        let mut input = io::BufReader::with_capacity(1 << 18, file);
        let mut line = Vec::new();
        loop {
            line.clear();
            if input.read_until(b'\n', &mut line).map_err(drop)? == 0 {
                return Ok(());
            }
            if finder.find(&line).is_some() {
                mention.line(&line, record);
            }
        }
    }
}
