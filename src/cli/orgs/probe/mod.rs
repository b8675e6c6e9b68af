//! `footbridge orgs probe`: asks an org whether it does what Footbridge takes for granted, by reading, and with consent by writing fields of one record and
//! putting them back.

mod arguments;
mod before;
mod reports;
mod tell;
mod writing;

pub use arguments::ProbeArguments;
pub use reports::warn_unless_passed;

use self::before::Before;
use self::reports::VERSION;
use super::chosen::chosen;
use crate::apply::{Cancel, Holder, Lock, LockProblem};
use crate::cli::apply::signals;
use crate::cli::connect::{Door, budget};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::ground::{Place, pinned};
use crate::cli::problem;
use crate::cli::repository::{Repository, state_folder};
use crate::cli::world::World;
use crate::diag::{Code, Diagnostic};
use crate::model::{EnvironmentName, FieldName, ObjectName, OrgId};
use crate::net::Budget;
use crate::probe::{Findings, Probe, Report, Subject, Verdict, reads};
use crate::runlog::stamp;
use crate::salesforce::{Client, Organization, SalesforceError};

/// The org that is probed, and what integrations do there.
struct Probing<'a> {
    place: Place<'a>,
    door: Door<'a>,
    org_id: OrgId,
    budget: Budget,
    cancel: Cancel,
    before: Before,
}

/// Runs the command.
pub async fn run(world: &World, arguments: &ProbeArguments) -> Result<Exit, Failure> {
    let cancel = signals::hear();
    let repository = Repository::load(world, arguments.env)?;
    let place = repository.place(world);
    let door = Door { trying: false, ..chosen(&place, &arguments.name, arguments.env, false)? };
    let org_id = pinned(door.org, door.environment, door.settings)?;
    let before = Before::of(place.root, org_id);
    let probing = Probing { place, door, org_id, budget: budget(world), cancel, before };
    if arguments.restore {
        let _lock = probing.lock()?;
        return probing.restore().await;
    }
    if arguments.record.is_none() {
        return probing.probe(arguments).await;
    }
    if door.environment == EnvironmentName::Production {
        return Err(refused("the probe writes to no production org")
            .help(format!("footbridge orgs probe {} --env production   reads alone", door.org)));
    }
    let _lock = probing.lock()?;
    if probing.before.is_there() {
        let message = "a probe was killed before it had put its record back";
        let diagnostic =
            Diagnostic::error(Code::ProbeNotRestored, message).note("nothing was sent").help(probing.put_back());
        return Err(Failure::new(Exit::Failed, diagnostic));
    }
    probing.probe(arguments).await
}

/// The probe does not write.
fn refused(message: impl Into<String>) -> Failure {
    Failure::usage(Code::ProbeRefused, format!("{}: nothing was written", message.into()))
}

impl<'a> Probing<'a> {
    /// The command that puts a record back.
    fn put_back(&self) -> String {
        format!("put it back: `footbridge orgs probe {} --env {} --restore`", self.door.org, self.door.environment)
    }

    /// One probe that writes, of one org, at a time.
    fn lock(&self) -> Result<Lock, Failure> {
        let started = self.door.world.now();
        let holder = Holder { pid: std::process::id(), run: stamp(started), started };
        Lock::take(&state_folder(self.place.root).join("lock"), "orgs probe", self.org_id, &holder).map_err(|problem| {
            let code = match problem {
                LockProblem::Held { .. } => Code::Locked,
                LockProblem::Io { .. } => Code::JournalUnwritable,
            };
            let diagnostic = Diagnostic::error(code, problem.to_string()).note("nothing was sent");
            Failure::new(Exit::Failed, diagnostic.help("wait until the other probe has ended, then try again"))
        })
    }

    /// A client in the pinned org. `reads`: one that cannot change a record.
    async fn client(&self, reads: bool) -> Result<Client, Failure> {
        let client = self.door.open(reads, self.budget.clone()).await?.client;
        let span = self.door.settings.org_id.as_ref().map_or(&self.door.log_in.span, |id| &id.span);
        client.check_org(Some(self.org_id)).await.map_err(|error| self.door.failure(&error, span))?;
        Ok(client)
    }

    fn failed(&self, error: &SalesforceError, not_done: &'static str) -> Failure {
        let org = self.door.place();
        problem::salesforce::failure(error, &problem::salesforce::Context { org: &org, at: None, not_done })
    }

    /// The objects that integrations write there, each with the fields and the match field of all of them.
    fn objects(&self) -> Vec<(ObjectName, Vec<FieldName>, FieldName)> {
        let mut objects: Vec<(ObjectName, Vec<FieldName>, FieldName)> = Vec::new();
        let here = self.place.repository.integrations.values();
        for integration in
            here.filter(|i| i.org.value == self.door.org && i.environments.contains_key(&self.door.environment))
        {
            let object = &integration.object.value;
            let fields = integration.fields.iter().map(|m| m.field.value.clone());
            match objects.iter_mut().find(|(known, ..)| known == object) {
                Some((_, known, _)) => known.extend(fields),
                None => objects.push((object.clone(), fields.collect(), integration.matching.field.value.clone())),
            }
        }
        objects
    }

    /// What is looked at: the object of the record, or that of the first integration.
    async fn subject(&self, client: &Client, arguments: &ProbeArguments) -> Result<Subject, Failure> {
        let objects = self.objects();
        let label = self.door.label();
        if objects.is_empty() {
            let message = format!("no integration runs in {label}: the probe looks at what integrations write");
            return Err(Failure::usage(Code::NothingNamed, message).help("write an integration first"));
        }
        let names = objects.iter().map(|(name, ..)| name.as_str().to_owned()).collect::<Vec<_>>().join(", ");
        for (name, mapped, key) in objects {
            let described = client.describe(&name).await;
            let object = described.map_err(|error| self.failed(&error, "no record was read or written"))?;
            let fits = arguments.record.is_none_or(|id| object.key_prefix.as_deref() == Some(id.prefix()));
            if fits {
                return Ok(Subject { object, mapped, key: Some(key) });
            }
        }
        Err(refused(format!("the record is of no object that integrations write in {label} ({names})"))
            .help("name a record of such an object"))
    }

    async fn probe(&self, arguments: &ProbeArguments) -> Result<Exit, Failure> {
        let client = self.client(true).await?;
        let unread = |error| self.failed(&error, "nothing was written");
        let organization = client.organization().await.map_err(unread)?;
        let subject = self.subject(&client, arguments).await?;
        if arguments.record.is_some() {
            self.consent(&client, &organization, &subject, arguments).await?;
        }
        let mut findings = Findings::default();
        let read = tokio::select! {
            biased;
            () = heard(&self.cancel) => return Err(interrupted()),
            read = reads(&client, &subject, arguments.record, &mut findings) => read,
        };
        read.map_err(unread)?;
        let written = match arguments.record {
            Some(record) => Some(self.write(&subject, record, &mut findings).await?),
            None => None,
        };
        let unwritten = match arguments.record {
            None => "no record was named to be written (`--record ID`)",
            Some(_) => "the probe ended before",
        };
        let findings = findings.close("the probe ended before", unwritten);
        // A kind was written when something came of it.
        let told = |id: &str| {
            let of = findings.iter().find(|f| f.assumption.id == id);
            of.is_some_and(|f| matches!(f.verdict, Verdict::AsAssumed | Verdict::Differs))
        };
        let kinds: Vec<_> = written.iter().flat_map(|w| &w.kinds).copied().collect();
        let kinds: Vec<_> = kinds.into_iter().filter(|kind| kind.assumptions().iter().any(|id| told(id))).collect();
        let report = Report::new(&Probe {
            version: VERSION,
            day: self.door.world.now().strftime("%Y-%m-%d").to_string(),
            environment: self.door.environment.as_str(),
            is_sandbox: organization.is_sandbox,
            edition: &organization.organization_type,
            api_version: client.api_version(),
            findings: &findings,
            written: &kinds,
            complete: written.as_ref().is_none_or(|w| w.failure.is_none()),
        });
        let (path, kept) = reports::keep(self.place.root, self.org_id, &report)?;
        if let Some(out) = &arguments.out {
            let out = self.door.world.here.join(out);
            if let Some(folder) = out.parent() {
                std::fs::create_dir_all(folder).map_err(|e| Failure::io("make the folder", folder, &e))?;
            }
            std::fs::write(&out, report.to_yaml()).map_err(|e| Failure::io("write", &out, &e))?;
        }
        tell::tell(&self.door, &report, &findings, (&path, kept));
        if let Some(failure) = written.and_then(|w| w.failure) {
            return Err(failure);
        }
        let differs = report.count(Verdict::Differs);
        match differs {
            0 => Ok(Exit::Done),
            // The data says it.
            _ if self.door.world.json => Ok(Exit::Failed),
            _ => Err(self.differs(differs)),
        }
    }

    fn differs(&self, count: u64) -> Failure {
        let what = if count == 1 { "one thing".to_owned() } else { format!("{count} things") };
        let message = format!("{} does {what} otherwise than Footbridge takes for granted", self.door.label());
        let diagnostic = Diagnostic::error(Code::ProbeDiffers, message)
            .help("send the report to the project: it holds no value, id or name")
            .help("until that is mended, look at each plan before it is applied, and plan again after it");
        Failure::new(Exit::Failed, diagnostic)
    }

    /// Is it an org to try things in?
    fn may_write(&self, organization: &Organization) -> Result<(), Failure> {
        if organization.is_sandbox || organization.organization_type == "Developer Edition" {
            return Ok(());
        }
        let message = format!("{} says that it is no sandbox, and the probe writes to no other org", self.door.label());
        Err(refused(message).help("without `--record` it reads alone"))
    }
}

/// The word to stop came before anything was written.
fn interrupted() -> Failure {
    let diagnostic = Diagnostic::error(Code::Interrupted, "the probe was interrupted").note("nothing was written");
    Failure::new(Exit::Failed, diagnostic.help("run it again"))
}

/// Ends when the word to stop is given.
async fn heard(cancel: &Cancel) {
    cancel.clone().cancelled().await;
}
