//! What only shows across documents.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::model::EnvironmentName;

use super::super::valid::{Integration, Lint, Repository, RowPolicy};

/// Two integrations that write the same field of the same object of one org, in one environment.
pub(crate) fn contested_fields(integrations: &BTreeMap<String, Integration>, found: &mut Diagnostics) {
    type Place<'a> = (&'a str, String, String, EnvironmentName);
    let mut writers: HashMap<Place<'_>, Vec<(&Integration, usize)>> = HashMap::new();
    let mut told: HashSet<(&str, &str, String)> = HashSet::new();
    for integration in integrations.values() {
        let object = integration.object.as_str().to_ascii_lowercase();
        for (index, mapping) in integration.fields.iter().enumerate() {
            let field = mapping.field.as_str().to_ascii_lowercase();
            for environment in integration.environments.keys() {
                let place = (integration.org.as_str(), object.clone(), field.clone(), *environment);
                let others = writers.entry(place).or_default();
                // The first writer is enough to tell of: it stands for those that share with it.
                let clash = others.iter().find(|(other, _)| !may_share(integration, other));
                if let Some((other, at)) = clash
                    && told.insert((&integration.name, &other.name, field.clone()))
                {
                    found.push(contest(integration, index, other, *at));
                }
                if others.len() < 2 {
                    others.push((integration, index));
                }
            }
        }
    }
}

fn may_share(one: &Integration, other: &Integration) -> bool {
    let sharing = |i: &Integration| i.shared && i.condition.is_some();
    sharing(one) && sharing(other)
}

fn contest(one: &Integration, index: usize, other: &Integration, other_index: usize) -> Diagnostic {
    let field = &one.fields[index].field;
    Diagnostic::error(
        Code::ContestedField,
        format!("{} and {} both write {} of {}", other.name.value, one.name.value, field.value, one.object.value),
    )
    .at(field.span.clone(), format!("written by {}", one.name.value))
    .and(other.fields[other_index].field.span.clone(), format!("written by {}", other.name.value))
    .help("give each its own field; or give both a `where:` that parts the records, and `shared: true`")
}

/// Lints: what is declared and used nowhere.
pub(crate) fn unused(repository: &Repository, project_lints_off: &BTreeSet<Lint>, found: &mut Diagnostics) {
    let off = |lints: &BTreeSet<Lint>| lints.contains(&Lint::Unused);
    let integrations = repository.integrations.values();
    let catalogue = |integration: &Integration| {
        let name = &integration.report.name;
        repository.reports.get(name.as_str()).is_some_and(|report| report.name.span == name.span)
    };
    if !off(project_lints_off) {
        let orgs: HashSet<&str> = integrations.clone().map(|i| i.org.as_str()).collect();
        for org in repository.orgs.values().filter(|org| !orgs.contains(org.name.as_str())) {
            found.push(lint(&format!("no integration uses the org {}", org.name.value), org.name.span.clone()));
        }
        let reports: HashSet<&str> =
            integrations.clone().filter(|i| catalogue(i)).map(|i| i.report.name.as_str()).collect();
        for (name, report) in repository.reports.iter().filter(|(name, _)| !reports.contains(name.as_str())) {
            found.push(lint(&format!("no integration uses the report {name}"), report.span.clone()));
        }
    }
    for integration in integrations.filter(|i| !off(&i.lints_off)) {
        // Columns of a catalogue report may serve others.
        if catalogue(integration) {
            continue;
        }
        let mut used: HashSet<&str> = integration.fields.iter().map(|m| m.column.as_str()).collect();
        used.insert(&integration.matching.column);
        if let RowPolicy::Newest { by } = &integration.matching.on_duplicate_rows {
            used.insert(by);
        }
        for (name, column) in integration.report.columns.iter().filter(|(name, _)| !used.contains(name.as_str())) {
            found.push(lint(&format!("the column {name} is declared and not mapped"), column.span.clone()));
        }
    }
}

fn lint(message: &str, span: crate::diag::Span) -> Diagnostic {
    Diagnostic::lint(Code::Unused, message)
        .at(span, "declared here")
        .help("use it or delete it; to switch this off: lints_off: [unused]")
}
