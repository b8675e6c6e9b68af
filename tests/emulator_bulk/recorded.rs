//! The same keys, types, codes and headers as the recorded jobs.

use std::collections::BTreeSet;
use std::path::PathBuf;

use reqwest::Method;
use serde_json::{Value, json};

use super::{Org, map};

/// A recording; without the folder the test says loudly that it was left out.
fn recorded(name: &str) -> Option<String> {
    #[allow(clippy::disallowed_methods)]
    let folder = std::env::var("FOOTBRIDGE_RECORDINGS").ok();
    if folder.is_none() {
        crate::scene::left_out("set FOOTBRIDGE_RECORDINGS to hold the emulator against recorded replies");
    }
    Some(std::fs::read_to_string(PathBuf::from(folder?).join(name)).unwrap())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Exactly the recorded keys, with values of the recorded types; and the very values of those that no org decides.
fn alike(ours: &Value, theirs: &Value, step: &str) {
    let keys = |of: &Value| of.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(keys(ours), keys(theirs), "{step}");
    for (key, value) in theirs.as_object().unwrap() {
        assert_eq!(kind(&ours[key]), kind(value), "{step}: {key}");
    }
    for key in
        ["operation", "state", "concurrencyMode", "contentType", "jobType", "lineEnding", "columnDelimiter", "retries"]
    {
        assert_eq!(ours.get(key), theirs.get(key), "{step}: {key}");
    }
    assert_eq!(ours["apiVersion"].as_f64(), theirs["apiVersion"].as_f64(), "{step}");
}

#[tokio::test]
async fn an_update_and_a_query_job_show_the_recorded_bodies_at_every_step() {
    let Some(text) = recorded("bulk2_ingest_update_and_query_lifecycle.json") else { return };
    let steps: Vec<Value> = serde_json::from_str(&text).unwrap();
    let step = |n: usize| (steps[n]["body"].clone(), steps[n]["step"].as_str().unwrap().to_owned());
    let mut org = Org::new().await;
    org.version = "52.0";
    let account = |n: usize| map(&json!({"Name": format!("A{n}")}));
    let ids = org.emulator.insert("Account", &(0..5).map(account).collect::<Vec<_>>()).unwrap();
    let hold = "- on: { method: PATCH, path: jobs/ingest }\n  action: { job: { polls: 1 } }\n\
                - on: { method: POST, path: jobs/query }\n  action: { job: { polls: 1 } }\n";
    org.emulator.faults(hold).unwrap();

    let create = json!({"object": "Account", "operation": "update", "contentType": "CSV", "lineEnding": "LF", "columnDelimiter": "COMMA"});
    let made = org.send(Method::POST, "jobs/ingest", &create).await;
    let (theirs, said) = step(0);
    alike(&made.json(), &theirs, &said);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let url = made.json()["contentUrl"].as_str().unwrap().to_owned();
    assert_eq!(url, format!("services/data/v52.0/jobs/ingest/{id}/batches"), "no slash before it");
    let (theirs, said) = step(1);
    alike(&org.info("ingest", &id).await, &theirs, &said);
    let upload = recorded("bulk2_ingest_request.csv").unwrap();
    let rows: Vec<String> = upload
        .lines()
        .skip(1)
        .zip(&ids)
        .map(|(line, id)| format!("{id},{}", line.split_once(',').unwrap().1))
        .collect();
    let put = org.put(&id, format!("Id,Phone\n{}\n", rows.join("\n"))).await;
    assert_eq!((put.status, put.text.as_str()), (201, ""));
    let (theirs, said) = step(2);
    alike(&org.info("ingest", &id).await, &theirs, &said);
    let (theirs, said) = step(3);
    alike(&org.state("ingest", &id, "UploadComplete").await.json(), &theirs, &said);
    let (theirs, said) = step(4);
    alike(&org.info("ingest", &id).await, &theirs, &said);
    let (theirs, said) = step(5);
    let complete = org.info("ingest", &id).await;
    alike(&complete, &theirs, &said);
    assert_eq!((&complete["numberRecordsProcessed"], &complete["numberRecordsFailed"]), (&json!(4), &json!(0)));

    let failed = org.results(&id, "failedResults").await;
    assert_eq!(failed.text, recorded("bulk2_failedResults_empty.csv").unwrap(), "sf__ quoted, our own header as sent");
    let left = org.results(&id, "unprocessedrecords").await;
    assert_eq!(left.text, recorded("bulk2_unprocessedrecords_empty.csv").unwrap());
    let done = org.results(&id, "successfulResults").await;
    assert!(done.text.starts_with("\"sf__Id\",\"sf__Created\",Id,Phone\n"), "{}", done.text);
    assert_eq!(done.text.lines().nth(1).unwrap(), format!("\"{}\",\"false\",{}", ids[3], rows[3]), "in another order");
    let abort = org.state("ingest", &id, "Aborted").await;
    let theirs: Value = serde_json::from_str(&recorded("bulk2_abort_completed_job_400.json").unwrap()).unwrap();
    assert_eq!((abort.status, abort.json()), (400, theirs));

    let query = json!({"operation": "query", "query": "SELECT id, NAME, phone FROM account", "contentType": "CSV", "columnDelimiter": "COMMA", "lineEnding": "LF"});
    let made = org.send(Method::POST, "jobs/query", &query).await.json();
    let (theirs, said) = step(6);
    alike(&made, &theirs, &said);
    let query_id = made["id"].as_str().unwrap().to_owned();
    let (mut theirs, said) = step(7);
    // Ours has counted already, as a real job may have.
    theirs["numberRecordsProcessed"] = json!(5);
    alike(&org.info("query", &query_id).await, &theirs, &said);
    let (theirs, said) = step(8);
    alike(&org.info("query", &query_id).await, &theirs, &said);
    let results = org.get(&format!("jobs/query/{query_id}/results")).await;
    let theirs = recorded("bulk2_query_results.csv").unwrap();
    assert_eq!(results.text.lines().next(), theirs.lines().next(), "canonical names, quoted");
    assert_eq!(results.headers["sforce-numberofrecords"], "5");
    assert_eq!(results.headers["sforce-locator"], "null");
    assert_eq!(results.headers["content-type"], "text/csv");
    assert!(results.rows().contains(&format!("\"{}\",\"A4\",\"\"", ids[4])), "{}", results.text);

    let lists = [("ingest", "bulk2_list_ingest_jobs.json"), ("query", "bulk2_list_query_jobs.json")];
    for (family, name) in lists {
        let mut theirs: Value = serde_json::from_str(&recorded(name).unwrap()).unwrap();
        let ours = org.get(&format!("jobs/{family}")).await.json();
        assert_eq!((&ours["done"], &ours["nextRecordsUrl"]), (&json!(true), &Value::Null));
        let entry = &mut theirs["records"][0];
        (entry["operation"], entry["state"], entry["apiVersion"]) =
            (json!(if family == "ingest" { "update" } else { "query" }), json!("JobComplete"), json!(52));
        alike(&ours["records"][0], &theirs["records"][0], name);
    }
}
