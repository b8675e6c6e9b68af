//! Every flow connects, and says so when it cannot; `disconnect` ends it.

use std::os::unix::fs::PermissionsExt as _;

use super::{LogIn, Place, USER};

#[test]
fn every_machines_log_in_connects_and_keeps_nothing() {
    for (flow, auth) in [
        ("jwt", "{ flow: jwt, client_id: \"${CLIENT_ID}\", username: \"${USERNAME}\", private_key: \"${KEY}\" }"),
        (
            "client_credentials",
            "{ flow: client_credentials, client_id: \"${CLIENT_ID}\", client_secret: \"${SECRET}\" }",
        ),
        ("refresh_token", "{ flow: refresh_token, client_id: people, refresh_token: \"${REFRESH}\" }"),
        ("access_token", "{ flow: access_token, token: \"${ORG_TOKEN}\" }"),
        ("sf_cli", "{ flow: sf_cli, auth_url: \"${SFDX_AUTH_URL}\" }"),
    ] {
        let mut place = Place::new();
        let credentials = place.scene.org().credentials();
        let url = format!("force://people::{}@acme.my.salesforce.com", credentials.refresh_token);
        for (name, value) in [
            ("CLIENT_ID", &credentials.client_id),
            ("SECRET", &credentials.client_secret),
            ("USERNAME", &credentials.username),
            ("KEY", &credentials.private_key),
            ("REFRESH", &credentials.refresh_token),
            ("SFDX_AUTH_URL", &url),
        ] {
            place.scene.set(name, value);
        }
        place.orgs("sandbox", "", auth);
        let id = place.scene.org().org_id();
        place
            .scene
            .run(&["orgs", "connect", "acme"])
            .exits(0)
            .says("Connected: acme (sandbox)")
            .says("Acme GmbH")
            .says(&format!("{flow}; nothing is kept on this machine"))
            .says(&format!("Wrote org_id: {id}"));
        assert!(!place.scene.path(".footbridge/tokens.age").exists(), "{flow}");
        place.scene.run(&["plan", "counts"]).exits(0);
        place.scene.run(&["orgs", "list"]).exits(0).says(flow).says("ready").says(&id);
        place.scene.run(&["orgs", "connect", "acme", "--flow", "device"]).exits(3).says("without a person");
    }
}

#[test]
fn people_and_ci_log_in_to_one_environment_in_their_own_ways() {
    let mut place = Place::new();
    let machine = "ci_auth: { flow: access_token, token: \"${CI_TOKEN}\" }";
    place.orgs("sandbox", &format!("{}\n{machine}", place.pin()), &place.browser());
    // On a person's machine CI's variable need not be set, and the person's log-in is what counts.
    place.scene.run(&["plan", "counts"]).exits(7).says("FB0521").says("footbridge orgs connect acme");
    place.connect();
    place.scene.run(&["plan", "counts"]).exits(0);
    place.scene.set("CI", "true");
    place.scene.run(&["plan", "counts"]).exits(3).says("FB0302").says("CI_TOKEN");
    let token = place.scene.org().access_token();
    place.scene.set("CI_TOKEN", &token);
    std::fs::remove_file(place.scene.path(".footbridge/tokens.age")).unwrap();
    place.scene.run(&["plan", "counts"]).exits(0);
    place.scene.run(&["orgs", "list"]).exits(0).says("access_token").says("ready");
    assert!(!place.scene.path(".footbridge/tokens.age").exists());
    // A person's log-in for plans is not for CI either.
    place.orgs(
        "sandbox",
        &format!("{}\n{machine}\nplan_auth: {{ flow: sf_cli, target_org: uat }}", place.pin()),
        &place.browser(),
    );
    place.scene.run(&["plan", "counts"]).exits(0);
}

/// A stand-in for Salesforce's command line, first on the path.
fn sf(place: &mut Place, script: &str) {
    place.scene.write(
        "bin/sf",
        &format!("#!/bin/sh\necho \"$@\" >> \"{}\"\n{script}\n", place.scene.path("sf.log").display()),
    );
    let file = place.scene.path("bin/sf");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", place.scene.path("bin").display(), std::env::var("PATH").unwrap());
    place.scene.set("PATH", &path);
}

#[test]
fn the_log_in_of_sf_is_asked_of_sf_old_and_new() {
    for old in [true, false] {
        let mut place = Place::new();
        let (url, token) = (place.scene.org().url(), place.scene.org().session_of(USER).unwrap());
        let shown = if old { token.as_str() } else { "[REDACTED] Use 'sf org auth show-access-token' to view" };
        let script = format!(
            "case \"$*\" in\n  'org display --json --target-org acme uat') echo '{{\"status\":0,\"result\":{{\"id\":\"x\",\"accessToken\":\"'\"{shown}\"'\",\"instanceUrl\":\"{url}\",\"username\":\"{USER}\"}}}}' ;;\n  'org auth show-access-token --json --target-org acme uat') echo '{{\"status\":0,\"result\":{{\"accessToken\":\"{token}\"}},\"warnings\":[\"w\"]}}' ;;\n  *) exit 9 ;;\nesac"
        );
        sf(&mut place, &script);
        place.orgs("sandbox", "", "{ flow: sf_cli, target_org: acme uat }");
        place
            .scene
            .run(&["orgs", "connect", "acme"])
            .exits(0)
            .says("sf_cli; nothing is kept")
            .says(USER)
            .never_says(&token);
        place.scene.run(&["plan", "counts"]).exits(0);
        let log = place.scene.read("sf.log");
        assert!(!log.contains(&token), "{log}");
        // The session ends, and `sf` has no other.
        place.scene.org().revoke_sessions();
        place
            .scene
            .run(&["plan", "counts"])
            .exits(7)
            .says("no longer takes the session that `sf` has")
            .says("sf org login web");
        place.scene.run(&["orgs", "disconnect", "acme"]).exits(0).says("sf org logout");
    }
}

#[test]
fn what_sf_cannot_do_is_told() {
    let mut place = Place::new();
    place.orgs("sandbox", &place.pin(), "{ flow: sf_cli, target_org: nobody }");
    sf(
        &mut place,
        "echo '{\"name\":\"NamedOrgNotFoundError\",\"message\":\"No authorization information found for nobody.\",\"exitCode\":1}'; exit 1",
    );
    place.scene.run(&["plan", "counts"]).exits(7).says("No authorization information found").says("sf org list");
    sf(&mut place, "echo 'MARKED words'");
    place.scene.run(&["orgs", "connect", "acme"]).exits(7).says("did not answer with JSON").never_says("MARKED");
    place.scene.set("PATH", "/nowhere");
    place.scene.run(&["plan", "counts"]).exits(7).says("`sf` is not on the path");
    // An address that is none.
    place.scene.set("SFDX_AUTH_URL", "https://MARKED");
    place.orgs("sandbox", &place.pin(), "{ flow: sf_cli, auth_url: \"${SFDX_AUTH_URL}\" }");
    place.scene.run(&["plan", "counts"]).exits(7).says("SFDX_AUTH_URL holds no address").never_says("MARKED");
}

fn device(place: &Place) -> (LogIn, String) {
    place.orgs("sandbox", "", "{ flow: device, client_id: people }");
    let mut log_in = place.start(&["orgs", "connect", "acme"]);
    assert!(log_in.address.ends_with("/setup/connect"), "{}", log_in.address);
    let code = loop {
        let line = log_in.line();
        if line.trim().len() == 8 && !line.contains(' ') || line.starts_with("  ") && line.trim().len() == 8 {
            break line.trim().to_owned();
        }
    };
    (log_in, code)
}

#[test]
fn a_person_logs_in_on_another_device() {
    let place = Place::with(", rotation: true", "");
    let (log_in, code) = device(&place);
    place.scene.org().judge_device(&code, USER, true).unwrap();
    log_in.ends().exits(0).says("Connected: acme (sandbox)").says("device; kept in").says(USER);
    place.scene.run(&["plan", "counts"]).exits(0);
    place.scene.org().revoke_sessions();
    place.scene.run(&["plan", "counts"]).exits(0);
    place.scene.run(&["orgs", "list"]).exits(0).says("device").says("connected");
}

#[test]
fn a_device_that_is_denied_late_or_blocked_is_told_what_to_do() {
    let place = Place::new();
    let (log_in, code) = device(&place);
    place.scene.org().judge_device(&code, USER, false).unwrap();
    log_in.ends().exits(7).says("denied").says("nothing was kept");
    let log_in = place.start(&["orgs", "connect", "acme", "--wait", "1"]);
    log_in.ends().exits(7).says("nobody logged in within 1 s").says("if Salesforce's page showed an error");
    // An app that is not known is not a blocked one.
    place.orgs("sandbox", "", "{ flow: device, client_id: nobody }");
    let ran = place.scene.run(&["orgs", "connect", "acme", "--no-browser"]).exits(7);
    ran.says("consumer key").never_says("blocks the device flow");
    place.orgs("sandbox", "", "{ flow: device, client_id: people }");
    for change in ["off", "not installed"] {
        place
            .scene
            .org()
            .change_client("people", |app| match change {
                "off" => app.device_flow = false,
                _ => (app.device_flow, app.installed) = (true, false),
            })
            .unwrap();
        let ran = place.scene.run(&["orgs", "connect", "acme", "--no-browser"]).exits(7);
        ran.says("blocks the device flow").says("flow: browser");
    }
}

#[test]
fn the_browsers_log_in_can_be_done_on_a_device_for_once() {
    let place = Place::new();
    let mut log_in = place.start(&["orgs", "connect", "acme", "--flow", "device"]);
    let code = loop {
        let line = log_in.line();
        if line.starts_with("  ") && line.trim().len() == 8 {
            break line.trim().to_owned();
        }
    };
    place.scene.org().judge_device(&code, USER, true).unwrap();
    log_in.ends().exits(0);
    place.scene.run(&["plan", "counts"]).exits(0);
}

#[test]
fn disconnecting_revokes_at_salesforce_and_forgets() {
    let place = Place::new();
    place.connect();
    place
        .scene
        .run(&["orgs", "disconnect", "acme"])
        .exits(0)
        .says("revoked at Salesforce")
        .says("forgotten on this machine");
    assert!(place.scene.org().calls().iter().any(|c| c.path == "/services/oauth2/revoke" && c.status == 200));
    place
        .scene
        .run(&["plan", "counts"])
        .exits(7)
        .says("not connected")
        .says("footbridge orgs connect acme --env sandbox");
    place
        .scene
        .run(&["orgs", "disconnect", "acme"])
        .exits(0)
        .says("nothing is kept")
        .says("Connected Apps OAuth Usage");
}

#[test]
fn a_revocation_that_fails_is_told_and_nothing_is_forgotten_unless_forced() {
    let place = Place::new();
    place.connect();
    place
        .scene
        .org()
        .faults("- on: { path: oauth2/revoke, times: 0 }\n  action: { status: { code: 500, body: '' } }\n")
        .unwrap();
    let ran = place.scene.run(&["orgs", "disconnect", "acme"]).exits(1);
    ran.says("not revoked").says("still kept here").says("--force").says("Setup > Connected Apps OAuth Usage");
    place.scene.run(&["plan", "counts"]).exits(0);
    place
        .scene
        .run(&["orgs", "disconnect", "acme", "--force"])
        .exits(0)
        .says("not revoked")
        .says("forgotten on this machine");
    place.scene.run(&["orgs", "list"]).exits(0).says("not connected");
    // Ended by an admin before.
    place.scene.org().clear_faults();
    place.connect();
    place.scene.org().faults("- on: { path: oauth2/revoke }\n  action: { status: { code: 400, body: '{\"error\":\"unsupported_token_type\",\"error_description\":\"this token type is not supported\"}' } }\n").unwrap();
    place.scene.run(&["orgs", "disconnect", "acme"]).exits(0).says("had ended already").says("forgotten");
}

#[test]
fn a_dead_log_in_is_found_before_anything_is_done_and_names_what_mends_it() {
    let place = Place::new();
    place.connect();
    place.scene.org().revoke_sessions();
    place.scene.org().change_user(USER, |user| user.active = false).unwrap();
    place.scene.org().clear_calls();
    for command in [&["plan", "counts"] as &[&str], &["apply", "counts", "--yes"], &["validate", "--online"]] {
        place.scene.run(command).exits(7).says("acme (sandbox)").says("footbridge orgs connect acme --env sandbox");
    }
    assert_eq!(place.scene.write_calls(), 0);
    assert!(place.scene.org().calls().iter().all(|c| c.status >= 400), "nothing was read");
    place.scene.run(&["orgs", "list"]).exits(0).says("ended: user is inactive");
    place.scene.org().change_user(USER, |user| user.active = true).unwrap();
    place.scene.run(&["plan", "counts"]).exits(0);
    place.scene.run(&["orgs", "list"]).exits(0).says("connected");
}

#[test]
fn names_that_are_not_there_are_told_with_the_nearest() {
    let place = Place::new();
    place.scene.run(&["orgs", "connect", "acne"]).exits(3).says("did you mean `acme`?");
    place.scene.run(&["orgs", "connect", "acme", "--env", "production"]).exits(3).says("has no production");
    place.scene.run(&["orgs", "pin", "acme"]).exits(3).says("--env");
}

#[test]
fn plans_may_be_logged_in_as_somebody_else() {
    let place = Place::new();
    let own = "{ flow: access_token, token: \"${ORG_TOKEN}\" }";
    place.scene.run(&["orgs", "connect", "acme", "--plans"]).exits(3).says("no log-in of plans");
    place.orgs("sandbox", &format!("{}\nplan_auth: {}", place.pin(), place.browser()), own);
    place.scene.run(&["plan", "counts"]).exits(7).says("footbridge orgs connect acme --env sandbox --plans");
    let log_in = place.start(&["orgs", "connect", "acme", "--plans"]);
    log_in.visit(&place.scene.org().authorize(&log_in.address, USER, true).unwrap());
    log_in.ends().exits(0).says("acme (sandbox, plan_auth)");
    place.scene.run(&["plan", "counts"]).exits(0);
    place.scene.run(&["orgs", "list"]).exits(0).says("sandbox (plan_auth)").says("browser").says("access_token");
    place.scene.run(&["apply", "counts", "--yes"]).exits(0);
    place.scene.run(&["orgs", "disconnect", "acme", "--plans"]).exits(0).says("revoked at Salesforce");
    place.scene.run(&["plan", "counts"]).exits(7);
}

#[test]
fn a_mistake_in_an_integration_does_not_keep_anybody_from_connecting() {
    let place = Place::new();
    place.scene.write("integrations/broken.yaml", "footbridge: 1\nkind: integration\nname: Broken!\n");
    place.connect();
    place.scene.run(&["orgs", "list"]).exits(0).says("connected");
    place.scene.run(&["plan", "counts"]).exits(3);
    place
        .scene
        .write("integrations/orgs.yaml", "footbridge: 1\nkind: orgs\nacme: { sandbox: { domain: evil.example } }\n");
    place.scene.run(&["orgs", "list"]).exits(3).says("evil.example");
}
