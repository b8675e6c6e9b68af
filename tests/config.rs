//! The configuration through its golden folders: valid files with every option at least once, invalid ones with one mistake each and the diagnostics
//! expected beside them. `FOOTBRIDGE_BLESS=1` writes the expectations anew.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use footbridge::config::{self, FileProblem, Files, Loaded, Variables};
use footbridge::diag::{Code, Severity};
use footbridge::model::EnvironmentName;
use footbridge::render::diagnostics::{self, TextStyle};
use serde_json::Value;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn bless() -> bool {
    std::env::var_os("FOOTBRIDGE_BLESS").is_some()
}

/// Files in memory: a base, and what a case puts over it.
#[derive(Clone, Default)]
struct Memory(BTreeMap<String, Vec<u8>>);

impl Memory {
    fn over(&self, folder: &Path) -> Self {
        let mut all = self.clone();
        read_into(folder, folder, &mut all.0);
        all
    }

    fn with(mut self, path: &str, text: impl AsRef<[u8]>) -> Self {
        self.0.insert(path.to_owned(), text.as_ref().to_vec());
        self
    }
}

fn read_into(folder: &Path, base: &Path, all: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_into(&path, base, all);
        } else if path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
            let name = path.strip_prefix(base).unwrap().to_str().unwrap().replace('\\', "/");
            all.insert(format!("integrations/{name}"), fs::read(&path).unwrap());
        }
    }
}

impl Files for Memory {
    fn list(&self) -> (Vec<String>, Vec<(String, FileProblem)>) {
        (self.0.keys().cloned().collect(), Vec::new())
    }
    fn read(&self, path: &str) -> Result<Vec<u8>, FileProblem> {
        Ok(self.0[path].clone())
    }
}

fn environment(name: &str) -> Option<String> {
    (!name.contains("UNSET")).then(|| format!("value-of-{name}"))
}

fn base() -> Memory {
    Memory::default().over(&root().join("tests/config/base"))
}

fn load(files: &Memory) -> Loaded {
    config::load_files(files, &environment, Variables::All)
}

fn shown(loaded: &Loaded) -> String {
    diagnostics::text(&loaded.diagnostics, TextStyle { width: 120, ..TextStyle::default() })
}

fn folders(of: &str) -> Vec<PathBuf> {
    let mut all: Vec<_> =
        fs::read_dir(root().join(of)).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()).collect();
    all.sort();
    all
}

#[test]
fn valid_folders_are_accepted() {
    for folder in folders("tests/config/valid") {
        let loaded = load(&Memory::default().over(&folder));
        assert!(!loaded.diagnostics.has_errors(), "{}\n{}", folder.display(), shown(&loaded));
        assert!(!loaded.repository.integrations.is_empty(), "{}", folder.display());
    }
    let loaded = load(&base());
    assert!(loaded.diagnostics.is_empty(), "{}", shown(&loaded));
}

#[test]
fn line_ends_and_byte_order_marks_of_windows_change_nothing() {
    let folder = root().join("tests/config/valid/everything");
    let unix = Memory::default().over(&folder);
    let windows = Memory(
        unix.0
            .iter()
            .map(|(path, bytes)| {
                let text = String::from_utf8(bytes.clone()).unwrap().replace('\n', "\r\n");
                (path.clone(), format!("\u{FEFF}{text}").into_bytes())
            })
            .collect(),
    );
    let (unix, windows) = (load(&unix), load(&windows));
    assert!(!windows.diagnostics.has_errors(), "{}", shown(&windows));
    assert_eq!(unix.repository.integrations.len(), windows.repository.integrations.len());
    for (name, integration) in &unix.repository.integrations {
        let other = &windows.repository.integrations[name];
        let environment = *integration.environments.keys().next().unwrap();
        assert_eq!(integration.digest(environment), other.digest(environment), "{name}");
    }
}

#[test]
fn the_repositorys_own_example_is_valid_without_a_word() {
    let loaded = config::load(&root(), &environment);
    assert!(loaded.diagnostics.is_empty(), "{}", shown(&loaded));
    let integration = &loaded.repository.integrations["logins-to-leads"];
    let production = &integration.environments[&EnvironmentName::Production];
    assert_eq!(production.schedule.as_ref().unwrap().cron(), "0 8 * * *");
    assert_eq!(integration.fields.len(), 3);
}

#[test]
fn invalid_folders_get_the_expected_diagnostics() {
    let mut wrong = Vec::new();
    let cases = folders("tests/config/invalid");
    assert!(cases.len() >= 60, "only {} cases", cases.len());
    for folder in &cases {
        let loaded = load(&base().over(folder));
        let text = shown(&loaded);
        let expected = folder.join("expected.txt");
        if bless() {
            fs::write(&expected, &text).unwrap();
        } else if fs::read_to_string(&expected).unwrap_or_default().replace("\r\n", "\n") != text {
            wrong.push(format!("{}\n{text}", folder.display()));
        }
        assert!(!loaded.diagnostics.is_empty(), "{} has no mistake", folder.display());
        for diagnostic in &loaded.diagnostics {
            assert_ne!(diagnostic.code, Code::DecodingFailed, "{}: {text}", folder.display());
            assert!(!diagnostic.help.is_empty(), "{}: no help in {text}", folder.display());
            assert!(diagnostic.span().is_some(), "{}: no place in {text}", folder.display());
        }
        let others: String =
            loaded.diagnostics.iter().flat_map(|d| [diagnostics::github(d, ""), diagnostics::line(d)]).collect();
        let json = diagnostics::document(&loaded.diagnostics);
        assert!(
            ![&text, &others, &json].iter().any(|t| t.contains("hunter2")),
            "{}: a secret is shown in {text}",
            folder.display()
        );
    }
    assert!(wrong.is_empty(), "FOOTBRIDGE_BLESS=1 writes them anew:\n{}", wrong.join("\n"));
}

#[test]
fn every_code_of_the_configuration_has_a_case() {
    let mut seen = BTreeSet::new();
    for folder in folders("tests/config/invalid") {
        seen.extend(load(&base().over(&folder)).diagnostics.iter().map(|d| d.code));
    }
    // These need no folder of files, a disk with a mistake in it, or a very large file.
    seen.extend(load(&Memory::default()).diagnostics.iter().map(|d| d.code));
    let large = vec![b'#'; (1 << 20) + 1];
    seen.extend(load(&base().with("integrations/large.yaml", large)).diagnostics.iter().map(|d| d.code));
    #[cfg(unix)]
    {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("integrations")).unwrap();
        std::os::unix::fs::symlink("/dev/null", folder.path().join("integrations/link.yaml")).unwrap();
        seen.extend(config::load(folder.path(), &environment).diagnostics.iter().map(|d| d.code));
    }
    #[cfg(not(unix))]
    seen.insert(Code::FileUnreadable);
    // Told of a pull request, whose base is another commit: tests/review.
    seen.insert(Code::NeedsTrustedRun);
    let families = ["FB01", "FB02", "FB03"];
    let missing: Vec<_> =
        Code::ALL.iter().filter(|c| families.contains(&c.family().prefix) && !seen.contains(c)).collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
}

/// Each property of the schemas, as `Definition/property`, with each word of an enumeration as `Definition/property=word`.
fn properties(schema: &Value) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let mut add = |title: &str, node: &Value| {
        let mut branches = vec![node];
        branches.extend(node["oneOf"].as_array().into_iter().flatten());
        for branch in branches {
            for (name, _) in branch["properties"].as_object().into_iter().flatten() {
                all.insert(format!("{title}/{name}"));
            }
        }
    };
    add("root", schema);
    for (title, node) in schema["definitions"].as_object().unwrap() {
        add(title, node);
    }
    all
}

/// The properties that a document uses, found by walking document and schema side by side.
fn used(schema: &Value, title: &str, node: &Value, data: &Value, all: &mut BTreeSet<String>) {
    if let Some(reference) = node["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap();
        return used(schema, name, &schema["definitions"][name], data, all);
    }
    for branch in ["anyOf", "oneOf", "allOf"].iter().flat_map(|k| node[*k].as_array().into_iter().flatten()) {
        let flow = &branch["properties"]["flow"]["const"];
        if flow.is_null() || *flow == data["flow"] {
            used(schema, title, branch, data, all);
        }
    }
    for item in data.as_array().into_iter().flatten().filter(|_| node["items"].is_object()) {
        used(schema, title, &node["items"], item, all);
    }
    for (name, value) in data.as_object().into_iter().flatten() {
        if let Some(property) = node["properties"].get(name) {
            all.insert(format!("{title}/{name}"));
            used(schema, title, property, value, all);
        } else if node["additionalProperties"].is_object() {
            used(schema, title, &node["additionalProperties"], value, all);
        }
    }
}

#[test]
fn every_option_occurs_in_a_valid_file() {
    let mut missing = Vec::new();
    for (name, text) in config::schema::all() {
        let schema: Value = serde_json::from_str(&text).unwrap();
        let kind = name.strip_suffix(".schema.json").unwrap();
        let mut seen = BTreeSet::new();
        for folder in folders("tests/config/valid") {
            for (_, bytes) in Memory::default().over(&folder).0 {
                let data: Value = serde_yaml::from_slice(&bytes).unwrap();
                if data["kind"] == kind {
                    used(&schema, "root", &schema, &data, &mut seen);
                }
            }
        }
        missing.extend(properties(&schema).difference(&seen).map(|p| format!("{kind}: {p}")));
    }
    assert!(missing.is_empty(), "in no valid file: {missing:#?}");
}

#[test]
fn the_committed_schemas_are_fresh() {
    for (name, text) in config::schema::all() {
        let path = root().join("schemas").join(name);
        if bless() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &text).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
        assert_eq!(committed, text, "{} is stale: FOOTBRIDGE_BLESS=1 writes it anew", path.display());
    }
}

#[test]
fn variables_are_asked_of_the_named_environments_only() {
    let text = fs::read_to_string(root().join("tests/config/base/orgs.yaml")).unwrap();
    let files = base().with("integrations/orgs.yaml", text.replace("ACME_KEY", "UNSET_KEY"));
    assert!(load(&files).diagnostics.iter().any(|d| d.code == Code::VariableNotSet));
    let sandbox = [EnvironmentName::Sandbox];
    let loaded = config::load_files(&files, &environment, Variables::Only(&sandbox));
    assert!(loaded.diagnostics.is_empty(), "{}", shown(&loaded));
    let production = &loaded.repository.orgs["acme"].environments[&EnvironmentName::Production];
    let log_in = &production.log_in.value;
    assert!(matches!(log_in, config::valid::LogIn::Unset(names) if names == &["UNSET_KEY"]), "{log_in:?}");

    let report = fs::read_to_string(root().join("tests/config/base/logins-review.yaml")).unwrap();
    let source = "url: https://example.com/a.csv\n  headers: { Authorization: \"Bearer ${UNSET_TOKEN}\" }";
    let files =
        base().with("integrations/logins-review.yaml", report.replace("path: exports/logins-review.csv", source));
    assert!(load(&files).diagnostics.iter().any(|d| d.code == Code::VariableNotSet));
    let loaded = config::load_files(&files, &environment, Variables::Only(&sandbox));
    assert!(loaded.diagnostics.is_empty(), "{}", shown(&loaded));
    let header = &loaded.repository.integrations["logins-to-leads"].report.source.headers[0];
    assert!(matches!(&header.value, config::valid::HeaderValue::Unset(names) if names == &["UNSET_TOKEN"]));
}

#[test]
fn the_digest_is_of_the_meaning() {
    let digest = |files: &Memory, environment| {
        let loaded = load(files);
        assert_eq!(loaded.diagnostics.count(Severity::Error), 0, "{}", shown(&loaded));
        loaded.repository.integrations["logins-to-leads"].digest(environment)
    };
    let path = "integrations/logins-to-leads.yaml";
    let text = fs::read_to_string(root().join("tests/config/base/logins-to-leads.yaml")).unwrap();
    let production = digest(&base(), EnvironmentName::Production);
    let changed = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        digest(&base().with(path, text.replace(from, to)), EnvironmentName::Production)
    };
    for (from, to) in [
        ("org: acme", "org:   \"acme\"   # a comment"),
        ("object: Lead", "object: lead"),
        (
            "  WalkMe_First_Login__c: First Login\n",
            "  WalkMe_First_Login__c: { column: First Login, when_blank: keep }\n",
        ),
        ("  sandbox: {}", "  sandbox: { guards: { max_fills: 3 } }"),
        ("goal: Find", "goal: Seek"),
    ] {
        assert_eq!(changed(from, to), production, "{from}");
    }
    for (from, to) in [
        ("First Login", "Last Login"),
        ("object: Lead", "object: Contact"),
        ("IsConverted = false", "IsConverted = true"),
        ("max_overwrites: 30%", "max_overwrites: 31%"),
        ("column: User ID", "column: E-mail"),
    ] {
        assert_ne!(changed(from, to), production, "{from}");
    }
    assert_ne!(digest(&base(), EnvironmentName::Sandbox), production);
}

#[test]
fn all_mistakes_of_all_files_are_told_in_one_go() {
    let text = fs::read_to_string(root().join("tests/config/base/logins-to-leads.yaml")).unwrap();
    let first = text.replace("object: Lead", "object: Lead\nobjekt: Lead").replace("org: acme", "org: acne");
    let files = base()
        .with("integrations/logins-to-leads.yaml", first)
        .with("integrations/b.yaml", "footbridge: 1\nkind: integrations\n")
        .with("integrations/c.yaml", "a: [1\n");
    let codes: Vec<_> = load(&files).diagnostics.iter().map(|d| d.code).collect();
    for code in [Code::UnknownKey, Code::UnknownOrg, Code::UnknownKind, Code::Syntax] {
        assert!(codes.contains(&code), "{codes:?}");
    }
}

#[test]
fn two_hundred_integrations_are_valid_together() {
    let text = fs::read_to_string(root().join("tests/config/base/logins-to-leads.yaml")).unwrap();
    let mut files = base();
    for n in 0..199 {
        let own = text
            .replace("name: logins-to-leads", &format!("name: number-{n}"))
            .replace("WalkMe_", &format!("WalkMe_{n}_"));
        files = files.with(&format!("integrations/many/{n}.yaml"), own);
    }
    let start = std::time::Instant::now();
    let loaded = load(&files);
    eprintln!("{} files in {:?}", loaded.files, start.elapsed());
    assert!(loaded.diagnostics.is_empty(), "{}", shown(&loaded));
    assert_eq!(loaded.repository.integrations.len(), 200);
}

#[test]
fn a_bare_source_of_an_environment_is_read_like_the_reports_own() {
    let loaded = load(&Memory::default().over(&root().join("tests/config/valid/everything")));
    let integration = &loaded.repository.integrations["nps-to-contacts"];
    let sandbox = integration.source(EnvironmentName::Sandbox);
    assert_eq!((sandbox.delimiter, sandbox.skip_lines, sandbox.headers.len()), (Some(';'), 1, 0));
    assert_eq!(integration.source(EnvironmentName::Production).delimiter, Some('\t'));
    let comment = integration.fields.iter().find(|m| m.field.as_str() == "WalkMe_Comment__c").unwrap();
    let reading = integration.reading(EnvironmentName::Sandbox, comment);
    assert_eq!(reading.time_zone.as_deref(), Some("Europe/Paris"));
    let written: Vec<_> = integration.fields.iter().map(|m| m.field.as_str()).collect();
    assert_eq!(written[0], "WalkMe_Score__c");
    assert_eq!(written.last(), Some(&"Email_from_report__c"));
}

#[test]
fn hosts_are_salesforces_own_or_this_machine() {
    let orgs = fs::read_to_string(root().join("tests/config/base/orgs.yaml")).unwrap();
    let codes = |domain: &str| {
        let text = orgs.replace("domain: acme.my.salesforce.com", &format!("domain: \"{domain}\""));
        let loaded = load(&base().with("integrations/orgs.yaml", text));
        let host =
            loaded.repository.orgs["acme"].environments.get(&EnvironmentName::Production).map(|e| e.domain.base_url());
        (loaded.diagnostics.iter().map(|d| d.code).collect::<Vec<_>>(), host)
    };
    for (good, url) in [
        ("ACME.my.salesforce.com", "https://acme.my.salesforce.com"),
        ("acme.my.salesforce.mil", "https://acme.my.salesforce.mil"),
        ("acme.my.cloudforce.com", "https://acme.my.cloudforce.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:1/", "http://localhost:1"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ] {
        assert_eq!(codes(good), (vec![], Some(url.to_owned())), "{good}");
    }
    let lightning = codes("acme-dev-ed.develop.lightning.force.com");
    assert_eq!(
        lightning,
        (vec![Code::LightningDomain], Some("https://acme-dev-ed.develop.my.salesforce.com".to_owned()))
    );
    for foreign in [
        "example.com",
        "salesforce.com",
        "salesforce.com.example.net",
        "notsalesforce.com",
        "10.0.0.1",
        "127.0.0.2",
        "localhost.example.com",
    ] {
        assert_eq!(codes(foreign), (vec![Code::ForeignDomain], None), "{foreign}");
    }
    for bad in [
        "https://acme.my.salesforce.com",
        "acme.my.salesforce.com/x",
        "a@b.salesforce.com",
        "http://localhost:99999",
        "https://localhost:80",
        "http://127.0.0.1:80@evil.example",
        "-.salesforce.com",
        "a..salesforce.com",
        "aé.salesforce.com",
        "127.0.0.1",
    ] {
        assert_eq!(codes(bad), (vec![Code::BadDomain], None), "{bad}");
    }
}

mod hostile {
    use super::*;
    use proptest::prelude::*;

    fn valid_texts() -> Vec<String> {
        let mut all = Memory::default();
        for folder in folders("tests/config/valid") {
            all = all.over(&folder);
        }
        all.over(&root().join("tests/config/base")).0.into_values().map(|b| String::from_utf8(b).unwrap()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let loaded = load(&base().with("integrations/x.yaml", bytes));
            let text = shown(&loaded);
            prop_assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
            for diagnostic in &loaded.diagnostics {
                prop_assert!(!diagnostics::line(diagnostic).contains('\n'));
                prop_assert!(!diagnostics::github(diagnostic, "").contains('\n'));
            }
        }

        #[test]
        fn no_yaml_like_text_panics(text in "([a-z]{1,3}|[-:?,#&*!|>'\"%@`{}\\[\\]]| |\n|  |é|\t|0|<<|\\$\\{A\\}){0,60}") {
            let loaded = load(&base().with("integrations/x.yaml", text));
            shown(&loaded);
        }

        #[test]
        fn no_changed_file_panics(
            which in any::<prop::sample::Index>(),
            changes in proptest::collection::vec((any::<prop::sample::Index>(), "[-:?,#&*!|>'\"{}\\[\\] \na0é]{0,3}", 0usize..4), 1..4),
        ) {
            let texts = valid_texts();
            let mut chars: Vec<char> = which.get(&texts).chars().collect();
            for (at, insert, delete) in changes {
                let at = at.index(chars.len() + 1);
                let end = (at + delete).min(chars.len());
                chars.splice(at..end, insert.chars());
            }
            let text: String = chars.into_iter().collect();
            let loaded = load(&base().with("integrations/x.yaml", text.clone()));
            shown(&loaded);
            prop_assert!(!loaded.diagnostics.iter().any(|d| d.code == Code::DecodingFailed), "{text}");
        }
    }
}

#[test]
fn large_hostile_files_are_told_of_in_few_words() {
    let size = 128 << 10;
    let head = "footbridge: 1\nkind: integration\nname: x\norg: acme\nreport: Logins Review\nobject: Lead\n\
                match: { field: Email }\nenvironments: { sandbox: {} }\nfields:\n";
    let numbered = |line: &str| (0..9_000).map(|i| line.replace('#', &i.to_string())).collect::<String>();
    for text in [
        "a: b\n".repeat(size / 5),
        format!("{{{}}}", "a: b, ".repeat(size / 6)),
        "[".repeat(size),
        format!("a: [{}]", "[],".repeat(size / 3)),
        "[\"]\",".repeat(size / 5),
        "token: |\n".repeat(size / 9),
        "&a ".repeat(size / 3),
        format!("a:\n{}", "  - 010\n".repeat(size / 8)),
        "\u{1}\n".repeat(size / 2),
        format!("{head}{}", numbered("  WalkMe_#__c: v\n")),
        format!("{head}{}", numbered("  Walk Me #: [v]\n")),
        format!("{head}  WalkMe_A__c: v\n{}", numbered("key#: v\n")),
    ] {
        let loaded = load(&base().with("integrations/x.yaml", text));
        assert!(loaded.diagnostics.has_errors());
        assert!(loaded.diagnostics.len() <= 200, "{}", loaded.diagnostics.len());
        assert!(shown(&loaded).len() < 100_000);
    }
}
