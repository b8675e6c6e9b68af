//! The one way to speak HTTP: client, time-outs, retry by class of call, body limits, host rule, a read-only switch. Does not know Salesforce.

mod budget;
mod call;
mod error;
mod feed;
mod http;
mod pieces;
mod request;
mod retry;
mod retry_after;
#[cfg(test)]
pub(crate) mod scripted;
mod settings;
mod unzip;

pub use budget::{BackoffSettings, Budget, Counters};
pub use call::Called;
pub use error::{NetError, Sent, Trouble};
pub use feed::Feed;
pub use http::Http;
pub use pieces::{Manner, Pieces};
pub use request::{Body, Request, Response};
pub use retry::{Class, Decision, Happened, Verdict, decide};
pub use retry_after::retry_after;
pub use settings::{HostRule, ReadRule, Settings, is_loopback, place_of};
