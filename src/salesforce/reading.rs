//! Which way to read the org's side: look-ups of the report's keys, or the whole object. Decided by the number of calls and by the match field's index.

use super::GetLimits;

/// What has to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Demand {
    /// Distinct keys of the report.
    pub keys: u64,
    /// Bytes of all keys as encoded literals, commas included (see [`encoded_len`](super::encoded_len)).
    pub encoded_bytes: u64,
}

/// A way, with the calls that it takes. (Bulk queries come here when they come.)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// `IN` look-ups of the keys.
    Lookup {
        /// Calls.
        calls: u64,
    },
    /// Paging through the object.
    Query {
        /// Calls; counted by the usual page, since Salesforce may send smaller ones.
        calls: u64,
    },
}

impl Way {
    /// Calls.
    pub fn calls(self) -> u64 {
        match self {
            Way::Lookup { calls } | Way::Query { calls } => calls,
        }
    }
}

/// Without an index each look-up makes Salesforce read the whole object, which counts as one more call for so many records.
const SCANNED_PER_CALL: u64 = 50_000;

/// Chooses the way that costs less; at the same cost the look-up, which reads only what is needed.
///
/// `around` is the encoded length of a look-up's statement without its keys. `object_rows` is the org's own estimate: unknown, the object counts as large
/// for an indexed field (look-ups then) and as too large to scan for one without index (paging then, which cannot time out).
pub fn choose(
    demand: Demand,
    indexed: bool,
    object_rows: Option<u64>,
    page_rows: u64,
    limits: &GetLimits,
    around: usize,
) -> Way {
    let room = limits.room().saturating_sub(around).max(1) as u64;
    let lookups = if demand.keys == 0 { 0 } else { demand.encoded_bytes.div_ceil(room).max(1) };
    let pages = object_rows.map(|rows| rows.div_ceil(page_rows.max(1)).max(1));
    let weight = match (indexed, object_rows) {
        (true, _) => 1,
        (false, Some(rows)) => 1 + rows / SCANNED_PER_CALL,
        (false, None) => u64::MAX,
    };
    match pages {
        _ if lookups == 0 => Way::Lookup { calls: 0 },
        None if indexed => Way::Lookup { calls: lookups },
        None => Way::Query { calls: 1 },
        Some(pages) if lookups.saturating_mul(weight) <= pages => Way::Lookup { calls: lookups },
        Some(pages) => Way::Query { calls: pages },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cheaper_way_is_chosen() {
        let limits = GetLimits { uri_bytes: 16_384, statement_chars: 100_000, overhead: 1_384 };
        // room: 15,000 - 200 = 14,800 bytes, about 493 keys of 30 bytes
        let lookup = |calls| Way::Lookup { calls };
        let query = |calls| Way::Query { calls };
        let table = [
            (0, true, Some(1_000_000), lookup(0)),
            (0, false, None, lookup(0)),
            (1, true, Some(0), lookup(1)),
            (1, true, Some(1_000_000), lookup(1)),
            (400, true, Some(2_000), lookup(1)),
            (500, true, Some(2_000), query(1)),
            (500, true, Some(2_001), lookup(2)),
            (5_000, true, Some(5_000), query(3)),
            (5_000, true, Some(1_000_000), lookup(11)),
            (100_000, true, Some(100_000), query(50)),
            (100_000, true, Some(10_000_000), lookup(203)),
            (5_000, true, None, lookup(11)),
            // without an index
            (400, false, Some(2_000), lookup(1)),
            (500, false, Some(1_000_000), lookup(2)),
            (5_000, false, Some(100_000), lookup(11)),
            (20_000, false, Some(100_000), query(50)),
            (20_000, false, Some(1_000_000), query(500)),
            (20_000, true, Some(1_000_000), lookup(41)),
            (1, false, None, query(1)),
        ];
        for (keys, indexed, rows, expected) in table {
            let demand = Demand { keys, encoded_bytes: keys * 30 };
            assert_eq!(choose(demand, indexed, rows, 2_000, &limits, 200), expected, "{keys} {indexed} {rows:?}");
        }
    }
}
