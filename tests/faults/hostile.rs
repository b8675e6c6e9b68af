//! Text from strangers: keys, cells, the org's own values and Salesforce's words that try to become SOQL, escapes, markup, formulas or file content.

use std::process::Command;

use footbridge::emulator;
use serde_json::{Value, json};

use super::Job;
use crate::scene::{Ran, Scene};

/// Keys and values that want to be more than text.
const HOSTILE: [&str; 18] = [
    "x' OR Name LIKE '%",
    "\\' OR Id != null OR Key__c = '",
    "') OR (Id != '",
    "%",
    "_",
    "ends in a backslash\\",
    "'",
    "\\u0027 OR Id != null",
    "\u{1b}[31mred\u{1b}]0;title\u{7}",
    "\u{9b}2J",
    "\u{202e}evil\u{2066}",
    "<script>alert(1)</script>",
    "a | b | c",
    "`code` ```fence",
    "@team #12 www.example.com https://example.com/",
    "=cmd|' /C calc'!A0",
    "+1+1 --> <!-- x",
    "${ORG_TOKEN} {{x}} %s \\n",
];

/// No control but the line break, nothing that turns the reading direction or cannot be seen.
#[track_caller]
fn harmless(what: &str, text: &str) {
    for c in text.chars() {
        let bad = (c.is_control() && c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
        assert!(!bad, "{what} holds {c:?}:\n{text}");
    }
}

#[track_caller]
fn both_harmless(what: &str, ran: &Ran) {
    harmless(what, &ran.out);
    harmless(what, &ran.err);
}

fn cell(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// Records whose keys are the hostile texts, and others that no key names; notes are hostile, before and after.
fn scene() -> Scene {
    let seed = "objects:\n  Lead:\n    fields:\n      - { name: Key__c, type: text, length: 255, external_id: true }\n      \
                - { name: WalkMe_Note__c, type: text, length: 255 }\n      - { name: WalkMe_Long__c, type: longtextarea, length: 32000 }\n";
    let scene = Scene::with(emulator::Options { seed_texts: vec![seed.to_owned()], ..Default::default() });
    let lead = |n: usize, key: &str| {
        // Not the key itself: a value that repeats its key is hidden.
        let was = HOSTILE[(2 * n + 3) % HOSTILE.len()];
        let record = json!({"LastName": format!("L{n}"), "Company": "C", "Key__c": key, "WalkMe_Note__c": format!("was {was}"), "WalkMe_Long__c": format!("one\r\n{was}\r\nthree")});
        record.as_object().unwrap().clone()
    };
    let keys = HOSTILE.iter().step_by(2).copied().chain(["innocent", "another", "x"]);
    let records: Vec<_> = keys.enumerate().map(|(n, key)| lead(n, key)).collect();
    scene.org().insert("Lead", &records).unwrap();
    scene.write(
        "integrations/notes.yaml",
        "footbridge: 1\nkind: integration\nname: notes\norg: acme\nreport: { name: 'Notes | <b> @team', source: exports/notes.csv }\nobject: Lead\n\
         match: { column: Key, field: Key__c }\nfields:\n  WalkMe_Note__c: { column: 'Note | <i>`', show_values: true }\n  \
         WalkMe_Long__c: { column: Long, show_values: true }\nguards: { min_match: 10% }\nenvironments:\n  sandbox: {}\n",
    );
    let mut report = String::from("Key,Note | <i>`,Long,\"\u{1b}[2Junused \u{202e}\"\n");
    for (n, key) in HOSTILE.iter().enumerate() {
        let note = HOSTILE[(n + 5) % HOSTILE.len()];
        report.push_str(&format!("{},{},{},x\n", cell(key), cell(note), cell(&format!("one\n{note}\nthree"))));
    }
    report.push_str("\"line\nbreak' OR Id != null\",x,y,z\n");
    scene.write("exports/notes.csv", &report);
    scene
}

#[test]
fn keys_never_become_soql() {
    for read in ["lookup", "query"] {
        let scene = scene();
        let text = scene.read("integrations/notes.yaml");
        scene.write("integrations/notes.yaml", &format!("{text}read: {read}\n"));
        let before = scene.org().records("Lead");
        scene.run(&["apply", "notes", "--yes"]).exits(0);
        for call in scene.org().calls().iter().filter(|c| c.path.contains("/query")) {
            assert_eq!(call.status, 200, "{:?}", call.query);
            if let Some((_, soql)) = call.query.iter().find(|(name, _)| name == "q").filter(|_| read == "lookup") {
                // All that the org answers with are records that a key names.
                assert!(soql.contains("WHERE Key__c IN ("), "{soql}");
            }
        }
        for (was, is) in before.iter().zip(scene.org().records("Lead")) {
            let key = was["Key__c"].as_str().unwrap();
            match HOSTILE.iter().position(|k| *k == key) {
                Some(n) if !HOSTILE[(n + 5) % HOSTILE.len()].contains(char::is_control) => {
                    assert_eq!(is["WalkMe_Note__c"], HOSTILE[(n + 5) % HOSTILE.len()], "{key:?}");
                }
                // Control characters are refused; the others are nobody's.
                _ => assert_eq!(is["WalkMe_Note__c"], was["WalkMe_Note__c"], "{key:?}"),
            }
        }
        scene.run(&["plan", "notes", "--detailed-exitcode"]).exits(0).says("No changes");
    }
}

#[test]
fn a_look_up_answers_with_named_records_only() {
    let scene = scene();
    scene.run(&["plan", "notes", "--out", "p.plan"]).exits(0);
    let context = scene.read("p.plan");
    let context: Value = context
        .lines()
        .filter_map(|l| serde_json::from_str::<Value>(l).ok())
        .find_map(|l| l.get("context").cloned())
        .unwrap();
    assert_eq!(context["org_rows"], 9, "{context}");
}

#[test]
fn values_and_keys_have_no_effect_where_they_are_shown() {
    let scene = scene();
    for arguments in
        [&["plan", "notes"] as &[&str], &["plan", "notes", "--full", "-vv"], &["plan", "notes", "--format", "json"]]
    {
        both_harmless(&format!("{arguments:?}"), &scene.run(arguments).exits(0));
    }
    let view: Value = serde_json::from_str(&scene.run(&["plan", "notes", "--json"]).exits(0).out).unwrap();
    let told = view.to_string();
    for note in [HOSTILE[5], HOSTILE[7]] {
        assert!(
            told.contains(serde_json::to_string(note).unwrap().trim_matches('"')),
            "{note:?} is shown as it is: {told}"
        );
    }
    let page = scene.run(&["plan", "notes", "--format", "markdown", "--full"]).exits(0).out;
    markdown(&page);
    scene.run(&["plan", "notes", "--out", "p.plan"]).exits(0);
    for format in ["text", "json", "markdown"] {
        both_harmless(format, &scene.run(&["show", "p.plan", "--full", "--format", format]).exits(0));
    }
}

/// What a reader of GitHub's Markdown would make of a page: no tags but ours, no mention, no link that a value made, no table row of another width.
#[track_caller]
fn markdown(page: &str) {
    // Its first line is our own mark, by which a later comment finds it.
    let page = page.split_once('\n').filter(|(mark, _)| *mark == "<!-- footbridge plan notes sandbox -->").unwrap().1;
    harmless("the page", page);
    assert!(
        !page.contains("<script") && !page.contains("<!--") && !page.contains("@team") && !page.contains("www.example"),
        "{page}"
    );
    assert!(!page.contains("https://example.com"), "{page}");
    let mut width = None;
    for line in page.lines() {
        if !line.starts_with('|') {
            width = None;
            continue;
        }
        // Code spans hold no pipe, so that every pipe is a border.
        let borders = line.matches('|').count() - line.matches("\\|").count();
        assert_eq!(*width.get_or_insert(borders), borders, "{line}\n{page}");
    }
}

#[test]
fn on_a_terminal_keys_and_values_are_shown_without_effect() {
    if Command::new("script").arg("--version").output().is_err() {
        crate::scene::left_out("there is no `script` here to make a terminal with");
        return;
    }
    let scene = scene();
    let inner = scene.command(&["plan", "notes", "--full", "--color", "never"]);
    let mut command = Command::new("script");
    let line = format!("{} plan notes --full --color never", inner.get_program().display());
    command.args(["-q", "-e", "-c", &line, "/dev/null"]).current_dir(scene.root()).env_clear();
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("TERM", "dumb");
    let output = command.stdin(std::process::Stdio::null()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n");
    // What `script` echoes of an end of input.
    let text = text.replace("^D\u{8}\u{8}", "");
    assert!(text.contains("alert(1)") && text.contains("\\u{1b}[31mred"), "{text}");
    harmless("the terminal", &text);
}

#[test]
fn salesforces_words_have_no_effect_and_stay_one_line() {
    let words = "\u{1b}[2J\u{202e}No | way\nfootbridge: 2\n- `x` @team <script>alert(1)</script> \u{9b}31m";
    // YAML takes no raw control characters.
    let plain = |text: &str| -> String {
        let json = serde_json::to_string(text).unwrap();
        json.chars().map(|c| if c.is_ascii() { c.to_string() } else { format!("\\u{:04x}", u32::from(c)) }).collect()
    };
    let message = plain(words);
    for (on, action) in [
        (
            "method: PATCH",
            format!(
                "{{ record_error: {{ nth: 0, code: FIELD_CUSTOM_VALIDATION_EXCEPTION, message: {message}, fields: [{message}] }} }}"
            ),
        ),
        ("method: PATCH", format!("{{ record_error: {{ nth: 0, code: {message}, message: {message} }} }}")),
        (
            "method: PATCH, times: 0",
            format!("{{ error: {{ status: 400, code: JSON_PARSER_ERROR, message: {message} }} }}"),
        ),
        ("method: PATCH, times: 0", format!("{{ html: {{ code: 500, text: {message} }} }}")),
        (
            "path: composite/sobjects/Lead, times: 0",
            format!("{{ error: {{ status: 400, code: {message}, message: {message} }} }}"),
        ),
        (
            "path: describe, times: 0",
            format!("{{ error: {{ status: 400, code: INVALID_FIELD, message: {message} }} }}"),
        ),
        ("path: describe, times: 0", format!("{{ html: {{ code: 200, text: {message} }} }}")),
        ("path: 'query?q=', times: 0", format!("{{ error: {{ status: 500, code: {message}, message: {message} }} }}")),
        (
            "path: oauth2/token, times: 0",
            format!(
                "{{ status: {{ code: 400, body: {} }} }}",
                plain(&json!({"error": words, "error_description": words}).to_string())
            ),
        ),
    ] {
        let job = Job::new(3, "lookup");
        job.faults(&format!("- on: {{ {on} }}\n  action: {action}\n"));
        let ran = job.run(&["apply", "notes", "--yes", "-vv"]);
        assert_ne!(ran.code, 0, "{on}");
        both_harmless(&format!("{action} on {on}"), &ran);
        assert!(!ran.err.contains("\nfootbridge: 2") && !ran.out.contains("\nfootbridge: 2"), "{}", ran.err);
        // The log reads as YAML, and says what it said.
        let log = job.log();
        assert_eq!(log.run["footbridge"], 1);
        for arguments in [&["runs"] as &[&str], &["runs", "show", "notes"], &["runs", "show", "notes", "--json"]] {
            both_harmless(&format!("{arguments:?} after {on}"), &job.run(arguments).exits(0));
        }
        super::walk(&job.scene.path("runs"), &mut |path| {
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(
                !text.contains('\u{1b}') && !text.contains('\u{202e}') && !text.contains('\u{9b}'),
                "{}:\n{text}",
                path.display()
            );
        });
    }
}

#[test]
fn names_of_columns_and_files_have_no_effect_in_messages() {
    let scene = scene();
    let text = scene.read("integrations/notes.yaml");
    scene.write("integrations/notes.yaml", &text.replace("column: Long,", "column: unused,"));
    both_harmless("a missing column", &scene.run(&["plan", "notes"]).exits(3).says("unused"));
    scene.write("integrations/notes.yaml", &text.replace("exports/notes.csv", "exports/note.csv"));
    scene.write("exports/not\u{1b}[31me.csv", "a\n");
    both_harmless("a missing file", &scene.run(&["plan", "notes"]).says("note.csv"));
    scene.write("integrations/notes.yaml", &format!("{text}\"\\e[31m\\u202e\": 1\n"));
    both_harmless("an unknown key", &scene.run(&["validate"]).exits(3));
    scene.write("integrations/notes.yaml", &format!("{text}\u{202e}odd: 1\n"));
    both_harmless("an unknown key as written", &scene.run(&["validate"]).exits(3));
}
