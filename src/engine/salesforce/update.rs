//! Updates: one `PATCH composite/sobjects` of at most 200 records, `allOrNone` false (REST API guide, "Update Records Using sObject Collections";
//! recording `exchange_collections_update_200.json`). Results come in the request's order.

use std::collections::HashSet;
use std::fmt;

use http::Method;
use serde::Deserialize;

use super::answer::{faults_without, malformed};
use super::client::Call;
use super::{ApiError, Client, ErrorCode, Fault, SalesforceError, Treatment};
use crate::model::{ObjectName, RecordId, Secret};
use crate::net::{Body, Class, Sent};

/// Records that one call takes.
pub const UPDATE_LIMIT: usize = 200;

/// One record's changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordUpdate {
    /// The record.
    pub id: RecordId,
    /// Members of its JSON object, without braces: `"Field":value,"Other":null`.
    pub body: Vec<u8>,
}

/// What became of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordOutcome {
    /// Written.
    Updated,
    /// Not written.
    Failed(RecordError),
}

/// Why a record was not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordError {
    /// Code of the first entry that is not a mere consequence.
    pub code: ErrorCode,
    /// Salesforce's own text, which may quote values; up to 2,000 characters.
    pub message: String,
    /// Fields that it names.
    pub fields: Vec<String>,
    /// May it pass later in this run (a lock, a passing refusal)?
    pub retry: bool,
    /// What it asks for.
    pub treatment: Treatment,
    /// Further entries.
    pub more: Vec<Fault>,
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message.trim())
    }
}

/// Why a whole call has no results, and how sure it is that nothing was written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CallFailure {
    /// Surely nothing reached Salesforce.
    #[error("nothing was sent: {0}")]
    NotSent(SalesforceError),
    /// Salesforce refused the call and wrote nothing.
    #[error("nothing was written: {0}")]
    Refused(SalesforceError),
    /// The answer was lost: the records may or may not have been written.
    #[error("it is not known whether the records were written: {0}")]
    Unknown(SalesforceError),
}

impl CallFailure {
    /// The cause.
    pub fn cause(&self) -> &SalesforceError {
        match self {
            CallFailure::NotSent(cause) | CallFailure::Refused(cause) | CallFailure::Unknown(cause) => cause,
        }
    }

    /// The refusal in Salesforce's own form, where there is one.
    pub fn api(&self) -> Option<&ApiError> {
        self.cause().api()
    }

    pub(crate) fn of(error: SalesforceError) -> Self {
        match &error {
            SalesforceError::Request { .. } => CallFailure::NotSent(error),
            SalesforceError::Net(net) if net.sent() == Sent::No => CallFailure::NotSent(error),
            SalesforceError::Net(_) | SalesforceError::Malformed { .. } | SalesforceError::RowsMissing { .. } => {
                CallFailure::Unknown(error)
            }
            _ if error.treatment() == Treatment::Uncertain => CallFailure::Unknown(error),
            _ => CallFailure::Refused(error),
        }
    }
}

#[derive(Deserialize)]
struct ResultWire<'a> {
    #[serde(default)]
    id: Option<String>,
    success: bool,
    #[serde(default, borrow)]
    errors: Option<&'a serde_json::value::RawValue>,
}

/// Decodes the results of a collection, for records in this order. Secrets that the server sent back are taken out.
pub(crate) fn decode_results(
    body: &[u8],
    ids: &[RecordId],
    secrets: &[&Secret],
) -> Result<Vec<RecordOutcome>, SalesforceError> {
    let what = "the update";
    let wires: Vec<ResultWire<'_>> = serde_json::from_slice(body).map_err(|error| malformed(what, error))?;
    if wires.len() != ids.len() {
        return Err(SalesforceError::RowsMissing { announced: ids.len() as u64, received: wires.len() as u64 });
    }
    let mut outcomes = Vec::with_capacity(wires.len());
    for (wire, id) in wires.into_iter().zip(ids) {
        if let Some(told) = &wire.id
            && RecordId::parse(told) != Ok(*id)
        {
            return Err(malformed(what, format!("a result is for another record than {id}, in whose place it stands")));
        }
        outcomes.push(if wire.success {
            RecordOutcome::Updated
        } else {
            let errors = wire.errors.map_or_else(Vec::new, |e| faults_without(e.get().as_bytes(), secrets));
            RecordOutcome::Failed(RecordError::of(errors))
        });
    }
    Ok(outcomes)
}

impl RecordError {
    pub(crate) fn of(mut faults: Vec<Fault>) -> Self {
        let main = faults.iter().position(|f| f.treatment() != Treatment::Consequence).unwrap_or(0);
        let fault = if faults.is_empty() {
            let message = "Salesforce gave no reason".to_owned();
            Fault { code: ErrorCode::Other("(no code)".to_owned()), message, fields: Vec::new() }
        } else {
            faults.remove(main)
        };
        let treatment = fault.treatment();
        let retry = matches!(treatment, Treatment::Lock | Treatment::RetryLater);
        let Fault { code, message, fields } = fault;
        Self { code, message, fields, retry, treatment, more: faults }
    }
}

fn request_body(object: &ObjectName, records: &[RecordUpdate]) -> Result<Vec<u8>, SalesforceError> {
    let refuse = |detail: String| Err(SalesforceError::Request { detail });
    if records.is_empty() || records.len() > UPDATE_LIMIT {
        return refuse(format!("an update takes 1 to {UPDATE_LIMIT} records, not {}", records.len()));
    }
    let name = object.as_str();
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return refuse(format!("{name:?} is no name of an object"));
    }
    let mut seen = HashSet::new();
    let mut body = b"{\"allOrNone\":false,\"records\":[".to_vec();
    for (n, record) in records.iter().enumerate() {
        if !seen.insert(record.id) {
            return refuse(format!("record {} occurs twice in one update", record.id));
        }
        if record.body.is_empty() {
            return refuse(format!("record {} has no changed field", record.id));
        }
        if n > 0 {
            body.push(b',');
        }
        body.extend_from_slice(b"{\"attributes\":{\"type\":\"");
        body.extend_from_slice(name.as_bytes());
        body.extend_from_slice(b"\"},\"id\":\"");
        body.extend_from_slice(record.id.as_str().as_bytes());
        body.extend_from_slice(b"\",");
        body.extend_from_slice(&record.body);
        body.push(b'}');
    }
    body.extend_from_slice(b"]}");
    Ok(body)
}

impl Client {
    /// Writes the changes of up to 200 records of one object, in one call. The outcomes are in the records' order. Side effects that can be switched off
    /// are: no assignment rules, no entry among the recently used.
    ///
    /// A lost answer is not sent again here: it comes back as `Unknown`, and the records have to be read first.
    pub async fn update(
        &self,
        object: &ObjectName,
        records: &[RecordUpdate],
    ) -> Result<Vec<RecordOutcome>, CallFailure> {
        let body = Body::json(request_body(object, records).map_err(CallFailure::of)?);
        let call = Call {
            method: Method::PATCH,
            target: self.path("composite/sobjects"),
            class: Class::IdempotentWrite,
            headers: vec![("sforce-auto-assign", "FALSE"), ("sforce-mru", "updateMru=false")],
            body: Some(if self.gzip_requests() { body.gzipped() } else { body }),
        };
        let response = self.call(&call).await.map_err(CallFailure::of)?;
        let ids: Vec<RecordId> = records.iter().map(|r| r.id).collect();
        decode_results(&response.body, &ids, &[&self.access().token]).map_err(CallFailure::of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "001D000000IqhSLIAZ";
    const B: &str = "0123h000002xQ5s";

    fn ids() -> Vec<RecordId> {
        [A, B].map(|id| RecordId::parse(id).unwrap()).to_vec()
    }

    fn record(id: &str, body: &str) -> RecordUpdate {
        RecordUpdate { id: RecordId::parse(id).unwrap(), body: body.as_bytes().to_vec() }
    }

    #[test]
    fn the_body_is_json_with_only_the_changed_fields() {
        let body =
            request_body(&"Lead".into(), &[record(A, r#""N__c":1.50,"S":null"#), record(B, r#""S":"ü""#)]).unwrap();
        assert_eq!(
            String::from_utf8(body).unwrap(),
            r#"{"allOrNone":false,"records":[{"attributes":{"type":"Lead"},"id":"001D000000IqhSLIAZ","N__c":1.50,"S":null},"#
                .to_owned()
                + &format!(r#"{{"attributes":{{"type":"Lead"}},"id":"{}","S":"ü"}}]}}"#, ids()[1])
        );
    }

    #[test]
    fn what_cannot_be_one_call_is_refused_before_sending() {
        let many: Vec<_> = (0..201).map(|n| record(&format!("00Q{n:012}"), "\"A\":1")).collect();
        let table = [
            ("Lead", vec![]),
            ("Lead", many),
            ("Lead", vec![record(A, "\"A\":1"), record(A, "\"A\":2")]),
            ("Lead", vec![record(A, "")]),
            ("Le\"ad", vec![record(A, "\"A\":1")]),
        ];
        for (object, records) in table {
            let error = request_body(&object.into(), &records).unwrap_err();
            assert!(matches!(CallFailure::of(error), CallFailure::NotSent(_)));
        }
    }

    #[test]
    fn results_are_matched_by_position() {
        let body = r#"[{"success":false,"errors":[
                {"statusCode":"PROCESSING_HALTED","message":"x","fields":[]},
                {"statusCode":"UNABLE_TO_LOCK_ROW","message":"locked","fields":["Id"],"extendedErrorDetails":[{}]}]},
            {"id":"0123h000002xQ5s","success":true,"errors":[]}]"#;
        let outcomes = decode_results(body.as_bytes(), &ids(), &[]).unwrap();
        let RecordOutcome::Failed(error) = &outcomes[0] else { panic!("{outcomes:?}") };
        assert_eq!((error.code.clone(), error.retry, error.more.len()), (ErrorCode::UnableToLockRow, true, 1));
        assert_eq!(error.fields, ["Id"]);
        assert_eq!(outcomes[1], RecordOutcome::Updated);
    }

    #[test]
    fn a_reply_that_does_not_fit_the_request_leaves_the_outcome_unknown() {
        let table = [
            r#"[{"id":"001D000000IqhSLIAZ","success":true,"errors":[]}]"#,
            r#"[{"id":"0123h000002xQ5s","success":true,"errors":[]},{"id":"001D000000IqhSLIAZ","success":true,"errors":[]}]"#,
            r#"[{"id":"x","success":true},{"success":true}]"#,
            r#"[{"success":true},{"errors":[]}]"#,
            r#"[{"success":true},{"succ"#,
            "{}",
        ];
        for body in table {
            let error = decode_results(body.as_bytes(), &ids(), &[]).unwrap_err();
            assert!(matches!(CallFailure::of(error), CallFailure::Unknown(_)), "{body}");
        }
    }

    #[test]
    fn a_failure_without_a_reason_is_still_a_failure() {
        let outcomes = decode_results(br#"[{"success":false},{"success":false,"errors":[]}]"#, &ids(), &[]).unwrap();
        assert!(outcomes.iter().all(|o| matches!(o, RecordOutcome::Failed(e) if !e.retry)), "{outcomes:?}");
    }
}
