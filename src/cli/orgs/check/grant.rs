//! The permission set that grants what is needed, and nothing else.

use std::collections::BTreeSet;

use super::needs::Needs;
use crate::cli::grants::{may_be_secured, set_label, set_name};
use crate::model::{Field, FieldName, FieldType, Object, ObjectName};
use crate::render::metadata::{FieldGrant, ObjectGrant, PermissionSet};

/// Objects whose rights depend on Read on the account: Salesforce refuses a permission set that grants them without.
const UNDER_ACCOUNTS: [&str; 5] = ["Asset", "Contact", "Contract", "Opportunity", "Order"];

/// Makes it. `seen`: an object as any log-in sees it; `field`: a field as any log-in sees it.
pub fn permission_set(
    org: &str,
    plans: bool,
    needs: &Needs,
    seen: &dyn Fn(&ObjectName) -> Option<Object>,
    field: &dyn Fn(&ObjectName, &FieldName) -> Option<Field>,
) -> PermissionSet {
    let mut objects: Vec<ObjectGrant> =
        needs.iter().map(|(object, need)| ObjectGrant { object: object.clone(), edit: need.edit }).collect();
    let mut parents = BTreeSet::new();
    for object in needs.keys() {
        if UNDER_ACCOUNTS.iter().any(|under| under.eq_ignore_ascii_case(object.as_str())) {
            parents.insert(ObjectName::new("Account"));
        }
        if let Some(master) = seen(object).as_ref().and_then(master) {
            parents.insert(master);
        }
    }
    let more: Vec<ObjectGrant> = parents
        .into_iter()
        .filter(|parent| !needs.contains_key(parent))
        .map(|object| ObjectGrant { object, edit: false })
        .collect();
    objects.extend(more);
    objects.sort_by(|a, b| a.object.cmp(&b.object));
    let mut fields = Vec::new();
    for (object, need) in needs {
        for (name, need) in &need.fields {
            let secured = match field(object, name) {
                Some(field) => field.permissionable,
                None => may_be_secured(object, name),
            };
            if secured {
                fields.push(FieldGrant { object: object.clone(), field: name.clone(), edit: need.edit });
            }
        }
    }
    let by: BTreeSet<&str> = needs.values().flat_map(|n| &n.integrations).map(String::as_str).collect();
    let by: Vec<&str> = by.into_iter().collect();
    let mut description = format!(
        "What Footbridge needs to {}: {}",
        if plans { "plan" } else { "plan and apply" },
        if by.is_empty() { "nothing yet".to_owned() } else { by.join(", ") }
    );
    if description.chars().count() > 255 {
        description = format!("{}…", description.chars().take(254).collect::<String>());
    }
    PermissionSet { name: set_name(org, plans), label: set_label(org, plans), description, objects, fields }
}

/// The object of the master, where this is a detail: its reference cannot be empty, and no permission is given on it.
fn master(object: &Object) -> Option<ObjectName> {
    let reference = object.field(object.parent.as_ref()?)?;
    let is_master = reference.field_type == FieldType::Reference && !reference.permissionable && !reference.nillable;
    match reference.reference_to.as_slice() {
        [master] if is_master => Some(master.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::needs::{FieldNeed, ObjectNeed, Use};
    use super::*;

    fn need(fields: &[(&str, bool)]) -> ObjectNeed {
        let of = |edit| FieldNeed { of: Use::Target, edit, integrations: BTreeSet::from(["i".to_owned()]) };
        let fields = fields.iter().map(|(name, edit)| (FieldName::new(*name), of(*edit))).collect();
        ObjectNeed { edit: true, fields, integrations: BTreeSet::from(["i".to_owned()]), ..ObjectNeed::default() }
    }

    fn told(needs: &Needs, object: Option<Object>) -> String {
        let field = |_: &ObjectName, name: &FieldName| object.as_ref().and_then(|o| o.field(name)).cloned();
        let set = permission_set("acme", false, needs, &|_| object.clone(), &field);
        let objects = set.objects.iter().map(|g| format!("{}{}", g.object, if g.edit { "+" } else { "" }));
        let fields = set.fields.iter().map(|g| format!("{}{}", g.field, if g.edit { "+" } else { "" }));
        objects.chain(fields).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn required_and_master_detail_fields_are_never_listed() {
        let fixed = |name: &str, kind| Field { permissionable: false, nillable: false, ..Field::plain(name, kind) };
        let master = Field { reference_to: vec![ObjectName::new("Plan__c")], ..fixed("Plan__c", FieldType::Reference) };
        let object = Object {
            name: ObjectName::new("Usage__c"),
            label: "Usage".into(),
            label_plural: "Usages".into(),
            key_prefix: None,
            locked: Vec::new(),
            queryable: true,
            updateable: true,
            fields: vec![master, fixed("Must__c", FieldType::String), Field::plain("May__c", FieldType::String)],
            parent: Some(FieldName::new("Plan__c")),
        };
        let needs =
            Needs::from([(object.name.clone(), need(&[("Plan__c", true), ("Must__c", true), ("May__c", true)]))]);
        assert_eq!(told(&needs, Some(object)), "Plan__c Usage__c+ May__c+");
    }

    #[test]
    fn of_an_object_that_nobody_sees_what_is_always_required_is_left_out() {
        let needs = Needs::from([(
            ObjectName::new("Contact"),
            need(&[("LastName", true), ("Email", false), ("Title", true), ("Own__c", true), ("Name", false)]),
        )]);
        assert_eq!(told(&needs, None), "Account Contact+ Email Own__c+ Title+");
    }
}
