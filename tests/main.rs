//! One integration test binary, for link time.

mod architecture;
mod client_recordings;
mod config;
mod emulator_behaviour;
mod emulator_contract;
mod real_data;
mod scene;
