//! Plain values that everyone may name. No I/O.
