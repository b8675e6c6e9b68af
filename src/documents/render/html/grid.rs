//! The first page: every integration with its last run.

use jiff::Timestamp;
use maud::{Markup, html};

use super::names::history_file;
use super::pieces::status;
use super::shell::{Mark, Site, Step, badge, page};
use super::text::Text;
use crate::model::{EnvironmentName, OrgId};
use crate::render::wording::{counted, grouped, listed, moment, run_time};
use crate::runlog::{RunSummary, Status};

/// How an integration stands with its schedule.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// Its schedule, as cron in UTC, where it has one.
    pub schedule: Option<String>,
    /// When it runs next (UTC), where that is known.
    pub next: Option<Timestamp>,
    /// It should have run and has not.
    pub overdue: bool,
    /// It has run at some time, be it one that is not told of.
    pub ran: bool,
}

/// An integration in one environment of one org.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its name.
    pub integration: String,
    /// What it is for, where the configuration says so.
    pub goal: Option<String>,
    /// The report's name.
    pub report: String,
    /// The object.
    pub object: String,
    /// The org's name.
    pub org: String,
    /// The environment.
    pub environment: EnvironmentName,
    /// The org's id, where it is known.
    pub org_id: Option<OrgId>,
    /// Its schedule.
    pub standing: Standing,
    /// It still stands in the configuration.
    pub configured: bool,
    /// Its runs, newest first: as many as are told of.
    pub runs: Vec<RunSummary>,
    /// How many there are in all.
    pub total: u64,
}

impl Line {
    /// The file of its history, where there is one.
    pub fn file(&self) -> Option<String> {
        let org_id = self.org_id.filter(|_| !self.runs.is_empty())?;
        Some(history_file(&self.integration, self.environment, org_id))
    }
}

/// What did not go into Salesforce.
pub(super) fn not_written(run: &RunSummary) -> u64 {
    run.records.records.saturating_sub(run.records.updated)
}

/// The page.
pub fn grid(site: &Site, lines: &[Line]) -> String {
    let count = |wanted: fn(&Line) -> bool| lines.iter().filter(|line| wanted(line)).count() as u64;
    let failed = count(|l| l.runs.first().is_some_and(|r| r.status == Status::Failed));
    let late = count(|l| l.standing.overdue);
    let never = count(|l| l.runs.is_empty() && !l.standing.ran);
    let not_now = count(|l| l.runs.is_empty() && l.standing.ran);
    let fine = count(|l| l.runs.first().is_some_and(|r| r.status == Status::Completed) && !l.standing.overdue);
    let mut words = Vec::new();
    if failed > 0 {
        words.push(format!("{} failed", grouped(failed)));
    }
    if late > 0 {
        words.push(format!("{} overdue", grouped(late)));
    }
    if never > 0 {
        words.push(format!("{} never ran", grouped(never)));
    }
    if not_now > 0 {
        words.push(format!("{} not in this time", grouped(not_now)));
    }
    let body = html! {
        h1 { "Integrations" }
        p.lead {
            (counted(lines.len() as u64, "integration")) ". "
            @if words.is_empty() { "All ran and completed." } @else { "Last runs: " (grouped(fine)) " in order, " (listed(&words)) "." }
        }
        @if lines.is_empty() {
            p { "There is no integration and no run log here yet. " code { "footbridge apply NAME" } " leaves the first." }
        } @else {
            table.stack {
                caption { "Every integration with its last run" }
                thead {
                    tr {
                        th scope="col" { "Integration" }
                        th scope="col" { "Report → object" }
                        th scope="col" { "Environment" }
                        th scope="col" { "Last run" }
                        th scope="col" { "Status" }
                        th.num scope="col" { "Updated" }
                        th.num scope="col" { "Not written" }
                        th scope="col" { "Next run" }
                    }
                }
                tbody { @for line in lines { (row(line)) } }
            }
        }
    };
    page(site, "index.html", "Integrations", &[Step { words: "Integrations", file: None }], body)
}

fn row(line: &Line) -> Markup {
    let last = line.runs.first();
    html! {
        tr {
            th scope="row" {
                @match line.file() {
                    Some(file) => a href=(file) { (Text(&line.integration)) },
                    None => (Text(&line.integration)),
                }
                @if !line.configured { span.note { "no longer configured" } }
                @if let Some(goal) = &line.goal { span.note { (Text(goal)) } }
            }
            td data-label="Report → object" { (Text(&line.report)) " → " (Text(&line.object)) }
            td data-label="Environment" { (Text(&line.org)) " " (line.environment.as_str()) }
            td data-label="Last run" {
                @match last {
                    Some(run) => { (when(run.start)) span.note { (run_time(run.run_time)) ", started by " (Text(run.trigger.as_str())) } },
                    None => (if line.standing.ran { "not in this time" } else { "never" }),
                }
            }
            td data-label="Status" {
                @match last {
                    Some(run) => (status(run.status)),
                    None => (badge(Mark::Quiet, if line.standing.ran { "Not in this time" } else { "Never ran" })),
                }
                @if line.standing.overdue { " " (badge(Mark::Late, "Overdue")) }
            }
            td.num data-label="Updated" { @match last { Some(run) => (grouped(run.records.updated)), None => "–" } }
            td.num data-label="Not written" { @match last { Some(run) => (grouped(not_written(run))), None => "–" } }
            td data-label="Next run" {
                @match (line.standing.next, &line.standing.schedule) {
                    (Some(next), _) => (when(next)),
                    (None, Some(cron)) => code { (Text(cron)) },
                    (None, None) => "by hand",
                }
            }
        }
    }
}

/// A time that stays on one line.
pub(super) fn when(at: Timestamp) -> Markup {
    html! { time datetime=(at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()) { (moment(at)) } }
}
