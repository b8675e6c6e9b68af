//! The commands: arguments, wiring, printing, exit codes. The only place that reads the environment and the clock.
