//! The log-in on another device, by a code.

use std::time::{Duration, Instant};

use super::arguments::How;
use crate::cli::connect::Door;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::diag::{Code, Diagnostic};
use crate::model::Secret;
use crate::render::escape::Terminal;
use crate::salesforce::{self, Grant, Polled, SalesforceError, TokenErrorCode};

/// Why an org gives no code to an app that it knows: since September 2025 this is the usual reason.
const BLOCKED: &str = "Salesforce blocks the device flow for apps that are not installed in the org or have not enabled it: use `flow: browser`, or let an admin install the app and enable the flow";
/// The same, where only the person who was there can say.
const IF_SHOWN: &str = "if Salesforce's page showed an error in place of the question, it blocks the device flow for this app (not installed in the org, or not enabled): use `flow: browser`, or let an admin install the app and enable the flow";

fn failed(door: &Door<'_>, message: impl std::fmt::Display) -> Diagnostic {
    door.not_logged_in(Code::DeviceLogIn, message)
}

/// Logs in by a code.
///
/// # Errors
/// Blocked, denied, run out, or no answer.
pub async fn log_in(
    door: &Door<'_>,
    salesforce: &salesforce::Door,
    client_id: &str,
    client_secret: Option<&Secret>,
    how: &How,
) -> Result<Grant, Failure> {
    let world = door.world;
    let refused = |diagnostic: Diagnostic| Failure::new(Exit::Unauthorised, diagnostic);
    let device = match salesforce.device(client_id).await {
        Ok(device) => device,
        Err(SalesforceError::Token(error)) if error.is_refusal() => {
            let words = Terminal(&error.description).to_string();
            let message = format!("the org gave no code for a device: {} ({words})", Terminal(error.code.as_str()));
            let unknown = matches!(
                error.code,
                TokenErrorCode::InvalidClientId
                    | TokenErrorCode::InvalidClient
                    | TokenErrorCode::InvalidClientCredentials
            );
            return Err(refused(failed(door, message).help(if unknown {
                "the org knows no app of this consumer key: copy `client_id` once more (Setup > External Client App Manager); a new app takes some minutes to be known"
            } else {
                BLOCKED
            })));
        }
        Err(error) => return Err(door.failure(&error, &door.log_in.span)),
    };
    let mut address = device.address.clone();
    address.query_pairs_mut().append_pair("user_code", &device.user_code);
    let opened = !how.no_browser && open::that_detached(address.as_str()).is_ok();
    let first = if opened {
        "Log in on the page that opens in your browser, or on any device at"
    } else {
        "Log in on any device at"
    };
    world.say(first);
    world.warn(&format!("\n  {}\n", Terminal(device.address.as_str())));
    world.say("with this code:");
    world.warn(&format!("\n  {}\n", Terminal(&device.user_code)));

    // `FOOTBRIDGE_BACKOFF=none` asks without waiting, for tests.
    let hurry = world.variable("FOOTBRIDGE_BACKOFF").as_deref() == Some("none");
    let mut interval = if hurry { Duration::from_millis(1) } else { device.interval };
    let end = Instant::now() + Duration::from_secs(how.wait);
    loop {
        tokio::time::sleep(interval).await;
        match salesforce.poll(&device, client_id, client_secret).await {
            Ok(Polled::Granted(grant)) => return Ok(*grant),
            Ok(Polled::Pending) => {}
            Ok(Polled::SlowDown) if hurry => {}
            Ok(Polled::SlowDown) => interval += Duration::from_secs(5),
            Err(SalesforceError::Token(error)) if error.code == TokenErrorCode::AccessDenied => {
                return Err(refused(failed(door, "the log-in was denied").help("press Allow on the page")));
            }
            Err(SalesforceError::Token(error)) if error.is_refusal() => {
                let words = format!("{} ({})", Terminal(error.code.as_str()), Terminal(&error.description));
                let message = format!("Salesforce refused the code: {words}");
                let late = "a code is good for about ten minutes: try again";
                return Err(refused(failed(door, message).help(late).help(IF_SHOWN)));
            }
            // One question that got no answer; the next one says what became of it.
            Err(error) if error.is_of_the_network() => {}
            Err(error) => return Err(door.failure(&error, &door.log_in.span)),
        }
        if Instant::now() >= end {
            let message = format!("nobody logged in within {} s", how.wait);
            return Err(refused(failed(door, message).help("try again; `--wait` waits longer").help(IF_SHOWN)));
        }
    }
}
