//! The session of a client: the present token, and its renewal by one call for all that need it.

use std::fmt;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use jiff::Timestamp;
use url::Url;

use super::keeper::{Kept, Renewed, TokenKeeper, Turn};
use super::token::{Granted, TokenEndpoint, TokenErrorCode};
use super::{Handed, Login, jwt};
use crate::model::{OrgId, RecordId, Secret};
use crate::net::Sent;
use crate::salesforce::SalesforceError;

/// What a call needs of the session.
#[derive(Debug)]
pub(crate) struct Access {
    pub(crate) token: Secret,
    pub(crate) instance: Url,
    /// Which log-in it comes from, counted from 1.
    pub(crate) number: u64,
    /// From the reply's identity URL.
    pub(crate) org: Option<OrgId>,
    pub(crate) user: Option<RecordId>,
    /// The user's name, where it is known without asking.
    pub(crate) username: Option<String>,
}

pub(crate) struct SessionSettings {
    pub(crate) endpoint: TokenEndpoint,
    pub(crate) domain: Url,
    pub(crate) login: Login,
    pub(crate) clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    pub(crate) keeper: Option<Arc<dyn TokenKeeper>>,
}

#[derive(Default)]
struct Renewal {
    /// The refresh token, once it was rotated and nobody keeps it.
    rotated: Option<Secret>,
    /// The log-in after which a renewal failed, and how: those who waited get the same answer instead of trying again.
    failed: Option<(u64, SalesforceError)>,
}

pub(crate) struct Session {
    settings: SessionSettings,
    now: RwLock<Arc<Access>>,
    renewal: tokio::sync::Mutex<Renewal>,
    /// The org that the client was checked against.
    org: OnceLock<OrgId>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({})", self.settings.domain)
    }
}

impl Session {
    /// Logs in.
    pub(crate) async fn start(settings: SessionSettings) -> Result<Arc<Self>, SalesforceError> {
        let mut renewal = Renewal::default();
        let first = settings.log_in(&mut renewal, None).await?;
        Ok(Arc::new(Self {
            settings,
            now: RwLock::new(Arc::new(first)),
            renewal: tokio::sync::Mutex::new(renewal),
            org: OnceLock::new(),
        }))
    }

    pub(crate) fn now(&self) -> Arc<Access> {
        self.now.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The org that every later log-in has to lead to, too.
    pub(crate) fn pin(&self, org: OrgId) {
        let _ = self.org.set(org);
    }

    pub(crate) fn username(&self) -> Option<String> {
        match &self.settings.login {
            Login::Jwt { username, .. } => Some(username.clone()),
            _ => self.now().username.clone(),
        }
    }

    /// A session newer than that of log-in `stale`. Of many callers one logs in and the others wait for it. The log-in runs to its end even when its
    /// caller is dropped, so that a rotated token is never lost half-way.
    pub(crate) async fn renew(self: &Arc<Self>, stale: u64, reason: String) -> Result<Arc<Access>, SalesforceError> {
        if matches!(self.settings.login, Login::AccessToken { .. }) {
            return Err(SalesforceError::NotAuthorised {
                reason,
                advice: "it came as an access token, which cannot be renewed: set a new one, or use another auth flow in orgs.yaml",
            });
        }
        let session = self.clone();
        let task = tokio::spawn(async move { session.renew_once(stale).await });
        task.await.unwrap_or_else(|_| {
            Err(SalesforceError::NotAuthorised { reason: "the log-in was interrupted".to_owned(), advice: "run again" })
        })
    }

    async fn renew_once(&self, stale: u64) -> Result<Arc<Access>, SalesforceError> {
        let mut renewal = self.renewal.lock().await;
        let now = self.now();
        if now.number > stale {
            return Ok(now);
        }
        if let Some((number, error)) = &renewal.failed
            && *number == now.number
        {
            return Err(error.clone());
        }
        let renewed = self.settings.log_in(&mut renewal, Some(&now)).await.and_then(|access| {
            match (self.org.get(), access.org) {
                (Some(&pinned), Some(actual)) if pinned != actual => Err(SalesforceError::WrongOrg { pinned, actual }),
                _ => Ok(access),
            }
        });
        match renewed {
            Ok(access) => {
                let access = Arc::new(access);
                *self.now.write().unwrap_or_else(PoisonError::into_inner) = access.clone();
                Ok(access)
            }
            Err(error) => {
                if self.is_final(&error) {
                    renewal.failed = Some((now.number, error.clone()));
                }
                Err(error)
            }
        }
    }
}

impl Session {
    /// May the same log-in not be tried again? A refusal stays one, and a refresh token whose fate is unknown may be spent: using a spent one again revokes
    /// the whole grant.
    fn is_final(&self, error: &SalesforceError) -> bool {
        let unspent = matches!(error, SalesforceError::Net(net) if net.sent() == Sent::No);
        let spends = matches!(self.settings.login, Login::RefreshToken { .. } | Login::Kept { .. });
        error.is_not_authorised() || (spends && !unspent)
    }
}

impl SessionSettings {
    /// Logs in: for the first time, or because the session `stale` was refused.
    async fn log_in(&self, renewal: &mut Renewal, stale: Option<&Access>) -> Result<Access, SalesforceError> {
        let number = stale.map_or(0, |stale| stale.number) + 1;
        let granted = match &self.login {
            Login::AccessToken { token, instance_url } => {
                self.endpoint.http.check(instance_url)?;
                Granted {
                    access_token: token.clone(),
                    refresh_token: None,
                    instance_url: Some(instance_url.clone()),
                    identity_url: None,
                }
            }
            Login::Jwt { audience, client_id, username, private_key_pem } => {
                let assertion = jwt::assertion(audience, client_id, username, private_key_pem, (self.clock)())?;
                self.endpoint.jwt(&assertion).await?
            }
            Login::ClientCredentials { client_id, client_secret } => {
                self.endpoint.client_credentials(client_id, client_secret).await?
            }
            Login::RefreshToken { client_id, client_secret, refresh_token } => match &self.keeper {
                Some(keeper) => {
                    let app = (client_id.as_str(), client_secret.as_ref());
                    return self.kept(keeper, app, Some(refresh_token), stale).await;
                }
                None => {
                    let token = renewal.rotated.as_ref().unwrap_or(refresh_token);
                    let mut granted = self.endpoint.refresh(client_id, client_secret.as_ref(), token).await?;
                    if let Some(new) = granted.refresh_token.take() {
                        renewal.rotated = Some(new);
                    }
                    granted
                }
            },
            Login::Kept { client_id, client_secret } => {
                let Some(keeper) = &self.keeper else {
                    return Err(SalesforceError::TokensUnusable { cause: "nobody keeps them".to_owned() });
                };
                return self.kept(keeper, (client_id, client_secret.as_ref()), None, stale).await;
            }
            Login::Outside(outside) => return self.outside(outside, stale, number).await,
        };
        self.access(granted, number)
    }

    /// By tokens that are kept for all processes: the session that is there, unless it is the refused one; else a new one, which no other process
    /// asks for at the same time.
    async fn kept(
        &self,
        keeper: &Arc<dyn TokenKeeper>,
        (client_id, client_secret): (&str, Option<&Secret>),
        given: Option<&Secret>,
        stale: Option<&Access>,
    ) -> Result<Access, SalesforceError> {
        let number = stale.map_or(0, |stale| stale.number) + 1;
        let unusable = |cause| SalesforceError::TokensUnusable { cause };
        if stale.is_none()
            && let Some(access) = self.present(&keeper.look().map_err(unusable)?, None, number)?
        {
            return Ok(access);
        }
        let waiting = keeper.clone();
        let turn = tokio::task::spawn_blocking(move || waiting.turn()).await;
        let mut turn = turn.map_err(|e| unusable(e.to_string()))?.map_err(unusable)?;
        // Another process may have renewed it while this one waited.
        if let Some(access) = self.present(turn.kept(), stale, number)? {
            return Ok(access);
        }
        if turn.kept().uncertain {
            return Err(SalesforceError::RefreshUncertain);
        }
        let Some(token) = turn.kept().refresh_token.clone().or_else(|| given.cloned()) else {
            return Err(SalesforceError::NotAuthorised {
                reason: "the session has ended".to_owned(),
                advice: "the app gave no refresh token (scope refresh_token), so the log-in cannot be renewed",
            });
        };
        turn.sending().map_err(unusable)?;
        let granted = match self.endpoint.refresh(client_id, client_secret, &token).await {
            Ok(granted) => granted,
            Err(error) => return Err(self.not_renewed(turn.as_mut(), error)),
        };
        let (refresh_token, identity) = (granted.refresh_token.clone(), granted.identity_url.clone());
        let access = self.access(granted, number);
        // From here on the old one is spent, whatever happens: the new one is kept even where its session is of no use.
        let renewed = match &access {
            Ok(access) => Renewed {
                access_token: Some(access.token.clone()),
                refresh_token,
                instance_url: Some(access.instance.clone()),
                org: access.org,
                user: access.user,
            },
            Err(_) => {
                let (org, user) = identity.as_deref().map_or((None, None), read_identity_url);
                Renewed { access_token: None, refresh_token, instance_url: None, org, user }
            }
        };
        turn.renewed(renewed).map_err(|cause| SalesforceError::RefreshTokenNotKept { cause })?;
        let username = turn.kept().username.clone();
        access.map(|access| Access { username, ..access })
    }

    /// The session that is kept, unless it is the one that was refused.
    fn present(&self, kept: &Kept, stale: Option<&Access>, number: u64) -> Result<Option<Access>, SalesforceError> {
        let (Some(token), Some(instance)) = (&kept.access_token, &kept.instance_url) else { return Ok(None) };
        if stale.is_some_and(|stale| stale.token.expose() == token.expose()) {
            return Ok(None);
        }
        self.reachable(instance)?;
        Ok(Some(Access {
            token: token.clone(),
            instance: instance.clone(),
            number,
            org: kept.org,
            user: kept.user,
            username: kept.username.clone(),
        }))
    }

    /// What a failed renewal means for the token that was sent.
    fn not_renewed(&self, turn: &mut dyn Turn, error: SalesforceError) -> SalesforceError {
        let refused = match &error {
            SalesforceError::Net(net) if net.sent() == Sent::No => Some(None),
            // It was refused before anybody looked at the token.
            SalesforceError::Redirected { .. }
            | SalesforceError::Foreign { status: 400..=499, .. }
            | SalesforceError::Status { status: 400..=499, .. } => Some(None),
            SalesforceError::Token(token) => match token.code {
                TokenErrorCode::ServerError => None,
                TokenErrorCode::InvalidGrant | TokenErrorCode::InactiveUser | TokenErrorCode::InactiveOrg => {
                    Some(Some(token.description.as_str()))
                }
                _ => Some(None),
            },
            _ => None,
        };
        match refused {
            // The note that it was sent stays, for whoever comes next.
            None if turn.kept().spends => SalesforceError::RefreshLost(Box::new(error)),
            None => error,
            Some(ended) => match turn.refused(ended) {
                Ok(()) => error,
                Err(cause) => SalesforceError::TokensUnusable { cause },
            },
        }
    }

    /// By a session that another program hands over.
    async fn outside(
        &self,
        outside: &super::Outside,
        stale: Option<&Access>,
        number: u64,
    ) -> Result<Access, SalesforceError> {
        let ask = outside.0.clone();
        let handed = tokio::task::spawn_blocking(move || ask()).await.unwrap_or_else(|e| Err(e.to_string()));
        let handed = handed.map_err(|cause| SalesforceError::Outside { cause })?;
        if stale.is_some_and(|stale| stale.token.expose() == handed.token.expose()) {
            return Err(SalesforceError::Outside {
                cause: "Salesforce no longer takes the session that `sf` has".to_owned(),
            });
        }
        self.reachable(&handed.instance_url)?;
        let Handed { token, instance_url: instance, username } = handed;
        Ok(Access { token, instance, number, org: None, user: None, username })
    }

    fn access(&self, granted: Granted, number: u64) -> Result<Access, SalesforceError> {
        let instance = granted.instance_url.unwrap_or_else(|| self.domain.clone());
        self.reachable(&instance)?;
        let (org, user) = granted.identity_url.as_deref().map_or((None, None), read_identity_url);
        Ok(Access { token: granted.access_token, instance, number, org, user, username: None })
    }

    /// No token goes to a host that is not Salesforce's.
    fn reachable(&self, instance: &Url) -> Result<(), SalesforceError> {
        self.endpoint.http.check(instance).map_err(|_| {
            let host = instance.host_str().unwrap_or_default().to_owned();
            SalesforceError::InstanceRefused { host }
        })
    }
}

/// `https://login.salesforce.com/id/{org}/{user}`.
pub(super) fn read_identity_url(url: &str) -> (Option<OrgId>, Option<RecordId>) {
    let mut parts = url.rsplit('/');
    let user = parts.next().and_then(|id| RecordId::parse(id).ok());
    let org = parts.next().and_then(OrgId::parse);
    (org, user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_identity_url_names_org_and_user() {
        let url = "https://login.salesforce.com/id/00D3h000007R1LuEAK/0053h000002xQ5sAAE";
        let (org, user) = read_identity_url(url);
        assert_eq!(org.unwrap().as_str(), "00D3h000007R1LuEAK");
        assert_eq!(user.unwrap().as_str(), "0053h000002xQ5sAAE");
        assert_eq!(read_identity_url("nonsense"), (None, None));
    }
}
