//! What the integrations of an org need of a user, object by object: the smallest set of rights with which they work.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::valid::Integration;
use crate::model::{Field, FieldName, FieldType, Object, ObjectName};

/// What a field is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// `where:` names it.
    Condition,
    /// Records are found by it.
    Match,
    /// It is written.
    Target,
}

/// A field.
#[derive(Debug, Clone)]
pub struct FieldNeed {
    /// The gravest use: what is written is read as well.
    pub of: Use,
    /// Is it to be written by this user?
    pub edit: bool,
    /// The integrations.
    pub integrations: BTreeSet<String>,
}

/// An object.
#[derive(Debug, Clone, Default)]
pub struct ObjectNeed {
    /// Are records of it to be changed by this user?
    pub edit: bool,
    /// Its fields.
    pub fields: BTreeMap<FieldName, FieldNeed>,
    /// The integrations.
    pub integrations: BTreeSet<String>,
    /// Another object's field that points to it, where it is needed for that alone: Salesforce lets a user point to records only that it may read.
    pub pointed_to_by: Option<String>,
    /// Fields of other objects that `where:` reaches (`Account.Name`).
    pub beyond: BTreeSet<String>,
}

/// By object.
pub type Needs = BTreeMap<ObjectName, ObjectNeed>;

/// Objects that everybody may point to.
const OPEN: [&str; 4] = ["User", "Group", "RecordType", "BusinessHours"];

/// What the integrations need. `edit`: of the user who applies; otherwise of one who only plans.
pub fn needs(integrations: &[&Integration], edit: bool, described: &dyn Fn(&ObjectName) -> Option<Object>) -> Needs {
    let mut needs = Needs::new();
    for integration in integrations {
        let name = integration.name.value.clone();
        let seen = described(&integration.object.value);
        let canonical = seen.as_ref().map_or_else(|| integration.object.value.clone(), |o| o.name.clone());
        let need = needs.entry(canonical.clone()).or_default();
        need.edit |= edit;
        need.pointed_to_by = None;
        need.integrations.insert(name.clone());
        let mut add = |field: &FieldName, of: Use, edit: bool| {
            let known = seen.as_ref().and_then(|o| o.field(field));
            let field = known.map_or_else(|| field.clone(), |f| f.name.clone());
            let need =
                need.fields.entry(field).or_insert_with(|| FieldNeed { of, edit, integrations: BTreeSet::new() });
            (need.of, need.edit) = (need.of.max(of), need.edit || edit);
            need.integrations.insert(name.clone());
        };
        add(&integration.matching.field.value, Use::Match, false);
        for mapping in &integration.fields {
            add(&mapping.field.value, Use::Target, edit);
        }
        if let Some(condition) = &integration.condition {
            let (own, beyond) =
                fields_of(&condition.value, &|word| seen.as_ref().and_then(|o| o.field(&FieldName::new(word))));
            own.iter().for_each(|field| add(field, Use::Condition, false));
            need.beyond.extend(beyond);
        }
        let Some(seen) = seen.filter(|_| edit) else { continue };
        for field in integration.fields.iter().filter_map(|m| seen.field(&m.field.value)) {
            if let (FieldType::Reference, [to]) = (&field.field_type, field.reference_to.as_slice())
                && !OPEN.iter().any(|open| open.eq_ignore_ascii_case(to.as_str()))
                && *to != canonical
            {
                let by = format!("{canonical}.{}", field.name);
                let pointed = needs
                    .entry(to.clone())
                    .or_insert_with(|| ObjectNeed { pointed_to_by: Some(by), ..ObjectNeed::default() });
                pointed.integrations.insert(name.clone());
            }
        }
    }
    needs
}

/// Fields that a SOQL condition names: of the object itself, and those that it reaches over a relationship. Text in quotes is none.
fn fields_of<'f>(condition: &str, known: &dyn Fn(&str) -> Option<&'f Field>) -> (Vec<FieldName>, BTreeSet<String>) {
    let (mut own, mut beyond) = (Vec::new(), BTreeSet::new());
    let mut rest = condition;
    while let Some(c) = rest.chars().next() {
        if c == '\'' {
            let mut escaped = false;
            let end = rest.char_indices().skip(1).find(|(_, c)| {
                let ends = *c == '\'' && !escaped;
                escaped = *c == '\\' && !escaped;
                ends
            });
            rest = end.map_or("", |(at, _)| &rest[at + 1..]);
        } else if c.is_ascii_alphanumeric() || c == '_' {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.')).unwrap_or(rest.len());
            let word = &rest[..end];
            rest = &rest[end..];
            if !c.is_ascii_alphabetic() {
                // A number or a date.
            } else if word.contains('.') {
                beyond.insert(word.to_owned());
            } else if let Some(field) = known(word) {
                own.push(field.name.clone());
            } else if word.to_ascii_lowercase().ends_with("__c") {
                own.push(FieldName::new(word));
            }
        } else {
            rest = &rest[c.len_utf8()..];
        }
    }
    (own, beyond)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_names_fields_and_not_words_in_quotes() {
        let fields = [Field::plain("IsConverted", FieldType::Boolean), Field::plain("Status", FieldType::Picklist)];
        let known = |word: &str| fields.iter().find(|f| f.name.as_str().eq_ignore_ascii_case(word));
        let (own, beyond) = fields_of(
            "isconverted = false AND (Status != 'it\\'s Score__c' OR Segment__c IN ('A')) AND Owner.Name LIKE 'x%' AND CreatedDate > 2026-01-01T00:00:00Z",
            &known,
        );
        assert_eq!(own.iter().map(FieldName::as_str).collect::<Vec<_>>(), ["IsConverted", "Status", "Segment__c"]);
        assert_eq!(beyond, BTreeSet::from(["Owner.Name".to_owned()]));
        assert!(fields_of("x = 'open", &known).0.is_empty());
    }
}
