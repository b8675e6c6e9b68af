//! Fields that run after run had to write again: somebody else changes them back in between.

use std::collections::HashMap;
use std::ops::ControlFlow;

use super::{ExitReason, Filter, Listed, Outcome, OutcomesLine, RunLog, RunSummary, Store, StoreProblem, Trigger};
use crate::model::{FieldName, RecordId};

/// One field of one record.
pub type Cell = (RecordId, FieldName);

/// What a run was to write into cells; the value itself, `None` for blank.
pub type After = HashMap<Cell, Option<String>>;

/// How often a cell was written by runs in turn, up to the last one, with one and the same value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrittenBack {
    /// Runs in turn, the last one among them; each but the first of them wrote it back.
    pub runs: u32,
    /// Of the write-backs, those where it is known that the report's value was the same: the same report under the same configuration, or equal
    /// after-values.
    pub certain: u32,
}

struct Streak {
    found: WrittenBack,
    alive: bool,
}

/// A run as it is compared with the one after it.
struct Before {
    report: Option<(String, String)>,
    after: Option<After>,
}

impl Store {
    /// Of the cells that the newest carried-out run wrote, up to `last`, those that the ones before it wrote as well, in turn, without the report's value being
    /// known to have changed. Undos are passed over. Looks back over `most` runs. `after` gives what a run was to write, where that is kept.
    ///
    /// # Errors
    /// A place cannot be listed.
    pub fn written_back(
        &self,
        last: &RunSummary,
        most: usize,
        mut after: impl FnMut(&RunSummary) -> Option<After>,
    ) -> Result<HashMap<Cell, WrittenBack>, StoreProblem> {
        let mut streaks: HashMap<Cell, Streak> = HashMap::new();
        let mut newer: Option<Before> = None;
        let mut left = most;
        let filter = Filter::of(&last.integration, last.environment, last.org_id);
        let (mut runs, mut reached) = (Vec::new(), false);
        self.each(&filter, |listed| {
            match listed {
                Listed::Run(run) => {
                    reached |= run.path == last.path;
                    // `last` itself may be an undo, which counts for nothing.
                    if reached && counts(&run) {
                        runs.push(*run);
                        left = left.saturating_sub(1);
                    }
                }
                Listed::Unreadable { .. } => {}
            }
            if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        for run in runs {
            let Ok(log) = self.log(&run.path) else { break };
            let first = newer.is_none();
            let this = Before { report: digests(&log), after: after(&run) };
            let mut seen: HashMap<Cell, ()> = HashMap::new();
            // A run whose outcomes are gone ends the turn: what it wrote is not known.
            let Ok((_, lines)) = self.outcomes(&run.path, &log) else { break };
            for line in lines {
                let Ok(OutcomesLine::Record(line)) = line else { continue };
                if line.outcome != Outcome::Updated {
                    continue;
                }
                for change in line.changes {
                    let cell = (line.record, change.field);
                    if first {
                        let found = WrittenBack { runs: 1, certain: 0 };
                        streaks.insert(cell, Streak { found, alive: true });
                    } else if streaks.contains_key(&cell) {
                        seen.insert(cell, ());
                    }
                }
            }
            if let Some(newer) = &newer {
                let mut alive = false;
                for (cell, streak) in streaks.iter_mut().filter(|(_, streak)| streak.alive) {
                    let same = seen.contains_key(cell).then(|| same(newer, &this, cell));
                    match same {
                        Some(Some(true)) => streak.found.certain += 1,
                        Some(None) => {}
                        Some(Some(false)) | None => {
                            streak.alive = false;
                            continue;
                        }
                    }
                    streak.found.runs += 1;
                    alive = true;
                }
                if !alive {
                    break;
                }
            }
            newer = Some(this);
        }
        Ok(streaks.into_iter().map(|(cell, streak)| (cell, streak.found)).filter(|(_, found)| found.runs > 1).collect())
    }
}

/// A run that got as far as the records, and says what the report says: not one that takes another back.
fn counts(run: &RunSummary) -> bool {
    run.exit.carried_out() && run.exit != ExitReason::Interrupted && run.trigger != Trigger::Undo
}

fn digests(log: &RunLog) -> Option<(String, String)> {
    let digests = log.digests.as_ref()?;
    Some((digests.report.as_str().to_owned(), digests.configuration.as_str().to_owned()))
}

/// Did both runs mean the same value? `None` where that is not known.
fn same(newer: &Before, older: &Before, cell: &Cell) -> Option<bool> {
    if newer.report.is_some() && newer.report == older.report {
        return Some(true);
    }
    let (newer, older) = (newer.after.as_ref()?.get(cell)?, older.after.as_ref()?.get(cell)?);
    Some(newer == older)
}
