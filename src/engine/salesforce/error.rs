//! Why Salesforce did not do what was asked. Messages are kept as they came, of limited length; making them safe to print is the renderer's work.
//! Tokens and secrets are taken out before an error is made.

use std::fmt;
use std::time::Duration;

use http::StatusCode;

use super::auth::TokenError;
use super::{ErrorCode, JobId, JobState, Treatment};
use crate::model::{OrgId, Secret};
use crate::net::{NetError, Sent};

/// Characters of an error message that are kept.
pub(crate) const MESSAGE_LIMIT: usize = 2000;

/// One entry of an error's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Code.
    pub code: ErrorCode,
    /// Salesforce's own text, which may quote values of records; up to 2,000 characters.
    pub message: String,
    /// Fields that it names.
    pub fields: Vec<String>,
}

impl Fault {
    /// What it asks for.
    pub fn treatment(&self) -> Treatment {
        self.code.treatment(&self.message)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message.trim())?;
        if !self.fields.is_empty() {
            write!(f, " (fields: {})", self.fields.join(", "))?;
        }
        Ok(())
    }
}

/// An error answer in Salesforce's own form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// The first entry.
    pub fault: Fault,
    /// Further entries.
    pub more: Vec<Fault>,
    /// Salesforce's id of the request, for its support.
    pub request_id: Option<String>,
}

impl ApiError {
    /// Code of the first entry.
    pub fn code(&self) -> &ErrorCode {
        &self.fault.code
    }

    /// What the first entry asks for; of a code that is not known, the status.
    pub fn treatment(&self) -> Treatment {
        match (self.fault.treatment(), &self.fault.code, StatusCode::from_u16(self.status)) {
            (Treatment::Fatal, ErrorCode::Other(_), Ok(status)) => status_treatment(status, false),
            (by_code, ..) => by_code,
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Salesforce answered {} {}", self.status, self.fault)?;
        for fault in &self.more {
            write!(f, "; {fault}")?;
        }
        Ok(())
    }
}

/// What went wrong between the client and an org.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SalesforceError {
    /// No answer.
    #[error("Salesforce could not be reached: {0}")]
    Net(#[from] NetError),
    /// An error in Salesforce's own form.
    #[error("{0}")]
    Api(Box<ApiError>),
    /// The log-in was refused.
    #[error("{0}")]
    Token(#[from] TokenError),
    /// The session has ended and cannot be renewed.
    #[error("the session at Salesforce is not valid ({reason}); {advice}")]
    NotAuthorised {
        /// Salesforce's own words.
        reason: String,
        /// What to do.
        advice: &'static str,
    },
    /// The session has ended, and the log-in that would renew it did not come through. The call itself was refused.
    #[error("the session at Salesforce has ended, and a new log-in failed: {0}")]
    NotRenewed(Box<SalesforceError>),
    /// Something that is not Salesforce's JSON: a page of a proxy, of a log-in or of maintenance.
    #[error("the answer ({status}) is not in Salesforce's own form; it begins: {excerpt:?}")]
    Foreign {
        /// HTTP status.
        status: u16,
        /// Its first words, without tags and control characters.
        excerpt: String,
        /// The status and the headers say that it will pass.
        treatment: Treatment,
    },
    /// A status without a body that explains it.
    #[error("Salesforce answered {status} without a reason")]
    Status {
        /// HTTP status.
        status: u16,
        /// What the status asks for.
        treatment: Treatment,
    },
    /// An answer that sends the client elsewhere. Redirects are not followed.
    #[error("Salesforce answered {status} and points elsewhere (to {to}); check the domain in orgs.yaml")]
    Redirected {
        /// HTTP status.
        status: u16,
        /// Host that it points to.
        to: String,
    },
    /// Valid JSON that is not what the documentation says.
    #[error("the answer to {what} is not as Salesforce documents it: {detail}")]
    Malformed {
        /// What was asked.
        what: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// The API version is no longer served (410).
    #[error("this org no longer serves version {version} of the API; set a newer api_version in project.yaml")]
    VersionRetired {
        /// Version asked for.
        version: String,
    },
    /// The domain leads to another org than the pinned one.
    #[error("this is org {actual}, but orgs.yaml pins {pinned}; nothing was read or written")]
    WrongOrg {
        /// Pinned id.
        pinned: OrgId,
        /// The org's own id.
        actual: OrgId,
    },
    /// The log-in's answer names an instance that the host rule refuses.
    #[error(
        "the log-in names {host} as the org's address, which is not a Salesforce host; the token was not sent there"
    )]
    InstanceRefused {
        /// Its host.
        host: String,
    },
    /// The private key cannot sign.
    #[error("the private key of the JWT log-in cannot be used: it must be an RSA key in PEM form ({cause})")]
    PrivateKey {
        /// Why.
        cause: String,
    },
    /// The new refresh token could not be kept, so the session was not used.
    #[error("Salesforce issued a new refresh token, and it could not be kept ({cause}); log in again")]
    RefreshTokenNotKept {
        /// Why.
        cause: String,
    },
    /// The tokens that are kept cannot be read or changed.
    #[error("the log-in that is kept cannot be used: {cause}")]
    TokensUnusable {
        /// Why.
        cause: String,
    },
    /// An earlier renewal was sent and its outcome never known: the refresh token may be spent.
    #[error(
        "an earlier renewal of this log-in was sent and its outcome is not known, so its refresh token may be spent; it is not sent again"
    )]
    RefreshUncertain,
    /// This renewal was sent and its outcome is not known.
    #[error(
        "the log-in was being renewed, and what came of it is not known ({0}); the refresh token may be spent, and is not sent again"
    )]
    RefreshLost(Box<SalesforceError>),
    /// Another program had no session to hand over.
    #[error("{cause}")]
    Outside {
        /// Why.
        cause: String,
    },
    /// Fewer or more records came than Salesforce announced.
    #[error("Salesforce announced {announced} records and sent {received}; the read does not count")]
    RowsMissing {
        /// `totalSize`.
        announced: u64,
        /// Records in all pages.
        received: u64,
    },
    /// A bulk job is over without having done its work.
    #[error("Salesforce ended the bulk job {job} as {state}: {message}")]
    JobEnded {
        /// The job.
        job: JobId,
        /// `Failed` or `Aborted`.
        state: JobState,
        /// Salesforce's own words.
        message: String,
    },
    /// A bulk job takes longer than it may.
    #[error("the bulk job {job} is not over after {} ({state}{})", span(*limit), so_far(*processed))]
    JobTooLong {
        /// The job.
        job: JobId,
        /// How long it might take.
        limit: Duration,
        /// Where it stood.
        state: JobState,
        /// Records dealt with so far, where told.
        processed: Option<u64>,
    },
    /// The results of a job were asked for in another version of the API than the job was made in (409).
    #[error("the bulk job {job} was made in another version of the API than {version}")]
    JobVersion {
        /// The job.
        job: JobId,
        /// The version asked for.
        version: String,
    },
    /// More than one call takes, or the same record twice.
    #[error("{detail}; nothing was sent")]
    Request {
        /// What is wrong with it.
        detail: String,
    },
}

/// A length of time in whole units.
fn span(time: Duration) -> String {
    match time.as_secs() {
        0 => format!("{} ms", time.as_millis()),
        seconds if seconds < 120 => format!("{seconds} s"),
        seconds => format!("{} minutes", seconds / 60),
    }
}

fn so_far(processed: Option<u64>) -> String {
    processed.map_or_else(String::new, |records| format!(", {records} records so far"))
}

impl From<ApiError> for SalesforceError {
    fn from(error: ApiError) -> Self {
        SalesforceError::Api(Box::new(error))
    }
}

impl SalesforceError {
    /// The error in Salesforce's own form, where there is one.
    pub fn api(&self) -> Option<&ApiError> {
        match self {
            SalesforceError::Api(error) => Some(error),
            _ => None,
        }
    }

    /// What it asks for.
    pub fn treatment(&self) -> Treatment {
        match self {
            SalesforceError::Api(error) => error.treatment(),
            SalesforceError::Foreign { treatment, .. } | SalesforceError::Status { treatment, .. } => *treatment,
            SalesforceError::Net(error) if error.sent() == Sent::Maybe => Treatment::Uncertain,
            _ => Treatment::Fatal,
        }
    }

    /// Is it that the log-in is missing, refused or leads to another org? (exit code 7)
    pub fn is_not_authorised(&self) -> bool {
        match self {
            SalesforceError::NotAuthorised { .. }
            | SalesforceError::WrongOrg { .. }
            | SalesforceError::InstanceRefused { .. }
            | SalesforceError::PrivateKey { .. }
            | SalesforceError::RefreshTokenNotKept { .. }
            | SalesforceError::TokensUnusable { .. }
            | SalesforceError::RefreshUncertain
            | SalesforceError::RefreshLost(_)
            | SalesforceError::Outside { .. } => true,
            SalesforceError::Token(error) => error.is_refusal(),
            SalesforceError::NotRenewed(error) => error.is_not_authorised(),
            SalesforceError::Api(error) => matches!(
                error.code(),
                ErrorCode::InvalidSessionId | ErrorCode::InvalidAuthHeader | ErrorCode::ApiDisabledForOrg
            ),
            _ => false,
        }
    }

    /// Did the network itself fail (which may pass), and not a limit or a rule of this client?
    pub fn is_of_the_network(&self) -> bool {
        matches!(self, SalesforceError::Net(NetError::Failed { .. }))
    }
}

/// At most so many characters, with a mark where something was left out.
pub(crate) fn clip(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// Takes secrets out of a text that a server sent back.
pub(crate) fn without(mut text: String, secrets: &[&Secret]) -> String {
    for secret in secrets {
        let secret = secret.expose();
        // As it is, and as a form or an address holds it.
        let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        for form in [secret, encoded.as_str()] {
            if form.len() >= 4 && text.contains(form) {
                text = text.replace(form, "[hidden]");
            }
        }
    }
    text
}

/// The first words of a body that is not JSON: tags and control characters become spaces.
pub(crate) fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(4000)]);
    let mut out = String::new();
    let mut in_tag = false;
    for c in text.chars() {
        let shown = match c {
            '<' => {
                in_tag = true;
                ' '
            }
            '>' if in_tag => {
                in_tag = false;
                ' '
            }
            _ if in_tag => continue,
            c if c.is_control()
                || c.is_whitespace()
                || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}') =>
            {
                ' '
            }
            c => c,
        };
        if shown != ' ' || !(out.is_empty() || out.ends_with(' ')) {
            out.push(shown);
        }
    }
    clip(out.trim(), 160)
}

/// The status by itself: what does it ask for? (REST API guide, status codes; 406, 420 and 429 are passing.)
pub(crate) fn status_treatment(status: StatusCode, retry_after: bool) -> Treatment {
    match status.as_u16() {
        401 => Treatment::RefreshSession,
        406 | 420 | 429 => Treatment::RetryLater,
        503 if retry_after => Treatment::RetryLater,
        500 | 502 | 503 | 504 => Treatment::Uncertain,
        414 | 431 => Treatment::Narrow,
        _ => Treatment::Fatal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_has_words_only() {
        let page = b"<!DOCTYPE html>\n<html><head><title>Down \x1b[31m for   maintenance</title></head><body>\xff back soon</body>";
        assert_eq!(excerpt(page), "Down [31m for maintenance \u{fffd} back soon");
        assert_eq!(excerpt("x".repeat(5000).as_bytes()).chars().count(), 161);
    }

    #[test]
    fn clipping_heeds_characters() {
        assert_eq!(clip("größe", 3), "grö…");
        assert_eq!(clip("größe", 5), "größe");
    }

    #[test]
    fn secrets_are_taken_out() {
        let secret = Secret::new("00D!tok".into());
        assert_eq!(without("bad token 00D!tok, 00D!tok".into(), &[&secret]), "bad token [hidden], [hidden]");
    }
}
