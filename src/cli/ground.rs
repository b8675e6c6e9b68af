//! What a plan stands on: the report opened, the org connected, the mapping checked against describe. Shared by `plan`, `apply` and `validate --online`.

use std::path::Path;

use super::ci::Trust;
use super::compile::{Compiled, Prefixes, Rights, columns_fit, compile, nearest};
use super::connect::{Connected, Purpose, connect, mend};
use super::exit::Exit;
use super::failure::Failure;
use super::git;
use super::grants;
use super::problem;
use super::world::World;
use crate::config::valid::{self, Integration, Location, OrgEnvironment, Repository};
use crate::diag::{Code, Diagnostic};
use crate::model::{EnvironmentName, FieldType, Object, OrgId};
use crate::net::Budget;
use crate::report::{self, Encoding, Opened, Source};
use crate::salesforce::SalesforceError;
use crate::vault;

/// A repository, loaded and valid.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// What is outside.
    pub world: &'a World,
    /// The root.
    pub root: &'a Path,
    /// What it says.
    pub repository: &'a Repository,
    /// On a pull request: what its base allows to be reached.
    pub trust: Option<&'a Trust>,
}

/// One integration in one environment.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// The integration.
    pub integration: &'a Integration,
    /// The environment.
    pub environment: EnvironmentName,
    /// Its org.
    pub org: &'a OrgEnvironment,
    /// The id that the org must have.
    pub org_id: OrgId,
}

/// What a plan stands on.
pub struct Ground {
    /// The report, read as far as its header.
    pub report: Opened,
    /// The org, and the mapping checked against it.
    pub stands: Stands,
}

/// The org, and the mapping checked against it.
pub struct Stands {
    /// The org.
    pub connected: Connected,
    /// The object's describe.
    pub object: Object,
    /// The mapping, checked.
    pub compiled: Compiled,
}

impl<'a> Place<'a> {
    /// The integration's target in an environment.
    ///
    /// # Errors
    /// The integration does not run there.
    pub fn target(&self, integration: &'a Integration, environment: EnvironmentName) -> Result<Target<'a>, Failure> {
        if !integration.environments.contains_key(&environment) {
            let there: Vec<&str> = integration.environments.keys().map(|e| e.as_str()).collect();
            let diagnostic = Diagnostic::error(
                Code::UnknownEnvironment,
                format!("`{}` does not run in {environment}", integration.name.value),
            )
            .at(integration.name.span.clone(), format!("runs in {}", there.join(", ")))
            .help(format!("add `{environment}: {{}}` under `environments:`"));
            return Err(Failure::new(Exit::Usage, diagnostic));
        }
        if let Some(trust) = self.trust {
            trust.allows(integration, environment)?;
        }
        let org = self.repository.orgs.get(&integration.org.value).and_then(|o| o.environments.get(&environment));
        let org = org.ok_or_else(|| Failure::bug("a checked integration names an org that is not there"))?;
        if let Some(trust) = self.trust {
            trust.equipped(
                integration,
                &org.plan_log_in.as_ref().unwrap_or(&org.log_in).value,
                integration.source(environment),
            )?;
        }
        let org_id = pinned(&integration.org.value, environment, org)?;
        Ok(Target { integration, environment, org, org_id })
    }

    /// An integration by name.
    ///
    /// # Errors
    /// There is none; the nearest names are told.
    pub fn integration(&self, name: &str) -> Result<&'a Integration, Failure> {
        let all = &self.repository.integrations;
        all.get(name).ok_or_else(|| {
            let near = nearest(name, all.keys().map(String::as_str));
            let listed = all.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            let help =
                near.map_or_else(|| format!("the integrations are: {listed}"), |n| format!("did you mean `{n}`?"));
            Failure::usage(Code::UnknownIntegration, format!("there is no integration `{name}`")).help(help)
        })
    }

    /// Opens the report as far as its header.
    ///
    /// # Errors
    /// Everything that can be wrong with a source.
    pub async fn open(&self, target: Target<'_>) -> Result<Opened, Failure> {
        let source = target.integration.source(target.environment);
        let name = match &source.location.value {
            Location::Path(path) => path,
            elsewhere @ (Location::Url(_) | Location::Object(_)) => {
                let fetched = self.fetched(source).await?;
                let opened = fetched.open(&elsewhere.to_string(), &options(source));
                return opened.map_err(|e| super::fetch::unreadable(e, source, &fetched));
            }
        };
        if !source.allow_tracked && git::tracks(self.root, name) {
            let diagnostic = Diagnostic::error(
                Code::ReportTracked,
                format!("`{name}` is tracked by git, and a report is full of e-mail addresses"),
            )
            .at(source.location.span.clone(), "tracked by git")
            .note("nothing was read from Salesforce and nothing was written")
            .help(format!("take it out of git with `git rm --cached {name}`, and add its folder to .gitignore"))
            .help("for a report without people in it: `allow_tracked: true` beside the source");
            return Err(Failure::new(Exit::Usage, diagnostic));
        }
        let span = Some(&source.location.span);
        let found = Source::inside(self.root, name, options(source)).map_err(|e| problem::report::failure(e, span))?;
        report::open(&found).map_err(|e| problem::report::failure(e, span))
    }

    /// Opens the report, connects, reads describe and checks the mapping.
    ///
    /// # Errors
    /// Whatever does not fit, before any record is read.
    pub async fn ground(&self, target: Target<'_>, purpose: Purpose, budget: Budget) -> Result<Ground, Failure> {
        let report = self.open(target).await?;
        let stands = self.stand(target, &report.columns, purpose, budget).await?;
        Ok(Ground { report, stands })
    }

    /// Connects, reads describe and checks the mapping against it and the report's columns.
    ///
    /// # Errors
    /// Whatever does not fit, before any record is read.
    pub async fn stand(
        &self,
        target: Target<'_>,
        columns: &[String],
        purpose: Purpose,
        budget: Budget,
    ) -> Result<Stands, Failure> {
        columns_fit(target.integration, columns).map_err(Failure::configuration)?;
        let (connected, object) = self.describe(target, purpose, budget).await?;
        let rights = if connected.reader { Rights::Reader } else { Rights::Writer };
        let prefixes = self.prefixes(target, &connected, &object).await?;
        match compile(target.integration, target.environment, &object, &prefixes, columns, rights) {
            Ok(compiled) => Ok(Stands { connected, object, compiled }),
            Err(problems) => Err(Failure::configuration(super::lacking::who(&connected, target, problems).await)),
        }
    }

    /// Key prefixes of the org's objects, so that an id of the wrong kind never reaches Salesforce. Asked for only where a reference is mapped.
    async fn prefixes(&self, target: Target<'_>, connected: &Connected, object: &Object) -> Result<Prefixes, Failure> {
        let is_reference = |f: &crate::model::Field| f.field_type == FieldType::Reference;
        if !target.integration.fields.iter().any(|m| object.field(&m.field.value).is_some_and(is_reference)) {
            return Ok(Prefixes::new());
        }
        let objects = connected.client.describe_global().await.map_err(|error| {
            let context = problem::salesforce::Context {
                org: &connected.place,
                at: None,
                not_done: "no record was read or written",
            };
            problem::salesforce::failure(&error, &context)
        })?;
        Ok(objects.into_iter().filter_map(|o| Some((o.name.as_str().to_owned(), o.key_prefix?))).collect())
    }

    /// Connects and reads the object's describe.
    ///
    /// # Errors
    /// Log-in, network, object absent.
    pub async fn describe(
        &self,
        target: Target<'_>,
        purpose: Purpose,
        budget: Budget,
    ) -> Result<(Connected, Object), Failure> {
        let integration = target.integration;
        let org = (integration.org.value.as_str(), target.environment, target.org);
        let connected = connect(self.world, self.root, &self.repository.project, org, purpose, budget).await?;
        match connected.client.describe(&integration.object.value).await {
            Ok(object) => Ok((connected, object)),
            Err(SalesforceError::Api(error)) if error.status == 404 => {
                let all = connected.client.describe_global().await.unwrap_or_default();
                let near = nearest(integration.object.as_str(), all.iter().map(|o| o.name.as_str()));
                let message = format!(
                    "{} has no object `{}`, or this user may not see it",
                    connected.place, integration.object.value
                );
                let mut diagnostic = Diagnostic::error(Code::ObjectAbsent, message)
                    .at(integration.object.span.clone(), "not there, or not visible")
                    .maybe_help(near.as_ref().map(|n| format!("did you mean `{n}`?")))
                    .note("no record was read or written")
                    .help("if the name is right, give the user Read and Edit on the object, by a permission set");
                let (object, edit) = (&integration.object.value, !connected.reader);
                if near.is_none() {
                    let set = grants::set_label(&integration.org.value, connected.reader);
                    diagnostic = diagnostic
                        .help(grants::object_setup(&set, object.as_str(), edit))
                        .help(grants::object_line(object, edit));
                }
                let problems = [diagnostic].into_iter().collect();
                let diagnostics = super::lacking::who(&connected, target, problems).await;
                Err(Failure { exit: Exit::Usage, diagnostics })
            }
            Err(error) => {
                let context = problem::salesforce::Context {
                    org: &connected.place,
                    at: None,
                    not_done: "no record was read or written",
                };
                Err(problem::salesforce::failure(&error, &context))
            }
        }
    }
}

/// The id that an environment's org must have.
///
/// # Errors
/// Nobody has said which org it is.
pub(super) fn pinned(org: &str, environment: EnvironmentName, settings: &OrgEnvironment) -> Result<OrgId, Failure> {
    match &settings.org_id {
        Some(id) => Ok(id.value),
        None => {
            let place = vault::Place { org: org.to_owned(), environment, plans: false };
            let diagnostic = Diagnostic::error(Code::OrgIdMissing, format!("{place} has no `org_id:` yet"))
                .at(settings.domain.span.clone(), "which org is it?")
                .note("nothing was read from Salesforce and nothing was written")
                .help(format!("run `{}`: it logs in, shows which org answers, and writes the id", mend(&place)));
            Err(Failure::new(Exit::Unauthorised, diagnostic))
        }
    }
}

fn options(source: &valid::Source) -> report::Options {
    report::Options {
        encoding: match source.encoding {
            None => Encoding::Auto,
            Some(valid::Encoding::Utf8) => Encoding::Utf8,
            Some(valid::Encoding::Utf16) => Encoding::Utf16,
            Some(valid::Encoding::Utf16Le) => Encoding::Utf16Le,
            Some(valid::Encoding::Utf16Be) => Encoding::Utf16Be,
            Some(valid::Encoding::Windows1252) => Encoding::Windows1252,
        },
        delimiter: source.delimiter.and_then(|c| u8::try_from(c).ok()),
        quote: match source.quote {
            valid::Quote::Char(c) => u8::try_from(c).ok(),
            valid::Quote::None => None,
        },
        header: source.header,
        skip_lines: source.skip_lines,
        ..report::Options::default()
    }
}
