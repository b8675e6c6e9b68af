//! The results of a query job: pages by locator, two at once, or from the list of pages where there are many.
//!
//! The head of a page names the next one, so the next is on its way while the present one is still coming.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use serde::Deserialize;
use tokio::sync::mpsc::{self, Sender};
use tokio::task::JoinSet;

use super::csv::Coming;
use super::query::BulkEvent;
use super::{JobId, JobInfo};
use crate::net::{NetError, Response};
use crate::salesforce::answer::malformed;
use crate::salesforce::client::Call;
use crate::salesforce::{Client, QueryTotals, SalesforceError, encode_query};
use crate::table::{Block, BlockBuilder};

const WHAT: &str = "the results of a bulk query";
/// Pages without a record that are taken in a row; more would be a circle.
const EMPTY_PAGES: u32 = 3;
/// The first version that lists its pages.
const LISTS_PAGES_SINCE: u32 = 58;

/// What comes from the pages that are being read.
enum Told {
    /// The locator of the page after this one; `None` after the last.
    Next(Option<String>),
    Block(Block),
    Page(Result<u64, SalesforceError>),
}

/// Where further pages are known from.
enum Source {
    /// Each page names the next.
    Chain { next: Option<String>, known: HashSet<String> },
    /// The list of pages, as far as it was read.
    List { ready: VecDeque<String>, more: Option<String> },
}

/// Reads all pages and checks their rows against the job's count.
pub(super) async fn read_pages<E: From<SalesforceError>>(
    client: &Client,
    job: &JobInfo,
    columns: &[String],
    on_event: &mut (dyn FnMut(&BulkEvent) + Send),
    on_block: &mut (dyn FnMut(Block) -> Result<(), E> + Send),
) -> Result<QueryTotals, E> {
    let columns: Arc<[String]> = columns.into();
    let mut restarted = false;
    let mut place = Place { sequence: 0, row: 1 };
    loop {
        match read_once(client, job, &columns, &mut place, on_block).await? {
            Ok(totals) => {
                return match job.processed {
                    // More than were counted may come: a record twice. The match takes each once, and has no use for one that it did not ask for.
                    Some(announced) if announced > totals.rows => {
                        Err(SalesforceError::RowsMissing { announced, received: totals.rows }.into())
                    }
                    _ => Ok(totals),
                };
            }
            // A place that Salesforce no longer knows: the results themselves are there as long as the job is.
            Err(error) if !restarted && is_lost_place(&error) => {
                restarted = true;
                on_event(&BulkEvent::Restarted);
            }
            Err(error) => return Err(word(error, job.id, client).into()),
        }
    }
}

/// Where the next block stands, as if all came from one table.
struct Place {
    sequence: u64,
    row: u64,
}

/// The outer error is the taker's, the inner one Salesforce's.
async fn read_once<E: From<SalesforceError>>(
    client: &Client,
    job: &JobInfo,
    columns: &Arc<[String]>,
    place: &mut Place,
    on_block: &mut (dyn FnMut(Block) -> Result<(), E> + Send),
) -> Result<Result<QueryTotals, SalesforceError>, E> {
    let mut source = match Source::start(client, job).await {
        Ok(source) => source,
        Err(error) => return Ok(Err(error)),
    };
    let mut totals = QueryTotals::default();
    let (mut empty, mut open) = (0, 0);
    let (tell, mut told) = mpsc::channel(2);
    // Dropped with its tasks when the reading is given up.
    let mut tasks = JoinSet::new();
    loop {
        while open < client.bulk().pages_at_once.max(1) {
            let Some(target) = source.take() else { break };
            totals.calls += 1;
            open += 1;
            let chained = matches!(source, Source::Chain { .. });
            tasks.spawn(page(client.clone(), target, columns.clone(), chained, tell.clone()));
        }
        if open == 0 {
            match source.read_on(client).await {
                Ok(true) => continue,
                Ok(false) => return Ok(Ok(totals)),
                Err(error) => return Ok(Err(error)),
            }
        }
        // A task that panicked tells nothing any more; its panic goes on here.
        let next = tokio::select! {
            biased;
            next = told.recv() => next,
            Some(Err(ended)) = tasks.join_next(), if !tasks.is_empty() => {
                if ended.is_panic() {
                    std::panic::resume_unwind(ended.into_panic());
                }
                None
            }
        };
        match next {
            Some(Told::Next(locator)) => {
                if let Err(error) = source.learn(client, &job.id, locator) {
                    return Ok(Err(error));
                }
            }
            Some(Told::Block(block)) => {
                let rows = block.rows() as u64;
                on_block(block.placed(place.sequence, place.row))?;
                place.sequence += 1;
                place.row += rows;
            }
            Some(Told::Page(Ok(rows))) => {
                open -= 1;
                totals.rows += rows;
                empty = if rows == 0 { empty + 1 } else { 0 };
                if empty > EMPTY_PAGES {
                    return Ok(Err(malformed(WHAT, "page after page comes without a record")));
                }
            }
            Some(Told::Page(Err(error))) => return Ok(Err(error)),
            None => return Ok(Err(malformed(WHAT, "reading a page was interrupted"))),
        }
    }
}

impl Source {
    async fn start(client: &Client, job: &JobInfo) -> Result<Self, SalesforceError> {
        let settings = client.bulk();
        let version: u32 = client.api_version().split('.').next().and_then(|v| v.parse().ok()).unwrap_or(0);
        let many = job.processed.is_some_and(|rows| rows >= settings.list_from);
        if many && settings.page_rows.is_none() && version >= LISTS_PAGES_SINCE {
            let mut list =
                Self::List { ready: VecDeque::new(), more: Some(client.query_job_path(&job.id, "/resultPages")) };
            match list.read_on(client).await {
                Ok(_) => return Ok(list),
                // An org that does not list pages names them one by one.
                Err(error) if error.api().is_some_and(|api| matches!(api.status, 400 | 404)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Self::Chain { next: Some(target(client, &job.id, None)), known: HashSet::new() })
    }

    fn take(&mut self) -> Option<String> {
        match self {
            Self::Chain { next, .. } => next.take(),
            Self::List { ready, .. } => ready.pop_front(),
        }
    }

    fn learn(&mut self, client: &Client, job: &JobId, locator: Option<String>) -> Result<(), SalesforceError> {
        if let (Self::Chain { next, known }, Some(locator)) = (self, locator) {
            if !known.insert(locator.clone()) {
                return Err(malformed(WHAT, "a page names one that was read already"));
            }
            *next = Some(target(client, job, Some(&locator)));
        }
        Ok(())
    }

    /// Reads the list on; is there anything more to come?
    async fn read_on(&mut self, client: &Client) -> Result<bool, SalesforceError> {
        let Self::List { ready, more } = self else { return Ok(false) };
        let Some(next) = more.take() else { return Ok(false) };
        let response = client.call(&Call::get(next)).await?;
        let list: List = serde_json::from_slice(&response.body).map_err(|error| malformed(WHAT, error))?;
        let path = |url: String| if url.starts_with('/') { url } else { format!("/{url}") };
        ready.extend(list.result_pages.into_iter().map(|page| path(page.result_url)));
        *more = list.next_records_url.filter(|url| !list.done && !url.is_empty()).map(path);
        if more.is_none() && !list.done {
            return Err(malformed(WHAT, "the list of pages is not done, and no next part is named"));
        }
        if ready.is_empty() && more.is_some() {
            return Err(malformed(WHAT, "the list of pages goes on without a page"));
        }
        Ok(!ready.is_empty())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct List {
    #[serde(default)]
    result_pages: Vec<Listed>,
    next_records_url: Option<String>,
    done: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    result_url: String,
}

fn target(client: &Client, job: &JobId, locator: Option<&str>) -> String {
    let mut parameters = Vec::new();
    parameters.extend(locator.map(|locator| format!("locator={}", encode_query(locator))));
    parameters.extend(client.bulk().page_rows.map(|rows| format!("maxRecords={rows}")));
    let query = if parameters.is_empty() { String::new() } else { format!("?{}", parameters.join("&")) };
    client.query_job_path(job, &format!("/results{query}"))
}

/// Reads one page, as often as the budget allows when it breaks off; its rows are handed over each time.
async fn page(client: Client, target: String, columns: Arc<[String]>, chained: bool, tell: Sender<Told>) {
    let mut named = !chained;
    let mut repeated = 0;
    let outcome = loop {
        match once(&client, &target, &columns, &mut named, &tell).await {
            Err(Broken::Off(error)) => {
                tracing::debug!(target: "footbridge::salesforce", %error, repeated, "a page broke off");
                if !client.budget().pause(repeated, None, "a page of the bulk query broke off").await {
                    break Err(error);
                }
                repeated += 1;
            }
            Err(Broken::Finally(error)) => break Err(error),
            Ok(rows) => break Ok(rows),
        }
    };
    // Nobody listens any more when the reading was given up.
    let _ = tell.send(Told::Page(outcome)).await;
}

enum Broken {
    /// In the middle: fetched again, it may come whole.
    Off(SalesforceError),
    Finally(SalesforceError),
}

async fn once(
    client: &Client,
    target: &str,
    columns: &[String],
    named: &mut bool,
    tell: &Sender<Told>,
) -> Result<u64, Broken> {
    let mut call = Call::get(target.to_owned());
    call.headers.push(("accept", "text/csv"));
    // The call itself has had its repeats.
    let (head, pieces) = client.open(&call).await.map_err(Broken::Finally)?;
    let gone = || Broken::Finally(malformed(WHAT, "nobody takes its rows any more"));
    if !*named {
        *named = true;
        tell.send(Told::Next(locator(&head))).await.map_err(|_| gone())?;
    }
    let announced = head.header("sforce-numberofrecords").and_then(|rows| rows.trim().parse::<u64>().ok());
    let broken = |error: SalesforceError| match error {
        SalesforceError::Net(NetError::TooLarge { .. }) => Broken::Finally(error),
        _ => Broken::Off(error),
    };
    let (header, mut coming) = Coming::open(pieces, WHAT).await.map_err(broken)?;
    let header = match header {
        Some(header) => header,
        None if announced == Some(0) => return Ok(0),
        None => return Err(Broken::Off(malformed(WHAT, "a page has no header"))),
    };
    let order = Order::of(columns, &header).map_err(Broken::Finally)?;
    let mut rows = 0;
    while let Some(block) = coming.next().await.map_err(broken)? {
        rows += block.rows() as u64;
        let block = order.apply(block).map_err(Broken::Finally)?;
        tell.send(Told::Block(block)).await.map_err(|_| gone())?;
    }
    match announced {
        Some(announced) if announced != rows => {
            Err(Broken::Off(SalesforceError::RowsMissing { announced, received: rows }))
        }
        _ => Ok(rows),
    }
}

/// `Sforce-Locator`; after the last page it is the word `null`.
pub(super) fn locator(head: &Response) -> Option<String> {
    let locator = head.header("sforce-locator")?.trim();
    (!locator.is_empty() && !locator.eq_ignore_ascii_case("null")).then(|| locator.to_owned())
}

/// Where the columns that were asked for stand in the answer.
#[derive(Debug)]
struct Order(Option<Vec<usize>>);

impl Order {
    fn of(asked: &[String], header: &[String]) -> Result<Self, SalesforceError> {
        let mut order = Vec::with_capacity(asked.len());
        for name in asked {
            let mut found = header.iter().enumerate().filter(|(_, head)| head.eq_ignore_ascii_case(name));
            match (found.next(), found.next()) {
                (Some((column, _)), None) => order.push(column),
                (None, _) => return Err(malformed(WHAT, format!("the column {name} is missing"))),
                _ => return Err(malformed(WHAT, format!("the column {name} comes twice"))),
            }
        }
        let same = order.len() == header.len() && order.iter().enumerate().all(|(asked, &found)| asked == found);
        Ok(Self((!same).then_some(order)))
    }

    fn apply(&self, block: Block) -> Result<Block, SalesforceError> {
        let Some(order) = &self.0 else { return Ok(block) };
        let mut builder = BlockBuilder::new(order.len(), 1, 0);
        for row in block.iter() {
            builder.push_row(order.iter().map(|&column| row.cell(column)), 0).map_err(|e| malformed(WHAT, e))?;
        }
        Ok(builder.finish())
    }
}

fn is_lost_place(error: &SalesforceError) -> bool {
    error.api().is_some_and(|api| {
        let names = |text: &str| text.to_ascii_lowercase().contains("locator");
        api.status == 400 && (names(&api.fault.message) || names(api.code().as_str()))
    })
}

/// A 409 says that the job belongs to another version of the API.
fn word(error: SalesforceError, job: JobId, client: &Client) -> SalesforceError {
    match &error {
        SalesforceError::Api(api) if api.status == 409 => {
            SalesforceError::JobVersion { job, version: client.api_version().to_owned() }
        }
        SalesforceError::Status { status: 409, .. } => {
            SalesforceError::JobVersion { job, version: client.api_version().to_owned() }
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn columns_are_found_in_any_order_and_case() {
        let asked = names(&["Id", "Email", "Account.Name"]);
        assert!(Order::of(&asked, &names(&["Id", "EMAIL", "Account.Name"])).unwrap().0.is_none());
        let order = Order::of(&asked, &names(&["account.name", "Extra", "ID", "email"])).unwrap();
        let mut builder = BlockBuilder::new(4, 1, 0);
        builder.push_row(["Acme", "x", "00Q1", "a@b"], 2).unwrap();
        let block = order.apply(builder.finish()).unwrap();
        let cells: Vec<&[u8]> = block.row(0).cells().collect();
        assert_eq!(cells, [b"00Q1".as_slice(), b"a@b", b"Acme"]);
    }

    #[test]
    fn a_column_that_is_missing_or_comes_twice_is_an_error() {
        let asked = names(&["Id", "Email"]);
        for header in [names(&["Id"]), names(&["Id", "Email", "EMAIL"]), names(&["Id;Email"])] {
            assert!(Order::of(&asked, &header).is_err(), "{header:?}");
        }
    }
}
