//! What is due, and how every integration is: for a terminal, and as JSON (`footbridge schedule-view/1`).

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::Options;
use super::escape::{Terminal, json_text};
use super::fold::fold;
use super::paint::Paint;
use super::table::{fits, text_table};
use super::wording::moment;
use crate::model::EnvironmentName;
use crate::runlog::Status;

/// How the integrations of an environment stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "Footbridge schedule")]
pub struct ScheduleView {
    /// Always `footbridge schedule-view/1`.
    #[schemars(extend("const" = "footbridge schedule-view/1"))]
    pub format: &'static str,
    /// The environment.
    #[schemars(with = "String", extend("enum" = ["sandbox", "production"]))]
    pub environment: EnvironmentName,
    /// The moment that all is told of (UTC).
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub now: Timestamp,
    /// One line an integration, by name.
    pub integrations: Vec<StandLine>,
}

/// One integration in an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StandLine {
    /// Its name.
    pub integration: String,
    /// Of `due`: `due`, `done`, `waiting`, `held off`, `given up`, `not due`, `not connected`, `not scheduled`, `broken`. Of `status`: `ok`, `failed`, `overdue`, `not scheduled`, `broken`.
    pub state: &'static str,
    /// Is that good, bad, or neither?
    #[serde(skip)]
    pub good: Option<bool>,
    /// In a sentence.
    pub why: String,
    /// The newest run that tells something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<LastRun>,
    /// The start of the newest run that was completed (UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub completed: Option<Timestamp>,
    /// The latest tick of its schedule (UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub tick: Option<Timestamp>,
    /// The next tick (UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub next: Option<Timestamp>,
}

/// A run, in a few words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LastRun {
    /// Its id.
    pub run: String,
    /// Its start (UTC).
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub start: Timestamp,
    /// Completed or Failed.
    pub status: Status,
    /// Why it ended.
    pub exit: String,
}

/// One line an integration; where the terminal is too narrow, two.
pub fn table(lines: &[StandLine], options: &Options) -> String {
    let paint = Paint(options.colour);
    let last = |line: &StandLine| {
        line.last.as_ref().map_or_else(
            || "–".to_owned(),
            |last| format!("{} {}", last.start.strftime("%Y-%m-%d %H:%M"), last.status.as_str()),
        )
    };
    let next =
        |line: &StandLine| line.next.map_or_else(|| "–".to_owned(), |next| next.strftime("%Y-%m-%d %H:%M").to_string());
    let head = ["Integration", "State", "Last run (UTC)", "Next (UTC)", "Why"];
    let cells = |line: &StandLine| {
        let name = Terminal(&line.integration).to_string();
        vec![name, line.state.to_owned(), last(line), next(line), Terminal(&line.why).to_string()]
    };
    let colour = |text: &str, good: Option<bool>| match good {
        Some(true) => paint.good(text),
        Some(false) => paint.bad(text),
        None => text.to_owned(),
    };
    let wide = text_table(&head, lines.iter().map(cells).collect(), &[], 0);
    if fits(&wide, options.width) {
        let mut out = String::new();
        for (text, line) in wide.lines().zip(std::iter::once(None).chain(lines.iter().map(Some))) {
            match line {
                Some(line) => {
                    // The name comes first, and may hold the very word.
                    let (name, rest) = text.split_at(line.integration.len().min(text.len()));
                    let times = usize::from(line.good.is_some());
                    out.push_str(name);
                    out.push_str(&rest.replacen(line.state, &colour(line.state, line.good), times));
                }
                None => out.push_str(text),
            }
            out.push('\n');
        }
        return out;
    }
    let mut out = String::new();
    for line in lines {
        let state = colour(line.state, line.good);
        out.push_str(&format!("{}: {state}, {}\n", Terminal(&line.integration), Terminal(&line.why)));
        out.push_str(&format!(
            "  last run {}, next {}\n",
            last(line),
            line.next.map_or_else(|| "–".to_owned(), moment)
        ));
    }
    fold(&out, options.width)
}

/// The same as data.
pub fn json(environment: EnvironmentName, now: Timestamp, integrations: Vec<StandLine>) -> String {
    let view = ScheduleView { format: "footbridge schedule-view/1", environment, now, integrations };
    json_text(&view)
}
