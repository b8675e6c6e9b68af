//! One search for values that must be nowhere: marked ones of the report and of a record, after everything that shows or keeps anything was run.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;

use super::{RUNS, Team, git};
use crate::scene::Ran;

/// An identity's public half, made for this test alone.
const RECIPIENT: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

/// A value that is written, one that is refused, what a record held before, and every key.
const MARKS: [&str; 4] = ["quagga-written", "quagga-refused", "quagga-before", "@leads.example"];

/// Fails with the place of a mark, never silently.
#[track_caller]
fn unmarked(place: &str, bytes: &[u8]) {
    for mark in MARKS {
        let found = bytes.windows(mark.len()).any(|window| window == mark.as_bytes());
        assert!(!found, "`{mark}` stands in {place}:\n{}", String::from_utf8_lossy(bytes));
    }
}

#[track_caller]
fn printed(place: &str, ran: &Ran) {
    unmarked(&format!("what {place} printed"), ran.out.as_bytes());
    unmarked(&format!("what {place} said"), ran.err.as_bytes());
}

/// Every object of a repository as it is, whether anything still leads to it or not.
fn objects(folder: &Path) -> Vec<u8> {
    let listed = git(folder, &["rev-list", "--objects", "--all"]).lines().count();
    let mut command = Command::new("git");
    command.args(["cat-file", "--batch-all-objects", "--batch", "--unordered"]).current_dir(folder);
    let said = command.stdin(Stdio::null()).output().unwrap();
    assert!(said.status.success() && listed > 5, "{listed} objects");
    said.stdout
}

#[test]
fn a_marked_value_is_nowhere() {
    let team = Team::with(40, &format!("values: {{ keep: committed, recipients: [{RECIPIENT}] }}\n"));
    let ids = team.job.ids();
    let before = json!({ "WalkMe_Note__c": "quagga-before" });
    team.job.org().edit("Lead", &ids[0], before.as_object().unwrap()).unwrap();
    let report = team.job.scene.read("exports/notes.csv");
    let report = report.replace("new 0,0\n", "quagga-written,0\n").replace("new 1,1\n", "new 1,quagga-refused\n");
    assert!(report.contains(",quagga-written,") && report.contains(",quagga-refused\n"));
    team.job.scene.write("exports/notes.csv", &report);
    team.report("a");
    let a = team.clone_of("a");

    // The plan in every form, and the comment on a branch that changes the mapping.
    for format in ["text", "markdown", "html", "json"] {
        printed(&format!("plan --format {format}"), &team.run("a", &["plan", "notes", "--format", format]).exits(0));
    }
    git(&a, &["checkout", "--quiet", "-b", "change"]);
    let file = a.join("integrations/notes.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let changed = text.replace("  WalkMe_Note__c: Note\n", "  WalkMe_Note__c: { column: Note, when_blank: clear }\n");
    assert_ne!(text, changed);
    std::fs::write(&file, changed).unwrap();
    for format in ["markdown", "json"] {
        let ran = team.run("a", &["plan", "--base", "origin/main", "--format", format]).exits(0);
        assert!(ran.out.contains("WalkMe_Note__c"), "{}", ran.out);
        printed(&format!("plan --base --format {format}"), &ran);
    }
    std::fs::write(&file, text).unwrap();

    let ran = team.apply("a").exits(0).says("40 of 40 records updated");
    printed("apply --push", &ran);
    let written = team.job.state()[&ids[0]].0.clone();
    assert_eq!(written, json!("quagga-written"), "the marks were on their way");
    assert_eq!((team.count(".values.age"), team.logs().len()), (1, 1));

    // What is looked back at.
    for arguments in [
        &["runs", "show", "notes", "--json"][..],
        &["runs", "show", "notes"],
        &["runs", "show", "notes", "--rows"],
        &["runs", "--json"],
        &["blame", &ids[0], "--json"],
        &["blame", &ids[1]],
        &["report", "--out", "public"],
    ] {
        printed(&arguments.join(" "), &team.run("a", arguments).exits(0));
    }
    // Nobody has the key here, and drift by the report is as silent.
    printed("drift", &team.run("a", &["drift", "notes", "--json"]));
    let mut pages = 0;
    crate::faults::walk(&a.join("public"), &mut |page| {
        pages += 1;
        unmarked(&page.display().to_string(), &std::fs::read(&page).unwrap());
    });
    assert!(pages >= 3, "{pages} pages");
    for file in team.files() {
        let blob = format!("{RUNS}:{file}");
        unmarked(&file, git(&team.remote(), &["show", &blob]).as_bytes());
    }

    // Everything that git has, here and there.
    for folder in [team.remote(), a] {
        let all = objects(&folder);
        assert!(all.windows(18).any(|w| w == b"age-encryption.org"), "the values are among them, sealed");
        assert!(all.windows(14).any(|w| w == b"WalkMe_Note__c"), "field names are among them");
        unmarked(&folder.display().to_string(), &all);
    }
}
