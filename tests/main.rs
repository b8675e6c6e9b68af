//! One integration test binary, for link time.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests fail by panicking, and say aloud what they leave out, and find recordings by the environment"
)]

mod architecture;
mod browser;
mod bulk;
mod client_emulator;
mod client_recordings;
mod config;
mod emulator_behaviour;
mod emulator_bulk;
mod emulator_contract;
mod faults;
mod figures;
mod formats;
mod gitops;
mod history;
mod http;
mod input;
mod job;
mod json;
mod orgs;
mod page;
mod plans;
mod real_data;
mod review;
mod scene;
mod schedule;
mod sources;
mod terminal;
mod undo;
mod worked_example;
