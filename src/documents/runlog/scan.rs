//! A run's summary straight from its log's text, for lists of thousands.
//!
//! It knows the plain block YAML that the store writes, and nothing else: whatever looks different in the least (a comment, an anchor, a flow
//! collection, a folded or escaped value, a key written twice, another indent, a key that is missing) makes it give up, and the log is then read as
//! YAML. So it is fast where it can be sure, and never a second opinion. A property test holds it against the whole reading.

use std::borrow::Cow;
use std::path::PathBuf;

use super::{CellCounts, ExitReason, KIND, RecordCounts, RowCounts, RunSummary, Seconds, Status, Trigger, VERSION};
use crate::model::{EnvironmentName, ObjectName, OrgId};

/// One line: how far in it stands, whether a list's item begins with it, its key and what stands behind.
struct Line<'t> {
    indent: usize,
    item: bool,
    key: &'t str,
    value: &'t str,
}

/// Of a line that is a key with or without a value; `None` for every other.
fn line(text: &str) -> Option<Line<'_>> {
    let rest = text.trim_start_matches(' ');
    let mut indent = text.len() - rest.len();
    let (item, rest) = match rest.strip_prefix("- ") {
        Some(rest) => {
            indent += 2;
            (true, rest)
        }
        None => (false, rest),
    };
    let end = rest.bytes().position(|b| !b.is_ascii_alphanumeric() && b != b'_')?;
    let (key, rest) = rest.split_at(end);
    let value = match rest.strip_prefix(':')? {
        "" => "",
        rest => rest.strip_prefix(' ')?,
    };
    (!key.is_empty() && harmless(value)).then_some(Line { indent, item, key, value })
}

/// Does the value end on its line, and is it a scalar (or an empty collection)? Also where it is not wanted.
fn harmless(value: &str) -> bool {
    let Some(first) = value.bytes().next() else { return true };
    match first {
        b'\'' => unquoted(value).is_some(),
        b'"' => {
            value.len() > 1 && value.ends_with('"') && !value.contains('\\') && !value[1..value.len() - 1].contains('"')
        }
        b'[' | b'{' => matches!(value, "[]" | "{}"),
        b'&' | b'*' | b'!' | b'|' | b'>' | b'%' | b'@' | b'`' | b',' | b'#' | b'?' | b']' | b'}' | b' ' | b'\t' => {
            false
        }
        b'-' if value == "-" || value.starts_with("- ") => false,
        _ => !value.contains(": ") && !value.contains(" #") && !value.ends_with([':', ' ', '\t']),
    }
}

/// What stands between single quotes.
fn unquoted(value: &str) -> Option<Cow<'_, str>> {
    let inner = value.strip_prefix('\'')?.strip_suffix('\'')?;
    if !inner.contains('\'') {
        return Some(Cow::Borrowed(inner));
    }
    let plain = inner.replace("''", "\u{0}");
    (!inner.contains('\u{0}') && !plain.contains('\'')).then(|| Cow::Owned(plain.replace('\u{0}', "'")))
}

/// A scalar as text; `None` where it is blank, null or a collection.
fn text(value: &str) -> Option<Cow<'_, str>> {
    match value.bytes().next()? {
        b'\'' => unquoted(value),
        b'"' => Some(Cow::Borrowed(&value[1..value.len() - 1])),
        b'[' | b'{' => None,
        _ => (!matches!(value, "~" | "null" | "Null" | "NULL")).then_some(Cow::Borrowed(value)),
    }
}

fn owned(value: &str) -> Option<String> {
    text(value).map(Cow::into_owned)
}

/// A count as the store writes it.
fn count(value: &str) -> Option<u64> {
    let plain = value.bytes().all(|b| b.is_ascii_digit()) && (value == "0" || !value.starts_with('0'));
    if plain { value.parse().ok() } else { None }
}

fn flag(value: &str) -> Option<bool> {
    match value {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// Puts a value where none was yet: a key that is written twice is not for us.
fn once<T>(slot: &mut Option<T>, value: Option<T>) -> Option<()> {
    if slot.is_some() {
        return None;
    }
    *slot = Some(value?);
    Some(())
}

/// Counts by name, each at most once.
struct Counts<const N: usize> {
    names: [&'static str; N],
    found: [Option<u64>; N],
}

impl<const N: usize> Counts<N> {
    fn new(names: [&'static str; N]) -> Self {
        Self { names, found: [None; N] }
    }

    fn add(&mut self, key: &str, value: &str) -> Option<()> {
        match self.names.iter().position(|name| *name == key) {
            Some(at) => once(&mut self.found[at], count(value)),
            // Of a later version.
            None => Some(()),
        }
    }

    fn of(&self, at: usize) -> u64 {
        self.found[at].unwrap_or(0)
    }
}

/// The parts of a log that have parts of their own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    None,
    Report,
    Rows,
    Cells,
    Records,
    Guards,
    Calls,
    Problems,
    Other,
}

struct Found<'t> {
    version: Option<u64>,
    kind: Option<Cow<'t, str>>,
    id: Option<String>,
    status: Option<Status>,
    exit: Option<ExitReason>,
    integration: Option<String>,
    report: Option<String>,
    modified: Option<()>,
    object: Option<ObjectName>,
    org: Option<String>,
    environment: Option<EnvironmentName>,
    org_id: Option<OrgId>,
    trigger: Option<Trigger>,
    start: Option<jiff::Timestamp>,
    end: Option<jiff::Timestamp>,
    run_time: Option<Seconds>,
    matched: Option<u64>,
    calls: Option<u64>,
    outcomes: Option<()>,
    /// Sections that were seen, so that none comes twice.
    seen: Vec<&'t str>,
    rows: Counts<11>,
    cells: Counts<6>,
    records: Counts<6>,
    held: Vec<String>,
    codes: Vec<String>,
    /// The guard that is being read: its name, held, waived.
    guard: (Option<String>, Option<bool>, Option<bool>),
    /// The problem that is being read: its code.
    problem: Option<String>,
}

impl<'t> Found<'t> {
    fn new() -> Self {
        Self {
            version: None,
            kind: None,
            id: None,
            status: None,
            exit: None,
            integration: None,
            report: None,
            modified: None,
            object: None,
            org: None,
            environment: None,
            org_id: None,
            trigger: None,
            start: None,
            end: None,
            run_time: None,
            matched: None,
            calls: None,
            outcomes: None,
            seen: Vec::with_capacity(12),
            rows: Counts::new([
                "rows",
                "planned",
                "unchanged",
                "no_record",
                "several_records",
                "duplicate_key",
                "blank_key",
                "bad_key",
                "converted",
                "out_of_scope",
                "refused",
            ]),
            cells: Counts::new(["cells", "change", "same", "kept_blank", "kept_policy", "refused"]),
            records: Counts::new(["records", "updated", "failed", "drifted", "not_attempted", "unknown"]),
            held: Vec::new(),
            codes: Vec::new(),
            guard: (None, None, None),
            problem: None,
        }
    }

    /// A key of the log itself; the section that it opens.
    fn top(&mut self, key: &'t str, value: &'t str) -> Option<Section> {
        if value.is_empty() || matches!(value, "[]" | "{}") {
            if self.seen.contains(&key) {
                return None;
            }
            self.seen.push(key);
            let section = match key {
                "report" => Section::Report,
                "rows" => Section::Rows,
                "cells" => Section::Cells,
                "records" => Section::Records,
                "guards" => Section::Guards,
                "calls" => Section::Calls,
                "problems" => Section::Problems,
                _ => Section::Other,
            };
            return Some(if value.is_empty() { section } else { Section::None });
        }
        let moment = |value| text(value)?.parse().ok();
        match key {
            "footbridge" => once(&mut self.version, count(value))?,
            "kind" => once(&mut self.kind, text(value))?,
            "id" => once(&mut self.id, owned(value))?,
            "status" => once(
                &mut self.status,
                match value {
                    "Completed" => Some(Status::Completed),
                    "Failed" => Some(Status::Failed),
                    _ => None,
                },
            )?,
            "exit" => once(&mut self.exit, text(value).map(|word| ExitReason::of(&word)))?,
            "integration" => once(&mut self.integration, owned(value))?,
            "object" => once(&mut self.object, owned(value).map(ObjectName::new))?,
            "org" => once(&mut self.org, owned(value))?,
            "environment" => once(
                &mut self.environment,
                match value {
                    "sandbox" => Some(EnvironmentName::Sandbox),
                    "production" => Some(EnvironmentName::Production),
                    _ => None,
                },
            )?,
            "org_id" => once(&mut self.org_id, OrgId::parse(value))?,
            "trigger" => once(&mut self.trigger, text(value).map(|word| Trigger::of(&word)))?,
            "start" => once(&mut self.start, moment(value))?,
            "end" => once(&mut self.end, moment(value))?,
            "run_time_seconds" => once(&mut self.run_time, value.parse().ok().and_then(Seconds::of))?,
            "matched" => once(&mut self.matched, count(value))?,
            "outcomes" => once(&mut self.outcomes, text(value).map(drop))?,
            "report" | "rows" | "cells" | "records" | "guards" | "calls" | "problems" | "fields" | "versions" => {
                return None;
            }
            _ => {}
        }
        Some(Section::None)
    }

    /// A key two columns in, in a section.
    fn within(&mut self, section: Section, line: &Line<'t>) -> Option<()> {
        let Line { item, key, value, .. } = *line;
        if item && section == Section::Guards {
            self.guarded()?;
        }
        if item && section == Section::Problems {
            self.codes.extend(self.problem.take());
        }
        match (section, key) {
            (Section::Report, "name") => once(&mut self.report, owned(value)),
            (Section::Report, "modified") => {
                once(&mut self.modified, text(value)?.parse::<jiff::Timestamp>().ok().map(drop))
            }
            (Section::Rows, _) => self.rows.add(key, value),
            (Section::Cells, _) => self.cells.add(key, value),
            (Section::Records, _) => self.records.add(key, value),
            (Section::Calls, "total") => once(&mut self.calls, count(value)),
            (Section::Guards, "name") => once(&mut self.guard.0, owned(value)),
            (Section::Guards, "held") => once(&mut self.guard.1, flag(value)),
            (Section::Guards, "waived") => once(&mut self.guard.2, flag(value)),
            (Section::Problems, "code") => once(&mut self.problem, owned(value)),
            _ => Some(()),
        }
    }

    /// A guard has ended.
    fn guarded(&mut self) -> Option<()> {
        match std::mem::take(&mut self.guard) {
            (None, None, None) => {}
            (Some(name), Some(held), waived) => {
                if held && !waived.unwrap_or(false) {
                    self.held.push(name);
                }
            }
            _ => return None,
        }
        Some(())
    }

    fn summary(mut self, path: PathBuf) -> Option<RunSummary> {
        self.guarded()?;
        self.codes.extend(self.problem.take());
        if self.version != Some(u64::from(VERSION)) || self.kind.as_deref() != Some(KIND) {
            return None;
        }
        if !["rows", "cells", "records", "fields", "guards", "versions"].iter().all(|key| self.seen.contains(key)) {
            return None;
        }
        self.outcomes?;
        let (rows, cells, records) = (&self.rows, &self.cells, &self.records);
        Some(RunSummary {
            path,
            id: self.id?,
            integration: self.integration?,
            report: self.report?,
            object: self.object?,
            org: self.org?,
            environment: self.environment?,
            org_id: self.org_id?,
            trigger: self.trigger?,
            start: self.start?,
            end: self.end?,
            run_time: self.run_time?,
            status: self.status?,
            exit: self.exit?,
            rows: rows.of(0),
            row_ends: RowCounts {
                rows: rows.of(0),
                planned: rows.of(1),
                unchanged: rows.of(2),
                no_record: rows.of(3),
                several_records: rows.of(4),
                duplicate_key: rows.of(5),
                blank_key: rows.of(6),
                bad_key: rows.of(7),
                converted: rows.of(8),
                out_of_scope: rows.of(9),
                refused: rows.of(10),
            },
            cells: CellCounts {
                cells: cells.of(0),
                change: cells.of(1),
                same: cells.of(2),
                kept_blank: cells.of(3),
                kept_policy: cells.of(4),
                refused: cells.of(5),
            },
            records: RecordCounts {
                records: records.of(0),
                updated: records.of(1),
                failed: records.of(2),
                drifted: records.of(3),
                not_attempted: records.of(4),
                unknown: records.of(5),
            },
            matched: self.matched?,
            calls: self.calls?,
            held: self.held,
            codes: self.codes,
        })
    }
}

/// The summary of a log's text; `None` where the text has to be read as YAML.
pub(super) fn summary(path: PathBuf, log: &str) -> Option<RunSummary> {
    // YAML ends lines at these, too.
    if !log.is_ascii() && log.contains(['\u{85}', '\u{2028}', '\u{2029}']) {
        return None;
    }
    let mut found = Found::new();
    let mut section = Section::None;
    // A section's parts stand two columns in, and the first of them right below its key.
    let mut fresh = false;
    // A list of names two columns in, such as the report's columns.
    let mut names = false;
    for text in log.strip_suffix('\n')?.split('\n') {
        if names && let Some(name) = text.strip_prefix("  - ") {
            if !harmless(name) || name.is_empty() || name.starts_with("- ") {
                return None;
            }
            continue;
        }
        names = false;
        let line = line(text)?;
        if line.indent == 0 {
            if fresh {
                return None;
            }
            section = found.top(line.key, line.value)?;
            fresh = section != Section::None;
            continue;
        }
        let listed = matches!(section, Section::Guards | Section::Problems);
        let own = line.indent == 2;
        match section {
            Section::None => return None,
            Section::Other => {}
            _ if fresh && (!own || line.item != listed) => return None,
            _ if own && line.item && !listed => return None,
            _ if own => found.within(section, &line)?,
            _ => {}
        }
        names = own && !line.item && line.value.is_empty() && section == Section::Report;
        fresh = false;
    }
    if fresh { None } else { found.summary(path) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::plan::RecordLedger;
    use crate::runlog::{GuardLine, RunLog, RunProblem, sample};

    fn path() -> PathBuf {
        PathBuf::from("runs/x.yaml")
    }

    fn written(log: &RunLog) -> String {
        serde_yaml::to_string(log).unwrap()
    }

    #[test]
    fn a_log_as_it_is_written_is_summed_up_without_the_yaml_reader() {
        let (log, _) = sample::run();
        assert_eq!(summary(path(), &written(&log)), Some(RunSummary::new(path(), &log)));
        let log = RunLog::new(
            &sample::plan_of(sample::header(), Vec::new(), 7),
            sample::facts(ExitReason::Done, RecordLedger::default(), Vec::new()),
        );
        assert_eq!(summary(path(), &written(&log)), Some(RunSummary::new(path(), &log)));
    }

    #[test]
    fn every_line_end_of_yaml_is_left_to_the_yaml_reader_and_comes_back() {
        for end in ['\u{85}', '\u{2028}', '\u{2029}'] {
            for around in ["", "x", " ", "'", "\\n"] {
                let mut log = sample::run().0;
                log.user = Some(format!("{around}{end}{around}"));
                log.report.columns = vec![format!("{around}{end}"), format!("{end}{around}")];
                let text = written(&log);
                assert_eq!(summary(path(), &text), None);
                assert_eq!(serde_yaml::from_str::<RunLog>(&text).ok(), Some(log), "{text}");
            }
        }
    }

    #[test]
    fn whatever_looks_different_is_left_to_the_yaml_reader() {
        let text = written(&sample::run().0);
        for (from, to) in [
            ("kind: run", "kind: run # a run"),
            ("kind: run\n", "kind: run\nkind: run\n"),
            ("status: Failed", "status: &a Failed"),
            ("status: Failed", "status: Perhaps"),
            ("org: acme", "org: >-\n  acme"),
            ("org: acme", "org: ~"),
            ("org: acme\n", ""),
            ("rows: 1215", "rows: 0x4bf"),
            ("rows: 1215", "rows: 1215\n  rows: 1216"),
            ("guards:\n- name", "guards:\n  - name"),
            ("guards:\n- name: max_overwrites", "guards: [{name: max_overwrites}]"),
            ("footbridge: 1\n", "footbridge: 2\n"),
            ("footbridge: 1\n", "---\nfootbridge: 1\n"),
            ("\nrecords:\n", "\nrecords:\n  - a\n"),
            ("outcomes: ", "results: "),
            ("\n", "\r\n"),
        ] {
            assert!(text.contains(from), "{from}");
            assert_eq!(summary(path(), &text.replacen(from, to, if from == "\n" { 999 } else { 1 })), None, "{to}");
        }
        // Cut off anywhere, it is no log.
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            assert_eq!(summary(path(), &text[..end]), None, "{end}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]
        /// Whatever stands in a log: the short way says the same as the long one, or nothing.
        #[test]
        fn what_it_says_is_what_the_yaml_reader_says(
            words in proptest::collection::vec("[ -~]{0,12}|\\PC{0,8}|(null|~|true|12|0x1f|- a|a: b|#x|'|\"|a\\nb|: |\\[\\]|)", 8),
            numbers in proptest::collection::vec(0u64..2_000_000, 6),
            held in proptest::collection::vec((any::<bool>(), any::<bool>()), 0..4),
            modified in any::<bool>(),
        ) {
            let mut log = sample::run().0;
            let word = |at: usize| words[at].clone();
            (log.integration, log.org, log.report.name, log.user) = (word(0), word(1), word(2), Some(word(3)));
            log.report.source = word(4);
            log.report.columns = words.clone();
            log.object = ObjectName::new(word(5));
            log.exit = ExitReason::of(&word(6));
            log.trigger = Trigger::of(&word(7));
            log.problems = words.iter().map(|w| RunProblem { code: w.clone(), message: w.clone(), not_done: None, next: None }).collect();
            log.guards = held.iter().zip(&words).map(|((held, waived), name)| GuardLine {
                name: name.clone(), value: 1, base: 2, limit: name.clone(), held: *held, waived: *waived,
            }).collect();
            if !modified { log.report.modified = None; }
            log.run_time_seconds = Seconds { millis: numbers[0] };
            (log.rows.rows, log.rows.planned, log.cells.same, log.records.failed, log.matched) =
                (numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]);
            let text = written(&log);
            let long: Option<RunLog> = serde_yaml::from_str(&text).ok();
            if let Some(short) = summary(path(), &text) {
                prop_assert_eq!(Some(short), long.map(|log| RunSummary::new(path(), &log)), "{}", text);
            }
        }
    }
}
