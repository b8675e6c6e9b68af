//! What describe says of an object, in the part that Footbridge uses.
//!
//! Source: REST `sobjects/X/describe`, 57 keys a field (API guide, DescribeSObjectResult; recordings `describe_*.json`).

use serde::{Deserialize, Serialize};

use super::{FieldName, ObjectName};

/// A field's type (`type` in describe).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum FieldType {
    Id,
    String,
    Textarea,
    Email,
    Phone,
    Url,
    Picklist,
    Multipicklist,
    Combobox,
    Boolean,
    Int,
    Double,
    Currency,
    Percent,
    Date,
    Datetime,
    Time,
    Reference,
    Address,
    Location,
    Base64,
    EncryptedString,
    AnyType,
    Complexvalue,
    /// A type that this version does not know, by its name on the wire.
    #[serde(untagged)]
    Other(String),
}

impl FieldType {
    /// The name on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            FieldType::Id => "id",
            FieldType::String => "string",
            FieldType::Textarea => "textarea",
            FieldType::Email => "email",
            FieldType::Phone => "phone",
            FieldType::Url => "url",
            FieldType::Picklist => "picklist",
            FieldType::Multipicklist => "multipicklist",
            FieldType::Combobox => "combobox",
            FieldType::Boolean => "boolean",
            FieldType::Int => "int",
            FieldType::Double => "double",
            FieldType::Currency => "currency",
            FieldType::Percent => "percent",
            FieldType::Date => "date",
            FieldType::Datetime => "datetime",
            FieldType::Time => "time",
            FieldType::Reference => "reference",
            FieldType::Address => "address",
            FieldType::Location => "location",
            FieldType::Base64 => "base64",
            FieldType::EncryptedString => "encryptedstring",
            FieldType::AnyType => "anytype",
            FieldType::Complexvalue => "complexvalue",
            FieldType::Other(name) => name,
        }
    }

    /// Text of any kind, compared as text.
    pub fn is_text(&self) -> bool {
        matches!(
            self,
            FieldType::String
                | FieldType::Textarea
                | FieldType::Email
                | FieldType::Phone
                | FieldType::Url
                | FieldType::Combobox
        )
    }

    /// Numbers of any kind.
    pub fn is_number(&self) -> bool {
        matches!(self, FieldType::Int | FieldType::Double | FieldType::Currency | FieldType::Percent)
    }
}

/// One entry of a picklist, in the picklist's own order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PicklistValue {
    /// API name: what is stored and written.
    pub value: String,
    /// What people see.
    pub label: String,
    /// Inactive entries stay on old records and cannot be chosen.
    pub active: bool,
}

/// One field of an object, as far as this user may see it (field-level security hides fields from describe).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// API name in its canonical case.
    pub name: FieldName,
    /// What people see.
    pub label: String,
    /// Type.
    pub field_type: FieldType,
    /// Characters that fit (text), otherwise 0.
    pub length: u32,
    /// Digits in all (numbers), otherwise 0.
    pub precision: u32,
    /// Digits right of the point.
    pub scale: u32,
    /// Digits of an int, otherwise 0.
    pub digits: u32,
    /// May this user write it by update.
    pub updateable: bool,
    /// Usable in a WHERE clause.
    pub filterable: bool,
    /// May be empty.
    pub nillable: bool,
    /// Values are unique.
    pub unique: bool,
    /// Comparison heeds case.
    pub case_sensitive: bool,
    /// Marked as an external id (indexed).
    pub external_id: bool,
    /// Usable for look-up (indexed).
    pub id_lookup: bool,
    /// Formula or roll-up.
    pub calculated: bool,
    /// Auto-number.
    pub auto_number: bool,
    /// Rich text.
    pub html_formatted: bool,
    /// Masked, encrypted text.
    pub encrypted: bool,
    /// The compound field that this is a part of, by name.
    pub compound: Option<FieldName>,
    /// Takes listed values only.
    pub restricted_picklist: bool,
    /// Entries in the picklist's own order; empty unless it is one.
    pub picklist: Vec<PicklistValue>,
    /// Objects that a reference may point to.
    pub reference_to: Vec<ObjectName>,
    /// Does field-level security apply to it? Not to required, master-detail and system fields: a permission set that lists one is refused. No part
    /// of the field's definition.
    #[serde(skip, default = "secured")]
    pub permissionable: bool,
}

fn secured() -> bool {
    true
}

impl Field {
    /// A field that this user may read and write, with nothing special about it and no room yet (all lengths 0). Its label is its name.
    pub fn plain(name: &str, field_type: FieldType) -> Self {
        Self {
            name: FieldName::new(name),
            label: name.to_owned(),
            field_type,
            length: 0,
            precision: 0,
            scale: 0,
            digits: 0,
            updateable: true,
            filterable: true,
            nillable: true,
            unique: false,
            case_sensitive: false,
            external_id: false,
            id_lookup: false,
            calculated: false,
            auto_number: false,
            html_formatted: false,
            encrypted: false,
            compound: None,
            restricted_picklist: false,
            picklist: Vec::new(),
            reference_to: Vec::new(),
            permissionable: true,
        }
    }

    /// Does Salesforce keep an index on it, so that a look-up by `IN` is cheap? (`idLookup`, `externalId`, `unique`)
    pub fn is_indexed(&self) -> bool {
        self.id_lookup || self.external_id || self.unique || self.field_type == FieldType::Id
    }
}

/// An object with the fields that this user may see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// API name in its canonical case.
    pub name: ObjectName,
    /// Singular label.
    pub label: String,
    /// Plural label.
    pub label_plural: String,
    /// First three characters of its records' ids, where it has one.
    pub key_prefix: Option<String>,
    /// May this user query it.
    pub queryable: bool,
    /// May this user update it.
    pub updateable: bool,
    /// The visible fields.
    pub fields: Vec<Field>,
    /// The reference whose record Salesforce locks whenever a record of this object is written: records of one such parent are written together.
    pub parent: Option<FieldName>,
    /// Objects of which Salesforce locks records whenever a record of this object is written, this one included.
    pub locked: Vec<ObjectName>,
}

impl Object {
    /// A field by its API name. Salesforce does not heed case in names.
    pub fn field(&self, name: &FieldName) -> Option<&Field> {
        self.fields.iter().find(|f| f.name == *name)
    }
}
