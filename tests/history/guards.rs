use super::*;

const AGAINST: &str = "guards: { column_vanished: 0, blanks_rose: 20%, match_fell: 20%, min_match: 50% }";

/// Twenty rows: a column beside the mapped ones where wanted, so many blank notes, so many keys that nobody has.
fn report(scene: &Scene, team: bool, blank: usize, strange: usize) {
    let mut text = format!("Key,Logins,Note{}\n", if team { ",Team" } else { "" });
    for n in 0..20 {
        let key = if n < strange { n + 500 } else { n };
        let note = if n >= 20 - blank { "" } else { "same" };
        text.push_str(&format!("lead{key:05}@example.org,7,{note}{}\n", if team { ",secret-team" } else { "" }));
    }
    scene.write("exports/people.csv", &text);
}

fn twenty() -> Scene {
    let scene = Scene::seeded(&leads(20, |n| n));
    integration(&scene, "Lead", BY_EMAIL, LEADS, AGAINST);
    scene
}

#[test]
fn a_column_that_vanished_blanks_that_rose_and_a_match_that_fell_hold_the_plan_until_they_are_waived() {
    let mut scene = twenty();
    report(&scene, true, 2, 0);
    scene.run(&["plan", "people"]).exits(0).says("no earlier run to compare with");
    apply(&mut scene, "2026-11-01T09:00:00Z", &[]).exits(0);
    let log = crate::job::log(&scene, "done");
    assert_eq!(log["report"]["columns"], serde_json::json!(["Key", "Logins", "Note", "Team"]));
    let blank: Vec<&Value> = log["fields"].as_array().unwrap().iter().map(|f| &f["blank"]).collect();
    assert_eq!(blank, [0, 2]);
    assert!(!log.to_string().contains("secret-team"));
    let calls = scene.write_calls();

    let cases = [
        ("column_vanished", "FB0721", (false, 2, 0), "`Team`"),
        (
            "blanks_rose",
            "FB0722",
            (true, 10, 0),
            "column `Note`: 50.0% of the cells are blank, in the last run it was 10.0%",
        ),
        ("match_fell", "FB0723", (true, 2, 8), "60.0% of the rows find a record, in the last run it was 100.0%"),
    ];
    for (at, (guard, code, (team, blank, strange), words)) in cases.into_iter().enumerate() {
        report(&scene, team, blank, strange);
        // Twice: a run that was held is no measure for the next.
        for hour in 0..2 {
            let now = format!("2026-11-{:02}T{hour:02}:00:00Z", at + 2);
            let ran = apply(&mut scene, &now, &[])
                .exits(4)
                .says(code)
                .says(guard)
                .says(words)
                .says(&format!("--waive {guard}"));
            for (other, ..) in cases.iter().filter(|(other, ..)| *other != guard) {
                assert!(!ran.err.contains(&format!("guard `{other}` holds")), "{guard}: {}", ran.err);
            }
        }
        assert_eq!(scene.write_calls(), calls, "{guard}: nothing was sent");
    }
    // Within the limits: nothing is held.
    report(&scene, true, 6, 4);
    scene.write("exports/people.csv", &scene.read("exports/people.csv").replace(",7,", ",8,"));
    scene.run(&["plan", "people"]).exits(0).says("rose by 20 points").says("fell by 20 points");
    // Waived by its name, it is the next run's measure.
    report(&scene, false, 2, 0);
    apply(&mut scene, "2026-11-10T09:00:00Z", &["--waive", "blanks_rose"]).exits(4);
    apply(&mut scene, "2026-11-10T10:00:00Z", &["--waive", "column_vanished"]).exits(0);
    apply(&mut scene, "2026-11-10T11:00:00Z", &[]).exits(0);
}

#[test]
fn points_are_written_with_a_per_cent_sign_and_a_short_report_says_nothing() {
    let mut scene = scene("guards: { match_fell: 20 }");
    on_leads(&scene, 12, |n| n + 1);
    scene.run(&["validate"]).exits(3).says("FB0225").says("write `20%`");
    integration(&scene, "Lead", BY_EMAIL, LEADS, "guards: { match_fell: 20%, blanks_rose: 0% }");
    apply(&mut scene, "2026-11-01T09:00:00Z", &[]).exits(0);
    // Five rows: percentages count from ten up.
    let few = format!("Key,Logins,Note\nlead00000@example.org,99,same\n{}", "x@example.org,,\n".repeat(4));
    scene.write("exports/people.csv", &few);
    scene.run(&["plan", "people"]).exits(0).says("no earlier run to compare with");
}
