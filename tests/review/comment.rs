//! `ci comment`: one comment, posted once, updated afterwards, never somebody else's.

use super::forge::{Fake, Fault};
use super::*;

const MARK: &str = "<!-- footbridge review sandbox -->";
const BOT: &str = "github-actions[bot]";

fn github() -> (Scene, Fake) {
    let (mut scene, fake) = (scene(), Fake::start());
    pull_request(&mut scene, false);
    scene.set("GITHUB_TOKEN", "ghs_secret");
    scene.set("GITHUB_API_URL", &format!("{}/api", fake.url));
    let summary = scene.path("home/summary.md").display().to_string();
    scene.set("GITHUB_STEP_SUMMARY", &summary);
    scene.write("review.md", &format!("{MARK}\nfirst\n"));
    (scene, fake)
}

fn gitlab() -> (Scene, Fake) {
    let (mut scene, fake) = (scene(), Fake::start());
    fake.user("project_42_bot");
    let api = format!("{}/api/v4", fake.url);
    for (name, value) in [
        ("CI", "true"),
        ("GITLAB_CI", "true"),
        ("CI_MERGE_REQUEST_IID", "3"),
        ("CI_MERGE_REQUEST_PROJECT_ID", "42"),
        ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
        ("GITLAB_TOKEN", "glpat-secret"),
        ("CI_API_V4_URL", &api),
    ] {
        scene.set(name, value);
    }
    scene.write("review.md", &format!("{MARK}\nfirst\n"));
    (scene, fake)
}

#[test]
fn posted_once_then_updated_and_the_summary_has_it() {
    for (scene, fake, author, token) in [
        {
            let (s, f) = github();
            (s, f, BOT, "authorization: Bearer ghs_secret")
        },
        {
            let (s, f) = gitlab();
            (s, f, "project_42_bot", "private-token: glpat-secret")
        },
    ] {
        scene.run(&["ci", "comment", "review.md"]).exits(0).says("comment posted");
        assert_eq!(fake.comments(), [(author.to_owned(), format!("{MARK}\nfirst\n"))]);
        fake.calls();
        scene.run(&["ci", "comment", "review.md"]).exits(0).says("says this already");
        assert!(fake.calls().iter().all(|call| call.starts_with("GET ")));
        scene.write("review.md", &format!("{MARK}\nsecond\n"));
        scene.run(&["ci", "comment", "review.md"]).exits(0).says("comment updated");
        assert_eq!(fake.comments(), [(author.to_owned(), format!("{MARK}\nsecond\n"))]);
        assert!(fake.tokens().iter().all(|sent| sent == token), "{:?}", fake.tokens());
        let summary = std::fs::read_to_string(scene.path("home/summary.md")).unwrap_or_default();
        assert_eq!(summary.matches(MARK).count(), if author == BOT { 3 } else { 0 });
    }
}

#[test]
fn somebody_elses_comment_is_never_touched_and_pages_are_turned() {
    for (scene, fake) in [github(), gitlab()] {
        // A person quotes our comment, another begins like it; then many; ours is far behind.
        fake.has("person", &format!("{MARK}\nmine!"));
        for n in 0..230 {
            fake.has("person", &format!("talk {n}"));
        }
        let ours = if fake.comments().len() == 231 { [BOT, "project_42_bot"] } else { unreachable!() };
        for author in ours {
            fake.has(author, &format!("> {MARK}\nan answer"));
            fake.has(author, &format!("{MARK}\nold"));
        }
        let before = fake.comments();
        scene.run(&["ci", "comment", "review.md"]).exits(0).says("comment updated");
        let after = fake.comments();
        let changed: Vec<usize> = (0..before.len()).filter(|n| before[*n] != after[*n]).collect();
        assert_eq!((before.len(), changed.len()), (after.len(), 1));
        assert!(after[changed[0]].0 == BOT || after[changed[0]].0 == "project_42_bot");
        assert!(before[changed[0]].1.ends_with("\nold"));
        assert!(fake.calls().iter().any(|call| call.contains("page=3")));
    }
}

#[test]
fn another_environments_comment_is_another() {
    let (scene, fake) = github();
    fake.has(BOT, "<!-- footbridge review production -->\nother");
    scene.run(&["ci", "comment", "review.md"]).exits(0).says("comment posted");
    assert_eq!(fake.comments().len(), 2);
}

#[test]
fn nothing_to_say_is_not_posted_and_still_updates() {
    let (scene, fake) = github();
    let nothing = format!("{MARK}\n<!-- footbridge nothing changes -->\nno change\n");
    scene.write("review.md", &nothing);
    scene.run(&["ci", "comment", "review.md"]).exits(0).says("none was written");
    assert_eq!(fake.comments(), []);
    fake.has(BOT, &format!("{MARK}\nthree records"));
    scene.run(&["ci", "comment", "review.md"]).exits(0).says("comment updated");
    assert_eq!(fake.comments()[0].1, nothing);
}

#[test]
fn faults_are_waited_out_and_never_make_two_comments() {
    let again = [
        Fault { method: "POST", status: 403, header: Some(("retry-after", "1")), carried_out: false },
        Fault { method: "POST", status: 403, header: Some(("x-ratelimit-remaining", "0")), carried_out: false },
        Fault { method: "POST", status: 429, header: None, carried_out: false },
        Fault { method: "POST", status: 409, header: None, carried_out: false },
        Fault { method: "POST", status: 500, header: None, carried_out: false },
        Fault { method: "POST", status: 502, header: None, carried_out: true },
        Fault { method: "GET", status: 503, header: None, carried_out: false },
    ];
    for fault in again {
        for (scene, fake) in [github(), gitlab()] {
            let what = format!("{} {}", fault.method, fault.status);
            fake.fault(fault.clone());
            let ran = scene.run(&["ci", "comment", "review.md"]);
            assert_eq!(ran.code, 0, "{what}: {}", ran.err);
            assert_eq!(fake.comments().len(), 1, "{what}");
        }
    }
    // An update may be sent twice: it says the same.
    let (scene, fake) = github();
    fake.has(BOT, &format!("{MARK}\nold"));
    fake.fault(Fault { method: "PATCH", status: 500, header: None, carried_out: true });
    scene.run(&["ci", "comment", "review.md"]).exits(0).says("comment updated");
    assert_eq!(fake.comments().len(), 1);
}

#[test]
fn a_refusal_says_what_the_job_lacks_and_shows_no_token() {
    for (scene, fake, help) in [
        {
            let (s, f) = github();
            (s, f, "pull-requests: write")
        },
        {
            let (s, f) = gitlab();
            (s, f, "project access token")
        },
    ] {
        fake.fault(Fault { method: "POST", status: 403, header: None, carried_out: false });
        let ran = scene.run(&["ci", "comment", "review.md"]).exits(7).says("FB0942").says(help);
        let ran = ran.never_says("ghs_secret").never_says("glpat-secret");
        assert!(!ran.err.lines().any(|line| line.trim_start().starts_with("::set-output")), "{}", ran.err);
        fake.fault(Fault { method: "POST", status: 422, header: None, carried_out: false });
        scene.run(&["ci", "comment", "review.md"]).exits(1).says("FB0942");
        for _ in 0..20 {
            fake.fault(Fault { method: "GET", status: 500, header: None, carried_out: false });
        }
        scene.run(&["ci", "comment", "review.md"]).exits(1).says("FB0942").says("no comment was written");
    }
}

#[test]
fn only_the_address_that_ci_names_and_only_safely() {
    let (mut scene, fake) = github();
    for api in ["http://api.github.example", "ftp://127.0.0.1/api", "https://user:pw@127.0.0.1/api", "nonsense"] {
        scene.set("GITHUB_API_URL", api);
        let ran = scene.run(&["ci", "comment", "review.md"]);
        assert!(ran.code != 0 && !ran.err.contains("ghs_secret"), "{api}: {}", ran.err);
    }
    scene.set("GITHUB_API_URL", &format!("{}/api", fake.url));
    scene.set("GITHUB_REPOSITORY", "team/../../user");
    scene.run(&["ci", "comment", "review.md"]).exits(3);
    assert_eq!(fake.calls(), Vec::<String>::new());
}

#[test]
fn forks_other_runs_and_other_files() {
    let (mut scene, fake) = github();
    pull_request(&mut scene, true);
    scene.run(&["ci", "comment", "review.md"]).exits(0).says("may only read");
    assert_eq!(fake.calls(), Vec::<String>::new());
    assert!(scene.read("home/summary.md").contains("first"));
    pull_request(&mut scene, false);
    scene.write("other.md", "hello\n");
    scene.run(&["ci", "comment", "other.md"]).exits(3).says("no review");
    scene.set("GITHUB_TOKEN", "");
    scene.run(&["ci", "comment", "review.md"]).exits(7).says("GITHUB_TOKEN");
    scene.set("GITHUB_EVENT_NAME", "push");
    scene.run(&["ci", "comment", "review.md"]).exits(3).says("FB0941");
    assert_eq!(fake.comments(), []);
}
