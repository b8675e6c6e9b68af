//! The one record that is written: its fields as they were, read, put back, and looked at again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;

use super::finding::plain;
use super::subject::Kind;
use crate::model::{Field, FieldName, FieldType, ObjectName, RecordId};
use crate::salesforce::{CallFailure, Client, JobId, RecordOutcome, RecordUpdate, SalesforceError};
use crate::values::{canon_org, write_json};

/// How often putting back is tried.
const TRIES: u32 = 5;
/// How often a job that was aborted is asked whether it is over.
const JOB_POLLS: u32 = 60;
/// Somebody else has the record.
pub(super) const LOCKED: &str = "UNABLE_TO_LOCK_ROW";

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
    /// The record is gone, or this user does not see it any more.
    NotSeen,
    /// These fields are not, and Salesforce's code where it refused.
    Left(Vec<FieldName>, Option<String>),
    /// It reads as it was, but a call whose answer was lost may still be at work on it: no write was answered since. Salesforce's code where it refused.
    Unsure(Option<String>),
    /// The probe's bulk job is not over, and may write the record yet: nothing was put back.
    AtWork,
}

/// What became of a call that puts fields back.
enum Sent {
    /// They are saved.
    Saved,
    /// The record was refused, with this code.
    Refused(String),
    /// The whole call was refused with this code, or its answer was lost. It may not have come as far as the record.
    Lost(Option<String>),
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

    /// Puts every field back that is not as it was, and looks again. `unsure`: a call may still be under way. A look does not wait for it; a write does, since
    /// the record is locked. So all fields are written then, and what is read is believed once a write was answered.
    ///
    /// # Errors
    /// Salesforce could not be asked. What was held is still to be put back then.
    pub async fn restore(&self, client: &Client, unsure: bool) -> Result<Restored, SalesforceError> {
        if !self.end_job(client).await? {
            return Ok(Restored::AtWork);
        }
        let names = self.names();
        // A job that is called over may have a row under way yet.
        let mut settled = !unsure && self.job.is_none();
        let mut code = None;
        let mut tried = 0;
        loop {
            let Some(now) = read(client, &self.object, &self.record, &names).await? else {
                return Ok(Restored::NotSeen);
            };
            let differs = |f: &&HeldField| now.get(f.name.as_str()).map(|v| v.get()) != Some(&f.value);
            let differing: Vec<&HeldField> = self.fields.iter().filter(differs).collect();
            match differing.is_empty() {
                true if settled => return Ok(Restored::AsBefore),
                true if tried == TRIES => return Ok(Restored::Unsure(code)),
                false if tried == TRIES => {
                    return Ok(Restored::Left(differing.into_iter().map(|f| f.name.clone()).collect(), code));
                }
                _ => {}
            }
            let fields = if settled { differing } else { self.fields.iter().collect() };
            let (answered, refused) = self.send_all(client, &fields).await?;
            if !answered {
                // Without a wait left, the tries that are left go at once.
                client.budget().pause(tried, None, "the record is locked, or Salesforce did not answer").await;
            }
            settled |= answered;
            code = refused;
            tried += 1;
        }
    }

    /// Sends fields as they were: all at once; where that is refused, one by one, so that one field does not keep the others. Was an answer of the record's own
    /// among the answers? And Salesforce's code where it refused.
    async fn send_all(
        &self,
        client: &Client,
        fields: &[&HeldField],
    ) -> Result<(bool, Option<String>), SalesforceError> {
        let sent = self.send(client, fields).await?;
        let mut answered = sent.answered();
        let code = sent.code();
        if code.as_deref().is_some_and(|code| code != LOCKED) && fields.len() > 1 {
            for field in fields {
                answered |= self.send(client, &[field]).await?.answered();
            }
        }
        Ok((answered, code))
    }

    async fn send(&self, client: &Client, fields: &[&HeldField]) -> Result<Sent, SalesforceError> {
        let members: Vec<(&str, String)> = fields.iter().map(|f| (f.name.as_str(), f.json())).collect();
        match client.update(&self.object, &[update(self.record, &members)]).await {
            Ok(outcomes) => Ok(refusal(outcomes).map_or(Sent::Saved, Sent::Refused)),
            // The next look tells.
            Err(CallFailure::Unknown(_)) => Ok(Sent::Lost(None)),
            Err(failure) => match failure.api() {
                Some(api) => Ok(Sent::Lost(Some(plain(api.code().as_str())))),
                None => Err(failure.cause().clone()),
            },
        }
    }

    /// Is no job at work on the record any more? One that may be is aborted, and waited for.
    async fn end_job(&self, client: &Client) -> Result<bool, SalesforceError> {
        let Some(job) = self.job.as_deref().and_then(JobId::parse) else { return Ok(true) };
        let _ = client.abort_ingest(&job).await;
        for polls in 0..JOB_POLLS {
            match client.ingest_job(&job).await {
                Ok(info) if !info.state.is_over() => tokio::time::sleep(client.budget().poll_wait(polls)).await,
                Ok(_) => {
                    let _ = client.delete_ingest(&job).await;
                    return Ok(true);
                }
                // It is put away already.
                Err(error) if error.api().is_some_and(|api| api.status == 404) => return Ok(true),
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }
}

impl Sent {
    /// Did the call come as far as the record, so that no earlier one holds it any more?
    fn answered(&self) -> bool {
        match self {
            Self::Saved => true,
            Self::Refused(code) => code != LOCKED,
            Self::Lost(_) => false,
        }
    }

    fn code(self) -> Option<String> {
        match self {
            Self::Saved => None,
            Self::Refused(code) => Some(code),
            Self::Lost(code) => code,
        }
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
