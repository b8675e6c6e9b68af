//! The key in the operating system's keyring: a real one (GNOME Keyring; Debian: `gnome-keyring`, `dbus`) on a bus of its own.
//!
//! Where it is not installed, a test says so aloud and is left out; with `CI` set it fails.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};

use super::Place;
use crate::faults::until;

const KEY: &str = "home/.config/footbridge/key";
const STORE: &str = ".footbridge/tokens.age";

/// A bus with nothing on it but what a test starts.
const BUS: &str = "<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen><auth>EXTERNAL</auth>\
<policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>";

/// A keyring, and the bus that it answers on.
struct Keyring {
    bus: Child,
    daemon: Option<Child>,
    address: String,
    home: tempfile::TempDir,
}

impl Keyring {
    /// `None` where there is none to start.
    fn start() -> Option<Self> {
        let home = tempfile::tempdir().unwrap();
        std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        let config = home.path().join("bus.conf");
        std::fs::write(&config, BUS).unwrap();
        let mut bus = Command::new("dbus-daemon");
        bus.arg("--config-file").arg(&config).args(["--nofork", "--print-address=1"]);
        let mut bus = installed(bus.stdout(Stdio::piped()).stderr(Stdio::null()).spawn())?;
        let mut address = String::new();
        BufReader::new(bus.stdout.take().unwrap()).read_line(&mut address).unwrap();
        let mut keyring = Self { bus, daemon: None, address: address.trim().to_owned(), home };
        let mut daemon = Command::new("gnome-keyring-daemon");
        daemon.args(["--foreground", "--unlock", "--components=secrets"]);
        daemon.env("DBUS_SESSION_BUS_ADDRESS", &keyring.address).env("HOME", keyring.home.path());
        daemon.env("XDG_RUNTIME_DIR", keyring.home.path()).env("XDG_DATA_HOME", keyring.home.path().join("share"));
        let mut daemon = installed(daemon.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn())?;
        daemon.stdin.take().unwrap().write_all(b"open sesame").unwrap();
        keyring.daemon = Some(daemon);
        until("the keyring", || keyring.answers());
        Some(keyring)
    }

    fn answers(&self) -> bool {
        let mut ask = Command::new("dbus-send");
        ask.args([
            "--session",
            "--print-reply",
            "--dest=org.freedesktop.DBus",
            "/",
            "org.freedesktop.DBus.NameHasOwner",
        ]);
        let said = ask.arg("string:org.freedesktop.secrets").env("DBUS_SESSION_BUS_ADDRESS", &self.address).output();
        String::from_utf8_lossy(&said.unwrap().stdout).contains("boolean true")
    }

    /// Locks everything that it holds, as at a log-off. Nobody is there who could open it.
    fn lock(&self) {
        let mut ask = Command::new("dbus-send");
        ask.args(["--session", "--print-reply", "--dest=org.freedesktop.secrets", "/org/freedesktop/secrets"]);
        ask.args(["org.freedesktop.Secret.Service.Lock", "array:objpath:/org/freedesktop/secrets/collection/login"]);
        let said = ask.env("DBUS_SESSION_BUS_ADDRESS", &self.address).output().unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    }

    /// Lets the commands of this place ask it.
    fn give(&self, place: &mut Place) {
        place.scene.set("FOOTBRIDGE_KEYRING", "on");
        place.scene.set("DBUS_SESSION_BUS_ADDRESS", &self.address);
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        for process in [self.daemon.as_mut(), Some(&mut self.bus)].into_iter().flatten() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn installed(started: std::io::Result<Child>) -> Option<Child> {
    match started {
        Ok(process) => Some(process),
        Err(error) => {
            assert!(std::env::var("CI").is_err(), "CI needs a keyring (Debian: dbus gnome-keyring): {error}");
            crate::scene::left_out(&format!(
                "no keyring to start (Debian: apt-get install dbus gnome-keyring): {error}"
            ));
            None
        }
    }
}

#[test]
fn the_keyring_keeps_the_key_and_no_file_does() {
    let Some(keyring) = Keyring::start() else { return };
    let mut place = Place::new();
    keyring.give(&mut place);
    place.connect().says("the key is in this system's keyring").never_says("AGE-SECRET-KEY");
    assert!(!place.scene.path(KEY).exists());
    assert!(std::fs::read(place.scene.path(STORE)).unwrap().starts_with(b"age-encryption.org/v1\n"));
    place.scene.run(&["plan", "counts"]).exits(0);
    // Another log-in goes under the same key.
    place.connect().says("the key is in this system's keyring");
    place.scene.run(&["plan", "counts"]).exits(0);
    // Without it the store stays shut, and stays.
    let sealed = std::fs::read(place.scene.path(STORE)).unwrap();
    place.scene.set("FOOTBRIDGE_KEYRING", "off");
    place.scene.run(&["plan", "counts"]).exits(7).says("there is no key for");
    place.scene.set("FOOTBRIDGE_KEYRING", "on");
    place.scene.set("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus");
    for command in [&["plan", "counts"] as &[&str], &["orgs", "list"], &["orgs", "connect", "acme"]] {
        place.scene.run(command).exits(7).says("there is no key for").says("this system's keyring could not be used");
    }
    assert_eq!(std::fs::read(place.scene.path(STORE)).unwrap(), sealed);
    assert!(!place.scene.path(KEY).exists());
}

#[test]
fn a_keyring_that_is_locked_or_away_is_told_and_a_file_takes_its_place() {
    let Some(keyring) = Keyring::start() else { return };
    keyring.lock();
    let mut place = Place::new();
    keyring.give(&mut place);
    place.connect().says(".config/footbridge/key").says("this system's keyring could not be used");
    assert!(place.scene.read(KEY).contains("AGE-SECRET-KEY-1"));
    place.scene.run(&["plan", "counts"]).exits(0);
    let mut place = Place::new();
    place.scene.set("FOOTBRIDGE_KEYRING", "on");
    place.scene.set("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus");
    place.connect().says(".config/footbridge/key").says("this system's keyring could not be used");
    place.scene.run(&["plan", "counts"]).exits(0);
}

#[test]
fn what_is_there_already_stays_the_key() {
    let Some(keyring) = Keyring::start() else { return };
    let mut place = Place::new();
    place.connect().says(".config/footbridge/key");
    keyring.give(&mut place);
    let key = place.scene.read(KEY);
    place.connect().says(".config/footbridge/key");
    assert_eq!(place.scene.read(KEY), key);
    place.scene.run(&["plan", "counts"]).exits(0);
    // `FOOTBRIDGE_KEY` goes before both.
    place.scene.set("FOOTBRIDGE_KEY", "correct horse battery staple");
    place.scene.run(&["plan", "counts"]).exits(7).says("does not open with this key");
}

#[test]
fn a_key_file_made_meanwhile_does_not_shut_what_is_under_the_keyrings_key() {
    let Some(keyring) = Keyring::start() else { return };
    let mut one = Place::new();
    keyring.give(&mut one);
    one.connect().says("the key is in this system's keyring");
    // The same person in another repository, by a way where no keyring answers.
    let mut two = Place::new();
    two.scene.set("HOME", one.scene.path("home").to_str().unwrap());
    two.connect().says(".config/footbridge/key");
    assert!(one.scene.path(KEY).exists());
    for _ in 0..2 {
        one.scene.run(&["plan", "counts"]).exits(0);
        two.scene.run(&["plan", "counts"]).exits(0);
        one.connect().says("the key is in this system's keyring");
    }
    one.scene.set("FOOTBRIDGE_KEYRING", "off");
    one.scene.run(&["plan", "counts"]).exits(7).says("does not open with this key").says("keyring");
}

#[test]
fn a_keyring_that_does_not_answer_is_not_waited_for_where_nobody_is() {
    let Some(keyring) = Keyring::start() else { return };
    let mut place = Place::new();
    keyring.give(&mut place);
    place.connect();
    let daemon = keyring.daemon.as_ref().unwrap().id().to_string();
    let signal = |name: &str| assert!(Command::new("kill").args([name, &daemon]).status().unwrap().success());
    signal("-STOP");
    let ran = place.scene.run(&["plan", "counts"]);
    signal("-CONT");
    ran.exits(7).says("it gave no answer within 3 seconds");
    place.scene.run(&["plan", "counts"]).exits(0);
    // In CI it is asked on demand alone.
    place.scene.set("CI", "true");
    place.scene.set("FOOTBRIDGE_KEYRING", "");
    place.scene.run(&["plan", "counts"]).exits(7).says("there is no key for").never_says("keyring could not");
    place.scene.set("FOOTBRIDGE_KEYRING", "on");
    place.scene.run(&["plan", "counts"]).exits(0);
}
