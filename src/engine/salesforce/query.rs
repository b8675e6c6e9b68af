//! Queries: pages in order, the next one fetched while the present one is used, and the announced total checked against what came.

use std::sync::Arc;

use serde::Deserialize;

use super::answer::malformed;
use super::client::Call;
use super::{Client, ErrorCode, Page, SalesforceError, decode_page, encode_query, encoded_len};
use crate::model::ObjectName;
use crate::table::Block;

/// What a query came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueryTotals {
    /// Records.
    pub rows: u64,
    /// Calls, repeats not counted.
    pub calls: u64,
}

impl QueryTotals {
    pub(crate) fn add(&mut self, other: QueryTotals) {
        self.rows += other.rows;
        self.calls += other.calls;
    }
}

/// Pages without a record that are taken in a row; more would be a circle.
const EMPTY_PAGES: u32 = 3;

/// A page on its way; given up when dropped.
struct Fetch(tokio::task::JoinHandle<Result<Page, SalesforceError>>);

impl Fetch {
    fn start(client: &Client, target: String, columns: &Arc<[String]>, first_row: u64, sequence: u64) -> Self {
        let (client, columns) = (client.clone(), columns.clone());
        Self(tokio::spawn(async move {
            let response = client.call(&Call::get(target)).await?;
            decode_page(&response.body, &columns, first_row, sequence)
        }))
    }

    async fn page(mut self) -> Result<Page, SalesforceError> {
        match (&mut self.0).await {
            Ok(page) => page,
            // A bug stays a bug, in whichever task it shows.
            Err(ended) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
            Err(_) => Err(malformed("the query", "reading the page was interrupted")),
        }
    }
}

impl Drop for Fetch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn locator_is_lost(error: &SalesforceError) -> bool {
    error.api().is_some_and(|api| *api.code() == ErrorCode::InvalidQueryLocator)
}

#[derive(Deserialize)]
struct CountWire {
    #[serde(rename = "totalSize")]
    total: u64,
}

impl Client {
    pub(crate) fn query_target(&self, soql: &str) -> String {
        format!("{}?q={}", self.path("query"), encode_query(soql))
    }

    /// Runs a query and hands its pages over, one block a page, in order; rows are numbered from 1. `columns` are the fields of the SELECT, in its order.
    ///
    /// Pages may be of any size. A query whose locator is lost starts anew as long as nothing was handed over. Fewer or more records than Salesforce
    /// announced are an error.
    pub async fn query<E: From<SalesforceError>>(
        &self,
        soql: &str,
        columns: &[String],
        on_block: &mut (dyn FnMut(Block) -> Result<(), E> + Send),
    ) -> Result<QueryTotals, E> {
        self.check_length(soql)?;
        let columns: Arc<[String]> = columns.into();
        let first = || Fetch::start(self, self.query_target(soql), &columns, 1, 0);
        let mut totals = QueryTotals::default();
        let (mut restarted, mut empty_pages) = (false, 0);
        let mut fetch = first();
        loop {
            let page = match fetch.page().await {
                Ok(page) => page,
                Err(error) if locator_is_lost(&error) && totals.rows == 0 && !restarted => {
                    (restarted, totals, fetch) = (true, QueryTotals::default(), first());
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            totals.calls += 1;
            totals.rows += page.block.rows() as u64;
            if totals.rows > page.total {
                let error = SalesforceError::RowsMissing { announced: page.total, received: totals.rows };
                return Err(error.into());
            }
            empty_pages = if page.block.rows() == 0 { empty_pages + 1 } else { 0 };
            if empty_pages > EMPTY_PAGES {
                return Err(malformed("the query", "page after page comes without a record").into());
            }
            let next = match (page.done, page.next) {
                (true, _) => None,
                (false, None) => return Err(malformed("the query", "it is not done, and no next page is named").into()),
                (false, Some(next)) => Some(Fetch::start(self, next, &columns, totals.rows + 1, totals.calls)),
            };
            if page.block.rows() > 0 {
                on_block(page.block)?;
            }
            match next {
                Some(next) => fetch = next,
                None if totals.rows == page.total => return Ok(totals),
                None => {
                    let error = SalesforceError::RowsMissing { announced: page.total, received: totals.rows };
                    return Err(error.into());
                }
            }
        }
    }

    /// A query whose pages are collected, so that it can start anew at any page.
    pub(crate) async fn query_whole(
        &self,
        soql: &str,
        columns: &[String],
    ) -> Result<(Vec<Block>, QueryTotals), SalesforceError> {
        let mut restarted = false;
        loop {
            let mut blocks = Vec::new();
            let mut collect = |block: Block| -> Result<(), SalesforceError> {
                blocks.push(block);
                Ok(())
            };
            match self.query(soql, columns, &mut collect).await {
                Ok(totals) => return Ok((blocks, totals)),
                Err(error) if locator_is_lost(&error) && !restarted => restarted = true,
                Err(error) => return Err(error),
            }
        }
    }

    /// A statement that no GET can hold is refused here, with its size, instead of by a bare 414.
    fn check_length(&self, soql: &str) -> Result<(), SalesforceError> {
        let limits = self.get_limits();
        let (bytes, chars) = (encoded_len(soql), soql.chars().count());
        if bytes <= limits.room() && chars <= limits.statement_chars {
            return Ok(());
        }
        let room = limits.room();
        let detail = format!(
            "the query takes {bytes} bytes in a URL, and Salesforce takes {room}: name fewer fields, or shorten where"
        );
        Err(SalesforceError::Request { detail })
    }

    /// Counts records (`SELECT COUNT()`), under one condition as written.
    pub async fn count(&self, object: &ObjectName, condition: Option<&str>) -> Result<u64, SalesforceError> {
        let mut soql = format!("SELECT COUNT() FROM {object}");
        if let Some(condition) = condition {
            soql.push_str(" WHERE ");
            soql.push_str(condition);
        }
        self.check_length(&soql)?;
        let response = self.call(&Call::get(self.query_target(&soql))).await?;
        let wire: CountWire = serde_json::from_slice(&response.body).map_err(|e| malformed("the count", e))?;
        Ok(wire.total)
    }
}
