//! The command line of `footbridge ci`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::cli::arguments::environment;
use crate::model::EnvironmentName;

/// `footbridge ci …`
#[derive(Debug, Args)]
pub struct CiArguments {
    /// What to do.
    #[command(subcommand)]
    pub command: CiCommand,
}

#[derive(Debug, Subcommand)]
#[allow(missing_docs)]
pub enum CiCommand {
    /// Post a review as one comment on this run's pull request, or update the one that is there
    Comment(CommentArguments),
    /// Write the workflow files: plan on pull requests, apply on schedule and by hand
    Init(CiInitArguments),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example, on a pull request:
  footbridge plan --base origin/main --format markdown > review.md
  footbridge ci comment review.md

The token comes from GITHUB_TOKEN, GITLAB_TOKEN or CI_JOB_TOKEN; address and pull request from CI's own variables.")]
#[allow(missing_docs)]
pub struct CommentArguments {
    /// What `plan --base … --format markdown` wrote; `-` reads standard input
    pub file: PathBuf,
    /// Whose comments are ours, where the token cannot tell [default: github-actions[bot]]
    #[arg(long, value_name = "LOGIN")]
    pub author: Option<String>,
}

#[derive(Debug, Args)]
#[allow(missing_docs)]
pub struct CiInitArguments {
    /// For which CI
    #[arg(value_enum)]
    pub system: Kind,
    /// sandbox or production [default: plan in the sandbox, apply to production, where integrations run there]
    #[arg(long, value_name = "ENVIRONMENT", value_parser = environment)]
    pub env: Option<EnvironmentName>,
    /// Overwrite files that are there
    #[arg(long)]
    pub force: bool,
}

/// A CI that files are written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// GitHub Actions
    Github,
    /// GitLab CI/CD
    Gitlab,
}
