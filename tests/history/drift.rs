use serde_json::json as object;

use super::*;

fn edit(scene: &Scene, id: &str, logins: u32) {
    let fields = object!({ "Logins__c": logins });
    scene.org().edit("Lead", id, fields.as_object().unwrap()).unwrap();
}

#[test]
fn what_differs_from_what_the_last_run_wrote_is_told_by_the_same_report() {
    let mut scene = scene("");
    scene.run(&["drift", "people"]).exits(0).says("no run has written a record yet");
    days(&mut scene, 1..=1);
    let ran = scene.run(&["drift", "people", "--detailed-exitcode"]).exits(0);
    ran.says("every field holds what was written").says("told by planning the same report again");
    let writes = scene.write_calls();
    let id = lead(&scene, 3);
    edit(&scene, &id, 77);
    let ran = scene.run(&["drift", "--detailed-exitcode"]).exits(2).says("1 record changed since").says(&id);
    ran.says("Logins__c: 1 of 12 written").never_says("77").never_says("lead00003@");
    let view = json(&scene.run(&["drift", "people", "--json"]).exits(0));
    fits("drift-view.schema.json", &view);
    let one = &view["integrations"][0];
    assert_eq!((&one["known_by"], &one["differ"], &one["written"]), (&"report".into(), &1.into(), &12.into()));
    assert_eq!(one["fields"][0]["records"], object!([id]));
    assert_eq!(scene.write_calls(), writes, "drift writes nothing");
    // Another report: what was written is not known any more, and that is said.
    on_leads(&scene, 12, |n| n + 5);
    scene.run(&["drift", "people"]).exits(1).says("FB0931").says("the report has changed since").says("keep: local");
}

#[test]
fn kept_values_and_their_digests_tell_drift_whatever_the_report_says_now() {
    for (after, known_by) in [(true, "values"), (false, "digests")] {
        let mut scene = scene("");
        keeping(&scene, &format!("{{ keep: local, after: {after} }}"));
        days(&mut scene, 1..=1);
        let whole = scene.run(&["drift", "people"]).exits(0).says("every field holds what was written");
        assert_eq!(whole.out.contains("told by digests"), !after);
        on_leads(&scene, 12, |n| n + 500);
        let id = lead(&scene, 7);
        edit(&scene, &id, 31337);
        let ran = scene.run(&["drift", "people", "--json"]).exits(0).never_says("31337");
        let view = json(&ran);
        let one = &view["integrations"][0];
        assert_eq!((&one["known_by"], &one["differ"], &one["unknown"]), (&known_by.into(), &1.into(), &0.into()));
        assert_eq!(one["fields"][0]["records"], object!([id]));
        // A record that is gone is told as such, and the next run's values compare with the last's.
        scene.org().delete("Lead", &lead(&scene, 8)).unwrap();
        scene.run(&["drift", "people", "--detailed-exitcode"]).exits(2).says("1 record changed since, 1 gone");
        // Blame knows that they are kept, and shows none of them here.
        scene.run(&["blame", &id]).exits(0).says("Values are shown on a terminal only").never_says("31337");
    }
}

#[test]
fn a_field_that_run_after_run_has_to_write_back_is_called_a_fight() {
    let mut scene = scene("");
    let (fought, once) = (lead(&scene, 4), lead(&scene, 9));
    on_leads(&scene, 12, |n| n + 1);
    for day in 1..=4 {
        if day > 1 {
            edit(&scene, &fought, 700);
        }
        if day == 4 {
            edit(&scene, &once, 800);
        }
        apply(&mut scene, &format!("2026-11-{day:02}T09:00:00Z"), &[]).exits(0);
    }
    // Another integration of the same field is the first to look at.
    let other = scene.read("integrations/people.yaml").replace("name: people\n", "name: others\n");
    let shared = |text: &str| text.replace("lints_off:", "where: Company = 'Example'\nshared: true\nlints_off:");
    let same = scene.read("integrations/people.yaml");
    scene.write("integrations/others.yaml", &shared(&other));
    scene.write("integrations/people.yaml", &shared(&same));
    let ran = scene.run(&["drift", "people", "--json"]);
    // The configuration has changed with `shared:`, so drift itself is not known without values.
    assert_eq!(ran.code, 1);
    std::fs::remove_file(scene.path("integrations/others.yaml")).unwrap();
    scene.write("integrations/people.yaml", &same);
    let ran = scene.run(&["drift", "people"]).exits(0).says("Somebody else keeps changing these fields");
    golden(&scene, "fight", &ran.out);
    let view = json(&scene.run(&["drift", "people", "--json"]).exits(0));
    let fight = &view["integrations"][0]["fights"][0];
    assert_eq!((&fight["records"], &fight["runs"], &fight["certain"]), (&1.into(), &4.into(), &1.into()));
    assert_eq!(fight["listed"], object!([fought]));
}

#[test]
fn other_integrations_of_the_same_field_are_named() {
    let mut scene = scene("where: Company = 'Example'\nshared: true");
    let other = scene.read("integrations/people.yaml").replace("name: people\n", "name: others\n");
    scene.write("integrations/others.yaml", &other);
    days(&mut scene, 1..=1);
    edit(&scene, &lead(&scene, 2), 99);
    scene.run(&["drift", "people"]).exits(0).says("also written by others");
    // All of them: the one that never ran is told as such.
    scene.run(&["drift"]).exits(0).says("others in acme/sandbox: no run has written a record yet");
}

#[test]
fn kept_values_tell_a_fight_from_a_value_that_changes_every_day() {
    let mut scene = scene("");
    keeping(&scene, "{ keep: local }");
    let fought = lead(&scene, 4);
    for day in 1..=4 {
        // The report is another one every day: lead 0 is really new each time.
        on_leads(&scene, 12, |n| if n == 0 { day * 10 } else { n + 1 });
        if day > 1 {
            edit(&scene, &fought, 700);
        }
        apply(&mut scene, &format!("2026-11-{day:02}T09:00:00Z"), &[]).exits(0);
    }
    let view = json(&scene.run(&["drift", "people", "--json"]).exits(0));
    let fights = &view["integrations"][0]["fights"];
    assert_eq!(fights.as_array().unwrap().len(), 1);
    assert_eq!((&fights[0]["certain"], &fights[0]["listed"]), (&1.into(), &object!([fought])));
}

#[test]
fn a_fight_is_told_after_an_undo_as_well() {
    let mut scene = scene("");
    keeping(&scene, "{ keep: local }");
    let fought = lead(&scene, 4);
    on_leads(&scene, 12, |n| n + 1);
    for day in 1..=4 {
        if day > 1 {
            edit(&scene, &fought, 700);
        }
        apply(&mut scene, &format!("2026-11-{day:02}T09:00:00Z"), &[]).exits(0);
    }
    scene.set("FOOTBRIDGE_NOW", "2026-11-04T10:00:00Z");
    scene.run(&["undo", "people", "--yes"]).exits(0);
    let view = json(&scene.run(&["drift", "people", "--json"]).exits(0));
    let one = &view["integrations"][0];
    assert_eq!((&one["run"], &one["written"]), (&"2026-11-04T100000Z".into(), &1.into()), "the undo wrote last");
    let fights = &one["fights"];
    assert_eq!((&fights[0]["runs"], &fights[0]["listed"]), (&4.into(), &object!([fought])), "{view}");
}

#[test]
fn committed_values_need_the_key_and_without_it_drift_says_so() {
    let mut scene = scene("");
    // An identity made for this test alone, and its public half.
    keeping(
        &scene,
        "{ keep: committed, recipients: [age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa] }",
    );
    days(&mut scene, 1..=1);
    on_leads(&scene, 12, |n| n + 500);
    scene.run(&["drift", "people"]).exits(1).says("FB0931").says("no age identity to open it with");
    scene.run(&["blame", &lead(&scene, 1)]).exits(0).says("need a key (FOOTBRIDGE_KEY)");
}
