//! The documents keep up with the program: every key of the schemas is explained, every test that is named exists, every command shown parses.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{golden, good};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn text(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn names(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            if let Some(Value::Object(properties)) = map.get("properties") {
                found.extend(properties.keys().cloned());
            }
            for value in map.values() {
                names(value, found);
            }
        }
        Value::Array(list) => list.iter().for_each(|v| names(v, found)),
        _ => {}
    }
}

#[test]
fn every_key_of_the_schemas_is_in_the_configuration_document() {
    let document = text("docs/CONFIGURATION.md");
    for kind in ["integration", "orgs", "report", "project", "known_failures"] {
        let schema: Value = serde_json::from_str(&text(&format!("schemas/{kind}.schema.json"))).unwrap();
        let mut found = BTreeSet::new();
        names(&schema, &mut found);
        assert!(found.len() > 5, "{kind}: {found:?}");
        let missing: Vec<&String> = found
            .iter()
            .filter(|n| !document.contains(&format!("`{n}`")) && !document.contains(&format!("`{n}:")))
            .collect();
        assert!(missing.is_empty(), "kind {kind}: docs/CONFIGURATION.md does not explain {missing:?}");
    }
}

/// Every complete document that is shown as an example is valid: all of them together are one repository.
#[test]
fn the_examples_of_the_configuration_document_are_valid() {
    let scene = good();
    std::fs::remove_dir_all(scene.path("integrations")).unwrap();
    let document = text("docs/CONFIGURATION.md");
    let mut documents = 0;
    for (number, block) in document.split("```yaml\n").skip(1).enumerate() {
        let block = block.split("```").next().unwrap();
        if block.contains("footbridge: 1") {
            scene.write(&format!("integrations/example-{number}.yaml"), block);
            documents += 1;
        }
    }
    assert!(documents >= 4, "{documents}");
    scene.run(&["validate"]).exits(0).never_says("error");
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Tests are named as `folder/file.rs::name`.
#[test]
fn every_test_that_the_acceptance_table_names_exists() {
    let document = text("docs/ACCEPTANCE.md");
    let mut named = 0;
    for piece in document.split('`').skip(1).step_by(2).filter(|p| p.contains(".rs::")) {
        let (file, function) = piece.split_once("::").unwrap();
        let source = text(file);
        assert!(source.contains(&format!("fn {function}(")), "docs/ACCEPTANCE.md names {piece}, which is not there");
        named += 1;
    }
    assert!(named > 60, "{named}");
    let mut all = Vec::new();
    sources(&root().join("src"), &mut all);
    assert!(all.len() > 100);
}

#[test]
fn every_item_and_every_contradiction_has_its_line() {
    let document = text("docs/ACCEPTANCE.md");
    for item in (1..=51).chain(55..=136) {
        let lines = document.lines().filter(|l| l.starts_with(&format!("| {item} |"))).count();
        assert_eq!(lines, 1, "item {item}");
    }
    for contradiction in 1..=25 {
        let lines = document.lines().filter(|l| l.starts_with(&format!("| C{contradiction} |"))).count();
        assert_eq!(lines, 1, "C{contradiction}");
    }
}

/// Whoever reads one paragraph knows which way the data goes.
#[test]
fn the_readme_says_the_direction_first() {
    let readme = text("README.md");
    let first = readme.split("\n\n").nth(1).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    for told in [
        "carries what a report says",
        "onto the Salesforce records",
        "never creates or deletes one, and carries nothing back",
    ] {
        assert!(first.contains(told), "{told}: {first}");
    }
}

/// Every `footbridge …` line of the README is a command that the program knows, with flags that it has.
#[test]
fn every_command_of_the_readme_is_one_that_the_program_knows() {
    let readme = text("README.md");
    let scene = good();
    let mut commands = 0;
    for line in readme.split("```sh\n").skip(1).flat_map(|b| b.split("```").next().unwrap().lines()) {
        let line = line.split(" #").next().unwrap().trim();
        let Some(arguments) = line.strip_prefix("footbridge ") else { continue };
        let mut arguments: Vec<&str> = arguments.split_whitespace().collect();
        arguments.push("--help");
        scene.run(&arguments).exits(0);
        commands += 1;
    }
    assert!(commands >= 4, "{commands}");
    for link in readme.split("](").skip(1).map(|l| l.split(')').next().unwrap()).filter(|l| !l.starts_with("http")) {
        assert!(root().join(link).exists(), "README links to {link}, which is not there");
    }
}

/// The help is what a new user reads first.
#[test]
fn the_help_lists_every_command() {
    let scene = good();
    golden("help", &scene, &["--help"], scene.run(&["--help"]).exits(0));
}
