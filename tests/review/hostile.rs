//! Names and values that want to be more than text, in a review's Markdown: read by a GFM renderer, and looked for in the tree that it makes.

use comrak::nodes::NodeValue;
use comrak::{Arena, Options, parse_document};
use footbridge::emulator;

use super::*;

/// What none of the places may turn into.
const HOSTILE: [&str; 9] = [
    "a | b | c",
    "`code` ```\n``` @team #12",
    "<script>alert(1)</script> <img src=x onerror=y>",
    "</details></td></table> <!-- x --> -->",
    "[link](https://evil.example) ![i](https://evil.example/x.png) https://evil.example www.evil.example",
    "\u{202e}evil\u{2066} \u{200b}",
    "\u{1b}[31mred\u{1b}]0;title\u{7}",
    "::set-output name=x::y\n::error::z ##[error]w",
    "*bold* _it_ ~~gone~~ # head\n- list\n> quote",
];

/// Tags that the page itself is made of.
const OURS: [&str; 14] = [
    "<details>",
    "</details>",
    "<summary>",
    "</summary>",
    "<b>",
    "</b>",
    "<sub>",
    "</sub>",
    "<br>",
    "<code>",
    "</code>",
    "<del>",
    "</del>",
    "<ins>",
];

#[track_caller]
fn harmless(page: &str) {
    let mut options = Options::default();
    options.extension.table = true;
    options.extension.autolink = true;
    options.extension.strikethrough = true;
    options.extension.tasklist = true;
    let arena = Arena::new();
    let root = parse_document(&arena, page, &options);
    // Between `<code>` and `</code>` GitHub makes neither mentions nor references.
    let mut in_code = false;
    for node in root.descendants() {
        let data = node.data.borrow();
        let text = match &data.value {
            NodeValue::Text(text) => {
                for mention in ["@team", "https://evil", "www.evil"] {
                    assert!(in_code || !text.contains(mention), "`{mention}` stands in text: {text:?}");
                }
                text.to_string()
            }
            NodeValue::Code(code) => code.literal.clone(),
            NodeValue::CodeBlock(block) => {
                assert_eq!(block.info, "diff");
                block.literal.clone()
            }
            NodeValue::HtmlInline(html) => {
                assert!(OURS.contains(&html.as_str()) || html == "</ins>", "inline HTML: {html:?}");
                in_code = html == "<code>" || (in_code && html != "</code>");
                html.clone()
            }
            NodeValue::HtmlBlock(block) => {
                let mut rest = block.literal.clone();
                for own in OURS {
                    rest = rest.replace(own, "");
                }
                let rest: String = rest.lines().filter(|l| !l.trim().starts_with("<!-- footbridge ")).collect();
                assert!(!rest.contains('<'), "an HTML block holds more than ours: {:?}", block.literal);
                rest
            }
            NodeValue::Link(link) => {
                assert!(
                    link.url.starts_with("http://127.0.0.1:") && link.url.contains("/lightning/r/"),
                    "a link: {}",
                    link.url
                );
                String::new()
            }
            NodeValue::Image(link) => panic!("an image: {}", link.url),
            NodeValue::Heading(heading) => {
                assert!(matches!(heading.level, 2 | 3));
                String::new()
            }
            NodeValue::BlockQuote => panic!("a quotation"),
            _ => String::new(),
        };
        for c in text.chars() {
            let bad = (c.is_control() && c != '\n')
                || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
            assert!(!bad, "{c:?} in {text:?}");
        }
    }
    for line in page.lines() {
        assert!(!line.trim_start().starts_with("::") && !line.contains("##["), "a command for the runner: {line:?}");
    }
    // Every table's rows have the columns of its head: no value broke out of its cell.
    for table in root.descendants().filter(|n| matches!(n.data.borrow().value, NodeValue::Table(_))) {
        let columns = match &table.data.borrow().value {
            NodeValue::Table(table) => table.num_columns,
            _ => 0,
        };
        table.children().for_each(|row| assert_eq!(row.children().count(), columns));
    }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

#[test]
fn nothing_hostile_comes_alive_wherever_it_stands() {
    for (n, hostile) in HOSTILE.iter().enumerate() {
        // A header's name is one line of a file.
        let column = hostile.replace('\n', " ");
        let label = quoted(&hostile.replace(['\u{1b}', '\u{7}'], "?"));
        let seed = format!(
            "objects: {{ Lead: {{ fields: [{{ name: WalkMe_A__c, type: text, length: 200, label: {label} }}, {{ name: WalkMe_B__c, type: picklist, values: [one] }}] }} }}"
        );
        let mut scene = Scene::with(emulator::Options { seed_texts: vec![seed], ..Default::default() });
        let lead = json!({"LastName": "L", "Company": "C", "Email": "p@example.org", "WalkMe_A__c": hostile.trim()});
        scene.org().insert("Lead", &[lead.as_object().unwrap().clone()]).unwrap();
        let cell = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        scene.write(
            "exports/people.csv",
            &format!(
                "Key,{},B\np@example.org,{},{}\nnobody@example.org,x,y\n",
                cell(&column),
                cell(&format!("new {hostile}")),
                cell(hostile)
            ),
        );
        scene.write(".gitignore", "/exports\n/.footbridge\n/home\n");
        git(&scene, &["init", "-q", "-b", "main"]);
        commit(&scene, "Begin");
        git(&scene, &["update-ref", "refs/remotes/origin/main", "HEAD"]);
        let yaml_safe: String = column.chars().filter(|c| !c.is_control()).collect();
        let text = format!(
            "footbridge: 1\nkind: integration\nname: people\ngoal: {goal}\norg: acme\nreport: {{ name: {name}, source: exports/people.csv }}\nobject: Lead\n\
             match: {{ column: Key, field: Email }}\nlabels: [{name}]\nfields:\n  WalkMe_A__c: {{ column: {column}, show_values: true }}\n  WalkMe_B__c: {{ column: B, show_values: true }}\n\
             guards: {{ max_refused: 100%, min_match: 10% }}\nlints_off: [sandbox_first, unused]\nenvironments: {{ sandbox: {{}} }}\n",
            goal = quoted(&hostile.chars().filter(|c| !c.is_control() || *c == '\n').collect::<String>()),
            name = quoted(&yaml_safe.chars().take(60).collect::<String>()),
            column = quoted(&yaml_safe),
        );
        scene.write("integrations/people.yaml", &text);
        let review = ["plan", "--base", "origin/main", "--format", "markdown"];
        let page = scene.run(&review).out;
        assert!(page.contains("footbridge review"), "{n}: {page}");
        harmless(&page);
        harmless(&scene.run(&["plan", "people", "--format", "markdown"]).out);
        // As a change of what was there, in a run of GitHub's: nothing that is printed is a command but the annotations.
        commit(&scene, "With it");
        git(&scene, &["update-ref", "refs/remotes/origin/main", "HEAD"]);
        scene.write("integrations/people.yaml", &text.replace("column: B,", "column: B, when_blank: clear,"));
        scene.set("GITHUB_ACTIONS", "true");
        let ran = scene.run(&review);
        harmless(&ran.out);
        for line in ran.err.lines().filter(|line| line.trim_start().starts_with("::")) {
            let ours = ["::error ", "::warning ", "::notice "].iter().any(|own| line.starts_with(own));
            assert!(ours, "{n}: {line}");
        }
        let text = scene.run(&["plan", "--base", "origin/main"]);
        assert!(!text.out.lines().any(|line| line.trim_start().starts_with("::")), "{n}: {}", text.out);
    }
}
