//! The command line of `footbridge orgs check`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::arguments::environment;
use crate::model::EnvironmentName;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  footbridge orgs check acme                                 the sandbox
  footbridge orgs check acme --env production --write force-app/main/default

Exit code 0: all there. 1: something is missing. 7: the log-in does not work.")]
#[allow(missing_docs)]
pub struct CheckArguments {
    /// The org, by its name in orgs.yaml
    pub name: String,
    /// sandbox or production
    #[arg(long, value_name = "ENVIRONMENT", value_parser = environment, default_value = "sandbox")]
    pub env: EnvironmentName,
    /// Write a permission set that grants exactly what the integrations need, as metadata to deploy, into this folder
    #[arg(long, value_name = "DIR")]
    pub write: Option<PathBuf>,
}
