//! The file: read as a whole, changed under a lock, replaced atomically. A crash at any moment leaves the old one or the new one.

use std::fmt;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use age::secrecy::zeroize::Zeroizing;
use serde::{Deserialize, Serialize};

use super::{Connection, Key, Place, VaultProblem};

const FORMAT: &str = "footbridge tokens/1";
const NAME: &str = "tokens.age";
/// How a file that is still being written is called.
const UNFINISHED: &str = "tokens.age.new-";
/// Larger than any store of ours.
const LARGEST: u64 = 16 * 1024 * 1024;

#[derive(Deserialize)]
struct Head {
    format: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    format: String,
    connections: Vec<Connection>,
}

/// The store of log-ins.
#[derive(Clone)]
pub struct Vault {
    folder: PathBuf,
    key: Key,
    before_replacing: Arc<dyn Fn() + Send + Sync>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({})", self.folder.display())
    }
}

/// The sole right to renew one connection, among all processes. Free again when dropped, and when the process dies.
#[derive(Debug)]
pub struct Turn {
    _lock: File,
}

impl Turn {
    /// Waits until no other process renews this log-in, and keeps others out. `waiting` is told when it takes longer than a moment.
    ///
    /// # Errors
    /// The lock's file cannot be made.
    pub fn take(folder: &Path, place: &Place, waiting: &dyn Fn()) -> Result<Self, VaultProblem> {
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '.' };
        let name: String = place.org.chars().map(plain).collect();
        let plans = if place.plans { ".plans" } else { "" };
        Ok(Self { _lock: lock(folder, &format!("tokens.{name}.{}{plans}.lock", place.environment), waiting)? })
    }
}

/// The operating system holds the lock, so a dead holder's is free.
fn lock(folder: &Path, name: &str, waiting: &dyn Fn()) -> Result<File, VaultProblem> {
    let folder = folder.join("lock");
    let path = folder.join(name);
    let io = |source| VaultProblem::Io { path: path.clone(), source };
    private_folder(&folder).map_err(io)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&path).map_err(io)?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => waiting(),
        Err(TryLockError::Error(error)) => return Err(io(error)),
    }
    file.lock().map_err(io)?;
    Ok(file)
}

impl Vault {
    /// The store in a folder (`.footbridge`), with its key. Nothing is read yet.
    pub fn new(folder: PathBuf, key: Key) -> Self {
        Self { folder, key, before_replacing: Arc::new(|| {}) }
    }

    /// The same, with something to do between writing a file and putting it in place: for tests that kill a process there.
    #[must_use]
    pub fn pausing(self, before_replacing: impl Fn() + Send + Sync + 'static) -> Self {
        Self { before_replacing: Arc::new(before_replacing), ..self }
    }

    /// The file of a folder's store.
    pub fn path(folder: &Path) -> PathBuf {
        folder.join(NAME)
    }

    /// All log-ins that are kept; none where there is no file yet.
    ///
    /// # Errors
    /// A file that is there and cannot be read: never taken for an empty one.
    pub fn all(&self) -> Result<Vec<Connection>, VaultProblem> {
        let path = Self::path(&self.folder);
        let io = |source| VaultProblem::Io { path: path.clone(), source };
        let sealed = match std::fs::metadata(&path) {
            Ok(facts) if facts.len() > LARGEST => return Err(self.damaged("too large")),
            Ok(_) => std::fs::read(&path).map_err(io)?,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io(error)),
        };
        let plain = self.key.decrypt(&sealed).map_err(|error| match error {
            age::DecryptError::NoMatchingKeys
            | age::DecryptError::DecryptionFailed
            | age::DecryptError::KeyDecryptionFailed => VaultProblem::WrongKey { path: path.clone() },
            age::DecryptError::ExcessiveWork { .. } => self.damaged("it asks for too much work"),
            age::DecryptError::InvalidMac => self.damaged("its head was changed"),
            age::DecryptError::Io(error) if error.kind() == ErrorKind::UnexpectedEof => {
                self.damaged("it ends too early")
            }
            age::DecryptError::Io(_) => self.damaged("its body was changed or cut"),
            _ => self.damaged("it is no file of age's"),
        })?;
        let head: Head = serde_json::from_slice(&plain).map_err(|e| self.damaged(&place_of(&e)))?;
        if head.format != FORMAT {
            let format = head.format.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(60).collect();
            return Err(VaultProblem::Version { path, format });
        }
        let contents: Contents = serde_json::from_slice(&plain).map_err(|e| self.damaged(&place_of(&e)))?;
        Ok(contents.connections)
    }

    /// One log-in.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    pub fn get(&self, place: &Place) -> Result<Option<Connection>, VaultProblem> {
        Ok(self.all()?.into_iter().find(|c| c.place() == *place))
    }

    /// Keeps a log-in, in place of the one that is there.
    ///
    /// # Errors
    /// The file cannot be read or written; it is as it was then.
    pub fn put(&self, connection: Connection) -> Result<(), VaultProblem> {
        self.change(|all| {
            all.retain(|c| c.place() != connection.place());
            all.push(connection);
            true
        })
        .map(drop)
    }

    /// Changes a log-in that is there. False when it is not.
    ///
    /// # Errors
    /// The file cannot be read or written; it is as it was then.
    pub fn update(&self, place: &Place, change: impl FnOnce(&mut Connection)) -> Result<bool, VaultProblem> {
        self.change(|all| match all.iter_mut().find(|c| c.place() == *place) {
            Some(connection) => {
                change(connection);
                true
            }
            None => false,
        })
    }

    /// Forgets a log-in. False when it was not there.
    ///
    /// # Errors
    /// The file cannot be read or written; it is as it was then.
    pub fn remove(&self, place: &Place) -> Result<bool, VaultProblem> {
        self.change(|all| {
            let before = all.len();
            all.retain(|c| c.place() != *place);
            all.len() < before
        })
    }

    /// Reads, changes and replaces the file under the lock. When the change says false nothing is written.
    fn change(&self, change: impl FnOnce(&mut Vec<Connection>) -> bool) -> Result<bool, VaultProblem> {
        let _lock = lock(&self.folder, "tokens.lock", &|| {})?;
        let mut connections = self.all()?;
        if !change(&mut connections) {
            return Ok(false);
        }
        connections.sort_by_key(Connection::place);
        self.replace(connections)?;
        Ok(true)
    }

    fn replace(&self, connections: Vec<Connection>) -> Result<(), VaultProblem> {
        let path = Self::path(&self.folder);
        let io = |source| VaultProblem::Io { path: path.clone(), source };
        let contents = Contents { format: FORMAT.to_owned(), connections };
        let plain = Zeroizing::new(serde_json::to_vec(&contents).map_err(|e| io(e.into()))?);
        let sealed = self.key.encrypt(&plain).map_err(io)?;
        // What a killed process has left; the lock says that nobody is writing.
        for entry in std::fs::read_dir(&self.folder).map_err(io)?.flatten() {
            if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
        // Made with mode 0600.
        let mut new = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(&self.folder).map_err(io)?;
        new.write_all(&sealed).and_then(|()| new.as_file().sync_all()).map_err(io)?;
        (self.before_replacing)();
        new.persist(&path).map_err(|e| io(e.error))?;
        if cfg!(unix) {
            File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(io)?;
        }
        Ok(())
    }

    fn damaged(&self, detail: &str) -> VaultProblem {
        VaultProblem::Damaged { path: Self::path(&self.folder), detail: detail.to_owned() }
    }
}

/// Where JSON is wrong, and never what stands there.
fn place_of(error: &serde_json::Error) -> String {
    format!("line {}, column {}", error.line(), error.column())
}

fn private_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
