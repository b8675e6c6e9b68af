//! What a user may do, as the org's own records tell it: permission sets, rights on objects and fields, org-wide defaults, access to single records.
//!
//! Most of these need "View Setup and Configuration"; a user without it is answered that there is no such object, and the caller says "not known".
//! Object reference: PermissionSet, PermissionSetAssignment, ObjectPermissions, FieldPermissions, UserRecordAccess, EntityDefinition.

use std::fmt::Write as _;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::answer::malformed;
use super::client::Call;
use super::{Client, SalesforceError};
use crate::model::{FieldName, ObjectName, RecordId};

/// Records that one question about access may name (UserRecordAccess, "Special Access Rules").
pub const ACCESS_LIMIT: usize = 200;

/// A permission set that a user has. Every profile owns one, which says what the profile grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessSet {
    /// API name.
    pub name: String,
    /// What people see; of a profile's own set it says nothing.
    pub label: String,
    /// Is it the profile's own?
    pub of_profile: bool,
    /// API Enabled.
    pub api_enabled: bool,
    /// API Only User.
    pub api_only: bool,
    /// View All Data.
    pub view_all_data: bool,
    /// Modify All Data.
    pub modify_all_data: bool,
}

/// What one permission set grants on an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectRight {
    /// The object.
    pub object: ObjectName,
    /// View All Records, or Modify All Records.
    pub view_all: bool,
    /// Modify All Records.
    pub modify_all: bool,
}

/// What one permission set grants on a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldRight {
    /// The field.
    pub field: FieldName,
    /// May write it.
    pub edit: bool,
}

/// What a user may do with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordAccess {
    /// See it.
    pub read: bool,
    /// Change it.
    pub edit: bool,
}

/// Org-wide default of an object: what everybody may do with records of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SharingModel {
    /// Nothing.
    Private,
    /// See them.
    Read,
    /// See and change them.
    Edit,
    /// As the parent record says, or in another way that this version does not know.
    Other,
}

impl SharingModel {
    /// `EntityDefinition.InternalSharingModel`.
    fn parse(text: &str) -> Self {
        match text {
            "Private" => SharingModel::Private,
            "Read" | "ReadSelect" => SharingModel::Read,
            "ReadWrite" | "ReadWriteTransfer" | "FullAccess" => SharingModel::Edit,
            _ => SharingModel::Other,
        }
    }
}

#[derive(Deserialize)]
struct Rows<T> {
    records: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct IdRow {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UserRow {
    profile: Option<ProfileRow>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ProfileRow {
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AssignmentRow {
    permission_set: Option<SetRow>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SetRow {
    name: Option<String>,
    label: Option<String>,
    #[serde(default)]
    is_owned_by_profile: bool,
    #[serde(default)]
    permissions_api_enabled: bool,
    #[serde(default)]
    permissions_api_user_only: bool,
    #[serde(default)]
    permissions_view_all_data: bool,
    #[serde(default)]
    permissions_modify_all_data: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ObjectRow {
    sobject_type: String,
    #[serde(default)]
    permissions_view_all_records: bool,
    #[serde(default)]
    permissions_modify_all_records: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct FieldRow {
    field: String,
    #[serde(default)]
    permissions_edit: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EntityRow {
    qualified_api_name: String,
    internal_sharing_model: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AccessRow {
    record_id: String,
    #[serde(default)]
    has_read_access: bool,
    #[serde(default)]
    has_edit_access: bool,
}

/// `'Lead','Contact'`. Names of objects and fields hold nothing that would have to be escaped; one that does is left out, as no org has it.
fn listed<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let mut list = String::new();
    for name in names {
        if name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.') {
            let _ = write!(list, "{}'{name}'", if list.is_empty() { "" } else { "," });
        }
    }
    list
}

/// The permission sets of a user, as a part of a condition.
fn of_user(user: RecordId) -> String {
    format!("ParentId IN (SELECT PermissionSetId FROM PermissionSetAssignment WHERE AssigneeId = '{user}')")
}

impl Client {
    async fn ask<T: DeserializeOwned>(&self, what: &'static str, soql: &str) -> Result<Vec<T>, SalesforceError> {
        let response = self.call(&Call::get(self.query_target(soql))).await?;
        let rows: Rows<T> = serde_json::from_slice(&response.body).map_err(|e| malformed(what, e))?;
        Ok(rows.records)
    }

    /// The user who is logged in, by whatever tells it: the log-in, or the list of resources, which every session may read. It is also the cheapest
    /// call of the API that there is. `None` where neither tells.
    pub async fn session_user(&self) -> Result<Option<RecordId>, SalesforceError> {
        #[derive(Deserialize)]
        struct Resources {
            identity: Option<String>,
        }
        let response = self.call(&Call::get(self.path(""))).await?;
        let resources: Resources =
            serde_json::from_slice(&response.body).map_err(|e| malformed("the list of resources", e))?;
        let last = |url: String| url.rsplit('/').next().and_then(|id| RecordId::parse(id).ok());
        match resources.identity.and_then(last) {
            Some(user) => Ok(Some(user)),
            None => Ok(self.identity().await?.user_id),
        }
    }

    /// The name of a user's profile.
    pub async fn profile_of(&self, user: RecordId) -> Result<Option<String>, SalesforceError> {
        let soql = format!("SELECT Profile.Name FROM User WHERE Id = '{user}'");
        let rows: Vec<UserRow> = self.ask("the query of User", &soql).await?;
        Ok(rows.into_iter().next().and_then(|row| row.profile).and_then(|profile| profile.name))
    }

    /// A user's permission sets, the profile's own among them.
    pub async fn access_sets(&self, user: RecordId) -> Result<Vec<AccessSet>, SalesforceError> {
        let soql = format!(
            "SELECT PermissionSet.Name, PermissionSet.Label, PermissionSet.IsOwnedByProfile, PermissionSet.PermissionsApiEnabled, \
             PermissionSet.PermissionsApiUserOnly, PermissionSet.PermissionsViewAllData, PermissionSet.PermissionsModifyAllData \
             FROM PermissionSetAssignment WHERE AssigneeId = '{user}'"
        );
        let rows: Vec<AssignmentRow> = self.ask("the query of PermissionSetAssignment", &soql).await?;
        let sets = rows.into_iter().filter_map(|row| row.permission_set);
        Ok(sets
            .map(|set| AccessSet {
                name: set.name.unwrap_or_default(),
                label: set.label.unwrap_or_default(),
                of_profile: set.is_owned_by_profile,
                api_enabled: set.permissions_api_enabled,
                api_only: set.permissions_api_user_only,
                view_all_data: set.permissions_view_all_data,
                modify_all_data: set.permissions_modify_all_data,
            })
            .collect())
    }

    /// What a user's permission sets grant on objects: a line a set and an object.
    pub async fn object_rights(
        &self,
        user: RecordId,
        objects: &[ObjectName],
    ) -> Result<Vec<ObjectRight>, SalesforceError> {
        let soql = format!(
            "SELECT SobjectType, PermissionsViewAllRecords, PermissionsModifyAllRecords FROM ObjectPermissions WHERE {} AND SobjectType IN ({})",
            of_user(user),
            listed(objects.iter().map(ObjectName::as_str))
        );
        let rows: Vec<ObjectRow> = self.ask("the query of ObjectPermissions", &soql).await?;
        let right = |row: ObjectRow| ObjectRight {
            object: ObjectName::new(row.sobject_type),
            view_all: row.permissions_view_all_records || row.permissions_modify_all_records,
            modify_all: row.permissions_modify_all_records,
        };
        Ok(rows.into_iter().map(right).collect())
    }

    /// What a user's permission sets grant on fields of an object: a line a set and a field.
    pub async fn field_rights(
        &self,
        user: RecordId,
        object: &ObjectName,
        fields: &[FieldName],
    ) -> Result<Vec<FieldRight>, SalesforceError> {
        let names: Vec<String> = fields.iter().map(|field| format!("{object}.{field}")).collect();
        let soql = format!(
            "SELECT Field, PermissionsEdit FROM FieldPermissions WHERE {} AND SobjectType = '{object}' AND Field IN ({})",
            of_user(user),
            listed(names.iter().map(String::as_str))
        );
        let rows: Vec<FieldRow> = self.ask("the query of FieldPermissions", &soql).await?;
        let right = |row: FieldRow| {
            let name = row.field.rsplit('.').next().unwrap_or_default().to_owned();
            FieldRight { field: FieldName::new(name), edit: row.permissions_edit }
        };
        Ok(rows.into_iter().map(right).collect())
    }

    /// Org-wide defaults, of the objects that the org tells one of.
    pub async fn sharing_models(
        &self,
        objects: &[ObjectName],
    ) -> Result<Vec<(ObjectName, SharingModel)>, SalesforceError> {
        let soql = format!(
            "SELECT QualifiedApiName, InternalSharingModel FROM EntityDefinition WHERE QualifiedApiName IN ({})",
            listed(objects.iter().map(ObjectName::as_str))
        );
        let rows: Vec<EntityRow> = self.ask("the query of EntityDefinition", &soql).await?;
        let told = |row: EntityRow| {
            Some((ObjectName::new(row.qualified_api_name), SharingModel::parse(&row.internal_sharing_model?)))
        };
        Ok(rows.into_iter().filter_map(told).collect())
    }

    /// Some records that this user sees, under a condition as written.
    pub async fn some_records(
        &self,
        object: &ObjectName,
        condition: Option<&str>,
        most: usize,
    ) -> Result<Vec<RecordId>, SalesforceError> {
        let condition = condition.map(|c| format!(" WHERE {c}")).unwrap_or_default();
        let soql = format!("SELECT Id FROM {object}{condition} LIMIT {most}");
        let rows: Vec<IdRow> = self.ask("a query", &soql).await?;
        Ok(rows.into_iter().filter_map(|row| RecordId::parse(&row.id).ok()).collect())
    }

    /// What a user may do with records, at most [`ACCESS_LIMIT`]. A record that the answer does not name may be neither seen nor changed.
    pub async fn record_access(
        &self,
        user: RecordId,
        records: &[RecordId],
    ) -> Result<Vec<RecordAccess>, SalesforceError> {
        let ids: Vec<String> = records.iter().take(ACCESS_LIMIT).map(RecordId::to_string).collect();
        let soql = format!(
            "SELECT RecordId, HasReadAccess, HasEditAccess FROM UserRecordAccess WHERE UserId = '{user}' AND RecordId IN ({})",
            listed(ids.iter().map(String::as_str))
        );
        let rows: Vec<AccessRow> = self.ask("the query of UserRecordAccess", &soql).await?;
        let told: Vec<(RecordId, RecordAccess)> = rows
            .into_iter()
            .filter_map(|row| {
                let access = RecordAccess { read: row.has_read_access, edit: row.has_edit_access };
                Some((RecordId::parse(&row.record_id).ok()?, access))
            })
            .collect();
        let none = RecordAccess { read: false, edit: false };
        let of = |record: &RecordId| told.iter().find(|(id, _)| id == record).map_or(none, |(_, access)| *access);
        Ok(records.iter().take(ACCESS_LIMIT).map(of).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_listed_and_what_is_none_is_left_out() {
        assert_eq!(listed(["Lead", "Usage__c", "x' OR Id != '"]), "'Lead','Usage__c'");
        assert_eq!(listed([]), "");
    }

    #[test]
    fn defaults_that_are_not_known_say_nothing() {
        for (text, model) in [
            ("Private", SharingModel::Private),
            ("Read", SharingModel::Read),
            ("ReadWriteTransfer", SharingModel::Edit),
            ("ControlledByParent", SharingModel::Other),
            ("Brand New", SharingModel::Other),
        ] {
            assert_eq!(SharingModel::parse(text), model);
        }
    }
}
