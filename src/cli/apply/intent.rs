//! What a run is about to do, on the remote before its first write.

use super::log::About;
use super::publish::{NOTHING, Turn, bytes, on_disk};
use crate::cli::branch::{ci_page, failure, host};
use crate::cli::failure::Failure;
use crate::diag::Code;
use crate::plan::{Plan, RecordLedger};
use crate::runlog::{CallCounts, ExitReason, Intent, RunFacts, RunLog, StopsAfter};

/// Why nothing was sent, in a run log.
pub const NOT_PUSHED: &str = "the run's intent could not be pushed";

/// Pushes the intent of a run, with the values of before where they are kept beside its log. Without `--push` there is nothing to do.
///
/// # Errors
/// It is not on the remote: nothing may be sent.
pub fn push(turn: &Turn<'_>, plan: &Plan, about: &About<'_>, bulk: bool) -> Result<(), Failure> {
    if turn.pushing().is_none() {
        return Ok(());
    }
    let place = turn.place();
    let records = plan.summary.records;
    let facts = RunFacts {
        trigger: about.trigger.clone(),
        start: about.start,
        end: about.start,
        user: about.user.clone(),
        exit: ExitReason::Interrupted,
        records: RecordLedger { records, not_attempted: records, ..RecordLedger::default() },
        waived: about.waived.to_vec(),
        stops_after: StopsAfter {
            limit: about.selection.limit,
            records: about.selection.only.as_ref().map(|o| o.len() as u64),
        },
        window: None,
        calls: CallCounts { total: about.counters.calls, ..CallCounts::default() },
        jobs: Vec::new(),
        quota: about.quota,
        report_bytes: about.report_bytes,
        api: about.api.clone(),
        footbridge: env!("CARGO_PKG_VERSION").to_owned(),
        problems: Vec::new(),
    };
    let mut log = RunLog::new(plan, facts);
    let store = place.store();
    store.name(&mut log);
    let path = turn.below(&store.intent_path(&log));
    let values = store.folder(&log).join(format!("{}.values.age", log.id));
    let kept = values.is_file();
    let name = values.file_name().map(|name| name.to_string_lossy().into_owned());
    let way = if bulk { "bulk" } else { "collections" };
    let intent = Intent::new(log, host(place.world), ci_page(place.world), way, name.filter(|_| kept));
    let text = intent.text().map_err(|e| Failure::bug(format!("an intent cannot be written: {e}")))?;
    let mut changes = vec![bytes(path.clone(), text.into_bytes())];
    if kept {
        changes.push(on_disk(turn.below(&values), values));
    }
    let log = &intent.log;
    let message =
        format!("{} in {} ({}): begins to write {} records\n", log.integration, log.environment, log.id, records);
    turn.push(&changes, &message).map_err(|problem| failure(&problem, Code::IntentNotPushed, NOTHING))?;
    turn.intended(path);
    Ok(())
}
