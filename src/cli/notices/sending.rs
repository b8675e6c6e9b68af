//! Short calls, and what is told when they fail: never an address, nor a token.

use std::time::Duration;

use crate::cli::forge::classify;
use crate::cli::world::World;
use crate::net::{BackoffSettings, Budget, Http, NetError, Request, Response};

/// Nobody waits longer than this for the whole of it.
const TOTAL_WAIT: Duration = Duration::from_secs(30);

/// A budget of repeats, apart from those of the runs.
pub fn budget(world: &World) -> Budget {
    let settings = match world.variable("FOOTBRIDGE_BACKOFF").as_deref() {
        Some("none") => BackoffSettings::immediate(),
        _ => BackoffSettings {
            cap: Duration::from_secs(8),
            retry_after_cap: TOTAL_WAIT,
            total_wait: TOTAL_WAIT,
            ..BackoffSettings::default()
        },
    };
    Budget::new(BackoffSettings { repeats_per_call: 4, ..settings })
}

/// Calls, repeats what may be repeated, and takes a good answer only. The error is for people.
pub async fn call(http: &Http, budget: &Budget, request: &Request) -> Result<Response, String> {
    let called = http.call(request, budget, classify).await.map_err(|error| words(&error).to_owned())?;
    let status = called.response.status;
    if status.is_success() { Ok(called.response) } else { Err(format!("it answered {}", status.as_u16())) }
}

/// What the network said, without what must not be told.
pub fn words(error: &NetError) -> &'static str {
    match error {
        NetError::Failed { trouble, .. } => trouble.as_str(),
        NetError::HostRefused { .. } | NetError::Insecure { .. } => "its address is not https, or has a password in it",
        NetError::TooLarge { .. } => "its answer is too long",
        NetError::Build { .. } | NetError::ReadOnly { .. } => "a header has characters that it cannot have",
    }
}
