//! A branch of the remote: fetched without a trace in the user's refs, moved only from where it was last seen.

use super::command::{Git, HERE, Said, THERE};
use super::problem::{GitProblem, without_credentials};

/// What became of a push.
#[derive(Debug)]
pub(super) enum Answer {
    /// The remote has it.
    Done,
    /// The branch is not, or no longer, where it was said to be.
    Moved,
}

/// Where the branch must be for a push to count.
#[derive(Debug, Clone, Copy)]
pub(super) enum Expected<'a> {
    /// Somewhere that the commit follows upon: what git asks for by itself.
    Before,
    /// Nowhere: the push makes it.
    Absent,
    /// There.
    At(&'a str),
}

impl Git {
    /// Fetches a branch; its tip, `None` where the remote has none of that name. Of a shallow clone's remote only the tip is fetched.
    pub(super) fn fetch(&self, remote: &str, branch: &str) -> Result<Option<String>, GitProblem> {
        let what = "fetch the branch from the remote";
        // Into a ref of this fetch's own: several processes may fetch at once, and none may find another's.
        let kept = format!("refs/footbridge/fetched/{:016x}", fastrand::u64(..));
        let spec = format!("+refs/heads/{branch}:{kept}");
        let mut arguments = vec![
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-recurse-submodules",
            "--no-auto-gc",
            "--no-prune",
            "--refmap=",
        ];
        if self.is_shallow() {
            arguments.push("--depth=1");
        }
        arguments.extend(["--", remote, &spec]);
        let mut number = 0;
        let said = loop {
            let said = self.command(&arguments).run(what, THERE)?;
            // Another process of this clone fetches as well.
            let busy = !said.good && said.err.contains(".lock");
            number += 1;
            if !busy || number >= self.pauses().tries {
                break said;
            }
            self.pauses().before(number);
        };
        if !said.good {
            if said.err.contains("couldn't find remote ref") {
                return Ok(None);
            }
            return Err(GitProblem::Failed { what, words: said.words() });
        }
        let tip = self.resolve(&kept)?;
        let _ = self.run(&["update-ref", "-d", &kept])?;
        tip.map(Some).ok_or(GitProblem::Answer { what: "rev-parse" })
    }

    /// Where a branch of the remote is now.
    pub(super) fn look(&self, remote: &str, branch: &str) -> Result<Option<String>, GitProblem> {
        let wanted = format!("refs/heads/{branch}");
        Ok(self.heads(remote, &wanted)?.into_iter().find(|(_, name)| *name == wanted).map(|(oid, _)| oid))
    }

    /// The remote's branches that fit a pattern: what they point at, and their full names.
    pub(super) fn heads(&self, remote: &str, pattern: &str) -> Result<Vec<(String, String)>, GitProblem> {
        let arguments = ["ls-remote", "--quiet", "--refs", "--", remote, pattern];
        let said = self.command(&arguments).done("ask the remote for its branches", THERE)?;
        let lines = said.text();
        Ok(lines.lines().filter_map(|l| l.split_once('\t')).map(|(o, n)| (o.to_owned(), n.to_owned())).collect())
    }

    /// Moves a branch of the remote to a commit (`None` takes it away).
    pub(super) fn push(
        &self,
        remote: &str,
        branch: &str,
        commit: Option<&str>,
        expected: Expected<'_>,
    ) -> Result<Answer, GitProblem> {
        let what = "push to the remote";
        let spec = format!("{}:refs/heads/{branch}", commit.unwrap_or_default());
        let lease = match expected {
            Expected::Before => None,
            Expected::Absent => Some(format!("--force-with-lease=refs/heads/{branch}:")),
            Expected::At(oid) => Some(format!("--force-with-lease=refs/heads/{branch}:{oid}")),
        };
        let mut arguments = vec!["push", "--porcelain", "--no-verify", "--no-signed", "--recurse-submodules=no"];
        arguments.extend(lease.as_deref());
        arguments.extend(["--", remote, &spec]);
        let said = self.command(&arguments).run(what, THERE)?;
        answered(&said, branch)
    }

    /// Points a ref of this clone somewhere else, if it can be done; nothing depends on it.
    pub(super) fn point(&self, reference: &str, oid: &str) {
        let arguments = ["update-ref", "-m", "footbridge: run logs", "--", reference, oid];
        let _ = self.command(&arguments).run("move a ref", HERE);
    }
}

/// Reads what `git push --porcelain` says of the one ref.
fn answered(said: &Said, branch: &str) -> Result<Answer, GitProblem> {
    let text = said.text();
    let line = text.lines().find(|l| l.split('\t').nth(1).is_some_and(|spec| spec.contains(":refs/heads/")));
    let summary = line.and_then(|l| l.split('\t').nth(2)).unwrap_or_default();
    match line.and_then(|l| l.chars().next()) {
        // New, fast-forward, forced, deleted, or there already.
        Some('*' | ' ' | '+' | '-' | '=') => Ok(Answer::Done),
        Some('!') => {
            // Said by this side (it saw another tip), or by the other (the tip moved in between).
            const MOVED: [&str; 9] = [
                "fetch first",
                "non-fast-forward",
                "stale info",
                "cannot lock ref",
                "failed to update ref",
                "failed to lock",
                "reference already exists",
                "incorrect old value",
                "remote ref does not exist",
            ];
            if MOVED.iter().any(|word| summary.contains(word)) {
                return Ok(Answer::Moved);
            }
            let words = [without_credentials(summary), said.words()].join(" ");
            Err(GitProblem::Refused { branch: branch.to_owned(), words: words.trim().to_owned() })
        }
        _ if said.good => Ok(Answer::Done),
        _ => {
            // A deletion of what is gone is not told as a line.
            if said.err.contains("remote ref does not exist") {
                return Ok(Answer::Moved);
            }
            const RIGHTS: [&str; 6] = [
                "Permission to",
                "Write access to repository not granted",
                "403",
                "not allowed to push",
                "Permission denied",
                "protected branch",
            ];
            if RIGHTS.iter().any(|word| said.err.contains(word)) {
                return Err(GitProblem::Refused { branch: branch.to_owned(), words: said.words() });
            }
            Err(GitProblem::Failed { what: "push to the remote", words: said.words() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_pushes_are_told_apart() {
        let told = |out: &str, err: &str, good: bool| {
            answered(&Said { good, out: out.as_bytes().to_vec(), err: err.to_owned() }, "runs")
        };
        let line = |flag: &str, summary: &str| format!("To https://x\n{flag}\tabc:refs/heads/runs\t{summary}\nDone\n");
        assert!(matches!(told(&line("*", "[new branch]"), "", true), Ok(Answer::Done)));
        assert!(matches!(told(&line(" ", "a..b"), "", true), Ok(Answer::Done)));
        for summary in [
            "[rejected] (fetch first)",
            "[rejected] (stale info)",
            "[remote rejected] (cannot lock ref 'refs/heads/runs': is at x but expected y)",
            "[remote rejected] (reference already exists)",
        ] {
            assert!(matches!(told(&line("!", summary), "", false), Ok(Answer::Moved)), "{summary}");
        }
        for summary in
            ["[remote rejected] (protected branch hook declined)", "[remote rejected] (pre-receive hook declined)"]
        {
            assert!(matches!(told(&line("!", summary), "", false), Err(GitProblem::Refused { .. })), "{summary}");
        }
        let denied = "remote: Permission to a/b.git denied to github-actions[bot].\nfatal: unable to access 'https://t:S@github.com/': 403";
        let Err(GitProblem::Refused { words, .. }) = told("", denied, false) else { panic!() };
        assert!(!words.contains("t:S"));
        assert!(matches!(told("", "fatal: unable to connect", false), Err(GitProblem::Failed { .. })));
    }
}
