//! Known failures.

use std::collections::BTreeMap;

use super::super::valid::{KnownFailure, Repository};
use super::super::written;
use super::Check;
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::model::{FieldName, RecordId};

/// By record and field.
pub(crate) type Known = BTreeMap<(RecordId, FieldName), KnownFailure>;

/// Reads a file of them.
pub(crate) fn known_failures(check: &mut Check<'_>, written: &written::KnownFailures, known: &mut Known) {
    for (record, fields) in &written.failures {
        let id = match RecordId::parse(record) {
            Ok(id) => id,
            Err(problem) => {
                let span = check.key(&["failures", record]);
                check.push(
                    Diagnostic::error(Code::WrongForm, format!("`{record}` is no record id: {problem}"))
                        .at(span, "not an id")
                        .help("take the id from the run log, or from the record's address in Salesforce"),
                );
                continue;
            }
        };
        for (field, written) in fields {
            let path = ["failures", record.as_str(), field.as_str()];
            let Ok(until) = written.until.parse::<jiff::civil::Date>() else {
                check.wrong(
                    Code::WrongForm,
                    &["failures", record, field, "until"],
                    format!("`{}` is no day", written.until),
                    "no such day",
                    "write it as \"2026-12-31\"",
                );
                continue;
            };
            let span = check.key(&path);
            let failure = KnownFailure {
                record: id,
                field: FieldName::new(field.as_str()),
                error: written.error.clone(),
                until,
                reason: written.reason.clone(),
                span: span.clone(),
            };
            if let Some(earlier) = known.insert((id, failure.field.clone()), failure) {
                check.push(
                    Diagnostic::error(Code::KnownFailureTwice, format!("{field} of {id} is known to fail twice"))
                        .at(span, "the second one")
                        .and(earlier.span, "the first one")
                        .help("delete one of them"),
                );
            }
        }
    }
}

/// Known failures of fields that no integration writes.
pub(crate) fn unmet(repository: &Repository, found: &mut Diagnostics) {
    let written = |field: &FieldName| {
        repository.integrations.values().any(|i| i.fields.iter().any(|mapping| mapping.field.value == *field))
    };
    for failure in repository.known_failures.iter().filter(|failure| !written(&failure.field)) {
        found.push(
            Diagnostic::warning(Code::KnownFailureUnused, format!("no integration writes {}", failure.field))
                .at(failure.span.clone(), "never met")
                .help("correct the field's name, or delete the entry"),
        );
    }
}
