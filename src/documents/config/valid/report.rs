//! A valid report: its source and how its columns are written.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::diag::Span;

use super::Spanned;
use super::orgs::Header;

/// A report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Its name, as its authors call it.
    pub name: Spanned<String>,
    /// Its tags, in the spelling `integrations_salesforce`.
    pub tags: Vec<String>,
    /// The column that tells whom a row is about.
    pub key: String,
    /// Where it comes from.
    pub source: Source,
    /// Declared columns, by name.
    pub columns: BTreeMap<String, Column>,
}

/// Where a report is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Location {
    /// A file, relative to the repository's root, with `/`, without `..`. Links are checked when it is opened.
    Path(String),
    /// An https URL (or http on loopback) without credentials in it.
    Url(String),
    /// An object of a store.
    Object(ObjectPlace),
}

impl std::fmt::Display for Location {
    /// As it is written.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Path(text) | Self::Url(text) => f.write_str(text),
            Self::Object(ObjectPlace { store, bucket, key }) => write!(f, "{}://{bucket}/{key}", store.scheme()),
        }
    }
}

/// A kind of object store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreKind {
    /// Amazon S3, or a store that speaks its language.
    S3,
    /// Azure Blob Storage.
    Azure,
    /// Google Cloud Storage.
    Gcs,
}

impl StoreKind {
    /// What its addresses begin with.
    pub fn scheme(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Azure => "az",
            Self::Gcs => "gs",
        }
    }
}

/// An object of a store, or a pattern of several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ObjectPlace {
    /// Which kind of store.
    pub store: StoreKind,
    /// The bucket; with Azure the container.
    pub bucket: String,
    /// The object's key. Its last part may hold `*`: then [`Source::newest`] is set.
    pub key: String,
}

/// Where a report comes from, and how its file is written; `None` is found out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Source {
    /// Where.
    pub location: Spanned<Location>,
    /// Of the objects that fit the key's pattern the one that was changed last.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub newest: bool,
    /// The store's address: https, or http on loopback; without a slash at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The bucket's region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The most that is fetched, in bytes.
    #[serde(skip)]
    pub max_size: Option<u64>,
    /// Its encoding.
    pub encoding: Option<Encoding>,
    /// The character between cells.
    pub delimiter: Option<char>,
    /// The character around cells.
    pub quote: Quote,
    /// Does the first line hold the names of the columns?
    pub header: bool,
    /// Lines before the header that are no part of the table.
    pub skip_lines: u64,
    /// The time zone of times without an offset.
    pub time_zone: Option<String>,
    /// SHA-256, as `sha256:` and 64 digits.
    pub checksum: Option<String>,
    /// Headers of the request; never part of a digest.
    #[serde(skip)]
    pub headers: Vec<Header>,
    /// May the file be tracked by git?
    pub allow_tracked: bool,
}

/// The character around cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Quote {
    /// This one.
    Char(char),
    /// Cells are never quoted.
    None,
}

/// The encoding of a source file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// UTF-8, with or without BOM.
    Utf8,
    /// UTF-16; the BOM tells the order, little end first without one.
    Utf16,
    /// UTF-16, little end first.
    Utf16Le,
    /// UTF-16, big end first.
    Utf16Be,
    /// Windows-1252.
    Windows1252,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum ColumnType {
    Text,
    Number,
    Date,
    Datetime,
    Time,
    Boolean,
    List,
}

/// A declared column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Column {
    /// What it holds, if it says so.
    pub kind: Option<ColumnType>,
    /// How it is written.
    pub reading: Reading,
    /// At its key in the YAML.
    #[serde(skip)]
    pub span: Span,
}

/// How percentages are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Percent {
    /// `25%` means 25.
    Sign,
    /// `0.25` means 25.
    Fraction,
}

/// How values are written in the report. What is `None` or empty is not declared: only the plain forms are read then.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Reading {
    /// A strptime pattern of dates or times, such as `%d/%m/%Y`.
    pub format: Option<String>,
    /// The character before a number's fraction.
    pub decimal: Option<char>,
    /// How percentages are written.
    pub percent: Option<Percent>,
    /// IANA name of the time zone.
    pub time_zone: Option<String>,
    /// Words that mean "no value".
    pub blank_values: Vec<String>,
    /// Words that mean true.
    pub true_values: Vec<String>,
    /// Words that mean false.
    pub false_values: Vec<String>,
    /// What stands between the values of a list.
    pub separator: Option<char>,
    /// Taken off the front.
    pub prefix: Option<String>,
    /// Taken off the end.
    pub suffix: Option<String>,
}

impl Reading {
    /// This one where it says something, else the other.
    pub(in crate::config) fn over(self, under: &Reading) -> Reading {
        let list = |own: Vec<String>, other: &Vec<String>| if own.is_empty() { other.clone() } else { own };
        Reading {
            format: self.format.or_else(|| under.format.clone()),
            decimal: self.decimal.or(under.decimal),
            percent: self.percent.or(under.percent),
            time_zone: self.time_zone.or_else(|| under.time_zone.clone()),
            blank_values: list(self.blank_values, &under.blank_values),
            true_values: list(self.true_values, &under.true_values),
            false_values: list(self.false_values, &under.false_values),
            separator: self.separator.or(under.separator),
            prefix: self.prefix.or_else(|| under.prefix.clone()),
            suffix: self.suffix.or_else(|| under.suffix.clone()),
        }
    }
}
