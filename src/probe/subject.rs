//! What a probe looks at: one object, its mapped fields, and of these one of each kind to write.

use crate::model::{Field, FieldName, FieldType, Object};

/// A kind of field that assumptions are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Text of one line.
    Text,
    /// A text area.
    Area,
    /// A number with a scale.
    Number,
    /// A picklist.
    Picklist,
    /// A multi-select picklist.
    Multi,
    /// A date.
    Date,
    /// A moment.
    Datetime,
    /// A checkbox.
    Checkbox,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 8] =
        [Kind::Text, Kind::Area, Kind::Number, Kind::Picklist, Kind::Multi, Kind::Date, Kind::Datetime, Kind::Checkbox];

    /// For people: `text field`.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Text => "text field",
            Kind::Area => "text area",
            Kind::Number => "number field",
            Kind::Picklist => "picklist",
            Kind::Multi => "multi-select picklist",
            Kind::Date => "date field",
            Kind::Datetime => "date/time field",
            Kind::Checkbox => "checkbox",
        }
    }

    /// Assumptions that take a field of this kind.
    pub fn assumptions(self) -> &'static [&'static str] {
        match self {
            Kind::Text => &[
                "text_trim",
                "text_nbsp",
                "text_blank",
                "text_too_long",
                "text_units",
                "in_sharp_s",
                "in_nbsp",
                "bulk_text",
            ],
            Kind::Area => &["area_lines", "area_length", "bulk_lines"],
            Kind::Number => &["number_exact", "number_scale", "number_range", "bulk_number"],
            Kind::Picklist => &["picklist_value"],
            Kind::Multi => &["multi_order", "multi_set", "bulk_multi"],
            Kind::Date => &["date_exact", "bulk_moments"],
            Kind::Datetime => &["datetime_zone", "datetime_fraction", "bulk_moments"],
            Kind::Checkbox => &["checkbox_exact", "bulk_checkbox"],
        }
    }

    /// The kind of a field that could be written and put back: neither unique nor required nor anything that Salesforce makes itself.
    pub fn of(field: &Field) -> Option<Self> {
        let own = field.name.as_str().to_ascii_lowercase().ends_with("__c");
        let special = field.unique || field.calculated || field.auto_number || field.html_formatted || field.encrypted;
        if !own || special || !field.updateable || (!field.nillable && field.field_type != FieldType::Boolean) {
            return None;
        }
        Some(match field.field_type {
            // Room for what is tried.
            FieldType::String if field.length >= 40 => Kind::Text,
            FieldType::Textarea if field.length >= 40 => Kind::Area,
            FieldType::Double | FieldType::Currency | FieldType::Percent => Kind::Number,
            FieldType::Picklist if field.picklist.iter().any(|v| v.active) => Kind::Picklist,
            FieldType::Multipicklist if field.picklist.iter().filter(|v| v.active).count() >= 2 => Kind::Multi,
            FieldType::Date => Kind::Date,
            FieldType::Datetime => Kind::Datetime,
            FieldType::Boolean => Kind::Checkbox,
            _ => return None,
        })
    }
}

/// What a probe looks at.
pub struct Subject {
    /// The object, as this user sees it.
    pub object: Object,
    /// Its fields that integrations write, as far as the org has them.
    pub mapped: Vec<FieldName>,
    /// The match field.
    pub key: Option<FieldName>,
}

impl Subject {
    /// The first mapped field of each kind, for writing.
    pub fn writable(&self) -> Vec<(Kind, &Field)> {
        let fields = || self.mapped.iter().filter_map(|name| self.object.field(name));
        Kind::ALL.iter().filter_map(|kind| fields().find(|f| Kind::of(f) == Some(*kind)).map(|f| (*kind, f))).collect()
    }

    /// Fields of the object to read of one record: id, key, what is mapped, when it was made, and a checkbox and a number wherever there is one.
    pub fn columns(&self) -> Vec<&Field> {
        let named = |name: &str| self.object.field(&FieldName::new(name));
        let first = |wanted: fn(&Field) -> bool| self.object.fields.iter().find(|f| wanted(f));
        let simple = |f: &&Field| !matches!(f.field_type, FieldType::Address | FieldType::Location | FieldType::Base64);
        let mut columns: Vec<&Field> = Vec::new();
        let all = [named("Id"), self.key.as_ref().and_then(|k| self.object.field(k)), named("CreatedDate")];
        let kinds = [first(|f| f.field_type == FieldType::Boolean), first(|f| f.field_type == FieldType::Double)];
        let mapped = self.mapped.iter().map(|name| self.object.field(name));
        for field in all.into_iter().chain(kinds).chain(mapped).flatten().filter(simple) {
            if !columns.iter().any(|c| c.name == field.name) {
                columns.push(field);
            }
        }
        columns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_custom_fields_that_can_be_put_back_are_written() {
        let field = |name: &str, kind, change: fn(&mut Field)| {
            let mut field = Field { length: 80, ..Field::plain(name, kind) };
            change(&mut field);
            Kind::of(&field)
        };
        assert_eq!(field("Note__c", FieldType::String, |_| {}), Some(Kind::Text));
        assert_eq!(field("WALKME_NOTE__C", FieldType::String, |_| {}), Some(Kind::Text));
        assert_eq!(field("Description", FieldType::String, |_| {}), None);
        assert_eq!(field("Note__c", FieldType::String, |f| f.unique = true), None);
        assert_eq!(field("Note__c", FieldType::String, |f| f.nillable = false), None);
        assert_eq!(field("Note__c", FieldType::String, |f| f.updateable = false), None);
        assert_eq!(field("Note__c", FieldType::String, |f| f.length = 10), None);
        assert_eq!(field("Story__c", FieldType::Textarea, |f| f.html_formatted = true), None);
        assert_eq!(field("Flag__c", FieldType::Boolean, |f| f.nillable = false), Some(Kind::Checkbox));
        assert_eq!(field("Set__c", FieldType::Multipicklist, |_| {}), None, "nothing to choose from");
        assert_eq!(field("Code__c", FieldType::Email, |_| {}), None);
    }
}
