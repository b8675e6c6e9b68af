//! Where a right is given: the path in Setup and the line of a permission set, in the same words before a plan, in a check, and in the file that
//! `footbridge orgs check --write` leaves.

use crate::model::{EnvironmentName, Field, FieldName, ObjectName};
use crate::render::metadata::{FieldGrant, ObjectGrant};

/// A name for Salesforce's API: letters, digits and single underscores (Metadata API guide, "fullName").
pub fn api_name(text: &str) -> String {
    let mut name = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            name.push(c);
        } else if !name.ends_with('_') {
            name.push('_');
        }
    }
    name.trim_matches('_').to_owned()
}

/// API name of the permission set for an org's log-in; the same in both environments, as one is promoted to the other.
pub fn set_name(org: &str, plans: bool) -> String {
    api_name(&format!("Footbridge {org}{}", if plans { " plans" } else { "" }))
}

/// Its label.
pub fn set_label(org: &str, plans: bool) -> String {
    format!("Footbridge {org}{}", if plans { " (plans)" } else { "" })
}

/// `Read and Edit`, `Read`.
pub fn words(edit: bool) -> &'static str {
    if edit { "Read and Edit" } else { "Read" }
}

/// Where rights on an object are given. `set`: the permission set's label.
pub fn object_setup(set: &str, object: &str, edit: bool) -> String {
    format!("Setup > Permission Sets > {set} > Object Settings > {object} > Object Permissions: {}", words(edit))
}

/// Where rights on a field are given.
pub fn field_setup(set: &str, object: &str, field: &str, edit: bool) -> String {
    format!(
        "Setup > Permission Sets > {set} > Object Settings > {object} > Field Permissions, {field}: {}",
        words(edit)
    )
}

/// The line of a permission set for an object.
pub fn object_line(object: &ObjectName, edit: bool) -> String {
    ObjectGrant { object: object.clone(), edit }.line()
}

/// The line of a permission set for a field.
pub fn field_line(object: &ObjectName, field: &FieldName, edit: bool) -> String {
    FieldGrant { object: object.clone(), field: field.clone(), edit }.line()
}

/// Is it a permission set that decides on the field's Edit, and not the field's own kind?
pub fn can_be_granted(field: &Field) -> bool {
    let fixed = field.calculated || field.auto_number || field.compound.is_none() && is_whole(field);
    !fixed && field.permissionable
}

/// A field of parts: an address, a location.
fn is_whole(field: &Field) -> bool {
    use crate::model::FieldType;
    matches!(field.field_type, FieldType::Address | FieldType::Location)
}

/// Fields of which field-level security knows nothing, as they are required or Salesforce sets them, in every org.
const UNSECURED: [(&str, &[&str]); 6] = [
    (
        "",
        &[
            "CreatedById",
            "CreatedDate",
            "Id",
            "IsDeleted",
            "LastModifiedById",
            "LastModifiedDate",
            "OwnerId",
            "SystemModstamp",
        ],
    ),
    ("Account", &["Name"]),
    ("Contact", &["LastName", "Name"]),
    ("Lead", &["Company", "IsConverted", "LastName", "Name", "Status"]),
    ("Opportunity", &["CloseDate", "IsClosed", "IsWon", "Name", "StageName"]),
    ("User", &["Alias", "Email", "LastName", "Name", "Username"]),
];

/// May field-level security apply to a field of an object that no log-in can describe? A field of one's own may be required, too: nobody knows then.
pub fn may_be_secured(object: &ObjectName, field: &FieldName) -> bool {
    let of = |name: &str| name.is_empty() || name.eq_ignore_ascii_case(object.as_str());
    let known = UNSECURED.iter().filter(|(name, _)| of(name)).flat_map(|(_, fields)| *fields);
    let own = object.as_str().to_ascii_lowercase().ends_with("__c") && field.as_str().eq_ignore_ascii_case("Name");
    !own && !known.into_iter().any(|name| name.eq_ignore_ascii_case(field.as_str()))
}

/// The command that writes the permission set.
pub fn check_command(org: &str, environment: EnvironmentName) -> String {
    format!("footbridge orgs check {org} --env {environment} --write DIR")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_such_as_salesforce_takes() {
        for (org, name) in
            [("acme", "Footbridge_acme"), ("acme--uat", "Footbridge_acme_uat"), ("a.b-", "Footbridge_a_b")]
        {
            assert_eq!(set_name(org, false), name);
        }
        assert_eq!(set_name("acme", true), "Footbridge_acme_plans");
    }
}
