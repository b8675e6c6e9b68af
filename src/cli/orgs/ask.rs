//! What an org says of itself, and whether that is what the environment's name says.

use crate::cli::connect::{Door, mend};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::diag::{Code, Diagnostic};
use crate::model::{EnvironmentName, RecordId};
use crate::salesforce::{Client, Organization};

/// Who is logged in, and which org that is.
pub struct Answer {
    /// The org's own record.
    pub organization: Organization,
    /// The user.
    pub user_id: Option<RecordId>,
    /// The user's name, where the app's scopes or the user's rights tell it.
    pub username: Option<String>,
}

impl Answer {
    /// `a sandbox`, or what else it is.
    pub fn kind(&self) -> &'static str {
        match self.organization.is_sandbox {
            true => "a sandbox",
            false if self.is_developers() => "a Developer Edition",
            false => "a production org",
        }
    }

    /// An org for developers: it says that it is no sandbox, and nobody's business depends on it.
    fn is_developers(&self) -> bool {
        self.organization.organization_type == "Developer Edition"
    }
}

/// Asks the org.
///
/// # Errors
/// The log-in is refused, or no answer.
pub async fn ask(door: &Door<'_>, client: &Client) -> Result<Answer, Failure> {
    let wrong = |error| door.failure(&error, &door.log_in.span);
    let identity = client.identity().await.map_err(wrong)?;
    let organization = client.organization().await.map_err(wrong)?;
    if organization.id != identity.org_id {
        return Err(Failure::bug("the log-in and the org's own record name different orgs"));
    }
    let mut username = identity.username;
    if let (None, Some(user)) = (&username, identity.user_id) {
        username = client.username_of(user).await.ok().flatten();
    }
    Ok(Answer { organization, user_id: identity.user_id, username })
}

/// Is the org what the environment's name says? A word on it where it is not, and need not be.
///
/// # Errors
/// Production where a sandbox is expected, or the other way round.
pub fn fits(door: &Door<'_>, answer: &Answer, not_a_sandbox: bool) -> Result<Option<String>, Failure> {
    let label = door.label();
    let organization = &answer.organization;
    let wrong = |message: String| {
        Diagnostic::error(Code::EnvironmentKind, message)
            .at(door.settings.domain.span.clone(), "this org")
            .note("nothing was kept and nothing was written")
    };
    match (door.environment, organization.is_sandbox) {
        (EnvironmentName::Sandbox, true) | (EnvironmentName::Production, false) => Ok(None),
        (EnvironmentName::Production, true) => {
            let diagnostic = wrong(format!("{label} is a sandbox: {} ({})", organization.name, organization.id))
                .help("put it under `sandbox:`, or write the production org's My Domain");
            Err(Failure::new(Exit::Unauthorised, diagnostic))
        }
        (EnvironmentName::Sandbox, false) => {
            let pinned = door.settings.org_id.as_ref().is_some_and(|id| id.value == organization.id);
            if not_a_sandbox || pinned || answer.is_developers() {
                return Ok(Some(format!(
                    "{label} is no sandbox: it is {}, and what is tried here is done there",
                    answer.kind()
                )));
            }
            let diagnostic = wrong(format!(
                "{label} is no sandbox: {} ({}) is a production org",
                organization.name, organization.id
            ))
            .help("write the sandbox's My Domain, or put this org under `production:`")
            .help(format!("if it is an org for trying things, say so: {} --not-a-sandbox", mend(&door.place())));
            Err(Failure::new(Exit::Unauthorised, diagnostic))
        }
    }
}
