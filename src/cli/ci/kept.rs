//! Why cells would change anyway, by the values that runs before kept: does a field still hold what the last run that wrote it wrote? Digests alone are held
//! in memory, of the cells that the base would change and of no others.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use crate::cli::ground::{Place, Target};
use crate::cli::repository::values_folder;
use crate::cli::tokens::identity;
use crate::model::{FieldName, FieldType, RecordId};
use crate::plan::{Baseline, CellChange, History, Past};
use crate::render::review::NotKnown;
use crate::runlog::values::{Keep, Reader, RecordValues, ValuesProblem, is_sealed};
use crate::runlog::{Filter, Listed, Outcome, OutcomesLine, RunLog, RunSummary, Store, Trigger};
use crate::undo::holds;

/// Runs that are asked, the newest first, until each cell has been found.
const LOOK_BACK: usize = 100;

/// Why it is not known what a run wrote into a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Why {
    NoRun,
    Further,
    NoOutcomes,
    NotKept,
    Elsewhere,
    Removed,
    Locked,
    Unreadable,
    Lost,
    Retyped,
}

impl Why {
    /// Of a run without a file of values.
    fn without(log: &RunLog) -> Self {
        match log.values.as_ref().map(|values| values.keep) {
            Some(Keep::Local) => Why::Elsewhere,
            Some(Keep::Committed) => Why::Removed,
            Some(Keep::None) | None => Why::NotKept,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Why::NoRun => "not written by a run that is known here",
            Why::Further => "not written by the last 100 runs that wrote anything",
            Why::NoOutcomes => "perhaps written by a run whose log or outcomes cannot be read",
            Why::NotKept => "written by a run that kept no values",
            Why::Elsewhere => "written by a run whose values are kept on another machine, or were removed",
            Why::Removed => "written by a run whose values are not beside its log any more",
            Why::Locked => "written by a run whose values are encrypted, and the key is not here (`FOOTBRIDGE_KEY`)",
            Why::Unreadable => "written by a run whose values cannot be read",
            Why::Lost => "perhaps written by a run that got no answer",
            Why::Retyped => "written when the field was of another type",
        }
    }
}

impl From<ValuesProblem> for Why {
    fn from(problem: ValuesProblem) -> Self {
        match problem {
            ValuesProblem::NoKey { .. } | ValuesProblem::WrongKey { .. } => Why::Locked,
            _ => Why::Unreadable,
        }
    }
}

/// A run that wrote cells of which is asked.
struct Run {
    salt: String,
    types: BTreeMap<FieldName, FieldType>,
    /// Why its values tell nothing.
    why: Option<Why>,
}

/// The last run that wrote a cell, and the digest of what it wrote.
struct Cell {
    run: u32,
    certain: bool,
    digest: Option<u64>,
}

/// What runs before wrote into the cells that the base would change.
pub struct Kept<'b> {
    baseline: &'b Baseline,
    runs: Vec<Run>,
    cells: HashMap<u64, Cell>,
    /// Of the cells that no run is known to have written.
    rest: Why,
    not_known: BTreeMap<Why, u64>,
}

impl<'b> Kept<'b> {
    /// By the logs of the folder and of the branch. What cannot be had is a reason that something is not known, and no failure.
    pub fn of(place: &Place<'_>, target: Target<'_>, baseline: &'b Baseline) -> Self {
        let (runs, cells, not_known) = (Vec::new(), HashMap::new(), BTreeMap::new());
        let mut kept = Self { baseline, runs, cells, rest: Why::NoRun, not_known };
        if baseline.cells() == 0 {
            return kept;
        }
        let store = place.store();
        let filter = Filter::of(&target.integration.name.value, target.environment, target.org_id);
        let mut runs = Vec::new();
        let listed = store.each(&filter, |listed| match listed {
            // What an undo put back is what the org holds, not what a report said.
            Listed::Run(run) if run.wrote() && run.trigger != Trigger::Undo => {
                runs.push(*run);
                if runs.len() < LOOK_BACK { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            }
            _ => ControlFlow::Continue(()),
        });
        match listed {
            Ok(()) if runs.len() == LOOK_BACK => kept.rest = Why::Further,
            Ok(()) => {}
            Err(_) => kept.rest = Why::NoOutcomes,
        }
        for run in &runs {
            if kept.cells.len() == baseline.cells() {
                break;
            }
            if kept.learn(place, &store, run).is_none() {
                // It may have written any of the others, so that no older run speaks for them.
                kept.rest = Why::NoOutcomes;
                break;
            }
        }
        kept
    }

    /// The cells that a run wrote last. `None` where it is not known which.
    fn learn(&mut self, place: &Place<'_>, store: &Store, run: &RunSummary) -> Option<()> {
        let (at, before) = (u32::try_from(self.runs.len()).ok()?, self.cells.len());
        self.runs.push(Run { salt: String::new(), types: BTreeMap::new(), why: Some(Why::NoOutcomes) });
        let log = store.log(&run.path).ok()?;
        for line in store.outcomes(&run.path, &log).ok()?.1 {
            let OutcomesLine::Record(line) = line.ok()? else { continue };
            if !matches!(line.outcome, Outcome::Updated | Outcome::Unknown) {
                continue;
            }
            let certain = line.outcome == Outcome::Updated;
            for change in &line.changes {
                if let Some(cell) = self.baseline.place(line.record, &change.field) {
                    self.cells.entry(cell).or_insert(Cell { run: at, certain, digest: None });
                }
            }
        }
        if self.cells.len() == before {
            return Some(());
        }
        let of = (run.integration.as_str(), run.org_id, run.id.as_str());
        let read = match store.values(&values_folder(place.root), &run.path, of) {
            None => Err(Why::without(&log)),
            Some(path) => {
                let key = if is_sealed(&path) { identity(place.world).ok().flatten() } else { None };
                store.open_values(&path, key.as_ref()).map_err(Why::from).and_then(|reader| self.read(at, run, reader))
            }
        };
        let known = read.unwrap_or_else(|why| Run { salt: String::new(), types: BTreeMap::new(), why: Some(why) });
        self.runs.pop();
        self.runs.push(known);
        Some(())
    }

    /// To the end: only there it is known that the file is whole.
    fn read(&mut self, at: u32, run: &RunSummary, reader: Reader) -> Result<Run, Why> {
        let head = reader.head().clone();
        if (&head.run, &head.integration, head.org_id) != (&run.id, &run.integration, run.org_id) {
            return Err(Why::Unreadable);
        }
        for record in reader {
            let record = record?;
            for field in record.before.keys() {
                let place = self.baseline.place(record.id, field);
                let cell = place.and_then(|place| self.cells.get_mut(&place)).filter(|cell| cell.run == at);
                if let Some(cell) = cell {
                    cell.digest = record.digest_of(&head.salt, field).and_then(|digest| packed(&digest));
                }
            }
        }
        Ok(Run { salt: head.salt, types: head.fields, why: None })
    }

    /// Does the cell hold what was written?
    fn holds(&self, record: RecordId, cell: &CellChange) -> Result<bool, Why> {
        let field = &cell.field;
        let known = self.baseline.place(record, field).and_then(|place| self.cells.get(&place)).ok_or(self.rest)?;
        let run = self.runs.get(known.run as usize).ok_or(Why::NoOutcomes)?;
        if let Some(why) = run.why {
            return Err(why);
        }
        let digest = known.digest.ok_or(Why::NotKept)?;
        let then = run.types.get(field).filter(|then| self.baseline.field_type(field) == Some(*then));
        let field_type = then.ok_or(Why::Retyped)?;
        let written = Some(BTreeMap::from([(field.clone(), unpacked(digest))]));
        let values = RecordValues { row: 0, id: record, before: BTreeMap::new(), after: None, written };
        match holds(&values, &run.salt, field, field_type, cell.before.as_deref()) {
            Some(false) if !known.certain => Err(Why::Lost),
            told => told.ok_or(Why::NotKept),
        }
    }

    /// Of how many cells that were asked about it is not known, and why.
    pub fn not_known(&self) -> Vec<NotKnown> {
        let each = self.not_known.iter();
        each.map(|(why, cells)| NotKnown { cells: *cells, why: why.words().to_owned() }).collect()
    }
}

impl History for Kept<'_> {
    fn past(&mut self, record: RecordId, cell: &CellChange) -> Past {
        match self.holds(record, cell) {
            Ok(true) => Past::NewReport,
            Ok(false) => Past::OrgMoved,
            Err(why) => {
                *self.not_known.entry(why).or_default() += 1;
                Past::NotKnown
            }
        }
    }
}

/// Digits of a digest as a number, and back.
fn packed(digest: &str) -> Option<u64> {
    u64::from_str_radix(digest, 16).ok().filter(|number| unpacked(*number) == digest)
}

fn unpacked(digest: u64) -> String {
    format!("{digest:012x}")
}
