//! One integration test binary, for link time.

mod emulator_behaviour;
mod emulator_contract;
