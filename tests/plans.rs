//! Large plans and damaged plan files, through the binary: nothing holds a whole plan, and what is wrong with a file is told.

use std::fs::{self, File};
use std::io::BufWriter;
use std::process::Output;

use footbridge::model::RecordId;
use footbridge::plan::{CellChange, ChangeKind, Entry, Lines, Plan, PlanDigester, RowOutcome, Sink, Spool};

use crate::scene::Scene;

/// People in the org.
const PEOPLE: usize = 12;

/// Planned records of a large plan; their entries take more than 1.5 kB each.
const LARGE: u64 = 60_000;

/// An org of a few leads, all of whom the report changes, and their plan in `people.plan`.
fn scene() -> Scene {
    let mut seed =
        "objects:\n  Lead:\n    fields:\n      - { name: Note__c, type: text, length: 255 }\n    records:\n".to_owned();
    let mut report = "Key,Note\n".to_owned();
    for n in 0..PEOPLE {
        seed += &format!("      - {{ LastName: P{n}, Company: Acme, Email: 'p{n}@example.com', Note__c: old }}\n");
        report += &format!("p{n}@example.com,new {n}\n");
    }
    let scene = Scene::seeded(&seed);
    scene.write("exports/people.csv", &report);
    scene.write(
        "integrations/people.yaml",
        "footbridge: 1\nkind: integration\nname: people\norg: acme\nreport: { name: People, source: exports/people.csv }\nobject: Lead\n\
         match: { column: Key, field: Email }\nfields: { Note__c: Note }\nlints_off: [walkme_prefix, sandbox_first, unused]\n\
         environments: { sandbox: { guards: { max_overwrites: 100% } } }\n",
    );
    scene.run(&["plan", "people", "--out", "people.plan"]).exits(0);
    scene
}

/// The plan of [`scene`] with so many planned records: those of the org first, then others that are in no org. Gives the file's size.
fn enlarge(scene: &Scene, records: u64, to: &str) -> u64 {
    let small = Plan::open(File::open(scene.path("people.plan")).unwrap(), &mut ()).unwrap();
    let mut nobody = ();
    let mut spool = Spool::start(tempfile::tempfile().unwrap(), &small.header, &mut nobody).unwrap();
    let mut digester = PlanDigester::new(&small.header.line().unwrap());
    let mut summary = small.summary.clone();
    let mut lines = Lines::default();
    let mut hand_on = |lines: &mut Lines| {
        digester.update(&lines.bytes);
        spool.lines(lines).unwrap();
        lines.clear();
    };
    for entry in small.entries() {
        lines.push(&entry.unwrap()).unwrap();
    }
    for row in PEOPLE as u64 + 1..=records {
        let mut entry = Entry::new(row, row + 1, format!("person.number.{row}@example.com"), RowOutcome::Planned);
        entry.record = Some(RecordId::parse(&format!("00Q9x{row:010}")).unwrap());
        entry.cells.push(CellChange {
            field: "Note__c".into(),
            kind: ChangeKind::Overwrite,
            before: Some(format!("{row}{}", "before".repeat(140))),
            after: Some(format!("{row}{}", "after".repeat(165))),
            note: None,
        });
        lines.push(&entry).unwrap();
        if lines.bytes.len() > 1 << 16 {
            hand_on(&mut lines);
        }
    }
    hand_on(&mut lines);
    (summary.inputs, summary.changes) = digester.finish();
    summary.rows.rows = records;
    summary.rows.outcomes.insert(RowOutcome::Planned, records);
    (summary.cells.cells, summary.cells.change) = (records, records);
    (summary.matched, summary.records) = (records, records);
    let plan = spool.finish(summary, small.context).unwrap();
    assert_eq!(plan.broken(), []);
    plan.write(BufWriter::new(File::create(scene.path(to)).unwrap())).unwrap();
    fs::metadata(scene.path(to)).unwrap().len()
}

/// Runs the binary with so many MiB of memory of its own and no more: an allocation beyond that fails, and the process with it.
#[cfg(target_os = "linux")]
fn run_within(scene: &Scene, mebibytes: u64, arguments: &[&str]) -> Output {
    let command = scene.command(arguments);
    let mut limited = std::process::Command::new("sh");
    let script = format!("ulimit -d {} && exec \"$0\" \"$@\"", mebibytes * 1024);
    limited.arg("-c").arg(script).arg(command.get_program()).args(command.get_args()).current_dir(scene.root());
    limited.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    limited.output().unwrap()
}

#[cfg(target_os = "linux")]
#[track_caller]
fn well(output: &Output) -> &str {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    // 6: applied in part, as `--limit` says.
    assert!(
        matches!(output.status.code(), Some(0 | 6)),
        "{:?}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

#[cfg(target_os = "linux")]
#[test]
fn a_plan_far_larger_than_the_memory_is_shown_in_every_form() {
    const MEMORY: u64 = 32;
    let scene = scene();
    let size = enlarge(&scene, LARGE, "large.plan");
    assert!(size > 3 * (MEMORY << 20), "{size} bytes");
    let text = run_within(&scene, MEMORY, &["show", "large.plan"]);
    assert!(well(&text).contains("60,000 records would change"), "{}", well(&text));
    assert!(well(&text).contains("… and 59,980 more records (--full shows all)"));
    let markdown = run_within(&scene, MEMORY, &["show", "large.plan", "--format", "markdown"]);
    assert!(well(&markdown).len() < 60_000);
    let full = run_within(&scene, MEMORY, &["show", "large.plan", "--full"]);
    assert!(well(&full).lines().any(|line| line.starts_with("00Q9x0000060000")));
    let json = run_within(&scene, MEMORY, &["show", "large.plan", "--json"]);
    let view: serde_json::Value = serde_json::from_str(well(&json)).unwrap();
    assert_eq!(view["records"].as_array().unwrap().len(), LARGE as usize);
    assert_eq!(view["records_left_out"], 0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_plan_far_larger_than_the_memory_is_applied_in_part_and_logged() {
    const MEMORY: u64 = 48;
    let scene = scene();
    let size = enlarge(&scene, LARGE, "large.plan");
    assert!(size > 2 * (MEMORY << 20), "{size} bytes");
    let limit = PEOPLE.to_string();
    let ran = run_within(&scene, MEMORY, &["apply", "large.plan", "--limit", &limit, "--yes", "--quiet"]);
    assert!(well(&ran).contains("12 of 60,000 records updated"), "{}", well(&ran));
    assert_eq!(scene.write_calls(), 1);
    let shown = run_within(&scene, MEMORY, &["runs", "show", "people"]);
    assert!(well(&shown).contains("59,988 records: --limit was reached"), "{}", well(&shown));
    let json = run_within(&scene, MEMORY, &["runs", "show", "people", "--json"]);
    let view: serde_json::Value = serde_json::from_str(well(&json)).unwrap();
    assert_eq!(view["records"].as_array().unwrap().len(), LARGE as usize);
}

#[test]
fn a_reader_that_goes_away_ends_a_long_plan_without_an_error() {
    let scene = scene();
    enlarge(&scene, 20_000, "large.plan");
    for form in [["--full", "--quiet"], ["--json", "--quiet"]] {
        let mut command = scene.command(&["show", "large.plan"]);
        command.args(form).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{form:?}: {output:?}");
    }
}

#[test]
fn a_compressed_plan_is_the_same_plan() {
    let scene = scene();
    scene.run(&["plan", "people", "--out", "packed.plan.zst"]).exits(0);
    let packed = fs::read(scene.path("packed.plan.zst")).unwrap();
    assert_eq!(packed[..4], [0x28, 0xb5, 0x2f, 0xfd], "a zstd frame");
    let plain = scene.run(&["show", "people.plan", "--json"]).exits(0).out;
    let shown = scene.run(&["show", "packed.plan.zst", "--json"]).exits(0).out;
    let without_clock = |text: &str| {
        let mut view: serde_json::Value = serde_json::from_str(text).unwrap();
        view["planned_at"].take();
        view["calls"].take();
        view
    };
    assert_eq!(without_clock(&plain), without_clock(&shown));
    // The name says nothing: the first bytes do.
    fs::rename(scene.path("packed.plan.zst"), scene.path("any.name")).unwrap();
    scene.run(&["apply", "any.name", "--yes"]).exits(0).says("12 of 12 records updated");
    scene.run(&["apply", "people", "--yes"]).exits(0).says("there was nothing to change");
}

#[test]
fn damaged_plan_files_are_told_and_nothing_is_sent() {
    let scene = scene();
    scene.run(&["plan", "people", "--out", "packed.plan.zst"]).exits(0);
    let whole = scene.read("people.plan");
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    let mut swapped = lines.clone();
    swapped.swap(2, 5);
    let mut twice = lines.clone();
    twice.insert(3, lines[2]);
    let mut without = lines.clone();
    without.remove(4);
    let headless = &lines[1..];
    let other = whole.replacen("new 3", "new 4", 1);
    let packed = fs::read(scene.path("packed.plan.zst")).unwrap();
    let middle = whole.len() / 2;
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("cut in the middle of a line", whole.as_bytes()[..middle].to_vec(), "cut off after line"),
        ("cut after a line", lines[..4].concat().into_bytes(), "cut off after line 4"),
        ("cut before the context", lines[..lines.len() - 1].concat().into_bytes(), "cut off after line"),
        ("two entries swapped", swapped.concat().into_bytes(), "its changes do not fit their digest"),
        ("an entry twice", twice.concat().into_bytes(), "its changes do not fit their digest"),
        ("an entry missing", without.concat().into_bytes(), "its changes do not fit their digest"),
        ("a value changed", other.into_bytes(), "its changes do not fit their digest"),
        (
            "another org",
            whole.replacen("\"org\":\"acme\"", "\"org\":\"emca\"", 1).into_bytes(),
            "its inputs do not fit",
        ),
        ("no header", headless.concat().into_bytes(), "this is no plan file of this version"),
        ("nothing", Vec::new(), "this is no plan file of this version"),
        ("compressed and cut", packed[..packed.len() / 2].to_vec(), "its compressed data are cut off or damaged"),
        ("compressed and cut at once", packed[..6].to_vec(), "its compressed data are cut off or damaged"),
        (
            "a line of rubbish",
            [lines[0], "{\"entry\":}\n"].concat().into_bytes(),
            "line 2 of the plan file cannot be read",
        ),
    ];
    for (what, bytes, message) in cases {
        scene.write_bytes("damaged.plan", &bytes);
        for command in [&["show", "damaged.plan"][..], &["apply", "damaged.plan", "--yes"]] {
            let ran = scene.run(command);
            assert!(ran.code == 5 && ran.err.contains(message), "{what}: {ran:?}");
        }
    }
    assert_eq!(scene.write_calls(), 0);
}

#[test]
fn temporary_files_of_plans_are_gone_when_the_command_is() {
    let scene = scene();
    scene.run(&["plan", "people", "--full"]).exits(0);
    scene.run(&["show", "people.plan"]).exits(0);
    scene.run(&["apply", "people.plan", "--yes"]).exits(0);
    let left: Vec<_> = fs::read_dir(scene.path(".footbridge/tmp")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}
