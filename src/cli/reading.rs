//! Reads the org's side for a plan: asks what is needed, picks the way, feeds the blocks to the match.

use super::failure::Failure;
use super::problem;
use crate::model::{FieldName, ObjectName};
use crate::plan::Way;
use crate::reconcile::{Layout, Matching, Pass, ReconcileError};
use crate::salesforce::{self, Client, Lookup, SalesforceError, encoded_len};

/// Rows of a query's page, at the most (REST API guide, "Query"; pages may be smaller).
const PAGE_ROWS: u64 = 2_000;

/// What a reading wants.
pub struct Wanted<'a> {
    /// The object.
    pub object: &'a ObjectName,
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
    org: &str,
) -> Result<Way, Failure> {
    let context = problem::salesforce::Context { org, at: wanted.condition_at, not_done: "nothing was written" };
    let word = |error: ReadError| match error {
        ReadError::Salesforce(error) => problem::salesforce::failure(&error, &context),
        ReadError::Reconcile(error) => super::memory::failure(&error),
    };
    let way = pass(client, matching, layout, wanted, Pass::Scope).await.map_err(&word)?;
    if let Some(beyond) = beyond {
        let everywhere = Wanted { condition: None, condition_at: None, ..*wanted };
        pass(client, matching, beyond, &everywhere, Pass::Beyond).await.map_err(&word)?;
    }
    Ok(way)
}

async fn pass(
    client: &Client,
    matching: &Matching,
    layout: &Layout,
    wanted: &Wanted<'_>,
    pass: Pass,
) -> Result<Way, ReadError> {
    let lookup = Lookup {
        object: wanted.object.clone(),
        columns: layout.columns.clone(),
        key_field: wanted.key_field.clone(),
        condition: wanted.condition.map(str::to_owned),
    };
    let way = choose(client, matching, wanted, &lookup, pass).await?;
    let mut on_block = |block| {
        match pass {
            Pass::Scope => matching.org(&block),
            Pass::Beyond => matching.beyond(&block),
        }
        .map_err(ReadError::Reconcile)
    };
    match way {
        Way::None => {}
        Way::Query => {
            let condition = wanted.condition.map(|c| format!(" WHERE {c}")).unwrap_or_default();
            let soql = format!("SELECT {} FROM {}{condition}", layout.columns.join(","), wanted.object);
            client.query(&soql, &layout.columns, &mut on_block).await?;
        }
        Way::Lookup => {
            let mut literals = Vec::new();
            matching.literals(pass, |literal| literals.push(literal.to_owned())).map_err(ReadError::Reconcile)?;
            let (_, packed) = client.look_up(&lookup, &literals, &mut on_block).await?;
            if !packed.unfit.is_empty() {
                let detail = format!("{} keys are too long for a look-up; write `read: query`", packed.unfit.len());
                return Err(SalesforceError::Request { detail }.into());
            }
        }
    }
    Ok(way)
}

async fn choose(
    client: &Client,
    matching: &Matching,
    wanted: &Wanted<'_>,
    lookup: &Lookup,
    pass: Pass,
) -> Result<Way, ReadError> {
    let mut demand = salesforce::Demand::default();
    matching
        .literals(pass, |literal| {
            demand.keys += 1;
            demand.encoded_bytes += encoded_len(literal) as u64 + 1;
        })
        .map_err(ReadError::Reconcile)?;
    if demand.keys == 0 {
        return Ok(Way::None);
    }
    if let Some(forced) = wanted.forced {
        return Ok(forced);
    }
    let limits = client.get_limits();
    let one_call = demand.encoded_bytes <= limits.room().saturating_sub(lookup.around()) as u64;
    // The count costs a call of its own; it is asked for only where it can decide. Unknown, it decides nothing.
    let rows = if one_call && wanted.indexed { None } else { client.record_count(wanted.object).await.ok().flatten() };
    Ok(match salesforce::choose(demand, wanted.indexed, rows, PAGE_ROWS, &limits, lookup.around()) {
        salesforce::Way::Lookup { .. } => Way::Lookup,
        salesforce::Way::Query { .. } => Way::Query,
    })
}
