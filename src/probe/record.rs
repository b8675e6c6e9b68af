//! The one record that is written: its fields as they were, read, put back, and looked at again.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;

use super::finding::plain;
use super::subject::Kind;
use crate::model::{Field, FieldName, FieldType, ObjectName, RecordId};
use crate::salesforce::{CallFailure, Client, JobId, RecordOutcome, RecordUpdate, SalesforceError};
use crate::values::{canon_org, write_json};

/// How often putting back is tried.
const TRIES: u32 = 4;
/// How long a job of a probe that was killed may still be at work.
const JOB_POLLS: u32 = 60;

/// A field's values as JSON wrote them, by field name.
pub(super) type Cells = BTreeMap<String, Box<RawValue>>;

/// What a record held before it was written. It holds values of a record: it is kept on this machine only, for as long as they are not back.
#[derive(Clone, Serialize, Deserialize)]
pub struct Held {
    /// The org, by its id.
    pub org_id: String,
    /// The object.
    pub object: ObjectName,
    /// The record.
    pub record: RecordId,
    /// A bulk job that may be at work on it.
    pub job: Option<String>,
    fields: Vec<HeldField>,
}

#[derive(Clone, Serialize, Deserialize)]
struct HeldField {
    name: FieldName,
    field_type: FieldType,
    /// As JSON wrote it.
    value: String,
}

/// A field that is written, with what it held before.
#[derive(Clone)]
pub struct Writable {
    /// What kind it is.
    pub kind: Kind,
    /// The field.
    pub field: Field,
    pub(super) before: String,
}

/// How putting back ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Restored {
    /// Every field is as it was.
    AsBefore,
    /// The record is gone.
    Gone,
    /// These fields are not, and Salesforce's code where it refused.
    Left(Vec<FieldName>, Option<String>),
}

/// The text of a JSON value: what stands in a string, nothing for null, else the value itself.
pub(super) fn text(raw: &str) -> String {
    match raw.as_bytes().first() {
        Some(b'"') => serde_json::from_str(raw).unwrap_or_default(),
        Some(b'n') | None => String::new(),
        _ => raw.to_owned(),
    }
}

/// Reads fields of one record; `None` where it is not there.
pub(super) async fn read(
    client: &Client,
    object: &ObjectName,
    id: &RecordId,
    fields: &[&str],
) -> Result<Option<Cells>, SalesforceError> {
    let body = json!({ "ids": [id.as_str()], "fields": fields });
    let answer = client.raw_post(&format!("composite/sobjects/{object}"), &body).await?;
    let malformed =
        |e: serde_json::Error| SalesforceError::Malformed { what: "reading one record", detail: e.to_string() };
    let mut records: Vec<Option<Cells>> = serde_json::from_slice(&answer.body).map_err(malformed)?;
    Ok(records.pop().flatten())
}

impl Writable {
    /// A field with what it holds now, where that could be put back; else why not.
    pub(super) fn new(kind: Kind, field: &Field, before: &str) -> Result<Self, &'static str> {
        let held = text(before);
        let listed = |value: &str| field.picklist.iter().any(|v| v.active && v.value == value);
        let fits = match kind {
            Kind::Text | Kind::Area => held.encode_utf16().count() <= field.length as usize,
            Kind::Picklist => held.is_empty() || listed(&held),
            Kind::Multi => held.is_empty() || held.split(';').all(listed),
            _ => true,
        };
        match fits {
            true => Ok(Self { kind, field: field.clone(), before: before.to_owned() }),
            false => Err("what the record holds there now could not be put back"),
        }
    }
}

impl Held {
    pub(super) fn new(org_id: &str, object: &ObjectName, record: RecordId, fields: &[Writable]) -> Self {
        let held = |w: &Writable| HeldField {
            name: w.field.name.clone(),
            field_type: w.field.field_type.clone(),
            value: w.before.clone(),
        };
        let fields = fields.iter().map(held).collect();
        Self { org_id: org_id.to_owned(), object: object.clone(), record, job: None, fields }
    }

    /// The fields, by name.
    pub fn names(&self) -> Vec<&str> {
        self.fields.iter().map(|f| f.name.as_str()).collect()
    }

    /// Puts every field back that is not as it was, and looks again. `unsure`: a call may still be under way.
    ///
    /// # Errors
    /// Salesforce could not be asked. What was held is still to be put back then.
    pub async fn restore(&self, client: &Client, unsure: bool) -> Result<Restored, SalesforceError> {
        self.end_job(client).await?;
        let names = self.names();
        let mut code = None;
        let mut left: Vec<&HeldField> = Vec::new();
        for attempt in 0..TRIES {
            if unsure && attempt == 0 {
                // What was sent and not answered arrives by now, or never.
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
            let Some(now) = read(client, &self.object, &self.record, &names).await? else { return Ok(Restored::Gone) };
            left = self.fields.iter().filter(|f| now.get(f.name.as_str()).map(|v| v.get()) != Some(&f.value)).collect();
            if left.is_empty() {
                return Ok(Restored::AsBefore);
            }
            if attempt + 1 == TRIES {
                break;
            }
            // All at once; where that is refused, one by one, so that one field does not keep the others.
            code = self.send(client, &left).await?;
            if code.is_some() && left.len() > 1 {
                for field in &left {
                    self.send(client, &[field]).await?;
                }
            }
        }
        Ok(Restored::Left(left.into_iter().map(|f| f.name.clone()).collect(), code))
    }

    /// Sends fields as they were; Salesforce's code where it refused.
    async fn send(&self, client: &Client, fields: &[&HeldField]) -> Result<Option<String>, SalesforceError> {
        let members: Vec<(&str, String)> = fields.iter().map(|f| (f.name.as_str(), f.json())).collect();
        match client.update(&self.object, &[update(self.record, &members)]).await {
            Ok(outcomes) => Ok(refusal(outcomes)),
            // The next look tells.
            Err(CallFailure::Unknown(_)) => Ok(None),
            Err(failure) => match failure.api() {
                Some(api) => Ok(Some(plain(api.code().as_str()))),
                None => Err(failure.cause().clone()),
            },
        }
    }

    /// No job is at work on the record any more.
    async fn end_job(&self, client: &Client) -> Result<(), SalesforceError> {
        let Some(job) = self.job.as_deref().and_then(JobId::parse) else { return Ok(()) };
        let _ = client.abort_ingest(&job).await;
        for polls in 0..JOB_POLLS {
            match client.ingest_job(&job).await {
                Ok(info) if !info.state.is_over() => {
                    tokio::time::sleep(client.budget().poll_wait(polls)).await;
                }
                Ok(_) => break,
                Err(error) if error.api().is_some_and(|api| api.status == 404) => break,
                Err(error) => return Err(error),
            }
        }
        let _ = client.delete_ingest(&job).await;
        Ok(())
    }
}

impl HeldField {
    /// The JSON that puts it back. A moment is sent in the form that Footbridge writes.
    fn json(&self) -> String {
        if self.field_type != FieldType::Datetime || self.value == "null" {
            return self.value.clone();
        }
        let (mut canonical, mut out) = (Vec::new(), Vec::new());
        match canon_org(&self.field_type, text(&self.value).as_bytes(), &mut canonical) {
            Ok(()) => write_json(&self.field_type, &canonical, &mut out),
            Err(_) => out.extend_from_slice(self.value.as_bytes()),
        }
        String::from_utf8_lossy(&out).into_owned()
    }
}

/// An update of one record from members of its JSON.
pub(super) fn update(id: RecordId, members: &[(&str, String)]) -> RecordUpdate {
    let body: Vec<String> = members.iter().map(|(name, json)| format!("\"{name}\":{json}")).collect();
    RecordUpdate { id, body: body.join(",").into_bytes() }
}

/// Salesforce's code for the one record that was sent, where it refused.
pub(super) fn refusal(outcomes: Vec<RecordOutcome>) -> Option<String> {
    match outcomes.into_iter().next() {
        Some(RecordOutcome::Failed(error)) => Some(plain(error.code.as_str())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::PicklistValue;

    #[test]
    fn what_could_not_be_put_back_is_not_written() {
        let mut field = Field { length: 40, ..Field::plain("A__c", FieldType::Multipicklist) };
        let entry = |value: &str, active| PicklistValue { value: value.into(), label: value.into(), active };
        field.picklist = vec![entry("a", true), entry("old", false)];
        assert!(Writable::new(Kind::Multi, &field, "\"a\"").is_ok());
        assert!(Writable::new(Kind::Multi, &field, "null").is_ok());
        assert!(Writable::new(Kind::Multi, &field, "\"a;old\"").is_err());
        assert!(Writable::new(Kind::Picklist, &field, "\"other\"").is_err());
        assert!(Writable::new(Kind::Text, &field, &format!("\"{}\"", "x".repeat(41))).is_err());
    }

    #[test]
    fn values_go_back_as_they_came_and_moments_in_the_form_that_is_written() {
        let json = |field_type, value: &str| HeldField { name: "A__c".into(), field_type, value: value.into() }.json();
        assert_eq!(json(FieldType::String, r#""a\r\n\"ü""#), r#""a\r\n\"ü""#);
        assert_eq!(json(FieldType::Double, "1.0E8"), "1.0E8");
        assert_eq!(json(FieldType::Datetime, "null"), "null");
        let moment = json(FieldType::Datetime, "\"2026-01-02T03:04:05.000+0000\"");
        assert!(moment.starts_with("\"2026-01-02T03:04:05") && moment.ends_with("Z\""), "{moment}");
        assert_eq!(
            (text("null"), text("\"x\""), text("1.5"), text("false")),
            ("".into(), "x".into(), "1.5".into(), "false".into())
        );
    }
}
