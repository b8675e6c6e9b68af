//! The team's branch of run logs, as commands use it: when it is looked for, what is said when it cannot be had.

use std::path::Path;
use std::sync::PoisonError;

use super::exit::Exit;
use super::failure::Failure;
use super::ground::Place;
use super::world::World;
use crate::config::{self, valid::Project};
use crate::diag::{Code, Diagnostic};
use crate::render::escape::Terminal;
use crate::runlog::Store;
use crate::runlog::git::{
    Archive, Author, Branch, Git, GitProblem, Held, Pauses, RemoteLock, branch_fits, remote_fits,
};

/// The branch of the repository that a folder lies in.
///
/// # Errors
/// No git, no repository, names that nobody should have let through.
pub fn open(world: &World, root: &Path, project: &Project) -> Result<Branch, GitProblem> {
    let pauses = match world.variable("FOOTBRIDGE_BACKOFF").as_deref() {
        Some("none") => Pauses::none(),
        _ => Pauses::default(),
    };
    let named = &project.git;
    if !branch_fits(&named.branch) || !remote_fits(&named.remote) {
        return Err(GitProblem::NoRemote { name: named.remote.clone(), there: Vec::new() });
    }
    let author = named.author.as_deref().and_then(Author::parse);
    Ok(Branch::new(Git::open(root, pauses)?, &named.branch, &named.remote, author))
}

/// The run logs of the folder, and behind them those of the branch. The branch is fetched, once a process, where the team keeps its logs there: the
/// project file says `git:`, this clone knows the branch, or this is CI. What cannot be had is said, and left out.
pub fn store(world: &World, root: &Path, project: &Project) -> Store {
    with(world, root, project, &[])
}

/// The same with what these commits of locks know of runs.
fn with(world: &World, root: &Path, project: &Project, locks: &[String]) -> Store {
    let store = Store::open(root.join(&project.runs));
    if !Git::is_there(root) {
        return store;
    }
    match archive(world, root, project, locks) {
        Ok(archive) => store.with_archive(archive),
        Err(problem) => {
            let words = problem.to_string();
            world.say(&format!(
                "the run logs on the branch `{}` are not looked at: {}",
                project.git.branch,
                Terminal(&words)
            ));
            store
        }
    }
}

/// The same, as far as the configuration can be read: for commands that only look back.
pub fn of_here(world: &World) -> Store {
    let root = world.root();
    let loaded = config::load_for(&root, &|_| None, &[]);
    store(world, &root, &loaded.repository.project)
}

/// The run logs, and what the locks know of runs that have no log yet: those on the remote where the branch is fetched from there or it is `asked`, else those that
/// runs of this clone have left.
///
/// # Errors
/// It was asked for, and the remote does not tell.
pub fn with_locks(world: &World, root: &Path, project: &Project, asked: bool) -> Result<Store, GitProblem> {
    // Before the logs: a run that ends meanwhile has one then.
    let locks = || {
        let branch = open(world, root, project)?;
        if !asked && !branch.is_known()? && !project.git.written && !world.is_ci() {
            return RemoteLock::kept(&branch);
        }
        match Held::all(&branch) {
            Ok(all) => Ok(all.into_iter().map(|held| held.commit).collect()),
            Err(_) if !asked => RemoteLock::kept(&branch),
            Err(problem) => Err(problem),
        }
    };
    let locks = if Git::is_there(root) { locks() } else { Ok(Vec::new()) };
    let locks = if asked { locks? } else { locks.unwrap_or_default() };
    Ok(with(world, root, project, &locks))
}

fn archive(world: &World, root: &Path, project: &Project, locks: &[String]) -> Result<Option<Archive>, GitProblem> {
    let branch = match open(world, root, project) {
        Ok(branch) => branch,
        // Somebody else's `.git` further up, or no git at all: nobody said that there are logs on a branch.
        Err(_) if !project.git.written && !world.is_ci() => return Ok(None),
        Err(problem) => return Err(problem),
    };
    let known = branch.is_known()?;
    // Held until it is fetched: whoever works beside this one must not open what is not there yet.
    let mut fetched = world.fetched.lock().unwrap_or_else(PoisonError::into_inner);
    if fetched.insert(root.to_owned()) && (known || project.git.written || world.is_ci()) {
        match branch.fetch() {
            Ok(_) => {}
            // A clone without this remote: what it knows is all there is.
            Err(GitProblem::NoRemote { .. }) if !project.git.written => {}
            Err(problem) => {
                let words = problem.to_string();
                world.say(&format!(
                    "the branch of run logs could not be fetched, so the latest runs may be missing: {}",
                    Terminal(&words)
                ));
            }
        }
    }
    drop(fetched);
    Archive::open(&branch, &project.runs, locks)
}

impl Place<'_> {
    /// The run logs of the folder and of the branch.
    pub fn store(&self) -> Store {
        store(self.world, self.root, &self.repository.project)
    }

    /// The same with what these commits of locks know of runs.
    pub fn store_and(&self, locks: &[String]) -> Store {
        with(self.world, self.root, &self.repository.project, locks)
    }

    /// The same with what all locks know of runs, as [`with_locks`] has it.
    ///
    /// # Errors
    /// It was asked for, and the remote does not tell: exit 1.
    pub fn store_and_locks(&self, asked: bool) -> Result<Store, Failure> {
        let store = with_locks(self.world, self.root, &self.repository.project, asked);
        store.map_err(|problem| failure(&problem, Code::GitFailed, "nothing was sent"))
    }

    /// The branch, for a command that cannot do without.
    ///
    /// # Errors
    /// No git, no repository: bad usage.
    pub fn branch(&self) -> Result<Branch, Failure> {
        open(self.world, self.root, &self.repository.project).map_err(|problem| {
            let diagnostic = Diagnostic::error(Code::GitUnavailable, problem.to_string())
                .note("nothing was sent")
                .help("run it in a clone of the team's repository, with `git` installed");
            Failure::new(Exit::Usage, diagnostic)
        })
    }
}

/// What git could not do, as a problem of this kind, with what was not done because of it.
pub fn failure(problem: &GitProblem, code: Code, not_done: &str) -> Failure {
    let mut diagnostic = Diagnostic::error(code, problem.to_string()).note(not_done);
    let helps: &[&str] = match problem {
        GitProblem::Refused { .. } => &[
            "let this user or CI's token push to the branch (on GitHub: `permissions: contents: write`, no ruleset on it)",
            "or name another branch in the project file: `git: { branch: … }`",
        ],
        GitProblem::NoRemote { .. } => {
            &["name the remote in the project file: `git: { remote: … }`; `git remote` lists them"]
        }
        GitProblem::CheckedOut { .. } => {
            &["check out another branch there: the branch of run logs is Footbridge's own"]
        }
        GitProblem::Missing(_) => &["install git, 2.29 or later"],
        GitProblem::Moved { .. } => &["try again"],
        _ => &["`git fetch` in this folder tries the same connection; mend what it says, then try again"],
    };
    for help in helps {
        diagnostic = diagnostic.help(*help);
    }
    let exit = if matches!(problem, GitProblem::NoRemote { .. }) { Exit::Usage } else { Exit::Failed };
    Failure::new(exit, diagnostic)
}

/// How this machine calls itself, as far as it says so.
pub fn host(world: &World) -> String {
    let variable = ["RUNNER_NAME", "HOSTNAME", "COMPUTERNAME"].into_iter().find_map(|name| world.variable(name));
    let named = variable.or_else(|| std::fs::read_to_string("/proc/sys/kernel/hostname").ok());
    let named: String = named.unwrap_or_default().trim().chars().filter(|c| !c.is_control()).take(80).collect();
    if named.is_empty() { "a machine without a name".to_owned() } else { named }
}

/// The page of CI's job, where CI says where it is: without what may be secret, and of characters that can end neither a link nor a table's cell.
pub fn ci_page(world: &World) -> Option<String> {
    let variable = |name: &str| world.variable(name).filter(|v| !v.is_empty());
    let github = || {
        let (server, repository) = (variable("GITHUB_SERVER_URL")?, variable("GITHUB_REPOSITORY")?);
        Some(format!("{server}/{repository}/actions/runs/{}", variable("GITHUB_RUN_ID")?))
    };
    let page = github().or_else(|| variable("CI_JOB_URL")).or_else(|| variable("BUILD_URL"))?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#@!$&()*+,;=%".contains(c);
    let address = page.starts_with("https://") || page.starts_with("http://");
    let plain = address && page.len() <= 300 && page.chars().all(plain);
    plain.then(|| crate::runlog::source_shown(&page))
}

/// A length of time, for people.
pub fn ago(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}
