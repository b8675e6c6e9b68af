//! The Salesforce client as the org that apply asks: which errors pass, which stop the run, which are one call's own.

use super::org::{CallFailure, Class, Fault, Org, RecordError, RecordOutcome, RecordUpdate, Rows, StopKind};
use crate::model::{FieldName, ObjectName, RecordId};
use crate::salesforce::{self, Client, ErrorCode, SalesforceError, Treatment};

fn stop(error: &SalesforceError) -> Option<StopKind> {
    if let SalesforceError::WrongOrg { .. } = error {
        return Some(StopKind::WrongOrg);
    }
    if error.is_not_authorised() {
        return Some(StopKind::NotAuthorised);
    }
    let code = error.api().map(salesforce::ApiError::code);
    match (error.treatment(), code) {
        (Treatment::StopRun, Some(ErrorCode::RequestLimitExceeded)) => Some(StopKind::DailyLimit),
        (Treatment::StopRun, _) => Some(StopKind::Storage),
        _ => None,
    }
}

fn fault(error: &SalesforceError) -> Fault {
    let class = match (stop(error), error.treatment(), error) {
        (Some(kind), _, _) => Class::Stop(kind),
        // The network's own errors pass, if anything does; the client has tried already, within the same budget.
        (None, _, SalesforceError::Net(_)) => Class::Later(None),
        (None, Treatment::RetryLater | Treatment::Lock | Treatment::Uncertain | Treatment::RefreshSession, _) => {
            Class::Later(None)
        }
        _ => Class::Call,
    };
    let code = match error {
        SalesforceError::Api(api) => api.code().as_str().to_owned(),
        SalesforceError::Net(_) => "CONNECTION".to_owned(),
        SalesforceError::Foreign { status, .. } | SalesforceError::Status { status, .. } => format!("HTTP_{status}"),
        _ => "UNUSABLE_ANSWER".to_owned(),
    };
    Fault { class, code, message: error.to_string() }
}

fn outcome(outcome: salesforce::RecordOutcome) -> RecordOutcome {
    match outcome {
        salesforce::RecordOutcome::Updated => RecordOutcome::Updated,
        salesforce::RecordOutcome::Failed(error) => RecordOutcome::Failed(RecordError {
            code: error.code.as_str().to_owned(),
            message: error.message,
            fields: error.fields,
            retry: error.retry,
            stop: (error.treatment == Treatment::StopRun).then_some(StopKind::Storage),
        }),
    }
}

impl Org for Client {
    async fn read(&self, object: &ObjectName, ids: &[RecordId], fields: &[FieldName]) -> Result<Rows, Fault> {
        let columns: Vec<String> =
            std::iter::once("Id".to_owned()).chain(fields.iter().map(|f| f.as_str().to_owned())).collect();
        let blocks = Client::read(self, object, ids, &columns).await.map_err(|e| fault(&e))?;
        let mut rows = Rows::new();
        for block in &blocks {
            for row in block.iter() {
                // The client has checked every id that it hands over.
                if let Some(id) = std::str::from_utf8(row.cell(0)).ok().and_then(|id| RecordId::parse(id).ok()) {
                    rows.push(id, row.cells().skip(1));
                }
            }
        }
        Ok(rows)
    }

    async fn update(&self, object: &ObjectName, records: &[RecordUpdate]) -> Result<Vec<RecordOutcome>, CallFailure> {
        let records: Vec<salesforce::RecordUpdate> =
            records.iter().map(|r| salesforce::RecordUpdate { id: r.id, body: r.members.clone() }).collect();
        match Client::update(self, object, &records).await {
            Ok(outcomes) => Ok(outcomes.into_iter().map(outcome).collect()),
            Err(salesforce::CallFailure::NotSent(error)) => Err(CallFailure::NotSent(fault(&error))),
            Err(salesforce::CallFailure::Refused(error)) => Err(CallFailure::Refused(fault(&error))),
            Err(salesforce::CallFailure::Unknown(error)) => Err(CallFailure::Unknown(fault(&error))),
        }
    }
}
