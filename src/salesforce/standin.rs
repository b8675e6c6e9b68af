//! Stands in for the real client until it is merged: only the names that `apply` needs to be compiled.
#![allow(missing_docs)]

use crate::model::{ObjectName, RecordId};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    RefreshSession,
    RetryLater,
    Lock,
    Uncertain,
    Narrow,
    StopRun,
    Consequence,
    Fatal,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorCode {
    RequestLimitExceeded,
    InvalidType,
    Other(String),
}

impl ErrorCode {
    pub fn parse(code: &str) -> Self {
        match code {
            "REQUEST_LIMIT_EXCEEDED" => Self::RequestLimitExceeded,
            "INVALID_TYPE" => Self::InvalidType,
            other => Self::Other(other.to_owned()),
        }
    }

    pub fn as_str(&self) -> &str {
        match self {
            Self::RequestLimitExceeded => "REQUEST_LIMIT_EXCEEDED",
            Self::InvalidType => "INVALID_TYPE",
            Self::Other(code) => code,
        }
    }
}

pub struct EntryOfError {
    pub code: ErrorCode,
    pub message: String,
}

pub struct ApiError {
    pub status: u16,
    pub fault: EntryOfError,
}

impl ApiError {
    pub fn treatment(&self) -> Treatment {
        Treatment::Fatal
    }
}

#[derive(Debug, thiserror::Error)]
#[error("stand-in")]
pub enum SalesforceError {
    Net(String),
    Token(String),
    WrongOrg { pinned: String },
    RowsMissing { announced: u64 },
    Redirected { status: u16 },
    VersionRetired { version: String },
    NotRenewed(Box<SalesforceError>),
    Foreign { status: u16, treatment: Treatment, excerpt: String },
    Status { status: u16, treatment: Treatment },
    Malformed { detail: String },
    Request { detail: String },
    PrivateKey { cause: String },
}

impl SalesforceError {
    pub fn api(&self) -> Option<&ApiError> {
        None
    }

    pub fn is_not_authorised(&self) -> bool {
        matches!(self, Self::PrivateKey { .. })
    }
}

pub struct RecordUpdate {
    pub id: RecordId,
    pub body: Vec<u8>,
}

pub enum RecordOutcome {
    Updated,
    Failed(RecordError),
}

pub struct RecordError {
    pub code: ErrorCode,
    pub message: String,
    pub fields: Vec<String>,
    pub retry: bool,
    pub treatment: Treatment,
}

pub enum CallFailure {
    NotSent(SalesforceError),
    Refused(SalesforceError),
    Unknown(SalesforceError),
}

pub struct Rows;

impl Rows {
    pub fn rows(&self) -> usize {
        0
    }

    pub fn cell(&self, _: usize, _: usize) -> &[u8] {
        b""
    }
}

pub struct Client;

impl Client {
    pub async fn read(&self, _: &ObjectName, _: &[RecordId], _: &[String]) -> Result<Vec<Rows>, SalesforceError> {
        Ok(Vec::new())
    }

    pub async fn update(&self, _: &ObjectName, _: &[RecordUpdate]) -> Result<Vec<RecordOutcome>, CallFailure> {
        Ok(Vec::new())
    }
}
