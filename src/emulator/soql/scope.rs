//! Names in a query → columns of joined tables. Knows relationships and who may see what; not what is done with a column.

use super::answer::View;
use super::ast::{Path, Query};
use super::failure::{Failure, INVALID_FIELD, INVALID_TYPE, MALFORMED};
use crate::schema::{FieldDef, Kind, ObjectDef};

/// Most relationships from child to parent in one path, and tables in one statement (SQLite joins 64).
const LEVELS: usize = 5;
const TABLES: usize = 60;

/// The record at the end of a relationship path: one table, or several where a look-up may point to several objects.
pub(super) struct Source<'a> {
    /// Names of the relationships from the query's object, in small letters; empty for the object itself.
    steps: Vec<String>,
    pub tables: Vec<(&'a ObjectDef, String)>,
    /// What messages call it: a look-up to several objects leads to the entity `Name`.
    entity: &'a str,
}

impl Source<'_> {
    /// The SQL for a column of this record, over all tables that have it and whose own the user may see.
    pub(super) fn column(&self, name: &str, view: &View<'_>) -> String {
        let having =
            self.tables.iter().filter(|(object, _)| object.field(name).is_some_and(|f| visible(view, object, f)));
        let columns: Vec<String> = having.map(|(_, table)| format!("{table}.{}", quote(name))).collect();
        match columns.as_slice() {
            [] => "NULL".to_owned(),
            [column] => column.clone(),
            columns => format!("COALESCE({})", columns.join(", ")),
        }
    }
}

/// A field found by its path.
#[derive(Clone)]
pub(super) struct Column<'a> {
    /// Index of its record among the scope's sources.
    pub source: usize,
    /// The relationships on the way, in canonical case.
    pub steps: Vec<String>,
    pub object: &'a ObjectDef,
    pub field: &'a FieldDef,
    pub sql: String,
}

impl Column<'_> {
    /// The path in canonical case.
    pub(super) fn path(&self) -> String {
        let mut path = self.steps.join(".");
        if !path.is_empty() {
            path.push('.');
        }
        path + &self.field.name
    }
}

/// Everything that one SELECT can name.
pub(super) struct Scope<'a, 'v> {
    pub text: &'v str,
    pub view: &'v View<'a>,
    pub object: &'a ObjectDef,
    alias: Option<String>,
    prefix: String,
    pub sources: Vec<Source<'a>>,
    joins: String,
    tables: usize,
}

/// May the user see the field?
pub(super) fn visible(view: &View<'_>, object: &ObjectDef, field: &FieldDef) -> bool {
    field.kind == Kind::Id || (view.readable)(&object.name, &field.name)
}

/// A name in SQL.
pub(super) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl<'a, 'v> Scope<'a, 'v> {
    /// The scope of a query, its tables named from `prefix` (each SELECT in a statement has its own).
    pub(super) fn new(text: &'v str, view: &'v View<'a>, query: &Query, prefix: String) -> Result<Self, Failure> {
        let found = view.catalog.object(&query.object).filter(|object| (view.readable)(&object.name, ""));
        let object = found.ok_or_else(|| {
            let message = format!(
                "sObject type '{}' is not supported. If you are attempting to use a custom object, be sure to append the \
                 '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names.",
                query.object
            );
            Failure::at(text, query.object_at.0, INVALID_TYPE, message)
        })?;
        let table = format!("{prefix}0");
        let joins = format!("{} {table}", quote(&format!("o_{}", object.name)));
        let root = Source { steps: Vec::new(), tables: vec![(object, table)], entity: &object.name };
        Ok(Scope { text, view, object, alias: query.alias.clone(), prefix, sources: vec![root], joins, tables: 1 })
    }

    /// The record at the end of a path that was resolved before.
    pub(super) fn source(&self, steps: &[String]) -> &Source<'a> {
        let same = |known: &[String]| {
            known.len() == steps.len() && known.iter().zip(steps).all(|(a, b)| a.eq_ignore_ascii_case(b))
        };
        self.sources.iter().find(|source| same(&source.steps)).unwrap_or(&self.sources[0])
    }

    /// What stands after FROM.
    pub(super) fn from(&self) -> &str {
        &self.joins
    }

    /// The condition that leaves out what sharing hides; empty when it hides nothing.
    fn unshared(&self, object: &ObjectDef, table: &str) -> String {
        let hidden = (self.view.hidden)(&object.name);
        let of_object = hidden.iter().filter(|id| id.starts_with(&object.key_prefix)).map(|id| format!("'{id}'"));
        match of_object.collect::<Vec<_>>().join(",") {
            list if list.is_empty() => list,
            list => format!(" AND {table}.\"Id\" NOT IN ({list})"),
        }
    }

    /// The condition that leaves out deleted records, and those that the user may not see.
    pub(super) fn alive(&self) -> String {
        let table = format!("{}0", self.prefix);
        format!("{table}.\"__deleted\" IS NOT 1{}", self.unshared(self.object, &table))
    }

    /// The column behind a path, joining the tables on the way.
    pub(super) fn resolve(&mut self, path: &Path) -> Result<Column<'a>, Failure> {
        let at = path.at.0;
        let (name, mut steps) = match path.parts.split_last() {
            Some((name, steps)) => (name, steps),
            None => return Err(Failure::at(self.text, at, MALFORMED, "unexpected token: '<EOF>'")),
        };
        // `l.Email` after `FROM Lead l`, and `Lead.Email`.
        if let Some((first, rest)) = steps.split_first() {
            let own = self.alias.as_deref().is_some_and(|alias| alias.eq_ignore_ascii_case(first))
                || (self.object.name.eq_ignore_ascii_case(first) && self.object.relationship(first).is_none());
            if own {
                steps = rest;
            }
        }
        if steps.len() > LEVELS {
            let message = format!(
                "SOQL statements cannot query parent relationship fields that are more than {LEVELS} levels away from the \
                 root entity object. Please reduce the number of parent relationship fields."
            );
            return Err(Failure::at(self.text, at, MALFORMED, message));
        }
        let (mut source, mut canonical) = (0, Vec::new());
        for step in steps {
            source = self.step(source, step, at, &mut canonical)?;
        }
        let having = self.sources[source].tables.iter().find_map(|(object, _)| {
            object.field(name).filter(|field| visible(self.view, object, field)).map(|field| (*object, field))
        });
        let Some((object, field)) = having else {
            let message = no_such_column(name, self.sources[source].entity);
            return Err(Failure::at(self.text, at, INVALID_FIELD, message));
        };
        let sql = self.sources[source].column(&field.name, self.view);
        Ok(Column { source, steps: canonical, object, field, sql })
    }

    /// One relationship further.
    fn step(&mut self, from: usize, name: &str, at: usize, canonical: &mut Vec<String>) -> Result<usize, Failure> {
        let found = self.sources[from].tables.iter().find_map(|(object, _)| {
            let field = object.relationship(name).filter(|field| visible(self.view, object, field))?;
            Some((field, field.relationship.clone().unwrap_or_default()))
        });
        let catalog = self.view.catalog;
        let targets = |field: &FieldDef| -> Vec<&'a ObjectDef> {
            let known = field.reference_to.iter().filter_map(|target| catalog.object(target));
            known.filter(|target| (self.view.readable)(&target.name, "")).collect()
        };
        let Some((field, relationship, targets)) =
            found.map(|(field, name)| (field, name, targets(field))).filter(|(_, _, targets)| !targets.is_empty())
        else {
            let message = format!(
                "Didn't understand relationship '{name}' in field path. If you are attempting to use a custom relationship, \
                 be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe \
                 call for the appropriate names."
            );
            return Err(Failure::at(self.text, at, INVALID_FIELD, message));
        };
        canonical.push(relationship);
        let steps: Vec<String> = canonical.iter().map(|step| step.to_ascii_lowercase()).collect();
        if let Some(known) = self.sources.iter().position(|source| source.steps == steps) {
            return Ok(known);
        }
        let reference = self.sources[from].column(&field.name, self.view);
        let mut tables = Vec::new();
        for target in targets {
            if self.tables == TABLES {
                let message = "SOQL statements cannot query more relationships than 55";
                return Err(Failure::at(self.text, at, MALFORMED, message));
            }
            let table = format!("{}{}", self.prefix, self.tables);
            self.tables += 1;
            let stored = quote(&format!("o_{}", target.name));
            let unshared = self.unshared(target, &table);
            self.joins += &format!(
                " LEFT JOIN {stored} {table} ON {table}.\"Id\" = {reference} AND {table}.\"__deleted\" IS NOT 1{unshared}"
            );
            tables.push((target, table));
        }
        let entity = match field.reference_to.len() {
            1 => tables.first().map_or("Name", |(object, _)| object.name.as_str()),
            _ => "Name",
        };
        self.sources.push(Source { steps, tables, entity });
        Ok(self.sources.len() - 1)
    }
}

/// Salesforce's text for a field that is not there, or that the user may not see.
pub(super) fn no_such_column(name: &str, object: &str) -> String {
    format!(
        "No such column '{name}' on entity '{object}'. If you are attempting to use a custom field, be sure to append the \
         '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names."
    )
}
