//! A configuration as it stands in a commit, read from git's objects through the `git` command. The worktree and the index are not touched.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::config::{FileProblem, Files};
use crate::diag::{Code, Diagnostic};
use crate::render::escape::{Terminal, clipped};

/// Larger files are no configuration.
const MAX_BYTES: u64 = 1 << 20;
/// More files are no configuration either.
const MAX_FILES: usize = 10_000;

/// The git repository that a folder lies in.
pub struct Git {
    root: PathBuf,
}

impl Git {
    /// Of this folder.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.args(["--no-pager", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"]);
        command.args(arguments).current_dir(&self.root).env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> Result<Output, Failure> {
        self.command(arguments).output().map_err(|e| {
            Failure::usage(Code::GitUnavailable, format!("git cannot be run: {e}"))
                .help("install git: what a branch changes is read from the repository's commits")
        })
    }

    /// Its first line, where git says yes.
    fn line(&self, arguments: &[&str]) -> Result<Option<String>, Failure> {
        let output = self.run(arguments)?;
        let text = String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned();
        Ok((output.status.success() && !text.is_empty()).then_some(text))
    }

    /// The commit that a name stands for.
    ///
    /// # Errors
    /// There is none here: it says what to fetch.
    pub fn commit(&self, name: &str) -> Result<String, Failure> {
        // In git's own order a tag `origin/main`, which whoever may push can make, comes before the remote's branch.
        let remote = format!("refs/remotes/{name}");
        for wanted in [remote.as_str(), name].into_iter().skip(usize::from(name.starts_with("refs/"))) {
            if let Some(commit) = self.resolve(wanted)? {
                return Ok(commit);
            }
        }
        Err(Self::missing(format!("git knows no commit `{}` here", Terminal(shown(name))), name))
    }

    fn resolve(&self, name: &str) -> Result<Option<String>, Failure> {
        let peeled = format!("{name}^{{commit}}");
        let output = self.run(&["rev-parse", "--verify", "--quiet", "--end-of-options", &peeled])?;
        let commit = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        match output.status.code() {
            Some(0) if !commit.is_empty() => Ok(Some(commit)),
            // 1 is "there is none"; everything else is git's own trouble: no repository, another owner.
            Some(code) if code > 1 => {
                let said = String::from_utf8_lossy(&output.stderr);
                let said = said.lines().next().unwrap_or("without a word").trim_start_matches("fatal: ");
                let message = format!("git cannot be asked here: {}", Terminal(&clipped(said, 200)));
                Err(Failure::usage(Code::GitUnavailable, message)
                    .help("run it inside a git repository; in a container, `git config --global --add safe.directory \"$PWD\"`"))
            }
            _ => Ok(None),
        }
    }

    /// The commit at which the branch that is checked out left another.
    ///
    /// # Errors
    /// The history that is here does not reach so far: it says what to fetch.
    pub fn fork_point(&self, name: &str) -> Result<String, Failure> {
        let other = self.commit(name)?;
        match self.line(&["merge-base", &other, "HEAD"])? {
            Some(commit) => Ok(commit),
            None => {
                let shallow = self.line(&["rev-parse", "--is-shallow-repository"])?.as_deref() == Some("true");
                let why = if shallow { ": this is a shallow clone" } else { "" };
                let message =
                    format!("no commit is found that HEAD and `{}` have in common{why}", Terminal(shown(name)));
                Err(Self::missing(message, name))
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
        let prefix = self.line(&["rev-parse", "--show-prefix"])?.unwrap_or_default();
        let below = format!("{prefix}integrations/");
        let output = self.run(&["ls-tree", "-r", "-z", "--long", "--full-tree", commit, "--", &below])?;
        if !output.status.success() {
            return Err(Self::unreadable(commit));
        }
        let mut tree = Tree::default();
        let mut wanted = Vec::new();
        let listed = String::from_utf8_lossy(&output.stdout);
        for entry in listed.split('\0').filter(|entry| !entry.is_empty()) {
            let Some((about, path)) = entry.split_once('\t') else { continue };
            let Some(path) = path.strip_prefix(prefix.as_str()) else { continue };
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
        let bytes = self.blobs(commit, &wanted)?;
        tree.files = wanted.into_iter().map(|(path, _)| path).zip(bytes).collect();
        Ok(tree)
    }

    /// The contents of blobs, all by one process.
    fn blobs(&self, commit: &str, wanted: &[(String, String)]) -> Result<Vec<Vec<u8>>, Failure> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let unreadable = |_| Self::unreadable(commit);
        let mut child = self.command(&["cat-file", "--batch"]).stdin(Stdio::piped()).spawn().map_err(unreadable)?;
        let asked: String = wanted.iter().map(|(_, object)| format!("{object}\n")).collect();
        let input = child.stdin.take();
        // Git answers while it is asked: both at once, so that no pipe fills up.
        let writer = std::thread::spawn(move || input.map(|mut input| input.write_all(asked.as_bytes())));
        let output = child.wait_with_output().map_err(unreadable)?;
        let _ = writer.join();
        let mut found = Vec::with_capacity(wanted.len());
        let mut rest = output.stdout.as_slice();
        for _ in wanted {
            let blob = next_blob(&mut rest).ok_or_else(|| Self::unreadable(commit))?;
            found.push(blob);
        }
        Ok(found)
    }

    fn unreadable(commit: &str) -> Failure {
        let short = commit.get(..12).unwrap_or(commit);
        let diagnostic =
            Diagnostic::error(Code::GitHistory, format!("the files of commit {short} cannot be read from git"))
                .note("nothing was read from Salesforce and nothing was written")
                .help("`git fsck` tells what is wrong; `git fetch --refetch` brings objects that are missing");
        Failure::new(Exit::Failed, diagnostic)
    }
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
