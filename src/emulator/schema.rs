//! Objects and fields of the emulated org: the one table that describe, SOQL and the write rules read.

/// A field's type as describe spells it (`type` key).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Kind {
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
    EncryptedString,
    Base64,
}

/// One entry of a picklist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PicklistEntry {
    /// The API name: what is stored.
    pub value: String,
    /// What people see.
    pub label: String,
    /// Inactive entries stay on old records but cannot be written to a restricted picklist.
    pub active: bool,
    /// Chosen when nothing is said.
    pub default: bool,
}

/// One field. Numbers as in describe: `length` in characters, `precision` in digits all told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldDef {
    /// API name, in its canonical case.
    pub name: String,
    /// What people see; Salesforce's messages use it.
    pub label: String,
    /// Type.
    pub kind: Kind,
    /// Characters (text), 0 otherwise.
    pub length: u32,
    /// Digits in all (numbers).
    pub precision: u32,
    /// Digits right of the point.
    pub scale: u32,
    /// Digits of an int.
    pub digits: u32,
    /// May be written by an update (object model, before field-level security).
    pub updateable: bool,
    /// May be set on create.
    pub createable: bool,
    /// May be null.
    pub nillable: bool,
    /// Usable in WHERE.
    pub filterable: bool,
    /// Usable in ORDER BY.
    pub sortable: bool,
    /// Values are unique in the object.
    pub unique: bool,
    /// Comparison heeds case (only with `unique`).
    pub case_sensitive: bool,
    /// Marked as external id.
    pub external_id: bool,
    /// Usable by upsert and indexed.
    pub id_lookup: bool,
    /// A custom field (`__c`).
    pub custom: bool,
    /// Formula or roll-up.
    pub calculated: bool,
    /// Auto-number.
    pub auto_number: bool,
    /// Rich text.
    pub html: bool,
    /// The name field of its object.
    pub name_field: bool,
    /// The compound field that this is a part of (`Name`, `Address`).
    pub compound: Option<String>,
    /// Restricted picklist.
    pub restricted: bool,
    /// Picklist entries in their own order.
    pub picklist: Vec<PicklistEntry>,
    /// Objects a reference may point to.
    pub reference_to: Vec<String>,
    /// Name of the relationship in SOQL (`Account`, `Owner`, `Parent__r`).
    pub relationship: Option<String>,
    /// Set by the system on create when nothing is given.
    pub defaulted_on_create: bool,
}

/// One object with its fields in describe's order. `Id` is the first field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectDef {
    /// API name.
    pub name: String,
    /// Singular label.
    pub label: String,
    /// Plural label.
    pub label_plural: String,
    /// First three characters of its records' ids.
    pub key_prefix: String,
    /// A custom object (`__c`).
    pub custom: bool,
    /// Records may be updated.
    pub updateable: bool,
    /// The fields.
    pub fields: Vec<FieldDef>,
}

impl ObjectDef {
    /// A field by its API name; Salesforce does not heed case in names.
    pub fn field(&self, name: &str) -> Option<&FieldDef> {
        self.fields.iter().find(|f| f.name.eq_ignore_ascii_case(name))
    }

    /// The reference field behind a relationship name.
    pub fn relationship(&self, name: &str) -> Option<&FieldDef> {
        self.fields.iter().find(|f| f.relationship.as_deref().is_some_and(|r| r.eq_ignore_ascii_case(name)))
    }
}

/// Every object of the org.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    /// The objects, by name order.
    pub objects: Vec<ObjectDef>,
}

impl Catalog {
    /// An object by its API name, case aside.
    pub fn object(&self, name: &str) -> Option<&ObjectDef> {
        self.objects.iter().find(|o| o.name.eq_ignore_ascii_case(name))
    }
}
