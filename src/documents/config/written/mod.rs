//! Documents as written: what serde decodes and what the JSON Schemas are generated from. The comments on keys become descriptions in the schemas, so
//! they are written for the people who write YAML. Only `validate` turns these types into valid ones.

mod failures;
mod forms;
mod integration;
mod mapping;
mod orgs;
mod project;
mod report;
mod schedule;
mod shapes;

pub(super) use failures::KnownFailures;
pub(super) use forms::form;
pub(super) use integration::{
    Guards, Integration, LintName, Match, Preset, ReadWay, RecordDate, RecordPolicy, RecordPolicyWord, RowPolicy,
    RowPolicyWord, WriteWay,
};
pub(super) use mapping::{BadValue, Decimal, Field, NewValues, Percent, WhenBlank, WritePolicy};
pub(super) use orgs::{Auth, OrgEnvironment, Orgs};
pub(super) use project::{Git, KeepWord, Project, TimeOuts, Values};
pub(super) use report::{Column, ColumnType, Encoding, Report, ReportDocument, Source};
pub(super) use schedule::{Notices, OnHeld, Window};
pub(super) use shapes::{Either, Limit};
