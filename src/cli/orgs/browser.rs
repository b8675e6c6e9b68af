//! The log-in in a browser: authorization code with PKCE.

use std::io::ErrorKind;
use std::time::Duration;

use super::arguments::How;
use super::listener::{Came, Listener};
use crate::cli::connect::Door;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::config::valid::Callback;
use crate::diag::{Code, Diagnostic};
use crate::model::Secret;
use crate::render::escape::Terminal;
use crate::salesforce::{self, Grant};

fn failed(door: &Door<'_>, message: impl std::fmt::Display) -> Diagnostic {
    door.not_logged_in(Code::BrowserLogIn, message)
}

/// Logs in by a browser.
///
/// # Errors
/// The port is taken, nobody came in time, the answer is not ours, or Salesforce refused.
pub async fn log_in(
    door: &Door<'_>,
    salesforce: &salesforce::Door,
    client_id: &str,
    client_secret: Option<&Secret>,
    callback: &Callback,
    how: &How,
) -> Result<Grant, Failure> {
    let world = door.world;
    let refused = |diagnostic: Diagnostic| Failure::new(Exit::Unauthorised, diagnostic);
    let mut listener = Listener::open(callback).await.map_err(|error| {
        let port = callback.port;
        let diagnostic = match error.kind() {
            ErrorKind::AddrInUse => {
                failed(door, format!("port {port} of this machine is taken, and Salesforce's answer comes there"))
                    .help("end the program that has it (another `orgs connect`, or `sf`), then try again")
                    .help("or register another callback URL with the app, and write it as `callback:`")
            }
            _ => failed(door, format!("port {port} of this machine cannot be listened at: {error}"))
                .help("register a callback URL with another port with the app, and write it as `callback:`"),
        };
        Failure::new(Exit::Failed, diagnostic)
    })?;
    let authorization =
        salesforce.authorize(client_id, &callback.text).map_err(|error| door.failure(&error, &door.log_in.span))?;
    let opened = !how.no_browser && open::that_detached(authorization.url.as_str()).is_ok();
    let first = if opened {
        "Log in on the page that opens in your browser, or at this address:"
    } else {
        "Log in at this address:"
    };
    world.say(first);
    world.warn(&format!("\n  {}\n", authorization.url));
    world.say(&format!("Waiting for Salesforce to come back to {}.", callback.text));

    let arrival = listener.arrival(Duration::from_secs(how.wait)).await;
    let ended = match arrival {
        None => Err(refused(
            failed(door, format!("nobody came back within {} s", how.wait))
                .help(format!(
                    "did Salesforce show redirect_uri_mismatch? Then register exactly this callback URL with the app: {}",
                    callback.text
                ))
                .help("a new or changed app takes up to ten minutes to work; `--wait` waits longer, `--flow device` needs no callback"),
        )),
        Some(arrival) => {
            let outcome = match &arrival.came {
                Came::Code { state, .. } | Came::Refused { state, .. } if !authorization.is_ours(state) => Err(refused(
                    failed(door, "the answer that came belongs to another log-in (its state differs), so it was not used")
                        .help("close older log-in pages, then try again"),
                )),
                Came::Nothing => Err(refused(
                    failed(door, "the answer that came is no answer of Salesforce's log-in").help("try again"),
                )),
                Came::Refused { error, description, .. } => Err(refused(
                    failed(door, format!("Salesforce refused the log-in: {} ({})", Terminal(error), Terminal(description)))
                        .help("press Allow on the page; if there was no such page, let an admin check the app's policies"),
                )),
                Came::Code { code, .. } => salesforce
                    .exchange(authorization, code, client_id, client_secret)
                    .await
                    .map_err(|error| door.failure(&error, &door.log_in.span)),
            };
            match &outcome {
                Ok(_) => arrival.well(),
                Err(_) => arrival.badly(),
            }
            outcome
        }
    };
    listener.close().await;
    ended
}
