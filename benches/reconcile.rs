//! Benches of the reconcile kernel.

fn main() {}
