//! The command line of `footbridge orgs`.

use clap::{Args, Subcommand, ValueEnum};

use super::app::AppArguments;
use super::check::CheckArguments;
use super::probe::ProbeArguments;
use crate::cli::arguments::environment;
use crate::model::EnvironmentName;

/// `footbridge orgs …`
#[derive(Debug, Args)]
pub struct OrgsArguments {
    /// What to do.
    #[command(subcommand)]
    pub command: OrgsCommand,
}

#[derive(Debug, Subcommand)]
#[allow(missing_docs)]
pub enum OrgsCommand {
    /// Every org of orgs.yaml: its id, its user, how it is logged in to, and whether it is connected
    List,
    /// Log in, show who and which org that is, and write its id into orgs.yaml
    Connect(ConnectArguments),
    /// Log out: revoke the log-in at Salesforce, then forget it here
    Disconnect(DisconnectArguments),
    /// Write the id of a refreshed sandbox into orgs.yaml, after asking the org what it is
    Pin(PinArguments),
    /// Ask an org whether it does what Footbridge takes for granted; with --record, write one record and put it back
    Probe(ProbeArguments),
    /// May the user do what the integrations need? Names every right that is missing, and where it is given
    Check(CheckArguments),
    /// The External Client App that a log-in needs: the steps for an admin, or metadata to deploy. Asks no org
    App(AppArguments),
}

/// A person's way to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Flow {
    /// On Salesforce's page, in a browser of this machine
    Browser,
    /// On another device, by a code of eight characters
    Device,
}

/// How a person logs in.
#[derive(Debug, Clone, Args)]
pub struct How {
    /// Another way than the one in orgs.yaml, for this time
    #[arg(long, value_enum, value_name = "FLOW")]
    pub flow: Option<Flow>,
    /// Print the address instead of opening a browser
    #[arg(long)]
    pub no_browser: bool,
    /// How long to wait for the log-in, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub wait: u64,
    /// The org under `sandbox` is known to be none (a trial, an org of its own for tests)
    #[arg(long)]
    pub not_a_sandbox: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  footbridge orgs connect acme                       the sandbox
  footbridge orgs connect acme --env production
  footbridge orgs connect acme --flow device         on a machine without a browser")]
#[allow(missing_docs)]
pub struct ConnectArguments {
    /// The org, by its name in orgs.yaml
    pub name: String,
    /// sandbox or production
    #[arg(long, value_name = "ENVIRONMENT", value_parser = environment, default_value = "sandbox")]
    pub env: EnvironmentName,
    /// The log-in of plans (`plan_auth`), where it is another user
    #[arg(long)]
    pub plans: bool,
    #[command(flatten)]
    pub how: How,
}

#[derive(Debug, Args)]
#[allow(missing_docs)]
pub struct DisconnectArguments {
    /// The org, by its name in orgs.yaml
    pub name: String,
    /// sandbox or production
    #[arg(long, value_name = "ENVIRONMENT", value_parser = environment, default_value = "sandbox")]
    pub env: EnvironmentName,
    /// The log-in of plans (`plan_auth`), where it is another user
    #[arg(long)]
    pub plans: bool,
    /// Forget it here even where Salesforce does not confirm that it is revoked
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, Args)]
#[allow(missing_docs)]
pub struct PinArguments {
    /// The org, by its name in orgs.yaml
    pub name: String,
    /// sandbox or production; it has to be said
    #[arg(long, value_name = "ENVIRONMENT", value_parser = environment)]
    pub env: EnvironmentName,
    #[command(flatten)]
    pub how: How,
}
