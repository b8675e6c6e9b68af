//! Which way to read the org's side: look-ups of the report's keys, paging through the object, or a bulk query of it.

use super::GetLimits;
use super::estimate::{BYTES_PER_SECOND, Chosen, JOB_START, Priced, Speeds, cheapest, waiting};
use crate::model::{FieldType, Object};

/// What has to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Demand {
    /// Distinct keys of the report.
    pub keys: u64,
    /// Bytes of all keys as encoded literals, commas included (see [`encoded_len`](super::encoded_len)).
    pub encoded_bytes: u64,
}

/// What an org says of an object's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// So many records, about.
    Rows(u64),
    /// Its list leaves the object out, which is new then, or nearly empty; or it was not asked, as that decides nothing.
    Unlisted,
    /// It was asked, and did not say: the object may be large.
    Unsaid,
}

impl Size {
    fn rows(self) -> Option<u64> {
        match self {
            Size::Rows(rows) => Some(rows),
            Size::Unlisted | Size::Unsaid => None,
        }
    }
}

/// What the choice looks at.
#[derive(Debug, Clone, Copy)]
pub struct ReadFacts<'a> {
    /// What has to be read.
    pub demand: Demand,
    /// Is the match field indexed?
    pub indexed: bool,
    /// What the org says of the object's size.
    pub size: Size,
    /// Bytes of a record's columns, about ([`estimated_row_bytes`]).
    pub row_bytes: u64,
    /// Rows of a query's page.
    pub page_rows: u64,
    /// Limits of a GET.
    pub limits: &'a GetLimits,
    /// Encoded length of a look-up's statement without its keys.
    pub around: usize,
    /// API calls left of the day's, where known.
    pub calls_left: Option<u64>,
    /// How fast the org is taken to be.
    pub speeds: Speeds,
    /// May a bulk query be used at all?
    pub bulk: bool,
}

/// A way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    /// `IN` look-ups of the keys.
    Lookup,
    /// Paging through the object.
    Query,
    /// A bulk query of the object.
    Bulk,
}

/// Records that Salesforce looks through in a second where no index helps.
const SCANNED_PER_SECOND: f64 = 100_000.0;
/// Salesforce ends a query after two minutes; a look-up that would come near that is none.
const LONGEST_SCAN: f64 = 90.0;
/// Records that a bulk query yields in a second.
const BULK_PER_SECOND: f64 = 10_000.0;
/// Seconds for a page of the usual size, beside its way.
const PAGE_SECONDS: f64 = 0.35;
/// Rows of a page of a bulk query's results, and pages of one list of them.
const BULK_PAGE: u64 = 250_000;
const LISTED_PAGES: u64 = 5;
/// Bytes that JSON puts around a record (type, address, names) and, a field, around a value.
const JSON_AROUND: u64 = 120;
/// An object of unknown size is taken for as large as this, where that matters.
const UNKNOWN_ROWS: u64 = 1_000_000;

/// Chooses the way that costs least. Without keys there is nothing to read, and the look-up (of nothing) costs nothing.
///
/// An object of unknown size is neither paged through for an indexed field (it may be large) nor searched without an index (which may take forever).
pub fn choose_read(facts: &ReadFacts<'_>) -> Chosen<Way> {
    let mut ways = Vec::new();
    let lookup = lookup(facts);
    let scan_is_short = facts.indexed || facts.size.rows().is_some_and(|rows| scan(rows) <= LONGEST_SCAN);
    // A condition that leaves no room in a GET can only be sent in the body of a job.
    let fits = facts.around < facts.limits.room() || !facts.bulk;
    if facts.demand.keys == 0 || (scan_is_short && fits) {
        ways.push(lookup);
    }
    if facts.demand.keys > 0 {
        if fits && (facts.size.rows().is_some() || !facts.indexed) {
            ways.push(query(facts));
        }
        if facts.bulk {
            ways.push(bulk(facts));
        }
    }
    // There is always one: without rows known and an index missing it is the query.
    cheapest(ways, facts.calls_left).unwrap_or(Chosen {
        way: Way::Query,
        estimate: super::Estimate::default(),
        alternatives: Vec::new(),
    })
}

fn scan(rows: u64) -> f64 {
    rows as f64 / SCANNED_PER_SECOND
}

fn lookup(facts: &ReadFacts<'_>) -> Priced<Way> {
    let room = facts.limits.room().saturating_sub(facts.around).max(1) as u64;
    let keys = facts.demand.keys;
    let calls = if keys == 0 { 0 } else { facts.demand.encoded_bytes.div_ceil(room).max(1) };
    let found = facts.size.rows().map_or(keys, |rows| rows.min(keys));
    let bytes = facts.demand.encoded_bytes + found * (facts.row_bytes + JSON_AROUND);
    let search = if facts.indexed { 0.2 } else { 0.2 + scan(facts.size.rows().unwrap_or(UNKNOWN_ROWS)) };
    let rounds = calls.div_ceil(u64::from(facts.speeds.at_once.max(1)));
    let seconds = rounds as f64 * (facts.speeds.latency.as_secs_f64() + search) + bytes as f64 / BYTES_PER_SECOND;
    Priced { way: Way::Lookup, calls, jobs: 0, bytes, seconds }
}

fn query(facts: &ReadFacts<'_>) -> Priced<Way> {
    let rows = match facts.size {
        Size::Rows(rows) => rows,
        Size::Unlisted => 1,
        Size::Unsaid => UNKNOWN_ROWS,
    };
    let calls = rows.div_ceil(facts.page_rows.max(1)).max(1);
    let bytes = rows * (facts.row_bytes + JSON_AROUND);
    let seconds = calls as f64 * (facts.speeds.latency.as_secs_f64() + PAGE_SECONDS) + bytes as f64 / BYTES_PER_SECOND;
    Priced { way: Way::Query, calls, jobs: 0, bytes, seconds }
}

fn bulk(facts: &ReadFacts<'_>) -> Priced<Way> {
    let rows = facts.size.rows().unwrap_or(UNKNOWN_ROWS);
    let pages = rows.div_ceil(BULK_PAGE).max(1);
    let lists = if pages > 1 { pages.div_ceil(LISTED_PAGES) } else { 0 };
    let (polls, waited) = waiting(JOB_START + rows as f64 / BULK_PER_SECOND);
    let bytes = rows * facts.row_bytes;
    // Made, polled, read, put away.
    let calls = 1 + polls + lists + pages + 1;
    let seconds =
        waited + (calls - polls) as f64 * facts.speeds.latency.as_secs_f64() + bytes as f64 / BYTES_PER_SECOND;
    Priced { way: Way::Bulk, calls, jobs: 1, bytes, seconds }
}

/// Bytes of a record's columns as CSV, about: what values of each type usually take. Columns that describe does not name count as short texts.
pub fn estimated_row_bytes(object: &Object, columns: &[String]) -> u64 {
    let one = |column: &String| {
        let Some(field) = object.fields.iter().find(|f| f.name.as_str().eq_ignore_ascii_case(column)) else {
            return 20;
        };
        match field.field_type {
            FieldType::Boolean => 5,
            FieldType::Date => 10,
            FieldType::Datetime => 24,
            FieldType::Double | FieldType::Int | FieldType::Currency | FieldType::Percent => 8,
            FieldType::Textarea => u64::from(field.length.min(400)) / 2 + 1,
            _ => u64::from(field.length.min(50)) / 2 + 2,
        }
    };
    // Two quotes and a comma each.
    columns.iter().map(|column| one(column) + 3).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: GetLimits = GetLimits { uri_bytes: 16_384, statement_chars: 100_000, overhead: 1_384 };

    fn facts(keys: u64, indexed: bool, object_rows: Option<u64>) -> ReadFacts<'static> {
        ReadFacts {
            demand: Demand { keys, encoded_bytes: keys * 30 },
            indexed,
            size: object_rows.map_or(Size::Unlisted, Size::Rows),
            row_bytes: 150,
            page_rows: 2_000,
            limits: &LIMITS,
            around: 200,
            calls_left: Some(90_000),
            speeds: Speeds::default(),
            bulk: true,
        }
    }

    #[test]
    fn the_cheapest_way_is_chosen() {
        use Way::{Bulk, Lookup, Query};
        // room: 15,000 - 200 = 14,800 bytes, about 493 keys of 30 bytes
        let table = [
            (0, true, Some(1_000_000), Lookup, 0),
            (0, false, None, Lookup, 0),
            (1, true, Some(0), Lookup, 1),
            (1, true, Some(1_000_000), Lookup, 1),
            (400, true, Some(2_000), Lookup, 1),
            (500, true, Some(2_000), Query, 1),
            (500, true, Some(2_001), Lookup, 2),
            (5_000, true, Some(5_000), Query, 3),
            (5_000, true, Some(1_000_000), Lookup, 11),
            (5_000, true, None, Lookup, 11),
            (20_000, true, Some(20_000), Query, 10),
            (20_000, true, Some(1_000_000), Lookup, 41),
            // What the issue names.
            (10_000, true, Some(5_000_000), Lookup, 21),
            (10_000, false, Some(5_000_000), Lookup, 21),
            (4_000_000, true, Some(5_000_000), Bulk, 150),
            (100_000, true, Some(100_000), Bulk, 22),
            (100_000, true, Some(10_000_000), Lookup, 203),
            (1_000_000, true, Some(10_000_000), Bulk, 300),
            (10_000_000, true, Some(10_000_000), Bulk, 300),
            (500_000, true, None, Bulk, 50),
            // without an index
            (400, false, Some(2_000), Lookup, 1),
            (500, false, Some(1_000_000), Lookup, 2),
            (5_000, false, Some(100_000), Lookup, 11),
            (20_000, false, Some(100_000), Bulk, 22),
            (1_000, false, Some(20_000_000), Bulk, 550),
            (1, false, None, Query, 1),
        ];
        for (keys, indexed, rows, way, calls) in table {
            let chosen = choose_read(&facts(keys, indexed, rows));
            assert_eq!(chosen.way, way, "{keys} {indexed} {rows:?} {chosen:?}");
            // Of a job most calls are polls, so its number is a bound.
            let found = chosen.estimate.calls;
            let fits = if way == Bulk { found <= calls && found > calls / 2 } else { found == calls };
            assert!(fits, "{keys} {indexed} {rows:?} {chosen:?}");
        }
    }

    #[test]
    fn a_condition_that_fits_no_get_goes_by_a_job() {
        for (around, way) in [(14_000, Way::Lookup), (15_000, Way::Bulk), (20_000, Way::Bulk)] {
            let chosen = choose_read(&ReadFacts { around, ..facts(5, true, Some(2_000)) });
            assert_eq!((chosen.way, chosen.alternatives.is_empty()), (way, way == Way::Bulk), "{around}");
        }
    }

    #[test]
    fn an_object_of_which_the_org_does_not_say_the_size_may_be_large() {
        let chosen = choose_read(&ReadFacts { size: Size::Unsaid, ..facts(200, false, None) });
        assert_eq!(chosen.way, Way::Bulk, "{chosen:?}");
        assert_eq!(chosen.alternatives[0], (Way::Query, chosen.alternatives[0].1));
        assert_eq!(chosen.alternatives[0].1.calls, 500);
    }

    #[test]
    fn without_the_bulk_api_paging_takes_its_place() {
        let chosen = choose_read(&ReadFacts { bulk: false, ..facts(100_000, true, Some(100_000)) });
        assert_eq!((chosen.way, chosen.estimate.calls), (Way::Query, 50));
        let chosen = choose_read(&ReadFacts { bulk: false, ..facts(100_000, true, None) });
        assert_eq!((chosen.way, chosen.estimate.calls), (Way::Lookup, 203));
    }

    #[test]
    fn the_fewer_calls_are_left_the_more_they_are_spared() {
        let with = |left| choose_read(&ReadFacts { calls_left: left, ..facts(100_000, true, Some(3_000_000)) }).way;
        assert_eq!(with(Some(90_000)), Way::Lookup);
        assert_eq!(with(Some(300)), Way::Bulk, "203 calls of 300 are too dear");
        assert_eq!(with(Some(50)), Way::Bulk, "none fits, and the cheapest is as good as any");
        let fits = choose_read(&ReadFacts { calls_left: Some(30), ..facts(500_000, true, Some(60_000)) });
        assert_eq!(fits.way, Way::Bulk, "what is affordable comes first");
    }

    #[test]
    fn every_way_stands_beside_the_chosen_one_and_may_be_asked_for() {
        let chosen = choose_read(&facts(100_000, true, Some(100_000)));
        assert_eq!(chosen.alternatives.iter().map(|(way, _)| *way).collect::<Vec<_>>(), [Way::Query, Way::Lookup]);
        let forced = chosen.clone().with(Way::Lookup);
        assert_eq!((forced.way, forced.estimate.calls), (Way::Lookup, 203));
        assert_eq!(forced.alternatives[0].0, Way::Bulk);
        assert_eq!(chosen.clone().with(Way::Bulk), chosen);
    }

    #[test]
    fn estimates_grow_with_the_object() {
        let small = choose_read(&facts(100_000, true, Some(100_000))).estimate;
        let large = choose_read(&facts(4_000_000, true, Some(5_000_000))).estimate;
        assert!(small.seconds < 60 && large.seconds > 400, "{small:?} {large:?}");
        assert_eq!((small.bytes, small.jobs), (15_000_000, 1));
    }
}
