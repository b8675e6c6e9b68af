//! The Salesforce client as apply's [`Org`]: names, rows and errors of the one in the words of the other.

use bytes::Bytes;
use tokio::sync::mpsc::Receiver;

use super::org::{CallFailure, Class, Fault, JobRow, Org, RecordError, RecordOutcome, RecordUpdate, Rows, StopKind};
use crate::model::{FieldName, ObjectName, RecordId};
use crate::salesforce::{self, Client, ErrorCode, IngestResult, JobId, JobInfo, Results, RowId};
use crate::salesforce::{SalesforceError, Treatment};

impl Org for Client {
    async fn read(&self, object: &ObjectName, ids: &[RecordId], fields: &[FieldName]) -> Result<Rows, Fault> {
        let mut columns = vec!["Id".to_owned()];
        columns.extend(fields.iter().map(|field| field.as_str().to_owned()));
        let mut rows = Rows::new();
        for block in self.read(object, ids, &columns).await.map_err(|error| fault(&error))? {
            for row in 0..block.rows() {
                let id = std::str::from_utf8(block.cell(row, 0)).ok().and_then(|id| RecordId::parse(id).ok());
                let Some(id) = id else {
                    let message = "a record came without an id that can be read".to_owned();
                    return Err(Fault { class: Class::Later(None), code: Fault::MALFORMED.to_owned(), message });
                };
                rows.push(id, (1..columns.len()).map(|column| block.cell(row, column)));
            }
        }
        Ok(rows)
    }

    async fn update(&self, object: &ObjectName, records: &[RecordUpdate]) -> Result<Vec<RecordOutcome>, CallFailure> {
        let records: Vec<_> =
            records.iter().map(|r| salesforce::RecordUpdate { id: r.id, body: r.members.clone() }).collect();
        let outcomes = self.update(object, &records).await.map_err(failure)?;
        Ok(outcomes.into_iter().map(outcome).collect())
    }

    async fn create_job(&self, object: &ObjectName) -> Result<JobInfo, CallFailure> {
        self.create_ingest(object).await.map_err(failure)
    }

    async fn upload(&self, job: &JobId, body: Receiver<Bytes>) -> Result<(), CallFailure> {
        self.upload(job, body).await.map_err(failure)
    }

    async fn close_job(&self, job: &JobId) -> Result<JobInfo, CallFailure> {
        self.close_ingest(job).await.map_err(failure)
    }

    async fn job(&self, job: &JobId) -> Result<JobInfo, Fault> {
        self.ingest_job(job).await.map_err(|error| fault(&error))
    }

    async fn job_results(
        &self,
        job: &JobId,
        which: Results,
        row: &mut (dyn FnMut(JobRow) + Send),
    ) -> Result<u64, Fault> {
        let mut on_row = |result: IngestResult| {
            let id = match result.id {
                RowId::Record(id) => Some(id),
                RowId::Unreadable(_) => None,
            };
            row(JobRow { id, error: result.error.map(record_error) });
        };
        self.ingest_results(job, which, &mut on_row).await.map_err(|error| fault(&error))
    }

    async fn abort_job(&self, job: &JobId) -> Result<(), CallFailure> {
        self.abort_ingest(job).await.map(drop).map_err(failure)
    }

    async fn delete_job(&self, job: &JobId) -> Result<(), CallFailure> {
        self.delete_ingest(job).await.map_err(failure)
    }

    async fn unfinished_jobs(&self, object: &ObjectName) -> Result<Vec<JobInfo>, Fault> {
        self.open_ingest_jobs(object).await.map_err(|error| fault(&error))
    }
}

fn failure(failure: salesforce::CallFailure) -> CallFailure {
    match failure {
        salesforce::CallFailure::NotSent(error) => CallFailure::NotSent(fault(&error)),
        salesforce::CallFailure::Refused(error) => CallFailure::Refused(fault(&error)),
        salesforce::CallFailure::Unknown(error) => CallFailure::Unknown(fault(&error)),
    }
}

fn outcome(outcome: salesforce::RecordOutcome) -> RecordOutcome {
    match outcome {
        salesforce::RecordOutcome::Updated => RecordOutcome::Updated,
        salesforce::RecordOutcome::Failed(error) => RecordOutcome::Failed(record_error(error)),
    }
}

fn record_error(error: salesforce::RecordError) -> RecordError {
    RecordError {
        stop: (error.treatment == Treatment::StopRun).then(|| used_up(&error.code)),
        code: error.code.as_str().to_owned(),
        message: error.message,
        fields: error.fields,
        retry: error.retry,
    }
}

/// What is used up, when Salesforce says that no further call can pass.
fn used_up(code: &ErrorCode) -> StopKind {
    if *code == ErrorCode::RequestLimitExceeded { StopKind::DailyLimit } else { StopKind::Storage }
}

fn fault(error: &SalesforceError) -> Fault {
    if let Some(api) = error.api() {
        let class = if error.is_not_authorised() {
            Class::Stop(StopKind::NotAuthorised)
        } else {
            class(api.treatment(), api.status, &api.fault.code)
        };
        return Fault { class, code: api.fault.code.as_str().to_owned(), message: api.fault.message.clone() };
    }
    let (class, code) = match error {
        SalesforceError::WrongOrg { .. } => (Class::Stop(StopKind::WrongOrg), "WRONG_ORG"),
        _ if error.is_not_authorised() => (Class::Stop(StopKind::NotAuthorised), "NOT_AUTHORISED"),
        SalesforceError::NotRenewed(inner) => (fault(inner).class, "LOG_IN"),
        // An address that may not be called, an answer over the size limit: the same again the next time.
        SalesforceError::Net(_) if !error.is_of_the_network() => (Class::Call, "CONNECTION"),
        SalesforceError::Net(_) => (Class::Later(None), "CONNECTION"),
        SalesforceError::Token(_) => (Class::Later(None), "LOG_IN"),
        SalesforceError::RowsMissing { .. } => (Class::Later(None), Fault::ROWS_MISSING),
        SalesforceError::Redirected { .. } => (Class::Stop(StopKind::Unreachable), "REDIRECTED"),
        SalesforceError::VersionRetired { .. } => (Class::Stop(StopKind::Unreachable), "API_VERSION_RETIRED"),
        SalesforceError::Foreign { status, treatment, .. } => (class(*treatment, *status, &no_code()), "NOT_JSON"),
        SalesforceError::Status { status, treatment } => (class(*treatment, *status, &no_code()), "HTTP_STATUS"),
        SalesforceError::Malformed { .. } => (Class::Later(None), Fault::MALFORMED),
        SalesforceError::Request { .. } => (Class::Call, "REQUEST"),
        _ => (Class::Call, "OTHER"),
    };
    Fault { class, code: code.to_owned(), message: error.to_string() }
}

fn no_code() -> ErrorCode {
    ErrorCode::parse("")
}

/// A refused call, by what its error asks for.
fn class(treatment: Treatment, status: u16, code: &ErrorCode) -> Class {
    match treatment {
        // The client has waited as long as Salesforce asked for already.
        Treatment::RetryLater | Treatment::Lock | Treatment::Uncertain => Class::Later(None),
        // The client has renewed the session already, in vain.
        Treatment::RefreshSession => Class::Stop(StopKind::NotAuthorised),
        Treatment::StopRun => Class::Stop(used_up(code)),
        Treatment::Narrow | Treatment::Consequence => Class::Body,
        // One value that cannot be read spoils the whole call (FACTS: JSON_PARSER_ERROR, also in collections). What the object is, no record can help.
        Treatment::Fatal if status == 400 && *code != ErrorCode::InvalidType => Class::Body,
        Treatment::Fatal => Class::Call,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_whole_calls_are_told_apart_by_what_can_be_done() {
        let stop = Class::Stop;
        let table = [
            (Treatment::RetryLater, 503, "SERVER_UNAVAILABLE", Class::Later(None)),
            (Treatment::Lock, 400, "UNABLE_TO_LOCK_ROW", Class::Later(None)),
            (Treatment::Uncertain, 500, "UNKNOWN_EXCEPTION", Class::Later(None)),
            (Treatment::RefreshSession, 401, "INVALID_SESSION_ID", stop(StopKind::NotAuthorised)),
            (Treatment::StopRun, 403, "REQUEST_LIMIT_EXCEEDED", stop(StopKind::DailyLimit)),
            (Treatment::StopRun, 403, "STORAGE_LIMIT_EXCEEDED", stop(StopKind::Storage)),
            (Treatment::Narrow, 400, "OPERATION_TOO_LARGE", Class::Body),
            (Treatment::Fatal, 400, "JSON_PARSER_ERROR", Class::Body),
            (Treatment::Fatal, 400, "INVALID_FIELD", Class::Body),
            (Treatment::Fatal, 400, "INVALID_TYPE", Class::Call),
            (Treatment::Fatal, 403, "INSUFFICIENT_ACCESS_OR_READONLY", Class::Call),
            (Treatment::Fatal, 404, "NOT_FOUND", Class::Call),
        ];
        for (treatment, status, code, expected) in table {
            assert_eq!(class(treatment, status, &ErrorCode::parse(code)), expected, "{code}");
        }
    }
}
