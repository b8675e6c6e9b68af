//! `source: { url: https://… }`; over loopback, where plain http is spoken.

use super::fake::{Fake, Reply};
use super::{SEED, csv, left_over, people};
use crate::scene::Scene;

/// The time that tests call now, and six hours and two days before.
const NOW: &str = "2026-11-21T12:00:00Z";
const THIS_MORNING: &str = "Sat, 21 Nov 2026 06:00:00 GMT";
const TWO_DAYS_AGO: &str = "Thu, 19 Nov 2026 06:00:00 GMT";

fn at_noon() -> Scene {
    let mut scene = Scene::seeded(SEED);
    scene.set("FOOTBRIDGE_NOW", NOW);
    scene
}

#[test]
fn a_report_is_fetched_once_a_command_and_is_the_same_both_times() {
    let mut scene = at_noon();
    scene.set("REPORT_TOKEN", "Bearer MARKED");
    // Each answer is another one: reading twice what was asked twice would not agree.
    let server = Fake::answering(|_, n| {
        Reply::new(200, csv(10 + u32::try_from(n).unwrap())).with("Last-Modified", THIS_MORNING)
    });
    let source =
        format!("{{ url: \"{}\", headers: {{ Authorization: \"${{REPORT_TOKEN}}\" }} }}", server.url("/r.csv?view=1"));
    people(&scene, &source, "");
    let ran =
        scene.run(&["plan", "people", "-vv"]).exits(0).says("fetched http://127.0.0.1").says("2026-11-21 06:00:00 UTC");
    let ran = ran.says("report of 2026-11-21 06:00").never_says("MARKED");
    assert!(!ran.err.contains("view=1"), "{}", ran.err);
    assert_eq!(server.seen().len(), 1);
    assert_eq!(server.seen()[0].header("authorization"), "Bearer MARKED");
    assert_eq!(left_over(&scene), Vec::<String>::new());
    scene.run(&["apply", "people", "--yes"]).exits(0).says("2 of 2 records updated");
    assert_eq!(server.seen().len(), 2);
    assert_eq!(scene.org().records("Lead")[0]["Count__c"], 11.0);
    // The calls of the download are not calls of the org's day.
    let log = scene.run(&["runs", "show", "people", "--json"]).exits(0);
    assert!(!log.out.contains("MARKED"));
}

#[test]
fn a_plan_file_is_held_to_the_content_that_was_planned() {
    let scene = at_noon();
    let server = Fake::answering(|_, n| Reply::new(200, csv(if n < 2 { 10 } else { 20 })));
    people(&scene, &server.url("/r.csv"), "");
    scene.run(&["plan", "people", "--out", "p.plan"]).exits(0);
    scene.run(&["apply", "p.plan", "--yes"]).exits(0);
    scene.run(&["plan", "people", "--out", "p.plan"]).exits(0);
    let writes = scene.write_calls();
    let moved_on = Fake::giving(Reply::new(200, csv(30)));
    people(&scene, &moved_on.url("/r.csv"), "");
    scene.run(&["apply", "p.plan", "--yes"]).exits(5).says("FB0802");
    assert_eq!(scene.write_calls(), writes);
    let sum = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
    people(&scene, &format!("{{ url: \"{}\", checksum: \"{sum}\" }}", server.url("/r.csv")), "");
    scene.run(&["plan", "people"]).exits(1).says("FB0415");
}

#[test]
fn the_age_is_the_servers_word_and_unknown_without_one() {
    let scene = at_noon();
    let limit = "guards: { max_age: 26h }\n";
    for (when, code, words) in [
        (Some(THIS_MORNING), 0, "the report is 6 h old"),
        (Some(TWO_DAYS_AGO), 4, "FB0708"),
        (Some("Sun, 22 Nov 2026 06:00:00 GMT"), 4, "unknown age"),
        (Some("yesterday"), 4, "unknown age"),
        (None, 4, "unknown age"),
    ] {
        let mut reply = Reply::new(200, csv(5));
        if let Some(when) = when {
            reply = reply.with("Last-Modified", when);
        }
        let server = Fake::giving(reply);
        people(&scene, &server.url("/r.csv"), limit);
        if code == 0 {
            scene.run(&["plan", "people", "--verbose"]).exits(0);
        } else {
            scene.run(&["apply", "people", "--yes"]).exits(code).says("max_age").says(words);
        }
    }
    assert_eq!(scene.write_calls(), 0);
}

#[test]
fn what_is_no_report_is_told_in_plain_words() {
    let mut scene = at_noon();
    scene.set("REPORT_TOKEN", "MARKED");
    let page = "<!DOCTYPE html><html><body>Log in MARKED</body></html>";
    let cases = [
        (Reply::new(200, page).with("Content-Type", "text/html"), "FB0417", "log-in page"),
        (Reply::new(401, page), "FB0414", "answered 401"),
        (Reply::new(403, "MARKED"), "FB0414", "the token in `headers:`"),
        (Reply::new(404, ""), "FB0414", "nothing at this address"),
        (Reply::new(503, ""), "FB0414", "answered 503"),
        (Reply::new(200, ""), "FB0402", "empty"),
        (Reply::new(200, "a;b,c\n1;2,3\n"), "FB0416", "delimiter"),
        (Reply { cut: Some(10), ..Reply::new(200, csv(1)) }, "FB0414", "broke off"),
        (Reply::new(302, "").with("Location", "http://login.example/?next=r"), "FB0414", "only https is read"),
    ];
    for (reply, code, words) in cases {
        let server = Fake::giving(reply);
        let source =
            format!("{{ url: \"{}\", headers: {{ Authorization: \"${{REPORT_TOKEN}}\" }} }}", server.url("/r.csv"));
        people(&scene, &source, "");
        let before = scene.org().calls().len();
        scene.run(&["plan", "people", "-vv"]).exits(1).says(code).says(words).never_says("MARKED");
        assert_eq!(scene.org().calls().len(), before, "{code}: the org was asked");
    }
    let server = Fake::giving(Reply::new(200, csv(1).repeat(100)));
    people(&scene, &format!("{{ url: \"{}\", max_size: 2KB }}", server.url("/r.csv")), "");
    scene.run(&["plan", "people"]).exits(1).says("FB0419").says("max_size");
}

#[test]
fn a_download_that_breaks_off_is_continued() {
    let scene = at_noon();
    let all = csv(7);
    let body = all.clone().into_bytes();
    let server = Fake::answering(move |asked, n| {
        let reply = Reply::new(200, body.clone()).with("ETag", "\"v1\"").with("Last-Modified", THIS_MORNING);
        match asked.header("range").strip_prefix("bytes=") {
            None if n == 0 => Reply { cut: Some(20), ..reply },
            None => reply,
            Some(range) => {
                let from: usize = range.trim_end_matches('-').parse().unwrap();
                let length = body.len();
                Reply { status: 206, body: body[from..].to_vec(), ..reply }
                    .with("Content-Range", &format!("bytes {from}-{}/{length}", length - 1))
            }
        }
    });
    people(&scene, &server.url("/r.csv"), "");
    scene.run(&["apply", "people", "--yes"]).exits(0).says("2 of 2 records updated");
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!((seen[1].header("range"), seen[1].header("if-range")), ("bytes=20-", "\"v1\""));
}

#[test]
fn two_integrations_of_one_address_fetch_it_once() {
    let scene = at_noon();
    let server = Fake::giving(Reply::new(200, csv(3)));
    people(&scene, &server.url("/r.csv"), "");
    let text = scene.read("integrations/people.yaml");
    scene.write(
        "integrations/second.yaml",
        &text.replace("name: people", "name: second").replace("Count__c:", "Note__c:"),
    );
    scene.run(&["plan"]).exits(0);
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn a_tick_that_went_by_for_the_servers_old_report_is_told_when_a_newer_one_is_there() {
    let mut scene = at_noon();
    let when = std::sync::Arc::new(std::sync::Mutex::new("Sat, 21 Nov 2026 11:30:00 GMT"));
    let said = when.clone();
    let server = Fake::answering(move |_, _| Reply::new(200, csv(10)).with("Last-Modified", *said.lock().unwrap()));
    people(&scene, &server.url("/r.csv"), "guards: { max_age: 2h }\n");
    let text = scene.read("integrations/people.yaml").replace("sandbox: {}", "sandbox: { schedule: hourly }");
    scene.write("integrations/people.yaml", &text);
    let due = ["apply", "--due", "--yes"];
    scene.run(&due).exits(0).says("Completed");
    scene.set("FOOTBRIDGE_NOW", "2026-11-21T14:10:00Z");
    scene.run(&due).exits(4).says("waits for a newer report").says("`people` was not run");
    scene.run(&due).exits(0).says("waits for a newer report").never_says("FB0708");
    scene.set("FOOTBRIDGE_NOW", "2026-11-21T15:05:00Z");
    *when.lock().unwrap() = "Sat, 21 Nov 2026 15:00:00 GMT";
    let asked = server.seen().len();
    scene.run(&due).exits(4).says("`people` was not run for 2026-11-21 14:00").says("Completed");
    assert_eq!(server.seen().len(), asked + 1, "fetched once");
    scene.run(&due).exits(0).says("nothing is to be run");
}
