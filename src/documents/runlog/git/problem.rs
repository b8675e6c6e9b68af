//! What can go wrong with git, in types; and git's own words without what they must not tell.

use std::io;
use std::path::PathBuf;

/// Why git did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum GitProblem {
    /// There is no `git` on this machine, or it cannot be started.
    #[error("`git` cannot be started: {0}")]
    Missing(io::Error),
    /// The folder lies in no git repository, or in one that git does not open.
    #[error("{} is not in a git repository that can be used{}", folder.display(), said(words))]
    NoRepository {
        /// The folder.
        folder: PathBuf,
        /// Git's words.
        words: String,
    },
    /// The repository has no remote of this name.
    #[error("this repository has no remote `{name}`{}", listed(there))]
    NoRemote {
        /// The name.
        name: String,
        /// The remotes that there are.
        there: Vec<String>,
    },
    /// Git could not do it.
    #[error("git could not {what}{}", said(words))]
    Failed {
        /// What it was to do.
        what: &'static str,
        /// Git's words, without credentials.
        words: String,
    },
    /// Git took too long and was ended.
    #[error("git could not {what} within {seconds} s")]
    TimedOut {
        /// What it was to do.
        what: &'static str,
        /// The limit.
        seconds: u64,
    },
    /// The remote was reached and does not take it: a protected branch, a hook, missing rights.
    #[error("the remote refuses the branch `{branch}`{}", said(words))]
    Refused {
        /// The branch.
        branch: String,
        /// Git's words, without credentials.
        words: String,
    },
    /// Others were faster every time.
    #[error("the branch `{branch}` moved at each of {tries} tries to push to it")]
    Moved {
        /// The branch.
        branch: String,
        /// How often it was tried.
        tries: u32,
    },
    /// The branch is checked out: to move it would make that worktree look changed.
    #[error("the branch `{branch}` is checked out in {}", folder.display())]
    CheckedOut {
        /// The branch.
        branch: String,
        /// Where.
        folder: PathBuf,
    },
    /// The branch has another file of this name: nothing is ever overwritten.
    #[error("the branch `{branch}` has another `{path}` already")]
    Taken {
        /// The branch.
        branch: String,
        /// The file.
        path: String,
    },
    /// Something of git's that cannot be read.
    #[error("git's answer to `{what}` cannot be read")]
    Answer {
        /// The command.
        what: &'static str,
    },
    /// A file beside git.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

fn said(words: &str) -> String {
    if words.is_empty() { String::new() } else { format!(": {words}") }
}

fn listed(there: &[String]) -> String {
    if there.is_empty() { "; it has none".to_owned() } else { format!("; it has {}", there.join(", ")) }
}

/// Git's words as they may be shown: without user names, passwords, tokens and queries in addresses, without control characters, in one line.
pub fn without_credentials(text: &str) -> String {
    const LONGEST: usize = 600;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("hint:"));
    let text = lines.collect::<Vec<_>>().join(" · ");
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let ends = |c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '`' | '<' | '>' | ')');
        let end = after.find(ends).unwrap_or(after.len());
        let (address, tail) = after.split_at(end);
        let address = address.split_once(['?', '#']).map_or(address, |(address, _)| address);
        // An `@` may stand in a password, too, or behind the first slash where that was not encoded: what is before the last one goes.
        out.push_str(address.rsplit_once('@').map_or(address, |(_, address)| address));
        rest = tail;
    }
    out.push_str(rest);
    let mut out: String = out.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if let Some((at, _)) = out.char_indices().nth(LONGEST) {
        out.truncate(at);
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lose_what_may_be_secret() {
        for (given, shown) in [
            (
                "fatal: unable to access 'https://x-access-token:ghs_SECRET@github.com/a/b.git/': 403",
                "fatal: unable to access 'https://github.com/a/b.git/': 403",
            ),
            ("https://ghp_SECRET@github.com/a", "https://github.com/a"),
            ("https://u:p@ss/wo@rd@host/x y", "https://host/x y"),
            ("ssh://git@host/x?token=SECRET rest", "ssh://host/x rest"),
            ("remote: no\nhint: try\n\x1b[31mfatal: x", "remote: no ·  [31mfatal: x"),
            ("git@github.com:a/b.git", "git@github.com:a/b.git"),
        ] {
            assert_eq!(without_credentials(given), shown);
        }
    }
}
