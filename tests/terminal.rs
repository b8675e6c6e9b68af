//! What a reader meets: the demo, help, colours, and output that is no terminal.

use std::process::Stdio;

use crate::scene::Scene;

const SEED: &str = "objects: { Lead: { fields: [ { name: WalkMe_Logins_last_30_days__c, type: number, precision: 18, scale: 0 } ], records: [ { Email: ann@example.com, LastName: Ann, Company: A }, { Email: bob@example.com, LastName: Bob, Company: B, WalkMe_Logins_last_30_days__c: 3 } ] } }";

const INTEGRATION: &str = "footbridge: 1\nkind: integration\nname: logins-to-leads\norg: acme\nreport: { name: Logins, source: exports/logins.csv }\nobject: Lead\nmatch: { column: User ID, field: Email }\nfields:\n  WalkMe_Logins_last_30_days__c: { column: Logins, show_values: true }\nenvironments: { sandbox: {} }\n";

fn scene() -> Scene {
    let scene = Scene::seeded(SEED);
    scene.write("integrations/logins-to-leads.yaml", INTEGRATION);
    scene.write("exports/logins.csv", "User ID,Logins\nann@example.com,7\nbob@example.com,9\nnobody@example.com,1\n");
    scene
}

#[test]
fn the_demo_is_short_shows_values_and_leaves_commands_that_work() {
    let scene = Scene::seeded("{}");
    let ran = scene.run(&["demo", "--port", "0"]).exits(0);
    assert!(ran.err.is_empty(), "{}", ran.err);
    assert!(ran.out.lines().count() < 150, "{} lines", ran.out.lines().count());
    let ran = ran
        .says("1 of 4  What would change? Nothing is written.")
        .says("(blank) → 2026-09-03T08:14:26Z")
        .says("… and 192 more records (--full shows all)")
        .says("Completed: 196 of 196 records updated in ")
        .says("No changes. 291 rows of 312 already agree with their records; 21 rows could not be used.")
        .says("--full lists the rows that could not be used.")
        .says("footbridge emulator --db .footbridge/org.db --port ")
        .says(". .footbridge/demo-org.sh");
    assert_eq!(ran.out.matches("\nGuards\n").count(), 1, "the second plan is brief");
    // Keys are hidden where the output is no terminal, and the token never stands in it.
    let ran = ran.never_says("chiara.costa@").never_says("00DEm0000000001!");
    let token = scene.read("footbridge-demo/.footbridge/demo-org.sh");
    assert!(token.starts_with("export DEMO_ORG_TOKEN='00DEm"), "{token}");

    // What it says to do next: the org again, in a process of its own.
    let port = ran.out.lines().find_map(|l| l.split("--port ").nth(1)).unwrap().trim().to_owned();
    let folder = scene.path("footbridge-demo");
    let mut emulator = scene.command(&["emulator", "--db", ".footbridge/org.db", "--port", &port]);
    let mut emulator = emulator.current_dir(&folder).stdout(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    let mut out = std::io::BufReader::new(emulator.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut out, &mut first).unwrap();
    let inside = |arguments: &str| {
        let line = format!(". .footbridge/demo-org.sh && exec {} {arguments}", env!("CARGO_BIN_EXE_footbridge"));
        let output = std::process::Command::new("sh")
            .args(["-c", &line])
            .current_dir(&folder)
            .env_clear()
            .env("FOOTBRIDGE_BACKOFF", "none")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr),
        )
    };
    let steps = [("plan", Some(0), "No changes."), ("runs show logins-to-leads", Some(0), "Completed: 196 of 196")];
    let integration = folder.join("integrations/logins-to-leads.yaml");
    let text = std::fs::read_to_string(&integration).unwrap();
    let mut seen: Vec<_> = steps.map(|(words, code, says)| (inside(words), code, says)).into();
    std::fs::write(&integration, text.replace("column: Last Login\n", "column: Last Login\n    when_blank: clear\n"))
        .unwrap();
    seen.push((inside("plan"), Some(0), "Held back by max_clears."));
    seen.push((
        inside("apply logins-to-leads --yes"),
        Some(4),
        "guard `max_clears` holds the plan back: 2 of 294, limit 0",
    ));
    std::fs::write(&integration, text.replace("WalkMe_Last_Login__c", "WalkMe_Last_Logn__c")).unwrap();
    seen.push((inside("validate --online"), Some(3), "did you mean `WalkMe_Last_Login__c`?"));
    emulator.kill().unwrap();
    emulator.wait().unwrap();
    for ((code, shown), wanted, says) in seen {
        assert!(code == wanted && shown.contains(says), "{says}: {code:?}\n{shown}");
    }
}

#[test]
fn without_a_command_help_is_shown_and_the_usage_was_wrong() {
    let scene = Scene::seeded("{}");
    let bare = scene.run(&[]).exits(3);
    assert!(bare.out.is_empty() && bare.err.contains("Usage: footbridge") && bare.err.contains("footbridge demo"));
    scene.run(&["--help"]).exits(0).says("Exit codes: 0 done");
}

#[test]
fn every_commands_help_puts_its_own_flags_before_those_of_every_command() {
    let scene = Scene::seeded("{}");
    for command in
        ["demo", "init", "validate", "plan", "show", "apply", "runs", "orgs", "explain", "schema", "emulator"]
    {
        let help = scene.run(&[command, "--help"]).exits(0).out;
        let (own, global) = help.split_once("With every command:").unwrap_or_else(|| panic!("{help}"));
        assert!(own.contains("-h, --help") && !own.contains("--root") && global.contains("--root"), "{help}");
        assert!(help.lines().all(|l| l.chars().count() <= 100), "{help}");
    }
}

#[test]
fn a_pipe_has_no_width_and_no_colour_unless_asked_for() {
    let mut scene = scene();
    scene.set("COLUMNS", "60");
    let plain = scene.run(&["plan"]).exits(0).says("(blank) → 7").out;
    assert!(!plain.contains('\u{1b}') && plain.lines().any(|l| l.len() > 100), "{plain}");
    let painted = scene.run(&["plan", "--color", "always"]).exits(0).out;
    for mark in ["\u{1b}[32m+\u{1b}[0m", "\u{1b}[33m~\u{1b}[0m"] {
        assert!(painted.contains(mark), "{painted}");
    }
    scene.set("NO_COLOR", "1");
    assert!(!scene.run(&["plan"]).exits(0).out.contains('\u{1b}'));
}

#[test]
fn quiet_prints_the_summary_and_nothing_else() {
    let scene = scene();
    let ran = scene.run(&["apply", "logins-to-leads", "--yes", "--quiet"]).exits(0);
    assert!(ran.out.starts_with("Completed: 2 of 2 records updated in ") && ran.err.is_empty(), "{ran:?}");
    let listed = scene.run(&["runs"]).exits(0).out;
    let words: Vec<&str> = listed.lines().nth(1).unwrap_or_default().split_whitespace().collect();
    for word in ["logins-to-leads", "Logins", "Lead", "acme/sandbox", "Completed"] {
        assert!(words.contains(&word), "{listed}");
    }
    assert!(listed.contains("2 of 2") && listed.contains("Start (UTC)") && listed.contains(" s "), "{listed}");
}

#[test]
fn nobody_to_ask_means_nothing_is_written() {
    let scene = scene();
    scene.run(&["apply", "logins-to-leads"]).exits(3).says("nobody to ask: nothing was written");
    assert_eq!(scene.write_calls(), 0);
}
