//! Plans, runs and diagnostics as text, Markdown and JSON. Does not know how anything was computed.

pub mod diagnostics;
