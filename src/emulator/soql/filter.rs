//! WHERE → one SQL condition with parameters. Knows Salesforce's two-valued logic: `!=` and `NOT` take nulls in.

use rusqlite::types::Value;

use super::ast::{Condition, Item, List, Literal, Operator, Path, Query};
use super::failure::{Failure, INVALID_FIELD, INVALID_OPERATOR, MALFORMED, UNKNOWN};
use super::operand::{Against, Family, Operand};
use super::scope::{Column, Scope};
use crate::schema::Kind;

/// Semi-joins in one WHERE.
/// <https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_comparisonoperators.htm>
const SEMI_JOINS: usize = 2;

/// Compiles the conditions of one SELECT.
pub(super) struct Filter<'s, 'a, 'v> {
    pub scope: &'s mut Scope<'a, 'v>,
    /// Parameters so far, in the order of the statement's question marks.
    pub values: &'s mut Vec<Value>,
    semi_joins: usize,
    inside: bool,
}

impl<'s, 'a, 'v> Filter<'s, 'a, 'v> {
    /// A filter of the statement's own WHERE.
    pub(super) fn outer(scope: &'s mut Scope<'a, 'v>, values: &'s mut Vec<Value>) -> Self {
        Filter { scope, values, semi_joins: 0, inside: false }
    }

    fn refuse(&self, path: &Path, message: impl AsRef<str>) -> Failure {
        Failure::at(self.scope.text, path.at.0, MALFORMED, message)
    }

    /// The SQL of a condition; null counts as false in it.
    pub(super) fn condition(&mut self, condition: &Condition) -> Result<String, Failure> {
        match condition {
            Condition::All(parts) => self.joined(parts, "AND"),
            Condition::Any(parts) => {
                if let Some(path) = parts.iter().find_map(semi_join) {
                    let message = "Semi join sub-selects are not allowed with the 'OR' operator";
                    return Err(self.refuse(path, message));
                }
                self.joined(parts, "OR")
            }
            Condition::Not(inner) => Ok(format!("NOT IFNULL({}, 0)", self.condition(inner)?)),
            Condition::Compare { path, operator, value } => self.compare(path, *operator, value),
            Condition::Like { path, pattern } => self.like(path, pattern),
            Condition::In { path, negated, list: List::Values(list) } => self.within(path, *negated, list),
            Condition::In { path, negated, list: List::Query(query) } => self.semi_join(path, *negated, query),
            Condition::Includes { path, negated, groups } => self.includes(path, *negated, groups),
        }
    }

    fn joined(&mut self, parts: &[Condition], word: &str) -> Result<String, Failure> {
        let parts = parts.iter().map(|part| self.condition(part)).collect::<Result<Vec<_>, _>>()?;
        Ok(balanced(&parts, word))
    }

    fn column(&mut self, path: &Path) -> Result<Column<'a>, Failure> {
        let column = self.scope.resolve(path)?;
        let message = match column.field.kind {
            Kind::Address => "Address fields can only be filtered using Distance expressions".to_owned(),
            _ if column.field.filterable => return Ok(column),
            _ => format!("field '{}' can not be filtered in a query call", column.field.name),
        };
        Err(Failure::at(self.scope.text, path.at.0, INVALID_FIELD, message))
    }

    fn bind(&mut self, value: Value) -> &'static str {
        self.values.push(value);
        "?"
    }

    fn compare(&mut self, path: &Path, operator: Operator, literal: &Literal) -> Result<String, Failure> {
        let column = self.column(path)?;
        let against = Against { text: self.scope.text, at: path.at.0, column: &column };
        let family = Family::of(column.field);
        let equality = matches!(operator, Operator::Equal | Operator::NotEqual);
        if !equality && matches!(family, Family::Boolean | Family::Set) {
            return Err(against.bad_operator(family));
        }
        let operand = against.operand(literal, self.scope.view)?;
        let sql = &column.sql;
        Ok(match (operand, operator) {
            (Operand::Null, Operator::Equal) => format!("{sql} IS NULL"),
            (Operand::Null, Operator::NotEqual) => format!("{sql} IS NOT NULL"),
            (Operand::Null, _) => "0".to_owned(),
            (Operand::One(value), Operator::Equal) => self.equals(sql, family, value),
            (Operand::One(value), Operator::NotEqual) => {
                format!("NOT IFNULL({}, 0)", self.equals(sql, family, value))
            }
            (Operand::One(value), _) => {
                format!("{sql}{} {} {}", family.collation(), operator.sign(), self.bind(value))
            }
            (Operand::Range(first, after), operator) => {
                let (first, after) = (Value::Text(first), Value::Text(after));
                match operator {
                    Operator::Equal => self.between(sql, first, after),
                    Operator::NotEqual => format!("NOT IFNULL({}, 0)", self.between(sql, first, after)),
                    Operator::Less => format!("{sql} < {}", self.bind(first)),
                    Operator::LessOrEqual => format!("{sql} < {}", self.bind(after)),
                    Operator::Greater => format!("{sql} >= {}", self.bind(after)),
                    Operator::GreaterOrEqual => format!("{sql} >= {}", self.bind(first)),
                }
            }
        })
    }

    fn equals(&mut self, sql: &str, family: Family, value: Value) -> String {
        let value = self.bind(value);
        match family {
            Family::Set => format!("sf_same_set({sql}, {value})"),
            // Stored as null only if a seed forgot it: then it is false.
            Family::Boolean => format!("IFNULL({sql}, 0) = {value}"),
            _ => format!("{sql}{} = {value}", family.collation()),
        }
    }

    fn between(&mut self, sql: &str, first: Value, after: Value) -> String {
        let (first, after) = (self.bind(first), self.bind(after));
        format!("({sql} >= {first} AND {sql} < {after})")
    }

    fn like(&mut self, path: &Path, pattern: &str) -> Result<String, Failure> {
        let column = self.column(path)?;
        let family = Family::of(column.field);
        let Family::Text { heed_case } = family else {
            let against = Against { text: self.scope.text, at: path.at.0, column: &column };
            return Err(against.bad_operator(family));
        };
        let pattern = self.bind(Value::Text(pattern.to_owned()));
        Ok(format!("sf_like({}, {pattern}, {})", column.sql, i32::from(heed_case)))
    }

    fn within(&mut self, path: &Path, negated: bool, list: &[Literal]) -> Result<String, Failure> {
        let column = self.column(path)?;
        let against = Against { text: self.scope.text, at: path.at.0, column: &column };
        let (family, sql) = (Family::of(column.field), &column.sql);
        let (mut plain, mut terms) = (Vec::new(), Vec::new());
        for literal in list {
            match against.operand(literal, self.scope.view)? {
                Operand::Null => terms.push(format!("{sql} IS NULL")),
                Operand::One(value) if matches!(family, Family::Set | Family::Boolean) => {
                    terms.push(self.equals(sql, family, value));
                }
                Operand::One(value) => plain.push(json(value)),
                Operand::Range(first, after) => terms.push(self.between(sql, Value::Text(first), Value::Text(after))),
            }
        }
        if !plain.is_empty() {
            // One parameter however long the list; the collation of the left side decides, and finds its index.
            let list = self.bind(Value::Text(format!("[{}]", plain.join(","))));
            terms.push(format!("{sql}{} IN (SELECT value FROM json_each({list}))", family.collation()));
        }
        terms.dedup_by(|a, b| a == b && a.ends_with("IS NULL"));
        let any = balanced(&terms, "OR");
        Ok(if negated { format!("NOT IFNULL({any}, 0)") } else { any })
    }

    fn includes(&mut self, path: &Path, negated: bool, groups: &[String]) -> Result<String, Failure> {
        let column = self.column(path)?;
        let against = Against { text: self.scope.text, at: path.at.0, column: &column };
        if Family::of(column.field) != Family::Set {
            let message = "includes or excludes operator only valid on multipicklist field";
            return Err(against.refuse(INVALID_OPERATOR, message));
        }
        let json = serde_json::to_string(groups).map_err(|e| Failure::plain(UNKNOWN, e.to_string()))?;
        let groups = self.bind(Value::Text(json));
        // That EXCLUDES takes nulls in is unconfirmed, by likeness to `!=`.
        Ok(format!("{}sf_includes({}, {groups})", if negated { "NOT " } else { "" }, column.sql))
    }

    fn semi_join(&mut self, path: &Path, negated: bool, query: &Query) -> Result<String, Failure> {
        let column = self.column(path)?;
        self.semi_joins += 1;
        let refused = if self.inside {
            Some("Nesting of semi join sub-selects is not supported".to_owned())
        } else if self.semi_joins > SEMI_JOINS {
            Some(format!("A maximum of {SEMI_JOINS} semi join sub-selects are allowed"))
        } else if Family::of(column.field) != Family::Id {
            Some("Semi join sub-selects are only allowed on id and reference fields".to_owned())
        } else if !query.order.is_empty() || query.limit.is_some() || query.offset.is_some() {
            Some("Semi join sub-selects can not use ORDER BY, LIMIT or OFFSET".to_owned())
        } else if query.object.eq_ignore_ascii_case(&self.scope.object.name) && column.field.kind == Kind::Id {
            Some("The inner and outer selects should not be on the same object type".to_owned())
        } else {
            None
        };
        if let Some(message) = refused {
            return Err(self.refuse(path, message));
        }
        let [Item::Field { path: selected, alias: None }] = query.items.as_slice() else {
            return Err(self.refuse(path, "Semi join sub-selects must select exactly one field"));
        };
        let prefix = format!("s{}_", self.semi_joins);
        let mut scope = Scope::new(self.scope.text, self.scope.view, query, prefix)?;
        let inner = scope.resolve(selected)?;
        if Family::of(inner.field) != Family::Id {
            return Err(self.refuse(selected, "Semi join sub-selects must select an id or reference field"));
        }
        let mut filter = Filter { scope: &mut scope, values: self.values, semi_joins: 0, inside: true };
        let condition = match &query.filter {
            Some(condition) => format!(" AND {}", filter.condition(condition)?),
            None => String::new(),
        };
        let select = format!(
            "SELECT {} FROM {} WHERE {}{condition} AND {} IS NOT NULL",
            inner.sql,
            scope.from(),
            scope.alive(),
            inner.sql
        );
        let within = format!("{} IN ({select})", column.sql);
        Ok(if negated { format!("NOT IFNULL({within}, 0)") } else { within })
    }
}

/// The path of a semi-join that is one of these conditions itself.
fn semi_join(condition: &Condition) -> Option<&Path> {
    match condition {
        Condition::In { path, list: List::Query(_), .. } => Some(path),
        Condition::Not(inner) => semi_join(inner),
        Condition::All(parts) => parts.iter().find_map(semi_join),
        _ => None,
    }
}

/// Joined as a balanced tree: SQLite limits how deep an expression goes, not how wide.
fn balanced(parts: &[String], word: &str) -> String {
    match parts {
        [] => "0".to_owned(),
        [one] => one.clone(),
        parts => {
            let (left, right) = parts.split_at(parts.len() / 2);
            format!("({} {word} {})", balanced(left, word), balanced(right, word))
        }
    }
}

fn json(value: Value) -> String {
    match value {
        Value::Integer(whole) => whole.to_string(),
        Value::Real(real) => format!("{real:?}"),
        Value::Text(text) => serde_json::Value::String(text).to_string(),
        Value::Null | Value::Blob(_) => "null".to_owned(),
    }
}
