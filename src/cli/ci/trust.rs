//! On a pull request, what can be reached is taken from the base: orgs, log-ins, hosts, headers. A branch that changes any of it for an integration is
//! not planned there: that needs a trusted run, after the merge.

use std::collections::{BTreeMap, BTreeSet};

use super::git::{Commits, Tree};
use super::system::pull_request;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::world::World;
use crate::config::change::{self, ReachedSource, load_plain, reached_sources};
use crate::config::valid::{HeaderValue, Location, LogIn, Mapping, Repository, Source};
use crate::config::{self, Integration, Variables};
use crate::diag::{Code, Diagnostic};
use crate::model::{EnvironmentName, FieldName};

/// What the base allows a branch to reach.
pub struct Trust {
    /// By integration and environment: why it is not planned.
    refused: BTreeMap<(String, EnvironmentName), Vec<String>>,
    /// Fields whose values a branch wants to show and the base does not, by integration.
    hidden: BTreeMap<String, BTreeSet<FieldName>>,
}

/// The base, read once: as it is written, and with its variables.
pub struct Base {
    fork_point: Repository,
    trusted: Repository,
    ready: Repository,
    sources: Vec<ReachedSource>,
}

/// Nothing is written for a pull request: neither its branch nor the digests in its comment have been approved by a merge.
///
/// # Errors
/// This run is for a pull request.
pub fn not_a_pull_request(world: &World) -> Result<(), Failure> {
    if pull_request(world).is_none() {
        return Ok(());
    }
    let diagnostic = Diagnostic::error(Code::NeedsTrustedRun, "a pull request is planned, not applied")
        .note("nothing was read from Salesforce and nothing was written")
        .help("merge it, and apply on the base branch: on schedule, or by hand with `--expect` and the digest in its comment");
    Err(Failure::new(Exit::Unauthorised, diagnostic))
}

/// The name of the commit that is trusted: `--trusted-from`, or on a pull request its base. `None` where the worktree itself is trusted.
pub fn trusted_name(world: &World) -> Option<String> {
    world.trusted_from.clone().or_else(|| pull_request(world).map(|request| request.base))
}

impl Base {
    /// Reads the base that is to be trusted, where there is one.
    ///
    /// # Errors
    /// Git has not what is needed.
    pub fn find(world: &World) -> Result<Option<Self>, Failure> {
        let Some(name) = trusted_name(world) else { return Ok(None) };
        let commits = Commits::open(&world.root())?;
        let (tip, fork_point) = (commits.commit(&name)?, commits.fork_point(&name)?);
        let tree = commits.configuration(&tip)?;
        let plain = |tree: &Tree| load_plain(tree).repository;
        let trusted = plain(&tree);
        let fork_point = if tip == fork_point { trusted.clone() } else { plain(&commits.configuration(&fork_point)?) };
        // Only variables of the base are ever read.
        let ready = config::load_files(&tree, &|variable| world.variable(variable), Variables::Only(&[])).repository;
        let sources = reached_sources(&trusted, &ready);
        Ok(Some(Self { fork_point, trusted, ready, sources }))
    }

    /// Puts what the base says in the place of what a branch says. `branch` must have been read without variables.
    pub fn hold(&self, branch: &mut Repository) -> Trust {
        let mut trust = Trust { refused: BTreeMap::new(), hidden: BTreeMap::new() };
        for (name, integration) in &branch.integrations {
            for environment in integration.environments.keys() {
                let why = change::untrusted(integration, *environment, branch, &self.fork_point, &self.trusted);
                if !why.is_empty() {
                    trust.refused.insert((name.clone(), *environment), why);
                }
            }
        }
        let versions: BTreeMap<_, _> = branch.orgs.iter().map(|(name, org)| (name.clone(), org.clone())).collect();
        branch.orgs = self.ready.orgs.clone();
        for (name, org) in &mut branch.orgs {
            for (environment, settings) in &mut org.environments {
                let own = versions.get(name).and_then(|org| org.environments.get(environment));
                if let Some(own) = own {
                    settings.api_version.clone_from(&own.api_version);
                }
            }
        }
        // Where notices go and where run logs are pushed to is the base's, too.
        branch.project = self.ready.project.clone();
        for (name, integration) in &mut branch.integrations {
            // Before its headers are exchanged for the base's.
            let base = self.trusted.integrations.get(name).filter(|base| reads_the_same(integration, base));
            let shown = |own: &Mapping| {
                let same = |m: &Mapping| m.field == own.field && m.column == own.column && m.show_values;
                base.is_some_and(|base| base.fields.iter().any(same))
            };
            for mapping in integration.fields.iter_mut().filter(|m| m.show_values && !shown(m)) {
                mapping.show_values = false;
                trust.hidden.entry(name.clone()).or_default().insert(mapping.field.value.clone());
            }
            self.sources_of(integration);
        }
        trust
    }

    fn sources_of(&self, integration: &mut Integration) {
        let own = integration.environments.values_mut().filter_map(|e| e.source.as_mut());
        for source in own.chain([&mut integration.report.source]) {
            if matches!(source.location.value, Location::Path(_)) {
                source.headers.clear();
                continue;
            }
            let written = change::written_source(source);
            let known = self.sources.iter().find(|known| Some(&known.written) == written.as_ref());
            source.headers = known.map(|known| known.headers.clone()).unwrap_or_default();
        }
    }
}

impl Trust {
    /// May the integration be planned there?
    ///
    /// # Errors
    /// It needs a trusted run, and why.
    pub fn allows(&self, integration: &Integration, environment: EnvironmentName) -> Result<(), Failure> {
        let name = &integration.name.value;
        match self.refused.get(&(name.clone(), environment)) {
            None => Ok(()),
            Some(why) => Err(needed(integration, &why.join("; "))),
        }
    }

    /// Are the secrets there that the log-in and the source need? A pull request from a fork has none.
    ///
    /// # Errors
    /// It needs a trusted run, and why.
    pub fn equipped(&self, integration: &Integration, log_in: &LogIn, source: &Source) -> Result<(), Failure> {
        let mut unset: Vec<&str> = Vec::new();
        if let LogIn::Unset(variables) = log_in {
            unset.extend(variables.iter().map(String::as_str));
        }
        for header in &source.headers {
            if let HeaderValue::Unset(variables) = &header.value {
                unset.extend(variables.iter().map(String::as_str));
            }
        }
        if unset.is_empty() {
            return Ok(());
        }
        let why = format!("{} not set here (pull requests from forks are given no secrets)", listed(&unset));
        Err(needed(integration, &why))
    }

    /// Fields of an integration whose values the branch wants to show, and the base does not.
    pub fn hidden(&self, integration: &str) -> impl Iterator<Item = &FieldName> {
        self.hidden.get(integration).into_iter().flatten()
    }
}

/// Does a branch's integration read the object, the org and the reports that its base's does, wherever it runs? Then a field's values are those that the base
/// allows to be shown.
fn reads_the_same(branch: &Integration, base: &Integration) -> bool {
    let same = |environment: &EnvironmentName| {
        base.environments.contains_key(environment) && branch.source(*environment) == base.source(*environment)
    };
    branch.object == base.object && branch.org == base.org && branch.environments.keys().all(same)
}

fn listed(names: &[&str]) -> String {
    format!("{} {}", names.join(", "), if names.len() == 1 { "is" } else { "are" })
}

fn needed(integration: &Integration, why: &str) -> Failure {
    let name = &integration.name.value;
    let diagnostic = Diagnostic::error(Code::NeedsTrustedRun, format!("`{name}` is not planned: it needs a trusted run, since {why}"))
        .at(integration.org.span.clone(), "reaches further than the base allows")
        .note("nothing was read from Salesforce and nothing was written")
        .help(format!("look at that part of the change with care; once it is merged, `footbridge plan {name}` on the base branch plans it"));
    Failure::new(Exit::Unauthorised, diagnostic)
}
