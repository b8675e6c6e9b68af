//! Which runs set a record's fields, for a terminal and as JSON (`footbridge blame-view/1`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::outcomes::why;
use crate::model::FieldName;
use crate::plan::ChangeKind;
use crate::render::escape::json_text;
use crate::render::escape::{Quoted, Terminal};
use crate::render::fold::fold;
use crate::render::paint::Paint;
use crate::render::wording::{counted, grouped, moment};
use crate::render::{Audience, Options};
use crate::runlog::{Mention, Outcome, RunLog, Searched, Seconds, Trigger};

/// A record's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "Footbridge blame")]
pub struct BlameView {
    /// Always `footbridge blame-view/1`.
    #[schemars(extend("const" = "footbridge blame-view/1"))]
    pub format: String,
    /// The record.
    pub record: String,
    /// The field that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The run that set it, or touched the record, last; absent where no run that is known did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_by: Option<String>,
    /// Every run that tried or left something aside, newest first.
    pub runs: Vec<BlameRun>,
    /// There are older ones.
    pub more: bool,
    /// Runs that were looked through.
    pub searched: u64,
    /// Runs whose outcomes are not there any more, or cannot be read.
    pub unread: u64,
}

/// What one run did to the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BlameRun {
    /// The run's id.
    pub run: String,
    /// The run log's file.
    pub path: String,
    /// The integration.
    pub integration: String,
    /// The report's name.
    pub report: String,
    /// The org's name.
    pub org: String,
    /// `sandbox` or `production`.
    pub environment: String,
    /// What started it.
    pub trigger: Trigger,
    /// Start (UTC).
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub start: Timestamp,
    /// End minus start.
    pub run_time_seconds: Seconds,
    /// The Salesforce user, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// How the record ended; absent where no change was planned for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// The report row.
    pub row: u64,
    /// The planned changes: of the field that was asked for, or all.
    pub changes: Vec<BlameChange>,
    /// Cells that could not be written, by field and reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<BlameRefusal>,
    /// Why it was not updated, in words without values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Digest of the report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report_digest: Option<String>,
    /// Digest of the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<String>,
    /// The commit that the configuration was read from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Configuration files differed from that commit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub uncommitted: bool,
    /// The commit that brought the run log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_commit: Option<String>,
    /// Are the values that it found and wrote kept, and is there a key here where they take one?
    pub values_kept: bool,
}

/// A planned change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BlameChange {
    /// API name.
    pub field: String,
    /// `fill`, `overwrite` or `clear`.
    #[schemars(with = "String", extend("enum" = ["fill", "overwrite", "clear"]))]
    pub kind: ChangeKind,
}

/// A cell that could not be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BlameRefusal {
    /// API name.
    pub field: String,
    /// The reason's short word.
    pub code: String,
}

/// What stood in a field before a run, and what the run was to write: the inner `None` is blank, the outer that it is not kept.
pub type Values = BTreeMap<FieldName, (Option<Option<String>>, Option<Option<String>>)>;

/// A run with what only a person's terminal sees.
#[derive(Debug, Clone)]
pub struct Blamed {
    /// What everybody may see.
    pub run: BlameRun,
    /// Its values, where they are kept and somebody may see them.
    pub values: Option<Values>,
}

impl Blamed {
    /// Of a mention; `None` where it says nothing of the field that was asked for.
    pub fn of(mention: &Mention, log: Option<&RunLog>, field: Option<&FieldName>) -> Option<Self> {
        let wanted = |name: &FieldName| field.is_none_or(|field| field == name);
        let record = mention.record.as_ref();
        let changes: Vec<BlameChange> = record
            .into_iter()
            .flat_map(|line| &line.changes)
            .filter(|change| wanted(&change.field))
            .map(|change| BlameChange { field: change.field.as_str().to_owned(), kind: change.kind })
            .collect();
        let refused: Vec<BlameRefusal> = mention
            .row
            .iter()
            .flat_map(|line| &line.refused)
            .filter(|refused| wanted(&refused.field))
            .map(|refused| BlameRefusal { field: refused.field.as_str().to_owned(), code: refused.code.clone() })
            .collect();
        if changes.is_empty() && refused.is_empty() && (field.is_some() || mention.row.is_none()) {
            return None;
        }
        let set_aside = mention.row.as_ref().filter(|row| record.is_none() && row.refused.is_empty());
        let why = match (record, set_aside) {
            (Some(line), _) => Some(why(line, false)).filter(|why| !why.is_empty()),
            (None, Some(row)) => Some(crate::render::wording::outcome_words(row.outcome).to_owned()),
            (None, None) => None,
        };
        let run = &mention.run;
        let digests = log.and_then(|log| log.digests.as_ref());
        let row = record.map(|r| r.row).or(mention.row.as_ref().map(|r| r.row)).unwrap_or(0);
        Some(Self {
            run: BlameRun {
                run: run.id.clone(),
                path: run.path.display().to_string(),
                integration: run.integration.clone(),
                report: run.report.clone(),
                org: run.org.clone(),
                environment: run.environment.as_str().to_owned(),
                trigger: run.trigger.clone(),
                start: run.start,
                run_time_seconds: run.run_time,
                user: log.and_then(|log| log.user.clone()),
                outcome: record.filter(|_| !changes.is_empty()).map(|r| r.outcome),
                row,
                changes,
                refused,
                why,
                report_digest: digests.map(|d| d.report.as_str().to_owned()),
                configuration: digests.map(|d| d.configuration.as_str().to_owned()),
                commit: log.and_then(|log| log.commit.clone()),
                uncommitted: log.is_some_and(|log| log.uncommitted),
                log_commit: None,
                values_kept: false,
            },
            values: None,
        })
    }

    fn updated(&self) -> bool {
        self.run.outcome == Some(Outcome::Updated)
    }
}

/// The view of a record's history.
pub fn blame_view(
    record: &str,
    field: Option<&FieldName>,
    runs: &[Blamed],
    more: bool,
    searched: Searched,
) -> BlameView {
    BlameView {
        format: "footbridge blame-view/1".to_owned(),
        record: record.to_owned(),
        field: field.map(|f| f.as_str().to_owned()),
        set_by: runs.iter().find(|b| b.updated()).map(|b| b.run.run.clone()),
        runs: runs.iter().map(|b| b.run.clone()).collect(),
        more,
        searched: searched.runs,
        unread: searched.unread,
    }
}

/// As JSON: never a value.
pub fn blame_json(view: &BlameView) -> String {
    json_text(view)
}

fn short(digest: &str) -> &str {
    let digits = digest.split_once(':').map_or(digest, |(_, digits)| digits);
    digits.get(..12).unwrap_or(digits)
}

fn value(value: Option<&Option<String>>) -> String {
    match value {
        None => "(not kept)".to_owned(),
        Some(None) => "(blank)".to_owned(),
        Some(Some(value)) => Quoted(value).to_string(),
    }
}

fn one(blamed: &Blamed, field: Option<&FieldName>, person: bool, paint: Paint) -> String {
    let run = &blamed.run;
    let end = match run.outcome {
        Some(Outcome::Updated) => paint.good("updated"),
        Some(outcome) => paint.bad(outcome.as_str().replace('_', " ")),
        None if !run.refused.is_empty() => paint.odd("refused"),
        None => paint.odd("left aside"),
    };
    let mut out = format!(
        "{}  {} in {}/{}  row {} of {}  {end}\n",
        paint.strong(Terminal(&run.run)),
        Terminal(&run.integration),
        Terminal(&run.org),
        Terminal(&run.environment),
        grouped(run.row),
        Terminal(&run.report),
    );
    if let Some(why) = &run.why {
        out.push_str(&format!("    {}\n", Terminal(why)));
    }
    for change in &run.changes {
        let name = FieldName::new(change.field.as_str());
        let values = blamed.values.as_ref().filter(|_| person).and_then(|values| values.get(&name));
        let values = values
            .map(|(before, after)| format!(": {} → {}", value(before.as_ref()), value(after.as_ref())))
            .unwrap_or_default();
        if field.is_none() || !values.is_empty() {
            out.push_str(&format!("    {} {}{values}\n", change.kind.as_str(), Terminal(&change.field)));
        } else {
            out.push_str(&format!("    {}\n", change.kind.as_str()));
        }
    }
    for refused in &run.refused {
        out.push_str(&format!("    refused {} ({})\n", Terminal(&refused.field), Terminal(&refused.code)));
    }
    let mut facts = Vec::new();
    facts.extend(run.report_digest.as_deref().map(|d| format!("report {}", short(d))));
    facts.extend(run.commit.as_deref().map(|commit| {
        let more = if run.uncommitted { " with changes that were not committed" } else { "" };
        format!("configuration of commit {}{more}", short(commit))
    }));
    if run.commit.is_none() {
        facts.extend(run.configuration.as_deref().map(|d| format!("configuration {}", short(d))));
    }
    facts.extend(run.log_commit.as_deref().map(|commit| format!("log in commit {}", short(commit))));
    facts.extend(run.user.as_deref().map(|user| format!("by {}", Terminal(user))));
    facts.push(format!("started by {} at {}", Terminal(run.trigger.as_str()), moment(run.start)));
    out.push_str(&format!("    {}\n", facts.join(", ")));
    out
}

/// For a terminal: values, where they are kept, for a person only.
pub fn blame(view: &BlameView, runs: &[Blamed], field: Option<&FieldName>, options: &Options) -> String {
    let paint = Paint(options.colour);
    let person = options.audience == Audience::Person;
    let what = match field {
        Some(field) => format!("{} of {}", Terminal(field.as_str()), Terminal(&view.record)),
        None => Terminal(&view.record).to_string(),
    };
    let mut out = match &view.set_by {
        Some(run) if field.is_some() => format!("{what} was last set by run {}.\n\n", Terminal(run)),
        Some(run) => format!("{what} was last written by run {}.\n\n", Terminal(run)),
        None if runs.is_empty() => format!("No run that is known touched {what}.\n"),
        None => format!("No run that is known wrote {what}; these tried, or left it aside.\n\n"),
    };
    for blamed in runs {
        out.push_str(&one(blamed, field, person, paint));
    }
    if view.more {
        out.push_str("… and older runs (--limit 0 shows all)\n");
    }
    if view.unread > 0 {
        out.push_str(&format!(
            "{} cannot be looked into: the outcomes are removed or unreadable.\n",
            counted(view.unread, "run")
        ));
    }
    if runs.iter().any(|b| b.updated()) {
        out.push_str(match (runs.iter().any(|b| b.run.values_kept), person) {
            (false, _) => {
                "\nThe values were not kept, or lie on another machine, or need a key (FOOTBRIDGE_KEY). The project's `values: { keep: local }` keeps them on this machine, `keep: committed` encrypted beside the run log.\n"
            }
            (true, false) => "\nValues are shown on a terminal only.\n",
            (true, true) => "",
        });
    }
    fold(&out, options.width)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runlog::{RunSummary, sample};

    #[test]
    fn values_are_for_a_person_and_never_for_anybody_else() {
        let (log, lines) = sample::run();
        let run = RunSummary::new("runs/x.yaml".into(), &log);
        let mention = Mention { run, record: Some(lines[0].clone()), row: None };
        let field = FieldName::new("WalkMe_Level__c");
        let mut blamed = Blamed::of(&mention, Some(&log), Some(&field)).unwrap();
        assert_eq!(blamed.run.changes.len(), 1);
        blamed.run.values_kept = true;
        blamed.values = Some([(field.clone(), (Some(Some("Silver \u{1b}[2J".to_owned())), Some(None)))].into());
        let all = [blamed];
        let view = blame_view("00Q000000000001EAA", Some(&field), &all, false, Searched { runs: 1, unread: 0 });
        let person = blame(&view, &all, Some(&field), &Options::person(100, false));
        assert!(person.contains(r#"overwrite WalkMe_Level__c: "Silver \u{1b}[2J" → (blank)"#), "{person}");
        assert!(
            person.starts_with("WalkMe_Level__c of 00Q000000000001EAA was last set by run 2026-11-21T090003Z."),
            "{person}"
        );
        let public = blame(&view, &all, Some(&field), &Options::public());
        assert!(!public.contains("Silver") && public.contains("Values are shown on a terminal only"), "{public}");
        assert!(!blame_json(&view).contains("Silver"));
        assert!(Blamed::of(&mention, None, Some(&FieldName::new("Title"))).is_none());
    }
}
