//! A configuration as it stands in a commit, read from git's objects. The worktree and the index are not touched.

use std::collections::BTreeMap;
use std::path::Path;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::config::{FileProblem, Files};
use crate::diag::{Code, Diagnostic};
use crate::render::escape::{Terminal, clipped};
use crate::runlog::git::{Git, GitProblem, Pauses};

/// Larger files are no configuration.
const MAX_BYTES: u64 = 1 << 20;
/// More files are no configuration either.
const MAX_FILES: usize = 10_000;

/// The commits of the git repository that a folder lies in.
pub struct Commits {
    git: Git,
}

impl Commits {
    /// Of this folder.
    ///
    /// # Errors
    /// No git, no repository, or one of another owner.
    pub fn open(root: &Path) -> Result<Self, Failure> {
        Ok(Self { git: Git::open(root, Pauses::none()).map_err(|problem| unavailable(&problem))? })
    }

    /// The commit that a name stands for.
    ///
    /// # Errors
    /// There is none here: it says what to fetch.
    pub fn commit(&self, name: &str) -> Result<String, Failure> {
        // In git's own order a tag `origin/main`, which whoever may push can make, comes before the remote's branch.
        let remote = format!("refs/remotes/{name}");
        for wanted in [remote.as_str(), name].into_iter().skip(usize::from(name.starts_with("refs/"))) {
            if let Some(commit) = self.git.resolve(wanted).map_err(|problem| unavailable(&problem))? {
                return Ok(commit);
            }
        }
        Err(Self::missing(format!("git knows no commit `{}` here", Terminal(shown(name))), name))
    }

    /// The commit at which the branch that is checked out left another.
    ///
    /// # Errors
    /// The history that is here does not reach so far: it says what to fetch.
    pub fn fork_point(&self, name: &str) -> Result<String, Failure> {
        let other = self.commit(name)?;
        let said = self.git.run(&["merge-base", &other, "HEAD"]).map_err(|problem| unavailable(&problem))?;
        match said.text().lines().next() {
            Some(commit) if said.good => Ok(commit.to_owned()),
            _ => {
                let why = if self.git.is_shallow() { ": this is a shallow clone" } else { "" };
                let name_shown = Terminal(shown(name));
                Err(Self::missing(format!("no commit is found that HEAD and `{name_shown}` have in common{why}"), name))
            }
        }
    }

    fn missing(message: String, name: &str) -> Failure {
        let mut diagnostic = Diagnostic::error(Code::GitHistory, message)
            .note("nothing was read from Salesforce and nothing was written");
        diagnostic = match shown(name).split_once('/') {
            Some((remote, branch)) if !name.contains([' ', '~', '^', ':']) => {
                let (remote, branch) = (Terminal(remote), Terminal(branch));
                diagnostic.help(format!(
                    "fetch it: `git fetch --no-tags {remote} +refs/heads/{branch}:refs/remotes/{remote}/{branch}`; in a shallow clone first `git fetch --unshallow {remote}`"
                ))
            }
            _ => diagnostic
                .help("name a branch or commit that is here; `git fetch --unshallow` completes a shallow clone"),
        };
        let diagnostic = diagnostic.help("in CI: `fetch-depth: 0` for actions/checkout, `GIT_DEPTH: \"0\"` in GitLab");
        Failure::new(Exit::Usage, diagnostic)
    }

    /// The configuration of a commit.
    ///
    /// # Errors
    /// Git cannot read it.
    pub fn configuration(&self, commit: &str) -> Result<Tree, Failure> {
        let prefix = self.git.prefix();
        let below = format!("{prefix}integrations/");
        let said = self.git.run(&["ls-tree", "-r", "-z", "--long", "--full-tree", commit, "--", &below]);
        let said = said.ok().filter(|said| said.good).ok_or_else(|| unreadable(commit))?;
        let mut tree = Tree::default();
        let mut wanted = Vec::new();
        let listed = String::from_utf8_lossy(&said.out);
        for entry in listed.split('\0').filter(|entry| !entry.is_empty()) {
            let Some((about, path)) = entry.split_once('\t') else { continue };
            let Some(path) = path.strip_prefix(prefix) else { continue };
            let yaml = path.ends_with(".yaml") || path.ends_with(".yml");
            if !yaml || path.split('/').any(|part| part.starts_with('.')) {
                continue;
            }
            let mut about = about.split_ascii_whitespace();
            let (mode, _, object, size) = (about.next(), about.next(), about.next(), about.next());
            let size: u64 = size.and_then(|s| s.parse().ok()).unwrap_or(0);
            match (mode, object) {
                (Some("100644" | "100755"), Some(object)) if size <= MAX_BYTES && wanted.len() < MAX_FILES => {
                    wanted.push((path.to_owned(), object.to_owned()));
                }
                (Some("100644" | "100755"), _) => tree.problems.push((path.to_owned(), size)),
                // Links and modules are not followed in a worktree either.
                _ => {}
            }
        }
        let bytes = self.blobs(&wanted).ok_or_else(|| unreadable(commit))?;
        tree.files = wanted.into_iter().map(|(path, _)| path).zip(bytes).collect();
        Ok(tree)
    }

    /// The contents of blobs, all by one process.
    fn blobs(&self, wanted: &[(String, String)]) -> Option<Vec<Vec<u8>>> {
        if wanted.is_empty() {
            return Some(Vec::new());
        }
        let asked: String = wanted.iter().map(|(_, object)| format!("{object}\n")).collect();
        let said = self.git.fed(&["cat-file", "--batch"], asked).ok()?;
        let mut rest = said.out.as_slice();
        wanted.iter().map(|_| next_blob(&mut rest)).collect()
    }
}

fn unavailable(problem: &GitProblem) -> Failure {
    let message = format!("git cannot be asked here: {}", Terminal(&clipped(&problem.to_string(), 300)));
    let help = match problem {
        GitProblem::Missing(_) => "install git: what a branch changes is read from the repository's commits",
        _ => "run it inside a git repository; in a container, `git config --global --add safe.directory \"$PWD\"`",
    };
    Failure::usage(Code::GitUnavailable, message).help(help)
}

fn unreadable(commit: &str) -> Failure {
    let short = commit.get(..12).unwrap_or(commit);
    let diagnostic =
        Diagnostic::error(Code::GitHistory, format!("the files of commit {short} cannot be read from git"))
            .note("nothing was read from Salesforce and nothing was written")
            .help("`git fsck` tells what is wrong; `git fetch --refetch` brings objects that are missing");
    Failure::new(Exit::Failed, diagnostic)
}

/// A remote's branch as people call it.
fn shown(name: &str) -> &str {
    name.strip_prefix("refs/remotes/").unwrap_or(name)
}

/// `OBJECT blob SIZE`, a line feed, the bytes, a line feed.
fn next_blob(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let end = rest.iter().position(|b| *b == b'\n')?;
    let head = std::str::from_utf8(rest.get(..end)?).ok()?;
    let size: usize = head.rsplit_once(' ').filter(|(start, _)| start.ends_with(" blob"))?.1.parse().ok()?;
    let bytes = rest.get(end + 1..end + 1 + size)?.to_vec();
    *rest = rest.get(end + 2 + size..)?;
    Some(bytes)
}

/// The configuration's files in a commit.
#[derive(Debug, Default)]
pub struct Tree {
    files: BTreeMap<String, Vec<u8>>,
    problems: Vec<(String, u64)>,
}

impl Files for Tree {
    fn list(&self) -> (Vec<String>, Vec<(String, FileProblem)>) {
        let problems = self.problems.iter().map(|(path, size)| (path.clone(), FileProblem::TooLarge(*size)));
        (self.files.keys().cloned().collect(), problems.collect())
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, FileProblem> {
        let missing = || FileProblem::Io(std::io::ErrorKind::NotFound.into());
        self.files.get(path).cloned().ok_or_else(missing)
    }
}
