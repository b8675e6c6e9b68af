//! What a plan was computed from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Digest, EnvironmentName, FieldName, FieldType, ObjectName, OrgId};

/// The name and version of the plan file's format.
pub const FORMAT: &str = "footbridge plan/1";

/// Digests of everything that decides a plan, apart from the records themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Digests {
    /// Of the integration in its valid form.
    pub configuration: Digest,
    /// Of the report's bytes.
    pub report: Digest,
    /// Of the mapped fields' definitions in the org.
    pub definitions: Digest,
}

/// One mapped field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldHead {
    /// API name.
    pub field: FieldName,
    /// Label.
    pub label: String,
    /// Type.
    #[serde(rename = "type")]
    #[schemars(with = "String")]
    pub field_type: FieldType,
    /// The report column.
    pub column: String,
    /// May its values appear outside a person's terminal?
    pub show_values: bool,
}

/// The first line of a plan file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`FORMAT`].
    #[schemars(extend("const" = "footbridge plan/1"))]
    pub format: String,
    /// The integration's name.
    pub integration: String,
    /// The report's name.
    pub report: String,
    /// Where the report came from, as written in the configuration.
    pub source: String,
    /// The object's API name.
    pub object: ObjectName,
    /// The object's label, for people.
    pub object_label: String,
    /// The org's name in `orgs.yaml`.
    pub org: String,
    /// The environment.
    pub environment: EnvironmentName,
    /// The org that was read.
    pub org_id: OrgId,
    /// The report column that is the key.
    pub match_column: String,
    /// The field that it is compared with.
    pub match_field: FieldName,
    /// `where:`, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The run that this plan takes back, where it is the plan of an undo: its values come from that run and not from a report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo_of: Option<String>,
    /// The mapped fields, in the order of the configuration.
    pub fields: Vec<FieldHead>,
    /// Digests.
    pub digests: Digests,
}

impl Header {
    /// A mapped field by name.
    pub fn field(&self, name: &FieldName) -> Option<&FieldHead> {
        self.fields.iter().find(|f| f.field == *name)
    }
}
