//! A team's repository on a bare remote, two machines with a clone each, one emulated org: run logs in git, the lock on the remote, machines that die.

mod dying;
mod intents;
mod marked;
mod pruning;
mod pushing;
mod ticks;
mod whole;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::faults::{Job, Running, until};
use crate::scene::Ran;

/// Three batches: 200, 200, 10.
pub const LEADS: usize = 410;

/// The branch of run logs.
pub const RUNS: &str = "footbridge-runs";

/// The remote, and clones `a` and `b` of it.
pub struct Team {
    pub job: Job,
}

/// Runs git as a person would, without anybody's configuration.
#[track_caller]
pub fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(arguments).current_dir(folder).env_clear().stdin(Stdio::null());
    command.env("PATH", std::env::var("PATH").unwrap()).env("HOME", folder).env("GIT_CONFIG_NOSYSTEM", "1");
    command.env("GIT_OPTIONAL_LOCKS", "0").envs(
        ["AUTHOR", "COMMITTER"]
            .iter()
            .flat_map(|who| [(format!("GIT_{who}_NAME"), "Ann"), (format!("GIT_{who}_EMAIL"), "ann@acme.example")]),
    );
    let said = command.output().unwrap();
    let err = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "git {arguments:?}: {err}");
    String::from_utf8_lossy(&said.stdout).trim_end().to_owned()
}

impl Team {
    pub fn new(leads: usize) -> Self {
        Self::with(leads, "")
    }

    /// The same with a project file that says this.
    pub fn with(leads: usize, project: &str) -> Self {
        let team = Self { job: Job::new(leads, "lookup") };
        let root = team.job.scene.root().to_owned();
        git(&root, &["init", "--quiet", "--bare", "-b", "main", "remote.git"]);
        git(&root, &["clone", "--quiet", "remote.git", "a"]);
        let a = team.clone_of("a");
        for name in ["orgs.yaml", "notes.yaml"] {
            std::fs::create_dir_all(a.join("integrations")).unwrap();
            std::fs::copy(root.join("integrations").join(name), a.join("integrations").join(name)).unwrap();
        }
        std::fs::write(a.join(".gitignore"), "exports/\n.footbridge/\n").unwrap();
        if !project.is_empty() {
            std::fs::write(a.join("integrations/project.yaml"), format!("footbridge: 1\nkind: project\n{project}"))
                .unwrap();
        }
        git(&a, &["checkout", "--quiet", "-b", "main"]);
        git(&a, &["add", "."]);
        git(&a, &["commit", "--quiet", "-m", "The integration"]);
        git(&a, &["push", "--quiet", "origin", "main"]);
        team.report("a");
        team.another("b");
        team
    }

    pub fn clone_of(&self, name: &str) -> PathBuf {
        self.job.scene.path(name)
    }

    pub fn remote(&self) -> PathBuf {
        self.job.scene.path("remote.git")
    }

    /// Gives the integration these settings of its environment (`schedule: daily, …`), in every clone.
    pub fn environment(&self, settings: &str) {
        let a = self.clone_of("a");
        let path = a.join("integrations/notes.yaml");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("sandbox: {}", &format!("sandbox: {{ {settings} }}"))).unwrap();
        git(&a, &["commit", "--quiet", "-am", "Other settings"]);
        git(&a, &["push", "--quiet", "origin", "main"]);
        git(&self.clone_of("b"), &["pull", "--quiet", "--ff-only"]);
    }

    /// Splits the integration: `notes` writes the notes, `counts` the counts. In clones `a` and `b`.
    pub fn split(&self) {
        let notes = std::fs::read_to_string(self.clone_of("a").join("integrations/notes.yaml")).unwrap();
        for (name, without) in [("notes", "  WalkMe_Count__c: Count\n"), ("counts", "  WalkMe_Note__c: Note\n")] {
            let text = notes.replace("name: notes", &format!("name: {name}")).replace(without, "");
            for clone in ["a", "b"] {
                std::fs::write(self.clone_of(clone).join(format!("integrations/{name}.yaml")), &text).unwrap();
            }
        }
    }

    /// Sets the clock of every machine.
    pub fn at(&mut self, now: &str) {
        self.job.scene.set("FOOTBRIDGE_NOW", now);
    }

    /// The remote refuses whatever is pushed to the branch of run logs, until this is taken away.
    pub fn refusing(&self) -> PathBuf {
        let hook = self.remote().join("hooks/update");
        self.remote_does(&format!("[ \"$1\" = refs/heads/{RUNS} ] && echo 'protected by rule' >&2 && exit 1\n"));
        hook
    }

    /// What the remote does (a shell script) before a ref is moved.
    pub fn remote_does(&self, script: &str) {
        let hook = self.remote().join("hooks/update");
        std::fs::write(&hook, format!("#!/bin/sh\n{script}exit 0\n")).unwrap();
        executable(&hook);
    }

    /// A further clone, with the report.
    pub fn another(&self, name: &str) {
        git(self.job.scene.root(), &["clone", "--quiet", "remote.git", name]);
        self.report(name);
    }

    /// Brings the report to a clone: it is never in git.
    pub fn report(&self, name: &str) {
        let exports = self.clone_of(name).join("exports");
        std::fs::create_dir_all(&exports).unwrap();
        std::fs::copy(self.job.scene.path("exports/notes.csv"), exports.join("notes.csv")).unwrap();
    }

    pub fn command(&self, at: &str, arguments: &[&str]) -> Command {
        let mut command = self.job.scene.command(arguments);
        command.current_dir(self.clone_of(at)).env("HOSTNAME", format!("machine-{at}")).env("GIT_CONFIG_NOSYSTEM", "1");
        command
    }

    pub fn start(&self, at: &str, arguments: &[&str]) -> Running {
        self.job.start_command(self.command(at, arguments))
    }

    #[track_caller]
    pub fn run(&self, at: &str, arguments: &[&str]) -> Ran {
        self.start(at, arguments).ends()
    }

    /// An apply with `--push`.
    #[track_caller]
    pub fn apply(&self, at: &str) -> Ran {
        self.run(at, &["apply", "notes", "--yes", "--push"])
    }

    /// The files of the branch on the remote.
    pub fn files(&self) -> Vec<String> {
        if git(&self.remote(), &["branch", "--list", RUNS]).is_empty() {
            return Vec::new();
        }
        git(&self.remote(), &["ls-tree", "-r", "--name-only", RUNS]).lines().map(str::to_owned).collect()
    }

    /// How many of them end so.
    pub fn count(&self, end: &str) -> usize {
        self.files().iter().filter(|f| f.ends_with(end)).count()
    }

    /// A file of the branch on the remote.
    pub fn file(&self, path: &str) -> String {
        git(&self.remote(), &["show", &format!("{RUNS}:{path}")])
    }

    /// The run logs on the remote, oldest first.
    pub fn logs(&self) -> Vec<Value> {
        let logs =
            self.files().into_iter().filter(|f| f.ends_with("Z.yaml") || f.contains("Z-") && f.ends_with(".yaml"));
        let mut logs: Vec<Value> = logs.map(|f| serde_yaml::from_str(&self.file(&f)).unwrap()).collect();
        logs.sort_by_key(crate::job::turn);
        logs
    }

    /// The branches of locks on the remote, held or not, and the files of each.
    pub fn lock_branches(&self) -> Vec<(String, Vec<String>)> {
        let format = "--format=%(refname:short) %(objectname)";
        let found = git(&self.remote(), &["for-each-ref", format, "refs/heads/footbridge-lock/"]);
        let files =
            |oid| git(&self.remote(), &["ls-tree", "-r", "--name-only", oid]).lines().map(str::to_owned).collect();
        found.lines().filter_map(|l| l.split_once(' ')).map(|(name, oid)| (name.to_owned(), files(oid))).collect()
    }

    /// The locks on the remote that somebody holds.
    pub fn locks(&self) -> Vec<String> {
        let all = self.lock_branches().into_iter();
        all.filter(|(_, files)| files.iter().any(|f| f == "lock.yaml")).map(|(name, _)| name).collect()
    }

    /// How many files of the branches of locks end so.
    pub fn in_locks(&self, end: &str) -> usize {
        self.lock_branches().iter().flat_map(|(_, files)| files).filter(|f| f.ends_with(end)).count()
    }

    /// The intents on the remote: all of them in locks.
    #[track_caller]
    pub fn intents(&self) -> usize {
        assert_eq!(self.count(".intent.yaml"), 0, "on the branch of run logs");
        self.in_locks(".intent.yaml")
    }

    /// Commits of the branch on the remote, newest first: their subjects.
    pub fn subjects(&self) -> Vec<String> {
        git(&self.remote(), &["log", "--format=%s", RUNS]).lines().map(str::to_owned).collect()
    }

    /// An apply of `a` that hangs in the call that this fault holds up.
    #[track_caller]
    pub fn held(&self, on: &str, action: &str, arguments: &[&str]) -> Running {
        self.job.faults(&format!("- on: {{ {on} }}\n  action: {{ {action}: 100000 }}\n"));
        let running = self.start("a", arguments);
        until("the call", || self.job.org().held() == 1);
        running
    }

    /// An apply of `a`, and what is done while it is in a call.
    #[track_caller]
    pub fn during(&self, on: &str, done: impl FnOnce()) -> Ran {
        let running = self.held(on, "delay", &["apply", "notes", "--yes", "--push"]);
        done();
        self.job.org().clear_faults();
        self.job.org().let_go();
        running.ends()
    }

    /// The journals of a clone.
    pub fn journals(&self, at: &str) -> usize {
        let mut found = 0;
        crate::faults::walk(&self.clone_of(at).join(".footbridge"), &mut |path| {
            found += usize::from(path.extension().is_some_and(|e| e == "journal"));
        });
        found
    }

    /// An apply of `a` with `--push`, killed in the call that this fault holds up.
    #[track_caller]
    pub fn killed(&self, on: &str, action: &str) {
        self.held(on, action, &["apply", "notes", "--yes", "--push"]).kill();
        until("the connection's end", || self.job.org().held() == 0);
        self.job.org().clear_faults();
    }
}

pub fn executable(path: &Path) {
    #[cfg(unix)]
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

/// `updated, failed, drifted, not_attempted, unknown` of a run log.
pub fn ends(log: &Value) -> [u64; 5] {
    ["updated", "failed", "drifted", "not_attempted", "unknown"].map(|name| log["records"][name].as_u64().unwrap())
}
