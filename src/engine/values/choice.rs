//! Picklists. Active entries only, unless new values are allowed; what is written is the entry's API name in the picklist's own case.
//!
//! Salesforce matches picklist values without regard to case and takes unlisted text of up to 255 characters unless the picklist is restricted, which
//! is how spelling mistakes become entries; so Footbridge decides by the describe. A cell is, in this order: an API name, an API name in another case,
//! the label of one entry. A multi-select value is a set: Salesforce orders it by the picklist and drops what is doubled.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use unicase::UniCase;

use super::placeholder::{is_bulk_null, is_placeholder};
use super::refusal::{Noted, Reason};
use super::text;
use crate::model::PicklistValue;

/// Values that a multi-select field takes (TOO_MANY_ENUM_VALUE beyond).
const MOST_VALUES: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    One(usize),
    Many,
}

/// How a picklist field is written.
#[derive(Debug, Clone)]
pub(super) struct ChoiceRule {
    entries: Vec<PicklistValue>,
    /// Exact API names and labels of active entries: most cells end here.
    exact: HashMap<String, (usize, Noted), FixedState>,
    names: HashMap<String, Slot>,
    labels: HashMap<String, Slot>,
    inactive: HashMap<String, usize>,
    new_values: bool,
    /// UTF-16 units of a new value.
    longest: usize,
}

/// Cells are looked up without surrounding white space of any kind, so names and labels are, too.
fn fold(text: &str) -> String {
    UniCase::unicode(text.trim()).to_folded_case()
}

fn add(map: &mut HashMap<String, Slot>, key: String, index: usize) {
    map.entry(key).and_modify(|slot| *slot = Slot::Many).or_insert(Slot::One(index));
}

impl ChoiceRule {
    pub fn compile(picklist: &[PicklistValue], new_values: bool, longest: usize) -> Self {
        let entries: Vec<PicklistValue> = picklist.iter().filter(|e| !is_bulk_null(&e.value)).cloned().collect();
        let (mut names, mut labels, mut inactive) = (HashMap::new(), HashMap::new(), HashMap::new());
        let mut same_label: HashMap<&str, Slot> = HashMap::new();
        for (index, entry) in entries.iter().enumerate() {
            if entry.active {
                add(&mut names, fold(&entry.value), index);
                add(&mut labels, fold(&entry.label), index);
                same_label.entry(entry.label.trim()).and_modify(|slot| *slot = Slot::Many).or_insert(Slot::One(index));
            } else {
                inactive.entry(fold(&entry.label)).or_insert(index);
            }
        }
        // A name counts before a label, of inactive entries too.
        for (index, entry) in entries.iter().enumerate().filter(|(_, e)| !e.active) {
            inactive.insert(fold(&entry.value), index);
        }
        let mut exact = HashMap::default();
        for (label, slot) in same_label {
            let Slot::One(index) = slot else { continue };
            let name = names.get(&fold(label));
            if !is_bulk_null(label) && name.is_none_or(|name| *name == Slot::One(index)) {
                exact.insert(label.to_owned(), (index, Noted::LabelTaken));
            }
        }
        for (index, entry) in entries.iter().enumerate().filter(|(_, e)| e.active) {
            exact.insert(entry.value.trim().to_owned(), (index, Noted::Nothing));
        }
        Self { entries, exact, names, labels, inactive, new_values, longest }
    }

    /// One value of the report's side, trimmed and not blank.
    fn resolve<'a>(&'a self, cell: &'a str) -> Result<(&'a str, Noted), Reason> {
        if let Some(&(index, noted)) = self.exact.get(cell) {
            return Ok((&self.entries[index].value, noted));
        }
        if is_bulk_null(cell) {
            return Err(Reason::PlaceholderWord);
        }
        let folded = fold(cell);
        for (map, noted) in [(&self.names, Noted::CaseTaken), (&self.labels, Noted::LabelTaken)] {
            match map.get(&folded) {
                Some(Slot::One(index)) => return Ok((&self.entries[*index].value, noted)),
                Some(Slot::Many) => return Err(Reason::AmbiguousLabel),
                None => {}
            }
        }
        if let Some(index) = self.inactive.get(&folded) {
            let value = &self.entries[*index].value;
            if !self.new_values {
                return Err(Reason::InactivePicklistValue);
            }
            let noted = match (value == cell, fold(value) == folded) {
                (true, _) => Noted::Nothing,
                (_, true) => Noted::CaseTaken,
                _ => Noted::LabelTaken,
            };
            return Ok((value, noted));
        }
        if is_placeholder(cell) {
            return Err(Reason::PlaceholderWord);
        }
        text::check_characters(cell, false)?;
        if !self.new_values {
            return Err(Reason::NotInPicklist { nearest: self.nearest(&folded) });
        }
        let length = text::units(cell);
        if length > self.longest {
            return Err(Reason::TooLong { length, max: self.longest });
        }
        Ok((cell, Noted::Nothing))
    }

    /// The active entry that is fewest slips of the pen away, if those are at most a third of the word.
    fn nearest(&self, folded: &str) -> Option<String> {
        let most = (folded.chars().count() / 3).max(1);
        let slips = |text: &str| strsim::osa_distance(folded, &fold(text));
        let active = self.entries.iter().filter(|e| e.active);
        let (slips, entry) =
            active.map(|e| (slips(&e.value).min(slips(&e.label)), e)).min_by_key(|(slips, _)| *slips)?;
        (slips <= most).then(|| entry.value.clone())
    }

    /// Short cut: the report's cell is an entry's API name or label as it stands, and the org has that entry.
    pub fn plainly_same(&self, report: &[u8], org: &[u8]) -> bool {
        let entry = std::str::from_utf8(report).ok().and_then(|report| self.exact.get(report));
        entry.is_some_and(|(index, _)| text::trim(&self.entries[*index].value).as_bytes() == org)
    }

    /// The same of a multi-select: the very same bytes, which are API names as they stand.
    pub fn plainly_same_set(&self, report: &[u8], org: &[u8], separator: char, max: usize) -> bool {
        let name = |part: &str| {
            let entry = self.exact.get(part).map(|(index, _)| &self.entries[*index].value);
            !part.is_empty() && entry.is_some_and(|value| value == part)
        };
        report == org
            && separator == ';'
            && report.len() <= max
            && std::str::from_utf8(report)
                .is_ok_and(|cell| cell.split(';').all(name) && cell.split(';').count() <= MOST_VALUES)
    }

    /// A picklist's cell on the report's side. The cell is not blank.
    pub fn canon(&self, cell: &str, out: &mut Vec<u8>) -> Result<Noted, Reason> {
        let (value, noted) = self.resolve(cell.trim())?;
        out.extend_from_slice(text::trim(value).as_bytes());
        Ok(noted)
    }

    /// A multi-select's cell on the report's side. At least one part is not blank.
    pub fn canon_set(&self, cell: &str, separator: char, max: usize, out: &mut Vec<u8>) -> Result<Noted, Reason> {
        let mut set = Set::new();
        let mut first = Noted::Nothing;
        let mut count = 0;
        for part in cell.split(separator).map(str::trim).filter(|part| !part.is_empty()) {
            let (value, noted) = self.resolve(part)?;
            if value.contains(';') {
                return Err(Reason::SeparatorInValue);
            }
            if first == Noted::Nothing {
                first = noted;
            }
            count += 1;
            set.insert(text::trim(value));
        }
        if set.is_full() {
            return Err(Reason::TooManyValues { count, max: MOST_VALUES });
        }
        set.write(out);
        let length = text::units(std::str::from_utf8(out).unwrap_or_default());
        if length > max {
            return Err(Reason::TooLong { length, max });
        }
        Ok(first)
    }
}

/// A sorted set on the stack. Holds one value more than a field takes, to see that there are too many.
struct Set<'a> {
    values: [&'a str; MOST_VALUES + 1],
    count: usize,
}

impl<'a> Set<'a> {
    fn new() -> Self {
        Self { values: [""; MOST_VALUES + 1], count: 0 }
    }

    fn is_full(&self) -> bool {
        self.count > MOST_VALUES
    }

    fn insert(&mut self, value: &'a str) {
        if self.is_full() {
            return;
        }
        if let Err(at) = self.values[..self.count].binary_search(&value) {
            self.values.copy_within(at..self.count, at + 1);
            self.values[at] = value;
            self.count += 1;
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_set(&self.values[..self.count], out);
    }
}

fn write_set(values: &[&str], out: &mut Vec<u8>) {
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            out.push(b';');
        }
        out.extend_from_slice(value.as_bytes());
    }
}

/// The org's multi-select: its values in byte order, whatever the picklist's own order is.
pub(super) fn canon_org_set(cell: &str, out: &mut Vec<u8>) {
    let parts = || cell.split(';').map(text::trim).filter(|part| !part.is_empty());
    let mut set = Set::new();
    parts().for_each(|part| set.insert(part));
    if !set.is_full() {
        return set.write(out);
    }
    let mut all: Vec<&str> = parts().collect();
    all.sort_unstable();
    all.dedup();
    write_set(&all, out);
}
