//! What is kept of one log-in.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{EnvironmentName, OrgId, RecordId, Secret};

/// Which log-in: of an environment of an org.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The org's name in the configuration.
    pub org: String,
    /// The environment.
    pub environment: EnvironmentName,
    /// The log-in of plans alone (`plan_auth`), and not the one of everything (`auth`)?
    pub plans: bool,
}

/// As messages call it: `acme (sandbox)`, and `acme (sandbox, plan_auth)` for the log-in of plans.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { org, environment, plans } = self;
        write!(f, "{org} ({environment}{})", if *plans { ", plan_auth" } else { "" })
    }
}

/// A log-in that Salesforce no longer takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// When it was found out.
    pub at: Timestamp,
    /// Salesforce's own words.
    pub reason: String,
}

/// One log-in.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connection {
    /// The org's name in the configuration.
    pub org: String,
    /// The environment.
    pub environment: EnvironmentName,
    /// The log-in of plans alone?
    pub plans: bool,
    /// The flow's word in the configuration.
    pub flow: String,
    /// The org that it leads to.
    pub org_id: OrgId,
    /// Where calls go: `https://acme.my.salesforce.com`.
    pub instance: String,
    /// The user.
    pub user_id: Option<RecordId>,
    /// The user's name.
    pub username: Option<String>,
    /// The app's consumer key.
    pub client_id: String,
    /// The present session.
    #[serde(with = "hidden")]
    pub access_token: Option<Secret>,
    /// What renews it.
    #[serde(with = "hidden")]
    pub refresh_token: Option<Secret>,
    /// Does the org replace the refresh token at each use? `None`: not known yet.
    pub rotates: Option<bool>,
    /// The digest of the refresh token that the environment gave, of which this is the successor.
    pub successor_of: Option<String>,
    /// When it was made (UTC).
    pub created: Timestamp,
    /// When a command last used it.
    pub used: Timestamp,
    /// A refresh token was sent at this time, and what came of it is not written yet.
    pub sent: Option<Timestamp>,
    /// Salesforce takes it no longer.
    pub ended: Option<Ended>,
}

impl Connection {
    /// Which log-in it is.
    pub fn place(&self) -> Place {
        Place { org: self.org.clone(), environment: self.environment, plans: self.plans }
    }

    /// May the refresh token be spent, so that it must not be sent again? Where the org is known to leave it as it is, it may.
    pub fn is_uncertain(&self) -> bool {
        self.sent.is_some() && self.rotates != Some(false)
    }
}

/// Secrets in the clear: only ever inside of the encrypted file.
mod hidden {
    use super::{Deserialize, Secret};
    use serde::{Deserializer, Serializer};

    pub fn serialize<S: Serializer>(secret: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
        match secret {
            Some(secret) => serializer.serialize_some(secret.expose()),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.map(Secret::new))
    }
}
