//! Two accounts of one run. A machine whose log could not be pushed in time is taken for dead, and another one writes a log of the run under the same name.
//! What the run itself says of it is truer than what was found out about it afterwards; otherwise the remote's counts.

use std::collections::BTreeMap;

use super::branch::{Blob, Blobs, Branch};
use super::problem::GitProblem;
use crate::runlog::RunLog;

/// Of two accounts of a run, which one the branch has from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rival {
    /// The run's own account takes the place of what another machine had found out. By its log's path.
    Replaced(String),
    /// The remote's stays. By its log's path.
    Stays {
        /// The log.
        path: String,
        /// A commit of this clone, which a ref keeps, that has the other one.
        aside: Option<String>,
    },
}

impl Branch {
    /// Judges what is new here and something else on the remote, run by run. `there`: the tip's files. `late`: these were kept on the local branch, and must not
    /// hold up every push to come, so what does not replace the remote's is taken out of them; else only what was found out about dead runs is.
    pub(super) fn rivals(
        &self,
        blobs: &mut Blobs,
        there: &BTreeMap<String, String>,
        late: bool,
    ) -> Result<Vec<Rival>, GitProblem> {
        let other = |(path, blob): (&String, &Blob)| match blob {
            Blob::New(oid) if there.get(path).is_some_and(|old| old != oid) => Some(stem(path).to_owned()),
            _ => None,
        };
        let mut stems: Vec<String> = blobs.iter().filter_map(other).collect();
        stems.dedup();
        let mut rivals = Vec::new();
        for stem in stems {
            let path = log_of(&stem);
            let ours = self.is_of_the_dead(blobs.get(&path).and_then(Blob::oid))?;
            let theirs = self.is_of_the_dead(there.get(&path).map(String::as_str))?;
            let of_run = |path: &str| self::stem(path) == stem;
            if theirs == Some(true) && ours == Some(false) {
                for (_, blob) in blobs.iter_mut().filter(|(path, _)| of_run(path)) {
                    if let Blob::New(oid) = blob {
                        *blob = Blob::Amended(std::mem::take(oid));
                    }
                }
                rivals.push(Rival::Replaced(path));
            } else if late || ours == Some(true) {
                blobs.retain(|path, blob| !of_run(path) || *blob == Blob::Gone);
                rivals.push(Rival::Stays { path, aside: None });
            }
        }
        Ok(rivals)
    }

    /// Was a log written by another machine, after the run's own had died? `None` where there is no log.
    pub(super) fn is_of_the_dead(&self, log: Option<&str>) -> Result<Option<bool>, GitProblem> {
        let Some(oid) = log else { return Ok(None) };
        let said = self.git.done("read a run log", &["cat-file", "blob", oid])?;
        Ok(serde_yaml::from_slice::<RunLog>(&said.out).ok().map(|log| log.is_of_the_dead()))
    }

    /// Keeps a commit of the local branch by a ref of its own: what the branch does not take is lost to nobody.
    pub(super) fn keep_aside(&self, rivals: &mut [Rival], local: Option<&str>) {
        for rival in rivals {
            let (Rival::Stays { aside, .. }, Some(commit)) = (rival, local) else { continue };
            self.git.point(&format!("refs/footbridge/aside/{commit}"), commit);
            *aside = Some(commit.to_owned());
        }
    }
}

/// The log of the run that a file is of.
pub(super) fn log_of(path: &str) -> String {
    format!("{}.yaml", stem(path))
}

/// What the files of one run have in common: the path up to the run's id.
fn stem(path: &str) -> &str {
    let name = path.rfind('/').map_or(0, |at| at + 1);
    path[name..].find('.').map_or(path, |end| &path[..name + end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_a_run_share_a_stem() {
        let run = "teams/a.b/runs/notes/00D000000000001EAA/2026/2026-11-22T080003Z-2";
        for end in [".yaml", ".records.jsonl", ".values.age", ".intent.yaml"] {
            assert_eq!(stem(&format!("{run}{end}")), run);
        }
        assert_eq!((stem("a.b/c"), stem("c"), stem("c.yaml")), ("a.b/c", "c", "c"));
    }
}
