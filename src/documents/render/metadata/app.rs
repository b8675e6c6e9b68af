//! External Client Apps (Metadata API guide: ExternalClientApplication, ExtlClntAppOauthSettings, ExtlClntAppGlobalOauthSettings,
//! ExtlClntAppOauthConfigurablePolicies). Consumer key and secret are Salesforce's to make; they are in none of the files.

use super::File;
use super::xml::{Node, document};

/// The policy by which only chosen users may use an app, without being asked.
pub const ADMIN_APPROVED: &str = "AdminApprovedPreAuthorized";

/// How refresh tokens are dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refreshing {
    /// Each is for single use.
    pub rotates: bool,
    /// One that was not used for so many days ends.
    pub idle_days: u32,
}

/// An app, as it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)]
pub struct App {
    /// API name.
    pub name: String,
    /// What people see.
    pub label: String,
    /// What it is for.
    pub description: String,
    /// Whom Salesforce writes to.
    pub contact: String,
    /// Where a browser comes back to.
    pub callback: String,
    /// Exchanging a code needs the secret.
    pub secret_for_code: bool,
    /// Renewing a session needs the secret.
    pub secret_for_refresh: bool,
    /// Device flow.
    pub device: bool,
    /// Client credentials.
    pub client_credentials: bool,
    /// Refresh tokens, where there are any.
    pub refreshing: Option<Refreshing>,
    /// API name of the permission set that opens the app.
    pub permission_set: String,
}

impl App {
    /// The scopes, as metadata names them: `api` and `refresh_token`.
    pub const SCOPES: &'static str = "Api, RefreshToken";

    /// The four files.
    pub fn files(&self) -> Vec<File> {
        let of = |part: &str| format!("{}_{part}", self.name);
        let app = || Node::text("externalClientApplication", self.name.as_str());
        let label = |part: &str| Node::text("label", format!("{} {part}", self.label));
        let header = [
            Node::text("contactEmail", self.contact.as_str()),
            Node::text("description", self.description.as_str()),
            Node::text("distributionState", "Local"),
            Node::flag("isProtected", false),
            Node::text("label", self.label.as_str()),
        ];
        let scopes = [Node::text("commaSeparatedOauthScopes", Self::SCOPES), app(), label("OAuth")];
        let global = [
            Node::text("callbackUrl", self.callback.as_str()),
            app(),
            Node::flag("isClientCredentialsFlowEnabled", self.client_credentials),
            Node::flag("isConsumerSecretOptional", !self.secret_for_code),
            Node::flag("isDeviceFlowEnabled", self.device),
            Node::flag("isIntrospectAllTokens", false),
            Node::flag("isPkceRequired", true),
            Node::flag("isRefreshTokenRotationEnabled", self.refreshing.is_some_and(|r| r.rotates)),
            Node::flag("isSecretRequiredForRefreshToken", self.secret_for_refresh),
            label("OAuth, global"),
            Node::flag("shouldRotateConsumerKey", false),
            Node::flag("shouldRotateConsumerSecret", false),
        ];
        let mut policies = vec![
            Node::text("commaSeparatedPermissionSet", self.permission_set.as_str()),
            app(),
            Node::text("ipRelaxationPolicyType", "Enforce"),
            label("policies"),
            Node::text("permittedUsersPolicyType", ADMIN_APPROVED),
        ];
        if let Some(refreshing) = self.refreshing {
            policies.push(Node::text("refreshTokenPolicyType", "SpecificInactivity"));
            policies.push(Node::text("refreshTokenValidityPeriod", refreshing.idle_days.to_string()));
            policies.push(Node::text("refreshTokenValidityUnit", "Days"));
        }
        let file = |kind: &'static str, name: &str, nodes: &[Node]| File::new(kind, name, document(kind, nodes));
        vec![
            file("ExternalClientApplication", &self.name, &header),
            file("ExtlClntAppOauthSettings", &of("oauth"), &scopes),
            file("ExtlClntAppGlobalOauthSettings", &of("global"), &global),
            file("ExtlClntAppOauthConfigurablePolicies", &of("policies"), &policies),
        ]
    }
}
