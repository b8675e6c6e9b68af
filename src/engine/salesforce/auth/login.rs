//! The ways to log in.

use std::fmt;
use std::sync::Arc;

use url::Url;

use crate::model::Secret;
use crate::net::is_loopback;

/// A session that something outside hands over.
#[derive(Debug, Clone)]
pub struct Handed {
    /// The access token.
    pub token: Secret,
    /// Where the org is.
    pub instance_url: Url,
    /// The user's name, where it is told.
    pub username: Option<String>,
}

/// Something outside that has a session, and hands over a new one when it is asked again. It may block. The error is for people and holds no secret.
#[derive(Clone)]
pub struct Outside(pub Arc<dyn Fn() -> Result<Handed, String> + Send + Sync>);

impl fmt::Debug for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outside")
    }
}

/// A way to log in without a person at hand. `Debug` shows no secret.
#[derive(Debug, Clone)]
pub enum Login {
    /// A token from the environment. It cannot be renewed.
    AccessToken {
        /// The token.
        token: Secret,
        /// Where the org is.
        instance_url: Url,
    },
    /// A signed assertion (OAuth 2.0 JWT bearer flow).
    Jwt {
        /// `aud`: see [`jwt_audience`].
        audience: String,
        /// Consumer key (`iss`).
        client_id: String,
        /// User (`sub`).
        username: String,
        /// RSA key in PEM form.
        private_key_pem: Secret,
    },
    /// The app's own secret; the org's app settings name the user it acts as. Works on a My Domain host only.
    ClientCredentials {
        /// Consumer key.
        client_id: String,
        /// Consumer secret.
        client_secret: Secret,
    },
    /// A refresh token from an earlier log-in.
    RefreshToken {
        /// Consumer key.
        client_id: String,
        /// Consumer secret, where the app asks for it.
        client_secret: Option<Secret>,
        /// The token, which the org may replace with each use. With a keeper the one that it keeps comes first.
        refresh_token: Secret,
    },
    /// A person's log-in, whose tokens the keeper has.
    Kept {
        /// Consumer key.
        client_id: String,
        /// Consumer secret, where the app asks for it.
        client_secret: Option<Secret>,
    },
    /// Another program's log-in.
    Outside(Outside),
}

/// The audience that the JWT flow expects of this domain: the login host of production or of sandboxes; a loopback org is its own.
pub fn jwt_audience(domain: &Url) -> String {
    if is_loopback(domain) {
        return domain.origin().ascii_serialization();
    }
    let host = domain.host_str().unwrap_or_default();
    let test = host.contains(".sandbox.") || host.contains(".scratch.") || host == "test.salesforce.com";
    (if test { "https://test.salesforce.com" } else { "https://login.salesforce.com" }).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_audience_follows_the_domain() {
        let table = [
            ("https://acme.my.salesforce.com", "https://login.salesforce.com"),
            ("https://acme--uat.sandbox.my.salesforce.com", "https://test.salesforce.com"),
            ("https://test.salesforce.com", "https://test.salesforce.com"),
            ("https://acme-dev-ed.develop.my.salesforce.com", "https://login.salesforce.com"),
            ("http://127.0.0.1:4455/", "http://127.0.0.1:4455"),
        ];
        for (domain, audience) in table {
            assert_eq!(jwt_audience(&Url::parse(domain).unwrap()), audience);
        }
    }
}
