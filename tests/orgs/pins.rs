//! Which org it is: the pin, what happens without one or with another, and what the org says of itself.

use super::{Place, USER};

const TOKEN: &str = "{ flow: access_token, token: \"${ORG_TOKEN}\" }";
const OTHER: &str = "org_id: 00D8d000008GjOIEA0";

#[test]
fn without_a_pin_every_command_says_what_to_do_and_reads_nothing() {
    let place = Place::new();
    place.orgs("sandbox", "", TOKEN);
    for command in [&["plan"] as &[&str], &["apply", "counts", "--yes"], &["validate", "--online"]] {
        place
            .scene
            .run(command)
            .exits(7)
            .says("has no `org_id:` yet")
            .says("footbridge orgs connect acme --env sandbox");
    }
    place.scene.run(&["validate"]).exits(0);
    place.scene.run(&["orgs", "list"]).exits(0).says("not pinned");
    assert!(place.scene.org().calls().is_empty());
}

#[test]
fn production_without_a_pin_is_an_error_in_ci() {
    let mut place = Place::new();
    place.orgs("production", "", TOKEN);
    place.scene.run(&["validate"]).exits(0);
    place.scene.set("CI", "true");
    for command in [&["validate"] as &[&str], &["plan", "--env", "production"], &["orgs", "list"]] {
        place
            .scene
            .run(command)
            .exits(3)
            .says("acme (production) has no `org_id:`")
            .says("orgs connect acme --env production");
    }
    place.scene.set("CI", "false");
    place.scene.run(&["validate"]).exits(0);
}

#[test]
fn another_org_stops_every_command_and_asks_whether_the_sandbox_was_refreshed() {
    let place = Place::new();
    place.orgs("sandbox", OTHER, TOKEN);
    for command in [
        &["plan", "counts"] as &[&str],
        &["apply", "counts", "--yes"],
        &["validate", "--online"],
        &["orgs", "connect", "acme"],
    ] {
        place
            .scene
            .run(command)
            .exits(7)
            .says("pins 00D8d000008GjOIEA0")
            .says("was this sandbox refreshed?")
            .says("footbridge orgs pin acme --env sandbox");
    }
    assert!(!place.scene.read("integrations/orgs.yaml").contains(&place.scene.org().org_id()));
}

#[test]
fn a_refreshed_sandbox_is_pinned_anew() {
    let place = Place::new();
    let id = place.scene.org().org_id();
    place.orgs("sandbox", OTHER, TOKEN);
    place
        .scene
        .run(&["orgs", "pin", "acme", "--env", "sandbox"])
        .exits(0)
        .says(&format!("pinned to 00D8d000008GjOIEA0; this is {id}"))
        .says("a sandbox")
        .says(&format!("Wrote org_id: {id} to integrations/orgs.yaml, line 7."));
    place.scene.run(&["plan", "counts"]).exits(0);
    place.scene.run(&["orgs", "pin", "acme", "--env", "sandbox"]).exits(0).says("already");
}

#[test]
fn a_persons_log_in_to_another_org_is_not_kept_but_by_pinning() {
    let place = Place::new();
    place.orgs("sandbox", OTHER, &place.browser());
    let log_in = place.start(&["orgs", "connect", "acme"]);
    log_in.visit(&place.scene.org().authorize(&log_in.address, USER, true).unwrap());
    log_in.ends().exits(7).says("was this sandbox refreshed?");
    assert!(place.scene.org().calls().iter().any(|c| c.path == "/services/oauth2/revoke" && c.status == 200));
    place.scene.run(&["orgs", "list"]).exits(0).says("not connected");
    let log_in = place.start(&["orgs", "pin", "acme", "--env", "sandbox"]);
    log_in.visit(&place.scene.org().authorize(&log_in.address, USER, true).unwrap());
    log_in.ends().exits(0).says("Wrote org_id");
    place.scene.run(&["plan", "counts"]).exits(0);
    // Kept for one org, pinned to another: no call at all.
    place.orgs("sandbox", OTHER, &place.browser());
    place.scene.org().clear_calls();
    place.scene.run(&["plan", "counts"]).exits(7).says("was this sandbox refreshed?");
    place.scene.run(&["orgs", "list"]).exits(0).says("another org");
    assert!(place.scene.org().calls().is_empty());
}

#[test]
fn a_sandbox_that_is_production_is_an_error_unless_stated() {
    let place = Place::with("", ", sandbox: false, edition: Enterprise Edition");
    place.orgs("sandbox", "", TOKEN);
    let before = place.scene.read("integrations/orgs.yaml");
    place.scene.run(&["orgs", "connect", "acme"]).exits(7).says("acme (sandbox) is no sandbox").says("--not-a-sandbox");
    assert_eq!(place.scene.read("integrations/orgs.yaml"), before);
    place
        .scene
        .run(&["orgs", "connect", "acme", "--not-a-sandbox"])
        .exits(0)
        .says("a production org")
        .says("Wrote org_id");
    // Stated once is stated.
    place.scene.run(&["orgs", "connect", "acme"]).exits(0).says("is no sandbox");
    place.orgs("sandbox", OTHER, TOKEN);
    place.scene.run(&["orgs", "pin", "acme", "--env", "sandbox"]).exits(7).says("--not-a-sandbox");
    let developer = Place::with("", ", sandbox: false, edition: Developer Edition");
    developer.orgs("sandbox", "", TOKEN);
    developer.scene.run(&["orgs", "connect", "acme"]).exits(0).says("a Developer Edition");
}

#[test]
fn a_production_that_is_a_sandbox_is_an_error() {
    let place = Place::new();
    place.orgs("production", "", TOKEN);
    place
        .scene
        .run(&["orgs", "connect", "acme", "--env", "production"])
        .exits(7)
        .says("acme (production) is a sandbox");
    assert!(!place.scene.read("integrations/orgs.yaml").contains("org_id"));
}

#[test]
fn production_is_pinned_anew_by_a_person_only() {
    let place = Place::with("", ", sandbox: false, edition: Enterprise Edition");
    place.orgs("production", OTHER, TOKEN);
    let before = place.scene.read("integrations/orgs.yaml");
    let ran = place.scene.run(&["orgs", "pin", "acme", "--env", "production"]).exits(3);
    ran.says("nobody to ask").says("00D8d000008GjOIEA0");
    assert_eq!(place.scene.read("integrations/orgs.yaml"), before);
    // The first pin is written by connecting, which shows what it is.
    place.orgs("production", "", TOKEN);
    place
        .scene
        .run(&["orgs", "connect", "acme", "--env", "production"])
        .exits(0)
        .says("a production org")
        .says("Wrote org_id");
}

/// Runs a command on a pseudo-terminal where somebody types a line, by util-linux' `script`: exit code and all that was shown.
#[cfg(target_os = "linux")]
fn on_a_terminal(place: &Place, arguments: &[&str], typed: &str) -> Option<(i32, String)> {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let plain = place.scene.command(arguments);
    let line = std::iter::once(plain.get_program()).chain(plain.get_args());
    let line = line.map(|word| format!("'{}'", word.to_str().unwrap())).collect::<Vec<_>>().join(" ");
    let mut command = Command::new("script");
    command.args(["-qec", &line, "/dev/null"]).current_dir(place.scene.root()).env_clear();
    command
        .envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .env("TERM", "xterm")
        .env("SHELL", "/bin/sh");
    let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let Ok(mut child) = spawned else {
        eprintln!("LEFT OUT: `script` of util-linux is not there, so nothing was typed on a terminal");
        return None;
    };
    // The terminal keeps the line until it is asked for; the pipe stays open until the end.
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "{typed}").unwrap();
    stdin.flush().unwrap();
    let output = child.wait_with_output().unwrap();
    drop(stdin);
    Some((output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stdout).into_owned()))
}

#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_production_asks_for_the_orgs_name() {
    let place = Place::with("", ", sandbox: false, edition: Enterprise Edition");
    let id = place.scene.org().org_id();
    place.orgs("production", OTHER, TOKEN);
    let pin = ["orgs", "pin", "acme", "--env", "production"];
    for (typed, exit) in [("yes", 1), ("acme", 0)] {
        let Some((code, shown)) = on_a_terminal(&place, &pin, typed) else { return };
        assert_eq!(code, exit, "{shown}");
        assert!(
            shown.contains("Type the org's name (acme)") && shown.contains("pinned to 00D8d000008GjOIEA0"),
            "{shown}"
        );
        assert_eq!(place.scene.read("integrations/orgs.yaml").contains(&id), exit == 0);
    }
    let apply = ["apply", "counts", "--env", "production", "--first-run"];
    for (typed, exit, writes) in [("yes", 1, 0), ("acme", 0, 1)] {
        let Some((code, shown)) = on_a_terminal(&place, &apply, typed) else { return };
        assert_eq!((code, place.scene.write_calls()), (exit, writes), "{shown}");
        assert!(shown.contains("Type the org's name (acme) to go on"), "{shown}");
    }
}

/// A sandbox that was refreshed: whatever looks back, and whatever goes on where a run died, is stopped before anything is read or written there.
#[test]
fn another_org_stops_what_looks_back_and_what_goes_on() {
    let mut place = Place::new();
    place.orgs("sandbox", &place.pin(), TOKEN);
    place.scene.run(&["apply", "counts", "--yes"]).exits(0);
    place.scene.write("exports/counts.csv", "User ID,Count\na@leads.example,8\n");
    let refreshed = Place::with("", ", id: 00DEm0000000043");
    assert_ne!(refreshed.scene.org().org_id(), place.scene.org().org_id());
    let (orgs, own) = (place.scene.read("integrations/orgs.yaml"), place.scene.org().access_token());
    let pinned = orgs.replace(&place.scene.org().url(), &refreshed.scene.org().url());
    assert_ne!(orgs, pinned);
    place.scene.write("integrations/orgs.yaml", &pinned);
    place.scene.set("ORG_TOKEN", &refreshed.scene.org().access_token());
    let stopped = |place: &Place, command: &[&str]| {
        refreshed.scene.org().clear_calls();
        place.scene.run(command).exits(7).says("FB0503").says("was this sandbox refreshed?");
        for call in refreshed.scene.org().calls() {
            let soql = call.query.iter().find(|(name, _)| name == "q").map_or("", |(_, soql)| soql);
            assert!(call.path.contains("/oauth2/") || soql.ends_with("FROM Organization"), "{command:?}: {call:?}");
        }
    };
    for command in [
        &["drift", "counts"] as &[&str],
        &["undo", "counts", "--yes"],
        &["undo", "counts", "--out", "u.plan"],
        &["apply", "--all", "--yes"],
    ] {
        stopped(&place, command);
    }
    assert!(!place.scene.path("u.plan").exists());

    // A run dies in its own org.
    place.scene.write("integrations/orgs.yaml", &orgs);
    place.scene.set("ORG_TOKEN", &own);
    place.scene.org().faults("- on: { method: PATCH }\n  action: { delay: 100000 }\n").unwrap();
    let mut apply = place.scene.command(&["apply", "counts", "--yes"]);
    let mut apply = apply.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    crate::faults::until("the call", || place.scene.org().held() == 1);
    apply.kill().unwrap();
    apply.wait().unwrap();
    place.scene.org().clear_faults();
    place.scene.write("integrations/orgs.yaml", &pinned);
    place.scene.set("ORG_TOKEN", &refreshed.scene.org().access_token());
    stopped(&place, &["apply", "--resume"]);

    // Back there it is finished.
    place.scene.write("integrations/orgs.yaml", &orgs);
    place.scene.set("ORG_TOKEN", &own);
    place.scene.run(&["apply", "--resume"]).exits(0);
    place.scene.run(&["plan", "counts", "--detailed-exitcode"]).exits(0);
}
