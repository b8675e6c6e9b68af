//! `footbridge report` and `--format html`: pages from run logs, looked at in a real browser.
//!
//! Accessibility is checked by axe-core, whose file `axe.min.js` `FOOTBRIDGE_AXE` names; without it that part is left out, and said so.

mod logs;

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use self::logs::{Log, ORG, PRODUCTION};
use crate::browser::Browser;
use crate::job;
use crate::scene::Scene;

/// Every file below a folder, as paths from there.
fn files(root: &Path) -> BTreeSet<String> {
    fn walk(root: &Path, folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, found);
            } else {
                found.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    let mut found = BTreeSet::new();
    walk(root, root, &mut found);
    found
}

/// A team with three integrations: one that runs daily and failed now and then, one in production, one that never ran.
fn team() -> Scene {
    let scene = Scene::seeded("org: { sandbox: true }\n");
    let orgs = scene.read("integrations/orgs.yaml").replace(&scene.org().org_id(), ORG);
    scene.write("integrations/orgs.yaml", &orgs);
    for (name, field, goal) in [
        ("logins-to-leads", "WalkMe_Level__c", "Find the leads that are likely to convert"),
        ("nps-to-contacts", "WalkMe_NPS__c", "Call detractors in time"),
    ] {
        scene.write(
            &format!("integrations/{name}.yaml"),
            &format!(
                "footbridge: 1\nkind: integration\nname: {name}\ngoal: {goal}\norg: acme\n\
                 report: {{ name: Logins Review, source: exports/a.csv }}\nobject: Lead\n\
                 match: {{ column: User ID, field: Email }}\nfields: {{ {field}: Level }}\n\
                 environments: {{ sandbox: {{ schedule: daily }} }}\n"
            ),
        );
    }
    for day in 1..=28 {
        Log { day, ..Log::default() }.write(&scene);
    }
    Log { integration: "old-scores", org_id: PRODUCTION, day: 3, ..Log::default() }.write(&scene);
    scene
}

#[test]
fn every_integration_and_run_has_its_page() {
    let scene = team();
    scene.run(&["report", "--out", "public", "--pages", "10"]).exits(0).says("wrote 14 pages");
    let files = files(&scene.path("public"));
    assert_eq!(files.iter().filter(|f| f.starts_with("runs/")).count(), 11, "{files:?}");
    let index = scene.read("public/index.html");
    for told in [
        "logins-to-leads",
        "nps-to-contacts",
        "Never ran",
        "old-scores",
        "no longer configured",
        "Find the leads that are likely to convert",
    ] {
        assert!(index.contains(told), "{told}\n{index}");
    }
    let history = scene.read(&format!("public/integrations/logins-to-leads/sandbox-{ORG}.html"));
    assert_eq!(history.matches("<svg viewBox=\"0 0 600").count(), 5, "five charts");
    assert_eq!(history.matches("<rect").count(), 5 * 28);
    // Runs without a page of their own are in the table all the same.
    assert!(history.contains("2026-10-01 09:00:00 UTC") && !history.contains("2026-10-01T090000Z.html"));
    let run = scene.read(&format!("public/runs/logins-to-leads/{ORG}/2026-10-28T090000Z.html"));
    for told in [
        "00Q000000000002EAA",
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "Level […] cannot be cleared",
        "min_match",
        "1,215",
        "sha256:",
    ] {
        assert!(run.contains(told), "{told}");
    }
    for page in &files {
        let text = scene.read(&format!("public/{page}"));
        assert!(
            !text.contains("<script") && !text.contains("http:") && !text.contains("https:"),
            "{page} fetches something"
        );
    }
}

#[test]
fn links_lead_to_pages_that_are_there() {
    let scene = team();
    scene.run(&["report", "--out", "public", "--pages", "5"]).exits(0);
    let files = files(&scene.path("public"));
    let mut followed = 0;
    for page in files.iter().filter(|f| f.ends_with(".html")) {
        let text = scene.read(&format!("public/{page}"));
        for link in text.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            if link.starts_with('#') {
                continue;
            }
            let mut path: Vec<&str> = page.split('/').collect();
            path.pop();
            for step in link.split('/') {
                if step == ".." {
                    path.pop().unwrap_or_default()
                } else {
                    path.push(step);
                    ""
                };
            }
            assert!(files.contains(&path.join("/")), "{page} links to {link}");
            followed += 1;
        }
    }
    assert!(followed > 20, "{followed}");
}

#[test]
fn only_its_own_files_are_touched() {
    let scene = team();
    scene.write("mine/notes.txt", "keep");
    scene.run(&["report", "--out", "mine"]).exits(3).says("did not write").says("nothing was written there");
    assert_eq!(files(&scene.path("mine")), BTreeSet::from(["notes.txt".to_owned()]));

    scene.run(&["report", "--out", "public"]).exits(0);
    scene.write("public/CNAME", "pages.example.com");
    std::fs::remove_dir_all(scene.path("runs/old-scores")).unwrap();
    scene.run(&["report", "--out", "public"]).exits(0);
    let now = files(&scene.path("public"));
    assert!(now.contains("CNAME") && !now.iter().any(|f| f.contains("old-scores")), "{now:?}");
    assert!(!scene.path("public/runs/old-scores").exists(), "empty folders go, too");

    // A list that names other people's files makes nobody remove them.
    scene.write("public/.footbridge-pages", "footbridge pages/1\n../exports/a.html\n/etc/hosts\nCNAME\n");
    scene.write("exports/a.html", "keep");
    scene.run(&["report", "--out", "public"]).exits(0);
    assert!(scene.path("exports/a.html").exists() && scene.path("public/CNAME").exists());
}

#[test]
fn a_log_that_cannot_be_read_is_told_and_the_rest_is_shown() {
    let scene = team();
    scene.write(
        &format!("runs/logins-to-leads/{ORG}/2026/2026-10-30T090000Z.yaml"),
        "footbridge: 1\nkind: run\nid: [\n",
    );
    scene.run(&["report"]).exits(1).says("2026-10-30T090000Z.yaml").says("left out");
    assert!(scene.read("public/index.html").contains("logins-to-leads"));
}

#[test]
fn outcomes_that_were_pruned_are_told_and_the_pages_are_made_all_the_same() {
    let mut scene = team();
    scene.set("FOOTBRIDGE_NOW", "2026-10-30T09:00:00Z");
    scene.run(&["runs", "prune", "--keep", "20d", "--yes"]).exits(0);
    scene.run(&["report", "--pages", "40"]).exits(0).says("wrote 32 pages");
    let page = |day: &str| scene.read(&format!("public/runs/logins-to-leads/{ORG}/2026-10-{day}T090000Z.html"));
    let (old, new) = (page("03"), page("28"));
    assert!(old.contains("is not kept any more") && !old.contains("Table of records"), "{old}");
    assert!(!new.contains("is not kept any more") && new.contains("Table of records"), "{new}");
    assert!(new.contains("00Q000000000002EAA"), "{new}");
}

#[test]
fn what_ran_before_the_time_that_is_asked_for_did_run() {
    let mut scene = team();
    scene.set("FOOTBRIDGE_NOW", "2026-11-20T09:00:00Z");
    scene.run(&["report", "--since", "7d"]).exits(0);
    let index = scene.read("public/index.html");
    assert!(index.contains("Not in this time") && index.contains("1 not in this time"), "{index}");
    assert!(index.contains("Never ran") && index.contains("1 never ran"), "the other one never did\n{index}");
}

const HOSTILE: &str =
    "<script>document.title='hacked'</script><img src=x onerror=alert(1)>|`@team` \u{202e}gpj\u{1b}[31m\" onclick=\"x";

fn hostile() -> Scene {
    let scene = Scene::seeded("org: { sandbox: true }\n");
    for day in 1..=3 {
        Log { hostile: Some(HOSTILE), integration: "logins-to-leads", day, ..Log::default() }.write(&scene);
    }
    scene
}

#[test]
fn hostile_text_stays_text_in_a_browser() {
    let scene = hostile();
    scene.run(&["report"]).exits(0);
    planned_hostile(&scene);
    tokio::runtime::Runtime::new().unwrap().block_on(nothing_comes_of_it(&scene));
}

/// A plan of hostile names, values of the report and values of records, as a page that shows values, beside the pages of runs.
fn planned_hostile(pages: &Scene) {
    // A file of ours holds neither control characters nor marks of direction; a report and an org do.
    let label: String = HOSTILE.chars().filter(|c| !c.is_control()).collect();
    let plain: String = label.chars().filter(|c| *c != '\u{202e}').collect();
    let json = |text: &str| serde_json::to_string(text).unwrap();
    let seed = format!(
        "objects: {{ Lead: {{ fields: [{{ name: WalkMe_A__c, type: text, length: 255, label: {} }}, {{ name: WalkMe_B__c, type: picklist, values: [one] }}] }} }}",
        json(&label)
    );
    let scene = Scene::seeded(&seed);
    for n in 0..2 {
        let lead =
            json!({"LastName": "L", "Company": "C", "Email": format!("p{n}@example.org"), "WalkMe_A__c": HOSTILE});
        scene.org().insert("Lead", &[lead.as_object().unwrap().clone()]).unwrap();
    }
    let (with, without) = (format!("new {HOSTILE}"), format!("new {label}"));
    job::report(
        &scene,
        &["Key", &plain, "B"],
        &[vec!["p0@example.org", &with, HOSTILE], vec!["p1@example.org", &without, &plain], vec![HOSTILE, "x", "y"]],
    );
    let shown = format!(
        "  WalkMe_A__c: {{ column: {}, show_values: true }}\n  WalkMe_B__c: {{ column: B, show_values: true }}",
        json(&plain)
    );
    let name: String = plain.chars().take(60).collect();
    job::integration(
        &scene,
        "Lead",
        job::BY_EMAIL,
        &shown,
        &format!("goal: {}\nlabels: [{}]\nguards: {{ max_refused: 100%, min_match: 1% }}", json(&plain), json(&name)),
    );
    let text = scene.read("integrations/people.yaml");
    scene.write("integrations/people.yaml", &text.replace("name: People,", &format!("name: {},", json(&plain))));
    let planned = scene.run(&["plan", "people", "--format", "html"]).exits(0);
    // Values are in it: what is looked at below is not a page without any.
    assert!(planned.out.contains("new &lt;script&gt;"), "{}", planned.out);
    pages.write("public/plan.html", &planned.out);
}

async fn nothing_comes_of_it(scene: &Scene) {
    let Some(browser) = Browser::start().await else { return };
    let pages = files(&scene.path("public"));
    assert!(pages.len() >= 6 && pages.contains("plan.html"), "{pages:?}");
    for page in pages.iter().filter(|f| f.ends_with(".html")) {
        browser.open(&format!("file://{}", scene.path("public").join(page).display())).await;
        let script = "return [document.title.endsWith('Footbridge'), document.querySelectorAll('script,img,iframe,object,embed,form,[onclick],[onerror]').length,
            performance.getEntriesByType('resource').length, /[\\u202e\\u001b]/.test(document.documentElement.outerHTML)]";
        assert_eq!(browser.script(script).await, json!([true, 0, 0, false]), "{page}");
        assert!(
            browser.text().await.contains("<script>document.title='hacked'</script>"),
            "{page}: it is shown as it is written"
        );
    }
}

/// What axe-core finds in the page, by rule and element.
async fn axe(browser: &Browser, source: &str) -> Vec<String> {
    browser.script(&format!("{source}; return true")).await;
    let found = browser.script("return axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.flatMap(v => v.nodes.map(n => v.id + ': ' + n.html.slice(0, 200) + ' ' + n.failureSummary)))").await;
    found.as_array().unwrap().iter().map(|v| v.as_str().unwrap().to_owned()).collect()
}

#[test]
fn pages_are_accessible_and_fit_a_phone() {
    let scene = team();
    scene.run(&["report", "--pages", "2"]).exits(0);
    planned(&scene);
    tokio::runtime::Runtime::new().unwrap().block_on(looked_at(&scene));
}

/// A plan with rows of every kind, values and a guard that holds it, as a page beside the pages of runs.
fn planned(pages: &Scene) {
    let scene = Scene::seeded(&job::leads(12, |n| n));
    let fields = "  Logins__c: { column: Logins, show_values: true }\n  Note__c: { column: Note, show_values: true }";
    job::integration(
        &scene,
        "Lead",
        job::BY_EMAIL,
        fields,
        "goal: Find the leads that are likely to convert\nguards: { max_overwrites: 3 }",
    );
    job::on_leads(&scene, 14, |n| if n % 3 == 0 { n } else { n + 1_000 });
    let long = "a note that is much longer than what stands in a line of a phone ".repeat(2);
    let more = format!("lead00001@example.org,7,twice\n,7,no key\nlead00002x@example.org,many,{long}\n");
    let report = scene
        .read("exports/people.csv")
        .replace("lead00004@example.org,1004,same", "lead00004@example.org,many,another");
    scene.write("exports/people.csv", &(report + &more));
    let planned = scene.run(&["plan", "people", "--format", "html"]).exits(0);
    for told in ["1005", "another", "max_overwrites"] {
        assert!(planned.out.contains(told), "{told}: {}", planned.out);
    }
    pages.write("public/plan.html", &planned.out);
}

async fn looked_at(scene: &Scene) {
    let Some(browser) = Browser::start().await else { return };
    let rules = std::env::var("FOOTBRIDGE_AXE")
        .ok()
        .map(|file| std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{file}: {e}")));
    if rules.is_none() {
        crate::scene::left_out("accessibility by axe-core; set FOOTBRIDGE_AXE to its axe.min.js");
    }
    let pages = [
        ("index", "index.html".to_owned()),
        ("history", format!("integrations/logins-to-leads/sandbox-{ORG}.html")),
        ("run", format!("runs/logins-to-leads/{ORG}/2026-10-28T090000Z.html")),
        ("plan", "plan.html".to_owned()),
    ];
    for (name, page) in pages {
        for (width, scheme) in [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")] {
            browser.looks(width, scheme, "").await;
            browser.open(&format!("file://{}", scene.path("public").join(&page).display())).await;
            browser.assert_accessible().await;
            let wide: Value = browser.script("return document.documentElement.scrollWidth").await;
            assert!(wide.as_u64().unwrap() <= u64::from(width), "{name} at {width} is {wide} wide");
            // A table that scrolls shows its run and how it ended without that.
            if name == "history" {
                let seen = "const edge = document.querySelector('.wide').getBoundingClientRect().right;
                    return [...document.querySelectorAll('.wide tbody tr')].every(row => ['a, time', '.badge'].every(one => row.querySelector(one).getBoundingClientRect().right <= edge))";
                assert_eq!(browser.script(seen).await, json!(true), "run and status at {width}");
            }
            browser.whole_picture(&format!("report-{name}-{width}-{scheme}"), width, scheme).await;
            if let Some(rules) = &rules {
                assert_eq!(axe(&browser, rules).await, Vec::<String>::new(), "{name} at {width}, {scheme}");
            }
        }
        browser.looks(800, "light", "print").await;
        browser.open(&format!("file://{}", scene.path("public").join(&page).display())).await;
        browser.picture(&format!("report-{name}-print")).await;
    }
}
