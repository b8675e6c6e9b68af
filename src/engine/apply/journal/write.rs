//! Writing a journal. An intent is on disk before anything is sent.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::folder::{plain, private_file, private_folder, stem, sync_folder};
use super::line::{FORMAT, Head, JournalProblem, Line, RecordLine, Selection};
use crate::apply::org::RecordUpdate;
use crate::apply::outcome::StopReason;
use crate::model::{Digest, Digester, FieldName, RecordId};
use crate::plan::Plan;
use crate::salesforce::JobId;

/// Where lines go: a file, or in tests one that breaks.
pub(in crate::apply) trait Log {
    /// Hands all bytes to the system.
    fn append(&mut self, bytes: &[u8]) -> std::io::Result<()>;
    /// Waits until they are on disk.
    fn sync(&mut self) -> std::io::Result<()>;
}

impl Log for File {
    fn append(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> std::io::Result<()> {
        self.sync_data()
    }
}

/// What a journal is begun with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// The run's id.
    pub run: String,
    /// When it started (UTC).
    pub started: Timestamp,
    /// The tick of the schedule that it is for.
    pub tick: Option<Timestamp>,
    /// What of the plan is carried out.
    pub selection: Selection,
    /// By bulk jobs?
    pub bulk: bool,
    /// The field whose record Salesforce locks with each record of the object.
    pub parent: Option<FieldName>,
    /// Records that are written and looked at before all others ([`canary`](crate::apply::canary)); none: no such thing is done.
    pub canary: Vec<RecordId>,
}

impl Start {
    pub(in crate::apply) fn head(self, plan: &Plan, plan_file: String) -> Head {
        Head {
            format: FORMAT.to_owned(),
            run: self.run,
            started: self.started,
            tick: self.tick,
            integration: plan.header.integration.clone(),
            environment: plan.header.environment,
            object: plan.header.object.clone(),
            org_id: plan.header.org_id,
            inputs: plan.summary.inputs.clone(),
            changes: plan.summary.changes.clone(),
            records: plan.summary.records,
            plan: plan_file,
            bulk: self.bulk,
            parent: self.parent,
            canary: self.canary,
            selection: self.selection,
        }
    }
}

/// The journal of the run at work.
pub struct Journal {
    log: Box<dyn Log>,
    head: Head,
    path: PathBuf,
    plan: PathBuf,
    broken: bool,
}

impl Journal {
    /// Begins a journal in this folder (0700), with a copy of the plan beside it (both 0600). The caller holds the lock.
    ///
    /// Whatever fails here, nothing has been sent.
    pub fn start(folder: &Path, plan: &Plan, start: Start) -> Result<Self, JournalProblem> {
        let create = |path: &Path| {
            let path = path.to_owned();
            move |source| JournalProblem::Create { path, source }
        };
        private_folder(folder).map_err(create(folder))?;
        let stem = stem(&plan.header.integration, plan.header.org_id);
        sweep(folder, &stem).map_err(create(folder))?;
        let name = format!("{stem}.{}", plain(&start.run));
        let (path, plan_file) = (folder.join(format!("{name}.journal")), format!("{name}.plan"));
        let plan_path = folder.join(&plan_file);
        let fresh = |path: &Path| private_file(OpenOptions::new().append(true).create_new(true)).open(path);

        let copy = fresh(&plan_path).map_err(create(&plan_path))?;
        let made = (|| {
            let out = plan.write(BufWriter::new(copy)).map_err(create(&plan_path))?;
            let copy = out.into_inner().map_err(|e| create(&plan_path)(e.into_error()))?;
            copy.sync_all().map_err(create(&plan_path))?;
            let log = fresh(&path).map_err(create(&path))?;
            let head = start.head(plan, plan_file);
            let mut journal = Self::over(Box::new(log), head, path.clone(), plan_path.clone());
            let header = Line::Header(Box::new(journal.head.clone()));
            if let Err(problem) =
                journal.write(&header, true).and_then(|()| sync_folder(folder).map_err(create(folder)))
            {
                // Nothing to lose in it, and the name is ours.
                _ = std::fs::remove_file(&path);
                return Err(match problem {
                    JournalProblem::Write { path, source } => JournalProblem::Create { path, source },
                    other => other,
                });
            }
            Ok(journal)
        })();
        if made.is_err() {
            _ = std::fs::remove_file(&plan_path);
        }
        made
    }

    /// Over a log whose header is written or will be.
    pub(in crate::apply) fn over(log: Box<dyn Log>, head: Head, path: PathBuf, plan: PathBuf) -> Self {
        Self { log, head, path, plan, broken: false }
    }

    /// Which run this is.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn write(&mut self, line: &Line, durable: bool) -> Result<(), JournalProblem> {
        let problem = |source| JournalProblem::Write { path: self.path.clone(), source };
        if self.broken {
            // What follows a torn line would be read as part of it.
            return Err(problem(std::io::Error::other("an earlier line could not be written")));
        }
        let mut bytes = serde_json::to_vec(line).map_err(|e| problem(e.into()))?;
        bytes.push(b'\n');
        let written = self.log.append(&bytes).and_then(|()| if durable { self.log.sync() } else { Ok(()) });
        written.map_err(|source| {
            self.broken = true;
            JournalProblem::Write { path: self.path.clone(), source }
        })
    }

    /// On disk when this returns, or nothing may be sent.
    pub(in crate::apply) fn intent(&mut self, batch: u64, updates: &[RecordUpdate]) -> Result<(), JournalProblem> {
        let mut digest = Digester::new();
        for update in updates {
            digest.update(update.id.as_str().as_bytes());
            digest.update(&update.members);
            digest.update(b"\n");
        }
        let records = updates.iter().map(|u| u.id).collect();
        self.write(&Line::Intent { batch, records, digest: digest.finish(), job: false }, true)
    }

    /// The same for records that go by a bulk job.
    pub(in crate::apply) fn job_intent(
        &mut self,
        batch: u64,
        records: Vec<RecordId>,
        digest: Digest,
    ) -> Result<(), JournalProblem> {
        self.write(&Line::Intent { batch, records, digest, job: true }, true)
    }

    /// The job of a batch: on disk when this returns, or nothing may be put into it.
    pub(in crate::apply) fn job(&mut self, batch: u64, id: JobId) -> Result<(), JournalProblem> {
        self.write(&Line::Job { batch, id }, true)
    }

    pub(in crate::apply) fn result(
        &mut self,
        batch: u64,
        lost: bool,
        ends: Vec<RecordLine>,
        again: Vec<RecordId>,
    ) -> Result<(), JournalProblem> {
        self.write(&Line::Result { batch, lost, ends, again }, false)
    }

    pub(in crate::apply) fn refused(&mut self, ends: Vec<RecordLine>) -> Result<(), JournalProblem> {
        self.write(&Line::Refused { ends }, false)
    }

    /// Somebody gives the run up.
    pub(in crate::apply) fn given_up(&mut self) -> Result<(), JournalProblem> {
        self.write(&Line::GivenUp {}, true)
    }

    pub(in crate::apply) fn ends(&mut self, ends: Vec<RecordLine>) -> Result<(), JournalProblem> {
        if ends.is_empty() { Ok(()) } else { self.write(&Line::Ends { ends }, false) }
    }

    pub(in crate::apply) fn finish(&mut self, stopped: Option<StopReason>) -> Result<(), JournalProblem> {
        self.write(&Line::Finished { stopped }, true)
    }

    /// Removes the journal and the plan's copy. Only once the run log is on disk: until then this is all that is known of the run.
    pub fn close(self) -> Result<(), JournalProblem> {
        let Self { log, path, plan, .. } = self;
        drop(log);
        // The journal first: a plan without a journal is swept away later, a journal without its plan could not be resumed.
        for path in [path, plan] {
            std::fs::remove_file(&path).map_err(|source| JournalProblem::Write { path: path.clone(), source })?;
        }
        Ok(())
    }
}

/// Removes what a process that was killed while beginning or closing a journal left behind: plans without a journal, journals without a first line.
fn sweep(folder: &Path, stem: &str) -> std::io::Result<()> {
    let ours = |name: &str| name.strip_prefix(stem).is_some_and(|rest| rest.starts_with('.'));
    for item in std::fs::read_dir(folder)? {
        let path = item?.path();
        if !path.file_name().and_then(|n| n.to_str()).is_some_and(ours) {
            continue;
        }
        let idle = match path.extension().and_then(|e| e.to_str()) {
            Some("journal") => {
                let mut first = Vec::new();
                BufReader::new(File::open(&path)?).read_until(b'\n', &mut first)?;
                first.last() != Some(&b'\n')
            }
            Some("plan") => !path.with_extension("journal").try_exists()?,
            _ => false,
        };
        if idle {
            std::fs::remove_file(&path)?;
        }
    }
    Ok(())
}
