//! The plan's view as GitHub's Markdown, for a pull request. GitHub takes 65,536 characters a comment; this stays below [`MARKDOWN_LIMIT`].
//!
//! Every part has its share of the room; what does not fit is counted and said.

use super::difference::{Piece, cut_apart, pieces, worth_it};
use super::view::*;
use crate::plan::{ChangeKind, RowOutcome};
use crate::render::Options;
use crate::render::escape::{Markdown, MarkdownCode, clipped};
use crate::render::paint::mark;
use crate::render::wording::{counted, grouped, moment, outcome_words, share};
use crate::runlog::safe_segment;

/// No page has more bytes, nor so more characters.
pub const MARKDOWN_LIMIT: usize = 60_000;
/// Kept for what stands below the records.
const FOOT: usize = 2_000;
/// Shares of the parts that may be long.
const WARNINGS: usize = 6_000;
const FIELDS: usize = 9_000;
const COMMON: usize = 4_000;
const NOTABLE: usize = 14_000;
/// Rows of a notable group.
pub(super) const ROWS: usize = 10;
/// Records: more never fit.
pub(super) const RECORDS: usize = 2_000;
/// Characters of a name, a value, a sentence.
const NAME: usize = 80;
const VALUE: usize = 100;
const SENTENCE: usize = 240;

pub(in crate::render) fn words(text: &str, most: usize) -> String {
    Markdown(&clipped(text, most)).to_string()
}

pub(in crate::render) fn code(text: &str) -> String {
    MarkdownCode(&clipped(text, NAME)).to_string()
}

pub(in crate::render) fn value(text: Option<&str>) -> String {
    text.map_or_else(|| "*blank*".to_owned(), |t| MarkdownCode(&clipped(t, VALUE)).to_string())
}

/// Text that takes blocks as long as there is room.
struct Page {
    out: String,
}

impl Page {
    /// Adds head, as many of the items as fit into `room` bytes, and foot with the number of those that did not (and `more`, which were not there to
    /// begin with). Without a single item nothing is added but the remainder.
    fn list(&mut self, room: usize, head: &str, items: &[String], more: u64, foot: impl Fn(u64) -> String) {
        let room = room.min((MARKDOWN_LIMIT - FOOT).saturating_sub(self.out.len()));
        let widest_foot = foot(u64::MAX).len();
        if head.len() + widest_foot > room || (items.is_empty() && more == 0) {
            return;
        }
        let mut used = head.len() + widest_foot;
        let fitting = items.iter().take_while(|item| {
            used += item.len();
            used <= room
        });
        let taken: Vec<&String> = fitting.collect();
        self.out.push_str(head);
        taken.iter().for_each(|item| self.out.push_str(item));
        self.out.push_str(&foot((items.len() - taken.len()) as u64 + more));
    }
}

fn remainder(left: u64, what: &str) -> String {
    if left == 0 { String::new() } else { format!("\n… and {} not shown.\n", counted(left, what)) }
}

/// The whole page.
pub(super) fn render(view: &PlanView, options: &Options) -> String {
    let mut page = Page { out: String::new() };
    head(view, &mut page);
    ledgers(view, &mut page);
    fields(view, &mut page);
    notable(view, &mut page);
    records(view, options, &mut page);
    foot(view, &mut page);
    page.out
}

fn head(view: &PlanView, page: &mut Page) {
    let s = &view.subject;
    // A mark by which a later plan finds the comment to replace.
    let sign = if view.verdict.held {
        "⛔"
    } else if view.verdict.changes {
        "📝"
    } else {
        "✅"
    };
    page.out.push_str(&format!(
        "<!-- footbridge plan {} {} -->\n### {sign} {}\n\n{} → {} in {} {} (org {}). Report {} from {}. Matched by column {} = field {}{}.\n\n",
        safe_segment(&s.integration),
        s.environment,
        words(&view.verdict.text, SENTENCE * 2),
        code(&s.integration),
        code(&s.object),
        words(&s.org, NAME),
        s.environment,
        code(&s.org_id),
        words(&s.report, NAME),
        code(&s.source),
        code(&s.match_column),
        code(&s.match_field),
        s.scope.as_ref().map(|w| format!(", only where {}", code(w))).unwrap_or_default(),
    ));
    let guards: Vec<String> = view
        .guards
        .iter()
        .map(|guard| {
            let word = match (guard.held, guard.waived) {
                (true, false) => "⛔ held",
                (true, true) => "⚠️ waived",
                (false, _) => "✅ ok",
            };
            format!("| {word} | {} | {} |\n", code(&guard.name), words(&guard.text, SENTENCE))
        })
        .collect();
    page.list(8_000, "| | Guard | |\n|---|---|---|\n", &guards, 0, |left| remainder(left, "guard"));
    let calls = &view.calls;
    let quota = match (calls.used, calls.allowed) {
        (Some(used), Some(allowed)) => {
            format!("; the org has used {} of {} ({}) today", grouped(used), grouped(allowed), share(used, allowed))
        }
        _ => String::new(),
    };
    page.out.push_str(&format!(
        "\nAPI calls: {} to come, {} made{quota}.\n\n",
        grouped(calls.to_come),
        grouped(calls.made)
    ));
    let mut warnings: Vec<String> = view.warnings.iter().map(|w| format!("- ⚠️ {}\n", words(w, SENTENCE))).collect();
    warnings.extend(view.not_checked.iter().map(|n| format!("- Not checked: {}\n", words(n, SENTENCE))));
    page.list(WARNINGS, "", &warnings, 0, |left| remainder(left, "warning") + "\n");
}

fn ledgers(view: &PlanView, page: &mut Page) {
    let rows: Vec<(&str, u64)> = RowOutcome::ALL.into_iter().map(|o| (outcome_words(o), view.rows.of(o))).collect();
    let c = &view.cells;
    let cells = [
        ("would change", c.change),
        ("same", c.same),
        ("kept, blank in the report", c.kept_blank),
        ("kept by policy", c.kept_policy),
        ("refused", c.refused),
    ];
    let mut table = |title: &str, lines: &[(&str, u64)], total: u64| {
        page.out.push_str(&format!("| {title} | |\n|---|--:|\n"));
        for (what, count) in lines.iter().filter(|(_, n)| *n > 0) {
            page.out.push_str(&format!("| {what} | {} |\n", grouped(*count)));
        }
        page.out.push_str(&format!("| **in all** | **{}** |\n\n", grouped(total)));
    };
    table("Report rows", &rows, view.rows.rows);
    table("Cells of matched records", &cells, c.cells);
}

fn fields(view: &PlanView, page: &mut Page) {
    let zero = |n: u64| if n == 0 { "·".to_owned() } else { grouped(n) };
    let mut total = [0; 6];
    let mut rows: Vec<String> = Vec::new();
    for field in &view.fields {
        let counts = [field.fill, field.overwrite, field.clear, field.same, field.kept, field.refused];
        total.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        rows.push(format!("| {} | {} | {} |\n", code(&field.field), code(&field.column), counts.map(zero).join(" | ")));
    }
    if view.fields.len() > 1 {
        // First, so that it is there whatever fits.
        rows.insert(0, format!("| **all fields** | | {} |\n", total.map(zero).join(" | ")));
    }
    let head = "| Field | Report column | + fill | ~ overwrite | - clear | same | kept | refused |\n|---|---|--:|--:|--:|--:|--:|--:|\n";
    page.list(FIELDS, head, &rows, 0, |left| remainder(left, "field") + "\n");
    let common: Vec<String> = view
        .common
        .iter()
        .map(|change| {
            format!(
                "| {} | {} → {} | {} |\n",
                code(&change.field),
                value(change.before.as_deref()),
                value(change.after.as_deref()),
                grouped(change.count)
            )
        })
        .collect();
    let head = "| Most frequent changes | | records |\n|---|---|--:|\n";
    page.list(COMMON, head, &common, 0, |left| remainder(left, "change") + "\n");
}

fn notable(view: &PlanView, page: &mut Page) {
    let mut room = NOTABLE;
    let mut without_rows = Vec::new();
    for group in &view.notable {
        let rows: Vec<String> = group.rows.iter().take(ROWS).map(notable_row).collect();
        let hint = group.hint.as_ref().map(|h| format!("{}\n\n", words(h, SENTENCE))).unwrap_or_default();
        let head = format!(
            "<details><summary>{}: <b>{}</b></summary>\n\n{hint}| Row | Line | Records | What |\n|--:|--:|---|---|\n",
            words(&group.title, SENTENCE),
            grouped(group.count)
        );
        let more = group.left_out + (group.rows.len() - rows.len()) as u64;
        let before = page.out.len();
        page.list(room, &head, &rows, more, |left| remainder(left, "row") + "\n</details>\n\n");
        if page.out.len() == before {
            without_rows.push(group);
        }
        room = room.saturating_sub(page.out.len() - before);
    }
    if !without_rows.is_empty() {
        let count: u64 = without_rows.iter().map(|g| g.count).sum();
        page.out.push_str(&format!(
            "Not shown for want of room: {} of {} further kinds.\n\n",
            counted(count, "row"),
            grouped(without_rows.len() as u64)
        ));
    }
}

pub(in crate::render) fn notable_row(row: &NotableRow) -> String {
    let mut what = Vec::new();
    if let Some(key) = row.key.as_ref().filter(|k| !k.is_empty()) {
        what.push(format!("key {}", value(Some(key))));
    }
    if let Some(column) = &row.column {
        let shown = row.value.as_ref().map_or_else(|| "*hidden*".to_owned(), |v| value(Some(v)));
        what.push(format!("column {}: {shown}", code(column)));
    }
    if let Some(reason) = &row.reason {
        what.push(words(reason, SENTENCE));
    }
    if let Some(hint) = &row.hint {
        what.push(words(hint, SENTENCE));
    }
    if !row.rows.is_empty() {
        what.push(format!(
            "same key: row {}",
            row.rows.iter().take(10).map(|r| grouped(*r)).collect::<Vec<_>>().join(", ")
        ));
    }
    let mut records: Vec<String> = row.records.iter().take(5).map(|r| code(r.as_str())).collect();
    if row.records.len() > records.len() {
        records.push(format!("and {} more", row.records.len() - records.len()));
    }
    format!("| {} | {} | {} | {} |\n", grouped(row.row), grouped(row.line), records.join(" "), what.join("; "))
}

fn records(view: &PlanView, options: &Options, page: &mut Page) {
    if view.records.is_empty() {
        return;
    }
    let most = options.records_limit.filter(|_| !options.full).unwrap_or(usize::MAX);
    let rows: Vec<String> = view.records.iter().take(most.min(RECORDS)).map(record_row).collect();
    let more = view.records_left_out + (view.records.len() - rows.len()) as u64;
    let key = if view.values == Values::Shown { " Key |" } else { "" };
    let rule = if view.values == Values::Shown { "---|" } else { "" };
    let head = format!(
        "<details><summary>Records with their changes</summary>\n\n| Record | Row |{key} Changes |\n|---|--:|{rule}---|\n"
    );
    page.list(MARKDOWN_LIMIT, &head, &rows, more, |left| {
        let full = if left == 0 { "" } else { "`footbridge plan --full` at a terminal shows all.\n" };
        format!("{}{full}\n</details>\n\n", remainder(left, "record"))
    });
}

pub(in crate::render) fn record_row(record: &RecordView) -> String {
    // The id has letters and digits only, the link was checked when it was made.
    let id = match &record.link {
        Some(link) => format!("[{}]({link})", record.record),
        None => code(record.record.as_str()),
    };
    const CELLS: usize = 12;
    let mut cells: Vec<String> = record.cells.iter().take(CELLS).map(cell_text).collect();
    if record.cells.len() > CELLS {
        cells.push(format!("and {} more", record.cells.len() - CELLS));
    }
    if record.refused > 0 {
        cells.push(format!("{} cannot be written", counted(record.refused, "further cell")));
    }
    let key = record.key.as_ref().map(|k| format!(" {} |", value(Some(k)))).unwrap_or_default();
    format!("| {id} | {} |{key} {} |\n", grouped(record.row), cells.join("<br>"))
}

fn cell_text(cell: &CellView) -> String {
    let change = match (cell.hidden, cell.kind) {
        (true, ChangeKind::Fill) => " *filled*".to_owned(),
        (true, ChangeKind::Overwrite) => " *overwritten*".to_owned(),
        (true, ChangeKind::Clear) => " *cleared*".to_owned(),
        (false, _) => match (&cell.before, &cell.after) {
            (Some(before), Some(after)) if worth_it(before, after) => format!(" {}", difference(before, after)),
            (Some(before), Some(after)) => {
                let (before, after) = cut_apart(before, after, VALUE);
                format!(" {} → {}", MarkdownCode(&before), MarkdownCode(&after))
            }
            (before, after) => format!(" {} → {}", value(before.as_deref()), value(after.as_deref())),
        },
    };
    let note = cell.note_text.as_ref().or(cell.note.as_ref());
    let note = note.map(|n| format!(" ({})", words(n, NAME))).unwrap_or_default();
    format!("{} {}{change}{note}", code(&mark(cell.kind).to_string()), code(&cell.field))
}

/// What is gone struck through, what is new underlined, and a little of what stands around.
fn difference(before: &str, after: &str) -> String {
    const PIECES: usize = 12;
    const AROUND: usize = 20;
    const LONGEST: usize = 60;
    let pieces = pieces(before, after, AROUND);
    let mut out = String::new();
    for piece in pieces.iter().take(PIECES) {
        match piece {
            Piece::Same(text) => out.push_str(&words(text, LONGEST)),
            Piece::Gone(text) => out.push_str(&format!("<del>{}</del>", words(text, LONGEST))),
            Piece::New(text) => out.push_str(&format!("<ins>{}</ins>", words(text, LONGEST))),
            Piece::Skipped(count) => out.push_str(&format!("…{} characters…", grouped(*count))),
        }
    }
    if pieces.len() > PIECES {
        out.push_str(" … and more changes");
    }
    out
}

fn foot(view: &PlanView, page: &mut Page) {
    if view.values == Values::Hidden {
        page.out.push_str("Keys are not shown here; values only of fields with `show_values: true`.\n\n");
    }
    let d = &view.digests;
    page.out.push_str(&format!(
        "<sub>Planned {} by Footbridge {}. Digests: configuration {}, report {}, definitions {}, inputs {}, changes {}.</sub>\n",
        moment(view.planned_at),
        words(&view.version, 40),
        code(d.configuration.short()),
        code(d.report.short()),
        code(d.definitions.short()),
        code(d.inputs.short()),
        code(d.changes.short()),
    ));
}
