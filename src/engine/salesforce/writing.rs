//! Which way to write: collections of 200, or ingest jobs.

use super::estimate::{BYTES_PER_SECOND, Chosen, JOB_START, Priced, Speeds, cheapest, waiting};
use super::{RETRIEVE_LIMIT, UPDATE_LIMIT};

/// Up to so many records go by collections even where a job costs fewer calls: outcomes come per record, and a stop is clean.
const COLLECTIONS_UP_TO: u64 = 2_000;
/// Bytes of one job's data, at the most. Salesforce takes 150 MB after base64 (Bulk API 2.0 limits): 100 MB are safe.
pub const JOB_BYTES: u64 = 100_000_000;
/// Records of one job, at the most: what can be read again within a minute before it is sent may be fewer.
pub const JOB_RECORDS: usize = 100_000;

/// What the choice looks at.
#[derive(Debug, Clone, Copy)]
pub struct WriteFacts {
    /// Records to write.
    pub records: u64,
    /// Bytes of a record's changes as CSV, about.
    pub row_bytes: u64,
    /// API calls left of the day's, where known.
    pub calls_left: Option<u64>,
    /// How fast the org is taken to be.
    pub speeds: Speeds,
    /// May a job be used at all?
    pub bulk: bool,
}

/// A way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WriteWay {
    /// Collections of up to 200 records.
    Collections,
    /// Ingest jobs.
    Bulk,
}

impl WriteWay {
    /// The way of so many records, where nobody asks for another.
    pub fn of(records: u64) -> Self {
        if records <= COLLECTIONS_UP_TO { Self::Collections } else { Self::Bulk }
    }
}

/// Seconds that Salesforce takes for 200 records, in either way: triggers and flows run in such portions.
const PORTION_SECONDS: f64 = 0.6;
/// Portions of a job that are at work at once.
const PORTIONS_AT_ONCE: f64 = 4.0;

/// Chooses. Reading each record again before it is written costs the same calls either way and is counted in both.
pub fn choose_write(facts: &WriteFacts) -> Chosen<WriteWay> {
    let again = facts.records.div_ceil(RETRIEVE_LIMIT as u64);
    let portions = facts.records.div_ceil(UPDATE_LIMIT as u64);
    let latency = facts.speeds.latency.as_secs_f64();
    let bytes = facts.records * facts.row_bytes;
    let collections = Priced {
        way: WriteWay::Collections,
        calls: portions + again,
        jobs: 0,
        bytes: bytes * 2,
        seconds: portions as f64 * (latency + PORTION_SECONDS) + again as f64 * latency,
    };
    let mut ways = vec![collections];
    if facts.bulk && facts.records > 0 {
        let jobs = bytes.div_ceil(JOB_BYTES).max(facts.records.div_ceil(JOB_RECORDS as u64));
        let work = portions as f64 * PORTION_SECONDS / PORTIONS_AT_ONCE / jobs as f64;
        let (polls, waited) = waiting(JOB_START + work);
        // Made, filled, closed, polled, two files of results. A finished job stays, for admins to look at.
        let calls = again + jobs * (5 + polls);
        let seconds = jobs as f64 * (waited + 5.0 * latency) + again as f64 * latency + bytes as f64 / BYTES_PER_SECOND;
        let bulk = Priced { way: WriteWay::Bulk, calls, jobs, bytes: bytes * 2, seconds };
        ways.push(bulk);
    }
    // There is always the first.
    let cheapest = cheapest(ways, facts.calls_left).unwrap_or(Chosen {
        way: WriteWay::Collections,
        estimate: super::Estimate::default(),
        alternatives: Vec::new(),
    });
    cheapest.with(WriteWay::of(facts.records))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(records: u64) -> WriteFacts {
        WriteFacts { records, row_bytes: 60, calls_left: Some(90_000), speeds: Speeds::default(), bulk: true }
    }

    #[test]
    fn small_plans_go_by_collections_and_large_ones_by_jobs() {
        let table = [
            (0, WriteWay::Collections, 0, 0),
            (1, WriteWay::Collections, 2, 0),
            (2_000, WriteWay::Collections, 11, 0),
            (2_001, WriteWay::Bulk, 26, 1),
            (10_000, WriteWay::Bulk, 30, 1),
            (1_000_000, WriteWay::Bulk, 1_000, 10),
            (4_000_000, WriteWay::Bulk, 4_000, 40),
        ];
        for (records, way, calls, jobs) in table {
            let chosen = choose_write(&facts(records));
            assert_eq!((chosen.way, chosen.estimate.jobs), (way, jobs), "{records} {chosen:?}");
            // Polls are among a job's calls, so its number is a bound.
            let found = chosen.estimate.calls;
            let fits = if jobs > 0 { found <= calls && found > calls / 2 } else { found == calls };
            assert!(fits, "{records} {chosen:?}");
        }
    }

    #[test]
    fn without_the_bulk_api_everything_goes_by_collections() {
        let chosen = choose_write(&WriteFacts { bulk: false, ..facts(100_000) });
        assert_eq!((chosen.way, chosen.estimate.calls), (WriteWay::Collections, 550));
        assert!(chosen.alternatives.is_empty());
    }
}
