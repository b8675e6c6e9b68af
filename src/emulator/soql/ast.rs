//! A SOQL query as a tree, and back to text. Knows spelling only: no catalogue, no types.

use std::fmt::{self, Display, Formatter, Write};

use jiff::{Timestamp, civil};

use super::relative::Relative;

/// Byte offset in the query, for messages. All places are equal, so that trees compare by meaning.
#[derive(Debug, Clone, Copy, Default, Eq)]
pub(super) struct At(pub usize);

impl PartialEq for At {
    fn eq(&self, _: &At) -> bool {
        true
    }
}

/// A field, with the relationships that lead to it: `Account.Owner.Name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    /// At least one name, as written.
    pub parts: Vec<String>,
    pub at: At,
}

/// What `SELECT` lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    Field {
        path: Path,
        alias: Option<String>,
    },
    /// `toLabel(Status)`.
    Label {
        path: Path,
        alias: Option<String>,
    },
    /// `COUNT()`.
    Count {
        at: At,
    },
    /// `COUNT(Id) alias`.
    Aggregate {
        function: Aggregate,
        path: Path,
        alias: Option<String>,
    },
    /// `FIELDS(ALL)`.
    Fields {
        group: Group,
        at: At,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aggregate {
    Count,
    CountDistinct,
    Min,
    Max,
    Sum,
    Avg,
}

/// Aggregate functions by name.
pub(super) const AGGREGATES: [(&str, Aggregate); 6] = [
    ("COUNT", Aggregate::Count),
    ("COUNT_DISTINCT", Aggregate::CountDistinct),
    ("MIN", Aggregate::Min),
    ("MAX", Aggregate::Max),
    ("SUM", Aggregate::Sum),
    ("AVG", Aggregate::Avg),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    All,
    Standard,
    Custom,
}

/// The groups of `FIELDS()` by name.
pub(super) const GROUPS: [(&str, Group); 3] =
    [("ALL", Group::All), ("STANDARD", Group::Standard), ("CUSTOM", Group::Custom)];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Operator {
    pub(super) fn sign(self) -> &'static str {
        match self {
            Operator::Equal => "=",
            Operator::NotEqual => "!=",
            Operator::Less => "<",
            Operator::LessOrEqual => "<=",
            Operator::Greater => ">",
            Operator::GreaterOrEqual => ">=",
        }
    }
}

/// A value as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Literal {
    Null,
    Boolean(bool),
    /// Digits as written, with sign and point: a query never goes through a float before it must.
    Number(String),
    Text(String),
    Date(civil::Date),
    Datetime(Timestamp),
    Time(civil::Time),
    Relative(Relative),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum List {
    Values(Vec<Literal>),
    /// A semi-join.
    Query(Box<Query>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    /// Two or more.
    All(Vec<Condition>),
    /// Two or more.
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Compare {
        path: Path,
        operator: Operator,
        value: Literal,
    },
    /// In the pattern a backslash takes its special sense from `%`, `_` and `\` that follow it.
    Like {
        path: Path,
        pattern: String,
    },
    In {
        path: Path,
        negated: bool,
        list: List,
    },
    /// `INCLUDES` and `EXCLUDES`.
    Includes {
        path: Path,
        negated: bool,
        groups: Vec<String>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Order {
    pub path: Path,
    pub descending: bool,
    pub nulls_last: bool,
}

/// What `FOR` asks for; nothing that the emulator does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    View,
    Reference,
    Update,
}

/// The purposes by name.
pub(super) const PURPOSES: [(&str, Purpose); 3] =
    [("VIEW", Purpose::View), ("REFERENCE", Purpose::Reference), ("UPDATE", Purpose::Update)];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Query {
    pub items: Vec<Item>,
    pub object: String,
    pub object_at: At,
    pub alias: Option<String>,
    pub filter: Option<Condition>,
    pub order: Vec<Order>,
    pub limit: Option<u64>,
    pub offset: Option<u64>,
    pub purpose: Option<Purpose>,
}

fn name_of<T: Copy + PartialEq>(table: &[(&'static str, T)], wanted: T) -> &'static str {
    table.iter().find(|(_, value)| *value == wanted).map_or("", |(name, _)| name)
}

fn list<T>(f: &mut Formatter<'_>, items: &[T], show: impl Fn(&mut Formatter<'_>, &T) -> fmt::Result) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        show(f, item)?;
    }
    Ok(())
}

/// A string in quotes, with the documented escapes.
pub(super) fn quoted(f: &mut impl Write, text: &str) -> fmt::Result {
    f.write_char('\'')?;
    for c in text.chars() {
        escaped(f, c)?;
    }
    f.write_char('\'')
}

fn escaped(f: &mut impl Write, c: char) -> fmt::Result {
    match c {
        '\'' => f.write_str("\\'"),
        '\\' => f.write_str("\\\\"),
        '\n' => f.write_str("\\n"),
        '\r' => f.write_str("\\r"),
        '\t' => f.write_str("\\t"),
        '\u{8}' => f.write_str("\\b"),
        '\u{c}' => f.write_str("\\f"),
        c if (c as u32) < 0x20 => write!(f, "\\u{:04x}", c as u32),
        c => f.write_char(c),
    }
}

impl Display for Path {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.parts.join("."))
    }
}

impl Display for Item {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let alias = match self {
            Item::Field { path, alias } => write!(f, "{path}").map(|()| alias)?,
            Item::Label { path, alias } => write!(f, "toLabel({path})").map(|()| alias)?,
            Item::Aggregate { function, path, alias } => {
                write!(f, "{}({path})", name_of(&AGGREGATES, *function)).map(|()| alias)?
            }
            Item::Count { .. } => return f.write_str("COUNT()"),
            Item::Fields { group, .. } => return write!(f, "FIELDS({})", name_of(&GROUPS, *group)),
        };
        alias.as_ref().map_or(Ok(()), |alias| write!(f, " {alias}"))
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Literal::Null => f.write_str("null"),
            Literal::Boolean(value) => write!(f, "{value}"),
            Literal::Number(digits) => f.write_str(digits),
            Literal::Text(text) => quoted(f, text),
            Literal::Date(date) => write!(f, "{date}"),
            Literal::Datetime(instant) => f.write_str(&super::values::datetime(*instant)),
            Literal::Time(time) => f.write_str(&super::values::time(*time)),
            Literal::Relative(relative) => write!(f, "{relative}"),
        }
    }
}

impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let not = |negated: &bool| if *negated { "NOT " } else { "" };
        match self {
            Condition::All(parts) | Condition::Any(parts) => {
                let word = if matches!(self, Condition::All(_)) { " AND " } else { " OR " };
                for (index, part) in parts.iter().enumerate() {
                    if index > 0 {
                        f.write_str(word)?;
                    }
                    grouped(f, part)?;
                }
                Ok(())
            }
            Condition::Not(inner) => {
                f.write_str("NOT ")?;
                grouped(f, inner)
            }
            Condition::Compare { path, operator, value } => write!(f, "{path} {} {value}", operator.sign()),
            Condition::Like { path, pattern } => {
                write!(f, "{path} LIKE '")?;
                let mut characters = pattern.chars();
                while let Some(c) = characters.next() {
                    match (c, if c == '\\' { characters.next() } else { None }) {
                        ('\\', Some(special @ ('%' | '_'))) => write!(f, "\\{special}")?,
                        ('\\', Some(other)) => escaped(f, other)?,
                        (c, _) => escaped(f, c)?,
                    }
                }
                f.write_char('\'')
            }
            Condition::In { path, negated, list: List::Values(values) } => {
                write!(f, "{path} {}IN (", not(negated))?;
                list(f, values, |f, value| write!(f, "{value}"))?;
                f.write_char(')')
            }
            Condition::In { path, negated, list: List::Query(query) } => {
                write!(f, "{path} {}IN ({query})", not(negated))
            }
            Condition::Includes { path, negated, groups } => {
                write!(f, "{path} {} (", if *negated { "EXCLUDES" } else { "INCLUDES" })?;
                list(f, groups, |f, group| quoted(f, group))?;
                f.write_char(')')
            }
        }
    }
}

fn grouped(f: &mut Formatter<'_>, condition: &Condition) -> fmt::Result {
    match condition {
        Condition::All(_) | Condition::Any(_) => write!(f, "({condition})"),
        other => write!(f, "{other}"),
    }
}

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("SELECT ")?;
        list(f, &self.items, |f, item| write!(f, "{item}"))?;
        write!(f, " FROM {}", self.object)?;
        if let Some(alias) = &self.alias {
            write!(f, " {alias}")?;
        }
        if let Some(filter) = &self.filter {
            write!(f, " WHERE {filter}")?;
        }
        if !self.order.is_empty() {
            f.write_str(" ORDER BY ")?;
            list(f, &self.order, |f, order| {
                let direction = if order.descending { "DESC" } else { "ASC" };
                write!(f, "{} {direction} NULLS {}", order.path, if order.nulls_last { "LAST" } else { "FIRST" })
            })?;
        }
        if let Some(limit) = self.limit {
            write!(f, " LIMIT {limit}")?;
        }
        if let Some(offset) = self.offset {
            write!(f, " OFFSET {offset}")?;
        }
        self.purpose.map_or(Ok(()), |purpose| write!(f, " FOR {}", name_of(&PURPOSES, purpose)))
    }
}
