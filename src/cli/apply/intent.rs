//! What a run is about to do, in its lock on the remote before its first write.

use super::log::About;
use super::turn::Turn;
use crate::cli::branch::{ci_page, host};
use crate::cli::failure::Failure;
use crate::plan::{Plan, RecordLedger};
use crate::render::counted;
use crate::runlog::git::{Change, Content};
use crate::runlog::values::Keep;
use crate::runlog::{CallCounts, Careful, ExitReason, Intent, RunFacts, RunLog, StopsAfter, ValuesNote};

/// Puts the intent of a run into its lock, with the values of before where they are kept beside its log. Without `--push` there is nothing to do.
///
/// # Errors
/// It is not on the remote: nothing may be sent.
pub fn push(turn: &Turn<'_>, plan: &Plan, about: &About<'_>, bulk: bool, values: &ValuesNote) -> Result<(), Failure> {
    if turn.pushing().is_none() {
        return Ok(());
    }
    let place = turn.place();
    let records = plan.summary.records;
    let facts = RunFacts {
        tick: about.tick,
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
        careful: Careful { values: Some(values.clone()), ..about.careful.clone() },
    };
    let mut log = RunLog::new(plan, facts);
    let store = turn.store();
    log.id.clone_from(&about.run);
    store.name(&mut log);
    let path = turn.below(&store.intent_path(&log));
    let name = values.file.clone().filter(|_| values.keep == Keep::Committed);
    let file = name.as_ref().map(|name| store.folder(&log).join(name));
    let way = if bulk { "bulk" } else { "collections" };
    let intent = Intent::new(log, host(place.world), ci_page(place.world), way, name);
    let text = intent.text().map_err(|e| Failure::bug(format!("an intent cannot be written: {e}")))?;
    let mut changes = vec![Change { path: path.clone(), content: Content::Bytes(text.into_bytes()) }];
    changes.extend(file.map(|file| turn.file(file)));
    let log = &intent.log;
    let message = format!(
        "{} in {} ({}): begins to write {}\n",
        log.integration,
        log.environment,
        log.id,
        counted(records, "record")
    );
    turn.intend(path, &changes, &message)
}
