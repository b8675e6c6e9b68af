//! Query jobs: rows, pages, locators, and what they may not ask.

use std::collections::BTreeSet;

use footbridge::emulator::Access;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Org, map};

#[tokio::test]
async fn values_come_quoted_in_select_order_each_type_in_its_own_form() {
    let org = Org::new().await;
    let account =
        org.emulator.insert("Account", &[map(&json!({"Name": "Say \"hi\"", "Phone": "1"}))]).unwrap().remove(0);
    let contact = map(&json!({
        "LastName": "L", "AccountId": account, "Description": "a\r\nb", "Birthdate": "1990-01-02", "IsEmailBounced": true,
    }));
    org.emulator.insert("Contact", &[contact, map(&json!({"LastName": "alone"}))]).unwrap();
    let soql = "SELECT account.name, LASTNAME, Account.Phone, Birthdate, IsEmailBounced, CreatedDate, Description FROM Contact ORDER BY LastName DESC";
    let (id, info) = org.query(soql).await;
    assert_eq!(
        (&info["state"], &info["numberRecordsProcessed"], &info["object"]),
        (&json!("JobComplete"), &json!(2), &json!("Contact"))
    );
    let results = org.get(&format!("jobs/query/{id}/results")).await;
    let created = org.emulator.records("Contact")[0]["CreatedDate"].as_str().unwrap().replace("+0000", "Z");
    let expected = format!(
        "\"Account.Name\",\"LastName\",\"Account.Phone\",\"Birthdate\",\"IsEmailBounced\",\"CreatedDate\",\"Description\"\n\
         \"Say \"\"hi\"\"\",\"L\",\"1\",\"1990-01-02\",\"true\",\"{created}\",\"a\r\nb\"\n\
         \"\",\"alone\",\"\",\"\",\"false\",\"{created}\",\"\"\n"
    );
    assert_eq!(results.text, expected);
    let (id, _) = org.query("SELECT Id, NumberOfEmployees, AnnualRevenue FROM Account").await;
    org.emulator.edit("Account", &account, &map(&json!({"NumberOfEmployees": 7, "AnnualRevenue": 1.5}))).unwrap();
    let rows = org.get(&format!("jobs/query/{id}/results")).await.rows();
    assert_eq!(rows[1], format!("\"{account}\",\"\",\"\""), "results are of the moment of the query");
    let (id, _) = org.query("SELECT NumberOfEmployees, AnnualRevenue FROM Account WHERE Name != 'x'").await;
    assert_eq!(org.get(&format!("jobs/query/{id}/results")).await.rows()[1], "\"7\",\"1.5\"");
    let (id, info) = org.query("SELECT Id FROM Account WHERE Name = 'nobody'").await;
    assert_eq!(info["numberRecordsProcessed"], 0);
    let none = org.get(&format!("jobs/query/{id}/results")).await;
    assert_eq!((none.text.as_str(), none.headers["sforce-numberofrecords"].as_str()), ("\"Id\"\n", "0"));
    assert_eq!(none.headers["sforce-locator"], "null");
}

#[tokio::test]
async fn rows_are_unordered_and_pages_hold_each_of_them_once() {
    let org = Org::small(40, 10).await;
    let ids = org.leads(450);
    let (id, _) = org.query("SELECT Id, Email FROM Lead").await;
    let base = format!("jobs/query/{id}/results");
    let (mut path, mut seen, mut pages) = (base.clone(), Vec::new(), 0);
    loop {
        let page = org.get(&path).await;
        let rows: Vec<String> = page.text.lines().skip(1).map(|l| l[1..19].to_owned()).collect();
        assert_eq!(page.headers["sforce-numberofrecords"], rows.len().to_string());
        assert!(page.text.starts_with("\"Id\",\"Email\"\n"), "each page has the header");
        seen.extend(rows);
        pages += 1;
        let next = &page.headers["sforce-locator"];
        if next == "null" {
            break;
        }
        path = format!("{base}?locator={next}");
    }
    assert_eq!((pages, seen.len()), (12, 450));
    assert_ne!(seen, ids);
    assert_eq!(seen.iter().collect::<BTreeSet<_>>(), ids.iter().collect::<BTreeSet<_>>());
    let large = org.get(&format!("{base}?maxRecords=400")).await;
    assert_eq!((large.text.lines().count(), large.headers["sforce-numberofrecords"].as_str()), (401, "400"));
    let rest = org.get(&format!("{base}?maxRecords=400&locator={}", large.headers["sforce-locator"])).await;
    assert_eq!((rest.text.lines().count(), rest.headers["sforce-locator"].as_str()), (51, "null"));
    let all = org.get(&base.replace("results", "resultPages")).await.json();
    assert_eq!((all["resultPages"].as_array().unwrap().len(), &all["done"]), (5, &json!(false)));
    let mut parallel = BTreeSet::new();
    let mut path = base.replace("results", "resultPages");
    loop {
        let told = org.get(&path).await.json();
        for page in told["resultPages"].as_array().unwrap() {
            let page = org.get(page["resultUrl"].as_str().unwrap()).await;
            parallel.extend(page.text.lines().skip(1).map(str::to_owned));
        }
        let Some(next) = told["nextRecordsUrl"].as_str() else { break };
        path = next.to_owned();
    }
    assert_eq!(parallel.len(), 450);
}

#[tokio::test]
async fn gzip_is_spoken_to_those_who_ask_for_it() {
    let org = Org::new().await;
    org.leads(9_000);
    let (id, _) = org.query("SELECT Id, Email, LastName, Company FROM Lead").await;
    let plain = org.get(&format!("jobs/query/{id}/results")).await;
    assert!(plain.text.len() > 300_000 && !plain.headers.contains_key("content-encoding"));
    let client = crate::http::client();
    let url = format!("{}/services/data/v68.0/jobs/query/{id}/results", org.emulator.url());
    let reply = client.get(url).bearer_auth(org.emulator.access_token()).send().await.unwrap();
    assert_eq!(reply.text().await.unwrap(), plain.text);
    let calls = org.emulator.calls();
    assert_eq!(calls.last().unwrap().response_bytes, plain.text.len());
}

#[tokio::test]
async fn results_want_their_version_a_sound_locator_and_a_job_that_is_done() {
    let mut org = Org::small(10, 10).await;
    org.leads(30);
    let (id, _) = org.query("SELECT Id FROM Lead").await;
    for bad in ["x", "MTAwMDA", "null"] {
        assert_eq!(
            org.get(&format!("jobs/query/{id}/results?locator={bad}")).await.code(),
            (400, "INVALIDQUERYLOCATOR".into())
        );
    }
    assert_eq!(org.get(&format!("jobs/query/{id}/results?maxRecords=0")).await.status, 400);
    org.version = "67.0";
    assert_eq!(org.get(&format!("jobs/query/{id}/results")).await.status, 409);
    assert_eq!(org.get(&format!("jobs/query/{id}/resultPages")).await.status, 409);
    assert_eq!(org.info("query", &id).await["state"], "JobComplete", "the info is told to any version");
    org.version = "57.0";
    assert_eq!(org.get(&format!("jobs/query/{id}/resultPages")).await.status, 404, "since 58.0");
    org.version = "68.0";
    org.emulator.faults("- on: { path: jobs/query }\n  action: { job: { never: true } }").unwrap();
    let made =
        org.send(Method::POST, "jobs/query", &json!({"operation": "query", "query": "SELECT Id FROM Lead"})).await;
    let never = made.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(org.info("query", &never).await["state"], "InProgress");
    assert_eq!(org.get(&format!("jobs/query/{never}/results")).await.code(), (400, "INVALIDJOBSTATE".into()));
    let deleted = org.delete(&format!("jobs/query/{never}")).await;
    assert_eq!(deleted.code(), (400, "API_ERROR".into()));
    assert!(deleted.message().ends_with("because the job is not terminated"));
    assert_eq!(org.state("query", &never, "Aborted").await.json()["state"], "Aborted");
    assert_eq!(org.delete(&format!("jobs/query/{never}")).await.status, 204);
    assert_eq!(org.state("query", &id, "Aborted").await.message(), "Aborting already Completed Job not allowed");
    assert_eq!(org.state("query", &id, "UploadComplete").await.code(), (400, "INVALIDJOBSTATE".into()));
}

#[tokio::test]
async fn what_a_bulk_query_may_not_ask_is_refused_at_once() {
    let org = Org::new().await;
    org.emulator.hide_field("Lead", "Title").unwrap();
    org.emulator.set_access(None, "Lead", "Phone", Access::Read).unwrap();
    let refused = |soql: &'static str| {
        let body = json!({"operation": "query", "query": soql});
        let org = &org;
        async move { org.send(Method::POST, "jobs/query", &body).await }
    };
    for (soql, code, says) in [
        ("SELECT COUNT() FROM Lead", "API_ERROR", "Aggregate"),
        ("SELECT COUNT(Id) FROM Lead", "API_ERROR", "Aggregate"),
        ("SELECT Id FROM Lead LIMIT 5 OFFSET 5", "API_ERROR", "OFFSET"),
        ("SELECT Id, Address FROM Lead", "API_ERROR", "Selecting compound data not supported in Bulk Query"),
        ("SELECT FIELDS(ALL) FROM Lead LIMIT 200", "API_ERROR", "FIELDS(ALL)"),
        ("SELECT Title FROM Lead", "INVALID_FIELD", "No such column 'Title'"),
        ("SELECT Id FROM Nope", "INVALID_TYPE", "sObject type 'Nope' is not supported"),
        ("SELECT FROM", "MALFORMED_QUERY", "unexpected token"),
        ("", "MALFORMED_QUERY", ""),
    ] {
        let told = refused(soql).await;
        assert_eq!(told.code(), (400, code.into()), "{soql}: {}", told.text);
        assert!(told.message().contains(says), "{soql}: {}", told.text);
    }
    assert_eq!(refused("SELECT Id FROM Lead LIMIT 5").await.status, 200);
    let all =
        org.send(Method::POST, "jobs/query", &json!({"operation": "queryAll", "query": "SELECT Id FROM Lead"})).await;
    assert_eq!(all.code(), (400, "INVALIDJOB".into()), "{}", Value::Null);
}
