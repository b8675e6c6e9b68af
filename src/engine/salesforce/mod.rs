//! The Salesforce client: log-in, describe, read, write, limits, typed errors. Knows neither configuration nor terminal, and reads no clock of its own.

mod answer;
mod auth;
mod bulk;
mod client;
mod code;
mod describe;
mod encode;
mod error;
mod estimate;
mod identity;
mod lookup;
mod query;
mod raw;
mod reading;
mod retrieve;
mod rights;
mod rows;
#[cfg(test)]
pub(crate) mod tests;
mod update;
mod usage;
mod writing;

pub use answer::faults;
pub use auth::{
    Authorization, DeviceCode, Door, Grant, Handed, Kept, Login, Outside, Polled, Renewed, TokenError, TokenErrorCode,
    TokenKeeper, Turn, jwt_audience,
};
pub use bulk::{BulkEvent, BulkSettings, IngestResult, JobId, JobInfo, JobState, Results, RowId, bulk_unavailable};
pub use client::{Client, Connect, is_read};
pub use code::{ErrorCode, Treatment};
pub use describe::{ObjectSummary, decode_object, decode_objects};
pub use encode::{encode_query, encoded_len};
pub use error::{ApiError, Fault, SalesforceError};
pub use estimate::{Chosen, Estimate, Speeds};
pub use identity::{Identity, Organization};
pub use lookup::{GetLimits, Lookup, LookupQuery, Lookups};
pub use query::QueryTotals;
pub use raw::RawAnswer;
pub use reading::{Demand, ReadFacts, Size, Way, choose_read, estimated_row_bytes};
pub use retrieve::RETRIEVE_LIMIT;
pub use rights::{ACCESS_LIMIT, AccessSet, FieldRight, ObjectRight, RecordAccess, SharingModel};
pub use rows::{Page, decode_page};
pub use update::{CallFailure, RecordError, RecordOutcome, RecordUpdate, UPDATE_LIMIT};
pub use usage::{Limit, Usage};
pub use writing::{JOB_BYTES, JOB_RECORDS, WriteFacts, WriteWay, choose_write};
