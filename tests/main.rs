//! One integration test binary, for link time.
