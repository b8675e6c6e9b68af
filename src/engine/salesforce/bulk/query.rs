//! Query jobs: made, waited for, read, put away.
//!
//! The wait is what most tools lose their time in: the first poll comes after milliseconds, the next ones later and later. A job that is given up is
//! stopped, one that was read is put away; neither is worth a failure.

use std::time::Duration;

use http::Method;
use serde_json::json;
use tokio::time::Instant;

use super::ingest::same;
use super::job::decode_job;
use super::pages::read_pages;
use super::{JobId, JobInfo, JobState};
use crate::net::{Body, Class};
use crate::salesforce::client::Call;
use crate::salesforce::error::clip;
use crate::salesforce::{Client, ErrorCode, QueryTotals, SalesforceError, Treatment};
use crate::table::Block;

/// How query jobs are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulkSettings {
    /// How long a job may take.
    pub job_limit: Duration,
    /// Rows of a page (`maxRecords`); as many as Salesforce likes where it is not given.
    pub page_rows: Option<u64>,
    /// Pages under way at once.
    pub pages_at_once: usize,
    /// From so many rows on, the list of pages is asked for (`resultPages`), so that they come side by side.
    pub list_from: u64,
}

impl Default for BulkSettings {
    fn default() -> Self {
        // Measured nowhere yet: a job of some ten million rows takes Salesforce several minutes.
        Self { job_limit: Duration::from_secs(60 * 60), page_rows: None, pages_at_once: 2, list_from: 250_000 }
    }
}

/// What happens on the way, for people who wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BulkEvent {
    /// A job was made.
    Made(JobId),
    /// A job was asked for its state.
    Polled {
        /// What it said.
        job: Box<JobInfo>,
        /// How often it was asked, this time included.
        polls: u32,
        /// How long it has run.
        running: Duration,
    },
    /// The results are read from their start again, since Salesforce no longer knew the place.
    Restarted,
}

/// Why this object, or this user, cannot be read by query jobs, where the refusal of the job says so: reading by pages may pass all the same.
pub fn bulk_unavailable(error: &SalesforceError) -> Option<&'static str> {
    let api = error.api()?;
    match api.code() {
        ErrorCode::InvalidEntity => Some("the Bulk API does not know this object"),
        ErrorCode::FunctionalityNotEnabled => Some("the Bulk API is not enabled for this user"),
        ErrorCode::InsufficientAccessOrReadonly => Some("this user may not use the Bulk API"),
        ErrorCode::ExceededQuotaBulk | ErrorCode::ExceededQuota => Some("the day's bulk jobs are used up"),
        ErrorCode::Other(code) if code.eq_ignore_ascii_case("FEATURENOTENABLED") => {
            Some("the Bulk API is not enabled for this user")
        }
        ErrorCode::Other(code) if code.eq_ignore_ascii_case("INVALIDUSER") => {
            Some("this user may not use the Bulk API")
        }
        _ => None,
    }
}

impl Client {
    pub(super) fn query_job_path(&self, job: &JobId, rest: &str) -> String {
        self.path(&format!("jobs/query/{job}{rest}"))
    }

    /// Runs a query as a job and hands its rows over in blocks, numbered from 1 as they come; rows come in any order. `columns` are the fields of the SELECT,
    /// in the order that the blocks shall have; the answer's own order and the case of its names do not matter.
    ///
    /// A page that breaks off is fetched again whole, and a lost place starts the reading of the results anew: a row may be handed over more than once,
    /// always with the same content. The totals count each page once and are checked against the job's.
    ///
    /// # Errors
    /// What Salesforce says; a job that fails, is stopped, or takes longer than the limit; rows that are missing.
    pub async fn bulk_query<E: From<SalesforceError>>(
        &self,
        soql: &str,
        columns: &[String],
        on_event: &mut (dyn FnMut(&BulkEvent) + Send),
        on_block: &mut (dyn FnMut(Block) -> Result<(), E> + Send),
    ) -> Result<QueryTotals, E> {
        let made = self.create_query(soql).await?;
        on_event(&BulkEvent::Made(made.id));
        let mut running = Running { client: self, job: Some((made.id, false)) };
        let outcome = async {
            let job = self.wait_for(made, on_event).await?;
            running.job = Some((job.id, true));
            read_pages(self, &job, columns, on_event, on_block).await
        }
        .await;
        running.end().await;
        outcome
    }

    /// Makes a query job. It changes no record and goes away by itself, so a lost answer is followed by one more try: at worst a job runs that nobody
    /// reads.
    async fn create_query(&self, soql: &str) -> Result<JobInfo, SalesforceError> {
        let body = json!({
            "operation": "query", "query": soql, "contentType": "CSV", "columnDelimiter": "COMMA", "lineEnding": "LF",
        });
        let call = Call {
            method: Method::POST,
            target: self.path("jobs/query"),
            class: Class::Job,
            headers: Vec::new(),
            body: Some(Body::json(body.to_string().into_bytes())),
        };
        let mut lost = 0;
        loop {
            match self.call(&call).await.and_then(|response| decode_job(&response.body)) {
                Ok(job) => {
                    self.budget().job_made();
                    return Ok(job);
                }
                Err(error) if error.treatment() == Treatment::Uncertain && lost == 0 => {
                    if !self.budget().pause(lost, None, "it is not known whether a query job was made").await {
                        return Err(error);
                    }
                    lost += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Polls until the job is complete.
    async fn wait_for(
        &self,
        made: JobInfo,
        on_event: &mut (dyn FnMut(&BulkEvent) + Send),
    ) -> Result<JobInfo, SalesforceError> {
        let (started, limit) = (Instant::now(), self.bulk().job_limit);
        let (mut job, mut polls) = (made, 0);
        loop {
            match job.state {
                // The state alone does not say how many rows there are; the answer to the creation has no counters.
                JobState::JobComplete if polls > 0 => return Ok(job),
                JobState::Failed | JobState::Aborted => {
                    let message = job.error_message.unwrap_or_else(|| "Salesforce gave no reason".to_owned());
                    return Err(SalesforceError::JobEnded {
                        job: job.id,
                        state: job.state,
                        message: clip(&message, 500),
                    });
                }
                _ => {}
            }
            if started.elapsed() >= limit {
                let (state, processed) = (job.state, job.processed);
                return Err(SalesforceError::JobTooLong { job: job.id, limit, state, processed });
            }
            tokio::time::sleep(self.budget().poll_wait(polls)).await;
            self.budget().polled();
            polls += 1;
            let response = self.call(&Call::get(self.query_job_path(&job.id, ""))).await?;
            job = same(decode_job(&response.body), &job.id)?;
            on_event(&BulkEvent::Polled { job: Box::new(job.clone()), polls, running: started.elapsed() });
        }
    }
}

/// A job that has to be put away, also when the reading is given up in the middle.
struct Running<'c> {
    client: &'c Client,
    /// The job, and whether it is over.
    job: Option<(JobId, bool)>,
}

impl Running<'_> {
    async fn end(mut self) {
        if let Some((job, over)) = self.job.take() {
            put_away(self.client.clone(), job, over).await;
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if let Some((job, over)) = self.job.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(put_away(self.client.clone(), job, over));
        }
    }
}

/// Deletes a job that is over, stops one that is not. Salesforce removes what is left by itself after seven days, so a failure is only logged.
async fn put_away(client: Client, job: JobId, over: bool) {
    let (method, body) = if over {
        (Method::DELETE, None)
    } else {
        (Method::PATCH, Some(Body::json(br#"{"state":"Aborted"}"#.to_vec())))
    };
    let target = client.query_job_path(&job, "");
    let call = Call { method, target, class: Class::IdempotentWrite, headers: Vec::new(), body };
    if let Err(error) = client.call(&call).await {
        tracing::debug!(target: "footbridge::salesforce", %job, over, %error, "a query job was left behind");
    }
}
