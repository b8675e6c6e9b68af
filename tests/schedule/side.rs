//! Several at once: who waits for whom, whose text stands where, one budget, one word to stop.

use super::*;

const LANES: [&str; 3] = ["a-cases", "b-guests", "c-leads"];

fn three(scene: &Scene) {
    for (name, object) in LANES.iter().zip(["Case", "Contact", "Lead"]) {
        integration(scene, name, object, "Logins__c", "schedule: hourly");
    }
}

/// Calls that change records of this object.
fn sent(scene: &Scene, object: &str) -> usize {
    let calls = scene.org().calls();
    calls.iter().filter(|call| call.method == "PATCH" && call.request_body.contains(&format!("\"{object}\""))).count()
}

/// Was the object asked for its records?
fn read(scene: &Scene, object: &str) -> bool {
    let from = format!("FROM {object}");
    scene.org().calls().iter().any(|call| call.query.iter().any(|(_, value)| value.contains(&from)))
}

#[test]
fn texts_stand_whole_one_after_the_other_in_the_order_of_their_names() {
    let scene = scene();
    three(&scene);
    // The first one is the slowest.
    scene.org().faults("- on: { method: PATCH, body: '\"Case\"' }\n  action: { delay: 700 }\n").unwrap();
    for arguments in [&["apply", "--due", "--yes"][..], &["apply", "--all", "--yes", "--at-once", "2"]] {
        let ran = scene.run(arguments).exits(0);
        let places: Vec<usize> = LANES.iter().map(|name| ran.out.find(name).unwrap()).collect();
        assert!(places.is_sorted(), "{}", ran.out);
        for (index, name) in LANES.iter().enumerate() {
            let end = places.get(index + 1).copied().unwrap_or(ran.out.len());
            assert!(!ran.out[end..].contains(name), "{name} stands in one place: {}", ran.out);
            assert!(ran.err.contains(&format!("{name}: run log: runs/{name}/")), "progress has the name: {}", ran.err);
        }
    }
    assert_eq!([sent(&scene, "Case"), sent(&scene, "Contact"), sent(&scene, "Lead")], [1, 1, 1]);
}

#[test]
fn data_for_programs_is_one_list_with_a_document_each() {
    let scene = scene();
    three(&scene);
    let ran = scene.run(&["apply", "--all", "--yes", "--json"]).exits(0);
    let documents: Vec<Value> = serde_json::from_str(&ran.out).unwrap();
    let names: Vec<&str> = documents.iter().map(|one| one["run"]["integration"].as_str().unwrap()).collect();
    assert_eq!(names, LANES, "{}", ran.out);
}

#[test]
fn others_go_on_while_one_waits_and_those_of_one_parent_write_one_after_another() {
    let scene = scene();
    three(&scene);
    // Cases and contacts both lock their account; whichever of them comes first, the org does not answer it.
    for object in ["Case", "Contact"] {
        let holds = format!("- on: {{ method: PATCH, body: '\"{object}\"' }}\n  action: {{ delay: 100000 }}\n");
        scene.org().faults(&holds).unwrap();
    }
    let running = start(&scene, &["apply", "--due", "--yes"]);
    until("one is on its way", || scene.org().held() == 1);
    until("both are planned", || read(&scene, "Contact") && read(&scene, "Case"));
    until("the leads are written", || !logs_of(&scene, "c-leads").is_empty());
    assert_eq!(scene.org().held(), 1);

    // One word to stop is heard by all.
    running.stop();
    running.ends().exits(1).says("interrupted");
    assert_eq!(logs_of(&scene, "c-leads")[0]["status"], "Completed");
    let both: Vec<Value> = ["a-cases", "b-guests"].iter().flat_map(|name| logs_of(&scene, name)).collect();
    assert_eq!(both.len(), 1, "of the other nothing was begun to be written: {both:?}");
    assert_eq!(both[0]["exit"], "interrupted");
    let looked_again = ["Case", "Contact"].map(|object| {
        let again = format!("/composite/sobjects/{object}");
        scene.org().calls().iter().filter(|call| call.method == "POST" && call.path.ends_with(&again)).count().min(1)
    });
    assert_eq!(looked_again.iter().sum::<usize>(), 1, "{looked_again:?}");
}

#[test]
fn those_of_one_object_go_one_after_another_from_beginning_to_end() {
    let scene = scene();
    integration(&scene, "a-logins", "Lead", "Logins__c", "schedule: hourly");
    integration(&scene, "b-visits", "Lead", "Visits__c", "schedule: hourly");
    integration(&scene, "c-cases", "Case", "Logins__c", "schedule: hourly");
    scene.org().faults("- on: { method: PATCH, body: '\"Lead\"' }\n  action: { delay: 100000 }\n").unwrap();
    let running = start(&scene, &["apply", "--all", "--yes"]);
    until("the first is on its way", || scene.org().held() == 1);
    until("the cases are written", || !logs_of(&scene, "c-cases").is_empty());
    assert!(!scene.org().calls().iter().any(|call| call.query.iter().any(|(_, value)| value.contains("Visits__c"))));
    running.stop();
    running.ends().exits(1).says("`b-visits` was not begun");

    // Without a hold-up both come to their end, and nobody has taken the other's record for changed.
    scene.org().clear_faults();
    scene.run(&["apply", "--resume", "--env", "sandbox"]);
    scene.run(&["apply", "--all", "--yes"]).exits(0);
    let leads = scene.org().records("Lead");
    assert!(leads.iter().all(|lead| lead["Logins__c"] == lead["Visits__c"]), "{leads:?}");
}

#[test]
fn without_yes_a_person_is_asked_so_they_go_one_after_another() {
    let scene = scene();
    three(&scene);
    // Nobody is there to be asked: each is told, none is written.
    let ran = scene.run(&["apply", "--due"]).exits(3);
    assert_eq!(ran.err.matches("nobody to ask").count(), 3, "{ran:?}");
    assert_eq!(scene.write_calls(), 0);
}

#[test]
fn a_panic_in_one_is_a_bug_and_the_others_are_told_all_the_same() {
    let mut scene = scene();
    three(&scene);
    scene.set("FOOTBRIDGE_PANIC", "planned");
    let ran = scene.run(&["apply", "--due", "--yes"]).exits(70);
    assert_eq!(ran.err.matches("error[FB0953]").count(), 3, "{ran:?}");
}
