//! Tables of cases and properties for the whole module. Fields are made up; forms on the org's side are those of the recordings.

mod compiling;
mod keys;
mod moments;
mod numbers;
mod properties;
mod real;
mod texts;
mod wires;

use super::*;
use crate::model::{Field, FieldName, FieldType, PicklistValue};

/// A custom field of this type as describe would give it.
fn field(field_type: FieldType) -> Field {
    let length = match field_type {
        FieldType::String | FieldType::Url | FieldType::Picklist | FieldType::Combobox => 255,
        FieldType::Textarea => 32_000,
        FieldType::Email => 80,
        FieldType::Phone => 40,
        FieldType::Multipicklist => 4099,
        FieldType::Reference | FieldType::Id => 18,
        _ => 0,
    };
    let double = matches!(field_type, FieldType::Double | FieldType::Currency | FieldType::Percent);
    let boolean = field_type == FieldType::Boolean;
    let entries = [("Hot", "Hot", true), ("cold_lead", "Cold", true), ("None", "None", true), ("Old", "Old", false)];
    let entry =
        |(value, label, active): (&str, &str, bool)| PicklistValue { value: value.into(), label: label.into(), active };
    let choice = matches!(field_type, FieldType::Picklist | FieldType::Multipicklist);
    Field {
        length,
        precision: if double { 18 } else { 0 },
        scale: if double { 2 } else { 0 },
        digits: if field_type == FieldType::Int { 8 } else { 0 },
        nillable: !boolean,
        picklist: if choice { entries.map(entry).to_vec() } else { Vec::new() },
        ..Field::plain("WalkMe_Value__c", field_type)
    }
}

fn rule(field_type: FieldType, options: &Options) -> Rule {
    Rule::compile(&field(field_type), options).unwrap()
}

/// As a plan comes to it: by short cuts where the two agree, else by what they mean.
fn verdict<'f>(rule: &Rule, report: &[u8], org: &[u8], forms: &'f mut Forms) -> Verdict<'f> {
    match rule.agrees(report.into(), org.into(), forms) {
        true => Verdict::Same,
        false => rule.judge(report, org, forms),
    }
}

/// `same`, `kept blank`, `kept`, `refused CODE`, `fill AFTER`, `overwrite BEFORE > AFTER`, `clear BEFORE > AFTER`, with `(NOTE)`.
fn told(verdict: &Verdict<'_>) -> String {
    match verdict {
        Verdict::Same => "same".into(),
        Verdict::KeptBlank => "kept blank".into(),
        Verdict::KeptByPolicy => "kept".into(),
        Verdict::Refused(refusal) => {
            assert!(!refusal.message().is_empty() && !refusal.hint().is_empty());
            format!("refused {}", refusal.code())
        }
        Verdict::Change(change) => {
            let (before, after) = (String::from_utf8_lossy(change.before), String::from_utf8_lossy(change.after));
            let note = change.note.as_ref().map(|note| format!(" ({})", note.code())).unwrap_or_default();
            match change.kind {
                ChangeKind::Fill => format!("fill {after}{note}"),
                kind => format!("{} {before} > {after}{note}", kind.as_str()),
            }
        }
    }
}

fn check(rule: &Rule, cases: &[(&str, &str, &str)]) {
    for (report, org, expected) in cases {
        assert_eq!(
            told(&verdict(rule, report.as_bytes(), org.as_bytes(), &mut Forms::default())),
            *expected,
            "report {report:?}, org {org:?}"
        );
    }
}

/// Report cells against a null field: `AFTER`, `AFTER (NOTE)` or `refused CODE`.
fn check_written(rule: &Rule, cases: &[(&str, &str)]) {
    for (report, expected) in cases {
        let verdict = told(&verdict(rule, report.as_bytes(), b"", &mut Forms::default()));
        assert_eq!(verdict.strip_prefix("fill ").unwrap_or(&verdict), *expected, "report {report:?}");
    }
}

fn clear() -> Options {
    Options { when_blank: WhenBlank::Clear, ..Options::default() }
}

/// Every type that can be written.
fn writable() -> Vec<FieldType> {
    use FieldType::*;
    vec![
        String,
        Textarea,
        Email,
        Phone,
        Url,
        Combobox,
        Picklist,
        Multipicklist,
        Boolean,
        Int,
        Double,
        Currency,
        Percent,
        Date,
        Datetime,
        Time,
        Reference,
    ]
}
