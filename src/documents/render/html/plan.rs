//! A plan as a page: what Markdown and the terminal show, from the same view.

use maud::{Markup, html};

use super::pieces::{fields_head, guard, ledger};
use super::shell::{Mark, Site, Step, badge, page, wide};
use super::text::Text;
use crate::plan::{ChangeKind, RowOutcome};
use crate::render::plan::{CellView, NotableGroup, NotableRow, PlanView, RecordView};
use crate::render::wording::{counted, grouped, outcome_words};

/// The page. It stands alone.
pub(in crate::render) fn plan(view: &PlanView) -> String {
    let site = Site { made: view.planned_at, version: view.version.clone() };
    let s = &view.subject;
    let v = &view.verdict;
    let body = html! {
        h1 { "Plan for " (Text(&s.integration)) }
        p.lead {
            @if v.held { (badge(Mark::Bad, "Held")) } @else if v.changes { (badge(Mark::Late, "Changes")) } @else { (badge(Mark::Good, "No change")) }
            " " (Text(&v.text))
        }
        p {
            "Report " (Text(&s.report)) " from " code { (Text(&s.source)) } " → " code { (Text(&s.object)) } " in " (Text(&s.org)) " " (s.environment)
            " (org " code { (s.org_id) } "). Matched by column " code { (Text(&s.match_column)) } " = field " code { (Text(&s.match_field)) }
            @if let Some(scope) = &s.scope { ", only where " code { (Text(scope)) } } "."
        }
        @if !view.warnings.is_empty() || !view.not_checked.is_empty() {
            section.callout aria-labelledby="warnings" {
                h2 id="warnings" { "Warnings" }
                ul {
                    @for warning in &view.warnings { li { (Text(warning)) } }
                    @for right in &view.not_checked { li { "Not checked: " (Text(right)) } }
                }
            }
        }
        section aria-labelledby="guards" {
            h2 id="guards" { "Guards" }
            ul.guards { @for g in &view.guards { (guard(&g.name, &g.text, g.held, g.waived)) } }
        }
        section aria-labelledby="ledgers" {
            h2 id="ledgers" { "Report rows" }
            (ledger("Where every report row ended", &rows(view), ("rows in all", view.rows.rows)))
        }
        section aria-labelledby="fields" {
            h2 id="fields" { "Fields" }
            (wide("Table of fields", fields(view)))
        }
        @if !view.common.is_empty() {
            section aria-labelledby="common" {
                h2 id="common" { "Frequent changes" }
                ul { @for change in &view.common {
                    li { code { (Text(&change.field)) } ": " (value(change.before.as_deref())) " → " (value(change.after.as_deref())) " on " (counted(change.count, "record")) }
                } }
            }
        }
        @if !view.notable.is_empty() {
            section aria-labelledby="notable" {
                h2 id="notable" { "Rows and cells that cannot be used" }
                @for group in &view.notable { (notable(group)) }
            }
        }
        section aria-labelledby="records" {
            h2 id="records" { "Records" }
            @if view.records.is_empty() && view.records_left_out == 0 { p { "None would change." } }
            @else {
                (wide("Table of records", records(&view.records)))
                @if view.records_left_out > 0 { p.note { "… and " (counted(view.records_left_out, "record")) " more: " code { "--full" } " lists all." } }
            }
        }
        p.note {
            "API calls: " (grouped(view.calls.made)) " made, " (grouped(view.calls.to_come)) " to come. Digests: inputs " code.digest { (view.digests.inputs.as_str()) }
            ", changes " code.digest { (view.digests.changes.as_str()) } "."
        }
    };
    let title = format!("Plan for {}", s.integration);
    page(&site, "plan.html", &title, &[Step { words: &title, file: None }], body)
}

fn rows(view: &PlanView) -> Vec<(&'static str, u64)> {
    RowOutcome::ALL.into_iter().map(|outcome| (outcome_words(outcome), view.rows.of(outcome))).collect()
}

fn fields(view: &PlanView) -> Markup {
    html! {
        table {
            caption { "Changes by field" }
            (fields_head())
            tbody { @for f in &view.fields { tr {
                th scope="row" { code { (Text(&f.field)) } span.note { (Text(&f.label)) ", " (Text(&f.field_type)) } }
                td { (Text(&f.column)) }
                td.num { (grouped(f.fill)) } td.num { (grouped(f.overwrite)) } td.num { (grouped(f.clear)) }
                td.num { (grouped(f.same)) } td.num { (grouped(f.kept)) } td.num { (grouped(f.refused)) }
            } } }
        }
    }
}

fn notable(group: &NotableGroup) -> Markup {
    html! {
        details {
            summary { (Text(&group.title)) ": " (grouped(group.count)) }
            @if let Some(hint) = &group.hint { p.note { (Text(hint)) } }
            ul { @for row in &group.rows { li { (notable_row(row)) } } }
            @if group.left_out > 0 { p.note { "… and " (grouped(group.left_out)) " more" } }
        }
    }
}

fn notable_row(row: &NotableRow) -> Markup {
    html! {
        "Row " (grouped(row.row)) " (line " (grouped(row.line)) ")"
        @if let Some(key) = &row.key { ", key " code { (Text(key)) } }
        @if let Some(field) = &row.field { ", " code { (Text(field)) } }
        @if let Some(column) = &row.column { " from " (Text(column)) }
        @if let Some(shown) = &row.value { ": " code { (Text(shown)) } }
        @for record in &row.records { " " code { (record.as_str()) } }
        @if !row.rows.is_empty() { ", also in " (counted(row.rows.len() as u64, "row")) }
        @if let Some(reason) = &row.reason { ": " (Text(reason)) }
        @if let Some(hint) = &row.hint { span.note { (Text(hint)) } }
    }
}

fn records(records: &[RecordView]) -> Markup {
    html! {
        table {
            caption { "Records that would change, in the order of the report" }
            thead { tr { th scope="col" { "Record" } th scope="col" { "Field" } th scope="col" { "Change" } th scope="col" { "Before" } th scope="col" { "After" } } }
            @for record in records {
                tbody { @for (i, cell) in record.cells.iter().enumerate() {
                    tr {
                        @if i == 0 {
                            th scope="rowgroup" rowspan=(record.cells.len()) {
                                @match &record.link {
                                    Some(link) => a href=(Text(link)) rel="noreferrer" { (record.record.as_str()) },
                                    None => code { (record.record.as_str()) },
                                }
                                @if let Some(key) = &record.key { span.note { (Text(key)) } }
                                span.note { "row " (grouped(record.row)) }
                                @if record.refused > 0 { span.note { (grouped(record.refused)) " refused" } }
                            }
                        }
                        (cells(cell))
                    }
                } }
            }
        }
    }
}

fn cells(cell: &CellView) -> Markup {
    let kind = match cell.kind {
        ChangeKind::Fill => "fill",
        ChangeKind::Overwrite => "overwrite",
        ChangeKind::Clear => "clear",
    };
    html! {
        td { code { (Text(&cell.field)) } }
        td { (kind) }
        @if cell.hidden {
            td colspan="2" { span.note { "not shown (" code { "show_values: true" } " shows it)" } }
        } @else {
            td { (value(cell.before.as_deref())) }
            td { (value(cell.after.as_deref())) @if let Some(note) = &cell.note_text { span.note { (Text(note)) } } }
        }
    }
}

fn value(text: Option<&str>) -> Markup {
    html! { @match text { Some(text) => code { (Text(text)) }, None => em { "blank" } } }
}
