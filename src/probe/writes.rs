//! Writes the trials into one record, by collections and by bulk jobs, and looks at what they came to. Putting back is [`Held::restore`](super::Held::restore).

use bytes::Bytes;
use tokio::sync::mpsc;

use super::finding::{Findings, Verdict, plain};
use super::record::{Cells, Held, LOCKED, Writable, read, refusal, text, update};
use super::subject::{Kind, Subject};
use super::trials::{Expect, Trial, bulk, trials};
use crate::model::{FieldType, ObjectName, RecordId};
use crate::salesforce::{CallFailure, Client, JobState, RecordOutcome, Results, SalesforceError};
use crate::values::write_bulk_csv;

/// Codes of a user's rights, of an org's rules, and of a record that somebody else has: they tell nothing about a value.
const ELSEWHERE: [&str; 7] = [
    "INSUFFICIENT_ACCESS_OR_READONLY",
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
    "FIELD_CUSTOM_VALIDATION_EXCEPTION",
    "FIELD_FILTER_VALIDATION_EXCEPTION",
    "CANNOT_EXECUTE_FLOW_TRIGGER",
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
    LOCKED,
];
/// A field that no org has.
pub(super) const NO_FIELD: &str = "FootbridgeProbeNope__c";
/// Polls of a job of one row.
const POLLS: u32 = 120;

/// Told of what is held, whenever that changes: before anything is written it has to be safe.
pub type Keep<'a> = dyn FnMut(&Held) -> std::io::Result<()> + Send + 'a;

/// Why writing ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// Salesforce could not be asked any more.
    #[error("{0}")]
    Salesforce(#[from] SalesforceError),
    /// What is held could not be kept.
    #[error("{0}")]
    Keep(#[from] std::io::Error),
}

/// Reads what the record holds, and says which kinds of field are lacking. `None` where the record is not there.
///
/// # Errors
/// Salesforce could not be asked.
pub async fn prepare(
    client: &Client,
    subject: &Subject,
    org_id: &str,
    record: RecordId,
    findings: &mut Findings,
) -> Result<Option<(Held, Vec<Writable>)>, SalesforceError> {
    let found = subject.writable();
    let mut names: Vec<&str> = found.iter().map(|(_, field)| field.name.as_str()).collect();
    names.push("Id");
    let object = &subject.object.name;
    let Some(cells) = read(client, object, &record, &names).await? else { return Ok(None) };
    let mut fields = Vec::new();
    for kind in Kind::ALL {
        let lacking = match found.iter().find(|(k, _)| *k == kind) {
            None => format!("no integration writes a custom {} there that can be put back", kind.as_str()),
            Some((_, field)) => match cells.get(field.name.as_str()).map(|raw| Writable::new(kind, field, raw.get())) {
                Some(Ok(writable)) => {
                    fields.push(writable);
                    continue;
                }
                Some(Err(why)) => why.to_owned(),
                None => "the field did not come when it was read".to_owned(),
            },
        };
        kind.assumptions().iter().for_each(|id| findings.not_tried(id, lacking.clone()));
    }
    Ok(Some((Held::new(org_id, object, record, &fields), fields)))
}

/// Why the row of a job was not written.
struct Unwritten {
    why: String,
    /// The code that the row was refused with, where the job itself ran.
    row: Option<String>,
}

struct Writing<'a> {
    client: &'a Client,
    object: &'a ObjectName,
    record: RecordId,
    fields: &'a [Writable],
    findings: &'a mut Findings,
}

/// Tries everything. What was held is not put back here.
///
/// # Errors
/// The network, or the disk: the rest was not tried.
pub async fn writes(
    client: &Client,
    subject: &Subject,
    held: &mut Held,
    fields: &[Writable],
    findings: &mut Findings,
    keep: &mut Keep<'_>,
) -> Result<(), Broken> {
    let object = &subject.object.name;
    let mut writing = Writing { client, object, record: held.record, fields, findings };
    writing.refusals().await?;
    writing.collections().await?;
    let cleared = writing.nulls().await?;
    writing.jobs(held, keep, cleared).await
}

impl Writing<'_> {
    /// Sends members of the record's JSON; Salesforce's code where it refused.
    async fn send(&mut self, members: &[(&str, String)]) -> Result<Option<String>, SalesforceError> {
        let code = self.send_to(self.record, members).await?.map_or_else(Some, refusal);
        if code.is_none() {
            self.wrote(members);
        }
        Ok(code)
    }

    /// The outcomes, or the code that the whole call was refused with.
    async fn send_to(
        &self,
        record: RecordId,
        members: &[(&str, String)],
    ) -> Result<Result<Vec<RecordOutcome>, String>, SalesforceError> {
        match self.client.update(self.object, &[update(record, members)]).await {
            Ok(outcomes) => Ok(Ok(outcomes)),
            Err(failure) => match failure.api() {
                Some(api) if !matches!(failure, CallFailure::Unknown(_)) => Ok(Err(plain(api.code().as_str()))),
                _ => Err(failure.cause().clone()),
            },
        }
    }

    /// These were saved.
    fn wrote(&mut self, members: &[(&str, String)]) {
        let fields = self.fields.iter().filter(|w| members.iter().any(|(name, _)| *name == w.field.name.as_str()));
        fields.for_each(|w| self.findings.wrote(w.kind));
    }

    async fn look(&self) -> Result<Cells, SalesforceError> {
        let mut names: Vec<&str> = self.fields.iter().map(|w| w.field.name.as_str()).collect();
        names.push("Id");
        let gone = || SalesforceError::Malformed { what: "reading the record", detail: "it is gone".to_owned() };
        read(self.client, self.object, &self.record, &names).await?.ok_or_else(gone)
    }

    /// Calls that must change nothing.
    async fn refusals(&mut self) -> Result<(), SalesforceError> {
        let whole = self.send_to(self.record, &[(NO_FIELD, "\"x\"".to_owned())]).await?;
        match whole {
            Err(code) => {
                self.findings.judge(
                    "update_unknown_field",
                    code == "INVALID_FIELD",
                    format!("it is refused with {code}"),
                );
            }
            Ok(outcomes) => {
                let found = match refusal(outcomes) {
                    Some(code) => format!("the record alone fails, with {code}"),
                    None => "it is taken".to_owned(),
                };
                self.findings.judge("update_unknown_field", false, found);
            }
        }
        let Some(first) = self.fields.first() else { return Ok(()) };
        let prefix = self.record.prefix();
        let Ok(missing) = RecordId::parse(&format!("{prefix}zzzzzzzzzzzz")) else { return Ok(()) };
        match self.send_to(missing, &[(first.field.name.as_str(), "null".to_owned())]).await? {
            Err(code) => {
                self.findings.judge("update_missing", false, format!("the whole call is refused, with {code}"));
            }
            Ok(outcomes) => {
                let code = refusal(outcomes).unwrap_or_else(|| "nothing".to_owned());
                let known = ["INVALID_CROSS_REFERENCE_KEY", "NOT_FOUND", "ENTITY_IS_DELETED"].contains(&code.as_str());
                self.findings.judge("update_missing", known, format!("it is refused with {code}"));
            }
        }
        Ok(())
    }

    /// The n-th trial of every field at once; where that is refused, one by one. Trials that must be refused go alone.
    async fn collections(&mut self) -> Result<(), SalesforceError> {
        let fields = self.fields;
        let all: Vec<(&Writable, Vec<Trial>)> = fields.iter().map(|w| (w, trials(w))).collect();
        let longest = all.iter().map(|(_, trials)| trials.len()).max().unwrap_or(0);
        for n in 0..longest {
            let round = all.iter().filter_map(|(w, trials)| Some((*w, trials.get(n)?)));
            let (alone, together): (Vec<_>, Vec<_>) =
                round.partition(|(_, trial)| matches!(trial.expect, Expect::Refused(_)));
            for (w, trial) in alone {
                self.must_fail(w, trial).await?;
            }
            if together.is_empty() {
                continue;
            }
            match self.round(&together).await? {
                None => {}
                Some(code) if together.len() == 1 => self.refused(together[0].1, &code),
                Some(_) => {
                    for one in &together {
                        if let Some(code) = self.round(&[*one]).await? {
                            self.refused(one.1, &code);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// A value that should be taken, and was not: a rule of the org's, perhaps.
    fn refused(&mut self, trial: &Trial, code: &str) {
        let why = format!("Salesforce refused the value with {code}");
        if trial.id == "multi_order" {
            self.findings.untold("multi_set", why.clone());
        }
        self.findings.untold(trial.id, why);
    }

    async fn must_fail(&mut self, w: &Writable, trial: &Trial) -> Result<(), SalesforceError> {
        let Expect::Refused(wanted) = trial.expect else { return Ok(()) };
        match self.send(&[(w.field.name.as_str(), trial.json(w.kind))]).await? {
            Some(code) if ELSEWHERE.contains(&code.as_str()) => self.refused(trial, &code),
            Some(code) => self.findings.judge(trial.id, code == wanted, format!("it is refused with {code}")),
            None => self.findings.judge(trial.id, false, "it is taken"),
        }
        Ok(())
    }

    /// Sends, looks, judges. The code where it was refused.
    async fn round(&mut self, round: &[(&Writable, &Trial)]) -> Result<Option<String>, SalesforceError> {
        let members: Vec<(&str, String)> = round.iter().map(|(w, t)| (w.field.name.as_str(), t.json(w.kind))).collect();
        if let Some(code) = self.send(&members).await? {
            return Ok(Some(code));
        }
        let cells = self.look().await?;
        for (w, trial) in round {
            let held = cells.get(w.field.name.as_str()).map_or_else(String::new, |raw| text(raw.get()));
            let verdict = trial.judge(&w.field.field_type, &held);
            self.findings.judge(trial.id, verdict.is_ok(), verdict.err().unwrap_or_default());
            if !w.field.filterable || w.field.case_sensitive {
                continue;
            }
            for look_up in &trial.then {
                let condition = format!("Id = '{}' AND {} IN ('{}')", self.record, w.field.name, look_up.literal);
                match self.count(&condition).await? {
                    // What is not there cannot be looked up.
                    Some(found) if verdict.is_ok() => {
                        self.findings.judge(look_up.id, (found == 1) == look_up.found, look_up.otherwise);
                    }
                    _ => self.findings.untold(look_up.id, "the text was not saved as it was sent"),
                }
            }
        }
        Ok(None)
    }

    /// How many records fulfil a condition; `None` where Salesforce refuses it.
    async fn count(&self, condition: &str) -> Result<Option<u64>, SalesforceError> {
        match self.client.count(self.object, Some(condition)).await {
            Ok(count) => Ok(Some(count)),
            Err(error) if error.api().is_some() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Was clearing by null taken?
    async fn nulls(&mut self) -> Result<bool, SalesforceError> {
        let fields = self.fields;
        let clearable: Vec<&Writable> = fields.iter().filter(|w| w.kind != Kind::Checkbox).collect();
        if clearable.is_empty() {
            self.findings.not_tried("null_clears", "it takes a field that is no checkbox");
            return Ok(false);
        }
        let members: Vec<(&str, String)> =
            clearable.iter().map(|w| (w.field.name.as_str(), "null".to_owned())).collect();
        if let Some(code) = self.send(&members).await? {
            self.findings.untold("null_clears", format!("Salesforce refused it with {code}"));
            return Ok(false);
        }
        let cells = self.look().await?;
        let null = |w: &&Writable| cells.get(w.field.name.as_str()).is_some_and(|raw| raw.get() == "null");
        let cleared = clearable.iter().all(null);
        self.findings.judge("null_clears", cleared, "a field is not null afterwards");
        Ok(true)
    }

    /// `cleared`: the same fields were cleared by null.
    async fn jobs(&mut self, held: &mut Held, keep: &mut Keep<'_>, cleared: bool) -> Result<(), Broken> {
        let cells = self.look().await?;
        let holds = |cells: &Cells, w: &Writable| {
            cells.get(w.field.name.as_str()).map_or_else(String::new, |raw| text(raw.get()))
        };
        let row: Vec<(&Writable, Trial)> =
            self.fields.iter().filter_map(|w| Some((w, bulk(w, &holds(&cells, w))?))).collect();
        let mut sent = Vec::new();
        for (w, trial) in &row {
            sent.push((w.field.name.as_str(), cell(&w.field.field_type, &trial.sent)));
        }
        if sent.is_empty() {
            for id in ["bulk_job", "bulk_empty_keeps", "bulk_null_word"] {
                self.findings.not_tried(id, "it takes a field that can be written");
            }
            return Ok(());
        }
        let ids: Vec<&'static str> = row.iter().map(|(_, trial)| trial.id).collect();
        if let Some(Unwritten { why, .. }) = self.job(&sent, held, keep).await? {
            ids.into_iter().chain(["bulk_empty_keeps", "bulk_null_word"]).for_each(|id| {
                self.findings.untold(id, why.clone());
            });
            return Ok(());
        }
        let cells = self.look().await?;
        for (w, trial) in &row {
            let verdict = trial.judge(&w.field.field_type, &holds(&cells, w));
            self.findings.judge(trial.id, verdict.is_ok(), verdict.err().unwrap_or_default());
        }
        // A second job: the first field is left alone, the others are cleared.
        let clearable: Vec<&Writable> = row.iter().map(|(w, _)| *w).filter(|w| w.kind != Kind::Checkbox).collect();
        let kept = (clearable.len() > 1).then(|| clearable[0]);
        if kept.is_none() {
            self.findings.not_tried("bulk_empty_keeps", "it takes two fields that are no checkboxes");
        }
        if clearable.is_empty() {
            self.findings.not_tried("bulk_null_word", "it takes a field that is no checkbox");
            return Ok(());
        }
        let empty = |w: &Writable| kept.is_some_and(|k| k.field.name == w.field.name);
        let sent: Vec<(&str, String)> = clearable
            .iter()
            .map(|w| (w.field.name.as_str(), if empty(w) { String::new() } else { "#N/A".to_owned() }))
            .collect();
        if let Some(Unwritten { why, row }) = self.job(&sent, held, keep).await? {
            // Where #N/A is a text like any other, it is none of a number's or a date's. That is the reason only where null may clear these fields, and
            // Salesforce names no other.
            match row.is_some_and(|code| cleared && !ELSEWHERE.contains(&code.as_str())) {
                true => self.findings.judge("bulk_null_word", false, why.clone()),
                false => self.findings.untold("bulk_null_word", why.clone()),
            }
            self.findings.untold("bulk_empty_keeps", why);
            return Ok(());
        }
        let after = self.look().await?;
        for w in clearable {
            let now = holds(&after, w);
            match empty(w) {
                true => self.findings.judge("bulk_empty_keeps", now == holds(&cells, w), "the field changes"),
                false => self.findings.judge("bulk_null_word", now.is_empty(), "a field is not null afterwards"),
            }
        }
        Ok(())
    }

    /// A job of one row. Why the row was not written, where it was not.
    async fn job(
        &mut self,
        cells: &[(&str, String)],
        held: &mut Held,
        keep: &mut Keep<'_>,
    ) -> Result<Option<Unwritten>, Broken> {
        let whole = |why: String| Ok(Some(Unwritten { why, row: None }));
        let client = self.client;
        let of = |failure: CallFailure| failure.cause().clone();
        let made = match client.create_ingest(self.object).await {
            Ok(made) => made,
            Err(failure) => match failure.api() {
                Some(api) => {
                    let why = format!("Salesforce refused the job with {}", plain(api.code().as_str()));
                    self.findings.untold("bulk_job", why.clone());
                    return whole(why);
                }
                None => return Err(of(failure).into()),
            },
        };
        held.job = Some(made.id.as_str().to_owned());
        keep(held)?;
        let mut csv = "Id".to_owned();
        cells.iter().for_each(|(name, _)| csv.extend([",", name]));
        csv.push_str(&format!("\n{}", self.record));
        cells.iter().for_each(|(_, cell)| csv.extend([",", cell]));
        csv.push('\n');
        let (sender, body) = mpsc::channel(1);
        // There is room for one.
        let _ = sender.try_send(Bytes::from(csv));
        drop(sender);
        client.upload(&made.id, body).await.map_err(of)?;
        client.close_ingest(&made.id).await.map_err(of)?;
        let mut polls = 0;
        let info = loop {
            let info = client.ingest_job(&made.id).await?;
            if info.state.is_over() || polls >= POLLS {
                break info;
            }
            tokio::time::sleep(client.budget().poll_wait(polls)).await;
            polls += 1;
        };
        let (mut done, mut codes) = (0, Vec::new());
        if info.state == JobState::JobComplete {
            client.ingest_results(&made.id, Results::Successful, &mut |_| done += 1).await?;
            let mut failed = |row: crate::salesforce::IngestResult| {
                codes.push(row.error.map_or_else(|| "no code".to_owned(), |e| plain(e.code.as_str())));
            };
            client.ingest_results(&made.id, Results::Failed, &mut failed).await?;
        }
        if info.state.is_over() {
            let _ = client.delete_ingest(&made.id).await;
            held.job = None;
            keep(held)?;
        }
        if done > 0 {
            self.wrote(cells);
        }
        let counted = info.processed == Some(1) && info.failed == Some(codes.len() as u64) && done + codes.len() == 1;
        match (&info.state, codes.first()) {
            (JobState::JobComplete, None) => {
                self.findings.judge("bulk_job", counted, "its counters and its results do not agree with one row");
                match counted {
                    true => Ok(None),
                    false => whole("the job's results do not list the row".to_owned()),
                }
            }
            (JobState::JobComplete, Some(code)) => {
                self.findings.judge("bulk_job", counted, "its counters and its results do not agree with one row");
                let why = format!("Salesforce refused the row with {code}");
                Ok(Some(Unwritten { why, row: Some(code.clone()) }))
            }
            (state, _) if state.is_over() => {
                self.findings.note("bulk_job", Verdict::Differs, format!("it ends as {}", state.as_str()));
                whole(format!("the job ended as {}", state.as_str()))
            }
            _ => {
                self.findings.untold("bulk_job", "it was not over in time");
                whole("the job was not over in time".to_owned())
            }
        }
    }
}

/// A cell of bulk CSV as Footbridge writes it; outer spaces are quoted with the rest.
fn cell(field_type: &FieldType, sent: &str) -> String {
    let mut out = Vec::new();
    match write_bulk_csv(field_type, sent.as_bytes(), &mut out) {
        Ok(()) => String::from_utf8_lossy(&out).into_owned(),
        Err(_) => String::new(),
    }
}
