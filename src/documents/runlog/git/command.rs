//! The `git` command, run so that nothing of a person's settings, hooks, pager or prompts gets in the way, and with an end to waiting.

use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use super::problem::{GitProblem, without_credentials};

/// For a command that does not reach the network.
pub(super) const HERE: Duration = Duration::from_secs(120);
/// For one that does.
pub(super) const THERE: Duration = Duration::from_secs(300);

/// Settings that win over everybody's configuration.
const SETTINGS: [&str; 19] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.splitIndex=false",
    "core.untrackedCache=false",
    "core.quotePath=false",
    "core.preferSymlinkRefs=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "fetch.prune=false",
    "fetch.pruneTags=false",
    "fetch.writeCommitGraph=false",
    "push.gpgSign=false",
    "push.followTags=false",
    "push.useForceIfIncludes=false",
    "commit.gpgSign=false",
    "i18n.commitEncoding=UTF-8",
    "color.ui=false",
    "advice.detachedHead=false",
    "submodule.recurse=false",
];

/// What a surrounding git, or a person who looks for faults, may have set: it would lead our commands astray, or make them print credentials.
const FOREIGN: [&str; 14] = [
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_EXTERNAL_DIFF",
    "GIT_QUARANTINE_PATH",
    "GIT_TRACE",
    "GIT_TRACE_CURL",
    "GIT_TRACE_CURL_NO_DATA",
    "GIT_TRACE_PACKET",
    "GIT_TRACE_SETUP",
    "GIT_TRACE2",
    "GIT_TRACE2_EVENT",
    "GIT_TRACE2_PERF",
    "GIT_CURL_VERBOSE",
    "GIT_TRANSFER_TRACE",
];

/// How long to wait between two tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pauses {
    /// Before the second try; doubled each time. Zero never waits, for tests.
    pub first: Duration,
    /// The longest.
    pub longest: Duration,
    /// How often anything is tried.
    pub tries: u32,
}

impl Default for Pauses {
    fn default() -> Self {
        Self { first: Duration::from_millis(300), longest: Duration::from_secs(10), tries: 12 }
    }
}

impl Pauses {
    /// Never waits, for tests.
    pub fn none() -> Self {
        Self { first: Duration::ZERO, ..Self::default() }
    }

    /// Waits before try `number` (from 1): anything from nothing up to a doubling length, so that those who met once do not meet again.
    pub(super) fn before(&self, number: u32) {
        let most = self.first.saturating_mul(1 << number.saturating_sub(1).min(10)).min(self.longest);
        if !most.is_zero() {
            std::thread::sleep(most.mul_f64(fastrand::f64()));
        }
    }
}

/// What git said.
#[derive(Debug)]
pub struct Said {
    /// Did it do what it was asked?
    pub good: bool,
    /// Standard output.
    pub out: Vec<u8>,
    /// As it came: never shown before [`without_credentials`].
    pub(super) err: String,
}

impl Said {
    /// Standard output, without the line's end.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.out).trim_end_matches('\n').to_owned()
    }

    pub(super) fn words(&self) -> String {
        without_credentials(&self.err)
    }
}

/// A git repository, and how commands are run in it.
#[derive(Debug, Clone)]
pub struct Git {
    folder: PathBuf,
    /// The folder's place below the top of the worktree: empty, or ending in `/`.
    prefix: String,
    shallow: bool,
    pauses: Pauses,
}

impl Git {
    /// The repository that this folder lies in.
    ///
    /// # Errors
    /// No git, no repository.
    pub fn open(folder: &Path, pauses: Pauses) -> Result<Self, GitProblem> {
        let git = Self { folder: folder.to_owned(), prefix: String::new(), shallow: false, pauses };
        let said = git.run(&["rev-parse", "--is-shallow-repository", "--show-prefix"])?;
        let text = String::from_utf8_lossy(&said.out).into_owned();
        let mut lines = text.split('\n');
        match (said.good, lines.next(), lines.next()) {
            (true, Some(shallow), Some(prefix)) => {
                Ok(Self { shallow: shallow == "true", prefix: prefix.to_owned(), ..git })
            }
            _ => Err(GitProblem::NoRepository { folder: folder.to_owned(), words: said.words() }),
        }
    }

    /// Does the folder seem to lie in a git repository? Looks for `.git` upwards, without asking git.
    pub fn is_there(folder: &Path) -> bool {
        folder.ancestors().any(|folder| folder.join(".git").exists())
    }

    /// Where the folder lies below the top of the repository: empty, or ending in `/`.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Has the clone a part of the history only?
    pub fn is_shallow(&self) -> bool {
        self.shallow
    }

    pub(super) fn pauses(&self) -> &Pauses {
        &self.pauses
    }

    /// The remotes' names.
    pub(super) fn remotes(&self) -> Result<Vec<String>, GitProblem> {
        let said = self.done("list the remotes", &["remote"])?;
        Ok(said.text().lines().map(str::to_owned).collect())
    }

    /// Is there such a remote? Without one, git would take the name for a path.
    ///
    /// # Errors
    /// There is none, or git cannot tell.
    pub fn has_remote(&self, name: &str) -> Result<(), GitProblem> {
        let there = self.remotes()?;
        if there.iter().any(|r| r == name) {
            return Ok(());
        }
        Err(GitProblem::NoRemote { name: name.to_owned(), there })
    }

    /// The commit that a name stands for, where there is one.
    ///
    /// # Errors
    /// Git cannot be asked.
    pub fn resolve(&self, reference: &str) -> Result<Option<String>, GitProblem> {
        let wanted = format!("{reference}^{{commit}}");
        let said = self.run(&["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted])?;
        Ok(said.good.then(|| said.text()).filter(|oid| is_oid(oid)))
    }

    /// Runs git here; whether it did what it was asked is for the caller to see.
    ///
    /// # Errors
    /// It cannot be started, or does not end.
    pub fn run(&self, arguments: &[&str]) -> Result<Said, GitProblem> {
        self.command(arguments).run("answer", HERE)
    }

    /// Runs git here with this on its standard input; anything but success is an error.
    ///
    /// # Errors
    /// It cannot be started, does not end, or fails.
    pub fn fed(&self, arguments: &[&str], input: impl Into<Vec<u8>>) -> Result<Said, GitProblem> {
        self.command(arguments).input(input).done("answer", HERE)
    }

    /// Runs git here; anything but success is an error.
    pub(super) fn done(&self, what: &'static str, arguments: &[&str]) -> Result<Said, GitProblem> {
        self.command(arguments).done(what, HERE)
    }

    /// A command in this repository.
    pub(super) fn command(&self, arguments: &[&str]) -> Run {
        let mut command = Command::new("git");
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        command.arg("--no-pager").args(arguments).current_dir(&self.folder);
        for name in FOREIGN {
            command.env_remove(name);
        }
        command
            .env("LC_ALL", "C")
            .env("LANGUAGE", "")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GCM_INTERACTIVE", "never")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("GIT_LITERAL_PATHSPECS", "1");
        Run { command, input: None }
    }
}

/// 40 or 64 hexadecimal digits.
pub fn is_oid(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// A command about to be run.
pub(super) struct Run {
    command: Command,
    input: Option<Vec<u8>>,
}

impl Run {
    pub(super) fn variable(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(super) fn argument(mut self, argument: impl Into<OsString>) -> Self {
        self.command.arg(argument.into());
        self
    }

    pub(super) fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Some(bytes.into());
        self
    }

    /// Started, with both ends open, for a conversation.
    pub(super) fn talk(mut self) -> Result<Child, GitProblem> {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        self.command.spawn().map_err(GitProblem::Missing)
    }

    pub(super) fn done(self, what: &'static str, longest: Duration) -> Result<Said, GitProblem> {
        let said = self.run(what, longest)?;
        if said.good { Ok(said) } else { Err(GitProblem::Failed { what, words: said.words() }) }
    }

    pub(super) fn run(mut self, what: &'static str, longest: Duration) -> Result<Said, GitProblem> {
        let stdin = if self.input.is_some() { Stdio::piped() } else { Stdio::null() };
        let mut child = self
            .command
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(GitProblem::Missing)?;
        if let (Some(mut pipe), Some(input)) = (child.stdin.take(), self.input.take()) {
            std::thread::spawn(move || pipe.write_all(&input));
        }
        let (out, err) = (collected(child.stdout.take()), collected(child.stderr.take()));
        let began = Instant::now();
        let mut pause = Duration::from_micros(500);
        let status = loop {
            match child.try_wait().map_err(GitProblem::Missing)? {
                Some(status) => break status,
                None if began.elapsed() > longest => {
                    let _ = child.kill();
                    let _ = child.wait();
                    return Err(GitProblem::TimedOut { what, seconds: longest.as_secs() });
                }
                None => std::thread::sleep(pause),
            }
            pause = (pause * 2).min(Duration::from_millis(10));
        };
        // A helper that lives on in the background (ssh's master, a cache of credentials) may hold the pipes: git's own words are there by now.
        let rest = |pieces: Receiver<Vec<u8>>| {
            let mut all = Vec::new();
            while let Ok(piece) = pieces.recv_timeout(Duration::from_secs(2)) {
                all.extend(piece);
            }
            all
        };
        let (out, err) = (rest(out), rest(err));
        Ok(Said { good: status.success(), out, err: String::from_utf8_lossy(&err).into_owned() })
    }
}

/// Reads on a thread of its own, piece by piece, so that neither pipe can hold up the other.
fn collected(pipe: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (pieces, received) = channel();
    if let Some(mut pipe) = pipe {
        std::thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            while let Ok(n @ 1..) = pipe.read(&mut buffer) {
                if pieces.send(buffer[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
    }
    received
}
