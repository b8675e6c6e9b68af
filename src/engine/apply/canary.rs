//! `--canary`: the first records are written, read back and held against the plan before any other is sent. What an org does behind a write (a trigger, a
//! flow) shows there, in a few records and not in all.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::executor::Executor;
use super::journal::Selection;
use super::org::{Org, Rows, StopKind};
use super::outcome::{End, StopReason};
use crate::model::{FieldName, RecordId};
use crate::plan::{ChangeKind, FileProblem, Plan};

/// What was found in a field that should hold something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contrast {
    /// The value from before.
    PutBack,
    /// Nothing.
    Emptied,
    /// A third value.
    Changed,
    /// It was not to be written, and has changed between reading the record and reading it back.
    AlsoChanged,
}

/// A field of a record that did not come back as planned. Values are canonical text and are for a person's eyes only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contrasting {
    /// The record.
    pub record: RecordId,
    /// The field.
    pub field: FieldName,
    /// What was found.
    pub contrast: Contrast,
    /// What should stand there; `None` is blank.
    pub planned: Option<String>,
    /// What stands there; `None` is blank.
    pub found: Option<String>,
}

/// What the first records showed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CanaryLook {
    /// Records that were written and read back.
    pub records: u64,
    /// Fields that differ.
    pub contrasts: Vec<Contrasting>,
}

/// The records that go first: at most `count` of those that the selection takes, one at least of every field with every kind of change as far as they go round, the
/// rest evenly spread over the plan. The same plan gives the same records.
///
/// # Errors
/// The plan cannot be read.
pub fn canary(plan: &Plan, selection: &Selection, count: u64) -> Result<Vec<RecordId>, FileProblem> {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let mut seen: BTreeSet<(FieldName, ChangeKind)> = BTreeSet::new();
    let mut chosen: Vec<RecordId> = Vec::new();
    let mut others: Vec<RecordId> = Vec::new();
    let mut taken = 0;
    for entry in plan.planned() {
        let entry = entry?;
        let Some(record) = entry.record else { continue };
        if selection.only.as_ref().is_some_and(|only| !only.contains(&record)) {
            continue;
        }
        if selection.limit.is_some_and(|limit| taken >= limit) {
            break;
        }
        taken += 1;
        let before = seen.len();
        seen.extend(entry.cells.iter().map(|cell| (cell.field.clone(), cell.kind)));
        if seen.len() > before && chosen.len() < count {
            chosen.push(record);
        } else {
            others.push(record);
        }
    }
    let wanted = count.saturating_sub(chosen.len()).min(others.len());
    chosen.extend((0..wanted).map(|n| others[n * others.len() / wanted]));
    Ok(chosen)
}

/// The first records of a run, and what waits behind them.
pub(super) struct First {
    /// Their places among the targets.
    pub(super) places: Vec<usize>,
    /// The others that nothing has happened to yet.
    pub(super) rest: Vec<u32>,
    /// Of these, those that were perhaps written by an earlier process.
    pub(super) doubt: HashSet<u32>,
}

impl<O: Org> Executor<'_, '_, O> {
    /// The others wait from now on, behind the first.
    pub(super) fn no_first(&mut self) {
        if let Some(First { rest, doubt, .. }) = self.first.take() {
            self.waiting.follow(rest, doubt);
        }
    }

    /// Writes the first records and looks at them. Whatever comes of it, the others wait from then on.
    pub(super) async fn first(&mut self) {
        let Some(First { places, rest, doubt }) = self.first.take() else { return };
        let ids = self.targets.ids(places.iter().copied());
        let before = self.read(&ids).await.map(|(rows, _)| rows);
        if before.is_some() {
            self.collections().await;
        }
        self.waiting.follow(rest, doubt);
        let Some(before) = before.filter(|_| self.stopped.is_none()) else { return };
        let ended = |place: &usize, wanted: fn(&End) -> bool| self.ends.get(*place).is_some_and(wanted);
        let written: Vec<usize> = places.iter().copied().filter(|p| ended(p, |e| *e == End::Updated)).collect();
        let failed =
            places.iter().filter(|p| ended(p, |e| matches!(e, End::Failed { .. } | End::Unknown { .. }))).count();
        let mut look = CanaryLook { records: written.len() as u64, contrasts: Vec::new() };
        if !written.is_empty() {
            let ids = self.targets.ids(written.iter().copied());
            let Some((rows, _)) = self.read(&ids).await else { return };
            for place in written {
                let found = self.targets.contrasts(place, &before, &rows);
                let Some(found) = self.loaded(found) else { return };
                look.contrasts.extend(found);
            }
        }
        let differ = !look.contrasts.is_empty();
        let words = words(&look, failed);
        self.canary = Some(look);
        if differ || failed > 0 {
            self.stop(StopReason::new(StopKind::Canary, words));
        }
    }
}

fn words(look: &CanaryLook, failed: usize) -> String {
    let mut fields: BTreeMap<(&FieldName, Contrast), usize> = BTreeMap::new();
    for found in &look.contrasts {
        *fields.entry((&found.field, found.contrast)).or_default() += 1;
    }
    let mut parts: Vec<String> = fields
        .into_iter()
        .map(|((field, contrast), count)| {
            let what = match contrast {
                Contrast::PutBack => "holds its old value again",
                Contrast::Emptied => "is empty",
                Contrast::Changed => "holds another value than was written",
                Contrast::AlsoChanged => "was not to be written and has changed",
            };
            format!("{field} {what} in {count}")
        })
        .collect();
    if failed > 0 {
        parts.push(format!("{failed} could not be written"));
    }
    let by = if look.contrasts.is_empty() { "" } else { "; a trigger, a flow or another rule of the org changed them" };
    format!("the canary's records did not come back as planned: {}{by}", parts.join(", "))
}

impl super::standing::Targets<'_> {
    /// How a record that was written differs from its plan; `before` is what it held when its turn came.
    pub(super) fn contrasts(&self, index: usize, before: &Rows, rows: &Rows) -> Result<Vec<Contrasting>, FileProblem> {
        let record = self.record(index);
        let Some(row) = rows.get(&record) else { return Ok(Vec::new()) };
        let old = before.get(&record);
        let cells = self.cells(index)?;
        let mut found = Vec::new();
        for (slot, field) in self.fields.iter().enumerate() {
            let now = self.canonical(slot, row.get(slot).unwrap_or_default());
            let cell = cells.iter().find(|cell| cell.field == *field);
            let planned = match cell {
                Some(cell) => self.meant(slot, cell.after.as_deref()),
                None => match old.and_then(|row| row.get(slot)) {
                    Some(old) => self.canonical(slot, old),
                    None => continue,
                },
            };
            if now == planned {
                continue;
            }
            let contrast = match cell {
                None => Contrast::AlsoChanged,
                Some(cell) if now == self.meant(slot, cell.before.as_deref()) => Contrast::PutBack,
                Some(_) if now.is_empty() => Contrast::Emptied,
                Some(_) => Contrast::Changed,
            };
            let text = |value: Vec<u8>| String::from_utf8(value).ok().filter(|value| !value.is_empty());
            let field = field.clone();
            found.push(Contrasting { record, field, contrast, planned: text(planned), found: text(now) });
        }
        Ok(found)
    }
}
