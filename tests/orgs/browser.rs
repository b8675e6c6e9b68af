//! The log-in in the browser: what goes well, and every answer that is refused.

use super::{Place, USER, ask, get, parameter, with_parameter};

#[test]
fn a_person_logs_in_once_and_every_command_works_from_then_on() {
    let place = Place::new();
    place
        .scene
        .run(&["plan", "counts"])
        .exits(7)
        .says("has no `org_id:` yet")
        .says("footbridge orgs connect acme --env sandbox");
    let id = place.scene.org().org_id();
    let ran = place
        .connect()
        .says("Connected: acme (sandbox)")
        .says(USER)
        .says(&format!("Acme GmbH, {id}"))
        .says("a sandbox")
        .says("version 66.0")
        .says("browser; kept in .footbridge/tokens.age")
        .says(&format!("Wrote org_id: {id} to integrations/orgs.yaml, line 7."));
    assert!(!ran.out.contains("production"), "{}", ran.out);
    let orgs = place.scene.read("integrations/orgs.yaml");
    assert!(orgs.contains(&format!("   # Setup\n    org_id: {id}\n    auth:")) && orgs.contains("# ours"), "{orgs}");
    // No log-in from here on: the session is kept.
    place.scene.org().clear_calls();
    place.scene.run(&["plan", "counts"]).exits(0).says("7");
    place.scene.run(&["apply", "counts", "--yes"]).exits(0).says("1 of 1");
    assert!(place.renewals().is_empty());
    // It ends, and is renewed.
    place.scene.org().revoke_sessions();
    place.scene.run(&["validate", "--online"]).exits(0);
    place.scene.run(&["validate", "--online"]).exits(0);
    assert_eq!(place.renewals(), [200]);
    place.scene.run(&["orgs", "list"]).exits(0).says("connected").says(USER).says("browser").says(&id);
    // Again, with the pin in place.
    let again = place.connect();
    assert!(!again.out.contains("Wrote"), "{}", again.out);
    assert_eq!(place.scene.read("integrations/orgs.yaml"), orgs);
}

#[test]
fn what_was_reached_is_told_as_data_too() {
    let place = Place::new();
    let log_in = place.start(&["orgs", "connect", "acme", "--json"]);
    log_in.visit(&place.scene.org().authorize(&log_in.address, USER, true).unwrap());
    let ran = log_in.ends().exits(0);
    let data: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(data["org_id"], place.scene.org().org_id());
    assert_eq!((&data["user"], &data["is_sandbox"], &data["flow"]), (&USER.into(), &true.into(), &"browser".into()));
    assert_eq!(data["written"]["line"], 7);
    let list = place.scene.run(&["orgs", "list", "--json"]).exits(0);
    let list: serde_json::Value = serde_json::from_str(&list.out).unwrap();
    assert_eq!((&list["orgs"][0]["state"], &list["orgs"][0]["user"]), (&"connected".into(), &USER.into()));
}

#[test]
fn the_address_asks_for_what_is_needed_and_holds_no_secret() {
    let place = Place::new();
    let log_in = place.start(&["orgs", "connect", "acme"]);
    let asked = |name: &str| parameter(&log_in.address, name);
    assert_eq!((asked("response_type"), asked("code_challenge_method")), ("code".into(), "S256".into()));
    assert_eq!(asked("scope"), "api refresh_token");
    assert_eq!(asked("redirect_uri"), format!("http://localhost:{}/OauthRedirect", place.port));
    assert_eq!(asked("code_challenge").len(), 43);
    assert!(asked("state").len() >= 40);
    assert!(!log_in.address.contains("verifier") && !log_in.address.contains("secret"));
    log_in.visit(&place.scene.org().authorize(&log_in.address, USER, false).unwrap());
    log_in.ends().exits(7).says("access_denied").says("end-user denied authorization").says("nothing was kept");
    place.scene.run(&["orgs", "list"]).exits(0).says("not connected");
}

#[test]
fn an_answer_with_another_state_is_refused() {
    let place = Place::new();
    for changed in [
        |location: &str| with_parameter(location, "state", "somebody-elses"),
        |location: &str| location.replace("state=", "stat="),
        |location: &str| format!("{location}&state=twice"),
    ] {
        let log_in = place.start(&["orgs", "connect", "acme"]);
        let location = place.scene.org().authorize(&log_in.address, USER, true).unwrap();
        let page = log_in.visit(&changed(&location));
        assert!(page.starts_with("HTTP/1.1 400 ") && page.contains("Not logged in"), "{page}");
        // A right answer comes too late.
        let late = get(place.port, &location);
        assert!(late.is_err() || late.unwrap().starts_with("HTTP/1.1 410 "));
        let ran = log_in.ends().exits(7).says("nothing was kept");
        assert!(ran.err.contains("its state differs") || ran.err.contains("no answer of Salesforce's"), "{}", ran.err);
    }
    assert!(place.renewals().is_empty(), "no code is exchanged");
    place.scene.run(&["orgs", "list"]).exits(0).says("not connected");
    assert!(!place.scene.read("integrations/orgs.yaml").contains("org_id"));
}

#[test]
fn a_code_that_was_used_or_belongs_to_another_log_in_is_refused() {
    let place = Place::new();
    let first = place.start(&["orgs", "connect", "acme"]);
    let used = place.scene.org().authorize(&first.address, USER, true).unwrap();
    first.visit(&used);
    first.ends().exits(0);
    let second = place.start(&["orgs", "connect", "acme"]);
    let state = parameter(&second.address, "state");
    let page = second.visit(&with_parameter(&used, "state", &state));
    assert!(page.starts_with("HTTP/1.1 400 "), "{page}");
    second.ends().exits(7).says("invalid_grant").never_says(&parameter(&used, "code"));
}

#[test]
fn another_path_host_or_method_is_no_answer_and_the_log_in_goes_on() {
    let place = Place::new();
    let log_in = place.start(&["orgs", "connect", "acme"]);
    let location = place.scene.org().authorize(&log_in.address, USER, true).unwrap();
    let path = location.split_once(&format!(":{}", place.port)).unwrap().1;
    let own = format!("localhost:{}", place.port);
    for (method, path, host, status) in [
        ("GET", "/favicon.ico", own.as_str(), 404),
        ("GET", &path.replace("/OauthRedirect", "/other"), &own, 404),
        ("GET", &path.replace("/OauthRedirect", "/OauthRedirect/"), &own, 404),
        ("GET", path, "evil.example", 404),
        ("GET", path, &format!("evil.example:{}", place.port), 404),
        ("POST", path, &own, 405),
    ] {
        let answer = ask(place.port, method, path, host).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{method} {path} {host}: {answer}");
        assert!(!answer.contains("aPrx"));
    }
    let page = log_in.visit(&location);
    for word in ["200 OK", "referrer-policy: no-referrer", "cache-control: no-store", "default-src 'none'", "Logged in"]
    {
        assert!(page.contains(word), "no {word} in {page}");
    }
    assert!(!page.contains("aPrx") && !page.contains(USER) && !page.contains("00D"), "{page}");
    log_in.ends().exits(0);
}

/// Sockets of this machine that listen at a port, by their address in `/proc`.
#[cfg(target_os = "linux")]
fn listeners(port: u16) -> Vec<String> {
    let all = ["/proc/net/tcp", "/proc/net/tcp6"].map(|file| std::fs::read_to_string(file).unwrap_or_default());
    let lines = all.iter().flat_map(|text| text.lines().skip(1));
    let at = |line: &str| {
        let mut parts = line.split_whitespace();
        let (address, number) = parts.nth(1)?.split_once(':')?;
        let listens = parts.nth(1)? == "0A";
        (listens && u16::from_str_radix(number, 16) == Ok(port)).then(|| address.to_owned())
    };
    lines.filter_map(at).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn it_listens_on_this_machine_alone_and_stops_with_the_first_answer() {
    let place = Place::new();
    let log_in = place.start(&["orgs", "connect", "acme"]);
    let found = listeners(place.port);
    assert!(!found.is_empty());
    for address in found {
        assert!(address == "0100007F" || address == "00000000000000000000000001000000", "{address}");
    }
    // The exchange is held up: the answer has come, and a second one is not heard.
    place.scene.org().faults("- on: { path: oauth2/token }\n  action: { delay: 100000 }\n").unwrap();
    let location = place.scene.org().authorize(&log_in.address, USER, true).unwrap();
    let (port, first) = (place.port, location.clone());
    let browser = std::thread::spawn(move || get(port, &first));
    crate::faults::until("the exchange", || place.scene.org().held() == 1);
    let second = log_in.visit(&location);
    assert!(second.starts_with("HTTP/1.1 410 "), "{second}");
    place.scene.org().clear_faults();
    log_in.kill();
    let page = browser.join().unwrap().unwrap_or_default();
    assert!(!page.contains("Logged in"), "{page}");
    place.connect();
    assert!(listeners(place.port).is_empty());
    assert!(get(place.port, "/OauthRedirect").is_err());
}

#[test]
fn nobody_who_comes_back_in_time_gets_advice_with_the_callback() {
    let place = Place::new();
    place.scene.org().change_client("people", |app| app.callbacks = vec!["http://localhost:9/other".into()]).unwrap();
    let log_in = place.start(&["orgs", "connect", "acme", "--wait", "1"]);
    let shown = place.scene.org().authorize(&log_in.address, USER, true).unwrap_err().to_string();
    assert!(shown.contains("redirect_uri_mismatch"), "{shown}");
    log_in
        .ends()
        .exits(7)
        .says("nobody came back within 1 s")
        .says(&format!("http://localhost:{}/OauthRedirect", place.port))
        .says("redirect_uri_mismatch");
}

#[test]
fn a_port_that_is_taken_is_told_before_anybody_logs_in() {
    let place = Place::new();
    let _taken = std::net::TcpListener::bind(("127.0.0.1", place.port)).unwrap();
    place
        .scene
        .run(&["orgs", "connect", "acme", "--no-browser"])
        .exits(1)
        .says(&format!("port {} of this machine is taken", place.port))
        .says("callback:");
}

#[test]
fn an_app_that_is_not_installed_shows_salesforces_page_and_nothing_comes() {
    let place = Place::with(", installed: false", "");
    let log_in = place.start(&["orgs", "connect", "acme", "--wait", "1"]);
    let shown = place.scene.org().authorize(&log_in.address, USER, true).unwrap_err().to_string();
    assert!(shown.contains("OAUTH_APPROVAL_ERROR_GENERIC"), "{shown}");
    log_in.ends().exits(7).says("nobody came back");
}

#[test]
fn in_ci_nobody_is_waited_for() {
    let mut place = Place::new();
    place.scene.set("CI", "true");
    place.scene.run(&["orgs", "connect", "acme"]).exits(7).says("in CI nobody can log in").says("flow: jwt");
    place.orgs("sandbox", &place.pin(), &place.browser());
    place.scene.run(&["plan", "counts"]).exits(7).says("not connected").says("flow: jwt");
}
