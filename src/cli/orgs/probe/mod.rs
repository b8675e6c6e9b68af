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
use crate::apply::{Cancel, Lock};
use crate::cli::apply::{carry, signals};
use crate::cli::connect::{Door, budget};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::ground::{Place, pinned};
use crate::cli::problem;
use crate::cli::repository::Repository;
use crate::cli::world::World;
use crate::config::valid;
use crate::diag::{Code, Diagnostic};
use crate::model::{EnvironmentName, FieldName, ObjectName, OrgId, RecordId};
use crate::net::Budget;
use crate::probe::{Findings, Probe, Report, Subject, Verdict, reads};
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
    if arguments.restore || arguments.record.is_some() {
        crate::cli::ci::not_a_pull_request(world)?;
    }
    let cancel = signals::hear();
    let repository = Repository::load(world, arguments.env)?;
    let place = repository.place(world);
    let door = Door { trying: false, ..chosen(&place, &arguments.name, arguments.env, false)? };
    let org_id = pinned(door.org, door.environment, door.settings)?;
    let before = Before::of(place.root, org_id);
    let probing = Probing { place, door, org_id, budget: budget(world), cancel, before };
    if arguments.restore {
        let _lock = probing.lock("orgs probe")?;
        return probing.restore().await;
    }
    if arguments.record.is_none() {
        return probing.probe(arguments).await;
    }
    if door.environment == EnvironmentName::Production {
        return Err(refused("the probe writes to no production org")
            .help(format!("footbridge orgs probe {} --env production   reads alone", door.org)));
    }
    let _lock = probing.lock("orgs probe")?;
    if probing.before.is_there() {
        let message = "an earlier probe has not put its record back";
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

    /// One probe that writes, of one org, at a time; and no apply of an integration beside it (`name` is its name).
    fn lock(&self, name: &str) -> Result<Lock, Failure> {
        carry::lock(&self.place, name, self.org_id, self.door.world.now())
    }

    /// The integrations that write there.
    fn integrations(&self) -> impl Iterator<Item = &valid::Integration> {
        let here = self.place.repository.integrations.values();
        here.filter(|i| i.org.value == self.door.org && i.environments.contains_key(&self.door.environment))
    }

    /// No apply that could write records of the object runs on this machine until these are dropped: it would overwrite what is tried, or take it for the
    /// record's own.
    fn lock_object(&self, object: &ObjectName) -> Result<Vec<Lock>, Failure> {
        self.integrations().filter(|i| i.object.value == *object).map(|i| self.lock(&i.name.value)).collect()
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
        for integration in self.integrations() {
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
        let _locks = match arguments.record {
            Some(_) => self.lock_object(&subject.object.name)?,
            None => Vec::new(),
        };
        if arguments.record.is_some() {
            self.consent(&client, &organization, &subject, arguments).await?;
        }
        let mut findings = Findings::default();
        let read = tokio::select! {
            biased;
            () = heard(&self.cancel) => Err(interrupted()),
            read = reads(&client, &subject, arguments.record, &mut findings) => read.map_err(unread),
        };
        let ended = match (read, arguments.record) {
            (Ok(()), Some(record)) => self.write(&subject, record, &mut findings).await,
            (read, _) => read,
        };
        let ended = match arguments.record {
            Some(record) if ended.is_ok() && findings.written().is_empty() => {
                Err(self.unwritten(&subject.object.name, record))
            }
            _ => ended,
        };
        // Whatever ended it, what was found until then is told and kept.
        let unwritten = match arguments.record {
            None => "no record was named to be written (`--record ID`)",
            Some(_) => "the probe ended before",
        };
        let written = findings.written();
        let findings = findings.close("the probe ended before", unwritten);
        let report = Report::new(&Probe {
            version: VERSION,
            day: self.door.world.now().strftime("%Y-%m-%d").to_string(),
            environment: self.door.environment.as_str(),
            is_sandbox: organization.is_sandbox,
            edition: &organization.organization_type,
            api_version: client.api_version(),
            findings: &findings,
            written: &written,
            complete: ended.is_ok(),
        });
        let kept = reports::keep(self.place.root, self.org_id, &report);
        let copied = match &arguments.out {
            Some(out) => reports::copy(&self.door.world.here.join(out), &report),
            None => Ok(()),
        };
        tell::tell(&self.door, &report, &findings, kept.as_ref().ok().map(|(path, kept)| (path.as_path(), *kept)));
        let failures = [ended.err(), kept.err(), copied.err()];
        if let Some(failure) = failures.into_iter().flatten().reduce(Failure::and) {
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

    /// Every value was refused.
    fn unwritten(&self, object: &ObjectName, record: RecordId) -> Failure {
        let message = format!("nothing could be written to {object} {record}: Salesforce refused every value");
        let diagnostic = Diagnostic::error(Code::ProbeRefused, message)
            .note("the codes that it refused them with stand beside what could not be told")
            .help("name a record that this user may edit, and that the org's rules let be edited");
        Failure::new(Exit::Failed, diagnostic)
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
