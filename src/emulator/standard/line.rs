//! One line of the table of standard fields: `Name | Label | type size | marks`. An object marked `fixed` is written by nobody.
//!
//! Marks: `required`, `read` (never written), `create-only`, `update-only`, `defaulted`, `lookup` (idLookup), `name`, `auto`,
//! `restricted`, `±filter`, `±sort`, `±group`, `±aggregate`, `±perm`, `±prefilter` (where describe differs from the usual of the
//! type), `in=Compound`, `extra=…`, `rel=…`, `bytes=…`, `values=Set`. In a set `*` marks the default and `!` an inactive value.

use std::collections::HashMap;

use super::super::schema::{FieldDef, Kind, ObjectDef, PicklistEntry};
use super::Standard;

/// What describe says of a field beyond [`FieldDef`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traits {
    /// Usable in MIN, MAX, COUNT.
    pub aggregatable: bool,
    /// Usable in GROUP BY.
    pub groupable: bool,
    /// Field-level security applies.
    pub permissionable: bool,
    /// `searchPrefilterable`.
    pub search_prefilterable: bool,
    /// Bytes: usually three a character.
    pub byte_length: u32,
    /// `extraTypeInfo`.
    pub extra: Option<String>,
}

/// A line that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the table of standard fields: {what}: {line}")]
pub struct TableError {
    what: &'static str,
    line: String,
}

fn bad(what: &'static str, line: &str) -> TableError {
    TableError { what, line: line.to_owned() }
}

/// Describe's word for a type, and what seeds may say for it as well.
pub fn kind_of(word: &str) -> Option<Kind> {
    Some(match word.to_ascii_lowercase().as_str() {
        "id" => Kind::Id,
        "string" | "text" => Kind::String,
        "textarea" | "longtextarea" | "html" => Kind::Textarea,
        "email" => Kind::Email,
        "phone" => Kind::Phone,
        "url" => Kind::Url,
        "picklist" => Kind::Picklist,
        "multipicklist" | "multiselectpicklist" => Kind::Multipicklist,
        "combobox" => Kind::Combobox,
        "boolean" | "checkbox" => Kind::Boolean,
        "int" => Kind::Int,
        "double" | "number" => Kind::Double,
        "currency" => Kind::Currency,
        "percent" => Kind::Percent,
        "date" => Kind::Date,
        "datetime" => Kind::Datetime,
        "time" => Kind::Time,
        "reference" | "lookup" => Kind::Reference,
        "address" => Kind::Address,
        "encryptedstring" => Kind::EncryptedString,
        "base64" => Kind::Base64,
        _ => return None,
    })
}

/// The type as describe spells it.
pub fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Id => "id",
        Kind::String => "string",
        Kind::Textarea => "textarea",
        Kind::Email => "email",
        Kind::Phone => "phone",
        Kind::Url => "url",
        Kind::Picklist => "picklist",
        Kind::Multipicklist => "multipicklist",
        Kind::Combobox => "combobox",
        Kind::Boolean => "boolean",
        Kind::Int => "int",
        Kind::Double => "double",
        Kind::Currency => "currency",
        Kind::Percent => "percent",
        Kind::Date => "date",
        Kind::Datetime => "datetime",
        Kind::Time => "time",
        Kind::Reference => "reference",
        Kind::Address => "address",
        Kind::EncryptedString => "encryptedstring",
        Kind::Base64 => "base64",
    }
}

/// Characters of a custom field of this type when nothing is said (DOC/metadata-api/customfield).
pub fn length_default(kind: Kind) -> u32 {
    match kind {
        Kind::Email => 80,
        Kind::Phone => 40,
        Kind::Id | Kind::Reference => 18,
        Kind::Multipicklist => 4099,
        Kind::EncryptedString => 175,
        Kind::String | Kind::Textarea | Kind::Url | Kind::Picklist | Kind::Combobox => 255,
        _ => 0,
    }
}

/// The usual facts of a type; `length` tells a long text area from a short one.
pub fn usual(kind: Kind, length: u32) -> (FieldDef, Traits) {
    let long = kind == Kind::Textarea && length > 255;
    let opaque = long || matches!(kind, Kind::EncryptedString | Kind::Base64);
    let number = matches!(kind, Kind::Double | Kind::Currency | Kind::Percent);
    let id = kind == Kind::Id;
    let sized = matches!(kind, Kind::Id | Kind::Reference);
    let field = FieldDef {
        name: String::new(),
        label: String::new(),
        kind,
        length: if sized { 18 } else { length },
        precision: 0,
        scale: 0,
        digits: 0,
        updateable: !id,
        createable: !id,
        nillable: !id && kind != Kind::Boolean,
        filterable: !opaque,
        sortable: !opaque && !matches!(kind, Kind::Address | Kind::Multipicklist),
        unique: false,
        case_sensitive: false,
        external_id: false,
        id_lookup: id,
        custom: false,
        calculated: false,
        auto_number: false,
        html: false,
        name_field: false,
        compound: None,
        restricted: false,
        picklist: Vec::new(),
        reference_to: Vec::new(),
        relationship: None,
        defaulted_on_create: id || kind == Kind::Boolean,
    };
    let ungrouped = number || matches!(kind, Kind::Datetime | Kind::Address | Kind::Time | Kind::Multipicklist);
    let traits = Traits {
        aggregatable: !opaque && !matches!(kind, Kind::Boolean | Kind::Address),
        groupable: !opaque && !ungrouped,
        permissionable: false,
        search_prefilterable: false,
        byte_length: if sized { 18 } else { 3 * length },
        extra: None,
    };
    (field, traits)
}

/// Named picklists: `values Name: a ; *b ; !c = Label`.
pub fn picklists(text: &str) -> Result<HashMap<&str, Vec<PicklistEntry>>, TableError> {
    let mut sets = HashMap::new();
    for line in text.lines() {
        let (name, list) =
            line.strip_prefix("values ").and_then(|rest| rest.split_once(": ")).ok_or_else(|| bad("picklist", line))?;
        let entries = list.split(" ; ").map(|item| {
            let (default, item) = item.strip_prefix('*').map_or((false, item), |rest| (true, rest));
            let (active, item) = item.strip_prefix('!').map_or((true, item), |rest| (false, rest));
            let (value, label) = item.split_once(" = ").unwrap_or((item, item));
            PicklistEntry { value: value.to_owned(), label: label.to_owned(), active, default }
        });
        sets.insert(name, entries.collect());
    }
    Ok(sets)
}

/// Reads one object's file into the table.
pub fn object(text: &str, sets: &HashMap<&str, Vec<PicklistEntry>>, standard: &mut Standard) -> Result<(), TableError> {
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    let head: Vec<&str> = first.strip_prefix("object ").unwrap_or_default().split(" | ").collect();
    let [name, prefix, label, plural, flags @ ..] = head.as_slice() else { return Err(bad("object", first)) };
    let mut fields = Vec::new();
    for line in lines {
        let (field, traits) = field(line, sets)?;
        standard.traits.insert(((*name).to_owned(), field.name.clone()), traits);
        fields.push(field);
    }
    let flags: Vec<String> = flags.iter().flat_map(|f| f.split(' ')).map(str::to_owned).collect();
    let fixed = flags.iter().any(|flag| flag == "fixed");
    standard.object_flags.insert((*name).to_owned(), flags);
    standard.objects.push(ObjectDef {
        name: (*name).to_owned(),
        label: (*label).to_owned(),
        label_plural: (*plural).to_owned(),
        key_prefix: (*prefix).to_owned(),
        custom: false,
        updateable: !fixed,
        fields,
    });
    Ok(())
}

fn field(line: &str, sets: &HashMap<&str, Vec<PicklistEntry>>) -> Result<(FieldDef, Traits), TableError> {
    let mut parts = line.split(" | ");
    let (Some(name), Some(label), Some(typed)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(bad("field", line));
    };
    let (word, size) = typed.split_once(' ').unwrap_or((typed, ""));
    let kind = kind_of(word).ok_or_else(|| bad("type", line))?;
    let number = |text: &str| text.parse::<u32>().map_err(|_| bad("size", line));
    let textual = length_default(kind) > 0 && kind != Kind::Reference && kind != Kind::Id;
    let (mut f, mut t) = usual(kind, if textual { number(size)? } else { 0 });
    f.name = name.to_owned();
    f.label = label.to_owned();
    match kind {
        Kind::Double | Kind::Currency | Kind::Percent => {
            let (precision, scale) = size.split_once('.').ok_or_else(|| bad("size", line))?;
            f.precision = number(precision)?;
            f.scale = number(scale)?;
        }
        Kind::Int => f.digits = number(size)?,
        Kind::Reference => {
            f.reference_to = size.split('/').map(str::to_owned).collect();
            f.relationship = name.strip_suffix("Id").map(str::to_owned);
        }
        _ => {}
    }
    let marks: Vec<&str> = parts.next().unwrap_or_default().split(' ').filter(|m| !m.is_empty()).collect();
    for mark in &marks {
        plain(mark, &mut f);
    }
    t.permissionable = f.updateable && (f.nillable || kind == Kind::Boolean);
    t.search_prefilterable = kind == Kind::Reference && (f.createable || f.updateable) && f.nillable;
    for mark in marks {
        exception(mark, sets, &mut f, &mut t).ok_or_else(|| bad("mark", line))?;
    }
    Ok((f, t))
}

fn plain(mark: &str, f: &mut FieldDef) {
    match mark {
        "required" => f.nillable = false,
        "read" => (f.createable, f.updateable) = (false, false),
        "create-only" => f.updateable = false,
        "update-only" => f.createable = false,
        _ => {}
    }
}

fn exception(mark: &str, sets: &HashMap<&str, Vec<PicklistEntry>>, f: &mut FieldDef, t: &mut Traits) -> Option<()> {
    if let Some((key, value)) = mark.split_once('=') {
        match key {
            "in" => f.compound = Some(value.to_owned()),
            "extra" => t.extra = Some(value.to_owned()),
            "rel" => f.relationship = (value != "-").then(|| value.to_owned()),
            "bytes" => t.byte_length = value.parse().ok()?,
            "values" => f.picklist = sets.get(value)?.clone(),
            _ => return None,
        }
        return Some(());
    }
    match mark {
        "required" | "read" | "create-only" | "update-only" => {}
        "defaulted" => f.defaulted_on_create = true,
        "lookup" => f.id_lookup = true,
        "name" => f.name_field = true,
        "auto" => f.auto_number = true,
        "restricted" => f.restricted = true,
        _ => {
            let on = mark.starts_with('+');
            match mark.get(1..)? {
                "filter" => f.filterable = on,
                "sort" => f.sortable = on,
                "group" => t.groupable = on,
                "aggregate" => t.aggregatable = on,
                "perm" => t.permissionable = on,
                "prefilter" => t.search_prefilterable = on,
                _ => return None,
            }
        }
    }
    Some(())
}
