//! The client: every call goes through one function that adds the token, renews the session once, keeps the count of API calls, and types the error.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use http::Method;
use jiff::Timestamp;
use url::Url;

use super::auth::{Access, Login, Session, SessionSettings, TokenKeeper};
use super::{BulkSettings, Identity, SalesforceError, Treatment, Usage, answer};
use crate::model::{OrgId, RecordId};
use crate::net::{Body, Budget, Called, Class, Feed, Http, Manner, Pieces, Request, Response, Verdict};

/// What a client needs.
#[derive(Clone)]
pub struct Connect {
    /// HTTP, with the host rule.
    pub http: Http,
    /// The org's My Domain (`https://acme.my.salesforce.com`), where the token endpoint is.
    pub domain: Url,
    /// How to log in.
    pub login: Login,
    /// `66.0`.
    pub api_version: String,
    /// The run's budget of repeats.
    pub budget: Budget,
    /// The time, for assertions.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Keeps tokens between processes.
    pub keeper: Option<Arc<dyn TokenKeeper>>,
    /// Look-ups under way at once.
    pub concurrency: usize,
    /// Compress the bodies of updates.
    pub gzip_requests: bool,
    /// How bulk queries run.
    pub bulk: BulkSettings,
}

impl Connect {
    /// With the defaults: API 66.0, four look-ups at once.
    pub fn new(
        http: Http,
        domain: Url,
        login: Login,
        budget: Budget,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        Self {
            http,
            domain,
            login,
            api_version: "66.0".to_owned(),
            budget,
            clock: Arc::new(clock),
            keeper: None,
            concurrency: 4,
            gzip_requests: false,
            bulk: BulkSettings::default(),
        }
    }
}

struct Shared {
    http: Http,
    budget: Budget,
    session: Arc<Session>,
    api_version: String,
    concurrency: usize,
    gzip_requests: bool,
    bulk: BulkSettings,
    usage: Mutex<Option<Usage>>,
    /// Who is logged in, by the number of the log-in.
    identity: Mutex<Option<(u64, Identity)>>,
}

/// A connected org. Clones share the session.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({})", self.instance_url())
    }
}

/// A call below `/services/data/vNN.N/`, or to an absolute path.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// Path, with its query already encoded.
    pub(crate) target: String,
    pub(crate) class: Class,
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    pub(crate) body: Option<Body>,
}

impl Call {
    pub(crate) fn get(target: String) -> Self {
        Self { method: Method::GET, target, class: Class::Read, headers: Vec::new(), body: None }
    }
}

/// Does this call (neither GET nor HEAD) change no record? For [`Settings::read_only`](crate::net::Settings::read_only): tokens, retrieving records by id
/// (`POST composite/sobjects/X`; without the object's name it would create records), and query jobs: making one, stopping it, putting it away.
pub fn is_read(method: &Method, path: &str) -> bool {
    let post = *method == Method::POST;
    if path == "/services/oauth2/token" || path == "/services/oauth2/userinfo" {
        return post;
    }
    let mut parts = path.strip_prefix("/services/data/v").unwrap_or_default().split('/');
    let version = parts.next().unwrap_or_default();
    if version.is_empty() || !version.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return false;
    }
    let name = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some("composite"), Some("sobjects"), Some(object), None) => post && name(object),
        (Some("jobs"), Some("query"), None, None) => post,
        // A query job takes no data: a PATCH can only abort it.
        (Some("jobs"), Some("query"), Some(id), None) => {
            (*method == Method::PATCH || *method == Method::DELETE) && RecordId::parse(id).is_ok()
        }
        _ => false,
    }
}

impl Client {
    /// Logs in. Nothing else is asked of the org; [`check_org`](Self::check_org) comes next.
    pub async fn connect(connect: Connect) -> Result<Self, SalesforceError> {
        let Connect { http, domain, login, api_version, budget, clock, keeper, .. } = connect;
        let (concurrency, gzip_requests, bulk) = (connect.concurrency.max(1), connect.gzip_requests, connect.bulk);
        let known = !api_version.is_empty() && api_version.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        if !known {
            return Err(SalesforceError::Request {
                detail: format!("{api_version:?} is no version of the API, such as 66.0"),
            });
        }
        http.check(&domain)?;
        let url = domain
            .join("/services/oauth2/token")
            .map_err(|error| SalesforceError::Request { detail: format!("the domain is no URL: {error}") })?;
        let endpoint = super::auth::TokenEndpoint { http: http.clone(), budget: budget.clone(), url };
        let settings = SessionSettings { endpoint, domain, login, clock, keeper };
        let session = Session::start(settings).await?;
        let (usage, identity) = (Mutex::new(None), Mutex::new(None));
        let shared = Shared { http, budget, session, api_version, concurrency, gzip_requests, bulk, usage, identity };
        Ok(Self(Arc::new(shared)))
    }

    pub(crate) fn known_identity(&self, log_in: u64) -> Option<Identity> {
        let known = self.0.identity.lock().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().filter(|(number, _)| *number == log_in).map(|(_, identity)| identity.clone())
    }

    pub(crate) fn keep_identity(&self, log_in: u64, identity: Identity) {
        *self.0.identity.lock().unwrap_or_else(PoisonError::into_inner) = Some((log_in, identity));
    }

    /// `66.0`.
    pub fn api_version(&self) -> &str {
        &self.0.api_version
    }

    /// Where the org is, as its log-in said.
    pub fn instance_url(&self) -> Url {
        self.0.session.now().instance.clone()
    }

    /// The run's budget.
    pub fn budget(&self) -> &Budget {
        &self.0.budget
    }

    /// API calls used and allowed in 24 hours, as the last answer said; `None` before the first.
    pub fn usage(&self) -> Option<Usage> {
        *self.0.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn session(&self) -> &Session {
        &self.0.session
    }

    pub(crate) fn access(&self) -> Arc<Access> {
        self.0.session.now()
    }

    pub(crate) fn pin(&self, org: OrgId) {
        self.0.session.pin(org);
    }

    pub(crate) fn gzip_requests(&self) -> bool {
        self.0.gzip_requests
    }

    pub(crate) fn concurrency(&self) -> usize {
        self.0.concurrency
    }

    pub(crate) fn bulk(&self) -> &BulkSettings {
        &self.0.bulk
    }

    /// The path of a resource of this API version.
    pub(crate) fn path(&self, resource: &str) -> String {
        format!("/services/data/v{}/{resource}", self.0.api_version)
    }

    fn request(&self, call: &Call, access: &Access) -> Result<Request, SalesforceError> {
        let url = at_instance(&access.instance, &call.target)?;
        let mut request = Request::new(call.method.clone(), url, call.class)
            .bearer(access.token.expose())?
            .header("accept", "application/json")?
            .header("sforce-call-options", "client=footbridge")?;
        for (name, value) in &call.headers {
            request = request.header(name, value)?;
        }
        if let Some(body) = &call.body {
            request = request.body(body.clone());
        }
        Ok(request)
    }

    /// Makes a call: the answer is good, or the error typed.
    pub(crate) async fn call(&self, call: &Call) -> Result<Response, SalesforceError> {
        self.called(call, &Manner::Whole).await.map(|called| called.response)
    }

    /// Makes a call whose answer comes in pieces.
    pub(crate) async fn open(&self, call: &Call) -> Result<(Response, Pieces), SalesforceError> {
        let called = self.called(call, &Manner::Pieces { limit: None }).await?;
        let pieces = called.pieces.ok_or_else(|| answer::malformed("a call", "it has no body"))?;
        Ok((called.response, pieces))
    }

    /// Makes a call whose body is made while it is sent.
    pub(crate) async fn feed(&self, call: &Call, feed: &Feed) -> Result<Response, SalesforceError> {
        let outcome = self.called(call, &Manner::Fed(feed.clone())).await;
        feed.close();
        self.0.budget.fed(feed.sent());
        outcome.map(|called| called.response)
    }

    async fn called(&self, call: &Call, manner: &Manner) -> Result<Called, SalesforceError> {
        let mut access = self.access();
        let mut renewed = false;
        loop {
            let request = self.request(call, &access)?;
            let mut called = self.0.http.call_by(&request, manner, &self.0.budget, answer::verdict).await?;
            if let Some(usage) = called.response.header("sforce-limit-info").and_then(Usage::parse) {
                *self.0.usage.lock().unwrap_or_else(PoisonError::into_inner) = Some(usage);
            }
            match called.verdict {
                Verdict::Done => return Ok(called),
                Verdict::Refresh if !renewed => {
                    let error = answer::error(&called.response, self.api_version(), &[&access.token]);
                    access =
                        self.0.session.renew(access.number, reason(&error)).await.map_err(|error| match error {
                            // Whatever the log-in met, the call itself was refused with 401: keep the two apart.
                            told if told.is_not_authorised() => told,
                            other => SalesforceError::NotRenewed(Box::new(other)),
                        })?;
                    renewed = true;
                    if !manner.can_repeat() {
                        // Refused for want of a session, which there is again; the body is gone, and whoever made it makes it anew.
                        let status = called.response.status.as_u16();
                        return Err(SalesforceError::Status { status, treatment: Treatment::RetryLater });
                    }
                }
                Verdict::Refresh => {
                    let error = answer::error(&called.response, self.api_version(), &[&access.token]);
                    return Err(SalesforceError::NotAuthorised {
                        reason: reason(&error),
                        advice: "a new session was refused as well: check the user's and the app's session policies",
                    });
                }
                Verdict::Fatal | Verdict::Retry { .. } | Verdict::Lost { .. } => {
                    if let Some(mut pieces) = called.pieces.take() {
                        // A page of somebody else's in place of the answer: its first words say whose.
                        called.response.body = pieces.next().await?.unwrap_or_default().to_vec();
                    }
                    return Err(answer::error(&called.response, self.api_version(), &[&access.token]));
                }
            }
        }
    }
}

fn reason(error: &SalesforceError) -> String {
    match error {
        SalesforceError::Api(api) => api.fault.to_string(),
        SalesforceError::Foreign { excerpt, .. } => excerpt.clone(),
        _ => "the answer was 401".to_owned(),
    }
}

/// A path at the instance; never another host, whatever the path says.
fn at_instance(instance: &Url, target: &str) -> Result<Url, SalesforceError> {
    let outside =
        || SalesforceError::Request { detail: "an address that Salesforce gave does not lie in its API".to_owned() };
    if !target.starts_with("/services/") || target.contains('\\') {
        return Err(outside());
    }
    let url = instance.join(target).map_err(|_| outside())?;
    if url.origin() == instance.origin() && url.path().starts_with("/services/") { Ok(url) } else { Err(outside()) }
}
