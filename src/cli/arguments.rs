//! The command line, as clap reads it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::ci::CiArguments;
use super::due::DueArguments;
use super::orgs::OrgsArguments;
use super::report::ReportArguments;
use super::runs::{BlameArguments, DriftArguments, RunsArguments};
use super::status::StatusArguments;
use super::undo::UndoArguments;
use super::unlock::UnlockArguments;
use crate::model::EnvironmentName;
use crate::plan::GuardName;

/// Heading of an apply's limits and guards.
const HELD: &str = "How much, and what may hold it back";
/// Heading of what becomes of an apply's run log.
const LOGGED: &str = "The run log in git";
/// Heading of the flags that every command takes.
const EVERYWHERE: &str = "With every command";

/// Carries what a report says about people onto the Salesforce records of those people: planned first, applied carefully, logged into git.
#[derive(Debug, Parser)]
#[command(
    name = "footbridge",
    version,
    max_term_width = 100,
    disable_help_subcommand = true,
    after_help = "\
Begin:      footbridge demo              the whole job, on an org of its own
            footbridge init FOLDER       a repository for your team
Every day:  footbridge plan              what would change, in the sandbox
            footbridge apply NAME        change it; asks first
Exit codes: 0 done, or nothing to do · 1 failed · 2 changes (plan --detailed-exitcode)
            3 configuration or usage · 4 held back by a guard · 5 plan out of date
            6 applied in part · 7 not authorised, or another org · 70 a bug"
)]
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
    /// The repository's root [default: nearest folder upwards with `integrations/`]
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// Print one JSON document on standard output: data, and what went wrong
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub json: bool,
    /// Say nothing but results and errors
    #[arg(long, short, global = true, help_heading = EVERYWHERE, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Tell more of what happens; twice: every API call. Never values or secrets
    #[arg(long, short, global = true, help_heading = EVERYWHERE, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Memory for planning; beyond it, rows go to a temporary file
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "SIZE", value_parser = super::memory::size, default_value = "512MiB")]
    pub memory: u64,
    /// Take orgs, log-ins and addresses from this commit [default: on a pull request, its base]
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "REF")]
    pub trusted_from: Option<String>,
    /// Use colour; NO_COLOR turns it off, too
    #[arg(long, global = true, help_heading = EVERYWHERE, value_enum, default_value_t = ColourChoice::Auto, value_name = "WHEN")]
    pub color: ColourChoice,
}

impl Command {
    /// `--format json` is `--json`.
    pub fn asks_json(&self) -> bool {
        let format = match self {
            Command::Plan(arguments) => Some(arguments.format),
            Command::Show(arguments) => Some(arguments.format),
            _ => None,
        };
        format == Some(Format::Json)
    }
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
    /// See the whole job on an embedded Salesforce org; leaves a folder to play with
    Demo(DemoArguments),
    /// Make a team's repository: a commented integration, .gitignore, editor settings
    Init(InitArguments),
    /// Check the configuration; with --online, against the org as well
    Validate(ValidateArguments),
    /// Show which fields of which records would change; writes nothing to Salesforce
    Plan(PlanArguments),
    /// Show a plan file, as `plan` showed it
    Show(ShowArguments),
    /// Make the changes, and leave a run log; shows the plan and asks first
    Apply(ApplyArguments),
    /// What the schedule wants run now, and why
    Due(DueArguments),
    /// Is every integration well? For a monitor: reads the run logs only
    Status(StatusArguments),
    /// Take a run back, but for what somebody changed since; shows the plan and asks first
    Undo(UndoArguments),
    /// List past runs, show one, compare two, remove old ones
    Runs(RunsArguments),
    /// The run logs as pages for a browser: the grid of integrations, their history, each run
    Report(ReportArguments),
    /// Which run set a record's field, from which report row and commit
    Blame(BlameArguments),
    /// What differs in the org from what the last run wrote, and which fields somebody else keeps changing
    Drift(DriftArguments),
    /// Log in to orgs, see which are connected, log out, pin an org's id
    Orgs(OrgsArguments),
    /// In CI: comment on a pull request, write the workflow files
    Ci(CiArguments),
    /// List the locks that applies hold on the remote, or take one away whose machine is gone
    Unlock(UnlockArguments),
    /// A message to the Salesforce admin: the goal, the fields to add, the rights needed
    Request(RequestArguments),
    /// Tell what an error code means and how to mend it
    Explain(ExplainArguments),
    /// List, write or check the JSON Schemas of every file format
    Schema(SchemaArguments),
    /// Run an emulated Salesforce org on this machine, for trying and testing
    Emulator(EmulatorArguments),
}

#[derive(Debug, Args)]
#[allow(missing_docs)]
pub struct DemoArguments {
    /// The folder to make
    #[arg(default_value = "footbridge-demo")]
    pub folder: PathBuf,
    /// Port of the demo's org on 127.0.0.1; 0 takes any free one
    #[arg(long, default_value_t = 4757)]
    pub port: u16,
}

#[derive(Debug, Args)]
#[allow(missing_docs)]
pub struct InitArguments {
    /// The folder; it may exist: no file in it is overwritten
    #[arg(default_value = ".")]
    pub folder: PathBuf,
}

#[derive(Debug, Args)]
#[allow(missing_docs)]
pub struct ValidateArguments {
    /// Ask the org as well: objects, fields, rights
    #[arg(long)]
    pub online: bool,
    /// With --online: sandbox or production
    #[arg(long, value_name = "ENVIRONMENT", value_parser = environment, default_value = "sandbox", requires = "online")]
    pub env: EnvironmentName,
    /// How to show problems; in GitHub's own runs annotations are always written
    #[arg(long, value_enum, default_value_t = ProblemFormat::Text)]
    pub format: ProblemFormat,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  footbridge plan                             every integration, in the sandbox
  footbridge plan NAME --env production       one integration, in production
  footbridge plan NAME --out plan.jsonl       keep it, then: footbridge apply plan.jsonl")]
#[allow(missing_docs)]
pub struct PlanArguments {
    /// Integrations, by name [default: all that run in the environment]
    #[arg(value_name = "INTEGRATION")]
    pub names: Vec<String>,
    /// Of all, only those with this label; may be given several times
    #[arg(long, value_name = "LABEL", conflicts_with = "names")]
    pub label: Vec<String>,
    /// sandbox or production
    #[arg(long, value_name = "ENVIRONMENT", value_parser = environment, default_value = "sandbox")]
    pub env: EnvironmentName,
    /// How to show the plan. Markdown (for pull requests) and HTML: no keys, only values that may be shown
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Only what the branch changes: integrations that differ from this commit, with their effect by cause
    #[arg(long, value_name = "REF")]
    pub base: Option<String>,
    /// Write the plan to a file for `apply` (one integration); `….zst` is compressed. With --base: a folder. Holds personal data: never commit it
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// List every record and row, not the first few
    #[arg(long)]
    pub full: bool,
    /// Exit with 2 if there are changes
    #[arg(long)]
    pub detailed_exitcode: bool,
}

#[derive(Debug, Args)]
#[allow(missing_docs)]
pub struct ShowArguments {
    /// The plan file, written by `plan --out`
    pub file: PathBuf,
    /// How to show it. Markdown (for pull requests) and HTML: no keys, only values that may be shown
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// List every record and row, not the first few
    #[arg(long)]
    pub full: bool,
}

#[derive(Debug, Default, Args)]
#[command(after_help = "\
Examples:
  footbridge apply NAME                                plan, show, ask, write, in the sandbox
  footbridge apply NAME --env production --limit 50    try fifty records first
  footbridge apply plan.jsonl                          what was reviewed, and nothing else
  footbridge apply --due --env production --yes --push what a machine calls now and then")]
#[allow(missing_docs)]
pub struct ApplyArguments {
    /// Integrations, by name; or one plan file, written by `plan --out`
    #[arg(value_name = "INTEGRATION|PLANFILE")]
    pub targets: Vec<String>,
    /// Every integration that runs in the environment
    #[arg(long, conflicts_with_all = ["targets", "resume"])]
    pub all: bool,
    /// Every integration whose schedule says so (`footbridge due` lists them); what CI calls now and then
    #[arg(long, conflicts_with_all = ["targets", "all", "resume", "limit", "records", "first_run", "waive"])]
    pub due: bool,
    /// Of all, only those with this label; may be given several times
    #[arg(long, value_name = "LABEL", conflicts_with = "targets")]
    pub label: Vec<String>,
    /// With --yes: apply so many at once; those of one object, or of one parent, still write one after another
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = at_once)]
    pub at_once: usize,
    /// sandbox or production [default: sandbox, or the plan file's; production always has to be said]
    #[arg(long, value_name = "ENVIRONMENT", value_parser = environment)]
    pub env: Option<EnvironmentName>,
    /// Write without asking (for machines)
    #[arg(long, short)]
    pub yes: bool,
    /// Stop after this many records
    #[arg(long, value_name = "N", help_heading = HELD)]
    pub limit: Option<u64>,
    /// Only these records: a file with one record id a line
    #[arg(long, value_name = "FILE", help_heading = HELD)]
    pub records: Option<PathBuf>,
    /// Write this many records first, spread over fields and kinds of change, read them back, and go on only if they are as planned
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=2000), help_heading = HELD)]
    pub canary: Option<u64>,
    /// Plan again at the end, and fail if a record would change: one that was updated, or one that somebody changed meanwhile
    #[arg(long, conflicts_with = "resume", help_heading = HELD)]
    pub verify: bool,
    /// Apply without keeping the values that are overwritten: this run cannot be undone
    #[arg(long, help_heading = HELD)]
    pub no_undo: bool,
    /// An integration's first apply to production needs a person: you
    #[arg(long, help_heading = HELD)]
    pub first_run: bool,
    /// Let this guard pass, for this run (max_clears, max_refused, …); can be repeated
    #[arg(long, value_name = "GUARD", value_parser = guard, help_heading = HELD)]
    pub waive: Vec<GuardName>,
    /// Only if the changes are those that were approved: the digest that the pull request's comment shows
    #[arg(long, value_name = "DIGEST", value_parser = super::apply::expected, help_heading = HELD, conflicts_with = "resume")]
    pub expect: Option<super::apply::Expected>,
    /// Finish a run that was killed: every record's end is found out first
    #[arg(long, conflicts_with_all = ["limit", "records", "canary"])]
    pub resume: bool,
    /// With --resume: send nothing more; find out what became of what was sent, and write the run's log
    #[arg(long, requires = "resume")]
    pub give_up: bool,
    /// First wait for bulk jobs that are still at work, or abort them: with --resume those of the run, else those on the object (when the journal of their run is lost)
    #[arg(long, value_enum, value_name = "wait|abort", hide_possible_values = true)]
    pub jobs: Option<OtherJobs>,
    /// Show every record and row before asking
    #[arg(long)]
    pub full: bool,
    /// Commit the run log onto the branch of run logs (footbridge-runs); your worktree and index stay as they are
    #[arg(long, help_heading = LOGGED)]
    pub commit: bool,
    /// Commit and push it. Takes a lock on the remote first, and pushes what the run is about to do before it writes
    #[arg(long, help_heading = LOGGED)]
    pub push: bool,
}

/// What to do with bulk jobs of this user that are still at work on the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum OtherJobs {
    Wait,
    Abort,
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
    /// The code, such as FB0103 [default: lists all codes]
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
    /// Keep the org in this file; with one that exists, go on where it was left
    #[arg(long, value_name = "FILE")]
    pub db: Option<PathBuf>,
    /// Port on 127.0.0.1; 0 takes any free one
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
    Html,
    /// As text, with GitHub's annotations on the lines at fault
    Github,
}

/// How problems are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProblemFormat {
    /// With their lines
    Text,
    /// The same, and as GitHub's annotations
    Github,
}

pub(super) fn environment(text: &str) -> Result<EnvironmentName, String> {
    match text {
        "sandbox" => Ok(EnvironmentName::Sandbox),
        "production" => Ok(EnvironmentName::Production),
        _ => Err("an environment is `sandbox` or `production`".to_owned()),
    }
}

fn at_once(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| (1..=16).contains(n)).ok_or_else(|| "a number from 1 to 16".to_owned())
}

pub(super) fn guard(text: &str) -> Result<GuardName, String> {
    GuardName::parse(text).ok_or_else(|| {
        let names: Vec<&str> = GuardName::ALL.iter().map(|g| g.as_str()).collect();
        format!("there is no guard of that name; the guards are {}", names.join(", "))
    })
}
