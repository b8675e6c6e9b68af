//! The session of a client: the present token, and its renewal by one call for all that need it.

use std::fmt;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use jiff::Timestamp;
use url::Url;

use super::token::{Granted, TokenEndpoint};
use super::{Login, jwt};
use crate::model::{OrgId, RecordId, Secret};
use crate::net::Sent;
use crate::salesforce::SalesforceError;

/// Keeps a new refresh token (on disk, atomically) before the session that came with it is used; an error ends the session.
pub type KeepRefreshToken = Arc<dyn Fn(&Secret) -> Result<(), String> + Send + Sync>;

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
}

pub(crate) struct SessionSettings {
    pub(crate) endpoint: TokenEndpoint,
    pub(crate) domain: Url,
    pub(crate) login: Login,
    pub(crate) clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    pub(crate) keep_refresh_token: Option<KeepRefreshToken>,
}

#[derive(Default)]
struct Renewal {
    /// The refresh token, once it was rotated.
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
        let first = settings.log_in(&mut renewal, 1).await?;
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

    pub(crate) fn username(&self) -> Option<&str> {
        match &self.settings.login {
            Login::Jwt { username, .. } => Some(username),
            _ => None,
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
        let renewed = self.settings.log_in(&mut renewal, now.number + 1).await.and_then(|access| {
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
        let spends = matches!(self.settings.login, Login::RefreshToken { .. });
        error.is_not_authorised() || (spends && !unspent)
    }
}

impl SessionSettings {
    async fn log_in(&self, renewal: &mut Renewal, number: u64) -> Result<Access, SalesforceError> {
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
            Login::RefreshToken { client_id, client_secret, refresh_token } => {
                let token = renewal.rotated.as_ref().unwrap_or(refresh_token);
                self.endpoint.refresh(client_id, client_secret.as_ref(), token).await?
            }
        };
        if let Some(new) = granted.refresh_token {
            // From here on the old one is spent, whatever happens.
            let kept = self.keep_refresh_token.as_ref().map_or(Ok(()), |keep| keep(&new));
            renewal.rotated = Some(new);
            kept.map_err(|cause| SalesforceError::RefreshTokenNotKept { cause })?;
        }
        let instance = granted.instance_url.unwrap_or_else(|| self.domain.clone());
        if self.endpoint.http.check(&instance).is_err() {
            let host = instance.host_str().unwrap_or_default().to_owned();
            return Err(SalesforceError::InstanceRefused { host });
        }
        let (org, user) = granted.identity_url.as_deref().map_or((None, None), read_identity_url);
        Ok(Access { token: granted.access_token, instance, number, org, user })
    }
}

/// `https://login.salesforce.com/id/{org}/{user}`.
fn read_identity_url(url: &str) -> (Option<OrgId>, Option<RecordId>) {
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
