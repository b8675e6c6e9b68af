//! Pages of JSON records made into blocks: lexemes are copied, strings unescaped, `null` is an empty cell. No number ever becomes a float.
//!
//! A record is `{"attributes":{…},"Field":value,…}`; a parent field is a nested record, or `null` when the look-up is empty (recordings `query_*.json`).

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::SalesforceError;
use super::answer::malformed;
use crate::table::{Block, BlockBuilder};

/// A page of a query.
#[derive(Debug)]
pub struct Page {
    /// Records of the whole query.
    pub total: u64,
    /// Is this the last page?
    pub done: bool,
    /// Path of the next page.
    pub next: Option<String>,
    /// The records, as rows.
    pub block: Block,
}

/// Fills rows from records: one cell a column, in the columns' order.
struct Rows<'c> {
    columns: &'c [String],
    builder: BlockBuilder,
    /// One record's cells, back to back, in the order of arrival.
    bytes: Vec<u8>,
    /// Where each column's cell lies.
    spans: Vec<Option<(usize, usize)>>,
    /// The column that comes next when a record keeps the order of the SELECT, as Salesforce does.
    next: usize,
    /// Is the column's name in no other column's path? Then its value needs no further search.
    sole: Vec<bool>,
}

impl<'c> Rows<'c> {
    fn new(columns: &'c [String], first_row: u64, sequence: u64) -> Self {
        let within = |path: &str, name: &str| {
            strip_prefix(path, name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let sole = columns
            .iter()
            .map(|name| !name.contains('.') && columns.iter().filter(|path| within(path, name)).count() == 1)
            .collect();
        Self {
            columns,
            next: 0,
            sole,
            builder: BlockBuilder::new(columns.len(), first_row, sequence),
            bytes: Vec::new(),
            spans: vec![None; columns.len()],
        }
    }

    fn end_record(&mut self) -> Result<(), String> {
        for (column, span) in self.columns.iter().zip(&mut self.spans) {
            let (start, end) = span.take().ok_or_else(|| format!("a record came without {column}"))?;
            self.builder.push(&self.bytes[start..end]);
        }
        self.bytes.clear();
        self.next = 0;
        // The org's side has no lines.
        self.builder.end_row(0).map_err(|error| error.to_string())
    }

    fn set(&mut self, column: usize, value: &str) -> Result<(), String> {
        let start = self.bytes.len();
        copy_lexeme(value, &mut self.bytes)?;
        self.spans[column] = Some((start, self.bytes.len()));
        Ok(())
    }

    /// A value at a path below the record: `Account.` and `Name`.
    fn take(&mut self, prefix: &str, key: &str, value: &RawValue) -> Result<(), String> {
        let value = value.get();
        if prefix.is_empty()
            && self.sole.get(self.next) == Some(&true)
            && self.columns[self.next].eq_ignore_ascii_case(key)
        {
            self.next += 1;
            return self.set(self.next - 1, value);
        }
        let mut nested = false;
        for column in 0..self.columns.len() {
            let Some(rest) = strip_prefix(&self.columns[column], prefix) else { continue };
            if rest.eq_ignore_ascii_case(key) {
                self.set(column, value)?;
            } else if strip_prefix(rest, key).is_some_and(|r| r.starts_with('.')) {
                if value == "null" {
                    self.set(column, value)?;
                } else {
                    nested = true;
                }
            }
        }
        if nested {
            let prefix = format!("{prefix}{key}.");
            let mut nested = serde_json::Deserializer::from_str(value);
            Record { rows: self, prefix: &prefix }.deserialize(&mut nested).map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

fn strip_prefix<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// Copies a JSON value's text: nothing for `null`, the characters of a string, the lexeme of anything else.
fn copy_lexeme(value: &str, out: &mut Vec<u8>) -> Result<(), String> {
    match value.as_bytes().first() {
        Some(b'"') if value.len() >= 2 => {
            let inner = &value.as_bytes()[1..value.len() - 1];
            match memchr::memchr(b'\\', inner) {
                None => out.extend_from_slice(inner),
                Some(first) => {
                    out.extend_from_slice(&inner[..first]);
                    unescape(&inner[first..], out)?;
                }
            }
        }
        Some(b'n') => {}
        _ => out.extend_from_slice(value.as_bytes()),
    }
    Ok(())
}

/// Undoes JSON's escapes. Half a surrogate pair, which Java can produce by cutting a text, becomes U+FFFD.
fn unescape(mut text: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    let broken = || "a string has a broken escape".to_owned();
    while let Some(at) = memchr::memchr(b'\\', text) {
        out.extend_from_slice(&text[..at]);
        let code = *text.get(at + 1).ok_or_else(broken)?;
        text = &text[at + 2..];
        match code {
            b'"' | b'\\' | b'/' => out.push(code),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'u' => {
                let (unit, rest) = hex4(text).ok_or_else(broken)?;
                text = rest;
                let mut units = vec![unit];
                if (0xD800..0xDC00).contains(&unit)
                    && let Some((low, rest)) = text.strip_prefix(b"\\u").and_then(hex4)
                    && (0xDC00..0xE000).contains(&low)
                {
                    units.push(low);
                    text = rest;
                }
                for c in char::decode_utf16(units) {
                    let c = c.unwrap_or(char::REPLACEMENT_CHARACTER);
                    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
            _ => return Err(broken()),
        }
    }
    out.extend_from_slice(text);
    Ok(())
}

fn hex4(text: &[u8]) -> Option<(u16, &[u8])> {
    let (digits, rest) = text.split_at_checked(4)?;
    let digits = std::str::from_utf8(digits).ok().filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
    Some((u16::from_str_radix(digits, 16).ok()?, rest))
}

/// One record, at the top or below a parent.
struct Record<'r, 'c, 'p> {
    rows: &'r mut Rows<'c>,
    prefix: &'p str,
}

impl<'de> DeserializeSeed<'de> for Record<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Record<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(key)) = map.next_key::<Key<'de>>()? {
            if key == "attributes" {
                map.next_value::<IgnoredAny>()?;
            } else {
                let value: &RawValue = map.next_value()?;
                self.rows.take(self.prefix, &key, value).map_err(A::Error::custom)?;
            }
        }
        Ok(())
    }
}

/// A key, borrowed where it has no escapes.
struct Key<'de>(Cow<'de, str>);

impl<'de> serde::Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(key)))
            }
            fn visit_str<E>(self, key: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(key.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

/// An array of records; `null` entries are passed over and their positions kept.
struct Records<'r, 'c> {
    rows: &'r mut Rows<'c>,
    nulls_allowed: bool,
}

impl<'de> DeserializeSeed<'de> for Records<'_, '_> {
    type Value = u64;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u64, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Records<'_, '_> {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<u64, A::Error> {
        let mut entries = 0;
        while seq.next_element_seed(Entry { rows: self.rows, nulls_allowed: self.nulls_allowed })?.is_some() {
            entries += 1;
        }
        Ok(entries)
    }
}

/// One entry of an array of records.
struct Entry<'r, 'c> {
    rows: &'r mut Rows<'c>,
    nulls_allowed: bool,
}

impl<'de> DeserializeSeed<'de> for Entry<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Entry<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        if self.nulls_allowed { Ok(()) } else { Err(E::custom("a record is null")) }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        Record { rows: self.rows, prefix: "" }.visit_map(map)?;
        self.rows.end_record().map_err(A::Error::custom)
    }
}

/// The reply around the records.
struct PageVisitor<'c> {
    rows: Rows<'c>,
}

impl<'de> Visitor<'de> for PageVisitor<'_> {
    type Value = Page;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a page of records")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Page, A::Error> {
        let (mut total, mut done, mut next, mut records) = (None, None, None, false);
        while let Some(Key(key)) = map.next_key::<Key<'de>>()? {
            match key.as_ref() {
                "totalSize" => total = Some(map.next_value::<u64>()?),
                "done" => done = Some(map.next_value::<bool>()?),
                "nextRecordsUrl" => next = map.next_value::<Option<String>>()?,
                "records" => {
                    map.next_value_seed(Records { rows: &mut self.rows, nulls_allowed: false })?;
                    records = true;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        let (Some(total), Some(done), true) = (total, done, records) else {
            return Err(A::Error::custom("totalSize, done or records is missing"));
        };
        Ok(Page { total, done, next, block: self.rows.builder.finish() })
    }
}

/// Decodes a page of a query. `columns` are the fields of the SELECT in order, with parent paths (`Account.Name`); a record that lacks one is an error.
pub fn decode_page(body: &[u8], columns: &[String], first_row: u64, sequence: u64) -> Result<Page, SalesforceError> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let page = deserializer.deserialize_map(PageVisitor { rows: Rows::new(columns, first_row, sequence) });
    let page = page.map_err(|error| malformed("the query", error))?;
    deserializer.end().map_err(|error| malformed("the query", error))?;
    Ok(page)
}

/// Decodes the array that `POST composite/sobjects/X` answers: `null` stands for an id that is not there or not visible. Also says how many entries came.
pub(crate) fn decode_retrieved(
    body: &[u8],
    columns: &[String],
    first_row: u64,
    sequence: u64,
) -> Result<(Block, u64), SalesforceError> {
    let mut rows = Rows::new(columns, first_row, sequence);
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let entries = Records { rows: &mut rows, nulls_allowed: true }.deserialize(&mut deserializer);
    let entries = entries.map_err(|error| malformed("reading records by id", error))?;
    deserializer.end().map_err(|error| malformed("reading records by id", error))?;
    Ok((rows.builder.finish(), entries))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn columns(names: &[&str]) -> Vec<String> {
        names.iter().map(|n| (*n).to_owned()).collect()
    }

    fn cells(page: &Page) -> Vec<Vec<String>> {
        let block = &page.block;
        (0..block.rows())
            .map(|r| (0..block.columns()).map(|c| String::from_utf8_lossy(block.cell(r, c)).into_owned()).collect())
            .collect()
    }

    #[test]
    fn lexemes_are_copied_as_they_came() {
        let body = br#"{"totalSize":2,"done":true,"records":[
            {"attributes":{"type":"Lead","url":"x"},"Id":"00Q1","N":100.0,"Big":12345678901234567890.123456789,"E":1.0E8,"B":false,"S":"a\r\n\"\u00fc\ud83d\ude00\ud800x","Z":null},
            {"attributes":{},"Z":"","S":"","B":true,"E":-0,"Big":0.10,"N":7,"Id":"00Q2"}]}"#;
        let page = decode_page(body, &columns(&["Id", "N", "Big", "E", "B", "S", "Z"]), 0, 0).unwrap();
        assert_eq!(
            cells(&page),
            [
                ["00Q1", "100.0", "12345678901234567890.123456789", "1.0E8", "false", "a\r\n\"ü😀\u{fffd}x", ""],
                ["00Q2", "7", "0.10", "-0", "true", "", ""],
            ]
        );
    }

    #[test]
    fn parents_are_found_by_path_and_an_empty_parent_is_empty() {
        let body = br#"{"totalSize":2,"done":true,"records":[
            {"attributes":{},"Id":"1","Account":{"attributes":{},"Name":"Acme","Owner":{"attributes":{},"Alias":"jd"},"Site":null}},
            {"attributes":{},"Id":"2","Account":null}]}"#;
        let page =
            decode_page(body, &columns(&["Id", "account.name", "Account.Owner.Alias", "Account.Site"]), 0, 0).unwrap();
        assert_eq!(cells(&page), [["1", "Acme", "jd", ""], ["2", "", "", ""]]);
    }

    #[test]
    fn a_page_that_lacks_something_is_an_error() {
        let table = [
            r#"{"totalSize":1,"done":true,"records":[{"Id":"1"}]}"#,
            r#"{"totalSize":1,"done":true,"records":[null]}"#,
            r#"{"totalSize":1,"done":true}"#,
            r#"{"done":true,"records":[]}"#,
            r#"{"totalSize":1,"records":[]}"#,
            r#"{"totalSize":1,"done":true,"records":[{"Id":"1","Name":"x"#,
            r#"{"totalSize":1,"done":true,"records":[]} trailing"#,
            r#"[{"message":"x","errorCode":"Y"}]"#,
            "",
        ];
        for body in table {
            let outcome = decode_page(body.as_bytes(), &columns(&["Id", "Name"]), 0, 0);
            assert!(matches!(outcome, Err(SalesforceError::Malformed { .. })), "{body}: {outcome:?}");
        }
    }

    #[test]
    fn retrieved_records_skip_nulls_and_are_counted() {
        let body = br#"[{"attributes":{},"Id":"1","N":1.50},null,{"attributes":{},"Id":"3","N":null}]"#;
        let (block, entries) = decode_retrieved(body, &columns(&["Id", "N"]), 0, 0).unwrap();
        assert_eq!((block.rows(), entries), (2, 3));
        assert_eq!((block.cell(0, 1), block.cell(1, 0)), (b"1.50".as_slice(), b"3".as_slice()));
    }

    fn scalar() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            "[\\x00-\\x7f]{0,20}".prop_map(Value::from),
        ]
    }

    proptest! {
        #[test]
        fn cells_equal_serde_jsons_reading(values in prop::collection::vec(scalar(), 1..6), escaped in any::<bool>()) {
            let names: Vec<String> = (0..values.len()).map(|n| format!("F{n}__c")).collect();
            let record: serde_json::Map<String, Value> = names.iter().cloned().zip(values.iter().cloned()).collect();
            let mut body = json!({"totalSize": 1, "done": true, "records": [record]}).to_string();
            if escaped {
                body = body.chars().map(|c| if c.is_ascii() { c.to_string() } else {
                    c.encode_utf16(&mut [0; 2]).iter().map(|u| format!("\\u{u:04x}")).collect()
                }).collect();
            }
            let page = decode_page(body.as_bytes(), &names, 0, 0).unwrap();
            for (n, value) in values.iter().enumerate() {
                let expected = match value {
                    Value::Null => String::new(),
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                prop_assert_eq!(page.block.cell(0, n), expected.as_bytes());
            }
        }

        #[test]
        fn the_text_of_a_number_is_kept(number in "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?") {
            let body = format!(r#"{{"totalSize":1,"done":true,"records":[{{"N":{number}}}]}}"#);
            let page = decode_page(body.as_bytes(), &columns(&["N"]), 0, 0).unwrap();
            prop_assert_eq!(page.block.cell(0, 0), number.as_bytes());
        }
    }
}
