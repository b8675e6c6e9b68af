//! From a custom field in a seed to its definition.

use super::super::schema::{FieldDef, Kind, PicklistEntry};
use super::super::standard::{Traits, kind_of, length_default, usual};
use super::form::{FieldSeed, ValueSeed};

/// The definition of a custom field.
///
/// # Errors
/// What is wrong with it.
pub fn define(seed: &FieldSeed) -> Result<(FieldDef, Traits), String> {
    let kind = kind_of(&seed.kind).ok_or_else(|| format!("{}: no such type: `{}`", seed.name, seed.kind))?;
    if matches!(kind, Kind::Id | Kind::Address) {
        return Err(format!("{}: a custom field cannot be of type `{}`", seed.name, seed.kind));
    }
    let words = seed.kind.to_ascii_lowercase();
    let html = seed.html || words == "html";
    let length = match (seed.length, words.as_str()) {
        (Some(length), _) => length,
        (None, "longtextarea" | "html") => 32_768,
        (None, _) if html => 32_768,
        (None, _) => length_default(kind),
    };
    let (mut field, mut traits) = usual(kind, length);
    field.name.clone_from(&seed.name);
    field.label = seed.label.clone().unwrap_or_else(|| label_of(&seed.name));
    // A seed may also switch on what an org's features bring: CurrencyIsoCode, RecordTypeId.
    field.custom = seed.name.ends_with("__c");
    match kind {
        Kind::Double | Kind::Currency | Kind::Percent => {
            field.precision = seed.precision.unwrap_or(18);
            field.scale = seed.scale.unwrap_or(if kind == Kind::Currency { 2 } else { 0 });
            if field.precision > 18 || field.scale > field.precision {
                return Err(format!("{}: precision is at most 18, and scale at most precision", seed.name));
            }
        }
        Kind::Int => field.digits = seed.precision.unwrap_or(8),
        // Describe gives the visible lines of a multi-select as its precision.
        Kind::Multipicklist => field.precision = 4,
        Kind::Reference => {
            if seed.reference_to.is_empty() {
                return Err(format!("{}: a reference needs `reference_to`", seed.name));
            }
            field.reference_to.clone_from(&seed.reference_to);
            field.relationship =
                seed.relationship.clone().or_else(|| seed.name.strip_suffix("__c").map(|stem| format!("{stem}__r")));
        }
        _ => {}
    }
    field.nillable &= !seed.required;
    field.unique = seed.unique;
    field.case_sensitive = seed.case_sensitive;
    field.external_id = seed.external_id;
    field.id_lookup = seed.external_id || (seed.unique && kind == Kind::String);
    field.html = html;
    field.calculated = seed.formula;
    field.auto_number = seed.auto_number;
    if seed.formula || seed.auto_number {
        (field.updateable, field.createable) = (false, false);
        traits.groupable = false;
    }
    if html {
        (field.filterable, field.sortable, traits.groupable, traits.aggregatable) = (false, false, false, false);
    }
    field.restricted = seed.restricted;
    field.picklist = seed.values.iter().map(entry).collect();
    traits.permissionable = !seed.required;
    traits.extra =
        (kind == Kind::Textarea).then(|| if html { "richtextarea".to_owned() } else { "plaintextarea".to_owned() });
    Ok((field, traits))
}

fn entry(value: &ValueSeed) -> PicklistEntry {
    match value {
        ValueSeed::Plain(value) => {
            PicklistEntry { value: value.clone(), label: value.clone(), active: true, default: false }
        }
        ValueSeed::Full(full) => PicklistEntry {
            value: full.value.clone(),
            label: full.label.clone().unwrap_or_else(|| full.value.clone()),
            active: full.active,
            default: full.default,
        },
    }
}

/// `Region_Code__c` → `Region Code`.
fn label_of(name: &str) -> String {
    name.strip_suffix("__c").unwrap_or(name).replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::super::form::{FieldSeed, from_yaml};
    use super::define;

    #[test]
    fn sizes_and_rights_follow_the_type() {
        let made = |yaml: &str| define(&from_yaml::<FieldSeed>(yaml).unwrap());
        let (number, _) = made("{ name: N__c, type: number, precision: 3, scale: 1 }").unwrap();
        assert_eq!((number.precision, number.scale, number.length), (3, 1, 0));
        let (long, traits) = made("{ name: L__c, type: longtextarea }").unwrap();
        assert!(long.length == 32_768 && !long.filterable && !traits.groupable);
        let (multi, _) = made("{ name: M__c, type: multipicklist, values: [a, { value: b, active: false }] }").unwrap();
        assert!(multi.length == 4099 && !multi.sortable && multi.filterable && !multi.picklist[1].active);
        let (formula, _) = made("{ name: F__c, type: text, formula: true }").unwrap();
        assert!(!formula.updateable && formula.calculated);
        let (lookup, _) = made("{ name: Plan__c, type: lookup, reference_to: [Account] }").unwrap();
        assert_eq!(lookup.relationship.as_deref(), Some("Plan__r"));
        assert!(made("{ name: X__c, type: nonsense }").is_err());
        assert!(made("{ name: X__c, type: reference }").is_err());
    }
}
