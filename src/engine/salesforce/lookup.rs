//! Look-ups: `WHERE key IN (…)` by GET, each filled up to the documented limits (REST API guide: URI, and URI with headers, 16,384 bytes; SOQL guide:
//! statement 100,000 characters).

use std::ops::Range;
use std::pin::Pin;

use futures_util::StreamExt as _;

use super::{ApiError, Client, ErrorCode, QueryTotals, SalesforceError, Treatment, encoded_len};
use crate::model::{FieldName, ObjectName};
use crate::table::Block;

/// Limits of a GET.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetLimits {
    /// Bytes of URI and headers together.
    pub uri_bytes: usize,
    /// Characters of a statement.
    pub statement_chars: usize,
    /// Bytes of URI and headers that are not the statement.
    pub overhead: usize,
}

impl GetLimits {
    /// Bytes that an encoded statement may have.
    pub fn room(&self) -> usize {
        self.uri_bytes.saturating_sub(self.overhead)
    }
}

/// What to look up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// Object.
    pub object: ObjectName,
    /// SELECT list, in the order of the block's columns; parent paths allowed.
    pub columns: Vec<String>,
    /// Field that the keys are compared with.
    pub key_field: FieldName,
    /// One further condition, as written.
    pub condition: Option<String>,
}

impl Lookup {
    fn start(&self) -> String {
        format!("SELECT {} FROM {} WHERE {} IN (", self.columns.join(","), self.object, self.key_field)
    }

    fn end(&self) -> String {
        self.condition.as_ref().map_or_else(|| ")".to_owned(), |condition| format!(") AND ({condition})"))
    }

    /// Encoded bytes of a statement without its keys.
    pub fn around(&self) -> usize {
        encoded_len(&self.start()) + encoded_len(&self.end())
    }

    /// Packs literals (`'a@b.example'`, `5`: quoted and escaped already) into statements, in their order, each as full as the limits allow.
    pub fn pack<'l>(&self, literals: impl IntoIterator<Item = &'l str>, limits: &GetLimits) -> Lookups {
        let (start, end) = (self.start(), self.end());
        let around = (encoded_len(&start) + encoded_len(&end), start.chars().count() + end.chars().count());
        let mut packed = Lookups::default();
        let mut open: Option<(LookupQuery, usize)> = None;
        for (index, literal) in literals.into_iter().enumerate() {
            let (bytes, chars) = (encoded_len(literal), literal.chars().count());
            if around.0 + bytes > limits.room() || around.1 + chars > limits.statement_chars {
                packed.unfit.push(index);
                continue;
            }
            match &mut open {
                Some((query, length))
                    if query.encoded + 1 + bytes <= limits.room() && *length + 1 + chars <= limits.statement_chars =>
                {
                    query.soql.push(',');
                    query.soql.push_str(literal);
                    query.encoded += 1 + bytes;
                    *length += 1 + chars;
                    query.keys.end = index + 1;
                    query.count += 1;
                }
                _ => {
                    packed.queries.extend(open.take().map(|(query, _)| query));
                    let soql = format!("{start}{literal}");
                    let query = LookupQuery { soql, encoded: around.0 + bytes, keys: index..index + 1, count: 1 };
                    open = Some((query, around.1 + chars));
                }
            }
        }
        packed.queries.extend(open.map(|(query, _)| query));
        for query in &mut packed.queries {
            query.soql.push_str(&end);
        }
        packed
    }
}

/// One look-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupQuery {
    /// The statement.
    pub soql: String,
    /// Its bytes when encoded.
    pub encoded: usize,
    /// Positions of its first and last keys among the literals (unfit ones lie between).
    pub keys: Range<usize>,
    /// Keys in it.
    pub count: usize,
}

/// Literals packed into look-ups.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lookups {
    /// In the order of the literals.
    pub queries: Vec<LookupQuery>,
    /// Positions of literals that do not fit into a look-up even alone. They were not looked up, and the caller has to say so.
    pub unfit: Vec<usize>,
}

impl Client {
    /// The limits of a GET to this org with its present token.
    pub fn get_limits(&self) -> GetLimits {
        let access = self.access();
        let head = access.instance.as_str().len() + self.query_target("").len() + access.token.expose().len();
        // The rest: names of headers, user agent, request id, host, what HTTP and a proxy add.
        GetLimits { uri_bytes: 16_384, statement_chars: 100_000, overhead: head + 768 }
    }

    /// Looks keys up, several calls at once, and hands the blocks over in the order of the literals. Returns what came, and the literals that no look-up
    /// can hold. Blocks and rows are numbered as they are handed over, as if they came from one query.
    pub async fn look_up<E: From<SalesforceError>>(
        &self,
        lookup: &Lookup,
        literals: &[String],
        on_block: &mut (dyn FnMut(Block) -> Result<(), E> + Send),
    ) -> Result<(QueryTotals, Lookups), E> {
        let packed = lookup.pack(literals.iter().map(String::as_str), &self.get_limits());
        let mut totals = QueryTotals::default();
        let mut sequence = 0;
        // Boxed one by one: a closure over borrowed items would keep the whole future from being spawned.
        let mut jobs: Vec<Answering<'_>> = Vec::with_capacity(packed.queries.len());
        for query in &packed.queries {
            let keys = &literals[query.keys.clone()];
            jobs.push(Box::pin(self.look_up_one(lookup, &query.soql, keys)));
        }
        let mut answers = futures_util::stream::iter(jobs).buffered(self.concurrency());
        while let Some(answer) = answers.next().await {
            let (blocks, part) = answer?;
            let mut next_row = totals.rows + 1;
            totals.add(part);
            for block in blocks {
                let rows = block.rows() as u64;
                on_block(block.placed(sequence, next_row))?;
                (sequence, next_row) = (sequence + 1, next_row + rows);
            }
        }
        drop(answers);
        Ok((totals, packed))
    }

    /// One look-up; one that is too much for the server is asked in halves.
    async fn look_up_one(
        &self,
        lookup: &Lookup,
        soql: &str,
        keys: &[String],
    ) -> Result<(Vec<Block>, QueryTotals), SalesforceError> {
        let limits = self.get_limits();
        let (mut blocks, mut totals) = (Vec::new(), QueryTotals::default());
        let mut open = vec![(soql.to_owned(), keys)];
        while let Some((soql, keys)) = open.pop() {
            match self.query_whole(&soql, &lookup.columns).await {
                Ok((more, part)) => {
                    blocks.extend(more);
                    totals.add(part);
                }
                Err(error) if is_too_much(&error) && keys.len() > 1 => {
                    let (left, right) = keys.split_at(keys.len() / 2);
                    for half in [right, left] {
                        let packed = lookup.pack(half.iter().map(String::as_str), &limits);
                        open.extend(packed.queries.into_iter().rev().map(|q| (q.soql, &half[q.keys])));
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok((blocks, totals))
    }
}

/// A look-up on its way.
type Answering<'l> = Pin<Box<dyn Future<Output = Result<(Vec<Block>, QueryTotals), SalesforceError>> + Send + 'l>>;

fn is_too_much(error: &SalesforceError) -> bool {
    // The statement's own limit comes as MALFORMED_QUERY with this word.
    let too_long = |api: &ApiError| *api.code() == ErrorCode::MalformedQuery && api.fault.message.contains("too long");
    error.treatment() == Treatment::Narrow || error.api().is_some_and(too_long)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lookup(condition: Option<&str>) -> Lookup {
        Lookup {
            object: "Lead".into(),
            columns: vec!["Id".into(), "Email".into()],
            key_field: "Email".into(),
            condition: condition.map(str::to_owned),
        }
    }

    #[test]
    fn statements_read_as_they_should() {
        let limits = GetLimits { uri_bytes: 1_000, statement_chars: 1_000, overhead: 0 };
        let packed = lookup(Some("IsConverted = false")).pack(["'a'", "'b'"], &limits);
        assert_eq!(
            packed.queries[0].soql,
            "SELECT Id,Email FROM Lead WHERE Email IN ('a','b') AND (IsConverted = false)"
        );
        assert_eq!(lookup(None).pack([], &limits), Lookups::default());
    }

    #[test]
    fn a_get_is_filled() {
        let limits = GetLimits { uri_bytes: 16_384, statement_chars: 100_000, overhead: 1_000 };
        let literals: Vec<String> = (0..5_000).map(|n| format!("'person{n:05}@example.com'")).collect();
        let packed = lookup(None).pack(literals.iter().map(String::as_str), &limits);
        let one = encoded_len(&literals[0]) + 1;
        for query in &packed.queries[..packed.queries.len() - 1] {
            assert!(limits.room() - query.encoded < one, "{} of {}", query.encoded, limits.room());
        }
        assert_eq!(packed.queries.len(), (5_000 * one).div_ceil(limits.room() - lookup(None).around()));
    }

    #[test]
    fn a_key_that_fits_nowhere_is_named() {
        let limits = GetLimits { uri_bytes: 200, statement_chars: 100, overhead: 0 };
        let long = format!("'{}'", "ü".repeat(60));
        let packed = lookup(None).pack(["'a'", &long, "'b'"], &limits);
        assert_eq!(packed.unfit, [1]);
        assert_eq!((packed.queries.len(), packed.queries[0].keys.clone(), packed.queries[0].count), (1, 0..3, 2));
    }

    proptest! {
        #[test]
        fn limits_hold_and_no_key_is_lost(
            keys in prop::collection::vec("'[a-zü@.+ %]{0,40}'", 0..200),
            uri_bytes in 100usize..2_000,
            statement_chars in 60usize..500,
            condition in prop::option::of(Just("IsConverted = false")),
        ) {
            let limits = GetLimits { uri_bytes, statement_chars, overhead: 50 };
            let lookup = lookup(condition);
            let packed = lookup.pack(keys.iter().map(String::as_str), &limits);
            let (start, end) = (lookup.start(), lookup.end());
            let mut seen = Vec::new();
            for query in &packed.queries {
                prop_assert_eq!(query.encoded, encoded_len(&query.soql));
                prop_assert!(query.encoded <= limits.room());
                prop_assert!(query.soql.chars().count() <= statement_chars);
                let list = query.soql.strip_prefix(&start).unwrap().strip_suffix(&end).unwrap();
                let listed: Vec<&str> = list.split(',').collect();
                prop_assert_eq!(listed.len(), query.count);
                seen.extend(listed);
            }
            let expected: Vec<&str> =
                keys.iter().enumerate().filter(|(n, _)| !packed.unfit.contains(n)).map(|(_, k)| k.as_str()).collect();
            prop_assert_eq!(seen, expected);
            prop_assert_eq!(lookup.pack(keys.iter().map(String::as_str), &limits), packed);
        }
    }
}
