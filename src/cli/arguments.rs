//! The command line, as clap reads it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::model::EnvironmentName;
use crate::plan::GuardName;

/// Carries what a report says about people onto the Salesforce records of those people: planned first, applied carefully, logged into git.
#[derive(Debug, Parser)]
#[command(name = "footbridge", version, max_term_width = 100, propagate_version = true, disable_help_subcommand = true)]
pub struct Arguments {
    /// Flags that every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags that every command takes.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// The repository's root; otherwise the nearest folder upwards that holds `integrations/`
    #[arg(long, global = true, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// Data as JSON on standard output
    #[arg(long, global = true)]
    pub json: bool,
    /// No progress and no messages but errors
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// More of what happens; twice for every API call (never with values or secrets)
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// When to use colour; `NO_COLOR` is heeded
    #[arg(long, global = true, value_enum, default_value_t = ColourChoice::Auto, value_name = "WHEN")]
    pub color: ColourChoice,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum ColourChoice {
    Auto,
    Always,
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the whole job on an embedded Salesforce org, in a folder that stays for you to play with
    Demo(DemoArguments),
    /// Make an empty team repository: a commented integration, .gitignore, editor settings
    Init(InitArguments),
    /// Check the configuration; with --online against the org, too
    Validate(ValidateArguments),
    /// Show which fields of which records would change. Writes nothing
    Plan(PlanArguments),
    /// Show a plan file
    Show(ShowArguments),
    /// Make the changes of a plan, and leave a run log
    Apply(ApplyArguments),
    /// List the runs, or show one
    Runs(RunsArguments),
    /// A message to the Salesforce admin: the goal, the fields to add, the rights needed
    Request(RequestArguments),
    /// What an error code means and how to mend it
    Explain(ExplainArguments),
    /// The JSON Schemas of every file format
    Schema(SchemaArguments),
    /// An emulated Salesforce org on this machine, for trying and testing
    Emulator(EmulatorArguments),
}

#[derive(Debug, Args)]
#[allow(missing_docs)]
pub struct DemoArguments {
    /// Where to put the demo's folder; it must not exist yet
    #[arg(default_value = "footbridge-demo")]
    pub folder: PathBuf,
    /// Port of the demo's org
    #[arg(long, default_value_t = 4757)]
    pub port: u16,
}

#[derive(Debug, Args)]
#[allow(missing_docs)]
pub struct InitArguments {
    /// The folder; it may exist, no file in it is overwritten
    #[arg(default_value = ".")]
    pub folder: PathBuf,
}

#[derive(Debug, Args)]
#[allow(missing_docs)]
pub struct ValidateArguments {
    /// Check against the org's describe as well
    #[arg(long)]
    pub online: bool,
    /// The environment to check against
    #[arg(long, value_name = "ENVIRONMENT", value_parser = environment, default_value = "sandbox", requires = "online")]
    pub env: EnvironmentName,
}

#[derive(Debug, Args)]
#[allow(missing_docs)]
pub struct PlanArguments {
    /// The integrations; all of them when none is named
    pub names: Vec<String>,
    /// Of all, only those with this label; may be given several times
    #[arg(long, value_name = "LABEL", conflicts_with = "names")]
    pub label: Vec<String>,
    /// The environment
    #[arg(long, value_name = "ENVIRONMENT", value_parser = environment, default_value = "sandbox")]
    pub env: EnvironmentName,
    /// How to show the plan
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Write the plan to a file that `apply` takes. It holds personal data: never commit it
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Show every record and row
    #[arg(long)]
    pub full: bool,
    /// Exit with 2 when there are changes
    #[arg(long)]
    pub detailed_exitcode: bool,
}

#[derive(Debug, Args)]
#[allow(missing_docs)]
pub struct ShowArguments {
    /// The plan file
    pub file: PathBuf,
    /// How to show it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Show every record and row
    #[arg(long)]
    pub full: bool,
}

#[derive(Debug, Args)]
#[allow(missing_docs)]
pub struct ApplyArguments {
    /// Integrations, or one plan file
    #[arg(value_name = "INTEGRATION|PLANFILE")]
    pub targets: Vec<String>,
    /// Every integration that has the environment
    #[arg(long, conflicts_with_all = ["targets", "resume"])]
    pub all: bool,
    /// Of all, only those with this label; may be given several times
    #[arg(long, value_name = "LABEL", requires = "all")]
    pub label: Vec<String>,
    /// The environment
    #[arg(long, value_name = "ENVIRONMENT", value_parser = environment)]
    pub env: Option<EnvironmentName>,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    /// Stop after this many records
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Only these records: a file with one record id a line
    #[arg(long, value_name = "FILE")]
    pub records: Option<PathBuf>,
    /// An integration's first apply to production needs a person: this is you
    #[arg(long)]
    pub first_run: bool,
    /// Waive one guard, by name, for this run
    #[arg(long, value_name = "GUARD", value_parser = guard)]
    pub waive: Vec<GuardName>,
    /// Finish a run that was killed
    #[arg(long, conflicts_with_all = ["limit", "records"])]
    pub resume: bool,
    /// Show every record and row before asking
    #[arg(long)]
    pub full: bool,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
#[allow(missing_docs)]
pub struct RunsArguments {
    #[command(subcommand)]
    pub command: Option<RunsCommand>,
    /// Only this integration
    pub integration: Option<String>,
}

#[derive(Debug, Subcommand)]
#[allow(missing_docs)]
pub enum RunsCommand {
    /// Everything about one run
    Show {
        /// The run's id, as the list shows it, or its file
        run: String,
    },
}

#[derive(Debug, Args)]
#[allow(missing_docs)]
pub struct RequestArguments {
    /// The integration
    pub name: String,
}

#[derive(Debug, Args)]
#[allow(missing_docs)]
pub struct ExplainArguments {
    /// The code (FB0103); without one, all codes are listed
    pub code: Option<String>,
}

#[derive(Debug, Args)]
#[allow(missing_docs)]
pub struct SchemaArguments {
    /// Write them to `schemas/` of the repository
    #[arg(long)]
    pub write: bool,
    /// Fail when those in `schemas/` are stale
    #[arg(long, conflicts_with = "write")]
    pub check: bool,
}

#[derive(Debug, Args)]
#[allow(missing_docs)]
pub struct EmulatorArguments {
    /// Objects, fields and records: YAML, or a CSV file of records named after its object (leads.csv)
    #[arg(long, value_name = "FILE")]
    pub seed: Vec<PathBuf>,
    /// Keep the org in this file
    #[arg(long, value_name = "FILE")]
    pub db: Option<PathBuf>,
    /// The port on 127.0.0.1; 0 takes any free one
    #[arg(long, default_value_t = 4757)]
    pub port: u16,
}

/// How a plan is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum Format {
    Text,
    Json,
    Markdown,
}

fn environment(text: &str) -> Result<EnvironmentName, String> {
    match text {
        "sandbox" => Ok(EnvironmentName::Sandbox),
        "production" => Ok(EnvironmentName::Production),
        _ => Err("an environment is `sandbox` or `production`".to_owned()),
    }
}

fn guard(text: &str) -> Result<GuardName, String> {
    GuardName::parse(text).ok_or_else(|| {
        let names: Vec<&str> = GuardName::ALL.iter().map(|g| g.as_str()).collect();
        format!("there is no guard of that name; the guards are {}", names.join(", "))
    })
}
