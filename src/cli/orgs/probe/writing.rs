//! The part of a probe that writes: asked for, kept on disk before it begins, put back whatever happens.

use std::time::Duration;

use super::arguments::ProbeArguments;
use super::{Probing, heard, interrupted, refused};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::diag::{Code, Diagnostic};
use crate::model::RecordId;
use crate::probe::{Broken, Findings, Held, Keep, Kind, Restored, Subject, Writable, prepare, writes};
use crate::salesforce::{Client, Organization};

/// How long a call under way has to end after the word to stop.
const GRACE: Duration = Duration::from_secs(1);

impl Probing<'_> {
    /// Says what would be written, and asks.
    pub async fn consent(
        &self,
        client: &Client,
        organization: &Organization,
        subject: &Subject,
        arguments: &ProbeArguments,
    ) -> Result<(), Failure> {
        let Some(record) = arguments.record else { return Ok(()) };
        self.may_write(organization)?;
        let (_, fields) = self.prepare(client, subject, record, &mut Findings::default()).await?;
        let world = self.door.world;
        let object = &subject.object.name;
        if !subject.object.updateable || fields.is_empty() {
            let message = format!("this user may write no custom field of {object} that integrations write");
            return Err(refused(message)
                .help("give the user Edit on them, by a permission set; `orgs probe` without `--record` reads alone"));
        }
        let listed: Vec<String> = fields.iter().map(|w| format!("{} ({})", w.field.name, w.kind.as_str())).collect();
        world.say(&format!("{}: writes and puts back, of {object} {record}: {}", self.door.label(), listed.join(", ")));
        let lacking: Vec<&str> =
            Kind::ALL.iter().filter(|k| fields.iter().all(|w| w.kind != **k)).map(|k| k.as_str()).collect();
        if !lacking.is_empty() {
            world.say(&format!("Not tried, since no integration writes such a field there: {}.", lacking.join(", ")));
        }
        world.say("Flows, triggers and rules of the org run as with every edit; the record's last change is this one.");
        if arguments.yes {
            return Ok(());
        }
        let question = format!("Write and put back? Type the record's id ({record}) to go on:");
        let asked = world.clone();
        let answer = tokio::select! {
            biased;
            () = heard(&self.cancel) => {
                world.say("");
                return Err(interrupted());
            }
            answer = tokio::task::spawn_blocking(move || asked.ask(&question)) => answer.unwrap_or(None),
        };
        match answer {
            Some(answer) if RecordId::parse(&answer) == Ok(record) => Ok(()),
            Some(_) => {
                let diagnostic = Diagnostic::error(Code::NotConfirmed, "not confirmed: nothing was written")
                    .help("run it again and type the record's id");
                Err(Failure::new(Exit::Failed, diagnostic))
            }
            None => Err(Failure::usage(Code::NotConfirmed, "nobody to ask: nothing was written")
                .help("on a machine without a person, say `--yes`")),
        }
    }

    async fn prepare(
        &self,
        client: &Client,
        subject: &Subject,
        record: RecordId,
        findings: &mut Findings,
    ) -> Result<(Held, Vec<Writable>), Failure> {
        let prepared = prepare(client, subject, self.org_id.as_str(), record, findings).await;
        prepared.map_err(|error| self.failed(&error, "nothing was written"))?.ok_or_else(|| {
            let message = format!("{} {record} is not there, or this user does not see it", subject.object.name);
            refused(message).help("name a record of the sandbox that this user sees and may edit")
        })
    }

    /// Writes, and puts back. Where it did not come to its end the record is as it was all the same, unless the failure says otherwise.
    pub async fn write(&self, subject: &Subject, record: RecordId, findings: &mut Findings) -> Result<(), Failure> {
        let client = self.client(false).await?;
        let (mut held, fields) = self.prepare(&client, subject, record, findings).await?;
        let io = |e: std::io::Error| {
            let diagnostic =
                Diagnostic::error(Code::JournalUnwritable, format!("what the record holds cannot be kept: {e}"))
                    .note("nothing was written")
                    .help("free or mend the disk below `.footbridge/`, then try again");
            Failure::new(Exit::Failed, diagnostic)
        };
        self.before.keep(&held).map_err(io)?;
        self.door.world.bug_on_demand("sending", &held.names());
        let mut keep = |held: &Held| self.before.keep(held);
        let keep: &mut Keep<'_> = &mut keep;
        let ended = {
            let work = writes(&client, subject, &mut held, &fields, findings, keep);
            let stopped = async {
                heard(&self.cancel).await;
                // The call under way may end by itself.
                tokio::time::sleep(GRACE).await;
            };
            tokio::select! {
                biased;
                ended = work => Some(ended),
                () = stopped => None,
            }
        };
        let failure = match &ended {
            Some(Ok(())) => None,
            Some(Err(Broken::Salesforce(error))) => Some(self.failed(error, "the rest was not tried")),
            Some(Err(Broken::Keep(e))) => {
                let message = format!("the disk would not take what the probe keeps: {e}");
                Some(Failure::new(Exit::Failed, Diagnostic::error(Code::JournalUnwritable, message)))
            }
            None => {
                let diagnostic = Diagnostic::error(Code::Interrupted, "the probe was interrupted");
                Some(Failure::new(Exit::Failed, diagnostic.help("run it again")))
            }
        };
        let unsure = !matches!(ended, Some(Ok(())));
        let unrestored = self.put(&client, &held, unsure).await.err();
        [failure, unrestored].into_iter().flatten().reduce(Failure::and).map_or(Ok(()), Err)
    }

    /// Puts a record back, verifies it, and forgets what it held.
    async fn put(&self, client: &Client, held: &Held, unsure: bool) -> Result<(), Failure> {
        let label = format!("{} {}", held.object, held.record);
        let lost = |message: String| {
            Diagnostic::error(Code::ProbeNotRestored, message)
                .note("what it held is kept below `.footbridge/probe/`, on this machine only")
        };
        let why = |code: Option<String>| code.map_or_else(String::new, |code| format!(" (Salesforce: {code})"));
        let diagnostic = match held.restore(client, unsure).await {
            Ok(Restored::AsBefore) => {
                self.before.forget()?;
                self.door.world.say(&format!("{label} is as it was: read back and compared."));
                return Ok(());
            }
            Ok(Restored::NotSeen) => {
                let path = self.before.path();
                let path = path.strip_prefix(self.place.root).unwrap_or(path).display();
                lost(format!("{label} was deleted, or is hidden from this user by now: it was not put back"))
                    .help(format!(
                        "restore it from the recycle bin, or let the user see it again; then {}",
                        self.put_back()
                    ))
                    .help(format!("if it is gone for good, delete {path}"))
            }
            Ok(Restored::Left(fields, code)) => {
                let fields = fields.iter().map(|f| f.as_str()).collect::<Vec<_>>().join(", ");
                lost(format!("{label} is not as it was{}: {fields}", why(code))).help(self.put_back())
            }
            Ok(Restored::Unsure(code)) => lost(format!(
                "{label} reads as it was, but a call whose answer was lost may write to it yet{}",
                why(code)
            ))
            .help(self.put_back()),
            Ok(Restored::AtWork) => {
                lost(format!("{label} was not put back: the probe's bulk job is not over, and may write to it yet"))
                    .help(format!(
                        "wait for the job (Setup > Bulk Data Load Jobs), or abort it there; then {}",
                        self.put_back()
                    ))
            }
            Err(error) => {
                let diagnostic = lost(format!("{label} may not be as it was: Salesforce could not be asked"));
                let diagnostic = diagnostic.help(self.put_back());
                let failure = self.failed(&error, "the record was not put back");
                return Err(failure.and(Failure::new(Exit::Failed, diagnostic)));
            }
        };
        Err(Failure::new(Exit::Failed, diagnostic))
    }

    /// `--restore`
    pub async fn restore(&self) -> Result<Exit, Failure> {
        if !self.before.is_there() {
            let message = format!("no probe of {} left a record to put back", self.door.label());
            return Err(Failure::usage(Code::NothingToResume, message));
        }
        let held = self.before.read()?;
        if held.org_id != self.org_id.as_str() {
            return Err(Failure::bug("what is held belongs to another org than its file's name says"));
        }
        let _locks = self.lock_object(&held.object)?;
        let client = self.client(false).await?;
        tokio::select! {
            biased;
            () = heard(&self.cancel) => {
                let diagnostic = Diagnostic::error(Code::Interrupted, "interrupted: the record may not be as it was");
                Err(Failure::new(Exit::Failed, diagnostic.help(self.put_back())))
            }
            // A call of the probe that was killed may be under way yet.
            put = self.put(&client, &held, true) => put.map(|()| Exit::Done),
        }
    }
}
