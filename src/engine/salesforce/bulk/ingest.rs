//! Ingest jobs, one call a method. None is repeated where it may have been carried out: the failure says so, and the job's state is looked at first.

use bytes::Bytes;
use http::Method;
use serde_json::json;
use tokio::sync::mpsc::Receiver;

use super::job::{decode_job, decode_jobs};
use super::{JobId, JobInfo, JobState};
use crate::model::{ObjectName, RecordId};
use crate::net::{Body, Class, Feed};
use crate::salesforce::answer::malformed;
use crate::salesforce::client::Call;
use crate::salesforce::{CallFailure, Client, SalesforceError};

/// Pages of the list of jobs that are read at the most; a page has 1,000 jobs.
const LIST_PAGES: usize = 100;

impl Client {
    fn ingest_path(&self, job: &JobId, rest: &str) -> String {
        self.path(&format!("jobs/ingest/{job}{rest}"))
    }

    fn job_call(&self, method: Method, target: String, class: Class, body: Option<&serde_json::Value>) -> Call {
        let body = body.map(|body| Body::json(body.to_string().into_bytes()));
        Call { method, target, class, headers: Vec::new(), body }
    }

    /// Makes a job that updates records of this object: CSV, commas, `LF`. After `Unknown` it may exist: look at
    /// [`open_ingest_jobs`](Self::open_ingest_jobs) before making another.
    pub async fn create_ingest(&self, object: &ObjectName) -> Result<JobInfo, CallFailure> {
        let body = json!({
            "object": object.as_str(),
            "operation": "update",
            "contentType": "CSV",
            "lineEnding": "LF",
            "columnDelimiter": "COMMA",
        });
        let call = self.job_call(Method::POST, self.path("jobs/ingest"), Class::Job, Some(&body));
        let response = self.call(&call).await.map_err(CallFailure::of)?;
        let info = decode_job(&response.body).map_err(CallFailure::of)?;
        self.budget().job_made();
        Ok(info)
    }

    /// Sends a job's data, once: the pieces that come from the channel until it is closed, as they come. A job takes one upload of at most 150 MB.
    ///
    /// After `Refused` nothing arrived; the body is gone all the same. After `Unknown` the job's state tells nothing of what arrived: abort it, and make
    /// another.
    pub async fn upload(&self, job: &JobId, body: Receiver<Bytes>) -> Result<(), CallFailure> {
        let call = Call {
            method: Method::PUT,
            target: self.ingest_path(job, "/batches"),
            class: Class::IdempotentWrite,
            headers: vec![("content-type", "text/csv; charset=UTF-8")],
            body: None,
        };
        self.feed(&call, &Feed::new(body)).await.map(drop).map_err(CallFailure::of)
    }

    /// Says that a job has all its data; Salesforce starts with it.
    pub async fn close_ingest(&self, job: &JobId) -> Result<JobInfo, CallFailure> {
        self.set_state(job, JobState::UploadComplete).await
    }

    /// Stops a job. What was written stays written. A job that is over refuses (`INVALIDJOBSTATE`).
    pub async fn abort_ingest(&self, job: &JobId) -> Result<JobInfo, CallFailure> {
        self.set_state(job, JobState::Aborted).await
    }

    async fn set_state(&self, job: &JobId, state: JobState) -> Result<JobInfo, CallFailure> {
        let body = json!({ "state": state.as_str() });
        let call = self.job_call(Method::PATCH, self.ingest_path(job, ""), Class::IdempotentWrite, Some(&body));
        let response = self.call(&call).await.map_err(CallFailure::of)?;
        same(decode_job(&response.body), job).map_err(CallFailure::of)
    }

    /// Asks how far a job is. Counted as a poll.
    pub async fn ingest_job(&self, job: &JobId) -> Result<JobInfo, SalesforceError> {
        self.budget().polled();
        let response = self.call(&Call::get(self.ingest_path(job, ""))).await?;
        same(decode_job(&response.body), job)
    }

    /// Puts a job away with its results; it must be over, or have its data and not be at work. One that is gone is put away.
    pub async fn delete_ingest(&self, job: &JobId) -> Result<(), CallFailure> {
        let call = self.job_call(Method::DELETE, self.ingest_path(job, ""), Class::IdempotentWrite, None);
        match self.call(&call).await {
            Ok(_) => Ok(()),
            Err(error) if error.api().is_some_and(|api| api.status == 404) => Ok(()),
            Err(error) => Err(CallFailure::of(error)),
        }
    }

    /// The jobs of this user that update this object and are not over, in the order of the list. Jobs that other users made are left out; so are those
    /// whose maker Salesforce does not tell.
    pub async fn open_ingest_jobs(&self, object: &ObjectName) -> Result<Vec<JobInfo>, SalesforceError> {
        let user = self.user_id().await?;
        let mut open = Vec::new();
        let mut target = self.path("jobs/ingest?jobType=V2Ingest");
        for _ in 0..LIST_PAGES {
            let page = decode_jobs(&self.call(&Call::get(target)).await?.body)?;
            open.extend(page.jobs.into_iter().filter(|job| {
                job.operation.eq_ignore_ascii_case("update")
                    && job.object == *object
                    && !job.state.is_over()
                    && job.created_by == Some(user)
            }));
            match page.next {
                Some(next) => target = next,
                None => return Ok(open),
            }
        }
        Err(malformed("the list of bulk jobs", "it does not come to an end"))
    }

    async fn user_id(&self) -> Result<RecordId, SalesforceError> {
        let user = self.identity().await?.user_id;
        user.ok_or_else(|| malformed("the log-in", "it does not say who is logged in, so this user's jobs are unknown"))
    }
}

/// What was told is of the job that was asked for.
pub(super) fn same(info: Result<JobInfo, SalesforceError>, job: &JobId) -> Result<JobInfo, SalesforceError> {
    match info {
        Ok(info) if info.id != *job => Err(malformed("a bulk job", format!("it is of {} instead of {job}", info.id))),
        told => told,
    }
}
