use super::*;
use crate::model::FieldName;
use crate::plan::{ChangeKind, Entry, GuardName, Note, Plan, RowOutcome, Watch};
use crate::render::escape::is_invisible;
use crate::render::{Audience, Options};
use crate::runlog::sample::{self, change, field, plan_of, planned, record, refused};
use proptest::prelude::*;

/// Compares with `render/testdata/<name>.txt`; `FOOTBRIDGE_BLESS=1` writes it instead.
pub(crate) fn golden(name: &str, text: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("render/testdata").join(format!("{name}.txt"));
    if std::env::var_os("FOOTBRIDGE_BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    if expected != text {
        let difference = crate::difference::unified(&expected, text, 3);
        panic!("{name}.txt differs (FOOTBRIDGE_BLESS=1 accepts it):\n{difference}");
    }
}

fn outline(plan: &Plan, form: Form, options: &Options) -> Outline {
    let mut outline = Outline::new(form, options.clone());
    outline.header(&plan.header);
    plan.all().unwrap().iter().for_each(|entry| outline.entry(entry));
    outline
}

fn text(plan: &Plan, options: &Options) -> String {
    outline(plan, Form::Text, options).shown(plan)
}

fn markdown(plan: &Plan, options: &Options) -> String {
    outline(plan, Form::Markdown, options).shown(plan)
}

fn json(plan: &Plan, options: &Options) -> String {
    let shown = outline(plan, Form::Json, options).shown(plan);
    let whole = serde_json::to_string_pretty(&view(plan, options)).unwrap();
    assert_eq!(shown, crate::render::escape::json_visible(&whole) + "\n", "streamed as if made whole");
    shown
}

fn view(plan: &Plan, options: &Options) -> PlanView {
    Outline::whole_view(plan, options)
}

fn person() -> Options {
    Options::person(100, false)
}

#[test]
fn text_for_a_person() {
    golden("plan-person", &text(&sample::plan(), &person()));
}

#[test]
fn text_for_a_person_at_80_columns() {
    golden("plan-person-80", &text(&sample::plan(), &Options::person(80, false)));
}

#[test]
fn no_width_breaks_a_word() {
    let plan = sample::plan();
    let shown = text(&plan, &Options { width: None, ..person() });
    let words: std::collections::HashSet<&str> = shown.split_whitespace().collect();
    for width in [60, 80, 100, 140] {
        let narrow = text(&plan, &Options::person(width, false));
        for word in narrow.split_whitespace() {
            assert!(
                words.contains(word) || "(+ fill, ~ overwrite, - clear)".contains(word),
                "{width}: {word}\n{narrow}"
            );
        }
        for line in narrow.lines().filter(|l| !l.contains("://")) {
            assert!(width < 80 || line.chars().count() <= usize::from(width), "{width}: {line}");
        }
    }
}

#[test]
fn text_for_a_person_in_colour() {
    golden("plan-colour", &text(&sample::plan(), &Options::person(100, true)));
}

#[test]
fn text_for_the_public() {
    golden("plan-public", &text(&sample::plan(), &Options { width: Some(100), ..Options::public() }));
}

#[test]
fn markdown_for_the_public() {
    golden("plan-markdown", &markdown(&sample::plan(), &Options::public()));
}

#[test]
fn markdown_for_a_person() {
    let shown = markdown(&sample::plan(), &person());
    golden("plan-markdown-person", &shown);
    assert!(shown.contains("<del>call</del><ins>demo</ins>"));
}

#[test]
fn json_for_the_public() {
    golden("plan-json", &json(&sample::plan(), &Options::public()));
}

#[test]
fn an_empty_plan_says_so_plainly() {
    let plan = plan_of(sample::header(), Vec::new(), 5_119);
    golden("plan-empty", &text(&plan, &person()));
    let full = text(&plan, &Options { full: true, ..person() });
    assert!(full.contains("\nGuards\n") && full.contains("\nFields\n"), "{full}");
    assert!(markdown(&plan, &Options::public()).contains("No changes. 5,119 rows of 5,119 already agree"));
}

#[test]
fn colour_adds_nothing_but_colour() {
    let coloured = text(&sample::plan(), &Options::person(100, true));
    let plain = anstream::adapter::strip_str(&coloured).to_string();
    assert_eq!(plain, text(&sample::plan(), &person()));
    assert_ne!(plain, coloured);
}

#[test]
fn a_waived_guard_no_longer_holds() {
    let plan = sample::plan();
    let held = view(&plan, &person()).verdict;
    assert!(held.held && held.held_by == ["max_clears"] && held.text.ends_with("Held back by max_clears."));
    let waived = view(&plan, &Options { waived: vec![GuardName::MaxClears], ..person() }).verdict;
    assert!(!waived.held && waived.waived == ["max_clears"] && waived.text.ends_with("Waived: max_clears."));
}

#[test]
fn an_empty_plan_that_cannot_use_all_rows_points_at_the_list() {
    let entries = (1..=3).map(|n| Entry::new(n, n + 1, format!("p{n}@example.com"), RowOutcome::NoRecord)).collect();
    let plan = plan_of(sample::header(), entries, 5_119);
    let brief = text(&plan, &person());
    assert!(brief.contains("no record") && !brief.contains("p1@example.com"), "{brief}");
    assert!(brief.contains("--full lists the rows that could not be used."), "{brief}");
    assert!(text(&plan, &Options { full: true, ..person() }).contains("p1@example.com"));
}

#[test]
fn a_group_says_how_many_of_it_are_left_but_never_of_one() {
    let plan = |count: u64| {
        let entries =
            (1..=count).map(|n| Entry::new(n, n + 1, format!("p{n}@example.com"), RowOutcome::NoRecord)).collect();
        plan_of(sample::header(), entries, 5_119)
    };
    let shown = |count, rows_limit| {
        let options = Options { rows_limit, waived: GuardName::ALL.to_vec(), ..person() };
        let mut entries = plan(count).all().unwrap();
        entries.extend(large(1).all().unwrap().into_iter().map(|e| Entry { row: count + 1, ..e }));
        text(&plan_of(sample::header(), entries, 5_119), &options)
    };
    assert!(shown(6, None).contains("p6@example.com") && !shown(6, None).contains("more (--full"));
    assert!(shown(7, None).contains("… and 2 more (--full shows all)"));
    assert!(shown(7, Some(1)).contains("… and 6 more (--full shows all)"));
}

fn large(count: u64) -> Plan {
    let entries = (1..=count)
        .map(|n| {
            let day = format!("2026-01-{:02}", n % 28 + 1);
            let cells = vec![
                change("WalkMe_First_Login__c", None, Some(&day)),
                change("WalkMe_Level__c", Some("Silver"), Some("Gold")),
            ];
            planned(n, &format!("person{n}@example.com"), cells)
        })
        .collect();
    plan_of(sample::header(), entries, 100_000)
}

#[test]
fn five_thousand_records_stay_readable() {
    let plan = large(5_000);
    let shown = text(&plan, &person());
    assert!(shown.lines().count() < 150, "{} lines", shown.lines().count());
    assert!(shown.contains("… and 4,980 more records (--full shows all)"));
    assert!(shown.contains("WalkMe_Level__c 5,000 records: Silver → Gold"));
    let full = text(&plan, &Options { full: true, ..person() });
    assert_eq!(full.matches("/view").count(), 5_000);
    let some = text(&plan, &Options { records_limit: Some(3), ..person() });
    assert!(some.contains("… and 4,997 more records"));
}

#[test]
fn markdown_of_a_large_plan_states_the_remainder() {
    let plan = large(5_000);
    let shown = markdown(&plan, &Options::public());
    assert!(shown.len() < MARKDOWN_LIMIT, "{}", shown.len());
    let listed = shown.matches("/view)").count();
    assert!(listed > 100);
    let left = crate::render::counted(5_000 - listed as u64, "record");
    assert!(shown.contains(&format!("… and {left} not shown.")), "{listed} listed");
    assert_eq!(shown.matches("<details>").count(), shown.matches("</details>").count());
}

#[test]
fn json_reads_back_and_fits_its_schema() {
    let plan = sample::plan();
    for options in [person(), Options::public(), Options { records_limit: Some(1), ..Options::public() }] {
        let shown = json(&plan, &options);
        let read: PlanView = serde_json::from_str(&shown).unwrap();
        assert_eq!(read, view(&plan, &options));
        let (_, schema) = crate::render::schemas().into_iter().find(|(n, _)| *n == "plan-view.schema.json").unwrap();
        let validator = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
        let value: serde_json::Value = serde_json::from_str(&shown).unwrap();
        let problems: Vec<String> =
            validator.iter_errors(&value).map(|e| format!("{e} at {}", e.instance_path())).collect();
        assert!(problems.is_empty(), "{problems:?}");
    }
}

#[test]
fn every_property_of_every_schema_is_described() {
    for (name, text) in crate::render::schemas().into_iter().chain(crate::runlog::schemas()) {
        let schema: serde_json::Value = serde_json::from_str(&text).unwrap();
        let mut stack = vec![(String::new(), &schema)];
        while let Some((at, node)) = stack.pop() {
            if let Some(properties) = node.get("properties").and_then(|p| p.as_object()) {
                for (property, inner) in properties {
                    let tagged = node
                        .get("required")
                        .and_then(|r| r.as_array())
                        .is_some_and(|r| r.len() == 1 && properties.len() == 1);
                    let described = inner.get("description").is_some() || node.get("description").is_some() && tagged;
                    assert!(described, "{name}: {at}/{property} has no description");
                }
            }
            if let Some(object) = node.as_object() {
                stack.extend(object.iter().map(|(k, v)| (format!("{at}/{k}"), v)));
            } else if let Some(list) = node.as_array() {
                stack.extend(list.iter().enumerate().map(|(k, v)| (format!("{at}/{k}"), v)));
            }
        }
    }
}

#[test]
fn links_are_made_of_plain_addresses_only() {
    let mut plan = sample::plan();
    for base in ["javascript:alert(1)", "https://x.example/)[a](b", "https://x.example/\u{202e}"] {
        plan.context.record_links = Some(base.into());
        assert!(view(&plan, &person()).records.iter().all(|r| r.link.is_none()), "{base}");
    }
    plan.context.record_links = Some("http://127.0.0.1:8080/".into());
    let link = view(&plan, &person()).records[0].link.clone().unwrap();
    assert_eq!(link, format!("http://127.0.0.1:8080/lightning/r/Lead/{}/view", record(1)));
}

/// Text that means harm, or something to a terminal, Markdown, HTML or a person who reads it.
fn hostile() -> impl Strategy<Value = String> {
    let bits = prop::sample::select(vec![
        "@team",
        "#12",
        "<script>alert(1)</script>",
        "|",
        "||",
        "`",
        "```\n",
        "\n",
        "\r\n",
        "\u{1b}[31m",
        "\u{9b}2J",
        "\u{202e}",
        "\u{2066}",
        "\u{200f}",
        "\u{0}",
        "\u{7f}",
        "](javascript:x)",
        "[click](http://x.example)",
        "https://x.example",
        "www.x.example",
        "</details>",
        "<!--",
        "-->",
        "*",
        "__",
        "\\",
        "&lt;",
        "&#64;team",
        "{+",
        "-]",
        "Ünï",
        "日本",
        "x",
        " ",
        "\u{feff}",
        "$a$",
        "# h\n",
        "- l\n",
        "~~",
        "\u{1b}]8;;http://x\u{7}",
        "=1+1",
        "\"",
        "'",
    ]);
    prop::collection::vec(bits, 1..12).prop_map(|bits| bits.concat())
}

/// Every free text of the plan replaced by hostile ones.
fn hostile_plan() -> impl Strategy<Value = Plan> {
    (prop::collection::vec(hostile(), 24), any::<bool>(), 0..40_u64).prop_map(|(texts, show, copies)| {
        let t = |n: usize| texts[n % texts.len()].clone();
        let mut head = sample::header();
        head.integration = t(0);
        head.report = t(1);
        head.source = t(2);
        head.object_label = t(3);
        head.org = t(4);
        head.match_column = t(5);
        head.scope = Some(t(6));
        head.fields = vec![field("A__c", &t(7), crate::model::FieldType::Other(t(8)), &t(9), show)];
        let mut cell = change("A__c", Some(&format!("{}1", t(10))), Some(&format!("{}2", t(11))));
        cell.note = Some(Note { code: t(12), text: t(13), from: Some(t(14)) });
        let mut first = planned(1, &t(15), vec![cell]);
        let mut bad = refused("A__c", &t(16), &t(17));
        bad.message = t(18);
        bad.hint = Some(t(19));
        bad.code = t(20);
        first.refused = Vec::new();
        let mut second = Entry::new(2, 3, t(21), RowOutcome::Refused);
        second.record = Some(record(2));
        second.refused = vec![bad];
        let mut third = Entry::new(3, 4, t(22), RowOutcome::BadKey);
        third.reason = Some(t(23));
        let mut entries = vec![first, second, third];
        for n in 0..copies {
            let value = t(n as usize).repeat(20);
            entries.push(planned(10 + n, &t(1 + n as usize), vec![change("A__c", None, Some(&value))]));
        }
        let mut plan = plan_of(head, entries, 3);
        plan.context.version = t(0);
        plan.context.warnings = vec![t(1), t(2)];
        plan.context.not_checked = vec![t(3)];
        plan
    })
}

/// Vertical bars that are not escaped.
fn bars(line: &str) -> usize {
    line.matches('|').count()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(16) })]

    #[test]
    fn hostile_text_stays_text(plan in hostile_plan(), person in any::<bool>(), full in any::<bool>(), width in 1..200_u16) {
        let audience = if person { Audience::Person } else { Audience::Public };
        let options = Options { audience, full, width: Some(width), ..Options::public() };
        for shown in [text(&plan, &options), markdown(&plan, &options), json(&plan, &options)] {
            let raw: Vec<char> = shown.chars().filter(|c| *c != '\n' && is_invisible(*c)).collect();
            prop_assert!(raw.is_empty(), "{raw:?}");
        }
        let coloured = text(&plan, &Options { colour: true, ..options.clone() });
        let plain = anstream::adapter::strip_str(&coloured).to_string();
        prop_assert_eq!(plain, text(&plan, &options));

        let shown = markdown(&plan, &options);
        prop_assert!(shown.len() < MARKDOWN_LIMIT);
        for bad in ["@", "<script", "www.", "<!-- -->"] {
            // The first line is a comment with a name that is safe in a path.
            let line = shown.lines().skip(1).find(|l| l.contains(bad));
            prop_assert!(line.is_none(), "{:?}", line);
        }
        prop_assert!(!shown.contains("](") || !shown.contains("](javascript"));
        prop_assert_eq!(shown.matches("://").count(), shown.matches("](https://acme--uat.sandbox.lightning.force.com/").count());
        prop_assert_eq!(shown.matches("<!--").count(), 1);
        prop_assert_eq!(shown.matches("<details>").count(), shown.matches("</details>").count());
        let lines: Vec<&str> = shown.lines().collect();
        let mut wanted = 0;
        for line in lines {
            if line.starts_with('|') {
                wanted = if wanted == 0 { bars(line) } else { wanted };
                prop_assert_eq!(bars(line), wanted, "{}", line);
            } else {
                prop_assert_eq!(bars(line), 0, "{}", line);
                wanted = 0;
            }
        }
    }

    #[test]
    fn what_the_public_may_not_see_is_not_there(
        keys in prop::collection::vec("[a-z]{6,12}Key", 8),
        values in prop::collection::vec("[a-z]{6,12}Val", 16),
        echo in any::<bool>(),
    ) {
        let header = sample::header();
        let mut entries = Vec::new();
        for n in 0..5 {
            let mut cell = change("WalkMe_First_Login__c", Some(&format!("{}b", values[n])), Some(&format!("{}a", values[n + 1])));
            let note = if echo { format!("made from {}", values[n + 6]) } else { "made shorter".into() };
            cell.note = Some(Note { code: "label".into(), text: note, from: Some(values[n + 6].clone()) });
            let mut entry = planned(n as u64 + 1, &keys[n], vec![cell, change("WalkMe_Level__c", None, Some("Gold"))]);
            if n > 2 {
                let mut bad = refused("WalkMe_Notes__c", "Notes", &values[n + 8]);
                if echo {
                    bad.message = format!("{} is no note", values[n + 8].to_uppercase());
                    bad.hint = Some(format!("did you mean \"{}\" of {}?", values[n + 8], keys[n]));
                }
                entry.refused = vec![bad];
            }
            entries.push(entry);
        }
        let mut bad = Entry::new(7, 8, keys[6].clone(), RowOutcome::BadKey);
        bad.reason = Some(if echo { format!("'{}' is no address", keys[6]) } else { "no address".into() });
        entries.push(bad);
        entries.push(Entry::new(8, 9, keys[7].clone(), RowOutcome::NoRecord));
        // A field whose values may be seen repeats the key.
        let level = format!("see {}", keys[5].to_uppercase());
        entries.push(planned(9, &keys[5], vec![change("WalkMe_Level__c", None, Some(&level))]));
        let plan = plan_of(header, entries, 4);
        for full in [false, true] {
            let options = Options { full, ..Options::public() };
            for shown in [text(&plan, &options), markdown(&plan, &options), json(&plan, &options)] {
                let shown = shown.to_lowercase();
                for hidden in keys.iter().chain(&values) {
                    prop_assert!(!shown.contains(&hidden.to_lowercase()), "{hidden}");
                }
                prop_assert!(shown.contains("gold"));
            }
        }
        let seen = text(&plan, &Options { full: true, ..Options::person(120, false) });
        prop_assert!(keys[..5].iter().all(|k| seen.contains(k.as_str())));
    }

    #[test]
    fn the_figures_add_up(plan in hostile_plan()) {
        prop_assert!(plan.broken().is_empty(), "{:?}", plan.broken());
        for options in [Options::public(), Options { records_limit: Some(2), ..Options::public() }] {
            let view = view(&plan, &options);
            prop_assert!(view.rows.balances() && view.cells.balances());
            let v = &view.verdict;
            prop_assert_eq!(v.fills + v.overwrites + v.clears, v.cells);
            prop_assert_eq!(v.cells, view.cells.change);
            let sum = |f: fn(&FieldView) -> u64| view.fields.iter().map(f).sum::<u64>();
            prop_assert_eq!(sum(|f| f.fill + f.overwrite + f.clear), v.cells);
            prop_assert_eq!(sum(|f| f.same), view.cells.same);
            prop_assert_eq!(sum(|f| f.refused), view.cells.refused);
            prop_assert_eq!(view.records.len() as u64 + view.records_left_out, v.records);
            for group in &view.notable {
                prop_assert_eq!(group.rows.len() as u64 + group.left_out, group.count);
            }
            let refused: u64 = view.notable.iter().filter(|g| g.kind == "refused_cells").map(|g| g.count).sum();
            prop_assert_eq!(refused, view.cells.refused);
        }
    }

    #[test]
    fn markdown_is_short_whatever_the_plan(fields in 1..150_usize, records in 0..60_u64, length in 0..200_usize, groups in 0..60_usize) {
        let mut header = sample::header();
        header.fields = (0..fields)
            .map(|n| field(&format!("{}{n}__c", "F".repeat(30)), "L", crate::model::FieldType::String, &"|".repeat(length), true))
            .collect();
        let value = "@".repeat(length + 1);
        let entries = (1..=records)
            .map(|n| {
                let cells = header.fields.iter().map(|f| change(f.field.as_str(), None, Some(&value))).take(20).collect();
                let mut entry = planned(n, &value, cells);
                if let Some(last) = header.fields.iter().skip(20).nth(n as usize % groups.max(1)) {
                    entry.refused = vec![refused(last.field.as_str(), &value, &value)];
                }
                entry
            })
            .collect();
        let mut plan = plan_of(header, entries, 0);
        plan.context.warnings = vec![value; groups];
        for options in [Options::public(), Options { full: true, ..person() }] {
            let shown = markdown(&plan, &options);
            prop_assert!(shown.len() < MARKDOWN_LIMIT, "{} bytes", shown.len());
            prop_assert_eq!(shown.matches("<details>").count(), shown.matches("</details>").count());
            prop_assert!(shown.ends_with("</sub>\n"));
            prop_assert!(records == 0 || shown.contains("Records with their changes"));
        }
    }
}

#[test]
fn long_text_is_compared_word_by_word() {
    let shown = text(&sample::plan(), &person());
    assert!(shown.contains("[-call-]{+demo+}") && shown.contains("[-ten-]{+twelve+}"), "{shown}");
    let spoof = "one two three four five six {+seven+} eight nine";
    let plan = plan_of(
        sample::header(),
        vec![planned(
            1,
            "a@example.com",
            vec![change("WalkMe_Notes__c", Some(spoof), Some(&spoof.replace("one", "ten")))],
        )],
        0,
    );
    assert!(text(&plan, &Options { full: true, ..person() }).contains("{\\+seven+\\}"));
}

#[test]
fn kinds_are_marked_without_colour() {
    let shown = text(&sample::plan(), &person());
    for (kind, line) in [
        (ChangeKind::Fill, "  + WalkMe_First_Login__c  (blank) → 2026-01-02"),
        (ChangeKind::Overwrite, "  ~ WalkMe_Level__c        Silver → Gold"),
        (ChangeKind::Clear, "  - WalkMe_Level__c  Gold → (blank)"),
    ] {
        assert!(shown.contains(line), "{kind:?}: {shown}");
    }
    assert!(shown.contains(FieldName::new("WalkMe_Notes__c").as_str()));
}
