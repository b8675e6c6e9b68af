//! Inputs, match, judge, ledgers, guards: a plan. Synchronous; no I/O, clock, randomness or environment.
