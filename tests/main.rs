//! One integration test binary, for link time.

mod architecture;
mod client_recordings;
mod emulator_behaviour;
mod emulator_contract;
