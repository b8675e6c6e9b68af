//! The command line of `footbridge orgs probe`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::arguments::environment;
use crate::model::{EnvironmentName, RecordId};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  footbridge orgs probe acme                          what reading can tell
  footbridge orgs probe acme --record 00Q… --out probes/acme.yaml
                                                      writes fields of that record, and puts them back
  footbridge orgs probe acme --restore                puts back what a killed probe left")]
#[allow(missing_docs)]
pub struct ProbeArguments {
    /// The org, by its name in orgs.yaml
    pub name: String,
    /// sandbox or production
    #[arg(long, value_name = "ENVIRONMENT", value_parser = environment, default_value = "sandbox")]
    pub env: EnvironmentName,
    /// Write custom fields of this record that integrations write, see what they come to, and put them back; never in production
    #[arg(long, value_name = "ID", value_parser = record)]
    pub record: Option<RecordId>,
    /// Write without asking
    #[arg(long, short, requires = "record")]
    pub yes: bool,
    /// Put a record back that a killed probe left
    #[arg(long, conflicts_with_all = ["record", "out"])]
    pub restore: bool,
    /// Write the report to this file, too: it holds no value, id or name, and can be committed (in `probes/`, where CI finds it)
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

fn record(text: &str) -> Result<RecordId, String> {
    RecordId::parse(text.trim()).map_err(|problem| problem.to_string())
}
