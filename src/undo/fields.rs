//! A field as it is defined now: may it get back a value that it once had?

use std::collections::BTreeSet;

use crate::model::{Field, FieldName, FieldType};

/// Why a value cannot go back.
pub(super) struct Bar {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) hint: String,
}

/// A field that the run wrote, as it is now.
#[derive(Debug, Clone)]
pub struct Target {
    pub(super) name: FieldName,
    pub(super) field_type: FieldType,
    defined: Defined,
}

#[derive(Debug, Clone)]
enum Defined {
    Gone,
    ReadOnly,
    OtherType(FieldType),
    /// Blank may go back; so may text of this length, where it has one; so may these values, where it takes listed ones only.
    Yes {
        nillable: bool,
        longest: Option<usize>,
        listed: Option<BTreeSet<String>>,
    },
}

impl Target {
    /// `then` is the type that the field had when the run wrote it; `now` what describe says of it. `reader`: whoever plans may not write, so that is not asked.
    pub fn new(name: FieldName, then: &FieldType, now: Option<&Field>, reader: bool) -> Self {
        let defined = match now {
            None => Defined::Gone,
            Some(now) if now.calculated || (!now.updateable && !reader) => Defined::ReadOnly,
            Some(now) if now.field_type != *then => Defined::OtherType(now.field_type.clone()),
            Some(now) => Defined::Yes {
                nillable: now.nillable || now.field_type == FieldType::Boolean,
                longest: (now.field_type.is_text() && now.length > 0).then_some(now.length as usize),
                listed: now
                    .restricted_picklist
                    .then(|| now.picklist.iter().filter(|v| v.active).map(|v| v.value.clone()).collect()),
            },
        };
        Self { name, field_type: then.clone(), defined }
    }

    /// Can it be read?
    pub fn readable(&self) -> bool {
        !matches!(self.defined, Defined::Gone)
    }

    /// The field.
    pub fn name(&self) -> &FieldName {
        &self.name
    }

    pub(super) fn bar(&self, before: Option<&str>) -> Option<Bar> {
        let bar = |code, message: String, hint: &str| Some(Bar { code, message, hint: hint.to_owned() });
        match (&self.defined, before) {
            (Defined::Gone, _) => bar(
                "field_gone",
                "the field is not there any more, or this user may not see it".to_owned(),
                "If it was renamed, its values went with it: set them there by hand.",
            ),
            (Defined::ReadOnly, _) => bar(
                "field_not_updateable",
                "this user may not edit the field".to_owned(),
                "Give the user Edit on the field, by a permission set.",
            ),
            (Defined::OtherType(now), _) => bar(
                "field_type_changed",
                format!("the field is of type {} now and was of type {}", now.as_str(), self.field_type.as_str()),
                "A value of the old type is not written into the new one: set it by hand.",
            ),
            (Defined::Yes { nillable: false, .. }, None) => {
                bar("not_nillable", "the field was empty and may not be empty any more".to_owned(), "Set it by hand.")
            }
            (Defined::Yes { longest: Some(most), .. }, Some(text)) if text.chars().count() > *most => bar(
                "too_long",
                format!("the value from before is longer than the field's {most} characters"),
                "Make the field longer again.",
            ),
            (Defined::Yes { listed: Some(listed), .. }, Some(text)) => {
                let multiple = self.field_type == FieldType::Multipicklist;
                let fits = if multiple { text.split(';').all(|v| listed.contains(v)) } else { listed.contains(text) };
                if fits {
                    return None;
                }
                bar(
                    "not_in_picklist",
                    "the value from before is no active value of the picklist any more".to_owned(),
                    "Activate it again (Object Manager > the field > Values).",
                )
            }
            (Defined::Yes { .. }, _) => None,
        }
    }
}
