//! A valid integration.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::diag::Span;
use crate::model::{EnvironmentName, FieldName, ObjectName};

use super::{Guards, OnHeld, Reading, Report, Schedule, Source, Spanned, Windows};

/// One report mapped to one object of an org, by one match.
#[derive(Debug, Clone)]
pub struct Integration {
    /// Its name.
    pub name: Spanned<String>,
    /// Whose rules hold.
    pub preset: Preset,
    /// What it is done for.
    pub goal: Option<String>,
    /// The org's name; the org exists.
    pub org: Spanned<String>,
    /// The report.
    pub report: Report,
    /// The object.
    pub object: Spanned<ObjectName>,
    /// One SOQL condition.
    pub condition: Option<Spanned<String>>,
    /// The match.
    pub matching: Match,
    /// The mapping, in the order written; one at least, each field once.
    pub fields: Vec<Mapping>,
    /// May others write the same fields?
    pub shared: bool,
    /// How the org is read.
    pub read: ReadWay,
    /// How the org is written.
    pub write: WriteWay,
    /// The environments in which it runs: one at least, each connected.
    pub environments: BTreeMap<EnvironmentName, Environment>,
    /// What a scheduled run hands over that a guard held back.
    pub on_held: OnHeld,
    /// Words to choose it by.
    pub labels: BTreeSet<String>,
    /// Lints that are not wanted.
    pub lints_off: BTreeSet<Lint>,
    /// The whole document, at its first line.
    pub span: Span,
}

impl Integration {
    /// The source of the report in an environment.
    pub fn source(&self, environment: EnvironmentName) -> &Source {
        self.environments.get(&environment).and_then(|e| e.source.as_ref()).unwrap_or(&self.report.source)
    }

    /// Has it one of these labels? Where none is asked for, every integration is meant.
    pub fn has_label(&self, wanted: &[String]) -> bool {
        wanted.is_empty() || wanted.iter().any(|l| self.labels.contains(l))
    }

    /// How a mapping's values are written in an environment: its own reading, in the source's time zone where it names none.
    pub fn reading(&self, environment: EnvironmentName, mapping: &Mapping) -> Reading {
        let mut reading = mapping.reading.clone();
        reading.time_zone = reading.time_zone.or_else(|| self.source(environment).time_zone.clone());
        reading
    }
}

/// Whose rules hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Salesforce's: `daily` is 09:00 UTC.
    Salesforce,
    /// Gainsight's: `daily` is 08:00 UTC, a tag and a goal are required.
    Gainsight,
}

/// How a row finds its record.
#[derive(Debug, Clone, Serialize)]
pub struct Match {
    /// The report's column.
    pub column: Spanned<String>,
    /// The object's field.
    pub field: Spanned<FieldName>,
    /// A key in several rows.
    pub on_duplicate_rows: RowPolicy,
    /// A key of several records.
    pub on_several_records: RecordPolicy,
}

/// A key in several rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RowPolicy {
    /// None of them is used.
    Skip,
    /// The plan may not be applied.
    Fail,
    /// The first is used.
    First,
    /// The last is used.
    Last,
    /// The one with the latest value is used.
    Newest {
        /// The column that decides.
        by: Spanned<String>,
    },
}

/// A key of several records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordPolicy {
    /// None of them is changed.
    Skip,
    /// The plan may not be applied.
    Fail,
    /// All are changed.
    All,
    /// The newest is changed.
    Newest {
        /// The date that decides.
        by: RecordDate,
    },
}

/// A date that every record has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub enum RecordDate {
    CreatedDate,
    LastModifiedDate,
}

impl RecordDate {
    /// The field's API name.
    pub fn as_str(self) -> &'static str {
        match self {
            RecordDate::CreatedDate => "CreatedDate",
            RecordDate::LastModifiedDate => "LastModifiedDate",
        }
    }
}

/// One field to write.
#[derive(Debug, Clone, Serialize)]
pub struct Mapping {
    /// The field, at its key in the YAML.
    pub field: Spanned<FieldName>,
    /// The report's column.
    pub column: Spanned<String>,
    /// What the column holds, if the report declares it.
    pub column_type: Option<super::ColumnType>,
    /// How the values are written: the field's own options over the column's.
    pub reading: Reading,
    /// What a blank does.
    pub when_blank: WhenBlank,
    /// When a value is written.
    pub write: WritePolicy,
    /// May values appear outside a terminal?
    #[serde(skip)]
    pub show_values: bool,
    /// What happens to a value that cannot be written.
    pub on_bad_value: BadValue,
    /// Picklist values that the org does not have.
    pub new_values: NewValues,
    /// Is text cut to the field's length?
    pub truncate: bool,
    /// ISO code of the amounts' currency.
    pub currency: Option<String>,
    /// Where each option was written, by its name in the YAML.
    #[serde(skip)]
    pub option_spans: BTreeMap<&'static str, Span>,
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$inner:meta])* $variant:ident),* })*) => {
        $($(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$inner])* $variant),* })*
    };
}

words! {
    /// What a blank cell does.
    WhenBlank {
        /// The field keeps its value.
        Keep,
        /// The field is emptied.
        Clear,
        /// The plan may not be applied.
        Fail
    }
    /// When a value is written over the one that is there.
    WritePolicy {
        /// Whenever they differ.
        Always,
        /// Where the field is empty.
        IfEmpty,
        /// Where the report's is greater.
        IfGreater,
        /// Where the report's is less.
        IfLess
    }
    /// What happens to a value that cannot be written.
    BadValue {
        /// The cell is left alone.
        SkipCell,
        /// The row is left alone.
        SkipRow,
        /// The plan may not be applied.
        Fail
    }
    /// Picklist values that the org does not have.
    NewValues {
        /// Refused.
        Refuse,
        /// Written.
        Allow
    }
    /// How the org is read.
    ReadWay {
        /// Whichever needs the fewest calls.
        Auto,
        /// Look-ups of keys.
        Lookup,
        /// The whole object, in pages.
        Query,
        /// The whole object, by a bulk job.
        Bulk
    }
    /// How the org is written.
    WriteWay {
        /// Whichever suits the number of changes.
        Auto,
        /// Collections.
        Collections,
        /// Bulk jobs.
        Bulk
    }
    /// A lint.
    Lint {
        /// FB0217.
        WalkmePrefix,
        /// FB0218.
        SandboxFirst,
        /// FB0219.
        Unused
    }
}

/// What holds in one environment.
#[derive(Debug, Clone)]
pub struct Environment {
    /// When it runs by itself; `None` is never.
    pub schedule: Option<Spanned<Schedule>>,
    /// When the schedule may not run it, the project's windows included.
    pub not_during: Windows,
    /// How often a scheduled run is tried again before the next tick.
    pub retries: u32,
    /// Another source of the report.
    pub source: Option<Source>,
    /// Limits, with the project's and the integration's filled in.
    pub guards: Guards,
    /// At its key in the YAML.
    pub span: Span,
}
