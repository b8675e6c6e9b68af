//! What one user sees and may do, as the org tells it to that user.

use std::collections::BTreeMap;

use super::needs::Needs;
use crate::model::{FieldName, Object, ObjectName, RecordId};
use crate::salesforce::{AccessSet, Client, ErrorCode, FieldRight, ObjectRight, SalesforceError, SharingModel};

/// Some records, and what the user may do with them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sample {
    /// Records.
    pub records: usize,
    /// Those that the user may not see.
    pub hidden: usize,
    /// Those that the user may see and not change.
    pub locked: usize,
    /// Are they those that the report names? Otherwise any of the org's.
    pub of_report: bool,
}

/// What one user sees.
#[derive(Default)]
pub struct Sight {
    /// The user.
    pub user: Option<RecordId>,
    /// Its name.
    pub username: Option<String>,
    /// Its profile.
    pub profile: Option<String>,
    /// May it use the API at all?
    pub api: bool,
    /// Objects by name as asked for; `None`: not there, or hidden.
    pub objects: BTreeMap<ObjectName, Option<Object>>,
    /// Its permission sets; `None` where it may not look at them.
    pub sets: Option<Vec<AccessSet>>,
    /// What they grant on objects.
    pub object_rights: Option<Vec<ObjectRight>>,
    /// What they grant on fields of objects that the user may not see, or change no record of: describe tells nothing of these.
    pub field_rights: BTreeMap<ObjectName, Option<Vec<FieldRight>>>,
    /// Org-wide defaults.
    pub models: Vec<(ObjectName, SharingModel)>,
    /// Samples by object.
    pub samples: BTreeMap<ObjectName, Sample>,
}

/// What the org answers; `None` where it will not tell this user.
pub fn told<T>(answer: Result<T, SalesforceError>) -> Result<Option<T>, SalesforceError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error @ SalesforceError::Api(_)) if !error.is_not_authorised() && !is_limit(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_limit(error: &SalesforceError) -> bool {
    error.api().is_some_and(|api| *api.code() == ErrorCode::RequestLimitExceeded)
}

/// Is the user refused because API Enabled is missing?
pub fn is_without_api(error: &SalesforceError) -> bool {
    error.api().is_some_and(|api| *api.code() == ErrorCode::ApiDisabledForOrg)
}

impl Sight {
    /// Asks who the user is, and for these objects.
    ///
    /// # Errors
    /// The log-in, the network, limits. What the user may not see is no error.
    pub async fn of(client: &Client, objects: &[ObjectName]) -> Result<Self, SalesforceError> {
        let user = match client.session_user().await {
            Ok(user) => user,
            Err(error) if is_without_api(&error) => return Ok(Self::default()),
            Err(error) => return Err(error),
        };
        let mut sight = Self { user, api: true, ..Self::default() };
        sight.username = told(client.identity().await)?.and_then(|identity| identity.username);
        if let Some(user) = user {
            if sight.username.is_none() {
                sight.username = told(client.username_of(user).await)?.flatten();
            }
            sight.profile = told(client.profile_of(user).await)?.flatten();
            sight.sets = told(client.access_sets(user).await)?;
        }
        sight.describe(client, objects).await?;
        Ok(sight)
    }

    /// Describes further objects.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub async fn describe(&mut self, client: &Client, objects: &[ObjectName]) -> Result<(), SalesforceError> {
        for object in objects {
            if !self.api || self.objects.contains_key(object) {
                continue;
            }
            let seen = match client.describe(object).await {
                Ok(seen) => Some(seen),
                Err(SalesforceError::Api(error)) if error.status == 404 => None,
                Err(error) => return Err(error),
            };
            self.objects.insert(object.clone(), seen);
        }
        Ok(())
    }

    /// Asks what describe does not tell.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub async fn ask(&mut self, client: &Client, needs: &Needs) -> Result<(), SalesforceError> {
        let objects: Vec<ObjectName> = needs.keys().cloned().collect();
        let (true, Some(user), false) = (self.api, self.user, objects.is_empty()) else { return Ok(()) };
        if self.sets.is_some() {
            self.object_rights = told(client.object_rights(user, &objects).await)?;
        }
        self.models = told(client.sharing_models(&objects).await)?.unwrap_or_default();
        for (name, need) in needs {
            let closed = self.object(name).is_none_or(|o| need.edit && !o.updateable) && !need.fields.is_empty();
            if closed && self.sets.is_some() {
                let fields: Vec<FieldName> = need.fields.keys().cloned().collect();
                let rights = told(client.field_rights(user, name, &fields).await)?;
                self.field_rights.insert(name.clone(), rights);
            }
        }
        Ok(())
    }

    /// An object as this user sees it.
    pub fn object(&self, name: &ObjectName) -> Option<&Object> {
        self.objects.get(name).and_then(Option::as_ref)
    }

    fn any_set(&self, has: impl Fn(&AccessSet) -> bool) -> Option<bool> {
        self.sets.as_ref().map(|sets| sets.iter().any(has))
    }

    /// Modify All Data.
    pub fn modifies_all_data(&self) -> Option<bool> {
        self.any_set(|set| set.modify_all_data)
    }

    /// API Only User.
    pub fn only_api(&self) -> Option<bool> {
        self.any_set(|set| set.api_only)
    }

    fn on_object(&self, object: &ObjectName, has: impl Fn(&ObjectRight) -> bool) -> Option<bool> {
        self.object_rights.as_ref().map(|rights| rights.iter().any(|r| r.object == *object && has(r)))
    }

    /// Does the user see every record of it, whatever sharing says? `None`: not known.
    pub fn views_all(&self, object: &ObjectName) -> Option<bool> {
        either(self.any_set(|set| set.view_all_data || set.modify_all_data), self.on_object(object, |r| r.view_all))
    }

    /// May the user change every record of it, whatever sharing says?
    pub fn modifies_all(&self, object: &ObjectName) -> Option<bool> {
        either(self.modifies_all_data(), self.on_object(object, |r| r.modify_all))
    }

    /// The org-wide default.
    pub fn model(&self, object: &ObjectName) -> Option<SharingModel> {
        self.models.iter().find(|(name, _)| name == object).map(|(_, model)| *model)
    }
}

fn either(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}
