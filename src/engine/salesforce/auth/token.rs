//! The token endpoint: its replies, and its errors `{"error","error_description"}` (recordings `oauth_*.json`).
//!
//! Standard flows are formed by the `oauth2` crate and sent through `net`; the JWT bearer grant, which the crate does not have, is posted as a form.

use std::fmt;
use std::pin::Pin;

use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{AccessToken, ClientId, ClientSecret, RefreshToken, Scope, StandardRevocableToken, TokenUrl};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::model::Secret;
use crate::net::{Body, Budget, Called, Class, Http, Request, Response, Verdict, retry_after};
use crate::salesforce::SalesforceError;
use crate::salesforce::answer::malformed;
use crate::salesforce::error::{clip, excerpt, status_treatment, without};

macro_rules! token_codes {
    ($($variant:ident $code:literal,)+) => {
        /// `error` of the token endpoint.
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[allow(missing_docs)]
        pub enum TokenErrorCode {
            $($variant,)+
            /// One that this version does not know.
            Other(String),
        }

        impl TokenErrorCode {
            /// Every known code.
            pub const KNOWN: &'static [TokenErrorCode] = &[$(TokenErrorCode::$variant),+];

            /// Reads a code.
            pub fn parse(code: &str) -> Self {
                match code {
                    $($code => TokenErrorCode::$variant,)+
                    other => TokenErrorCode::Other(clip(other, 80)),
                }
            }

            /// The code as Salesforce writes it.
            pub fn as_str(&self) -> &str {
                match self {
                    $(TokenErrorCode::$variant => $code,)+
                    TokenErrorCode::Other(code) => code,
                }
            }
        }
    };
}

token_codes! {
    UnsupportedResponseType "unsupported_response_type",
    InvalidClientId "invalid_client_id",
    InvalidRequest "invalid_request",
    InvalidClientCredentials "invalid_client_credentials",
    InvalidClient "invalid_client",
    InvalidGrant "invalid_grant",
    InactiveUser "inactive_user",
    InactiveOrg "inactive_org",
    RateLimitExceeded "rate_limit_exceeded",
    InvalidScope "invalid_scope",
    UnsupportedGrantType "unsupported_grant_type",
    UnsupportedTokenType "unsupported_token_type",
    RedirectUriMismatch "redirect_uri_mismatch",
    InvalidAppAccess "invalid_app_access",
    AccessDenied "access_denied",
    AuthorizationPending "authorization_pending",
    SlowDown "slow_down",
    ServerError "server_error",
}

/// The token endpoint's refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenError {
    /// HTTP status.
    pub status: u16,
    /// Code.
    pub code: TokenErrorCode,
    /// Salesforce's own words.
    pub description: String,
}

impl TokenError {
    /// Would the same log-in be refused again?
    pub fn is_refusal(&self) -> bool {
        !matches!(self.code, TokenErrorCode::RateLimitExceeded | TokenErrorCode::ServerError)
    }

    /// What to do about it.
    pub fn advice(&self) -> &'static str {
        let text = self.description.to_ascii_lowercase();
        match &self.code {
            TokenErrorCode::InvalidGrant if text.contains("expired access/refresh token") => {
                "the refresh token has expired, was revoked or was used already: log in again and store the new one"
            }
            TokenErrorCode::InvalidGrant if text.contains("approved this consumer") => {
                "let an administrator pre-authorise the user for the app (Permitted Users: admin approved, then a profile or permission set)"
            }
            TokenErrorCode::InvalidGrant if text.contains("audience") => {
                "the audience must be https://login.salesforce.com for production and https://test.salesforce.com for a sandbox"
            }
            TokenErrorCode::InvalidGrant if text.contains("assertion") => {
                "check that the app holds the certificate of this private key, and that this machine's clock is right"
            }
            TokenErrorCode::InvalidGrant if text.contains("no client credentials user") => {
                "set the run-as user of the client credentials flow in the app's policies"
            }
            TokenErrorCode::InvalidGrant if text.contains("not supported on this domain") => {
                "the client credentials flow works on the org's My Domain only: set domain in orgs.yaml to it"
            }
            TokenErrorCode::InvalidGrant if text.contains("ip restricted") => {
                "the app or the user's profile allows other IP addresses only"
            }
            TokenErrorCode::InvalidGrant => "check the user name, the key or token, and the app's policies in the org",
            TokenErrorCode::InvalidClientId => {
                "check client_id; an app that was just created or changed takes up to ten minutes to work"
            }
            TokenErrorCode::InvalidClient | TokenErrorCode::InvalidClientCredentials => {
                "check client_id and client_secret"
            }
            TokenErrorCode::InvalidAppAccess => {
                "let an administrator assign the app to the user by a profile or permission set"
            }
            TokenErrorCode::InactiveUser => "the user is inactive or locked: activate it, or log in as another",
            TokenErrorCode::InactiveOrg => "the org is locked or gone",
            TokenErrorCode::UnsupportedGrantType => "enable this flow in the app's settings",
            TokenErrorCode::RateLimitExceeded => "too many log-ins within an hour: wait, then run again",
            _ => "check the app's settings in the org",
        }
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Salesforce refused the log-in: {}", self.code.as_str())?;
        if !self.description.is_empty() {
            write!(f, " ({})", self.description)?;
        }
        write!(f, "; {}", self.advice())
    }
}

impl std::error::Error for TokenError {}

/// A token reply. Unknown keys are ignored; `token_type` is missing in the oldest recording and is always Bearer; there is no `expires_in`.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct TokenReply {
    access_token: AccessToken,
    #[serde(skip, default = "bearer")]
    token_type: BasicTokenType,
    #[serde(default)]
    refresh_token: Option<RefreshToken>,
    #[serde(default)]
    instance_url: Option<String>,
    #[serde(default)]
    id: Option<String>,
}

fn bearer() -> BasicTokenType {
    BasicTokenType::Bearer
}

impl oauth2::TokenResponse for TokenReply {
    type TokenType = BasicTokenType;

    fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    fn token_type(&self) -> &BasicTokenType {
        &self.token_type
    }

    fn expires_in(&self) -> Option<std::time::Duration> {
        None
    }

    fn refresh_token(&self) -> Option<&RefreshToken> {
        self.refresh_token.as_ref()
    }

    fn scopes(&self) -> Option<&Vec<Scope>> {
        None
    }
}

/// What a log-in gives.
#[derive(Debug)]
pub(crate) struct Granted {
    pub(crate) access_token: Secret,
    pub(crate) refresh_token: Option<Secret>,
    pub(crate) instance_url: Option<Url>,
    /// The identity URL `https://login…/id/{org}/{user}`.
    pub(crate) identity_url: Option<String>,
}

impl Granted {
    pub(crate) fn read(reply: TokenReply) -> Result<Self, SalesforceError> {
        let instance_url = match reply.instance_url {
            None => None,
            Some(text) => Some(
                Url::parse(&text).map_err(|e| malformed("the log-in", format!("instance_url is not a URL: {e}")))?,
            ),
        };
        Ok(Self {
            access_token: Secret::new(reply.access_token.into_secret()),
            refresh_token: reply.refresh_token.map(|t| Secret::new(t.into_secret())),
            instance_url,
            identity_url: reply.id,
        })
    }
}

/// The token endpoint of a domain.
#[derive(Debug, Clone)]
pub(crate) struct TokenEndpoint {
    pub(crate) http: Http,
    pub(crate) budget: Budget,
    pub(crate) url: Url,
}

type OauthClient = oauth2::Client<
    BasicErrorResponse,
    TokenReply,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointSet,
>;

/// An exchange on its way.
type Exchange = Pin<Box<dyn Future<Output = Result<oauth2::HttpResponse, SalesforceError>> + Send>>;

impl TokenEndpoint {
    pub(super) fn oauth(&self, client_id: &str, client_secret: Option<&Secret>) -> OauthClient {
        let mut client = oauth2::Client::new(ClientId::new(client_id.to_owned()))
            .set_token_uri(TokenUrl::from_url(self.url.clone()))
            .set_auth_type(oauth2::AuthType::RequestBody);
        if let Some(secret) = client_secret {
            client = client.set_client_secret(ClientSecret::new(secret.expose().to_owned()));
        }
        client
    }

    /// The client credentials flow.
    pub(crate) async fn client_credentials(&self, id: &str, secret: &Secret) -> Result<Granted, SalesforceError> {
        let client = self.oauth(id, Some(secret));
        let send = self.adapter(Class::Read, vec![secret.clone()]);
        let reply = client.exchange_client_credentials().request_async(&send).await.map_err(of_oauth2)?;
        Granted::read(reply)
    }

    /// The refresh token flow. Never sent twice once its outcome is unknown: a rotated token that is used again revokes the whole grant.
    pub(crate) async fn refresh(
        &self,
        id: &str,
        secret: Option<&Secret>,
        token: &Secret,
    ) -> Result<Granted, SalesforceError> {
        let client = self.oauth(id, secret);
        let hidden: Vec<Secret> = secret.into_iter().chain([token]).cloned().collect();
        let send = self.adapter(Class::Token, hidden);
        let refresh = RefreshToken::new(token.expose().to_owned());
        let reply = client.exchange_refresh_token(&refresh).request_async(&send).await.map_err(of_oauth2)?;
        Granted::read(reply)
    }

    /// The JWT bearer flow. An assertion may be sent again: nothing is spent.
    pub(crate) async fn jwt(&self, assertion: &Secret) -> Result<Granted, SalesforceError> {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
            .append_pair("assertion", assertion.expose())
            .finish();
        let body = self.post(Body::form(form), Class::Read, vec![assertion.clone()]).await?;
        let reply = serde_json::from_slice(&body)
            .map_err(|error| malformed("the log-in", format!("line {} column {}", error.line(), error.column())))?;
        Granted::read(reply)
    }

    /// Carries requests of the `oauth2` crate through `net`.
    pub(super) fn adapter(
        &self,
        class: Class,
        hidden: Vec<Secret>,
    ) -> impl Fn(oauth2::HttpRequest) -> Exchange + Send + Sync {
        let endpoint = self.clone();
        move |request| {
            let (endpoint, hidden) = (endpoint.clone(), hidden.clone());
            Box::pin(async move {
                let form = String::from_utf8_lossy(request.body()).into_owned();
                let body = endpoint.post(Body::form(form), class, hidden).await?;
                Ok(oauth2::HttpResponse::new(body))
            })
        }
    }

    /// Posts a form; the body of a good answer.
    pub(super) async fn post(&self, body: Body, class: Class, hidden: Vec<Secret>) -> Result<Vec<u8>, SalesforceError> {
        let request =
            Request::new(http::Method::POST, self.url.clone(), class).header("accept", "application/json")?.body(body);
        let Called { response, verdict, .. } = self.http.call(&request, &self.budget, verdict).await?;
        if verdict == Verdict::Done && response.body.trim_ascii_start().starts_with(b"{") {
            return Ok(response.body);
        }
        Err(error(&response, &hidden.iter().collect::<Vec<_>>()))
    }
}

impl TokenEndpoint {
    /// Posts a form whose good answer is empty. Asking twice for the end of a token ends it once.
    pub(super) async fn end(&self, form: String, hidden: &Secret) -> Result<(), SalesforceError> {
        let request = Request::new(http::Method::POST, self.url.clone(), Class::Read).body(Body::form(form));
        let Called { response, verdict, .. } = self.http.call(&request, &self.budget, verdict).await?;
        if verdict == Verdict::Done { Ok(()) } else { Err(error(&response, &[hidden])) }
    }
}

#[derive(Deserialize)]
struct ErrorWire {
    error: String,
    #[serde(default)]
    error_description: Option<String>,
}

fn verdict(response: &Response) -> Verdict {
    if response.status.is_success() {
        return Verdict::Done;
    }
    let after = retry_after(response);
    let code = serde_json::from_slice::<ErrorWire>(&response.body).ok().map(|w| TokenErrorCode::parse(&w.error));
    match (code, response.status.as_u16()) {
        (Some(TokenErrorCode::ServerError), _) => Verdict::Lost { after },
        (Some(_), _) => Verdict::Fatal,
        (None, 420 | 429) => Verdict::Retry { after },
        (None, 503) if after.is_some() => Verdict::Retry { after },
        (None, 500..=599) => Verdict::Lost { after },
        (None, _) => Verdict::Fatal,
    }
}

fn error(response: &Response, secrets: &[&Secret]) -> SalesforceError {
    let status = response.status.as_u16();
    if let Ok(wire) = serde_json::from_slice::<ErrorWire>(&response.body) {
        let description = clip(&without(wire.error_description.unwrap_or_default(), secrets), 500);
        let code = TokenErrorCode::parse(&without(wire.error, secrets));
        return TokenError { status, code, description }.into();
    }
    if response.status.is_redirection() {
        return crate::salesforce::answer::error(response, "", secrets);
    }
    let treatment = status_treatment(response.status, retry_after(response).is_some());
    let words = excerpt(without(String::from_utf8_lossy(&response.body).into_owned(), secrets).as_bytes());
    if words.is_empty() {
        SalesforceError::Status { status, treatment }
    } else {
        SalesforceError::Foreign { status, excerpt: words, treatment }
    }
}

/// The crate's own error, without the body that it keeps (a token may be in it).
pub(super) fn of_oauth2(error: oauth2::RequestTokenError<SalesforceError, BasicErrorResponse>) -> SalesforceError {
    match error {
        oauth2::RequestTokenError::Request(error) => error,
        oauth2::RequestTokenError::Parse(error, _) => malformed("the log-in", format!("at {}", error.path())),
        oauth2::RequestTokenError::ServerResponse(_) | oauth2::RequestTokenError::Other(_) => {
            malformed("the log-in", "the reply has no token")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_code_reads_back_and_has_advice() {
        for code in TokenErrorCode::KNOWN {
            assert_eq!(&TokenErrorCode::parse(code.as_str()), code);
            let error = TokenError { status: 400, code: code.clone(), description: String::new() };
            assert!(!error.advice().is_empty());
        }
    }

    #[test]
    fn advice_follows_the_description() {
        let table = [
            ("expired access/refresh token", "log in again"),
            ("user hasn't approved this consumer", "pre-authorise"),
            ("audience is invalid", "test.salesforce.com"),
            ("invalid assertion", "certificate"),
            ("no client credentials user enabled", "run-as user"),
            ("request not supported on this domain", "My Domain"),
            ("ip restricted", "IP addresses"),
        ];
        for (description, word) in table {
            let error = TokenError { status: 400, code: TokenErrorCode::InvalidGrant, description: description.into() };
            assert!(error.to_string().contains(word), "{error}");
        }
    }

    #[test]
    fn a_token_reply_does_not_print_its_tokens() {
        let reply: TokenReply = serde_json::from_str(
            r#"{"access_token":"MARKED-1","refresh_token":"MARKED-2","id":"x","instance_url":"https://a.my.salesforce.com","issued_at":"1","new":{}}"#,
        )
        .unwrap();
        assert!(!format!("{reply:?}").contains("MARKED"));
        assert!(!format!("{:?}", Granted::read(reply).unwrap()).contains("MARKED"));
    }
}
