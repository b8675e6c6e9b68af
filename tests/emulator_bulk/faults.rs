//! Fault scripts of jobs.
