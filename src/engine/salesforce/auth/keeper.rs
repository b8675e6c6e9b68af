//! What keeps tokens between processes, as the session needs it. Who implements it owns the disk; this module never sees it.

use url::Url;

use crate::model::{OrgId, RecordId, Secret};

/// A log-in as it is kept.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    /// The present session.
    pub access_token: Option<Secret>,
    /// What renews it.
    pub refresh_token: Option<Secret>,
    /// Where its org is.
    pub instance_url: Option<Url>,
    /// Its org.
    pub org: Option<OrgId>,
    /// Its user.
    pub user: Option<RecordId>,
    /// The user's name.
    pub username: Option<String>,
    /// The refresh token was sent once and nobody knows what came of it: it may be spent.
    pub uncertain: bool,
    /// Would a renewal without an answer leave the token uncertain?
    pub spends: bool,
}

/// What a renewal gave.
#[derive(Debug)]
pub struct Renewed {
    /// The new session; `None` where it is of no use.
    pub access_token: Option<Secret>,
    /// The new refresh token, where the org rotates.
    pub refresh_token: Option<Secret>,
    /// Where the org is now.
    pub instance_url: Option<Url>,
    /// The org.
    pub org: Option<OrgId>,
    /// The user.
    pub user: Option<RecordId>,
}

/// Keeps the tokens of one log-in for all processes. Errors are for people, and hold no secret.
pub trait TokenKeeper: Send + Sync {
    /// The log-in as it is kept now; empty where there is none.
    ///
    /// # Errors
    /// It cannot be read.
    fn look(&self) -> Result<Kept, String>;

    /// Waits (and blocks) until no other process renews this log-in; others wait until the turn is dropped.
    ///
    /// # Errors
    /// It cannot be read or locked.
    fn turn(&self) -> Result<Box<dyn Turn>, String>;
}

/// The sole right to renew a log-in.
pub trait Turn: Send {
    /// The log-in as it was kept when the turn came, or as it has become since.
    fn kept(&self) -> &Kept;

    /// Notes, durably, that the refresh token is about to be sent.
    ///
    /// # Errors
    /// It cannot be written: then nothing may be sent.
    fn sending(&mut self) -> Result<(), String>;

    /// Keeps what came, durably, before anything is done with it.
    ///
    /// # Errors
    /// It cannot be written: the session may not be used.
    fn renewed(&mut self, renewed: Renewed) -> Result<(), String>;

    /// The token was surely not spent: it was not sent, or refused. With Salesforce's reason where the log-in has ended for good.
    ///
    /// # Errors
    /// It cannot be written.
    fn refused(&mut self, ended: Option<&str>) -> Result<(), String>;
}
