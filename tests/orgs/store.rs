//! The store of tokens, from outside: its key, its damage, its crashes.

use std::os::unix::fs::PermissionsExt as _;

use super::{Place, USER};
use crate::faults::until;

const STORE: &str = ".footbridge/tokens.age";
const KEY: &str = "home/.config/footbridge/key";

#[test]
fn the_key_lies_outside_of_the_repository_and_both_files_are_this_users_alone() {
    let place = Place::new();
    place.connect();
    for name in [STORE, KEY] {
        let mode = place.scene.path(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    assert!(place.scene.read(KEY).contains("AGE-SECRET-KEY-1"));
    let sealed = std::fs::read(place.scene.path(STORE)).unwrap();
    assert!(sealed.starts_with(b"age-encryption.org/v1\n"));
    std::fs::set_permissions(place.scene.path(KEY), std::fs::Permissions::from_mode(0o644)).unwrap();
    place.scene.run(&["plan", "counts"]).exits(7).says("others may read the key").says("chmod 600");
}

#[test]
fn without_the_key_or_with_another_nothing_is_read_and_nothing_replaced() {
    let mut place = Place::new();
    place.connect();
    let sealed = std::fs::read(place.scene.path(STORE)).unwrap();
    let key = place.scene.read(KEY);
    std::fs::remove_file(place.scene.path(KEY)).unwrap();
    let commands = [
        &["plan", "counts"] as &[&str],
        &["orgs", "list"],
        &["orgs", "disconnect", "acme"],
        &["orgs", "connect", "acme"],
    ];
    place.scene.org().clear_calls();
    for command in commands {
        place.scene.run(command).exits(7).says("there is no key for").says("FOOTBRIDGE_KEY");
    }
    place.scene.set("FOOTBRIDGE_KEY", "another passphrase altogether");
    for command in commands {
        place.scene.run(command).exits(7).says("does not open with this key").never_says("altogether");
    }
    place.scene.set("FOOTBRIDGE_KEY", "AGE-SECRET-KEY-1MARKED");
    place.scene.run(&["plan", "counts"]).exits(7).says("age identity").never_says("MARKED");
    assert_eq!(std::fs::read(place.scene.path(STORE)).unwrap(), sealed);
    assert!(!place.scene.path(KEY).exists() && place.scene.org().calls().is_empty());
    place.scene.set("FOOTBRIDGE_KEY", &key);
    place.scene.run(&["plan", "counts"]).exits(0);
}

#[test]
fn a_passphrase_is_a_key_too() {
    let mut place = Place::new();
    place.scene.set("FOOTBRIDGE_KEY", "correct horse battery staple");
    place.connect().says("the key is FOOTBRIDGE_KEY");
    assert!(!place.scene.path(KEY).exists());
    place.scene.run(&["plan", "counts"]).exits(0);
    place.scene.set("FOOTBRIDGE_KEY", "short");
    place.scene.run(&["plan", "counts"]).exits(7).says("twelve characters");
}

#[test]
fn a_cut_or_changed_store_is_an_error_and_never_a_new_empty_one() {
    let place = Place::new();
    place.connect();
    let whole = std::fs::read(place.scene.path(STORE)).unwrap();
    let (half, mut changed) = (whole.len() / 2, whole.clone());
    changed[whole.len() - 20] ^= 1;
    for bytes in [&[] as &[u8], &whole[..half], &whole[..whole.len() - 1], &changed] {
        std::fs::write(place.scene.path(STORE), bytes).unwrap();
        for command in [
            &["plan", "counts"] as &[&str],
            &["orgs", "list"],
            &["orgs", "disconnect", "acme", "--force"],
            &["orgs", "connect", "acme", "--no-browser"],
        ] {
            // Connecting says so before anybody logs in for nothing.
            place.scene.run(command).exits(7).says("is damaged");
        }
        assert_eq!(std::fs::read(place.scene.path(STORE)).unwrap(), bytes);
    }
    std::fs::write(place.scene.path(STORE), &whole).unwrap();
    place.scene.run(&["plan", "counts"]).exits(0);
}

#[test]
fn a_crash_while_writing_keeps_the_old_store() {
    let mut place = Place::new();
    place.connect();
    let before = std::fs::read(place.scene.path(STORE)).unwrap();
    place.scene.set("FOOTBRIDGE_HOLD", "tokens");
    let log_in = place.start(&["orgs", "connect", "acme"]);
    let location = place.scene.org().authorize(&log_in.address, USER, true).unwrap();
    log_in.visit(&location);
    let folder = place.scene.path(".footbridge");
    let unfinished = || {
        let names = std::fs::read_dir(&folder).unwrap();
        names.flatten().any(|f| f.file_name().to_string_lossy().starts_with("tokens.age.new-"))
    };
    until("the new file", unfinished);
    log_in.kill();
    assert!(unfinished(), "left by the killed");
    assert_eq!(std::fs::read(place.scene.path(STORE)).unwrap(), before);
    place.scene.set("FOOTBRIDGE_HOLD", "");
    place.scene.run(&["plan", "counts"]).exits(0);
    place.connect();
    assert!(!unfinished(), "cleared away");
    place.scene.run(&["plan", "counts"]).exits(0);
}

#[test]
fn the_last_use_is_told() {
    let mut place = Place::new();
    place.scene.set("FOOTBRIDGE_NOW", "2026-11-22T09:00:00Z");
    place.connect();
    place.scene.set("FOOTBRIDGE_NOW", "2026-11-25T10:30:00Z");
    place.scene.run(&["plan", "counts"]).exits(0);
    place.scene.set("FOOTBRIDGE_NOW", "2026-11-25T12:30:00Z");
    let ran = place.scene.run(&["orgs", "list", "--json"]).exits(0);
    let data: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (&data["orgs"][0]["created"], &data["orgs"][0]["used"]),
        (&"2026-11-22T09:00:00Z".into(), &"2026-11-25T10:30:00Z".into())
    );
    place.scene.run(&["orgs", "list"]).exits(0).says("3 d").says("2 h");
}
