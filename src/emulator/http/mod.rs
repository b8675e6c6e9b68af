//! The org's HTTP side: sockets, requests, replies, and one file a resource.
//!
//! Resources turn a request into a reply with the org's lock held; what a client gets wrong comes back as a `Problem`.

mod admin;
mod collections;
mod describe;
mod identity;
mod jobs;
mod limits;
pub(super) mod oauth;
mod query;
mod records;
mod reply;
mod request;
mod router;
mod sending;
pub(super) mod server;
pub(super) mod wire;

pub(super) use query::Cursors;
