//! The users' rights as records that SOQL reads: profiles, permission sets, what they grant, and who may do what with a record.
//!
//! They follow from the seed's users and are made anew when a user changes. A user has one profile (with the permission set that
//! every profile owns); what it grants on objects and fields stands there, or in a permission set of its own if the seed names one.
//! `UserRecordAccess` is answered for the records that a query names, as in a real org.

use rusqlite::types::Value as Sql;

use super::ids;
use super::options::EmulatorError;
use super::org::Org;
use super::people::User;
use super::seed::form::Access;
use super::store::rows::{self, Presence};

/// Objects that no permission is given on, because nobody or everybody may use them.
const WITHOUT_RIGHTS: [&str; 8] = [
    "FieldPermissions",
    "ObjectPermissions",
    "Organization",
    "PermissionSet",
    "PermissionSetAssignment",
    "Profile",
    "User",
    "UserRecordAccess",
];

type Row = Vec<(&'static str, Sql)>;

fn text(value: impl Into<String>) -> Sql {
    Sql::Text(value.into())
}

fn flag(value: bool) -> Sql {
    Sql::Integer(value.into())
}

/// Rows of one table, with ids by number.
struct Table {
    prefix: &'static str,
    rows: Vec<Row>,
}

impl Table {
    fn new(prefix: &'static str) -> Self {
        Self { prefix, rows: Vec::new() }
    }

    fn add(&mut self, mut row: Row) -> String {
        let id = ids::nth(self.prefix, self.rows.len() as u64 + 1);
        row.insert(0, ("Id", text(id.clone())));
        self.rows.push(row);
        id
    }
}

/// System permissions, as profiles and permission sets have them.
fn system(user: &User) -> Row {
    let seed = &user.seed;
    vec![
        ("PermissionsApiEnabled", flag(seed.api_enabled)),
        ("PermissionsApiUserOnly", flag(seed.api_only)),
        ("PermissionsViewSetup", flag(seed.view_setup)),
        ("PermissionsViewAllData", flag(seed.view_all_data || seed.modify_all_data)),
        ("PermissionsModifyAllData", flag(seed.modify_all_data)),
    ]
}

impl Org {
    /// Makes the records of rights anew.
    ///
    /// # Errors
    /// SQLite's.
    pub fn show_rights(&mut self) -> Result<(), EmulatorError> {
        let (mut profiles, mut sets, mut assigned) = (Table::new("00e"), Table::new("0PS"), Table::new("0Pa"));
        let (mut objects, mut fields) = (Table::new("110"), Table::new("01k"));
        // Names of profiles so far, with profile and permission set.
        let mut known: Vec<(String, String, String)> = Vec::new();
        let transaction = self.db.unchecked_transaction()?;
        for user in &self.people.users {
            let name = user.seed.profile.clone().unwrap_or_else(|| format!("Profile of {}", user.seed.username));
            let shared = known.iter().find(|(other, ..)| *other == name).cloned();
            let fresh = shared.is_none();
            let (profile, own) = shared.map_or_else(
                || {
                    let row = [vec![("Name", text(name.as_str())), ("UserType", text("Standard"))], system(user)];
                    let profile = profiles.add(row.concat());
                    let row = vec![
                        // Real ones are named by the profile's id, too.
                        ("Name", text(format!("X{}", ids::fifteen(&profile)))),
                        ("Label", text(format!("00ex{}", ids::fifteen(&profile)))),
                        ("ProfileId", text(profile.as_str())),
                        ("IsOwnedByProfile", flag(true)),
                        ("Type", text("Profile")),
                    ];
                    let own = sets.add([row, system(user)].concat());
                    (profile, own)
                },
                |(_, profile, own)| (profile, own),
            );
            if fresh {
                known.push((name, profile.clone(), own.clone()));
            }
            let assign = |set: &str| {
                vec![("PermissionSetId", text(set)), ("AssigneeId", text(user.id.as_str())), ("IsActive", flag(true))]
            };
            assigned.add(assign(&own));
            let granting = match &user.seed.permission_set {
                None if fresh => Some(own),
                None => None,
                Some(label) => {
                    let name = label.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
                    let row = vec![
                        ("Name", text(name)),
                        ("Label", text(label.as_str())),
                        ("IsOwnedByProfile", flag(false)),
                        ("IsCustom", flag(true)),
                        ("Type", text("Regular")),
                    ];
                    let set = sets.add(row);
                    assigned.add(assign(&set));
                    Some(set)
                }
            };
            if let Some(set) = granting {
                self.grants(user, &set, &mut objects, &mut fields);
            }
            let changes = [("ProfileId".to_owned(), text(profile)), ("IsActive".to_owned(), flag(user.seed.active))];
            rows::update(&transaction, "User", &user.id, &changes)?;
        }
        for (object, table) in [
            ("Profile", profiles),
            ("PermissionSet", sets),
            ("PermissionSetAssignment", assigned),
            ("ObjectPermissions", objects),
            ("FieldPermissions", fields),
        ] {
            rows::clear(&transaction, object)?;
            rows::insert(&transaction, object, &table.rows)?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// What a permission set grants: a row an object and a field, where there is anything to grant.
    fn grants(&self, user: &User, set: &str, objects: &mut Table, fields: &mut Table) {
        for object in self.model.catalog.objects.iter().filter(|o| !WITHOUT_RIGHTS.contains(&o.name.as_str())) {
            let rights = user.object(&object.name);
            if rights.read || rights.edit {
                objects.add(vec![
                    ("ParentId", text(set)),
                    ("SobjectType", text(object.name.as_str())),
                    ("PermissionsRead", flag(rights.read)),
                    ("PermissionsCreate", flag(rights.edit)),
                    ("PermissionsEdit", flag(rights.edit)),
                    ("PermissionsDelete", flag(rights.modify_all)),
                    ("PermissionsViewAllRecords", flag(rights.view_all)),
                    ("PermissionsModifyAllRecords", flag(rights.modify_all)),
                ]);
            }
            for field in object.fields.iter().filter(|f| self.model.traits(&object.name, f).permissionable) {
                let access = user.field(&object.name, &field.name);
                if access == Access::None {
                    continue;
                }
                fields.add(vec![
                    ("ParentId", text(set)),
                    ("SobjectType", text(object.name.as_str())),
                    ("Field", text(format!("{}.{}", object.name, field.name))),
                    ("PermissionsRead", flag(true)),
                    ("PermissionsEdit", flag(access == Access::Edit && field.updateable)),
                ]);
            }
        }
    }

    /// Lays out what a user may do with these records, for the query that asked.
    ///
    /// # Errors
    /// SQLite's.
    pub fn show_record_access(&self, user: &str, records: &[String]) -> Result<(), EmulatorError> {
        let asked = ids::eighteen(user).unwrap_or_else(|| user.to_owned());
        let mut table = Table::new("0Ur");
        for record in records {
            let Some(record) = ids::eighteen(record) else { continue };
            let object = self.model.catalog.objects.iter().find(|o| record.starts_with(&o.key_prefix));
            let (read, edit, all) = match (self.people.user(&asked), object) {
                (Some(user), Some(object)) if rows::presence(&self.db, &object.name, &record)? == Presence::There => {
                    let rights = user.object(&object.name);
                    let read = rights.read && !user.hidden(&object.name, &record);
                    let edit = read && rights.edit && !user.only_reads(&object.name, &record);
                    (read, edit, edit && rights.modify_all)
                }
                _ => (false, false, false),
            };
            let level = match (read, edit, all) {
                (_, _, true) => "All",
                (_, true, _) => "Edit",
                (true, ..) => "Read",
                _ => "None",
            };
            table.add(vec![
                ("UserId", text(asked.as_str())),
                ("RecordId", text(record)),
                ("HasReadAccess", flag(read)),
                ("HasEditAccess", flag(edit)),
                ("HasDeleteAccess", flag(all)),
                ("HasTransferAccess", flag(all)),
                ("HasAllAccess", flag(all)),
                ("MaxAccessLevel", text(level)),
            ]);
        }
        rows::clear(&self.db, "UserRecordAccess")?;
        rows::insert(&self.db, "UserRecordAccess", &table.rows)?;
        Ok(())
    }
}
