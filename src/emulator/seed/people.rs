//! Apps and users as a YAML seed writes them, and what each may do.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The password of users whose seed names none.
pub const PASSWORD: &str = "emulator";

/// An app (External Client App, connected app). What is not said is closed, as a new External Client App is
/// (DOC/metadata-api/extlclntappglobaloauthsettings), but for what tests of machines need: client credentials and installation.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClientSeed {
    /// Consumer key.
    pub client_id: String,
    /// Consumer secret.
    pub client_secret: String,
    /// What the consent page calls it.
    pub name: String,
    /// Callback URLs; a `redirect_uri` must equal one of them byte for byte.
    pub callbacks: Vec<String>,
    /// Scopes it may ask for; asking for none asks for all.
    pub scopes: Vec<String>,
    /// PEM of the public key, or certificate, for JWT bearer.
    pub public_key: Option<String>,
    /// Refresh tokens are for single use (`isRefreshTokenRotationEnabled`).
    pub rotation: bool,
    /// A log-in without code challenge is refused (`isPkceRequired`).
    pub pkce_required: bool,
    /// A code is exchanged without the secret (`isConsumerSecretOptional`).
    pub secret_optional: bool,
    /// Refreshing needs the secret (`isSecretRequiredForRefreshToken`).
    pub secret_for_refresh: bool,
    /// Device flow is on (`isDeviceFlowEnabled`).
    pub device_flow: bool,
    /// Client credentials are on (`isClientCredentialsFlowEnabled`).
    pub client_credentials: bool,
    /// Installed in this org, or its own. One that is not cannot be approved by ordinary users.
    pub installed: bool,
    /// Username that client credentials act as.
    pub run_as: Option<String>,
    /// Usernames that have approved it; `None` = everybody. Counts for JWT; people who sign in approve for themselves.
    pub approved: Option<Vec<String>>,
    /// "Admin approved users are pre-authorized": these usernames, and nobody else. `None` = users may approve for themselves.
    pub admin_approved: Option<Vec<String>>,
}

impl Default for ClientSeed {
    fn default() -> Self {
        Self {
            client_id: String::new(),
            client_secret: String::new(),
            name: "Emulated App".to_owned(),
            callbacks: vec!["http://localhost:1717/OauthRedirect".to_owned()],
            scopes: vec!["refresh_token".to_owned(), "api".to_owned()],
            public_key: None,
            rotation: false,
            pkce_required: true,
            secret_optional: false,
            secret_for_refresh: true,
            device_flow: false,
            client_credentials: true,
            installed: true,
            run_as: None,
            approved: None,
            admin_approved: None,
        }
    }
}

impl std::fmt::Debug for ClientSeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientSeed").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// A user and what the user may do.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UserSeed {
    /// User name.
    pub username: String,
    /// Last name.
    pub name: String,
    /// E-mail address; the user name when not given.
    pub email: Option<String>,
    /// What the user types on the login page.
    pub password: String,
    /// May log in.
    pub active: bool,
    /// API Enabled.
    pub api_enabled: bool,
    /// API Only User.
    pub api_only: bool,
    /// View Setup and Configuration: needed for `/limits`.
    pub view_setup: bool,
    /// View All Data: reads every object and record.
    pub view_all_data: bool,
    /// Modify All Data: reads and edits every object and record. Field-level security holds all the same.
    pub modify_all_data: bool,
    /// Approve Uninstalled Connected Apps.
    pub approve_uninstalled_apps: bool,
    /// Label of the user's profile; users of one profile should have the same rights.
    pub profile: Option<String>,
    /// Label of the permission set that grants what the user may do with objects and fields; `None` = the profile does.
    pub permission_set: Option<String>,
    /// Rights on objects that differ from read and edit.
    pub objects: BTreeMap<String, ObjectRights>,
    /// Rights on fields, as `Object.Field`, that differ from edit.
    pub fields: BTreeMap<String, Access>,
    /// Ids of records that the user sees but may not change (sharing).
    pub read_only_records: Vec<String>,
    /// Ids of records that the user does not see (sharing).
    pub hidden_records: Vec<String>,
    /// A refresh token that the user already has, with the first client.
    pub refresh_token: Option<String>,
}

impl std::fmt::Debug for UserSeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserSeed").field("username", &self.username).finish_non_exhaustive()
    }
}

impl Default for UserSeed {
    fn default() -> Self {
        Self {
            username: String::new(),
            name: "User".to_owned(),
            email: None,
            password: PASSWORD.to_owned(),
            active: true,
            api_enabled: true,
            api_only: false,
            view_setup: true,
            view_all_data: false,
            modify_all_data: false,
            approve_uninstalled_apps: false,
            profile: None,
            permission_set: None,
            objects: BTreeMap::new(),
            fields: BTreeMap::new(),
            read_only_records: Vec::new(),
            hidden_records: Vec::new(),
            refresh_token: None,
        }
    }
}

/// Rights on an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ObjectRights {
    /// May see the object's records.
    pub read: bool,
    /// May change them.
    pub edit: bool,
    /// View All Records: sharing hides none of them.
    pub view_all: bool,
    /// Modify All Records: sharing protects none of them.
    pub modify_all: bool,
}

impl Default for ObjectRights {
    fn default() -> Self {
        Self { read: true, edit: true, view_all: false, modify_all: false }
    }
}

/// Field-level security.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Hidden.
    None,
    /// Read-only.
    Read,
    /// Read and edit.
    #[default]
    Edit,
}
