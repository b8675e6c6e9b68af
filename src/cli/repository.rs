//! A repository loaded for a command: its root, what it says, and what is wrong with it.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use super::ci::{Base, Trust, trusted_name};
use super::failure::Failure;
use super::ground::Place;
use super::world::World;
use crate::config::{self, Loaded, Unusable, valid};
use crate::diag::{Code, Diagnostic, Diagnostics, Severity};
use crate::model::EnvironmentName;
use crate::report::{self, PathProblem};

/// A loaded repository.
pub struct Repository {
    root: PathBuf,
    loaded: Loaded,
    /// What is wrong in it, where a command goes on all the same.
    faults: Diagnostics,
    /// On a pull request: its base, and what that allows.
    base: Option<Base>,
    trust: Option<Trust>,
}

impl Repository {
    /// For a command that reaches orgs in this environment: their variables must be set.
    ///
    /// # Errors
    /// Everything that is wrong, in all files.
    pub fn load(world: &World, environment: EnvironmentName) -> Result<Self, Failure> {
        Self::with(world, &[environment], true, true)
    }

    /// For a command of the schedule, that runs several integrations by itself (`reaches`) or tells how they stand: a variable that is not set is a failure of
    /// those that need it, and a mistake in a file is one of those that it concerns ([`unusable`](Self::unusable)), and of no other.
    ///
    /// # Errors
    /// Everything that is wrong, in all files, where no integration is known.
    pub fn load_each(world: &World, reaches: bool) -> Result<Self, Failure> {
        Self::with(world, &[], reaches, false)
    }

    /// For a command that reaches no org: no variable need be set.
    ///
    /// # Errors
    /// Everything that is wrong, in all files.
    pub fn load_offline(world: &World) -> Result<Self, Failure> {
        Self::with(world, &[], false, true)
    }

    /// For a command about orgs alone: what is wrong in other files does not matter to it.
    ///
    /// # Errors
    /// What is wrong in the files that describe orgs; everything, where there is none.
    pub fn load_orgs(world: &World) -> Result<Self, Failure> {
        Self::orgs(world, &|name| world.variable(name))
    }

    /// The same before there is anything to put into the variables: one that is not set stands for something. For commands that reach no org.
    ///
    /// # Errors
    /// As [`load_orgs`](Self::load_orgs).
    pub fn load_orgs_unset(world: &World) -> Result<Self, Failure> {
        Self::orgs(world, &|name| Some(world.variable(name).unwrap_or_else(|| "not-set".to_owned())))
    }

    fn orgs(world: &World, variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, Failure> {
        let root = world.root();
        own_folders(&root)?;
        let base = Base::find(world)?;
        let mut loaded = match &base {
            None => config::load_for(&root, variable, &[]),
            Some(_) => config::change::load_plain(&config::Folder::new(&root)),
        };
        let own: BTreeSet<&str> = loaded.repository.orgs.values().map(|org| org.name.span.file().path()).collect();
        let matters = |d: &&Diagnostic| {
            let file = d.span().map(|span| span.file().path());
            d.severity == Severity::Error && (own.is_empty() || file.is_some_and(|file| own.contains(file)))
        };
        let errors: Diagnostics = loaded.diagnostics.iter().filter(matters).cloned().collect();
        if !errors.is_empty() {
            return Err(Failure::configuration(errors));
        }
        let trust = base.as_ref().map(|base| base.hold(&mut loaded.repository));
        Ok(Self { root, loaded, faults: Diagnostics::new(), base, trust })
    }

    /// `needed`: whose variables must be set. `reaches`: orgs are reached, so that on a pull request the base is held to. `all`: nothing may be wrong.
    fn with(world: &World, needed: &[EnvironmentName], reaches: bool, all: bool) -> Result<Self, Failure> {
        let root = world.root();
        own_folders(&root)?;
        let base = if reaches { Base::find(world)? } else { None };
        let mut loaded = match trusted_name(world) {
            None => config::load_for(&root, &|name| world.variable(name), needed),
            // No variable is read for a branch that is not trusted.
            Some(_) => config::change::load_plain(&config::Folder::new(&root)),
        };
        super::tell_all(world, &loaded.diagnostics.iter().filter(|d| d.severity != Severity::Error).cloned().collect());
        let faults: Diagnostics =
            loaded.diagnostics.iter().filter(|d| d.severity == Severity::Error).cloned().collect();
        let known = !loaded.repository.integrations.is_empty() || !loaded.unusable.is_empty();
        if !faults.is_empty() && (all || !known) {
            return Err(Failure::configuration(faults));
        }
        for unusable in &loaded.unusable {
            loaded.repository.integrations.remove(&unusable.name);
        }
        let trust = base.as_ref().map(|base| base.hold(&mut loaded.repository));
        // The folder that is used: on a pull request the base's.
        inside(&root, &loaded.repository.project.runs)?;
        Ok(Self { root, loaded, faults, base, trust })
    }

    /// What a commit of this repository says, as far as it is valid; on a pull request with what its base allows.
    pub fn of_commit(&self, world: &World, files: &dyn config::Files) -> Self {
        let mut loaded = match &self.base {
            None => config::load_files(files, &|name| world.variable(name), config::Variables::Only(&[])),
            Some(_) => config::change::load_plain(files),
        };
        let trust = self.base.as_ref().map(|base| base.hold(&mut loaded.repository));
        Self { root: self.root.clone(), loaded, faults: Diagnostics::new(), base: None, trust }
    }

    /// Where everything is, for the command.
    pub fn place<'a>(&'a self, world: &'a World) -> Place<'a> {
        Place { world, root: &self.root, repository: &self.loaded.repository, trust: self.trust.as_ref() }
    }

    /// What is wrong in it, where this command goes on with what it does not concern.
    pub fn faults(&self) -> Option<Failure> {
        (!self.faults.is_empty()).then(|| Failure::configuration(self.faults.clone()))
    }

    /// The integrations that it concerns, by name.
    pub fn unusable(&self) -> &[Unusable] {
        &self.loaded.unusable
    }

    /// Is it known where run logs go?
    pub fn logs_known(&self) -> bool {
        self.loaded.logs_known
    }

    /// Files that were read.
    pub fn files(&self) -> usize {
        self.loaded.files
    }

    /// Variables that are not set here, with the org that needs them.
    pub fn unset(&self) -> Vec<(String, Vec<String>)> {
        let mut unset = Vec::new();
        for (name, org) in &self.loaded.repository.orgs {
            for (environment, settings) in &org.environments {
                let log_ins = [Some(&settings.log_in), settings.plan_log_in.as_ref()];
                for log_in in log_ins.into_iter().flatten() {
                    if let valid::LogIn::Unset(variables) = &log_in.value {
                        unset.push((format!("{name} ({environment})"), variables.clone()));
                    }
                }
            }
        }
        for (name, integration) in &self.loaded.repository.integrations {
            let sources = integration.environments.values().filter_map(|e| e.source.as_ref());
            for header in std::iter::once(&integration.report.source).chain(sources).flat_map(|source| &source.headers)
            {
                if let valid::HeaderValue::Unset(variables) = &header.value {
                    unset.push((format!("the report of {name}"), variables.clone()));
                }
            }
        }
        unset
    }
}

/// The folders that every command reads or writes are the repository's own: a link in their place, which a pull request can bring, would have local state
/// written where it is committed, or foreign files read as configuration and shown in messages.
fn own_folders(root: &Path) -> Result<(), Failure> {
    inside(root, "integrations")?;
    for name in [".footbridge", ".footbridge/tmp"] {
        if root.join(name).symlink_metadata().is_ok_and(|found| found.is_symlink()) {
            return Err(leads_out(name, &format!("`{name}` is a link, and the local state lies in a folder")));
        }
    }
    Ok(())
}

/// A folder that is written to lies inside the repository, links resolved, and not in git's own.
///
/// # Errors
/// It does not.
pub(super) fn inside(root: &Path, folder: &str) -> Result<(), Failure> {
    match report::inside(root, folder) {
        Err(problem @ (PathProblem::LeadsOut { .. } | PathProblem::Dangling { .. } | PathProblem::Private { .. })) => {
            Err(leads_out(folder, &format!("`{folder}`: {problem}")))
        }
        // What else may be wrong is told by whoever uses it.
        _ => Ok(()),
    }
}

fn leads_out(folder: &str, message: &str) -> Failure {
    Failure::usage(Code::LinkLeavesRepository, message)
        .help(format!("put a folder in the place of the link; `git log -- {folder}` tells who made it"))
}

/// The folder of local state.
pub fn state_folder(root: &Path) -> PathBuf {
    root.join(".footbridge")
}

/// The folder for the values of runs that stay on this machine.
pub fn values_folder(root: &Path) -> PathBuf {
    state_folder(root).join("values")
}

/// An empty file without a name, gone with the process, for what is too large for memory: below the repository's local state, or in the system's folder
/// for temporary files where there is none or it cannot be written (a checkout that is read-only can be planned in).
pub(super) fn scratch(root: &Path) -> std::io::Result<File> {
    let folder = state_folder(root).join("tmp");
    let ours = root.join("integrations").is_dir().then(|| {
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true).create(&folder).and_then(|()| tempfile::tempfile_in(&folder))
    });
    match ours {
        Some(Ok(file)) => Ok(file),
        _ => tempfile::tempfile(),
    }
}
