//! Orgs and how they are logged in to, as written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::shapes::{kind_orgs, version};

/// The connected orgs, by names that integrations use.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[schemars(title = "Footbridge orgs", rename = "Orgs")]
pub(in crate::config) struct Orgs {
    /// The version of the format: 1.
    #[schemars(schema_with = "version")]
    #[allow(dead_code)]
    footbridge: u64,
    /// The kind of this document: `orgs`.
    #[schemars(schema_with = "kind_orgs")]
    #[allow(dead_code)]
    kind: String,
    /// An org, by the name that integrations use.
    #[serde(flatten)]
    pub(in crate::config) orgs: BTreeMap<String, Org>,
}

/// An org with its environments.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Org", extend("minProperties" = 1))]
pub(in crate::config) struct Org {
    /// The sandbox of this org.
    pub(in crate::config) sandbox: Option<OrgEnvironment>,
    /// The production org itself.
    pub(in crate::config) production: Option<OrgEnvironment>,
}

/// One environment of an org: where it is, which one it must be, how to log in.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OrgEnvironment")]
pub(in crate::config) struct OrgEnvironment {
    /// The org's My Domain, such as `acme.my.salesforce.com`, without `https://`.
    #[schemars(length(min = 1, max = 300))]
    pub(in crate::config) domain: String,
    /// The org's id (`00D…`, Setup > Company Information); `footbridge orgs connect` writes it. Nothing is sent to an org with another id.
    #[schemars(length(min = 1))]
    pub(in crate::config) org_id: Option<String>,
    /// How Footbridge logs in to plan and to apply.
    pub(in crate::config) auth: Auth,
    /// How Footbridge logs in to plan, where that is another user: one that may only read is enough.
    pub(in crate::config) plan_auth: Option<Auth>,
    /// How CI logs in (where the variable `CI` is set), instead of `auth`: by a machine's flow. So people use `browser` and CI uses `jwt` in one environment.
    pub(in crate::config) ci_auth: Option<Auth>,
    /// Where the log-in is sent, if not to `domain`: `login.salesforce.com`, `test.salesforce.com` or a My Domain.
    #[schemars(length(min = 1, max = 300))]
    pub(in crate::config) login_url: Option<String>,
    /// The version of Salesforce's API, in quotes: "66.0". By default the project's.
    #[schemars(regex(pattern = API_VERSION))]
    pub(in crate::config) api_version: Option<String>,
}

/// The form of an API version.
pub(in crate::config) const API_VERSION: &str = r"^[1-9][0-9]{1,2}\.0$";

/// A log-in: a person's (`browser`, `device`, `sf_cli`) or a machine's. Every secret is a variable of the environment: `${NAME}`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(tag = "flow", rename_all = "snake_case", deny_unknown_fields)]
#[schemars(rename = "Auth")]
pub(in crate::config) enum Auth {
    /// An access token that something else has obtained.
    AccessToken {
        /// The token, as `${NAME}`.
        #[schemars(length(min = 1))]
        token: String,
    },
    /// The JWT bearer flow: a user, a connected app, and a private key.
    Jwt {
        /// The app's consumer key.
        #[schemars(length(min = 1))]
        client_id: String,
        /// The user's name in Salesforce, which looks like an e-mail address.
        #[schemars(length(min = 1))]
        username: String,
        /// A file with the private key (PEM): a path, usually as `${NAME}`. Either this or `private_key`.
        #[schemars(length(min = 1))]
        private_key_file: Option<String>,
        /// The private key itself (PEM), as `${NAME}`. Either this or `private_key_file`.
        #[schemars(length(min = 1))]
        private_key: Option<String>,
        /// The audience, where it is not the one that follows from the environment.
        #[schemars(length(min = 1))]
        audience: Option<String>,
    },
    /// The client credentials flow: a connected app with a run-as user.
    ClientCredentials {
        /// The app's consumer key.
        #[schemars(length(min = 1))]
        client_id: String,
        /// The app's consumer secret, as `${NAME}`.
        #[schemars(length(min = 1))]
        client_secret: String,
    },
    /// A refresh token that something else has obtained.
    RefreshToken {
        /// The app's consumer key.
        #[schemars(length(min = 1))]
        client_id: String,
        /// The app's consumer secret, as `${NAME}`, where the app asks for one.
        #[schemars(length(min = 1))]
        client_secret: Option<String>,
        /// The refresh token, as `${NAME}`.
        #[schemars(length(min = 1))]
        refresh_token: String,
    },
    /// A person logs in on Salesforce's own page, once: `footbridge orgs connect`. The tokens are kept on this machine, encrypted.
    Browser {
        /// The app's consumer key.
        #[schemars(length(min = 1))]
        client_id: String,
        /// The app's consumer secret, as `${NAME}`, where the app asks for one.
        #[schemars(length(min = 1))]
        client_secret: Option<String>,
        /// The callback URL, as it is registered with the app to the letter. By default `http://localhost:1717/OauthRedirect`.
        #[schemars(length(min = 1))]
        callback: Option<String>,
    },
    /// A person logs in on another device, by a code of eight characters: `footbridge orgs connect`. The tokens are kept on this machine, encrypted.
    Device {
        /// The app's consumer key.
        #[schemars(length(min = 1))]
        client_id: String,
        /// The app's consumer secret, as `${NAME}`, where the app asks for one.
        #[schemars(length(min = 1))]
        client_secret: Option<String>,
    },
    /// A log-in that Salesforce's own command line, `sf`, has.
    SfCli {
        /// The alias or user name that `sf org list` shows. Either this or `auth_url`.
        #[schemars(length(min = 1))]
        target_org: Option<String>,
        /// The address `force://…` that `sf org auth show-sfdx-auth-url` prints, as `${NAME}`. Either this or `target_org`.
        #[schemars(length(min = 1))]
        auth_url: Option<String>,
    },
}
