//! An integration.

use std::collections::{BTreeMap, BTreeSet};

use crate::diag::{Code, Diagnostic};
use crate::model::{EnvironmentName, FieldName, ObjectName};

use super::super::nearest::suggestion;
use super::super::valid::{
    BadValue, Environment, Guards, Integration, Lint, Location, Match, Preset, ReadWay, RecordDate, RecordPolicy,
    Report, RowPolicy, Schedule, Source, Spanned, Windows, WriteWay,
};
use super::super::written::{self, Either};
use super::fields::{Around, bad_value};
use super::project::{ProjectDefaults, lints};
use super::report::{Parts, TAG};
use super::schedule::on_held;
use super::{Check, condition, join};

/// What else the repository holds, by name; also of documents that are not valid, so that one mistake is told once.
pub(crate) struct Neighbours<'a> {
    pub(crate) defaults: &'a ProjectDefaults,
    /// Orgs with the environments that they name.
    pub(crate) orgs: &'a BTreeMap<String, Vec<String>>,
    pub(crate) reports: &'a BTreeMap<String, Option<Spanned<Report>>>,
}

/// Reads an integration. `None`: some part of it is wrong, and told.
pub(crate) fn integration(
    check: &mut Check<'_>,
    written: &written::Integration,
    neighbours: &Neighbours<'_>,
) -> Option<Integration> {
    let preset = match written.preset {
        Some(written::Preset::Gainsight) => Preset::Gainsight,
        Some(written::Preset::Salesforce) | None => Preset::Salesforce,
    };
    let mut lints_off = neighbours.defaults.lints_off.clone();
    lints_off.extend(lints(written.lints_off.as_deref()));
    if preset == Preset::Gainsight && written.goal.as_deref().is_none_or(|goal| goal.trim().is_empty()) {
        let span = check.value(&["preset"]);
        check.push(
            Diagnostic::error(Code::GoalRequired, "preset gainsight requires a goal")
                .at(span, "with this preset, an integration says what it is for")
                .help("add the line: goal: Find the leads that are likely to convert"),
        );
    }
    check.known_org(&written.org, neighbours);
    let report = check.integration_report(&written.report, preset, neighbours);
    let object_span = check.value(&["object"]);
    check.api_name(object_span.clone(), &written.object, "an object");
    let condition = written.condition.as_deref().map(|text| {
        if let Err(why) = condition::check(text) {
            check.wrong(
                Code::BadCondition,
                &["where"],
                "`where:` is not one SOQL condition",
                &why,
                "write what would stand after WHERE, such as: where: IsConverted = false",
            );
        }
        Spanned::new(text.trim().to_owned(), check.value(&["where"]))
    });
    let matching = check.matching(&written.matching, report.as_ref());
    let on_bad_value = written.on_bad_value.map_or(BadValue::SkipCell, bad_value);
    let around =
        Around { report: report.as_ref(), match_field: &written.matching.field, on_bad_value, lints_off: &lints_off };
    let fields = check.fields(&written.fields, &around);
    let shared = written.shared.unwrap_or(false);
    if shared && condition.is_none() {
        let span = check.key(&["shared"]);
        check.push(
            Diagnostic::error(Code::SharedWithoutWhere, "`shared: true` needs a `where:`")
                .at(span, "shared with whom, on which records?")
                .help(
                    "add a `where:` that says which records this integration writes, so that no two write the same one",
                ),
        );
    }
    let guards = check.guards(&["guards"], written.guards.as_ref(), &neighbours.defaults.guards);
    let environments = check.environments(written, preset, report.as_ref(), &guards, &lints_off, neighbours);
    let span = check.key(&["name"]);
    Some(Integration {
        name: Spanned::new(written.name.clone(), check.value(&["name"])),
        preset,
        goal: written.goal.as_deref().map(|goal| goal.trim().to_owned()),
        org: Spanned::new(written.org.clone(), check.value(&["org"])),
        report: report?,
        object: Spanned::new(ObjectName::new(written.object.as_str()), object_span),
        condition,
        matching: matching?,
        fields,
        shared,
        read: written.read.map_or(ReadWay::Auto, |way| match way {
            written::ReadWay::Auto => ReadWay::Auto,
            written::ReadWay::Lookup => ReadWay::Lookup,
            written::ReadWay::Query => ReadWay::Query,
            written::ReadWay::Bulk => ReadWay::Bulk,
        }),
        write: written.write.map_or(WriteWay::Auto, |way| match way {
            written::WriteWay::Auto => WriteWay::Auto,
            written::WriteWay::Collections => WriteWay::Collections,
            written::WriteWay::Bulk => WriteWay::Bulk,
        }),
        on_held: written.on_held.map_or(neighbours.defaults.project.on_held, on_held),
        environments,
        labels: written.labels.iter().flatten().cloned().collect(),
        lints_off,
        span,
    })
}

impl Check<'_> {
    fn known_org(&mut self, org: &str, neighbours: &Neighbours<'_>) {
        if neighbours.orgs.contains_key(org) || org.contains("${") {
            return;
        }
        let span = self.value(&["org"]);
        let known = neighbours.orgs.keys().map(String::as_str);
        let help = suggestion(org, known)
            .unwrap_or_else(|| "add integrations/orgs.yaml with `kind: orgs` and an entry of this name".to_owned());
        self.push(
            Diagnostic::error(Code::UnknownOrg, format!("there is no org `{org}`"))
                .at(span, "not in any `kind: orgs`")
                .help(help),
        );
    }

    fn integration_report(
        &mut self,
        written: &Either<String, written::Report>,
        preset: Preset,
        neighbours: &Neighbours<'_>,
    ) -> Option<Report> {
        let name = match written {
            Either::Map(map) => {
                let parts = Parts {
                    name: &map.name,
                    tags: map.tags.as_deref(),
                    key: map.key.as_deref(),
                    source: &map.source,
                    columns: map.columns.as_ref(),
                };
                return self.report(&["report"], &parts);
            }
            Either::Word(name) => name,
        };
        let span = self.value(&["report"]);
        match neighbours.reports.get(name) {
            Some(Some(report)) => {
                if preset == Preset::Gainsight && !report.tags.iter().any(|tag| tag == TAG) {
                    self.push(
                        Diagnostic::error(Code::TagMissing, format!("the report {name} does not carry the tag {TAG}"))
                            .at(span, "preset gainsight uses tagged reports only")
                            .and(report.span.clone(), "described here")
                            .help(format!("add to the report: tags: [{TAG}]")),
                    );
                }
                Some(report.value.clone())
            }
            Some(None) => None,
            None if name.contains("${") => None,
            None => {
                let help = suggestion(name, neighbours.reports.keys().map(String::as_str));
                let looks_like_path = name.contains('/') || name.ends_with(".csv");
                let help = match help {
                    _ if looks_like_path => format!("to name a file: report: {{ name: …, source: {name} }}"),
                    Some(help) => help,
                    None => "describe it here (`report: { name: …, source: … }`), or in a document of `kind: report`"
                        .to_owned(),
                };
                self.push(
                    Diagnostic::error(Code::UnknownReport, format!("there is no report `{name}`"))
                        .at(span, "not in any `kind: report`")
                        .help(help),
                );
                None
            }
        }
    }

    fn matching(&mut self, written: &written::Match, report: Option<&Report>) -> Option<Match> {
        let field_span = self.value(&["match", "field"]);
        let good = self.api_name(field_span.clone(), &written.field, "a field");
        let column = match &written.column {
            Some(column) => Some(Spanned::new(column.clone(), self.value(&["match", "column"]))),
            None => report.map(|report| Spanned::new(report.key.clone(), self.key(&["match"]))),
        };
        let on_duplicate_rows = self.row_policy(written.on_duplicate_rows.as_ref());
        let on_several_records = self.record_policy(written.on_several_records.as_ref());
        let field = Spanned::new(FieldName::new(written.field.as_str()), field_span);
        Some(Match { column: column.filter(|_| good)?, field, on_duplicate_rows, on_several_records })
    }

    fn row_policy(&mut self, written: Option<&Either<written::RowPolicyWord, written::RowPolicy>>) -> RowPolicy {
        let (word, by) = match written {
            None => return RowPolicy::Skip,
            Some(Either::Word(word)) => (*word, None),
            Some(Either::Map(map)) => (map.policy, map.by.as_ref()),
        };
        let path = ["match", "on_duplicate_rows"];
        let newest = word == written::RowPolicyWord::Newest;
        self.by(&path, newest, by.is_some(), "on_duplicate_rows: { policy: newest, by: Last Login }");
        match word {
            written::RowPolicyWord::Skip => RowPolicy::Skip,
            written::RowPolicyWord::Fail => RowPolicy::Fail,
            written::RowPolicyWord::First => RowPolicy::First,
            written::RowPolicyWord::Last => RowPolicy::Last,
            written::RowPolicyWord::Newest => match by {
                Some(by) => RowPolicy::Newest { by: Spanned::new(by.clone(), self.value(&join(&path, &["by"]))) },
                None => RowPolicy::Skip,
            },
        }
    }

    fn record_policy(
        &mut self,
        written: Option<&Either<written::RecordPolicyWord, written::RecordPolicy>>,
    ) -> RecordPolicy {
        let (word, by) = match written {
            None => return RecordPolicy::Skip,
            Some(Either::Word(word)) => (*word, None),
            Some(Either::Map(map)) => (map.policy, map.by),
        };
        let path = ["match", "on_several_records"];
        let newest = word == written::RecordPolicyWord::Newest;
        self.by(&path, newest, by.is_some(), "on_several_records: { policy: newest, by: LastModifiedDate }");
        match word {
            written::RecordPolicyWord::Skip => RecordPolicy::Skip,
            written::RecordPolicyWord::Fail => RecordPolicy::Fail,
            written::RecordPolicyWord::All => RecordPolicy::All,
            written::RecordPolicyWord::Newest => RecordPolicy::Newest {
                by: match by {
                    Some(written::RecordDate::LastModifiedDate) => RecordDate::LastModifiedDate,
                    Some(written::RecordDate::CreatedDate) | None => RecordDate::CreatedDate,
                },
            },
        }
    }

    /// `newest` and `by` belong together.
    fn by(&mut self, path: &[&str], newest: bool, by: bool, example: &str) {
        if newest == by {
            return;
        }
        let (span, message) = if newest {
            (self.value(path), "`newest` needs `by`")
        } else {
            (self.key(&join(path, &["by"])), "`by` goes with `newest` only")
        };
        let help =
            if newest { format!("write {example}") } else { "delete `by`, or write `policy: newest`".to_owned() };
        self.push(Diagnostic::error(Code::OptionsContradict, message).at(span, "").help(help));
    }

    fn environments(
        &mut self,
        written: &written::Integration,
        preset: Preset,
        report: Option<&Report>,
        guards: &Guards,
        lints_off: &BTreeSet<Lint>,
        neighbours: &Neighbours<'_>,
    ) -> BTreeMap<EnvironmentName, Environment> {
        let mut environments = BTreeMap::new();
        let both = [
            (EnvironmentName::Sandbox, &written.environments.sandbox),
            (EnvironmentName::Production, &written.environments.production),
        ];
        for (name, environment) in both {
            let Some(environment) = environment else { continue };
            let path = ["environments", name.as_str()];
            let span = self.key(&path);
            if let Some(connected) = neighbours.orgs.get(&written.org).filter(|c| !c.iter().any(|c| c == name.as_str()))
            {
                let connected: Vec<&str> = connected.iter().map(String::as_str).collect();
                self.push(
                    Diagnostic::error(
                        Code::UnknownEnvironment,
                        format!("the org {} has no {name} environment", written.org),
                    )
                    .at(span.clone(), "not connected")
                    .help(format!("add `{name}:` to the org {} in orgs.yaml, or delete it here", written.org))
                    .note(format!("connected: {}", connected.join(", "))),
                );
            }
            let schedule = environment.schedule.as_deref().and_then(|text| self.schedule(&path, text, preset));
            let source = environment.source.as_ref().and_then(|written| {
                let source = self.source(&join(&path, &["source"]), written)?;
                // A bare path or URL names another file of the same kind; headers do not go to another address.
                Some(match (written, report) {
                    (Either::Word(_), Some(report)) => Source {
                        newest: source.newest,
                        endpoint: report.source.endpoint.clone().filter(|_| same_store(&source, &report.source)),
                        region: report.source.region.clone().filter(|_| same_store(&source, &report.source)),
                        location: source.location,
                        headers: Vec::new(),
                        checksum: None,
                        ..report.source.clone()
                    },
                    _ => source,
                })
            });
            let guards = self.guards(&join(&path, &["guards"]), environment.guards.as_ref(), guards);
            let project = &neighbours.defaults.project;
            let own = self.windows(&join(&path, &["not_during"]), environment.not_during.as_ref());
            let not_during = Windows::new(project.not_during.clone()).and(own);
            let retries = environment.retries.unwrap_or(project.retries);
            environments.insert(name, Environment { schedule, not_during, retries, source, guards, span });
        }
        let only_production = written.environments.sandbox.is_none() && written.environments.production.is_some();
        if only_production && !lints_off.contains(&Lint::SandboxFirst) {
            let span = self.key(&["environments", "production"]);
            self.push(
                Diagnostic::lint(Code::SandboxFirst, "production without a sandbox")
                    .at(span, "nowhere to try a change first")
                    .help("add the line `sandbox: {}` under `environments:`")
                    .help("to switch this off: lints_off: [sandbox_first]"),
            );
        }
        environments
    }

    fn schedule(&mut self, path: &[&str], text: &str, preset: Preset) -> Option<Spanned<Schedule>> {
        // Salesforce 09:00 UTC, Gainsight 08:00 UTC (ACCEPTANCE 12, 13, C1).
        let hour = if preset == Preset::Gainsight { 8 } else { 9 };
        let path = join(path, &["schedule"]);
        match Schedule::parse(text, hour) {
            Ok(schedule) => Some(Spanned::new(schedule, self.value(&path))),
            Err(why) => {
                let near = super::super::nearest::nearest(text, ["hourly", "daily", "weekly"]);
                let help = match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "write `hourly`, `daily`, `weekly`, or cron in UTC such as \"30 6 * * *\"".to_owned(),
                };
                let message = format!("the schedule `{text}` is not understood");
                self.wrong(Code::BadSchedule, &path, message, &why, help);
                None
            }
        }
    }
}

/// Objects of the same kind of store: what is said of the one's store holds for the other's.
fn same_store(one: &Source, other: &Source) -> bool {
    match (&one.location.value, &other.location.value) {
        (Location::Object(one), Location::Object(other)) => one.store == other.store,
        _ => false,
    }
}
