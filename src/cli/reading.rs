//! Reads the org's side for a plan: asks what is needed, picks the way, feeds the blocks to the match.

use std::time::Duration;

use super::failure::Failure;
use super::problem;
use crate::model::{FieldName, Object, ObjectName};
use crate::plan::{Choice, Way};
use crate::reconcile::{Layout, Matching, Pass, ReconcileError};
use crate::salesforce::{
    self, BulkEvent, Client, Demand, Lookup, QueryTotals, ReadFacts, SalesforceError, Size, Speeds, bulk_unavailable,
    encoded_len, estimated_row_bytes,
};
use crate::vault::Place;

/// Rows of a query's page, at the most (REST API guide, "Query"; pages may be smaller).
const PAGE_ROWS: u64 = 2_000;
/// People who wait are told of a job that runs this long, and again each time as much has gone by.
const TOLD_EVERY: Duration = Duration::from_secs(15);

/// What a reading wants.
pub struct Wanted<'a> {
    /// The object.
    pub object: &'a ObjectName,
    /// What describe says of it.
    pub described: &'a Object,
    /// The match field, by its canonical name.
    pub key_field: &'a FieldName,
    /// Is it indexed?
    pub indexed: bool,
    /// `where:`
    pub condition: Option<&'a str>,
    /// Where it stands.
    pub condition_at: Option<&'a crate::diag::Span>,
    /// A way that the configuration asks for.
    pub forced: Option<Way>,
    /// Tells people who wait how far a long reading is.
    pub tell: &'a (dyn Fn(&str) + Sync),
}

/// How a reading went.
pub struct Gone {
    /// The way.
    pub way: Way,
    /// What it was chosen for; `None` where nothing had to be read.
    pub choice: Option<Choice<Way>>,
    /// Records that were looked at, each page counted once.
    pub rows: u64,
}

enum ReadError {
    Salesforce(SalesforceError),
    Reconcile(ReconcileError),
}

impl From<SalesforceError> for ReadError {
    fn from(error: SalesforceError) -> Self {
        Self::Salesforce(error)
    }
}

/// Reads all that the plan needs; says which way it went.
///
/// # Errors
/// Whatever Salesforce or the network says; a failed read is never "nothing to do".
pub async fn read(
    client: &Client,
    matching: &Matching,
    layout: &Layout,
    beyond: Option<&Layout>,
    wanted: &Wanted<'_>,
    org: &Place,
) -> Result<Gone, Failure> {
    let context = problem::salesforce::Context { org, at: wanted.condition_at, not_done: "nothing was written" };
    let word = |error: ReadError| match error {
        ReadError::Salesforce(error) => problem::salesforce::failure(&error, &context),
        ReadError::Reconcile(error) => super::memory::failure(&error),
    };
    let mut gone = pass(client, matching, layout, wanted, Pass::Scope).await.map_err(&word)?;
    if let Some(beyond) = beyond {
        let everywhere = Wanted { condition: None, condition_at: None, ..*wanted };
        gone.rows += pass(client, matching, beyond, &everywhere, Pass::Beyond).await.map_err(&word)?.rows;
    }
    Ok(gone)
}

async fn pass(
    client: &Client,
    matching: &Matching,
    layout: &Layout,
    wanted: &Wanted<'_>,
    pass: Pass,
) -> Result<Gone, ReadError> {
    let lookup = Lookup {
        object: wanted.object.clone(),
        columns: layout.columns.clone(),
        key_field: wanted.key_field.clone(),
        condition: wanted.condition.map(str::to_owned),
    };
    let Some(mut choice) = choose(client, matching, wanted, &lookup, pass).await? else {
        return Ok(Gone { way: Way::None, choice: None, rows: 0 });
    };
    let mut on_block = |block| {
        match pass {
            Pass::Scope => matching.org(&block),
            Pass::Beyond => matching.beyond(&block),
        }
        .map_err(ReadError::Reconcile)
    };
    let condition = wanted.condition.map(|c| format!(" WHERE {c}")).unwrap_or_default();
    let soql = format!("SELECT {} FROM {}{condition}", layout.columns.join(","), wanted.object);
    let mut way = choice.way;
    if way == Way::Bulk {
        let mut told = Duration::ZERO;
        let mut on_event = |event: &BulkEvent| progress(event, &mut told, wanted.tell);
        match client.bulk_query::<ReadError>(&soql, &layout.columns, &mut on_event, &mut on_block).await {
            Ok(totals) => return Ok(Gone { way, choice: Some(choice), rows: totals.rows }),
            // The creation was refused, so nothing was read yet. A way that was asked for by name is not left quietly.
            Err(ReadError::Salesforce(error)) if wanted.forced.is_none() => {
                // The next cheapest, where there is one.
                let (Some(reason), Some(next)) = (bulk_unavailable(&error), choice.alternatives.first()) else {
                    return Err(error.into());
                };
                // Not at the price of all the calls that the org has left today.
                if client.usage().is_some_and(|usage| next.estimate.calls > usage.left()) {
                    return Err(error.into());
                }
                tracing::debug!(target: "footbridge::cli", %error, "no bulk query");
                way = next.way;
                let (told, costs) = (super::costs::way(way), super::costs::costs(&next.estimate));
                choice.instead = Some(format!("read by {told} ({costs}): {reason}"));
            }
            Err(error) => return Err(error),
        }
    }
    let totals = match way {
        Way::None | Way::Bulk => QueryTotals::default(),
        Way::Query => client.query(&soql, &layout.columns, &mut on_block).await?,
        Way::Lookup => {
            let mut literals = Vec::new();
            matching.literals(pass, |literal| literals.push(literal.to_owned())).map_err(ReadError::Reconcile)?;
            let (totals, packed) = client.look_up(&lookup, &literals, &mut on_block).await?;
            if !packed.unfit.is_empty() {
                let detail = format!("{} keys are too long for a look-up; write `read: query`", packed.unfit.len());
                return Err(SalesforceError::Request { detail }.into());
            }
            totals
        }
    };
    Ok(Gone { way, choice: Some(choice), rows: totals.rows })
}

fn progress(event: &BulkEvent, told: &mut Duration, tell: &(dyn Fn(&str) + Sync)) {
    let BulkEvent::Polled { job, running, .. } = event else { return };
    if *running < *told + TOLD_EVERY {
        return;
    }
    *told = *running;
    let records = job.processed.map_or_else(String::new, |records| format!(", {records} records so far"));
    tell(&format!("bulk query {}: {} for {} s{records}", job.id, job.state, running.as_secs()));
}

/// The way, with what it is expected to cost; `None` where there is nothing to read.
async fn choose(
    client: &Client,
    matching: &Matching,
    wanted: &Wanted<'_>,
    lookup: &Lookup,
    pass: Pass,
) -> Result<Option<Choice<Way>>, ReadError> {
    let mut demand = Demand::default();
    matching
        .literals(pass, |literal| {
            demand.keys += 1;
            demand.encoded_bytes += encoded_len(literal) as u64 + 1;
        })
        .map_err(ReadError::Reconcile)?;
    if demand.keys == 0 {
        return Ok(None);
    }
    let limits = client.get_limits();
    let one_call = demand.encoded_bytes <= limits.room().saturating_sub(lookup.around()) as u64;
    // The count costs a call of its own; it is asked for only where it can decide. Unknown, it decides nothing.
    let decided = wanted.forced.is_some() || (one_call && wanted.indexed);
    let size = if decided {
        Size::Unlisted
    } else {
        match client.record_count(wanted.object).await {
            Ok(rows) => rows.map_or(Size::Unlisted, Size::Rows),
            Err(error) => {
                tracing::debug!(target: "footbridge::cli", %error, "the org does not say how many records there are");
                Size::Unsaid
            }
        }
    };
    let facts = ReadFacts {
        demand,
        indexed: wanted.indexed,
        size,
        row_bytes: estimated_row_bytes(wanted.described, &lookup.columns),
        page_rows: PAGE_ROWS,
        limits: &limits,
        around: lookup.around(),
        calls_left: client.usage().map(|usage| usage.left()),
        speeds: Speeds::default(),
        bulk: true,
    };
    let chosen = salesforce::choose_read(&facts);
    let asked_for = wanted.forced.is_some();
    let mut choice = super::costs::choice(chosen, asked_for, |way| match way {
        salesforce::Way::Lookup => Way::Lookup,
        salesforce::Way::Query => Way::Query,
        salesforce::Way::Bulk => Way::Bulk,
    });
    if let Some(forced) = wanted.forced {
        super::costs::force(&mut choice, forced);
    }
    Ok(Some(choice))
}
