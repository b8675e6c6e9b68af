//! Guards: each holds a plan back by its name, leaves a run log, and can be waived for one run.

use std::time::{Duration, SystemTime};

use super::*;

/// The mapping of [`LEADS`] with clears and a policy for the match.
const CLEARING: &str = "  Logins__c: { column: Logins, when_blank: clear }\n  Note__c: Note";

/// A guard, what trips it, and its code.
struct Trip {
    guard: &'static str,
    code: &'static str,
    /// Matching, fields, further lines of the integration.
    matching: &'static str,
    fields: &'static str,
    more: &'static str,
    /// The report's rows for 12 leads that have 0 to 11 logins.
    rows: fn(usize) -> String,
    /// More leads of the same address as the first.
    doubled: bool,
}

fn lead(n: usize, logins: &str) -> String {
    format!("lead{n:05}@example.org,{logins},same\n")
}

fn trips() -> Vec<Trip> {
    let trip =
        |guard, code, more, rows| Trip { guard, code, matching: BY_EMAIL, fields: LEADS, more, rows, doubled: false };
    vec![
        Trip {
            fields: "  Logins__c: Logins\n  Title: Note",
            ..trip("max_fills", "FB0702", "guards: { max_fills: 11 }", |n| lead(n, &n.to_string()))
        },
        trip("max_overwrites", "FB0701", "guards: { max_overwrites: 50% }", |n| lead(n, "99")),
        Trip { fields: CLEARING, ..trip("max_clears", "FB0703", "", |n| lead(n, if n == 3 { "" } else { "99" })) },
        trip("max_refused", "FB0704", "", |n| lead(n, if n == 3 { "bad" } else { "99" })),
        trip("min_match", "FB0705", "", |n| lead(if n < 5 { n } else { n + 500 }, "99")),
        trip("min_rows", "FB0706", "guards: { min_rows: 13 }", |n| lead(n, "99")),
        trip("max_age", "FB0708", "guards: { max_age: 26h }", |n| lead(n, "99")),
        Trip {
            matching: "{ column: Key, field: Email, on_duplicate_rows: fail }",
            ..trip("duplicate_rows", "FB0710", "", |n| lead(n % 11, "99"))
        },
        Trip {
            matching: "{ column: Key, field: Email, on_several_records: fail }",
            doubled: true,
            ..trip("several_records", "FB0711", "", |n| lead(n, "99"))
        },
        trip("bad_values", "FB0712", "on_bad_value: fail\nguards: { max_refused: 100% }", |n| {
            lead(n, if n == 3 { "bad" } else { "99" })
        }),
    ]
}

fn aged(scene: &Scene, hours: u64) {
    let file = std::fs::File::options().append(true).open(scene.path("exports/people.csv")).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(hours * 3600)).unwrap();
}

/// The guard's line in a run log.
fn line<'l>(log: &'l Value, guard: &str) -> &'l Value {
    log["guards"].as_array().unwrap().iter().find(|g| g["name"] == guard).unwrap_or_else(|| panic!("{guard}: {log}"))
}

#[test]
fn each_guard_holds_the_plan_and_is_waived_by_its_own_name_alone() {
    for trip in trips() {
        let name = trip.guard;
        let mut seed = leads(12, |n| n);
        if trip.doubled {
            seed.push_str("      - { LastName: Double, Company: C, Email: LEAD00000@example.org, Logins__c: 0 }\n");
        }
        let scene = Scene::seeded(&seed);
        integration(&scene, "Lead", trip.matching, trip.fields, trip.more);
        let rows: String = (0..12).map(trip.rows).collect();
        scene.write("exports/people.csv", &format!("Key,Logins,Note\n{rows}"));
        aged(&scene, 27);

        // The plan says so, and is not an error by itself.
        let shown = scene.run(&["plan", "people", "--format", "json"]).exits(0);
        let view: Value = serde_json::from_str(&shown.out).unwrap();
        assert_eq!(view["verdict"]["held_by"], serde_json::json!([name]), "{name}");
        assert_eq!(view["verdict"]["held"], true, "{name}");

        // Applying is refused, whichever other guard is waived.
        let other = if name == "max_fills" { "max_clears" } else { "max_fills" };
        for waived in [&[][..], &["--waive", other]] {
            let arguments = [&["apply", "people", "--yes"], waived].concat();
            scene
                .run(&arguments)
                .exits(4)
                .says(name)
                .says(trip.code)
                .says("nothing was sent")
                .says(&format!("--waive {name}"));
        }
        nothing_sent(&scene);
        let held = log(&scene, "guard");
        assert_eq!(held["status"], "Failed", "{name}");
        assert_eq!(line(&held, name)["held"], true, "{name}");
        assert_eq!(held["records"]["not_attempted"], held["records"]["records"], "{name}");
        scene.run(&["runs", "show", held["id"].as_str().unwrap()]).exits(0).says(name).says("held");

        let done = scene.run(&["apply", "people", "--yes", "--waive", name]).exits(0);
        done.says("Completed").says(name).says("waived");
        assert!(scene.write_calls() > 0, "{name}");
        let done = log(&scene, "done");
        assert_eq!((&line(&done, name)["held"], &line(&done, name)["waived"]), (&true.into(), &true.into()), "{name}");
    }
}

#[test]
fn two_guards_need_two_names() {
    let scene = Scene::seeded(&leads(12, |n| n));
    integration(&scene, "Lead", BY_EMAIL, LEADS, &guards("max_overwrites: 3, min_rows: 100"));
    on_leads(&scene, 12, |n| n + 1);
    scene.run(&["apply", "people", "--yes"]).exits(4).says("max_overwrites").says("min_rows");
    scene
        .run(&["apply", "people", "--yes", "--waive", "min_rows"])
        .exits(4)
        .says("guard `max_overwrites` holds")
        .never_says("guard `min_rows` holds");
    for all in ["all", "*", "max_overwrites,min_rows"] {
        scene.run(&["apply", "people", "--yes", "--waive", all]).exits(3);
    }
    nothing_sent(&scene);
    scene.run(&["apply", "people", "--yes", "--waive", "min_rows", "--waive", "max_overwrites"]).exits(0);
}

#[test]
fn percentages_count_from_ten_records_up() {
    for (count, exit) in [(9, 0), (10, 4)] {
        let scene = Scene::seeded(&leads(count, |n| n));
        integration(&scene, "Lead", BY_EMAIL, LEADS, &guards("max_overwrites: 5%"));
        on_leads(&scene, count, |n| n + 1);
        scene.run(&["apply", "people", "--yes"]).exits(exit);
        assert_eq!(scene.write_calls(), usize::from(exit == 0), "{count}");
    }
    // A number counts always, and a limit that is just reached holds nothing.
    let scene = Scene::seeded(&leads(3, |n| n));
    on_leads(&scene, 3, |n| n + 1);
    integration(&scene, "Lead", BY_EMAIL, LEADS, &guards("max_overwrites: 2"));
    scene.run(&["apply", "people", "--yes"]).exits(4);
    integration(&scene, "Lead", BY_EMAIL, LEADS, &guards("max_overwrites: 3"));
    scene.run(&["apply", "people", "--yes"]).exits(0);
}

#[test]
fn guards_of_project_integration_and_environment_go_from_the_general_to_the_special() {
    let scene = Scene::seeded(&leads(12, |n| n));
    on_leads(&scene, 12, |n| n + 1);
    scene.write("integrations/project.yaml", "footbridge: 1\nkind: project\nguards: { max_overwrites: 1 }\n");
    integration(&scene, "Lead", BY_EMAIL, LEADS, "");
    scene.run(&["apply", "people", "--yes"]).exits(4).says("max_overwrites");
    integration(
        &scene,
        "Lead",
        BY_EMAIL,
        LEADS,
        "guards: { max_overwrites: 2 }\nenvironments: { sandbox: { guards: { max_overwrites: 12 } } }",
    );
    scene.run(&["apply", "people", "--yes"]).exits(0);
}

#[test]
fn a_report_that_shrank_is_held_against_the_last_run_that_was_carried_out() {
    let scene = Scene::seeded(&leads(20, |n| n));
    integration(&scene, "Lead", BY_EMAIL, LEADS, &guards("max_shrink: 10%"));
    on_leads(&scene, 20, |n| n + 1);
    scene.run(&["apply", "people", "--yes"]).exits(0);
    let calls = scene.write_calls();
    on_leads(&scene, 17, |n| n + 2);
    // Twice: a run that was held is no measure for the next.
    for _ in 0..2 {
        scene.run(&["apply", "people", "--yes"]).exits(4).says("FB0707").says("max_shrink");
    }
    assert_eq!(scene.write_calls(), calls);
    on_leads(&scene, 18, |n| n + 2);
    scene.run(&["apply", "people", "--yes"]).exits(0);
}

#[test]
fn a_fresh_report_passes_max_age_and_one_from_the_future_does_not_count_as_fresh() {
    let scene = Scene::seeded(&leads(12, |n| n));
    integration(&scene, "Lead", BY_EMAIL, LEADS, &guards("max_age: 26h"));
    on_leads(&scene, 12, |n| n + 1);
    let file = std::fs::File::options().append(true).open(scene.path("exports/people.csv")).unwrap();
    file.set_modified(SystemTime::now() + Duration::from_secs(48 * 3600)).unwrap();
    scene.run(&["apply", "people", "--yes"]).exits(4).says("max_age");
    aged(&scene, 25);
    scene.run(&["apply", "people", "--yes"]).exits(0);
}

#[test]
fn the_first_apply_to_production_needs_a_person_and_later_ones_do_not() {
    let scene = Scene::seeded(&leads(3, |n| n));
    scene.reach("production", "{ flow: access_token, token: \"${ORG_TOKEN}\" }");
    integration(&scene, "Lead", BY_EMAIL, LEADS, "environments: { production: {} }");
    on_leads(&scene, 3, |n| n + 1);
    let apply = |more: &[&str]| scene.run(&[&["apply", "people", "--env", "production", "--yes"], more].concat());
    // Sandbox is the default, and this integration does not run there.
    scene.run(&["apply", "people", "--yes"]).exits(3);
    scene.run(&["plan", "people", "--env", "production"]).exits(0);
    // Twice: a run that was held does not count as the first.
    for _ in 0..2 {
        apply(&[]).exits(4).says("FB0709").says("--first-run").never_says("not the first apply");
    }
    nothing_sent(&scene);
    let held = log(&scene, "guard");
    assert_eq!(line(&held, "first_run")["held"], true);
    scene
        .run(&["runs", "show", held["id"].as_str().unwrap()])
        .exits(0)
        .says("the first apply to production needs a person")
        .never_says("not the first apply");
    apply(&["--first-run"]).exits(0).says("Completed");
    on_leads(&scene, 3, |n| n + 2);
    apply(&[]).exits(0);
    // A plan file for production says so itself; the person still has to.
    on_leads(&scene, 3, |n| n + 3);
    scene.run(&["plan", "people", "--env", "production", "--out", "p.plan"]).exits(0);
    scene.run(&["apply", "p.plan", "--yes"]).exits(3).says("--env production");
    scene.run(&["apply", "p.plan", "--yes", "--env", "sandbox"]).exits(3);
    scene.run(&["apply", "p.plan", "--yes", "--env", "production"]).exits(0);
}
