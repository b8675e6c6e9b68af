use super::*;
use crate::model::{EnvironmentName, OrgId, Secret};

fn at(text: &str) -> jiff::Timestamp {
    text.parse().unwrap()
}

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

fn connection(org: &str) -> Connection {
    let now = at("2026-11-22T09:00:00Z");
    Connection {
        org: org.to_owned(),
        environment: EnvironmentName::Sandbox,
        plans: false,
        flow: "browser".to_owned(),
        org_id: OrgId::parse("00D000000000001EAA").unwrap(),
        instance: "https://acme.my.salesforce.com".to_owned(),
        user_id: None,
        username: Some("ann@acme.example".to_owned()),
        client_id: "3MVG".to_owned(),
        access_token: Some(secret("00D!MARKED-ACCESS")),
        refresh_token: Some(secret("5Aep-MARKED-REFRESH")),
        rotates: None,
        successor_of: None,
        created: now,
        used: now,
        sent: None,
        ended: None,
    }
}

struct Scene {
    folder: tempfile::TempDir,
    key: Key,
}

impl Scene {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), key: Key::generate().0 }
    }

    fn path(&self) -> std::path::PathBuf {
        Vault::path(self.folder.path())
    }

    fn vault(&self) -> Vault {
        Vault::new(self.folder.path().to_owned(), self.key.clone())
    }

    /// With one log-in in it.
    fn filled() -> Self {
        let scene = Self::new();
        scene.vault().put(connection("acme")).unwrap();
        scene
    }
}

#[test]
fn what_is_kept_comes_back_and_can_be_changed_and_forgotten() {
    let scene = Scene::new();
    let vault = scene.vault();
    assert!(vault.all().unwrap().is_empty());
    vault.put(connection("zeta")).unwrap();
    vault.put(connection("acme")).unwrap();
    vault.put(Connection { client_id: "other".into(), ..connection("acme") }).unwrap();
    let all = vault.all().unwrap();
    assert_eq!(
        all.iter().map(|c| (c.org.as_str(), c.client_id.as_str())).collect::<Vec<_>>(),
        [("acme", "other"), ("zeta", "3MVG")]
    );
    assert_eq!(all[0].refresh_token.as_ref().unwrap().expose(), "5Aep-MARKED-REFRESH");
    // The log-in of plans is another one.
    vault.put(Connection { client_id: "reader".into(), plans: true, ..connection("acme") }).unwrap();
    assert_eq!(vault.all().unwrap().len(), 3);
    assert!(vault.remove(&Place { plans: true, ..connection("acme").place() }).unwrap());
    let place = connection("acme").place();
    assert!(vault.update(&place, |c| c.access_token = None).unwrap());
    assert!(vault.get(&place).unwrap().unwrap().access_token.is_none());
    assert!(vault.remove(&place).unwrap());
    assert!(!vault.remove(&place).unwrap() && !vault.update(&place, |_| ()).unwrap());
    assert_eq!(vault.all().unwrap().len(), 1);
}

#[cfg(unix)]
#[test]
fn the_file_is_this_users_alone_and_shows_nothing() {
    use std::os::unix::fs::PermissionsExt as _;
    let scene = Scene::filled();
    assert_eq!(scene.path().metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let bytes = std::fs::read(scene.path()).unwrap();
    for word in ["MARKED", "acme", "00D000000000001"] {
        assert!(!bytes.windows(word.len()).any(|w| w == word.as_bytes()), "{word}");
    }
    assert!(!format!("{:?} {:?}", connection("acme"), scene.vault()).contains("MARKED"));
}

#[test]
fn without_the_key_nothing_is_read_and_nothing_replaced() {
    let scene = Scene::filled();
    let before = std::fs::read(scene.path()).unwrap();
    for key in [Key::generate().0, Key::read(&secret("a passphrase of words")).unwrap()] {
        let other = Vault::new(scene.folder.path().to_owned(), key);
        assert!(matches!(other.all(), Err(VaultProblem::WrongKey { .. })), "{:?}", other.all());
        assert!(other.put(connection("other")).is_err() && other.remove(&connection("acme").place()).is_err());
    }
    assert_eq!(std::fs::read(scene.path()).unwrap(), before);
}

#[test]
fn a_cut_or_changed_file_is_an_error_wherever_it_was_cut_or_changed() {
    let scene = Scene::filled();
    let whole = std::fs::read(scene.path()).unwrap();
    let vault = scene.vault();
    for end in 0..whole.len() {
        std::fs::write(scene.path(), &whole[..end]).unwrap();
        assert!(vault.all().is_err(), "cut to {end} bytes");
        assert!(vault.put(connection("other")).is_err(), "cut to {end} bytes");
        assert_eq!(std::fs::read(scene.path()).unwrap().len(), end, "left as it is");
    }
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        std::fs::write(scene.path(), &changed).unwrap();
        assert!(vault.all().is_err(), "byte {at} changed");
    }
    std::fs::write(scene.path(), [whole.as_slice(), b"x"].concat()).unwrap();
    assert!(vault.all().is_err(), "something added");
    std::fs::write(scene.path(), &whole).unwrap();
    assert_eq!(vault.all().unwrap().len(), 1);
}

#[test]
fn a_passphrase_opens_what_it_closed() {
    let scene = Scene::new();
    let key = || Key::read(&secret("correct horse battery\n")).unwrap();
    let vault = Vault::new(scene.folder.path().to_owned(), key());
    vault.put(connection("acme")).unwrap();
    assert_eq!(Vault::new(scene.folder.path().to_owned(), key()).all().unwrap().len(), 1);
    let wrong = Key::read(&secret("correct horse batterz")).unwrap();
    let problem = Vault::new(scene.folder.path().to_owned(), wrong).all().unwrap_err();
    assert!(matches!(problem, VaultProblem::WrongKey { .. }), "{problem}");
}

#[test]
fn keys_are_read_as_age_writes_them_and_never_shown() {
    let (_, text) = Key::generate();
    let file = format!("# created: today\n# public key: age1…\n{}\n", text.expose());
    assert!(matches!(Key::read(&secret(&file)), Ok(Key::Identity(_))));
    for (text, word) in [
        ("AGE-SECRET-KEY-1MARKED", "is none"),
        ("short", "twelve"),
        ("", "twelve"),
        ("first line of words\nsecond line of words", "several lines"),
    ] {
        let problem = Key::read(&secret(text)).unwrap_err();
        assert!(problem.to_string().contains(word) && !format!("{problem:?}").contains("MARKED"), "{problem}");
    }
    assert_eq!(format!("{:?}", Key::generate().0), "Key(identity)");
}

#[test]
fn a_store_of_another_version_is_left_alone() {
    let scene = Scene::new();
    let sealed = scene.key.encrypt(br#"{"format":"footbridge tokens/9","connections":[],"more":1}"#).unwrap();
    std::fs::write(scene.path(), sealed).unwrap();
    let problem = scene.vault().all().unwrap_err();
    assert!(problem.to_string().contains("footbridge tokens/9"), "{problem}");
    assert!(scene.vault().put(connection("acme")).is_err());
}

#[test]
fn many_writers_lose_nothing() {
    let scene = Scene::new();
    std::thread::scope(|scope| {
        for n in 0..8 {
            let vault = scene.vault();
            scope.spawn(move || (0..5).for_each(|m| vault.put(connection(&format!("org{n}-{m}"))).unwrap()));
        }
    });
    assert_eq!(scene.vault().all().unwrap().len(), 40);
}

#[test]
fn one_turn_at_a_time_and_files_left_by_the_killed_are_cleared() {
    let scene = Scene::filled();
    std::fs::write(scene.folder.path().join("tokens.age.new-left"), "half").unwrap();
    let place = connection("acme").place();
    let count = std::sync::Mutex::new((0, 0));
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let vault = scene.vault();
                let _turn = Turn::take(scene.folder.path(), &place, &|| {}).unwrap();
                {
                    let mut now = count.lock().unwrap();
                    now.0 += 1;
                    now.1 = now.1.max(now.0);
                }
                vault.update(&place, |c| c.client_id.push('x')).unwrap();
                count.lock().unwrap().0 -= 1;
            });
        }
    });
    assert_eq!(*count.lock().unwrap(), (0, 1));
    assert_eq!(scene.vault().get(&place).unwrap().unwrap().client_id, "3MVGxxxxxx");
    assert!(!scene.folder.path().join("tokens.age.new-left").exists());
}

#[test]
fn a_refresh_token_is_uncertain_only_where_it_may_be_spent() {
    let sent = Some(at("2026-11-22T09:00:00Z"));
    let table = [(None, None, false), (sent, None, true), (sent, Some(true), true), (sent, Some(false), false)];
    for (sent, rotates, uncertain) in table {
        assert_eq!(Connection { sent, rotates, ..connection("acme") }.is_uncertain(), uncertain);
    }
}
