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
