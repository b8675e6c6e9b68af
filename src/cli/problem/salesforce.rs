//! What is wrong with an org or a log-in.

use crate::cli::connect::{mend, pin};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::diag::{Code, Diagnostic, Span};
use crate::model::EnvironmentName;
use crate::net::{NetError, Trouble};
use crate::render::escape::Terminal;
use crate::salesforce::{ApiError, ErrorCode, SalesforceError, TokenError, TokenErrorCode};
use crate::vault::Place;

/// Where in the configuration, and what was being done.
pub struct Context<'a> {
    /// Which log-in.
    pub org: &'a Place,
    /// The log-in in `orgs.yaml`; for queries `where:` of the integration.
    pub at: Option<&'a Span>,
    /// What did not happen.
    pub not_done: &'a str,
}

/// The failure. Where the log-in is at fault it names the command that mends it.
pub fn failure(error: &SalesforceError, context: &Context<'_>) -> Failure {
    let failure = of_log_in(error, context);
    let told = failure.diagnostics.iter().any(|d| matches!(d.code, Code::WrongOrg | Code::ApiDisabled));
    if failure.exit != Exit::Unauthorised || told {
        return failure;
    }
    failure.help(format!("`{}` logs in and says what it reaches", mend(context.org)))
}

/// The failure, for a command that is itself the one that mends it.
pub fn of_log_in(error: &SalesforceError, context: &Context<'_>) -> Failure {
    let (exit, mut diagnostic) = word(error, context.org);
    let condition = diagnostic.code == Code::ConditionRefused;
    if (exit == Exit::Unauthorised || condition)
        && let Some(span) = context.at
    {
        diagnostic = diagnostic.at(span.clone(), if condition { "the org refused this" } else { "this org" });
    }
    Failure::new(exit, diagnostic.note(context.not_done))
}

fn word(error: &SalesforceError, org: &Place) -> (Exit, Diagnostic) {
    let shown = Terminal(&error.to_string()).to_string();
    let unauthorised = |code, message: String| (Exit::Unauthorised, Diagnostic::error(code, message));
    let failed = |code, message: String| (Exit::Failed, Diagnostic::error(code, message));
    match error {
        SalesforceError::Net(net) => network(net, org),
        SalesforceError::Api(api) => answered(api, org),
        SalesforceError::Token(token) => refused(token, org),
        SalesforceError::NotRenewed(inner) => word(inner, org),
        SalesforceError::NotAuthorised { reason, advice } => {
            let (exit, diagnostic) =
                unauthorised(Code::TokenRefused, format!("{org}: the session is not valid ({})", Terminal(reason)));
            (exit, diagnostic.help(*advice))
        }
        SalesforceError::WrongOrg { pinned, actual } => {
            let (exit, diagnostic) =
                unauthorised(Code::WrongOrg, format!("{org}: this is org {actual}, and `org_id` pins {pinned}"));
            let pin = pin(org);
            let question = if org.environment == EnvironmentName::Sandbox {
                format!("was this sandbox refreshed? Then `{pin}` writes its new id. If not, check `domain` and log-in")
            } else {
                format!("check `domain` and log-in; only if production is another org now, `{pin}` writes the new id")
            };
            (exit, diagnostic.help(question))
        }
        SalesforceError::InstanceRefused { .. } => unauthorised(Code::HostNotAllowed, format!("{org}: {shown}")),
        SalesforceError::PrivateKey { .. } => unauthorised(Code::KeyUnreadable, format!("{org}: {shown}")),
        SalesforceError::RefreshTokenNotKept { .. } | SalesforceError::TokensUnusable { .. } => {
            unauthorised(Code::StoreUnusable, format!("{org}: {shown}"))
        }
        SalesforceError::RefreshUncertain | SalesforceError::RefreshLost(_) => {
            unauthorised(Code::RefreshUnknown, format!("{org}: {shown}"))
        }
        SalesforceError::Outside { .. } => {
            let (exit, diagnostic) = unauthorised(Code::SalesforceCli, format!("{org}: {shown}"));
            (exit, diagnostic.help("`sf org list` shows what `sf` knows, `sf org login web --alias NAME` logs in"))
        }
        SalesforceError::Foreign { .. } => {
            let (exit, diagnostic) = failed(Code::HtmlInsteadOfJson, format!("{org}: {shown}"));
            (
                exit,
                diagnostic.help(
                    "a proxy or a maintenance page may stand in between; check `domain` in orgs.yaml, then try again",
                ),
            )
        }
        SalesforceError::Status { .. } => failed(Code::ServiceUnavailable, format!("{org}: {shown}")),
        SalesforceError::Redirected { .. } => failed(Code::HostNotAllowed, format!("{org}: {shown}")),
        SalesforceError::VersionRetired { .. } => failed(Code::ApiVersionUnsupported, format!("{org}: {shown}")),
        SalesforceError::JobEnded { .. } => {
            let (exit, diagnostic) = failed(Code::BulkJobEnded, format!("{org}: {}", without_query(&shown)));
            (exit, diagnostic.help("Setup > Bulk Data Load Jobs shows the job; `read: query` reads without one"))
        }
        SalesforceError::JobTooLong { .. } => {
            let (exit, diagnostic) = failed(Code::BulkJobTooLong, format!("{org}: {shown}; it was stopped"));
            (
                exit,
                diagnostic.help(
                    "try again when the org is less busy, or give it longer: `time_outs: { job: 3h }` in project.yaml; \
                     `read: query` reads without a job",
                ),
            )
        }
        SalesforceError::JobVersion { .. } => {
            let (exit, diagnostic) = failed(Code::AnswerUnreadable, format!("{org}: {shown}"));
            (exit, diagnostic.help("plan again: a new job is made in the version that project.yaml names"))
        }
        SalesforceError::Malformed { .. } | SalesforceError::RowsMissing { .. } | SalesforceError::Request { .. } => {
            failed(Code::AnswerUnreadable, format!("{org}: {shown}"))
        }
    }
}

fn network(error: &NetError, org: &Place) -> (Exit, Diagnostic) {
    let shown = Terminal(&error.to_string()).to_string();
    let (code, help) = match error {
        NetError::HostRefused { .. } | NetError::Insecure { .. } => {
            (Code::HostNotAllowed, "check `domain` in orgs.yaml")
        }
        NetError::TooLarge { .. } => {
            (Code::AnswerTooLarge, "the answer is no answer of Salesforce's; check `domain` in orgs.yaml")
        }
        NetError::Failed { trouble: Trouble::Tls, .. } => {
            (Code::TlsFailed, "check the certificates that this machine trusts, and the proxy")
        }
        NetError::Failed { trouble: Trouble::Timeout | Trouble::ConnectTimeout, .. } => {
            (Code::TimedOut, "try again later")
        }
        NetError::Failed { trouble: Trouble::Name, .. } => {
            (Code::HostUnreachable, "check `domain` in orgs.yaml, and the network")
        }
        NetError::Failed { .. } if shown.contains("//127.0.0.1:") || shown.contains("//localhost:") => (
            Code::HostUnreachable,
            "nothing listens there: start the emulator that orgs.yaml names (`footbridge emulator --db FILE --port N`), then try again",
        ),
        _ => (Code::HostUnreachable, "check the network, then try again"),
    };
    (Exit::Failed, Diagnostic::error(code, format!("{org}: {shown}")).help(help))
}

/// Salesforce begins what it says of a query with a piece of the query, and there the report's keys stand. Its reason follows the line with the place
/// (`ERROR at Row:1:Column:116`); that alone is shown.
fn without_query(text: &str) -> String {
    match text.split_once("ERROR at Row:").and_then(|(_, rest)| rest.split_once('\n')) {
        Some((_, reason)) => reason.trim().to_owned(),
        None => text.to_owned(),
    }
}

fn answered(error: &ApiError, org: &Place) -> (Exit, Diagnostic) {
    let mut error = error.clone();
    for fault in std::iter::once(&mut error.fault).chain(&mut error.more) {
        fault.message = without_query(&fault.message);
    }
    let error = &error;
    let shown = Terminal(&error.to_string()).to_string();
    let (exit, code, help) = match error.code() {
        ErrorCode::InvalidSessionId | ErrorCode::InvalidAuthHeader => (
            Exit::Unauthorised,
            Code::TokenRefused,
            "get a new token, or use a log-in that renews itself (`flow: jwt`)",
        ),
        ErrorCode::ApiDisabledForOrg => (
            Exit::Unauthorised,
            Code::ApiDisabled,
            "the user needs the permission \"API Enabled\": Setup > Permission Sets > System Permissions; as metadata \
             <userPermissions><enabled>true</enabled><name>ApiEnabled</name></userPermissions>",
        ),
        ErrorCode::RequestLimitExceeded => (
            Exit::Failed,
            Code::DailyLimit,
            "the limit counts the last 24 hours, for everyone in the org: try again later",
        ),
        ErrorCode::InvalidField | ErrorCode::MalformedQuery | ErrorCode::InvalidQueryFilterOperator => (
            Exit::Usage,
            Code::ConditionRefused,
            "correct `where:` (one condition, as it would stand after WHERE); a field that this user may not see counts as absent",
        ),
        _ => (Exit::Failed, Code::Forbidden, "Salesforce's own words say why"),
    };
    (exit, Diagnostic::error(code, format!("{org}: {shown}")).help(help))
}

fn refused(error: &TokenError, org: &Place) -> (Exit, Diagnostic) {
    let shown = Terminal(&error.to_string()).to_string();
    let (code, help) = match &error.code {
        TokenErrorCode::InvalidClientId | TokenErrorCode::InvalidClient | TokenErrorCode::InvalidClientCredentials => {
            (Code::LoginRefused, "check `client_id` and `client_secret`; a new app takes up to ten minutes to work")
        }
        TokenErrorCode::InvalidAppAccess => (
            Code::AppNotApproved,
            "in Setup, open the app's policies, set \"Admin approved users are pre-authorized\" and give the user its permission set",
        ),
        TokenErrorCode::InactiveUser | TokenErrorCode::InactiveOrg => {
            (Code::LoginRefused, "the user (or the org) is not active")
        }
        TokenErrorCode::InvalidGrant if error.description.contains("approved") => {
            (Code::AppNotApproved, "approve the app for this user once, or pre-authorise it by permission set")
        }
        _ => (
            Code::LoginRefused,
            "check the log-in in orgs.yaml; a refresh token may have been revoked, or spent by another machine",
        ),
    };
    let exit = if error.is_refusal() { Exit::Unauthorised } else { Exit::Failed };
    (exit, Diagnostic::error(code, format!("{org}: {shown}")).help(help))
}
