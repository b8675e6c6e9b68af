//! Reports, their sources and their columns.

use std::collections::{BTreeMap, BTreeSet};

use crate::diag::{Code, Diagnostic};

use super::super::valid::{
    Column, ColumnType, Encoding, Header, HeaderValue, Location, Percent, Quote, Reading, Report, Source, Spanned,
};
use super::super::written::{self, Either};
use super::variables::{Expanded, secret_header};
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

    pub(super) fn source(&mut self, path: &[&str], written: &Either<String, written::Source>) -> Option<Source> {
        let map = match written {
            Either::Word(text) => {
                let location = self.location(path, text, None)?;
                return Some(Source {
                    location,
                    encoding: None,
                    delimiter: None,
                    quote: Quote::Char('"'),
                    header: true,
                    skip_lines: 0,
                    time_zone: None,
                    checksum: None,
                    headers: Vec::new(),
                    allow_tracked: false,
                });
            }
            Either::Map(map) => map,
        };
        let written::Source {
            path: file,
            url,
            format: _,
            encoding,
            delimiter,
            quote,
            header,
            skip_lines,
            time_zone,
            checksum,
            headers,
            allow_tracked,
        } = map;
        let location = match (file, url) {
            (Some(file), None) => self.location(&join(path, &["path"]), file, Some(false)),
            (None, Some(url)) => self.location(&join(path, &["url"]), url, Some(true)),
            (Some(_), Some(_)) => {
                let path = join(path, &["url"]);
                self.wrong(
                    Code::OptionsContradict,
                    &path,
                    "the source has a path and a URL",
                    "beside `path`",
                    "keep one of `path` and `url`",
                );
                None
            }
            (None, None) => {
                let span = self.key(path);
                self.push(
                    Diagnostic::error(Code::MissingKey, "the source has neither a path nor a URL")
                        .at(span, "`path:` or `url:` is missing here")
                        .help("add the line: path: exports/logins-review.csv"),
                );
                None
            }
        };
        if let Some(zone) = time_zone {
            self.time_zone(&join(path, &["time_zone"]), zone);
        }
        let headers = self.headers(path, headers.as_ref(), location.as_deref());
        Some(Source {
            location: location?,
            encoding: encoding.map(encoding_of),
            delimiter: delimiter.as_deref().and_then(|d| if d == "tab" { Some('\t') } else { d.chars().next() }),
            quote: match quote.as_deref() {
                Some("none") => Quote::None,
                Some(other) => other.chars().next().map_or(Quote::None, Quote::Char),
                None => Quote::Char('"'),
            },
            header: header.unwrap_or(true),
            skip_lines: skip_lines.unwrap_or(0),
            time_zone: time_zone.clone(),
            checksum: checksum.clone(),
            headers,
            allow_tracked: allow_tracked.unwrap_or(false),
        })
    }

    fn headers(
        &mut self,
        path: &[&str],
        headers: Option<&BTreeMap<String, String>>,
        location: Option<&Location>,
    ) -> Vec<Header> {
        let Some(headers) = headers else { return Vec::new() };
        let path = join(path, &["headers"]);
        if matches!(location, Some(Location::Path(_))) {
            let span = self.key(&path);
            self.push(
                Diagnostic::error(Code::HeadersWithoutHttps, "headers go with an https URL only")
                    .at(span, "this source is a file")
                    .help("delete them, or write `url:` instead of `path:`"),
            );
        }
        let mut valid = Vec::new();
        for (name, text) in headers {
            let path = join(&path, &[name]);
            if secret_header(name) && !text.contains("${") {
                self.written_out(&path, name);
                continue;
            }
            let value = match self.expand(&path, text, self.headers_needed) {
                Expanded::Ready(credential) => HeaderValue::Ready(credential),
                Expanded::Unset(variables) => HeaderValue::Unset(variables),
                Expanded::Wrong => continue,
            };
            valid.push(Header { name: name.to_ascii_lowercase(), value });
        }
        valid
    }

    /// A path or URL; `url` says which one is meant, if that is known.
    fn location(&mut self, path: &[&str], written: &str, url: Option<bool>) -> Option<Spanned<Location>> {
        if written.contains("${") {
            return None;
        }
        let span = self.value(path);
        if url.unwrap_or_else(|| written.contains("://")) {
            return self.url(path, written).map(|url| Spanned::new(Location::Url(url), span));
        }
        self.inside(path, written).map(|file| Spanned::new(Location::Path(file), span))
    }

    fn url(&mut self, path: &[&str], written: &str) -> Option<String> {
        let wrong = match url::Url::parse(written) {
            Err(error) => Some((error.to_string(), "write a URL such as https://example.com/report.csv")),
            Ok(url) => {
                let loopback = url.host_str().is_some_and(|host| matches!(host, "127.0.0.1" | "localhost" | "[::1]"));
                if !url.username().is_empty() || url.password().is_some() {
                    Some((
                        "a user or password in it".to_owned(),
                        "take them out, and write `headers: { Authorization: \"${NAME}\" }`",
                    ))
                } else if url.query_pairs().any(|(name, _)| secret_header(&name) || name.eq_ignore_ascii_case("sig")) {
                    self.written_out(path, "url");
                    return None;
                } else if url.scheme() == "https" || (url.scheme() == "http" && loopback) {
                    return Some(url.to_string());
                } else {
                    Some((format!("not {}", url.scheme()), "only https URLs are read"))
                }
            }
        };
        if let Some((why, help)) = wrong {
            self.wrong(Code::BadUrl, path, "this URL may not be read", &why, help);
        }
        None
    }

    /// A path inside the repository, in its plain form; told when it leads out.
    pub(super) fn inside(&mut self, path: &[&str], written: &str) -> Option<String> {
        if written.contains("${") {
            return None;
        }
        let unix = written.replace('\\', "/");
        let drive = unix.as_bytes().get(1) == Some(&b':');
        let why = if unix.starts_with('/') || drive {
            "an absolute path"
        } else if unix.starts_with('~') {
            "a home folder"
        } else if unix.split('/').any(|part| part == "..") {
            "`..` leads out of the repository"
        } else if written.contains('\\') {
            "folders are separated by `/`"
        } else {
            let parts: Vec<&str> = unix.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
            match parts.first() {
                None => "no file is named",
                Some(&(".git" | ".footbridge")) => "this folder is not for reports",
                Some(_) => return Some(parts.join("/")),
            }
        };
        let name = unix.rsplit('/').next().filter(|name| name.contains(|c| c != '.')).unwrap_or("report.csv");
        let folder = if name.contains('.') { "exports/" } else { "" };
        let help = format!("write a path from the repository's root, such as {folder}{name}");
        self.wrong(Code::PathLeavesRepository, path, "this path is not inside the repository", why, help);
        None
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

fn encoding_of(written: written::Encoding) -> Encoding {
    match written {
        written::Encoding::Utf8 => Encoding::Utf8,
        written::Encoding::Utf16 => Encoding::Utf16,
        written::Encoding::Utf16Le => Encoding::Utf16Le,
        written::Encoding::Utf16Be => Encoding::Utf16Be,
        written::Encoding::Windows1252 => Encoding::Windows1252,
    }
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
