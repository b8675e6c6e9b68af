//! Seeds: what they put into an org, what a file keeps, and that the documentation's examples work.

use std::path::PathBuf;

use footbridge::emulator::{Fault, Options, serve};
use serde_json::{Value, json};

use super::{Org, code, map};

const RULES: &str = "
objects:
  Lead:
    fields:
      - { name: First__c, label: First, type: datetime }
      - { name: Last__c, label: Last, type: datetime }
      - { name: Key__c, label: Key, type: text, length: 20, unique: true, external_id: true }
      - { name: Exact__c, label: Exact, type: text, length: 20, unique: true, case_sensitive: true }
      - { name: Colours__c, label: Colours, type: multipicklist, restricted: true, values: [red, green, { value: blue, active: false }] }
      - { name: Sum__c, label: Sum, type: number, formula: true }
    rules:
      - { field: Last__c, must: { not_before: First__c }, message: Last comes after first. }
    records:
      - { LastName: A, Company: C, Key__c: k1, Exact__c: e1, First__c: 2026-01-02T00:00:00Z }
      - { LastName: B, Company: C }
  Plan__c:
    label: Plan
    fields: [{ name: Lead__c, type: lookup, reference_to: [Lead] }]
    records: [{ Name: P }]
";

#[tokio::test]
async fn custom_fields_objects_and_rules_take_part() {
    let org = Org::with(Options { seed_texts: vec![RULES.to_owned()], ..Options::default() }).await;
    let leads = org.emulator.records("Lead");
    let path = format!("/sobjects/Lead/{}", leads[1]["Id"].as_str().unwrap());
    for (body, expected) in [
        (json!({"Key__c": "K1"}), "DUPLICATE_VALUE"),
        (json!({"Exact__c": "e1"}), "DUPLICATE_VALUE"),
        (json!({"Colours__c": "red;blue"}), "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        (json!({"Sum__c": 1}), "INVALID_FIELD_FOR_INSERT_UPDATE"),
        (
            json!({"First__c": "2026-01-02T00:00:00Z", "Last__c": "2026-01-01T00:00:00Z"}),
            "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        ),
    ] {
        let (status, found) = org.patch(&path, &body).await;
        assert_eq!((status, code(&found)), (400, expected), "{body}");
    }
    assert_eq!(org.patch(&path, &json!({"Exact__c": "E1", "Colours__c": "green;red;green"})).await.0, 204);
    assert_eq!(org.emulator.records("Lead")[1]["Colours__c"], "red;green");
    let plan = org.emulator.records("Plan__c").remove(0);
    let path = format!("/sobjects/Plan__c/{}", plan["Id"].as_str().unwrap());
    assert_eq!(org.patch(&path, &json!({"Lead__c": leads[0]["Id"]})).await.0, 204);
    let described: Value = org.get("/sobjects/Plan__c/describe").await.json().await.unwrap();
    assert_eq!(described["custom"], true);
}

#[tokio::test]
async fn a_file_keeps_the_org_its_schema_and_its_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        db: Some(folder.path().join("org.sqlite")),
        seed_texts: vec![RULES.to_owned()],
        ..Options::default()
    };
    let first = serve(options.clone()).await.unwrap();
    let (token, id) = (first.access_token(), first.org_id());
    let lead = first.records("Lead")[0]["Id"].as_str().unwrap().to_owned();
    first.edit("Lead", &lead, &map(&json!({"Title": "Dr"}))).unwrap();
    let made = first.insert("Lead", &[map(&json!({"LastName": "C"}))]).unwrap();
    first.shutdown().await;
    let again = Org::with(Options { seed_texts: Vec::new(), ..options }).await;
    assert_eq!(again.emulator.org_id(), id);
    assert_eq!(again.emulator.records("Lead").len(), 3, "records of seeds are loaded once");
    assert_eq!(again.lead(&lead)["Title"], "Dr");
    let url = format!("{}/services/data/v66.0/limits", again.emulator.url());
    assert_eq!(again.client.get(url).bearer_auth(token).send().await.unwrap().status(), 200);
    let more = again.emulator.insert("Lead", &[map(&json!({"LastName": "D"}))]).unwrap();
    assert!(more > made);
    let (status, body) =
        again.patch(&format!("/sobjects/Lead/{lead}"), &json!({"Last__c": "2025-01-01T00:00:00Z"})).await;
    assert_eq!((status, code(&body)), (400, "FIELD_CUSTOM_VALIDATION_EXCEPTION"));
}

#[tokio::test]
async fn a_bad_seed_says_where() {
    for (seed, part) in [
        ("objects: { Lead: { records: [{ LastNam: x }] } }", "LastNam"),
        ("objects: { Leed: { fields: [] } }", "Leed"),
        ("org: { id: 123 }", "org.id"),
        ("org: { time_zone: Mars/North }", "time_zone"),
        ("objects: { Lead: { rules: [{ field: Nope, must: {}, message: m }] } }", "Nope"),
        ("files: [{ object: Lead, csv: not-there.csv }]", "not-there.csv"),
    ] {
        let error = serve(Options { seed_texts: vec![seed.to_owned()], ..Options::default() }).await.unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[tokio::test]
async fn real_leads_load_from_their_csv() {
    #[allow(clippy::disallowed_methods)]
    let Ok(data) = std::env::var("FOOTBRIDGE_DATA") else {
        crate::scene::left_out("set FOOTBRIDGE_DATA to load the real leads");
        return;
    };
    let seed = PathBuf::from(data).join("activity/leads.csv");
    let rows = csv::Reader::from_path(&seed).unwrap().into_records().count();
    let org = serve(Options { seeds: vec![seed], ..Options::default() }).await.unwrap();
    let leads = org.records("Lead");
    assert_eq!(leads.len(), rows);
    assert_eq!(leads[0]["Email"], "35057220+vebutoki@bamigu.example.com");
    assert_eq!(leads[0]["WalkMe_First_Login__c"], "2020-09-03T20:05:16.000+0000");
    assert_eq!(leads[0]["WalkMe_Logins_last_30_days__c"], 0.0);
    assert!(leads.iter().any(|l| l["IsConverted"] == true));
}

/// Each YAML block of the page is a seed, or a fault script if it is a list.
#[tokio::test]
async fn the_documentations_examples_work() {
    let page = include_str!("../../docs/EMULATOR.md");
    let blocks: Vec<&str> = page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(blocks.len() >= 2);
    for block in blocks {
        let value: Value = serde_yaml::from_str(block).unwrap();
        if let Value::Array(faults) = value {
            for fault in faults {
                serde_json::from_value::<Fault>(fault).unwrap();
            }
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let seed = folder.path().join("seed.yaml");
        std::fs::write(&seed, block).unwrap();
        std::fs::write(folder.path().join("leads.csv"), "LastName,Company\nA,B\n").unwrap();
        serve(Options { seeds: vec![seed], ..Options::default() }).await.unwrap();
    }
}

#[tokio::test]
async fn a_seed_can_switch_on_several_currencies() {
    let seed = "objects: { Opportunity: { fields: [{ name: CurrencyIsoCode, label: Currency ISO Code, type: picklist, length: 3, restricted: true, values: [{ value: EUR, default: true }, USD] }] } }";
    let org = Org::with(Options { seed_texts: vec![seed.to_owned()], ..Options::default() }).await;
    let deal = map(&json!({"Name": "O", "StageName": "Prospecting", "CloseDate": "2026-01-01", "Amount": 10}));
    let id = org.emulator.insert("Opportunity", &[deal]).unwrap().remove(0);
    assert_eq!(org.emulator.record("Opportunity", &id).unwrap()["CurrencyIsoCode"], "EUR");
    let described: Value = org.get("/sobjects/Opportunity/describe").await.json().await.unwrap();
    let field = described["fields"].as_array().unwrap().iter().find(|f| f["name"] == "CurrencyIsoCode").unwrap();
    assert_eq!((&field["custom"], &field["defaultValue"]), (&json!(false), &json!("EUR")));
}
