//! What is told of a run's outcome lines: gathered while they go by, so that no more is held than is shown.

use std::collections::BTreeMap;

use super::escape::Terminal;
use super::wording::{grouped, outcome_words};
use super::{Audience, Options};
use crate::model::RecordId;
use crate::plan::RowOutcome;
use crate::runlog::{Outcome, OutcomesLine, RecordLine, RowLine};

/// Record ids shown for one reason.
const IDS: usize = 5;
/// Ranges of rows shown of one kind.
const ROWS: usize = 10;

/// Records that ended for one reason.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub count: u64,
    records: Vec<RecordId>,
    pub fields: Vec<String>,
}

impl Gathered {
    fn add(&mut self, line: &RecordLine, keep: usize) {
        self.count += 1;
        if self.records.len() < keep {
            self.records.push(line.record);
        }
    }

    fn add_fields<'a>(&mut self, fields: impl Iterator<Item = &'a str>) {
        for field in fields {
            if !self.fields.iter().any(|f| f == field) {
                self.fields.push(field.to_owned());
            }
        }
    }

    /// The first of them.
    pub fn ids(&self) -> String {
        let shown: Vec<&str> = self.records.iter().map(RecordId::as_str).collect();
        let left = self.count - shown.len() as u64;
        if left == 0 { shown.join(" ") } else { format!("{} … and {} more", shown.join(" "), grouped(left)) }
    }
}

/// Rows in order, neighbours drawn together: `305–312`.
#[derive(Debug, Default)]
pub(super) struct Ranges {
    pub count: u64,
    /// First and last of each range.
    ranges: Vec<(u64, u64)>,
    /// Rows in further ranges.
    beyond: u64,
}

impl Ranges {
    fn add(&mut self, row: u64, keep: usize) {
        self.count += 1;
        let full = self.ranges.len() >= keep;
        match self.ranges.last_mut() {
            Some((_, last)) if self.beyond == 0 && *last + 1 == row => *last = row,
            _ if self.beyond == 0 && !full => self.ranges.push((row, row)),
            _ => self.beyond += 1,
        }
    }

    /// The ranges that are shown, and how many rows are in the others.
    pub fn text(&self) -> (String, u64) {
        let text = |(first, last): &(u64, u64)| match first == last {
            true => grouped(*first),
            false => format!("{}–{}", grouped(*first), grouped(*last)),
        };
        (self.ranges.iter().map(text).collect::<Vec<_>>().join("; "), self.beyond)
    }
}

/// The ends of a run's records, and the rows that could not be used.
#[derive(Debug)]
pub struct Ends {
    /// Ids kept for one reason, ranges kept of one kind.
    keep: (usize, usize),
    person: bool,
    pub(super) failures: BTreeMap<(String, Option<String>), Gathered>,
    pub(super) drifted: BTreeMap<bool, Gathered>,
    pub(super) unknown: BTreeMap<String, Gathered>,
    pub(super) left: BTreeMap<String, Gathered>,
    pub(super) resent: Gathered,
    pub(super) rows: BTreeMap<(RowOutcome, String), Ranges>,
}

impl Ends {
    /// Nothing yet, to be shown like this.
    pub fn new(options: &Options) -> Self {
        Self {
            keep: if options.full { (usize::MAX, usize::MAX) } else { (IDS, ROWS) },
            person: options.audience == Audience::Person,
            failures: BTreeMap::new(),
            drifted: BTreeMap::new(),
            unknown: BTreeMap::new(),
            left: BTreeMap::new(),
            resent: Gathered::default(),
            rows: BTreeMap::new(),
        }
    }

    /// Takes a line of the outcomes.
    pub fn line(&mut self, line: &OutcomesLine) {
        match line {
            OutcomesLine::Head(_) => {}
            OutcomesLine::Record(line) => self.record(line),
            OutcomesLine::Row(line) => self.row(line),
        }
    }

    fn record(&mut self, line: &RecordLine) {
        let keep = self.keep.0;
        if line.resent {
            self.resent.add(line, keep);
        }
        match line.outcome {
            Outcome::Updated => {}
            Outcome::Failed => {
                for problem in &line.problems {
                    let words = problem.words.as_ref().filter(|_| self.person);
                    let message = words.or(problem.message.as_ref()).cloned();
                    let group = self.failures.entry((problem.code.clone(), message)).or_default();
                    group.add(line, keep);
                    group.add_fields(problem.fields.iter().map(|f| f.as_str()));
                }
                if line.problems.is_empty() {
                    self.failures.entry(("no code".to_owned(), None)).or_default().add(line, keep);
                }
            }
            Outcome::Drifted => {
                let group = self.drifted.entry(line.already_there).or_default();
                group.add(line, keep);
                group.add_fields(line.fields.iter().map(|f| f.as_str()));
            }
            Outcome::Unknown => {
                let reason =
                    line.doubt.as_ref().map_or("the answer was lost, and the record does not tell", |d| d.sentence());
                let group = self.unknown.entry(reason.to_owned()).or_default();
                group.add(line, keep);
                group.add_fields(line.fields.iter().map(|f| f.as_str()));
            }
            Outcome::NotAttempted => {
                let reason = line.reason.as_ref().map_or("no reason was recorded", |r| r.sentence());
                self.left.entry(reason.to_owned()).or_default().add(line, keep);
            }
        }
    }

    fn row(&mut self, line: &RowLine) {
        let keep = self.keep.1;
        if !matches!(line.outcome, RowOutcome::Planned | RowOutcome::Unchanged | RowOutcome::Refused) {
            let words = outcome_words(line.outcome).to_owned();
            self.rows.entry((line.outcome, words)).or_default().add(line.row, keep);
        }
        for refused in &line.refused {
            let what = format!("refused: {} ({})", Terminal(refused.field.as_str()), Terminal(&refused.code));
            self.rows.entry((RowOutcome::Refused, what)).or_default().add(line.row, keep);
        }
    }
}
