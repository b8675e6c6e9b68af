//! The folder of pages: a list in it says which files are ours. Only those are replaced and removed, each at once or not at all.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Component, Path, PathBuf};

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::diag::{Code, Diagnostic};

/// The list of our files. Its first line says what it is.
const LIST: &str = ".footbridge-pages";
const FIRST: &str = "footbridge pages/1";

/// The folder while it is written.
pub(super) struct Folder {
    root: PathBuf,
    /// Files of an earlier time.
    before: BTreeSet<String>,
    /// Files of this time.
    now: BTreeSet<String>,
}

impl Folder {
    /// Opens or makes it.
    ///
    /// # Errors
    /// It holds files that are not ours and no list of those that are.
    pub fn open(root: &Path) -> Result<Self, Failure> {
        let failed = |e: &std::io::Error| Failure::io("read the folder", root, e);
        let before = match std::fs::read_to_string(root.join(LIST)) {
            Ok(list) if list.lines().next() == Some(FIRST) => {
                list.lines().skip(1).filter(|l| is_ours(l)).map(str::to_owned).collect()
            }
            Ok(_) => return Err(not_ours(root)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                let empty = match std::fs::read_dir(root) {
                    Ok(mut found) => found.next().is_none(),
                    Err(e) if e.kind() == std::io::ErrorKind::NotFound => true,
                    Err(e) => return Err(failed(&e)),
                };
                if !empty {
                    return Err(not_ours(root));
                }
                BTreeSet::new()
            }
            Err(e) => return Err(failed(&e)),
        };
        std::fs::create_dir_all(root).map_err(|e| Failure::io("make the folder", root, &e))?;
        let folder = Self { root: root.to_owned(), before, now: BTreeSet::new() };
        // Said before the first page, so that a making that breaks off can be repeated.
        folder.list(&folder.before)?;
        Ok(folder)
    }

    /// Writes a page.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&mut self, name: &str, page: &str) -> Result<(), Failure> {
        let path = self.root.join(name);
        if !self.before.contains(name) {
            self.before.insert(name.to_owned());
        }
        replace(&path, page.as_bytes())?;
        self.now.insert(name.to_owned());
        Ok(())
    }

    /// Removes pages of an earlier time, and says which files are ours. Gives back the pages.
    ///
    /// # Errors
    /// A file cannot be removed or written.
    pub fn close(self) -> Result<BTreeSet<String>, Failure> {
        for stale in self.before.difference(&self.now) {
            let path = self.root.join(stale);
            match std::fs::remove_file(&path) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Failure::io("remove the old page", &path, &e));
                }
                _ => {}
            }
            // Folders that are empty now go, too; one that is not stays.
            for folder in path.ancestors().skip(1).take_while(|f| *f != self.root) {
                if std::fs::remove_dir(folder).is_err() {
                    break;
                }
            }
        }
        self.list(&self.now)?;
        Ok(self.now)
    }

    fn list(&self, files: &BTreeSet<String>) -> Result<(), Failure> {
        let lines: String =
            std::iter::once(FIRST).chain(files.iter().map(String::as_str)).map(|l| format!("{l}\n")).collect();
        replace(&self.root.join(LIST), lines.as_bytes())
    }
}

/// A name that this command could have given: below the folder, a page.
fn is_ours(name: &str) -> bool {
    name.ends_with(".html") && Path::new(name).components().all(|c| matches!(c, Component::Normal(_)))
}

fn not_ours(root: &Path) -> Failure {
    let message = format!("{} holds files that `footbridge report` did not write", root.display());
    let diagnostic = Diagnostic::error(Code::FileUnwritable, message)
        .note("nothing was written there")
        .help("name an empty folder or a new one: `footbridge report --out DIR`");
    Failure::new(Exit::Usage, diagnostic)
}

fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |e: &std::io::Error| Failure::io("write", path, e);
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(|e| failed(&e))?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".page-");
    // Pages are there to be read by a web server, unlike what a temporary file is by itself.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    let mut file = builder.tempfile_in(folder).map_err(|e| failed(&e))?;
    file.write_all(bytes).map_err(|e| failed(&e))?;
    file.persist(path).map_err(|e| failed(&e.error))?;
    Ok(())
}
