//! Reading by a bulk query: the plan's body is the same bytes as by look-ups or pages, whatever goes wrong on the way; or the plan is not made, and says why.

use footbridge::emulator::{BulkSettings, Options, Settings};

use crate::job::{BY_EMAIL, LEADS, body, guards, integration, leads, lines, on_leads, summary};
use crate::scene::{Ran, Scene};

const COUNT: usize = 45;

/// Leads and a report on them, and pages of ten rows.
fn scene() -> Scene {
    with_used(0)
}

/// So many of the day's calls are used.
fn with_used(used: u64) -> Scene {
    let seed_texts = vec![leads(COUNT, |n| n)];
    let bulk = BulkSettings { page_rows: 10, ..Default::default() };
    let settings = Settings { bulk, used, ..Default::default() };
    let scene = Scene::with(Options { seed_texts, settings, ..Default::default() });
    on_leads(&scene, COUNT, |n| n + usize::from(n % 3 == 0));
    scene
}

fn reading(scene: &Scene, way: &str, more: &str) {
    integration(scene, "Lead", BY_EMAIL, LEADS, &format!("read: {way}\n{more}"));
}

fn plan(scene: &Scene, way: &str) -> Ran {
    reading(scene, way, "");
    scene.run(&["plan", "people", "--out", &format!("{way}.plan")])
}

fn content(scene: &Scene, way: &str) -> (Vec<String>, serde_json::Value) {
    (body(scene, &format!("{way}.plan")), summary(scene, &format!("{way}.plan")))
}

fn context(scene: &Scene, file: &str) -> serde_json::Value {
    lines(scene, file).into_iter().find_map(|mut line| line.get_mut("context").map(serde_json::Value::take)).unwrap()
}

fn states(scene: &Scene) -> Vec<&'static str> {
    scene.org().jobs().iter().map(|job| job.state).collect()
}

/// Nothing but reads, and the putting away of query jobs.
fn nothing_written(scene: &Scene) {
    for call in scene.org().calls() {
        let writes = matches!(call.method.as_str(), "PATCH" | "PUT" | "DELETE") && !call.path.contains("/jobs/query/");
        assert!(!writes, "{} {}", call.method, call.path);
    }
}

#[test]
fn the_plan_is_the_same_bytes_as_by_look_ups_and_pages() {
    let scene = scene();
    for way in ["lookup", "query", "bulk"] {
        plan(&scene, way).exits(0);
    }
    let bulk = content(&scene, "bulk");
    assert_eq!(bulk.0.len(), COUNT / 3);
    assert_eq!(bulk, content(&scene, "lookup"));
    assert_eq!(bulk, content(&scene, "query"));
    let told = context(&scene, "bulk.plan");
    assert_eq!((told["read_by"].as_str(), told["org_rows"].as_u64()), (Some("bulk"), Some(COUNT as u64)));
    assert_eq!(told["reading"]["asked_for"], true);
    assert_eq!(told["writing"]["way"], "collections");
    assert!(scene.org().jobs().is_empty(), "the job was put away");
    nothing_written(&scene);
}

#[test]
fn what_can_be_got_over_changes_no_byte() {
    let scene = scene();
    plan(&scene, "query").exits(0);
    let expected = content(&scene, "query");
    plan(&scene, "bulk").exits(0);
    let asked = scene.org().calls().into_iter().rev().find(|c| c.path.ends_with("/jobs/query")).unwrap();
    let soql: serde_json::Value = serde_json::from_str(&asked.request_body).unwrap();
    let columns = soql["query"].as_str().unwrap().split_whitespace().nth(1).unwrap().split(',').count();
    let foreign = format!("\"00Q000000000001EAA\",\"nobody@example.com\"{}", ",\"\"".repeat(columns - 2));
    let job = |script: &str| format!("- on: {{ method: POST, path: jobs/query }}\n  action: {{ job: {script} }}\n");
    let once = |path: &str, action: &str| format!("- on: {{ path: {path} }}\n  action: {action}\n");
    let table = [
        job("{ queued: 3, polls: 5 }"),
        job("{ millis: 50 }"),
        job("{ columns: lower }"),
        job("{ columns: upper }"),
        job("{ columns: reversed }"),
        job("{ twice: 7 }"),
        job(&format!("{{ add: ['{foreign}'] }}")),
        job("{ stale_locators: 1 }"),
        once("/results", "{ truncate: 100 }"),
        once("/results", "cut_mid_body"),
        once("/results", "cut_before"),
        once("/results", "cut_after"),
        once("locator", "cut_mid_body"),
        once("/results", "{ html: { code: 503, text: Sorry } }"),
        once("/results", "expire_session").replace("expire_session", "{ delay: 20 }"),
        once("jobs/query", "{ html: { code: 503, text: Sorry } }"),
        "- on: { method: POST, path: jobs/query }\n  action: cut_after\n".to_owned(),
        "- on: { method: POST, path: jobs/query }\n  action: { status: { code: 500 } }\n".to_owned(),
        "- on: { method: DELETE, path: jobs/query }\n  action: { status: { code: 500 } }\n".to_owned(),
    ];
    for script in table {
        scene.org().faults(&script).unwrap();
        let ran = scene.run(&["plan", "people", "--out", "bulk.plan"]);
        assert_eq!(ran.code, 0, "{script}\n{}{}", ran.out, ran.err);
        assert_eq!(content(&scene, "bulk"), expected, "{script}");
        scene.org().clear_faults();
    }
    nothing_written(&scene);
}

#[test]
fn what_cannot_be_got_over_is_told_with_the_next_step() {
    let scene = scene();
    let job = |script: &str| format!("- on: {{ method: POST, path: jobs/query }}\n  action: {{ job: {script} }}\n");
    let always = |path: &str, action: &str| format!("- on: {{ path: {path}, times: 0 }}\n  action: {action}\n");
    let table: [(String, &str, &[&str]); 10] = [
        (
            job("{ fail: { message: 'InvalidBatch : Failed to process query' } }"),
            "FB0519",
            &["Failed to process query", "750", "read: query"],
        ),
        (job("{ abort: { after: 0 } }"), "FB0519", &["Aborted", "750"]),
        (job("{ columns: short }"), "FB0515", &["is missing"]),
        (job("{ drop: 1 }"), "FB0515", &["announced 45", "44"]),
        (job("{ stale_locators: 9 }"), "FB", &["ocator"]),
        (always("/results", "cut_mid_body"), "FB0507", &["broke in the middle"]),
        (
            always("/results", "{ error: { status: 409, code: INVALIDJOB, message: version } }"),
            "FB0515",
            &["another version", "750"],
        ),
        (always("/results", "{ html: { code: 200, text: Log in } }"), "FB0504", &["Log in"]),
        (
            always(
                "jobs/query",
                "{ error: { status: 400, code: INVALIDENTITY, message: 'Lead is not supported by the Bulk API' } }",
            ),
            "FB",
            &["not supported by the Bulk API"],
        ),
        (always("jobs/query", "limit_exceeded"), "FB0505", &[]),
    ];
    for (script, code, texts) in table {
        scene.org().faults(&script).unwrap();
        let mut ran = plan(&scene, "bulk");
        assert_eq!(ran.code, 1, "{script}\n{}{}", ran.out, ran.err);
        ran = ran.says(code);
        for text in texts {
            ran = ran.says(text);
        }
        ran.says("nothing was written");
        assert!(!scene.path("bulk.plan").exists(), "{script}");
        scene.org().clear_faults();
    }
    nothing_written(&scene);
}

#[test]
fn a_job_that_never_ends_is_stopped_and_named() {
    let scene = scene();
    scene.write("integrations/project.yaml", "footbridge: 1\nkind: project\ntime_outs: { job: 1s }\n");
    scene.org().faults("- on: { method: POST, path: jobs/query }\n  action: { job: { never: true } }\n").unwrap();
    let ran = plan(&scene, "bulk").exits(1).says("FB0520").says("time_outs: { job: 3h }").says("read: query");
    let job = scene.org().jobs().pop().unwrap();
    ran.says(&job.id);
    assert_eq!(states(&scene), ["Aborted"]);
    nothing_written(&scene);
}

#[test]
fn a_scope_is_read_by_a_job_and_what_lies_beyond_by_another() {
    let scene = scene();
    let mut plans = Vec::new();
    for way in ["lookup", "bulk"] {
        reading(&scene, way, "where: Logins__c > 20\nguards: { min_match: 0% }");
        scene.run(&["plan", "people", "--out", &format!("{way}.plan")]).exits(0);
        plans.push(content(&scene, way));
    }
    assert_eq!(plans[0], plans[1]);
    assert!(plans[0].1["rows"]["outcomes"]["out_of_scope"].as_u64() > Some(0));
    let made = scene.org().calls().iter().filter(|c| c.method == "POST" && c.path.ends_with("/jobs/query")).count();
    assert_eq!(made, 2);
}

/// A match field without an index in an object that the org says is very large: no look-up can be answered in time, and pages would be too many.
fn large(scene: &Scene) {
    let fields = "  Logins__c: Logins";
    scene.write(
        "exports/people.csv",
        &scene.read("exports/people.csv").replace("Note\n", "Note,Name\n").replace(",same\n", ",same,Person\n"),
    );
    integration(scene, "Lead", "{ column: Key, field: Title }", fields, "guards: { min_match: 0% }");
    let count = r#"- on: { path: recordCount, times: 0 }
  action: { status: { code: 200, body: '{"sObjects":[{"count":20000000,"name":"Lead"}]}' } }
"#;
    scene.org().faults(count).unwrap();
}

#[test]
fn the_way_is_chosen_by_size_and_told_with_its_alternatives() {
    let scene = scene();
    large(&scene);
    scene
        .run(&["plan", "people", "--verbose", "--out", "auto.plan"])
        .exits(0)
        .says("read by bulk query (about ")
        .says("instead of paging about 10000 calls");
    let told = context(&scene, "auto.plan");
    assert_eq!(told["read_by"], "bulk");
    assert_eq!((&told["reading"]["way"], &told["reading"]["estimate"]["jobs"]), (&"bulk".into(), &1.into()));
    assert_eq!(told["reading"]["alternatives"][0]["way"], "query");
}

/// No bulk query of any object is made.
const NO_QUERIES: &str = "- on: { method: POST, path: jobs/query, times: 0 }\n  action: { error: { status: 400, code: INVALIDENTITY, message: no } }\n";

#[test]
fn an_object_without_the_bulk_api_is_read_by_pages_and_that_is_told() {
    let scene = scene();
    large(&scene);
    scene.org().faults(NO_QUERIES).unwrap();
    scene.run(&["plan", "people", "--verbose", "--out", "auto.plan"]).exits(0).says("does not know this object");
    let told = context(&scene, "auto.plan");
    assert_eq!((&told["read_by"], &told["reading"]["way"]), (&"query".into(), &"bulk".into()));
    assert!(told["reading"]["instead"].as_str().unwrap().contains("does not know this object"), "{told}");
}

#[test]
fn instead_of_a_bulk_query_nobody_spends_more_calls_than_are_left() {
    // 10,000 pages would be needed, of 15,000 calls a day.
    let scene = with_used(6_000);
    large(&scene);
    scene.org().faults(NO_QUERIES).unwrap();
    scene.run(&["plan", "people", "--out", "auto.plan"]).exits(1).says("INVALIDENTITY");
    assert!(!scene.org().calls().iter().any(|call| call.path.contains("/query") && call.method == "GET"));
}

#[test]
fn without_the_bulk_api_the_next_cheapest_way_is_gone() {
    let scene = scene();
    integration(&scene, "Lead", BY_EMAIL, LEADS, "guards: { min_match: 0%, max_calls: 100% }");
    let report = scene.read("exports/people.csv");
    let (header, row) = (report.lines().next().unwrap(), report.lines().nth(1).unwrap());
    let rest = row.split_once(',').unwrap().1;
    let rows: String = (0..100_000).map(|n| format!("stranger-{n}@elsewhere.example.com,{rest}\n")).collect();
    scene.write("exports/people.csv", &format!("{header}\n{rows}"));
    let count = r#"- on: { path: recordCount, times: 0 }
  action: { status: { code: 200, body: '{"sObjects":[{"count":600000,"name":"Lead"}]}' } }
"#;
    scene.org().faults(&format!("{count}{NO_QUERIES}")).unwrap();
    scene.run(&["plan", "people", "--verbose", "--out", "auto.plan"]).exits(0).says("read by look-ups (about ");
    let told = context(&scene, "auto.plan");
    assert_eq!((&told["read_by"], &told["reading"]["alternatives"][0]["way"]), (&"lookup".into(), &"lookup".into()));
    assert!(!scene.org().calls().iter().any(|call| call.path.contains("/query/")), "no page behind the first");
}

#[test]
fn where_the_org_does_not_say_how_many_records_there_are_nobody_pages_through_them() {
    let scene = scene();
    large(&scene);
    let refused = "- on: { path: recordCount, times: 0 }\n  action: { error: { status: 403, code: INSUFFICIENT_ACCESS, message: no } }\n";
    scene.org().faults(refused).unwrap();
    scene.run(&["plan", "people", "--out", "auto.plan"]).exits(0);
    assert_eq!(context(&scene, "auto.plan")["read_by"], "bulk");
}

#[test]
fn a_small_object_is_read_by_rest() {
    let scene = scene();
    integration(&scene, "Lead", BY_EMAIL, LEADS, "");
    scene.run(&["plan", "people", "--out", "auto.plan"]).exits(0);
    assert_eq!(context(&scene, "auto.plan")["read_by"], "lookup");
    assert!(!scene.org().calls().iter().any(|call| call.path.contains("/jobs/")));
}

#[test]
fn a_plan_that_takes_too_many_of_the_days_calls_is_held_back_and_may_be_waived() {
    let scene = scene();
    integration(&scene, "Lead", BY_EMAIL, LEADS, &guards("max_calls: 4"));
    scene.run(&["plan", "people", "--out", "held.plan"]).exits(0).says("max_calls").says("API calls left of the day");
    let free = body(&scene, "held.plan");
    scene.run(&["apply", "people", "--yes"]).exits(4).says("FB0714").says("max_calls");
    nothing_written(&scene);
    integration(&scene, "Lead", BY_EMAIL, LEADS, "");
    scene.run(&["plan", "people", "--out", "free.plan"]).exits(0).never_says("max_calls");
    assert_eq!(free, body(&scene, "free.plan"), "the guard is no part of the plan's body");
    integration(&scene, "Lead", BY_EMAIL, LEADS, &guards("max_calls: 4"));
    scene.run(&["apply", "people", "--yes", "--waive", "max_calls"]).exits(0);
}
