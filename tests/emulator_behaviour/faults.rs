//! Every fault that a script can name, seen from the client's side.

use std::time::Instant;

use footbridge::emulator::{Action, Fault, Match};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Org, change, code};

async fn scripted(script: &str) -> (Org, Vec<String>) {
    let org = Org::new().await;
    let ids = org.leads(4);
    org.emulator.faults(script).unwrap();
    (org, ids)
}

async fn titles(org: &Org, ids: &[String]) -> Value {
    let records: Vec<Value> = ids.iter().map(|id| change(id, json!({"Title": "Dr"}))).collect();
    org.patch("/composite/sobjects", &json!({"allOrNone": false, "records": records})).await.1
}

#[tokio::test]
async fn a_cut_before_leaves_nothing_and_a_cut_after_everything() {
    for (action, title) in [("cut_before", Value::Null), ("cut_after", json!("Dr"))] {
        let (org, ids) = scripted(&format!("- on: {{ method: PATCH }}\n  action: {action}\n")).await;
        let request = org.request(Method::PATCH, &format!("/sobjects/Lead/{}", ids[0])).json(&json!({"Title": "Dr"}));
        let error = request.send().await.unwrap_err();
        assert!(error.is_request(), "{error:?}");
        assert_eq!(org.lead(&ids[0])["Title"], title, "{action}");
        assert_eq!(org.emulator.calls()[0].status, 0);
        assert_eq!(org.get("/limits").await.status(), 200, "the next connection is sound");
    }
}

#[tokio::test]
async fn a_cut_within_the_body_is_no_whole_body() {
    let (org, _) = scripted("- action: cut_mid_body\n").await;
    let reply = org.get("/sobjects/Lead/describe").await;
    assert_eq!(reply.status(), 200);
    assert!(reply.bytes().await.is_err());
    let (org, _) = scripted("- action: { truncate: 30 }\n").await;
    let text = org.get("/sobjects/Lead/describe").await.text().await.unwrap();
    assert!(text.len() == 30 && serde_json::from_str::<Value>(&text).is_err());
}

#[tokio::test]
async fn answers_that_a_script_gives() {
    let script = "- action: { status: { code: 503, headers: { Retry-After: '1' } } }\n\
                  - on: { after: 1 }\n  action: { html: { code: 503, text: We are down } }\n\
                  - on: { after: 2 }\n  action: { error: { status: 500, code: UNKNOWN_EXCEPTION, message: oops } }\n\
                  - on: { after: 3 }\n  action: limit_exceeded\n\
                  - on: { after: 4 }\n  action: { huge_body: 300000 }\n";
    let (org, _) = scripted(script).await;
    let reply = org.get("/limits").await;
    assert_eq!((reply.status().as_u16(), reply.headers()["retry-after"].to_str().unwrap()), (503, "1"));
    let reply = org.get("/limits").await;
    assert!(reply.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    assert!(reply.text().await.unwrap().contains("We are down"));
    assert_eq!(code(&org.get("/limits").await.json().await.unwrap()), "UNKNOWN_EXCEPTION");
    assert_eq!(code(&org.get("/limits").await.json().await.unwrap()), "REQUEST_LIMIT_EXCEEDED");
    let huge = org.get("/limits").await.bytes().await.unwrap();
    assert_eq!(huge.len(), 300_000);
    assert!(serde_json::from_slice::<Value>(&huge).is_ok());
    assert_eq!(org.get("/limits").await.status(), 200);
}

#[tokio::test]
async fn locked_rows_fail_alone_and_only_for_a_while() {
    let (org, ids) = scripted("- on: { path: composite }\n  action: { lock_rows: { count: 2 } }\n").await;
    let results = titles(&org, &ids).await;
    let locked: Vec<bool> = (0..4).map(|n| results[n]["success"] == false).collect();
    assert_eq!(locked, [true, true, false, false]);
    assert_eq!(results[0]["errors"][0]["statusCode"], "UNABLE_TO_LOCK_ROW");
    assert_eq!(org.lead(&ids[0])["Title"], Value::Null);
    let results = titles(&org, &ids).await;
    assert!((0..4).all(|n| results[n]["success"] == true));
    org.emulator
        .fault(Fault { on: Match::default(), action: Action::LockRows { ids: vec![ids[3].clone()], count: None } });
    let (status, body) = org.patch(&format!("/sobjects/Lead/{}", ids[3]), &json!({"Title": "x"})).await;
    assert_eq!((status, code(&body)), (400, "UNABLE_TO_LOCK_ROW"));
}

#[tokio::test]
async fn one_record_fails_with_the_error_of_the_script() {
    let script =
        "- action: { record_error: { nth: 2, code: CANNOT_EXECUTE_FLOW_TRIGGER, message: flow, fields: [Title] } }\n";
    let (org, ids) = scripted(script).await;
    let results = titles(&org, &ids).await;
    let error = json!({"statusCode": "CANNOT_EXECUTE_FLOW_TRIGGER", "message": "flow", "fields": ["Title"]});
    assert_eq!(results[2], json!({"success": false, "errors": [error]}));
    assert_eq!(results[3]["success"], true);
}

#[tokio::test]
async fn an_expired_session_and_another_org() {
    let (org, _) = scripted("- action: expire_session\n").await;
    assert_eq!(org.get("/limits").await.status(), 401);
    let script = "- on: { path: Organization }\n  action: { wrong_org: { id: 00D8d000008GjOIEA0 } }\n";
    let (org, _) = scripted(script).await;
    let path = format!("/sobjects/Organization/{}", org.emulator.org_id());
    let body: Value = org.get(&path).await.json().await.unwrap();
    assert_eq!(body["Id"], "00D8d000008GjOIEA0");
}

#[tokio::test]
async fn delays_delay() {
    let (org, _) = scripted("- action: { delay: 30 }\n- action: { delay_answer: 30 }\n").await;
    let start = Instant::now();
    org.get("/limits").await;
    assert!(start.elapsed().as_millis() >= 60);
    org.emulator.fault(Fault { on: Match { times: 0, ..Match::default() }, action: Action::LimitExceeded });
    assert_eq!(org.get("/limits").await.status(), 403);
    org.emulator.clear_faults();
    assert_eq!(org.get("/limits").await.status(), 200);
}

#[tokio::test]
async fn somebody_else_edits_between_two_calls() {
    let org = Org::new().await;
    let ids = org.leads(2);
    let script = |what: &str, value: &str| {
        format!(
            "- on: {{ method: GET, path: sobjects/Lead }}\n  action: {{ {what}: {{ object: Lead, id: {}, fields: {{ Title: {value} }} }} }}\n",
            ids[0]
        )
    };
    let path = format!("/sobjects/Lead/{}", ids[0]);
    org.emulator.faults(&script("edit", "First")).unwrap();
    org.emulator.faults(&script("edit_after", "Second")).unwrap();
    let seen: Value = org.get(&path).await.json().await.unwrap();
    assert_eq!(seen["Title"], "First");
    assert_eq!(org.lead(&ids[0])["Title"], "Second");
    org.emulator.faults("- action: { edit: { object: Lead, id: nobody, fields: {} } }").unwrap();
    assert_eq!(org.get(&path).await.status(), 500, "a script that hits nothing is loud");
}
