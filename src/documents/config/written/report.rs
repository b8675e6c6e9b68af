//! A report, its source and its columns, as written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::shapes::{kind_report, version};
use super::{Decimal, Either, Percent};

/// A catalogue report: described once, used by any number of integrations.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Footbridge report", rename = "ReportDocument")]
pub(in crate::config) struct ReportDocument {
    /// The version of the format: 1.
    #[schemars(schema_with = "version")]
    #[allow(dead_code)]
    footbridge: u64,
    /// The kind of this document: `report`.
    #[schemars(schema_with = "kind_report")]
    #[allow(dead_code)]
    kind: String,
    /// The report's name, as its authors call it; integrations name it so.
    #[schemars(length(min = 1, max = 200))]
    pub(in crate::config) name: String,
    /// What the report is about, for its readers.
    #[schemars(length(min = 1))]
    pub(in crate::config) description: Option<String>,
    /// Tags of the report. Preset gainsight asks for `integrations_salesforce`.
    #[schemars(inner(length(min = 1)))]
    pub(in crate::config) tags: Option<Vec<String>>,
    /// The column that tells whom a row is about. Default `User ID`.
    #[schemars(length(min = 1))]
    pub(in crate::config) key: Option<String>,
    /// Where the report comes from: a path in this repository, an https URL, or a mapping.
    pub(in crate::config) source: Either<String, Source>,
    /// How columns are written, by their name in the header.
    #[schemars(extend("maxProperties" = 2000))]
    pub(in crate::config) columns: Option<BTreeMap<String, Column>>,
}

/// A report described within the integration.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Report")]
pub(in crate::config) struct Report {
    /// The report's name, as its authors call it; it stands in the run log.
    #[schemars(length(min = 1, max = 200))]
    pub(in crate::config) name: String,
    /// What the report is about, for its readers.
    #[schemars(length(min = 1))]
    pub(in crate::config) description: Option<String>,
    /// Tags of the report. Preset gainsight asks for `integrations_salesforce`.
    #[schemars(inner(length(min = 1)))]
    pub(in crate::config) tags: Option<Vec<String>>,
    /// The column that tells whom a row is about. Default `User ID`.
    #[schemars(length(min = 1))]
    pub(in crate::config) key: Option<String>,
    /// Where the report comes from: a path in this repository, an https URL, or a mapping.
    pub(in crate::config) source: Either<String, Source>,
    /// How columns are written, by their name in the header.
    #[schemars(extend("maxProperties" = 2000))]
    pub(in crate::config) columns: Option<BTreeMap<String, Column>>,
}

/// Where a report comes from, and how its file is written. What is not said is found out.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Source")]
pub(in crate::config) struct Source {
    /// A file inside this repository. Either this or `url`.
    #[schemars(length(min = 1, max = 1000))]
    pub(in crate::config) path: Option<String>,
    /// An https URL, or an object of a store: `s3://bucket/key`, `az://container/blob`, `gs://bucket/key`. Either this or `path`.
    #[schemars(length(min = 1, max = 2000))]
    pub(in crate::config) url: Option<String>,
    /// Objects of a store: which of those that fit a `*` in the URL's last part. `newest`: the one that was changed last.
    pub(in crate::config) pick: Option<Pick>,
    /// The address of an S3-compatible store, over https. By default Amazon's own. For `az://` and `gs://` an emulator on this machine only.
    #[schemars(length(min = 1, max = 300))]
    pub(in crate::config) endpoint: Option<String>,
    /// The region of an S3 bucket. By default what AWS_REGION says, else `us-east-1`.
    #[schemars(regex(pattern = REGION))]
    pub(in crate::config) region: Option<String>,
    /// The most that is fetched from an address, such as `500MB`. Default 10GB.
    #[schemars(regex(pattern = SIZE))]
    pub(in crate::config) max_size: Option<String>,
    /// The form of the file. Default `csv`.
    pub(in crate::config) format: Option<Format>,
    /// The file's encoding. By default found out (UTF-8 with or without BOM, UTF-16 with BOM).
    pub(in crate::config) encoding: Option<Encoding>,
    /// The character between cells, or `tab`. By default found out from the header.
    #[schemars(regex(pattern = r"^([,;|:^~]|tab)$"))]
    pub(in crate::config) delimiter: Option<String>,
    /// The character around cells that hold delimiters: `"` (default), `'`, or `none`.
    #[schemars(regex(pattern = r#"^(["']|none)$"#))]
    pub(in crate::config) quote: Option<String>,
    /// Does the first line hold the names of the columns? Default true; with false they are called 1, 2, 3 and so on.
    pub(in crate::config) header: Option<bool>,
    /// Lines before the header that are no part of the table. Default 0.
    #[schemars(range(max = 1000))]
    pub(in crate::config) skip_lines: Option<u64>,
    /// The time zone (IANA name) of times without an offset, for the whole report.
    #[schemars(length(min = 1, max = 60))]
    pub(in crate::config) time_zone: Option<String>,
    /// SHA-256 of the file; another content is an error.
    #[schemars(regex(pattern = r"^sha256:[0-9a-f]{64}$"))]
    pub(in crate::config) checksum: Option<String>,
    /// Headers of the request, for an https URL. `${NAME}` reads a variable of the environment.
    #[schemars(extend("maxProperties" = 100, "propertyNames" = {"pattern": HEADER_NAME}))]
    pub(in crate::config) headers: Option<BTreeMap<String, String>>,
    /// May the source file be tracked by git? Default false: a report is full of people's addresses.
    pub(in crate::config) allow_tracked: Option<bool>,
}

/// The form of a header's name (RFC 9110, token).
pub(in crate::config) const HEADER_NAME: &str = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$";

/// The form of a region's name.
pub(in crate::config) const REGION: &str = r"^[a-z0-9][a-z0-9-]{1,38}$";

/// The form of a size.
pub(in crate::config) const SIZE: &str = r"^[1-9][0-9]{0,4}(KB|MB|GB)$";

/// Which object of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum Pick {
    /// The one that was changed last.
    Newest,
}

/// The form of a source file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum Format {
    /// Cells with a delimiter between them, one row a line.
    Csv,
}

/// The encoding of a source file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub(in crate::config) enum Encoding {
    /// UTF-8, with or without BOM.
    #[serde(rename = "utf-8")]
    Utf8,
    /// UTF-16; the BOM tells the order of bytes, little end first without one.
    #[serde(rename = "utf-16")]
    Utf16,
    /// UTF-16, little end first.
    #[serde(rename = "utf-16le")]
    Utf16Le,
    /// UTF-16, big end first.
    #[serde(rename = "utf-16be")]
    Utf16Be,
    /// Windows-1252 (Western European, as older Excel writes it).
    #[serde(rename = "windows-1252")]
    Windows1252,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum ColumnType {
    /// Text, as it stands.
    Text,
    /// A number.
    Number,
    /// A date.
    Date,
    /// A date with a time.
    Datetime,
    /// A time of day.
    Time,
    /// True or false.
    Boolean,
    /// Several values with a separator between them.
    List,
}

/// How a column of the report is written.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Column")]
pub(in crate::config) struct Column {
    /// What the column holds. By default what the target field asks for.
    #[serde(rename = "type")]
    pub(in crate::config) kind: Option<ColumnType>,
    /// How dates or times are written, such as `%d/%m/%Y` or `%m/%d/%Y %I:%M %p`. ISO 8601 needs no format.
    #[schemars(length(min = 1, max = 60))]
    pub(in crate::config) format: Option<String>,
    /// The character before a number's fraction: `.` or `,`. With it, groups of three digits by the other sign, a space or an apostrophe are read, too.
    pub(in crate::config) decimal: Option<Decimal>,
    /// How percentages are written: `sign` (`25%` means 25) or `fraction` (`0.25` means 25).
    pub(in crate::config) percent: Option<Percent>,
    /// The time zone (IANA name) of times without an offset.
    #[schemars(length(min = 1, max = 60))]
    pub(in crate::config) time_zone: Option<String>,
    /// Words that mean "no value", such as `N/A` or `-`.
    #[schemars(length(max = 100), inner(length(min = 1)))]
    pub(in crate::config) blank_values: Option<Vec<String>>,
    /// Words that mean true, besides `true`, `yes` and `1`.
    #[schemars(length(max = 100), inner(length(min = 1)))]
    pub(in crate::config) true_values: Option<Vec<String>>,
    /// Words that mean false, besides `false`, `no` and `0`.
    #[schemars(length(max = 100), inner(length(min = 1)))]
    pub(in crate::config) false_values: Option<Vec<String>>,
    /// The character between the values of a list. Default `;`
    #[schemars(length(min = 1, max = 1))]
    pub(in crate::config) separator: Option<String>,
    /// Numbers: text before the number that is no part of it, such as `$`.
    #[schemars(length(min = 1, max = 40))]
    pub(in crate::config) prefix: Option<String>,
    /// Numbers: text after the number that is no part of it, such as `EUR`.
    #[schemars(length(min = 1, max = 40))]
    pub(in crate::config) suffix: Option<String>,
}
