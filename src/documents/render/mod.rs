//! Plans, runs and diagnostics as text, Markdown, JSON and HTML. Does not know how anything was computed.
//!
//! Each kind of thing has one view, built for one audience: what that audience may not see is not in the view, so no renderer can show it. Texts
//! from reports, from Salesforce and from files are written through the types of [`escape`], never as they are.

pub mod apply;
pub mod commands;
pub mod diagnostics;
mod ends;
pub mod escape;
mod fields;
mod fold;
pub mod html;
pub mod metadata;
mod options;
pub mod orgs;
mod paint;
pub mod plan;
pub mod review;
pub mod rights;
pub mod runs;
pub mod schedule;
mod schema;
mod stream;
mod table;
mod wording;

pub use ends::Ends;
pub use fold::fold;
pub use options::{Audience, Options};
pub use paint::heading;
pub use schema::{schemas, text as schema};
pub use wording::{counted, grouped, guard_sentence, moment};
