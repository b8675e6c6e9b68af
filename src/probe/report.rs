//! The report of a probe: what was found, without a value, an id, a name or a host, so that it can be committed and sent to anybody.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::{Deserialize, Serialize};

use super::finding::{Finding, Verdict};
use super::subject::Kind;

/// `kind:` of the file.
pub const KIND: &str = "probe";
/// `footbridge:` of the file.
const FORMAT: u32 = 1;

/// How a probe came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing differs, and a record was written and put back.
    Passed,
    /// Nothing differs, and nothing was written.
    ReadOnly,
    /// Something differs.
    Differs,
    /// It did not come to its end, or nothing could be written to the record that was named.
    Incomplete,
}

/// A report of what one org was found to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Version of this format.
    pub footbridge: u32,
    /// `probe`
    pub kind: String,
    /// The version of Footbridge that probed.
    pub version: String,
    /// The day, UTC (`2026-11-22`).
    pub day: String,
    /// `sandbox` or `production`, as the configuration calls it.
    pub environment: String,
    /// Does the org say that it is a sandbox?
    pub is_sandbox: bool,
    /// The org's edition, as Salesforce calls it.
    pub edition: String,
    /// The version of Salesforce's API.
    pub api_version: String,
    /// How it came out.
    pub outcome: Outcome,
    /// Kinds of fields that were written and put back.
    pub written: Vec<String>,
    /// How many assumptions fared how.
    pub counts: BTreeMap<Verdict, u64>,
    /// Each assumption.
    pub findings: Vec<Line>,
}

/// One assumption, and how it fared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Its short word.
    pub id: String,
    /// What is assumed.
    pub assumed: String,
    /// How it fared.
    pub verdict: Verdict,
    /// Why, or what was found instead.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub found: String,
}

/// A report, as `--json` prints it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Footbridge probe view")]
pub struct ProbeView<'a> {
    /// Always `footbridge probe-view/1`.
    #[schemars(extend("const" = "footbridge probe-view/1"))]
    pub format: &'static str,
    /// What was found.
    pub report: &'a Report,
    /// Where it was kept; null where it was not.
    pub file: Option<&'a str>,
}

/// What a report is made of.
pub struct Probe<'a> {
    /// The version of Footbridge.
    pub version: &'a str,
    /// The day.
    pub day: String,
    /// `sandbox` or `production`.
    pub environment: &'a str,
    /// What the org says of itself.
    pub is_sandbox: bool,
    /// Its edition.
    pub edition: &'a str,
    /// The version of the API.
    pub api_version: &'a str,
    /// What was found.
    pub findings: &'a [Finding],
    /// What was written.
    pub written: &'a [Kind],
    /// Was everything tried that was to be tried, was the record written that was named, and is it as it was?
    pub complete: bool,
}

impl Report {
    /// Puts a report together.
    pub fn new(probe: &Probe<'_>) -> Self {
        let mut counts = BTreeMap::new();
        for finding in probe.findings {
            *counts.entry(finding.verdict).or_insert(0) += 1;
        }
        let outcome = match () {
            () if counts.contains_key(&Verdict::Differs) => Outcome::Differs,
            () if !probe.complete => Outcome::Incomplete,
            () if probe.written.is_empty() => Outcome::ReadOnly,
            () => Outcome::Passed,
        };
        let line = |f: &Finding| Line {
            id: f.assumption.id.to_owned(),
            assumed: f.assumption.what.to_owned(),
            verdict: f.verdict,
            found: f.found.clone(),
        };
        let edition: String = probe.edition.chars().filter(|c| c.is_ascii_alphabetic() || *c == ' ').take(40).collect();
        Self {
            footbridge: FORMAT,
            kind: KIND.to_owned(),
            version: probe.version.to_owned(),
            day: probe.day.clone(),
            environment: probe.environment.to_owned(),
            is_sandbox: probe.is_sandbox,
            edition,
            api_version: probe.api_version.to_owned(),
            outcome,
            written: probe.written.iter().map(|kind| kind.as_str().to_owned()).collect(),
            counts,
            findings: probe.findings.iter().map(line).collect(),
        }
    }

    /// The file's text.
    pub fn to_yaml(&self) -> String {
        let text = serde_yaml::to_string(self).unwrap_or_default();
        format!(
            "# What `footbridge orgs probe` found. It holds no value, id, name or host of the org: it can be committed, and sent to the project.\n{text}"
        )
    }

    /// Reads a file's text; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let report: Self = serde_yaml::from_str(text).ok()?;
        (report.footbridge == FORMAT && report.kind == KIND).then_some(report)
    }

    /// Did this version pass?
    pub fn passes(&self, version: &str) -> bool {
        self.outcome == Outcome::Passed && self.version == version
    }

    /// How many assumptions fared so.
    pub fn count(&self, verdict: Verdict) -> u64 {
        self.counts.get(&verdict).copied().unwrap_or(0)
    }
}

/// (file name, text) of every schema of this module.
pub fn schemas() -> Vec<(&'static str, String)> {
    let schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<Report>();
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    vec![("probe.schema.json", text)]
}

#[cfg(test)]
mod tests {
    use super::super::Findings;
    use super::*;

    fn report(written: &[Kind], complete: bool, differs: bool) -> Report {
        let mut findings = Findings::default();
        findings.judge("text_trim", !differs, "it comes back as it was sent");
        let findings = findings.close("", "no record was named");
        let probe = Probe {
            version: "1.2.3",
            day: "2026-11-22".into(),
            environment: "sandbox",
            is_sandbox: true,
            edition: "Enterprise Edition",
            api_version: "66.0",
            findings: &findings,
            written,
            complete,
        };
        Report::new(&probe)
    }

    #[test]
    fn it_passes_only_when_a_record_was_written_and_nothing_differs() {
        let all = [Kind::Text];
        assert_eq!(report(&all, true, false).outcome, Outcome::Passed);
        assert_eq!(report(&[], true, false).outcome, Outcome::ReadOnly);
        assert_eq!(report(&all, false, false).outcome, Outcome::Incomplete);
        assert_eq!(report(&all, false, true).outcome, Outcome::Differs);
        assert!(report(&all, true, false).passes("1.2.3") && !report(&all, true, false).passes("1.2.4"));
        assert!(!report(&[], true, false).passes("1.2.3"));
    }

    #[test]
    fn the_file_reads_back() {
        let report = report(&[Kind::Text, Kind::Area], true, true);
        let text = report.to_yaml();
        assert!(text.contains("verdict: differs\n  found: it comes back as it was sent"), "{text}");
        assert!(text.contains("could not be told") || text.contains("not tried"), "{text}");
        assert_eq!(Report::parse(&text), Some(report));
        assert_eq!(Report::parse("footbridge: 1\nkind: orgs\n"), None);
    }
}
