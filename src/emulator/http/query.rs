//! Queries and their pages.
//!
//! A query runs once; its records are kept as prepared JSON texts, and pages are cut from them. Locators look like real ones:
//! `01g…-2000`, the number being the offset (recorded).

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::value::RawValue;

use super::super::clock::seconds_between;
use super::super::ids;
use super::super::options::PageSize;
use super::super::problem::Problem;
use super::super::soql::{self, View};
use super::super::state::State;
use super::reply::Reply;
use super::request::Call;

const LARGEST_PAGE: usize = 2_000;
const SMALLEST_PAGE: usize = 200;
/// Open cursors together hold no more than this, but for the newest one.
const MOST_BYTES: usize = 268_435_456;
/// A cursor lives two days.
const CURSOR_SECONDS: i64 = 172_800;

struct Cursor {
    id: String,
    user: String,
    total: usize,
    batch: usize,
    records: Arc<Vec<Box<RawValue>>>,
    bytes: usize,
    opened: Timestamp,
}

/// Cursors that are open, oldest first.
#[derive(Default)]
pub struct Cursors {
    open: VecDeque<Cursor>,
    last: u64,
}

impl Cursors {
    fn keep(&mut self, cursor: Cursor, most: usize) {
        self.open.push_back(cursor);
        let mut bytes: usize = self.open.iter().map(|c| c.bytes).sum();
        while self.open.len() > 1 && (self.open.len() > most || bytes > MOST_BYTES) {
            bytes -= self.open.pop_front().map_or(0, |oldest| oldest.bytes);
        }
    }
}

/// `GET …/query?q=`.
pub fn first(state: &State, call: &Call<'_>) -> Result<Reply, Problem> {
    let text = call.request.parameter("q").unwrap_or_default();
    if text.trim().is_empty() {
        return Err(Problem::new(400, "MALFORMED_QUERY", "A query string has to be specified"));
    }
    let batch = batch(call.request.header("sforce-query-options"))?;
    let now = state.now();
    let answer = {
        let org = state.org();
        if let Some(asked) = soql::access_asked(text) {
            let (user, records) = asked.map_err(|f| Problem::new(400, f.code, f.message))?;
            org.show_record_access(&user, &records).map_err(|e| Problem::internal(&e))?;
        }
        let view = View {
            catalog: &org.model.catalog,
            readable: &|object, field| call.user.reads(object, field),
            hidden: &|object| call.user.hidden_of(object),
            now,
            time_zone: jiff::tz::TimeZone::get(&org.profile.time_zone).unwrap_or(jiff::tz::TimeZone::UTC),
        };
        soql::run(text, &view, &org.db, call.version).map_err(|f| Problem::new(400, f.code, f.message))?
    };
    let bytes = answer.records.iter().map(|r| r.get().len()).sum();
    let mut cursors = state.cursors();
    cursors.last += 1;
    let cursor = Cursor {
        id: ids::nth("01g", cursors.last),
        user: call.user.id.clone(),
        total: answer.total,
        batch,
        records: Arc::new(answer.records),
        bytes,
        opened: now,
    };
    let (reply, done) = page(state, &cursor, 0, call.version);
    if !done {
        cursors.keep(cursor, state.settings.cursors);
    }
    Ok(reply)
}

/// `GET …/query/{locator}`.
pub fn next(state: &State, call: &Call<'_>, locator: &str) -> Result<Reply, Problem> {
    let invalid = || Problem::new(400, "INVALID_QUERY_LOCATOR", "invalid query locator");
    let (id, offset) = locator.split_once('-').ok_or_else(invalid)?;
    let offset: usize = offset.parse().map_err(|_| invalid())?;
    let now = state.now();
    let cursor = {
        let cursors = state.cursors();
        let alive = |c: &&Cursor| {
            c.id == id
                && c.user == call.user.id
                && seconds_between(c.opened, now) < CURSOR_SECONDS
                && offset < c.records.len()
        };
        let found = cursors.open.iter().find(alive).ok_or_else(invalid)?;
        Cursor { id: found.id.clone(), user: String::new(), records: Arc::clone(&found.records), ..*found }
    };
    Ok(page(state, &cursor, offset, call.version).0)
}

/// `Sforce-Query-Options: batchSize=500`; outside of 200 to 2,000 the nearest of these.
fn batch(header: Option<&str>) -> Result<usize, Problem> {
    let Some(header) = header else { return Ok(LARGEST_PAGE) };
    let asked = header.split([',', ';']).find_map(|part| {
        let (key, value) = part.split_once('=')?;
        key.trim().eq_ignore_ascii_case("batchSize").then(|| value.trim().parse::<usize>().ok())
    });
    match asked {
        None => Ok(LARGEST_PAGE),
        Some(Some(size)) => Ok(size.clamp(SMALLEST_PAGE, LARGEST_PAGE)),
        Some(None) => Err(Problem::new(400, "INVALID_BATCH_SIZE", "The batch size is no number")),
    }
}

fn size(page_size: PageSize, batch: usize, offset: usize) -> usize {
    match page_size {
        PageSize::Full => batch,
        PageSize::Fixed(size) => size.max(1),
        // Anything from half a page to a whole one, the same each time for the same place.
        PageSize::Uneven => batch - (offset.wrapping_mul(2_654_435_761) / 7 + 311) % (batch / 2 + 1),
    }
}

fn page(state: &State, cursor: &Cursor, offset: usize, version: &str) -> (Reply, bool) {
    let records = &cursor.records;
    let end = (offset + size(state.settings.page_size, cursor.batch, offset)).min(records.len());
    let done = end == records.len();
    let slice = &records[offset.min(end)..end];
    let bytes: usize = slice.iter().map(|r| r.get().len() + 1).sum();
    let mut out = String::with_capacity(bytes + 160);
    out.push_str(&format!("{{\"totalSize\":{},\"done\":{done}", cursor.total));
    if !done {
        out.push_str(&format!(",\"nextRecordsUrl\":\"/services/data/v{version}/query/{}-{end}\"", cursor.id));
    }
    out.push_str(",\"records\":[");
    for (place, record) in slice.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        out.push_str(record.get());
    }
    out.push_str("]}");
    (Reply::text(200, out), done)
}

#[cfg(test)]
mod tests {
    use super::super::super::options::PageSize;
    use super::{batch, size};

    #[test]
    fn the_batch_size_stays_between_200_and_2000() {
        for (header, expected) in [
            (None, 2000),
            (Some("batchSize=500"), 500),
            (Some("batchSize=1"), 200),
            (Some("batchSize=99999"), 2000),
            (Some("other=1"), 2000),
        ] {
            assert_eq!(batch(header).ok(), Some(expected), "{header:?}");
        }
        assert!(batch(Some("batchSize=many")).is_err());
    }

    #[test]
    fn uneven_pages_are_never_empty_nor_larger_than_asked() {
        let sizes: Vec<usize> = (0..50).map(|n| size(PageSize::Uneven, 2000, n * 1000)).collect();
        assert!(sizes.iter().all(|s| (1000..=2000).contains(s)));
        assert!(sizes.windows(2).any(|w| w[0] != w[1]));
        assert_eq!(size(PageSize::Fixed(7), 2000, 0), 7);
    }
}
