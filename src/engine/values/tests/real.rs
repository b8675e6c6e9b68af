//! Rules over recorded describes and over a real report beside a real org's rows, with expectations found by other means.

// The whole file is a test; the mark is for those who scan the sources.
#[cfg(test)]
use std::collections::HashMap;
use std::io::Write as _;
use std::path::PathBuf;

use serde_json::Value;

use super::*;

#[allow(clippy::disallowed_methods)] // Only tests look for the recordings this way.
fn folder(variable: &str) -> Option<PathBuf> {
    let folder = std::env::var(variable).ok().map(PathBuf::from);
    if folder.is_none() {
        // Past the capture of what tests print.
        writeln!(std::io::stderr().lock(), "LEFT OUT: {variable} is not set, so nothing recorded was checked").unwrap();
    }
    folder
}

fn described(json: &Value) -> Field {
    let number = |key: &str| json[key].as_u64().unwrap_or_default() as u32;
    let flag = |key: &str| json[key].as_bool().unwrap_or_default();
    let text = |key: &str| json[key].as_str().unwrap_or_default().to_owned();
    let entries = json["picklistValues"].as_array().cloned().unwrap_or_default();
    Field {
        name: FieldName::new(text("name")),
        label: text("label"),
        field_type: serde_json::from_value(json["type"].clone()).unwrap(),
        length: number("length"),
        precision: number("precision"),
        scale: number("scale"),
        digits: number("digits"),
        updateable: flag("updateable"),
        filterable: flag("filterable"),
        nillable: flag("nillable"),
        unique: flag("unique"),
        case_sensitive: flag("caseSensitive"),
        external_id: flag("externalId"),
        id_lookup: flag("idLookup"),
        calculated: flag("calculated"),
        auto_number: flag("autoNumber"),
        html_formatted: flag("htmlFormatted"),
        encrypted: flag("encrypted"),
        compound: json["compoundFieldName"].as_str().map(FieldName::new),
        restricted_picklist: flag("restrictedPicklist"),
        picklist: entries
            .iter()
            .map(|entry| PicklistValue {
                value: entry["value"].as_str().unwrap().to_owned(),
                label: entry["label"].as_str().unwrap_or_default().to_owned(),
                active: entry["active"].as_bool().unwrap(),
            })
            .collect(),
        reference_to: Vec::new(),
        permissionable: flag("permissionable"),
    }
}

#[test]
fn recorded_fields_compile_where_they_can_be_written() {
    let Some(folder) = folder("FOOTBRIDGE_RECORDINGS") else { return };
    let mut seen = 0;
    for object in
        ["lead", "account", "contact", "opportunity", "case", "contact_custom_fields", "account_custom_picklists"]
    {
        let text = std::fs::read_to_string(folder.join(format!("describe_{object}.json"))).unwrap();
        let json: Value = serde_json::from_str(&text).unwrap();
        for field in json["fields"].as_array().unwrap() {
            let field = described(field);
            seen += 1;
            let rule = Rule::compile(&field, &Options::default());
            assert_eq!(rule.is_ok(), field.updateable, "{object}.{} {:?}", field.name, rule.map(|_| ()));
            let named = field.name == FieldName::new("Name");
            if named && !field.updateable {
                assert_eq!(Rule::compile(&field, &Options::default()).unwrap_err(), RuleProblem::Compound, "{object}");
            }
            // Every entry of a picklist can be written and is what the org has afterwards.
            let Ok(rule) = Rule::compile(&field, &Options::default()) else { continue };
            for entry in field.picklist.iter().filter(|entry| entry.active) {
                assert_eq!(
                    verdict(&rule, entry.value.as_bytes(), entry.value.as_bytes(), &mut Forms::default()),
                    Verdict::Same,
                    "{object}.{}",
                    field.name
                );
            }
        }
    }
    assert!(seen > 300, "{seen}");
}

fn rows(file: PathBuf) -> Vec<HashMap<String, String>> {
    csv::Reader::from_path(file).unwrap().deserialize().map(Result::unwrap).collect()
}

/// The last day's report against the leads as they were: each verdict follows from seconds and whole numbers alone.
#[test]
fn a_real_report_beside_a_real_orgs_leads() {
    let Some(folder) = folder("FOOTBRIDGE_DATA").map(|folder| folder.join("activity")) else { return };
    let mut leads: HashMap<String, Vec<HashMap<String, String>>> = HashMap::new();
    for lead in rows(folder.join("leads.csv")) {
        leads.entry(lead["Email"].trim().to_lowercase()).or_default().push(lead);
    }
    let keys = KeyRule::compile(&field(FieldType::Email)).unwrap();
    let datetime = rule(FieldType::Datetime, &Options::default());
    let mut whole = field(FieldType::Double);
    whole.scale = 0;
    let whole = Rule::compile(&whole, &Options::default()).unwrap();
    let (mut matched, mut same, mut changed) = (0, 0, 0);
    let (mut report_key, mut org_key) = (Vec::new(), Vec::new());
    for row in rows(folder.join("day-2026-08-21.csv")) {
        let cell = row["User ID"].as_str();
        if keys.canon(Side::Report, cell.as_bytes(), &mut report_key) != Ok(KeyKind::Key) {
            assert!(cell.trim().is_empty(), "{cell}");
            continue;
        }
        for lead in leads.get(&cell.trim().to_lowercase()).into_iter().flatten() {
            keys.canon(Side::Org, lead["Email"].as_bytes(), &mut org_key).unwrap();
            assert_eq!(report_key, org_key);
            matched += 1;
            let seconds = |text: &str| text.parse::<jiff::Timestamp>().ok().map(|at| at.as_second());
            let units = |text: &str| text.split('.').next().and_then(|whole| whole.parse::<i64>().ok());
            let (columns, logins) = (["First", "Last"], "# Logins last 30 days");
            let mut pairs: Vec<(&Rule, &str, &str, bool)> = Vec::new();
            for which in columns {
                let (a, b) = (&row[&format!("{which} Login")], &lead[&format!("WalkMe_{which}_Login__c")]);
                pairs.push((&datetime, a, b, seconds(a) == seconds(b)));
            }
            let (a, b) = (&row[logins], &lead["WalkMe_Logins_last_30_days__c"]);
            pairs.push((&whole, a, b, units(a) == units(b)));
            for (rule, report, org, equal) in pairs {
                match (verdict(rule, report.as_bytes(), org.as_bytes(), &mut Forms::default()), equal) {
                    (Verdict::Same, true) => same += 1,
                    (Verdict::Change(change), false) => {
                        changed += 1;
                        assert_eq!(change.kind, if org.is_empty() { ChangeKind::Fill } else { ChangeKind::Overwrite });
                        assert_eq!(
                            verdict(rule, report.as_bytes(), change.after, &mut Forms::default()),
                            Verdict::Same
                        );
                    }
                    (other, equal) => panic!("{report} {org} {equal} {other:?}"),
                }
            }
        }
    }
    assert!(matched > 4000 && same > 1000 && changed > 100, "{matched} {same} {changed}");
}
