//! Log-ins that come to nothing, with everything marked: an answer of somebody else's, a code that was used, a refusal, a port that is taken.

use super::*;
use crate::orgs::{free_port, get, parameter, with_parameter};

const USER: &str = "admin@emulator.example";
const CONNECT: [&str; 5] = ["orgs", "connect", "acme", "--no-browser", "-vv"];

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
