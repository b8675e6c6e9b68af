//! Files committed onto a branch, here or on the remote, one commit at a time, without a worktree.
//!
//! The branch begins with a commit of its own, not with one of `main`: it then holds run logs and nothing else, so that it is fetched in a moment, nobody merges
//! it by mistake, a shallow clone needs no history for it, and pushing to it starts no workflow (its commits have no workflow files).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::command::{Git, HERE, is_oid};
use super::problem::GitProblem;
use super::remote::{Answer, Expected};
use super::rival::{Rival, log_of};

/// What becomes of a file of the branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// It is what this file is.
    File(PathBuf),
    /// It is what this file is now, and was another on the branch: what was added to since.
    Amended(PathBuf),
    /// It is these bytes.
    Bytes(Vec<u8>),
    /// It is this blob of git's store.
    Kept(String),
    /// It goes, where it is there.
    Gone,
}

/// One file of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its path below the folder that [`Git::open`] was given, with `/`.
    pub path: String,
    /// What becomes of it.
    pub content: Content,
}

/// Who commits: a name and an e-mail address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
}

impl Author {
    /// Where nobody is configured, as on most machines of CI.
    pub fn nobody() -> Self {
        Self { name: "Footbridge".to_owned(), email: "footbridge@localhost".to_owned() }
    }

    /// `Name <address>`.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, rest) = text.split_once('<')?;
        let (name, email) = (name.trim(), rest.strip_suffix('>')?.trim());
        let plain = |s: &str| !s.is_empty() && !s.contains(['<', '>']) && !s.chars().any(char::is_control);
        (plain(name) && plain(email)).then(|| Self { name: name.to_owned(), email: email.to_owned() })
    }
}

/// What a push brought about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// The branch's tip on the remote.
    pub commit: String,
    /// How often it was tried.
    pub tries: u32,
    /// Runs that this clone and the remote had different logs of.
    pub rivals: Vec<Rival>,
}

/// The branch of run logs.
#[derive(Debug, Clone)]
pub struct Branch {
    pub(super) git: Git,
    pub(super) name: String,
    pub(super) remote: String,
    author: Option<Author>,
}

/// What becomes of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Blob {
    /// It is there, with this content and no other.
    New(String),
    /// It has this content, whatever it had.
    Amended(String),
    /// It is not there.
    Gone,
}

impl Blob {
    pub(super) fn oid(&self) -> Option<&str> {
        match self {
            Self::New(oid) | Self::Amended(oid) => Some(oid),
            Self::Gone => None,
        }
    }
}

pub(super) type Blobs = BTreeMap<String, Blob>;

impl Branch {
    /// A branch of this repository and remote, by names that [`super::branch_fits`] and [`super::remote_fits`] take. Nothing is asked of git yet.
    pub fn new(git: Git, name: &str, remote: &str, author: Option<Author>) -> Self {
        Self { git, name: name.to_owned(), remote: remote.to_owned(), author }
    }

    /// The repository.
    pub fn git(&self) -> &Git {
        &self.git
    }

    /// The branch's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The remote's name.
    pub fn remote(&self) -> &str {
        &self.remote
    }

    pub(super) fn local(&self) -> String {
        format!("refs/heads/{}", self.name)
    }

    pub(super) fn tracking(&self) -> String {
        format!("refs/remotes/{}/{}", self.remote, self.name)
    }

    /// The refs of this clone under which the branch is known.
    pub fn refs(&self) -> [String; 2] {
        [self.tracking(), self.local()]
    }

    /// Is the branch known here, from this clone or from an earlier fetch?
    pub fn is_known(&self) -> Result<bool, GitProblem> {
        Ok(self.git.resolve(&self.tracking())?.is_some() || self.git.resolve(&self.local())?.is_some())
    }

    /// Fetches the branch from the remote; its tip, where it exists.
    pub fn fetch(&self) -> Result<Option<String>, GitProblem> {
        self.git.has_remote(&self.remote)?;
        let tip = self.git.fetch(&self.remote, &self.name)?;
        match &tip {
            Some(tip) => self.git.point(&self.tracking(), tip),
            None => _ = self.git.run(&["update-ref", "-d", &self.tracking()])?,
        }
        Ok(tip)
    }

    /// Commits onto the local branch, which is made where it is missing: from the remote's, as far as that is known here.
    pub fn commit(&self, changes: &[Change], message: &str, now: Timestamp) -> Result<String, GitProblem> {
        self.not_checked_out()?;
        let blobs = self.blobs(changes)?;
        for number in 1..=self.git.pauses().tries {
            let old = self.git.resolve(&self.local())?;
            let tip = match &old {
                Some(tip) => Some(tip.clone()),
                None => self.git.resolve(&self.tracking())?,
            };
            let commit = self.onto(tip.as_deref(), &blobs, message, now)?;
            let arguments = [
                "update-ref",
                "-m",
                "footbridge: run logs",
                "--",
                &self.local(),
                &commit,
                old.as_deref().unwrap_or(""),
            ];
            if self.git.run(&arguments)?.good {
                return Ok(commit);
            }
            self.git.pauses().before(number);
        }
        Err(GitProblem::Moved { branch: self.name.clone(), tries: self.git.pauses().tries })
    }

    /// Commits onto the remote's branch and pushes; what only the local branch has goes along. When the remote has moved in between, the same files are
    /// committed onto its new tip: they are of runs of their own, so there is nothing to merge. Where both have a log of one run, [`Rival`] says which one counts.
    pub fn push(&self, changes: &[Change], message: &str, now: Timestamp) -> Result<Pushed, GitProblem> {
        let fresh = self.blobs(changes)?;
        let most = self.git.pauses().tries;
        for number in 1..=most {
            // Another process of this clone may commit meanwhile: what is not in this one is for the next push.
            let local = self.git.resolve(&self.local())?;
            let tip = self.fetch()?;
            let there = self.files(tip.as_deref())?;
            let mut blobs = self.unpushed(tip.as_deref(), local.as_deref())?;
            let mut rivals = self.rivals(&mut blobs, &there, true)?;
            self.keep_aside(&mut rivals, local.as_deref());
            let mut new = fresh.clone();
            rivals.extend(self.rivals(&mut new, &there, false)?);
            blobs.extend(new);
            let commit = self.onto(tip.as_deref(), &blobs, message, now)?;
            if tip.as_ref() == Some(&commit) {
                self.follow(&commit, local.as_deref());
                return Ok(Pushed { commit, tries: number, rivals });
            }
            let expected = if tip.is_some() { Expected::Before } else { Expected::Absent };
            let answer = match self.git.push(&self.remote, &self.name, Some(&commit), expected) {
                // The answer may be lost when the deed is done.
                Err(problem @ (GitProblem::Failed { .. } | GitProblem::TimedOut { .. })) => {
                    match self.git.look(&self.remote, &self.name) {
                        Ok(Some(there)) if there == commit => Answer::Done,
                        _ => return Err(problem),
                    }
                }
                other => other?,
            };
            if let Answer::Done = answer {
                self.git.point(&self.tracking(), &commit);
                self.follow(&commit, local.as_deref());
                return Ok(Pushed { commit, tries: number, rivals });
            }
            self.git.pauses().before(number);
        }
        Err(GitProblem::Moved { branch: self.name.clone(), tries: most })
    }

    /// May the branch be begun, where the remote had none when it was last looked at? Nothing but trying tells; what was made for that goes again.
    pub fn may_begin(&self, now: Timestamp) -> Result<(), GitProblem> {
        if self.git.resolve(&self.tracking())?.is_some() {
            return Ok(());
        }
        let commit = self.commit_tree(&self.tree(None, Vec::new())?, None, "May this branch be pushed to?\n", now)?;
        if let Answer::Done = self.git.push(&self.remote, &self.name, Some(&commit), Expected::Absent)? {
            // Somebody may have gone on from it: then it stays, and does no harm.
            let _ = self.git.push(&self.remote, &self.name, None, Expected::At(&commit));
        }
        Ok(())
    }

    /// To move a branch that somebody has checked out would make that worktree look changed.
    pub(super) fn not_checked_out(&self) -> Result<(), GitProblem> {
        let said = self.git.done("list the worktrees", &["worktree", "list", "--porcelain"])?;
        let wanted = format!("branch {}", self.local());
        let mut folder = PathBuf::new();
        for line in said.text().lines() {
            if let Some(path) = line.strip_prefix("worktree ") {
                folder = PathBuf::from(path);
            } else if line == wanted {
                return Err(GitProblem::CheckedOut { branch: self.name.clone(), folder });
            }
        }
        Ok(())
    }

    /// What the local branch has and this tip has not: commits made while nothing could be pushed.
    fn unpushed(&self, tip: Option<&str>, local: Option<&str>) -> Result<Blobs, GitProblem> {
        let (Some(local), Some(tip)) = (local, tip) else {
            return Ok(self.files(local)?.into_iter().map(|(path, oid)| (path, Blob::New(oid))).collect());
        };
        if local == tip {
            return Ok(Blobs::new());
        }
        let base = self.common(tip, local)?;
        let arguments = ["diff-tree", "-r", "-z", "--no-renames", "--diff-filter=AM", &base, local];
        let said = self.git.done("compare the branch with the remote's", &arguments)?;
        let text = String::from_utf8_lossy(&said.out).into_owned();
        let mut fields = text.split('\0');
        let mut blobs = Blobs::new();
        while let (Some(head), Some(path)) = (fields.next(), fields.next()) {
            // `:000000 100644 0000… abcd… A`
            let mut head = head.split(' ').skip(3);
            let (oid, status) = (head.next().filter(|oid| is_oid(oid)), head.next());
            let blob = match (oid, status) {
                (Some(oid), Some("A")) => Blob::New(oid.to_owned()),
                (Some(oid), Some("M")) => Blob::Amended(oid.to_owned()),
                _ => return Err(GitProblem::Answer { what: "diff-tree" }),
            };
            blobs.insert(path.to_owned(), blob);
        }
        if blobs.values().any(|blob| matches!(blob, Blob::Amended(_))) {
            // What differs may as well have been amended on the remote.
            let ours = self.changed("M", tip, local)?;
            // Against the tip itself (no common commit is known) what both have added differs, too: of a run that another machine took for dead.
            let added = if base == tip { self.changed("A", tip, local)? } else { BTreeSet::new() };
            let there = if added.is_empty() { BTreeMap::new() } else { self.files(Some(tip))? };
            for (path, blob) in std::mem::take(&mut blobs) {
                let blob = match blob {
                    Blob::Amended(_) if ours.contains(&path) => blob,
                    Blob::Amended(oid) => {
                        let theirs = there.get(&log_of(&path)).filter(|_| added.contains(&path));
                        if self.is_of_the_dead(theirs.map(String::as_str))? != Some(true) {
                            continue;
                        }
                        Blob::New(oid)
                    }
                    other => other,
                };
                blobs.insert(path, blob);
            }
        }
        Ok(blobs)
    }

    /// The files of a commit.
    pub(super) fn files(&self, commit: Option<&str>) -> Result<BTreeMap<String, String>, GitProblem> {
        let Some(commit) = commit else { return Ok(BTreeMap::new()) };
        let said = self.git.done("list the branch", &["ls-tree", "-r", "-z", "--full-tree", commit])?;
        Ok(tree_lines(&said.out).collect())
    }

    /// The paths that commits of the local branch alone have changed so: `A` (added) or `M`.
    fn changed(&self, how: &str, tip: &str, local: &str) -> Result<BTreeSet<String>, GitProblem> {
        let what = "compare the branch with the remote's";
        let commits = self.git.done(what, &["rev-list", local, &format!("^{tip}")])?;
        let filter = format!("--diff-filter={how}");
        // A branch that began here, too, has added what its first commit has.
        let arguments =
            ["diff-tree", "--stdin", "--root", "-r", "-z", "--no-renames", "--no-commit-id", "--name-only", &filter];
        let said = self.git.command(&arguments).input(commits.out).done(what, HERE)?;
        let paths = String::from_utf8_lossy(&said.out).into_owned();
        Ok(paths.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
    }

    /// Which files of the local branch are newer than those of the remote's, as far as that is known here.
    pub(super) fn newer(&self) -> Result<BTreeMap<String, String>, GitProblem> {
        let Some(tip) = self.git.resolve(&self.tracking())? else { return Ok(BTreeMap::new()) };
        let mut all = self.unpushed(Some(&tip), self.git.resolve(&self.local())?.as_deref())?;
        self.rivals(&mut all, &self.files(Some(&tip))?, true)?;
        let all = all.into_iter();
        Ok(all.filter_map(|(path, blob)| Some((path, blob.oid()?.to_owned()))).collect())
    }

    /// Writes the files' contents into git's store.
    pub(super) fn blobs(&self, changes: &[Change]) -> Result<Blobs, GitProblem> {
        let what = "keep a file";
        let mut blobs = Blobs::new();
        for change in changes {
            let path = self.path(&change.path)?;
            let file = |file: &Path| {
                let run = self.git.command(&["hash-object", "-w", "--no-filters", "--"]).argument(file.as_os_str());
                Ok::<_, GitProblem>(run.done(what, HERE)?.text())
            };
            let blob = match &change.content {
                Content::Gone => Blob::Gone,
                Content::Bytes(bytes) => {
                    let run = self.git.command(&["hash-object", "-w", "--no-filters", "--stdin"]);
                    Blob::New(run.input(bytes.clone()).done(what, HERE)?.text())
                }
                Content::Kept(oid) => Blob::New(oid.clone()),
                Content::File(path) => Blob::New(file(path)?),
                Content::Amended(path) => Blob::Amended(file(path)?),
            };
            if blob.oid().is_some_and(|oid| !is_oid(oid)) {
                return Err(GitProblem::Answer { what: "hash-object" });
            }
            blobs.insert(path, blob);
        }
        Ok(blobs)
    }

    /// The path in the branch's tree. A path that leads out of it is a slip of the caller's.
    fn path(&self, below: &str) -> Result<String, GitProblem> {
        let sound = |part: &str| !matches!(part, "" | "." | "..") && !part.eq_ignore_ascii_case(".git");
        if !below.split('/').all(sound) || below.contains(['\0', '\n']) {
            return Err(GitProblem::Taken { branch: self.name.clone(), path: below.to_owned() });
        }
        Ok(format!("{}{below}", self.git.prefix()))
    }

    /// A commit on a tip, of that tip's files and these; the tip itself where nothing changes. Nothing but what was amended gets another content.
    fn onto(&self, tip: Option<&str>, blobs: &Blobs, message: &str, now: Timestamp) -> Result<String, GitProblem> {
        let mut lines = Vec::new();
        if let Some(tip) = tip {
            let there = self.files(Some(tip))?;
            for (path, blob) in blobs {
                match (there.get(path), blob) {
                    (Some(old), Blob::New(new) | Blob::Amended(new)) if old == new => {}
                    (Some(_), Blob::New(_)) => {
                        return Err(GitProblem::Taken { branch: self.name.clone(), path: path.clone() });
                    }
                    (Some(old), Blob::Gone) => lines.extend(format!("0 {}\t{path}\0", "0".repeat(old.len())).bytes()),
                    (_, Blob::New(new) | Blob::Amended(new)) => {
                        lines.extend(format!("100644 {new}\t{path}\0").bytes());
                    }
                    (None, Blob::Gone) => {}
                }
            }
            if lines.is_empty() {
                return Ok(tip.to_owned());
            }
        } else {
            let new = blobs.iter().filter_map(|(path, blob)| Some((path, blob.oid()?)));
            new.for_each(|(path, blob)| lines.extend(format!("100644 {blob}\t{path}\0").bytes()));
        }
        let tree = self.tree(tip, lines)?;
        self.commit_tree(&tree, tip, message, now)
    }

    /// A tree of a tip's files (none without one), changed as these lines of `update-index --index-info` say.
    pub(super) fn tree(&self, tip: Option<&str>, lines: Vec<u8>) -> Result<String, GitProblem> {
        let folder = tempfile::tempdir()
            .map_err(|source| GitProblem::Io { path: PathBuf::from("a temporary folder"), source })?;
        let index = folder.path().join("index");
        let indexed = |arguments: &[&str]| self.git.command(arguments).variable("GIT_INDEX_FILE", &index);
        if let Some(tip) = tip {
            indexed(&["read-tree", tip]).done("read the branch", HERE)?;
        }
        indexed(&["update-index", "-z", "--index-info"]).input(lines).done("add files to the branch", HERE)?;
        Ok(indexed(&["write-tree"]).done("write the branch's tree", HERE)?.text())
    }

    /// A commit of a tree. By the author that the configuration names, else by whoever git knows, else by nobody in particular.
    pub(super) fn commit_tree(
        &self,
        tree: &str,
        parent: Option<&str>,
        message: &str,
        now: Timestamp,
    ) -> Result<String, GitProblem> {
        let mut arguments = vec!["commit-tree", "--no-gpg-sign", tree];
        if let Some(parent) = parent {
            arguments.extend(["-p", parent]);
        }
        let date = format!("@{} +0000", now.as_second());
        let mut run = self.git.command(&arguments).variable("GIT_AUTHOR_DATE", &date);
        run = run.variable("GIT_COMMITTER_DATE", &date);
        let author = match &self.author {
            Some(author) => Some(author.clone()),
            None => (!self.known()?).then(Author::nobody),
        };
        if let Some(Author { name, email }) = &author {
            for who in ["AUTHOR", "COMMITTER"] {
                run = run.variable(&format!("GIT_{who}_NAME"), name).variable(&format!("GIT_{who}_EMAIL"), email);
            }
        }
        let commit = run.input(message.as_bytes()).done("commit", HERE)?.text();
        if is_oid(&commit) { Ok(commit) } else { Err(GitProblem::Answer { what: "commit-tree" }) }
    }

    /// Does git know who commits here, without guessing?
    fn known(&self) -> Result<bool, GitProblem> {
        let ask = |who| self.git.run(&["-c", "user.useConfigOnly=true", "var", who]).map(|said| said.good);
        Ok(ask("GIT_AUTHOR_IDENT")? && ask("GIT_COMMITTER_IDENT")?)
    }
}

/// Paths and blobs of `git ls-tree -r -z`.
pub(super) fn tree_lines(out: &[u8]) -> impl Iterator<Item = (String, String)> {
    out.split(|b| *b == 0).filter_map(|line| {
        let line = std::str::from_utf8(line).ok()?;
        let (head, path) = line.split_once('\t')?;
        let mut head = head.split(' ');
        let (_mode, kind, oid) = (head.next()?, head.next()?, head.next()?);
        (kind == "blob" && is_oid(oid)).then(|| (path.to_owned(), oid.to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_author_is_a_name_and_an_address() {
        let author = Author::parse("Acme Bot <bot@acme.example>").unwrap();
        assert_eq!((author.name.as_str(), author.email.as_str()), ("Acme Bot", "bot@acme.example"));
        for wrong in ["", "Bot", "<a@b>", "Bot <>", "Bot <a@b> x", "B\not <a@b>", "Bot <a<b>"] {
            assert_eq!(Author::parse(wrong), None, "{wrong}");
        }
    }
}
