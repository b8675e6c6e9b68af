//! The page of a run: its log in full, and the records that were not updated.

use maud::{Markup, html};

use super::grid::when;
use super::names::{history_file, run_file};
use super::pieces::{fields_head, guard, ledger, status};
use super::shell::{Site, Step, page, wide};
use super::text::Text;
use crate::plan::RowOutcome;
use crate::render::apply::{RESENT, verdict, window_sentence};
use crate::render::wording::{counted, grouped, guard_sentence, outcome_words, run_time, share};
use crate::runlog::{Outcome, RecordLine, RunLog};

/// The page. `records` are the first of those that were not updated; `None` where which they were is not kept any more.
pub fn run(site: &Site, log: &RunLog, records: Option<&[RecordLine]>) -> String {
    let file = run_file(&log.integration, log.org_id, &log.id);
    let missing = log.records.records.saturating_sub(log.records.updated);
    let left_out = missing.saturating_sub(records.map_or(0, <[_]>::len) as u64);
    let body = html! {
        h1 { "Run " (Text(&log.id)) }
        p.lead {
            (status(log.status))
            " " (Text(verdict(log).trim_start_matches(log.status.as_str()).trim_start_matches([':', ' '])))
        }
        @if !log.problems.is_empty() {
            section.callout aria-labelledby="problems" {
                h2 id="problems" { "Problems" }
                ul {
                    @for problem in &log.problems {
                        li {
                            code { (Text(&problem.code)) } ": " (Text(&problem.message))
                            @if let Some(not_done) = &problem.not_done { span.note { "Not done: " (Text(not_done)) } }
                            @if let Some(next) = &problem.next { span.note { "Next: " (Text(next)) } }
                        }
                    }
                }
            }
        }
        section aria-labelledby="ledgers" {
            h2 id="ledgers" { "Where everything ended" }
            div.ledgers { (ledgers(log)) }
        }
        section aria-labelledby="fields" {
            h2 id="fields" { "Fields, as planned" }
            (wide("Table of fields", fields(log)))
        }
        section aria-labelledby="guards" {
            h2 id="guards" { "Guards" }
            @if log.guards.is_empty() { p { "None was asked: the run ended before." } }
            @else { ul.guards { @for g in &log.guards {
                (guard(&g.name, &guard_sentence(&g.name, g.value, g.base, &g.limit), g.held, g.waived))
            } } }
        }
        section aria-labelledby="left" {
            h2 id="left" { "Records that were not updated" }
            @match records {
                _ if missing == 0 => p { "None." },
                None => p { (counted(missing, "record")) ". Which, and why, is not kept any more: the outcomes, record by record, were removed (" code { "footbridge runs prune" } ")." },
                Some(records) => {
                    @if !records.is_empty() { (wide("Table of records", left(records))) }
                    @if left_out > 0 { p.note { "… and " (counted(left_out, "record")) " more: " code { "footbridge runs show " (Text(&log.id)) " --failed" } } }
                }
            }
        }
        section aria-labelledby="facts" {
            h2 id="facts" { "The run" }
            (facts(log))
        }
    };
    let steps = [
        Step { words: "Integrations", file: Some("index.html".to_owned()) },
        Step { words: &log.integration, file: Some(history_file(&log.integration, log.environment, log.org_id)) },
        Step { words: &log.id, file: None },
    ];
    page(site, &file, &format!("Run {} of {}", log.id, log.integration), &steps, body)
}

fn ledgers(log: &RunLog) -> Markup {
    let rows: Vec<(&str, u64)> = RowOutcome::ALL.into_iter().map(|o| (outcome_words(o), log.rows.of(o))).collect();
    let (c, r) = (&log.cells, &log.records);
    let cells = [
        ("to change", c.change),
        ("same", c.same),
        ("kept, blank in the report", c.kept_blank),
        ("kept by policy", c.kept_policy),
        ("refused", c.refused),
    ];
    let records = [
        ("updated", r.updated),
        ("failed", r.failed),
        ("drifted", r.drifted),
        ("not attempted", r.not_attempted),
        ("unknown", r.unknown),
    ];
    html! {
        (ledger("Report rows", &rows, ("rows in all", log.rows.rows)))
        (ledger("Cells of matched records", &cells, ("cells in all", c.cells)))
        (ledger("Planned records", &records, ("records in all", r.records)))
    }
}

fn fields(log: &RunLog) -> Markup {
    html! {
        table {
            caption { "Planned changes by field" }
            (fields_head())
            tbody { @for field in &log.fields { tr {
                th scope="row" { code { (Text(field.field.as_str())) } }
                td { (Text(&field.column)) }
                td.num { (grouped(field.fill)) } td.num { (grouped(field.overwrite)) } td.num { (grouped(field.clear)) }
                td.num { (grouped(field.same)) } td.num { (grouped(field.kept)) }
                td.num {
                    (grouped(field.refused.values().sum()))
                    @for (code, count) in &field.refused { span.note { (Text(code)) " " (grouped(*count)) } }
                }
            } } }
        }
    }
}

fn left(records: &[RecordLine]) -> Markup {
    html! {
        table {
            caption { "Records that were not updated, and why" }
            thead { tr {
                th scope="col" { "Record" } th.num scope="col" { "Report row" } th scope="col" { "End" } th scope="col" { "Why" } th scope="col" { "Fields" }
            } }
            tbody { @for line in records { tr {
                th scope="row" { code { (Text(line.record.as_str())) } }
                td.num { (grouped(line.row)) }
                td { (line.outcome.as_str().replace('_', " ")) }
                td {
                    @for problem in &line.problems {
                        span.line { code { (Text(&problem.code)) } @if let Some(message) = &problem.message { " " (Text(message)) } }
                    }
                    @if let Some(reason) = &line.reason { (Text(reason.sentence())) }
                    @if let Some(doubt) = &line.doubt { (Text(doubt.sentence())) }
                    @if line.outcome == Outcome::Drifted {
                        @if line.already_there { "it held the planned values already" } @else { "changed by somebody since the plan" }
                    }
                }
                td {
                    @for field in line.problems.iter().flat_map(|p| &p.fields).chain(&line.fields) { code.line { (Text(field.as_str())) } }
                }
            } } }
        }
    }
}

fn facts(log: &RunLog) -> Markup {
    let unknown = || html! { "unknown" };
    html! {
        dl.facts {
            dt { "Integration" } dd { (Text(&log.integration)) }
            dt { "Report" } dd { (Text(&log.report.name)) " (" (Text(&log.report.source)) ")" }
            dt { "Report size" } dd { @match log.report.bytes { Some(bytes) => (counted(bytes, "byte")), None => (unknown()) } }
            dt { "Report time" } dd { @match log.report.modified { Some(at) => (when(at)), None => (unknown()) } }
            dt { "Object" } dd { (Text(log.object.as_str())) }
            dt { "Org" } dd { (Text(&log.org)) " " (log.environment.as_str()) ", " code { (log.org_id.as_str()) } }
            dt { "User" } dd { @match &log.user { Some(user) => (Text(user)), None => (unknown()) } }
            dt { "Started by" } dd { (Text(log.trigger.as_str())) }
            dt { "Start" } dd { (when(log.start)) }
            dt { "End" } dd { (when(log.end)) }
            dt { "Run time" } dd { (run_time(log.run_time_seconds)) }
            dt { "Ended because" } dd { (Text(log.exit.sentence())) }
            @if let Some(window) = log.window_seconds { dt { "Window" } dd { (Text(&window_sentence(window))) } }
            dt { "API calls" } dd { (grouped(log.calls.total)) @if log.calls.retries > 0 { ", " (grouped(log.calls.retries)) " of them retries" } }
            @for job in &log.jobs {
                dt { "Bulk job" }
                dd { code { (Text(&job.id)) } " " (counted(job.records, "record")) ", " (grouped(job.failed)) " failed" @if job.left { ", its results were not fetched" } }
            }
            @if log.resent > 0 { dt { "Sent again" } dd { (counted(log.resent, "record")) ": " (RESENT) } }
            dt { "Quota" } dd { @match log.quota {
                Some(q) => { (grouped(q.used)) " of " (grouped(q.allowed)) " used (" (share(q.used, q.allowed)) ")" },
                None => (unknown()),
            } }
            @if let Some(d) = &log.digests {
                dt { "Configuration" } dd { code.digest { (d.configuration.as_str()) } }
                dt { "Report digest" } dd { code.digest { (d.report.as_str()) } }
                dt { "Definitions" } dd { code.digest { (d.definitions.as_str()) } }
                dt { "Plan" } dd { "inputs " code.digest { (d.inputs.as_str()) } ", changes " code.digest { (d.changes.as_str()) } }
            }
            dt { "Versions" } dd { "Footbridge " (Text(&log.versions.footbridge)) ", API " (Text(&log.versions.api)) }
        }
    }
}
