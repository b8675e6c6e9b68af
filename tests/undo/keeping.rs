//! Where values are kept, who can open them, and that nothing is sent without a place for them.

use super::*;
use crate::job::{leads, log, nothing_sent};

const SECRET: &str = "AGE-SECRET-KEY-1QYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSQ2CRMQ6";

/// A pair of keys, secret and public.
fn keys() -> (String, String) {
    use age::secrecy::ExposeSecret as _;
    let identity = age::x25519::Identity::generate();
    (identity.to_string().expose_secret().to_owned(), identity.to_public().to_string())
}

fn production(project: &str) -> Scene {
    let scene = Scene::seeded(&leads(6, |n| n + 1));
    scene.reach("production", "{ flow: access_token, token: \"${ORG_TOKEN}\" }");
    job::integration(&scene, "Lead", BY_EMAIL, LEADS, "environments: { production: {} }\n");
    job::on_leads(&scene, 6, |n| n + 100);
    if !project.is_empty() {
        scene.write("integrations/project.yaml", &format!("footbridge: 1\nkind: project\nvalues: {project}\n"));
    }
    scene
}

const APPLY: [&str; 6] = ["apply", "people", "--env", "production", "--yes", "--first-run"];

fn files(scene: &Scene, below: &str) -> Vec<std::path::PathBuf> {
    fn walk(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    walk(&scene.path(below), &mut found);
    found
}

#[test]
fn values_are_on_disk_before_the_first_change_for_their_owner_alone() {
    let scene = six();
    scene.run(&["apply", "people", "--yes"]).exits(0);
    let all = files(&scene, ".footbridge/values");
    assert_eq!(all.len(), 1, "{all:?}");
    let run = last(&scene);
    assert_eq!(all[0].file_name().unwrap().to_str().unwrap(), format!("{run}.jsonl"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&all[0]).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let text = std::fs::read_to_string(&all[0]).unwrap();
    let lines: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!((lines.len(), &lines[0]["format"]), (7, &json!("footbridge values/1")));
    assert_eq!((&lines[1]["before"]["Logins__c"], &lines[1]["after"]["Logins__c"]), (&json!("1"), &json!("100")));
    assert_eq!(lines[6]["records"], json!(5));
    let log = &logs(&scene)[0];
    assert_eq!((&log["values"]["keep"], &log["values"]["after"]), (&json!("local"), &json!(true)));
    // No value of a record stands in what is committed.
    for file in files(&scene, "runs") {
        assert!(!std::fs::read_to_string(&file).unwrap().contains("lead0000"), "{}", file.display());
    }
}

#[test]
fn without_a_place_that_lasts_production_is_not_written() {
    for (project, ci) in [("{ keep: none }", false), ("{ keep: local }", true), ("", true)] {
        let mut scene = production(project);
        if ci {
            scene.set("CI", "true");
        }
        scene.run(&APPLY).exits(1).says("FB0830").says("--no-undo").says("recipients");
        nothing_sent(&scene);
        let log = log(&scene, "error");
        assert_eq!((&log["problems"][0]["code"], &log["records"]["not_attempted"]), (&json!("FB0830"), &json!(6)));
        // The way out is taken by name, and the log says what that means.
        scene.run(&[&APPLY[..], &["--no-undo"]].concat()).exits(0);
        let run = last(&scene);
        assert_eq!(logs(&scene).pop().unwrap()["values"]["keep"], json!("none"));
        scene.run(&["undo", &run, "--env", "production", "--yes"]).exits(1).says("FB0832").says("--no-undo").says(&run);
    }
    // A sandbox may be without, and a person's machine stays.
    let scene = production("");
    scene.run(&APPLY).exits(0);
}

#[test]
fn committed_values_are_encrypted_and_undo_names_the_key_that_it_lacks() {
    let (secret, public) = keys();
    let (other, _) = keys();
    let mut scene = production(&format!("{{ keep: committed, recipients: [{public}] }}"));
    scene.set("CI", "true");
    scene.run(&APPLY).exits(0);
    let run = last(&scene);
    let sealed: Vec<_> =
        files(&scene, "runs").into_iter().filter(|f| f.extension().is_some_and(|e| e == "age")).collect();
    assert_eq!(sealed.len(), 1);
    assert!(sealed[0].ends_with(format!("{run}.values.age")));
    let bytes = std::fs::read(&sealed[0]).unwrap();
    assert!(bytes.starts_with(b"age-encryption.org/v1"));
    assert!(!bytes.windows(9).any(|w| w == b"Logins__c"));
    assert!(files(&scene, ".footbridge/values").is_empty(), "nothing of it lies about in the open");
    let undo = ["undo", &run, "--env", "production", "--yes"];
    let calls = scene.org().calls().len();
    scene.run(&undo).exits(7).says("FB0834").says(&public);
    scene.set("FOOTBRIDGE_KEY", &other);
    scene.run(&undo).exits(7).says("FB0834").says(&public).never_says(&other);
    assert_eq!(scene.org().calls().len(), calls, "nobody is asked before the values open");
    scene.set("FOOTBRIDGE_KEY", &secret);
    scene.run(&undo).exits(0).says("6 of 6 records updated").never_says(&secret);
    // Damage is told, and nothing of it is used.
    let mut cut = bytes.clone();
    cut.truncate(bytes.len() - 30);
    std::fs::write(&sealed[0], cut).unwrap();
    scene.run(&undo).exits(1).says("FB0833");
}

#[test]
fn nothing_that_is_committed_lets_anybody_try_guesses_at_a_value_that_was_written() {
    let (secret, public) = keys();
    let mut scene = production(&format!("{{ keep: committed, recipients: [{public}], after: false }}"));
    scene.set("CI", "true");
    scene.run(&APPLY).exits(0);
    let committed: Vec<(std::path::PathBuf, Vec<u8>)> =
        files(&scene, "runs").into_iter().map(|file| (file.clone(), std::fs::read(file).unwrap())).collect();
    let sealed = committed.iter().find(|(file, _)| file.extension().is_some_and(|e| e == "age")).unwrap();
    let identity: age::x25519::Identity = secret.parse().unwrap();
    let mut opened = String::new();
    let decryptor = age::Decryptor::new(sealed.1.as_slice()).unwrap();
    let mut lines = decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity)).unwrap();
    std::io::Read::read_to_string(&mut lines, &mut opened).unwrap();
    // Who has the key sees a salt, and a digest for each value that was written. Who has not sees neither, in any file.
    let mut said: Vec<String> = Vec::new();
    for line in opened.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        said.extend(line["salt"].as_str().map(str::to_owned));
        let written = line["written"].as_object().into_iter().flatten();
        said.extend(written.map(|(_, digest)| digest.as_str().unwrap().to_owned()));
    }
    assert_eq!(said.len(), 7, "{opened}");
    for (file, bytes) in &committed {
        let seen = |text: &String| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(!said.iter().any(seen), "{}", file.display());
    }
}

#[test]
fn a_project_that_commits_to_nobody_or_writes_a_secret_key_is_refused() {
    for (project, code) in [
        ("{ keep: committed }".to_owned(), "FB0241"),
        ("{ keep: committed, recipients: [age1nonsense] }".to_owned(), "FB0240"),
        (format!("{{ keep: committed, recipients: [{SECRET}] }}"), "FB0303"),
    ] {
        let scene = production(&project);
        scene.run(&APPLY).exits(3).says(code).never_says(SECRET);
        nothing_sent(&scene);
    }
}

#[test]
fn values_that_cannot_be_kept_stop_the_run_before_anything_is_sent() {
    let scene = six();
    scene.write(".footbridge/values", "a file where the folder should be\n");
    scene.run(&["apply", "people", "--yes"]).exits(1).says("FB0831");
    nothing_sent(&scene);
    scene.run(&["apply", "people", "--yes", "--no-undo"]).exits(0);
}

#[test]
fn a_path_that_a_run_log_names_is_never_opened() {
    let scene = six();
    scene.run(&["apply", "people", "--yes"]).exits(0);
    let run = last(&scene);
    // The right values under a name that leads out of the folder of run logs.
    std::fs::create_dir_all(scene.path("elsewhere")).unwrap();
    let kept = files(&scene, ".footbridge/values").remove(0);
    std::fs::rename(kept, scene.path("elsewhere/values.jsonl")).unwrap();
    let log = files(&scene, "runs").into_iter().find(|f| f.extension().is_some_and(|e| e == "yaml")).unwrap();
    let text = std::fs::read_to_string(&log).unwrap();
    let written = scene.write_calls();
    let absolute = scene.path("elsewhere/values.jsonl").display().to_string();
    for file in ["../../../../elsewhere/values.jsonl", &absolute] {
        let mut hostile: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
        hostile["values"]["file"] = file.into();
        std::fs::write(&log, serde_yaml::to_string(&hostile).unwrap()).unwrap();
        scene.run(&["undo", &run, "--yes"]).exits(1).says("FB0832");
    }
    // An id that is a path finds nothing either.
    std::fs::write(&log, text.replace(&format!("id: {run}"), "id: ../../../../elsewhere/values")).unwrap();
    scene.run(&["undo", log.to_str().unwrap(), "--yes"]).exits(1).says("FB0832");
    assert_eq!(scene.write_calls(), written, "nothing is taken back");
}
