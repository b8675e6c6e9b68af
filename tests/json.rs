//! `--json`, of every command that there is: one document on standard output, whatever happens, that fits its schema.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;

use clap::CommandFactory as _;
use footbridge::cli::arguments::Arguments;
use serde_json::Value;

use crate::scene::{Ran, Scene};

const SEED: &str = "objects: { Lead: { fields: [{ name: Logins__c, type: number, precision: 9, scale: 0 }], records: [{ LastName: A, Company: C, Email: a@example.org }, { LastName: B, Company: C, Email: b@example.org }] } }";
const INTEGRATION: &str = "footbridge: 1\nkind: integration\nname: people\norg: acme\nreport: { name: People, source: exports/people.csv }\nobject: Lead\nmatch: { column: Key, field: Email }\nfields:\n  Logins__c: Logins\nlints_off: [walkme_prefix, sandbox_first, unused]\nenvironments: { sandbox: { schedule: hourly } }\n";

/// What a command is called with so that it does its work, in this order, and the schema of what it prints. `LIST` before a schema: a list of such documents.
const CASES: [(&str, &[&str], &str); 36] = [
    ("validate", &["validate"], "diagnostics"),
    ("validate", &["validate", "--online"], "diagnostics"),
    ("plan", &["plan", "people", "--out", "people.plan"], "plan-view"),
    ("plan", &["plan"], "LIST plan-view"),
    ("show", &["show", "people.plan"], "plan-view"),
    ("due", &["due"], "schedule-view"),
    ("apply", &["apply", "people", "--yes"], "run-view"),
    ("apply", &["apply", "--all", "--yes"], "LIST run-view"),
    ("apply", &["apply", "--due", "--yes"], "LIST run-view"),
    ("status", &["status"], "schedule-view"),
    ("runs", &["runs"], "runs-view"),
    ("runs show", &["runs", "show", "FIRST"], "run-view"),
    ("runs diff", &["runs", "diff", "people"], "runs-diff"),
    ("runs prune", &["runs", "prune", "--keep", "7d", "--dry-run"], "runs-prune"),
    ("report", &["report", "--out", "public"], "files-view"),
    ("blame", &["blame", "RECORD"], "blame-view"),
    ("drift", &["drift", "people"], "drift-view"),
    ("undo", &["undo", "FIRST", "--out", "undo.jsonl"], "plan-view"),
    ("undo", &["undo", "FIRST", "--yes", "--waive", "max_clears"], "run-view"),
    ("unlock", &["unlock"], "locks-view"),
    ("request", &["request", "people"], "request-view"),
    ("explain", &["explain"], "codes-view"),
    ("explain", &["explain", "FB0103"], "codes-view"),
    ("schema", &["schema"], "files-view"),
    ("schema", &["schema", "--write"], "files-view"),
    ("schema", &["schema", "--check"], "diagnostics"),
    ("init", &["init", "new"], "files-view"),
    ("ci init", &["ci", "init", "github"], "files-view"),
    ("demo", &["demo", "shown", "--port", "0"], "files-view"),
    ("orgs list", &["orgs", "list"], "orgs-view"),
    ("orgs connect", &["orgs", "connect", "acme"], "connection-view"),
    ("orgs pin", &["orgs", "pin", "acme", "--env", "sandbox"], "connection-view"),
    ("orgs app", &["orgs", "app", "acme"], "app-view"),
    ("orgs check", &["orgs", "check", "acme"], "rights-view"),
    ("orgs probe", &["orgs", "probe", "acme"], "probe-view"),
    ("orgs disconnect", &["orgs", "disconnect", "acme"], "disconnection-view"),
];

/// What the table cannot try, and where it is seen instead.
const ELSEWHERE: [(&str, &str); 2] = [
    ("emulator", "it ends with Ctrl-C alone: the_emulator_says_where_it_listens_and_goes_on"),
    (
        "ci comment",
        "it needs a forge (tests/review/comment.rs), and what it did stands in the comment: it prints that nothing went wrong",
    ),
];

/// Every command that does something, by the program's own list.
fn commands() -> BTreeSet<String> {
    fn walk(command: &clap::Command, before: &str, found: &mut BTreeSet<String>) {
        for inner in command.get_subcommands() {
            let name = format!("{before}{}", inner.get_name());
            if !inner.is_subcommand_required_set() {
                found.insert(name.clone());
            }
            walk(inner, &format!("{name} "), found);
        }
    }
    let mut found = BTreeSet::new();
    walk(&Arguments::command(), "", &mut found);
    found
}

fn scene() -> Scene {
    let scene = Scene::seeded(SEED);
    scene.write("integrations/people.yaml", INTEGRATION);
    scene.write("exports/people.csv", "Key,Logins\na@example.org,1\nb@example.org,2\nnobody@example.org,3\n");
    for arguments in [
        &["init", "--quiet"][..],
        &["init", "--quiet", "--bare", "remote.git"],
        &["remote", "add", "origin", "remote.git"],
    ] {
        let git = std::process::Command::new("git").args(arguments).current_dir(scene.root()).status().unwrap();
        assert!(git.success());
    }
    scene
}

/// The one document that was printed.
#[track_caller]
fn document(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("no single document: {e}\n{ran:?}"))
}

/// Does it fit the schema of its format in `schemas/`?
#[track_caller]
fn fits(schema: &str, value: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schemas/{schema}.schema.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let schema: Value = serde_json::from_str(&text).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let problems: Vec<String> = validator.iter_errors(value).map(|e| format!("{e} at {}", e.instance_path())).collect();
    assert!(problems.is_empty(), "{problems:?} in {value:#}");
    let format = &schema["properties"]["format"]["const"];
    assert!(format.is_null() || format == &value["format"], "{format} is not {}", value["format"]);
    assert!(value["format"].as_str().is_some_and(|format| format.starts_with("footbridge ")), "{value:#}");
}

#[track_caller]
fn all_fit(schema: &str, value: &Value) {
    match schema.strip_prefix("LIST ") {
        Some(schema) => {
            value.as_array().unwrap_or_else(|| panic!("no list: {value:#}")).iter().for_each(|one| fits(schema, one))
        }
        None => fits(schema, value),
    }
}

#[test]
fn every_command_of_the_program_is_tried_or_has_its_reason() {
    let tried = CASES.iter().map(|(name, ..)| *name).chain(ELSEWHERE.iter().map(|(name, _)| *name));
    let tried: BTreeSet<String> = tried.map(str::to_owned).collect();
    assert_eq!(tried, commands());
}

#[test]
fn what_every_command_prints_is_one_document_that_fits_its_schema() {
    let scene = scene();
    let record = scene.org().records("Lead")[0]["Id"].as_str().unwrap().to_owned();
    let mut first = String::new();
    for (name, words, schema) in CASES {
        let words: Vec<&str> = words
            .iter()
            .map(|word| match *word {
                "FIRST" => first.as_str(),
                "RECORD" => record.as_str(),
                word => word,
            })
            .collect();
        let ran = scene.run(&[&words[..], &["--json"]].concat()).exits(0);
        let printed = document(&ran);
        all_fit(schema, &printed);
        if name == "apply" && first.is_empty() {
            first = printed["run"]["id"].as_str().unwrap().to_owned();
        }
    }
}

#[test]
fn the_emulator_says_where_it_listens_and_goes_on() {
    let scene = scene();
    let mut command = scene.command(&["emulator", "--port", "0", "--json"]);
    let mut running = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut text = String::new();
    for line in BufReader::new(running.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        text.push_str(&line);
        if line == "}" {
            break;
        }
    }
    let ended = running.try_wait().unwrap();
    running.kill().unwrap();
    running.wait().unwrap();
    assert!(ended.is_none());
    fits("emulator-view", &serde_json::from_str(&text).unwrap());
}

#[test]
fn an_error_in_the_configuration_is_in_the_document_of_every_command() {
    let scene = scene();
    // Those that read a configuration stop at it; those that read none, or only its orgs or folders, do not mind.
    scene.write("integrations/people.yaml", &INTEGRATION.replace("fields:", "feilds:"));
    let minding = [
        "validate",
        "plan",
        "due",
        "apply",
        "status",
        "drift",
        "undo",
        "request",
        "unlock",
        "orgs check",
        "orgs probe",
    ];
    let mut minded = BTreeMap::new();
    for (name, words, _) in CASES.iter().chain(&[("ci comment", &["ci", "comment", "review.md"][..], "")]) {
        let words: Vec<&str> =
            words.iter().map(|word| if *word == "RECORD" { "00Q000000000001" } else { word }).collect();
        let ran = scene.run(&[&words[..], &["--json"]].concat());
        let mut printed = document(&ran);
        if let Value::Array(several) = &mut printed {
            // `apply --due`: the runs that go on would follow.
            assert_eq!((*name, several.len()), ("apply", 1));
            printed = several.remove(0);
        }
        if ran.code != 0 {
            // What stands of the schedule is told, with what is wrong beside it.
            let stands = matches!(*name, "due" | "status");
            fits(if stands { "schedule-view" } else { "diagnostics" }, &printed);
            assert!(stands || printed["errors"].as_u64() > Some(0), "{name}: {printed:#}");
            let codes: Vec<&str> =
                printed["diagnostics"].as_array().unwrap().iter().map(|d| d["code"].as_str().unwrap()).collect();
            minded.insert(*name, codes.contains(&"FB0103"));
        }
    }
    for name in minding {
        let expected = !matches!(name, "undo");
        assert_eq!(minded.get(name), Some(&expected), "{name}: {minded:?}");
    }
}

/// All files below a folder, by their paths in it.
fn below(folder: &Path) -> BTreeSet<String> {
    fn walk(folder: &Path, before: &str, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{before}{}", entry.file_name().to_str().unwrap());
            match entry.file_type().unwrap().is_dir() {
                true => walk(&entry.path(), &format!("{name}/"), found),
                false => assert!(found.insert(name)),
            }
        }
    }
    let mut found = BTreeSet::new();
    walk(folder, "", &mut found);
    found
}

#[test]
fn what_makes_a_repository_lists_every_file_of_it() {
    let scene = scene();
    for (folder, arguments) in [("new", &["init", "new"][..]), ("shown", &["demo", "shown", "--port", "0"])] {
        let printed = document(&scene.run(&[arguments, &["--json"]].concat()).exits(0));
        let listed: BTreeSet<String> =
            printed["files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap().to_owned()).collect();
        let mut there = below(&scene.path(folder));
        // The org itself, and what the demo's plans and apply leave, as anybody's would.
        there.retain(|name| !name.starts_with(".footbridge/") || name.ends_with("demo-org.sh"));
        there.retain(|name| !name.starts_with("runs/"));
        assert_eq!(listed, there, "{folder}");
    }
}

#[test]
fn a_command_line_that_is_not_understood_is_told_in_a_document() {
    let scene = scene();
    for name in commands() {
        let words: Vec<&str> = name.split(' ').chain(["--json", "--nonsense"]).collect();
        let ran = scene.run(&words).exits(3);
        let printed = document(&ran);
        fits("diagnostics", &printed);
        assert_eq!(printed["diagnostics"][0]["code"], "FB0911", "{name}");
        assert!(printed["diagnostics"][0]["message"].as_str().unwrap().contains("--nonsense"), "{name}: {printed:#}");
    }
    let ran = scene.run(&["nothing-of-the-kind", "--json"]).exits(3);
    fits("diagnostics", &document(&ran));
}

#[test]
fn what_goes_wrong_with_one_stands_beside_the_plans_of_the_others() {
    let scene = scene();
    let other =
        INTEGRATION.replace("name: people", "name: another").replace("people.csv", "missing.csv").replace("shared", "");
    scene.write("integrations/another.yaml", &other.replace("Logins__c", "Description"));
    let ran = scene.run(&["plan", "--json"]);
    assert_ne!(ran.code, 0);
    let printed = document(&ran);
    fits("diagnostics", &printed[0]);
    fits("plan-view", &printed[1]);
    assert_eq!(printed.as_array().unwrap().len(), 2);
    // A run that was held has its log, and in it why.
    scene.write(
        "integrations/another.yaml",
        &INTEGRATION.replace("name: people", "name: another").replace("Logins__c", "Description"),
    );
    scene.write(
        "integrations/people.yaml",
        &INTEGRATION.replace("{ schedule: hourly }", "{ guards: { max_fills: 0 } }"),
    );
    let ran = scene.run(&["apply", "people", "--yes", "--json"]).exits(4);
    let printed = document(&ran);
    fits("run-view", &printed);
    assert_eq!((&printed["run"]["status"], printed["diagnostics"].as_array().unwrap().len()), (&"Failed".into(), 1));
    assert_eq!(printed["diagnostics"][0]["severity"], "error");
}
