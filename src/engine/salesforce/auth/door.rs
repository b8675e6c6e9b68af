//! A person's log-in: the address for the browser and the exchange of its code (with PKCE), the device flow in Salesforce's own dialect, and the end,
//! revocation. Help articles "OAuth 2.0 Web Server Flow", "OAuth 2.0 Device Flow", "Revoke OAuth Tokens".

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use oauth2::{AuthUrl, AuthorizationCode, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope};
use serde::Deserialize;
use url::Url;

use super::session::read_identity_url;
use super::token::{Granted, TokenEndpoint, TokenErrorCode, TokenReply, of_oauth2};
use crate::model::{OrgId, RecordId, Secret};
use crate::net::{Body, Budget, Class, Http};
use crate::salesforce::SalesforceError;
use crate::salesforce::answer::malformed;

/// What Footbridge asks for: the API, and a token to come back with.
const SCOPES: [&str; 2] = ["api", "refresh_token"];

/// Where people log in: the token endpoint of an org's domain, and what lies beside it.
#[derive(Debug, Clone)]
pub struct Door {
    endpoint: TokenEndpoint,
    domain: Url,
}

/// What a person's log-in gave.
#[derive(Debug)]
pub struct Grant {
    /// The session.
    pub access_token: Secret,
    /// What renews it, where the app's scopes allow that.
    pub refresh_token: Option<Secret>,
    /// Where the org is.
    pub instance_url: Url,
    /// The org, by the identity URL.
    pub org: Option<OrgId>,
    /// The user, by the identity URL.
    pub user: Option<RecordId>,
}

/// A log-in under way in a browser.
pub struct Authorization {
    /// The address to open. It holds no secret: the challenge, not the verifier.
    pub url: Url,
    state: CsrfToken,
    verifier: PkceCodeVerifier,
    callback: RedirectUrl,
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authorization")
    }
}

impl Authorization {
    /// Is this the answer to this log-in, and not somebody else's?
    pub fn is_ours(&self, state: &str) -> bool {
        let own = self.state.secret().as_bytes();
        own.len() == state.len() && own.iter().zip(state.bytes()).fold(0, |different, (a, b)| different | (a ^ b)) == 0
    }
}

/// A log-in under way on another device.
#[derive(Debug)]
pub struct DeviceCode {
    code: Secret,
    /// What the person types: eight characters.
    pub user_code: String,
    /// Where.
    pub address: Url,
    /// How long to wait between questions.
    pub interval: Duration,
}

/// What a question about a device's log-in gave.
#[derive(Debug)]
pub enum Polled {
    /// Nobody has decided yet.
    Pending,
    /// Asked too often: wait longer.
    SlowDown,
    /// Allowed.
    Granted(Box<Grant>),
}

#[derive(Deserialize)]
struct DeviceWire {
    device_code: String,
    user_code: String,
    verification_uri: String,
    #[serde(default)]
    interval: Option<u64>,
}

impl Door {
    /// The door of a domain (a My Domain, `login.salesforce.com` or `test.salesforce.com`).
    ///
    /// # Errors
    /// The host rule refuses it.
    pub fn new(http: Http, budget: Budget, domain: Url) -> Result<Self, SalesforceError> {
        http.check(&domain)?;
        let url = beside(&domain, "token")?;
        Ok(Self { endpoint: TokenEndpoint { http, budget, url }, domain })
    }

    /// Begins a log-in in a browser that comes back to `callback`.
    ///
    /// # Errors
    /// `callback` is no URL.
    pub fn authorize(&self, client_id: &str, callback: &str) -> Result<Authorization, SalesforceError> {
        let no_url = |e: url::ParseError| SalesforceError::Request { detail: format!("the callback is no URL: {e}") };
        let callback = RedirectUrl::new(callback.to_owned()).map_err(no_url)?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let address = AuthUrl::from_url(beside(&self.domain, "authorize")?);
        let client = self.endpoint.oauth(client_id, None).set_auth_uri(address);
        let request = client
            .authorize_url(|| CsrfToken::new_random_len(32))
            .set_redirect_uri(Cow::Borrowed(&callback))
            .set_pkce_challenge(challenge)
            .add_scopes(SCOPES.map(|scope| Scope::new(scope.to_owned())));
        let (url, state) = request.url();
        Ok(Authorization { url, state, verifier, callback })
    }

    /// Exchanges the code that the browser brought. It is good for one exchange, so this is never repeated.
    ///
    /// # Errors
    /// Refused, or no answer.
    pub async fn exchange(
        &self,
        authorization: Authorization,
        code: &Secret,
        client_id: &str,
        client_secret: Option<&Secret>,
    ) -> Result<Grant, SalesforceError> {
        let Authorization { verifier, callback, .. } = authorization;
        let mut hidden = vec![code.clone(), Secret::new(verifier.secret().clone())];
        hidden.extend(client_secret.cloned());
        let send = self.endpoint.adapter(Class::Token, hidden);
        let client = self.endpoint.oauth(client_id, client_secret);
        let reply = client
            .exchange_code(AuthorizationCode::new(code.expose().to_owned()))
            .set_redirect_uri(Cow::Owned(callback))
            .set_pkce_verifier(verifier)
            .request_async(&send)
            .await
            .map_err(of_oauth2)?;
        self.grant(reply)
    }

    /// Begins a log-in on another device: `response_type=device_code` at the token endpoint.
    ///
    /// # Errors
    /// Refused (where the app may not use this flow), or no answer.
    pub async fn device(&self, client_id: &str) -> Result<DeviceCode, SalesforceError> {
        let form = form(&[("response_type", "device_code"), ("client_id", client_id), ("scope", &SCOPES.join(" "))]);
        let body = self.endpoint.post(Body::form(form), Class::Read, Vec::new()).await?;
        let wire: DeviceWire = read("the device code", &body)?;
        let address = Url::parse(&wire.verification_uri)
            .map_err(|e| malformed("the device code", format!("verification_uri is no URL: {e}")))?;
        if self.endpoint.http.check(&address).is_err() {
            // A person would be sent there to log in.
            return Err(SalesforceError::InstanceRefused { host: address.host_str().unwrap_or_default().to_owned() });
        }
        Ok(DeviceCode {
            code: Secret::new(wire.device_code),
            user_code: wire.user_code,
            address,
            interval: Duration::from_secs(wire.interval.unwrap_or(5).clamp(1, 60)),
        })
    }

    /// Asks whether a device's log-in was allowed: `grant_type=device`, and the code in `code`.
    ///
    /// # Errors
    /// Denied, run out, or no answer.
    pub async fn poll(
        &self,
        device: &DeviceCode,
        client_id: &str,
        client_secret: Option<&Secret>,
    ) -> Result<Polled, SalesforceError> {
        let mut fields = vec![("grant_type", "device"), ("client_id", client_id), ("code", device.code.expose())];
        if let Some(secret) = client_secret {
            fields.push(("client_secret", secret.expose()));
        }
        let hidden = std::iter::once(&device.code).chain(client_secret).cloned().collect();
        match self.endpoint.post(Body::form(form(&fields)), Class::Token, hidden).await {
            Ok(body) => Ok(Polled::Granted(Box::new(self.grant(read("the log-in", &body)?)?))),
            Err(SalesforceError::Token(error)) if error.code == TokenErrorCode::AuthorizationPending => {
                Ok(Polled::Pending)
            }
            Err(SalesforceError::Token(error)) if error.code == TokenErrorCode::SlowDown => Ok(Polled::SlowDown),
            Err(error) => Err(error),
        }
    }

    /// Ends a token; of a refresh token everything that came from it ends, too. An answer that Salesforce does not know it comes as
    /// [`TokenErrorCode::UnsupportedTokenType`].
    ///
    /// # Errors
    /// Not known, or no answer.
    pub async fn revoke(&self, token: &Secret) -> Result<(), SalesforceError> {
        let endpoint = TokenEndpoint { url: beside(&self.domain, "revoke")?, ..self.endpoint.clone() };
        endpoint.end(form(&[("token", token.expose())]), token).await
    }

    fn grant(&self, reply: TokenReply) -> Result<Grant, SalesforceError> {
        let granted = Granted::read(reply)?;
        let instance_url = granted.instance_url.unwrap_or_else(|| self.domain.clone());
        if self.endpoint.http.check(&instance_url).is_err() {
            let host = instance_url.host_str().unwrap_or_default().to_owned();
            return Err(SalesforceError::InstanceRefused { host });
        }
        let (org, user) = granted.identity_url.as_deref().map_or((None, None), read_identity_url);
        Ok(Grant { access_token: granted.access_token, refresh_token: granted.refresh_token, instance_url, org, user })
    }
}

fn beside(domain: &Url, name: &str) -> Result<Url, SalesforceError> {
    let no_url = |e| SalesforceError::Request { detail: format!("the domain is no URL: {e}") };
    domain.join(&format!("/services/oauth2/{name}")).map_err(no_url)
}

fn form(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

fn read<T: serde::de::DeserializeOwned>(what: &'static str, body: &[u8]) -> Result<T, SalesforceError> {
    serde_json::from_slice(body).map_err(|e| malformed(what, format!("line {} column {}", e.line(), e.column())))
}
