//! Describe: what an org says of its objects. Unknown keys are ignored and missing ones take Salesforce's own default, so that another API version does
//! not break the client (recordings `describe_*.json`; API guide, DescribeSObjectResult).

use serde::Deserialize;

use super::answer::malformed;
use super::client::Call;
use super::{Client, SalesforceError};
use crate::model::{Field, FieldName, FieldType, Object, ObjectName, PicklistValue};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ObjectWire {
    name: String,
    label: Option<String>,
    label_plural: Option<String>,
    key_prefix: Option<String>,
    queryable: bool,
    updateable: bool,
    fields: Vec<FieldWire>,
}

impl Default for ObjectWire {
    fn default() -> Self {
        Self {
            name: String::new(),
            label: None,
            label_plural: None,
            key_prefix: None,
            queryable: true,
            updateable: true,
            fields: Vec::new(),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct FieldWire {
    name: String,
    label: Option<String>,
    #[serde(rename = "type")]
    field_type: Option<String>,
    length: i64,
    precision: i64,
    scale: i64,
    digits: i64,
    updateable: bool,
    filterable: bool,
    nillable: bool,
    unique: bool,
    case_sensitive: bool,
    external_id: bool,
    id_lookup: bool,
    calculated: bool,
    auto_number: bool,
    html_formatted: bool,
    encrypted: bool,
    compound_field_name: Option<String>,
    restricted_picklist: bool,
    picklist_values: Option<Vec<PicklistWire>>,
    reference_to: Option<Vec<String>>,
    cascade_delete: bool,
    restricted_delete: bool,
    relationship_order: Option<i64>,
    permissionable: Option<bool>,
}

/// Standard objects whose records lock their account (Bulk API guide, "General Guidelines for Data Loads").
const UNDER_ACCOUNTS: [&str; 6] = ["Asset", "Case", "Contact", "Contract", "Opportunity", "Order"];

/// The reference that locks: the first master-detail, the account of a standard object, else a look-up that forbids deleting what it points to.
fn parent(object: &str, fields: &[FieldWire]) -> Option<FieldName> {
    let locking = || fields.iter().filter(|f| f.locks(object));
    let found = locking().filter(|f| f.is_master()).min_by_key(|f| f.relationship_order);
    let found = found.or_else(|| locking().find(|f| f.name == "AccountId")).or_else(|| locking().next())?;
    Some(FieldName::new(found.name.clone()))
}

/// The object itself, and every object that a reference which locks points to.
fn locked(object: &str, fields: &[FieldWire]) -> Vec<ObjectName> {
    let pointed = fields.iter().filter(|f| f.locks(object)).flat_map(|f| f.reference_to.iter().flatten());
    let mut locked: Vec<String> = pointed.cloned().chain([object.to_owned()]).collect();
    locked.sort();
    locked.dedup();
    locked.into_iter().map(ObjectName::new).collect()
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct PicklistWire {
    value: Option<String>,
    label: Option<String>,
    active: bool,
}

fn size(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

impl FieldWire {
    fn is_master(&self) -> bool {
        self.cascade_delete && self.relationship_order.is_some()
    }

    /// Is the record that it points to locked with a record of this object?
    fn locks(&self, object: &str) -> bool {
        let account = UNDER_ACCOUNTS.contains(&object) && self.name == "AccountId";
        let held = self.restricted_delete && self.name.ends_with("__c");
        self.field_type.as_deref() == Some("reference") && (self.is_master() || account || held)
    }

    fn read(self) -> Field {
        let named = self.field_type.unwrap_or_default();
        let field_type: FieldType =
            serde_json::from_value(serde_json::Value::String(named.clone())).unwrap_or(FieldType::Other(named));
        let picklist = self.picklist_values.unwrap_or_default();
        Field {
            label: self.label.unwrap_or_else(|| self.name.clone()),
            // A part of a compound names the whole; a field may also name itself (Account.Name), which says nothing.
            compound: self.compound_field_name.filter(|c| !c.eq_ignore_ascii_case(&self.name)).map(FieldName::new),
            name: FieldName::new(self.name),
            field_type,
            length: size(self.length),
            precision: size(self.precision),
            scale: size(self.scale),
            digits: size(self.digits),
            updateable: self.updateable,
            filterable: self.filterable,
            nillable: self.nillable,
            unique: self.unique,
            case_sensitive: self.case_sensitive,
            external_id: self.external_id,
            id_lookup: self.id_lookup,
            calculated: self.calculated,
            auto_number: self.auto_number,
            html_formatted: self.html_formatted,
            encrypted: self.encrypted,
            restricted_picklist: self.restricted_picklist,
            picklist: picklist
                .into_iter()
                .filter_map(|entry| {
                    let value = entry.value?;
                    let label = entry.label.unwrap_or_else(|| value.clone());
                    Some(PicklistValue { value, label, active: entry.active })
                })
                .collect(),
            reference_to: self.reference_to.unwrap_or_default().into_iter().map(ObjectName::new).collect(),
            permissionable: self.permissionable.unwrap_or(true),
        }
    }
}

/// Decodes the body of `sobjects/X/describe`.
pub fn decode_object(body: &[u8]) -> Result<Object, SalesforceError> {
    let wire: ObjectWire = serde_json::from_slice(body).map_err(|e| malformed("describe", e))?;
    if wire.name.is_empty() || wire.fields.iter().any(|f| f.name.is_empty()) {
        return Err(malformed("describe", "the object or a field has no name"));
    }
    let label = wire.label.unwrap_or_else(|| wire.name.clone());
    Ok(Object {
        label_plural: wire.label_plural.unwrap_or_else(|| label.clone()),
        label,
        parent: parent(&wire.name, &wire.fields),
        locked: locked(&wire.name, &wire.fields),
        name: ObjectName::new(wire.name),
        key_prefix: wire.key_prefix,
        queryable: wire.queryable,
        updateable: wire.updateable,
        fields: wire.fields.into_iter().map(FieldWire::read).collect(),
    })
}

/// An object as `sobjects` lists it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ObjectSummary {
    /// API name.
    pub name: ObjectName,
    /// Label.
    #[serde(default)]
    pub label: String,
    /// First three characters of its records' ids, where it has one.
    #[serde(default, rename = "keyPrefix")]
    pub key_prefix: Option<String>,
    /// May this user query it.
    #[serde(default)]
    pub queryable: bool,
    /// May this user update it.
    #[serde(default)]
    pub updateable: bool,
}

#[derive(Deserialize)]
struct ObjectsWire {
    sobjects: Vec<ObjectSummary>,
}

/// Decodes the body of `sobjects`.
pub fn decode_objects(body: &[u8]) -> Result<Vec<ObjectSummary>, SalesforceError> {
    let wire: ObjectsWire = serde_json::from_slice(body).map_err(|e| malformed("the list of objects", e))?;
    Ok(wire.sobjects)
}

#[derive(Deserialize)]
struct VersionWire {
    version: String,
}

impl Client {
    /// What the org says of an object. An object that this user may not see is `NOT_FOUND`.
    pub async fn describe(&self, object: &ObjectName) -> Result<Object, SalesforceError> {
        let known = object.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !known || object.as_str().is_empty() {
            return Err(SalesforceError::Request { detail: format!("{:?} is no name of an object", object.as_str()) });
        }
        let path = self.path(&format!("sobjects/{}/describe", object.as_str()));
        let response = self.call(&Call::get(path)).await?;
        decode_object(&response.body)
    }

    /// The objects that this user may see.
    pub async fn describe_global(&self) -> Result<Vec<ObjectSummary>, SalesforceError> {
        let response = self.call(&Call::get(self.path("sobjects"))).await?;
        decode_objects(&response.body)
    }

    /// The API versions that the org serves, oldest first (`"66.0"`).
    pub async fn versions(&self) -> Result<Vec<String>, SalesforceError> {
        let response = self.call(&Call::get("/services/data".to_owned())).await?;
        let versions: Vec<VersionWire> =
            serde_json::from_slice(&response.body).map_err(|e| malformed("the list of versions", e))?;
        Ok(versions.into_iter().map(|v| v.version).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_and_unknown_keys_do_no_harm() {
        let body = r#"{"name":"Lead","newKey":{"a":[1]},"fields":[
            {"name":"Email","type":"email","length":80,"idLookup":true,"filterable":true,"somethingNew":[{}]},
            {"name":"Odd__c","type":"hologram","picklistValues":null,"referenceTo":null,"length":-1},
            {"name":"Name","compoundFieldName":"Name"}]}"#;
        let object = decode_object(body.as_bytes()).unwrap();
        assert_eq!((object.label.as_str(), object.queryable), ("Lead", true));
        assert!(object.field(&"EMAIL".into()).unwrap().is_indexed());
        assert_eq!(object.fields[1].field_type, FieldType::Other("hologram".into()));
        assert_eq!((object.fields[1].length, object.fields[2].compound.clone()), (0, None));
    }

    #[test]
    fn the_parent_is_the_record_that_is_locked() {
        let of = |object: &str, fields: &str| {
            let body = format!(r#"{{"name":"{object}","fields":[{{"name":"Id","type":"id"}},{fields}]}}"#);
            decode_object(body.as_bytes()).unwrap().parent.map(|name| name.as_str().to_owned())
        };
        let account = r#"{"name":"AccountId","type":"reference","referenceTo":["Account"]}"#;
        let owner = r#"{"name":"OwnerId","type":"reference"}"#;
        let second = r#"{"name":"B__c","type":"reference","cascadeDelete":true,"relationshipOrder":1}"#;
        let first = r#"{"name":"A__c","type":"reference","cascadeDelete":true,"relationshipOrder":0}"#;
        let held = r#"{"name":"C__c","type":"reference","restrictedDelete":true}"#;
        for (object, fields, parent) in [
            ("Contact", format!("{owner},{account}"), Some("AccountId")),
            ("Lead", format!("{owner},{account}"), None),
            ("X__c", format!("{held},{second},{first}"), Some("A__c")),
            ("X__c", format!("{owner},{held}"), Some("C__c")),
            ("X__c", owner.to_owned(), None),
        ] {
            assert_eq!(of(object, &fields).as_deref(), parent, "{object} {fields}");
        }
    }

    #[test]
    fn objects_that_share_a_parent_lock_it_both() {
        let of = |object: &str, fields: &str| {
            let body = format!(r#"{{"name":"{object}","fields":[{fields}]}}"#);
            let locked = decode_object(body.as_bytes()).unwrap().locked;
            locked.iter().map(|name| name.as_str().to_owned()).collect::<Vec<_>>()
        };
        let account = r#"{"name":"AccountId","type":"reference","referenceTo":["Account"]}"#;
        assert_eq!(of("Contact", account), ["Account", "Contact"]);
        assert_eq!(of("Lead", account), ["Lead"]);
        let master = |name: &str, to: &str, order: u8| {
            format!(
                r#"{{"name":"{name}","type":"reference","referenceTo":["{to}"],"cascadeDelete":true,"relationshipOrder":{order}}}"#
            )
        };
        let junction = format!("{},{}", master("A__c", "Trip__c", 0), master("B__c", "Guest__c", 1));
        assert_eq!(of("Seat__c", &junction), ["Guest__c", "Seat__c", "Trip__c"]);
    }

    #[test]
    fn a_describe_without_a_name_is_not_one() {
        for body in ["{}", "[]", "{\"name\":\"Lead\",\"fields\":[{}]}", "{\"name\":"] {
            assert!(matches!(decode_object(body.as_bytes()), Err(SalesforceError::Malformed { .. })), "{body}");
        }
    }
}
