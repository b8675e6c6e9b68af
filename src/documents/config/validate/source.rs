//! Where a report comes from: a file inside the repository, an https address, an object of a store; and what may be said of each.

use std::collections::BTreeMap;

use crate::diag::{Code, Diagnostic};

use super::super::valid::{Encoding, Header, HeaderValue, Location, ObjectPlace, Quote, Source, Spanned, StoreKind};
use super::super::written::{self, Either};
use super::variables::{Expanded, secret_header};
use super::{Check, join};

/// Headers that say whom a request is for or how its answer comes: a configuration that set them could have a secret taken to another host.
const OWN_HEADERS: [&str; 13] = [
    "host",
    "range",
    "if-range",
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "expect",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-request-id",
];

/// Does a name in a URL's query say that its value opens a door (also the ways of S3, Azure and Google to sign a URL)?
fn secret_query(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    secret_header(&name) || name == "sig" || name.contains("signature") || name.contains("credential")
}

/// Bytes of a size such as `500MB`; its form has been checked.
fn size(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let unit = match unit {
        "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

impl Check<'_> {
    pub(super) fn source(&mut self, path: &[&str], written: &Either<String, written::Source>) -> Option<Source> {
        let map = match written {
            Either::Word(text) => {
                let location = self.location(path, text, None)?;
                self.pattern(path, &location.value, false);
                return Some(Source {
                    location,
                    newest: false,
                    endpoint: None,
                    region: None,
                    max_size: None,
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
            pick,
            endpoint: _,
            region,
            max_size,
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
        let endpoint = self.store_options(path, map, location.as_deref());
        Some(Source {
            location: location?,
            newest: pick.is_some(),
            endpoint,
            region: region.clone(),
            max_size: max_size.as_deref().and_then(size),
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
        let other = match location {
            Some(Location::Path(_)) => {
                Some(("this source is a file", "delete them, or write `url:` instead of `path:`"))
            }
            Some(Location::Object(_)) => Some((
                "this source is an object of a store",
                "delete them: the store's credentials come from the environment (docs/CONFIGURATION.md)",
            )),
            Some(Location::Url(_)) | None => None,
        };
        if let Some((label, help)) = other {
            let span = self.key(&path);
            self.push(
                Diagnostic::error(Code::HeadersWithoutHttps, "headers go with an https URL only")
                    .at(span, label)
                    .help(help),
            );
        }
        let mut valid = Vec::new();
        for (name, text) in headers {
            let path = join(&path, &[name]);
            if OWN_HEADERS.iter().any(|own| own.eq_ignore_ascii_case(name)) {
                let span = self.key(&path);
                self.push(
                    Diagnostic::error(Code::HeaderNotAllowed, format!("the header `{name}` is not yours to set"))
                        .at(span, "Footbridge sets it itself")
                        .help("delete it"),
                );
                continue;
            }
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
            for store in [StoreKind::S3, StoreKind::Azure, StoreKind::Gcs] {
                let scheme = format!("{}://", store.scheme());
                if let Some(rest) = written.strip_prefix(&scheme) {
                    return self.object(path, store, rest).map(|place| Spanned::new(Location::Object(place), span));
                }
            }
            return self.url(path, written).map(|url| Spanned::new(Location::Url(url), span));
        }
        self.inside(path, written).map(|file| Spanned::new(Location::Path(file), span))
    }

    fn url(&mut self, path: &[&str], written: &str) -> Option<String> {
        let wrong = match url::Url::parse(written) {
            Err(error) => Some((error.to_string(), "write a URL such as https://example.com/report.csv")),
            Ok(url) => {
                let loopback = on_this_machine(&url);
                if !url.username().is_empty() || url.password().is_some() {
                    Some((
                        "a user or password in it".to_owned(),
                        "take them out, and write `headers: { Authorization: \"${NAME}\" }`",
                    ))
                } else if url.query_pairs().any(|(name, _)| secret_query(&name)) {
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

    /// An object of a store, behind its scheme.
    fn object(&mut self, path: &[&str], store: StoreKind, rest: &str) -> Option<ObjectPlace> {
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        let sign = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b);
        let good_bucket = (3..=222).contains(&bucket.len())
            && bucket.bytes().all(sign)
            && bucket.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
        let why = if !good_bucket {
            "a bucket's (container's) name has small letters, digits, hyphens and dots"
        } else if key.is_empty() || key.ends_with('/') {
            "no object is named"
        } else if key.chars().any(char::is_control) {
            "a character that no key has"
        } else if key.split('/').any(|part| matches!(part, "" | "." | "..")) {
            "empty parts and dots do not lead anywhere"
        } else if key.rsplit_once('/').is_some_and(|(folder, _)| folder.contains('*')) {
            "`*` may stand in the last part only"
        } else {
            return Some(ObjectPlace { store, bucket: bucket.to_owned(), key: key.to_owned() });
        };
        let help = format!("write {}://BUCKET/folder/report.csv", store.scheme());
        self.wrong(Code::BadUrl, path, "this is not an object of a store", why, help);
        None
    }

    /// `*` and `pick` belong together.
    fn pattern(&mut self, path: &[&str], location: &Location, picks: bool) {
        let stars = matches!(location, Location::Object(place) if place.key.contains('*'));
        if stars && !picks {
            let help = format!("write the source as a mapping: source: {{ url: \"{location}\", pick: newest }}");
            self.wrong(Code::OptionsContradict, path, "several objects may fit this pattern", "which of them?", help);
        }
    }

    /// What is said of a store goes with one; the store's address, where it is one that may be spoken to.
    fn store_options(
        &mut self,
        path: &[&str],
        written: &written::Source,
        location: Option<&Location>,
    ) -> Option<String> {
        let location = location?;
        let object = match location {
            Location::Object(place) => Some(place),
            Location::Path(_) | Location::Url(_) => None,
        };
        let s3 = object.is_some_and(|place| place.store == StoreKind::S3);
        let stars = object.is_some_and(|place| place.key.contains('*'));
        let remote = !matches!(location, Location::Path(_));
        for (name, given, fits, help) in [
            (
                "pick",
                written.pick.is_some(),
                stars,
                "`pick` goes with a `*` in the last part of an object's URL; delete it",
            ),
            (
                "endpoint",
                written.endpoint.is_some(),
                object.is_some(),
                "`endpoint` goes with an object of a store; delete it",
            ),
            ("region", written.region.is_some(), s3, "`region` goes with an `s3://` URL; delete it"),
            ("max_size", written.max_size.is_some(), remote, "`max_size` goes with a URL; delete it"),
        ] {
            if given && !fits {
                let message = format!("`{name}` says nothing about this source");
                self.wrong(Code::OptionsContradict, &join(path, &[name]), message, "does not go with it", help);
            }
        }
        let url = join(path, &["url"]);
        self.pattern(&url, location, written.pick.is_some());
        let text = written.endpoint.as_deref()?;
        self.endpoint(&join(path, &["endpoint"]), text, object?.store)
    }

    fn endpoint(&mut self, path: &[&str], written: &str, store: StoreKind) -> Option<String> {
        if written.contains("${") {
            return None;
        }
        let bare = |url: &url::Url| {
            url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
                && url.fragment().is_none()
                && url.path() == "/"
        };
        let (why, help) = match url::Url::parse(written) {
            Err(error) => (error.to_string(), "write an address such as https://s3.example.com"),
            Ok(url) if !bare(&url) => {
                ("more than a host".to_owned(), "write an address such as https://s3.example.com")
            }
            Ok(url) if url.scheme() == "http" && on_this_machine(&url) => return Some(trimmed(&url)),
            Ok(url) if url.scheme() != "https" => (format!("not {}", url.scheme()), "a store is spoken to over https"),
            Ok(_) if store != StoreKind::S3 => (
                "credentials would go to another host than the store's own".to_owned(),
                "delete it: only an emulator on this machine may be named here (http://127.0.0.1:PORT)",
            ),
            Ok(url) => return Some(trimmed(&url)),
        };
        self.wrong(Code::BadUrl, path, "this store may not be spoken to", &why, help);
        None
    }
}

/// Is it this machine, written out?
fn on_this_machine(url: &url::Url) -> bool {
    url.host_str().is_some_and(|host| matches!(host, "127.0.0.1" | "localhost" | "[::1]"))
}

fn trimmed(url: &url::Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
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
