//! One integration test binary, for link time.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests fail by panicking, and say aloud what they leave out"
)]

mod architecture;
mod client_emulator;
mod client_recordings;
mod config;
mod emulator_behaviour;
mod emulator_contract;
mod formats;
mod real_data;
mod scene;
