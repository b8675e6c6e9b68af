//! What people write and read: a team's configuration in, problems, plans, run logs and pages out.
//!
//! ```text
//! YAML ──► config ─┐            ┌─► runlog ─► git
//!                  ├─► diag     │
//!                  │            plan
//! terminal, Markdown, HTML ◄── render
//! ```
//!
//! A package of its own, so that it can be compiled for speed where the command line is not. It reads no environment and no clock, prints nothing, and never speaks to an org.

pub mod config;
pub mod diag;
pub mod difference;
pub mod render;
pub mod runlog;

use footbridge_engine::{model, plan};
