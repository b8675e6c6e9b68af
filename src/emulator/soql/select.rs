//! The SELECT list → SQL columns, and the shape of the JSON record that they fill.

use std::collections::HashMap;

use super::ast::{Aggregate, Condition, Group, Item, List, Path, Query};
use super::failure::{Failure, INVALID_FIELD, MALFORMED};
use super::operand::Family;
use super::scope::{Column, Scope, quote, visible};
use crate::schema::{FieldDef, Kind};

/// How a stored value becomes JSON.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Text,
    Boolean,
    Integer,
    Real,
    Datetime,
    /// A picklist's values by their labels.
    Label(HashMap<String, String>),
}

/// A part of a record, with its key as JSON and a colon: `"Email":`.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Value {
        key: String,
        column: usize,
        cell: Cell,
    },
    /// A compound address; null when all parts are.
    Address {
        key: String,
        parts: Vec<(String, usize, Cell)>,
    },
    /// A related record, null when there is none. `types`: key prefix and name of the objects that it may be.
    Parent {
        key: String,
        name: String,
        types: Vec<(String, String)>,
        id: usize,
        nodes: Vec<Node>,
    },
}

impl Cell {
    fn of(field: &FieldDef) -> Cell {
        match field.kind {
            Kind::Boolean => Cell::Boolean,
            Kind::Int => Cell::Integer,
            Kind::Double | Kind::Currency | Kind::Percent => Cell::Real,
            Kind::Datetime => Cell::Datetime,
            _ => Cell::Text,
        }
    }
}

/// A name as a JSON key.
fn key(name: &str) -> String {
    format!("{}:", serde_json::Value::String(name.to_owned()))
}

/// SQL columns, and the record made of them.
#[derive(Default)]
pub(super) struct Shape {
    pub columns: Vec<String>,
    pub nodes: Vec<Node>,
    /// The same as a table: each column's path, SQL column and form, in SELECT order; compound fields left out.
    pub table: Vec<(String, usize, Cell)>,
}

impl Shape {
    fn column(&mut self, sql: String) -> usize {
        self.columns.push(sql);
        self.columns.len() - 1
    }

    fn node(&mut self, scope: &Scope<'_, '_>, column: &Column<'_>, name: &str, label: bool) -> Node {
        let field = column.field;
        if field.kind == Kind::Address {
            let prefix = field.name.strip_suffix("Address").unwrap_or_default();
            let of = |part: &&FieldDef| {
                part.compound.as_deref() == Some(field.name.as_str()) && visible(scope.view, column.object, part)
            };
            let mut parts: Vec<_> = column.object.fields.iter().filter(of).collect();
            parts.sort_by(|a, b| a.name.cmp(&b.name));
            let mut cells = Vec::new();
            for part in parts {
                let short = part.name.strip_prefix(prefix).unwrap_or(&part.name);
                let mut letters = short.chars();
                let small: String = letters.next().map(|c| c.to_ascii_lowercase()).into_iter().chain(letters).collect();
                let sql = scope.sources[column.source].column(&part.name, scope.view);
                cells.push((key(&small), self.column(sql), Cell::of(part)));
            }
            return Node::Address { key: key(name), parts: cells };
        }
        let cell = if label {
            Cell::Label(field.picklist.iter().map(|entry| (entry.value.clone(), entry.label.clone())).collect())
        } else {
            Cell::of(field)
        };
        Node::Value { key: key(name), column: self.column(column.sql.clone()), cell }
    }

    /// Puts a node where its relationships lead, beside the others of the same related record.
    fn put(&mut self, scope: &Scope<'_, '_>, nodes: &mut Vec<Node>, steps: &[String], depth: usize, node: Node) {
        let Some(step) = steps.get(depth) else { return nodes.push(node) };
        let known = nodes.iter().position(|node| matches!(node, Node::Parent { name, .. } if name == step));
        let index = known.unwrap_or_else(|| {
            let source = scope.source(&steps[..=depth]);
            let id = self.column(source.column("Id", scope.view));
            let types = source.tables.iter().map(|(o, _)| (o.key_prefix.clone(), o.name.clone())).collect();
            nodes.push(Node::Parent { key: key(step), name: step.clone(), types, id, nodes: Vec::new() });
            nodes.len() - 1
        });
        if let Node::Parent { nodes, .. } = &mut nodes[index] {
            self.put(scope, nodes, steps, depth + 1, node);
        }
    }
}

/// The shape of plain records. Column 0 is the record's id.
pub(super) fn records(scope: &mut Scope<'_, '_>, query: &Query) -> Result<Shape, Failure> {
    let mut shape = Shape::default();
    shape.column(scope.sources[0].column("Id", scope.view));
    let (mut taken, mut nodes): (Vec<String>, Vec<Node>) = Default::default();
    for item in &query.items {
        let refuse = |path: &Path, message: &str| Failure::at(scope.text, path.at.0, MALFORMED, message);
        let chosen = match item {
            Item::Field { path, alias: Some(_) } => {
                return Err(refuse(path, "only aggregate expressions use field aliasing"));
            }
            Item::Field { path, alias: None } => vec![(scope.resolve(path)?, None, false)],
            Item::Label { path, alias } => {
                let column = scope.resolve(path)?;
                if !matches!(column.field.kind, Kind::Picklist | Kind::Multipicklist | Kind::Combobox) {
                    let message = format!("field '{}' is no picklist: toLabel() can not be used", column.field.name);
                    return Err(Failure::at(scope.text, path.at.0, INVALID_FIELD, message));
                }
                vec![(column, alias.clone(), true)]
            }
            Item::Fields { group, at } => expand(scope, query, *group, at.0)?,
            Item::Aggregate { path, .. } => {
                return Err(refuse(path, "aggregate expressions and fields in one SELECT need GROUP BY"));
            }
            Item::Count { at } => {
                return Err(Failure::at(scope.text, at.0, MALFORMED, "unexpected token: 'count'"));
            }
        };
        for (column, alias, label) in chosen {
            let name = alias.unwrap_or_else(|| column.path());
            if taken.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
                return Err(Failure::plain(INVALID_FIELD, format!("duplicate field selected: {name}")));
            }
            let last = if name == column.path() { column.field.name.clone() } else { name.clone() };
            let node = shape.node(scope, &column, &last, label);
            if let Node::Value { column, cell, .. } = &node {
                shape.table.push((name.clone(), *column, cell.clone()));
            }
            shape.put(scope, &mut nodes, &column.steps, 0, node);
            taken.push(name);
        }
    }
    shape.nodes = nodes;
    Ok(shape)
}

type Chosen<'a> = (Column<'a>, Option<String>, bool);

/// `FIELDS(…)`: all that the user may see.
/// <https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_fields.htm>
fn expand<'a>(scope: &mut Scope<'a, '_>, query: &Query, group: Group, at: usize) -> Result<Vec<Chosen<'a>>, Failure> {
    let by_id = |condition: &Condition| match condition {
        Condition::In { path, negated: false, list: List::Values(ids) } => {
            path.parts.last().is_some_and(|name| name.eq_ignore_ascii_case("Id")) && ids.len() <= 200
        }
        _ => false,
    };
    let few = query.limit.is_some_and(|limit| limit <= 200) || query.filter.as_ref().is_some_and(by_id);
    if group != Group::Standard && !few {
        let message = "The SOQL FIELDS function must have a LIMIT of at most 200";
        return Err(Failure::at(scope.text, at, MALFORMED, message));
    }
    let object = scope.object;
    let wanted = |field: &&FieldDef| match group {
        Group::All => true,
        Group::Standard => !field.custom,
        Group::Custom => field.custom,
    };
    let visible: Vec<&FieldDef> =
        object.fields.iter().filter(wanted).filter(|field| visible(scope.view, object, field)).collect();
    let columns = visible.into_iter().map(|field| Column {
        source: 0,
        steps: Vec::new(),
        object,
        field,
        sql: format!("{}.{}", scope.sources[0].tables[0].1, quote(&field.name)),
    });
    Ok(columns.map(|column| (column, None, false)).collect())
}

/// The shape of the one record of `SELECT COUNT(Id) …`, if the list asks for such.
pub(super) fn aggregates(scope: &mut Scope<'_, '_>, query: &Query) -> Result<Option<Shape>, Failure> {
    if !query.items.iter().any(|item| matches!(item, Item::Aggregate { .. })) {
        return Ok(None);
    }
    let (mut shape, mut unnamed, mut taken) = (Shape::default(), 0, Vec::new());
    for item in &query.items {
        let (function, path, alias) = match item {
            Item::Aggregate { function, path, alias } => (*function, path, alias),
            Item::Field { path, .. } | Item::Label { path, .. } => {
                let message = format!("Field must be grouped or aggregated: {path}");
                return Err(Failure::at(scope.text, path.at.0, MALFORMED, message));
            }
            Item::Count { at } | Item::Fields { at, .. } => {
                return Err(Failure::not_emulated(scope.text, at.0, "this beside aggregate expressions"));
            }
        };
        let column = scope.resolve(path)?;
        let family = Family::of(column.field);
        let (name, cell) = match function {
            Aggregate::Count => ("COUNT", Cell::Integer),
            Aggregate::CountDistinct => ("COUNT_DISTINCT", Cell::Integer),
            Aggregate::Min => ("MIN", Cell::of(column.field)),
            Aggregate::Max => ("MAX", Cell::of(column.field)),
            Aggregate::Sum => ("SUM", Cell::Real),
            Aggregate::Avg => ("AVG", Cell::Real),
        };
        let numbers = matches!(function, Aggregate::Sum | Aggregate::Avg);
        let ordered = matches!(function, Aggregate::Min | Aggregate::Max);
        let fits = !matches!(column.field.kind, Kind::Address | Kind::Base64)
            && column.field.filterable
            && (!numbers || matches!(family, Family::Number(_)))
            && !(ordered && matches!(family, Family::Boolean | Family::Id | Family::Set));
        if !fits {
            let message = format!("field {} does not support aggregate operator {name}", column.field.name);
            return Err(Failure::at(scope.text, path.at.0, MALFORMED, message));
        }
        let sql = format!("{}{}", column.sql, family.collation());
        let index = shape.column(match function {
            Aggregate::CountDistinct => format!("COUNT(DISTINCT {sql})"),
            _ => format!("{name}({sql})"),
        });
        let name = alias.clone().unwrap_or_else(|| {
            unnamed += 1;
            format!("expr{}", unnamed - 1)
        });
        if taken.contains(&name.to_ascii_lowercase()) {
            return Err(Failure::at(scope.text, path.at.0, MALFORMED, format!("duplicate alias: {name}")));
        }
        taken.push(name.to_ascii_lowercase());
        shape.nodes.push(Node::Value { key: key(&name), column: index, cell });
    }
    Ok(Some(shape))
}
