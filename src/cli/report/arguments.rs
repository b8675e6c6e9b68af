//! What `footbridge report` takes.

use std::path::PathBuf;

use clap::Args;

use crate::cli::arguments::environment;
use crate::cli::runs::{When, when};
use crate::model::EnvironmentName;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  footbridge report --out public              pages of all integrations: open public/index.html
  footbridge report --env production          production alone")]
#[allow(missing_docs)]
pub struct ReportArguments {
    /// The folder for the pages. It must be empty, or be one that this command wrote
    #[arg(long, value_name = "DIR", default_value = "public")]
    pub out: PathBuf,
    /// Only sandbox or production [default: both]
    #[arg(long, value_name = "ENVIRONMENT", value_parser = environment)]
    pub env: Option<EnvironmentName>,
    /// Only runs since then: `7d`, or a date (2026-11-01)
    #[arg(long, value_name = "WHEN", value_parser = when)]
    pub since: Option<When>,
    /// Runs of each integration that get a page of their own, the newest; the others stand in the tables
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub pages: usize,
}
