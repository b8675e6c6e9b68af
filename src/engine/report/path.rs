//! Which files a configuration may name: those inside the repository, by relative paths, and not its private parts.

use std::io;
use std::path::{Component, Path, PathBuf};

/// Folders that hold credentials or tokens (git keeps some in its configuration) and never a report.
const PRIVATE: [&str; 2] = [".git", ".footbridge"];

/// Why a path cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PathProblem {
    /// Nothing.
    #[error("the path is empty")]
    Empty,
    /// From the root of the disk, a drive or a home folder.
    #[error("the path is absolute: write it relative to the repository")]
    Absolute,
    /// With `..` in it.
    #[error("the path has `..` in it")]
    Parent,
    /// With a character that no path can have, such as NUL.
    #[error("the path has a character in it that no path can have")]
    Character,
    /// In a folder that holds credentials.
    #[error("nothing is read from the folder {folder}")]
    Private {
        /// Name of the folder.
        folder: String,
    },
    /// A symbolic link leads out of the repository.
    #[error("{link} is a link that leads out of the repository")]
    LeadsOut {
        /// The part of the path that is the link, relative to the repository.
        link: String,
    },
    /// A symbolic link leads nowhere (or in a circle), so it cannot be said where to.
    #[error("{link} is a link that leads nowhere")]
    Dangling {
        /// The part of the path that is the link, relative to the repository.
        link: String,
    },
    /// A part of the path is a file, so nothing can be inside it.
    #[error("{file} is not a folder")]
    NotAFolder {
        /// The part of the path that is a file, relative to the repository.
        file: String,
    },
    /// Another file was opened than the one that was looked at: a part of the path was replaced in between.
    #[error("{path} was replaced while it was opened")]
    Moved {
        /// The file's name.
        path: String,
    },
    /// The system will not tell.
    #[error("cannot look at {path}: {source}")]
    Unreadable {
        /// The part of the path, relative to the repository; `.` is the repository itself.
        path: String,
        /// What the system says.
        source: io::Error,
    },
}

/// Where a relative path of a configuration leads, links resolved. The file need not exist: then its existing folders
/// are resolved and the rest is as written.
///
/// # Errors
/// [`PathProblem`] for anything that is not surely inside `root`.
pub fn inside(root: &Path, relative: &str) -> Result<PathBuf, PathProblem> {
    if relative.trim().is_empty() {
        return Err(PathProblem::Empty);
    }
    if relative.contains(|letter: char| letter.is_control()) {
        return Err(PathProblem::Character);
    }
    // The same answer on every system: a repository is used on several.
    let bytes = relative.as_bytes();
    let drive = bytes.len() > 1 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':';
    if drive || matches!(bytes[0], b'/' | b'\\' | b'~') {
        return Err(PathProblem::Absolute);
    }
    if relative.split(['/', '\\']).any(|part| part == "..") {
        return Err(PathProblem::Parent);
    }
    let mut parts = Vec::new();
    for part in Path::new(relative).components() {
        match part {
            Component::Normal(part) => parts.push(part),
            Component::CurDir => {}
            Component::ParentDir => return Err(PathProblem::Parent),
            Component::RootDir | Component::Prefix(_) => return Err(PathProblem::Absolute),
        }
    }
    if parts.is_empty() {
        return Err(PathProblem::Empty);
    }
    let unreadable = |path: &Path, source| PathProblem::Unreadable { path: path.display().to_string(), source };
    let root = root.canonicalize().map_err(|source| unreadable(Path::new("."), source))?;
    let mut place = root.clone();
    let mut written = PathBuf::new();
    let mut missing = false;
    for part in parts {
        place.push(part);
        written.push(part);
        if missing {
            continue;
        }
        match place.symlink_metadata() {
            Ok(found) if found.is_symlink() => {
                let link = || written.display().to_string();
                place = place.canonicalize().map_err(|_| PathProblem::Dangling { link: link() })?;
                if !place.starts_with(&root) {
                    return Err(PathProblem::LeadsOut { link: link() });
                }
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => missing = true,
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                let file = written.parent().unwrap_or(&written).display().to_string();
                return Err(PathProblem::NotAFolder { file });
            }
            Err(source) => return Err(unreadable(&written, source)),
        }
    }
    let within = place.strip_prefix(&root).unwrap_or(&place);
    for part in within.components() {
        // Some file systems do not tell case apart, and drop dots and spaces at the end.
        let part = part.as_os_str().to_string_lossy().to_lowercase();
        let part = part.trim_end_matches(['.', ' ']);
        if let Some(folder) = PRIVATE.into_iter().find(|&folder| folder == part) {
            return Err(PathProblem::Private { folder: folder.to_owned() });
        }
    }
    Ok(place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn plain_paths_stay_below_the_root_even_when_missing() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::create_dir(root.join("exports")).unwrap();
        fs::write(root.join("exports/a.csv"), "a").unwrap();
        for (relative, expected) in [
            ("exports/a.csv", "exports/a.csv"),
            ("./exports/./a.csv", "exports/a.csv"),
            ("exports/none.csv", "exports/none.csv"),
            ("none/at/all.csv", "none/at/all.csv"),
            ("exports/..a", "exports/..a"),
            (".gitignore", ".gitignore"),
        ] {
            assert_eq!(inside(folder.path(), relative).unwrap(), root.join(expected), "for {relative:?}");
        }
    }

    #[test]
    fn paths_that_lead_elsewhere_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        for (relative, expected) in [
            ("", "the path is empty"),
            (" ", "the path is empty"),
            (".", "the path is empty"),
            ("/etc/passwd", "the path is absolute"),
            ("C:\\x.csv", "the path is absolute"),
            ("c:x.csv", "the path is absolute"),
            ("\\\\server\\share", "the path is absolute"),
            ("~/x.csv", "the path is absolute"),
            ("../x.csv", "the path has `..`"),
            ("a/../../x.csv", "the path has `..`"),
            ("a\\..\\x.csv", "the path has `..`"),
            ("a\0b", "the path has a character"),
            (".git/config", "nothing is read from the folder .git"),
            ("a/.GIT/config", "nothing is read from the folder .git"),
            (".footbridge/tokens", "nothing is read from the folder .footbridge"),
            ("file/x.csv", "file is not a folder"),
        ] {
            let problem = inside(folder.path(), relative).unwrap_err().to_string();
            assert!(problem.starts_with(expected), "{relative:?}: {problem}");
        }
        let gone = folder.path().join("gone");
        assert!(matches!(inside(&gone, "a.csv"), Err(PathProblem::Unreadable { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_may_not_lead_out() {
        use std::os::unix::fs::symlink;
        let outer = tempfile::tempdir().unwrap();
        let root = outer.path().canonicalize().unwrap().join("repository");
        fs::create_dir_all(root.join("exports")).unwrap();
        fs::create_dir_all(root.join(".git")).unwrap();
        fs::create_dir_all(outer.path().join("repository-two")).unwrap();
        fs::write(root.join("exports/a.csv"), "a").unwrap();
        fs::write(outer.path().join("secret"), "s").unwrap();
        symlink("exports", root.join("inner")).unwrap();
        symlink(outer.path(), root.join("outer")).unwrap();
        symlink("../secret", root.join("exports/secret.csv")).unwrap();
        symlink("../../secret", root.join("exports/out.csv")).unwrap();
        symlink("../repository-two", root.join("beside")).unwrap();
        symlink("nowhere", root.join("dangling")).unwrap();
        symlink("circle", root.join("circle")).unwrap();
        symlink(".git", root.join("innocent")).unwrap();
        assert_eq!(inside(&root, "inner/a.csv").unwrap(), root.join("exports/a.csv"));
        assert_eq!(inside(&root, "inner/none.csv").unwrap(), root.join("exports/none.csv"));
        assert!(matches!(inside(&root, "outer/secret"), Err(PathProblem::LeadsOut { link }) if link == "outer"));
        assert!(matches!(inside(&root, "exports/out.csv"), Err(PathProblem::LeadsOut { .. })));
        assert!(matches!(inside(&root, "exports/secret.csv"), Err(PathProblem::Dangling { .. })));
        assert!(matches!(inside(&root, "beside/x.csv"), Err(PathProblem::LeadsOut { .. })));
        assert!(matches!(inside(&root, "dangling"), Err(PathProblem::Dangling { .. })));
        assert!(matches!(inside(&root, "circle/x.csv"), Err(PathProblem::Dangling { .. })));
        assert!(matches!(inside(&root, "innocent/config"), Err(PathProblem::Private { .. })));
    }
}
