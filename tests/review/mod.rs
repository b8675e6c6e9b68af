//! The loop of a pull request through the binary: what a branch changes and what comes of it by cause, what it is trusted with, the one comment, the
//! apply that is held to what was approved, the CI's files.

mod base;
mod causes;
mod ci_files;
mod comment;
mod expect;
pub mod forge;
mod hostile;
mod trust;

use std::process::Command;

use footbridge::emulator;
use serde_json::json;

use crate::scene::Scene;

/// Three leads; `WalkMe_A__c` of the second agrees with the report already.
pub fn scene() -> Scene {
    let fields = ["A", "B", "C"].map(|f| format!("{{ name: WalkMe_{f}__c, type: text, length: 80 }}")).join(", ");
    let seed = format!("objects: {{ Lead: {{ fields: [{fields}] }} }}");
    let scene = Scene::with(emulator::Options { seed_texts: vec![seed], ..Default::default() });
    let lead = |n: usize| {
        json!({"LastName": format!("L{n}"), "Company": "C", "Email": format!("p{n}@example.org"), "WalkMe_A__c": if n == 2 { "a2" } else { "old" }})
            .as_object()
            .unwrap()
            .clone()
    };
    scene.org().insert("Lead", &[lead(1), lead(2), lead(3)]).unwrap();
    scene.write("exports/people.csv", "Key,A,B\np1@example.org,a1,b1\np2@example.org,a2,b2\np3@example.org,a3,b3\n");
    scene.write(".gitignore", "/exports\n/.footbridge\n/home\n/*.md\n/*.jsonl\n/plans\n");
    people(&scene, "  WalkMe_A__c: A\n");
    scene
}

/// Writes the integration `people` with these fields.
pub fn people(scene: &Scene, fields: &str) {
    scene.write("integrations/people.yaml", &people_text(fields));
}

pub fn people_text(fields: &str) -> String {
    format!(
        "footbridge: 1\nkind: integration\nname: people\norg: acme\nreport: {{ name: People, source: exports/people.csv }}\nobject: Lead\n\
         match: {{ column: Key, field: Email }}\nfields:\n{fields}lints_off: [sandbox_first, unused]\nenvironments: {{ sandbox: {{}} }}\n"
    )
}

pub fn git(scene: &Scene, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=Someone", "-c", "user.email=someone@example.org", "-c", "init.defaultBranch=main"])
        .args(arguments)
        .current_dir(scene.root())
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

pub fn commit(scene: &Scene, words: &str) {
    git(scene, &["add", "-A"]);
    git(scene, &["commit", "-q", "--allow-empty", "-m", words]);
}

/// The scene with its state on `main` (and `origin/main`), and a branch that is checked out.
pub fn branched() -> Scene {
    let scene = scene();
    git(&scene, &["init", "-q", "-b", "main"]);
    commit(&scene, "Begin");
    git(&scene, &["update-ref", "refs/remotes/origin/main", "HEAD"]);
    git(&scene, &["checkout", "-q", "-b", "branch"]);
    scene
}

/// Lets every later command run as on a pull request on GitHub.
pub fn pull_request(scene: &mut Scene, fork: bool) {
    for (name, value) in variables(scene, fork) {
        scene.set(name, &value);
    }
}

/// The variables of a pull request's run on GitHub.
pub fn variables(scene: &Scene, fork: bool) -> [(&'static str, String); 7] {
    let head = if fork { "stranger/repo" } else { "team/repo" };
    let event = json!({"number": 7, "pull_request": {"number": 7, "head": {"repo": {"full_name": head}}, "base": {"repo": {"full_name": "team/repo"}}}});
    scene.write("home/event.json", &event.to_string());
    let path = scene.path("home/event.json").display().to_string();
    [
        ("CI", "true"),
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_EVENT_NAME", "pull_request"),
        ("GITHUB_EVENT_PATH", path.as_str()),
        ("GITHUB_BASE_REF", "main"),
        ("GITHUB_REF", "refs/pull/7/merge"),
        ("GITHUB_REPOSITORY", "team/repo"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
}

/// Calls that reached the org.
pub fn calls(scene: &Scene) -> usize {
    scene.org().calls().len()
}
