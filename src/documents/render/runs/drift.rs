//! What differs in the org from what the last run wrote, for a terminal and as JSON (`footbridge drift-view/1`).

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::render::escape::json_text;
use crate::render::escape::{Quoted, Terminal};
use crate::render::fold::fold;
use crate::render::paint::Paint;
use crate::render::wording::{counted, grouped, moment};
use crate::render::{Audience, Options};

/// Drift of every integration that was asked about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "Footbridge drift")]
pub struct DriftView {
    /// Always `footbridge drift-view/1`.
    #[schemars(extend("const" = "footbridge drift-view/1"))]
    pub format: String,
    /// The integrations.
    pub integrations: Vec<DriftOf>,
}

/// Drift of one integration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DriftOf {
    /// The integration.
    pub integration: String,
    /// The org's name.
    pub org: String,
    /// `sandbox` or `production`.
    pub environment: String,
    /// The org's id.
    pub org_id: String,
    /// The object's API name.
    pub object: String,
    /// The run that wrote; absent where none has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Its start (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub start: Option<Timestamp>,
    /// By what it is known what was written: `values`, `digests` (of the values) or `report` (the same report under the same configuration).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_by: Option<String>,
    /// Records that it updated, or may have.
    pub written: u64,
    /// Of these, records that are not there any more, or cannot be seen. Not counted by `report`.
    pub gone: u64,
    /// Records with a field that differs.
    pub differ: u64,
    /// Fields that differ, by name.
    pub fields: Vec<DriftField>,
    /// Cells of which it is not known what was written, or whether it was.
    pub unknown: u64,
    /// Who changed the records that differ last, most of them first; empty where that cannot be read.
    pub changed_by: Vec<ChangedBy>,
    /// Fields that run after run had to write back.
    pub fights: Vec<Fight>,
}

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DriftField {
    /// API name.
    pub field: String,
    /// Records in which the run wrote it.
    pub written: u64,
    /// Of these, records that hold something else now.
    pub differ: u64,
    /// The first of them.
    pub records: Vec<String>,
    /// Other integrations of this repository that write the same field of the same object and org.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_written_by: Vec<String>,
}

/// A user who changed records last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangedBy {
    /// The user's id.
    pub user: String,
    /// Is it the user that Footbridge runs as?
    pub ours: bool,
    /// Records that differ and were changed last by them.
    pub records: u64,
}

/// A field that somebody else keeps changing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fight {
    /// API name.
    pub field: String,
    /// Records in which runs in turn wrote it back twice or more.
    pub records: u64,
    /// The most runs in turn that wrote one record.
    pub runs: u32,
    /// Of the records, those where it is known for every time that the report's value had not changed.
    pub certain: u64,
    /// The first of them.
    pub listed: Vec<String>,
    /// Other integrations of this repository that write the same field of the same object and org.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_written_by: Vec<String>,
}

/// One cell that differs: only for a person's terminal.
#[derive(Debug, Clone)]
pub struct DriftCell {
    /// The record.
    pub record: String,
    /// The field.
    pub field: String,
    /// What was written; the outer `None`: not kept.
    pub wrote: Option<Option<String>>,
    /// What is there.
    pub now: Option<String>,
}

/// Drift with what only a person's terminal sees.
#[derive(Debug, Clone)]
pub struct Drifted {
    /// What everybody may see.
    pub view: DriftOf,
    /// The first cells.
    pub cells: Vec<DriftCell>,
    /// Names of users, by id.
    pub users: Vec<(String, String)>,
}

/// As JSON: never a value.
pub fn drift_json(found: &[Drifted]) -> String {
    let integrations = found.iter().map(|one| one.view.clone()).collect();
    json_text(&DriftView { format: "footbridge drift-view/1".to_owned(), integrations })
}

fn value(value: Option<&Option<String>>) -> String {
    match value {
        None => "(not kept)".to_owned(),
        Some(None) => "(blank)".to_owned(),
        Some(Some(value)) => Quoted(value).to_string(),
    }
}

fn others(names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    format!("; also written by {}", names.iter().map(|n| Terminal(n).to_string()).collect::<Vec<_>>().join(", "))
}

fn ids(shown: &[String], all: u64) -> String {
    let listed = shown.iter().map(|id| Terminal(id).to_string()).collect::<Vec<_>>().join(" ");
    match all.saturating_sub(shown.len() as u64) {
        0 => listed,
        left => format!("{listed} … and {} more", grouped(left)),
    }
}

/// For a terminal.
pub fn drift(found: &[Drifted], options: &Options) -> String {
    let paint = Paint(options.colour);
    let person = options.audience == Audience::Person;
    let mut out = String::new();
    for Drifted { view, cells, users } in found {
        if !out.is_empty() {
            out.push('\n');
        }
        let place = format!("{}/{}", Terminal(&view.org), Terminal(&view.environment));
        let name = paint.strong(Terminal(&view.integration));
        let (Some(run), Some(start)) = (&view.run, view.start) else {
            out.push_str(&format!("{name} in {place}: no run has written a record yet\n"));
            continue;
        };
        let verdict = match (view.differ, view.gone) {
            (0, 0) => paint.good("every field holds what was written"),
            (differ, gone) => {
                let gone = if gone == 0 { String::new() } else { format!(", {} gone", grouped(gone)) };
                paint.odd(format!("{} changed since{gone}", counted(differ, "record")))
            }
        };
        out.push_str(&format!(
            "{name} in {place}, of the {} that run {} wrote ({}): {verdict}\n",
            counted(view.written, "record"),
            Terminal(run),
            moment(start)
        ));
        out.push_str(match view.known_by.as_deref() {
            Some("report") => "  (no values are kept; told by planning the same report again)\n",
            Some("digests") => "  (told by digests of the values; the values themselves are not kept)\n",
            _ => "",
        });
        if view.unknown > 0 {
            out.push_str(&format!(
                "  {} cannot be told: what was written is not kept, or whether it was is not known\n",
                counted(view.unknown, "field")
            ));
        }
        for field in &view.fields {
            out.push_str(&format!(
                "  {}: {} of {} written{}\n",
                Terminal(&field.field),
                grouped(field.differ),
                grouped(field.written),
                others(&field.also_written_by)
            ));
            if cells.is_empty() || !person {
                out.push_str(&format!("    {}\n", ids(&field.records, field.differ)));
            }
        }
        if person {
            for cell in cells {
                let (record, field) = (Terminal(&cell.record), Terminal(&cell.field));
                out.push_str(&format!(
                    "    {record}  {field}: wrote {}, now {}\n",
                    value(cell.wrote.as_ref()),
                    value(Some(&cell.now))
                ));
            }
        }
        for by in &view.changed_by {
            let name =
                users.iter().find(|(id, _)| person && *id == by.user).map(|(_, name)| format!(" {}", Terminal(name)));
            let ours = if by.ours {
                ", the user that Footbridge runs as: another tool with this log-in, or a flow that its updates start"
            } else {
                ""
            };
            out.push_str(&format!(
                "  last changed by{} {} ({}){ours}\n",
                name.unwrap_or_default(),
                Terminal(&by.user),
                counted(by.records, "record")
            ));
        }
        if !view.fights.is_empty() {
            out.push_str(&format!("  {}\n", paint.bad("Somebody else keeps changing these fields:")));
            for fight in &view.fights {
                let certain = match fight.certain {
                    all if all == fight.records => "although the report's value was the same".to_owned(),
                    0 => "whether the report's value changed is not known, since no values are kept".to_owned(),
                    some => format!("in {} of them although the report's value was the same", grouped(some)),
                };
                out.push_str(&format!(
                    "    {}: written back in {}, up to {} runs in turn, {certain}{}\n",
                    Terminal(&fight.field),
                    counted(fight.records, "record"),
                    fight.runs,
                    others(&fight.also_written_by)
                ));
                out.push_str(&format!("      {}\n", ids(&fight.listed, fight.records)));
            }
            out.push_str(
                "    Look at the flows, triggers and integrations of the object that write them; LastModifiedBy of a record says who was last.\n",
            );
        }
    }
    fold(&out, options.width)
}
