//! After a machine that died: its run's jobs, its records as they are now, its log. Nothing is sent.

use std::path::{Path, PathBuf};

use super::carry::heard;
use super::publish::NOTHING;
use super::turn::Turn;
use super::{jobs, signals};
use crate::apply::{Cancel, Found, Sought, look};
use crate::cli::arguments::{ApplyArguments, OtherJobs};
use crate::cli::connect::{Connected, Purpose, budget, connect};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::ground::Target;
use crate::cli::tokens::identity;
use crate::diag::{Code, Diagnostic};
use crate::model::{FieldName, RecordId};
use crate::plan::{ChangeKind, RecordLedger};
use crate::render::counted;
use crate::render::escape::Terminal;
use crate::runlog::values::{Reader, RecordValues};
use crate::runlog::{
    ChangedField, Doubt, Intent, NotAttempted, Outcome, OutcomesLine, RecordLine, RunProblem, Store, StoreProblem,
    safe_segment, stamp,
};

/// Records read in one call.
const AT_ONCE: usize = 2_000;

/// Clears up after every run of the integration and org that left its intent, in the lock or on the branch, and no log. The lock is ours: none of them can be alive.
///
/// # Errors
/// What became of a run cannot be found out, or its log cannot be pushed. Nothing was sent.
pub async fn clear_up(
    turn: &Turn<'_>,
    target: Target<'_>,
    arguments: &ApplyArguments,
    cancel: &Cancel,
) -> Result<(), Failure> {
    let store = turn.store_now();
    let intents = store.intents().map_err(|problem| unreadable(&problem))?;
    let name = &target.integration.name.value;
    for (path, intent) in intents {
        if intent.log.integration == *name && intent.log.org_id == target.org_id {
            tokio::select! {
                biased;
                () = heard(cancel) => return Err(signals::interrupted()),
                settled = settle(turn, target, arguments, &store, &path, &intent, cancel) => settled?,
            }
        }
    }
    Ok(())
}

/// An intent that cannot be read: what its run wrote is not known.
pub fn unreadable(problem: &StoreProblem) -> Failure {
    let diagnostic = Diagnostic::error(Code::RunDied, format!("what died runs left cannot be read: {problem}"))
        .note(NOTHING)
        .help("a newer Footbridge may have written it; else take the file off the branch of run logs, or the lock's branch away");
    Failure::new(Exit::Failed, diagnostic)
}

/// One of them.
async fn settle(
    turn: &Turn<'_>,
    target: Target<'_>,
    arguments: &ApplyArguments,
    store: &Store,
    path: &Path,
    intent: &Intent,
    cancel: &Cancel,
) -> Result<(), Failure> {
    let place = turn.place();
    let (world, dead) = (place.world, &intent.log);
    let planned = dead.records.records;
    world.say(&format!(
        "run {} of `{}` died on {} before it ended: finding out what became of its {}",
        Terminal(&dead.id),
        Terminal(&dead.integration),
        Terminal(&intent.host),
        counted(planned, "record")
    ));
    let budget = budget(world);
    let org = (target.integration.org.value.as_str(), target.environment, target.org);
    let connected = connect(world, place.root, &place.repository.project, org, Purpose::Apply, budget.clone()).await?;
    if connected.org_id != dead.org_id {
        let diagnostic = Diagnostic::error(Code::StaleOrg, "the run that died was of another org").note(NOTHING);
        return Err(Failure::new(Exit::Unauthorised, diagnostic));
    }
    if intent.way == "bulk" {
        // With `--resume` it is the jobs of the run resumed that are meant, not all on the object.
        let how = arguments.jobs.filter(|_| !arguments.resume).unwrap_or(OtherJobs::Wait);
        if arguments.resume && arguments.jobs == Some(OtherJobs::Abort) {
            world.say(&format!(
                "jobs of a run that died elsewhere are waited for; `footbridge apply {} --env {} --push --jobs abort` stops all of this user's on {}",
                Terminal(&dead.integration),
                dead.environment,
                dead.object
            ));
        }
        jobs::clear(place, target, how, &budget, cancel).await?;
    }
    let values = path.with_file_name(format!("{}.values.age", safe_segment(&dead.id)));
    let (known, found) = match known(turn, store, intent, &values) {
        Ok(values) => {
            let found = read_again(&connected, &values).await?;
            (Ok(values), found)
        }
        Err(why) => (Err(why), Vec::new()),
    };
    let mut ledger = RecordLedger { records: planned, ..RecordLedger::default() };
    for found in &found {
        match found {
            Found::After => ledger.updated += 1,
            Found::Before => ledger.not_attempted += 1,
            Found::Other(_) | Found::Gone => ledger.unknown += 1,
        }
    }
    ledger.unknown += planned - (found.len() as u64).min(planned);
    let now = world.now();
    let mut problems = vec![RunProblem {
        code: Code::RunDied.as_str().to_owned(),
        message: format!(
            "the machine ended before the run did; this log was written by run {}, from the records as they were at {}",
            stamp(now),
            now.strftime("%Y-%m-%dT%H:%M:%SZ")
        ),
        not_done: None,
        next: Some("planning afresh is how its work is finished".to_owned()),
    }];
    if let Err(why) = &known {
        let message = format!("which records were planned, and so what became of each, is not known: {why}");
        world.say(&message);
        problems.push(RunProblem { code: "values_unknown".to_owned(), message, not_done: None, next: None });
    }
    let mut log = intent.died(&ledger, problems, now);
    let salt = known.as_ref().map_or_else(|_| String::new(), |values| values.salt.clone());
    let mut ends = found.iter();
    let lines = known.into_iter().flat_map(|values| values.again()).filter_map(|values| match values {
        Ok(values) => ends.next().map(|found| Ok(OutcomesLine::Record(line(&values, &salt, found)))),
        Err(problem) => Some(Err(std::io::Error::other(problem))),
    });
    let written = store.write(&mut log, lines).map_err(|problem| {
        let diagnostic = Diagnostic::error(Code::RunLogUnwritable, format!("the run log cannot be written: {problem}"));
        Failure::new(Exit::Failed, diagnostic.note(NOTHING))
    })?;
    turn.buried(&log, &written, &turn.below(path))?;
    world.say(&format!(
        "run {}: Failed; {} updated, {} not attempted, {} unknown. Run log: {}",
        Terminal(&log.id),
        ledger.updated,
        ledger.not_attempted,
        ledger.unknown,
        turn.below(&written.log)
    ));
    Ok(())
}

/// The values of a dead run, whole and ours.
struct Values {
    /// Of its digests.
    salt: String,
    reread: Box<dyn Fn() -> Result<Reader, String> + Send + Sync>,
}

impl Values {
    fn again(&self) -> impl Iterator<Item = Result<RecordValues, String>> + use<> {
        let (reader, wrong) = match (self.reread)() {
            Ok(reader) => (Some(reader), None),
            Err(wrong) => (None, Some(Err(wrong))),
        };
        wrong.into_iter().chain(reader.into_iter().flatten().map(|read| read.map_err(|e| e.to_string())))
    }
}

/// The values that are kept with the run, where this machine can open them. They count only when the whole file is sound.
fn known(turn: &Turn<'_>, store: &Store, intent: &Intent, path: &Path) -> Result<Values, String> {
    let dead = &intent.log;
    if intent.values.is_none() {
        return Err(
            "its values are not kept with the run logs (`values: { keep: committed, recipients: [age1…] }`)".to_owned()
        );
    }
    let key = identity(turn.place().world).map_err(|unusable| unusable.text())?;
    let (store, file): (Store, PathBuf) = (store.clone(), path.to_owned());
    let (run, org_id) = (dead.id.clone(), dead.org_id);
    let reread = move || {
        let input = store.file(&file).map_err(|e| e.to_string())?;
        let input = input.ok_or_else(|| "its file of values is gone".to_owned())?;
        let reader = Reader::start(input, Path::new(file.file_name().unwrap_or_default()), key.as_ref());
        let reader = reader.map_err(|e| format!("{e}; set `FOOTBRIDGE_KEY` to the identity that opens it"))?;
        if reader.head().run != run || reader.head().org_id != org_id {
            return Err("its file of values is of another run".to_owned());
        }
        Ok(reader)
    };
    let mut records = 0;
    let reader = reread()?;
    let salt = reader.head().salt.clone();
    for read in reader {
        read.map_err(|e| e.to_string())?;
        records += 1;
    }
    if records != dead.records.records {
        return Err(format!("its file of values has {records} records, not {}", dead.records.records));
    }
    Ok(Values { salt, reread: Box::new(reread) })
}

/// Every planned record as it is now, in the order of the file.
async fn read_again(connected: &Connected, values: &Values) -> Result<Vec<Found>, Failure> {
    let unreadable = |words: String| {
        let diagnostic =
            Diagnostic::error(Code::RunDied, format!("its records cannot be read again: {}", Terminal(&words)))
                .note(NOTHING)
                .help("try again; its intent and lock say meanwhile that it is not cleared up");
        Failure::new(Exit::Failed, diagnostic)
    };
    let head = (values.reread)().map_err(unreadable)?.head().clone();
    let mut found = Vec::new();
    let mut lot: Vec<RecordValues> = Vec::new();
    let mut all = values.again();
    loop {
        lot.clear();
        for read in all.by_ref().take(AT_ONCE) {
            lot.push(read.map_err(unreadable)?);
        }
        if lot.is_empty() {
            return Ok(found);
        }
        let salt = &head.salt;
        let sought = lot.iter().map(|values| Sought {
            id: values.id,
            before: &values.before,
            wrote: Box::new(|field, is| values.wrote(salt, field, is)),
        });
        let sought: Vec<Sought<'_>> = sought.collect();
        let looked = look(&connected.client, &head.object, &head.fields, &sought).await;
        found.extend(looked.map_err(|fault| unreadable(fault.to_string()))?);
    }
}

/// A record's line in the outcomes of a run that died.
fn line(values: &RecordValues, salt: &str, found: &Found) -> RecordLine {
    let new = |outcome| blank(values.id, values.row, outcome, changes(values, salt));
    match found {
        Found::After => new(Outcome::Updated),
        Found::Before => RecordLine {
            reason: Some(NotAttempted::Other("the run had died, and the record held its old values".to_owned())),
            ..new(Outcome::NotAttempted)
        },
        Found::Other(fields) => {
            let doubt = match (&values.after, &values.written) {
                (None, None) => {
                    Doubt::Other("the record has changed, and what the run was to write was not kept".to_owned())
                }
                _ => Doubt::Neither,
            };
            RecordLine { doubt: Some(doubt), fields: fields.clone(), ..new(Outcome::Unknown) }
        }
        Found::Gone => RecordLine { doubt: Some(Doubt::Gone), ..new(Outcome::Unknown) },
    }
}

fn blank(record: RecordId, row: u64, outcome: Outcome, changes: Vec<ChangedField>) -> RecordLine {
    RecordLine {
        record,
        row,
        outcome,
        changes,
        problems: Vec::new(),
        fields: Vec::new(),
        already_there: false,
        reason: None,
        doubt: None,
        resent: false,
    }
}

/// The planned changes, by name: each is of a kind that before-values and what is kept of the after-values tell.
fn changes(values: &RecordValues, salt: &str) -> Vec<ChangedField> {
    let blank = |value: &Option<String>| value.as_deref().is_none_or(str::is_empty);
    let kind = |field: &FieldName, before: &Option<String>| {
        if blank(before) {
            return Some(ChangeKind::Fill);
        }
        Some(if values.wrote(salt, field, None)? { ChangeKind::Clear } else { ChangeKind::Overwrite })
    };
    let all = values.before.iter();
    all.filter_map(|(field, before)| Some(ChangedField { field: field.clone(), kind: kind(field, before)? })).collect()
}
