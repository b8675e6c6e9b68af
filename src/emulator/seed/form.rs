//! The form of a YAML seed. `docs/EMULATOR.md` shows every key.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use super::people::{Access, ClientSeed, ObjectRights, UserSeed};

/// A whole seed file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Seed {
    /// The org itself.
    pub org: Option<OrgSeed>,
    /// Apps (External Client Apps, connected apps).
    pub clients: Vec<ClientSeed>,
    /// Users beside the admin, or the admin anew.
    pub users: Vec<UserSeed>,
    /// Objects: standard ones with further fields, or custom ones.
    pub objects: BTreeMap<String, ObjectSeed>,
    /// Files of records, relative to the seed file.
    pub files: Vec<FileSeed>,
}

/// The org.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OrgSeed {
    /// Id, 15 or 18 characters.
    pub id: Option<String>,
    /// Company name.
    pub name: Option<String>,
    /// A sandbox?
    pub sandbox: Option<bool>,
    /// Edition, as `Organization.OrganizationType` says it.
    pub edition: Option<String>,
    /// Instance, as `Organization.InstanceName` says it.
    pub instance: Option<String>,
    /// My Domain's host, which is accepted as a JWT audience, too.
    pub my_domain: Option<String>,
    /// IANA name of the users' time zone.
    pub time_zone: Option<String>,
    /// When a trial ends, as `Organization.TrialExpirationDate` says it.
    pub trial_expires: Option<String>,
}

/// An object's additions.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ObjectSeed {
    /// Label of a custom object.
    pub label: Option<String>,
    /// Its plural.
    pub label_plural: Option<String>,
    /// Key prefix of a custom object; chosen when not given.
    pub key_prefix: Option<String>,
    /// Custom fields.
    pub fields: Vec<FieldSeed>,
    /// Validation rules.
    pub rules: Vec<RuleSeed>,
    /// What the org does by itself when a record is saved.
    pub flows: Vec<FlowSeed>,
    /// Records.
    #[serde(skip_serializing)]
    pub records: Vec<Map<String, Value>>,
}

/// A custom field; sizes not given are the usual of the type.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs)]
pub struct FieldSeed {
    pub name: String,
    pub label: Option<String>,
    #[serde(rename = "type")]
    pub kind: String,
    pub length: Option<u32>,
    pub precision: Option<u32>,
    pub scale: Option<u32>,
    pub unique: bool,
    pub external_id: bool,
    pub case_sensitive: bool,
    pub required: bool,
    pub formula: bool,
    pub auto_number: bool,
    pub html: bool,
    pub restricted: bool,
    pub values: Vec<ValueSeed>,
    pub reference_to: Vec<String>,
    pub relationship: Option<String>,
}

/// A picklist value: a plain text, or with more said.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ValueSeed {
    /// Value and label alike, active.
    Plain(String),
    /// With more said.
    Full(FullValue),
}

/// A picklist value with everything said.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct FullValue {
    pub value: String,
    pub label: Option<String>,
    #[serde(default = "yes")]
    pub active: bool,
    #[serde(default)]
    pub default: bool,
}

fn yes() -> bool {
    true
}

/// A validation rule: what must hold of a record after a change, and what people are told when it does not.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSeed {
    /// The field it looks at.
    pub field: String,
    /// What must hold.
    pub must: Must,
    /// The admin's text.
    pub message: String,
    /// Where the error is shown: the field (default), or the top of the page.
    #[serde(default)]
    pub on_page: bool,
}

/// A flow before the save: where a field is written, others are set with it. It runs after the validation rules and passes none itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlowSeed {
    /// Runs when this field is among those that are written; at every update when not given.
    #[serde(default)]
    pub on: Option<String>,
    /// What it sets, in place of what was sent; null empties a field.
    pub set: Map<String, Value>,
}

/// Conditions of validation rules. All that are given must hold; a null field fulfils all but `be_given`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Must {
    /// Not null.
    pub be_given: bool,
    /// At most this many characters.
    pub max_length: Option<usize>,
    /// A date or datetime not before that of another field.
    pub not_before: Option<String>,
    /// None of these.
    pub not_be: Vec<String>,
    /// This and nothing else.
    pub be: Option<String>,
    /// At least this number.
    pub at_least: Option<f64>,
    /// At most this number.
    pub at_most: Option<f64>,
}

/// A file of records.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSeed {
    /// The object.
    pub object: String,
    /// The file.
    pub csv: PathBuf,
}

/// Reads YAML (or JSON, which is YAML) into a type. Goes through JSON, so that alternatives are written as plain maps.
///
/// # Errors
/// What is wrong, with the path to it.
pub fn from_yaml<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let value: Value = serde_yaml::from_str(text).map_err(|e| e.to_string())?;
    let value = if value.is_null() { Value::Object(Map::new()) } else { value };
    serde_path_to_error::deserialize(value).map_err(|e| match e.path().to_string().as_str() {
        "." => e.inner().to_string(),
        path => format!("{path}: {}", e.inner()),
    })
}

#[cfg(test)]
mod tests {
    use super::{Seed, from_yaml};

    #[test]
    fn a_mistake_is_told_with_its_path() {
        let wrong = "objects:\n  Lead:\n    fields:\n      - { name: A__c, type: text, lenght: 3 }\n";
        let message = from_yaml::<Seed>(wrong).unwrap_err();
        assert!(message.starts_with("objects.Lead.fields[0]") && message.contains("lenght"), "{message}");
    }

    #[test]
    fn an_empty_seed_is_fine_and_the_example_reads() {
        assert!(from_yaml::<Seed>("").is_ok());
        let seed: Seed = from_yaml(super::super::WALKME_FIELDS).unwrap();
        assert_eq!(seed.objects["Lead"].fields.len(), 3);
    }
}
