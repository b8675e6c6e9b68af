//! The plan's view for a terminal.

use std::io::{self, Write};

use super::difference::{Piece, cut_apart, pieces, worth_it};
use super::notable::place;
use super::outline::Listing;
use super::view::*;
use crate::plan::{ChangeKind, RowOutcome};
use crate::render::Options;
use crate::render::escape::{Quoted, Terminal, clipped};
use crate::render::fields::{FieldCounts, fields_table};
use crate::render::fold::fold;
use crate::render::paint::{Paint, mark};
use crate::render::table::{beside, text_table};
use crate::render::wording::{counted, grouped, moment, outcome_words, share};

/// Records shown unless told otherwise.
pub(super) const RECORDS: usize = 20;
/// Rows shown of a notable group.
pub(super) const ROWS: usize = 5;
/// The kind of a group of values that cannot be written.
const REFUSED: &str = "refused_cells";
/// Characters of a value.
const VALUE: usize = 120;

struct Page<'a> {
    view: &'a PlanView,
    listing: &'a Listing<'a>,
    options: &'a Options,
    paint: Paint,
    /// Whole lines that are not written yet.
    out: String,
    to: &'a mut dyn Write,
}

/// The whole page; every line ends in a line break.
pub(super) fn render(listing: &Listing<'_>, options: &Options, to: &mut dyn Write) -> io::Result<()> {
    let view = listing.view;
    let mut page = Page { view, listing, options, paint: Paint(options.colour), out: String::new(), to };
    page.verdict();
    if view.verdict.changes || view.verdict.held || options.full {
        page.guards();
        page.calls();
        page.ledgers();
        page.fields();
        page.notable(false)?;
        page.records()?;
    } else {
        // Nothing to judge: no more than what was looked at, and what a person can mend.
        page.calls();
        page.row_ledger();
        page.notable(true)?;
    }
    page.end();
    page.write()
}

impl Page<'_> {
    fn line(&mut self, text: impl AsRef<str>) {
        self.out.push_str(text.as_ref().trim_end());
        self.out.push('\n');
    }

    /// Writes the lines so far.
    fn write(&mut self) -> io::Result<()> {
        self.to.write_all(fold(&self.out, self.options.width).as_bytes())?;
        self.out.clear();
        Ok(())
    }

    /// The same, when they are many.
    fn write_some(&mut self) -> io::Result<()> {
        const MANY: usize = 1 << 16;
        if self.out.len() < MANY { Ok(()) } else { self.write() }
    }

    fn heading(&mut self, text: &str) {
        let painted = self.paint.strong(text);
        self.out.push('\n');
        self.line(painted);
    }

    fn verdict(&mut self) {
        let Verdict { text, changes, held, .. } = &self.view.verdict;
        let painted = match (held, changes) {
            (true, _) => self.paint.bad(text),
            (false, true) => self.paint.strong(text),
            (false, false) => self.paint.good(text),
        };
        self.line(painted);
        let s = &self.view.subject;
        self.line(format!(
            "{}: report {} ({}) → {} in {} {}",
            Terminal(&s.integration),
            Terminal(&s.report),
            Terminal(&s.source),
            Terminal(&s.object),
            Terminal(&s.org),
            s.environment
        ));
        let scope = s.scope.as_ref().map(|w| format!("; only where {}", Terminal(w))).unwrap_or_default();
        let joined = format!("column {} = field {}", Quoted(&s.match_column), Terminal(&s.match_field));
        self.line(format!("Matched by {joined}{scope}"));
        let report = self.view.report_modified.map(|at| format!("; report of {}", moment(at))).unwrap_or_default();
        self.line(format!("Planned {} in org {}{report}", moment(self.view.planned_at), s.org_id));
        for warning in &self.view.warnings {
            let line = format!("{} {}", self.paint.odd("warning:"), Terminal(warning));
            self.line(line);
        }
        for right in &self.view.not_checked {
            self.line(format!("not checked: {}", Terminal(right)));
        }
    }

    fn guards(&mut self) {
        self.heading("Guards");
        let widest = self.view.guards.iter().map(|g| g.name.len()).max().unwrap_or(0);
        for guard in &self.view.guards {
            let word = match (guard.held, guard.waived) {
                (true, false) => format!("{}  ", self.paint.bad("held")),
                (true, true) => self.paint.odd("waived"),
                (false, _) => format!("{}    ", self.paint.good("ok")),
            };
            self.line(format!("  {word}  {:widest$}  {}", guard.name, Terminal(&guard.text)));
        }
        if self.view.guards.is_empty() {
            self.line("  none");
        }
    }

    fn calls(&mut self) {
        let calls = &self.view.calls;
        let quota = match (calls.used, calls.allowed) {
            (Some(used), Some(allowed)) => format!(
                "; {} of {} ({}) used in the last 24 hours",
                grouped(used),
                grouped(allowed),
                share(used, allowed)
            ),
            _ => "; the org's quota is unknown".to_owned(),
        };
        self.line("");
        self.line(format!(
            "API calls: {} to come, {} made to read {}{quota}",
            grouped(calls.to_come),
            grouped(calls.made),
            counted(calls.org_rows, "record"),
        ));
    }

    fn ledger(&self, title: &str, lines: &[(&str, u64)], total: (&str, u64)) -> String {
        let mut rows: Vec<Vec<String>> =
            lines.iter().filter(|(_, n)| *n > 0).map(|(what, n)| vec![(*what).to_owned(), grouped(*n)]).collect();
        rows.push(vec![total.0.to_owned(), grouped(total.1)]);
        format!("{}\n{}", self.paint.strong(title), text_table(&[], rows, &[1], 2))
    }

    fn rows(&self) -> String {
        let rows: Vec<(&str, u64)> =
            RowOutcome::ALL.into_iter().map(|o| (outcome_words(o), self.view.rows.of(o))).collect();
        self.ledger("Report rows", &rows, ("rows in all", self.view.rows.rows))
    }

    fn row_ledger(&mut self) {
        let rows = self.rows();
        self.line("");
        self.out.push_str(&rows);
    }

    fn ledgers(&mut self) {
        let rows = self.rows();
        let c = &self.view.cells;
        let cells = [
            ("would change", c.change),
            ("same", c.same),
            ("kept, blank in the report", c.kept_blank),
            ("kept by policy", c.kept_policy),
            ("refused", c.refused),
        ];
        let title = format!("Cells of {}", counted(self.view.verdict.matched, "matched record"));
        let cells = self.ledger(&title, &cells, ("cells in all", c.cells));
        self.line("");
        self.out.push_str(&beside(&rows, &cells, self.options.width));
    }

    fn fields(&mut self) {
        let counts = |f: &FieldView| [f.fill, f.overwrite, f.clear, f.same, f.kept, f.refused];
        let fields: Vec<FieldCounts<'_>> = self
            .view
            .fields
            .iter()
            .map(|f| FieldCounts { field: &f.field, column: &f.column, counts: counts(f) })
            .collect();
        self.out.push_str(&fields_table("Fields", &fields, self.options.width, self.paint));
        if self.view.common.is_empty() {
            return;
        }
        self.heading("Most frequent changes");
        for common in &self.view.common {
            let change = self.change(common.kind, false, common.before.as_deref(), common.after.as_deref());
            let count = if common.count == 1 { "record" } else { "records" };
            self.line(format!("  {} {} {count}: {change}", Terminal(&common.field), grouped(common.count)));
        }
    }

    /// `brief`: only the values that cannot be written; where the rows ended, the ledger says.
    fn notable(&mut self, brief: bool) -> io::Result<()> {
        let view = self.view;
        if view.notable.is_empty() {
            return Ok(());
        }
        if !brief {
            self.heading(&self.unused());
        } else if view.cells.refused > 0 {
            self.heading(&format!("Cannot be written: {}", counted(view.cells.refused, "value")));
        }
        let widest = view.notable.iter().map(|g| grouped(g.count).len()).max().unwrap_or(0);
        let indent = " ".repeat(widest + 4);
        for (place_of, group) in view.notable.iter().enumerate().filter(|(_, g)| !brief || g.kind == REFUSED) {
            // A line that says "1 more" would take the place of that one.
            let most = if self.options.full { usize::MAX } else { self.options.rows_limit.unwrap_or(ROWS) };
            let most = if group.count == (most as u64).saturating_add(1) { most + 1 } else { most };
            let title = format!("{:>widest$}  {}", grouped(group.count), Terminal(&group.title));
            self.line(format!("  {}", self.paint.odd(title)));
            if let Some(hint) = &group.hint {
                self.line(format!("{indent}→ {}", Terminal(hint)));
            }
            let mut shown = 0;
            for row in self.listing.rows(place_of).take(most) {
                let row = row?;
                shown += 1;
                let mut line = format!("{indent}{}", place(row.row, row.line));
                if let Some(key) = row.key.as_ref().filter(|k| !k.is_empty()) {
                    line.push_str(&format!("  {}", Quoted(&self.cut(key))));
                }
                if !row.records.is_empty() {
                    let ids: Vec<&str> = row.records.iter().take(5).map(|r| r.as_str()).collect();
                    line.push_str(&format!("  {}", ids.join(" ")));
                    if row.records.len() > ids.len() {
                        line.push_str(&format!(" and {} more", grouped((row.records.len() - ids.len()) as u64)));
                    }
                }
                if let Some(column) = &row.column {
                    line.push_str(&format!("  column {}", Quoted(column)));
                    match &row.value {
                        Some(value) => line.push_str(&format!(": {}", Quoted(&self.cut(value)))),
                        None => line.push_str(": (value hidden)"),
                    }
                }
                if let Some(reason) = &row.reason {
                    line.push_str(&format!(" – {}", Terminal(reason)));
                }
                if !row.rows.is_empty() {
                    let rows: Vec<String> = row.rows.iter().map(|r| grouped(*r)).collect();
                    let word = if rows.len() == 1 { "row" } else { "rows" };
                    line.push_str(&format!("  same key: {word} {}", rows.join(", ")));
                }
                self.line(line);
                if let Some(hint) = &row.hint {
                    self.line(format!("{indent}    → {}", Terminal(hint)));
                }
                self.write_some()?;
            }
            let left = if self.options.full {
                self.listing.left_out(place_of)
            } else {
                group.left_out + group.rows.len().saturating_sub(shown) as u64
            };
            if left > 0 {
                self.line(format!("{indent}… and {} more (--full shows all)", grouped(left)));
            }
        }
        if brief && view.notable.iter().any(|g| g.kind != REFUSED) {
            self.line("");
            self.line("--full lists the rows that could not be used.");
        }
        Ok(())
    }

    /// How much of the report is of no use: rows, and values of rows that are.
    fn unused(&self) -> String {
        let cells = self.view.cells.refused;
        let rows = self.view.notable.iter().filter(|g| g.kind != REFUSED).map(|g| g.count).sum();
        match (rows, cells) {
            (_, 0) => format!("Cannot be used: {}", counted(rows, "row")),
            (0, _) => format!("Cannot be written: {}", counted(cells, "value")),
            _ => format!("Cannot be used: {} and {}", counted(rows, "row"), counted(cells, "value")),
        }
    }

    fn cut(&self, value: &str) -> String {
        if self.options.full { value.to_owned() } else { clipped(value, VALUE).into_owned() }
    }

    fn value(&self, value: Option<&str>) -> String {
        value.map_or_else(|| "(blank)".to_owned(), |v| Quoted(&self.cut(v)).to_string())
    }

    fn change(&self, kind: ChangeKind, hidden: bool, before: Option<&str>, after: Option<&str>) -> String {
        match (hidden, kind) {
            (true, ChangeKind::Fill) => "(blank) → (value hidden)".to_owned(),
            (true, ChangeKind::Overwrite) => "(value hidden) → (another value, hidden)".to_owned(),
            (true, ChangeKind::Clear) => "(value hidden) → (blank)".to_owned(),
            (false, _) => match (before, after) {
                (Some(before), Some(after)) if !self.options.full => {
                    let (before, after) = cut_apart(before, after, VALUE);
                    format!("{} → {}", Quoted(&before), Quoted(&after))
                }
                _ => format!("{} → {}", self.value(before), self.value(after)),
            },
        }
    }

    /// `the [-quick-]{+slow+} fox`: what is gone, what is new, and a little of what stands around.
    fn words(&self, before: &str, after: &str) -> String {
        let around = if self.options.full { usize::MAX / 4 } else { 24 };
        // Our own marks within a value are broken by a backslash.
        let shown = |text: &str| {
            let text = Terminal(text).to_string();
            ["[-", "-]", "{+", "+}"].iter().fold(text, |t, m| t.replace(m, &format!("{}\\{}", &m[..1], &m[1..])))
        };
        let mut out = String::new();
        for piece in pieces(before, after, around) {
            match piece {
                Piece::Same(text) => out.push_str(&shown(&text)),
                Piece::Gone(text) => {
                    out.push_str(&self.paint.bad(format!("[-{}-]", shown(&self.cut(&text)))));
                }
                Piece::New(text) => {
                    out.push_str(&self.paint.good(format!("{{+{}+}}", shown(&self.cut(&text)))));
                }
                Piece::Skipped(count) => {
                    out.push_str(&self.paint.faint(format!("…{} characters…", grouped(count))));
                }
            }
        }
        out
    }

    fn records(&mut self) -> io::Result<()> {
        let view = self.view;
        if self.listing.count() == 0 {
            return Ok(());
        }
        let most = if self.options.full { usize::MAX } else { self.options.records_limit.unwrap_or(RECORDS) };
        self.heading(&format!("Records: {}", grouped(view.verdict.records)));
        let mut shown = 0;
        for record in self.listing.records().take(most) {
            let record = record?;
            shown += 1;
            let key = record.key.as_ref().map(|k| format!("  {}", Quoted(&self.cut(k)))).unwrap_or_default();
            let head = format!("{}{key}  ({})", record.record, place(record.row, record.line));
            self.line(self.paint.strong(head));
            if let Some(link) = &record.link {
                self.line(format!("  {}", self.paint.faint(Terminal(link))));
            }
            let widest = record.cells.iter().map(|c| Terminal(&c.field).to_string().len()).max().unwrap_or(0).min(43);
            for cell in &record.cells {
                let change = match (&cell.before, &cell.after) {
                    (Some(before), Some(after)) if worth_it(before, after) => self.words(before, after),
                    (before, after) => self.change(cell.kind, cell.hidden, before.as_deref(), after.as_deref()),
                };
                let mut line = format!(
                    "  {} {:widest$}  {change}",
                    self.paint.kind(cell.kind, mark(cell.kind)),
                    Terminal(&cell.field)
                );
                if let Some(note) = cell.note_text.as_ref().or(cell.note.as_ref()) {
                    let reported = cell.reported.as_ref().map(|r| format!("; the report has {}", Quoted(&self.cut(r))));
                    line.push_str(&format!("  ({}{})", Terminal(note), reported.unwrap_or_default()));
                }
                self.line(line);
            }
            if record.refused > 0 {
                self.line(format!("  ! {} cannot be written, see above", counted(record.refused, "further cell")));
            }
            self.write_some()?;
        }
        let left = view.verdict.records.saturating_sub(shown);
        if left > 0 {
            self.line(format!("… and {} (--full shows all)", counted(left, "more record")));
        }
        Ok(())
    }

    fn end(&mut self) {
        if self.view.values == Values::Hidden && self.view.verdict.changes {
            self.line("");
            self.line("Keys are hidden here, and so are values of fields without `show_values: true`.");
        }
        let digests = &self.view.digests;
        let line = format!(
            "Digests: inputs {}, changes {}",
            Terminal(digests.inputs.short()),
            Terminal(digests.changes.short())
        );
        let faint = self.paint.faint(line);
        self.line("");
        self.line(faint);
    }
}
