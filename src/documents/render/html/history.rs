//! The page of an integration: its last run, charts of its history, the table of its runs.

use maud::{Markup, html};

use super::chart::{BARS, Bar, chart, round_up};
use super::grid::{Line, not_written, when};
use super::names::{run_file, up};
use super::pieces::status;
use super::shell::{Mark, Site, Step, badge, page, wide};
use super::text::Text;
use crate::render::wording::{counted, grouped, moment, run_time, share};
use crate::runlog::{RunSummary, Status, stamp};

/// The page; of the first `own` runs there are pages to go to.
pub fn history(site: &Site, line: &Line, own: usize) -> String {
    let file = line.file().unwrap_or_default();
    let up = up(&file);
    let bars: Vec<&RunSummary> = line.runs.iter().take(BARS).rev().collect();
    let body = html! {
        h1 { (Text(&line.integration)) }
        p.lead {
            @if let Some(goal) = &line.goal { (Text(goal)) ". " }
            "Report " (Text(&line.report)) " → " (Text(&line.object)) " in " (Text(&line.org)) " " (line.environment.as_str()) "."
        }
        @if let Some(last) = line.runs.first() {
            dl.tiles {
                div { dt { "Last run" } dd { (when(last.start)) } }
                div { dt { "Status" } dd { (status(last.status)) @if line.standing.overdue { " " (badge(Mark::Late, "Overdue")) } } }
                div { dt { "Updated" } dd { (grouped(last.records.updated)) " of " (grouped(last.records.records)) } }
                div { dt { "Run time" } dd { (run_time(last.run_time)) } }
                @if let Some(next) = line.standing.next { div { dt { "Next run" } dd { (when(next)) } } }
            }
            @if last.status == Status::Failed {
                p.callout { strong { "The last run failed: " } (Text(last.exit.sentence())) "." @if !last.held.is_empty() { " Held by " (Text(&last.held.join(", "))) "." } }
            }
        }
        section aria-labelledby="charts" {
            h2 id="charts" { "History" }
            p.note { "The newest " (counted(bars.len() as u64, "run")) ", from left to right. Hatched: the run failed." }
            div.charts { (charts(&bars)) }
        }
        section aria-labelledby="runs" {
            h2 id="runs" { "Runs" }
            (wide("Table of runs", table(line, own, &up)))
            @if (line.runs.len() as u64) < line.total {
                p.note { "The newest " (grouped(line.runs.len() as u64)) " of " (counted(line.total, "run")) ". " code { "footbridge runs" } " lists all." }
            }
        }
    };
    let steps = [
        Step { words: "Integrations", file: Some("index.html".to_owned()) },
        Step { words: &line.integration, file: None },
    ];
    page(site, &file, &line.integration, &steps, body)
}

fn charts(runs: &[&RunSummary]) -> Markup {
    type Figure = fn(&RunSummary) -> Option<f64>;
    let match_rate: Figure = |run| {
        let rows = run.row_ends.rows;
        (rows > 0).then(|| run.row_ends.found() as f64 * 100.0 / rows as f64)
    };
    let whole = |value: f64| grouped(value.round() as u64);
    let seconds = |value: f64| run_time(crate::runlog::Seconds { millis: (value * 1000.0).round() as u64 });
    let percent = |value: f64| share((value * 10.0).round() as u64, 1000);
    let one = |title: &str, figure: Figure, words: &dyn Fn(f64) -> String, top: Option<f64>| {
        let highest = runs.iter().filter_map(|run| figure(run)).fold(0.0, f64::max);
        let top = top.unwrap_or_else(|| round_up(highest));
        let bars: Vec<Bar> = runs
            .iter()
            .map(|run| {
                let value = figure(run);
                let told = value.map_or_else(|| "not known".to_owned(), words);
                Bar {
                    value,
                    words: format!("{}: {told}, {}", moment(run.start), run.status.as_str()),
                    failed: run.status == Status::Failed,
                }
            })
            .collect();
        let latest = runs.last().and_then(|run| figure(run)).map_or_else(|| "not known".to_owned(), words);
        chart(title, &latest, top, &words(top), &bars)
    };
    html! {
        (one("Records updated", |run| Some(run.records.updated as f64), &whole, None))
        (one("Values refused", |run| Some(run.cells.refused as f64), &whole, None))
        (one("Rows that found a record", match_rate, &percent, Some(100.0)))
        (one("Run time", |run| Some(run.run_time.millis as f64 / 1000.0), &seconds, None))
        (one("API calls", |run| Some(run.calls as f64), &whole, None))
    }
}

fn table(line: &Line, own: usize, up: &str) -> Markup {
    html! {
        table {
            caption { "Runs of " (Text(&line.integration)) ", newest first" }
            thead {
                tr {
                    th scope="col" { "Run, by its start" }
                    th scope="col" { "Status" }
                    th.num scope="col" { "Run time" }
                    th.num scope="col" { "Report rows" }
                    th.num scope="col" { "Found" }
                    th.num scope="col" { "Updated" }
                    th.num scope="col" { "Not written" }
                    th.num scope="col" { "Values refused" }
                    th.num scope="col" { "API calls" }
                    th scope="col" { "Ended because" }
                }
            }
            tbody {
                @for (i, run) in line.runs.iter().enumerate() {
                    tr {
                        th scope="row" {
                            @if i < own { a.once href=(format!("{up}{}", run_file(&run.integration, run.org_id, &run.id))) { (moment(run.start)) } }
                            @else { (when(run.start)) }
                            @if run.id != stamp(run.start) { span.note { (Text(&run.id)) } }
                        }
                        td { (status(run.status)) }
                        td.num { (run_time(run.run_time)) }
                        td.num { (grouped(run.rows)) }
                        td.num { (share(run.row_ends.found(), run.row_ends.rows)) }
                        td.num { (grouped(run.records.updated)) }
                        td.num { (grouped(not_written(run))) }
                        td.num { (grouped(run.cells.refused)) }
                        td.num { (grouped(run.calls)) }
                        td { (Text(run.exit.sentence())) @if !run.held.is_empty() { " (" (Text(&run.held.join(", "))) ")" } }
                    }
                }
            }
        }
    }
}
