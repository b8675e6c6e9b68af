//! The command lines of `footbridge runs`, `blame` and `drift`.

use clap::{Args, Subcommand, ValueEnum};
use jiff::{SignedDuration, Timestamp, civil::Date};

use crate::cli::arguments::environment;
use crate::model::{EnvironmentName, FieldName, RecordId};
use crate::runlog::{Filter, Status};

/// `footbridge runs …`
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  footbridge runs                                     the newest 50
  footbridge runs NAME --status failed --since 7d     what failed this week
  footbridge runs show RUN --failed                   every record that was not updated
  footbridge runs diff RUN RUN                        what one did otherwise than the other
  footbridge runs prune --keep 90d --dry-run          what could be removed"
)]
#[allow(missing_docs)]
pub struct RunsArguments {
    #[command(subcommand)]
    pub command: Option<RunsCommand>,
    #[command(flatten)]
    pub which: Which,
    /// The newest so many; 0 for all [default: 50, with --json all]
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
}

/// Which runs.
#[derive(Debug, Clone, Args)]
pub struct Which {
    /// Only runs of this integration
    pub integration: Option<String>,
    /// Only runs in sandbox or production
    #[arg(long, value_name = "ENVIRONMENT", value_parser = environment)]
    pub env: Option<EnvironmentName>,
    /// Only runs in this org, by its name in orgs.yaml or its id
    #[arg(long, value_name = "ORG")]
    pub org: Option<String>,
    /// Only completed or failed runs
    #[arg(long, value_enum, ignore_case = true)]
    pub status: Option<Ended>,
    /// Only runs that this started: apply, schedule, resume, undo
    #[arg(long, value_name = "WHAT")]
    pub trigger: Option<String>,
    /// Only runs from then on: `7d`, `36h`, `2026-11-01`, `2026-11-01T06:00:00Z` (UTC)
    #[arg(long, value_name = "WHEN", value_parser = when)]
    pub since: Option<When>,
    /// Only runs until then; a day is meant with its end
    #[arg(long, value_name = "WHEN", value_parser = when)]
    pub until: Option<When>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum Ended {
    Completed,
    Failed,
}

/// A point in time, as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// So long ago.
    Ago(SignedDuration),
    /// A day.
    Day(Date),
    /// A moment.
    At(Timestamp),
}

impl When {
    /// The moment that it begins.
    pub fn begins(self, now: Timestamp) -> Timestamp {
        match self {
            When::Ago(long) => now.checked_sub(long).unwrap_or(Timestamp::MIN),
            When::Day(day) => midnight(day),
            When::At(at) => at,
        }
    }

    /// The moment before which it ends: the next day's beginning for a day.
    fn ends(self, now: Timestamp) -> Timestamp {
        match self {
            When::Day(day) => day.tomorrow().map_or(Timestamp::MAX, midnight),
            other => other.begins(now),
        }
    }
}

fn midnight(day: Date) -> Timestamp {
    day.at(0, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).map_or(Timestamp::MIN, |z| z.timestamp())
}

pub(in crate::cli) fn when(text: &str) -> Result<When, String> {
    let bad = || "write `7d`, `36h`, `2026-11-01` or `2026-11-01T06:00:00Z`".to_owned();
    if let Some(long) = length(text) {
        return Ok(When::Ago(long));
    }
    if text.len() == 10 {
        return text.parse().map(When::Day).map_err(|_| bad());
    }
    text.parse().map(When::At).map_err(|_| bad())
}

/// `90d`, `36h`, `8w`.
fn length(text: &str) -> Option<SignedDuration> {
    let unit = text.chars().last()?;
    let hours = match unit {
        'h' => 1,
        'd' => 24,
        'w' => 168,
        _ => return None,
    };
    let number: i64 = text.strip_suffix(unit)?.parse().ok().filter(|n| (0..=100_000).contains(n))?;
    Some(SignedDuration::from_hours(number * hours))
}

fn keep(text: &str) -> Result<SignedDuration, String> {
    length(text).ok_or_else(|| "write a number and `h`, `d` or `w`: `90d`".to_owned())
}

impl Which {
    /// What the store is asked for.
    pub fn filter(&self, now: Timestamp) -> Filter {
        let org_id = self.org.as_deref().and_then(crate::model::OrgId::parse);
        Filter {
            integration: self.integration.clone(),
            environment: self.env,
            org_id,
            org: self.org.clone().filter(|_| org_id.is_none()),
            status: self.status.map(|status| match status {
                Ended::Completed => Status::Completed,
                Ended::Failed => Status::Failed,
            }),
            trigger: self.trigger.clone(),
            since: self.since.map(|when| when.begins(now)),
            until: self.until.map(|when| when.ends(now)),
        }
    }
}

#[derive(Debug, Subcommand)]
#[allow(missing_docs)]
pub enum RunsCommand {
    /// Everything about one run
    Show(ShowRunArguments),
    /// What one run did otherwise than another: counts, fields, guards, versions, and the records and rows that ended otherwise
    Diff(DiffArguments),
    /// Remove what lies beside old run logs, or whole logs; never the last run that was carried out, nor the last that wrote
    Prune(PruneArguments),
}

#[derive(Debug, Args)]
#[allow(missing_docs)]
pub struct ShowRunArguments {
    /// A run's id, as the list shows it; `NAME/ID` where runs of several integrations have it; or its file; or an integration, for its last run
    pub run: String,
    /// Instead: every record that was not updated, with its reason
    #[arg(long, conflicts_with = "rows")]
    pub failed: bool,
    /// Instead: every row that could not be used, or not wholly
    #[arg(long)]
    pub rows: bool,
}

#[derive(Debug, Args)]
#[allow(missing_docs)]
pub struct DiffArguments {
    /// The first run: its id, its file, or an integration for its last run
    pub a: String,
    /// The second run [default: the one before the first, of the same integration, environment and org, which is then the older]
    pub b: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  footbridge runs prune --keep 90d --dry-run          what could be removed
  footbridge runs prune --keep 90d --push --yes       here and on the branch of run logs, as a job of CI
Git's history keeps what a commit takes away: docs/CONFIGURATION.md (\"Run logs in git\") says how a branch begins anew.")]
#[allow(missing_docs)]
pub struct PruneArguments {
    /// Only runs of this integration
    pub integration: Option<String>,
    /// Runs of so long ago and younger stay: `90d`, `36h`, `8w`
    #[arg(long, value_name = "LENGTH", value_parser = keep)]
    pub keep: Option<SignedDuration>,
    /// The newest so many of each integration, environment and org stay
    #[arg(long, value_name = "N")]
    pub keep_last: Option<usize>,
    /// The run logs themselves as well, not only the outcomes and values beside them
    #[arg(long)]
    pub logs: bool,
    /// Remove them from the branch of run logs as well, in one commit that is pushed
    #[arg(long)]
    pub push: bool,
    /// Say what would go, and remove nothing
    #[arg(long, short = 'n')]
    pub dry_run: bool,
    /// Remove without asking (for machines)
    #[arg(long, short)]
    pub yes: bool,
}

/// `footbridge blame …`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  footbridge blame 00Q5e00001AbCdE                              every run that touched the record
  footbridge blame 00Q5e00001AbCdE WalkMe_Last_Login__c         which run set the field, and from which report row")]
pub struct BlameArguments {
    /// The record's id, 15 or 18 characters
    #[arg(value_parser = record)]
    pub record: RecordId,
    /// The field's API name [default: all]
    #[arg(value_parser = field)]
    pub field: Option<FieldName>,
    /// Only runs of this integration
    #[arg(long, value_name = "INTEGRATION")]
    pub integration: Option<String>,
    /// Only runs in sandbox or production
    #[arg(long, value_name = "ENVIRONMENT", value_parser = environment)]
    pub env: Option<EnvironmentName>,
    /// Only runs from then on: `30d`, `2026-11-01`
    #[arg(long, value_name = "WHEN", value_parser = when)]
    pub since: Option<When>,
    /// The newest so many; 0 for all
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: usize,
}

fn record(text: &str) -> Result<RecordId, String> {
    RecordId::parse(text).map_err(|problem| problem.to_string())
}

fn field(text: &str) -> Result<FieldName, String> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    plain.then(|| FieldName::new(text)).ok_or_else(|| "a field's API name is letters, digits and `_`".to_owned())
}

/// `footbridge drift …`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  footbridge drift                                     every integration, in the sandbox
  footbridge drift NAME --env production --detailed-exitcode")]
pub struct DriftArguments {
    /// The integration [default: all that run in the environment]
    pub integration: Option<String>,
    /// sandbox or production
    #[arg(long, value_name = "ENVIRONMENT", value_parser = environment, default_value = "sandbox")]
    pub env: EnvironmentName,
    /// How many runs to look back for fields that somebody else keeps changing
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub look_back: usize,
    /// Exit with 2 if a field differs
    #[arg(long)]
    pub detailed_exitcode: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let begins = |text: &str| when(text).map(|w| w.begins(now).to_string());
        assert_eq!(begins("7d").unwrap(), "2026-11-14T12:00:00Z");
        assert_eq!(begins("36h").unwrap(), "2026-11-20T00:00:00Z");
        assert_eq!(begins("2026-11-01").unwrap(), "2026-11-01T00:00:00Z");
        assert_eq!(when("2026-11-01").unwrap().ends(now).to_string(), "2026-11-02T00:00:00Z");
        assert_eq!(begins("2026-11-01T06:00:00+02:00").unwrap(), "2026-11-01T04:00:00Z");
        for bad in ["", "7", "d", "-1d", "yesterday", "2026-13-01", "99999999d"] {
            assert!(when(bad).is_err(), "{bad}");
        }
    }
}
