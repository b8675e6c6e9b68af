//! Log-ins that come to nothing, with everything marked: an answer of somebody else's, a code that was used, a refusal, a port that is taken, a device
//! that is refused or blocked, another org, a store that is damaged.

use super::*;
use crate::orgs::{free_port, get, parameter, with_parameter};

const USER: &str = "admin@emulator.example";
const CONNECT: [&str; 5] = ["orgs", "connect", "acme", "--no-browser", "-vv"];
const DEVICE: &str = "{ flow: device, client_id: app, client_secret: \"${CLIENT_SECRET}\" }";

/// An app for people, with a key for what is kept.
fn people(app: &str) -> (Marked, u16) {
    let port = free_port();
    let auth = BROWSER.replace("PORT", &port.to_string());
    let callbacks = format!(", callbacks: ['http://localhost:{port}/OauthRedirect']{app}");
    let mut marked = Marked::with(&auth, &callbacks);
    let identity = footbridge::vault::Key::generate().1.expose().to_owned();
    marked.job.scene.set("FOOTBRIDGE_KEY", &identity);
    marked.issued.push(identity);
    (marked, port)
}

/// The person's answer, as `changed`, and what comes of it.
#[track_caller]
fn answered(marked: &mut Marked, port: u16, allow: bool, changed: impl Fn(&str, &str) -> String) -> (Ran, String) {
    let log_in = Waiting::start(marked, &CONNECT);
    let location = marked.job.org().authorize(&log_in.address, USER, allow).unwrap();
    if allow {
        marked.issued.push(parameter(&location, "code"));
    }
    let page = get(port, &changed(&location, &log_in.address)).unwrap();
    let ran = log_in.ends(&page);
    let tokens = marked.job.org().tokens();
    marked.issued.extend(tokens);
    (ran, location)
}

#[test]
fn no_secret_comes_out_of_answers_that_are_refused() {
    let (mut marked, port) = people("");
    let (ran, _) = answered(&mut marked, port, true, |location, _| {
        with_parameter(location, "state", "MARKED-PASSPHRASE-of-somebody-else")
    });
    marked.clean("state differs", &ran.exits(7));
    let (ran, _) = answered(&mut marked, port, false, |location, _| location.to_owned());
    marked.clean("denied", &ran.exits(7));
    let (ran, used) = answered(&mut marked, port, true, |location, _| location.to_owned());
    marked.clean("connected", &ran.exits(0));
    let (ran, _) =
        answered(&mut marked, port, true, |_, address| with_parameter(&used, "state", &parameter(address, "state")));
    marked.clean("a code that was used", &ran.exits(7));
    let taken = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    marked.run("port taken", &CONNECT).exits(1);
    drop(taken);
}

#[test]
fn no_secret_comes_out_of_a_device_that_is_refused() {
    let (mut marked, _) = people(", device_flow: true");
    marked.job.scene.reach("sandbox", DEVICE);
    // The codes of a device are the org's to make: these are marked.
    let codes = json!({
        "device_code": "MARKED-PASSPHRASE-DEVICE", "user_code": "WDJBMJHT", "interval": 0,
        "verification_uri": format!("{}/setup/connect", marked.job.org().url()),
    });
    for answer in [
        r#"{"error":"access_denied","error_description":"MARKED-PASSPHRASE-DEVICE CLIENT ENCODED"}"#,
        r#"{"error":"MARKED-PASSPHRASE-DEVICE","error_description":"CLIENT"}"#,
        r#"{"error":"invalid_grant","error_description":"device_code=MARKED-PASSPHRASE-DEVICE"}"#,
    ] {
        marked.faults(&format!(
            "- on: {{ path: oauth2/token }}\n  action: {{ status: {{ code: 200, body: '{codes}' }} }}\n\
             - on: {{ path: oauth2/token, times: 0 }}\n  action: {{ status: {{ code: 400, body: '{answer}' }} }}\n"
        ));
        marked.run(answer, &[&CONNECT[..], &["--wait", "5"]].concat()).exits(7);
    }
    marked.job.org().clear_faults();
    for allow in [false, true] {
        let mut log_in = Waiting::start(&marked, &CONNECT);
        let code = loop {
            let line = log_in.line();
            if line.len() == 8 && !line.contains(' ') {
                break line;
            }
        };
        marked.job.org().judge_device(&code, USER, allow).unwrap();
        let ran = log_in.ends("");
        let tokens = marked.job.org().tokens();
        marked.issued.extend(tokens);
        marked.clean("a device", &ran.exits(if allow { 0 } else { 7 }));
    }
    marked.run("kept", &["plan", "notes", "-vv"]).exits(0);
    marked.job.org().change_client("app", |app| app.device_flow = false).unwrap();
    marked.run("blocked", &CONNECT).exits(7);
}

#[test]
fn no_secret_comes_out_of_another_org() {
    for auth in [TOKEN, CLIENT, REFRESH, SF] {
        let marked = Marked::new(auth);
        let orgs = marked.job.scene.read("integrations/orgs.yaml");
        let other = orgs.replace(&marked.job.org().org_id(), "00D8d000008GjOIEA0");
        assert_ne!(orgs, other);
        marked.job.scene.write("integrations/orgs.yaml", &other);
        marked.run("another org", &["plan", "notes", "-vv"]).exits(7).says("FB0503");
        let record = marked.job.ids()[0].clone();
        for arguments in commands(&record) {
            // Whatever asks the org, but for what pins it anew.
            if ["plan", "apply", "drift", "undo", "validate", "orgs"].contains(&arguments[0]) && arguments[1] != "pin" {
                let ran = marked.run("another org", &arguments);
                assert_ne!(ran.code, 70, "{}", ran.err);
            }
        }
    }
}

#[test]
fn no_secret_comes_out_of_a_store_that_is_damaged() {
    let (mut marked, port) = people(", rotation: true");
    let (ran, _) = answered(&mut marked, port, true, |location, _| location.to_owned());
    marked.clean("connected", &ran.exits(0));
    let file = marked.job.scene.path(".footbridge/tokens.age");
    let whole = std::fs::read(&file).unwrap();
    let mut bent = whole.clone();
    let middle = bent.len() - 20;
    bent[middle] ^= 1;
    for (what, bytes) in [("cut", &whole[..whole.len() / 2]), ("bent", &bent), ("empty", &[]), ("other", b"MARKED")] {
        std::fs::write(&file, bytes).unwrap();
        for arguments in [
            &["plan", "notes", "-vv"] as &[&str],
            &["apply", "notes", "--yes", "-vv"],
            &["orgs", "list", "-vv"],
            &["orgs", "list", "--json"],
            &["orgs", "check", "acme", "-vv"],
            &CONNECT,
            &["orgs", "disconnect", "acme", "-vv"],
        ] {
            let ran = marked.run(what, arguments);
            assert!(ran.code != 0 && ran.code != 70, "{what} {arguments:?}: {}", ran.err);
        }
        assert_eq!(std::fs::read(&file).unwrap(), bytes, "it stays as it was");
    }
    std::fs::write(&file, whole).unwrap();
    marked.run("whole again", &["plan", "notes", "-vv"]).exits(0);
}
