//! What git knows of the repository: reads only, and without touching the user's index. `None`, or nothing, without git or outside a repository.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::runlog::git::{Git, Pauses, is_oid};

fn open(root: &Path) -> Option<Git> {
    Git::open(root, Pauses::none()).ok()
}

/// What git says, where it says yes.
fn ask(git: &Git, arguments: &[&str], paths: &[&str]) -> Option<String> {
    let said = git.run(&[arguments, &["--"], paths].concat()).ok()?;
    said.good.then(|| said.text())
}

/// The commit that is checked out, and whether configuration files differ from it.
pub fn head(root: &Path) -> Option<(String, bool)> {
    let git = open(root)?;
    let commit = git.resolve("HEAD").ok()??;
    let changed = ask(&git, &["status", "--porcelain"], &["integrations"])?;
    Some((commit, !changed.trim().is_empty()))
}

/// Is the file tracked?
pub fn tracks(root: &Path, name: &str) -> bool {
    open(root).is_some_and(|git| ask(&git, &["ls-files", "--error-unmatch"], &[name]).is_some())
}

/// The commit that brought each of these files (paths below `root`), and its time, where they are committed.
pub fn brought(root: &Path, files: &[PathBuf]) -> HashMap<PathBuf, (String, String)> {
    let mut found = HashMap::new();
    let files: Vec<&str> = files.iter().filter_map(|file| file.to_str()).collect();
    let Some(git) = open(root).filter(|_| !files.is_empty()) else { return found };
    let format = "--format=%x01%H %cI";
    let log =
        ask(&git, &["log", "--no-renames", "--diff-filter=A", "--name-only", "--relative", format, "HEAD"], &files);
    let mut commit = None;
    for line in log.unwrap_or_default().lines() {
        if let Some((hash, time)) = line.strip_prefix('\u{1}').and_then(|head| head.split_once(' ')) {
            commit = is_oid(hash).then(|| (hash.to_owned(), time.to_owned()));
        } else if let (Some(commit), false) = (&commit, line.is_empty()) {
            found.entry(PathBuf::from(line)).or_insert_with(|| commit.clone());
        }
    }
    found
}
