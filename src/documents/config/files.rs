//! Where the configuration's files come from. The one place of this module that touches a disk.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// Files over this size are not configuration.
pub(super) const MAX_BYTES: u64 = 1 << 20;
/// Folders below `integrations/` deeper than this are not walked.
const MAX_FOLDERS: usize = 16;

/// Why a file could not be had.
#[derive(Debug, thiserror::Error)]
pub enum FileProblem {
    /// Over the size limit.
    #[error("it has {0} bytes")]
    TooLarge(u64),
    /// The system said so.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// A folder of configuration. Paths are relative to the repository's root, with `/`.
pub trait Files {
    /// Every `*.yaml` and `*.yml` below `integrations/`, in order; with what could not be listed.
    fn list(&self) -> (Vec<String>, Vec<(String, FileProblem)>);
    /// A file's bytes, at most 1 MiB.
    fn read(&self, path: &str) -> Result<Vec<u8>, FileProblem>;
}

/// A repository on disk.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// `root` holds `integrations/`.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    fn walk(&self, relative: &str, depth: usize, found: &mut Vec<String>, problems: &mut Vec<(String, FileProblem)>) {
        let entries = match fs::read_dir(self.root.join(relative)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound && depth == 0 => return,
            Err(error) => return problems.push((relative.to_owned(), error.into())),
        };
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    problems.push((relative.to_owned(), error.into()));
                    continue;
                }
            };
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') {
                continue;
            }
            let path = format!("{relative}/{name}");
            let yaml = name.ends_with(".yaml") || name.ends_with(".yml");
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                if depth < MAX_FOLDERS {
                    self.walk(&path, depth + 1, found, problems);
                } else {
                    problems.push((path, io::Error::other("its folders nest too deeply").into()));
                }
            } else if kind.is_file() && yaml {
                found.push(path);
            } else if kind.is_symlink() && (yaml || fs::metadata(self.root.join(&path)).is_ok_and(|m| m.is_dir())) {
                // It could lead out of the repository.
                problems.push((path, io::Error::other("it is a link, and links are not followed").into()));
            }
        }
    }
}

impl Files for Folder {
    fn list(&self) -> (Vec<String>, Vec<(String, FileProblem)>) {
        let (mut found, mut problems) = (Vec::new(), Vec::new());
        self.walk("integrations", 0, &mut found, &mut problems);
        found.sort();
        (found, problems)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, FileProblem> {
        let file = fs::File::open(self.root.join(path))?;
        let size = file.metadata()?.len();
        if size > MAX_BYTES {
            return Err(FileProblem::TooLarge(size));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(FileProblem::TooLarge(bytes.len() as u64));
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_at_any_depth_in_order_and_nothing_hidden() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("integrations");
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::create_dir_all(root.join(".git")).unwrap();
        for name in ["z.yaml", "a/b/c.yml", "a/notes.txt", ".git/x.yaml", ".hidden.yaml"] {
            fs::write(root.join(name), "x").unwrap();
        }
        let files = Folder::new(folder.path());
        let (found, problems) = files.list();
        assert_eq!(found, ["integrations/a/b/c.yml", "integrations/z.yaml"]);
        assert!(problems.is_empty());
        assert_eq!(files.read("integrations/z.yaml").unwrap(), b"x");
        assert!(matches!(files.read("integrations/gone.yaml"), Err(FileProblem::Io(_))));
    }

    #[test]
    fn no_folder_is_no_problem_and_a_large_file_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let files = Folder::new(folder.path());
        assert!(files.list().0.is_empty() && files.list().1.is_empty());
        fs::write(folder.path().join("large.yaml"), vec![b'#'; 1 << 21]).unwrap();
        assert!(matches!(files.read("large.yaml"), Err(FileProblem::TooLarge(2_097_152))));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_told_and_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("integrations");
        fs::create_dir(&root).unwrap();
        std::os::unix::fs::symlink("/etc", root.join("folder")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", root.join("file.yaml")).unwrap();
        let (found, problems) = Folder::new(folder.path()).list();
        assert!(found.is_empty());
        assert_eq!(problems.len(), 2);
    }
}
