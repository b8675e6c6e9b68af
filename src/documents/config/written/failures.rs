//! Known failures, as written: cells that Salesforce refuses, for a reason that somebody knows, until a day.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::shapes::{kind_known_failures, version};

/// Cells that are known to fail: they are planned and listed, not sent, and do not count as refused, so that a failure that is told is a new one.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Footbridge known failures", rename = "KnownFailures")]
pub(in crate::config) struct KnownFailures {
    /// The version of the format: 1.
    #[schemars(schema_with = "version")]
    #[allow(dead_code)]
    footbridge: u64,
    /// The kind of this document: `known_failures`.
    #[schemars(schema_with = "kind_known_failures")]
    #[allow(dead_code)]
    kind: String,
    /// By record id, then by field.
    pub(in crate::config) failures: BTreeMap<String, BTreeMap<String, KnownFailure>>,
}

/// One cell that is known to fail.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "KnownFailure")]
pub(in crate::config) struct KnownFailure {
    /// Salesforce's code for it, as the run log has it (FIELD_CUSTOM_VALIDATION_EXCEPTION).
    #[schemars(length(min = 1, max = 100))]
    pub(in crate::config) error: String,
    /// The last day, in UTC, on which it holds, in quotes ("2026-12-31"). Afterwards the cell is sent again.
    #[schemars(regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    pub(in crate::config) until: String,
    /// Why it fails, and who mends it.
    #[schemars(length(min = 1, max = 500))]
    pub(in crate::config) reason: String,
}
