//! Reports, their sources and their columns.

use std::collections::{BTreeMap, BTreeSet};

use crate::diag::{Code, Diagnostic};

use super::super::valid::{Column, ColumnType, Percent, Reading, Report, Spanned};
use super::super::written::{self, Either};
use super::{Check, join};

/// The tag that preset gainsight asks for.
pub(super) const TAG: &str = "integrations_salesforce";
/// The same tag, as the second half of Gainsight's page spells it (ACCEPTANCE, C2).
const OLDER_TAG: &str = "integration_salesforce";
/// WalkMe's own key column (ACCEPTANCE, 130).
const DEFAULT_KEY: &str = "User ID";

/// Reads a catalogue report. `None`: its source is wrong.
pub(crate) fn catalogue_report(check: &mut Check<'_>, written: &written::ReportDocument) -> Option<Report> {
    let parts = Parts {
        name: &written.name,
        tags: written.tags.as_deref(),
        key: written.key.as_deref(),
        source: &written.source,
        columns: written.columns.as_ref(),
    };
    check.report(&[], &parts)
}

/// What inline and catalogue reports have in common.
pub(super) struct Parts<'a> {
    pub(super) name: &'a str,
    pub(super) tags: Option<&'a [String]>,
    pub(super) key: Option<&'a str>,
    pub(super) source: &'a Either<String, written::Source>,
    pub(super) columns: Option<&'a BTreeMap<String, written::Column>>,
}

impl Check<'_> {
    pub(super) fn report(&mut self, path: &[&str], written: &Parts<'_>) -> Option<Report> {
        let mut tags = Vec::new();
        for (i, tag) in written.tags.unwrap_or_default().iter().enumerate() {
            if tag == OLDER_TAG {
                let span = self.value(&join(path, &["tags", &i.to_string()]));
                self.push(
                    Diagnostic::warning(Code::TagSpelling, format!("the tag is spelled `{TAG}`"))
                        .at(span, "taken for the same tag")
                        .help(format!("write {TAG}")),
                );
            }
            tags.push(if tag == OLDER_TAG { TAG.to_owned() } else { tag.clone() });
        }
        tags.sort();
        tags.dedup();
        let columns_path = join(path, &["columns"]);
        let mut columns = BTreeMap::new();
        for (name, column) in written.columns.into_iter().flatten() {
            let valid = self.column(&join(&columns_path, &[name]), column);
            columns.insert(name.clone(), valid);
        }
        let source = self.source(&join(path, &["source"]), written.source);
        let name = Spanned::new(written.name.to_owned(), self.value(&join(path, &["name"])));
        let key = written.key.unwrap_or(DEFAULT_KEY).to_owned();
        Some(Report { name, tags, key, source: source?, columns })
    }

    fn column(&mut self, path: &[&str], written: &written::Column) -> Column {
        let written::Column {
            kind,
            format,
            decimal,
            percent,
            time_zone,
            blank_values,
            true_values,
            false_values,
            separator,
            prefix,
            suffix,
        } = written;
        let reading = ReadingParts {
            format: format.as_deref(),
            decimal: *decimal,
            percent: *percent,
            time_zone: time_zone.as_deref(),
            blank_values: blank_values.as_deref(),
            true_values: true_values.as_deref(),
            false_values: false_values.as_deref(),
            separator: separator.as_deref(),
            prefix: prefix.as_deref(),
            suffix: suffix.as_deref(),
        };
        let kind = kind.map(column_type);
        let reading = self.reading(path, &reading, kind);
        Column { kind, reading, span: self.key(path) }
    }

    /// How values are written; told where options contradict each other or the column's type.
    pub(super) fn reading(&mut self, path: &[&str], written: &ReadingParts<'_>, kind: Option<ColumnType>) -> Reading {
        if let Some(format) = written.format {
            self.date_format(&join(path, &["format"]), format);
        }
        if let Some(zone) = written.time_zone {
            self.time_zone(&join(path, &["time_zone"]), zone);
        }
        use ColumnType as T;
        let given: [(&str, bool, &[T]); 8] = [
            ("format", written.format.is_some(), &[T::Date, T::Datetime, T::Time]),
            ("decimal", written.decimal.is_some(), &[T::Number]),
            ("percent", written.percent.is_some(), &[T::Number]),
            ("prefix", written.prefix.is_some(), &[T::Number]),
            ("suffix", written.suffix.is_some(), &[T::Number]),
            ("true_values", written.true_values.is_some(), &[T::Boolean]),
            ("false_values", written.false_values.is_some(), &[T::Boolean]),
            ("separator", written.separator.is_some(), &[T::List]),
        ];
        let mut suits: Option<(&str, &[T])> = None;
        for (name, _, types) in given.iter().filter(|(_, given, _)| *given) {
            if let Some(kind) = kind.filter(|kind| !types.contains(kind)) {
                let message = format!("`{name}` says nothing about a column of type {}", type_name(kind));
                self.contradiction(&join(path, &[name]), message, "delete it, or change `type`");
            } else if let Some((other, _)) = suits.filter(|(_, other)| !types.iter().any(|t| other.contains(t))) {
                let message = format!("`{name}` and `{other}` do not go together");
                self.contradiction(&join(path, &[name]), message, "keep the one that suits the values");
            } else {
                suits = suits.or(Some((name, types)));
            }
        }
        self.words_for_both(path, written);
        let list = |words: Option<&[String]>| words.unwrap_or_default().to_vec();
        Reading {
            format: written.format.map(str::to_owned),
            decimal: written.decimal.map(|d| if d == written::Decimal::Point { '.' } else { ',' }),
            percent: written.percent.map(|p| match p {
                written::Percent::Sign => Percent::Sign,
                written::Percent::Fraction => Percent::Fraction,
            }),
            time_zone: written.time_zone.map(str::to_owned),
            blank_values: list(written.blank_values),
            true_values: list(written.true_values),
            false_values: list(written.false_values),
            separator: written.separator.and_then(|s| s.chars().next()),
            prefix: written.prefix.map(str::to_owned),
            suffix: written.suffix.map(str::to_owned),
        }
    }

    fn contradiction(&mut self, path: &[&str], message: String, help: &str) {
        let span = self.key(path);
        self.push(Diagnostic::error(Code::OptionsContradict, message).at(span, "").help(help));
    }

    fn words_for_both(&mut self, path: &[&str], written: &ReadingParts<'_>) {
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        for (name, words) in [
            ("blank_values", written.blank_values),
            ("true_values", written.true_values),
            ("false_values", written.false_values),
        ] {
            let mut own = BTreeSet::new();
            for (i, word) in words.unwrap_or_default().iter().enumerate() {
                let folded = word.trim().to_lowercase();
                if let Some(other) = seen.get(&folded) {
                    let path = join(path, &[name]);
                    let index = i.to_string();
                    let message = format!("`{word}` stands in {other} and in {name}");
                    self.wrong(
                        Code::OptionsContradict,
                        &join(&path, &[&index]),
                        message,
                        "it can mean one thing only",
                        "delete it from one of the two",
                    );
                }
                own.insert(folded);
            }
            seen.extend(own.into_iter().map(|word| (word, name)));
        }
    }
}

/// How values are written, as a column or a field says it.
pub(super) struct ReadingParts<'a> {
    pub(super) format: Option<&'a str>,
    pub(super) decimal: Option<written::Decimal>,
    pub(super) percent: Option<written::Percent>,
    pub(super) time_zone: Option<&'a str>,
    pub(super) blank_values: Option<&'a [String]>,
    pub(super) true_values: Option<&'a [String]>,
    pub(super) false_values: Option<&'a [String]>,
    pub(super) separator: Option<&'a str>,
    pub(super) prefix: Option<&'a str>,
    pub(super) suffix: Option<&'a str>,
}

fn column_type(written: written::ColumnType) -> ColumnType {
    match written {
        written::ColumnType::Text => ColumnType::Text,
        written::ColumnType::Number => ColumnType::Number,
        written::ColumnType::Date => ColumnType::Date,
        written::ColumnType::Datetime => ColumnType::Datetime,
        written::ColumnType::Time => ColumnType::Time,
        written::ColumnType::Boolean => ColumnType::Boolean,
        written::ColumnType::List => ColumnType::List,
    }
}

fn type_name(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::Text => "text",
        ColumnType::Number => "number",
        ColumnType::Date => "date",
        ColumnType::Datetime => "datetime",
        ColumnType::Time => "time",
        ColumnType::Boolean => "boolean",
        ColumnType::List => "list",
    }
}
