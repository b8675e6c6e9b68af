//! Who is logged in, and into which org. The pinned org is checked before anything else is read.

use serde::Deserialize;

use super::answer::malformed;
use super::client::Call;
use super::{Client, SalesforceError};
use crate::model::{OrgId, RecordId};

/// Who is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The org.
    pub org_id: OrgId,
    /// The user, where the log-in says it.
    pub user_id: Option<RecordId>,
    /// The user's name, where the log-in says it.
    pub username: Option<String>,
}

/// The org's own record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Its id.
    pub id: OrgId,
    /// The company's name.
    pub name: String,
    /// Is it a sandbox?
    pub is_sandbox: bool,
    /// `CS420`.
    pub instance: String,
    /// `Enterprise Edition`.
    pub organization_type: String,
}

#[derive(Deserialize)]
struct UserInfo {
    organization_id: Option<String>,
    user_id: Option<String>,
    preferred_username: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OrganizationWire {
    id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    is_sandbox: Option<bool>,
    #[serde(default)]
    instance_name: Option<String>,
    #[serde(default)]
    organization_type: Option<String>,
}

#[derive(Deserialize)]
struct Records {
    records: Vec<OrganizationWire>,
}

pub(crate) fn decode_organization(body: &[u8]) -> Result<Organization, SalesforceError> {
    let records: Records = serde_json::from_slice(body).map_err(|e| malformed("the query of Organization", e))?;
    let wire =
        records.records.into_iter().next().ok_or_else(|| malformed("the query of Organization", "no record came"))?;
    let id = OrgId::parse(&wire.id)
        .ok_or_else(|| malformed("the query of Organization", format!("{:?} is no id of an org", wire.id)))?;
    Ok(Organization {
        id,
        name: wire.name.unwrap_or_default(),
        is_sandbox: wire.is_sandbox.unwrap_or(false),
        instance: wire.instance_name.unwrap_or_default(),
        organization_type: wire.organization_type.unwrap_or_default(),
    })
}

impl Client {
    /// Who is logged in: from the log-in's reply, else from `userinfo`, else (org only) from the record of the org. Asked for once a log-in.
    pub async fn identity(&self) -> Result<Identity, SalesforceError> {
        let number = self.access().number;
        if let Some(known) = self.known_identity(number) {
            return Ok(known);
        }
        let identity = self.ask_identity().await?;
        self.keep_identity(number, identity.clone());
        Ok(identity)
    }

    async fn ask_identity(&self) -> Result<Identity, SalesforceError> {
        let access = self.access();
        let username = self.session().username();
        if let (Some(org_id), Some(user_id), Some(username)) = (access.org, access.user, username.clone()) {
            return Ok(Identity { org_id, user_id: Some(user_id), username: Some(username) });
        }
        let mut found = (access.org, access.user, username);
        // It needs a scope that many apps do not have, and its refusal looks the same as that of a bad token: the record of the org decides then.
        match self.call(&Call::get("/services/oauth2/userinfo".to_owned())).await {
            Ok(response) => {
                if let Ok(info) = serde_json::from_slice::<UserInfo>(&response.body) {
                    found.0 = found.0.or_else(|| info.organization_id.as_deref().and_then(OrgId::parse));
                    found.1 = found.1.or_else(|| info.user_id.and_then(|id| RecordId::parse(&id).ok()));
                    found.2 = found.2.or(info.preferred_username);
                }
            }
            Err(error @ (SalesforceError::Net(_) | SalesforceError::Token(_))) => return Err(error),
            Err(_) => {}
        }
        let org_id = match found.0 {
            Some(org_id) => org_id,
            None => self.organization().await?.id,
        };
        Ok(Identity { org_id, user_id: found.1, username: found.2 })
    }

    /// A user's name by the user's own record, for apps whose scopes do not open `userinfo`.
    pub async fn username_of(&self, user: RecordId) -> Result<Option<String>, SalesforceError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct User {
            username: Option<String>,
        }
        #[derive(Deserialize)]
        struct Users {
            records: Vec<User>,
        }
        let soql = format!("SELECT Username FROM User WHERE Id = '{user}'");
        let response = self.call(&Call::get(self.query_target(&soql))).await?;
        let users: Users = serde_json::from_slice(&response.body).map_err(|e| malformed("the query of User", e))?;
        Ok(users.records.into_iter().next().and_then(|user| user.username))
    }

    /// Checks the org against its pinned id; every later log-in of this client has to lead to the same org.
    pub async fn check_org(&self, pinned: Option<OrgId>) -> Result<OrgId, SalesforceError> {
        let actual = match self.access().org {
            Some(org) => org,
            None => self.identity().await?.org_id,
        };
        if let Some(pinned) = pinned
            && pinned != actual
        {
            return Err(SalesforceError::WrongOrg { pinned, actual });
        }
        self.pin(actual);
        Ok(actual)
    }

    /// The org's own record.
    pub async fn organization(&self) -> Result<Organization, SalesforceError> {
        let soql = "SELECT Id,Name,IsSandbox,InstanceName,OrganizationType FROM Organization";
        let response = self.call(&Call::get(self.query_target(soql))).await?;
        decode_organization(&response.body)
    }
}
