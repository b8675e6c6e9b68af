//! The command line of `footbridge orgs app`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::arguments::environment;
use crate::model::EnvironmentName;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  footbridge orgs app acme                                            the steps, for an admin
  footbridge orgs app acme --env production --contact admin@acme.example --write force-app/main/default")]
#[allow(missing_docs)]
pub struct AppArguments {
    /// The org, by its name in orgs.yaml
    pub name: String,
    /// sandbox or production
    #[arg(long, value_name = "ENVIRONMENT", value_parser = environment, default_value = "sandbox")]
    pub env: EnvironmentName,
    /// The app of the log-in of plans (`plan_auth`), where it is another one
    #[arg(long)]
    pub plans: bool,
    /// Whom Salesforce writes to about the app; needed with --write
    #[arg(long, value_name = "EMAIL")]
    pub contact: Option<String>,
    /// Write the app as metadata to deploy into this folder
    #[arg(long, value_name = "DIR")]
    pub write: Option<PathBuf>,
}
