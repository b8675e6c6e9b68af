//! The key of the store: `FOOTBRIDGE_KEY`, else a file in this user's own configuration folder, outside of every repository, else the keyring of
//! the operating system.

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::repository::state_folder;
use crate::cli::tokens::keyring::{self, Said};
use crate::cli::world::World;
use crate::diag::{Code, Diagnostic};
use crate::model::Secret;
use crate::render::escape::Terminal;
use crate::vault::{Key, Vault, VaultProblem};

/// The variable with the key.
const VARIABLE: &str = "FOOTBRIDGE_KEY";

/// Where the key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyPlace {
    /// `FOOTBRIDGE_KEY`.
    Variable,
    /// This file.
    File {
        /// Where it lies.
        path: PathBuf,
        /// Why the keyring does not have it, where it was to have it.
        keyring: Option<String>,
    },
    /// The keyring of the operating system.
    Keyring,
}

impl std::fmt::Display for KeyPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            KeyPlace::Variable => f.write_str(VARIABLE),
            KeyPlace::File { path, keyring: None } => write!(f, "{}", path.display()),
            KeyPlace::File { path, keyring: Some(why) } => {
                write!(f, "{} (this system's keyring could not be used: {})", path.display(), Terminal(why))
            }
            KeyPlace::Keyring => f.write_str("in this system's keyring, as `footbridge`"),
        }
    }
}

/// Why the store cannot be used, and what to do.
#[derive(Debug)]
pub struct Unusable {
    what: String,
    help: String,
}

impl Unusable {
    /// In one line.
    pub fn text(&self) -> String {
        format!("{}; {}", self.what, self.help)
    }
}

impl From<VaultProblem> for Unusable {
    fn from(problem: VaultProblem) -> Self {
        let help = match &problem {
            VaultProblem::WrongKey { .. } => {
                format!(
                    "use the key that it was written with ({VARIABLE}, the key file of the user who connected, or that user's keyring)"
                )
            }
            VaultProblem::Damaged { path, .. } => format!(
                "nothing was taken from it or written to it; restore it, or delete {} and connect the orgs again",
                path.display()
            ),
            VaultProblem::Version { .. } => "use the newer version of Footbridge".to_owned(),
            VaultProblem::BadKey { .. } => format!("set {VARIABLE} to an age identity or to a passphrase"),
            VaultProblem::Io { .. } => "check the folder and its permissions".to_owned(),
        };
        Self { what: problem.to_string(), help }
    }
}

impl From<Unusable> for Failure {
    fn from(unusable: Unusable) -> Self {
        Failure::new(Exit::Unauthorised, Diagnostic::error(Code::StoreUnusable, unusable.what).help(unusable.help))
    }
}

fn unusable(what: impl Into<String>, help: impl Into<String>) -> Unusable {
    Unusable { what: what.into(), help: help.into() }
}

/// `~/.config/footbridge/key`, or where the system keeps such files.
fn key_file(world: &World) -> Option<PathBuf> {
    let folder = |name: &str| world.variable(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let own = if cfg!(windows) {
        folder("APPDATA")
    } else {
        folder("XDG_CONFIG_HOME")
            .filter(|f| f.is_absolute())
            .or_else(|| folder("HOME").map(|home| home.join(".config")))
    };
    own.map(|folder| folder.join("footbridge").join("key"))
}

/// Where the key was looked for.
enum Sought {
    Found(Key, KeyPlace),
    Nowhere {
        /// Why the keyring could not be asked.
        keyring: Option<String>,
    },
}

fn find(world: &World) -> Result<Sought, Unusable> {
    if let Some(text) = world.variable(VARIABLE).filter(|text| !text.trim().is_empty()) {
        return Ok(Sought::Found(Key::read(&Secret::new(text))?, KeyPlace::Variable));
    }
    if let Some((key, path)) = in_file(world)? {
        return Ok(Sought::Found(key, KeyPlace::File { path, keyring: None }));
    }
    match keyring::look(world) {
        Said::Key(text) => {
            let bad =
                |e| unusable(format!("what this system's keyring has as `footbridge`: {e}"), "restore that entry");
            Ok(Sought::Found(Key::read(&text).map_err(bad)?, KeyPlace::Keyring))
        }
        Said::Nothing => Ok(Sought::Nowhere { keyring: None }),
        Said::Closed(why) => Ok(Sought::Nowhere { keyring: Some(why) }),
    }
}

fn in_file(world: &World) -> Result<Option<(Key, PathBuf)>, Unusable> {
    let Some(path) = key_file(world) else { return Ok(None) };
    let cannot = |e: &std::io::Error| {
        unusable(format!("the key {} cannot be read: {e}", path.display()), "check its permissions")
    };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => Secret::new(text),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(cannot(&error)),
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&path).map_err(|e| cannot(&e))?.permissions().mode();
        if mode & 0o077 != 0 {
            let help = format!("run: chmod 600 {}", path.display());
            return Err(unusable(format!("others may read the key {}", path.display()), help));
        }
    }
    let key = Key::read(&text).map_err(|e| unusable(format!("{}: {e}", path.display()), "restore the file"))?;
    Ok(Some((key, path)))
}

/// Makes a key: in the keyring where there is one that takes it, else in a file. Never over one that is there.
fn make(world: &World) -> Result<(Key, KeyPlace), Unusable> {
    let help = format!("set {VARIABLE} to an age identity (`age-keygen` makes one) or to a passphrase");
    let path = key_file(world).ok_or_else(|| unusable("there is no home folder for the key of the log-ins", &help))?;
    let cannot = |e: std::io::Error| unusable(format!("the key {} cannot be made: {e}", path.display()), &help);
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(cannot)?;
    // One process makes it; another that waited here finds it.
    let turn = std::fs::OpenOptions::new().create(true).append(true).open(folder.join("key.lock")).map_err(cannot)?;
    turn.lock().map_err(cannot)?;
    let keyring = match find(world)? {
        Sought::Found(key, place) => return Ok((key, place)),
        Sought::Nowhere { keyring } => keyring,
    };
    let (key, text) = Key::generate();
    let keyring = match keyring {
        None if keyring::is_on(world) => match keyring::keep(world, &text) {
            Ok(()) => return Ok((key, KeyPlace::Keyring)),
            Err(why) => Some(why),
        },
        said => said,
    };
    let mut file = tempfile::Builder::new().prefix("key.new-").tempfile_in(folder).map_err(cannot)?;
    let head = "# The key of the log-ins that Footbridge keeps in .footbridge/tokens.age. Whoever has both files has the log-ins.\n";
    let written = file.write_all(head.as_bytes()).and_then(|()| writeln!(file, "{}", text.expose()));
    written.and_then(|()| file.as_file().sync_all()).map_err(cannot)?;
    file.persist_noclobber(&path).map_err(|e| cannot(e.error))?;
    Ok((key, KeyPlace::File { path, keyring }))
}

fn open(world: &World, root: &Path, key: Key) -> Vault {
    let vault = Vault::new(state_folder(root), key);
    match world.variable("FOOTBRIDGE_HOLD").as_deref() {
        // For tests that kill the process here.
        Some("tokens") => vault.pausing(|| {
            loop {
                std::thread::park()
            }
        }),
        _ => vault,
    }
}

/// The identity that opens what is encrypted to its public half, where the key is one and not a passphrase.
///
/// # Errors
/// A key that is none, or that others may read.
pub fn identity(world: &World) -> Result<Option<age::x25519::Identity>, Unusable> {
    Ok(match find(world)? {
        Sought::Found(Key::Identity(identity), _) => Some(identity),
        _ => None,
    })
}

/// The store by this key; or by the keyring's, where the key is a file's that was made while the keyring was closed, and the store is older.
fn fitting(world: &World, root: &Path, vault: Vault, place: &KeyPlace) -> (Vault, KeyPlace) {
    let shut = matches!(place, KeyPlace::File { .. })
        && keyring::is_on(world)
        && matches!(vault.all(), Err(VaultProblem::WrongKey { .. }));
    let other = if shut { keyring::look(world) } else { Said::Nothing };
    let opens =
        |text: &Secret| Key::read(text).ok().map(|key| open(world, root, key)).filter(|vault| vault.all().is_ok());
    match other {
        Said::Key(text) => opens(&text).map_or((vault, place.clone()), |other| (other, KeyPlace::Keyring)),
        Said::Nothing | Said::Closed(_) => (vault, place.clone()),
    }
}

/// The store and where its key lies, where there is a key. The keyring is asked once for it: each question may take its time.
fn sought(world: &World, root: &Path) -> Result<Option<(Vault, KeyPlace)>, Unusable> {
    let file = Vault::path(&state_folder(root));
    match find(world)? {
        Sought::Found(key, place) => Ok(Some(fitting(world, root, open(world, root, key), &place))),
        Sought::Nowhere { keyring } if file.exists() => {
            let mut what = format!("there is no key for {}", file.display());
            if let Some(why) = keyring {
                what.push_str(&format!(" (this system's keyring could not be used: {})", Terminal(&why)));
            }
            let place = key_file(world).map(|path| format!(", or restore {}", path.display())).unwrap_or_default();
            Err(unusable(what, format!("set {VARIABLE} to the key that it was written with{place}")))
        }
        Sought::Nowhere { .. } => Ok(None),
    }
}

/// The store, where there is a key for it. `None`: nothing was ever kept here.
///
/// # Errors
/// There is a store and no key, or a key that is none.
pub fn vault(world: &World, root: &Path) -> Result<Option<Vault>, Unusable> {
    Ok(sought(world, root)?.map(|(vault, _)| vault))
}

/// The store; with a new key where nothing was ever kept here.
///
/// # Errors
/// There is a store and no key, a key that is none, or none can be made.
pub fn vault_or_new(world: &World, root: &Path) -> Result<(Vault, KeyPlace), Unusable> {
    if let Some(found) = sought(world, root)? {
        return Ok(found);
    }
    let (key, place) = make(world)?;
    Ok((open(world, root, key), place))
}
