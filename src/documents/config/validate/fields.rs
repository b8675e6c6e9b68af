//! The fields of the mapping.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::diag::{Code, Diagnostic};
use crate::model::FieldName;

use super::super::valid::{BadValue, Lint, Mapping, NewValues, Reading, Report, Spanned, WhenBlank, WritePolicy};
use super::super::written::{self, Either};
use super::names::is_system_field;
use super::report::ReadingParts;
use super::{Check, join};

/// What the fields are read against.
pub(super) struct Around<'a> {
    pub(super) report: Option<&'a Report>,
    pub(super) match_field: &'a str,
    pub(super) on_bad_value: BadValue,
    pub(super) lints_off: &'a BTreeSet<Lint>,
}

/// Options whose places later stages may point at.
const OPTIONS: [&str; 17] = [
    "column",
    "when_blank",
    "write",
    "show_values",
    "on_bad_value",
    "new_values",
    "truncate",
    "currency",
    "format",
    "decimal",
    "percent",
    "time_zone",
    "blank_values",
    "true_values",
    "false_values",
    "separator",
    "prefix",
];

impl Check<'_> {
    pub(super) fn fields(
        &mut self,
        written: &BTreeMap<String, Either<String, written::Field>>,
        around: &Around<'_>,
    ) -> Vec<Mapping> {
        let mut mappings = Vec::new();
        let mut seen: HashMap<String, String> = HashMap::new();
        let order: Vec<String> = self.document.keys(&["fields"]).into_iter().map(str::to_owned).collect();
        for name in &order {
            let Some(field) = written.get(name) else { continue };
            let path = ["fields", name.as_str()];
            let span = self.key(&path);
            if !self.api_name(span.clone(), name, "a field") {
                continue;
            }
            if let Some(first) = seen.insert(name.to_ascii_lowercase(), name.clone()) {
                let other = self.key(&["fields", &first]);
                self.push(
                    Diagnostic::error(Code::FieldTwice, format!("the field {name} is written twice"))
                        .at(span, "the same field: Salesforce does not heed case in names")
                        .and(other, "the first time")
                        .help("keep one of the two"),
                );
                continue;
            }
            if name.eq_ignore_ascii_case(around.match_field) {
                let other = self.value(&["match", "field"]);
                self.push(
                    Diagnostic::error(
                        Code::WritesMatchField,
                        format!("the mapping writes {name}, which is the match field"),
                    )
                    .at(span, "written here")
                    .and(other, "matched by here")
                    .help("delete this line: a record whose match field changes is another person's the next day")
                    .note("the column may be copied into another field"),
                );
                continue;
            }
            if is_system_field(name) {
                self.push(
                    Diagnostic::error(Code::SystemField, format!("Salesforce sets {name} itself"))
                        .at(span, "cannot be written")
                        .help("map the column to a field of your own, such as WalkMe_Last_Login__c"),
                );
                continue;
            }
            if !name.get(..7).is_some_and(|p| p.eq_ignore_ascii_case("WalkMe_"))
                && !around.lints_off.contains(&Lint::WalkmePrefix)
            {
                self.push(
                    Diagnostic::lint(Code::PrefixMissing, format!("{name} has no prefix WalkMe_"))
                        .at(span.clone(), "who else writes this field?")
                        .help("a field of its own, such as WalkMe_…__c, keeps what people wrote apart from what the report says")
                        .help("to switch this off: lints_off: [walkme_prefix]"),
                );
            }
            mappings.push(self.mapping(&path, name, field, around));
        }
        mappings
    }

    fn mapping(
        &mut self,
        path: &[&str],
        name: &str,
        written: &Either<String, written::Field>,
        around: &Around<'_>,
    ) -> Mapping {
        let field = Spanned::new(FieldName::new(name), self.key(path));
        let declared = |column: &str| around.report.and_then(|report| report.columns.get(column));
        let map = match written {
            Either::Word(column) => {
                let column = Spanned::new(column.clone(), self.value(path));
                let declared = declared(&column);
                return Mapping {
                    field,
                    column_type: declared.and_then(|d| d.kind),
                    reading: declared.map(|d| d.reading.clone()).unwrap_or_default(),
                    column,
                    when_blank: WhenBlank::Keep,
                    write: WritePolicy::Always,
                    show_values: false,
                    on_bad_value: around.on_bad_value,
                    new_values: NewValues::Refuse,
                    truncate: false,
                    currency: None,
                    option_spans: BTreeMap::new(),
                };
            }
            Either::Map(map) => map,
        };
        let written::Field {
            column,
            when_blank,
            write,
            show_values,
            on_bad_value,
            new_values,
            truncate,
            currency,
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
        } = map;
        let column = Spanned::new(column.clone(), self.value(&join(path, &["column"])));
        let declared = declared(&column);
        let parts = ReadingParts {
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
        let kind = declared.and_then(|d| d.kind);
        let own = self.reading(path, &parts, kind);
        let none = Reading::default();
        let under = declared.map_or(&none, |d| &d.reading);
        let keys = self.document.keys(path);
        let option_spans = OPTIONS
            .into_iter()
            .chain(["suffix"])
            .filter(|option| keys.contains(option))
            .map(|option| (option, self.document.value(&join(path, &[option]))))
            .collect();
        Mapping {
            field,
            column,
            column_type: kind,
            reading: own.over(under),
            when_blank: when_blank.map_or(WhenBlank::Keep, |w| match w {
                written::WhenBlank::Keep => WhenBlank::Keep,
                written::WhenBlank::Clear => WhenBlank::Clear,
                written::WhenBlank::Fail => WhenBlank::Fail,
            }),
            write: write.map_or(WritePolicy::Always, |w| match w {
                written::WritePolicy::Always => WritePolicy::Always,
                written::WritePolicy::IfEmpty => WritePolicy::IfEmpty,
                written::WritePolicy::IfGreater => WritePolicy::IfGreater,
                written::WritePolicy::IfLess => WritePolicy::IfLess,
            }),
            show_values: show_values.unwrap_or(false),
            on_bad_value: on_bad_value.map_or(around.on_bad_value, bad_value),
            new_values: match new_values {
                Some(written::NewValues::Allow) => NewValues::Allow,
                Some(written::NewValues::Refuse) | None => NewValues::Refuse,
            },
            truncate: truncate.unwrap_or(false),
            currency: currency.clone(),
            option_spans,
        }
    }
}

pub(super) fn bad_value(written: written::BadValue) -> BadValue {
    match written {
        written::BadValue::SkipCell => BadValue::SkipCell,
        written::BadValue::SkipRow => BadValue::SkipRow,
        written::BadValue::Fail => BadValue::Fail,
    }
}
