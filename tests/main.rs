//! One integration test binary, for link time.

mod client_recordings;
