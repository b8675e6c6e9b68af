//! The local branch beside the remote's: what they have in common, and how the local one follows once everything of it is on the remote.

use super::branch::Branch;
use super::command::is_oid;
use super::problem::GitProblem;

impl Branch {
    /// The commit that both come from: what the remote's tip lacks of it has been removed there, and must not come back. Where no such commit is known
    /// (a shallow clone, two beginnings), the tip itself.
    pub(super) fn common(&self, tip: &str, local: &str) -> Result<String, GitProblem> {
        let said = self.git.run(&["merge-base", "--", tip, local])?;
        let base = said.text();
        Ok(if said.good && is_oid(&base) { base } else { tip.to_owned() })
    }

    /// Moves the local branch, where there was one that nobody has checked out, to a commit that has all of it. Where somebody has added to it since, it stays: the next
    /// push brings the rest.
    pub(super) fn follow(&self, commit: &str, local: Option<&str>) {
        let Some(old) = local.filter(|old| *old != commit) else { return };
        if self.not_checked_out().is_ok() {
            let _ = self.git.run(&["update-ref", "-m", "footbridge: run logs", "--", &self.local(), commit, old]);
        }
    }
}
