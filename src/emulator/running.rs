//! A running org: started by [`serve`], asked and scripted through [`Emulator`].

use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::clock::{Clock, Running};
use super::faults::Fault;
use super::http::{server, wire};
use super::jobs::{self, Job, JobSeen};
use super::options::{Credentials, EmulatorError, Options};
use super::org::{Org, find};
use super::people::{Grant, TokenKind};
use super::seed::form::{Access, ClientSeed, UserSeed};
use super::state::State;
use super::store::rows;
use super::transcript::Call;

const PRIVATE_KEY: &str = include_str!("keys/emulator-only-private.pem");

/// A running org. It stops when this is dropped.
pub struct Emulator {
    state: Arc<State>,
    access_token: String,
    credentials: Credentials,
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

/// Starts an org on 127.0.0.1.
///
/// # Errors
/// The port cannot be had, or the database or a seed cannot be used.
pub async fn serve(options: Options) -> Result<Emulator, EmulatorError> {
    let bind = |source| EmulatorError::Bind { port: options.port, source };
    let listener = TcpListener::bind(("127.0.0.1", options.port)).await.map_err(bind)?;
    let address = listener.local_addr().map_err(bind)?;
    let clock = Running::new(options.clock);
    let org = Org::open(&options, clock.now())?;
    let state = Arc::new(State::new(org, clock, options.settings, format!("http://{address}")));
    let (access_token, credentials) = standing(&state)?;
    let (stop, mut stopped) = watch::channel(false);
    let shared = Arc::clone(&state);
    let app = Router::new().fallback(move |info: ConnectInfo<wire::Knife>, request: Request| {
        server::handle(Arc::clone(&shared), info, request)
    });
    let service = app.into_make_service_with_connect_info::<wire::Knife>();
    let task = tokio::spawn(async move {
        let until = async move {
            // An error means that the sender is gone, which means the same.
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        let _ = axum::serve(wire::Door(listener), service).with_graceful_shutdown(until).await;
    });
    Ok(Emulator { state, access_token, credentials, stop, task: Some(task) })
}

/// A session of the admin that does not idle away, and what is needed for others.
fn standing(state: &State) -> Result<(String, Credentials), EmulatorError> {
    let mut org = state.org();
    let users = org.people.users.clone();
    let clients = org.people.clients.clone();
    let (Some(admin), Some(client)) = (users.first(), clients.first()) else {
        return Err(EmulatorError::Unknown("an org needs a user and an app".to_owned()));
    };
    let grant = |user, family, standing| Grant {
        user,
        client: client.client_id.as_str(),
        scopes: &client.scopes,
        family,
        standing,
    };
    // Tokens that seeds name, and one for the admin in any case.
    let mut refresh = None;
    for user in &users {
        let Some(value) = user.seed.refresh_token.clone().filter(|v| !org.people.tokens.contains_key(v)) else {
            continue;
        };
        let made = state.issue(&mut org, TokenKind::Refresh, grant(&user.id, 0, false))?;
        org.people.families += 1;
        let family = org.people.families;
        if let Some(mut token) = org.people.tokens.remove(&made) {
            (token.value, token.family) = (value.clone(), family);
            org.people.issue(token);
        }
        if user.id == admin.id {
            refresh = Some(value);
        }
    }
    org.people.families += 1;
    let family = org.people.families;
    let refresh_token = match refresh {
        Some(token) => token,
        None => state.issue(&mut org, TokenKind::Refresh, grant(&admin.id, family, false))?,
    };
    org.people.families += 1;
    let family = org.people.families;
    let access = state.issue(&mut org, TokenKind::Access, grant(&admin.id, family, true))?;
    let credentials = Credentials {
        client_id: client.client_id.clone(),
        client_secret: client.client_secret.clone(),
        username: admin.seed.username.clone(),
        refresh_token,
        private_key: PRIVATE_KEY.to_owned(),
    };
    Ok((access, credentials))
}

impl Emulator {
    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        self.state.base.clone()
    }

    /// The org's id, 18 characters.
    pub fn org_id(&self) -> String {
        self.state.org().profile.id.clone()
    }

    /// A session of the admin; it does not idle away, but it can be revoked.
    pub fn access_token(&self) -> String {
        self.access_token.clone()
    }

    /// A standing session of another user.
    ///
    /// # Errors
    /// No such user.
    pub fn session_of(&self, username: &str) -> Result<String, EmulatorError> {
        let mut org = self.state.org();
        let unknown = || EmulatorError::Unknown(format!("there is no user `{username}`"));
        let user = org.people.by_username(username).ok_or_else(unknown)?.id.clone();
        org.people.families += 1;
        let family = org.people.families;
        let client = &self.credentials.client_id;
        let scopes = org.people.client(client).map(|c| c.scopes.clone()).unwrap_or_default();
        let grant = Grant { user: &user, client, scopes: &scopes, family, standing: true };
        self.state.issue(&mut org, TokenKind::Access, grant)
    }

    /// Signs in, and allows or denies, for a person without a browser. `url` is what an app would open in one (`…/authorize?…`); the
    /// answer is where the browser would be sent: the app's callback with a code or an error.
    ///
    /// # Errors
    /// No such active user; or the org would show an error page, whose HTML is told.
    pub fn authorize(&self, url: &str, username: &str, allow: bool) -> Result<String, EmulatorError> {
        super::http::oauth::authorize_on_behalf(&self.state, url, username, allow)
    }

    /// Says for a person, without a browser, whether a device may come in.
    ///
    /// # Errors
    /// No such user, or no such code that waits.
    pub fn judge_device(&self, user_code: &str, username: &str, allow: bool) -> Result<(), EmulatorError> {
        super::http::oauth::judge_device(&self.state, user_code, username, allow)
    }

    /// Changes an app: its callbacks, flows, or whether it is installed.
    ///
    /// # Errors
    /// No such app.
    pub fn change_client(&self, client_id: &str, change: impl FnOnce(&mut ClientSeed)) -> Result<(), EmulatorError> {
        let mut org = self.state.org();
        let client = org.people.clients.iter_mut().find(|c| c.client_id == client_id);
        let unknown = || EmulatorError::Unknown(format!("there is no app `{client_id}`"));
        change(client.ok_or_else(unknown)?);
        org.save()
    }

    /// Every token that is alive or spent, for tests that look for them where they do not belong.
    pub fn tokens(&self) -> Vec<String> {
        self.state.org().people.tokens.keys().cloned().collect()
    }

    /// What is needed to log in by refresh token, client credentials or JWT.
    pub fn credentials(&self) -> Credentials {
        self.credentials.clone()
    }

    /// The calls so far, in the order of arrival.
    pub fn calls(&self) -> Vec<Call> {
        self.state.transcript().all()
    }

    /// Forgets the calls so far.
    pub fn clear_calls(&self) {
        self.state.transcript().clear();
    }

    /// Requests that a fault delays at this moment: how a test knows that a client is in the middle of a call.
    pub fn held(&self) -> usize {
        self.state.held()
    }

    /// Ends the delays of this moment: the calls go on.
    pub fn let_go(&self) {
        self.state.go.notify_waiters();
    }

    /// Calls counted against the daily limit, those before the start included.
    pub fn used(&self) -> u64 {
        self.state.used()
    }

    /// Adds a fault.
    pub fn fault(&self, fault: Fault) {
        self.state.script().add(fault);
    }

    /// Adds the faults of a script (YAML or JSON, a list).
    ///
    /// # Errors
    /// What is wrong with the script.
    pub fn faults(&self, text: &str) -> Result<(), EmulatorError> {
        let faults: Vec<Fault> = super::seed::form::from_yaml(text).map_err(EmulatorError::Unknown)?;
        faults.into_iter().for_each(|fault| self.fault(fault));
        Ok(())
    }

    /// Bulk jobs, oldest first.
    pub fn jobs(&self) -> Vec<JobSeen> {
        self.state.jobs().all().map(Job::seen).collect()
    }

    /// Whatever a script holds bulk jobs back by ends: the next poll finds them done.
    pub fn release_jobs(&self) {
        release_jobs(&self.state);
    }

    /// Aborts a bulk job, as somebody else may do in Setup.
    ///
    /// # Errors
    /// No such job, or one that is over.
    pub fn abort_job(&self, id: &str) -> Result<(), EmulatorError> {
        let id = super::ids::eighteen(id).unwrap_or_default();
        if self.state.jobs().get(&id).is_none_or(|job| job.phase.is_over()) {
            return Err(EmulatorError::Unknown(format!("no job {id} that could be aborted")));
        }
        jobs::stop(&self.state, &id);
        Ok(())
    }

    /// Ends all faults.
    pub fn clear_faults(&self) {
        self.state.script().clear();
    }

    /// A record with all its fields as replies print them; deleted ones, too.
    pub fn record(&self, object: &str, id: &str) -> Option<Map<String, Value>> {
        let org = self.state.org();
        let object = org.model.catalog.object(object)?;
        let id = super::ids::eighteen(id)?;
        rows::maps(&org.db, object, Some(&id)).ok()?.pop()
    }

    /// All records of an object that are there, in id order.
    pub fn records(&self, object: &str) -> Vec<Map<String, Value>> {
        let org = self.state.org();
        let found = org.model.catalog.object(object).map(|o| rows::maps(&org.db, o, None));
        found.and_then(Result::ok).unwrap_or_default()
    }

    /// Somebody else edits a record: past the rules, with a new LastModifiedDate unless one is given.
    ///
    /// # Errors
    /// No such object, field or record, or a value that is none of its type.
    pub fn edit(&self, object: &str, id: &str, fields: &Map<String, Value>) -> Result<(), EmulatorError> {
        self.state.org().edit(object, id, fields, self.state.now())
    }

    /// Puts records in, in one transaction; returns their ids in order.
    ///
    /// # Errors
    /// No such object or field, or a value that is none of its type.
    pub fn insert(&self, object: &str, records: &[Map<String, Value>]) -> Result<Vec<String>, EmulatorError> {
        let now = self.state.now();
        self.state.org().insert(object, records, now)
    }

    /// Puts a record into the recycle bin.
    ///
    /// # Errors
    /// No such object or record.
    pub fn delete(&self, object: &str, id: &str) -> Result<(), EmulatorError> {
        delete(&self.state, object, id)
    }

    /// Sets field-level security, of one user or of all.
    ///
    /// # Errors
    /// No such user, object or field.
    pub fn set_access(
        &self,
        username: Option<&str>,
        object: &str,
        field: &str,
        access: Access,
    ) -> Result<(), EmulatorError> {
        set_access(&self.state, username, object, field, access)
    }

    /// Hides a field from everybody.
    ///
    /// # Errors
    /// No such object or field.
    pub fn hide_field(&self, object: &str, field: &str) -> Result<(), EmulatorError> {
        self.set_access(None, object, field, Access::None)
    }

    /// Changes a user: rights, activity. Describes change with it.
    ///
    /// # Errors
    /// No such user.
    pub fn change_user(&self, username: &str, change: impl FnOnce(&mut UserSeed)) -> Result<(), EmulatorError> {
        let now = self.state.now();
        let mut org = self.state.org();
        let user = org.people.users.iter_mut().find(|u| u.seed.username.eq_ignore_ascii_case(username));
        let unknown = || EmulatorError::Unknown(format!("there is no user `{username}`"));
        change(&mut user.ok_or_else(unknown)?.seed);
        org.changed = now;
        org.show_rights()?;
        org.save()
    }

    /// Ends every session, the standing one included; refresh tokens live on.
    pub fn revoke_sessions(&self) {
        self.state.org().people.end_sessions();
    }

    /// Sets the clock.
    pub fn set_clock(&self, clock: Clock) {
        self.state.set_clock(Running::new(clock));
    }

    /// Stops, once calls under way have ended.
    pub async fn shutdown(mut self) {
        let _ = self.stop.send(true);
        if let Some(task) = self.task.take() {
            // Connections that clients keep open end with the task.
            let _ = tokio::time::timeout(std::time::Duration::from_secs(1), task).await;
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
    }
}

impl std::fmt::Debug for Emulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Emulator").field("url", &self.state.base).finish_non_exhaustive()
    }
}

/// Nothing holds back any bulk job any more.
pub(super) fn release_jobs(state: &State) {
    let mut jobs = state.jobs();
    jobs.each(|job| job.script.release());
}

/// Puts a record into the recycle bin.
pub(super) fn delete(state: &State, object: &str, id: &str) -> Result<(), EmulatorError> {
    let org = state.org();
    let object = find(&org.model.catalog, object)?;
    let unknown = || EmulatorError::Unknown(format!("no {} with id {id}", object.name));
    let id = super::ids::eighteen(id).ok_or_else(unknown)?;
    rows::delete(&org.db, object, &id)?.then_some(()).ok_or_else(unknown)
}

/// Sets field-level security; describes change with it.
pub(super) fn set_access(
    state: &State,
    username: Option<&str>,
    object: &str,
    field: &str,
    access: Access,
) -> Result<(), EmulatorError> {
    let now = state.now();
    let mut org = state.org();
    let key = {
        let object = find(&org.model.catalog, object)?;
        let unknown = || EmulatorError::Unknown(format!("`{field}` is no field of {}", object.name));
        format!("{}.{}", object.name, object.field(field).ok_or_else(unknown)?.name)
    };
    let mut hit = false;
    for user in &mut org.people.users {
        if username.is_none_or(|name| user.seed.username.eq_ignore_ascii_case(name)) {
            user.seed.fields.insert(key.clone(), access);
            hit = true;
        }
    }
    if !hit {
        return Err(EmulatorError::Unknown(format!("there is no user `{}`", username.unwrap_or_default())));
    }
    org.changed = now;
    org.show_rights()?;
    org.save()
}
