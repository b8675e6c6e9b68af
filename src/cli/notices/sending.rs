//! Calls to a webhook or to the repository's host. What is told of a failure names neither address nor token.

use std::time::Duration;

use url::Url;

use crate::cli::world::World;
use crate::net::{
    BackoffSettings, Budget, HostRule, Http, NetError, Request, Response, Settings, Verdict, retry_after,
};

/// Nobody waits longer than this for the whole of it.
const TOTAL_WAIT: Duration = Duration::from_secs(30);

/// A client for this host alone. `http` to this machine itself is allowed, else https only.
pub fn client(url: &Url) -> Http {
    let host = url.host_str().map(str::to_owned);
    let port = url.port_or_known_default();
    let rule = HostRule::new(move |other| {
        other.host_str().map(str::to_owned) == host && other.port_or_known_default() == port
    });
    Http::new(Settings {
        connect_timeout: Duration::from_secs(10),
        read_timeout: Duration::from_secs(20),
        total_timeout: Duration::from_secs(30),
        page_limit: 16 << 20,
        ..Settings::new(rule)
    })
}

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
    let called = http.call(request, budget, classify).await.map_err(|error| match error {
        NetError::Failed { trouble, .. } => trouble.as_str().to_owned(),
        NetError::HostRefused { .. } | NetError::Insecure { .. } => {
            "its address is not https, or has a password in it".to_owned()
        }
        NetError::TooLarge { .. } => "its answer is too long".to_owned(),
        _ => "a header has characters that it cannot have".to_owned(),
    })?;
    let status = called.response.status;
    if status.is_success() { Ok(called.response) } else { Err(format!("it answered {}", status.as_u16())) }
}

fn classify(response: &Response) -> Verdict {
    let limited = response.header("retry-after").is_some() || response.header("x-ratelimit-remaining") == Some("0");
    match response.status.as_u16() {
        200..=299 => Verdict::Done,
        429 => Verdict::Retry { after: retry_after(response) },
        403 if limited => Verdict::Retry { after: retry_after(response) },
        500..=599 => Verdict::Lost { after: retry_after(response) },
        _ => Verdict::Fatal,
    }
}
