//! What can be told by reading alone.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use serde::Deserialize;
use serde_json::{Value, json};

use super::finding::{Findings, plain};
use super::record::{Cells, text};
use super::subject::Subject;
use super::trials::same;
use super::writes::NO_FIELD;
use crate::model::{Field, FieldType, RecordId};
use crate::salesforce::{Client, Lookup, RawAnswer, SalesforceError, encode_query};
use crate::table::{CsvReader, Dialect, Limits};
use crate::values::canon_org;

/// Keys of an object's describe that are read.
const OBJECT_KEYS: [&str; 7] = ["name", "label", "labelPlural", "keyPrefix", "queryable", "updateable", "fields"];
/// Keys of a field's describe that are read.
const FIELD_KEYS: [&str; 26] = [
    "name",
    "label",
    "type",
    "length",
    "precision",
    "scale",
    "digits",
    "updateable",
    "filterable",
    "nillable",
    "unique",
    "caseSensitive",
    "externalId",
    "idLookup",
    "calculated",
    "autoNumber",
    "htmlFormatted",
    "encrypted",
    "compoundFieldName",
    "restrictedPicklist",
    "picklistValues",
    "referenceTo",
    "cascadeDelete",
    "restrictedDelete",
    "relationshipOrder",
    "custom",
];
/// Allowances that are read.
const LIMITS: [&str; 3] = ["DailyApiRequests", "DailyBulkApiBatches", "DailyBulkV2QueryJobs"];
/// Polls of a query job of one record.
const POLLS: u32 = 120;

/// Checks all that reading can tell. `record` is looked at in place of any.
///
/// # Errors
/// The org cannot be asked any more; what was found until then is noted.
pub async fn reads(
    client: &Client,
    subject: &Subject,
    record: Option<RecordId>,
    findings: &mut Findings,
) -> Result<(), SalesforceError> {
    let mut reading = Reading { client, subject, findings, answers: 0, bare: 0 };
    let outcome = reading.all(record).await;
    let (answers, bare) = (reading.answers, reading.bare);
    if answers > 0 {
        findings.judge("limit_info", bare == 0, format!("{bare} of {answers} answers have no such header"));
    }
    outcome
}

/// A refusal as a report may tell it; errors that end the probe stay errors.
fn told(error: SalesforceError) -> Result<(u16, String), SalesforceError> {
    match &error {
        SalesforceError::Api(api) => Ok((api.status, plain(api.code().as_str()))),
        SalesforceError::Foreign { status, .. } | SalesforceError::Status { status, .. } => {
            Ok((*status, "no code".into()))
        }
        _ => Err(error),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageWire {
    total_size: u64,
    done: bool,
    #[serde(default)]
    next_records_url: Option<String>,
    records: Vec<Cells>,
}

struct Reading<'a> {
    client: &'a Client,
    subject: &'a Subject,
    findings: &'a mut Findings,
    /// REST answers, and those of them without the header of usage.
    answers: u32,
    bare: u32,
}

/// An answer, or the refusal.
type Told = Result<RawAnswer, (u16, String)>;

impl Reading<'_> {
    async fn all(&mut self, record: Option<RecordId>) -> Result<(), SalesforceError> {
        self.version().await?;
        self.limits().await?;
        self.describe().await?;
        self.pages().await?;
        self.long_query().await?;
        self.errors().await?;
        self.look_ups().await?;
        self.record(record).await
    }

    async fn get(&mut self, resource: &str, headers: &[(&'static str, &'static str)]) -> Result<Told, SalesforceError> {
        let answer = self.client.raw_get(resource, headers).await;
        self.heard(answer)
    }

    async fn post(&mut self, resource: &str, body: &Value) -> Result<Told, SalesforceError> {
        let answer = self.client.raw_post(resource, body).await;
        self.heard(answer)
    }

    fn heard(&mut self, answer: Result<RawAnswer, SalesforceError>) -> Result<Told, SalesforceError> {
        match answer {
            Ok(answer) => {
                self.answers += 1;
                let usage = answer.header("sforce-limit-info").and_then(crate::salesforce::Usage::parse);
                self.bare += u32::from(usage.is_none());
                Ok(Ok(answer))
            }
            Err(error) => told(error).map(Err),
        }
    }

    async fn query(&mut self, soql: &str) -> Result<Result<PageWire, String>, SalesforceError> {
        match self.get(&format!("query?q={}", encode_query(soql)), &[]).await? {
            Ok(answer) => Ok(page(&answer)),
            Err((status, code)) => Ok(Err(format!("Salesforce answered {status} {code}"))),
        }
    }

    async fn version(&mut self) -> Result<(), SalesforceError> {
        // Open to all, and without the header of usage.
        let answer = match self.client.raw_get("/services/data", &[]).await {
            Ok(answer) => answer,
            Err(error) => {
                let (status, code) = told(error)?;
                self.findings.untold("version_served", format!("Salesforce answered {status} {code}"));
                return Ok(());
            }
        };
        let versions: Vec<Value> = serde_json::from_slice(&answer.body).unwrap_or_default();
        let served = versions.iter().any(|v| v["version"] == self.client.api_version());
        self.findings.judge("version_served", served, "the list of versions does not have it");
        Ok(())
    }

    async fn limits(&mut self) -> Result<(), SalesforceError> {
        match self.get("limits", &[]).await? {
            Ok(answer) => {
                let limits: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
                let lacks = |name: &&str| !limits[*name]["Max"].is_number() || !limits[*name]["Remaining"].is_number();
                let lacking: Vec<&str> = LIMITS.into_iter().filter(lacks).collect();
                self.findings.judge("limits_keys", lacking.is_empty(), format!("missing: {}", lacking.join(", ")));
            }
            Err((status, code)) => self.findings.untold("limits_keys", format!("Salesforce answered {status} {code}")),
        }
        Ok(())
    }

    async fn describe(&mut self) -> Result<(), SalesforceError> {
        let resource = format!("sobjects/{}/describe", self.subject.object.name);
        let answer = match self.get(&resource, &[]).await? {
            Ok(answer) => answer,
            Err((status, code)) => {
                for id in ["describe_object", "describe_fields", "describe_types"] {
                    self.findings.untold(id, format!("Salesforce answered {status} {code}"));
                }
                return Ok(());
            }
        };
        let object: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let lacking: Vec<&str> = OBJECT_KEYS.into_iter().filter(|key| object.get(*key).is_none()).collect();
        self.findings.judge("describe_object", lacking.is_empty(), format!("missing: {}", lacking.join(", ")));
        let fields = object["fields"].as_array().cloned().unwrap_or_default();
        let lacks = |key: &&str| fields.iter().any(|field| field.get(*key).is_none());
        let lacking: Vec<&str> = FIELD_KEYS.into_iter().filter(lacks).collect();
        self.findings.judge("describe_fields", lacking.is_empty(), format!("missing: {}", lacking.join(", ")));
        let types: BTreeSet<&str> = fields.iter().filter_map(|field| field["type"].as_str()).collect();
        let new = |name: &&str| matches!(serde_json::from_value(Value::from(*name)), Ok(FieldType::Other(_)));
        let word = |name: &str| !name.is_empty() && name.len() <= 30 && name.bytes().all(|b| b.is_ascii_lowercase());
        let new: Vec<&str> = types.into_iter().filter(new).map(|n| if word(n) { n } else { "(unreadable)" }).collect();
        self.findings.judge("describe_types", new.is_empty(), format!("not known: {}", new.join(", ")));
        Ok(())
    }

    async fn pages(&mut self) -> Result<(), SalesforceError> {
        let soql = format!("SELECT Id FROM {} LIMIT 450", self.subject.object.name);
        let mut next = Some(format!("query?q={}", encode_query(&soql)));
        let (mut pages, mut rows, mut total, mut largest, mut ids) = (0, 0, 0, 0, true);
        while let Some(target) = next.take().filter(|_| pages < 6) {
            let found = match self.get(&target, &[("sforce-query-options", "batchSize=200")]).await? {
                Ok(answer) => page(&answer),
                Err((status, code)) => Err(format!("Salesforce answered {status} {code}")),
            };
            let found = match found {
                Ok(found) => found,
                Err(why) => {
                    ["page_size", "page_total", "ids"].into_iter().for_each(|id| self.findings.untold(id, why.clone()));
                    return Ok(());
                }
            };
            pages += 1;
            rows += found.records.len() as u64;
            largest = largest.max(found.records.len());
            total = if pages == 1 { found.total_size } else { total };
            ids &= found.records.iter().all(|record| record.get("Id").is_some_and(|id| is_id(&text(id.get()))));
            let sound = found.done == found.next_records_url.is_none() && found.total_size == total;
            if !sound {
                self.findings.judge("page_total", false, "a page's total, its `done` and its next page do not agree");
            }
            next = found.next_records_url;
        }
        match rows {
            0 => self.findings.untold("ids", "the object has no record"),
            _ => self.findings.judge("ids", ids, "an id of another form"),
        }
        if total <= 200 {
            let why = format!("it takes more than 200 records of the object; there are {total}");
            self.findings.untold("page_size", why);
        } else {
            self.findings.judge("page_size", largest <= 200, format!("a page of {largest} records came"));
        }
        let found = format!("{total} records were announced, {rows} came");
        self.findings.judge("page_total", rows == total, found);
        Ok(())
    }

    async fn long_query(&mut self) -> Result<(), SalesforceError> {
        let object = self.subject.object.name.clone();
        let prefix = self.subject.object.key_prefix.clone().unwrap_or_else(|| "00Q".to_owned());
        let literals: Vec<String> = (0..1_200).map(|n| format!("'{prefix}zzzzzzzz{n:04}'")).collect();
        let look_up = Lookup { object, columns: vec!["Id".into()], key_field: "Id".into(), condition: None };
        let packed = look_up.pack(literals.iter().map(String::as_str), &self.client.get_limits());
        let Some(full) = packed.queries.first().filter(|_| packed.queries.len() > 1) else { return Ok(()) };
        let found = self.query(&full.soql).await?;
        self.findings.judge("long_query", found.is_ok(), found.err().unwrap_or_default());
        Ok(())
    }

    /// Expects a refusal of this status and code.
    async fn refused(&mut self, id: &'static str, resource: &str, wanted: (u16, &str)) -> Result<(), SalesforceError> {
        match self.get(resource, &[]).await? {
            Ok(_) => self.findings.judge(id, false, "it is answered"),
            Err((status, code)) => {
                let fits = (status, code.as_str()) == wanted;
                self.findings.judge(id, fits, format!("it is refused with {status} {code}"));
            }
        }
        Ok(())
    }

    async fn errors(&mut self) -> Result<(), SalesforceError> {
        let object = self.subject.object.name.clone();
        let query = |soql: &str| format!("query?q={}", encode_query(soql));
        let field = query(&format!("SELECT {NO_FIELD} FROM {object}"));
        self.refused("query_error_field", &field, (400, "INVALID_FIELD")).await?;
        let broken = query(&format!("SELECT Id FRM {object}"));
        self.refused("query_error_syntax", &broken, (400, "MALFORMED_QUERY")).await?;
        self.refused("query_error_object", &query(&format!("SELECT Id FROM {NO_FIELD}")), (400, "INVALID_TYPE"))
            .await?;
        self.refused("query_error_object", &format!("sobjects/{NO_FIELD}/describe"), (404, "NOT_FOUND")).await?;
        self.refused("locator_error", "query/01gzzzzzzzzzzzzzzz-2000", (400, "INVALID_QUERY_LOCATOR")).await
    }

    /// A record's own key, in other letters.
    async fn look_ups(&mut self) -> Result<(), SalesforceError> {
        let object = &self.subject.object;
        let usable = |f: &&Field| f.field_type.is_text() && f.filterable && !f.case_sensitive;
        let key = self.subject.key.as_ref().and_then(|name| object.field(name)).filter(usable);
        let Some(key) = key.map(|f| f.name.clone()) else {
            self.findings.untold("in_case", "the match field is no text without regard to case");
            return Ok(());
        };
        let name = object.name.clone();
        let found = self.query(&format!("SELECT Id, {key} FROM {name} WHERE {key} != null LIMIT 20")).await?;
        let records = found.map(|page| page.records).unwrap_or_default();
        let value = |record: &Cells, name: &str| record.get(name).map_or_else(String::new, |v| text(v.get()));
        let flip = |c: char| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
        let plainly = |v: &str| v.bytes().any(|b| b.is_ascii_alphabetic()) && !v.contains(['\'', '\\']);
        let chosen = records.iter().map(|r| (value(r, "Id"), value(r, key.as_str()))).find(|(_, v)| plainly(v));
        let Some((id, value)) = chosen.filter(|(id, _)| is_id(id)) else {
            self.findings.untold("in_case", "no record has a key with letters");
            return Ok(());
        };
        let flipped: String = value.chars().map(flip).collect();
        let soql = format!("SELECT Id FROM {name} WHERE Id = '{id}' AND {key} IN ('{flipped}')");
        match self.query(&soql).await? {
            Ok(page) => {
                let otherwise = "a record is not found by its key in other letters";
                self.findings.judge("in_case", page.records.len() == 1, otherwise);
            }
            Err(why) => self.findings.untold("in_case", why),
        }
        Ok(())
    }

    /// One record: its values in JSON and in bulk CSV, by id and by moment.
    async fn record(&mut self, record: Option<RecordId>) -> Result<(), SalesforceError> {
        let columns: Vec<Field> = self.subject.columns().into_iter().cloned().collect();
        let names: Vec<&str> = columns.iter().map(|f| f.name.as_str()).collect();
        let object = self.subject.object.name.clone();
        let condition = record.map(|id| format!(" WHERE Id = '{id}'")).unwrap_or_default();
        let soql = format!("SELECT {} FROM {object}{condition} LIMIT 1", names.join(","));
        let found = self.query(&soql).await?.map(|mut page| page.records.pop());
        let sample = match found {
            Ok(Some(sample)) => sample,
            other => {
                let why = other.err().unwrap_or_else(|| "the object has no record that this user sees".to_owned());
                for id in [
                    "datetime_json",
                    "boolean_json",
                    "number_json",
                    "datetime_where",
                    "retrieve_fields",
                    "retrieve_missing",
                ] {
                    self.findings.untold(id, why.clone());
                }
                for id in ["bulk_query", "bulk_header", "bulk_locator", "bulk_boolean", "bulk_datetime", "bulk_same"] {
                    self.findings.untold(id, why.clone());
                }
                return self.bulk_error().await;
            }
        };
        self.forms(&columns, &sample);
        let id = text(sample.get("Id").map_or("null", |v| v.get()));
        self.moment(&sample, &id).await?;
        self.by_id(&id, &names).await?;
        self.bulk(&columns, &sample, &id).await?;
        self.bulk_error().await
    }

    fn forms(&mut self, columns: &[Field], sample: &Cells) {
        let raw = |f: &&Field| sample.get(f.name.as_str()).map(|v| v.get());
        let of = |wanted: fn(&FieldType) -> bool| -> Vec<&str> {
            columns.iter().filter(|f| wanted(&f.field_type)).filter_map(|f| raw(&f)).collect()
        };
        let flags = of(|t| *t == FieldType::Boolean);
        match flags.is_empty() {
            true => self.findings.untold("boolean_json", "the object has no checkbox"),
            false => {
                let fine = flags.iter().all(|v| *v == "true" || *v == "false");
                self.findings.judge("boolean_json", fine, "a checkbox in another form");
            }
        }
        let given =
            |values: Vec<&str>| values.into_iter().filter(|v| *v != "null").map(str::to_owned).collect::<Vec<_>>();
        let moments = given(of(|t| *t == FieldType::Datetime));
        match moments.is_empty() {
            true => self.findings.untold("datetime_json", "the record has no moment"),
            false => {
                let fine = moments.iter().map(|v| text(v)).all(|v| is_moment(&v, ".000+0000"));
                self.findings.judge("datetime_json", fine, "a moment in another form");
            }
        }
        let numbers = given(of(FieldType::is_number));
        match numbers.is_empty() {
            true => self.findings.untold("number_json", "the record has no number"),
            false => {
                let mut out = Vec::new();
                let fine = numbers.iter().all(|v| canon_org(&FieldType::Double, v.as_bytes(), &mut out).is_ok());
                self.findings.judge("number_json", fine, "a number that cannot be read exactly");
            }
        }
    }

    async fn moment(&mut self, sample: &Cells, id: &str) -> Result<(), SalesforceError> {
        let created = sample.get("CreatedDate").map_or_else(String::new, |v| text(v.get()));
        let Ok(moment) = created.replace("+0000", "Z").parse::<Timestamp>() else {
            self.findings.untold("datetime_where", "the record does not tell when it was made");
            return Ok(());
        };
        let there = moment.to_zoned(TimeZone::fixed(Offset::constant(1)));
        let forms =
            [moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), there.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()];
        for form in forms {
            let object = self.subject.object.name.clone();
            let soql = format!("SELECT Id FROM {object} WHERE Id = '{id}' AND CreatedDate = {form}");
            match self.query(&soql).await? {
                Ok(page) => {
                    let otherwise = "the record is not found by the moment that it was made";
                    self.findings.judge("datetime_where", page.records.len() == 1, otherwise);
                }
                Err(why) => self.findings.judge("datetime_where", false, why),
            }
        }
        Ok(())
    }

    async fn by_id(&mut self, id: &str, names: &[&str]) -> Result<(), SalesforceError> {
        let prefix = id.get(..3).unwrap_or("00Q");
        let Ok(missing) = RecordId::parse(&format!("{prefix}zzzzzzzzzzzz")) else { return Ok(()) };
        let asked: BTreeSet<&str> = ["Id"].into_iter().chain(names.get(1).copied()).collect();
        let body = json!({ "ids": [id, missing.as_str()], "fields": asked });
        let resource = format!("composite/sobjects/{}", self.subject.object.name);
        match self.post(&resource, &body).await? {
            Ok(answer) => {
                let records: Vec<Option<Cells>> = serde_json::from_slice(&answer.body).unwrap_or_default();
                let gone = records.len() == 2 && records[1].is_none();
                self.findings.judge("retrieve_missing", gone, format!("{} entries came for 2 ids", records.len()));
                let given = records.first().and_then(Option::as_ref);
                let keys: BTreeSet<&str> = given
                    .into_iter()
                    .flat_map(|r| r.keys())
                    .map(String::as_str)
                    .filter(|k| *k != "attributes")
                    .collect();
                self.findings.judge("retrieve_fields", keys == asked, "other fields came than were asked for");
            }
            Err((status, code)) => {
                for id in ["retrieve_missing", "retrieve_fields"] {
                    self.findings.judge(id, false, format!("it is refused with {status} {code}"));
                }
            }
        }
        Ok(())
    }

    /// Makes a query job and waits for its end: its id and its last state, or the refusal.
    async fn query_job(&mut self, soql: &str) -> Result<Result<(String, Value), (u16, String)>, SalesforceError> {
        let body = json!({"operation": "query", "query": soql, "contentType": "CSV", "columnDelimiter": "COMMA", "lineEnding": "LF"});
        let made = match self.post("jobs/query", &body).await? {
            Ok(answer) => serde_json::from_slice::<Value>(&answer.body).unwrap_or_default(),
            Err(refused) => return Ok(Err(refused)),
        };
        let id = made["id"].as_str().filter(|id| RecordId::parse(id).is_ok()).unwrap_or_default().to_owned();
        for polls in 0..POLLS {
            let job = match self.get(&format!("jobs/query/{id}"), &[]).await? {
                Ok(answer) => serde_json::from_slice::<Value>(&answer.body).unwrap_or_default(),
                Err(refused) => return Ok(Err(refused)),
            };
            if matches!(job["state"].as_str(), Some("JobComplete" | "Failed" | "Aborted")) {
                return Ok(Ok((id, job)));
            }
            tokio::time::sleep(self.client.budget().poll_wait(polls)).await;
        }
        Ok(Err((0, "no end in time".to_owned())))
    }

    async fn bulk(&mut self, columns: &[Field], sample: &Cells, id: &str) -> Result<(), SalesforceError> {
        const ALL: [&str; 5] = ["bulk_header", "bulk_locator", "bulk_boolean", "bulk_datetime", "bulk_same"];
        let names: Vec<&str> = columns.iter().map(|f| f.name.as_str()).collect();
        let soql = format!("SELECT {} FROM {} WHERE Id = '{id}'", names.join(","), self.subject.object.name);
        let (job, state) = match self.query_job(&soql).await? {
            Ok(made) => made,
            Err((status, code)) => {
                let why = format!("Salesforce answered {status} {code}");
                ALL.into_iter().chain(["bulk_query"]).for_each(|id| self.findings.untold(id, why.clone()));
                return Ok(());
            }
        };
        let complete = state["state"] == "JobComplete";
        let counted = complete && state["numberRecordsProcessed"] == 1;
        self.findings.judge(
            "bulk_query",
            counted,
            if complete { "it counts another number of rows" } else { "it fails" },
        );
        let answer = match complete {
            true => self.get(&format!("jobs/query/{job}/results"), &[("accept", "text/csv")]).await?,
            false => Err((0, "the job failed".to_owned())),
        };
        match answer {
            Ok(answer) => self.result(columns, sample, &answer),
            Err((status, code)) => {
                let why = format!("Salesforce answered {status} {code}");
                ALL.into_iter().for_each(|id| self.findings.untold(id, why.clone()));
            }
        }
        let _ = self.client.raw_delete(&format!("jobs/query/{job}")).await;
        Ok(())
    }

    fn result(&mut self, columns: &[Field], sample: &Cells, answer: &RawAnswer) {
        let (locator, counted) = (answer.header("sforce-locator"), answer.header("sforce-numberofrecords"));
        let found = "the last page names another locator than null, or another number of rows";
        self.findings.judge("bulk_locator", locator == Some("null") && counted == Some("1"), found);
        let opened = CsvReader::open(answer.body.as_slice(), Dialect::default(), Limits::default());
        let Ok((header, mut reader)) = opened else {
            self.findings.judge("bulk_header", false, "the result is no CSV");
            return;
        };
        let places: Vec<Option<usize>> =
            columns.iter().map(|f| header.names.iter().position(|n| n.eq_ignore_ascii_case(f.name.as_str()))).collect();
        let all = places.iter().all(Option::is_some) && header.names.len() == columns.len();
        self.findings.judge("bulk_header", all, "the header has other columns than the SELECT");
        let Ok(Some(block)) = reader.next_block() else {
            self.findings.untold("bulk_same", "the result has no row");
            return;
        };
        for (field, place) in columns.iter().zip(places) {
            let Some(place) = place else { continue };
            let cell = String::from_utf8_lossy(block.cell(0, place)).into_owned();
            match field.field_type {
                FieldType::Boolean => {
                    let fine = cell == "true" || cell == "false";
                    self.findings.judge("bulk_boolean", fine, "a checkbox in another form");
                }
                FieldType::Datetime if !cell.is_empty() => {
                    self.findings.judge("bulk_datetime", is_moment(&cell, ".000Z"), "a moment in another form");
                }
                _ => {}
            }
            let other = sample.get(field.name.as_str()).map_or_else(String::new, |v| text(v.get()));
            let found = format!("a field of type {} reads otherwise", field.field_type.as_str());
            self.findings.judge("bulk_same", same(&field.field_type, &cell, &other), found);
        }
        self.findings.untold("bulk_boolean", "the object has no checkbox");
        self.findings.untold("bulk_datetime", "the record has no moment");
    }

    async fn bulk_error(&mut self) -> Result<(), SalesforceError> {
        let soql = format!("SELECT {NO_FIELD} FROM {}", self.subject.object.name);
        match self.query_job(&soql).await? {
            Ok((job, state)) => {
                self.findings.judge("bulk_query_error", state["state"] == "Failed", "it is carried out");
                let _ = self.client.raw_delete(&format!("jobs/query/{job}")).await;
            }
            Err((0, why)) => self.findings.untold("bulk_query_error", why),
            Err((status, code)) => {
                let found = format!("it is refused with {status} {code}");
                self.findings.judge("bulk_query_error", status == 400, found);
            }
        }
        Ok(())
    }
}

fn page(answer: &RawAnswer) -> Result<PageWire, String> {
    serde_json::from_slice(&answer.body).map_err(|_| "the page cannot be read".to_owned())
}

/// An id of 18 characters with the right check.
fn is_id(text: &str) -> bool {
    text.len() == 18 && RecordId::parse(text).is_ok_and(|id| id.as_str() == text)
}

/// `2026-01-02T03:04:05` and this end.
fn is_moment(text: &str, end: &str) -> bool {
    text.strip_suffix(end).is_some_and(|rest| {
        rest.len() == 19
            && rest.bytes().enumerate().all(|(n, b)| match n {
                4 | 7 => b == b'-',
                10 => b == b'T',
                13 | 16 => b == b':',
                _ => b.is_ascii_digit(),
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_moments_and_ids() {
        assert!(is_moment("2026-01-02T03:04:05.000+0000", ".000+0000"));
        assert!(is_moment("2026-01-02T03:04:05.000Z", ".000Z"));
        for odd in ["2026-01-02T03:04:05Z", "2026-01-02 03:04:05.000Z", "x", ""] {
            assert!(!is_moment(odd, ".000Z"), "{odd}");
        }
        assert!(is_id("001D000000IqhSLIAZ") && !is_id("001D000000IqhSL") && !is_id("001D000000IqhSLIAA"));
    }
}
