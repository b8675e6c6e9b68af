//! A repository loaded for a command: its root, what it says, and what is wrong with it.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::ground::Place;
use super::world::World;
use crate::config::{self, Loaded, valid};
use crate::diag::{Diagnostic, Diagnostics, Severity};
use crate::model::EnvironmentName;

/// A loaded repository.
pub struct Repository {
    root: PathBuf,
    loaded: Loaded,
}

impl Repository {
    /// For a command that reaches orgs in this environment: their variables must be set.
    ///
    /// # Errors
    /// Everything that is wrong, in all files.
    pub fn load(world: &World, environment: EnvironmentName) -> Result<Self, Failure> {
        Self::with(world, &[environment])
    }

    /// For a command that reaches no org: no variable need be set.
    ///
    /// # Errors
    /// Everything that is wrong, in all files.
    pub fn load_offline(world: &World) -> Result<Self, Failure> {
        Self::with(world, &[])
    }

    /// For a command about orgs alone: what is wrong in other files does not matter to it.
    ///
    /// # Errors
    /// What is wrong in the files that describe orgs; everything, where there is none.
    pub fn load_orgs(world: &World) -> Result<Self, Failure> {
        let root = world.root();
        let loaded = config::load_for(&root, &|name| world.variable(name), &[]);
        let own: BTreeSet<&str> = loaded.repository.orgs.values().map(|org| org.name.span.file().path()).collect();
        let matters = |d: &&Diagnostic| {
            let file = d.span().map(|span| span.file().path());
            d.severity == Severity::Error && (own.is_empty() || file.is_some_and(|file| own.contains(file)))
        };
        let errors: Diagnostics = loaded.diagnostics.iter().filter(matters).cloned().collect();
        if errors.is_empty() { Ok(Self { root, loaded }) } else { Err(Failure::configuration(errors)) }
    }

    fn with(world: &World, needed: &[EnvironmentName]) -> Result<Self, Failure> {
        let root = world.root();
        let loaded = config::load_for(&root, &|name| world.variable(name), needed);
        super::tell_all(world, &loaded.diagnostics.iter().filter(|d| d.severity != Severity::Error).cloned().collect());
        if loaded.diagnostics.has_errors() {
            let errors = loaded.diagnostics.into_iter().filter(|d| d.severity == Severity::Error);
            return Err(Failure::configuration(errors.collect()));
        }
        Ok(Self { root, loaded })
    }

    /// Where everything is, for the command.
    pub fn place<'a>(&'a self, world: &'a World) -> Place<'a> {
        Place { world, root: &self.root, repository: &self.loaded.repository }
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
        unset
    }
}

/// The folder of local state.
pub fn state_folder(root: &Path) -> PathBuf {
    root.join(".footbridge")
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
