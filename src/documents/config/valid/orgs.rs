//! A valid org: where it is, which one it must be, how to log in.

use std::collections::BTreeMap;

use crate::model::{EnvironmentName, OrgId, Secret};

use super::Spanned;

/// An org with its connected environments.
#[derive(Debug, Clone)]
pub struct Org {
    /// Its name, where it was written.
    pub name: Spanned<String>,
    /// The connected environments: one at least.
    pub environments: BTreeMap<EnvironmentName, OrgEnvironment>,
}

/// One environment of an org.
#[derive(Debug, Clone)]
pub struct OrgEnvironment {
    /// Where calls go.
    pub domain: Spanned<Domain>,
    /// The id that the org must have. `None` until `orgs connect` has written it: nothing else reaches the org before.
    pub org_id: Option<Spanned<OrgId>>,
    /// The version of Salesforce's API, such as `66.0`.
    pub api_version: String,
    /// How to log in to plan and to apply.
    pub log_in: Spanned<LogIn>,
    /// How to log in to plan, where that is another user.
    pub plan_log_in: Option<Spanned<LogIn>>,
    /// Where the log-in is sent.
    pub login_domain: Spanned<Domain>,
}

/// A host that calls may go to: one of Salesforce's, or loopback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain {
    pub(in crate::config) host: String,
    pub(in crate::config) loopback: bool,
}

impl Domain {
    /// Host and, on loopback, port: `acme.my.salesforce.com`, `127.0.0.1:8080`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Is it this machine? Then plain http is spoken.
    pub fn is_loopback(&self) -> bool {
        self.loopback
    }

    /// `https://acme.my.salesforce.com`, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("{}://{}", if self.loopback { "http" } else { "https" }, self.host)
    }
}

/// A value that may be secret, with the variable that it came from.
#[derive(Debug, Clone)]
pub struct Credential {
    /// The value. Never shown.
    pub value: Secret,
    /// The variables it was made from.
    pub variables: Vec<String>,
}

impl PartialEq for Credential {
    fn eq(&self, other: &Self) -> bool {
        self.variables == other.variables && self.value.expose() == other.value.expose()
    }
}
impl Eq for Credential {}

/// A header of a request for a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Its name, in small letters.
    pub name: String,
    /// Its value.
    pub value: HeaderValue,
}

/// A header's value, or the variables that are not set. Only where not every variable was asked for does it come without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderValue {
    /// Ready to be sent.
    Ready(Credential),
    /// These variables are not set.
    Unset(Vec<String>),
}

/// A log-in, or the variables that are not set. Only environments that were not asked for come without.
#[derive(Debug, Clone)]
pub enum LogIn {
    /// Ready to be used.
    Ready(Auth),
    /// These variables are not set.
    Unset(Vec<String>),
}

/// The address that the browser comes back to: on this machine, registered with the app to the letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// As written: `http://localhost:1717/OauthRedirect`.
    pub text: String,
    /// `localhost`, `127.0.0.1` or `[::1]`.
    pub host: String,
    /// The port to listen on.
    pub port: u16,
    /// `/OauthRedirect`.
    pub path: String,
}

/// A log-in.
#[derive(Debug, Clone)]
pub enum Auth {
    /// An access token that something else has obtained.
    AccessToken {
        /// The token.
        token: Credential,
    },
    /// JWT bearer, with the private key in a file.
    JwtFile {
        /// Consumer key.
        client_id: Credential,
        /// The user's name in Salesforce.
        username: String,
        /// Path of the key (PEM); relative ones from the repository's root.
        private_key_file: String,
        /// The audience: `https://login.salesforce.com`, `https://test.salesforce.com` or what was written.
        audience: String,
    },
    /// JWT bearer, with the private key itself.
    JwtKey {
        /// Consumer key.
        client_id: Credential,
        /// The user's name in Salesforce.
        username: String,
        /// The key (PEM).
        private_key: Credential,
        /// The audience.
        audience: String,
    },
    /// Client credentials.
    ClientCredentials {
        /// Consumer key.
        client_id: Credential,
        /// Consumer secret.
        client_secret: Credential,
    },
    /// A refresh token that something else has obtained.
    RefreshToken {
        /// Consumer key.
        client_id: Credential,
        /// Consumer secret, where the app asks for one.
        client_secret: Option<Credential>,
        /// The token.
        refresh_token: Credential,
    },
    /// In the browser, by a person; kept on this machine.
    Browser {
        /// Consumer key.
        client_id: Credential,
        /// Consumer secret, where the app asks for one.
        client_secret: Option<Credential>,
        /// Where the browser comes back to.
        callback: Callback,
    },
    /// On another device, by a person; kept on this machine.
    Device {
        /// Consumer key.
        client_id: Credential,
        /// Consumer secret, where the app asks for one.
        client_secret: Option<Credential>,
    },
    /// What Salesforce's own command line has.
    SfCli {
        /// Alias or user name.
        target_org: String,
    },
    /// What Salesforce's own command line gave out: `force://CLIENT:SECRET:TOKEN@HOST`.
    SfAuthUrl {
        /// The address.
        auth_url: Credential,
    },
}

impl Auth {
    /// Is it a person's log-in, kept on this machine by `footbridge orgs connect`?
    pub fn is_kept(&self) -> bool {
        matches!(self, Auth::Browser { .. } | Auth::Device { .. })
    }

    /// The word used in files.
    pub fn flow(&self) -> &'static str {
        match self {
            Auth::AccessToken { .. } => "access_token",
            Auth::JwtFile { .. } | Auth::JwtKey { .. } => "jwt",
            Auth::ClientCredentials { .. } => "client_credentials",
            Auth::RefreshToken { .. } => "refresh_token",
            Auth::Browser { .. } => "browser",
            Auth::Device { .. } => "device",
            Auth::SfCli { .. } | Auth::SfAuthUrl { .. } => "sf_cli",
        }
    }
}
