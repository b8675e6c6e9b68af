//! The standard objects and fields of the emulated org: an own table in text files, one line a field, read by `line`.
//!
//! Facts (names, types, lengths, flags) of Lead, Contact, Account, Opportunity and Case agree with recorded describes (v48 to v59);
//! the rest follows the object reference. The table knows nothing of storage or of HTTP.

mod line;

pub use line::{TableError, Traits, kind_name, kind_of, length_default, usual};

use std::collections::HashMap;

use super::schema::ObjectDef;

/// The table's files: picklists first, since the objects name them.
const VALUES: &str = include_str!("values.txt");
const OBJECTS: [&str; 16] = [
    include_str!("account.txt"),
    include_str!("campaign.txt"),
    include_str!("campaign_member.txt"),
    include_str!("case.txt"),
    include_str!("contact.txt"),
    include_str!("field_permissions.txt"),
    include_str!("lead.txt"),
    include_str!("object_permissions.txt"),
    include_str!("opportunity.txt"),
    include_str!("organization.txt"),
    include_str!("permission_set.txt"),
    include_str!("permission_set_assignment.txt"),
    include_str!("profile.txt"),
    include_str!("task.txt"),
    include_str!("user.txt"),
    include_str!("user_record_access.txt"),
];

/// Key of a field's [`Traits`]: object and field in canonical case.
pub type FieldKey = (String, String);

/// The standard objects, and what describe says of their fields beyond [`super::schema::FieldDef`].
pub struct Standard {
    /// The objects, by name order.
    pub objects: Vec<ObjectDef>,
    /// Further facts by (object, field).
    pub traits: HashMap<FieldKey, Traits>,
    /// Objects whose records can be merged or cloned deeply, as describe tells (`mergeable`, `deepCloneable`).
    pub object_flags: HashMap<String, Vec<String>>,
}

/// Reads the table.
///
/// # Errors
/// A line that cannot be read; a test proves that none is.
pub fn load() -> Result<Standard, TableError> {
    let picklists = line::picklists(VALUES)?;
    let mut standard = Standard { objects: Vec::new(), traits: HashMap::new(), object_flags: HashMap::new() };
    for text in OBJECTS {
        line::object(text, &picklists, &mut standard)?;
    }
    standard.objects.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(standard)
}

#[cfg(test)]
mod tests {
    use super::super::schema::Kind;
    use super::load;

    #[test]
    fn every_line_of_the_table_reads() {
        let standard = load().unwrap();
        assert_eq!(standard.objects.len(), 16);
        for object in &standard.objects {
            assert_eq!(object.fields[0].kind, Kind::Id, "{}", object.name);
            let nameless = ["FieldPermissions", "ObjectPermissions", "PermissionSetAssignment", "UserRecordAccess"];
            let names = usize::from(!nameless.contains(&object.name.as_str()));
            assert_eq!(object.fields.iter().filter(|f| f.name_field).count(), names, "{}", object.name);
            for field in &object.fields {
                assert!(standard.traits.contains_key(&(object.name.clone(), field.name.clone())));
                if let Some(compound) = &field.compound {
                    let known = object.field(compound).is_some() || ["Fiscal", "Address"].contains(&compound.as_str());
                    assert!(known, "{}.{}", object.name, field.name);
                }
            }
        }
    }

    #[test]
    fn lead_status_knows_its_default() {
        let standard = load().unwrap();
        let lead = standard.objects.iter().find(|o| o.name == "Lead").unwrap();
        let status = lead.field("status").unwrap();
        assert_eq!(status.picklist.iter().find(|e| e.default).unwrap().value, "Open - Not Contacted");
        assert!(!status.restricted && !status.nillable);
    }
}
