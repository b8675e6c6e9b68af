//! Fault scripts of jobs and of their rows.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Org, map};

async fn scripted(script: &str, leads: usize) -> (Org, Vec<String>) {
    let org = Org::new().await;
    let ids = org.leads(leads);
    org.emulator.faults(script).unwrap();
    (org, ids)
}

fn titles(ids: &[String], title: &str) -> String {
    format!("Id,Title\n{}", ids.iter().map(|id| format!("{id},{title}\n")).collect::<String>())
}

/// Makes, uploads and closes a job of these titles.
async fn closed(org: &Org, ids: &[String], title: &str) -> String {
    let job = org.job(json!({})).await;
    assert_eq!(org.put(&job, titles(ids, title)).await.status, 201);
    assert_eq!(org.state("ingest", &job, "UploadComplete").await.json()["state"], "UploadComplete");
    job
}

fn written(org: &Org, title: &str) -> usize {
    org.emulator.records("Lead").iter().filter(|lead| lead["Title"] == title).count()
}

#[tokio::test]
async fn polls_and_milliseconds_hold_a_job_back() {
    let script = "- on: { method: POST, path: jobs/ingest }\n  action: { job: { queued: 1, polls: 2 } }\n";
    let (org, ids) = scripted(script, 2).await;
    let job = closed(&org, &ids, "x").await;
    let mut states = Vec::new();
    for _ in 0..4 {
        states.push(org.info("ingest", &job).await["state"].as_str().unwrap().to_owned());
    }
    assert_eq!(states, ["UploadComplete", "InProgress", "InProgress", "JobComplete"]);
    assert_eq!(org.emulator.jobs()[0].polls, 4);
    org.emulator.faults("- on: { path: jobs/query }\n  action: { job: { millis: 60 } }").unwrap();
    let start = std::time::Instant::now();
    let (_, info) = org.query("SELECT Id FROM Lead").await;
    assert_eq!(info["state"], "JobComplete");
    assert!(start.elapsed().as_millis() >= 60);
}

#[tokio::test]
async fn a_job_that_never_ends_is_aborted_or_released() {
    let script =
        "- on: { method: PATCH, path: jobs/ingest, times: 2 }\n  action: { job: { never: true, pause_after: 3 } }\n";
    let (org, ids) = scripted(script, 5).await;
    let job = closed(&org, &ids, "x").await;
    for _ in 0..5 {
        assert_eq!(org.info("ingest", &job).await["state"], "InProgress");
    }
    assert_eq!(org.info("ingest", &job).await["numberRecordsProcessed"], 3);
    let aborted = org.state("ingest", &job, "Aborted").await;
    assert_eq!(aborted.json()["state"], "Aborted");
    assert_eq!((written(&org, "x"), org.results(&job, "successfulResults").await.text.lines().count()), (3, 4));
    assert_eq!(org.results(&job, "unprocessedrecords").await.text, titles(&ids[3..], "x"));
    org.emulator.clear_faults();
    org.emulator.faults(script).unwrap();
    let job = closed(&org, &ids, "y").await;
    assert_eq!((org.info("ingest", &job).await["state"].as_str(), written(&org, "y")), (Some("InProgress"), 3));
    org.emulator.release_jobs();
    assert_eq!(org.over("ingest", &job).await["state"], "JobComplete");
    assert_eq!(written(&org, "y"), 5);
}

#[tokio::test]
async fn a_job_fails_or_is_aborted_half_way() {
    for (script, state, message) in [
        (
            "fail: { after: 3, message: 'InternalServerError : Retried more than 20 times' }",
            "Failed",
            json!("InternalServerError : Retried more than 20 times"),
        ),
        ("abort: { after: 3 }", "Aborted", Value::Null),
    ] {
        let script = format!("- on: {{ method: POST, path: jobs/ingest }}\n  action: {{ job: {{ {script} }} }}\n");
        let (org, ids) = scripted(&script, 5).await;
        let job = closed(&org, &ids, "x").await;
        let info = org.over("ingest", &job).await;
        assert_eq!((&info["state"], info.get("errorMessage").unwrap_or(&Value::Null)), (&json!(state), &message));
        assert_eq!(info["numberRecordsProcessed"], 3);
        assert_eq!(written(&org, "x"), 3);
        assert_eq!(org.results(&job, "successfulResults").await.text.lines().count(), 4);
        assert_eq!(org.results(&job, "unprocessedrecords").await.text, titles(&ids[3..], "x"));
    }
    let script = "- on: { path: jobs/query }\n  action: { job: { fail: { message: gone } } }\n";
    let (org, _) = scripted(script, 1).await;
    let (id, info) = org.query("SELECT Id FROM Lead").await;
    assert_eq!((&info["state"], &info["errorMessage"]), (&json!("Failed"), &json!("gone")));
    assert_eq!(org.get(&format!("jobs/query/{id}/results")).await.status, 400);
}

#[tokio::test]
async fn rows_fail_as_the_script_says() {
    let script = "- on: { method: PATCH, path: jobs/ingest }\n  action: { record_error: { every: 3, nth: 1, code: CANNOT_EXECUTE_FLOW_TRIGGER, message: 'flow: no', fields: [Title] } }\n";
    let (org, ids) = scripted(script, 7).await;
    let job = closed(&org, &ids, "x").await;
    assert_eq!(org.over("ingest", &job).await["numberRecordsFailed"], 2);
    let failed = org.results(&job, "failedResults").await;
    let line = |n: usize| format!("\"{0}\",\"CANNOT_EXECUTE_FLOW_TRIGGER:flow: no:Title --\",{0},x", ids[n]);
    assert_eq!(failed.rows()[1..], [line(1), line(4)]);
    let lock = "- on: { method: PATCH, path: jobs/ingest }\n  action: { lock_rows: { count: 2 } }\n";
    org.emulator.faults(lock).unwrap();
    let job = closed(&org, &ids, "y").await;
    assert_eq!(org.over("ingest", &job).await["numberRecordsFailed"], 2);
    assert!(
        org.results(&job, "failedResults").await.text.contains("UNABLE_TO_LOCK_ROW:unable to obtain exclusive access")
    );
    assert_eq!(org.over("ingest", &closed(&org, &ids, "z").await).await["numberRecordsFailed"], 0, "only once");
}

#[tokio::test]
async fn children_of_one_parent_cannot_be_saved_by_two_at_once() {
    let org = Org::new().await;
    let accounts = org.emulator.insert("Account", &[map(&json!({"Name": "A"})), map(&json!({"Name": "B"}))]).unwrap();
    let contact = |n: usize| map(&json!({"LastName": format!("C{n}"), "AccountId": accounts[n % 2]}));
    let ids = org.emulator.insert("Contact", &(0..8).map(contact).collect::<Vec<_>>()).unwrap();
    let lock = "- on: { method: PATCH, path: jobs/ingest, times: 0 }\n  action: { lock_parents: { field: AccountId, chunk: 2, at_once: 2 } }\n";
    org.emulator.faults(lock).unwrap();
    let run = |rows: Vec<&String>, script: &'static str| {
        let csv = format!("Id,Title\n{}", rows.iter().map(|id| format!("{id},x\n")).collect::<String>());
        let org = &org;
        async move {
            let job = org.job(json!({"object": "Contact"})).await;
            org.put(&job, csv).await;
            if !script.is_empty() {
                org.emulator.faults(script).unwrap();
            }
            org.state("ingest", &job, "UploadComplete").await;
            job
        }
    };
    let mixed = run(ids.iter().collect(), "").await;
    assert_eq!(org.over("ingest", &mixed).await["numberRecordsFailed"], 4, "rows of both parents in both transactions");
    let sorted: Vec<&String> = ids.iter().step_by(2).chain(ids.iter().skip(1).step_by(2)).collect();
    let by_parent =
        run(sorted.iter().copied().take(2).chain(sorted.iter().copied().skip(4).take(2)).collect(), "").await;
    assert_eq!(
        org.over("ingest", &by_parent).await["numberRecordsFailed"],
        0,
        "each transaction has a parent of its own"
    );
    let hold = "- on: { method: PATCH, path: jobs/ingest }\n  action: { job: { never: true } }\n";
    let first = run(vec![&ids[0]], hold).await;
    let second = run(vec![&ids[2], &ids[1]], "").await;
    let info = org.over("ingest", &second).await;
    assert_eq!(
        (&info["numberRecordsProcessed"], &info["numberRecordsFailed"]),
        (&json!(2), &json!(1)),
        "the other job has the parent"
    );
    org.emulator.release_jobs();
    org.over("ingest", &first).await;
    let third = run(vec![&ids[2]], "").await;
    assert_eq!(org.over("ingest", &third).await["numberRecordsFailed"], 0);
}

#[tokio::test]
async fn answers_get_lost_and_the_work_is_done() {
    let script = "- on: { method: POST, path: jobs/ingest }\n  action: cut_after\n\
                  - on: { method: PUT, path: batches }\n  action: cut_after\n\
                  - on: { method: PATCH, path: jobs/ingest }\n  action: cut_after\n";
    let (org, ids) = scripted(script, 2).await;
    let create = json!({"object": "Lead", "operation": "update"});
    assert!(org.request(Method::POST, "jobs/ingest").json(&create).send().await.is_err());
    let job = org.get("jobs/ingest").await.json()["records"][0]["id"].as_str().unwrap().to_owned();
    let put = org.request(Method::PUT, &format!("jobs/ingest/{job}/batches")).header("content-type", "text/csv");
    assert!(put.body(titles(&ids, "x")).send().await.is_err());
    assert_eq!(org.info("ingest", &job).await["numberRecordsProcessed"], 0, "there is data");
    let close = org.request(Method::PATCH, &format!("jobs/ingest/{job}")).json(&json!({"state": "UploadComplete"}));
    assert!(close.send().await.is_err());
    assert_eq!(org.over("ingest", &job).await["state"], "JobComplete");
    assert_eq!((written(&org, "x"), org.emulator.jobs()[0].upload.clone()), (2, Some(titles(&ids, "x"))));
}

#[tokio::test]
async fn results_are_cut_short_and_locators_go_stale() {
    let script = "- on: { path: /results }\n  action: { truncate: 100 }\n- on: { path: /results, after: 1 }\n  action: cut_mid_body\n";
    let (org, _) = scripted(script, 9_000).await;
    let (id, _) = org.query("SELECT Id, Email, LastName, Company FROM Lead").await;
    let path = format!("jobs/query/{id}/results");
    assert_eq!(org.get(&path).await.text.len(), 100);
    let cut = org.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(cut.headers()["sforce-numberofrecords"], "9000");
    assert!(cut.bytes().await.is_err());
    org.emulator.faults("- on: { path: resultPages }\n  action: { job: { stale_locators: 1 } }").unwrap();
    let first = org.get(&path.replace("results", "resultPages")).await.json();
    let url = first["resultPages"][0]["resultUrl"].as_str().unwrap().to_owned();
    assert_eq!(org.get(&url).await.code(), (400, "INVALIDQUERYLOCATOR".into()));
    assert_eq!(org.get(&url).await.text.lines().count(), 9_001);
}

#[tokio::test]
async fn results_hold_rows_twice_too_few_foreign_ones_and_other_columns() {
    let (org, ids) = scripted("[]", 3).await;
    let run = |script: &'static str| {
        let org = &org;
        async move {
            org.emulator
                .faults(&format!("- on: {{ method: POST, path: jobs }}\n  action: {{ job: {{ {script} }} }}"))
                .unwrap();
            let (id, info) = org.query("SELECT Id, LastName FROM Lead ORDER BY LastName").await;
            let told = org.get(&format!("jobs/query/{id}/results")).await;
            assert_eq!(info["numberRecordsProcessed"], 3);
            told.text.lines().map(str::to_owned).collect::<Vec<_>>()
        }
    };
    let plain = run("polls: 0").await;
    assert_eq!(plain.len(), 4);
    assert_eq!(run("twice: 1").await, [&plain[..], &plain[1..2]].concat());
    assert_eq!(run("drop: 2").await, plain[..2]);
    assert_eq!(run("add: ['\"00Q\",\"x\"']").await.last().unwrap(), "\"00Q\",\"x\"");
    assert_eq!(run("columns: lower").await[0], "\"id\",\"lastname\"");
    assert_eq!(run("columns: upper").await[0], "\"ID\",\"LASTNAME\"");
    assert_eq!(run("columns: reversed").await[1], format!("\"L0\",\"{}\"", ids[0]));
    assert_eq!(run("columns: short").await[..2], ["\"Id\"".to_owned(), format!("\"{}\"", ids[0])]);
    let script = "- on: { method: PATCH, path: jobs }\n  action: { job: { twice: 1, drop: 1, add: ['\"00Q\",\"false\",00Q,x'] } }";
    org.emulator.faults(script).unwrap();
    let job = closed(&org, &ids, "x").await;
    assert_eq!(org.over("ingest", &job).await["numberRecordsProcessed"], 3);
    let done = org.results(&job, "successfulResults").await.text;
    assert_eq!(done.lines().count(), 5, "header, three rows, one of them again, and the last one is missing: {done}");
}

#[tokio::test]
async fn a_job_aborted_by_somebody_else_says_so() {
    let (org, ids) = scripted("- on: { path: jobs/ingest }\n  action: { job: { never: true } }", 1).await;
    let job = closed(&org, &ids, "x").await;
    org.emulator.abort_job(&job).unwrap();
    assert_eq!(org.info("ingest", &job).await["state"], "Aborted");
    assert!(org.emulator.abort_job(&job).is_err());
    let admin = org.get("/__emulator/jobs").await.json();
    assert_eq!((&admin[0]["state"], &admin[0]["upload"]), (&json!("Aborted"), &json!(titles(&ids, "x"))));
}
