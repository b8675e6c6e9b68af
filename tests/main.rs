//! One integration test binary, for link time.

mod formats;
