//! The layout of `docs/ARCHITECTURE.md`, held mechanically: who may import whom, how long a file may be, what no file may be called.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What each module may name. `cli` may name everything.
const ALLOWED: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("diag", &[]),
    ("difference", &[]),
    ("config", &["diag", "difference", "model"]),
    ("table", &[]),
    ("values", &["model"]),
    ("plan", &["model"]),
    ("reconcile", &["plan", "values", "table", "model"]),
    ("net", &["model"]),
    ("report", &["table", "net", "diag", "model"]),
    ("salesforce", &["table", "net", "model"]),
    ("apply", &["plan", "values", "salesforce", "table", "model"]),
    ("probe", &["values", "salesforce", "table", "model"]),
    ("runlog", &["plan", "model"]),
    ("render", &["plan", "runlog", "diag", "difference", "model"]),
    ("undo", &["plan", "runlog", "values", "model"]),
    ("vault", &["model"]),
];

fn sources() -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    found.sort();
    assert!(found.len() > 50, "the sources were not found");
    found
}

/// The code without comments and without what stands in string and character literals.
fn code_of(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = String::new();
    let mut i = 0;
    while i < bytes.len() {
        let rest = &text[i..];
        if rest.starts_with("//") {
            i += rest.find('\n').unwrap_or(rest.len());
        } else if rest.starts_with("/*") {
            i += rest.find("*/").map_or(rest.len(), |end| end + 2);
        } else if let Some(raw) = rest.strip_prefix("r#\"") {
            i += raw.find("\"#").map_or(rest.len(), |end| end + 5);
        } else if bytes[i] == b'"' {
            i += 1;
            while i < bytes.len() && bytes[i] != b'"' {
                i += if bytes[i] == b'\\' { 2 } else { 1 };
            }
            i += 1;
        } else if rest.starts_with("'\"'") || rest.starts_with("'/'") {
            i += 3;
        } else {
            let c = rest.chars().next().unwrap();
            out.push(c);
            i += c.len_utf8();
        }
    }
    out
}

/// The modules that the code names: `crate::x`, and each `x` of `crate::{x, y::z}`.
fn named(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let ident = |s: &str| s.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(list) = rest.strip_prefix('{') {
            let mut depth = 1;
            let mut start = true;
            for (i, c) in list.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 1 => start = true,
                    c if start && !c.is_whitespace() => {
                        found.insert(ident(&list[i..]));
                        start = false;
                    }
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
            }
        } else {
            found.insert(ident(rest));
        }
    }
    found
}

fn module_of(path: &Path) -> String {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let path = path.strip_prefix(src).unwrap();
    // Two packages have several modules each.
    let path = ["engine", "documents"].iter().find_map(|package| path.strip_prefix(package).ok()).unwrap_or(path);
    path.components().next().unwrap().as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}

#[test]
fn modules_import_only_what_the_architecture_allows() {
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
    let mut wrong = Vec::new();
    for path in sources() {
        let module = module_of(&path);
        // The emulator is a package of its own: the compiler keeps it apart.
        let Some(may) = allowed.get(module.as_str()) else { continue };
        let code = code_of(&std::fs::read_to_string(&path).unwrap());
        for name in named(&code) {
            if name != module && !may.contains(&name.as_str()) && !name.is_empty() {
                wrong.push(format!("{}: names crate::{name}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_module_has_its_line_in_the_table() {
    let known: BTreeSet<&str> = ALLOWED.iter().map(|(m, _)| *m).chain(["cli", "emulator", "lib", "main"]).collect();
    for path in sources() {
        let module = module_of(&path);
        assert!(known.contains(module.as_str()), "{module} stands in no line of the table");
    }
}

#[test]
fn the_scanner_sees_through_comments_strings_and_lists() {
    let code = code_of(
        "use crate::{plan::{Entry, Plan}, values}; // crate::net\nlet s = \"crate::cli\"; fn f() -> crate::model::Field",
    );
    assert_eq!(named(&code), BTreeSet::from(["model", "plan", "values"].map(str::to_owned)));
}

#[test]
fn only_the_command_line_and_the_emulator_read_clock_and_environment() {
    let mut wrong = Vec::new();
    for path in sources() {
        let module = module_of(&path);
        if module == "cli" || module == "emulator" || module == "main.rs" {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let code = code_of(text.split("#[cfg(test)]").next().unwrap_or_default());
        for call in ["env::var", "SystemTime::now", "Timestamp::now", "Zoned::now", "println!", "eprintln!"] {
            if code.contains(call) && !path.ends_with("tests.rs") {
                wrong.push(format!("{}: {call}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_stay_short_and_are_named_after_what_they_know() {
    let mut lengths = Vec::new();
    for path in sources() {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        for drawer in ["util", "utils", "helper", "helpers", "common", "misc", "manager"] {
            assert_ne!(name, drawer, "{} is a drawer", path.display());
        }
        if name == "tests" {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let lines = text.lines().take_while(|l| *l != "#[cfg(test)]").count();
        lengths.push((lines, path));
    }
    lengths.sort();
    let longest = lengths.last().unwrap();
    assert!(longest.0 <= 800, "{} has {} lines without its tests", longest.1.display(), longest.0);
    let median = lengths[lengths.len() / 2].0;
    assert!(median <= 200, "the median file has {median} lines");
    let ninth = &lengths[lengths.len() * 9 / 10];
    assert!(ninth.0 <= 500, "nine in ten files should have 500 lines at most; {} has {}", ninth.1.display(), ninth.0);
}
