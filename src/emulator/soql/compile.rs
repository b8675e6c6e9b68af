//! A tree → one SQL statement with parameters, and what its rows mean.

use rusqlite::types::Value;

use super::answer::View;
use super::ast::{Group, Item, Query};
use super::failure::{BULK, Failure, MALFORMED, OUT_OF_RANGE};
use super::filter::Filter;
use super::scope::Scope;
use super::select::{Cell, Node, aggregates, records};
use super::{order, parser};

/// Largest OFFSET.
/// <https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_offset.htm>
const OFFSET: u64 = 2_000;

/// What the rows of a statement are.
pub(super) enum Rows {
    /// One row, one number: `COUNT()`.
    Count,
    /// One row: an AggregateResult.
    Aggregate(Vec<Node>),
    /// Records of this object; column 0 is the id.
    Records(String, Vec<Node>),
}

/// Ready to run.
pub(super) struct Plan {
    pub sql: String,
    pub values: Vec<Value>,
    pub rows: Rows,
    /// Records as a table: each column's path, SQL column and form, in SELECT order.
    pub table: Vec<(String, usize, Cell)>,
    /// The query says an order.
    pub ordered: bool,
}

/// The plan of a query's text.
pub(super) fn compile(text: &str, view: &View<'_>) -> Result<Plan, Failure> {
    plan(text, view, &parser::parse(text)?)
}

/// The plan of a bulk query's text, which may do less.
pub(super) fn compile_bulk(text: &str, view: &View<'_>) -> Result<Plan, Failure> {
    let query = parser::parse(text)?;
    let aggregate = |item: &Item| matches!(item, Item::Count { .. } | Item::Aggregate { .. });
    let fields = |item: &Item| matches!(item, Item::Fields { group, .. } if *group != Group::Standard);
    let refused = if query.items.iter().any(aggregate) {
        Some("Aggregate Relationships not supported in Bulk Query")
    } else if query.items.iter().any(fields) {
        Some("FIELDS(ALL) and FIELDS(CUSTOM) not supported in Bulk Query")
    } else if query.offset.is_some() {
        Some("OFFSET not supported in Bulk Query")
    } else {
        None
    };
    if let Some(message) = refused {
        return Err(Failure::plain(BULK, message));
    }
    let plan = plan(text, view, &query)?;
    let Rows::Records(_, nodes) = &plan.rows else { return Err(Failure::plain(BULK, "API does not support query")) };
    if nodes.iter().any(is_compound) {
        return Err(Failure::plain(BULK, "Selecting compound data not supported in Bulk Query"));
    }
    Ok(plan)
}

fn is_compound(node: &Node) -> bool {
    match node {
        Node::Value { .. } => false,
        Node::Address { .. } => true,
        Node::Parent { nodes, .. } => nodes.iter().any(is_compound),
    }
}

fn plan(text: &str, view: &View<'_>, query: &Query) -> Result<Plan, Failure> {
    if query.offset.is_some_and(|offset| offset > OFFSET) {
        return Err(Failure::plain(OUT_OF_RANGE, format!("Maximum SOQL offset allowed is {OFFSET}")));
    }
    let mut scope = Scope::new(text, view, query, "t".to_owned())?;
    let counting = matches!(query.items.as_slice(), [Item::Count { .. }]);
    let mut columns = vec!["1".to_owned()];
    let mut table = Vec::new();
    let rows = if counting {
        Rows::Count
    } else if let Some(shape) = aggregates(&mut scope, query)? {
        refuse_with_aggregates(text, query)?;
        columns = shape.columns;
        Rows::Aggregate(shape.nodes)
    } else {
        let shape = records(&mut scope, query)?;
        (columns, table) = (shape.columns, shape.table);
        Rows::Records(scope.object.name.clone(), shape.nodes)
    };
    let mut values = Vec::new();
    let mut tail = scope.alive();
    if let Some(condition) = &query.filter {
        tail += &format!(" AND {}", Filter::outer(&mut scope, &mut values).condition(condition)?);
    }
    tail += &order::order(&mut scope, &query.order, &mut values)?;
    match (query.limit, query.offset) {
        (None, None) => {}
        (Some(limit), None) => tail += &format!(" LIMIT {limit}"),
        (limit, Some(offset)) => {
            let limit = limit.map_or("-1".to_owned(), |limit| limit.to_string());
            tail += &format!(" LIMIT {limit} OFFSET {offset}");
        }
    }
    let mut sql = format!("SELECT {} FROM {} WHERE {tail}", columns.join(", "), scope.from());
    if counting {
        sql = format!("SELECT COUNT(*) FROM ({sql})");
    }
    Ok(Plan { sql, values, rows, table, ordered: !query.order.is_empty() })
}

fn refuse_with_aggregates(text: &str, query: &Query) -> Result<(), Failure> {
    if let Some(order) = query.order.first() {
        let message = format!("Ordered field must be grouped or aggregated: {}", order.path);
        return Err(Failure::at(text, order.path.at.0, MALFORMED, message));
    }
    if query.limit.is_some() || query.offset.is_some() {
        let message = "Non-grouped query that uses overall aggregate functions cannot also use LIMIT";
        return Err(Failure::plain(MALFORMED, message));
    }
    Ok(())
}
