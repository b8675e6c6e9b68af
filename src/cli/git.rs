//! What git knows of the repository, asked of the `git` command: reads only, and without touching the user's index.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What git says; `None` without git, outside a repository, or where it fails.
fn ask(root: &Path, arguments: &[&str], paths: &[PathBuf]) -> Option<String> {
    let output = Command::new("git")
        .args(["--no-pager", "--no-optional-locks", "--literal-pathspecs", "-c", "core.quotepath=off"])
        .args(arguments)
        .arg("--")
        .args(paths)
        .current_dir(root)
        .env("GIT_TERMINAL_PROMPT", "0")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

fn is_hash(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The commit that is checked out, and whether configuration files differ from it.
pub fn head(root: &Path) -> Option<(String, bool)> {
    let commit = ask(root, &["rev-list", "-n", "1", "HEAD"], &[])?;
    let commit = commit.trim();
    let changed = ask(root, &["status", "--porcelain"], &[PathBuf::from("integrations")])?;
    is_hash(commit).then(|| (commit.to_owned(), !changed.trim().is_empty()))
}

/// The commit that brought each of these files (paths below `root`), and its time, where they are committed.
pub fn brought(root: &Path, files: &[PathBuf]) -> HashMap<PathBuf, (String, String)> {
    let mut found = HashMap::new();
    if files.is_empty() {
        return found;
    }
    let format = "--format=%x01%H %cI";
    let log =
        ask(root, &["log", "--no-renames", "--diff-filter=A", "--name-only", "--relative", format, "HEAD"], files);
    let mut commit = None;
    for line in log.unwrap_or_default().lines() {
        if let Some((hash, time)) = line.strip_prefix('\u{1}').and_then(|head| head.split_once(' ')) {
            commit = is_hash(hash).then(|| (hash.to_owned(), time.to_owned()));
        } else if let (Some(commit), false) = (&commit, line.is_empty()) {
            found.entry(PathBuf::from(line)).or_insert_with(|| commit.clone());
        }
    }
    found
}
